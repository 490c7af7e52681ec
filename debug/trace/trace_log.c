/*
 * -d: what QEMU's users know from there, where it means something here. The texts follow QEMU's spirit, not its letter:
 * in_asm shows an instruction when it is first executed at an address (blocks are what was new in a row); int shows
 * exceptions with the cause that only the tables know; mmu shows the walk behind each abort. An exception that is taken
 * in its own handler, again and again, is shown once, and how often.
 */
#include "cpu/exception/words.h"
#include "debug/trace/trace_internal.h"

#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEN = 1 << 16 };

/* The exception that was shown last, while no return has come since. */
struct repeat {
    u64 pc;
    u32 iss;
    u8 kind, ec, el, target;
    u64 far, count; /* the last one's; how often it came again */
};

struct log {
    struct out *out;
    u32 items;
    struct repeat last[MAX_CPUS];
    u32 wrote[MAX_CPUS], clear[MAX_CPUS], said[MAX_CPUS]; /* sets of rows of widths[]: of their RW, and what was said */
    u64 seen_count;
    u64 *seen;             /* addresses with the word and context mixed in: an open hash, forgotten when it is full */
    u64 *dropped;          /* by row of system register: RES0 bits that were said to be dropped */
    u64 next[MAX_CPUS];    /* in_asm: the address that would go on in the block shown last */
    u64 follows[MAX_CPUS]; /* exec, cpu: the address behind the instruction executed last */
    bool each;             /* they show each instruction */
};

/* On standard error it is read while the guest runs. */
static void log_show(struct log *l)
{
    if (!l->out->name[0])
        out_flush(l->out);
}

/* ---- in_asm ---- */

/* True: not shown before. */
static bool first_time(struct log *l, u64 pc, u32 word, unsigned el, s32 vmid)
{
    u64 key = pc ^ (u64)word << 29 ^ (u64)el << 62 ^ (u64)(u32)vmid << 48 ^ 1;
    u64 slot = key * 0x9e3779b97f4a7c15ull >> 48;
    for (;; slot = (slot + 1) % SEEN) {
        if (l->seen[slot] == key)
            return false;
        if (!l->seen[slot])
            break;
    }
    if (++l->seen_count > SEEN / 4 * 3) {
        memset(l->seen, 0, SEEN * sizeof(*l->seen));
        l->seen_count = 0;
    }
    l->seen[slot] = key;
    return true;
}

static void asm_log(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct log *l = r->data;
    struct symbol_place place = trace_place(cpu);
    if (!first_time(l, pc, word, cpu->ps.el, place.vmid))
        return;
    if (l->next[cpu->index] != pc) {
        char where[256];
        symbols_describe(r->t->symbols, pc, place, where, sizeof(where));
        out_format(l->out, "----------------\nIN: %s (cpu %u, EL%u)\n", where, cpu->index, cpu->ps.el);
    }
    l->next[cpu->index] = pc + 4;
    out_format(l->out, "0x%08llx:  %08x      %s\n", (unsigned long long)pc, word,
               disasm_get(r->t->disasm, pc, word)->text);
}

/* ---- exec, cpu ---- */

/* As QEMU prints them, since programs read that: three registers a line. */
static void registers_log(struct log *l, const struct cpu *cpu, u64 pc)
{
    u64 pstate = cpu_spsr(cpu);
    out_format(l->out, " PC=%016llx ", (unsigned long long)pc);
    for (unsigned n = 0; n < 31; n++)
        out_format(l->out, "X%02u=%016llx%s", n, (unsigned long long)cpu->x[n], n % 3 == 1 ? "\n" : " ");
    out_format(l->out, " SP=%016llx\nPSTATE=%08llx %c%c%c%c EL%u%c\n", (unsigned long long)cpu->x[REG_SP],
               (unsigned long long)pstate, bit(pstate, 31) ? 'N' : '-', bit(pstate, 30) ? 'Z' : '-',
               bit(pstate, 29) ? 'C' : '-', bit(pstate, 28) ? 'V' : '-', cpu->ps.el, cpu->ps.sp ? 'h' : 't');
}

