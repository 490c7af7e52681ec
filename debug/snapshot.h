/*
 * Snapshots: the whole machine in a file. "ELMUSNAP", version, hashes, the sections of the state, the state, which RAM
 * pages hold something, what was written to disks with snapshot=on, their bytes: compressed (zstd), or plain and
 * page-aligned so that a restore maps them copy-on-write.
 */
#ifndef DEBUG_SNAPSHOT_H
#define DEBUG_SNAPSHOT_H

#include "board/machine.h"

/* False: error holds one line; an older file of that name is still there. */
bool snapshot_save(struct machine *m, const char *file, bool compress, char error[256]);
/* The form that a file's name asks for: *.map is not compressed. */
bool snapshot_is_plain(const char *file);
/* The machine's part of the state (no PE, nothing derived), of a file that is whole: which options it was made with.
 * False: error holds one line. */
bool snapshot_peek(const char *file, struct machine *out, char error[256]);
/* Into a machine made by the same options. False: error holds one line. The machine is as it was, but
 * for pages that cannot be unpacked: then it was reset. */
bool snapshot_restore(struct machine *m, const char *file, char error[256]);

#endif
