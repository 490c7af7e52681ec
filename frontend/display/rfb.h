/*
 * The remote framebuffer protocol (RFC 6143), the server's side of one connection: bytes in, bytes out, no sockets. A
 * client is hostile: what it says is taken apart as it comes, nothing is waited for, and no message makes the server
 * keep more than these buffers. Who says nonsense is ended.
 */
#ifndef FRONTEND_DISPLAY_RFB_H
#define FRONTEND_DISPLAY_RFB_H

#include "lib/base.h"

/* Pictures are at most so wide and high (more is cut off), and are looked at by tiles. */
enum { RFB_SIDE = 4096, RFB_TILE = 64, RFB_TILES = RFB_SIDE / RFB_TILE, RFB_OUT = 4 << 20, RFB_IN = 4096 };

/* The picture that all clients are shown: 0x00RRGGBB each. version: counts up with what changed; a tile has that of its
 * last change, so that who knows the version of its last update knows which tiles are new. */
struct rfb_picture {
    u32 width, height;
    u64 version, size_version; /* ... and that of the size */
    u32 *pixels;
    u64 tile[RFB_TILES * RFB_TILES];
};

/* What a client does; ctx is handed back. */
struct rfb_user {
    void *ctx;
    /* A key: X's keysym; number: QEMU's number of it (board/dev/keys.def), or 0. */
    void (*key)(void *ctx, u32 keysym, u32 number, bool down);
    /* buttons: bit 0 left, 1 middle, 2 right, 3 and 4 the wheel, up and down. */
    void (*pointer)(void *ctx, u32 x, u32 y, u32 buttons);
};

struct rfb {
    struct rfb_user user;
    const char *name;      /* of the machine, as the client shows it */
    u32 state;             /* what comes next; 0: the version */
    u32 version;           /* 3, 7, 8 */
    bool over;             /* it is to be ended, when `out` is written */
    bool asked, whole;     /* an update was asked for; of all, changed or not */
    bool resizes, numbers; /* it understands a change of size; numbers of keys */
    bool numbers_told;
    u64 seen, seen_size; /* versions of the picture that it has */
    u64 sent[RFB_TILES * RFB_TILES];
    u32 width, height;   /* that it knows */
    u32 x, y, w, h;      /* of the update */
    u32 skip, encodings; /* bytes to be skipped; entries of a list that are to come */
    u8 bytes_pixel, big; /* its pixels */
    u16 max[3];
    u8 shift[3];
    u8 in[RFB_IN];
    u32 in_used;
    u8 *out; /* RFB_OUT bytes */
    u32 out_used;
};

/* Begins a connection; false: no memory. `out` is then to be sent; rfb_close gives it back. */
bool rfb_open(struct rfb *r, const struct rfb_user *user, const char *name);
void rfb_close(struct rfb *r);
/* What the client said, of any length. */
void rfb_take(struct rfb *r, const struct rfb_picture *p, const u8 *bytes, size_t size);
/* An update, if one was asked for, something is new, and there is room: as much of it as there is room for. */
void rfb_update(struct rfb *r, const struct rfb_picture *p);
/* Does it wait for one? */
bool rfb_waits(const struct rfb *r);
/* So many bytes of `out` were sent. */
void rfb_sent(struct rfb *r, size_t size);

#endif
