/*
 * The decoder: compiles the rows of cpu/insn/insn_all.def for one feature set (Arm ARM C4). A word's upper twelve bits
 * choose a short list of candidates, tried in the order of the tables.
 */
#include "cpu/insn/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpu/state.h"

/* ---- the tables: rows, decoder functions, and the handlers of both engines ---- */

#define INSN(id, pattern, dec, feat, format) bool dec_##dec(u32, struct op *);
#include "cpu/insn/insn_all.def"

#define DECLARE(x)       thr_##x, step_##x
#define INSN(id, ...)    op_fn DECLARE(id);
#define INSN_S(id, ...)  op_fn DECLARE(id##_0), DECLARE(id##_1);
#define INSN_N(id, ...)  INSN_S(id)
#define INSN_Q(id, ...)  INSN_S(id)
#define INSN_Z(id, ...)  op_fn DECLARE(id##_0), DECLARE(id##_1), DECLARE(id##_2), DECLARE(id##_3);
#define INSN_QZ(id, ...) INSN_Z(id) op_fn DECLARE(id##_4), DECLARE(id##_5), DECLARE(id##_6), DECLARE(id##_7);
#include "cpu/insn/insn_all.def"
op_fn thr_undefined, step_undefined;

/* Handlers in table order: those of a row, each as `of` makes it of the name. */
#define HANDLERS_1(of, id) of(id),
#define HANDLERS_2(of, id) of(id##_0), of(id##_1),
#define HANDLERS_4(of, id) HANDLERS_2(of, id) of(id##_2), of(id##_3),
#define HANDLERS_8(of, id) HANDLERS_4(of, id) of(id##_4), of(id##_5), of(id##_6), of(id##_7),

#define STEP(name) step_##name
static op_fn *const handlers_step[] = {
#define INSN(id, ...)    HANDLERS_1(STEP, id)
#define INSN_S(id, ...)  HANDLERS_2(STEP, id)
#define INSN_N(id, ...)  HANDLERS_2(STEP, id)
#define INSN_Q(id, ...)  HANDLERS_2(STEP, id)
#define INSN_Z(id, ...)  HANDLERS_4(STEP, id)
#define INSN_QZ(id, ...) HANDLERS_8(STEP, id)
#include "cpu/insn/insn_all.def"
};
#define THREADED(name) thr_##name
static op_fn *const handlers_threaded[] = {
#define INSN(id, ...)    HANDLERS_1(THREADED, id)
#define INSN_S(id, ...)  HANDLERS_2(THREADED, id)
#define INSN_N(id, ...)  HANDLERS_2(THREADED, id)
#define INSN_Q(id, ...)  HANDLERS_2(THREADED, id)
#define INSN_Z(id, ...)  HANDLERS_4(THREADED, id)
#define INSN_QZ(id, ...) HANDLERS_8(THREADED, id)
#include "cpu/insn/insn_all.def"
};

/* The direct branches again, for targets in the page (cpu/insn/branch.c); NULL: not direct. */
#define NEAR_b14(name)                near_##name
#define NEAR_b19(name)                near_##name
#define NEAR_b26(name)                near_##name
#define NEAR_none(name)               NULL
#define INSN(id, pattern, dec, ...)   op_fn near_##id;
#define INSN_S(id, pattern, dec, ...) op_fn near_##id##_0, near_##id##_1;
#include "cpu/insn/insn_branch.def"
static op_fn *const handlers_near[] = {
#define INSN(id, pattern, dec, ...)   NEAR_##dec(id),
#define INSN_S(id, pattern, dec, ...) NEAR_##dec(id##_0), NEAR_##dec(id##_1),
#include "cpu/insn/insn_branch.def"
};

/* Handler numbers, by the same counting. */
enum {
#define INSN(id, ...)    HANDLER_##id,
#define INSN_S(id, ...)  HANDLER_##id, HANDLER_##id##_last = HANDLER_##id + 1,
#define INSN_N(id, ...)  INSN_S(id)
#define INSN_Q(id, ...)  INSN_S(id)
#define INSN_Z(id, ...)  HANDLER_##id, HANDLER_##id##_last = HANDLER_##id + 3,
#define INSN_QZ(id, ...) HANDLER_##id, HANDLER_##id##_last = HANDLER_##id + 7,
#include "cpu/insn/insn_all.def"
    HANDLER_COUNT
};
static_assert(ARRAY_LEN(handlers_step) == HANDLER_COUNT, "one handler a stamp");

