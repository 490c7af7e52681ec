/*
 * Gates of interrupts (gates.h): facts of the GIC (gic/cpuif.h: cpuif_look, virtif_look) and of the PE
 * (exception_target), one after the other, with the names of the registers that they are read from.
 */
#include "debug/gates.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "gic/cpuif.h"
#include "gic/pe.h"
#include "timer/timer.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- words ---- */

const char *gates_part_words(unsigned part)
{
    static const char *const words[PARTS] = {
        "source", "distributor", "redistributor", "CPU interface", "list register", "virtual CPU interface", "PE"
    };
    return words[part < PARTS ? part : 0];
}

void gates_source(const struct machine *m, u32 cpu, u32 intid, char text[48])
{
    struct timer_view t;
    snprintf(text, 48, "%s", intid < GIC_SGIS ? "SGI" : intid >= GIC_LPI_FIRST ? "message" : "");
    for (unsigned n = 0; timer_view(&m->d.cpu[cpu], n, m->now, &t); n++)
        if (t.there && t.ppi == intid)
            snprintf(text, 48, "timer %.*s", (int)strcspn(t.name, "_"), t.name);
    if (intid == GIC_PPI_MAINTENANCE)
        snprintf(text, 48, "maintenance");
    if (intid == GIC_PPI_PMU)
        snprintf(text, 48, "PMU");
    for (unsigned row = 0; row < ROW_FUNCTIONS; row++) {
        const struct row *r = row_get(row);
        unsigned wires = r->kind ? r->kind->wires : 0, first = wires ? place_intid((struct place){ row, 0 }) : 0;
        if (!r->spi || !wires || !row_there(m, r) || intid < first || (intid - first) / wires >= row_count(m, row))
            continue;
        if (r->count > 1)
            snprintf(text, 48, "%s%u", r->name, (intid - first) / wires);
        else
            snprintf(text, 48, "%s", r->name);
    }
}

static struct gate *gate_add(struct gates *g, enum gates_part part, const char *name, bool open)
{
    struct gate *gate = &g->gate[g->count < GATES ? g->count++ : GATES - 1];
    *gate = (struct gate){ .name = name, .part = (u8)part, .open = open };
    if (!open && g->held < 0)
        g->held = (int)g->count - 1;
    return gate;
}

#define SHOWN(gate, ...) snprintf((gate)->shown, sizeof((gate)->shown), __VA_ARGS__)
#define WORDS(gate, ...) snprintf((gate)->words, sizeof((gate)->words), __VA_ARGS__)

/* ---- physical ---- */

static const char *group_words(unsigned group)
{
    static const char *const words[GIC_GROUPS] = { "0", "1S", "1NS" };
    return words[group < GIC_GROUPS ? group : 0];
}

static void distributor_gates(const struct cpuif_look *k, struct gates *g)
{
    struct gate *e = gate_add(g, PART_SOURCE, "pending", k->pending);
    SHOWN(e, "%s", !k->pending ? "no" : k->lpi ? "table" : k->edge ? "latched" : k->level ? "wire high" : "latched");
    WORDS(e, "%s", k->pending ? "it is pending" : "nobody raises it");
    e = gate_add(g, PART_DISTRIBUTOR, "inactive", !k->active);
    SHOWN(e, "%s", k->active ? "active" : "yes");
    WORDS(e, k->active ? "it is active, not ended yet" : "it is not active");
    e = gate_add(g, PART_DISTRIBUTOR, "enabled", k->enabled);
    SHOWN(e, "%s", k->enabled ? "yes" : "no");
    WORDS(e, "%s",
          k->enabled ? "it is enabled"
          : k->lpi   ? "its byte of the configuration table has bit 0 clear"
                     : "its bit of ISENABLER is 0");
    e = gate_add(g, PART_DISTRIBUTOR, "group on", k->dist_group);
    SHOWN(e, "group %s", group_words(k->group));
    WORDS(e, "GICD_CTLR %s group %s", k->dist_group ? "enables" : "does not enable", group_words(k->group));
}

static void route_gates(const struct cpuif_look *k, u32 cpu, struct gates *g)
{
    struct gate *e = gate_add(g, PART_REDISTRIBUTOR, "routed", k->target == cpu);
    if (k->target < MAX_CPUS)
        SHOWN(e, "cpu%u", k->target);
    else
        SHOWN(e, "nowhere");
    WORDS(e, "%s",
          k->target == cpu       ? "it comes to this PE"
          : k->target < MAX_CPUS ? "it goes to another PE (IROUTER, ITARGETSR)"
                                 : "it goes to no PE that is there");
    e = gate_add(g, PART_REDISTRIBUTOR, "awake", k->awake);
    SHOWN(e, "%s", k->awake ? "yes" : "asleep");
    WORDS(e, "GICR_WAKER says that the redistributor %s", k->awake ? "is awake" : "sleeps");
}

