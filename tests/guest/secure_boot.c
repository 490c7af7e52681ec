/* A machine with two security states and a firmware of its own at EL3 (secure/fw.h), seen from what it starts: a
 * program at Non-secure EL2. What it cannot reach; calls (Arm DEN0028), also of a payload at Secure EL1; Secure
 * interrupts as FIQs to EL3, Non-secure ones as IRQs (Arm IHI 0069 4.6); PSCI's reset and power off
 * (DEN0022 5.9, 5.11). */
#include "rt.h"
#include "secure/fw.h"

#define EXTERNAL 0x10ul /* DFSC, IFSC: synchronous external abort */
#define WNR      BIT(6)
#define NS_SGI   3u
#define NS_TIMER 30u

CODE(do_read, "ldr w0, [x0]");
CODE(do_write, "str w1, [x0]");
CODE(do_scr, "mrs x0, scr_el3");
CODE(do_smc, "smc #0");
CODE(do_smc_imm, "smc #1");

static u64 smc2(u64 function, u64 a) { return psci(function, a, 0, 0); }
static u64 interrupts(u32 intid) { return smc2(SIP_INTERRUPTS, intid); }

/* x4 to x17 are as they were (DEN0028 1.2, 2.6): their sum, each times its number. */
CODE(do_preserved,
     "mov x4, #4\nmov x5, #5\nmov x6, #6\nmov x7, #7\nmov x8, #8\nmov x9, #9\nmov x10, #10\nmov x11, #11\n"
     "mov x12, #12\nmov x13, #13\nmov x14, #14\nmov x15, #15\nmov x16, #16\nmov x17, #17\n"
     "smc #0\n"
     "mul x0, x4, x4\nmadd x0, x5, x5, x0\nmadd x0, x6, x6, x0\nmadd x0, x7, x7, x0\nmadd x0, x8, x8, x0\n"
     "madd x0, x9, x9, x0\nmadd x0, x10, x10, x0\nmadd x0, x11, x11, x0\nmadd x0, x12, x12, x0\n"
     "madd x0, x13, x13, x0\nmadd x0, x14, x14, x0\nmadd x0, x15, x15, x0\nmadd x0, x16, x16, x0\n"
     "madd x0, x17, x17, x0");

/* ---- what is not there ---- */

/* The class, and of the ISS what is not a syndrome of the instruction. */
static void check_abort(const char *what, u64 el, u64 wnr)
{
    check_eq(what, EXC.el << 32 | esr_ec(EXC.esr) << 16 | (EXC.esr & 0x7f),
             el << 32 | (u64)EC_DABT << 16 | EXTERNAL | wnr);
}

static void refused(const char *what, u64 address)
{
    put_text("# ");
    put_text(what);
    put_text("\n");
    try_el(2, do_read, address, 0);
    check_abort("read from EL2: external abort", 2, 0);
    check_eq("  at its address", EXC.far, address);
    try_el(2, do_write, address, 0x11223344);
    check_abort("written from EL2: the same", 2, WNR);
    try_el(1, do_read, address, 0);
    check_abort("read from EL1: the same, at EL1", 1, 0);
}

struct control {
    u32 control, length;
    u64 address;
};
static volatile struct control control __attribute__((aligned(8)));

/* The firmware configuration device is told to write its signature there: 1 is an error. */
static u32 dma_to(u64 address)
{
    control.control = __builtin_bswap32(0 << 16 | 8 | 2);
    control.length = __builtin_bswap32(4);
    control.address = __builtin_bswap64(address);
    DSB();
    MMIO64(0x09020010ul) = __builtin_bswap64((u64)&control);
    DSB();
    return __builtin_bswap32(control.control);
}

static void memory(void)
{
    static u32 word;
    check_eq("the firmware starts it at EL2", current_el(), 2);
    try_el(2, do_scr, 0, 0);
    check_exc("SCR_EL3 is UNDEFINED there", 2, EC_UNKNOWN, 0);
    refused("Secure RAM", FW_RAM);
    refused("the payload", PAYLOAD);
    refused("the first bank of flash", 0);
    refused("the Secure PL011", SECURE_UART);
    refused("the Secure PL061", SECURE_GPIO);
    try_el(2, (u64(*)(u64, u64))(u64)PAYLOAD, 0, 0);
    check_exc("a branch to the payload: external abort", 2, EC_IABT, EXTERNAL);
    try_el(2, do_read, 0x04000000, 0);
    check_eq("the second bank of flash is there", EXC.count, 0);
    check(dma_to((u64)&word) == 0 && word == 0x554d4551, "a device writes Non-secure memory");
    check_eq("  and no Secure memory", dma_to(PAYLOAD), 1);
}

/* ---- calls ---- */

