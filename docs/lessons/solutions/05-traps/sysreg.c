/* System registers that trap. */
#include "sysreg.h"

#define PFR0_LEVELS_GIC  (0xful << 24 | 0xfffful) /* GIC; EL3, EL2, EL1, EL0 */
#define PFR0_AARCH64     0x11ul           /* EL1 and EL0: AArch64 alone; no others */
#define DFR0_PMUVER      (0xful << 8)
#define PARANGE_40_BITS  2ul            /* as VTCR_EL2.PS */

void traps_on(void)
{
    write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_TID3 | HCR_TVM);
    write_sysreg(mdcr_el2, read_sysreg(mdcr_el2) | MDCR_TPM);
    write_sysreg(vpidr_el2, GUEST_MIDR);
    isb();
}

void inject_undefined(struct vcpu *v)
{
    u64 from = FIELD(v->pstate, 3, 2) == 0 ? 0x400 : v->pstate & 1 ? 0x200 : 0; /* EL0; EL1 with SP_EL1; with SP_EL0 */
    write_sysreg(esr_el1, BIT(25));                                             /* class 0, a 32-bit instruction */
    write_sysreg(elr_el1, v->pc);
    write_sysreg(spsr_el1, v->pstate);
    v->pc = read_sysreg(vbar_el1) + from;
    v->pstate = 0x3c5;
}

/* ---- ID registers: what the guest reads ---- */

static u64 id_value(u64 name)
{
    switch (name) {
    case NAME_ID_AA64PFR0_EL1: return (read_sysreg(id_aa64pfr0_el1) & ~PFR0_LEVELS_GIC) | PFR0_AARCH64;
    case NAME_ID_AA64DFR0_EL1: return read_sysreg(id_aa64dfr0_el1) & ~DFR0_PMUVER;
    case NAME_ID_AA64MMFR0_EL1: return (read_sysreg(id_aa64mmfr0_el1) & ~0xful) | PARANGE_40_BITS;
    }
    return 0; /* what is not named has no features */
}

/* Op0 3, Op1 0, CRn 0, CRm 1 to 7: the place of ID registers, named and reserved. */
static bool is_id(u64 name)
{
    return (name & ~SYSREG(0u, 0u, 0u, 7u, 7u)) == SYSREG(3, 0, 0, 0, 0) && name & SYSREG(0u, 0u, 0u, 7u, 0u);
}

/* ---- what controls stage 1: the guest's writes are done for it, until its MMU is on ---- */

static bool stage1_write(u64 name, u64 value)
{
    switch (name) {
    case NAME_MAIR_EL1: write_sysreg(mair_el1, value); return true;
    case NAME_TCR_EL1: write_sysreg(tcr_el1, value); return true;
    case NAME_TTBR0_EL1: write_sysreg(ttbr0_el1, value); return true;
    case NAME_SCTLR_EL1:
        write_sysreg(sctlr_el1, value);
        if (value & 1) {
            print("hypervisor: the guest switches its MMU on, tables at 0x%lx\n", read_sysreg(ttbr0_el1));
            write_sysreg(hcr_el2, read_sysreg(hcr_el2) & ~HCR_TVM);
        }
        return true;
    }
    return false;
}

void guest_sysreg(struct vcpu *v)
{
    u64 name = ISS_NAME(v->esr), rt = ISS_RT(v->esr);
    bool read = v->esr & ISS_READ;
    if (read && is_id(name)) {
        if (rt != 31)
            v->x[rt] = id_value(name);
    } else if (read || !stage1_write(name, rt == 31 ? 0 : v->x[rt])) {
        inject_undefined(v);
        return;
    }
    v->pc += 4;
}
