/*
 * What comes to the machine from outside, with the time at which it came: console input, network frames, answers of
 * shared folders, waits that were cut short for a person, results of semihosting files. Between the machine and its
 * front end: as long as the journal holds what comes next it is taken from there, else from the front end, and written
 * down.
 *
 * File (-record, -replay): "ELMUJRNL", version, layout of an entry, seed-independent; entries as they are; a hash.
 */
#ifndef DEBUG_JOURNAL_H
#define DEBUG_JOURNAL_H

#include "board/machine.h"

struct journal;
/* Puts itself between machine and front end. NULL: no memory. */
struct journal *journal_attach(struct machine *m);
void journal_detach(struct journal *j);
/* How many entries have been passed: where a checkpoint stands. And back to there. */
u64 journal_count(const struct journal *j);
u64 journal_mark(const struct journal *j);
/* How many of the entries are of console input (a byte each) and of frames. */
u64 journal_typed(const struct journal *j);
void journal_seek(struct journal *j, u64 mark);
/* Up to this time of the machine (ns) the run has been seen: its output is not shown again. */
void journal_set_front(struct journal *j, u64 now);
/* The host is not polled: the run goes to a known place, nobody may stop it on the way. */
void journal_set_quiet(struct journal *j, bool quiet);
/* Nobody will go back behind this point: what came before is dropped. Only where nothing is ahead. */
void journal_forget(struct journal *j);
/* What was ahead will not come: the machine was changed by hand. */
void journal_cut(struct journal *j);
/* Writes all entries to a new file, complete or not at all; reads them. False: error holds one line. */
bool journal_write(struct journal *j, const char *file, char error[256]);
bool journal_read(struct journal *j, const char *file, char error[256]);
/* The machine is about to be reset by hand, from within the host's poll: keeps that. False: it is being replayed. */
bool journal_reset(struct journal *j);
/* Whether entries are kept at all. */
void journal_keep(struct journal *j, bool keep);

#endif
