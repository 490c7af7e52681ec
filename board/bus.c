/*
 * The bus: the rows of virt.def by address, the devices' timers and interrupt outputs, DMA. An address without a row is
 * an external abort, as on QEMU's virt (MEMTX_DECODE_ERROR).
 */
#include "board/machine.h"

#include "board/observer.h"
#include "mmu/access.h"

#include <stdlib.h>

#define SPI(n)                  (n)
#define DEVICE(name, type, ...) extern const struct kind kind_##type;
#include "board/virt.def"
#define FUNCTION(type, name) extern const struct kind kind_##type;
#include "board/dev/pci.def"

static const struct row rows[ROW_COUNT] = {
#define DEVICE(name, type, base, size, count, spi, when) { #name, &kind_##type, base, size, count, spi, when },
#define RAM(name, base, size, when)                      { #name, NULL, base, size, 1, 0, when },
#include "board/virt.def"
#define FUNCTION(type, name) { #type, &kind_##type, 0, 0, 0, 0, ALWAYS },
#include "board/dev/pci.def"
};

const struct row *row_get(unsigned n) { return n < ROW_COUNT ? &rows[n] : NULL; }

u32 row_count(const struct machine *m, unsigned row) { return m->d.count[row]; }

bool row_there(const struct machine *m, const struct row *row) { return !(row->when & ~m->d.parts); }

bool row_secure(const struct machine *m, const struct row *row) { return row->when & SECURE_ONLY && m->options.secure; }

u64 row_address(const struct machine *m, unsigned row) { return m->d.base[row]; }

u64 place_base(const struct machine *m, struct place at) { return m->d.base[at.row] + rows[at.row].size * at.n; }

unsigned place_intid(struct place at) { return GIC_BANK + rows[at.row].spi + at.n * rows[at.row].kind->wires; }

unsigned place_number(struct place at)
{
    unsigned number = at.n;
    for (unsigned n = 0; n < at.row; n++)
        number += rows[n].kind == rows[at.row].kind ? rows[n].count : 0;
    return number;
}

/* Console ports of the rows before `row`. */
static unsigned ports_before(unsigned row)
{
    unsigned ports = 0;
    for (unsigned n = 0; n < row; n++)
        ports += rows[n].kind && rows[n].kind->back_end == BACK_END_PORT ? rows[n].count : 0;
    return ports;
}

unsigned place_port(struct place at) { return ports_before(at.row) + at.n; }
unsigned row_ports(void) { return ports_before(ROW_COUNT); }

bool place_next(const struct machine *m, struct place *at)
{
    at->n++;
    while (at->row < ROW_COUNT &&
           (!rows[at->row].kind || at->n >= m->d.count[at->row] || !row_there(m, &rows[at->row])))
        *at = (struct place){ (u16)(at->row + 1), 0 };
    return at->row < ROW_COUNT;
}

void *place_state(struct machine *m, struct place at)
{
    return m->d.bus[at.row].state + at.n * m->d.bus[at.row].state_size;
}

void *place_derived(struct machine *m, struct place at)
{
    return m->d.derived + m->d.derived_at[at.row] + (u64)at.n * rows[at.row].kind->derived;
}

/* ---- timers ---- */

static u64 *timers_of(struct machine *m, struct place at)
{
    return m->d.timer_at + m->d.timers_from[at.row] + (u32)at.n * rows[at.row].kind->timers;
}

void bus_timers_changed(struct machine *m)
{
    m->d.timer_next = NEVER;
    for (u32 n = 0; n < m->d.timer_count; n++)
        m->d.timer_next = m->d.timer_at[n] < m->d.timer_next ? m->d.timer_at[n] : m->d.timer_next;
}

void machine_timer_set(struct machine *m, struct place at, unsigned n, u64 when)
{
    u64 *timer = &timers_of(m, at)[n], was = *timer;
    *timer = when != NEVER && when < m->now + EVENT_MIN_NS ? m->now + EVENT_MIN_NS : when;
    if (*timer < m->d.timer_next)
        m->d.timer_next = *timer;
    else if (was == m->d.timer_next)
        bus_timers_changed(m);
}

u64 machine_timer(struct machine *m, struct place at, unsigned n) { return timers_of(m, at)[n]; }

static void timers_run_of(struct machine *m, struct place at)
{
    const struct kind *kind = rows[at.row].kind;
    u64 *timer = timers_of(m, at);
    for (unsigned n = 0; n < kind->timers; n++)
        if (timer[n] <= m->now) {
            timer[n] = NEVER;
            kind->timer(m, place_state(m, at), at, n);
            bus_levels(m, at);
        }
}

