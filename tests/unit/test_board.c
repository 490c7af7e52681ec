/* The machine: map, clock, turns, events, PSCI, validation and the state hash. */
#include "board/state.h"
#include "tests/unit/board_fixture.h"

#include "cpu/affinity.h"
#include "cpu/exception.h"

#define BASE ((u64)0x40000000)
enum { PSCI_ON = 0x84000003, PSCI_ON_64 = (int)0xc4000003 };

static struct fixture *machine_of(const char *cpu, unsigned cpus, bool el2, bool el3, enum engine engine)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->cpu = cpu;
    c->options.cpu_count = cpus;
    c->options.virtualization = el2;
    c->options.secure = el3;
    c->engine = engine;
    fixture_make(f, c);
    return f;
}

/* Puts a program at BASE and starts PE 0 there. */
static void program(struct fixture *f, const u32 *words, unsigned count)
{
    ck_assert(phys_copy_in(&f->m->d.phys, BASE, words, 4 * (u64)count));
    f->m->conduit = f->m->options.virtualization ? CONDUIT_SMC : CONDUIT_HVC;
    f->m->entry_el = f->m->options.virtualization ? 2 : 1;
    machine_cpu_enter(f->m, &f->m->d.cpu[0], f->m->entry_el, BASE, 0);
}
#define PROGRAM(f, ...)                                                                                                \
    do {                                                                                                               \
        const u32 words_[] = { __VA_ARGS__ };                                                                          \
        program(f, words_, ARRAY_LEN(words_));                                                                         \
    } while (0)

START_TEST(map)
{
    static const u64 absent[] = { 0x08090000,  0x09005000, 0x09020018, 0x0a004000, 0x3f000000, 0x40000000 + (16 << 20),
                                  (u64)1 << 40 };
    struct fixture *f = fixture_open();
    u64 value;
    for (unsigned n = 0; n < ARRAY_LEN(absent); n++)
        ck_assert_msg(!phys_read(&f->m->d.phys, absent[n], 4, (struct phys_attrs){ .ns = 1 }, &value),
                      "something at 0x%llx", (unsigned long long)absent[n]);
    ck_assert(phys_read(&f->m->d.phys, 0x08000004, 4, (struct phys_attrs){ .ns = 1 }, &value));
    ck_assert(!phys_read(&f->m->d.phys, 0x09040000, 4, (struct phys_attrs){ 0 }, &value)); /* secure=off */
    fixture_close(f);
    f = machine_of("cortex-a57", 1, true, true, ENGINE_STEP);
    ck_assert(phys_read(&f->m->d.phys, 0x09040018, 4, (struct phys_attrs){ 0 }, &value));
    ck_assert(!phys_read(&f->m->d.phys, 0x09040018, 4, (struct phys_attrs){ .ns = 1 }, &value));
    ck_assert(phys_read(&f->m->d.phys, 0x0e000000, 4, (struct phys_attrs){ 0 }, &value));
    ck_assert(!phys_read(&f->m->d.phys, 0x0e000000, 4, (struct phys_attrs){ .ns = 1 }, &value));
    fixture_close(f);
}
END_TEST

START_TEST(limit_is_exact)
{
    for (u64 limit = 1; limit < 200000; limit = limit * 3 + 1)
        for (unsigned engine = 0; engine < ENGINES; engine++)
            for (unsigned cpus = 1; cpus <= 2; cpus++) {
                struct fixture *f = machine_of("cortex-a57", cpus, false, false, engine);
                PROGRAM(f, 0x91000400, 0x91000421, 0x17fffffe); /* 1: add x0, x0, #1; add x1, x1, #1; b 1b */
                ck_assert_int_eq(machine_run(f->m, limit).kind, END_INSNS);
                ck_assert_uint_eq(machine_insns(f->m), limit);
                ck_assert_uint_eq(f->m->now, limit);
                ck_assert_uint_eq(f->m->d.cpu[0].x[0], (limit + 2) / 3);
                fixture_close(f);
            }
}
END_TEST

