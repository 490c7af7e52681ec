/* Observers: a list in which order does not matter, and what the core sees of it. */
#include "board/observer.h"
#include "cpu/engine/run.h"
#include "cpu/exception.h"
#include "debug/stops.h"
#include "tests/unit/board_fixture.h"

#define BASE ((u64)0x40000000)
enum { LOOP = 8, ROUND = 8, VECTORS = 0x800, DATA = 0x400000 };

static struct observer at_first; /* what the core sees of a new machine */
static const struct observer *seen(struct fixture *f) { return f->m->d.cpu[0].d.host.observer; }

/* Two PEs, so that one runs and the other is off. PE 0 goes round: a store, a load, a register that is written, a
 * device that is asked for a register that it does not have, a call. */
static struct fixture *machine_of(enum engine engine)
{
    static const u32 words[] = {
        0xd2a80801, /* movz x1, #0x4040, lsl 16 */
        0xd2a12003, /* movz x3, #0x900, lsl 16 */
        0xf9000020, /* str x0, [x1] */
        0xf9400022, /* ldr x2, [x1] */
        0xd51bd040, /* msr tpidr_el0, x0 */
        0xb9400864, /* ldr w4, [x3, #8] */
        0xd4000001, /* svc #0 */
        0x91000400, /* add x0, x0, #1 */
        0x17fffffa, /* b 2b */
    };
    static const u32 eret = 0xd69f03e0;
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.cpu_count = 2;
    c->engine = engine;
    fixture_make(f, c);
    at_first = *seen(f);
    ck_assert(phys_copy_in(&f->m->d.phys, BASE, words, sizeof(words)));
    ck_assert(phys_copy_in(&f->m->d.phys, BASE + VECTORS + 0x200, &eret, sizeof(eret)));
    f->m->conduit = CONDUIT_HVC;
    f->m->entry_el = 1;
    machine_cpu_enter(f->m, &f->m->d.cpu[0], 1, BASE, 0);
    f->m->d.cpu[0].sys.vbar_el1 = BASE + VECTORS;
    return f;
}

/* ---- an observer that keeps a record ---- */

struct seer {
    struct machine *m;
    u64 calls[HOOKS];
    u64 sum;          /* of all that it was told, in order */
    u64 stops_at;     /* pc, 0: nowhere */
    u64 stops_access; /* va */
    u64 page, data;   /* what it says of which page */
    u64 in_data;      /* accesses to the page of DATA that it was told of */
    /* What it does when an exception is told. */
    const struct hooks *detaches, *attaches;
    struct seer *whom[2]; /* detached, attached */
    u64 heard;            /* exceptions that the one had heard of when it was detached */
};

