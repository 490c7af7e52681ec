/*
 * The timeline: what it answers is held against a plain list of all that happened, which the test keeps itself; it is
 * the same after ways back, and within its bounds when the run is longer than what it keeps.
 */
#include "board/observer.h"
#include "debug/reverse.h"
#include "debug/timeline_internal.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/rounds.h"

#define BASE ((u64)0x40000000)
enum { TABLE = 0x100000, VECTORS_EL2 = 0xc00, VECTORS_EL1 = 0x1200, MOST = 200000, CUTS = 97 };

/* Each PE sets EL2 up, with its number + 1 as VMID, and goes round at EL1:
 *
 *     1: hvc #1; add x20, x20, #1; svc #2; tst x20, #15; b.ne 1b; read the counter into x1; add x1, x1, #4; wfit x1;
 * hvc #3; b 1b
 *
 * The handlers are: EL2's add, nop, eret; EL1's add, eret. */
static const u32 words[] = {
    // clang-format off
        0x10004000, 0xd51cc000, 0xd53800a1, 0x92400421, 0x91000421, 0xd2a80202, 0xaa01c042, 0xd51c2102,
        0xd286ab22, 0xf2b00042, 0xd51c2142, 0xd2800022, 0xf2b00002, 0xd51c1102, 0x100000c0, 0xd51c4020,
        0xd28078a0, 0xd51c4000, 0xd5033fdf, 0xd69f03e0, 0x10007d80, 0xd518c000, 0xd5033fdf, 0xd4000022,
        0x91000694, 0xd4000041, 0xf2400e9f, 0x54ffff81, 0xd53be041, 0x91001021, 0xd5031021, 0xd4000062,
        0x17fffff7,
    // clang-format on
};
static const u32 handler_el2[] = { 0x910006b5, 0xd503201f, 0xd69f03e0 }, handler_el1[] = { 0x910006d6, 0xd69f03e0 };

/* ---- the list ---- */

struct stay {
    u64 from, to;
    u32 el;
    s32 vmid;
};
struct list {
    struct machine *m;
    struct stay stay[MOST];
    u64 at[MOST]; /* of exceptions */
    u8 to_el[MOST], ec[MOST];
    unsigned stays, exceptions;
    u64 since;
    u64 sleeps;
};

static void stay_end(struct list *l, const struct cpu *cpu, u64 at, u32 el, s32 vmid)
{
    (void)cpu;
    ck_assert_uint_lt(l->stays, MOST);
    l->stay[l->stays++] = (struct stay){ l->since, at, el, vmid };
    l->since = at;
}
static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct list *l = ctx;
    const u64 at = stops_position(l->m);
    stay_end(l, cpu, at, cpu->ps.el, cpu_guest(cpu));
    l->at[l->exceptions] = at;
    l->to_el[l->exceptions] = exc->target_el;
    l->ec[l->exceptions++] = exc->ec;
}
static void returned(void *ctx, struct cpu *cpu, u64 from_pc)
{
    struct list *l = ctx;
    const bool by_el2 = from_pc - BASE < VECTORS_EL1;
    stay_end(l, cpu, stops_position(l->m) + 1, by_el2 ? 2 : 1, by_el2 ? NO_GUEST : cpu_guest(cpu));
}
static void halted(void *ctx, struct cpu *cpu) { ((struct list *)ctx)->sleeps += cpu->halted == HALT_NONE; }
static const struct hooks list_hooks = { .exception = exception, .exception_return = returned, .halted = halted };

