/*
 * Physical memory as the PE sees it: RAM behind host pointers, devices behind two functions.
 * Reads and writes of RAM from outside the fast path all come through here: phys_write knows the pages that hold
 * decoded code. One machine has one struct phys; it is derived state (the RAM's contents are state, kept by the board).
 */
#ifndef MMU_PHYS_H
#define MMU_PHYS_H

#include "lib/base.h"

enum { PHYS_REGIONS = 10 };

/* Flags of a RAM page (4 KiB), kept in phys_region.flags. */
enum { PAGE_CODE = 1,    /* holds decoded instructions: stores must come through phys_write */
       PAGE_TOUCHED = 2, /* written since reset or the last snapshot */
       PAGE_WATCHED = 4, /* a debugger wants to see accesses */
       PAGE_DIRTY = 8,   /* written since the last checkpoint */
       PAGE_TAGGED = 16  /* some PE may have a fast write tag for it */ };

struct phys_region {
    u64 base, size; /* bytes, both multiples of 4096 */
    u8 *host;
    u8 *flags; /* one byte a page, PAGE_* */
    u8 secure; /* only Secure accesses may reach it */
    u8 readonly;
    u8 of_file; /* some of its pages are a private copy of a file's (a restored snapshot), which would be there again */
    u8 closed; /* a device answers in its place (a flash that takes commands); instructions still come from here */
};

struct phys_attrs {
    u8 ns; /* Non-secure access */
    u8 privileged;
    u16 cpu; /* which PE, for banked registers; all in a word: passed in a register */
};

/* Made in a register: bytes stored one by one and then read as a word would stall. */
static inline struct phys_attrs phys_attrs_make(bool ns, unsigned cpu, bool privileged)
{
    u32 word = (u32)ns | (u32)privileged << 8 | cpu << 16;
    struct phys_attrs attrs;
    static_assert(sizeof(attrs) == sizeof(word), "one word");
    memcpy(&attrs, &word, sizeof(attrs));
    return attrs;
}

/* Device side. size is 1, 2, 4 or 8 bytes, the address is naturally aligned. False: no device answers there
 * (external abort). */
struct phys_device_ops {
    bool (*read)(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value);
    bool (*write)(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 value);
    /* Optional: a host page for an address outside of all regions (test harnesses with memory everywhere), or NULL. */
    u8 *(*page)(void *board, u64 pa, struct phys_attrs attrs);
};

struct phys {
    struct phys_region region[PHYS_REGIONS];
    unsigned region_count;
    u64 pa_size; /* bits of physical address */
    const struct phys_device_ops *ops;
    void *board;
    /* Called by phys_write and friends before bytes of a PAGE_CODE page change. */
    void (*code_written)(void *code, u64 pa, unsigned size);
    void *code;
};

/* The RAM region that holds pa for this access, or NULL. */
static inline struct phys_region *phys_find(struct phys *p, u64 pa, struct phys_attrs attrs)
{
    for (unsigned n = 0; n < p->region_count; n++) {
        struct phys_region *r = &p->region[n];
        if (pa - r->base < r->size && !(r->secure && attrs.ns) && !r->closed)
            return r;
    }
    return NULL;
}
/* The region that holds pa, closed or not: for those who look from outside. */
static inline struct phys_region *phys_region_at(struct phys *p, u64 pa)
{
    for (unsigned n = 0; n < p->region_count; n++)
        if (pa - p->region[n].base < p->region[n].size)
            return &p->region[n];
    return NULL;
}

/* Host address of the 4 KiB page of RAM at pa, closed or not; NULL when it isn't RAM. */
u8 *phys_page(struct phys *p, u64 pa, struct phys_attrs attrs);
/* The flag byte of that page; NULL when there is none. */
u8 *phys_flags(struct phys *p, u64 pa);

/* Size 1, 2, 4 or 8, naturally aligned or wholly in RAM within one page. False: external abort. */
bool phys_read(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value);
bool phys_write(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs, u64 value);
/* Zeroes size bytes (16..2048, naturally aligned). */
bool phys_zero(struct phys *p, u64 pa, unsigned size, struct phys_attrs attrs);
/* Nobody needs what these whole pages of Non-secure RAM hold: they read as zeros, and take no memory of the host's
 * until they are written. False: not all of it is such RAM; then some of it may be as it was. */
bool phys_discard(struct phys *p, u64 pa, u64 size);
/* The physical address of a byte of RAM by its host address. False: it lies in no region. */
bool phys_of_host(const struct phys *p, const u8 *host, u64 *pa);
/* Compare-and-swap of 8 bytes by the walker (hardware update of descriptors); false: the value had changed. */
bool phys_cas64(struct phys *p, u64 pa, struct phys_attrs attrs, u64 expected, u64 value);
/* Bulk copies for loaders, gdb and DMA; RAM only. False when a byte of the range isn't RAM. */
bool phys_copy_in(struct phys *p, u64 pa, const void *from, u64 size);
/* Bytes of a region that has flags, or (NULL) of other memory, are about to change: decoded code goes, pages are
 * marked. What phys_touch does where there is more than one page, or code. */
void phys_touch_pages(struct phys *p, struct phys_region *r, u64 pa, u64 size);
static inline void phys_touch(struct phys *p, struct phys_region *r, u64 pa, u64 size)
{
    u64 offset = r ? pa - r->base : 0;
    if (likely(r && r->flags && offset % 4096 + size <= 4096 && !(r->flags[offset / 4096] & PAGE_CODE) && size))
        r->flags[offset / 4096] |= PAGE_TOUCHED | PAGE_DIRTY;
    else
        phys_touch_pages(p, r, pa, size);
}
/* The same as phys_copy_in, where it is known already that this region holds all of it, and may be written. */
static inline void phys_region_write(struct phys *p, struct phys_region *r, u64 pa, const void *from, u64 size)
{
    u8 *host = r->host + (pa - r->base);
    phys_touch(p, r, pa, size);
    if (size == 4) /* a message, mostly */
        memcpy(host, from, 4);
    else
        memcpy(host, from, size);
}
bool phys_copy_out(struct phys *p, u64 pa, void *to, u64 size);

#endif
