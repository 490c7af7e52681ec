/* What vectors.S keeps of whoever was interrupted, in this order, on the stack. */
#ifndef FRAME_H
#define FRAME_H

#include "lib.h"

struct frame {
    u64 x[31]; /* x0 to x30 */
    u64 elr;   /* where ERET returns to */
    u64 spsr;  /* PSTATE that it returns with */
    u64 unused;
};

/* exception.c, called by vectors.S. What it changes in the frame is what the interrupted code finds. */
void el2_sync(struct frame *f);
_Noreturn void el2_unexpected(u64 slot);

#endif
