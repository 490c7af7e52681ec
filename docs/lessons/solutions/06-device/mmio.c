/* Accesses to devices that do not exist, found out from the syndrome of the abort. */
#include "device.h"

/* What a load of that size leaves in the register. */
static u64 extended(u64 value, unsigned bytes, bool sign, bool is_x)
{
    if (bytes == 8)
        return value;
    value &= BIT(8 * bytes) - 1;
    if (sign && value & BIT(8 * bytes - 1))
        value |= ~(BIT(8 * bytes) - 1);
    return is_x ? value : (u32)value;
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
    u64 offset = ipa - d->base, mask = bytes == 8 ? ~0ul : BIT(8 * bytes) - 1;
    if (v->esr & ISS_WRITE) {
        d->write(offset, bytes, (rt == 31 ? 0 : v->x[rt]) & mask);
    } else {
        u64 value = d->read(offset, bytes); /* also when nobody wants it: the device is to see it */
        if (rt != 31)
            v->x[rt] = extended(value, bytes, v->esr & ISS_SSE, v->esr & ISS_SF);
    }
    v->pc += 4;
    return true;
}

void inject_abort(struct vcpu *v)
{
    u64 from_el0 = FIELD(v->pstate, 3, 2) == 0, fetch = FIELD(v->esr, 31, 26) == 0x20;
    write_sysreg(far_el1, v->far);
    inject(v, (fetch ? 0x21 - from_el0 : 0x25 - from_el0) << 26 | BIT(25) | 0x10); /* IL; synchronous external abort */
}
