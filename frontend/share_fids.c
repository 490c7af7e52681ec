/*
 * What a share's server must remember of its client, as records in its memory: fids, the names that they are of, and
 * extended attributes on their way. A record is put at the lowest free place, so that the same requests leave the same
 * bytes. Beside them, derived: chains by number and name, how often a node is needed, what is open.
 *
 * The memory may come from another run, or from a hostile snapshot: when it is not what this server left, everything
 * in it is examined, and what is derived is made again; nonsense is forgotten, as if the client had begun anew.
 */
#include "frontend/share_internal.h"

#include <stdlib.h>
#include <unistd.h>

enum { BUCKETS = 1 << 14, END = 0 /* of a chain: links are + 1 */ };
struct head {
    u64 requests;
    u32 msize, fid_top, node_top, pad;
};
enum { FIDS_AT = 4096, NODES_AT = FIDS_AT + FIDS * sizeof(struct fid), XATTRS_AT = NODES_AT + NODES * sizeof(struct node),
       MEMORY_END = XATTRS_AT + XATTRS * sizeof(struct xattr) };
static_assert((u64)MEMORY_END <= (u64)SHARE_MEMORY, "there is room");

static void put(struct share *s, u64 at, const void *from, u64 size)
{
    assert(s->changes < ARRAY_LEN(s->change));
    s->memory.put(s->memory.ctx, at, from, size);
    s->change[s->changes++] = (struct share_change){ (u32)at + SHARE_OF_SERVER, (u32)size, !from };
}

bool share_changed(const struct share *s, u32 n, struct share_change *change)
{
    if (n < s->changes)
        *change = s->change[n];
    return n < s->changes;
}

static u32 bucket_of_name(u32 parent, const char *name, u32 length)
{
    u64 hash = 0xcbf29ce484222325ull ^ parent;
    for (u32 n = 0; n < length; n++)
        hash = (hash ^ (u8)name[n]) * 0x100000001b3ull;
    return (hash ^ hash >> 32) % BUCKETS;
}
static u32 bucket_of_number(u32 number) { return (number ^ number >> 14) % BUCKETS; }

static void chain_in(u32 *head, u32 *next, u32 n)
{
    next[n] = *head;
    *head = n + 1;
}
static void chain_out(u32 *head, u32 *next, u32 n)
{
    for (u32 *link = head; *link != END; link = &next[*link - 1])
        if (*link == n + 1) {
            *link = next[n];
            return;
        }
}

/* ---- nodes ---- */

const struct node *node_get(const struct share *s, u32 node)
{
    return (const struct node *)(s->bytes + NODES_AT) + node;
}
static void node_put(struct share *s, u32 node, const struct node *to)
{
    put(s, NODES_AT + node * sizeof(*to), to, sizeof(*to));
}
static u32 *node_chain(struct share *s, u32 node)
{
    const struct node *n = node_get(s, node);
    return &s->node_head[bucket_of_name(n->parent, n->name, n->length)];
}

static u32 node_find(const struct share *s, u32 parent, const char *name, u32 length)
{
    for (u32 n = s->node_head[bucket_of_name(parent, name, length)]; n != END; n = s->node_next[n - 1]) {
        const struct node *node = node_get(s, n - 1);
        if (node->parent == parent && node->length == length && !memcmp(node->name, name, length))
            return n - 1;
    }
    return NO_NODE;
}

/* How many folders there are above it; DEPTH: too many. */
static u32 depth_of(const struct share *s, u32 node)
{
    u32 depth = 0;
    for (; node != ROOT && depth < DEPTH; depth++)
        node = node_get(s, node)->parent;
    return depth;
}

static bool is_within(const struct share *s, u32 node, u32 folder)
{
    for (u32 depth = 0; node != ROOT && node != folder && depth < DEPTH; depth++)
        node = node_get(s, node)->parent;
    return node == folder;
}

void node_hold(struct share *s, u32 node) { s->node_refs[node]++; }

void node_release(struct share *s, u32 node)
{
    while (node != ROOT && --s->node_refs[node] == 0) {
        struct node was = *node_get(s, node);
        if (!(was.flags & NODE_GONE))
            chain_out(node_chain(s, node), s->node_next, node);
        put(s, NODES_AT + node * sizeof(was), NULL, sizeof(was));
        s->node_low = node < s->node_low ? node : s->node_low;
        if (was.flags & NODE_GONE)
            return;
        node = was.parent;
    }
}

u32 node_make(struct share *s, u32 parent, const char *name, u32 length)
{
    u32 node = node_find(s, parent, name, length);
    if (node == NO_NODE) {
        struct node made = { .parent = parent, .flags = NODE_USED, .length = (u16)length };
        for (node = s->node_low; node < NODES && node_get(s, node)->flags; node++)
            ;
        if (node == NODES || depth_of(s, parent) >= DEPTH - 1)
            return NO_NODE;
        memcpy(made.name, name, length);
        node_put(s, node, &made);
        chain_in(node_chain(s, node), s->node_next, node);
        s->node_low = node + 1;
        s->node_top = s->node_top > node ? s->node_top : node + 1;
        s->node_refs[node] = 0;
        node_hold(s, parent);
    }
    node_hold(s, node);
    return node;
}

