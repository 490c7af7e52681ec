/*
 * Exceptions: vectors, saved state, routing and masking of interrupts against the tables of Arm ARM D1.3.6, exception
 * return, software step (D2.12), SVC/HVC/SMC/BRK and waiting, aborts, and the instruction syndrome (D19.2.37).
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/insn/decode.h"
#include "cpu/exception/words.h"
#include "cpu/engine/run.h"
#include "cpu/sysreg/sysreg.h"
#include "cpu/ops/system_ops.h"
#include "cpu/ops/wait.h"
#include "mmu/access.h"
#include "mmu/phys.h"
#include "mmu/walk.h"

Suite *test_exception_suite(void);

static struct cpu *cpu;
static u8 page[4096];
static u8 page_flags[1];
static struct phys phys = {
    .region = { { .base = 0x40000000, .size = 4096, .host = page, .flags = page_flags } },
    .region_count = 1, .pa_size = 48,
};

enum { TGE = 27, E2H = 34 };

static void make(bool el2, bool el3)
{
    cpu = calloc(1, sizeof *cpu);
    ck_assert(cpu != NULL);
    static const enum feature features[] = { FEAT_BASE, FEAT_PAN, FEAT_VHE, FEAT_GICV3, FEAT_PMU };
    for (unsigned n = 0; n < ARRAY_LEN(features); n++)
        feature_add(&cpu->features, features[n]);
    if (el2)
        feature_add(&cpu->features, FEAT_EL2);
    if (el3)
        feature_add(&cpu->features, FEAT_EL3);
    cpu->d.host.phys = &phys;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu_reset(cpu);
    cpu->sys.vbar_el1 = 0x10000, cpu->sys.vbar_el2 = 0x20000, cpu->sys.vbar_el3 = 0x30000;
}
static void setup(void) { make(true, true); }
static void teardown(void) { free(cpu); }
static void remake(bool el2, bool el3)
{
    teardown();
    make(el2, el3);
}

/* At an EL, Non-secure, with its own stack pointer, nothing masked. */
static void at(unsigned el)
{
    cpu->ps = (struct pstate){ .el = (u8)el, .sp = el > 0 };
    cpu->sys.scr_el3 |= 1;
    cpu->pc = 0x1000;
    cpu->lines = 0;
    cpu_control_changed(cpu);
}

/* ---- taking ---- */

START_TEST(vectors)
{
    static const u16 kinds[] = { 0, 0x80, 0x100, 0x180 };
    for (unsigned from = 0; from < 4; from++)
        for (unsigned sp = 0; sp < (from ? 2 : 1); sp++)
            for (unsigned to = from ? from : 1; to < 4; to++)
                for (unsigned kind = 0; kind < 4; kind++) {
                    at(from);
                    cpu_set_el_sp(cpu, from, sp);
                    cpu->d.exc = (struct exc){ .kind = (u8)kind, .target_el = (u8)to, .ec = EC_SVC, .il = 1 };
                    exception_take(cpu);
                    u64 group = to > from ? 0x400 : sp ? 0x200 : 0;
                    ck_assert_uint_eq(cpu->pc, to * 0x10000 + group + kinds[kind]);
                    ck_assert(cpu->ps.el == to && cpu->ps.sp == 1);
                }
}
END_TEST

START_TEST(saved_state)
{
    at(0);
    cpu_set_nzcv(cpu, 10);
    cpu->ps.pan = 1;
    cpu->sp_el[1] = 0x111;
    cpu->x[REG_SP] = 0x222;
    system_svc(cpu, 0x1234);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.spsr_el1, 0xa0000000 | BIT(22));
    ck_assert_uint_eq(cpu->sys.elr_el1, 0x1004);
    ck_assert_uint_eq(cpu->sys.esr_el1, (u64)EC_SVC << 26 | BIT(25) | 0x1234);
    ck_assert_uint_eq(cpu->x[REG_SP], 0x111);
    ck_assert_uint_eq(cpu->sp_el[0], 0x222);
    ck_assert_uint_eq(cpu->ps.d + cpu->ps.a + cpu->ps.i + cpu->ps.f, 4);
    ck_assert_uint_eq(cpu->sys.far_el1, 0); /* has no address: FAR stays */
    exception_return(cpu, cpu->sys.elr_el1, cpu->sys.spsr_el1);
    ck_assert(cpu->ps.el == 0 && cpu->ps.sp == 0 && cpu->ps.pan == 1 && cpu->ps.i == 0);
    ck_assert_uint_eq(cpu_nzcv(cpu), 10);
    ck_assert_uint_eq(cpu->x[REG_SP], 0x222);
    ck_assert_uint_eq(cpu->pc, 0x1004);
    ck_assert_uint_eq(cpu->event, 1); /* D1.6.1: an exception return is an event */
}
END_TEST

/* SCTLR_ELx.SPAN 0 sets PSTATE.PAN on entry to EL1, and to EL2 of a host with its applications. */
START_TEST(pan_on_entry)
{
    static const struct {
        u64 hcr, span1, span2;
        unsigned from, to;
        bool pan;
    } table[] = {
        { 0, 0, 1, 0, 1, true },
        { 0, 1, 0, 0, 1, false },
        { 0, 0, 0, 1, 2, false },
        { BIT(E2H), 1, 0, 1, 2, false },
        { BIT(E2H) | BIT(TGE), 1, 0, 0, 2, true },
        { BIT(E2H) | BIT(TGE), 0, 1, 0, 2, false },
        { 0, 0, 0, 1, 3, false },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = BIT(31) | table[n].hcr;
        cpu->sys.sctlr_el1 = table[n].span1 << 23, cpu->sys.sctlr_el2 = table[n].span2 << 23;
        at(table[n].from);
        cpu->d.exc = (struct exc){ .target_el = (u8)table[n].to };
        exception_take(cpu);
        ck_assert_msg(cpu->ps.pan == table[n].pan, "row %u", n);
    }
}
END_TEST

