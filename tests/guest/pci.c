/* PCI: configuration space by ECAM, address ranges, INTx, what is behind a root port, virtio over PCI.
 * PCI Local Bus Specification 3.0 (6.1, 6.2.5, 6.7), PCI Express Base Specification 4.0 (7.2.2, 7.5), Virtio 1.2 (4.1).
 * guests.list says what is plugged where. */
#include "rt.h"

#define CFG(bus, device, function) (0x4010000000ul + ((bus) << 20 | (device) << 15 | (function) << 12))
#define ROOT    CFG(0, 0, 0)
#define TESTDEV CFG(0, 1, 0)
#define RNG     CFG(0, 2, 0)
#define PORT    CFG(0, 3, 0)
#define BEHIND  CFG(5, 0, 0)
#define EDU     CFG(0, 4, 1)
#define MEMORY  0x10000000ul
#define HIGH    0x8000000000ul
#define IO      0x3eff0000ul
#define INTX(pin) (35u + (pin))

enum { COMMAND = 0x04, STATUS = 0x06, HEADER = 0x0e, BAR0 = 0x10, BAR1 = 0x14, BAR4 = 0x20, BAR5 = 0x24, LINE = 0x3c,
       IO_ON = 1, MEMORY_ON = 2, MASTER = 4, NO_INTX = 0x400 };

/* The first capability of an ID from `at` on (0: from the start); 0: there is none. *count: how many were passed. */
static u32 capability(u64 cfg, u32 id, u32 at, u32 *count)
{
    for (at = at ? MMIO8(cfg + at + 1) : MMIO8(cfg + 0x34); at && *count < 64; at = MMIO8(cfg + at + 1), ++*count)
        if (MMIO8(cfg + at) == id)
            break;
    return at;
}

static void identification(void)
{
    check_eq("host bridge: vendor and device", MMIO32(ROOT), 0x00081b36);
    check_eq("  class", MMIO32(ROOT + 8) >> 8, 0x060000);
    check_eq("no function: all ones", MMIO32(CFG(0, 31, 0)), 0xffffffff);
    check(MMIO8(CFG(0, 31, 0) + 3) == 0xff && MMIO16(CFG(0, 31, 0) + 6) == 0xffff, "  by bytes and halves");
    check_eq("  another function of a device with one", MMIO32(CFG(0, 1, 1)), 0xffffffff);
    check_eq("  a bus that nothing leads to", MMIO32(CFG(200, 0, 0)), 0xffffffff);
    MMIO32(CFG(0, 31, 0) + BAR0) = 0x12345678;
    check_eq("  a write to it is lost", MMIO32(CFG(0, 31, 0) + BAR0), 0xffffffff);
    check_eq("pci-testdev: vendor and device", MMIO32(TESTDEV), 0x00051b36);
    check(MMIO8(TESTDEV + 1) == 0x1b && MMIO16(TESTDEV + 2) == 5, "  by bytes and halves");
    MMIO32(TESTDEV) = 0;
    MMIO32(TESTDEV + 8) = 0xffffffff;
    check(MMIO32(TESTDEV) == 0x00051b36 && MMIO32(TESTDEV + 8) == 0x00ff0000, "  read-only, as class and revision");
    check_eq("header of a device with one function: type 0", MMIO8(TESTDEV + HEADER), 0);
    check_eq("header of a bridge: type 1", MMIO8(PORT + HEADER), 1);
    check_eq("header of a device with several", MMIO8(CFG(0, 4, 0) + HEADER), 0x80);
    check_eq("  its second function", MMIO32(EDU), 0x11e81234);
}

