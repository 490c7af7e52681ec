/* What comes to the machine from outside, kept and given again. */
#define _GNU_SOURCE
#include "debug/journal.h"

#include "debug/file.h"

#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Where the front end woke the machine or pressed its key: `port` of KICK, POWER and BALLOON. An idle machine is polled
 * at the same time before it idles, and must not hear then already what came while it did; nor what a byte that it says
 * in the middle of a slice led to. */
enum { WHILE_POLLED, WHILE_IDLE, WHILE_SPEAKING };
enum entry_kind { ENTRY_INPUT, ENTRY_KICK, ENTRY_IDLE, ENTRY_RESULT, ENTRY_DATA, ENTRY_DISK, ENTRY_POWER,
                  ENTRY_RESET, ENTRY_FRAME, ENTRY_BALLOON, ENTRY_SHARE, ENTRY_CHANGE, ENTRY_EVENTS, ENTRY_KINDS };

/* RESULT: what a semihosting call returned; FRAME: what asking for one returned, of adapter `port`; BALLOON: pages;
 * DATA: 8 bytes of what came with either, in order. DISK: 8 bytes that a disk held before they were written (at
 * `extra`), to be put back when the run goes backwards. SHARE: the size of an answer of share `port`; CHANGE: what it
 * changed in the share's room, from `value` on: `extra` bytes, or CHANGE_ZEROS and that many zeros. EVENTS: how many of
 * them (negative: they were too many) input device `port` was given, or 0 and when there would be some (`extra`). */
struct entry {
    u32 kind, port;
    u64 now, value, extra;
};

#define CHANGE_ZEROS BIT(32)

struct journal {
    struct machine *m;
    struct machine_host host; /* the front end's */
    struct entry *entry;
    u64 count, room, at;
    u64 typed; /* entries of console input and of frames, those that were cut off, too */
    u64 front; /* ns */
    bool keep, failed, kicking, quiet;
    u32 where;  /* the front end is asked: WHILE_POLLED ... */
    bool again; /* the power key or balloon of the journal, not a person's */
};

static bool behind(const struct journal *j) { return j->at < j->count || j->m->now < j->front; }

static void put(struct journal *j, u32 kind, u32 port, u64 value, u64 extra)
{
    if (!j->keep || j->failed)
        return;
    if (j->count == j->room) {
        u64 room = j->room ? 2 * j->room : 256;
        struct entry *more = realloc(j->entry, room * sizeof(*more));
        j->failed = !more;
        if (!more)
            return;
        j->entry = more;
        j->room = room;
    }
    j->entry[j->count++] = (struct entry){ kind, port, j->m->now, value, extra };
    j->at = j->count;
}

/* The entry that comes now, if it is of this kind. */
static const struct entry *take(struct journal *j, u32 kind)
{
    if (j->at >= j->count || j->entry[j->at].kind != kind || j->entry[j->at].now != j->m->now)
        return NULL;
    return &j->entry[j->at++];
}

/* The result that comes now; and one that has come. */
static bool told(struct journal *j, s64 *result)
{
    const struct entry *e = behind(j) ? take(j, ENTRY_RESULT) : NULL;
    if (e)
        *result = (s64)e->value;
    return e;
}

static s64 tell(struct journal *j, s64 result)
{
    put(j, ENTRY_RESULT, 0, (u64)result, 0);
    return result;
}

/* Bytes that come with an entry before them. */
static void data_put(struct journal *j, const u8 *data, u64 size)
{
    for (u64 at = 0; at < size; at += 8) {
        u64 value = 0;
        memcpy(&value, data + at, size - at < 8 ? size - at : 8);
        put(j, ENTRY_DATA, 0, value, 0);
    }
}

static void data_take(struct journal *j, u8 *data, u64 size)
{
    for (u64 at = 0; at < size; at += 8) {
        const struct entry *e = take(j, ENTRY_DATA);
        if (e)
            memcpy(data + at, &e->value, size - at < 8 ? size - at : 8);
    }
}

/* The front end woke the machine for what comes now: it must be woken again. */
static void kick_put(struct journal *j)
{
    if (j->kicking)
        put(j, ENTRY_KICK, j->where, 0, 0);
    j->kicking = false;
}

/* ---- consoles ---- */