/* ---- interrupts: the tables of D1.3.6.1, EL2 and EL3 implemented, AArch64 ---- */

enum { PENDS = 0 };

START_TEST(routing)
{
    static const struct {
        u8 scr, ns, tge, mo, e2h, target[4];
    } table[] = {
        { 0, 0, 0, 0, 0, { 1, 1, 0, PENDS } },     { 0, 0, 1, 1, 0, { 1, 1, 0, PENDS } }, /* Secure: EL2 has no say */
        { 1, 0, 0, 0, 0, { 3, 3, 0, 3 } },         { 0, 1, 0, 0, 0, { 1, 1, PENDS, PENDS } },
        { 0, 1, 0, 0, 1, { 1, 1, PENDS, PENDS } }, { 0, 1, 0, 1, 0, { 2, 2, 2, PENDS } },
        { 0, 1, 0, 1, 1, { 2, 2, 2, PENDS } },     { 0, 1, 1, 0, 0, { 2, 0, 2, PENDS } },
        { 0, 1, 1, 1, 1, { 2, 0, 2, PENDS } },     { 1, 1, 0, 0, 0, { 3, 3, 3, 3 } },
        { 1, 1, 0, 1, 0, { 3, 3, 3, 3 } },         { 1, 1, 1, 1, 1, { 3, 0, 3, 3 } },
    };
    static const struct {
        u32 line;
        u8 scr, hcr;
        u16 offset;
    } kinds[] = {
        { LINE_IRQ, 1, 4, 0x80 },
        { LINE_FIQ, 2, 3, 0x100 },
        { LINE_SERROR, 3, 5, 0x180 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++)
        for (unsigned k = 0; k < ARRAY_LEN(kinds); k++)
            for (unsigned el = 0; el < 4; el++) {
                if ((el == 2 && !table[n].ns) || (el == 1 && table[n].tge && table[n].ns))
                    continue; /* there is no such place */
                at(el);
                cpu->sys.scr_el3 = 0x430 | table[n].ns | (u64)table[n].scr << kinds[k].scr;
                cpu->sys.hcr_el2 =
                    BIT(31) | (u64)table[n].tge << TGE | (u64)table[n].mo << kinds[k].hcr | (u64)table[n].e2h << E2H;
                cpu->lines = kinds[k].line;
                bool taken = exception_take_interrupt(cpu);
                unsigned target = table[n].target[el];
                ck_assert_msg(taken == (target != 0), "row %u, kind %u, EL%u: taken %d", n, k, el, taken);
                ck_assert_msg(!taken || cpu->ps.el == target, "row %u, kind %u, EL%u to EL%u", n, k, el, cpu->ps.el);
                ck_assert_uint_eq(taken ? cpu->pc & 0x180 : kinds[k].offset, kinds[k].offset);
            }
}
END_TEST

/* Controls of an interrupt: SCR_EL3 and HCR_EL2. */
struct route {
    u8 scr, ns, tge, mo, e2h;
};

/* The EL that takes an interrupt of a kind (EXC_*) from EL `el`; 0: none. */
static unsigned routed(struct route r, unsigned kind, unsigned el)
{
    static const u8 line[] = { 0, LINE_IRQ, LINE_FIQ, LINE_SERROR }, scr[] = { 0, 1, 2, 3 }, mo[] = { 0, 4, 3, 5 };
    at(el);
    cpu->sys.scr_el3 = 0x430 | r.ns | (u64)r.scr << scr[kind];
    cpu->sys.hcr_el2 = BIT(31) | (u64)r.tge << TGE | (u64)r.mo << mo[kind] | (u64)r.e2h << E2H;
    cpu->lines = line[kind];
    return exception_take_interrupt(cpu) ? cpu->ps.el : 0;
}

/* The control that is named as who routed it is: were it another, another EL would take it. */
static unsigned routed_by(struct route r, unsigned kind, unsigned el)
{
    unsigned target = routed(r, kind, el), by = exception_routed_by(cpu, &cpu->d.exc);
    struct route other = r;
    if (!target)
        return BY_NONE;
    switch (by) {
    case BY_SCR: other.scr = 0; break;
    case BY_TGE: other.tge = other.mo = 0; break;
    case BY_HCR: other.mo = 0; break;
    case BY_HCR_CLEAR: other.mo = 1; break;
    case BY_NO_SECURE_EL2: other.ns = other.mo = 1; break;
    default: ck_assert_msg(by == BY_NO_EL2 && !cpu_has(cpu, FEAT_EL2), "kind %u, EL%u: by %u", kind, el, by); return by;
    }
    ck_assert_msg(routed(other, kind, el) != target, "kind %u, EL%u to EL%u: not by %u", kind, el, target, by);
    return by;
}

START_TEST(who_routed)
{
    unsigned seen = 0;
    for (unsigned els = 0; els < 4; els++) {
        bool el2 = els & 1, el3 = els & 2;
        remake(el2, el3);
        for (unsigned n = 0; n < 32; n++) {
            struct route r = { n & 1, n >> 1 & 1, n >> 2 & 1, n >> 3 & 1, n >> 4 };
            bool enabled = el2 && (r.ns || !el3);
            if ((!el3 && (r.scr || r.ns)) || (!el2 && (r.tge || r.mo || r.e2h)))
                continue;
            for (unsigned kind = EXC_IRQ; kind <= EXC_SERROR; kind++)
                for (unsigned el = 0; el < 3; el++)
                    if (el != 2 || enabled)
                        if (el != 1 || !enabled || !r.tge)
                            seen |= 1u << routed_by(r, kind, el);
        }
    }
    ck_assert_uint_eq(seen, (1u << (BY_NO_SECURE_EL2 + 1)) - 1);
    const struct exc svc = { .kind = EXC_SYNC, .target_el = 2, .cause = { .kind = CAUSE_INSTRUCTION } };
    ck_assert_uint_eq(exception_routed_by(cpu, &svc), BY_NONE);
}
END_TEST

/* D1.3.6.2: PSTATE masks what goes to the same EL, to EL1, and to EL2 from a host's application; nothing else above. */
START_TEST(masking)
{
    static const struct {
        u8 el, target, tge, e2h;
        bool masked;
    } table[] = {
        { 0, 1, 0, 0, true },  { 1, 1, 0, 0, true },  { 0, 2, 0, 0, false }, { 1, 2, 0, 0, false },
        { 2, 2, 0, 0, true },  { 0, 2, 1, 0, false }, { 0, 2, 1, 1, true },  { 0, 3, 0, 0, false },
        { 2, 3, 0, 0, false }, { 3, 3, 0, 0, true },  { 1, 2, 0, 1, false },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        at(table[n].el);
        cpu->sys.scr_el3 = 0x431 | (table[n].target == 3 ? 2 : 0);
        cpu->sys.hcr_el2 =
            BIT(31) | (table[n].target == 2 ? BIT(4) : 0) | (u64)table[n].tge << TGE | (u64)table[n].e2h << E2H;
        cpu->ps.i = 1;
        cpu->lines = LINE_IRQ;
        ck_assert_msg(exception_take_interrupt(cpu) == !table[n].masked, "row %u", n);
        ck_assert(exception_wakes(cpu)); /* WFI ends whatever the masks say */
    }
}
END_TEST

/* FEAT_NMI (D1.3.6.4): with SCTLR_EL1.NMI PSTATE.ALLINT masks at EL1, and SPINTMASK what SP_EL1 does; a virtual
 * interrupt with Superpriority (HCRX_EL2.VINMI) is not masked by I. Entry sets ALLINT, but with SPINTMASK; ERET
 * restores it. */
START_TEST(all_interrupts_masked)
{
    feature_add(&cpu->features, FEAT_HCX);
    feature_add(&cpu->features, FEAT_NMI);
    cpu->d.spsr_known = 0;
    cpu->sys.scr_el3 |= BIT(38);
    cpu->sys.hcr_el2 = BIT(31);
    at(1);
    cpu->lines = LINE_IRQ;
    cpu->ps.allint = 1;
    ck_assert(exception_interrupt_pending(cpu)); /* SCTLR_EL1.NMI is 0 */
    cpu->sys.sctlr_el1 |= BIT(61);
    ck_assert(!exception_interrupt_pending(cpu));
    cpu->ps.allint = 0;
    ck_assert(exception_interrupt_pending(cpu));
    cpu->sys.sctlr_el1 |= BIT(62);
    ck_assert(!exception_interrupt_pending(cpu)); /* SPINTMASK, SPSel 1 */
    cpu->ps.sp = 0;
    ck_assert(exception_take_interrupt(cpu));
    ck_assert(!cpu->ps.allint && cpu->ps.el == 1);
    cpu->sys.sctlr_el1 &= ~BIT(62);
    cpu->ps.i = 0;
    ck_assert(exception_take_interrupt(cpu));
    ck_assert(cpu->ps.allint);
    exception_return(cpu, 0x1000, 0x5 | BIT(13));
    ck_assert(cpu->ps.allint);
    exception_return(cpu, 0x1000, 0x5);
    ck_assert(!cpu->ps.allint);
    cpu->lines = 0;
    cpu->ps.i = 1;
    cpu->sys.hcr_el2 = BIT(31) | BIT(4) | BIT(7); /* IMO, VI */
    ck_assert(!exception_interrupt_pending(cpu));
    cpu->sys.hcrx_el2 = BIT(7); /* VINMI */
    ck_assert(exception_interrupt_pending(cpu));
    cpu->ps.allint = 1;
    ck_assert(!exception_interrupt_pending(cpu));
}
END_TEST

/* SCTLR_EL1.SPINTMASK: what PSTATE.SP masked is looked at again when MSR SPSel clears it, as an immediate or from a
 * register. */
START_TEST(stack_pointer_unmasks)
{
    static const u32 msr_spsel[] = { 0xd50040bf, 0xd518421f }; /* #0, XZR */
    feature_add(&cpu->features, FEAT_NMI);
    struct decoder *decoder = decoder_create(&cpu->features);
    ck_assert(decoder != NULL);
    cpu->d.host.decoder = decoder;
    for (unsigned n = 0; n < ARRAY_LEN(msr_spsel); n++) {
        at(1);
        cpu->sys.hcr_el2 = BIT(31);
        cpu->sys.sctlr_el1 |= BIT(61) | BIT(62);
        cpu->lines = LINE_IRQ;
        cpu->d.attention = 0;
        ck_assert(!exception_take_interrupt(cpu));
        cpu_exec_word(cpu, msr_spsel[n]);
        ck_assert_msg(cpu->ps.sp == 0 && cpu->d.attention & ATT_IRQ, "form %u", n);
        ck_assert(exception_take_interrupt(cpu));
    }
    decoder_destroy(decoder);
}
END_TEST

START_TEST(virtual_interrupts)
{
    static const struct {
        u8 mo, v;
        u32 line;
        u16 offset;
    } table[] = {
        { 4, 7, LINE_VIRQ, 0x80 },
        { 3, 6, LINE_VFIQ, 0x100 },
        { 5, 8, 0, 0x180 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        for (unsigned by_line = 0; by_line < 2; by_line++) {
            if (by_line && !table[n].line)
                continue;
            u64 pending = BIT(31) | BIT(table[n].mo) | (by_line ? 0 : BIT(table[n].v));
            cpu->sys.hcr_el2 = pending;
            at(1);
            cpu->lines = by_line ? table[n].line : 0;
            ck_assert(exception_wakes(cpu));
            ck_assert(exception_take_interrupt(cpu));
            ck_assert_uint_eq(cpu->pc, 0x10200 + table[n].offset);
            ck_assert_uint_eq(exception_routed_by(cpu, &cpu->d.exc), by_line ? BY_LIST : BY_PENDING);
            ck_assert(!exception_take_interrupt(cpu));      /* masked now */
            ck_assert_uint_eq(bit(cpu->sys.hcr_el2, 8), 0); /* VSE is taken away with it */
            cpu->sys.hcr_el2 = pending & ~BIT(table[n].mo); /* not enabled */
            at(1);
            cpu->lines = by_line ? table[n].line : 0;
            ck_assert(!exception_take_interrupt(cpu) && !exception_wakes(cpu));
            cpu->sys.hcr_el2 = pending | BIT(TGE);
            at(0);
            cpu->lines = by_line ? table[n].line : 0;
            ck_assert(!exception_take_interrupt(cpu));
            cpu->sys.hcr_el2 = pending;
            at(2);
            ck_assert(!exception_take_interrupt(cpu));
        }
    }
}
END_TEST

/* ---- return ---- */

START_TEST(illegal_returns)
{
    static const struct {
        u8 el;
        u32 spsr;
        u64 hcr;
        bool el2, el3, ns, illegal;
    } table[] = {
        { 1, 0x0, 0, 1, 1, 1, false },        { 1, 0x5, 0, 1, 1, 1, false },       { 1, 0x4, 0, 1, 1, 1, false },
        { 1, 0x1, 0, 1, 1, 1, true },         { 1, 0x2, 0, 1, 1, 1, true },        { 1, 0x7, 0, 1, 1, 1, true },
        { 1, 0x9, 0, 1, 1, 1, true },         { 1, 0x10, 0, 1, 1, 1, true },       { 2, 0x13, 0, 1, 1, 1, true },
        { 2, 0xd, 0, 1, 1, 1, true },         { 3, 0x9, 0, 1, 1, 1, false },       { 3, 0x9, 0, 1, 1, 0, true },
        { 3, 0x9, 0, 0, 1, 1, true },         { 2, 0x5, BIT(TGE), 1, 1, 1, true }, { 2, 0x0, BIT(TGE), 1, 1, 1, false },
        { 3, 0x5, BIT(TGE), 1, 1, 0, false }, { 2, 0x9, 0, 1, 0, 1, false },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        remake(table[n].el2, table[n].el3);
        at(table[n].el);
        cpu->sys.scr_el3 = table[n].el3 ? 0x430u | table[n].ns : 0;
        cpu->sys.hcr_el2 = BIT(31) | table[n].hcr;
        cpu->excl_valid = 1;
        exception_return(cpu, 0x5000, table[n].spsr | 0xf00003c0);
        ck_assert_msg(cpu->ps.il == table[n].illegal, "row %u", n);
        ck_assert_uint_eq(cpu->ps.el, table[n].illegal ? table[n].el : bits(table[n].spsr, 3, 2));
        ck_assert_uint_eq(cpu_nzcv(cpu), 15); /* these come back in any case */
        ck_assert(cpu->ps.i && cpu->ps.d && !cpu->excl_valid);
    }
}
END_TEST

START_TEST(illegal_state)
{
    at(1);
    cpu->ps.il = 1;
    cpu->pc = 0x1000;
    exc_fetch_state(cpu);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.esr_el1 >> 26, EC_ILLEGAL_STATE);
    ck_assert_uint_eq(cpu->ps.il, 0);
    ck_assert(bit(cpu->sys.spsr_el1, 20));
    at(1);
    cpu->pc = 0x1002; /* PC alignment comes first */
    cpu->ps.il = 1;
    exc_fetch_state(cpu);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.esr_el1 >> 26, EC_PC_ALIGN);
    ck_assert_uint_eq(cpu->sys.far_el1, 0x1002);
}
END_TEST

