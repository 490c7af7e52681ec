/* The Interrupt Translation Service and LPIs, with GICv3 and four CPUs (one security state). Arm IHI 0069: chapter 5
 * (the commands with their errors), 12.11 (GICR_CTLR, GICR_TYPER, GICR_PROPBASER, GICR_PENDBASER, GICR_INVLPIR), 12.18
 * (GITS_*). Interrupts come by INT commands and by writes to GITS_TRANSLATER, which are device 0's. */
#include "workers.h"
#include "icc.h"
#include "its.h"

static u8 devices2[1 << 16] __attribute__((aligned(65536)));
static u8 itt[4][4096] __attribute__((aligned(4096))), itt0[12 << 14] __attribute__((aligned(4096)));

/* ---- interrupts ---- */

static void take_all(void)
{
    for (u32 cpu = 0; cpu < CPUS; cpu++)
        for (u64 intid = on(cpu, ack_of, 0); intid != SPURIOUS; intid = on(cpu, ack_of, 0))
            on(cpu, eoi_of, intid);
}

static u32 taken, taken_intid;
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector, (void)el;
    taken_intid = (u32)ack();
    eoi(taken_intid);
    taken++;
}

/* ---- what there is ---- */

static void identification(void)
{
    u64 typer = *reg(TYPER), redist = MMIO64(GICR(0) + 8);
    u32 dist = MMIO32(GICD + 4);
    check(BITS(dist, 17, 17) == 1, "GICD_TYPER.LPIS");
    check_eq("  IDbits: 16", BITS(dist, 23, 19), 15);
    check(redist & 1, "GICR_TYPER.PLPIS");
    check_eq("GITS_PIDR2: GICv3", MMIO32(GITS + PIDR2) >> 4 & 15, 3);
    check(typer & 1, "GITS_TYPER.Physical");
    check_eq("  ITT_entry_size: 12", BITS(typer, 7, 4), 11);
    check_eq("  ID_bits: 16", BITS(typer, 12, 8), 15);
    check_eq("  Devbits: 16", BITS(typer, 17, 13), 15);
    check_eq("  CIL, CIDbits: 16", BITS(typer, 36, 32), 0x1f);
    check_eq("  PTA: RDbase is the number of a CPU", BITS(typer, 19, 19), 0);
    check_eq("GITS_BASER0: devices, 8 bytes each", BITS(*reg(BASER(0)), 58, 48) & 0x71f, 0x107);
    check_eq("GITS_BASER1: collections, 8 bytes each", BITS(*reg(BASER(1)), 58, 48) & 0x71f, 0x407);
    check_eq("GITS_BASER7: none", *reg(BASER(7)), 0);
    check_eq("GITS_CTLR: disabled and quiescent", MMIO32(GITS + CTLR), BIT(31));
}

static void registers(void)
{
    *reg(CBASER) = ~0ul;
    check_eq("GITS_CBASER keeps its fields", *reg(CBASER), 0xb8effffffffffcfful);
    *reg(BASER(0)) = ~0ul;
    check_eq("GITS_BASER0 keeps its fields, Type and Entry_Size are fixed", *reg(BASER(0)), 0xf9e7fffffffffffful);
    *reg(BASER(0)) = 0;
    MMIO32(GITS + BASER(0) + 4) = 0x80000000;
    check_eq("  half of it", *reg(BASER(0)), VALID | 0x107ul << 48);
    *reg(CWRITER) = 0xfffe0;
    check_eq("GITS_CWRITER: <19:5>", *reg(CWRITER), 0xfffe0);
    *reg(CREADR) = 0x40;
    check_eq("GITS_CREADR is read-only", *reg(CREADR), 0);
    *reg(CWRITER) = 0;
    MMIO64(GICR(0) + PROPBASER) = ~0ul;
    check_eq("GICR_PROPBASER keeps its fields", MMIO64(GICR(0) + PROPBASER), 0x070fffffffffff9ful);
    MMIO64(GICR(0) + PENDBASER) = ~0ul;
    check_eq("GICR_PENDBASER keeps its fields; PTZ is write-only", MMIO64(GICR(0) + PENDBASER), 0x070fffffffff0f80ul);
    check_eq("GICR_SYNCR: not busy", MMIO32(GICR(0) + SYNCR), 0);
}

