/*
 * The neutral machine on x86-64 (cpu/tier2/host.h). cpu is in rdi, L in r8, the slot in r9, as the System V ABI has the
 * handlers' arguments; rax, rcx and rdx are A, B and C; all others but rsp hold the guest's. What a processor need not
 * have (BMI2, LZCNT) is not used. Encodings: Intel SDM, volume 2.
 */
#if defined __x86_64__
#include "cpu/tier2/host.h"

#include "cpu/engine/code.h"
#include "mmu/access.h"

void thr_jump_far(struct cpu *cpu, u64 left, u64 va);

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_INDEX = 16 };
/* Conditions, as in the low bits of Jcc, SETcc and CMOVcc. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

const u8 host_pins[HOST_PINS_MAX] = { RBX, RSI, RBP, R10, R11, R12, R13, R14 };
const unsigned host_pin_count = 8;

/* ---- encoding ---- */

static void byte(struct host *h, unsigned v) { *h->p++ = (u8)v; }
static void word(struct host *h, u32 v)
{
    store_le32(h->p, v);
    h->p += 4;
}
static bool fits8(s64 v) { return v == (s8)v; }
static bool fits32(s64 v) { return v == (s32)v; }

static void opcode_bytes(struct host *h, unsigned opcode)
{
    if (opcode > 0xff)
        byte(h, opcode >> 8);
    byte(h, opcode);
}
/* REX where one is needed; `bytes`: r is used as a byte register, which without REX could be AH to DH. */
static void rex(struct host *h, bool w, unsigned r, unsigned index, unsigned b, bool bytes)
{
    unsigned v = (w ? 8u : 0) | (r >> 3 & 1) << 2 | (index != NO_INDEX ? (index >> 3 & 1) << 1 : 0) | (b >> 3 & 1);
    if (v || bytes)
        byte(h, 0x40 | v);
}
/* r and rm are registers (or r is a digit of the opcode). */
static void op_rr(struct host *h, bool w, unsigned opcode, unsigned r, unsigned rm)
{
    bool bytes = opcode == 0x0fb6 || opcode == 0x0fbe || opcode == 0xf6;
    rex(h, w, r, NO_INDEX, rm, bytes && rm >= RSP);
    opcode_bytes(h, opcode);
    byte(h, 0xc0 | (r & 7) << 3 | (rm & 7));
}
/* rm is [base + (index << scale) + offset]. */
static void op_rmi(struct host *h, bool w, unsigned opcode, unsigned r, unsigned base, unsigned index, unsigned scale,
                   s32 offset)
{
    bool bytes = opcode == 0x88;
    rex(h, w, r, index, base, bytes && r >= RSP);
    opcode_bytes(h, opcode);
    bool sib = index != NO_INDEX || (base & 7) == RSP;
    unsigned mod = offset == 0 && (base & 7) != RBP ? 0 : fits8(offset) ? 1 : 2;
    byte(h, mod << 6 | (r & 7) << 3 | (sib ? 4 : base & 7));
    if (sib)
        byte(h, scale << 6 | (index != NO_INDEX ? index & 7 : 4) << 3 | (base & 7));
    if (mod == 1)
        byte(h, (u8)offset);
    if (mod == 2)
        word(h, (u32)offset);
}
static void op_rm(struct host *h, bool w, unsigned opcode, unsigned r, unsigned base, s32 offset)
{
    op_rmi(h, w, opcode, r, base, NO_INDEX, 0, offset);
}
/* A field of struct cpu. */
#define CPU(field) ((s32)offsetof(struct cpu, field))
static void op_cpu(struct host *h, bool w, unsigned opcode, unsigned r, s32 offset)
{
    op_rm(h, w, opcode, r, RDI, offset);
}

