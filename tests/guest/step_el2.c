/* Software step of EL1 and EL0 by EL2 (MDCR_EL2.TDE), as a hypervisor debugs its guest. Arm ARM D2.11. */
#include "rt.h"

#define SS      BIT(21)
#define TDE     BIT(8)
#define HCR_TGE BIT(27)
#define ISS_STEP (BIT(24) | 0x22)

static u64 elrs[8], ecs[8], els[8], iss[8];
static u32 count, limit;

static bool on_step(struct frame *f, u64 vector, u64 el)
{
    (void)vector;
    if (count < COUNT(elrs)) {
        elrs[count] = f->elr;
        ecs[count] = esr_ec(f->esr);
        iss[count] = BITS(f->esr, 24, 0);
        els[count] = el;
    }
    count++;
    if (ecs[count - 1] == EC_SYSREG || ecs[count - 1] == EC_WFX)
        f->elr += 4;
    if (count < limit) {
        f->spsr |= SS;
        return true;
    }
    WRITE(mdscr_el1, 0);
    f->spsr &= ~SS;
    return true;
}

CODE(three, "mov x0, #1\nmov x0, #2\nmov x0, #3");
CODE(trapped, "mrs x5, id_aa64pfr0_el1\nmov x0, #4\nmov x0, #5");
CODE(hypercall, "hvc #0x12\nmov x0, #6\nmov x0, #7");

static u64 run(u64 el, u64 (*fn)(u64, u64), u32 steps)
{
    count = 0;
    limit = steps;
    sync_hook = on_step;
    WRITE(mdcr_el2, TDE);
    WRITE(mdscr_el1, 1);
    ISB();
    call_pstate = 0x3c0 | SS;
    u64 result = call_el(el, fn, 0, 0);
    call_pstate = 0x3c0;
    WRITE(mdscr_el1, 0);
    WRITE(mdcr_el2, 0);
    ISB();
    sync_hook = NULL;
    return result;
}

static void steps_of(u64 el, const char *what)
{
    u64 result = run(el, three, 2);
    check(count == 2 && result == 3 && els[0] == 2 && ecs[0] == EC_STEP_LOWER && iss[0] == ISS_STEP &&
              elrs[0] == (u64)three + 4 && elrs[1] == (u64)three + 8,
          what);
}

void test_main(void)
{
    WRITE(oslar_el1, 0);
    ISB();
    steps_of(1, "EL1 stepped by EL2, PSTATE.D set");
    steps_of(0, "EL0 stepped by EL2");

    WRITE(hcr_el2, READ(hcr_el2) | BIT(18)); /* TID3 */
    ISB();
    u64 result = run(1, trapped, 3);
    WRITE(hcr_el2, READ(hcr_el2) & ~BIT(18));
    check(ecs[0] == EC_SYSREG && elrs[0] == (u64)trapped, "a trapped MRS: the trap is taken");
    check(ecs[1] == EC_STEP_LOWER && elrs[1] == (u64)trapped + 8, "  resumed after it with SS: one more instruction");
    check_eq("  the end", result, 5);

    result = run(1, hypercall, 3);
    check(ecs[0] == EC_HVC && iss[0] == 0x12 && elrs[0] == (u64)hypercall + 4, "an HVC: it is taken");
    check(ecs[1] == EC_STEP_LOWER && elrs[1] == (u64)hypercall + 8, "  resumed after it with SS: one more instruction");
    check_eq("  the end", result, 7);
    finish();
}
