/* Memory copy and set (FEAT_MOPS): CPYF*, CPY* and SET* over pages, forwards and backwards, overlapping or not, with
 * faults in the middle, and what is left in the registers. Arm ARM C6.2 (CPYFP, CPYP, SETP and the others). What an
 * instruction counts that takes long: D13.11 (INST_RETIRED), D2.11 (software step). */
#include "rt.h"

#define MSCEN BIT(33) /* SCTLR_EL1 */
#define NOWRITE 0x80000000ul /* three pages: writable, not writable, writable */
enum { SIZE = 4 * 4096 };
#define BIG_TO   0x48000000ul /* 8 MiB each */
#define BIG_FROM 0x48800000ul
#define SS       BIT(21)
#define TDE      BIT(8)
#define HCR_IMO  BIT(4)
#define TIMER    27 /* PPI of the virtual timer */

struct regs {
    u64 to, from, size;
};

/* The three instructions with x3, x4, x5 of *x0. */
#define THREE(base, step)                                                                                          \
    "ldp x3, x4, [x0]\nldr x5, [x0, #16]\n"                                                                        \
    ".inst " base " | 4 << 16 | 5 << 5 | 3\n"                                                                      \
    ".inst " base " + " step " | 4 << 16 | 5 << 5 | 3\n"                                                           \
    ".inst " base " + 2 * " step " | 4 << 16 | 5 << 5 | 3\n"                                                       \
    "stp x3, x4, [x0]\nstr x5, [x0, #16]"

CODE(do_cpyf, THREE("0x19000400", "0x400000"));
CODE(do_cpy, THREE("0x1d000400", "0x400000"));
CODE(do_set, THREE("0x19c00400", "0x4000"));

static u8 bytes[SIZE] __attribute__((aligned(4096))), source[SIZE] __attribute__((aligned(4096))), want[SIZE];

static u8 pattern(u32 n, u32 seed) { return (u8)(n * 167 + (n >> 8) * 13 + seed); }

static void fill(void)
{
    for (u32 n = 0; n < SIZE; n++) {
        bytes[n] = want[n] = pattern(n, 1);
        source[n] = pattern(n, 2);
    }
}

static u64 differences(void)
{
    u64 count = 0;
    for (u32 n = 0; n < SIZE; n++)
        count += bytes[n] != want[n];
    return count;
}

static void ends(const char *what, struct regs *r, u64 to, u64 from)
{
    check_eq(what, EXC.count, 0);
    check_eq("  the bytes, and those beside", differences(), 0);
    check_eq("  nothing is left", r->size, 0);
    check_eq("  the destination", r->to, to);
    if (from)
        check_eq("  the source", r->from, from);
}

static void check_apart(void)
{
    fill();
    struct regs r = { (u64)bytes + 100, (u64)source + 4001, 9000 };
    for (u32 n = 0; n < 9000; n++)
        want[100 + n] = source[4001 + n];
    try_el(1, do_cpyf, (u64)&r, 0);
    ends("CPYF over pages", &r, (u64)bytes + 9100, (u64)source + 13001);
    fill();
    r = (struct regs){ (u64)bytes, (u64)source, 8192 };
    for (u32 n = 0; n < 8192; n++)
        want[n] = source[n];
    try_el(1, do_cpy, (u64)&r, 0);
    ends("CPY of whole pages", &r, (u64)bytes + 8192, (u64)source + 8192);
}

/* CPY chooses the direction that keeps the source's bytes until they are read. */
static void check_overlap(void)
{
    fill();
    struct regs r = { (u64)bytes + 40, (u64)bytes + 50, 9000 };
    for (u32 n = 0; n < 9000; n++)
        want[40 + n] = pattern(50 + n, 1);
    try_el(1, do_cpy, (u64)&r, 0);
    ends("CPY downwards onto itself", &r, (u64)bytes + 9040, (u64)bytes + 9050);
    fill();
    r = (struct regs){ (u64)bytes + 77, (u64)bytes + 50, 9000 };
    for (u32 n = 0; n < 9000; n++)
        want[77 + n] = pattern(50 + n, 1);
    try_el(1, do_cpy, (u64)&r, 0);
    check_eq("CPY upwards onto itself", EXC.count, 0);
    check_eq("  the bytes, and those beside", differences(), 0);
    check_eq("  nothing is left", r.size, 0);
}

static void check_set(void)
{
    fill();
    struct regs r = { (u64)bytes + 3000, 0x5a, 7000 };
    for (u32 n = 0; n < 7000; n++)
        want[3000 + n] = 0x5a;
    try_el(1, do_set, (u64)&r, 0);
    ends("SET over pages", &r, (u64)bytes + 10000, 0);
    r = (struct regs){ (u64)bytes + 16000, 0x77, 0 };
    try_el(1, do_set, (u64)&r, 0);
    check_eq("SET of nothing", differences() + EXC.count, 0);
}