/* Group 1 of the opcodes, by host_op. */
static const u8 group1[] = { [HOST_ADD] = 0, [HOST_SUB] = 5, [HOST_AND] = 4, [HOST_OR] = 1, [HOST_XOR] = 6 };
enum { GROUP1_CMP = 7, GROUP1_SBB = 3, GROUP1_ADC = 2 };
static void group1_imm(struct host *h, bool w, unsigned digit, unsigned r, s32 v)
{
    op_rr(h, w, fits8(v) ? 0x83 : 0x81, digit, r);
    if (fits8(v))
        byte(h, (u8)v);
    else
        word(h, (u32)v);
}
static void group1_rr(struct host *h, bool w, unsigned digit, unsigned d, unsigned m)
{
    op_rr(h, w, digit << 3 | 3, d, m);
}

/* ---- jumps ---- */

static u64 run_address(const struct host *h, const u8 *at) { return (u64)(uintptr_t)(h->run + (at - h->written)); }

void host_fix_to(struct host *h, host_fix from, const u8 *to)
{
    (void)h;
    store_le32(from, (u32)(to - from - 4));
}
host_fix host_jump_if(struct host *h, unsigned condition)
{
    byte(h, 0x0f);
    byte(h, 0x80 | condition);
    word(h, 0);
    return h->p - 4;
}
host_fix host_jump(struct host *h)
{
    byte(h, 0xe9);
    word(h, 0);
    return h->p - 4;
}
static u8 *short_if(struct host *h, unsigned condition)
{
    byte(h, 0x70 | condition);
    byte(h, 0);
    return h->p - 1;
}
static void short_here(struct host *h, u8 *from) { *from = (u8)(h->p - from - 1); }
unsigned host_opposite(unsigned condition) { return condition ^ 1; }

/* To something of the program's. Clobbers rax only when that is far away. */
static void jump_to(struct host *h, u64 to)
{
    s64 d = (s64)(to - run_address(h, h->p + 5));
    if (fits32(d)) {
        byte(h, 0xe9);
        word(h, (u32)d);
    } else {
        host_imm(h, RAX, to);
        op_rr(h, false, 0xff, 4, RAX);
    }
}

/* ---- values ---- */

void host_mov(struct host *h, bool w, unsigned d, unsigned n)
{
    if (d != n || !w)
        op_rr(h, w, 0x8b, d, n);
}

void host_imm(struct host *h, unsigned d, u64 value)
{
    if (value <= 0xffffffff) {
        rex(h, false, 0, NO_INDEX, d, false);
        byte(h, 0xb8 | (d & 7));
        word(h, (u32)value);
    } else if (fits32((s64)value)) {
        op_rr(h, true, 0xc7, 0, d);
        word(h, (u32)value);
    } else {
        rex(h, true, 0, NO_INDEX, d, false);
        byte(h, 0xb8 | (d & 7));
        store_le64(h->p, value);
        h->p += 8;
    }
}

static void flags_are(struct host *h, enum host_op op, bool w, bool flags)
{
    h->hf = !flags ? HF_NONE : op == HOST_SUB ? HF_SUB : op == HOST_ADD ? HF_ADD : HF_LOGIC;
    h->hf_w = w;
}

void host_alu(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, unsigned m, bool flags)
{
    if (d == HOST_NONE) {
        op_rr(h, w, op == HOST_SUB ? 0x3b : 0x85, n, m);
        flags_are(h, op, w, true);
        return;
    }
    if (op == HOST_ADD && !flags && d != n && d != m) {
        op_rmi(h, w, 0x8d, d, n, m, 0, 0);
        return;
    }
    if (d == m && d != n) {
        if (op == HOST_SUB) {
            host_mov(h, w, RDX, n);
            group1_rr(h, w, group1[op], RDX, m);
            host_mov(h, w, d, RDX);
            flags_are(h, op, w, flags);
            return;
        }
        m = n;
    } else {
        host_mov(h, true, d, n);
    }
    group1_rr(h, w, group1[op], d, m);
    flags_are(h, op, w, flags);
}

