/*
 * The wire of the gdb remote protocol (gdb manual, appendix E "Remote Protocol": Overview, Interrupts): listening, one
 * client at a time, packets with checksum and acknowledgement. Bytes from the client are hostile.
 */
#ifndef DEBUG_GDB_LINK_H
#define DEBUG_GDB_LINK_H

#include "debug/text.h"

enum { GDB_PACKET = 0x4000 }; /* bytes of a packet's data, as announced */

struct gdb_link {
    int listener, fd; /* -1: none */
    char unix_path[108];
    bool no_ack, lost; /* lost: it went while something was sent */
    enum { LINK_IDLE, LINK_DATA, LINK_SUM1, LINK_SUM2 } state;
    bool too_long;
    u8 sum, got;
    u8 in[4096];
    unsigned in_used, in_at;
    char packet[GDB_PACKET + 1]; /* unescaped only by those who carry binary data (X) */
    unsigned length;
    struct text last; /* what was sent, for a client that asks again */
};

enum gdb_event { GDB_NOTHING, GDB_CONNECTED, GDB_CLOSED, GDB_BREAK, GDB_HAVE_PACKET };

/* `tcp:HOST:PORT`, `tcp::PORT` (loopback), `unix:PATH`. False: error says why. */
bool gdb_link_open(struct gdb_link *l, const char *where, char error[256]);
void gdb_link_close(struct gdb_link *l);
/* The next thing that happened, waiting at most timeout_ms (0: not at all). */
enum gdb_event gdb_link_next(struct gdb_link *l, int timeout_ms);
/* Sends a packet. */
void gdb_link_send(struct gdb_link *l, const char *data, size_t size);
void gdb_link_drop(struct gdb_link *l);

#endif
