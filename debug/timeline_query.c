/*
 * Answers of debug/timeline.h. A stretch that is wide is answered from the sums. One that is finer than they are is
 * answered from the events, which are walked from the block on in which it begins: that has what each PE was in.
 */
#include "debug/timeline_internal.h"

#include <ctype.h>
#include <stdio.h>

/* ---- spots among the events ---- */

struct spot {
    unsigned block;
    u32 event;
};

static bool spot_ends(const struct timeline *t, const struct spot *p) { return p->block >= t->blocks; }
static const struct event *spot_event(const struct timeline *t, const struct spot *p, u64 *at)
{
    const struct block *b = block_get(t, p->block);
    *at = b->base + b->event[p->event].at;
    return &b->event[p->event];
}
static void spot_next(const struct timeline *t, struct spot *p)
{
    if (++p->event < block_get(t, p->block)->count)
        return;
    p->block++;
    p->event = 0;
}
static bool spot_before(const struct timeline *t, struct spot *p)
{
    if (!p->event && !p->block)
        return false;
    p->event = p->event ? p->event - 1 : block_get(t, --p->block)->count - 1;
    return true;
}

/* The last block that begins at or before `at`; else the first. */
static unsigned block_of(const struct timeline *t, u64 at)
{
    unsigned low = 0, high = t->blocks;
    while (high > low + 1) {
        unsigned middle = (low + high) / 2;
        if (block_get(t, middle)->base <= at)
            low = middle;
        else
            high = middle;
    }
    while (low && block_get(t, low)->base == at) /* events at one position may lie in two */
        low--;
    return low;
}

/* The first event at or behind a position. */
static struct spot spot_at(const struct timeline *t, u64 at)
{
    struct spot p = { .block = block_of(t, at) };
    u64 there;
    while (!spot_ends(t, &p) && (spot_event(t, &p, &there), there < at))
        spot_next(t, &p);
    return p;
}

struct timeline_range timeline_range(struct timeline *t)
{
    timeline_settle(t);
    return (struct timeline_range){ t->from, t->high + 1, t->kept };
}

unsigned timeline_vms(const struct timeline *t, s32 vmid[TIMELINE_VMS])
{
    memcpy(vmid, t->vmid, sizeof(t->vmid));
    return t->vms;
}

/* ---- stretches ---- */

struct query {
    u64 from, to;
    unsigned count;
    struct timeline_share *out;
};

static u64 bound(const struct query *q, unsigned n) { return q->from + (u64)((u128)(q->to - q->from) * n / q->count); }
/* The stretch that a position within lies in. */
static unsigned stretch_of(const struct query *q, u64 at)
{
    unsigned n = (unsigned)((u128)(at - q->from) * q->count / (q->to - q->from));
    n = n < q->count ? n : q->count - 1;
    while (n + 1 < q->count && bound(q, n + 1) <= at)
        n++;
    while (n && bound(q, n) > at)
        n--;
    return n;
}

/* A PE did `own` instructions in [from, to). */
static void stay_share(const struct query *q, u32 state, u64 from, u64 to, u64 own)
{
    const u64 end = to < q->to ? to : q->to;
    u64 at = from > q->from ? from : q->from;
    for (unsigned n = own && at < end ? stretch_of(q, at) : q->count; n < q->count && at < end; n++) {
        const u64 next = bound(q, n + 1) < end ? bound(q, n + 1) : end;
        timeline_share_add(&q->out[n], state, timeline_part(own, from, to, at, next));
        at = next;
    }
}

/* A sum of [from, to). */
static void sum_share(const struct query *q, const struct timeline_share *s, u64 from, u64 to)
{
    const u64 end = to < q->to ? to : q->to;
    u64 at = from > q->from ? from : q->from;
    for (unsigned n = at < end ? stretch_of(q, at) : q->count; n < q->count && at < end; n++) {
        const u64 next = bound(q, n + 1) < end ? bound(q, n + 1) : end;
        for (unsigned v = 0; v < VALUES; v++)
            ((u64 *)&q->out[n])[v] += timeline_part(((const u64 *)s)[v], from, to, at, next);
        q->out[n].kinds |= next > at ? s->kinds : 0;
        at = next;
    }
}