void host_alu_imm(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, u64 imm, bool flags)
{
    if (op == HOST_SUB && !flags) {
        op = HOST_ADD;
        imm = -imm;
    }
    u64 v = w ? imm : (u64)(s64)(s32)(u32)imm;
    if (op == HOST_ADD && !flags && d != n && fits32((s64)v)) {
        op_rm(h, w, 0x8d, d, n, (s32)v);
        return;
    }
    bool narrow = op == HOST_AND && v <= 0x7fffffff; /* the flags are the same, too */
    if (op == HOST_AND && v == 0xffffffff && !flags) {
        host_mov(h, false, d, n);
        return;
    }
    if (!fits32((s64)v)) {
        host_imm(h, RDX, v);
        host_alu(h, w, op, d, n, RDX, flags);
        return;
    }
    if (d == HOST_NONE && op == HOST_SUB) {
        group1_imm(h, w, GROUP1_CMP, n, (s32)v);
    } else if (d == HOST_NONE) {
        op_rr(h, w, 0xf7, 0, n); /* TEST */
        word(h, (u32)v);
    } else {
        host_mov(h, true, d, n);
        group1_imm(h, w && !narrow, group1[op], d, (s32)v);
    }
    flags_are(h, op, w, flags);
}

void host_not(struct host *h, bool w, unsigned d, unsigned n)
{
    host_mov(h, true, d, n);
    op_rr(h, w, 0xf7, 2, d);
}

static const u8 group2[] = { [HOST_LSL] = 4, [HOST_LSR] = 5, [HOST_ASR] = 7, [HOST_ROR] = 1 };
static void shift_by(struct host *h, bool w, enum host_shift type, unsigned d, unsigned amount)
{
    if (!amount)
        return;
    op_rr(h, w, 0xc1, group2[type], d);
    byte(h, amount);
    h->hf = HF_NONE;
}
void host_shift_imm(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned amount)
{
    host_mov(h, w, d, n);
    shift_by(h, w, type, d, amount);
}
void host_shift(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned m)
{
    host_mov(h, w, RDX, n);
    host_mov(h, false, RCX, m);
    op_rr(h, w, 0xd3, group2[type], RDX);
    host_mov(h, w, d, RDX);
    h->hf = HF_NONE;
}

void host_field(struct host *h, bool w, bool sign, unsigned up, unsigned down, unsigned d, unsigned n)
{
    unsigned bits = (w ? 64 : 32) - up;
    if (up == down && (bits == 8 || bits == 16)) {
        op_rr(h, w && sign, (sign ? 0x0fbe : 0x0fb6) | (bits == 16), d, n);
    } else if (w && up == 32 && down == 32) {
        op_rr(h, sign, sign ? 0x63 : 0x8b, d, n);
    } else {
        host_mov(h, w, d, n);
        shift_by(h, w, HOST_LSL, d, up);
        shift_by(h, w, sign ? HOST_ASR : HOST_LSR, d, down);
    }
}

void host_extract(struct host *h, bool w, unsigned d, unsigned n, unsigned m, unsigned lsb)
{
    host_mov(h, w, RDX, m);
    if (lsb) {
        op_rr(h, w, 0x0fac, n, RDX); /* SHRD */
        byte(h, lsb);
        h->hf = HF_NONE;
    }
    host_mov(h, true, d, RDX);
}

