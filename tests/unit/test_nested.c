/*
 * Nested virtualization (Arm ARM D8.11, HCR_EL2 in D19.2): the table of VNCR_EL2's page against the table of registers;
 * every register and instruction of EL2 from EL1, with the cause that is named: HCR_EL2.NV, and that it is UNDEFINED
 * when just that bit, or the feature, is taken away. What the page does to memory: tests/guest/nested.c.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/model.h"
#include "cpu/sysreg/nested.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"
#include "gic/gic.h"

Suite *test_nested_suite(void);

static const u64 hcr_nv = BIT(42), hcr_nv1 = BIT(43), hcr_nv2 = BIT(45);
static struct cpu *cpu;
static struct gic *gic;

static void setup(void)
{
    char error[256];
    struct cpu_model m;
    ck_assert(model_parse("max", true, false, &m, error));
    cpu = calloc(1, sizeof *cpu);
    gic = calloc(1, sizeof *gic);
    ck_assert(cpu && gic);
    model_apply(&m, cpu);
    cpu->d.host.gic = gic;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu_reset(cpu);
    gic_reset(gic, cpu, 1, false);
}
static void teardown(void) { free(cpu), free(gic); }

static const struct vncr_row {
    const char *name;
    u32 key;
    u16 offset;
} vncr_rows[] = {
#define VNCR(offset, NAME, op0, op1, crn, crm, op2, WHEN) { #NAME, SYSREG_KEY(op0, op1, crn, crm, op2), offset },
#include "cpu/sysreg/vncr.def"
};

/* The table names registers as theirs does, and no doubleword is two registers' but for the names of one. */
START_TEST(table)
{
    const u32 op1 = SYSREG_KEY(0, 7, 0, 0, 0);
    unsigned known = 0;
    for (unsigned n = 0; n < ARRAY_LEN(vncr_rows); n++) {
        const struct vncr_row *r = &vncr_rows[n];
        const struct sysreg *row = sysreg_find(r->key);
        known += row != NULL;
        if (row)
            ck_assert_str_eq(row->name, r->name);
        ck_assert_msg(r->offset % 8 == 0 && r->offset < 4096, "%s", r->name);
        ck_assert_uint_eq(nested_offset(r->key), r->offset);
        for (unsigned k = 0; k < n && r->offset; k++)
            if (vncr_rows[k].offset == r->offset)
                ck_assert_msg((vncr_rows[k].key & ~op1) == (r->key & ~op1), "%s, %s", vncr_rows[k].name, r->name);
    }
    ck_assert_uint_gt(known, 60);
}
END_TEST

static void at_el1(u64 hcr)
{
    cpu->sys.hcr_el2 = BIT(31) | hcr;
    cpu->ps.el = 1;
    cpu->ps.sp = 1;
    cpu_control_changed(cpu);
    memset(&cpu->d.exc, 0, sizeof cpu->d.exc);
}

static bool trapped_by(unsigned ec, u32 iss, unsigned bit_number)
{
    const struct exc *e = &cpu->d.exc;
    const struct trap_row *t = e->cause.kind == CAUSE_TRAP ? trap_get(e->cause.id) : NULL;
    return t && e->ec == ec && e->target_el == 2 && e->iss == iss && !strcmp(t->reg, "hcr_el2") && t->lo == bit_number;
}

static bool undefined_at_el1(void) { return cpu->d.exc.ec == EC_UNKNOWN && cpu->d.exc.target_el == 1; }

static void access_row(const struct sysreg *row, bool write, u64 hcr)
{
    u64 v;
    at_el1(hcr);
    ck_assert_msg(!(write ? sysreg_write(cpu, row->key, 7, 0) : sysreg_read(cpu, row->key, 7, &v)), "%s", row->name);
}

/* Every register that is EL2's, whatever its name. */
START_TEST(registers)
{
    const struct sysreg *row;
    unsigned count = 0;
    for (unsigned n = 0; (row = sysreg_get(n)); n++) {
        for (unsigned write = 0; write < 2; write++) {
            unsigned lowest = write ? row->access >> 4 : row->access & 15;
            u32 iss = sysreg_iss(row->key, 7, write);
            if (lowest != 2 || !cpu_has(cpu, (enum feature)row->feature) || row->check)
                continue; /* those with a check are not there in Non-secure state, or at another EL only */
            access_row(row, write, hcr_nv);
            ck_assert_msg(trapped_by(EC_SYSREG, iss, 42), "%s", row->name);
            access_row(row, write, hcr_nv1 | hcr_nv2);
            ck_assert_msg(undefined_at_el1(), "%s, NV 0", row->name);
            feature_remove(&cpu->features, FEAT_NV);
            access_row(row, write, hcr_nv);
            ck_assert_msg(undefined_at_el1(), "%s, no FEAT_NV", row->name);
            feature_add(&cpu->features, FEAT_NV);
            at_el1(hcr_nv | hcr_nv2);
            if (nested_access(cpu, row->key).kind == NESTED_NO) {
                access_row(row, write, hcr_nv | hcr_nv2);
                ck_assert_msg(trapped_by(EC_SYSREG, iss, 42), "%s, NV2", row->name);
            }
            count++;
        }
    }
    ck_assert_uint_gt(count, 100);
    access_row(sysreg_find(SYSREG_KEY(3, 6, 12, 0, 0)), false, hcr_nv);
    ck_assert_msg(undefined_at_el1(), "VBAR_EL3");
}
END_TEST

