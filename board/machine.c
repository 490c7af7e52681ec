/*
 * The machine's life: making it, resetting it, its clock and event table, whose turn it is (docs/design.md, "Time,
 * processors, input").
 */
#define _GNU_SOURCE
#include "board/machine.h"

#include "board/dev/gpu.h"
#include "board/observer.h"
#include "cpu/affinity.h"
#include "mmu/tags.h"
#include "cpu/engine/code.h"
#include "cpu/exception.h"
#include "cpu/sysreg/pmu.h"
#include "cpu/engine/run.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"
#include "mmu/memo.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, CODE_PAGES = 4096, POLL_SLICES = 64, IDLE_TURN_INSNS = 64 };
/* cpu.event: set by SEV and the like, and by the end of a turn. */
enum { EVENT_CALLED = 1, EVENT_BY_TURN = 2 };

/* ---- making it ---- */

static bool region_add(struct machine *m, u64 base, u64 size, bool secure)
{
    struct phys_region *r = &m->d.phys.region[m->d.phys.region_count];
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    u8 *flags = calloc(size / PAGE, 1);
    if (host == MAP_FAILED || !flags) {
        if (host != MAP_FAILED)
            munmap(host, size);
        free(flags);
        return false;
    }
    *r = (struct phys_region){ .base = base, .size = size, .host = host, .flags = flags, .secure = secure };
    m->d.phys.region_count++;
    return true;
}

static bool ram_create(struct machine *m)
{
    const struct row *row;
    bool ok = region_add(m, row_get(ROW_ram)->base, m->options.ram_size, false); /* the first: where images go */
    for (unsigned n = 0; ok && (row = row_get(n)); n++)
        for (u32 k = 0; ok && k < row->count && row_there(m, row) && row->size && (!row->kind || row->kind->memory);
             k++) {
            ok = region_add(m, row->base + k * row->size, row->size, row_secure(m, row));
            m->d.phys.region[m->d.phys.region_count - 1].readonly = row->kind != NULL;
        }
    m->d.ram_count = m->d.phys.region_count;
    /* a byte of allocation tag for each 16 bytes, beside the RAM (mmu/tags.h) */
    for (unsigned n = 0, count = m->d.phys.region_count; ok && n < count && feature_has(&m->model.features, FEAT_MTE2);
         n++) {
        const struct phys_region *ram = &m->d.phys.region[n];
        if (!ram->readonly)
            ok = region_add(m, tag_pa(ram->base), align_up(ram->size >> 4, PAGE), ram->secure);
    }
    return ok;
}

enum { STORE_MIB = 4096 /* at most; a size may come from a hostile snapshot */ };
static bool store_create(struct machine *m)
{
    u64 size = m->options.store_size;
    bool ok = !size || (!(size % PAGE) && size >> 20 <= STORE_MIB && region_add(m, STORE_BASE, size, false));
    if (ok && size)
        m->d.phys.region[m->d.phys.region_count - 1].closed = true;
    return ok;
}

/* As many rooms as the last share needs. */
static bool shares_create(struct machine *m)
{
    u64 count = 0;
    for (unsigned n = 0; n < MAX_SHARES; n++)
        count = m->options.share[n].tag[0] ? n + 1u : count;
    bool ok = !count || region_add(m, SHARE_BASE, count * SHARE_ROOM, false);
    if (ok && count)
        m->d.phys.region[m->d.phys.region_count - 1].closed = true;
    return ok;
}

static bool gpus_create(struct machine *m)
{
    u64 count = row_count(m, ROW_gpu);
    bool ok = !count || region_add(m, GPU_BASE, count * GPU_ROOM, false);
    if (ok && count)
        m->d.phys.region[m->d.phys.region_count - 1].closed = true;
    return ok;
}

bool machine_store(struct machine *m, u64 size)
{
    size = align_up(size, PAGE);
    if (m->options.store_size)
        return size <= m->options.store_size;
    m->options.store_size = size;
    return store_create(m);
}

static void options_set(struct machine *m, const struct machine_config *config)
{
    m->options = config->options;
    for (unsigned n = 0; n < MAX_DISKS; n++)
        m->options.disk[n].size = align_up(m->options.disk[n].size, 512); /* the last sector is a whole one */
    m->d.host = config->host;
    m->d.semihost_line = config->semihost_line ? config->semihost_line : "";
}