static void sums_share(const struct timeline *t, u32 cpu, const struct query *q)
{
    const struct timeline_share *s = t->pe[cpu].sum;
    const u64 width = BIT(t->shift), first = q->from > t->from ? (q->from - t->from) >> t->shift : 0;
    for (u64 n = first; s && n < t->stretches && t->from + n * width < q->to; n++) {
        const u64 from = t->from + n * width, end = from + width;
        sum_share(q, &s[n], from, end < t->high + 1 ? end : t->high + 1);
    }
}

/* ---- from events ---- */

/* What a PE is in while the events are walked. */
struct walker {
    u64 at;
    u32 state;
};

static void event_share(const struct timeline *t, const struct query *q, struct walker *w, const struct event *e,
                        u64 at)
{
    stay_share(q, w->state, w->at, at, e->own == OWN_ALL ? at - w->at : e->own);
    w->at = at;
    w->state = timeline_state_after(t, e->what, w->state);
    if (at < q->from || at >= q->to)
        return;
    struct timeline_share *s = &q->out[stretch_of(q, at)];
    const u32 kind = what_type(e->what) == TIMELINE_EXCEPTION ? index_kind(t, what_index(e->what)) : 0;
    if (what_type(e->what) == TIMELINE_EXCEPTION)
        timeline_share_count(s, &t->kind[kind], kind);
    s->sleeps += what_type(e->what) == TIMELINE_WAKE;
}

static void events_share(const struct timeline *t, u32 cpu, const struct query *q)
{
    struct spot p = { .block = t->blocks ? block_of(t, q->from) : 0 };
    struct walker w = { t->from, t->pe[cpu].state };
    u64 at = 0;
    if (t->blocks)
        w = (struct walker){ block_get(t, p.block)->edge[cpu].at, block_get(t, p.block)->edge[cpu].state };
    for (; !spot_ends(t, &p) && w.at < q->to; spot_next(t, &p)) {
        const struct event *e = spot_event(t, &p, &at);
        if (what_cpu(e->what) == cpu)
            event_share(t, q, &w, e, at);
        else if (at >= q->to && w.state & (STATE_ASLEEP | STATE_OFF)) /* it does nothing meanwhile */
            break;
    }
    const struct pe *pe = &t->pe[cpu];
    if (w.at == pe->at && w.at < q->to)
        stay_share(q, pe->state, pe->at, pe->summed, pe->summed_own - pe->own);
}

void timeline_query(struct timeline *t, s32 cpu, u64 from, u64 to, unsigned count, struct timeline_share *out)
{
    const struct query q = { from, to, count, out };
    memset(out, 0, sizeof(*out) * count);
    timeline_settle(t);
    if (from >= to || !count)
        return;
    const bool fine = from >= t->kept && (to - from) / count < BIT(t->shift);
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        if (cpu == TIMELINE_ALL || (u32)cpu == n) {
            if (fine)
                events_share(t, n, &q);
            else
                sums_share(t, n, &q);
        }
}

/* ---- kinds ---- */

const struct timeline_kind *timeline_kind(const struct timeline *t, unsigned n)
{
    return n < t->kinds ? &t->kind[n] : NULL;
}

static struct exc exc_of(const struct timeline_kind_key *k)
{
    return (struct exc){ .kind = k->kind,
                         .ec = k->ec,
                         .target_el = k->to_el,
                         .is_virtual = k->is_virtual,
                         .has_hpfar = k->stage2,
                         .iss = k->fsc,
                         .cause = { .kind = k->cause_kind, .id = k->cause_id } };
}

void timeline_kind_words(const struct timeline_kind *k, char text[TIMELINE_WORDS])
{
    const struct exc e = exc_of(&k->key);
    const struct exc_source source = { k->key.by, k->key.intid, -1 };
    char cause[EXC_WORDS];
    int n =
        snprintf(text, TIMELINE_WORDS, "%s%s", exc_class_words(&e), e.kind == EXC_SYNC ? fault_name(e.ec, e.iss) : "");
    if (k->key.cause_kind == CAUSE_NONE)
        return;
    exc_cause_words(&e, &source, cause);
    snprintf(text + n, TIMELINE_WORDS - (size_t)n, ": %s", cause);
}

/* ---- events ---- */

