/*
 * PL011 UART. Arm PrimeCell UART (PL011) Technical Reference Manual, DDI 0183, r1p4 (16-deep FIFOs).
 *
 * Transmission takes no time. Reception is paced by the guest: bytes wait outside until the receive FIFO is empty and
 * the guest listens, that is, it has a receive interrupt enabled or reads status again and again. Prepared input (a
 * pipe, a file) comes when the guest waits: it polls, all its PEs sleep, or it has listened for a while. That makes a
 * run with piped input independent of host timing, and no byte is lost while a driver still sets the port up. As with
 * QEMU's, data passes in both directions whether or not CR enables the UART. Left out: modem lines, IrDA, DMA, errors
 * on the line.
 */
#include "board/machine.h"

enum { DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34,
       IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48, ID = 0xfe0 };
enum { FR_RXFE = 1 << 4, FR_RXFF = 1 << 6, FR_TXFE = 1 << 7 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_ALL = 0x7ff };
enum { LCR_FEN = 1 << 4, CR_LBE = 1 << 7 };
enum { POLLS_TO_LISTEN = 4, UART_CLOCK_MHZ = 24, LISTEN_NS = 50000000 };

static const u8 pl011_id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static unsigned fifo_depth(const struct pl011 *dev) { return dev->lcr_h & LCR_FEN ? PL011_FIFO : 1; }

/* Receive trigger level in characters: IFLS.RXIFLSEL, eighths of the FIFO. */
static unsigned rx_trigger(const struct pl011 *dev)
{
    static const u8 level[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };
    return dev->lcr_h & LCR_FEN ? level[dev->ifls >> 3 & 7] : 1;
}

/* 32 bit periods at the programmed baud rate, in ns. */
static u64 timeout_ns(const struct pl011 *dev)
{
    u64 divisor = (u64)dev->ibrd << 6 | dev->fbrd; /* in 64ths */
    if (!dev->ibrd)
        divisor = 13 << 6; /* 115200 */
    return 32 * 16 * divisor * 1000 / (64 * UART_CLOCK_MHZ);
}

static void timeout_start(struct machine *m, struct pl011 *dev)
{
    machine_event_set(m, dev->port == PORT_UART0 ? EVENT_uart0_timeout : EVENT_uart1_timeout, m->now + timeout_ns(dev));
}

/* The guest begins to listen, or has read everything: if it stays busy, input comes all the same. */
static void listen_start(struct machine *m, struct pl011 *dev)
{
    if (!dev->used && dev->imsc & (INT_RX | INT_RT))
        machine_event_set(m, dev->port == PORT_UART0 ? EVENT_uart0_listen : EVENT_uart1_listen, m->now + LISTEN_NS);
}

static void receive(struct machine *m, struct pl011 *dev, u16 data)
{
    if (dev->used >= fifo_depth(dev))
        return;
    dev->fifo[(dev->head + dev->used) % PL011_FIFO] = data;
    dev->used++;
    if (dev->used >= rx_trigger(dev))
        dev->ris |= INT_RX;
    timeout_start(m, dev);
}

void pl011_fill(struct machine *m, struct pl011 *dev)
{
    bool polls = dev->polls >= POLLS_TO_LISTEN, listens = polls || dev->imsc & (INT_RX | INT_RT);
    if (!listens || dev->used || dev->cr & CR_LBE)
        return;
    while (dev->used < fifo_depth(dev)) {
        int byte = machine_input(m, dev->port, polls);
        if (byte < 0)
            break;
        receive(m, dev, (u8)byte);
    }
}

void pl011_timeout(struct pl011 *dev)
{
    if (dev->used)
        dev->ris |= INT_RT;
}

static u16 fifo_pop(struct machine *m, struct pl011 *dev)
{
    if (!dev->used)
        return 0;
    u16 data = dev->fifo[dev->head];
    dev->head = (dev->head + 1) % PL011_FIFO;
    dev->used--;
    if (dev->used < rx_trigger(dev))
        dev->ris &= ~(u32)INT_RX;
    if (!dev->used)
        dev->ris &= ~(u32)INT_RT;
    dev->rsr = data >> 8;
    listen_start(m, dev);
    pl011_fill(m, dev);
    return data;
}

