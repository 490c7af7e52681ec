/* What the compiler may call. For one file of each program without a library. */
#ifndef GUEST_MEM_H
#define GUEST_MEM_H

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((u8 *)to)[i] = ((const u8 *)from)[i];
    return to;
}

void *memset(void *to, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((u8 *)to)[i] = (u8)c;
    return to;
}

#endif
