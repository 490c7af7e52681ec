/* Terminals of the window (frontend/display/vt.h) and the pixels they are drawn on (picture.h). */
#include "frontend/display/desktop.h"
#include "frontend/display/vt.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char typed[4096];
static size_t typed_size;

static void take(void *ctx, const char *bytes, size_t size)
{
    (void)ctx;
    for (size_t n = 0; n < size && typed_size < sizeof(typed) - 1; n++)
        typed[typed_size++] = bytes[n];
    typed[typed_size] = 0;
}

/* NULL: this build has no terminals. */
static struct vt *vt_begin(void)
{
    typed_size = 0;
    typed[0] = 0;
    return vt_can() ? NULL : vt_create(take, NULL);
}

static void put(struct vt *t, const char *text)
{
    int from, to;
    for (; *text; text++)
        vt_put(t, (u8)*text);
    vt_changed(t, &from, &to);
}

/* The letters of a row, to its last. */
static const char *row_text(struct vt *t, int row)
{
    static char text[VT_MOST + 1];
    static struct vt_cell cell[VT_MOST];
    int rows, columns, length = 0;
    vt_size(t, &rows, &columns);
    vt_row(t, row, cell);
    for (int n = 0; n < columns; n++) {
        text[n] = cell[n].code ? (char)cell[n].code : ' ';
        length = cell[n].code > ' ' ? n + 1 : length;
    }
    text[length] = 0;
    return text;
}

START_TEST(text_colours_and_cursor)
{
    struct vt *t = vt_begin();
    struct vt_cell cell[VT_MOST];
    int row, column, from, to;
    if (!t)
        return;
    put(t, "one\r\n\033[31;1mtwo\033[0m\033[7m!\033[0m");
    ck_assert_str_eq(row_text(t, 0), "one");
    ck_assert_str_eq(row_text(t, 1), "two!");
    vt_row(t, 1, cell);
    ck_assert(cell[0].bold && cell[0].ink != cell[4].ink);
    ck_assert(cell[3].ink == cell[4].ground && cell[3].ground == cell[4].ink);
    ck_assert(vt_cursor(t, &row, &column) && row == 1 && column == 4);
    put(t, "\033[?25l");
    ck_assert(!vt_cursor(t, &row, &column));
    ck_assert(!vt_changed(t, &from, &to));
    vt_put(t, 'x');
    ck_assert(vt_changed(t, &from, &to) && from == 1 && to == 2);
    vt_destroy(t);
}
END_TEST

START_TEST(rows_that_left_come_back)
{
    struct vt *t = vt_begin();
    char line[32];
    if (!t)
        return;
    for (int n = 0; n < 100; n++) {
        snprintf(line, sizeof(line), "%sline %d", n ? "\r\n" : "", n);
        put(t, line);
    }
    ck_assert_str_eq(row_text(t, VT_ROWS - 1), "line 99");
    vt_scroll(t, 30);
    ck_assert_int_eq(vt_scrolled(t), 30);
    ck_assert_str_eq(row_text(t, 0), "line 45");
    put(t, "\r\nmore");
    ck_assert_str_eq(row_text(t, 0), "line 45"); /* what is looked at stays */
    vt_scroll(t, 1000);
    ck_assert_str_eq(row_text(t, 0), "line 0");
    vt_text(t, "a", 0);
    ck_assert_int_eq(vt_scrolled(t), 0);
    for (int n = 0; n < SCROLL_LINES + 100; n++)
        put(t, "\r\nx");
    vt_scroll(t, 2 * SCROLL_LINES);
    ck_assert_int_eq(vt_scrolled(t), SCROLL_LINES);
    vt_destroy(t);
}
END_TEST

START_TEST(keys_become_bytes)
{
    struct vt *t = vt_begin();
    if (!t)
        return;
    vt_text(t, "a\xc3\xa4", 0);
    vt_text(t, "x", MOD_ALT);
    vt_key(t, 0x06, 'c', MOD_CTRL);
    vt_key(t, 0x28, '\r', 0);
    vt_key(t, 0x2a, 8, 0);
    vt_key(t, 0x52, 0, 0);
    vt_key(t, 0x3a, 0, 0);
    ck_assert_str_eq(typed, "a\xc3\xa4\033x\003\r\177\033[A\033OP");
    typed_size = 0;
    put(t, "\033[?2004h");
    vt_paste(t, "p\nq");
    ck_assert_str_eq(typed, "\033[200~p\rq\033[201~");
    vt_destroy(t);
}
END_TEST

