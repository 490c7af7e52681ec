/* What the programs that draw show; tests/cli/screens.py knows it, too. */
#ifndef GUEST_SCREEN_H
#define GUEST_SCREEN_H

enum { WIDTH = 80, HEIGHT = 60 };

/* A frame, bands of colour, a grey ramp: 0x00RRGGBB. */
static inline u32 colour(u32 x, u32 y)
{
    if (x == 0 || y == 0 || x == WIDTH - 1 || y == HEIGHT - 1)
        return 0xffffff;
    if (y >= 50)
        return x * 3 * 0x010101;
    return (x < WIDTH / 2 ? 0xff0000 : 0x00ff00) | (y < 25 ? 0 : 0x0000ff) | (x + y) << 1;
}

#endif
