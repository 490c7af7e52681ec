/*
 * The draw list (view/canvas.c), the themes, and pictures in SVG: contrasts by WCAG 2.1, colours as people see them who
 * lack the cones for long or for middle waves (Machado, Oliveira and Fernandes 2009), distances in CIE 1976 L*a*b*.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "view/canvas.h"

Suite *test_canvas_suite(void);

enum how { PLAIN, FILL, LETTERS };
static const enum how hows[INKS] = {
#define INK(id, name, dark, light, how) how,
#include "view/ink.def"
};

static void linear(u32 colour, double rgb[3])
{
    for (unsigned n = 0; n < 3; n++) {
        double c = (colour >> (16 - 8 * n) & 255) / 255.0;
        rgb[n] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
    }
}

static double luminance(u32 colour)
{
    double c[3];
    linear(colour, c);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}

static double contrast(u32 a, u32 b)
{
    double la = luminance(a) + 0.05, lb = luminance(b) + 0.05;
    return la > lb ? la / lb : lb / la;
}

START_TEST(text_is_read_on_every_fill)
{
    for (enum theme t = 0; t < THEMES; t++)
        for (enum ink n = 0; n < INKS; n++) {
            u32 c = theme_colour(t, n);
            double fill = contrast(c, theme_colour(t, INK_TEXT)), ground = contrast(c, theme_colour(t, INK_GROUND)),
                   panel = contrast(c, theme_colour(t, INK_PANEL));
            ck_assert_msg(hows[n] != FILL || fill >= 4.5, "%s %s: %.2f", theme_name(t), ink_name(n), fill);
            ck_assert_msg(hows[n] != LETTERS || (ground >= 4.5 && panel >= 4.5), "%s %s: %.2f %.2f", theme_name(t),
                          ink_name(n), ground, panel);
        }
}
END_TEST

/* ---- colours are told apart ---- */

static const double sight[3][3][3] = {
    { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
    { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 }, { -0.003882, -0.048116, 1.051998 } },
    { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 }, { -0.011820, 0.042940, 0.968881 } },
};

static double lab_of(double t) { return t > 0.008856 ? cbrt(t) : 7.787 * t + 16 / 116.0; }

static void lab(u32 colour, unsigned eye, double out[3])
{
    double c[3], s[3];
    linear(colour, c);
    for (unsigned n = 0; n < 3; n++) {
        s[n] = sight[eye][n][0] * c[0] + sight[eye][n][1] * c[1] + sight[eye][n][2] * c[2];
        s[n] = s[n] < 0 ? 0 : s[n] > 1 ? 1 : s[n];
    }
    double x = lab_of((0.4124 * s[0] + 0.3576 * s[1] + 0.1805 * s[2]) / 0.9505),
           y = lab_of(0.2126 * s[0] + 0.7152 * s[1] + 0.0722 * s[2]),
           z = lab_of((0.0193 * s[0] + 0.1192 * s[1] + 0.9505 * s[2]) / 1.089);
    out[0] = 116 * y - 16, out[1] = 500 * (x - y), out[2] = 200 * (y - z);
}

static double distance(u32 a, u32 b, unsigned eye)
{
    double p[3], q[3];
    lab(a, eye, p);
    lab(b, eye, q);
    return sqrt((p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]) + (p[2] - q[2]) * (p[2] - q[2]));
}

static void apart(const enum ink *group, unsigned count)
{
    for (enum theme t = 0; t < THEMES; t++)
        for (unsigned eye = 0; eye < 3; eye++)
            for (unsigned a = 0; a < count; a++)
                for (unsigned b = a + 1; b < count; b++) {
                    double d = distance(theme_colour(t, group[a]), theme_colour(t, group[b]), eye);
                    ck_assert_msg(d >= 10, "%s: %s and %s, eye %u: %.1f", theme_name(t), ink_name(group[a]),
                                  ink_name(group[b]), eye, d);
                }
}

START_TEST(colours_are_told_apart)
{
    static const enum ink els[] = { INK_EL0, INK_EL1, INK_EL2, INK_EL3, INK_PANEL },
                          vms[] = { INK_VM0, INK_VM1, INK_VM2, INK_VM3, INK_VM4, INK_VM5, INK_VM6, INK_VM7, INK_PANEL },
                          states[] = { INK_FAULT, INK_LIT, INK_GOOD, INK_PANEL };
    apart(els, ARRAY_LEN(els));
    apart(vms, ARRAY_LEN(vms));
    apart(states, ARRAY_LEN(states));
}
END_TEST

/* ---- the list ---- */

START_TEST(shapes_are_kept_in_order)
{
    struct canvas c = { 0 };
    struct text out = { 0 };
    canvas_begin(&c, 640, 480);
    canvas_rect(&c, 1, 2, 30, 40, INK_PANEL, INK_LINE);
    ck_assert(canvas_text(&c, 5, 6, FONT_BODY, INK_TEXT, "level %d", -1) == 8 * 8);
    ck_assert(canvas_text(&c, 5, 6, FONT_BODY, INK_TEXT, "%s", "") == 0);
    canvas_zone(&c, 0, 0, 10, 10, 7, 0x123456789abcull, "a %s", "zone");
    canvas_list(&c, &out);
    ck_assert_str_eq(out.s, "canvas 640 480\n"
                            "rect 1 2 30 40 panel line\n"
                            "text 5 6 64 18 body text \"level -1\"\n"
                            "zone 0 0 10 10 7 0x123456789abc \"a zone\"\n");
    ck_assert_ptr_nonnull(canvas_zone_at(&c, 9, 9));
    ck_assert_ptr_null(canvas_zone_at(&c, 10, 9));
    ck_assert(canvas_bottom(&c) == 42);
    canvas_begin(&c, 1, 1);
    ck_assert_uint_eq(c.count, 0);
    text_free(&out);
    canvas_free(&c);
}
END_TEST

