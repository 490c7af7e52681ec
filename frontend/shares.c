/* The shares of the machine: folders that -fsdev and -virtfs name, served to the devices that -device gives them to. */
#include "frontend/frontend.h"
#include "frontend/share.h"

#include <stdlib.h>

struct shares {
    struct share *share[MAX_SHARES];
    struct frontend *f;
    struct room {
        struct frontend *f;
        unsigned share;
    } room[MAX_SHARES];
};

static void room_put(void *ctx, u64 offset, const void *from, u64 size)
{
    const struct room *r = ctx;
    machine_share_put(r->f->console.m, r->share, SHARE_OF_SERVER + offset, from, size);
}

/* The machine's memory may be another one than it was: it is asked each time. */
static u32 share_serve(void *ctx, unsigned share, const void *request, u32 size, void *answer)
{
    struct frontend *f = ctx;
    struct share *s = share < MAX_SHARES ? f->shares->share[share] : NULL;
    const u8 *room = s ? machine_share(f->console.m, share) : NULL;
    return room ? share_request(s, room + SHARE_OF_SERVER, request, size, answer) : 0;
}

static bool share_change(void *ctx, unsigned share, u32 n, struct share_change *change)
{
    const struct frontend *f = ctx;
    const struct share *s = share < MAX_SHARES ? f->shares->share[share] : NULL;
    return s && share_changed(s, n, change);
}

struct shares *shares_open(struct frontend *f, struct machine_config *config)
{
    struct shares *all = calloc(1, sizeof(*all));
    if (!all)
        die("out of memory");
    all->f = f;
    config->host.share_serve = share_serve;
    config->host.share_change = share_change;
    return all;
}

void shares_plug(struct shares *all, const struct options *o, unsigned unit, const char *id)
{
    char error[256], note[256];
    for (unsigned n = 0; n < o->share_count; n++) {
        if (strcmp(o->share[n].id, id))
            continue;
        if (o->net_cut) /* a journal has all the answers */
            return;
        struct share_memory memory = { .put = room_put, .ctx = &all->room[unit] };
        all->room[unit] = (struct room){ all->f, unit };
        all->share[unit] = share_open(&o->share[n].config, memory, error, note);
        if (!all->share[unit])
            die("-fsdev local,id=%s: path=%s", id, error);
        if (note[0])
            fprintf(stderr, "elmu: -fsdev local,id=%s: path=%s\n", id, note);
        return;
    }
    die("-device virtio-9p: fsdev=%s: no -fsdev has that id=", id);
}

void shares_close(struct shares *all)
{
    for (unsigned n = 0; n < MAX_SHARES; n++)
        if (all->share[n])
            share_close(all->share[n]);
    free(all);
}
