/* The local exclusives monitor: what clears it, what a failed store leaves. Arm ARM B2.9, D1.4 (ERET clears it). */
#include "rt.h"

static u64 data[4] __attribute__((aligned(64)));
static u64 *root;

/* Sequences over [x1] that end with the status of a store-exclusive of 99 in w0. */
#define STX(name, before)                                                                       \
    static u32 name(void)                                                                       \
    {                                                                                           \
        register u64 status asm("x0") = 7;                                                      \
        register u64 *p asm("x1") = data;                                                       \
        asm volatile("mov x3, #99\n" before "\nstxr w0, x3, [x1]"                               \
                     : "+r"(status), "+r"(p) : : "x2", "x3", "x4", "memory");                   \
        return status;                                                                          \
    }
STX(plain, "ldxr x2, [x1]")
STX(acquire, "ldaxr x2, [x1]")
STX(no_load, "clrex")
STX(cleared, "ldxr x2, [x1]\nclrex")
STX(after_svc, "ldxr x2, [x1]\nsvc #0x77")
STX(twice, "ldxr x2, [x1]\nstxr w4, x2, [x1]")
STX(barrier, "ldxr x2, [x1]\ndmb ish\nisb")
STX(reload, "clrex\nldxr x2, [x1]\nldxr x2, [x1]")

static bool ignore(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    return true;
}

struct row {
    const char *what;
    u32 (*fn)(void);
    u32 status;
};

static const struct row rows[] = {
    { "LDXR, STXR", plain, 0 },
    { "LDAXR, STXR", acquire, 0 },
    { "STXR alone", no_load, 1 },
    { "LDXR, CLREX, STXR", cleared, 1 },
    { "LDXR, exception and ERET, STXR", after_svc, 1 },
    { "the second STXR after one LDXR", twice, 1 },
    { "LDXR, barriers, STXR", barrier, 0 },
    { "LDXR twice, STXR", reload, 0 },
};

static void sizes(void)
{
    u64 v, w;
    u32 status;
    data[0] = 0x1111111111111111;
    asm volatile("ldxrb %w0, [%2]\nmov %w0, #0xab\nstxrb %w1, %w0, [%2]"
                 : "=&r"(v), "=&r"(status)
                 : "r"(data)
                 : "memory");
    check(!status && data[0] == 0x11111111111111ab, "LDXRB, STXRB");
    asm volatile("ldxrh %w0, [%2]\nmov %w0, #0xabcd\nstxrh %w1, %w0, [%2]"
                 : "=&r"(v), "=&r"(status)
                 : "r"(data)
                 : "memory");
    check(!status && data[0] == 0x111111111111abcd, "LDXRH, STXRH");
    asm volatile("ldxr %w0, [%2]\nmov %w0, #-2\nstlxr %w1, %w0, [%2]" : "=&r"(v), "=&r"(status) : "r"(data) : "memory");
    check(!status && data[0] == 0x11111111fffffffe, "LDXR, STLXR of a word");
    data[0] = 5, data[1] = 6;
    asm volatile("ldxp %0, %1, [%3]\nstxp %w2, %1, %0, [%3]"
                 : "=&r"(v), "=&r"(w), "=&r"(status)
                 : "r"(data)
                 : "memory");
    check(!status && v == 5 && w == 6 && data[0] == 6 && data[1] == 5, "LDXP, STXP of 16 bytes");
    asm volatile("ldaxp %w0, %w1, [%3]\nstlxp %w2, %w1, %w1, [%3]"
                 : "=&r"(v), "=&r"(w), "=&r"(status)
                 : "r"(data)
                 : "memory");
    check(!status && v == 6 && w == 0 && data[0] == 0, "LDAXP, STLXP of 8 bytes");
    asm volatile("clrex\nstxp %w0, %1, %1, [%2]" : "=&r"(status) : "r"(3ul), "r"(data) : "memory");
    check(status == 1 && data[0] == 0 && data[1] == 5, "STXP that fails stores nothing");
}

void test_main(void)
{
    root = pt_identity(S1_EL1);
    mmu_on_el1(root); /* exclusives need normal memory */
    sync_hook = ignore;
    for (u32 i = 0; i < COUNT(rows); i++) {
        data[0] = 1;
        u32 status = 7;
        for (u32 tries = 0; tries < 10 && status != rows[i].status; tries++) {
            data[0] = 1; /* one that should succeed may fail now and then, one that should fail never */
            status = rows[i].fn();
            if (rows[i].status)
                break;
        }
        check_eq(rows[i].what, status, rows[i].status);
        if (rows[i].fn != twice)
            check_eq("  memory", data[0], status ? 1 : 99);
    }
    sync_hook = NULL;
    sizes();
    finish();
}