static void exec_log(struct tracer *r, struct cpu *cpu, u64 pc)
{
    struct log *l = r->data;
    struct symbol_place place = trace_place(cpu);
    char where[256];
    bool follows = l->follows[cpu->index] == pc;
    l->follows[cpu->index] = pc + 4;
    if (follows && !l->each)
        return;
    symbols_describe(r->t->symbols, pc, place, where, sizeof(where));
    if (l->items & LOG_exec)
        out_format(l->out, "Trace %u: 0x%016llx EL%u %s\n", cpu->index, (unsigned long long)pc, cpu->ps.el, where);
    if (l->items & LOG_cpu)
        registers_log(l, cpu, pc);
}

/* -dfilter */
static bool in_ranges(const struct trace_config *c, u64 pc)
{
    for (u32 n = 0; n < c->log_ranges; n++)
        if (pc >= c->log_range[n].lo && pc <= c->log_range[n].hi)
            return true;
    return !c->log_ranges;
}

static void insn(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    const struct log *l = r->data;
    if (!in_ranges(r->t->config, pc))
        return;
    if (l->items & (LOG_exec | LOG_cpu))
        exec_log(r, cpu, pc);
    if (l->items & LOG_in_asm)
        asm_log(r, cpu, pc, word);
}

/* ---- int ---- */

static void int_log(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    struct log *l = r->data;
    char iss[EXC_WORDS], cause[EXC_WORDS], where[256];
    const struct exc_source source = gic_source(&r->t->m->gic, cpu, e);
    exc_iss_words(e, iss);
    exc_cause_words(e, &source, cause);
    symbols_describe(r->t->symbols, cpu->pc, trace_place(cpu), where, sizeof(where));
    out_format(l->out,
               "Taking exception [%s] on CPU %u after %llu instructions\n...from EL%u to EL%u, PC 0x%llx (%s)\n",
               exc_class_words(e), cpu->index, (unsigned long long)trace_now(r->t, cpu), cpu->ps.el, e->target_el,
               (unsigned long long)cpu->pc, where);
    if (e->kind == EXC_SYNC || e->kind == EXC_SERROR)
        out_format(l->out, "...with ESR 0x%x/0x%llx%s%s\n", e->ec,
                   (unsigned long long)((u64)e->iss2 << 32 | (u64)e->ec << 26 | (u64)e->il << 25 | e->iss),
                   iss[0] ? ": " : "", iss);
    if (e->has_far)
        out_format(l->out, "...with FAR 0x%llx\n", (unsigned long long)e->far);
    if (e->has_hpfar)
        out_format(l->out, "...with HPFAR 0x%llx\n", (unsigned long long)e->hpfar);
    out_format(l->out, "...because of %s\n...with ELR 0x%llx\n...with SPSR 0x%llx\n...to EL%u PC 0x%llx\n", cause,
               (unsigned long long)e->elr, (unsigned long long)cpu_spsr(cpu), e->target_el,
               (unsigned long long)exception_vector(cpu, e));
}

/* ---- mmu ---- */

static void walk_log(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    struct log *l = r->data;
    struct walk_record rec = { .count = 0 };
    struct translation t;
    u64 pa;
    bool ok = mmu_debug_translate(cpu, e->far, cpu->ps.el, &pa, &t, &rec);
    char iss[EXC_WORDS];
    exc_iss_words(e, iss);
    out_format(l->out, "mmu: cpu %u EL%u PC 0x%llx VA 0x%llx %s\n", cpu->index, cpu->ps.el, (unsigned long long)cpu->pc,
               (unsigned long long)e->far, iss);
    for (unsigned n = 0; n < rec.count; n++) {
        const struct walk_step *s = &rec.step[n];
        out_format(l->out, "  stage %u level %d%s: [0x%llx] = 0x%llx\n", s->stage, s->level,
                   s->s1ptw ? " (for a stage 1 table)" : "", (unsigned long long)s->addr, (unsigned long long)s->value);
    }
    if (ok)
        out_format(l->out, "  PA 0x%llx, IPA 0x%llx, permissions%s%s%s%s%s%s\n", (unsigned long long)pa,
                   (unsigned long long)t.ipa, t.perm & TLB_PR ? " PR" : "", t.perm & TLB_PW ? " PW" : "",
                   t.perm & TLB_PX ? " PX" : "", t.perm & TLB_UR ? " UR" : "", t.perm & TLB_UW ? " UW" : "",
                   t.perm & TLB_UX ? " UX" : "");
    else
        out_format(l->out, "  stage %u: %s\n", t.fault.stage2 ? 2 : 1, fault_rule_text(t.fault.rule));
}

