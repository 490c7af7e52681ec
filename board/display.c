/* Screens of the machine: those of its devices, in the order of the rows (board/display.h). */
#include "board/display.h"

#include "board/machine.h"

struct shown {
    struct place at;
    void *state;
    const struct screens *ops;
    unsigned head; /* of the device */
};

/* The device that has screen n, and which of its own that is. */
static bool screen_find(struct machine *m, unsigned n, struct shown *found)
{
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        const struct screens *ops = row_get(at.row)->kind->screens;
        unsigned count = ops ? ops->count(m, at) : 0;
        if (n < count) {
            *found = (struct shown){ at, place_state(m, at), ops, n };
            return true;
        }
        n -= count;
    }
    return false;
}

unsigned machine_screens(const struct machine *m)
{
    unsigned count = 0;
    for (struct place at = PLACE_FIRST; place_next(m, &at);) {
        const struct screens *ops = row_get(at.row)->kind->screens;
        count += ops ? ops->count(m, at) : 0;
    }
    return count < MAX_SCREENS ? count : MAX_SCREENS;
}

bool machine_screen(struct machine *m, unsigned n, struct screen *s)
{
    struct shown shown;
    *s = (struct screen){ .width = 0 };
    if (n >= MAX_SCREENS || !screen_find(m, n, &shown))
        return false;
    shown.ops->look(m, shown.state, shown.at, shown.head, s);
    if (!s->width || !s->height || s->width > SCREEN_MAX || s->height > SCREEN_MAX)
        s->width = s->height = 0;
    return true;
}

void machine_screen_read(struct machine *m, unsigned n, u32 x, u32 y, u32 width, u32 height, u32 *pixels, u32 stride)
{
    struct screen s;
    struct shown shown;
    bool there = machine_screen(m, n, &s) && screen_find(m, n, &shown);
    u32 inside = !there || x >= s.width ? 0 : width < s.width - x ? width : s.width - x;
    for (u32 row = 0; row < height; row++, pixels += stride) {
        u32 count = there && y < s.height && row < s.height - y ? inside : 0;
        memset(pixels + count, 0, (width - count) * sizeof(*pixels));
        if (count)
            shown.ops->read(m, shown.state, shown.at, shown.head, x, y + row, count, pixels);
        for (u32 k = 0; k < count; k++)
            pixels[k] &= 0xffffff;
    }
}

void machine_screen_cursor(struct machine *m, unsigned n, u32 *pixels)
{
    struct shown shown;
    memset(pixels, 0, sizeof(*pixels) * CURSOR_SIZE * CURSOR_SIZE);
    if (n < MAX_SCREENS && screen_find(m, n, &shown) && shown.ops->cursor)
        shown.ops->cursor(m, shown.state, shown.at, shown.head, pixels);
}
