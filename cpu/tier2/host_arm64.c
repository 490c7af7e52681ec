/*
 * The neutral machine on arm64 (cpu/tier2/host.h). cpu is in x0, L in x4, the slot in x5, as AAPCS64 has the handlers'
 * arguments; x9, x10 and x11 are A, B and C, x12 is the group's.
 *
 *     x1, x16, x17      for the functions here; x17 also holds what a condition is asked of
 *     x2, x3            d.data.wide and d.data.mix, from each way in: nothing that regions do changes them
 *     x27, x28          &cpu->flag_n and &cpu->d.data, for as long as the threaded engine runs: handlers keep them
 *     x18, x29, x30     the platform's, the frame, and where the engine returns to: as they are
 *     all others        the guest's
 *
 * Only instructions of Armv8.0 are used. Encodings: Arm ARM C6.2.
 */
#if defined __aarch64__
#include "cpu/tier2/host.h"

#include "cpu/engine/code.h"
#include "mmu/access.h"

void thr_jump_far(struct cpu *cpu, u64 left, u64 va);

enum { X0, X1, X2, X3, X4, X5, X16 = 16, X17, X19 = 19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30, ZR };
enum { WIDE = X2, MIX = X3, FLAGS = X27, DATA = X28 };
enum { EQ, NE, CS, CC, MI, PL, VS, VC, HI, LS, GE, LT, GT, LE };

const u8 host_pins[HOST_PINS_MAX] = { X19, X20, X21, X22, X23, X24, X25, X26, 13, 14, 15, 6, 7, 8 };
const unsigned host_pin_count = 14;

/* ---- encoding ---- */

static void word(struct host *h, u32 v)
{
    store_le32(h->p, v);
    h->p += 4;
}
static u32 sf(bool w) { return w ? 1u << 31 : 0; }
/* d, n, m in their places; the opcode says the rest. */
static void op3(struct host *h, u32 opcode, unsigned d, unsigned n, unsigned m)
{
    word(h, opcode | m << 16 | n << 5 | d);
}

enum { ADD = 0x0b000000, SUB = 0x4b000000, AND = 0x0a000000, ORR = 0x2a000000, EOR = 0x4a000000, ANDS = 0x6a000000,
       INVERT = 1 << 21, /* ORN and the like */
       SETS = 1 << 29,   /* ADDS, SUBS */
       ADD_I = 0x11000000, SUB_I = 0x51000000, AND_I = 0x12000000, ORR_I = 0x32000000, ANDS_I = 0x72000000,
       MOVN = 0x12800000, MOVZ = 0x52800000, MOVK = 0x72800000,
       BFM = 0x33000000, SBFM = 0x13000000, UBFM = 0x53000000, EXTR = 0x13800000, MADD = 0x1b000000,
       CSEL = 0x1a800000, CSINC = 0x1a800400, CSINV = 0x5a800000,
       CCMN = 0x3a400000, CCMP = 0x7a400000, CCMP_I = 0x7a400800,
       B = 0x14000000, B_IF = 0x54000000, CBZ = 0x34000000, TBZ = 0x36000000 };
#define BR  0xd61f0000u
#define BL  0x94000000u
#define BLR 0xd63f0000u
#define RET 0xd65f0000u

