/*
 * Monitor commands: the line, the table, and the commands about stops and positions. Walks, explanations and interrupts
 * are in files of their own (mon_*.c).
 */
#include "debug/monitor/monitor.h"

#include "cpu/exception/words.h"
#include "cpu/sysreg/sysreg.h"
#include "debug/regs.h"
#include "debug/reverse.h"
#include "debug/snapshot.h"
#include "debug/travel.h"
#include "debug/walks.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
    const char *name, *args, *help;
    monitor_fn *handler;
} commands[] = {
#define MONITOR(name, args, handler, help) { name, args, help, handler },
#include "debug/monitor/monitor.def"
};

/* ---- words ---- */

bool monitor_address(struct monitor_line *l, const char *word, u64 *value)
{
    return debugger_address(l->d, word, value);
}

static void word_remove(struct monitor_line *l, unsigned n)
{
    memmove(&l->word[n], &l->word[n + 1], (l->count - n - 1) * sizeof(l->word[0]));
    l->count--;
}

s64 monitor_option(struct monitor_line *l, const char *key, s64 otherwise)
{
    size_t size = strlen(key);
    for (unsigned n = 0; n < l->count; n++) {
        u64 value;
        if (strncmp(l->word[n], key, size) || l->word[n][size] != '=' ||
            !debugger_number(l->word[n] + size + 1, &value))
            continue;
        word_remove(l, n);
        return (s64)value;
    }
    return otherwise;
}

bool monitor_flag(struct monitor_line *l, const char *word)
{
    for (unsigned n = 0; n < l->count; n++)
        if (!strcmp(l->word[n], word)) {
            word_remove(l, n);
            return true;
        }
    return false;
}

struct cpu *monitor_cpu(struct monitor_line *l) { return &l->d->m->d.cpu[l->d->cpu]; }

bool monitor_regime(struct monitor_line *l, unsigned el, s64 vmid, struct regime_desc *r)
{
    char error[256];
    bool ok = walks_regime(l->d, el, (s32)vmid, r, error);
    if (!ok)
        text_add(l->out, "%s\n", error);
    return ok;
}

static void line_split(struct monitor_line *l, const char *line)
{
    strncpy(l->text, line, sizeof(l->text) - 1);
    for (char *p = strtok(l->text, " \t\r\n"); p && l->count < MONITOR_WORDS; p = strtok(NULL, " \t\r\n"))
        l->word[l->count++] = p;
}

bool monitor_has(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (!strcmp(commands[n].name, name))
            return true;
    return false;
}

bool monitor_run(struct debugger *d, const char *line, struct text *out)
{
    struct monitor_line l = { .d = d, .out = out };
    if (d) /* help needs none */
        d->wish = WISH_NONE;
    line_split(&l, line);
    if (!l.count) {
        cmd_help(&l);
        return false;
    }
    const char *name = l.word[0];
    word_remove(&l, 0);
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (!strcmp(commands[n].name, name)) {
            commands[n].handler(&l);
            return l.changed;
        }
    text_add(out, "no command \"%.40s\": monitor help lists them\n", name);
    return false;
}

void cmd_help(struct monitor_line *l)
{
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        if (!l->count || !strcmp(l->word[0], commands[n].name))
            text_add(l->out, "%s %s\n    %s\n", commands[n].name, commands[n].args, commands[n].help);
}

void monitor_usage(struct monitor_line *l, const char *name)
{
    l->count = 1;
    l->word[0] = (char *)(uintptr_t)name;
    text_add(l->out, "usage: ");
    cmd_help(l);
}

/* ---- stops ---- */

static struct stop_scope scope_take(struct monitor_line *l)
{
    return (struct stop_scope){ .el = (s32)monitor_option(l, "el", ANY),
                                .vmid = (s32)monitor_option(l, "vmid", ANY),
                                .asid = (s32)monitor_option(l, "asid", ANY),
                                .secure = (s32)monitor_option(l, "secure", ANY),
                                .cpu = (s32)monitor_option(l, "cpu", ANY) };
}

static void stop_add(struct monitor_line *l, struct stop_point made)
{
    struct stop_point *p = stops_new(&l->d->stops);
    if (!p) {
        text_add(l->out, "no room: %d stops are set\n", MAX_STOPS);
        return;
    }
    made.used = true;
    made.number = p->number;
    *p = made;
    stops_changed(&l->d->stops);
    text_add(l->out, "stop %u\n", p->number);
}

static void no_address(struct monitor_line *l, const char *word)
{
    text_add(l->out, "\"%.80s\": no address, register or symbol%s\n", word,
             l->d->symbols ? "" : " (-sym FILE gives the names of an ELF file)");
}

