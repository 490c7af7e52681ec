/*
 * A walk as a grid, as textbooks draw it: stage 1's levels go down, and each of its tables lies at an IPA, which stage
 * 2 translates across; the last line is stage 2 of what stage 1 led to: up to 24 descriptors. Bits that decide are lit,
 * the descriptor that failed is red, with the rule. Below: where it leads, what may be done there, and what the TLB
 * says.
 */
#include "view/view_internal.h"

#include "debug/walks.h"

#include <stdio.h>

struct walk_state {
    u64 addr;
    s32 vmid; /* plus 1; 0: the PE as it is */
    u8 el;    /* plus 1; 0: the PE's own */
    u8 asked; /* addr was given; else it is where the PE stands */
    u8 stage1_only, stage2_only;
    s16 chosen; /* step, plus 1 */
};
enum { ZONE_STEP, ZONE_TLB };
enum { LABEL = 134, CELL = 84, GAP = 8, ROWS = 6 };

/* The steps by their place in the grid. */
struct grid_row {
    u64 in;        /* what stage 2 translates here: the IPA of a stage 1 descriptor, or the last line's */
    s16 across[6]; /* steps of stage 2, in order; */
    u8 count;
    s16 down; /* step of stage 1; -1: none */
};
struct grid {
    struct grid_row row[ROWS];
    unsigned rows, columns; /* columns: of stage 2 */
};

static void grid_make(const struct walks_answer *a, struct grid *g)
{
    *g = (struct grid){ .rows = 0 };
    struct grid_row r = { .down = -1 };
    for (unsigned n = 0; n < a->record.count && g->rows < ROWS; n++) {
        const struct walk_step *s = &a->record.step[n];
        if (s->stage == 2 && r.count < ARRAY_LEN(r.across))
            r.across[r.count++] = (s16)n;
        g->columns = r.count > g->columns ? r.count : g->columns;
        if (s->stage == 1) {
            r.down = (s16)n;
            r.in = s->ipa;
            g->row[g->rows++] = r;
            r = (struct grid_row){ .down = -1 };
        }
    }
    if (r.count && g->rows < ROWS) {
        r.in = a->t.ok ? a->t.ipa : a->t.fault.ipa;
        g->row[g->rows++] = r;
    }
}

static enum ink stage_ink(const struct walks_answer *a, unsigned stage)
{
    if (stage == 2)
        return INK_EL2;
    return a->regime.regime == REGIME_EL10 ? INK_EL1 : a->regime.regime == REGIME_EL3 ? INK_EL3 : INK_EL2;
}

/* ---- addresses by their parts ---- */

static void part(struct canvas *c, float *x, float y, float w, enum ink fill, unsigned high, unsigned low, u64 addr,
                 const char *what)
{
    canvas_rect(c, *x, y, w, 36, fill, INK_LINE);
    canvas_fit(c, *x + 6, y + 2, w - 10, FONT_SMALL, INK_TEXT, "%s %u:%u", what, high, low);
    canvas_fit(c, *x + 6, y + 16, w - 10, FONT_BOLD, INK_TEXT, "0x%llx", HEX(bits(addr, high, low)));
    *x += w;
}

/* The address, cut where the levels of this stage cut it. Of stage 2 the last line's steps. */
static void address_strip(const struct walks_answer *a, const struct grid_row *r, unsigned stage, const char *name,
                          u64 addr, float y, struct canvas *c)
{
    float x = VIEW_EDGE + LABEL;
    unsigned low = 12, top = 64, count = 0;
    struct walks_entry e[6];
    s8 level[6];
    for (unsigned n = 0; n < a->record.count && stage == 1 && count < 6; n++)
        if (a->record.step[n].stage == 1)
            level[count] = a->record.step[n].level, e[count++] = walks_entry_of(a, &a->record.step[n]);
    for (unsigned n = 0; stage == 2 && r && n < r->count; n++)
        level[count] = a->record.step[r->across[n]].level,
        e[count++] = walks_entry_of(a, &a->record.step[r->across[n]]);
    canvas_text(c, VIEW_EDGE, y + 2, FONT_BOLD, INK_TEXT, "%s", name);
    canvas_text(c, VIEW_EDGE, y + 18, FONT_SMALL, INK_DIM, "0x%llx", HEX(addr));
    if (count && e[0].high < 63)
        part(c, &x, y, 110, INK_PANEL, 63, e[0].high + 1u, addr, "above");
    for (unsigned n = 0; n < count; n++) {
        char what[16];
        snprintf(what, sizeof(what), "level %d", level[n]);
        part(c, &x, y, 140, stage_ink(a, stage), e[n].high, e[n].low, addr, what);
        low = e[n].low, top = low;
    }
    if (!count)
        top = 64;
    part(c, &x, y, count ? 150 : 300, INK_PANEL, top - 1, 0, addr, count ? "offset" : "address");
}

