/*
 * -trace tarmac=FILE: Arm's Tarmac text trace, as the open Tarmac Trace Utilities parse it; one file a vCPU (FILE,
 * FILE.1, ...). Time is instructions of the machine. An instruction's line comes first, then what it did: memory
 * accesses, the exception it took, the registers that have changed, all of them where the trace begins or goes on after
 * a gap.
 *
 * Left out: speculation, cache and TLB events; registers that change without an instruction writing them (counters).
 */
#include "cpu/exception/words.h"
#include "debug/file.h"
#include "debug/trace/trace_internal.h"

#include "cpu/sysreg/sysreg.h"

#include <stdio.h>
#include <stdlib.h>

struct tarmac_cpu {
    struct out *out;
    u64 index;   /* of the next instruction */
    u64 next_at; /* cpu's own count at which the next instruction follows without a gap */
    bool known;  /* `x` and the rest hold what was shown */
    u8 taken_el, taken_far, taken_hpfar,
        taken_esr; /* an exception to that EL (0: none): its registers are to be shown */
    u64 x[31], sp[4];
    union vreg v[32];
    u32 cpsr, fpcr, fpsr;
    char prefix[40]; /* " clk cpu0 " with the time before it */
    u32 prefix_length;
    const struct symbol_line *line;
    const char *place; /* shown last */
};

struct tarmac {
    struct tarmac_cpu cpu[MAX_CPUS];
};

/* "<time> clk cpuN ": begins a line. */
static inline char *begin(struct tarmac_cpu *c)
{
    char *p = out_reserve(c->out);
    memcpy(p, c->prefix, sizeof(c->prefix));
    return p + c->prefix_length;
}

static inline void end(struct tarmac_cpu *c, char *p)
{
    *p++ = '\n';
    out_commit(c->out, p);
}

static void time_set(struct tarmac_cpu *c, const struct trace *t, const struct cpu *cpu)
{
    char *p = put_decimal(c->prefix, trace_now(t, cpu));
    p = put_const(p, " clk cpu");
    p = put_decimal(p, cpu->index);
    *p++ = ' ';
    c->prefix_length = (u32)(p - c->prefix);
}
static_assert(MAX_CPUS <= 1000, "three digits, and 20 of time, make a prefix");

/* ---- registers ---- */

static void reg64(struct tarmac_cpu *c, const char *name, u64 value)
{
    char *p = put_const(begin(c), "R ");
    p = put_text(p, name);
    *p++ = ' ';
    end(c, put_hex(p, value, 8));
}

static void reg32(struct tarmac_cpu *c, const char *name, u32 value)
{
    char *p = put_const(begin(c), "R ");
    p = put_text(p, name);
    *p++ = ' ';
    end(c, put_hex(p, value, 4));
}

static void reg_numbered(struct tarmac_cpu *c, char letter, unsigned n, u64 hi, u64 lo, bool wide)
{
    char *p = put_const(begin(c), "R ");
    *p++ = letter;
    if (n >= 10)
        *p++ = (char)('0' + n / 10);
    *p++ = (char)('0' + n % 10);
    *p++ = ' ';
    if (wide)
        p = put_hex(p, hi, 8);
    end(c, put_hex(p, lo, 8));
}

static void vectors_show(struct tarmac_cpu *c, const struct cpu *cpu)
{
    for (unsigned n = 0; n < 32; n++)
        if (!c->known || memcmp(&c->v[n], &cpu->v[n], sizeof(c->v[n]))) {
            c->v[n] = cpu->v[n];
            reg_numbered(c, 'V', n, c->v[n].d[1], c->v[n].d[0], true);
        }
    if (!c->known || c->fpsr != cpu->fpsr)
        reg32(c, "FPSR", c->fpsr = cpu->fpsr);
    if (!c->known || c->fpcr != cpu->fpcr)
        reg32(c, "FPCR", c->fpcr = cpu->fpcr);
}

static void registers_show(struct tarmac_cpu *c, const struct cpu *cpu, bool vectors)
{
    static const char *const sp_names[] = { "SP_EL0", "SP_EL1", "SP_EL2", "SP_EL3" };
    unsigned bank = cpu->ps.sp ? cpu->ps.el & 3 : 0;
    for (unsigned first = 0; first < 31; first += 8) { /* most have not changed */
        unsigned last = first + 8 < 31 ? first + 8 : 31;
        u64 changed = !c->known;
        for (unsigned n = first; n < last; n++)
            changed |= c->x[n] ^ cpu->x[n];
        for (unsigned n = first; changed && n < last; n++)
            if (c->x[n] != cpu->x[n] || !c->known)
                reg_numbered(c, 'X', n, 0, c->x[n] = cpu->x[n], false);
    }
    for (unsigned n = 0; !c->known && n < 4; n++)
        reg64(c, sp_names[n], c->sp[n] = n == bank ? cpu->x[REG_SP] : cpu->sp_el[n]);
    if (c->sp[bank] != cpu->x[REG_SP])
        reg64(c, sp_names[bank], c->sp[bank] = cpu->x[REG_SP]);
    u32 cpsr = (u32)cpu_spsr(cpu);
    if (c->cpsr != cpsr || !c->known)
        reg32(c, "cpsr", c->cpsr = cpsr);
    if (vectors)
        vectors_show(c, cpu);
    c->known = true;
}

