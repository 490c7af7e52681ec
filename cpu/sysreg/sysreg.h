/*
 * System registers: the row of a table, and MRS/MSR through it (Arm ARM D19, C5). Rows:
 *
 *     SYSREG(NAME, op0, op1, crn, crm, op2, ACCESS, field, RESET, FEATURE, TRAPS, .designated = initialisers)
 *         with storage of its own: cpu->sys.field
 *     SYSREG_AT(NAME, op0, op1, crn, crm, op2, ACCESS, field, FEATURE, TRAPS, ...)
 *         another name for a field that has a row (SCTLR_EL12)
 *     SYSREG_FN(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS, ...)
 *         without storage: .read and .write do it
 *
 * ACCESS says the lowest EL that may read and write: RW_EL1, RO_EL0, R0_W1 (read from EL0, write from EL1) ...
 * TRAPS is a set of groups of cpu/sysreg/traps.def: T(TVM) | T(TRVM), or 0. Fine-grained traps are not in it:
 * cpu/sysreg/fgt.def names the registers.
 */
#ifndef CPU_SYSREG_H
#define CPU_SYSREG_H

#include "cpu/state.h"

/* What can keep a register from being read or written at once: first what is no trap control, then the groups of
 * cpu/sysreg/traps.def. A row's traps are a set of 128. The set that is live at an EL has 64 bits: the groups from
 * TRAP_RARE_FIRST on share the bit TRAP_RARE there, all the fine-grained traps (cpu/sysreg/fgt.def) TRAP_FGT. */
enum trap {
    TRAP_E2H, /* at EL2 with HCR_EL2.E2H it is another register; at EL1 with HCR_EL2.{NV,NV2} it may be (cpu/sysreg/vncr.def) */
    TRAP_AT_EL0, TRAP_AT_EL1, TRAP_AT_EL2, /* not for this EL */
    TRAP_FGT, TRAP_RARE, TRAP_FIRST, TRAP_BEFORE_FIRST = TRAP_FIRST - 1,
#define TRAP(id, ...) TRAP_##id,
#include "cpu/sysreg/traps.def"
    TRAP_COUNT
};
/* Controls outside of the groups: asked for one by one, where they apply. */
enum trap_lone {
#define LONE(id, ...) LONE_##id,
#include "cpu/sysreg/traps.def"
    LONE_COUNT
};
enum { TRAP_RARE_FIRST = 63 };
static_assert(TRAP_COUNT <= 128, "a row's traps are a set of 128");
#define T(id)         ((u128)1 << TRAP_##id)
#define TRAPS_VALID   BIT(63) /* a set was made */
#define TRAPS_UNKNOWN (~(u64)0)
/* A set of groups as d.live_traps has it; LIVE(id): its bit for one group. */
#define LIVE_SET(set) (((u64)(set) & (BIT(63) - 1)) | ((set) >> TRAP_RARE_FIRST ? BIT(TRAP_RARE) : 0))
#define LIVE(id)      BIT((int)TRAP_##id < (int)TRAP_RARE_FIRST ? (int)TRAP_##id : (int)TRAP_RARE)

/* Rows of trap controls by number: those of cpu/sysreg/traps.def, then those of cpu/sysreg/fgt.def. */
enum trap_number {
#define TRAP(id, ...) TRAPROW_##id,
#define ALSO(id, ...) TRAPROW_##id,
#include "cpu/sysreg/traps.def"
    LONE_FIRST, FGT_FIRST = LONE_FIRST + LONE_COUNT, FGT_BEFORE_FIRST = FGT_FIRST - 1,
#define FGT_ROW(dir, id, ...) FGT_##dir##_##id,
#include "cpu/sysreg/fgt.def"
    TRAPROW_COUNT
};

/* Lowest EL for reads in bits 3:0, for writes in bits 7:4; 4 = never. */
#define ACCESS_RW(r, w) ((r) | (w) << 4)
#define RW_EL0 ACCESS_RW(0, 0)
#define RW_EL1 ACCESS_RW(1, 1)
#define RW_EL2 ACCESS_RW(2, 2)
#define RW_EL3 ACCESS_RW(3, 3)
#define RO_EL0 ACCESS_RW(0, 4)
#define RO_EL1 ACCESS_RW(1, 4)
#define RO_EL2 ACCESS_RW(2, 4)
#define RO_EL3 ACCESS_RW(3, 4)
#define WO_EL0 ACCESS_RW(4, 0)
#define WO_EL1 ACCESS_RW(4, 1)
#define R0_W1  ACCESS_RW(0, 1)
#define R0_W3  ACCESS_RW(0, 3)
#define R1_W2  ACCESS_RW(1, 2)
#define R1_W3  ACCESS_RW(1, 3)
#define NONE   ACCESS_RW(4, 4)

