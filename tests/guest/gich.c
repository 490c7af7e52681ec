/* GICv2's virtual interface: list registers by GICH, the guest's side by GICV, maintenance; from EL2, with a guest at
 * EL1 that takes virtual interrupts. Arm IHI 0048B: 5.2 (operation), 5.3 (GICH), 5.5 (GICV). */
#include "gicv2.h"

#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define MAINTENANCE 25u

static u32 h(u32 reg) { return get32(GICH + reg); }
static void h_put(u32 reg, u32 v) { put32(GICH + reg, v); }
static u32 v(u32 reg) { return get32(GICV + reg); }
static void v_put(u32 reg, u32 value) { put32(GICV + reg, value); }

CODE(g_isr, "isb\nmrs x0, isr_el1");
CODE(g_unmask, "isb\nmsr daifclr, #3\nisb\nnop\nmsr daifset, #3");
static u64 guest_isr(void) { return call_el(1, g_isr, 0, 0); }

static void reset(u32 ctlr)
{
    h_put(H_HCR, 1);
    for (u32 n = 0; n < 4; n++)
        h_put(H_LR(n), 0);
    h_put(H_APR, 0);
    v_put(C_CTLR, ctlr);
    v_put(C_PMR, 0xf8);
    v_put(C_BPR, 2);
    v_put(C_ABPR, 3);
}

static void registers(void)
{
    check_eq("GICH_VTR: four list registers, five bits", h(H_VTR), 0x90000003);
    reset(0);
    check_eq("GICH_ELRSR0: all are free", h(H_ELRSR), 15);
    h_put(H_LR(1), LR_PENDING | LR_GRP1 | LR_PRIO(0xa8) | LR_EOI | 50);
    check_eq("GICH_LR keeps its fields", h(H_LR(1)), LR_PENDING | LR_GRP1 | LR_PRIO(0xa8) | LR_EOI | 50);
    h_put(H_LR(2), LR_HW | LR_ACTIVE | 77 << 10 | 60);
    check_eq("  with HW", h(H_LR(2)), LR_HW | LR_ACTIVE | 77 << 10 | 60);
    check_eq("GICH_ELRSR0: two are taken", h(H_ELRSR), 9);
    v_put(C_CTLR, EN0 | EN1 | CBPR | EOIMODE);
    v_put(C_PMR, 0xa0);
    v_put(C_BPR, 5);
    v_put(C_ABPR, 6);
    check_eq("GICH_VMCR is what GICV has", h(H_VMCR), 0x14u << 27 | 5 << 21 | 6 << 18 | 1 << 9 | 1 << 4 | 3);
    h_put(H_VMCR, 0x10u << 27 | 4 << 21 | 5 << 18 | 1);
    check_eq("  and the other way: PMR", v(C_PMR), 0x80);
    check_eq("  BPR, ABPR", v(C_BPR) << 4 | v(C_ABPR), 0x45);
    check_eq("  CTLR", v(C_CTLR), EN0);
    exc_expect();
    (void)READ(ICH_VTR);
    check_eq("ICH_VTR_EL2 is UNDEFINED", esr_ec(EXC.esr) << 8 | EXC.count, 1);
}

static void life(void)
{
    reset(EN0);
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 50);
    check_eq("group 0 without FIQEn: a virtual IRQ", guest_isr(), BIT(7));
    check_eq("GICV_HPPIR", v(C_HPPIR), 50);
    check_eq("GICV_IAR", v(C_IAR), 50);
    check_eq("  active", LR_STATE(h(H_LR(0))), 2);
    check_eq("  GICH_APR", h(H_APR), 1 << 16);
    check_eq("  GICV_RPR", v(C_RPR), 0x80);
    h_put(H_LR(1), LR_PENDING | LR_PRIO(0x80) | 51);
    check_eq("  the same priority waits", v(C_IAR), SPURIOUS);
    h_put(H_LR(1), LR_PENDING | LR_PRIO(0x40) | 51);
    check_eq("  a higher one preempts", v(C_IAR), 51);
    v_put(C_EOIR, 51);
    v_put(C_EOIR, 50);
    check_eq("GICV_EOIR: both ended", LR_STATE(h(H_LR(0))) | LR_STATE(h(H_LR(1))), 0);
    check_eq("  GICH_APR", h(H_APR), 0);
    v_put(C_CTLR, EN0 | EOIMODE);
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 50);
    v(C_IAR);
    v_put(C_EOIR, 50);
    check_eq("EOImode: EOIR drops the priority only", LR_STATE(h(H_LR(0))) << 8 | v(C_RPR), 0x2ff);
    v_put(C_DIR, 50);
    check_eq("  DIR deactivates", LR_STATE(h(H_LR(0))), 0);
    v_put(C_PMR, 0x80);
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 50);
    check_eq("masked by GICV_PMR", guest_isr(), 0);
    h_put(H_HCR, 0);
    v_put(C_PMR, 0xf8);
    check_eq("GICH_HCR.En 0: nothing is signalled", guest_isr(), 0);
}

