/* Runtime of the bare-metal tests; see rt.h. */
#include "rt.h"

#include "mem.h"

#define UART_DR MMIO32(0x09000000)

struct exc exc[MAX_CPUS];
void (*irq_hook)(struct frame *f, u64 vector, u64 el);
bool (*sync_hook)(struct frame *f, u64 vector, u64 el);
u64 call_pstate = 0x3c0;

static u32 tests, failures;
static u64 saved_sp[MAX_CPUS], caller_el[MAX_CPUS];

u64 call_down(u64 a, u64 b, u64 fn, u64 spsr, u64 *sp);
_Noreturn void call_finish(u64 value, u64 sp);
void secondary_start(void);
void exception_c(struct frame *f, u64 vector, u64 el);

/* ---- output and checks ---- */

static void put_char(char c) { UART_DR = (u8)c; }

void put_text(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_decimal(u64 v)
{
    if (v > 9)
        put_decimal(v / 10);
    put_char('0' + v % 10);
}

void put_hex(u64 v)
{
    s64 shift = 60;
    while (shift && !(v >> shift))
        shift -= 4;
    put_text("0x");
    for (; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[v >> shift & 15]);
}

void check(bool ok, const char *what)
{
    failures += !ok;
    put_text(ok ? "ok " : "not ok ");
    put_decimal(++tests);
    put_text(" - ");
    put_text(what);
    put_char('\n');
}

void check_eq_(u64 got, u64 want, const char *what)
{
    check(got == want, what);
    if (got != want) {
        put_text("# got ");
        put_hex(got);
        put_text(" want ");
        put_hex(want);
        put_char('\n');
    }
}

void skip(const char *what, const char *why)
{
    put_text("ok ");
    put_decimal(++tests);
    put_text(" - ");
    put_text(what);
    put_text(" # SKIP ");
    put_text(why);
    put_char('\n');
}

static _Noreturn void leave(u64 status)
{
    u64 block[2] = { 0x20026, status };
    register u64 op asm("x0") = 0x18;
    register u64 arg asm("x1") = (u64)block;
    asm volatile("hlt #0xf000" : "+r"(op) : "r"(arg) : "memory");
    for (;;)
        ASM("wfi");
}

void plan(void)
{
    put_text("1..");
    put_decimal(tests);
    put_char('\n');
}

void finish(void)
{
    plan();
    leave(failures != 0);
}

void stop(const char *why)
{
    put_text("Bail out! ");
    put_text(why);
    put_char('\n');
    leave(1);
}

void check_exc(const char *what, u64 el, u64 ec, u64 iss)
{
    struct exc *e = &EXC;
    bool ok = e->count == 1 && e->el == el && esr_ec(e->esr) == ec && BITS(e->esr, 24, 0) == iss;
    check(ok, what);
    if (!ok) {
        put_text("# exceptions ");
        put_decimal(e->count);
        put_text(", EL");
        put_decimal(e->el);
        put_text(" EC ");
        put_hex(esr_ec(e->esr));
        put_text(" ISS ");
        put_hex(BITS(e->esr, 24, 0));
        put_text("; want EL");
        put_decimal(el);
        put_text(" EC ");
        put_hex(ec);
        put_text(" ISS ");
        put_hex(iss);
        put_char('\n');
    }
}

/* ---- exceptions ---- */

static void unexpected(struct frame *f, u64 vector, u64 el)
{
    put_text("# exception at EL");
    put_decimal(el);
    put_text(" vector ");
    put_decimal(vector);
    put_text(" ESR ");
    put_hex(f->esr);
    put_text(" ELR ");
    put_hex(f->elr);
    put_text(" FAR ");
    put_hex(f->far);
    put_char('\n');
    stop("unexpected exception");
}

void exc_record(struct frame *f, u64 vector, u64 el)
{
    struct exc *e = &EXC;
    if (e->count++)
        return;
    e->el = el;
    e->vector = vector;
    e->esr = f->esr;
    e->elr = f->elr;
    e->far = f->far;
    e->spsr = f->spsr;
    e->x0 = f->x[0];
    e->hpfar = el == 2 ? READ(hpfar_el2) : 0;
}

/* The call with which code at a lower EL ends: go on to the EL that called it. */
static void lower_returned(struct frame *f, u64 el)
{
    u32 cpu = cpu_number();
    register u64 value asm("x0") = f->x[0];
    if (el == caller_el[cpu])
        call_finish(value, saved_sp[cpu]);
    if (el == 1 && caller_el[cpu] == 2)
        asm volatile("hvc %1" : "+r"(value) : "i"(RETURN_IMM) : "memory");
    else
        asm volatile("smc %1" : "+r"(value) : "i"(RETURN_IMM) : "memory");
}

static void sync_exception(struct frame *f, u64 vector, u64 el)
{
    u64 ec = esr_ec(f->esr), call = ec == EC_SVC || ec == EC_HVC || ec == EC_SMC;
    if (call && (f->esr & 0xffff) == RETURN_IMM && !(f->esr & BIT(16))) {
        lower_returned(f, el);
        return;
    }
    if (sync_hook && sync_hook(f, vector, el))
        return;
    if (!EXC.expected)
        unexpected(f, vector, el);
    exc_record(f, vector, el);
    if (EXC.count > 8)
        unexpected(f, vector, el);
    if (ec == EC_IABT || ec == EC_IABT_LOWER || ec == EC_PC_ALIGN)
        f->elr = f->x[30];
    else if (ec == EC_ILLEGAL)
        f->spsr &= ~BIT(20);
    else if (!call || (ec == EC_SMC && el == 2))
        f->elr += 4; /* a trapped SMC was not executed */
}

void exception_c(struct frame *f, u64 vector, u64 el)
{
    if ((vector & 3) == SYNC) {
        sync_exception(f, vector, el);
        return;
    }
    if (irq_hook && (vector & 3) != SERROR) {
        irq_hook(f, vector, el);
        return;
    }
    exc_record(f, vector, el);
    f->spsr |= (vector & 3) == IRQ ? BIT(7) : (vector & 3) == FIQ ? BIT(6) : BIT(8);
}

u64 call_el(u64 el, u64 (*fn)(u64, u64), u64 a, u64 b)
{
    u32 cpu = cpu_number();
    extern u8 _stacks[];
    u64 stack0 = (u64)_stacks + cpu * STACK_SIZE * 4 + STACK_SIZE;
    caller_el[cpu] = current_el();
    WRITE(tpidrro_el0, el == 0 ? 0 : caller_el[cpu] == 3 ? 2 : 1); /* lower_return: by SVC, HVC or SMC */
    WRITE(sp_el0, stack0);
    if (el == 0 && caller_el[cpu] >= 2) /* EL1's handler, which hands EL0's return on, does not come back */
        WRITE(sp_el1, stack0 + STACK_SIZE);
    return call_down(a, b, (u64)fn, call_pstate | (el ? el << 2 | 1 : 0), &saved_sp[cpu]);
}

u64 try_el(u64 el, u64 (*fn)(u64, u64), u64 a, u64 b)
{
    exc_expect();
    u64 result = el == current_el() ? fn(a, b) : call_el(el, fn, a, b);
    EXC.expected = false;
    return result;
}

/* ---- translation ---- */

static u64 tables[96][512] __attribute__((aligned(4096)));
static u32 tables_used;

u64 *pt_new(void)
{
    if (tables_used == COUNT(tables))
        stop("out of tables");
    return tables[tables_used++];
}

u64 *pt_entry(u64 *root, u64 va, u32 level)
{
    u64 *table = root;
    for (u32 l = 1; l < level; l++) {
        u64 *e = &table[va >> (39 - 9 * l) & 511];
        if ((*e & 3) != 3) {
            u64 *next = pt_new(), size = 1ul << (39 - 9 * (l + 1));
            for (u64 i = 0; (*e & 1) && i < 512; i++)
                next[i] = *e + i * size + (l + 1 == 3 ? 2 : 0);
            *e = (u64)next | 3;
        }
        table = (u64 *)(*e & 0xfffffffff000ul);
    }
    return &table[va >> (39 - 9 * level) & 511];
}

void pt_map(u64 *root, u64 va, u64 pa, u64 size, u64 attr)
{
    bool blocks = !((va | pa | size) & (BIT(21) - 1));
    u64 step = blocks ? BIT(21) : BIT(12);
    for (u64 o = 0; o < size; o += step)
        *pt_entry(root, va + o, blocks ? 2 : 3) = (pa + o) | attr | (blocks ? 1 : 3);
}

u64 *pt_identity(u32 regime)
{
    u64 *root = pt_new(), res1 = regime == S1_EL2 ? PT_AP(1) : regime == S2 ? S2_AP(3) : 0;
    pt_map(root, 0x08000000, 0x08000000, 0x04000000, PT_AF | PT_XN | res1 | (regime == S2 ? S2_DEVICE : PT_DEVICE));
    pt_map(root, 0x40000000, 0x40000000, 0x10000000, PT_AF | PT_SH | res1 | (regime == S2 ? S2_NORMAL : PT_NORMAL));
    return root;
}

#define TCR_39 (25ul | 1ul << 8 | 1ul << 10 | 3ul << 12)

void mmu_on_el1(u64 *root)
{
    WRITE(mair_el1, 0xff04);
    WRITE(tcr_el1, TCR_39 | BIT(23) | 2ul << 32);
    WRITE(ttbr0_el1, root);
    DSB();
    ISB();
    tlb_flush();
    WRITE(sctlr_el1, 0x30d00800 | BIT(12) | BIT(2) | BIT(0));
    ISB();
}

void mmu_on_el2(u64 *root)
{
    WRITE(mair_el2, 0xff04);
    WRITE(tcr_el2, TCR_39 | BIT(31) | BIT(23) | 2ul << 16);
    WRITE(ttbr0_el2, root);
    DSB();
    ISB();
    tlb_flush();
    WRITE(sctlr_el2, 0x30c50830 | BIT(12) | BIT(2) | BIT(0));
    ISB();
}

void stage2_on(u64 *root, u64 vmid)
{
    WRITE(vtcr_el2, TCR_39 | 1ul << 6 | 2ul << 16 | BIT(31));
    WRITE(vttbr_el2, (u64)root | vmid << 48);
    WRITE(hcr_el2, READ(hcr_el2) | BIT(0));
    DSB();
    ISB();
    tlb_flush();
}

void tlb_flush(void)
{
    DSB();
    if (current_el() >= 2) {
        ASM("tlbi alle1is");
        ASM("tlbi alle2is");
    } else {
        ASM("tlbi vmalle1is");
    }
    DSB();
    ISB();
}

/* ---- GICv3 ---- */

#define GICD_CTLR MMIO32(GICD)

/* Group, enable and so on of an INTID: in the redistributor for 0-31, else in the distributor. */
static u64 gic_frame(u32 intid) { return intid < 32 ? GICR_SGI(cpu_number()) : GICD; }

static volatile u32 *gic_bits(u32 intid, u32 offset)
{
    return (volatile u32 *)(gic_frame(intid) + offset + intid / 32 * 4);
}

void gic_init_cpu(void)
{
    u64 r = GICR(cpu_number());
    MMIO32(r + 0x14) &= ~BIT(1); /* GICR_WAKER.ProcessorSleep */
    while (MMIO32(r + 0x14) & BIT(2))
        ;
    if (current_el() == 3)
        WRITE(ICC_SRE3, READ(ICC_SRE3) | 9);
    ISB();
    if (current_el() >= 2)
        WRITE(ICC_SRE2, READ(ICC_SRE2) | 9);
    ISB();
    WRITE(ICC_SRE, READ(ICC_SRE) | 1);
    ISB();
    WRITE(ICC_PMR, 0xff);
    WRITE(ICC_IGRPEN1, 1);
    ISB();
}

void gic_init(void)
{
    GICD_CTLR = 0x12; /* ARE and EnableGrp1; ARE_NS and EnableGrp1A when seen from non-secure */
    gic_init_cpu();
}

void gic_enable(u32 intid, u8 priority)
{
    *gic_bits(intid, 0x80) |= BIT(intid % 32); /* IGROUPR */
    MMIO8(gic_frame(intid) + 0x400 + intid) = priority;
    if (intid >= 32)
        MMIO64(GICD + 0x6000 + intid * 8) = 0; /* IROUTER: CPU 0.0.0.0 */
    *gic_bits(intid, 0x100) = BIT(intid % 32);
    DSB();
}

void gic_disable(u32 intid)
{
    *gic_bits(intid, 0x180) = BIT(intid % 32);
    DSB();
}

void gic_pend(u32 intid)
{
    *gic_bits(intid, 0x200) = BIT(intid % 32);
    DSB();
    ISB();
}

void gic_unpend(u32 intid)
{
    *gic_bits(intid, 0x280) = BIT(intid % 32);
    DSB();
    ISB();
}

bool gic_is_pending(u32 intid) { return *gic_bits(intid, 0x200) >> intid % 32 & 1; }

bool gic_is_active(u32 intid) { return *gic_bits(intid, 0x300) >> intid % 32 & 1; }

/* ---- PSCI ---- */

u64 psci(u64 function, u64 a, u64 b, u64 c)
{
    register u64 x0 asm("x0") = function;
    register u64 x1 asm("x1") = a;
    register u64 x2 asm("x2") = b;
    register u64 x3 asm("x3") = c;
    if (current_el() == 2)
        asm volatile("smc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
    else
        asm volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}

s64 cpu_start(u32 n, void (*fn)(void)) { return psci(PSCI_CPU_ON, n, (u64)secondary_start, (u64)fn); }
