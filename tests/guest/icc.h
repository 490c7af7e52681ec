/* Group 1 interrupts through the CPU interface's system registers: what is pending, acknowledge, end. Those whose names
 * end in _of can be jobs of another CPU (workers.h). */
#ifndef ICC_H
#define ICC_H

static inline u64 hppir_of(u64 a)
{
    (void)a;
    DSB();
    ISB();
    return READ(ICC_HPPIR1);
}
static inline u64 hppir(void) { return hppir_of(0); }

static inline u64 ack_of(u64 a)
{
    (void)a;
    DSB();
    ISB();
    u64 intid = READ(ICC_IAR1);
    DSB();
    return intid;
}
static inline u64 ack(void) { return ack_of(0); }

static inline u64 eoi_of(u64 intid)
{
    WRITE(ICC_EOIR1, intid);
    ISB();
    return 0;
}
static inline void eoi(u64 intid) { eoi_of(intid); }
#endif
