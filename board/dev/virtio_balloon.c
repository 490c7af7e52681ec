/*
 * virtio traditional memory balloon (Virtual I/O Device specification 1.2, 5.5): pages that the driver gives to the
 * device hold zeros from then on and take no memory of the host's; so do those that it reports as free
 * (F_PAGE_REPORTING). How many it is to give the host's monitor says (machine_balloon).
 *
 * Queue 0 inflates, 1 deflates (the page is there, whatever the driver says), 2 has statistics, 3 reports. A machine
 * has one balloon at most, so that its state is a row of its own. Of a buffer the first 16384 page numbers count. Left
 * out: F_FREE_PAGE_HINT (it is for migration), F_MUST_TELL_HOST (there is nothing to wait for).
 */
#include "board/machine.h"

enum { INFLATE, DEFLATE, STATISTICS, REPORTING };
enum { PAGE = 4096, NUMBERS = 256, BUFFER_MAX = 65536, STATISTIC = 10 /* bytes of one */ };
enum { TARGET = 0, ACTUAL = 4, POISON = 12, CONFIG = 16 }; /* 5.5.4 */
#define F_STATS_VQ       BIT(1)
#define F_PAGE_REPORTING BIT(5)

struct balloon {
    u32 target, actual;    /* pages that it is to have, and that the driver says it has */
    u32 poison;            /* what a driver fills free pages with */
    u32 held;              /* a buffer of statistics: its first descriptor + 1; 0: none */
    u32 wanted;            /* they are to be made anew: the buffer goes back */
    u32 known;             /* a bit for each statistic that has come */
    u64 statistic[BALLOON_STATISTICS];
};
static const struct state_field fields[] = {
    STATE(balloon, target), STATE(balloon, actual), STATE(balloon, poison),    STATE(balloon, held),
    STATE(balloon, wanted), STATE(balloon, known),  STATE(balloon, statistic),
};

/* NULL: there is none, which a hostile snapshot may have forgotten to say. */
static struct balloon *balloon_of(struct machine *m)
{
    return row_count(m, ROW_balloon) ? place_state(m, (struct place){ ROW_balloon, 0 }) : NULL;
}

static u64 features_of(struct machine *m, const struct virtio *dev)
{
    (void)dev;
    return m->options.balloon & ~(u64)BALLOON_THERE;
}

static u64 config_read(struct machine *m, const struct virtio *dev, u64 offset, unsigned size)
{
    const struct balloon *b = balloon_of(m);
    u8 config[CONFIG] = { 0 };
    u64 value = 0;
    (void)dev;
    if (!b)
        return 0;
    store_le32(config + TARGET, b->target);
    store_le32(config + ACTUAL, b->actual);
    store_le32(config + POISON, b->poison);
    if (offset + size <= sizeof(config))
        memcpy(&value, config + offset, size);
    return value;
}

/* A legacy driver behind PCI writes byte by byte. */
static bool config_write(struct machine *m, struct virtio *dev, u64 offset, unsigned size, u64 value)
{
    struct balloon *b = balloon_of(m);
    u64 base = align_down(offset, 4), at = (offset - base) * 8;
    (void)dev;
    if (!b || (base != ACTUAL && base != POISON) || at + size * 8 > 32)
        return false;
    u32 *word = base == ACTUAL ? &b->actual : &b->poison;
    *word = (u32)bits_set(*word, (unsigned)(at + size * 8 - 1), (unsigned)at, value);
    return true;
}

/* ---- pages ---- */

static bool inflate(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    u8 numbers[4 * NUMBERS];
    if (!virtio_pop(m, dev, INFLATE, &c))
        return false;
    u64 size = align_down(c.readable < BUFFER_MAX ? c.readable : BUFFER_MAX, 4);
    for (u64 done = 0, part; done < size; done += part) {
        part = size - done < sizeof(numbers) ? size - done : sizeof(numbers);
        if (!virtio_copy_from(m, dev, &c, done, numbers, part)) {
            virtio_fail(dev);
            return false;
        }
        for (u64 n = 0; n < part; n += 4) /* what is no RAM of the guest's changes nothing */
            machine_discard(m, (u64)load_le32(numbers + n) * PAGE, PAGE);
    }
    return virtio_push(m, dev, INFLATE, &c, 0);
}

static bool deflate(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    return virtio_pop(m, dev, DEFLATE, &c) && virtio_push(m, dev, DEFLATE, &c, 0);
}

/* Left alone are free pages that the driver expects to hold something else than zeros (5.5.6.7), and those that it
 * names by addresses of an SMMU's. */
