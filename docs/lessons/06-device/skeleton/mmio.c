/* Accesses to devices that do not exist, found out from the syndrome of the abort. */
#include "device.h"

/* What a load of that size leaves in the register. */
static u64 extended(u64 value, unsigned bytes, bool sign, bool is_x)
{
    (void)value, (void)bytes, (void)sign, (void)is_x;
    TODO(3, "the low 8 * bytes bits; with a sign their highest bit in all above; for a W register "
            "bits 63 to 32 are 0");
}

bool mmio(struct vcpu *v, u64 ipa)
{
    const struct device *d = NULL;
    unsigned bytes = 1u << ISS_SAS(v->esr), rt = ISS_SRT(v->esr);
    for (unsigned n = 0; devices[n]; n++)
        if (ipa - devices[n]->base < devices[n]->size)
            d = devices[n];
    if (!d || !(v->esr & ISS_ISV))
        return false;
    u64 offset = ipa - d->base;
    if (v->esr & ISS_WRITE)
        TODO(1, "d->write with the register's low `bytes` bytes; register 31 is 0");
    (void)rt, (void)bytes, (void)offset, (void)extended;
    TODO(2, "d->read, once, even when nobody wants the value; `extended` to the register, if it "
            "is not 31");
    v->pc += 4;
    return true;
}

void inject_abort(struct vcpu *v)
{
    (void)v;
    TODO(4, "FAR_EL1 as the guest's FAR; inject() a class: 0x25 a data abort from the same EL, "
            "0x24 one from EL0; 0x21 and 0x20 when it was a fetch. Besides IL (bit 25) the status "
            "0x10, synchronous external abort");
}
