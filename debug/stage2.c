/*
 * Stage 2 maps and owners of memory (stage2.h). Table formats are read from VTCR_EL2 by mmu/table.c, rights by
 * mmu/permission.c; memory is read by peeks.
 */
#include "debug/stage2.h"

#include "mmu/permission.h"

#include <stdlib.h>

struct mapper {
    const struct regime_desc *r;
    struct table t;
    u64 *looks;
    bool enough;             /* whoever is told wants no more */
    struct stage2_span span; /* size 0: none yet */
    stage2_fn *tell;
    void *ctx;
};

static void span_end(struct mapper *m)
{
    if (m->span.size && !m->enough)
        m->enough = !m->tell(m->ctx, &m->span);
    m->span.size = 0;
}

static void leaf(struct mapper *m, u64 ipa, u64 desc, unsigned low)
{
    struct stage2_span *s = &m->span;
    u64 pa = low < 48 ? bits(desc, m->t.ds ? 49 : 47, low) << low : 0;
    u16 perm = permission_stage2(m->r, &m->t, desc).perm;
    u8 memattr = (u8)bits(desc, 5, 2);
    if (s->size && s->ipa + s->size == ipa && s->pa + s->size == pa && s->perm == perm && s->memattr == memattr) {
        s->size += BIT(low);
        return;
    }
    span_end(m);
    *s = (struct stage2_span){ .ipa = ipa, .pa = pa, .size = BIT(low), .perm = perm, .memattr = memattr };
}

static void entry_look(struct mapper *m, u64 d, int level, unsigned low, u64 ipa);

/* The table at pa, whose entries are about IPAs from `ipa` on. */
static void table_look(struct mapper *m, u64 pa, u64 entries, int level, u64 ipa)
{
    unsigned low = m->t.grain + (m->t.grain - 3u) * (unsigned)(3 - level);
    u64 some[64];
    for (u64 n = 0; n < entries; n++) {
        u64 left = entries - n < ARRAY_LEN(some) ? entries - n : ARRAY_LEN(some);
        if (n % ARRAY_LEN(some) == 0 && !phys_copy_out(m->r->phys, pa + 8 * n, some, 8 * left))
            return;
        if (!*m->looks || m->enough)
            return;
        --*m->looks;
        u64 d = some[n % ARRAY_LEN(some)];
        entry_look(m, m->t.ee ? __builtin_bswap64(d) : d, level, low, ipa + (n << low));
    }
}

static void entry_look(struct mapper *m, u64 d, int level, unsigned low, u64 ipa)
{
    if (!bit(d, 0) || (level == 3 && !bit(d, 1)))
        return;
    if (level < 3 && bit(d, 1))
        table_look(m, bits(d, 47, m->t.grain) << m->t.grain, BIT(m->t.grain - 3), level + 1, ipa);
    else
        leaf(m, ipa, d, low);
}

bool stage2_each(const struct regime_desc *r, u64 *looks, stage2_fn *tell, void *ctx)
{
    struct mapper m = { .r = r, .looks = looks, .tell = tell, .ctx = ctx };
    u8 range;
    if (!r->stage2 || !table_stage2(r, !r->secure, &m.t, &range))
        return true;
    unsigned low = m.t.grain + (m.t.grain - 3u) * (unsigned)(3 - m.t.level);
    u64 entries = m.t.input_size > low && m.t.input_size - low < 20 ? BIT(m.t.input_size - low) : 1;
    table_look(&m, bits(m.t.base, 47, 1) << 1 & ~ones(12), entries, m.t.level, 0);
    span_end(&m);
    return *looks && !m.enough;
}

unsigned stage2_bits(const struct regime_desc *r)
{
    struct table t;
    u8 range;
    return r->stage2 && table_stage2(r, !r->secure, &t, &range) ? t.input_size : 0;
}

/* ---- owners ---- */

/* A hostile guest may map the same memory a million times. */
enum { MARKS = 1 << 25 };
struct marker {
    struct owners *o;
    u8 vm;
    u64 *left; /* units that may still be marked */
};

static bool mark(void *ctx, const struct stage2_span *s)
{
    struct marker *k = ctx;
    struct owners *o = k->o;
    u64 first = s->pa > o->base ? s->pa : o->base, end = s->pa + s->size;
    end = end < o->base + o->size ? end : o->base + o->size;
    for (u64 pa = first & ~(o->unit - 1); pa < end && *k->left; pa += o->unit, --*k->left) {
        u8 *of = &o->of[(pa - o->base) / o->unit];
        *of = *of >= OWNER_NONE && *of != OWNER_SHARED ? k->vm : *of == k->vm ? k->vm : (u8)OWNER_SHARED;
    }
    return *k->left;
}

/* Whether a guest wrote there or not, what somebody wrote and no guest has is the rest's. */
static void touched(const struct debugger *d, struct owners *o)
{
    const struct phys_region *r = phys_region_at(&d->m->d.phys, o->base);
    for (u64 n = 0; n < o->count; n++) {
        const u8 *flags = r ? r->flags + n * (o->unit >> 12) : NULL;
        o->of[n] = OWNER_NONE;
        for (u64 page = 0; flags && page < o->unit >> 12; page++)
            if (flags[page] & PAGE_TOUCHED)
                o->of[n] = OWNER_REST;
    }
}

static void counted(struct owners *o)
{
    for (u64 n = 0; n < o->count; n++) {
        u64 *sum = o->of[n] == OWNER_SHARED ? &o->shared : o->of[n] == OWNER_REST ? &o->rest : NULL;
        sum = o->of[n] < VMS ? &o->bytes[o->of[n]] : sum;
        if (sum)
            *sum += o->unit;
    }
}

bool owners_find(const struct debugger *d, u64 most, struct owners *o)
{
    *o = (struct owners){
        .base = row_address(d->m, ROW_ram), .size = d->m->options.ram_size, .unit = 4096, .whole = true
    };
    while (o->size / o->unit > most)
        o->unit *= 2;
    o->count = o->size / o->unit;
    o->of = malloc(o->count ? o->count : 1);
    if (!o->of)
        return false;
    u64 left = MARKS, looks = STAGE2_LOOKS;
    touched(d, o);
    for (unsigned n = 0; n < VMS; n++) {
        struct marker k = { .o = o, .vm = (u8)n, .left = &left };
        if (d->vm[n].used)
            o->whole &= stage2_each(&d->vm[n].regime, &looks, mark, &k);
    }
    o->whole &= left > 0;
    counted(o);
    return true;
}

void owners_free(struct owners *o)
{
    free(o->of);
    o->of = NULL;
}

const struct row *owners_device(const struct machine *m, u64 pa, u32 *number)
{
    for (unsigned n = 0; n < ROW_FUNCTIONS; n++) {
        const struct row *row = row_get(n);
        u64 at = row_address(m, n), size = n == ROW_ram ? m->options.ram_size : row->size;
        if (!size || !row_there(m, row) || pa < at || (pa - at) / size >= row->count)
            continue;
        *number = (u32)((pa - at) / size);
        return row;
    }
    return NULL;
}
