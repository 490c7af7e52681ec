/*
 * The program around the machine: consoles, files, disks, statistics. This is where I/O, host time and signals live.
 */
#ifndef FRONTEND_FRONTEND_H
#define FRONTEND_FRONTEND_H

#include "frontend/chardev.h"

#include <signal.h>
#include <stdio.h>

struct inputs;
struct nets;
struct report;
struct text;
struct frontend;

/* ---- console.c: the ports ---- */

enum { PORT_BUFFER = 4096 };

/* Looks for a text in a stream of bytes (Knuth, Morris, Pratt). */
struct matcher {
    const char *text;
    unsigned length, at;
    u16 *back;
};

struct port {
    struct chardev *end; /* NULL: nobody */
    u32 head, used;
    u8 buffer[PORT_BUFFER]; /* came, and the guest has not read it */
    struct matcher until, after;
    char *typed; /* what --send types, from typed_at */
    u64 typed_at, typed_size;
};

struct console {
    struct machine *m;
    const struct options *o;
    struct chardevs ends;
    struct port port[ALL_PORTS];
    unsigned send_next;      /* the pair that is waited for */
    u64 start_ns;            /* host time at which the machine's time was 0 */
    bool saving;             /* a snapshot is about to be written: nothing is typed before */
    bool until_seen;         /* --until's text was printed */
    struct port *held;       /* what is to be typed on then */
    struct nets *nets;       /* what is waited for, too: frontend/net.h */
    struct inputs *inputs;   /* keys and pointers: frontend/input.h */
    const struct roms *roms; /* what was loaded, for monitors */
};

/* Opens what the options ask for; dies with a message. */
void console_open(struct console *c, struct machine *m, const struct options *o);
/* False: something could not be written; said so. */
bool console_close(struct console *c);
/* Outside machine_run: did a signal end the run? Then end says which. */
bool console_ended(struct console *c, struct run_end *end);
/* What was gathered goes out. */
void console_flush(struct console *c);
/* For struct machine_host; ctx is struct console. */
void console_output(void *ctx, unsigned port, u8 byte);
int console_input(void *ctx, unsigned port, bool waiting);
bool console_input_comes(void *ctx, unsigned port);
void console_poll(void *ctx);
/* The snapshot was written. */
void console_release(struct console *c);
u64 console_idle(void *ctx, u64 now, u64 until);
bool console_listens(void *ctx);
/* Which port a chardev or serial option of the machine configuration uses is fixed: serial n is port n, virtconsole k
 * is row_ports() + k. */

/* ---- terminal.c: raw mode, signals, keys ---- */
/* SIGINT, SIGTERM and SIGHUP end the run as a whole, with all that is written at its end; a second one at once. */
void terminal_signals(void);
/* Holds them back, so that none comes between a look at terminal_interrupted and a ppoll with the mask that was. */
void terminal_signals_hold(sigset_t *was);
/* Raw mode when stdin is a terminal; restored at exit. keep_signals: Ctrl-C ends elmu. */
void terminal_raw(bool keep_signals);
/* The host's monotonic clock, ns. */
u64 host_ns(void);
void terminal_restore(void);
/* A signal asked for the end: which one, else 0. */
int terminal_signal(void);
bool terminal_interrupted(void);

/* ---- files.c ---- */
/* The whole file, or dies with one line that names it. */
struct blob file_read(const char *what, const char *name);
/* Its bytes are not needed soon: gives the memory back; they are read from the file again when they are. */
void file_idle(const struct blob *file);
/* Dies when it is no longer as long as it was. */
void file_check(const struct blob *file);
/* A mapped file that becomes shorter while it is in use ends the program with a line that names it. */
void files_guard(void);
/* Writes a whole new file or nothing at all, or through what is there when that is no plain file. */
void file_write(const char *name, const void *data, u64 size);

/* ---- disks.c ---- */
struct disks;
/* What the machine asked of a disk so far, going back and forth included: an access is what fits one buffer of a
 * request's. */
