/*
 * Memory copy and memory set, in both forms that the architecture offers (Arm ARM C6.2 CPYFP.., SETP..;
 * CheckMOPSEnabled, CheckMemCpyParams, CheckMemSetParams, AArch64.MemCpyException of the shared pseudocode).
 *
 * Option A counts Xn from -size up to 0 and leaves the addresses at the end (backwards: from size down to 0, at the
 * start); option B moves the addresses, PSTATE.C is 1, PSTATE.N says backwards. Choices: the prologue and the epilogue
 * copy nothing, the main instruction copies all of it, byte by byte as far as faults and overlaps can tell; it starts
 * again after each CHUNK bytes, so that interrupts are taken; sizes of zero are not checked.
 */
#include "cpu/field.h"
#include "cpu/ops/mops.h"

#include "cpu/exception.h"
#include "cpu/observer.h"
#include "mmu/access.h"

enum { CHUNK = 4096 };
enum { FLAG_N = 8, FLAG_C = 2 };
enum { STAGE_MAIN, STAGE_EPILOGUE };

struct regs {
    u64 *d, *s, *n; /* destination, source (of SET: the value), size */
};

static struct regs regs_of(struct cpu *cpu, u32 word)
{
    return (struct regs){ &cpu->x[word & 31], &cpu->x[word >> 16 & 31], &cpu->x[word >> 5 & 31] };
}

static bool option_a(const struct cpu *cpu) { return cpu_has(cpu, FEAT_MOPS_A); }
static bool is_set(u32 word) { return (word >> 22 & 3) == 3; }
/* SETG*: the tags too */
static bool is_tagging(u32 word) { return is_set(word) && bit(word, 26); }
/* CPYF only goes forward. */
static bool is_forward_only(u32 word) { return !bit(word, 26); }

static bool hcrx_enabled(const struct cpu *cpu)
{
    return cpu_has(cpu, FEAT_HCX) && (!cpu_has(cpu, FEAT_EL3) || bit(cpu->sys.scr_el3, SCR_HXEn)) &&
           cpu_el2_enabled(cpu);
}

/* CheckMOPSEnabled: HCRX_EL2.MSCEn, SCTLR_ELx.MSCEn. False: UNDEFINED. (The rows of SETG* ask for FEAT_MTE only.) */
static bool check_enabled(struct cpu *cpu)
{
    u64 hcr = cpu_hcr(cpu);
    bool host = bit(hcr, HCR_E2H) && bit(hcr, HCR_TGE), enabled = cpu_has(cpu, FEAT_MOPS);
    if (enabled && cpu->ps.el < 2 && cpu_el2_enabled(cpu) && !(host && cpu->ps.el == 0))
        enabled = hcrx_enabled(cpu) && bit(cpu->sys.hcrx_el2, HCRX_MSCEn);
    if (cpu->ps.el == 0)
        enabled = enabled && bit(host ? cpu->sys.sctlr_el2 : cpu->sys.sctlr_el1, SCTLR_MSCEn);
    if (!enabled)
        exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS });
    return enabled;
}

/* AArch64.MemCpyException, MemSetException: what the registers hold is not of this stage or this option. */
static enum mops_result raise_mismatch(struct cpu *cpu, u32 word, unsigned stage, bool wrong_option)
{
    bool set = is_set(word);
    u32 options = set ? word >> 12 & 3 : word >> 12 & 15;
    u32 iss = (u32)set << 24 | (set ? (word >> 26 & 1) << 23 : 0) | options << 19 |
              (u32)(stage == STAGE_EPILOGUE) << 18 | (u32)wrong_option << 17 | (option_a(cpu) ? 1u << 16 : 0) |
              (word & 31) << 10 | (word >> 16 & 31) << 5 | (word >> 5 & 31);
    unsigned target = exc_default_target(cpu);
    if (cpu->ps.el == 1 && hcrx_enabled(cpu) && bit(cpu->sys.hcrx_el2, HCRX_MCE2))
        target = 2; /* MCE2 */
    exc_sync(cpu, EC_MOPS, iss, target, (struct cause){ .kind = CAUSE_INSTRUCTION });
    return MOPS_RAISE;
}

/* PSTATE.C tells the options apart. */
static bool is_wrong_option(const struct cpu *cpu) { return !(cpu_nzcv(cpu) & FLAG_C) != option_a(cpu); }

