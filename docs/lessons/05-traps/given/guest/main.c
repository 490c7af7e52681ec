/* Lesson 5's guest: asks what its processor is, and believes it. */
#include "guest.h"

#define RAM 0x40000000ul

static volatile u64 undefined;
static u64 table[512] __attribute__((aligned(4096)));

u64 guest_exception(u64 esr, u64 elr)
{
    if (FIELD(esr, 31, 26) != 0) {
        print("guest: exception 0x%lx at 0x%lx\n", esr, elr);
        power_off();
    }
    undefined++;
    return elr + 4;
}

/* An instruction that may be UNDEFINED: own_sync keeps nothing but what C keeps. True: it was. */
#define IS_UNDEFINED(instruction)                                                                                      \
    ({                                                                                                                 \
        u64 before_ = undefined;                                                                                       \
        asm volatile(instruction : : : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
                     "x13", "x14", "x15", "x16", "x17", "x18", "memory");                                              \
        undefined != before_;                                                                                          \
    })

static void mmu_on(void)
{
    table[1] = RAM | 0x705;
    write_sysreg(mair_el1, 0xff00);
    write_sysreg(tcr_el1, BIT(23) | 3ul << 12 | 1ul << 10 | 1ul << 8 | 25);
    write_sysreg(ttbr0_el1, table);
    dsb();
    isb();
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT(12) | BIT(2) | BIT(0));
    isb();
}

void guest_main(void)
{
    u64 features = read_sysreg(id_aa64pfr0_el1), sizes = read_sysreg(id_aa64mmfr0_el1),
        debug = read_sysreg(id_aa64dfr0_el1);
    print("guest: my processor is 0x%lx\n", read_sysreg(midr_el1));
    print("guest: EL1 %lu, EL2 %lu, EL3 %lu, GIC registers %lu\n", FIELD(features, 7, 4), FIELD(features, 11, 8),
          FIELD(features, 15, 12), FIELD(features, 27, 24));
    print("guest: physical addresses are of kind %lu\n", FIELD(sizes, 3, 0));
    print("guest: performance monitors %lu, and using them is %s\n", FIELD(debug, 11, 8),
          IS_UNDEFINED("mrs x2, pmcr_el0") ? "undefined" : "possible");
    print("guest: an ID register that nobody has named reads %lu\n", read_sysreg(s3_0_c0_c7_7));
    IS_UNDEFINED("mrs xzr, id_aa64isar0_el1");
    print("guest: a read that nobody wants leaves me alone\n");
    mmu_on();
    print("guest: my MMU is %s\n", read_sysreg(sctlr_el1) & 1 ? "on" : "off");
    write_sysreg(ttbr0_el1, table);
    write_sysreg(ttbr0_el1, table);
    print("guest: done, %lu exceptions of my own\n", undefined);
}
