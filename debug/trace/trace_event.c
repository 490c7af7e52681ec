/*
 * -d trace:PATTERN: accesses to devices, levels of their interrupt outputs, and DMA, as they happen, one line each. An
 * event has the name of the device's kind (board/virt.def) and what happened to it. The patterns are a shell's.
 */
#include "debug/trace/trace_internal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

enum what { EVENT_READ, EVENT_WRITE, EVENT_LINE, EVENTS };
static const char *const endings[EVENTS] = { "read", "write", "setting_irq" };
enum { DMA_ROW = ROW_COUNT }; /* bus masters: the row after those of the board */

struct events {
    struct out *out;
    u8 wanted[DMA_ROW + 1]; /* a bit for each enum what */
};

/* NULL: there is no such event. */
static const char *event_name(unsigned row, enum what what, char name[64])
{
    const struct kind *kind = row < DMA_ROW ? row_get(row)->kind : NULL;
    bool there = row == DMA_ROW ? what != EVENT_LINE
                                : kind && (what == EVENT_READ    ? kind->read != NULL
                                           : what == EVENT_WRITE ? kind->write != NULL
                                                                 : kind->wires != 0);
    snprintf(name, 64, "%s_%s", row == DMA_ROW ? "dma" : there ? kind->name : "", endings[what]);
    return there ? name : NULL;
}

static bool fits(const char *pattern, unsigned row, enum what what)
{
    char name[64];
    return event_name(row, what, name) && !fnmatch(pattern, name, 0);
}

bool trace_event_any(const char *pattern)
{
    bool any = false;
    for (unsigned n = 0; n <= DMA_ROW; n++)
        for (enum what what = 0; what < EVENTS; what++)
            any |= fits(pattern, n, what);
    return any;
}

void trace_event_list(void)
{
    char name[64], before[64];
    for (unsigned n = 0; n <= DMA_ROW; n++)
        for (enum what what = 0; what < EVENTS; what++) {
            bool said = !event_name(n, what, name); /* several rows may be of a kind */
            for (unsigned k = 0; k < n && !said; k++)
                said = event_name(k, what, before) && !strcmp(before, name);
            if (!said)
                puts(name);
        }
}

static void event_line(const struct events *e, unsigned row, enum what what, unsigned n, const char *rest)
{
    char name[64];
    event_name(row, what, name);
    if (row == DMA_ROW)
        out_format(e->out, "%s %s\n", name, rest);
    else if (row_get(row)->count > 1)
        out_format(e->out, "%s %s.%u %s\n", name, row_get(row)->name, n, rest);
    else
        out_format(e->out, "%s %s %s\n", name, row_get(row)->name, rest);
    if (!e->out->name[0])
        out_flush(e->out);
}

static void device(struct tracer *r, struct cpu *cpu, unsigned row, unsigned n, u64 offset, unsigned size, bool write,
                   u64 value)
{
    const struct events *e = r->events;
    enum what what = write ? EVENT_WRITE : EVENT_READ;
    char rest[128];
    if (!bit(e->wanted[row], what))
        return;
    snprintf(rest, sizeof(rest), "addr 0x%llx value 0x%llx size %u cpu%u pc 0x%llx", (unsigned long long)offset,
             (unsigned long long)value, size, cpu->index, (unsigned long long)cpu->pc);
    event_line(e, row, what, n, rest);
}

static void line(struct tracer *r, unsigned row, unsigned n, unsigned wire, bool high)
{
    const struct events *e = r->events;
    char rest[128];
    if (!bit(e->wanted[row], EVENT_LINE))
        return;
    snprintf(rest, sizeof(rest), "wire %u level %d", wire, high);
    event_line(e, row, EVENT_LINE, n, rest);
}

static void dma_seen(struct tracer *r, const struct dma_note *note)
{
    const struct events *e = r->events;
    enum what what = note->write ? EVENT_WRITE : EVENT_READ;
    char rest[128];
    if (!bit(e->wanted[DMA_ROW], what))
        return;
    snprintf(rest, sizeof(rest), "addr 0x%llx size %llu", (unsigned long long)note->address,
             (unsigned long long)note->size);
    event_line(e, DMA_ROW, what, 0, rest);
}

bool events_open(struct tracer *r, const struct trace_config *config, struct out *out)
{
    struct events *e = r->events = calloc(1, sizeof(*e));
    u32 all = 0;
    if (!e)
        return false;
    e->out = out;
    for (unsigned n = 0; n <= DMA_ROW; n++)
        for (enum what what = 0; what < EVENTS; what++)
            for (u32 k = 0; k < config->event; k++)
                e->wanted[n] |= (u8)(fits(config->pattern[k], n, what) << what);
    for (unsigned n = 0; n < DMA_ROW; n++)
        all |= e->wanted[n];
    r->device = all & 3 ? device : NULL;
    r->line = all & 4 ? line : NULL;
    r->dma = e->wanted[DMA_ROW] ? dma_seen : NULL;
    return true;
}
