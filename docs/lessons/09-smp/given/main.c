/* Lesson 9: a guest of two CPUs. */
#include "sysreg.h"
#include "vm.h"

static struct vm vm = { .number = 1, .memory = { .vmid = 1 } };
struct vm *current = &vm;
static volatile bool second_is_here;

struct stage2 *memory_current(void) { return &current->memory; }
bool *waiting_here(void) { return current->waiting[cpu_number()]; }

static void vcpu_run(struct vcpu *v)
{
    bool goes_on = true;
    while (goes_on) {
        u64 kind = guest_enter(v);
        lock();
        goes_on = guest_exit(v, kind);
        unlock();
    }
}

/* Of one of our CPUs that is not the first. Its guest's CPU begins when the guest's PSCI says so. */
void second_main(void)
{
    unsigned n = cpu_number();
    gic_cpu_init();
    cpu_controls_use();
    vcpu_init(&vm.cpu[n], 0);
    traps_on();
    vgic_on();
    write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_VM);
    isb();
    second_is_here = true;
    for (;;) {
        while (!vm.on[n]) {
            asm volatile("wfi");
            lock();
            irq_taken();
            unlock();
        }
        vcpu_run(&vm.cpu[n]);
    }
}

void main(void);
void main(void)
{
    gic_init();
    translation_on();
    vcpu_init(&vm.cpu[0], GUEST_RAM_IPA);
    stage2_on(&vm.memory);
    traps_on();
    vgic_on();
    cpu_controls_note();
    if (!cpu_start(1))
        panic("the second CPU does not start");
    while (!second_is_here)
        asm volatile("yield");
    print("hypervisor: two CPUs\n");
    vm.on[0] = true;
    vcpu_run(&vm.cpu[0]);
    print("hypervisor: the guest is over\n");
}
