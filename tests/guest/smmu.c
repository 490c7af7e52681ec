/* The SMMUv3 of -M virt,iommu=smmuv3, by its registers and queues (Arm IHI 0070): identification, the handshakes of CR0
 * and IRQ_CTRL, commands, their errors and their interrupt. Nothing here needs a device behind it. */
#include "smmu.h"

#define SYNC_SPI   (32 + 76)
#define ERROR_SPI  (32 + 77)

static u64 streams[8 << 6] __attribute__((aligned(8 << 6 << 3)));

static bool consumed(void) { return (R32(CMDQ_CONS) & 0xfffff) == R32(CMDQ_PROD); }

static void identification(void)
{
    u32 idr0 = R32(IDR0), idr1 = R32(IDR1), idr5 = R32(IDR5);
    check(idr0 & 3, "IDR0: stage 1 or 2");
    check_eq("IDR0.TTF: AArch64", idr0 >> 2 & 3, 2);
    check_eq("IDR0.COHACC", idr0 >> 4 & 1, 1);
    check_eq("IDR0.ST_LEVEL: two levels", idr0 >> 27 & 3, 1);
    check_eq("IDR1.SIDSIZE", idr1 & 63, 16);
    check((idr1 >> 21 & 31) >= 8, "IDR1.CMDQS");
    check((idr1 >> 16 & 31) >= 8, "IDR1.EVENTQS");
    check((idr5 & 7) >= 4, "IDR5.OAS: 44 bits or more");
    check_eq("IDR5: all granules", idr5 >> 4 & 7, 7);
    check_eq("S_IDR1: no Secure state", R32(0x8004), 0);
}

static void enabling(void)
{
    check_eq("CR0 at reset", R32(CR0), 0);
    R64(STRTAB_BASE) = (u64)streams;
    R32(STRTAB_CFG) = 6;
    R64(CMDQ_BASE) = (u64)commands | LOG2;
    R64(EVENTQ_BASE) = (u64)events | LOG2;
    check_eq("CMDQ_BASE", R64(CMDQ_BASE), (u64)commands | LOG2);
    check_eq("STRTAB_BASE, the lower half", R32(STRTAB_BASE), (u32)(u64)streams);
    R32(CMDQ_PROD) = 0;
    R32(CMDQ_CONS) = 0;
    R32(EVENTQ_PROD) = 0;
    R32(EVENTQ_CONS) = 0;
    R32(CR1) = 0xd75;
    R32(IRQ_CTRL) = 5;
    check_eq("IRQ_CTRLACK", R32(IRQ_CTRLACK), 5);
    R32(CR0) = 0xc;
    check_eq("CR0ACK: queues", R32(CR0ACK), 0xc);
    R32(CR0) = 0xd;
    check_eq("CR0ACK: SMMUEN", R32(CR0ACK), 0xd);
}

static void legal_commands(void)
{
    static const u64 some[][2] = { { 0x03 | 5ul << 32, 1 },
                                   { 0x04, 31 },
                                   { 0x05 | 5ul << 32, 1 },
                                   { 0x10 },
                                   { 0x11 | 1ul << 48 },
                                   { 0x12, 0x1000 },
                                   { 0x13, 0x1001 },
                                   { 0x30 },
                                   { 0x01 } };
    for (u32 n = 0; n < 3 * COUNT(some); n++) /* around the queue */
        smmu_put(some[n % COUNT(some)][0], some[n % COUNT(some)][1]);
    check(consumed(), "commands are consumed");
    check_eq("no error", R32(GERROR), 0);
    smmu_put(0x46, 0);
    check(consumed(), "CMD_SYNC without a signal");
    check(!gic_is_pending(SYNC_SPI), "no interrupt");
    smmu_put(0x46 | 1 << 12, 0);
    check(consumed(), "CMD_SYNC, SIG_IRQ");
    check(gic_is_pending(SYNC_SPI), "its interrupt, an edge");
    gic_unpend(SYNC_SPI);
    check(!gic_is_pending(SYNC_SPI), "it is not a level");
}

static void illegal_commands(void)
{
    u32 at = R32(CMDQ_PROD);
    smmu_put(0xff, 0);
    smmu_put(0x46, 0);
    check_eq("CMDQ_CONS.ERR: CERROR_ILL", R32(CMDQ_CONS) >> 24 & 127, 1);
    check_eq("CMDQ_CONS.RD stays at it", R32(CMDQ_CONS) & 0xfffff, at);
    check_eq("GERROR.CMDQ_ERR", (R32(GERROR) ^ R32(GERRORN)) & 1, 1);
    check(gic_is_pending(ERROR_SPI), "the interrupt of global errors");
    gic_unpend(ERROR_SPI);
    R32(CMDQ_PROD) = R32(CMDQ_PROD);
    check_eq("nothing goes on before the error is acknowledged", R32(CMDQ_CONS) & 0xfffff, at);
    commands[2 * (at & ((1u << LOG2) - 1))] = 0x30;
    DSB();
    R32(GERRORN) = R32(GERROR);
    R32(CMDQ_PROD) = R32(CMDQ_PROD);
    check(consumed(), "then it does");
    check(!((R32(GERROR) ^ R32(GERRORN)) & 1), "and the error is gone");
}

void test_main(void)
{
    gic_init();
    MMIO32(GICD + 0xc00 + 4 * (SYNC_SPI / 16)) |= 2u << 2 * (SYNC_SPI % 16); /* ICFGR: edges */
    MMIO32(GICD + 0xc00 + 4 * (ERROR_SPI / 16)) |= 2u << 2 * (ERROR_SPI % 16);
    identification();
    enabling();
    legal_commands();
    illegal_commands();
    check_eq("no event", R32(EVENTQ_PROD), 0);
    R32(CR0) = 0;
    check_eq("CR0ACK: off", R32(CR0ACK), 0);
    finish();
}
