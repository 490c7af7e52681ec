/*
 * The GIC's system registers: ICC_* with what HCR_EL2.{IMO,FMO} makes of them at EL1, ICV_*, and ICH_* (GIC 12.2 to
 * 12.4). Each hook finds who looks, and which groups the register reaches from there, and has the interface do it
 * (cpuif.h); after a write the PE's lines are found again. Layouts of registers that only exist here are here, too.
 * Traps are rows of cpu/sysreg/traps.def. Left out: SRE 0 (RAO/WI), the registers of more than 5 bits of priority.
 */
#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "cpu/sysreg/hooks.h"
#include "gic/internal.h"
#include "gic/pe.h"

/* What ICC_CTLR_EL1, ICV_CTLR_EL1 and ICC_CTLR_EL3 say beside their control bits. */
enum { CTLR_PRIBITS = 4 << 8, CTLR_IDBITS24 = 1 << 11, CTLR_A3V = 1 << 15, CTLR_EXTRANGE = 1 << 19 };
enum { CTLR_FIXED = CTLR_PRIBITS | CTLR_IDBITS24 | CTLR_A3V };
enum { INTID_MASK = 0xffffff };

/* Group 0 or 1 of a register, from its encoding: ICC_*0 have CRm 8; ICC_IGRPENn have op2 6 and 7 of CRm 12. */
static inline unsigned row_crm(const struct sysreg *row) { return row->key >> 3 & 15; }
static inline unsigned row_op2(const struct sysreg *row) { return row->key & 7; }
static inline unsigned row_group(const struct sysreg *row) { return row_crm(row) != 8; }

static inline struct gic *gic_of(const struct cpu *cpu) { return cpu->d.host.gic; }
static u32 ctlr_fixed(const struct gic *gic) { return CTLR_FIXED | (gic->parts & GIC_RANGES ? CTLR_EXTRANGE : 0); }
static inline void icc_changed(struct cpu *cpu) { gic_update_cpu(gic_of(cpu), cpu); }
static inline void ich_changed(struct cpu *cpu) { ich_update(gic_of(cpu), cpu); }

/* HCR_EL2.{IMO,FMO}: at EL1 with HCR_EL2.IMO group 1's registers are the virtual ones, with FMO group 0's, with either
 * the common. */
static inline bool is_virtual(const struct cpu *cpu, u64 control) { return cpu->ps.el == 1 && cpu_hcr(cpu) & control; }
static inline bool is_virtual_common(const struct cpu *cpu) { return is_virtual(cpu, BIT(HCR_IMO) | BIT(HCR_FMO)); }
static inline bool is_virtual_group(const struct cpu *cpu, unsigned group)
{
    return is_virtual(cpu, group ? BIT(HCR_IMO) : BIT(HCR_FMO));
}

/* The group behind a register of group 0 or 1, which is banked. */
static inline enum gic_group group_of(const struct cpu *cpu, unsigned group)
{
    return !group ? GROUP_0 : gic_view_of(cpu).bank == GIC_SECURE ? GROUP_1S : GROUP_1NS;
}

/* The groups that ICC_{IAR,HPPIR,EOIR}<group>_EL1 reach (GIC 4.6). */
static inline u32 reach_of(const struct gic *gic, struct gic_view view, unsigned group)
{
    bool ds = gic_ds(gic);
    if (group)
        return (view.secure ? REACH_1S : 0) | (ds || view.el3 || !view.secure ? REACH_1NS : 0);
    return (ds || view.secure ? REACH_0 : 0) | (view.el3 ? REACH_NAMED : 0);
}
static inline u32 virtual_reach_of(unsigned group) { return group ? REACH_V1 : REACH_V0; }

/* The groups that ICC_DIR_EL1 reaches: those that this state handles (SCR_EL3.{IRQ,FIQ}: that EL3 does). */
static u32 deactivate_reach_of(const struct cpu *cpu, struct gic_view view)
{
    bool el3 = cpu_has(cpu, FEAT_EL3);
    bool irq_el3 = el3 && bit(cpu->sys.scr_el3, SCR_IRQ), fiq_el3 = el3 && bit(cpu->sys.scr_el3, SCR_FIQ);
    if (view.el3)
        return REACH_ALL;
    u32 group0 = !fiq_el3 && (view.secure || gic_ds(gic_of(cpu))) ? REACH_0 : 0;
    return group0 | (irq_el3 ? 0 : view.secure ? REACH_1S | REACH_1NS : REACH_1NS);
}

/* ---- Acknowledge and end ---- */

