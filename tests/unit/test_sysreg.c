/*
 * The register table, MRS and MSR through it, and the trap controls: the tables' own consistency, reset values, bits
 * that can be written, UNDEFINED rules, E2H redirection, and, for every trap control, that it fires, is named as the
 * cause, and that changing its field alone takes it away (Arm ARM D1.3.5, D19, C5.1).
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/model.h"
#include "cpu/sysreg/nested.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/gic.h"

Suite *test_sysreg_suite(void);

static struct cpu *cpu;
static struct gic *gic;

static void make(const char *model, bool el2, bool el3)
{
    char error[256];
    struct cpu_model m;
    ck_assert_msg(model_parse(model, el2, el3, &m, error), "%s", error);
    cpu = calloc(1, sizeof *cpu);
    gic = calloc(1, sizeof *gic);
    ck_assert(cpu && gic);
    model_apply(&m, cpu);
    cpu->d.host.gic = gic;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu_reset(cpu);
    gic_reset(gic, cpu, 1, el3);
}
/* Armv8.1: what later features add to these registers is their tests' business. */
#define V81 "cortex-a57,lse=on,rdm=on,pan=on,vhe=on,hpds=on,vmid16=on,lor=on,hcx=on"
static void setup(void) { make(V81, true, true); }
static void teardown(void) { free(cpu), free(gic); }
static void remake(const char *model, bool el2, bool el3)
{
    teardown();
    make(model, el2, el3);
}

/* To an EL, with SPSel 1, Non-secure. */
static void at(unsigned el)
{
    cpu->ps.el = (u8)el;
    cpu->ps.sp = el > 0;
    if (cpu_has(cpu, FEAT_EL3))
        cpu->sys.scr_el3 |= 1;
    cpu_control_changed(cpu);
}

/* ---- the tables ---- */

START_TEST(rows_are_consistent)
{
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        ck_assert_ptr_eq(sysreg_find(row->key), row);
        ck_assert_uint_eq(sysreg_number(row), n);
        ck_assert_uint_lt(row->feature, FEATURE_COUNT);
        ck_assert(row->offset < (s32)sizeof(struct sysregs));
        if (row->offset < 0)
            ck_assert_msg(row->read || (row->access & 15) == 4, "%s has neither storage nor .read", row->name);
        if (row->offset < 0)
            ck_assert_msg(row->write || row->access >> 4 == 4, "%s has neither storage nor .write", row->name);
        if (row->e2h_key)
            ck_assert_msg(sysreg_find(row->e2h_key) != NULL, "%s is redirected to nothing", row->name);
        if (row->e2h_row)
            ck_assert_ptr_eq(sysreg_get(row->e2h_row - 1u), sysreg_find(row->e2h_key));
        if (row->traps & T(E2H))
            ck_assert_msg(row->e2h_key || nested_offset(row->key), "%s is redirected nowhere", row->name);
        if (sysreg_is_quick(row, false) && row->e2h_key)
            ck_assert_msg(row->quick_read & LIVE(E2H), "%s would be read in place at EL2 with E2H", row->name);
        if (!row->alias && row->mask)
            ck_assert_msg(!(row->flags & SR_RES0), "%s has a mask, and no bits", row->name);
    }
}
END_TEST

START_TEST(storage_has_one_owner)
{
    static u8 owned[sizeof(struct sysregs)];
    memset(owned, 0, sizeof owned);
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++)
        if (row->offset >= 0 && !row->alias)
            ck_assert_msg(!owned[row->offset]++, "%s shares its field", row->name);
    for (unsigned n = 0; (row = sysreg_get(n)); n++)
        if (row->offset >= 0 && row->alias)
            ck_assert_msg(owned[row->offset] == 1, "%s is another name of nothing", row->name);
}
END_TEST

/* ---- reset ---- */

START_TEST(reset_values)
{
    ck_assert_uint_eq(cpu->ps.el, 3);
    ck_assert_uint_eq(cpu->sys.hcr_el2, BIT(31));
    ck_assert_uint_eq(cpu->sys.scr_el3, 0x430);
    ck_assert_uint_eq(cpu->sys.sctlr_el3 & 0x1005, 0); /* M, C, I */
    ck_assert_uint_eq(cpu->sys.tpidr_el1, 0);
    ck_assert_uint_eq(cpu->sys.oslsr_el1 & 2, 2);
    ck_assert_uint_eq(cpu->sys.vpidr_el2, cpu->sys.midr_el1);
    ck_assert_uint_eq(cpu->sys.mdcr_el2 & 31, cpu->sys.pmcr_el0 >> 11 & 31);
    ck_assert_uint_eq(cpu->ps.d + cpu->ps.a + cpu->ps.i + cpu->ps.f, 4);
    u64 midr = cpu->sys.midr_el1;
    cpu->sys.mpidr_el1 = 0x80000003; /* the board's, like RVBAR: they stay */
    cpu->sys.rvbar_el1 = 0x1000;
    cpu_reset(cpu);
    ck_assert_uint_eq(cpu->sys.midr_el1, midr);
    ck_assert_uint_eq(cpu->sys.mpidr_el1, 0x80000003);
    ck_assert_uint_eq(cpu->pc, 0x1000);
    remake("cortex-a57", false, false);
    ck_assert_uint_eq(cpu->ps.el, 1);
    ck_assert_uint_eq(cpu->sys.hcr_el2, 0);
}
END_TEST

static const struct sysreg *named(const char *name)
{
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++)
        if (!strcmp(row->name, name))
            return row;
    ck_abort_msg("no register %s", name);
}
static bool untouched(const char *name) { return sysreg_is_untouched(cpu, named(name)); }

