/* Two-stage translation: stage-2 faults as EL2 sees them (ISV and the load's syndrome, FAR, HPFAR, S1PTW), VMIDs,
 * AT S12.
 * Arm ARM D8.2 (stage 2), D19.2 (ISS of data aborts; HPFAR_EL2). */
#include "rt.h"

#define FSC_SIZE(l)   (0x00 | (l))
#define FSC_TRANS(l)  (0x04 | (l))
#define FSC_AF(l)     (0x08 | (l))
#define FSC_PERM(l)   (0x0c | (l))
#define WNR   BIT(6)
#define S1PTW BIT(7)
#define CM    BIT(8)
#define HCR_PTW BIT(2)
#define HCR_DC  BIT(12)
/* ISS[24:14] of one load or store: ISV 1, log2 of the size, sign extension, register, 64-bit, acquire/release */
#define LS(size, sse, rt, sf, ar) (BIT(24) | (size) << 22 | (sse) << 21 | (rt) << 16 | (sf) << 15 | (ar) << 14)

#define T 0x80000000ul                  /* IPAs of test pages */

CODE(ldrb_w3, "ldrb w3, [x0]");
CODE(ldrsb_x4, "ldrsb x4, [x0]");
CODE(ldrsb_w4, "ldrsb w4, [x0]");
CODE(ldrh_w5, "ldrh w5, [x0]");
CODE(ldrsw_x6, "ldrsw x6, [x0]");
CODE(ldr_w7, "ldr w7, [x0]");
CODE(ldr_x8, "ldr x8, [x0]");
CODE(ldr_xzr, "ldr xzr, [x0]");
CODE(ldr_x1_off, "sub x0, x0, #8\nldr x1, [x0, #8]");
CODE(ldr_x1_reg, "mov x2, #0\nldr x1, [x0, x2, lsl #3]");
CODE(str_w9, "str w9, [x0]");
CODE(str_x10, "str x10, [x0]");
CODE(strb_wzr, "strb wzr, [x0]");
CODE(ldar_x1, "ldar x1, [x0]");
CODE(stlr_w1, "stlr w1, [x0]");
CODE(ldtr_x1, "ldtr x1, [x0]");
CODE(ldp_x1, "ldp x1, x2, [x0]");
CODE(ldr_post, "ldr x1, [x0], #8");
CODE(ldxr_x1, "ldxr x1, [x0]");
CODE(ldr_q0, ".inst 0x3dc00000"); /* LDR Q0, [X0] */
CODE(prfm, "prfm pldl1keep, [x0]");
CODE(do_br, "stp x29, x30, [sp, #-16]!\nblr x0\nldp x29, x30, [sp], #16");
CODE(do_cvac, "dc cvac, x0");
CODE(do_at, "at s1e1r, x0");
CODE(do_ldr, "ldr x0, [x0]");
CODE(do_str, "str x1, [x0]");

static u8 page[2][4096] __attribute__((aligned(4096)));
static u64 *s1, *s2;

struct row {
    const char *what;
    u64 (*fn)(u64, u64);
    u64 attr; /* level 3 descriptor of the IPA; 0: invalid */
    u64 iss;  /* 0: no fault */
};

#define N (PT_AF | PT_SH | S2_NORMAL)