/* ---- LPIs ---- */

static void its_on(void)
{
    *reg(BASER(0)) = VALID | (u64)devices | 2 << 8; /* one page of 64 KiB */
    *reg(BASER(1)) = VALID | (u64)collections;
    *reg(CBASER) = VALID | (u64)queue;
    check_eq("a write of GITS_CBASER clears GITS_CREADR", *reg(CREADR), 0);
    *reg(CWRITER) = 0;
    MMIO32(GITS + CTLR) = 1;
    DSB();
    check(MMIO32(GITS + CTLR) & 1, "GITS_CTLR.Enabled");
}

static void check_stays(const char *what, volatile u64 *r)
{
    u64 was = *r;
    *r = 0;
    check_eq(what, *r, was);
    *r = was;
}

/* The pending table as it is when LPIs are enabled is what is pending. */
static void pending_at_start(void)
{
    configure(8200, 0x80, true);
    pending[0][8200 / 8] = 1 << 8200 % 8;
    lpis_on(0, 0);
    check(MMIO32(GICR(0)) & 1, "GICR_CTLR.EnableLPIs");
    check_eq("what the pending table holds is pending", ack(), 8200);
    check_eq("  nothing more after it", ack(), SPURIOUS);
    check_eq("  its priority is the running one", READ(ICC_RPR), 0x80);
    eoi(8200);
    check_eq("  EOIR drops it", READ(ICC_RPR), 0xff);
    check(!(pending[0][8200 / 8] & 1 << 8200 % 8), "  the bit in memory is gone");
    lpis_on(1, BIT(62));
    lpis_on(2, BIT(62));
    lpis_on(3, BIT(62));
    check_stays("GITS_BASER0 stays while the ITS is enabled", reg(BASER(0)));
    check_stays("GITS_CBASER stays while the ITS is enabled", reg(CBASER));
}

/* ---- the commands ---- */

static void map_and_send(void)
{
    for (u32 cpu = 0; cpu < CPUS; cpu++)
        mapc(cpu, cpu, VALID);
    mapd(5, itt[0], 5, VALID);
    configure(8192, 0x80, true);
    mapti(5, 3, 8192, 0);
    sync(0);
    event(INT, 5, 3);
    check_eq("MAPD, MAPC, MAPTI, INT: pending", hppir(), 8192);
    check_eq("  acknowledged", ack(), 8192);
    event(INT, 5, 3);
    check_eq("  again while it is not ended: no preemption", ack(), SPURIOUS);
    eoi(8192);
    check_eq("  LPIs have no active state: signalled again", ack(), 8192);
    eoi(8192);
    event(INT, 5, 3);
    event(INT, 5, 3);
    check_eq("two that are not acknowledged are one", ack(), 8192);
    eoi(8192);
    check_eq("  nothing left", hppir(), SPURIOUS);
    taken = 0;
    event(INT, 5, 3);
    ASM("msr daifclr, #2; isb; nop; msr daifset, #2");
    check_eq("taken as an interrupt, once", taken, 1);
    check_eq("  its INTID", taken_intid, 8192);
    configure(8210, 0x80, true);
    mapd(0, itt0, 14, VALID);
    mapi(0, 8210, 0);
    event(INT, 0, 8210);
    check_eq("MAPI: EventID and INTID are one", ack(), 8210);
    eoi(8210);
    MMIO32(GITS + TRANSLATER) = 8210;
    check_eq("a write to GITS_TRANSLATER", ack(), 8210);
    eoi(8210);
    event(INT, 5, 3);
    event(CLEAR, 5, 3);
    check_eq("CLEAR: no longer pending", hppir(), SPURIOUS);
    mapti(5, 3, 8193, 1);
    configure(8193, 0x80, true);
    event(INT, 5, 3);
    check_eq("MAPTI again, to another CPU's collection", on(1, ack_of, 0), 8193);
    on(1, eoi_of, 8193);
    check_eq("  not this one's", hppir(), SPURIOUS);
}

