/*
 * The fields of registers (cpu/field.def) against the other tables that know where a field lies: a control that traps
 * (cpu/sysreg/traps.def, cpu/sysreg/fgt.def) is a field of its register, what software can write has a name, and what
 * has a name in a control register can be written where the feature is there.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cpu/exception.h"
#include "cpu/model.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/gic.h"

Suite *test_field_suite(void);

static const struct {
    const char *layout, *name;
    unsigned hi, lo;
} fields[] = {
#define FIELD(layout, name, hi, lo) { #layout, #name, hi, lo },
#include "cpu/field.def"
#define FGT_ROW(dir, id, reg, field, at, FEATURE, EC) { #reg, field, at, at },
#include "cpu/sysreg/fgt.def"
};
static const struct {
    const char *reg, *layout;
} layouts[] = {
#define HAS(reg, layout) { #reg, #layout },
#include "cpu/field.def"
};

/* NULL: its fields are not listed. */
static const char *layout_of(const char *reg)
{
    for (unsigned n = 0; n < ARRAY_LEN(layouts); n++)
        if (!strcasecmp(layouts[n].reg, reg))
            return layouts[n].layout;
    return NULL;
}

static u64 named_bits(const char *layout)
{
    u64 named = 0;
    for (unsigned n = 0; n < ARRAY_LEN(fields); n++)
        if (!strcmp(fields[n].layout, layout))
            named |= ones(fields[n].hi - fields[n].lo + 1) << fields[n].lo;
    return named;
}

START_TEST(fields_do_not_overlap)
{
    for (unsigned n = 0; n < ARRAY_LEN(fields); n++) {
        ck_assert_msg(fields[n].hi < 64 && fields[n].lo <= fields[n].hi, "%s.%s", fields[n].layout, fields[n].name);
        for (unsigned k = n + 1; k < ARRAY_LEN(fields); k++)
            ck_assert_msg(strcmp(fields[n].layout, fields[k].layout) || fields[n].hi < fields[k].lo ||
                              fields[k].hi < fields[n].lo,
                          "%s: %s and %s overlap", fields[n].layout, fields[n].name, fields[k].name);
    }
}
END_TEST

START_TEST(registers_exist)
{
    for (unsigned n = 0; n < ARRAY_LEN(layouts); n++) {
        const struct sysreg *row;
        unsigned k = 0;
        while ((row = sysreg_get(k)) && strcasecmp(row->name, layouts[n].reg))
            k++;
        ck_assert_msg(row, "%s: no such register", layouts[n].reg);
        ck_assert_msg(named_bits(layouts[n].layout), "%s: no such layout", layouts[n].layout);
    }
}
END_TEST

/* The field of that name; where the register has another format with HCR_EL2.E2H, the one at the same place. */
static unsigned field_find(const char *layout, const struct trap_row *row)
{
    for (unsigned n = 0; n < ARRAY_LEN(fields); n++)
        if (!strcmp(fields[n].layout, layout) && !strcmp(fields[n].name, row->name) && fields[n].lo == row->lo)
            return n;
    bool formats = !strcmp(layout, "CNTHCTL");
    for (unsigned n = 0; formats && n < ARRAY_LEN(fields); n++)
        if (!strcmp(fields[n].layout, layout) && fields[n].lo == row->lo)
            return n;
    return ARRAY_LEN(fields);
}

/* A control that looks at several fields has their names in braces. */
START_TEST(traps_are_fields)
{
    unsigned found = 0;
    const struct trap_row *row;
    for (unsigned n = 0; (row = trap_get(n)); n++) {
        const char *layout = row->name[0] == '{' ? NULL : layout_of(row->reg);
        if (!layout)
            continue;
        unsigned k = field_find(layout, row);
        ck_assert_msg(k < ARRAY_LEN(fields) && fields[k].hi <= row->hi, "%s.%s<%u:%u>: no such field", row->reg,
                      row->name, row->hi, row->lo);
        found++;
    }
    ck_assert_uint_gt(found, 100);
}
END_TEST