/* What the exception left in the registers of its EL (the hook comes before it does). */
static void taken_show(struct tarmac_cpu *c, const struct cpu *cpu)
{
    static const char *const names[5][4] = { { "", "ELR_EL1", "ELR_EL2", "ELR_EL3" },
                                             { "", "SPSR_EL1", "SPSR_EL2", "SPSR_EL3" },
                                             { "", "ESR_EL1", "ESR_EL2", "ESR_EL3" },
                                             { "", "FAR_EL1", "FAR_EL2", "FAR_EL3" },
                                             { "", "", "HPFAR_EL2", "" } };
    const struct sysregs *s = &cpu->sys;
    const u64 values[5][4] = { { 0, s->elr_el1, s->elr_el2, s->elr_el3 },
                               { 0, s->spsr_el1, s->spsr_el2, s->spsr_el3 },
                               { 0, s->esr_el1, s->esr_el2, s->esr_el3 },
                               { 0, s->far_el1, s->far_el2, s->far_el3 },
                               { 0, 0, s->hpfar_el2, 0 } };
    const bool show[5] = { true, true, c->taken_esr, c->taken_far, c->taken_hpfar && c->taken_el == 2 };
    for (unsigned n = 0; n < 5; n++)
        if (show[n])
            reg64(c, names[n][c->taken_el & 3], values[n][c->taken_el & 3]);
    c->taken_el = 0;
}

/* ---- hooks ---- */

/* May the instruction change V registers, FPSR or FPCR? C4.1: SIMD and FP, their loads and stores, MSR. */
static bool touches_vectors(u32 word)
{
    return (word & 0x0e000000) == 0x0e000000 || (word & 0x0e000000) == 0x0c000000 || (word & 0xfff00000) == 0xd5100000;
}

/* The source line, where it is another than that of the instruction before. */
static char *put_place(char *p, struct tracer *r, struct tarmac_cpu *c, const struct cpu *cpu, u64 pc)
{
    if (!symbols_count(r->t->symbols))
        return p;
    struct symbol_place where = trace_place(cpu);
    const struct symbol_line *line = symbols_line(r->t->symbols, pc, where);
    const struct symbol *symbol = symbols_find(r->t->symbols, pc, where);
    const char *name = symbol ? symbol->name : NULL;
    if (line == c->line && name == c->place)
        return p;
    c->line = line;
    c->place = name;
    if (!line && !name)
        return p;
    const struct trace_place *place = trace_place_text(r->t, pc, where);
    p = put_const(p, "  ; ");
    return put_bytes(p, place->text, place->length);
}

static void insn(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct tarmac *t = r->data;
    struct tarmac_cpu *c = &t->cpu[cpu->index];
    u64 own = cpu_position(cpu);
    time_set(c, r->t, cpu);
    if (unlikely(c->taken_el))
        taken_show(c, cpu);
    if (unlikely(own != c->next_at || !c->known))
        registers_show(c, cpu, true);
    c->next_at = own + 1;
    char *p = put_const(begin(c), "IT (");
    p = put_decimal(p, c->index++);
    p = put_const(p, ") ");
    p = put_hex(p, pc, 8);
    *p++ = ':';
    p = put_hex(p, cpu->fetch_pa | (pc & 4095), 6);
    p = put_bytes(p, (cpu->fetch_attrs & FETCH_NS) ? "_NS " : "_S ", (cpu->fetch_attrs & FETCH_NS) ? 4 : 3);
    p = put_hex(p, word, 4);
    p = put_const(p, " O EL");
    *p++ = (char)('0' + cpu->ps.el);
    *p++ = cpu->ps.sp ? 'h' : 't';
    p = put_bytes(p, (cpu->fetch_attrs & FETCH_NS) ? "_n : " : "_s : ", 5);
    const struct disasm_line *l = disasm_get(r->t->disasm, pc, word);
    memcpy(p, l->text, sizeof(l->text)); /* all of it, which is faster than as much as there is */
    end(c, put_place(p + l->length, r, c, cpu, pc));
}

static void done(struct tracer *r, struct cpu *cpu, u64 pc, u32 word)
{
    struct tarmac *t = r->data;
    struct tarmac_cpu *c = &t->cpu[cpu->index];
    (void)pc;
    if (unlikely(c->taken_el))
        taken_show(c, cpu);
    registers_show(c, cpu, touches_vectors(word));
}

