/*
 * Physical SErrors: where they go, what masks them, what an error synchronization event does with them (FEAT_RAS,
 * FEAT_IESB, FEAT_DoubleFault; Arm ARM D1.3.6, C6.2 ESB; AArch64.ESBOperation and TakeException of the shared
 * pseudocode). What EL2 sees of virtual ones is in tests/guest/ras.c.
 */
#include <check.h>
#include <stdlib.h>

#include "cpu/exception.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/access.h"
#include "mmu/phys.h"
#include "mmu/walk.h"

Suite *test_serror_suite(void);

static struct cpu *cpu;
static struct phys phys = { .pa_size = 48 };

enum { AMO = 5, TGE = 27, E2H = 34, TEA = 37, EA = 3, EASE = 19, NMEA = 20, IESB = 21 };
enum { PC = 0x1000, ISS = 0x1abcdef, IESB_ISS = 1 << 13 };

static void setup(void)
{
    static const enum feature features[] = {
        FEAT_BASE, FEAT_VHE, FEAT_RAS, FEAT_RASV1P1, FEAT_IESB, FEAT_EL2, FEAT_EL3
    };
    cpu = calloc(1, sizeof *cpu);
    ck_assert(cpu != NULL);
    for (unsigned n = 0; n < ARRAY_LEN(features); n++)
        feature_add(&cpu->features, features[n]);
    cpu->d.host.phys = &phys;
    cpu->d.host.cpus = cpu;
    cpu->d.host.cpu_count = 1;
    cpu_reset(cpu);
    cpu->sys.vbar_el1 = 0x10000, cpu->sys.vbar_el2 = 0x20000, cpu->sys.vbar_el3 = 0x30000;
}
static void teardown(void) { free(cpu); }

/* At an EL, Non-secure, with a pending SError. */
static void at(unsigned el, bool masked, u64 scr, u64 hcr)
{
    cpu->ps = (struct pstate){ .el = (u8)el, .sp = el > 0, .a = masked };
    cpu->sys.scr_el3 = 0x431 | scr;
    cpu->sys.hcr_el2 = BIT(31) | hcr;
    cpu->sys.sctlr_el1 = cpu->sys.sctlr_el2 = cpu->sys.sctlr_el3 = 0;
    cpu->sys.disr_el1 = 0;
    cpu->pc = PC;
    cpu->lines = LINE_SERROR;
    cpu->serror_iss = ISS;
    cpu_control_changed(cpu);
}

static bool pending(void) { return cpu->lines & LINE_SERROR; }

/* Rows of the table of targets and masks (D1.3.6): '.' not taken whatever PSTATE.A says, else the EL that takes it,
 * upper case (A to C for 1 to 3) where PSTATE.A masks it. From EL0, EL1, EL2, EL3. */
static const struct row {
    u64 scr, hcr;
    const char *to;
} rows[] = {
    { 0, 0, "AA.." },
    { 0, BIT(AMO), "22B." },
    { 0, BIT(TGE), "2-B." },
    { 0, BIT(TGE) | BIT(E2H), "B-B." },
    { BIT(EA), 0, "333C" },
    { BIT(EA), BIT(AMO), "333C" },
    { BIT(EA) | BIT(NMEA), 0, "3333" },
    { BIT(NMEA), 0, "AA.." }, /* without EA it does nothing */
};

START_TEST(taken)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        for (unsigned el = 0; el < 4; el++)
            for (unsigned masked = 0; masked < 2; masked++) {
                char to = rows[n].to[el];
                bool wanted = to != '.' && !(masked && to >= 'A');
                unsigned target = to >= 'A' ? (unsigned)(to - 'A') + 1 : (unsigned)(to - '0');
                if (to == '-') /* EL1 is not entered with TGE */
                    continue;
                at(el, masked, rows[n].scr, rows[n].hcr);
                ck_assert_msg(exception_take_interrupt(cpu) == wanted, "row %u, EL%u", n, el);
                ck_assert(pending() == !wanted);
                if (!wanted)
                    continue;
                u64 esr = target == 1 ? cpu->sys.esr_el1 : target == 2 ? cpu->sys.esr_el2 : cpu->sys.esr_el3;
                ck_assert_uint_eq(cpu->ps.el, target);
                ck_assert_uint_eq(esr, (u64)EC_SERROR << 26 | BIT(25) | ISS);
                ck_assert_uint_eq(cpu->pc & 0x1ff, 0x180);
            }
}
END_TEST

/* ESB notes what is masked, or would go to a lower EL, and leaves alone what is about to be taken. */
START_TEST(deferred_by_esb)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        for (unsigned el = 0; el < 4; el++)
            for (unsigned masked = 0; masked < 2; masked++) {
                char to = rows[n].to[el];
                bool deferred = to == '.' || (masked && to >= 'A');
                if (to == '-')
                    continue;
                at(el, masked, rows[n].scr, rows[n].hcr);
                exception_esb(cpu);
                ck_assert_msg(pending() != deferred, "row %u, EL%u", n, el);
                ck_assert_uint_eq(cpu->sys.disr_el1, deferred ? BIT(31) | ISS : 0);
                ck_assert(cpu->ps.el == el && cpu->pc == PC);
            }
}
END_TEST