/* SPSR_ELx keeps all of its lower half, AArch32's fields among it. */
START_TEST(what_is_written_has_a_name)
{
    struct features all;
    memset(&all, 0xff, sizeof all);
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        const char *layout = layout_of(row->name);
        u64 writable = row->layout ? field_writable(&all, (enum register_layout)row->layout) : row->mask;
        if (layout && writable && strcmp(layout, "SPSR"))
            ck_assert_msg(!(writable & ~named_bits(layout)), "%s: bits %llx can be written and have no name", row->name,
                          (unsigned long long)(writable & ~named_bits(layout)));
    }
}
END_TEST

/* What a feature brings is there with it alone; what is always there needs none. */
START_TEST(features_bring_fields)
{
    static const struct {
        enum register_layout layout;
        enum feature feature;
        u64 bits, always;
    } rows[] = {
        { LAYOUT_HCR, FEAT_VHE, BIT(HCR_E2H), BIT(HCR_VM) },
        { LAYOUT_HCR, FEAT_TWED, BIT(HCR_TWEDEn) | FIELD_MASK(HCR_TWEDEL), BIT(HCR_TWE) },
        { LAYOUT_SCR, FEAT_S1POE, BIT(SCR_PIEn), BIT(SCR_NS) }, /* either of two */
        { LAYOUT_SCR, FEAT_S1PIE, BIT(SCR_PIEn), BIT(SCR_NS) },
        { LAYOUT_VTTBR, FEAT_VMID16, 0xffull << 56, 0xffull << 48 }, /* a part of a field */
        { LAYOUT_VTTBR, FEAT_TTCNP, BIT(VTTBR_CnP), BIT(1) },
        { LAYOUT_HPFAR, FEAT_LPA, 0xfull << 40, 0xfffffffff0 },
        { LAYOUT_TCR_EL3, FEAT_HPDS2, 0xfull << TCR_EL3_HWU59, BIT(TCR_EL3_TBI) },
        { LAYOUT_hfgitr_el2, FEAT_PAN2, 3ull << 16, 0xffff & ~0x300ull },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct features none = { { 0 } };
        feature_add(&none, FEAT_BASE);
        u64 without = field_writable(&none, rows[n].layout);
        feature_add(&none, rows[n].feature);
        u64 with = field_writable(&none, rows[n].layout);
        ck_assert_msg((with & ~without) == (with & rows[n].bits) && (with & rows[n].bits) == rows[n].bits,
                      "row %u: %llx", n, (unsigned long long)(with & ~without));
        ck_assert_msg((without & rows[n].always) == rows[n].always, "row %u: %llx", n, (unsigned long long)without);
    }
    struct features el3 = { { 0 } }; /* HCR_EL2.HCD: where EL3 is not */
    feature_add(&el3, FEAT_BASE);
    ck_assert(bit(field_writable(&el3, LAYOUT_HCR), HCR_HCD));
    feature_add(&el3, FEAT_EL3);
    ck_assert(!bit(field_writable(&el3, LAYOUT_HCR), HCR_HCD));
}
END_TEST

/* Control registers, and the fields that MSR at EL3 cannot set on `max`: of AArch32, absent features, constants. */
#define SCTLR_FIXED " CP15BEN ITD SED EOS EIS nTLSMD LSMAOE " /* AArch32, FEAT_ExS, FEAT_LSMAOC */
static const struct {
    const char *reg, *fixed;
} controls[] = {
    { "SCTLR_EL1", SCTLR_FIXED },
    { "SCTLR_EL12", SCTLR_FIXED },
    { "SCTLR_EL2", SCTLR_FIXED " UMA " },
    { "SCTLR_EL3", " EOS EIS " }, /* FEAT_ExS */
    { "CPACR_EL1", " ZEN TTA " },
    { "CPTR_EL2", " TZ TSM ZEN TTA TAM " },
    { "CPTR_EL3", " EZ ESM TTA TAM " },
    { "HCR_EL2", " TID0 HCD RW AMVOFFEN " },
    { "HCRX_EL2", " EnAS0 EnALS EnASR SMPME " },
    { "SCR_EL3", " RW " },
    { "MDCR_EL2", "" },
    { "MDCR_EL3", "" },
    { "MDSCR_EL1", "" },
    { "PMCR_EL0", " P C LC N IDCODE IMP " },
    { "TCR_EL1", "" },
    { "TCR_EL3", "" },
    { "TCR2_EL1", "" },
    { "TCR2_EL2", "" },
    { "VTCR_EL2", "" },
    { "CNTKCTL_EL1", "" },
    { "CNTHCTL_EL2", "" },
};

