/*
 * The difference of two machines. To find where two runs part, a copy of the process waits at the last point where they
 * were the same; when a stretch ends differently that copy goes on from there with half the stretch.
 *
 * Machines that begin alike are compared by the hash of all state after each stretch. Machines that begin differently
 * (another image, another seed) are compared by what they execute: each address, and the general registers that follow,
 * in the stepping engine.
 */
#define _GNU_SOURCE
#include "debug/diff.h"

#include "board/observer.h"
#include "board/state.h"
#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "debug/disasm.h"
#include "mmu/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRETCH = 1 << 26, STRETCH_STEP = 1 << 22, PAGE = 4096 };

/* ---- states ---- */

struct report {
    struct out *o;
    struct diff_count count;
    u64 limit;
};

static void value_differs(struct report *r, u32 cpu, const char *name, u64 a, u64 b)
{
    if (a == b)
        return;
    if (r->count.registers++ < r->limit)
        out_format(r->o, "  cpu%u %-20s 0x%016llx 0x%016llx\n", cpu, name, (unsigned long long)a,
                   (unsigned long long)b);
}

static void general_differ(struct report *r, struct cpu *a, struct cpu *b)
{
    char name[24];
    for (unsigned n = 0; n < 31; n++) {
        snprintf(name, sizeof(name), "X%u", n);
        value_differs(r, a->index, name, a->x[n], b->x[n]);
    }
    value_differs(r, a->index, "PC", a->pc, b->pc);
    value_differs(r, a->index, "PSTATE", cpu_spsr(a), cpu_spsr(b));
    for (unsigned el = 0; el < 4; el++) {
        snprintf(name, sizeof(name), "SP_EL%u", el);
        value_differs(r, a->index, name, el == (a->ps.sp ? a->ps.el : 0) ? a->x[REG_SP] : a->sp_el[el],
                      el == (b->ps.sp ? b->ps.el : 0) ? b->x[REG_SP] : b->sp_el[el]);
    }
    for (unsigned n = 0; n < 64; n++) {
        snprintf(name, sizeof(name), "V%u.D[%u]", n / 2, n % 2);
        value_differs(r, a->index, name, a->v[n / 2].d[n % 2], b->v[n / 2].d[n % 2]);
    }
    value_differs(r, a->index, "FPCR", a->fpcr, b->fpcr);
    value_differs(r, a->index, "FPSR", a->fpsr, b->fpsr);
}

static void system_differ(struct report *r, struct cpu *a, struct cpu *b)
{
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++)
        if (row->offset >= 0 && !row->alias)
            value_differs(r, a->index, row->name, *sysreg_field(a, row), *sysreg_field(b, row));
    value_differs(r, a->index, "(halted)", a->halted, b->halted);
    value_differs(r, a->index, "(powered)", a->powered, b->powered);
    value_differs(r, a->index, "(event register)", a->event, b->event);
    value_differs(r, a->index, "(interrupt lines)", a->lines, b->lines);
    value_differs(r, a->index, "(exclusive monitor)", a->excl_valid ? a->excl_pa | 1 : 0,
                  b->excl_valid ? b->excl_pa | 1 : 0);
    value_differs(r, a->index, "(instructions)", a->insns, b->insns);
    u64 entries = 0;
    for (unsigned n = 0; n < TLB_SETS; n++)
        for (unsigned k = 0; k < TLB_WAYS; k++)
            entries += !!memcmp(&a->tlb.entry[n][k], &b->tlb.entry[n][k], sizeof(struct tlb_entry));
    value_differs(r, a->index, "(TLB entries)", 0, entries);
}

static void word_differs(struct report *r, const struct symbols *symbols, u64 pa, u64 a, u64 b)
{
    char name[128] = "-";
    if (r->count.words++ >= r->limit)
        return;
    if (symbols)
        symbols_describe(symbols, pa, (struct symbol_place){ 2, SYMBOL_ANY }, name, sizeof(name));
    out_format(r->o, "  0x%012llx %-30s 0x%016llx 0x%016llx\n", (unsigned long long)pa, name, (unsigned long long)a,
               (unsigned long long)b);
}