static void note(struct seer *s, enum hook hook, u64 a, u64 b)
{
    s->calls[hook]++;
    s->sum = ((s->sum ^ hook ^ a << 8 ^ b << 13) * 0x9e3779b97f4a7c15) ^ s->sum >> 31;
}
/* Questions are counted only: how often they are put depends on what others answer. */
static bool page(void *ctx, struct cpu *cpu, u64 va)
{
    struct seer *s = ctx;
    (void)cpu;
    s->calls[HOOK_NUMBER_page]++;
    return s->page && va == s->page;
}
static bool data(void *ctx, struct cpu *cpu, u64 va, u64 pa)
{
    struct seer *s = ctx;
    (void)cpu;
    (void)va;
    s->calls[HOOK_NUMBER_data]++;
    return s->data && (pa & ~0xfffull) == s->data;
}
static bool before(void *ctx, struct cpu *cpu, u64 pc, u32 insn)
{
    struct seer *s = ctx;
    (void)cpu;
    note(s, HOOK_NUMBER_before, pc, insn);
    if (!s->stops_at || pc != s->stops_at)
        return true;
    machine_end(s->m, END_REQUEST, 0, "");
    return false;
}
static bool access(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write)
{
    struct seer *s = ctx;
    (void)cpu;
    (void)size;
    note(s, HOOK_NUMBER_access, va ^ pa, write);
    if (!s->stops_access || va != s->stops_access)
        return true;
    machine_end(s->m, END_REQUEST, 0, "");
    return false;
}
static void insn(void *ctx, struct cpu *cpu, u64 pc, u32 word)
{
    (void)cpu;
    note(ctx, HOOK_NUMBER_insn, pc, word);
}
static void after(void *ctx, struct cpu *cpu, u64 pc, u32 word) { note(ctx, HOOK_NUMBER_after, pc ^ cpu->x[0], word); }
static void memory(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write, u64 value)
{
    struct seer *s = ctx;
    (void)cpu;
    s->in_data += (pa & ~0xfffull) == BASE + DATA;
    note(s, HOOK_NUMBER_memory, va ^ pa, value ^ size << 8 ^ write);
}
static void exception(void *ctx, struct cpu *cpu, const struct exc *exc);
static void exception_return_seen(void *ctx, struct cpu *cpu, u64 from_pc)
{
    note(ctx, HOOK_NUMBER_exception_return, from_pc, cpu->pc);
}
static void guest_error(void *ctx, struct cpu *cpu, const char *device, const char *why, u64 offset, unsigned size,
                        bool write, u64 value)
{
    (void)cpu;
    (void)device;
    (void)why;
    note(ctx, HOOK_NUMBER_guest_error, offset, size ^ write ^ value);
}
static void dma(void *ctx, const struct dma_note *n) { note(ctx, HOOK_NUMBER_dma, n->address, n->size); }
static void device(void *ctx, struct cpu *cpu, unsigned row, unsigned number, u64 offset, unsigned size, bool write,
                   u64 value)
{
    (void)cpu;
    note(ctx, HOOK_NUMBER_device, row + number + offset, size ^ write ^ value);
}
static void line(void *ctx, unsigned row, unsigned number, unsigned wire, bool high)
{
    note(ctx, HOOK_NUMBER_line, row + number, wire ^ high);
}
static void reset(void *ctx, struct cpu *cpu) { note(ctx, HOOK_NUMBER_reset, cpu->index, cpu->pc); }
static void sysreg_written(void *ctx, struct cpu *cpu, unsigned row, u64 value)
{
    (void)cpu;
    note(ctx, HOOK_NUMBER_sysreg_written, row, value);
}
static void halted(void *ctx, struct cpu *cpu) { note(ctx, HOOK_NUMBER_halted, cpu->index, cpu->halted); }
static const struct hooks all_hooks = {
#define HOOK(how, name, parameters, arguments) .name = CALLED_##name,
#define CALLED_page             page
#define CALLED_data             data
#define CALLED_before           before
#define CALLED_access           access
#define CALLED_insn             insn
#define CALLED_after            after
#define CALLED_memory           memory
#define CALLED_exception        exception
#define CALLED_exception_return exception_return_seen
#define CALLED_guest_error      guest_error
#define CALLED_device           device
#define CALLED_line             line
#define CALLED_dma              dma
#define CALLED_reset            reset
#define CALLED_sysreg_written   sysreg_written
#define CALLED_halted           halted
#include "cpu/observer.def"
};
static const struct hooks some_hooks = { .exception = exception, .after = after };

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct seer *s = ctx;
    note(s, HOOK_NUMBER_exception, cpu->pc, exc->ec);
    if (s->detaches)
        s->heard = s->whom[0]->calls[HOOK_NUMBER_exception], observer_detach(s->m, s->detaches, s->whom[0]);
    if (s->attaches)
        observer_attach(s->m, s->attaches, s->whom[1], WANT_ALL);
    s->detaches = s->attaches = NULL;
}

/* ---- what the core sees ---- */

/* The core sees what it saw at first: no hook is there but what the machine itself wants. */
static void assert_nobody(struct fixture *f)
{
    const struct observer *o = seen(f);
    ck_assert(!memcmp(o, &at_first, sizeof(*o)));
#define NONE(name) ck_assert_msg(!o->name, #name " is called")
    NONE(page);
    NONE(data);
    NONE(before);
    NONE(access);
    NONE(insn);
    NONE(after);
    NONE(memory);
    NONE(guest_error);
    NONE(device);
    NONE(line);
    NONE(dma);
    NONE(reset);
    NONE(sysreg_written);
    NONE(halted);
    for (u32 n = 0; n < f->m->options.cpu_count; n++)
        ck_assert(!(f->m->d.cpu[n].d.stepping & STEPPING_ALL));
}

