/* Translation tables: the hypervisor's own (stage 1 of EL2, flat) and the stage 2 of each guest.
 *
 * All use the 4 KiB granule and start at level 1: a level 1 entry covers 1 GiB, level 2 2 MiB, level 3 4 KiB.
 * Stage 2 takes the guest's idea of a physical address (IPA) to the real one (PA). What is not mapped there does not
 * exist for the guest: every access to it is a stage-2 fault, taken to EL2. That is the isolation.
 *
 * Stage-2 descriptor:  63..54 |53     |47..12        |10|9..8|7..6|5..2   |1    |0
 *                             |XN (54)|output address|AF|SH  |S2AP|MemAttr|table|valid
 */
#include "hyp.h"

#define DESC_BLOCK   1ul
#define DESC_TABLE   3ul                /* at levels 1 and 2 */
#define DESC_PAGE    3ul                /* at level 3 */
#define DESC_AF      BIT(10)
#define DESC_ISH     (3ul << 8)
#define DESC_ADDRESS 0xfffffffff000ul

#define S2_RW        (3ul << 6)
#define S2_NORMAL    (0xful << 2)       /* write-back, inner and outer */
#define S2_DEVICE    (0x1ul << 2)       /* Device-nGnRE */
#define S2_XN        BIT(54)

#define TCR_COMMON   (25ul | 1ul << 8 | 1ul << 10 | 3ul << 12)  /* 39-bit input, write-back walks, inner shareable */

static u64 tables[8 + 2 * GUESTS][512] __attribute__((aligned(4096)));
static u32 tables_used;

static u64 *table_new(void)
{
    if (tables_used == sizeof tables / sizeof tables[0])
        hyp_panic(0, 0, 0);
    return tables[tables_used++];
}

static u64 *table_next(u64 *table, u64 index)
{
    if (!table[index])
        table[index] = (u64)table_new() | DESC_TABLE;
    return (u64 *)(table[index] & DESC_ADDRESS);
}

/* EL2: the first GiB is devices, the second RAM. MAIR index 0 is Device-nGnRE, 1 normal write-back. */
void el2_mmu_on(void)
{
    u64 *l1 = table_new();
    l1[0] = 0x00000000ul | DESC_BLOCK | DESC_AF | BIT(54);
    l1[1] = 0x40000000ul | DESC_BLOCK | DESC_AF | DESC_ISH | 1ul << 2;
    WRITE(mair_el2, 0xff04);
    WRITE(tcr_el2, TCR_COMMON | 2ul << 16 | BIT(31) | BIT(23));
    WRITE(ttbr0_el2, l1);
    DSB();
    asm volatile("tlbi alle2; dsb sy; isb");
    WRITE(sctlr_el2, 0x30c50830 | BIT(0) | BIT(2) | BIT(12)); /* RES1 bits, M, C, I */
    ISB();
}

void s2_init(struct guest *g) { g->s2_root = table_new(); }

void s2_map_ram(struct guest *g, u64 ipa, u64 pa)
{
    table_next(g->s2_root, BITS(ipa, 38, 30))[BITS(ipa, 29, 21)] =
        pa | DESC_BLOCK | DESC_AF | DESC_ISH | S2_RW | S2_NORMAL;
}

void s2_map_device(struct guest *g, u64 ipa, u64 pa)
{
    u64 *l2 = table_next(g->s2_root, BITS(ipa, 38, 30));
    table_next(l2, BITS(ipa, 29, 21))[BITS(ipa, 20, 12)] = pa | DESC_PAGE | DESC_AF | S2_RW | S2_DEVICE | S2_XN;
}

/* The VMID tags TLB entries, so no invalidation is needed when the guests change places. */
void s2_activate(const struct guest *g)
{
    WRITE(vtcr_el2, TCR_COMMON | 1ul << 6 | 2ul << 16 | BIT(31)); /* SL0 1: start at level 1; 40-bit PA */
    WRITE(vttbr_el2, (u64)g->s2_root | (u64)g->vmid << 48);
    ISB();
}
