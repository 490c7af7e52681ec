/*
 * Pages of decoded instructions (see cpu/engine/code.h). Pages are found by a hash of (physical address, security
 * state, engine); when the pool is full the oldest page that no PE runs from is reused.
 */
#include "cpu/engine/code.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu/engine/fuse.h"
#include "cpu/tier2/tier2.h"
#include "mmu/access.h"
#include "mmu/phys.h"

enum { HASH_SIZE = 8192, NONE = 0xffffffff, WRITES_MAX = 64 };

struct code {
    struct phys *phys;
    struct decoder *decoder;
    struct cpu *cpus;
    unsigned cpu_count, page_count, used, hand;
    u32 hash[HASH_SIZE];
    struct fuse fuse;
    struct code_page *pages; /* mapped, touched as they are used */
    struct tier2 *tier2;
    struct code_page uncached[ENGINES];
};

op_fn thr_decode, thr_page_end, step_decode, step_page_end;

static op_fn *undecoded(enum engine engine) { return engine == ENGINE_THREADED ? thr_decode : step_decode; }

static unsigned hash_of(u64 pa) { return (unsigned)((pa >> 12) * 2654435761u >> 7) & (HASH_SIZE - 1); }

static void page_reset(struct code_page *page, u64 pa, bool ns, enum engine engine, const u8 *host)
{
    for (unsigned n = 0; n < CODE_SLOTS; n++)
        page->op[n].fn = undecoded(engine);
    page->op[CODE_SLOTS] = (struct op){ .fn = engine == ENGINE_THREADED ? thr_page_end : step_page_end };
    page->pa = pa;
    page->host = host;
    page->ns = ns;
    page->engine = (u8)engine;
    page->writes = 0;
    page->used = 1;
    page->regions = page->patience = 0;
    memset(page->seen, 0, sizeof(page->seen));
    memset(page->leader, 0, sizeof(page->leader));
    memset(page->covered, 0, sizeof(page->covered));
}

struct code *code_create(struct phys *phys, struct decoder *decoder, struct cpu *cpus, unsigned cpu_count,
                         unsigned pages)
{
    struct code *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct code){ .phys = phys, .decoder = decoder, .cpus = cpus, .cpu_count = cpu_count, .page_count = pages };
    memset(c->hash, 0xff, sizeof c->hash);
    fuse_build(&c->fuse);
    c->pages = mmap(NULL, pages * sizeof *c->pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                    -1, 0);
    if (c->pages == MAP_FAILED) {
        free(c);
        return NULL;
    }
    return c;
}

void code_destroy(struct code *c)
{
    if (!c)
        return;
    tier2_destroy(c->tier2);
    munmap(c->pages, c->page_count * sizeof *c->pages);
    free(c);
}

bool code_tier2_begin(struct code *c, const struct tier2_config *config, const char **why)
{
    code_drop(c);
    c->tier2 = tier2_create(c->decoder, c->pages, c->page_count, config, why);
    return c->tier2 != NULL;
}

struct tier2 *code_tier2(struct code *c) { return c->tier2; }

op_fn *code_plain(struct code *c, const struct code_page *page, unsigned slot)
{
    return c->tier2 ? tier2_plain(c->tier2, page, slot) : page->op[slot].fn;
}

static bool page_is_running(struct code *c, const struct code_page *page)
{
    for (unsigned n = 0; n < c->cpu_count; n++)
        if (c->cpus[n].d.page == page)
            return true;
    return false;
}

static struct code_page *page_lookup(struct code *c, u64 pa, bool ns, enum engine engine)
{
    for (u32 n = c->hash[hash_of(pa)]; n != NONE; n = c->pages[n].next_hash)
        if (c->pages[n].pa == pa && c->pages[n].ns == ns && c->pages[n].engine == engine)
            return &c->pages[n];
    return NULL;
}

static void xpages_forget(struct code *c, const struct code_page *page)
{
    for (unsigned n = 0; n < c->cpu_count; n++)
        for (unsigned k = 0; k < XPAGE_ENTRIES; k++)
            if (c->cpus[n].d.xpage[k].page == page)
                c->cpus[n].d.xpage[k].tag = 0;
}

/* Other decoded pages of the same physical page keep PAGE_CODE set. */
static void flag_update(struct code *c, u64 pa)
{
    u8 *flags = phys_flags(c->phys, pa);
    if (!flags)
        return;
    *flags &= (u8)~PAGE_CODE;
    for (u32 n = c->hash[hash_of(pa)]; n != NONE; n = c->pages[n].next_hash)
        if (c->pages[n].pa == pa)
            *flags |= PAGE_CODE;
}

static void page_free(struct code *c, struct code_page *page)
{
    u32 index = (u32)(page - c->pages), *link = &c->hash[hash_of(page->pa)];
    while (*link != index)
        link = &c->pages[*link].next_hash;
    *link = page->next_hash;
    page->used = 0;
    xpages_forget(c, page);
    u64 pa = page->pa;
    page->pa = ~(u64)0;
    flag_update(c, pa);
}

