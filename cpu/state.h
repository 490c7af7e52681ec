/*
 * What a processing element is: every bit of state the Arm ARM gives it (B1.2 registers in AArch64, D1.4 PSTATE,
 * D19 system registers), the TLB that decides whether a walk happens, and, last, what is derived from it.
 * Plain data without pointers, padding or host-sized types up to `d`; the bytes before `d` are what a snapshot
 * saves and a state hash covers (after cpu_settle). The derived part can be dropped at any moment.
 */
#ifndef CPU_STATE_H
#define CPU_STATE_H

#include "cpu/feature.h"
#include "cpu/field.h"
#include "lib/state.h"

enum { MAX_CPUS = 512 };

/* Register slots: 31 reads as zero (ZR), SP is the current stack pointer, writes to ZR land in TRASH. */
enum { REG_ZR = 31, REG_SP = 32, REG_TRASH = 33, REG_COUNT = 34 };

union vreg {
    u64 d[2]; /* D[0] = bits 63:0 */
    u32 s[4];
    u16 h[8];
    u8 b[16];
};

/* PSTATE but for NZCV, one byte a field (D1.4). */
struct pstate {
    u8 el, sp, d, a, i, f, pan, uao, ss, il, btype, dit, ssbs, tco, allint, nrw;
};

/* System registers with storage: a field a SYSREG row, in the order of the tables. */
struct sysregs {
#define SYSREG(name, op0, op1, crn, crm, op2, access, field, ...) u64 field;
#include "cpu/sysreg/sysreg_all.def"
};

/* A byte for each of them: something was written to it since reset (sysreg_is_untouched). The last ones: an exception
 * was taken to that EL, which writes ELR, SPSR and ESR. */
enum {
#define SYSREG(name, op0, op1, crn, crm, op2, access, field, ...) WRITTEN_##field,
#include "cpu/sysreg/sysreg_all.def"
    WRITTEN_BY_ENTRY, WRITTEN_COUNT = WRITTEN_BY_ENTRY + 4
};

/* One translation as the walk left it, stage 1 and stage 2 combined, tagged by what it may serve. Where the pages
 * of the stages differ, `size_log2` is the smaller. An entry with size_log2 0 is empty. */
struct tlb_entry {
    u64 va;  /* first address of the page, without a tag byte */
    u64 pa;  /* first physical address */
    u64 ipa; /* intermediate physical address of the page (for TLBI by IPA), = pa without stage 2 */
    u16 asid;
    u16 vmid;
    u16 config;                /* index into tlb.configs: regime, security state and values of the control bits */
    u16 perm;                  /* TLB_* of mmu/walk.h: permissions of stage 1 and stage 2 */
    u8 size_log2;              /* 12..48 */
    u8 size1_log2, size2_log2; /* of the block in each stage: TLBI by address drops all of a block's pieces */
    u8 global;                 /* nG == 0 */
    u8 ns;                     /* output address space is Non-secure */
    u8 memattr;                /* MEM_* of mmu/walk.h: combined type of data accesses, for alignment and Device rules */
    u8 pad[2];
};

enum { TLB_SETS = 4096, TLB_WAYS = 4, TLB_ENTRIES = TLB_SETS * TLB_WAYS, TLB_CONFIGS = 64 };

/* The control values a translation depends on besides ASID and VMID. mmu/context.c fills it. */
struct tlb_config {
    u64 sctlr, tcr, mair, hcr, vtcr, vstcr;
    u64 pir, pire0, s2pir, por, por0; /* where they are in force, else 0 */
    u32 regime; /* enum regime in bits 7:0, then one bit each as REGIME_KEY_* of mmu/context.c says */
    u32 used;
};

