/*
 * Which accesses to system registers trap, where to, by which control, and in what order, with all controls written as
 * software writes them: event counters under MDCR_EL2.HPMN, the debug communication channel, HCR_EL2.{TVM,TRVM},
 * PSTATE.DAIF at EL0, nested virtualization (Arm ARM D24.2, D24.3, D24.5, C5.2). The controls one by one, and the
 * table of registers itself: test_sysreg.c; every accessor: the vectors of set `acc`.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/model.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/gic.h"

Suite *test_access_suite(void);

enum {
    MDCR_EL2 = SYSREG_KEY(3, 4, 1, 1, 1),
    MDCR_EL3 = SYSREG_KEY(3, 6, 1, 3, 1),
    HCR_EL2 = SYSREG_KEY(3, 4, 1, 1, 0),
    SCR_EL3 = SYSREG_KEY(3, 6, 1, 1, 0),
    HCRX_EL2 = SYSREG_KEY(3, 4, 1, 2, 2),
    CPACR_EL1 = SYSREG_KEY(3, 0, 1, 0, 2),
    PMSELR_EL0 = SYSREG_KEY(3, 3, 9, 12, 5),
    PMUSERENR_EL0 = SYSREG_KEY(3, 3, 9, 14, 0)
};
/* Nothing traps: Non-secure, SCR_EL3.{APK,API,FIEN,EnSCXT,ATA,ECVEn,HXEn,TCR2En,SCTLR2En,PIEn}; HCR_EL2 likewise. */
#define SCR_OPEN (0x431 | 3 << 16 | BIT(21) | BIT(25) | BIT(26) | BIT(28) | BIT(38) | 7ull << 43)
#define HCR_OPEN (BIT(31) | 3ull << 40 | BIT(47) | BIT(53) | BIT(56))

static struct cpu *cpu;
static struct gic *gic;

static void setup(void)
{
    cpu = calloc(1, sizeof *cpu);
    gic = calloc(1, sizeof *gic);
    ck_assert(cpu && gic);
}
static void teardown(void) { free(cpu), free(gic); }

/* To an EL, with SPSel 1. */
static void at(unsigned el)
{
    cpu->ps.el = (u8)el;
    cpu->ps.sp = el > 0;
    cpu_control_changed(cpu);
}

static bool mrs(u32 key)
{
    u64 v;
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
    return sysreg_read(cpu, key, 3, &v);
}

static bool msr(u32 key, u64 value)
{
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
    return sysreg_write(cpu, key, 3, value);
}

/* What the last access raised: a trap of that row (enum trap_number) to `el`; UNDEFINED. */
static bool raised(unsigned el, unsigned id)
{
    const struct exc *e = &cpu->d.exc;
    return e->ec == EC_SYSREG && e->target_el == el && e->cause.kind == CAUSE_TRAP && e->cause.id == id;
}
static bool undefined(bool ok) { return !ok && cpu->d.exc.ec == EC_UNKNOWN && cpu->d.exc.iss == 0; }

/* As software at EL3 writes it. */
static void control_write(u32 key, u64 value)
{
    u8 el = cpu->ps.el;
    at(3);
    ck_assert(sysreg_write(cpu, key, 0, value));
    at(el);
}

/* All controls open. */
static void open_all(void)
{
    control_write(SCR_EL3, SCR_OPEN);
    control_write(HCR_EL2, HCR_OPEN);
    if (cpu_has(cpu, FEAT_HCX))
        control_write(HCRX_EL2, 3 << 14);
    control_write(MDCR_EL2, 6);
    control_write(MDCR_EL3, 0);
    control_write(CPACR_EL1, BIT(29) | 3 << 20);
    control_write(PMUSERENR_EL0, 1);
}

static void make(const char *model)
{
    char error[256];
    struct cpu_model m;
    ck_assert_msg(model_parse(model, true, true, &m, error), "%s", error);
    model_apply(&m, cpu);
    cpu->d.host.gic = gic;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu_reset(cpu);
    gic_reset(gic, cpu, 1, true);
    open_all();
}

static u32 pm_counter(unsigned n) { return SYSREG_KEY(3, 3, 14, 8 + n / 8, n % 8); }
static u32 pm_type(unsigned n) { return SYSREG_KEY(3, 3, 14, 12 + n / 8, n % 8); }

