/*
 * Backwards by checkpoints: the state of machine and PEs, and the RAM pages that were written since the checkpoint
 * before. The content of a page at checkpoint k is its newest copy of k or earlier, or zero. Checkpoints get further
 * apart as the run grows, so that their number, and with it the memory, is bounded.
 */
#include "debug/reverse.h"

#include "cpu/engine/run.h"
#include "cpu/ops/unfinished.h"
#include "debug/journal.h"
#include "board/state.h"
#include "mmu/access.h"

#include <stdlib.h>

enum { PAGE = 4096, CHECKPOINTS = 256, FIRST_INTERVAL = 2000000, BREAK_INSNS = 2000000, NO_VERSION = 0 };
static const u64 VERSION_LIMIT = 1ull << 30; /* bytes of page copies before checkpoints are thinned out */
/* Entries of input (32 bytes each: a byte of a console's, 8 of a frame's) with which the past is given up, and how many
 * instructions may pass without a look at that: input that never ends must not take all memory. */
enum { TYPED_LIMIT = 1000000, LOOK_INSNS = 20000000 };

struct checkpoint {
    u64 insns, now, mark; /* position, ns, place in the journal */
    u8 *state;
};

struct version {
    u32 older, checkpoint; /* index of the next older version of the page, 0: none */
    u8 *bytes;
};

struct reverse {
    struct machine *m;
    struct journal *journal;
    struct checkpoint point[CHECKPOINTS];
    u32 count, base; /* base: pages that are not dirty are as at that checkpoint */
    u64 interval, limit;
    struct version *version; /* 0 is not used */
    u32 version_count, version_room, version_free;
    u64 bytes;
    u32 *head[PHYS_REGIONS];
    bool failed, broken; /* broken: the client wants an end */
    bool (*wanted)(void *ctx);
    void *ctx;
};

/* ---- page versions ---- */

static u32 version_new(struct reverse *r)
{
    u32 n = r->version_free;
    if (n) {
        r->version_free = r->version[n].older;
        return n;
    }
    if (r->version_count == r->version_room) {
        u32 room = r->version_room ? r->version_room * 2 : 1024;
        struct version *more = realloc(r->version, room * sizeof(*more));
        if (!more)
            return 0;
        r->version = more;
        r->version_room = room;
        r->version_count = r->version_count ? r->version_count : 1;
    }
    return r->version_count++;
}

static void version_drop(struct reverse *r, u32 n)
{
    free(r->version[n].bytes);
    r->bytes -= PAGE;
    r->version[n] = (struct version){ .older = r->version_free };
    r->version_free = n;
}

/* The page as it was at checkpoint k, NULL: zeros. */
static const u8 *version_at(const struct reverse *r, unsigned region, u64 page, u32 k)
{
    u32 n = r->head[region][page];
    while (n && r->version[n].checkpoint > k)
        n = r->version[n].older;
    return n ? r->version[n].bytes : NULL;
}

static bool page_keep(struct reverse *r, unsigned region, u64 page, u32 k)
{
    u32 n = version_new(r);
    u8 *bytes = n ? malloc(PAGE) : NULL;
    if (!bytes)
        return false;
    memcpy(bytes, r->m->d.phys.region[region].host + page * PAGE, PAGE);
    r->version[n] = (struct version){ r->head[region][page], k, bytes };
    r->head[region][page] = n;
    r->bytes += PAGE;
    return true;
}

/* ---- taking ---- */

/* Every second checkpoint goes; what it held becomes the next one's. */
static void thin_page(struct reverse *r, u32 *head)
{
    u32 last = ~0u;
    for (u32 *link = head; *link;) {
        struct version *v = &r->version[*link];
        u32 mapped = (v->checkpoint + 1) / 2, gone = *link;
        if (mapped == last) {
            *link = v->older;
            version_drop(r, gone);
            continue;
        }
        v->checkpoint = last = mapped;
        link = &v->older;
    }
}

static void thin(struct reverse *r)
{
    if (r->count % 2 == 0 || r->count < 3) /* the last one must stay: its number is even */
        return;
    for (unsigned n = 0; n < r->m->d.phys.region_count; n++)
        for (u64 page = 0; page < r->m->d.phys.region[n].size / PAGE; page++)
            if (r->head[n][page])
                thin_page(r, &r->head[n][page]);
    for (u32 k = 1; k < r->count; k += 2)
        free(r->point[k].state);
    for (u32 k = 2; k < r->count; k += 2)
        r->point[k / 2] = r->point[k];
    r->count = r->count / 2 + 1;
    r->base = r->count - 1;
    r->interval *= 2;
}