static const char *last(const struct canvas *c) { return shape_text(c, &c->shape[c->count - 1]); }

START_TEST(text_is_cut_where_it_does_not_fit)
{
    struct canvas c = { 0 };
    canvas_begin(&c, 640, 480);
    ck_assert(canvas_fit(&c, 0, 0, 80, FONT_BODY, INK_TEXT, "0123456789") == 80);
    ck_assert_str_eq(last(&c), "0123456789");
    ck_assert(canvas_fit(&c, 0, 0, 79, FONT_BODY, INK_TEXT, "0123456789") == 72);
    ck_assert_str_eq(last(&c), "01234567…");
    canvas_fit(&c, 0, 0, 24, FONT_BODY, INK_TEXT, "äöüß");
    ck_assert_str_eq(last(&c), "äö…");
    ck_assert(canvas_fit(&c, 0, 0, 7, FONT_BODY, INK_TEXT, "0123456789") == 0);
    ck_assert(canvas_fit(&c, 0, 0, -1, FONT_BODY, INK_TEXT, "0") == 0);
    canvas_free(&c);
}
END_TEST

START_TEST(lines_are_broken_at_blanks)
{
    struct canvas c = { 0 };
    canvas_begin(&c, 640, 480);
    ck_assert(canvas_lines(&c, 0, 0, 8 * 8, 3, FONT_BODY, INK_TEXT, "one two three") == 36);
    ck_assert_str_eq(shape_text(&c, &c.shape[0]), "one two");
    ck_assert_str_eq(shape_text(&c, &c.shape[1]), "three");
    canvas_begin(&c, 640, 480);
    ck_assert(canvas_lines(&c, 0, 0, 8 * 4, 2, FONT_BODY, INK_TEXT, "indivisible words") == 36);
    ck_assert_str_eq(shape_text(&c, &c.shape[0]), "indi");
    ck_assert_str_eq(shape_text(&c, &c.shape[1]), "vis…");
    canvas_free(&c);
}
END_TEST

START_TEST(svg_escapes_and_nests)
{
    struct canvas c = { 0 };
    struct text out = { 0 };
    canvas_begin(&c, 100, 50);
    canvas_clip(&c, 10, 10, 20, 20);
    canvas_hatch(&c, 0, 0, 50, 50, INK_VM0, INK_SHARED);
    canvas_hatch(&c, 0, 0, 60, 50, INK_VM0, INK_SHARED);
    canvas_clip(&c, 0, 0, 0, 0);
    canvas_text(&c, -0.5f, 0, FONT_SMALL, INK_TEXT, "a<b>&\"\x01");
    canvas_text(&c, 0, 20, FONT_BODY, INK_TEXT, "  one  two three ");
    canvas_svg(&c, THEME_LIGHT, "<t>", "d & e", &out);
    ck_assert_ptr_nonnull(strstr(out.s, "<title>&lt;t&gt;</title>\n<desc>d &amp; e</desc>"));
    ck_assert_ptr_nonnull(strstr(out.s, ">a&lt;b&gt;&amp;&quot;?</text>"));
    ck_assert_ptr_nonnull(strstr(out.s, "x=\"-0.5\""));
    ck_assert_ptr_nonnull(strstr(out.s, "<text x=\"16\""));
    ck_assert_ptr_nonnull(strstr(out.s, ">one</text>"));
    ck_assert_ptr_nonnull(strstr(out.s, "<text x=\"56\""));
    ck_assert_ptr_nonnull(strstr(out.s, ">two three</text>"));
    unsigned opened = 0, closed = 0, patterns = 0;
    for (const char *p = out.s; *p; p++) {
        opened += !strncmp(p, "<svg", 4);
        closed += !strncmp(p, "</svg>", 6);
        patterns += !strncmp(p, "<pattern", 8);
    }
    ck_assert_uint_eq(opened, 2);
    ck_assert_uint_eq(closed, 2);
    ck_assert_uint_eq(patterns, 1);
    text_free(&out);
    canvas_free(&c);
}
END_TEST

Suite *test_canvas_suite(void)
{
    Suite *s = suite_create("canvas");
    TCase *t = tcase_create("canvas");
    tcase_add_test(t, text_is_read_on_every_fill);
    tcase_add_test(t, colours_are_told_apart);
    tcase_add_test(t, shapes_are_kept_in_order);
    tcase_add_test(t, text_is_cut_where_it_does_not_fit);
    tcase_add_test(t, lines_are_broken_at_blanks);
    tcase_add_test(t, svg_escapes_and_nests);
    suite_add_tcase(s, t);
    return s;
}