START_TEST(nobody_looks)
{
    struct fixture *f = machine_of(ENGINE_THREADED);
    assert_nobody(f);
    ck_assert(&f->m->d.observers->seen == seen(f));
    fixture_close(f);
}
END_TEST

/* One that wants a hook is called by the core itself, several by a function that goes round. */
START_TEST(one_is_called_straight)
{
    struct fixture *f = machine_of(ENGINE_THREADED);
    struct seer a = { .m = f->m }, b = { .m = f->m };
    const struct observer *o = seen(f);
    observer_attach(f->m, &all_hooks, &a, WANT_after | WANT_before | WANT_memory);
    ck_assert(o->after == after && o->after_ctx == &a && o->before == before && o->before_ctx == &a && !o->insn);
    ck_assert(o->exception == at_first.exception && !o->data && !o->sysreg_written);
    observer_attach(f->m, &some_hooks, &b, WANT_ALL); /* of what it has functions for */
    ck_assert(o->after && o->after != after && o->after_ctx != &a && o->after_ctx != &b);
    ck_assert(o->exception && o->exception != at_first.exception && o->memory == memory && !o->page && !o->reset);
    observer_detach(f->m, &all_hooks, &a);
    ck_assert(o->after == after && o->after_ctx == &b && !o->before && !o->memory);
    observer_detach(f->m, &some_hooks, &b);
    assert_nobody(f);
    fixture_close(f);
}
END_TEST

/* ---- order ---- */

static const u8 orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

/* Three that want different things, attached and detached in any order: each is told the same, and the guest does the
 * same as alone. */
START_TEST(order_does_not_matter)
{
    enum { INSNS = 4000 };
    for (unsigned engine = 0; engine < ENGINES; engine++) {
        struct seer first[3] = { 0 };
        struct fixture *f = machine_of(engine);
        machine_run(f->m, INSNS);
        u64 hash = machine_hash(f->m);
        fixture_close(f);
        for (unsigned n = 0; n < ARRAY_LEN(orders) * ARRAY_LEN(orders); n++) {
            const u8 *in = orders[n / ARRAY_LEN(orders)], *out = orders[n % ARRAY_LEN(orders)];
            f = machine_of(engine);
            struct seer s[3] = { { .m = f->m, .data = BASE + DATA },
                                 { .m = f->m, .page = BASE, .stops_at = BASE + LOOP },
                                 { .m = f->m } };
            static const u32 wants[3] = { WANT_data | WANT_memory | WANT_access | WANT_exception_return,
                                          WANT_page | WANT_before | WANT_after | WANT_exception,
                                          WANT_ALL & ~(u32)(WANT_page | WANT_data) };
            for (unsigned k = 0; k < 3; k++)
                observer_attach(f->m, &all_hooks, &s[in[k]], wants[in[k]]);
            ck_assert_int_eq(machine_run(f->m, INSNS).kind, END_REQUEST);
            ck_assert_uint_eq(machine_insns(f->m), 2);
            s[1].stops_at = 0;
            ck_assert_int_eq(machine_run(f->m, INSNS / 2).kind, END_INSNS);
            ck_assert(memcmp(seen(f), &at_first, sizeof(at_first)));
            observer_detach(f->m, &all_hooks, &s[out[0]]);
            observer_detach(f->m, &all_hooks, &s[out[1]]);
            observer_detach(f->m, &all_hooks, &s[out[2]]);
            assert_nobody(f);
            ck_assert_int_eq(machine_run(f->m, INSNS).kind, END_INSNS);
            ck_assert_uint_eq(machine_hash(f->m), hash);
            for (unsigned k = 0; k < 3; k++) {
                s[k].calls[HOOK_NUMBER_page] = s[k].calls[HOOK_NUMBER_data] = 0;
                if (!n)
                    first[k] = s[k];
                ck_assert_uint_eq(s[k].sum, first[k].sum);
                ck_assert(!memcmp(s[k].calls, first[k].calls, sizeof(s[k].calls)));
                for (unsigned hook = 0; hook < HOOKS; hook++)
                    if (hook != HOOK_NUMBER_page && hook != HOOK_NUMBER_data && hook != HOOK_NUMBER_reset &&
                        hook != HOOK_NUMBER_line && hook != HOOK_NUMBER_dma && hook != HOOK_NUMBER_halted)
                        ck_assert_msg(!s[k].calls[hook] == !(wants[k] >> hook & 1), "observer %u, hook %u: %llu calls",
                                      k, hook, (unsigned long long)s[k].calls[hook]);
            }
            fixture_close(f);
        }
    }
}
END_TEST