void host_mul(struct host *h, bool w, unsigned d, unsigned n, unsigned m)
{
    host_mov(h, w, d, n);
    op_rr(h, w, 0x0faf, d, m);
    h->hf = HF_NONE;
}
void host_mul_high(struct host *h, bool sign, unsigned d, unsigned n, unsigned m)
{
    host_mov(h, true, RAX, n);
    op_rr(h, true, 0xf7, sign ? 5 : 4, m);
    host_mov(h, true, d, RDX);
    h->hf = HF_NONE;
}
void host_udiv(struct host *h, bool w, unsigned d, unsigned n, unsigned m)
{
    host_mov(h, w, RAX, n);
    host_mov(h, w, RCX, m);
    op_rr(h, w, 0x85, RCX, RCX);
    u8 *some = short_if(h, CC_NE);
    host_imm(h, RAX, 0);
    byte(h, 0xeb);
    byte(h, 0);
    u8 *done = h->p - 1;
    short_here(h, some);
    group1_rr(h, false, group1[HOST_XOR], RDX, RDX);
    op_rr(h, w, 0xf7, 6, RCX);
    short_here(h, done);
    host_mov(h, true, d, RAX);
    h->hf = HF_NONE;
}
void host_clz(struct host *h, bool w, unsigned d, unsigned n)
{
    op_rr(h, w, 0x0fbd, RDX, n); /* BSR; of zero: ZF, and nothing is known of the result */
    host_mov(h, true, d, RDX);
    op_rr(h, true, 0xc7, 0, RDX);
    word(h, 0xffffffff);
    op_rr(h, true, 0x0f44, d, RDX);
    host_imm(h, RDX, w ? 63 : 31);
    op_rr(h, false, 0x2b, RDX, d);
    host_mov(h, true, d, RDX);
    h->hf = HF_NONE;
}
void host_rev(struct host *h, bool w, unsigned d, unsigned n)
{
    host_mov(h, w, d, n);
    rex(h, w, 0, NO_INDEX, d, false);
    byte(h, 0x0f);
    byte(h, 0xc8 | (d & 7));
}
void host_adc(struct host *h, bool w, unsigned d, unsigned n, unsigned m, bool flags)
{
    if (h->hf == HF_SUB)
        byte(h, 0xf5); /* CMC: a borrow is the carry's opposite */
    else if (h->hf != HF_ADD) {
        op_cpu(h, false, 0x0fb6, RDX, CPU(flag_c));
        group1_imm(h, false, group1[HOST_ADD], RDX, -1); /* carries when it was 1 */
    }
    host_mov(h, true, RDX, n);
    group1_rr(h, w, GROUP1_ADC, RDX, m);
    host_mov(h, true, d, RDX);
    flags_are(h, HOST_ADD, w, flags);
}

/* ---- memory ---- */

static void op_place(struct host *h, bool w, unsigned opcode, unsigned r, struct host_place p)
{
    op_rmi(h, w, opcode, r, p.base, p.index == HOST_NONE ? NO_INDEX : p.index, 0, p.offset);
}
void host_load(struct host *h, unsigned log2, enum host_extend extend, unsigned d, struct host_place from)
{
    static const u16 zero[] = { 0x0fb6, 0x0fb7, 0x8b, 0x8b }, sign[] = { 0x0fbe, 0x0fbf, 0x63, 0x8b };
    bool w = extend == HOST_ZERO ? log2 == 3 : extend == HOST_SIGN_X;
    op_place(h, w, extend == HOST_ZERO ? zero[log2] : sign[log2], d, from);
}
void host_store(struct host *h, unsigned log2, unsigned s, struct host_place to)
{
    if (log2 == 1)
        byte(h, 0x66);
    op_place(h, log2 == 3, log2 ? 0x89 : 0x88, s, to);
}
void host_store_imm(struct host *h, unsigned log2, u32 value, struct host_place to)
{
    op_place(h, log2 == 3, 0xc7, 0, to);
    word(h, value);
}
void host_copy16(struct host *h, struct host_place to, struct host_place from)
{
    op_place(h, false, 0x0f10, 0, from); /* MOVUPS */
    op_place(h, false, 0x0f11, 0, to);
}

void host_add_scaled(struct host *h, unsigned d, unsigned n, unsigned m, unsigned scale)
{
    if (scale > 3) {
        host_mov(h, true, RCX, m);
        shift_by(h, true, HOST_LSL, RCX, scale);
        m = RCX;
        scale = 0;
    }
    op_rmi(h, true, 0x8d, d, n, m, scale, 0);
}

