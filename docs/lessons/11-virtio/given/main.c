/* Lesson 11: two guests that share a console. */
#include "sysreg.h"
#include "vm.h"

struct vm vms[VMS], *current;

struct stage2 *memory_current(void) { return &current->memory; }
bool *waiting_here(void) { return current->waiting; }

/* Makes it, with the processor; what it is then belongs to v. */
static void vm_create(struct vm *v, unsigned number)
{
    v->number = number;
    v->memory.vmid = number;
    current = v;
    vcpu_init(&v->cpu, GUEST_RAM_IPA);
    v->cpu.x[0] = number;
    stage2_on(&v->memory);
    traps_on();
    vgic_on();
    guards_on();
    write_sysreg(vbar_el1, 0);
    write_sysreg(cntv_ctl_el0, 0);
    write_sysreg(cntvoff_el2, read_sysreg(cntpct_el0)); /* its time begins now */
    isb();
    vm_save(v);
}

static void vm_switch(struct vm *to)
{
    vm_save(current);
    vm_load(to);
    fp_switch(current, to);
    current = to;
    list_fill();
}

void main(void);
void main(void)
{
    gic_init();
    translation_on();
    for (unsigned n = 0; n < VMS; n++)
        vm_create(&vms[n], n + 1);
    print("hypervisor: two guests\n");
    vm_switch(&vms[0]);
    timer_next();
    for (u64 exits = 0; exits < 100000; exits++) {
        struct vm *v = vm_next();
        if (!v)
            break;
        if (v != current)
            vm_switch(v);
        v->over = !guest_exit(&v->cpu, guest_enter(&v->cpu));
        if (v->over)
            print("hypervisor: guest %u is over\n", v->number);
    }
}
