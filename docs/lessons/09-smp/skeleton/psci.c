/* The guest's PSCI (Arm DEN 0022): what a board's firmware would do. */
#include "hypercall.h"
#include "vm.h"

static int64_t cpu_on(u64 target, u64 entry, u64 context)
{
    (void)target, (void)entry, (void)context;
    TODO(4, "a CPU that is not there, one that is on; else its pc, pstate and x0, on[], and a "
            "kick");
}

bool guest_psci(struct vcpu *v)
{
    int64_t answer = PSCI_NOT_SUPPORTED;
    v->pc += 4;
    switch ((u32)v->x[0]) {
    case PSCI_VERSION: answer = 0x10000; break;
    case PSCI_CPU_ON: answer = cpu_on(v->x[1], v->x[2], v->x[3]); break;
    case PSCI_CPU_OFF: TODO(6, "on[] of this CPU; then false: vcpu_run returns, and second_main waits");
    case PSCI_SYSTEM_OFF: return false;
    }
    v->x[0] = (u64)answer;
    return true;
}
