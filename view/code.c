/*
 * The code around where the PE stands, with its source, and the PE's registers: those that changed since the machine
 * stood elsewhere are lit; system registers by their fields; the stack. A click on an instruction sets or removes a
 * stop there, at that EL and in that guest.
 */
#include "view/view_internal.h"

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "debug/disasm.h"
#include "debug/regs.h"
#include "debug/source.h"
#include "debug/stops.h"

#include <stdio.h>

enum { SHOWN = 34 /* x0..x30, sp, pc, PSTATE */, BEFORE = 6, LINE = 18, MARK = 18 };

struct code_state {
    u64 at; /* first instruction; or where the PE stands, less BEFORE */
    u8 asked, known, pad[6];
    s64 lines;         /* moved by so many instructions */
    u64 position, cpu; /* where `now` was seen, and of which PE */
    u64 now[SHOWN], before[SHOWN];
};
enum { ZONE_INSN, ZONE_STACK };

/* ---- instructions ---- */

static struct symbol_place place_of(const struct cpu *cpu)
{
    return (struct symbol_place){ .el = cpu->ps.el, .vmid = cpu_guest(cpu) == NO_GUEST ? SYMBOL_ANY : cpu_guest(cpu) };
}

static struct stop_point *stop_at(struct debugger *d, u64 pc, const struct cpu *cpu)
{
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        struct stop_point *p = &d->stops.point[n];
        if (p->used && p->what == ON_INSN && p->addr == pc && (p->scope.el == ANY || p->scope.el == cpu->ps.el))
            return p;
    }
    return NULL;
}

static void insn_draw(struct looker *l, const struct cpu *cpu, u64 pc, float y, float w, struct canvas *c)
{
    bool here = pc == cpu->pc;
    u32 word;
    float x = VIEW_EDGE + MARK;
    struct disasm *disasm = debugger_disasm(l->d);
    if (here)
        canvas_rect(c, VIEW_EDGE, y, w, LINE, INK_LIT, INK_NONE);
    if (stop_at(l->d, pc, cpu))
        canvas_rect(c, VIEW_EDGE + 3, y + 4, 10, 10, INK_FAULT, INK_TEXT_FAULT);
    if (here)
        canvas_arrow(c, VIEW_EDGE + 2, y + LINE / 2.0f, VIEW_EDGE + MARK - 2, y + LINE / 2.0f, INK_TEXT);
    canvas_text(c, x, y + 2, FONT_SMALL, here ? INK_TEXT : INK_DIM, "%16llx", HEX(pc));
    x += 17 * 7;
    if (debugger_read(l->d, pc, &word, 4) != 4 || !disasm) {
        canvas_text(c, x, y, FONT_BODY, here ? INK_TEXT : INK_DIM, "not readable here and now");
        return;
    }
    canvas_text(c, x, y + 2, FONT_SMALL, here ? INK_TEXT : INK_DIM, "%08x", word);
    canvas_fit(c, x + 9 * 7, y, VIEW_EDGE + w - x - 9 * 7, here ? FONT_BOLD : FONT_BODY, INK_TEXT, "%s",
               disasm_get(disasm, pc, word)->text);
    canvas_zone(c, VIEW_EDGE, y, w, LINE, ZONE_INSN, pc, "0x%llx: %s%s", HEX(pc), disasm_get(disasm, pc, word)->text,
                here ? ", where the PE stands" : "");
}

/* What stands above an instruction: its function where one begins (or the list does), its line of source where that is
 * another. Returns the height. */
static float above(struct looker *l, const struct cpu *cpu, u64 pc, bool first, u32 *line, float y, float w,
                   struct canvas *c)
{
    const struct symbols *names = l->d->symbols;
    const struct symbol *s = names ? symbols_find(names, pc, place_of(cpu)) : NULL;
    const struct symbol_line *at = names ? symbols_line(names, pc, place_of(cpu)) : NULL;
    char text[200];
    float used = 0;
    if (s && s->function && (first || s->lo == pc)) {
        canvas_fit(c, VIEW_EDGE + MARK, y, w - MARK, FONT_BOLD, INK_TEXT_GOOD, "%s%s", s->name,
                   s->lo == pc ? ":" : " …");
        used = LINE;
    }
    if (!at || !at->line || at->line == *line)
        return used;
    *line = at->line;
    const char *file = strrchr(at->file, '/');
    if (!source_line(at->file, at->line, text, sizeof(text)))
        text[0] = 0;
    canvas_fit(c, VIEW_EDGE + MARK, y + used + 1, w - MARK, FONT_SMALL, INK_DIM, "%s:%u  %s",
               file ? file + 1 : at->file, at->line, text);
    return used + LINE - 1;
}

