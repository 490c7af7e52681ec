/*
 * The GIC: the virtual CPU interface, as hypervisor and guest see it.
 */
#include "tests/unit/gic_rig.h"

Suite *test_gic_virtual_suite(void);

/* ---- Virtual interface ---- */

/* PE 0 as a guest at EL1 sees it, and back at EL2. */
static void guest(void)
{
    pe(0)->sys.hcr_el2 = BIT(HCR_IMO) | BIT(HCR_FMO);
    at(pe(0), 1, false);
}
static void hyp(void) { at(pe(0), 2, false); }
static void lr(unsigned n, u64 v)
{
    hyp();
    wr(pe(0), ICH_LR0 + n, v);
}
static u64 get_lr(unsigned n)
{
    hyp();
    return rd(pe(0), ICH_LR0 + n);
}
static u64 ich(u32 key)
{
    hyp();
    return rd(pe(0), key);
}
static void ich_put(u32 key, u64 v)
{
    hyp();
    wr(pe(0), key, v);
}
static u64 in_guest(u32 key)
{
    guest();
    return rd(pe(0), key);
}
static void guest_put(u32 key, u64 v)
{
    guest();
    wr(pe(0), key, v);
}
/* Both groups on, no mask, interface enabled. */
static void open_guest(void)
{
    ich_put(ICH_VMCR, 0xff000003);
    ich_put(ICH_HCR, 1);
}

/* GIC 12.4: ICH_VTR, reset, and the bits that list registers keep. */
START_TEST(virtual_identity)
{
    u64 vtr = ich(ICH_VTR);
    ck_assert_uint_eq(vtr & 31, 3);
    ck_assert_uint_eq(vtr >> 29, 4);
    ck_assert_uint_eq(vtr >> 26 & 7, 4);
    ck_assert_uint_eq(vtr >> 19 & 1, 1); /* TDS */
    ck_assert_uint_eq(vtr >> 22 & 1, 0); /* SEIS */
    ck_assert_uint_eq(ich(ICH_VMCR), 8 | 2 << 21 | 3 << 18);
    ich_put(ICH_VMCR, ~0ull);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8fc021b);
    ich_put(ICH_HCR, ~0ull);
    ck_assert_uint_eq(ich(ICH_HCR), 0xf8005cff);
    ich_put(ICH_HCR, 0);
    lr(0, ~0ull);
    ck_assert_uint_eq(get_lr(0), 0xf0f81fff00ffffff);
    lr(1, ~0ull & ~LR_HWBIT);
    ck_assert_uint_eq(get_lr(1), 0xd0f8020000ffffff);
    ck_assert_uint_eq(get_lr(2), 0);
}
END_TEST

/* GIC 6: life of a virtual interrupt; which line; ICV_IAR, EOIR, RPR. */
START_TEST(virtual_life)
{
    open_guest();
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(HPPIR1), 100);
    ck_assert_uint_eq(in_guest(IAR0), SPURIOUS);
    ck_assert_uint_eq(in_guest(IAR1), 100);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(get_lr(2), LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(ich(ICH_AP1R), BIT(16));
    ck_assert_uint_eq(in_guest(RPR), 0x80);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    lr(1, LR_PEND | LR_PRIO(0x40) | 101);
    ck_assert_uint_eq(lines(0), LINE_VFIQ);
    ck_assert_uint_eq(in_guest(IAR0), 101);
    ck_assert_uint_eq(in_guest(RPR), 0x40);
    guest_put(EOIR0, 101);
    ck_assert_uint_eq(get_lr(1), LR_PRIO(0x40) | 101);
    ck_assert_uint_eq(in_guest(RPR), 0x80);
    guest_put(EOIR1, 100);
    ck_assert_uint_eq(get_lr(2), LR_GRP1 | LR_PRIO(0x80) | 100);
    ck_assert_uint_eq(ich(ICH_AP0R) | ich(ICH_AP1R), 0);
    ck_assert_uint_eq(in_guest(RPR), 0xff);
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 102);
    ich_put(ICH_HCR, 0); /* disabled: no signal, spurious */
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    ck_assert_uint_eq(in_guest(HPPIR1), 102);
    ich_put(ICH_HCR, 1);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 1021); /* special: goes without being acknowledged */
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    ck_assert_uint_eq(get_lr(0) >> 62, 0);
    ck_assert_uint_eq(gic.cpu[0].ich_apr[1], 0);
}
END_TEST

