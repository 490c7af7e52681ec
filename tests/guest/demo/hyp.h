/* The teaching hypervisor: shared declarations.
 *
 * Read in this order: main.c (what is set up), entry.S (how a guest is entered and left), exits.c (why it was left),
 * stage2.c (isolation), vgic.c (interrupts), sched.c (time), console.c and stats.c (output).
 * The two guests are closed.c and open.c; guest.S and guest.h are the little that they share.
 *
 * One physical CPU, EL2 without VHE, GICv3. Host-physical memory map:
 *
 *   0x40200000  this program (the boot loader keeps the device tree at 0x40000000)
 *   0x42000000  RAM of the closed guest, 2 MiB     each guest sees its own at IPA 0x40000000
 *   0x42200000  RAM of the open guest, 2 MiB; of further ones (OPEN_GUESTS, 1 unless the compiler is told) after it
 */
#ifndef HYP_H
#define HYP_H

/* Offsets into struct vcpu for entry.S. */
#define VCPU_PC     248
#define VCPU_PSTATE 256
#define VCPU_ESR    264
#define VCPU_FAR    272
#define VCPU_HPFAR  280

/* What vcpu_enter returns. */
#define EXIT_SYNC 0
#define EXIT_IRQ  1
#define EXIT_SERR 2

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define READ(reg)       ({ u64 v_; asm volatile("mrs %0, " #reg : "=r"(v_) : : "memory"); v_; })
#define WRITE(reg, val) asm volatile("msr " #reg ", %0" : : "r"((u64)(val)) : "memory")
#define ISB()           asm volatile("isb" : : : "memory")
#define DSB()           asm volatile("dsb sy" : : : "memory")
#define REG32(addr)     (*(volatile u32 *)(addr))
#define BIT(n)          (1ul << (n))
#define BITS(v, hi, lo) ((v) >> (lo) & (BIT((hi) - (lo) + 1) - 1))

#define GUEST_RAM_IPA  0x40000000ul
#define GUEST_RAM_SIZE 0x200000ul
#define CLOSED_RAM_PA  0x42000000ul
#define OPEN_RAM_PA    0x42200000ul
#ifndef OPEN_GUESTS
#define OPEN_GUESTS    1
#endif
#ifndef OPEN_WORK
#define OPEN_WORK      30000 /* an open guest looks for the primes below it */
#endif

/* Software copies of what the hardware holds while the vCPU runs. x to hpfar: entry.S knows their offsets. */
struct vcpu {
    u64 x[31], pc, pstate;
    u64 esr, far, hpfar; /* why it left, valid after EXIT_SYNC */
    u64 sctlr, ttbr0, ttbr1, tcr, mair, vbar, cpacr, contextidr;
    u64 sp_el0, sp_el1, elr_el1, spsr_el1, esr_el1, far_el1, par, afsr0, afsr1, amair;
    u64 tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl;
    u64 cntv_ctl, cntv_cval; /* the virtual timer */
    u64 ich_lr[4], ich_vmcr, ich_ap0r, ich_ap1r;
};

struct guest {
    const char *name;
    struct vcpu vcpu;
    u64 *s2_root; /* stage-2 level 1 table */
    u32 vmid;
    bool off;       /* ended by PSCI, or stopped for misbehaving */
    bool waiting;   /* in WFI: runs again when an interrupt is pending for it */
    u32 aborts;     /* exceptions injected, to stop a guest that only faults */
    u32 mailbox;    /* last DOORBELL value */
    u32 sensor;     /* state of the closed guest's emulated device */
    char line[100]; /* console output until its newline comes */
    u32 line_len;
};

enum { CLOSED, OPEN, GUESTS = OPEN + OPEN_GUESTS };
extern struct guest guests[GUESTS];

/* entry.S: run the guest until it leaves; EXIT_* */
u64 vcpu_enter(struct vcpu *v);
_Noreturn void power_off(void);

/* console.c */
void print(const char *fmt, ...); /* %s %u %x %c, with a width and - */
void console_guest_putc(struct guest *g, char c);
_Noreturn void hyp_panic(u64 esr, u64 elr, u64 far);

/* stage2.c */
void el2_mmu_on(void);
void s2_init(struct guest *g);
void s2_map_ram(struct guest *g, u64 ipa, u64 pa);    /* one 2 MiB block */
void s2_map_device(struct guest *g, u64 ipa, u64 pa); /* one 4 KiB page */
void s2_activate(const struct guest *g);

/* vgic.c */
#define INTID_CNTHP 26
#define INTID_CNTV  27
#define INTID_BELL  40                  /* purely virtual: the doorbell */
void gic_init(void);
u32 gic_acknowledge(void);
void gic_drop(u32 intid); /* priority drop only: the guest deactivates */
void gic_end(u32 intid);  /* priority drop and deactivation */
void vgic_inject(struct vcpu *v, u32 intid, bool hardware);
bool vgic_pending(const struct vcpu *v);
void vgic_load(const struct vcpu *v);
void vgic_save(struct vcpu *v);

/* sched.c */
void sched_run(void); /* until all guests are off */

/* exits.c */
void exit_handle(struct guest *g, u64 reason);

/* ../assign/device.c: a device with DMA that belongs to a guest. Here there is none: the functions are not linked in.
 */
#define OPTIONAL __attribute__((weak))
OPTIONAL void device_setup(void);
OPTIONAL bool device_irq(u32 intid);                     /* false: not its interrupt */
OPTIONAL bool device_call(struct guest *g, u64 *result); /* false: not a call about devices */
OPTIONAL void device_report(void);

/* stats.c: one row per (guest, class, cause) */
void stat_count(const struct guest *g, const char *class, const char *cause, u64 number);
void stat_print(void);
#endif
#endif
