/*
 * The machine's state as a table of named sections: whoever saves, loads, hashes, compares or examines it walks the
 * table, and a snapshot names the section that does not fit.
 */
#ifndef BOARD_STATE_H
#define BOARD_STATE_H

#include "board/machine.h"

/* Equal parts, one behind the other: the devices of a row, the PEs. */
struct section {
    const char *name;
    u32 version; /* of what its values mean */
    u32 count;
    u64 size, stride; /* bytes, of a part and from one to the next */
    u8 *at;
    const struct state_shape *shape; /* NULL: numbers of 8 bytes */
};
/* Section n of the machine; false past the last. */
bool section_get(struct machine *m, unsigned n, struct section *s);
/* Of layout and version: what two machines' sections of that name must have in common. */
u64 section_hash(const struct section *s);

/* Bytes of the state of this machine without RAM. */
u64 state_size(const struct machine *m);
void state_save(struct machine *m, u8 *to);
/* The counterpart; what is derived is made again. The bytes must come from state_save of a machine of the same make, or
 * have passed state_examine. */
void state_load(struct machine *m, const u8 *from);
/* NULL, or what is wrong with the bytes of a state from outside, for a machine of the same make as m, before they are
 * loaded: every index is bounded. */
const char *state_examine(const struct machine *m, const u8 *from);

#endif
