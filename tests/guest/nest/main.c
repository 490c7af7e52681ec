/* L0: gives L1 what it has, and lets it run until it turns the machine off. */
#include "nest.h"

struct guest guests[GUESTS] = { [L1] = { .name = "L1", .vmid = 1 }, [L2] = { .name = "L2" } };
struct vcpu vcpu;
bool in_l2;

extern const u8 l1_image[], l1_image_end[];

/* Pages of devices that L1 has: distributor, redistributor, UART, GPIO. No interrupt is L0's: while L1 runs they go to
 * EL1, while L2 runs they come here and are handed on. */
static const u64 devices[] = { 0x08000000, 0x080a0000, 0x080b0000, 0x09000000, 0x09030000 };
enum { DEVICES = sizeof devices / sizeof devices[0] };

bool l1_has(u64 pa)
{
    bool has = pa >= L1_RAM && pa < L1_RAM_END;
    for (u32 n = 0; n < DEVICES; n++)
        has |= pa >> 12 == devices[n] >> 12;
    return has;
}

static void l1_create(void)
{
    struct guest *g = &guests[L1];
    s2_init(g);
    for (u64 pa = L1_RAM; pa < L1_RAM_END; pa += BIT(21))
        s2_map_ram(g, pa, pa);
    for (u32 n = 0; n < DEVICES; n++)
        s2_map_device(g, devices[n], devices[n]);
    volatile u8 *to = (volatile u8 *)L1_ENTRY;
    for (const u8 *from = l1_image; from < l1_image_end;)
        *to++ = *from++;
    for (u64 line = L1_ENTRY; line < (u64)to; line += 64)
        asm volatile("dc civac, %0" : : "r"(line) : "memory");
    DSB();
    asm volatile("ic iallu; dsb sy; isb");
    vcpu.pc = L1_ENTRY;
    vcpu.pstate = PSTATE_EL1H;
}

void nest_end(bool good, const char *why)
{
    stat_print();
    print("\nL0: %s\n%s\n", why, good ? "PASS" : "FAIL");
    power_off();
}

void hyp_main(void);
void hyp_main(void)
{
    el2_mmu_on();
    if (BITS(READ(s3_0_c0_c7_2), 27, 24) < 2) /* ID_AA64MMFR2_EL1.NV */
        nest_end(false, "this CPU has no FEAT_NV2");
    l1_create();
    WRITE(s3_4_c2_c2_0, vncr); /* VNCR_EL2 */
    VNCR(VNCR_VPIDR) = READ(midr_el1);
    VNCR(VNCR_VMPIDR) = READ(mpidr_el1);
    asm volatile("dsb sy; tlbi alle1; dsb sy; isb");
    print("L0: EL2; L1, a hypervisor, at EL1\n");
    l1_load();
    for (;;) {
        u64 reason = vcpu_enter(&vcpu);
        if (in_l2)
            l2_exit(reason);
        else
            l1_exit(reason);
    }
}
