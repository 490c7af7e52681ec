/* Lesson 4's guest: uses memory by two names, and looks for the hypervisor. */
#include "guest.h"

#define PAGES    64
#define RAM      0x40000000ul
#define ALIAS    0x80000000ul           /* the same by another VA, once the guest's MMU is on */
#define FIRST    (RAM + 0x100000)
#define WORD(va) (*(volatile u64 *)(va))

static volatile u64 from_image[1024] = { 11 }; /* in a page that comes with the image */

/* Level 1 of the guest's own stage 1: devices, RAM, RAM again; blocks of 1 GiB. */
static u64 table[512] __attribute__((aligned(4096)));

static void mmu_on(void)
{
    table[0] = 0x00000000 | 0x401;
    table[1] = RAM | 0x705;
    table[2] = RAM | 0x705;
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, BIT(23) | 3ul << 12 | 1ul << 10 | 1ul << 8 | 25);
    write_sysreg(ttbr0_el1, table);
    dsb();
    isb();
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(12) | BIT(2) | BIT(0));
    isb();
}

u64 guest_exception(u64 esr, u64 elr)
{
    print("guest: exception 0x%lx at 0x%lx\n", esr, elr);
    power_off();
}

void guest_main(void)
{
    unsigned wrong = 0;
    print("guest: my code is at 0x%lx\n", (u64)guest_main & ~0xffffful);
    from_image[0] += 31;
    print("guest: 11 and 31 are %lu\n", from_image[0]);
    for (u64 n = 0; n < PAGES; n++)
        WORD(FIRST + n * 4096) = n;
    for (u64 n = 0; n < PAGES; n++)
        wrong += WORD(FIRST + n * 4096) != n || WORD(FIRST + n * 4096 + 8) != 0;
    print("guest: %d pages of mine, %u are wrong\n", PAGES, wrong);
    mmu_on();
    WORD(ALIAS + 0x180000) = 7;
    print("guest: by another name: %lu, %lu\n", WORD(ALIAS + 0x100000 + 5 * 4096), WORD(RAM + 0x180000));
    volatile u64 *other = &WORD((u64)&from_image[1023] + ALIAS - RAM); /* in a page that was not written yet */
    u64 before = *other;
    from_image[1023] = 5;
    print("guest: read by one name, written by the other, read again: %lu, %lu\n", before, *other);
    print("guest: now I look for the hypervisor\n");
    print("guest: found it: 0x%lx\n", WORD(RAM + 0x200000));
}
