/*
 * Exceptions: who hears of them, what they leave in registers, and the way back (Arm ARM D1.3, D2; of the shared
 * pseudocode AArch64.TakeException, AArch64.Abort and the routing of each class, AArch64.ExceptionReturn,
 * IllegalExceptionReturn); with them PSTATE as SPSR has it, what hangs on the EL, and reset. Interrupts are in
 * async.c, software step in step.c. Left out: AArch32.
 */
#include "cpu/exception.h"

#include "cpu/field.h"
#include "cpu/sysreg/nested.h"
#include "cpu/observer.h"
#include "cpu/sysreg/pmu.h"
#include "cpu/el.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/access.h"
#include "mmu/tlb.h"
#include "mmu/walk.h"

unsigned exc_default_target(const struct cpu *cpu)
{
    if (cpu->ps.el > 0)
        return cpu->ps.el;
    return bit(cpu_hcr(cpu), HCR_TGE) ? 2 : 1;
}

/* ---- making exceptions ---- */

/* Classes of which the next number says that the EL stays the same. */
static bool class_has_same_el_form(unsigned ec)
{
    return ec == EC_IABT_LOWER || ec == EC_DABT_LOWER || ec == EC_BREAK_LOWER || ec == EC_STEP_LOWER ||
           ec == EC_WATCH_LOWER;
}

void exc_sync(struct cpu *cpu, unsigned ec, u32 iss, unsigned target_el, struct cause cause)
{
    if (target_el == cpu->ps.el && class_has_same_el_form(ec))
        ec++;
    cpu->d.exc =
        (struct exc){ .kind = EXC_SYNC, .ec = (u8)ec, .il = 1, .target_el = (u8)target_el, .iss = iss, .cause = cause };
}

void exc_undefined(struct cpu *cpu, struct cause cause)
{
    exc_sync(cpu, EC_UNKNOWN, 0, exc_default_target(cpu), cause);
}

void exc_fetch_state(struct cpu *cpu)
{
    if (cpu->pc & 3) {
        exc_sync(cpu, EC_PC_ALIGN, 0, exc_default_target(cpu), (struct cause){ .kind = CAUSE_ALIGNMENT });
        cpu->d.exc.has_far = 1;
        cpu->d.exc.far = cpu->pc;
    } else {
        exc_sync(cpu, EC_ILLEGAL_STATE, 0, exc_default_target(cpu), (struct cause){ .kind = CAUSE_ILLEGAL_STATE });
    }
}

void exc_sp_alignment(struct cpu *cpu)
{
    exc_sync(cpu, EC_SP_ALIGN, 0, exc_default_target(cpu), (struct cause){ .kind = CAUSE_ALIGNMENT });
}

void exc_fp_access_trap(struct cpu *cpu)
{
    bool trapped = trap_check(cpu, T(FP), false, 0);
    assert(trapped && "d.fp_trapped follows the trap rows");
    (void)trapped;
}

/* AArch64.InstructionAbort, AArch64.DataAbort: who takes an abort. */
static unsigned abort_target(const struct cpu *cpu, const struct fault *fault, unsigned acc_flags)
{
    bool external = fault->kind == FAULT_EXTERNAL || fault->kind == FAULT_EXTERNAL_WALK;
    if (cpu->ps.el == 3 || (external && cpu_has(cpu, FEAT_EL3) && bit(cpu->sys.scr_el3, SCR_EA)))
        return 3;
    if (acc_flags & ACC_NV2)
        return 2;
    bool tea = external && cpu_has(cpu, FEAT_RAS) && bit(cpu_hcr(cpu), HCR_TEA);
    return (fault->stage2 || tea) && cpu->ps.el < 2 ? 2 : exc_default_target(cpu);
}

