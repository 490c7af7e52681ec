/* How a run ended: exit statuses (status.def), and where the CPUs were when nobody asked for the end. */
#include "frontend/frontend.h"

#include "debug/symbols.h"
#include "debug/trace/trace_internal.h"

static const struct {
    int status;
    const char *why;
} rows[] = {
#define STATUS(number, id, why) { number, why },
#include "frontend/status.def"
};

void status_help(void)
{
    puts("\nexit status (a guest that exits by semihosting gives its own):");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        help_words(printf("  %3d", rows[n].status), 7, rows[n].why);
}

/* Names: of -sym, else of the images that are ELF files. */
static struct symbols *names_of(const struct options *o)
{
    struct symbols *s = symbols_create();
    char error[256];
    for (unsigned n = 0; s && n < o->trace.symbol_count; n++)
        symbols_add(s, &o->trace.symbol[n], error);
    const char *images[1 + MAX_LOADERS] = { o->kernel };
    for (unsigned n = 0; n < o->loader_count; n++)
        images[1 + n] = o->loader[n].file;
    for (unsigned n = 0; s && !o->trace.symbol_count && n < ARRAY_LEN(images); n++) {
        struct symbol_file f = { .el = SYMBOL_ANY, .vmid = SYMBOL_ANY };
        if (!images[n] || strlen(images[n]) >= sizeof(f.name))
            continue;
        snprintf(f.name, sizeof(f.name), "%s", images[n]);
        symbols_add(s, &f, error); /* no ELF file: no names */
    }
    return s;
}

void ends_where(struct machine *m, const struct options *o)
{
    struct symbols *names = names_of(o);
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        struct cpu *cpu = &m->d.cpu[n];
        char how[512], where[256] = "-";
        stuck_where(m, cpu, how, sizeof(how));
        if (names)
            symbols_describe(names, cpu->pc, trace_place(cpu), where, sizeof(where));
        if (cpu->halted == HALT_OFF)
            fprintf(stderr, "elmu: cpu%u: off\n", n);
        else
            fprintf(stderr, "elmu: cpu%u: EL%u, pc 0x%llx%s%s%s: %s\n", n, cpu->ps.el, (unsigned long long)cpu->pc,
                    strcmp(where, "-") ? " (" : "", strcmp(where, "-") ? where : "", strcmp(where, "-") ? ")" : "",
                    how);
    }
    if (names)
        symbols_destroy(names);
}

int ends_status(const struct run_end *end, struct machine *m, const struct options *o, bool unseen)
{
    bool forced = end->kind == END_INSNS || end->kind == END_ASLEEP || end->kind == END_LOOP ||
                  (end->kind == END_REQUEST && end->status >= STATUS_HANGUP);
    int status = end->kind == END_INSNS   ? STATUS_LIMIT
                 : end->kind == END_RESET ? STATUS_RESET
                 : end->kind == END_OFF   ? STATUS_OFF
                                          : end->status;
    if (end->kind == END_INSNS)
        fprintf(stderr, "elmu: stopped after %llu instructions (--max-insns)\n", (unsigned long long)o->max_insns);
    else if (end->kind == END_RESET)
        fprintf(stderr, "elmu: the guest asked for a reset (-no-reboot)\n");
    else if (end->kind != END_OFF && end->text[0])
        fprintf(stderr, "elmu: %s\n", end->text);
    if (forced)
        ends_where(m, o);
    return unseen && status == STATUS_OFF ? STATUS_UNSEEN : status;
}
