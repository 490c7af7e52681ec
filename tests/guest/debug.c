/* Breakpoints and watchpoints by the guest itself, from EL2: EL0, EL1 and EL2 code, routing by MDCR_EL2.TDE.
 * Arm ARM D2.2 (enables), D2.3 (routing), D2.8 (breakpoints), D2.9 (watchpoints), D2.12 (software step), D1.3.5
 * (priorities), D19.2 (ESR_ELx of debug exceptions), D19.3 (the registers). */
#include "rt.h"

enum { EC_BREAK_LOWER = 0x30, EC_BREAK = 0x31, EC_WATCH_LOWER = 0x34, EC_WATCH = 0x35 };
#define FSC_DEBUG 0x22ul
#define WNR       BIT(6)
#define CM        BIT(8)
#define MDE       BIT(15)
#define KDE       BIT(13)
#define SS        BIT(0)
#define TDE       BIT(8)

/* DBGBCR: E, PMC, BAS, HMC, SSC, LBN, BT.  DBGWCR: E, PAC, LSC, BAS, HMC, SSC, LBN, WT, MASK. */
enum { P_EL1 = 1, P_EL0 = 2, P_BOTH = 3 };
#define BCR(pmc) (1ul | (u64)(pmc) << 1 | 0xful << 5)
#define HMC      BIT(13)
#define SSC(n)   ((u64)(n) << 14)
#define LBN(n)   ((u64)(n) << 16)
#define BT(n)    ((u64)(n) << 20)
#define WT       BIT(20)
enum { LOADS = 1, STORES = 2, ALL = 3 };
#define WCR(pac, lsc, bas) (1ul | (u64)(pac) << 1 | (u64)(lsc) << 3 | (u64)(bas) << 5)
#define WMASK(n)           ((u64)(n) << 24 | 0xfful << 5)

CODE(three, "mov x0, #1\nmov x0, #2\nmov x0, #3");
CODE(undefined, "mov x0, #1\n.inst 0");
CODE(set_context, "msr contextidr_el1, x0\nisb");
CODE(load1, "ldrb w0, [x0]");
CODE(load4, "ldr w0, [x0]");
CODE(load8, "ldr x0, [x0]");
CODE(load_pair, "ldp x2, x3, [x0]\nmov x0, #0");
CODE(load_user, "ldtr x0, [x0]");
CODE(store1, "strb w1, [x0]");
CODE(store8, "str x1, [x0]");
CODE(store_pair, "stp x1, x1, [x0]");
CODE(exclusive, "ldxr x2, [x0]\nstxr w3, x1, [x0]\nclrex\nmov x0, x3");
CODE(prefetch, "prfm pldl1keep, [x0]\nprfm pstl1keep, [x0]");
CODE(clean, "dc cvac, x0\ndc civac, x0");
CODE(invalidate, "dc ivac, x0");
CODE(zero_block, "dc zva, x0");
CODE(write_back, "mov x2, x0\nldr x3, [x2], #8\nsub x0, x2, x0");
CODE(add_atomic, ".arch_extension lse\nldadd x1, x2, [x0]\n.arch_extension nolse");
CODE(vector, "mov x0, #0");

static u64 data[32] __attribute__((aligned(256)));
static u64 mdscr = MDE | KDE;

/* Units 4 and 5 of 6 breakpoints are context-aware. */
static void bp(u32 n, u64 value, u64 control)
{
    if (n == 0) {
        WRITE(dbgbcr0_el1, 0);
        WRITE(dbgbvr0_el1, value);
        WRITE(dbgbcr0_el1, control);
    } else {
        WRITE(dbgbcr5_el1, 0);
        WRITE(dbgbvr5_el1, value);
        WRITE(dbgbcr5_el1, control);
    }
    ISB();
}

static void wp(u64 value, u64 control)
{
    WRITE(dbgwcr0_el1, 0);
    WRITE(dbgwvr0_el1, value);
    WRITE(dbgwcr0_el1, control);
    ISB();
}