static enum board_answer cpu_call(struct cpu *cpu, unsigned ec, u32 imm)
{
    struct machine *m = cpu->d.host.machine;
    m->now = cpu_now(cpu);
    if (ec == EC_HVC || ec == EC_SMC)
        return psci_call(m, cpu, ec, imm);
    return imm == 0xf000 ? semihost_call(m, cpu) : BOARD_LEAVES;
}

static bool gic_memory_access(void *machine, u64 pa, void *bytes, u64 size, bool write)
{
    return bus_ram(machine, false, pa, bytes, size, write);
}
static void pmu_interrupt(struct cpu *cpu, bool level) { gic_set_ppi(cpu->d.host.gic, cpu->index, GIC_PPI_PMU, level); }
static u64 random_number(struct cpu *cpu) { return machine_random(cpu->d.host.machine); }
static void security_changed(struct cpu *cpu) { gic_security_changed(cpu->d.host.gic, cpu); }

static void exception_seen(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    const struct machine *m = ctx;
    m->d.host.exception(m->d.host.ctx, cpu, exc);
}
static const struct hooks told = { .exception = exception_seen };

struct cpu *cpus_allocate(u32 count)
{
    void *cpus = mmap(NULL, sizeof(struct cpu) * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return cpus == MAP_FAILED ? NULL : cpus;
}

void cpus_free(struct cpu *cpus, u32 count)
{
    if (cpus)
        munmap(cpus, sizeof(*cpus) * count);
}

static bool cpus_create(struct machine *m, const struct machine_config *config)
{
    m->d.decoder = decoder_create(&m->model.features);
    m->d.cpu = cpus_allocate(m->options.cpu_count);
    m->d.roused.turn = &m->turn;
    m->d.observers = calloc(1, sizeof(*m->d.observers));
    if (!m->d.decoder || !m->d.cpu || !m->d.observers)
        return false;
    m->d.code = code_create(&m->d.phys, m->d.decoder, m->d.cpu, m->options.cpu_count, CODE_PAGES);
    if (!m->d.code)
        return false;
    if (config->tier2.hot && config->engine == ENGINE_THREADED && engine_threaded)
        if (code_tier2_begin(m->d.code, &config->tier2, &m->d.tier2_none))
            m->d.tier2_none = NULL;
    m->d.memo = memo_create();
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        struct cpu *cpu = &m->d.cpu[n];
        cpu->index = n;
        model_apply(&m->model, cpu);
        cpu->sys.mpidr_el1 = BIT(31) | affinity_of(n); /* single-threaded PEs */
        cpu->d.stepping = config->engine == ENGINE_STEP;
        cpu->d.host = (struct cpu_host){
            .phys = &m->d.phys,
            .memo = m->d.memo,
            .decoder = m->d.decoder,
            .code = m->d.code,
            .gic = &m->gic,
            .timers = &m->timers,
            .machine = m,
            .observer = &m->d.observers->seen,
            .cpus = m->d.cpu,
            .roused = &m->d.roused,
            .cpu_count = m->options.cpu_count,
            .call = cpu_call,
            .security_changed = m->options.secure ? security_changed : NULL,
            .taken_again = stuck_taken_again,
            .random = random_number,
            .unknown = m->options.reset_loud ? SYSREG_UNKNOWN : 0,
            .pmu_interrupt = pmu_interrupt,
            .force_step = config->engine == ENGINE_STEP,
        };
    }
    if (m->d.host.exception)
        observer_attach(m, &told, m, WANT_ALL);
    return true;
}

static bool gic_can_be(const struct machine_options *o, char error[256])
{
    if (o->gic_version < 2 || o->gic_version > 4) {
        snprintf(error, 256, "gic-version=%u: not supported (only 2, 3, 4)", o->gic_version);
        return false;
    }
    if (o->gic_version == 4 && !o->virtualization) {
        snprintf(error, 256, "gic-version=4 requires virtualization enabled (virtualization=on)");
        return false;
    }
    if (o->cpu_count <= cpus_most(o))
        return true;
    snprintf(error, 256, "Number of SMP CPUs requested (%u) exceeds max CPUs supported by machine 'mach-virt' (%u)%s",
             o->cpu_count, cpus_most(o), bit(o->high_off, HIGH_REDISTS) ? ": highmem-redists=on has more" : "");
    return false;
}