/* A text that somebody waited for may have been completed, and the machine be woken for what is typed then. */
static void output(void *ctx, unsigned port, u8 byte)
{
    struct journal *j = ctx;
    u32 where = j->where;
    bool was = behind(j), kicking = j->kicking;
    j->where = WHILE_SPEAKING;
    j->kicking = !was;
    if (j->m->now >= j->front)
        j->host.output(j->host.ctx, port, byte);
    j->where = where;
    j->kicking = kicking;
    const struct entry *e = was && j->at < j->count ? &j->entry[j->at] : NULL;
    if (e && e->port == WHILE_SPEAKING && take(j, ENTRY_KICK))
        machine_input_kick(j->m);
}

static int input(void *ctx, unsigned port, bool waiting)
{
    struct journal *j = ctx;
    if (behind(j)) {
        if (j->at >= j->count || j->entry[j->at].port != port)
            return -1;
        const struct entry *e = take(j, ENTRY_INPUT);
        return e ? (int)(u8)e->value : -1;
    }
    int byte = j->host.input(j->host.ctx, port, waiting);
    if (byte < 0)
        return byte;
    kick_put(j);
    put(j, ENTRY_INPUT, port, (u8)byte, 0);
    j->typed++;
    return byte;
}

/* Woken for the end of the input, the machine must be woken again. What a mere kick asks in vain is not asked again. */
static bool input_comes(void *ctx, unsigned port)
{
    struct journal *j = ctx;
    s64 result;
    if (told(j, &result))
        return result;
    bool comes = behind(j) || j->host.input_comes(j->host.ctx, port);
    if (behind(j) || (j->kicking && comes))
        return true;
    kick_put(j);
    return tell(j, comes);
}

static void input_logged(void *ctx, unsigned port, u8 byte, u64 now)
{
    struct journal *j = ctx;
    if (j->host.input_logged)
        j->host.input_logged(j->host.ctx, port, byte, now);
}

/* What woke the machine while it was idle waits until it is. */
static void again(struct journal *j, u32 where)
{
    while (j->at < j->count && j->entry[j->at].port <= where) {
        const struct entry *e = take(j, ENTRY_BALLOON);
        if (e) {
            j->again = true;
            machine_balloon(j->m, (u32)e->value);
            j->again = false;
        } else if (take(j, ENTRY_KICK)) {
            machine_input_kick(j->m);
        } else if (take(j, ENTRY_POWER)) {
            j->again = true;
            machine_power_key(j->m);
            j->again = false;
        } else if (take(j, ENTRY_RESET)) {
            machine_end(j->m, END_RESET, 0, "");
        } else {
            return;
        }
    }
}

/* A key that is pressed while the past is run again has no effect. */
static bool power_key(void *ctx)
{
    struct journal *j = ctx;
    if (j->again)
        return true;
    if (behind(j) || (j->host.power_key && !j->host.power_key(j->host.ctx)))
        return false;
    put(j, ENTRY_POWER, j->where, 0, 0);
    return true;
}

static bool balloon(void *ctx, u32 pages)
{
    struct journal *j = ctx;
    if (j->again)
        return true;
    if (behind(j) || (j->host.balloon && !j->host.balloon(j->host.ctx, pages)))
        return false;
    put(j, ENTRY_BALLOON, j->where, pages, 0);
    return true;
}

bool journal_reset(struct journal *j)
{
    if (behind(j))
        return false;
    put(j, ENTRY_RESET, 0, 0, 0);
    return true;
}

/* While behind, every gap between slices is looked at: a kick was in one of them. */
static void poll_host(void *ctx)
{
    struct journal *j = ctx;
    bool was = behind(j);
    if (was) {
        again(j, WHILE_POLLED);
        j->m->d.poll_in = 0;
    }
    j->where = WHILE_POLLED;
    j->kicking = !was;
    if (j->host.poll && !j->quiet)
        j->host.poll(j->host.ctx);
    j->kicking = false;
}

static u64 idle(void *ctx, u64 now, u64 until)
{
    struct journal *j = ctx;
    if (behind(j)) {
        again(j, WHILE_IDLE);
        const struct entry *e = take(j, ENTRY_IDLE);
        if (e)
            return e->value <= until ? e->value : until;
        if (until != NEVER)
            return until;
    }
    if (!j->host.idle)
        return until;
    j->where = WHILE_IDLE;
    j->kicking = true;
    u64 to = j->host.idle(j->host.ctx, now, until);
    j->kicking = false;
    if (to != until)
        put(j, ENTRY_IDLE, 0, to, 0);
    return to;
}

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct journal *j = ctx;
    if (j->host.exception && j->m->now >= j->front)
        j->host.exception(j->host.ctx, cpu, exc);
}

/* ---- networks ---- */

