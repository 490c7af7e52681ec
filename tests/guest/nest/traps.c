/* What L1 does that only EL2 can: each of these is trapped (HCR_EL2.NV), is done here, and L1 goes on after it. What
 * the hardware does by itself with NV2 never comes here: HCR_EL2, VTTBR_EL2, the list registers, L2's registers of EL1
 * are memory (VNCR_EL2); ELR_EL2, SPSR_EL2, ESR_EL2, FAR_EL2 are EL1's. */
#include "nest.h"

#define SYS(op0, op1, crn, crm, op2) (op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1)
#define SYS_MASK 0x3ffc1eul

/* Registers that are only kept: what they say takes effect when L1 or L2 runs next (world.c). */
static const struct kept {
    u32 which;
    const char *name;
    u64 *value;
} kept[] = {
    { SYS(3, 4, 1, 0, 0), "SCTLR_EL2", &vel2.sctlr },
    { SYS(3, 4, 2, 0, 2), "TCR_EL2", &vel2.tcr },
    { SYS(3, 4, 2, 0, 0), "TTBR0_EL2", &vel2.ttbr0 },
    { SYS(3, 4, 10, 2, 0), "MAIR_EL2", &vel2.mair },
    { SYS(3, 4, 12, 0, 0), "VBAR_EL2", &vel2.vbar },
    { SYS(3, 4, 1, 1, 2), "CPTR_EL2", &vel2.cptr },
    { SYS(3, 4, 14, 1, 0), "CNTHCTL_EL2", &vel2.cnthctl },
    { SYS(3, 4, 1, 1, 1), "MDCR_EL2", &vel2.mdcr },
    { SYS(3, 4, 6, 0, 4), "HPFAR_EL2", &vel2.hpfar },
    { SYS(3, 4, 1, 1, 7), "HACR_EL2", &vel2.hacr },
    { SYS(3, 4, 1, 0, 1), "ACTLR_EL2", &vel2.actlr },
    { SYS(3, 4, 5, 1, 0), "AFSR0_EL2", &vel2.afsr0 },
    { SYS(3, 4, 5, 1, 1), "AFSR1_EL2", &vel2.afsr1 },
    { SYS(3, 4, 10, 3, 0), "AMAIR_EL2", &vel2.amair },
    { SYS(3, 5, 14, 1, 0), "CNTKCTL_EL12", &vel2.cntkctl_el12 },
};

/* Registers of EL2 that are L1's for good: L0 has no timer and takes no interrupt. */
#define LENT(X)                                                                                             \
    X(SYS(3, 4, 14, 2, 0), cnthp_tval_el2, "CNTHP_TVAL_EL2")                                                \
    X(SYS(3, 4, 14, 2, 1), cnthp_ctl_el2, "CNTHP_CTL_EL2")                                                  \
    X(SYS(3, 4, 14, 2, 2), cnthp_cval_el2, "CNTHP_CVAL_EL2")                                                \
    X(SYS(3, 4, 12, 9, 5), s3_4_c12_c9_5, "ICC_SRE_EL2")

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

/* With VHE, registers of EL2 that L1 has as those of EL1 now, and the timer that it reaches by another name. */
#define SAME(X)                                                                                             \
    X(SYS(3, 4, 1, 0, 0), sctlr_el1, "SCTLR_EL2") X(SYS(3, 4, 2, 0, 2), tcr_el1, "TCR_EL2")                 \
    X(SYS(3, 4, 2, 0, 0), ttbr0_el1, "TTBR0_EL2") X(SYS(3, 4, 2, 0, 1), ttbr1_el1, "TTBR1_EL2")             \
    X(SYS(3, 4, 10, 2, 0), mair_el1, "MAIR_EL2") X(SYS(3, 4, 12, 0, 0), vbar_el1, "VBAR_EL2")               \
    X(SYS(3, 4, 1, 1, 2), cpacr_el1, "CPTR_EL2") X(SYS(3, 4, 13, 0, 1), contextidr_el1, "CONTEXTIDR_EL2")   \
    X(SYS(3, 3, 14, 2, 0), cnthp_tval_el2, "CNTP_TVAL_EL0, which is CNTHP_TVAL_EL2")                        \
    X(SYS(3, 3, 14, 2, 1), cnthp_ctl_el2, "CNTP_CTL_EL0, which is CNTHP_CTL_EL2")                           \
    X(SYS(3, 3, 14, 2, 2), cnthp_cval_el2, "CNTP_CVAL_EL0, which is CNTHP_CVAL_EL2")

static const char *same(u32 which, bool read, u64 *value)
{
    switch (vhe ? which : 0) {
        SAME(CASE)
    default: return NULL;
    }
}

/* List registers that are free, and those that are free and want their end of interrupt heard of. */
static u64 free_list_registers(bool ended)
{
    u64 set = 0;
    for (u32 n = 0; n < 4; n++) {
        u64 lr = VNCR(VNCR_ICH_LR0 + 8 * n);
        bool eoi = (lr >> 61 & 1) == 0 && (lr >> 41 & 1);
        set |= lr >> 62 == 0 && eoi == ended ? BIT(n) : 0;
    }
    return set;
}