/* Bits of physical address; 0: no memory. */
static u8 pa_bits_of(const struct cpu_model *model)
{
    struct cpu *cpu = cpus_allocate(1);
    u8 number = 0;
    if (cpu) {
        model_apply(model, cpu);
        number = (u8)mmu_pa_bits(cpu->sys.id_aa64mmfr0_el1);
        cpus_free(cpu, 1);
    }
    return number;
}

/* The model, and what follows from how many addresses it has. */
static bool model_set(struct machine_options *o, struct cpu_model *model, const char *text, char error[256])
{
    if (!model_parse(text, o->virtualization, o->secure, model, error))
        return false;
    if (o->gic_version == 2)
        model_without_gicv3(model);
    o->pa_bits = pa_bits_of(model);
    return o->pa_bits && map_fits(o, error) && gic_can_be(o, error);
}

bool machine_can_be(struct machine_options o, const char *cpu, char error[256])
{
    struct cpu_model model;
    snprintf(error, 256, "out of memory");
    return model_set(&o, &model, cpu, error);
}

struct machine *machine_create(const struct machine_config *config, char error[256])
{
    struct machine *m = calloc(1, sizeof(*m));
    snprintf(error, 256, "out of memory");
    if (!m)
        return NULL;
    options_set(m, config);
    m->d.phys.ops = &bus_ops;
    m->d.phys.board = m;
    bool ok = model_set(&m->options, &m->model, config->cpu, error) && pci_plug(m, config, error) && bus_create(m) &&
              virtio_plug(m, config, error);
    if (ok &&
        !(ram_create(m) && shares_create(m) && gpus_create(m) && store_create(m))) { /* the store may come later */
        snprintf(error, 256, "cannot allocate %llu MiB of RAM for the guest",
                 (unsigned long long)(m->options.ram_size >> 20));
        ok = false;
    }
    if (!ok || !cpus_create(m, config)) {
        machine_destroy(m);
        return NULL;
    }
    m->d.phys.code_written = code_written;
    m->d.phys.code = m->d.code;
    m->gic.d.memory = (struct gic_memory){ m, gic_memory_access };
    machine_reset(m);
    m->d.phys.pa_size = m->options.pa_bits;
    return m;
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    if (m->d.code)
        code_destroy(m->d.code);
    memo_destroy(m->d.memo);
    if (m->d.decoder)
        decoder_destroy(m->d.decoder);
    for (unsigned n = 0; n < m->d.phys.region_count; n++) {
        munmap(m->d.phys.region[n].host, m->d.phys.region[n].size);
        free(m->d.phys.region[n].flags);
    }
    bus_destroy(m);
    cpus_free(m->d.cpu, m->options.cpu_count);
    free(m->d.observers);
    free(m);
}

/* splitmix64: spreads a seed over the generator's state. */
static u64 seed_next(u64 *seed)
{
    u64 z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void machine_reset(struct machine *m)
{
    u64 seed = m->options.seed;
    m->turn_end = m->now;
    m->turn = m->options.cpu_count - 1; /* PE 0 is the next */
    m->mid = m->idle_turns = 0;
    m->slice_end = m->look_at = 0;
    m->entry_el = 1;
    m->key_waiters = m->key = m->features_at = 0;
    for (unsigned n = 0; n < 2; n++)
        m->random[n] = seed_next(&seed);
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        m->d.cpu[n].d.now = m->d.cpu[n].d.run_from = m->now;
    }
    timer_reset(&m->timers);
    gic_reset(&m->gic, m->d.cpu, m->options.cpu_count, m->options.secure);
    if (m->d.parts & GICV2)
        gic2_reset(&m->gic);
    gic_extend(&m->gic, gic_parts_of(m));
    bus_reset(m);
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        u64 insns = m->d.cpu[n].insns;
        cpu_reset(&m->d.cpu[n]);
        m->d.cpu[n].insns = insns;
        m->d.cpu[n].powered = 0;
        m->d.cpu[n].halted = HALT_OFF;
    }
    m->d.end = (struct run_end){ .kind = END_NONE };
    memset(m->turns, 0, sizeof(m->turns[0]) * m->options.cpu_count);
    memset(m->d.loop_noted, 0, sizeof(m->d.loop_noted));
}

void machine_end(struct machine *m, enum end_kind kind, int status, const char *text)
{
    if (m->d.end.kind != END_NONE)
        return;
    m->d.end.kind = kind;
    m->d.end.status = status;
    snprintf(m->d.end.text, sizeof(m->d.end.text), "%s", text);
    for (u32 n = 0; n < m->options.cpu_count; n++)
        m->d.cpu[n].d.attention |= ATT_DEBUG;
}

