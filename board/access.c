/* What the devices ask of the machine: console bytes, network frames, random numbers, RAM that is written beside the
 * PEs. */
#include "board/machine.h"

void machine_output(struct machine *m, unsigned port, u8 byte) { m->d.host.output(m->d.host.ctx, port, byte); }

int machine_input(struct machine *m, unsigned port, bool waiting)
{
    if (port == machine_semihost_port(m) &&
        m->key - 1 <= 0xff) { /* it came for a semihosting call that has not fetched it */
        u32 key = m->key - 1;
        m->key = 0;
        return (int)key;
    }
    int byte = m->d.host.input(m->d.host.ctx, port, waiting || m->d.waiting);
    if (byte >= 0 && m->d.host.input_logged)
        m->d.host.input_logged(m->d.host.ctx, port, (u8)byte, m->now);
    return byte;
}

void machine_frame_out(struct machine *m, unsigned net, const void *frame, u64 size)
{
    if (m->d.host.frame_out)
        m->d.host.frame_out(m->d.host.ctx, net, frame, size);
}

s64 machine_frame_in(struct machine *m, unsigned net, void *frame, u64 room)
{
    s64 size = m->d.host.frame_in ? m->d.host.frame_in(m->d.host.ctx, net, frame, room) : 0;
    if (size > 0 && m->d.host.frame_logged)
        m->d.host.frame_logged(m->d.host.ctx, net, frame, (u64)size);
    return size;
}

s32 machine_events_in(struct machine *m, unsigned input, struct input_event *group, u32 room, u64 *again)
{
    return m->d.host.events_in ? m->d.host.events_in(m->d.host.ctx, input, group, room, again) : 0;
}

/* ---- shares ---- */

u32 machine_share_serve(struct machine *m, unsigned share, const void *request, u32 size, void *answer)
{
    return m->d.host.share_serve ? m->d.host.share_serve(m->d.host.ctx, share, request, size, answer) : 0;
}

const u8 *machine_share(const struct machine *m, unsigned share)
{
    const struct phys_region *r = phys_region_at((struct phys *)&m->d.phys, SHARE_BASE + (u64)share * SHARE_ROOM);
    return r ? r->host + (u64)share * SHARE_ROOM : NULL;
}

/* Pages that hold zeros already take no memory. */
void machine_share_put(struct machine *m, unsigned share, u64 offset, const void *from, u64 size)
{
    enum { PAGE = 4096 };
    static const u8 zeros[PAGE];
    const u8 *room = machine_share(m, share), *bytes = from;
    if (!room || offset > SHARE_ROOM || size > SHARE_ROOM - offset)
        return;
    for (u64 part; size; offset += part, size -= part) {
        part = PAGE - offset % PAGE < size ? PAGE - offset % PAGE : size;
        const u8 *now = bytes ? bytes : zeros;
        if (memcmp(room + offset, now, part))
            phys_copy_in(&m->d.phys, SHARE_BASE + (u64)share * SHARE_ROOM + offset, now, part);
        bytes = bytes ? bytes + part : NULL;
    }
}

void machine_input_kick(struct machine *m)
{
    if (m->d.in_kick)
        return; /* input made output that made input: the outer call goes on */
    m->d.in_kick = 1;
    semihost_input(m);
    bus_input(m);
    m->d.in_kick = 0;
}

void machine_input_offer(struct machine *m)
{
    m->d.waiting = 1;
    machine_input_kick(m);
    m->d.waiting = 0;
}

/* xoroshiro128+ */
u64 machine_random(struct machine *m)
{
    u64 a = m->random[0], b = m->random[1], result = a + b;
    b ^= a;
    m->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    m->random[1] = b << 37 | b >> 27;
    return result;
}

/* B2.9.2: a store by another observer to the marked granule (CTR_EL0.ERG) opens the monitor, which sets the event
 * register. Stores of other PEs need not come here: who gets the turn finds the monitors of the others open; so there
 * is no other to open, either. */
static void monitors_open(struct machine *m, u64 pa, u64 size)
{
    struct cpu *cpu = &m->d.cpu[m->turn];
    u64 granule = (u64)4 << bits(cpu->sys.ctr_el0, 23, 20), first = align_down(cpu->excl_pa, granule);
    if (!cpu->excl_valid || (first - pa >= size && pa - first >= granule))
        return;
    cpu->excl_valid = 0;
    cpu->event = 1;
    cpu_may_run(cpu);
}

void machine_event(struct machine *m)
{
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        m->d.cpu[n].event = 1;
        cpu_may_run(&m->d.cpu[n]);
    }
}

void machine_write_ram(struct machine *m, struct phys_region *ram, u64 pa, const void *from, u64 size)
{
    phys_region_write(&m->d.phys, ram, pa, from, size);
    monitors_open(m, pa, size);
}

bool machine_discard(struct machine *m, u64 pa, u64 size)
{
    if (!phys_discard(&m->d.phys, pa, size))
        return false;
    monitors_open(m, pa, size);
    return true;
}

bool machine_write(struct machine *m, u64 pa, const void *from, u64 size)
{
    if (!phys_copy_in(&m->d.phys, pa, from, size))
        return false;
    monitors_open(m, pa, size);
    return true;
}
