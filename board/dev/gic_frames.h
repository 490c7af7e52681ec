/* What the GIC's frames of both versions share on the bus. */
#ifndef BOARD_GIC_FRAMES_H
#define BOARD_GIC_FRAMES_H

#include "board/machine.h"

/* Tells of an access that the GIC found wrong: no accesses of this size (RAZ/WI), no such interrupt. Returns ok. */
bool gic_told(struct machine *m, bool ok);

#endif
