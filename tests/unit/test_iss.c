/*
 * Exceptions in words (cpu/exception/words.c): each exception class's ISS by the names of its fields, from values put
 * together by hand from the layouts of Arm ARM D19.2.37 (ESR_ELx).
 */
#include <check.h>

#include "cpu/exception/words.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/walk.h"

Suite *test_iss_suite(void);

#define SYS(op0, op1, crn, crm, op2, rt, read)                                                                         \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))

static const struct {
    u32 ec, iss;
    const char *words;
} table[] = {
    /* ISS encoding for WFI, WFE, WFIT, WFET: TI, bits 1:0; CV and COND above */
    { EC_WFX, 0x1e00000, "WFI" },
    { EC_WFX, 0x1e00001, "WFE" },
    { EC_WFX, 0x1e00002 | 3 << 5 | 1 << 2, "WFIT" },
    { EC_WFX, 0x1e00003 | 31 << 5, "WFET" },
    /* SVC, HVC, SMC, BRK: imm16 */
    { EC_SVC, 0xffff, "imm 0xffff" },
    { EC_HVC, 0x1234, "imm 0x1234" },
    { EC_SMC, 0, "imm 0x0" },
    { EC_BRK, 7, "imm 0x7" },
    /* MSR, MRS and System: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, Direction 0 */
    { EC_SYSREG, SYS(3u, 0u, 1u, 0u, 0u, 5u, 0u), "write SCTLR_EL1 from x5" },
    { EC_SYSREG, SYS(3u, 0u, 2u, 0u, 2u, 30u, 1u), "read TCR_EL1 to x30" },
    { EC_SYSREG, SYS(3u, 3u, 14u, 3u, 1u, 31u, 0u), "write CNTV_CTL_EL0 from xzr" },
    { EC_SYSREG, SYS(3u, 7u, 15u, 15u, 7u, 1u, 1u), "read S3_7_C15_C15_7 to x1" },
    /* ERET: ERET 1, ERETA 0 */
    { EC_ERET_TRAP, 0, "ERET" },
    { EC_ERET_TRAP, 2, "ERETAA" },
    { EC_ERET_TRAP, 3, "ERETAB" },
    /* PAC fail: instruction or data 1, A or B 0 */
    { EC_PAC_FAIL, 0, "instruction key A" },
    { EC_PAC_FAIL, 1, "instruction key B" },
    { EC_PAC_FAIL, 2, "data key A" },
    { EC_PAC_FAIL, 3, "data key B" },
    { EC_BTI, 3, "BTYPE 3" },
    /* Instruction abort: IFSC 5:0, S1PTW 7, EA 9, FnV 10 */
    { EC_IABT_LOWER, 0x07, "fetch, translation fault, level 3" },
    { EC_IABT_SAME, 0x0d, "fetch, permission fault, level 1" },
    { EC_IABT_LOWER, 0x86, "fetch, of a stage 1 table, translation fault, level 2" },
    /* Data abort: ISV 24, SAS 23:22, SRT 20:16, SF 15, VNCR 13, CM 8, S1PTW 7, WnR 6, DFSC 5:0 */
    { EC_DABT_LOWER, 0x04, "read, translation fault, level 0" },
    { EC_DABT_SAME, 0x4f, "write, permission fault, level 3" },
    { EC_DABT_SAME, 0x146, "cache maintenance, translation fault, level 2" },
    { EC_DABT_LOWER, 1u << 24 | 2u << 22 | 9u << 16 | 0x07, "read of 4 bytes to w9, translation fault, level 3" },
    { EC_DABT_LOWER, 1u << 24 | 3u << 22 | 31u << 16 | 1u << 15 | 0x47,
      "write of 8 bytes from x31, translation fault, level 3" },
    { EC_DABT_LOWER, 1u << 24 | 0u << 22 | 1u << 16 | 0x0b, "read of 1 bytes to w1, access flag fault, level 3" },
    { EC_DABT_LOWER, 0x8b, "read, of a stage 1 table, access flag fault, level 3" },
    { EC_DABT_SAME, 1u << 13 | 0x47, "write of VNCR_EL2's page, translation fault, level 3" },
    { EC_DABT_SAME, 0x21, "read, alignment fault" },
    { EC_DABT_SAME, 0x00, "read, address size fault, level 0" },
    { EC_DABT_SAME, 0x10, "read, external abort: nothing answers at that address" },
    { EC_DABT_SAME, 0x51, "write, tag check fault" },
    { EC_IABT_SAME, 0x13, "fetch, external abort on a translation table walk" },
    { EC_IABT_SAME, 0x17, "fetch, external abort on a translation table walk" },
    { EC_IABT_SAME, 0x29, "fetch, address size fault, level -1" },
    { EC_IABT_SAME, 0x2b, "fetch, translation fault, level -1" },
    { EC_DABT_SAME, 0x71, "write, unsupported update of a descriptor" },
    { EC_DABT_SAME, 0x75, "write, unsupported exclusive or atomic access" },
    { EC_DABT_SAME, 0x3e, "read" },
    /* Memory copy and set: MemInst 24, isSETG 23, FromEpilogue 18, WrongOption 17, OptionA 16, destreg 14:10,
     * srcreg 9:5, sizereg 4:0 */
    { EC_MOPS, 1u << 16 | 1u << 10 | 2u << 5 | 3u, "copy to x1 from x2, size in x3, option A, main part" },
    { EC_MOPS, 1u << 24 | 1u << 18 | 1u << 17 | 4u << 10 | 5u << 5 | 6u,
      "set to x4 from x5, size in x6, option B, epilogue, wrong option" },
    { EC_MOPS, 3u << 23 | 1u << 16, "set with tags to x0 from x0, size in x0, option A, main part" },
    /* Software step: ISV 24, EX 6. Watchpoint: WnR 6 */
    { EC_STEP_LOWER, 1u << 24 | 1u << 6 | 0x22, "a load exclusive" },
    { EC_STEP_SAME, 1u << 24 | 0x22, "" },
    { EC_WATCH_LOWER, 0x62, "write" },
    { EC_WATCH_SAME, 0x22, "read" },
    /* no ISS */
    { EC_UNKNOWN, 0, "" },
    { EC_FP_TRAP, 0x1e00000, "" },
    { EC_ILLEGAL_STATE, 0, "" },
    { EC_PC_ALIGN, 0, "" },
    { EC_SP_ALIGN, 0, "" },
};

