/* Pictures of the guest's screens (board/display.h) in files of the host. */
#ifndef FRONTEND_SCREENDUMP_H
#define FRONTEND_SCREENDUMP_H

#include "frontend/frontend.h"

struct screendump {
    u32 width, height; /* pixels; 0: none */
    u8 *rgb;           /* three bytes each, row by row; malloc'd */
};
/* What screen n shows, without a pointer that its device draws over it, as on QEMU. False: nothing, error says why. */
bool screendump_take(struct machine *m, unsigned n, struct screendump *p, char error[256]);
/* As a portable pixmap ("ppm") or a PNG ("png"); whole or not at all. */
bool screendump_write(const struct screendump *p, const char *format, const char *file, char error[256]);
/* The number of the screen that is head `head` of the device with that id=; NULL: of all. -1: error says why. */
int screendump_screen(struct machine *m, const struct options *o, const char *device, u32 head, char error[256]);

/* -screendump. False: said what is wrong. */
bool screendump_at_end(struct machine *m, const struct options *o);

/* frontend/screendump_png.c: the bytes of a file, malloc'd, of *size. NULL: error says why. */
u8 *screendump_png(const struct screendump *p, u64 *size, char error[256]);
/* Its version, or NULL: built without it. Loads it. */
const char *screendump_png_library(void);
void screendump_png_ready(void);

#endif
