/* L0: gives L1 what it has, and lets it run until it turns the machine off. */
#include "nest.h"

struct guest guests[GUESTS] = { [L1] = { .name = "L1" }, [L2] = { .name = "L2" } };
struct vcpu vcpu;
bool in_l2;

extern const u8 l1_image[], l1_image_end[];

/* Everything below RAM is devices. No interrupt is L0's: they go where L1 has them go. */
bool l1_has(u64 pa) { return pa < L1_RAM_END; }

static void l1_map(void)
{
    s2_init(&guests[L1]);
    guests[L1].s2_root[0] =
        1 | BIT(10) | 3 << 6 | 1 << 2 | BIT(54); /* a block of 1 GiB: Device-nGnRE, not executable */
    for (u64 pa = L1_RAM; pa < L1_RAM_END; pa += BIT(21))
        s2_map_ram(&guests[L1], pa, pa);
}

/* What was written as data must be seen by an L1 that starts with its MMU and caches off. */
static void clean(u64 from, u64 to)
{
    for (u64 line = from & ~63ul; line < to; line += 64)
        asm volatile("dc civac, %0" : : "r"(line) : "memory");
    DSB();
    asm volatile("ic iallu; dsb sy; isb");
}

static u32 be32(u64 at) { return __builtin_bswap32(REG32(at)); }

/* The device tree of the boot loader, at a multiple of 2 MiB; 0: none, and so no image. */
static u64 tree_find(void)
{
    if (REG32(L1_ENTRY + 56) != 0x644d5241) /* "ARM\x64" of an arm64 Image */
        return 0;
    for (u64 at = L1_RAM; at < L1_RAM_END; at += BIT(21))
        if (be32(at) == 0xd00dfeed)
            return at;
    return 0;
}

/* L0's memory is at the end of RAM: the tree's memory node, <0 0x40000000 size>, ends before it. */
static void tree_shrink(u64 tree)
{
    for (u64 at = tree; at < tree + be32(tree + 4); at += 4) {
        if (be32(at) == 0 && be32(at + 4) == L1_RAM && be32(at + 8) == 0 && be32(at + 12) > L1_RAM_END - L1_RAM) {
            REG32(at + 12) = __builtin_bswap32(L1_RAM_END - L1_RAM);
            clean(at, at + 16);
            return;
        }
    }
    nest_end(false, "the device tree has no memory that ends after L0's");
}

static void l1_create(void)
{
    u64 tree = tree_find();
    if (tree) {
        tree_shrink(tree);
        print("L0: L1 is the image at 0x%x, its device tree at 0x%x\n", L1_ENTRY, tree);
    } else {
        volatile u8 *to = (volatile u8 *)L1_ENTRY;
        for (const u8 *from = l1_image; from < l1_image_end;)
            *to++ = *from++;
        clean(L1_ENTRY, (u64)to);
    }
    vcpu.x[0] = tree;
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
    print("L0: EL2; L1, a hypervisor, at EL1\n");
    l1_map();
    l1_create();
    WRITE(s3_4_c2_c2_0, vncr); /* VNCR_EL2 */
    VNCR(VNCR_VPIDR) = READ(midr_el1);
    VNCR(VNCR_VMPIDR) = READ(mpidr_el1);
    vel2.mdcr = READ(mdcr_el2);
    asm volatile("dsb sy; tlbi alle1; dsb sy; isb");
    l1_load();
    for (;;) {
        u64 reason = vcpu_enter(&vcpu);
        if (in_l2)
            l2_exit(reason);
        else
            l1_exit(reason);
    }
}
