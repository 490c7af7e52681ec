/*
 * The wires between adapters and ends, what waits on them for an adapter, and -object filter-dump.
 *
 * A dump has the frames that the adapters on the wire sent and took, with the machine's time: so it is the same file
 * for the same run, a replayed one too. Left out: what ends of a hub tell each other.
 */
#define _GNU_SOURCE
#include "frontend/net.h"

#include "debug/file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUEUE = 1024, HUB_WIRES = MAX_NETDEVS, HUB_MOST = 0xffff, NO_WIRE = -1 };

struct frame {
    u32 size;
    u8 bytes[];
};
/* An adapter, and what waits for it. */
struct nic {
    int wire;
    u32 head, used;
    struct frame *frame[QUEUE];
};
struct dump {
    int wire, fd;
    u64 most, rtc_ns;
    const char *file;
};
struct nets {
    const struct options *o;
    u64 now;    /* of the machine, ns */
    bool news;  /* a frame came that no adapter was told of */
    bool spoke; /* adapters sent something since the ends were looked at */
    struct net_end end[MAX_NETDEVS];
    unsigned count;
    struct nic nic[MAX_NETS];
    struct dump dump[MAX_DUMPS];
    unsigned dump_count;
    struct pollfd fds[NET_FDS];
};

static const struct netdev_kind *const kinds[] = {
#define NETDEV(name) &netdev_##name,
#include "frontend/netdev.def"
};

const struct netdev_kind *netdev_kind_get(unsigned n) { return n < ARRAY_LEN(kinds) ? kinds[n] : NULL; }

const struct netdev_kind *netdev_kind_find(const char *name)
{
    for (unsigned n = 0; n < ARRAY_LEN(kinds); n++)
        if (!strcmp(kinds[n]->name, name))
            return kinds[n];
    return NULL;
}

/* ---- wires ---- */

/* A frame that finds no room, or no memory, is lost, as on any network. */
static void nic_queue(struct nic *nic, const u8 *bytes, size_t size)
{
    struct frame *f = nic->used < QUEUE ? malloc(sizeof(*f) + size) : NULL;
    if (!f)
        return;
    f->size = (u32)size;
    memcpy(f->bytes, bytes, size);
    nic->frame[(nic->head + nic->used++) % QUEUE] = f;
}

static void wire_send(struct nets *n, int wire, const void *from, const u8 *bytes, size_t size)
{
    if (wire == NO_WIRE || size < FRAME_MIN || size > FRAME_MAX)
        return;
    for (unsigned k = 0; k < MAX_NETS; k++)
        if (n->nic[k].wire == wire && &n->nic[k] != from) {
            nic_queue(&n->nic[k], bytes, size);
            n->news = true;
        }
    for (unsigned k = 0; k < n->count; k++) {
        struct net_end *e = &n->end[k];
        if (e->wire == wire && e != from && e->state && e->kind->send)
            e->kind->send(e, bytes, size);
    }
}

void net_hear(struct net_end *e, const u8 *frame, size_t size) { wire_send(e->nets, e->wire, e, frame, size); }
u64 net_now(const struct net_end *e) { return e->nets->now; }

const char *net_name(const struct net_end *e)
{
    static char text[128];
    snprintf(text, sizeof(text), "-netdev %s,id=%s", e->kind->name, e->config->id);
    return text;
}

static void time_set(struct nets *n, u64 now) { n->now = now > n->now ? now : n->now; }

/* ---- dumps: the pcap format, its version 2.4, with microseconds ---- */

static void dump_write(struct dump *d, const u8 *bytes, size_t size)
{
    if (d->fd < 0)
        return;
    ssize_t done = write(d->fd, bytes, size);
    if (done == (ssize_t)size)
        return;
    fprintf(stderr, "elmu: %s: cannot be written: %s\n", d->file, done < 0 ? strerror(errno) : "no room");
    close(d->fd);
    d->fd = -1;
}

static void dumps_put(struct nets *n, unsigned nic, const u8 *frame, u64 size, u64 now)
{
    static u8 record[16 + FRAME_MAX];
    for (unsigned k = 0; k < n->dump_count && size <= FRAME_MAX; k++) {
        struct dump *d = &n->dump[k];
        if (d->wire != n->nic[nic].wire)
            continue;
        u64 at = d->rtc_ns + now, kept = size < d->most ? size : d->most;
        store_le32(record, (u32)(at / 1000000000));
        store_le32(record + 4, (u32)(at % 1000000000 / 1000));
        store_le32(record + 8, (u32)kept);
        store_le32(record + 12, (u32)size);
        memcpy(record + 16, frame, kept);
        dump_write(d, record, 16 + kept);
    }
}

