/* A region while it is being compiled: cpu/tier2/region.c; its instructions are cpu/tier2/emit.c's. */
#ifndef CPU_TIER2_REGION_H
#define CPU_TIER2_REGION_H

#include "cpu/tier2/host.h"
#include "cpu/tier2/tier2.h"

enum { REGION_MAX = 256 }; /* instructions */

struct region;
struct emit_row;
typedef void emit_fn(struct region *r, const struct op *o, const struct emit_row *e);

/* What comes after an instruction. */
enum emit_flow {
    FLOW_NEXT,     /* the next one */
    FLOW_IF,       /* the next one, or a slot of this page */
    FLOW_JUMP,     /* a slot of this page */
    FLOW_CALL,     /* the same, and the next one when that returns */
    FLOW_FAR,      /* anything */
    FLOW_FAR_CALL, /* the same, and the next one when that returns */
    FLOW_HANDLER,  /* no emitter: the handler does it, and goes to the next one most often */
};
/* Immediates (cpu/insn/dpimm.c), shifts and modes of address (cpu/insn/ldst.h) as emitters know them. */
enum emit_imm { IMM_PLAIN, IMM_PATTERN, IMM_LONG };
enum emit_mode { MODE_ui, MODE_ur, MODE_off, MODE_np, MODE_post, MODE_pre, MODE_regx, MODE_regs, MODE_reg, MODE_ext, MODE_exact };

/* A row of cpu/tier2/emit.def: how the instruction of a handler is put into host code. */
struct emit_row {
    op_fn *fn;
    const char *pattern; /* of its row in the instruction tables */
    emit_fn *emit;
    u8 flow;
    u8 w, sp;    /* its stamps */
    u8 op, form; /* as its emitter has them */
    u8 flags, invert, sign;
    u8 condition;
    u8 log2, extend; /* of loads and stores */
    u8 write, pair;
    u8 exits;                   /* its handler may have to do it */
    u8 sets_flags, reads_flags; /* whatever .flags says */
    u8 reads_d, writes_n;       /* the destination is a source, too; the base is a destination */
    u8 swaps_a;                 /* the a slot is source and destination */
};
extern const struct emit_row emit_rows[];
extern const unsigned emit_row_count;

/* An immediate as bodies have it. */
#define IMM_OF(o) ((s64)(o)->imm)

/* Sets of the guest's registers: bit n is x[n]. ZR and TRASH are in none. */
struct emit_uses {
    u64 reads, writes;
};
/* What the letters of a row's pattern say, once for all of its words: EMIT_READS_D and so on. */
u16 emit_letters(const struct emit_row *e);
struct emit_uses emit_uses(u16 letters, const struct op *o);

/* What a jump out of the middle of a region leads to. */
enum side_exit_kind {
    SIDE_EXIT_SLOW,    /* the handler of the slot does it all */
    SIDE_EXIT_ALIGNED, /* the second compare of a fast tag, then that */
    SIDE_EXIT_TAKEN,   /* a branch to slot `to` */
    SIDE_EXIT_STOP,    /* the budget ended with a branch to slot `to` */
};
struct side_exit {
    host_fix from;
    const u8 *back;
    u16 slot, to;
    u8 kind, flags_now; /* as below, there */
    u64 unstored;
    struct host_access access;
};
enum { SIDE_EXITS_MAX = 8 * REGION_MAX };

/* Where the guest's flags may be, a bit each: in their place, or in the operands of an operation that waits. */
enum { FLAGS_STORED = 1, SETTERS_MAX = 7 };

struct region {
    struct host h;
    struct code_page *page;
    unsigned slot; /* of the instruction that is being emitted */
    unsigned lo, hi, count;
    unsigned side_exits, fixes;
    bool counts;
    int group; /* x[group] is the base of accesses whose tag was compared already, or -1; HOST_GROUP is theirs */
    s32 group_from, group_to, group_align; /* their offsets; what the first is aligned to where that is checked */
    bool group_write;
    int monitor; /* x[monitor] is where an exclusive load just was, of 1 << monitor_log2 bytes, or -1: a store passes */
    unsigned monitor_log2;
    bool fp_checked;           /* FP instructions are known not to trap on all ways here */
    u64 unstored;              /* registers whose value may be the host's alone (cpu/tier2/loop.c) */
    u8 flags_now;              /* where the flags may be */
    u8 numbered;               /* those of them that say in cpu->d.flags_of that they were the last */
    u8 setters;                /* operations whose flags wait, from 1: their slots */
    u8 saved[SETTERS_MAX + 1]; /* the register that one keeps in cpu->d.flags_saved, or REG_ZR */
    u16 setter[SETTERS_MAX + 1];
    u64 pinned;        /* registers that have one of the host's */
    s8 pin[REG_COUNT]; /* the host's register that holds x[n], or -1 */
    struct op ops[CODE_SLOTS + 1];
    const struct emit_row *row[CODE_SLOTS + 1];
    u16 letters[CODE_SLOTS + 1];
    u64 live[CODE_SLOTS + 2];                           /* registers whose value some way on from the slot reads */
    u64 late[CODE_SLOTS + 2];                           /* `unstored` at the slot */
    u8 flags_at[CODE_SLOTS + 2], waits[CODE_SLOTS + 2]; /* `flags_now` at the slot; the number of its operation, or 0 */
    u16 loop_from[CODE_SLOTS + 2], loop_to[CODE_SLOTS + 2]; /* the innermost such loop around the slot; to 0: none */
    const u8 *at[CODE_SLOTS + 1];
    u8 in[CODE_SLOTS + 2], entry[CODE_SLOTS + 2], label[CODE_SLOTS + 2];
    struct side_exit side_exit[SIDE_EXITS_MAX];
    struct {
        host_fix from;
        u32 to;
    } fix[SIDE_EXITS_MAX];
};

/* The slot that a near branch goes to. */
unsigned region_target(const struct code_page *page, const struct op *o, const struct emit_row *e);
/* Loops of a region whose slots, labels and pins are known. */
void loops_find(struct region *r);
/* Around the code of a slot, and at an operation whose flags wait. */
void loop_slot_begin(struct region *r, unsigned slot);
void loop_slot_end(struct region *r, unsigned slot);
void loop_flags_wait(struct region *r);
/* Stores what is not yet: before the region is left, or on the way to a slot of it. */
void loop_leave(struct region *r);
void loop_go(struct region *r, unsigned to);

/* For emitters: an exit from here. */
void region_side_exit(struct region *r, struct side_exit e);
/* A branch that was taken, from here to a slot of the page; `call`: it is left for good. */
void region_take(struct region *r, unsigned to, bool call);
/* The same under a condition of the host's. */
void region_take_if(struct region *r, unsigned condition, unsigned to);

/* The target of a branch with a register lies above the numbers of d and n (cpu/engine/decode.c). */
static inline bool emit_is_compare(const struct emit_row *e) { return e->form == 1; }

#endif