/* HCR_EL2.{IMO,FMO}: IMO moves group 1's registers, FMO group 0's, either the common ones; at EL1 only. */
START_TEST(virtual_redirection)
{
    struct cpu *cpu = pe(0);
    wr(cpu, BPR0, 5);
    wr(cpu, BPR1, 6);
    wr(cpu, PMR, 0x50);
    cpu->sys.hcr_el2 = BIT(HCR_IMO);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 5);
    ck_assert_uint_eq(rd(cpu, BPR1), 3);
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    cpu->sys.hcr_el2 = BIT(HCR_FMO);
    at(cpu, 1, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 2);
    ck_assert_uint_eq(rd(cpu, BPR1), 6);
    ck_assert_uint_eq(rd(cpu, PMR), 0);
    at(cpu, 2, false);
    ck_assert_uint_eq(rd(cpu, BPR0), 5);
    ck_assert_uint_eq(rd(cpu, PMR), 0x50);
}
END_TEST

/* GIC 12.4: ICH_VMCR is what the guest's registers show. */
START_TEST(virtual_vmcr)
{
    ich_put(ICH_VMCR, 0);
    guest_put(PMR, 0xff);
    guest_put(IGRPEN0, 1);
    guest_put(CTLR, 3);
    guest_put(BPR0, 4);
    ck_assert_uint_eq(in_guest(BPR1), 5); /* VCBPR: BPR0 + 1 */
    guest_put(BPR1, 7);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8u << 24 | 4 << 21 | 3 << 18 | 0x200 | 0x10 | 8 | 1);
    guest_put(CTLR, 0);
    guest_put(BPR1, 7);
    guest_put(BPR0, 1);
    guest_put(IGRPEN0, 0);
    guest_put(IGRPEN1, 1);
    ck_assert_uint_eq(ich(ICH_VMCR), 0xf8u << 24 | 2 << 21 | 7 << 18 | 8 | 2);
    ck_assert_uint_eq(in_guest(IGRPEN1), 1);
    ck_assert_uint_eq(in_guest(IGRPEN0), 0);
    ck_assert_uint_eq(in_guest(CTLR) >> 8 & 7, 4);
    guest_put(AP1R0, 0x11);
    guest_put(AP0R0, 0x22);
    ck_assert_uint_eq(ich(ICH_AP1R), 0x11);
    ck_assert_uint_eq(ich(ICH_AP0R), 0x22);
    ck_assert_uint_eq(gic.cpu[0].apr[GROUP_1NS] | gic.cpu[0].apr[GROUP_0], 0);
}
END_TEST

/* GIC 4.8 with VPMR, VBPR, VENG: masks, groups that are off, binary points. */
START_TEST(virtual_priorities)
{
    open_guest();
    lr(0, LR_PEND | LR_GRP1 | LR_PRIO(0x90) | 50);
    guest_put(PMR, 0x90);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(in_guest(HPPIR1), 50);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    guest_put(PMR, 0x98);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    lr(1, LR_PEND | LR_PRIO(0x80) | 51); /* group 0, higher */
    ck_assert_uint_eq(lines(0), LINE_VFIQ);
    ck_assert_uint_eq(in_guest(IAR1), SPURIOUS);
    guest_put(IGRPEN0, 0);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(IAR1), 50);
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0x88) | 52);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    guest_put(BPR1, 5); /* <7:5> of 0x88 and 0x90 are equal */
    ck_assert_uint_eq(lines(0), 0);
    guest_put(CTLR, 1); /* VCBPR: BPR0 = 2 */
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
}
END_TEST

/* Of several pending ones the highest priority, of equals the lowest list register; one that is active too is not
 * pending. */
START_TEST(virtual_selection)
{
    open_guest();
    lr(0, LR_PEND | LR_ACT | LR_GRP1 | LR_PRIO(0x20) | 60);
    ck_assert_uint_eq(lines(0), 0);
    lr(1, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 61);
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0x40) | 62);
    lr(3, LR_PEND | LR_GRP1 | LR_PRIO(0x40) | 63);
    ck_assert_uint_eq(in_guest(HPPIR1), 62);
    lr(2, LR_PEND | LR_GRP1 | LR_PRIO(0xc0) | 62);
    ck_assert_uint_eq(in_guest(HPPIR1), 63);
    lr(3, LR_PEND | LR_GRP1 | LR_PRIO(0xc0) | 63);
    ck_assert_uint_eq(in_guest(HPPIR1), 61);
}
END_TEST

/* Which interrupt it is: the one that an acknowledge would give now. */
static struct exc_source source(unsigned kind, bool is_virtual, u64 hcr)
{
    const struct exc exc = { .kind = (u8)kind,
                             .is_virtual = is_virtual,
                             .target_el = is_virtual ? 1 : 2,
                             .cause = { .kind = CAUSE_INTERRUPT, .value = hcr } };
    return gic_source(&gic, pe(0), &exc);
}

