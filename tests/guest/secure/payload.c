/* A service at Secure EL1: a counter, work that lasts, and an interrupt of its own (fw.h). */
#include "rt.h"
#include "fw.h"

u64 payload_call(u64 function, u64 a);
void payload_interrupt(void);

static u64 counter_value, sgis;

u64 payload_call(u64 function, u64 a)
{
    switch (function) {
    case TOS_INFO: return current_el();
    case TOS_ADD: return counter_value += a;
    case TOS_SGIS: return sgis;
    case TOS_SPIN: delay(a); return 0;
    }
    return (u64)NOT_SUPPORTED;
}

void payload_interrupt(void)
{
    u64 intid = READ(ICC_IAR1);
    if (intid == SPURIOUS)
        return;
    sgis += intid == SECURE_SGI;
    WRITE(ICC_EOIR1, intid);
    ISB();
}