static u64 run(u64 el, u64 (*fn)(u64, u64), u64 a, u64 b)
{
    WRITE(mdscr_el1, mdscr);
    ISB();
    call_pstate = 0x1c0;
    u64 result = try_el(el, fn, a, b);
    call_pstate = 0x3c0;
    WRITE(mdscr_el1, 0);
    ISB();
    return result;
}

static void quiet(const char *what, u64 el, u64 (*fn)(u64, u64), u64 a, u64 b)
{
    run(el, fn, a, b);
    check_eq(what, EXC.count, 0);
}

static void all_off(void)
{
    bp(0, 0, 0);
    bp(5, 0, 0);
    wp(0, 0);
    WRITE(mdcr_el2, READ(mdcr_el2) & ~TDE);
    ISB();
}

static void addresses(void)
{
    bp(0, (u64)three + 4, BCR(P_BOTH));
    u64 result = run(0, three, 0, 0);
    check_exc("D2.8 breakpoint at EL0, taken to EL1", 1, EC_BREAK_LOWER, FSC_DEBUG);
    check_eq("  ELR is the instruction", EXC.elr, (u64)three + 4);
    check_eq("  the rest ran", result, 3);
    run(1, three, 0, 0);
    check_exc("breakpoint at EL1 with KDE, PSTATE.D 0", 1, EC_BREAK, FSC_DEBUG);
    check_eq("  ELR", EXC.elr, (u64)three + 4);
    bp(0, (u64)three + 4, BCR(P_EL1));
    quiet("D2.8.4 PMC 0b01: not at EL0", 0, three, 0, 0);
    bp(0, (u64)three + 4, BCR(P_EL0));
    quiet("  PMC 0b10: not at EL1", 1, three, 0, 0);
    run(0, three, 0, 0);
    check_eq("  PMC 0b10: at EL0", EXC.count, 1);
    bp(0, (u64)three + 4, BCR(P_BOTH) & ~1ul);
    quiet("DBGBCR.E 0: nothing", 0, three, 0, 0);
    bp(0, (u64)three + 4, BCR(P_BOTH) | SSC(2));
    quiet("D2.8.4 SSC 0b10 without EL3: reserved", 0, three, 0, 0);
    bp(0, (u64)three + 4, BCR(P_BOTH) | BT(4));
    quiet("D2.8.7 BT 0b0100, mismatch: AArch32's", 0, three, 0, 0);

    bp(0, (u64)three + 4, BCR(P_BOTH));
    mdscr = KDE;
    quiet("D2.2 MDE 0: nothing", 0, three, 0, 0);
    mdscr = MDE;
    quiet("  KDE 0: nothing at EL1", 1, three, 0, 0);
    run(0, three, 0, 0);
    check_eq("  KDE 0: EL0 all the same", EXC.count, 1);
    mdscr = MDE | KDE;
    WRITE(mdscr_el1, mdscr);
    ISB();
    try_el(1, three, 0, 0);
    check_eq("  PSTATE.D 1 at EL1: nothing", EXC.count, 0);
    try_el(0, three, 0, 0);
    check_eq("  PSTATE.D 1 at EL0: it does not mask what EL1 takes", EXC.count, 1);
    WRITE(oslar_el1, 1);
    quiet("  OS Lock: nothing", 0, three, 0, 0);
    WRITE(oslar_el1, 0);

    bp(0, (u64)undefined + 4, BCR(P_BOTH));
    run(0, undefined, 0, 0);
    check_exc("D1.3.5 breakpoint before UNDEFINED", 1, EC_BREAK_LOWER, FSC_DEBUG);
    bp(0, (u64)three, BCR(P_BOTH));
    call_pstate = 0x1c0 | BIT(20);
    WRITE(mdscr_el1, mdscr);
    ISB();
    exc_expect();
    call_el(0, three, 0, 0);
    EXC.expected = false;
    check_eq("  and before Illegal Execution state", esr_ec(EXC.esr), EC_BREAK_LOWER);
    check_eq("  SPSR_EL1.IL", BITS(EXC.spsr, 20, 20), 1);
    call_pstate = 0x3c0;
    all_off();
}