u64 icc_hppir_read(struct cpu *cpu, const struct sysreg *row)
{
    const struct gic *gic = gic_of(cpu);
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        return virtif_pending(gic, cpu->index, virtual_reach_of(group));
    return cpuif_pending(gic, cpu->index, reach_of(gic, gic_view_of(cpu), group));
}

static u64 acknowledge(struct cpu *cpu, unsigned group, enum gic_ack ack)
{
    struct gic_view view = gic_view_of(cpu);
    return cpuif_acknowledge(gic_of(cpu), cpu->index, view, reach_of(gic_of(cpu), view, group), ack);
}

static u64 virtual_acknowledge(struct cpu *cpu, unsigned group, enum gic_ack ack)
{
    u64 hcr = cpu->sys.ich_hcr_el2;
    u32 intid = virtif_acknowledge(gic_of(cpu), cpu->index, hcr, virtual_reach_of(group), ack);
    ich_changed(cpu);
    return intid;
}

/* SCTLR_ELx.NMI of this EL: non-maskable interrupts are acknowledged by ICC_NMIAR1_EL1. */
u64 icc_iar_read(struct cpu *cpu, const struct sysreg *row)
{
    bool nmiar = cpu_has(cpu, FEAT_NMI) && bit(cpu_sctlr(cpu), SCTLR_NMI);
    enum gic_ack ack = nmiar ? ACK_NOT_NMI : ACK_ANY;
    unsigned group = row_group(row);
    return is_virtual_group(cpu, group) ? virtual_acknowledge(cpu, group, ack) : acknowledge(cpu, group, ack);
}

u64 icc_nmiar_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return is_virtual_group(cpu, 1) ? virtual_acknowledge(cpu, 1, ACK_NMI) : acknowledge(cpu, 1, ACK_NMI);
}

static void end(struct cpu *cpu, unsigned group, u32 intid)
{
    struct gic_view view = gic_view_of(cpu);
    cpuif_end(gic_of(cpu), cpu->index, view, reach_of(gic_of(cpu), view, group), intid);
    icc_changed(cpu);
}

static void virtual_end(struct cpu *cpu, unsigned group, u32 intid)
{
    u64 *hcr = &cpu->sys.ich_hcr_el2;
    *hcr = virtif_end(gic_of(cpu), cpu->index, *hcr, virtual_reach_of(group), intid);
    ich_changed(cpu);
}

void icc_eoir_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        virtual_end(cpu, group, value & INTID_MASK);
    else
        end(cpu, group, value & INTID_MASK);
}

static void deactivate(struct cpu *cpu, u32 intid)
{
    struct gic_view view = gic_view_of(cpu);
    cpuif_deactivate(gic_of(cpu), cpu->index, view, deactivate_reach_of(cpu, view), intid);
}

static void virtual_deactivate(struct cpu *cpu, u32 intid)
{
    u64 *hcr = &cpu->sys.ich_hcr_el2;
    *hcr = virtif_deactivate(gic_of(cpu), cpu->index, *hcr, intid);
    ich_changed(cpu);
}

void icc_dir_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if (is_virtual_common(cpu))
        virtual_deactivate(cpu, value & INTID_MASK);
    else
        deactivate(cpu, value & INTID_MASK);
}

/* ---- Priorities ---- */

u64 icc_pmr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic *gic = gic_of(cpu);
    return is_virtual_common(cpu) ? virtif_mask(gic, cpu->index) : cpuif_mask(gic, cpu->index, gic_view_of(cpu));
}

void icc_pmr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if (is_virtual_common(cpu)) {
        virtif_set_mask(gic_of(cpu), cpu->index, (u32)value);
        ich_changed(cpu);
    } else {
        cpuif_set_mask(gic_of(cpu), cpu->index, gic_view_of(cpu), (u32)value);
        icc_changed(cpu);
    }
}

u64 icc_rpr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic *gic = gic_of(cpu);
    return is_virtual_common(cpu) ? virtif_running(gic, cpu->index) : cpuif_running(gic, cpu->index, gic_view_of(cpu));
}

u64 icc_bpr_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group))
        return virtif_binary_point(gic_of(cpu), cpu->index, group);
    return cpuif_binary_point(gic_of(cpu), cpu->index, gic_view_of(cpu), group_of(cpu, group));
}

void icc_bpr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group)) {
        virtif_set_binary_point(gic_of(cpu), cpu->index, group, (u32)value);
        ich_changed(cpu);
    } else {
        cpuif_set_binary_point(gic_of(cpu), cpu->index, gic_view_of(cpu), group_of(cpu, group), (u32)value);
        icc_changed(cpu);
    }
}

