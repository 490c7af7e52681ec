/*
 * 9P2000.L on the wire: a request is taken apart as its row of p9.def says, and answered. The bytes are the guest's:
 * nothing outside of the message is read, whatever its lengths say, and a name is one before anything sees it.
 */
#define _GNU_SOURCE
#include "frontend/p9.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { R_LERROR = 7 };

static const struct message {
    unsigned type, flags;
    const char *layout;
    p9_fn *call;
} messages[] = {
#define P9(name, type, flags, layout) { type, flags, layout, p9_##name },
#include "frontend/p9.def"
};

/* ---- taking apart ---- */

struct reader {
    const u8 *at;
    u64 left;
};

static const u8 *take(struct reader *r, u64 size)
{
    const u8 *at = r->at;
    if (size > r->left)
        return NULL;
    r->at += size;
    r->left -= size;
    return at;
}

static bool number_take(struct reader *r, unsigned size, u64 *value)
{
    u8 bytes[8] = { 0 };
    const u8 *at = take(r, size);
    if (at)
        memcpy(bytes, at, size);
    *value = load_le64(bytes);
    return at;
}

static int text_take(struct reader *r, char *text, u64 room)
{
    u64 size;
    const u8 *at = number_take(r, 2, &size) ? take(r, size) : NULL;
    if (!at)
        return EPROTO;
    if (size >= room)
        return ENAMETOOLONG;
    if (memchr(at, 0, size))
        return EINVAL;
    memcpy(text, at, size);
    text[size] = 0;
    return 0;
}

/* What is no name of a file, or is none for the guest, is not there. */
static int name_take(const struct share *s, struct reader *r, char *text, bool up)
{
    int error = text_take(r, text, NAME_SIZE);
    if (error || (up && !strcmp(text, "..")))
        return error;
    return name_is_plain(text, (u32)strlen(text)) && !map_hides(s, text) ? 0 : ENOENT;
}

static int names_take(const struct share *s, struct reader *r, struct p9_call *c)
{
    u64 count;
    int error = 0;
    if (!number_take(r, 2, &count))
        return EPROTO;
    if (count > P9_WALK_MOST)
        return EINVAL;
    for (c->names = 0; !error && c->names < count; c->names++)
        error = name_take(s, r, c->name[c->names], true);
    /* The names before one that cannot be are walked: then it is known how far. */
    if (error && error != EPROTO && c->names > 1) {
        c->names--;
        c->name[c->names][0] = 0;
        c->names++;
        return 0;
    }
    return error;
}

static int call_read(const struct share *s, const char *layout, struct reader *r, struct p9_call *c)
{
    unsigned numbers = 0, texts = 0;
    int error = 0;
    for (; *layout && !error; layout++) {
        u64 value = 0;
        switch (*layout) {
        case 's': error = text_take(r, c->text[texts++], P9_TEXT); break;
        case 'n': error = name_take(s, r, c->text[texts++], false); break;
        case 'N': error = names_take(s, r, c); break;
        case 'r':
            error = number_take(r, 4, &value) && (c->data = take(r, value)) ? 0 : EPROTO;
            c->data_size = (u32)value;
            break;
        case 'f':
            error = number_take(r, 4, &value) ? 0 : EPROTO;
            value = error ? 0 : fid_find(s, (u32)value);
            error = value == NO_FID ? EBADF : error;
            c->n[numbers++] = value;
            break;
        default:
            error = number_take(r,
                                *layout == 'b'   ? 1
                                : *layout == 'h' ? 2
                                : *layout == 'w' ? 4
                                                 : 8,
                                &value)
                        ? 0
                        : EPROTO;
            c->n[numbers++] = value;
        }
    }
    return error;
}

/* ---- answering ---- */

static u8 *room_take(struct p9_answer *a, u32 size)
{
    if (a->full || size > a->room - a->size) {
        a->full = true;
        return NULL;
    }
    a->size += size;
    return a->bytes + a->size - size;
}

void p9_put(struct p9_answer *a, u64 value, unsigned bytes)
{
    u8 *to = room_take(a, bytes);
    if (to)
        memcpy(to, &value, bytes);
}

