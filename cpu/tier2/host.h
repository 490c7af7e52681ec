/*
 * What regions are written in: instructions of a neutral machine with three operands, which cpu/tier2/host_x86.c and
 * host_arm64.c put into those of their hosts.
 *
 * Registers are the host's numbers. HOST_A and HOST_B are for what an emitter works with; HOST_C is for the functions
 * here, which may overwrite it; no value lives there across two of them. HOST_ZR, where the host has it (else it is
 * negative), reads as zero in all that takes a register, but as a base of loads and stores. `w`: 64 bits; else 32, and
 * the upper half of the result is zero.
 *
 * HOST_GROUP is for what accesses that share a tag share (cpu/tier2/emit.c). HOST_BASE holds the address of the page's
 * slot 0 while a region runs, and HOST_L the budget counted from there: what is left at slot s is HOST_L - 16 s, in
 * units of 16 (cpu/insn/op.h has it counted from the slot's address).
 *
 * The guest's flags lie in struct cpu; what an operation with flags left in those of the host is asked there (`hf`)
 * while it lasts.
 */
#ifndef CPU_TIER2_HOST_H
#define CPU_TIER2_HOST_H

#include "cpu/insn/decode.h"
#include "cpu/state.h"

#if defined __x86_64__
enum { HOST_A = 0, HOST_B = 1, HOST_C = 2, HOST_CPU = 7, HOST_L = 8, HOST_BASE = 9, HOST_GROUP = 15, HOST_ZR = -1 };
#elif defined __aarch64__
enum { HOST_A = 9, HOST_B = 10, HOST_C = 11, HOST_CPU = 0, HOST_L = 4, HOST_BASE = 5, HOST_GROUP = 12, HOST_ZR = 31 };
#define HOST_COMPARES_IF 1
#else
#define HOST_WITHOUT_TIER 1 /* no tier: cpu/tier2/host_none.c */
#endif
/* Those that regions keep the guest's in. */
enum { HOST_PINS_MAX = 16 };
extern const u8 host_pins[HOST_PINS_MAX];
extern const unsigned host_pin_count;

enum host_op { HOST_ADD, HOST_SUB, HOST_AND, HOST_OR, HOST_XOR };
enum host_shift { HOST_LSL, HOST_LSR, HOST_ASR, HOST_ROR };
enum host_extend { HOST_ZERO, HOST_SIGN_X, HOST_SIGN_W }; /* of what is loaded: to 64 bits, signed too; to 32, signed */
/* What the host's flags hold: nothing of use, or what the guest's are after such an operation. */
enum host_flags { HF_NONE, HF_SUB, HF_ADD, HF_LOGIC };

enum { HOST_NONE = 0xff }; /* no register */

struct host {
    u8 *p, *end;           /* where the next instruction goes; the room ends */
    const u8 *written, *run; /* the same place, as it is written and as it is executed */
    enum host_flags hf;
    bool hf_w;
    const u8 *far, *enter; /* routines, to be executed: host_routines */
    bool astray;           /* a jump does not reach where it was to go: what was written is of no use */
};
/* A jump whose target comes later. */
typedef u8 *host_fix;

/* Routines that all regions share: h->far and h->enter become where they are. */
void host_routines(struct host *h);
void host_fix_to(struct host *h, host_fix from, const u8 *to);

/* ---- values ---- */
void host_mov(struct host *h, bool w, unsigned d, unsigned n);
void host_imm(struct host *h, unsigned d, u64 value);
/* `flags`: the host's flags, and h->hf, are those of the operation afterwards. Without, ADD of three different
 * registers or of an immediate from another register leaves them alone, as do mov, imm, not, load and store. */
/* d HOST_NONE: nothing but the flags of a SUB or AND is wanted. */
void host_alu(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, unsigned m, bool flags);
void host_alu_imm(struct host *h, bool w, enum host_op op, unsigned d, unsigned n, u64 imm, bool flags);
void host_not(struct host *h, bool w, unsigned d, unsigned n);
void host_shift_imm(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned amount);
/* By m modulo the size. HOST_B may be overwritten. */
void host_shift(struct host *h, bool w, enum host_shift type, unsigned d, unsigned n, unsigned m);
/* (n << up) >> down. */
void host_field(struct host *h, bool w, bool sign, unsigned up, unsigned down, unsigned d, unsigned n);
/* The `size` bits from `lsb` on of n:m. */
void host_extract(struct host *h, bool w, unsigned d, unsigned n, unsigned m, unsigned lsb);
/* m is not d. */
void host_mul(struct host *h, bool w, unsigned d, unsigned n, unsigned m);
/* The upper half of the product. HOST_A may be overwritten; m is not HOST_A. */
void host_mul_high(struct host *h, bool sign, unsigned d, unsigned n, unsigned m);
/* n / m, 0 where m is 0. HOST_A may be overwritten; m is not HOST_A. */
void host_udiv(struct host *h, bool w, unsigned d, unsigned n, unsigned m);
void host_clz(struct host *h, bool w, unsigned d, unsigned n);
void host_rev(struct host *h, bool w, unsigned d, unsigned n);
/* n + m + C, the guest's; `flags` as above. */
void host_adc(struct host *h, bool w, unsigned d, unsigned n, unsigned m, bool flags);