static struct net_end *end_find(struct nets *n, const char *id)
{
    for (unsigned k = 0; k < n->count; k++)
        if (!strcmp(n->end[k].config->id, id))
            return &n->end[k];
    return NULL;
}

static void dump_open(struct nets *n, const struct dump_option *o, u64 rtc)
{
    u8 head[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };
    const struct net_end *e = end_find(n, o->netdev);
    if (!e)
        die("-object filter-dump,id=%s: no -netdev has id=%s", o->id, o->netdev);
    struct dump *d = &n->dump[n->dump_count++];
    *d = (struct dump){ .wire = e->wire, .file = o->file, .most = o->most, .rtc_ns = rtc * 1000000000 };
    d->fd = file_open_stream(o->file);
    if (d->fd < 0)
        die("%s: %s", o->file, strerror(errno));
    store_le32(head + 16, (u32)(o->most < 65536 ? o->most : 65536));
    store_le32(head + 20, 1); /* Ethernet */
    dump_write(d, head, sizeof(head));
}

/* ---- what the machine asks ---- */

static struct nets *nets_of(void *ctx) { return ((struct frontend *)ctx)->nets; }
static u64 machine_time(void *ctx) { return ((struct frontend *)ctx)->console.m->now; }

static void frame_out(void *ctx, unsigned net, const void *frame, u64 size)
{
    struct nets *n = nets_of(ctx);
    bool news = n->news;
    time_set(n, machine_time(ctx));
    dumps_put(n, net, frame, size, machine_time(ctx));
    n->spoke = true;
    wire_send(n, n->nic[net].wire, &n->nic[net], frame, size);
    n->news = news; /* adapters look by themselves for what is answered at once */
}

static s64 frame_in(void *ctx, unsigned net, void *frame, u64 room)
{
    struct nets *n = nets_of(ctx);
    struct nic *nic = &n->nic[net];
    if (!nic->used && n->spoke) { /* what it sent may have let others send more */
        n->spoke = false;
        bool news = nets_poll(n, machine_time(ctx));
        n->news = news; /* perhaps for another adapter */
    }
    if (!nic->used)
        return 0;
    struct frame *f = nic->frame[nic->head];
    s64 size = f->size;
    if (f->size > room)
        return -size;
    memcpy(frame, f->bytes, f->size);
    free(f);
    nic->head = (nic->head + 1) % QUEUE;
    nic->used--;
    return size;
}

static void frame_logged(void *ctx, unsigned net, const void *frame, u64 size)
{
    dumps_put(nets_of(ctx), net, frame, size, machine_time(ctx));
}

/* ---- what the host brings ---- */

unsigned nets_fill(struct nets *n, struct pollfd fds[NET_FDS], u32 *ms)
{
    unsigned all = 0;
    for (unsigned k = 0; k < n->count; k++) {
        struct net_end *e = &n->end[k];
        e->fds_at = all;
        e->fds_count = e->state && e->kind->fill ? e->kind->fill(e, fds + all, NET_FDS - all, ms) : 0;
        all += e->fds_count;
    }
    *ms = n->news ? 0 : *ms;
    return all;
}

bool nets_ready(struct nets *n, const struct pollfd *fds, u64 now)
{
    time_set(n, now);
    for (unsigned k = 0; k < n->count; k++) {
        struct net_end *e = &n->end[k];
        if (e->state && e->kind->ready)
            e->kind->ready(e, fds + e->fds_at, e->fds_count);
    }
    bool news = n->news;
    n->news = false;
    return news;
}

bool nets_poll(struct nets *n, u64 now)
{
    u32 ms = ~(u32)0;
    unsigned count = nets_fill(n, n->fds, &ms);
    if (!count)
        return false;
    if (poll(n->fds, count, 0) < 0)
        for (unsigned k = 0; k < count; k++)
            n->fds[k].revents = 0;
    return nets_ready(n, n->fds, now);
}

bool nets_listen(struct nets *n)
{
    u32 ms = ~(u32)0;
    return nets_fill(n, n->fds, &ms) != 0;
}

