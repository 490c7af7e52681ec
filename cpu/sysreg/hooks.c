/*
 * The registers of cpu/sysreg/sysreg.def, idreg.def and debugreg.def that are more than storage (Arm ARM C5.2, D19).
 */
#include "cpu/sysreg/hooks.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "lib/fp/fp.h"

u64 zero_read(struct cpu *cpu, const struct sysreg *row) { return (void)cpu, (void)row, 0; }
void ignore_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)cpu, (void)row, (void)value; }

static bool undefined_here(struct cpu *cpu, const struct sysreg *row)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = row->key });
    return false;
}

/* ---- special-purpose registers ---- */

/* SP_EL0, SP_EL1, SP_EL2: the EL is in op1 (0, 4, 6), and none of them can be the current stack pointer. */
static unsigned sp_of(const struct sysreg *row)
{
    unsigned op1 = row->key >> 11 & 7;
    return op1 == 0 ? 0 : op1 == 4 ? 1 : 2;
}

u64 sp_read(struct cpu *cpu, const struct sysreg *row)
{
    unsigned el = sp_of(row), current = cpu->ps.sp ? cpu->ps.el : 0;
    return el == current ? cpu->x[REG_SP] : cpu->sp_el[el];
}

void sp_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    unsigned el = sp_of(row), current = cpu->ps.sp ? cpu->ps.el : 0;
    if (el == current)
        cpu->x[REG_SP] = value;
    else
        cpu->sp_el[el] = value;
}

/* SP_EL0 is UNDEFINED while it is the current stack pointer. */
bool sp_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    return cpu->ps.sp || undefined_here(cpu, row);
}

u64 spsel_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, cpu->ps.sp; }
void spsel_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu_set_spsel(cpu, value & 1);
}

/* A guest hypervisor reads EL2 (HCR_EL2.NV). */
u64 currentel_read(struct cpu *cpu, const struct sysreg *row)
{
    return (void)row, (u64)(cpu->ps.el == 1 && cpu_nvx(cpu) ? 2 : cpu->ps.el) << 2;
}

u64 pan_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.pan << 22; }
void pan_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->ps.pan = bit(value, SPSR_PAN); }
u64 uao_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.uao << 23; }
void uao_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->ps.uao = bit(value, SPSR_UAO); }
u64 dit_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.dit << 24; }
void dit_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->ps.dit = bit(value, SPSR_DIT); }
u64 ssbs_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.ssbs << 12; }
void ssbs_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row, cpu->ps.ssbs = bit(value, SPSR_SSBS);
}
u64 tco_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.tco << 25; }
void tco_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->ps.tco = bit(value, SPSR_TCO); }
u64 allint_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu->ps.allint << 13; }
void allint_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu_set_allint(cpu, bit(value, SPSR_ALLINT));
}

/* RNDR and RNDRRS: the board's generator; without one there is never a number in time (NZCV 0100; D19.2 RNDR). */
u64 rndr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    cpu_set_nzcv(cpu, cpu->d.host.random ? 0 : 4);
    return cpu->d.host.random ? cpu->d.host.random(cpu) : 0;
}

u64 nzcv_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, (u64)cpu_nzcv(cpu) << 28; }
void nzcv_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row, cpu_set_nzcv(cpu, value >> 28 & 15);
}

u64 daif_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return (u64)(cpu->ps.d << 9 | cpu->ps.a << 8 | cpu->ps.i << 7 | cpu->ps.f << 6);
}

void daif_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu_set_daif(cpu, value >> 6 & 15);
}

/* The fields of FPCR and FPSR are soft-float's (lib/fp/fp.h). Len and Stride are AArch32's, trap enables are not
 * implemented (RAZ). Bits of absent features are RES0. */
u64 fpcr_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, cpu->fpcr; }
void fpcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mask = FPCR_AHP | FPCR_DN | FPCR_FZ | 3u << FPCR_RMODE_SHIFT;
    mask |= cpu_has(cpu, FEAT_FP16) ? FPCR_FZ16 : 0;
    mask |= cpu_has(cpu, FEAT_EBF16) ? FPCR_EBF : 0;
    mask |= cpu_has(cpu, FEAT_AFP) ? FPCR_NEP | FPCR_AH | FPCR_FIZ : 0;
    cpu->fpcr = (u32)(value & mask);
}
u64 fpsr_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, cpu->fpsr; }
void fpsr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu->fpsr = (u32)(value & (FPSR_IOC | FPSR_DZC | FPSR_OFC | FPSR_UFC | FPSR_IXC | FPSR_IDC | FPSR_QC));
}