u64 icc_apr_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_group(row);
    return is_virtual_group(cpu, group) ? virtif_active(gic_of(cpu), cpu->index, group)
                                        : cpuif_active(gic_of(cpu), cpu->index, group_of(cpu, group));
}

void icc_apr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_group(row);
    if (is_virtual_group(cpu, group)) {
        virtif_set_active(gic_of(cpu), cpu->index, group, value);
        ich_changed(cpu);
    } else {
        cpuif_set_active(gic_of(cpu), cpu->index, group_of(cpu, group), value);
        icc_changed(cpu);
    }
}

/* ---- Control ---- */

u64 icc_ctlr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    if (is_virtual_common(cpu))
        return virtif_control(gic_of(cpu), cpu->index) | ctlr_fixed(gic_of(cpu));
    return cpuif_control(gic_of(cpu), cpu->index, (enum gic_bank_of)gic_view_of(cpu).bank) | ctlr_fixed(gic_of(cpu));
}

/* CBPR is EL3's, where EL3 exists and there are two security states. */
void icc_ctlr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    struct gic *gic = gic_of(cpu);
    enum gic_bank_of bank = (enum gic_bank_of)gic_view_of(cpu).bank;
    if (is_virtual_common(cpu)) {
        virtif_set_control(gic, cpu->index, (u32)value);
        ich_changed(cpu);
        return;
    }
    u32 fixed = cpu_has(cpu, FEAT_EL3) && !gic_ds(gic) ? ICC_CBPR : 0;
    cpuif_set_control(gic, cpu->index, bank, ((u32)value & ~fixed) | (cpuif_control(gic, cpu->index, bank) & fixed));
    icc_changed(cpu);
}

/* <0> CBPR_EL1S <1> CBPR_EL1NS <2> EOImode_EL3 <3> EOImode_EL1S <4> EOImode_EL1NS */
u64 icc_ctlr_el3_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic *gic = gic_of(cpu);
    u32 s = cpuif_control(gic, cpu->index, GIC_SECURE), ns = cpuif_control(gic, cpu->index, GIC_NONSECURE);
    u32 el3 = cpuif_control(gic, cpu->index, GIC_EL3);
    return (s & ICC_CBPR) | (ns & ICC_CBPR) << 1 | (el3 & ICC_EOIMODE) << 1 | (s & ICC_EOIMODE) << 2 |
           (ns & ICC_EOIMODE) << 3 | ctlr_fixed(gic);
}

void icc_ctlr_el3_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u32 v = (u32)value;
    cpuif_set_control(gic_of(cpu), cpu->index, GIC_SECURE, (v & ICC_CBPR) | (v >> 2 & ICC_EOIMODE));
    cpuif_set_control(gic_of(cpu), cpu->index, GIC_NONSECURE, (v >> 1 & ICC_CBPR) | (v >> 3 & ICC_EOIMODE));
    cpuif_set_control(gic_of(cpu), cpu->index, GIC_EL3, v >> 1 & ICC_EOIMODE);
    icc_changed(cpu);
}

u64 icc_igrpen_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned group = row_op2(row) - 6;
    return is_virtual_group(cpu, group) ? virtif_enabled(gic_of(cpu), cpu->index, group)
                                        : cpuif_enabled(gic_of(cpu), cpu->index, group_of(cpu, group));
}

void icc_igrpen_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned group = row_op2(row) - 6;
    if (is_virtual_group(cpu, group)) {
        virtif_enable(gic_of(cpu), cpu->index, group, value & 1);
        ich_changed(cpu);
    } else {
        cpuif_enable(gic_of(cpu), cpu->index, group_of(cpu, group), value & 1);
    }
}

/* <0> EnableGrp1NS <1> EnableGrp1S */
u64 icc_igrpen1_el3_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    const struct gic *gic = gic_of(cpu);
    return (u64)cpuif_enabled(gic, cpu->index, GROUP_1NS) | (u64)cpuif_enabled(gic, cpu->index, GROUP_1S) << 1;
}

void icc_igrpen1_el3_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpuif_enable(gic_of(cpu), cpu->index, GROUP_1NS, bit(value, 0));
    cpuif_enable(gic_of(cpu), cpu->index, GROUP_1S, bit(value, 1));
}

/* A trap control of lower ELs was written: what they trap must be found again. The current EL's set stays (the rows of
 * these controls never name the EL that can write them). */
static void traps_changed(struct cpu *cpu)
{
    for (unsigned el = 0; el < 4; el++)
        if (el != cpu->ps.el)
            cpu->d.live_traps[el] = 0;
}