#define FAST_AT(write) (CPU(d.fast) + (s32)((write) ? offsetof(struct fast_entry, w) : offsetof(struct fast_entry, r)))
const u8 *host_tag(struct host *h, unsigned to, struct host_access a, host_fix *miss)
{
    if (a.offset)
        op_rm(h, false, 0x8d, RCX, a.base, a.offset);
    else
        host_mov(h, false, RCX, a.base);
    shift_by(h, false, HOST_LSR, RCX, 7);
    op_cpu(h, false, 0x33, RCX, CPU(d.data.mix));
    group1_imm(h, false, group1[HOST_AND], RCX, (FAST_ENTRIES - 1) << 5);
    op_rm(h, true, 0x8d, RDX, a.base, a.offset + (a.exact ? 0 : (s32)a.size - 1));
    group1_imm(h, true, group1[HOST_AND], RDX, -4096 | (a.exact ? (s32)a.size - 1 : 0));
    op_cpu(h, true, 0x0b, RDX, a.size > 1 && !a.exact ? CPU(d.data.wide) : CPU(d.data.ctx));
    op_rmi(h, true, 0x3b, RDX, RDI, RCX, 0, FAST_AT(a.write));
    *miss = host_jump_if(h, CC_NE);
    const u8 *back = h->p;
    op_rmi(h, true, to == a.base ? 0x03 : 0x8b, to, RDI, RCX, 0,
           CPU(d.fast) + (s32)offsetof(struct fast_entry, addend));
    h->hf = HF_NONE;
    return back;
}
/* rcx is still the entry's offset: FAST_PAGE of its owner, and the address's low bits. */
void host_physical(struct host *h, unsigned d, unsigned va)
{
    op_rmi(h, true, 0x8b, d, RDI, RCX, 0, CPU(d.fast) + (s32)offsetof(struct fast_entry, owner));
    shift_by(h, true, HOST_LSL, d, 8);
    shift_by(h, true, HOST_LSR, d, 24);
    shift_by(h, true, HOST_LSL, d, 12);
    host_mov(h, false, RDX, va);
    group1_imm(h, false, group1[HOST_AND], RDX, 0xfff);
    group1_rr(h, true, group1[HOST_OR], d, RDX);
}
/* rcx is still the entry's offset. What is aligned as a whole crosses no page. */
void host_tag_aligned(struct host *h, struct host_access a, const u8 *back)
{
    op_rm(h, true, 0x8d, RDX, a.base, a.offset);
    group1_imm(h, true, group1[HOST_AND], RDX, -4096 | (s32)(a.align - 1));
    op_cpu(h, true, 0x0b, RDX, CPU(d.data.ctx));
    op_rmi(h, true, 0x3b, RDX, RDI, RCX, 0, FAST_AT(a.write));
    if (a.size == a.align) {
        host_fix_to(h, host_jump_if(h, CC_E), back);
        return;
    }
    u8 *other = short_if(h, CC_NE);
    op_rm(h, true, 0x8d, RDX, a.base, a.offset);
    group1_imm(h, false, group1[HOST_AND], RDX, 4095);
    group1_imm(h, false, GROUP1_CMP, RDX, 4096 - (s32)a.size);
    host_fix_to(h, host_jump_if(h, CC_BE), back);
    short_here(h, other);
}

/* ---- flags and conditions ---- */

void host_flags_store(struct host *h, unsigned r)
{
    if (h->hf != HF_LOGIC) {
        op_cpu(h, false, 0x0f90 | (h->hf == HF_SUB ? CC_AE : CC_B), 0, CPU(flag_c));
        op_cpu(h, false, 0x0f90 | CC_O, 0, CPU(flag_v));
    }
    if (!h->hf_w) {
        op_rr(h, true, 0x63, RDX, r);
        r = RDX;
    }
    op_cpu(h, true, 0x89, r, CPU(flag_n));
    op_cpu(h, true, 0x89, r, CPU(flag_z));
    if (h->hf == HF_LOGIC) {
        op_cpu(h, false, 0xc6, 0, CPU(flag_c));
        byte(h, 0);
        op_cpu(h, false, 0xc6, 0, CPU(flag_v));
        byte(h, 0);
    }
}
static void cpu_store_imm(struct host *h, s32 offset, s32 v)
{
    op_cpu(h, true, 0xc7, 0, offset);
    word(h, (u32)v);
}
void host_flags_imm(struct host *h, unsigned nzcv)
{
    host_imm(h, RDX, (u64)(nzcv >> 3 & 1) << 63);
    op_cpu(h, true, 0x89, RDX, CPU(flag_n));
    cpu_store_imm(h, CPU(flag_z), !(nzcv >> 2 & 1));
    cpu_store_imm(h, CPU(flag_c), nzcv >> 1 & 1);
    cpu_store_imm(h, CPU(flag_v), nzcv & 1);
}

