/* Why a guest came to EL2, and what is done about it.
 *
 * ESR_EL2 holds the exception class (EC, bits 31:26) and its details (ISS, bits 24:0); FAR_EL2 the virtual address
 * and HPFAR_EL2 the IPA page of a stage-2 fault. (Arm ARM D19.2 ESR_ELx)
 */
#include "hyp.h"

enum {
    EC_UNKNOWN = 0x00, EC_WFX = 0x01, EC_FP = 0x07, EC_HVC = 0x16, EC_SMC = 0x17, EC_SYSREG = 0x18,
    EC_IABT_LOWER = 0x20, EC_IABT_SAME = 0x21, EC_DABT_LOWER = 0x24, EC_DABT_SAME = 0x25,
};
#define ESR_IL       BIT(25)
#define FSC_EXTERNAL 0x10ul             /* synchronous external abort */
#define PSTATE_EL1H  0x3c5ul            /* EL1, its own stack pointer, all interrupts masked */
#define MAX_ABORTS   100

static void guest_stop(struct guest *g, const char *why)
{
    g->off = true;
    print("hypervisor: %s guest: %s\n", g->name, why);
}

/* Makes the guest take an exception to its EL1, as the hardware does it: the guest cannot tell the difference.
 * Its EL1 registers are in the hardware now. (Arm ARM D1.3, exception entry) */
static void inject(struct guest *g, u64 ec, u64 iss)
{
    struct vcpu *v = &g->vcpu;
    u64 mode = v->pstate & 0xf, offset = mode == 5 ? 0x200 : mode == 4 ? 0x000 : 0x400;
    if (++g->aborts > MAX_ABORTS) {
        guest_stop(g, "stopped, it does nothing but fault");
        return;
    }
    WRITE(esr_el1, ec << 26 | ESR_IL | iss);
    WRITE(elr_el1, v->pc);
    WRITE(spsr_el1, v->pstate);
    v->pc = READ(vbar_el1) + offset;
    v->pstate = PSTATE_EL1H;
}

static void inject_abort(struct guest *g, bool fetch, bool write)
{
    bool from_el1 = g->vcpu.pstate & 4;
    WRITE(far_el1, g->vcpu.far);
    inject(g, (fetch ? EC_IABT_LOWER : EC_DABT_LOWER) + from_el1, FSC_EXTERNAL | (write ? BIT(6) : 0));
}

/* ---- emulated devices: not mapped at stage 2, so that each access comes here ---- */

struct device {
    bool open; /* whose: an open guest's, or the closed one's */
    u64 base;
    const char *read_cause, *write_cause;
    u64 (*read)(struct guest *g, u64 offset);
    void (*write)(struct guest *g, u64 offset, u64 value);
};

/* The closed guest's sensor: SAMPLE at 0, a signed half-word; SETPOINT at 4. Samples are made up, always the same. */
static u64 sensor_read(struct guest *g, u64 offset)
{
    if (offset != 0)
        return 0;
    g->sensor = g->sensor * 1103515245 + 12345;
    return (g->sensor >> 16) & 0xffff;
}

static void sensor_write(struct guest *g, u64 offset, u64 value)
{
    if (offset == 4)
        g->sensor ^= value & 0xff;
}

/* The open guest's UART: as much of a PL011 as printing needs. */
static u64 uart_read(struct guest *g, u64 offset)
{
    (void)g;
    return offset == 0x18 ? 0x90 : 0; /* flags: both FIFOs empty */
}

static void uart_write(struct guest *g, u64 offset, u64 value)
{
    if (offset == 0)
        console_guest_putc(g, value);
}

static const struct device devices[] = {
    { false, 0x11000000, "sensor read at", "sensor write at", sensor_read, sensor_write },
    { true, 0x09000000, "UART read at", "UART write at", uart_read, uart_write },
};

