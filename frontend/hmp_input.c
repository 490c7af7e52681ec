/* Commands of QEMU's human monitor (frontend/hmp.def) that press keys and move pointers. */
#include "frontend/hmp.h"
#include "frontend/input.h"

#include <stdlib.h>

/* A whole number; absent: `otherwise`. False: it is none. */
static bool number_take(struct hmp *h, s64 otherwise, s64 *value)
{
    const char *word = hmp_word(h);
    char *end;
    *value = word[0] ? strtoll(word, &end, 0) : otherwise;
    return !word[0] || !*end;
}

/* Not now, as while a journal is replayed. */
static bool refused(struct hmp *h)
{
    const char *why = session_refuses(h->session);
    if (why)
        hmp_fail(h, "%s", why);
    return why;
}

void hmp_sendkey(struct hmp *h)
{
    const char *names = hmp_word(h), *why = NULL;
    char error[128];
    struct keys k;
    s64 hold = HOLD_MS;
    if (!names[0])
        why = "which keys? (names, joined by '-': ctrl-alt-f1)";
    else if (!keys_read(&k, names, strlen(names), error))
        why = error;
    else if (!number_take(h, HOLD_MS, &hold) || hold < 0 || hold > HOLD_MOST)
        why = "expected a number of milliseconds, an hour at most";
    else if (!refused(h))
        why = inputs_press(h->console->inputs, &k, (u32)hold);
    if (why)
        hmp_fail(h, "%s", why);
}

void hmp_mouse_move(struct hmp *h)
{
    struct inputs *in = h->console->inputs;
    s64 dx = 0, dy = 0, dz = 0;
    if (!number_take(h, 0, &dx) || !number_take(h, 0, &dy) || !number_take(h, 0, &dz))
        hmp_fail(h, "expected numbers");
    else if ((dx || dy) && !inputs_relative(in))
        hmp_fail(h,
                 "there is no mouse (-device virtio-mouse-pci is one; a tablet is moved by input-send-event of QMP)");
    if (h->failed || refused(h))
        return;
    inputs_move_by(in, (s32)dx, (s32)dy);
    if (dz)
        inputs_button(in, dz > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN, true);
    inputs_sync(in);
}

/* 1: left, 2: right, 4: middle, as QEMU has them. */
void hmp_mouse_button(struct hmp *h)
{
    struct inputs *in = h->console->inputs;
    struct pointer_info none;
    s64 state = 0;
    if (!number_take(h, 0, &state))
        hmp_fail(h, "expected a set of buttons: 1 left, 2 right, 4 middle");
    else if (!inputs_pointer(in, 0, &none))
        hmp_fail(h, "there is no pointer (-device virtio-mouse-pci or virtio-tablet-pci is one)");
    if (h->failed || refused(h))
        return;
    for (unsigned n = BUTTON_LEFT; n <= BUTTON_MIDDLE; n++)
        inputs_button(in, n, state >> n & 1);
    inputs_sync(in);
}

void hmp_mouse_set(struct hmp *h)
{
    s64 number = 0;
    if (!number_take(h, 0, &number) || number < 0 || number > MAX_INPUTS ||
        !inputs_choose(h->console->inputs, (unsigned)number))
        hmp_fail(h, "there is no such pointer (info mice lists them)");
}

void info_mice(struct hmp *h)
{
    struct pointer_info p;
    unsigned n = 0;
    for (; inputs_pointer(h->console->inputs, n, &p); n++)
        text_add(h->out, "%c Mouse #%u: %s%s\n", p.current ? '*' : ' ', p.number, p.name,
                 p.absolute ? " (absolute)" : "");
    if (!n)
        text_add(h->out, "No mouse devices connected\n");
}