/* ---- a descriptor ---- */

/* Its sixteen digits, lit where a bit of them decides. */
static void digits(struct canvas *c, float x, float y, u64 value, u64 decides, bool failed)
{
    char text[17];
    snprintf(text, sizeof(text), "%016llx", HEX(value));
    canvas_text(c, x, y, FONT_BODY, INK_DIM, "0x");
    for (unsigned n = 0; n < 16;) {
        unsigned end = n;
        bool lit = decides >> (60 - 4 * n) & 15;
        while (end < 16 && !!(decides >> (60 - 4 * end) & 15) == lit)
            end++;
        canvas_text(c, x + (2 + (float)n) * 8, y, lit ? FONT_BOLD : FONT_BODY,
                    !lit     ? INK_DIM
                    : failed ? INK_TEXT_FAULT
                             : INK_TEXT_LIT,
                    "%.*s", (int)(end - n), text + n);
        n = end;
    }
}

static void cell(const struct walks_answer *a, const struct walk_state *st, s16 n, u64 addr, float x, float y, float w,
                 struct canvas *c)
{
    const struct walk_step *s = &a->record.step[n];
    const struct fault *f = a->t.ok ? NULL : &a->t.fault;
    bool failed = f && walks_is_fault(s, f);
    struct walks_entry e = walks_entry_of(a, s);
    struct text rights = { 0 };
    float in = w - 12;
    canvas_rect(c, x, y, w, CELL, INK_PANEL, failed ? INK_TEXT_FAULT : st->chosen == n + 1 ? INK_CHOSEN : INK_LINE);
    canvas_rect(c, x + 2, y + 2, w - 4, 18, failed ? INK_FAULT : stage_ink(a, s->stage), INK_NONE);
    canvas_fit(c, x + 6, y + 2, 88, FONT_BOLD, INK_TEXT, "S%u level %d", s->stage, s->level);
    canvas_fit(c, x + 100, y + 3, w - 104, FONT_SMALL, INK_TEXT, "%u:%u = 0x%llx", e.high, e.low,
               HEX(bits(addr, e.high, e.low)));
    canvas_fit(c, x + 6, y + 21, in, FONT_SMALL, INK_DIM, "at 0x%llx", HEX(s->addr));
    digits(c, x + 6, y + 34, s->value, walks_decides(a, s, f), failed);
    if (e.kind >= WALKS_TABLE)
        canvas_fit(c, x + 6, y + 51, in, FONT_SMALL, INK_TEXT, "%s at 0x%llx", walks_kind_words(e.kind), HEX(e.out));
    else
        canvas_fit(c, x + 6, y + 51, in, FONT_SMALL, INK_TEXT_FAULT, "%s", walks_kind_words(e.kind));
    walks_rights_words(a, s, &rights);
    canvas_fit(c, x + 6, y + 66, in, FONT_SMALL, INK_DIM, "%s", rights.s ? rights.s : "");
    canvas_zone(c, x, y, w, CELL, ZONE_STEP, (u64)n, "stage %u level %d: [0x%llx] = 0x%llx, %s %s", s->stage, s->level,
                HEX(s->addr), HEX(s->value), walks_kind_words(e.kind), rights.s ? rights.s : "");
    text_free(&rights);
}