/* ISR_EL1: pending, whatever the masks say; the virtual ones at EL1 where HCR_EL2 routes the physical ones to EL2. */
u64 isr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 hcr = cpu_hcr(cpu);
    bool el1 = cpu->ps.el == 1;
    bool virq = bit(hcr, HCR_VI) || (cpu->lines & LINE_VIRQ), vfiq = bit(hcr, HCR_VF) || (cpu->lines & LINE_VFIQ);
    bool i = el1 && bit(hcr, HCR_IMO) ? virq : cpu->lines & LINE_IRQ;
    bool f = el1 && bit(hcr, HCR_FMO) ? vfiq : cpu->lines & LINE_FIQ;
    bool a = el1 && bit(hcr, HCR_AMO) ? bit(hcr, HCR_VSE) : cpu->lines & LINE_SERROR;
    u64 hcrx = cpu_hcrx(cpu);
    bool virq_nmi = (bit(hcr, HCR_VI) && bit(hcrx, HCRX_VINMI)) || (cpu->lines & LINE_VIRQ_NMI);
    bool is = el1 && bit(hcr, HCR_IMO) ? virq_nmi : cpu->lines & LINE_IRQ_NMI; /* with Superpriority (FEAT_NMI) */
    bool fs = el1 && bit(hcr, HCR_FMO) ? bit(hcr, HCR_VF) && bit(hcrx, HCRX_VFNMI) : cpu->lines & LINE_FIQ_NMI;
    return (u64)is << 10 | (u64)fs << 9 | (u64)a << 8 | (u64)i << 7 | (u64)f << 6;
}

/* DISR_EL1 at EL1 is VDISR_EL2 where HCR_EL2.AMO routes SErrors to EL2, and RAZ/WI below EL3 where SCR_EL3.EA routes
 * them to EL3 (D19.2, DISR_EL1). */
static u64 *disr(struct cpu *cpu)
{
    if (cpu->ps.el == 1 && bit(cpu_hcr(cpu), HCR_AMO))
        return &cpu->sys.vdisr_el2;
    bool el3 = cpu->ps.el < 3 && cpu_has(cpu, FEAT_EL3) && bit(cpu->sys.scr_el3, SCR_EA);
    return el3 ? NULL : &cpu->sys.disr_el1;
}

u64 disr_read(struct cpu *cpu, const struct sysreg *row)
{
    const u64 *reg = disr(cpu);
    return (void)row, reg ? *reg : 0;
}

void disr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 *reg = disr(cpu);
    if (reg)
        *reg = value & sysreg_writable(cpu, row);
}

/* ---- control registers whose format depends on HCR_EL2.E2H ---- */

static bool e2h(const struct cpu *cpu) { return cpu_has(cpu, FEAT_VHE) && bit(cpu->sys.hcr_el2, HCR_E2H); }

/* E0POE is there where EL0 is: not in TCR2_EL2 without E2H. */
void tcr2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 *reg = sysreg_field(cpu, row), mask = sysreg_layout_bits(cpu, LAYOUT_TCR2);
    *reg = value & (reg == &cpu->sys.tcr2_el2 && !e2h(cpu) ? mask & ~BIT(TCR2_E0POE) : mask);
}

/* With E2H as SCTLR_EL1, but that the applications of a host have no UMA, and SPAN is always there: FEAT_VHE has
 * FEAT_PAN. Without, as SCTLR_EL3. */
void sctlr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mask = sysreg_layout_bits(cpu, e2h(cpu) ? LAYOUT_SCTLR : LAYOUT_SCTLR_EL3);
    if (e2h(cpu))
        mask = (mask & ~BIT(SCTLR_UMA)) | BIT(SCTLR_SPAN);
    cpu->sys.sctlr_el2 = (value & mask) | (e2h(cpu) ? SCTLR1_RES1 & ~mask : SCTLR3_RES1);
}

void cptr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 host = sysreg_layout_bits(cpu, LAYOUT_CPACR) | BIT(CPTR2_TCPAC), guest = sysreg_layout_bits(cpu, LAYOUT_CPTR2);
    cpu->sys.cptr_el2 = e2h(cpu) ? value & host : (value & guest) | CPTR2_RES1;
}

/* With E2H as TCR_EL1; without, as TCR_EL3, whose PIE and POE are in TCR2_EL2. */
void tcr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 own = sysreg_layout_bits(cpu, LAYOUT_TCR_EL3) & ~(BIT(TCR_EL3_PIE) | BIT(TCR_EL3_POE));
    cpu->sys.tcr_el2 = e2h(cpu) ? value & sysreg_layout_bits(cpu, LAYOUT_TCR_EL1) : (value & own) | TCR3_RES1;
}

/* Whether CNTPOFF_EL2 counts hangs on HCR_EL2 and SCR_EL3: the timers look again at the end of the slice. */
static void offset_may_change(struct cpu *cpu)
{
    if (unlikely(bit(cpu->sys.cnthctl_el2, CNTHCTL_ECV)))
        cpu->d.attention |= ATT_LOOK;
}

void hcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    cpu->sys.hcr_el2 = (value & sysreg_writable(cpu, row)) | BIT(HCR_RW);
    offset_may_change(cpu);
}

/* BADDR<52:12>; RESS above it follow bit 52. */
void vncr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row, cpu->sys.vncr_el2 = sext(value & ~0xfffull, 53);
}

/* What the GIC signals as FIQ follows the security state. */
void scr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 mask = sysreg_writable(cpu, row), old = cpu->sys.scr_el3;
    cpu->sys.scr_el3 = (old & ~mask) | (value & mask);
    offset_may_change(cpu);
    if (bit(old ^ cpu->sys.scr_el3, SCR_NS) && cpu->d.host.security_changed)
        cpu->d.host.security_changed(cpu);
}

