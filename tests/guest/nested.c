/* Nested virtualization: EL1 under HCR_EL2.{NV,NV1,NV2,AT} (FEAT_NV, FEAT_NV2): what it reads of itself, what is
 * trapped, what VNCR_EL2's page takes, faults on that page, EL1's tables under {NV,NV1}. Arm ARM D8.11; D19.2 HCR_EL2,
 * VNCR_EL2, ESR_ELx (EC 0x18, 0x1a, 0x25 and ISS.VNCR); offsets: D8.11's table. */
#include "rt.h"

#define HCR_TSC BIT(19)
#define HCR_RW  BIT(31)
#define HCR_API BIT(41)
#define NV      BIT(42)
#define NV1     BIT(43)
#define AT      BIT(44)
#define NV2     BIT(45)
#define VNCR    s3_4_c2_c2_0
#define EC_ERET 0x1a

enum { EL1H = 5, EL2H = 9 };
#define SYSREG(op0, op1, crn, crm, op2) ((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define MRS(reg)  (0xd5200000u | (reg))  /* into x0 */
#define MSR(reg)  (0xd5000000u | (reg))
#define ERET      0xd69f03e0u
#define ERETAA    0xd69f0bffu
#define ERETAB    0xd69f0fffu
#define SVC       0xd4000001u
#define MARK      0x0123456789abcdeful

static u64 page[512] __attribute__((aligned(4096)));
static u32 code[2] __attribute__((aligned(64)));

/* EL1 hands its exceptions to EL2 as they are. */
extern u8 el1_vectors[];
asm(".balign 2048\n.global el1_vectors\nel1_vectors:\n.rept 16\n.balign 128\nhvc #0x55\n.endr\n");

static void hcr(u64 bits)
{
    WRITE(hcr_el2, HCR_RW | bits);
    ISB();
}

/* "prefix name suffix", until the next one. */
static const char *joined(const char *prefix, const char *name, const char *suffix)
{
    static char text[80];
    const char *parts[] = { prefix, name, suffix };
    u32 n = 0;
    for (u32 k = 0; k < COUNT(parts); k++)
        for (const char *c = parts[k]; *c && n < sizeof text - 1; c++)
            text[n++] = *c;
    text[n] = 0;
    return text;
}

/* Executes a word at EL1 with x0; returns x0. What comes to EL2 is in EXC, what comes to EL1 in ESR_EL1 and so on. */
static u64 at_el(u32 el, u32 word, u64 x0)
{
    code[0] = word;
    code[1] = 0xd65f03c0; /* ret */
    asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
    WRITE(esr_el1, MARK & 0xffffff);
    return try_el(el, (u64(*)(u64, u64))code, x0, 0);
}
static u64 at_el1(u32 word, u64 x0) { return at_el(1, word, x0); }

static u64 iss_of(u32 word)
{
    return (word >> 19 & 3) << 20 | (word >> 5 & 7) << 17 | (word >> 16 & 7) << 14 | (word >> 12 & 15) << 10 |
           (word >> 8 & 15) << 1 | (word >> 21 & 1);
}

static void trapped(const char *what, u32 word)
{
    at_el1(word, 0);
    check_exc(what, 2, EC_SYSREG, iss_of(word));
}

static void undefined(const char *what, u32 word)
{
    at_el1(word, 0);
    check(EXC.count == 0 && READ(esr_el1) == BIT(25), what);
}

static bool executes(u32 word)
{
    at_el1(word, 0);
    return EXC.count == 0 && READ(esr_el1) == (MARK & 0xffffff);
}

/* ---- FEAT_NV ---- */

static const struct {
    const char *name;
    u32 reg;
} el2_registers[] = {
    { "SCTLR_EL2", SYSREG(3, 4, 1, 0, 0) },    { "VBAR_EL2", SYSREG(3, 4, 12, 0, 0) },
    { "VTTBR_EL2", SYSREG(3, 4, 2, 1, 0) },    { "ESR_EL2", SYSREG(3, 4, 5, 2, 0) },
    { "ELR_EL2", SYSREG(3, 4, 4, 0, 1) },      { "SPSR_EL2", SYSREG(3, 4, 4, 0, 0) },
    { "SP_EL1", SYSREG(3, 4, 4, 1, 0) },       { "SPSR_irq", SYSREG(3, 4, 4, 3, 0) },
    { "CNTHCTL_EL2", SYSREG(3, 4, 14, 1, 0) }, { "ICH_LR0_EL2", SYSREG(3, 4, 12, 12, 0) },
    { "HCR_EL2", SYSREG(3, 4, 1, 1, 0) },      { "SCTLR_EL12", SYSREG(3, 5, 1, 0, 0) },
    { "ELR_EL12", SYSREG(3, 5, 4, 0, 1) },     { "CNTP_CTL_EL02", SYSREG(3, 5, 14, 2, 1) },
};

