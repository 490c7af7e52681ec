/* Virtual LPIs (GICv4): a hypervisor maps a vPE and events of a device to it; its guest at EL1 takes them without an
 * exit while the vPE is resident, else they wait in memory and a doorbell rings. Arm IHI 0069: 5.2, 5.3 (VMAPP, VMAPTI,
 * VMAPI, VMOVI, VMOVP, VINVALL, VSYNC, and the commands that both kinds of events have), 6 (virtual interrupts), 12.11
 * (GICR_VPROPBASER, GICR_VPENDBASER). Four CPUs: events are device 0's, by INT or GITS_TRANSLATER. */
#include "workers.h"
#include "icc.h"
#include "its.h"

#define VPROPBASER 0x20070
#define VPENDBASER 0x20078
#define IDAI       BIT(62)
#define LAST       BIT(61) /* PendingLast */
#define NO_BELL    1023u
#define HCR_IMO    BIT(4)
#define LR_PENDING BIT(62)
#define LR1(id, p) (BIT(60) | (u64)(p) << 48 | (id))
#define VMCR(pmr)  ((u64)(pmr) << 24 | 2ul << 21 | 3ul << 18 | 2) /* VPMR, smallest binary points, VENG1 */

enum { VMOVI = 0x21, VMOVP = 0x22, VSYNC = 0x25, VMAPP = 0x29, VMAPTI = 0x2a, VMAPI = 0x2b, VINVALL = 0x2d };
enum { BELL = 8300, BELL2, VPES = 4 };

static u8 vconfig[1 << 16] __attribute__((aligned(65536)));
static u8 vpending[VPES][1 << 16] __attribute__((aligned(65536)));
static u8 vpes[1 << 16] __attribute__((aligned(65536)));
static u8 itt[12 << 14] __attribute__((aligned(4096)));

/* ---- commands ---- */

static void vmapp(u64 vpe, u64 cpu, void *table, u64 valid)
{
    command(VMAPP, vpe << 32, cpu << 16 | valid, (u64)table | (ID_BITS - 1));
}
static void vmapti(u64 event, u64 vpe, u64 intid, u64 bell)
{
    command(dev(VMAPTI, 0), event | vpe << 32, intid | bell << 32, 0);
}
static void vmapi(u64 event, u64 vpe, u64 bell) { command(dev(VMAPI, 0), event | vpe << 32, bell << 32, 0); }
/* bell 0: stays */
static void vmovi(u64 event, u64 vpe, u64 bell)
{
    command(dev(VMOVI, 0), event | vpe << 32, (bell != 0) | bell << 32, 0);
}
static void vmovp(u64 vpe, u64 cpu) { command(VMOVP, vpe << 32, cpu << 16, 0); }
static void of_vpe(u64 number, u64 vpe) { command(number, vpe << 32, 0, 0); }

/* ---- the vPE and its guest ---- */

static void vconfigure(u32 intid, u8 priority, bool enable)
{
    vconfig[intid - 8192] = (u8)((priority & 0xfc) | enable);
    DSB();
}
static bool waits(u32 vpe, u32 intid)
{
    DSB();
    return *(volatile u8 *)&vpending[vpe][intid / 8] >> intid % 8 & 1;
}
static volatile u64 *vpendbaser(u32 cpu) { return (volatile u64 *)(GICR(cpu) + VPENDBASER); }
static void resident(u32 cpu, u32 vpe)
{
    MMIO64(GICR(cpu) + VPROPBASER) = (u64)vconfig | (ID_BITS - 1);
    *vpendbaser(cpu) = VALID | LAST | (u64)vpending[vpe];
    DSB();
}
static u64 leave_vpe(u32 cpu)
{
    *vpendbaser(cpu) &= ~VALID;
    DSB();
    return *vpendbaser(cpu) & (VALID | LAST);
}

CODE(g_iar1, "mrs x0, s3_0_c12_c12_0\ndsb sy\nisb");
CODE(g_iar0, "mrs x0, s3_0_c12_c8_0\ndsb sy\nisb");
CODE(g_eoir1, "msr s3_0_c12_c12_1, x0\nisb");
CODE(g_hppir1, "isb\nmrs x0, s3_0_c12_c12_2");
CODE(g_rpr, "isb\nmrs x0, s3_0_c12_c11_3");
CODE(g_isr, "isb\nmrs x0, isr_el1");
CODE(g_wfi, "wfi\nmov x0, #1");
CODE(g_nothing, "isb\nnop\nnop");
CODE(g_unmask, "isb\nmsr daifclr, #2\nisb\nnop\nmsr daifset, #2");
/* The device's message, which is the guest's own store to GITS_TRANSLATER, and then interrupts come. */
CODE(g_send, "str w0, [x1]\ndsb sy\nmsr daifclr, #2\nisb\nnop\nnop\nmsr daifset, #2");