START_TEST(sources)
{
    hyp();
    open_pe(0);
    open_guest();
    config(0, 27, GROUP_1NS, 0xa0);
    struct exc_source s = source(EXC_IRQ, false, BIT(HCR_IMO));
    ck_assert(s.by == BY_HCR && s.intid == -1 && s.lr == -1); /* it went away */
    gic_set_ppi(&gic, 0, 27, true);
    lr(1, LR_PEND | LR_GRP1 | LR_PRIO(0x80) | 61);
    lr(3, LR_PEND | LR_GRP1 | LR_PRIO(0x40) | 70000);
    s = source(EXC_IRQ, false, BIT(HCR_IMO));
    ck_assert(s.by == BY_HCR && s.intid == 27 && s.lr == -1);
    s = source(EXC_IRQ, true, BIT(HCR_IMO));
    ck_assert(s.by == BY_LIST && s.intid == (s32)(get_lr(3) & 0xffffffff) && s.lr == 3);
    s = source(EXC_IRQ, true, BIT(HCR_IMO) | BIT(HCR_VI));
    ck_assert(s.by == BY_PENDING && s.intid == -1 && s.lr == -1);
    s = source(EXC_SERROR, false, BIT(HCR_AMO));
    ck_assert(s.by == BY_HCR && s.intid == -1 && s.lr == -1);
    lr(1, 0);
    lr(3, 0);
    s = source(EXC_IRQ, true, BIT(HCR_IMO));
    ck_assert(s.by == BY_LIST && s.intid == -1 && s.lr == -1);
}
END_TEST

/* GIC 12.4: ICH_MISR, ICH_EISR, ICH_ELRSR and the maintenance interrupt, cause by cause. */
START_TEST(virtual_maintenance)
{
    struct cpu *cpu = pe(0);
    hyp();
    open_pe(0);
    config(0, 25, GROUP_1NS, 0x20);
    ich_put(ICH_HCR, 1);
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
    ck_assert_uint_eq(lines(0), 0);
    ich_put(ICH_HCR, 1 | 2); /* UIE: none or one valid */
    ck_assert_uint_eq(ich(ICH_MISR), 2);
    ck_assert_uint_eq(lines(0) & LINE_IRQ, LINE_IRQ);
    ck_assert_uint_eq(rd(cpu, IAR1), 25);
    wr(cpu, EOIR1, 25);
    lr(0, LR_ACT | LR_GRP1 | 40);
    ck_assert_uint_eq(ich(ICH_MISR), 2);
    lr(3, LR_PEND | LR_GRP1 | 41);
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ck_assert_uint_eq(lines(0) & LINE_IRQ, 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 6);
    ich_put(ICH_HCR, 1 | 8); /* NPIE: no list register pending */
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    lr(3, 0);
    ck_assert_uint_eq(ich(ICH_MISR), 8);
    lr(3, LR_PEND | LR_ACT | LR_GRP1 | 41); /* pending and active is not the pending state */
    ck_assert_uint_eq(ich(ICH_MISR), 8);
    lr(0, 0);
    lr(3, 0);
    ich_put(ICH_HCR, 1 | 4); /* LRENPIE: EOIcount */
    ck_assert_uint_eq(ich(ICH_MISR), 0);
    ich_put(ICH_HCR, 1 | 4 | 1ull << 27);
    ck_assert_uint_eq(ich(ICH_MISR), 4);
    ich_put(ICH_VMCR, 1);
    ich_put(ICH_HCR, 0xf1);
    ck_assert_uint_eq(ich(ICH_MISR), 0x10 | 0x80); /* group 0 on, group 1 off */
    ich_put(ICH_VMCR, 2);
    ck_assert_uint_eq(ich(ICH_MISR), 0x20 | 0x40);
    ich_put(ICH_HCR, 0xf0); /* status without En, but no interrupt */
    ck_assert_uint_eq(ich(ICH_MISR), 0x60);
    ck_assert_uint_eq(lines(0), 0);
    ich_put(ICH_HCR, 1);
    lr(2, LR_EOIBIT | 77); /* EOI, and no longer valid */
    ck_assert_uint_eq(ich(ICH_MISR), 1);
    ck_assert_uint_eq(ich(ICH_EISR), 4);
    ck_assert_uint_eq(ich(ICH_ELRSR), 11);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    lr(2, LR_HWBIT | LR_EOIBIT | 77); /* with HW that bit is of pINTID */
    ck_assert_uint_eq(ich(ICH_EISR), 0);
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
}
END_TEST