/* Attached twice: called once, for what was wanted last. Detached when it is not there: nothing. */
START_TEST(twice)
{
    struct fixture *f = machine_of(ENGINE_STEP);
    struct seer a = { .m = f->m };
    observer_attach(f->m, &all_hooks, &a, WANT_exception | WANT_after);
    observer_attach(f->m, &all_hooks, &a, WANT_exception | WANT_insn);
    machine_run(f->m, 2 + 2 * ROUND);
    ck_assert_uint_eq(a.calls[HOOK_NUMBER_exception], 2);
    ck_assert_uint_eq(a.calls[HOOK_NUMBER_insn], 2 + 2 * ROUND);
    ck_assert_uint_eq(a.calls[HOOK_NUMBER_after], 0);
    observer_detach(f->m, &some_hooks, &a); /* the same ctx, other functions: another one */
    ck_assert_ptr_nonnull(seen(f)->insn);
    observer_detach(f->m, &all_hooks, &a);
    assert_nobody(f);
    observer_detach(f->m, &all_hooks, &a);
    assert_nobody(f);
    fixture_close(f);
}
END_TEST

/* ---- hooks with an answer ---- */

/* All are asked, whoever stops; nobody is told of the instruction until nobody stops. */
START_TEST(before_asks_all)
{
    for (unsigned order = 0; order < ARRAY_LEN(orders); order++) {
        struct fixture *f = machine_of(ENGINE_STEP);
        struct seer s[3] = { { .m = f->m, .stops_at = BASE + LOOP },
                             { .m = f->m, .stops_at = BASE + LOOP },
                             { .m = f->m } };
        for (unsigned k = 0; k < 3; k++)
            observer_attach(f->m, &all_hooks, &s[orders[order][k]], WANT_before | WANT_insn);
        for (unsigned stopper = 0; stopper < 2; stopper++) {
            ck_assert_int_eq(machine_run(f->m, 100).kind, END_REQUEST);
            ck_assert_uint_eq(f->m->d.cpu[0].pc, BASE + LOOP);
            for (unsigned k = 0; k < 3; k++) {
                ck_assert_uint_eq(s[k].calls[HOOK_NUMBER_before], 3 + stopper);
                ck_assert_uint_eq(s[k].calls[HOOK_NUMBER_insn], 2);
            }
            s[stopper].stops_at = 0;
        }
        machine_run(f->m, 3);
        for (unsigned k = 0; k < 3; k++)
            ck_assert_uint_eq(s[k].calls[HOOK_NUMBER_insn], 3);
        fixture_close(f);
    }
}
END_TEST

START_TEST(access_asks_all)
{
    for (unsigned order = 0; order < 2; order++) {
        struct fixture *f = machine_of(ENGINE_STEP);
        struct seer s[2] = { { .m = f->m, .stops_access = BASE + DATA }, { .m = f->m } };
        observer_attach(f->m, &all_hooks, &s[order], WANT_access | WANT_memory);
        observer_attach(f->m, &all_hooks, &s[!order], WANT_access | WANT_memory);
        ck_assert_int_eq(machine_run(f->m, 100).kind, END_REQUEST);
        ck_assert_uint_eq(machine_insns(f->m), 2);
        ck_assert_uint_eq(s[0].calls[HOOK_NUMBER_access], 1);
        ck_assert_uint_eq(s[1].calls[HOOK_NUMBER_access], 1);
        ck_assert_uint_eq(s[1].calls[HOOK_NUMBER_memory], 0);
        s[0].stops_access = 0;
        machine_run(f->m, 3);
        ck_assert_uint_eq(s[1].calls[HOOK_NUMBER_access], 2);
        ck_assert_uint_eq(s[1].calls[HOOK_NUMBER_memory], 1);
        fixture_close(f);
    }
}
END_TEST