/* What was written since reset is known: by MSR, by any of a register's names, by an exception. */
START_TEST(written_registers)
{
    static const char *const plain[] = { "VBAR_EL1",  "TPIDR_EL2",     "HCR_EL2",
                                         "TTBR0_EL2", "CNTV_CVAL_EL0", "PMINTENSET_EL1" };
    for (unsigned n = 0; n < ARRAY_LEN(plain); n++) {
        ck_assert_msg(untouched(plain[n]), "%s after reset", plain[n]);
        ck_assert(sysreg_write(cpu, named(plain[n])->key, 0, 0)); /* the value that it has */
        ck_assert_msg(!untouched(plain[n]), "%s after MSR", plain[n]);
    }
    ck_assert(untouched("CNTP_CVAL_EL0") && sysreg_write(cpu, named("CNTP_TVAL_EL0")->key, 0, 100));
    ck_assert(!untouched("CNTP_CVAL_EL0"));
    ck_assert(untouched("PMOVSSET_EL0") && sysreg_write(cpu, named("PMOVSCLR_EL0")->key, 0, 1));
    ck_assert(!untouched("PMOVSSET_EL0"));
    ck_assert(!untouched("MIDR_EL1") && !untouched("AFSR0_EL1")); /* cannot be written */
    ck_assert(untouched("ELR_EL3") && untouched("SPSR_EL3") && untouched("ELR_EL2"));
    cpu->pc = 0;
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_UNALLOCATED });
    exception_take(cpu);
    ck_assert(!untouched("ELR_EL3") && !untouched("SPSR_EL3") && untouched("ELR_EL2"));
    cpu_reset(cpu);
    for (unsigned n = 0; n < ARRAY_LEN(plain); n++)
        ck_assert_msg(untouched(plain[n]), "%s after another reset", plain[n]);
}
END_TEST

/* -reset loud: what is UNKNOWN, and its bits that can be written. */
START_TEST(loud_reset)
{
    cpu->d.host.unknown = SYSREG_UNKNOWN;
    cpu_reset(cpu);
    ck_assert_uint_eq(cpu->sys.tpidr_el1, SYSREG_UNKNOWN);
    ck_assert_uint_eq(cpu->sys.spsr_el2, (u32)SYSREG_UNKNOWN);
    ck_assert_uint_eq(cpu->sys.csselr_el1, SYSREG_UNKNOWN & 15);
    ck_assert_uint_eq(cpu->x[5], SYSREG_UNKNOWN);
    ck_assert_uint_eq(cpu->sys.scr_el3, 0x430); /* says what it is */
    ck_assert(untouched("TPIDR_EL1"));
    cpu->d.host.unknown = 0;
    cpu_reset(cpu);
    ck_assert_uint_eq(cpu->sys.tpidr_el1 | cpu->sys.spsr_el2 | cpu->sys.csselr_el1 | cpu->x[5] | cpu->v[7].d[1], 0);
}
END_TEST

/* AArch64 only, at every EL. */
START_TEST(id_registers_say_aarch64_only)
{
    for (unsigned n = 0; model_name(n); n++) {
        remake(model_name(n), true, true);
        ck_assert_uint_eq(cpu->sys.id_aa64pfr0_el1 & 0xffff, 0x1111);
        ck_assert_uint_eq(cpu->sys.id_pfr0_el1 | cpu->sys.id_isar0_el1 | cpu->sys.mvfr0_el1, 0);
        remake(model_name(n), false, false);
        ck_assert_uint_eq(cpu->sys.id_aa64pfr0_el1 & 0xffff, 0x0011);
    }
    remake("cortex-a57", true, true);
    ck_assert_uint_eq(cpu->sys.id_aa64mmfr1_el1, 0);
    remake(V81, true, true);
    ck_assert_uint_eq(bits(cpu->sys.id_aa64mmfr1_el1, 11, 8), 1); /* VHE */
}
END_TEST

