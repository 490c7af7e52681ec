/*
 * The timeline for a page: sums of equal stretches for each PE, of which the page's script makes any wider scale; the
 * events of the first and the last part of what is kept, one by one; the kinds of exceptions. Shares are bytes, 255 is
 * the whole stretch, in base 64.
 */
#include "frontend/report_internal.h"

#include "debug/symbols.h"

#include <stdlib.h>

enum { STRETCHES = 12288 /* of all PEs */, STRETCHES_LEAST = 128, STRETCHES_MOST = 6144 };
enum { FIRST = 16000, LAST = 32000 /* events that are kept */, SITES = 1 << 16 };

static json_t *base64(const u8 *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc(4 * size / 3 + 8), *p = text;
    if (!text)
        die("out of memory");
    for (size_t n = 0; n < size; n += 3) {
        u32 three =
            (u32)bytes[n] << 16 | (n + 1 < size ? (u32)bytes[n + 1] << 8 : 0) | (n + 2 < size ? bytes[n + 2] : 0);
        for (unsigned k = 0; k < 4; k++)
            *p++ = n + k > size ? '=' : digits[three >> (18 - 6 * k) & 63];
    }
    json_t *j = json_stringn(text, (size_t)(p - text));
    free(text);
    return j;
}

/* ---- stretches ---- */

static json_t *shares(const struct timeline_share *s, unsigned count, u64 width, size_t field)
{
    u8 *bytes = calloc(count, 1);
    u64 any = 0;
    if (!bytes)
        die("out of memory");
    for (unsigned n = 0; n < count; n++) {
        const u64 part = load_le64((const u8 *)&s[n] + field), share = width ? (part * 255 + width / 2) / width : 0;
        bytes[n] = (u8)(share > 255 ? 255 : share + (part && !share));
        any |= part;
    }
    json_t *j = any ? base64(bytes, count) : json_null();
    free(bytes);
    return j;
}

static json_t *counts(const struct timeline_share *s, unsigned count, size_t field)
{
    json_t *j = json_array();
    for (unsigned n = 0; n < count; n++)
        json_array_append_new(j, json_integer((json_int_t)load_le64((const u8 *)&s[n] + field)));
    return j;
}

#define AT(field) offsetof(struct timeline_share, field)
static json_t *pe_json(const struct gatherer *g, u32 cpu, struct timeline_range r, unsigned count,
                       struct timeline_share *s)
{
    json_t *el = json_array(), *vm = json_array();
    s32 vmid[TIMELINE_VMS];
    const u64 width = (r.to - r.from) / count;
    timeline_query(g->t, (s32)cpu, r.from, r.to, count, s);
    for (unsigned n = 0; n < 4; n++)
        json_array_append_new(el, shares(s, count, width, AT(el) + 8 * n));
    for (unsigned n = 0; n < timeline_vms(g->t, vmid); n++)
        json_array_append_new(vm, n ? shares(s, count, width, AT(vm) + 8 * n) : json_null());
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "el", el, "vm", vm, "secure", shares(s, count, width, AT(secure)),
                     "exits", counts(s, count, AT(exits)), "interrupts", counts(s, count, AT(interrupts)), "sleeps",
                     counts(s, count, AT(sleeps)));
}

/* ---- events ---- */

struct site_key {
    u64 pc;
    u32 iss;
    s32 kind;
};
struct gathering {
    const struct gatherer *g;
    json_t *list, *sites;
    u64 at;
    u64 count; /* so many in all */
    u64 seen;
    u64 zone[4];
    s32 vmid[TIMELINE_VMS];
    unsigned vms;
    struct {
        struct site_key key;
        u32 number; /* + 1 */
    } * hash;
};

static json_int_t site_number(struct gathering *a, const struct timeline_event *e)
{
    const struct site_key key = { e->pc, e->iss, e->kind };
    u64 h = (e->pc ^ (u64)e->iss << 20 ^ (u64)(u32)e->kind << 44) * 0x9e3779b97f4a7c15ull >> 46;
    while (a->hash[h %= SITES * 2].number && memcmp(&a->hash[h].key, &key, sizeof(key)))
        h++;
    if (!a->hash[h].number) {
        const struct timeline_kind *k = timeline_kind(a->g->t, (unsigned)e->kind);
        char words[TIMELINE_WORDS], where[256] = "-";
        timeline_event_words(a->g->t, e, words);
        if (a->g->d->symbols)
            symbols_describe(a->g->d->symbols, e->pc, (struct symbol_place){ k->key.from_el, k->key.vmid }, where,
                             sizeof(where));
        a->hash[h].key = key;
        json_array_append_new(a->sites,
                              json_pack("[o,o,o]", json_print("0x%llx", (unsigned long long)e->pc),
                                        json_print("%s", strcmp(where, "-") ? where : ""), json_print("%s", words)));
        a->hash[h].number = (u32)json_array_size(a->sites);
    }
    return a->hash[h].number - 1;
}

static int vm_number(const struct gathering *a, s32 vmid)
{
    for (unsigned n = 0; n < a->vms; n++)
        if (a->vmid[n] == vmid)
            return (int)n;
    return 0;
}

static bool count_event(void *ctx, const struct timeline_event *e)
{
    (void)e;
    return ++((struct gathering *)ctx)->count != 0;
}