/* ---- opening ---- */

static void end_open(struct nets *n, struct net_end *e)
{
    if (n->o->net_cut)
        return;
    e->state = calloc(1, e->kind->state_size + 1); /* one that has none is open, too */
    if (!e->state)
        die("out of memory");
    e->kind->open(e);
}

bool net_space(const struct net_end *e)
{
    for (unsigned k = 0; k < MAX_NETS; k++)
        if (e->nets->nic[k].wire == e->wire && e->nets->nic[k].used > QUEUE / 2)
            return false;
    return true;
}

bool net_restored(const struct net_end *e) { return e->nets->o->restore; }

bool net_spawns(const struct net_end *e) { return sandbox_spawns(e->nets->o); }

struct nets *nets_open(const struct options *o, struct machine_config *config)
{
    struct nets *n = calloc(1, sizeof(*n));
    if (!n)
        die("out of memory");
    n->o = o;
    for (unsigned k = 0; k < MAX_NETS; k++)
        n->nic[k].wire = NO_WIRE;
    n->count = o->netdev_count;
    for (unsigned k = 0; k < n->count; k++)
        n->end[k] = (struct net_end){ .nets = n, .kind = o->netdev[k].kind, .config = &o->netdev[k], .wire = (int)k };
    for (unsigned k = 0; k < n->count; k++) { /* a port of a hub takes the end that it names along */
        const struct netdev_config *c = n->end[k].config;
        struct net_end *other = c->peer[0] ? end_find(n, c->peer) : NULL;
        if (c->peer[0] && !other)
            die("%s: no -netdev has id=%s", net_name(&n->end[k]), c->peer);
        if (c->hub >= 0)
            n->end[k].wire = HUB_WIRES + c->hub;
        if (other)
            other->wire = n->end[k].wire;
    }
    for (unsigned k = 0; k < n->count; k++)
        end_open(n, &n->end[k]);
    for (unsigned k = 0; k < o->dump_count; k++)
        dump_open(n, &o->dump[k], config->options.rtc_base);
    config->host.frame_out = frame_out;
    config->host.frame_in = frame_in;
    config->host.frame_logged = frame_logged;
    return n;
}

void nets_plug(struct nets *n, unsigned unit, const char *id)
{
    if (!id[0])
        return;
    struct net_end *e = end_find(n, id);
    if (!e)
        die("-device virtio-net: Property 'netdev' can't find value '%s' (no -netdev has that id=)", id);
    if (e->taken)
        die("-device virtio-net: -netdev id=%s is given to two devices (ports of a hub take one each)", id);
    e->taken = true;
    n->nic[unit].wire = e->wire;
}

void nets_close(struct nets *n)
{
    for (unsigned k = 0; k < n->count; k++) {
        struct net_end *e = &n->end[k];
        if (e->state && e->kind->close)
            e->kind->close(e);
        free(e->state);
    }
    for (unsigned k = 0; k < MAX_NETS; k++)
        for (; n->nic[k].used; n->nic[k].used--, n->nic[k].head++)
            free(n->nic[k].frame[n->nic[k].head % QUEUE]);
    for (unsigned k = 0; k < n->dump_count; k++)
        if (n->dump[k].fd >= 0)
            close(n->dump[k].fd);
    free(n);
}

/* ---- hubs ---- */

struct hubport {
    struct netdev_common common;
    char netdev[64];
    s32 hub;
};
static void hubport_open(struct net_end *e) { (void)e; }
static const struct property hubport_rows[] = {
    NETDEV_ROWS(struct hubport),
    PROPERTY("hubid", PROPERTY_NUMBER, struct hubport, hub),
    PROPERTY("netdev", PROPERTY_TEXT, struct hubport, netdev),
};
const struct netdev_kind netdev_hubport = {
    .name = "hubport",
    .rows = hubport_rows,
    .row_count = ARRAY_LEN(hubport_rows),
    .properties_size = sizeof(struct hubport),
    .open = hubport_open,
};
void hubport_config(struct netdev_config *c)
{
    const struct hubport *h = c->properties;
    if (h->hub > HUB_MOST)
        die("-netdev hubport: hubid=%d: at most %d", h->hub, HUB_MOST);
    c->hub = h->hub;
    memcpy(c->peer, h->netdev, sizeof(c->peer));
}
