/*
 * The human monitor's commands about memory: x, xp, print, sum, gva2gpa, files of memory; and the expressions that they
 * take. Looking changes nothing: devices are not read.
 */
#include "frontend/hmp.h"

#include "debug/disasm.h"
#include "debug/dump.h"
#include "mmu/context.h"

#include <ctype.h>
#include <stdlib.h>

enum { EXPR_DEPTH = 64, DUMP_MOST = 1 << 16 /* bytes that one command shows */ };

static struct cpu *cpu_of(struct hmp *h) { return &h->m->d.cpu[session_debugger(h->session)->cpu]; }

/* ---- expressions ---- */

struct expr {
    struct hmp *h;
    char *at;
    bool one;
    unsigned depth;
    char wrong[120]; /* "": nothing is */
};

static u64 sum_of(struct expr *e);

static void wrong(struct expr *e, const char *what, char c)
{
    if (!e->wrong[0] && c)
        snprintf(e->wrong, sizeof(e->wrong), "%s '%c' in expression", what, c);
    else if (!e->wrong[0])
        snprintf(e->wrong, sizeof(e->wrong), "%s", what);
}

static void blanks_skip(struct expr *e)
{
    if (!e->one)
        e->at += strspn(e->at, " \t");
}

/* $NAME of a register, or a symbol, perhaps with an offset behind its name. */
static u64 name_value(struct expr *e)
{
    char name[128];
    u64 value = 0;
    size_t length = *e->at == '$';
    while (isalnum((u8)e->at[length]) || (e->at[length] && strchr("_.", e->at[length])))
        length++;
    snprintf(name, sizeof(name), "%.*s", (int)length, e->at);
    if (!debugger_address(session_debugger(e->h->session), name, &value))
        wrong(e, name[0] == '$' ? "unknown register" : "unknown symbol", 0);
    e->at += length;
    return value;
}

static u64 number_value(struct expr *e)
{
    char *end;
    u64 value = strtoull(e->at, &end, 0);
    if (isalnum((u8)*end))
        wrong(e, "invalid char", *end);
    e->at = end;
    return value;
}

static u64 primary(struct expr *e)
{
    u64 value = 0;
    blanks_skip(e);
    char c = *e->at;
    if (++e->depth > EXPR_DEPTH)
        wrong(e, "expression is nested too deep", 0);
    if (e->wrong[0])
        return 0;
    if (c == '(') {
        e->at++;
        value = sum_of(e);
        blanks_skip(e);
        if (*e->at == ')')
            e->at++;
        else
            wrong(e, "')' expected", 0);
    } else if (c == '+' || c == '-' || c == '~') {
        e->at++;
        value = primary(e);
        value = c == '-' ? 0 - value : c == '~' ? ~value : value;
    } else if (c == '\'' && e->at[1] && e->at[2] == '\'') {
        value = (u8)e->at[1];
        e->at += 3;
    } else if (isdigit((u8)c)) {
        value = number_value(e);
    } else if (c == '$' || isalpha((u8)c) || c == '_') {
        value = name_value(e);
    } else if (c) {
        wrong(e, "invalid char", c);
    } else {
        wrong(e, "unexpected end of expression", 0);
    }
    e->depth--;
    return value;
}

/* The operator that comes, if it is one of these. */
static char operator(struct expr *e, const char *operators)
{
    blanks_skip(e);
    return !e->wrong[0] && *e->at && strchr(operators, *e->at) ? *e->at++ : 0;
}

static u64 product(struct expr *e)
{
    u64 value = primary(e);
    for (char c; (c = operator(e, "*/%"));) {
        u64 by = primary(e);
        if (c == '*')
            value *= by;
        else if (!by)
            wrong(e, "division by zero", 0);
        else
            value = c == '/' ? value / by : value % by;
    }
    return value;
}

static u64 logic(struct expr *e)
{
    u64 value = product(e);
    for (char c; (c = operator(e, "&|^"));) {
        u64 by = product(e);
        value = c == '&' ? value & by : c == '|' ? value | by : value ^ by;
    }
    return value;
}

static u64 sum_of(struct expr *e)
{
    u64 value = logic(e);
    for (char c; (c = operator(e, "+-"));) {
        u64 by = logic(e);
        value = c == '+' ? value + by : value - by;
    }
    return value;
}