static void bitfield(struct host *h, u32 opcode, bool w, unsigned d, unsigned n, unsigned immr, unsigned imms)
{
    word(h, opcode | sf(w) | (u32)w << 22 | immr << 16 | imms << 10 | n << 5 | d);
}
/* m, shifted by a constant amount. */
static void op_shifted(struct host *h, u32 opcode, bool w, unsigned d, unsigned n, unsigned m, enum host_shift type,
                       unsigned amount)
{
    op3(h, opcode | sf(w) | (u32)type << 22 | amount << 10, d, n, m);
}
/* N:immr:imms of a bitmask immediate (DecodeBitMasks), or -1: it is none. */
static s32 bitmask(u64 v, bool w)
{
    if (!w)
        v = (u64)(u32)v * 0x100000001ull;
    if (v == 0 || v == ~0ull)
        return -1;
    unsigned size = 64;
    while (size > 2 && ((v ^ v >> size / 2) & ones(size / 2)) == 0)
        size /= 2;
    unsigned tops = v & 1 ? (unsigned)__builtin_clzll(~(v << (64 - size))) : 0; /* ones at the element's top */
    unsigned turn = v & 1 ? (size - tops) & (size - 1) : (unsigned)__builtin_ctzll(v);
    u64 run = turn ? (v >> turn | v << (64 - turn)) & ones(size) : v & ones(size);
    if (run & (run + 1))
        return -1;
    unsigned count = (unsigned)__builtin_popcountll(run);
    return (s32)((size == 64) << 12 | ((size - turn) & (size - 1)) << 6 | ((-size << 1 & 0x3f) | (count - 1)));
}
static bool op_bitmask(struct host *h, u32 opcode, bool w, unsigned d, unsigned n, u64 v)
{
    s32 imm = bitmask(v, w);
    if (imm >= 0)
        word(h, opcode | sf(w) | (u32)imm << 10 | n << 5 | d);
    return imm >= 0;
}
static void add_imm12(struct host *h, u32 opcode, bool w, unsigned d, unsigned n, u64 v)
{
    word(h, opcode | sf(w) | (v < 4096 ? (u32)v << 10 : 1u << 22 | (u32)(v >> 12) << 10) | n << 5 | d);
}
static bool fits12(u64 v) { return v < 4096 || (!(v & 4095) && v < 4096 << 12); }
/* d = n + v, the host's flags stay; n is not ZR. x16 may be overwritten. */
static void add_constant(struct host *h, bool w, unsigned d, unsigned n, s64 v)
{
    u64 amount = (u64)(v < 0 ? -v : v);
    u32 opcode = v < 0 ? SUB_I : ADD_I;
    if (fits12(amount)) {
        if (amount || d != n || !w)
            add_imm12(h, opcode, w, d, n, amount);
    } else if (amount < 4096 << 12) {
        add_imm12(h, opcode, w, d, n, amount & ~4095ull);
        add_imm12(h, opcode, w, d, d, amount & 4095);
    } else {
        host_imm(h, X16, (u64)v);
        op_shifted(h, ADD, w, d, n, X16, HOST_LSL, 0);
    }
}

/* A load or store of 1 << log2 bytes; opc: 0 store, 1 load, 2 and 3 loads with a sign. Far away: x16 is overwritten. */
static void access_at(struct host *h, unsigned log2, unsigned opc, unsigned t, unsigned base, s32 offset)
{
    u32 opcode = 0x38000000 | log2 << 30 | opc << 22;
    if (offset >= 0 && !(offset & ((1 << log2) - 1)) && offset >> log2 < 4096) {
        word(h, opcode | 1 << 24 | (u32)offset >> log2 << 10 | base << 5 | t);
    } else if (offset >= -256 && offset < 256) {
        word(h, opcode | ((u32)offset & 0x1ff) << 12 | base << 5 | t);
    } else {
        s32 low = offset & 4095;
        if (low & ((1 << log2) - 1)) {
            add_constant(h, true, X16, base, offset);
            low = 0;
        } else {
            add_constant(h, true, X16, base, offset - low);
        }
        word(h, opcode | 1 << 24 | (u32)low >> log2 << 10 | X16 << 5 | t);
    }
}
/* LDP, STP of 64 bits each. */
static void pair_at(struct host *h, bool load, unsigned t1, unsigned t2, unsigned base, s32 offset)
{
    word(h, 0xa9000000 | (u32)load << 22 | ((u32)offset >> 3 & 0x7f) << 15 | t2 << 10 | base << 5 | t1);
}
static bool fits_pair(s32 offset) { return !(offset & 7) && offset >= -512 && offset <= 504; }

/* A field of struct cpu, from the nearest register. */
#define CPU(field) ((s32)offsetof(struct cpu, field))
enum { STORE, LOAD };
static unsigned near_base(unsigned base, s32 *offset)
{
    if (base != HOST_CPU || *offset < CPU(d.data) - 256)
        return base;
    *offset -= CPU(d.data);
    return DATA;
}
static void op_cpu(struct host *h, unsigned log2, unsigned opc, unsigned t, s32 offset)
{
    unsigned base = near_base(HOST_CPU, &offset);
    access_at(h, log2, opc, t, base, offset);
}

/* ---- jumps ---- */

static u64 run_address(const struct host *h, const u8 *at) { return (u64)(uintptr_t)(h->run + (at - h->written)); }