static void node_leave(struct share *s, u32 node)
{
    struct node gone = *node_get(s, node);
    u32 parent = gone.parent;
    chain_out(node_chain(s, node), s->node_next, node);
    gone.flags |= NODE_GONE;
    gone.parent = ROOT;
    node_put(s, node, &gone);
    node_release(s, parent);
}

void node_removed(struct share *s, u32 parent, const char *name)
{
    u32 node = node_find(s, parent, name, (u32)strlen(name));
    if (node != NO_NODE)
        node_leave(s, node);
}

void node_renamed(struct share *s, u32 parent, const char *name, u32 to, const char *name_to)
{
    u32 node = node_find(s, parent, name, (u32)strlen(name)), length = (u32)strlen(name_to);
    u32 over = node_find(s, to, name_to, length);
    if (over != NO_NODE && over == node)
        return;
    if (over != NO_NODE)
        node_leave(s, over);
    if (node == NO_NODE)
        return;
    if (is_within(s, to, node)) { /* the host's folders were moved meanwhile */
        node_leave(s, node);
        return;
    }
    struct node moved = { .parent = to, .flags = NODE_USED, .length = (u16)length };
    memcpy(moved.name, name_to, length);
    chain_out(node_chain(s, node), s->node_next, node);
    node_put(s, node, &moved);
    chain_in(node_chain(s, node), s->node_next, node);
    node_hold(s, to);
    node_release(s, parent);
}

/* ---- fids ---- */

const struct fid *fid_get(const struct share *s, u32 fid) { return (const struct fid *)(s->bytes + FIDS_AT) + fid; }
void fid_set(struct share *s, u32 fid, const struct fid *to) { put(s, FIDS_AT + fid * sizeof(*to), to, sizeof(*to)); }

u32 fid_find(const struct share *s, u32 number)
{
    for (u32 n = s->fid_head[bucket_of_number(number)]; n != END; n = s->fid_next[n - 1])
        if (fid_get(s, n - 1)->number == number)
            return n - 1;
    return NO_FID;
}

int fid_make(struct share *s, u32 number, u32 node)
{
    struct fid made = { .number = number, .kind = FID_PATH, .node = node };
    u32 fid = s->fid_low;
    if (number == NO_FID || fid_find(s, number) != NO_FID)
        return EBADF;
    while (fid < FIDS && fid_get(s, fid)->kind != FID_FREE)
        fid++;
    if (fid == FIDS)
        return ENFILE;
    fid_set(s, fid, &made);
    chain_in(&s->fid_head[bucket_of_number(number)], s->fid_next, fid);
    s->fid_low = fid + 1;
    s->fid_top = s->fid_top > fid ? s->fid_top : fid + 1;
    node_hold(s, node);
    return 0;
}

void list_drop(struct share *s, u32 fid)
{
    struct share_list *list = s->file[fid].dir;
    if (!list)
        return;
    free(list->entry);
    free(list->names);
    free(list);
    s->file[fid].dir = NULL;
    s->list_count--;
}

void fid_close(struct share *s, u32 fid)
{
    struct open_file *file = &s->file[fid];
    if (file->fd) {
        close(file->fd - 1);
        s->open_count--;
    }
    list_drop(s, fid);
    *file = (struct open_file){ 0 };
}

void fid_drop(struct share *s, u32 fid)
{
    struct fid was = *fid_get(s, fid);
    fid_close(s, fid);
    chain_out(&s->fid_head[bucket_of_number(was.number)], s->fid_next, fid);
    put(s, FIDS_AT + fid * sizeof(was), NULL, sizeof(was));
    s->fid_low = fid < s->fid_low ? fid : s->fid_low;
    if (was.kind == FID_XATTR)
        put(s, XATTRS_AT + was.xattr * sizeof(struct xattr), NULL, sizeof(struct xattr));
    node_release(s, was.node);
}

u32 node_opened(const struct share *s, u32 node)
{
    for (u32 n = 0; n < s->fid_top; n++)
        if (s->file[n].fd && fid_get(s, n)->node == node)
            return n;
    return NO_FID;
}

/* ---- extended attributes ---- */

const struct xattr *xattr_get(const struct share *s, u32 slot)
{
    return (const struct xattr *)(s->bytes + XATTRS_AT) + slot;
}
void xattr_put(struct share *s, u32 slot, u64 offset, const void *from, u64 size)
{
    if (size)
        put(s, XATTRS_AT + slot * sizeof(struct xattr) + offset, from, size);
}
u32 xattr_make(struct share *s)
{
    u32 slot = 0;
    while (slot < XATTRS && xattr_get(s, slot)->flags)
        slot++;
    return slot;
}

/* ---- what is derived ---- */

