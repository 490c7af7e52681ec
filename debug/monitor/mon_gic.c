/* Monitor commands about interrupts: the virtual interface with what feeds it (GIC 6 and 12.4), the timers (D11). */
#include "debug/monitor/monitor.h"

#include "debug/regs.h"

static void lr_print(struct text *out, unsigned n, u64 lr)
{
    static const char *const states[] = { "inactive", "pending", "active", "pending and active" };
    text_add(out, "  LR%u 0x%016llx %s", n, HEX(lr), states[bits(lr, 63, 62)]);
    if (bits(lr, 63, 62))
        text_add(out, ": INTID %llu, group %llu, priority 0x%02llx", HEX(bits(lr, 31, 0)), HEX(bit(lr, 60)),
                 HEX(bits(lr, 55, 48)));
    if (bits(lr, 63, 62) && bit(lr, 61))
        text_add(out, ", of physical %llu", HEX(bits(lr, 44, 32)));
    else if (bits(lr, 63, 62) && bit(lr, 41))
        text_add(out, ", EOI maintenance");
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

void cmd_vgic(struct monitor_line *l)
{
    const struct gic *gic = &l->d->m->gic;
    for (u32 c = 0; c < gic->cpu_count && c < MAX_CPUS; c++) {
        const struct gic_cpu *g = &gic->cpu[c];
        const struct cpu *cpu = &l->d->m->d.cpu[c];
        text_add(l->out, "cpu%u ICH_HCR_EL2 0x%llx [", c, HEX(cpu->sys.ich_hcr_el2));
        regs_fields("ICH_HCR_EL2", cpu->sys.ich_hcr_el2, l->out);
        text_add(l->out, "], ICH_VMCR_EL2 0x%x, ICH_AP0R0 0x%x, ICH_AP1R0 0x%x; lines%s%s%s%s\n", g->ich_vmcr,
                 g->ich_apr[0], g->ich_apr[1], cpu->lines & LINE_IRQ ? " IRQ" : "", cpu->lines & LINE_FIQ ? " FIQ" : "",
                 cpu->lines & LINE_VIRQ ? " vIRQ" : "", cpu->lines & LINE_VFIQ ? " vFIQ" : "");
        for (unsigned n = 0; n < GIC_LRS; n++)
            lr_print(l->out, n, g->ich_lr[n]);
        text_add(l->out, "  physical: PMR 0x%02x, enabled groups %u%u%u, active priorities 0x%x 0x%x 0x%x\n", g->pmr,
                 g->igrpen[0], g->igrpen[1], g->igrpen[2], g->apr[0], g->apr[1], g->apr[2]);
        bank_print(l->out, "SGI/PPI", &gic->ppi[c], 0);
    }
    for (unsigned n = 0; n < GIC_SPI_BANKS; n++)
        bank_print(l->out, "SPI", &gic->spi[n], GIC_BANK * (n + 1));
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