/* The same run however it is cut into pieces, in both engines. */
START_TEST(hash_repeats)
{
    u64 hash[4];
    for (unsigned n = 0; n < 4; n++) {
        struct fixture *f = machine_of("cortex-a57", 1, false, false, n & 1);
        PROGRAM(f, 0xd2a80801, 0xf8008420, 0x91000400,
                0x17fffffe); /* movz x1, #0x4040, lsl 16; 1: str x0, [x1], #8; add; b 1b */
        if (n & 2)
            machine_run(f->m, 7001);
        machine_run(f->m, 50000);
        hash[n] = machine_hash(f->m);
        if (!n)
            ck_assert_uint_eq(load_le64(f->m->d.phys.region[0].host + 0x400000 + 8 * 1000), 1000);
        u64 again = machine_hash(f->m);
        ck_assert_uint_eq(hash[n], again);
        f->m->d.phys.region[0].host[0x400000 + 8 * 1000] ^= 1; /* RAM counts */
        ck_assert_uint_ne(machine_hash(f->m), again);
        f->m->d.phys.region[0].host[0x400000 + 8 * 1000] ^= 1;
        u8 *is = device_field(f, ROW_gpio, 0, "is");
        *is ^= 1; /* so does a device */
        ck_assert_uint_ne(machine_hash(f->m), again);
        *is ^= 1;
        f->m->d.timer_at[1] ^= 1; /* and a timer of one */
        ck_assert_uint_ne(machine_hash(f->m), again);
        f->m->d.timer_at[1] ^= 1;
        f->m->d.cpu[0].v[31].d[1] ^= 1; /* and a PE */
        ck_assert_uint_ne(machine_hash(f->m), again);
        fixture_close(f);
    }
    ck_assert_uint_eq(hash[0], hash[1]);
    ck_assert_uint_eq(hash[0], hash[2]);
    ck_assert_uint_eq(hash[0], hash[3]);
}
END_TEST

START_TEST(zero_pages_do_not_count)
{
    struct fixture *f = fixture_open();
    static const u8 zero[8192];
    u64 before = machine_hash(f->m);
    ck_assert(phys_copy_in(&f->m->d.phys, BASE + 0x100000, zero, sizeof(zero)));
    ck_assert_uint_eq(machine_hash(f->m), before);
    fixture_close(f);
}
END_TEST

START_TEST(sleep_jumps_to_the_timer)
{
    struct fixture *f = fixture_open();
    PROGRAM(f, 0xd280fa00, /* mov x0, #2000 (ticks) */
            0xd51be300,    /* msr cntv_tval_el0, x0 */
            0xd2800021,    /* mov x1, #1 */
            0xd51be321,    /* msr cntv_ctl_el0, x1 */
            0xd503207f,    /* wfi: the timer's PPI is not enabled, so it does not wake */
            0xd503207f);
    struct run_end end = machine_run(f->m, 100);
    ck_assert_int_eq(end.kind, END_ASLEEP);
    ck_assert(strstr(end.text, "cpu0 in WFI at EL1"));
    ck_assert_uint_ge(f->m->now, 32000); /* it was waited for all the same */
    ck_assert_uint_le(f->m->now, 33000);
    fixture_close(f);
}
END_TEST

START_TEST(turns_alternate)
{
    struct fixture *f = machine_of("cortex-a57", 2, false, false, ENGINE_THREADED);
    PROGRAM(f, 0x91000400, 0x17ffffff); /* 1: add x0, x0, #1; b 1b */
    machine_cpu_enter(f->m, &f->m->d.cpu[1], 1, BASE, 0);
    ck_assert_int_eq(machine_run(f->m, 40 * QUANTUM_NS).kind, END_INSNS);
    u64 a = f->m->d.cpu[0].insns, b = f->m->d.cpu[1].insns;
    ck_assert_uint_eq(a + b, 40 * QUANTUM_NS);
    ck_assert_uint_le(a > b ? a - b : b - a, 2 * QUANTUM_NS);
    fixture_close(f);
}
END_TEST

