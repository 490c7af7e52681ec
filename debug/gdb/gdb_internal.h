/*
 * The stub's inside: what gdb.c (running and stopping) and gdb_data.c (registers, memory, points, threads, questions)
 * share.
 */
#ifndef DEBUG_GDB_INTERNAL_H
#define DEBUG_GDB_INTERNAL_H

#include "debug/debugger.h"
#include "debug/gdb/gdb.h"
#include "debug/gdb/gdb_link.h"

struct gdb {
    struct debugger d;
    struct gdb_link link;
    bool (*interrupted)(void);
    bool (*standing)(void *ctx);
    void *standing_ctx;
    struct text xml, out;
    u32 cpu_g, cpu_c;     /* PE of register and memory packets; of c and s */
    bool running, wanted; /* wanted: the client waits for a stop reply */
    bool asked;           /* it connected, interrupted or sent something: stop */
    bool have_packet;     /* it came while the machine ran */
    bool left;            /* the client, on a long way back */
    bool killed;
    u64 range_from, range_to; /* vCont;r */
};
enum { GO_BACK_STEP, GO_BACK };

/* The arguments of a packet, as its row in gdb_packet.def says: the numbers in order, the thread, what is left (ends
 * with a 0, length bytes before it). */
struct gdb_args {
    u64 n[3];
    unsigned count;
    u32 cpu; /* of the thread; NO_CPU: any */
    char *rest;
    unsigned length;
};
enum { NO_CPU = ~0u };
typedef void gdb_packet_fn(struct gdb *g, const struct gdb_args *a);
#define PACKET(name, arguments, handler) gdb_packet_fn handler;
#include "debug/gdb/gdb_packet.def"

/* Sends a text. */
void gdb_answer(struct gdb *g, const char *text);
/* Reads arguments of the shape (gdb_packet.def) to their end. False: they are others. text ends with a 0. */
bool gdb_parse(struct gdb *g, const char *shape, char *text, unsigned length, struct gdb_args *a);
/* The machine was changed by the client. */
void gdb_changed(struct gdb *g);
/* Removes what Z packets set. */
void gdb_points_forget(struct gdb *g);

#endif