static void calls(void)
{
    check_eq("SMCCC_VERSION", smc2(SMCCC_VERSION, 0), 0x10002);
    check_eq("SMCCC_ARCH_FEATURES of itself", smc2(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES), 0);
    check_eq("  of an unknown function", smc2(SMCCC_ARCH_FEATURES, 0x80007fff), (u64)NOT_SUPPORTED);
    check_eq("unknown function, SMC32", smc2(0x82001234, 0), (u64)NOT_SUPPORTED);
    check_eq("unknown function, SMC64", smc2(0xc2001234, 0), (u64)NOT_SUPPORTED);
    check_eq("a yielding call", smc2(0x02000000, 0), (u64)NOT_SUPPORTED);
    check_eq("SMC #1", do_smc_imm(SMCCC_VERSION, 0), (u64)NOT_SUPPORTED);
    check_eq("x4 to x17 are kept", do_preserved(SMCCC_VERSION, 0), 1771);
    check_eq("from EL1", call_el(1, do_smc, SMCCC_VERSION, 0), 0x10002);
    WRITE(hcr_el2, READ(hcr_el2) | BIT(19)); /* TSC */
    ISB();
    try_el(1, do_smc, SMCCC_VERSION, 0);
    check_exc("from EL1 with TSC: taken to EL2", 2, EC_SMC, 0);
    WRITE(hcr_el2, READ(hcr_el2) & ~BIT(19));
    ISB();
}

static void payload(void)
{
    check_eq("the payload is at EL1", smc2(TOS_INFO, 0), 1);
    WRITE(vbar_el1, 0x40200800);
    WRITE(contextidr_el1, 77);
    WRITE(tpidr_el1, 88);
    WRITE(far_el1, 99);
    WRITE(sp_el0, 66);
    check_eq("its counter", smc2(TOS_ADD, 40), 40);
    check_eq("  keeps its value", smc2(TOS_ADD, 2), 42);
    check_eq("  for EL1, too", call_el(1, do_smc, TOS_ADD, 1), 43);
    check(READ(vbar_el1) == 0x40200800 && READ(contextidr_el1) == 77 && READ(tpidr_el1) == 88 && READ(far_el1) == 99,
          "EL1's registers are each world's own");
    check_eq("what only the payload may call", smc2(TOS_DONE, 0), (u64)NOT_SUPPORTED);
    check_eq("nothing is to be resumed", smc2(TOS_RESUME, 0), (u64)NOT_SUPPORTED);
    check_eq("an unknown function of the payload's", smc2(TOS_FIRST + 9, 0), (u64)NOT_SUPPORTED);
    check_eq("x4 to x17 are kept over both changes", do_preserved(TOS_ADD, 0), 1771);
}

/* ---- interrupts ---- */

static volatile u64 irqs, last_irq, fiqs;
static void irq_taken(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)el;
    if ((vector & 3) == FIQ) {
        fiqs++;
        return;
    }
    last_irq = READ(ICC_IAR1);
    irqs++;
    WRITE(cntp_ctl_el0, 0);
    WRITE(ICC_EOIR1, last_irq);
    ISB();
}

/* Runs at any EL below until EL3 has taken the timer's interrupt. */
static u64 wait_timer(u64 before, u64 a)
{
    (void)a;
    smc2(SIP_TIMER, 20000);
    for (u32 n = 0; n < 2000 && (u32)interrupts(SECURE_TIMER) == before; n++)
        delay(1000);
    return interrupts(SECURE_TIMER);
}
static u64 wait_timer_el1(u64 before, u64 a)
{
    do_smc(SIP_TIMER, 20000);
    for (u32 n = 0; n < 2000 && (u32)do_smc(SIP_INTERRUPTS, SECURE_TIMER) == before; n++)
        delay(1000);
    return do_smc(SIP_INTERRUPTS, SECURE_TIMER + a);
}

static void secure_interrupts(void)
{
    u64 sgis = GICR_SGI(0);
    gic_init();
    gic_enable(NS_SGI, 0x80);
    gic_enable(NS_TIMER, 0x80);
    irq_hook = irq_taken;
    WRITE(hcr_el2, READ(hcr_el2) | BIT(4) | BIT(3)); /* IMO, FMO */
    ISB();
    check_eq("the GIC has two security states: no DS", MMIO32(GICD) & BIT(6), 0);
    check_eq("Secure interrupts' enables read as 0", MMIO32(sgis + ISENABLER) & (BIT(SECURE_TIMER) | BIT(SECURE_SGI)),
             0);
    MMIO32(sgis + ICENABLER) = BIT(SECURE_TIMER) | BIT(SECURE_SGI);
    MMIO32(sgis + IGROUPR) = ~0u;
    MMIO32(GICD + ICENABLER + 4) = ~0u;
    ASM("msr daifclr, #3");
    check_eq("the Secure timer is a FIQ to EL3 while EL2 runs", wait_timer(0, 0), 2ul << 32 | 1);
    ASM("msr daifset, #3");
    check_eq("  also when EL2 masks it", wait_timer(1, 0), 2ul << 32 | 2);
    check_eq("  and while EL1 runs", call_el(1, wait_timer_el1, 2, 0), 1ul << 32 | 3);
    smc2(SIP_SGI, 0);
    check_eq("a Secure Group 1 SGI goes to the payload", smc2(TOS_SGIS, 0), 1);
    WRITE(ICC_SGI1R, (u64)SECURE_SGI << 24 | 1);
    WRITE(ICC_ASGI1R, (u64)SECURE_SGI << 24 | 1);
    ISB();
    check_eq("  which EL2 cannot send", smc2(TOS_SGIS, 0), 1);
    smc2(SIP_UART, '!');
    for (u32 n = 0; n < 2000 && !(u32)interrupts(SECURE_SPI); n++)
        delay(1000);
    check_eq("the Secure PL011's interrupt goes to EL3", (u32)interrupts(SECURE_SPI), 1);
    check(irqs == 0 && fiqs == 0, "EL2 heard of none");
}

