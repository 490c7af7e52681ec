/* A terminal by libvterm, which is loaded when the first is made: vt.h. */
#include "frontend/display/vt.h"

#include "debug/library.h"
#include "frontend/display/desktop.h"

#include <stdio.h>
#include <stdlib.h>
#include <vterm.h>

#define FUNCTIONS(F) F(vterm_free) F(vterm_input_write) F(vterm_keyboard_end_paste) F(vterm_keyboard_key)              \
    F(vterm_keyboard_start_paste) F(vterm_keyboard_unichar) F(vterm_new) F(vterm_obtain_screen) F(vterm_obtain_state)  \
    F(vterm_output_set_callback) F(vterm_screen_convert_color_to_rgb) F(vterm_screen_enable_altscreen)                 \
    F(vterm_screen_flush_damage) F(vterm_screen_get_cell) F(vterm_screen_reset) F(vterm_screen_set_callbacks)          \
    F(vterm_screen_set_damage_merge) F(vterm_set_utf8) F(vterm_state_set_bold_highbright)            \
    F(vterm_state_set_default_colors) F(vterm_state_set_palette_color)
LIBRARY(vterm, FUNCTIONS)

enum { GATHERED = 4096 };
enum { INK = 0xd8dce2, GROUND = 0x101318 };

struct line {
    int columns;
    struct vt_cell cell[];
};
struct vt {
    VTerm *vt;
    VTermScreen *screen;
    void (*typed)(void *ctx, const char *bytes, size_t size);
    void *ctx;
    int rows, columns, row, column; /* row, column: the cursor's */
    bool cursor_hidden;
    int from, to;                    /* rows that have changed */
    struct line *line[SCROLL_LINES]; /* a ring of what has left the screen */
    unsigned first, lines;
    int scrolled;
    char gathered[GATHERED]; /* came, and was not looked at yet */
    u32 used;
    u32 code, more;      /* of a letter of several bytes: so far, and how many are to come */
    u32 control, digits; /* in a control sequence: 1 behind ESC, 2 behind ESC [; digits of a number */
};

#define TEXT_OF_(n) #n
#define TEXT_OF(n)  TEXT_OF_(n)
const char *vt_library(void) { return TEXT_OF(VTERM_VERSION_MAJOR) "." TEXT_OF(VTERM_VERSION_MINOR); }

const char *vt_can(void) { return library_load(&vterm_library); }

static void changed(struct vt *t, int from, int to)
{
    t->from = from < t->from ? from : t->from;
    t->to = to > t->to ? to : t->to;
}

static void changed_all(struct vt *t) { changed(t, 0, t->rows); }

/* ---- what the library says ---- */

static void output(const char *bytes, size_t size, void *ctx)
{
    struct vt *t = ctx;
    t->typed(t->ctx, bytes, size);
}

static int damaged(VTermRect r, void *ctx)
{
    changed(ctx, r.start_row, r.end_row);
    return 1;
}

static int cursor_moved(VTermPos to, VTermPos from, int visible, void *ctx)
{
    struct vt *t = ctx;
    changed(t, from.row, from.row + 1);
    changed(t, to.row, to.row + 1);
    t->row = to.row;
    t->column = to.col;
    t->cursor_hidden = !visible;
    return 1;
}

static int property_set(VTermProp p, VTermValue *v, void *ctx)
{
    struct vt *t = ctx;
    if (p == VTERM_PROP_CURSORVISIBLE)
        t->cursor_hidden = !v->boolean;
    if (p == VTERM_PROP_CURSORVISIBLE)
        changed(t, t->row, t->row + 1);
    return 1;
}

static u32 colour_of(struct vt *t, VTermColor c)
{
    vterm.vterm_screen_convert_color_to_rgb(t->screen, &c);
    return (u32)c.rgb.red << 16 | (u32)c.rgb.green << 8 | c.rgb.blue;
}

static struct vt_cell cell_of(struct vt *t, const VTermScreenCell *c)
{
    u32 ink = colour_of(t, c->fg), ground = colour_of(t, c->bg);
    bool turned = c->attrs.reverse;
    return (struct vt_cell){ .code = c->chars[0] == (u32)-1 ? 0 : c->chars[0],
                             .ink = turned ? ground : ink,
                             .ground = turned ? ink : ground,
                             .width = (u8)c->width,
                             .bold = c->attrs.bold,
                             .underline = c->attrs.underline,
                             .strike = c->attrs.strike };
}