/* ---- moving bytes ---- */

static unsigned flags_of(u32 word, bool write)
{
    bool unpriv = bit(word, write ? 12 : 13); /* of CPY; SET has its write in bit 12 */
    return (write ? ACC_WRITE : ACC_READ) | (unpriv ? ACC_UNPRIV : 0);
}

static u64 min3(u64 a, u64 b, u64 c) { return a < b ? (a < c ? a : c) : b < c ? b : c; }

/* A host pointer for `size` bytes at va that lie in one page, where accesses need nobody's attention; else NULL. */
static u8 *host_bytes(struct cpu *cpu, u64 va, unsigned flags)
{
    const struct observer *o = cpu->d.host.observer;
    const struct fast_context *c = flags & ACC_UNPRIV ? &cpu->d.unpriv : &cpu->d.data;
    if ((o && (o->memory || o->access) && !cpu->d.threaded) || cpu->d.host.force_step || !context_known(c))
        return NULL;
    return fast_pointer(cpu, va, 0, flags & ACC_WRITE, flags & ACC_UNPRIV);
}

/* Bytes from `from` to `to` in order of their addresses, upwards or downwards: a copy onto itself repeats them. */
static void bytes_move(u8 *to, const u8 *from, u64 count, bool down)
{
    bool apart = to + count <= from || from + count <= to;
    if (apart) {
        memcpy(to, from, count);
        return;
    }
    for (u64 n = 0; n < count; n++) {
        u64 at = down ? count - 1 - n : n;
        to[at] = from[at];
    }
}

/* Up to `most` bytes; `to` and `from` are the first byte (down: past the last one). How many were done in *done. */
static bool copy_some(struct cpu *cpu, u32 word, u64 to, u64 from, bool down, u64 most, u64 *done)
{
    unsigned rflags = flags_of(word, false), wflags = flags_of(word, true);
    for (*done = 0; *done < most;) {
        u64 t = down ? to - *done - 1 : to + *done, f = down ? from - *done - 1 : from + *done;
        u64 left_t = down ? (t & 4095) + 1 : 4096 - (t & 4095), left_f = down ? (f & 4095) + 1 : 4096 - (f & 4095);
        u64 count = min3(left_t, left_f, most - *done);
        const u8 *source = host_bytes(cpu, f, rflags);
        u8 *target = host_bytes(cpu, t, wflags);
        if (source && target) {
            bytes_move(down ? target - (count - 1) : target, down ? source - (count - 1) : source, count, down);
            *done += count;
            continue;
        }
        struct mem_val r = mem_read(cpu, f, 1, rflags);
        if (!r.ok || !mem_write(cpu, t, r.v, 1, wflags))
            return false;
        ++*done;
    }
    return true;
}

static bool set_some(struct cpu *cpu, u32 word, u64 to, u8 value, u64 most, u64 *done)
{
    unsigned flags = flags_of(word, true);
    for (*done = 0; *done < most;) {
        u64 t = to + *done, count = min3(4096 - (t & 4095), most - *done, ~0ull);
        if (is_tagging(word)) {
            if (!mem_granule_set(cpu, t, value, flags & ACC_UNPRIV))
                return false;
            *done += 16;
            continue;
        }
        u8 *target = host_bytes(cpu, t, flags);
        if (target) {
            memset(target, value, count);
            *done += count;
            continue;
        }
        if (!mem_write(cpu, t, value, 1, flags))
            return false;
        ++*done;
    }
    return true;
}

/* ---- copy ---- */

/* Must a copy of overlapping regions go backwards? */
static bool needs_backwards(u64 to, u64 from, u64 size)
{
    to &= ones(56);
    from &= ones(56);
    bool behind = from > to && from < ((to + size) & ones(56));
    return !behind && from < to && ((from + size) & ones(56)) > to;
}

enum mops_result mops_copy_prologue(struct cpu *cpu, u32 word)
{
    struct regs r = regs_of(cpu, word);
    bool forward_only = is_forward_only(word), down = false;
    if (!check_enabled(cpu))
        return MOPS_RAISE;
    u64 size = *r.n;
    if (forward_only) {
        size = bit(size, 63) ? ones(63) : size;
    } else {
        size = size >> 55 ? ones(55) : size;
        down = needs_backwards(*r.d, *r.s, size);
    }
    bool moved = option_a(cpu) ? !down : down;
    if (moved) {
        *r.d += size;
        *r.s += size;
    }
    *r.n = option_a(cpu) && !down ? -size : size;
    cpu_set_nzcv(cpu, option_a(cpu) ? 0 : FLAG_C | (down ? FLAG_N : 0));
    return MOPS_DONE;
}

