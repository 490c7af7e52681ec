/* GICv4: any sequence of commands, residency and a guest's accesses beside a model of them (tests/unit/test_gicv4.c has
 * what each does by itself), and commands and tables of garbage. */
#include "vlpi_rig.h"

static u32 seed_of;
static u32 next(u32 below)
{
    seed_of = seed_of * 1664525 + 1013904223;
    return (seed_of >> 8) % below;
}

/* What software asked for, kept apart from the tables: events 0..15 of device 0, vPEs 0..3, vINTIDs and doorbells from
 * 8192 on. */
enum { EVENTS = 16, INTIDS = 24, FIRST = 8192, DOORS = 8256 };
static struct model {
    struct {
        bool mapped;
        u32 vpe, intid, doorbell;
    } event[EVENTS];
    struct {
        bool mapped, pending[INTIDS];
        u32 cpu;
    } vpe[CPUS];
    int at[CPUS]; /* the vPE that is resident, -1 */
    bool rung[CPUS][EVENTS];
} model;

static void model_send(unsigned event)
{
    u32 vpe = model.event[event].vpe, cpu = model.vpe[vpe].cpu;
    model.vpe[vpe].pending[model.event[event].intid - FIRST] = true;
    if (model.at[cpu] != (int)vpe && model.event[event].doorbell != SILENT)
        model.rung[cpu][model.event[event].doorbell - DOORS] = true;
}

/* The vLPI that the guest of a PE is shown. */
static u32 model_best(unsigned cpu)
{
    u32 best = SPURIOUS, priority = 0x100;
    for (u32 n = 0; model.at[cpu] >= 0 && n < INTIDS; n++) {
        u8 config = *byte(VCONFIG + n);
        if (model.vpe[model.at[cpu]].pending[n] && config & 1 && (config & 0xf8u) < priority) {
            best = FIRST + n;
            priority = config & 0xf8;
        }
    }
    return best;
}

/* VPMR has 5 bits, too. */
static bool model_masked(unsigned cpu)
{
    u32 best = model_best(cpu);
    return best == SPURIOUS || *byte(VCONFIG + best - FIRST) >= 0xf8;
}

static bool reachable(unsigned event) { return model.event[event].mapped && model.vpe[model.event[event].vpe].mapped; }

/* Of one that is resident nothing changes: that would be UNPREDICTABLE. */
static void step_vpe(unsigned vpe)
{
    u32 cpu = next(CPUS + 1), what = next(5);
    bool mapped = model.vpe[vpe].mapped, ok = cpu < CPUS;
    if (model.at[model.vpe[vpe].cpu] == (int)vpe)
        return;
    if (what == 0) {
        ck_assert(vunmapp(vpe));
        model.vpe[vpe].mapped = false;
        return;
    }
    if (what < 3) {
        ck_assert(vmapp(vpe, cpu, VPT(vpe), 14) == ok);
        model.vpe[vpe].mapped |= ok;
    } else {
        ok = ok && mapped;
        ck_assert(vmovp(vpe, cpu) == ok);
    }
    if (ok)
        model.vpe[vpe].cpu = cpu;
}

/* A hypervisor's: a vPE is resident at the redistributor that the ITS knows. */
static void step_schedule(unsigned cpu)
{
    if (model.at[cpu] >= 0) {
        bool last = model_best(cpu) != SPURIOUS;
        ck_assert_uint_eq(leave(cpu) & (VALID | LAST), last ? LAST : 0);
        model.at[cpu] = -1;
    } else {
        u32 vpe = next(CPUS);
        if (!model.vpe[vpe].mapped || model.vpe[vpe].cpu != cpu)
            return;
        resident(cpu, vpe);
        model.at[cpu] = (int)vpe;
    }
}

static void step_event(unsigned event)
{
    u32 what = next(8), vpe = next(CPUS), intid = FIRST + next(INTIDS), door = next(3) ? DOORS + next(EVENTS) : SILENT;
    bool ok = reachable(event);
    u32 n = model.event[event].intid - FIRST;
    if (what == 0) {
        ck_assert(vmapti(0, event, vpe, intid, door));
        model.event[event].mapped = true;
        model.event[event].vpe = vpe, model.event[event].intid = intid, model.event[event].doorbell = door;
    } else if (what == 1) {
        bool pends = ok && model.vpe[model.event[event].vpe].pending[n];
        ok = ok && model.vpe[vpe].mapped;
        ck_assert(vmovi_and(0, event, vpe, door) == ok);
        if (ok && pends && vpe != model.event[event].vpe)
            model.vpe[model.event[event].vpe].pending[n] = false;
        pends &= ok && vpe != model.event[event].vpe;
        if (ok)
            model.event[event].vpe = vpe, model.event[event].doorbell = door;
        if (pends)
            model_send(event);
    } else if (what == 2) {
        ck_assert(of_event(next(8) ? CLEAR : DISCARD, 0, event) == ok);
        if (ok)
            model.vpe[model.event[event].vpe].pending[n] = false;
        model.event[event].mapped &= its_read(&its, &gic, CREADR, 8) != 1 && bit(*byte(ITT + event * 12 + 7), 7);
    } else {
        ck_assert((next(2) ? of_event(INT, 0, event) : its_message(&its, &gic, 0, event)) == ok);
        if (ok)
            model_send(event);
    }
}

