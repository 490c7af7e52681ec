/*
 * A disk by virtio-mmio (version 2, one request at a time, polled): reads a sector, adds one to its first word, writes
 * it to the next, eight times over two rounds; what it read goes into `sum` and out.
 */
#include "rt.h"

struct desc {
    u64 addr;
    u32 len;
    u16 flags, next;
};
static struct desc ring[8] __attribute__((aligned(16)));
static volatile struct {
    u16 flags, idx, ring[8];
} avail __attribute__((aligned(2)));
static volatile struct {
    u16 flags, idx;
    struct {
        u32 id, len;
    } ring[8];
} used __attribute__((aligned(4)));
static struct {
    u32 type, reserved;
    u64 sector;
} request __attribute__((aligned(16)));
static u64 data[64] __attribute__((aligned(16)));
static volatile u8 status;
volatile u64 sum;
static u64 base;

static void find(void)
{
    for (u64 slot = 0; slot < 32; slot++)
        if (MMIO32(0x0a000000 + slot * 0x200 + 8) == 2)
            base = 0x0a000000 + slot * 0x200;
    if (!base || MMIO32(base + 4) != 2)
        stop("no disk");
    MMIO32(base + 0x70) = 0;
    MMIO32(base + 0x70) = 3;
    MMIO32(base + 0x24) = 1;
    MMIO32(base + 0x20) = 1; /* VERSION_1 */
    MMIO32(base + 0x70) = 11;
    MMIO32(base + 0x30) = 0;
    MMIO32(base + 0x38) = 8;
    MMIO32(base + 0x80) = (u32)(u64)ring;
    MMIO32(base + 0x90) = (u32)(u64)&avail;
    MMIO32(base + 0xa0) = (u32)(u64)&used;
    MMIO32(base + 0x44) = 1;
    MMIO32(base + 0x70) = 15;
}

void transfer(bool write, u64 sector)
{
    request.type = write;
    request.sector = sector;
    status = 0xff;
    ring[0] = (struct desc){ (u64)&request, 16, 1, 1 };
    ring[1] = (struct desc){ (u64)data, 512, (u16)(write ? 1 : 3), 2 };
    ring[2] = (struct desc){ (u64)&status, 1, 2, 0 };
    avail.ring[avail.idx % 8] = 0;
    DSB();
    avail.idx++;
    DSB();
    MMIO32(base + 0x50) = 0;
    while (used.idx != avail.idx)
        delay(1000);
    if (status)
        stop("disk error");
}

void test_main(void)
{
    find();
    for (u64 round = 0; round < 2; round++)
        for (u64 sector = 0; sector < 8; sector++) {
            transfer(false, sector);
            sum = sum * 31 + data[0];
            data[0] += 1 + sector;
            transfer(true, sector + 1);
        }
    put_text("sum ");
    put_hex(sum);
    put_text("\n");
    psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}
