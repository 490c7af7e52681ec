/* What the firmware does at EL3 in C: cold boot, SMCs, FIQs, the change of worlds (fw.h). */
#include "fw_internal.h"

#include "mem.h"

enum { UART_DR = 0x00, UART_FR = 0x18, UART_CR = 0x30, UART_IMSC = 0x38, UART_ICR = 0x44 };
enum { SCR_NS = 1, SCR_FIQ = 1 << 2, SCR_HCE = 1 << 8, SCR_BASE = 0x30 | SCR_FIQ | 1 << 10 /* RES1, RW */ };
enum { SPSR_EL2 = 0x3c9, SPSR_EL1 = 0x3c5 };
enum { GROUP_0_NONE = 1020, IGRPMODR = 0xd00, IROUTER = 0x6000, WAKER = 0x14, INTIDS = 64 };

extern u8 payload_image[], payload_image_end[];
void fw_wrong(u64 esr, u64 elr, u64 far);
struct world *fw_cold(void);
struct world *fw_sync(struct cpu *cpu);
struct world *fw_fiq(struct cpu *cpu);

static struct cpu cpus[FW_CPUS];
static u32 taken[INTIDS], taken_from[INTIDS];
static struct {
    u64 magic, boots;
} kept __attribute__((section(".kept"))); /* is not zeroed */

struct cpu *this_cpu(void) { return &cpus[READ(mpidr_el1) & (FW_CPUS - 1)]; }

/* ---- the Secure devices ---- */

void say(const char *text)
{
    while (*text)
        MMIO32(SECURE_UART + UART_DR) = (u8)*text++;
}

void say_number(const char *text, u64 n)
{
    char digit[2] = "";
    say(text);
    for (u32 shift = 64; shift; shift -= 4) {
        digit[0] = "0123456789abcdef"[n >> (shift - 4) & 15];
        if (n >> (shift - 4) || shift == 4)
            say(digit);
    }
    say("\n");
}

static _Noreturn void output_raise(u32 line)
{
    MMIO32(SECURE_GPIO + 0x400) = 3;                  /* GPIODIR: both are outputs */
    MMIO32(SECURE_GPIO + (4ul << line)) = 1u << line; /* GPIODATA, whose address is a mask */
    for (;;)
        ASM("wfi");
}

_Noreturn void power_off(void)
{
    say("EL3: off\n");
    output_raise(0);
}

_Noreturn void power_reset(void)
{
    say("EL3: reset\n");
    seats_clear();
    output_raise(1);
}

void fw_wrong(u64 esr, u64 elr, u64 far)
{
    say_number("EL3: unexpected exception, ESR ", esr);
    say_number("ELR ", elr);
    say_number("FAR ", far);
    power_off();
}

/* ---- the GIC: Arm IHI 0069 4.6 ---- */

/* All SPIs are Non-secure Group 1 but the firmware's own. */
static void distributor_setup(void)
{
    MMIO32(GICD) = 0x30; /* ARE_S, ARE_NS */
    DSB();
    u32 words = (MMIO32(GICD + 4) & 31) + 1;
    for (u32 n = 1; n < words; n++)
        MMIO32(GICD + IGROUPR + 4 * n) = ~0u;
    MMIO32(GICD + IGROUPR + SECURE_SPI / 32 * 4) &= ~(1u << SECURE_SPI % 32);
    MMIO8(GICD + IPRIORITYR + SECURE_SPI) = 0x20;
    MMIO64(GICD + IROUTER + 8 * SECURE_SPI) = 0;
    MMIO32(GICD + ISENABLER + SECURE_SPI / 32 * 4) = 1u << SECURE_SPI % 32;
    MMIO32(GICD) = 0x35; /* Group 0 and Secure Group 1; the other is the Non-secure state's to enable */
}