static void step_guest(unsigned cpu)
{
    u32 best = model_masked(cpu) ? SPURIOUS : model_best(cpu);
    ck_assert_uint_eq(in_guest(cpu, IAR1), best);
    if (best == SPURIOUS)
        return;
    model.vpe[model.at[cpu]].pending[best - FIRST] = false;
    guest_put(cpu, EOIR1, best);
}

static void step_configure(void)
{
    u32 intid = next(INTIDS);
    vconfigure(FIRST + intid, (u8)next(256));
    for (unsigned n = 0; n < CPUS; n++)
        if (model.at[n] >= 0) { /* a way to tell that does not hang on the ITS */
            u32 vpe = (u32)model.at[n];
            leave(n);
            resident(n, vpe);
        }
}

/* Memory, doorbells and what guests are shown are what the commands meant, after each of them. */
START_TEST(random_steps)
{
    unsigned shown = 0, rung = 0;
    seed_of = 1 + (u32)_i;
    memset(&model, 0, sizeof(model));
    memset(byte(ITT), 0, 16 * 12);
    for (unsigned n = 0; n < CPUS; n++) {
        model.at[n] = -1;
        model.vpe[n].mapped = true;
        model.vpe[n].cpu = n;
    }
    for (unsigned step = 0; step < 8000; step++) {
        u32 what = next(16), n = next(CPUS);
        if (what < 3)
            step_vpe(n);
        else if (what < 5)
            step_schedule(n);
        else if (what < 6)
            step_configure();
        else if (what < 8)
            step_guest(n);
        else
            step_event(next(EVENTS));
        const char *wrong = NULL;
        for (unsigned cpu = 0; cpu < CPUS; cpu++) {
            bool shows = model_best(cpu) != SPURIOUS;
            for (u32 k = 0; k < INTIDS; k++)
                wrong = in_vpt(cpu, FIRST + k) == model.vpe[cpu].pending[k] ? wrong : "pending table";
            for (u32 k = 0; k < EVENTS; k++) {
                wrong = in_table(cpu, DOORS + k) == model.rung[cpu][k] ? wrong : "doorbells";
                rung += model.rung[cpu][k];
                if (model.rung[cpu][k] && next(8) == 0)
                    model.rung[cpu][k] = !lpi_pends(cpu, DOORS + k);
            }
            wrong = virtif_pending(&gic, cpu, REACH_V1) == model_best(cpu) ? wrong : "vLPI that is shown";
            wrong = vlines(cpu) == (model_masked(cpu) ? 0 : LINE_VIRQ) ? wrong : "virtual lines";
            shown += shows;
        }
        wrong = gic_validate(&gic) && its_validate(&its) ? wrong : "state";
        ck_assert_msg(!wrong, "step %u (%u): %s", step, what, wrong);
    }
    ck_assert_uint_gt(shown, 1000);
    ck_assert_uint_gt(rung, 1000);
}
END_TEST

/* Commands, tables and registers of any content: what is kept is valid, and the same when it is made again. */
START_TEST(random_garbage)
{
    static const u8 numbers[] = { 1, 3, 4, 8, 10, 12, 13, 15, VMOVI, VMOVP, VSYNC, VMAPP, VMAPTI, VMAPI, VINVALL };
    seed_of = 77;
    for (unsigned step = 0; step < 30000; step++) {
        u64 w[6];
        unsigned cpu = next(CPUS);
        for (unsigned n = 0; n < ARRAY_LEN(w); n++)
            w[n] = (u64)next(1 << 24) << 44 ^ (u64)next(1 << 24) << 20 ^ next(1 << 24);
        switch (next(6)) {
        case 0: memcpy(ram + next(RAM_SIZE - 64) / 8 * 8, w, 8); break;
        case 1:
            redist_put_as(w[0] & 1, cpu, VPENDBASER, 8, w[1] & 7 ? (w[1] & ~ones(51)) | VPT(w[2] & 3) : w[1]);
            break;
        case 2: redist_put_as(w[0] & 1, cpu, VPROPBASER, 8, w[1] & 7 ? VCONFIG | (w[1] >> 60) : w[1]); break;
        case 3: its_message(&its, &gic, next(2), next(17)); break;
        case 4: guest_put(cpu, EOIR1, in_guest(cpu, IAR1)); break;
        default:
            if (w[4] & 3) { /* fields that mean something, most of the time */
                w[0] &= ones(33);
                w[1] &= ones(4) | ones(2) << 32;
                w[2] &= ones(18) | ones(10) << 32 | VALID;
                w[2] |= w[4] & 12 ? 8192 | (u64)8192 << 32 : 0;
            }
            run((w[0] & ~ones(8)) | numbers[next(sizeof(numbers))], w[1], w[2], w[3]);
        }
        static struct gic copy;
        copy = gic;
        gic_rebuild(&gic, cpus);
        bool same = !memcmp(copy.d.vlpi, gic.d.vlpi, sizeof(copy.d.vlpi)) &&
                    !memcmp(copy.d.best, gic.d.best, sizeof(copy.d.best));
        if (!same || !gic_validate(&gic) || !its_validate(&its))
            ck_abort_msg("step %u", step);
    }
}
END_TEST

Suite *test_vlpi_random_suite(void);
Suite *test_vlpi_random_suite(void)
{
    Suite *s = suite_create("vlpi_random");
    TCase *t = tcase_create("random");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, random_steps, 0, 4);
    tcase_add_test(t, random_garbage);
    suite_add_tcase(s, t);
    return s;
}
