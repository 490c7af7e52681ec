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
        bool all_over = true;
        TODO(6, "one that is neither over nor sleeping: the current one, unless its slice is over "
                "(then that begins anew), else the next in turn. all_over: whether all are");
        if (all_over)
            return NULL;
        asm volatile("wfi");
        irq_taken();
    }
}
