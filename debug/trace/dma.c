/*
 * -trace dma=FILE: one line for each access of a bus master, of each piece of it that translates as one. Columns,
 * separated by tabs:
 *
 *     ns        time of the machine
 *     stream    bus:device.function of a PCI function, with "/PASID" when it has one; "-": behind no SMMU
 *     access    R or W
 *     address   as the master gave it; bytes
 *     stage1    what stage 1 made of it: ipa 0x..., or "-" when it does not translate (or did not come to an end)
 *     stage2    likewise: pa 0x...
 *     verdict   done, no answer (behind the SMMU), aborted, ignored (reads as zeros, writes go nowhere), stalled
 *     cause     of one that did not pass: the event, and which rule; or "-"
 */
#include "debug/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void where(const struct dma_note *n, char text[64])
{
    const struct requester *by = n->by;
    if (by->untranslated) {
        snprintf(text, 64, "-");
        return;
    }
    int used = snprintf(text, 64, "%02x:%02x.%x", by->stream >> 8, by->stream >> 3 & 31, by->stream & 7);
    if (by->has_substream)
        snprintf(text + used, 64 - (size_t)used, "/0x%x", by->substream);
}

static void note(struct tracer *r, const struct dma_note *n)
{
    static const char *const verdicts[] = { "done", "aborted", "ignored", "stalled" };
    const struct dma_output *o = &n->out;
    bool passed = n->verdict == DMA_PASS;
    char by[64], ipa[32] = "-", pa[32] = "-";
    where(n, by);
    if (o->stages == 3 && (passed || o->ipa))
        snprintf(ipa, sizeof(ipa), "ipa 0x%llx", (unsigned long long)o->ipa);
    if (o->stages && passed)
        snprintf(o->stages & 2 ? pa : ipa, sizeof(pa), "pa 0x%llx", (unsigned long long)o->pa);
    out_format(r->data, "%llu\t%s\t%c\t0x%llx\t%llu\t%s\t%s\t%s\t%s%s%s\n", (unsigned long long)r->t->m->now, by,
               n->write ? 'W' : 'R', (unsigned long long)n->address, (unsigned long long)n->size, ipa, pa,
               passed && !n->answered ? "no answer" : verdicts[n->verdict], o->event ? o->event : "",
               o->event && o->cause ? ": " : "",
               o->cause   ? o->cause
               : o->event ? ""
                          : "-");
}

static void flush(struct tracer *r) { out_flush(r->data); }
static bool finish(struct tracer *r, char error[256]) { return out_close(r->data, true, error); }

bool dma_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct out *out = out_open(config->dma, false, error);
    if (!out)
        return false;
    out_format(out, "# ns\tstream\taccess\taddress\tbytes\tstage1\tstage2\tverdict\tcause\n");
    r->data = out;
    r->dma = note;
    r->flush = flush;
    r->close = finish;
    return true;
}
