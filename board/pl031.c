/*
 * PL031 real-time clock. Arm PrimeCell Real Time Clock (PL031) Technical Reference Manual, DDI 0224.
 * Counts seconds of machine time from a fixed start (-rtc base=), so that runs repeat.
 */
#include "board/machine.h"

enum { DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c, ID = 0xfe0 };
#define SECOND_NS ((u64)1000000000)

static const u8 pl031_id[8] = { 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static u32 counter(const struct machine *m, const struct pl031 *dev)
{
    return dev->base + (u32)((m->now - dev->base_ns) / SECOND_NS);
}

/* The match register is compared for equality: the alarm is (match - counter) mod 2^32 seconds away. */
static void alarm_set(struct machine *m, struct pl031 *dev)
{
    u64 passed = (m->now - dev->base_ns) / SECOND_NS;
    u32 wait = dev->match - counter(m, dev);
    machine_event_set(m, EVENT_rtc_alarm, wait ? dev->base_ns + (passed + wait) * SECOND_NS : m->now);
}

void pl031_alarm(struct machine *m, struct pl031 *dev)
{
    (void)m;
    dev->ris = 1;
}

bool pl031_read(struct machine *m, struct pl031 *dev, struct device_access a, u64 *value)
{
    u64 offset = a.offset & ~(u64)3;
    switch (offset) {
    case DR: *value = counter(m, dev); break;
    case MR: *value = dev->match; break;
    case LR: *value = dev->load; break;
    case CR: *value = 1; break; /* always enabled */
    case IMSC: *value = dev->imsc; break;
    case RIS: *value = dev->ris; break;
    case MIS: *value = dev->ris & dev->imsc; break;
    default:
        *value = offset >= ID && offset < ID + 32 ? pl031_id[(offset - ID) / 4] : 0;
        m->d.odd = offset >= ID && offset < ID + 32 ? ODD_NOT : ODD_REGISTER;
    }
    return true;
}

bool pl031_write(struct machine *m, struct pl031 *dev, struct device_access a, u64 value)
{
    u32 v = (u32)value;
    switch (a.offset & ~(u64)3) {
    case MR:
        dev->match = v;
        alarm_set(m, dev);
        break;
    case LR:
        dev->load = dev->base = v;
        dev->base_ns = m->now;
        alarm_set(m, dev);
        break;
    case IMSC: dev->imsc = v & 1; break;
    case ICR: dev->ris &= ~(v & 1); break;
    case CR: break;
    default: m->d.odd = ODD_REGISTER;
    }
    return true;
}

bool pl031_level(const struct pl031 *dev) { return dev->ris & dev->imsc; }

/* The board sets base and base_ns. */
void pl031_reset(struct pl031 *dev) { memset(dev, 0, sizeof(*dev)); }

const char *pl031_validate(const struct pl031 *dev)
{
    (void)dev;
    return NULL;
}