/* What was sent is not sent again. */
static void frame_out(void *ctx, unsigned net, const void *frame, u64 size)
{
    struct journal *j = ctx;
    if (j->m->now >= j->front)
        j->host.frame_out(j->host.ctx, net, frame, size);
}

static s64 frame_in(void *ctx, unsigned net, void *frame, u64 room)
{
    struct journal *j = ctx;
    if (behind(j)) {
        const struct entry *e = j->at < j->count && j->entry[j->at].port == net ? take(j, ENTRY_FRAME) : NULL;
        s64 size = e ? (s64)e->value : 0;
        if (size > 0 && (u64)size > room)
            return 0; /* a journal of another run */
        data_take(j, frame, size > 0 ? (u64)size : 0);
        return size;
    }
    s64 size = j->host.frame_in(j->host.ctx, net, frame, room);
    if (!size)
        return 0;
    u64 count = j->count;
    kick_put(j);
    put(j, ENTRY_FRAME, net, (u64)size, 0);
    data_put(j, frame, size > 0 ? (u64)size : 0);
    j->typed += j->count - count;
    return size;
}

static void frame_logged(void *ctx, unsigned net, const void *frame, u64 size)
{
    struct journal *j = ctx;
    if (j->m->now >= j->front)
        j->host.frame_logged(j->host.ctx, net, frame, size);
}

/* ---- keys and pointers ---- */

static s32 events_in(void *ctx, unsigned input, struct input_event *group, u32 room, u64 *again)
{
    struct journal *j = ctx;
    if (behind(j)) {
        const struct entry *e = j->at < j->count && j->entry[j->at].port == input ? take(j, ENTRY_EVENTS) : NULL;
        s64 count = e ? (s64)e->value : 0;
        *again = e && !count ? e->extra : *again;
        if (count > (s64)room || count < -INPUT_GROUP)
            return 0; /* a journal of another run */
        for (s64 n = 0; n < count; n++)
            data_take(j, (u8 *)&group[n], sizeof(*group));
        return (s32)count;
    }
    s32 count = j->host.events_in(j->host.ctx, input, group, room, again);
    if (!count && *again == NEVER)
        return 0;
    u64 before = j->count;
    kick_put(j);
    put(j, ENTRY_EVENTS, input, (u64)(s64)count, count ? 0 : *again);
    for (s32 n = 0; n < count; n++)
        data_put(j, (const u8 *)&group[n], sizeof(*group));
    j->typed += j->count - before;
    return count;
}

/* ---- shares: answers come again, and what the server remembers; the host's folder is left alone ---- */

enum { CHANGE_PART = 4096 };

static void change_put(struct journal *j, unsigned share, const struct share_change *c)
{
    put(j, ENTRY_CHANGE, share, c->offset, c->size | (c->zeros ? CHANGE_ZEROS : 0));
    if (!c->zeros)
        data_put(j, machine_share(j->m, share) + c->offset, c->size);
}

static void changes_take(struct journal *j, unsigned share)
{
    for (const struct entry *e; (e = take(j, ENTRY_CHANGE));) {
        u8 bytes[CHANGE_PART] = { 0 };
        u64 size = e->extra & ones(32), at = e->value, zeros = e->extra & CHANGE_ZEROS;
        if (zeros)
            machine_share_put(j->m, share, at, NULL, size);
        for (u64 part; !zeros && size; at += part, size -= part) {
            part = size < sizeof(bytes) ? size : sizeof(bytes);
            data_take(j, bytes, part);
            machine_share_put(j->m, share, at, bytes, part);
        }
    }
}

static u32 share_serve(void *ctx, unsigned share, const void *request, u32 size, void *answer)
{
    struct journal *j = ctx;
    if (behind(j)) {
        const struct entry *e = j->at < j->count && j->entry[j->at].port == share ? take(j, ENTRY_SHARE) : NULL;
        u32 length = e && e->value <= SHARE_MESSAGE ? (u32)e->value : 0;
        data_take(j, answer, length);
        changes_take(j, share);
        return length;
    }
    u64 count = j->count;
    u32 length = j->host.share_serve(j->host.ctx, share, request, size, answer);
    struct share_change c;
    put(j, ENTRY_SHARE, share, length, 0);
    data_put(j, answer, length);
    for (u32 n = 0; j->host.share_change(j->host.ctx, share, n, &c); n++)
        change_put(j, share, &c);
    j->typed += j->count - count;
    return length;
}

static bool share_change(void *ctx, unsigned share, u32 n, struct share_change *change)
{
    struct journal *j = ctx;
    return j->host.share_change(j->host.ctx, share, n, change);
}

/* ---- disks ---- */

