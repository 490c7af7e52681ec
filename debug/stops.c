/*
 * Breakpoints, watchpoints, steps and conditions, as an observer. An access is seen by the page in the fast engine
 * and then, exactly, in the stepping one.
 */
#include "debug/stops.h"

#include "board/observer.h"
#include "cpu/exception/words.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/access.h"
#include "mmu/context.h"

#include <stdio.h>

enum { PAGE = 4096 };

u64 stops_position(const struct machine *m)
{
    const struct cpu *cpu = &m->d.cpu[m->turn];
    return machine_insns(m) + cpu->d.now - cpu->d.run_from;
}

struct stop_scope stops_scope_of(const struct cpu *cpu)
{
    struct regime_desc r;
    regime_describe(cpu, regime_of(cpu, cpu->ps.el), &r);
    return (struct stop_scope){
        .el = cpu->ps.el, .vmid = r.vmid, .asid = r.asid, .secure = cpu_is_secure(cpu), .cpu = (s32)cpu->index
    };
}

static bool fits(s32 wanted, s32 have) { return wanted == ANY || wanted == have; }

/* vmid: a point for a VM means EL1 and EL0 of it; EL2 and EL3 have none. */
static bool in_scope(const struct stop_scope *w, const struct cpu *cpu)
{
    if (w->el == ANY && w->vmid == ANY && w->asid == ANY && w->secure == ANY && w->cpu == ANY)
        return true;
    struct stop_scope have = stops_scope_of(cpu);
    if (w->vmid != ANY && (cpu->ps.el >= 2 || !cpu_el2_enabled(cpu) || (cpu->ps.el == 0 && bit(cpu_hcr(cpu), 27))))
        return false;
    return fits(w->el, have.el) && fits(w->vmid, have.vmid) && fits(w->asid, have.asid) &&
           fits(w->secure, have.secure) && fits(w->cpu, have.cpu);
}

/* ---- what happened ---- */

static void hit_fill(struct stop_hit *h, struct cpu *cpu, const struct stop_point *p, u64 before, u64 at)
{
    *h = (struct stop_hit){ .hit = true, .point = p, .cpu = cpu->index, .at = at, .before = before, .pc = cpu->pc };
}

/* Instructions of the PE before the one that it stands at. */
static u64 insns_of(const struct cpu *cpu)
{
    return cpu->insns + (cpu->d.now - cpu->d.run_from); /* insns of a slice are counted at its end */
}

/* Is this instruction the one at which the PE was stopped? Then it is executed now. */
static bool is_known(const struct stops *s, const struct cpu *cpu, u64 pc)
{
    const struct stop_stand *stand = &s->stand[cpu->index];
    return !s->scanning && stand->known && stand->pc == pc && stand->insns == insns_of(cpu);
}

static void stand_set(struct stops *s, const struct cpu *cpu)
{
    s->stand[cpu->index] = (struct stop_stand){ .known = true, .pc = cpu->pc, .insns = insns_of(cpu) };
}

/* Stops now, before the instruction. */
static void stop_before(struct stops *s, const struct cpu *cpu, const struct stop_hit *h)
{
    s->pending = *h;
    stand_set(s, cpu);
    machine_end(s->m, END_REQUEST, 0, "");
}

/* A stop that takes effect at the next architectural point (exceptions, register writes: they are one). */
static void happened(struct stops *s, struct cpu *cpu, const struct stop_point *p, u64 before, u64 at, const char *text)
{
    struct stop_hit h;
    hit_fill(&h, cpu, p, before, at);
    snprintf(h.text, sizeof(h.text), "%s", text);
    if (s->scanning) {
        if (h.at < s->scan_end || (s->scan_past && h.at == s->scan_end && before < at))
            s->last = h;
        return;
    }
    if (!s->pending.hit)
        s->pending = h;
    machine_end(s->m, END_REQUEST, 0, "");
}