/* What is there says which kind it is. A region is smaller than what each reaches, but for TBZ. */
void host_fix_to(struct host *h, host_fix from, const u8 *to)
{
    u32 insn = load_le32(from), distance = (u32)((s32)(to - from) >> 2);
    if ((insn & 0x7c000000) == B) {
        store_le32(from, (insn & 0xfc000000) | (distance & 0x3ffffff));
    } else if ((insn & 0x7e000000) == TBZ) {
        store_le32(from, (insn & ~(0x3fffu << 5)) | (distance & 0x3fff) << 5);
        h->astray |= distance + 0x2000 >= 0x4000;
    } else {
        store_le32(from, (insn & ~(0x7ffffu << 5)) | (distance & 0x7ffff) << 5);
    }
}
/* Conditions are those of B.cond, or that a register, or one bit of it, is zero: its number << 1 | the opposite. */
enum { WHEN_ZERO = 0x40, WHEN_ZERO_X = 0x80, WHEN_BIT = 0x100 };
static unsigned when_zero(bool w, unsigned n) { return WHEN_ZERO | (w ? WHEN_ZERO_X : 0) | n << 1; }
static unsigned when_bit(unsigned n, unsigned bit) { return WHEN_BIT | bit << 9 | n << 1; }
host_fix host_jump_if(struct host *h, unsigned condition)
{
    unsigned n = condition >> 1 & 31, bit = condition >> 9;
    if (condition & WHEN_BIT)
        word(h, TBZ | bit >> 5 << 31 | (condition & 1) << 24 | (bit & 31) << 19 | n);
    else if (condition & WHEN_ZERO)
        word(h, CBZ | (condition & 1) << 24 | sf(condition & WHEN_ZERO_X) | n);
    else
        word(h, B_IF | condition);
    return h->p - 4;
}
/* The same as a condition of the host's flags, which are lost where it is asked of a register. */
static unsigned flags_hold(struct host *h, unsigned condition)
{
    unsigned n = condition >> 1 & 31;
    if (!(condition & (WHEN_BIT | WHEN_ZERO)))
        return condition;
    if (condition & WHEN_BIT)
        op_bitmask(h, ANDS_I, true, ZR, n, BIT(condition >> 9));
    else
        op_shifted(h, SUB | SETS, condition & WHEN_ZERO_X, ZR, n, ZR, HOST_LSL, 0);
    h->hf = HF_NONE;
    return condition & 1 ? NE : EQ;
}
host_fix host_jump(struct host *h)
{
    word(h, B);
    return h->p - 4;
}
unsigned host_opposite(unsigned condition) { return condition ^ 1; }

static u32 distance26(const struct host *h, u64 to) { return (u32)((to - run_address(h, h->p)) >> 2) & 0x3ffffff; }
/* To something of the program's. Clobbers x16 only when that is far away. */
static void jump_to(struct host *h, u64 to)
{
    s64 d = (s64)(to - run_address(h, h->p));
    if (d >= -(128 << 20) && d < 128 << 20) {
        word(h, B | distance26(h, to));
    } else {
        host_imm(h, X16, to);
        op3(h, BR, 0, X16, 0);
    }
}

/* ---- values ---- */

void host_mov(struct host *h, bool w, unsigned d, unsigned n)
{
    if (d != n || !w)
        op_shifted(h, ORR, w, d, ZR, n, HOST_LSL, 0);
}

void host_imm(struct host *h, unsigned d, u64 value)
{
    unsigned zeros = 0, full = 0;
    for (unsigned n = 0; n < 64; n += 16) {
        zeros += (value >> n & 0xffff) == 0;
        full += (value >> n & 0xffff) == 0xffff;
    }
    if (zeros < 3 && full < 3 && op_bitmask(h, ORR_I, true, d, ZR, value))
        return;
    bool inverted = full > zeros, first = true;
    for (unsigned n = 0; n < 64; n += 16) {
        u32 part = value >> n & 0xffff;
        if (part == (inverted ? 0xffff : 0))
            continue;
        u32 opcode = !first ? MOVK : inverted ? MOVN : MOVZ;
        word(h, opcode | sf(true) | n / 16 << 21 | (first && inverted ? part ^ 0xffff : part) << 5 | d);
        first = false;
    }
    if (first)
        word(h, (inverted ? MOVN : MOVZ) | sf(true) | d);
}

static const u32 alu[] = { [HOST_ADD] = ADD, [HOST_SUB] = SUB, [HOST_AND] = AND, [HOST_OR] = ORR, [HOST_XOR] = EOR };
static u32 with_flags(enum host_op op) { return op == HOST_AND ? ANDS : alu[op] | SETS; }
static bool sets_flags(enum host_op op) { return op == HOST_ADD || op == HOST_SUB || op == HOST_AND; }
static void flags_are(struct host *h, enum host_op op, bool w)
{
    h->hf = op == HOST_SUB ? HF_SUB : op == HOST_ADD ? HF_ADD : HF_LOGIC;
    h->hf_w = w;
}

void host_alu(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, unsigned m, bool flags)
{
    d = d == HOST_NONE ? (unsigned)ZR : d;
    op_shifted(h, flags && sets_flags(op) ? with_flags(op) : alu[op], w, d, n, m, HOST_LSL, 0);
    if (flags && !sets_flags(op))
        op_shifted(h, ANDS, w, ZR, d, d, HOST_LSL, 0);
    if (flags)
        flags_are(h, op, w);
}