static void sysreg_traps(void)
{
    hcr(0);
    undefined("NV 0: MRS HCR_EL2 is UNDEFINED", MRS(SYSREG(3, 4, 1, 1, 0)));
    undefined("NV 0: MRS SCTLR_EL12 is UNDEFINED", MRS(SYSREG(3, 5, 1, 0, 0)));
    hcr(NV);
    for (u32 n = 0; n < COUNT(el2_registers); n++) {
        trapped(joined("NV: MRS ", el2_registers[n].name, ""), MRS(el2_registers[n].reg));
        trapped(joined("NV: MSR ", el2_registers[n].name, ""), MSR(el2_registers[n].reg));
    }
    undefined("NV: SP_EL2 is UNDEFINED", MRS(SYSREG(3, 6, 4, 1, 0)));
    undefined("NV: VBAR_EL3 is UNDEFINED", MRS(SYSREG(3, 6, 12, 0, 0)));
    undefined("NV: MSR ICH_VTR_EL2, which can only be read, is UNDEFINED", MSR(SYSREG(3, 4, 12, 11, 1)));
    undefined("NV: S3_4_C3_C9_1, which is no register, is UNDEFINED", MRS(SYSREG(3, 4, 3, 9, 1)));
    trapped("NV: TLBI ALLE1", MSR(SYSREG(1, 4, 8, 7, 4)));
    trapped("NV: TLBI VAE2IS", MSR(SYSREG(1, 4, 8, 3, 1)));
    trapped("NV: TLBI IPAS2E1", MSR(SYSREG(1, 4, 8, 4, 1)));
    trapped("NV: AT S1E2R", MSR(SYSREG(1, 4, 7, 8, 0)));
    trapped("NV: AT S1E2A", MSR(SYSREG(1, 4, 7, 9, 2)));
    trapped("NV: AT S12E1W", MSR(SYSREG(1, 4, 7, 8, 5)));
    undefined("NV: TLBI ALLE3 is UNDEFINED", MSR(SYSREG(1, 6, 8, 7, 0)));
    check(executes(MSR(SYSREG(1, 0, 8, 7, 0))), "NV: TLBI VMALLE1 is EL1's own");
    check(executes(MSR(SYSREG(1, 0, 7, 8, 0))), "AT 0: AT S1E1R is EL1's own");
    hcr(AT);
    trapped("AT: AT S1E1R", MSR(SYSREG(1, 0, 7, 8, 0)));
    trapped("AT: AT S1E0W", MSR(SYSREG(1, 0, 7, 8, 3)));
    trapped("AT: AT S1E1A", MSR(SYSREG(1, 0, 7, 9, 2)));
    trapped("AT: AT S1E1WP", MSR(SYSREG(1, 0, 7, 9, 1)));
}

static void nv1_traps(void)
{
    static const u32 reg[] = { SYSREG(3, 0, 12, 0, 0), SYSREG(3, 0, 4, 0, 1), SYSREG(3, 0, 4, 0, 0) };
    hcr(NV | NV1);
    trapped("NV1: MRS VBAR_EL1", MRS(reg[0]));
    trapped("NV1: MSR ELR_EL1", MSR(reg[1]));
    trapped("NV1: MRS SPSR_EL1", MRS(reg[2]));
    check(executes(MRS(SYSREG(3, 0, 1, 0, 0))), "NV1: SCTLR_EL1 does not");
    hcr(NV | NV1 | BIT(53)); /* EnSCXT */
    trapped("NV1: MRS SCXTNUM_EL1", MRS(SYSREG(3, 0, 13, 0, 7)));
    hcr(NV);
    check(executes(MRS(reg[0])) && executes(MRS(reg[1])) && executes(MRS(reg[2])), "NV1 0: none of them");
    hcr(NV1 | NV2);
    check(executes(MRS(reg[0])) && executes(MRS(reg[1])) && executes(MRS(reg[2])), "NV 0: none of them (a choice)");
    undefined("NV 0, NV2 1: MRS VTTBR_EL2 is UNDEFINED", MRS(SYSREG(3, 4, 2, 1, 0)));
}