static void svc(void)
{
    exc_sync(cpu, EC_SVC, 0, 1, (struct cause){ 0 });
    exception_take(cpu);
}

/* SCTLR_ELx.IESB and nothing else, as software at EL3 writes it. */
static void iesb(unsigned of)
{
    static const u32 keys[] = { 0, SYSREG_KEY(3, 0, 1, 0, 0), SYSREG_KEY(3, 4, 1, 0, 0), SYSREG_KEY(3, 6, 1, 0, 0) };
    u64 v;
    u8 el = cpu->ps.el;
    cpu->ps.el = 3;
    ck_assert(sysreg_write(cpu, keys[of], 0, BIT(IESB)) && sysreg_read(cpu, keys[of], 0, &v) && bit(v, IESB));
    cpu->ps.el = el;
    cpu_control_changed(cpu);
}

/* SCTLR_ELx.IESB: at the entry to ELx an SError that is not masked there is taken at once. */
START_TEST(implicit_at_entry)
{
    at(0, true, BIT(EA), 0);
    svc();
    ck_assert(cpu->ps.el == 1 && pending());
    at(0, true, BIT(EA), 0);
    iesb(1);
    svc();
    ck_assert(cpu->ps.el == 3 && !pending());
    ck_assert_uint_eq(cpu->sys.elr_el3, 0x10400);
    ck_assert_uint_eq(cpu->sys.elr_el1, PC);
    at(0, true, 0, 0); /* to EL1, where it is masked now */
    iesb(1);
    svc();
    ck_assert(cpu->ps.el == 1 && pending());
    for (unsigned e2h = 0; e2h < 2; e2h++) { /* EL2 in both formats, from an application under TGE */
        at(0, true, BIT(EA), BIT(TGE) | (e2h ? BIT(E2H) : 0));
        iesb(2);
        exc_sync(cpu, EC_SVC, 0, 2, (struct cause){ 0 });
        exception_take(cpu);
        ck_assert(cpu->ps.el == 3 && !pending());
        ck_assert_uint_eq(cpu->sys.elr_el3, 0x20400);
        ck_assert_uint_eq(cpu->sys.elr_el2, PC);
    }
}
END_TEST

/* Syndromes (ESR_ELx, ISS encoding for an SError): what each that is asked for becomes; and when it is taken by an
 * implicit error synchronization event ISS.IESB is set, but RES0 with IDS or where DFSC is not 0b010001. */
static const struct syndrome {
    u32 asked, iss, bare, implicit; /* bare: without FEAT_RAS */
} syndromes[] = {
    { 0, 0, 0, 0 },                           /* uncategorized */
    { 0x11, 0x11, 0, 0x11 | IESB_ISS },       /* asynchronous, AET 0 */
    { 0x1e11, 0x1e11, 0, 0x1e11 | IESB_ISS }, /* AET and EA */
    { 0x1e00, 0, 0, 0 },                      /* both are RES0 for another DFSC */
    { 0x1e10, 0x10, 0, 0x10 },
    { 0x31, 0x31, 0, 0x31 },
    { 0xffffff & ~0x2e, 0x1e11, 0, 0x1e11 | IESB_ISS }, /* RES0 always; IESB is the PE's to say */
    { IESB_ISS, 0, 0, 0 },
    { 0x1000000, 0x1000000, 0x1000000, 0x1000000 }, /* IDS: all is IMPLEMENTATION DEFINED */
    { 0x1000011, 0x1000011, 0x1000011, 0x1000011 },
    { 0x1abcdef, 0x1abcdef, 0x1abcdef, 0x1abcdef },
};

START_TEST(syndrome)
{
    const struct syndrome *s = &syndromes[_i];
    static struct cpu bare;
    ck_assert_uint_eq(exception_serror_iss(&bare, s->asked), s->bare);
    for (unsigned implicit = 0; implicit < 3; implicit++) {
        at(implicit == 2 ? 3 : 1, implicit == 1, BIT(EA) | BIT(NMEA), 0);
        cpu->serror_iss = exception_serror_iss(cpu, s->asked);
        ck_assert_uint_eq(cpu->serror_iss, s->iss);
        if (implicit == 1) { /* at entry */
            iesb(1);
            svc();
        } else if (implicit == 2) { /* before ERET */
            exception_return(cpu, 0x5000, 5);
        } else {
            exception_take_interrupt(cpu);
        }
        ck_assert(cpu->ps.el == 3 && !pending());
        ck_assert_uint_eq(cpu->sys.esr_el3, (u64)EC_SERROR << 26 | BIT(25) | (implicit ? s->implicit : s->iss));
    }
    at(1, true, 0, 0); /* masked: to DISR_EL1, IESB never */
    cpu->serror_iss = exception_serror_iss(cpu, s->asked);
    iesb(1);
    exception_esb(cpu);
    ck_assert_uint_eq(cpu->sys.disr_el1, BIT(31) | s->iss);
}
END_TEST

