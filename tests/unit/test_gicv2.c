/*
 * GICv2: distributor, CPU interface, and the virtual one in its frames. GICv2 is Arm IHI 0048B.
 */
#include "tests/unit/gic_rig.h"

Suite *test_gicv2_suite(void);

enum { ITARGETSR = 0x800, SGIR = 0xf00, CPENDSGIR = 0xf10, SPENDSGIR = 0xf20 };
enum { C_CTLR = 0, C_PMR = 4, C_BPR = 8, C_IAR = 0xc, C_EOIR = 0x10, C_RPR = 0x14, C_HPPIR = 0x18, C_ABPR = 0x1c,
       C_AIAR = 0x20, C_AEOIR = 0x24, C_AHPPIR = 0x28, C_APR = 0xd0, C_NSAPR = 0xe0, C_IIDR = 0xfc, C_DIR = 0x1000 };
enum { H_HCR = 0, H_VTR = 4, H_VMCR = 8, H_MISR = 0x10, H_EISR = 0x20, H_ELRSR = 0x30, H_APR = 0xf0, H_LR = 0x100 };
enum { EN0 = 1, EN1 = 2, ACKCTL = 4, FIQEN = 8, CBPR = 16, EOIMODE = 1 << 9, EOIMODENS = 1 << 10 };
enum { FIRST = 40, SECOND = 41, GROUP1 = 1022 };
#define LR2_PEND    (1u << 28)
#define LR2_ACT     (2u << 28)
#define LR2_GRP1    (1u << 30)
#define LR2_HW      (1u << 31)
#define LR2_EOI     (1u << 19)
#define LR2_PRIO(p) ((u32)(p) >> 3 << 23)

static struct phys_attrs by(unsigned n, bool ns) { return (struct phys_attrs){ .ns = ns, .cpu = (u16)n }; }

/* The frames by PE n: the distributor, and GICC, GICH, GICV. */
static u32 d_as(unsigned n, bool ns, u64 offset, unsigned size)
{
    u64 v = 0;
    ck_assert(gic2_dist_read(&gic, offset, size, by(n, ns), &v));
    return (u32)v;
}
static void d_put_as(unsigned n, bool ns, u64 offset, unsigned size, u64 v)
{
    ck_assert(gic2_dist_write(&gic, offset, size, by(n, ns), v));
}
static u32 d(unsigned n, u64 offset) { return d_as(n, false, offset, 4); }
static void d_put(unsigned n, u64 offset, u32 v) { d_put_as(n, false, offset, 4, v); }
static u32 f_as(enum gic2_frame frame, unsigned n, bool ns, u64 offset)
{
    u64 v = 0;
    ck_assert(gic2_read(&gic, frame, offset, 4, by(n, ns), &v));
    return (u32)v;
}
static void f_put_as(enum gic2_frame frame, unsigned n, bool ns, u64 offset, u32 v)
{
    ck_assert(gic2_write(&gic, frame, offset, 4, by(n, ns), v));
}
static u32 c(unsigned n, u64 offset) { return f_as(GIC2_CPU, n, false, offset); }
static void c_put(unsigned n, u64 offset, u32 v) { f_put_as(GIC2_CPU, n, false, offset, v); }
static u32 c_ns(unsigned n, u64 offset) { return f_as(GIC2_CPU, n, true, offset); }
static void c_ns_put(unsigned n, u64 offset, u32 v) { f_put_as(GIC2_CPU, n, true, offset, v); }
static u32 h(u64 offset) { return f_as(GIC2_HYP, 0, false, offset); }
static void h_put(u64 offset, u32 v) { f_put_as(GIC2_HYP, 0, false, offset, v); }
static u32 v(u64 offset) { return f_as(GIC2_VCPU, 0, false, offset); }
static void v_put(u64 offset, u32 value) { f_put_as(GIC2_VCPU, 0, false, offset, value); }

static void setup2(void) { make(false), gic2_reset(&gic); }
static void setup2_security(void) { make(true), gic2_reset(&gic); }