static u64 first_of(const struct code_state *s, const struct cpu *cpu)
{
    return (s->asked ? s->at : cpu->pc - 4 * BEFORE) + (u64)(s->lines * 4);
}

static void insns_draw(struct looker *l, const struct code_state *s, const struct cpu *cpu, float w, struct canvas *c)
{
    u64 pc = first_of(s, cpu) & ~(u64)3;
    u32 line = 0;
    bool first = true;
    for (float y = 8; y + 3 * LINE < c->height; pc += 4, first = false) {
        y += above(l, cpu, pc, first, &line, y, w, c);
        insn_draw(l, cpu, pc, y, w, c);
        y += LINE;
    }
}

/* ---- registers ---- */

static void registers_seen(const struct looker *l, struct code_state *s, const struct cpu *cpu)
{
    u64 position = machine_insns(l->d->m);
    if (s->known && s->position == position && s->cpu == cpu->index)
        return;
    bool same = s->known && s->cpu == cpu->index;
    memcpy(s->before, s->now, sizeof(s->before));
    memcpy(s->now, cpu->x, 31 * sizeof(s->now[0]));
    s->now[31] = cpu->x[REG_SP];
    s->now[32] = cpu->pc;
    s->now[33] = cpu_spsr(cpu);
    if (!same)
        memcpy(s->before, s->now, sizeof(s->before));
    s->position = position;
    s->cpu = cpu->index;
    s->known = 1;
}

static float registers_draw(const struct code_state *s, float x, float y, float w, struct canvas *c)
{
    float column = w / 3;
    for (unsigned n = 0; n < 33; n++) {
        unsigned third = n / 11;
        float at = x + column * (float)third, line = y + (float)(n % 11) * 17;
        bool changed = s->now[n] != s->before[n];
        char name[8];
        snprintf(name, sizeof(name), n == 31 ? "sp" : n == 32 ? "pc" : "x%u", n);
        if (changed)
            canvas_rect(c, at - 3, line, column - 8, 17, INK_LIT, INK_NONE);
        canvas_text(c, at, line + 1, FONT_SMALL, changed ? INK_TEXT : INK_DIM, "%-3s", name);
        canvas_text(c, at + 4 * 7, line + 1, FONT_SMALL, s->now[n] || changed ? INK_TEXT : INK_DIM, "%016llx",
                    HEX(s->now[n]));
    }
    return y + 11 * 17 + 6;
}

/* A system register by the fields that are set. */
static float system_draw(struct cpu *cpu, const char *name, float x, float y, float w, struct canvas *c)
{
    s64 row;
    struct text fields = { 0 };
    if (!debugger_sysreg(name, &row))
        return y;
    u64 value = sysreg_peek(cpu, sysreg_get((unsigned)row));
    regs_fields(name, value, &fields);
    canvas_text(c, x, y, FONT_SMALL, INK_DIM, "%-10s", name);
    canvas_text(c, x + 11 * 7, y, FONT_SMALL, INK_TEXT, "%16llx", HEX(value));
    float h = canvas_lines(c, x + 29 * 7, y, w - 29 * 7, 2, FONT_SMALL, INK_TEXT, "%s", fields.s ? fields.s : "");
    text_free(&fields);
    return y + (h < 15 ? 15 : h) + 1;
}

static float systems_draw(struct cpu *cpu, float x, float y, float w, struct canvas *c)
{
    static const char *const names[] = { "SCTLR", "TCR", "TTBR0", "VBAR", "ELR", "ESR", "FAR" };
    static const char *const own[] = { "HCR_EL2", "VTTBR_EL2", "VTCR_EL2" };
    unsigned el = cpu->ps.el ? cpu->ps.el : 1;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++) {
        char name[16];
        snprintf(name, sizeof(name), "%s_EL%u", names[n], el);
        y = system_draw(cpu, name, x, y, w, c);
    }
    for (unsigned n = 0; n < ARRAY_LEN(own); n++)
        y = system_draw(cpu, own[n], x, y, w, c);
    return y;
}

