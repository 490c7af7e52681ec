/*
 * The stub's inside: what gdb.c (running and stopping) and gdb_data.c (registers, memory, points, threads, questions)
 * share.
 */
#ifndef DEBUG_GDB_INTERNAL_H
#define DEBUG_GDB_INTERNAL_H

#include "debug/debugger.h"
#include "debug/gdb.h"
#include "debug/gdb_link.h"

struct gdb {
    struct debugger d;
    struct gdb_link link;
    bool (*interrupted)(void);
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

/* A row of gdb_packet.def: args is what follows the beginning, ends with a 0, length bytes before it. */
typedef void gdb_packet_fn(struct gdb *g, char *args, unsigned length);
#define PACKET(begin, handler) gdb_packet_fn handler;
#include "debug/gdb_packet.def"
#undef PACKET

/* Sends a text. */
void gdb_answer(struct gdb *g, const char *text);
/* A hex number at *p; moves *p behind it. False: there is none, or more than 16 digits. */
bool gdb_number(char **p, u64 *value);
/* Is this character next? Moves *p behind it. */
bool gdb_expect(char **p, char c);
/* Thread ids: cpu + 1; 0 and -1 mean any (*cpu stays). False: no such thread. */
bool gdb_thread_parse(struct gdb *g, char *args, u32 *cpu);
/* The machine was changed by the client. */
void gdb_changed(struct gdb *g);
/* Removes what Z packets set. */
void gdb_points_forget(struct gdb *g);

#endif
