/* The interrupts that the guest is given. */
#include "gic.h"

void vgic_on(void)
{
    TODO(1, "HCR_EL2: IMO besides what it has; ICH_VMCR_EL2 0; all list registers 0; ICH_HCR_EL2: "
            "EN; ISB");
}

/* The list register that has it, pending or taken and not ended; -1: none. */
static int listed(u32 intid)
{
    for (unsigned n = 0; n <= FIELD(read_sysreg(ICH_VTR_EL2), 4, 0); n++)
        if (!(read_sysreg(ICH_ELRSR_EL2) & BIT(n)) && (u32)lr_read(n) == intid)
            return (int)n;
    return -1;
}

/* From what waits to list registers that are free. While some is left over, the GIC is to say when there is room. */
void list_fill(void)
{
    bool left = false;
    for (u32 intid = 0; intid < INTIDS; intid++) {
        if (!virq_waiting[intid])
            continue;
        u64 free = read_sysreg(ICH_ELRSR_EL2);
        int n = listed(intid); /* the same INTID in two list registers is UNPREDICTABLE */
        if (n >= 0) {
            lr_write((unsigned)n, lr_read((unsigned)n) | LR_PENDING);
        } else if (!free) {
            left = true;
            continue;
        } else {
            TODO(3, "to the first list register that is free: pending, group 1, a priority (only "
                    "bits 7 to 3 count), the INTID; ISB");
        }
        virq_waiting[intid] = false;
    }
    if (left)
        TODO(4, "ICH_HCR_EL2: UIE besides EN, as long as something is left over; ISB. And without "
                "UIE when nothing is");
}

void virq_raise(u32 intid)
{
    virq_waiting[intid] = true;
    list_fill();
}