/* The immediate forms, where one has it. */
static bool alu_imm(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, u64 v, bool flags)
{
    if (op == HOST_ADD || op == HOST_SUB) {
        if (n == ZR && flags)
            return false;
        if (n == ZR) {
            u64 value = op == HOST_ADD ? v : -v;
            host_imm(h, d, w ? value : (u32)value);
            return true;
        }
        if (!flags && v + (4096 << 12) < 2 * (4096 << 12)) {
            add_constant(h, w, d, n, op == HOST_ADD ? (s64)v : -(s64)v);
            return true;
        }
        if (!fits12(v))
            return false;
        add_imm12(h, (op == HOST_ADD ? ADD_I : SUB_I) | (flags ? SETS : 0), w, d, n, v);
        return true;
    }
    if (flags && !sets_flags(op))
        return false;
    return op_bitmask(h, flags ? (u32)ANDS_I : (alu[op] & 0x60000000) | AND_I, w, d, n, v);
}
void host_alu_imm(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, u64 imm, bool flags)
{
    u64 v = w ? imm : (u64)(s64)(s32)(u32)imm;
    d = d == HOST_NONE ? (unsigned)ZR : d;
    if (alu_imm(h, w, op, d, n, v, flags)) {
        if (flags)
            flags_are(h, op, w);
    } else {
        host_imm(h, HOST_C, w ? v : (u32)v);
        host_alu(h, w, op, d, n, HOST_C, flags);
    }
}

void host_not(struct host *h, bool w, unsigned d, unsigned n) { op_shifted(h, ORR | INVERT, w, d, ZR, n, HOST_LSL, 0); }

void host_shift_imm(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned amount)
{
    unsigned top = w ? 63 : 31;
    if (!amount)
        host_mov(h, w, d, n);
    else if (type == HOST_ROR)
        host_extract(h, w, d, n, n, amount);
    else if (type == HOST_LSL)
        bitfield(h, UBFM, w, d, n, top + 1 - amount, top - amount);
    else
        bitfield(h, type == HOST_ASR ? SBFM : UBFM, w, d, n, amount, top);
}
void host_shift(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned m)
{
    op3(h, 0x1ac02000 | sf(w) | (u32)type << 10, d, n, m);
}

void host_field(struct host *h, bool w, bool sign, unsigned up, unsigned down, unsigned d, unsigned n)
{
    unsigned top = w ? 63 : 31;
    bitfield(h, sign ? SBFM : UBFM, w, d, n, (down - up) & top, top - up);
}
void host_extract(struct host *h, bool w, unsigned d, unsigned n, unsigned m, unsigned lsb)
{
    op3(h, EXTR | sf(w) | (u32)w << 22 | lsb << 10, d, n, m);
}

void host_mul(struct host *h, bool w, unsigned d, unsigned n, unsigned m) { op3(h, MADD | sf(w) | ZR << 10, d, n, m); }
void host_mul_high(struct host *h, bool sign, unsigned d, unsigned n, unsigned m)
{
    op3(h, sign ? 0x9b407c00 : 0x9bc07c00, d, n, m);
}
void host_udiv(struct host *h, bool w, unsigned d, unsigned n, unsigned m) { op3(h, 0x1ac00800 | sf(w), d, n, m); }
void host_clz(struct host *h, bool w, unsigned d, unsigned n) { op3(h, 0x5ac01000 | sf(w), d, n, 0); }
void host_rev(struct host *h, bool w, unsigned d, unsigned n)
{
    op3(h, (w ? 0x5ac00c00 : 0x5ac00800) | sf(w), d, n, 0);
}
void host_adc(struct host *h, bool w, unsigned d, unsigned n, unsigned m, bool flags)
{
    if (h->hf == HF_NONE) {
        access_at(h, 3, LOAD, X17, FLAGS, CPU(flag_c) - CPU(flag_n));
        add_imm12(h, SUB_I | SETS, true, ZR, X17, 1); /* C: it is 1 */
    }
    op3(h, 0x1a000000 | sf(w) | (flags ? SETS : 0), d, n, m);
    if (flags)
        flags_are(h, HOST_ADD, w);
}

/* ---- memory ---- */