static void routing(void)
{
    bp(0, (u64)three + 4, BCR(P_BOTH));
    WRITE(mdcr_el2, READ(mdcr_el2) | TDE);
    run(0, three, 0, 0);
    check_exc("D2.3 MDCR_EL2.TDE: from EL0 to EL2", 2, EC_BREAK_LOWER, FSC_DEBUG);
    mdscr = MDE;
    run(1, three, 0, 0);
    check_exc("  from EL1 to EL2 without KDE", 2, EC_BREAK_LOWER, FSC_DEBUG);
    bp(0, (u64)three + 4, BCR(P_EL1) | HMC | SSC(1));
    quiet("  HMC 1, SSC 0b01 without EL3: reserved", 1, three, 0, 0);
    bp(0, (u64)three + 4, BCR(P_EL1) | HMC);
    WRITE(mdscr_el1, MDE | KDE);
    ASM("msr daifclr, #8\nisb");
    exc_expect();
    three(0, 0);
    EXC.expected = false;
    ASM("msr daifset, #8\nisb");
    check_exc("  EL2's own, HMC 1", 2, EC_BREAK, FSC_DEBUG);
    bp(0, (u64)three + 4, BCR(P_BOTH));
    ASM("msr daifclr, #8\nisb");
    exc_expect();
    three(0, 0);
    EXC.expected = false;
    ASM("msr daifset, #8\nisb");
    check_eq("  HMC 0: not at EL2", EXC.count, 0);
    mdscr = MDE | KDE;
    all_off();
    bp(0, (u64)three + 4, BCR(P_EL1) | HMC);
    WRITE(mdscr_el1, MDE | KDE);
    ASM("msr daifclr, #8\nisb");
    exc_expect();
    three(0, 0);
    EXC.expected = false;
    ASM("msr daifset, #8\nisb");
    check_eq("  TDE 0: EL2 takes none", EXC.count, 0);
    all_off();
}

/* One exception, then no more of what caused it. */
static bool once(struct frame *f, u64 vec, u64 el)
{
    exc_record(f, vec, el);
    WRITE(mdscr_el1, 0);
    ISB();
    return true;
}

static void contexts(void)
{
    call_el(1, set_context, 0x1234, 0);
    bp(5, 0x1234, 1ul | BT(3) | 0xful << 5);
    bp(0, (u64)three + 4, BCR(P_BOTH) | BT(1) | LBN(5));
    run(0, three, 0, 0);
    check_exc("D2.8.3 address linked to CONTEXTIDR_EL1", 1, EC_BREAK_LOWER, FSC_DEBUG);
    bp(5, 0x1235, 1ul | BT(3) | 0xful << 5);
    quiet("  another CONTEXTIDR_EL1: nothing", 0, three, 0, 0);
    bp(5, 0x1234, 1ul | BT(2) | 0xful << 5);
    quiet("  linked to one that is not linked: never", 0, three, 0, 0);
    bp(5, 0x1234, BT(3) | 0xful << 5);
    quiet("  linked to a disabled one: never", 0, three, 0, 0);
    bp(0, (u64)three + 4, BCR(P_BOTH) | BT(1) | LBN(1));
    quiet("  linked to one that knows no contexts: never", 0, three, 0, 0);

    u64 vttbr = READ(vttbr_el2);
    WRITE(vttbr_el2, 7ul << 48);
    bp(5, 7ul << 32, 1ul | BT(9) | 0xful << 5);
    bp(0, (u64)three + 4, BCR(P_BOTH) | BT(1) | LBN(5));
    run(0, three, 0, 0);
    check_exc("  linked to the VMID", 1, EC_BREAK_LOWER, FSC_DEBUG);
    WRITE(vttbr_el2, 8ul << 48);
    quiet("  another VMID", 0, three, 0, 0);
    bp(5, 8ul << 32 | 0x1234, 1ul | BT(11) | 0xful << 5);
    run(1, three, 0, 0);
    check_exc("  linked to VMID and CONTEXTIDR_EL1", 1, EC_BREAK, FSC_DEBUG);
    WRITE(vttbr_el2, vttbr);
    bp(0, 0, 0);

    bp(5, 0x1234, BCR(P_EL0) | BT(2));
    sync_hook = once;
    run(0, vector, 0, 0);
    sync_hook = NULL;
    check_exc("D2.8.3 unlinked context: any instruction", 1, EC_BREAK_LOWER, FSC_DEBUG);
    check_eq("  the first one", EXC.elr, (u64)vector);
    call_el(1, set_context, 0, 0);
    quiet("  in its context only", 0, vector, 0, 0);
    all_off();
}