static struct fixture *machine_of(u32 cpus, enum engine engine)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->cpu = "max";
    c->options.cpu_count = cpus;
    c->options.virtualization = 1;
    c->engine = engine;
    fixture_make(f, c);
    ck_assert(phys_copy_in(&f->m->d.phys, BASE, words, sizeof(words)));
    ck_assert(phys_copy_in(&f->m->d.phys, BASE + VECTORS_EL2, handler_el2, sizeof(handler_el2)));
    ck_assert(phys_copy_in(&f->m->d.phys, BASE + VECTORS_EL1, handler_el1, sizeof(handler_el1)));
    poke(f, BASE + TABLE + 8, BASE | 0x7fd, 8); /* stage 2: a block of 1 GiB, to itself */
    f->m->conduit = CONDUIT_SMC;
    f->m->entry_el = 2;
    for (u32 n = 0; n < cpus; n++)
        machine_cpu_enter(f->m, &f->m->d.cpu[n], 2, BASE, 0);
    return f;
}

static u64 random_below(u64 *seed, u64 limit)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (*seed >> 33) % limit;
}

/* ---- one PE ---- */

static u64 overlap(u64 a, u64 b, u64 from, u64 to)
{
    a = a < from ? from : a;
    b = b > to ? to : b;
    return a < b ? b - a : 0;
}

/* A stretch, from the list. */
static struct timeline_share share_of(const struct list *l, u64 from, u64 to)
{
    struct timeline_share s = { .exits = 0 };
    for (unsigned n = 0; n < l->stays; n++) {
        const u64 part = overlap(l->stay[n].from, l->stay[n].to, from, to);
        s.el[l->stay[n].el] += part;
        s.vm[l->stay[n].vmid == NO_GUEST ? 0 : 1] += part;
    }
    for (unsigned n = 0; n < l->exceptions; n++) {
        const bool in = l->at[n] >= from && l->at[n] < to;
        s.exceptions += in;
        s.exits += in && l->to_el[n] == 2;
    }
    return s;
}

static void share_check(const struct timeline_share *is, const struct timeline_share *should, u64 from, u64 to)
{
    for (unsigned el = 0; el < 4; el++)
        ck_assert_msg(is->el[el] == should->el[el], "EL%u of %llu..%llu: %llu, not %llu", el, (unsigned long long)from,
                      (unsigned long long)to, (unsigned long long)is->el[el], (unsigned long long)should->el[el]);
    ck_assert_uint_eq(is->vm[0], should->vm[0]);
    ck_assert_uint_eq(is->vm[1], should->vm[1]);
    ck_assert_uint_eq(is->exceptions, should->exceptions);
    ck_assert_uint_eq(is->exits, should->exits);
    ck_assert_uint_eq(is->interrupts, 0);
}

/* Looks that are finer than the sums, and the whole. */
static void looks_check(struct timeline *t, const struct list *l, u64 last)
{
    static struct timeline_share out[CUTS];
    const struct timeline_range r = timeline_range(t);
    u64 seed = 1;
    ck_assert_uint_eq(r.to, last + 1);
    ck_assert_uint_eq(r.kept, r.from);
    for (unsigned round = 0; round < rounds(20); round++) {
        const u64 from = random_below(&seed, last - 2000), to = from + CUTS + random_below(&seed, 600);
        timeline_query(t, 0, from, to, CUTS, out);
        for (unsigned n = 0; n < CUTS; n++) {
            const u64 a = from + (to - from) * n / CUTS, b = from + (to - from) * (n + 1) / CUTS;
            const struct timeline_share s = share_of(l, a, b);
            share_check(&out[n], &s, a, b);
        }
    }
    struct timeline_share whole;
    const struct timeline_share should = share_of(l, 0, last + 1);
    timeline_query(t, TIMELINE_ALL, r.from, r.to, 1, &whole);
    share_check(&whole, &should, 0, last + 1);
    ck_assert_uint_eq(whole.sleeps, l->sleeps);
    ck_assert_uint_gt(whole.slept_ns, 0);
}

