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
        lr_write((unsigned)__builtin_ctzl(free), LR_PENDING | LR_GROUP1 | LR_PRIORITY((intid & 31) << 3) | intid);
        isb();
        virq_waiting[intid] = false;
    }
    write_sysreg(ICH_HCR_EL2, ICH_HCR_EN | (left ? ICH_HCR_UIE : 0));
    isb();
}

void virq_raise(u32 intid)
{
    if (!is_listed(intid)) /* an edge that comes while the last one is not taken is the same one */
        virq_waiting[intid] = true;
    list_fill();
}