static u64 guest(u64 (*fn)(u64, u64), u64 a) { return call_el(1, fn, a, 0); }

/* Interrupts that were taken, by EL, and the last one's INTID. */
static u32 taken[3], taken_intid[3];
static void take(struct frame *f, u64 vector, u64 el)
{
    (void)f, (void)vector;
    taken_intid[el] = (u32)ack();
    eoi(taken_intid[el]);
    taken[el]++;
}
static void forget(void) { taken[1] = taken[2] = taken_intid[1] = taken_intid[2] = 0; }

static void end(u64 intid)
{
    u64 got = guest(g_iar1, 0);
    check_eq("  acknowledged", got, intid);
    guest(g_eoir1, got);
}

/* ---- what there is ---- */

static void identification(void)
{
    u64 typer = *reg(TYPER);
    check(MMIO32(GICR(0) + 8) & 2, "GICR_TYPER.VLPIS");
    check_eq("  RVPEID: not GICv4.1", MMIO32(GICR(0) + 8) >> 7 & 1, 0);
    check_eq("  the redistributors are 256 KiB apart", MMIO64(GICR(3) + 8) >> 32, 3);
    check(MMIO32(GICD + 4) >> 18 & 1, "GICD_TYPER.DVIS");
    check(typer & 2, "GITS_TYPER.Virtual");
    check(typer >> 37 & 1, "  VMOVP: one command is enough");
    check_eq("GITS_BASER2: vPEs", BITS(*reg(BASER(2)), 58, 56), 2);
    check_eq("GITS_PIDR2: GICv4", MMIO32(GITS + PIDR2) >> 4 & 15, 4);
    check_eq("GICD_PIDR2: GICv4", MMIO32(GICD + PIDR2) >> 4 & 15, 4);
    check_eq("ICH_VTR_EL2.nV4", READ(ICH_VTR) >> 20 & 1, 0);
}

static void registers(void)
{
    MMIO64(GICR(0) + VPROPBASER) = ~0ul;
    check_eq("GICR_VPROPBASER keeps its fields", MMIO64(GICR(0) + VPROPBASER), 0x070fffffffffff9ful);
    *vpendbaser(0) = ~VALID;
    check_eq("GICR_VPENDBASER keeps its fields; Dirty is read-only", *vpendbaser(0) & ~LAST,
             IDAI | 0x070fffffffff0f80ul);
    MMIO32(GICR(0) + VPENDBASER) = (u32)(u64)vpending[0];
    MMIO32(GICR(0) + VPENDBASER + 4) = 0;
    check_eq("  half of it", *vpendbaser(0), (u32)(u64)vpending[0]);
    resident(0, 0);
    check_eq("GICR_VPENDBASER.Valid, a vPE is resident", *vpendbaser(0) & ~LAST, VALID | (u64)vpending[0]);
    *vpendbaser(0) = VALID | (u64)vpending[1];
    check_eq("  it is no other's until it has left", *vpendbaser(0) & ~LAST, VALID | (u64)vpending[0]);
    check_eq("  it leaves with nothing pending: PendingLast", leave_vpe(0), 0);
}

static void start(void)
{
    for (u32 cpu = 0; cpu < CPUS; cpu++)
        lpis_on(cpu, BIT(62));
    *reg(BASER(0)) = VALID | (u64)devices | 2 << 8;
    *reg(BASER(1)) = VALID | (u64)collections;
    *reg(BASER(2)) = VALID | (u64)vpes | 2 << 8;
    *reg(CBASER) = VALID | (u64)queue;
    *reg(CWRITER) = 0;
    MMIO32(GITS + CTLR) = 1;
    DSB();
    mapd(0, itt, 14, VALID);
    mapc(0, 0, VALID);
    for (u32 n = 0; n < VPES; n++)
        vmapp(n, 0, vpending[n], VALID);
    configure(BELL, 0x80, true);
    configure(BELL2, 0x80, true);
    for (u32 intid = 8192; intid < 8300; intid++)
        vconfigure(intid, 0x80, true);
    WRITE(ICH_VMCR, VMCR(0xf8));
    WRITE(ICH_HCR, 1);
    ISB();
}