/* At EL3 it is there while EL2 is enabled (GIC 12.2.23): firmware sets SCR_EL3.NS, or EEL2, to reach it. */
bool icc_sre_el2_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    if (cpu->ps.el != 3 || !cpu_has(cpu, FEAT_EL2) || cpu_el2_enabled(cpu))
        return true;
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = row->key });
    return false;
}

/* Enable<3> of ICC_SRE_EL2 and ICC_SRE_EL3 lets lower ELs at their ICC_SRE; all else is fixed. */
void icc_sre_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    if (row->key == SYSREG_KEY(3, 0, 12, 12, 5))
        return;
    u64 *field = sysreg_field(cpu, row);
    *field = (*field & ~BIT(3)) | (value & BIT(3));
    traps_changed(cpu);
}

/* ---- Software generated interrupts ---- */

/* The first PE that a write to an SGI register can name: <55:48> Aff3 <39:32> Aff2 <23:16> Aff1; <15:0> is a set of
 * Aff0 of that cluster. <47:44> RS is RES0, as no PE has an Aff0 above 15 (ICC_CTLR_EL1.RSS, GICD_TYPER.RSS: 0). */
static unsigned sgi_first(u64 value)
{
    return affinity_pe(bits(value, 55, 48) << 32 | bits(value, 39, 32) << 16 | bits(value, 23, 16) << 8);
}

/* ICC_SGI1R (op2 5): group 1 of this security state, ICC_ASGI1R (6): of the other, ICC_SGI0R (7): group 0.
 * <27:24> INTID */
void icc_sgi_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    struct gic *gic = gic_of(cpu);
    bool ns = !cpu_is_secure(cpu);
    enum gic_group group = row_op2(row) == 7 ? GROUP_0 : ns == (row_op2(row) == 5) ? GROUP_1NS : GROUP_1S;
    if (group == GROUP_1S && gic_ds(gic))
        group = GROUP_1NS;
    unsigned intid = (unsigned)bits(value, 27, 24), first = sgi_first(value);
    bool all = bit(value, 40); /* IRM: all but this PE */
    for (unsigned n = all ? 0 : first; n < gic->cpu_count && (all || n < first + CLUSTER_PES); n++)
        if (all ? n != cpu->index : bit(value, n - first))
            gic_send_sgi(gic, n, intid, group, ns);
}

/* ---- The hypervisor's registers ---- */

/* Bits that trap system registers: only these have it. */
#define HCR_TRAPS (BIT(ICH_HCR_TC) | BIT(ICH_HCR_TALL0) | BIT(ICH_HCR_TALL1) | BIT(ICH_HCR_TDIR))

void ich_hcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    if ((cpu->sys.ich_hcr_el2 ^ value) & HCR_TRAPS)
        traps_changed(cpu);
    cpu->sys.ich_hcr_el2 = value & (VIRTIF_HCR | HCR_TRAPS);
    ich_changed(cpu);
}

/* <4:0> ListRegs - 1 <19> TDS <20> nV4: no virtual LPIs <21> A3V <25:23> IDbits: 24 <28:26> PREbits - 1 <31:29> PRIbits
 * - 1 */
u64 ich_vtr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 nv4 = gic_of(cpu)->parts & GIC_VLPIS ? 0 : 1 << 20;
    return (u64)4 << 29 | 4 << 26 | 1 << 23 | 1 << 21 | nv4 | 1 << 19 | (GIC_LRS - 1);
}

u64 ich_misr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return virtif_maintenance(gic_of(cpu), cpu->index, cpu->sys.ich_hcr_el2);
}

u64 ich_eisr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return virtif_ended(gic_of(cpu), cpu->index);
}

u64 ich_elrsr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return virtif_empty(gic_of(cpu), cpu->index);
}

u64 ich_vmcr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return virtif_vmcr(gic_of(cpu), cpu->index);
}

void ich_vmcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    virtif_set_vmcr(gic_of(cpu), cpu->index, value);
    ich_changed(cpu);
}

u64 ich_apr_read(struct cpu *cpu, const struct sysreg *row)
{
    return virtif_active(gic_of(cpu), cpu->index, row_group(row));
}

void ich_apr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    virtif_set_active(gic_of(cpu), cpu->index, row_group(row), value);
    ich_changed(cpu);
}

u64 ich_lr_read(struct cpu *cpu, const struct sysreg *row)
{
    return virtif_list(gic_of(cpu), cpu->index, row_op2(row) % GIC_LRS);
}

void ich_lr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    virtif_set_list(gic_of(cpu), cpu->index, row_op2(row) % GIC_LRS, value);
    ich_changed(cpu);
}