void exc_abort(struct cpu *cpu, const struct fault *fault, u64 va, unsigned acc_flags)
{
    bool fetch = acc_flags & ACC_FETCH;
    u32 iss = fault->fsc | (u32)fault->s1ptw << 7 | (u32)fault->ea << 9 | (u32)fault->fnv << 10;
    if (!fetch)
        iss |= (u32)(fault->wnr || fault->cm) << 6 | (u32)fault->cm << 8;
    struct cause cause = { .id = fault->rule, .level = (u32)(s32)fault->level };
    switch (fault->kind) {
    case FAULT_TAG: cause.kind = CAUSE_TAG; break;
    case FAULT_ALIGNMENT: cause.kind = CAUSE_ALIGNMENT; break;
    case FAULT_EXTERNAL:
    case FAULT_EXTERNAL_WALK: cause.kind = CAUSE_EXTERNAL; break;
    default: cause.kind = fault->desc_stage ? CAUSE_DESCRIPTOR : CAUSE_INPUT_SIZE; break;
    }
    cause.value = fault->desc_stage ? fault->desc_addr : 0;
    unsigned ec = fetch ? EC_IABT_LOWER : EC_DABT_LOWER;
    if (acc_flags & ACC_NV2) { /* Exception_NV2DataAbort: as one of EL2's own, with ISS.VNCR */
        ec = EC_DABT_SAME;
        iss |= 1u << 13;
    }
    exc_sync(cpu, ec, iss, abort_target(cpu, fault, acc_flags), cause);
    cpu->d.exc.external = cause.kind == CAUSE_EXTERNAL;
    cpu->d.exc.iss2 = (u32)fault->dirty << 5 | (u32)fault->overlay << 6;
    cpu->d.exc.has_far = 1;
    cpu->d.exc.far = va;
    if (fault->stage2) {
        cpu->d.exc.has_hpfar = 1;
        cpu->d.exc.hpfar =
            bits(fault->ipa, 51, 12) << 4 | (cpu_is_secure_below_el3(cpu) && fault->ns_ipa ? BIT(63) : 0);
        cpu->d.exc.isv = !fetch && !fault->s1ptw && !fault->cm && !cpu->d.exc.external;
    }
}

void exc_fetch_external_abort(struct cpu *cpu)
{
    struct fault fault = { .kind = FAULT_EXTERNAL, .fsc = 0x10, .fetch = 1, .rule = RULE_EXTERNAL };
    exc_abort(cpu, &fault, cpu->pc, ACC_FETCH);
}

/* ---- PSTATE ---- */

/* d.spsr_known while none of the features is there that bring bits of PSTATE: then they are 0. */
#define PSTATE_BASE BIT(63)

static inline u64 spsr_now(const struct cpu *cpu)
{
    const struct pstate *p = &cpu->ps;
    u32 daif = load_le32(&p->d) * 0x08040201u >> 24 & 15; /* four bytes of 0 or 1 to four bits */
    u64 spsr =
        (u64)cpu_nzcv(cpu) << 28 | (u64)p->ss << 21 | (u64)p->il << 20 | (u64)daif << 6 | (u64)p->el << 2 | p->sp;
    if (cpu->d.spsr_known == PSTATE_BASE)
        return spsr;
    return spsr | (u64)p->tco << 25 | (u64)p->dit << 24 | (u64)p->uao << 23 | (u64)p->pan << 22 | (u64)p->allint << 13 |
           (u64)p->ssbs << 12 | (u64)p->btype << 10;
}

u64 cpu_spsr(const struct cpu *cpu) { return spsr_now(cpu); }

/* sp_el[] keeps the stack pointers that are not the current one; with SPSel 0 all ELs share EL0's. */
static inline void set_el_sp(struct cpu *cpu, unsigned el, unsigned sp)
{
    cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0] = cpu->x[REG_SP];
    cpu->x[REG_SP] = cpu->sp_el[sp ? el : 0];
    bool changed = cpu->ps.el != el, monitor = cpu->ps.el == 3 || el == 3;
    cpu->ps.el = (u8)el;
    cpu->ps.sp = (u8)sp;
    if (changed && monitor && cpu->d.host.security_changed)
        cpu->d.host.security_changed(cpu);
}

void cpu_set_el_sp(struct cpu *cpu, unsigned el, unsigned sp) { set_el_sp(cpu, el, sp); }

/* Masks or routing changed: is one of those that are pending to be taken now? */
static inline void attend(struct cpu *cpu)
{
    enum { VIRTUAL = BIT(HCR_VF) | BIT(HCR_VI) | BIT(HCR_VSE) };
    if (unlikely(cpu->lines | (cpu->sys.hcr_el2 & VIRTUAL)) && exception_interrupt_pending(cpu))
        cpu->d.attention |= ATT_IRQ;
}

