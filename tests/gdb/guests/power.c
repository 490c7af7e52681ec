/* Waits for the power key (pin 3 of the PL061), asleep between looks, then says when it came and switches off. */
#include "rt.h"

#define GPIO_PIN3 MMIO32(0x09030000 + (8 << 2))

static void say(char c) { MMIO8(0x09000000) = (u8)c; }

void test_main(void)
{
    u64 looks = 0;
    gic_init();
    gic_enable(27, 0x80); /* the virtual timer */
    say('?');
    while (!GPIO_PIN3) {
        looks++;
        WRITE(cntv_tval_el0, 62500); /* a millisecond */
        WRITE(cntv_ctl_el0, 1);
        ASM("wfi");
    }
    say('!');
    put_hex(looks);
    put_hex(counter());
    psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}
