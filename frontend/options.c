/*
 * The command line: finds the row of each option (options.def) and does what the row says. Those that need more than a
 * row: options_machine.c, options_device.c, options_console.c, options_trace.c, options_host.c ... Those that QEMU has
 * and elmu has not are told so (refused.def).
 */
#include "frontend/options.h"

#include "lib/nearest.h"

#include <stdio.h>

/* What an option does. */
enum how {
    HOW_CALL,    /* calls a function */
    HOW_TEXT,    /* its argument is a field of struct options, */
    HOW_ONCE,    /* ... which may be given once, and not be empty, */
    HOW_NUMBER,  /* ... which is an u64 */
    HOW_FLAG,    /* sets a bool */
    HOW_LIST,    /* prints a table and ends */
    HOW_ONLY,    /* nothing: its argument must be one of some words */
    HOW_IGNORED, /* nothing */
    HOW_NOT_YET
};

static const struct option_row {
    const char *name, *argument, *help;
    const char *dashes; /* as people write it */
    enum how how;
    size_t field;
    const char *words; /* name of a table; values; what is said */
    option_fn *call;
    const char *group; /* no option, but the title of those that follow */
} rows[] = {
#define GROUP(title)     { .name = "", .argument = "", .group = title },
#define CALL(function)   .how = HOW_CALL, .call = function
#define TEXT(field_)     .how = HOW_TEXT, .field = offsetof(struct options, field_)
#define ONCE(field_)     .how = HOW_ONCE, .field = offsetof(struct options, field_)
#define NUMBER(field_)   .how = HOW_NUMBER, .field = offsetof(struct options, field_)
#define FLAG(field_)     .how = HOW_FLAG, .field = offsetof(struct options, field_)
#define LIST(table)      .how = HOW_LIST, .words = table
#define ONLY(values)     .how = HOW_ONLY, .words = values
#define IGNORED          .how = HOW_IGNORED
#define NOT_YET(message) .how = HOW_NOT_YET, .words = message
#define OPTION(name_, argument_, how_, help_)                                                                          \
    { .name = name_, .argument = argument_, .help = help_, .dashes = "-", how_ },
#define OWN_OPTION(name_, argument_, how_, help_)                                                                      \
    { .name = name_, .argument = argument_, .help = help_, .dashes = "--", how_ },
#include "frontend/options.def"
};

static const struct {
    const char *name, *why;
} refused[] = {
#define REFUSED(name_, why_) { name_, why_ },
#include "frontend/refused.def"
};

bool option_is_query(const char *arg) { return !strcmp(arg, "?") || !strcmp(arg, "help"); }

void opt_gdb_default(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    o->gdb = "tcp::1234";
}

enum { HELP_WIDTH = 100, HELP_LEFT = 30 /* columns of what is written */ };

void help_words(int used, int left, const char *words)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        int length = (int)strcspn(at, " ");
        if (at == words ? used >= left : used + 1 + length > HELP_WIDTH) {
            putchar('\n');
            used = 0;
        }
        used += used < left ? printf("%*s", left - used, "") : printf(" ");
        used += printf("%.*s", length, at);
        at += length;
    }
    putchar('\n');
}

void opt_help(struct options *o, const char *name, const char *arg)
{
    (void)name, (void)arg;
    puts("usage: elmu [options]\n"
         "example: elmu -M virt,virtualization=on -cpu max -m 1G -nographic -kernel Image\n"
         "             -initrd initrd -append console=ttyAMA0");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (rows[n].group)
            printf("\n%s:\n", rows[n].group);
        else if (rows[n].help)
            help_words(
                printf("  %s%s%s%s", rows[n].dashes, rows[n].name, rows[n].argument[0] ? " " : "", rows[n].argument),
                HELP_LEFT, rows[n].help);
    status_help();
    puts("\non the terminal: Ctrl-A x quits, Ctrl-A h helps");
    o->list_done = true;
}