/* ICH_HCR_EL2.EOIcount; EOImode; what EOIR and DIR do to list registers. */
START_TEST(virtual_eoi)
{
    open_guest();
    lr(0, LR_PEND | LR_GRP1 | LR_EOIBIT | LR_PRIO(0x80) | 60);
    ck_assert_uint_eq(in_guest(IAR1), 60);
    guest_put(EOIR1, 60);
    ck_assert_uint_eq(ich(ICH_EISR), 1);
    guest_put(EOIR1, 60); /* no active priority: nothing */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 0);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, 61); /* in no list register */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1);
    ck_assert_uint_eq(ich(ICH_AP1R), 0);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, 8192); /* an LPI has no active state */
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, SPURIOUS);
    ck_assert_uint_eq(ich(ICH_AP1R), BIT(16));
    guest_put(CTLR, 2); /* EOImode */
    guest_put(EOIR1, 61);
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 1); /* only drops */
    guest_put(DIR, 61);
    ck_assert_uint_eq(ich(ICH_HCR) >> 27, 2);
    lr(1, LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 62);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR1, 62); /* only drops */
    ck_assert_uint_eq(get_lr(1) >> 62, 2);
    ck_assert_uint_eq(ich(ICH_AP1R), 0);
    lr(1, LR_PEND | LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 62);
    guest_put(DIR, 62);
    ck_assert_uint_eq(get_lr(1) >> 62, 1); /* pending and active -> pending */
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    guest_put(CTLR, 0);
    lr(1, LR_ACT | LR_GRP1 | LR_PRIO(0x80) | 62);
    ich_put(ICH_AP1R, BIT(8)); /* the highest active priority is not that interrupt's: drops, no more */
    guest_put(EOIR1, 62);
    ck_assert_uint_eq(get_lr(1) >> 62, 2);
    ck_assert_uint_eq(ich(ICH_AP1R), 0);
    ich_put(ICH_AP1R, BIT(16));
    guest_put(EOIR0, 62); /* the wrong group */
    ck_assert_uint_eq(get_lr(1) >> 62, 2);
    guest_put(DIR, 62);
    ck_assert_uint_eq(get_lr(1) >> 62, 2);
    ich_put(ICH_HCR, 31ull << 27 | 1);
    guest_put(CTLR, 2);
    guest_put(DIR, 63);
    ck_assert_uint_eq(ich(ICH_HCR), 1); /* wraps */
}
END_TEST

/* ICH_LR.HW: the guest's EOI deactivates the physical interrupt that the hypervisor left active. */
START_TEST(virtual_hw)
{
    struct cpu *cpu = pe(0);
    hyp();
    open_pe(0);
    wr(cpu, CTLR, 2); /* the hypervisor only drops */
    config(0, 27, GROUP_1NS, 0xa0);
    gic_set_ppi(&gic, 0, 27, true);
    ck_assert_uint_eq(rd(cpu, IAR1), 27);
    open_guest();
    lr(0, LR_PEND | LR_HWBIT | LR_GRP1 | LR_PRIO(0x80) | 27ull << 32 | 99);
    wr(cpu, EOIR1, 27);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(in_guest(IAR1), 99);
    ck_assert_uint_eq(gic.ppi[0].active, 1u << 27);
    guest_put(EOIR1, 99);
    ck_assert_uint_eq(gic.ppi[0].active, 0);
    ck_assert_uint_eq(lines(0), LINE_IRQ); /* the level is still up */
    ck_assert_uint_eq(ich(ICH_ELRSR), 15);
    gic.ppi[0].active = ~0u;
    for (u64 pintid = 0; pintid < 8192; pintid += 97) { /* any pINTID is harmless */
        lr(0, LR_ACT | LR_HWBIT | LR_GRP1 | LR_PRIO(0x80) | pintid << 32 | 99);
        ich_put(ICH_AP1R, BIT(16));
        guest_put(EOIR1, 99);
    }
    ck_assert_uint_eq(gic.ppi[0].active, ~1u);
}
END_TEST

Suite *test_gic_virtual_suite(void)
{
    Suite *s = suite_create("gic_virtual");
    TCase *one = tcase_create("one security state");
    tcase_add_checked_fixture(one, setup_single, teardown);
    tcase_set_timeout(one, 60);
    const TTest *const one_tests[] = {
        virtual_identity,  virtual_life,        virtual_redirection, virtual_vmcr, virtual_priorities,
        virtual_selection, virtual_maintenance, virtual_eoi,         virtual_hw,   sources,
    };
    for (unsigned n = 0; n < ARRAY_LEN(one_tests); n++)
        tcase_add_test(one, one_tests[n]);
    suite_add_tcase(s, one);
    return s;
}
