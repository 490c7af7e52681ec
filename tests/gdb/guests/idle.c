/* An idle guest: sleeps in WFI, its timer wakes it 250 times a second; what is typed comes back (by the UART's
 * interrupt). */
#include "rt.h"

#define UART(offset) MMIO32(0x09000000 + (offset))

void test_main(void)
{
    gic_init();
    gic_enable(27, 0x80); /* the virtual timer */
    gic_enable(33, 0x80); /* the UART */
    UART(0x38) = BIT(4);  /* IMSC: receive */
    UART(0x30) = 0x301;   /* CR: on */
    WRITE(cntv_ctl_el0, 1);
    MMIO8(0x09000000) = '>';
    for (;;) {
        WRITE(cntv_tval_el0, 250000); /* 4 ms */
        ASM("wfi");
        while (!(UART(0x18) & BIT(4)))
            UART(0) = UART(0);
    }
}
