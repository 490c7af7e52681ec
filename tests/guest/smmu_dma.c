/* DMA through the SMMUv3 (Arm IHI 0070): a device (edu, PCI 1234:11e8) copies to memory through stage 1, and, where the
 * SMMU has them, stage 2 and both; faults become events; a transaction stalls and goes on. Tables of 39 bits, 4 KiB
 * pages. */
#include "smmu.h"

#define EDU         0x4010008000ul      /* device 1, function 0 */
#define BAR         0x10000000ul
#define SID         8u
#define IOVA        0x12345000ul
#define IPA         0x51234000ul
enum { F_TRANSLATION = 0x10, F_PERMISSION = 0x13, C_BAD_STE = 4, C_BAD_CD = 10 };

static u64 streams[8 << 4] __attribute__((aligned(8 << 4 << 3)));
static u64 cd[8] __attribute__((aligned(64)));
static u64 s1[3][512] __attribute__((aligned(4096)));
static volatile u64 target[512] __attribute__((aligned(4096)));
static u64 *const ste = streams + 8 * SID;

/* What changed in memory counts from here on. */
static void changed(void)
{
    DSB();
    smmu_command(0x03 | (u64)SID << 32, 1);
    smmu_command(0x05 | (u64)SID << 32, 1);
    smmu_command(0x30, 0);
    smmu_command(0x46, 0);
}

/* The number of the next event, or 0; its words are in event. */
static u64 event[4];
static u32 next_event(void)
{
    u32 cons = R32(EVENTQ_CONS);
    if (cons == R32(EVENTQ_PROD))
        return 0;
    for (u32 n = 0; n < 4; n++)
        event[n] = events[4 * (cons & 15) + n];
    R32(EVENTQ_CONS) = (cons + 1) & 31;
    return event[0] & 255;
}

static void edu_start(u64 to)
{
    MMIO64(BAR + 0x80) = 0x40000;
    MMIO64(BAR + 0x88) = to;
    MMIO64(BAR + 0x90) = 8;
    MMIO64(BAR + 0x98) = 3;
}

/* Forgets further events: QEMU's device writes four bytes at a time, and each write has one. */
static void drain(void)
{
    while (R32(EVENTQ_CONS) != R32(EVENTQ_PROD))
        R32(EVENTQ_CONS) = R32(EVENTQ_PROD);
}

/* edu writes what it holds to an address; did it arrive at target? */
static bool arrives(u64 to)
{
    target[0] = 0;
    edu_start(to);
    while (MMIO64(BAR + 0x98) & 1)
        nap();
    DSB();
    return target[0] == 0x1122334455667788;
}

static void fault(const char *what, u64 to, u32 number, u32 s2, u32 class)
{
    check(!arrives(to), what);
    check_eq("  its event", next_event(), number);
    drain();
    check_eq("  of the function's stream", event[0] >> 32, SID);
    if (number < 0x10)
        return;
    check_eq("  InputAddr", event[2], to);
    check_eq("  a write, S2", event[1] >> 35 & 0x11, s2 << 4);
    check_eq("CLASS of the event", event[1] >> 40 & 3, class);
}

static void device(void)
{
    static u64 source = 0x1122334455667788;
    MMIO32(EDU + 0x10) = BAR;
    MMIO16(EDU + 4) = 6;
    MMIO64(BAR + 0x80) = (u64)&source;
    MMIO64(BAR + 0x88) = 0x40000;
    MMIO64(BAR + 0x90) = 8;
    MMIO64(BAR + 0x98) = 1;
    while (MMIO64(BAR + 0x98) & 1)
        nap();
    check(arrives((u64)target), "DMA while the SMMU is off");
}

static void setup(void)
{
    s1[0][BITS(IOVA, 38, 30)] = (u64)s1[1] | 3;
    s1[1][BITS(IOVA, 29, 21)] = (u64)s1[2] | 3;
    s1[2][BITS(IOVA, 20, 12)] = (u64)target | PT_AF | PT_SH | PT_AP(1) | 3;
    cd[0] = SMMU_CD(1);
    cd[1] = (u64)s1[0];
    cd[3] = 0xff;
    smmu_start(streams, 4);
}

static void configured(u64 config, u64 word1)
{
    ste[1] = word1;
    ste[0] = 1 | config << 1 | (config & 1 ? (u64)cd : 0);
    changed();
}