static const struct row rows[] = {
    { "LDRB W3", ldrb_w3, 0, LS(0, 0, 3, 0, 0) | FSC_TRANS(3) },
    { "LDRSB X4", ldrsb_x4, 0, LS(0, 1, 4, 1, 0) | FSC_TRANS(3) },
    { "LDRSB W4", ldrsb_w4, 0, LS(0, 1, 4, 0, 0) | FSC_TRANS(3) },
    { "LDRH W5", ldrh_w5, 0, LS(1, 0, 5, 0, 0) | FSC_TRANS(3) },
    { "LDRSW X6", ldrsw_x6, 0, LS(2, 1, 6, 1, 0) | FSC_TRANS(3) },
    { "LDR W7", ldr_w7, 0, LS(2, 0, 7, 0, 0) | FSC_TRANS(3) },
    { "LDR X8", ldr_x8, 0, LS(3, 0, 8, 1, 0) | FSC_TRANS(3) },
    { "LDR XZR", ldr_xzr, 0, LS(3, 0, 31, 1, 0) | FSC_TRANS(3) },
    { "LDR X1, immediate offset", ldr_x1_off, 0, LS(3, 0, 1, 1, 0) | FSC_TRANS(3) },
    { "LDR X1, register offset", ldr_x1_reg, 0, LS(3, 0, 1, 1, 0) | FSC_TRANS(3) },
    { "STR W9", str_w9, 0, LS(2, 0, 9, 0, 0) | FSC_TRANS(3) | WNR },
    { "STR X10", str_x10, 0, LS(3, 0, 10, 1, 0) | FSC_TRANS(3) | WNR },
    { "STRB WZR", strb_wzr, 0, LS(0, 0, 31, 0, 0) | FSC_TRANS(3) | WNR },
    { "LDAR X1: AR", ldar_x1, 0, LS(3, 0, 1, 1, 1) | FSC_TRANS(3) },
    { "STLR W1: AR", stlr_w1, 0, LS(2, 0, 1, 0, 1) | FSC_TRANS(3) | WNR },
    { "LDTR X1", ldtr_x1, 0, LS(3, 0, 1, 1, 0) | FSC_TRANS(3) },
    { "LDP: no ISV", ldp_x1, 0, FSC_TRANS(3) },
    { "LDR with write-back: no ISV", ldr_post, 0, FSC_TRANS(3) },
    { "LDXR: no ISV", ldxr_x1, 0, FSC_TRANS(3) },
    { "LDR Q0: no ISV", ldr_q0, 0, FSC_TRANS(3) },
    { "PRFM does not fault", prfm, 0, 0 },
    { "DC CVAC: CM and WnR", do_cvac, 0, FSC_TRANS(3) | WNR | CM },
    { "AF clear", ldr_x8, N & ~PT_AF, LS(3, 0, 8, 1, 0) | FSC_AF(3) },
    { "S2AP 0: load", ldr_x8, N, LS(3, 0, 8, 1, 0) | FSC_PERM(3) },
    { "S2AP 1: load", ldr_x8, N | S2_AP(1), 0 },
    { "S2AP 1: store", str_x10, N | S2_AP(1), LS(3, 0, 10, 1, 0) | FSC_PERM(3) | WNR },
    { "S2AP 2: load", ldr_x8, N | S2_AP(2), LS(3, 0, 8, 1, 0) | FSC_PERM(3) },
    { "S2AP 2: store", str_x10, N | S2_AP(2), 0 },
    { "S2AP 3: load", ldr_x8, N | S2_AP(3), 0 },
    { "fetch, invalid", do_br, 0, FSC_TRANS(3) },
    { "fetch, AF clear", do_br, N & ~PT_AF, FSC_AF(3) },
    { "fetch, XN", do_br, N | S2_AP(3) | PT_XN, FSC_PERM(3) },
    { "fetch, allowed", do_br, N | S2_AP(3), 0 },
};

static void s2_set(u64 ipa, u64 descriptor)
{
    *pt_entry(s2, ipa, 3) = descriptor;
    tlb_flush();
}

static void run_row(const struct row *r, u64 ipa)
{
    bool fetch = r->fn == do_br;
    *(volatile u32 *)page[0] = 0xd65f03c0; /* RET */
    s2_set(ipa, r->attr ? (u64)page[0] | r->attr | 3 : 0);
    asm volatile("ic iallu; dsb sy; isb");
    u64 va = fetch ? ipa : ipa + 0x120; /* aligned for all: stage 1 is off, so this is device memory */
    try_el(1, r->fn, va, 0);
    if (!r->iss) {
        check_eq(r->what, EXC.count, 0);
        return;
    }
    check_exc(r->what, 2, fetch ? EC_IABT_LOWER : EC_DABT_LOWER, r->iss);
    if (EXC.count && EXC.far != va)
        check_eq("  FAR_EL2", EXC.far, va);
    if (EXC.count && (r->iss & 0x3c) != FSC_PERM(0) && EXC.hpfar != ipa >> 12 << 4)
        check_eq("  HPFAR_EL2", EXC.hpfar, ipa >> 12 << 4);
}