static void row_label(const struct walks_answer *a, const struct grid_row *r, float y, struct canvas *c)
{
    bool last = r->down < 0;
    canvas_text(c, VIEW_EDGE, y + 8, FONT_BODY, INK_TEXT, "%s", last ? "the access" : "stage 1");
    if (a->regime.stage2 && !(last && a->q.stage2_only)) {
        canvas_text(c, VIEW_EDGE, y + 26, FONT_SMALL, INK_DIM, "at IPA");
        canvas_text(c, VIEW_EDGE, y + 42, FONT_SMALL, INK_TEXT, "0x%llx", HEX(r->in));
    } else {
        canvas_text(c, VIEW_EDGE, y + 26, FONT_SMALL, INK_DIM, "at 0x%llx", HEX(r->in));
    }
}

/* Returns the y below. */
static float grid_draw(const struct walks_answer *a, const struct walk_state *st, const struct grid *g, float y,
                       struct canvas *c)
{
    unsigned cells = g->columns + !a->q.stage2_only;
    float left = VIEW_EDGE + LABEL, room = c->width - VIEW_EDGE - left, w = (room + GAP) / (float)cells - GAP;
    w = w > 300 ? 300 : w;
    for (unsigned n = 0; n < g->rows; n++, y += CELL + GAP) {
        const struct grid_row *r = &g->row[n];
        float x = left;
        row_label(a, r, y, c);
        for (unsigned k = 0; k < r->count; k++, x += w + GAP) {
            cell(a, st, r->across[k], r->in, x, y, w, c);
            if (k + 1 < r->count || r->down >= 0)
                canvas_arrow(c, x + w, y + CELL / 2.0f, x + w + GAP, y + CELL / 2.0f, INK_DIM);
        }
        x = left + (float)g->columns * (w + GAP);
        if (r->down >= 0) {
            cell(a, st, r->down, a->q.addr, x, y, w, c);
            if (n + 1 < g->rows && g->columns)
                canvas_line(c, x + w / 2, y + CELL, x + w / 2, y + CELL + GAP / 2.0f, INK_DIM),
                    canvas_line(c, x + w / 2, y + CELL + GAP / 2.0f, left + w / 2, y + CELL + GAP / 2.0f, INK_DIM),
                    canvas_arrow(c, left + w / 2, y + CELL + GAP / 2.0f, left + w / 2, y + CELL + GAP, INK_DIM);
            else if (n + 1 < g->rows)
                canvas_arrow(c, x + w / 2, y + CELL, x + w / 2, y + CELL + GAP, INK_DIM);
        }
    }
    return y;
}

/* ---- what comes of it ---- */

static void rights_draw(const struct walks_answer *a, float x, float y, float w, struct canvas *c)
{
    static const char *const names[WALKS_RIGHTS] = { "read", "write", "execute" };
    y = view_box(c, x, y, w, 118, "an access from EL%u may", a->q.el);
    for (unsigned n = 0; n < WALKS_RIGHTS; n++, y += 30) {
        const struct translation *t = &a->right[n];
        canvas_rect(c, x + 8, y, 84, 20, t->ok ? INK_GOOD : INK_FAULT, INK_NONE);
        canvas_text(c, x + 14, y + 1, FONT_BODY, INK_TEXT, "%s", names[n]);
        if (t->ok)
            canvas_fit(c, x + 102, y + 1, w - 110, FONT_BODY, INK_TEXT, "yes");
        else
            canvas_lines(c, x + 102, y - 3, w - 110, 2, FONT_SMALL, INK_TEXT_FAULT, "stage %u level %d: %s",
                         t->fault.stage2 ? 2 : 1, t->fault.level, fault_rule_text(t->fault.rule));
    }
}

static void place_draw(const struct walks_answer *a, float x, float y, float w, struct canvas *c)
{
    const struct translation *t = &a->t;
    char size[32], size1[32], size2[32];
    y = view_box(c, x, y, w, 118, "it leads to");
    canvas_fit(c, x + 8, y, w - 16, FONT_BODY, INK_TEXT, "%s 0x%llx%s", a->q.stage1_only ? "IPA" : "PA ", HEX(t->pa),
               t->ns ? "" : " (Secure)");
    if (a->regime.stage2 && !a->q.stage2_only)
        canvas_fit(c, x + 8, y + 20, w - 16, FONT_BODY, INK_TEXT, "IPA 0x%llx", HEX(t->ipa));
    canvas_fit(c, x + 8, y + 40, w - 16, FONT_BODY, INK_TEXT, "%s memory%s", walks_type_words(t->attrs.type),
               t->global ? "" : ", of this ASID");
    canvas_fit(c, x + 8, y + 62, w - 16, FONT_SMALL, INK_DIM, "in pieces of %s (stage 1 %s, stage 2 %s)",
               view_bytes(BIT(t->size_log2), size), view_bytes(BIT(t->size1_log2), size1),
               a->regime.stage2 && !a->q.stage1_only ? view_bytes(BIT(t->size2_log2), size2) : "off");
}