static void normal_interrupts(void)
{
    u64 sgis = smc2(TOS_SGIS, 0);
    ASM("msr daifclr, #3");
    WRITE(ICC_SGI1R, (u64)NS_SGI << 24 | 1);
    ISB();
    for (u32 n = 0; n < 1000 && !irqs; n++)
        delay(100);
    check(irqs == 1 && last_irq == NS_SGI && fiqs == 0, "a Non-secure SGI is an IRQ of EL2's");
    ASM("msr daifset, #3");
    WRITE(ICC_SGI1R, (u64)NS_SGI << 24 | 1);
    ISB();
    smc2(SIP_SGI, 0);
    check_eq("with both pending the payload has its own", smc2(TOS_SGIS, 0), SMC_PREEMPTED);
    ASM("msr daifclr, #3");
    for (u32 n = 0; n < 1000 && irqs < 2; n++)
        delay(100);
    ASM("msr daifset, #3");
    check_eq("  EL2 its own", irqs, 2);
    check_eq("  and the call goes on", smc2(TOS_RESUME, 0), sgis + 1);
}

/* A Non-secure interrupt stops the payload at work; a Secure one comes while it stands still. */
static void preemption(void)
{
    WRITE(cntp_tval_el0, 20000);
    WRITE(cntp_ctl_el0, 1);
    ISB();
    check_eq("a Non-secure timer stops a call of the payload", smc2(TOS_SPIN, 1000000), SMC_PREEMPTED);
    check(MMIO32(GICR_SGI(0) + ISPENDR) & BIT(NS_TIMER), "  and is pending");
    ASM("msr daifclr, #3");
    for (u32 n = 0; n < 1000 && irqs < 3; n++)
        delay(100);
    ASM("msr daifset, #3");
    check_eq("  EL2 takes it", last_irq, NS_TIMER);
    check_eq("another call: busy", smc2(TOS_ADD, 0), (u64)SMC_BUSY);
    smc2(SIP_SGI, 0);
    check_eq("the call is resumed", smc2(TOS_RESUME, 0), 0);
    check_eq("  and its SGI was taken meanwhile", smc2(TOS_SGIS, 0), 3);
    u64 stopped = 0;
    for (u32 n = 0; n < 50 && interrupts(SECURE_TIMER) >> 32 != 9; n++) { /* EL1, Secure */
        smc2(SIP_TIMER, 20000);
        stopped |= smc2(TOS_SPIN, 200000);
    }
    check_eq("the Secure timer does not stop a call", stopped, 0);
    check_eq("  EL3 took it from Secure EL1", interrupts(SECURE_TIMER) >> 32, 9);
}

/* ---- another PE ---- */

static volatile u64 other_el, other_payload, other_sum;
static void other(void)
{
    other_payload = smc2(TOS_INFO, 0);
    other_sum = smc2(TOS_ADD, 7);
    other_el = current_el();
    ASM("dsb sy; sev");
    psci(PSCI_CPU_OFF, 0, 0, 0);
}

static void second(void)
{
    u64 sum = smc2(TOS_ADD, 0);
    check_eq("CPU_ON", (u64)cpu_start(1, other), 0);
    while (!other_el)
        ASM("wfe");
    check_eq("it starts at EL2", other_el, 2);
    check_eq("  and calls the payload", other_payload, 1);
    check_eq("  which counts on", other_sum, sum + 7);
    while ((int)psci(PSCI_AFFINITY_INFO, 1, 0, 0) != 1)
        ASM("yield");
    check(true, "CPU_OFF");
}

void test_main(void)
{
    if (smc2(SIP_BOOTS, 0) == 1) {
        psci(PSCI_SYSTEM_RESET, 0, 0, 0);
        stop("SYSTEM_RESET came back");
    }
    check_eq("SYSTEM_RESET: the firmware starts again", smc2(SIP_BOOTS, 0), 2);
    memory();
    calls();
    payload();
    secure_interrupts();
    normal_interrupts();
    preemption();
    second();
    plan();
    psci(PSCI_SYSTEM_OFF, 0, 0, 0);
    stop("SYSTEM_OFF came back");
}
