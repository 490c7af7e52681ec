/*
 * The host's ends of consoles and monitors: what -chardev, -serial and -monitor open (rows of chardev.def), and those
 * who sit on them, a console of the machine or a monitor.
 *
 * Bytes of a back end go to who sits on it, or with mux=on to the one of them that has the focus (Ctrl-A c); what any
 * of them writes goes out. A peer is hostile: nobody waits for one that does not read (what it has no room for is lost,
 * and that is said), and one that leaves makes room for the next.
 */
#ifndef FRONTEND_CHARDEV_H
#define FRONTEND_CHARDEV_H

#include "frontend/options.h"
#include "frontend/telnet.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { CHAR_USERS = 8, CHAR_IN = 4096, CHAR_PART = 4096, CHAR_OUT = 1 << 20 };

enum char_event {
    CHAR_CONNECTED, /* a client came; where there is none to come, as soon as one sits down */
    CHAR_LEFT,
    CHAR_FOCUS /* by Ctrl-A c: what is typed comes here from now on */
};

/* Who sits on a back end. */
struct char_user {
    void *ctx;
    bool greedy;            /* takes what is there; others get input that is prepared when the guest asks for it */
    u32 (*room)(void *ctx); /* how many bytes it can take now */
    void (*receive)(void *ctx, u8 byte);
    void (*event)(void *ctx, enum char_event event);
};

struct chardev;
enum { CHAR_LOSSLESS = 1, /* waits for its reader, as standard output and files do */
       CHAR_PREPARED = 2  /* its input may be there before the run */ };
struct char_kind {
    const char *name;
    u32 flags;
    const char *needs;                  /* a property, NULL: none */
    void (*open)(struct chardev *c);    /* dies with a message */
    void (*put)(struct chardev *c, u8); /* NULL: to `out`, by way of the buffer */
    /* NULL: read and write of the host. */
    ssize_t (*read)(struct chardev *c, void *bytes, size_t size);
    ssize_t (*write)(struct chardev *c, const void *bytes, size_t size);
    void (*left)(struct chardev *c);  /* the peer is gone */
    void (*look)(struct chardev *c);  /* once in a while, when look_at is reached */
    void (*close)(struct chardev *c); /* what `in`, `out` and `listener` are not */
};

struct chardev {
    const struct char_config *config;
    const struct char_kind *kind;
    struct chardevs *all;
    const char *name;      /* for messages */
    int in, out, listener; /* -1: none */
    int out_closed;        /* what `out` was before nobody could write there any more */
    u64 look_at;           /* host ns, or NEVER */
    bool live;             /* input comes when it comes: a person, a socket, a pipe whose writer pauses */
    bool ended;            /* no more input will come */
    bool failed;           /* output was lost by an error; said so */
    bool shared;           /* another back end writes to the same file */
    bool blocked;          /* its reader has no room at the moment */
    bool connecting;       /* `out` is a socket that is not yet a connection */
    bool keys, escape;     /* Ctrl-A is a key of elmu's; it was typed */
    u64 dropped;           /* bytes, of this client */
    struct telnet telnet;
    u8 raw[CHAR_IN]; /* read, and not yet given to anybody */
    u32 raw_at, raw_used;
    u8 *buffer; /* to be written */
    u32 out_used;
    FILE *log;
    struct char_user user[CHAR_USERS];
    unsigned users, focus;
    u32 test_code;
    /* of their kinds */
    u8 *ring;
    u64 ring_at, ring_used;
    struct addrinfo *addresses, *next_address;
    struct vc *vc; /* a terminal of the window */
};

struct chardevs {
    struct machine *m;
    const struct options *o;
    struct chardev dev[MAX_CHARDEVS];
    unsigned count;
    int wake[2];             /* -1, or other descriptors that end a wait */
    struct nets *nets;       /* NULL, or what is waited for, too: frontend/net.h */
    struct display *display; /* NULL, or what is served, too: frontend/display/display.h */
    bool direct;             /* each byte is written as it comes: a trace may go to the same file */
    bool quit;               /* Ctrl-A x */
    bool arrived;            /* the last chardevs_wait brought something for who sits there */
    bool fresh;              /* something that is not prepared came since this was cleared */
};

/* The row of that name; NULL: none. char_kind_get: row n, NULL past the last. */
const struct char_kind *char_kind_find(const char *name);
const struct char_kind *char_kind_get(unsigned n);
/* Opens all that the options name. Dies with a message. */
void chardevs_open(struct chardevs *all, struct machine *m, const struct options *o);
/* False: something could not be written; said so. */
bool chardevs_close(struct chardevs *all);
/* NULL: there is none. */
struct chardev *chardev_find(struct chardevs *all, const char *id);
/* Sits down; what: for the message when there is no room. */
void chardev_attach(struct chardev *c, const struct char_user *user, const char *what);
/* Where it leads, as `info chardev` says it. */
struct text;
void chardev_describe(const struct chardev *c, struct text *out);
bool chardev_has_focus(const struct chardev *c, const void *ctx);
/* Can it have input later that it does not have now? */
bool chardev_comes(const struct chardev *c);

void chardev_put(struct chardev *c, u8 byte);
void chardev_write(struct chardev *c, const char *text, size_t size);
void chardevs_flush(struct chardevs *all);
/* The guest asks for a byte; waiting: it does nothing else. Who has the focus may get one. */
void chardev_pull(struct chardev *c, bool waiting);
/* Is there anybody who may type? */
bool chardevs_live(const struct chardevs *all);
/* Takes and gives what there is, waiting at most that long (NULL: for ever). */
void chardevs_wait(struct chardevs *all, const struct timespec *timeout);

/* ---- for the back ends ---- */
/* A peer is there. */
void chardev_connected(struct chardev *c);
/* It is gone. */
void chardev_left(struct chardev *c);
/* Is there something to read within that time? */
bool fd_readable(int fd, int timeout_ms);
typedef void char_fn(struct chardev *c);
char_fn char_open_stdio, char_open_file, char_open_tty, char_open_pipe, char_open_pty, char_look_pty, char_left_pty,
    char_close_pty;
char_fn char_open_ring, char_close_ring;
char_fn char_open_vc, char_close_vc; /* frontend/display/consoles.c */
char_fn char_open_socket, char_look_socket, char_left_socket, char_close_socket, char_open_udp;
void char_put_nowhere(struct chardev *c, u8 byte);
void char_put_testdev(struct chardev *c, u8 byte);
void char_put_ring(struct chardev *c, u8 byte);
void char_put_vc(struct chardev *c, u8 byte);
ssize_t char_read_socket(struct chardev *c, void *bytes, size_t size);
ssize_t char_read_udp(struct chardev *c, void *bytes, size_t size);
ssize_t char_write_udp(struct chardev *c, const void *bytes, size_t size);

#endif
