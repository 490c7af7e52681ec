/* The shadow stage 2. L1 writes a table that takes its guests' addresses to what it takes for physical ones; L0's table
 * takes those to the real ones. The hardware walks one table: for each that L1 has in VTTBR_EL2, L0 keeps one from L2's
 * addresses to real ones. It starts empty; an address is entered when L2 first faults on it, and the whole is thrown
 * away when L1 invalidates. L1's addresses are the real ones here (main.c), but only those that it has.
 */
#include "nest.h"

#define DESC_ADDRESS 0xfffffffff000ul
#define DESC_XN      BIT(54)
#define DESC_AF      BIT(10)
#define VTCR_DEMO    (25ul | 1ul << 6)  /* T0SZ, SL0: 39 bits, from level 1; TG0 0: 4 KiB */
#define VTCR_FORMAT  0xc0fful

enum { SHADOWS = 4, TABLES = 32, FAULT_TRANSLATION = 4, FAULT_FLAG = 8, FAULT_PERMISSION = 12 };

static struct shadow {
    u64 vttbr; /* L1's; 0: free */
    u64 *root;
} shadows[SHADOWS];
static u64 tables[TABLES][512] __attribute__((aligned(4096)));
static u32 tables_used, shadows_used;

static u64 *table_new(void)
{
    if (tables_used == TABLES)
        nest_end(false, "no tables left for the shadow");
    u64 *t = tables[tables_used++];
    for (u32 n = 0; n < 512; n++)
        t[n] = 0;
    return t;
}

void shadow_drop(void)
{
    shadows_used = tables_used = 0;
    DSB();
    asm volatile("tlbi alle1; dsb sy; isb");
}

static struct shadow *current(void)
{
    u64 vttbr = VNCR(VNCR_VTTBR);
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

/* Real VMIDs: 1 is L1's, then one for each shadow. */
void shadow_activate(void)
{
    if ((VNCR(VNCR_VTCR) & VTCR_FORMAT) != VTCR_DEMO)
        nest_end(false, "L1's stage 2 has a format that L0 does not know");
    struct shadow *s = current();
    guests[L2].s2_root = s->root;
    guests[L2].vmid = 2 + (u32)(s - shadows);
    s2_activate(&guests[L2]);
}

/* L1's own table: the last descriptor for an address, and its level. */
static u64 l1_walk(u64 ipa, u64 *desc)
{
    u64 table = VNCR(VNCR_VTTBR) & DESC_ADDRESS & ~1ul;
    for (u64 level = 1;; level++) {
        u64 shift = 39 - 9 * level;
        if (table >= L1_RAM_END || table < L1_RAM)
            nest_end(false, "L1's stage 2 lies outside of its memory");
        *desc = ((u64 *)table)[ipa >> shift & 511];
        if (level == 3 || (*desc & 3) != 3)
            return level;
        table = *desc & DESC_ADDRESS;
    }
}

static void enter(struct shadow *s, u64 ipa, u64 desc)
{
    u64 *table = s->root;
    for (u32 level = 1; level < 3; level++) {
        u64 *e = &table[ipa >> (39 - 9 * level) & 511];
        if (!*e)
            *e = (u64)table_new() | 3;
        table = (u64 *)(*e & DESC_ADDRESS);
    }
    table[ipa >> 12 & 511] = desc;
    DSB();
}

u64 shadow_fault(u64 ipa, bool write, bool fetch)
{
    u64 desc, level = l1_walk(ipa, &desc), size = BIT(39 - 9 * level);
    if (!(desc & 1) || (level == 3 && !(desc & 2)))
        return FAULT_TRANSLATION | level;
    if (!(desc & DESC_AF))
        return FAULT_FLAG | level;
    if (!(desc & (write ? BIT(7) : BIT(6))) || (fetch && desc & DESC_XN))
        return FAULT_PERMISSION | level;
    u64 pa = (desc & DESC_ADDRESS & ~(size - 1)) | (ipa & (size - 1) & ~0xffful);
    if (!l1_has(pa))
        return 0x10; /* L1 gave away what it does not have: a synchronous external abort */
    enter(current(), ipa, (desc & ~DESC_ADDRESS) | pa | 3);
    return 0;
}