/* Is there a reason to stop before this instruction? Where the run was resumed the first one is executed anyway. */
static bool stops_here(struct stops *s, struct cpu *cpu, u64 pc, struct stop_hit *h)
{
    u64 at = stops_position(s->m);
    bool known = is_known(s, cpu, pc);
    for (unsigned n = 0; s->any_at && !known && n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        if (p->used && p->what == ON_INSN && mmu_debug_untagged(cpu, p->addr, true) == pc && in_scope(&p->scope, cpu)) {
            hit_fill(h, cpu, p, at, at);
            return true;
        }
    }
    if (!s->stepping || cpu->index != s->step_cpu)
        return false;
    hit_fill(h, cpu, NULL, at, at);
    bool first = s->step_armed && pc == s->step_pc; /* else an interrupt came first: stop at its vector */
    s->step_armed = false;
    return !first;
}

static bool before(void *ctx, struct cpu *cpu, u64 pc, u32 insn)
{
    struct stops *s = ctx;
    struct stop_hit h;
    (void)insn;
    if (s->scanning) {
        hit_fill(&h, cpu, NULL, stops_position(s->m), stops_position(s->m));
        if (h.at < s->scan_end && (stops_here(s, cpu, pc, &h) || (s->scan_insns && cpu->index == s->step_cpu)))
            s->last = h;
    } else if (stops_here(s, cpu, pc, &h)) {
        stop_before(s, cpu, &h);
        return false;
    }
    return true;
}

/* ---- data ---- */

static bool overlaps(u64 a, u64 a_size, u64 b, u64 b_size) { return a - b < b_size || b - a < a_size; }

/* The address that the point is about, of an access at va that reached pa. */
static u64 address_in(const struct stop_point *p, const struct cpu *cpu, u64 va, u64 pa)
{
    struct translation t;
    u64 out;
    if (p->space == SPACE_VA)
        return mmu_debug_untagged(cpu, va, false);
    if (p->space == SPACE_PA)
        return pa;
    return mmu_debug_translate(cpu, va, cpu->ps.el, &out, &t, NULL) ? t.ipa : pa;
}

/* Where the point begins, for this PE: under TBI the tag byte of a virtual address says nothing. */
static u64 point_base(const struct stop_point *p, const struct cpu *cpu)
{
    return p->space == SPACE_VA ? mmu_debug_untagged(cpu, p->addr, false) : p->addr;
}

/* Stops before the access, as gdb expects of this architecture. */
static bool access(void *ctx, struct cpu *cpu, u64 va, u64 pa, unsigned size, bool write)
{
    struct stops *s = ctx;
    u64 now = stops_position(s->m);
    bool known = is_known(s, cpu, cpu->pc);
    for (unsigned n = 0; s->any_data && !known && n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        if (!p->used || (p->what != ON_ACCESS && p->what != (write ? ON_WRITE : ON_READ)))
            continue;
        u64 at = address_in(p, cpu, va, pa), base = point_base(p, cpu);
        if (!overlaps(at, size, base, p->size) || !in_scope(&p->scope, cpu))
            continue;
        struct stop_hit h;
        hit_fill(&h, cpu, p, now, now);
        h.addr = p->addr + (at - base < p->size ? at - base : 0); /* with the tag byte that the client gave it */
        if (s->scanning) {
            h.at = now + 1; /* backwards one arrives from behind it */
            if (h.at < s->scan_end)
                s->last = h;
            continue;
        }
        stop_before(s, cpu, &h);
        return false;
    }
    return true;
}

static bool page(void *ctx, struct cpu *cpu, u64 va)
{
    struct stops *s = ctx;
    for (unsigned n = 0; n < MAX_STOPS; n++)
        if (s->point[n].used && s->point[n].what == ON_INSN &&
            (mmu_debug_untagged(cpu, s->point[n].addr, true) & ~(u64)(PAGE - 1)) == va)
            return true;
    return false;
}

static bool data(void *ctx, struct cpu *cpu, u64 va, u64 pa)
{
    struct stops *s = ctx;
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        if (!p->used || p->what < ON_WRITE || p->what > ON_ACCESS)
            continue;
        u64 base = point_base(p, cpu), first = base & ~(u64)(PAGE - 1), span = base + p->size - first;
        if ((address_in(p, cpu, va, pa) & ~(u64)(PAGE - 1)) - first < align_up(span, PAGE))
            return true;
    }
    return false;
}

/* ---- conditions ---- */