static void levels(void)
{
    try_el(1, do_ldr, 0x3000000000, 0);
    check_eq("level 1 invalid: DFSC", EXC.esr & 0x3f, FSC_TRANS(1));
    check_eq("  HPFAR_EL2", EXC.hpfar, 0x3000000000 >> 8);
    pt_entry(s2, T, 2);
    try_el(1, do_ldr, T + 0x3fe00000, 0);
    check_eq("level 2 invalid: DFSC", EXC.esr & 0x3f, FSC_TRANS(2));
    try_el(1, do_ldr, 1ul << 39, 0);
    check_eq("IPA above VTCR_EL2.T0SZ, stage 1 off: translation fault, level 0", EXC.esr & 0x3f, FSC_TRANS(0));
    check_eq("  it is a stage-2 fault, HPFAR_EL2", EXC.hpfar, (1ul << 39) >> 8);
    s2_set(T + 0x9000, BIT(45) | N | S2_AP(3) | 3);
    try_el(1, do_ldr, T + 0x9000, 0);
    check_eq("output address too large: DFSC", EXC.esr & 0x3f, FSC_SIZE(3));
}

/* Stage 1 on: VA 0x90000000 + n -> IPA T + n by stage 1; then faults of either stage. */
static void both_stages(void)
{
    u64 va = 0x90000000, ipa = T + 0x200000, table_ipa = T + 0x300000;
    s1 = pt_identity(S1_EL1);
    *pt_entry(s1, va, 3) = (ipa + 0x1000) | RAM_ATTR | 3;
    *pt_entry(s1, va + 0x1000, 3) = (u64)page[0] | RAM_ATTR | PT_AP(2) | 3;
    *pt_entry(s1, va + 0x200000, 2) = table_ipa | 3; /* a level 3 table at an IPA that stage 2 does not map */
    WRITE(mair_el1, 0xff04);
    WRITE(tcr_el1, 25ul | 1ul << 8 | 1ul << 10 | 3ul << 12 | BIT(23) | 2ul << 32);
    WRITE(ttbr0_el1, s1);
    WRITE(sctlr_el1, 0x30d00800 | BIT(12) | BIT(2) | BIT(0));
    tlb_flush();

    s2_set(ipa + 0x1000, 0);
    try_el(1, do_ldr, va + 0x10, 0);
    check_exc("both stages: data at an unmapped IPA", 2, EC_DABT_LOWER, LS(3, 0, 0, 1, 0) | FSC_TRANS(3));
    check_eq("  FAR_EL2 is the VA", EXC.far, va + 0x10);
    check_eq("  HPFAR_EL2 is the IPA", EXC.hpfar, (ipa + 0x1000) >> 8);
    try_el(1, do_ldr, va + 0x2000, 0);
    check_exc("both stages: stage 1 faults go to EL1", 1, EC_DABT, FSC_TRANS(3));
    try_el(1, do_str, va + 0x1000, 0);
    check_exc("both stages: stage 1 permission goes to EL1", 1, EC_DABT, FSC_PERM(3) | WNR);
    s2_set((u64)page[0], 0);
    try_el(1, do_str, va + 0x1000, 0);
    check_exc("stage 1 permission fault comes before stage 2's translation fault", 1, EC_DABT, FSC_PERM(3) | WNR);
    s2_set((u64)page[0], (u64)page[0] | N | S2_AP(3) | 3);

    try_el(1, do_str, va + 0x200008, 0);
    u64 iss = BITS(EXC.esr, 13, 0) & ~WNR; /* its WnR is not checked */
    check_eq("stage-2 fault on a stage-1 walk: S1PTW", iss, S1PTW | FSC_TRANS(3));
    check_eq("  no ISV", BITS(EXC.esr, 24, 24), 0);
    check_eq("  FAR_EL2 is the VA", EXC.far, va + 0x200008);
    check_eq("  HPFAR_EL2 is the descriptor's IPA", EXC.hpfar, table_ipa >> 8);
    try_el(1, do_br, va + 0x200000, 0);
    check_exc("the same for a fetch", 2, EC_IABT_LOWER, S1PTW | FSC_TRANS(3));
    s2_set(table_ipa, (u64)page[1] | N | 3);
    try_el(1, do_ldr, va + 0x200008, 0);
    check_eq("stage-2 permission fault on a stage-1 walk", EXC.esr & 0x3ff & ~WNR, S1PTW | FSC_PERM(3));
    check_eq("  HPFAR_EL2 is valid because of S1PTW", EXC.hpfar, table_ipa >> 8);
    s2_set(table_ipa, (u64)page[1] | PT_AF | S2_DEVICE | S2_AP(3) | 3);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_PTW);
    ISB();
    try_el(1, do_ldr, va + 0x200008, 0);
    check_eq("HCR_EL2.PTW: a walk in device memory is a permission fault", EXC.esr & 0x3ff & ~WNR, S1PTW | FSC_PERM(3));
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_PTW);
    tlb_flush();
    try_el(1, do_ldr, va + 0x200008, 0);
    check_exc("without PTW the walk goes on: descriptor 0", 1, EC_DABT, FSC_TRANS(3));
    s2_set(table_ipa, 0);
    try_el(1, do_at, va + 0x200008, 0);
    check_eq("AT S1E1R at EL1, stage-2 fault on the walk: taken to EL2", EXC.count && EXC.el == 2, 1);
    check_eq("  CM, S1PTW, DFSC", EXC.esr & 0x1bf, CM | S1PTW | FSC_TRANS(3));
}

