/*
 * Monitor commands that explain exceptions: the syndrome in words (ESR_ELx, Arm ARM D19.2.37), and what the machine
 * knows besides: the control bit or descriptor that caused it (struct cause), where it was routed.
 */
#include "debug/monitor/monitor.h"

#include "cpu/exception/words.h"
#include "cpu/sysreg/sysreg.h"
#include "debug/regs.h"

/* ---- the syndrome ---- */

/* What the words of the ISS leave out of an abort. */
static void iss_abort(u32 iss, bool data, struct text *out)
{
    text_add(out, ", FSC 0x%02x%s%s", iss & 63, bit(iss, 9) ? ", external (EA)" : "",
             bit(iss, 10) ? ", FAR not valid" : "");
    if (data && bit(iss, 24))
        text_add(out, "%s%s", bit(iss, 21) ? ", sign-extended" : "", bit(iss, 14) ? ", acquire/release" : "");
}

static void iss_print(const struct exc *e, struct text *out)
{
    char words[EXC_WORDS];
    exc_iss_words(e, words);
    if (!words[0])
        return;
    text_add(out, "  %s", words);
    if (ec_is_abort(e->ec))
        iss_abort(e->iss, e->ec == EC_DABT_LOWER || e->ec == EC_DABT_SAME, out);
    text_add(out, "\n");
}

/* ---- the cause ---- */

static void cause_print(const struct exc_note *n, struct text *out)
{
    const struct cause *c = &n->exc.cause;
    const struct trap_row *t = c->kind == CAUSE_TRAP ? trap_get(c->id) : NULL;
    char words[EXC_WORDS];
    if (c->kind == CAUSE_NONE)
        return;
    exc_cause_words(&n->exc, &n->route.source, words);
    text_add(out, "caused by: %s", words);
    if (t)
        text_add(out, t->hi == t->lo ? " (bit %u)" : " (bits %u:%u)", t->hi, t->lo);
    text_add(out, "\n");
}

/* Which rule sent it where it went. */
static void route_print(const struct exc_note *n, struct text *out)
{
    char why[EXC_WORDS];
    exc_route_words(&n->exc, n->from_el, &n->route, why);
    text_add(out, "routed: EL%u to EL%u: %s\n", n->from_el, n->exc.target_el, why);
}

static void interrupt_print(const struct exc_note *n, struct text *out)
{
    const struct exc_source *s = &n->route.source;
    text_add(out, "  ");
    if (s->intid >= 0)
        text_add(out, "INTID %d, ", s->intid);
    if (s->lr >= 0)
        text_add(out, "of list register %d, ", s->lr);
    if (n->exc.kind == EXC_SERROR)
        text_add(out, "ISS 0x%x, ", n->exc.iss);
    text_add(out, "ELR_EL%u 0x%llx\n", n->exc.target_el, HEX(n->return_pc));
}

static void note_print(const struct exc_note *n, struct text *out)
{
    const struct exc *e = &n->exc;
    struct text mode = { 0 };
    text_add(out, "%s%s", exc_class_words(e), e->kind == EXC_SYNC ? fault_name(e->ec, e->iss) : "");
    regs_fields("SPSR_EL2", n->spsr, &mode);
    text_add(out, "\n  cpu%u, pc 0x%llx, after %llu instructions; PSTATE %s", n->cpu, HEX(n->pc), HEX(n->at),
             mode.s ? mode.s : "");
    text_free(&mode);
    if (n->vmid != ANY)
        text_add(out, "; guest of VMID %d", n->vmid);
    text_add(out, "\n");
    if (e->kind == EXC_SYNC) {
        text_add(out, "  EC 0x%02x, ISS 0x%x, IL %u, returns to 0x%llx\n", e->ec, e->iss, e->il, HEX(n->return_pc));
        iss_print(e, out);
    } else {
        interrupt_print(n, out);
    }
    if (e->has_far)
        text_add(out, "  FAR_EL%u 0x%llx\n", e->target_el, HEX(e->far));
    if (e->has_hpfar)
        text_add(out, "  HPFAR_EL2 0x%llx: IPA 0x%llx\n", HEX(e->hpfar),
                 HEX(bits(e->hpfar, 43, 4) << 12 | (e->far & 0xfff)));
    cause_print(n, out);
    route_print(n, out);
}

void cmd_why(struct monitor_line *l)
{
    u64 back = 0, here = machine_insns(l->d->m);
    if (l->count == 1 && !strcmp(l->word[0], "dma")) {
        monitor_last_dma(l);
        return;
    }
    if (l->count > 1 || (l->count && !debugger_number(l->word[0], &back))) {
        text_add(l->out, "usage: why [N | dma]\n");
        return;
    }
    for (u64 n = l->d->notes; n > 0 && l->d->notes - n < EXC_NOTES; n--) {
        const struct exc_note *note = &l->d->note[(n - 1) % EXC_NOTES];
        if (note->at > here || note->cpu != l->d->cpu || back--)
            continue;
        note_print(note, l->out);
        return;
    }
    text_add(l->out, "no such exception was seen on this CPU (the last %d of all CPUs are kept)\n", EXC_NOTES);
}

static void vm_exits(struct monitor_line *l, const struct vm_note *v)
{
    struct exit_count all = { 0 };
    for (unsigned n = 0; n < EXIT_CLASSES; n++)
        all.count += v->exit[n].count, all.insns += v->exit[n].insns;
    text_add(l->out,
             "vmid %d: entered %llu times, %llu instructions in it; %llu exits, %llu instructions at EL2 for them\n",
             v->vmid, HEX(v->entries), HEX(v->insns), HEX(all.count), HEX(all.insns));
}

void cmd_exits(struct monitor_line *l)
{
    const struct debugger *d = l->d;
    for (u32 c = 0; c < d->m->options.cpu_count; c++)
        for (unsigned from = 0; from < 4; from++)
            for (unsigned to = 1; to < 4; to++)
                if (d->exits[c][from][to])
                    text_add(l->out, "cpu%u EL%u to EL%u: %llu\n", c, from, to, HEX(d->exits[c][from][to]));
    for (unsigned n = 0; n < VMS; n++)
        if (d->vm[n].used)
            vm_exits(l, &d->vm[n]);
    text_add(l->out, "to EL2 from below, by class:\n");
    for (unsigned n = 0; n < ARRAY_LEN(d->exit_class); n++)
        if (d->exit_class[n])
            text_add(l->out, "%12llu  0x%02x %s\n", HEX(d->exit_class[n]), n, exit_class_words(n));
}