static void returns(void)
{
    hcr(NV);
    at_el1(ERET, 0);
    check_exc("NV: ERET", 2, EC_ERET, 0);
    at_el1(ERETAA, 0);
    check_exc("NV: ERETAA, before HCR_EL2.API", 2, EC_ERET, 2);
    hcr(NV | HCR_API);
    at_el1(ERETAB, 0);
    check_exc("NV: ERETAB", 2, EC_ERET, 3);
    hcr(NV | HCR_TSC);
    at_el1(0xd4000243, 0);
    check_exc("NV and TSC: SMC", 2, EC_SMC, 0x12);
}

static void identity(void)
{
    const u32 current_el_word = MRS(SYSREG(3, 0, 4, 2, 2));
    hcr(0);
    check_eq("CurrentEL at EL1", at_el1(current_el_word, 0), 4);
    hcr(NV);
    check_eq("CurrentEL at EL1 with NV: EL2", at_el1(current_el_word, 0), 8);
    static const struct {
        const char *what;
        u64 bits;
        u32 mode;
    } rows[] = {
        { "SPSR_EL1.M of an exception from EL1: NV 0", 0, EL1H },
        { "  {NV,NV1} 10: EL2", NV, EL2H },
        { "  {NV,NV1} 11: EL1", NV | NV1, EL1H },
        { "  {NV,NV1,NV2} 101: EL2", NV | NV2, EL2H },
        { "  {NV,NV1,NV2} 111: EL2", NV | NV1 | NV2, EL2H },
        { "  {NV,NV1,NV2} 011: EL1", NV1 | NV2, EL1H },
    };
    for (u32 n = 0; n < COUNT(rows); n++) {
        hcr(rows[n].bits);
        at_el1(SVC, 0);
        check_eq(rows[n].what, READ(spsr_el1) & 0xf, rows[n].mode);
    }
    hcr(NV);
    at_el1(ERET, 0);
    check_eq("SPSR_EL2.M of what traps to EL2 is EL1's", EXC.spsr & 0xf, EL1H);
}

/* ---- FEAT_NV2 ---- */

enum { ALWAYS, EL1_NAME, EL12_NAME }; /* the last two with NV1 1 and 0 */
struct redirected {
    const char *name;
    u32 offset, reg, when;
};
#define PAIR(offset, name, op0, op1, crn, crm, op2)                                                                    \
    { name "EL1", offset, SYSREG(op0, op1, crn, crm, op2), EL1_NAME },                                                 \
    { name "EL12", offset, SYSREG(op0, 5, crn, crm, op2), EL12_NAME }