static bool disk_read(void *ctx, unsigned disk, u64 offset, void *data, u64 size)
{
    struct journal *j = ctx;
    return j->host.disk_read && j->host.disk_read(j->host.ctx, disk, offset, data, size);
}

/* What was there is kept (once: a replayed write finds its own bytes), so that journal_seek can put it back. */
static bool disk_write(void *ctx, unsigned disk, u64 offset, const void *data, u64 size)
{
    struct journal *j = ctx;
    if (!j->host.disk_write)
        return false;
    u8 old[8];
    for (u64 at = 0; at < size && j->keep; at += 8) {
        u64 part = size - at < 8 ? size - at : 8, value = 0;
        const struct entry *e = behind(j) ? take(j, ENTRY_DISK) : NULL;
        if (e)
            continue;
        if (!j->host.disk_read(j->host.ctx, disk, offset + at, old, part))
            return false;
        memcpy(&value, old, part);
        put(j, ENTRY_DISK, disk << 8 | (u32)part, value, offset + at);
    }
    return j->host.disk_write(j->host.ctx, disk, offset, data, size);
}

/* The words that were not zero are kept, and then one of no bytes as their end: a replay finds all of them again. */
static bool disk_zero(void *ctx, unsigned disk, u64 offset, u64 size, bool unmap)
{
    struct journal *j = ctx;
    const struct entry *e = j->keep && behind(j) ? take(j, ENTRY_DISK) : NULL;
    bool again = e;
    while (e && e->port & 0xff)
        e = take(j, ENTRY_DISK);
    u8 old[512];
    for (u64 at = 0; at < size && j->keep && !again; at += sizeof(old)) {
        u64 part = size - at < sizeof(old) ? size - at : sizeof(old);
        if (!j->host.disk_read(j->host.ctx, disk, offset + at, old, part))
            return false;
        for (u64 n = 0; n < part; n += 8) {
            u64 value;
            memcpy(&value, old + n, 8);
            if (value)
                put(j, ENTRY_DISK, disk << 8 | 8, value, offset + at + n);
        }
    }
    if (j->keep && !again)
        put(j, ENTRY_DISK, disk << 8, 0, offset);
    return j->host.disk_zero(j->host.ctx, disk, offset, size, unmap);
}

static bool disk_flush(void *ctx, unsigned disk)
{
    struct journal *j = ctx;
    return j->host.disk_flush && j->host.disk_flush(j->host.ctx, disk);
}

static s64 disk_change(void *ctx, unsigned disk, u64 block)
{
    struct journal *j = ctx;
    return j->host.disk_change(j->host.ctx, disk, block);
}
static bool disk_read_file(void *ctx, unsigned disk, u64 offset, void *data, u64 size)
{
    struct journal *j = ctx;
    return j->host.disk_read_file(j->host.ctx, disk, offset, data, size);
}
static bool disk_set(void *ctx, unsigned disk, u64 block, const void *data, u64 size)
{
    struct journal *j = ctx;
    return j->host.disk_set(j->host.ctx, disk, block, data, size);
}

/* ---- semihosting files: results come again, the files are left alone ---- */

#define FILE_CALL(name, parameters, arguments)                                                                         \
    static s64 name parameters                                                                                         \
    {                                                                                                                  \
        struct journal *j = ctx;                                                                                       \
        s64 result;                                                                                                    \
        return told(j, &result) ? result : tell(j, j->host.name arguments);                                            \
    }
FILE_CALL(file_open, (void *ctx, const char *name, unsigned mode), (j->host.ctx, name, mode))
FILE_CALL(file_close, (void *ctx, s64 handle), (j->host.ctx, handle))
FILE_CALL(file_write, (void *ctx, s64 handle, const void *data, u64 size), (j->host.ctx, handle, data, size))
FILE_CALL(file_seek, (void *ctx, s64 handle, u64 offset), (j->host.ctx, handle, offset))
FILE_CALL(file_length, (void *ctx, s64 handle), (j->host.ctx, handle))
FILE_CALL(file_is_tty, (void *ctx, s64 handle), (j->host.ctx, handle))
FILE_CALL(file_remove, (void *ctx, const char *name), (j->host.ctx, name))
FILE_CALL(file_rename, (void *ctx, const char *from, const char *to), (j->host.ctx, from, to))

static s64 file_read(void *ctx, s64 handle, void *data, u64 size)
{
    struct journal *j = ctx;
    s64 result;
    if (told(j, &result)) {
        result = result > 0 && (u64)result > size ? (s64)size : result;
        data_take(j, data, result > 0 ? (u64)result : 0);
        return result;
    }
    result = tell(j, j->host.file_read(j->host.ctx, handle, data, size));
    data_put(j, data, result > 0 ? (u64)result : 0);
    return result;
}

