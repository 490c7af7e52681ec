/* Output of a guest that has no device for it: a line at a time is handed over in registers. */
#ifndef PUT_HVC_H
#define PUT_HVC_H
#include "guest.h"

void put(char c)
{
    static u64 text[6];
    static u32 text_len;
    text[text_len / 8] |= (u64)(u8)c << text_len % 8 * 8;
    if (++text_len < 48 && c != '\n')
        return;
    hvc(HVC_CONSOLE, text);
    text_len = 0;
    for (u32 i = 0; i < 6; i++)
        text[i] = 0;
}
#endif
