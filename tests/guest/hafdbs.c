/* Hardware management of the access flag and of dirty state, at both stages, and of stage-1 tables that lie behind
 * stage 2. Arm ARM D8.4.7 and D8.4.8 (FEAT_HAFDBS), D19.2 (TCR_EL1.{HA, HD}, VTCR_EL2.{HA, HD}). */
#include "rt.h"

#define PERM3    0x0ful
#define AF3      0x0bul
#define WNR      BIT(6)
#define S1PTW    BIT(7)
#define DBM      BIT(51)
#define RO       PT_AP(2) /* stage 1: AP[2]; with DBM: writable, clean */
#define S2_CLEAN (S2_AP(1) | DBM)
#define TCR_HA   BIT(39)
#define TCR_HD   BIT(40)
#define VTCR_HA  BIT(21)
#define VTCR_HD  BIT(22)
#define VA       0x80000000ul /* mapped by the stage 1 of the identity map */
#define VA2      0x90000000ul /* mapped by a level 3 table at TABLE */
#define IPA      0xa0000000ul
#define TABLE    0xa0100000ul

CODE(do_ldr, "ldr x0, [x0]");
CODE(do_str, "str x1, [x0]");

static u64 page[512] __attribute__((aligned(4096)));
static volatile u64 table[512] __attribute__((aligned(4096)));
static u64 *s1, *s2;

static void controls(u64 tcr, u64 vtcr)
{
    WRITE(tcr_el1, (READ(tcr_el1) & ~(TCR_HA | TCR_HD)) | tcr);
    WRITE(vtcr_el2, (READ(vtcr_el2) & ~(VTCR_HA | VTCR_HD)) | vtcr);
    ISB();
    tlb_flush();
}

static volatile u64 *entry(u64 *root, u64 address, u64 descriptor)
{
    volatile u64 *e = pt_entry(root, address, 3);
    *e = descriptor;
    tlb_flush();
    return e;
}

static u64 s1_desc(u64 attr) { return (u64)page | PT_SH | PT_NORMAL | attr | 3; }
static u64 s2_desc(const volatile u64 *to, u64 attr) { return (u64)to | PT_SH | S2_NORMAL | attr | 3; }

static void stage1(void)
{
    controls(0, 0);
    volatile u64 *e = entry(s1, VA, s1_desc(0));
    try_el(1, do_ldr, VA, 0);
    check_exc("HA 0: Access flag fault", 1, EC_DABT, AF3);
    controls(TCR_HA, 0);
    try_el(1, do_ldr, VA, 0);
    check_eq("HA 1: no fault", EXC.count, 0);
    check_eq("  the flag is set in the descriptor", *e, s1_desc(PT_AF));
    e = entry(s1, VA, s1_desc(PT_AF | RO | DBM));
    try_el(1, do_str, VA, 1);
    check_exc("HD 0: DBM is nothing", 1, EC_DABT, PERM3 | WNR);
    controls(TCR_HA | TCR_HD, 0);
    try_el(1, do_ldr, VA, 0);
    check_eq("HD 1: a load leaves it clean", *e, s1_desc(PT_AF | RO | DBM));
    try_el(1, do_str, VA, 1);
    check_eq("HD 1: a store does not fault", EXC.count, 0);
    check_eq("  and makes it dirty: AP[2] 0", *e, s1_desc(PT_AF | DBM));
    e = entry(s1, VA, s1_desc(RO));
    try_el(1, do_str, VA, 1);
    check_exc("a store without DBM: permission fault", 1, EC_DABT, PERM3 | WNR);
    entry(s1, VA, s1_desc(PT_AF));
}

static void stage2(void)
{
    entry(s1, VA, IPA | RAM_ATTR | 3);
    controls(0, VTCR_HA);
    volatile u64 *e = entry(s2, IPA, s2_desc(page, S2_AP(3)));
    try_el(1, do_ldr, VA, 0);
    check_eq("stage 2, HA 1: no fault", EXC.count, 0);
    check_eq("  the flag is set", *e, s2_desc(page, S2_AP(3) | PT_AF));
    controls(0, VTCR_HA | VTCR_HD);
    e = entry(s2, IPA, s2_desc(page, S2_CLEAN | PT_AF));
    try_el(1, do_str, VA, 1);
    check_eq("stage 2, HD 1: a store does not fault", EXC.count, 0);
    check_eq("  and makes it dirty: S2AP[1] 1", *e, s2_desc(page, S2_AP(3) | DBM | PT_AF));
}

/* The stage-1 table is data of stage 2: walking reads it, setting its flags writes it. */
static void tables_behind_stage2(void)
{
    *pt_entry(s1, VA2, 2) = TABLE | 3;
    table[0] = s1_desc(PT_AF);
    controls(0, VTCR_HA | VTCR_HD);
    volatile u64 *e = entry(s2, TABLE, s2_desc(table, S2_CLEAN));
    try_el(1, do_ldr, VA2, 0);
    check_eq("a walk through a table whose stage 2 has no flag: no fault", EXC.count, 0);
    check_eq("  stage 2's flag is set, the table is clean", *e, s2_desc(table, S2_CLEAN | PT_AF));
    controls(TCR_HA | TCR_HD, VTCR_HA | VTCR_HD);
    table[0] = s1_desc(RO | DBM);
    e = entry(s2, TABLE, s2_desc(table, S2_CLEAN | PT_AF));
    try_el(1, do_str, VA2, 1);
    check_eq("a store that sets flags in that table: no fault", EXC.count, 0);
    check_eq("  stage 1 is accessed and dirty", table[0], s1_desc(PT_AF | DBM));
    check_eq("  and so is the table's page at stage 2", *e, s2_desc(table, S2_AP(3) | DBM | PT_AF));
    table[0] = s1_desc(0);
    e = entry(s2, TABLE, s2_desc(table, S2_AP(1) | PT_AF));
    try_el(1, do_ldr, VA2, 0);
    check_eq("a flag to be set in a table that stage 2 has read-only: to EL2", EXC.el << 8 | esr_ec(EXC.esr),
             2 << 8 | EC_DABT_LOWER);
    check_eq("  permission fault, S1PTW", EXC.esr & (S1PTW | 0x3f), S1PTW | PERM3);
    check_eq("  HPFAR_EL2 is the table's", EXC.hpfar, TABLE >> 8);
    check_eq("  the flag is not set", table[0], s1_desc(0));
}

void test_main(void)
{
    s2 = pt_identity(S2);
    stage2_on(s2, 1);
    s1 = pt_identity(S1_EL1);
    mmu_on_el1(s1);
    stage1();
    stage2();
    tables_behind_stage2();
    finish();
}