static struct timeline_event event_make(const struct timeline *t, const struct event *e, u64 at, u32 before)
{
    const u32 index = what_index(e->what), state = timeline_state_after(t, e->what, before);
    struct timeline_event out = { .at = at,
                                  .cpu = what_cpu(e->what),
                                  .type = what_type(e->what),
                                  .el = state & STATE_EL,
                                  .secure = (state & STATE_SECURE) != 0,
                                  .vmid = (state & STATE_EL) < 2 ? t->vmid[state >> VM_SHIFT] : NO_GUEST,
                                  .kind = -1 };
    if (out.type != TIMELINE_EXCEPTION)
        return out;
    out.kind = (s32)index_kind(t, index);
    out.known = !(index & NO_SITE);
    if (!out.known)
        return out;
    const struct site *s = &t->site[index];
    out.pc = s->pc;
    out.iss = s->iss;
    out.cause_id = s->cause_id;
    out.level = s->level;
    out.value = s->value;
    return out;
}

/* What a PE is in before an event. */
static u32 state_before(const struct timeline *t, u32 cpu, const struct spot *p)
{
    const struct block *b = block_get(t, p->block);
    u32 state = b->edge[cpu].state;
    for (u32 n = 0; n < p->event; n++)
        state = what_cpu(b->event[n].what) == cpu ? timeline_state_after(t, b->event[n].what, state) : state;
    return state;
}

void timeline_each(struct timeline *t, s32 cpu, u64 from, u64 to,
                   bool (*each)(void *ctx, const struct timeline_event *e), void *ctx)
{
    u32 state[MAX_CPUS];
    if (!t->blocks)
        return;
    struct spot p = { .block = block_of(t, from) };
    for (u32 n = 0; n < t->m->options.cpu_count; n++)
        state[n] = block_get(t, p.block)->edge[n].state;
    for (u64 at; !spot_ends(t, &p); spot_next(t, &p)) {
        const struct event *e = spot_event(t, &p, &at);
        const u32 n = what_cpu(e->what);
        if (at >= to)
            return;
        if (at >= from && (cpu == TIMELINE_ALL || (u32)cpu == n)) {
            const struct timeline_event made = event_make(t, e, at, state[n]);
            if (!each(ctx, &made))
                return;
        }
        state[n] = timeline_state_after(t, e->what, state[n]);
    }
}

struct taking {
    struct timeline_event *out;
    unsigned count, most;
};
static bool take(void *ctx, const struct timeline_event *e)
{
    struct taking *k = ctx;
    k->out[k->count++] = *e;
    return k->count < k->most;
}

unsigned timeline_events(struct timeline *t, s32 cpu, u64 from, u64 to, unsigned most, struct timeline_event *out)
{
    struct taking k = { out, 0, most };
    if (most)
        timeline_each(t, cpu, from, to, take, &k);
    return k.count;
}

static void exception_words(const struct timeline *t, const struct timeline_event *e, char text[TIMELINE_WORDS])
{
    const struct timeline_kind *k = &t->kind[e->kind];
    char iss[EXC_WORDS] = "", words[TIMELINE_WORDS];
    struct exc exc = exc_of(&k->key);
    timeline_kind_words(k, words);
    exc.iss = e->iss;
    if (e->known)
        exc_iss_words(&exc, iss);
    size_t n = (size_t)snprintf(text, TIMELINE_WORDS, "%s to EL%u: ", timeline_is_exit(k) ? "exit" : "exception",
                                k->key.to_el);
    strncat(text, words, TIMELINE_WORDS - 1 - n);
    if (iss[0])
        strncat(text, ": ", TIMELINE_WORDS - 1 - strlen(text));
    strncat(text, iss, TIMELINE_WORDS - 1 - strlen(text));
}

void timeline_event_words(const struct timeline *t, const struct timeline_event *e, char text[TIMELINE_WORDS])
{
    static const char *const words[] = { [TIMELINE_SLEEP] = "sleeps",
                                         [TIMELINE_WAKE] = "wakes",
                                         [TIMELINE_ON] = "is switched on",
                                         [TIMELINE_OFF] = "is switched off" };
    if (e->type == TIMELINE_EXCEPTION)
        exception_words(t, e, text);
    else if (e->type == TIMELINE_RETURN && e->vmid != NO_GUEST)
        snprintf(text, TIMELINE_WORDS, "return to EL%u, VMID %d", e->el, e->vmid);
    else if (e->type == TIMELINE_RETURN)
        snprintf(text, TIMELINE_WORDS, "return to EL%u", e->el);
    else
        snprintf(text, TIMELINE_WORDS, "%s", words[e->type]);
}

