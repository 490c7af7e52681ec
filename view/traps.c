/*
 * The trap controls (cpu/sysreg/traps.def, fgt.def) as they are for one EL: a panel a register, a field a control.
 * Those that trap here and now are coloured by the EL that they trap to; beside each how often it has caused an
 * exception. Of the registers of FEAT_FGT, which have hundreds, only those are shown that are armed or have fired.
 */
#include "view/view_internal.h"

#include "cpu/el.h"
#include "cpu/feature.h"
#include "cpu/sysreg/sysreg.h"

#include <ctype.h>
#include <stdio.h>

struct traps_state {
    u8 el, asked; /* asked: an EL was chosen; else it is the PE's, or EL1 while the PE is above */
};
enum { ZONE_FIELD };
enum { CHIP_W = 150, CHIP_H = 36, GAP = 6, HEAD = 22 };

/* A control: rows of one field, which differ in what they trap. */
struct control {
    const struct trap_row *row;
    u8 dir, from;
    bool armed;
    u64 fired;
};

static unsigned el_of(const struct looker *l, const struct traps_state *s)
{
    unsigned el = l->d->m->d.cpu[l->d->cpu].ps.el;
    return s->asked ? s->el : el < 2 ? el : 1;
}

static bool same_field(const struct trap_row *a, const struct trap_row *b)
{
    return a->offset == b->offset && a->to == b->to && a->hi == b->hi && a->lo == b->lo && !strcmp(a->name, b->name);
}

/* The register of a control: its name as a field of struct sysregs is Arm's, in small letters. */
static const struct sysreg *register_of(const struct trap_row *row)
{
    s64 n;
    return debugger_sysreg(row->reg, &n) ? sysreg_get((unsigned)n) : NULL;
}

/* Is there such a control on this PE, for that EL? Not where the field is RES0. */
static bool is_there(const struct cpu *cpu, unsigned n, unsigned el)
{
    if (!trap_counts(cpu, n, el))
        return false;
    const struct trap_row *row = trap_get(n);
    const struct sysreg *r = register_of(row);
    return !r || sysreg_writable(cpu, r) & ones(row->hi + 1u) & ~ones(row->lo);
}

static bool is_fine(const struct trap_row *row) { return !strncmp(row->reg, "hf", 2) || !strncmp(row->reg, "hdf", 3); }

/* The controls of the register of row n to that row's EL; 0 when an earlier row has them. */
static unsigned controls_of(const struct looker *l, unsigned n, unsigned el, struct control *out, unsigned room)
{
    const struct cpu *cpu = &l->d->m->d.cpu[l->d->cpu];
    const struct trap_row *first = trap_get(n);
    unsigned count = 0;
    for (unsigned k = 0; trap_get(k); k++) {
        const struct trap_row *row = trap_get(k);
        if (row->offset != first->offset || row->to != first->to || !is_there(cpu, k, el))
            continue;
        if (k < n)
            return 0;
        unsigned at = 0;
        while (at < count && !same_field(out[at].row, row))
            at++;
        if (at == room)
            continue;
        if (at == count)
            out[count++] = (struct control){ .row = row };
        out[at].dir |= row->dir;
        out[at].from |= row->from;
        out[at].armed |= trap_armed(cpu, k, el);
        out[at].fired += k < TRAPS_COUNTED ? l->d->trapped[k] : 0;
    }
    unsigned kept = 0;
    for (unsigned k = 0; k < count; k++)
        if (!is_fine(out[k].row) || out[k].armed || out[k].fired)
            out[kept++] = out[k];
    return kept;
}

static void chip(const struct control *t, float x, float y, struct canvas *c)
{
    static const char *const dirs[] = { "", "R", "W", "RW" };
    char times[32] = "";
    enum ink fill = t->armed ? view_el_ink(t->row->to) : INK_NONE, ink = t->armed ? INK_TEXT : INK_DIM;
    if (t->fired)
        view_number(t->fired, times);
    canvas_rect(c, x, y, CHIP_W, CHIP_H, fill, t->fired ? INK_TEXT_LIT : INK_LINE);
    canvas_fit(c, x + 6, y + 2, CHIP_W - 12, t->armed ? FONT_BOLD : FONT_BODY, ink, "%s", t->row->name);
    if (t->row->hi == t->row->lo)
        canvas_text(c, x + 6, y + 19, FONT_SMALL, ink, "<%u> %s", t->row->lo, dirs[t->dir & 3]);
    else
        canvas_text(c, x + 6, y + 19, FONT_SMALL, ink, "<%u:%u> %s", t->row->hi, t->row->lo, dirs[t->dir & 3]);
    if (t->fired)
        canvas_text(c, x + CHIP_W - 8 - (float)(strlen(times) + 1) * 7, y + 19, FONT_SMALL,
                    t->armed ? INK_TEXT : INK_TEXT_LIT, "%s×", times);
    canvas_zone(c, x, y, CHIP_W, CHIP_H, ZONE_FIELD, (u64)(t->row - trap_get(0)), "%s.%s: %s, fired %s times",
                t->row->reg, t->row->name, t->armed ? "armed" : "not armed", t->fired ? times : "0");
}