static const struct redirected redirected[] = {
    { "VTTBR_EL2", 0x020, SYSREG(3, 4, 2, 1, 0), ALWAYS },    { "VTCR_EL2", 0x040, SYSREG(3, 4, 2, 1, 2), ALWAYS },
    { "VMPIDR_EL2", 0x050, SYSREG(3, 4, 0, 0, 5), ALWAYS },   { "CNTVOFF_EL2", 0x060, SYSREG(3, 4, 14, 0, 3), ALWAYS },
    { "HCR_EL2", 0x078, SYSREG(3, 4, 1, 1, 0), ALWAYS },      { "HSTR_EL2", 0x080, SYSREG(3, 4, 1, 1, 3), ALWAYS },
    { "VPIDR_EL2", 0x088, SYSREG(3, 4, 0, 0, 0), ALWAYS },    { "TPIDR_EL2", 0x090, SYSREG(3, 4, 13, 0, 2), ALWAYS },
    { "HCRX_EL2", 0x0a0, SYSREG(3, 4, 1, 2, 2), ALWAYS },     { "VNCR_EL2", 0x0b0, SYSREG(3, 4, 2, 2, 0), ALWAYS },
    { "ACTLR_EL1", 0x118, SYSREG(3, 0, 1, 0, 1), ALWAYS },    { "MDSCR_EL1", 0x158, SYSREG(2, 0, 0, 2, 2), ALWAYS },
    { "HFGRTR_EL2", 0x1b8, SYSREG(3, 4, 1, 1, 4), ALWAYS },   { "HFGWTR_EL2", 0x1c0, SYSREG(3, 4, 1, 1, 5), ALWAYS },
    { "HFGITR_EL2", 0x1c8, SYSREG(3, 4, 1, 1, 6), ALWAYS },   { "HDFGRTR_EL2", 0x1d0, SYSREG(3, 4, 3, 1, 4), ALWAYS },
    { "HDFGWTR_EL2", 0x1d8, SYSREG(3, 4, 3, 1, 5), ALWAYS },
    { "VDISR_EL2", 0x500, SYSREG(3, 4, 12, 1, 1), ALWAYS },   { "VSESR_EL2", 0x508, SYSREG(3, 4, 5, 2, 3), ALWAYS },
    { "S2PIR_EL2", 0x2b0, SYSREG(3, 4, 10, 2, 5), ALWAYS },   PAIR(0x290, "PIRE0_", 3, 0, 10, 2, 2),
    PAIR(0x2a0, "PIR_", 3, 0, 10, 2, 3),                      PAIR(0x2a8, "POR_", 3, 0, 10, 2, 4),
    PAIR(0x270, "TCR2_", 3, 0, 2, 0, 3),                      PAIR(0x278, "SCTLR2_", 3, 0, 1, 0, 3),
    PAIR(0x188, "SCXTNUM_", 3, 0, 13, 0, 7),                  PAIR(0x880, "TRFCR_", 3, 0, 1, 2, 1),
    { "CNTPOFF_EL2", 0x1a8, SYSREG(3, 4, 14, 0, 6), ALWAYS },
    { "SP_EL1", 0x240, SYSREG(3, 4, 4, 1, 0), ALWAYS },       { "ICH_LR0_EL2", 0x400, SYSREG(3, 4, 12, 12, 0), ALWAYS },
    { "ICH_LR3_EL2", 0x418, SYSREG(3, 4, 12, 12, 3), ALWAYS }, { "ICH_AP0R0_EL2", 0x480, SYSREG(3, 4, 12, 8, 0), ALWAYS },
    { "ICH_AP1R0_EL2", 0x4a0, SYSREG(3, 4, 12, 9, 0), ALWAYS }, { "ICH_HCR_EL2", 0x4c0, SYSREG(3, 4, 12, 11, 0), ALWAYS },
    { "ICH_VMCR_EL2", 0x4c8, SYSREG(3, 4, 12, 11, 7), ALWAYS },
    PAIR(0x100, "CPACR_", 3, 0, 1, 0, 2),  PAIR(0x108, "CONTEXTIDR_", 3, 0, 13, 0, 1), PAIR(0x110, "SCTLR_", 3, 0, 1, 0, 0),
    PAIR(0x120, "TCR_", 3, 0, 2, 0, 2),    PAIR(0x128, "AFSR0_", 3, 0, 5, 1, 0),       PAIR(0x130, "AFSR1_", 3, 0, 5, 1, 1),
    PAIR(0x138, "ESR_", 3, 0, 5, 2, 0),    PAIR(0x140, "MAIR_", 3, 0, 10, 2, 0),       PAIR(0x148, "AMAIR_", 3, 0, 10, 3, 0),
    PAIR(0x160, "SPSR_", 3, 0, 4, 0, 0),   PAIR(0x168, "CNTV_CVAL_", 3, 3, 14, 3, 2),  PAIR(0x170, "CNTV_CTL_", 3, 3, 14, 3, 1),
    PAIR(0x178, "CNTP_CVAL_", 3, 3, 14, 2, 2), PAIR(0x180, "CNTP_CTL_", 3, 3, 14, 2, 1), PAIR(0x190, "TFSR_", 3, 0, 5, 6, 0),
    PAIR(0x200, "TTBR0_", 3, 0, 2, 0, 0),  PAIR(0x210, "TTBR1_", 3, 0, 2, 0, 1),       PAIR(0x220, "FAR_", 3, 0, 6, 0, 0),
    PAIR(0x230, "ELR_", 3, 0, 4, 0, 1),    PAIR(0x250, "VBAR_", 3, 0, 12, 0, 0),
};

/* One register by one setting: MSR writes that doubleword and no other, MRS reads it. */
static void redirect_one(const struct redirected *r, u64 nv1)
{
    u64 others = 0, got;
    for (u32 n = 0; n < 512; n++)
        page[n] = 0;
    hcr(NV | NV2 | nv1 | BIT(56) | BIT(53)); /* ATA, EnSCXT */
    at_el1(MSR(r->reg), MARK);
    bool wrote = EXC.count == 0;
    for (u32 n = 0; n < 512; n++)
        others |= n == r->offset / 8 ? 0 : page[n];
    page[r->offset / 8] ^= BIT(40);
    got = at_el1(MRS(r->reg), 0);
    check(wrote && !others && EXC.count == 0 && got == (MARK ^ BIT(40)),
          joined(nv1 ? "NV2, NV1 1: " : "NV2, NV1 0: ", r->name, " is its doubleword in VNCR_EL2's page"));
    hcr(0);
}