enum disk_access { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_UNMAP, DISK_ACCESSES };
struct disk_counts {
    struct {
        u64 count, bytes, failed; /* those that went well; of them; those that did not */
    } of[DISK_ACCESSES];
    u64 highest; /* bytes up to which it was written */
};
const struct disk_counts *disk_counts(const struct disks *d, unsigned n);
struct disks *disks_open(const struct options *o, struct machine_config *config);
/* False: something of what the guest wrote could not be kept; said so. */
bool disks_close(struct disks *d);

/* ---- shares.c ---- */
struct shares;
struct shares *shares_open(struct frontend *f, struct machine_config *config);
/* Opens the folder of -fsdev `id` for share `unit`. Dies when there is no such. o->net_cut: opens nothing. */
void shares_plug(struct shares *all, const struct options *o, unsigned unit, const char *id);
void shares_close(struct shares *all);

/* ---- devices.c ---- */
/* Fills in the devices of the configuration, whose other ends are open. Dies with a message. */
void devices_set(const struct options *o, struct machine_config *c, struct frontend *f);

/* ---- daemon.c: -daemonize, -pidfile ---- */
/* Goes on in another process; the caller's waits for daemon_ready, and ends with status 1 when that does not come. */
void daemon_begin(void);
/* The machine is there: standard streams lead nowhere from now on. */
void daemon_ready(void);
/* Writes the process's number there (NULL: nowhere); the file goes with the program. */
void pidfile_write(const char *name);

/* ---- hmp_info.c ---- */
/* QEMU's name of one of the balloon's statistics (BALLOON_STATISTICS); bytes, unless it is NULL: is it a size? */
const char *balloon_statistic(unsigned n, bool *bytes);

/* ---- hostfiles.c: semihosting ---- */
enum { HOST_FILES = 64 };
struct hostfiles {
    int file[HOST_FILES]; /* descriptor + 1; 0: free */
};
/* The callbacks; their `ctx` is a struct frontend. */
void hostfiles_set(struct machine_host *host);
/* Closes what the guest left open. */
void hostfiles_close(struct hostfiles *files);

/* ---- stats.c ---- */
struct stats;
struct stats *stats_create(void);
void stats_exception(struct stats *s, const struct cpu *cpu, const struct exc *exc);
void stats_print(struct stats *s, struct machine *m);
void stats_destroy(struct stats *s);

/* ---- session.c: -gdb, -snapshot-save, -restore, -record, -replay ---- */
struct session;
/* After the machine was loaded. Dies with a message. */
struct session *session_create(struct machine *m, const struct options *o, struct console *console);
/* A snapshot is still to be written. */
bool session_waits(const struct session *s);
/* The machine was reset and loaded again. */
void session_restarted(struct session *s);
struct run_end session_run(struct session *s, u64 limit);
/* The machine is off: consoles and monitors are served until somebody ends the program. True: it is to stand, and then
 * goes on: somebody has reset it (*reset: it is to be loaded again), or taken it to another point of its run. */
bool session_stay(struct session *s, bool *reset);
/* Called with s NULL, too: before there is one. */
void session_poll(struct session *s);
/* The run stops for a monitor that has a line. */
void session_called(struct session *s);
/* True: the byte completes the text that a snapshot is to be written at. */
bool session_output(struct session *s, unsigned port, u8 byte);
void session_fds(const struct session *s, int fds[2]);
/* Writes what traces have gathered that are written as they come. True: there are any. */
bool session_flush(struct session *s);
/* What -at-end asks of the machine as the run has left it. */
void session_at_end(struct session *s);
/* False: a trace or the journal could not be written; said so. */
bool session_destroy(struct session *s, int status);

/* ---- what monitors ask of a session ---- */
struct debugger;
struct timeline;
/* The debugger whose stops and notes they use: gdb's, or one that begins to look in now. */
struct debugger *session_debugger(struct session *s);
/* The same, and the run is kept from now on, so that it can go back (debug/reverse.h) where there is memory for it. Not
 * within machine_run. */
