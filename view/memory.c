/*
 * Physical memory by who has it: a grid whose cells are as many bytes each, read as a page is; a guest has what its
 * stage 2 maps, hatched where several do, and EL2 (or whoever runs without a guest) what is in no guest and was
 * written. Below each guest's map: IPAs, where they lead, what is there and what may be done. A click shows the walk.
 */
#include "view/view_internal.h"

#include "debug/stage2.h"

#include <stdio.h>
#include <stdlib.h>

struct memory_state {
    u8 scroll, pad[7]; /* lines of the maps that are left out */
};
enum { ZONE_CELL, ZONE_SPAN };
enum { COLUMNS = 128, LINES = 16, CELL_H = 13, LABEL = 116, SPAN_H = 16, SPANS = 512, MOST_UNITS = 1 << 20 };

/* ---- the grid ---- */

/* What a cell shows, of all its units: shared before owned, owned before the rest. Two guests in one cell: shared. */
static u8 cell_owner(const struct owners *o, u64 first, u64 count)
{
    u8 owner = OWNER_NONE;
    for (u64 n = first; n < first + count && n < o->count; n++) {
        u8 of = o->of[n];
        if (of == OWNER_SHARED || (of < VMS && owner < VMS && of != owner))
            return OWNER_SHARED;
        if (of < VMS || (of == OWNER_REST && owner == OWNER_NONE))
            owner = of;
    }
    return owner;
}

static void owner_words(const struct debugger *d, u8 owner, char text[40])
{
    if (owner < VMS)
        snprintf(text, 40, "VMID %d", d->vm[owner].vmid);
    else
        snprintf(text, 40, "%s",
                 owner == OWNER_SHARED ? "shared by guests"
                 : owner == OWNER_REST ? "EL2, or no guest's"
                                       : "never written");
}

static void run_draw(const struct debugger *d, u8 owner, float x, float y, float w, u64 base, u64 size,
                     struct canvas *c)
{
    char whose[40], bytes[32];
    if (owner == OWNER_SHARED)
        canvas_hatch(c, x, y, w, CELL_H - 1, INK_VM0, INK_VM1);
    else if (owner != OWNER_NONE)
        canvas_rect(c, x, y, w, CELL_H - 1, owner < VMS ? view_vm_ink(owner) : INK_EL0, INK_NONE);
    owner_words(d, owner, whose);
    canvas_zone(c, x, y, w, CELL_H - 1, ZONE_CELL, base, "0x%llx, %s: %s", HEX(base), view_bytes(size, bytes), whose);
}

static float grid_draw(const struct debugger *d, const struct owners *o, float y, struct canvas *c)
{
    u64 cell = o->unit, units = 1;
    while (o->size / cell > COLUMNS * LINES)
        cell *= 2, units *= 2;
    float w = (c->width - 2 * VIEW_EDGE - LABEL) / COLUMNS;
    char bytes[32], whole[32];
    canvas_text(c, VIEW_EDGE, y, FONT_BODY, INK_DIM, "main memory: %s from 0x%llx, a cell is %s, a line %s",
                view_bytes(o->size, whole), HEX(o->base), view_bytes(cell, bytes),
                view_bytes(cell * COLUMNS, (char[32]){ 0 }));
    y += 24;
    for (u64 base = 0; base < o->size; base += cell * COLUMNS, y += CELL_H) {
        canvas_text(c, VIEW_EDGE, y - 1, FONT_SMALL, INK_DIM, "0x%llx", HEX(o->base + base));
        canvas_rect(c, VIEW_EDGE + LABEL, y, w * COLUMNS, CELL_H - 1, INK_PANEL, INK_NONE);
        for (unsigned n = 0; n < COLUMNS && base + n * cell < o->size;) {
            u64 first = (base / cell + n) * units;
            u8 owner = cell_owner(o, first, units);
            unsigned end = n + 1;
            while (end < COLUMNS && base + end * cell < o->size &&
                   cell_owner(o, (base / cell + end) * units, units) == owner)
                end++;
            run_draw(d, owner, VIEW_EDGE + LABEL + w * (float)n, y, w * (float)(end - n), o->base + base + n * cell,
                     (end - n) * cell, c);
            n = end;
        }
    }
    return y + 6;
}

