/*
 * What the devices ask of the machine: console bytes, interrupts, RAM, random numbers; and what looks at the machine as
 * a whole: validation and the state hash.
 */
#include "board/machine.h"

#include "cpu/pmu.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PAGE = 4096 };

void machine_output(struct machine *m, unsigned port, u8 byte) { m->d.host.output(m->d.host.who, port, byte); }

int machine_input(struct machine *m, unsigned port, bool waiting)
{
    if (port == PORT_UART0 && m->key - 1 <= 0xff) { /* it came for a semihosting call that has not fetched it */
        u32 key = m->key - 1;
        m->key = 0;
        return (int)key;
    }
    int byte = m->d.host.input(m->d.host.who, port, waiting || m->d.waiting);
    if (byte >= 0 && m->d.host.input_logged)
        m->d.host.input_logged(m->d.host.who, port, (u8)byte, m->now);
    return byte;
}

void machine_input_kick(struct machine *m)
{
    if (m->d.in_kick)
        return; /* input made output that made input: the outer call goes on */
    m->d.in_kick = 1;
    semihost_input(m);
    pl011_fill(m, &m->uart0[0]);
    pl011_fill(m, &m->uart1[0]);
    for (unsigned n = 0; n < ARRAY_LEN(m->virtio); n++)
        if (m->virtio[n].kind == VIRTIO_CONSOLE)
            virtio_console_fill(m, &m->virtio[n]);
    virt_update_irqs(m);
    m->d.in_kick = 0;
}

void machine_spi(struct machine *m, unsigned spi, bool level) { gic_set_spi(&m->gic, 32 + spi, level); }

/* xoroshiro128+ */
u64 machine_random(struct machine *m)
{
    u64 a = m->random[0], b = m->random[1], result = a + b;
    b ^= a;
    m->random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    m->random[1] = b << 37 | b >> 27;
    return result;
}

bool machine_dma_read(struct machine *m, u64 pa, void *to, u64 size)
{
    struct phys_region *ram = &m->d.phys.region[0];
    return pa - ram->base < ram->size && size <= ram->size - (pa - ram->base) &&
           phys_copy_out(&m->d.phys, pa, to, size);
}

/* B2.9.2: a store by another observer to the marked granule (CTR_EL0.ERG) opens the monitor, which sets the event
 * register. Stores of other PEs need not come here: who gets the turn finds the monitors of the others open. */
static void monitors_open(struct machine *m, u64 pa, u64 size)
{
    for (u32 n = 0; n < m->cpu_count; n++) {
        struct cpu *cpu = &m->d.cpu[n];
        u64 granule = (u64)4 << bits(cpu->sys.ctr_el0, 23, 20), first = align_down(cpu->excl_pa, granule);
        if (!cpu->excl_valid || (first - pa >= size && pa - first >= granule))
            continue;
        cpu->excl_valid = 0;
        cpu->event = 1;
        cpu_others_wake(cpu);
    }
}

bool machine_write(struct machine *m, u64 pa, const void *from, u64 size)
{
    if (!phys_copy_in(&m->d.phys, pa, from, size))
        return false;
    monitors_open(m, pa, size);
    return true;
}

bool machine_dma_write(struct machine *m, u64 pa, const void *from, u64 size)
{
    struct phys_region *ram = &m->d.phys.region[0];
    return pa - ram->base < ram->size && size <= ram->size - (pa - ram->base) && machine_write(m, pa, from, size);
}

const char *machine_validate(const struct machine *m)
{
    if (m->cpu_count < 1 || m->cpu_count > MAX_CPUS || m->turn >= m->cpu_count)
        return "machine: number of CPUs out of range";
    if (m->conduit > CONDUIT_SMC || m->entry_el < 1 || m->entry_el > 3)
        return "machine: conduit or entry EL out of range";
    if (m->key_waiters >> m->cpu_count || m->key > 0x101 || m->features_at > 5 ||
        m->semihosting > SEMIHOSTING_USERSPACE)
        return "semihosting: state out of range";
    if (m->ram_size != m->d.phys.region[0].size)
        return "machine: RAM size differs";
    for (u32 n = 0; n < m->cpu_count; n++) {
        const struct cpu *cpu = &m->d.cpu[n];
        if (cpu->index != n || cpu->ps.el > 3 || cpu->ps.sp > 1 || cpu->halted > HALT_OFF)
            return "cpu: EL, SP or index out of range";
    }
    if (!gic_validate(&m->gic))
        return "gic: state out of range";
    return virt_validate(m);
}

static bool page_is_zero(const u8 *page) { return !page[0] && !memcmp(page, page + 1, PAGE - 1); }

static void hash_region(XXH3_state_t *h, const struct phys_region *r)
{
    for (u64 page = 0; page < r->size / PAGE; page++) {
        const u8 *bytes = r->host + page * PAGE;
        if (!(r->flags[page] & PAGE_TOUCHED) || page_is_zero(bytes))
            continue;
        u64 pa = r->base + page * PAGE;
        XXH3_64bits_update(h, &pa, sizeof(pa));
        XXH3_64bits_update(h, bytes, PAGE);
    }
}

u64 machine_hash_ram(const struct machine *m)
{
    XXH3_state_t *h = XXH3_createState();
    if (!h)
        return 0;
    XXH3_64bits_reset(h);
    for (unsigned n = 0; n < m->d.phys.region_count; n++)
        hash_region(h, &m->d.phys.region[n]);
    u64 hash = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    return hash;
}

u64 machine_hash(struct machine *m)
{
    XXH3_state_t *h = XXH3_createState();
    if (!h)
        return 0;
    XXH3_64bits_reset(h);
    XXH3_64bits_update(h, m, offsetof(struct machine, gic) + offsetof(struct gic, d));
    for (u32 n = 0; n < m->cpu_count; n++) {
        cpu_settle(&m->d.cpu[n]);
        pmu_settle(&m->d.cpu[n]);
        XXH3_64bits_update(h, &m->d.cpu[n], offsetof(struct cpu, d));
    }
    for (unsigned n = 0; n < m->d.phys.region_count; n++)
        hash_region(h, &m->d.phys.region[n]);
    u64 hash = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    return hash;
}
