/* The parts of the integer arithmetic that are too long to inline: CRC32 and CRC32C (Arm ARM C6.2, J1 BitReverse,
 * Poly32Mod2). */
#include "cpu/ops/alu.h"

u32 crc32_bytes(u32 accumulator, u64 value, unsigned size, bool castagnoli)
{
    u32 poly = castagnoli ? 0x82f63b78 : 0xedb88320, crc = accumulator;
    for (unsigned n = 0; n < size; n++) {
        crc ^= (u8)(value >> (8 * n));
        for (unsigned k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? poly : 0);
    }
    return crc;
}
