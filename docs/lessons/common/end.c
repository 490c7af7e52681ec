/* How a run ends. */
#include "lib.h"

#include <stdarg.h>

#define PSCI_SYSTEM_OFF 0x84000008u

void print_list(const char *format, va_list list);

_Noreturn void power_off(void)
{
    register u64 x0 asm("x0") = PSCI_SYSTEM_OFF;
    asm volatile("smc #0" : "+r"(x0) : : "memory");
    while (true) /* it does not come back */
        ;
}

_Noreturn void panic(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print("hypervisor: panic: ");
    print_list(format, list);
    print("\n");
    va_end(list);
    power_off();
}

_Noreturn void todo_(const char *file, int line, int number, const char *what)
{
    print("TODO %d (%s, line %d): %s\n", number, file, line, what);
    power_off();
}
