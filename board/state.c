/*
 * The machine's state as sections: the table, and what walks it.
 */
#include "board/state.h"

#include "cpu/engine/code.h"
#include "cpu/exception.h"
#include "cpu/sysreg/pmu.h"
#include "mmu/access.h"
#include "mmu/tlb.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PAGE = 4096 };

/* ---- the table ---- */

static const struct state_field seen_fields[] = {
    STATE(loop_seen, pc), STATE(loop_seen, far), STATE(loop_seen, iss),    STATE(loop_seen, kind),
    STATE(loop_seen, ec), STATE(loop_seen, el),  STATE(loop_seen, target),
};
static const struct state_shape seen_shape = STATE_SHAPE(loop_seen, seen_fields);
static const struct state_field loop_fields[] = {
    STATE(loop_watch, count),
    STATE(loop_watch, insns),
    STATE(loop_watch, registers),
    STATE(loop_watch, memory),
    STATE(loop_watch, memory_at),
    STATE_OF(loop_watch, first, &seen_shape),
    STATE_OF(loop_watch, last, &seen_shape),
    STATE(loop_watch, plain),
    STATE(loop_watch, begun),
};
static const struct state_shape loop_shape = STATE_SHAPE(loop_watch, loop_fields);
static const struct state_field disk_fields[] = {
    STATE(disk_option, size),   STATE(disk_option, readonly), STATE(disk_option, unmap),    STATE(disk_option, through),
    STATE(disk_option, pad),    STATE(disk_option, serial),   STATE(disk_option, block),    STATE(disk_option, physical),
    STATE(disk_option, without),
};
static const struct state_shape disk_shape = STATE_SHAPE(disk_option, disk_fields);
static const struct state_field net_fields[] = {
    STATE(net_option, without),
    STATE(net_option, mac),
    STATE(net_option, pad),
    STATE(net_option, cid),
};
static const struct state_shape net_shape = STATE_SHAPE(net_option, net_fields);
static const struct state_field share_fields[] = { STATE(share_option, tag) };
static const struct state_shape share_shape = STATE_SHAPE(share_option, share_fields);
static const struct state_field input_fields[] = { STATE(input_option, there), STATE(input_option, serial) };
static const struct state_shape input_shape = STATE_SHAPE(input_option, input_fields);
static const struct state_field gpu_fields[] = {
    STATE(gpu_option, memory),  STATE(gpu_option, xres),    STATE(gpu_option, yres),
    STATE(gpu_option, outputs), STATE(gpu_option, no_edid), STATE(gpu_option, pad),
};
static const struct state_shape gpu_option_shape = STATE_SHAPE(gpu_option, gpu_fields);
static const struct state_field option_fields[] = {
    STATE(machine_options, ram_size),
    STATE(machine_options, ram_more),
    STATE(machine_options, seed),
    STATE(machine_options, rtc_base),
    STATE(machine_options, store_size),
    STATE(machine_options, cpu_count),
    STATE(machine_options, clusters),
    STATE(machine_options, cores),
    STATE(machine_options, threads),
    STATE(machine_options, semihost_own),
    STATE(machine_options, semihosting),
    STATE(machine_options, virtualization),
    STATE(machine_options, secure),
    STATE(machine_options, reset_loud),
    STATE(machine_options, virtio_modern),
    STATE(machine_options, gic_version),
    STATE(machine_options, its),
    STATE(machine_options, iommu),
    STATE(machine_options, lowmem),
    STATE(machine_options, flash_disk),
    STATE(machine_options, smmu_stage),
    STATE(machine_options, acpi),
    STATE(machine_options, firmware),
    STATE(machine_options, high_off),
    STATE(machine_options, compact),
    STATE(machine_options, pa_bits),
    STATE(machine_options, virtio_absent),
    STATE(machine_options, fw_cfg_no_dma),
    STATE(machine_options, balloon),
    STATE(machine_options, ramfb),
    STATE(machine_options, pad),
    STATE_OF(machine_options, disk, &disk_shape),
    STATE_OF(machine_options, net, &net_shape),
    STATE_OF(machine_options, share, &share_shape),
    STATE_OF(machine_options, input, &input_shape),
    STATE_OF(machine_options, gpu, &gpu_option_shape),
    STATE(machine_options, plug),
    STATE_OF(machine_options, pci, &pci_plug_shape),
};
const struct state_shape machine_options_shape = STATE_SHAPE(machine_options, option_fields);
static const struct state_field machine_fields[] = {
    STATE_OF(machine, options, &machine_options_shape),
    STATE(machine, conduit),
    STATE(machine, entry_el),
    STATE(machine, model),
    STATE(machine, now),
    STATE(machine, turn_end),
    STATE(machine, slice_end),
    STATE(machine, look_at),
    STATE(machine, turn),
    STATE(machine, mid),
    STATE(machine, semihost_errno),
    STATE(machine, idle_turns),
    STATE(machine, key_waiters),
    STATE(machine, key),
    STATE(machine, features_at),
    STATE(machine, pad1),
    STATE(machine, heap_low),
    STATE(machine, heap_high),
    STATE(machine, random),
};
static const struct state_shape machine_shape = STATE_SHAPE_UP_TO(machine, machine_fields, turns);
static const struct state_field turns_fields[] = {
    STATE(pe_turns, wait_mark),
    STATE_OF(pe_turns, loop, &loop_shape),
    STATE(pe_turns, idles),
    STATE(pe_turns, waits_key),
};
static const struct state_shape turns_shape = STATE_SHAPE(pe_turns, turns_fields);
static const struct state_field timers_fields[] = { STATE(pe_timers, event_seen) };
static const struct state_shape timers_shape = STATE_SHAPE(pe_timers, timers_fields);

