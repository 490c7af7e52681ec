/* Lesson 4: a guest that has its own memory, and no other. */
#include "stage2.h"

struct stage2 guest_memory = { .vmid = 1 };
static struct vcpu guest;

static u64 image_sum(void)
{
    u64 sum = 0;
    for (const char *p = guest_image; p < guest_image_end; p++)
        sum = sum * 31 + (u8)*p;
    return sum;
}

void main(void);
void main(void)
{
    translation_on();
    u64 before = image_sum();
    vcpu_init(&guest, GUEST_RAM_IPA);
    stage2_on(&guest_memory);
    print("hypervisor: here comes the guest\n");
    do
        guest.exits++;
    while (guest.exits < 100000 && guest_exit(&guest, guest_enter(&guest)));
    print("hypervisor: %lu pages were mapped, %lu of them copied when they were written\n", guest_memory.mapped,
          guest_memory.copied);
    print("hypervisor: the guest's image is %s\n", image_sum() == before ? "as it was" : "another");
}