/* RES0 bits that software set and the register did not keep; said once for each bit. */
static void dropped_log(struct log *l, struct cpu *cpu, unsigned row, u64 value)
{
    const struct sysreg *reg = sysreg_get(row);
    u64 dropped = sysreg_dropped(cpu, reg, value);
    if (!(dropped & ~l->dropped[row]))
        return;
    l->dropped[row] |= dropped;
    out_format(l->out, "guest_errors: cpu %u EL%u PC 0x%llx: %s: write of 0x%llx, RES0 bits 0x%llx are dropped\n",
               cpu->index, cpu->ps.el, (unsigned long long)cpu->pc, reg->name, (unsigned long long)value,
               (unsigned long long)dropped);
    log_show(l);
}

static void width_written(struct log *l, u32 cpu, const struct sysreg *reg, u64 value);

static void sysreg(struct tracer *r, struct cpu *cpu, unsigned row, u64 value)
{
    struct log *l = r->data;
    const struct sysreg *reg = sysreg_get(row);
    if (l->items & LOG_guest_errors && reg)
        width_written(l, cpu->index, reg, value);
    if (l->items & LOG_mmu && reg && reg->flags & (SR_CONTROL | SR_CONTEXT))
        out_format(l->out, "mmu: cpu %u EL%u PC 0x%llx %s = 0x%llx\n", cpu->index, cpu->ps.el,
                   (unsigned long long)cpu->pc, reg->name, (unsigned long long)value);
    if (l->items & LOG_guest_errors && reg)
        dropped_log(l, cpu, row, value);
}

/* ---- unimp, guest_errors ---- */

static void unimp_log(struct tracer *r, struct cpu *cpu)
{
    struct log *l = r->data;
    u32 word;
    if (!exc_instruction(cpu, cpu->pc, &word))
        return;
    out_format(l->out, "unimp: cpu %u EL%u PC 0x%llx: %08x %s\n", cpu->index, cpu->ps.el, (unsigned long long)cpu->pc,
               word, disasm_get(r->t->disasm, cpu->pc, word)->text);
}

static void error_log(struct tracer *r, struct cpu *cpu, const struct exc *e, const char *what)
{
    struct log *l = r->data;
    char iss[EXC_WORDS];
    exc_iss_words(e, iss);
    out_format(l->out, "guest_errors: cpu %u EL%u PC 0x%llx: %s%s%s", cpu->index, cpu->ps.el,
               (unsigned long long)cpu->pc, what, iss[0] ? ": " : "", iss);
    if (e->has_far)
        out_format(l->out, ", VA 0x%llx", (unsigned long long)e->far);
    out_format(l->out, "\n");
}

static void guest_error(struct tracer *r, struct cpu *cpu, const char *device, const char *why, u64 offset,
                        unsigned size, bool write, u64 value)
{
    struct log *l = r->data;
    out_format(l->out, "guest_errors: cpu %u EL%u PC 0x%llx: %s: %s of %u bytes at offset 0x%llx", cpu->index,
               cpu->ps.el, (unsigned long long)cpu->pc, device, write ? "write" : "read", size,
               (unsigned long long)offset);
    if (write)
        out_format(l->out, ", value 0x%llx", (unsigned long long)value);
    out_format(l->out, ": %s\n", why);
    log_show(l);
}