/* A PE that waits for another's store makes way for it at once. */
START_TEST(wfe_and_yield_end_the_turn)
{
    for (unsigned hint = 0; hint < 2; hint++) {
        struct fixture *f = machine_of("cortex-a57", 2, false, false, ENGINE_THREADED);
        PROGRAM(f, 0xd2a80801,                                             /* movz x1, #0x4040, lsl 16 */
                0xf9400020,                                                /* 1: ldr x0, [x1] */
                0xb5000060,                                                /* cbnz x0, 2f */
                hint ? 0xd503203f : 0xd503205f,                            /* yield, wfe */
                0x17fffffd,                                                /* b 1b */
                0xd2800100, 0xf2b08000, 0xd4000002);                       /* SYSTEM_OFF */
        static const u32 other[] = { 0xd2a80801, 0xf9000021, 0x14000000 }; /* str x1, [x1]; b . */
        phys_copy_in(&f->m->d.phys, BASE + 0x1000, other, sizeof(other));
        machine_cpu_enter(f->m, &f->m->d.cpu[1], 1, BASE + 0x1000, 0);
        ck_assert_int_eq(machine_run(f->m, 10 * QUANTUM_NS).kind, END_OFF);
        ck_assert_uint_lt(machine_insns(f->m), QUANTUM_NS + 1000);
        fixture_close(f);
    }
}
END_TEST

START_TEST(all_in_wfe_sleep)
{
    struct fixture *f = machine_of("cortex-a57", 3, false, false, ENGINE_THREADED);
    PROGRAM(f, 0xd503205f, 0x17ffffff); /* 1: wfe; b 1b */
    machine_cpu_enter(f->m, &f->m->d.cpu[1], 1, BASE, 0);
    ck_assert_int_eq(machine_run(f->m, 100000).kind, END_ASLEEP);
    ck_assert_uint_lt(machine_insns(f->m), 200);
    fixture_close(f);
}
END_TEST

START_TEST(exception_loop_is_seen)
{
    struct fixture *f = fixture_open();
    PROGRAM(f, 0xd518c01f, 0xd4000001); /* msr vbar_el1, xzr; svc #0 */
    struct run_end end = machine_run(f->m, 10000000);
    ck_assert_int_eq(end.kind, END_LOOP);
    ck_assert_int_eq(end.status, 1);
    ck_assert_msg(strstr(end.text, "EC 0x00") && strstr(end.text, "0x200") && strstr(end.text, "undefined"), "%s",
                  end.text);
    fixture_close(f);
}
END_TEST

/* Exceptions again and again, each returned from, are no loop. */
START_TEST(exceptions_are_no_loop)
{
    struct fixture *f = fixture_open();
    PROGRAM(f, 0xd2a80020, 0xd518c000, 0xd4000001, 0x17ffffff); /* vbar_el1 = 0x40010000; 1: svc #0; b 1b */
    static const u32 eret = 0xd69f03e0;
    phys_copy_in(&f->m->d.phys, BASE + 0x10200, &eret, 4);
    ck_assert_int_eq(machine_run(f->m, 3000000).kind, END_INSNS);
    fixture_close(f);
}
END_TEST

/* ---- PSCI ---- */

static s64 psci(struct fixture *f, u32 fn, u64 a, u64 b, u64 c)
{
    struct cpu *cpu = &f->m->d.cpu[0];
    cpu->x[0] = fn;
    cpu->x[1] = a;
    cpu->x[2] = b;
    cpu->x[3] = c;
    ck_assert(psci_call(f->m, cpu, f->m->conduit == CONDUIT_SMC ? EC_SMC : EC_HVC, 0));
    return (s64)cpu->x[0];
}

START_TEST(psci_versions_and_features)
{
    struct fixture *f = machine_of("cortex-a57", 2, true, false, ENGINE_STEP);
    PROGRAM(f, 0x14000000);
    ck_assert_int_eq(psci(f, 0x84000000, 0, 0, 0), 0x10001);
    ck_assert_int_eq(psci(f, 0x80000000, 0, 0, 0), 0x10001);
    ck_assert_int_eq(psci(f, 0x80000001, 0x80000001, 0, 0), 0);
    ck_assert_int_eq(psci(f, 0x80000001, 0x80008000, 0, 0), -1);
    ck_assert_int_eq(psci(f, 0x8400000a, 0x84000003, 0, 0), 0);
    ck_assert_int_eq(psci(f, 0x8400000a, 0xc4000003, 0, 0), 0);
    ck_assert_int_eq(psci(f, 0x8400000a, 0x80000000, 0, 0), 0);
    ck_assert_int_eq(psci(f, 0x8400000a, 0x84000005, 0, 0), -1);
    ck_assert_int_eq(psci(f, 0x84000006, 0, 0, 0), 2);
    for (u32 fn = 0x84000013; fn < 0x84000100; fn++)
        ck_assert_int_eq(psci(f, fn, 0, 0, 0), -1);
    ck_assert_int_eq(psci(f, 0x12345678, 0, 0, 0), -1);
    ck_assert(!psci_call(f->m, &f->m->d.cpu[0], EC_HVC, 0)); /* the conduit is SMC */
    fixture_close(f);
}
END_TEST