bool bus_event_comes(struct machine *m, bool heard)
{
    bool comes = false;
    for (struct place at = PLACE_FIRST; !comes && place_next(m, &at);) {
        const struct kind *kind = rows[at.row].kind;
        for (unsigned n = 0; n < kind->timers; n++)
            comes |=
                timers_of(m, at)[n] != NEVER && (bit(kind->timers_write, n) || (heard && !bit(kind->timers_listen, n)));
    }
    return comes;
}

void bus_timers_run(struct machine *m)
{
    if (m->d.timer_next > m->now)
        return;
    for (struct place at = PLACE_FIRST; place_next(m, &at);)
        timers_run_of(m, at);
    bus_timers_changed(m);
}

/* ---- what all devices do ---- */

/* What PEs had found out of this memory they find again where it has closed or opened. */
static void memory_ask(struct machine *m, struct place at)
{
    const struct kind *kind = rows[at.row].kind;
    struct phys_region *region = kind->memory ? phys_region_at(&m->d.phys, place_base(m, at)) : NULL;
    if (!region || region->closed == kind->closed(place_state(m, at)))
        return;
    region->closed = !region->closed;
    for (u32 n = 0; n < m->options.cpu_count; n++)
        mmu_drop_derived(&m->d.cpu[n]);
}

void bus_restored(struct machine *m)
{
    pci_moved(m);
    memset(m->d.derived, 0, m->d.derived_bytes);
    for (struct place at = PLACE_FIRST; place_next(m, &at);)
        memory_ask(m, at);
}

/* An output has this level from now on; told when the distributor knew another one. */
static inline void line_set(struct machine *m, unsigned intid, struct place at, unsigned wire, bool high)
{
    unsigned spi = intid - GIC_BANK;
    const struct observer *o = &m->d.observers->seen;
    if (unlikely(o->line) && high != bit(m->gic.spi[spi / 32].level, spi % 32))
        o->line(o->line_ctx, at.row, at.n, wire, high);
    gic_set_spi(&m->gic, intid, high);
}

/* The outputs of a device have these levels (a set), one of which is another one than it was. */
static NOINLINE void lines_set(struct machine *m, struct place at, u32 high)
{
    for (unsigned wire = 0; wire < rows[at.row].kind->wires; wire++)
        line_set(m, place_intid(at) + wire, at, wire, bit(high, wire));
}

/* Of a device that is no PCI function. */
static inline void levels(struct machine *m, const struct bus_row *row, struct place at, const void *state)
{
    const struct kind *kind = row->kind;
    unsigned wires = kind->wires;
    u32 high = 0;
    if (kind->lines)
        high = kind->lines(m);
    else if (kind->level)
        for (unsigned wire = 0; wire < wires; wire++)
            high |= (u32)kind->level(state, wire) << wire;
    else
        return;
    if (likely(row->wire && (*row->wire >> row->wire_first & row->wire_mask) == high) &&
        likely(!m->d.observers->seen.line))
        return;
    if (!gic_spi_levels(&m->gic, row->intid + at.n * wires, wires, high) || m->d.observers->seen.line)
        lines_set(m, at, high);
}

/* Those of a PCI function are its host bridge's. */
void bus_levels(struct machine *m, struct place at)
{
    if (at.row >= ROW_FUNCTIONS)
        at = (struct place){ ROW_pcie, 0 };
    levels(m, &m->d.bus[at.row], at, place_state(m, at));
}

void bus_pulse(struct machine *m, struct place at, unsigned wire)
{
    line_set(m, place_intid(at) + wire, at, wire, true);
    line_set(m, place_intid(at) + wire, at, wire, false);
}

void bus_input(struct machine *m)
{
    for (unsigned n = 0; n < ROW_COUNT; n++) { /* by rows, since an idle machine asks often and most slots are empty */
        const struct row *row = &rows[n];
        if (!row->kind || !row->kind->input || !row_there(m, row) || !m->d.count[n])
            continue;
        struct place at = { (u16)n, 0 };
        u8 *state = place_state(m, at);
        for (; at.n < m->d.count[n]; at.n++, state += row->kind->state.size)
            if (row->kind->input(m, state, at))
                bus_levels(m, at);
    }
}