/* A data page that an observer wants to see is seen although its tags were made before; so is a page of code; and
 * neither is seen any more when it has left. */
START_TEST(answers_drop_what_is_derived)
{
    struct fixture *f = machine_of(ENGINE_THREADED);
    struct seer a = { .m = f->m }, b = { .m = f->m, .data = BASE + DATA }, c = { .m = f->m, .page = BASE };
    u64 at = 100000;
    observer_attach(f->m, &all_hooks, &a, WANT_memory | WANT_after); /* sees what others have shown one by one */
    machine_run(f->m, at);
    ck_assert(!engine_threaded || (a.in_data < 1000 && a.calls[HOOK_NUMBER_after] < 2000)); /* at the end of the run */
    u64 in_data = a.in_data;
    observer_attach(f->m, &all_hooks, &b, WANT_data);
    machine_run(f->m, at += 1000 * ROUND);
    ck_assert_uint_eq(a.in_data - in_data, 2000); /* a store and a load a round */
    ck_assert_uint_ge(b.calls[HOOK_NUMBER_data], 1);
    observer_detach(f->m, &all_hooks, &b);
    observer_attach(f->m, &all_hooks, &c, WANT_page);
    u64 was = a.calls[HOOK_NUMBER_after];
    machine_run(f->m, at += 1000 * ROUND);
    ck_assert_uint_eq(a.calls[HOOK_NUMBER_after] - was, 1000 * ROUND);
    c.page = 0;
    observer_answers_changed(f->m);
    machine_run(f->m, at += 2000); /* the end of a run goes one by one */
    was = a.calls[HOOK_NUMBER_after];
    in_data = a.in_data;
    machine_run(f->m, at += 100000);
    ck_assert(!engine_threaded || (a.calls[HOOK_NUMBER_after] - was < 2000 && a.in_data - in_data < 1000));
    observer_detach(f->m, &all_hooks, &c);
    observer_detach(f->m, &all_hooks, &a);
    assert_nobody(f);
    u64 hash = machine_hash(f->m);
    fixture_close(f);
    f = machine_of(ENGINE_THREADED);
    machine_run(f->m, at);
    ck_assert_uint_eq(machine_hash(f->m), hash);
    fixture_close(f);
}
END_TEST

/* Every instruction, as long as one of those that want it is there. */
START_TEST(every_instruction)
{
    struct fixture *f = machine_of(ENGINE_THREADED);
    struct seer a = { .m = f->m }, b = { .m = f->m };
    const struct cpu *cpu = &f->m->d.cpu[0];
    u64 at = 50000;
    machine_run(f->m, at);
    observer_attach(f->m, &all_hooks, &a, WANT_insn | WANT_EVERY);
    ck_assert(cpu->d.stepping & STEPPING_ALL && f->m->d.cpu[1].d.stepping & STEPPING_ALL);
    machine_run(f->m, at += 20000);
    ck_assert_uint_eq(a.calls[HOOK_NUMBER_insn], 20000);
    observer_attach(f->m, &some_hooks, &b, WANT_EVERY);
    observer_detach(f->m, &all_hooks, &a);
    ck_assert(cpu->d.stepping & STEPPING_ALL);
    observer_attach(f->m, &some_hooks, &b, WANT_after);
    ck_assert(!(cpu->d.stepping & STEPPING_ALL) && !(f->m->d.cpu[1].d.stepping & STEPPING_ALL));
    machine_run(f->m, at + 100000);
    ck_assert(!engine_threaded || b.calls[HOOK_NUMBER_after] < 2000);
    fixture_close(f);
}
END_TEST

/* ---- in a hook ---- */

