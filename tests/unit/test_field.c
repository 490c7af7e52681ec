/*
 * The fields of registers (cpu/field.def) against the other tables that know where a field lies: a control that traps
 * (cpu/traps.def, cpu/fgt.def) is a field of its register, and what software can write has a name.
 */
#include <check.h>
#include <strings.h>

#include "cpu/sysreg.h"

Suite *test_field_suite(void);

static const struct {
    const char *layout, *name;
    unsigned hi, lo;
} fields[] = {
#define FIELD(layout, name, hi, lo) { #layout, #name, hi, lo },
#include "cpu/field.def"
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
        ck_assert_msg(k < ARRAY_LEN(fields) && fields[k].hi == row->hi, "%s.%s<%u:%u>: no such field", row->reg,
                      row->name, row->hi, row->lo);
        found++;
    }
    ck_assert_uint_gt(found, 100);
}
END_TEST

/* SPSR_ELx keeps all of its lower half, AArch32's fields among it. */
START_TEST(what_is_written_has_a_name)
{
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        const char *layout = layout_of(row->name);
        u64 writable = row->mask;
        for (const struct sysreg_bits *b = row->opt; b && b->bits; b++)
            writable |= b->bits;
        if (layout && row->mask && strcmp(layout, "SPSR"))
            ck_assert_msg(!(writable & ~named_bits(layout)), "%s: bits %llx can be written and have no name", row->name,
                          (unsigned long long)(writable & ~named_bits(layout)));
    }
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
    suite_add_tcase(s, t);
    return s;
}