/* PE n lets everything through; both groups on. */
static void open2(unsigned n, u32 ctlr)
{
    d_put(0, 0, 3);
    c_put(n, C_PMR, 0xff);
    c_put(n, C_CTLR, ctlr);
}
/* An SPI: group, priority, target PEs, enabled, pending. */
static void spi(unsigned intid, unsigned group, unsigned priority, unsigned targets)
{
    u32 mask = (u32)BIT(intid % 32), groups = d(0, IGROUPR + intid / 32 * 4);
    d_put(0, IGROUPR + intid / 32 * 4, group ? groups | mask : groups & ~mask);
    d_put_as(0, false, IPRIORITYR + intid, 1, priority);
    d_put_as(0, false, ITARGETSR + intid, 1, targets);
    d_put(0, ISENABLER + intid / 32 * 4, mask);
    d_put(0, ISPENDR + intid / 32 * 4, mask);
}
static bool is_active(unsigned intid) { return d(0, ISACTIVER + intid / 32 * 4) >> intid % 32 & 1; }
static bool is_pending2(unsigned n, unsigned intid) { return d(n, ISPENDR + intid / 32 * 4) >> intid % 32 & 1; }

/* ---- Distributor ---- */

/* GICv2 4.3.2, 4.3.3, 4.1.2: TYPER, identification; registers of PE numbers that are not there answer nobody. */
START_TEST(identifies)
{
    u64 x;
    ck_assert_uint_eq(d(0, 4), 8 | 3 << 5);
    ck_assert_uint_eq(d(0, 0xfe8) >> 4 & 15, 2);
    ck_assert_uint_eq(d(0, 0xff0) | d(0, 0xff4) << 8 | d(0, 0xff8) << 16 | d(0, 0xffc) << 24, 0xb105f00d);
    ck_assert_uint_eq(c(0, C_IIDR) >> 16 & 15, 2);
    ck_assert_uint_eq(h(H_VTR), 0x90000003);
    ck_assert_uint_eq(v(C_IIDR), c(0, C_IIDR));
    ck_assert(!gic2_dist_read(&gic, 0, 4, by(CPUS, false), &x));
    ck_assert(!gic2_read(&gic, GIC2_CPU, 0, 4, by(CPUS, false), &x));
    ck_assert(!gic2_write(&gic, GIC2_VCPU, 0, 4, by(255, false), 0));
    d_put(0, 0, ~0u);
    ck_assert_uint_eq(d(0, 0), 3);
    ck_assert_uint_eq(d(0, 0x1000 - 0x40), 0);
}
END_TEST

/* Words only, but IPRIORITYR, ITARGETSR and SGI pending registers (GICv2 4.1.4): a guest error, RAZ/WI. */
START_TEST(widths)
{
    static const struct {
        u64 offset;
        unsigned size;
        bool ok;
    } table[] = { { ISENABLER, 4, true },  { ISENABLER, 1, false }, { ISENABLER, 8, false },
                  { IPRIORITYR, 1, true }, { ITARGETSR, 1, true },  { ITARGETSR, 2, false },
                  { SPENDSGIR, 1, true },  { SGIR, 2, false },      { IPRIORITYR, 8, false } };
    u64 x;
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        gic.d.no_such_size = 0;
        gic2_dist_read(&gic, table[n].offset, table[n].size, by(0, false), &x);
        ck_assert_msg(!gic.d.no_such_size == table[n].ok, "row %u", n);
    }
    gic2_write(&gic, GIC2_CPU, C_PMR, 1, by(0, false), 0xff);
    ck_assert(gic.d.no_such_size);
    ck_assert_uint_eq(c(0, C_PMR), 0);
    ck_assert(!gic.d.no_such_size);
}
END_TEST

/* GICv2 4.3.12: SPIs by a set of PEs, private interrupts by the own one, no bits of PEs that are not there. */
START_TEST(targets)
{
    for (unsigned n = 0; n < CPUS; n++)
        ck_assert_uint_eq(d(n, ITARGETSR + 16), 0x01010101u << n);
    d_put(0, ITARGETSR + 16, ~0u);
    ck_assert_uint_eq(d(1, ITARGETSR + 16), 0x02020202);
    d_put(0, ITARGETSR + 40, 0xffff0301);
    ck_assert_uint_eq(d(3, ITARGETSR + 40), 0x0f0f0301);
    ck_assert_uint_eq(d_as(0, false, ITARGETSR + 41, 1), 3);
    for (unsigned n = 0; n < CPUS; n++)
        open2(n, EN0);
    spi(FIRST, 0, 0x80, 0x6); /* PEs 1 and 2: the first that acknowledges it has it (1 of N, GICv2 3.2.1) */
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(lines(1) & lines(2), LINE_IRQ);
    ck_assert_uint_eq(c(2, C_IAR), FIRST);
    ck_assert_uint_eq(lines(1) | lines(2), 0);
    ck_assert_uint_eq(c(1, C_IAR), SPURIOUS);
    d_put_as(0, false, ITARGETSR + FIRST, 1, 9);
    d_put(0, ISPENDR + 4, 1 << 8);
    c_put(2, C_EOIR, FIRST);
    ck_assert_uint_eq(lines(0) & lines(3), LINE_IRQ);
    ck_assert_uint_eq(lines(1) | lines(2), 0);
    d_put_as(0, false, ITARGETSR + FIRST, 1, 0);
    ck_assert_uint_eq(lines(0) | lines(3), 0);
}
END_TEST