/* ---- searching ---- */

static bool contains(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t n = 0;
        while (part[n] && tolower((unsigned char)text[n]) == tolower((unsigned char)part[n]))
            n++;
        if (!part[n])
            return true;
    }
    return !*part;
}

struct wanted {
    s32 cpu;
    u64 set; /* as timeline_share.kinds */
    bool kind[KINDS];
};

static void wanted_find(const struct timeline *t, const struct timeline_search *s, struct wanted *w)
{
    w->cpu = s->cpu;
    w->set = 0;
    for (unsigned n = 0; n < t->kinds; n++) {
        char words[TIMELINE_WORDS];
        const struct timeline_kind *k = &t->kind[n];
        bool fits = (s->kind < 0 || (u32)s->kind == n) && (!s->exits || timeline_is_exit(k));
        if (fits && s->words) {
            timeline_kind_words(k, words);
            fits = contains(words, s->words);
        }
        w->kind[n] = fits;
        w->set |= fits ? BIT(n < 63 ? n : 63) : 0;
    }
}

static bool event_fits(const struct timeline *t, const struct wanted *w, const struct event *e)
{
    return what_type(e->what) == TIMELINE_EXCEPTION && (w->cpu == TIMELINE_ALL || (u32)w->cpu == what_cpu(e->what)) &&
           w->kind[index_kind(t, what_index(e->what))];
}

static struct timeline_found found_event(const struct timeline *t, const struct spot *p)
{
    u64 at;
    const struct event *e = spot_event(t, p, &at);
    return (struct timeline_found){ .found = true,
                                    .exact = true,
                                    .from = at,
                                    .to = at + 1,
                                    .event = event_make(t, e, at, state_before(t, what_cpu(e->what), p)) };
}

static bool sum_fits(const struct timeline *t, const struct wanted *w, u64 n)
{
    u64 set = 0;
    for (u32 cpu = 0; cpu < t->m->options.cpu_count; cpu++)
        if (t->pe[cpu].sum && (w->cpu == TIMELINE_ALL || (u32)w->cpu == cpu))
            set |= t->pe[cpu].sum[n].kinds;
    return set & w->set;
}

/* Among the sums of what lies before the events. from: of the stretch that it is in. */
static struct timeline_found found_sum(const struct timeline *t, const struct wanted *w, u64 from, bool forward)
{
    const u64 width = BIT(t->shift), kept = t->kept;
    from = from < t->from ? t->from : from > kept ? kept : from;
    for (u64 n = (from - t->from) >> t->shift; n < t->stretches && t->from + n * width < kept;
         n += forward ? 1 : (u64)-1)
        if (sum_fits(t, w, n))
            return (
                struct timeline_found){ .found = true, .from = t->from + n * width, .to = t->from + (n + 1) * width };
    return (struct timeline_found){ .found = false };
}

static struct timeline_found next_found(struct timeline *t, u64 from, const struct wanted *w)
{
    u64 at;
    struct timeline_found f = { .found = false };
    if (from < t->kept)
        f = found_sum(t, w, from + 1, true);
    for (struct spot p = spot_at(t, from + 1); !f.found && !spot_ends(t, &p); spot_next(t, &p))
        if (event_fits(t, w, spot_event(t, &p, &at)))
            f = found_event(t, &p);
    return f;
}

static struct timeline_found last_found(struct timeline *t, u64 from, const struct wanted *w)
{
    u64 at;
    struct spot p = spot_at(t, from);
    while (t->blocks && spot_before(t, &p))
        if (event_fits(t, w, spot_event(t, &p, &at)))
            return found_event(t, &p);
    return t->kept > t->from && from > t->from ? found_sum(t, w, from - 1, false)
                                               : (struct timeline_found){ .found = false };
}

struct timeline_found timeline_next(struct timeline *t, u64 from, bool forward, const struct timeline_search *search)
{
    struct wanted w;
    wanted_find(t, search, &w);
    return forward ? next_found(t, from, &w) : last_found(t, from, &w);
}