struct tlb {
    struct tlb_entry entry[TLB_SETS][TLB_WAYS];
    u8 next_way[TLB_SETS]; /* FIFO: replacement does not depend on hits, so that fast hits need no record */
    u64 sizes;             /* bit n: an entry of size_log2 n may be present */
    u64 pieces;            /* bit n: a stage 1 block of that size may be present in smaller pieces */
    struct tlb_config configs[TLB_CONFIGS];
    u32 config_next, pad;
};

/* Why an exception is taken, for people: which trap row, descriptor, or rule (cause.kind: enum cause_kind). */
struct cause {
    u16 kind;
    u16 id;    /* trap row, RULE_* of a walk or an alignment, key of a register... */
    u32 level; /* of the walk, where that says something */
    u64 value; /* address of the descriptor, value of the control register... */
};
enum cause_kind { CAUSE_NONE, CAUSE_TRAP, CAUSE_UNALLOCATED, CAUSE_ACCESS, CAUSE_DESCRIPTOR, CAUSE_INPUT_SIZE, CAUSE_ALIGNMENT,
                  CAUSE_INSTRUCTION, CAUSE_EXTERNAL, CAUSE_ILLEGAL_STATE, CAUSE_STEP, CAUSE_INTERRUPT, CAUSE_TAG,
                  CAUSE_BREAKPOINT, CAUSE_WATCHPOINT, /* id: its number */
                  CAUSE_COUNT };

/* An exception about to be taken (D1.3). kind: enum exc_kind; iss is ESR<24:0>; il is ESR.IL. */
enum exc_kind { EXC_SYNC, EXC_IRQ, EXC_FIQ, EXC_SERROR,
                EXC_RESTART /* none: the stepping engine is to do this instruction, so that an observer sees its accesses */ };
struct exc {
    u8 kind, ec, il, target_el;
    u8 has_far, has_hpfar, is_virtual;
    u8 isv; /* a data abort whose ISS gets the instruction syndrome (ISV, SAS...) when it is taken */
    u8 external, pad[7]; /* an external abort */
    u32 iss, iss2;
    u64 far, hpfar;
    u64 elr; /* preferred return address, as bytes from the instruction until it is taken */
    struct cause cause;
};

/* Interrupt inputs of the PE, by bit (D1.3.6). */
enum { LINE_IRQ = 1, LINE_FIQ = 2, LINE_VIRQ = 4, LINE_VFIQ = 8, LINE_SERROR = 16,
       LINE_IRQ_NMI = 32, LINE_FIQ_NMI = 64, LINE_VIRQ_NMI = 128 /* beside IRQ, FIQ, VIRQ: Superpriority (FEAT_NMI) */ };

enum { HALT_NONE, HALT_WFI, HALT_WFE, HALT_OFF };
/* cpu->entered: <1:0> the kind (EXC_*), <2> since the last return an EL took one that it came from, <63:3> the absolute
 * ns after it was taken. */
enum { ENTERED_KIND = 3, ENTERED_AGAIN = 4, ENTERED_SHIFT = 3 };
/* To an HVC, SMC or HLT: not the board's; done; not yet, the PE sleeps and executes it again (HLT only). */
enum board_answer { BOARD_LEAVES, BOARD_ANSWERED, BOARD_AGAIN };

/* Reasons to leave straight-line execution at the next architectural point (cpu->d.attention). */
enum { ATT_IRQ = 1,     /* inputs or masks changed: look whether an interrupt can be taken */
       ATT_LOOK = 2,    /* the slice ends: power off; what is due next may have changed: timers and events are looked at */
       ATT_CONTEXT = 4, /* translation context changed: the fetch page must be looked up again */
       ATT_ENGINE = 8,  /* what decides between the engines changed */
       ATT_DEBUG = 16,  /* whoever looks in wants to stop: nothing of the guest's */
       ATT_NOW = 32,    /* the same, not waiting for such a point (stepping engine) */
       ATT_TURN = 64    /* end of this PE's turn */
};
/* Reasons to use the stepping engine (cpu->d.stepping). */
enum { STEPPING_GUEST = 1, /* software step */
       STEPPING_PAGE = 2,  /* the page is one that an observer wants to see, or has a breakpoint of the guest's */
       STEPPING_ALL = 4    /* an observer wants to see every instruction */
};