/* ---- events ---- */

void machine_power_key(struct machine *m)
{
    if (m->d.host.power_key && !m->d.host.power_key(m->d.host.ctx))
        return;
    for (struct place at = PLACE_FIRST; place_next(m, &at);)
        if (row_get(at.row)->kind->power_key)
            row_get(at.row)->kind->power_key(m, at);
}

/* Of one PE. What is found of one that sleeps stays right until then, or until it is roused. */
static u64 next_event_of(struct machine *m, u32 n)
{
    const struct cpu *cpu = &m->d.cpu[n];
    u64 at = cpu->halted == HALT_OFF ? NEVER : timer_next_event(cpu, m->now);
    at = cpu->halted && cpu->wake_at < at ? cpu->wake_at : at;
    if (cpu->halted == HALT_WFI || cpu->halted == HALT_OFF || (cpu->halted == HALT_WFE && !timer_streams(cpu)))
        m->d.due[n] = at;
    return at;
}

static u64 next_event(struct machine *m)
{
    u64 next = m->d.timer_next;
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        u64 at = m->d.due[n] > m->now ? m->d.due[n] : next_event_of(m, n);
        next = at < next ? at : next;
    }
    return next;
}

/* Everything that is due: the timers of PEs, then those of the devices. At least every SLICE_NS, at times that do
 * not depend on where slices were cut. */
static void events_run(struct machine *m)
{
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        if (m->d.due[n] > m->now)
            continue; /* it sleeps, or is off */
        m->d.cpu[n].d.now = m->d.cpu[n].d.run_from = m->now;
        if (m->d.cpu[n].halted == HALT_OFF)
            continue;
        timer_update(&m->d.cpu[n], m->now);
        pmu_update(&m->d.cpu[n]);
    }
    bus_timers_run(m);
    u64 boundary = (m->now / SLICE_NS + 1) * SLICE_NS, event = next_event(m);
    m->look_at = event < boundary ? event : boundary;
}

/* ---- turns ---- */

/* Has what an interrupt or a key ends come? A semihosting call goes on for an interrupt only when that is taken. */
static bool cpu_roused(const struct machine *m, const struct cpu *cpu)
{
    if (m->turns[cpu->index].waits_key)
        return m->key || exception_interrupt_pending(cpu);
    return exception_wakes(cpu);
}

/* Can the PE run, or has what it waits for come? */
static bool can_run(const struct machine *m, const struct cpu *cpu)
{
    switch (cpu->halted) {
    case HALT_NONE: return true;
    case HALT_OFF: return false;
    default: return cpu_roused(m, cpu) || (cpu->halted == HALT_WFE && cpu->event) || cpu->wake_at <= m->now;
    }
}

void machine_rouse(struct machine *m)
{
    memset(m->d.roused.set, 0xff, sizeof(m->d.roused.set));
    memset(m->d.due, 0, sizeof(m->d.due[0]) * m->options.cpu_count);
    m->d.roused.turn = &m->turn;
}

u32 machine_roused(const struct machine *m, u32 n)
{
    for (; n < m->options.cpu_count; n = (n | 63) + 1) {
        u64 left = m->d.roused.set[n / 64] >> n % 64;
        if (left)
            return n + (u32)__builtin_ctzll(left) < m->options.cpu_count ? n + (u32)__builtin_ctzll(left)
                                                                         : m->options.cpu_count;
    }
    return m->options.cpu_count;
}

/* One that cannot is asked again when something has come for it, or each time while it waits for a moment. */
static bool roused_can_run(struct machine *m, const struct cpu *cpu)
{
    if (can_run(m, cpu))
        return true;
    if (cpu->wake_at == NEVER || cpu->halted == HALT_OFF)
        m->d.roused.set[cpu->index / 64] &= ~BIT(cpu->index % 64);
    return false;
}

/* Ends what the PE waits for, if it has come. True: it can run. */
static bool cpu_awake(struct machine *m, struct cpu *cpu)
{
    if (!roused_can_run(m, cpu))
        return false;
    if (cpu->halted) {
        if (cpu->halted == HALT_WFI && timer_streams(cpu))
            timer_poll_events(cpu, m->now);
        cpu->halted = HALT_NONE;
        cpu->wake_at = NEVER;
        m->d.due[cpu->index] = 0;
        m->key_waiters -= m->turns[cpu->index].waits_key;
        m->turns[cpu->index].waits_key = 0;
        cpu_tell_halted(cpu);
    }
    return true;
}

