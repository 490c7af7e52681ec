/* DMA through the SMMUv3: each operation is one write of four bytes by a device of PCIe, which it makes at once (edu's
 * MSI, sent to memory), and what has to be done before it (ops = writes).
 *
 * dma.hit: the same address again. dma.miss: stage 1 maps it elsewhere and is invalidated by address. dma.config: the
 * stream's entry and context descriptor are. dma.nested: as dma.miss with both stages, where the SMMU has stage 2. */
#include "bench.h"
#include "edu.h"
#include "smmu.h"

enum { OPS = 100000, SID = 1 << 3, DATA = 0x5a5a };
#define IOVA 0x12345000ul
#define IPA  0x51234000ul

static u64 ste_table[8 << 4] __attribute__((aligned(1024))), cd[8] __attribute__((aligned(64)));
static u64 s1[3][512] __attribute__((aligned(4096)));
static volatile u32 target[2][1024] __attribute__((aligned(4096)));
static u64 *const ste = ste_table + 8 * SID;
static u64 *leaf;

/* Commands, with CMD_SYNC behind them, as a driver gives them: made known at once, and waited for. */
static void run(const u64 (*command)[2], u32 count)
{
    static u32 produced;
    for (u32 n = 0; n <= count; n++, produced++) {
        commands[2 * (produced % (1 << LOG2))] = n < count ? command[n][0] : 0x46;
        commands[2 * (produced % (1 << LOG2)) + 1] = n < count ? command[n][1] : 0;
    }
    produced %= 2 << LOG2;
    DSB();
    R32(CMDQ_PROD) = produced;
    while (R32(CMDQ_CONS) != produced)
        ;
}
#define RUN(...) run((const u64[][2]){ __VA_ARGS__ }, sizeof((const u64[][2]){ __VA_ARGS__ }) / 16)

/* One operation; returns whether the write arrived in the page `page`. */
static u64 written(u32 page)
{
    target[page][0] = 0;
    edu_raise();
    edu_clear();
    return target[page][0] == DATA;
}

static void hit(void)
{
    u64 sum = 0;
    bench_begin("dma.hit");
    for (u32 n = 0; n < OPS; n++)
        sum += written(0);
    bench_end("dma.hit", OPS, sum, OPS);
}

/* pages: where the leaf of stage 1 leads to, by turns. */
static void miss(const char *name, u64 first, u64 second)
{
    u64 sum = 0, attr = PT_AF | PT_SH | PT_AP(1) | 3;
    bench_begin(name);
    for (u32 n = 0; n < OPS; n++) {
        *leaf = (n & 1 ? second : first) | attr;
        DSB();
        RUN({ 0x12 | 1ul << 48, IOVA | 1 }); /* TLBI_NH_VA: ASID 1, a leaf */
        sum += written(n & 1);
    }
    *leaf = first | attr;
    DSB();
    RUN({ 0x30, 0 });
    bench_end(name, OPS, sum, OPS);
}

static void descriptors(void)
{
    u64 sum = 0;
    bench_begin("dma.config");
    for (u32 n = 0; n < OPS; n++) {
        /* CFGI_STE: a leaf; CFGI_CD; TLBI_NSNH_ALL */
        RUN({ 0x03 | (u64)SID << 32, 1 }, { 0x05 | (u64)SID << 32, 1 }, { 0x30, 0 });
        sum += written(0);
    }
    bench_end("dma.config", OPS, sum, OPS);
}

static void both_stages(void)
{
    u64 *root = pt_new();
    pt_map(root, IPA, (u64)target, sizeof(target), S2_AP(3) | S2_NORMAL | PT_AF | PT_SH);
    pt_map(root, 0x40000000, 0x40000000, 16 << 20, S2_AP(1) | S2_NORMAL | PT_AF | PT_SH);
    /* T0SZ 25, SL0 1, write-back, inner shareable, PS 40 bits, AA64, S2R */
    ste[2] = 5 | (25ul | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16) << 32 | 1ul << 51 | 1ul << 58;
    ste[3] = (u64)root;
    ste[0] |= 2 << 1;
    DSB();
    RUN({ 0x03 | (u64)SID << 32, 1 });
    miss("dma.nested", IPA, IPA + 0x1000);
}

void test_main(void)
{
    mmu_on_el1(edu_map());
    gic_init();
    gic_enable(30, 0x80);
    leaf = &s1[2][BITS(IOVA, 20, 12)];
    s1[0][BITS(IOVA, 38, 30)] = (u64)s1[1] | 3;
    s1[1][BITS(IOVA, 29, 21)] = (u64)s1[2] | 3;
    *leaf = (u64)target | PT_AF | PT_SH | PT_AP(1) | 3;
    cd[0] = SMMU_CD(1);
    cd[1] = (u64)s1[0];
    cd[3] = 0xff;
    ste[0] = 1 | 5 << 1 | (u64)cd;
    smmu_start(ste_table, 4);
    edu_start(ECAM_OF(0, 1), IOVA, DATA);
    hit();
    miss("dma.miss", (u64)target[0], (u64)target[1]);
    descriptors();
    if (R32(IDR0) & 1)
        both_stages();
    finish();
}
