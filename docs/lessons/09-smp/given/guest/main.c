/* Lesson 9's guest: starts its second CPU, talks to it by interrupts, and has a page changed under it. */
#include "gic.h"
#include "guest.h"

#define PAGE 0x40180000ul
#define SGI  5

int64_t psci(u32 function, u64 a, u64 b, u64 c);
void guest_second_start(void);
void guest_second(u64 context);

static volatile u64 second_context, second_sgis, first_sgis, seen, stop;
static volatile u64 second_looks;

u64 guest_exception(u64 esr, u64 elr)
{
    print("exception 0x%lx at 0x%lx\n", esr, elr);
    power_off();
}

static unsigned cpu(void) { return (unsigned)FIELD(read_sysreg(mpidr_el1), 7, 0); }
static void send(unsigned to)
{
    write_sysreg(s3_0_c12_c11_5, (u64)SGI << 24 | BIT(to)); /* ICC_SGI1R_EL1 */
    isb();
}

void guest_interrupt(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    if (intid == SGI && cpu() == 1) {
        second_sgis++;
        send(0); /* the answer */
    } else if (intid == SGI) {
        first_sgis++;
    }
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

static void interrupts_on(void)
{
    write_sysreg(ICC_PMR_EL1, 0xff);
    write_sysreg(ICC_IGRPEN1_EL1, 1);
    isb();
    asm volatile("msr daifclr, #2" : : : "memory");
}

/* Waits for SGIs; then looks at a page until another value is there; then switches itself off. */
void guest_second(u64 context)
{
    interrupts_on();
    second_context = context;
    while (second_sgis < 3)
        asm volatile("wfi");
    asm volatile("msr daifset, #2" : : : "memory");
    while ((second_looks = *(volatile u64 *)PAGE) != 1)
        asm volatile("yield");
    for (u64 n = 0; n < 100000 && !seen; n++)
        seen = *(volatile u64 *)PAGE == 2;
    stop = 1;
    psci(PSCI_CPU_OFF, 0, 0, 0);
    print("CPU 1 is still on\n");
}

void guest_main(u64 number)
{
    (void)number;
    interrupts_on();
    print("PSCI is version %u.%u\n", (u32)psci(PSCI_VERSION, 0, 0, 0) >> 16, (u32)psci(PSCI_VERSION, 0, 0, 0) & 0xffff);
    print("a CPU that is not there: %ld\n", psci(PSCI_CPU_ON, 5, (u64)guest_second_start, 0));
    print("CPU_ON: %ld\n", psci(PSCI_CPU_ON, 1, (u64)guest_second_start, 77));
    while (!second_context)
        asm volatile("yield");
    print("CPU 1 is here, with %lu\n", second_context);
    print("CPU_ON again: %ld\n", psci(PSCI_CPU_ON, 1, (u64)guest_second_start, 0));
    for (u64 n = 1; n <= 3; n++) {
        send(1);
        while (first_sgis < n)
            asm volatile("wfi");
    }
    print("%lu interrupts there, %lu back\n", second_sgis, first_sgis);
    *(volatile u64 *)PAGE = 1;
    while (second_looks != 1)
        asm volatile("yield");
    hvc(CALL_SWAP, PAGE);
    while (!stop)
        asm volatile("yield");
    print("a page is another one: CPU 0 reads %lu, CPU 1 %s\n", *(volatile u64 *)PAGE,
          seen ? "sees it, too" : "never saw it");
    while (psci(PSCI_CPU_ON, 1, (u64)guest_second_start, 78) == PSCI_ALREADY_ON)
        asm volatile("yield");
    while (second_context != 78)
        asm volatile("yield");
    print("CPU 1 was off, and is here again, with %lu\n", second_context);
}