/* Gives the turn to a PE. Where that is another one, the monitor of the one that had it opens, with the event that this
 * makes: both are legal at any time, and let fast stores leave the other PEs' monitors alone. */
static struct cpu *turn_give(struct machine *m, u32 index)
{
    struct cpu *before = &m->d.cpu[m->turn];
    if (index != m->turn && before->halted != HALT_OFF) {
        before->excl_valid = 0;
        before->event = before->event ? before->event : EVENT_BY_TURN;
        m->d.roused.set[m->turn / 64] |= BIT(m->turn % 64);
    }
    m->turn = index;
    m->turn_end = m->now + QUANTUM_NS;
    return &m->d.cpu[index];
}

/* Has something come for the PE that is more than its turn's end? */
static bool is_called(const struct machine *m, const struct cpu *cpu)
{
    return cpu_roused(m, cpu) || (cpu->halted != HALT_WFI && cpu->event == EVENT_CALLED);
}

/* Since a PE that loses its turn finds the event register set, WFE never holds it for long when others run. They wait
 * when all have done nothing but look and WFE in their last turns, no SEV was executed and no interrupt is pending. */
static bool all_wait(struct machine *m)
{
    u32 on = 0;
    if (!m->idle_turns)
        return false;
    for (u32 n = 0; n < m->options.cpu_count; n++)
        on += m->d.cpu[n].halted != HALT_OFF;
    if (m->idle_turns < 3 * on)
        return false;
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        const struct cpu *cpu = &m->d.cpu[n];
        if (cpu->halted != HALT_OFF && is_called(m, cpu))
            m->idle_turns = 0;
    }
    for (u32 n = 0; n < m->options.cpu_count && m->idle_turns; n++)
        if (m->d.cpu[n].halted == HALT_NONE) {
            m->d.cpu[n].halted = HALT_WFE; /* it stands behind one */
            m->d.due[n] = 0;
        }
    return m->idle_turns != 0;
}

/* The turn that ends was short, ended by WFE, and left the PE as its last such one did: it waits for something. */
static bool turn_idles(struct machine *m, const struct cpu *cpu)
{
    /* a turn begins with the event register set; who ends it with the register clear did so by WFE */
    bool wfe = cpu->halted == HALT_WFE || (!cpu->event && !cpu->halted);
    if (!wfe || m->now + QUANTUM_NS - m->turn_end >= IDLE_TURN_INSNS)
        return false;
    u64 h = cpu->pc, before = m->turns[cpu->index].wait_mark;
    for (unsigned n = 0; n <= REG_SP; n++)
        h = ((h ^ cpu->x[n]) * 0x9e3779b97f4a7c15) ^ h >> 29;
    m->turns[cpu->index].wait_mark = h;
    return h == before;
}

/* The PE to run, or NULL when all sleep. */
static struct cpu *turn_next(struct machine *m)
{
    struct cpu *cpu = &m->d.cpu[m->turn];
    if (m->options.cpu_count == 1)
        return cpu_awake(m, cpu) ? cpu : NULL;
    if (m->now < m->turn_end && cpu_awake(m, cpu))
        return cpu;
    if (all_wait(m))
        return NULL;
    for (u32 n = machine_roused(m, m->turn + 1); n < m->options.cpu_count; n = machine_roused(m, n + 1))
        if (cpu_awake(m, &m->d.cpu[n]))
            return turn_give(m, n);
    for (u32 n = machine_roused(m, 0); n <= m->turn; n = machine_roused(m, n + 1))
        if (cpu_awake(m, &m->d.cpu[n]))
            return turn_give(m, n);
    return NULL;
}

static void turn_over(struct machine *m, const struct cpu *cpu)
{
    bool idles = turn_idles(m, cpu);
    struct pe_turns *turns = &m->turns[cpu->index];
    turns->idles = idles ? turns->idles + 1 : 0;
    m->idle_turns = idles ? m->idle_turns + 1 : cpu->halted == HALT_WFI ? m->idle_turns : 0;
    m->turn_end = m->now;
}

