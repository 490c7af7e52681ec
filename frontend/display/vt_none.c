/* A build without libvterm: there is no terminal. */
#include "frontend/display/vt.h"

const char *vt_library(void) { return NULL; }
const char *vt_can(void) { return "this build has no libvterm (libvterm-dev)"; }
struct vt *vt_create(void (*typed)(void *ctx, const char *bytes, size_t size), void *ctx)
{
    (void)typed, (void)ctx;
    return NULL;
}
void vt_destroy(struct vt *t) { (void)t; }
void vt_put(struct vt *t, u8 byte) { (void)t, (void)byte; }
bool vt_changed(struct vt *t, int *from, int *to) { return (void)t, (void)from, (void)to, false; }
void vt_resize(struct vt *t, int rows, int columns) { (void)t, (void)rows, (void)columns; }
void vt_size(const struct vt *t, int *rows, int *columns) { (void)t, *rows = *columns = 0; }
void vt_row(struct vt *t, int row, struct vt_cell *cells) { (void)t, (void)row, (void)cells; }
bool vt_cursor(const struct vt *t, int *row, int *column) { return (void)t, (void)row, (void)column, false; }
bool vt_within(const struct vt *t) { return (void)t, true; }
void vt_scroll(struct vt *t, int lines) { (void)t, (void)lines; }
int vt_scrolled(const struct vt *t) { return (void)t, 0; }
void vt_key(struct vt *t, unsigned usage, u32 code, unsigned mods) { (void)t, (void)usage, (void)code, (void)mods; }
void vt_text(struct vt *t, const char *text, unsigned mods) { (void)t, (void)text, (void)mods; }
void vt_paste(struct vt *t, const char *text) { (void)t, (void)text; }