/* Clusters of 16, as QEMU 7.2 numbers them; every other affinity is nobody's. */
START_TEST(affinities)
{
    static const u64 nobody[] = { 0x10, 0x2000, 0x10000, BIT(24), BIT(31), BIT(32), BIT(32) | 1, ~0ull };
    u32 last = 0;
    for (unsigned n = 0; n < MAX_CPUS; n++) {
        ck_assert_uint_eq(affinity_pe(affinity_of(n)), n);
        ck_assert(!n || affinity_of(n) > last);
        last = affinity_of(n);
    }
    ck_assert_uint_eq(affinity_of(17), 0x101);
    ck_assert_uint_eq(last, 0x1f0f);
    for (unsigned n = 0; n < ARRAY_LEN(nobody); n++)
        ck_assert_uint_eq(affinity_pe(nobody[n]), MAX_CPUS);
}
END_TEST

/* Redistributors beyond the first 123 lie in a region of their own (QEMU's VIRT_HIGH_GIC_REDIST2), which is not there
 * without them; PSCI and MPIDR_EL1 name PEs by their affinity. */
START_TEST(many_pes)
{
    struct phys_attrs by = { .ns = 1 };
    struct fixture *f = machine_of("cortex-a57", 140, true, false, ENGINE_STEP);
    u64 typer, value;
    PROGRAM(f, 0x14000000);
    ck_assert(phys_read(&f->m->d.phys, 0x080a0000 + 122 * 0x20000 + 8, 8, by, &typer));
    ck_assert_uint_eq(typer, 0x0000070a01007a30);
    ck_assert(phys_read(&f->m->d.phys, 0x4000000008, 8, by, &typer));
    ck_assert_uint_eq(typer, 0x0000070b01007b20);
    ck_assert(phys_read(&f->m->d.phys, 0x4000000000 + 16 * 0x20000 + 8, 8, by, &typer));
    ck_assert_uint_eq(typer, 0x0000080b01008b30);
    ck_assert(!phys_read(&f->m->d.phys, 0x4000000000 + 17 * 0x20000 + 8, 8, by, &value));
    ck_assert_uint_eq(f->m->d.cpu[139].sys.mpidr_el1, 0x8000080b);
    ck_assert_int_eq(psci(f, 0xc4000003, 139, BASE, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000003, 0x80c, BASE, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000004, 0x800, 1, 0), 1); /* AFFINITY_INFO: no PE of the cluster is on */
    ck_assert_int_eq(psci(f, 0xc4000003, 0x80b, BASE, 0), 0);
    ck_assert(f->m->d.cpu[139].powered);
    ck_assert_int_eq(psci(f, 0xc4000004, 0x800, 1, 0), 0);
    ck_assert_int_eq(psci(f, 0xc4000004, 0x80b, 1, 0), 0); /* Aff0 is not looked at */
    ck_assert_int_eq(psci(f, 0xc4000004, 0x900, 1, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000004, 0, 2, 0), 0);
    fixture_close(f);
    f = machine_of("cortex-a57", 123, true, false, ENGINE_STEP);
    ck_assert(!phys_read(&f->m->d.phys, 0x4000000008, 8, by, &value));
    fixture_close(f);
}
END_TEST

/* What there is to save grows by PEs that are there: a machine of one keeps nothing for the 511 others. */
START_TEST(state_by_pes)
{
    u64 size[3];
    for (unsigned n = 0; n < 3; n++) {
        struct fixture *f = machine_of("cortex-a57", n + 1, true, false, ENGINE_STEP);
        size[n] = state_size(f->m);
        fixture_close(f);
    }
    ck_assert_uint_eq(size[1] - size[0], size[2] - size[1]);
    ck_assert_uint_gt(size[1] - size[0], offsetof(struct cpu, d));
    ck_assert_uint_lt(size[0] - (size[1] - size[0]), 49152);
}
END_TEST