/* d.el_known: what an EL's controls say while they do not change. */
enum { EL_KNOWN = 1, EL_KNOWN_FP = 2, EL_KNOWN_SP = 4 };

static NOINLINE u32 el_find(struct cpu *cpu)
{
    unsigned el = cpu->ps.el;
    if (unlikely(!cpu->d.live_traps[el]))
        cpu->d.live_traps[el] = TRAPS_UNKNOWN;
    trap_learn(cpu);
    u64 live = cpu->d.live_traps[el];
    bool fp = live == TRAPS_UNKNOWN ? trap_group_live(cpu, el, TRAP_FP) : !!(live & LIVE(FP));
    u32 known = (fp ? EL_KNOWN_FP : 0) | (bit(cpu_sctlr(cpu), el ? 3 : 4) ? EL_KNOWN_SP : 0);
    cpu->d.el_known[el] = live == TRAPS_UNKNOWN ? 0 : known | EL_KNOWN;
    return known;
}

/* What hangs on the EL and on PSTATE, after both are set. */
static inline void derive(struct cpu *cpu)
{
    unsigned el = cpu->ps.el;
    u32 known = likely(cpu->d.el_known[el] && cpu->d.live_traps[el]) ? cpu->d.el_known[el] : el_find(cpu);
    cpu->d.fp_trapped = !!(known & EL_KNOWN_FP);
    cpu->d.sp_check = !!(known & EL_KNOWN_SP);
    cpu_update_stepping(cpu);
    attend(cpu);
}

static inline void el_changed(struct cpu *cpu)
{
    if (unlikely(cpu->d.pmu_hot))
        pmu_el_changed(cpu);
    derive(cpu);
    mmu_el_changed(cpu);
    cpu->fetch_valid = 0;
}

void cpu_traps_changed(struct cpu *cpu)
{
    trap_forget(cpu);
    if (unlikely(bit(cpu->sys.mdscr_el1, MDSCR_MDE) || cpu->d.breakpoints | cpu->d.watchpoints))
        breakpoint_changed(cpu);
    if (unlikely(pmu_in_use(cpu)))
        pmu_changed(cpu);
    derive(cpu);
}

void cpu_control_changed(struct cpu *cpu)
{
    cpu_traps_changed(cpu);
    mmu_context_changed(cpu);
}

void cpu_set_daif(struct cpu *cpu, unsigned daif)
{
    cpu->ps.d = daif >> 3 & 1;
    cpu->ps.a = daif >> 2 & 1;
    cpu->ps.i = daif >> 1 & 1;
    cpu->ps.f = daif & 1;
    cpu_update_stepping(cpu);
    attend(cpu);
}

void cpu_set_spsel(struct cpu *cpu, unsigned sp)
{
    cpu_set_el_sp(cpu, cpu->ps.el, sp);
    attend(cpu);
}

void cpu_set_allint(struct cpu *cpu, bool mask)
{
    cpu->ps.allint = mask;
    attend(cpu);
}

/* ---- taking ---- */

/* Registers of an EL, 1..3. */
static ALWAYS_INLINE u64 *banked(struct cpu *cpu, unsigned el, u64 *el1, u64 *el2, u64 *el3)
{
    (void)cpu;
    return el == 1 ? el1 : el == 2 ? el2 : el3;
}
#define BANKED(el, name) banked(cpu, el, &cpu->sys.name##_el1, &cpu->sys.name##_el2, &cpu->sys.name##_el3)

static inline u64 vector_of(const struct cpu *cpu, const struct exc *e, unsigned el)
{
    enum { KIND = 0x80, LOWER = 0x400, WITH_SP = 0x200 };
    static_assert(EXC_SYNC == 0 && EXC_IRQ == 1 && EXC_FIQ == 2 && EXC_SERROR == 3, "the order of the vectors");
    const struct sysregs *s = &cpu->sys;
    u64 vbar = el == 1 ? s->vbar_el1 : el == 2 ? s->vbar_el2 : s->vbar_el3;
    /* FEAT_DoubleFault: external aborts as if they were SErrors */
    bool ease = e->external && el == 3 && bit(s->scr_el3, SCR_EASE);
    unsigned kind = ease ? EXC_SERROR : e->kind;
    return vbar + KIND * kind + (el > cpu->ps.el ? LOWER : cpu->ps.sp ? WITH_SP : 0u);
}