static void redirections(void)
{
    WRITE(VNCR, page);
    WRITE(s3_4_c1_c1_4, 7ul << 57 | BIT(60)); /* HFGRTR_EL2, HFGWTR_EL2: nPIRE0_EL1, nPIR_EL1, nPOR_EL0, nPOR_EL1 */
    WRITE(s3_4_c1_c1_5, 7ul << 57 | BIT(60));
    WRITE(s3_4_c1_c2_2, BIT(14) | BIT(15)); /* HCRX_EL2.{TCR2En,SCTLR2En} */
    ISB();
    u64 vttbr = READ(vttbr_el2), sctlr = READ(sctlr_el1);
    for (u32 n = 0; n < COUNT(redirected); n++) {
        if (redirected[n].when != EL1_NAME)
            redirect_one(&redirected[n], 0);
        if (redirected[n].when != EL12_NAME)
            redirect_one(&redirected[n], NV1);
    }
    check(READ(vttbr_el2) == vttbr && READ(sctlr_el1) == sctlr, "  the registers are as they were");
    WRITE(s3_4_c1_c1_4, 0);
    WRITE(s3_4_c1_c1_5, 0);
    WRITE(s3_4_c1_c2_2, 0);
    hcr(NV | NV2);
    check(at_el1(MRS(SYSREG(3, 0, 1, 0, 0)), 0) == sctlr && EXC.count == 0, "NV1 0: SCTLR_EL1 is the register");
    trapped("NV2: SCTLR_EL2 still traps", MRS(SYSREG(3, 4, 1, 0, 0)));
    trapped("NV2: CNTHCTL_EL2 still traps", MSR(SYSREG(3, 4, 14, 1, 0)));
    trapped("NV2: ICH_VTR_EL2 still traps", MRS(SYSREG(3, 4, 12, 11, 1)));
    trapped("NV2: CNTP_TVAL_EL02 still traps", MRS(SYSREG(3, 5, 14, 2, 0)));
    trapped("NV2: TLBI ALLE1 still traps", MSR(SYSREG(1, 4, 8, 7, 4)));
    at_el1(ERET, 0);
    check_exc("NV2: ERET still traps", 2, EC_ERET, 0);
    hcr(NV | NV1 | NV2);
    trapped("NV2, NV1 1: SCTLR_EL12 traps", MRS(SYSREG(3, 5, 1, 0, 0)));
    hcr(NV | NV1 | NV2 | BIT(26));
    trapped("NV2, NV1 1: HCR_EL2.TVM comes first: MSR SCTLR_EL1", MSR(SYSREG(3, 0, 1, 0, 0)));
    WRITE(cnthctl_el2, 3 | BIT(15) | BIT(16)); /* EL1NVPCT, EL1NVVCT (FEAT_ECV) */
    hcr(NV | NV2);
    trapped("CNTHCTL_EL2.EL1NVPCT before the page: MSR CNTP_CVAL_EL02", MSR(SYSREG(3, 5, 14, 2, 2)));
    trapped("CNTHCTL_EL2.EL1NVVCT before the page: MRS CNTV_CTL_EL02", MRS(SYSREG(3, 5, 14, 3, 1)));
    WRITE(cnthctl_el2, 3);
    hcr(NV | NV1 | NV2);
    WRITE(cntkctl_el1, 3 << 8);
    page[0x168 / 8] = MARK;
    WRITE(cntv_cval_el0, 0x77);
    ISB();
    check_eq("NV2, NV1 1: EL0's CNTV_CVAL_EL0 is the register", at_el(0, MRS(SYSREG(3, 3, 14, 3, 2)), 0), 0x77);
    WRITE(cntkctl_el1, 0);
    hcr(0);
}

/* Fine-grained traps come before the page, and have registers there themselves (FEAT_FGT: D19.2 HFGRTR_EL2,
 * HFGITR_EL2). */
