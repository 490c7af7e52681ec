/* What tests/gdb/points.py stops at: accesses with a tag byte, code at a page's end under two VMIDs, register writes of
 * which bits are dropped, interrupts by every route. */
#include "rt.h"

u64 data[16] __attribute__((aligned(4096)));
CODE(store8, "str x1, [x0]");
CODE(load1, "ldrb w0, [x0]");
CODE(store16, "stp x1, x1, [x0]");
CODE(nothing, "nop");
u64 edge(u64 a, u64 b);
asm(".pushsection .text\n.balign 4096\n.skip 4092\n.global edge, edge_next\nedge: add x0, x0, #1\nedge_next: ret\n.popsection");

static void tag_bytes(bool on)
{
    u64 tbi = READ(tcr_el1) & ~BIT(37);
    WRITE(tcr_el1, tbi | (on ? BIT(37) : 0));
    ISB();
}

/* Whoever takes it takes the cause away: what EL2 takes from below PSTATE does not mask. */
static void taken(struct frame *f, u64 vector, u64 el)
{
    gic_unpend(5);
    f->spsr |= BIT(7);
    exc_record(f, vector, el);
}

/* One interrupt at `el`, with HCR_EL2 as given. */
static void interrupt(u64 el, u64 hcr)
{
    u64 before = READ(hcr_el2);
    WRITE(hcr_el2, BIT(31) | hcr);
    ISB();
    call_pstate = 0x340; /* I clear */
    call_el(el, nothing, 0, 0);
    call_pstate = 0x3c0;
    WRITE(hcr_el2, before);
    ISB();
}

void test_main(void)
{
    u64 tagged = (u64)data | 0x5aul << 56;
    WRITE(hcr_el2, BIT(31));
    u64 *root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    tag_bytes(true);
    call_el(1, store8, tagged, 1);
    call_el(1, load1, tagged + 9, 0);
    call_el(1, store16, tagged + 0x28, 2);
    tag_bytes(false);
    call_el(1, store8, (u64)data, 3);
    stage2_on(pt_identity(S2), 1);
    call_el(1, edge, 0, 0);
    stage2_on(pt_identity(S2), 2);
    call_el(1, edge, 0, 0);
    WRITE(hcr_el2, BIT(31));
    WRITE(vbar_el1, READ(vbar_el1) | 0x7ff);
    WRITE(vttbr_el2, 3ul << 48 | 0x40300000ul | 0xff00ul << 48);
    WRITE(cntp_ctl_el0, 7);
    WRITE(cntp_ctl_el0, 0);
    gic_init();
    gic_enable(5, 0x80);
    irq_hook = taken;
    gic_pend(5);
    interrupt(1, 0);
    gic_pend(5);
    interrupt(1, BIT(4));
    gic_pend(5);
    interrupt(0, BIT(27));
    interrupt(1, BIT(4) | BIT(7));
    WRITE(ICH_HCR, 1);
    WRITE(ICH_VMCR, 0xfful << 24 | 2);
    WRITE(ICH_LR1, BIT(62) | BIT(60) | 77);
    interrupt(1, BIT(4));
    WRITE(ICH_LR1, 0);
    check(true, "all was done");
    finish();
}
