/* What a compiler may call, and there is no C library to give it. */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t n = 0; n < size; n++)
        ((u8 *)to)[n] = ((const u8 *)from)[n];
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    for (size_t n = 0; n < size; n++)
        ((u8 *)to)[n] = (u8)byte;
    return to;
}