static const struct device *device_find(const struct guest *g, u64 ipa)
{
    for (u32 i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (devices[i].open == (g != &guests[CLOSED]) && devices[i].base == (ipa & ~0xffful))
            return &devices[i];
    return NULL;
}

/* ISS of a data abort:  24   23..22  21   20..16  15  7      6    5..0
 *                       ISV  SAS     SSE  SRT     SF  S1PTW  WnR  DFSC
 * ISV says that the rest of the load or store is described: size, sign extension, register. It is 0 for pairs,
 * write-back and SIMD, which a real hypervisor refuses too. */
static void exit_data_abort(struct guest *g)
{
    struct vcpu *v = &g->vcpu;
    u64 esr = v->esr, ipa = BITS(v->hpfar, 43, 4) << 12 | (v->far & 0xfff);
    bool write = esr & BIT(6), translation = BITS(esr, 5, 2) == 1;
    u32 bits = 8 << BITS(esr, 23, 22), rt = BITS(esr, 20, 16);
    const struct device *d = device_find(g, ipa);
    if (!d || !translation || !(esr & BIT(24)) || (esr & BIT(7))) {
        const char *cause = write ? "write, not mapped: abort injected," : "read, not mapped: abort injected,";
        stat_count(g, "stage-2 fault", cause, ipa);
        inject_abort(g, false, write);
        return;
    }
    stat_count(g, "stage-2 fault", write ? d->write_cause : d->read_cause, ipa);
    v->pc += 4;
    if (write) {
        d->write(g, ipa & 0xfff, rt == 31 ? 0 : bits == 64 ? v->x[rt] : v->x[rt] & (BIT(bits) - 1));
        return;
    }
    u64 value = d->read(g, ipa & 0xfff);
    value = bits == 64 ? value : value & (BIT(bits) - 1);
    if ((esr & BIT(21)) && (value >> (bits - 1) & 1))
        value |= bits == 64 ? 0 : ~(BIT(bits) - 1);
    if (!(esr & BIT(15)))
        value = (u32)value; /* the register is Wt */
    if (rt != 31)
        v->x[rt] = value;
}

static void exit_fetch_abort(struct guest *g)
{
    u64 ipa = BITS(g->vcpu.hpfar, 43, 4) << 12 | (g->vcpu.far & 0xfff);
    stat_count(g, "stage-2 fault", "fetch, not mapped: abort injected,", ipa);
    inject_abort(g, true, false);
}

/* ---- system registers. ISS:  21..20  19..17  16..14  13..10  9..5  4..1  0
 *                              op0     op2     op1     CRn     Rt    CRm   1 = read ---- */

#define SYS(op0, op1, crn, crm, op2) (op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1)
#define SYS_MASK 0x3ffc1eul

/* HCR_EL2.TVM: the guest sets up its own stage 1. It may: stage 2 confines what it can reach. NULL: not one of them. */
static const char *vm_write(u32 which, u64 value)
{
    switch (which) {
    case SYS(3, 0, 1, 0, 0): WRITE(sctlr_el1, value); return "SCTLR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 2, 0, 0): WRITE(ttbr0_el1, value); return "TTBR0_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 2, 0, 1): WRITE(ttbr1_el1, value); return "TTBR1_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 2, 0, 2): WRITE(tcr_el1, value); return "TCR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 5, 1, 0): WRITE(afsr0_el1, value); return "AFSR0_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 5, 1, 1): WRITE(afsr1_el1, value); return "AFSR1_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 5, 2, 0): WRITE(esr_el1, value); return "ESR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 6, 0, 0): WRITE(far_el1, value); return "FAR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 10, 2, 0): WRITE(mair_el1, value); return "MAIR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 10, 3, 0): WRITE(amair_el1, value); return "AMAIR_EL1 write (HCR_EL2.TVM)";
    case SYS(3, 0, 13, 0, 1): WRITE(contextidr_el1, value); return "CONTEXTIDR_EL1 write (HCR_EL2.TVM)";
    default: return NULL;
    }
}

/* HCR_EL2.TID3: the guest asks what the CPU can do. It is told the truth but for EL2 and EL3: it does not have them. */
static const char *id_read(u32 which, u64 *value)
{
    switch (which) {
    case SYS(3, 0, 0, 4, 0): *value = READ(id_aa64pfr0_el1) & ~0xff00ul; return "ID_AA64PFR0_EL1 read (HCR_EL2.TID3)";
    case SYS(3, 0, 0, 5, 0): *value = READ(id_aa64dfr0_el1); return "ID_AA64DFR0_EL1 read (HCR_EL2.TID3)";
    case SYS(3, 0, 0, 6, 0): *value = READ(id_aa64isar0_el1); return "ID_AA64ISAR0_EL1 read (HCR_EL2.TID3)";
    case SYS(3, 0, 0, 7, 0): *value = READ(id_aa64mmfr0_el1); return "ID_AA64MMFR0_EL1 read (HCR_EL2.TID3)";
    default:
        *value = 0; /* features that this hypervisor does not know are not there */
        return (which & SYS(3, 7, 15, 0, 0)) == SYS(3, 0, 0, 0, 0) ? "other ID register read (HCR_EL2.TID3)" : NULL;
    }
}

