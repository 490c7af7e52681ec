/*
 * Networks: what is outside of the machine's adapters. An end (-netdev) and the adapter that names it are on one wire;
 * hubs are wires with more. Whatever is sent to a wire is heard by all others on it. Ends are rows of netdev.def, each
 * kind in a file of its own; they know no adapter and no machine.
 *
 * Time here is the machine's, so that what an end answers by itself it answers in every run.
 */
#ifndef FRONTEND_NET_H
#define FRONTEND_NET_H

#include "frontend/frontend.h"
#include "frontend/property.h"

#include <poll.h>

enum { NET_FDS = 1024 };

struct net_end {
    struct nets *nets;
    const struct netdev_kind *kind;
    const struct netdev_config *config;
    int wire;
    bool taken;                 /* an adapter names it */
    void *state;                /* kind->state_size bytes, zeros at first */
    unsigned fds_at, fds_count; /* what it waits for, in the set of nets_fill */
};

/* What all kinds' properties begin with. */
struct netdev_common {
    char id[64], type[16];
};
#define NETDEV_ROWS(type_)                                                                                             \
    PROPERTY("type", PROPERTY_TEXT, type_, common.type), PROPERTY("id", PROPERTY_TEXT, type_, common.id),              \
        PROPERTY("name", PROPERTY_TEXT, type_, common.id)

/* A kind of end. Functions may be NULL but open. */
struct netdev_kind {
    const char *name;
    const struct property *rows;
    unsigned row_count;
    size_t properties_size; /* of the struct that the rows fill; 0: this build lacks it, `lacks` says what */
    size_t state_size;
    const char *lacks;
    void (*open)(struct net_end *e); /* dies with a message */
    void (*close)(struct net_end *e);
    /* A frame from the wire. */
    void (*send)(struct net_end *e, const u8 *frame, size_t size);
    /* What it waits for, at most `room`; how many. *ms: lowered to when it wants `ready` to be called anyway. */
    unsigned (*fill)(struct net_end *e, struct pollfd *fds, unsigned room, u32 *ms);
    /* The same with what has come. */
    void (*ready)(struct net_end *e, const struct pollfd *fds, unsigned count);
};
#define NETDEV(name) extern const struct netdev_kind netdev_##name;
#include "frontend/netdev.def"
/* What the properties of a hub's port say. */
void hubport_config(struct netdev_config *c);
/* NULL: no such kind. And row n of them; NULL past the last. */
const struct netdev_kind *netdev_kind_find(const char *name);
const struct netdev_kind *netdev_kind_get(unsigned n);

/* ---- for the ends ---- */
/* A frame of this end goes to all others on its wire. */
void net_hear(struct net_end *e, const u8 *frame, size_t size);
/* The machine's time, ns: never goes back. */
u64 net_now(const struct net_end *e);
/* May it run commands? -sandbox says so. */
bool net_spawns(const struct net_end *e);
/* Is there room for more frames to the adapters of this wire, so that none is lost? */
bool net_space(const struct net_end *e);
/* Does the machine go on from a snapshot? */
bool net_restored(const struct net_end *e);
/* "-netdev KIND,id=ID", for messages. */
const char *net_name(const struct net_end *e);

/* ---- for the program ---- */
/* Opens what -netdev names; and what the callbacks of the machine need. o->net_cut: opens nothing. */
struct nets *nets_open(const struct options *o, struct machine_config *config);
void nets_close(struct nets *n);
/* Adapter `unit` goes to the wire of the -netdev `id` ("": to none). Dies when there is no such, or it is taken. */
void nets_plug(struct nets *n, unsigned unit, const char *id);
/* Descriptors to wait for, and then what has come of it, at the machine's time `now`. True: there are frames that no
 * adapter has heard of. */
unsigned nets_fill(struct nets *n, struct pollfd fds[NET_FDS], u32 *ms);
bool nets_ready(struct nets *n, const struct pollfd *fds, u64 now);
/* The same without waiting. */
bool nets_poll(struct nets *n, u64 now);
/* Can somebody outside of the program send something? */
bool nets_listen(struct nets *n);

#endif