START_TEST(psci_powers_cpus)
{
    struct fixture *f = machine_of("cortex-a57", 2, true, false, ENGINE_STEP);
    PROGRAM(f, 0x14000000);
    const struct cpu *other = &f->m->d.cpu[1];
    ck_assert_int_eq(psci(f, 0xc4000004, 1, 0, 0), 1);
    ck_assert_int_eq(psci(f, 0xc4000003, 2, BASE, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000003, 0x100, BASE, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000003, BIT(32), BASE, 0), -2);
    ck_assert_int_eq(psci(f, 0xc4000003, 0, BASE, 0), -4);
    ck_assert_int_eq(psci(f, 0xc4000003, 1, BASE + 0x40, 0x1234567812345678), 0);
    ck_assert_uint_eq(other->pc, BASE + 0x40);
    ck_assert_uint_eq(other->x[0], 0x1234567812345678);
    ck_assert_uint_eq(other->ps.el, 2);
    ck_assert(other->powered);
    ck_assert_int_eq(psci(f, 0xc4000004, 1, 0, 0), 0);
    ck_assert_int_eq(psci(f, 0x84000003, 1, BASE, 0), -4);
    f->m->d.cpu[1].x[0] = 0x84000002; /* CPU_OFF */
    ck_assert(psci_call(f->m, &f->m->d.cpu[1], EC_SMC, 0));
    ck_assert_int_eq(psci(f, 0x84000004, 1, 0, 0), 1);
    /* SMC32: the upper halves are not looked at */
    ck_assert_int_eq(psci(f, 0x84000003, 0xffffffff00000001, 0xffffffff40000080, 0xffffffff00000007), 0);
    ck_assert_uint_eq(other->pc, BASE + 0x80);
    ck_assert_uint_eq(other->x[0], 7);
    fixture_close(f);
}
END_TEST

