/* EL2's own translation. */
#include "translation.h"

/* The index of a VA in a table of that level: 9 bits, 12 + 9 * (3 - level) and up. */
static unsigned index_of(u64 va, unsigned level)
{
    (void)va, (void)level;
    TODO(1, "bits 38-30 at level 1, 29-21 at level 2, 20-12 at level 3");
}

/* The table that entry n of a table leads to; a new one when there is none yet. */
static u64 *next_table(u64 *table, unsigned n)
{
    if (!(table[n] & PTE_VALID))
        table[n] = (u64)page_new() | PTE_TABLE | PTE_VALID;
    return (u64 *)(table[n] & PTE_ADDRESS);
}

void map(u64 *root, u64 va, u64 pa, u64 size, u64 sort)
{
    u64 common = PTE_VALID | PTE_RES1 | PTE_SH | PTE_AF;
    for (u64 done = 0; done < size;) {
        u64 *level2 = next_table(root, index_of(va + done, 1));
        bool block = !((va + done) % BLOCK_SIZE) && !((pa + done) % BLOCK_SIZE) && size - done >= BLOCK_SIZE;
        (void)level2, (void)sort, (void)common;
        if (block)
            TODO(2, "a block: its descriptor in level2, with pa + done, common and sort");
        else
            TODO(3, "a page: next_table for level 3, then the same with PTE_PAGE");
        done += block ? BLOCK_SIZE : PAGE_SIZE;
    }
}

void translation_flush(void)
{
    dsb();
    asm volatile("tlbi alle2");
    dsb();
    isb();
}

static void map_all(u64 *root)
{
    (void)root;
    TODO(4, "the UART's page (0x09000000); of the image: code, constants, data up to _guard, not "
            "the guard page, the stack; RAM before the image (device tree) and behind it up to "
            "RAM_END. VA = PA");
}

void translation_on(void)
{
    u64 *root = page_new();
    map_all(root);
    TODO(5, "MAIR_EL2, TCR_EL2, TTBR0_EL2; translation_flush(); SCTLR_EL2 with M, C, I, WXN; "
            "isb()");
}