static bool exception_fits(const struct stop_point *p, const struct cpu *cpu, const struct exc *exc)
{
    if (!p->used)
        return false;
    if (p->what == ON_S2FAULT)
        return exc->kind == EXC_SYNC && exc->has_hpfar &&
               overlaps((bits(exc->hpfar, 43, 4) << 12) | (exc->far & (PAGE - 1)), 1, p->addr, p->size);
    if (p->what == ON_EL)
        return exc->target_el != cpu->ps.el;
    if (p->what != ON_EXCEPTION && p->what != ON_EXIT)
        return false;
    if (p->what == ON_EXIT && !(exc->target_el == 2 && cpu->ps.el < 2))
        return false;
    return p->value == ANY || (exc->kind == EXC_SYNC ? p->value == exc->ec : p->value == 0x40 + exc->kind);
}

/* Exceptions that come before the instruction. */
static bool of_fetch(unsigned ec)
{
    return ec == EC_IABT_LOWER || ec == EC_IABT_SAME || ec == EC_PC_ALIGN || ec == EC_ILLEGAL_STATE ||
           ec == EC_STEP_LOWER || ec == EC_STEP_SAME;
}

/* Of what guest it was, or will be. */
static void guest_add(const struct cpu *cpu, char *text, size_t size)
{
    size_t used = strlen(text);
    if (cpu_guest(cpu) != NO_GUEST)
        snprintf(text + used, size - used, ", guest of VMID %d", cpu_guest(cpu));
}

static void exception(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    struct stops *s = ctx;
    s->el[cpu->index] = (u8)exc->target_el;
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        if (!exception_fits(p, cpu, exc) || !in_scope(&p->scope, cpu))
            continue;
        char text[160];
        u64 now = stops_position(s->m);
        snprintf(text, sizeof(text), "EL%u to EL%u: %s%s", cpu->ps.el, exc->target_el, exc_class_words(exc),
                 exc->kind == EXC_SYNC ? fault_name(exc->ec, exc->iss) : "");
        guest_add(cpu, text, sizeof(text));
        if (exc->kind != EXC_SYNC)
            happened(s, cpu, p, now, now, text);
        else if (of_fetch(exc->ec)) /* its instruction has not been counted yet */
            happened(s, cpu, p, now, now + 1, text);
        else
            happened(s, cpu, p, now ? now - 1 : 0, now, text);
        return;
    }
}

/* From which EL, the returns and exceptions before it have said. */
static void returned(void *ctx, struct cpu *cpu, u64 from_pc)
{
    struct stops *s = ctx;
    unsigned from = s->el[cpu->index], el = cpu->ps.el;
    s->el[cpu->index] = (u8)el;
    for (unsigned n = 0; from != el && n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        bool fits_it = p->what == ON_EL || (p->what == ON_ENTRY && from == 2);
        if (!p->used || !fits_it || !in_scope(&p->scope, cpu))
            continue;
        char text[160];
        u64 now = stops_position(s->m);
        snprintf(text, sizeof(text), "EL%u to EL%u: exception return at 0x%llx", from, el, (unsigned long long)from_pc);
        guest_add(cpu, text, sizeof(text));
        /* it has not been counted yet */
        happened(s, cpu, p, now, now + 1, text);
        return;
    }
}

/* A PE begins in the highest EL that it has, by PSCI's CPU_ON too: where that is the machine's, the highest is EL2. */
static void reset(void *ctx, struct cpu *cpu)
{
    struct stops *s = ctx;
    s->el[cpu->index] = cpu_has(cpu, FEAT_EL3) ? 3 : cpu_has(cpu, FEAT_EL2) ? 2 : 1;
}

/* What the register holds now, and what was written where that is something else. */
static void written_words(struct cpu *cpu, const struct sysreg *row, u64 value, char *text, size_t size)
{
    u64 holds = sysreg_peek(cpu, row);
    if (!sysreg_is_readable(row))
        snprintf(text, size, "%s: 0x%llx written", row->name, (unsigned long long)value);
    else if (holds == value)
        snprintf(text, size, "%s = 0x%llx", row->name, (unsigned long long)holds);
    else
        snprintf(text, size, "%s = 0x%llx (0x%llx written)", row->name, (unsigned long long)holds,
                 (unsigned long long)value);
}