/* ---- exception-generating instructions ---- */

static bool undefined(void) { return cpu->d.exc.ec == EC_UNKNOWN; }

START_TEST(hvc_and_smc)
{
    static const struct {
        u8 el;
        u64 scr, hcr;
        u8 hvc, smc;
    } table[] = {
        /* target of HVC and SMC; 0: UNDEFINED */
        { 0, 0x531, 0, 0, 0 },       { 1, 0x531, 0, 2, 3 },       { 2, 0x531, 0, 2, 3 },
        { 3, 0x531, 0, 3, 3 },       { 1, 0x431, 0, 0, 3 },       { 2, 0x431, 0, 0, 3 },
        { 1, 0x5b1, 0, 2, 0 },       { 1, 0x5b1, BIT(19), 2, 2 }, { 1, 0x531, BIT(19), 2, 2 },
        { 1, 0x530, BIT(19), 0, 3 }, { 2, 0x531, BIT(19), 2, 3 }, { 3, 0x5b1, 0, 3, 0 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = BIT(31) | table[n].hcr;
        at(table[n].el);
        cpu->sys.scr_el3 = table[n].scr;
        cpu_control_changed(cpu);
        ck_assert(!system_hvc(cpu, 7));
        ck_assert_msg(undefined() ? !table[n].hvc : table[n].hvc == cpu->d.exc.target_el, "HVC, row %u", n);
        ck_assert(undefined() || (cpu->d.exc.ec == EC_HVC && cpu->d.exc.elr == 4 && cpu->d.exc.iss == 7));
        ck_assert(!system_smc(cpu, 9));
        ck_assert_msg(undefined() ? !table[n].smc : table[n].smc == cpu->d.exc.target_el, "SMC, row %u", n);
        /* trapped, it has not been executed: it is where the exception returns to */
        ck_assert(undefined() || cpu->d.exc.elr == (cpu->d.exc.target_el == 3 ? 4 : 0));
        ck_assert(undefined() || (cpu->d.exc.ec == EC_SMC && cpu->d.exc.iss == 9));
    }
    remake(true, false); /* without EL3: HCD, and no SMC */
    at(1);
    ck_assert(!system_hvc(cpu, 0) && !undefined());
    ck_assert(!system_smc(cpu, 0) && undefined());
    cpu->sys.hcr_el2 |= BIT(29);
    ck_assert(!system_hvc(cpu, 0) && undefined());
}
END_TEST

static enum board_answer board_answers(struct cpu *c, unsigned ec, u32 imm)
{
    c->x[0] = ec + imm;
    return BOARD_ANSWERED;
}

START_TEST(calls_of_the_board)
{
    remake(false, false);
    cpu->d.host.call = board_answers;
    at(1);
    ck_assert(system_hvc(cpu, 1) && cpu->x[0] == EC_HVC + 1);
    ck_assert(system_smc(cpu, 2) && cpu->x[0] == EC_SMC + 2);
    ck_assert(system_hlt(cpu, 0xf000) == WAIT_DONE && cpu->x[0] == 0xf000);
    at(0);
    ck_assert(!system_hvc(cpu, 1) && undefined());
    ck_assert(!system_smc(cpu, 1) && undefined());
    remake(true, false); /* a trapped SMC never gets there */
    cpu->d.host.call = board_answers;
    cpu->sys.hcr_el2 |= BIT(19);
    at(1);
    ck_assert(!system_smc(cpu, 1) && cpu->d.exc.ec == EC_SMC && cpu->d.exc.target_el == 2);
}
END_TEST

START_TEST(brk_and_svc_routing)
{
    static const struct {
        u8 el;
        u64 hcr, mdcr;
        u8 svc, brk;
    } table[] = {
        { 0, 0, 0, 1, 1 },      { 1, 0, 0, 1, 1 },      { 2, 0, 0, 2, 2 },        { 3, 0, 0, 3, 3 },
        { 0, 0, BIT(8), 1, 2 }, { 1, 0, BIT(8), 1, 2 }, { 0, BIT(TGE), 0, 2, 2 }, { 0, BIT(TGE) | BIT(E2H), 0, 2, 2 },
        { 3, 0, BIT(8), 3, 3 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = BIT(31) | table[n].hcr, cpu->sys.mdcr_el2 = table[n].mdcr;
        at(table[n].el);
        system_svc(cpu, 1);
        ck_assert_msg(cpu->d.exc.target_el == table[n].svc, "SVC, row %u", n);
        system_brk(cpu, 2);
        ck_assert_msg(cpu->d.exc.target_el == table[n].brk, "BRK, row %u", n);
        ck_assert_uint_eq(cpu->d.exc.elr, 0);
    }
}
END_TEST

/* CPACR_EL1 under TGE is UNDEFINED to EL2 (AArch64.AdvSIMDFPAccessTrap). */
START_TEST(fp_trap_under_tge)
{
    cpu->sys.cpacr_el1 = 0;
    cpu->sys.cptr_el2 = cpu->sys.cptr_el3 = 0;
    cpu->sys.hcr_el2 = BIT(31);
    at(0);
    ck_assert(cpu->d.fp_trapped);
    exc_fp_access_trap(cpu);
    ck_assert(cpu->d.exc.ec == EC_FP_TRAP && cpu->d.exc.target_el == 1 && cpu->d.exc.iss == 0x1e00000);
    cpu->sys.hcr_el2 |= BIT(TGE);
    at(0);
    exc_fp_access_trap(cpu);
    ck_assert(cpu->d.exc.ec == EC_UNKNOWN && cpu->d.exc.target_el == 2);
    cpu->sys.cpacr_el1 = 3 << 20;
    at(0);
    ck_assert(!cpu->d.fp_trapped);
}
END_TEST

static bool waits(enum wait_kind kind) { return wait_here(cpu, kind, 0, ISS_COND_AL) == WAIT_DONE; }

/* FEAT_WFxT (C6.2 WFIT): until the virtual counter reaches the threshold; a trap only where it would wait. */
START_TEST(waiting_with_time_out)
{
    cpu->sys.hcr_el2 = BIT(31);
    cpu->sys.cntvoff_el2 = 100;
    cpu->d.now = 16 * 1000 + 5; /* the virtual count is 900 */
    at(1);
    ck_assert(wait_here(cpu, WAIT_WFIT, 900, 0) == WAIT_DONE && cpu->halted == HALT_NONE);
    ck_assert(wait_here(cpu, WAIT_WFIT, 901, 0) == WAIT_DONE && cpu->halted == HALT_WFI);
    ck_assert_uint_eq(cpu->wake_at, 16 * 1001);
    cpu->halted = HALT_NONE;
    ck_assert(wait_here(cpu, WAIT_WFET, ~0ull, 0) == WAIT_DONE && cpu->halted == HALT_WFE);
    ck_assert_uint_eq(cpu->wake_at, ~0ull); /* longer than time is */
    cpu->halted = HALT_NONE;
    cpu->sys.hcr_el2 |= BIT(13);
    cpu_control_changed(cpu);
    ck_assert(wait_here(cpu, WAIT_WFIT, 899, 0) == WAIT_DONE && cpu->halted == HALT_NONE);
    ck_assert(wait_here(cpu, WAIT_WFIT, 901, ISS_COND_AL | 7 << 5 | 4) == WAIT_TRAPPED);
    ck_assert_uint_eq(cpu->d.exc.iss, 0x1e00000 | 7 << 5 | 4 | 2);
    cpu->sys.cntvoff_el2 = 0;
}
END_TEST

/* FEAT_TWED (D19.2 HCR_EL2.TWEDEL): the trap of WFE comes 2^(TWEDEL + 8) cycles later, or not at all. */
START_TEST(waiting_with_delayed_trap)
{
    feature_add(&cpu->features, FEAT_TWED);
    cpu->sys.hcr_el2 = BIT(31) | BIT(14) | BIT(59) | 2ull << 60;
    cpu->d.now = 5000;
    at(1);
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_AGAIN && cpu->halted == HALT_WFE && cpu->wake_at == 5000 + 1024);
    cpu->halted = HALT_NONE;
    cpu->d.now = 5500; /* woken by something else: the delay is not over */
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_AGAIN && cpu->wake_at == 5000 + 1024);
    cpu->d.now = 5000 + 1024;
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_TRAPPED && cpu->d.exc.target_el == 2);
    cpu->trap_at = 0;
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_AGAIN);
    cpu->event = 1; /* an event in time */
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_DONE && !cpu->event && !cpu->trap_at);
    cpu->halted = HALT_NONE;
    cpu->sys.hcr_el2 &= ~BIT(59);
    ck_assert(wait_here(cpu, WAIT_WFE, 0, 0) == WAIT_TRAPPED);
    cpu->sys.hcr_el2 = BIT(31) | BIT(13) | BIT(59); /* WFI is never delayed */
    cpu_control_changed(cpu);
    ck_assert(wait_here(cpu, WAIT_WFI, 0, 0) == WAIT_TRAPPED);
}
END_TEST