static void tags_drop(struct machine *m)
{
    for (u32 n = 0; n < m->options.cpu_count; n++)
        mmu_drop_derived(&m->d.cpu[n]);
}

/* A checkpoint at the front of the run. */
static bool take(struct reverse *r)
{
    struct machine *m = r->m;
    u32 k = r->count;
    u8 *state = k < CHECKPOINTS ? malloc(state_size(m)) : NULL;
    if (!state)
        return false;
    state_save(m, state);
    for (unsigned n = 0; n < m->d.phys.region_count; n++) {
        struct phys_region *region = &m->d.phys.region[n];
        for (u64 page = 0; page < region->size / PAGE; page++) {
            if (!(region->flags[page] & PAGE_DIRTY))
                continue;
            if (!page_keep(r, n, page, k)) {
                free(state);
                return false;
            }
            region->flags[page] &= (u8)~PAGE_DIRTY;
        }
    }
    tags_drop(m);
    r->point[k] = (struct checkpoint){ machine_insns(m), m->now, journal_mark(r->journal), state };
    r->count++;
    r->base = k;
    if (r->count >= CHECKPOINTS - 1 || r->bytes > VERSION_LIMIT)
        thin(r);
    return true;
}

/* ---- going back ---- */

static void page_restore(struct reverse *r, unsigned n, u64 page, u32 k)
{
    static const u8 zeros[PAGE];
    struct phys_region *region = &r->m->d.phys.region[n];
    const u8 *now = version_at(r, n, page, k), *was = version_at(r, n, page, r->base);
    if (now == was && !(region->flags[page] & PAGE_DIRTY))
        return;
    now = now ? now : zeros;
    if (memcmp(region->host + page * PAGE, now, PAGE))
        phys_copy_in(&r->m->d.phys, region->base + page * PAGE, now, PAGE);
    region->flags[page] &= (u8)~PAGE_DIRTY;
}

static void restore(struct reverse *r, u32 k)
{
    struct machine *m = r->m;
    journal_set_front(r->journal, m->now);
    for (unsigned n = 0; n < m->d.phys.region_count; n++)
        for (u64 page = 0; page < m->d.phys.region[n].size / PAGE; page++)
            if (r->head[n][page] || m->d.phys.region[n].flags[page] & PAGE_DIRTY)
                page_restore(r, n, page, k);
    state_load(m, r->point[k].state);
    tags_drop(m);
    journal_seek(r->journal, r->point[k].mark);
    r->base = k;
}

/* The last checkpoint at or before a position. */
static u32 nearest(const struct reverse *r, u64 insns)
{
    u32 k = 0;
    while (k + 1 < r->count && r->point[k + 1].insns <= insns)
        k++;
    return k;
}

static bool begin(struct reverse *r);

/* A checkpoint is due, or so much has come in that there is no going back behind this point. */
static bool front_keep(struct reverse *r)
{
    if (journal_typed(r->journal) <= TYPED_LIMIT || journal_mark(r->journal) < journal_count(r->journal))
        return machine_insns(r->m) < r->point[r->count - 1].insns + r->interval || take(r);
    journal_forget(r->journal);
    return begin(r);
}

struct run_end reverse_run(struct reverse *r, u64 limit)
{
    for (;;) {
        u64 last = r->point[r->count - 1].insns, insns = machine_insns(r->m);
        u64 next = r->failed ? limit : insns < last ? last : last + r->interval;
        next = next - insns > LOOK_INSNS ? insns + LOOK_INSNS : next;
        struct run_end end = machine_run(r->m, next < limit ? next : limit);
        insns = machine_insns(r->m);
        if (end.kind != END_INSNS || insns >= limit)
            return end;
        if (insns >= last && !r->failed)
            r->failed = !front_keep(r);
    }
}

static bool break_wanted(struct reverse *r)
{
    r->broken = r->broken || (r->wanted && r->wanted(r->ctx));
    return r->broken;
}