/* A virtual one has what VSESR_EL2 says, all of it, and never anything of the PE's own; without FEAT_RAS nothing. */
START_TEST(syndrome_of_a_virtual_one)
{
    const struct syndrome *s = &syndromes[_i];
    for (unsigned masked = 0; masked < 2; masked++) {
        at(1, masked, 0, BIT(AMO) | BIT(8));
        cpu->lines = 0;
        iesb(1);
        cpu->sys.vsesr_el2 = s->asked;
        cpu->sys.vdisr_el2 = 0;
        if (masked)
            exception_esb(cpu);
        else
            ck_assert(exception_take_interrupt(cpu));
        ck_assert_uint_eq(masked ? cpu->sys.vdisr_el2 : cpu->sys.esr_el1,
                          (masked ? BIT(31) : (u64)EC_SERROR << 26 | BIT(25)) | s->asked);
        ck_assert(!bit(cpu->sys.hcr_el2, 8));
    }
}
END_TEST

/* The same before ERET: the return has not been made. With SCR_EL3.{EA,NMEA} = {1,1} EL3 needs no IESB. */
START_TEST(implicit_at_return)
{
    at(1, false, 0, 0);
    iesb(1);
    exception_return(cpu, 0x5000, 0);
    ck_assert(cpu->ps.el == 1 && !pending());
    ck_assert_uint_eq(cpu->pc, 0x10380);
    ck_assert_uint_eq(cpu->sys.elr_el1, PC);
    at(1, false, 0, 0);
    exception_return(cpu, 0x5000, 0);
    ck_assert(cpu->ps.el == 0 && pending() && cpu->pc == 0x5000);
    at(3, true, BIT(EA) | BIT(NMEA), 0);
    exception_return(cpu, 0x5000, 5);
    ck_assert(cpu->ps.el == 3 && !pending());
    ck_assert_uint_eq(cpu->sys.elr_el3, PC);
    at(3, true, BIT(EA), 0);
    exception_return(cpu, 0x5000, 5 | 1 << 8);
    ck_assert(cpu->ps.el == 1 && pending());
}
END_TEST

/* Synchronous external aborts: HCR_EL2.TEA routes them, SCR_EL3.EASE gives them the vector of SErrors. */
START_TEST(external_aborts)
{
    struct fault f = { .kind = FAULT_EXTERNAL, .fsc = 0x10 };
    at(1, true, 0, BIT(TEA));
    cpu->lines = 0;
    exc_abort(cpu, &f, 0x2000, ACC_READ);
    exception_take(cpu);
    ck_assert(cpu->ps.el == 2 && cpu->pc == 0x20400);
    f.kind = FAULT_PERMISSION;
    at(1, true, 0, BIT(TEA));
    cpu->lines = 0;
    exc_abort(cpu, &f, 0x2000, ACC_READ);
    exception_take(cpu);
    ck_assert(cpu->ps.el == 1);
    f.kind = FAULT_EXTERNAL;
    for (unsigned ease = 0; ease < 2; ease++) {
        at(1, true, BIT(EA) | (ease ? BIT(EASE) : 0), 0);
        cpu->lines = 0;
        exc_abort(cpu, &f, 0x2000, ACC_READ);
        u64 vector = exception_vector(cpu, &cpu->d.exc);
        exception_take(cpu);
        ck_assert_uint_eq(cpu->pc, vector);
        ck_assert_uint_eq(cpu->pc, ease ? 0x30580 : 0x30400);
        ck_assert_uint_eq(cpu->sys.esr_el3 >> 26, EC_DABT_LOWER);
    }
}
END_TEST

START_TEST(reset_forgets)
{
    at(1, true, 0, 0);
    cpu_reset(cpu);
    ck_assert(!pending() && !cpu->serror_iss);
}
END_TEST

Suite *test_serror_suite(void)
{
    Suite *s = suite_create("serror");
    TCase *t = tcase_create("serror");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, taken);
    tcase_add_test(t, deferred_by_esb);
    tcase_add_test(t, implicit_at_entry);
    tcase_add_test(t, implicit_at_return);
    tcase_add_loop_test(t, syndrome, 0, ARRAY_LEN(syndromes));
    tcase_add_loop_test(t, syndrome_of_a_virtual_one, 0, ARRAY_LEN(syndromes));
    tcase_add_test(t, external_aborts);
    tcase_add_test(t, reset_forgets);
    suite_add_tcase(s, t);
    return s;
}
