/*
 * A machine under a debugger: its memory as a PE sees it, and notes of the exceptions it took (an observer; the guest
 * sees nothing of it).
 */
#include "debug/debugger.h"

#include "board/observer.h"
#include "cpu/exception.h"
#include "cpu/field.h"
#include "debug/disasm.h"
#include "debug/reverse.h"
#include "debug/timeline.h"
#include "mmu/context.h"

enum { PAGE = 4096 };

/* ---- memory ---- */

/* The physical address of addr, and how many bytes from there on lie in the same page. */
static bool resolve(struct debugger *d, u64 addr, u64 *pa, size_t *run)
{
    const struct cpu *cpu = &d->m->d.cpu[d->cpu];
    *run = PAGE - (addr & (PAGE - 1));
    *pa = addr;
    return d->physical || mmu_debug_translate(cpu, addr, cpu->ps.el, pa, NULL, NULL);
}

size_t debugger_read(struct debugger *d, u64 addr, void *to, size_t size)
{
    u8 *out = to;
    size_t done = 0, run;
    u64 pa;
    while (done < size && resolve(d, addr + done, &pa, &run)) {
        run = run < size - done ? run : size - done;
        if (!phys_copy_out(&d->m->d.phys, pa, out + done, run))
            break;
        done += run;
    }
    return done;
}

bool debugger_write(struct debugger *d, u64 addr, const void *from, size_t size)
{
    const u8 *bytes = from;
    for (int pass = 0; pass < 2; pass++) {
        size_t run;
        u64 pa;
        for (size_t done = 0; done < size; done += run) {
            u8 probe;
            if (!resolve(d, addr + done, &pa, &run))
                return false;
            run = run < size - done ? run : size - done;
            if (pass == 0 ? !phys_copy_out(&d->m->d.phys, pa, &probe, 1) ||
                                !phys_copy_out(&d->m->d.phys, pa + run - 1, &probe, 1)
                          : !machine_write(d->m, pa, bytes + done, run))
                return false;
        }
    }
    return true;
}

/* ---- notes ---- */

const char *exit_class_words(unsigned what) { return what < 64 ? ec_name(what) : exc_kind_words(what - 63, false); }

/* The guest that runs, and its translation regime as it is now. Returns its place; VMS: there is no room for it. */
static u32 vm_seen(struct debugger *d, const struct cpu *cpu, s32 vmid, bool entered)
{
    u64 root = FIELD_OF(cpu->sys.vttbr_el2, VTTBR_BADDR) << 1;
    u32 n = 0;
    while (n < VMS && d->vm[n].used && (d->vm[n].vmid != vmid || d->vm[n].root != root))
        n++;
    if (n == VMS)
        return n;
    struct vm_note *v = &d->vm[n];
    v->used = true;
    v->vmid = vmid;
    v->root = root;
    v->entries += entered;
    regime_describe(cpu, REGIME_EL10, &v->regime);
    return n;
}

static_assert((int)ANY == (int)NO_GUEST, "what runs in no guest fits every scope that names none");

/* An exception to EL2 from below: the PE leaves what it was in, and handles the exit. */
static void exit_counted(struct debugger *d, const struct cpu *cpu, unsigned what, u32 vm, bool guest)
{
    u64 at = cpu_position(cpu), *entered = &d->entered[cpu->index];
    d->exit_class[what]++;
    if (guest && vm == VMS)
        return;
    (guest ? &d->vm[vm].exit[what] : &d->own[what])->count++;
    if (guest && *entered && at >= *entered - 1)
        d->vm[vm].insns += at - (*entered - 1);
    *entered = 0;
    d->handled[cpu->index].since = at + 1;
    d->handled[cpu->index].vm = guest ? vm : VMS;
    d->handled[cpu->index].what = what;
}

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct debugger *d = ctx;
    u64 at = stops_position(d->m);
    struct exc_note *n = &d->note[d->notes++ % EXC_NOTES];
    *n = (struct exc_note){ .exc = *exc,
                            .at = at,
                            .pc = cpu->pc,
                            .return_pc = exc->elr,
                            .cpu = cpu->index,
                            .from_el = cpu->ps.el,
                            .vmid = cpu_guest(cpu),
                            .vttbr = cpu->sys.vttbr_el2,
                            .spsr = cpu_spsr(cpu),
                            .route = exc_route_of(cpu, exc, gic_source(&d->m->gic, cpu, exc)) };
    if (at < d->counted) /* replayed */
        return;
    d->counted = at;
    u32 vm = exc->target_el == 2 && n->vmid != ANY ? vm_seen(d, cpu, n->vmid, false) : VMS;
    d->exits[cpu->index][cpu->ps.el & 3][exc->target_el & 3]++;
    if (exc->cause.kind == CAUSE_TRAP && exc->cause.id < TRAPS_COUNTED)
        d->trapped[exc->cause.id]++;
    if (exc->target_el == 2 && cpu->ps.el < 2)
        exit_counted(d, cpu, exit_class_of(exc), vm, n->vmid != ANY);
}

/* The exit that the PE handled is over. */
static void exit_done(struct debugger *d, const struct cpu *cpu)
{
    u64 since = d->handled[cpu->index].since, at = cpu_position(cpu);
    u32 vm = d->handled[cpu->index].vm, what = d->handled[cpu->index].what;
    d->handled[cpu->index].since = 0;
    if (since && at >= since - 1)
        (vm < VMS ? &d->vm[vm].exit[what] : &d->own[what])->insns += at - (since - 1);
}

static void returned(void *ctx, struct cpu *cpu, u64 from_pc)
{
    struct debugger *d = ctx;
    (void)from_pc;
    s32 vmid = cpu_guest(cpu);
    if (cpu->ps.el > 1 || stops_position(d->m) < d->counted)
        return;
    exit_done(d, cpu);
    if (vmid == ANY)
        return;
    vm_seen(d, cpu, vmid, true);
    if (!d->entered[cpu->index])
        d->entered[cpu->index] = cpu_position(cpu) + 1;
}

static const struct hooks hooks = { .exception = exception, .exception_return = returned };

void debugger_init(struct debugger *d, struct machine *m)
{
    memset(d, 0, sizeof(*d));
    d->m = m;
    stops_init(&d->stops, m);
    observer_attach(m, &hooks, d, WANT_ALL);
}

void debugger_changed(struct debugger *d)
{
    if (d->reverse)
        reverse_changed(d->reverse);
    timeline_cut(d->timeline);
}

void debugger_end(struct debugger *d)
{
    observer_detach(d->m, &hooks, d);
    stops_end(&d->stops);
    disasm_destroy(d->disasm);
    d->disasm = NULL;
}

struct disasm *debugger_disasm(struct debugger *d)
{
    if (!d->disasm)
        d->disasm = disasm_create(d->m->d.decoder);
    return d->disasm;
}