#define ROW(id, pattern, dec, feat, format, stamp)                                                                     \
    { #id, pattern, dec_##dec, format, FEAT_##feat, stamp, HANDLER_##id },
#define INSN(id, pattern, dec, feat, format)    ROW(id, pattern, dec, feat, format, STAMP_1)
#define INSN_S(id, pattern, dec, feat, format)  ROW(id, pattern, dec, feat, format, STAMP_S)
#define INSN_N(id, pattern, dec, feat, format)  ROW(id, pattern, dec, feat, format, STAMP_N)
#define INSN_Q(id, pattern, dec, feat, format)  ROW(id, pattern, dec, feat, format, STAMP_Q)
#define INSN_Z(id, pattern, dec, feat, format)  ROW(id, pattern, dec, feat, format, STAMP_Z)
#define INSN_QZ(id, pattern, dec, feat, format) ROW(id, pattern, dec, feat, format, STAMP_QZ)
static const struct insn_row rows[] = {
#include "cpu/insn/insn_all.def"
};

const struct insn_row *insn_row_get(unsigned n) { return n < ARRAY_LEN(rows) ? &rows[n] : NULL; }

/* ---- compiling the patterns ---- */

enum { INDEX_BITS = 12, INDEX_COUNT = 1 << INDEX_BITS, NO_FIELD = 32 };
enum { SLOT_D, SLOT_N, SLOT_M, SLOT_A, SLOTS };
enum { REG_VECTOR = 0xff };

/* A row's pattern as masks and field positions. */
struct compiled {
    u32 mask, value;
    const struct insn_row *row; /* NULL: no word asked for it yet, and only the upper bits are known */
    u8 lsb[SLOTS];              /* of the field of each slot, NO_FIELD = absent */
    u8 kind[SLOTS];             /* what 31 becomes there: REG_ZR, REG_SP, REG_TRASH, or REG_VECTOR */
    u8 s, q, z;                 /* bit positions of stamps, NO_FIELD = absent */
};
static_assert(offsetof(struct compiled, kind) == offsetof(struct compiled, lsb) + SLOTS, "compile_row");

/* What words lately decoded to, by a hash: much code is made of the same words, or made anew where it was. */
enum { MEMO_BITS = 10 };
struct decoded {
    u32 word;
    u16 handler, known;
    u8 d, n, m, a;
    s32 imm;
};

struct decoder {
    struct compiled *compiled;  /* by row */
    u32 first[INDEX_COUNT + 1]; /* into list */
    u16 *list;
    struct decoded memo[1 << MEMO_BITS];
};

/* The letters that say something: where a row keeps the lsb of its field (of a stamp: its bit; z ends at the lower
 * one), and what 31 means in it. */
enum { NO_KIND = 0xfe };
#define FIELD(field, what) { offsetof(struct compiled, field), what }
static const struct {
    u8 field, kind;
} letters[128] = {
    ['d'] = FIELD(lsb[SLOT_D], REG_TRASH),
    ['D'] = FIELD(lsb[SLOT_D], REG_SP),
    ['t'] = FIELD(lsb[SLOT_D], REG_ZR),
    ['F'] = FIELD(lsb[SLOT_D], REG_VECTOR),
    ['n'] = FIELD(lsb[SLOT_N], REG_ZR),
    ['N'] = FIELD(lsb[SLOT_N], REG_SP),
    ['G'] = FIELD(lsb[SLOT_N], REG_VECTOR),
    ['m'] = FIELD(lsb[SLOT_M], REG_ZR),
    ['M'] = FIELD(lsb[SLOT_M], REG_SP),
    ['H'] = FIELD(lsb[SLOT_M], REG_VECTOR),
    ['a'] = FIELD(lsb[SLOT_A], REG_ZR),
    ['b'] = FIELD(lsb[SLOT_A], REG_TRASH),
    ['K'] = FIELD(lsb[SLOT_A], REG_VECTOR),
    ['s'] = FIELD(s, NO_KIND),
    ['q'] = FIELD(q, NO_KIND),
    ['z'] = FIELD(z, NO_KIND),
};

static void compile_row(struct compiled *c, const struct insn_row *row)
{
    *c = (struct compiled){
        .row = row, .lsb = { NO_FIELD, NO_FIELD, NO_FIELD, NO_FIELD }, .s = NO_FIELD, .q = NO_FIELD, .z = NO_FIELD
    };
    u8 *fields = (u8 *)c;
    unsigned position = 32;
    for (const char *p = row->pattern; *p; p++) {
        unsigned digit = (unsigned)*p - '0', letter = (unsigned)*p & 127;
        if (*p == ' ')
            continue;
        assert(position > 0 && "a pattern has 32 characters");
        position--;
        if (digit <= 1) {
            c->mask |= (u32)BIT(position);
            c->value |= (u32)digit << position;
        } else if (letters[letter].field) {
            fields[letters[letter].field] = (u8)position;
            if (letters[letter].kind != NO_KIND)
                fields[letters[letter].field + sizeof(c->lsb)] = letters[letter].kind;
        }
    }
    assert(position == 0 && "a pattern has 32 characters");
}

/* Only what chooses the lists: a run asks for a part of the rows, and a start for none. */
static void compile_upper(struct compiled *c, const char *pattern)
{
    for (unsigned position = 32; position > 32 - INDEX_BITS; pattern++) {
        unsigned digit = (unsigned)*pattern - '0';
        position -= *pattern != ' ';
        if (digit <= 1) {
            c->mask |= 1u << position;
            c->value |= digit << position;
        }
    }
}

/* Adds row n to the lists of all upper parts that its pattern leaves open; `list` NULL: only counts, in first[]. */
static void row_list(struct decoder *d, unsigned n, u16 *list)
{
    const struct compiled *c = &d->compiled[n];
    u32 fixed = c->value >> (32 - INDEX_BITS), open = ~(c->mask >> (32 - INDEX_BITS)) & (INDEX_COUNT - 1), some = 0;
    do {
        if (list)
            list[d->first[fixed | some]] = (u16)n;
        d->first[fixed | some]++;
        some = (some - open) & open; /* the next subset */
    } while (some);
}

/* first[] from the number of candidates of each index, or from where each ends, to where each begins. */
static void first_begin(struct decoder *d, bool counts)
{
    u32 at = 0;
    for (u32 index = 0; index <= INDEX_COUNT; index++) {
        u32 next = counts ? at + d->first[index] : d->first[index];
        d->first[index] = at;
        at = next;
    }
}

static bool lists_make(struct decoder *d, const struct features *features)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (feature_has(features, (enum feature)rows[n].feature)) {
            compile_upper(&d->compiled[n], rows[n].pattern);
            row_list(d, n, NULL);
        }
    first_begin(d, true);
    d->list = calloc(d->first[INDEX_COUNT], sizeof *d->list);
    if (!d->list)
        return false;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (feature_has(features, (enum feature)rows[n].feature))
            row_list(d, n, d->list);
    first_begin(d, false);
    return true;
}

