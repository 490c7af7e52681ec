/*
 * Interrupts and SError: routing, masking, virtual interrupts (Arm ARM D1.3.6; of the shared pseudocode
 * AArch64.TakePhysicalIRQException and its like, InterruptPending). The order of several that can be taken is free
 * (D1.3.6.4): virtual before physical, then the rows of cpu/interrupt.def, FIQ before IRQ before SError, as Arm's
 * executable specification has it.
 */
#include "cpu/exception.h"
#include "cpu/field.h"

/* A kind of physical interrupt: its line, the bits of SCR_EL3 and HCR_EL2 that route it. */
struct physical {
    u8 kind, scr, hcr;
    u32 line, super; /* super: the line that says that it has Superpriority */
};
enum {
#define INTERRUPT(name, words, event, scr, hcr, pending, super) name,
#include "cpu/interrupt.def"
};
#define PHYSICAL_LINES (LINE_FIQ | LINE_IRQ | LINE_SERROR)
static const struct physical physicals[] = {
#define INTERRUPT(name, words, event, scr, hcr, pending, super) { EXC_##name, SCR_##scr, HCR_##hcr, LINE_##name, super },
#include "cpu/interrupt.def"
};
/* ESR_ELx, ISS of an SError: with IDS the rest is IMPLEMENTATION DEFINED; else IESB, AET and EA are RES0 for another
 * DFSC than ASYNC. */
enum { SERROR_ISS = 0x1ffffff, IDS = 1 << 24, IESB = 1 << 13, AET = 7 << 10, EA = 1 << 9, DFSC = 63, ASYNC = 0x11 };

static bool is_categorized(u32 iss) { return (iss & (IDS | DFSC)) == ASYNC; }

u32 exception_serror_iss(const struct cpu *cpu, u32 iss)
{
    if (iss & IDS)
        return iss & SERROR_ISS;
    if (!cpu_has(cpu, FEAT_RAS))
        return 0;
    return iss & (is_categorized(iss) ? AET | EA | DFSC : DFSC);
}

/* PSTATE.{A, I, F} for a kind; with SCTLR_ELx.NMI also ALLINT and SPINTMASK, while {I, F} spare interrupts with
 * Superpriority (D1.3.6.4, FEAT_NMI). */
static bool masked(const struct cpu *cpu, unsigned kind, bool super)
{
    bool plain = kind == EXC_SERROR ? cpu->ps.a : kind == EXC_FIQ ? cpu->ps.f : cpu->ps.i;
    if (likely(!cpu_has(cpu, FEAT_NMI)) || kind == EXC_SERROR || !bit(cpu_sctlr(cpu), SCTLR_NMI))
        return plain;
    bool all = cpu->ps.el && (cpu->ps.allint || (cpu->ps.sp && bit(cpu_sctlr(cpu), SCTLR_SPINTMASK)));
    return all || (plain && !super);
}

/* HCRX_EL2.{VINMI, VFNMI}: HCR_EL2.{VI, VF} have Superpriority; or the list registers' interrupt has. */
static bool virtual_masked(const struct cpu *cpu, unsigned kind)
{
    u64 hcr = cpu_hcr(cpu), hcrx = cpu_hcrx(cpu);
    return masked(cpu, kind,
                  (kind == EXC_IRQ && ((bit(hcr, HCR_VI) && bit(hcrx, HCRX_VINMI)) || cpu->lines & LINE_VIRQ_NMI)) ||
                      (kind == EXC_FIQ && bit(hcr, HCR_VF) && bit(hcrx, HCRX_VFNMI)));
}

/* The EL that a physical interrupt goes to (tables of D1.3.6.1). */
static unsigned physical_target(const struct cpu *cpu, const struct physical *p)
{
    if (cpu_has(cpu, FEAT_EL3) && bit(cpu->sys.scr_el3, p->scr))
        return 3;
    u64 hcr = cpu_hcr(cpu);
    bool to_el2 = cpu_el2_enabled(cpu) && (bit(hcr, HCR_TGE) || bit(hcr, p->hcr));
    return to_el2 ? 2 : 1;
}

