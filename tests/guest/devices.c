/* The board's devices: PL011, PL031, PL061, the 32 virtio-mmio slots, and an address where nothing is.
 * Arm DDI 0183 (PL011), DDI 0224 (PL031), DDI 0190 (PL061), Virtio 1.1 section 4.2. */
#include "rt.h"

#define UART   0x09000000ul
#define RTC    0x09010000ul
#define GPIO   0x09030000ul
#define VIRTIO(n) (0x0a000000ul + (n) * 0x200ul)
#define UART_INTID 33u
#define RTC_INTID  34u
#define GPIO_INTID 39u

/* PrimeCell: bytes of the peripheral and component identification, each in a word of its own. */
static void primecell(const char *what, u64 base, u32 id)
{
    u32 periph = 0, cell = 0;
    for (u32 i = 0; i < 4; i++) {
        periph |= (MMIO32(base + 0xfe0 + 4 * i) & 0xff) << 8 * i;
        cell |= (MMIO32(base + 0xff0 + 4 * i) & 0xff) << 8 * i;
    }
    check_eq(what, (u64)cell << 32 | periph, 0xb105f00dul << 32 | id);
}

static void uart(void)
{
    primecell("PL011: identification", UART, 0x141011);
    check_eq("PL011: flags: transmit FIFO empty, receive FIFO empty", MMIO32(UART + 0x18) & 0xb8, 0x90);
    check_eq("PL011: UARTIFLS after reset", MMIO32(UART + 0x34), 0x12);
    MMIO32(UART + 0x24) = 0x1234;
    MMIO32(UART + 0x28) = 0x15;
    check(MMIO32(UART + 0x24) == 0x1234 && MMIO32(UART + 0x28) == 0x15, "PL011: UARTIBRD and UARTFBRD");
    MMIO32(UART + 0x2c) = 0x70;
    check_eq("PL011: UARTLCR_H: 8 bits, FIFOs", MMIO32(UART + 0x2c), 0x70);
    MMIO32(UART + 0x30) = 0x301;
    check_eq("PL011: UARTCR: enabled", MMIO32(UART + 0x30), 0x301);
    MMIO32(UART + 0x44) = 0x7ff;
    MMIO32(UART + 0x38) = 0;
    put_text("# a line to send\n");
    check_eq("PL011: sent: UARTRIS.TXRIS", MMIO32(UART + 0x3c) & 0x20, 0x20);
    check_eq("PL011: masked: UARTMIS 0", MMIO32(UART + 0x40), 0);
    MMIO32(UART + 0x38) = 0x20;
    bool mis = MMIO32(UART + 0x40) == 0x20, up = gic_is_pending(UART_INTID);
    MMIO32(UART + 0x38) = 0;
    bool down = !gic_is_pending(UART_INTID);
    check(mis, "PL011: UARTIMSC.TXIM: UARTMIS");
    check(up, "PL011: INTID 33 pending");
    check(down, "PL011: masked again: not pending");
    MMIO32(UART + 0x44) = 0x20;
    u32 ris = MMIO32(UART + 0x3c);
    check_eq("PL011: UARTICR clears TXRIS", ris & 0x20, 0);
}

static void rtc(void)
{
    primecell("PL031: identification", RTC, 0x141031);
    check_eq("PL031: RTCCR: running", MMIO32(RTC + 0xc), 1);
    MMIO32(RTC + 0x8) = 1000000;
    u32 now = MMIO32(RTC);
    check(now >= 1000000 && now < 1000010, "PL031: RTCLR sets RTCDR");
    MMIO32(RTC + 0x1c) = 1;
    MMIO32(RTC + 0x10) = 0;
    check_eq("PL031: RTCRIS 0", MMIO32(RTC + 0x14), 0);
    MMIO32(RTC + 0x10) = 1;
    check_eq("PL031: RTCIMSC", MMIO32(RTC + 0x10), 1);
    now = MMIO32(RTC);
    MMIO32(RTC + 0x4) = now + 1;
    check_eq("PL031: RTCMR", MMIO32(RTC + 0x4), now + 1);
    gic_enable(RTC_INTID, 0x80);
    ASM("wfi");
    u32 after = MMIO32(RTC);
    check(after - (now + 1) < 5, "PL031: WFI until the match");
    check(MMIO32(RTC + 0x14) == 1 && MMIO32(RTC + 0x18) == 1, "PL031: RTCRIS and RTCMIS");
    check(gic_is_pending(RTC_INTID), "PL031: INTID 34 pending");
    MMIO32(RTC + 0x10) = 0;
    check(MMIO32(RTC + 0x18) == 0 && !gic_is_pending(RTC_INTID), "PL031: masked: RTCMIS 0, not pending");
    MMIO32(RTC + 0x1c) = 1;
    check_eq("PL031: RTCICR clears RTCRIS", MMIO32(RTC + 0x14), 0);
    gic_disable(RTC_INTID);
}

