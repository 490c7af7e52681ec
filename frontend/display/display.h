/*
 * Displays: what people see the guest and the machine in (-display). Which there is is settled with the options, since
 * consoles depend on it; it is opened when the machine is there, and served on the host's time from where the program
 * polls, idles or stands. It looks, and types through the doors that others use: a run without input is the same run
 * with a window and without.
 *
 * A display is whatever has put itself here by display_add: the window (window.c), VNC.
 */
#ifndef FRONTEND_DISPLAY_DISPLAY_H
#define FRONTEND_DISPLAY_DISPLAY_H

#include "lib/base.h"

struct frontend;
struct machine;
struct options;
struct text;

enum display_shows { DISPLAY_NOTHING, DISPLAY_GUEST, DISPLAY_MACHINE };

/* What -display says (struct options). */
struct display_config {
    char name[16]; /* as people wrote it; "": nothing was said */
    u8 shows;      /* enum display_shows: what there will be, after display_complete */
    bool must;     /* it is an error when there is no window */
    bool full_screen, show_cursor, no_close, fast;
    char font[512];
};

/* What -vnc says (struct options); and where it then listens, the port being `first` (struct frontend). */
enum { VNC_HOST = 128 };
struct vnc_config {
    bool there;
    char host[VNC_HOST], path[108]; /* path: of a Unix socket, or "" */
    u32 first, last;                /* ports */
};
struct display_ops {
    /* Serves it, and says at which host_ns() it wants to be served again. idle: the machine does nothing meanwhile. */
    u64 (*look)(void *ctx, bool idle);
    /* NULL, or: does it want the machine to stand for a moment? stand is then called while it does. */
    bool (*due)(const void *ctx);
    void (*stand)(void *ctx);
    void (*close)(void *ctx);
    bool listens; /* somebody may type there: an idle machine keeps to the host's time and waits */
};

struct display;
/* After all options: settles what there will be. Dies when what must be cannot. */
void display_complete(struct options *o);
/* Opens it. NULL: there is none. Dies with a message. */
struct display *display_open(struct frontend *f, struct machine *m, const struct options *o);
void display_close(struct display *d);
void display_add(struct display *d, const struct display_ops *ops, void *ctx);

/* These take NULL, too. look: serves those whose time has come; true: something came from there for the guest. */
bool display_look(struct display *d, bool idle);
/* host_ns() at which the next wants to be served; NEVER: none does. */
u64 display_look_at(const struct display *d);
bool display_listens(const struct display *d);
bool display_due(const struct display *d);
void display_stand(struct display *d);

/* ---- for the displays ---- */
struct frontend *display_frontend(const struct display *d);
struct machine *display_machine(const struct display *d);
const struct options *display_options(const struct display *d);
/* Something was typed or pointed at for the guest: who waits for that hears it. */
void display_typed(struct display *d);
/* The user wants the program's end. */
void display_quit(struct display *d);

/* vnc.c. Dies with a message. */
void vnc_add(struct display *d);
/* window.c; false: error holds one line. */
bool window_add(struct display *d, char error[256]);
/* Can there be one? NULL, or why not. */
const char *window_can(const struct display_config *c);

#endif
