/* Letters by SDL2_ttf, which is loaded when they are first wanted: letters.h. */
#include "frontend/display/letters.h"

#include "debug/library.h"

#include <SDL2/SDL_ttf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The last is SDL's own, which comes with it. */
#define FUNCTIONS(F) F(TTF_FontHeight) F(TTF_GlyphIsProvided32) F(TTF_GlyphMetrics32) F(TTF_Init) F(TTF_OpenFont)      \
    F(TTF_RenderGlyph32_Shaded) F(TTF_SetFontHinting) F(SDL_FreeSurface)
LIBRARY(ttf, FUNCTIONS)

enum { SIZES = 32, SLOTS = 8192, GLYPHS = SLOTS / 2 /* of one size; who shows more has them made again */ };

struct letters {
    TTF_Font *font;
    int size, advance, height;
    bool bold;
    unsigned count;
    struct slot {
        u32 code; /* 0: free */
        struct glyph glyph;
    } slot[SLOTS];
};

static char files[2][512]; /* plain, bold */
static struct letters *all[SIZES];

/* ---- the font ---- */

static bool file_is(char *to, const char *folder, const char *name)
{
    snprintf(to, sizeof(files[0]), "%s%s", folder, name);
    return !access(to, R_OK);
}

/* Where distributions have it. */
static bool font_find(void)
{
    static const char *const folders[] = { "/usr/share/fonts/truetype/dejavu/", "/usr/share/fonts/TTF/",
                                           "/usr/share/fonts/dejavu-sans-mono-fonts/", "/usr/share/fonts/dejavu/",
                                           "/usr/local/share/fonts/dejavu/" };
    for (unsigned n = 0; n < ARRAY_LEN(folders); n++)
        if (file_is(files[0], folders[n], "DejaVuSansMono.ttf")) {
            if (!file_is(files[1], folders[n], "DejaVuSansMono-Bold.ttf"))
                strcpy(files[1], files[0]);
            return true;
        }
    return false;
}

const char *letters_begin(const char *file)
{
    const char *why = library_load(&ttf_library);
    if (why)
        return why;
    if (file && file[0] && strlen(file) < sizeof(files[0])) {
        strcpy(files[0], file);
        strcpy(files[1], file);
    } else if (!font_find()) {
        return "the font DejaVu Sans Mono is not there (package fonts-dejavu-core, or font=FILE)";
    }
    if (ttf.TTF_Init())
        return "the library of fonts does not start";
    return letters_get(12, false) ? NULL : "the font cannot be read";
}

static struct letters *letters_make(int size, bool bold)
{
    struct letters *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct letters){ .font = ttf.TTF_OpenFont(files[bold], size), .size = size, .bold = bold };
    if (!l->font) {
        free(l);
        return NULL;
    }
    ttf.TTF_SetFontHinting(l->font, TTF_HINTING_LIGHT);
    ttf.TTF_GlyphMetrics32(l->font, 'M', NULL, NULL, NULL, NULL, &l->advance);
    l->height = ttf.TTF_FontHeight(l->font);
    return l;
}

struct letters *letters_get(int size, bool bold)
{
    size = size < 6 ? 6 : size > 200 ? 200 : size;
    for (unsigned n = 0; n < SIZES; n++) {
        if (!all[n])
            all[n] = letters_make(size, bold);
        if (!all[n] || (all[n]->size == size && all[n]->bold == bold))
            return all[n];
    }
    return all[0]; /* more sizes than anybody looks at */
}

int letters_advance(const struct letters *l) { return l->advance; }
int letters_height(const struct letters *l) { return l->height; }

/* ---- letters ---- */

/* A byte a pixel, which is how much of it is covered. */
static struct glyph glyph_make(struct letters *l, u32 code)
{
    static const SDL_Color white = { 255, 255, 255, 255 }, black = { 0, 0, 0, 255 };
    struct glyph g = { 0 };
    int left = 0;
    SDL_Surface *s = ttf.TTF_RenderGlyph32_Shaded(l->font, code, white, black);
    if (!s)
        return g;
    ttf.TTF_GlyphMetrics32(l->font, code, &left, NULL, NULL, NULL, NULL);
    g = (struct glyph){ malloc((size_t)s->w * (size_t)s->h), s->w, s->h, left < 0 ? left : 0 };
    for (int y = 0; g.cover && y < s->h; y++)
        memcpy(g.cover + y * s->w, (u8 *)s->pixels + y * s->pitch, (size_t)s->w);
    ttf.SDL_FreeSurface(s);
    return g;
}

static void glyphs_drop(struct letters *l)
{
    for (unsigned n = 0; n < SLOTS; n++)
        free(l->slot[n].glyph.cover);
    memset(l->slot, 0, sizeof(l->slot));
    l->count = 0;
}

const struct glyph *letters_glyph(struct letters *l, u32 code)
{
    u32 at = code * 2654435761u % SLOTS;
    while (l->slot[at].code && l->slot[at].code != code)
        at = (at + 1) % SLOTS;
    struct slot *s = &l->slot[at];
    if (!s->code) {
        if (++l->count > GLYPHS) {
            glyphs_drop(l);
            return letters_glyph(l, code);
        }
        s->code = code;
        s->glyph = glyph_make(l, ttf.TTF_GlyphIsProvided32(l->font, code) ? code : 0xfffd);
    }
    return s->glyph.cover ? &s->glyph : NULL;
}
