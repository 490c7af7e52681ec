/* What a guest asks EL2 for. */
#include "device.h"
#include "gic.h"
#include "hypercall.h"
#include "sysreg.h"
#include "vm.h"

static void hypercall(struct vcpu *v)
{
    switch (v->x[0]) {
    case CALL_PUT: put_char((char)v->x[1]); break;
    case CALL_DOUBLE: v->x[0] = 2 * v->x[1]; break;
    case CALL_SWAP: { /* another page, with another word in it, at an IPA of the guest's */
        u64 *page = page_new();
        page[0] = 2;
        page_set(&current->memory, v->x[1], (u64)page, S2_READ | S2_WRITE);
        break;
    }
    default: v->x[0] = CALL_UNKNOWN;
    }
}

/* Memory that comes when it is touched, a device, or nothing. */
static void memory(struct vcpu *v)
{
    u64 ipa = 0;
    if (guest_fault(v, &ipa))
        return;
    if (FIELD(v->esr, 31, 26) != EC_DABT_LOWER || !mmio(v, ipa | FIELD(v->far, 11, 0)))
        inject_abort(v);
}

bool guest_exit(struct vcpu *v, u64 kind)
{
    u64 ec = FIELD(v->esr, 31, 26);
    if (kind == EXIT_IRQ) {
        irq_taken();
        return true;
    }
    if (kind != EXIT_SYNC)
        panic("exit of kind %lu", kind);
    switch (ec) {
    case EC_HVC: hypercall(v); return true;
    case EC_SMC: return guest_psci(v);
    case EC_WFX:
        guest_waits();
        v->pc += 4;
        return true;
    case EC_SYSREG:
        if (ISS_NAME(v->esr) == NAME_ICC_SGI1R_EL1 && !(v->esr & ISS_READ)) {
            guest_sgi(ISS_RT(v->esr) == 31 ? 0 : v->x[ISS_RT(v->esr)]);
            v->pc += 4;
        } else {
            guest_sysreg(v);
        }
        return true;
    case EC_IABT_LOWER:
    case EC_DABT_LOWER: memory(v); return true;
    }
    panic("the guest's exception class 0x%lx, ISS 0x%lx at 0x%lx", ec, FIELD(v->esr, 24, 0), v->pc);
}
