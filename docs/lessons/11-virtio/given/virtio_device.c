/* The registers of the console, one for each guest. What is in its queue is queue.c's. */
#include "virtio.h"
#include "vm.h"

static struct {
    struct queue queue;
    u32 status, irq, features_select, queue_select;
} consoles[VMS];

void console_text(const char *text, unsigned size)
{
    static bool in_line[VMS];
    for (unsigned n = 0; n < size; n++) {
        if (!in_line[current->number - 1])
            print("console %u| ", current->number);
        put_char(text[n]);
        in_line[current->number - 1] = text[n] != '\n';
    }
}

static u64 virtio_read(u64 offset, unsigned bytes)
{
    bool sends = consoles[current->number - 1].queue_select == SEND_QUEUE;
    if (bytes != 4)
        return 0;
    switch (offset) {
    case MAGIC: return 0x74726976;
    case VERSION: return 2;
    case DEVICE_ID: return 3;
    case DEVICE_FEATURES: return consoles[current->number - 1].features_select == 1 ? FEATURE_VERSION_1 : 0;
    case QUEUE_MAX: return sends ? QUEUE_ENTRIES : 0;
    case QUEUE_READY: return sends ? consoles[current->number - 1].queue.ready : 0;
    case IRQ_STATUS: return consoles[current->number - 1].irq;
    case STATUS: return consoles[current->number - 1].status;
    }
    return 0;
}

/* Half of an address. */
static void half(u64 *address, bool high, u64 value)
{
    *address = high ? (u32)*address | value << 32 : (*address & ~0xfffffffful) | value;
}

static void notified(unsigned n)
{
    if (!consoles[n].queue.ready || consoles[n].status & STATUS_NEEDS_RESET)
        return;
    if (!queue_work(&consoles[n].queue))
        consoles[n].status |= STATUS_NEEDS_RESET;
    consoles[n].irq |= 1;
    virq_raise(VIRTIO_IRQ);
}

static void queue_setup(struct queue *q, u64 offset, u64 value)
{
    switch (offset) {
    case QUEUE_SIZE: q->size = (u32)value; break;
    case QUEUE_READY: q->ready = value == 1 && q->size && q->size <= QUEUE_ENTRIES && !(q->size & (q->size - 1)); break;
    case QUEUE_DESC:
    case QUEUE_DESC + 4: half(&q->desc, offset & 4, value); break;
    case QUEUE_AVAIL:
    case QUEUE_AVAIL + 4: half(&q->avail, offset & 4, value); break;
    case QUEUE_USED:
    case QUEUE_USED + 4: half(&q->used, offset & 4, value); break;
    }
}

static void virtio_write(u64 offset, unsigned bytes, u64 value)
{
    unsigned n = current->number - 1;
    if (bytes != 4)
        return;
    switch (offset) {
    case FEATURES_SELECT: consoles[n].features_select = (u32)value; return;
    case QUEUE_SELECT: consoles[n].queue_select = (u32)value; return;
    case QUEUE_NOTIFY:
        if (value == SEND_QUEUE)
            notified(n);
        return;
    case IRQ_ACK: consoles[n].irq &= ~(u32)value; return;
    case STATUS:
        consoles[n].status = (u32)value;
        if (!value) {
            consoles[n].queue = (struct queue){ 0 };
            consoles[n].irq = 0;
        }
        return;
    }
    if (consoles[n].queue_select == SEND_QUEUE)
        queue_setup(&consoles[n].queue, offset, value);
}

const struct device virtio_console = { "virtio console", VIRTIO_BASE, 0x1000, virtio_read, virtio_write };
