/* Traps and registers of Armv8.4 and later, from EL2 with a guest at EL1: fine-grained traps (D19.2 HFGRTR_EL2,
 * HFGWTR_EL2, HFGITR_EL2, HDFGRTR_EL2, HDFGWTR_EL2), HCRX_EL2 (FGTnXS, TALLINT), WFIT and WFET (C6.2) with delayed
 * traps (HCR_EL2.TWEDEn), MDCR_EL2.TDCC, CNTPOFF_EL2 (D11.2), SCXTNUM_ELx, prediction restriction, RNDR, ALLINT.
 * QEMU 7.2 has none of them but RNDR. */
#include "rt.h"

#define HFGRTR  s3_4_c1_c1_4
#define HFGWTR  s3_4_c1_c1_5
#define HFGITR  s3_4_c1_c1_6
#define HDFGRTR s3_4_c3_c1_4
#define HDFGWTR s3_4_c3_c1_5
#define HCRX    s3_4_c1_c2_2
#define CNTPOFF s3_4_c14_c0_6
#define ALLINT  s3_0_c4_c3_0
#define HCR_RW  BIT(31)

CODE(rd_tpidr, "mrs x5, tpidr_el1");
CODE(wr_tpidr, "msr tpidr_el1, x5");
CODE(rd_tpidr_often, "mov x1, #100\n1: mrs x5, tpidr_el1\nsubs x1, x1, #1\nb.ne 1b");
CODE(rd_ctr, "mrs x5, ctr_el0");
CODE(rd_mdscr, "mrs x5, mdscr_el1");
CODE(wr_oslar, "msr oslar_el1, xzr");
CODE(rd_mdccsr, "mrs x5, mdccsr_el0");
CODE(rd_dbgdtr, "mrs x5, dbgdtr_el0");
CODE(wr_dbgdtrtx, "msr dbgdtrtx_el0, x5");
CODE(rd_osdtrrx, "mrs x5, osdtrrx_el1");
CODE(wr_osdtrtx, "msr osdtrtx_el1, x5");
CODE(rd_mdccint, "mrs x5, mdccint_el1");
CODE(do_civac, "dc civac, x0");
CODE(do_cvac, "dc cvac, x0");
CODE(do_ats1e1r, "at s1e1r, x0");
CODE(do_tlbi, "tlbi vae1, x0");
CODE(do_tlbi_nxs, "sys #0, c9, c7, #1, x0");
CODE(do_cfp, "sys #3, c7, c3, #4, x0");
CODE(do_ats1e1a, "sys #0, c7, c9, #2, x0");
CODE(do_cosp, "sys #3, c7, c3, #6, x0");
CODE(do_svc, "svc #0x1234");
CODE(do_eret, "eret");
CODE(do_wfit, ".inst 0xd5031020");
CODE(do_wfet, ".inst 0xd5031000");
CODE(do_wfe_wfe, "wfe\nwfe");
CODE(rd_cntpct, "mrs x0, cntpct_el0");
CODE(rd_cntpctss, "mrs x0, s3_3_c14_c0_5");
CODE(counter_of_el1, "mrs x5, cntvct_el0");
CODE(rd_scxtnum, "mrs x5, s3_0_c13_c0_7");
CODE(allint_1, ".inst 0xd501411f");
CODE(allint_0, ".inst 0xd501401f");

/* Not trapped, trapped while the bit is 1, not trapped after. */
#define TRAPPED(what, reg, n, fn, ec, iss) do {     \
        u64 old_ = READ(reg);                       \
        try_el(1, fn, 0x40000000, 0);               \
        check_eq(what ": open", EXC.count, 0);      \
        WRITE(reg, old_ | BIT(n));                  \
        ISB();                                      \
        try_el(1, fn, 0x40000000, 0);               \
        check_exc(what ": trapped", 2, ec, iss);    \
        WRITE(reg, old_);                           \
        ISB();                                      \
        try_el(1, fn, 0x40000000, 0);               \
        check_eq(what ": open again", EXC.count, 0);\
    } while (0)