static void interface_setup(void)
{
    u64 n = READ(mpidr_el1) & (FW_CPUS - 1), sgi = GICR_SGI(n);
    MMIO32(GICR(n) + WAKER) &= ~2u;
    while (MMIO32(GICR(n) + WAKER) & 4)
        ;
    MMIO32(sgi + IGROUPR) = ~(1u << SECURE_TIMER | 1u << SECURE_SGI);
    MMIO32(sgi + IGRPMODR) = 1u << SECURE_SGI;
    MMIO8(sgi + IPRIORITYR + SECURE_TIMER) = 0x10;
    MMIO8(sgi + IPRIORITYR + SECURE_SGI) = 0x40;
    MMIO32(sgi + ISENABLER) = 1u << SECURE_TIMER | 1u << SECURE_SGI;
    WRITE(ICC_SRE3, 0xf);
    WRITE(scr_el3, SCR_BASE | SCR_NS); /* ICC_SRE_EL2 is there in the state that has EL2 */
    ISB();
    WRITE(ICC_SRE2, 0xf);
    WRITE(ICC_SRE, 7);
    WRITE(scr_el3, SCR_BASE);
    ISB();
    WRITE(ICC_SRE, 7);
    ISB();
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN0, 1);
    WRITE(ICC_IGRPEN1_3, 2); /* Secure Group 1 */
    ISB();
}

/* ---- worlds ---- */

/* EL1's registers and the world's are exchanged when it becomes another. */
static struct world *world_enter(struct cpu *cpu, u32 which)
{
    struct world *to = &cpu->world[which], *from = cpu->now;
    if (from && from != to) {
#define SAVE(name) from->name = READ(name);
#define LOAD(name) WRITE(name, to->name);
        EL1_REGS(SAVE)
        EL1_REGS(LOAD)
    }
    cpu->now = to;
    return to;
}

static struct world *payload_enter(struct cpu *cpu, u64 entry, u64 scr)
{
    struct world *w = &cpu->world[SECURE];
    w->elr = entry;
    w->spsr = SPSR_EL1;
    w->scr = scr;
    w->sctlr_el1 = w->sctlr_el1 ? w->sctlr_el1 : 0x30d00800;
    return world_enter(cpu, SECURE);
}

/* As PSCI has a PE begin (DEN0022 6.4): EL2, everything masked, no translation. */
struct world *normal_start(u64 entry, u64 x0)
{
    struct cpu *cpu = this_cpu();
    struct world *w = &cpu->world[NORMAL];
    *cpu = (struct cpu){ 0 };
    w->elr = entry;
    w->x[0] = x0;
    w->spsr = SPSR_EL2;
    w->scr = SCR_BASE | SCR_NS | SCR_HCE;
    WRITE(tpidr_el3, cpu);
    WRITE(cntfrq_el0, 62500000);
    WRITE(hcr_el2, 0);
    WRITE(sctlr_el2, 0x30c50830);
    WRITE(sctlr_el1, 0x30d00800);
    WRITE(cntvoff_el2, 0);
    interface_setup();
    return world_enter(cpu, NORMAL);
}

struct world *fw_cold(void)
{
    kept.boots = kept.magic == 0x656c6d75 ? kept.boots + 1 : 1;
    kept.magic = 0x656c6d75;
    say_number("EL3: boot ", kept.boots);
    distributor_setup();
    seats_wait();
    for (u64 n = 0; n < PAYLOAD_ROOM; n += 8)
        MMIO64(PAYLOAD + n) = 0;
    for (u64 n = 0; n < (u64)(payload_image_end - payload_image); n += 8)
        MMIO64(PAYLOAD + n) = *(u64 *)(payload_image + n);
    ASM("ic iallu; dsb sy; isb");
    u64 entry = kernel_load();
    say_number("EL3: Non-secure EL2 at ", entry);
    return normal_start(entry, 0x40000000 /* the device tree */);
}

/* ---- calls: DEN0028 ---- */

static u64 sip_call(u64 function, u64 a)
{
    u64 got = a < INTIDS ? (u64)taken_from[a] << 32 | taken[a] : 0;
    switch (function) {
    case SIP_BOOTS: return kept.boots;
    case SIP_TIMER:
        WRITE(s3_7_c14_c2_0, a); /* CNTPS_TVAL_EL1 */
        WRITE(s3_7_c14_c2_1, 1); /* CNTPS_CTL_EL1 */
        ISB();
        return 0;
    case SIP_INTERRUPTS: return got;
    case SIP_SGI:
        MMIO32(GICR_SGI(READ(mpidr_el1) & (FW_CPUS - 1)) + ISPENDR) = 1u << SECURE_SGI;
        DSB();
        return 0;
    case SIP_UART:
        MMIO32(SECURE_UART + UART_IMSC) = 1u << 5; /* transmit */
        MMIO32(SECURE_UART + UART_DR) = (u8)a;
        return 0;
    }
    return (u64)NOT_SUPPORTED;
}