/* What the cores' manuals say, less AArch32 and what has no feature row; the names that a model's features have. */
START_TEST(models_show_their_manuals_values)
{
    static const struct {
        const char *model;
        u64 midr, isar0, mmfr0, ctr;
        const char *has;
    } cores[] = {
        { "cortex-a35", 0x411fd040, 0x11120, 0x101122, 0x84448004, "" },
        { "cortex-a53", 0x410fd034, 0x11120, 0x1122, 0x84448004, "" },
        { "cortex-a57", 0x411fd070, 0x11120, 0x1124, 0x8444c004, "" },
        { "cortex-a72", 0x410fd083, 0x11120, 0x1124, 0x8444c004, "" },
        { "cortex-a76", 0x414fd0b1, 0x0000100010211120, 0x101122, 0x8444c004, "vhe" },
        { "cortex-a55", 0x412fd050, 0x0000100010211120, 0x101122, 0x84448004, "vhe" },
        { "neoverse-n1", 0x414fd0c1, 0x0000100010211120, 0x101125, 0x8444c004, "vhe" },
        { "cortex-a710", 0x412fd471, 0x0221111110212120, 0x0000022200101122, 0x49444c004, "vhe pauth mte" },
        { "neoverse-v1", 0x411fd402, 0x0011111110212120, 0x101125, 0xb444c004, "vhe pauth" },
        { "neoverse-n2", 0x410fd493, 0x0221111110212120, 0x0000022200101125, 0x4b444c004, "vhe pauth mte" },
        { "cortex-a77", 0x411fd0d1, 0x0000100010211120, 0x101122, 0x8444c004, "vhe" },
        { "cortex-a78", 0x411fd410, 0x0000100010211120, 0x101125, 0x9444c004, "vhe" },
        { "cortex-a78ae", 0x410fd423, 0x0010100010211120, 0x101125, 0x9444c004, "vhe pauth" },
        { "cortex-x1", 0x411fd440, 0x0000100010211120, 0x101125, 0x9444c004, "vhe" },
        { "neoverse-v2", 0x410fd4f0, 0x0221111110212120, 0x0000022200101125, 0x4b444c004, "vhe pauth mte" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(cores); n++) {
        remake(cores[n].model, true, true);
        ck_assert_uint_eq(cpu->sys.midr_el1, cores[n].midr);
        ck_assert_uint_eq(cpu->sys.id_aa64isar0_el1 & 0x0fffffffffffffff, cores[n].isar0);
        ck_assert_uint_eq(cpu->sys.id_aa64mmfr0_el1, cores[n].mmfr0);
        ck_assert_uint_eq(cpu->sys.ctr_el0, cores[n].ctr);
        bool armv8_2 = strstr(cores[n].has, "vhe") != NULL;
        ck_assert_int_eq(cpu_has(cpu, FEAT_VHE), armv8_2);
        ck_assert_int_eq(cpu_has(cpu, FEAT_FP16), armv8_2);
        ck_assert_int_eq(cpu_has(cpu, FEAT_PAUTH2), strstr(cores[n].has, "pauth") != NULL);
        ck_assert_int_eq(cpu_has(cpu, FEAT_MTE2), strstr(cores[n].has, "mte") != NULL);
        ck_assert(!cpu_has(cpu, FEAT_MOPS) && !cpu_has(cpu, FEAT_LPA2) && !cpu_has(cpu, FEAT_MTE3));
    }
    remake("cortex-a76,lse=off", true, true);
    ck_assert_uint_eq(bits(cpu->sys.id_aa64isar0_el1, 23, 20), 0);
}
END_TEST

/* ---- writable bits ---- */

static u64 written(u32 key, u64 value)
{
    u64 v = 0;
    ck_assert(sysreg_write(cpu, key, 0, value));
    ck_assert(sysreg_read(cpu, key, 0, &v));
    return v;
}

START_TEST(bits_that_exist)
{
    static const struct {
        u32 key;
        u64 ones, zeroes;
    } table[] = {
        { SYSREG_KEY(3, 0, 1, 0, 0), 0x37dddb9f, 0x30500980 },              /* SCTLR_EL1 */
        { SYSREG_KEY(3, 4, 1, 0, 0), 0x30c50830 | 0x0208100f, 0x30c50830 }, /* SCTLR_EL2, E2H 0 */
        { SYSREG_KEY(3, 6, 1, 0, 0), 0x30c50830 | 0x0208100f, 0x30c50830 }, /* SCTLR_EL3 */
        { SYSREG_KEY(3, 6, 1, 1, 2), BIT(31) | BIT(10), 0 },                /* CPTR_EL3 */
        { SYSREG_KEY(3, 6, 12, 0, 0), ~0x7ffull, 0 },                       /* VBAR_EL3 */
        { SYSREG_KEY(3, 4, 6, 0, 4), 0xfffffffff0, 0 },                     /* HPFAR_EL2 */
        { SYSREG_KEY(3, 0, 5, 1, 0), 0, 0 },                                /* AFSR0_EL1 */
        { SYSREG_KEY(3, 0, 5, 2, 0), 0xffffffff, 0 },                       /* ESR_EL1 */
        { SYSREG_KEY(3, 3, 9, 14, 0), 0xf, 0 },                             /* PMUSERENR_EL0 */
        { SYSREG_KEY(3, 4, 0, 0, 5), 0xffc1ffffff, 0x80000000 },            /* VMPIDR_EL2 */
    };
    at(3);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        u64 ones_read = written(table[n].key, ~(u64)0);
        ck_assert_msg(ones_read == table[n].ones, "row %u: ones read %llx", n, (unsigned long long)ones_read);
        u64 zeroes = written(table[n].key, 0);
        ck_assert_msg(zeroes == table[n].zeroes, "row %u: zeroes read %llx", n, (unsigned long long)zeroes);
    }
    ck_assert(bit(written(SYSREG_KEY(3, 4, 1, 1, 0), 0), 31)); /* HCR_EL2.RW, SCR_EL3.RW: AArch64 only */
    ck_assert(bit(written(SYSREG_KEY(3, 6, 1, 1, 0), 1), 10));
    ck_assert(!bit(written(SYSREG_KEY(3, 4, 1, 1, 0), BIT(29)), 29)); /* HCD: EL3 exists */
}
END_TEST

/* -cpu max, with E2H clear where the format hangs on it: each field that its ID registers claim (D19.2). */
START_TEST(bits_of_max)
{
    const u64 el1 = BIT(63) | BIT(62) | BIT(61) | BIT(57) | 0x1full << 45 | BIT(44) | 0xfull << 40 | 7ull << 37 |
                    3ull << 35 | 3ull << 32;
    const struct {
        u32 key;
        u64 ones, zeroes;
    } table[] = {
        { SYSREG_KEY(3, 0, 1, 0, 0), el1 | 0xfffdffdf, 0x30400980 }, /* SCTLR_EL1 */
        { SYSREG_KEY(3, 4, 1, 0, 0), BIT(62) | BIT(61) | BIT(44) | 0xbull << 40 | BIT(37) | BIT(36) | 0xfaed387f,
          0x30c50830 },                                            /* SCTLR_EL2 */
        { SYSREG_KEY(3, 2, 0, 0, 0), 0x1f, 0 },                    /* CSSELR_EL1: TnD */
        { SYSREG_KEY(3, 4, 1, 1, 1), 0x2c8a0fff, 0 },              /* MDCR_EL2: TDCC */
        { SYSREG_KEY(3, 6, 1, 3, 1), 3ull << 34 | 0x08bf0640, 0 }, /* MDCR_EL3: TDCC, STE */
        { SYSREG_KEY(3, 4, 1, 2, 2), 0xcfd8, 0 },                  /* HCRX_EL2 */
        { SYSREG_KEY(3, 4, 2, 0, 2), 0x1fff7ff3full, 0x80800000 }, /* TCR_EL2, E2H 0: HWU59 to HWU62, DS, no POE */
    };
    remake("max", true, true);
    at(3);
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        u64 ones_read = written(table[n].key, ~(u64)0), zeroes = written(table[n].key, 0);
        ck_assert_msg(ones_read == table[n].ones, "row %u: ones read %llx", n, (unsigned long long)ones_read);
        ck_assert_msg(zeroes == table[n].zeroes, "row %u: zeroes read %llx", n, (unsigned long long)zeroes);
    }
    cpu->sys.hcr_el2 |= BIT(34); /* E2H: EL1's format, less UMA (AArch64.CheckDAIFAccess) */
    ck_assert_uint_eq(written(SYSREG_KEY(3, 4, 1, 0, 0), ~(u64)0), el1 | (0xfffdffdf & ~BIT(9)));
    ck_assert_uint_eq(written(SYSREG_KEY(3, 5, 1, 0, 0), ~(u64)0), el1 | 0xfffdffdf); /* SCTLR_EL12 */
    remake("cortex-a57", true, true);
    at(3);
    ck_assert(!bit(written(SYSREG_KEY(3, 0, 1, 0, 0), ~(u64)0), 21)); /* IESB */
    ck_assert(!(written(SYSREG_KEY(3, 4, 1, 1, 1), ~(u64)0) >> 12) &&
              !bit(written(SYSREG_KEY(3, 6, 1, 3, 1), ~(u64)0), 27));
    ck_assert_uint_eq(written(SYSREG_KEY(3, 2, 0, 0, 0), ~(u64)0), 15);
}
END_TEST