static void fine_grained(void)
{
    const u32 sctlr = SYSREG(3, 0, 1, 0, 0), vbar = SYSREG(3, 0, 12, 0, 0);
    if (!BITS(READ(id_aa64mmfr0_el1), 59, 56)) {
        skip("FEAT_FGT and VNCR_EL2's page", "no FEAT_FGT");
        return;
    }
    WRITE(s3_4_c1_c1_4, BIT(29) | BIT(38)); /* HFGRTR_EL2: SCTLR_EL1, VBAR_EL1 */
    WRITE(s3_4_c1_c1_6, BIT(51));           /* HFGITR_EL2.ERET */
    hcr(NV | NV1 | NV2);
    trapped("HFGRTR_EL2.SCTLR_EL1 before the page", MRS(sctlr));
    at_el1(MSR(sctlr), MARK);
    check(EXC.count == 0 && page[0x110 / 8] == MARK, "  which MSR is not in the way of");
    trapped("HFGRTR_EL2.VBAR_EL1", MRS(vbar));
    hcr(0);
    at_el1(ERET, 0);
    check_exc("HFGITR_EL2.ERET without NV", 2, EC_ERET, 0);
    WRITE(s3_4_c1_c1_4, 0);
    WRITE(s3_4_c1_c1_6, 0);
}

/* A watchpoint on the page: as for an access by EL2, so that MDCR_EL2.TDE and MDSCR_EL1.KDE have to be set, and EL2
 * must be watched (D2.9, D19.2 ESR_ELx ISS for a Watchpoint: VNCR). PSTATE.D of EL1 does not mask it. */
static void watched(void)
{
    WRITE(dbgwvr0_el1, &page[0x20 / 8]);
    WRITE(dbgwcr0_el1, 0xfful << 5 | BIT(13) | 3 << 3 | 3 << 1 | 1); /* HMC 1, SSC 00, PAC 11: EL2 too */
    WRITE(oslar_el1, 0);
    WRITE(mdcr_el2, BIT(8)); /* TDE */
    WRITE(mdscr_el1, BIT(15) | BIT(13));
    hcr(NV | NV2);
    at_el1(MSR(SYSREG(3, 4, 2, 1, 0)), 1);
    check_exc("watchpoint on the page: MSR VTTBR_EL2", 2, 0x35, BIT(13) | BIT(6) | 0x22);
    check_eq("  FAR_EL2", EXC.far, (u64)&page[0x20 / 8]);
    at_el1(MSR(SYSREG(3, 4, 2, 1, 2)), 1);
    check_eq("  MSR VTCR_EL2 is not watched", EXC.count, 0);
    hcr(0);
    WRITE(mdscr_el1, 0);
    WRITE(dbgwcr0_el1, 0);
    WRITE(mdcr_el2, 0);
}

/* ESR_EL2, FAR_EL2, ELR_EL2, SPSR_EL2 of a guest hypervisor are the registers that its exceptions use. */
static void el1_registers(void)
{
    hcr(NV | NV2 | NV1);
    at_el1(MSR(SYSREG(3, 4, 6, 0, 0)), 0x123456);
    at_el1(MSR(SYSREG(3, 4, 4, 0, 1)), 0x789abc);
    at_el1(MSR(SYSREG(3, 4, 4, 0, 0)), 0x3c9);
    check(READ(far_el1) == 0x123456 && READ(elr_el1) == 0x789abc && READ(spsr_el1) == 0x3c9,
          "NV2: FAR_EL2, ELR_EL2, SPSR_EL2 are EL1's");
    if (BITS(READ(id_aa64pfr1_el1), 11, 8) > 1) { /* FEAT_MTE2 */
        at_el1(MSR(SYSREG(3, 4, 5, 6, 0)), 1);
        check_exc("NV2: MSR TFSR_EL2 with HCR_EL2.ATA 0", 2, EC_SYSREG, ISS_SYS(3, 4, 5, 6, 0, 0, 0));
        at_el1(MRS(SYSREG(3, 4, 5, 6, 0)), 0);
        check_exc("NV2: MRS TFSR_EL2 with HCR_EL2.ATA 0", 2, EC_SYSREG, ISS_SYS(3, 4, 5, 6, 0, 0, 1));
        hcr(NV | NV2 | NV1 | BIT(56));
        at_el1(MSR(SYSREG(3, 4, 5, 6, 0)), 1);
        check(EXC.count == 0 && READ(s3_0_c5_c6_0) == 1, "NV2: TFSR_EL2 is TFSR_EL1");
        hcr(NV | NV1 | BIT(56));
        at_el1(MRS(SYSREG(3, 0, 5, 6, 0)), 0);
        check_exc("NV, NV1: TFSR_EL1", 2, EC_SYSREG, ISS_SYS(3, 0, 5, 6, 0, 0, 1));
        hcr(NV | NV2 | NV1);
    } else {
        skip("NV2: TFSR_EL2 is TFSR_EL1", "no FEAT_MTE2");
    }
    at_el1(MSR(SYSREG(3, 4, 5, 2, 0)), 0x56000001);
    check_eq("NV2: MSR ESR_EL2 is ESR_EL1", READ(esr_el1), 0x56000001);
    WRITE(far_el1, 0x55aa);
    check_eq("NV2: MRS FAR_EL2 is FAR_EL1", at_el1(MRS(SYSREG(3, 4, 6, 0, 0)), 0), 0x55aa);
    hcr(0);
}