bool hmp_expression(struct hmp *h, bool one, u64 *value)
{
    struct expr e = { .h = h, .at = h->rest + strspn(h->rest, " \t"), .one = one };
    *value = sum_of(&e);
    if (!e.wrong[0] && *e.at && !(one && isblank((u8)*e.at)))
        wrong(&e, "invalid char", *e.at);
    h->rest = e.at;
    if (e.wrong[0])
        text_add(h->out, "%s\n", e.wrong);
    return !e.wrong[0];
}

/* Two of them: address, size. */
static bool range_take(struct hmp *h, u64 *at, u64 *size)
{
    return hmp_expression(h, true, at) && hmp_expression(h, true, size);
}

/* ---- x, xp ---- */

struct format {
    u64 count;
    char form;     /* o x d u c i */
    unsigned size; /* bytes of an item */
};

/* /[COUNT][FORM][SIZE] */
static bool format_read(struct hmp *h, struct format *f)
{
    char *at = hmp_format(h);
    *f = (struct format){ 1, 'x', 4 };
    if (isdigit((u8)*at))
        f->count = strtoull(at, &at, 10);
    bool sized = false;
    for (; *at; at++) {
        const char *sizes = "bhwg", *size = strchr(sizes, *at);
        if (strchr("oxduci", *at)) {
            f->form = *at;
        } else if (size) {
            f->size = 1u << (size - sizes);
            sized = true;
        } else {
            text_add(h->out, "invalid char in format: '%c'\n", *at);
            return false;
        }
    }
    f->size = f->form == 'c' && !sized ? 1 : f->form == 'i' ? 4 : f->size;
    if (f->count > DUMP_MOST / f->size) {
        text_add(h->out, "at most %d bytes\n", DUMP_MOST);
        return false;
    }
    return true;
}

/* Bytes of RAM within one page, as the CPU sees them or by physical address. */
static bool memory_read(struct hmp *h, bool physical, u64 at, void *to, unsigned size)
{
    const struct cpu *cpu = cpu_of(h);
    u8 *bytes = to;
    for (unsigned n = 0; n < size; n++) {
        u64 pa = at + n;
        if ((!physical && !mmu_debug_translate(cpu, at + n, cpu->ps.el, &pa, NULL, NULL)) ||
            !phys_copy_out(&h->m->d.phys, pa, bytes + n, 1))
            return false;
    }
    return true;
}

static void char_show(struct text *out, u8 c)
{
    const char *from = "\a\b\f\n\r\t\v\\'", *to = "abfnrtv\\'", *escaped = c ? strchr(from, c) : NULL;
    if (escaped)
        text_add(out, "'\\%c'", to[escaped - from]);
    else
        text_add(out, c >= ' ' && c < 127 ? "'%c'" : "'\\x%02x'", c);
}

static void item_show(struct text *out, char form, unsigned size, u64 value)
{
    switch (form) {
    case 'o': text_add(out, "%#*llo", (int)(8 * size + 2) / 3, HEX(value)); break;
    case 'u': text_add(out, "%*llu", (int)(80 * size + 32) / 33, HEX(value)); break;
    case 'd': text_add(out, "%*lld", (int)(80 * size + 32) / 33, (long long)value); break;
    case 'c': char_show(out, (u8)value); break;
    default: text_add(out, "0x%0*llx", (int)(2 * size), HEX(value));
    }
}

static void instructions_show(struct hmp *h, bool physical, u64 at, u64 count)
{
    struct disasm *d = disasm_create(h->m->d.decoder);
    for (u32 word; d && count; count--, at += 4) {
        if (!memory_read(h, physical, at, &word, 4)) {
            text_add(h->out, "0x%08llx:  Cannot access memory\n", HEX(at));
            break;
        }
        text_add(h->out, "0x%08llx:  %08x  %s\n", HEX(at), word, disasm_get(d, at, word)->text);
    }
    disasm_destroy(d);
}

