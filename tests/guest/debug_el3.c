/* The PMU and self-hosted debug with EL3 and two security states: prohibitions by MDCR_EL3 and filters of the PMU,
 * where breakpoints and watchpoints match by security state, MDCR_EL3.SDD. Arm ARM D13.5, D13.6 (filters, prohibitions;
 * CountPMUEvents), D19.3 (MDCR_EL3), D2.2 (enables), D2.8.4, D2.9.4 (execution conditions). */
#include "rt.h"

enum { EC_BREAK = 0x31, EC_WATCH = 0x35 };
#define SCR_BASE 0x530ul                /* RW, HCE, RES1 */
#define SCR_NS   BIT(0)
#define SPME     BIT(17)                /* MDCR_EL3 */
#define SDD      BIT(16)
#define SCCD     BIT(23)
#define MCCD     BIT(34)
#define MPMX     BIT(35)
#define P        BIT(31)                /* PMEVTYPER<n>_EL0 */
#define U        BIT(30)
#define NSK      BIT(29)
#define NSU      BIT(28)
#define NSH      BIT(27)
#define M        BIT(26)
#define C        BIT(31)
enum { E = 1, PR = 2, CR = 4, DP = 32 };
#define MDE      BIT(15)
#define KDE      BIT(13)
#define TDE      BIT(8)
#define BCR(pmc) (1ul | (u64)(pmc) << 1 | 0xful << 5)
#define WCR(pac) (1ul | (u64)(pac) << 1 | 3ul << 3 | 0xfful << 5)
#define HMC      BIT(13)
#define SSC(n)   ((u64)(n) << 14)

CODE(swinc, "msr pmswinc_el0, x0\nisb");
CODE(spin, "mov x2, #50\n1: subs x2, x2, #1\nb.ne 1b\nmov x0, #0");
CODE(three, "mov x0, #1\nmov x0, #2\nmov x0, #3");
CODE(load8, "ldr x0, [x0]");

static u64 version;
static u64 data[2] __attribute__((aligned(16)));

static void scr(u64 bits)
{
    WRITE(scr_el3, SCR_BASE | bits);
    ISB();
}

/* el 1 or 0 in either state; 2 is Non-secure; 3. */
enum { S0 = 0, S1 = 1, NS0 = 16, NS1 = 17, NS2 = 18, AT3 = 3 };
static u64 at(u32 where, u64 (*fn)(u64, u64), u64 a)
{
    scr(where & 16 ? SCR_NS : 0);
    u64 r = where == AT3 ? fn(a, 0) : call_el(where & 3, fn, a, 0);
    scr(SCR_NS);
    return r;
}

static void mdcr(u64 bits)
{
    WRITE(mdcr_el3, bits);
    ISB();
}

/* Does SW_INCR count there, with this filter? */
static bool counts(u32 where, u64 filter)
{
    WRITE(pmevtyper0_el0, filter);
    WRITE(pmevcntr0_el0, 0);
    ISB();
    at(where, swinc, 1);
    return READ(pmevcntr0_el0) == 1;
}

static bool cycles(u32 where, u64 filter)
{
    WRITE(pmccfiltr_el0, filter);
    ISB();
    u64 before = READ(pmccntr_el0);
    at(where, spin, 0);
    ISB();
    return READ(pmccntr_el0) != before;
}

static void events(void)
{
    WRITE(mdcr_el2, 6);
    WRITE(pmcr_el0, E | PR | CR);
    WRITE(pmcntenclr_el0, ~0u);
    WRITE(pmuserenr_el0, 2);
    WRITE(pmcntenset_el0, C | 1);
    ISB();
    mdcr(0);
    check(!counts(AT3, 0), "D13.6 MDCR_EL3.SPME 0: no events at EL3");
    check(!counts(S1, 0) && !counts(S0, 0), "  nor at secure EL1 and EL0");
    check(counts(NS1, 0) && counts(NS0, 0), "  Non-secure EL1 and EL0 count");
    mdcr(SPME);
    check(counts(AT3, 0) && counts(S1, 0) && counts(S0, 0), "SPME 1: EL3, secure EL1 and EL0 count");
    check(!counts(AT3, M), "D13.5 M unlike P: not at EL3");
    check(counts(AT3, M | P), "  M and P: at EL3");
    check(!counts(S1, P) && !counts(NS1, P), "P: neither EL1");
    check(!counts(S1, P | NSK) && counts(NS1, P | NSK), "  with NSK: Non-secure EL1 only");
    check(counts(S1, NSK) && !counts(NS1, NSK), "  NSK alone: secure EL1 only");
    check(!counts(S0, U | NSU) && counts(NS0, U | NSU), "U and NSU: Non-secure EL0 only");
    check(counts(S0, NSU) && !counts(NS0, NSU), "  NSU alone: secure EL0 only");
    check(!counts(NS2, 0) && counts(NS2, NSH), "NSH: EL2");
    if (version >= 7) {
        mdcr(MPMX);
        check(!counts(AT3, 0) && counts(S1, 0), "FEAT_PMUv3p7 MPMX: not at EL3, but in Secure state");
        mdcr(MPMX | SPME);
        check(!counts(AT3, 0), "  with SPME: not EL1's counters at EL3");
    } else {
        skip("MDCR_EL3.MPMX", "no FEAT_PMUv3p7");
    }
}

