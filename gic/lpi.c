/*
 * LPIs (GIC chapter 5, 12.11): interrupts that are edges, Non-secure group 1, never active, one bit each in the pending
 * table of their PE and one byte each in the configuration table that all PEs share. Both tables are memory, read and
 * written each time, so there is nothing to write back when LPIs are disabled or move. Kept of them is what finding the
 * best interrupt needs: that interrupt with its priority, and which words of the pending table may hold something.
 * Software that changes its tables behind the GIC's back finds this where the architecture allows caches.
 *
 * Virtual ones (GICv4: GIC chapters 5 and 6, GICR_VPROPBASER, GICR_VPENDBASER) are the same, in tables of a vPE. While
 * it is resident at a redistributor, the best one is forwarded to the virtual CPU interface; else a bit in memory is
 * all there is.
 *
 * Left out: direct LPIs without an ITS; what an implementation may keep in the first KiB of a vPE's pending table, so
 * that GICR_VPENDBASER.IDAI says nothing and Dirty is 0.
 */
#include "gic/internal.h"

enum { LOOK = 1, SCAN = 2 };            /* gic.d.look, vlook: the best one may be another; must be searched */
enum { CONFIG_ENABLE = 1, CHUNK = 64 }; /* a byte of the configuration; INTIDs in a word of the pending table */

bool gic_memory(const struct gic *gic, u64 pa, void *bytes, u64 size, bool write)
{
    const struct gic_memory *m = &gic->d.memory;
    return m->access && m->access(m->ctx, pa, bytes, size, write);
}

static bool pending_word(const struct gic *gic, u64 table, u32 word, u64 *pending)
{
    return gic_memory(gic, table + word * 8, pending, 8, false);
}

static inline u64 config_table(const struct gic_lpis *l) { return l->propbaser & ones(40) << 12; }
static inline u64 pending_table(const struct gic_lpis *l) { return l->pendbaser & ones(36) << 16; }
/* A vPE's, which is resident. */
static inline bool is_virtual(const struct gic_lpis *l) { return l->pendbaser & VPENDBASER_VALID; }

/* INTIDs end there: GICR_PROPBASER.IDbits, of which more than 16 are 16, and fewer than 14 leave no LPI. */
static u32 intids(const struct gic_lpis *l)
{
    u64 id_bits = (l->propbaser & ones(5)) + 1;
    return id_bits < GIC_ID_BITS ? (u32)BIT(id_bits) : 1u << GIC_ID_BITS;
}
static bool is_there(const struct gic_lpis *l, u32 intid) { return intid >= GIC_LPI_FIRST && intid < intids(l); }

bool gic_lpis_on(const struct gic *gic, unsigned cpu)
{
    return cpu < gic->cpu_count && gic->redist[cpu].ctlr & ENABLE_LPIS;
}

/* ---- which one is the best ---- */

static void forget_best(struct gic_lpis *l)
{
    l->intid = INTID_SPURIOUS;
    l->priority = PRIO_NONE;
}

/* Priorities are written as Non-secure state sees them, virtual ones as the guest does. Of equal ones the lowest INTID
 * wins, as among SPIs. */
static bool consider(const struct gic *gic, struct gic_lpis *l, u32 intid, u8 config)
{
    u32 priority = (gic_ds(gic) || is_virtual(l) ? config : config >> 1 | 0x80) & GIC_PRIO_MASK;
    if (!(config & CONFIG_ENABLE) || priority > l->priority || (priority == l->priority && intid >= l->intid))
        return false;
    l->intid = intid;
    l->priority = priority;
    return true;
}

static void consider_word(const struct gic *gic, struct gic_lpis *l, unsigned word)
{
    u64 pending;
    u8 config[CHUNK];
    u32 first = word * CHUNK;
    if (!pending_word(gic, pending_table(l), word, &pending) || !pending) {
        l->some[word / 64] &= ~BIT(word % 64);
        return;
    }
    if (!is_there(l, first) || !gic_memory(gic, config_table(l) + first - GIC_LPI_FIRST, config, CHUNK, false))
        return;
    for (; pending; pending &= pending - 1) {
        u32 n = (u32)__builtin_ctzll(pending);
        consider(gic, l, first + n, config[n]);
    }
}