/* Places have their index in the base already (host_tag). */
void host_load(struct host *h, unsigned log2, enum host_extend extend, unsigned d, struct host_place from)
{
    unsigned opc = log2 == 3 || extend == HOST_ZERO || (log2 == 2 && extend == HOST_SIGN_W) ? LOAD
                   : extend == HOST_SIGN_X                                                  ? 2
                                                                                            : 3;
    unsigned base = near_base(from.base, &from.offset);
    access_at(h, log2, opc, d, base, from.offset);
}
void host_store(struct host *h, unsigned log2, unsigned s, struct host_place to)
{
    unsigned base = near_base(to.base, &to.offset);
    access_at(h, log2, STORE, s, base, to.offset);
}
void host_store_imm(struct host *h, unsigned log2, u32 value, struct host_place to)
{
    if (value)
        host_imm(h, X17, value);
    host_store(h, log2, value ? (unsigned)X17 : ZR, to);
}
static void pair_or_two(struct host *h, bool load, struct host_place p)
{
    if (p.base == HOST_CPU && fits_pair(p.offset - CPU(flag_n))) {
        p.base = FLAGS;
        p.offset -= CPU(flag_n);
    }
    if (fits_pair(p.offset)) {
        pair_at(h, load, X1, X17, p.base, p.offset);
        return;
    }
    access_at(h, 3, load, X1, p.base, p.offset);
    access_at(h, 3, load, X17, p.base, p.offset + 8);
}
void host_copy16(struct host *h, struct host_place to, struct host_place from)
{
    pair_or_two(h, true, from);
    pair_or_two(h, false, to);
}

void host_add_scaled(struct host *h, unsigned d, unsigned n, unsigned m, unsigned scale)
{
    op_shifted(h, ADD, true, d, n, m, HOST_LSL, scale);
}

/* x17 becomes the entry's place, less than that of d.fast from d.data. The host's flags stay. */
enum { FAST_AT = offsetof(struct cpu, d.fast) - offsetof(struct cpu, d.data),
       XPAGE_AT = offsetof(struct cpu, d.xpage) - offsetof(struct cpu, d.data) };
#define TAG_AT(write)                                                                                                  \
    (FAST_AT + (s32)((write) ? offsetof(struct fast_entry, w) : offsetof(struct fast_entry, r)))
static void entry_at(struct host *h, unsigned address, unsigned entries)
{
    op_shifted(h, EOR, true, X17, MIX, address, HOST_LSR, 7);
    op_bitmask(h, AND_I, true, X17, X17, (u64)(entries - 1) << 5);
    op_shifted(h, ADD, true, X17, DATA, X17, HOST_LSL, 0);
}
/* The address that an access begins at: the base, or x16. */
static unsigned first_byte(struct host *h, struct host_access a)
{
    if (a.offset)
        add_constant(h, true, X16, a.base, a.offset);
    return a.offset ? (unsigned)X16 : a.base;
}
/* x16 is what the tag must be, x1 is the addend, of writes at once. */
const u8 *host_tag(struct host *h, unsigned to, struct host_access a, host_fix *miss)
{
    static_assert(offsetof(struct fast_entry, addend) == offsetof(struct fast_entry, w) + 8, "one load has both");
    unsigned first = first_byte(h, a);
    entry_at(h, first, FAST_ENTRIES);
    if (a.size > 1 && !a.exact) {
        add_imm12(h, ADD_I, true, X16, first, a.size - 1u);
        bitfield(h, BFM, true, X16, WIDE, 0, 11);
    } else {
        access_at(h, 3, LOAD, HOST_C, DATA, 0);
        op_bitmask(h, AND_I, true, X16, first, ~0xfffull | (a.size - 1u));
        op_shifted(h, ORR, true, X16, X16, HOST_C, HOST_LSL, 0);
    }
    if (a.write)
        pair_at(h, true, HOST_C, X1, X17, TAG_AT(true));
    else
        access_at(h, 3, LOAD, HOST_C, X17, TAG_AT(false));
    op_shifted(h, EOR, true, HOST_C, HOST_C, X16, HOST_LSL, 0);
    *miss = host_jump_if(h, host_opposite(when_zero(true, HOST_C)));
    const u8 *back = h->p;
    if (!a.write)
        access_at(h, 3, LOAD, X1, X17, FAST_AT + (s32)offsetof(struct fast_entry, addend));
    op_shifted(h, ADD, true, to, a.base, X1, HOST_LSL, 0);
    return back;
}
/* x17 is still the entry's place: FAST_PAGE of its owner, and the address's low bits. */
void host_physical(struct host *h, unsigned d, unsigned va)
{
    access_at(h, 3, LOAD, HOST_C, X17, FAST_AT + (s32)offsetof(struct fast_entry, owner));
    bitfield(h, UBFM, true, HOST_C, HOST_C, 16, 55);
    host_mov(h, true, d, va);
    bitfield(h, BFM, true, d, HOST_C, 52, 51);
}
/* What is aligned as a whole crosses no page. */
void host_tag_aligned(struct host *h, struct host_access a, const u8 *back)
{
    unsigned first = first_byte(h, a);
    access_at(h, 3, LOAD, HOST_C, DATA, 0);
    op_bitmask(h, AND_I, true, X16, first, ~0xfffull | (a.align - 1u));
    op_shifted(h, ORR, true, X16, X16, HOST_C, HOST_LSL, 0);
    access_at(h, 3, LOAD, HOST_C, X17, TAG_AT(a.write));
    op_shifted(h, EOR, true, HOST_C, HOST_C, X16, HOST_LSL, 0);
    if (a.size == a.align) {
        host_fix_to(h, host_jump_if(h, when_zero(true, HOST_C)), back);
        return;
    }
    host_fix other = host_jump_if(h, host_opposite(when_zero(true, HOST_C)));
    op_bitmask(h, AND_I, true, X16, first_byte(h, a), 4095);
    add_imm12(h, ADD_I, true, X16, X16, a.size - 1u);
    host_fix_to(h, host_jump_if(h, when_bit(X16, 12)), back);
    host_fix_to(h, other, h->p);
}