u64 exception_vector(const struct cpu *cpu, const struct exc *e) { return vector_of(cpu, e, e->target_el); }

/* Who looks for handlers that get nowhere hears of an exception in a handler alone: all others cost this word. */
static inline void note_entry(struct cpu *cpu, const struct exc *e, unsigned el)
{
    u64 flags = e->kind;
    if (cpu->entered) {
        bool again = el == cpu->ps.el;
        if (unlikely(again) && cpu->d.host.taken_again)
            cpu->d.host.taken_again(cpu, e);
        flags |= again ? ENTERED_AGAIN : cpu->entered & ENTERED_AGAIN;
    }
    cpu->entered = ((cpu->d.now + 1) << ENTERED_SHIFT) + flags;
}

/* AArch64.ReportException: interrupts leave ESR alone. */
static inline void report(struct cpu *cpu, const struct exc *e, unsigned el)
{
    if (e->kind == EXC_SYNC || e->kind == EXC_SERROR)
        *BANKED(el, esr) = (u64)e->iss2 << 32 | (u64)e->ec << 26 | (u64)e->il << 25 | e->iss;
    if (e->has_far)
        *BANKED(el, far) = e->far;
    if (e->has_hpfar && el == 2)
        cpu->sys.hpfar_el2 = e->hpfar;
}

/* PSTATE.PAN on entry to EL1, and to EL2 of a host (SCTLR_ELx.SPAN). */
static bool entry_sets_pan(const struct cpu *cpu, unsigned el)
{
    if (!cpu_has(cpu, FEAT_PAN))
        return false;
    if (el == 1)
        return !bit(cpu->sys.sctlr_el1, SCTLR_SPAN);
    u64 hcr = cpu_hcr(cpu);
    return el == 2 && bit(hcr, HCR_E2H) && bit(hcr, HCR_TGE) && !bit(cpu->sys.sctlr_el2, SCTLR_SPAN);
}

/* SPSR.BTYPE shows PSTATE.BTYPE for what comes before an instruction is executed, and for BRK; for others it is
 * CONSTRAINED UNPREDICTABLE: zero. */
static bool keeps_btype(const struct exc *e)
{
    static const u64 classes = BIT(EC_STEP_LOWER) | BIT(EC_STEP_SAME) | BIT(EC_PC_ALIGN) | BIT(EC_IABT_LOWER) |
                               BIT(EC_IABT_SAME) | BIT(EC_BREAK_LOWER) | BIT(EC_BREAK_SAME) | BIT(EC_BRK) |
                               BIT(EC_ILLEGAL_STATE) | BIT(EC_BTI);
    return e->kind != EXC_SYNC || bit(classes, e->ec);
}

static NOINLINE void entry_features(struct cpu *cpu, unsigned el)
{
    cpu->ps.tco = cpu_has(cpu, FEAT_MTE);
    if (entry_sets_pan(cpu, el))
        cpu->ps.pan = 1;
    if (cpu_has(cpu, FEAT_SSBS))
        cpu->ps.ssbs = bit(*BANKED(el, sctlr), SCTLR_DSSBS);
    if (cpu_has(cpu, FEAT_NMI))
        cpu->ps.allint = !bit(*BANKED(el, sctlr), SCTLR_SPINTMASK);
}

/* Compiled for each EL that takes it, since nearly all that it writes is that EL's. */
static ALWAYS_INLINE void take_to(struct cpu *cpu, struct exc *e, unsigned el)
{
    u32 word;
    if (e->isv && el == 2 && exc_instruction(cpu, cpu->pc, &word))
        e->iss |= iss_instruction(word);
    if (unlikely(cpu->d.pmu_hot))
        pmu_exception(cpu, e->kind != EXC_SYNC || e->elr);
    if (e->elr && bit(cpu->sys.mdscr_el1, MDSCR_SS))
        cpu->ps.ss = 0; /* SVC, HVC, SMC: executed, so that step advances (SSAdvance) */
    e->elr += cpu->pc;
    const struct observer *o = cpu->d.host.observer;
    if (unlikely(o && o->exception))
        o->exception(o->exception_ctx, cpu, e);
    note_entry(cpu, e, el);
    u64 vector = vector_of(cpu, e, el);
    u64 spsr = spsr_now(cpu);
    if (cpu->ps.btype && !keeps_btype(e))
        spsr &= ~FIELD_MASK(SPSR_BTYPE);
    *BANKED(el, spsr) = el == 1 && cpu->ps.el == 1 && cpu_nvx(cpu) ? nested_spsr(cpu, spsr) : spsr;
    *BANKED(el, elr) = e->elr;
    cpu->written[WRITTEN_BY_ENTRY + el] = 1;
    report(cpu, e, el);
    set_el_sp(cpu, el, 1);
    cpu->ps.ss = cpu->ps.il = cpu->ps.uao = cpu->ps.btype = 0;
    cpu->trap_at = 0;
    cpu->d.btype_next = 0;
    cpu->ps.d = cpu->ps.a = cpu->ps.i = cpu->ps.f = 1;
    if (cpu->d.spsr_known != PSTATE_BASE)
        entry_features(cpu, el);
    cpu->step_active = 0;
    cpu->pc = cpu_branch_address(cpu, vector);
    el_changed(cpu);
    if (unlikely(cpu->lines & LINE_SERROR))
        exception_sync_errors(cpu);
}