struct sysreg {
    const char *name;
    u16 key;     /* SYSREG_KEY */
    u16 feature; /* enum feature that it needs */
    u8 access;   /* ACCESS_RW */
    u8 flags;    /* SR_* */
    u8 alias;    /* SYSREG_AT: the field belongs to another row */
    u8 layout;   /* enum register_layout, which says what can be written; LAYOUT_NONE: mask does (cpu/field.def) */
    s32 offset;  /* of the field in struct sysregs, -1 = none */
    u16 fgt_read, fgt_write; /* enum trap_number of the fine-grained trap, 0 = none (cpu/sysreg/fgt.def) */
    u64 reset;
    u128 traps; /* set of enum trap */
    u64 mask;   /* bits that a write can change, of a layout: on any PE; 0 = all. The others keep their value */
    u64 loose;  /* bits, not RES0, of which a write is no store: read-only, write-only, RAZ/WI, set and clear */
    u64 (*read)(struct cpu *cpu, const struct sysreg *row);
    void (*write)(struct cpu *cpu, const struct sysreg *row, u64 value);
    /* Access rules beyond ACCESS and TRAPS. False: cpu->d.exc is filled. Evaluated after the lowest-EL rule and before
     * .traps, unless SR_CHECK_LAST. */
    bool (*check)(struct cpu *cpu, const struct sysreg *row, bool write);
    /* Groups besides .traps: which they are hangs on another register, or on the number of this one. */
    u128 (*groups)(const struct cpu *cpu, const struct sysreg *row);
    u64 quick_read, quick_write; /* plain storage may be accessed at once while none of these is in d.live_traps[el] */
    /* At EL2 with HCR_EL2.E2H: the key of the register really accessed, 0 = none (its traps have T(E2H)), and the
     * number of its row + 1, 0 = to be looked up. */
    u16 e2h_key, e2h_row;
    u8 varies; /* what can be written of its layout hangs on features */
};
static_assert(sizeof(struct sysreg) == 128, "a row is found from its number by a shift");
/* In a row: E2H(SCTLR_EL2). */
enum { SR_CONTROL = 1,     /* a change alters what translation, traps or routing do: cpu_control_changed follows */
       SR_CHECK_LAST = 2,
       SR_E2H_ONLY = 4,    /* *_EL12 and *_EL02: UNDEFINED unless E2H is 1 (at EL2, EL3) */
       SR_RES0 = 8,       /* no bit can be written */
       SR_READ_EFFECT = 16, /* reading changes state (ICC_IAR1_EL1): sysreg_peek must not call .read */
       SR_CONTEXT = 32,    /* a change alters translation only: mmu_context_changed follows */
       SR_TRAPS = 64 /* a change alters traps, FP access and step only: cpu_traps_changed follows */ };

#define SYSREG_KEY(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
/* In a row's reset: UNKNOWN to the architecture, and as many of its bits as can be written hold what the machine says
 * (struct cpu_host): zero, or this loud value. */
#define SYSREG_UNKNOWN 0xdeadbeefdeadbeefull

/* Row by key, or by number (for lists, gdb, snapshots; NULL past the end). */
const struct sysreg *sysreg_find(u32 key);
const struct sysreg *sysreg_get(unsigned n);
unsigned sysreg_number(const struct sysreg *row);
/* Debug access by row, without traps or checks: by .read, or the storage where that would change state. */
u64 sysreg_peek(struct cpu *cpu, const struct sysreg *row);
/* What the architecture does for MRS/MSR at this EL: access check, traps, hooks. False: cpu->d.exc is filled.
 * rt (0..31) is for the syndrome only. */