/* ---- flags and conditions ---- */

static void flags_pair(struct host *h, s32 field, unsigned first, unsigned second)
{
    pair_at(h, STORE, first, second, FLAGS, field - CPU(flag_n));
}
static void flag_load(struct host *h, unsigned d, s32 field) { access_at(h, 3, LOAD, d, FLAGS, field - CPU(flag_n)); }
/* CSET. */
static void flag_of(struct host *h, unsigned d, unsigned condition)
{
    op3(h, CSINC | sf(true) | host_opposite(condition) << 12, d, ZR, ZR);
}
static void flags_store_vc(struct host *h)
{
    flag_of(h, X16, VS);
    flag_of(h, X17, CS);
    flags_pair(h, CPU(flag_v), X16, X17);
}
void host_flags_store(struct host *h, unsigned r)
{
    static_assert(offsetof(struct cpu, flag_z) == offsetof(struct cpu, flag_n) + 8 &&
                      offsetof(struct cpu, flag_c) == offsetof(struct cpu, flag_v) + 8,
                  "one store has both");
    if (!h->hf_w) {
        bitfield(h, SBFM, true, HOST_C, r, 0, 31);
        r = HOST_C;
    }
    flags_pair(h, CPU(flag_n), r, r);
    if (h->hf == HF_LOGIC) {
        flags_pair(h, CPU(flag_v), ZR, ZR);
    } else {
        flags_store_vc(h);
    }
}
void host_flags_imm(struct host *h, unsigned nzcv)
{
    bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1;
    if (n)
        host_imm(h, X17, BIT(63));
    if (!z || c || v)
        host_imm(h, X16, 1);
    flags_pair(h, CPU(flag_n), n ? X17 : ZR, z ? ZR : X16);
    flags_pair(h, CPU(flag_v), v ? X16 : ZR, c ? X16 : ZR);
}

/* The host has all conditions, where it has the guest's flags. */
bool host_holds(enum host_flags hf, unsigned condition)
{
    (void)condition;
    return hf != HF_NONE;
}
unsigned host_condition(struct host *h, unsigned condition)
{
    if (h->hf != HF_NONE)
        return condition;
    unsigned other = condition & 1;
    switch (condition & ~1u) {
    case EQ: flag_load(h, X17, CPU(flag_z)); return when_zero(true, X17) ^ other;
    case CS: flag_load(h, X17, CPU(flag_c)); return when_zero(true, X17) ^ !other;
    case VS: flag_load(h, X17, CPU(flag_v)); return when_zero(true, X17) ^ !other;
    case MI: flag_load(h, X17, CPU(flag_n)); return when_bit(X17, 63) ^ !other;
    case HI: /* Z's value is not 0, and C is not */
        flag_load(h, X17, CPU(flag_z));
        flag_load(h, X16, CPU(flag_c));
        add_imm12(h, SUB_I | SETS, true, ZR, X17, 0);
        word(h, CCMP_I | sf(true) | NE << 12 | X16 << 5 | 4);
        return NE ^ other;
    default: /* GE, GT */
        flag_load(h, X17, CPU(flag_n));
        flag_load(h, X16, CPU(flag_v));
        op_shifted(h, SUB | SETS, true, ZR, X16, X17, HOST_LSR, 63);
        if ((condition & ~1u) == GE)
            return EQ ^ other;
        flag_load(h, X16, CPU(flag_z));
        word(h, CCMP_I | sf(true) | EQ << 12 | X16 << 5 | 4);
        return NE ^ other;
    }
}
unsigned host_test_zero(struct host *h, bool w, unsigned n)
{
    (void)h;
    return when_zero(w, n);
}
unsigned host_test_bit(struct host *h, unsigned n, unsigned bit)
{
    (void)h;
    return when_bit(n, bit);
}
unsigned host_test_mask(struct host *h, unsigned n, u32 mask)
{
    if (!op_bitmask(h, AND_I, false, X17, n, mask)) {
        host_imm(h, X16, mask);
        op_shifted(h, AND, false, X17, n, X16, HOST_LSL, 0);
    }
    return when_zero(false, X17);
}
unsigned host_test_cpu(struct host *h, s32 offset, u32 value)
{
    op_cpu(h, 2, LOAD, X17, offset);
    if (value)
        add_imm12(h, SUB_I, false, X17, X17, value);
    return when_zero(false, X17);
}
void host_compare_if(struct host *h, bool w, enum host_op op, unsigned n, unsigned m, bool imm, unsigned condition,
                     unsigned nzcv)
{
    condition = flags_hold(h, host_condition(h, condition));
    op3(h, (op == HOST_SUB ? CCMP : CCMN) | (imm ? 0x800 : 0) | sf(w) | condition << 12, nzcv, n, m);
    flags_are(h, op, w);
    op3(h, CSINV | sf(true) | PL << 12, X16, ZR, ZR); /* all ones where N is set */
    flag_of(h, X17, NE);
    flags_pair(h, CPU(flag_n), X16, X17);
    flags_store_vc(h);
}
void host_select(struct host *h, bool w, unsigned condition, unsigned d, unsigned n, unsigned m)
{
    condition = flags_hold(h, condition);
    op3(h, CSEL | sf(w) | condition << 12, d, n, m);
}

