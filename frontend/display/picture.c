/* Drawing on pixels in memory: picture.h. */
#include "frontend/display/picture.h"

#include "frontend/display/letters.h"

#include <math.h>
#include <stdlib.h>

/* ---- pictures and clips ---- */

bool picture_resize(struct picture *p, int width, int height)
{
    if (p->pixels && p->width == width && p->height == height) {
        picture_unclip(p);
        return true;
    }
    free(p->pixels);
    *p = (struct picture){ .pixels = calloc((size_t)width * (size_t)height, sizeof(u32)) };
    if (!p->pixels)
        return false;
    p->width = width;
    p->height = height;
    picture_unclip(p);
    return true;
}

void picture_free(struct picture *p)
{
    free(p->pixels);
    *p = (struct picture){ 0 };
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

struct rect rect_meet(struct rect a, struct rect b)
{
    int x = most(a.x, b.x), y = most(a.y, b.y);
    int right = least(a.x + a.w, b.x + b.w), below = least(a.y + a.h, b.y + b.h);
    return (struct rect){ x, y, most(right - x, 0), most(below - y, 0) };
}

bool rect_has(struct rect r, int x, int y) { return x >= r.x && y >= r.y && x < r.x + r.w && y < r.y + r.h; }

void picture_unclip(struct picture *p) { p->clip = (struct rect){ 0, 0, p->width, p->height }; }

void picture_clip(struct picture *p, struct rect r)
{
    p->clip = rect_meet(r, (struct rect){ 0, 0, p->width, p->height });
}

static u32 *row_at(const struct picture *p, int y) { return p->pixels + (size_t)y * (size_t)p->width; }

/* Part `alpha` of 255 of a colour over another. */
static u32 blend(u32 under, u32 over, u32 alpha)
{
    u32 rest = 255 - alpha;
    u32 odd = ((under & 0xff00ff) * rest + (over & 0xff00ff) * alpha + 0x800080) >> 8 & 0xff00ff;
    u32 even = ((under & 0x00ff00) * rest + (over & 0x00ff00) * alpha + 0x008000) >> 8 & 0x00ff00;
    return alpha == 255 ? over & 0xffffff : odd | even;
}

/* ---- shapes ---- */

void picture_fill(struct picture *p, struct rect r, u32 colour)
{
    r = rect_meet(r, p->clip);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            row_at(p, y)[x] = colour;
}

void picture_frame(struct picture *p, struct rect r, int thick, u32 colour)
{
    picture_fill(p, (struct rect){ r.x, r.y, r.w, thick }, colour);
    picture_fill(p, (struct rect){ r.x, r.y + r.h - thick, r.w, thick }, colour);
    picture_fill(p, (struct rect){ r.x, r.y, thick, r.h }, colour);
    picture_fill(p, (struct rect){ r.x + r.w - thick, r.y, thick, r.h }, colour);
}

void picture_hatch(struct picture *p, struct rect r, int step, u32 one, u32 other)
{
    r = rect_meet(r, p->clip);
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            row_at(p, y)[x] = (x + y) / step & 1 ? other : one;
}

/* Each pixel near it is covered by how far it is from the line's axis. */
void picture_line(struct picture *p, float x, float y, float to_x, float to_y, float thick, u32 colour)
{
    float half = thick / 2, dx = to_x - x, dy = to_y - y, length2 = dx * dx + dy * dy;
    struct rect box = p->clip;
    float left = fminf(x, to_x) - half - 1, top = fminf(y, to_y) - half - 1;
    float right = fmaxf(x, to_x) + half + 1, below = fmaxf(y, to_y) + half + 1;
    int x0 = left > (float)box.x ? (int)left : box.x, y0 = top > (float)box.y ? (int)top : box.y;
    int x1 = right < (float)(box.x + box.w) ? (int)right + 1 : box.x + box.w;
    int y1 = below < (float)(box.y + box.h) ? (int)below + 1 : box.y + box.h;
    x1 = least(x1, box.x + box.w);
    y1 = least(y1, box.y + box.h);
    for (int py = y0; py < y1; py++)
        for (int px = x0; px < x1; px++) {
            float cx = (float)px + 0.5f - x, cy = (float)py + 0.5f - y;
            float t = length2 > 0 ? (cx * dx + cy * dy) / length2 : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            float far = hypotf(cx - t * dx, cy - t * dy), cover = half + 0.5f - far;
            if (cover > 0)
                row_at(p, py)[px] = blend(row_at(p, py)[px], colour, (u32)(255 * (cover < 1 ? cover : 1)));
        }
}

/* Is it on the inner side of all three edges, whichever way round they go? */
static bool within(const float x[3], const float y[3], float px, float py)
{
    unsigned left = 0, right = 0;
    for (unsigned n = 0; n < 3; n++) {
        unsigned k = (n + 1) % 3;
        float side = (x[k] - x[n]) * (py - y[n]) - (y[k] - y[n]) * (px - x[n]);
        left += side > 0;
        right += side < 0;
    }
    return !left || !right;
}

void picture_triangle(struct picture *p, const float x[3], const float y[3], u32 colour)
{
    float low_x = fminf(fminf(x[0], x[1]), x[2]), low_y = fminf(fminf(y[0], y[1]), y[2]);
    float far_x = fmaxf(fmaxf(x[0], x[1]), x[2]), far_y = fmaxf(fmaxf(y[0], y[1]), y[2]);
    if (!(low_x > -1e6f && low_y > -1e6f && far_x < 1e6f && far_y < 1e6f))
        return;
    struct rect r =
        rect_meet((struct rect){ (int)low_x, (int)low_y, (int)(far_x - low_x) + 2, (int)(far_y - low_y) + 2 }, p->clip);
    for (int py = r.y; py < r.y + r.h; py++)
        for (int px = r.x; px < r.x + r.w; px++)
            if (within(x, y, (float)px + 0.5f, (float)py + 0.5f))
                row_at(p, py)[px] = colour;
}

/* ---- other pictures ---- */

/* Where pixel `at` of `to` comes from, of `from`: 24.8 bits, the middle of one onto the middle of the other. */
static s64 source_at(int at, int from, int to)
{
    s64 middle = (((s64)at * 2 + 1) * from * 256 / to - 256) / 2;
    return middle < 0 ? 0 : middle > (s64)(from - 1) * 256 ? (s64)(from - 1) * 256 : middle;
}

static u32 mix(u32 a, u32 b, u32 part)
{
    u32 rest = 256 - part;
    return (((a & 0xff00ff) * rest + (b & 0xff00ff) * part) >> 8 & 0xff00ff) |
           (((a & 0x00ff00) * rest + (b & 0x00ff00) * part) >> 8 & 0x00ff00);
}

static void row_smooth(u32 *to, struct rect r, struct rect in, const u32 *upper, const u32 *lower, u32 down, int width)
{
    for (int x = in.x; x < in.x + in.w; x++) {
        s64 at = source_at(x - r.x, width, r.w);
        int left = (int)(at >> 8), right = left + (left < width - 1);
        u32 part = (u32)at & 0xff;
        to[x] = mix(mix(upper[left], upper[right], part), mix(lower[left], lower[right], part), down);
    }
}

static void row_nearest(u32 *to, struct rect r, struct rect in, const u32 *from, int width)
{
    if (r.w == width) {
        memcpy(to + in.x, from + (in.x - r.x), (size_t)in.w * sizeof(u32));
        return;
    }
    u64 step = ((u64)width << 32) / (u64)r.w, at = (u64)(in.x - r.x) * step;
    for (int x = in.x; x < in.x + in.w; x++, at += step)
        to[x] = from[at >> 32];
}

void picture_stretch(struct picture *p, struct rect r, const u32 *pixels, int width, int height, int stride,
                     bool smooth)
{
    struct rect in = rect_meet(r, p->clip);
    for (int y = in.y; y < in.y + in.h; y++) {
        s64 at = source_at(y - r.y, height, r.h);
        int upper = (int)(at >> 8), lower = upper + (upper < height - 1);
        const u32 *nearest = pixels + (s64)(y - r.y) * height / r.h * stride;
        if (smooth)
            row_smooth(row_at(p, y), r, in, pixels + (s64)upper * stride, pixels + (s64)lower * stride, (u32)at & 0xff,
                       width);
        else
            row_nearest(row_at(p, y), r, in, nearest, width);
    }
}

void picture_overlay(struct picture *p, struct rect r, const u32 *pixels, int width, int height)
{
    struct rect in = rect_meet(r, p->clip);
    for (int y = in.y; y < in.y + in.h; y++)
        for (int x = in.x; x < in.x + in.w; x++) {
            u32 over = pixels[(s64)(y - r.y) * height / r.h * width + (s64)(x - r.x) * width / r.w];
            row_at(p, y)[x] = blend(row_at(p, y)[x], over, over >> 24);
        }
}

/* ---- text ---- */

void picture_letter(struct picture *p, int x, int y, struct letters *l, u32 colour, u32 code)
{
    const struct glyph *g = code == ' ' ? NULL : letters_glyph(l, code);
    if (!g)
        return;
    struct rect r = { x + g->left, y, g->width, g->height }, in = rect_meet(r, p->clip);
    for (int row = in.y; row < in.y + in.h; row++) {
        const u8 *cover = g->cover + (row - r.y) * g->width - r.x;
        for (int at = in.x; at < in.x + in.w; at++)
            if (cover[at])
                row_at(p, row)[at] = blend(row_at(p, row)[at], colour, cover[at]);
    }
}

u32 utf8_next(const char **at, const char *end)
{
    const u8 *s = (const u8 *)*at;
    if (*at == end || !*s)
        return 0;
    unsigned more = *s < 0x80 ? 0 : *s >> 5 == 6 ? 1 : *s >> 4 == 14 ? 2 : *s >> 3 == 30 ? 3 : 4;
    u32 code = more ? *s & (0x3fu >> more) : *s;
    ++*at;
    if (more == 4)
        return 0xfffd;
    for (; more; more--, ++*at) {
        if (*at == end || ((u8) * *at & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | ((u8) * *at & 0x3f);
    }
    return code ? code : 0xfffd;
}

int picture_text(struct picture *p, float x, float y, struct letters *l, float advance, u32 colour, const char *text,
                 size_t size)
{
    const char *end = text + size;
    advance = advance > 0 ? advance : (float)letters_advance(l);
    for (u32 code; (code = utf8_next(&text, end)); x += advance)
        if (x < (float)(p->clip.x + p->clip.w) && x > (float)p->clip.x - 2 * advance)
            picture_letter(p, (int)lrintf(x), (int)lrintf(y), l, colour, code);
    return (int)lrintf(x);
}