/* RVBAR_ELx is at the highest EL only. */
bool rvbar_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    unsigned el = (row->key >> 11 & 7) == 4 ? 2 : 1;
    unsigned highest = cpu_has(cpu, FEAT_EL3) ? 3 : cpu_has(cpu, FEAT_EL2) ? 2 : 1;
    return el == highest || undefined_here(cpu, row);
}

/* Limited ordering regions are Non-secure only. */
bool lor_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    return (cpu_has(cpu, FEAT_EL3) ? bit(cpu->sys.scr_el3, SCR_NS) : true) || undefined_here(cpu, row);
}

/* Registers of Secure EL2: at EL2 in Secure state only, at EL3 with SCR_EL3.EEL2 (D19.2, VSTCR_EL2). */
bool secure_el2_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    bool there = cpu->ps.el == 3 ? bit(cpu->sys.scr_el3, SCR_EEL2) : cpu_is_secure_below_el3(cpu);
    return there || undefined_here(cpu, row);
}

/* ---- identification ---- */

u64 midr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return cpu->ps.el == 1 && cpu_el2_enabled(cpu) ? cpu->sys.vpidr_el2 : cpu->sys.midr_el1;
}

u64 mpidr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    return cpu->ps.el == 1 && cpu_el2_enabled(cpu) ? cpu->sys.vmpidr_el2 : cpu->sys.mpidr_el1;
}

/* CSSELR_EL1<4:0>: tags, level - 1, instruction. What is not there, as caches of tags alone, is UNKNOWN: zero. */
u64 ccsidr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    switch (cpu->sys.csselr_el1 & 31) {
    case 0: return cpu->sys.ccsidr_l1d;
    case 1: return cpu->sys.ccsidr_l1i;
    case 2: return cpu->sys.ccsidr_l2;
    default: return 0;
    }
}

/* DZP: DC ZVA would trap here. */
u64 dczid_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    bool prohibited = trap_group_live(cpu, cpu->ps.el, TRAP_DZE) || trap_group_live(cpu, cpu->ps.el, TRAP_TDZ);
    return cpu->sys.dczid_el0 | (u64)prohibited << 4;
}

/* Cortex-A57 TRM 4.3.60: number of cores less one in <25:24>. */
u64 l2ctlr_read(struct cpu *cpu, const struct sysreg *row)
{
    (void)row;
    u64 count = cpu->d.host.cpu_count ? cpu->d.host.cpu_count : 1;
    return (count > 4 ? 3 : count - 1) << 24;
}

/* ---- debug ---- */

/* The external debugger's register is mirrored by fields that can be written under OS lock only. */
void mdscr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mirrors = BIT(MDSCR_ERR) | BIT(MDSCR_HDE) | BIT(MDSCR_TDA) | FIELD_MASK(MDSCR_INTdis) | BIT(MDSCR_TXU) |
                  BIT(MDSCR_RXO) | BIT(MDSCR_TXfull) | BIT(MDSCR_RXfull) |
                  (cpu_has(cpu, FEAT_TRF) ? BIT(MDSCR_TFO) : 0);
    u64 mask = sysreg_layout_bits(cpu, LAYOUT_MDSCR) | (bit(cpu->sys.oslsr_el1, OSLSR_OSLK) ? mirrors : 0);
    cpu->sys.mdscr_el1 = (cpu->sys.mdscr_el1 & ~mask) | (value & mask);
}

/* DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n>. */
void debug_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 *field = sysreg_field(cpu, row), mask = sysreg_writable(cpu, row);
    *field = (*field & ~mask) | (value & mask);
    breakpoint_changed(cpu);
}

void oslar_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    cpu->sys.oslsr_el1 = bits_set(cpu->sys.oslsr_el1, 1, 1, value & 1);
}

u64 claimset_read(struct cpu *cpu, const struct sysreg *row) { return (void)cpu, (void)row, 0xff; }
void claimset_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row, cpu->sys.dbgclaim |= value & 0xff;
}
void claimclr_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->sys.dbgclaim &= ~value; }

/* Debug by an external debugger is implemented, and disabled: two bits each for non-invasive and invasive, by state. */
u64 dbgauthstatus_read(struct cpu *cpu, const struct sysreg *row)
{
    return (void)row, cpu_has(cpu, FEAT_EL3) ? 0xaa : 0x0a;
}

/* DBGBVR<n> and the others: CRm is n. */
bool breakpoint_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    return (row->key >> 3 & 15u) <= FIELD_OF(cpu->sys.id_aa64dfr0_el1, DFR0_BRPs) || undefined_here(cpu, row);
}

bool watchpoint_check(struct cpu *cpu, const struct sysreg *row, bool write)
{
    (void)write;
    return (row->key >> 3 & 15u) <= FIELD_OF(cpu->sys.id_aa64dfr0_el1, DFR0_WRPs) || undefined_here(cpu, row);
}
