/* The guest's PSCI (Arm DEN 0022): what a board's firmware would do. */
#include "hypercall.h"
#include "vm.h"

static int64_t cpu_on(u64 target, u64 entry, u64 context)
{
    if (target >= CPUS)
        return PSCI_INVALID_PARAMETERS;
    if (current->on[target])
        return PSCI_ALREADY_ON;
    struct vcpu *v = &current->cpu[target];
    v->pc = entry;
    v->pstate = 0x3c5;
    v->x[0] = context;
    current->on[target] = true;
    cpu_kick((unsigned)target);
    return PSCI_SUCCESS;
}

bool guest_psci(struct vcpu *v)
{
    int64_t answer = PSCI_NOT_SUPPORTED;
    v->pc += 4;
    switch ((u32)v->x[0]) {
    case PSCI_VERSION: answer = 0x10000; break;
    case PSCI_CPU_ON: answer = cpu_on(v->x[1], v->x[2], v->x[3]); break;
    case PSCI_CPU_OFF: current->on[cpu_number()] = false; return false; /* back to second_main, which waits */
    case PSCI_SYSTEM_OFF: return false;
    }
    v->x[0] = (u64)answer;
    return true;
}