static struct code_page *page_take(struct code *c)
{
    if (c->used < c->page_count)
        return &c->pages[c->used++];
    for (;;) {
        struct code_page *page = &c->pages[c->hand++ % c->page_count];
        if (page_is_running(c, page))
            continue;
        if (page->used)
            page_free(c, page);
        return page;
    }
}

struct code_page *code_page_get(struct code *c, u64 pa, bool ns, enum engine engine)
{
    struct code_page *page = page_lookup(c, pa, ns, engine);
    if (page)
        return page;
    u8 *host = phys_page(c->phys, pa, (struct phys_attrs){ .ns = ns });
    if (!host)
        return code_page_uncached(c, pa, ns, engine);
    page = page_take(c);
    page_reset(page, pa, ns, engine, host);
    unsigned h = hash_of(pa);
    page->next_hash = c->hash[h];
    c->hash[h] = (u32)(page - c->pages);
    u8 *flags = phys_flags(c->phys, pa);
    for (unsigned n = 0; n < c->cpu_count && (!flags || *flags & PAGE_TAGGED); n++)
        fast_drop_writes(&c->cpus[n], pa);
    if (flags)
        *flags = (u8)((*flags & ~PAGE_TAGGED) | PAGE_CODE);
    return page;
}

struct code_page *code_page_uncached(struct code *c, u64 pa, bool ns, enum engine engine)
{
    struct code_page *page = &c->uncached[engine];
    page_reset(page, pa, ns, engine, NULL);
    return page;
}

/* The slots after i hold what its fused handler reads of them; executed by themselves they are decoded anew, and fused
 * with what follows. */
static void slots_fill(struct op *i, const struct op *ops, unsigned count)
{
    for (unsigned n = 1; n < count; n++)
        if (i[n].fn == thr_decode)
            op_copy(&i[n], thr_decode, &ops[n].d);
}

/* Decodes a slot for the threaded engine, with as many after it as may be of one sequence with it. */
static void slot_decode_fused(struct code *c, struct code_page *page, struct op *i)
{
    struct op ops[FUSE_MAX];
    unsigned slot = (unsigned)(i - page->op), count = 0;
    do {
        u32 word = load_le32(page->host + (slot + count) * 4);
        decoder_decode_slot(c->decoder, word, page->op, slot + count, CODE_SLOTS, &ops[count]);
        count++;
    } while (count < FUSE_MAX && slot + count < CODE_SLOTS && fuse_wants_more(&c->fuse, ops, count));
    op_fn *fused = count > 1 ? fuse_find(&c->fuse, ops, count) : ops[0].fn;
    op_copy(i, fused, &ops[0].d);
    if (fused != ops[0].fn)
        slots_fill(i, ops, count);
    if (c->tier2)
        tier2_decoded(c->tier2, page, slot, ops, count);
}

bool code_decode(struct code *c, struct code_page *page, struct op *i)
{
    u64 offset = (u64)(i - page->op) * 4, word;
    if (page->host) {
        page->writes = 0;
        if (page->engine == ENGINE_THREADED)
            slot_decode_fused(c, page, i);
        else
            decoder_decode(c->decoder, load_le32(page->host + offset), ENGINE_STEP, i);
        return true;
    }
    if (!phys_read(c->phys, page->pa + offset, 4, (struct phys_attrs){ .ns = page->ns }, &word))
        return false;
    decoder_decode(c->decoder, (u32)word, page->engine, i);
    return true;
}

static void slots_forget(struct code *c, struct code_page *page, u64 offset, unsigned size)
{
    u64 first = offset / 4, last = (offset + size - 1) / 4;
    if (page->regions)
        tier2_written(c->tier2, page, (unsigned)first, (unsigned)last);
    first = first < FUSE_MAX - 1 ? 0 : first - (FUSE_MAX - 1); /* earlier slots may be fused over these */
    for (u64 n = first; n <= last && n < CODE_SLOTS; n++)
        page->op[n].fn = undecoded(page->engine);
}

/* All pages made of the physical page stand in one chain. */
void code_written(void *code, u64 pa, unsigned size)
{
    struct code *c = code;
    u64 base = align_down(pa, 4096);
    for (u32 n = c->hash[hash_of(base)], next; n != NONE; n = next) {
        struct code_page *page = &c->pages[n];
        next = page->next_hash;
        if (page->pa != base)
            continue;
        if (++page->writes > WRITES_MAX && !page_is_running(c, page))
            page_free(c, page);
        else
            slots_forget(c, page, pa - base, size);
    }
}

void code_drop(struct code *c)
{
    for (unsigned n = 0; n < c->used; n++)
        if (c->pages[n].used && !page_is_running(c, &c->pages[n]))
            page_free(c, &c->pages[n]);
        else if (c->pages[n].used)
            page_reset(&c->pages[n], c->pages[n].pa, c->pages[n].ns, c->pages[n].engine, c->pages[n].host);
}
