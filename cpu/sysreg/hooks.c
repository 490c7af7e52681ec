/*
 * The registers of cpu/sysreg/sysreg.def, idreg.def and debugreg.def that are more than storage (Arm ARM C5.2, D19).
 */
#include "cpu/sysreg/hooks.h"

#include "cpu/exception.h"
#include "cpu/field.h"

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

/* RNDR and RNDRRS: the board's generator; without one there is never a number in time (NZCV 0100, C6.2.. D19.2 RNDR).
 */
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

/* Len and Stride are AArch32's, trap enables are not implemented (RAZ). Bits of absent features are RES0. */
u64 fpcr_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, cpu->fpcr; }
void fpcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mask = 0x07c00000;
    mask |= cpu_has(cpu, FEAT_FP16) ? BIT(19) : 0;  /* FZ16 */
    mask |= cpu_has(cpu, FEAT_EBF16) ? BIT(13) : 0; /* EBF */
    mask |= cpu_has(cpu, FEAT_AFP) ? 7 : 0;         /* NEP, AH, FIZ */
    cpu->fpcr = (u32)(value & mask);
}
u64 fpsr_read(struct cpu *cpu, const struct sysreg *row) { return (void)row, cpu->fpsr; }
void fpsr_write(struct cpu *cpu, const struct sysreg *row, u64 value) { (void)row, cpu->fpsr = value & 0x0800009f; }

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
        *reg = value & row->mask;
}

/* ---- control registers whose format depends on HCR_EL2.E2H ---- */

static bool e2h(const struct cpu *cpu) { return cpu_has(cpu, FEAT_VHE) && bit(cpu->sys.hcr_el2, HCR_E2H); }

/* Bits that features bring, in the format of EL1 (and of EL2 with E2H), and in that of EL3 (EL2 without). */
const struct sysreg_bits sctlr1_bits[] = {
    { FEAT_PAN, 0, BIT(SCTLR_SPAN) },
    { FEAT_PAUTH, 0, BIT(SCTLR_EnIA) | BIT(SCTLR_EnIB) | BIT(SCTLR_EnDA) | BIT(SCTLR_EnDB) },
    { FEAT_SSBS, 0, BIT(SCTLR_DSSBS) },
    { FEAT_BTI, 0, BIT(SCTLR_BT0) | BIT(SCTLR_BT1) },
    { FEAT_MOPS, 0, BIT(SCTLR_MSCEn) },
    { FEAT_MTE2, 0,
      BIT(SCTLR_ITFSB) | FIELD_MASK(SCTLR_TCF0) | FIELD_MASK(SCTLR_TCF) | BIT(SCTLR_ATA0) | BIT(SCTLR_ATA) },
    { FEAT_LSE2, 0, BIT(SCTLR_nAA) },
    { FEAT_PAN3, 0, BIT(SCTLR_EPAN) },
    { FEAT_CMOW, 0, BIT(SCTLR_CMOW) },
    { FEAT_SPECRES, 0, BIT(SCTLR_EnRCTX) },
    { FEAT_CSV2_2, 0, BIT(SCTLR_TSCXT) },
    { FEAT_NMI, 0, BIT(SCTLR_NMI) | BIT(SCTLR_SPINTMASK) },
    { FEAT_TWED, 0, BIT(SCTLR_TWEDEn) | FIELD_MASK(SCTLR_TWEDEL) },
    { FEAT_TIDCP1, 0, BIT(SCTLR_TIDCP) },
    { FEAT_IESB, 0, BIT(SCTLR_IESB) },
    { 0, 0, 0 },
};
const struct sysreg_bits sctlr3_bits[] = {
    { FEAT_PAUTH, 0, BIT(SCTLR_EnIA) | BIT(SCTLR_EnIB) | BIT(SCTLR_EnDA) | BIT(SCTLR_EnDB) },
    { FEAT_SSBS, 0, BIT(SCTLR_DSSBS) },
    { FEAT_LSE2, 0, BIT(SCTLR_nAA) },
    { FEAT_BTI, 0, BIT(SCTLR_BT1) }, /* called BT there */
    { FEAT_MTE2, 0, BIT(SCTLR_ITFSB) | FIELD_MASK(SCTLR_TCF) | BIT(SCTLR_ATA) },
    { FEAT_NMI, 0, BIT(SCTLR_NMI) | BIT(SCTLR_SPINTMASK) },
    { FEAT_IESB, 0, BIT(SCTLR_IESB) },
    { 0, 0, 0 },
};
const struct sysreg_bits tcr1_bits[] = {
    { FEAT_HPDS2, 0, 0xffull << TCR_EL1_HWU059 }, /* to HWU162 */
    { FEAT_HPDS, 0, BIT(TCR_EL1_HPD0) | BIT(TCR_EL1_HPD1) },
    { FEAT_HAFDBS, 0, BIT(TCR_EL1_HA) | BIT(TCR_EL1_HD) },
    { FEAT_PAUTH, 0, BIT(TCR_EL1_TBID0) | BIT(TCR_EL1_TBID1) },
    { FEAT_E0PD, 0, BIT(TCR_EL1_E0PD0) | BIT(TCR_EL1_E0PD1) },
    { FEAT_LPA2, 0, BIT(TCR_EL1_DS) },
    { FEAT_MTE2, 0, BIT(TCR_EL1_TCMA0) | BIT(TCR_EL1_TCMA1) },
    { 0, 0, 0 },
};
const struct sysreg_bits tcr3_bits[] = {
    { FEAT_HPDS2, 0, 0xf << TCR_EL3_HWU59 }, /* to HWU62 */
    { FEAT_S1PIE, 0, BIT(TCR_EL3_PIE) },     /* this and the next: TCR_EL3 only */
    { FEAT_S1POE, 0, BIT(TCR_EL3_POE) },
    { FEAT_HPDS, 0, BIT(TCR_EL3_HPD) },
    { FEAT_HAFDBS, 0, BIT(TCR_EL3_HA) | BIT(TCR_EL3_HD) },
    { FEAT_PAUTH, 0, BIT(TCR_EL3_TBID) },
    { FEAT_LPA2, 0, BIT(TCR_EL3_DS) },
    { FEAT_MTE2, 0, BIT(TCR_EL3_TCMA) },
    { 0, 0, 0 },
};