static void stage_1(void)
{
    fault("no valid STE", IOVA, C_BAD_STE, 0, 0);
    configured(4, 1ul << 44); /* SHCFG: use incoming */
    check(arrives((u64)target), "STE.Config: bypass");
    configured(5, 0);
    check(arrives(IOVA), "stage 1");
    check_eq("  no event", next_event(), 0);
    fault("  another page", IOVA + 0x1000, F_TRANSLATION, 0, 2);
    u64 *leaf = &s1[2][BITS(IOVA, 20, 12)], was = *leaf;
    *leaf = was | PT_AP(2);
    changed();
    fault("  read-only", IOVA, F_PERMISSION, 0, 2);
    *leaf = was;
    cd[0] &= ~BIT(31);
    changed();
    fault("  an invalid CD", IOVA, C_BAD_CD, 0, 0);
    cd[0] |= BIT(31);
    configured(0, 0);
    check(!arrives(IOVA), "STE.Config: abort");
    check_eq("  without an event", next_event(), 0);
}

static void stage_2(void)
{
    u64 *root = pt_new();
    pt_map(root, IPA, (u64)target, 4096, S2_AP(3) | S2_NORMAL | PT_AF | PT_SH);
    pt_map(root, 0x40000000, 0x40000000, 16 << 20,
           S2_AP(1) | S2_NORMAL | PT_AF | PT_SH); /* read-only: stage 1's tables, CD */
    /* T0SZ 25, SL0 1, write-back, inner shareable, PS 40 bits, AA64, S2R */
    ste[2] = 5 | (25ul | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16) << 32 | 1ul << 51 | 1ul << 58;
    ste[3] = (u64)root;
    configured(6, 0);
    check(arrives(IPA), "stage 2");
    check_eq("  no event", next_event(), 0);
    fault("  what it does not map", IOVA, F_TRANSLATION, 1, 2);
    check_eq("  IPA", event[3] & ~0xffful, IOVA);
    fault("  what it maps read-only", (u64)target, F_PERMISSION, 1, 2);

    u64 *leaf = &s1[2][BITS(IOVA, 20, 12)];
    *leaf = IPA | PT_AF | PT_SH | PT_AP(1) | 3;
    configured(7, 0);
    check(arrives(IOVA), "both stages");
    fault("  what stage 1 does not map", IOVA + 0x1000, F_TRANSLATION, 0, 2);
    *leaf += 0x1000;
    changed();
    fault("  what stage 2 does not map", IOVA, F_TRANSLATION, 1, 2);
    check_eq("  IPA", event[3] & ~0xffful, IPA + 0x1000);
    s1[1][BITS(IOVA, 29, 21)] = (IPA + 0x2000) | 3;
    changed();
    fault("  a table of stage 1 that stage 2 does not map", IOVA, F_TRANSLATION, 1, 1);
    check_eq("  IPA", event[3] & ~0xffful, IPA + 0x2000);
    s1[1][BITS(IOVA, 29, 21)] = (u64)s1[2] | 3;
    *leaf -= 0x1000;
    ste[0] = (ste[0] & 15) | (IPA + 0x3000);
    changed();
    fault("  a CD that stage 2 does not map", IOVA, F_TRANSLATION, 1, 0);
}

/* Stalled by CD.S, it waits; retried after the page was mapped it arrives; terminated it does not. */
static void stalls(void)
{
    u64 *leaf = &s1[2][BITS(IOVA, 20, 12)];
    cd[0] |= 1ul << 44;
    *leaf = 0;
    configured(5, 0);
    for (u32 retry = 0; retry < 2; retry++) {
        target[0] = 0;
        *leaf = 0;
        changed();
        edu_start(IOVA);
        delay(READ(cntfrq_el0) / 500);
        check_eq("a stall", next_event(), F_TRANSLATION);
        check_eq("  Stall", event[1] >> 31 & 1, 1);
        check(MMIO64(BAR + 0x98) & 1, "  the device waits");
        *leaf = (u64)target | PT_AF | PT_SH | PT_AP(1) | 3;
        changed();
        smmu_command(0x44 | (retry ? 1 << 12 : 1 << 13) | (u64)SID << 32, event[1] & 0xffff);
        check(!(MMIO64(BAR + 0x98) & 1), "  CMD_RESUME ends that");
        check_eq(retry ? "  retry: it arrives" : "  terminate: it does not", target[0], retry ? 0x1122334455667788 : 0);
        check_eq("  no other event", next_event(), 0);
    }
}

void test_main(void)
{
    gic_init();
    gic_enable(30, 0x80);
    device();
    setup();
    stage_1();
    if (R32(IDR0) & 1)
        stage_2();
    else
        skip("stage 2", "the SMMU has none");
    if (!(R32(IDR0) >> 24 & 3))
        stalls();
    else
        skip("stalls", "the SMMU has none");
    finish();
}