static const struct head *head_of(const struct share *s) { return (const struct head *)s->bytes; }

/* Nothing is remembered, nothing is open. */
static void derived_clear(struct share *s)
{
    for (u32 n = 0; n < s->fid_top; n++)
        fid_close(s, n);
    memset(s->fid_head, 0, BUCKETS * sizeof(u32));
    memset(s->node_head, 0, BUCKETS * sizeof(u32));
    s->fid_low = s->fid_top = s->msize = 0;
    s->node_low = s->node_top = ROOT + 1;
}

void fids_clear(struct share *s)
{
    u64 fids = s->fid_top * sizeof(struct fid), nodes = s->node_top * sizeof(struct node);
    derived_clear(s);
    put(s, FIDS_AT, NULL, fids);
    put(s, NODES_AT, NULL, nodes);
    put(s, XATTRS_AT, NULL, XATTRS * sizeof(struct xattr));
}

static bool node_makes_sense(const struct share *s, u32 node, u32 top)
{
    const struct node *n = node_get(s, node);
    if (!n->flags)
        return true;
    return (n->flags == NODE_USED || (n->flags == (NODE_USED | NODE_GONE) && n->parent == ROOT)) && n->parent < top &&
           (n->parent == ROOT || node_get(s, n->parent)->flags) && n->length && n->length < NAME_SIZE &&
           !n->name[n->length] && name_is_plain(n->name, n->length);
}

static bool fid_makes_sense(const struct share *s, u32 fid, u32 node_top)
{
    const struct fid *f = fid_get(s, fid);
    const struct xattr *x = xattr_get(s, f->xattr < XATTRS ? f->xattr : 0);
    if (f->kind == FID_FREE)
        return true;
    return f->kind < FID_KINDS && f->number != NO_FID && f->node < node_top &&
           (f->node == ROOT || node_get(s, f->node)->flags) &&
           (f->kind != FID_XATTR ||
            (f->xattr < XATTRS && x->flags && x->size <= XATTR_SIZE && x->done <= x->size && !x->name[NAME_SIZE - 1]));
}

/* From the records. False: they are nonsense. */
static bool derive(struct share *s)
{
    struct head head = *head_of(s);
    if (head.fid_top > FIDS || head.node_top > NODES || head.msize > SHARE_MESSAGE)
        return false;
    s->msize = head.msize;
    s->node_top = head.node_top > ROOT + 1 ? head.node_top : ROOT + 1;
    memset(s->node_refs, 0, NODES * sizeof(u32));
    for (u32 n = ROOT + 1; n < s->node_top; n++)
        if (!node_makes_sense(s, n, s->node_top))
            return false;
    for (u32 n = ROOT + 1; n < s->node_top; n++) {
        const struct node *node = node_get(s, n);
        if (depth_of(s, n) >= DEPTH)
            return false;
        if (node->flags == NODE_USED) {
            chain_in(node_chain(s, n), s->node_next, n);
            node_hold(s, node->parent);
        }
    }
    for (u32 n = 0; n < head.fid_top; n++) {
        const struct fid *f = fid_get(s, n);
        if (!fid_makes_sense(s, n, s->node_top))
            return false;
        if (f->kind == FID_FREE)
            continue;
        chain_in(&s->fid_head[bucket_of_number(f->number)], s->fid_next, n);
        node_hold(s, f->node);
    }
    s->fid_top = head.fid_top;
    return true;
}

static bool allocate(struct share *s)
{
    if (s->file)
        return true;
    s->fid_head = calloc(BUCKETS, sizeof(u32));
    s->node_head = calloc(BUCKETS, sizeof(u32));
    s->fid_next = calloc(FIDS, sizeof(u32));
    s->node_next = calloc(NODES, sizeof(u32));
    s->node_refs = calloc(NODES, sizeof(u32));
    s->file = calloc(FIDS, sizeof(*s->file));
    if (s->fid_head && s->node_head && s->fid_next && s->node_next && s->node_refs && s->file)
        return true;
    fids_free(s);
    return false;
}

bool fids_begin(struct share *s)
{
    bool first = !s->file;
    s->changes = 0;
    if (!allocate(s))
        return false;
    if (!first && s->now == head_of(s)->requests)
        return true;
    derived_clear(s);
    s->now = head_of(s)->requests;
    if (s->now && !derive(s)) {
        s->fid_top = FIDS;
        s->node_top = NODES;
        fids_clear(s);
    }
    return true;
}

void fids_end(struct share *s)
{
    struct head head = { ++s->now, s->msize, s->fid_top, s->node_top, 0 };
    put(s, 0, &head, sizeof(head));
}

void fids_free(struct share *s)
{
    if (s->file)
        derived_clear(s);
    free(s->fid_head);
    free(s->node_head);
    free(s->fid_next);
    free(s->node_next);
    free(s->node_refs);
    free(s->file);
    s->fid_head = s->node_head = s->fid_next = s->node_next = s->node_refs = NULL;
    s->file = NULL;
}