enum { RAISED_EXCEPTION = 1, RAISED_UNFINISHED = 2 };

enum { FAST_ENTRIES = 16384, XPAGE_ENTRIES = 256 };

/* A fast tag: va page | context, for each access, 0 where there is none; host address of a byte = va + addend. What is
 * zeros is unused, so that the host gives no memory for tags of PEs that do little. */
struct fast_entry {
    u64 r, w;
    u64 addend;
    u64 owner; /* FAST_OWNER: set * TLB_WAYS + way of the state entry it stands for; FAST_PAGE: physical address */
};
#define FAST_OWNER(owner) ((u32)((owner) & 0x7fff))
static inline bool fast_used(const struct fast_entry *f) { return (f->r | f->addend) != 0; }
#define FAST_CODE         0x8000 /* in owner: written to it may be, but not fast, since it holds decoded code */
#define FAST_PAGE(owner)  ((owner) << 8 >> 24 << 12)
/* In owner: no RAM lies there, and nothing but the page is known; r and w match nothing, and the tag is the addend. */
#define FAST_DEVICE       BIT(63)
#define FAST_DEVICE_READ  BIT(62)
#define FAST_DEVICE_WRITE BIT(61)
#define FAST_DEVICE_NS    BIT(60)

/* What an access asks the fast tags with (mmu/access.h). */
struct fast_context {
    u64 ctx;  /* CTX_NEVER: not found yet */
    u64 wide; /* for accesses of more than a byte: the same, or CTX_NEVER where they are checked for alignment */
    u64 mix;  /* mixed into the index of fast[], in units of an entry's bytes */
};

/* What a fetch page is (cpu->fetch_attrs). */
enum { FETCH_NS = 1, FETCH_GUARDED = 2 };

struct code_page;
struct xpage_entry {
    u64 tag; /* va page | context; 0 = none */
    struct code_page *page;
    u64 pc_bias; /* as in cpu_derived, in this page */
    u32 owner;
    u32 attrs; /* FETCH_* */
};

/* What one EL sees of memory, worked out from the control registers when it is first used after a change. */
struct mmu_view {
    u64 valid;                           /* control registers did not change since */
    struct fast_context data[2], as_el0; /* without and with PSTATE.PAN, and of LDTR and STTR */
    struct tlb_config config;
    u16 asid, vmid;
    u16 config_index; /* 1 + index in tlb.configs, while it is known to be there; 0 = look */
    u8 regime, big_endian;
    u8 strict;       /* SCTLR_ELx.A */
    u8 naa;          /* SCTLR_ELx.nAA (FEAT_LSE2) */
    u8 flat;         /* stage 1 is off and makes data Device: unaligned accesses fault */
    u8 regime_known; /* config, asid, vmid and the contexts are of a regime, if perhaps not the one of now */
    u8 unpriv;       /* LDTR and STTR use EL0's permissions, unless PSTATE.UAO */
    u8 nv_nv1;       /* HCR_EL2.{NV,NV1}: EL1 has no EL0, and PSTATE.PAN no effect */
    u8 pad[2];
    u32 feat;        /* WALK_* */
    u64 memo_number; /* of the regime in d.host.memo; 0: to be found */
    u64 memo_slot;
};