static void scan(const struct gic *gic, struct gic_lpis *l)
{
    forget_best(l);
    for (unsigned n = 0; n < ARRAY_LEN(l->some); n++)
        for (u64 some = l->some[n]; some; some &= some - 1)
            consider_word(gic, l, n * 64 + (unsigned)__builtin_ctzll(some));
}

void gic_lpis_settle(struct gic *gic)
{
    for (unsigned cpu = 0; cpu < gic->cpu_count; cpu++) {
        u8 look = gic->d.look[cpu], vlook = gic->d.vlook[cpu];
        if (likely(!(look | vlook)))
            continue;
        gic->d.look[cpu] = gic->d.vlook[cpu] = 0;
        if (look & SCAN)
            scan(gic, &gic->redist[cpu].lpi);
        if (vlook & SCAN)
            scan(gic, &gic->vlpi[cpu]);
        if (look)
            gic_refresh(gic, cpu);
        if (vlook)
            gic_refresh_virtual(gic, cpu);
    }
}

/* ---- pending or not ---- */

static bool is_pending(const struct gic *gic, u64 table, u32 intid)
{
    u64 pending;
    return pending_word(gic, table, intid / CHUNK, &pending) && bit(pending, intid % CHUNK);
}

bool gic_lpi_is_pending(const struct gic *gic, unsigned cpu, u32 intid)
{
    return gic_lpis_on(gic, cpu) && is_there(&gic->redist[cpu].lpi, intid) &&
           is_pending(gic, pending_table(&gic->redist[cpu].lpi), intid);
}

/* Puts a word into the table: nothing of it that was pending before is new to who looks for the best. */
static void word_put(struct gic *gic, struct gic_lpis *l, u32 word, u64 pending)
{
    gic_memory(gic, pending_table(l) + word * 8, &pending, 8, true);
    if (pending)
        l->some[word / 64] |= BIT(word % 64);
}

/* Returns what there is to look for then. */
static u8 set_in(struct gic *gic, struct gic_lpis *l, u32 intid, bool set)
{
    u64 pending;
    u8 config, look = !set && intid == l->intid ? SCAN : 0;
    if (!is_there(l, intid) || !pending_word(gic, pending_table(l), intid / CHUNK, &pending) ||
        bit(pending, intid % CHUNK) == set)
        return look;
    word_put(gic, l, intid / CHUNK, pending ^ BIT(intid % CHUNK));
    if (set && gic_memory(gic, config_table(l) + intid - GIC_LPI_FIRST, &config, 1, false) &&
        consider(gic, l, intid, config))
        look |= LOOK;
    return look;
}

void gic_lpi_set(struct gic *gic, unsigned cpu, u32 intid, bool set)
{
    if (gic_lpis_on(gic, cpu))
        gic->d.look[cpu] |= set_in(gic, &gic->redist[cpu].lpi, intid, set);
}

void gic_lpi_reload(struct gic *gic, unsigned cpu, u32 intid)
{
    if (gic_lpi_is_pending(gic, cpu, intid))
        gic->d.look[cpu] |= SCAN;
}

void gic_lpis_reload(struct gic *gic, unsigned cpu)
{
    if (gic_lpis_on(gic, cpu))
        gic->d.look[cpu] |= SCAN;
}

void gic_lpis_move(struct gic *gic, unsigned from, unsigned to)
{
    if (from == to || !gic_lpis_on(gic, from) || !gic_lpis_on(gic, to))
        return;
    struct gic_lpis *source = &gic->redist[from].lpi, *target = &gic->redist[to].lpi;
    for (unsigned word = GIC_LPI_FIRST / CHUNK; word < GIC_LPI_WORDS; word++) {
        u64 moved, there;
        if (!bit(source->some[word / 64], word % 64) || !is_there(target, word * CHUNK) ||
            !pending_word(gic, pending_table(source), word, &moved) ||
            !pending_word(gic, pending_table(target), word, &there))
            continue;
        word_put(gic, target, word, there | moved);
        word_put(gic, source, word, 0);
    }
    gic->d.look[from] |= SCAN;
    gic->d.look[to] |= SCAN;
}