enum { EQ, NE, CS, CC, MI, PL, VS, VC, HI, LS, GE, LT, GT, LE };
/* Conditions that the host's flags have, by what they are of; -1: they don't. */
static const s8 held[][14] = {
    [HF_NONE] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 },
    [HF_SUB] = { CC_E, CC_NE, CC_AE, CC_B, CC_S, CC_NS, CC_O, CC_NO, CC_A, CC_BE, CC_GE, CC_L, CC_G, CC_LE },
    [HF_ADD] = { CC_E, CC_NE, CC_B, CC_AE, CC_S, CC_NS, CC_O, CC_NO, -1, -1, CC_GE, CC_L, CC_G, CC_LE },
    [HF_LOGIC] = { CC_E, CC_NE, -1, -1, CC_S, CC_NS, -1, -1, -1, -1, CC_GE, CC_L, CC_G, CC_LE },
};
static void cpu_compare_zero(struct host *h, bool w, s32 offset)
{
    op_cpu(h, w, w ? 0x83 : 0x80, GROUP1_CMP, offset);
    byte(h, 0);
}
bool host_holds(enum host_flags hf, unsigned condition) { return held[hf][condition] >= 0; }
unsigned host_condition(struct host *h, unsigned condition)
{
    if (held[h->hf][condition] >= 0)
        return (unsigned)held[h->hf][condition];
    h->hf = HF_NONE;
    unsigned other = condition & 1;
    switch (condition & ~1u) {
    case EQ: cpu_compare_zero(h, true, CPU(flag_z)); return CC_E ^ other;
    case CS: cpu_compare_zero(h, false, CPU(flag_c)); return CC_NE ^ other;
    case MI: cpu_compare_zero(h, true, CPU(flag_n)); return CC_S ^ other;
    case VS: cpu_compare_zero(h, false, CPU(flag_v)); return CC_NE ^ other;
    case HI: /* all ones where Z is clear, and C */
        op_cpu(h, true, 0x8b, RDX, CPU(flag_z));
        op_rr(h, true, 0xf7, 3, RDX);
        group1_rr(h, false, GROUP1_SBB, RDX, RDX);
        op_cpu(h, false, 0x84, RDX, CPU(flag_c));
        return CC_NE ^ other;
    case GE:
        op_cpu(h, true, 0x8b, RDX, CPU(flag_n));
        shift_by(h, true, HOST_LSR, RDX, 63);
        op_cpu(h, false, 0x3a, RDX, CPU(flag_v));
        return CC_E ^ other;
    default: /* GT: all ones where N is V, and Z is clear */
        op_cpu(h, true, 0x8b, RDX, CPU(flag_n));
        shift_by(h, true, HOST_LSR, RDX, 63);
        op_cpu(h, true, 0x33, RDX, CPU(flag_v));
        group1_imm(h, true, group1[HOST_SUB], RDX, 1);
        op_cpu(h, true, 0x85, RDX, CPU(flag_z));
        return CC_NE ^ other;
    }
}
unsigned host_test_zero(struct host *h, bool w, unsigned n)
{
    op_rr(h, w, 0x85, n, n);
    h->hf = HF_NONE;
    return CC_E;
}
unsigned host_test_bit(struct host *h, unsigned n, unsigned bit)
{
    if (bit < 8) {
        op_rr(h, false, 0xf6, 0, n);
        byte(h, 1u << bit);
    } else if (bit < 31) {
        op_rr(h, false, 0xf7, 0, n);
        word(h, 1u << bit);
    } else {
        op_rr(h, true, 0x0fba, 4, n); /* BT: the bit is CF */
        byte(h, bit);
    }
    h->hf = HF_NONE;
    return bit < 31 ? CC_E : CC_AE;
}
unsigned host_test_mask(struct host *h, unsigned n, u32 mask)
{
    op_rr(h, false, 0xf7, 0, n);
    word(h, mask);
    h->hf = HF_NONE;
    return CC_E;
}
unsigned host_test_cpu(struct host *h, s32 offset, u32 value)
{
    op_cpu(h, false, 0x83, GROUP1_CMP, offset);
    byte(h, value);
    h->hf = HF_NONE;
    return CC_E;
}
void host_select(struct host *h, bool w, unsigned condition, unsigned d, unsigned n, unsigned m)
{
    host_mov(h, true, RDX, m);
    op_rr(h, w, 0x0f40 | condition, RDX, n);
    host_mov(h, true, d, RDX);
}

