/*
 * Physical memory: RAM regions, the way to devices, and the pages that hold decoded code.
 * Every access to RAM but the fast tags comes through here, so that decoded code never outlives its bytes.
 * Leaves out: caches (memory is always coherent, so cache maintenance moves no data).
 */
#include "mmu/phys.h"

#include <sys/mman.h>
#include <unistd.h>

static const u64 PAGE = 4096;

/* Host address of `size` bytes of RAM at pa, which must not cross a page; NULL if it isn't RAM. */
static u8 *ram_at(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs, struct phys_region **region)
{
    struct phys_region *r = phys_find(p, pa, attrs);
    if (region)
        *region = r;
    if (r)
        return size <= r->size - (pa - r->base) ? r->host + (pa - r->base) : NULL;
    if (p->ops && p->ops->page && (pa & (PAGE - 1)) + size <= PAGE) {
        u8 *page = p->ops->page(p->board, pa & ~(PAGE - 1), attrs);
        return page ? page + (pa & (PAGE - 1)) : NULL;
    }
    return NULL;
}

u8 *phys_page(struct phys *p, u64 pa, struct phys_attrs attrs)
{
    struct phys_region *r = phys_region_at(p, pa);
    pa &= ~(PAGE - 1);
    if (r && !(r->secure && attrs.ns))
        return r->host + (pa - r->base);
    return ram_at(p, pa, (unsigned)PAGE, attrs, NULL);
}

u8 *phys_flags(struct phys *p, u64 pa)
{
    struct phys_region *r = phys_region_at(p, pa);
    return r && r->flags ? &r->flags[(pa - r->base) / PAGE] : NULL;
}

void phys_touch_pages(struct phys *p, struct phys_region *r, u64 pa, u64 size)
{
    if (!r) {
        if (p->code_written)
            p->code_written(p->code, pa, (unsigned)size);
        return;
    }
    if (!r->flags)
        return;
    for (u64 page = (pa - r->base) / PAGE, last = (pa - r->base + size - 1) / PAGE; page <= last; page++) {
        u64 first = r->base + page * PAGE;
        u64 from = pa > first ? pa : first, end = pa + size < first + PAGE ? pa + size : first + PAGE;
        if (r->flags[page] & PAGE_CODE && p->code_written)
            p->code_written(p->code, from, (unsigned)(end - from));
        r->flags[page] |= PAGE_TOUCHED | PAGE_DIRTY;
    }
}

static u64 load(const u8 *host, unsigned size)
{
    switch (size) {
    case 1: return *host;
    case 2: return load_le16(host);
    case 4: return load_le32(host);
    default: return load_le64(host);
    }
}

static void store(u8 *host, unsigned size, u64 value)
{
    switch (size) {
    case 1: *host = (u8)value; break;
    case 2: store_le16(host, (u16)value); break;
    case 4: store_le32(host, (u32)value); break;
    default: store_le64(host, value); break;
    }
}

bool phys_read(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value)
{
    const u8 *host = ram_at(p, pa, size, attrs, NULL);
    if (host) {
        *value = load(host, size);
        return true;
    }
    if (phys_find(p, pa, attrs) || pa & (size - 1) || !p->ops || !p->ops->read)
        return false;
    return p->ops->read(p->board, pa, size, attrs, value);
}

bool phys_write(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs, u64 value)
{
    struct phys_region *r;
    u8 *host = ram_at(p, pa, size, attrs, &r);
    if (host && !(r && r->readonly)) {
        phys_touch(p, r, pa, size);
        store(host, size, value);
        return true;
    }
    if ((r && !r->readonly) || pa & (size - 1) || !p->ops || !p->ops->write)
        return false;
    return p->ops->write(p->board, pa, size, attrs, value);
}

bool phys_zero(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs)
{
    struct phys_region *r;
    u8 *host = ram_at(p, pa, size, attrs, &r);
    bool ok = true;
    if (host && !(r && r->readonly)) {
        phys_touch(p, r, pa, size);
        memset(host, 0, size);
        return true;
    }
    for (unsigned n = 0; ok && n < size; n += 8)
        ok = phys_write(p, pa + n, 8, attrs, 0);
    return ok;
}

/* The kernel rounds what it is given up to pages of its own, which are larger on some hosts. */
static bool give_back(const struct phys_region *r, u8 *host, u64 size)
{
    return !r->of_file && !(((uintptr_t)host | size) % (u64)getpagesize()) && !madvise(host, size, MADV_DONTNEED);
}

bool phys_discard(struct phys *p, u64 pa, u64 size)
{
    for (u64 part; size; pa += part, size -= part) {
        struct phys_region *r = phys_find(p, pa, (struct phys_attrs){ .ns = 1 });
        if (!r || r->readonly || (pa | size) % PAGE)
            return false;
        part = r->base + r->size - pa < size ? r->base + r->size - pa : size;
        phys_touch(p, r, pa, part);
        u8 *host = r->host + (pa - r->base);
        if (!give_back(r, host, part))
            memset(host, 0, part);
    }
    return true;
}

bool phys_of_host(const struct phys *p, const u8 *host, u64 *pa)
{
    for (unsigned n = 0; n < p->region_count; n++) {
        u64 offset = (u64)(uintptr_t)host - (u64)(uintptr_t)p->region[n].host;
        if (offset < p->region[n].size) {
            *pa = p->region[n].base + offset;
            return true;
        }
    }
    return false;
}

bool phys_cas64(struct phys *p, u64 pa, struct phys_attrs attrs, u64 expected, u64 value)
{
    struct phys_region *r;
    u8 *host = ram_at(p, pa, 8, attrs, &r);
    if (!host || (r && r->readonly) || load(host, 8) != expected)
        return false;
    phys_touch(p, r, pa, 8);
    memcpy(host, &value, 8);
    return true;
}

/* The bytes of RAM from pa to the region's (or page's) end, at most size; NULL when pa isn't RAM. */
static u8 *ram_run(struct phys *p, u64 pa, u64 size, struct phys_region **region, u64 *run)
{
    struct phys_attrs debug = { .privileged = 1 };
    *region = phys_region_at(p, pa);
    if (*region) {
        u64 offset = pa - (*region)->base, left = (*region)->size - offset;
        *run = size < left ? size : left;
        return (*region)->host + offset;
    }
    u64 left = PAGE - (pa & (PAGE - 1));
    *run = size < left ? size : left;
    return ram_at(p, pa, 1, debug, region);
}

/* Is every byte of the range RAM? A range that wraps is not. */
static bool all_ram(struct phys *p, u64 pa, u64 size)
{
    if (size && pa + size - 1 < pa)
        return false;
    while (size) {
        struct phys_region *r;
        u64 run;
        if (!ram_run(p, pa, size, &r, &run))
            return false;
        pa += run, size -= run;
    }
    return true;
}

bool phys_copy_in(struct phys *p, u64 pa, const void *from, u64 size)
{
    if (!all_ram(p, pa, size))
        return false;
    for (const u8 *src = from; size;) {
        struct phys_region *r;
        u64 run;
        u8 *host = ram_run(p, pa, size, &r, &run);
        phys_touch(p, r, pa, run);
        memcpy(host, src, run);
        pa += run, src += run, size -= run;
    }
    return true;
}

bool phys_copy_out(struct phys *p, u64 pa, void *to, u64 size)
{
    if (!all_ram(p, pa, size))
        return false;
    for (u8 *dst = to; size;) {
        struct phys_region *r;
        u64 run;
        const u8 *host = ram_run(p, pa, size, &r, &run);
        memcpy(dst, host, run);
        pa += run, dst += run, size -= run;
    }
    return true;
}