struct decoder *decoder_create(const struct features *features)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->compiled = calloc(ARRAY_LEN(rows), sizeof *d->compiled);
    if (!d->compiled || !lists_make(d, features)) {
        decoder_destroy(d);
        return NULL;
    }
    return d;
}

void decoder_destroy(struct decoder *d)
{
    if (!d)
        return;
    free(d->list);
    free(d->compiled);
    free(d);
}

/* ---- decoding a word ---- */

static u8 slot_of(u32 word, const struct compiled *c, unsigned slot)
{
    u8 r = c->lsb[slot] == NO_FIELD ? 0 : (u8)(word >> c->lsb[slot] & 31);
    return r == 31 && c->kind[slot] != REG_VECTOR ? c->kind[slot] : r;
}

static unsigned stamp_of(const struct compiled *c, u32 word)
{
    switch (c->row->stamp) {
    case STAMP_S: return word >> c->s & 1;
    case STAMP_N: return (word >> c->lsb[SLOT_N] & 31) == 31;
    case STAMP_Q: return word >> c->q & 1;
    case STAMP_Z: return word >> c->z & 3;
    case STAMP_QZ: return (word >> c->q & 1) << 2 | (word >> c->z & 3);
    default: return 0;
    }
}

/* The row of a word, its operation but for the handler, and the handler's number; NULL: unallocated. */
static ALWAYS_INLINE const struct insn_row *decode(const struct decoder *d, u32 word, struct op *op, unsigned *handler)
{
    u32 index = word >> (32 - INDEX_BITS);
    for (u32 n = d->first[index]; n < d->first[index + 1]; n++) {
        struct compiled *c = &d->compiled[d->list[n]];
        if (unlikely(!c->row))
            compile_row(c, &rows[d->list[n]]);
        if ((word ^ c->value) & c->mask)
            continue;
        *op = (struct op){ .d = slot_of(word, c, SLOT_D),
                           .n = slot_of(word, c, SLOT_N),
                           .m = slot_of(word, c, SLOT_M),
                           .a = slot_of(word, c, SLOT_A) };
        if (!c->row->decode(word, op))
            continue;
        *handler = c->row->handler + stamp_of(c, word);
        return c->row;
    }
    return NULL;
}