/* CSSELR_EL1.TnD selects caches of tags alone, of which there are none. */
START_TEST(caches_of_tags)
{
    u64 data = 0, tags = 1;
    remake("max", true, true);
    at(3);
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 2, 0, 0, 0), 0, 0) &&
              sysreg_read(cpu, SYSREG_KEY(3, 1, 0, 0, 0), 0, &data));
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 2, 0, 0, 0), 0, BIT(4)) &&
              sysreg_read(cpu, SYSREG_KEY(3, 1, 0, 0, 0), 0, &tags));
    ck_assert(data && !tags);
}
END_TEST

/* The bits of a feature that the CPU lacks are RES0, or RES1. */
START_TEST(bits_of_absent_features)
{
    remake("cortex-a57", true, true);
    at(3);
    ck_assert_uint_eq(written(SYSREG_KEY(3, 4, 1, 1, 0), ~(u64)0) >> 34, 0);         /* E2H, TLOR */
    ck_assert(bit(written(SYSREG_KEY(3, 0, 1, 0, 0), 0), 23));                       /* SPAN */
    ck_assert_uint_eq(bits(written(SYSREG_KEY(3, 0, 2, 0, 2), ~(u64)0), 42, 39), 0); /* HPD, HA, HD */
    ck_assert_uint_eq(written(SYSREG_KEY(3, 4, 2, 1, 0), ~(u64)0) >> 56, 0);         /* VTTBR_EL2: VMID of 8 bits */
}
END_TEST

/* ---- UNDEFINED ---- */

static bool undefined(u32 key, bool write)
{
    u64 v;
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
    bool ok = write ? sysreg_write(cpu, key, 3, 0) : sysreg_read(cpu, key, 3, &v);
    return !ok && cpu->d.exc.ec == EC_UNKNOWN && cpu->d.exc.iss == 0;
}

START_TEST(undefined_registers)
{
    at(3);
    ck_assert(undefined(SYSREG_KEY(3, 0, 0, 8, 0), false)); /* no such register */
    ck_assert(undefined(SYSREG_KEY(3, 0, 0, 0, 0), true));  /* MIDR_EL1 is read-only */
    ck_assert(undefined(SYSREG_KEY(2, 0, 1, 0, 4), false)); /* OSLAR_EL1 is write-only */
    ck_assert(undefined(SYSREG_KEY(3, 4, 3, 0, 0), false)); /* DACR32_EL2: no AArch32 */
    ck_assert(undefined(SYSREG_KEY(3, 5, 1, 0, 0), false)); /* SCTLR_EL12 without E2H */
    at(2);
    ck_assert(undefined(SYSREG_KEY(3, 6, 1, 1, 0), false)); /* SCR_EL3 */
    at(1);
    ck_assert(undefined(SYSREG_KEY(3, 4, 1, 1, 0), true)); /* HCR_EL2 */
    at(0);
    ck_assert(undefined(SYSREG_KEY(3, 0, 1, 0, 0), false));  /* SCTLR_EL1 */
    ck_assert(undefined(SYSREG_KEY(3, 0, 0, 4, 0), false));  /* ID_AA64PFR0_EL1 */
    ck_assert(!undefined(SYSREG_KEY(3, 3, 13, 0, 2), true)); /* TPIDR_EL0 */
    cpu->sys.hcr_el2 |= BIT(20);                             /* TIDCP: C11 and C15 only */
    at(1);
    ck_assert(undefined(SYSREG_KEY(3, 1, 12, 9, 5), false));
    ck_assert(!undefined(SYSREG_KEY(3, 1, 11, 9, 5), false));
    ck_assert(!undefined(SYSREG_KEY(3, 1, 15, 9, 5), false));
    remake("cortex-a57", true, true);
    at(2);
    ck_assert(undefined(SYSREG_KEY(3, 4, 2, 0, 1), false)); /* TTBR1_EL2: no VHE */
    at(1);
    ck_assert(undefined(SYSREG_KEY(3, 0, 4, 2, 3), false)); /* PAN */
}
END_TEST

/* SP_EL0 while it is the stack pointer. */
START_TEST(sp_el0_in_use)
{
    at(1);
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 0, 4, 1, 0), 0, 0x1230));
    ck_assert_uint_eq(cpu->sp_el[0], 0x1230);
    cpu_set_el_sp(cpu, 1, 0);
    ck_assert(undefined(SYSREG_KEY(3, 0, 4, 1, 0), false));
    ck_assert_uint_eq(cpu->x[REG_SP], 0x1230);
}
END_TEST

/* Without EL2 its registers are RES0 at EL3, but the two that name the PE (D19.1.2). */
START_TEST(el2_absent)
{
    u64 v;
    remake(V81, false, true);
    at(3);
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 4, 1, 1, 0), 0, ~(u64)0));
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 4, 1, 1, 0), 0, &v));
    ck_assert_uint_eq(v, 0);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 4, 0, 0, 0), 0, &v));
    ck_assert_uint_eq(v, cpu->sys.midr_el1);
    const struct sysop *alle2 = sysop_find(SYSREG_KEY(1, 4, 8, 7, 0));
    ck_assert(!sysop_run(cpu, alle2, alle2->key, 0, 0));
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    remake(V81, true, true); /* not enabled in Secure state is as good as absent, for what EL3 may do to it */
    at(3);
    cpu->sys.scr_el3 &= ~1ull;
    ck_assert(!sysop_run(cpu, alle2, alle2->key, 0, 0));
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
}
END_TEST

