/*
 * The SMMU's queues (IHI 0070 3.5, 4, 7): commands, events, global errors, and the interrupts that tell of them.
 *
 * Commands are executed within the write that makes them known, at most as many as a queue can have positions. Wired
 * outputs and MSIs are both used: an MSI where an address is given, the wire always.
 */
#include "board/dev/smmu.h"

/* ---- what queues share ---- */

/* A queue of 1 << log2 entries: indices have one bit more, which wraps (3.5.1). */
struct queue {
    u64 base;
    u64 entry, index; /* masks: of the entry that an index means, of all of an index */
    u32 size;         /* of an entry, bytes */
};

static struct queue queue_of(const struct machine *m, u64 reg, u32 entry_log2)
{
    u32 log2 = (u32)bits(reg, 4, 0);
    log2 = log2 < SMMU_QUEUE ? log2 : SMMU_QUEUE;
    u64 entry = BIT(log2) - 1, bytes = BIT(log2 + entry_log2);
    return (struct queue){ .base = reg & ones((unsigned)smmu_oas(m)) & ~((bytes > BIT(5) ? bytes : BIT(5)) - 1),
                           .entry = entry,
                           .index = entry << 1 | 1,
                           .size = 1u << entry_log2 };
}

static u64 entry_at(const struct queue *q, u64 index) { return q->base + (index & q->entry) * q->size; }
static u64 next(const struct queue *q, u64 index) { return (index & ~q->index) | ((index + 1) & q->index); }
static bool empty(const struct queue *q, u64 prod, u64 cons) { return !((prod ^ cons) & q->index); }
static bool full(const struct queue *q, u64 prod, u64 cons) { return ((prod ^ cons) & q->index) == q->entry + 1; }

static const struct requester itself = { .stream = SMMU_DEVICE_ID, .privileged = true };

/* ---- interrupts ---- */

/* False: nothing answers at the MSI's address. */
static bool msi(struct machine *m, u64 address, u64 data)
{
    u8 bytes[4];
    store_le32(bytes, (u32)data);
    return !address || bus_dma_physical(m, &itself, address & ones((unsigned)smmu_oas(m)), bytes, 4, true);
}

void smmu_gerror(struct machine *m, struct smmu *s, struct place at, unsigned error)
{
    if (bit(s->gerror ^ s->gerrorn, error))
        return;
    s->gerror ^= BIT(error);
    if (!bit(s->irq_ctrl, IRQ_GERROR) || error == GERROR_MSI_GERROR_ABT)
        return;
    bus_pulse(m, at, WIRE_GERROR);
    if (!msi(m, s->gerror_irq_cfg0, s->gerror_irq_cfg1))
        smmu_gerror(m, s, at, GERROR_MSI_GERROR_ABT);
}

/* ---- events ---- */

static struct queue event_queue(const struct machine *m, const struct smmu *s)
{
    return queue_of(m, s->eventq_base, 5);
}

static bool event_usable(const struct smmu *s)
{
    return bit(s->cr0, CR0_EVENTQEN) && !bit(s->gerror ^ s->gerrorn, GERROR_EVENTQ_ABT);
}

bool smmu_event_writable(const struct machine *m, const struct smmu *s)
{
    struct queue q = event_queue(m, s);
    return event_usable(s) && !full(&q, s->eventq_prod, s->eventq_cons);
}

void smmu_event(struct machine *m, struct smmu *s, struct place at, const u64 event[4])
{
    struct queue q = event_queue(m, s);
    bool was_empty = empty(&q, s->eventq_prod, s->eventq_cons);
    u8 bytes[32];
    if (!event_usable(s))
        return;
    if (full(&q, s->eventq_prod, s->eventq_cons)) { /* 7.4 */
        if (!bit(s->eventq_prod ^ s->eventq_cons, 31))
            s->eventq_prod ^= BIT(31);
        return;
    }
    for (unsigned n = 0; n < 4; n++)
        store_le64(bytes + 8 * n, event[n]);
    if (!bus_dma_physical(m, &itself, entry_at(&q, s->eventq_prod), bytes, sizeof(bytes), true)) {
        smmu_gerror(m, s, at, GERROR_EVENTQ_ABT);
        return;
    }
    s->eventq_prod = next(&q, s->eventq_prod);
    if (!was_empty || !bit(s->irq_ctrl, IRQ_EVENTQ))
        return;
    bus_pulse(m, at, WIRE_EVENTQ);
    if (!msi(m, s->eventq_irq_cfg0, s->eventq_irq_cfg1))
        smmu_gerror(m, s, at, GERROR_MSI_EVENTQ_ABT);
}

/* ---- commands ---- */

enum { CERROR_NONE, CERROR_ILL, CERROR_ABT };
enum smmu_need { NEED_S1 = 1, NEED_S2 = 2, NEED_HYP = 4, NEED_SID = 8, /* its SSec is 0 */ NEED_RANGE = 16 };

typedef unsigned command(struct machine *m, struct smmu *s, struct place at, const u64 c[2]);