static void interface_gates(const struct cpuif_look *k, struct gates *g)
{
    struct gate *e = gate_add(g, PART_CPU, "group on", k->cpu_group);
    SHOWN(e, "%s", k->cpu_group ? "yes" : "no");
    WORDS(e, "the CPU interface has group %s %s (ICC_IGRPEN, GICC_CTLR)", group_words(k->group),
          k->cpu_group ? "enabled" : "disabled");
    e = gate_add(g, PART_CPU, "PMR", k->unmasked);
    SHOWN(e, "%02x %s %02x", k->priority, k->unmasked ? "<" : ">=", k->mask);
    WORDS(e, "priority 0x%02x is %s the mask 0x%02x", k->priority, k->unmasked ? "above" : "not above", k->mask);
    e = gate_add(g, PART_CPU, "running", k->preempts);
    if (k->running == GIC_PRIO_IDLE)
        SHOWN(e, "idle");
    else
        SHOWN(e, "%02x, %02x on", k->priority, k->running);
    WORDS(e, k->running == GIC_PRIO_IDLE ? "nothing is active" : "active is what has priority 0x%02x", k->running);
    bool first = !k->pending || k->best == k->intid || k->best == INTID_SPURIOUS;
    e = gate_add(g, PART_CPU, "first", first);
    SHOWN(e, "%s", first ? "yes" : "");
    if (!first)
        SHOWN(e, "%u first", k->best);
    WORDS(e, first ? "no other goes before it" : "%u goes before it", k->best);
}

static void pe_gates(const struct cpu *cpu, unsigned kind, struct gates *g)
{
    bool waits;
    unsigned target = exception_target(cpu, kind, &waits);
    const char *name = kind == EXC_FIQ ? "F" : "I";
    bool masks = kind == EXC_FIQ ? cpu->ps.f : cpu->ps.i;
    struct gate *e = gate_add(g, PART_PE, "EL", target >= cpu->ps.el);
    SHOWN(e, "EL%u to %u", cpu->ps.el, target);
    WORDS(e, "%s goes to EL%u, the PE is at EL%u", exc_kind_words(kind, false), target, cpu->ps.el);
    e = gate_add(g, PART_PE, "PSTATE", target < cpu->ps.el || !waits);
    SHOWN(e, "%s=%u", name, masks);
    WORDS(e, "PSTATE.%s is %u%s", name, masks, masks && !waits ? ", which masks nothing that goes to a higher EL" : "");
}

bool gates_physical(const struct debugger *d, u32 cpu, u32 intid, struct gates *g)
{
    const struct cpu *pe = &d->m->d.cpu[cpu];
    struct cpuif_look k;
    *g = (struct gates){ .intid = intid, .held = -1 };
    if (!cpuif_look(&d->m->gic, cpu, gic_view_of(pe), intid, &k))
        return false;
    g->pending = k.pending, g->active = k.active, g->priority = k.priority;
    gates_source(d->m, cpu, intid, g->source);
    distributor_gates(&k, g);
    route_gates(&k, cpu, g);
    interface_gates(&k, g);
    pe_gates(pe, k.group == GROUP_0 && !d->m->gic.v2.on ? EXC_FIQ : EXC_IRQ, g);
    return true;
}

/* ---- virtual ---- */

static void virtual_gates(const struct cpu *pe, const struct virtif_look *k, struct gates *g)
{
    bool on = bit(pe->sys.ich_hcr_el2, ICH_HCR_En);
    struct gate *e = gate_add(g, PART_LIST, "pending", k->pending);
    SHOWN(e, "%s", k->pending ? "yes" : "no");
    WORDS(e, "%s", k->pending ? "the list register says pending" : "the list register says active: the guest has it");
    e = gate_add(g, PART_LIST, "inactive", !k->active);
    SHOWN(e, "%s", k->active ? "active" : "yes");
    WORDS(e, "%s", k->active ? "the guest has not ended it" : "it is not active");
    e = gate_add(g, PART_VIRTUAL, "interface", on);
    SHOWN(e, "En=%u", on);
    WORDS(e, "ICH_HCR_EL2.En is %u", on);
    e = gate_add(g, PART_VIRTUAL, "group on", k->enabled);
    SHOWN(e, "group %u", k->group);
    WORDS(e, "the guest has virtual group %u %s (ICH_VMCR_EL2.VENG%u)", k->group, k->enabled ? "enabled" : "disabled",
          k->group);
    e = gate_add(g, PART_VIRTUAL, "VPMR", k->unmasked);
    SHOWN(e, "%02x %s %02x", k->priority, k->unmasked ? "<" : ">=", k->mask);
    WORDS(e, "priority 0x%02x is %s the guest's mask 0x%02x", k->priority, k->unmasked ? "above" : "not above",
          k->mask);
    e = gate_add(g, PART_VIRTUAL, "running", k->preempts);
    if (k->running == GIC_PRIO_IDLE)
        SHOWN(e, "idle");
    else
        SHOWN(e, "%02x, %02x on", k->priority, k->running);
    WORDS(e, k->running == GIC_PRIO_IDLE ? "the guest handles nothing" : "the guest handles what has priority 0x%02x",
          k->running);
    e = gate_add(g, PART_VIRTUAL, "first", k->first || !k->pending || !k->enabled);
    SHOWN(e, "%s", e->open ? "yes" : "no");
    WORDS(e, "%s", e->open ? "no other goes before it" : "another list register goes before it");
}