/* An observer has another leave while an exception is told: that hears nothing from then on. Who comes there hears from
 * the next one on, even in the place that became free. Then the first leaves itself. */
START_TEST(in_a_hook)
{
    enum hook told = HOOK_NUMBER_exception;
    for (unsigned order = 0; order < 2 * ARRAY_LEN(orders); order++) {
        struct fixture *f = machine_of(order & 1 ? ENGINE_STEP : ENGINE_THREADED);
        struct seer s[3] = { { .m = f->m }, { .m = f->m }, { .m = f->m } }, comes = { .m = f->m };
        u64 at = 2;
        for (unsigned k = 0; k < 3; k++)
            observer_attach(f->m, &all_hooks, &s[orders[order / 2][k]], WANT_exception);
        machine_run(f->m, at += ROUND);
        for (unsigned k = 0; k < 3; k++)
            ck_assert_uint_eq(s[k].calls[told], 1);
        for (unsigned comer = 0; comer < 2; comer++) {
            observer_attach(f->m, &all_hooks, &s[1], WANT_exception);
            s[0].detaches = &all_hooks;
            s[0].whom[0] = &s[1];
            s[0].attaches = comer ? &all_hooks : NULL;
            s[0].whom[1] = &comes;
            machine_run(f->m, at += ROUND);
            ck_assert_uint_eq(s[1].calls[told], s[0].heard);
            ck_assert_uint_eq(comes.calls[told], 0);
        }
        u64 heard = s[1].calls[told];
        s[0].detaches = &all_hooks;
        s[0].whom[0] = &s[0];
        machine_run(f->m, at + 2 * ROUND);
        ck_assert_uint_eq(s[0].calls[told], 4);
        ck_assert_uint_eq(s[1].calls[told], heard);
        ck_assert_uint_eq(s[2].calls[told], 5);
        ck_assert_uint_eq(comes.calls[told], 2);
        fixture_close(f);
    }
}
END_TEST

/* ---- a debugger's stops ---- */

/* Who looks at instructions sees the one with a breakpoint when it is executed, not when it is stopped at, whether it
 * came before the debugger or after it. */
START_TEST(stops_come_first)
{
    for (unsigned order = 0; order < 2; order++)
        for (unsigned engine = 0; engine < ENGINES; engine++) {
            struct fixture *f = machine_of(engine);
            struct seer a = { .m = f->m };
            static struct stops stops;
            if (order)
                observer_attach(f->m, &all_hooks, &a, WANT_insn | WANT_EVERY);
            stops_init(&stops, f->m);
            if (!order)
                observer_attach(f->m, &all_hooks, &a, WANT_insn | WANT_EVERY);
            struct stop_point *p = stops_new(&stops);
            p->what = ON_INSN;
            p->addr = BASE + LOOP;
            stops_changed(&stops);
            stops_resume(&stops, 0);
            for (unsigned round = 0; round < 3; round++) {
                ck_assert_int_eq(machine_run(f->m, 1000).kind, END_REQUEST);
                ck_assert(stops.pending.hit && stops.pending.point == p);
                ck_assert_uint_eq(a.calls[HOOK_NUMBER_insn], 2 + round * ROUND);
                stops_resume(&stops, 0);
            }
            stops_end(&stops);
            ck_assert(seen(f)->before && !seen(f)->page);
            observer_detach(f->m, &all_hooks, &a);
            assert_nobody(f);
            fixture_close(f);
        }
}
END_TEST

Suite *test_observer_suite(void);
Suite *test_observer_suite(void)
{
    Suite *s = suite_create("observer");
    TCase *t = tcase_create("observer");
    tcase_add_test(t, nobody_looks);
    tcase_add_test(t, one_is_called_straight);
    tcase_add_test(t, order_does_not_matter);
    tcase_add_test(t, twice);
    tcase_add_test(t, before_asks_all);
    tcase_add_test(t, access_asks_all);
    tcase_add_test(t, answers_drop_what_is_derived);
    tcase_add_test(t, every_instruction);
    tcase_add_test(t, in_a_hook);
    tcase_add_test(t, stops_come_first);
    suite_add_tcase(s, t);
    return s;
}