/* A row leaves the screen above. */
static int line_left(int columns, const VTermScreenCell *cells, void *ctx)
{
    struct vt *t = ctx;
    struct line *l = malloc(sizeof(*l) + (size_t)columns * sizeof(l->cell[0]));
    if (!l)
        return 1;
    l->columns = columns;
    for (int n = 0; n < columns; n++)
        l->cell[n] = cell_of(t, &cells[n]);
    unsigned at = (t->first + t->lines) % SCROLL_LINES;
    if (t->lines == SCROLL_LINES) {
        free(t->line[at]);
        t->first = (t->first + 1) % SCROLL_LINES;
    } else {
        t->lines++;
    }
    t->line[at] = l;
    if (t->scrolled && t->scrolled < (int)t->lines)
        t->scrolled++; /* what is looked at stays */
    return 1;
}

/* ---- a terminal ---- */

static void colours_set(struct vt *t)
{
    static const u32 palette[16] = { 0x1c2026, 0xe06c75, 0x98c379, 0xe5c07b, 0x61afef, 0xc678dd, 0x56b6c2, 0xc8ccd4,
                                     0x6b7280, 0xff7b86, 0xb5e08e, 0xffd68a, 0x7fc4ff, 0xdd97f0, 0x74d2de, 0xffffff };
    VTermState *state = vterm.vterm_obtain_state(t->vt);
    VTermColor ink, ground;
    vterm_color_rgb(&ink, INK >> 16, INK >> 8 & 0xff, INK & 0xff);
    vterm_color_rgb(&ground, GROUND >> 16, GROUND >> 8 & 0xff, GROUND & 0xff);
    vterm.vterm_state_set_default_colors(state, &ink, &ground);
    vterm.vterm_state_set_bold_highbright(state, 1);
    for (int n = 0; n < 16; n++) {
        vterm_color_rgb(&ink, (u8)(palette[n] >> 16), (u8)(palette[n] >> 8), (u8)palette[n]);
        vterm.vterm_state_set_palette_color(state, n, &ink);
    }
}

static void screen_make(struct vt *t)
{
    static const VTermScreenCallbacks calls = {
        .damage = damaged, .movecursor = cursor_moved, .settermprop = property_set, .sb_pushline = line_left
    };
    t->vt = vterm.vterm_new(t->rows, t->columns);
    vterm.vterm_set_utf8(t->vt, 1);
    vterm.vterm_output_set_callback(t->vt, output, t);
    t->screen = vterm.vterm_obtain_screen(t->vt);
    vterm.vterm_screen_enable_altscreen(t->screen, 1);
    vterm.vterm_screen_set_damage_merge(t->screen, VTERM_DAMAGE_ROW);
    vterm.vterm_screen_set_callbacks(t->screen, &calls, t);
    colours_set(t);
    vterm.vterm_screen_reset(t->screen, 1);
    t->row = t->column = 0;
    t->cursor_hidden = false;
    t->from = 0;
    t->to = t->rows;
}

struct vt *vt_create(void (*typed)(void *ctx, const char *bytes, size_t size), void *ctx)
{
    struct vt *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    *t = (struct vt){ .typed = typed, .ctx = ctx, .rows = VT_ROWS, .columns = VT_COLUMNS };
    screen_make(t);
    return t;
}

void vt_destroy(struct vt *t)
{
    if (!t)
        return;
    vterm.vterm_free(t->vt);
    for (unsigned n = 0; n < t->lines; n++)
        free(t->line[(t->first + n) % SCROLL_LINES]);
    free(t);
}

static void gathered_take(struct vt *t)
{
    if (t->used)
        vterm.vterm_input_write(t->vt, t->gathered, t->used);
    t->used = 0;
}

/* ---- what comes ---- */

/*
 * The library (0.1.4) would leave the screen by controls of ISO 6429 that have two bytes in UTF-8, and counts numbers
 * of any length: it is handed whole letters alone, none of those, and short numbers. */
enum { DIGITS = 4, FIRST_LETTER = 0xa0, NO_LETTER = 0xfffd };

static void gather(struct vt *t, u8 byte)
{
    t->gathered[t->used++] = (char)byte;
    if (t->used == GATHERED)
        gathered_take(t);
}