/* ---- memory ---- */
/* base + index + offset; index HOST_NONE: without. */
struct host_place {
    u8 base, index;
    s32 offset;
};
/* A field of struct cpu. */
#define HOST_CPU_PLACE(at) ((struct host_place){ HOST_CPU, HOST_NONE, (at) })
void host_load(struct host *h, unsigned log2, enum host_extend extend, unsigned d, struct host_place from);
void host_store(struct host *h, unsigned log2, unsigned s, struct host_place to);
void host_store_imm(struct host *h, unsigned log2, u32 value, struct host_place to); /* 4 or 8 bytes; below 2^31 */
/* 16 bytes from one place to another, by a register that is nobody's. */
void host_copy16(struct host *h, struct host_place to, struct host_place from);
/* d = n + (m << scale), scale 0 to 7. HOST_B may be overwritten when it is m. */
void host_add_scaled(struct host *h, unsigned d, unsigned n, unsigned m, unsigned scale);
/* What lies at an address of the guest's, base + offset (HOST_B is not the base). */
struct host_access {
    u8 base;
    bool write;
    s32 offset;
    u16 size;   /* bytes in all */
    u16 align;  /* of each part, where that is checked; at most 16 */
    bool exact; /* it must be aligned to its size, whatever is checked */
};
/* What is to be added to an address of the guest's in that access to make it the host's, into `to`, if a fast tag has
 * it; the sum with the base when `to` is the base, or always on a host whose loads have no index beside an offset:
 * there the index of a place is not looked at. *miss jumps otherwise, with the base as it was. HOST_B may be
 * overwritten. The first compare of fast_pointer; returned is where the second one goes on. */
const u8 *host_tag(struct host *h, unsigned to, struct host_access a, host_fix *miss);
/* Where *miss jumped: the second compare, for accesses that are checked for alignment. `back`: what host_tag returned.
 * Goes on at the end where that fails, too. */
void host_tag_aligned(struct host *h, struct host_access a, const u8 *back);

/* The physical address of what host_tag was just asked for, at the address of the guest's in `va`, into d (HOST_B). */
void host_physical(struct host *h, unsigned d, unsigned va);

/* ---- flags and conditions ---- */
/* The guest's flags, of the operation that the host's are of; r: its result. */
void host_flags_store(struct host *h, unsigned r);
void host_flags_imm(struct host *h, unsigned nzcv);
/* CCMP (op is SUB) or CCMN (ADD) of n with m, or with the immediate m; flags stored and all. Not AL or NV. */
#ifdef HOST_COMPARES_IF
void host_compare_if(struct host *h, bool w, enum host_op op, unsigned n, unsigned m, bool imm, unsigned condition,
                     unsigned nzcv);
#endif
/* The host's condition for the guest's (not AL or NV), from the host's flags if they have it, else from memory. */
unsigned host_condition(struct host *h, unsigned condition);
/* Has the host that condition after such an operation? */
bool host_holds(enum host_flags hf, unsigned condition);
/* The same for "n is zero", "bit of n is zero". These, too, are asked before n or HOST_C changes. */
unsigned host_test_zero(struct host *h, bool w, unsigned n);
unsigned host_test_bit(struct host *h, unsigned n, unsigned bit);
unsigned host_test_mask(struct host *h, unsigned n, u32 mask); /* no bit of it */
/* "The word at that offset of struct cpu is `value`", which is below 128. */
unsigned host_test_cpu(struct host *h, s32 offset, u32 value);
unsigned host_opposite(unsigned condition);
void host_select(struct host *h, bool w, unsigned condition, unsigned d, unsigned n, unsigned m);
host_fix host_jump_if(struct host *h, unsigned condition);
host_fix host_jump(struct host *h);

/* ---- ways in and out ---- */
/* A branch was taken to slot `to`, over `slots` slots from the one after it. The condition that the budget goes on. */
unsigned host_budget(struct host *h, s32 slots, unsigned to);
/* At slot's handler: makes HOST_BASE and HOST_L what they are in a region. */
void host_enter(struct host *h, unsigned slot, bool count);
/* Goes on at the handler that stands in the slot; at a handler of ours. */
void host_leave(struct host *h, unsigned slot, bool count);
void host_leave_by(struct host *h, unsigned slot, op_fn *handler, bool count);
/* The branch in `slot` goes to the address in HOST_A, in any page (thr_jump_far). */
void host_leave_far(struct host *h, unsigned slot, bool count);

#endif
