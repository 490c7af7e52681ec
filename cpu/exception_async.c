/*
 * Interrupts and SError: routing, masking, virtual interrupts (Arm ARM D1.3.6; of the shared pseudocode
 * AArch64.TakePhysicalIRQException and its like, InterruptPending). The order of several that can be taken is free
 * (D1.3.6.4): virtual before physical, FIQ before IRQ before SError, as Arm's executable specification has it.
 */
#include "cpu/exception.h"

enum { HCR_FMO = 3, HCR_IMO = 4, HCR_AMO = 5, HCR_VF = 6, HCR_VI = 7, HCR_VSE = 8, HCR_TGE = 27, HCR_E2H = 34 };

/* A kind of physical interrupt: its line, the bits of SCR_EL3 and HCR_EL2 that route it. */
struct physical {
    u8 kind, scr, hcr;
    u32 line;
};
static const struct physical physicals[] = {
    { EXC_FIQ, 2, HCR_FMO, LINE_FIQ },
    { EXC_IRQ, 1, HCR_IMO, LINE_IRQ },
    { EXC_SERROR, 3, HCR_AMO, LINE_SERROR },
};

/* PSTATE.{A, I, F} for a kind. */
static bool masked(const struct cpu *cpu, unsigned kind)
{
    return kind == EXC_SERROR ? cpu->ps.a : kind == EXC_FIQ ? cpu->ps.f : cpu->ps.i;
}

/* The EL that a physical interrupt goes to; 0: it stays pending, since its target is below this EL (tables of
 * D1.3.6.1). */
static unsigned physical_target(const struct cpu *cpu, const struct physical *p)
{
    if (cpu_has(cpu, FEAT_EL3) && bit(cpu->sys.scr_el3, p->scr))
        return 3;
    u64 hcr = cpu_hcr(cpu);
    bool to_el2 = cpu_el2_enabled(cpu) && (bit(hcr, HCR_TGE) || bit(hcr, p->hcr));
    unsigned target = to_el2 ? 2 : 1;
    return target >= cpu->ps.el ? target : 0;
}

/* A target above the current EL is not masked by PSTATE (D1.3.6.2), but EL1 always is, and EL2 from the applications of
 * a host. */
static bool physical_masked(const struct cpu *cpu, unsigned kind, unsigned target)
{
    if (target > cpu->ps.el && target != 1 && !(target == 2 && cpu_is_in_host(cpu)))
        return false;
    return masked(cpu, kind);
}

static void interrupt(struct cpu *cpu, unsigned kind, unsigned target, bool is_virtual, u64 hcr)
{
    cpu->d.exc = (struct exc){ .kind = (u8)kind,
                               .target_el = (u8)target,
                               .is_virtual = is_virtual,
                               .cause = { .kind = CAUSE_INTERRUPT, .value = hcr } };
    if (kind == EXC_SERROR) {
        cpu->d.exc.ec = EC_SERROR;
        cpu->d.exc.il = 1;
    }
    exception_take(cpu);
}

/* The EL that it is to be taken to now; 0: none. */
static unsigned physical_takeable(const struct cpu *cpu, const struct physical *p)
{
    if (!(cpu->lines & p->line))
        return 0;
    unsigned target = physical_target(cpu, p);
    return target && !physical_masked(cpu, p->kind, target) ? target : 0;
}

static bool take_physical(struct cpu *cpu, const struct physical *p)
{
    unsigned target = physical_takeable(cpu, p);
    if (!target)
        return false;
    if (p->kind == EXC_SERROR)
        cpu->lines &= ~(u32)LINE_SERROR;
    interrupt(cpu, p->kind, target, false, cpu->sys.hcr_el2);
    return true;
}

/* Kinds of virtual interrupt that are pending for EL1, as a set of 1 << kind: enabled by xMO, with TGE 0. */
static unsigned virtual_pending(const struct cpu *cpu)
{
    u64 hcr = cpu_hcr(cpu);
    if (cpu->ps.el > 1 || bit(hcr, HCR_TGE))
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
    if (masked(cpu, kind))
        return false;
    u64 hcr = cpu->sys.hcr_el2;
    if (kind == EXC_SERROR)
        cpu->sys.hcr_el2 &= ~BIT(HCR_VSE);
    interrupt(cpu, kind, 1, true, hcr);
    return true;
}

bool exception_take_interrupt(struct cpu *cpu)
{
    unsigned virtual = virtual_pending(cpu);
    if (likely(!virtual && !cpu->lines))
        return false;
    for (unsigned n = 0; virtual && n < ARRAY_LEN(physicals); n++)
        if (virtual >> physicals[n].kind & 1 && take_virtual(cpu, physicals[n].kind))
            return true;
    for (unsigned n = 0; n < ARRAY_LEN(physicals); n++)
        if (take_physical(cpu, &physicals[n]))
            return true;
    return false;
}

bool exception_interrupt_pending(const struct cpu *cpu)
{
    unsigned virtual = virtual_pending(cpu);
    for (unsigned n = 0; n < ARRAY_LEN(physicals); n++)
        if ((virtual >> physicals[n].kind & 1 && !masked(cpu, physicals[n].kind)) ||
            physical_takeable(cpu, &physicals[n]))
            return true;
    return false;
}

bool exception_wakes(const struct cpu *cpu)
{
    return (cpu->lines & (LINE_IRQ | LINE_FIQ | LINE_SERROR)) || virtual_pending(cpu);
}
