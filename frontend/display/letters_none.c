/* A build without SDL2_ttf: there are no letters. */
#include "frontend/display/letters.h"

const char *letters_begin(const char *file) { return (void)file, "this build has no SDL2_ttf (libsdl2-ttf-dev)"; }
struct letters *letters_get(int size, bool bold) { return (void)size, (void)bold, NULL; }
int letters_advance(const struct letters *l) { return (void)l, 8; }
int letters_height(const struct letters *l) { return (void)l, 16; }
const struct glyph *letters_glyph(struct letters *l, u32 code) { return (void)l, (void)code, NULL; }
