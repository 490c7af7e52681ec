/*
 * Views and what feeds them (debug/stage2.c, gates.c, walks.c) on states that no guest would leave: tables that lead
 * anywhere, registers of any value. They end, stay within their memory, and change nothing.
 */
#include "tests/unit/board_fixture.h"

#include "cpu/field.h"
#include "debug/gates.h"
#include "debug/stage2.h"
#include "debug/timeline.h"
#include "mmu/context.h"
#include "view/view.h"

enum { RAM = 0x40000000, RAM_SIZE = 16 << 20 };

static u64 next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static struct debugger *debugger_make(struct fixture *f)
{
    struct machine_config *c = fixture_config(f);
    struct debugger *d = calloc(1, sizeof(*d));
    c->options.virtualization = 1;
    fixture_make(f, c);
    ck_assert_ptr_nonnull(d);
    debugger_init(d, f->m);
    return d;
}

static void debugger_gone(struct fixture *f, struct debugger *d)
{
    debugger_end(d);
    free(d);
    machine_destroy(f->m);
    free(f);
}

/* A guest whose stage 2 has 4 KiB pages, 39 bits of IPA, and its first table at root. */
static void guest_add(struct debugger *d, unsigned n, u64 root)
{
    struct cpu *cpu = &d->m->d.cpu[0];
    cpu->ps.el = 1;
    cpu->sys.hcr_el2 = BIT(HCR_VM) | BIT(31);
    cpu->sys.vtcr_el2 = 25 | 1 << 6 | 2 << 16;
    cpu->sys.vttbr_el2 = root | (u64)(n + 1) << 48;
    d->vm[n] = (struct vm_note){ .used = true, .vmid = (s32)n + 1, .root = root, .entries = 1 };
    d->vm[n].exit[n].count = d->vm[n].exit[n].insns = ~(u64)0 >> n;
    regime_describe(cpu, REGIME_EL10, &d->vm[n].regime);
}

/* ---- stage 2 ---- */

static bool span_seen(void *ctx, const struct stage2_span *s)
{
    struct stage2_span **out = ctx;
    *(*out)++ = *s;
    return true;
}

START_TEST(spans_and_owners)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct debugger *d = debugger_make(f);
    struct stage2_span span[8], *end = span;
    struct owners o;
    u32 number;
    u64 looks = STAGE2_LOOKS;
    /* IPA 0x40000000: two blocks that lead side by side, then a page that the other guest has, too, and a device */
    poke(f, RAM + 0x1008, (RAM + 0x2000) | 3, 8);
    poke(f, RAM + 0x2000, (RAM + 0x400000) | 0x7fd, 8);
    poke(f, RAM + 0x2008, (RAM + 0x600000) | 0x7fd, 8);
    poke(f, RAM + 0x2010, (RAM + 0x3000) | 3, 8);
    poke(f, RAM + 0x3000, (RAM + 0x900000) | 0x7ff, 8);
    poke(f, RAM + 0x3008, 0x09000000 | 0x4c7, 8);
    poke(f, RAM + 0x5008, (RAM + 0x6000) | 3, 8);
    poke(f, RAM + 0x6000, (RAM + 0x800000) | 0x7fd, 8);
    guest_add(d, 0, RAM + 0x1000);
    guest_add(d, 1, RAM + 0x5000);
    ck_assert(stage2_each(&d->vm[0].regime, &looks, span_seen, &end));
    ck_assert_int_eq(end - span, 3);
    ck_assert(span[0].ipa == 0x40000000 && span[0].pa == RAM + 0x400000 && span[0].size == 0x400000);
    ck_assert(span[1].ipa == 0x40400000 && span[1].pa == RAM + 0x900000 && span[1].size == 0x1000);
    ck_assert(span[2].pa == 0x09000000 && owners_device(f->m, 0x09000000, &number) == row_get(ROW_uart0));
    ck_assert_uint_eq(stage2_bits(&d->vm[0].regime), 39);
    ck_assert(owners_find(d, 1 << 20, &o) && o.whole && o.unit == 4096);
    ck_assert_uint_eq(o.bytes[0], 0x400000);
    ck_assert_uint_eq(o.bytes[1], 0x200000 - 0x1000);
    ck_assert_uint_eq(o.shared, 0x1000);
    ck_assert(o.of[0x900] == OWNER_SHARED && o.of[1] == OWNER_REST && o.of[0xf00] == OWNER_NONE);
    owners_free(&o);
    debugger_gone(f, d);
}
END_TEST

/* ---- gates ---- */

static const char *held_by(struct fixture *f, struct debugger *d)
{
    struct gates g;
    gic_rebuild(&f->m->gic, f->m->d.cpu);
    ck_assert(gates_physical(d, 0, 27, &g));
    ck_assert_str_eq(g.source, "timer CNTV");
    return g.held < 0 ? "none" : g.gate[g.held].name;
}