static void events_check(struct timeline *t, const struct list *l, u64 last)
{
    static struct timeline_event e[2 * MOST];
    unsigned seen = 0, count = timeline_events(t, 0, 0, last + 1, 2 * MOST, e);
    for (unsigned n = 0; n < count; n++) {
        char text[TIMELINE_WORDS];
        timeline_event_words(t, &e[n], text);
        if (e[n].type == TIMELINE_RETURN)
            ck_assert_msg(!strcmp(text, e[n].vmid == NO_GUEST ? "return to EL1" : "return to EL1, VMID 1"), "%s", text);
        if (e[n].type != TIMELINE_EXCEPTION)
            continue;
        ck_assert_uint_eq(e[n].at, l->at[seen]);
        ck_assert_uint_eq(e[n].el, l->to_el[seen]);
        ck_assert(e[n].known);
        ck_assert_msg(!strcmp(text, l->ec[seen] == EC_SVC    ? "exception to EL1: SVC: imm 0x2"
                                    : e[n].pc == BASE + 0x5c ? "exit to EL2: HVC: imm 0x1"
                                                             : "exit to EL2: HVC: imm 0x3"),
                      "%s", text);
        seen++;
    }
    ck_assert_uint_eq(seen, l->exceptions);
}

/* From place to place, both ways. */
static void search_check(struct timeline *t, const struct list *l)
{
    static const struct timeline_search search = { .cpu = TIMELINE_ALL, .kind = -1, .exits = true, .words = "hvc" };
    u64 seed = 2;
    for (unsigned round = 0; round < rounds(200); round++) {
        const unsigned n = 1 + (unsigned)random_below(&seed, l->exceptions - 4);
        const u64 from = l->at[n] - (n & 1);
        unsigned next = 0, last = l->exceptions;
        while (l->at[next] <= from || l->to_el[next] != 2)
            next++;
        while (l->at[--last] >= from || l->to_el[last] != 2) {}
        struct timeline_found f = timeline_next(t, from, true, &search);
        ck_assert(f.found && f.exact && f.event.at == l->at[next]);
        f = timeline_next(t, from, false, &search);
        ck_assert(f.found && f.exact && f.event.at == l->at[last]);
    }
    ck_assert(!timeline_next(t, 0, true, &(struct timeline_search){ .cpu = 0, .kind = -1, .words = "smc" }).found);
    ck_assert(!timeline_next(t, 0, true, &(struct timeline_search){ .cpu = 1, .kind = -1 }).found);
}

static void kinds_check(struct timeline *t, const struct list *l)
{
    u64 hvc = 0, svc = 0;
    for (unsigned n = 0; n < l->exceptions; n++)
        *(l->to_el[n] == 2 ? &hvc : &svc) += 1;
    const struct timeline_kind *a = timeline_kind(t, 0), *b = timeline_kind(t, 1);
    char text[TIMELINE_WORDS];
    timeline_kind_words(a, text);
    ck_assert_str_eq(text, "HVC");
    timeline_kind_words(b, text);
    ck_assert_str_eq(text, "SVC");
    ck_assert(timeline_is_exit(a) && !timeline_is_exit(b) && !timeline_kind(t, 2));
    ck_assert_uint_eq(a->count, hvc);
    ck_assert_uint_eq(b->count, svc);
    ck_assert_uint_ge(a->returned + 1, hvc);
    ck_assert_uint_eq(a->insns, 3 * a->returned); /* add, nop, eret */
    ck_assert_uint_eq(a->first, l->at[0]);
}

START_TEST(one_pe)
{
    for (unsigned engine = 0; engine < 2; engine++) {
        struct fixture *f = machine_of(1, engine ? ENGINE_STEP : ENGINE_THREADED);
        struct list *l = calloc(1, sizeof(*l));
        struct timeline *t = timeline_create(f->m);
        ck_assert(l && t);
        l->m = f->m;
        observer_attach(f->m, &list_hooks, l, WANT_ALL);
        machine_run(f->m, 300000);
        stay_end(l, &f->m->d.cpu[0], machine_insns(f->m), f->m->d.cpu[0].ps.el, cpu_guest(&f->m->d.cpu[0]));
        looks_check(t, l, machine_insns(f->m));
        events_check(t, l, machine_insns(f->m));
        search_check(t, l);
        kinds_check(t, l);
        observer_detach(f->m, &list_hooks, l);
        timeline_destroy(t);
        free(l);
        fixture_close(f);
    }
}
END_TEST