/* The reserved part of the ID space reads as zero, and is trapped with the rest (HCR_EL2.TID3). */
START_TEST(reserved_id_space)
{
    for (unsigned crm = 1; crm < 8; crm++) {
        for (unsigned op2 = 0; op2 < 8; op2++) {
            u64 v = 1;
            cpu->sys.hcr_el2 = BIT(31);
            at(1);
            ck_assert_msg(sysreg_read(cpu, SYSREG_KEY(3, 0, 0, crm, op2), 0, &v), "S3_0_C0_C%u_%u", crm, op2);
            cpu->sys.hcr_el2 |= BIT(18);
            at(1);
            ck_assert(!sysreg_read(cpu, SYSREG_KEY(3, 0, 0, crm, op2), 7, &v));
            ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
            ck_assert_uint_eq(cpu->d.exc.target_el, 2);
            ck_assert_uint_eq(cpu->d.exc.iss, 3u << 20 | op2 << 17 | 7 << 5 | crm << 1 | 1);
        }
    }
}
END_TEST

/* ---- VHE ---- */

START_TEST(redirection_at_el2)
{
    u64 v;
    cpu->sys.hcr_el2 |= BIT(34);
    at(2);
    cpu->sys.vbar_el1 = 0x1000, cpu->sys.vbar_el2 = 0x2000;
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 12, 0, 0), 0, &v));
    ck_assert_uint_eq(v, 0x2000); /* VBAR_EL1 means VBAR_EL2 */
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 5, 12, 0, 0), 0, 0x5000));
    ck_assert_uint_eq(cpu->sys.vbar_el1, 0x5000);                        /* VBAR_EL12 */
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 0, 1, 0, 2), 0, 3 << 20)); /* CPACR_EL1: CPTR_EL2 in its other format */
    ck_assert_uint_eq(cpu->sys.cptr_el2, 3 << 20);
    at(3);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 12, 0, 0), 0, &v));
    ck_assert_uint_eq(v, 0x5000); /* not at EL3 */
    ck_assert(!undefined(SYSREG_KEY(3, 5, 12, 0, 0), false));
    cpu->sys.hcr_el2 = BIT(31);
    at(2);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 12, 0, 0), 0, &v));
    ck_assert_uint_eq(v, 0x5000);
}
END_TEST

START_TEST(identity_seen_by_a_guest)
{
    u64 v;
    cpu->sys.vpidr_el2 = 0x11, cpu->sys.vmpidr_el2 = 0x22;
    at(1);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 0, 0, 0), 0, &v) && v == 0x11);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 0, 0, 5), 0, &v) && v == 0x22);
    cpu->sys.scr_el3 &= ~1ull; /* Secure: EL2 is not enabled */
    cpu_control_changed(cpu);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 0, 0, 0), 0, &v) && v == cpu->sys.midr_el1);
}
END_TEST

/* ---- trap controls ---- */

enum { NEED_HOST0 = 1, NEED_E2H = 2, NEED_TGE = 4, NEED_SECURE = 8 };

static u64 *control(const struct trap_row *t) { return (u64 *)(void *)((u8 *)&cpu->sys + t->offset); }

/* Does row t trap with what its register holds, whatever the conditions? */
static bool closed(const struct trap_row *t) { return bit(t->values, (unsigned)bits(*control(t), t->hi, t->lo)); }

/* Rows of t's register that trap. */
static unsigned closed_count(const struct trap_row *t)
{
    const struct trap_row *other;
    unsigned count = 0;
    for (unsigned n = 0; n < FGT_FIRST && (other = trap_get(n)); n++)
        count += other->offset == t->offset && closed(other);
    return count;
}

/* Opens t by its field, without closing another row of its register. */
static void open_one(const struct trap_row *t)
{
    for (u64 value = 0; closed(t) && value <= ones(t->hi - t->lo + 1u); value++) {
        u64 before = *control(t);
        unsigned count = closed_count(t);
        *control(t) = bits_set(before, t->hi, t->lo, value);
        if (closed_count(t) >= count)
            *control(t) = before;
    }
    ck_assert_msg(!closed(t), "%s.%s cannot be opened", t->reg, t->id);
}

/* Nothing traps. */
static void open_all(bool e2h)
{
    const struct trap_row *t;
    cpu->sys.hcr_el2 = BIT(31);
    cpu->sys.scr_el3 = 0x431 | BIT(38); /* HXEn: HCRX_EL2 counts */
    for (unsigned n = 0; n < FGT_FIRST && (t = trap_get(n)); n++)
        open_one(t);
    cpu->sys.hcr_el2 |= e2h ? BIT(34) : 0;
}

/* Rows in groups. */
enum {
#define TRAP(id, ...) GROUPED_##id,
#define ALSO(id, ...) GROUPED_##id,
#include "cpu/sysreg/traps.def"
    LONE_ROWS
};

/* The group of a row: where its group begins is what traps name. */
static unsigned group_of(unsigned n)
{
    static const u8 first[] = {
#define TRAP(id, ...) 1,
#define ALSO(...)     0,
#include "cpu/sysreg/traps.def"
    };
    unsigned group = 0;
    for (unsigned k = 1; k <= n; k++)
        group += first[k];
    return group;
}

static bool fires(unsigned n, bool write)
{
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
    cpu_control_changed(cpu);
    bool trapped = n < LONE_ROWS ? trap_check(cpu, (u128)1 << (TRAP_FIRST + group_of(n)), write, 0x123)
                                 : trap_check_lone(cpu, (enum trap_lone)(n - LONE_ROWS), write, 0x123);
    return trapped && cpu->d.exc.cause.kind == CAUSE_TRAP && cpu->d.exc.cause.id == n;
}

