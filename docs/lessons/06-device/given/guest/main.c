/* Lesson 6's guest: uses devices, by accesses of all sorts. */
#include "guest.h"

#define COUNTER 0x0b000000ul
#define ID      COUNTER
#define SCRATCH (COUNTER + 8)
#define READS   (COUNTER + 16)

static volatile u64 aborts, syndrome;

u64 guest_exception(u64 esr, u64 elr)
{
    aborts++;
    syndrome = esr;
    return elr + 4;
}

/* One load from a device, whose register held ones before. */
#define LOAD(instruction, address)                                                 \
    ({                                                                             \
        u64 v_ = ~0ul;                                                             \
        asm volatile(instruction : "+r"(v_) : "r"((u64)(address)) : "memory");     \
        v_;                                                                        \
    })
#define STORE(instruction, address, value) asm volatile(instruction : : "r"((u64)(value)), "r"((u64)(address)) : "memory")

/* An access that may fault: own_sync keeps nothing but what C keeps. */
static bool faults_at(u64 address)
{
    u64 before = aborts;
    register u64 x1 asm("x1") = address;
    asm volatile("ldr x2, [x1]"
                 : "+r"(x1)
                 :
                 : "x0", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "x18", "memory");
    return aborts != before;
}
static bool pair_faults_at(u64 address)
{
    u64 before = aborts;
    register u64 x1 asm("x1") = address;
    asm volatile("ldp x2, x3, [x1]"
                 : "+r"(x1)
                 :
                 : "x0", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "x18", "memory");
    return aborts != before;
}

void guest_main(void)
{
    print("hello by my own UART\n");
    print("ID: 0x%lx\n", LOAD("ldr %w0, [%1]", ID));
    STORE("str %0, [%1]", SCRATCH, 0x1122334455667788);
    print("SCRATCH: 0x%lx, its bytes 0x%lx 0x%lx, a half 0x%lx\n", LOAD("ldr %0, [%1]", SCRATCH),
          LOAD("ldrb %w0, [%1]", SCRATCH), LOAD("ldrb %w0, [%1]", SCRATCH + 7), LOAD("ldrh %w0, [%1]", SCRATCH + 2));
    print("with a sign: 0x%lx, 0x%lx, 0x%lx\n", LOAD("ldrsb %0, [%1]", SCRATCH), LOAD("ldrsb %w0, [%1]", SCRATCH),
          LOAD("ldrsh %0, [%1]", SCRATCH));
    STORE("strb %w0, [%1]", SCRATCH + 4, 0xabcd);
    STORE("str wzr, [%1]", SCRATCH, 0);
    print("after a byte and a zero: 0x%lx\n", LOAD("ldr %0, [%1]", SCRATCH));
    LOAD("ldr xzr, [%1]", READS);
    u64 second = LOAD("ldr %0, [%1]", READS), third = LOAD("ldr %0, [%1]", READS);
    print("COUNT: %lu, %lu\n", second, third);
    print("where nothing is: %s", faults_at(0x0c000000) ? "an abort" : "no abort");
    print(", class 0x%lx, status 0x%lx, FAR 0x%lx\n", FIELD(syndrome, 31, 26), FIELD(syndrome, 5, 0),
          read_sysreg(far_el1));
    print("two registers at once: %s\n", pair_faults_at(SCRATCH) ? "an abort" : "no abort");
    print("COUNT: %lu, aborts: %lu\n", LOAD("ldr %0, [%1]", READS), aborts);
}