/* Runs to a position without stopping for anything but a client that has lost patience. */
static bool run_quietly(struct reverse *r, struct stops *s, u64 insns)
{
    bool was = s->scanning;
    u64 end = s->scan_end;
    if (!was) {
        s->scanning = true;
        s->scan_end = 0;
    }
    journal_set_quiet(r->journal, true);
    for (u64 at = machine_insns(r->m), to; at < insns && !break_wanted(r); at = to) {
        to = insns - at < BREAK_INSNS ? insns : at + BREAK_INSNS;
        if (reverse_run(r, to).kind != END_INSNS)
            break;
    }
    journal_set_quiet(r->journal, false);
    s->scanning = was;
    s->scan_end = end;
    return machine_insns(r->m) == insns;
}

static bool go_to(struct reverse *r, struct stops *s, u64 insns)
{
    u64 here = machine_insns(r->m);
    u32 k = nearest(r, insns);
    if (insns < r->point[0].insns)
        return false;
    stops_step(s, ~0u);
    if (insns < here || r->point[k].insns > here)
        restore(r, k);
    return run_quietly(r, s, insns);
}

bool reverse_goto(struct reverse *r, struct stops *s, u64 insns)
{
    r->broken = false;
    return go_to(r, s, insns);
}

static bool is_interrupt(const struct stop_hit *hit)
{
    return hit->point && hit->point->what >= ON_EXCEPTION && hit->at == hit->before;
}

/* At the position of the hit an interrupt may still have to be taken: before its instruction is next, or because it is
 * what was to be found. */
static bool is_due(const struct reverse *r, const struct stop_hit *hit)
{
    bool here = r->m->d.cpu[hit->cpu].pc == hit->pc;
    if (!hit->point || hit->point->what == ON_INSN)
        return !here;
    return here && is_interrupt(hit);
}

/* At a position: takes what is due there, and stops before the first instruction behind it. */
static void interrupt_take(struct reverse *r, struct stops *s, u32 cpu, u64 at)
{
    stops_resume(s, cpu);
    stops_step(s, cpu);
    machine_run(r->m, at + 1);
    stops_step(s, ~0u);
}

static void settle(struct reverse *r, struct stops *s, struct stop_hit hit)
{
    if (is_due(r, &hit))
        interrupt_take(r, s, hit.cpu, hit.at);
    s->pending = hit;
}

static bool back_to(struct reverse *r, struct stops *s, struct stop_hit hit)
{
    bool ok = go_to(r, s, hit.at);
    settle(r, s, hit);
    return ok;
}

/* From a checkpoint, whatever the client wants. */
static void forward_again(struct reverse *r, struct stops *s, u64 to)
{
    bool (*wanted)(void *ctx) = r->wanted;
    r->wanted = NULL;
    r->broken = false;
    run_quietly(r, s, to);
    r->broken = true;
    r->wanted = wanted;
}

/* Back to the last stop, or the last instruction, before `end`: what happened since each checkpoint is run through. */
static bool back_by_scan(struct reverse *r, struct stops *s, u32 cpu, bool insns, u64 end)
{
    s->step_cpu = cpu;
    for (u32 k = nearest(r, end ? end - 1 : 0) + 1; k-- > 0;) {
        u64 to = k + 1 < r->count && r->point[k + 1].insns < end ? r->point[k + 1].insns : end;
        restore(r, k);
        s->scanning = true;
        s->scan_insns = insns;
        s->scan_end = end;
        s->last.hit = false;
        stops_changed(s);
        run_quietly(r, s, to);
        s->scanning = s->scan_insns = false;
        stops_changed(s);
        if (r->broken) {
            restore(r, nearest(r, end));
            forward_again(r, s, end);
            return false;
        }
        if (s->last.hit)
            return back_to(r, s, s->last);
    }
    restore(r, 0);
    return false;
}

bool reverse_back(struct reverse *r, struct stops *s, u32 cpu, bool insns)
{
    u64 end = machine_insns(r->m);
    s->scan_past = s->pending.hit && s->pending.at == end && is_interrupt(&s->pending);
    r->broken = false;
    stops_step(s, ~0u);
    stops_resume(s, cpu);
    if (insns && r->m->options.cpu_count == 1) {
        if (end <= r->point[0].insns)
            return false;
        bool there = go_to(r, s, end - 1);
        if (there && cpu_is_inside(&r->m->d.cpu[cpu]))
            return back_by_scan(r, s, cpu, true, end);
        s->pending = (struct stop_hit){ .hit = true, .cpu = cpu, .at = end - 1, .before = end - 1 };
        return true;
    }
    return back_by_scan(r, s, cpu, insns, end);
}

