/*
 * EDID 1.4 (VESA Enhanced EDID Standard, release A, revision 2): the base block of a screen with one best mode at 60
 * Hz, by timings as CVT with reduced blanking has them. Left out: extensions; the mode of a screen of more than 4095
 * pixels either way, for which the block has no room.
 */
#include "board/dev/edid.h"

enum { DESCRIPTOR = 18, TIMINGS = 54, NAME = TIMINGS + DESCRIPTOR, RANGE = NAME + DESCRIPTOR, DUMMY = RANGE + DESCRIPTOR,
       CHECKSUM = 127 };
/* Pixels and lines without a picture: in all, before the pulse, the pulse itself. */
enum { H_BLANK = 160, H_FRONT = 48, H_SYNC = 32, V_BLANK = 30, V_FRONT = 3, V_SYNC = 6, RATE = 60 };
enum { MODE_MAX = 4095, DPI = 96 };

static u32 millimetres(u32 pixels) { return pixels * 254 / (DPI * 10); }

/* 3.10.2: a detailed timing. */
static void timing_put(u8 *d, u32 width, u32 height)
{
    u32 clock = (width + H_BLANK) * (height + V_BLANK) * RATE / 10000; /* 10 kHz */
    u32 across = millimetres(width), down = millimetres(height);
    store_le16(d, (u16)(clock < 0xffff ? clock : 0xffff));
    d[2] = (u8)width;
    d[3] = H_BLANK;
    d[4] = (u8)(width >> 8 << 4);
    d[5] = (u8)height;
    d[6] = V_BLANK;
    d[7] = (u8)(height >> 8 << 4);
    d[8] = H_FRONT;
    d[9] = H_SYNC;
    d[10] = V_FRONT << 4 | V_SYNC;
    d[12] = (u8)across;
    d[13] = (u8)down;
    d[14] = (u8)(across >> 8 << 4 | down >> 8);
    d[17] = 0x18; /* separate digital pulses, both negative */
}

/* 3.10.3: another descriptor. */
static void descriptor_put(u8 *d, u8 tag, const void *bytes, unsigned size)
{
    d[3] = tag;
    memcpy(d + 5, bytes, size);
}

void edid_make(u8 block[EDID_SIZE], u32 width, u32 height)
{
    static const u8 head[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* what begins each */
                               0x15, 0x95, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, /* "ELU", product 1 */
                               0x01, 0x20, 0x01, 0x04, 0xa5 }; /* a week of 2022, 1.4, digital, 8 bits */
    static const u8 srgb[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
    static const u8 range[] = { 50, 125, 30, 160, 65, 0x00, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20 };
    u32 centimetres_x = millimetres(width) / 10, centimetres_y = millimetres(height) / 10;
    u8 sum = 0;
    memset(block, 0, EDID_SIZE);
    memcpy(block, head, sizeof(head));
    block[21] = (u8)(centimetres_x < 255 ? centimetres_x : 255);
    block[22] = (u8)(centimetres_y < 255 ? centimetres_y : 255);
    block[23] = 0x78; /* gamma 2.2 */
    block[24] = 0x06; /* sRGB, the first timing is the best */
    memcpy(block + 25, srgb, sizeof(srgb));
    block[35] = 0x21;             /* 640x480, 800x600, */
    block[36] = 0x08;             /* 1024x768 */
    memset(block + 38, 0x01, 16); /* no other standard timings */
    if (width <= MODE_MAX && height <= MODE_MAX)
        timing_put(block + TIMINGS, width, height);
    else
        descriptor_put(block + TIMINGS, 0x10, "", 0);
    descriptor_put(block + NAME, 0xfc, "elmu\n        ", 13);
    descriptor_put(block + RANGE, 0xfd, range, sizeof(range));
    descriptor_put(block + DUMMY, 0x10, "", 0);
    for (unsigned n = 0; n < CHECKSUM; n++)
        sum = (u8)(sum + block[n]);
    block[CHECKSUM] = (u8)(0 - sum);
}
