/*
 * The decoder (cpu/engine/decode.c) against its tables read plainly: of the rows whose feature is there, the first that
 * a word matches and whose decoder takes it. Words of every row and random ones, each asked for in a random order by a
 * decoder that is new now and then, since a row is compiled with the first word that may be of it.
 */
#include <check.h>

#include "cpu/model.h"
#include "cpu/insn/op.h"

Suite *test_decode_suite(void);

enum { MAX_ROWS = 4096, WORDS_OF_A_ROW = 24, RANDOM_WORDS = 100000, NEW_EVERY = 5000 };

static struct plain {
    const struct insn_row *row;
    u32 mask, value;
} plain[MAX_ROWS];
static unsigned rows;

static u64 random_next(void)
{
    static u64 x = 88172645463325252ull;
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

/* The bit of the pattern's n-th character that is no blank. */
static bool letter_next(const char **p, unsigned *position, char *letter)
{
    while (**p == ' ')
        ++*p;
    *letter = *(*p)++;
    return *letter && (*position)-- > 0;
}

static void tables_read(void)
{
    for (rows = 0; rows < MAX_ROWS && insn_row_get(rows); rows++) {
        struct plain *r = &plain[rows];
        *r = (struct plain){ .row = insn_row_get(rows) };
        const char *p = r->row->pattern;
        unsigned position = 32;
        for (char c; letter_next(&p, &position, &c);) {
            r->mask |= c == '0' || c == '1' ? 1u << position : 0;
            r->value |= c == '1' ? 1u << position : 0;
        }
        ck_assert_msg(position == 0, "%s: the pattern has not 32 characters", r->row->name);
    }
}

/* What the register letters say (cpu/insn/decode.h). */
static struct op registers_of(const struct insn_row *row, u32 word)
{
    static const struct {
        char letter, slot;
        u8 last; /* what 31 is */
    } letters[] = { { 'd', 'd', REG_TRASH }, { 'D', 'd', REG_SP }, { 't', 'd', REG_ZR }, { 'F', 'd', 31 },
                    { 'n', 'n', REG_ZR },    { 'N', 'n', REG_SP }, { 'G', 'n', 31 },     { 'm', 'm', REG_ZR },
                    { 'M', 'm', REG_SP },    { 'H', 'm', 31 },     { 'a', 'a', REG_ZR }, { 'b', 'a', REG_TRASH },
                    { 'K', 'a', 31 } };
    struct op op = { .imm = 0 };
    const char *p = row->pattern;
    unsigned position = 32;
    for (char c; letter_next(&p, &position, &c);)
        for (unsigned n = 0; n < ARRAY_LEN(letters); n++)
            if (letters[n].letter == c) { /* the last is the lowest */
                u8 number = word >> position & 31;
                *(letters[n].slot == 'd'   ? &op.d
                  : letters[n].slot == 'n' ? &op.n
                  : letters[n].slot == 'm' ? &op.m
                                           : &op.a) = number == 31 ? letters[n].last : number;
            }
    return op;
}

static const struct insn_row *plain_decode(const struct features *f, u32 word, struct op *op)
{
    for (unsigned n = 0; n < rows; n++) {
        const struct plain *r = &plain[n];
        if (!feature_has(f, (enum feature)r->row->feature) || (word & r->mask) != r->value)
            continue;
        *op = registers_of(r->row, word);
        if (r->row->decode(word, op))
            return r->row;
    }
    return NULL;
}

static void word_check(const struct decoder *d, const struct features *f, u32 word)
{
    struct op plainly = { .imm = 0 }, op;
    const struct insn_row *want = plain_decode(f, word, &plainly);
    enum engine engine = random_next() & 1 ? ENGINE_STEP : ENGINE_THREADED;
    const struct insn_row *row = decoder_decode(d, word, engine, &op);
    ck_assert_msg(row == want, "0x%08x: %s, not %s", word, row ? row->name : "none", want ? want->name : "none");
    ck_assert_msg(!row || (op.d == plainly.d && op.n == plainly.n && op.m == plainly.m && op.a == plainly.a &&
                           op.imm == plainly.imm),
                  "0x%08x: other operands than %s says", word, want->name);
}

/* Of a row from all over the tables: its fixed bits, and others at random, often with registers that are all ones. */
static u32 word_of(void)
{
    const struct plain *r = &plain[random_next() % rows];
    u32 other = (u32)random_next();
    if (random_next() & 1)
        other |= 31u << (random_next() % 28);
    return (other & ~r->mask) | r->value;
}

static void model_check(const char *model)
{
    struct cpu_model m;
    char error[256];
    struct decoder *d = NULL;
    ck_assert_msg(model_parse(model, true, true, &m, error), "%s", error);
    for (unsigned n = 0; n < rows * WORDS_OF_A_ROW + RANDOM_WORDS; n++) {
        if (n % NEW_EVERY == 0) {
            decoder_destroy(d);
            d = decoder_create(&m.features);
            ck_assert(d);
        }
        word_check(d, &m.features, n % 2 && n / 2 < RANDOM_WORDS ? (u32)random_next() : word_of());
    }
    decoder_destroy(d);
}

START_TEST(decodes_as_its_tables_say)
{
    static const char *const models[] = { "max", "cortex-a57", "neoverse-n1" };
    tables_read();
    ck_assert(rows > 500);
    model_check(models[_i]);
}
END_TEST

Suite *test_decode_suite(void)
{
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("decode");
    tcase_add_loop_test(t, decodes_as_its_tables_say, 0, 3);
    suite_add_tcase(s, t);
    return s;
}