/* A guest may write anything, and the window may have any size meanwhile. */
START_TEST(nothing_that_comes_does_harm)
{
    static const char *const parts[] = { "\033[",          "\033]0;",     "\033P",     "\033[?1049h",
                                         "\033[?1049l",    "9999999999",  ";",         "\033[2J",
                                         "\033c",          "\033#8",      "\033[6n",   "\xf0\x9f\x98\x80",
                                         "\xe4\xb8\xad",   "\033[5;10r",  "\xc2\x90",  "\xc2",
                                         "\033[3;9s",      "\033[?69h",   "\033[999L", "\033[999@",
                                         "\033[38;5;300m", "\033[48;2;1m" };
    struct vt *t = vt_begin();
    static struct vt_cell cell[VT_MOST];
    if (!t)
        return;
    srand(1);
    for (int n = 0; n < 5000; n++) {
        int rows, columns;
        if (rand() % 3)
            put(t, parts[(unsigned)rand() % ARRAY_LEN(parts)]);
        for (int k = rand() % 8; k > 0; k--)
            vt_put(t, (u8)rand());
        if (rand() % 40 == 0)
            vt_resize(t, rand() % 150 - 20, rand() % 150 - 20);
        if (rand() % 10 == 0)
            vt_scroll(t, rand() % 100 - 50);
        vt_size(t, &rows, &columns);
        ck_assert(rows >= 2 && rows <= VT_MOST && columns >= 2 && columns <= VT_MOST);
        vt_row(t, rand() % rows, cell);
        ck_assert(vt_within(t));
        typed_size = 0;
    }
    vt_destroy(t);
}
END_TEST

START_TEST(another_size_keeps_what_is_there)
{
    struct vt *t = vt_begin();
    struct vt_cell cell[VT_MOST];
    int row, column;
    if (!t)
        return;
    put(t, "one\r\n\033[31mt\xc3\xa4o\033[0m\r\nthree\r\n> ");
    vt_resize(t, 3, 40);
    vt_row(t, 0, cell);
    ck_assert(cell[1].code == 0xe4 && cell[1].ink != cell[5].ink);
    ck_assert_str_eq(row_text(t, 1), "three");
    ck_assert(vt_cursor(t, &row, &column) && row == 2 && column == 2);
    vt_scroll(t, 1);
    ck_assert_str_eq(row_text(t, 0), "one");
    vt_destroy(t);
}
END_TEST

START_TEST(pictures_keep_to_their_clip)
{
    struct picture p = { 0 };
    u32 source[4] = { 0x111111, 0x222222, 0x333333, 0x444444 };
    ck_assert(picture_resize(&p, 40, 30));
    picture_clip(&p, (struct rect){ 10, 10, 5, 5 });
    picture_fill(&p, (struct rect){ -100, -100, 1000, 1000 }, 0xff0000);
    ck_assert_uint_eq(p.pixels[10 * 40 + 10], 0xff0000);
    ck_assert_uint_eq(p.pixels[10 * 40 + 9], 0);
    ck_assert_uint_eq(p.pixels[15 * 40 + 10], 0);
    picture_unclip(&p);
    picture_stretch(&p, (struct rect){ -2, -2, 4, 4 }, source, 2, 2, 2, false);
    ck_assert_uint_eq(p.pixels[0], 0x444444);
    picture_stretch(&p, (struct rect){ 0, 0, 40, 30 }, source, 2, 2, 2, true);
    ck_assert_uint_eq(p.pixels[0], 0x111111);
    ck_assert_uint_eq(p.pixels[40 * 30 - 1], 0x444444);
    for (int n = 0; n < 2000; n++) {
        struct rect r = { rand() % 200 - 100, rand() % 200 - 100, rand() % 200, rand() % 200 };
        float x = (float)(rand() % 4000 - 2000), y = (float)(rand() % 4000 - 2000);
        picture_clip(&p, (struct rect){ rand() % 80 - 20, rand() % 80 - 20, rand() % 60, rand() % 60 });
        picture_fill(&p, r, 1);
        picture_hatch(&p, r, 4, 1, 2);
        picture_frame(&p, r, 2, 3);
        picture_line(&p, x, y, y, x, 3, 0xffffff);
        picture_stretch(&p, (struct rect){ r.x, r.y, r.w + 1, r.h + 1 }, source, 2, 2, 2, n & 1);
        picture_overlay(&p, (struct rect){ r.x, r.y, r.w + 1, r.h + 1 }, source, 2, 2);
    }
    picture_free(&p);
}
END_TEST

START_TEST(utf8_is_read)
{
    const char *at = "a\xc3\xa4\xe2\x94\x80\xff\xc3", *end = at + strlen(at);
    static const u32 codes[] = { 'a', 0xe4, 0x2500, 0xfffd, 0xfffd, 0 };
    for (unsigned n = 0; n < ARRAY_LEN(codes); n++)
        ck_assert_uint_eq(utf8_next(&at, end), codes[n]);
}
END_TEST

Suite *test_vt_suite(void);
Suite *test_vt_suite(void)
{
    Suite *s = suite_create("vt");
    TCase *c = tcase_create("vt");
    tcase_add_test(c, text_colours_and_cursor);
    tcase_add_test(c, rows_that_left_come_back);
    tcase_add_test(c, keys_become_bytes);
    tcase_add_test(c, nothing_that_comes_does_harm);
    tcase_add_test(c, another_size_keeps_what_is_there);
    tcase_add_test(c, pictures_keep_to_their_clip);
    tcase_add_test(c, utf8_is_read);
    suite_add_tcase(s, c);
    return s;
}
