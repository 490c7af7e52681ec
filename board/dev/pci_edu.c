/*
 * edu (PCI 1234:11e8), a device to learn on, with registers as those of QEMU's (docs/specs/edu there): it inverts,
 * computes factorials, raises interrupts by INTx or MSI, and copies by DMA between memory and 4 KiB of its own. Each
 * takes a fixed time. DMA beyond dma_mask= (28 bits by default), beyond its own memory, or to where nothing answers
 * copies nothing.
 */
#include "board/machine.h"

enum { ID = 0x00, INVERT = 0x04, FACTORIAL = 0x08, STATUS = 0x20, IRQ_STATUS = 0x24, IRQ_RAISE = 0x60, IRQ_CLEAR = 0x64,
       DMA_FROM = 0x80, DMA_TO = 0x88, DMA_COUNT = 0x90, DMA_COMMAND = 0x98, WIDE = 0x80, SIZE = 0x100000 };
enum { STATUS_BUSY = 1, STATUS_IRQ = 0x80 };
enum { DMA_RUN = 1, DMA_TO_MEMORY = 2, DMA_IRQ = 4 };
enum { IRQ_FACTORIAL = 1, IRQ_DMA = 0x100 };
enum { BUFFER_AT = 0x40000, BUFFER = 4096, TAKES_NS = 100000, TIMER_FACTORIAL = 0, TIMER_DMA = 1 };

struct edu {
    struct pci_function function;
    u32 invert, factorial, status, irq;
    u64 from, to, count, command;
    u8 buffer[BUFFER];
};
static const struct state_field fields[] = {
    STATE_OF(edu, function, &pci_function_shape),
    STATE(edu, invert),
    STATE(edu, factorial),
    STATE(edu, status),
    STATE(edu, irq),
    STATE(edu, from),
    STATE(edu, to),
    STATE(edu, count),
    STATE(edu, command),
    STATE(edu, buffer),
};

static bool level(const void *state, unsigned wire)
{
    (void)wire;
    return ((const struct edu *)state)->irq != 0;
}

/* One message for each bit that comes. */
static void raise(struct machine *m, struct edu *dev, struct place at, u32 bits)
{
    u32 was = dev->irq;
    dev->irq |= bits;
    if (dev->irq != was)
        pci_message(m, at, 0);
}

static bool edu_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    const struct edu *dev = state;
    (void)m;
    if (a->size != 4 && (a->size != 8 || a->offset < WIDE))
        return true; /* reads 0 */
    switch (a->offset) {
    case ID: *value = 0x010000ed; break;
    case INVERT: *value = dev->invert; break;
    case FACTORIAL: *value = dev->factorial; break;
    case STATUS: *value = dev->status; break;
    case IRQ_STATUS: *value = dev->irq; break;
    case DMA_FROM: *value = dev->from; break;
    case DMA_TO: *value = dev->to; break;
    case DMA_COUNT: *value = dev->count; break;
    case DMA_COMMAND: *value = dev->command; break;
    default: break;
    }
    return true;
}

/* Registers of the DMA hold still while it runs. */
static void dma_write(struct machine *m, struct edu *dev, const struct access *a, u64 value)
{
    if (dev->command & DMA_RUN)
        return;
    switch (a->offset) {
    case DMA_FROM: dev->from = value; break;
    case DMA_TO: dev->to = value; break;
    case DMA_COUNT: dev->count = value; break;
    case DMA_COMMAND:
        dev->command = value & (DMA_RUN | DMA_TO_MEMORY | DMA_IRQ);
        if (dev->command & DMA_RUN)
            machine_timer_set(m, a->at, TIMER_DMA, m->now + TAKES_NS);
        break;
    default: m->d.guest_error = ERROR_REGISTER;
    }
}

static bool edu_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct edu *dev = state;
    if (a->size != 4 && (a->size != 8 || a->offset < WIDE)) {
        m->d.guest_error = ERROR_REGISTER;
        return true;
    }
    switch (a->offset) {
    case INVERT: dev->invert = ~(u32)value; break;
    case FACTORIAL:
        if (!(dev->status & STATUS_BUSY)) {
            dev->factorial = (u32)value;
            dev->status |= STATUS_BUSY;
            machine_timer_set(m, a->at, TIMER_FACTORIAL, m->now + TAKES_NS);
        }
        break;
    case STATUS: dev->status = (dev->status & STATUS_BUSY) | (value & STATUS_IRQ); break;
    case IRQ_RAISE: raise(m, dev, a->at, (u32)value); break;
    case IRQ_CLEAR: dev->irq &= ~(u32)value; break;
    default: dma_write(m, dev, a, value);
    }
    return true;
}

static void factorial_done(struct machine *m, struct edu *dev, struct place at)
{
    u32 product = 1, n = dev->factorial;
    while (n > 1 && product) /* modulo 2^32, where 34! and all beyond are 0 */
        product *= n--;
    dev->factorial = product;
    dev->status &= ~(u32)STATUS_BUSY;
    if (dev->status & STATUS_IRQ)
        raise(m, dev, at, IRQ_FACTORIAL);
}

static bool work(struct machine *m, void *state, struct place at)
{
    struct edu *dev = state;
    bool to_memory = dev->command & DMA_TO_MEMORY;
    u64 own = (to_memory ? dev->from : dev->to) - BUFFER_AT, pa = to_memory ? dev->to : dev->from;
    if (!(dev->command & DMA_RUN) || machine_timer(m, at, TIMER_DMA) != NEVER)
        return false;
    if (own <= BUFFER && dev->count <= BUFFER - own)
        pci_dma(m, at, pa & pci_plugged(m, at)->dma_mask, dev->buffer + own, dev->count, to_memory, false);
    dev->command &= ~(u64)DMA_RUN;
    if (dev->command & DMA_IRQ)
        raise(m, dev, at, IRQ_DMA);
    return false;
}

static void timer(struct machine *m, void *state, struct place at, unsigned n)
{
    if (n == TIMER_FACTORIAL)
        factorial_done(m, state, at);
    else
        pci_work(m, at);
}

static void reset(struct machine *m, void *state, struct place at)
{
    pci_reset(m, at);
    memset((u8 *)state + sizeof(struct pci_function), 0, sizeof(struct edu) - sizeof(struct pci_function));
    for (unsigned n = 0; n < 2; n++)
        machine_timer_set(m, at, n, NEVER);
}

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m, (void)plug;
    pci_identify(d, 0x1234, 0x11e8, 0x00ff00, 0x10);
    pci_subsystem(d, 0x1af4, 0x1100);
    d->config[PCI_PIN] = 1;
    pci_bar(d, 0, PCI_SPACE_MEMORY, SIZE, false);
    pci_msi(d);
    return NULL;
}

const struct kind kind_pci_edu = {
    .name = "edu",
    .compatible = "",
    .state = STATE_SHAPE(edu, fields),
    .version = 1,
    .timers = 2,
    .timers_write = 1 << TIMER_DMA,
    .read = edu_read,
    .write = edu_write,
    .level = level,
    .timer = timer,
    .work = work,
    .reset = reset,
    .describe = describe,
};
