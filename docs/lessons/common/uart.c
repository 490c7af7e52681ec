/* The hypervisor's console: a PL011 (Arm DDI 0183), which here is ready from the start. */
#include "lib.h"

#define UART    0x09000000ul
#define UART_DR (UART + 0x00)           /* what is written here is sent */
#define UART_FR (UART + 0x18)           /* flags */
#define FR_TXFF BIT(5)                  /* there is no room: wait */

void put_char(char c)
{
    while (MMIO32(UART_FR) & FR_TXFF)
        ;
    MMIO32(UART_DR) = (u8)c;
}