void p9_put_text(struct p9_answer *a, const char *text)
{
    u32 length = (u32)strlen(text);
    p9_put(a, length, 2);
    u8 *to = room_take(a, length);
    if (to)
        memcpy(to, text, length);
}

/* The version changes when the file does. */
void p9_put_qid(const struct share *s, struct p9_answer *a, const struct stat *st)
{
    enum { QT_DIR = 0x80, QT_SYMLINK = 0x02 };
    p9_put(a, S_ISDIR(st->st_mode) ? QT_DIR : S_ISLNK(st->st_mode) ? QT_SYMLINK : 0, 1);
    p9_put(a, (u32)((u64)st->st_mtim.tv_sec ^ (u64)st->st_mtim.tv_nsec ^ (u64)st->st_size << 8), 4);
    p9_put(a, host_qid(s, st), 8);
}

u32 p9_room(const struct p9_answer *a) { return a->room - a->size > 4 ? a->room - a->size - 4 : 0; }

static void header_put(u8 *answer, u32 size, unsigned type, const u8 *request)
{
    store_le32(answer, size);
    answer[4] = (u8)type;
    memcpy(answer + 5, request + 5, 2);
}

static int message_do(struct share *s, const struct message *m, struct reader *r, struct p9_answer *a)
{
    struct p9_call *c = calloc(1, sizeof(*c));
    int error = c ? call_read(s, m->layout, r, c) : ENOMEM;
    if (!error && m->flags & P9_WRITES && s->config.readonly)
        error = EROFS;
    if (!error)
        error = m->call(s, c, a);
    free(c);
    return error ? error : a->full ? ENOBUFS : 0;
}

u32 share_request(struct share *s, const u8 *memory, const u8 *request, u32 size, u8 *answer)
{
    u32 said = size >= P9_HEADER ? load_le32(request) : 0;
    struct p9_answer a = { .bytes = answer, .size = P9_HEADER };
    struct reader r = { request + P9_HEADER, said - P9_HEADER };
    int error = EOPNOTSUPP;
    s->bytes = memory;
    if (said < P9_HEADER || !fids_begin(s))
        return 0;
    a.room = s->msize ? s->msize : P9_MSIZE_LEAST;
    for (unsigned n = 0; n < ARRAY_LEN(messages); n++)
        if (messages[n].type == request[4])
            error = said > size || (s->msize && said > s->msize) ? EMSGSIZE : message_do(s, &messages[n], &r, &a);
    if (error) {
        a = (struct p9_answer){ .bytes = answer, .size = P9_HEADER, .room = P9_MSIZE_LEAST };
        p9_put(&a, (u32)error, 4);
    }
    header_put(answer, a.size, error ? R_LERROR : request[4] + 1u, request);
    fids_end(s);
    return a.size;
}

/* ---- the whole ---- */

struct share *share_open(const struct share_config *config, struct share_memory memory, char error[256], char note[256])
{
    struct share *s = calloc(1, sizeof(*s));
    struct stat st;
    char name[32];
    note[0] = 0;
    snprintf(error, 256, "out of memory");
    if (!s)
        return NULL;
    s->config = *config;
    s->memory = memory;
    s->root = open(config->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s->root < 0 || fstat(s->root, &st)) {
        snprintf(error, 256, "%.150s: %s", config->path, strerror(errno));
        share_close(s);
        return NULL;
    }
    s->device = st.st_dev;
    if (access(fd_name(s->root, name), X_OK)) {
        snprintf(error, 256, "%.150s: cannot be entered, or there is no /proc: %s", config->path, strerror(errno));
        share_close(s);
        return NULL;
    }
    if (!map_works(s))
        snprintf(note, 256,
                 "%.100s: its file system keeps no extended attributes: the guest will be able to make nothing in it "
                 "(security_model=mapped-file needs none)",
                 config->path);
    return s;
}

void share_close(struct share *s)
{
    fids_free(s);
    if (s->root >= 0)
        close(s->root);
    free(s);
}
