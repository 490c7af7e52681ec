/*
 * Screens: what the guest shows, for those who look (a window, VNC, a picture). This is a peek at devices' state and
 * the guest's RAM: it changes nothing, so a run is the same whether anybody looks or not. A device with screens has
 * `screens` in its kind (struct screens of board/device.h); they are numbered over all of the machine's devices in the
 * order of the rows.
 */
#ifndef BOARD_DISPLAY_H
#define BOARD_DISPLAY_H

#include "lib/base.h"

struct machine;

enum { SCREEN_MAX = 16384 /* pixels, either way */, CURSOR_SIZE = 64, MAX_SCREENS = 16 };

/* What screen n shows now. Sizes in pixels; width 0: nothing, the guest has not switched it on. */
struct screen {
    u32 width, height;
    /* The pointer that the device draws over it, if there is one: where its hot spot is on the screen, and in its
     * image. */
    s32 cursor_x, cursor_y;
    u32 hot_x, hot_y;
    bool cursor;
    char name[32]; /* "ramfb", "virtio-gpu 0.1": device, head */
};

/* How many the machine has. */
unsigned machine_screens(const struct machine *m);
/* False: there is no such screen. */
bool machine_screen(struct machine *m, unsigned n, struct screen *s);
/* Pixels of a part of it, 0x00RRGGBB each, into rows of `stride` pixels; what is outside, or not in RAM, is black. */
void machine_screen_read(struct machine *m, unsigned n, u32 x, u32 y, u32 width, u32 height, u32 *pixels, u32 stride);
/* The pointer's image: CURSOR_SIZE * CURSOR_SIZE pixels, 0xAARRGGBB, not premultiplied. */
void machine_screen_cursor(struct machine *m, unsigned n, u32 *pixels);

#endif