/* HCR_EL2 is the one that decided: VSE is cleared when it is taken. */
enum exc_by exception_routed_by(const struct cpu *cpu, const struct exc *e)
{
    static const u8 pending_bits[] = {
#define INTERRUPT(name, words, event, scr, hcr, pending, super) [EXC_##name] = HCR_##pending,
#include "cpu/interrupt.def"
    };
    u64 hcr = e->cause.value;
    if (e->cause.kind != CAUSE_INTERRUPT)
        return BY_NONE;
    if (e->is_virtual)
        return bit(hcr, pending_bits[e->kind]) ? BY_PENDING : BY_LIST;
    if (e->target_el == 3)
        return BY_SCR;
    if (e->target_el == 2)
        return bit(hcr, HCR_TGE) ? BY_TGE : BY_HCR;
    if (cpu_el2_enabled(cpu))
        return BY_HCR_CLEAR;
    return cpu_has(cpu, FEAT_EL2) ? BY_NO_SECURE_EL2 : BY_NO_EL2;
}

/* FEAT_DoubleFault: what SCR_EL3.NMEA lets SErrors do at EL3. */
static bool non_maskable(const struct cpu *cpu, unsigned kind)
{
    return kind == EXC_SERROR && cpu->ps.el == 3 && bit(cpu->sys.scr_el3, SCR_NMEA) && bit(cpu->sys.scr_el3, SCR_EA);
}

/* A target below the current EL leaves it pending. One above is not masked by PSTATE (D1.3.6.2), but EL1 always is, and
 * EL2 from the applications of a host. */
static bool physical_masked(const struct cpu *cpu, const struct physical *p, unsigned target)
{
    if (target < cpu->ps.el)
        return true;
    if (target > cpu->ps.el && target != 1 && !(target == 2 && cpu_is_in_host(cpu)))
        return false;
    return masked(cpu, p->kind, cpu->lines & p->super) && !non_maskable(cpu, p->kind);
}

unsigned exception_target(const struct cpu *cpu, unsigned kind, bool *waits)
{
    const struct physical *p = &physicals[0];
    for (unsigned n = 0; n < ARRAY_LEN(physicals); n++)
        p = physicals[n].kind == kind ? &physicals[n] : p;
    unsigned target = physical_target(cpu, p);
    *waits = physical_masked(cpu, p, target);
    return target;
}

bool exception_virtual_waits(const struct cpu *cpu, unsigned kind) { return virtual_masked(cpu, kind); }

static void interrupt(struct cpu *cpu, unsigned kind, unsigned target, bool is_virtual, u64 hcr, u32 iss)
{
    cpu->d.exc = (struct exc){ .kind = (u8)kind,
                               .target_el = (u8)target,
                               .is_virtual = is_virtual,
                               .cause = { .kind = CAUSE_INTERRUPT, .value = hcr } };
    if (kind == EXC_SERROR) {
        cpu->d.exc.ec = EC_SERROR;
        cpu->d.exc.il = 1;
        cpu->d.exc.iss = iss;
    }
    exception_take(cpu);
}

/* The EL that it is to be taken to now; 0: none. */
static unsigned physical_takeable(const struct cpu *cpu, const struct physical *p)
{
    if (!(cpu->lines & p->line))
        return 0;
    unsigned target = physical_target(cpu, p);
    return physical_masked(cpu, p, target) ? 0 : target;
}

/* implicit: an SError that an implicit error synchronization event found (ISS.IESB). */
static bool take_physical(struct cpu *cpu, const struct physical *p, bool implicit)
{
    unsigned target = physical_takeable(cpu, p);
    if (!target)
        return false;
    u32 iss = 0;
    if (p->kind == EXC_SERROR) {
        cpu->lines &= ~(u32)LINE_SERROR;
        iss = cpu->serror_iss | (implicit && is_categorized(cpu->serror_iss) ? IESB : 0);
    }
    interrupt(cpu, p->kind, target, false, cpu->sys.hcr_el2, iss);
    return true;
}

