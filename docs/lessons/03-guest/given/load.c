/* The guest's image, which is part of the hypervisor's (image.S), goes to where the guest runs. */
#include "translation.h"
#include "vcpu.h"

extern const char guest_image[], guest_image_end[];

void guest_load(u64 to)
{
    memcpy((void *)to, guest_image, ADDRESS(guest_image_end) - ADDRESS(guest_image));
    dsb();
    asm volatile("ic ialluis"); /* code was written: what the instruction cache has of that place is old */
    dsb();
    isb();
}