static u32 flags(const struct pl011 *dev)
{
    return FR_TXFE | (dev->used ? 0 : FR_RXFE) | (dev->used >= fifo_depth(dev) ? FR_RXFF : 0);
}

/* A status register is read: the guest that does nothing else is polling for input. */
static void status_polled(struct machine *m, struct pl011 *dev)
{
    if (dev->polls < POLLS_TO_LISTEN)
        dev->polls++;
    pl011_fill(m, dev);
}

bool pl011_read(struct machine *m, struct pl011 *dev, struct device_access a, u64 *value)
{
    u64 offset = a.offset & ~(u64)3;
    if (offset == FR || offset == RIS || offset == MIS)
        status_polled(m, dev);
    switch (offset) {
    case DR: *value = fifo_pop(m, dev); break;
    case RSR: *value = dev->rsr; break;
    case FR: *value = flags(dev); break;
    case ILPR: *value = dev->ilpr; break;
    case IBRD: *value = dev->ibrd; break;
    case FBRD: *value = dev->fbrd; break;
    case LCR_H: *value = dev->lcr_h; break;
    case CR: *value = dev->cr; break;
    case IFLS: *value = dev->ifls; break;
    case IMSC: *value = dev->imsc; break;
    case RIS: *value = dev->ris; break;
    case MIS: *value = dev->ris & dev->imsc; break;
    case DMACR: *value = dev->dmacr; break;
    default:
        *value = offset >= ID && offset < ID + 32 ? pl011_id[(offset - ID) / 4] : 0;
        m->d.odd = offset >= ID && offset < ID + 32 ? ODD_NOT : ODD_REGISTER;
    }
    return true;
}

/* The FIFO is flushed when it is switched on or off. */
static void lcr_write(struct pl011 *dev, u32 value)
{
    if ((dev->lcr_h ^ value) & LCR_FEN) {
        dev->head = dev->used = 0;
        dev->ris &= ~(u32)(INT_RX | INT_RT);
    }
    dev->lcr_h = value & 0xff;
}

/* The transmit interrupt follows a transition of the FIFO through its level, which each character makes (TRM 3.4.3). */
static void transmit(struct machine *m, struct pl011 *dev, u8 byte)
{
    dev->ris |= INT_TX;
    if (dev->cr & CR_LBE)
        receive(m, dev, byte);
    else
        machine_output(m, dev->port, byte);
}

bool pl011_write(struct machine *m, struct pl011 *dev, struct device_access a, u64 value)
{
    u32 v = (u32)value;
    dev->polls = 0;
    switch (a.offset & ~(u64)3) {
    case DR: transmit(m, dev, (u8)v); break;
    case RSR: dev->rsr = 0; break;
    case ILPR: dev->ilpr = v & 0xff; break;
    case IBRD: dev->ibrd = v & 0xffff; break;
    case FBRD: dev->fbrd = v & 0x3f; break;
    case LCR_H: lcr_write(dev, v); break;
    case CR: dev->cr = v & 0xff87; break;
    case IFLS: dev->ifls = v & 0x3f; break;
    case IMSC:
        dev->imsc = v & INT_ALL;
        listen_start(m, dev);
        break;
    case ICR: dev->ris &= ~(v & INT_ALL); break;
    case DMACR: dev->dmacr = v & 7; break;
    default: m->d.odd = ODD_REGISTER; /* read-only and reserved: ignored */
    }
    pl011_fill(m, dev);
    return true;
}

bool pl011_level(const struct pl011 *dev) { return dev->ris & dev->imsc; }

void pl011_reset(struct pl011 *dev)
{
    u32 port = dev->port;
    memset(dev, 0, sizeof(*dev));
    dev->port = port;
    dev->cr = 0x300;
    dev->ifls = 0x12;
}

const char *pl011_validate(const struct pl011 *dev)
{
    if (dev->head >= PL011_FIFO || dev->used > PL011_FIFO || dev->port >= MAX_PORTS)
        return "pl011: FIFO index out of range";
    return NULL;
}