/* ---- attaching ---- */

struct journal *journal_attach(struct machine *m)
{
    struct journal *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->m = m;
    j->host = m->d.host;
    struct machine_host *h = &m->d.host;
    h->ctx = j;
    h->output = output;
    h->input = input;
    h->input_logged = input_logged;
    h->poll = poll_host;
    h->idle = idle;
    h->power_key = power_key;
    h->balloon = balloon;
    h->exception = j->host.exception ? exception : NULL;
    h->disk_read = disk_read;
    h->disk_write = disk_write;
    h->disk_flush = disk_flush;
#define CALL(name) h->name = j->host.name ? name : NULL;
    CALL(input_comes)
    CALL(disk_zero)
    CALL(frame_out)
    CALL(frame_in)
    CALL(frame_logged)
    CALL(events_in)
    CALL(share_serve)
    CALL(share_change)
    CALL(disk_change)
    CALL(disk_read_file)
    CALL(disk_set)
    CALL(file_open)
    CALL(file_close)
    CALL(file_read)
    CALL(file_write)
    CALL(file_seek)
    CALL(file_length)
    CALL(file_is_tty)
    CALL(file_remove)
    CALL(file_rename)
#undef CALL
    j->keep = true;
    return j;
}

void journal_detach(struct journal *j)
{
    j->m->d.host = j->host;
    free(j->entry);
    free(j);
}

void journal_keep(struct journal *j, bool keep) { j->keep = keep; }
void journal_set_quiet(struct journal *j, bool quiet) { j->quiet = quiet; }
u64 journal_count(const struct journal *j) { return j->count; }
u64 journal_typed(const struct journal *j) { return j->typed; }
u64 journal_mark(const struct journal *j) { return j->at; }

void journal_seek(struct journal *j, u64 mark)
{
    for (; j->at > mark; j->at--) { /* the disks as they were */
        const struct entry *e = &j->entry[j->at - 1];
        if (e->kind == ENTRY_DISK)
            j->host.disk_write(j->host.ctx, e->port >> 8, e->extra, &e->value, e->port & 0xff);
    }
    j->m->d.poll_in = 0;
}

void journal_set_front(struct journal *j, u64 now) { j->front = now > j->front ? now : j->front; }

void journal_forget(struct journal *j)
{
    free(j->entry);
    j->entry = NULL;
    j->at = j->count = j->room = j->typed = 0;
}

void journal_cut(struct journal *j)
{
    j->count = j->at;
    j->front = j->m->now;
}

/* ---- files ---- */

struct journal_head {
    char magic[8];
    u64 version, count, hash;
};
static const char magic[8] = "ELMUJRNL";

bool journal_write(struct journal *j, const char *file, char error[256])
{
    struct journal_head head = { .version = 1, .count = j->count };
    memcpy(head.magic, magic, sizeof(magic));
    head.hash = XXH3_64bits(j->entry ? (void *)j->entry : (void *)&head, j->count * sizeof(struct entry));
    if (j->failed) {
        snprintf(error, 256, "%.150s: not written: no memory for all of the input", file);
        return false;
    }
    struct new_file *f = new_file_open(file, error);
    return f && new_file_put(f, &head, sizeof(head)) && new_file_put(f, j->entry, j->count * sizeof(struct entry)) &&
           new_file_done(f, error);
}

bool journal_read(struct journal *j, const char *file, char error[256])
{
    struct file_map map;
    struct journal_head head;
    if (!file_map(&map, file, error))
        return false;
    bool ok = map.size >= sizeof(head);
    if (ok) {
        memcpy(&head, map.bytes, sizeof(head));
        u64 bytes = map.size - sizeof(head);
        ok = !memcmp(head.magic, magic, sizeof(magic)) && head.version == 1 && bytes % sizeof(struct entry) == 0 &&
             head.count == bytes / sizeof(struct entry) && head.hash == XXH3_64bits(map.bytes + sizeof(head), bytes);
    }
    snprintf(error, 256, "%.150s: expected a journal written by -record, found %s", file,
             ok ? "no memory" : "something else, or damage");
    j->entry = ok ? malloc(map.size) : NULL;
    ok = ok && j->entry;
    if (ok) {
        memcpy(j->entry, map.bytes + sizeof(head), map.size - sizeof(head));
        j->count = j->room = head.count;
        j->at = 0;
    }
    file_unmap(&map);
    return ok;
}