static void memory_differs(struct report *r, struct machine *a, struct machine *b, const struct symbols *symbols)
{
    for (unsigned n = 0; n < a->d.phys.region_count && n < b->d.phys.region_count; n++) {
        const struct phys_region *x = &a->d.phys.region[n], *y = &b->d.phys.region[n];
        u64 size = x->size < y->size ? x->size : y->size;
        for (u64 at = 0; at + PAGE <= size; at += PAGE) {
            if (!((x->flags[at / PAGE] | y->flags[at / PAGE]) & PAGE_TOUCHED) ||
                !memcmp(x->host + at, y->host + at, PAGE))
                continue;
            for (u64 k = at; k < at + PAGE; k += 8)
                if (memcmp(x->host + k, y->host + k, 8))
                    word_differs(r, symbols, x->base + k, load_le64(x->host + k), load_le64(y->host + k));
        }
    }
}

static size_t bytes_differ(const u8 *x, const u8 *y, size_t size)
{
    size_t bytes = 0;
    for (size_t n = 0; n < size; n++)
        bytes += x[n] != y[n];
    return bytes;
}

/* Some state by its name: small parts with their values, of others how many bytes differ. */
static bool part_differs(struct report *r, const char *name, const void *a, const void *b, size_t size)
{
    u64 v[2] = { 0, 0 };
    size_t bytes = bytes_differ(a, b, size);
    if (!bytes)
        return false;
    if (size > sizeof(v[0])) {
        out_format(r->o, "  %-25s %zu of %zu bytes\n", name, bytes, size);
        return true;
    }
    memcpy(&v[0], a, size);
    memcpy(&v[1], b, size);
    out_format(r->o, "  %-25s 0x%016llx 0x%016llx\n", name, (unsigned long long)v[0], (unsigned long long)v[1]);
    return true;
}

/* One part of a section: each field that differs. */
static bool section_differs(struct report *r, const struct section *s, u32 part, const u8 *a, const u8 *b)
{
    char name[96], number[16] = "";
    bool any = false;
    if (s->count > 1)
        snprintf(number, sizeof(number), "[%u]", part);
    if (!s->shape) {
        snprintf(name, sizeof(name), "%s%s", s->name, number);
        return part_differs(r, name, a, b, s->size);
    }
    for (u32 n = 0; n < s->shape->count; n++) {
        const struct state_field *f = &s->shape->field[n];
        snprintf(name, sizeof(name), "%s%s.%s", s->name, number, f->name);
        any |= part_differs(r, name, a + f->offset, b + f->offset, f->size);
    }
    return any;
}

/* All sections that both machines have, but the PEs, whose registers have names of their own. */
static void sections_differ(struct report *r, struct machine *a, struct machine *b)
{
    struct section x, y;
    for (unsigned n = 0; section_get(a, n, &x); n++)
        for (unsigned k = 0; section_get(b, k, &y); k++)
            if (!strcmp(x.name, y.name) && x.at != (u8 *)a->d.cpu)
                for (u32 part = 0; part < x.count && part < y.count; part++)
                    r->count.devices += section_differs(r, &x, part, x.at + x.stride * part, y.at + y.stride * part);
}

struct diff_count diff_states(struct machine *a, struct machine *b, const struct symbols *symbols, struct out *o,
                              u64 limit)
{
    struct report r = { .o = o, .limit = limit };
    out_format(o, "registers\n");
    for (u32 n = 0; n < a->options.cpu_count && n < b->options.cpu_count; n++) {
        general_differ(&r, &a->d.cpu[n], &b->d.cpu[n]);
        system_differ(&r, &a->d.cpu[n], &b->d.cpu[n]);
    }
    out_format(o, "memory\n");
    memory_differs(&r, a, b, symbols);
    out_format(o, "devices\n");
    sections_differ(&r, a, b);
    out_format(o, "%llu registers, %llu words of memory, %llu devices differ\n", (unsigned long long)r.count.registers,
               (unsigned long long)r.count.words, (unsigned long long)r.count.devices);
    return r.count;
}