static void letter_put(struct vt *t, u32 code)
{
    code = code < FIRST_LETTER || code > 0x10ffff || code >> 11 == 0x1b ? NO_LETTER : code;
    if (code >> 16)
        gather(t, (u8)(0xf0 | code >> 18));
    else
        gather(t, (u8)(code >> 11 ? 0xe0 | code >> 12 : 0xc0 | code >> 6));
    if (code >> 16)
        gather(t, (u8)(0x80 | (code >> 12 & 0x3f)));
    if (code >> 11)
        gather(t, (u8)(0x80 | (code >> 6 & 0x3f)));
    gather(t, (u8)(0x80 | (code & 0x3f)));
}

static void plain_put(struct vt *t, u8 byte)
{
    bool digit = byte >= '0' && byte <= '9';
    t->digits = digit ? t->digits + 1 : 0;
    if (byte == 033)
        t->control = 1;
    else if (t->control == 1)
        t->control = byte == '[' ? 2 : 0;
    else if (t->control == 2 && byte >= '@')
        t->control = 0;
    if (t->control != 2 || t->digits <= DIGITS)
        gather(t, byte);
}

void vt_put(struct vt *t, u8 byte)
{
    if (t->more && (byte & 0xc0) == 0x80) {
        t->code = t->code << 6 | (byte & 0x3f);
        if (!--t->more)
            letter_put(t, t->code);
        return;
    }
    if (t->more)
        letter_put(t, NO_LETTER);
    t->more = byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    t->code = byte & (0x3fu >> t->more);
    if (byte < 0x80)
        plain_put(t, byte);
    else if (!t->more)
        letter_put(t, NO_LETTER);
}

/* ---- what is seen ---- */

bool vt_changed(struct vt *t, int *from, int *to)
{
    gathered_take(t);
    vterm.vterm_screen_flush_damage(t->screen);
    if (t->scrolled && t->from < t->to)
        changed_all(t);
    *from = t->from < 0 ? 0 : t->from;
    *to = t->to < t->rows ? t->to : t->rows;
    t->from = t->rows;
    t->to = 0;
    return *from < *to;
}

/* Writes a row of another screen, as far as there are columns. */
static void row_again(struct vt *t, const struct vt_cell *cells, int columns)
{
    char text[64];
    int last = 0;
    for (int n = 0; n < columns; n++)
        last = cells[n].code || cells[n].ground != GROUND ? n + 1 : last;
    for (int n = 0; n < last && n < t->columns; n++) {
        const struct vt_cell *c = &cells[n];
        bool plain = c->ink == INK && c->ground == GROUND;
        int size =
            snprintf(text, sizeof(text), plain ? "\033[m" : "\033[0;38;2;%u;%u;%u;48;2;%u;%u;%um", c->ink >> 16,
                     c->ink >> 8 & 0xff, c->ink & 0xff, c->ground >> 16, c->ground >> 8 & 0xff, c->ground & 0xff);
        vterm.vterm_input_write(t->vt, text, (size_t)size);
        if (c->bold)
            vterm.vterm_input_write(t->vt, "\033[1m", 4);
        if (c->code >= FIRST_LETTER)
            letter_put(t, c->code);
        else
            gather(t, (u8)(c->code > ' ' && c->code < 0x7f ? c->code : ' '));
        gathered_take(t);
    }
    vterm.vterm_input_write(t->vt, "\033[m", 3);
}

/* The library leaves the screen after some changes of size: it begins anew, with the rows up to the cursor's. */
void vt_resize(struct vt *t, int rows, int columns)
{
    rows = rows < 2 ? 2 : rows > VT_MOST ? VT_MOST : rows;
    columns = columns < 2 ? 2 : columns > VT_MOST ? VT_MOST : columns;
    if (rows == t->rows && columns == t->columns)
        return;
    vt_scroll(t, -t->scrolled);
    gathered_take(t);
    int kept = t->row < 0             ? 0
               : t->row + 1 > t->rows ? t->rows
                                      : t->row + 1,
        old_columns = t->columns, column = t->column;
    struct vt_cell *cells = calloc((size_t)kept * (size_t)old_columns + 1, sizeof(*cells));
    for (int n = 0; cells && n < kept; n++)
        vt_row(t, n, cells + n * old_columns);
    vterm.vterm_free(t->vt);
    t->rows = rows;
    t->columns = columns;
    screen_make(t);
    for (int n = 0; cells && n < kept; n++) {
        if (n)
            vterm.vterm_input_write(t->vt, "\r\n", 2);
        row_again(t, cells + n * old_columns, old_columns);
    }
    char text[32];
    int size = snprintf(text, sizeof(text), "\033[%dG", column + 1 < columns ? column + 1 : columns);
    vterm.vterm_input_write(t->vt, text, (size_t)size);
    free(cells);
}