/* Fast-tag contexts: the table that gives each combination its number. */
enum { FAST_VICTIMS = 8 };
enum { CTX_SLOTS = 512, CTX_LIMIT = 254, CTX_NEVER = 0xff0 }; /* CTX_NEVER: no tag has it */
static inline bool context_known(const struct fast_context *c) { return c->ctx != CTX_NEVER; }
struct mmu_ctx {
    struct tlb_config config;
    u16 asid, vmid;
    u8 el0, pan, big_endian, pad;
    u32 number; /* 0x010 to 0xfe0, a multiple of 16: the low bits of a tag are the misalignment; 0 = free slot */
    u32 pad2;
};
struct mmu_derived {
    struct mmu_view view[4];
    u32 ctx_used, victim_next;
    u64 tagged;                             /* something was entered into fast[], xpage[] or the slots below */
    struct fast_entry victim[FAST_VICTIMS]; /* lately pushed out of fast[]: for pages that share a slot */
    u64 set_empty[TLB_SETS / 64];           /* a bit for each set of the TLB that surely holds nothing */
    /* Large, and zeros until `tagged` or ctx_used: the host gives no memory for it before. */
    u16 fast_slot[TLB_ENTRIES]; /* 1 + the fast (xpage) slot made from an entry, 0, or MMU_MANY */
    u16 xpage_slot[TLB_ENTRIES];
    struct mmu_ctx ctx[CTX_SLOTS];
};
enum { MMU_MANY = 0xffff };

struct phys;     /* mmu/phys.h: RAM and the way to devices */
struct memo;     /* mmu/memo.h: what earlier walks found out about tables */
struct decoder;  /* cpu/insn/decode.h */
struct code;     /* cpu/engine/code.h: pages of decoded instructions */
struct gic;      /* gic/gic.h */
struct timers;   /* timer/timer.h */
struct machine;  /* board/machine.h */
struct observer; /* cpu/observer.h: those who look in */
struct cpu;

/* PEs that may be able to run. Whose bit is clear sleeps or is off, and nothing has come for it: whatever may let a PE
 * run sets its bit, who looks and finds that it cannot clears it. Derived: all bits set is right at any time. */
struct cpu_roused {
    u64 set[MAX_CPUS / 64];
    const u32 *turn; /* whose turn it is */
};

/* What the machine lends a PE at creation; force_step changes with who looks in. Functions are called outside of the
 * fast path only. */
struct cpu_host {
    struct phys *phys;
    struct memo *memo; /* NULL: walks start at the top */
    struct decoder *decoder;
    struct code *code;
    struct gic *gic;
    struct timers *timers;
    struct machine *machine;
    const struct observer *observer; /* all who look in; NULL: there is no machine */
    struct cpu *cpus;                /* all PEs of the machine, for broadcast TLBI, SEV and SGIs */
    struct cpu_roused *roused;       /* NULL: nobody asks */
    u32 cpu_count;
    u64 unknown;     /* what registers hold at reset that the architecture leaves UNKNOWN then: 0, or a loud value */
    bool force_step; /* only the stepping engine (--engine=step) */
    /* PSCI and semihosting: called for HVC, SMC, HLT, which the board may answer itself. */
    enum board_answer (*call)(struct cpu *cpu, unsigned ec, u32 imm);
    u64 (*random)(struct cpu *cpu); /* NULL, or a random number: RNDR */
    /* NULL, or: the PE entered or left EL3 or its security state changed, which its GIC lines depend on. */
    void (*security_changed)(struct cpu *cpu);
    /* NULL, or: an EL takes an exception from itself, and none returned since the last was taken. As for an observer:
     * the PE is as before it, cpu->entered too. */
    void (*taken_again)(struct cpu *cpu, const struct exc *exc);
    /* NULL, or: the level of the PMU's overflow interrupt. */
    void (*pmu_interrupt)(struct cpu *cpu, bool level);
};

struct cpu {
    u64 x[REG_COUNT];
    u64 pc;
    u64 sp_el[4]; /* the current one lives in x[REG_SP] */
    union vreg v[32];
    struct pstate ps;
    u64 flag_n, flag_z, flag_v; /* N = flag_n<63>; Z = flag_z == 0; V = flag_v: 0 or 1 */
    u64 flag_c;                 /* 0 or 1 */
    u32 fpcr, fpsr;
    struct sysregs sys;
    u8 written[(WRITTEN_COUNT + 7) / 8 * 8]; /* WRITTEN_* */