/* Registers of SGIs and PPIs are each PE's own; SGIs are enabled, and only SPENDSGIR makes them pending (GICv2 4.3.5 to
 * 4.3.8). */
START_TEST(banked)
{
    ck_assert_uint_eq(d(0, ISENABLER), 0xffff);
    d_put(1, ISENABLER, 0x80000000);
    ck_assert_uint_eq(d(0, ISENABLER), 0xffff);
    ck_assert_uint_eq(d(1, ISENABLER), 0x8000ffff);
    d_put(1, ICENABLER, ~0u);
    ck_assert_uint_eq(d(1, ISENABLER), 0xffff);
    d_put(2, ISPENDR, 0x0001ffff);
    ck_assert_uint_eq(d(2, ISPENDR), 0x10000);
    ck_assert_uint_eq(d(1, ISPENDR), 0);
    d_put(2, SPENDSGIR, 0x00000a00); /* SGI 1 from PEs 1 and 3 */
    ck_assert_uint_eq(d(2, ISPENDR), 0x10002);
    d_put(2, ICPENDR, ~0u);
    ck_assert_uint_eq(d(2, ISPENDR), 2);
    d_put_as(2, false, CPENDSGIR + 1, 1, 2);
    ck_assert_uint_eq(d(2, SPENDSGIR), 0x800);
    d_put(2, CPENDSGIR, ~0u);
    ck_assert_uint_eq(d(2, ISPENDR), 0);
    d_put(2, SPENDSGIR, 0xf0); /* PEs that are not there */
    ck_assert_uint_eq(d(2, SPENDSGIR) | d(2, ISPENDR), 0);
    d_put_as(3, false, IPRIORITYR + 5, 1, 0xff);
    ck_assert_uint_eq(d(3, IPRIORITYR + 4), 0xf800);
    ck_assert_uint_eq(d(0, IPRIORITYR + 4), 0);
    d_put(0, 0xc00, 0);
    ck_assert_uint_eq(d(0, 0xc00), 0xaaaaaaaa);
}
END_TEST

/* GICv2 4.3.15: whom SGIR names; 3.2.2: an SGI of each sender is an interrupt of its own, the lowest first. */
START_TEST(sgis)
{
    for (unsigned n = 0; n < CPUS; n++)
        open2(n, EN0);
    d_put(1, SGIR, 0 << 24 | 0x5 << 16 | 7);
    ck_assert_uint_eq(lines(0) & lines(2), LINE_IRQ);
    ck_assert_uint_eq(lines(1) | lines(3), 0);
    d_put(3, SGIR, 2 << 24 | 7);              /* itself */
    d_put(2, SGIR, 1 << 24 | 7);              /* all others */
    d_put(0, SGIR, 3 << 24 | 0xff << 16 | 8); /* reserved */
    ck_assert_uint_eq(d(0, SPENDSGIR + 4), 6u << 24);
    ck_assert_uint_eq(d(1, SPENDSGIR + 4), 4u << 24);
    ck_assert_uint_eq(d(3, SPENDSGIR + 4), 12u << 24);
    ck_assert_uint_eq(d(0, SPENDSGIR + 8), 0);
    ck_assert_uint_eq(c(0, C_HPPIR), 1 << 10 | 7);
    ck_assert_uint_eq(c(0, C_IAR), 1 << 10 | 7);
    ck_assert(is_pending2(0, 7));
    ck_assert_uint_eq(c(0, C_IAR), SPURIOUS); /* active */
    c_put(0, C_EOIR, 1 << 10 | 7);
    ck_assert_uint_eq(c(0, C_IAR), 2 << 10 | 7);
    ck_assert(!is_pending2(0, 7));
    c_put(0, C_EOIR, 2 << 10 | 7);
    ck_assert_uint_eq(c(0, C_IAR), SPURIOUS);
    ck_assert(gic_validate(&gic));
}
END_TEST

/* ---- CPU interface, one security state ---- */