bool sysreg_read(struct cpu *cpu, u32 key, unsigned rt, u64 *value);
bool sysreg_write(struct cpu *cpu, u32 key, unsigned rt, u64 value);
/* The same when the row is known (NULL: there is none). */
struct sysreg_value {
    u64 v;
    bool ok;
};
struct sysreg_value sysreg_row_read(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt);
bool sysreg_row_write(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt, u64 value);
/* Plain storage, which may be accessed in place while none of row->quick_read (quick_write) is live and the feature is
 * there. A write keeps the bits that row->mask (0 = all) leaves out. */
bool sysreg_is_quick(const struct sysreg *row, bool write);
extern const struct sysreg sysreg_rows[];
/* ISS of EC 0x18 for an access. */
u32 sysreg_iss(u32 key, unsigned rt, bool write);
/* Reset values of all rows but the constants of model and board (ID registers, MPIDR, RVBAR), which stay. */
void sysreg_reset(struct cpu *cpu);
/* A register that is not itself at this EL, but another or memory: EL2 with E2H, EL1 with NV. */
bool sysreg_is_redirected(const struct cpu *cpu, const struct sysreg *row);
/* The bits that MSR can change, of a layout and of a row, with the features of this PE. */
u64 sysreg_layout_bits(const struct cpu *cpu, enum register_layout layout);
u64 sysreg_writable(const struct cpu *cpu, const struct sysreg *row);
/* Bits of a value just written that the register does not hold, since they are RES0 on this PE. A register that cannot
 * be read says nothing. */
u64 sysreg_dropped(struct cpu *cpu, const struct sysreg *row, u64 value);
/* Can its value be read by those who look in? */
bool sysreg_is_readable(const struct sysreg *row);

/* Notes that a register of plain storage was written; by the row, and by its field. */
static inline void sysreg_note(struct cpu *cpu, const struct sysreg *row) { cpu->written[(u32)row->offset / 8] = 1; }
#define SYSREG_NOTE(cpu, field) ((cpu)->written[WRITTEN_##field] = 1)
/* The register has storage that can be written, and nothing was since reset: neither by the guest, nor by an exception
 * or whoever acts for it. */
bool sysreg_is_untouched(const struct cpu *cpu, const struct sysreg *row);

/* Storage of a row. */
static inline u64 *sysreg_field(struct cpu *cpu, const struct sysreg *row)
{
    return (u64 *)(void *)((u8 *)&cpu->sys + row->offset);
}

/* A row of cpu/sysreg/traps.def, for people and tests. The number is what cause.id holds with CAUSE_TRAP. */
struct trap_row {
    const char *name, *id, *reg; /* of the field, of the row, of the register (as a field of struct sysregs) */
    u8 hi, lo, dir, from, to, ec;
    u16 need, bar; /* conditions of cpu/sysreg/trap.c */
    u16 feature;   /* of a fine-grained trap: its bit is RES0 without */
    u16 offset;    /* of the control register in struct sysregs */
    u16 values;
};
const struct trap_row *trap_get(unsigned n);
/* Does the control count for accesses from that EL, as E2H, TGE, the security state and features are? Does it trap
 * them, with the value that it has? */
bool trap_counts(const struct cpu *cpu, unsigned n, unsigned el);
bool trap_armed(const struct cpu *cpu, unsigned n, unsigned el);
/* Sets of groups that fire at `el` in some direction, with the pseudo-groups: what d.live_traps[el] holds. */
u64 trap_live(const struct cpu *cpu, unsigned el);
/* Does a control of one group fire at `el`? */
bool trap_group_live(const struct cpu *cpu, unsigned el, enum trap group);
/* Controls changed: d.live_traps is not known, until enough accesses have asked. */
void trap_forget(struct cpu *cpu);
/* Called where d.live_traps is asked while not known: now and then it pays to find the whole set. */
void trap_learn(struct cpu *cpu);
/* Evaluates groups for an access from the current EL: of the rows that fire the one to the lowest EL counts, and of
 * those the first. True: cpu->d.exc is filled. iss: of EC 0x18 (or WFx, SMC: whatever the rows' EC wants); the FP rows
 * have their own. */
bool trap_check(struct cpu *cpu, u128 groups, bool write, u32 iss);
/* The same with a fine-grained trap (enum trap_number, 0: none), and for one that is of no group. */
bool trap_check_fine(struct cpu *cpu, u128 groups, unsigned fgt, bool write, u32 iss);
bool trap_check_lone(struct cpu *cpu, enum trap_lone id, bool write, u32 iss);

#endif