static void hits(const char *what, u64 (*fn)(u64, u64), u64 offset, u64 iss, u64 far)
{
    run(1, fn, (u64)data + offset, 0);
    check_exc(what, 1, EC_WATCH, FSC_DEBUG | iss);
    if (EXC.count)
        check_eq("  FAR", EXC.far - (u64)data, far);
}

static void watch_bytes(void)
{
    data[1] = 0x1122334455667788;
    wp((u64)&data[1], WCR(P_BOTH, ALL, 0xff));
    run(0, load8, (u64)&data[1], 0);
    check_exc("D2.9 load at EL0, taken to EL1", 1, EC_WATCH_LOWER, FSC_DEBUG);
    check_eq("  ELR is the load", EXC.elr, (u64)load8);
    run(1, store8, (u64)&data[1], 5);
    check_exc("store at EL1: WnR", 1, EC_WATCH, FSC_DEBUG | WNR);
    check_eq("  nothing was stored", data[1], 0x1122334455667788);
    check_eq("  FAR", EXC.far, (u64)&data[1]);
    check_eq("  write-back did not happen", run(1, write_back, (u64)&data[1], 0), 0);
    wp((u64)&data[1], WCR(P_BOTH, LOADS, 0xff));
    quiet("D2.9.4 LSC 0b01: no stores", 1, store8, (u64)&data[1], 0x1122334455667788);
    wp((u64)&data[1], WCR(P_BOTH, STORES, 0xff));
    quiet("  LSC 0b10: no loads", 1, load8, (u64)&data[1], 0);
    wp((u64)&data[1], WCR(P_EL0, ALL, 0xff));
    quiet("  PAC 0b10: not at EL1", 1, load8, (u64)&data[1], 0);
    hits("  but LDTR at EL1 is EL0's", load_user, 8, 0, 8);
    wp((u64)&data[1], WCR(P_EL1, ALL, 0xff));
    quiet("  PAC 0b01: not LDTR", 1, load_user, (u64)&data[1], 0);

    wp((u64)&data[1], WCR(P_BOTH, ALL, 0x08));
    hits("D2.9.5 BAS: the byte", load1, 11, 0, 11);
    quiet("  the byte before", 1, load1, (u64)data + 10, 0);
    quiet("  the byte after", 1, load1, (u64)data + 12, 0);
    run(1, load8, (u64)&data[1], 0);
    check_exc("  a doubleword around it", 1, EC_WATCH, FSC_DEBUG);
    check(EXC.far >= (u64)&data[1] && EXC.far <= (u64)data + 11, "  FAR is within the access, up to the byte");
    wp((u64)data + 12, WCR(P_BOTH, ALL, 0xf1));
    hits("  a word-aligned DBGWVR: BAS<3:0> only", load1, 12, 0, 12);
    quiet("  BAS<7:4> are nothing then", 1, load1, (u64)data + 16, 0);
    wp((u64)&data[1], WCR(P_BOTH, ALL, 0));
    quiet("  BAS 0: nothing", 1, load8, (u64)&data[1], 0);
    wp((u64)&data[2], WCR(P_BOTH, ALL, 0xff));
    run(1, load_pair, (u64)&data[1], 0);
    check_eq("  the second of a pair", esr_ec(EXC.esr), EC_WATCH);
    run(1, store_pair, (u64)&data[1], 9);
    check_eq("  STP: the second", EXC.esr & WNR, WNR);
    check_eq("  and it is not stored", data[2], 0);
}

