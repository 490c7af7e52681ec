/* Lesson 1: code at EL2 that says hello, calls its own vectors, and meets an exception that nobody expects. */
#include "frame.h"

u64 hvc_keeps(void); /* calls.S: how many of x1 to x30 an HVC changed */
u64 hvc_next(void);  /* an HVC #7, then `add x0, x0, #100`: what x0 holds behind it */

static volatile u64 zero; /* volatile: what is in memory is read, whatever the compiler knows of it */

void main(void);
void main(void)
{
    print("hello from EL%lu\n", FIELD(read_sysreg(CurrentEL), 3, 2));
    print("a variable that C has as 0: %lu\n", zero);
    u64 changed = hvc_keeps();
    print("HVC came back, %lu registers changed\n", changed);
    print("calls so far, and 100: %lu\n", hvc_next());
    asm volatile("svc #3"); /* at EL2, too, this is an exception to EL2 */
    print("this is never printed\n");
}