static void registers(void)
{
    TRAPPED("HFGRTR_EL2.TPIDR_EL1", HFGRTR, 33, rd_tpidr, EC_SYSREG, ISS_SYS(3, 0, 13, 0, 4, 5, 1));
    TRAPPED("HFGWTR_EL2.TPIDR_EL1", HFGWTR, 33, wr_tpidr, EC_SYSREG, ISS_SYS(3, 0, 13, 0, 4, 5, 0));
    TRAPPED("HFGRTR_EL2.CTR_EL0", HFGRTR, 14, rd_ctr, EC_SYSREG, ISS_SYS(3, 3, 0, 0, 1, 5, 1));
    TRAPPED("HDFGRTR_EL2.MDSCR_EL1", HDFGRTR, 4, rd_mdscr, EC_SYSREG, ISS_SYS(2, 0, 0, 2, 2, 5, 1));
    TRAPPED("HDFGWTR_EL2.OSLAR_EL1", HDFGWTR, 8, wr_oslar, EC_SYSREG, ISS_SYS(2, 0, 1, 0, 4, 31, 0));
    WRITE(HFGRTR, BIT(32)); /* another register's bit */
    ISB();
    try_el(1, rd_tpidr_often, 0, 0);
    check_eq("reads beside a trapped register", EXC.count, 0);
    WRITE(HFGRTR, 0);
    WRITE(HFGWTR, ~0ul);
    check_eq("bits of registers that cannot be written are RES0", READ(HFGWTR) & (BIT(2) | BIT(14) | BIT(25)), 0);
    WRITE(HFGWTR, 0);
    exc_expect();
    rd_tpidr(0, 0);
    check_eq("at EL2 nothing is trapped", EXC.count, 0);
    EXC.expected = false;
}

/* The trapped SVC was not executed: its return address is itself. */
static u64 svc_elr;
static bool skip_svc(struct frame *f, u64 vector, u64 el)
{
    (void)vector;
    if (el != 2 || esr_ec(f->esr) != EC_SVC)
        return false;
    exc_record(f, vector, el);
    svc_elr = f->elr;
    f->elr += 4;
    return true;
}

static void instructions(void)
{
    TRAPPED("HFGITR_EL2.DCCIVAC", HFGITR, 10, do_civac, EC_SYSREG, ISS_SYS(1, 3, 7, 14, 1, 0, 0));
    TRAPPED("HFGITR_EL2.ATS1E1R", HFGITR, 12, do_ats1e1r, EC_SYSREG, ISS_SYS(1, 0, 7, 8, 0, 0, 0));
    TRAPPED("HFGITR_EL2.TLBIVAE1", HFGITR, 43, do_tlbi, EC_SYSREG, ISS_SYS(1, 0, 8, 7, 1, 0, 0));
    TRAPPED("HFGITR_EL2.TLBIVAE1, nXS", HFGITR, 43, do_tlbi_nxs, EC_SYSREG, ISS_SYS(1, 0, 9, 7, 1, 0, 0));
    TRAPPED("HFGITR_EL2.CFPRCTX", HFGITR, 48, do_cfp, EC_SYSREG, ISS_SYS(1, 3, 7, 3, 4, 0, 0));
    TRAPPED("HFGITR_EL2.ATS1E1A", HFGITR, 62, do_ats1e1a, EC_SYSREG, ISS_SYS(1, 0, 7, 9, 2, 0, 0));
    TRAPPED("HFGITR_EL2.COSPRCTX", HFGITR, 60, do_cosp, EC_SYSREG, ISS_SYS(1, 3, 7, 3, 6, 0, 0));
    WRITE(HCRX, BIT(4));
    WRITE(HFGITR, BIT(43));
    ISB();
    try_el(1, do_tlbi_nxs, 0, 0);
    check_eq("HCRX_EL2.FGTnXS spares the nXS form", EXC.count, 0);
    try_el(1, do_tlbi, 0, 0);
    check_exc("  and not the other", 2, EC_SYSREG, ISS_SYS(1, 0, 8, 7, 1, 0, 0));
    WRITE(HCRX, 0);
    WRITE(HFGITR, BIT(51));
    ISB();
    try_el(1, do_eret, 0, 0);
    check_exc("HFGITR_EL2.ERET", 2, 0x1a, 0);
    sync_hook = skip_svc;
    WRITE(HFGITR, BIT(53));
    ISB();
    try_el(1, do_svc, 0, 0);
    check_exc("HFGITR_EL2.SVC_EL1", 2, EC_SVC, 0x1234);
    check_eq("  returns to the SVC", svc_elr, (u64)do_svc);
    sync_hook = NULL;
    WRITE(HFGITR, 0);
    ISB();
}