START_TEST(waiting)
{
    cpu->sys.hcr_el2 = BIT(31);
    at(1);
    ck_assert(waits(WAIT_WFI) && cpu->halted == HALT_WFI && cpu->d.attention & ATT_TURN);
    cpu->halted = HALT_NONE;
    cpu->lines = LINE_IRQ;
    cpu->ps.i = 1;
    ck_assert(waits(WAIT_WFI) && cpu->halted == HALT_NONE); /* pending, though masked */
    cpu->sys.hcr_el2 |= BIT(13) | BIT(14);
    cpu_control_changed(cpu);
    ck_assert(waits(WAIT_WFI)); /* nothing to wait for: no trap */
    cpu->lines = 0;
    ck_assert(!waits(WAIT_WFI) && cpu->d.exc.ec == EC_WFX && cpu->d.exc.iss == 0x1e00000 && cpu->d.exc.target_el == 2);
    cpu->event = 1;
    ck_assert(waits(WAIT_WFE) && !cpu->event && cpu->halted == HALT_NONE);
    ck_assert(!waits(WAIT_WFE) && cpu->d.exc.iss == 0x1e00001);
    cpu->sys.sctlr_el1 &= ~BIT(16); /* nTWI: EL1's trap comes first */
    at(0);
    ck_assert(!waits(WAIT_WFI) && cpu->d.exc.target_el == 1);
}
END_TEST