static void configuration(void)
{
    configure(8300, 0x80, false);
    mapti(5, 4, 8300, 0);
    event(INV, 5, 4);
    event(INT, 5, 4);
    check_eq("disabled: pending, not signalled", hppir(), SPURIOUS);
    configure(8300, 0x80, true);
    event(INV, 5, 4);
    check_eq("  enabled, INV: signalled", hppir(), 8300);
    configure(8300, 0x80, false);
    event(INV, 5, 4);
    check_eq("  disabled, INV: not signalled", hppir(), SPURIOUS);
    configure(8300, 0x80, true);
    invall(0);
    check_eq("  enabled, INVALL: signalled", hppir(), 8300);
    configure(8300, 0x80, false);
    if (MMIO32(GICR(0)) & 4) {
        MMIO64(GICR(0) + INVLPIR) = 8300;
        check_eq("  disabled, GICR_INVLPIR: not signalled", hppir(), SPURIOUS);
        configure(8300, 0x80, true);
        MMIO64(GICR(0) + INVALLR) = 0;
        check_eq("  enabled, GICR_INVALLR: signalled", hppir(), 8300);
    } else {
        skip("GICR_INVLPIR", "GICR_CTLR.IR is 0");
        configure(8300, 0x80, true);
        invall(0);
    }
    configure(8301, 0x40, true);
    mapti(5, 5, 8301, 0);
    event(INT, 5, 5);
    check_eq("the higher priority comes first", ack(), 8301);
    check_eq("  its priority", READ(ICC_RPR), 0x40);
    eoi(8301);
    WRITE(ICC_PMR, 0x80);
    ISB();
    check_eq("ICC_PMR_EL1 masks", ack(), SPURIOUS);
    WRITE(ICC_PMR, 0xff);
    ISB();
    check_eq("  and lets through", ack(), 8300);
    eoi(8300);
    gic_enable(40, 0x60);
    gic_pend(40);
    event(INT, 5, 4);
    check_eq("an SPI of higher priority before an LPI", ack(), 40);
    eoi(40);
    check_eq("  then the LPI", ack(), 8300);
    eoi(8300);
    gic_disable(40);
}

static void moves(void)
{
    mapti(5, 6, 8400, 0);
    configure(8400, 0x80, true);
    event(INT, 5, 6);
    movi(5, 6, 2);
    check_eq("MOVI: gone from CPU 0", hppir(), SPURIOUS);
    check_eq("  pending at CPU 2", on(2, hppir_of, 0), 8400);
    check(!is_pending(0, 8400), "  gone from the table in memory");
    event(CLEAR, 5, 6);
    event(INT, 5, 6);
    check_eq("  the next one goes there", on(2, ack_of, 0), 8400);
    on(2, eoi_of, 8400);
    movi(5, 6, 0);
    configure(8401, 0xa0, true);
    mapti(5, 7, 8401, 0);
    event(INT, 5, 6);
    event(INT, 5, 7);
    movall(0, 3);
    check_eq("MOVALL: nothing is left at CPU 0", hppir(), SPURIOUS);
    check_eq("  pending at CPU 3", on(3, ack_of, 0), 8400);
    on(3, eoi_of, 8400);
    check_eq("  both", on(3, ack_of, 0), 8401);
    on(3, eoi_of, 8401);
    mapc(0, 1, VALID);
    event(INT, 5, 6);
    check_eq("MAPC to another CPU: the next one goes there", on(1, ack_of, 0), 8400);
    on(1, eoi_of, 8400);
    mapc(0, 0, VALID);
}

static void discards(void)
{
    mapti(5, 8, 8500, 0);
    configure(8500, 0x80, true);
    event(INT, 5, 8);
    event(DISCARD, 5, 8);
    check_eq("DISCARD: no longer pending", hppir(), SPURIOUS);
    event(INT, 5, 8);
    check_eq("  nor mapped", hppir(), SPURIOUS);
    mapti(5, 8, 8500, 9);
    event(INT, 5, 8);
    check_eq("INT to a collection that is not mapped: nothing", hppir(), SPURIOUS);
    mapc(9, 0, VALID);
    event(INT, 5, 8);
    check_eq("  mapped later", ack(), 8500);
    eoi(8500);
    mapc(9, 0, 0);
    event(INT, 5, 8);
    check_eq("  unmapped again", hppir(), SPURIOUS);
    mapd(6, itt[2], 5, VALID);
    mapti(6, 0, 8500, 0);
    mapd(6, itt[2], 5, 0);
    event(INT, 6, 0);
    check_eq("MAPD without V: the device is gone", hppir(), SPURIOUS);
}