/* ---- resident ---- */

static void without_an_exit(void)
{
    vmapti(1, 1, 8200, BELL);
    of_vpe(VSYNC, 1);
    resident(0, 1);
    forget();
    call_el(1, g_send, 1, GITS + TRANSLATER);
    check_eq("the guest takes its vLPI", taken[1], 1);
    check_eq("  its INTID", taken_intid[1], 8200);
    check_eq("  the hypervisor has seen nothing", taken[2], 0);
    call_el(1, g_send, 1, GITS + TRANSLATER);
    check_eq("  again", taken[1], 2);
    check_eq("  nor is a doorbell pending", hppir(), SPURIOUS);
    check(!waits(1, 8200), "  nor a bit left in memory");
    check_eq("  no list register was used", READ(ICH_ELRSR) & 15, 15);
    check_eq("  ICH_HCR_EL2.EOIcount is 0", READ(ICH_HCR), 1);
    event(INT, 0, 1);
    check_eq("INT: pending, ISR_EL1.I at EL1", guest(g_isr, 0), BIT(7));
    check_eq("  WFI at EL1 ends, masked", guest(g_wfi, 0), 1);
    check_eq("  HPPIR1", guest(g_hppir1, 0), 8200);
    check_eq("  it is of group 1: IAR0", guest(g_iar0, 0), SPURIOUS);
    check_eq("  IAR1", guest(g_iar1, 0), 8200);
    check_eq("  RPR", guest(g_rpr, 0), 0x80);
    check_eq("  ICH_AP1R0_EL2", READ(ICH_AP1R0), BIT(0x80 >> 3));
    event(INT, 0, 1);
    check_eq("  the next one waits for its end", guest(g_iar1, 0), SPURIOUS);
    guest(g_eoir1, 8200);
    check_eq("  EOIR1: RPR", guest(g_rpr, 0), 0xff);
    end(8200);
    event(INT, 0, 1);
    event(CLEAR, 0, 1);
    check_eq("CLEAR: no longer pending", guest(g_hppir1, 0), SPURIOUS);
}

static void priorities(void)
{
    WRITE(ICH_LR0, LR_PENDING | LR1(50, 0x90));
    event(INT, 0, 1);
    check_eq("a vLPI above a list register", guest(g_hppir1, 0), 8200);
    WRITE(ICH_LR1, LR_PENDING | LR1(51, 0x70));
    check_eq("  a list register above it", guest(g_iar1, 0), 51);
    check_eq("  which it does not preempt", guest(g_iar1, 0), SPURIOUS);
    guest(g_eoir1, 51);
    end(8200);
    end(50);
    vconfigure(8201, 0x40, true);
    vmapti(2, 1, 8201, NO_BELL);
    WRITE(ICH_LR0, LR_PENDING | LR1(50, 0x80));
    check_eq("a list register is active", guest(g_iar1, 0), 50);
    event(INT, 0, 2);
    check_eq("  a vLPI preempts it", guest(g_iar1, 0), 8201);
    guest(g_eoir1, 8201);
    guest(g_eoir1, 50);
    check_eq("  and both ends find theirs", READ(ICH_LR0) >> 62 | READ(ICH_AP1R0), 0);
    event(INT, 0, 1);
    WRITE(ICH_VMCR, VMCR(0x80));
    ISB();
    check_eq("VPMR equal to the priority: not signalled", guest(g_isr, 0), 0);
    WRITE(ICH_VMCR, VMCR(0xf8) & ~2ul);
    ISB();
    check_eq("VENG1 0: not signalled", guest(g_isr, 0), 0);
    WRITE(ICH_VMCR, VMCR(0xf8));
    WRITE(ICH_HCR, 0);
    ISB();
    check_eq("ICH_HCR_EL2.En 0: not signalled", guest(g_isr, 0), 0);
    WRITE(ICH_HCR, 1);
    ISB();
    end(8200);
}

static void configurations(void)
{
    event(INT, 0, 1);
    vconfigure(8200, 0x80, false);
    event(INV, 0, 1);
    check_eq("disabled, INV: not signalled", guest(g_hppir1, 0), SPURIOUS);
    vconfigure(8200, 0x80, true);
    of_vpe(VINVALL, 1);
    check_eq("  enabled, VINVALL: signalled", guest(g_hppir1, 0), 8200);
    end(8200);
    vconfigure(8212, 0x60, true);
    vmapi(8212, 1, BELL);
    event(INT, 0, 8212);
    check_eq("VMAPI: EventID and vINTID are one", guest(g_hppir1, 0), 8212);
    end(8212);
}