/* Row n from `el`: for each value of its field it fires if and only if the row says so, and says the right things. */
static void row_by_values(unsigned n, unsigned el)
{
    const struct trap_row *t = trap_get(n);
    bool host0 = t->need & NEED_HOST0;
    for (u64 value = 0; value <= ones(t->hi - t->lo + 1u); value++) {
        open_all(t->need & (NEED_E2H | NEED_HOST0));
        cpu->sys.hcr_el2 |= host0 ? BIT(27) : 0;
        if (t->need & NEED_SECURE)
            cpu->sys.scr_el3 &= ~1ull;
        cpu->ps.el = (u8)el;
        *control(t) = bits_set(*control(t), t->hi, t->lo, value);
        bool wanted = bit(t->values, (unsigned)value), write = !(t->dir & 1);
        if (cpu->sys.hcr_el2 & BIT(27) && !host0 && t->to == 1)
            continue;
        ck_assert_msg(fires(n, write) == wanted, "%s.%s = %llu at EL%u", t->reg, t->id, (unsigned long long)value, el);
        if (!wanted)
            continue;
        ck_assert_uint_eq(cpu->d.exc.target_el, t->to);
        ck_assert_uint_eq(cpu->d.exc.ec, t->ec);
        ck_assert_uint_eq(cpu->d.exc.iss, t->ec == EC_FP_TRAP ? ISS_COND_AL : 0x123);
        ck_assert_msg(t->dir == 3 || !fires(n, !write), "%s.%s also fires for the other direction", t->reg, t->id);
    }
}

START_TEST(every_control)
{
    const struct trap_row *t;
    feature_add(&cpu->features, FEAT_FGT); /* else its bits count for nothing */
    for (unsigned n = 0; n < FGT_FIRST && (t = trap_get(n)); n++)
        for (unsigned el = 0; el < 4; el++)
            if (bit(t->from, el))
                row_by_values(n, el);
}
END_TEST

/* Not from elsewhere, not with EL2 disabled, not when the conditions fail. */
START_TEST(controls_elsewhere)
{
    const struct trap_row *t;
    feature_add(&cpu->features, FEAT_FGT); /* else its bits count for nothing */
    for (unsigned n = 0; n < FGT_FIRST && (t = trap_get(n)); n++) {
        u64 value = 0;
        while (!bit(t->values, (unsigned)value))
            value++;
        for (unsigned el = 0; el < 4; el++) {
            open_all(t->need & (NEED_E2H | NEED_HOST0));
            cpu->ps.el = (u8)el;
            *control(t) = bits_set(*control(t), t->hi, t->lo, value);
            if (!bit(t->from, el))
                ck_assert_msg(!fires(n, true) && !fires(n, false), "%s.%s at EL%u", t->reg, t->id, el);
            cpu->sys.scr_el3 &= ~1ull;
            if (t->to == 2)
                ck_assert_msg(!fires(n, true) && !fires(n, false), "%s.%s without EL2", t->reg, t->id);
        }
    }
}
END_TEST

/* Every bit of FEAT_FGT's registers: set, it traps all that it names from EL1 (and nothing else does), is the cause,
 * and without SCR_EL3.FGTEn, or with EL2 disabled, it does not (Arm ARM D19.2, HFGRTR_EL2 and its kin). */
static bool accessed(const struct sysreg *row, bool write)
{
    u64 v;
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
    return write ? sysreg_write(cpu, row->key, 3, *sysreg_field(cpu, row)) : sysreg_read(cpu, row->key, 3, &v);
}

static bool trapped_by(unsigned n)
{
    const struct exc *e = &cpu->d.exc;
    return e->ec == EC_SYSREG && e->target_el == 2 && e->cause.kind == CAUSE_TRAP && e->cause.id == n;
}

static void fine_trap_of_register(const struct sysreg *row, unsigned n, bool write)
{
    const struct trap_row *t = trap_get(n);
    unsigned from = (write ? row->access >> 4 : row->access & 15) ? 1 : 0;
    for (unsigned el = from; el < 2; el++) {
        open_all(false);
        cpu->sys.scr_el3 |= BIT(27);
        *control(t) = BIT(t->lo);
        at(el);
        ck_assert_msg(!accessed(row, write) && trapped_by(n), "%s.%s: %s at EL%u", t->reg, t->name, row->name, el);
        ck_assert_uint_eq(cpu->d.exc.iss, sysreg_iss(row->key, 3, write));
        *control(t) = ~BIT(t->lo);
        at(el);
        accessed(row, write);
        ck_assert_msg(!trapped_by(n), "%s.%s = 0: %s", t->reg, t->name, row->name);
        *control(t) = BIT(t->lo);
        cpu->sys.scr_el3 &= ~BIT(27);
        at(el);
        accessed(row, write);
        ck_assert_msg(!trapped_by(n), "%s.%s without FGTEn", t->reg, t->name);
        cpu->sys.scr_el3 |= BIT(27);
        at(2);
        accessed(row, write);
        ck_assert_msg(!trapped_by(n), "%s.%s at EL2", t->reg, t->name);
    }
}

START_TEST(fine_traps_of_registers)
{
    remake("max", true, true);
    const struct sysreg *row;
    unsigned count = 0;
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        if (!row->fgt_read && !row->fgt_write)
            continue;
        open_all(false);
        at(1);
        if ((row->access & 15) < 4 && !accessed(row, false))
            continue; /* a breakpoint or counter that is not there */
        if (row->fgt_read && (row->access & 15) < 4)
            fine_trap_of_register(row, row->fgt_read, false), count++;
        if (row->fgt_write && row->access >> 4 < 4 && row->offset >= 0)
            fine_trap_of_register(row, row->fgt_write, true), count++;
    }
    ck_assert_uint_gt(count, 100);
    open_all(false);
    cpu->sys.scr_el3 |= BIT(27);
    cpu->sys.hfgrtr_el2 = BIT(35); /* TPIDR_EL0, but not for the applications of a host */
    cpu->sys.hcr_el2 |= BIT(34) | BIT(27);
    at(0);
    u64 v;
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 3, 13, 0, 2), 0, &v));
    cpu->sys.hfgrtr_el2 = 0;
    at(2);
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 4, 1, 1, 4), 0, ~0ull) &&
              sysreg_write(cpu, SYSREG_KEY(3, 4, 1, 1, 6), 0, ~0ull));
    ck_assert_uint_eq(cpu->sys.hfgrtr_el2 & 1, 1);
    ck_assert(sysreg_write(cpu, SYSREG_KEY(3, 4, 1, 1, 5), 0, ~0ull));
    ck_assert_uint_eq(cpu->sys.hfgwtr_el2 & (BIT(2) | BIT(9) | BIT(10) | BIT(14) | BIT(15) | BIT(18)),
                      0); /* read only */
    cpu->sys.scr_el3 &= ~BIT(27);
    at(2);
    ck_assert(!sysreg_read(cpu, SYSREG_KEY(3, 4, 1, 1, 4), 0, &v) && cpu->d.exc.target_el == 3);
}
END_TEST