/* What YIELD ends: the turn when another PE could run. The edges of an event stream are looked for at each. */
static u32 yield_ends(struct machine *m, const struct cpu *cpu)
{
    u32 what = timer_streams(cpu) ? ATT_LOOK : 0;
    for (u32 n = machine_roused(m, 0); n < m->options.cpu_count; n = machine_roused(m, n + 1))
        if (n != cpu->index && roused_can_run(m, &m->d.cpu[n]))
            return what | ATT_TURN;
    return what;
}

/* The end of the slice that starts now. */
static u64 slice_end(const struct machine *m)
{
    u64 end = m->look_at, overflow = pmu_next_overflow(&m->d.cpu[m->turn]);
    end = overflow < end - m->now ? m->now + overflow : end;
    if (m->options.cpu_count > 1 && m->turn_end < end)
        end = m->turn_end;
    return end > m->now ? end : m->now + 1;
}

/* Runs the PE for a slice, or for what is left of the one that a limit or an observer cut; left: instructions until the
 * limit of the run. Only what the guest does decides what follows, not the cuts: the run is the same however often it
 * was stopped. */
static void slice_run(struct machine *m, struct cpu *cpu, u64 left)
{
    u64 limit = left < NEVER - m->now ? m->now + left : NEVER;
    cpu->d.now = cpu->d.run_from = m->now;
    if (!m->slice_end) {
        m->slice_end = slice_end(m);
        cpu->yields = yield_ends(m, cpu);
    }
    cpu->d.look_at = m->look_at;
    m->d.due[cpu->index] = 0;
    u64 insns = cpu->insns;
    unsigned ended = cpu_run_to(cpu, m->slice_end, limit, m->mid);
    m->d.insns += cpu->insns - insns;
    m->now = cpu->d.now;
    m->mid = ended & RUN_MID ? 1 : 0;
    if (m->mid || !(cpu->halted || ended & (RUN_LOOK | RUN_TURN) || m->now >= m->slice_end))
        return; /* cut: it goes on from there */
    m->slice_end = 0;
    pmu_update(cpu);
    if (ended & RUN_LOOK)
        m->look_at = 0;
    if (m->options.cpu_count > 1 && (cpu->halted || ended & RUN_TURN || m->now >= m->turn_end))
        turn_over(m, cpu);
}

static void idle(struct machine *m)
{
    m->idle_turns = 0;
    m->look_at = 0;
    machine_input_offer(m);
    for (u32 n = machine_roused(m, 0); n < m->options.cpu_count; n = machine_roused(m, n + 1))
        if (m->d.cpu[n].halted != HALT_OFF && is_called(m, &m->d.cpu[n]))
            return;
    u64 until = next_event(m), to = until;
    if (m->d.host.idle)
        to = m->d.host.idle(m->d.host.ctx, m->now, until);
    if (to == NEVER)
        stuck_asleep(m);
    else if (to > m->now)
        m->now = to;
}

u64 machine_insns(const struct machine *m) { return m->d.insns; }

/* Between slices: the host, the events, whose turn it is. NULL: all sleep. */
static struct cpu *between_slices(struct machine *m)
{
    if (m->now < m->look_at)
        return turn_next(m);
    if (m->d.poll_in-- == 0) {
        m->d.poll_in = POLL_SLICES;
        if (m->d.host.poll)
            m->d.host.poll(m->d.host.ctx);
    }
    events_run(m);
    stuck_look(m);
    return turn_next(m);
}

struct run_end machine_run(struct machine *m, u64 limit)
{
    m->d.end = (struct run_end){ .kind = END_NONE };
    for (u32 n = 0; n < m->options.cpu_count; n++)
        m->d.cpu[n].d.attention &= ~(u32)(ATT_DEBUG | ATT_NOW);
    machine_rouse(m);
    while (m->d.end.kind == END_NONE) {
        u64 insns = machine_insns(m);
        if (insns >= limit) {
            machine_end(m, END_INSNS, 0, "");
            break;
        }
        struct cpu *cpu = m->slice_end ? &m->d.cpu[m->turn] : between_slices(m);
        if (m->d.end.kind != END_NONE)
            break;
        if (cpu)
            slice_run(m, cpu, limit - insns);
        else
            idle(m);
    }
    for (u32 n = 0; n < m->options.cpu_count; n++)
        m->d.cpu[n].d.now = m->d.cpu[n].d.run_from = m->now;
    return m->d.end;
}