/* Every counter with every MDCR_EL2.HPMN, from EL1 and EL0, by number and by PMSELR_EL0 (D24.5, PMEVCNTR<n>_EL0). */
START_TEST(counters_of_el2)
{
    enum { PMXEVTYPER = SYSREG_KEY(3, 3, 9, 13, 1), PMXEVCNTR = SYSREG_KEY(3, 3, 9, 13, 2) };
    make("max");
    control_write(PMUSERENR_EL0, 1);
    for (unsigned hpmn = 0; hpmn <= 6; hpmn++)
        for (unsigned n = 0; n < 6; n++)
            for (unsigned el = 0; el < 3; el++) {
                control_write(MDCR_EL2, hpmn | BIT(6)); /* TPM, which is no less a reason */
                control_write(PMSELR_EL0, n);
                control_write(MDCR_EL2, hpmn);
                control_write(MDCR_EL3, BIT(6)); /* EL2's come first */
                u32 keys[] = { pm_counter(n), pm_type(n), PMXEVCNTR, PMXEVTYPER };
                at(el);
                for (unsigned k = 0; k < ARRAY_LEN(keys); k++) {
                    bool of_el2 = el < 2 && n >= hpmn;
                    unsigned id = of_el2 ? (unsigned)TRAPROW_HPMN0 + n : (unsigned)TRAPROW_TPM_EL3;
                    ck_assert_msg(!mrs(keys[k]) && raised(of_el2 ? 2 : 3, id), "HPMN %u: %u at EL%u", hpmn, n, el);
                    ck_assert(!msr(keys[k], 0) && raised(of_el2 ? 2 : 3, id));
                }
                control_write(MDCR_EL3, 0);
                at(el);
                for (unsigned k = 0; k < ARRAY_LEN(keys); k++)
                    ck_assert(mrs(keys[k]) == (el == 2 || n < hpmn) && msr(keys[k], 0) == (el == 2 || n < hpmn));
                control_write(PMUSERENR_EL0, 0); /* EL1's before */
                at(el);
                ck_assert(el || (!mrs(keys[0]) && raised(1, TRAPROW_PMU_ER)));
                control_write(PMUSERENR_EL0, 1);
            }
    control_write(MDCR_EL2, 0);
    control_write(SCR_EL3, SCR_OPEN & ~(u64)1); /* EL2 is disabled in Secure state */
    at(1);
    ck_assert(mrs(pm_counter(5)) && mrs(pm_type(0)));
}
END_TEST

/* Beyond the last counter: UNDEFINED at every EL, whatever is closed. PMXEVTYPER with 31 is PMCCFILTR. */
START_TEST(counters_beyond)
{
    make("max");
    for (unsigned closed = 0; closed < 2; closed++)
        for (unsigned n = 6; n < 32; n++)
            for (unsigned el = 0; el < 4; el++) {
                control_write(PMUSERENR_EL0, !closed);
                control_write(PMSELR_EL0, n);
                control_write(MDCR_EL2, closed ? BIT(6) | 2 : 6);
                control_write(MDCR_EL3, closed ? BIT(6) : 0);
                u32 keys[] = { SYSREG_KEY(3, 3, 9, 13, 2), SYSREG_KEY(3, 3, 9, 13, 1), pm_counter(n), pm_type(n) };
                at(el);
                for (unsigned k = 0; k < (n == 31 ? 1 : ARRAY_LEN(keys)); k++)
                    ck_assert_msg(undefined(mrs(keys[k])) && undefined(msr(keys[k], 0)), "%u by %u at EL%u", n, k, el);
                if (n == 31)
                    ck_assert(mrs(keys[1]) == (!closed || el == 3));
            }
}
END_TEST

/* Without FEAT_FGT both are CONSTRAINED UNPREDICTABLE, and RAZ/WI here. */
START_TEST(counters_without_fgt)
{
    u64 v = 1;
    make("cortex-a76");
    control_write(MDCR_EL2, 4);
    control_write(PMSELR_EL0, 9);
    at(2);
    ck_assert(msr(pm_counter(5), 77));
    at(1);
    ck_assert(sysreg_read(cpu, pm_counter(5), 0, &v) && v == 0 && msr(pm_counter(5), 5));
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 3, 9, 13, 2), 0, &v) && v == 0);
    at(2);
    ck_assert(sysreg_read(cpu, pm_counter(5), 0, &v) && v == 77);
}
END_TEST