static void fault_draw(const struct walks_answer *a, float x, float y, float w, struct canvas *c)
{
    struct text words = { 0 };
    walks_fault_words(&a->t.fault, &words);
    canvas_rect(c, x, y, w, 118, INK_FAULT, INK_TEXT_FAULT);
    canvas_lines(c, x + 10, y + 10, w - 20, 5, FONT_BODY, INK_TEXT, "%s", words.s ? words.s : "");
    text_free(&words);
}

static void perm_words(u16 perm, char text[32])
{
    unsigned u = tlb_rights_of(perm, true), p = tlb_rights_of(perm, false);
    snprintf(text, 32, "EL0 %c%c%c, others %c%c%c", u & 1 ? 'r' : '-', u & 2 ? 'w' : '-', u & 4 ? 'x' : '-',
             p & 1 ? 'r' : '-', p & 2 ? 'w' : '-', p & 4 ? 'x' : '-');
}

static void tlb_draw(struct looker *l, const struct walks_answer *a, float x, float y, float w, struct canvas *c)
{
    char text[32], size[32];
    bool agrees = a->cached && walks_tlb_agrees(a);
    float top = y;
    y = view_box(c, x, y, w, 118, "TLB of cpu%u", l->d->cpu);
    canvas_zone(c, x, top, w, 118, ZONE_TLB, 0, "what the TLB holds of the address");
    if (!a->cached) {
        canvas_lines(c, x + 8, y, w - 16, 4, FONT_BODY, INK_DIM, "%s",
                     a->q.stage1_only || a->q.stage2_only ? "is asked for whole walks only"
                                                          : "has no entry: an access would walk");
        return;
    }
    perm_words(a->tlb.perm, text);
    canvas_fit(c, x + 8, y, w - 16, FONT_BODY, INK_TEXT, "0x%llx to PA 0x%llx", HEX(a->tlb.va), HEX(a->tlb.pa));
    canvas_fit(c, x + 8, y + 20, w - 16, FONT_BODY, INK_TEXT, "%s, %s%s", view_bytes(BIT(a->tlb.size_log2), size), text,
               a->tlb.global ? "" : ", nG");
    canvas_rect(c, x + 8, y + 44, w - 16, 20, agrees ? INK_GOOD : INK_LIT, INK_NONE);
    canvas_fit(c, x + 14, y + 45, w - 28, FONT_BODY, INK_TEXT, "%s",
               agrees ? "says what the tables say" : "says something else: a TLBI is missing, or to come");
}

/* ---- the view ---- */

static const char *regime_words(const struct walks_answer *a)
{
    static const char *const words[] = { "EL1&0", "EL2", "EL2&0", "EL3" };
    return words[a->regime.regime < REGIME_COUNT ? a->regime.regime : 0];
}

static void summary(const struct walks_answer *a, float y, struct canvas *c)
{
    char vm[24] = "";
    if (a->regime.has_s2 && a->regime.stage2)
        snprintf(vm, sizeof(vm), " of VMID %u", a->regime.vmid);
    canvas_fit(c, VIEW_EDGE, y, c->width - 2 * VIEW_EDGE, FONT_BODY, INK_DIM,
               "regime %s%s%s · stage 1 %s · stage 2 %s · %u descriptors", regime_words(a), vm,
               a->regime.secure ? ", Secure" : "", a->regime.stage1 ? "on" : "off: an IPA is the VA",
               !a->regime.has_s2  ? "none"
               : a->regime.stage2 ? "on"
                                  : "off",
               a->record.count);
}

