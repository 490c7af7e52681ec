/* Message-signalled interrupts through the ITS: a device of PCIe raises one, EL1 takes it, asks the device, quietens it
 * and ends it (ops = interrupts). The tables have room for 2^14 INTIDs, the fewest: QEMU looks the whole pending table
 * through for each LPI, and takes longer with more. */
#include "bench.h"
#include "edu.h"
#define CPUS 1 /* whose pending tables its.h has */
#include "its.h"

enum { OPS = 60000, BITS_OF_INTID = 14, EVENT = 5, DEVICE = 1 << 3, FIRST = 8192 };

static u8 itt[4096] __attribute__((aligned(4096)));
static volatile u64 sum, taken;

static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    u64 intid = READ(ICC_IAR1);
    if (MMIO32(EDU_BAR + 0x24)) /* its interrupt status */
        edu_clear();
    sum += intid;
    taken++;
    WRITE(ICC_EOIR1, intid);
}

static void setup(void)
{
    mmu_on_el1(edu_map());
    gic_init();
    gic_enable(30, 0x80);
    config[EVENT] = 0xa1; /* its priority, enabled */
    MMIO64(GICR(0) + PROPBASER) = (u64)config | (BITS_OF_INTID - 1);
    MMIO64(GICR(0) + PENDBASER) = (u64)pending[0] | BIT(62);
    DSB();
    MMIO32(GICR(0)) = 1;
    *reg(CBASER) = (u64)queue | VALID | (QUEUE / 4096 - 1);
    *reg(BASER(0)) = (u64)devices | VALID | 2 << 8;
    *reg(BASER(1)) = (u64)collections | VALID | 2 << 8;
    MMIO32(GITS + CTLR) = 1;
    mapd(DEVICE, itt, 5, VALID);
    mapc(0, 0, VALID);
    mapti(DEVICE, EVENT, FIRST + EVENT, 0);
    command(SYNCHRONIZE, 0, 0, 0);
    edu_start(ECAM_OF(0, 1), GITS + TRANSLATER, EVENT);
    irq_hook = take;
    ASM("msr daifclr, #2");
}

void test_main(void)
{
    setup();
    bench_begin("msi");
    for (u32 n = 0; n < OPS; n++) {
        edu_raise();
        while (taken <= n)
            ;
    }
    bench_end("msi", OPS, sum, (u64)OPS * (FIRST + EVENT));
    finish();
}