static void waiting(void)
{
    u64 from = counter();
    call_el(1, do_wfit, from + 1000, 0);
    u64 slept = counter() - from;
    check(slept >= 1000 && slept < 2000, "WFIT ends at its time");
    WRITE(hcr_el2, HCR_RW | BIT(13) | BIT(14));
    ISB();
    try_el(1, do_wfit, from, 0);
    check_eq("WFIT until a time that has come is not trapped", EXC.count, 0);
    try_el(1, do_wfit, counter() + 100000, 0);
    check_exc("WFIT trapped: TI 2, RN 0", 2, EC_WFX, ISS_COND | 4 | 2);
    try_el(1, do_wfet, ~0ul, 0); /* the event register is set by the return to EL1 */
    check_eq("WFET with an event is not trapped", EXC.count, 0);
    WRITE(hcr_el2, HCR_RW | BIT(14) | BIT(59) | 6ul << 60);
    ISB();
    from = counter();
    try_el(1, do_wfe_wfe, 0, 0);
    slept = counter() - from;
    check_exc("WFE trapped with TWEDEn", 2, EC_WFX, ISS_COND | 1);
    check(slept >= (1u << 14) / 16, "  after 2^(TWEDEL + 8) cycles"); /* of 1 ns, 16 a tick */
    WRITE(hcr_el2, HCR_RW);
    ISB();
}

static void offset(void)
{
    enum { OFFSET = 200 };
    WRITE(CNTPOFF, OFFSET);
    WRITE(cnthctl_el2, READ(cnthctl_el2) | BIT(12));
    ISB();
    u64 before = READ(cntpct_el0), guest = call_el(1, rd_cntpct, 0, 0), ss = call_el(1, rd_cntpctss, 0, 0),
        after = READ(cntpct_el0);
    check(guest >= before - OFFSET && ss >= guest && ss <= after - OFFSET,
          "CNTPCT_EL0, CNTPCTSS_EL0 less CNTPOFF_EL2 at EL1");
    WRITE(cntp_cval_el0, READ(cntpct_el0) - OFFSET / 2);
    WRITE(cntp_ctl_el0, 3);
    ISB();
    check_eq("the EL1 timer compares with the offset", READ(cntp_ctl_el0) & 4, 0);
    WRITE(cnthctl_el2, READ(cnthctl_el2) & ~BIT(12));
    ISB();
    check_eq("  and without CNTHCTL_EL2.ECV does not", READ(cntp_ctl_el0) & 4, 4);
    WRITE(cntp_ctl_el0, 0);
    TRAPPED("CNTHCTL_EL2.EL1TVCT", cnthctl_el2, 14, counter_of_el1, EC_SYSREG, ISS_SYS(3, 3, 14, 0, 2, 5, 1));
}

static void numbers(void)
{
    u64 one, two, flags;
    asm volatile("msr nzcv, %3\nmrs %0, s3_3_c2_c4_0\nmrs %2, nzcv\nmrs %1, s3_3_c2_c4_1"
                 : "=&r"(one), "=&r"(two), "=&r"(flags)
                 : "r"(0xf0000000ul)
                 : "cc");
    check(one != two, "RNDR and RNDRRS differ");
    check_eq("  NZCV is 0", flags, 0);
    try_el(1, rd_scxtnum, 0, 0);
    check_exc("SCXTNUM_EL1 with HCR_EL2.EnSCXT 0", 2, EC_SYSREG, ISS_SYS(3, 0, 13, 0, 7, 5, 1));
    WRITE(hcr_el2, HCR_RW | BIT(53));
    ISB();
    TRAPPED("HFGRTR_EL2.SCXTNUM_EL1", HFGRTR, 30, rd_scxtnum, EC_SYSREG, ISS_SYS(3, 0, 13, 0, 7, 5, 1));
    WRITE(hcr_el2, HCR_RW);
    WRITE(ALLINT, BIT(13));
    check_eq("ALLINT is written", READ(ALLINT), BIT(13));
    WRITE(ALLINT, 0);
    TRAPPED("HCRX_EL2.TALLINT", HCRX, 6, allint_1, EC_SYSREG, ISS_SYS(0, 1, 4, 1, 0, 31, 0));
    WRITE(HCRX, BIT(6));
    ISB();
    try_el(1, allint_0, 0, 0);
    check_eq("  clearing it is not trapped", EXC.count, 0);
    WRITE(HCRX, 0);
}