enum { SECTION_MACHINE, SECTION_TURNS, SECTION_TIMERS, SECTION_GIC, SECTION_GIC_PPI, SECTION_GIC_CPU,
       SECTION_GIC_REDIST, SECTION_CPU, SECTION_TIMES, SECTION_DEVICES };

static struct section part_of(const char *name, void *at, const struct state_shape *shape)
{
    return (struct section){ name, 1, 1, shape->size, shape->size, at, shape };
}

/* A part for each PE that is there. */
static struct section pe_parts_of(struct machine *m, const char *name, void *at, const struct state_shape *shape)
{
    struct section s = part_of(name, at, shape);
    s.count = m->options.cpu_count;
    return s;
}

/* The devices of a row, if it has any with state. */
static bool device_section(struct machine *m, const struct row *row, struct section *s)
{
    if (!row->kind || !row->kind->state.size || !row_there(m, row))
        return false;
    *s = part_of(row->name, place_state(m, (struct place){ (u16)(row - row_get(0)), 0 }), &row->kind->state);
    s->version = row->kind->version;
    s->count = row_count(m, (unsigned)(row - row_get(0)));
    return s->count != 0;
}

bool section_get(struct machine *m, unsigned n, struct section *s)
{
    switch (n) {
    case SECTION_MACHINE: *s = part_of("machine", m, &machine_shape); return true;
    case SECTION_TURNS: *s = pe_parts_of(m, "turns", m->turns, &turns_shape); return true;
    case SECTION_TIMERS: *s = pe_parts_of(m, "timers", m->timers.pe, &timers_shape); return true;
    case SECTION_GIC: *s = part_of("gic", &m->gic, &gic_shape); return true;
    case SECTION_GIC_PPI: *s = pe_parts_of(m, "gic ppi", m->gic.ppi, &gic_bank_shape); return true;
    case SECTION_GIC_CPU: *s = pe_parts_of(m, "gic cpu", m->gic.cpu, &gic_cpu_shape); return true;
    case SECTION_GIC_REDIST: *s = pe_parts_of(m, "gic redist", m->gic.redist, &gic_redist_shape); return true;
    case SECTION_CPU:
        *s = pe_parts_of(m, "cpu", m->d.cpu, &cpu_shape);
        s->stride = sizeof(*m->d.cpu);
        s->version = 2; /* V is kept as 0 or 1 */
        return true;
    case SECTION_TIMES:
        *s = (struct section){ "device timers", 1, m->d.timer_count, 8, 8, (u8 *)m->d.timer_at, NULL };
        return true;
    default: break;
    }
    const struct row *row;
    unsigned left = n - SECTION_DEVICES;
    for (unsigned k = 0; (row = row_get(k)); k++)
        if (device_section(m, row, s) && left-- == 0)
            return true;
    *s = pe_parts_of(m, "gic vpe", m->gic.vlpi, &gic_lpis_shape);
    return left == 0 && m->d.parts & GICV4;
}