static struct world *trusted_call(struct cpu *cpu, u64 function)
{
    struct world *w = cpu->now;
    if (function == TOS_RESUME && cpu->call == STOPPED) {
        cpu->call = CALLED;
        return world_enter(cpu, SECURE);
    }
    if (function > TOS_LAST || cpu->call != IDLE) {
        w->x[0] = function > TOS_LAST ? (u64)NOT_SUPPORTED : (u64)SMC_BUSY;
        return w;
    }
    cpu->call = CALLED;
    cpu->world[SECURE].x[0] = w->x[0];
    cpu->world[SECURE].x[1] = w->x[1];
    return payload_enter(cpu, PAYLOAD, SCR_BASE);
}

/* The payload is ready: with a call, whose result the caller gets, or with an interrupt, after which all is as before.
 */
static struct world *payload_done(struct cpu *cpu)
{
    struct world *s = &cpu->world[SECURE], *w = &cpu->world[NORMAL];
    if (cpu->interrupt) {
        cpu->interrupt = false;
        world_enter(cpu, NORMAL);
        *s = cpu->stopped;
        return w;
    }
    cpu->call = IDLE;
    w->x[0] = s->x[1];
    return world_enter(cpu, NORMAL);
}

struct world *fw_sync(struct cpu *cpu)
{
    struct world *w = cpu->now;
    u64 esr = READ(esr_el3), function = w->x[0] & 0xffffffff, range = function >> 24 & 0x3f;
    if (esr_ec(esr) != EC_SMC)
        fw_wrong(esr, w->elr, READ(far_el3));
    if (w == &cpu->world[SECURE] && function == TOS_DONE)
        return payload_done(cpu);
    if (w == &cpu->world[SECURE] || esr & 0xffff)
        w->x[0] = (u64)NOT_SUPPORTED;
    else if (function == SMCCC_VERSION)
        w->x[0] = 0x10002;
    else if (function == SMCCC_ARCH_FEATURES)
        w->x[0] = (u32)w->x[1] == SMCCC_VERSION || (u32)w->x[1] == SMCCC_ARCH_FEATURES ? 0 : (u64)NOT_SUPPORTED;
    else if (function >> 30 == 3 && range == 2)
        w->x[0] = sip_call(function, w->x[1]);
    else if (function >> 31 && range == 4)
        w->x[0] = (u64)psci_call(function, w->x);
    else if (function >= TOS_FIRST && function <= TOS_DONE)
        return trusted_call(cpu, function);
    else
        w->x[0] = (u64)NOT_SUPPORTED;
    return w;
}

/* ---- interrupts ---- */

static void own_interrupt(u64 intid, u64 el)
{
    if (intid == SECURE_TIMER)
        WRITE(s3_7_c14_c2_1, 0);
    if (intid == SECURE_SPI) {
        MMIO32(SECURE_UART + UART_IMSC) = 0;
        MMIO32(SECURE_UART + UART_ICR) = 1u << 5;
    }
    DSB();
    WRITE(ICC_EOIR0, intid);
    ISB();
    taken[intid % INTIDS]++;
    taken_from[intid % INTIDS] = (u32)el;
}

/* What EL3 hears of: its own (Group 0), the payload's while Non-secure code runs, Non-secure ones while the payload
 * does. */
struct world *fw_fiq(struct cpu *cpu)
{
    struct world *w = cpu->now;
    u64 el = (w->scr & SCR_NS ? 0 : 8) + (w->spsr >> 2 & 3);
    u64 intid = READ(ICC_IAR0);
    if (intid < GROUP_0_NONE) {
        own_interrupt(intid, el);
        return w;
    }
    if (w == &cpu->world[NORMAL]) {
        if (intid != GROUP_0_NONE) /* it went away */
            return w;
        cpu->interrupt = true;
        cpu->stopped = cpu->world[SECURE];
        return payload_enter(cpu, PAYLOAD + 4, SCR_BASE & ~SCR_FIQ); /* to its end */
    }
    cpu->call = STOPPED;
    cpu->world[NORMAL].x[0] = SMC_PREEMPTED;
    return world_enter(cpu, NORMAL);
}