/* GICv2 2.3, 4.4.1: group 0 is an FIQ with FIQEn, group 1 an IRQ; IAR of group 1 is 1022 without AckCtl. */
START_TEST(groups)
{
    open2(0, EN0 | EN1);
    spi(FIRST, 0, 0x80, 1);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    c_put(0, C_CTLR, EN0 | EN1 | FIQEN);
    ck_assert_uint_eq(lines(0), LINE_FIQ);
    ck_assert_uint_eq(c(0, C_AIAR), SPURIOUS);
    ck_assert_uint_eq(c(0, C_AHPPIR), SPURIOUS);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    c_put(0, C_EOIR, FIRST);
    spi(SECOND, 1, 0x80, 1);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(c(0, C_HPPIR), GROUP1);
    ck_assert_uint_eq(c(0, C_IAR), GROUP1);
    ck_assert(!is_active(SECOND));
    ck_assert_uint_eq(c(0, C_AHPPIR), SECOND);
    ck_assert_uint_eq(c(0, C_AIAR), SECOND);
    ck_assert_uint_eq(c(0, C_NSAPR), 1 << 16);
    ck_assert_uint_eq(c(0, C_APR), 0);
    c_put(0, C_AEOIR, SECOND);
    ck_assert(!is_active(SECOND));
    c_put(0, C_CTLR, EN0 | EN1 | ACKCTL);
    d_put(0, ISPENDR + 4, 1 << 9);
    ck_assert_uint_eq(c(0, C_HPPIR), SECOND);
    c_put(0, C_PMR, 0x80); /* masked: HPPIR tells of it, IAR does not */
    ck_assert_uint_eq(c(0, C_HPPIR), SECOND);
    ck_assert_uint_eq(c(0, C_IAR), SPURIOUS);
    c_put(0, C_PMR, 0x88);
    ck_assert_uint_eq(c(0, C_IAR), SECOND);
}
END_TEST

/* GICv2 4.4.4: an interrupt of a group that the CPU interface disables hides what is of lower priority; one of a group
 * that the distributor disables is not forwarded (IMPLEMENTATION DEFINED: before priorities are compared). */
START_TEST(disabled_group_hides)
{
    open2(0, EN0);
    spi(FIRST, 1, 0x40, 1);
    spi(SECOND, 0, 0x80, 1);
    ck_assert_uint_eq(lines(0), 0);
    ck_assert_uint_eq(c(0, C_HPPIR), SPURIOUS);
    ck_assert_uint_eq(c(0, C_IAR), SPURIOUS);
    d_put(0, 0, 1);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(c(0, C_IAR), SECOND);
}
END_TEST

/* GICv2 3.3, 4.4.3: preemption by the group priority of each group's binary point; RPR and APR. */
START_TEST(preemption)
{
    open2(0, EN0 | EN1 | ACKCTL);
    ck_assert_uint_eq(c(0, C_BPR), 2); /* the smallest with five bits */
    ck_assert_uint_eq(c(0, C_ABPR), 3);
    c_put(0, C_BPR, 4);  /* group priority <7:5> */
    c_put(0, C_ABPR, 4); /* of group 1 <7:4> */
    spi(FIRST, 0, 0x90, 1);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    ck_assert_uint_eq(c(0, C_RPR), 0x80);
    ck_assert_uint_eq(c(0, C_APR), 1 << 16);
    spi(SECOND, 0, 0x80, 1);
    ck_assert_uint_eq(c(0, C_IAR), SPURIOUS);
    c_put(0, C_EOIR, FIRST);
    ck_assert_uint_eq(c(0, C_IAR), SECOND);
    c_put(0, C_EOIR, SECOND);
    spi(FIRST, 1, 0x90, 1);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    ck_assert_uint_eq(c(0, C_RPR), 0x90);
    spi(SECOND, 1, 0x80, 1);
    ck_assert_uint_eq(c(0, C_IAR), SECOND);
    ck_assert_uint_eq(c(0, C_RPR), 0x80);
    c_put(0, C_EOIR, SECOND);
    c_put(0, C_EOIR, FIRST);
    ck_assert_uint_eq(c(0, C_RPR), 0xff);
    c_put(0, C_CTLR, EN0 | EN1 | ACKCTL | CBPR);
    spi(FIRST, 1, 0x90, 1);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    ck_assert_uint_eq(c(0, C_RPR), 0x80);
    ck_assert_uint_eq(c(0, C_ABPR), 4); /* its own, whatever CBPR says */
}
END_TEST