void bus_reset(struct machine *m)
{
    memset(m->d.derived, 0, m->d.derived_bytes);
    for (u32 n = 0; n < m->d.timer_count; n++)
        m->d.timer_at[n] = NEVER;
    bus_timers_changed(m);
    for (struct place at = PLACE_FIRST; place_next(m, &at);)
        if (rows[at.row].kind->reset) {
            rows[at.row].kind->reset(m, place_state(m, at), at);
            bus_levels(m, at);
            memory_ask(m, at);
        }
}

const char *bus_validate(const struct machine *m)
{
    const char *wrong = NULL;
    for (struct place at = PLACE_FIRST; !wrong && place_next(m, &at);)
        if (rows[at.row].kind->validate)
            wrong = rows[at.row].kind->validate(place_state((struct machine *)m, at), at);
    return wrong;
}

/* Devices of a row that these options bring, but for PCI functions. */
static u32 count_of(const struct machine_options *o, const struct row *row)
{
    return row->kind && row->kind->count ? row->kind->count(o) : row->count;
}

bool bus_fits(const struct machine *m)
{
    u64 base[ROW_COUNT];
    bool same = true;
    map_bases(&m->options, base);
    for (unsigned n = 0; n < ROW_FUNCTIONS; n++)
        same &= count_of(&m->options, &rows[n]) == m->d.count[n];
    return same && parts_of(&m->options) == m->d.parts && !memcmp(base, m->d.base, sizeof(base)) && m->d.pci &&
           !memcmp(m->options.pci, m->d.pci->made, sizeof(m->options.pci));
}

static void count_devices(struct machine *m)
{
    for (unsigned n = 0; n < ROW_COUNT; n++)
        m->d.count[n] = count_of(&m->options, &rows[n]);
    for (unsigned n = 0; n < m->d.pci->count; n++)
        m->d.count[m->d.pci->slot[n].at.row]++;
}

/* Where the GIC has a single device's outputs, as gic_spi_levels finds them. */
static void bind_wires(struct machine *m, struct bus_row *row)
{
    unsigned bank = row->intid / GIC_BANK - 1, first = row->intid % GIC_BANK, wires = row->kind->wires;
    if (row->several || !wires || bank >= GIC_SPI_BANKS || first + wires > GIC_BANK)
        return;
    row->wire = &m->gic.wire[bank];
    row->wire_first = (u8)first;
    row->wire_mask = (u32)ones(wires);
}

/* The devices' state is there now. */
static void bind_rows(struct machine *m)
{
    for (unsigned n = 0; n < ROW_COUNT; n++) {
        if (!rows[n].kind || !row_there(m, &rows[n]))
            continue;
        m->d.bus[n] = (struct bus_row){ .base = m->d.base[n],
                                        .span = rows[n].size * rows[n].count,
                                        .kind = rows[n].kind,
                                        .state = m->d.devices + m->d.state_at[n],
                                        .state_size = rows[n].kind->state.size,
                                        .intid = GIC_BANK + rows[n].spi,
                                        .number = (u16)n,
                                        .several = rows[n].count > 1,
                                        .guarded = row_secure(m, &rows[n]) };
        bind_wires(m, &m->d.bus[n]);
    }
}

bool bus_create(struct machine *m)
{
    m->d.parts = parts_of(&m->options);
    map_bases(&m->options, m->d.base);
    m->d.pci = pci_create(m);
    if (!m->d.pci)
        return false;
    count_devices(m);
    m->d.translator = ROW_COUNT;
    u64 bytes = 0, derived = 0;
    u32 timers = 0;
    for (unsigned n = 0; n < ROW_COUNT; n++) {
        if (!rows[n].kind || !row_there(m, &rows[n]))
            continue;
        if (rows[n].kind->translate)
            m->d.translator = n;
        m->d.state_at[n] = (u32)bytes;
        m->d.derived_at[n] = (u32)derived;
        m->d.timers_from[n] = timers;
        bytes += (u64)rows[n].kind->state.size * m->d.count[n];
        derived += (u64)rows[n].kind->derived * m->d.count[n];
        timers += (u32)rows[n].kind->timers * m->d.count[n];
    }
    m->d.device_bytes = bytes;
    m->d.derived_bytes = derived;
    m->d.timer_count = timers;
    m->d.devices = calloc(1, bytes);
    m->d.timer_at = calloc(timers, sizeof(*m->d.timer_at));
    m->d.derived = calloc(1, derived + 1);
    if (!m->d.devices || !m->d.timer_at || !m->d.derived)
        return false;
    bind_rows(m);
    pci_bind(m);
    return true;
}

