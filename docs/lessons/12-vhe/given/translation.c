/* Translation for EL2 and EL0. */
#include "vhe.h"

/* The index of a VA in a table of that level: 9 bits, 12 + 9 * (3 - level) and up. */
static unsigned index_of(u64 va, unsigned level) { return va >> (12 + 9 * (3 - level)) & 511; }

/* The table that entry n of a table leads to; a new one when there is none yet. */
static u64 *next_table(u64 *table, unsigned n)
{
    if (!(table[n] & PTE_VALID))
        table[n] = (u64)page_new() | PTE_TABLE | PTE_VALID;
    return (u64 *)(table[n] & PTE_ADDRESS);
}

void map(u64 *root, u64 va, u64 pa, u64 size, u64 sort)
{
    u64 common = PTE_VALID | PTE_SH | PTE_AF;
    for (u64 done = 0; done < size;) {
        u64 *level2 = next_table(root, index_of(va + done, 1));
        bool block = !((va + done) % BLOCK_SIZE) && !((pa + done) % BLOCK_SIZE) && size - done >= BLOCK_SIZE;
        if (block)
            level2[index_of(va + done, 2)] = (pa + done) | common | sort;
        else
            next_table(level2, index_of(va + done, 2))[index_of(va + done, 3)] = (pa + done) | PTE_PAGE | common | sort;
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

static void same(u64 *root, u64 from, u64 to, u64 sort) { map(root, from, from, to - from, sort); }

static void map_all(u64 *root)
{
    same(root, 0x09000000, 0x09001000, MEM_DEVICE);
    same(root, RAM_BASE, ADDRESS(_image), MEM_DATA);
    same(root, ADDRESS(_image), ADDRESS(_text_end), MEM_CODE);
    same(root, ADDRESS(_text_end), ADDRESS(_rodata_end), MEM_CONST);
    same(root, ADDRESS(_rodata_end), ADDRESS(_guard), MEM_DATA);
    map(root, USER_BASE, ADDRESS(user_program), PAGE_SIZE, MEM_USER);
    same(root, ADDRESS(_guard) + PAGE_SIZE, RAM_END, MEM_DATA);
}

void translation_on(void)
{
    u64 *root = page_new();
    map_all(root);
    write_sysreg(mair_el2, 0xfful << 8 * NORMAL | 0x00ul << 8 * DEVICE);
    write_sysreg(tcr_el2,
                 2ul << 32 | BIT(23) | 3ul << 12 | 1ul << 10 | 1ul << 8 | (64 - 39)); /* as TCR_EL1: IPS, EPD1 */
    write_sysreg(ttbr0_el2, root);
    translation_flush();
    write_sysreg(sctlr_el2, 0x30d50800 | BIT(19) | BIT(12) | BIT(2) | BIT(0)); /* RES1; WXN, I, C, M */
    isb();
}