/* ---- the page: faults, byte order ---- */

#define PAGE_VA 0x50000000ul
#define ISS_VNCR BIT(13)
#define ISS_WNR  BIT(6)

static void faults(void)
{
    u64 *root = pt_identity(S1_EL2);
    mmu_on_el2(root);
    WRITE(VNCR, PAGE_VA);
    hcr(NV | NV2);
    at_el1(MRS(SYSREG(3, 4, 2, 1, 0)), 0);
    check_exc("VNCR_EL2's page is not mapped: read", 2, EC_DABT, ISS_VNCR | 0x06);
    check(EXC.far == PAGE_VA + 0x20 && EXC.vector == FROM_LOWER + SYNC, "  FAR_EL2, and the vector for a lower EL");
    at_el1(MSR(SYSREG(3, 4, 13, 0, 2)), 1);
    check_exc("  write", 2, EC_DABT, ISS_VNCR | ISS_WNR | 0x06);
    check_eq("  FAR_EL2", EXC.far, PAGE_VA + 0x90);
    pt_map(root, PAGE_VA, (u64)page, 4096, RAM_ATTR | PT_AP(2) | PT_AP(1));
    tlb_flush();
    page[0x20 / 8] = 0x4711;
    check(at_el1(MRS(SYSREG(3, 4, 2, 1, 0)), 0) == 0x4711 && EXC.count == 0, "read-only: read");
    at_el1(MSR(SYSREG(3, 4, 2, 1, 0)), 5);
    check_exc("read-only: write", 2, EC_DABT, ISS_VNCR | ISS_WNR | 0x0f);
    check_eq("  nothing is written", page[0x20 / 8], 0x4711);
    hcr(0);
    WRITE(sctlr_el2, 0x30c50830);
    ISB();
    WRITE(VNCR, 0x00123000ul | BIT(52) | 0xfff);
    check_eq("VNCR_EL2: RESS is the sign, RES0 below BADDR", READ(VNCR), 0xfff0000000123000ul);
}

/* SCTLR_EL2.EE decides: EL1 stores by MSR while EL2 would be big-endian; back in EL2 that is undone at once. */
void store_big(u64 value);
asm(".balign 2048\nbig_vectors:\n.rept 8\n.balign 128\nb .\n.endr\n.balign 128\n"
    "mrs x1, sctlr_el2\nbic x1, x1, #(1 << 25)\nmsr sctlr_el2, x1\nisb\nmsr vbar_el2, x2\nisb\nmov x30, x3\nret\n"
    ".balign 2048\nstore_big:\nmrs x2, vbar_el2\nmov x3, x30\nadr x1, big_vectors\nmsr vbar_el2, x1\n"
    "adr x1, 1f\nmsr elr_el2, x1\nmov x1, #0x3c5\nmsr spsr_el2, x1\n"
    "mrs x1, sctlr_el2\norr x1, x1, #(1 << 25)\nmsr sctlr_el2, x1\nisb\neret\n"
    "1: msr vttbr_el2, x0\nhvc #0\n");

static void byte_order(void)
{
    WRITE(VNCR, page);
    hcr(NV | NV2);
    store_big(MARK);
    check_eq("SCTLR_EL2.EE: big-endian", page[0x20 / 8], 0xefcdab8967452301ul);
    hcr(0);
}

/* ---- EL1's tables under {NV,NV1} = {1,1}: no EL0, bit 54 is PXN (D8.4, "nested virtualization") ---- */

CODE(do_ldr, "ldr x0, [x0]");
CODE(do_ldtr, "ldtr x0, [x0]");
CODE(do_str, "str xzr, [x0, #8]");
CODE(do_call, "mov x19, x30\nblr x0\nmov x30, x19");
#define DATA 0x50000000ul

/* 0: done; else EC of the exception to EL1. */
static u64 outcome(u64 (*fn)(u64, u64), u64 va)
{
    WRITE(esr_el1, 0);
    try_el(1, fn, va, 0);
    return esr_ec(READ(esr_el1));
}

/* AT S1E1RP at EL2, for EL1 as HCR_EL2 has it: PAR_EL1.F. */
static u64 at_s1e1rp(u64 va)
{
    asm volatile(".inst 0xd500419f\nsys #0, c7, c9, #0, %0\nisb\n.inst 0xd500409f"
                 :
                 : "r"(va)
                 : "memory"); /* MSR PAN */
    return READ(par_el1) & 1;
}

