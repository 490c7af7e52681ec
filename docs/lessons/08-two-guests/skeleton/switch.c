/* The world switch: what of a guest is in the processor, but for the general registers (enter.S). */
#include "vm.h"

/* A row for each register of EL1 and EL0 that a guest can write, and EL2 does not use. */
#define EL1_LIST(ROW) ROW(sctlr_el1) ROW(ttbr0_el1)

static void el1_save(u64 *to)
{
    TODO(1, "EL1_LIST has two rows; the page says which others. Then this line goes");
#define ROW(name) *to++ = read_sysreg(name);
    EL1_LIST(ROW)
#undef ROW
}

static void el1_load(const u64 *from)
{
#define ROW(name) write_sysreg(name, *from++);
    EL1_LIST(ROW)
#undef ROW
}

static unsigned list_registers(void)
{
    unsigned n = (unsigned)FIELD(read_sysreg(ICH_VTR_EL2), 4, 0) + 1;
    return n < LIST_REGS ? n : LIST_REGS;
}

static void vgic_save(struct vm *v)
{
    (void)v, (void)list_registers;
    TODO(2, "the list registers, ICH_VMCR_EL2 and ICH_AP1R0_EL2; and back in vgic_load");
}

static void vgic_load(const struct vm *v) { (void)v; }

static void timer_save(struct vm *v)
{
    (void)v;
    TODO(3, "CNTVOFF_EL2, CNTV_CVAL_EL0, CNTV_CTL_EL0; the timer off afterwards; and back in "
            "timer_load");
}

static void timer_load(const struct vm *v) { (void)v; }

void vm_save(struct vm *v)
{
    v->hcr = read_sysreg(hcr_el2);
    el1_save(v->el1);
    vgic_save(v);
    timer_save(v);
}

void vm_load(const struct vm *v)
{
    TODO(4, "HCR_EL2, and VTTBR_EL2 with VMID and root");
    el1_load(v->el1);
    vgic_load(v);
    timer_load(v);
    isb();
}
