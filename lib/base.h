/*
 * The words every file is written in: fixed-width integers, bit fields as the Arm ARM writes them.
 * Knows no guest.
 */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;
typedef __int128 s128;

#define BIT(n)        ((u64)1 << (n))
#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
#define MAYBE_UNUSED  __attribute__((unused))
#define COLD          __attribute__((noinline, cold))
#define likely(x)     __builtin_expect(!!(x), 1)
#define unlikely(x)   __builtin_expect(!!(x), 0)

/* A mask of n ones, n in 0..64. */
static inline u64 ones(unsigned n) { return n >= 64 ? ~(u64)0 : BIT(n) - 1; }

/* value<hi:lo>, as the manual writes it. */
static inline u64 bits(u64 value, unsigned hi, unsigned lo) { return value >> lo & ones(hi - lo + 1); }
static inline bool bit(u64 value, unsigned n) { return value >> n & 1; }

/* value with <hi:lo> replaced by field. */
static inline u64 bits_set(u64 value, unsigned hi, unsigned lo, u64 field)
{
    u64 mask = ones(hi - lo + 1) << lo;
    return (value & ~mask) | (field * BIT(lo) & mask);
}

/* SignExtend(value<n-1:0>, 64), n in 1..64. */
static inline u64 sext(u64 value, unsigned n) { return (u64)((s64)(value << (64 - n)) >> (64 - n)); }

/* Rotate right within n bits (n in 1..64, value<63:n> zero, r < n). */
static inline u64 ror_n(u64 value, unsigned n, unsigned r)
{
    return r ? (value >> r | value << (n - r)) & ones(n) : value;
}

static inline u64 align_down(u64 value, u64 size) { return value & ~(size - 1); }
static inline u64 align_up(u64 value, u64 size) { return (value + size - 1) & ~(size - 1); }
static inline bool is_pow2(u64 value) { return value && !(value & (value - 1)); }

static inline bool is_zeros(const u8 *at, size_t size) { return !at[0] && !memcmp(at, at + 1, size - 1); }
/* Makes zeros of it, but writes nothing where there are some: memory that the host gave and nobody used takes none. */
static inline void zeros_make(void *at, size_t size)
{
    for (u8 *p = at, *end = p + size; p < end; p += 4096) {
        size_t part = end - p < 4096 ? (size_t)(end - p) : 4096;
        if (!is_zeros(p, part))
            memset(p, 0, part);
    }
}

/* Unaligned little-endian access to bytes. */
static inline u16 load_le16(const void *p)
{
    u16 v;
    memcpy(&v, p, 2);
    return v;
}
static inline u32 load_le32(const void *p)
{
    u32 v;
    memcpy(&v, p, 4);
    return v;
}
static inline u64 load_le64(const void *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return v;
}
static inline u16 load_be16(const void *p) { return __builtin_bswap16(load_le16(p)); }
static inline u32 load_be32(const void *p) { return __builtin_bswap32(load_le32(p)); }
static inline u64 load_be64(const void *p) { return __builtin_bswap64(load_le64(p)); }
static inline void store_le16(void *p, u16 v) { memcpy(p, &v, 2); }
static inline void store_le32(void *p, u32 v) { memcpy(p, &v, 4); }
static inline void store_le64(void *p, u64 v) { memcpy(p, &v, 8); }
static inline void store_be16(void *p, u16 v) { store_le16(p, __builtin_bswap16(v)); }
static inline void store_be32(void *p, u32 v) { store_le32(p, __builtin_bswap32(v)); }
static inline void store_be64(void *p, u64 v) { store_le64(p, __builtin_bswap64(v)); }
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elmu stores guest memory as it is: little-endian hosts only");

#endif
