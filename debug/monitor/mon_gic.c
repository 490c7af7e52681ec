/* Monitor commands about interrupts: the virtual interface with what feeds it (GIC 6 and 12.4), the timers (D11). */
#include "debug/monitor/monitor.h"

#include "debug/regs.h"
#include "gic/its.h"

static const char *const lr_states[] = { "inactive", "pending", "active", "pending and active" };

static void lr_print(struct text *out, unsigned n, u64 lr)
{
    text_add(out, "  LR%u 0x%016llx %s", n, HEX(lr), lr_states[bits(lr, 63, 62)]);
    if (bits(lr, 63, 62))
        text_add(out, ": INTID %llu, group %llu, priority 0x%02llx", HEX(bits(lr, 31, 0)), HEX(bit(lr, 60)),
                 HEX(bits(lr, 55, 48)));
    if (bits(lr, 63, 62) && bit(lr, 61))
        text_add(out, ", of physical %llu", HEX(bits(lr, 44, 32)));
    else if (bits(lr, 63, 62) && bit(lr, 41))
        text_add(out, ", EOI maintenance");
    text_add(out, "\n");
}

/* GICH_LR<n> of a GICv2, with the sender of an SGI. */
static void lr2_print(struct text *out, unsigned n, u32 lr)
{
    text_add(out, "  GICH_LR%u 0x%08x %s", n, lr, lr_states[bits(lr, 29, 28)]);
    if (bits(lr, 29, 28))
        text_add(out, ": INTID %llu, group %llu, priority 0x%02llx", HEX(bits(lr, 9, 0)), HEX(bit(lr, 30)),
                 HEX(bits(lr, 27, 23) << 3));
    if (bits(lr, 29, 28) && bit(lr, 31))
        text_add(out, ", of physical %llu", HEX(bits(lr, 19, 10)));
    else if (bits(lr, 29, 28))
        text_add(out, "%s%s", bits(lr, 9, 0) < GIC_SGIS ? ", an SGI" : "", bit(lr, 19) ? ", EOI maintenance" : "");
    if (bits(lr, 29, 28) && !bit(lr, 31) && bits(lr, 9, 0) < GIC_SGIS)
        text_add(out, " of CPU %llu", HEX(bits(lr, 12, 10)));
    text_add(out, "\n");
}

static void bank_print(struct text *out, const char *what, const struct gic_bank *b, unsigned first)
{
    u32 pending = b->latch | (b->level & ~b->edge);
    for (unsigned n = 0; n < GIC_BANK; n++)
        if (bit(pending | b->active, n))
            text_add(out, "  %s %u: %s%s%s, priority 0x%02x\n", what, first + n, bit(pending, n) ? "pending" : "",
                     bit(b->active, n) ? " active" : "", bit(b->enable, n) ? "" : " (disabled)", b->priority[n]);
}

/* A guest can have thousands of them pending. */
enum { LPIS_SHOWN = 64, ITS_LOOKED = 1 << 20, ITS_SHOWN = 1000 };

static void lpis_print(struct text *out, const char *what, const struct gic *gic, const struct gic_lpis *l)
{
    u32 intid = GIC_LPI_FIRST;
    u8 config;
    for (unsigned n = 0; gic_lpi_next(gic, l, &intid, &config); n++, intid++) {
        if (n == LPIS_SHOWN) {
            text_add(out, "  ... and more\n");
            return;
        }
        text_add(out, "  %s %u: pending%s, priority 0x%02x\n", what, intid, bit(config, 0) ? "" : " (disabled)",
                 config & 0xfcu);
    }
}

void cmd_vgic(struct monitor_line *l)
{
    const struct gic *gic = &l->d->m->gic;
    for (u32 c = 0; c < gic->cpu_count && c < MAX_CPUS; c++) {
        const struct gic_cpu *g = &gic->cpu[c];
        const struct cpu *cpu = &l->d->m->d.cpu[c];
        u64 table;
        text_add(l->out, "cpu%u ICH_HCR_EL2 0x%llx [", c, HEX(cpu->sys.ich_hcr_el2));
        regs_fields("ICH_HCR_EL2", cpu->sys.ich_hcr_el2, l->out);
        text_add(l->out, "], ICH_VMCR_EL2 0x%x, ICH_AP0R0 0x%x, ICH_AP1R0 0x%x; lines%s%s%s%s\n", g->ich_vmcr,
                 g->ich_apr[0], g->ich_apr[1], cpu->lines & LINE_IRQ ? " IRQ" : "", cpu->lines & LINE_FIQ ? " FIQ" : "",
                 cpu->lines & LINE_VIRQ ? " vIRQ" : "", cpu->lines & LINE_VFIQ ? " vFIQ" : "");
        for (unsigned n = 0; n < GIC_LRS; n++)
            if (gic->v2.on)
                lr2_print(l->out, n, gic2_list(gic, c, n));
            else
                lr_print(l->out, n, g->ich_lr[n]);
        text_add(l->out, "  physical: PMR 0x%02x, enabled groups %u%u%u, active priorities 0x%x 0x%x 0x%x\n", g->pmr,
                 g->igrpen[0], g->igrpen[1], g->igrpen[2], g->apr[0], g->apr[1], g->apr[2]);
        bank_print(l->out, "SGI/PPI", &gic->ppi[c], 0);
        for (unsigned n = 0; n < GIC_EPPI_BANKS; n++)
            bank_print(l->out, "PPI", &gic->redist[c].eppi[n], GIC_EPPI_FIRST + n * GIC_BANK);
        lpis_print(l->out, "LPI", gic, &gic->redist[c].lpi);
        if (gic_vpe_resident(gic, c, &table))
            text_add(l->out, "  resident vPE: pending table 0x%llx, GICR_VPROPBASER 0x%llx\n", HEX(table),
                     HEX(gic->vlpi[c].propbaser));
        lpis_print(l->out, "virtual LPI", gic, &gic->vlpi[c]);
    }
    for (unsigned n = 0; n < GIC_ALL_BANKS; n++)
        bank_print(l->out, "SPI", &gic->spi[n], gic_bank_first(n));
}