/* Kinds of virtual interrupt that are pending for EL1, as a set of 1 << kind: enabled by xMO, with TGE 0. */
static unsigned virtual_pending(const struct cpu *cpu)
{
    if (cpu->ps.el > 1)
        return 0;
    u64 hcr = cpu_hcr(cpu);
    if (bit(hcr, HCR_TGE))
        return 0;
    unsigned set = 0;
    if (bit(hcr, HCR_AMO) && bit(hcr, HCR_VSE))
        set |= 1u << EXC_SERROR;
    if (bit(hcr, HCR_FMO) && (bit(hcr, HCR_VF) || (cpu->lines & LINE_VFIQ)))
        set |= 1u << EXC_FIQ;
    if (bit(hcr, HCR_IMO) && (bit(hcr, HCR_VI) || (cpu->lines & LINE_VIRQ)))
        set |= 1u << EXC_IRQ;
    return set;
}

static bool take_virtual(struct cpu *cpu, unsigned kind)
{
    if (virtual_masked(cpu, kind))
        return false;
    u64 hcr = cpu->sys.hcr_el2;
    u32 iss = cpu_has(cpu, FEAT_RAS) ? cpu->sys.vsesr_el2 & SERROR_ISS : 0;
    if (kind == EXC_SERROR)
        cpu->sys.hcr_el2 &= ~BIT(HCR_VSE);
    interrupt(cpu, kind, 1, true, hcr, iss);
    return true;
}

bool exception_take_interrupt(struct cpu *cpu)
{
    unsigned virtual = virtual_pending(cpu);
    if (!virtual && !(cpu->lines & PHYSICAL_LINES))
        return false;
    for (unsigned n = 0; virtual && n < ARRAY_LEN(physicals); n++)
        if (virtual >> physicals[n].kind & 1 && take_virtual(cpu, physicals[n].kind))
            return true;
    for (unsigned n = 0; n < ARRAY_LEN(physicals); n++)
        if (take_physical(cpu, &physicals[n], false))
            return true;
    return false;
}

bool exception_interrupt_pending(const struct cpu *cpu)
{
    unsigned virtual = virtual_pending(cpu);
    if (!virtual && !(cpu->lines & PHYSICAL_LINES))
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(physicals); n++)
        if ((virtual >> physicals[n].kind & 1 && !virtual_masked(cpu, physicals[n].kind)) ||
            physical_takeable(cpu, &physicals[n]))
            return true;
    return false;
}

bool exception_wakes(const struct cpu *cpu) { return (cpu->lines & PHYSICAL_LINES) || virtual_pending(cpu); }

/* ---- error synchronization (AArch64.ESBOperation, vESBOperation) ---- */

static u64 deferred(u64 syndrome) { return BIT(31) | (syndrome & SERROR_ISS); }

void exception_esb(struct cpu *cpu)
{
    const struct physical *p = &physicals[SERROR];
    if (cpu->lines & LINE_SERROR && physical_masked(cpu, p, physical_target(cpu, p))) {
        cpu->sys.disr_el1 = deferred(cpu->serror_iss);
        cpu->lines &= ~(u32)LINE_SERROR;
    }
    if (virtual_pending(cpu) >> EXC_SERROR & 1 && masked(cpu, EXC_SERROR, false)) {
        cpu->sys.vdisr_el2 = deferred(cpu->sys.vsesr_el2);
        cpu->sys.hcr_el2 &= ~BIT(HCR_VSE);
    }
    if (cpu->lines | virtual_pending(cpu))
        cpu->d.attention |= ATT_IRQ;
}

bool exception_sync_errors(struct cpu *cpu)
{
    const struct sysregs *s = &cpu->sys;
    bool iesb = cpu_has(cpu, FEAT_IESB) && bit(cpu->ps.el == 1   ? s->sctlr_el1
                                               : cpu->ps.el == 2 ? s->sctlr_el2
                                                                 : s->sctlr_el3,
                                               21);
    bool nmea = cpu->ps.el == 3 && bit(s->scr_el3, SCR_EA) && bit(s->scr_el3, SCR_NMEA);
    return (iesb || nmea) && take_physical(cpu, &physicals[SERROR], true);
}
