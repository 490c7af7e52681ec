/* A device with DMA that belongs to one guest: the closed one's, function 00:01.0 of PCIe (edu, 1234:11e8). And a disk
 * that the guests share, which the hypervisor drives for them. The rest of the hypervisor is ../demo; read that first.
 *
 * A device that copies by DMA would reach all memory, whatever stage 2 says to the CPU. The SMMU (Arm IHI 0070) stands
 * between: what a function asks for is translated by the stage 2 of its guest, the very same tables, so that the guest
 * tells its device the addresses that it knows itself (IPAs), and no other memory exists for either. Functions that
 * belong to nobody reach nothing.
 *
 *   registers   mapped at IPA 0x20000000 by stage 2: no exit. Where they lie (the BAR), and all else of configuration
 *               space, is the hypervisor's
 *   DMA         stream 8 (bus 0, device 1, function 0): stage 2 of the closed guest, with its VMID
 *   interrupt   INTx pin A of device 1, SPI 4: a list register with HW, so that the guest's end of interrupt ends both
 *   disk        virtio-blk over MMIO (legacy interface), slot 31: read by calls, into the caller's memory alone
 */
#include "../demo/hyp.h"

#define ECAM_GIB   0x4000000000ul
#define FUNCTION   0x4010008000ul       /* configuration space of 00:01.0 */
#define BAR        0x10000000ul
#define BAR_IPA    0x20000000ul
#define STREAM     8
#define INTID_EDU  36
#define REG64(addr) (*(volatile u64 *)(addr))
#define REG16(addr) (*(volatile uint16_t *)(addr))

/* ---- the SMMU ---- */

#define SMMU       0x09050000ul
enum { CR0 = 0x20, CR0ACK = 0x24, CR2 = 0x2c, STRTAB_BASE = 0x80, STRTAB_BASE_CFG = 0x88, CMDQ_BASE = 0x90, CMDQ_PROD = 0x98,
       CMDQ_CONS = 0x9c, EVENTQ_BASE = 0xa0, EVENTQ_PROD = 0x100a8, EVENTQ_CONS = 0x100ac };
#define CR0_ON     0xdul                /* SMMUEN, EVENTQEN, CMDQEN */
#define CR2_RECINVSID BIT(1)
#define QUEUE_LOG2 4
#define CFGI_ALL   0x04ul
#define TLBI_ALL   0x30ul               /* TLBI_NSNH_ALL */
#define CMD_SYNC   0x46ul

static u64 streams[16][8] __attribute__((aligned(1024)));
static volatile u64 commands[16][2] __attribute__((aligned(256)));
static volatile u64 events[16][4] __attribute__((aligned(512)));

static void smmu_command(u64 low, u64 high)
{
    u32 prod = REG32(SMMU + CMDQ_PROD);
    commands[prod & 15][0] = low;
    commands[prod & 15][1] = high;
    DSB();
    REG32(SMMU + CMDQ_PROD) = (prod + 1) & 31;
    while (REG32(SMMU + CMDQ_CONS) != ((prod + 1) & 31))
        ;
}

/* A stream table entry, IHI 0070 5.2: valid, stage 2 only; VMID; the layout of VTCR_EL2; the tables. */
static void stream_give(u32 stream, const struct guest *g)
{
    u64 *ste = streams[stream];
    ste[3] = (u64)g->s2_root;
    ste[2] = g->vmid | (25ul | 1ul << 6 | 1ul << 8 | 1ul << 10 | 3ul << 12 | 2ul << 16) << 32 | BIT(51) /* S2AA64 */ |
             BIT(58) /* S2R: faults are recorded */;
    ste[0] = BIT(0) | 6ul << 1;
}

static void smmu_init(void)
{
    for (u32 n = 0; n < 16; n++)
        streams[n][0] = BIT(0); /* valid, Config 0b000: aborts */
    stream_give(STREAM, &guests[CLOSED]);
    REG64(SMMU + STRTAB_BASE) = (u64)streams;
    REG32(SMMU + STRTAB_BASE_CFG) = 4; /* linear, 16 entries */
    REG64(SMMU + CMDQ_BASE) = (u64)commands | QUEUE_LOG2;
    REG64(SMMU + EVENTQ_BASE) = (u64)events | QUEUE_LOG2;
    REG32(SMMU + CR2) = CR2_RECINVSID;
    REG32(SMMU + CR0) = CR0_ON;
    while (REG32(SMMU + CR0ACK) != CR0_ON)
        ;
    smmu_command(CFGI_ALL, 31);
    smmu_command(TLBI_ALL, 0);
    smmu_command(CMD_SYNC, 0);
}

/* What the SMMU refused. Of an event word 0 holds its number and the stream, word 1 RnW <35>, word 2 the address. */
static void smmu_report(void)
{
    u32 cons = REG32(SMMU + EVENTQ_CONS);
    while (cons != REG32(SMMU + EVENTQ_PROD)) {
        volatile u64 *e = events[cons & 15];
        print("hypervisor: SMMU: stream %u, %s at 0x%x: refused, %s\n", e[0] >> 32, e[1] & BIT(35) ? "read" : "write",
              (u64)e[2], (e[0] & 255) == 0x10 ? "not mapped by stage 2" : "see IHI 0070 7.3");
        cons = (cons + 1) & 31;
    }
    REG32(SMMU + EVENTQ_CONS) = cons;
}