/* A fault in the middle: at the first byte that cannot be written, and those below are. */
static void check_faults(void)
{
    fill();
    struct regs r = { NOWRITE + 4000, (u64)source, 1000 };
    for (u32 n = 0; n < 96; n++)
        want[4000 + n] = source[n];
    try_el(1, do_cpyf, (u64)&r, 0);
    check(EXC.count > 0, "CPYF into a page that is not writable");
    check_eq("  EC and ISS: permission, WnR", EXC.esr & 0xfc00007f, (u64)EC_DABT << 26 | 0xf | BIT(6));
    check_eq("  FAR_EL1", EXC.far, NOWRITE + 4096);
    check_eq("  the bytes below", differences(), 0);
    fill();
    r = (struct regs){ NOWRITE + 4000, 0x11, 1000 };
    for (u32 n = 0; n < 96; n++)
        want[4000 + n] = 0x11;
    try_el(1, do_set, (u64)&r, 0);
    check(EXC.count > 0, "SET into a page that is not writable");
    check_eq("  FAR_EL1", EXC.far, NOWRITE + 4096);
    check_eq("  the bytes below", differences(), 0);
}

/* ---- one instruction, however long and however often it is interrupted ---- */

static u32 steps, interrupts;
static u64 last_elr;

static bool on_step(struct frame *f, u64 vector, u64 el)
{
    (void)vector, (void)el;
    if (esr_ec(f->esr) != EC_STEP_LOWER)
        return false;
    steps++;
    if (f->elr == last_elr)
        steps += 1000; /* stepped, and did not get on */
    last_elr = f->elr;
    f->spsr |= SS;
    return true;
}

/* In the middle of the main instruction as a rule: the next one is 128 ns off. */
static void on_timer(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    u64 intid = READ(ICC_IAR1);
    interrupts++;
    WRITE(cntv_tval_el0, 8);
    WRITE(ICC_EOIR1, intid);
}

enum { STEPPED = 1, INTERRUPTED = 2 };

/* INST_RETIRED at EL1 (P and U as they are, NSH 0: not EL2's own) while fn copies or sets `size` bytes. */
static u64 retired(u64 (*fn)(u64, u64), u64 size, u32 how)
{
    struct regs r = { BIG_TO, BIG_FROM, size };
    steps = interrupts = 0;
    last_elr = 0;
    sync_hook = how & STEPPED ? on_step : NULL;
    irq_hook = on_timer;
    WRITE(mdcr_el2, READ(mdcr_el2) & ~TDE);
    WRITE(pmselr_el0, 0);
    ISB();
    WRITE(pmxevtyper_el0, 8);
    WRITE(pmxevcntr_el0, 0);
    WRITE(pmcntenset_el0, 1);
    WRITE(pmcr_el0, 1);
    if (how & STEPPED) {
        WRITE(mdcr_el2, READ(mdcr_el2) | TDE);
        WRITE(mdscr_el1, 1);
    }
    if (how & INTERRUPTED) {
        WRITE(cntv_tval_el0, 8);
        WRITE(cntv_ctl_el0, 1);
    }
    ISB();
    call_pstate = (how & INTERRUPTED ? 0x340 : 0x3c0) | (how & STEPPED ? SS : 0);
    call_el(1, fn, (u64)&r, 0);
    call_pstate = 0x3c0;
    WRITE(cntv_ctl_el0, 0);
    WRITE(mdscr_el1, 0);
    WRITE(pmcr_el0, 0);
    ISB();
    sync_hook = NULL;
    irq_hook = NULL;
    return READ(pmxevcntr_el0);
}

static void check_long(const char *what, u64 (*fn)(u64, u64))
{
    u64 size = BIT(23);
    u64 few = retired(fn, 16, 0);
    check(few > 8 && few < 32, what);
    check_eq("  INST_RETIRED of 32 KiB as of 16 bytes", retired(fn, 32768, 0), few);
    check_eq("  of 8 MiB", retired(fn, size, 0), few);
    check_eq("  interrupted often", retired(fn, size, INTERRUPTED), few);
    check(interrupts > 4, "    it was");
    u64 few_stepped = retired(fn, 16, STEPPED), few_steps = steps;
    check(few_steps > 8 && few_steps < 32, "  single steps");
    check_eq("  of 32 KiB as many as of 16 bytes", retired(fn, 32768, STEPPED), few_stepped);
    check_eq("    steps", steps, few_steps);
    check_eq("  interrupted often", retired(fn, size, STEPPED | INTERRUPTED), few_stepped);
    check_eq("    steps", steps, few_steps);
    check(interrupts > 4, "    it was");
}

static void check_count(void)
{
    gic_init();
    gic_enable(TIMER, 0x80);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_IMO);
    WRITE(oslar_el1, 0);
    WRITE(mdcr_el2, 6);
    WRITE(cnthctl_el2, 3);
    ISB();
    check_long("CPYF is three instructions", do_cpyf);
    check_long("CPY is three instructions", do_cpy);
    check_long("SET is three instructions", do_set);
}

void test_main(void)
{
    u64 *root = pt_identity(S1_EL1);
    WRITE(s3_4_c1_c2_2, BIT(11)); /* HCRX_EL2.MSCEn */
    pt_map(root, NOWRITE, (u64)bytes, 4096, RAM_ATTR);
    pt_map(root, NOWRITE + 4096, (u64)bytes + 4096, 4096, RAM_ATTR | PT_AP(2));
    mmu_on_el1(root);
    WRITE(sctlr_el1, READ(sctlr_el1) | MSCEN);
    ISB();
    call_pstate = 0x3c0;
    check_apart();
    check_overlap();
    check_set();
    check_faults();
    check_count();
    finish();
}