#define AT(op, va) ({ asm volatile("at " #op ", %0; isb" : : "r"((u64)(va)) : "memory"); READ(par_el1); })

static void address_translation(void)
{
    u64 va = 0x90000000;
    check_eq("AT S12E1R from EL2: stage-2 fault", AT(s12e1r, va) & 0x27f, 1 | FSC_TRANS(3) << 1 | BIT(9));
    check_eq("AT S1E1R from EL2: only stage 1, the IPA", AT(s1e1r, va + 0x345) & 0xfffffffff001, T + 0x201000);
    s2_set(T + 0x201000, (u64)page[1] | N | S2_AP(1) | 3);
    check_eq("AT S12E1R: the PA", AT(s12e1r, va) & 0xfffffffff001, (u64)page[1]);
    check_eq("AT S12E1W: stage-2 permission", AT(s12e1w, va) & 0x27f, 1 | FSC_PERM(3) << 1 | BIT(9));
    check_eq("AT S12E0R: stage-1 permission", AT(s12e0r, va) & 0x27f, 1 | FSC_PERM(3) << 1);
    check_eq("AT S12E1R: stage-2 fault on the walk: S, PTW", AT(s12e1r, va + 0x200000) & 0x37f,
             1 | FSC_TRANS(3) << 1 | BIT(8) | BIT(9));
    WRITE(sctlr_el1, 0x30d00800);
    ISB();
    tlb_flush();
}

static void vmids(void)
{
    u64 ipa = T + 0x400000, *other = pt_identity(S2);
    *(volatile u64 *)page[0] = 111;
    *(volatile u64 *)page[1] = 222;
    *pt_entry(other, ipa, 3) = (u64)page[1] | N | S2_AP(3) | 3;
    s2_set(ipa, (u64)page[0] | N | S2_AP(3) | 3);
    check_eq("VMID 1", call_el(1, do_ldr, ipa, 0), 111);
    WRITE(vttbr_el2, (u64)other | 2ul << 48);
    ISB();
    check_eq("VMID 2, without TLBI", call_el(1, do_ldr, ipa, 0), 222);
    WRITE(vttbr_el2, (u64)s2 | 1ul << 48);
    ISB();
    check_eq("VMID 1 again", call_el(1, do_ldr, ipa, 0), 111);
    *pt_entry(s2, ipa, 3) = (u64)page[1] | N | S2_AP(3) | 3;
    DSB();
    asm volatile("tlbi ipas2e1is, %0; dsb ish; tlbi vmalle1is; dsb ish; isb" : : "r"(ipa >> 12) : "memory");
    check_eq("TLBI IPAS2E1IS and VMALLE1IS: the new mapping", call_el(1, do_ldr, ipa, 0), 222);
    WRITE(hcr_el2, READ(hcr_el2) & ~1ul);
    ISB();
    check_eq("HCR_EL2.VM 0: the IPA is the PA", call_el(1, do_ldr, (u64)page[0], 0), 111);
}

void test_main(void)
{
    s2 = pt_identity(S2);
    stage2_on(s2, 1);
    WRITE(cpacr_el1, 3ul << 20);
    for (u32 i = 0; i < COUNT(rows); i++)
        run_row(&rows[i], T + 0x100000 + i * 0x1000);
    levels();
    both_stages();
    address_translation();
    vmids();
    finish();
}
