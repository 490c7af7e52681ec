/* A device of our own, to try accesses on: 0x0b000000.
 *
 *     0x00  ID       read-only, 4 bytes: 0x656c6d75
 *     0x08  SCRATCH  8 bytes that hold what was written, in any size
 *     0x10  COUNT    how often it was read, this time included; a write clears it
 */
#include "device.h"

static union {
    u64 whole;
    u8 byte[8];
} scratch;
static u64 count;

static u64 counter_read(u64 offset, unsigned bytes)
{
    u64 value = 0;
    if (offset == 0)
        return 0x656c6d75;
    if (offset == 0x10)
        return ++count;
    for (unsigned n = 0; n < bytes && offset >= 8 && offset + n < 16; n++)
        value |= (u64)scratch.byte[offset - 8 + n] << 8 * n;
    return value;
}

static void counter_write(u64 offset, unsigned bytes, u64 value)
{
    if (offset == 0x10)
        count = 0;
    for (unsigned n = 0; n < bytes && offset >= 8 && offset + n < 16; n++)
        scratch.byte[offset - 8 + n] = (u8)(value >> 8 * n);
}

const struct device counter_device = { "counter", 0x0b000000, 0x1000, counter_read, counter_write };
