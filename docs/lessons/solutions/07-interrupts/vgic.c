/* The interrupts that the guest is given. */
#include "gic.h"

void vgic_on(void)
{
    write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_IMO);
    write_sysreg(ICH_VMCR_EL2, 0);
    for (unsigned n = 0; n <= FIELD(read_sysreg(ICH_VTR_EL2), 4, 0); n++)
        lr_write(n, 0);
    write_sysreg(ICH_HCR_EL2, ICH_HCR_EN);
    isb();
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
            lr_write((unsigned)__builtin_ctzl(free), LR_PENDING | LR_GROUP1 | LR_PRIORITY((intid & 31) << 3) | intid);
            isb();
        }
        virq_waiting[intid] = false;
    }
    write_sysreg(ICH_HCR_EL2, ICH_HCR_EN | (left ? ICH_HCR_UIE : 0));
    isb();
}

void virq_raise(u32 intid)
{
    virq_waiting[intid] = true;
    list_fill();
}