static void stack_draw(struct looker *l, const struct cpu *cpu, float x, float y, float w, struct canvas *c)
{
    u64 sp = cpu->x[REG_SP];
    y = view_box(c, x, y, w, c->height - y - 8, "stack");
    for (u64 word; y + 17 < c->height - 8; y += 16, sp += 8) {
        char name[128] = "";
        if (debugger_read(l->d, sp, &word, 8) != 8) {
            canvas_fit(c, x + 8, y, w - 16, FONT_SMALL, INK_DIM, "0x%llx is not readable here and now", HEX(sp));
            return;
        }
        const struct symbol *s = l->d->symbols ? symbols_find(l->d->symbols, word, place_of(cpu)) : NULL;
        if (s && s->function && word != s->lo)
            snprintf(name, sizeof(name), "%.100s+0x%llx", s->name, HEX(word - s->lo));
        canvas_text(c, x + 8, y, FONT_SMALL, INK_DIM, "sp+%03llx", HEX(sp - cpu->x[REG_SP]));
        canvas_text(c, x + 8 + 9 * 7, y, FONT_SMALL, word ? INK_TEXT : INK_DIM, "%016llx", HEX(word));
        canvas_fit(c, x + 8 + 27 * 7, y, w - 16 - 27 * 7, FONT_SMALL, INK_TEXT_GOOD, "%s", name);
    }
}

/* ---- the view ---- */

static void code_draw(struct looker *l, void *state, struct canvas *c)
{
    struct code_state *s = state;
    struct cpu *cpu = &l->d->m->d.cpu[l->d->cpu];
    float w = (c->width - 2 * VIEW_EDGE) * 0.52f, x = VIEW_EDGE + w + 16, right = c->width - VIEW_EDGE - x, y = 8;
    struct text mode = { 0 };
    registers_seen(l, s, cpu);
    insns_draw(l, s, cpu, w, c);
    regs_fields("SPSR_EL2", s->now[33], &mode);
    canvas_rect(c, x, y, right, 22, view_el_ink(cpu->ps.el), INK_NONE);
    canvas_fit(c, x + 8, y + 2, right - 16, FONT_BOLD, INK_TEXT, "PSTATE %s", mode.s ? mode.s : "");
    text_free(&mode);
    y = registers_draw(s, x + 4, y + 28, right, c);
    y = systems_draw(cpu, x + 4, y, right - 4, c);
    if (y + 60 < c->height)
        stack_draw(l, cpu, x, y + 6, right, c);
}

static struct view_answer code_key(struct looker *l, void *state, unsigned key)
{
    struct code_state *s = state;
    (void)l;
    switch (key) {
    case VIEW_UP: s->lines--; break;
    case VIEW_DOWN: s->lines++; break;
    case VIEW_PAGE_UP: s->lines -= 16; break;
    case VIEW_PAGE_DOWN: s->lines += 16; break;
    case VIEW_HOME: s->lines = 0, s->asked = 0; break;
    default: return (struct view_answer){ .wish = VIEW_NOTHING };
    }
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static struct view_answer code_clicked(struct looker *l, void *state, u32 zone, u64 value)
{
    const struct cpu *cpu = &l->d->m->d.cpu[l->d->cpu];
    (void)state;
    if (zone != ZONE_INSN)
        return (struct view_answer){ .wish = VIEW_NOTHING };
    struct stop_point *p = stop_at(l->d, value, cpu);
    if (p && !p->gdb) {
        p->used = false;
    } else if (!p && (p = stops_new(&l->d->stops))) {
        *p = (struct stop_point){
            .used = true,
            .number = p->number,
            .what = ON_INSN,
            .addr = value,
            .size = 1,
            .value = ANY,
            .scope = { .el = cpu->ps.el, .vmid = cpu_guest(cpu), .asid = ANY, .secure = ANY, .cpu = ANY }
        };
    }
    stops_changed(&l->d->stops);
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static bool code_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct code_state *s = state;
    struct view_args a;
    if (!args_split(&a, words, error))
        return false;
    const char *word = args_next(&a);
    s->lines = 0;
    s->asked = word != NULL;
    if (word && !debugger_address(l->d, word, &s->at)) {
        snprintf(error, 256, "code: \"%.80s\": no address, register or symbol", word);
        return false;
    }
    return args_done(&a, "code", error);
}

const struct view_kind view_code = { .state_size = sizeof(struct code_state),
                                     .keys = "up, down, Page up, down: other code   Home: where the PE stands   click: a stop",
                                     .draw = code_draw,
                                     .key = code_key,
                                     .clicked = code_clicked,
                                     .set = code_set };