/* ---- not resident ---- */

static void doorbells(void)
{
    check_eq("the vPE leaves: PendingLast", leave_vpe(0), 0);
    forget();
    call_el(1, g_send, 1, GITS + TRANSLATER);
    check_eq("an event of a vPE that is not resident: its doorbell rings", taken_intid[2], BELL);
    check_eq("  the hypervisor takes it, once", taken[2], 1);
    check_eq("  the guest that runs takes nothing", taken[1], 0);
    check(waits(1, 8200), "  the vLPI waits in memory");
    resident(0, 2);
    event(INT, 0, 1);
    check_eq("another vPE is resident: the doorbell", ack(), BELL);
    eoi(BELL);
    check_eq("  that one has nothing pending", guest(g_hppir1, 0), SPURIOUS);
    check_eq("  it leaves: PendingLast", leave_vpe(0), 0);
    resident(0, 1);
    guest(g_unmask, 0);
    check_eq("the vPE is back: its guest takes it", taken_intid[1], 8200);
    check_eq("  once", taken[1], 1);
    check(!waits(1, 8200), "  and memory has it no more");
    event(INT, 0, 1);
    check_eq("it leaves with one pending: PendingLast", leave_vpe(0), LAST);
    check(waits(1, 8200), "  which is in memory");
    check_eq("  and no longer signalled", guest(g_isr, 0), 0);
    event(CLEAR, 0, 1);
    check(!waits(1, 8200), "CLEAR: no longer in memory");
    vmapti(3, 1, 8203, NO_BELL);
    event(INT, 0, 3);
    check_eq("an event without a doorbell", hppir(), SPURIOUS);
    check(waits(1, 8203), "  waits in memory");
    vpending[1][8205 / 8] |= 1 << 8205 % 8;
    vconfigure(8205, 0x20, true);
    resident(0, 1);
    check_eq("what software put into the table is pending", guest(g_hppir1, 0), 8205);
    end(8205);
    end(8203);
}

static void moves(void)
{
    event(INT, 0, 1);
    vmovi(1, 3, 0);
    check_eq("VMOVI of what is pending: its doorbell rings", ack(), BELL);
    eoi(BELL);
    check_eq("  gone from this vPE", guest(g_hppir1, 0), SPURIOUS);
    check(waits(3, 8200) && !waits(1, 8200), "  to the other's table");
    vmovi(1, 3, BELL2);
    event(INT, 0, 1);
    check_eq("VMOVI with D: another doorbell", ack(), BELL2);
    eoi(BELL2);
    vmovi(1, 1, BELL);
    check_eq("  and back, pending", guest(g_hppir1, 0), 8200);
    end(8200);
    leave_vpe(0);
    vmovp(1, 2);
    event(INT, 0, 1);
    check_eq("VMOVP: no doorbell here", hppir(), SPURIOUS);
    check_eq("  but at CPU 2", on(2, ack_of, 0), BELL);
    on(2, eoi_of, BELL);
    vmovp(1, 0);
    resident(0, 1);
    end(8200);
}

static void discards(void)
{
    event(INT, 0, 1);
    event(DISCARD, 0, 1);
    check_eq("DISCARD: no longer pending", guest(g_hppir1, 0), SPURIOUS);
    event(INT, 0, 1);
    check_eq("  nor mapped", guest(g_hppir1, 0), SPURIOUS);
    vmapti(1, 1, 8200, BELL);
    leave_vpe(0);
    vmapp(1, 0, vpending[1], 0);
    event(INT, 0, 1);
    check(!waits(1, 8200) && hppir() == SPURIOUS, "VMAPP without V: nothing comes");
    vmapp(1, 0, vpending[1], VALID);
    event(INT, 0, 1);
    check_eq("  with V again: it does", ack(), BELL);
    eoi(BELL);
    resident(0, 1);
    end(8200);
}