    /* Exclusives monitor (B2.9): local and global in one, since it opens when another PE gets the turn. */
    u64 excl_pa, excl_size;
    u32 excl_valid;
    u32 event;        /* event register (WFE) */
    u32 lines;        /* LINE_* inputs from GIC and board */
    u32 halted;       /* HALT_* */
    u32 index;        /* number of this PE, from 0 */
    u32 powered;      /* PSCI: on */
    u32 step_active;  /* software step (D2.12): what the instruction before was (cpu/exception/step.c) */
    u32 pmu_counting; /* counters that have been counting since pmu_mark: cpu/sysreg/pmu.c */
    u32 serror_iss;   /* IDS and ISS<23:0> of the pending physical SError (LINE_SERROR), but ISS.IESB */
    u32 yields;       /* what YIELD, and a WFE that does not wait, raise of ATT_TURN and ATT_LOOK */
    struct features features;

    /* The page that instructions are fetched from: stays until a branch leaves it, an exception, or a context
     * synchronization event, in both engines, so that the two make the same translations. */
    u64 fetch_va, fetch_pa;
    u32 fetch_valid, fetch_attrs;
    u64 insns;    /* instructions executed by this PE (an attempt that faults counts) */
    u64 pmu_mark; /* instructions up to which the counters are right: insns and those of the slice */
    u64 wake_at;  /* WFxT and event stream: absolute ns, or ~0 */
    u64 trap_at;  /* a WFE waits for an event before it traps (FEAT_TWED): absolute ns, or 0 */
    u64 entered;  /* the last exception, ENTERED_*; 0: returned since, or none yet */

    struct tlb tlb;

    /* ---- derived from here on: never saved, never hashed ---- */
    struct cpu_derived {
        u64 pc_bias;    /* PC of slot i = pc_bias + (address of i >> 2) */
        u64 deadline;   /* absolute ns at which the budget of this slice ends */
        u64 now;        /* absolute ns at the instruction being executed; valid in slow paths and hooks */
        u32 attention;  /* ATT_* */
        u32 stepping;   /* STEPPING_*: the stepping engine is to be used */
        u32 fp_trapped; /* FP and SIMD instructions trap at this EL: found again when that or a control changes */
        u32 sp_check;   /* SP must be 16-byte aligned when it is a base (SCTLR_ELx.SA, SA0): likewise found */
        u32 breakpoints, watchpoints; /* sets of enabled ones: breakpoint_changed */
        u64 debug_sum;                /* of their settings */
        u32 raised;                   /* stepping: how the last instruction was cut, RAISED_* */
        u64 flags_of, flags_saved;    /* in regions: where the flags are, 0 elsewhere (cpu/tier2/loop.c) */
        struct fast_context data;     /* at this EL, for fetches too */
        struct fast_context unpriv;   /* of LDTR and STTR */
        struct code_page *page;
        struct exc exc; /* set by whoever makes a handler RAISE */
        struct cpu_host host;
        struct fast_entry fast[FAST_ENTRIES];
        struct xpage_entry xpage[XPAGE_ENTRIES];
        struct mmu_derived mmu;
        u64 tlb_used;       /* the TLB may hold something; 0: it is all zeros, as a new PE's is */
        u64 btype_next;     /* stepping: PSTATE.BTYPE after the instruction */
        u64 branched;       /* stepping: the last instruction was a taken branch */
        u64 spsr_known;     /* bits of SPSR that features bring, and bit 63: known (cpu/exception/exception.c) */
        u32 el_known[4];    /* by EL, while its live_traps are known: EL_KNOWN_* (cpu/exception/exception.c) */
        u64 live_traps[4];  /* by EL: trap groups that fire (cpu/sysreg/sysreg.h); unknown: all ones, of another EL 0 */
        u64 trap_misses[4]; /* by EL: register accesses since then that had to ask */
        u64 threaded;       /* the threaded engine runs */
        u64 slice_end;      /* absolute ns: of the slice that runs, whatever cuts it */
        u64 look_at;        /* absolute ns: when the machine looks next at what is due */
        u32 pmu_at[4], pmu_hot; /* counters that count at each EL; those that exceptions matter to: cpu/sysreg/pmu.c */
        u32 pmu_pad;
        u64 run_from;    /* absolute ns at which cpu_run_to began: insns does not count what came since */
        u64 tier2_units; /* where that is counted: instructions done in regions, times 16 (cpu/tier2) */
        u64 stepped;     /* instructions that the stepping engine did */
        u64 unfinished_at, unfinished_pc; /* cpu_unfinished: cpu_position after the last such attempt, or 0 */
        struct features writable_of;      /* the features that `writable` was made of */
        u64 writable[LAYOUT_COUNT];       /* what software can write of a register so laid out (cpu/field.def) */
        struct pac_entry {
            u64 data, modifier, key[2], code, valid;
        } pac[256]; /* cpu/ops/pauth_lib.c */
    } d;
};
extern const struct state_shape cpu_shape; /* up to d */
static_assert(TLB_ENTRIES <= 0x7fff, "FAST_OWNER holds any entry, and all ones for none");
static_assert(offsetof(struct cpu, d) % 8 == 0, "the derived part starts aligned");