static void memory_show(struct hmp *h, bool physical)
{
    struct format f;
    u64 at, value;
    if (!format_read(h, &f) || !hmp_expression(h, false, &at))
        return;
    if (f.form == 'i') {
        instructions_show(h, physical, at, f.count);
        return;
    }
    unsigned line = (f.size == 1 ? 8 : 16) / f.size;
    for (u64 n = 0; n < f.count; n++, at += f.size) {
        if (n % line == 0)
            text_add(h->out, "%s%016llx:", n ? "\n" : "", HEX(at));
        value = 0;
        if (!memory_read(h, physical, at, &value, f.size)) {
            text_add(h->out, " Cannot access memory");
            break;
        }
        text_add(h->out, " ");
        item_show(h->out, f.form, f.size, value);
    }
    text_add(h->out, "\n");
}

/* `x /FORMAT ADDRESS` is QEMU's; elmu's own has a count behind the address. */
void hmp_x(struct hmp *h)
{
    if (*(h->rest + strspn(h->rest, " \t")) == '/') {
        memory_show(h, false);
        return;
    }
    struct text line = { 0 };
    text_add(&line, "x %s", h->rest);
    monitor_run(session_debugger(h->session), line.s, h->out);
    text_free(&line);
}

void hmp_xp(struct hmp *h) { memory_show(h, true); }

void hmp_print(struct hmp *h)
{
    struct format f;
    u64 value;
    if (!format_read(h, &f) || !hmp_expression(h, false, &value))
        return;
    if (f.form == 'c')
        char_show(h->out, (u8)value);
    else
        text_add(h->out,
                 f.form == 'o'   ? "%#llo"
                 : f.form == 'u' ? "%llu"
                 : f.form == 'd' ? "%lld"
                                 : "%#llx",
                 HEX(value));
    text_add(h->out, "\n");
}

/* The sum of sum(1), over physical memory. */
void hmp_sum(struct hmp *h)
{
    enum { PAGE = 4096 };
    u64 at, size, part;
    u16 sum = 0;
    u8 bytes[PAGE];
    if (!range_take(h, &at, &size))
        return;
    for (; size; size -= part, at += part) {
        part = PAGE - at % PAGE < size ? PAGE - at % PAGE : size;
        if (terminal_interrupted() || !phys_copy_out(&h->m->d.phys, at, bytes, part)) {
            hmp_fail(h, "0x%llx is not RAM", HEX(at));
            return;
        }
        for (u64 n = 0; n < part; n++)
            sum = (u16)((sum >> 1 | sum << 15) + bytes[n]);
    }
    text_add(h->out, "%05u\n", sum);
}

void hmp_gva2gpa(struct hmp *h)
{
    const struct cpu *cpu = cpu_of(h);
    u64 at, pa;
    if (!hmp_expression(h, false, &at))
        return;
    if (mmu_debug_translate(cpu, at, cpu->ps.el, &pa, NULL, NULL))
        text_add(h->out, "gpa: %#llx\n", HEX(pa));
    else
        text_add(h->out, "Unmapped\n");
}

void hmp_gpa2hva(struct hmp *h)
{
    hmp_fail(h, "addresses of elmu's own memory are of no use to others (pmemsave writes it to a file)");
}

/* ---- files ---- */

static void memory_save(struct hmp *h, const struct cpu *cpu)
{
    char error[256];
    u64 at, size;
    if (!range_take(h, &at, &size))
        return;
    const char *file = hmp_word(h);
    if (!file[0])
        hmp_fail(h, "filename expected");
    else if (!memory_write(h->m, cpu, at, size, file, terminal_interrupted, error))
        hmp_fail(h, "%s", error);
}

void hmp_memsave(struct hmp *h) { memory_save(h, cpu_of(h)); }
void hmp_pmemsave(struct hmp *h) { memory_save(h, NULL); }

/* [-p] [-d] [-z|-l|-s|-w] FILE [BEGIN LENGTH], of which -d need not be. */
void hmp_dump(struct hmp *h)
{
    char error[256];
    u64 begin = 0, length = 0;
    char *word = hmp_word(h);
    for (; word[0] == '-' && word[1] && !word[2]; word = hmp_word(h))
        if (word[1] != 'd') {
            hmp_fail(h, "dump-guest-memory -%c is not supported (an ELF file with physical addresses is)", word[1]);
            return;
        }
    h->rest += strspn(h->rest, " \t");
    if (!word[0])
        hmp_fail(h, "dump-guest-memory: filename expected");
    else if (h->rest[0] && !range_take(h, &begin, &length))
        return;
    else if (!dump_write(h->m, word, begin, length, error))
        hmp_fail(h, "%s", error);
}