/* GICv2 3.2.4, 4.4.15: EOImode parts priority drop from deactivation; DIR without it does nothing. */
START_TEST(eoi_mode)
{
    open2(0, EN0);
    spi(FIRST, 0, 0x80, 1);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    c_put(0, C_DIR, FIRST);
    ck_assert(is_active(FIRST));
    c_put(0, C_CTLR, EN0 | EOIMODE);
    c_put(0, C_EOIR, FIRST);
    ck_assert(is_active(FIRST));
    ck_assert_uint_eq(c(0, C_RPR), 0xff);
    c_put(0, C_DIR, SECOND);
    ck_assert(is_active(FIRST));
    c_put(0, C_DIR, FIRST);
    ck_assert(!is_active(FIRST));
    c_put(0, C_EOIR, 1023);
    c_put(0, C_CTLR, ~0u);
    ck_assert_uint_eq(c(0, C_CTLR), 0x3ff); /* EOImodeNS is there for two security states */
}
END_TEST

/* ---- Two security states ---- */

/* GICv2 4.4.1, 4.3.1: the Non-secure copies. */
START_TEST(nonsecure_registers)
{
    d_put(0, 0, 1);
    d_put_as(0, true, 0, 4, 1);
    ck_assert_uint_eq(d(0, 0), 3);
    ck_assert_uint_eq(d_as(0, true, 0, 4), 1);
    ck_assert_uint_eq(d(0, 4) >> 10 & 1, 1);
    c_put(0, C_CTLR, EN0 | FIQEN | EOIMODE | 0x60);
    c_ns_put(0, C_CTLR, 1 | 0x60 | 1 << 9);
    ck_assert_uint_eq(c(0, C_CTLR), EN0 | EN1 | FIQEN | EOIMODE | EOIMODENS | 0x1e0);
    ck_assert_uint_eq(c_ns(0, C_CTLR), 1 | 0x60 | 1 << 9);
    c_ns_put(0, C_CTLR, 0);
    ck_assert_uint_eq(c(0, C_CTLR), EN0 | FIQEN | EOIMODE | 0x60);
    d_put(0, IGROUPR + 4, 0xff);
    d_put_as(0, true, IGROUPR + 4, 4, 0);
    ck_assert_uint_eq(d(0, IGROUPR + 4), 0xff);
    c_put(0, C_BPR, 3);
    c_ns_put(0, C_BPR, 6);
    ck_assert_uint_eq(c(0, C_ABPR), 6);
    c_put(0, C_CTLR, CBPR);
    ck_assert_uint_eq(c_ns(0, C_BPR), 4); /* the Secure one and 1 */
    c_ns_put(0, C_BPR, 7);
    ck_assert_uint_eq(c(0, C_BPR), 3);
    ck_assert_uint_eq(c(0, C_ABPR), 6);
    ck_assert_uint_eq(c_ns(0, C_ABPR), 0); /* Secure registers */
    c_ns_put(0, C_ABPR, 5);
    ck_assert_uint_eq(c(0, C_ABPR), 6);
    c_ns_put(0, C_PMR, 0xff); /* of the Secure half: it stays */
    ck_assert_uint_eq(c(0, C_PMR), 0);
    c_put(0, C_PMR, 0xf0);
    ck_assert_uint_eq(c_ns(0, C_PMR), 0xe0);
    c_ns_put(0, C_PMR, 0x40);
    ck_assert_uint_eq(c(0, C_PMR), 0xa0);
    c_put(0, C_NSAPR, 0x80050001);
    ck_assert_uint_eq(c_ns(0, C_APR), 0x8005);
    c_ns_put(0, C_APR, 0x6);
    ck_assert_uint_eq(c(0, C_NSAPR), 0x60001);
    ck_assert_uint_eq(c_ns(0, C_NSAPR), 0);
}
END_TEST

