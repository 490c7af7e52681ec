/* Lesson 7: a guest that is interrupted. */
#include "gic.h"
#include "stage2.h"
#include "sysreg.h"

struct stage2 guest_memory = { .vmid = 1 };
static struct vcpu guest;
static bool waiting[INTIDS];

bool *waiting_here(void) { return waiting; }

void main(void);
void main(void)
{
    gic_init();
    translation_on();
    vcpu_init(&guest, GUEST_RAM_IPA);
    stage2_on(&guest_memory);
    traps_on();
    vgic_on();
    timer_next();
    print("hypervisor: here comes the guest\n");
    do
        guest.exits++;
    while (guest.exits < 100000 && guest_exit(&guest, guest_enter(&guest)));
    print("hypervisor: the guest is over\n");
}