/* Reserved and impossible parameters (DEN0022 5.1 to 5.20), on a machine of two PEs of which one is on. */
START_TEST(psci_refuses)
{
    enum { NO = -1, INVALID = -2, ADDRESS = -9 };
    static const struct {
        u32 fn;
        u64 a, b, c;
        s64 result;
    } cases[] = {
        { 0xc4000003, 0x80000001, BASE, 0, INVALID }, /* CPU_ON: RES1 of MPIDR_EL1 */
        { 0xc4000003, 0x01000001, BASE, 0, INVALID }, /* MT */
        { 0xc4000003, BIT(40) | 1, BASE, 0, INVALID },
        { 0x84000003, 0x80000001, BASE, 0, INVALID },
        { 0xc4000003, 1, BASE + 2, 0, ADDRESS },
        { 0xc4000003, 1, BASE + 1, 0, ADDRESS },
        { 0xc4000003, 1, 0x0a800000, 0, ADDRESS },
        { 0xc4000003, 1, 0x09000000, 0, ADDRESS },
        { 0xc4000003, 1, BASE + (16 << 20), 0, ADDRESS },
        { 0xc4000003, 1, BIT(32) | BASE, 0, ADDRESS },
        { 0xc4000003, 2, 3, 0, INVALID },
        { 0xc4000004, 0, 4, 0, INVALID }, /* AFFINITY_INFO */
        { 0xc4000004, 0, 0xffffffff, 0, INVALID },
        { 0xc4000004, 2, 0, 0, INVALID },
        { 0xc4000004, 0x100, 1, 0, INVALID },
        { 0xc4000004, 0x10000, 2, 0, INVALID },
        { 0xc4000004, BIT(32), 3, 0, INVALID },
        { 0xc4000004, 0x80000000, 3, 0, INVALID },
        { 0xc4000004, 0xff, 1, 0, 0 },
        { 0xc4000004, 0xffffff, 3, 0, 0 },
        { 0xc4000001, 0x80000000, 0, 0, INVALID }, /* CPU_SUSPEND */
        { 0xc4000001, 0x00020000, 0, 0, INVALID },
        { 0xc4000001, 0x01000000, 0, 0, INVALID }, /* power levels that are not there */
        { 0xc4000001, 0x03000000, 0, 0, INVALID },
        { 0xc4000001, 0x00010000, 0x0a800000, 0, ADDRESS }, /* power-down */
        { 0x84000001, 0x00010000, BASE + 2, 0, ADDRESS },
        { 0x84000012, 1, 0, 0, INVALID }, /* SYSTEM_RESET2 */
        { 0xc4000012, 0x80000000, 0, 0, INVALID },
        { 0xc4000012, 0x7fffffff, 0, 0, INVALID },
        { 0x84000005, 0, 0, 0, NO }, /* MIGRATE, MIGRATE_INFO_UP_CPU */
        { 0xc4000005, 0, 0, 0, NO },
        { 0xc4000007, 0, 0, 0, NO },
        { 0x8400000b, 0, 0, 0,
          NO }, /* CPU_FREEZE, CPU_DEFAULT_SUSPEND, NODE_HW_STATE, SYSTEM_SUSPEND, SET_SUSPEND_MODE */
        { 0xc400000c, BASE, 0, 0, NO },
        { 0xc400000d, 0, 0, 0, NO },
        { 0xc400000e, BASE, 0, 0, NO },
        { 0x8400000f, 1, 0, 0, NO },
        { 0xc4000010, 0, 0, 0, NO }, /* STAT_RESIDENCY, STAT_COUNT, MEM_PROTECT, MEM_PROTECT_CHECK_RANGE */
        { 0xc4000011, 0, 0, 0, NO },
        { 0x84000013, 1, 0, 0, NO },
        { 0xc4000014, BASE, 4096, 0, NO },
        { 0xc4000000, 0, 0, 0, NO }, /* functions that have no 64-bit form */
        { 0xc4000002, 0, 0, 0, NO },
        { 0xc4000008, 0, 0, 0, NO },
        { 0xc4000009, 0, 0, 0, NO },
        { 0xc400000a, 0x84000000, 0, 0, NO },
        { 0x8400000a, 0xc4000008, 0, 0, NO }, /* PSCI_FEATURES */
        { 0x8400000a, 0x8400000e, 0, 0, NO },
        { 0x8400000a, 0x84000013, 0, 0, NO },
        { 0x8400000a, 0x84000012, 0, 0, 0 },
        { 0x8400000a, 0xc4000001, 0, 0, 0 },
        { 0x04000000, 0, 0, 0, NO }, /* no fast call */
    };
    struct fixture *f = machine_of("cortex-a57", 2, true, false, ENGINE_STEP);
    PROGRAM(f, 0x14000000);
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        s64 got = psci(f, cases[n].fn, cases[n].a, cases[n].b, cases[n].c);
        ck_assert_msg(got == cases[n].result, "case %u, %x: %lld", n, cases[n].fn, (long long)got);
        ck_assert(!f->m->d.cpu[1].powered && f->m->d.end.kind == END_NONE && !f->m->d.cpu[0].halted);
    }
    ck_assert_int_eq(psci(f, 0xc4000001, 0x10000, BASE, 0), 0); /* 64-bit call, 32-bit parameter */
    ck_assert_uint_eq(f->m->d.cpu[0].halted, HALT_WFI);
    ck_assert_int_eq(psci(f, 0xc4000012, BIT(32), 0, 0), 0);
    ck_assert_int_eq(f->m->d.end.kind, END_RESET);
    fixture_close(f);
}
END_TEST

START_TEST(psci_ends_the_run)
{
    for (u32 fn = 0x84000008; fn <= 0x84000009; fn++) {
        struct fixture *f = fixture_open();
        PROGRAM(f, 0x52800000 | (fn & 0xffff) << 5, 0x72b08000, 0xd4000002); /* movz w0, movk w0, hvc #0 */
        ck_assert_int_eq(machine_run(f->m, 100).kind, fn == 0x84000008 ? END_OFF : END_RESET);
        ck_assert_uint_eq(machine_insns(f->m), 3);
        fixture_close(f);
    }
}
END_TEST

/* ---- hostile state ---- */

/* Each field of the state is listed once, and nothing lies between them: what is not listed would be compared nowhere.
 * Two exchanged fields make another hash, so does another version. */
