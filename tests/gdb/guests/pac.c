/* Functions with signed return addresses, for backtraces: IA on, the key anything. */
#include "rt.h"

volatile u64 depth;

void __attribute__((noinline)) deepest(u64 n) { depth = n; }

void __attribute__((noinline)) deeper(u64 n)
{
    deepest(n + 1);
    depth++;
}

void __attribute__((noinline)) deep(u64 n)
{
    deeper(n + 1);
    depth++;
}

void test_main(void)
{
    u64 *root = pt_identity(S1_EL1);
    mmu_on_el1(root);
    asm volatile("msr s3_0_c2_c1_0, %0; msr s3_0_c2_c1_1, %1" : : "r"(0x123456789abcdef0ul), "r"(0xfedcba9876543210ul));
    WRITE(sctlr_el1, READ(sctlr_el1) | BIT(31));
    ISB();
    deep(1);
    check_eq("came back", depth, 5);
    finish();
}
