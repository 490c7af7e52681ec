/* Pictures as PNG, by libpng. */
#include "frontend/screendump.h"

#include "debug/library.h"

#include <png.h>
#include <stdlib.h>

#define FUNCTIONS(F) F(png_image_write_to_memory) F(png_image_free)
LIBRARY(libpng, FUNCTIONS)

const char *screendump_png_library(void) { return PNG_LIBPNG_VER_STRING; }
void screendump_png_ready(void) { library_load(&libpng_library); }

u8 *screendump_png(const struct screendump *p, u64 *size, char error[256])
{
    const char *missing = library_load(&libpng_library);
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = p->width, .height = p->height, .format = PNG_FORMAT_RGB
    };
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    u8 *png = missing ? NULL : malloc(bytes);
    snprintf(error, 256, "%s", missing ? missing : "no memory for a PNG");
    if (!png)
        return NULL;
    if (!libpng.png_image_write_to_memory(&image, png, &bytes, 0, p->rgb, 0, NULL)) {
        snprintf(error, 256, "PNG: %s", image.message);
        free(png);
        png = NULL;
    }
    libpng.png_image_free(&image);
    *size = bytes;
    return png;
}
