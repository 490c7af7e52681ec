/* The options of traces: -trace, what selects, -sym, -coverage, -profile, -d and -D. */
#define _GNU_SOURCE
#include "frontend/property.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void events_add(struct options *o, const char *pattern, size_t length)
{
    if (o->trace.event == TRACE_PATTERNS)
        die("-d trace: more than %d", TRACE_PATTERNS);
    char *copy = strndup(pattern, length);
    if (!copy)
        die("out of memory");
    if (!trace_event_any(copy))
        fprintf(stderr, "elmu: -d trace:%s: fits no event (-d trace:help lists them)\n", copy);
    o->trace.pattern[o->trace.event++] = copy;
    o->trace.log |= LOG_EVENTS;
}

/* QEMU's -trace [enable=]PATTERN[,file=F]: events of -d trace:PATTERN. */
static void trace_events(struct options *o, const char *name, const char *arg)
{
    struct suboption s;
    for (const char *first = "enable"; suboption_next(&arg, first, &s); first = NULL)
        if (!strcmp(s.key, "enable"))
            events_add(o, s.value, strlen(s.value));
        else if (!strcmp(s.key, "file"))
            o->trace.log_file = text_copy(s.value);
        else
            die("-%s %s=: not supported: -%s enable=PATTERN,file=F or -d trace:PATTERN name events", name, s.key, name);
    o->log_given = true;
}

void opt_trace(struct options *o, const char *name, const char *arg)
{
    static const char *const kinds[] = { "exits", "tarmac", "perfetto", "dma" };
    const char **files[] = { &o->trace.exits, &o->trace.tarmac, &o->trace.perfetto, &o->trace.dma };
    size_t length = strcspn(arg, "=,");
    if (option_is_query(arg)) {
        trace_event_list();
        o->list_done = true;
        return;
    }
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++) {
        if (strlen(kinds[n]) != length || strncmp(kinds[n], arg, length) || arg[length] != '=' || !arg[length + 1])
            continue;
        if (*files[n])
            die("-%s %s=: given twice", name, kinds[n]);
        *files[n] = arg + length + 1;
        return;
    }
    if (!arg[0] ||
        (arg[length] == '=' && strncmp(arg, "enable=", 7) && strncmp(arg, "events=", 7) && strncmp(arg, "file=", 5)))
        die("-%s %.100s: expected exits=FILE, tarmac=FILE, perfetto=FILE or dma=FILE", name, arg);
    trace_events(o, name, arg);
}

/* What others log and nothing here does, or what only their translation has. */
static const char log_accepted[] = "nochain page strace plugin pcall";

static void log_add(struct options *o, const char *word, size_t length)
{
    char text[64];
    u32 item = trace_log_item(word, length);
    snprintf(text, sizeof(text), "%.*s", (int)(length < sizeof(text) ? length : sizeof(text) - 1), word);
    if (!strncmp(text, "trace:", 6))
        events_add(o, word + 6, length - 6);
    else if (!item && !word_among(log_accepted, text))
        die("-d %s: no such item (-d help lists them)", text);
    o->trace.log |= item;
    o->log_given = true;
}

void opt_log(struct options *o, const char *name, const char *arg)
{
    (void)name;
    if (!arg[0])
        die("-d: no item is named (-d help lists them)");
    o->list_done = option_is_query(arg) || !strcmp(arg, "trace:help") || !strcmp(arg, "trace:?");
    if (o->list_done && arg[0] == 't')
        trace_event_list();
    else if (o->list_done)
        trace_log_list();
    for (size_t length; !o->list_done && *arg; arg += length + (arg[length] == ',')) {
        length = strcspn(arg, ",");
        log_add(o, arg, length);
    }
}

/* The one %d of its name is the number of the process. */
void opt_log_file(struct options *o, const char *name, const char *arg)
{
    const char *percent = strchr(arg, '%');
    char text[4096];
    if (!arg[0] || strlen(arg) > sizeof(text) - 32)
        die("-%s: needs the name of a file", name);
    if (o->trace.log_file)
        die("-%s: given twice", name);
    if (percent && (percent[1] != 'd' || strchr(percent + 2, '%')))
        die("-%s %s: Bad logfile template: expected at most one %%d, which is the number of the process", name, arg);
    if (percent)
        snprintf(text, sizeof(text), "%.*s%d%s", (int)(percent - arg), arg, (int)getpid(), percent + 2);
    o->trace.log_file = text_copy(percent ? text : arg);
}