/* Events of a device that are mapped. `left`: how many lines, and how many entries may be looked at. */
static void device_print(struct text *out, struct gic *gic, struct its *its, u32 device, u32 *lines, u32 *looks)
{
    u64 itt;
    u32 events = its_events(its, gic, device, &itt);
    struct its_event e;
    if (!events || !*lines)
        return;
    text_add(out, "device 0x%x: %u events, table at 0x%llx\n", device, events, HEX(itt));
    for (u32 event = 0; event < events && *lines && *looks; event++, --*looks) {
        if (!its_event(its, gic, device, event, &e))
            continue;
        text_add(out, "  event %u: %sLPI %u", event, e.is_virtual ? "virtual " : "", e.intid);
        if (e.is_virtual && e.doorbell != INTID_SPURIOUS)
            text_add(out, ", doorbell %u", e.doorbell);
        text_add(out, ", %s %u, ", e.is_virtual ? "vPE" : "collection", e.target);
        text_add(out, e.cpu < gic->cpu_count ? "cpu%u\n" : "which is not mapped\n", e.cpu);
        --*lines;
    }
    if (!*lines || !*looks)
        text_add(out, "  ... and more\n");
}

static void vpe_print(struct text *out, struct gic *gic, struct its *its, u32 number, u32 *lines)
{
    struct gic_vpe v;
    u64 table;
    if (!*lines || !its_vpe(its, gic, number, &v))
        return;
    bool here = gic_vpe_resident(gic, v.cpu, &table) && table == v.table;
    text_add(out, "vPE %u: pending table 0x%llx of %u vINTIDs, cpu%u%s\n", number, HEX(v.table), v.intids, v.cpu,
             here ? ", resident" : "");
    if (!--*lines)
        text_add(out, "  ... and more\n");
}

void cmd_its(struct monitor_line *l)
{
    struct machine *m = l->d->m;
    u64 only;
    u32 lines = ITS_SHOWN, looks = ITS_LOOKED;
    if (!row_there(m, row_get(ROW_its))) {
        text_add(l->out, "this machine has no ITS\n");
        return;
    }
    if (l->count > 1 || (l->count == 1 && (!debugger_number(l->word[0], &only) || only >= ITS_DEVICES))) {
        text_add(l->out, "usage: its [DEVICE]\n");
        return;
    }
    struct its *its = place_state(m, (struct place){ ROW_its, 0 });
    text_add(l->out, "GITS_CTLR 0x%x, command queue at 0x%llx, read to 0x%llx, written to 0x%llx%s\n", its->ctlr,
             HEX(its->cbaser & ones(40) << 12), HEX(its->creadr & ~(u64)1), HEX(its->cwriter),
             its->creadr & 1 ? ", stalled" : "");
    u32 first = l->count ? (u32)only : 0, end = l->count ? first + 1 : ITS_DEVICES;
    for (u32 device = first; device < end && looks; device++)
        device_print(l->out, &m->gic, its, device, &lines, &looks);
    for (u32 vpe = 0; !l->count && m->gic.parts & GIC_VLPIS && vpe < ITS_VPES; vpe++)
        vpe_print(l->out, &m->gic, its, vpe, &lines);
}

static void timer_print(const struct timer_view *v, struct text *out)
{
    bool past = v->count >= v->cval;
    text_add(out, "  %-14s %s%s, compare 0x%llx, %s by %llu ticks, PPI %u", v->name, bit(v->ctl, 0) ? "enabled" : "off",
             bit(v->ctl, 1) ? ", masked" : "", HEX(v->cval), past ? "past" : "to come",
             HEX(past ? v->count - v->cval : v->cval - v->count), v->ppi);
    text_add(out, "%s%s\n", v->offset ? ", of the count less " : "", v->offset ? v->offset : "");
}

void cmd_timers(struct monitor_line *l)
{
    const struct cpu *cpu = monitor_cpu(l);
    u64 now = l->d->m->now;
    struct timer_view v;
    text_add(l->out, "cpu%u: count %llu", l->d->cpu, HEX(now / TIMER_TICK_NS));
    if (cpu_has(cpu, FEAT_EL2))
        text_add(l->out, ", CNTVOFF_EL2 0x%llx", HEX(cpu->sys.cntvoff_el2));
    if (cpu_has(cpu, FEAT_CNTPOFF))
        text_add(l->out, ", CNTPOFF_EL2 0x%llx", HEX(cpu->sys.cntpoff_el2));
    text_add(l->out, "\n");
    for (unsigned n = 0; timer_view(cpu, n, now, &v); n++)
        if (v.there)
            timer_print(&v, l->out);
}
