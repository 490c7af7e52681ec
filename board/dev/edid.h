/* EDID: what a screen says of itself. */
#ifndef BOARD_EDID_H
#define BOARD_EDID_H

#include "lib/base.h"

enum { EDID_SIZE = 128 };
/* Of a screen whose best mode has that many pixels. */
void edid_make(u8 block[EDID_SIZE], u32 width, u32 height);

#endif