void vt_size(const struct vt *t, int *rows, int *columns)
{
    *rows = t->rows;
    *columns = t->columns;
}

void vt_row(struct vt *t, int row, struct vt_cell *cells)
{
    const struct vt_cell nothing = { .ink = INK, .ground = GROUND, .width = 1 };
    int at = row - t->scrolled;
    const struct line *l = at < 0 ? t->line[(t->first + t->lines + (unsigned)at) % SCROLL_LINES] : NULL;
    for (int n = 0; n < t->columns; n++) {
        VTermScreenCell c;
        cells[n] = l && n < l->columns ? l->cell[n] : nothing;
        if (!l && vterm.vterm_screen_get_cell(t->screen, (VTermPos){ at, n }, &c))
            cells[n] = cell_of(t, &c);
    }
}

bool vt_within(const struct vt *t)
{
    return t->row >= 0 && t->row < t->rows && t->column >= 0 && t->column < t->columns;
}

bool vt_cursor(const struct vt *t, int *row, int *column)
{
    *row = t->row + t->scrolled;
    *column = t->column;
    return !t->cursor_hidden && *row < t->rows && vt_within(t);
}

void vt_scroll(struct vt *t, int lines)
{
    int was = t->scrolled, to = was + lines;
    t->scrolled = to < 0 ? 0 : to > (int)t->lines ? (int)t->lines : to;
    if (t->scrolled != was)
        changed_all(t);
}

int vt_scrolled(const struct vt *t) { return t->scrolled; }

/* ---- keys ---- */

static const struct {
    u8 usage;
    u16 key;
} keys[] = {
    { 0x28, VTERM_KEY_ENTER },  { 0x58, VTERM_KEY_ENTER },  { 0x2b, VTERM_KEY_TAB },      { 0x2a, VTERM_KEY_BACKSPACE },
    { 0x29, VTERM_KEY_ESCAPE }, { 0x52, VTERM_KEY_UP },     { 0x51, VTERM_KEY_DOWN },     { 0x50, VTERM_KEY_LEFT },
    { 0x4f, VTERM_KEY_RIGHT },  { 0x49, VTERM_KEY_INS },    { 0x4c, VTERM_KEY_DEL },      { 0x4a, VTERM_KEY_HOME },
    { 0x4d, VTERM_KEY_END },    { 0x4b, VTERM_KEY_PAGEUP }, { 0x4e, VTERM_KEY_PAGEDOWN },
};

static VTermModifier mods_of(unsigned mods)
{
    return (mods & MOD_SHIFT ? VTERM_MOD_SHIFT : 0u) | (mods & MOD_ALT ? VTERM_MOD_ALT : 0u) |
           (mods & MOD_CTRL ? VTERM_MOD_CTRL : 0u);
}

static void key_give(struct vt *t, VTermKey key, unsigned mods)
{
    vt_scroll(t, -t->scrolled);
    gathered_take(t); /* it may have changed what keys say */
    vterm.vterm_keyboard_key(t->vt, key, mods_of(mods));
}

void vt_key(struct vt *t, unsigned usage, u32 code, unsigned mods)
{
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++)
        if (keys[n].usage == usage) {
            key_give(t, keys[n].key, mods);
            return;
        }
    if (usage >= 0x3a && usage <= 0x44) /* F1 to F11 */
        key_give(t, VTERM_KEY_FUNCTION(usage - 0x3a + 1), mods);
    else if (mods & MOD_CTRL && code >= ' ' && code < 0x7f)
        vterm.vterm_keyboard_unichar(t->vt, code, mods_of(mods & ~(unsigned)MOD_SHIFT));
}

void vt_text(struct vt *t, const char *text, unsigned mods)
{
    const char *end = text + strlen(text);
    vt_scroll(t, -t->scrolled);
    for (u32 code; (code = utf8_next(&text, end));)
        vterm.vterm_keyboard_unichar(t->vt, code, mods_of(mods & MOD_ALT));
}

void vt_paste(struct vt *t, const char *text)
{
    const char *end = text + strlen(text);
    vterm.vterm_keyboard_start_paste(t->vt);
    for (u32 code; (code = utf8_next(&text, end));)
        if (code == '\n')
            vterm.vterm_keyboard_key(t->vt, VTERM_KEY_ENTER, VTERM_MOD_NONE);
        else
            vterm.vterm_keyboard_unichar(t->vt, code, VTERM_MOD_NONE);
    vterm.vterm_keyboard_end_paste(t->vt);
}
