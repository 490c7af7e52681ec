/* Whose turn it is. */
#include "vm.h"

bool slice_over;

/* Its timer is due, though it does not run: EL2 looks in the hardware's place. */
static bool timer_due(const struct vm *v)
{
    bool on = (v->cntv_ctl & (CNT_ENABLE | CNT_IMASK)) == CNT_ENABLE;
    return on && read_sysreg(cntpct_el0) - v->cntvoff >= v->cntv_cval;
}

/* Those that do not run: what their timers say, and whether they still have a reason to sleep. */
static void others_look(void)
{
    for (struct vm *v = vms; v < vms + VMS; v++) {
        if (v == current || v->over || !timer_due(v))
            continue;
        v->cntv_ctl |= CNT_IMASK;
        v->waiting[INTID_VTIMER] = true;
        v->sleeps = false;
    }
}

struct vm *vm_next(void)
{
    for (;;) {
        others_look();
        unsigned first = (unsigned)(current - vms) + (slice_over || current->sleeps || current->over);
        slice_over = false;
        bool all_over = true;
        for (unsigned n = 0; n < VMS; n++) {
            struct vm *v = &vms[(first + n) % VMS];
            if (!v->over && !v->sleeps)
                return v;
            all_over &= v->over;
        }
        if (all_over)
            return NULL;
        asm volatile("wfi");
        irq_taken();
    }
}
