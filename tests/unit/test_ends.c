/* What a person at the host's end types, and what telnet adds to it: frontend/line.c, frontend/telnet.c. What a program
 * writes there: frontend/message.c. */
#include "frontend/line.h"
#include "frontend/message.h"
#include "frontend/telnet.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

Suite *test_ends_suite(void);

/* ---- lines ---- */

static char shown[4096];
static size_t shown_size;
static struct line line;
static bool whole;

static void echo(void *ctx, const char *text, size_t size)
{
    (void)ctx;
    for (size_t n = 0; n < size && shown_size < sizeof(shown); n++)
        shown[shown_size++] = text[n];
}

/* Types the bytes. How many whole lines; the last one is in `line.text` until the next byte. */
static unsigned type_bytes(const char *bytes, size_t size)
{
    unsigned lines = 0;
    for (size_t n = 0; n < size; n++) {
        if (whole)
            line_next(&line);
        whole = line_take(&line, (u8)bytes[n]);
        lines += whole;
    }
    return lines;
}
static unsigned type(const char *text) { return type_bytes(text, strlen(text)); }

static void begin(void)
{
    line = (struct line){ .echo = echo };
    shown_size = 0;
    whole = false;
}

START_TEST(line_edits)
{
    static const struct {
        const char *typed, *line, *shown;
    } rows[] = {
        { "info\r", "info", "info\n" },
        { "info\n", "info", "info\n" },
        { "\n", "", "\n" },
        { "ab\bc\n", "ac", "ab\b \bc\n" },
        { "ab\177c\n", "ac", "ab\b \bc\n" },
        { "\b\177x\n", "x", "x\n" },
        { "abc\025x\n", "x", "abc\b \b\b \b\b \bx\n" },
        { "one two \027x\n", "one x", "one two \b \b\b \b\b \b\b \bx\n" },
        { "\027\025x\n", "x", "x\n" },
        { "a\001\002\tb\n", "ab", "ab\n" },
        { "a\033[3~b\033OCc\033xd\n", "abcd", "abcd\n" },
        { "a\033[\n", "a", "a\n" },
    };
    begin();
    ck_assert_uint_eq(type(rows[_i].typed), 1);
    ck_assert_str_eq(line.text, rows[_i].line);
    ck_assert_uint_eq(shown_size, strlen(rows[_i].shown));
    ck_assert(!memcmp(shown, rows[_i].shown, shown_size));
}
END_TEST

START_TEST(line_ends_once)
{
    begin();
    ck_assert_uint_eq(type("one\r\ntwo\r\n"), 2);
    ck_assert_uint_eq(type("\n\r"), 2);
}
END_TEST

/* Up, up again, down, beyond both ends; what is recalled can be edited. */
START_TEST(line_recalls)
{
    begin();
    type("one\ntwo\nthree\n\b");
    static const struct {
        const char *typed, *line;
    } rows[] = { { "\033[A", "three" }, { "\020", "two" }, { "\033OA\020\020", "one" },
                 { "\016", "two" },     { "\bx", "twx" },  { "\016", "three" },
                 { "\033[B", "" },      { "\016", "" } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        type(rows[n].typed);
        ck_assert_str_eq(line.text, rows[n].line);
    }
    type("\n");
    for (unsigned n = 0; n < 2 * LINE_HISTORY; n++)
        type(n % 2 ? "odd\n" : "even\n");
    for (unsigned n = 0; n < 2 * LINE_HISTORY; n++)
        type("\020");
    ck_assert_str_eq(line.text, "even"); /* the oldest that is kept */
}
END_TEST