START_TEST(words)
{
    char text[EXC_WORDS];
    struct exc exc = { .kind = EXC_SYNC, .ec = (u8)table[_i].ec, .iss = table[_i].iss };
    exc_iss_words(&exc, text);
    ck_assert_str_eq(text, table[_i].words);
    ck_assert(*exc_class_words(&exc));
}
END_TEST

/* An interrupt has no syndrome; its class says what it is. */
START_TEST(interrupts)
{
    char text[EXC_WORDS];
    const struct exc irq = { .kind = EXC_IRQ, .iss = 5 }, vfiq = { .kind = EXC_FIQ, .is_virtual = 1 };
    exc_iss_words(&irq, text);
    ck_assert_str_eq(text, "");
    ck_assert_str_eq(exc_class_words(&irq), "IRQ");
    ck_assert_str_eq(exc_class_words(&vfiq), "vFIQ");
    ck_assert_str_eq(exc_kind_words(EXC_SERROR, false), "SError");
    ck_assert_str_eq(exc_kind_words(EXC_SERROR, true), "vSError");
    ck_assert_str_eq(exc_kind_words(EXC_SYNC, false), "");
}
END_TEST

/* Each class of cpu/ec.def has words of its own; other numbers have none. */
START_TEST(classes)
{
    static const u8 numbers[] = {
#define EC(name, number, words, iss) EC_##name,
#include "cpu/ec.def"
    };
    const char *reserved = ec_name(0x3f);
    for (unsigned n = 0; n < ARRAY_LEN(numbers); n++) {
        ck_assert_str_ne(ec_name(numbers[n]), reserved);
        for (unsigned k = 0; k < n; k++)
            ck_assert_str_ne(ec_name(numbers[n]), ec_name(numbers[k]));
    }
    ck_assert_str_eq(ec_name(EC_LS64), "trapped 64-byte load or store");
    ck_assert_str_eq(ec_name(64), reserved);
}
END_TEST