static float legend_draw(const struct debugger *d, const struct owners *o, float y, struct canvas *c)
{
    char text[96], bytes[32];
    float x = VIEW_EDGE;
    for (unsigned n = 0; n < VMS; n++) {
        if (!d->vm[n].used || x > c->width - 520)
            continue;
        snprintf(text, sizeof(text), "VMID %d %s", d->vm[n].vmid, view_bytes(o->bytes[n], bytes));
        x = view_legend(c, x, y, view_vm_ink(n), text);
    }
    if (o->shared) {
        canvas_hatch(c, x, y + 3, 12, 12, INK_VM0, INK_VM1);
        snprintf(text, sizeof(text), "shared %s", view_bytes(o->shared, bytes));
        x += 18 + canvas_text(c, x + 18, y, FONT_BODY, INK_TEXT, "%s", text) + 16;
    }
    snprintf(text, sizeof(text), "%s %s", d->vm[0].used ? "EL2 or no guest's" : "written", view_bytes(o->rest, bytes));
    x = view_legend(c, x, y, INK_EL0, text);
    x = view_legend(c, x, y, INK_PANEL, "never written");
    if (!o->whole)
        canvas_fit(c, x, y, c->width - VIEW_EDGE - x, FONT_BODY, INK_TEXT_FAULT,
                   "(tables too large to be looked through)");
    return y + 28;
}

/* ---- the maps ---- */

struct spans {
    struct stage2_span span[SPANS];
    unsigned count;
    bool more;
};

static bool span_take(void *ctx, const struct stage2_span *s)
{
    struct spans *all = ctx;
    if (all->count == SPANS)
        return false;
    all->span[all->count++] = *s;
    return true;
}

static void span_draw(struct looker *l, unsigned vm, const struct stage2_span *s, float x, float y, float w,
                      struct canvas *c)
{
    unsigned rights = tlb_rights_of(s->perm, false);
    char bytes[32], what[64] = "";
    u32 number;
    const struct row *row = owners_device(l->d->m, s->pa, &number);
    if (row && row->count > 1)
        snprintf(what, sizeof(what), "%s%u", row->name, number);
    else if (row)
        snprintf(what, sizeof(what), "%s", row->name);
    enum ink ink = !row || !row->kind ? view_vm_ink(vm) : INK_DEVICE;
    canvas_rect(c, x, y + 2, 10, 11, ink, INK_NONE);
    canvas_fit(c, x + 16, y, w - 16, FONT_SMALL, INK_TEXT, "0x%09llx  %8s  %c%c%c  to 0x%09llx  %s", HEX(s->ipa),
               view_bytes(s->size, bytes), rights & 1 ? 'r' : '-', rights & 2 ? 'w' : '-', rights & 4 ? 'x' : '-',
               HEX(s->pa), what);
    canvas_zone(c, x, y, w, SPAN_H, ZONE_SPAN, s->ipa | (u64)vm << 56, "VMID %d: IPA 0x%llx, %s, to 0x%llx %s",
                l->d->vm[vm].vmid, HEX(s->ipa), bytes, HEX(s->pa), what);
}