static void cycle_counter(void)
{
    const u64 only3 = P | U | M, only1 = U | M; /* with NSK and NSU 0: secure */
    mdcr(0);
    WRITE(pmcr_el0, E);
    check(cycles(AT3, only3), "SPME 0 leaves the cycle counter at EL3");
    WRITE(pmcr_el0, E | DP);
    check(!cycles(AT3, only3), "  PMCR_EL0.DP does not");
    mdcr(SPME);
    check(cycles(AT3, only3), "  but where events may count");
    mdcr(0);
    WRITE(pmcr_el0, E);
    if (version >= 6) {
        mdcr(SCCD);
        check(!cycles(AT3, only3) && !cycles(S1, only1), "FEAT_PMUv3p5 SCCD: no cycles at EL3 and secure EL1");
        check(cycles(NS1, only1), "  Non-secure EL1 has them");
    } else {
        skip("MDCR_EL3.SCCD", "no FEAT_PMUv3p5");
    }
    if (version >= 7) {
        mdcr(MCCD);
        check(!cycles(AT3, only3) && cycles(S1, only1), "FEAT_PMUv3p7 MCCD: not at EL3, but at secure EL1");
    } else {
        skip("MDCR_EL3.MCCD", "no FEAT_PMUv3p7");
    }
    mdcr(0);
    WRITE(pmcr_el0, 0);
    WRITE(pmcntenclr_el0, ~0u);
}

static void bp(u64 control)
{
    WRITE(dbgbcr0_el1, 0);
    WRITE(dbgbvr0_el1, (u64)three + 4);
    WRITE(dbgbcr0_el1, control);
    ISB();
}

static u64 debug(u32 where, u64 (*fn)(u64, u64), u64 a)
{
    WRITE(mdscr_el1, MDE | KDE);
    ISB();
    call_pstate = 0x1c0;
    exc_expect();
    at(where, fn, a);
    EXC.expected = false;
    call_pstate = 0x3c0;
    WRITE(mdscr_el1, 0);
    ISB();
    return EXC.count ? esr_ec(EXC.esr) : 0;
}

static void breakpoints(void)
{
    mdcr(0);
    WRITE(mdcr_el2, 6);
    bp(BCR(1));
    check(debug(S1, three, 0) == EC_BREAK && debug(NS1, three, 0) == EC_BREAK, "D2.8.4 SSC 0b00: EL1 of both states");
    bp(BCR(1) | SSC(1));
    check(!debug(S1, three, 0) && debug(NS1, three, 0) == EC_BREAK, "  SSC 0b01: Non-secure");
    bp(BCR(1) | SSC(2));
    check(debug(S1, three, 0) == EC_BREAK && !debug(NS1, three, 0), "  SSC 0b10: Secure");
    bp(BCR(1));
    mdcr(SDD);
    check(!debug(S1, three, 0), "D2.2 MDCR_EL3.SDD: none from Secure state");
    check(debug(NS1, three, 0) == EC_BREAK, "  Non-secure all the same");
    mdcr(0);
    bp(BCR(1) | HMC);
    check(!debug(AT3, three, 0), "EL3 takes none, HMC 1");
    WRITE(mdcr_el2, 6 | TDE);
    check(debug(NS2, three, 0) == EC_BREAK, "  EL2 does, with MDCR_EL2.TDE");
    check_eq("    and it is taken to EL2", EXC.el, 2);
    bp(BCR(0) | HMC | SSC(1));
    WRITE(mdcr_el2, 6 | TDE);
    u64 sel2 = BITS(READ(id_aa64pfr0_el1), 39, 36);
    check(debug(NS2, three, 0) == (sel2 ? EC_BREAK : 0), "  HMC 1, SSC 0b01, PMC 0b00: EL2 only, with Secure EL2");
    check(!debug(NS1, three, 0), "    not EL1");
    WRITE(mdcr_el2, 6);
    bp(0);

    WRITE(dbgwvr0_el1, (u64)data);
    WRITE(dbgwcr0_el1, WCR(1) | SSC(2));
    ISB();
    check(debug(S1, load8, (u64)data) == EC_WATCH && !debug(NS1, load8, (u64)data),
          "D2.9.4 watchpoint, SSC 0b10: Secure");
    WRITE(dbgwcr0_el1, WCR(1) | SSC(1));
    ISB();
    check(!debug(S1, load8, (u64)data) && debug(NS1, load8, (u64)data) == EC_WATCH, "  SSC 0b01: Non-secure");
    WRITE(dbgwcr0_el1, 0);
    ISB();
}

void test_main(void)
{
    version = BITS(READ(id_aa64dfr0_el1), 11, 8);
    WRITE(oslar_el1, 0);
    ISB();
    events();
    cycle_counter();
    breakpoints();
    finish();
}