static bool is_fixed(const char *list, const char *name)
{
    char word[64];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(list, word);
}

static const struct sysreg *row_named(const char *name)
{
    const struct sysreg *row;
    unsigned n = 0;
    while ((row = sysreg_get(n)) && strcmp(row->name, name))
        n++;
    ck_assert_msg(row, "%s", name);
    return row;
}

/* Bits that MSR at EL3 sets and clears. OSLSR_EL1.OSLK is 1 at reset: MDSCR_EL1 has what the debugger's has. */
static u64 settable(struct cpu *cpu, const struct sysreg *row, bool e2h)
{
    u64 zeroes = 0, set = 0;
    cpu_reset(cpu);
    cpu->sys.hcr_el2 |= e2h ? BIT(34) : 0;
    cpu->sys.scr_el3 |= 1;
    cpu_control_changed(cpu);
    if (row->flags & SR_E2H_ONLY && !e2h)
        return 0;
    ck_assert(sysreg_write(cpu, row->key, 0, 0) && sysreg_read(cpu, row->key, 0, &zeroes));
    ck_assert(sysreg_write(cpu, row->key, 0, ~(u64)0) && sysreg_read(cpu, row->key, 0, &set));
    return set & ~zeroes;
}

static void all_fields(struct cpu *cpu, unsigned n)
{
    const struct sysreg *row = row_named(controls[n].reg);
    const char *layout = layout_of(row->name);
    u64 can = settable(cpu, row, false) | settable(cpu, row, true);
    ck_assert_msg(layout, "%s has no fields", row->name);
    for (unsigned k = 0; k < ARRAY_LEN(fields); k++) {
        u64 field = ones(fields[k].hi - fields[k].lo + 1) << fields[k].lo;
        if (!strcmp(fields[k].layout, layout) && !is_fixed(controls[n].fixed, fields[k].name))
            ck_assert_msg((can & field) == field, "%s.%s cannot be written", row->name, fields[k].name);
        else if (!strcmp(fields[k].layout, layout))
            ck_assert_msg(!(can & field), "%s.%s can be written", row->name, fields[k].name);
    }
}

/* A field whose feature the ID registers claim is there: as software sets it. */
START_TEST(what_has_a_name_can_be_written)
{
    char error[256];
    struct cpu_model m;
    struct cpu *cpu = calloc(1, sizeof *cpu);
    struct gic *gic = calloc(1, sizeof *gic);
    ck_assert(cpu && gic && model_parse("max", true, true, &m, error));
    model_apply(&m, cpu);
    cpu->d.host.gic = gic;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    for (unsigned n = 0; n < ARRAY_LEN(controls); n++)
        all_fields(cpu, n);
    free(gic);
    free(cpu);
}
END_TEST

Suite *test_field_suite(void)
{
    Suite *s = suite_create("field");
    TCase *t = tcase_create("field");
    tcase_add_test(t, fields_do_not_overlap);
    tcase_add_test(t, registers_exist);
    tcase_add_test(t, traps_are_fields);
    tcase_add_test(t, what_is_written_has_a_name);
    tcase_add_test(t, features_bring_fields);
    tcase_add_test(t, what_has_a_name_can_be_written);
    suite_add_tcase(s, t);
    return s;
}
