/* What both guests share. Each defines put(), guest_main(), guest_irq() and guest_sync(). */
#ifndef GUEST_H
#define GUEST_H
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define READ(reg)       ({ u64 v_; asm volatile("mrs %0, " #reg : "=r"(v_) : : "memory"); v_; })
#define WRITE(reg, val) asm volatile("msr " #reg ", %0" : : "r"((u64)(val)) : "memory")
#define ISB()           asm volatile("isb" : : : "memory")
#define REG32(addr)     (*(volatile u32 *)(addr))

#define ICC_PMR     s3_0_c4_c6_0
#define ICC_IAR1    s3_0_c12_c12_0
#define ICC_EOIR1   s3_0_c12_c12_1
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define READ_(reg)       READ(reg)
#define WRITE_(reg, val) WRITE(reg, val)

#define PSCI_CPU_OFF    0x84000002u
#define PSCI_SYSTEM_OFF 0x84000008u
#define HVC_CONSOLE     0x86000001u
#define HVC_DOORBELL    0x86000002u
#define HVC_MAILBOX     0x86000003u

u64 hvc(u64 function, const u64 args[6]);
void put(char c);
void guest_main(u64 work);
void guest_irq(void);
u64 guest_sync(u64 esr, u64 far, u64 pc, u64 lr); /* returns where to go on */

static inline void irq_unmask(void) { asm volatile("msr daifclr, #2" : : : "memory"); }
static inline void irq_mask(void) { asm volatile("msr daifset, #2" : : : "memory"); }

static inline void say(const char *s)
{
    while (*s)
        put(*s++);
}

static inline void say_number(u64 v, u32 base)
{
    char buf[21], *p = buf + 20;
    *p = 0;
    do {
        *--p = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    say(p);
}
#endif