/* FEAT_CMOW (D19.2 HCRX_EL2.CMOW): maintenance that cleans and invalidates needs write permission of stage 2. */
static void maintenance(void)
{
    static u8 page[4096] __attribute__((aligned(4096)));
    u64 *s2 = pt_identity(S2), *entry = pt_entry(s2, (u64)page, 3), pa = (u64)page;
    *entry = (*entry & ~S2_AP(3)) | S2_AP(1);
    stage2_on(s2, 1);
    tlb_flush();
    try_el(1, do_civac, pa, 0);
    check_eq("DC CIVAC of a page that is read only in stage 2", EXC.count, 0);
    WRITE(HCRX, BIT(9));
    ISB();
    try_el(1, do_civac, pa, 0);
    check_exc("  with HCRX_EL2.CMOW", 2, EC_DABT_LOWER, 0x14f); /* CM, WnR, permission fault at level 3 */
    check_eq("  its HPFAR_EL2", EXC.hpfar & ~15ul, pa >> 12 << 4);
    try_el(1, do_cvac, pa, 0);
    check_eq("  DC CVAC is spared", EXC.count, 0);
    *entry |= S2_AP(3);
    tlb_flush();
    try_el(1, do_civac, pa, 0);
    check_eq("  and where writes are allowed", EXC.count, 0);
    WRITE(HCRX, 0);
    WRITE(hcr_el2, HCR_RW);
    ISB();
}

/* The debug communication channel: MDCR_EL2.TDCC, from EL1 and EL0. */
static void channel(void)
{
    static const struct {
        const char *what;
        u64 (*fn)(u64, u64);
        u64 lowest, iss;
    } rows[] = {
        { "MDCR_EL2.TDCC: MRS MDCCSR_EL0", rd_mdccsr, 0, ISS_SYS(2, 3, 0, 1, 0, 5, 1) },
        { "  MRS DBGDTR_EL0", rd_dbgdtr, 0, ISS_SYS(2, 3, 0, 4, 0, 5, 1) },
        { "  MSR DBGDTRTX_EL0", wr_dbgdtrtx, 0, ISS_SYS(2, 3, 0, 5, 0, 5, 0) },
        { "  MRS OSDTRRX_EL1", rd_osdtrrx, 1, ISS_SYS(2, 0, 0, 0, 2, 5, 1) },
        { "  MSR OSDTRTX_EL1", wr_osdtrtx, 1, ISS_SYS(2, 0, 0, 3, 2, 5, 0) },
        { "  MRS MDCCINT_EL1", rd_mdccint, 1, ISS_SYS(2, 0, 0, 2, 0, 5, 1) },
    };
    u64 mdcr = READ(mdcr_el2);
    for (u32 n = 0; n < COUNT(rows); n++)
        for (u64 el = rows[n].lowest; el < 2; el++) {
            try_el(el, rows[n].fn, 0, 0);
            check(!EXC.count, "MDCR_EL2.TDCC 0");
            WRITE(mdcr_el2, mdcr | BIT(27));
            try_el(el, rows[n].fn, 0, 0);
            check_exc(rows[n].what, 2, EC_SYSREG, rows[n].iss);
            try_el(1, rd_mdscr, 0, 0);
            check(!EXC.count, "  not MDSCR_EL1");
            WRITE(mdcr_el2, mdcr);
        }
}

void test_main(void)
{
    WRITE(hcr_el2, HCR_RW);
    ISB();
    registers();
    channel();
    instructions();
    waiting();
    offset();
    numbers();
    maintenance();
}
