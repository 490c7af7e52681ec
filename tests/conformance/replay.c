/*
 * One vector: a whole start state, one instruction or pending interrupt, the state after it. Every register that elmu
 * has is compared, and all memory. Not compared: the order and size of memory accesses, and what masks.c names.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cpu/engine/code.h"
#include "cpu/exception.h"
#include "cpu/engine/run.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/access.h"
#include "mmu/context.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"
#include "tests/conformance/atcall.h"
#include "tests/conformance/causes.h"
#include "tests/conformance/vectors.h"

/* What "exec" vectors execute is here. */
#define FETCH_PAGE (ones(52) & ~(u64)0xfff)

/* ---- memory ---- */

static u8 *memory_page(struct memory *m, u64 pa)
{
    u64 base = align_down(pa, 4096);
    for (unsigned n = 0; n < m->count; n++)
        if (m->page[n]->pa == base)
            return m->page[n]->bytes;
    if (m->count == PAGES) {
        fprintf(stderr, "vectors: a vector touches more than %d pages\n", PAGES);
        exit(1);
    }
    struct page **p = &m->page[m->count++];
    if (!*p)
        *p = malloc(sizeof **p);
    if (!*p)
        exit(1);
    (*p)->pa = base;
    memset((*p)->bytes, 0, sizeof(*p)->bytes);
    return (*p)->bytes;
}

void memory_write(struct memory *m, u64 pa, unsigned size, u64 v)
{
    for (unsigned n = 0; n < size; n++)
        memory_page(m, pa + n)[(pa + n) & 4095] = (u8)(v >> 8 * n);
}

/* Every page of a equals b's, or is zero where b has none; *at is the first difference. */
static bool memory_equal(struct memory *a, struct memory *b, u64 *at)
{
    for (unsigned n = 0; n < a->count; n++) {
        const u8 *x = a->page[n]->bytes, *y = memory_page(b, a->page[n]->pa);
        for (unsigned k = 0; k < 4096; k++)
            if (x[k] != y[k]) {
                *at = a->page[n]->pa + k;
                return false;
            }
    }
    return true;
}

static u8 *page_of(void *board, u64 pa, struct phys_attrs attrs)
{
    (void)attrs;
    return memory_page(&((struct runner *)board)->memory, pa & (ones(52) | TAGS_BASE));
}
const struct phys_device_ops memory_everywhere = { .page = page_of };

/* The pages that came last become regions, with flags and so with fast tags; not the one that instructions are in. */
static void pages_add(struct runner *r)
{
    static u8 flags[PHYS_REGIONS];
    struct phys *p = &r->phys;
    p->region_count = 0;
    memset(flags, 0, sizeof flags);
    for (unsigned n = r->memory.count; n-- && p->region_count < PHYS_REGIONS;) {
        struct page *page = r->memory.page[n];
        if (page->pa >= FETCH_PAGE)
            continue;
        p->region[p->region_count] = (struct phys_region){
            .base = page->pa, .size = 4096, .host = page->bytes, .flags = &flags[p->region_count]
        };
        p->region_count++;
    }
}

/* ---- one vector ---- */

static unsigned sp_number(const struct cpu *cpu) { return cpu->ps.sp ? cpu->ps.el : 0; }

/* Instructions of "exec" vectors are in no memory of theirs; the syndrome of an abort is made from the word (ISV),
 * which is looked for in the fetch page. */
void fetch_page_write(struct runner *r, u64 pc, u32 word)
{
    memory_write(&r->memory, FETCH_PAGE | (pc & 0xffc), 4, word);
    memory_write(&r->expected, FETCH_PAGE | (pc & 0xffc), 4, word);
}
static void word_put(struct runner *r, u32 word)
{
    struct cpu *cpu = r->cpu;
    cpu->fetch_va = cpu->pc & ~(u64)0xfff;
    cpu->fetch_pa = FETCH_PAGE;
    cpu->fetch_valid = 1;
    fetch_page_write(r, cpu->pc, word);
}

/* AT of the v9.4 model is a call. */
static bool at_called(const struct runner *r)
{
    return !strcmp(r->set, "v94") && r->scan.odd_el && atcall_is(r->v.insn[0]);
}

static void caches_drop(struct runner *r)
{
    struct cpu *cpu = r->cpu;
    memset(&cpu->tlb, 0, sizeof cpu->tlb);
    mmu_drop_derived(cpu);
    cpu->d.page = NULL;
    code_drop(cpu->d.host.code);
}

