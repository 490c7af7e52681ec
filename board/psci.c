/*
 * Power State Coordination Interface 1.1 (Arm DEN0022) and SMC Calling Convention 1.1 (Arm DEN0028), answered by the
 * board when no firmware runs at EL3. Unknown functions answer NOT_SUPPORTED. Left out: power-down suspend (it is a
 * standby, which the specification allows), MEM_PROTECT, statistics, SYSTEM_SUSPEND.
 */
#include "board/machine.h"

#include "cpu/affinity.h"
#include "cpu/exception.h"
#include "cpu/observer.h"
#include "cpu/sysreg/sysreg.h"
#include "cpu/field.h"

enum { FN_64 = 0x40000000 };
enum psci_fn { SMCCC_VERSION = 0x80000000, SMCCC_ARCH_FEATURES = 0x80000001, PSCI_VERSION = 0x84000000, CPU_SUSPEND, CPU_OFF,
               CPU_ON, AFFINITY_INFO, MIGRATE, MIGRATE_INFO_TYPE, MIGRATE_INFO_UP_CPU, SYSTEM_OFF, SYSTEM_RESET, PSCI_FEATURES,
               SYSTEM_RESET2 = 0x84000012 };
enum { SUCCESS = 0, NOT_SUPPORTED = -1, INVALID_PARAMETERS = -2, ALREADY_ON = -4, INVALID_ADDRESS = -9 };
enum { STATE_POWERDOWN = 1 << 16, STATE_RESERVED = 0xfcfe0000, STATE_LEVEL = 0x03000000, SYSTEM_WARM_RESET = 0 };
enum { VERSION_1_1 = 0x10001, TOS_NOT_PRESENT = 2 };

/* The PE that target_cpu names: affinity fields, all else zero, MPIDR_EL1's RES1 bit too (5.1.4); NULL: none. */
static struct cpu *cpu_named(struct machine *m, u64 target)
{
    unsigned n = affinity_pe(target);
    return n < m->options.cpu_count ? &m->d.cpu[n] : NULL;
}

/* Where a PE can begin to run: an instruction of Non-secure RAM. */
static bool entry_is_valid(struct machine *m, u64 entry)
{
    return !(entry & 3) && phys_find(&m->d.phys, entry, phys_attrs_make(true, 0, true));
}

static s64 cpu_on(struct machine *m, u64 mpidr, u64 entry, u64 context)
{
    struct cpu *cpu = cpu_named(m, mpidr);
    if (!cpu)
        return INVALID_PARAMETERS;
    if (!entry_is_valid(m, entry))
        return INVALID_ADDRESS;
    if (cpu->powered)
        return ALREADY_ON;
    gic_reset_cpu(&m->gic, cpu->index);
    machine_cpu_enter(m, cpu, m->entry_el, entry, context);
    cpu_may_run(cpu);
    return SUCCESS;
}

static s64 cpu_off(struct machine *m, struct cpu *cpu)
{
    gic_disable_cpu(&m->gic, cpu->index);
    cpu->powered = 0;
    cpu->halted = HALT_OFF;
    cpu->d.attention |= ATT_LOOK;
    cpu_tell_halted(cpu);
    return SUCCESS;
}

/* A standby: waits as WFI does. There are no power levels above that of a PE. */
static s64 cpu_suspend(struct machine *m, struct cpu *cpu, u32 state, u64 entry)
{
    if (state & (STATE_RESERVED | STATE_LEVEL))
        return INVALID_PARAMETERS;
    if (state & STATE_POWERDOWN && !entry_is_valid(m, entry))
        return INVALID_ADDRESS;
    cpu->halted = HALT_WFI;
    cpu->d.attention |= ATT_LOOK;
    cpu_tell_halted(cpu);
    return SUCCESS;
}

/* Affinity fields below the level are not looked at. A cluster is on as long as one of its PEs is; what is above, as
 * long as anyone asks. */
