/* What a guest asks EL2 for. */
#include "device.h"
#include "gic.h"
#include "hypercall.h"
#include "stage2.h"
#include "sysreg.h"
#include "vm.h"

/* A text of the guest's, at an IPA. */
static bool say(u64 ipa, u64 size)
{
    char text[64];
    if (size > sizeof(text) || !guest_read(ipa, size, text))
        return false;
    print("guest %u says: ", current->number);
    for (u64 n = 0; n < size; n++)
        put_char(text[n]);
    print("\n");
    return true;
}

static void hypercall(struct vcpu *v)
{
    switch (v->x[0]) {
    case CALL_PUT: put_char((char)v->x[1]); break;
    case CALL_DOUBLE: v->x[0] = 2 * v->x[1]; break;
    case CALL_RAISE: v->x[0] = guest_raise(v->x[1]) ? 0 : CALL_UNKNOWN; break;
    case CALL_SAY: v->x[0] = say(v->x[1], v->x[2]) ? 0 : CALL_UNKNOWN; break;
    default: v->x[0] = CALL_UNKNOWN;
    }
}

static bool smc(struct vcpu *v)
{
    if ((u32)v->x[0] == PSCI_SYSTEM_OFF)
        return false;
    v->x[0] = CALL_UNKNOWN;
    v->pc += 4;
    return true;
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
    case EC_SMC: return smc(v);
    case EC_WFX:
        guest_waits();
        v->pc += 4;
        return true;
    case EC_SYSREG: guest_sysreg(v); return true;
    case EC_IABT_LOWER:
    case EC_DABT_LOWER: memory(v); return true;
    }
    if (guest_unknown(ec)) {
        inject_undefined(v);
        return true;
    }
    panic("the guest's exception class 0x%lx, ISS 0x%lx at 0x%lx", ec, FIELD(v->esr, 24, 0), v->pc);
}
