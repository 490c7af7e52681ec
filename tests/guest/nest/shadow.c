/* The shadow stage 2. L1 writes a table that takes its guests' addresses to what it takes for physical ones; L0's table
 * takes those to the real ones. The hardware walks one table: for each that L1 has in VTTBR_EL2, L0 keeps one from L2's
 * addresses to real ones. It starts empty; an address is entered when L2 first faults on it, and the whole is thrown
 * away when L1 invalidates. L1's addresses are the real ones here (main.c), but only those that it has.
 */
#include "nest.h"

#define DESC_ADDRESS 0xfffffffff000ul
#define DESC_XN      BIT(54)
#define DESC_AF      BIT(10)
#define VTCR_HA      BIT(21)

enum { SHADOWS = 8, FIRST_VMID = 16, TABLES = 1024 };
enum { FAULT_TRANSLATION = 4, FAULT_FLAG = 8, FAULT_PERMISSION = 12, FAULT_EXTERNAL = 16 };

static struct shadow {
    u64 vttbr; /* L1's */
    u64 *root;
} shadows[SHADOWS];
static u64 tables[TABLES][512] __attribute__((aligned(4096)));
static u32 tables_used, shadows_used;

void shadow_drop(void)
{
    shadows_used = tables_used = 0;
    DSB();
    asm volatile("tlbi alle1; dsb sy; isb");
}

static u64 *table_new(void)
{
    u64 *t = tables[tables_used++];
    for (u32 n = 0; n < 512; n++)
        t[n] = 0;
    return t;
}

/* The shadow of L1's VTTBR_EL2, with room to enter one more address. */
static struct shadow *current(void)
{
    u64 vttbr = VNCR(VNCR_VTTBR);
    if (tables_used + 4 > TABLES)
        shadow_drop();
    for (u32 n = 0; n < shadows_used; n++)
        if (shadows[n].vttbr == vttbr)
            return &shadows[n];
    if (shadows_used == SHADOWS)
        shadow_drop();
    struct shadow *s = &shadows[shadows_used++];
    s->vttbr = vttbr;
    s->root = table_new();
    return s;
}

static void activate(u64 *root, u64 vmid)
{
    guests[L2].s2_root = root;
    guests[L2].vmid = vmid;
    s2_activate(&guests[L2]);
}

void shadow_activate(void)
{
    struct shadow *s = current();
    activate(s->root, FIRST_VMID + (u64)(s - shadows));
}

void stage2_of_l1(u64 vmid) { activate(guests[L1].s2_root, vmid); }

/* L1's own table: where the last descriptor for an address is (NULL: the address is beyond what the table translates),
 * and its level. 4 KiB granule: SL0 says where to start, and several tables may lie side by side there (D8.2). */
static u64 *l1_walk(u64 ipa, u64 *level)
{
    u64 vtcr = VNCR(VNCR_VTCR), bits = 64 - BITS(vtcr, 5, 0), table = VNCR(VNCR_VTTBR) & DESC_ADDRESS & ~1ul;
    u64 top = (1ul << (bits > 48 ? 48 : bits)) - 1;
    if (BITS(vtcr, 15, 14))
        nest_end(false, "L1's stage 2 has a granule that L0 does not know");
    *level = 2 - BITS(vtcr, 7, 6);
    if (ipa > top)
        return NULL;
    for (u64 mask = top;; mask = 0x1ff, (*level)++) {
        u64 shift = 39 - 9 * *level, index = mask == top ? ipa >> shift : ipa >> shift & 511;
        u64 *desc = (u64 *)(table + index * 8);
        if ((u64)desc < L1_RAM || (u64)desc >= L1_RAM_END)
            nest_end(false, "L1's stage 2 lies outside of its memory");
        if (*level == 3 || (*desc & 3) != 3)
            return desc;
        table = *desc & DESC_ADDRESS;
    }
}

/* A block of 2 MiB where L1 has one at least as large, else a page. */
static void enter(struct shadow *s, u64 ipa, u64 pa, u64 attributes, bool block)
{
    u64 *table = s->root;
    for (u32 level = 1; level < (block ? 2 : 3); level++) {
        u64 *e = &table[ipa >> (39 - 9 * level) & 511];
        if ((*e & 3) != 3)
            *e = (u64)table_new() | 3;
        table = (u64 *)(*e & DESC_ADDRESS);
    }
    if (block)
        table[ipa >> 21 & 511] = (pa & ~0x1ffffful) | attributes | 1;
    else
        table[ipa >> 12 & 511] = (pa & ~0xffful) | attributes | 3;
    DSB();
    asm volatile("tlbi vmalls12e1; dsb sy; isb"); /* what was there had other permissions */
}

u64 shadow_fault(u64 ipa, bool write, bool fetch)
{
    u64 level = 0, *at = l1_walk(ipa, &level), desc = at ? *at : 0, size = BIT(39 - 9 * level);
    if (!(desc & 1) || (level == 3 && !(desc & 2)))
        return FAULT_TRANSLATION | (at ? level : 0);
    if (!(desc & DESC_AF) && (VNCR(VNCR_VTCR) & VTCR_HA))
        desc = *at |= DESC_AF; /* as the hardware would */
    if (!(desc & DESC_AF))
        return FAULT_FLAG | level;
    if (!(desc & (write ? BIT(7) : BIT(6))) || (fetch && desc & DESC_XN))
        return FAULT_PERMISSION | level;
    u64 pa = (desc & DESC_ADDRESS & ~(size - 1)) | (ipa & (size - 1));
    if (!l1_has(pa) || !l1_has(pa | 0x1ffffful))
        return FAULT_EXTERNAL; /* L1 gave away what it does not have */
    enter(current(), ipa, pa, desc & (3ul << 53 | 0xffc), level < 3);
    return 0;
}
