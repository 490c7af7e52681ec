/* Lesson 3: a guest at EL1. */
#include "translation.h"
#include "vcpu.h"

#define GUEST_RAM 0x50000000ul

static struct vcpu guest;

void main(void);
void main(void)
{
    translation_on();
    guest_load(GUEST_RAM);
    vcpu_init(&guest, GUEST_RAM);
    print("hypervisor: here comes the guest\n");
    do
        guest.exits++;
    while (guest_exit(&guest, guest_enter(&guest)));
    print("hypervisor: the guest is over\n");
}
