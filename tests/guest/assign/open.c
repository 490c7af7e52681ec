/* The open guest: it has no device of its own. It tries to reach the other's, reads the disk that both share, and
 * looks, when the other is done, whether its memory is what it was. */
#include "../demo/guest.h"

#define UART_DR       REG32(0x09000000)
#define UART_FR       REG32(0x09000018)
#define BELL_ID       40
#define MINE          ((volatile u64 *)0x40100000)      /* 0x42300000 of the machine: the closed guest tries to write it */
#define HVC_DISK_READ 0x86000004u

static volatile u32 bells, faults;

void put(char c)
{
    while (UART_FR & 0x20)
        ;
    UART_DR = c;
}

/* Skips the load that faulted. */
u64 guest_sync(u64 esr, u64 far, u64 pc, u64 lr)
{
    (void)esr, (void)far, (void)lr;
    faults++;
    return pc + 4;
}

void guest_irq(void)
{
    u64 intid = READ_(ICC_IAR1);
    bells += intid == BELL_ID;
    WRITE_(ICC_EOIR1, intid);
}

static void reach(const char *what, u64 address)
{
    faults = 0;
    (void)*(volatile u32 *)address;
    say(what), say(faults ? ": refused\n" : ": read\n");
}

void guest_main(u64 work)
{
    static u8 sector[512];
    u64 args[6] = { 1, (u64)sector };
    (void)work;
    WRITE_(ICC_PMR, 0xff);
    WRITE_(ICC_IGRPEN1, 1);
    ISB();
    reach("the other guest's device", 0x20000000);
    reach("configuration space", 0x3f000000);
    reach("the SMMU", 0x09050000);
    say("sector 1 of the shared disk: "), say(hvc(HVC_DISK_READ, args) ? "refused\n" : (const char *)sector);
    while (!bells) {
        asm volatile("wfi");
        irq_unmask();
        ISB();
        irq_mask();
    }
    u64 changed = 0;
    for (u32 n = 0; n < 64; n++)
        changed += MINE[n] != 0;
    say("words of my memory that changed: "), say_number(changed, 10), say("\n");
    hvc(PSCI_SYSTEM_OFF, args);
}