static void registers(void)
{
    check_eq("Command after reset", MMIO16(TESTDEV + COMMAND), 0);
    MMIO16(TESTDEV + COMMAND) = 0xffff;
    check_eq("Command: what can be written", MMIO16(TESTDEV + COMMAND) & ~0x140u, 0x407);
    MMIO8(TESTDEV + COMMAND) = 0;
    check_eq("  a byte of it", MMIO16(TESTDEV + COMMAND) & 0x407, 0x400);
    MMIO16(TESTDEV + COMMAND) = 0;
    check_eq("  cleared", MMIO16(TESTDEV + COMMAND), 0);
    MMIO32(TESTDEV + LINE) = 0xffffff5a;
    check(MMIO8(TESTDEV + LINE) == 0x5a && MMIO8(TESTDEV + LINE + 1) == 0, "Interrupt Line is storage, the pin is not");
    check_eq("Status without capabilities", MMIO16(TESTDEV + STATUS) & 0x18, 0);
    check_eq("Status with capabilities", MMIO16(RNG + STATUS) & 0x18, 0x10);
    u32 count = 0;
    check(!capability(RNG, 0xee, 0, &count) && count == 6, "the list of capabilities ends");
    check_eq("  MSI-X is among them", capability(RNG, 0x11, 0, &count) != 0, 1);
    count = 0;
    check(capability(PORT, 0x10, 0, &count) && BITS(MMIO16(PORT + capability(PORT, 0x10, 0, &count) + 2), 7, 4) == 4,
          "the root port's type in its PCI Express capability");
}

static void sizing(void)
{
    for (u32 n = 0; n < 6; n++)
        MMIO32(TESTDEV + BAR0 + 4 * n) = 0xffffffff;
    check_eq("range of memory: 4 KiB, 32 bits", MMIO32(TESTDEV + BAR0), 0xfffff000);
    check_eq("range of ports: 256", MMIO32(TESTDEV + BAR1) | 0xffff0000, 0xffffff01);
    check(!MMIO32(TESTDEV + 0x18) && !MMIO32(TESTDEV + BAR5), "no range: reads 0");
    MMIO32(RNG + BAR4) = MMIO32(RNG + BAR5) = 0xffffffff;
    check_eq("range of 64 bits, prefetchable, 16 KiB", MMIO32(RNG + BAR4), 0xffffc00c);
    check_eq("  its upper half", MMIO32(RNG + BAR5), 0xffffffff);
    MMIO32(RNG + BAR4) = MMIO32(RNG + BAR5) = 0;
    check_eq("  its type stays", MMIO32(RNG + BAR4), 0xc);
}

static void decoding(void)
{
    MMIO32(TESTDEV + BAR0) = MEMORY;
    MMIO32(TESTDEV + BAR1) = 0x2000;
    check_eq("memory decode is off: all ones", MMIO32(MEMORY), 0xffffffff);
    check_eq("port decode is off: all ones", MMIO32(IO + 0x2000), 0xffffffff);
    MMIO16(TESTDEV + COMMAND) = MEMORY_ON;
    MMIO8(MEMORY) = 0;
    check(MMIO8(MEMORY + 1) == 1 && MMIO32(IO + 0x2000) == 0xffffffff, "memory alone is on");
    u32 offset = MMIO32(MEMORY + 4), data = MMIO32(MEMORY + 8);
    for (u32 n = 0; n < 5; n++)
        MMIO8(MEMORY + offset) = data;
    check_eq("pci-testdev counts five writes", MMIO32(MEMORY + 12), 5);
    check_eq("  its name", MMIO32(MEMORY + 16), 0x6f696d6d); /* mmio */
    MMIO16(TESTDEV + COMMAND) = MEMORY_ON | IO_ON;
    MMIO8(IO + 0x2000) = 0;
    offset = MMIO8(IO + 0x2004), data = MMIO32(IO + 0x2008);
    for (u32 n = 0; n < 3; n++)
        MMIO8(IO + 0x2000 + offset) = data;
    check_eq("  three by I/O ports", MMIO32(IO + 0x200c), 3);
    MMIO8(IO + 0x2000) = 3;
    check_eq("  no such test", MMIO8(IO + 0x2001), 0);
    MMIO32(TESTDEV + BAR0) = MEMORY + 0x123000;
    check(MMIO32(MEMORY) == 0xffffffff && MMIO32(MEMORY + 0x123000) != 0xffffffff, "the range moves");
    check_eq("  beyond its end", MMIO32(MEMORY + 0x124000), 0xffffffff);
    MMIO16(TESTDEV + COMMAND) = 0;
}

/* ---- virtio-rng behind the function at cfg, its structures at `base` ---- */

static struct {
    struct {
        u64 address;
        u32 length;
        u16 flags, next;
    } desc[8];
    u16 avail[16];
    u32 used[32];
} rings __attribute__((aligned(4096)));
static u8 random_bytes[64];

