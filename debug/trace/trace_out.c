/* Trace files: a buffer in front of a descriptor, numbers formatted by table, a temporary name where a half must not be
 * seen. */
#define _GNU_SOURCE
#include "debug/trace/trace_out.h"

#include "debug/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define H(n)   "0123456789abcdef"[(n) >> 4], "0123456789abcdef"[(n)&15]
#define H4(n)  H(n), H((n) + 1), H((n) + 2), H((n) + 3)
#define H16(n) H4(n), H4((n) + 4), H4((n) + 8), H4((n) + 12)
#define H64(n) H16(n), H16((n) + 16), H16((n) + 32), H16((n) + 48)
const char put_hex_pairs[512] = { H64(0), H64(64), H64(128), H64(192) };

#define D10(t) t "0" t "1" t "2" t "3" t "4" t "5" t "6" t "7" t "8" t "9"
static const char decimal_pairs[] =
    D10("0") D10("1") D10("2") D10("3") D10("4") D10("5") D10("6") D10("7") D10("8") D10("9");

/* Four digits, zeros in front too, in the order in which they are written. */
static ALWAYS_INLINE u32 four_digits(u32 value)
{
    u8 text[4];
    memcpy(text, decimal_pairs + 2 * (value / 100), 2);
    memcpy(text + 2, decimal_pairs + 2 * (value % 100), 2);
    return load_le32(text);
}
enum { EIGHT_DIGITS = 100000000 };
static NOINLINE char *put_long(char *p, u64 value)
{
    u32 last = (u32)(value % EIGHT_DIGITS);
    p = put_decimal(p, value / EIGHT_DIGITS);
    store_le32((u8 *)p, four_digits(last / 10000));
    store_le32((u8 *)p + 4, four_digits(last % 10000));
    return p + 8;
}
char *put_decimal(char *p, u64 value)
{
    if (value < 10) {
        *p = (char)('0' + value);
        return p + 1;
    }
    if (value < 10000) {
        u32 few = four_digits((u32)value), none = (u32)__builtin_ctz(few ^ 0x30303030) / 8;
        store_le32((u8 *)p, few >> 8 * none);
        return p + 4 - none;
    }
    if (unlikely(value >= EIGHT_DIGITS))
        return put_long(p, value);
    u64 digits = four_digits((u32)value / 10000) | (u64)four_digits((u32)value % 10000) << 32;
    u64 zeros = (u64)__builtin_ctzll(digits ^ 0x3030303030303030ull) / 8; /* in front: they go */
    store_le64((u8 *)p, digits >> 8 * zeros);
    return p + 8 - zeros;
}

/* A new file beside the one that it becomes; /dev/null and pipes are written as they are. */
static bool temporary_open(struct out *o)
{
    struct stat st;
    o->whole = o->whole && !file_is_stream(o->name);
    if (!o->whole) {
        o->fd = file_open_stream(o->name);
        return o->fd >= 0;
    }
    bool folder = !stat(o->name, &st) && S_ISDIR(st.st_mode);
    if (folder || !file_target(o->name, o->target, sizeof(o->target))) {
        errno = folder ? EISDIR : ENAMETOOLONG;
        return false;
    }
    snprintf(o->temporary, sizeof(o->temporary), "%s.XXXXXX", o->target);
    o->fd = mkostemp(o->temporary, O_CLOEXEC);
    mode_t mask = umask(0);
    umask(mask);
    return o->fd >= 0 && !fchmod(o->fd, 0666 & ~mask);
}

struct out *out_open(const char *name, bool whole, char error[256])
{
    struct out *o = malloc(sizeof(*o));
    if (!o || strlen(name) >= OUT_NAME) {
        snprintf(error, 256, "%.200s: %s", name, o ? "name too long" : "out of memory");
        free(o);
        return NULL;
    }
    o->fd = -1;
    o->error = 0;
    o->used = 0;
    o->written = 0;
    o->whole = whole;
    snprintf(o->name, sizeof(o->name), "%s", name);
    if (!name[0] || !strcmp(name, "-")) {
        o->whole = false;
        o->fd = dup(name[0] ? STDOUT_FILENO : STDERR_FILENO);
        if (o->fd >= 0)
            return o;
    } else if (temporary_open(o)) {
        return o;
    }
    snprintf(error, 256, "%.200s: %s", name, strerror(errno));
    free(o);
    return NULL;
}

bool out_is_shared(const struct out *o)
{
    struct stat its, stream;
    if (fstat(o->fd, &its) || (S_ISCHR(its.st_mode) && its.st_rdev == makedev(1, 3))) /* nobody reads /dev/null */
        return false;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (!fstat(fd, &stream) && its.st_dev == stream.st_dev && its.st_ino == stream.st_ino)
            return true;
    return false;
}

void out_flush(struct out *o)
{
    size_t done = 0;
    while (done < o->used && !o->error) {
        ssize_t n = write(o->fd, o->buffer + done, o->used - done);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            o->error = errno;
        done += n > 0 ? (size_t)n : 0;
    }
    o->written += done;
    o->used = 0;
}

bool out_close(struct out *o, bool keep, char error[256])
{
    if (!o)
        return true;
    out_flush(o);
    if (close(o->fd) && !o->error)
        o->error = errno;
    if (o->whole && (!keep || o->error))
        unlink(o->temporary);
    else if (o->whole && rename(o->temporary, o->target)) {
        o->error = errno;
        unlink(o->temporary);
    }
    bool ok = !o->error;
    if (!ok)
        snprintf(error, 256, "%.200s: %s", o->name[0] ? o->name : "standard error", strerror(o->error));
    free(o);
    return ok;
}

void out_format(struct out *o, const char *format, ...)
{
    va_list args;
    char *p = out_reserve(o);
    va_start(args, format);
    int n = vsnprintf(p, OUT_LINE, format, args);
    va_end(args);
    out_commit(o, p + (n < 0 ? 0 : n < OUT_LINE ? n : OUT_LINE - 1));
}

void out_json(struct out *o, const char *text)
{
    char *p = out_reserve(o), *end = p + OUT_LINE - 16;
    *p++ = '"';
    for (; *text && p < end; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            p = put_const(p, "\\u00");
            p = put_hex(p, c, 1);
        } else {
            *p++ = (char)c;
        }
    }
    *p++ = '"';
    out_commit(o, p);
}
