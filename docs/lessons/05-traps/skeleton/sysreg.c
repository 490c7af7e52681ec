/* System registers that trap. */
#include "sysreg.h"

void traps_on(void)
{
    TODO(1, "HCR_EL2: TID3 and TVM besides what it has; MDCR_EL2: TPM besides what it has; "
            "VPIDR_EL2: GUEST_MIDR; ISB");
}

void inject_undefined(struct vcpu *v)
{
    (void)v;
    TODO(4, "ESR_EL1: class 0, and bit 25 (IL); ELR_EL1, SPSR_EL1 from the vcpu; then pc: "
            "VBAR_EL1 + 0x200 from EL1h, + 0 from EL1t, + 0x400 from EL0; pstate: EL1h, D, A, I, "
            "F masked");
}

/* ---- ID registers: what the guest reads ---- */

static u64 id_value(u64 name)
{
    switch (name) {
    case NAME_ID_AA64PFR0_EL1:
    case NAME_ID_AA64DFR0_EL1:
    case NAME_ID_AA64MMFR0_EL1:
        TODO(3, "what the register has, less EL2, EL3, GIC, with EL1 and EL0 AArch64 alone "
                "(PFR0); less PMUVer (DFR0); with PARange 40 bits");
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
        TODO(5, "the write; when bit 0 (M) is 1: the line that the page shows, and HCR_EL2 "
                "without TVM from now on");
    }
    return false;
}

void guest_sysreg(struct vcpu *v)
{
    u64 name = ISS_NAME(v->esr), rt = ISS_RT(v->esr);
    (void)name, (void)rt, (void)is_id, (void)id_value, (void)stage1_write;
    TODO(2, "a read of an ID register: id_value to the register Rt, if it is not 31. A write that "
            "stage1_write does. Behind both: pc + 4. Anything else: inject_undefined");
}