/* The cause, and who routed it: controls by Arm's names. */
static const struct {
    struct exc exc;
    struct exc_source source;
    const char *cause, *route; /* route: with EL3, from EL1 */
} causes[] = {
    { { .kind = EXC_IRQ, .target_el = 3 }, { BY_SCR, 27, -1 }, "SCR_EL3.IRQ, INTID 27", "SCR_EL3.IRQ = 1" },
    { { .kind = EXC_FIQ, .target_el = 3 }, { BY_SCR, -1, -1 }, "SCR_EL3.FIQ", "SCR_EL3.FIQ = 1" },
    { { .kind = EXC_SERROR, .target_el = 3 }, { BY_SCR, -1, -1 }, "SCR_EL3.EA", "SCR_EL3.EA = 1" },
    { { .kind = EXC_IRQ, .target_el = 2 },
      { BY_HCR, 0, -1 },
      "HCR_EL2.IMO, INTID 0",
      "HCR_EL2.IMO = 1, SCR_EL3.IRQ = 0" },
    { { .kind = EXC_FIQ, .target_el = 2 }, { BY_TGE, -1, -1 }, "HCR_EL2.TGE", "HCR_EL2.TGE = 1, SCR_EL3.FIQ = 0" },
    { { .kind = EXC_FIQ, .target_el = 1 },
      { BY_HCR_CLEAR, 5, -1 },
      "HCR_EL2.FMO = 0, INTID 5",
      "HCR_EL2.FMO = 0, HCR_EL2.TGE = 0, SCR_EL3.FIQ = 0" },
    { { .kind = EXC_SERROR, .target_el = 1 }, { BY_NO_EL2, -1, -1 }, "no EL2", "there is no EL2, SCR_EL3.EA = 0" },
    { { .kind = EXC_SERROR, .target_el = 1 },
      { BY_NO_SECURE_EL2, -1, -1 },
      "SCR_EL3.{NS,EEL2} = {0,0}",
      "EL2 is not enabled in Secure state (SCR_EL3.{NS,EEL2} = {0,0}), SCR_EL3.EA = 0" },
    { { .kind = EXC_SERROR, .target_el = 1, .is_virtual = 1 },
      { BY_PENDING, -1, -1 },
      "HCR_EL2.VSE",
      "HCR_EL2.AMO = 1 makes virtual ones EL1's, HCR_EL2.TGE = 0; pending by HCR_EL2.VSE = 1" },
    { { .kind = EXC_FIQ, .target_el = 1, .is_virtual = 1 },
      { BY_LIST, 40, 3 },
      "list register 3, INTID 40",
      "HCR_EL2.FMO = 1 makes virtual ones EL1's, HCR_EL2.TGE = 0; pending by list register 3" },
    { { .ec = EC_SYSREG, .target_el = 2, .cause = { CAUSE_TRAP, TRAPROW_TVM, 0, 0 } },
      { BY_NONE, -1, -1 },
      "HCR_EL2.TVM",
      "the control's target" },
    { { .ec = EC_DABT_LOWER,
        .target_el = 2,
        .has_hpfar = 1,
        .cause = { CAUSE_DESCRIPTOR, RULE_INVALID, 3, 0x40210018 } },
      { BY_NONE, -1, -1 },
      "stage 2 descriptor 0x40210018 level 3: the descriptor is invalid (bit 0 is 0)",
      "stage 2 is EL2's" },
    { { .ec = EC_DABT_LOWER, .target_el = 3, .external = 1, .cause = { CAUSE_EXTERNAL, RULE_EXTERNAL, 0, 0 } },
      { BY_NONE, -1, -1 },
      "stage 1: nothing answers at the physical address",
      "SCR_EL3.EA = 1" },
    { { .ec = EC_DABT_SAME, .target_el = 1, .cause = { CAUSE_TAG, RULE_TAG, 0, 0 } },
      { BY_NONE, -1, -1 },
      "the tag of the address is not the tag of the memory",
      "the same EL takes it" },
    { { .ec = EC_BREAK_SAME, .target_el = 1, .cause = { CAUSE_BREAKPOINT, 5, 0, 0x80000 } },
      { BY_NONE, -1, -1 },
      "DBGBVR5_EL1, 0x80000",
      "the same EL takes it" },
    { { .ec = EC_WATCH_LOWER, .target_el = 2, .cause = { CAUSE_WATCHPOINT, 0, 0, 0x80008 } },
      { BY_NONE, -1, -1 },
      "DBGWVR0_EL1, 0x80008",
      "MDCR_EL2.TDE = 1" },
    { { .ec = EC_STEP_SAME, .target_el = 1, .cause = { CAUSE_STEP, 0, 0, 1 } },
      { BY_NONE, -1, -1 },
      "MDSCR_EL1.SS",
      "the same EL takes it" },
    { { .ec = EC_HVC, .target_el = 2, .cause = { CAUSE_INSTRUCTION, 0, 0, 0 } },
      { BY_NONE, -1, -1 },
      "instruction",
      "that is what the instruction is for" },
    { { .ec = EC_UNKNOWN, .target_el = 1 }, { BY_NONE, -1, -1 }, "-", "the same EL takes it" },
};

START_TEST(cause)
{
    char text[EXC_WORDS];
    const struct exc_route route = { .source = causes[_i].source, .has_el3 = 1, .el2_enabled = 1 };
    struct exc exc = causes[_i].exc;
    if (exc.kind != EXC_SYNC)
        exc.cause.kind = CAUSE_INTERRUPT;
    exc_cause_words(&exc, &route.source, text);
    ck_assert_str_eq(text, causes[_i].cause);
    exc_route_words(&exc, 1, &route, text);
    ck_assert_str_eq(text, causes[_i].route);
}
END_TEST

Suite *test_iss_suite(void)
{
    Suite *s = suite_create("iss");
    TCase *c = tcase_create("iss");
    tcase_add_loop_test(c, words, 0, (int)ARRAY_LEN(table));
    tcase_add_test(c, interrupts);
    tcase_add_test(c, classes);
    tcase_add_loop_test(c, cause, 0, (int)ARRAY_LEN(causes));
    suite_add_tcase(s, c);
    return s;
}
