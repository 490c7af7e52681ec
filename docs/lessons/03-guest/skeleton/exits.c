/* What a guest asks EL2 for. */
#include "hypercall.h"
#include "vcpu.h"

static void hypercall(struct vcpu *v)
{
    switch (v->x[0]) {
    case CALL_PUT: put_char((char)v->x[1]); break;
    default: TODO(5, "CALL_DOUBLE: its answer in x0; any other number: CALL_UNKNOWN");
    }
}

/* False: the guest has switched itself off. */
static bool smc(struct vcpu *v)
{
    (void)v;
    TODO(6, "PSCI_SYSTEM_OFF in w0 is the end. Any other: x0 = CALL_UNKNOWN, and on behind the "
            "SMC, which a trap has not done");
}

bool guest_exit(struct vcpu *v, u64 kind)
{
    u64 ec = FIELD(v->esr, 31, 26);
    if (kind != EXIT_SYNC)
        panic("exit of kind %lu", kind);
    switch (ec) {
    case EC_HVC: hypercall(v); return true;
    case EC_SMC: return smc(v);
    case EC_WFX: TODO(4, "there is nothing to wait for yet: on behind the WFI, which a trap has not done");
    }
    panic("the guest's exception class 0x%lx, ISS 0x%lx at 0x%lx", ec, FIELD(v->esr, 24, 0), v->pc);
}