static void groups(void)
{
    reset(EN0 | EN1 | FIQEN);
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 50);
    check_eq("FIQEn: group 0 is a virtual FIQ", guest_isr(), BIT(6));
    h_put(H_LR(0), LR_PENDING | LR_GRP1 | LR_PRIO(0x80) | 50);
    check_eq("group 1 is a virtual IRQ", guest_isr(), BIT(7));
    check_eq("  GICV_IAR without AckCtl: 1022", v(C_IAR), GROUP1);
    check_eq("  GICV_AIAR", v(C_AIAR), 50);
    v_put(C_AEOIR, 50);
    check_eq("  GICV_AEOIR", LR_STATE(h(H_LR(0))), 0);
    h_put(H_LR(0), LR_PENDING | LR_GRP1 | LR_PRIO(0x80) | 50);
    v_put(C_CTLR, EN0 | EN1 | ACKCTL);
    check_eq("  GICV_IAR with AckCtl", v(C_IAR), 50);
    v_put(C_EOIR, 50);
}

static void senders(void)
{
    reset(EN0);
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 1 << 10 | 3);
    h_put(H_LR(1), LR_PENDING | LR_PRIO(0x90) | 2 << 10 | 3);
    check_eq("GICV_HPPIR of an SGI: with its sender", v(C_HPPIR), 1 << 10 | 3);
    check_eq("GICV_IAR of an SGI", v(C_IAR), 1 << 10 | 3);
    v_put(C_EOIR, 1 << 10 | 3);
    check_eq("  of another sender", v(C_IAR), 2 << 10 | 3);
    v_put(C_EOIR, 2 << 10 | 3);
    check_eq("  both ended", h(H_ELRSR), 15);
}

static void physical(void)
{
    reset(EN0);
    put32(GICD, 1);
    interface_on(EN0 | EOIMODE);
    MMIO8(GICD + ITARGETSR + SPI_A) = 1;
    raise(SPI_A, 0, 0x80);
    check_eq("physical: GICC_IAR", get32(GICC + C_IAR), SPI_A);
    put32(GICC + C_EOIR, SPI_A);
    h_put(H_LR(0), LR_HW | LR_PENDING | LR_PRIO(0x80) | SPI_A << 10 | 70);
    check_eq("HW: GICV_IAR is the virtual one", v(C_IAR), 70);
    check(bit_get(ISACTIVER, SPI_A), "  the physical one is active");
    v_put(C_EOIR, 70);
    check(!bit_get(ISACTIVER, SPI_A), "  until the guest ends its own");
    bit_set(ICENABLER, SPI_A);
}

static void maintenance(void)
{
    reset(EN0);
    bit_set(ISENABLER, MAINTENANCE);
    h_put(H_HCR, 1 | 1 << 1);
    check_eq("underflow: GICH_MISR.U", h(H_MISR), 2);
    check(bit_get(ISPENDR, MAINTENANCE), "  INTID 25 is pending");
    h_put(H_LR(0), LR_PENDING | 50);
    h_put(H_LR(1), LR_PENDING | LR_PRIO(8) | LR_EOI | 51);
    check_eq("two list registers: no underflow", h(H_MISR), 0);
    check(!bit_get(ISPENDR, MAINTENANCE), "  nor INTID 25");
    h_put(H_HCR, 1 | 1 << 3);
    check_eq("some are pending: GICH_MISR.NP", h(H_MISR), 0);
    v(C_IAR);
    v_put(C_EOIR, 50);
    v(C_IAR);
    v_put(C_EOIR, 51);
    check_eq("none is, and one asked for EOI: NP, EOI", h(H_MISR), 9);
    check_eq("  GICH_EISR0", h(H_EISR), 2);
    check_eq("  GICH_ELRSR0: not yet free", h(H_ELRSR) & 2, 0);
    h_put(H_LR(1), 0);
    check_eq("  cleared by writing the list register", h(H_EISR), 0);
    h_put(H_HCR, 1 | 1 << 2);
    h_put(H_APR, 1 << 16);
    v_put(C_EOIR, 99);
    check_eq("an end without a list register: EOICount", h(H_HCR) >> 27, 1);
    check_eq("  GICH_MISR.LRENP", h(H_MISR), 4);
    h_put(H_HCR, 1 | 0xf0);
    check_eq("group 0 enabled, group 1 disabled", h(H_MISR), 0x90);
    v_put(C_CTLR, EN1);
    check_eq("group 1 enabled, group 0 disabled", h(H_MISR), 0x60);
    h_put(H_HCR, 0);
    check(!bit_get(ISPENDR, MAINTENANCE), "En 0: no maintenance interrupt");
    bit_set(ICENABLER, MAINTENANCE);
}

static u64 took;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f;
    u32 iar = get32(GICV + C_IAR);
    took = el << 32 | vector << 16 | iar;
    put32(GICV + C_EOIR, iar);
}

static void taken(void)
{
    reset(EN0);
    irq_hook = take;
    h_put(H_LR(0), LR_PENDING | LR_PRIO(0x80) | 50);
    call_el(1, g_unmask, 0, 0);
    check_eq("the guest takes it as an IRQ at EL1", took, 1ul << 32 | (u64)(FROM_SPX + IRQ) << 16 | 50);
    check_eq("  and has ended it", h(H_ELRSR), 15);
    irq_hook = NULL;
}

void test_main(void)
{
    WRITE(hcr_el2, READ(hcr_el2) | HCR_IMO | HCR_FMO);
    ISB();
    registers();
    life();
    groups();
    senders();
    physical();
    maintenance();
    taken();
    finish();
}
