/*
 * What the GIC asks of a PE: from where it looks at its CPU interface, and ICH_HCR_EL2, which lives there because traps
 * look for it. For those who know both (gic.c, gic_sysreg.c); the interfaces themselves know a number (cpuif.h).
 */
#ifndef GIC_PE_H
#define GIC_PE_H

#include "cpu/el.h"
#include "gic/cpuif.h"

/* The view of a PE through its system registers. Without EL3 there is one security state, seen as Non-secure. */
static inline struct gic_view gic_view_of(const struct cpu *cpu)
{
    if (likely(!cpu_has(cpu, FEAT_EL3)))
        return (struct gic_view){ .bank = GIC_NONSECURE };
    bool el3 = cpu->ps.el == 3, ns = bit(cpu->sys.scr_el3, SCR_NS), secure = el3 || !ns;
    return (struct gic_view){ .el3 = el3,
                              .secure = secure,
                              .bank = ns ? GIC_NONSECURE : GIC_SECURE,
                              .half = bit(cpu->sys.scr_el3, SCR_FIQ) && !secure };
}

/* The virtual lines and the maintenance interrupt of this PE, made again from the state: as gic_update_cpu. */
static inline void ich_update(struct gic *gic, const struct cpu *cpu)
{
    virtif_update(gic, cpu->index, cpu->sys.ich_hcr_el2);
}

#endif