/* ---- software step ---- */

static void step_setup(unsigned el, u64 mdscr)
{
    at(el);
    cpu->sys.mdscr_el1 = mdscr;
    cpu->sys.oslsr_el1 = 8;
    cpu->sys.mdcr_el3 = 0;
    cpu_control_changed(cpu);
}

/* An instruction without effect. */
static void step_one(void)
{
    cpu->pc += 4;
    exception_step_done(cpu);
}

START_TEST(step_from_el1_over_el0)
{
    step_setup(1, 1); /* KDE 0: EL1 itself is not stepped */
    ck_assert(!(cpu->d.stepping & STEPPING_GUEST));
    exception_return(cpu, 0x2000, BIT(21));
    ck_assert(cpu->ps.ss && cpu->d.stepping & STEPPING_GUEST && cpu->d.attention & ATT_ENGINE);
    exception_step_done(cpu); /* of the ERET itself: it isn't the instruction that is stepped */
    ck_assert(cpu->ps.ss);
    ck_assert(!exception_take_step(cpu));
    step_one();
    ck_assert(!cpu->ps.ss);
    ck_assert(exception_take_step(cpu));
    ck_assert_uint_eq(cpu->sys.esr_el1, (u64)EC_STEP_LOWER << 26 | BIT(25) | BIT(24) | 0x22);
    ck_assert_uint_eq(cpu->sys.elr_el1, 0x2004);
    ck_assert_uint_eq(bit(cpu->sys.spsr_el1, 21), 0);
    ck_assert(!(cpu->d.stepping & STEPPING_GUEST));
    exception_return(cpu, 0x2004, 0); /* SS 0: pending at once, nothing was stepped: ISV 0 */
    ck_assert(exception_take_step(cpu));
    ck_assert_uint_eq(cpu->sys.esr_el1, (u64)EC_STEP_LOWER << 26 | BIT(25) | 0x22);
}
END_TEST

