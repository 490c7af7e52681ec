/* Translation for EL2 and EL0 together (E2H): 4 KiB pages, 39 bits of address, so that a walk begins at level 1. Two
 * privilege levels. */
#ifndef TRANSLATION_H
#define TRANSLATION_H

#include "lib.h"

/* A descriptor (Arm ARM, D8.3). At level 1 and 2 bit 1 tells a table from a block; at level 3 a page has it set.
 *
 *     63      55 54 53      48 47                12 11 10 9  8 7  6 5 4   2 1 0
 *     |         |XN|          |  address           |  |AF| SH | AP | | ATTR |1|1|
 */
#define PTE_VALID   BIT(0)
#define PTE_TABLE   BIT(1)              /* level 1, 2: the address is that of the next table */
#define PTE_PAGE    BIT(1)              /* level 3: must be set */
#define PTE_ATTR(n) ((u64)(n) << 2)     /* which byte of MAIR_EL2 */
#define PTE_USER    BIT(6)              /* AP[1]: EL0 may, too. (Without E2H this bit is RES1: there is no EL0) */
#define PTE_RO      BIT(7)              /* AP[2] */
#define PTE_SH      (3ul << 8)          /* Inner Shareable */
#define PTE_AF      BIT(10)             /* was used. 0: the first access is a fault */
#define PTE_UXN     BIT(54)             /* is not executed at EL0 */
#define PTE_PXN     BIT(53)             /* nor at EL2 */
#define PTE_ADDRESS (BIT(48) - BIT(12))

enum { DEVICE, NORMAL };                /* bytes of MAIR_EL2: 0 is Device-nGnRnE (0x00), 1 is Normal, write-back (0xff) */

/* What is in pages of each sort; map() adds what all have. */
#define MEM_DEVICE (PTE_ATTR(DEVICE) | PTE_UXN | PTE_PXN)
#define MEM_CODE   (PTE_ATTR(NORMAL) | PTE_RO | PTE_UXN)
#define MEM_CONST  (PTE_ATTR(NORMAL) | PTE_RO | PTE_UXN | PTE_PXN)
#define MEM_DATA   (PTE_ATTR(NORMAL) | PTE_UXN | PTE_PXN)
#define MEM_USER   (PTE_ATTR(NORMAL) | PTE_RO | PTE_USER | PTE_PXN) /* a program's code */

#define PAGE_SIZE  0x1000ul
#define BLOCK_SIZE 0x200000ul           /* what an entry of level 2 covers */
#define RAM_BASE   0x40000000ul
#define RAM_END    0x60000000ul         /* -m 512M */

/* pages.c: a page of zeros. There is no way to give it back. */
void *page_new(void);

/* Maps [va, va + size), whole pages, to pa: blocks of level 2 where both are aligned, else pages. */
void map(u64 *root, u64 va, u64 pa, u64 size, u64 sort);
/* Switches EL2's translation on: afterwards VA = PA for all that is mapped. */
void translation_on(void);
/* After a valid descriptor of EL2's was changed. */
void translation_flush(void);

/* The linker's (hyp.ld). Their addresses are what they are for. */
extern char _image[], _text_end[], _rodata_end[], _guard[], _image_end[];
#define ADDRESS(symbol) ((u64)(symbol))

#endif