/* Whatever is typed, the line is a string within its bounds. */
START_TEST(line_bounds)
{
    begin();
    srand(7);
    for (unsigned n = 0; n < 200000; n++) {
        static const char often[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaa \b\033[AB\020\016\027\r\n";
        u8 byte = rand() % 4 ? (u8)often[(size_t)rand() % (sizeof(often) - 1)] : (u8)rand();
        shown_size = 0;
        if (n % 50000 > 45000)
            byte = 'b';
        whole = line_take(&line, byte);
        ck_assert_uint_lt(line.used, LINE_SIZE);
        ck_assert_uint_eq(strlen(line.text), line.used);
        if (whole)
            line_next(&line);
    }
    line_drop(&line);
    ck_assert_str_eq(line.text, "");
}
END_TEST

/* ---- telnet ---- */

START_TEST(telnet_takes_out)
{
    static const struct {
        const char *from;
        size_t size;
        const char *data;
    } rows[] = {
#define ROW(from, data) { from, sizeof(from) - 1, data }
        ROW("plain\r\n", "plain\r\n"),
        ROW("a\377\377b", "a\377b"),
        ROW("a\377\373\001b\377\376\003c", "abc"),       /* WILL ECHO, DONT SUPPRESS-GO-AHEAD */
        ROW("a\377\372\030\001vt100\377\360b", "ab"),    /* SB TERMINAL-TYPE ... SE */
        ROW("a\377\372\030\377\377\360\377\360b", "ab"), /* 255 and 240 within */
        ROW("a\377\361\377\371b", "ab"),                 /* NOP, GA */
        ROW("a\377\363b", "aBb"),                        /* BREAK, shown as B here */
        ROW("a\377\373", "a"),
#undef ROW
    };
    struct telnet t = { 0 };
    char data[64] = "";
    size_t used = 0;
    for (size_t n = 0; n < rows[_i].size; n++) {
        int byte = telnet_take(&t, (u8)rows[_i].from[n]);
        if (byte != TELNET_NOTHING)
            data[used++] = byte == TELNET_BREAK ? 'B' : (char)byte;
    }
    ck_assert_str_eq(data, rows[_i].data);
}
END_TEST

/* ---- messages ---- */

/* What comes of a stream: whole messages in [], wrong ones as !, with | after each. */
static const char *cut(const char *bytes, size_t size)
{
    static char out[4096];
    struct message m = { 0 };
    size_t used = 0;
    for (size_t n = 0; n < size; n++)
        if (message_take(&m, (u8)bytes[n])) {
            used += (size_t)snprintf(out + used, sizeof(out) - used, m.wrong ? "!|" : "[%.*s]|", (int)m.used,
                                     m.used ? m.text : "");
            message_next(&m);
        }
    if (m.used)
        snprintf(out + used, sizeof(out) - used, "...");
    else
        out[used] = 0;
    message_free(&m);
    return out;
}
#define CUT(text, want) ck_assert_str_eq(cut(text, sizeof(text) - 1), want)

START_TEST(message_objects)
{
    CUT("", "");
    CUT(" \r\n\t", "");
    CUT("{}", "[{}]|");
    CUT("{}{} [1]\n", "[{}]|[{}]|[[1]]|");
    CUT("{\"a\":[{}]}", "[{\"a\":[{}]}]|");
    CUT("{\n}", "[{\n}]|");
    CUT("{\"}\":\"\\\"}\"} {}", "[{\"}\":\"\\\"}\"}]|[{}]|");
    CUT("{\"\\\\\"}{", "[{\"\\\\\"}]|...");
    CUT("{\"a\":", "...");
}
END_TEST

START_TEST(message_others)
{
    CUT("5\n{}", "[5]|[{}]|");
    CUT("nonsense more\n", "[nonsense]|[more]|");
    CUT("]{}", "[]]|[{}]|");
    CUT("\"a b\"\n", "[\"a b\"]|");
    CUT("5", "...");
}
END_TEST

START_TEST(message_strays)
{
    CUT("{\"a\0b\"}\n{}", "!|[{}]|");
    CUT("{\"a\n{}", "!|[{}]|");
    CUT("\xff{}", "!|[{}]|");
    CUT("{\"exec\xff\n{}", "!|[{}]|");
    CUT("\xff\xff\xff\n{}", "!|[{}]|");
    CUT("{\x01}\n{}", "!|[{}]|");
    CUT("{\"\xc3\xa9\"}", "[{\"\xc3\xa9\"}]|");
}
END_TEST

/* Feeds `count` times the byte; how often that was a whole or wrong message. */
static unsigned feed(struct message *m, char byte, unsigned count, const char **wrong)
{
    unsigned messages = 0;
    for (unsigned n = 0; n < count; n++)
        if (message_take(m, (u8)byte)) {
            messages++;
            *wrong = m->wrong;
            message_next(m);
        }
    return messages;
}

START_TEST(message_limits)
{
    struct message m = { 0 };
    const char *wrong = NULL;
    ck_assert_uint_eq(feed(&m, '[', MESSAGE_DEPTH, &wrong), 0);
    ck_assert_uint_eq(feed(&m, ']', MESSAGE_DEPTH, &wrong), 1);
    ck_assert_ptr_null(wrong);
    ck_assert_uint_eq(feed(&m, '[', 3 * MESSAGE_DEPTH, &wrong), 1);
    ck_assert_str_eq(wrong, "JSON nesting depth limit exceeded");
    ck_assert_uint_eq(feed(&m, '\n', 1, &wrong), 0);
    ck_assert_uint_eq(feed(&m, '"', 1, &wrong), 0);
    ck_assert_uint_eq(feed(&m, 'x', 3 * MESSAGE_SIZE, &wrong), 1);
    ck_assert_str_eq(wrong, "JSON token size limit exceeded");
    ck_assert_uint_le(m.room, MESSAGE_SIZE);
    message_drop(&m);
    ck_assert_uint_eq(feed(&m, '5', 1, &wrong), 0);
    ck_assert_uint_eq(feed(&m, '\n', 1, &wrong), 1);
    ck_assert_ptr_null(wrong);
    message_free(&m);
}
END_TEST

Suite *test_ends_suite(void)
{
    Suite *s = suite_create("ends");
    TCase *t = tcase_create("ends");
    tcase_add_loop_test(t, line_edits, 0, 12);
    tcase_add_test(t, line_ends_once);
    tcase_add_test(t, line_recalls);
    tcase_add_test(t, line_bounds);
    tcase_add_loop_test(t, telnet_takes_out, 0, 8);
    tcase_add_test(t, message_objects);
    tcase_add_test(t, message_others);
    tcase_add_test(t, message_strays);
    tcase_add_test(t, message_limits);
    suite_add_tcase(s, t);
    return s;
}