/* The entry of xpage[] for the page at va, as this EL sees it. */
static inline struct xpage_entry *xpage_of(struct cpu *cpu, u64 va)
{
    _Static_assert(sizeof(struct xpage_entry) == 32, "mix has 5 bits below those of a page's number");
    return (struct xpage_entry *)(void *)((u8 *)cpu->d.xpage +
                                          ((va >> 7 ^ cpu->d.data.mix) & (XPAGE_ENTRIES - 1) << 5));
}

/* NZCV as a nibble, N in bit 3. */
static inline u32 cpu_nzcv(const struct cpu *cpu)
{
    return (u32)(cpu->flag_n >> 63 << 3 | (u64)(cpu->flag_z == 0) << 2 | cpu->flag_c << 1 | cpu->flag_v);
}

static inline void cpu_set_nzcv(struct cpu *cpu, u32 nzcv)
{
    cpu->flag_n = (u64)(nzcv >> 3 & 1) << 63;
    cpu->flag_z = !(nzcv >> 2 & 1);
    cpu->flag_c = nzcv >> 1 & 1;
    cpu->flag_v = nzcv & 1;
}

/* Brings lazily kept state into its one canonical form, before hashing, saving or comparing. */
static inline void cpu_settle(struct cpu *cpu)
{
    cpu_set_nzcv(cpu, cpu_nzcv(cpu));
    cpu->x[REG_ZR] = 0;
    cpu->x[REG_TRASH] = 0;
}

static inline bool cpu_has(const struct cpu *cpu, enum feature f) { return feature_has(&cpu->features, f); }

/* Instructions of this PE so far, those of the slice too; where cpu_now is right. */
static inline u64 cpu_position(const struct cpu *cpu) { return cpu->insns + (cpu->d.now - cpu->d.run_from); }

/* Absolute time in ns at the current instruction; only from slow paths, hooks and between instructions. */
static inline u64 cpu_now(const struct cpu *cpu) { return cpu->d.now; }

/* Something happened that may let the PE run, which could not: YIELD ends the turn of the one that runs. */
static inline void cpu_may_run(struct cpu *cpu)
{
    struct cpu_roused *r = cpu->d.host.roused;
    if (!r || cpu->d.host.cpu_count == 1)
        return;
    r->set[cpu->index / 64] |= BIT(cpu->index % 64);
    cpu->d.host.cpus[*r->turn].yields |= ATT_TURN;
}

#endif