/* ---- GICR_CTLR.EnableLPIs ---- */

/* Which words of the table hold something. */
static void load(const struct gic *gic, struct gic_lpis *l)
{
    u64 words[64];
    for (u32 n = 0; n < ARRAY_LEN(l->some); n++) {
        if (!is_there(l, n * 64 * CHUNK) ||
            !gic_memory(gic, pending_table(l) + n * sizeof(words), words, sizeof(words), false))
            continue;
        for (unsigned k = 0; k < 64; k++)
            l->some[n] |= words[k] ? BIT(k) : 0;
    }
}

void gic_lpis_enabled(struct gic *gic, unsigned cpu)
{
    struct gic_lpis *l = &gic->redist[cpu].lpi;
    memset(l->some, 0, sizeof(l->some));
    if (gic_lpis_on(gic, cpu) && !(l->pendbaser & PENDBASER_PTZ)) /* PTZ: software says that the table is zero */
        load(gic, l);
    scan(gic, l);
    l->pendbaser &= ~PENDBASER_PTZ;
}

/* ---- virtual ones ---- */

bool gic_vpe_resident(const struct gic *gic, unsigned cpu, u64 *table)
{
    *table = pending_table(&gic->vlpi[cpu]);
    return is_virtual(&gic->vlpi[cpu]);
}

bool gic_vpe_here(const struct gic *gic, const struct gic_vpe *v)
{
    u64 table;
    return v->cpu < gic->cpu_count && gic_vpe_resident(gic, v->cpu, &table) && table == v->table;
}

static bool is_of(const struct gic_vpe *v, u32 intid) { return gic_is_lpi(intid) && intid < v->intids; }

bool gic_vlpi_is_pending(const struct gic *gic, const struct gic_vpe *v, u32 intid)
{
    return is_of(v, intid) && is_pending(gic, v->table, intid);
}

bool gic_vlpi_set(struct gic *gic, const struct gic_vpe *v, u32 intid, bool set)
{
    u64 pending;
    if (!is_of(v, intid))
        return false;
    if (gic_vpe_here(gic, v)) {
        gic->d.vlook[v->cpu] |= set_in(gic, &gic->vlpi[v->cpu], intid, set);
        return true;
    }
    if (!pending_word(gic, v->table, intid / CHUNK, &pending))
        return true;
    pending = bits_set(pending, intid % CHUNK, intid % CHUNK, set);
    gic_memory(gic, v->table + intid / CHUNK * 8, &pending, 8, true);
    return true;
}

void gic_vlpis_reload(struct gic *gic, const struct gic_vpe *v)
{
    if (gic_vpe_here(gic, v))
        gic->d.vlook[v->cpu] |= SCAN;
}

void gic_vlpi_acknowledge(struct gic *gic, unsigned cpu)
{
    struct gic_lpis *l = &gic->vlpi[cpu];
    gic->d.vlook[cpu] |= set_in(gic, l, l->intid, false);
    gic_lpis_settle(gic);
}

void gic_vpe_scheduled(struct gic *gic, unsigned cpu)
{
    struct gic_lpis *l = &gic->vlpi[cpu];
    memset(l->some, 0, sizeof(l->some));
    if (is_virtual(l))
        load(gic, l);
    scan(gic, l);
    gic_refresh_virtual(gic, cpu);
}

/* ---- for those who look in ---- */

bool gic_lpi_next(const struct gic *gic, const struct gic_lpis *l, u32 *intid, u8 *config)
{
    u64 pending;
    for (u32 n = *intid; is_there(l, n); n++) {
        u32 word = n / CHUNK;
        if (!bit(l->some[word / 64], word % 64) || !pending_word(gic, pending_table(l), word, &pending) ||
            !(pending >> n % CHUNK)) {
            n |= CHUNK - 1; /* nothing more in this word */
            continue;
        }
        n += (u32)__builtin_ctzll(pending >> n % CHUNK);
        *intid = n;
        *config = 0;
        gic_memory(gic, config_table(l) + n - GIC_LPI_FIRST, config, 1, false);
        return true;
    }
    return false;
}
