/* What L1 does that only EL2 can: each of these is trapped (HCR_EL2.NV), is done here, and L1 goes on after it. What
 * the hardware does by itself with NV2 never comes here: HCR_EL2, VTTBR_EL2, the list registers, L2's registers of EL1
 * are memory (VNCR_EL2); ELR_EL2, SPSR_EL2, ESR_EL2, FAR_EL2 are EL1's. */
#include "nest.h"

#define SYS(op0, op1, crn, crm, op2) (op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1)
#define SYS_MASK 0x3ffc1eul

static u64 nothing;

/* Registers that are only kept: what they say takes effect when L1 or L2 runs next (world.c). */
static const struct kept {
    u32 which;
    const char *name;
    u64 *value;
} kept[] = {
    { SYS(3, 4, 1, 0, 0), "SCTLR_EL2", &vel2.sctlr },      { SYS(3, 4, 2, 0, 2), "TCR_EL2", &vel2.tcr },
    { SYS(3, 4, 2, 0, 0), "TTBR0_EL2", &vel2.ttbr0 },      { SYS(3, 4, 10, 2, 0), "MAIR_EL2", &vel2.mair },
    { SYS(3, 4, 12, 0, 0), "VBAR_EL2", &vel2.vbar },       { SYS(3, 4, 1, 1, 2), "CPTR_EL2", &vel2.cptr },
    { SYS(3, 4, 14, 1, 0), "CNTHCTL_EL2", &vel2.cnthctl }, { SYS(3, 4, 1, 1, 1), "MDCR_EL2", &vel2.mdcr },
    { SYS(3, 4, 6, 0, 4), "HPFAR_EL2", &vel2.hpfar },      { SYS(3, 4, 1, 1, 7), "HACR_EL2", &nothing },
};

/* Registers of EL2 that are L1's for good: L0 has no timer and takes no interrupt. */
#define LENT(X)                                                                                             \
    X(SYS(3, 4, 14, 2, 0), cnthp_tval_el2, "CNTHP_TVAL_EL2") X(SYS(3, 4, 14, 2, 1), cnthp_ctl_el2, "CNTHP_CTL_EL2") \
    X(SYS(3, 4, 14, 2, 2), cnthp_cval_el2, "CNTHP_CVAL_EL2") X(SYS(3, 4, 12, 9, 5), s3_4_c12_c9_5, "ICC_SRE_EL2")

/* NULL: not one of them. */
static const char *lent(u32 which, bool read, u64 *value)
{
    switch (which) {
#define CASE(key, reg, name)                                                                                \
    case key:                                                                                               \
        if (read)                                                                                           \
            *value = READ(reg);                                                                             \
        else                                                                                                \
            WRITE(reg, *value);                                                                             \
        return name;
        LENT(CASE)
    default: return NULL;
    }
}

/* TLB maintenance of EL2: of L1's own translations, which are EL1's, or of its guests'. */
static const char *maintenance(u32 which)
{
    switch (which) {
    case SYS(1, 4, 8, 7, 0): /* ALLE2 */
    case SYS(1, 4, 8, 3, 0): /* ALLE2IS */ asm volatile("tlbi vmalle1; dsb sy; isb"); return "TLBI ALLE2";
    case SYS(1, 4, 8, 7, 6): /* VMALLS12E1 */
    case SYS(1, 4, 8, 3, 6): /* VMALLS12E1IS */
    case SYS(1, 4, 8, 7, 4): /* ALLE1 */
    case SYS(1, 4, 8, 3, 4): /* ALLE1IS */ shadow_drop(); return "TLBI of its guests: the shadow goes";
    default: return NULL;
    }
}

static void l1_system(void)
{
    u32 which = vcpu.esr & SYS_MASK, rt = BITS(vcpu.esr, 9, 5);
    bool read = vcpu.esr & 1;
    u64 value = rt == 31 ? 0 : vcpu.x[rt];
    const char *class = read ? "register read" : "register write", *cause = lent(which, read, &value);
    for (u32 n = 0; !cause && n < sizeof kept / sizeof kept[0]; n++) {
        if (kept[n].which != which)
            continue;
        cause = kept[n].name;
        if (read) {
            value = *kept[n].value;
        } else {
            *kept[n].value = value;
            vel2.sp = READ(sp_el1);
            vel2.esr = READ(esr_el1);
            vel2.far = READ(far_el1);
            l1_load();
        }
    }
    if (!cause) {
        class = "TLBI";
        cause = maintenance(which);
    }
    if (!cause) {
        print("L0: ESR %x at %x\n", vcpu.esr, vcpu.pc);
        nest_end(false, "L1 used a register that L0 does not know");
    }
    stat_count(&guests[L1], class, cause, 0);
    if (read && rt != 31)
        vcpu.x[rt] = value;
    vcpu.pc += 4;
}

void l1_exit(u64 reason)
{
    u64 ec = BITS(vcpu.esr, 31, 26);
    if (reason != EXIT_SYNC)
        nest_end(false, "an interrupt came to L0 while L1 ran");
    l1_timer();
    switch (ec) {
    case 0x18: l1_system(); break;
    case 0x1a: l1_eret(); break;
    case 0x17: /* PSCI: the one call that L1 makes */
        stat_count(&guests[L1], "SMC", "PSCI, function", (u32)vcpu.x[0]);
        nest_end((u32)vcpu.x[0] == 0x84000008 && entries && entries == exits, "L1 turned its machine off");
    default:
        print("L0: ESR %x FAR %x HPFAR %x at %x\n", vcpu.esr, vcpu.far, vcpu.hpfar, vcpu.pc);
        nest_end(false, "L1 did what no hypervisor should");
    }
}
