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
#include "board/acpi/aml.h"
#include "board/machine.h"
#include "board/boot/tree.h"

enum { DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34,
       IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48, ID = 0xfe0 };
enum { FR_RXFE = 1 << 4, FR_RXFF = 1 << 6, FR_TXFE = 1 << 7 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_ALL = 0x7ff };
enum { LCR_FEN = 1 << 4, CR_LBE = 1 << 7 };
enum { POLLS_TO_LISTEN = 4, UART_CLOCK_MHZ = 24, LISTEN_NS = 50000000, FIFO = 16 };
enum { TIMER_RECEIVE, TIMER_LISTEN, TIMERS };

struct pl011 {
    u32 port; /* machine_output, machine_input */
    u32 cr, lcr_h, ibrd, fbrd, ifls, imsc, ris, rsr, dmacr, ilpr;
    u32 polls;      /* reads of status registers in a row: the guest waits for input by polling */
    u32 head, used; /* receive FIFO */
    u16 fifo[FIFO];
    struct place at;
    u32 pad;
};
static const struct state_field fields[] = {
    STATE(pl011, port), STATE(pl011, cr),    STATE(pl011, lcr_h), STATE(pl011, ibrd), STATE(pl011, fbrd),
    STATE(pl011, ifls), STATE(pl011, imsc),  STATE(pl011, ris),   STATE(pl011, rsr),  STATE(pl011, dmacr),
    STATE(pl011, ilpr), STATE(pl011, polls), STATE(pl011, head),  STATE(pl011, used), STATE(pl011, fifo),
    STATE(pl011, at),   STATE(pl011, pad),
};

static const u8 pl011_id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static unsigned fifo_depth(const struct pl011 *dev) { return dev->lcr_h & LCR_FEN ? FIFO : 1; }

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
    machine_timer_set(m, dev->at, TIMER_RECEIVE, m->now + timeout_ns(dev));
}

/* The guest begins to listen, or has read everything: if it stays busy, input comes all the same. */
static void listen_start(struct machine *m, struct pl011 *dev)
{
    if (!dev->used && dev->imsc & (INT_RX | INT_RT))
        machine_timer_set(m, dev->at, TIMER_LISTEN, m->now + LISTEN_NS);
}

static void receive(struct machine *m, struct pl011 *dev, u16 data)
{
    if (dev->used >= fifo_depth(dev))
        return;
    dev->fifo[(dev->head + dev->used) % FIFO] = data;
    dev->used++;
    if (dev->used >= rx_trigger(dev))
        dev->ris |= INT_RX;
    timeout_start(m, dev);
}

/* Takes what input there is, if the guest is ready for it. */
static void fill(struct machine *m, struct pl011 *dev)
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

static void pl011_timer(struct machine *m, void *state, struct place at, unsigned n)
{
    struct pl011 *dev = state;
    (void)at;
    if (n == TIMER_LISTEN)
        machine_input_offer(m);
    else if (dev->used)
        dev->ris |= INT_RT;
}

static bool pl011_input(struct machine *m, void *state, struct place at)
{
    (void)at;
    fill(m, state);
    return true;
}

static u16 fifo_pop(struct machine *m, struct pl011 *dev)
{
    if (!dev->used)
        return 0;
    u16 data = dev->fifo[dev->head];
    dev->head = (dev->head + 1) % FIFO;
    dev->used--;
    if (dev->used < rx_trigger(dev))
        dev->ris &= ~(u32)INT_RX;
    if (!dev->used)
        dev->ris &= ~(u32)INT_RT;
    dev->rsr = data >> 8;
    listen_start(m, dev);
    fill(m, dev);
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
    fill(m, dev);
}

static bool pl011_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    struct pl011 *dev = state;
    u64 offset = a->offset & ~(u64)3;
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
        m->d.guest_error = offset >= ID && offset < ID + 32 ? ERROR_NONE : ERROR_REGISTER;
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

static bool pl011_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct pl011 *dev = state;
    u32 v = (u32)value;
    dev->polls = 0;
    switch (a->offset & ~(u64)3) {
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
    default: m->d.guest_error = ERROR_REGISTER; /* read-only and reserved: ignored */
    }
    fill(m, dev);
    return true;
}

static bool pl011_level(const void *state, unsigned wire)
{
    const struct pl011 *dev = state;
    (void)wire;
    return dev->ris & dev->imsc;
}

static void pl011_reset(struct machine *m, void *state, struct place at)
{
    (void)m;
    *(struct pl011 *)state = (struct pl011){ .port = place_port(at), .cr = 0x300, .ifls = 0x12, .at = at };
}

static const char *pl011_validate(const void *state, struct place at)
{
    const struct pl011 *dev = state;
    if (dev->at.row != at.row || dev->at.n != at.n)
        return "pl011: place out of range";
    if (dev->head >= FIFO || dev->used > FIFO || dev->port != place_port(at))
        return "pl011: FIFO index or port out of range";
    return NULL;
}

static void pl011_node(struct tree *t, struct place at)
{
    char path[64];
    tree_primecell(t, path, "pl011", at);
    TREE_CELLS(t, path, "clocks", t->clock, t->clock);
    tree_prop(t, path, "clock-names", "uartclk\0apb_pclk", 17);
    tree_secure(t, path, at);
    tree_string(t, row_secure(t->m, row_get(at.row)) ? "/secure-chosen" : "/chosen", "stdout-path", path);
}

static void pl011_acpi(struct writer *w, struct place at)
{
    u32 from = aml_device(w, "COM0", "ARMH0011", 0);
    aml_row(w, at);
    aml_close(w, from);
}

const struct kind kind_pl011 = {
    .name = "pl011",
    .compatible = "arm,pl011\0arm,primecell\0",
    .state = STATE_SHAPE(pl011, fields),
    .version = 1,
    .wires = 1,
    .timers = TIMERS,
    .back_end = BACK_END_PORT,
    .timers_listen = 1 << TIMER_LISTEN,
    .read = pl011_read,
    .write = pl011_write,
    .level = pl011_level,
    .timer = pl011_timer,
    .input = pl011_input,
    .reset = pl011_reset,
    .validate = pl011_validate,
    .node = pl011_node,
    .acpi = pl011_acpi,
};