/* GICv2 4.4.4 to 4.4.6: each state acknowledges, sees and ends its own group. */
START_TEST(nonsecure_acknowledge)
{
    open2(0, EN0 | EN1 | FIQEN);
    spi(FIRST, 0, 0x40, 1);
    ck_assert_uint_eq(lines(0), LINE_FIQ);
    ck_assert_uint_eq(c_ns(0, C_IAR), SPURIOUS);
    ck_assert_uint_eq(c_ns(0, C_HPPIR), SPURIOUS);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    ck_assert_uint_eq(c_ns(0, C_RPR), 0);
    c_ns_put(0, C_EOIR, FIRST);
    ck_assert(is_active(FIRST));
    ck_assert_uint_eq(c(0, C_RPR), 0x40);
    c_put(0, C_EOIR, FIRST);
    ck_assert(!is_active(FIRST));
    spi(SECOND, 1, 0xa0, 1);
    ck_assert_uint_eq(lines(0), LINE_IRQ);
    ck_assert_uint_eq(c(0, C_IAR), GROUP1);
    ck_assert_uint_eq(c_ns(0, C_AIAR), 0);
    ck_assert_uint_eq(c_ns(0, C_IAR), SECOND);
    ck_assert_uint_eq(c_ns(0, C_RPR), 0x40);
    ck_assert_uint_eq(c(0, C_RPR), 0xa0);
    c_put(0, C_CTLR, EN0 | EN1 | EOIMODENS);
    c_ns_put(0, C_EOIR, SECOND);
    ck_assert(is_active(SECOND));
    c_put(0, C_DIR, SECOND); /* EOImodeS is 0 */
    ck_assert(is_active(SECOND));
    c_ns_put(0, C_DIR, SECOND);
    ck_assert(!is_active(SECOND));
    d_put(0, ISPENDR + 4, 1 << 9);
    ck_assert_uint_eq(c(0, C_AIAR), SECOND);
    c_put(0, C_AEOIR, SECOND); /* as the Non-secure EOIR: EOImodeNS */
    ck_assert(is_active(SECOND));
    ck_assert_uint_eq(c(0, C_RPR), 0xff);
}
END_TEST

/* GICv2 table 4-22 and 4.3.13: NSATT, the group at the target, NSACR. */
START_TEST(sgi_by_group)
{
    static const struct {
        bool ns, nsatt, group1, nsacr, sent;
    } table[] = { { 0, 0, 0, 0, 1 }, { 0, 0, 1, 0, 0 }, { 0, 1, 0, 0, 0 }, { 0, 1, 1, 0, 1 }, { 1, 0, 0, 0, 0 },
                  { 1, 1, 0, 0, 0 }, { 1, 0, 1, 0, 1 }, { 1, 1, 1, 0, 1 }, { 1, 0, 0, 1, 1 }, { 0, 1, 0, 1, 0 } };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        d_put(2, IGROUPR, table[n].group1 ? 1 << 5 : 0);
        d_put(2, NSACR, table[n].nsacr ? 1 << 10 : 0);
        d_put_as(1, table[n].ns, SGIR, 4, 4 << 16 | (u32)table[n].nsatt << 15 | 5);
        ck_assert_msg(d(2, SPENDSGIR + 4) == (table[n].sent ? 0x200u : 0), "row %u", n);
        ck_assert_uint_eq(d_as(2, true, SPENDSGIR + 4, 4), table[n].sent && table[n].group1 ? 0x200 : 0);
        d_put_as(2, true, CPENDSGIR + 4, 4, 0xff00);
        ck_assert_uint_eq(d(2, SPENDSGIR + 4), table[n].sent && !table[n].group1 ? 0x200 : 0);
        d_put(2, CPENDSGIR + 4, 0xff00);
    }
}
END_TEST

/* What firmware leaves to a Non-secure kernel. */
START_TEST(handed_over)
{
    gic_hand_to_nonsecure(&gic);
    c_ns_put(3, C_PMR, 0xf0);
    ck_assert_uint_eq(c_ns(3, C_PMR), 0xf0);
    d_put_as(3, true, 0, 4, 1);
    c_ns_put(3, C_CTLR, 1);
    d_put_as(3, true, ISENABLER, 4, 1u << 30);
    gic_set_ppi(&gic, 3, 30, true);
    ck_assert_uint_eq(lines(3), LINE_IRQ);
    ck_assert_uint_eq(c_ns(3, C_IAR), 30);
    ck_assert(gic_validate(&gic));
}
END_TEST

/* ---- Virtual interface ---- */