static bool report(struct machine *m, struct virtio *dev)
{
    struct virtio_chain c;
    u64 most = m->options.ram_size; /* of one buffer, however often it names the same page */
    if (!(dev->driver_features & F_PAGE_REPORTING) || !virtio_pop(m, dev, REPORTING, &c))
        return false;
    bool named = !(dev->driver_features & VIRTIO_F_ACCESS_PLATFORM) && !balloon_of(m)->poison;
    for (unsigned n = 0; n < c.count && named; n++) {
        const struct virtio_segment *s = &c.segment[n];
        u64 from = align_up(s->addr, PAGE), to = align_down(s->addr + s->len, PAGE);
        if (from < s->addr || to <= from || to - from > most)
            continue;
        most -= to - from;
        machine_discard(m, from, to - from);
    }
    return virtio_push(m, dev, REPORTING, &c, 0);
}

/* ---- statistics ---- */

static bool statistics_read(struct machine *m, struct virtio *dev, const struct virtio_chain *c, struct balloon *b)
{
    u8 entry[STATISTIC];
    u64 count = c->readable / STATISTIC;
    for (u64 n = 0; n < count && n < 2 * BALLOON_STATISTICS; n++) {
        if (!virtio_copy_from(m, dev, c, n * STATISTIC, entry, STATISTIC))
            return false;
        unsigned tag = load_le16(entry);
        if (tag >= BALLOON_STATISTICS)
            continue;
        b->statistic[tag] = load_le64(entry + 2);
        b->known |= (u32)BIT(tag);
    }
    return true;
}

/* The buffer is kept until others are wanted (5.5.6.3); a driver that gives another one gets it back before. */
static bool statistics(struct machine *m, struct virtio *dev)
{
    struct balloon *b = balloon_of(m), read = *b;
    struct virtio_chain c = { .head = b->held - 1 };
    if (b->held && b->wanted) {
        if (!virtio_push(m, dev, STATISTICS, &c, 0))
            return false;
        b->held = b->wanted = 0;
        return true;
    }
    struct virtio_chain old = c;
    if (!virtio_pop(m, dev, STATISTICS, &c))
        return false;
    if (!statistics_read(m, dev, &c, &read)) {
        virtio_fail(dev);
        return false;
    }
    if (b->held && !virtio_push(m, dev, STATISTICS, &old, 0))
        return false;
    *b = read;
    b->held = c.head + 1;
    return true;
}

static bool serve(struct machine *m, struct virtio *dev, unsigned q)
{
    if (!balloon_of(m))
        return false;
    switch (q) {
    case INFLATE: return inflate(m, dev);
    case DEFLATE: return deflate(m, dev);
    case STATISTICS: return statistics(m, dev);
    default: return report(m, dev);
    }
}

static void driver_reset(struct machine *m, struct virtio *dev)
{
    struct balloon *b = balloon_of(m);
    (void)dev;
    if (b)
        b->poison = b->held = b->wanted = 0;
}

const struct virtio_ops virtio_balloon_ops = {
    .queues = 4, .config_size = CONFIG, .queue_size = { 128, 128, 128, 32 },
    .features = F_STATS_VQ,
    .features_of = features_of,
    .listens = 1 + STATISTICS,
    .config_read = config_read,
    .config_write = config_write,
    .serve = serve,
    .reset = driver_reset,
};

/* ---- for the host ---- */

static struct virtio *balloon_find(struct machine *m)
{
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        struct virtio *dev = virtio_at(m, at);
        if (dev && dev->kind == VIRTIO_BALLOON)
            return dev;
    }
    return NULL;
}

void machine_balloon(struct machine *m, u32 pages)
{
    struct virtio *dev = balloon_find(m);
    struct balloon *b = balloon_of(m);
    if (!dev || !b || (m->d.host.balloon && !m->d.host.balloon(m->d.host.ctx, pages)))
        return;
    b->target = pages;
    b->wanted = b->held != 0;
    dev->generation++;
    if (dev->status & VIRTIO_DRIVER_OK)
        dev->news |= VIRTIO_NEWS_CONFIG;
    machine_input_kick(m); /* which has its buffer given back and its interrupt looked at */
}

bool machine_balloon_state(struct machine *m, struct balloon_state *s)
{
    const struct balloon *b = balloon_of(m);
    if (!b || !balloon_find(m))
        return false;
    *s = (struct balloon_state){ .target = b->target, .actual = b->actual, .known = b->known };
    memcpy(s->statistic, b->statistic, sizeof(s->statistic));
    return true;
}

/* ---- the row ---- */

static u32 balloons(const struct machine_options *o) { return o->balloon & BALLOON_THERE ? 1 : 0; }

/* All pages are the guest's again; what the host wants it still wants. */
static void reset(struct machine *m, void *state, struct place at)
{
    struct balloon *b = state;
    (void)m, (void)at;
    *b = (struct balloon){ .target = b->target };
}

static const char *validate(const void *state, struct place at)
{
    const struct balloon *b = state;
    (void)at;
    return b->held > 65536 || b->wanted > 1 || b->known >> BALLOON_STATISTICS ? "balloon: state out of range" : NULL;
}

const struct kind kind_balloon = {
    .name = "balloon",
    .state = STATE_SHAPE(balloon, fields),
    .version = 1,
    .count = balloons,
    .reset = reset,
    .validate = validate,
};