static void driver_start(u64 base)
{
    MMIO8(base + 0x14) = 0;
    MMIO8(base + 0x14) = 3;
    MMIO32(base + 8) = 1;
    MMIO32(base + 0xc) = 1; /* VERSION_1 */
    MMIO8(base + 0x14) = 11;
    MMIO16(base + 0x16) = 0;
    MMIO16(base + 0x18) = 8;
    const u64 at[] = { (u64)rings.desc, (u64)rings.avail, (u64)rings.used };
    for (u32 n = 0; n < 3; n++) {
        MMIO32(base + 0x20 + 8 * n) = at[n];
        MMIO32(base + 0x24 + 8 * n) = at[n] >> 32;
    }
    MMIO16(base + 0x1c) = 1;
    MMIO8(base + 0x14) = 15;
}

static void request(u64 base)
{
    rings.desc[0].address = (u64)random_bytes;
    rings.desc[0].length = sizeof(random_bytes);
    rings.desc[0].flags = 2;
    rings.avail[2 + rings.avail[1] % 8] = 0;
    DSB();
    rings.avail[1]++;
    DSB();
    u64 before = *(volatile u16 *)((u64)rings.used + 2);
    MMIO16(base + 0x3000) = 0;
    for (u32 n = 0; n < 1000 && *(volatile u16 *)((u64)rings.used + 2) == before; n++)
        nap();
}

static void rings_clear(void)
{
    for (u32 n = 0; n < sizeof(rings); n++)
        ((volatile u8 *)&rings)[n] = 0;
}

static void intx(u64 cfg, u64 base, u32 intid, const char *what)
{
    rings_clear();
    driver_start(base);
    request(base);
    put_text("# ");
    put_text(what);
    put_text("\n");
    check_eq("virtio-rng: a buffer was used", rings.used[0] >> 16, 1);
    check_eq("  all of it", rings.used[2], sizeof(random_bytes));
    check(gic_is_pending(intid), "INTx: the pin that device number and bridges make of A");
    check_eq("  Interrupt Status", MMIO16(cfg + STATUS) & 8, 8);
    MMIO16(cfg + COMMAND) |= NO_INTX;
    check(!gic_is_pending(intid) && MMIO16(cfg + STATUS) & 8, "  Interrupt Disable holds it back, not its status");
    MMIO16(cfg + COMMAND) &= ~NO_INTX;
    check(gic_is_pending(intid), "  and lets it go again");
    check_eq("  ISR status", MMIO8(base + 0x1000), 1);
    check(!gic_is_pending(intid) && !(MMIO16(cfg + STATUS) & 8), "  its read takes the interrupt back");
}

static void virtio(void)
{
    u32 count = 0;
    MMIO32(RNG + BAR4) = MEMORY + 0x200000;
    MMIO32(RNG + BAR5) = 0;
    MMIO16(RNG + COMMAND) = MEMORY_ON | MASTER;
    check_eq("virtio-rng: one queue", MMIO16(MEMORY + 0x200012), 1);
    check_eq("  its size", MMIO16(MEMORY + 0x200018), 8);
    intx(RNG, MEMORY + 0x200000, INTX(2), "device 2, pin A");
    MMIO32(RNG + BAR4) = 0;
    MMIO32(RNG + BAR5) = HIGH >> 32;
    check_eq("in the window above 4 GiB", MMIO16(HIGH + 0x12), 1);
    check_eq("  no longer in the other", MMIO16(MEMORY + 0x200012), 0xffff);
    u32 at = 0;
    do
        at = capability(RNG, 9, at, &count);
    while (at && MMIO8(RNG + at + 3) != 5);
    MMIO8(RNG + at + 4) = 4;
    MMIO32(RNG + at + 8) = 0x12;
    MMIO32(RNG + at + 12) = 2;
    check_eq("  by way of configuration space", MMIO16(RNG + at + 16), 1);
    MMIO8(HIGH + 0x14) = 0;
}

