/* Code that changes while it runs: with the sequence of Arm ARM B2.4.4 (DC CVAU, DSB, IC IVAU, DSB, ISB) the new code
 * must run; without it, the old or the new may, but nothing else. */
#include "rt.h"

#define MOV_X0(n) (0xd2800000u | (n) << 5)      /* MOV X0, #n */
#define RET       0xd65f03c0u
#define B(words)  (0x14000000u | ((words) & 0x3ffffff))

static u32 code[3][1024] __attribute__((aligned(4096)));
static u64 *root;
typedef u64 function(void);

static void sync_code(void *at, u64 size)
{
    for (u64 a = (u64)at & ~63ul; a < (u64)at + size; a += 64)
        asm volatile("dc cvau, %0" : : "r"(a) : "memory");
    ASM("dsb ish");
    for (u64 a = (u64)at & ~63ul; a < (u64)at + size; a += 64)
        asm volatile("ic ivau, %0" : : "r"(a) : "memory");
    ASM("dsb ish; isb");
}

static u64 call(void *at) { return ((function *)at)(); }

static void with_sequence(void)
{
    volatile u32 *c = code[0];
    u32 wrong = 0;
    c[1] = RET;
    for (u32 n = 0; n < 200; n++) {
        c[0] = MOV_X0(n);
        sync_code((void *)c, 4);
        wrong += call((void *)c) != n;
    }
    check_eq("200 changes of an instruction, each seen", wrong, 0);

    wrong = 0;
    for (u32 n = 0; n < 50; n++) {
        for (u32 i = 0; i < 100; i++)
            call((void *)c);
        c[0] = MOV_X0(n + 300);
        sync_code((void *)c, 4);
        wrong += call((void *)c) != n + 300;
    }
    check_eq("changes of code that ran often before", wrong, 0);

    for (u32 i = 0; i < 16; i++)
        c[i] = 0xd503201f;
    c[16] = MOV_X0(1);
    c[17] = RET;
    sync_code((void *)c, 128);
    call((void *)c);
    *(volatile u64 *)&c[16] = (u64)RET << 32 | MOV_X0(2);
    sync_code((void *)&c[16], 8);
    check_eq("a 64-bit store over two instructions, entered from before", call((void *)c), 2);
    *(volatile u16 *)&c[16] = (u16)MOV_X0(3);
    sync_code((void *)&c[16], 4);
    check_eq("a 16-bit store into an instruction", call((void *)c), 3);
    *(volatile u8 *)&c[16] = (u8)MOV_X0(7);
    sync_code((void *)&c[16], 4);
    check_eq("an 8-bit store into an instruction", call((void *)c), 7);
    u64 pair[2] = { (u64)MOV_X0(8) << 32 | 0xd503201f, (u64)0xd503201f << 32 | RET };
    asm volatile("stp %0, %1, [%2]" : : "r"(pair[0]), "r"(pair[1]), "r"(&c[15]) : "memory");
    sync_code((void *)&c[14], 24);
    check_eq("an unaligned 16-byte store over four", call((void *)c), 8);
    u32 failed;
    do {
        u32 old;
        asm volatile("ldxr %w0, [%2]\nstxr %w1, %w3, [%2]"
                     : "=&r"(old), "=&r"(failed)
                     : "r"(&c[16]), "r"(MOV_X0(9))
                     : "memory");
    } while (failed);
    sync_code((void *)&c[16], 4);
    check_eq("a store-exclusive", call((void *)c), 9);
}

static void across_pages(void)
{
    volatile u32 *end = &code[0][1023], *next = code[1];
    *end = MOV_X0(1);
    next[0] = RET;
    sync_code((void *)end, 8);
    check_eq("code that runs into the next page", call((void *)end), 1);
    next[0] = MOV_X0(2);
    next[1] = RET;
    sync_code((void *)next, 8);
    check_eq("a change on the next page", call((void *)end), 2);
    *end = B(2);
    next[1] = MOV_X0(3);
    next[2] = RET;
    sync_code((void *)end, 16);
    check_eq("a branch over the boundary", call((void *)end), 3);
    next[1] = MOV_X0(4);
    sync_code((void *)&next[1], 4);
    check_eq("a change of its target", call((void *)end), 4);
}

/* The same physical page at another VA: written there, run here. */
static void aliases(void)
{
    u64 alias = 0x80000000;
    *pt_entry(root, alias, 3) = (u64)code[2] | RAM_ATTR | 3;
    tlb_flush();
    volatile u32 *w = (volatile u32 *)alias;
    u32 wrong = 0;
    for (u32 n = 0; n < 20; n++) {
        w[0] = MOV_X0(n);
        w[1] = RET;
        sync_code((void *)w, 8);
        sync_code(code[2], 8);
        wrong += call(code[2]) != n || call((void *)alias) != n;
    }
    check_eq("written through an alias", wrong, 0);
    *pt_entry(root, alias, 3) = (u64)code[1] | RAM_ATTR | 3;
    tlb_flush();
    code[1][0] = MOV_X0(77);
    code[1][1] = RET;
    sync_code(code[1], 8);
    check_eq("the VA mapped to another page", call((void *)alias), 77);
    *pt_entry(root, alias, 3) = 0;
    tlb_flush();
    exc_expect();
    call((void *)alias);
    EXC.expected = false;
    check_exc("the VA unmapped", 1, EC_IABT, 7);
}

static void zeroed(void)
{
    volatile u32 *c = code[2];
    c[0] = MOV_X0(5);
    c[1] = RET;
    sync_code((void *)c, 8);
    check_eq("before DC ZVA", call((void *)c), 5);
    asm volatile("dc zva, %0; dsb sy" : : "r"(c) : "memory");
    sync_code((void *)c, 8);
    u64 block = 4u << (READ(dczid_el0) & 15);
    volatile u32 *after = c + block / 4;
    *after = RET;
    sync_code((void *)after, 4);
    c[0] = B(block / 4 - 1); /* to the last of the block */
    sync_code((void *)c, 4);
    exc_expect();
    call((void *)c);
    EXC.expected = false;
    check_exc("DC ZVA over code leaves UDF", 1, EC_UNKNOWN, 0);
    check_eq("  ELR_EL1", EXC.elr, (u64)(after - 1));
}

static void without_sequence(void)
{
    volatile u32 *c = code[2];
    c[0] = MOV_X0(10);
    c[1] = RET;
    sync_code((void *)c, 8);
    u32 other = 0;
    for (u32 n = 11; n < 60; n++) {
        c[0] = MOV_X0(n);
        u64 got = call((void *)c);
        other += got != n && got != n - 1;
        sync_code((void *)c, 4);
        other += call((void *)c) != n;
    }
    check_eq("without the sequence: the old or the new, never another", other, 0);
}

/* The instruction after the sequence itself is changed. */
static void straight_ahead(void)
{
    u64 got;
    asm volatile("adr x9, 1f\n str %w1, [x9]\n dc cvau, x9\n dsb ish\n ic ivau, x9\n dsb ish\n isb\n"
                 "1: mov x0, #1\n mov %0, x0"
                 : "=r"(got)
                 : "r"(MOV_X0(42))
                 : "x0", "x9", "memory");
    check_eq("the next instruction", got, 42);
}

void test_main(void)
{
    root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    with_sequence();
    across_pages();
    aliases();
    zeroed();
    without_sequence();
    straight_ahead();
    finish();
}