/* ---- ways in and out ---- */

unsigned host_budget(struct host *h, s32 slots, unsigned to)
{
    add_constant(h, true, HOST_L, HOST_L, slots * 16);
    if (fits12(to * 16)) {
        add_imm12(h, SUB_I | SETS, true, ZR, HOST_L, to * 16);
    } else {
        host_imm(h, X16, to * 16);
        op_shifted(h, SUB | SETS, true, ZR, HOST_L, X16, HOST_LSL, 0);
    }
    h->hf = HF_NONE;
    return GT;
}
/* Adds to the count (on the way in, what is left) or takes off it (on the way out). */
static void count(struct host *h, u32 opcode, unsigned left)
{
    s32 at = CPU(d.tier2_units) - CPU(d.data), low = at & 4095;
    add_constant(h, true, X17, DATA, at - low);
    access_at(h, 3, LOAD, X16, X17, low);
    op_shifted(h, opcode, true, X16, X16, left, HOST_LSL, 0);
    access_at(h, 3, STORE, X16, X17, low);
}
static void count_left(struct host *h, u32 opcode)
{
    op_shifted(h, SUB, true, X1, HOST_L, HOST_BASE, HOST_LSL, 0);
    count(h, opcode, X1);
}
void host_enter(struct host *h, unsigned slot, bool counts)
{
    static_assert(offsetof(struct fast_context, mix) == offsetof(struct fast_context, wide) + 8, "one load has both");
    if (counts)
        count_left(h, ADD);
    add_constant(h, true, HOST_BASE, HOST_BASE, -16 * (s32)slot);
    op_shifted(h, SUB, true, HOST_L, HOST_L, HOST_BASE, HOST_LSL, 0);
    pair_at(h, LOAD, WIDE, MIX, DATA, CPU(d.data.wide) - CPU(d.data));
}
static void out_at(struct host *h, unsigned slot, bool counts)
{
    op_shifted(h, ADD, true, HOST_L, HOST_L, HOST_BASE, HOST_LSL, 0);
    add_constant(h, true, HOST_BASE, HOST_BASE, 16 * (s32)slot);
    if (counts)
        count_left(h, SUB);
}
static void to_handler(struct host *h)
{
    access_at(h, 3, LOAD, X16, HOST_BASE, (s32)offsetof(struct op, fn));
    op3(h, BR, 0, X16, 0);
}
void host_leave(struct host *h, unsigned slot, bool counts)
{
    out_at(h, slot, counts);
    to_handler(h);
}
void host_leave_by(struct host *h, unsigned slot, op_fn *handler, bool counts)
{
    out_at(h, slot, counts);
    jump_to(h, (u64)(uintptr_t)handler);
}
/* The jump itself is at each place, so that the host can predict it there; what it needs is the routine's. x16: where
 * the engine returns to. */
void host_leave_far(struct host *h, unsigned slot, bool counts)
{
    add_constant(h, true, X1, HOST_L, -16 * ((s32)slot + 1));
    if (counts)
        count(h, SUB, X1);
    host_mov(h, true, X16, X30);
    word(h, BL | distance26(h, (u64)(uintptr_t)h->far));
    to_handler(h);
}

/* x9: the address; x1: what is left; x16 as above. Returns with x5 and x4 for the slot there, as run_xpage does, or
 * goes the interpreter's way. */