START_TEST(sections_are_whole)
{
    struct fixture *f = machine_of("max", 2, true, true, ENGINE_STEP);
    struct section s;
    unsigned n;
    for (n = 0; section_get(f->m, n, &s); n++) {
        const char *gap = s.shape ? state_shape_gap(s.shape) : NULL;
        ck_assert_msg(!gap, "%s: not all is listed, or not in its place: '%s'", s.name, gap);
        ck_assert_msg(s.size % 8 == 0 && s.version, "%s: no multiple of 8 bytes, or no version", s.name);
        ck_assert_msg(s.size <= s.stride, "%s: parts overlap", s.name);
    }
    ck_assert_uint_gt(n, 8);
    const struct state_shape *shape = &row_get(ROW_uart0)->kind->state;
    struct state_field swapped[32];
    struct state_shape other = { swapped, shape->count, shape->size };
    memcpy(swapped, shape->field, shape->count * sizeof(*swapped));
    ck_assert_uint_eq(state_shape_hash(&other), state_shape_hash(shape));
    swapped[1].offset = shape->field[2].offset;
    swapped[2].offset = shape->field[1].offset;
    ck_assert_uint_ne(state_shape_hash(&other), state_shape_hash(shape));
    ck_assert_ptr_nonnull(state_shape_gap(&other));
    section_get(f->m, 2, &s);
    u64 hash = section_hash(&s);
    s.version++;
    ck_assert_uint_ne(section_hash(&s), hash);
    fixture_close(f);
}
END_TEST

START_TEST(validate_bounds)
{
    struct fixture *f = machine_of("cortex-a57", 2, true, false, ENGINE_STEP);
    PROGRAM(f, 0x14000000);
    ck_assert_ptr_null(machine_validate(f->m));
    WRONG(f->m->options.cpu_count, MAX_CPUS + 1);
    WRONG(f->m->turns[1].waits_key, 1);
    WRONG(f->m->key_waiters, 1);
    WRONG(f->m->turn, 2);
    WRONG(f->m->conduit, 3);
    WRONG(f->m->options.ram_size, 1);
    WRONG(*(u32 *)device_field(f, ROW_uart0, 0, "head"), 16);
    WRONG(*(u32 *)device_field(f, ROW_uart0, 0, "used"), 17);
    WRONG(*(u32 *)device_field(f, ROW_uart0, 0, "port"), 99);
    WRONG(((struct place *)device_field(f, ROW_uart0, 0, "at"))->row, 1);
    WRONG(((struct place *)device_field(f, ROW_rtc, 0, "at"))->n, 1);
    WRONG(*(u8 *)device_field(f, ROW_gpio, 0, "key"), 8);
    WRONG(virtio_slot(f->m, 31)->unit, 99);
    WRONG(virtio_slot(f->m, 5)->kind, VIRTIO_KINDS);
    WRONG(virtio_slot(f->m, 4)->at.n, 5);
    WRONG(virtio_slot(f->m, 30)->queue[1].num, 3);
    WRONG(f->m->d.cpu[1].ps.el, 4);
    WRONG(f->m->d.cpu[0].halted, 9);
    fixture_close(f);
}
END_TEST

Suite *test_board_suite(void);
Suite *test_board_suite(void)
{
    Suite *s = suite_create("board");
    TCase *t = tcase_create("board");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, map);
    tcase_add_test(t, limit_is_exact);
    tcase_add_test(t, hash_repeats);
    tcase_add_test(t, zero_pages_do_not_count);
    tcase_add_test(t, sleep_jumps_to_the_timer);
    tcase_add_test(t, turns_alternate);
    tcase_add_test(t, wfe_and_yield_end_the_turn);
    tcase_add_test(t, all_in_wfe_sleep);
    tcase_add_test(t, exception_loop_is_seen);
    tcase_add_test(t, exceptions_are_no_loop);
    tcase_add_test(t, psci_versions_and_features);
    tcase_add_test(t, affinities);
    tcase_add_test(t, many_pes);
    tcase_add_test(t, state_by_pes);
    tcase_add_test(t, psci_powers_cpus);
    tcase_add_test(t, psci_refuses);
    tcase_add_test(t, psci_ends_the_run);
    tcase_add_test(t, sections_are_whole);
    tcase_add_test(t, validate_bounds);
    suite_add_tcase(s, t);
    return s;
}