void diff_next(struct machine *m, const struct symbols *symbols, struct out *o)
{
    struct cpu *cpu = &m->d.cpu[m->turn];
    char where[256] = "-";
    u8 bytes[4];
    u64 pa;
    bool there =
        mmu_debug_translate(cpu, cpu->pc, cpu->ps.el, &pa, NULL, NULL) && phys_copy_out(&m->d.phys, pa, bytes, 4);
    struct disasm *d = there ? disasm_create(m->d.decoder) : NULL;
    if (symbols)
        symbols_describe(symbols, cpu->pc, (struct symbol_place){ cpu->ps.el, SYMBOL_ANY }, where, sizeof(where));
    out_format(o, "cpu%u EL%u 0x%016llx %s: %s%s\n", cpu->index, cpu->ps.el, (unsigned long long)cpu->pc, where,
               d ? disasm_get(d, cpu->pc, load_le32(bytes))->text : "not readable",
               cpu->halted ? " (sleeps, or is off)" : "");
    disasm_destroy(d);
}

/* ---- runs ---- */

struct side {
    struct machine *m;
    u64 digest; /* of what was executed */
    struct run_end end;
};

static void after(void *ctx, struct cpu *cpu, u64 pc, u32 word)
{
    struct side *s = ctx;
    u64 sum = pc ^ (u64)word << 32 ^ cpu->pc << 11;
    for (unsigned n = 0; n < 31; n++)
        sum = (sum << 7 | sum >> 57) ^ cpu->x[n];
    s->digest = (s->digest ^ sum ^ cpu->x[REG_SP]) * 0x9e3779b97f4a7c15ull;
    s->digest ^= s->digest >> 29;
}

/* Of every instruction: what it left. */
static const struct hooks path_hooks = { .after = after };

/* Runs both to `to`. False: they differ. *ended: a run is over. */
static bool advance(struct side *a, struct side *b, u64 to, bool by_path, bool *ended)
{
    a->end = machine_run(a->m, to);
    b->end = machine_run(b->m, to);
    *ended = a->end.kind != END_INSNS;
    if (a->end.kind != b->end.kind || machine_insns(a->m) != machine_insns(b->m))
        return false;
    return by_path ? a->digest == b->digest : machine_hash(a->m) == machine_hash(b->m);
}

/* The copy waits for the word to go on. True: it is to. */
static bool copy_waits(int fd)
{
    char word = 0;
    return read(fd, &word, 1) == 1 && word == 'g';
}

/* A copy of the process returns where the runs part, the first one at the end. */
static enum diff_end runs_compare(struct side *x, struct side *y, bool by_path, u64 limit)
{
    bool ended = false;
    u64 stretch = by_path ? STRETCH_STEP : STRETCH;
    for (u64 at; (at = machine_insns(x->m)) < limit && !ended;) {
        u64 to = limit - at < stretch ? limit : at + stretch;
        int ends[2];
        fflush(NULL);
        pid_t copy = pipe(ends) ? -1 : fork();
        if (copy < 0)
            return DIFF_FAILED;
        close(ends[copy == 0]);
        if (copy == 0) {
            if (!copy_waits(ends[0]))
                _exit(0);
            close(ends[0]);
            if (to - at == 1)
                return DIFF_PARTED;
            stretch = (to - at) / 2;
            continue;
        }
        int status = 0;
        bool same = advance(x, y, to, by_path, &ended);
        if (!same && write(ends[1], "g", 1) != 1)
            return DIFF_FAILED;
        close(ends[1]);
        waitpid(copy, &status, 0);
        if (!same)
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    return DIFF_SAME;
}

enum diff_end diff_runs(struct machine *a, struct machine *b, u64 limit)
{
    struct side x = { .m = a }, y = { .m = b };
    bool by_path = machine_hash(a) != machine_hash(b);
    if (by_path) {
        observer_attach(a, &path_hooks, &x, WANT_ALL | WANT_EVERY);
        observer_attach(b, &path_hooks, &y, WANT_ALL | WANT_EVERY);
    }
    enum diff_end end = runs_compare(&x, &y, by_path, limit);
    observer_detach(a, &path_hooks, &x);
    observer_detach(b, &path_hooks, &y);
    return end;
}
