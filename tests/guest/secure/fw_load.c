/* Loads the program: an ELF file that the firmware configuration device has under the keys of -kernel. */
#include "fw_internal.h"

#define FW_CFG 0x09020000ul
enum { KERNEL_SIZE = 0x08, KERNEL_DATA = 0x11, READ_SELECT = 1 << 1 | 1 << 3, LOAD = 1 };
#define CONTROL 0x40180000ul /* Non-secure memory: the device reaches no other */
#define FILE_AT 0x48000000ul

struct header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, segments, sections;
    u32 flags;
    u16 size, segment_size, segment_count;
};
struct segment {
    u32 type, flags;
    u64 offset, va, pa, file_size, size, align;
};

static u32 kernel_size(void)
{
    MMIO16(FW_CFG + 8) = __builtin_bswap16(KERNEL_SIZE);
    DSB();
    return MMIO32(FW_CFG);
}

static void copy_in(u64 to, u32 size)
{
    MMIO32(CONTROL) = __builtin_bswap32(KERNEL_DATA << 16 | READ_SELECT);
    MMIO32(CONTROL + 4) = __builtin_bswap32(size);
    MMIO64(CONTROL + 8) = __builtin_bswap64(to);
    DSB();
    MMIO64(FW_CFG + 16) = __builtin_bswap64(CONTROL);
    DSB();
}

u64 kernel_load(void)
{
    u32 size = kernel_size();
    const struct header *h = (const struct header *)FILE_AT;
    if (size)
        copy_in(FILE_AT, size);
    if (!size || *(const u32 *)h->ident != 0x464c457f) {
        say("EL3: -kernel is no ELF file\n");
        power_off();
    }
    for (u32 n = 0; n < h->segment_count; n++) {
        const struct segment *s = (const struct segment *)(FILE_AT + h->segments + (u64)n * h->segment_size);
        for (u64 at = 0; s->type == LOAD && at < s->size; at++)
            MMIO8(s->pa + at) = at < s->file_size ? MMIO8(FILE_AT + s->offset + at) : 0;
    }
    ASM("dsb sy; ic iallu; dsb sy; isb");
    return h->entry;
}
