/* Touches 300 MiB of RAM, a few bytes of each page, and then counts for ever: the machine whose restore is measured. */
#include "rt.h"

volatile u64 count;

void test_main(void)
{
    for (u64 page = 0; page < 300ul << 20; page += 4096)
        MMIO64(0x42000000 + page) = page + 1;
    for (;;)
        count++;
}