void options_list(void)
{
    const char *group = "";
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        const struct option_row *r = &rows[n];
        if (r->group)
            group = r->group;
        else
            printf("%s\t%s%s\t%s\t%s\n", group, r->dashes, r->name, r->argument, r->help ? r->help : "");
    }
}

static void once(const char **field, const char *name, const char *arg)
{
    if (!arg[0])
        die("-%s: needs the name of a file", name);
    if (*field)
        die("-%s: given twice", name);
    *field = arg;
}

static void option_do(struct options *o, const struct option_row *r, const char *arg)
{
    void *field = (char *)o + r->field;
    switch (r->how) {
    case HOW_CALL: r->call(o, r->name, arg); break;
    case HOW_TEXT: *(const char **)field = arg; break;
    case HOW_ONCE: once(field, r->name, arg); break;
    case HOW_NUMBER: *(u64 *)field = suboption_number(r->name, arg, 1); break;
    case HOW_FLAG: *(bool *)field = true; break;
    case HOW_LIST: o->list_done = list_print(r->words); break;
    case HOW_ONLY:
        if (!word_among(r->words, arg))
            die("-%s %s: not yet supported (only %s)", r->name, arg, r->words);
        break;
    case HOW_IGNORED: break;
    case HOW_NOT_YET: die("-%s: %s", r->name, r->words);
    }
}

static bool name_is(const char *name, const char *word, size_t length)
{
    return strlen(name) == length && !strncmp(name, word, length);
}

/* Dies when there is none. */
static const struct option_row *row_find(const char *name, size_t length)
{
    struct nearest like = { 0 };
    char words[96];
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!rows[n].group && name_is(rows[n].name, name, length))
            return &rows[n];
    for (unsigned n = 0; n < ARRAY_LEN(refused); n++)
        if (name_is(refused[n].name, name, length))
            die("-%s: elmu has no %s", refused[n].name, refused[n].why);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (!rows[n].group)
            nearest_try(&like, name, length, rows[n].name);
    die("-%s: no such option%s (--help lists them)", name, nearest_words(&like, words));
}

static void option_run(struct options *o, const char *arg, int argc, char **argv, int *at)
{
    if (arg[0] != '-' || !arg[1])
        die("'%s': not an option (files are given by -kernel, -drive ...)", arg);
    const char *name = arg + (arg[1] == '-' ? 2 : 1), *value = "";
    size_t len = strcspn(name, "=");
    const struct option_row *r = row_find(name, len);
    if (r->argument[0] && name[len] == '=')
        value = name + len + 1;
    else if (r->argument[0] && ++*at < argc)
        value = argv[*at];
    else if (r->argument[0])
        die("%s: needs an argument (%s)", arg, r->argument);
    else if (name[len])
        die("%s: takes no argument", arg);
    option_do(o, r, value);
}

void option_given(struct options *o, const char *name, const char *arg)
{
    option_do(o, row_find(name, strlen(name)), arg);
}

bool options_parse(struct options *o, int argc, char **argv, int *status)
{
    strcpy(o->cpu, "cortex-a57");
    o->machine.cpu_count = 1;
    o->machine.gic_version = 2;
    o->machine.its = o->machine.acpi = 1;
    o->machine.ram_size = 128 << 20;
    o->machine.rtc_base = 1704067200; /* 2024-01-01 */
    o->max_insns = NEVER;
    o->engine = ENGINE_THREADED;
    o->tier2.hot = TIER2_HOT;
    o->program = argc ? argv[0] : "";
    *status = 0;
    options_set_apply(argc, argv);
    globals_read(o, argc, argv);
    for (int n = 1; n < argc; n++) {
        option_run(o, argv[n], argc, argv, &n);
        if (o->list_done)
            return false;
    }
    if (o->after)
        die("--after '%s': its --send is missing", o->after);
    display_complete(o);
    consoles_complete(o);
    if (o->machine.semihosting)
        o->given |= GIVEN_SEMIHOSTING;
    if (o->untagged)
        snprintf(o->cpu + strlen(o->cpu), sizeof(o->cpu) - strlen(o->cpu), CPU_UNTAGGED);
    return true;
}