struct debugger *session_keep(struct session *s);
/* What happens in the run is written down from now on, if it was not (debug/timeline.h). */
struct timeline *session_timeline(struct session *s);
enum session_ask { ASK_QUIT, ASK_STOP, ASK_CONT, ASK_RESET, ASK_POWERDOWN };
/* NULL, or why not. */
const char *session_ask(struct session *s, enum session_ask ask);
/* Why nothing can come to the guest now that it would see: a journal is replayed, gdb stands. NULL: it can. */
const char *session_refuses(const struct session *s);
/* The balloon is to leave the guest so many bytes of RAM. NULL, or why not. */
const char *session_balloon(struct session *s, u64 bytes);
/* What QEMU calls the state that the machine is in: running, paused, prelaunch, debug, shutdown. */
const char *session_state(const struct session *s);
/* The machine was made another one by a snapshot: host time goes on from its time. */
void session_moved(struct session *s);
/* Logs these items of -d from now on, or "none". False: error holds one line. */
bool session_log(struct session *s, const char *items, char error[256]);
void session_log_help(struct text *out);
/* Events, for programs at monitors: why the run ended. */
void session_ended(struct session *s, const struct run_end *end);
/* Is the machine stopped, by gdb, a monitor or -S? */
bool session_stands(const struct session *s);
/* Was its end asked for? */
bool session_over(const struct session *s);

/* ---- monitor.c ---- */
struct monitors;
/* On the chardevs that the options name. */
struct monitors *monitors_create(struct session *s, const struct options *o, struct console *console);
void monitors_destroy(struct monitors *all);
/* Does a line wait? */
bool monitors_due(const struct monitors *all);
/* Carries out the lines that wait. Only while the machine stands: not from within machine_run. */
void monitors_run(struct monitors *all);
/* Tells all of them that people are at. */
void monitors_tell(struct monitors *all, const char *text);
/* Tells programs of an event; reason NULL: of none of the guest's or the host's. */
void monitors_event(struct monitors *all, const char *name, bool guest, const char *reason);
/* A line of the human monitor, its answer. */
void monitors_line(struct monitors *all, const char *line, struct text *out);

/* ---- pictures.c: -picture ---- */

/* Is one of them about what happened in the run? */
bool pictures_want_timeline(const struct options *o);
/* The first instruction from `from` on at which one is due; NEVER: none. */
u64 pictures_due(const struct options *o, u64 from);
/* Writes those of that instruction; at the end of the run those of the end. Dies when a file cannot be written. */
void pictures_write(struct session *s, const struct options *o, u64 at);
void pictures_end(struct session *s, const struct options *o, u64 at);

/* ---- snapshots.c: by name ---- */
/* False: error holds one line. */
bool snapshots_save(struct machine *m, const struct options *o, const char *name, char error[256]);
/* session_moved is to follow. */
bool snapshots_load(struct debugger *d, const struct options *o, const char *name, char error[256]);
bool snapshots_delete(const struct options *o, const char *name, char error[256]);
/* As `info snapshots` has them. */
void snapshots_list(const struct options *o, struct text *out);
/* After all options: -loadvm. Dies with a message. */
void snapshots_complete(struct options *o);

/* What the callbacks are handed. */
struct frontend {
    struct console console; /* first: `ctx` is a struct console too */
    struct session *session;
    struct hostfiles files;
    struct disks *disks;
    struct nets *nets; /* frontend/net.h */
    struct shares *shares;
    struct inputs *inputs;   /* frontend/input.h */
    struct display *display; /* frontend/display/display.h */
    struct vnc_config vnc;   /* where it listens */
    struct stats *stats;
    struct report *report; /* frontend/report.h; NULL: none is written */
};

/* ---- main.c ---- */
/* The machine that the options describe, its images loaded (not for -machine dumpdtb=). Dies with a message. */
struct machine *machine_load(struct options *o, struct frontend *f, struct boot_config *boot);

/* ---- ends.c: how a run ended ---- */
enum {
#define STATUS(number, id, why) STATUS_##id = number,
#include "frontend/status.def"
};
/* The exit status; says on standard error what ended the run, and where the CPUs are if nobody asked for it. unseen: a
 * text or count that was waited for never came. */
int ends_status(const struct run_end *end, struct machine *m, const struct options *o, bool unseen);
void ends_where(struct machine *m, const struct options *o);

/* ---- restore.c ---- */
/* Takes from the snapshot of -restore what machine it is. Dies when an option that was given contradicts it. */
void restore_options(struct options *o);

/* ---- diff.c ---- */
int diff_main(int argc, char **argv);

#endif
