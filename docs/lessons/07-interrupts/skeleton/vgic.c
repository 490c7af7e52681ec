/* The interrupts that the guest is given. */
#include "gic.h"

void vgic_on(void)
{
    TODO(1, "HCR_EL2: IMO besides what it has; ICH_VMCR_EL2 0; all list registers 0; ICH_HCR_EL2: EN; ISB");
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
void list_fill(void)
{
    bool left = false;
    for (u32 intid = 0; intid < INTIDS; intid++) {
        u64 free = read_sysreg(ICH_ELRSR_EL2);
        if (!virq_waiting[intid])
            continue;
        if (!free || is_listed(intid)) { /* the same INTID in two list registers is UNPREDICTABLE */
            left = true;
            continue;
        }
        TODO(
            3,
            "to the first list register that is free: pending, group 1, a priority (only bits 7 to 3 count), the INTID; ISB");
        virq_waiting[intid] = false;
    }
    if (left)
        TODO(4, "ICH_HCR_EL2: UIE besides EN, as long as something is left over; ISB. And without UIE when nothing is");
}

void virq_raise(u32 intid)
{
    if (!is_listed(intid)) /* an edge that comes while the last one is not taken is the same one */
        virq_waiting[intid] = true;
    list_fill();
}
