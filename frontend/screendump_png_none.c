/* In place of screendump_png.c where libpng was not there when elmu was built. */
#include "frontend/screendump.h"

const char *screendump_png_library(void) { return NULL; }
void screendump_png_ready(void) {}

u8 *screendump_png(const struct screendump *p, u64 *size, char error[256])
{
    (void)p, (void)size;
    snprintf(error, 256, "PNG is not there: this elmu was built without libpng (libpng-dev was not there); ppm is");
    return NULL;
}