void cmd_break(struct monitor_line *l)
{
    struct stop_point p = { .what = ON_INSN, .size = 1, .value = ANY, .scope = scope_take(l) };
    if (l->count == 1 && !monitor_address(l, l->word[0], &p.addr))
        no_address(l, l->word[0]);
    else if (l->count != 1)
        monitor_usage(l, "break");
    else
        stop_add(l, p);
}

/* ADDR or ADDR,SIZE */
static bool range_parse(struct monitor_line *l, char *word, struct stop_point *p, u64 size)
{
    char *comma = strchr(word, ',');
    p->size = size;
    if (comma)
        *comma = 0;
    return monitor_address(l, word, &p->addr) && (!comma || debugger_number(comma + 1, &p->size)) && p->size &&
           p->addr + (p->size - 1) >= p->addr;
}

void cmd_watch(struct monitor_line *l)
{
    struct stop_point p = { .what = ON_WRITE, .space = SPACE_VA, .value = ANY, .scope = scope_take(l) };
    p.what = monitor_flag(l, "r") ? ON_READ : monitor_flag(l, "a") ? ON_ACCESS : ON_WRITE;
    monitor_flag(l, "w");
    p.space = monitor_flag(l, "pa") ? SPACE_PA : monitor_flag(l, "ipa") ? SPACE_IPA : SPACE_VA;
    monitor_flag(l, "va");
    if (l->count != 1 || !range_parse(l, l->word[0], &p, 8))
        monitor_usage(l, "watch");
    else
        stop_add(l, p);
}

static const struct {
    const char *name;
    u8 what;
} catches[] = {
    { "exception", ON_EXCEPTION }, { "exit", ON_EXIT }, { "sysreg", ON_SYSREG },
    { "s2fault", ON_S2FAULT },     { "el", ON_EL },     { "entry", ON_ENTRY },
};

void cmd_catch(struct monitor_line *l)
{
    struct stop_point p = { .size = 1, .value = ANY, .scope = scope_take(l) };
    for (unsigned n = 0; l->count && n < ARRAY_LEN(catches); n++) {
        p.what = catches[n].what;
        bool plain = p.what == ON_EL || p.what == ON_ENTRY;
        if (strcmp(l->word[0], catches[n].name) || l->count != (plain ? 1 : 2))
            continue;
        if (plain                  ? true
            : p.what == ON_SYSREG  ? debugger_sysreg(l->word[1], &p.value)
            : p.what == ON_S2FAULT ? range_parse(l, l->word[1], &p, 4096)
                                   : travel_class(l->word[1], &p.value)) {
            stop_add(l, p);
            return;
        }
    }
    monitor_usage(l, "catch");
}

static void scope_print(struct text *out, const char *key, s32 value)
{
    if (value != ANY)
        text_add(out, " %s=%d", key, value);
}

void cmd_stops(struct monitor_line *l)
{
    static const char *const what[] = { "break",      "watch w",      "watch r",       "watch a",  "catch exception",
                                        "catch exit", "catch sysreg", "catch s2fault", "catch el", "catch entry" };
    static const char *const space[] = { "va", "ipa", "pa" };
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        const struct stop_point *p = &l->d->stops.point[n];
        if (!p->used)
            continue;
        text_add(l->out, "%u: %s%s", p->number, p->gdb ? "gdb's " : "", what[p->what]);
        if (p->what == ON_SYSREG)
            text_add(l->out, " %s", sysreg_get((unsigned)p->value)->name);
        else if (p->what == ON_EXCEPTION || p->what == ON_EXIT)
            text_add(l->out, p->value == ANY ? " any" : " 0x%llx", HEX(p->value));
        else if (p->what < ON_EL)
            text_add(l->out, " 0x%llx,%llu %s", HEX(p->addr), HEX(p->size),
                     p->what == ON_S2FAULT ? "ipa" : space[p->space]);
        scope_print(l->out, "el", p->scope.el);
        scope_print(l->out, "vmid", p->scope.vmid);
        scope_print(l->out, "asid", p->scope.asid);
        scope_print(l->out, "secure", p->scope.secure);
        scope_print(l->out, "cpu", p->scope.cpu);
        text_add(l->out, "\n");
    }
}

void cmd_delete(struct monitor_line *l)
{
    u64 number = 0;
    bool found = false;
    if (l->count > 1 || (l->count && !debugger_number(l->word[0], &number))) {
        monitor_usage(l, "delete");
        return;
    }
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        struct stop_point *p = &l->d->stops.point[n];
        if (!p->used || p->gdb || (l->count && p->number != number))
            continue;
        p->used = false;
        found = true;
    }
    stops_changed(&l->d->stops);
    if (l->count && !found)
        text_add(l->out, "no stop %llu\n", HEX(number));
}