/* Where the machine stands: before this instruction, when an interrupt has been taken behind it. */
struct stand {
    u64 insns, pc;
    u32 cpu;
};

/* There again, whatever the client wants. */
static void stand_again(struct reverse *r, struct stops *s, struct stand was)
{
    bool broken = r->broken;
    restore(r, nearest(r, was.insns));
    forward_again(r, s, was.insns);
    if (r->m->d.cpu[was.cpu].pc != was.pc)
        interrupt_take(r, s, was.cpu, was.insns);
    r->broken = broken;
    s->pending.hit = false;
}

/* What comes out meanwhile was not seen yet. */
static bool forth_to_stop(struct reverse *r, struct stops *s, u32 cpu)
{
    struct run_end end = { .kind = END_INSNS };
    stops_step(s, ~0u);
    stops_resume(s, cpu);
    journal_set_quiet(r->journal, true);
    for (u64 at = machine_insns(r->m); end.kind == END_INSNS && at < r->limit && !break_wanted(r);) {
        end = reverse_run(r, r->limit - at < BREAK_INSNS ? r->limit : at + BREAK_INSNS);
        at = machine_insns(r->m);
    }
    journal_set_quiet(r->journal, false);
    return end.kind == END_REQUEST && s->pending.hit;
}

bool reverse_find(struct reverse *r, struct stops *s, u32 cpu, bool back)
{
    const struct machine *m = r->m;
    struct stand was = { machine_insns(m), m->d.cpu[m->turn].pc, m->turn };
    r->broken = false;
    if (back ? reverse_back(r, s, cpu, false) : forth_to_stop(r, s, cpu))
        return true;
    stand_again(r, s, was);
    return false;
}

/* ---- the whole ---- */

static void forget(struct reverse *r)
{
    for (u32 n = 1; n < r->version_count; n++)
        free(r->version[n].bytes);
    for (u32 k = 0; k < r->count; k++)
        free(r->point[k].state);
    for (unsigned n = 0; n < r->m->d.phys.region_count; n++)
        memset(r->head[n], 0, r->m->d.phys.region[n].size / PAGE * sizeof(u32));
    r->version_count = r->version_count ? 1 : 0;
    r->version_free = r->count = r->base = 0;
    r->bytes = 0;
}

/* From here on, with all of RAM that holds something. */
static bool begin(struct reverse *r)
{
    forget(r);
    for (unsigned n = 0; n < r->m->d.phys.region_count; n++) {
        struct phys_region *region = &r->m->d.phys.region[n];
        for (u64 page = 0; page < region->size / PAGE; page++)
            if (region->flags[page] & PAGE_TOUCHED)
                region->flags[page] |= PAGE_DIRTY;
    }
    r->interval = FIRST_INTERVAL;
    return take(r);
}

struct reverse *reverse_create(struct machine *m)
{
    struct reverse *r = calloc(1, sizeof(*r));
    bool ok = r;
    if (ok) {
        r->m = m;
        r->limit = NEVER;
        r->journal = journal_attach(m);
        ok = r->journal;
    }
    for (unsigned n = 0; ok && n < m->d.phys.region_count; n++)
        ok = (r->head[n] = calloc(m->d.phys.region[n].size / PAGE, sizeof(u32)));
    if (ok && begin(r))
        return r;
    if (r)
        reverse_destroy(r);
    return NULL;
}

void reverse_destroy(struct reverse *r)
{
    bool heads = true;
    for (unsigned n = 0; n < r->m->d.phys.region_count; n++)
        heads = heads && r->head[n];
    if (heads)
        forget(r);
    for (unsigned n = 0; n < PHYS_REGIONS; n++)
        free(r->head[n]);
    if (r->journal)
        journal_detach(r->journal);
    free(r->version);
    free(r);
}

void reverse_changed(struct reverse *r)
{
    journal_cut(r->journal);
    r->failed = !begin(r);
}

void reverse_set_limit(struct reverse *r, u64 insns) { r->limit = insns; }

void reverse_set_break(struct reverse *r, bool (*wanted)(void *ctx), void *ctx)
{
    r->wanted = wanted;
    r->ctx = ctx;
}

bool reverse_broken(const struct reverse *r) { return r->broken; }
u64 reverse_first(const struct reverse *r) { return r->point[0].insns; }