static void gpio(void)
{
    primecell("PL061: identification", GPIO, 0x041061);
    check_eq("PL061: all pins are inputs after reset", MMIO32(GPIO + 0x400), 0);
    MMIO32(GPIO + 0x400) = 0x07;
    check_eq("PL061: GPIODIR", MMIO32(GPIO + 0x400), 0x07);
    MMIO32(GPIO + (0x07 << 2)) = 0x05;
    check_eq("PL061: outputs read back", MMIO32(GPIO + (0x07 << 2)), 0x05);
    MMIO32(GPIO + (0x02 << 2)) = 0xff;
    check_eq("PL061: the address masks a write", MMIO32(GPIO + (0x07 << 2)), 0x07);
    check_eq("PL061: the address masks a read", MMIO32(GPIO + (0x04 << 2)), 0x04);
    MMIO32(GPIO + (0x07 << 2)) = 0;
    check_eq("PL061: outputs cleared", MMIO32(GPIO + (0x07 << 2)), 0);
    static const struct {
        const char *what;
        u32 offset;
    } regs[] = {
        { "PL061: GPIOIS", 0x404 },
        { "PL061: GPIOIBE", 0x408 },
        { "PL061: GPIOIEV", 0x40c },
        { "PL061: GPIOIE", 0x410 },
    };
    for (u32 i = 0; i < COUNT(regs); i++) {
        MMIO32(GPIO + regs[i].offset) = 0x11;
        check_eq(regs[i].what, MMIO32(GPIO + regs[i].offset), 0x11);
        MMIO32(GPIO + regs[i].offset) = 0;
    }
    MMIO32(GPIO + 0x41c) = 0xff;
    check_eq("PL061: GPIORIS after GPIOIC", MMIO32(GPIO + 0x414), 0);
    check_eq("PL061: GPIOMIS", MMIO32(GPIO + 0x418), 0);
    MMIO32(GPIO + 0x400) = 0;
}

static void virtio(void)
{
    u32 magic = 0, version = 0, empty = 0;
    for (u32 i = 0; i < 32; i++) {
        magic += MMIO32(VIRTIO(i)) == 0x74726976;
        u32 v = MMIO32(VIRTIO(i) + 4);
        version += v == 1 || v == 2;
        empty += MMIO32(VIRTIO(i) + 8) == 0;
    }
    check_eq("virtio-mmio: MagicValue of 32 slots", magic, 32);
    check_eq("virtio-mmio: Version 1 or 2", version, 32);
    check_eq("virtio-mmio: DeviceID 0, nothing there", empty, 32);
    MMIO32(VIRTIO(3) + 0x70) = 1;
    check_eq("virtio-mmio: Status of an empty slot stays 0", MMIO32(VIRTIO(3) + 0x70), 0);
}

CODE(do_ldr, "ldr w0, [x0]");
CODE(do_str, "str w1, [x0]");

/* What an access to nothing does is the system's choice: a synchronous external abort, as on QEMU's virt. */
static void nothing(void)
{
    try_el(1, do_ldr, 0x0d000000, 0);
    check_exc("load where nothing is: synchronous external abort", 1, EC_DABT, 0x10);
    check_eq("  FAR_EL1", EXC.far, 0x0d000000);
    try_el(1, do_str, 0x0d000000, 0);
    check_exc("store where nothing is", 1, EC_DABT, 0x50);
    try_el(1, do_ldr, 0x40000000 + 0x10000000, 0);
    check_exc("load just above RAM", 1, EC_DABT, 0x10);
}

void test_main(void)
{
    gic_init();
    uart();
    rtc();
    gpio();
    virtio();
    nothing();
    finish();
}
