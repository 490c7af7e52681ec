/*
 * PL061 GPIO. Arm PrimeCell General Purpose Input/Output (PL061) Technical Reference Manual, DDI 0190.
 * Line 3 of the board's first one is the power button; lines 0 and 1 of the secure one power off and reset.
 * Left out: hardware control mode (AFSEL has no effect).
 */
#include "board/machine.h"

enum { DATA_END = 0x400, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414, MIS = 0x418, IC = 0x41c,
       AFSEL = 0x420, ID = 0xfe0 };

static const u8 pl061_id[8] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

/* The lines as the guest sees them: outputs from the data register, inputs from outside. */
static u8 lines(const struct pl061 *dev) { return (u8)((dev->data & dev->dir) | (dev->input & ~dev->dir)); }

/* Edge lines latch in RIS, level lines follow. `before` is what lines() was. */
static void update(struct pl061 *dev, u8 before)
{
    u8 now = lines(dev), rose = now & (u8)~before, fell = before & (u8)~now;
    u8 edge = (u8)((dev->ibe & (rose | fell)) | (~dev->ibe & ((dev->iev & rose) | (~dev->iev & fell))));
    u8 level = (u8)~(now ^ dev->iev);
    dev->ris = (u8)((dev->ris | (edge & ~dev->dir)) & ~dev->is) | (u8)(level & dev->is & ~dev->dir);
}

void pl061_input(struct pl061 *dev, unsigned line, bool high)
{
    u8 before = lines(dev);
    dev->input = (u8)((dev->input & ~(1u << line)) | (unsigned)high << line);
    update(dev, before);
}

bool pl061_read(struct machine *m, struct pl061 *dev, struct device_access a, u64 *value)
{
    (void)m;
    u64 offset = a.offset & ~(u64)3;
    if (offset < DATA_END) { /* address bits 9:2 mask the data */
        *value = lines(dev) & (offset >> 2);
        return true;
    }
    switch (offset) {
    case DIR: *value = dev->dir; break;
    case IS: *value = dev->is; break;
    case IBE: *value = dev->ibe; break;
    case IEV: *value = dev->iev; break;
    case IE: *value = dev->ie; break;
    case RIS: *value = dev->ris; break;
    case MIS: *value = dev->ris & dev->ie; break;
    case AFSEL: *value = dev->afsel; break;
    default:
        *value = offset >= ID && offset < ID + 32 ? pl061_id[(offset - ID) / 4] : 0;
        m->d.odd = offset >= ID && offset < ID + 32 ? ODD_NOT : ODD_REGISTER;
    }
    return true;
}

static void outputs_act(struct machine *m, const struct pl061 *dev, u8 before)
{
    u8 rose = (u8)(lines(dev) & dev->dir & ~before);
    if (!dev->secure)
        return;
    if (rose & 1)
        machine_stop(m, STOP_OFF, 0, "");
    else if (rose & 2)
        machine_stop(m, STOP_RESET, 0, "");
}

bool pl061_write(struct machine *m, struct pl061 *dev, struct device_access a, u64 value)
{
    u64 offset = a.offset & ~(u64)3;
    u8 v = (u8)value, before = lines(dev), outputs = before & dev->dir;
    if (offset < DATA_END) {
        u8 mask = (u8)((offset >> 2) & dev->dir);
        dev->data = (u8)((dev->data & ~mask) | (v & mask));
    }
    switch (offset) {
    case DIR: dev->dir = v; break;
    case IS: dev->is = v; break;
    case IBE: dev->ibe = v; break;
    case IEV: dev->iev = v; break;
    case IE: dev->ie = v; break;
    case IC: dev->ris &= (u8)~v; break;
    case AFSEL: dev->afsel = v; break;
    default: m->d.odd = offset < DATA_END ? ODD_NOT : ODD_REGISTER;
    }
    update(dev, before);
    outputs_act(m, dev, outputs);
    return true;
}

bool pl061_level(const struct pl061 *dev) { return dev->ris & dev->ie; }

void pl061_reset(struct pl061 *dev)
{
    u8 secure = dev->secure;
    memset(dev, 0, sizeof(*dev));
    dev->secure = secure;
}

const char *pl061_validate(const struct pl061 *dev)
{
    (void)dev;
    return NULL;
}