static void access_show(struct tarmac_cpu *c, const struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write,
                        u64 value)
{
    char *p = begin(c);
    *p++ = 'M';
    *p++ = write ? 'W' : 'R';
    *p++ = (char)('0' + size);
    *p++ = ' ';
    p = put_hex(p, va, 8);
    *p++ = ':';
    p = put_hex(p, pa, 6);
    p = put_bytes(p, (cpu->fetch_attrs & FETCH_NS) ? "_NS " : "_S ", (cpu->fetch_attrs & FETCH_NS) ? 4 : 3);
    end(c, put_hex(p, value, size));
}

static void memory(struct tracer *r, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value)
{
    struct tarmac *t = r->data;
    struct tarmac_cpu *c = &t->cpu[cpu->index];
    access_show(c, cpu, va, pa, size < 8 ? size : 8, write, value);
    for (unsigned n = 8; n < size; n += 8) { /* a pair's second half; DC ZVA */
        u8 bytes[8];
        if (phys_copy_out(&r->t->m->d.phys, pa + n, bytes, 8))
            access_show(c, cpu, va + n, pa + n, 8, write, load_le64(bytes));
    }
}

static void sysreg(struct tracer *r, struct cpu *cpu, unsigned row, u64 value)
{
    struct tarmac *t = r->data;
    const struct sysreg *reg = sysreg_get(row);
    if (reg && r->t->seen[cpu->index])
        reg64(&t->cpu[cpu->index], reg->name, value);
}

static void exception(struct tracer *r, struct cpu *cpu, const struct exc *e)
{
    static const char *const kinds[4] = {
        [EXC_SYNC] = "SYNC",
#define INTERRUPT(name, words, event, scr, hcr, pending, super) [EXC_##name] = event,
#include "cpu/interrupt.def"
    };
    struct tarmac *t = r->data;
    struct tarmac_cpu *c = &t->cpu[cpu->index];
    const struct exc_source source = gic_source(&r->t->m->gic, cpu, e);
    char iss[EXC_WORDS], cause[EXC_WORDS], text[64];
    time_set(c, r->t, cpu);
    if (unlikely(c->taken_el))
        taken_show(c, cpu);
    if (unlikely(e->kind != EXC_SYNC && r->t->seen[cpu->index])) /* an interrupt in the middle of an instruction */
        registers_show(c, cpu, false);
    const char *from = e->target_el > cpu->ps.el ? "LOWER_64" : cpu->ps.sp ? "CURRENT_SPx" : "CURRENT_SP0";
    char *p = put_const(begin(c), "E ");
    p = put_hex(p, e->elr, 8);
    *p++ = ' ';
    p = put_hex(p, (u64)e->ec << 26 | (u64)e->il << 25 | e->iss, 4);
    snprintf(text, sizeof(text), " CoreEvent_%s_%s", from, kinds[e->kind & 3]);
    end(c, put_text(p, text));
    exc_iss_words(e, iss);
    exc_cause_words(e, &source, cause);
    snprintf(text, sizeof(text), "EXC [EL%u to EL%u] ", cpu->ps.el, e->target_el);
    p = put_text(put_text(begin(c), text), exc_class_words(e));
    if (iss[0])
        p = put_text(put_const(p, ": "), iss);
    end(c, put_text(put_const(p, "; "), cause));
    c->taken_el = e->target_el;
    c->taken_far = e->has_far;
    c->taken_hpfar = e->has_hpfar;
    c->taken_esr = e->kind == EXC_SYNC || e->kind == EXC_SERROR;
}

static bool tarmac_close(struct tracer *r, char error[256])
{
    struct tarmac *t = r->data;
    bool ok = true;
    char ignored[256] = "";
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++) {
        if (t->cpu[n].out && t->cpu[n].taken_el)
            taken_show(&t->cpu[n], &r->t->m->d.cpu[n]);
        ok &= out_close(t->cpu[n].out, true, ok ? error : ignored);
    }
    free(t);
    return ok;
}

static void tarmac_flush(struct tracer *r)
{
    struct tarmac *t = r->data;
    for (u32 n = 0; n < r->t->m->options.cpu_count; n++)
        out_flush(t->cpu[n].out);
}

bool tarmac_open(struct tracer *r, const struct trace_config *config, char error[256])
{
    struct tarmac *t = calloc(1, sizeof(*t));
    char file[OUT_NAME];
    bool device = file_is_stream(config->tarmac);
    snprintf(error, 256, "out of memory");
    r->data = t;
    for (u32 n = 0; t && n < r->t->m->options.cpu_count; n++) {
        if (n && !device)
            snprintf(file, sizeof(file), "%.1000s.%u", config->tarmac, n);
        else
            snprintf(file, sizeof(file), "%.1000s", config->tarmac);
        t->cpu[n].out = out_open(file, false, error);
        if (!t->cpu[n].out) {
            char ignored[256];
            while (n-- > 0)
                out_close(t->cpu[n].out, true, ignored);
            free(t);
            return false;
        }
    }
    r->insn = insn;
    r->done = done;
    r->memory = memory;
    r->sysreg = sysreg;
    r->exception = exception;
    r->flush = tarmac_flush;
    r->close = tarmac_close;
    return t != NULL;
}