/* Attributes that the level 2 table hands down, in the descriptor at *e. */
static u64 under(u64 *e, u64 attr, u64 (*fn)(u64, u64), u64 va)
{
    *e |= attr;
    tlb_flush();
    u64 result = outcome(fn, va);
    *e &= ~attr;
    tlb_flush();
    return result;
}

static void tables(void)
{
    u64 *root = pt_identity(S1_EL1);
    code[0] = 0xd65f03c0;
    asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" : : "r"(code) : "memory");
    u64 at = (u64)code & 0xfff;
    pt_map(root, DATA, (u64)page, 4096, RAM_ATTR | PT_AP(1));
    pt_map(root, DATA + 0x1000, (u64)page, 4096, RAM_ATTR);
    pt_map(root, DATA + 0x2000, (u64)code & ~0xffful, 4096, RAM_ATTR | PT_PXN | PT_AP(2));
    pt_map(root, DATA + 0x3000, (u64)code & ~0xffful, 4096, RAM_ATTR | PT_XN | PT_AP(2));
    mmu_on_el1(root);
    hcr(0);
    call_pstate |= BIT(22); /* PAN */
    check_eq("NV 0: PAN denies EL0's page", outcome(do_ldr, DATA), EC_DABT);
    check_eq("NV 0: LDTR to EL1's page", outcome(do_ldtr, DATA + 0x1000), EC_DABT);
    check_eq("NV 0: bit 53 is PXN", outcome(do_call, DATA + 0x2000 + at), EC_IABT);
    check_eq("NV 0: bit 54 is UXN", outcome(do_call, DATA + 0x3000 + at), 0);
    u64 *e = pt_entry(root, DATA, 2), plain = DATA + 0x4000 + at;
    pt_map(root, DATA + 0x4000, (u64)code & ~0xffful, 4096, RAM_ATTR | PT_AP(2));
    check_eq("NV 0: table bit 59 is PXNTable", under(e, BIT(59), do_call, plain), EC_IABT);
    check_eq("NV 0: table bit 60 is UXNTable", under(e, BIT(60), do_call, plain), 0);
    check_eq("NV 0: AT S1E1RP of EL0's page with PAN fails", at_s1e1rp(DATA), 1);
    hcr(NV | NV1);
    tlb_flush();
    check_eq("{NV,NV1} 11: no page is EL0's", outcome(do_ldr, DATA), 0);
    check_eq("{NV,NV1} 11: LDTR is LDR", outcome(do_ldtr, DATA + 0x1000), 0);
    check_eq("{NV,NV1} 11: bit 53 is ignored", outcome(do_call, DATA + 0x2000 + at), 0);
    check_eq("{NV,NV1} 11: bit 54 is PXN", outcome(do_call, DATA + 0x3000 + at), EC_IABT);
    check_eq("{NV,NV1} 11: table bit 59 is ignored", under(e, BIT(59), do_call, plain), 0);
    check_eq("{NV,NV1} 11: table bit 60 is PXNTable", under(e, BIT(60), do_call, plain), EC_IABT);
    check_eq("{NV,NV1} 11: table bit 61 is ignored", under(e, BIT(61), do_ldr, DATA + 0x1000), 0);
    check_eq("{NV,NV1} 11: table bit 62 still denies writes", under(e, BIT(62), do_str, DATA + 0x1000), EC_DABT);
    check_eq("{NV,NV1} 11: AT S1E1RP: PAN has no effect", at_s1e1rp(DATA), 0);
    hcr(NV);
    tlb_flush();
    check_eq("{NV,NV1} 10: PAN denies EL0's page", outcome(do_ldr, DATA), EC_DABT);
    check_eq("{NV,NV1} 10: bit 53 is PXN", outcome(do_call, DATA + 0x2000 + at), EC_IABT);
    call_pstate &= ~BIT(22);
    WRITE(sctlr_el1, 0x30d00800);
    hcr(0);
}

void test_main(void)
{
    WRITE(vbar_el1, el1_vectors);
    check_eq("ID_AA64MMFR2_EL1.NV", BITS(READ(id_aa64mmfr2_el1), 27, 24), 2);
    identity();
    sysreg_traps();
    nv1_traps();
    returns();
    redirections();
    fine_grained();
    watched();
    el1_registers();
    byte_order();
    faults();
    tables();
    finish();
}