/* A register of each kind, through MRS and MSR: the row's traps are asked, in quick and slow handlers alike. */
START_TEST(registers_trap)
{
    static const struct {
        u32 key;
        u8 el, write, target, ec;
        u64 hcr, mdcr, cptr;
    } table[] = {
        { SYSREG_KEY(3, 0, 1, 0, 0), 1, 1, 2, EC_SYSREG, BIT(26), 0, 0 },  /* TVM: SCTLR_EL1 */
        { SYSREG_KEY(3, 0, 1, 0, 0), 1, 0, 2, EC_SYSREG, BIT(30), 0, 0 },  /* TRVM */
        { SYSREG_KEY(3, 0, 1, 0, 1), 1, 1, 2, EC_SYSREG, BIT(21), 0, 0 },  /* TACR */
        { SYSREG_KEY(3, 0, 0, 0, 6), 1, 0, 2, EC_SYSREG, BIT(16), 0, 0 },  /* TID1: REVIDR_EL1 */
        { SYSREG_KEY(3, 1, 0, 0, 0), 1, 0, 2, EC_SYSREG, BIT(17), 0, 0 },  /* TID2: CCSIDR_EL1 */
        { SYSREG_KEY(3, 3, 0, 0, 1), 0, 0, 2, EC_SYSREG, BIT(17), 0, 0 },  /* TID2: CTR_EL0 */
        { SYSREG_KEY(3, 1, 15, 2, 0), 1, 1, 2, EC_SYSREG, BIT(20), 0, 0 }, /* TIDCP: a register that is there */
        { SYSREG_KEY(3, 1, 15, 9, 5), 1, 1, 2, EC_SYSREG, BIT(20), 0, 0 }, /* TIDCP: one that isn't */
        { SYSREG_KEY(2, 0, 0, 2, 2), 1, 1, 2, EC_SYSREG, 0, BIT(9), 0 },   /* TDA: MDSCR_EL1 */
        { SYSREG_KEY(2, 0, 0, 2, 2), 1, 1, 2, EC_SYSREG, 0, BIT(8), 0 },   /* TDE acts as TDA */
        { SYSREG_KEY(2, 0, 1, 0, 4), 1, 1, 2, EC_SYSREG, 0, BIT(10), 0 },  /* TDOSA: OSLAR_EL1 */
        { SYSREG_KEY(2, 0, 1, 0, 0), 1, 0, 2, EC_SYSREG, 0, BIT(11), 0 },  /* TDRA: MDRAR_EL1 */
        { SYSREG_KEY(3, 3, 9, 13, 0), 1, 0, 2, EC_SYSREG, 0, BIT(6), 0 },  /* TPM: PMCCNTR_EL0 */
        { SYSREG_KEY(3, 3, 9, 12, 0), 0, 1, 2, EC_SYSREG, 0, BIT(5), 0 },  /* TPMCR */
        { SYSREG_KEY(3, 0, 1, 0, 2), 1, 1, 2, EC_SYSREG, 0, 0, BIT(31) },  /* TCPAC: CPACR_EL1 */
        { SYSREG_KEY(3, 3, 4, 4, 0), 1, 0, 2, EC_FP_TRAP, 0, 0, BIT(10) }, /* TFP: FPCR */
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        u64 v;
        open_all(false);
        at(table[n].el);
        bool there = sysreg_find(table[n].key);
        bool ok = table[n].write ? sysreg_write(cpu, table[n].key, 5, 0) : sysreg_read(cpu, table[n].key, 5, &v);
        ck_assert_msg(ok == there, "row %u open", n);
        open_all(false);
        cpu->sys.hcr_el2 |= table[n].hcr, cpu->sys.mdcr_el2 |= table[n].mdcr, cpu->sys.cptr_el2 |= table[n].cptr;
        at(table[n].el);
        ok = table[n].write ? sysreg_write(cpu, table[n].key, 5, 0) : sysreg_read(cpu, table[n].key, 5, &v);
        ck_assert_msg(!ok && cpu->d.exc.ec == table[n].ec && cpu->d.exc.target_el == table[n].target, "row %u trapped",
                      n);
    }
}
END_TEST

/* EL1's controls before EL2's before EL3's: CTR_EL0 under UCT, TID2; then MDCR_EL2 before MDCR_EL3. */
START_TEST(order_of_controls)
{
    u64 v;
    open_all(false);
    cpu->sys.sctlr_el1 &= ~BIT(15);
    cpu->sys.hcr_el2 |= BIT(17);
    at(0);
    ck_assert(!sysreg_read(cpu, SYSREG_KEY(3, 3, 0, 0, 1), 0, &v));
    ck_assert_uint_eq(cpu->d.exc.target_el, 1);
    cpu->sys.hcr_el2 |= BIT(27); /* TGE: EL1 has nothing to say, EL2 hears of it */
    at(0);
    ck_assert(!sysreg_read(cpu, SYSREG_KEY(3, 3, 0, 0, 1), 0, &v));
    ck_assert_uint_eq(cpu->d.exc.target_el, 2);
    open_all(false);
    cpu->sys.mdcr_el2 |= BIT(9);
    cpu->sys.mdcr_el3 |= BIT(9);
    at(1);
    ck_assert(!sysreg_read(cpu, SYSREG_KEY(2, 0, 0, 2, 2), 0, &v));
    ck_assert_uint_eq(cpu->d.exc.target_el, 2);
    cpu->sys.mdcr_el2 &= ~BIT(9);
    at(1);
    ck_assert(!sysreg_read(cpu, SYSREG_KEY(2, 0, 0, 2, 2), 0, &v));
    ck_assert_uint_eq(cpu->d.exc.target_el, 3);
}
END_TEST