/* ---- the function ---- */

static void function_init(void)
{
    REG32(FUNCTION + 0x10) = BAR;
    REG16(FUNCTION + 4) = 6; /* Command: memory space, bus master */
    s2_map_device(&guests[CLOSED], BAR_IPA, BAR);
    REG32(0x08000084) |= BIT(INTID_EDU - 32);          /* GICD_IGROUPR1 */
    *(volatile u8 *)(0x08000400ul + INTID_EDU) = 0x80; /* GICD_IPRIORITYR */
    REG64(0x08006000ul + 8 * INTID_EDU) = 0;           /* GICD_IROUTER: CPU 0 */
    REG32(0x08000104) = BIT(INTID_EDU - 32);           /* GICD_ISENABLER1 */
}

bool device_irq(u32 intid)
{
    if (intid != INTID_EDU)
        return false;
    vgic_inject(&guests[CLOSED].vcpu, INTID_EDU, true);
    gic_drop(intid);
    return true;
}

/* ---- the disk ---- */

#define DISK       0x0a003e00ul
enum { GUEST_PAGE_SIZE = 0x28, QUEUE_NUM = 0x38, QUEUE_ALIGN = 0x3c, QUEUE_PFN = 0x40, QUEUE_NOTIFY = 0x50, STATUS = 0x70 };
enum { HVC_DISK_READ = 0x86000004, SECTOR = 512 };

struct desc {
    u64 addr;
    u32 len;
    uint16_t flags, next;
};
static struct {
    struct desc desc[8];
    uint16_t avail_flags, avail_idx, avail_ring[8];
    u8 pad[4096 - 8 * sizeof(struct desc) - 20];
    uint16_t used_flags, used_idx;
} queue __attribute__((aligned(4096)));
static struct {
    u32 type, reserved;
    u64 sector;
} request;
static u8 sector_data[SECTOR], request_status;

static void disk_init(void)
{
    REG32(DISK + STATUS) = 0;
    REG32(DISK + STATUS) = 3; /* ACKNOWLEDGE, DRIVER */
    REG32(DISK + GUEST_PAGE_SIZE) = 4096;
    REG32(DISK + QUEUE_NUM) = 8;
    REG32(DISK + QUEUE_ALIGN) = 4096;
    REG32(DISK + QUEUE_PFN) = (u64)&queue >> 12;
    REG32(DISK + STATUS) = 7; /* DRIVER_OK */
    queue.desc[0] = (struct desc){ (u64)&request, sizeof request, 1, 1 };
    queue.desc[1] = (struct desc){ (u64)sector_data, SECTOR, 3, 2 }; /* the device writes it */
    queue.desc[2] = (struct desc){ (u64)&request_status, 1, 2, 0 };
}

static bool disk_read(u64 sector)
{
    volatile uint16_t *used = &queue.used_idx;
    request.sector = sector;
    request_status = 0xff;
    queue.avail_ring[queue.avail_idx % 8] = 0;
    DSB();
    queue.avail_idx++;
    DSB();
    REG32(DISK + QUEUE_NOTIFY) = 0;
    while (*used != queue.avail_idx)
        ;
    DSB();
    return request_status == 0;
}

/* HVC_DISK_READ(sector, IPA of 512 bytes): 0, or -1. The buffer must lie in the caller's own RAM. */
bool device_call(struct guest *g, u64 *result)
{
    struct vcpu *v = &g->vcpu;
    if ((u32)v->x[0] != HVC_DISK_READ)
        return false;
    u64 offset = v->x[2] - GUEST_RAM_IPA;
    *result = -1ul;
    if (offset > GUEST_RAM_SIZE - SECTOR || !disk_read(v->x[1]))
        return true;
    u8 *to = (u8 *)((g == &guests[CLOSED] ? CLOSED_RAM_PA : OPEN_RAM_PA) + offset);
    for (u32 n = 0; n < SECTOR; n++)
        to[n] = sector_data[n];
    /* its MMU may be off: what we wrote must be in memory, not only in our cache */
    for (u32 n = 0; n < SECTOR + 64; n += 64)
        asm volatile("dc civac, %0" : : "r"(to + n) : "memory");
    DSB();
    *result = 0;
    return true;
}

/* ---- for ../demo/main.c ---- */

void device_setup(void)
{
    ((u64 *)READ(ttbr0_el2))[ECAM_GIB >> 30] = ECAM_GIB | 1 | BIT(10) | BIT(54); /* Device, not executable */
    asm volatile("dsb sy; tlbi alle2; dsb sy; isb");
    function_init();
    smmu_init();
    disk_init();
    print("hypervisor: PCI 00:01.0 is the closed guest's; the disk is shared\n");
}

void device_report(void) { smmu_report(); }
