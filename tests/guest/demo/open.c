/* The open guest: general-purpose, and not trusted. It sets up its MMU, prints on what it takes for a PL011, asks for
 * features of the CPU, waits for messages of the closed guest, and tries to reach what is not its own. */
#include "guest.h"

#define UART_DR     REG32(0x09000000)
#define UART_FR     REG32(0x09000018)
#define CLOSED_RAM  0x42000000ul        /* where the closed guest's RAM really is */
#define GPIO        0x09030000ul        /* and its device */
#define BELL_ID     40

static u64 table[512] __attribute__((aligned(4096)));
static volatile u32 bells, faults;
static volatile u64 fault_esr, fault_far;

void put(char c)
{
    while (UART_FR & 0x20)
        ;
    UART_DR = c;
}

static u64 call(u64 function) { return hvc(function, (u64[6]){ 0 }); }

/* Skips the load or store that faulted; a fetch that faulted returns to its caller. */
u64 guest_sync(u64 esr, u64 far, u64 pc, u64 lr)
{
    faults++;
    fault_esr = esr;
    fault_far = far;
    return esr >> 26 == 0x21 ? lr : pc + 4;
}

void guest_irq(void)
{
    u64 intid = READ_(ICC_IAR1);
    bells += intid == BELL_ID;
    WRITE_(ICC_EOIR1, intid);
}

/* Identity: the first GiB device memory, the second normal memory. Each write below is trapped (TVM). */
static void mmu_on(void)
{
    table[0] = 0x00000000ul | 1 | 1ul << 10 | 3ul << 53;
    table[1] = 0x40000000ul | 1 | 1ul << 10 | 3ul << 8 | 1 << 2;
    asm volatile("dsb sy");
    WRITE(mair_el1, 0xff04);
    WRITE(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2ul << 32);
    WRITE(ttbr0_el1, table);
    ISB();
    asm volatile("tlbi vmalle1; dsb sy; isb");
    WRITE(sctlr_el1, READ(sctlr_el1) | 1 | 1 << 2 | 1 << 12);
    ISB();
}

static void say_x(const char *what, u64 v) { say(what), say(" 0x"), say_number(v, 16), say("\n"); }

static void report(const char *what, u32 before)
{
    say(what), say(faults == before + 1 ? ": refused\n" : ": NOT REFUSED\n");
    if (faults != before) {
        say("  ESR_EL1 0x"), say_number(fault_esr, 16), say(" FAR_EL1 0x"), say_number(fault_far, 16), say("\n");
    }
}

static void attack(void)
{
    u32 n = faults;
    volatile u32 *secret = (volatile u32 *)CLOSED_RAM;
    (void)*secret;
    report("read the closed guest's memory", n);
    n = faults;
    *secret = 0xdead;
    report("write the closed guest's memory", n);
    n = faults;
    (void)REG32(GPIO + 0x400);
    report("read the closed guest's device", n);
    n = faults;
    ((void (*)(void))CLOSED_RAM)();
    report("execute the closed guest's memory", n);
}

/* Work without any exit of its own: only the hypervisor's timer takes the CPU away, when the closed guest is due. */
static u32 primes_below(u32 limit)
{
    u32 count = 0;
    for (u32 n = 2; n < limit; n++) {
        u32 d = 2;
        while (d * d <= n && n % d)
            d++;
        count += d * d > n;
    }
    return count;
}

void guest_main(u64 work)
{
    say("hello from EL"), say_number(READ(CurrentEL) >> 2, 10), say("\n");
    mmu_on();
    say(READ(sctlr_el1) & 1 ? "my MMU is on\n" : "my MMU is off\n");
    u64 pfr0 = READ(id_aa64pfr0_el1);
    say(pfr0 & 0xf00 ? "this CPU has EL2\n" : "this CPU has no EL2, I am told\n");
    say_x("ID_AA64MMFR0_EL1.TGran4 is", READ(id_aa64mmfr0_el1) >> 28 & 15);
    say(READ(cntpct_el0) ? "the counter runs\n" : "the counter stands\n");
    attack();
    say_number(primes_below(work), 10), say(" primes below "), say_number(work, 10), say("\n");
    WRITE_(ICC_PMR, 0xff);
    WRITE_(ICC_IGRPEN1, 1);
    for (u32 seen = 0, value = 0; value < 20; seen = bells) {
        while (bells == seen) {
            asm volatile("wfi"); /* trapped: the hypervisor gives the CPU away */
            irq_unmask();
            ISB();
            irq_mask();
        }
        value = call(HVC_MAILBOX);
        say("message from the closed guest: "), say_number(value, 10), say(" periods done\n");
    }
    say("goodbye\n");
    call(PSCI_SYSTEM_OFF);
}
