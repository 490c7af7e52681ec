/*
 * Shares: a folder of the host's that the guest mounts, served by 9P2000.L (9P2000 by intro(5) of Plan 9's manual;
 * its L dialect as Linux's v9fs speaks it). Three parts, each with a file or two:
 *
 *     p9.def, p9.c      messages: the table, what is in them, what is to be done
 *     share_fids.c      what the server must remember of its client: fids, names, attributes on their way
 *     share_host.c      the folder: nothing of the host's outside of it is ever reached
 *     share_map.c       owners, modes and kinds of files that the host's own do not say (security_model=mapped...)
 *
 * What is remembered lies in a room that is part of the machine's state, so that snapshots and the way back have it;
 * all else (open files, lists of folders) is found again from there.
 */
#ifndef FRONTEND_SHARE_H
#define FRONTEND_SHARE_H

#include "board/machine.h"

/* How owners and modes are kept: as the host's own; the same, where a failure to give files away does not matter; in
 * attributes of the files; in files of their own beside them. */
enum share_model { SHARE_PASSTHROUGH, SHARE_NONE, SHARE_MAPPED_XATTR, SHARE_MAPPED_FILE };
enum share_devices { SHARE_REMAP, SHARE_FORBID, SHARE_WARN };

struct share_config {
    char path[1024];
    enum share_model model;
    enum share_devices devices;
    bool readonly;
    u32 fmode, dmode; /* of the host's files and folders, where they are mapped */
};

/* Where the server remembers: SHARE_MEMORY bytes of state, changed by `put` alone (from NULL: zeros). */
struct share_memory {
    void (*put)(void *ctx, u64 offset, const void *from, u64 size);
    void *ctx;
};
enum { SHARE_MEMORY = SHARE_ROOM - SHARE_OF_SERVER };

struct share;
/* NULL: error says why. A note, one line, goes to `note` (256 bytes, "": none). */
struct share *share_open(const struct share_config *config, struct share_memory memory, char error[256],
                         char note[256]);
void share_close(struct share *s);
/* The answer to a message of `size` bytes, SHARE_MESSAGE bytes of room; 0: there is none. memory: the bytes. */
u32 share_request(struct share *s, const u8 *memory, const u8 *request, u32 size, u8 *answer);
/* The nth part of the memory that the last request changed. False: no more. */
bool share_changed(const struct share *s, u32 n, struct share_change *change);

#endif