static void map_draw(struct looker *l, const struct memory_state *s, unsigned vm, float x, float y, float w, float h,
                     struct canvas *c)
{
    static const char *const none = "stage 2 maps nothing";
    const struct vm_note *v = &l->d->vm[vm];
    struct spans *all = calloc(1, sizeof(*all));
    if (!all) {
        c->failed = true;
        return;
    }
    u64 looks = STAGE2_LOOKS;
    all->more = !stage2_each(&v->regime, &looks, span_take, all);
    float needs = 40 + (float)(all->count + 2) * SPAN_H;
    h = h < needs ? h : needs;
    float bottom = y + h;
    y = view_box(c, x, y, w, h, "VMID %d: stage 2 at 0x%llx, IPAs of %u bits", v->vmid, HEX(v->root),
                 stage2_bits(&v->regime));
    canvas_rect(c, x, bottom - h, 5, h, view_vm_ink(vm), INK_NONE);
    canvas_text(c, x + 32, y, FONT_SMALL, INK_DIM, "%-11s  %8s  %3s  %s", "IPA", "size", "", "physical address");
    y += SPAN_H;
    unsigned first = s->scroll < all->count ? s->scroll : 0, n = first;
    for (; n < all->count && y + 2 * SPAN_H < bottom; n++, y += SPAN_H)
        span_draw(l, vm, &all->span[n], x + 16, y, w - 24, c);
    if (n < all->count || all->more)
        canvas_text(c, x + 32, y, FONT_SMALL, INK_DIM, "… and %s%u more", all->more ? "over " : "", all->count - n);
    if (!all->count)
        canvas_text(c, x + 32, y, FONT_SMALL, INK_DIM, "%s", none);
    free(all);
}

static void maps_draw(struct looker *l, const struct memory_state *s, float y, struct canvas *c)
{
    unsigned guests = 0, shown = 0;
    for (unsigned n = 0; n < VMS; n++)
        guests += l->d->vm[n].used;
    if (!guests) {
        canvas_text(c, VIEW_EDGE, y, FONT_BODY, INK_DIM,
                    "No guest has been entered yet: with the first one its stage 2 map comes here.");
        return;
    }
    unsigned across = guests < 3 ? guests : 3, down = (guests + across - 1) / across;
    down = down > 3 ? 3 : down;
    float w = (c->width - 2 * VIEW_EDGE + 8) / (float)across - 8, h = (c->height - 8 - y + 8) / (float)down - 8;
    h = h < 100 ? 100 : h;
    for (unsigned n = 0; n < VMS && shown < across * down; n++)
        if (l->d->vm[n].used) {
            unsigned line = shown / across;
            map_draw(l, s, n, VIEW_EDGE + (float)(shown % across) * (w + 8), y + (float)line * (h + 8), w, h, c);
            shown++;
        }
    if (guests > shown)
        canvas_text(c, VIEW_EDGE, c->height - 8, FONT_SMALL, INK_DIM, "and %u guests more: monitor vms",
                    guests - shown);
}

static void memory_draw(struct looker *l, void *state, struct canvas *c)
{
    struct owners o;
    if (!owners_find(l->d, MOST_UNITS, &o)) {
        view_empty(c, "No memory on the host to look through the guest's.", "Give the guest less (-m).");
        return;
    }
    float y = grid_draw(l->d, &o, 8, c);
    y = legend_draw(l->d, &o, y, c);
    maps_draw(l, state, y + 4, c);
    owners_free(&o);
}

static struct view_answer memory_key(struct looker *l, void *state, unsigned key)
{
    struct memory_state *s = state;
    (void)l;
    if (key == VIEW_DOWN && s->scroll < 255)
        s->scroll++;
    else if (key == VIEW_UP && s->scroll)
        s->scroll--;
    else if (key == VIEW_HOME)
        s->scroll = 0;
    else
        return (struct view_answer){ .wish = VIEW_NOTHING };
    return (struct view_answer){ .wish = VIEW_REDRAW };
}

static struct view_answer memory_clicked(struct looker *l, void *state, u32 zone, u64 value)
{
    struct view_answer a = { .wish = VIEW_NOTHING };
    unsigned vm = (unsigned)(value >> 56) % VMS;
    (void)state;
    if (zone == ZONE_SPAN) {
        a.wish = VIEW_OPEN;
        a.view = "walk";
        snprintf(a.words, sizeof(a.words), "0x%llx ipa vmid=%d", HEX(value & ones(56)), l->d->vm[vm].vmid);
    }
    return a;
}

const struct view_kind view_memory = { .state_size = sizeof(struct memory_state),
                                       .keys = "up, down: the maps   click on a line: its walk",
                                       .draw = memory_draw,
                                       .key = memory_key,
                                       .clicked = memory_clicked };