static struct walks_question question(const struct looker *l, const struct walk_state *s)
{
    const struct cpu *cpu = &l->d->m->d.cpu[l->d->cpu];
    return (struct walks_question){ .addr = s->asked ? s->addr : cpu->pc,
                                    .el = s->el                       ? s->el - 1u
                                          : s->vmid || s->stage2_only ? 1
                                                                      : cpu->ps.el,
                                    .vmid = s->vmid ? s->vmid - 1 : ANY,
                                    .stage1_only = s->stage1_only,
                                    .stage2_only = s->stage2_only };
}

static void walk_draw(struct looker *l, void *state, struct canvas *c)
{
    struct walk_state *s = state;
    struct walks_question q = question(l, s);
    struct walks_answer a;
    struct grid g;
    char error[256];
    if (!walks_ask(l->d, &q, &a, error)) {
        view_empty(c, error, "Ask for another address, EL or guest: walk 0x40080000 el=1 vmid=1");
        return;
    }
    grid_make(&a, &g);
    summary(&a, 8, c);
    float y = 34, third = (c->width - 2 * VIEW_EDGE - 2 * GAP) / 3;
    if (!q.stage2_only)
        address_strip(&a, NULL, 1, "VA", q.addr, y, c), y += 44;
    const struct grid_row *last = g.rows && g.row[g.rows - 1].down < 0 ? &g.row[g.rows - 1] : NULL;
    if (last)
        address_strip(&a, last, 2, "IPA", last->in, y, c), y += 44;
    y = grid_draw(&a, s, &g, y + 8, c) + 4;
    if (a.t.ok)
        place_draw(&a, VIEW_EDGE, y, third, c);
    else
        fault_draw(&a, VIEW_EDGE, y, third, c);
    rights_draw(&a, VIEW_EDGE + third + GAP, y, third, c);
    tlb_draw(l, &a, VIEW_EDGE + 2 * (third + GAP), y, third, c);
}

static struct view_answer walk_key(struct looker *l, void *state, unsigned key)
{
    struct walk_state *s = state;
    struct walks_question q = question(l, s);
    struct view_answer a = { .wish = VIEW_REDRAW };
    u64 step = key == VIEW_PAGE_UP || key == VIEW_PAGE_DOWN ? 0x200000 : 0x1000;
    if (key == VIEW_LEFT || key == VIEW_UP || key == VIEW_PAGE_UP)
        s->addr = q.addr - step, s->asked = 1;
    else if (key == VIEW_RIGHT || key == VIEW_DOWN || key == VIEW_PAGE_DOWN)
        s->addr = q.addr + step, s->asked = 1;
    else if (key >= '0' && key <= '3')
        s->el = (u8)(key - '0' + 1), s->stage2_only = 0;
    else if (key == VIEW_HOME)
        *s = (struct walk_state){ 0 };
    else
        a.wish = VIEW_NOTHING;
    s->chosen = a.wish == VIEW_REDRAW ? 0 : s->chosen;
    return a;
}

static struct view_answer walk_clicked(struct looker *l, void *state, u32 zone, u64 value)
{
    struct walk_state *s = state;
    (void)l;
    if (zone == ZONE_STEP)
        s->chosen = s->chosen == (s16)value + 1 ? 0 : (s16)(value + 1);
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static bool walk_set(struct looker *l, void *state, const char *words, char error[256])
{
    struct walk_state *s = state;
    struct view_args a;
    s64 el = -1, vmid = -1;
    *s = (struct walk_state){ 0 };
    if (!args_split(&a, words, error) || !args_option(&a, "el", 0, 3, &el, error) ||
        !args_option(&a, "vmid", 0, 65535, &vmid, error))
        return false;
    s->stage2_only = args_flag(&a, "ipa");
    s->stage1_only = args_flag(&a, "stage1");
    s->el = (u8)(el + 1);
    s->vmid = (s32)(vmid + 1);
    const char *word = args_next(&a);
    s->asked = word != NULL;
    if (word && !debugger_address(l->d, word, &s->addr)) {
        snprintf(error, 256, "walk: \"%.80s\": no address, register or symbol", word);
        return false;
    }
    return args_done(&a, "walk", error);
}

const struct view_kind view_walk = { .state_size = sizeof(struct walk_state),
                                     .keys = "arrows: next page   Page up, down: 2 MiB   0 to 3: EL   Home: where the PE stands",
                                     .draw = walk_draw,
                                     .key = walk_key,
                                     .clicked = walk_clicked,
                                     .set = walk_set };
