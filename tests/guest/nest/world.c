/* From L1 to L2 and back. Both run at EL1 and EL0, so that the registers of EL1 change hands: L1's own are those that
 * it calls _EL2 (struct vel2), L2's are what L1 calls _EL1 and finds in VNCR_EL2's page (HCR_EL2.NV1, for an L1 without
 * VHE). Registers that neither L0 nor L1 need for themselves (TPIDR_ELx, SP_EL0, PAR_EL1, CNTKCTL_EL1) stay where they
 * are. "L2" is whatever L1 has at EL1: a guest, or, of an L1 that is Linux, its own kernel, with HCR_EL2.VM 0.
 */
#include "nest.h"

u64 vncr[512] __attribute__((aligned(4096)));
u32 entries, exits;
bool vhe;
struct vel2 vel2 = { .sctlr = 0x30c50830, .cptr = 0x33ff, .cnthctl = 3 };

enum { VMID_L1 = 1, VMID_UNTRANSLATED = 2 }; /* and those of shadow.c */

/* L2's registers and where L1 sees them: X(register, offset in VNCR_EL2's page). */
#define L2_STATE(X)                                                                                         \
    X(sctlr_el1, 0x110) X(ttbr0_el1, 0x200) X(ttbr1_el1, 0x210) X(tcr_el1, 0x120) X(mair_el1, 0x140)        \
    X(amair_el1, 0x148) X(vbar_el1, 0x250) X(cpacr_el1, 0x100) X(contextidr_el1, 0x108)                     \
    X(sp_el1, 0x240) X(elr_el1, 0x230) X(spsr_el1, 0x160) X(esr_el1, 0x138) X(far_el1, 0x220)               \
    X(afsr0_el1, 0x128) X(afsr1_el1, 0x130) X(mdscr_el1, 0x158) TIMERS(X)                                   \
    X(s3_4_c12_c12_0, 0x400) X(s3_4_c12_c12_1, 0x408) X(s3_4_c12_c12_2, 0x410) X(s3_4_c12_c12_3, 0x418)     \
    X(s3_4_c12_c8_0, 0x480) X(s3_4_c12_c9_0, 0x4a0) X(s3_4_c12_c11_7, 0x4c8) /* ICH_LRn, APnR0, VMCR */
#define TIMERS(X)                                                                                           \
    X(cntv_cval_el0, 0x168) X(cntv_ctl_el0, 0x170) X(cntp_cval_el0, 0x178) X(cntp_ctl_el0, 0x180)