void bus_destroy(struct machine *m)
{
    free(m->d.devices);
    free(m->d.timer_at);
    free(m->d.derived);
    free(m->d.pci);
}

/* ---- accesses by PEs ---- */

static inline bool row_holds(const struct bus_row *row, u64 pa) { return pa - row->base < row->span; }

/* The row that answers at pa, or NULL. */
static inline const struct bus_row *row_at(struct machine *m, u64 pa, struct phys_attrs by)
{
    u8 *near = &m->d.row_near[pa >> 16 & (ROW_NEAR - 1)]; /* guests stay with a few devices for a while */
    const struct bus_row *row = &m->d.bus[*near];
    if (unlikely(!row_holds(row, pa))) {
        for (row = m->d.bus; !row_holds(row, pa);)
            if (++row == m->d.bus + ROW_COUNT)
                return NULL;
        *near = (u8)row->number;
    }
    return unlikely(row->guarded) && by.ns ? NULL : row;
}

static void guest_error_tell(struct machine *m, const struct access *a, bool write, u64 value)
{
    const struct row *row = &rows[a->at.row];
    const struct observer *o = &m->d.observers->seen;
    static const char *const what_is[] = { [ERROR_REGISTER] = "no such register",
                                           [ERROR_NONSENSE] = "nonsense, the device needs a reset",
                                           [ERROR_INTERRUPT] = "no such interrupt",
                                           [ERROR_SIZE] = "no accesses of that size",
                                           [ERROR_COMMAND] = "a command that cannot be obeyed" };
    const char *what = what_is[m->d.guest_error];
    m->d.guest_error = ERROR_NONE;
    if (o && o->guest_error && a->by.cpu < m->options.cpu_count)
        o->guest_error(o->guest_error_ctx, &m->d.cpu[a->by.cpu], row->name, what, a->offset + a->at.n * row->size,
                       a->size, write, value);
}

void device_tell(struct machine *m, const struct access *a, bool write, u64 value)
{
    const struct observer *o = &m->d.observers->seen;
    if (o->device && a->by.cpu < m->options.cpu_count)
        o->device(o->device_ctx, &m->d.cpu[a->by.cpu], a->at.row, a->at.n, a->offset, a->size, write,
                  value & ones(a->size * 8));
}

static ALWAYS_INLINE bool bus_access(struct machine *m, u64 pa, unsigned size, struct phys_attrs by, u32 stream,
                                     bool write, u64 *value)
{
    const struct bus_row *row = row_at(m, pa, by);
    if (!row)
        return false;
    if (by.cpu < m->options.cpu_count)
        m->now = cpu_now(&m->d.cpu[by.cpu]);
    const struct kind *kind = row->kind;
    struct access a = {
        .offset = pa - row->base, .by = by, .at = { .row = row->number }, .size = size, .stream = stream
    };
    void *state = row->state;
    if (row->several) {
        a.at.n = (u16)(a.offset / rows[a.at.row].size);
        a.offset %= rows[a.at.row].size;
        if (a.at.n >= m->d.count[a.at.row])
            return false;
        state = row->state + a.at.n * row->state_size;
    }
    bool ok = write ? kind->write && kind->write(m, state, &a, *value) : kind->read && kind->read(m, state, &a, value);
    if (unlikely(m->d.observers->seen.device && ok))
        device_tell(m, &a, write, *value);
    levels(m, row, a.at, state);
    if (unlikely(kind->memory))
        memory_ask(m, a.at);
    if (unlikely(m->d.guest_error))
        guest_error_tell(m, &a, write, *value);
    return ok;
}

/* A bus master that comes this way (an SMMU that walks tables) finds RAM only. */
static bool by_pe(const struct machine *m, struct phys_attrs by) { return by.cpu < m->options.cpu_count; }

static bool bus_read(void *board, u64 pa, unsigned size, struct phys_attrs by, u64 *value)
{
    *value = 0;
    bool ok = by_pe(board, by) && bus_access(board, pa, size, by, 0, false, value);
    *value &= ~(u64)0 >> (64 - size * 8);
    return ok;
}

static bool bus_write(void *board, u64 pa, unsigned size, struct phys_attrs by, u64 value)
{
    value &= ~(u64)0 >> (64 - size * 8);
    return by_pe(board, by) && bus_access(board, pa, size, by, 0, true, &value);
}

const struct phys_device_ops bus_ops = { .read = bus_read, .write = bus_write };

/* ---- accesses by bus masters ---- */