static void far_slot(struct host *h)
{
    bitfield(h, UBFM, true, HOST_B, HOST_A, 2, 11);
    op_shifted(h, ADD, true, HOST_BASE, HOST_BASE, HOST_B, HOST_LSL, 4);
    op_shifted(h, ADD, true, HOST_L, HOST_BASE, X1, HOST_LSL, 0);
    op3(h, RET, 0, X17, 0);
}
static void far_routine(struct host *h)
{
    host_mov(h, true, X17, X30);
    host_mov(h, true, X30, X16);
    add_imm12(h, SUB_I | SETS, true, ZR, X1, 0);
    host_fix over = host_jump_if(h, LE);
    op_cpu(h, 3, LOAD, HOST_B, CPU(fetch_va));
    op_shifted(h, EOR, true, HOST_B, HOST_B, HOST_A, HOST_LSL, 0);
    op_bitmask(h, ANDS_I, true, ZR, HOST_B, ~0xffcull); /* another page, or not aligned */
    host_fix other = host_jump_if(h, NE);
    far_slot(h);

    host_fix_to(h, other, h->p);
    host_mov(h, true, X16, X17);
    entry_at(h, HOST_A, XPAGE_ENTRIES);
    add_constant(h, true, HOST_C, X17, XPAGE_AT);
    host_mov(h, true, X17, X16);
    op_bitmask(h, AND_I, true, HOST_B, HOST_A, ~0xffcull);
    access_at(h, 3, LOAD, X2, DATA, 0);
    op_shifted(h, ORR, true, HOST_B, HOST_B, X2, HOST_LSL, 0);
    access_at(h, 3, LOAD, X2, HOST_C, (s32)offsetof(struct xpage_entry, tag));
    op_shifted(h, SUB | SETS, true, ZR, HOST_B, X2, HOST_LSL, 0);
    host_fix miss = host_jump_if(h, NE);
    access_at(h, 3, LOAD, HOST_BASE, HOST_C, (s32)offsetof(struct xpage_entry, page));
    op_bitmask(h, AND_I, true, HOST_B, HOST_A, ~0xfffull);
    op_cpu(h, 3, STORE, HOST_B, CPU(fetch_va));
    access_at(h, 3, LOAD, HOST_B, HOST_BASE, (s32)offsetof(struct code_page, pa));
    op_cpu(h, 3, STORE, HOST_B, CPU(fetch_pa));
    access_at(h, 2, LOAD, HOST_B, HOST_C, (s32)offsetof(struct xpage_entry, attrs));
    op_cpu(h, 2, STORE, HOST_B, CPU(fetch_attrs));
    host_imm(h, HOST_B, 1);
    op_cpu(h, 2, STORE, HOST_B, CPU(fetch_valid));
    op_cpu(h, 3, STORE, HOST_BASE, CPU(d.page));
    access_at(h, 3, LOAD, HOST_B, HOST_C, (s32)offsetof(struct xpage_entry, pc_bias));
    op_cpu(h, 3, STORE, HOST_B, CPU(d.pc_bias));
    far_slot(h);

    host_fix_to(h, over, h->p);
    host_fix_to(h, miss, h->p);
    host_mov(h, true, X2, HOST_A);
    jump_to(h, (u64)(uintptr_t)thr_jump_far);
}
/* void enter(cpu, left, fn): fn(cpu, left), with the registers of the caller's kept. */
static void enter_routine(struct host *h)
{
    enum { SP = 31, FRAME = 96 };
    word(h, 0xa9800000 | (u32)(-(FRAME / 8) & 0x7f) << 15 | X30 << 10 | SP << 5 | X29); /* STP, pre-indexed */
    add_imm12(h, ADD_I, true, X29, SP, 0);
    for (unsigned n = X19; n < X29; n += 2)
        pair_at(h, STORE, n, n + 1, SP, 16 + 8 * (s32)(n - X19));
    add_constant(h, true, FLAGS, HOST_CPU, CPU(flag_n));
    add_constant(h, true, DATA, HOST_CPU, CPU(d.data));
    op3(h, BLR, 0, X2, 0);
    for (unsigned n = X19; n < X29; n += 2)
        pair_at(h, LOAD, n, n + 1, SP, 16 + 8 * (s32)(n - X19));
    word(h, 0xa8c00000 | FRAME / 8 << 15 | X30 << 10 | SP << 5 | X29); /* LDP, post-indexed */
    op3(h, RET, 0, X30, 0);
}
void host_routines(struct host *h)
{
    h->far = (const u8 *)(uintptr_t)run_address(h, h->p);
    far_routine(h);
    h->enter = (const u8 *)(uintptr_t)run_address(h, h->p);
    enter_routine(h);
}
#else
typedef int host_arm64_is_not_there;
#endif
