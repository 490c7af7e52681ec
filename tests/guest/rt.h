/* Runtime of the bare-metal tests: output, checks, exceptions, running code at a lower EL, page tables, GICv3, PSCI.
 *
 * A test is one C file with a test_main(), entered at the EL that the machine's options choose (guests.list), MMU off.
 * It calls check*(), which print TAP; the program ends by semihosting EXIT with status 0 or 1.
 */
#ifndef RT_H
#define RT_H

#define STACK_SIZE 0x2000               /* one for each EL of each CPU */
#define MAX_CPUS   8
#define RETURN_IMM 0x55                 /* SVC/HVC/SMC with which code at a lower EL ends */

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define READ_(reg)       ({ u64 v_; asm volatile("mrs %0, " #reg : "=r"(v_) : : "memory"); v_; })
#define WRITE_(reg, val) asm volatile("msr " #reg ", %x0" : : "rZ"((u64)(val)) : "memory")
#define READ(reg)        READ_(reg)     /* so that a register may be a macro */
#define WRITE(reg, val)  WRITE_(reg, val)
#define ISB()            ({ asm volatile("isb" : : : "memory"); })
#define DSB()            asm volatile("dsb sy" : : : "memory")
#define ASM(text)        asm volatile(text : : : "memory")
#define BIT(n)           (1ul << (n))
#define BITS(v, hi, lo)  ((u64)(v) >> (lo) & (BIT((hi) - (lo) + 1) - 1))
#define MMIO8(a)         (*(volatile u8 *)(a))
#define MMIO16(a)        (*(volatile u16 *)(a))
#define MMIO32(a)        (*(volatile u32 *)(a))
#define MMIO64(a)        (*(volatile u64 *)(a))
#define COUNT(a)         (sizeof(a) / sizeof((a)[0]))

/* ---- output and checks ---- */
void put_text(const char *s);
void put_hex(u64 v);
void check(bool ok, const char *what);
void check_eq_(u64 got, u64 want, const char *what);
#define check_eq(what, got, want) check_eq_(got, want, what)
void skip(const char *what, const char *why);
void plan(void);                      /* prints it */
_Noreturn void finish(void);          /* prints the plan, exits */
_Noreturn void stop(const char *why); /* Bail out!, exit 1 */
void test_main(void);

/* ---- exceptions ---- */
enum { SYNC, IRQ, FIQ, SERROR };
enum { FROM_SP0 = 0, FROM_SPX = 4, FROM_LOWER = 8 };    /* + SYNC.. = vector number, VBAR offset / 0x80 */
enum {
    EC_UNKNOWN = 0x00, EC_WFX = 0x01, EC_FP = 0x07, EC_ILLEGAL = 0x0e, EC_SVC = 0x15, EC_HVC = 0x16, EC_SMC = 0x17,
    EC_SYSREG = 0x18, EC_IABT_LOWER = 0x20, EC_IABT = 0x21, EC_PC_ALIGN = 0x22, EC_DABT_LOWER = 0x24, EC_DABT = 0x25,
    EC_SP_ALIGN = 0x26, EC_STEP_LOWER = 0x32, EC_STEP = 0x33, EC_BRK = 0x3c,
};

/* The first exception since exc_expect(), except that returns of call_el are not counted. */
struct exc {
    u64 count, el, vector, esr, elr, far, hpfar, spsr, x0;
    bool expected; /* synchronous ones are recorded and skipped, else they end the test */
};
extern struct exc exc[MAX_CPUS];
#define EXC (exc[cpu_number()])

struct frame {
    u64 x[31], elr, spsr, esr, far;
};

/* Called for IRQ and FIQ when set; else the interrupt is recorded in exc and masked in the interrupted PSTATE. */
extern void (*irq_hook)(struct frame *f, u64 vector, u64 el);
void exc_record(struct frame *f, u64 vector, u64 el); /* what happens by default, for hooks */
/* Called first for synchronous exceptions when set; true: handled, continue at f->elr. */
extern bool (*sync_hook)(struct frame *f, u64 vector, u64 el);

static inline u32 cpu_number(void) { return READ(mpidr_el1) & 7; }
static inline u64 current_el(void) { return READ(CurrentEL) >> 2; }
static inline void exc_expect(void) { EXC = (struct exc){ .expected = true }; }
static inline u64 esr_ec(u64 esr) { return BITS(esr, 31, 26); }

/* Checks the exception recorded: its class, target EL and ISS. */
void check_exc(const char *what, u64 el, u64 ec, u64 iss);

/* A function of a few instructions; its arguments are in x0 and x1. */
#define CODE(name, text)                                                            \
    u64 name(u64 a, u64 b);                                                         \
    asm(".pushsection .text\n.balign 4\n" #name ":\n" text "\nret\n.popsection")

/* Runs fn(a, b) at a lower EL, on that EL's own stack, and returns its result. PSTATE there: the EL's "h" mode and
 * call_pstate. */
u64 call_el(u64 el, u64 (*fn)(u64, u64), u64 a, u64 b);
extern u64 call_pstate; /* 0x3c0: all masked */
/* The same for one that raises exceptions, at this EL or a lower one: they are recorded in EXC. */
u64 try_el(u64 el, u64 (*fn)(u64, u64), u64 a, u64 b);

/* ISS of a trapped MSR or MRS (read 1) */
#define ISS_SYS(op0, op1, crn, crm, op2, rt, read) \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (rt) << 5 | (crm) << 1 | (read))
#define ISS_COND 0x1e00000ul            /* CV 1, COND 14: A64 is always */

/* ---- translation: 4 KiB granule, 39-bit input, tables start at level 1 ---- */
enum { S1_EL1, S1_EL2, S2 };
#define PT_VALID  BIT(0)
#define PT_AF     BIT(10)
#define PT_NG     BIT(11)
#define PT_XN     BIT(54)
#define PT_PXN    BIT(53)
#define PT_AP(n)  ((u64)(n) << 6)
#define PT_SH     (3ul << 8)
#define PT_NORMAL (1ul << 2)            /* stage 1: MAIR index */
#define PT_DEVICE (0ul << 2)
#define S2_NORMAL (0xful << 2)
#define S2_DEVICE (1ul << 2)
#define S2_AP(n)  ((u64)(n) << 6)
#define RAM_ATTR  (PT_AF | PT_SH | PT_NORMAL)
u64 *pt_new(void);
/* Maps with level 2 blocks where all is 2 MiB aligned, else pages. attr: bits of the descriptor. */
void pt_map(u64 *root, u64 va, u64 pa, u64 size, u64 attr);
u64 *pt_entry(u64 *root, u64 va, u32 level); /* the descriptor; splits blocks above it */
u64 *pt_identity(u32 regime);                /* devices below 1 GiB and 256 MiB of RAM */
void mmu_on_el1(u64 *root);
void mmu_on_el2(u64 *root);
void stage2_on(u64 *root, u64 vmid);
void tlb_flush(void); /* everything at the current EL and below */

/* ---- GICv3 (Arm IHI 0069) ---- */
#define GICD        0x08000000ul
#define GICR_FIRST  0x080a0000ul
#define GICR(cpu)   (GICR_FIRST + (cpu) * gicr_size())
#define GICR_SGI(cpu) (GICR(cpu) + 0x10000ul)
#define IGROUPR     0x080               /* offsets in GICD and in the SGIs' frame (12.8) */
#define ISENABLER   0x100
#define ICENABLER   0x180
#define ISPENDR     0x200
#define ICPENDR     0x280
#define ISACTIVER   0x300
#define ICACTIVER   0x380
#define IPRIORITYR  0x400
#define ICC_PMR     s3_0_c4_c6_0
#define ICC_IAR0    s3_0_c12_c8_0
#define ICC_EOIR0   s3_0_c12_c8_1
#define ICC_HPPIR0  s3_0_c12_c8_2
#define ICC_BPR0    s3_0_c12_c8_3
#define ICC_AP0R0   s3_0_c12_c8_4
#define ICC_AP1R0   s3_0_c12_c9_0
#define ICC_DIR     s3_0_c12_c11_1
#define ICC_RPR     s3_0_c12_c11_3
#define ICC_SGI1R   s3_0_c12_c11_5
#define ICC_ASGI1R  s3_0_c12_c11_6
#define ICC_SGI0R   s3_0_c12_c11_7
#define ICC_IAR1    s3_0_c12_c12_0
#define ICC_EOIR1   s3_0_c12_c12_1
#define ICC_HPPIR1  s3_0_c12_c12_2
#define ICC_BPR1    s3_0_c12_c12_3
#define ICC_CTLR    s3_0_c12_c12_4
#define ICC_SRE     s3_0_c12_c12_5
#define ICC_IGRPEN0 s3_0_c12_c12_6
#define ICC_IGRPEN1 s3_0_c12_c12_7
#define ICC_SRE2    s3_4_c12_c9_5
#define ICC_SRE3    s3_6_c12_c12_5
#define ICC_CTLR3   s3_6_c12_c12_4
#define ICC_IGRPEN1_3 s3_6_c12_c12_7
#define ICH_AP0R0   s3_4_c12_c8_0
#define ICH_AP1R0   s3_4_c12_c9_0
#define ICH_HCR     s3_4_c12_c11_0
#define ICH_VTR     s3_4_c12_c11_1
#define ICH_MISR    s3_4_c12_c11_2
#define ICH_EISR    s3_4_c12_c11_3
#define ICH_ELRSR   s3_4_c12_c11_5
#define ICH_VMCR    s3_4_c12_c11_7
#define ICH_LR0     s3_4_c12_c12_0
#define ICH_LR1     s3_4_c12_c12_1
#define ICH_LR2     s3_4_c12_c12_2
#define ICH_LR3     s3_4_c12_c12_3
#define SPURIOUS    1023u

/* Of one CPU: GICR_TYPER.VLPIS says that VLPI_base and a reserved frame are there (12.10). */
static inline u64 gicr_size(void) { return MMIO32(GICR_FIRST + 8) & 2 ? 0x40000 : 0x20000; }
void gic_init(void); /* distributor, this CPU's redistributor and interface; group 1 on, PMR 0xff */
void gic_init_cpu(void);
/* Sleeps for 10 ms: QEMU's devices take some, and that of the host. INTID 30 is to be enabled. */
static inline void nap(void)
{
    WRITE(cntp_tval_el0, READ(cntfrq_el0) / 100);
    WRITE(cntp_ctl_el0, 1);
    ISB();
    ASM("wfi");
    WRITE(cntp_ctl_el0, 0);
}
void gic_enable(u32 intid, u8 priority); /* group 1, enabled; SPIs routed to CPU 0 */
void gic_pend(u32 intid);
void gic_unpend(u32 intid);
void gic_disable(u32 intid);
bool gic_is_pending(u32 intid);
bool gic_is_active(u32 intid);

/* ---- PSCI by the conduit that belongs to the EL of entry ---- */
#define PSCI_VERSION       0x84000000u
#define PSCI_CPU_SUSPEND   0xc4000001u
#define PSCI_CPU_OFF       0x84000002u
#define PSCI_CPU_ON        0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF    0x84000008u
#define PSCI_SYSTEM_RESET  0x84000009u
#define PSCI_FEATURES      0x8400000au
u64 psci(u64 function, u64 a, u64 b, u64 c);
/* Starts CPU n, which runs fn at the EL of entry on its own stack, then sleeps. */
s64 cpu_start(u32 n, void (*fn)(void));

static inline u64 counter(void)
{
    ISB();
    return READ(cntvct_el0);
}
static inline void delay(u64 ticks)
{
    u64 until = counter() + ticks;
    while ((s64)(counter() - until) < 0)
        ;
}
#endif
#endif