u64 section_hash(const struct section *s)
{
    return (s->shape ? state_shape_hash(s->shape) : 0) ^ (u64)s->version << 32;
}

/* ---- bytes ---- */

/* Lazily kept state in its one form. */
static void settle(struct machine *m)
{
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        cpu_settle(&m->d.cpu[n]);
        pmu_settle(&m->d.cpu[n]);
    }
}

u64 state_size(const struct machine *m)
{
    struct section s;
    u64 size = 0;
    for (unsigned n = 0; section_get((struct machine *)m, n, &s); n++)
        size += s.size * s.count;
    return size;
}

void state_save(struct machine *m, u8 *to)
{
    struct section s;
    settle(m);
    for (unsigned n = 0; section_get(m, n, &s); n++)
        for (u32 k = 0; k < s.count; k++, to += s.size)
            memcpy(to, s.at + s.stride * k, s.size);
}

/* What the table of the sections hangs on is what it was: the number of PEs and the rows of m, which the caller has
 * compared or does compare. */
static void state_copy(struct machine *m, const u8 *from)
{
    struct section s;
    u32 cpus = m->options.cpu_count;
    for (unsigned n = 0; section_get(m, n, &s); n++) {
        for (u32 k = 0; k < s.count; k++, from += s.size)
            memcpy(s.at + s.stride * k, from, s.size);
        if (n == SECTION_MACHINE && (m->options.cpu_count != cpus || !bus_fits(m)))
            return;
    }
}

/* All that hangs on the registers of a PE is worked out again. */
static void cpu_derive(struct machine *m, struct cpu *cpu)
{
    cpu->d.tlb_used = 1;
    mmu_drop_derived(cpu);
    cpu->d.page = NULL;
    cpu->d.now = cpu->d.run_from = m->now;
    cpu->d.attention = ATT_IRQ;
    cpu_control_changed(cpu);
}

void state_load(struct machine *m, const u8 *from)
{
    state_copy(m, from);
    for (u32 n = 0; n < m->options.cpu_count; n++)
        cpu_derive(m, &m->d.cpu[n]);
    bus_restored(m);
    machine_rouse(m);
    m->d.insns = 0;
    for (u32 n = 0; n < m->options.cpu_count; n++)
        m->d.insns += m->d.cpu[n].insns;
    bus_timers_changed(m);
    gic_rebuild(&m->gic, m->d.cpu);
    for (u32 n = 0; n < m->options.cpu_count; n++)
        m->d.cpu[n].d.attention |= ATT_IRQ;
    memset(m->d.loop_noted, 0, sizeof(m->d.loop_noted));
    m->d.end = (struct run_end){ .kind = END_NONE };
}

/* ---- what may be wrong ---- */

static const char *cpu_validate(const struct machine *m, u32 index)
{
    const struct cpu *cpu = &m->d.cpu[index];
    const struct pstate *p = &cpu->ps;
    const u8 flags[] = { p->d, p->a, p->i, p->f, p->pan, p->uao, p->ss, p->il, p->dit, p->ssbs, p->tco, p->allint };
    if (cpu->index != index || p->el > 3 || p->sp > 1 || cpu->halted > HALT_OFF)
        return "cpu: EL, SP or index out of range";
    for (unsigned n = 0; n < ARRAY_LEN(flags); n++)
        if (flags[n] > 1)
            return "cpu: PSTATE out of range";
    if (p->btype > 3 || p->nrw || cpu->flag_c > 1 || cpu->flag_v > 1 || cpu->step_active > 3)
        return "cpu: PSTATE out of range";
    if ((p->el == 2 && !cpu_has(cpu, FEAT_EL2)) || (p->el == 3 && !cpu_has(cpu, FEAT_EL3)))
        return "cpu: an EL that this CPU lacks";
    if (memcmp(&cpu->features, &m->model.features, sizeof(cpu->features)))
        return "cpu: features differ";
    if (cpu->yields & ~(u32)(ATT_LOOK | ATT_TURN))
        return "cpu: end of turn out of range";
    if (cpu->excl_valid && cpu->excl_size > 16)
        return "cpu: exclusive monitor out of range";
    if ((cpu->fetch_pa | cpu->fetch_va) & 4095)
        return "cpu: fetch page not aligned";
    return tlb_validate(cpu) ? NULL : "cpu: TLB out of range";
}