static void sysreg_written(void *ctx, struct cpu *cpu, unsigned row, u64 value)
{
    struct stops *s = ctx;
    for (unsigned n = 0; !s->client_writes && n < MAX_STOPS; n++) {
        const struct stop_point *p = &s->point[n];
        if (!p->used || p->what != ON_SYSREG || p->value != (s64)row || !in_scope(&p->scope, cpu))
            continue;
        char text[160];
        written_words(cpu, sysreg_get(row), value, text, sizeof(text));
        happened(s, cpu, p, stops_position(s->m), stops_position(s->m) + 1, text);
        return;
    }
}

/* ---- switching it on ---- */

static bool any_of(const struct stops *s, unsigned first, unsigned last)
{
    for (unsigned n = 0; n < MAX_STOPS; n++)
        if (s->point[n].used && s->point[n].what >= first && s->point[n].what <= last)
            return true;
    return false;
}

static const struct hooks hooks = {
    .page = page,
    .data = data,
    .before = before,
    .access = access,
    .exception = exception,
    .exception_return = returned,
    .reset = reset,
    .sysreg_written = sysreg_written,
};

/* What the points and steps that there are need, and no more. */
static void wants_set(struct stops *s)
{
    bool every = s->stepping || s->scan_insns;
    s->any_at = any_of(s, ON_INSN, ON_INSN);
    s->any_data = any_of(s, ON_WRITE, ON_ACCESS);
    u32 wants = (s->any_at ? WANT_page | WANT_before : 0) | (s->any_data ? WANT_data | WANT_access : 0);
    wants |= every ? WANT_before | WANT_EVERY : 0;
    wants |= any_of(s, ON_EXCEPTION, ON_EXIT) || any_of(s, ON_S2FAULT, ON_S2FAULT) ? WANT_exception : 0;
    wants |= any_of(s, ON_EL, ON_ENTRY) ? WANT_exception | WANT_exception_return | WANT_reset : 0;
    for (u32 n = 0; n < s->m->options.cpu_count; n++)
        s->el[n] = s->m->d.cpu[n].ps.el;
    wants |= any_of(s, ON_SYSREG, ON_SYSREG) ? WANT_sysreg_written : 0;
    observer_attach(s->m, &hooks, s, wants);
}

void stops_changed(struct stops *s)
{
    wants_set(s);
    observer_answers_changed(s->m);
}

void stops_init(struct stops *s, struct machine *m)
{
    memset(s, 0, sizeof(*s));
    s->m = m;
    s->next_number = 1;
    wants_set(s);
}

void stops_end(struct stops *s) { observer_detach(s->m, &hooks, s); }

struct stop_point *stops_new(struct stops *s)
{
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        struct stop_point *p = &s->point[n];
        if (p->used)
            continue;
        *p = (struct stop_point){
            .used = true, .number = s->next_number++, .size = 1, .value = ANY, .scope = { ANY, ANY, ANY, ANY, ANY }
        };
        return p;
    }
    return NULL;
}

void stops_step(struct stops *s, u32 cpu)
{
    bool was = s->stepping;
    s->stepping = s->step_armed = cpu < s->m->options.cpu_count;
    s->step_cpu = cpu;
    s->step_pc = s->stepping ? s->m->d.cpu[cpu].pc : 0;
    if (s->stepping || was)
        wants_set(s);
}

void stops_resume(struct stops *s, u32 cpu)
{
    s->pending.hit = s->last.hit = false;
    if (!s->stand[cpu].moved)
        stand_set(s, &s->m->d.cpu[cpu]);
    for (u32 n = 0; n < s->m->options.cpu_count; n++) {
        s->stand[n].moved = false;
        s->el[n] = s->m->d.cpu[n].ps.el;
    }
}

void stops_once(struct stops *s)
{
    if (!s->pending.hit || !s->pending.point || !s->pending.point->once)
        return;
    s->point[s->pending.point - s->point].used = false;
    stops_changed(s);
}

void stops_moved(struct stops *s, u32 cpu) { s->stand[cpu] = (struct stop_stand){ .moved = true }; }

void stops_moved_all(struct stops *s)
{
    for (u32 n = 0; n < s->m->options.cpu_count; n++)
        stops_moved(s, n);
}