/* After `done` bytes; `down` in option B moves the addresses down. */
static void copy_advance(struct cpu *cpu, struct regs r, bool down, u64 done)
{
    if (option_a(cpu)) {
        *r.n += down ? -done : done;
        return;
    }
    *r.n -= done;
    *r.d += down ? -done : done;
    *r.s += down ? -done : done;
}

enum mops_result mops_copy_main(struct cpu *cpu, u32 word)
{
    struct regs r = regs_of(cpu, word);
    if (!check_enabled(cpu))
        return MOPS_RAISE;
    if (*r.n == 0)
        return MOPS_DONE;
    if (is_wrong_option(cpu))
        return raise_mismatch(cpu, word, STAGE_MAIN, true);
    bool a = option_a(cpu), down = a ? (s64)*r.n > 0 : !is_forward_only(word) && cpu_nzcv(cpu) & FLAG_N;
    u64 size = a && !down ? -*r.n : *r.n, offset = a ? *r.n : 0, done;
    if (is_forward_only(word) && down && a)
        return raise_mismatch(cpu, word, STAGE_MAIN, false);
    bool ok = copy_some(cpu, word, *r.d + offset, *r.s + offset, down, size < CHUNK ? size : CHUNK, &done);
    copy_advance(cpu, r, down, done);
    return !ok ? MOPS_RAISE : *r.n ? MOPS_AGAIN : MOPS_DONE;
}

/* All was copied by the main instruction: anything left is not what it left. */
static enum mops_result epilogue(struct cpu *cpu, u32 word)
{
    if (!check_enabled(cpu))
        return MOPS_RAISE;
    if (*regs_of(cpu, word).n == 0)
        return MOPS_DONE;
    return raise_mismatch(cpu, word, STAGE_EPILOGUE, is_wrong_option(cpu));
}

enum mops_result mops_copy_epilogue(struct cpu *cpu, u32 word) { return epilogue(cpu, word); }

/* ---- set ---- */

enum mops_result mops_set_prologue(struct cpu *cpu, u32 word)
{
    struct regs r = regs_of(cpu, word);
    if (!check_enabled(cpu))
        return MOPS_RAISE;
    u64 most = is_tagging(word) ? ones(63) & ~15ull : ones(63), size = *r.n > most ? most : *r.n;
    if (is_tagging(word) && !mem_granules_probe(cpu, *r.d, size))
        return MOPS_RAISE;
    *r.n = size;
    if (option_a(cpu)) {
        *r.d += size;
        *r.n = -size;
    }
    cpu_set_nzcv(cpu, option_a(cpu) ? 0 : FLAG_C);
    return MOPS_DONE;
}

enum mops_result mops_set_main(struct cpu *cpu, u32 word)
{
    struct regs r = regs_of(cpu, word);
    if (!check_enabled(cpu))
        return MOPS_RAISE;
    if (*r.n == 0)
        return MOPS_DONE;
    if (is_wrong_option(cpu))
        return raise_mismatch(cpu, word, STAGE_MAIN, true);
    u64 size = option_a(cpu) ? -*r.n : *r.n, to = option_a(cpu) ? *r.d + *r.n : *r.d, done;
    if (option_a(cpu) && (s64)*r.n > 0)
        return raise_mismatch(cpu, word, STAGE_MAIN, false);
    if (is_tagging(word) && !mem_granules_probe(cpu, to, size))
        return MOPS_RAISE;
    bool ok = set_some(cpu, word, to, (u8)*r.s, size < CHUNK ? size : CHUNK, &done);
    if (option_a(cpu)) {
        *r.n += done;
    } else {
        *r.n -= done;
        *r.d += done;
    }
    return !ok ? MOPS_RAISE : *r.n ? MOPS_AGAIN : MOPS_DONE;
}

enum mops_result mops_set_epilogue(struct cpu *cpu, u32 word) { return epilogue(cpu, word); }