static u32 key_waiters(const struct machine *m)
{
    u32 count = 0;
    for (u32 n = 0; n < m->options.cpu_count; n++)
        count += m->turns[n].waits_key == 1 ? 1 : m->turns[n].waits_key ? MAX_CPUS + 1 : 0;
    return count;
}

const char *machine_validate(const struct machine *m)
{
    if (m->options.cpu_count < 1 || m->options.cpu_count > MAX_CPUS || m->turn >= m->options.cpu_count)
        return "machine: number of CPUs out of range";
    if (m->conduit > CONDUIT_SMC || m->entry_el < 1 || m->entry_el > 3)
        return "machine: conduit or entry EL out of range";
    if (key_waiters(m) != m->key_waiters || m->key > 0x101 || m->features_at > 5 ||
        m->options.semihosting > SEMIHOSTING_USERSPACE || m->options.semihost_own > 1)
        return "semihosting: state out of range";
    if (m->options.ram_size != m->d.phys.region[0].size)
        return "machine: RAM size differs";
    if (!gic_validate(&m->gic) || m->gic.parts != gic_parts_of(m) || m->gic.cpu_count != m->options.cpu_count)
        return "gic: state out of range";
    const char *wrong = bus_validate(m);
    for (u32 n = 0; n < m->options.cpu_count && !wrong; n++)
        wrong = cpu_validate(m, n);
    return wrong;
}

/* A machine of the same make, for its state alone: no RAM, nothing that could run. */
static struct machine *shadow_create(const struct machine *m)
{
    struct machine *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->options = m->options;
    s->d.phys = m->d.phys;
    s->d.cpu = cpus_allocate(m->options.cpu_count);
    if (bus_create(s) && s->d.cpu)
        return s;
    bus_destroy(s);
    cpus_free(s->d.cpu, m->options.cpu_count);
    free(s);
    return NULL;
}

const char *state_examine(const struct machine *m, const u8 *from)
{
    struct machine *s = shadow_create(m);
    if (!s)
        return "no memory to examine it";
    state_copy(s, from);
    const char *wrong = s->options.cpu_count != m->options.cpu_count ? "machine: number of CPUs differs"
                        : !bus_fits(s) ? "machine: what -machine or -device brings differs"
                                       : machine_validate(s);
    bus_destroy(s);
    cpus_free(s->d.cpu, m->options.cpu_count);
    free(s);
    return wrong;
}

/* ---- the hash ---- */

static void hash_region(XXH3_state_t *h, const struct phys_region *r)
{
    for (u64 page = 0; page < r->size / PAGE; page++) {
        const u8 *bytes = r->host + page * PAGE;
        if (!(r->flags[page] & PAGE_TOUCHED) || is_zeros(bytes, PAGE))
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
    struct section s;
    XXH3_state_t *h = XXH3_createState();
    if (!h)
        return 0;
    XXH3_64bits_reset(h);
    settle(m);
    for (unsigned n = 0; section_get(m, n, &s); n++)
        for (u32 k = 0; k < s.count; k++)
            XXH3_64bits_update(h, s.at + s.stride * k, s.size);
    for (unsigned n = 0; n < m->d.phys.region_count; n++)
        hash_region(h, &m->d.phys.region[n]);
    u64 hash = XXH3_64bits_digest(h);
    XXH3_freeState(h);
    return hash;
}
