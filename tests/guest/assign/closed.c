/* The closed guest: it owns a device. It has it copy its memory by DMA, and then tries to reach with it what it cannot
 * reach itself. The addresses that it gives to its device are its own (IPAs): it runs without an MMU. */
#include "../demo/guest.h"
#include "../demo/put_hvc.h"

#define EDU(offset)   (*(volatile u64 *)(0x20000000 + (offset)))
#define EDU32(offset) REG32(0x20000000 + (offset))
#define EDU_ID        36
#define EDU_BUFFER    0x40000ul         /* the device's own memory, as its DMA knows it */
#define OPEN_RAM      0x42300000ul      /* of the other guest, where it really is */
#define HYPERVISOR    0x40200000ul
#define HVC_DISK_READ 0x86000004u
enum { ID = 0x00, IRQ_STATUS = 0x24, IRQ_CLEAR = 0x64, DMA_FROM = 0x80, DMA_TO = 0x88, DMA_COUNT = 0x90, DMA_COMMAND = 0x98 };
enum { RUN = 1, TO_MEMORY = 2, INTERRUPT = 4, BYTES = 512 };

static volatile u32 irqs;
static volatile u64 source[BYTES / 8], copy[BYTES / 8];

/* The device's line falls before the interrupt ends, or it would come again. */
void guest_irq(void)
{
    u64 intid = READ_(ICC_IAR1);
    if (intid == EDU_ID) {
        EDU32(IRQ_CLEAR) = EDU32(IRQ_STATUS);
        irqs++;
    }
    WRITE_(ICC_EOIR1, intid);
}

u64 guest_sync(u64 esr, u64 far, u64 pc, u64 lr)
{
    (void)lr;
    say("unexpected exception: ESR "), say_number(esr, 16), say(" FAR "), say_number(far, 16), say("\n");
    hvc(PSCI_SYSTEM_OFF, (u64[6]){ 0 });
    return pc;
}

static void dma(u64 from, u64 to, u64 command)
{
    u32 seen = irqs;
    EDU(DMA_FROM) = from;
    EDU(DMA_TO) = to;
    EDU(DMA_COUNT) = BYTES;
    EDU(DMA_COMMAND) = command | RUN | INTERRUPT;
    while (irqs == seen) {
        irq_unmask();
        ISB();
        irq_mask();
    }
}

static bool same(void)
{
    bool all = true;
    for (u32 n = 0; n < BYTES / 8; n++)
        all &= copy[n] == source[n];
    return all;
}

static void own_memory(void)
{
    for (u32 n = 0; n < BYTES / 8; n++)
        source[n] = 0x0101010101010101 * n + 1;
    dma((u64)source, EDU_BUFFER, 0);
    dma(EDU_BUFFER, (u64)copy, TO_MEMORY);
    say("my device copied 512 bytes: "), say(same() ? "right\n" : "wrong\n");
}

/* The device ends such a copy like any other: it does not know that nothing was written. */
static void others_memory(void)
{
    say("my device is to write to the other guest\n");
    dma(EDU_BUFFER, OPEN_RAM, TO_MEMORY);
    say("my device is to read the hypervisor\n");
    dma(HYPERVISOR, EDU_BUFFER, 0);
    dma(EDU_BUFFER, (u64)copy, TO_MEMORY);
    say("what it has is what I gave it: "), say(same() ? "yes\n" : "no\n");
}

static void disk(void)
{
    static u8 sector[512];
    u64 args[6] = { 0, (u64)sector };
    say("sector 0 of the shared disk: "), say(hvc(HVC_DISK_READ, args) ? "refused\n" : (const char *)sector);
    args[1] = OPEN_RAM;
    say("the same into the other guest: "), say(hvc(HVC_DISK_READ, args) ? "refused\n" : "written\n");
}

void guest_main(u64 work)
{
    (void)work;
    WRITE_(ICC_PMR, 0xff);
    WRITE_(ICC_IGRPEN1, 1);
    ISB();
    say("my device says 0x"), say_number(EDU32(ID), 16), say("\n");
    own_memory();
    others_memory();
    disk();
    say("interrupts of my device: "), say_number(irqs, 10), say("\n");
    hvc(HVC_DOORBELL, (u64[6]){ irqs });
    hvc(PSCI_CPU_OFF, (u64[6]){ 0 });
}