static void execute(struct runner *r)
{
    struct cpu *cpu = r->cpu;
    u64 sre = cpu->sys.icc_sre_el1;
    cpu->sys.icc_sre_el1 = sre >> 32;
    cpu->x[REG_SP] = cpu->sp_el[sp_number(cpu)];
    cpu->halted = HALT_NONE;
    cpu->fetch_valid = 0;
    if (!r->round)
        caches_drop(r);
    cpu->d.attention = 0;
    cpu->d.raised = 0;
    cpu->d.now = 0;
    cpu->d.deadline = 1000000;
    cpu_control_changed(cpu);
    if (!strcmp(r->v.mode, "irq")) {
        unsigned irq = 0, fiq = 0, se = 0;
        if (sscanf(r->v.name, "irq=%u,fiq=%u,se=%u", &irq, &fiq, &se) != 3)
            exit(1);
        cpu->lines = (irq ? LINE_IRQ : 0) | (fiq ? LINE_FIQ : 0) | (se ? LINE_SERROR : 0);
        exception_take_interrupt(cpu);
    } else if (!strcmp(r->v.mode, "fetch")) {
        cpu->lines = 0;
        cpu->d.attention = 0;
        cpu_run(cpu, cpu->d.now + 1, true);
    } else if (at_called(r)) {
        cpu->lines = 0;
        atcall_run(cpu, r->v.insn[0]);
    } else if (r->tier2) {
        cpu->lines = 0;
        word_put(r, r->v.insn[0]);
        hot_execute(r);
    } else {
        cpu->lines = 0;
        for (unsigned n = 0; n < r->v.insn_count; n++) {
            word_put(r, r->v.insn[n]);
            cpu_exec_word(cpu, r->v.insn[n]);
            if (cpu->halted && cpu->trap_at) { /* a delayed trap: no event comes */
                cpu->halted = HALT_NONE;
                cpu->d.now = cpu->trap_at;
                cpu_exec_word(cpu, r->v.insn[n]);
            }
            if (cpu->d.raised)
                break;
        }
    }
    cpu->sp_el[sp_number(cpu)] = cpu->x[REG_SP];
    cpu->sys.icc_sre_el1 = sre;
}

static bool compare(struct runner *r, unsigned leaves, char *why, size_t size)
{
    bool good = true, memory = !(leaves & LEAVES_MEMORY) || !r->cpu->d.raised;
    size_t at = 0;
    masks_left_out(r, leaves);
    for (unsigned n = 0; n < reg_count; n++) {
        u64 got = reg_get(r->cpu, &regs[n]), want = reg_get(r->expect, &regs[n]);
        if (!((got ^ want) & r->mask[n]))
            continue;
        good = false;
        if (at < size)
            at += (size_t)snprintf(why + at, size - at, " %s=%llx not %llx", regs[n].name, (unsigned long long)got,
                                   (unsigned long long)want);
    }
    u64 pa = 0;
    if (memory && (!memory_equal(&r->memory, &r->expected, &pa) || !memory_equal(&r->expected, &r->memory, &pa))) {
        good = false;
        if (at < size)
            at += (size_t)snprintf(why + at, size - at, " memory at %llx", (unsigned long long)pa);
    }
    if (r->v.sleep != (r->cpu->halted != HALT_NONE)) {
        good = false;
        if (at < size)
            snprintf(why + at, size - at, r->v.sleep ? " does not sleep" : " sleeps");
    }
    return good;
}

/* ---- what caused it ---- */

static u8 *bytes_at(void *memory, u64 pa) { return memory_page(memory, pa & ones(52)) + (pa & 0xff8); }

/* Runs the vector, then with what its exception names mended: r->expect holds the start state meanwhile. */
static void causes_check(struct runner *r)
{
    cpu_copy(r->expect, r->cpu);
    execute(r);
    const struct exc first = r->cpu->d.exc;
    u64 pc = r->cpu->pc;
    if (!r->cpu->d.raised)
        return;
    cpu_copy(r->cpu, r->expect);
    u64 page = causes_descriptor(r->cpu, &first);
    bool differs = false;
    unsigned tries = 0;
    for (u8 saved[8]; !differs; tries++) {
        cpu_copy(r->cpu, r->expect);
        memcpy(saved, bytes_at(&r->memory, page), 8);
        if (!causes_mend(r->cpu, &first, bytes_at, &r->memory, tries))
            break;
        r->cpu->sys.icc_sre_el1 |= r->cpu->sys.icc_sre_el1 << 32; /* the Non-secure bank counts: see K_SRE */
        execute(r);
        differs = causes_differ(&first, r->cpu->d.raised, &r->cpu->d.exc);
        memcpy(bytes_at(&r->memory, page), saved, 8);
    }
    if (!tries && first.cause.kind != CAUSE_NONE)
        return;
    r->result->passed += differs;
    r->result->failed += !differs;
    if (!differs && r->shown++ < r->show) {
        const struct trap_row *row = first.cause.kind == CAUSE_TRAP ? trap_get(first.cause.id) : NULL;
        printf("FAIL %s/%s %u %s %s %08x: taken to %llx, cause %u.%u %s.%s (%llx) is not it\n", r->set, r->file,
               r->v.id, r->v.class_, r->v.name, r->v.insn[0], (unsigned long long)pc, first.cause.kind, first.cause.id,
               row ? row->reg : "", row ? row->name : "", (unsigned long long)first.cause.value);
    }
}

/* ---- skip, run, compare ---- */

static struct class_count *class_of(struct runner *r)
{
    struct class_count *c = r->result->classes;
    while (c->name[0] && strcmp(c->name, r->v.class_) && c < r->result->classes + CLASSES - 1)
        c++;
    memcpy(c->name, r->v.class_, sizeof c->name);
    return c;
}