static void watch_ranges(void)
{
    wp((u64)&data[16], WCR(P_BOTH, ALL, 0) | WMASK(6));
    hits("D2.9.5 MASK 6: the first byte", load1, 128, 0, 128);
    hits("  the last", load1, 191, 0, 191);
    quiet("  before", 1, load1, (u64)data + 127, 0);
    quiet("  after", 1, load1, (u64)data + 192, 0);
    hits("  stores, too", store1, 150, WNR, 150);
    call_el(1, set_context, 0x77, 0);
    bp(5, 0x77, 1ul | BT(3) | 0xful << 5);
    wp((u64)&data[16], WCR(P_BOTH, ALL, 0) | WMASK(6) | WT | LBN(5));
    hits("D2.9.3 linked to CONTEXTIDR_EL1", load4, 132, 0, 132);
    bp(5, 0x78, 1ul | BT(3) | 0xful << 5);
    quiet("  another context", 1, load4, (u64)data + 132, 0);
    all_off();
}

static void watch_kinds(void)
{
    mmu_on_el1(pt_identity(S1_EL1));
    wp((u64)&data[1], WCR(P_BOTH, ALL, 0xff));
    quiet("D2.9.6 prefetch: nothing", 1, prefetch, (u64)&data[1], 0);
    quiet("  DC CVAC, DC CIVAC: nothing", 1, clean, (u64)&data[1], 0);
    hits("  DC IVAC: a store, CM", invalidate, 8, WNR | CM, 8);
    hits("  of its line: FAR is its argument", invalidate, 20, WNR | CM, 20);
    hits("  DC ZVA: a store, no CM", zero_block, 8, WNR, 8);
    run(1, zero_block, (u64)data + 20, 0);
    check_exc("  of its block, from any address in it", 1, EC_WATCH, FSC_DEBUG | WNR);
    check(EXC.far >= (u64)data && EXC.far < (u64)data + 64, "  FAR is in the block");
    wp((u64)&data[1], WCR(P_BOTH, LOADS, 0xff));
    quiet("  DC ZVA is no load", 1, zero_block, (u64)&data[1], 0);
    wp((u64)&data[1], WCR(P_BOTH, STORES, 0xff));
    run(1, exclusive, (u64)&data[1], 3);
    check_eq("D2.9.6 STXR that would store", EXC.elr, (u64)exclusive + 4);
    hits("D19.2 an atomic: WnR 1 where a load would not match", add_atomic, 8, WNR, 8);
    wp((u64)&data[1], WCR(P_BOTH, ALL, 0xff));
    hits("  and 0 where it would", add_atomic, 8, 0, 8);
    all_off();
    quiet("all off: nothing", 1, load8, (u64)&data[1], 0);
}

/* A stepped instruction with a breakpoint: the Breakpoint exception is taken, PSTATE.SS is still 1. */
static void with_step(void)
{
    bp(0, (u64)three, BCR(P_BOTH));
    WRITE(mdscr_el1, MDE | SS);
    ISB();
    call_pstate = 0x3c0 | BIT(21);
    exc_expect();
    sync_hook = once;
    call_el(0, three, 0, 0);
    sync_hook = NULL;
    EXC.expected = false;
    call_pstate = 0x3c0;
    check_eq("D2.12 a breakpoint on the stepped instruction comes", esr_ec(EXC.esr), EC_BREAK_LOWER);
    check_eq("  SPSR_EL1.SS 1: the step is still to be made", BITS(EXC.spsr, 21, 21), 1);
    all_off();
}

void test_main(void)
{
    WRITE(oslar_el1, 0);
    ISB();
    check(BITS(READ(id_aa64dfr0_el1), 15, 12) == 5 && BITS(READ(id_aa64dfr0_el1), 31, 28) >= 1,
          "six breakpoints, the last two context-aware");
    all_off();
    addresses();
    routing();
    contexts();
    watch_bytes();
    watch_ranges();
    watch_kinds();
    with_step();
    finish();
}