/* VBAR_EL1, ELR_EL1, SPSR_EL1: trapped by NV1 with NV, while NV2 is 0. */
START_TEST(el1_registers)
{
    static const u32 keys[] = { SYSREG_KEY(3, 0, 12, 0, 0), SYSREG_KEY(3, 0, 4, 0, 1), SYSREG_KEY(3, 0, 4, 0, 0) };
    u64 v;
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++) {
        access_row(sysreg_find(keys[n]), false, hcr_nv | hcr_nv1);
        ck_assert(trapped_by(EC_SYSREG, sysreg_iss(keys[n], 7, false), 43));
        at_el1(hcr_nv);
        ck_assert(sysreg_read(cpu, keys[n], 7, &v));
        at_el1(hcr_nv1);
        ck_assert(sysreg_read(cpu, keys[n], 7, &v));
    }
}
END_TEST

/* CNTHCTL_EL2.{EL1NVPCT,EL1NVVCT} before the page (FEAT_ECV). */
START_TEST(timers)
{
    static const struct {
        u32 key;
        unsigned bit;
    } rows[] = {
        { SYSREG_KEY(3, 5, 14, 2, 1), 15 },
        { SYSREG_KEY(3, 5, 14, 2, 2), 15 },
        { SYSREG_KEY(3, 5, 14, 3, 1), 16 },
        { SYSREG_KEY(3, 5, 14, 3, 2), 16 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        cpu->sys.cnthctl_el2 = BIT(rows[n].bit);
        access_row(sysreg_find(rows[n].key), true, hcr_nv | hcr_nv2);
        const struct exc *e = &cpu->d.exc;
        ck_assert(e->ec == EC_SYSREG && e->cause.kind == CAUSE_TRAP &&
                  !strcmp(trap_get(e->cause.id)->reg, "cnthctl_el2"));
        ck_assert_uint_eq(trap_get(e->cause.id)->lo, rows[n].bit);
        access_row(sysreg_find(rows[n].key), true, hcr_nv);
        ck_assert(trapped_by(EC_SYSREG, sysreg_iss(rows[n].key, 7, true), 42));
        cpu->sys.cnthctl_el2 = 0;
    }
}
END_TEST

/* TLB maintenance and address translation of EL2; AT of EL1 by HCR_EL2.AT. */
START_TEST(operations)
{
    const struct sysop *row;
    unsigned count = 0;
    for (unsigned n = 0; (row = sysop_get(n)); n++) {
        unsigned op1 = row->key >> 11 & 7, crn = row->key >> 7 & 15, crm = row->key >> 3 & 15;
        bool at = crn == 7 && op1 == 0 && (crm == 8 || crm == 9);
        if (!cpu_has(cpu, (enum feature)row->feature) || (row->lowest != 2 && !at))
            continue;
        at_el1(at ? BIT(44) : hcr_nv);
        ck_assert_msg(!sysop_run(cpu, row, row->key, 5, 0), "%s", row->name);
        ck_assert_msg(trapped_by(EC_SYSREG, sysreg_iss(row->key, 5, true), at ? 44 : 42), "%s", row->name);
        count++;
        if (at)
            continue;
        at_el1(BIT(44));
        ck_assert_msg(!sysop_run(cpu, row, row->key, 5, 0) && undefined_at_el1(), "%s, NV 0", row->name);
    }
    ck_assert_uint_gt(count, 40);
}
END_TEST

Suite *test_nested_suite(void)
{
    Suite *s = suite_create("nested");
    TCase *t = tcase_create("nested");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, table);
    tcase_add_test(t, registers);
    tcase_add_test(t, el1_registers);
    tcase_add_test(t, timers);
    tcase_add_test(t, operations);
    suite_add_tcase(s, t);
    return s;
}