/* ---- ways in and out ---- */

unsigned host_budget(struct host *h, s32 slots, unsigned to)
{
    if (slots)
        group1_imm(h, true, group1[HOST_ADD], R8, slots * 16);
    group1_imm(h, true, GROUP1_CMP, R8, (s32)to * 16);
    h->hf = HF_NONE;
    return CC_G;
}
/* Adds what is left of the budget to the count on the way in, and takes it off on the way out. */
static void count_left(struct host *h, enum host_op op)
{
    host_mov(h, true, RDX, R8);
    group1_rr(h, true, group1[HOST_SUB], RDX, R9);
    op_cpu(h, true, (unsigned)group1[op] << 3 | 1, RDX, CPU(d.tier2_units));
}
void host_enter(struct host *h, unsigned slot, bool count)
{
    if (count)
        count_left(h, HOST_ADD);
    if (slot)
        group1_imm(h, true, group1[HOST_SUB], R9, (s32)slot * 16);
    group1_rr(h, true, group1[HOST_SUB], R8, R9);
}
static void out_at(struct host *h, unsigned slot, bool count)
{
    group1_rr(h, true, group1[HOST_ADD], R8, R9);
    if (slot)
        group1_imm(h, true, group1[HOST_ADD], R9, (s32)slot * 16);
    if (count)
        count_left(h, HOST_SUB);
}
void host_leave(struct host *h, unsigned slot, bool count)
{
    out_at(h, slot, count);
    op_rm(h, false, 0xff, 4, R9, 0);
}
void host_leave_by(struct host *h, unsigned slot, op_fn *handler, bool count)
{
    out_at(h, slot, count);
    jump_to(h, (u64)(uintptr_t)handler);
}
/* The jump itself is at each place, so that the host can predict it there; what it needs is the routine's. */
void host_leave_far(struct host *h, unsigned slot, bool count)
{
    op_rm(h, true, 0x8d, RSI, R8, -16 * ((s32)slot + 1));
    if (count)
        op_cpu(h, true, (unsigned)group1[HOST_SUB] << 3 | 1, RSI, CPU(d.tier2_units));
    byte(h, 0xe8);
    word(h, (u32)((u64)(uintptr_t)h->far - run_address(h, h->p + 4)));
    op_rm(h, false, 0xff, 4, R9, 0);
}

/* rax: the address; rsi: what is left. Returns with r9 and r8 for the slot there, as run_xpage does, or goes the
 * interpreter's way. */