void exception_take(struct cpu *cpu)
{
    struct exc *e = &cpu->d.exc;
    assert(e->target_el >= 1 && e->target_el <= 3 && e->target_el >= cpu->ps.el);
    switch (e->target_el) {
    case 1: take_to(cpu, e, 1); break;
    case 2: take_to(cpu, e, 2); break;
    default: take_to(cpu, e, 3); break;
    }
}

/* ---- returning ---- */

/* ELFromSPSR and IllegalExceptionReturn, for PEs without AArch32. */
static bool return_is_illegal(const struct cpu *cpu, u64 spsr)
{
    unsigned el = (unsigned)bits(spsr, 3, 2);
    if (bit(spsr, 4) || bit(spsr, 1) || (el == 0 && bit(spsr, 0)) || el > cpu->ps.el)
        return true;
    if (el == 2 && !cpu_el2_enabled(cpu))
        return true;
    return el == 1 && bit(cpu_hcr(cpu), HCR_TGE);
}

/* DebugExceptionReturnSS */
static bool return_ss(const struct cpu *cpu, u64 spsr, bool illegal)
{
    unsigned dest = illegal ? cpu->ps.el : (unsigned)bits(spsr, 3, 2);
    return bit(cpu->sys.mdscr_el1, MDSCR_SS) && !debug_enabled_from(cpu, cpu->ps.el, cpu->ps.d) &&
           debug_enabled_from(cpu, dest, bit(spsr, SPSR_D)) && bit(spsr, SPSR_SS);
}

/* The bits of SPSR that features bring: those that are there, and bit 63. */
static NOINLINE u64 spsr_find(struct cpu *cpu)
{
    static const struct {
        u16 feature;
        u64 bits;
    } map[] = { { FEAT_PAN, BIT(SPSR_PAN) },   { FEAT_UAO, BIT(SPSR_UAO) }, { FEAT_DIT, BIT(SPSR_DIT) },
                { FEAT_SSBS, BIT(SPSR_SSBS) }, { FEAT_MTE, BIT(SPSR_TCO) }, { FEAT_BTI, FIELD_MASK(SPSR_BTYPE) },
                { FEAT_NMI, BIT(SPSR_ALLINT) } };
    u64 set = PSTATE_BASE;
    for (unsigned n = 0; n < ARRAY_LEN(map); n++)
        set |= cpu_has(cpu, (enum feature)map[n].feature) ? map[n].bits : 0;
    return cpu->d.spsr_known = set;
}

static NOINLINE void return_features(struct cpu *cpu, u64 spsr)
{
    cpu->ps.pan = bit(spsr, SPSR_PAN);
    cpu->ps.uao = bit(spsr, SPSR_UAO);
    cpu->ps.dit = bit(spsr, SPSR_DIT);
    cpu->ps.ssbs = bit(spsr, SPSR_SSBS);
    cpu->ps.allint = bit(spsr, SPSR_ALLINT);
    cpu->ps.tco = bit(spsr, SPSR_TCO);
    cpu->ps.btype = (u8)FIELD_OF(spsr, SPSR_BTYPE);
    cpu->d.btype_next = cpu->ps.btype;
}

