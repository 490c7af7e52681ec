/* WFI and WFE on one CPU: what ends them, and what is trapped only when it would really wait.
 * Arm ARM D1.6 (WFE, WFI and the event register). */
#include "rt.h"

#define HCR_IMO BIT(4)
#define HCR_VI  BIT(7)
#define HCR_TWI BIT(13)

CODE(do_wfi, "wfi\nmov x0, #1");
CODE(do_sevl_wfe, "sevl\nwfe\nmov x0, #1");

static u32 taken;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    taken++;
    WRITE(cnthp_ctl_el2, 0);
    u32 intid = READ(ICC_IAR1);
    WRITE(ICC_EOIR1, intid);
    ISB();
}

static u64 timer_in(u64 ticks)
{
    u64 due = counter() + ticks;
    WRITE(cnthp_cval_el2, due);
    WRITE(cnthp_ctl_el2, 1);
    ISB();
    return due;
}

void test_main(void)
{
    gic_init();
    gic_enable(26, 0x80);
    WRITE(hcr_el2, READ(hcr_el2) | HCR_IMO);
    ISB();
    irq_hook = take;

    ASM("sevl; wfe");
    check(true, "SEVL, WFE: goes on");
    ASM("sev; wfe");
    check(true, "SEV, WFE: goes on");
    check_eq("the event register survives ERET, or ERET sets it", call_el(1, do_sevl_wfe, 0, 0), 1);

    u64 due = timer_in(5000);
    ASM("wfi");
    check(counter() >= due && !taken, "WFI, masked: ends when the interrupt is pending, not taken");
    ASM("wfi");
    check(true, "WFI with it pending already: goes on");
    ASM("msr daifclr, #2; isb; msr daifset, #2");
    check_eq("  unmasked: taken", taken, 1);

    due = timer_in(5000);
    ASM("msr daifclr, #2; wfi; msr daifset, #2");
    check(counter() >= due && taken == 2, "WFI, unmasked: ends by taking it");
    due = timer_in(5000);
    ASM("msr daifclr, #2");
    while (taken == 2)
        ASM("wfe");
    ASM("msr daifset, #2");
    check(counter() >= due && taken == 3, "WFE, unmasked: ends by taking it");

    WRITE(hcr_el2, (READ(hcr_el2) & ~HCR_IMO) | HCR_TWI);
    timer_in(0);
    u64 result = try_el(1, do_wfi, 0, 0);
    check(result == 1 && !EXC.count, "HCR_EL2.TWI: WFI with an interrupt pending does not wait, is not trapped");
    WRITE(cnthp_ctl_el2, 0);
    ISB();
    try_el(1, do_wfi, 0, 0);
    check_exc("HCR_EL2.TWI: WFI with none is trapped", 2, EC_WFX, ISS_COND);
    WRITE(hcr_el2, (READ(hcr_el2) & ~HCR_TWI) | HCR_IMO | HCR_VI);
    ISB();
    result = try_el(1, do_wfi, 0, 0);
    check_eq("WFI at EL1 with a virtual interrupt, masked: goes on", result, 1);
    WRITE(hcr_el2, READ(hcr_el2) & ~HCR_VI);
    due = timer_in(5000);
    ASM("wfi");
    check(counter() >= due, "WFI at EL2 is not ended by a virtual one");
    finish();
}