/* L1's own, with VHE: X(register). */
#define L1_STATE(X)                                                                                         \
    X(sctlr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(mair_el1) X(amair_el1) X(vbar_el1) X(cpacr_el1)     \
    X(contextidr_el1) X(sp_el1) X(esr_el1) X(far_el1) X(afsr0_el1) X(afsr1_el1) X(cntkctl_el1)
static struct {
#define MEMBER(reg) u64 reg;
    L1_STATE(MEMBER)
} host;
#define HOST_LOAD(reg) WRITE(reg, host.reg);
#define HOST_SAVE(reg) host.reg = READ(reg);
#define LOAD(reg, offset) WRITE(reg, VNCR(offset));
#define SAVE(reg, offset) VNCR(offset) = READ(reg);

/* EL2's controls in the form of EL1: of SCTLR those that are in the same places, TCR's are elsewhere, and there is no
 * upper half. L1's tables are EL2's: HCR_EL2.{NV,NV1} has EL1 read them so (no EL0, bit 54 is PXN). */
#define SCTLR_COMMON (BIT(44) | BIT(36) | BIT(31) | BIT(30) | BIT(27) | BIT(25) | BIT(19) | BIT(13) | BIT(12) | 0xf)
static u64 sctlr_of_el1(u64 sctlr) { return 0x30d00800 | (sctlr & SCTLR_COMMON); }
static u64 tcr_of_el1(u64 tcr)
{
    return (tcr & 0xffff) | BIT(23) | BITS(tcr, 18, 16) << 32 | BITS(tcr, 20, 20) << 37 | BITS(tcr, 22, 21) << 39;
}

/* L2's timers go on while L1 runs, which has to find their interrupts pending. What L1 writes to them goes to memory,
 * and is seen when L1 next comes here. */
void l1_timers(void)
{
    WRITE(cntvoff_el2, VNCR(VNCR_CNTVOFF));
    TIMERS(LOAD)
    if (vhe) { /* the virtual counter of EL2 has no offset then (Arm ARM D11.2) */
        WRITE(cntvoff_el2, 0);
        WRITE(cntv_cval_el0, VNCR(0x168) + VNCR(VNCR_CNTVOFF));
    }
    ISB();
}

/* What L1 wrote to HCR_EL2 went to memory: seen when it next comes here, by the names of registers that it has now. */
bool l1_became_host(void)
{
    if (vhe || !(VNCR(VNCR_HCR) & HCR_E2H))
        return false;
    print("L0: L1 has VHE\n");
    vhe = true;
    L1_STATE(HOST_SAVE)
    l1_load();
    return true;
}

#define HCR_L1 (HCR_VM | HCR_TSC | HCR_RW | HCR_NV | HCR_NV2 | HCR_AT | 3ul << 40 | BIT(56)) /* APK, API, ATA */
static void l1_translation(void)
{
    stage2_of_l1(VMID_L1);
    if (vhe) {
        WRITE(hcr_el2, HCR_L1 | HCR_TTLB);
        WRITE(sctlr_el1, host.sctlr_el1);
        WRITE(ttbr0_el1, host.ttbr0_el1);
        WRITE(ttbr1_el1, host.ttbr1_el1);
        WRITE(tcr_el1, host.tcr_el1);
        WRITE(mair_el1, host.mair_el1);
        return;
    }
    WRITE(hcr_el2, HCR_L1 | HCR_NV1);
    WRITE(sctlr_el1, sctlr_of_el1(vel2.sctlr));
    WRITE(tcr_el1, tcr_of_el1(vel2.tcr));
    WRITE(ttbr0_el1, vel2.ttbr0);
    WRITE(mair_el1, vel2.mair);
}

/* The hardware becomes L1's. */
void l1_load(void)
{
    in_l2 = false;
    l1_translation();
    WRITE(cptr_el2, vhe ? 0x33ff : vel2.cptr);
    WRITE(mdcr_el2, READ(mdcr_el2) & 0x1f);
    WRITE(mdscr_el1, 0);
    WRITE(cnthctl_el2, vhe ? 1 : 3); /* with VHE CNTP_*_EL0 are CNTHP_*_EL2: trapped, for those */
    WRITE(vpidr_el2, READ(midr_el1));
    WRITE(vmpidr_el2, READ(mpidr_el1));
    WRITE(s3_4_c12_c11_0, 0); /* ICH_HCR_EL2: no list register speaks while L1 runs */
    if (vhe) {
        L1_STATE(HOST_LOAD)
    } else {
        WRITE(cpacr_el1, 3 << 20); /* EL2's FP is CPTR_EL2's alone */
        WRITE(vbar_el1, vel2.vbar);
        WRITE(sp_el1, vel2.sp);
        WRITE(esr_el1, vel2.esr);
        WRITE(far_el1, vel2.far);
    }
    ISB();
}

/* L1's HCR_EL2, less what would make L2 a hypervisor or a host, and with what L0 needs: stage 2, and SMC. */
static void l2_translation(void)
{
    u64 hcr = VNCR(VNCR_HCR), refused = HCR_NV | HCR_NV1 | HCR_NV2 | HCR_AT | HCR_TGE | HCR_E2H;
    WRITE(hcr_el2, (hcr & ~refused) | HCR_VM | HCR_TSC | HCR_RW);
    if (hcr & (HCR_VM | HCR_DC))
        shadow_activate();
    else
        stage2_of_l1(VMID_UNTRANSLATED);
}

static void l2_load(void)
{
    in_l2 = true;
    entries++;
    if (vhe) {
        L1_STATE(HOST_SAVE)
        WRITE(cntkctl_el1, vel2.cntkctl_el12);
    }
    vel2.sp = READ(sp_el1);
    vel2.esr = READ(esr_el1);
    vel2.far = READ(far_el1);
    /* With VHE CPTR_EL2 has the form of CPACR_EL1, and EL1PCTEN, EL1PTEN are in CNTHCTL_EL2's bits 10 and 11. */
    WRITE(cptr_el2, !vhe ? vel2.cptr : 0x33ff | (BITS(host.cpacr_el1, 21, 20) == 3 ? 0 : BIT(10)));
    WRITE(mdcr_el2, vel2.mdcr);
    WRITE(cnthctl_el2, vhe ? BITS(vel2.cnthctl, 11, 10) : vel2.cnthctl);
    WRITE(cntvoff_el2, VNCR(VNCR_CNTVOFF));
    WRITE(vpidr_el2, VNCR(VNCR_VPIDR));
    WRITE(vmpidr_el2, VNCR(VNCR_VMPIDR));
    L2_STATE(LOAD)
    WRITE(s3_4_c12_c11_0, VNCR(VNCR_ICH_HCR));
    l2_translation();
}

static void l2_save(void)
{
    L2_STATE(SAVE)
    if (vhe)
        vel2.cntkctl_el12 = READ(cntkctl_el1);
    VNCR(VNCR_ICH_HCR) = READ(s3_4_c12_c11_0);
    vel2.misr = READ(s3_4_c12_c11_2);
}

/* L1 asks how L2's addresses translate: with L2's registers and L1's own stage 2, which the hardware can walk for once,
 * since L1's addresses are the real ones. The answer is in PAR_EL1. */
void l1_at(u32 op, u64 va)
{
#define STAGE1(X) X(sctlr_el1, 0x110) X(ttbr0_el1, 0x200) X(ttbr1_el1, 0x210) X(tcr_el1, 0x120) X(mair_el1, 0x140)
    if (vhe) {
        L1_STATE(HOST_SAVE)
    }
    STAGE1(LOAD)
    WRITE(hcr_el2, HCR_RW | (VNCR(VNCR_HCR) & (HCR_VM | HCR_DC)));
    WRITE(vtcr_el2, VNCR(VNCR_VTCR));
    WRITE(vttbr_el2, (VNCR(VNCR_VTTBR) & ~(0xfffful << 48)) | 0xfful << 48);
    ISB();
    switch (op) {
    case 0x780: asm volatile("at s1e1r, %0" : : "r"(va)); break;
    case 0x781: asm volatile("at s1e1w, %0" : : "r"(va)); break;
    case 0x782: asm volatile("at s1e0r, %0" : : "r"(va)); break;
    case 0x783: asm volatile("at s1e0w, %0" : : "r"(va)); break;
    case 0x784: asm volatile("at s12e1r, %0" : : "r"(va)); break;
    case 0x785: asm volatile("at s12e1w, %0" : : "r"(va)); break;
    case 0x786: asm volatile("at s12e0r, %0" : : "r"(va)); break;
    default: asm volatile("at s12e0w, %0" : : "r"(va)); break;
    }
    ISB();
    l1_translation();
}

/* What ELR_EL2 and SPSR_EL2 are for L1 is in ELR_EL1 and SPSR_EL1. */
void l1_eret(void)
{
    u64 elr = READ(elr_el1), spsr = READ(spsr_el1), mode = spsr & 0x1f;
    if (mode == 9 || mode == 8) {
        stat_count(&guests[L1], "ERET", "within L1 (HCR_EL2.NV)", 0);
        vcpu.pc = elr;
        vcpu.pstate = spsr - 4; /* EL2h is EL1h here */
        return;
    }
    if (vhe && mode == 0 && VNCR(VNCR_HCR) & HCR_TGE) {
        stat_count(&guests[L1], "ERET", "to L1's own EL0 (HCR_EL2.NV)", 0);
        vcpu.pc = elr;
        vcpu.pstate = spsr;
        return;
    }
    if ((mode != 0 && mode != 4 && mode != 5) || VNCR(VNCR_HCR) & HCR_TGE)
        nest_end(false, "L1 returned to a mode that no guest can be in");
    stat_count(&guests[L1], "ERET", "to L2 (HCR_EL2.NV)", 0);
    l2_load();
    vcpu.pc = elr;
    vcpu.pstate = spsr;
}

/* L1 takes an exception from L2, as the hardware would have delivered it to EL2 (Arm ARM D1.3, exception entry). */
static void reflect(u64 offset, u64 esr, bool sync)
{
    exits++;
    l2_save();
    l1_load();
    WRITE(elr_el1, vcpu.pc);
    WRITE(spsr_el1, vcpu.pstate);
    if (sync) {
        WRITE(esr_el1, esr);
        WRITE(far_el1, vcpu.far);
    }
    vcpu.pc = READ(vbar_el1) + offset;
    vcpu.pstate = PSTATE_EL1H;
}

static const char *class_name(u64 ec)
{
    switch (ec) {
    case 0x00: return "undefined: to L1";
    case 0x01: return "WFI, WFE: to L1";
    case 0x07: return "FP: to L1";
    case 0x09: return "pointer authentication: to L1";
    case 0x16: return "HVC: to L1";
    case 0x17: return "SMC: to L1";
    case 0x18: return "register: to L1";
    case 0x20: return "stage-2 fault of a fetch: to L1";
    case 0x24: return "stage-2 fault of a load or store: to L1";
    default: return "other: to L1";
    }
}

/* A stage-2 fault. True: of the shadow alone, and mended. */
static bool shadow_miss(u64 ec, u64 *esr)
{
    u64 ipa = BITS(vcpu.hpfar, 43, 4) << 12;
    bool table = *esr & BIT(7);
    u64 fault = shadow_fault(ipa, ec == 0x24 && !table && (*esr & BIT(6)), ec == 0x20 && !table);
    if (!fault) {
        stat_count(&guests[L2], "shadow", "entered from L1's table", 0);
        return true;
    }
    *esr = (*esr & ~0x3ful) | fault;
    vel2.hpfar = vcpu.hpfar;
    return false;
}

void l2_exit(u64 reason)
{
    u64 esr = vcpu.esr, ec = BITS(esr, 31, 26);
    if (reason == EXIT_IRQ) {
        stat_count(&guests[L2], "interrupt", "to L1", 0);
        reflect(0x480, 0, false);
        return;
    }
    if (reason != EXIT_SYNC)
        nest_end(false, "SError");
    if ((ec == 0x20 || ec == 0x24) && shadow_miss(ec, &esr))
        return;
    if (ec == 0x17 && !(VNCR(VNCR_HCR) & HCR_TSC)) {
        firmware_call(&guests[L2]);
        return;
    }
    stat_count(&guests[L2], "reflected", class_name(ec), 0);
    reflect(0x400, esr, true);
}