START_TEST(step_over_exceptions)
{
    step_setup(1, 1);
    exception_return(cpu, 0x2000, BIT(21));
    ck_assert(!exception_take_step(cpu));
    system_svc(cpu, 0); /* executed: the saved SS is 0 */
    exception_take(cpu);
    exception_step_done(cpu);
    ck_assert_uint_eq(bit(cpu->sys.spsr_el1, 21), 0);
    exception_return(cpu, 0x2000, BIT(21));
    ck_assert(!exception_take_step(cpu));
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_UNALLOCATED }); /* not executed: SS is kept for another try */
    exception_take(cpu);
    exception_step_done(cpu);
    ck_assert_uint_eq(bit(cpu->sys.spsr_el1, 21), 1);
}
END_TEST

START_TEST(step_within_el1)
{
    step_setup(1, 1 | BIT(13)); /* KDE */
    ck_assert(cpu->d.stepping & STEPPING_GUEST);
    cpu_set_daif(cpu, 8); /* PSTATE.D masks */
    ck_assert(!(cpu->d.stepping & STEPPING_GUEST));
    exception_return(cpu, 0x2000, 5 | BIT(21)); /* D is 0 there */
    ck_assert(!exception_take_step(cpu));
    step_one();
    ck_assert(exception_take_step(cpu));
    ck_assert_uint_eq(cpu->sys.esr_el1 >> 26, EC_STEP_SAME);
    step_setup(1, 1 | BIT(13));
    cpu->sys.oslsr_el1 = 10; /* OS lock */
    cpu_control_changed(cpu);
    ck_assert(!(cpu->d.stepping & STEPPING_GUEST));
    step_setup(1, 1);
    cpu->sys.mdcr_el2 = BIT(8); /* TDE: to EL2, EL1 is a lower EL then */
    cpu_control_changed(cpu);
    ck_assert(cpu->d.stepping & STEPPING_GUEST);
    cpu->ps.ss = 0;
    ck_assert(exception_take_step(cpu) && cpu->ps.el == 2);
}
END_TEST