/* What is kept of the traps agrees with asking, before and after it is learnt. */
START_TEST(learnt_traps_agree)
{
    open_all(false);
    cpu->sys.hcr_el2 |= BIT(18) | BIT(26);
    at(1);
    ck_assert(cpu->d.live_traps[1] == TRAPS_UNKNOWN);
    for (unsigned n = 0; n < 64; n++) {
        u64 v;
        ck_assert(!sysreg_read(cpu, SYSREG_KEY(3, 0, 0, 4, 0), 0, &v)); /* TID3 */
        ck_assert(!sysreg_write(cpu, SYSREG_KEY(3, 0, 2, 0, 0), 0, 0)); /* TVM */
        ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 0, 2, 0, 0), 0, &v));
    }
    ck_assert(cpu->d.live_traps[1] == trap_live(cpu, 1));
    ck_assert(cpu->d.live_traps[1] & LIVE(TVM) && !(cpu->d.live_traps[1] & LIVE(TACR)));
}
END_TEST

/* ---- system instructions ---- */

static bool sys(u32 key)
{
    const struct sysop *op = sysop_find(key);
    return sysop_run(cpu, op, key, 9, 0);
}

START_TEST(fine_traps_of_instructions)
{
    remake("max", true, true);
    const struct sysop *op;
    unsigned count = 0;
    for (unsigned n = 0; (op = sysop_get(n)); n++) {
        if (op->lowest > 1)
            continue;
        unsigned name = 0;
        open_all(false);
        cpu->sys.scr_el3 |= BIT(27);
        cpu->sys.hfgitr_el2 = ~0ull;
        at(1);
        ck_assert_msg(!sysop_run(cpu, op, op->key, 9, 0x1000), "%s", op->name);
        name = cpu->d.exc.cause.id;
        ck_assert(trapped_by(name) && name >= FGT_FIRST);
        ck_assert_uint_eq(cpu->d.exc.iss, sysreg_iss(op->key, 9, true));
        count++;
        if (strncmp(op->name, "TLBI", 4))
            continue; /* the others need memory */
        cpu->sys.hfgitr_el2 = ~BIT(trap_get(name)->lo);
        at(1);
        memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
        sysop_run(cpu, op, op->key, 9, 0x1000);
        ck_assert_msg(cpu->d.exc.ec != EC_SYSREG || !trapped_by(name), "%s", op->name);
    }
    ck_assert_uint_gt(count, 60);
}
END_TEST

START_TEST(system_instructions)
{
    open_all(false);
    at(1);
    ck_assert(sys(SYSREG_KEY(1, 0, 7, 1, 0)));  /* IC IALLUIS */
    ck_assert(sys(SYSREG_KEY(1, 0, 7, 6, 2)));  /* DC ISW */
    ck_assert(!sys(SYSREG_KEY(1, 4, 8, 7, 4))); /* TLBI ALLE1 is EL2's */
    ck_assert_uint_eq(cpu->d.exc.ec, EC_UNKNOWN);
    cpu->sys.hcr_el2 |= BIT(22) | BIT(24) | BIT(25);
    at(1);
    ck_assert(!sys(SYSREG_KEY(1, 0, 7, 6, 2)) && cpu->d.exc.target_el == 2); /* TSW */
    ck_assert(!sys(SYSREG_KEY(1, 0, 7, 1, 0)) && cpu->d.exc.target_el == 2); /* TPU */
    ck_assert(!sys(SYSREG_KEY(1, 0, 8, 7, 0)) && cpu->d.exc.target_el == 2); /* TTLB */
    ck_assert_uint_eq(cpu->d.exc.ec, EC_SYSREG);
    ck_assert_uint_eq(cpu->d.exc.iss, 1u << 20 | 8 << 10 | 9 << 5 | 7 << 1);
    open_all(false);
    cpu->sys.sctlr_el1 &= ~(BIT(26) | BIT(14));
    at(0);
    ck_assert(!sys(SYSREG_KEY(1, 3, 7, 10, 1)) && cpu->d.exc.target_el == 1); /* DC CVAC: UCI */
    ck_assert(!sys(SYSREG_KEY(1, 3, 7, 4, 1)) && cpu->d.exc.target_el == 1);  /* DC ZVA: DZE */
    u64 v;
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 3, 0, 0, 7), 0, &v) && bit(v, 4)); /* DCZID_EL0.DZP */
    at(1);
    ck_assert(sysreg_read(cpu, SYSREG_KEY(3, 3, 0, 0, 7), 0, &v) && !bit(v, 4));
}
END_TEST

Suite *test_sysreg_suite(void)
{
    Suite *s = suite_create("sysreg");
    TCase *t = tcase_create("sysreg");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, rows_are_consistent);
    tcase_add_test(t, storage_has_one_owner);
    tcase_add_test(t, reset_values);
    tcase_add_test(t, written_registers);
    tcase_add_test(t, loud_reset);
    tcase_add_test(t, id_registers_say_aarch64_only);
    tcase_add_test(t, models_show_their_manuals_values);
    tcase_add_test(t, bits_that_exist);
    tcase_add_test(t, bits_of_max);
    tcase_add_test(t, caches_of_tags);
    tcase_add_test(t, bits_of_absent_features);
    tcase_add_test(t, undefined_registers);
    tcase_add_test(t, sp_el0_in_use);
    tcase_add_test(t, el2_absent);
    tcase_add_test(t, reserved_id_space);
    tcase_add_test(t, redirection_at_el2);
    tcase_add_test(t, identity_seen_by_a_guest);
    tcase_add_test(t, every_control);
    tcase_add_test(t, controls_elsewhere);
    tcase_add_test(t, registers_trap);
    tcase_add_test(t, fine_traps_of_registers);
    tcase_add_test(t, fine_traps_of_instructions);
    tcase_add_test(t, order_of_controls);
    tcase_add_test(t, learnt_traps_agree);
    tcase_add_test(t, system_instructions);
    suite_add_tcase(s, t);
    return s;
}