/* The debug communication channel, by the three controls of that name; MDSCR_EL1 is not of it (D24.3 MDCR_EL2.TDCC). */
START_TEST(debug_channel)
{
    static const struct {
        u32 key;
        u8 lowest, read, write;
    } regs[] = {
        { SYSREG_KEY(2, 3, 0, 1, 0), 0, 1, 0 }, /* MDCCSR_EL0 */
        { SYSREG_KEY(2, 3, 0, 4, 0), 0, 1, 1 }, /* DBGDTR_EL0 */
        { SYSREG_KEY(2, 3, 0, 5, 0), 0, 1, 1 }, /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
        { SYSREG_KEY(2, 0, 0, 0, 2), 1, 1, 1 }, /* OSDTRRX_EL1 */
        { SYSREG_KEY(2, 0, 0, 2, 0), 1, 1, 1 }, /* MDCCINT_EL1 */
        { SYSREG_KEY(2, 0, 0, 3, 2), 1, 1, 1 }, /* OSDTRTX_EL1 */
    };
    make("max");
    for (unsigned n = 0; n < ARRAY_LEN(regs); n++)
        for (unsigned by = 2; by < 4; by++)
            for (unsigned el = regs[n].lowest; el < 4; el++) {
                control_write(MDCR_EL2, by == 2 ? BIT(27) | 6 : 6);
                control_write(MDCR_EL3, by == 3 ? BIT(27) : 0);
                at(el);
                bool open = el >= by;
                unsigned id = by == 2 ? TRAPROW_TDCC_EL2 : TRAPROW_TDCC_EL3;
                ck_assert_msg(!regs[n].read || (mrs(regs[n].key) == open && (open || raised(by, id))), "%u, EL%u", n,
                              el);
                ck_assert_msg(!regs[n].write || (msr(regs[n].key, 0) == open && (open || raised(by, id))), "%u, EL%u",
                              n, el);
                ck_assert(!el || mrs(SYSREG_KEY(2, 0, 0, 2, 2)));
            }
}
END_TEST

/* HCR_EL2.TVM and TRVM: the registers of EL1's translation and faults, and no others (D24.2 HCR_EL2). */
START_TEST(virtual_memory_controls)
{
    static const u32 named[] = {
        SYSREG_KEY(3, 0, 1, 0, 0),  SYSREG_KEY(3, 0, 1, 0, 3),  SYSREG_KEY(3, 0, 2, 0, 0),  SYSREG_KEY(3, 0, 2, 0, 1),
        SYSREG_KEY(3, 0, 2, 0, 2),  SYSREG_KEY(3, 0, 2, 0, 3),  SYSREG_KEY(3, 0, 5, 1, 0),  SYSREG_KEY(3, 0, 5, 1, 1),
        SYSREG_KEY(3, 0, 5, 2, 0),  SYSREG_KEY(3, 0, 6, 0, 0),  SYSREG_KEY(3, 0, 10, 2, 0), SYSREG_KEY(3, 0, 10, 2, 2),
        SYSREG_KEY(3, 0, 10, 2, 3), SYSREG_KEY(3, 0, 10, 2, 4), SYSREG_KEY(3, 0, 10, 3, 0), SYSREG_KEY(3, 0, 13, 0, 1),
        SYSREG_KEY(3, 3, 10, 2, 4),
    };
    const struct sysreg *row;
    unsigned count = 0;
    make("max");
    control_write(HCR_EL2, HCR_OPEN | BIT(26) | BIT(30));
    at(1);
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        bool is_named = false;
        for (unsigned k = 0; k < ARRAY_LEN(named); k++)
            is_named |= named[k] == row->key;
        bool reads = !mrs(row->key) && cpu->d.exc.cause.kind == CAUSE_TRAP &&
                     !strcmp(trap_get(cpu->d.exc.cause.id)->name, "TRVM");
        bool writes = row->access >> 4 < 2 && row->offset >= 0 && !msr(row->key, *sysreg_field(cpu, row)) &&
                      cpu->d.exc.cause.kind == CAUSE_TRAP && !strcmp(trap_get(cpu->d.exc.cause.id)->name, "TVM");
        ck_assert_msg(reads == is_named && writes == is_named, "%s: read %d, written %d", row->name, reads, writes);
        count += is_named;
    }
    ck_assert_uint_eq(count, ARRAY_LEN(named));
    control_write(SYSREG_KEY(3, 0, 1, 0, 2), BIT(29)); /* CPACR_EL1.E0POE */
    at(0);
    ck_assert(!mrs(SYSREG_KEY(3, 3, 10, 2, 4)) && raised(2, TRAPROW_TRVM_EL0));
    ck_assert(!msr(SYSREG_KEY(3, 3, 10, 2, 4), 0) && raised(2, TRAPROW_TVM_EL0));
    control_write(HCR_EL2, HCR_OPEN | BIT(26) | BIT(30) | BIT(34) | BIT(27)); /* an application of a host */
    control_write(SYSREG_KEY(3, 4, 1, 1, 2), BIT(29) | 3 << 20);
    at(0);
    ck_assert(mrs(SYSREG_KEY(3, 3, 10, 2, 4)) && msr(SYSREG_KEY(3, 3, 10, 2, 4), 0));
}
END_TEST

