/*
 * Files that traces are written to: buffered, formatted without printf where it counts. Knows no guest.
 */
#ifndef DEBUG_TRACE_OUT_H
#define DEBUG_TRACE_OUT_H

#include "lib/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { OUT_BUFFER = 1 << 18, OUT_LINE = 4096 /* the longest that out_reserve promises */, OUT_NAME = 1100 };

struct out {
    int fd;    /* -1: closed */
    int error; /* errno of the first write that failed; what follows is dropped */
    size_t used;
    u64 written; /* bytes */
    bool whole;  /* `temporary` is renamed to `name` at the end, so that no half-written file can be taken for a whole
                    one */
    char name[OUT_NAME], target[OUT_NAME], temporary[OUT_NAME + 8]; /* target: name without symbolic links */
    char buffer[OUT_BUFFER + OUT_LINE];
};

/* name "-": standard output, "" : standard error. whole: the file appears at out_close, all of it. NULL: error says
 * why. */
struct out *out_open(const char *name, bool whole, char error[256]);
/* Ends the file. keep false: one that is `whole` is removed. False: something could not be written; error says what. */
bool out_close(struct out *o, bool keep, char error[256]);
void out_flush(struct out *o);
/* Does it go where standard output or standard error go, so that order between them is seen? */
bool out_is_shared(const struct out *o);
void out_format(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "a JSON string" with its quotes. */
void out_json(struct out *o, const char *text);

/* Room for a line of up to OUT_LINE bytes: where to write it; out_commit says where it ended. */
static inline char *out_reserve(struct out *o)
{
    if (unlikely(o->used >= OUT_BUFFER))
        out_flush(o);
    return o->buffer + o->used;
}
static inline void out_commit(struct out *o, const char *end) { o->used = (size_t)(end - o->buffer); }

/* Each appends at p and returns the end. */
static inline char *put_bytes(char *p, const char *text, size_t size)
{
    memcpy(p, text, size);
    return p + size;
}
static inline char *put_text(char *p, const char *text) { return put_bytes(p, text, strlen(text)); }
#define put_const(p, text) put_bytes(p, text, sizeof(text) - 1)
/* May overwrite the 7 bytes behind. */
char *put_decimal(char *p, u64 value);
/* The same, for what mostly has one digit. */
static inline char *put_small(char *p, u64 value)
{
    if (unlikely(value > 9))
        return put_decimal(p, value);
    *p = (char)('0' + value);
    return p + 1;
}

extern const char put_hex_pairs[512];
/* Two digits a byte, `size` bytes, highest first. Four at a time, since compilers leave the loop a loop. */
static inline char *put_hex(char *p, u64 value, unsigned size)
{
    unsigned n = size;
#ifdef __SSE2__
    if (size == 8) { /* a nibble a byte, the highest first, all at once */
        u64 high = __builtin_bswap64(value >> 4 & 0x0f0f0f0f0f0f0f0full),
            low = __builtin_bswap64(value & 0x0f0f0f0f0f0f0f0full);
        __m128i digits = _mm_unpacklo_epi8(_mm_cvtsi64_si128((s64)high), _mm_cvtsi64_si128((s64)low));
        __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(digits, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '0' - 10));
        _mm_storeu_si128((__m128i *)(void *)p, _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), letters));
        return p + 16;
    }
#endif
    for (; n >= 4; n -= 4, p += 8) {
        u64 part = value >> 8 * (n - 4);
        memcpy(p, put_hex_pairs + 2 * (part >> 24 & 0xff), 2);
        memcpy(p + 2, put_hex_pairs + 2 * (part >> 16 & 0xff), 2);
        memcpy(p + 4, put_hex_pairs + 2 * (part >> 8 & 0xff), 2);
        memcpy(p + 6, put_hex_pairs + 2 * (part & 0xff), 2);
    }
    for (; n-- > 0; p += 2)
        memcpy(p, put_hex_pairs + 2 * (value >> 8 * n & 0xff), 2);
    return p;
}

#endif