/* GICv2 5.3.10: fields kept in their places, by HW. */
START_TEST(list_registers)
{
    static const u32 kept[][2] = {
        { LR2_PEND | LR2_GRP1 | LR2_PRIO(0xa8) | LR2_EOI | 50, LR2_PEND | LR2_GRP1 | LR2_PRIO(0xa8) | LR2_EOI | 50 },
        { LR2_HW | LR2_ACT | 77 << 10 | 60, LR2_HW | LR2_ACT | 77 << 10 | 60 },
        { LR2_PEND | 5 << 10 | 3, LR2_PEND | 5 << 10 | 3 }, /* an SGI of PE 5 */
        { LR2_PEND | 5 << 10 | 33, LR2_PEND | 33 },         /* CPUID is SGIs' */
        { ~0u, 0xff8fffff },
    };
    for (unsigned n = 0; n < ARRAY_LEN(kept); n++) {
        h_put(H_LR + 4 * (n % 4), kept[n][0]);
        ck_assert_msg(h(H_LR + 4 * (n % 4)) == kept[n][1], "row %u: %x", n, h(H_LR + 4 * (n % 4)));
    }
    h_put(H_VMCR, ~0u);
    ck_assert_uint_eq(h(H_VMCR), 0xf8fc021f);
    v_put(C_CTLR, 0);
    ck_assert_uint_eq(h(H_VMCR), 0xf8fc0000);
    v_put(C_PMR, 0x80);
    v_put(C_BPR, 0);
    v_put(C_ABPR, 0);
    ck_assert_uint_eq(h(H_VMCR), 0x804c0000);
    h_put(H_HCR, ~0u);
    ck_assert_uint_eq(h(H_HCR), 0xf80000ff);
}
END_TEST

/* GICv2 5.5: the guest's life of an interrupt; group 0 is a virtual FIQ with VFIQEn only. */
START_TEST(guest_life)
{
    h_put(H_HCR, 1);
    v_put(C_PMR, 0xff);
    v_put(C_CTLR, EN0 | EN1);
    h_put(H_LR, LR2_PEND | LR2_PRIO(0x80) | 50);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    v_put(C_CTLR, EN0 | EN1 | FIQEN);
    ck_assert_uint_eq(lines(0), LINE_VFIQ);
    ck_assert_uint_eq(v(C_HPPIR), 50);
    ck_assert_uint_eq(v(C_AHPPIR), SPURIOUS);
    ck_assert_uint_eq(v(C_IAR), 50);
    ck_assert_uint_eq(h(H_LR) >> 28 & 3, 2);
    ck_assert_uint_eq(h(H_APR), 1 << 16);
    ck_assert_uint_eq(v(C_APR), 1 << 16);
    ck_assert_uint_eq(v(C_RPR), 0x80);
    v_put(C_EOIR, 50);
    ck_assert_uint_eq(h(H_LR) >> 28 & 3, 0);
    ck_assert_uint_eq(h(H_APR), 0);
    h_put(H_LR + 4, LR2_PEND | LR2_GRP1 | LR2_PRIO(0x80) | 51);
    ck_assert_uint_eq(lines(0), LINE_VIRQ);
    ck_assert_uint_eq(v(C_HPPIR), GROUP1);
    ck_assert_uint_eq(v(C_IAR), GROUP1);
    ck_assert_uint_eq(v(C_AHPPIR), 51);
    ck_assert_uint_eq(v(C_AIAR), 51);
    ck_assert_uint_eq(h(H_APR), 1 << 16); /* one register for both groups */
    v_put(C_AEOIR, 51);
    v_put(C_CTLR, EN0 | EN1 | ACKCTL | EOIMODE);
    h_put(H_LR + 4, LR2_PEND | LR2_GRP1 | LR2_PRIO(0x80) | 51);
    ck_assert_uint_eq(v(C_IAR), 51);
    v_put(C_EOIR, 51);
    ck_assert_uint_eq(h(H_LR + 4) >> 28 & 3, 2);
    v_put(C_DIR, 51);
    ck_assert_uint_eq(h(H_LR + 4) >> 28 & 3, 0);
    ck_assert_uint_eq(h(H_ELRSR), 15);
}
END_TEST

/* SGIs of several senders are several interrupts; a physical one ends with its list register (GICv2 5.2.1). */
START_TEST(guest_sgis_and_hw)
{
    open2(0, EN0 | EOIMODE);
    h_put(H_HCR, 1);
    v_put(C_PMR, 0xff);
    v_put(C_CTLR, EN0);
    h_put(H_LR, LR2_PEND | 1 << 10 | 3);
    h_put(H_LR + 4, LR2_PEND | LR2_PRIO(8) | 2 << 10 | 3);
    ck_assert_uint_eq(v(C_HPPIR), 1 << 10 | 3);
    ck_assert_uint_eq(v(C_IAR), 1 << 10 | 3);
    v_put(C_EOIR, 1 << 10 | 3);
    ck_assert_uint_eq(v(C_IAR), 2 << 10 | 3);
    v_put(C_EOIR, 3); /* another sender: found by the INTID */
    ck_assert_uint_eq(h(H_LR + 4) >> 28 & 3, 0);
    spi(FIRST, 0, 0x80, 1);
    ck_assert_uint_eq(c(0, C_IAR), FIRST);
    c_put(0, C_EOIR, FIRST);
    h_put(H_LR, LR2_HW | LR2_PEND | FIRST << 10 | 70);
    ck_assert_uint_eq(v(C_IAR), 70);
    ck_assert(is_active(FIRST));
    v_put(C_EOIR, 70);
    ck_assert(!is_active(FIRST));
}
END_TEST

