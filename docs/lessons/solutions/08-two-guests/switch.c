/* The world switch: what of a guest is in the processor, but for the general registers (enter.S). */
#include "vm.h"

/* A row for each register of EL1 and EL0 that a guest can write, and EL2 does not use. */
#define EL1_LIST(ROW)                                                                                                  \
    ROW(sctlr_el1) ROW(ttbr0_el1) ROW(ttbr1_el1) ROW(tcr_el1) ROW(mair_el1) ROW(vbar_el1) ROW(sp_el1) ROW(sp_el0)      \
    ROW(elr_el1) ROW(spsr_el1) ROW(esr_el1) ROW(far_el1) ROW(par_el1) ROW(contextidr_el1) ROW(cpacr_el1)               \
    ROW(tpidr_el1) ROW(tpidr_el0) ROW(tpidrro_el0) ROW(cntkctl_el1) ROW(vmpidr_el2)

static void el1_save(u64 *to)
{
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
    for (unsigned n = 0; n < list_registers(); n++)
        v->lr[n] = lr_read(n);
    v->vmcr = read_sysreg(ICH_VMCR_EL2);
    v->ap1r0 = read_sysreg(ICH_AP1R0_EL2);
}

static void vgic_load(const struct vm *v)
{
    for (unsigned n = 0; n < list_registers(); n++)
        lr_write(n, v->lr[n]);
    write_sysreg(ICH_VMCR_EL2, v->vmcr);
    write_sysreg(ICH_AP1R0_EL2, v->ap1r0);
}

static void timer_save(struct vm *v)
{
    v->cntvoff = read_sysreg(cntvoff_el2);
    v->cntv_cval = read_sysreg(cntv_cval_el0);
    v->cntv_ctl = read_sysreg(cntv_ctl_el0);
    write_sysreg(cntv_ctl_el0, 0); /* nobody's while EL2 decides */
    isb();
}

static void timer_load(const struct vm *v)
{
    write_sysreg(cntvoff_el2, v->cntvoff);
    write_sysreg(cntv_cval_el0, v->cntv_cval);
    isb();
    write_sysreg(cntv_ctl_el0, v->cntv_ctl); /* last: it must not be due by another's time */
}

void vm_save(struct vm *v)
{
    v->hcr = read_sysreg(hcr_el2);
    el1_save(v->el1);
    vgic_save(v);
    timer_save(v);
}

void vm_load(const struct vm *v)
{
    write_sysreg(hcr_el2, v->hcr);
    write_sysreg(vttbr_el2, v->memory.vmid << 48 | (u64)v->memory.root);
    el1_load(v->el1);
    vgic_load(v);
    timer_load(v);
    isb();
}