/* Distance, PE, type, EL and VM that follow, kind, site: -1 where there is none. */
static bool add_event(void *ctx, const struct timeline_event *e)
{
    struct gathering *a = ctx;
    const u64 n = a->seen++;
    const bool first = n < FIRST, last = n + LAST >= a->count;
    if (!first && !last)
        return true;
    if (first)
        a->zone[1] = e->at + 1;
    else if (n + LAST == a->count)
        a->zone[2] = e->at;
    const json_int_t values[] = { (json_int_t)(e->at - a->at),
                                  e->cpu,
                                  e->type,
                                  e->el,
                                  vm_number(a, e->vmid),
                                  e->kind,
                                  e->kind >= 0 && e->known && json_array_size(a->sites) < SITES ? site_number(a, e)
                                                                                                : -1 };
    for (unsigned k = 0; k < ARRAY_LEN(values); k++)
        json_array_append_new(a->list, json_integer(values[k]));
    a->at = e->at;
    return true;
}

static json_t *events_json(const struct gatherer *g, struct timeline_range r)
{
    struct gathering a = { .g = g, .list = json_array(), .sites = json_array(), .at = r.kept };
    a.hash = calloc(SITES * 2, sizeof(*a.hash));
    if (!a.hash)
        die("out of memory");
    a.vms = timeline_vms(g->t, a.vmid);
    timeline_each(g->t, TIMELINE_ALL, r.kept, r.to, count_event, &a);
    const bool all = a.count <= FIRST + LAST;
    a.zone[0] = r.kept;
    a.zone[1] = a.zone[2] = a.zone[3] = r.to;
    timeline_each(g->t, TIMELINE_ALL, r.kept, r.to, add_event, &a);
    free(a.hash);
    json_t *zones = all ? json_pack("[[I,I]]", (json_int_t)r.kept, (json_int_t)r.to)
                        : json_pack("[[I,I],[I,I]]", (json_int_t)a.zone[0], (json_int_t)a.zone[1],
                                    (json_int_t)a.zone[2], (json_int_t)a.zone[3]);
    return json_pack("{s:I,s:I,s:o,s:o,s:o}", "from", (json_int_t)r.kept, "count", (json_int_t)a.count, "zones", zones,
                     "list", a.list, "sites", a.sites);
}

json_t *gather_timeline(const struct gatherer *g)
{
    const struct timeline_range r = timeline_range(g->t);
    unsigned count = STRETCHES / g->m->options.cpu_count;
    s32 vmid[TIMELINE_VMS];
    count = count < STRETCHES_LEAST ? STRETCHES_LEAST : count > STRETCHES_MOST ? STRETCHES_MOST : count;
    count = r.to - r.from < count ? (unsigned)(r.to - r.from) : count;
    json_t *pes = json_array(), *vms = json_array();
    struct timeline_share *s = calloc(count, sizeof(*s));
    if (!s)
        die("out of memory");
    for (u32 n = 0; n < g->m->options.cpu_count; n++)
        json_array_append_new(pes, pe_json(g, n, r, count, s));
    for (unsigned n = 0; n < timeline_vms(g->t, vmid); n++)
        json_array_append_new(vms, json_integer(vmid[n]));
    free(s);
    return json_pack("{s:I,s:I,s:i,s:o,s:o,s:o}", "from", (json_int_t)r.from, "to", (json_int_t)r.to, "stretches",
                     (int)count, "cpus", pes, "vms", vms, "events", events_json(g, r));
}

/* ---- kinds ---- */

static json_t *kind_json(const struct gatherer *g, unsigned n)
{
    const struct timeline_kind *k = timeline_kind(g->t, n);
    char words[TIMELINE_WORDS];
    timeline_kind_words(k, words);
    return json_pack("{s:i,s:i,s:i,s:i,s:b,s:i,s:o,s:I,s:I,s:I,s:I}", "kind", (int)n, "vmid", (int)k->key.vmid, "from",
                     k->key.from_el, "to", k->key.to_el, "interrupt", k->key.kind != EXC_SYNC, "intid",
                     (int)k->key.intid, "words", json_print("%s", words), "count", (json_int_t)k->count, "insns",
                     (json_int_t)k->insns, "returned", (json_int_t)k->returned, "first", (json_int_t)k->first);
}

enum which { EXITS, EXCEPTIONS, INTERRUPTS };
struct ranked {
    unsigned kind;
    u64 weight;
};
static int by_weight(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->weight != y->weight ? x->weight < y->weight ? 1 : -1 : (int)x->kind - (int)y->kind;
}

/* Those first that took most: exits by instructions, the others by how often they came. */
static json_t *kinds_json(const struct gatherer *g, enum which which)
{
    json_t *list = json_array();
    unsigned kinds = 0, count = 0;
    while (timeline_kind(g->t, kinds))
        kinds++;
    struct ranked *ranked = calloc(kinds + 1, sizeof(*ranked));
    if (!ranked)
        die("out of memory");
    for (unsigned n = 0; n < kinds; n++) {
        const struct timeline_kind *k = timeline_kind(g->t, n);
        if (which == EXITS ? timeline_is_exit(k) : which == EXCEPTIONS || k->key.kind != EXC_SYNC)
            ranked[count++] = (struct ranked){ n, which == EXITS ? k->insns : k->count };
    }
    qsort(ranked, count, sizeof(*ranked), by_weight);
    for (unsigned n = 0; n < count; n++)
        json_array_append_new(list, kind_json(g, ranked[n].kind));
    free(ranked);
    return list;
}
json_t *gather_exits(const struct gatherer *g) { return kinds_json(g, EXITS); }
json_t *gather_exceptions(const struct gatherer *g) { return kinds_json(g, EXCEPTIONS); }
json_t *gather_interrupts(const struct gatherer *g) { return kinds_json(g, INTERRUPTS); }