/* A register's panel; returns the y below it. */
static float panel(const struct cpu *cpu, const struct control *t, unsigned count, float y, struct canvas *c)
{
    float w = c->width - 2 * VIEW_EDGE, x = VIEW_EDGE;
    unsigned across = (unsigned)((w + GAP) / (CHIP_W + GAP));
    char reg[32];
    u64 value;
    snprintf(reg, sizeof(reg), "%s", t->row->reg);
    for (char *p = reg; *p; p++)
        *p = (char)toupper((u8)*p);
    memcpy(&value, (const u8 *)&cpu->sys + t->row->offset, sizeof(value));
    canvas_rect(c, x, y, 8, HEAD - 6, view_el_ink(t->row->to), INK_NONE);
    float name = canvas_text(c, x + 16, y, FONT_BOLD, INK_TEXT, "%s", reg);
    canvas_text(c, x + 16 + name + 12, y, FONT_BODY, INK_DIM, "0x%llx · traps to EL%u", HEX(value), t->row->to);
    y += HEAD;
    unsigned lines = (count + across - 1) / across;
    for (unsigned n = 0; n < count; n++) {
        unsigned line = n / across;
        chip(&t[n], x + (float)(n % across) * (CHIP_W + GAP), y + (float)line * (CHIP_H + GAP), c);
    }
    return y + (float)lines * (CHIP_H + GAP) + 4;
}

static void traps_draw(struct looker *l, void *state, struct canvas *c)
{
    struct control t[64];
    struct traps_state *s = state;
    unsigned el = el_of(l, s), shown = 0;
    const struct cpu *cpu = &l->d->m->d.cpu[l->d->cpu];
    float x = canvas_text(c, VIEW_EDGE, 8, FONT_BODY, INK_TEXT, "what software at EL%u does:", el) + VIEW_EDGE + 24,
          y = 36;
    for (unsigned to = el + 1 > 1 ? el + 1 : 1; to <= 3; to++) {
        char words[24];
        snprintf(words, sizeof(words), "traps to EL%u", to);
        x = view_legend(c, x, 8, view_el_ink(to), words);
    }
    x = view_legend(c, x, 8, INK_NONE, "does not trap");
    canvas_text(c, x, 8, FONT_BODY, INK_TEXT_LIT, "7× has fired so often");
    for (unsigned to = 1; to <= 3; to++)
        for (unsigned n = 0; trap_get(n); n++) {
            unsigned count = trap_get(n)->to == to && is_there(cpu, n, el) ? controls_of(l, n, el, t, ARRAY_LEN(t)) : 0;
            if (count)
                y = panel(cpu, t, count, y, c);
            shown += count;
        }
    if (!shown)
        view_empty(c, "Nothing that software at this EL does can trap.", "Choose another: key 0, 1 or 2, or el=N.");
}

static struct view_answer traps_key(struct looker *l, void *state, unsigned key)
{
    struct traps_state *s = state;
    (void)l;
    if (key >= '0' && key <= '2')
        s->el = (u8)(key - '0'), s->asked = 1;
    else if (key == VIEW_HOME)
        s->asked = 0;
    else
        return (struct view_answer){ .wish = VIEW_NOTHING };
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static bool traps_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct traps_state *s = state;
    struct view_args a;
    s64 el = -1;
    (void)l;
    if (!args_split(&a, words, error) || !args_option(&a, "el", 0, 2, &el, error))
        return false;
    s->asked = el >= 0;
    s->el = (u8)(el >= 0 ? el : 0);
    return args_done(&a, "traps", error);
}

const struct view_kind view_traps = { .state_size = sizeof(struct traps_state),
                                      .keys = "0, 1, 2: what software at that EL does   Home: the EL of the PE",
                                      .draw = traps_draw,
                                      .key = traps_key,
                                      .set = traps_set };