/* The rule for the vector, -1 for none. */
static int rule_of(struct runner *r)
{
    struct rule_input in = { .cpu = r->cpu,
                             .set = r->set,
                             .class_ = r->v.class_,
                             .name = r->v.name,
                             .insn = r->v.insn[0],
                             .mode = r->v.mode,
                             .contiguous = r->v.contiguous,
                             .attrs = r->v.attrs,
                             .at_called = at_called(r),
                             .listed = scan_listed(&r->scan, r->v.insn[0] >> 5) };
    int rule = rule_find(&in);
    struct class_count *class = class_of(r);
    class->vectors++;
    if (rule >= 0)
        class->skipped[rule]++, r->result->skipped[rule]++;
    return rule;
}

/* An atomic operation (FEAT_LSE) or compare and swap: it reads what it writes. */
static bool reads_what_it_writes(u32 word)
{
    return (word & 0x3b200c00) == 0x38200000 || (word & 0x3fa07c00) == 0x08a07c00;
}
static void memory_copy(struct memory *to, const struct memory *from)
{
    to->count = 0;
    for (unsigned n = 0; n < from->count; n++)
        memcpy(memory_page(to, from->page[n]->pa), from->page[n]->bytes, 4096);
}
/* The words that it wrote become what they were; all else stays, since a TLB that has an entry sets no flags. */
static void written_restore(struct runner *r)
{
    const unsigned base = r->v.insn[0] >> 5 & 31;
    const u64 va = base == 31 ? r->cpu->sp_el[sp_number(r->cpu)] : r->cpu->x[base];
    mmu_context_changed(r->cpu);
    const struct mmu_view *view = mmu_view(r->cpu, r->cpu->ps.el);
    const struct tlb_entry *e = tlb_find(r->cpu, view, mmu_debug_untagged(r->cpu, va, false));
    for (unsigned n = 0; e && n < 16; n += 8) { /* it may be unaligned within 16 bytes */
        u64 pa = e->pa | (va & ones(e->size_log2) & ~15ull) | n;
        memcpy(bytes_at(&r->memory, pa), bytes_at(&r->before, pa), 8);
    }
}

/* By the second tier again, since host code makes only accesses that the fast tags know, of RAM that is a region: the
 * first round shows which pages there are, the second enters tags. The memory stays as it is then, but for
 * instructions that read what they write. */
static bool execute_again(struct runner *r, unsigned leaves, char *why, size_t size)
{
    bool good = true;
    pages_add(r);
    for (r->round = 1; r->round < HOT_ROUNDS && good; r->round++) {
        cpu_copy(r->cpu, r->start);
        if (reads_what_it_writes(r->v.insn[0]))
            written_restore(r);
        execute(r);
        good = compare(r, leaves, why, size);
    }
    r->round = 0;
    r->phys.region_count = 0;
    return good;
}

void replay(struct runner *r)
{
    if (!r->have)
        return;
    r->have = false;
    if (r->only && !strstr(r->v.class_, r->only) && !strstr(r->v.name, r->only))
        return;
    if (r->cpu->ps.el > 3) /* of calls of AArch64.AT, which only ask whether it is EL1 */
        r->cpu->ps.el = r->expect->ps.el = 2;
    int rule = rule_of(r);
    bool without = rule >= 0 && r->without && (!strcmp(r->without, "all") || !strcmp(r->without, rules[rule].name));
    unsigned leaves = rule >= 0 && !without ? rule_leaves(rule) : 0;
    if (rule >= 0 && !leaves && !without)
        return;
    if (r->causes) {
        if (!strcmp(r->v.mode, "exec") && r->v.insn_count == 1)
            causes_check(r);
        return;
    }
    if (r->tier2 && !hot_fits(r)) {
        r->result->hot.others++;
        return;
    }
    masks_apply(r);
    /* 16 breakpoints and watchpoints, so that the traps of all their registers are seen */
    r->cpu->sys.id_aa64dfr0_el1 |= 0xf0f000;
    r->expect->sys.id_aa64dfr0_el1 |= 0xf0f000;
    /* what the v9.4 model has in GMID_EL1 and DCZID_EL0 */
    if (!strcmp(r->set, "v94")) {
        r->cpu->sys.gmid_el1 = r->expect->sys.gmid_el1 = 4;
        r->cpu->sys.dczid_el0 = r->expect->sys.dczid_el0 = 8;
    }
    if (r->tier2) {
        cpu_copy(r->start, r->cpu);
        memory_copy(&r->before, &r->memory);
    }
    execute(r);
    char why[2048] = "";
    bool good = compare(r, leaves, why, sizeof why) && (!r->tier2 || execute_again(r, leaves, why, sizeof why));
    if (without)
        r->result->agreed[rule] += good;
    else if (good)
        r->result->passed++;
    else
        r->result->failed++;
    if (!good && r->shown++ < r->show)
        printf("%s %s/%s %u %s %s %08x %s:%s\n", without ? rules[rule].name : "FAIL", r->set, r->file, r->v.id,
               r->v.class_, r->v.name, r->v.insn[0], r->v.mode, why);
}
