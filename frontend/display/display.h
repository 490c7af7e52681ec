/*
 * Displays: what people see the guest in. One is served on the host's time from where the program polls or idles. It
 * looks, and types through the doors that others use: a run without input is the same run with a display and without.
 */
#ifndef FRONTEND_DISPLAY_DISPLAY_H
#define FRONTEND_DISPLAY_DISPLAY_H

#include "lib/base.h"

struct frontend;
struct machine;
struct options;

struct display_ops {
    /* Serves it, and says at which host_ns() it wants to be served again. idle: the machine does nothing meanwhile. */
    u64 (*look)(void *ctx, bool idle);
    void (*close)(void *ctx);
    bool listens; /* somebody may type there: an idle machine keeps to the host's time and waits */
};

struct display;
/* Opens what the options name. NULL: there is none. Dies with a message. */
struct display *display_open(struct frontend *f, struct machine *m, const struct options *o);
void display_close(struct display *d);
void display_add(struct display *d, const struct display_ops *ops, void *ctx);

/* These take NULL, too. look: serves those whose time has come; true: something came from there for the guest. */
bool display_look(struct display *d, bool idle);
/* host_ns() at which the next wants to be served; NEVER: none does. */
u64 display_look_at(const struct display *d);
bool display_listens(const struct display *d);

/* ---- for the displays ---- */
struct frontend *display_frontend(const struct display *d);
struct machine *display_machine(const struct display *d);
const struct options *display_options(const struct display *d);
/* Something was typed or pointed at for the guest: who waits for that hears it. */
void display_typed(struct display *d);

/* What -vnc says (struct options); and where it then listens, the port being `first` (struct frontend). */
enum { VNC_HOST = 128 };
struct vnc_config {
    bool there;
    char host[VNC_HOST], path[108]; /* path: of a Unix socket, or "" */
    u32 first, last;                /* ports */
};
/* vnc.c. Dies with a message. */
void vnc_add(struct display *d);

#endif
