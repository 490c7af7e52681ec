/*
 * Structure loads and stores (Arm ARM C7.2 LD1 to LD4R, ST1 to ST4): memory is a row of elements, each accessed and
 * checked for alignment on its own. A load changes no register unless all elements could be read; a store writes
 * nothing unless all pages allow it (a choice: the architecture lets the registers or the memory of an aborted one be
 * UNKNOWN).
 */
#include "cpu/ops/simd_mem.h"

#include "mmu/access.h"

struct simd_structs simd_structs(u32 word)
{
    unsigned q = (unsigned)bit(word, 30), size = (unsigned)bits(word, 11, 10);
    struct simd_structs s = { .log2 = (u8)size, .lanes = 1 };
    if (!bit(word, 24)) {
        static const u8 regs_of[16] = { [0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2 };
        unsigned opcode = (unsigned)bits(word, 15, 12);
        s.regs = regs_of[opcode];
        s.interleaved = opcode == 0 || opcode == 4 || opcode == 8;
        s.lanes = (u8)((q ? 16 : 8) >> size);
        return s;
    }
    unsigned scale = (unsigned)bits(word, 15, 14), all = q << 3 | (unsigned)bits(word, 12, 10);
    s.single = true;
    s.regs = (u8)((bit(word, 13) << 1 | bit(word, 21)) + 1);
    s.replicate = scale == 3;
    if (!s.replicate) {
        s.log2 = (u8)(scale == 2 && (size & 1) ? 3 : scale);
        s.index = (u8)(all >> s.log2);
    }
    return s;
}

/* Register and byte of the register that element n of the row in memory is. */
struct place {
    unsigned reg, byte;
};
static struct place place_of(struct simd_structs s, u32 word, unsigned n)
{
    unsigned reg = s.interleaved || s.single ? n % s.regs : n / s.lanes;
    unsigned lane = s.single ? s.index : s.interleaved ? n / s.regs : n % s.lanes;
    return (struct place){ ((word & 31) + reg) & 31, lane << s.log2 };
}

static void register_load(union vreg *v, struct simd_structs s, u32 word, unsigned byte, u64 value)
{
    if (s.replicate) {
        static const u64 repeat[4] = { 0x0101010101010101ull, 0x0001000100010001ull, 0x0000000100000001ull, 1 };
        v->d[0] = value * repeat[s.log2];
        v->d[1] = bit(word, 30) ? v->d[0] : 0;
    } else {
        memcpy(&v->b[byte], &value, (size_t)1 << s.log2);
    }
}

bool simd_structs_load(struct cpu *cpu, u32 word, u64 va, const u8 *host)
{
    struct simd_structs s = simd_structs(word);
    unsigned count = (unsigned)s.regs * s.lanes, size = 1u << s.log2;
    u64 element[64];
    for (unsigned n = 0; n < count; n++) {
        element[n] = 0;
        if (host) {
            memcpy(&element[n], host + n * size, size);
            continue;
        }
        struct mem_val r = mem_read(cpu, va + n * size, size, ACC_READ);
        if (!r.ok)
            return false;
        element[n] = r.v;
    }
    for (unsigned n = 0; n < s.regs && !s.single && !bit(word, 30); n++)
        cpu->v[((word & 31) + n) & 31].d[1] = 0;
    for (unsigned n = 0; n < count; n++) {
        struct place p = place_of(s, word, n);
        register_load(&cpu->v[p.reg], s, word, p.byte, element[n]);
    }
    return true;
}

/* Is the whole row allowed? One element speaks for its page. */
static bool row_probe(struct cpu *cpu, u64 va, unsigned count, unsigned size)
{
    bool crosses = ((va + count * size - 1) ^ va) >> 12;
    for (unsigned n = 0; n < (crosses ? count : 1); n++)
        if (!mem_probe(cpu, va + n * size, size, ACC_WRITE))
            return false;
    return true;
}

bool simd_structs_store(struct cpu *cpu, u32 word, u64 va, u8 *host)
{
    struct simd_structs s = simd_structs(word);
    unsigned count = (unsigned)s.regs * s.lanes, size = 1u << s.log2;
    if (!host && !row_probe(cpu, va, count, size))
        return false;
    for (unsigned n = 0; n < count; n++) {
        struct place p = place_of(s, word, n);
        u64 value = 0;
        if (host) {
            memcpy(host + n * size, &cpu->v[p.reg].b[p.byte], size);
            continue;
        }
        memcpy(&value, &cpu->v[p.reg].b[p.byte], size);
        if (!mem_write(cpu, va + n * size, value, size, ACC_WRITE))
            return false;
    }
    return true;
}
