/* Sets up EL2, the guests, and lets them run to their end.
 *
 * What decides what a guest may do (Arm ARM D19.2 HCR_EL2):
 *   VM             stage 2 is on: every guest address is checked against the guest's own table
 *   IMO FMO AMO    interrupts and SErrors come to EL2; the guest has a virtual CPU interface
 *   TWI            WFI comes to EL2: the CPU is given to somebody else
 *   TSC            SMC comes to EL2: a guest cannot call the firmware
 *   TVM            writes of translation registers come to EL2 (KVM: only until the caches are on; here always,
 *                  to show them)
 *   TID3           reads of feature registers come to EL2: the guest sees the CPU that we want it to see
 *   SWIO RW        invalidation by set/way also cleans; EL1 is AArch64
 */
#include "hyp.h"

#define HCR_VM   BIT(0)
#define HCR_SWIO BIT(1)
#define HCR_FMO  BIT(3)
#define HCR_IMO  BIT(4)
#define HCR_AMO  BIT(5)
#define HCR_TWI  BIT(13)
#define HCR_TID3 BIT(18)
#define HCR_TSC  BIT(19)
#define HCR_TVM  BIT(26)
#define HCR_RW   BIT(31)

struct guest guests[GUESTS] = {
    [CLOSED] = { .name = "closed", .vmid = 1, .sensor = 2 },
};

extern const u8 closed_image[], closed_image_end[], open_image[], open_image_end[];

/* Guests start with the MMU and caches off: what we copied must be in memory, not only in our cache. */
static void image_load(u64 pa, const u8 *image, const u8 *end)
{
    volatile u8 *to = (volatile u8 *)pa;
    for (u64 i = 0; i < GUEST_RAM_SIZE / 8; i++)
        ((volatile u64 *)pa)[i] = 0;
    while (image < end)
        *to++ = *image++;
    for (u64 line = pa; line < pa + GUEST_RAM_SIZE; line += 64)
        asm volatile("dc civac, %0" : : "r"(line) : "memory");
    DSB();
    asm volatile("ic iallu; dsb sy; isb");
}

static void guest_create(struct guest *g, u64 pa, const u8 *image, const u8 *end)
{
    image_load(pa, image, end);
    s2_init(g);
    s2_map_ram(g, GUEST_RAM_IPA, pa);
    g->vcpu.pc = GUEST_RAM_IPA;
    g->vcpu.pstate = 0x3c5;     /* EL1, interrupts masked */
    g->vcpu.sctlr = 0x30d00800; /* RES1 bits only: MMU off */
}

static void open_create(u32 n)
{
    static const char *const names[] = { "open", "open2", "open3", "open4", "open5", "open6", "open7", "open8" };
    _Static_assert(OPEN_GUESTS >= 1 && OPEN_GUESTS <= sizeof names / sizeof names[0], "one to eight open guests");
    struct guest *g = &guests[OPEN + n];
    g->name = names[n];
    g->vmid = 2 + n;
    guest_create(g, OPEN_RAM_PA + n * GUEST_RAM_SIZE, open_image, open_image_end);
    g->vcpu.x[0] = OPEN_WORK;
}

static void traps_set(void)
{
    WRITE(hcr_el2, HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TWI | HCR_TSC | HCR_TVM | HCR_TID3 | HCR_RW);
    WRITE(cptr_el2, 0x33ff | BIT(10)); /* RES1 bits, TFP: no guest uses FP, so nobody saves it */
    WRITE(cnthctl_el2, 0);             /* the physical counter and timer are not for guests */
    WRITE(cntvoff_el2, 0);
    WRITE(hstr_el2, 0);
    WRITE(vpidr_el2, READ(midr_el1));
    WRITE(vmpidr_el2, 0x80000000); /* each believes to be CPU 0 */
    ISB();
}

void hyp_main(void);
void hyp_main(void)
{
    el2_mmu_on();
    gic_init();
    traps_set();
    guest_create(&guests[CLOSED], CLOSED_RAM_PA, closed_image, closed_image_end);
    for (u32 n = 0; n < OPEN_GUESTS; n++)
        open_create(n);
    s2_map_device(&guests[CLOSED], 0x10000000, 0x09030000); /* the GPIO controller, handed over whole */
    if (device_setup)
        device_setup();
    asm volatile("dsb sy; tlbi vmalls12e1is; dsb sy; isb");
    if (GUESTS == 2)
        print("hypervisor: EL2, two guests, one CPU\n");
    else
        print("hypervisor: EL2, %u guests, one CPU\n", (u64)GUESTS);
    sched_run();
    if (device_report)
        device_report();
    stat_print();
    print("\nhypervisor: done\n");
}