static void bridge(void)
{
    MMIO16(PORT + COMMAND) = 0;
    MMIO32(PORT + 0x18) = 0x00050500;
    check_eq("behind the port: virtio-rng, modern", MMIO32(BEHIND), 0x10441af4);
    check_eq("  one device", MMIO32(CFG(5, 1, 0)), 0xffffffff);
    MMIO16(PORT + 0x19) = 0x0707;
    check(MMIO32(BEHIND) == 0xffffffff && MMIO32(CFG(7, 0, 0)) == 0x10441af4, "  another bus number");
    MMIO16(PORT + 0x19) = 0x0505;
    MMIO32(BEHIND + BAR4) = MEMORY + 0x400000;
    MMIO32(BEHIND + BAR5) = 0;
    MMIO16(BEHIND + COMMAND) = MEMORY_ON | MASTER;
    MMIO16(PORT + 0x20) = 0x1040;
    MMIO16(PORT + 0x22) = 0x1040;
    check_eq("  the port forwards nothing yet", MMIO16(MEMORY + 0x400012), 0xffff);
    MMIO16(PORT + COMMAND) = MEMORY_ON | MASTER;
    check_eq("  now it does", MMIO16(MEMORY + 0x400012), 1);
    MMIO16(PORT + 0x20) = 0x1050;
    check_eq("  not outside its window", MMIO16(MEMORY + 0x400012), 0xffff);
    MMIO16(PORT + 0x20) = 0x1040;
    intx(BEHIND, MEMORY + 0x400000, INTX(3), "device 0 behind device 3, pin A");
    u32 count = 0, express = capability(BEHIND, 0x10, 0, &count);
    check(MMIO32(BEHIND + express + 4) >> 28 & 1, "  it has function-level reset");
    MMIO16(BEHIND + express + 8) = 0x8000;
    for (u64 until = counter() + READ(cntfrq_el0) / 10; MMIO16(BEHIND + COMMAND) & 7 && counter() < until;)
        ; /* it may take 100 ms (6.6.2) */
    check(!(MMIO16(BEHIND + COMMAND) & 7) && !MMIO32(BEHIND + BAR5) && MMIO32(BEHIND + BAR4) == 0xc,
          "  after it the ranges are gone");
    MMIO32(BEHIND + BAR4) = MEMORY + 0x400000;
    MMIO16(BEHIND + COMMAND) = MEMORY_ON;
    check_eq("  and the device's status", MMIO8(MEMORY + 0x400014), 0);
}

/* A DMA of edu takes its time. */
static void dma(u64 base, u64 from, u64 to, u64 command)
{
    MMIO64(base + 0x80) = from;
    MMIO64(base + 0x88) = to;
    MMIO64(base + 0x90) = 8;
    for (MMIO64(base + 0x98) = command; MMIO64(base + 0x98) & 1;)
        nap();
}

static void edu(void)
{
    u64 base = MEMORY + 0x600000;
    MMIO32(EDU + BAR0) = base;
    MMIO16(EDU + COMMAND) = MEMORY_ON | MASTER;
    MMIO32(base + 4) = 0x12345678;
    check_eq("edu: inverts", MMIO32(base + 4), ~0x12345678u);
    MMIO32(base + 0x60) = 4;
    check(gic_is_pending(INTX(0)) && MMIO32(base + 0x24) == 4, "  raises its pin: device 4, A");
    MMIO32(base + 0x64) = 4;
    check(!gic_is_pending(INTX(0)) && !MMIO32(base + 0x24), "  and takes it back");
    MMIO32(base + 8) = 10;
    for (u32 n = 0; n < 1000000 && MMIO32(base + 0x20) & 1; n++)
        ;
    check_eq("  10!", MMIO32(base + 8), 3628800);
    static u64 source = 0x1122334455667788, target;
    dma(base, (u64)&source, 0x40000, 1);
    dma(base, 0x40000, (u64)&target, 3);
    check_eq("  copies into itself and back", *(volatile u64 *)&target, source);
    u64 was = source;
    MMIO16(EDU + COMMAND) = MEMORY_ON;
    *(volatile u64 *)&target = 0;
    dma(base, 0x40000, (u64)&target, 3);
    check(*(volatile u64 *)&target == 0 && source == was, "  writes nothing while it may not be a bus master");
}

void test_main(void)
{
    gic_init();
    gic_enable(30, 0x80); /* the timer wakes */
    identification();
    registers();
    sizing();
    decoding();
    virtio();
    bridge();
    edu();
    finish();
}
