/* Lesson 11's guests: a virtio driver; and the second one's, which means harm again. */
#include "gic.h"
#include "guest.h"
#include "virtio.h"

#define REGISTER(offset) MMIO32(VIRTIO_BASE + (offset))

static struct virtq_desc desc[QUEUE_ENTRIES] __attribute__((aligned(4096)));
static volatile struct virtq_avail avail;
static volatile struct virtq_used used;
static volatile u32 interrupts;
static const char not_mine[] = "in a page of the image";

u64 guest_exception(u64 esr, u64 elr)
{
    print("exception 0x%lx at 0x%lx\n", esr, elr);
    power_off();
}

void guest_interrupt(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    if (intid == VIRTIO_IRQ) {
        interrupts++;
        REGISTER(IRQ_ACK) = REGISTER(IRQ_STATUS);
    }
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

static void address(u32 offset, u64 value)
{
    REGISTER(offset) = (u32)value;
    REGISTER(offset + 4) = (u32)(value >> 32);
}

/* Reset, features, one queue (3.1.1). */
static void start(u64 used_at)
{
    REGISTER(STATUS) = 0;
    memset(desc, 0, sizeof(desc));
    memset((void *)&avail, 0, sizeof(avail));
    memset((void *)&used, 0, sizeof(used));
    REGISTER(STATUS) = 1 | 2; /* seen; there is a driver */
    REGISTER(FEATURES_SELECT) = 1;
    REGISTER(DRIVER_SELECT) = 1;
    REGISTER(DRIVER_FEATURES) = REGISTER(DEVICE_FEATURES) & FEATURE_VERSION_1;
    REGISTER(STATUS) = 1 | 2 | 8;
    REGISTER(QUEUE_SELECT) = SEND_QUEUE;
    REGISTER(QUEUE_SIZE) = QUEUE_ENTRIES;
    address(QUEUE_DESC, (u64)desc);
    address(QUEUE_AVAIL, (u64)&avail);
    address(QUEUE_USED, used_at);
    REGISTER(QUEUE_READY) = 1;
    REGISTER(STATUS) = 1 | 2 | 8 | 4;
}

static void describe(unsigned n, u64 at, u32 length, u16 flags, u16 next)
{
    desc[n] = (struct virtq_desc){ at, length, flags, next };
}

/* Gives the device the buffer that begins with descriptor `head`. */
static void offer(u16 head, u16 count)
{
    for (u16 n = 0; n < count; n++)
        avail.ring[(u16)(avail.index + n) % QUEUE_ENTRIES] = head;
    dsb();
    avail.index = (u16)(avail.index + count);
    dsb();
    REGISTER(QUEUE_NOTIFY) = SEND_QUEUE;
}

static u32 length_of(const char *text)
{
    u32 n = 0;
    while (text[n])
        n++;
    return n;
}

static void send(const char *text)
{
    u16 before = used.index;
    describe(0, (u64)text, length_of(text), 0, 0);
    offer(0, 1);
    while (used.index == before)
        asm volatile("wfi");
}

static void attack(const char *what)
{
    print("%s: %s\n", what, REGISTER(STATUS) & STATUS_NEEDS_RESET ? "refused" : "IT WORKED");
    start((u64)&used);
}

static void attacks(void)
{
    describe(0, 0x40200000, 16, 0, 0);
    offer(0, 1);
    attack("a buffer in the hypervisor");
    describe(0, (u64)not_mine, 0x7fffffff, 0, 0);
    offer(0, 1);
    attack("a buffer of two gigabytes");
    describe(0, (u64)not_mine, 0, DESC_NEXT, 1);
    describe(1, (u64)not_mine, 0, DESC_NEXT, 0);
    offer(0, 1);
    attack("descriptors in a circle");
    offer(500, 1);
    attack("a descriptor that there is not");
    describe(0, (u64)not_mine, 0, 0, 0);
    offer(0, 1000);
    attack("more than fits into the queue");
    start((u64)not_mine & ~3ul);
    describe(0, (u64)not_mine, 0, 0, 0);
    offer(0, 1);
    attack("an answer in a page of the image");
}

void guest_main(u64 number)
{
    write_sysreg(ICC_PMR_EL1, 0xff);
    write_sysreg(ICC_IGRPEN1_EL1, 1);
    asm volatile("msr daifclr, #2" : : : "memory");
    if (number == 2)
        for (volatile u64 n = 0; n < 20000; n++) /* the other one first, so that the lines have an order */
            ;
    start((u64)&used);
    send("one exit for a whole line\n");
    describe(1, (u64) "the second of them\n", 19, 0, 0);
    describe(0, (u64) "a buffer of two parts: ", 23, DESC_NEXT, 1);
    offer(0, 1);
    while (used.index != 2)
        asm volatile("wfi");
    print("%u buffers were used, %u interrupts came\n", used.index, interrupts);
    if (number == 2)
        attacks();
    print("the page of the image is %s\n", not_mine[0] == 'i' ? "as it was" : "another");
}