/* START..END, START+SIZE, START-SIZE */
static struct trace_span dfilter_range(const char *text, size_t length)
{
    char range[128], *end = NULL, *last = NULL;
    if (length < sizeof(range)) {
        snprintf(range, sizeof(range), "%.*s", (int)length, text);
        u64 start = strtoull(range, &end, 0);
        const char *how = end;
        const char *other = how + (how[0] == '.' && how[1] == '.' ? 2 : 1);
        u64 value = end > range && (other == how + 2 || *how == '+' || *how == '-') ? strtoull(other, &last, 0) : 0;
        if (last > other && !*last && (*how == '.' ? value >= start : value > 0))
            return (struct trace_span){ *how == '-' ? start - (value - 1) : start, *how == '.'   ? value
                                                                                   : *how == '+' ? start + (value - 1)
                                                                                                 : start };
    }
    die("-dfilter %.*s: Invalid range: expected START..END, START+SIZE or START-SIZE", (int)length, text);
}

void opt_dfilter(struct options *o, const char *name, const char *arg)
{
    (void)name;
    for (size_t length; *arg; arg += length + (arg[length] == ',')) {
        length = strcspn(arg, ",");
        if (o->trace.log_ranges == TRACE_RANGES)
            die("-dfilter: more than %d", TRACE_RANGES);
        o->trace.log_range[o->trace.log_ranges++] = dfilter_range(arg, length);
    }
}

/* May be negative. */
static void sym_offset(void *target, const char *option, const struct suboption *s)
{
    bool negative = s->value[0] == '-';
    u64 offset = suboption_number(option, s->value + negative, 1);
    ((struct symbol_file *)target)->offset = negative ? 0 - offset : offset;
}

static const struct property sym_rows[] = {
    PROPERTY("file", PROPERTY_TEXT, struct symbol_file, name),
    PROPERTY_BY("offset", sym_offset),
    PROPERTY("el", PROPERTY_NUMBER, struct symbol_file, el),
    PROPERTY("vmid", PROPERTY_NUMBER, struct symbol_file, vmid),
};

void opt_sym(struct options *o, const char *name, const char *arg)
{
    if (o->trace.symbol_count == MAX_SYMBOL_FILES)
        die("-%s: more than %d", name, MAX_SYMBOL_FILES);
    struct symbol_file *f = &o->trace.symbol[o->trace.symbol_count++];
    *f = (struct symbol_file){ .el = SYMBOL_ANY, .vmid = SYMBOL_ANY };
    properties_read(sym_rows, ARRAY_LEN(sym_rows), "-sym", arg, "file", f);
    if (!f->name[0])
        die("-%s: needs the name of a file", name);
    if (f->el < SYMBOL_ANY || f->el > 3 || f->vmid < SYMBOL_ANY || f->vmid > 0xffff)
        die("-%s %.200s: el is 0 to 3, vmid 0 to 65535", name, f->name);
}

/* "0,2": sets in[n] for each of these numbers below the limit. */
static void set_of(const char *name, const char *arg, unsigned limit, u8 *in)
{
    struct suboption s;
    unsigned count = 0;
    for (; suboption_next(&arg, "n", &s); count++) {
        u64 n = suboption_number(name, s.value, 1);
        if (strcmp(s.key, "n") || n >= limit)
            die("-%s: expected numbers from 0 to %u", name, limit - 1);
        in[n] = 1;
    }
    if (!count)
        die("-%s: expected numbers from 0 to %u", name, limit - 1);
}

void opt_trace_cpu(struct options *o, const char *name, const char *arg)
{
    set_of(name, arg, MAX_CPUS, o->trace.filter.cpu);
    o->trace.filter.some_cpus = 1;
}

void opt_trace_el(struct options *o, const char *name, const char *arg)
{
    u8 in[4] = { 0 };
    set_of(name, arg, ARRAY_LEN(in), in);
    for (unsigned n = 0; n < ARRAY_LEN(in); n++)
        o->trace.filter.els |= (u32)in[n] << n;
}