/* One that cannot be obeyed is left out. */
static void errors(void)
{
    static const char nothing_comes[] = "  an event of it: nothing";
    vmapti(20, 1, 8191, BELL);
    event(INT, 0, 20);
    check_eq("VMAPTI of no LPI", guest(g_hppir1, 0), SPURIOUS);
    vmapti(20, 1, 1 << 16, BELL);
    event(INT, 0, 20);
    check_eq("VMAPTI of a vINTID beyond IDbits", guest(g_hppir1, 0), SPURIOUS);
    vmapti(20, 1, 8220, 40);
    event(INT, 0, 20);
    check_eq("VMAPTI with a doorbell that is no LPI", guest(g_hppir1, 0), SPURIOUS);
    vmapti(20, 9000, 8220, BELL);
    event(INT, 0, 20);
    check_eq("VMAPTI to a vPE beyond the table", guest(g_hppir1, 0), SPURIOUS);
    vmapti(1 << 14, 1, 8220, BELL);
    event(INT, 0, 1 << 14);
    check_eq("VMAPTI of an event out of the device's range", guest(g_hppir1, 0), SPURIOUS);
    vmapti(20, 10, 8220, BELL);
    event(INT, 0, 20);
    check_eq("VMAPTI to a vPE that is not mapped", hppir(), SPURIOUS);
    check_eq(nothing_comes, guest(g_hppir1, 0), SPURIOUS);
    vmapp(10, 77, vpending[0], VALID);
    event(INT, 0, 20);
    check_eq("VMAPP at a CPU that there is not", hppir(), SPURIOUS);
    check(!waits(0, 8220), nothing_comes);
    command(VMAPP, 10ul << 32, VALID, (u64)vpending[0] | 16);
    event(INT, 0, 20);
    check_eq("VMAPP of 17 bits", hppir(), SPURIOUS);
    check(!waits(0, 8220), nothing_comes);
    event(INT, 0, 1);
    vmovi(1, 10, BELL2);
    check_eq("VMOVI to a vPE that is not mapped: stays", guest(g_hppir1, 0), 8200);
    vmovi(1, 3, 40);
    check_eq("VMOVI with a doorbell that is no LPI: stays", guest(g_hppir1, 0), 8200);
    movi(0, 1, 0);
    check_eq("MOVI of a virtual one: stays", guest(g_hppir1, 0), 8200);
    vmovp(1, 77);
    end(8200);
    event(INT, 0, 1);
    check_eq("VMOVP to a CPU that there is not: as it was", guest(g_hppir1, 0), 8200);
    end(8200);
    configure(8400, 0x80, true);
    mapti(0, 21, 8400, 0);
    vmovi(21, 1, 0);
    event(INT, 0, 21);
    check_eq("VMOVI of a physical one: as it was", ack(), 8400);
    eoi(8400);
    vmovp(10, 0);
    of_vpe(VSYNC, 10);
    of_vpe(VINVALL, 10);
    of_vpe(VINVALL, 9000);
    check_eq("VMOVP, VSYNC, VINVALL of what there is not: passed over", *reg(CREADR), writer);
    command(VMAPP, 2ul << 32, VALID, (u64)vpending[2] | 13);
    vmapti(22, 2, 16384, BELL);
    vmapti(23, 2, 16383, BELL);
    event(INT, 0, 22);
    check(!waits(2, 16384) && hppir() == SPURIOUS, "VPT_size of 14 bits: a vINTID beyond it");
    event(INT, 0, 23);
    check(waits(2, 16383), "  the last one");
    check_eq("  its doorbell", ack(), BELL);
    eoi(BELL);
}

static void two_levels(void)
{
    leave_vpe(0);
    MMIO32(GITS + CTLR) = 0;
    for (u32 n = 0; n < 512; n++)
        ((volatile u64 *)vpes)[n] = 0;
    ((volatile u64 *)vpes)[9000 / 512] = VALID | (u64)vpes | 0x8000;
    *reg(BASER(2)) = VALID | BIT(62) | (u64)vpes; /* pages of 4 KiB: 512 vPEs each */
    DSB();
    MMIO32(GITS + CTLR) = 1;
    vmapp(9000, 0, vpending[1], VALID);
    vmapti(1, 9000, 8200, BELL);
    event(INT, 0, 1);
    check_eq("a vPE table of two levels", ack(), BELL);
    eoi(BELL);
    check(waits(1, 8200), "  its vLPI waits in memory");
    resident(0, 1);
    end(8200);
}

void test_main(void)
{
    gic_init();
    workers_start();
    WRITE(hcr_el2, READ(hcr_el2) | HCR_IMO);
    ISB();
    irq_hook = take;
    identification();
    registers();
    start();
    without_an_exit();
    priorities();
    configurations();
    doorbells();
    moves();
    discards();
    errors();
    two_levels();
}
