/*
 * PL031 real-time clock. Arm PrimeCell Real Time Clock (PL031) Technical Reference Manual, DDI 0224.
 * Counts seconds of machine time from a fixed start (-rtc base=), so that runs repeat.
 */
#include "board/machine.h"
#include "board/boot/tree.h"

enum { DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c, ID = 0xfe0 };
#define SECOND_NS ((u64)1000000000)

struct pl031 {
    u64 base_ns; /* machine time at which the counter had the value `base` */
    u32 base, match, load, imsc, ris;
    struct place at;
};
static const struct state_field fields[] = {
    STATE(pl031, base_ns), STATE(pl031, base), STATE(pl031, match), STATE(pl031, load),
    STATE(pl031, imsc),    STATE(pl031, ris),  STATE(pl031, at),
};

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
    machine_timer_set(m, dev->at, 0, wait ? dev->base_ns + (passed + wait) * SECOND_NS : m->now);
}

static void pl031_timer(struct machine *m, void *state, struct place at, unsigned n)
{
    (void)m, (void)at, (void)n;
    ((struct pl031 *)state)->ris = 1;
}

static bool pl031_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    const struct pl031 *dev = state;
    u64 offset = a->offset & ~(u64)3;
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
        m->d.guest_error = offset >= ID && offset < ID + 32 ? ERROR_NONE : ERROR_REGISTER;
    }
    return true;
}

static bool pl031_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct pl031 *dev = state;
    u32 v = (u32)value;
    switch (a->offset & ~(u64)3) {
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
    default: m->d.guest_error = ERROR_REGISTER;
    }
    return true;
}

static bool pl031_level(const void *state, unsigned wire)
{
    const struct pl031 *dev = state;
    (void)wire;
    return dev->ris & dev->imsc;
}

static void pl031_reset(struct machine *m, void *state, struct place at)
{
    *(struct pl031 *)state = (struct pl031){ .base = (u32)m->options.rtc_base, .at = at };
}

static const char *pl031_validate(const void *state, struct place at)
{
    const struct pl031 *dev = state;
    return dev->at.row != at.row || dev->at.n != at.n ? "pl031: place out of range" : NULL;
}

static void pl031_node(struct tree *t, struct place at)
{
    char path[64];
    tree_primecell(t, path, "pl031", at);
    TREE_CELLS(t, path, "clocks", t->clock);
    tree_string(t, path, "clock-names", "apb_pclk");
}

const struct kind kind_pl031 = {
    .name = "pl031",
    .compatible = "arm,pl031\0arm,primecell\0",
    .state = STATE_SHAPE(pl031, fields),
    .version = 1,
    .wires = 1,
    .timers = 1,
    .read = pl031_read,
    .write = pl031_write,
    .level = pl031_level,
    .timer = pl031_timer,
    .reset = pl031_reset,
    .validate = pl031_validate,
    .node = pl031_node,
};