static s64 affinity_info(struct machine *m, u64 target, u32 level)
{
    static const u64 ignored[] = { 0, 0xff, 0xffff, 0xffffff };
    if (level > 3)
        return INVALID_PARAMETERS;
    struct cpu *cpu = cpu_named(m, target & ~ignored[level]);
    if (!cpu)
        return INVALID_PARAMETERS;
    u32 on = level > 1, count = level ? CLUSTER_PES : 1;
    for (u32 n = cpu->index; n < m->options.cpu_count && n < cpu->index + count; n++)
        on |= m->d.cpu[n].powered;
    return !on;
}

static s64 system_end(struct machine *m, struct cpu *cpu, enum end_kind kind)
{
    machine_end(m, kind, 0, "");
    cpu->halted = HALT_OFF;
    cpu_tell_halted(cpu);
    return SUCCESS;
}

/* Vendors' types (bit 31) there are none of. */
static s64 system_reset2(struct machine *m, struct cpu *cpu, u32 type)
{
    return type == SYSTEM_WARM_RESET ? system_end(m, cpu, END_RESET) : INVALID_PARAMETERS;
}

static s64 features(u64 fn)
{
    switch (fn & ~(u64)FN_64) {
    case CPU_SUSPEND:
    case CPU_ON:
    case AFFINITY_INFO:
    case SYSTEM_RESET2: return SUCCESS;
    case SMCCC_VERSION:
    case PSCI_VERSION:
    case CPU_OFF:
    case MIGRATE_INFO_TYPE:
    case SYSTEM_OFF:
    case SYSTEM_RESET:
    case PSCI_FEATURES: return fn & FN_64 ? NOT_SUPPORTED : SUCCESS;
    default: return NOT_SUPPORTED;
    }
}

static s64 call(struct machine *m, struct cpu *cpu, u32 fn, const u64 *arg)
{
    switch (fn) {
    case SMCCC_VERSION: return VERSION_1_1;
    case SMCCC_ARCH_FEATURES: return arg[0] == SMCCC_VERSION || arg[0] == SMCCC_ARCH_FEATURES ? SUCCESS : NOT_SUPPORTED;
    case PSCI_VERSION: return VERSION_1_1;
    case CPU_SUSPEND:
    case CPU_SUSPEND | FN_64: return cpu_suspend(m, cpu, (u32)arg[0], arg[1]);
    case CPU_OFF: return cpu_off(m, cpu);
    case CPU_ON:
    case CPU_ON | FN_64: return cpu_on(m, arg[0], arg[1], arg[2]);
    case AFFINITY_INFO:
    case AFFINITY_INFO | FN_64: return affinity_info(m, arg[0], (u32)arg[1]);
    case MIGRATE_INFO_TYPE: return TOS_NOT_PRESENT;
    case SYSTEM_OFF: return system_end(m, cpu, END_OFF);
    case SYSTEM_RESET: return system_end(m, cpu, END_RESET);
    case SYSTEM_RESET2:
    case SYSTEM_RESET2 | FN_64: return system_reset2(m, cpu, (u32)arg[0]);
    case PSCI_FEATURES: return features((u32)arg[0]);
    default: return NOT_SUPPORTED;
    }
}

enum board_answer psci_call(struct machine *m, struct cpu *cpu, unsigned ec, u32 imm)
{
    (void)imm;
    if (m->conduit != (ec == EC_HVC ? CONDUIT_HVC : CONDUIT_SMC))
        return BOARD_LEAVES;
    u32 fn = (u32)cpu->x[0];
    u64 arg[3];
    for (unsigned n = 0; n < 3; n++) /* SMC32: the lower halves */
        arg[n] = fn & FN_64 ? cpu->x[1 + n] : (u32)cpu->x[1 + n];
    cpu->x[0] = (u64)call(m, cpu, fn, arg);
    return BOARD_ANSWERED;
}