/* A command that cannot be obeyed is left out, and the next one is carried out. */
static void errors(void)
{
    command(0x7f, 0, 0, 0);
    check_eq("a command that there is not: passed over", *reg(CREADR), writer);
    event(INT, 77, 0);
    check_eq("INT of a device that is not mapped", hppir(), SPURIOUS);
    event(INT, 5, 32);
    check_eq("INT of an event out of the device's range", hppir(), SPURIOUS);
    event(INT, 5, 20);
    check_eq("INT of an event that is not mapped", hppir(), SPURIOUS);
    mapti(5, 20, 40, 0);
    event(INT, 5, 20);
    check_eq("MAPTI of an SPI", hppir(), SPURIOUS);
    mapti(5, 20, 1 << 16, 0);
    event(INT, 5, 20);
    check_eq("MAPTI of an INTID beyond IDbits", hppir(), SPURIOUS);
    mapti(77, 0, 8600, 0);
    event(INT, 77, 0);
    check_eq("MAPTI of a device that is not mapped", hppir(), SPURIOUS);
    mapti(5, 32, 8600, 0);
    configure(8600, 0x80, true);
    event(INT, 5, 32);
    check_eq("MAPTI of an event out of the device's range", hppir(), SPURIOUS);
    mapi(5, 21, 0);
    event(INT, 5, 21);
    check_eq("MAPI of an event that is no LPI", hppir(), SPURIOUS);
    mapd(9000, itt[2], 5, VALID);
    mapti(9000, 0, 8600, 0);
    event(INT, 9000, 0);
    check_eq("MAPD beyond the device table", hppir(), SPURIOUS);
    mapd(7, itt[2], 17, VALID);
    mapti(7, 0, 8600, 0);
    event(INT, 7, 0);
    check_eq("MAPD with too many bits of an EventID", hppir(), SPURIOUS);
    mapc(0, 77, VALID);
    mapti(5, 6, 8400, 0);
    event(INT, 5, 6);
    check_eq("MAPC to a CPU that there is not: as it was", ack(), 8400);
    eoi(8400);
    mapc(600, 0, VALID);
    mapti(5, 22, 8600, 600);
    event(INT, 5, 22);
    check_eq("MAPC beyond the collection table", hppir(), SPURIOUS);
    event(INT, 5, 6);
    movi(5, 6, 10);
    check_eq("MOVI to a collection that is not mapped: stays", ack(), 8400);
    eoi(8400);
    event(INT, 5, 6);
    check_eq("  the next one comes as before", ack(), 8400);
    eoi(8400);
    movi(5, 20, 0);
    event(CLEAR, 5, 20);
    event(DISCARD, 5, 20);
    event(INV, 5, 20);
    invall(10);
    movall(77, 0);
    movall(0, 77);
    sync(77);
    check_eq("MOVI, CLEAR, DISCARD, INV, INVALL, MOVALL, SYNC of what there is not", *reg(CREADR), writer);
    event(INT, 5, 6);
    check_eq("  and on it goes", ack(), 8400);
    eoi(8400);
}

/* ---- disabling, and two levels ---- */