/* ---- RW ---- */

/* HCR_EL2.RW and SCR_EL3.RW are RAO/WI here, as there is no AArch32. On cores that have it at EL1 a clear one makes the
 * return to AArch64 an illegal one (IllegalExceptionReturn), and reset leaves it clear. */
static const struct {
    u32 key, bit, written;
    const char *name;
} widths[] = {
    { SYSREG_KEY(3, 4, 1, 1, 0), HCR_RW, WRITTEN_hcr_el2, "HCR_EL2" },
    { SYSREG_KEY(3, 6, 1, 1, 0), SCR_RW, WRITTEN_scr_el3, "SCR_EL3" },
};

static void width_written(struct log *l, u32 cpu, const struct sysreg *reg, u64 value)
{
    for (unsigned n = 0; n < ARRAY_LEN(widths); n++) {
        if (reg->key != widths[n].key)
            continue;
        l->wrote[cpu] |= 1u << n;
        l->clear[cpu] = (l->clear[cpu] & ~(1u << n)) | (u32)!bit(value, widths[n].bit) << n;
    }
}

/* Is the EL that it was returned to under this register? */
static bool width_applies(const struct cpu *cpu, unsigned n)
{
    if (n == 0)
        return cpu->ps.el < 2 && cpu_el2_enabled(cpu) && !bit(cpu_hcr(cpu), HCR_TGE);
    return cpu->ps.el < 3 && cpu_has(cpu, FEAT_EL3);
}

static void width_check(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct log *l = r->data;
    u32 c = cpu->index;
    if (cpu->ps.il || !model_has_aarch32(r->t->m->model.number))
        return;
    for (unsigned n = 0; n < ARRAY_LEN(widths); n++) {
        bool clear = bit(l->wrote[c], n) ? bit(l->clear[c], n) : !cpu->written[widths[n].written];
        if (!clear || bit(l->said[c], n) || !width_applies(cpu, n))
            continue;
        l->said[c] |= 1u << n;
        out_format(
            l->out,
            "guest_errors: cpu %u EL%u PC 0x%llx: exception return to AArch64 with %s.RW clear: an illegal return "
            "on a %s, which has AArch32 (here RW reads as one)\n",
            c, cpu->ps.el, (unsigned long long)from_pc, widths[n].name, model_name(r->t->m->model.number));
    }
}

/* ---- one and the same ---- */

static void repeats_end(struct log *l, u32 cpu)
{
    struct repeat *last = &l->last[cpu];
    if (last->count)
        out_format(l->out, "...and the same again on CPU %u, %llu time%s", cpu, (unsigned long long)last->count,
                   last->count == 1 ? "" : "s");
    if (last->count)
        out_format(l->out, last->far ? ", last with FAR 0x%llx\n" : "\n", (unsigned long long)last->far);
    memset(last, 0, sizeof(*last));
}

/* The exception that was shown last, from the EL that takes it, and no return in between. */
static bool repeats(struct log *l, const struct cpu *cpu, const struct exc *e)
{
    struct repeat *last = &l->last[cpu->index];
    u64 far = e->has_far ? e->far : 0;
    if (e->target_el == cpu->ps.el && last->target == e->target_el && last->el == cpu->ps.el && last->pc == cpu->pc &&
        last->iss == e->iss && last->kind == e->kind && last->ec == e->ec) {
        last->count++;
        last->far = far;
        return true;
    }
    repeats_end(l, cpu->index);
    *last = (struct repeat){ cpu->pc, e->iss, e->kind, e->ec, cpu->ps.el, e->target_el, far, 0 };
    return false;
}

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    struct log *l = r->data;
    if (repeats(l, cpu, e))
        return;
    bool sync = e->kind == EXC_SYNC;
    bool is_abort = sync && ec_is_abort(e->ec);
    if (l->items & LOG_int)
        int_log(r, cpu, e);
    if (l->items & LOG_mmu && is_abort)
        walk_log(r, cpu, e);
    if (l->items & LOG_unimp && sync && e->ec == EC_UNKNOWN)
        unimp_log(r, cpu);
    if (!(l->items & LOG_guest_errors) || !sync)
        ; /* nothing more */
    else if (is_abort && e->cause.kind == CAUSE_EXTERNAL)
        error_log(r, cpu, e, "nothing answers");
    else if (e->ec == EC_PC_ALIGN || e->ec == EC_SP_ALIGN)
        error_log(r, cpu, e, e->ec == EC_PC_ALIGN ? "misaligned PC" : "misaligned SP");
    else if (e->ec == EC_ILLEGAL_STATE)
        error_log(r, cpu, e, exc_class_words(e));
    log_show(l);
}

