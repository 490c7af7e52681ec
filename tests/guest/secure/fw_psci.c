/* PSCI (Arm DEN0022): calls, and where PEs wait that are off. A PE is off from its arrival in fw_park to its leaving.
 */
#include "fw_internal.h"

enum { INVALID_PARAMETERS = -2, ALREADY_ON = -4, INVALID_ADDRESS = -9 };
enum { RUNNING, PARKED };
static struct { /* of each PE: not zeroed at a start, since the others come here while the first one does that */
    volatile u64 state, entry, context, calls, served;
} seat[FW_CPUS] __attribute__((section(".kept")));

static u64 cpu_count(void)
{
    u64 n = 0;
    while (n < FW_CPUS && !(MMIO64(GICR(n) + 8) & BIT(4))) /* GICR_TYPER.Last */
        n++;
    return n + 1;
}

static bool is_cpu(u64 mpidr) { return mpidr < FW_CPUS && mpidr < cpu_count(); }

/* A call is served by counting, since a PE may run and be off again before the caller looks. */
struct world *fw_park(u64 n)
{
    seat[n].served = seat[n].calls;
    seat[n].state = PARKED;
    ASM("dsb sy; sev");
    while (seat[n].served == seat[n].calls)
        ASM("wfe");
    seat[n].state = RUNNING;
    DSB();
    seat[n].served = seat[n].calls;
    ASM("dsb sy; sev");
    return normal_start(seat[n].entry, seat[n].context);
}

void seats_clear(void)
{
    for (u64 n = 0; n < FW_CPUS; n++)
        seat[n].state = RUNNING;
    DSB();
}

/* At a start the first PE waits until the others are here. */
void seats_wait(void)
{
    seat[0].state = RUNNING;
    for (u64 n = 1; n < FW_CPUS && n < cpu_count(); n++)
        while (seat[n].state != PARKED)
            ASM("yield");
}

static s64 cpu_on(u64 target, u64 entry, u64 context)
{
    if (!is_cpu(target))
        return INVALID_PARAMETERS;
    if (entry & 3 || entry < 0x40000000)
        return INVALID_ADDRESS;
    if (seat[target].state == RUNNING)
        return ALREADY_ON;
    seat[target].entry = entry;
    seat[target].context = context;
    DSB();
    seat[target].calls++;
    ASM("dsb sy; sev");
    while (seat[target].served != seat[target].calls)
        ASM("wfe");
    return 0;
}

static s64 affinity_info(u64 target, u64 level)
{
    if (level > 3 || !is_cpu(target))
        return INVALID_PARAMETERS;
    return level == 0 && seat[target].state != RUNNING;
}

static _Noreturn void cpu_off(void)
{
    WRITE(ICC_IGRPEN1_3, 0);
    WRITE(ICC_IGRPEN0, 0);
    ISB();
    fw_stack_again();
}

static s64 features(u64 function)
{
    static const u32 there[] = { 0x84000000, 0x84000001, 0xc4000001, 0x84000002, 0x84000003,
                                 0xc4000003, 0x84000004, 0xc4000004, 0x84000006, 0x84000008,
                                 0x84000009, 0x8400000a, 0x84000012, 0xc4000012, SMCCC_VERSION };
    for (u32 n = 0; n < COUNT(there); n++)
        if (there[n] == (u32)function)
            return 0;
    return NOT_SUPPORTED;
}

s64 psci_call(u64 function, const u64 *x)
{
    bool wide = function & BIT(30);
    u64 a = wide ? x[1] : (u32)x[1], b = wide ? x[2] : (u32)x[2], c = wide ? x[3] : (u32)x[3];
    if (features(function) != 0)
        return NOT_SUPPORTED;
    switch (function & 0x1f) {
    case 0x00: return 0x10001;
    case 0x01: /* standby alone */
        if (a & ~0x0301fffful || a & BIT(16))
            return INVALID_PARAMETERS;
        ASM("dsb sy; wfi");
        return 0;
    case 0x02: cpu_off();
    case 0x03: return cpu_on(a, b, c);
    case 0x04: return affinity_info(a, b);
    case 0x06: return 2; /* there is nothing that would have to migrate */
    case 0x08: power_off();
    case 0x0a: return features(a);
    case 0x12:
        if (a)
            return INVALID_PARAMETERS; /* else fall through */
    case 0x09: power_reset();
    }
    return NOT_SUPPORTED;
}