/* Secure state and MDCR_EL3.SDD. */
START_TEST(step_in_secure_state)
{
    step_setup(0, 1);
    cpu->sys.scr_el3 &= ~1ull;
    cpu_control_changed(cpu);
    ck_assert(cpu->d.stepping & STEPPING_GUEST);
    cpu->sys.mdcr_el3 = BIT(16);
    cpu_control_changed(cpu);
    ck_assert(!(cpu->d.stepping & STEPPING_GUEST));
}
END_TEST

START_TEST(step_of_a_load_exclusive)
{
    step_setup(1, 1);
    exception_return(cpu, 0x7010, BIT(21));
    cpu->fetch_valid = 1, cpu->fetch_va = 0x7000, cpu->fetch_pa = 0x40000000, cpu->fetch_attrs = 1;
    store_le32(page + 0x10, 0x885f7c41); /* ldxr w1, [x2] */
    ck_assert(!exception_take_step(cpu));
    step_one();
    ck_assert(exception_take_step(cpu));
    ck_assert_uint_eq(cpu->sys.esr_el1, (u64)EC_STEP_LOWER << 26 | BIT(25) | BIT(24) | BIT(6) | 0x22);
}
END_TEST

/* ---- aborts ---- */

START_TEST(abort_targets)
{
    static const struct {
        u8 el, kind, stage2;
        u64 hcr, scr;
        u8 target;
    } table[] = {
        { 0, FAULT_TRANSLATION, 0, 0, 0, 1 },        { 1, FAULT_TRANSLATION, 0, 0, 0, 1 },
        { 0, FAULT_TRANSLATION, 1, 0, 0, 2 },        { 1, FAULT_PERMISSION, 1, 0, 0, 2 },
        { 0, FAULT_ALIGNMENT, 0, BIT(TGE), 0, 2 },   { 2, FAULT_TRANSLATION, 0, 0, 0, 2 },
        { 3, FAULT_TRANSLATION, 0, 0, 0, 3 },        { 1, FAULT_EXTERNAL, 0, 0, BIT(3), 3 },
        { 1, FAULT_EXTERNAL, 0, 0, 0, 1 },           { 1, FAULT_TRANSLATION, 0, 0, BIT(3), 1 },
        { 2, FAULT_EXTERNAL_WALK, 0, 0, BIT(3), 3 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++) {
        cpu->sys.hcr_el2 = BIT(31) | table[n].hcr;
        at(table[n].el);
        cpu->sys.scr_el3 = 0x431 | table[n].scr;
        struct fault f = {
            .kind = table[n].kind, .stage2 = table[n].stage2, .fsc = 5, .wnr = 1, .ipa = 0x123456789a, .ns_ipa = 1
        };
        exc_abort(cpu, &f, 0x1000, ACC_WRITE);
        ck_assert_msg(cpu->d.exc.target_el == table[n].target, "row %u", n);
        ck_assert_uint_eq(cpu->d.exc.ec, table[n].target == table[n].el ? EC_DABT_SAME : EC_DABT_LOWER);
        ck_assert_uint_eq(cpu->d.exc.iss, 1 << 6 | 5);
        ck_assert_uint_eq(cpu->d.exc.has_hpfar, table[n].stage2);
        exc_abort(cpu, &f, 0x1000, ACC_FETCH);
        ck_assert_uint_eq(cpu->d.exc.iss, 5); /* no WnR */
        ck_assert_uint_eq(cpu->d.exc.ec, table[n].target == table[n].el ? EC_IABT_SAME : EC_IABT_LOWER);
    }
}
END_TEST

/* A Tag Check Fault is named as what it is. */
START_TEST(tag_check_cause)
{
    const struct fault fault = { .kind = FAULT_TAG, .rule = RULE_TAG, .fsc = 0x11 };
    char text[EXC_WORDS];
    at(1);
    exc_abort(cpu, &fault, 0x2000, 0);
    exc_cause_words(&cpu->d.exc, NULL, text);
    ck_assert_str_eq(text, fault_rule_text(RULE_TAG));
}
END_TEST

START_TEST(stage2_abort_registers)
{
    struct fault f = { .kind = FAULT_TRANSLATION, .stage2 = 1, .fsc = 6, .ipa = 0x8000123456, .ns_ipa = 1 };
    cpu->sys.hcr_el2 = BIT(31);
    at(1);
    cpu->pc = 0x7020;
    cpu->fetch_valid = 1, cpu->fetch_va = 0x7000, cpu->fetch_pa = 0x40000000, cpu->fetch_attrs = 1;
    store_le32(page + 0x20, 0x39c04c85); /* ldrsb w5, [x4, #19] */
    exc_abort(cpu, &f, 0xabc123456, ACC_READ);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.esr_el2, (u64)EC_DABT_LOWER << 26 | BIT(25) | BIT(24) | BIT(21) | 5 << 16 | 6);
    ck_assert_uint_eq(cpu->sys.far_el2, 0xabc123456);
    ck_assert_uint_eq(cpu->sys.hpfar_el2, 0x80001230); /* IPA<47:12> from bit 4 */
    f.s1ptw = 1;                                       /* the walk failed, not the access: no syndrome of it */
    at(1);
    cpu->pc = 0x7020;
    cpu->fetch_valid = 1;
    exc_abort(cpu, &f, 0xabc123456, ACC_READ);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.esr_el2, (u64)EC_DABT_LOWER << 26 | BIT(25) | BIT(7) | 6);
    /* An external abort on a stage 2 table: with FEAT_RAS ISV is 0, without it that is this PE's choice. */
    f = (struct fault){ .kind = FAULT_EXTERNAL_WALK, .stage2 = 1, .fsc = 0x15, .ipa = 0x8000123456 };
    at(1);
    cpu->pc = 0x7020;
    cpu->fetch_valid = 1;
    exc_abort(cpu, &f, 0xabc123456, ACC_READ);
    exception_take(cpu);
    ck_assert_uint_eq(cpu->sys.esr_el2, (u64)EC_DABT_LOWER << 26 | BIT(25) | 0x15);
}
END_TEST

