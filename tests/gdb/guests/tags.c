/* Memory tagging: gives the granules of a page tags that follow from their number, then sums them up, slowly. */
#include "rt.h"

asm(".arch armv8.5-a+memtag");
static u64 room[1 << 16] __attribute__((aligned(4096)));
volatile u64 sum;

void test_main(void)
{
    u64 *root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    u64 sctlr = READ(sctlr_el1) | BIT(43);   /* ATA */
    WRITE(tcr_el1, READ(tcr_el1) | BIT(37)); /* TBI0 */
    WRITE(mair_el1, 0xf0ff04);               /* index 2: Tagged Normal */
    WRITE(sctlr_el1, sctlr);
    ISB();
    pt_map(root, (u64)room, (u64)room, sizeof(room), (RAM_ATTR & ~PT_NORMAL) | 2ul << 2);
    tlb_flush();
    for (u64 n = 0; n < COUNT(room); n += 2) {
        u64 tagged = (u64)&room[n] | (n / 2 * 7 & 15) << 56;
        asm volatile("stg %0, [%0]" : : "r"(tagged) : "memory");
    }
    for (u64 n = 0; n < COUNT(room); n += 2) {
        u64 at = (u64)&room[n];
        asm volatile("ldg %0, [%0]" : "+r"(at) : : "memory");
        check(BITS(at, 59, 56) == (n / 2 * 7 & 15) || n % 512, "tag");
        sum = sum * 31 + at;
    }
    put_hex(sum);
    finish();
}