/* A message-signalled interrupt: a write of a word or half of one to the frame that takes it. What another device is
 * seeing to meanwhile stays its own. */
static bool bus_message(struct machine *m, const struct requester *by, u64 pa, const void *bytes, u64 size)
{
    struct phys_attrs attrs = phys_attrs_make(!by->secure, NOT_A_CPU, true);
    const struct bus_row *row = row_at(m, pa, attrs);
    if (!row || !row->kind->messages || (size != 2 && size != 4) || pa % size)
        return false;
    u32 error = m->d.guest_error;
    u64 value = size == 2 ? load_le16(bytes) : load_le32(bytes);
    bool ok = bus_access(m, pa, (unsigned)size, attrs, by->stream, true, &value);
    m->d.guest_error = error;
    return ok;
}

/* The region that holds all of these bytes for such an access; NULL: none does. */
static inline const struct phys_region *ram_of(const struct machine *m, bool secure, u64 pa, u64 size, bool write)
{
    for (unsigned n = 0; n < m->d.ram_count; n++) {
        const struct phys_region *ram = &m->d.phys.region[n];
        u64 offset = pa - ram->base;
        if (offset < ram->size && size <= ram->size - offset && !(ram->secure && !secure) && !ram->closed &&
            !(write && ram->readonly))
            return ram;
    }
    return NULL;
}

bool bus_ram(struct machine *m, bool secure, u64 pa, void *bytes, u64 size, bool write)
{
    const struct phys_region *ram = ram_of(m, secure, pa, size, write);
    if (ram && write)
        machine_write_ram(m, &m->d.phys.region[ram - m->d.phys.region], pa, bytes, size);
    else if (ram)
        memcpy(bytes, ram->host + (pa - ram->base), size);
    return ram;
}

const u8 *bus_ram_host(const struct machine *m, u64 pa, u64 size)
{
    const struct phys_region *ram = ram_of(m, false, pa, size, true);
    return ram ? ram->host + (pa - ram->base) : NULL;
}

bool bus_dma_physical(struct machine *m, const struct requester *by, u64 pa, void *bytes, u64 size, bool write)
{
    return bus_ram(m, by->secure, pa, bytes, size, write) || (write && bus_message(m, by, pa, bytes, size));
}

static void dma_tell(struct machine *m, const struct dma_note *note)
{
    const struct observer *o = &m->d.observers->seen;
    if (unlikely(o && o->dma))
        o->dma(o->dma_ctx, note);
}

/* As far as one answer of the translator goes. */
static bool dma_part(struct machine *m, struct dma_note *note, u8 *bytes)
{
    struct place at = { (u16)m->d.translator, 0 };
    const struct requester *by = note->by;
    note->out = (struct dma_output){ .pa = note->address, .size = note->size };
    note->verdict = DMA_PASS;
    if (!by->untranslated && at.row != ROW_COUNT)
        note->verdict =
            rows[at.row].kind->translate(m, place_state(m, at), at, by, note->address, note->write, &note->out);
    m->d.dma_stalled = note->verdict == DMA_STALL;
    note->size = note->size < note->out.size ? note->size : note->out.size;
    note->answered = note->verdict == DMA_PASS && bus_dma_physical(m, by, note->out.pa, bytes, note->size, note->write);
    if (note->verdict == DMA_IGNORE && !note->write)
        memset(bytes, 0, note->size);
    dma_tell(m, note);
    return note->answered || note->verdict == DMA_IGNORE;
}

bool bus_dma_of(struct machine *m, const struct requester *by, u64 address, void *bytes, u64 size, bool write)
{
    u64 done = 0;
    while (done < size) {
        struct dma_note note = { .by = by, .address = address + done, .size = size - done, .write = write };
        if (!dma_part(m, &note, (u8 *)bytes + done))
            return false;
        done += note.size;
    }
    return true;
}

void bus_settled(struct machine *m, u32 stream)
{
    struct place at = { (u16)m->d.translator, 0 };
    if (at.row != ROW_COUNT && rows[at.row].kind->settled)
        rows[at.row].kind->settled(m, place_state(m, at), at, stream);
}

bool device_dma(struct machine *m, struct place at, u64 pa, void *bytes, u64 size, bool write, bool untranslated)
{
    if (at.row >= ROW_FUNCTIONS)
        return pci_dma(m, at, pa, bytes, size, write, untranslated);
    return bus_dma(m, (struct requester){ .untranslated = true }, pa, bytes, size, write);
}
