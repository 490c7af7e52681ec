/* A view in a file, and the words that say how it is to look: for the monitor's `picture` and the option -picture. */
#include "debug/file.h"
#include "view/view.h"

#include <stdio.h>

bool view_picture_size(struct view_picture *p, const char *word, char error[256])
{
    unsigned w = 0, h = 0;
    char rest;
    int found = sscanf(word, "%4ux%4u%c", &w, &h, &rest);
    if (found == 0 || found == 3 || (found == 1 && strspn(word, "0123456789") != strlen(word)) || w < 320 ||
        (found == 2 && h < 200)) {
        snprintf(error, 256, "size=%.40s: expected WIDTHxHEIGHT in pixels, from 320x200 to 9999x9999", word);
        return false;
    }
    p->width = (float)w;
    p->height = (float)h;
    return true;
}

bool view_picture_theme(struct view_picture *p, const char *word, char error[256])
{
    p->theme = strcmp(word, theme_name(THEME_DARK)) ? THEME_LIGHT : THEME_DARK;
    if (!strcmp(word, theme_name(p->theme)))
        return true;
    snprintf(error, 256, "theme=%.40s: expected dark or light", word);
    return false;
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), size = strlen(end);
    return length > size && !strcmp(name + length - size, end);
}

static bool put(const char *name, const struct text *text, char error[256])
{
    struct new_file *f = new_file_open(name, error);
    if (!f)
        return false;
    new_file_put(f, text->s ? text->s : "", text->length);
    return new_file_done(f, error);
}

bool view_picture_file(struct looker *l, struct view_picture p, const char *file, char error[256])
{
    struct text picture = { 0 };
    p.list = ends_in(file, ".list");
    if (!p.list && !ends_in(file, ".svg")) {
        snprintf(error, 256, "%.100s: a picture is a file whose name ends in .svg (or .list: the shapes in words)",
                 file);
        return false;
    }
    bool ok = view_picture(l, &p, &picture, error) && put(file, &picture, error);
    text_free(&picture);
    return ok;
}