/* What EL3 and EL2 let the levels below use of a feature. */
static const struct {
    u16 feature, with; /* with: needed, too */
    u64 scr, hcr, hcrx, fgt;
} grants[] = {
    { FEAT_PAUTH, FEAT_BASE, .scr = BIT(SCR_API) | BIT(SCR_APK), .hcr = BIT(HCR_API) | BIT(HCR_APK) },
    { FEAT_HCX, FEAT_BASE, .scr = BIT(SCR_HXEn) },
    { FEAT_CNTPOFF, FEAT_BASE, .scr = BIT(SCR_ECVEn) },
    { FEAT_SCTLR2, FEAT_BASE, .scr = BIT(SCR_SCTLR2En), .hcrx = BIT(HCRX_SCTLR2En) },
    { FEAT_CSV2_2, FEAT_BASE, .scr = BIT(SCR_EnSCXT), .hcr = BIT(HCR_EnSCXT) },
    { FEAT_FGT, FEAT_BASE, .scr = BIT(SCR_FGTEn) },
    { FEAT_MTE2, FEAT_BASE, .scr = BIT(SCR_ATA), .hcr = BIT(HCR_ATA) },
    { FEAT_RASV1P1, FEAT_BASE, .scr = BIT(SCR_FIEN), .hcr = BIT(HCR_FIEN) },
    { FEAT_TCR2, FEAT_BASE, .scr = BIT(SCR_TCR2En) | BIT(SCR_PIEn), .hcrx = BIT(HCRX_TCR2En) },
    { FEAT_MOPS, FEAT_BASE, .hcrx = BIT(HCRX_MSCEn) },
    { FEAT_S1PIE, FEAT_FGT, .fgt = 3ull << 57 }, /* HFGxTR_EL2.{nPIRE0_EL1, nPIR_EL1} */
    { FEAT_S1POE, FEAT_FGT, .fgt = 3ull << 59 }, /* {nPOR_EL0, nPOR_EL1} */
};

/* As firmware at EL3 and EL2 would have left it, where there is one above (el3, el2): the levels below are AArch64, HVC
 * works, features are there. */
static void grant(struct cpu *cpu, bool el3, bool el2)
{
    struct sysregs *s = &cpu->sys;
    if (el3) {
        SYSREG_NOTE(cpu, scr_el3);
        s->scr_el3 = BIT(SCR_RW) | BIT(SCR_HCE) | BIT(SCR_NS) | 0x30; /* RES1 */
    }
    if (el2) {
        SYSREG_NOTE(cpu, hcr_el2);
        s->hcr_el2 = BIT(HCR_RW);
    }
    for (unsigned n = 0; n < ARRAY_LEN(grants); n++) {
        if (!cpu_has(cpu, (enum feature)grants[n].feature) || !cpu_has(cpu, (enum feature)grants[n].with))
            continue;
        s->scr_el3 |= el3 ? grants[n].scr : 0;
        s->hcr_el2 |= el2 ? grants[n].hcr : 0;
        s->hcrx_el2 |= el2 ? grants[n].hcrx : 0;
        s->hfgrtr_el2 |= el2 ? grants[n].fgt : 0;
        s->hfgwtr_el2 |= el2 ? grants[n].fgt : 0;
    }
}

void machine_cpu_enter(struct machine *m, struct cpu *cpu, unsigned el, u64 pc, u64 x0)
{
    u64 insns = cpu->insns;
    cpu->d.now = cpu->d.run_from = m->now;
    cpu_reset(cpu);
    cpu->insns = insns;
    memset(&m->turns[cpu->index].loop, 0, sizeof(m->turns[0].loop));
    m->turns[cpu->index].idles = 0;
    memset(cpu->x, 0, sizeof(cpu->x));
    memset(cpu->sp_el, 0, sizeof(cpu->sp_el));
    grant(cpu, m->options.secure && el < 3, m->options.virtualization && el < 2);
    if (m->options.secure && el == 2) {
        SYSREG_NOTE(cpu, hcr_el2);
        cpu->sys.hcr_el2 |= BIT(HCR_RW);
    }
    cpu_set_el_sp(cpu, el, 1);
    cpu->ps.d = cpu->ps.a = cpu->ps.i = cpu->ps.f = 1;
    cpu->pc = pc;
    cpu->x[0] = x0;
    cpu->powered = 1;
    cpu->halted = HALT_NONE;
    cpu->wake_at = NEVER;
    cpu_control_changed(cpu);
    m->d.due[cpu->index] = 0;
    gic_update_cpu(&m->gic, cpu);
    cpu_tell_halted(cpu);
}