/* ---- several PEs ---- */

static u64 share_sum(const struct timeline_share *s) { return s->el[0] + s->el[1] + s->el[2] + s->el[3]; }

START_TEST(two_pes)
{
    static struct timeline_share out[CUTS], again[8];
    struct fixture *f = machine_of(2, ENGINE_THREADED);
    struct timeline *t = timeline_create(f->m);
    s32 vmid[TIMELINE_VMS];
    machine_run(f->m, 1000000);
    ck_assert_uint_eq(timeline_vms(t, vmid), 3);
    for (u32 n = 0; n < 2; n++) {
        u64 sum = 0, exits = 0;
        timeline_query(t, (s32)n, 0, machine_insns(f->m) + 1, CUTS, out);
        for (unsigned k = 0; k < CUTS; k++) {
            sum += share_sum(&out[k]);
            exits += out[k].exits;
            ck_assert_uint_eq(out[k].vm[1 + (vmid[1] == (s32)n + 1)], 0); /* the other's */
            /* the same from events, where a wider stretch of the sums is taken as even */
            const u64 from = (machine_insns(f->m) + 1) * k / CUTS, to = (machine_insns(f->m) + 1) * (k + 1) / CUTS;
            u64 fine = 0;
            timeline_query(t, (s32)n, from, to, ARRAY_LEN(again), again);
            for (unsigned i = 0; i < ARRAY_LEN(again); i++)
                fine += again[i].exits;
            ck_assert_int_le(labs((long)fine - (long)out[k].exits), 30);
        }
        ck_assert_uint_eq(sum, f->m->d.cpu[n].insns);
        u64 counted = 0;
        for (unsigned k = 0; timeline_kind(t, k); k++)
            if (timeline_is_exit(timeline_kind(t, k)) && timeline_kind(t, k)->key.vmid == (s32)n + 1)
                counted += timeline_kind(t, k)->count;
        ck_assert_uint_eq(exits, counted);
    }
    timeline_destroy(t);
    fixture_close(f);
}
END_TEST

/* ---- a long run ---- */

START_TEST(bounded)
{
    struct fixture *f = machine_of(1, ENGINE_THREADED);
    struct timeline *t = timeline_create(f->m);
    struct timeline_share whole;
    machine_run(f->m, 6000000);
    const struct timeline_range r = timeline_range(t);
    ck_assert_uint_eq(t->blocks, BLOCKS);
    ck_assert(r.kept > r.from && r.kept < r.to);
    timeline_query(t, 0, r.from, r.to, 1, &whole);
    ck_assert_uint_eq(share_sum(&whole), machine_insns(f->m));
    ck_assert_uint_eq(whole.exits, timeline_kind(t, 0)->count);
    ck_assert_uint_eq(whole.exceptions, timeline_kind(t, 0)->count + timeline_kind(t, 1)->count);
    const struct timeline_search search = { .cpu = 0, .kind = 1 };
    struct timeline_found found = timeline_next(t, 10000, true, &search);
    ck_assert(found.found && !found.exact && found.from < 12288 && found.to > 10001);
    found = timeline_next(t, r.kept + 1000, true, &search);
    ck_assert(found.found && found.exact && found.event.at > r.kept + 1000 && found.event.at < r.kept + 1100);
    found = timeline_next(t, r.kept, false, &search);
    ck_assert(found.found && !found.exact && found.from < r.kept);
    ck_assert(!timeline_next(t, r.from, false, &search).found);
    timeline_destroy(t);
    fixture_close(f);
}
END_TEST

/* ---- ways back ---- */

