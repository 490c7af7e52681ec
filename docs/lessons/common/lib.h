/* What all lessons share: types, system registers, output, the end. */
#ifndef LIB_H
#define LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define BIT(n)          (1ul << (n))
#define FIELD(v, hi, lo) ((u64)(v) >> (lo) & (BIT((hi) - (lo) + 1) - 1)) /* bits hi to lo, as the manual counts them */
#define COUNT(a)        (sizeof(a) / sizeof((a)[0]))
#define MMIO32(address) (*(volatile u32 *)(address))

/* System registers by Arm's names. A write is seen by what comes after the next isb(). */
#define read_sysreg_(name)        ({ u64 v_; asm volatile("mrs %0, " #name : "=r"(v_) : : "memory"); v_; })
#define write_sysreg_(name, value) asm volatile("msr " #name ", %x0" : : "rZ"((u64)(value)) : "memory")
#define read_sysreg(name)         read_sysreg_(name) /* so that a name may be a macro: S3_5_C1_C0_0 */
#define write_sysreg(name, value) write_sysreg_(name, value)
static inline void isb(void) { asm volatile("isb" : : : "memory"); }
static inline void dsb(void) { asm volatile("dsb ish" : : : "memory"); }

/* ---- print.c ---- */
/* %s, %c, %d, %u, %x, with l for 64 bits: %lx. No widths. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Where print puts each character: uart.c, or what the guest has. */
void put_char(char c);

/* ---- memory.c ---- */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

/* ---- end.c ---- */
/* Prints, and switches the machine off. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* PSCI's SYSTEM_OFF; from EL2 the conduit is SMC. */
_Noreturn void power_off(void);
/* A gap that is still open: says which, and ends. */
_Noreturn void todo_(const char *file, int line, int number, const char *what);
#define TODO(number, what) todo_(__FILE__, __LINE__, number, what)

#endif
