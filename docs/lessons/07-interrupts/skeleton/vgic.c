/* Interrupts: the hypervisor's own, and those that it gives to the guest. */
#include "gic.h"

#define INTIDS 64

static bool waiting[INTIDS]; /* raised, and in no list register yet */

static void timer_next(void)
{
    write_sysreg(cnthp_cval_el2, read_sysreg(cntpct_el0) + TICK_INTERVAL);
    write_sysreg(cnthp_ctl_el2, 1);
    isb();
}

void vgic_on(void)
{
    TODO(1, "HCR_EL2: IMO besides what it has; ICH_VMCR_EL2 0; all list registers 0; ICH_HCR_EL2: EN; ISB");
    timer_next();
}

/* Is it in a list register, and not yet taken? */
static bool is_listed(u32 intid)
{
    for (unsigned n = 0; n <= FIELD(read_sysreg(ICH_VTR_EL2), 4, 0); n++)
        if (!(read_sysreg(ICH_ELRSR_EL2) & BIT(n)) && (u32)lr_read(n) == intid)
            return true;
    return false;
}

/* From what waits to list registers that are free. While some is left over, the GIC is to say when there is room. */
static void list_fill(void)
{
    bool left = false;
    for (u32 intid = 0; intid < INTIDS; intid++) {
        u64 free = read_sysreg(ICH_ELRSR_EL2);
        if (!waiting[intid])
            continue;
        if (!free || is_listed(intid)) { /* the same INTID in two list registers is UNPREDICTABLE */
            left = true;
            continue;
        }
        TODO(
            3,
            "to the first list register that is free: pending, group 1, a priority (only bits 7 to 3 count), the INTID; ISB");
        waiting[intid] = false;
    }
    if (left)
        TODO(4, "ICH_HCR_EL2: UIE besides EN, as long as something is left over; ISB. And without UIE when nothing is");
}

void virq_raise(u32 intid)
{
    if (!is_listed(intid)) /* an edge that comes while the last one is not taken is the same one */
        waiting[intid] = true;
    list_fill();
}

void irq_taken(void)
{
    TODO(
        2,
        "ICC_IAR1_EL1 says which, and takes it. SPURIOUS: nothing. INTID_EL2_TIMER: timer_next, and a VIRQ_TICK for the guest. "
        "INTID_MAINTENANCE: list_fill. Any other: panic. Then ICC_EOIR1_EL1, ISB");
}

void guest_waits(void)
{
    TODO(
        5,
        "WFI here, at EL2: it ends when a physical interrupt is pending. But if a list register holds something, the guest has "
        "nothing to wait for");
}