static void disabling(void)
{
    configure(8400, 0x80, true);
    event(INT, 5, 6);
    MMIO32(GICR(0)) = 0;
    DSB();
    if (MMIO32(GICR(0)) & 1) {
        skip("EnableLPIs 0", "it cannot be cleared");
        return;
    }
    check(MMIO32(GICR(0)) & 2, "GICR_CTLR.CES: EnableLPIs can be cleared");
    check_eq("  nothing is signalled", hppir(), SPURIOUS);
    check(is_pending(0, 8400), "  the pending table in memory has it");
    mapti(5, 7, 8401, 0);
    event(INT, 5, 7);
    check(!is_pending(0, 8401), "  what comes meanwhile is lost");
    MMIO32(GICR(0)) = 1;
    DSB();
    check_eq("  enabled again: pending", ack(), 8400);
    eoi(8400);
    MMIO32(GICR(0)) = 0;
    MMIO64(GICR(0) + PROPBASER) = (u64)config | 13; /* 14 bits: up to 16383 */
    MMIO32(GICR(0)) = 1;
    configure(16384, 0x80, true);
    configure(16383, 0x80, true);
    mapti(5, 9, 16384, 0);
    mapti(5, 10, 16383, 0);
    event(INT, 5, 9);
    check_eq("GICR_PROPBASER.IDbits: an LPI beyond it", hppir(), SPURIOUS);
    event(INT, 5, 10);
    check_eq("  the last one", ack(), 16383);
    eoi(16383);
    MMIO32(GITS + CTLR) = 0;
    DSB();
    check_eq("GITS_CTLR: disabled, quiescent", MMIO32(GITS + CTLR), BIT(31));
    MMIO32(GITS + TRANSLATER) = 8210;
    check_eq("  no message comes through", hppir(), SPURIOUS);
}

static void two_levels(void)
{
    *reg(BASER(0)) = VALID | BIT(62) | (u64)devices; /* pages of 4 KiB: 512 devices each */
    for (u32 n = 0; n < 512; n++)
        ((volatile u64 *)devices)[n] = 0;
    ((volatile u64 *)devices)[40000 / 512] = VALID | (u64)devices2;
    DSB();
    MMIO32(GITS + CTLR) = 1;
    mapd(40000, itt[3], 4, VALID);
    mapti(40000, 1, 8400, 0);
    event(INT, 40000, 1);
    check_eq("a device table of two levels", ack(), 8400);
    eoi(8400);
    check(((volatile u64 *)devices2)[40000 % 512] != 0, "  its entry is in the second");
    mapd(100, itt[2], 4, VALID);
    mapti(100, 1, 8400, 0);
    event(INT, 100, 1);
    check_eq("  without a second level: not mapped", hppir(), SPURIOUS);
}

/* ---- the queue ---- */

static void ring(void)
{
    MMIO32(GITS + CTLR) = 0;
    *reg(CBASER) = VALID | (u64)queue;
    writer = 0;
    *reg(CWRITER) = 0;
    for (u32 n = 0; n < QUEUE / 8; n += 4) {
        queue[n] = dev(INT, 40000);
        queue[n + 1] = 1;
        queue[n + 2] = queue[n + 3] = 0;
    }
    DSB();
    *reg(CWRITER) = 64;
    check_eq("commands wait while the ITS is disabled", *reg(CREADR), 0);
    MMIO32(GITS + CTLR) = 1;
    DSB();
    check_eq("  and are carried out when it is enabled", *reg(CREADR), 64);
    check_eq("  both are INT", ack(), 8400);
    eoi(8400);
    *reg(CWRITER) = 32;
    check_eq("round the ring, to behind the start", *reg(CREADR), 32);
    check_eq("  INT", ack(), 8400);
    eoi(8400);
    *reg(CWRITER) = QUEUE;
    check_eq("GITS_CWRITER beyond the ring: nothing is carried out", *reg(CREADR), 32);
    *reg(CWRITER) = 96;
    check_eq("  until it is within", *reg(CREADR), 96);
    take_all();
    MMIO32(GITS + CTLR) = 0;
    *reg(CBASER) = VALID | 0x3000000000ul; /* no memory */
    *reg(CWRITER) = 32;
    MMIO32(GITS + CTLR) = 1;
    DSB();
    check_eq("a queue that cannot be read: stalled at the command", *reg(CREADR), 1);
    *reg(CWRITER) = 64;
    check_eq("  another write of GITS_CWRITER changes nothing", *reg(CREADR), 1);
    MMIO32(GITS + CTLR) = 0;
    *reg(CBASER) = VALID | (u64)queue;
    check_eq("  a new GITS_CBASER: no longer stalled", *reg(CREADR), 0);
}

void test_main(void)
{
    gic_init();
    workers_start();
    irq_hook = take;
    identification();
    registers();
    its_on();
    pending_at_start();
    map_and_send();
    configuration();
    moves();
    discards();
    errors();
    disabling();
    two_levels();
    ring();
}