static void exit_sysreg(struct guest *g)
{
    struct vcpu *v = &g->vcpu;
    u32 which = v->esr & SYS_MASK, rt = BITS(v->esr, 9, 5);
    u64 value = rt == 31 ? 0 : v->x[rt];
    const char *cause;
    if (!(v->esr & 1)) {
        cause = vm_write(which, value);
    } else if (which == SYS(3, 3, 14, 0, 1)) {
        value = READ(cntvct_el0);
        cause = "CNTPCT_EL0 read (CNTHCTL_EL2.EL1PCTEN)";
    } else {
        cause = id_read(which, &value);
    }
    stat_count(g, "system register", cause ? cause : "not emulated: UNDEFINED injected", 0);
    if (!cause) {
        inject(g, EC_UNKNOWN, 0);
        return;
    }
    if ((v->esr & 1) && rt != 31)
        v->x[rt] = value;
    v->pc += 4; /* a trapped instruction was not executed: step over it */
}

/* ---- calls: function in w0, arguments in x1.., result in x0. The PC is already after an HVC. ---- */

/* Text in x1..x6, 8 characters each, zero ends it. Nothing but registers: no guest pointer to check. */
static void call_console(struct guest *g)
{
    for (u32 i = 0; i < 48; i++) {
        char c = g->vcpu.x[1 + i / 8] >> i % 8 * 8;
        if (!c)
            break;
        console_guest_putc(g, c);
    }
}

static void exit_hvc(struct guest *g)
{
    struct vcpu *v = &g->vcpu;
    u64 result = 0;
    const char *cause;
    switch ((u32)v->x[0]) {
    case 0x84000000:
        cause = "PSCI_VERSION";
        result = 0x10000;
        break;
    case 0x84000002:
        cause = "PSCI CPU_OFF";
        guest_stop(g, "CPU_OFF");
        break;
    case 0x84000008:
        cause = "PSCI SYSTEM_OFF";
        guest_stop(g, "SYSTEM_OFF");
        break;
    case 0x86000001:
        cause = "CONSOLE";
        call_console(g);
        break;
    case 0x86000002:
        cause = "DOORBELL";
        for (struct guest *open = &guests[OPEN]; open < &guests[GUESTS]; open++) {
            open->mailbox = v->x[1];
            vgic_inject(&open->vcpu, INTID_BELL, false);
        }
        break;
    case 0x86000003:
        cause = "MAILBOX";
        result = g->mailbox;
        break;
    default:
        if (device_call && device_call(g, &result)) {
            cause = "a device of the hypervisor's";
            break;
        }
        cause = "unknown function: NOT_SUPPORTED";
        result = -1ul;
        break;
    }
    stat_count(g, "HVC", cause, 0);
    v->x[0] = result;
}

static void exit_sync(struct guest *g)
{
    struct vcpu *v = &g->vcpu;
    switch (BITS(v->esr, 31, 26)) {
    case EC_HVC: exit_hvc(g); break;
    case EC_SYSREG: exit_sysreg(g); break;
    case EC_DABT_LOWER: exit_data_abort(g); break;
    case EC_IABT_LOWER: exit_fetch_abort(g); break;
    case EC_WFX:
        stat_count(g, "WFI", "nothing to do (HCR_EL2.TWI)", 0);
        g->waiting = true;
        v->pc += 4;
        break;
    default: /* SMC (HCR_EL2.TSC), FP and SIMD (CPTR_EL2.TFP) */
        stat_count(g, "other", "UNDEFINED injected, ESR", v->esr);
        inject(g, EC_UNKNOWN, 0);
    }
}

static void exit_irq(struct guest *g)
{
    u32 intid = gic_acknowledge();
    switch (intid) {
    case INTID_CNTV: /* the running guest's: hand it over, its end of interrupt deactivates */
        stat_count(g, "interrupt", "INTID 27, virtual timer: handed to the guest", 0);
        vgic_inject(&g->vcpu, INTID_CNTV, true);
        gic_drop(intid);
        break;
    case INTID_CNTHP: /* ours: time to think again about who runs */
        stat_count(g, "interrupt", "INTID 26, hypervisor timer: end of slice or of the other's wait", 0);
        WRITE(cnthp_ctl_el2, 0);
        ISB();
        gic_end(intid);
        break;
    default:
        if (device_irq && device_irq(intid))
            stat_count(g, "interrupt", "of the closed guest's device: handed to it, INTID", intid);
        else
            stat_count(g, "interrupt", "spurious", 0);
    }
}

void exit_handle(struct guest *g, u64 reason)
{
    if (reason == EXIT_SYNC)
        exit_sync(g);
    else if (reason == EXIT_IRQ)
        exit_irq(g);
    else
        guest_stop(g, "stopped by an SError");
}
