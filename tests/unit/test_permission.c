/*
 * Permissions (mmu/permission.c): the memory of walks (mmu/memo.c) lets an access pass by permission_sure alone, so
 * what that permits the two stages' own checks must permit, for every descriptor and every access.
 */
#include <check.h>

#include "mmu/permission.h"

Suite *test_permission_suite(void);

/* Every combination of the flags of an access that have to do with permissions. */
enum { ACCESSES = 1 << 9 };
static struct walk_access access_of(unsigned n)
{
    return (struct walk_access){ .read = n & 1,
                                 .write = n >> 1 & 1,
                                 .fetch = n >> 2 & 1,
                                 .el0 = n >> 3 & 1,
                                 .pan = n >> 4 & 1,
                                 .maintain = n >> 5 & 1,
                                 .write1 = n >> 6 & 1,
                                 .write2 = n >> 7 & 1,
                                 .unaligned = n >> 8 & 1 };
}

/* TLB_* of a whole translation, as mmu/walk.c combines them. */
static unsigned combined(struct s1_perm p1, struct s2_perm p2)
{
    const unsigned rights = TLB_UR | TLB_UW | TLB_UX | TLB_PR | TLB_PW | TLB_PX;
    unsigned second = p2.perm & ~(p2.clean ? TLB_UW | TLB_PW : 0u);
    return p1.perm & (second | ~rights);
}

/* How many accesses are sure by these permissions; each must be permitted. */
static unsigned count_sure(struct s1_perm p1, struct s2_perm p2)
{
    unsigned sure = 0;
    for (unsigned n = 0; n < ACCESSES; n++) {
        struct walk_access a = access_of(n);
        if (!permission_sure(&a, combined(p1, p2)))
            continue;
        sure++;
        ck_assert_uint_eq(permission_check1(&a, p1).rule, RULE_NONE);
        ck_assert_uint_eq(permission_check2(&a, p2).rule, RULE_NONE);
    }
    return sure;
}

/* The leaf with the five bits of n in AP<2:1>, PXN, UXN and DBM; of stage 2: S2AP, XN and DBM. */
static u64 leaf_of(unsigned n) { return (u64)(n & 3) << 6 | (u64)(n >> 2 & 3) << 53 | (u64)(n >> 4 & 1) << 51 | 3; }

START_TEST(sure_is_permitted)
{
    struct regime_desc r = { .feat = WALK_PAN3 | WALK_XNX };
    r.sctlr = (_i & 1 ? BIT(19) : 0) | (_i & 2 ? BIT(57) : 0); /* WXN, EPAN */
    r.pir = r.pire0 = r.s2pir = 0xfedcba9876543210;
    r.por = r.por0 = 0x76543210;
    r.poe = r.e0poe = _i >> 2 & 1;
    struct table t1 = { .stage = 1, .pie = _i >> 3 & 1 }, t2 = { .stage = 2, .pie = t1.pie };
    unsigned sure = 0;
    for (unsigned n = 0; n < 32; n++)
        for (unsigned k = 0; k < 32; k++) {
            struct table_rights above = { .ap = k & 3, .xn = k >> 2 & 1, .pxn = k >> 3 & 1 };
            u64 overlay = (u64)(k & 7) << 60;
            sure += count_sure(permission_stage1(&r, &t1, leaf_of(n) | overlay, above, false),
                               permission_stage2(&r, &t2, leaf_of(k)));
        }
    ck_assert_uint_gt(sure, 32 * 32 * 4); /* the memory of walks is of use */
}
END_TEST

START_TEST(what_is_missing)
{
    const struct regime_desc r = { .feat = WALK_XNX };
    const struct table t = { .stage = 2 };
    const struct {
        struct walk_access a;
        u64 desc;
        u8 rule, right;
    } rows[] = {
        { { .read = 1 }, 0, RULE_READ, RIGHT_R },
        { { .read = 1 }, BIT(6), RULE_NONE, 0 },
        { { .read = 1, .maintain = 1 }, 0, RULE_NONE, 0 },
        { { .read = 1, .write = 1 }, BIT(6), RULE_WRITE, RIGHT_W },
        { { .write2 = 1 }, 0, RULE_WRITE, RIGHT_W },
        { { .write1 = 1 }, 0, RULE_NONE, 0 },
        { { .fetch = 1 }, BIT(54), RULE_EXECUTE, RIGHT_X },
        { { .fetch = 1 }, BIT(53), RULE_EXECUTE, RIGHT_X }, /* XN = 01: EL0 only */
        { { .fetch = 1, .el0 = 1 }, BIT(53), RULE_NONE, 0 },
        { { .fetch = 1 }, BIT(54) | BIT(53), RULE_NONE, 0 }, /* XN = 11: EL1 only */
        { { .fetch = 1, .el0 = 1 }, BIT(54) | BIT(53), RULE_EXECUTE, RIGHT_X },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct denial d = permission_check2(&rows[n].a, permission_stage2(&r, &t, rows[n].desc));
        ck_assert_msg(d.rule == rows[n].rule && d.right == rows[n].right, "row %u: rule %u, right %u", n, d.rule,
                      d.right);
    }
}
END_TEST

Suite *test_permission_suite(void)
{
    Suite *s = suite_create("permission");
    TCase *c = tcase_create("permission");
    tcase_add_loop_test(c, sure_is_permitted, 0, 16);
    tcase_add_test(c, what_is_missing);
    suite_add_tcase(s, c);
    return s;
}
