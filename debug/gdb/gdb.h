/*
 * The gdb stub: a machine under a debugger. One thread a PE (thread n + 1 is cpu n), all of them stop and run together,
 * in the machine's own order, so that a debugged run is the run that would have been.
 */
#ifndef DEBUG_GDB_H
#define DEBUG_GDB_H

#include "board/machine.h"

struct gdb;
struct symbols;
struct debugger;
/* where: `tcp::PORT`, `tcp:HOST:PORT`, `unix:PATH`. stopped: the machine waits for a client that says continue. input:
 * the machine's input log is kept, so that the run can go backwards. NULL: error says why. */
struct gdb *gdb_open(struct machine *m, const char *where, bool stopped, char error[256]);
/* Names for `monitor break NAME` and its like, from these files; NULL: there are none. They outlive the stub. */
void gdb_set_symbols(struct gdb *g, const struct symbols *symbols);
/* As machine_run, but stops for the client, and comes back when the machine's run is over or the client ends it. */
struct run_end gdb_run(struct gdb *g, u64 limit);
/* The machine was reset: there is no way back across it. */
void gdb_restarted(struct gdb *g);
/* For the machine's poll: a client that connects, interrupts or leaves. */
void gdb_poll(struct gdb *g);
/* Descriptors that become readable when there is something to poll for; -1: none. */
void gdb_fds(const struct gdb *g, int fds[2]);
/* The program ends with this status. */
void gdb_close(struct gdb *g, int status);
/* What monitors that are not the client's share with it. */
struct debugger *gdb_debugger(struct gdb *g);
/* Does the machine stand? And makes it stand or run, as another than the client asks; a client that waits for a stop
 * hears of it. Not within machine_run. */
bool gdb_stands(const struct gdb *g);
void gdb_halt(struct gdb *g);
void gdb_go(struct gdb *g);
/* Called again and again while the machine stands; true: gdb_run comes back. */
void gdb_set_standing(struct gdb *g, bool (*standing)(void *ctx), void *ctx);
/* Did the user ask for the end (signal)? Set by the front end; may be NULL. */
void gdb_set_interrupted(struct gdb *g, bool (*interrupted)(void));

#endif