/* ---- positions ---- */

void cmd_where(struct monitor_line *l)
{
    static const char *const how[] = { "", ", WFI", ", WFE", ", off" };
    const struct machine *m = l->d->m;
    text_add(l->out, "%llu instructions, %llu ns\n", HEX(machine_insns(m)), HEX(m->now));
    if (l->d->reverse)
        text_add(l->out, "can go back to %llu\n", HEX(reverse_first(l->d->reverse)));
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        const struct cpu *cpu = &m->d.cpu[n];
        struct stop_scope s = stops_scope_of(cpu);
        text_add(l->out, "cpu%u: EL%u%s, pc 0x%llx, asid %d, vmid %d%s%s\n", n, cpu->ps.el, s.secure ? " Secure" : "",
                 HEX(cpu->pc), s.asid, s.vmid, how[cpu->halted & 3], n == m->turn ? ", its turn" : "");
    }
}

void cmd_fields(struct monitor_line *l)
{
    s64 row;
    if (l->count != 1 || !debugger_sysreg(l->word[0], &row)) {
        monitor_usage(l, "fields");
        return;
    }
    const struct sysreg *r = sysreg_get((unsigned)row);
    u64 value = sysreg_peek(monitor_cpu(l), r);
    struct text fields = { 0 };
    regs_fields_all(r->name, value, &fields);
    text_add(l->out, "%s = 0x%llx", r->name, HEX(value));
    if (fields.length)
        text_add(l->out, " [%s]", fields.s);
    text_add(l->out, "%s\n", sysreg_is_untouched(monitor_cpu(l), r) ? ": never written since reset" : "");
    text_free(&fields);
}

/* True, and said so: what a person changes is not in the journal, so the run could not be replayed. */
static bool is_recorded(struct monitor_line *l)
{
    if (l->d->recorded)
        text_add(l->out, "not with -record or -replay: the journal has no place for it\n");
    return l->d->recorded;
}

/* Like a register that is written by hand: what was recorded ahead will not come. */
void cmd_serror(struct monitor_line *l)
{
    struct machine *m = l->d->m;
    u64 syndrome = 0, index = l->d->cpu;
    if (l->count > 2 || (l->count > 0 && !debugger_number(l->word[0], &syndrome)) ||
        (l->count > 1 && !debugger_number(l->word[1], &index)) || syndrome >> 25 || index >= m->options.cpu_count) {
        monitor_usage(l, "serror");
        return;
    }
    if (is_recorded(l))
        return;
    struct cpu *cpu = &m->d.cpu[index];
    cpu->lines |= LINE_SERROR;
    cpu->serror_iss = exception_serror_iss(cpu, (u32)syndrome);
    cpu->d.attention |= ATT_IRQ;
    debugger_changed(l->d);
    text_add(l->out, "SError pending on cpu%llu, ISS 0x%x\n", HEX(index), cpu->serror_iss);
}

void cmd_goto(struct monitor_line *l)
{
    u64 to;
    if (l->count != 1 || !debugger_number(l->word[0], &to)) {
        monitor_usage(l, "goto");
        return;
    }
    if (!l->d->reverse || !reverse_goto(l->d->reverse, &l->d->stops, to))
        text_add(l->out, "cannot get there: %s\n",
                 !l->d->reverse                      ? "that needs -gdb, under which the run is kept"
                 : reverse_broken(l->d->reverse)     ? "interrupted"
                 : to < reverse_first(l->d->reverse) ? "the run could be followed only from later on"
                                                     : "the run ended before");
    l->d->cpu = l->d->m->turn;
    l->changed = true;
    cmd_where(l);
    text_add(l->out, "(in gdb, `maintenance flush register-cache` shows it)\n");
}

void cmd_snapshot(struct monitor_line *l)
{
    char error[256];
    if (l->count != 1)
        monitor_usage(l, "snapshot");
    else if (!snapshot_save(l->d->m, l->word[0], !snapshot_is_plain(l->word[0]), error))
        text_add(l->out, "%s\n", error);
}

void cmd_restore(struct monitor_line *l)
{
    char error[256];
    if (l->count != 1) {
        monitor_usage(l, "restore");
        return;
    }
    if (is_recorded(l))
        return;
    if (!snapshot_restore(l->d->m, l->word[0], error)) {
        text_add(l->out, "%s\n", error);
        return;
    }
    debugger_changed(l->d);
    l->d->cpu = l->d->m->turn;
    l->changed = true;
    cmd_where(l);
    text_add(l->out, "(in gdb, `maintenance flush register-cache` shows it)\n");
}