static void far_routine(struct host *h)
{
    host_mov(h, true, RDX, RAX);
    op_rr(h, true, 0x85, RSI, RSI);
    host_fix over = host_jump_if(h, CC_LE);
    op_cpu(h, true, 0x33, RAX, CPU(fetch_va));
    op_rr(h, true, 0xf7, 0, RAX);
    word(h, ~(u32)0xffc); /* another page, or not aligned */
    u8 *other = short_if(h, CC_NE);
    group1_imm(h, false, group1[HOST_AND], RDX, 0xffc);
    op_rmi(h, true, 0x8d, R9, R9, RDX, 2, 0);
    op_rmi(h, true, 0x8d, R8, R9, RSI, 0, 0);
    byte(h, 0xc3);

    short_here(h, other);
    host_mov(h, false, RCX, RDX);
    shift_by(h, false, HOST_LSR, RCX, 7);
    op_cpu(h, false, 0x33, RCX, CPU(d.data.mix));
    group1_imm(h, false, group1[HOST_AND], RCX, (XPAGE_ENTRIES - 1) << 5);
    op_rmi(h, true, 0x8d, RCX, RDI, RCX, 0, CPU(d.xpage));
    host_mov(h, true, RAX, RDX);
    group1_imm(h, true, group1[HOST_AND], RAX, ~0xffc);
    op_cpu(h, true, 0x0b, RAX, CPU(d.data.ctx));
    op_rm(h, true, 0x3b, RAX, RCX, (s32)offsetof(struct xpage_entry, tag));
    host_fix miss = host_jump_if(h, CC_NE);
    op_rm(h, true, 0x8b, R9, RCX, (s32)offsetof(struct xpage_entry, page));
    host_mov(h, true, RAX, RDX);
    group1_imm(h, true, group1[HOST_AND], RAX, -4096);
    op_cpu(h, true, 0x89, RAX, CPU(fetch_va));
    op_rm(h, true, 0x8b, RAX, R9, (s32)offsetof(struct code_page, pa));
    op_cpu(h, true, 0x89, RAX, CPU(fetch_pa));
    op_rm(h, false, 0x8b, RAX, RCX, (s32)offsetof(struct xpage_entry, attrs));
    op_cpu(h, false, 0x89, RAX, CPU(fetch_attrs));
    op_cpu(h, false, 0xc7, 0, CPU(fetch_valid));
    word(h, 1);
    op_cpu(h, true, 0x89, R9, CPU(d.page));
    op_rm(h, true, 0x8b, RAX, RCX, (s32)offsetof(struct xpage_entry, pc_bias));
    op_cpu(h, true, 0x89, RAX, CPU(d.pc_bias));
    group1_imm(h, false, group1[HOST_AND], RDX, 0xffc);
    op_rmi(h, true, 0x8d, R9, R9, RDX, 2, 0);
    op_rmi(h, true, 0x8d, R8, R9, RSI, 0, 0);
    byte(h, 0xc3);

    host_fix_to(h, over, h->p);
    host_fix_to(h, miss, h->p);
    group1_imm(h, true, group1[HOST_ADD], RSP, 8);
    jump_to(h, (u64)(uintptr_t)thr_jump_far);
}
/* void enter(cpu, left, fn): fn(cpu, left), with the registers of the caller's kept. */
static void enter_routine(struct host *h)
{
    static const u8 kept[] = { RBX, RBP, R12, R13, R14, R15 };
    for (unsigned n = 0; n < ARRAY_LEN(kept); n++) {
        rex(h, false, 0, NO_INDEX, kept[n], false);
        byte(h, 0x50 | (kept[n] & 7));
    }
    group1_imm(h, true, group1[HOST_SUB], RSP, 8); /* the stack is aligned at a call */
    op_rr(h, false, 0xff, 2, RDX);
    group1_imm(h, true, group1[HOST_ADD], RSP, 8);
    for (unsigned n = ARRAY_LEN(kept); n-- > 0;) {
        rex(h, false, 0, NO_INDEX, kept[n], false);
        byte(h, 0x58 | (kept[n] & 7));
    }
    byte(h, 0xc3);
}
void host_routines(struct host *h)
{
    h->far = (const u8 *)(uintptr_t)run_address(h, h->p);
    far_routine(h);
    h->enter = (const u8 *)(uintptr_t)run_address(h, h->p);
    enter_routine(h);
}
#else
typedef int host_x86_is_not_there;
#endif
