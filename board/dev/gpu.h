/*
 * What a graphics device keeps, whatever it is behind: resources (rectangles of pixels, with the pieces of the guest's
 * RAM that they are filled from), heads that show a part of one, a pointer's image for each head. virtio_gpu.c has the
 * commands that change it, gpu.c keeps it and is what is looked at.
 *
 * Pixels, backing and pointers lie in a room of the machine's memory at an address that no PE and no bus master has, so
 * that hashes, snapshots and the way back have them as they have RAM. What no resource has there holds zeros.
 */
#ifndef BOARD_GPU_H
#define BOARD_GPU_H

#include "board/dev/pixel.h"
#include "board/display.h"
#include "board/machine.h"

enum { GPU_RESOURCES = 512, GPU_ENTRIES = 16384 /* pieces of RAM of a resource */, GPU_ENTRY = 16 /* bytes of each */,
       GPU_PAGE = 4096, GPU_CURSOR = CURSOR_SIZE * CURSOR_SIZE * 4 /* bytes */, GPU_MEMORY = 256 << 20 /* of pixels */ };
/* A room: pointers' images, backing of each resource, pixels; bytes. */
#define GPU_CURSORS_AT 0ull
#define GPU_BACKING_AT ((u64)MAX_SCREENS * GPU_CURSOR)
#define GPU_PIXELS_AT  (GPU_BACKING_AT + (u64)GPU_RESOURCES * GPU_ENTRIES * GPU_ENTRY)
#define GPU_ROOM       (GPU_PIXELS_AT + GPU_MEMORY)
#define GPU_BASE       (STORE_BASE + BIT(49))

struct gpu_resource {
    u32 id; /* 0: a free place */
    u32 format, width, height;
    u64 at, size; /* of its pixels in the room, from GPU_PIXELS_AT on: bytes, whole pages */
    u32 backed;   /* bool */
    u32 entries;  /* of its backing */
};
struct gpu_head {
    u32 resource; /* 0: it shows nothing */
    u32 x, y, width, height;
    u32 cursor; /* bool: the pointer is there */
    s32 cursor_x, cursor_y;
    u32 hot_x, hot_y;
};
struct gpu {
    struct gpu_resource resource[GPU_RESOURCES];
    struct gpu_head head[MAX_SCREENS];
};
struct gpu_rect {
    u32 x, y, width, height;
};

/* The nth; NULL: there is none. */
struct gpu *gpu_of(struct machine *m, unsigned unit);
unsigned gpu_heads(const struct machine *m, unsigned unit);
const struct pixel_format *gpu_format(u32 format);
/* NULL: there is no resource of that number (never 0). */
struct gpu_resource *gpu_resource(struct gpu *g, u32 id);
/* Does the rectangle lie in it, and is not empty? */
bool gpu_inside(const struct gpu_resource *r, const struct gpu_rect *rect);

/* A new one, whose pixels are zeros. False: no room, or there are as many as can be. */
bool gpu_create(struct machine *m, unsigned unit, struct gpu_resource new);
/* It is no more: heads that show it show nothing. */
void gpu_destroy(struct machine *m, unsigned unit, struct gpu_resource *r);
/* As at reset. */
void gpu_clear(struct machine *m, unsigned unit);

/* Part of a resource's pixels, of its backing, of a head's pointer, about to be written, or (writes: false) read; NULL:
 * there is no such part. */
u8 *gpu_pixels(struct machine *m, unsigned unit, const struct gpu_resource *r, u64 offset, u64 size, bool writes);
u8 *gpu_backing(struct machine *m, unsigned unit, const struct gpu_resource *r, u64 entries, bool writes);
/* The head's pointer looks like this resource from now on, if that has the size of one. */
void gpu_cursor_define(struct machine *m, unsigned unit, unsigned head, const struct gpu_resource *r);

#endif