START_TEST(gates_open_one_after_the_other)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct debugger *d = debugger_make(f);
    struct gic *gic = &f->m->gic;
    struct cpu *cpu = &f->m->d.cpu[0];
    struct gates g;
    cpu->ps.el = 1;
    cpu->ps.i = 1;
    cpu->sys.hcr_el2 = 0;
    gic->ppi[0].priority[27] = 0x80;
    gic->ppi[0].group |= 1u << 27;
    gic->ppi[0].active |= 1u << 27;
    ck_assert_str_eq(held_by(f, d), "pending");
    gic->ppi[0].latch |= 1u << 27;
    ck_assert_str_eq(held_by(f, d), "inactive");
    gic->ppi[0].active = 0;
    ck_assert_str_eq(held_by(f, d), "enabled");
    gic->ppi[0].enable |= 1u << 27;
    ck_assert_str_eq(held_by(f, d), "group on");
    gic->ctlr |= 2;
    gic->cpu[0].waker = 6;
    ck_assert_str_eq(held_by(f, d), "awake");
    gic->cpu[0].waker = 0;
    ck_assert_str_eq(held_by(f, d), "group on");
    gic->cpu[0].igrpen[GROUP_1NS] = 1;
    gic->cpu[0].pmr = 0x80;
    ck_assert_str_eq(held_by(f, d), "PMR");
    gic->cpu[0].pmr = 0xf8;
    gic->cpu[0].apr[GROUP_1NS] = 1;
    ck_assert_str_eq(held_by(f, d), "running");
    gic->cpu[0].apr[GROUP_1NS] = 0;
    ck_assert_str_eq(held_by(f, d), "PSTATE");
    cpu->sys.hcr_el2 = BIT(HCR_IMO); /* EL2's, which PSTATE does not mask at EL1 */
    ck_assert_str_eq(held_by(f, d), "none");
    cpu->sys.hcr_el2 = 0;
    cpu->ps.el = 2;
    ck_assert_str_eq(held_by(f, d), "EL");
    ck_assert(!gates_physical(d, 0, 1000, &g) && !gates_virtual(d, 0, 0, &g));
    debugger_gone(f, d);
}
END_TEST

/* ---- anything ---- */

static void machine_spoil(struct fixture *f, struct debugger *d, u64 *seed)
{
    struct cpu *cpu = &f->m->d.cpu[0];
    for (u64 at = 0; at < RAM_SIZE / 16; at += 8) { /* mostly tables that lead to tables */
        u64 word = next(seed) % 8 ? (RAM + (next(seed) & 0xfff000)) | 3 : next(seed);
        memcpy(f->m->d.phys.region[0].host + at, &word, 8);
    }
    cpu->sys.tcr_el1 = next(seed);
    cpu->sys.sctlr_el1 = next(seed);
    cpu->sys.ttbr0_el1 = cpu->sys.ttbr1_el1 = RAM + (next(seed) & 0xff000);
    cpu->x[REG_SP] = next(seed);
    cpu->pc = next(seed) & 1 ? next(seed) : RAM + (next(seed) & 0xfffffc);
    for (unsigned n = 0; n < 12; n++) {
        guest_add(d, n, RAM + (next(seed) & 0xff000));
        d->vm[n].regime.vtcr = next(seed) % 4 ? d->vm[n].regime.vtcr : next(seed);
    }
    cpu->ps.el = next(seed) & 3;
    cpu->sys.hcr_el2 = next(seed);
    for (unsigned n = 0; n < GIC_LRS; n++)
        f->m->gic.cpu[0].ich_lr[n] = next(seed);
    f->m->gic.ppi[0].latch = (u32)next(seed);
    f->m->gic.ppi[0].enable = (u32)next(seed);
}

static void view_use(struct looker *l, const struct view *v, u64 *seed)
{
    static const unsigned keys[] = { VIEW_LEFT, VIEW_RIGHT, VIEW_UP,    VIEW_DOWN,   VIEW_PAGE_UP, VIEW_PAGE_DOWN,
                                     VIEW_HOME, VIEW_END,   VIEW_ENTER, VIEW_ESCAPE, '+',          '-',
                                     'n',       'p',        'i',        '0',         '1',          '2',
                                     '3' };
    void *state = calloc(1, v->kind->state_size + 1);
    struct canvas c = { 0 };
    struct text out = { 0 };
    for (unsigned n = 0; n < 6; n++) {
        canvas_begin(&c, 320 + (float)(next(seed) % 2000), 200 + (float)(next(seed) % 1000));
        view_draw(l, v, state, &c);
        canvas_svg(&c, THEME_DARK, v->title, v->help, &out);
        ck_assert(!c.failed && !out.failed && c.count);
        text_clear(&out);
        const struct shape *s = &c.shape[next(seed) % c.count];
        if (s->kind == SHAPE_ZONE)
            view_pointed(l, v, state, s, s->x + (float)(next(seed) % 100));
        view_key(l, v, state, keys[next(seed) % ARRAY_LEN(keys)]);
    }
    text_free(&out);
    canvas_free(&c);
    free(state);
}

START_TEST(any_state_is_drawn)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct debugger *d = debugger_make(f);
    struct looker l = { .d = d, .timeline = timeline_create(f->m) };
    u64 seed = 0x123456789abcdefull;
    for (unsigned round = 0; round < 4; round++) {
        machine_spoil(f, d, &seed);
        for (unsigned n = 0; view_get(n); n++)
            view_use(&l, view_get(n), &seed);
    }
    timeline_destroy(l.timeline);
    debugger_gone(f, d);
}
END_TEST

Suite *test_views_suite(void);
Suite *test_views_suite(void)
{
    Suite *s = suite_create("views");
    TCase *t = tcase_create("views");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, spans_and_owners);
    tcase_add_test(t, gates_open_one_after_the_other);
    tcase_add_test(t, any_state_is_drawn);
    suite_add_tcase(s, t);
    return s;
}