static u64 bits_present(const struct cpu *cpu, const struct sysreg_bits *opt)
{
    u64 mask = 0;
    for (; opt->bits; opt++)
        mask |= cpu_has(cpu, (enum feature)opt->feature) ? opt->bits : 0;
    return mask;
}

/* Every bit of HCRX_EL2 is some feature's. */
void hcrx_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    static const struct sysreg_bits hcrx_bits[] = {
        { FEAT_MOPS, 0, BIT(HCRX_MCE2) | BIT(HCRX_MSCEn) },
        { FEAT_XS, 0, BIT(HCRX_FnXS) | BIT(HCRX_FGTnXS) },
        { FEAT_NMI, 0, BIT(HCRX_TALLINT) | BIT(HCRX_VINMI) | BIT(HCRX_VFNMI) },
        { FEAT_CMOW, 0, BIT(HCRX_CMOW) },
        { FEAT_TCR2, 0, BIT(HCRX_TCR2En) },
        { FEAT_SCTLR2, 0, BIT(HCRX_SCTLR2En) },
        { 0, 0, 0 },
    };
    (void)row;
    cpu->sys.hcrx_el2 = value & bits_present(cpu, hcrx_bits);
}

/* E0POE is there where EL0 is: not in TCR2_EL2 without E2H. */
void tcr2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    static const struct sysreg_bits tcr2_bits[] = {
        { FEAT_S1PIE, 0, BIT(TCR2_PIE) },
        { FEAT_S1POE, 0, BIT(TCR2_E0POE) | BIT(TCR2_POE) },
        { 0, 0, 0 },
    };
    u64 *reg = sysreg_field(cpu, row), mask = bits_present(cpu, tcr2_bits);
    *reg = value & (reg == &cpu->sys.tcr2_el2 && !e2h(cpu) ? mask & ~BIT(TCR2_E0POE) : mask);
}

void sctlr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 more = bits_present(cpu, e2h(cpu) ? sctlr1_bits : sctlr3_bits);
    cpu->sys.sctlr_el2 = e2h(cpu) ? (value & ((SCTLR1_MASK & ~BIT(SCTLR_UMA)) | more | BIT(SCTLR_SPAN))) |
                                        (SCTLR1_RES1 & ~(more | BIT(SCTLR_SPAN)))
                                  : (value & (SCTLR3_MASK | more)) | SCTLR3_RES1;
}

void cptr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 e0poe = cpu_has(cpu, FEAT_S1POE) ? BIT(CPACR_E0POE) : 0;
    u64 host = BIT(CPTR2_TCPAC) | FIELD_MASK(CPTR2_FPEN) | e0poe, guest = BIT(CPTR2_TCPAC) | BIT(CPTR2_TFP);
    cpu->sys.cptr_el2 = e2h(cpu) ? value & host : (value & guest) | CPTR2_RES1;
}

void tcr_el2_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 more = bits_present(cpu, e2h(cpu) ? tcr1_bits : tcr3_bits + 2);
    cpu->sys.tcr_el2 = e2h(cpu) ? value & (TCR1_MASK | more) : (value & (TCR3_MASK | more)) | TCR3_RES1;
}

/* Whether CNTPOFF_EL2 counts hangs on HCR_EL2 and SCR_EL3: the timers look again at the end of the slice. */
static void offset_may_change(struct cpu *cpu)
{
    if (unlikely(bit(cpu->sys.cnthctl_el2, CNTHCTL_ECV)))
        cpu->d.attention |= ATT_STOP;
}

/* HCD exists where EL3, whose SCR_EL3.HCE does its work, does not. */
void hcr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 mask = sysreg_writable(cpu, row) | (cpu_has(cpu, FEAT_EL3) ? 0 : BIT(HCR_HCD));
    cpu->sys.hcr_el2 = (value & mask) | BIT(HCR_RW);
    offset_may_change(cpu);
}

/* BADDR<52:12>; RESS above it follow bit 52. */
void vncr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row, cpu->sys.vncr_el2 = sext(value & ~0xfffull, 53);
}

/* The bits of fine-grained traps are those of cpu/sysreg/fgt.def, and those that features bring as rows of
 * cpu/sysreg/traps.def. */
void fgt_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    u64 inverted = row->opt ? bits_present(cpu, row->opt) : 0;
    *sysreg_field(cpu, row) = value & (trap_fgt_bits(cpu, (unsigned)row->offset) | inverted);
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

/* ERR, INTdis, TDA, RXO, TXU, RXfull, TXfull, TFO and HDE mirror the external debugger's register: written under OS
 * lock only. */
void mdscr_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    (void)row;
    u64 mirrors = 0x6ce04040 | (cpu_has(cpu, FEAT_TRF) ? BIT(MDSCR_TFO) : 0);
    u64 mask = 0xb001 | (bit(cpu->sys.oslsr_el1, OSLSR_OSLK) ? mirrors : 0);
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