static void guest_gates(const struct cpu *pe, const struct virtif_look *k, struct gates *g)
{
    unsigned kind = k->group ? EXC_IRQ : EXC_FIQ;
    u64 hcr = pe->sys.hcr_el2;
    bool routed = bit(hcr, k->group ? HCR_IMO : HCR_FMO) && !bit(hcr, HCR_TGE),
         waits = exception_virtual_waits(pe, kind);
    struct gate *e = gate_add(g, PART_PE, k->group ? "IMO" : "FMO", routed);
    SHOWN(e, "%u TGE %u", (unsigned)bit(hcr, k->group ? HCR_IMO : HCR_FMO), (unsigned)bit(hcr, HCR_TGE));
    WORDS(e, "HCR_EL2.%s %s virtual interrupts (TGE is %u)", k->group ? "IMO" : "FMO",
          routed ? "lets EL1 have" : "lets nobody have", (unsigned)bit(hcr, HCR_TGE));
    e = gate_add(g, PART_PE, "EL", pe->ps.el < 2);
    SHOWN(e, "EL%u", pe->ps.el);
    WORDS(e, "the PE is %s", pe->ps.el < 2 ? "in the guest" : "at EL2: it is taken when a guest runs");
    e = gate_add(g, PART_PE, "PSTATE", pe->ps.el > 1 || !waits);
    SHOWN(e, "%s=%u", k->group ? "I" : "F", k->group ? pe->ps.i : pe->ps.f);
    WORDS(e, "PSTATE.%s is %u", k->group ? "I" : "F", k->group ? pe->ps.i : pe->ps.f);
}

bool gates_virtual(const struct debugger *d, u32 cpu, u32 lr, struct gates *g)
{
    struct virtif_look k;
    *g = (struct gates){ .is_virtual = true, .lr = lr, .held = -1 };
    if (!virtif_look(&d->m->gic, cpu, lr, &k))
        return false;
    g->intid = k.intid, g->priority = k.priority, g->pending = k.pending, g->active = k.active;
    if (k.hardware)
        snprintf(g->source, sizeof(g->source), "of physical %u", k.physical);
    else
        snprintf(g->source, sizeof(g->source), "%s", lr == GIC_LRS ? "virtual LPI" : "of software");
    virtual_gates(&d->m->d.cpu[cpu], &k, g);
    guest_gates(&d->m->d.cpu[cpu], &k, g);
    return true;
}

/* ---- which ---- */

/* Those of a set of INTIDs that are (or are not) on their way, which go to this PE. */
static unsigned list_some(const struct debugger *d, u32 cpu, bool busy, u32 intid[GATES_LISTED], unsigned count)
{
    const struct gic *gic = &d->m->gic;
    for (u32 n = 0; n < GIC_INTIDS && count < GATES_LISTED; n++) {
        struct cpuif_look k;
        if (!cpuif_look(gic, cpu, gic_view_of(&d->m->d.cpu[cpu]), n, &k) || (k.pending || k.active) != busy)
            continue;
        if (busy || (k.enabled && k.target == cpu && n >= GIC_SGIS))
            intid[count++] = n;
    }
    return count;
}

unsigned gates_listed(const struct debugger *d, u32 cpu, u32 intid[GATES_LISTED])
{
    unsigned count = list_some(d, cpu, true, intid, 0);
    u32 lpi = GIC_LPI_FIRST;
    u8 config;
    while (count < GATES_LISTED && gic_lpi_next(&d->m->gic, &d->m->gic.redist[cpu].lpi, &lpi, &config))
        intid[count++] = lpi++;
    return list_some(d, cpu, false, intid, count);
}
