/* Memory copy and set (FEAT_MOPS): CPYF*, CPY* and SET* over pages, forwards and backwards, overlapping or not, with
 * faults in the middle, and what is left in the registers. Arm ARM C6.2 (CPYFP, CPYP, SETP and the others). */
#include "rt.h"

#define MSCEN BIT(33) /* SCTLR_EL1 */
#define NOWRITE 0x80000000ul /* three pages: writable, not writable, writable */
enum { SIZE = 4 * 4096 };

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
    finish();
}