/* ISV, SAS, SSE, SRT, SF, AR. */
START_TEST(instruction_syndrome)
{
#define SYNDROME(sas, sse, srt, sf, ar) (1u << 24 | (sas) << 22 | (sse) << 21 | (srt) << 16 | (sf) << 15 | (ar) << 14)
    static const struct {
        u32 word, iss;
        const char *text;
    } table[] = {
        { 0x39400041, SYNDROME(0u, 0, 1u, 0, 0), "ldrb w1, [x2]" },
        { 0x79000041, SYNDROME(1u, 0, 1u, 0, 0), "strh w1, [x2]" },
        { 0xb9400041, SYNDROME(2u, 0, 1u, 0, 0), "ldr w1, [x2]" },
        { 0xf900005f, SYNDROME(3u, 0, 31u, 1, 0), "str xzr, [x2]" },
        { 0x39800041, SYNDROME(0u, 1, 1u, 1, 0), "ldrsb x1, [x2]" },
        { 0x79c00041, SYNDROME(1u, 1, 1u, 0, 0), "ldrsh w1, [x2]" },
        { 0xb9800041, SYNDROME(2u, 1, 1u, 1, 0), "ldrsw x1, [x2]" },
        { 0xf8408041, SYNDROME(3u, 0, 1u, 1, 0), "ldur x1, [x2, #8]" },
        { 0xb8000841, SYNDROME(2u, 0, 1u, 0, 0), "sttr w1, [x2]" },
        { 0xf8636841, SYNDROME(3u, 0, 1u, 1, 0), "ldr x1, [x2, x3]" },
        { 0x58000041, SYNDROME(3u, 0, 1u, 1, 0), "ldr x1, literal" },
        { 0x18000041, SYNDROME(2u, 0, 1u, 0, 0), "ldr w1, literal" },
        { 0x98000041, SYNDROME(2u, 1, 1u, 1, 0), "ldrsw x1, literal" },
        { 0x88dffc41, SYNDROME(2u, 0, 1u, 0, 1), "ldar w1, [x2]" },
        { 0xc89ffc41, SYNDROME(3u, 0, 1u, 1, 1), "stlr x1, [x2]" },
        { 0x089ffc41, SYNDROME(0u, 0, 1u, 0, 1), "stlrb w1, [x2]" },
        { 0xf8408c41, 0, "ldr x1, [x2, #8]!" },
        { 0xf8408441, 0, "ldr x1, [x2], #8" },
        { 0xa9400c41, 0, "ldp x1, x3, [x2]" },
        { 0xc85f7c41, 0, "ldxr x1, [x2]" },
        { 0xf8230041, 0, "ldadd x3, x1, [x2]" },
        { 0xc8a37c41, 0, "cas x3, x1, [x2]" },
        { 0xf9800040, 0, "prfm pldl1keep, [x2]" },
        { 0xd8000040, 0, "prfm pldl1keep, literal" },
        { 0xfd400041, 0, "ldr d1, [x2]" },
        { 0x3dc00041, 0, "ldr q1, [x2]" },
        { 0x4c407041, 0, "ld1 {v1.16b}, [x2]" },
        { 0xd50b7421, 0, "dc zva, x1" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(table); n++)
        ck_assert_msg(iss_instruction(table[n].word) == table[n].iss, "%s: %x", table[n].text,
                      iss_instruction(table[n].word));
}
END_TEST

Suite *test_exception_suite(void)
{
    Suite *s = suite_create("exception");
    TCase *t = tcase_create("exception");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, vectors);
    tcase_add_test(t, saved_state);
    tcase_add_test(t, pan_on_entry);
    tcase_add_test(t, routing);
    tcase_add_test(t, who_routed);
    tcase_add_test(t, masking);
    tcase_add_test(t, virtual_interrupts);
    tcase_add_test(t, all_interrupts_masked);
    tcase_add_test(t, stack_pointer_unmasks);
    tcase_add_test(t, illegal_returns);
    tcase_add_test(t, illegal_state);
    tcase_add_test(t, hvc_and_smc);
    tcase_add_test(t, calls_of_the_board);
    tcase_add_test(t, brk_and_svc_routing);
    tcase_add_test(t, fp_trap_under_tge);
    tcase_add_test(t, waiting);
    tcase_add_test(t, waiting_with_time_out);
    tcase_add_test(t, waiting_with_delayed_trap);
    tcase_add_test(t, step_from_el1_over_el0);
    tcase_add_test(t, step_over_exceptions);
    tcase_add_test(t, step_within_el1);
    tcase_add_test(t, step_in_secure_state);
    tcase_add_test(t, step_of_a_load_exclusive);
    tcase_add_test(t, abort_targets);
    tcase_add_test(t, tag_check_cause);
    tcase_add_test(t, stage2_abort_registers);
    tcase_add_test(t, instruction_syndrome);
    suite_add_tcase(s, t);
    return s;
}