void opt_trace_vmid(struct options *o, const char *name, const char *arg)
{
    struct trace_filter *f = &o->trace.filter;
    struct suboption s;
    while (suboption_next(&arg, "n", &s)) {
        u64 n = strcmp(s.value, "none") ? suboption_number(name, s.value, 1) : 0;
        if (f->vmids == TRACE_VMIDS || n > 0xffff)
            die("-%s: at most %d numbers from 0 to 65535, or none", name, TRACE_VMIDS);
        f->vmid[f->vmids++] = strcmp(s.value, "none") ? (s32)n : SYMBOL_ANY;
    }
}

/* "A-B"; either may be missing where `open`. */
static void span(const char *name, const char *arg, u64 *lo, u64 *hi, bool open)
{
    char text[128];
    const char *dash = strchr(arg, '-');
    if (!dash || strlen(arg) >= sizeof(text) || (!open && (dash == arg || !dash[1])))
        die("-%s %.60s: expected LOW-HIGH", name, arg);
    snprintf(text, sizeof(text), "%.*s", (int)(dash - arg), arg);
    if (dash != arg)
        *lo = suboption_number(name, text, 1);
    if (dash[1])
        *hi = suboption_number(name, dash + 1, 1);
    if (*lo > *hi)
        die("-%s %.60s: ends before it begins", name, arg);
}

void opt_trace_range(struct options *o, const char *name, const char *arg)
{
    struct trace_filter *f = &o->trace.filter;
    if (f->ranges == TRACE_RANGES)
        die("-%s: more than %d", name, TRACE_RANGES);
    span(name, arg, &f->range[f->ranges].lo, &f->range[f->ranges].hi, false);
    f->ranges++;
}

void opt_trace_insns(struct options *o, const char *name, const char *arg)
{
    u64 last = NEVER;
    span(name, arg, &o->trace.filter.first, &last, true);
    o->trace.filter.last = last == NEVER ? 0 : last;
}

static void point(struct trace_point *p, const char *name, const char *arg)
{
    if (p->kind != POINT_NONE)
        die("-%s: given twice", name);
    if (!strcmp(arg, "exc")) {
        p->kind = POINT_EXCEPTION;
    } else if (arg[0] == '@') {
        p->kind = POINT_COUNT;
        p->at = suboption_number(name, arg + 1, 1);
    } else {
        p->kind = POINT_SYMBOL;
        if (!strncmp(arg, "0x", 2))
            p->at = suboption_number(name, arg, 1);
        else if (!arg[0] || strlen(arg) >= sizeof(p->symbol))
            die("-%s: expected a symbol, an address 0x..., exc or @COUNT", name);
        else
            snprintf(p->symbol, sizeof(p->symbol), "%.250s", arg);
    }
}

void opt_trace_start(struct options *o, const char *name, const char *arg) { point(&o->trace.filter.start, name, arg); }
void opt_trace_stop(struct options *o, const char *name, const char *arg) { point(&o->trace.filter.stop, name, arg); }

void options_trace_check(const struct options *o)
{
    const struct trace_config *t = &o->trace;
    const struct trace_filter *f = &t->filter;
    bool selects =
        f->some_cpus || f->els || f->vmids || f->ranges || f->first || f->last || f->start.kind || f->stop.kind;
    if (t->log_file && !o->log_given && !(o->mon_given && o->mon_count)) /* a monitor's `log` */
        die("-D: needs -d, or -monitor");
    if (selects && !trace_wanted(t))
        die("-trace-...: nothing is traced (-trace, -coverage, -profile or -d)");
    bool looked = o->gdb || o->at_end || o->report || o->max_insns != NEVER; /* a limit says where the CPUs are */
    if (t->symbol_count && !trace_wanted(t) && !looked)
        fprintf(stderr,
                "elmu: -sym: no trace shows names (-trace, -coverage, -profile, -d): they serve only to say where the "
                "CPUs are at the end\n");
    if (t->coverage && !t->symbol_count)
        die("-coverage: needs -sym FILE, the ELF that is measured");
    if (t->profile && !t->symbol_count)
        die("-profile: needs -sym FILE, for the names of functions");
}
