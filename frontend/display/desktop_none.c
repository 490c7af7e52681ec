/* A build without SDL2: there are no windows. */
#include "frontend/display/desktop.h"

const char *desktop_library(void) { return NULL; }
const char *desktop_begin(bool fast) { return (void)fast, "this build has no SDL2 (libsdl2-dev, libsdl2-ttf-dev)"; }
struct desktop_window *desktop_open(const char *title, int width, int height, const char **why)
{
    (void)title, (void)width, (void)height;
    *why = desktop_begin(false);
    return NULL;
}
void desktop_close(struct desktop_window *w) { (void)w; }
void desktop_end(void) {}
bool desktop_event(struct desktop_event *e) { return (void)e, false; }
void desktop_size(struct desktop_window *w, int *width, int *height) { (void)w, *width = *height = 0; }
void desktop_resize(struct desktop_window *w, int width, int height) { (void)w, (void)width, (void)height; }
void desktop_show(struct desktop_window *w, const struct picture *p, struct rect r) { (void)w, (void)p, (void)r; }
void desktop_title(struct desktop_window *w, const char *title) { (void)w, (void)title; }
void desktop_full_screen(struct desktop_window *w, bool full) { (void)w, (void)full; }
void desktop_visible(struct desktop_window *w, bool visible) { (void)w, (void)visible; }
void desktop_grab(struct desktop_window *w, bool grabbed, bool relative) { (void)w, (void)grabbed, (void)relative; }
void desktop_pointer(bool seen) { (void)seen; }
char *desktop_pasted(void) { return NULL; }
void desktop_pasted_free(char *text) { (void)text; }
