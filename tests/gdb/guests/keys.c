/* Waits for keys by semihosting while its timer interrupts 250 times a second; echoes them, ends at a q. Interrupts are
 * masked until an m was typed for the first time, pending all the while, and again after the next. */
#include "rt.h"

static volatile u64 ticks;

static s64 semihost(u64 operation, const void *block)
{
    register u64 x0 asm("x0") = operation;
    register const void *x1 asm("x1") = block;
    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return (s64)x0;
}

static void tick(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    u64 intid = READ(ICC_IAR1);
    ticks++;
    WRITE(cntv_tval_el0, 250000);
    WRITE(ICC_EOIR1, intid);
}

void test_main(void)
{
    bool masked = true;
    gic_init();
    gic_enable(27, 0x80);
    irq_hook = tick;
    WRITE(cntv_tval_el0, 250000);
    WRITE(cntv_ctl_el0, 1);
    put_text("ready\n");
    for (;;) {
        s64 key = semihost(7, 0);
        u64 seen = ticks;
        put_text(key < 0 ? "end" : (char[]){ (char)key, 0 });
        put_text(seen ? "+" : "-");
        if (key < 0 || key == 'q')
            break;
        if (key == 'm') {
            masked = !masked;
            if (masked)
                ASM("msr daifset, #2");
            else
                ASM("msr daifclr, #2");
        }
        ticks = 0;
    }
    u64 end[2] = { 0x20026, 0 };
    semihost(0x18, end);
}