static void same_check(struct timeline *a, struct timeline *b, u64 last)
{
    static struct timeline_share out[2][CUTS];
    static struct timeline_event e[2][MOST];
    for (u64 from = 0; from < last; from += last / 7) {
        timeline_query(a, TIMELINE_ALL, from, from + last / 7, CUTS, out[0]);
        timeline_query(b, TIMELINE_ALL, from, from + last / 7, CUTS, out[1]);
        ck_assert(!memcmp(out[0], out[1], sizeof(out[0])));
    }
    unsigned count = timeline_events(a, TIMELINE_ALL, 0, last + 1, MOST, e[0]);
    ck_assert_uint_eq(count, timeline_events(b, TIMELINE_ALL, 0, last + 1, MOST, e[1]));
    for (unsigned n = 0; n < count; n++) {
        ck_assert_uint_eq(e[0][n].at, e[1][n].at);
        ck_assert_int_eq(e[0][n].type, e[1][n].type);
        ck_assert_int_eq(e[0][n].kind, e[1][n].kind);
    }
    for (unsigned n = 0; timeline_kind(a, n); n++) {
        const struct timeline_kind *one = timeline_kind(a, n), *other = timeline_kind(b, n);
        ck_assert(other && !memcmp(&one->key, &other->key, sizeof(one->key)) && one->count == other->count &&
                  one->insns == other->insns && one->returned == other->returned && one->first == other->first);
    }
}

START_TEST(back_and_again)
{
    enum { LAST = 200000 };
    struct fixture *straight = machine_of(2, ENGINE_THREADED), *f = machine_of(2, ENGINE_THREADED);
    struct timeline *t = timeline_create(straight->m), *u = timeline_create(f->m);
    struct stops stops;
    u64 seed = 3;
    machine_run(straight->m, LAST);
    stops_init(&stops, f->m);
    struct reverse *r = reverse_create(f->m);
    for (u64 at = 0; at < LAST; at += 17321) {
        reverse_run(r, at < LAST ? at : LAST);
        for (unsigned n = 0; n < 4; n++)
            ck_assert(reverse_goto(r, &stops, random_below(&seed, machine_insns(f->m) + 1)));
    }
    reverse_run(r, LAST);
    same_check(t, u, LAST);
    ck_assert_uint_eq(machine_hash(f->m), machine_hash(straight->m));
    reverse_destroy(r);
    stops_end(&stops);
    timeline_destroy(t);
    timeline_destroy(u);
    fixture_close(f);
    fixture_close(straight);
}
END_TEST

/* What comes after a change is another future: the sums of the cut stretch stay as they are, all else is forgotten. */
START_TEST(cut)
{
    struct fixture *f = machine_of(1, ENGINE_THREADED);
    struct timeline *t = timeline_create(f->m);
    struct stops stops;
    struct timeline_event e;
    struct timeline_share s;
    stops_init(&stops, f->m);
    struct reverse *r = reverse_create(f->m);
    reverse_run(r, 50000);
    ck_assert(reverse_goto(r, &stops, 20000));
    ck_assert_uint_eq(timeline_range(t).to, 50001);
    timeline_cut(t);
    ck_assert_uint_eq(timeline_range(t).to, 20001);
    ck_assert_uint_eq(timeline_events(t, 0, 20001, NEVER, 1, &e), 0);
    ck_assert_uint_eq(timeline_events(t, 0, 19900, NEVER, 1, &e), 1);
    reverse_run(r, 60000);
    timeline_query(t, 0, 20480, 60001, 1, &s);
    ck_assert_uint_eq(share_sum(&s), 60000 - 20480);
    ck_assert_uint_eq(timeline_events(t, 0, 59900, NEVER, 1, &e), 1);
    reverse_destroy(r);
    stops_end(&stops);
    timeline_destroy(t);
    fixture_close(f);
}
END_TEST

Suite *test_timeline_suite(void);
Suite *test_timeline_suite(void)
{
    Suite *s = suite_create("timeline");
    TCase *t = tcase_create("timeline");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, one_pe);
    tcase_add_test(t, two_pes);
    tcase_add_test(t, bounded);
    tcase_add_test(t, back_and_again);
    tcase_add_test(t, cut);
    suite_add_tcase(s, t);
    return s;
}
