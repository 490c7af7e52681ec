/*
 * -report FILE: a page of the run, one HTML file that needs nothing beside itself (docs/report.md). What is in it is
 * gathered when the run has ended; of the run itself it sees exceptions (debug/timeline.h) and what consoles print. It
 * changes nothing. The page of a run is the same each time the run is made: it has no host times.
 */
#ifndef FRONTEND_REPORT_H
#define FRONTEND_REPORT_H

#include "frontend/frontend.h"

struct report;
/* `elmu report ...`: the same run, of which -o FILE names the page; or `elmu report --compare A B -o C`, which is done
 * then (true: status holds how). The words that main goes on with are in *argc, *argv. Dies with a message. */
bool report_main(int *argc, char ***argv, int *status);
/* NULL: the options ask for none. argv: the command line, which stays. Dies when the file cannot be made. */
struct report *report_create(const struct options *o, int argc, char **argv);
/* The machine is loaded, and nothing has run. NULL: nothing, as in all that follows. */
void report_begin(struct report *r, struct session *s);
/* A port printed a byte. */
void report_output(struct report *r, unsigned port, u8 byte);
/* The run has ended; the machine and those who look in are still there. */
void report_gather(struct report *r, struct machine *m, struct session *s, const struct run_end *end);
/* Traces have been written, too: writes the page, whole or not at all, and frees r. False: said why. status: the
 * program's. It reads all of the RAM, for the hash. */
bool report_write(struct report *r, struct machine *m, int status);

#endif
