/* Does to devices what makes no sense, and ends. */
#include "rt.h"

static struct {
    u64 addr;
    u32 len;
    u16 flags, next;
} ring[8] __attribute__((aligned(16)));
static volatile u16 avail[16], used[64];

void test_main(void)
{
    u64 rng = 0;
    MMIO32(0x09000018) = 1;   /* the UART's FR cannot be written */
    (void)MMIO32(0x09000800); /* and there is nothing */
    MMIO32(0x09010000) = 1;   /* the RTC's DR */
    (void)MMIO32(0x09030500); /* the GPIO */
    (void)MMIO32(0x09030fe0); /* its identification: this is allowed */
    MMIO16(GICD + 0x40) = 31; /* SETSPI_NSR of a PPI */
    for (u64 slot = 0; slot < 32; slot++)
        if (MMIO32(0x0a000000 + slot * 0x200 + 8) == 4)
            rng = 0x0a000000 + slot * 0x200;
    MMIO8(rng + 0x70) = 1; /* registers are words */
    MMIO32(rng + 0x70) = 11;
    MMIO32(rng + 0x30) = 0;
    MMIO32(rng + 0x38) = 8;
    MMIO32(rng + 0x80) = (u32)(u64)ring;
    MMIO32(rng + 0x90) = (u32)(u64)avail;
    MMIO32(rng + 0xa0) = (u32)(u64)used;
    MMIO32(rng + 0x44) = 1;
    MMIO32(rng + 0x70) = 15;
    avail[2] = 99; /* a descriptor that there is not */
    avail[1] = 1;
    DSB();
    MMIO32(rng + 0x50) = 0;
    finish();
}