/* GICv2 5.3.1, 5.3.4: conditions, EOI maintenance, EOICount; INTID 25. */
START_TEST(maintenance)
{
    d_put(0, ISENABLER, 1 << 25);
    h_put(H_HCR, 1 | 1 << 1 | 1 << 3); /* underflow, no pending */
    ck_assert_uint_eq(h(H_MISR), 0xa);
    ck_assert(is_pending2(0, 25));
    h_put(H_LR, LR2_PEND | 50);
    h_put(H_LR + 4, LR2_ACT | LR2_EOI | 51);
    ck_assert_uint_eq(h(H_MISR), 0);
    ck_assert(!is_pending2(0, 25));
    h_put(H_APR, 1);
    v_put(C_EOIR, 51);
    ck_assert_uint_eq(h(H_MISR) & 1, 1);
    ck_assert_uint_eq(h(H_EISR), 2);
    ck_assert_uint_eq(h(H_ELRSR), 0xc); /* it is not free before the hypervisor has seen its end */
    h_put(H_LR + 4, 0);
    ck_assert_uint_eq(h(H_EISR), 0);
    h_put(H_HCR, 1 | 1 << 2); /* EOICount is not 0 */
    v_put(C_EOIR, 99);        /* no active priority: not counted */
    ck_assert_uint_eq(h(H_HCR) >> 27, 0);
    h_put(H_APR, 2);
    v_put(C_EOIR, 99);
    ck_assert_uint_eq(h(H_HCR) >> 27, 1);
    ck_assert_uint_eq(h(H_MISR), 4);
    h_put(H_HCR, 1 | 1 << 4 | 1 << 7);
    v_put(C_CTLR, EN0);
    ck_assert_uint_eq(h(H_MISR), 1 << 4 | 1 << 7);
    h_put(H_HCR, 1 << 4);
    ck_assert(!is_pending2(0, 25));
}
END_TEST

/* A state that cannot be is refused. */
START_TEST(validated)
{
    ck_assert(gic_validate(&gic));
#define WRONG(field, value)                                                                                            \
    do {                                                                                                               \
        struct gic old = gic;                                                                                          \
        (field) = (value);                                                                                             \
        ck_assert_msg(!gic_validate(&gic), #field);                                                                    \
        gic = old;                                                                                                     \
    } while (0)
    WRONG(gic.v2.on, 2);
    WRONG(gic.v2.target[3], 0x10);
    WRONG(gic.v2.source[0][3], 1);
    WRONG(gic.v2.source[1][3], 0x10);
    WRONG(gic.ppi[2].latch, 1);
    WRONG(gic.v2.ctlr[1], 1);
    WRONG(gic.ppi[0].enable, 0);
    WRONG(gic.spi[1].grpmod, 1);
    WRONG(gic.has_nmi, 1);
    gic.v2.target[0] = 0xf;
    gic.ppi[1].latch = 4;
    gic.v2.source[1][2] = 1;
    ck_assert(gic_validate(&gic));
}
END_TEST

Suite *test_gicv2_suite(void)
{
    Suite *s = suite_create("gicv2");
    TCase *one = tcase_create("one security state"), *two = tcase_create("two security states");
    tcase_add_checked_fixture(one, setup2, teardown);
    tcase_add_test(one, identifies);
    tcase_add_test(one, widths);
    tcase_add_test(one, targets);
    tcase_add_test(one, banked);
    tcase_add_test(one, sgis);
    tcase_add_test(one, groups);
    tcase_add_test(one, disabled_group_hides);
    tcase_add_test(one, preemption);
    tcase_add_test(one, eoi_mode);
    tcase_add_test(one, list_registers);
    tcase_add_test(one, guest_life);
    tcase_add_test(one, guest_sgis_and_hw);
    tcase_add_test(one, maintenance);
    tcase_add_test(one, validated);
    tcase_add_checked_fixture(two, setup2_security, teardown);
    tcase_add_test(two, nonsecure_registers);
    tcase_add_test(two, nonsecure_acknowledge);
    tcase_add_test(two, sgi_by_group);
    tcase_add_test(two, handed_over);
    suite_add_tcase(s, one);
    suite_add_tcase(s, two);
    return s;
}