/* What can only be read of the virtual interface. */
static const char *interface_read(u32 which, u64 *value)
{
    switch (which) {
    case SYS(3, 4, 12, 11, 1): *value = READ(s3_4_c12_c11_1); return "ICH_VTR_EL2";
    case SYS(3, 4, 12, 11, 2): *value = vel2.misr; return "ICH_MISR_EL2";
    case SYS(3, 4, 12, 11, 3): *value = free_list_registers(true); return "ICH_EISR_EL2";
    case SYS(3, 4, 12, 11, 5): *value = free_list_registers(false); return "ICH_ELRSR_EL2";
    default: return NULL;
    }
}

/* TLB maintenance of EL2, of L1's own translations, which are EL1's, or of its guests'; address translation. */
static const char *operation(u32 which, u64 value)
{
    u32 op1 = which >> 14 & 7, crn = which >> 10 & 15, crm = which >> 1 & 15, op2 = which >> 17 & 7;
    if (which >> 20 != 1)
        return NULL;
    if (crn == 7 && crm == 8 && op1 == 4 && op2 < 2) {
        if (op2)
            asm volatile("at s1e1w, %0; isb" : : "r"(value));
        else
            asm volatile("at s1e1r, %0; isb" : : "r"(value));
        return "AT of its own";
    }
    if (crn == 7 && crm == 8 && VNCR(VNCR_HCR) & HCR_TGE)
        return NULL; /* of its own, by names of EL1: nobody does */
    if (crn == 7 && crm == 8) {
        l1_at(0x780 | op2, value);
        return "AT of L2's addresses";
    }
    if (crn == 8 && op1 == 0 && VNCR(VNCR_HCR) & HCR_TGE) { /* HCR_EL2.TTLB: whose EL1 it is depends on TGE */
        asm volatile("dsb sy; tlbi vmalle1is; dsb sy; isb");
        return "TLBI of its own, by a name of EL1 (HCR_EL2.TTLB)";
    }
    if (crn == 8 && op1 == 0) {
        asm volatile("dsb sy; tlbi alle1is; dsb sy; isb");
        return "TLBI of a guest's stage 1 (HCR_EL2.TTLB)";
    }
    if (crn != 8 || op1 != 4)
        return NULL;
    bool guests_too = crm == 0 || crm == 4 || op2 == 4 || op2 == 6; /* IPAS2*, ALLE1*, VMALLS12E1* */
    if (guests_too) {
        shadow_drop();
        return "TLBI of its guests: the shadow goes";
    }
    asm volatile("dsb sy; tlbi vmalle1; dsb sy; isb");
    return "TLBI of its own";
}

static const char *keep(u32 which, bool read, u64 *value)
{
    for (u32 n = 0; n < sizeof kept / sizeof kept[0]; n++) {
        if (kept[n].which != which)
            continue;
        if (read) {
            *value = *kept[n].value;
            return kept[n].name;
        }
        *kept[n].value = *value;
        if (vhe)
            return kept[n].name;
        vel2.sp = READ(sp_el1);
        vel2.esr = READ(esr_el1);
        vel2.far = READ(far_el1);
        l1_load();
        return kept[n].name;
    }
    return NULL;
}

static void l1_system(void)
{
    u32 which = vcpu.esr & SYS_MASK, rt = BITS(vcpu.esr, 9, 5);
    bool read = vcpu.esr & 1;
    u64 value = rt == 31 ? 0 : vcpu.x[rt];
    const char *class = read ? "register read" : "register write", *cause = lent(which, read, &value);
    if (!cause)
        cause = same(which, read, &value);
    if (!cause)
        cause = keep(which, read, &value);
    if (!cause && read)
        cause = interface_read(which, &value);
    if (!cause) {
        class = "instruction";
        cause = operation(which, value);
    }
    if (!cause) {
        print("L0: ESR 0x%x at 0x%x\n", vcpu.esr, vcpu.pc);
        nest_end(false, "L1 used a register that L0 does not know");
    }
    stat_count(&guests[L1], class, cause, 0);
    if (read && rt != 31)
        vcpu.x[rt] = value;
    vcpu.pc += 4;
}

/* The firmware is there for all. Its last call is ours. */
void firmware_call(const struct guest *g)
{
    stat_count(g, "SMC", "PSCI, function", (u32)vcpu.x[0]);
    if ((u32)vcpu.x[0] == 0x84000008)
        nest_end(entries && entries - exits <= 1, "the machine is turned off");
    register u64 x0 asm("x0") = vcpu.x[0]; /* after the last call of a function, which would use these */
    register u64 x1 asm("x1") = vcpu.x[1];
    register u64 x2 asm("x2") = vcpu.x[2];
    register u64 x3 asm("x3") = vcpu.x[3];
    asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    vcpu.x[0] = x0;
    vcpu.x[1] = x1;
    vcpu.x[2] = x2;
    vcpu.x[3] = x3;
    vcpu.pc += 4;
}

void l1_exit(u64 reason)
{
    u64 ec = BITS(vcpu.esr, 31, 26);
    if (reason != EXIT_SYNC)
        nest_end(false, "an interrupt came to L0 while L1 ran");
    if (l1_became_host())
        return;
    l1_timers();
    switch (ec) {
    case 0x18: l1_system(); break;
    case 0x1a: l1_eret(); break;
    case 0x17: firmware_call(&guests[L1]); break;
    default:
        print("L0: ESR 0x%x FAR 0x%x HPFAR 0x%x at 0x%x\n", vcpu.esr, vcpu.far, vcpu.hpfar, vcpu.pc);
        nest_end(false, "L1 did what no hypervisor should");
    }
}