const struct insn_row *decoder_decode(const struct decoder *d, u32 word, enum engine engine, struct op *op)
{
    struct op o;
    unsigned handler;
    const struct insn_row *row = decode(d, word, &o, &handler);
    if (row)
        o.fn = engine == ENGINE_THREADED ? handlers_threaded[handler] : handlers_step[handler];
    else
        o = (struct op){ .fn = engine == ENGINE_THREADED ? thr_undefined : step_undefined, .imm = (s32)word };
    *op = o;
    return row;
}

static NOINLINE bool memo_fill(const struct decoder *d, struct decoded *memo, u32 word)
{
    struct op o;
    unsigned handler;
    if (!decode(d, word, &o, &handler))
        return false;
    *memo = (struct decoded){
        .word = word, .handler = (u16)handler, .known = 1, .d = o.d, .n = o.n, .m = o.m, .a = o.a, .imm = o.imm
    };
    return true;
}

void decoder_decode_slot(struct decoder *d, u32 word, const struct op *page, unsigned slot, unsigned slots,
                         struct op *op)
{
    struct decoded *memo = &d->memo[word * 0x9e3779b1u >> (32 - MEMO_BITS)];
    if (unlikely(memo->word != word || !memo->known) && !memo_fill(d, memo, word)) {
        *op = (struct op){ .fn = thr_undefined, .imm = (s32)word };
        return;
    }
    op_copy(op, handlers_threaded[memo->handler], &memo->d);
    unsigned branch = memo->handler - HANDLER_B;
    u32 to = slot + (u32)(op->imm >> 2);
    if (branch < ARRAY_LEN(handlers_near) && handlers_near[branch] && to < slots) {
        u64 target = (u64)(uintptr_t)&page[to];
        bool with_register = memo->handler >= HANDLER_CBZ && memo->handler <= HANDLER_TBNZ;
        if (with_register && target >> 48)
            return; /* a host with larger addresses: the plain handler will do */
        op->fn = handlers_near[branch];
        op->target = with_register ? target << 16 | (u64)op->n << 8 | op->d : target;
    }
}

/* ---- text ---- */

static int format_register(char *text, size_t size, char letter, const struct compiled *c, u32 word,
                           const struct op *op)
{
    unsigned r = letter == 'd' || letter == 'D' || letter == 't' || letter == 'F' ? op->d
                 : letter == 'n' || letter == 'N' || letter == 'G'                ? op->n
                 : letter == 'm' || letter == 'M' || letter == 'H'                ? op->m
                                                                                  : op->a;
    if (strchr("FGHK", letter))
        return snprintf(text, size, "v%u", r);
    char width = c->s != NO_FIELD && !(word >> c->s & 1) ? 'w' : 'x';
    if (r == REG_SP)
        return snprintf(text, size, width == 'w' ? "wsp" : "sp");
    if (r > 30)
        return snprintf(text, size, "%czr", width);
    return snprintf(text, size, "%c%u", width, r);
}

void insn_format(const struct insn_row *row, u32 word, u64 pc, char *text, size_t size)
{
    struct compiled c;
    compile_row(&c, row);
    struct op op = { .d = slot_of(word, &c, SLOT_D),
                     .n = slot_of(word, &c, SLOT_N),
                     .m = slot_of(word, &c, SLOT_M),
                     .a = slot_of(word, &c, SLOT_A) };
    row->decode(word, &op);
    size_t at = 0;
    text[0] = 0;
    (void)pc;
    for (const char *p = row->format; *p && at + 1 < size; p++) {
        int n = 1;
        if (*p != '%' || !p[1])
            n = snprintf(text + at, size - at, "%c", *p);
        else if (strchr("dDtnNmMabFGHK", *++p))
            n = format_register(text + at, size - at, *p, &c, word, &op);
        else if (*p == 'c')
            n = snprintf(text + at, size - at, "%.2s", &"eqnecsccmiplvsvchilsgeltgtlealnv"[(op.imm & 15) * 2]);
        else
            n = snprintf(text + at, size - at, "%d", op.imm);
        at += n > 0 ? (size_t)n : 0;
    }
}