/* PSTATE.DAIF at EL0: SCTLR_EL1.UMA opens it, but for the applications of a host. */
START_TEST(daif_of_applications)
{
    enum {
        DAIF = SYSREG_KEY(3, 3, 4, 2, 1),
        SCTLR_EL1 = SYSREG_KEY(3, 0, 1, 0, 0),
        SCTLR_EL2 = SYSREG_KEY(3, 4, 1, 0, 0)
    };
    make("max");
    for (unsigned kind = 0; kind < 3; kind++) { /* of EL1's; TGE; E2H and TGE */
        control_write(HCR_EL2, BIT(31) | (kind > 0 ? BIT(27) : 0) | (kind > 1 ? BIT(34) : 0));
        control_write(SCTLR_EL2, ~(u64)0 & ~0x1ull);
        control_write(kind > 1 ? SYSREG_KEY(3, 5, 1, 0, 0) : SCTLR_EL1, BIT(9));
        at(0);
        ck_assert(mrs(DAIF) == (kind < 2) && (kind < 2 || raised(2, TRAPROW_UMA_HOST)));
        ck_assert(msr(DAIF, 0x3c0) == (kind < 2));
        control_write(kind > 1 ? SYSREG_KEY(3, 5, 1, 0, 0) : SCTLR_EL1, 0);
        at(0);
        ck_assert(!mrs(DAIF) && raised(kind ? 2 : 1, kind > 1 ? TRAPROW_UMA_HOST : TRAPROW_UMA));
    }
}
END_TEST

/* HCR_EL2.{NV,NV1,NV2}: NV1 traps before EL3's controls do, TFSR_EL2 is TFSR_EL1 after ATA's. */
START_TEST(nested_order)
{
    enum {
        TFSR_EL1 = SYSREG_KEY(3, 0, 5, 6, 0),
        TFSR_EL2 = SYSREG_KEY(3, 4, 5, 6, 0),
        SCXTNUM_EL1 = SYSREG_KEY(3, 0, 13, 0, 7)
    };
    const u64 open = BIT(31) | BIT(42) | BIT(53) | BIT(56), nv1 = BIT(43), nv2 = BIT(45);
    make("max");
    control_write(HCR_EL2, open | nv1);
    control_write(SCR_EL3, SCR_OPEN & ~(BIT(25) | BIT(26))); /* EnSCXT, ATA */
    at(1);
    ck_assert(!mrs(TFSR_EL1) && raised(2, LONE_FIRST + LONE_NV1));
    ck_assert(!mrs(SCXTNUM_EL1) && raised(2, LONE_FIRST + LONE_NV1));
    ck_assert(!mrs(TFSR_EL2) && raised(2, LONE_FIRST + LONE_NV));
    control_write(HCR_EL2, open | nv2);
    at(1);
    ck_assert(!mrs(TFSR_EL2) && raised(3, TRAPROW_ATA_EL3));
    control_write(SCR_EL3, SCR_OPEN & ~BIT(25));
    at(1);
    ck_assert(msr(TFSR_EL2, 1) && cpu->sys.tfsr_el1 == 1);
    control_write(HCR_EL2, (open | nv2) & ~BIT(56));
    at(1);
    ck_assert(!msr(TFSR_EL2, 0) && raised(2, TRAPROW_ATA) && cpu->sys.tfsr_el1 == 1);
}
END_TEST

Suite *test_access_suite(void)
{
    Suite *s = suite_create("access");
    TCase *t = tcase_create("access");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, counters_of_el2);
    tcase_add_test(t, counters_beyond);
    tcase_add_test(t, counters_without_fgt);
    tcase_add_test(t, debug_channel);
    tcase_add_test(t, virtual_memory_controls);
    tcase_add_test(t, daif_of_applications);
    tcase_add_test(t, nested_order);
    suite_add_tcase(s, t);
    return s;
}
