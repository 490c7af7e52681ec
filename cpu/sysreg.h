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
 * TRAPS is a set of rows of cpu/traps.def: T(TVM) | T(TRVM), or 0.
 */
#ifndef CPU_SYSREG_H
#define CPU_SYSREG_H

#include "cpu/state.h"

enum trap {
#define TRAP(id, ...) TRAP_##id,
#include "cpu/traps.def"
#undef TRAP
    TRAP_COUNT
};
static_assert(TRAP_COUNT <= 64, "a row's traps are a 64-bit set");
#define T(id) BIT(TRAP_##id)

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

struct sysreg {
    const char *name;
    u16 key;      /* SYSREG_KEY */
    u16 feature;  /* enum feature that it needs */
    u8 access;    /* ACCESS_RW */
    u8 flags;     /* SR_* */
    s32 offset;   /* of the field in struct sysregs, -1 = none */
    u64 reset;
    u64 traps;    /* set of enum trap */
    u64 mask;     /* bits that a write can change; 0 = all (the others keep their value) */
    u64 (*read)(struct cpu *cpu, const struct sysreg *row);
    void (*write)(struct cpu *cpu, const struct sysreg *row, u64 value);
    /* Access rules beyond ACCESS and TRAPS. False: cpu->d.exc is filled, or the access is UNDEFINED when exc_undefined was
     * called. Evaluated after the lowest-EL rule and before .traps unless SR_CHECK_LAST. */
    bool (*check)(struct cpu *cpu, const struct sysreg *row, bool write);
    u16 e2h_key;  /* at EL2 with HCR_EL2.E2H: the key of the register really accessed; 0 = none */
};
enum { SR_CONTROL = 1,     /* a write changes what translation, traps or routing do: cpu_control_changed follows */
       SR_CHECK_LAST = 2,
       SR_E2H_ONLY = 4,    /* *_EL12 and *_EL02: UNDEFINED unless E2H is 1 (at EL2, EL3) */
       SR_UNKNOWN_RESET = 8 /* resets to a loud value */ };

#define SYSREG_KEY(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
/* The loud value of what the architecture leaves UNKNOWN at reset. */
#define SYSREG_UNKNOWN 0xdeadbeefdeadbeefull

/* Row by key, or by number (for lists, gdb, snapshots; NULL past the end). */
const struct sysreg *sysreg_find(u32 key);
const struct sysreg *sysreg_get(unsigned n);
/* Debug access by row, without traps or checks, with hooks where they are what the register is. */
u64 sysreg_peek(struct cpu *cpu, const struct sysreg *row);
void sysreg_poke(struct cpu *cpu, const struct sysreg *row, u64 value);
/* What the architecture does for MRS/MSR at this EL: access check, traps, hooks. ok false: cpu->d.exc is filled. */
struct mem_val;
bool sysreg_read(struct cpu *cpu, u32 key, u64 *value);
bool sysreg_write(struct cpu *cpu, u32 key, u64 value);
/* Reset values of all rows, ID registers from model and features. */
void sysreg_reset(struct cpu *cpu);

#endif