/* Of what is cached, that is nothing. */
static unsigned nothing(struct machine *m, struct smmu *s, struct place at, const u64 c[2])
{
    (void)m, (void)s, (void)at, (void)c;
    return CERROR_NONE;
}

/* <12> Action: retry <13> Abort; StreamID and STAG must name a transaction that waits, else nothing happens (4.7.1). */
static unsigned resume(struct machine *m, struct smmu *s, struct place at, const u64 c[2])
{
    u32 tag = (u32)bits(c[1], 15, 0);
    (void)m, (void)at;
    if (tag < SMMU_STALLS && s->stall[tag].state == STALL_WAITS && s->stall[tag].stream == c[0] >> 32)
        s->stall[tag].state = bit(c[0], 12) ? STALL_RETRY : bit(c[0], 13) ? STALL_ABORT : STALL_IGNORE;
    return CERROR_NONE;
}

static unsigned stall_term(struct machine *m, struct smmu *s, struct place at, const u64 c[2])
{
    (void)m, (void)at;
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (s->stall[n].state != STALL_FREE && s->stall[n].stream == c[0] >> 32)
            s->stall[n].state = STALL_ABORT;
    return CERROR_NONE;
}

/* <13:12> CS <63:32> MSIData, and MSIAddress <51:2> of the second word. Its consumption shows before its interrupt. */
static unsigned sync(struct machine *m, struct smmu *s, struct place at, const u64 c[2])
{
    switch (bits(c[0], 13, 12)) {
    case 1:
        bus_pulse(m, at, WIRE_CMD_SYNC);
        if (!msi(m, c[1] & (ones(52) & ~ones(2)), c[0] >> 32))
            smmu_gerror(m, s, at, GERROR_MSI_CMDQ_ABT);
        break;
    case 2: machine_event(m); break;
    case 3: return CERROR_ILL;
    default: break;
    }
    return CERROR_NONE;
}

/* TG says that it is a range, or a level, and then neither may be missing (4.4.1.1). */
static bool range_illegal(const u64 c[2])
{
    return bits(c[1], 11, 10) && !bits(c[0], 16, 12) && !bits(c[0], 24, 20) && !bits(c[1], 9, 8);
}

static bool lacks(const struct machine *m, u32 needs, const u64 c[2])
{
    return (needs & NEED_S1 && !smmu_stage1(m)) || (needs & NEED_S2 && !smmu_stage2(m)) ||
           (needs & NEED_HYP && !smmu_hyp(m)) || (needs & NEED_SID && bit(c[0], 10)) ||
           (needs & NEED_RANGE && range_illegal(c));
}

static inline unsigned execute(struct machine *m, struct smmu *s, struct place at, const u64 c[2])
{
    static const struct {
        command *run;
        u32 needs;
    } commands[BIT(8)] = {
#define SMMU_COMMAND(opcode, name, needs, run) [opcode] = { run, needs },
#include "board/dev/smmu.def"
    };
    unsigned opcode = (unsigned)bits(c[0], 7, 0);
    u32 needs = commands[opcode].needs;
    return !commands[opcode].run || (needs && lacks(m, needs, c)) ? CERROR_ILL : commands[opcode].run(m, s, at, c);
}

/* host: where all of the queue lies; NULL: elsewhere than in memory that is written. */
static inline bool read_command(struct machine *m, const u8 *host, const struct queue *q, u64 index, u64 c[2])
{
    if (unlikely(!host))
        return bus_ram(m, false, entry_at(q, index), c, 16, false);
    host += (index & q->entry) * 16;
    c[0] = load_le64(host);
    c[1] = load_le64(host + 8);
    return true;
}

/* The command at CONS; false: it stays there. CONS.RD is <19:0>, CONS.ERR <30:24>. */
static inline bool consume(struct machine *m, struct smmu *s, struct place at, const struct queue *q, const u8 *host)
{
    unsigned error = CERROR_ABT;
    u64 cons = s->cmdq_cons, c[2];
    if (read_command(m, host, q, cons, c)) {
        s->cmdq_cons = (cons & ~ones(20)) | next(q, cons & ones(20));
        error = execute(m, s, at, c);
    }
    if (likely(!error))
        return true;
    s->cmdq_cons = bits_set(cons, 30, 24, error);
    smmu_gerror(m, s, at, GERROR_CMDQ);
    return false;
}

void smmu_commands(struct machine *m, struct smmu *s, struct place at)
{
    struct queue q = queue_of(m, s->cmdq_base, 4);
    const u8 *host = bus_ram_host(m, q.base, (q.entry + 1) * q.size);
    for (u64 n = 0; n <= q.index; n++)
        if (!bit(s->cr0, CR0_CMDQEN) || bit(s->gerror ^ s->gerrorn, GERROR_CMDQ) ||
            empty(&q, s->cmdq_prod, s->cmdq_cons) || !consume(m, s, at, &q, host))
            break;
    smmu_resume(m, s);
}