static void exception_return_seen(struct tracer *r, struct cpu *cpu, u64 from_pc)
{
    struct log *l = r->data;
    repeats_end(l, cpu->index);
    if (!r->t->active)
        return;
    if (l->items & LOG_int)
        out_format(l->out, "Exception return on CPU %u from PC 0x%llx to EL%u PC 0x%llx PSTATE 0x%llx\n", cpu->index,
                   (unsigned long long)from_pc, cpu->ps.el, (unsigned long long)cpu->pc,
                   (unsigned long long)cpu_spsr(cpu));
    if (l->items & LOG_guest_errors)
        width_check(r, cpu, from_pc);
    if (l->items & LOG_guest_errors && cpu->ps.il)
        out_format(l->out, "guest_errors: cpu %u EL%u PC 0x%llx: illegal exception return\n", cpu->index, cpu->ps.el,
                   (unsigned long long)from_pc);
    log_show(l);
}

static void log_flush(struct tracer *r) { out_flush(((struct log *)r->data)->out); }

static void log_reset(struct tracer *r)
{
    for (u32 n = 0; n < MAX_CPUS; n++)
        repeats_end(r->data, n);
}

static bool log_close(struct tracer *r, char error[256])
{
    struct log *l = r->data;
    log_reset(r);
    bool ok = out_close(l->out, true, error);
    free(l->seen);
    free(l->dropped);
    free(l);
    free(r->events);
    return ok;
}

static void reset_log(struct tracer *r, struct cpu *cpu)
{
    struct log *l = r->data;
    out_format(l->out, "CPU Reset (CPU %u), PC 0x%llx EL%u before it\n", cpu->index, (unsigned long long)cpu->pc,
               cpu->ps.el);
    log_show(l);
}

bool log_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct log *l = calloc(1, sizeof(*l));
    snprintf(error, 256, "out of memory");
    size_t rows = 1; /* one to spare: never an allocation of nothing */
    while (sysreg_get((unsigned)rows - 1))
        rows++;
    if (!l || !(l->seen = calloc(SEEN, sizeof(*l->seen))) || !(l->dropped = calloc(rows, sizeof(*l->dropped))) ||
        !(l->out = out_open(config->log_file ? config->log_file : "", false, error))) {
        if (l)
            free(l->seen), free(l->dropped);
        free(l);
        return false;
    }
    u32 items = l->items = config->log;
    r->data = l;
    if (config->event && !events_open(r, config, l->out)) {
        log_close(r, error);
        snprintf(error, 256, "out of memory");
        return false;
    }
    l->each = config->log_each;
    if (items & (LOG_in_asm | LOG_exec | LOG_cpu))
        r->insn = insn;
    if (items & (LOG_mmu | LOG_guest_errors))
        r->sysreg = sysreg;
    if (items & LOG_guest_errors)
        r->guest_error = guest_error;
    if (items & LOG_cpu_reset) {
        r->cpu_reset = reset_log;
        for (u32 n = 0; n < r->t->m->options.cpu_count; n++) /* they were reset before anybody looked */
            out_format(l->out, "CPU Reset (CPU %u)\n", n);
    }
    r->exception = exception;
    r->exception_return = exception_return_seen;
    r->flush = log_flush;
    r->reset = log_reset;
    r->close = log_close;
    return true;
}