/* The four bytes of PSTATE for SPSR<9:6>. */
#define DAIF_BYTES(n) ((n) >> 3 & 1) | ((n) >> 2 & 1) << 8 | ((n) >> 1 & 1) << 16 | ((n)&1) << 24
static const u32 daif_bytes[16] = {
    DAIF_BYTES(0),  DAIF_BYTES(1),  DAIF_BYTES(2),  DAIF_BYTES(3),  DAIF_BYTES(4),  DAIF_BYTES(5),
    DAIF_BYTES(6),  DAIF_BYTES(7),  DAIF_BYTES(8),  DAIF_BYTES(9),  DAIF_BYTES(10), DAIF_BYTES(11),
    DAIF_BYTES(12), DAIF_BYTES(13), DAIF_BYTES(14), DAIF_BYTES(15),
};

void exception_return(struct cpu *cpu, u64 elr, u64 spsr)
{
    const struct observer *o = cpu->d.host.observer;
    u64 from = cpu->pc;
    if (unlikely(cpu->lines & LINE_SERROR) && exception_sync_errors(cpu))
        return;
    if (unlikely(cpu->d.pmu_hot))
        pmu_exception_return(cpu);
    bool illegal = return_is_illegal(cpu, spsr);
    cpu->ps.ss = return_ss(cpu, spsr, illegal);
    if (illegal) {
        cpu->ps.il = 1;
    } else {
        cpu->ps.il = bit(spsr, SPSR_IL);
        set_el_sp(cpu, (unsigned)bits(spsr, 3, 2), (unsigned)bit(spsr, 0));
    }
    cpu_set_nzcv(cpu, (u32)bits(spsr, 31, 28));
    u64 known = bits(spsr, 31, 0) & (likely(cpu->d.spsr_known) ? cpu->d.spsr_known : spsr_find(cpu));
    cpu->ps.pan = cpu->ps.uao = cpu->ps.dit = cpu->ps.ssbs = cpu->ps.tco = cpu->ps.btype = cpu->ps.allint = 0;
    cpu->d.btype_next = 0;
    if (known)
        return_features(cpu, known);
    static_assert(offsetof(struct pstate, f) == offsetof(struct pstate, d) + 3, "D, A, I, F are neighbours");
    store_le32(&cpu->ps.d, daif_bytes[bits(spsr, 9, 6)]);
    cpu->excl_valid = 0;
    cpu->event = 1;
    cpu->entered = 0;
    cpu->pc = cpu_branch_address(cpu, elr);
    el_changed(cpu);
    if (unlikely(o && o->exception_return))
        o->exception_return(o->exception_return_ctx, cpu, from);
}

/* ---- reset ---- */

void cpu_reset(struct cpu *cpu)
{
    const struct observer *o = cpu->d.host.observer;
    if (o && o->reset)
        o->reset(o->reset_ctx, cpu);
    u64 unknown = cpu->d.host.unknown;
    for (unsigned n = 0; n < 31; n++)
        cpu->x[n] = unknown;
    for (unsigned n = 0; n < 4; n++)
        cpu->sp_el[n] = unknown;
    for (unsigned n = 0; n < 32; n++)
        cpu->v[n] = (union vreg){ .d = { unknown, unknown } };
    cpu->x[REG_SP] = unknown;
    cpu->x[REG_ZR] = cpu->x[REG_TRASH] = 0;
    unsigned el = cpu_has(cpu, FEAT_EL3) ? 3 : cpu_has(cpu, FEAT_EL2) ? 2 : 1;
    cpu->ps = (struct pstate){ .el = (u8)el, .sp = 1, .d = 1, .a = 1, .i = 1, .f = 1 };
    cpu_set_nzcv(cpu, 0);
    cpu->fpcr = cpu->fpsr = 0;
    sysreg_reset(cpu);
    tlb_reset(cpu);
    cpu->pc = cpu->sys.rvbar_el1;
    cpu->pmu_counting = 0;
    cpu->excl_valid = cpu->event = cpu->step_active = cpu->fetch_valid = 0;
    cpu->halted = HALT_NONE;
    cpu->lines &= ~(u32)LINE_SERROR;
    cpu->serror_iss = 0;
    cpu->wake_at = ~(u64)0;
    cpu->trap_at = cpu->entered = 0;
    cpu_control_changed(cpu);
    if (cpu->d.host.security_changed)
        cpu->d.host.security_changed(cpu);
}
