/*
 * Executes single words on a PE with everything enabled, for the decode sweep: no word may crash or hang, and none may
 * silently do nothing. The PE starts from one of some templates (four ELs, random registers of which many are
 * addresses) and is put back after each word. All virtual addresses are mapped to one page of memory, odd ones as
 * Tagged, so that each access can be seen in that page and its tags.
 *
 * Leaves out: what a word did is not judged, only whether it did anything (the vectors and the lock-step judge values);
 * what the TLB holds is not looked at.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "cpu/exception.h"
#include "cpu/engine/run.h"
#include "gic/gic.h"
#include "mmu/access.h"
#include "mmu/phys.h"
#include "mmu/tags.h"
#include "mmu/tlb.h"
#include "tests/conformance/sweep.h"
#include "timer/timer.h"

enum { TEMPLATES = 64, KEPT = offsetof(struct cpu, tlb) };
/* Physical memory: the page of data, four levels of tables, the page that the word was fetched from. */
enum { DATA = 0, TABLES = 0x1000, CODE = 0x5000, RAM_SIZE = 0x8000, TAGS_SIZE = 0x1000 };
#define PC_START 0x40000100ull

static struct cpu *cpu;
static struct gic gic, gic_data;
static struct timers timers;
static u8 *templates, *started; /* KEPT bytes each; the one that the last word started from */
static _Alignas(4096) u8 ram[RAM_SIZE], tags[TAGS_SIZE], data[4096], data_tags[256];
static u8 ram_flags[RAM_SIZE / 4096], tag_flags[TAGS_SIZE / 4096];
static struct phys phys;
static volatile u32 word_now;
static bool gic_changed; /* by the last word */

static u64 random_next(u64 *state)
{
    u64 z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* ---- what may not happen ---- */

/* A crash, an assertion, or a word that takes longer than a whole block may: names it, and ends the worker. */
static void die(int signal)
{
    char text[64];
    int n = snprintf(text, sizeof text, "died %d %08x\n", signal, word_now);
    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        _exit(3);
    _exit(2);
}

void execute_watch(void)
{
    enum { SECONDS = 300 }; /* of processor time, for 2^20 words: several hundred times what they take */
    setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = SECONDS }, NULL);
}

/* ---- the PE ---- */

static void tables_make(void)
{
    enum { TABLE = 3, AF = 1 << 10, USER = 1 << 6, ATTR1 = 1 << 2 };
    for (u32 level = 0; level < 4; level++)
        for (u32 n = 0; n < 512; n++)
            store_le64(ram + TABLES + level * 4096 + n * 8, level < 3 ? (TABLES + (level + 1) * 4096) | TABLE
                                                                      : DATA | TABLE | AF | USER | (n & 1 ? ATTR1 : 0));
}

/* Everything on, nothing trapped; EL0 may do what it can be allowed to. */
static void controls_make(struct sysregs *s)
{
    const u64 pauth = BIT(31) | BIT(30) | BIT(27) | BIT(13), mmu = BIT(0) | BIT(2) | BIT(12);
    const u64 el0 = BIT(9) | BIT(14) | BIT(15) | BIT(16) | BIT(18) | BIT(26) | BIT(33) | BIT(42) | BIT(60);
    s->sctlr_el1 = mmu | pauth | el0 | BIT(43);
    s->sctlr_el2 = s->sctlr_el3 = mmu | pauth | BIT(43);
    s->tcr_el1 = 16 | 16 << 16 | 2ull << 30;
    s->tcr_el2 = s->tcr_el3 = 16;
    s->ttbr0_el1 = s->ttbr1_el1 = s->ttbr0_el2 = s->ttbr0_el3 = TABLES;
    s->mair_el1 = s->mair_el2 = s->mair_el3 = 0xf0ff; /* Normal, and Tagged Normal */
    s->scr_el3 = BIT(0) | BIT(8) | BIT(10) | BIT(16) | BIT(17) | BIT(21) | BIT(25) | BIT(26) | BIT(28) | BIT(38) |
                 BIT(43) | BIT(44) | BIT(45);
    s->hcr_el2 = BIT(31) | BIT(40) | BIT(41) | BIT(47) | BIT(53) | BIT(56);
    s->hcrx_el2 = BIT(11) | BIT(14) | BIT(15);
    s->cpacr_el1 = 3 << 20;
    s->cnthctl_el2 = 3;
    s->cntkctl_el1 = 0x303;
    s->mdcr_el2 = 6;
    s->pmuserenr_el0 = 15;
    s->icc_sre_el1 = s->icc_sre_el2 = s->icc_sre_el3 = 15;
}

/* An address, a small number (negative: what a memory copy has left to do), zero, or anything. */
static u64 value_make(u64 *random)
{
    u64 r = random_next(random), v = random_next(random);
    switch (r & 7) {
    case 0: return 0;
    case 1: return r & 8 ? v & 63 : -(v & 63);
    case 2:
    case 3: return v;
    case 4: return (v & 0xff1ff0) | BIT(56) * (v >> 60); /* with a tag */
    default: return 0x50000000 | (v & 0x1ff0);
    }
}

static void template_make(const struct cpu_model *model, unsigned number)
{
    u64 random = number * 0x1234567ull;
    memset(cpu, 0, KEPT);
    model_apply(model, cpu);
    controls_make(&cpu->sys);
    cpu->powered = 1;
    cpu->wake_at = ~(u64)0;
    for (unsigned n = 0; n < 31; n++)
        cpu->x[n] = value_make(&random);
    for (unsigned n = 0; n < 4; n++)
        cpu->sp_el[n] = 0x50000000 | (random_next(&random) & 0x1ff0);
    for (unsigned n = 0; n < 32; n++)
        cpu->v[n] = (union vreg){ .d = { random_next(&random), n & 1 ? random_next(&random) : 0x3ff8000000000000 } };
    cpu->ps = (struct pstate){ .el = number & 3, .sp = (number & 3) > 0 && number & 32 };
    cpu->ps.d = cpu->ps.a = number >> 3 & 1;
    cpu->ps.i = cpu->ps.f = number >> 4 & 1;
    cpu->x[REG_SP] = cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0];
    cpu_set_nzcv(cpu, number >> 2);
    cpu->fpcr = number & 16 ? (u32)random_next(&random) & 0x07c80000 : 0;
    cpu->pc = PC_START;
    cpu->sys.vbar_el1 = cpu->sys.vbar_el2 = cpu->sys.vbar_el3 = 0x60000000;
    cpu->sys.elr_el1 = cpu->sys.elr_el2 = cpu->sys.elr_el3 = 0x70000000 | (random_next(&random) & 0xffc);
    u64 *keys[] = { &cpu->sys.apiakeylo_el1, &cpu->sys.apibkeylo_el1, &cpu->sys.apdakeylo_el1, &cpu->sys.apdbkeylo_el1,
                    &cpu->sys.apgakeylo_el1 };
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++)
        *keys[n] = random_next(&random);
    cpu->excl_valid = number >> 4 & 1; /* as if a pair had been loaded at some address */
    cpu->excl_pa = DATA | (cpu->x[number >> 2 & 15] & 0xff0);
    cpu->excl_size = 8;
    cpu->fetch_va = PC_START & ~4095ull;
    cpu->fetch_pa = CODE;
    cpu->fetch_valid = 1;
    memcpy(templates + (size_t)number * KEPT, cpu, KEPT);
}

/* All that does not follow from the registers by itself. */
static void derive(void)
{
    gic_reset(&gic, cpu, 1, true);
    gic_data = gic;
    timer_reset(&timers);
    memcpy(cpu, started, KEPT);
    tlb_reset(cpu);
    mmu_drop_derived(cpu);
    breakpoint_changed(cpu);
}

void execute_open(const struct cpu_model *model, struct decoder *decoder)
{
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF };
    for (unsigned n = 0; n < ARRAY_LEN(deadly); n++)
        sigaction(deadly[n], &(struct sigaction){ .sa_handler = die }, NULL);
    cpu = calloc(1, sizeof *cpu);
    templates = calloc(TEMPLATES, KEPT);
    if (!cpu || !templates) {
        fprintf(stderr, "sweep: out of memory\n");
        exit(1);
    }
    phys = (struct phys){ .region = { { .base = 0, .size = RAM_SIZE, .host = ram, .flags = ram_flags },
                                      { .base = TAGS_BASE, .size = TAGS_SIZE, .host = tags, .flags = tag_flags } },
                          .region_count = 2,
                          .pa_size = 48 }; /* and no devices */
    cpu->d.host = (struct cpu_host){
        .phys = &phys, .decoder = decoder, .gic = &gic, .timers = &timers, .cpus = cpu, .cpu_count = 1
    };
    u64 random = 1;
    for (unsigned n = 0; n < sizeof data; n += 8)
        store_le64(data + n, random_next(&random));
    for (unsigned n = 0; n < sizeof data_tags; n++)
        data_tags[n] = random_next(&random) & 15;
    tables_make();
    memcpy(ram + DATA, data, sizeof data);
    memcpy(tags, data_tags, sizeof data_tags);
    for (unsigned n = 0; n < TEMPLATES; n++)
        template_make(model, n);
    started = templates;
    derive();
    cpu_control_changed(cpu);
}

/* Registers that an exception writes, whose change asks for nothing to be derived anew. */
static bool controls_changed(const struct sysregs *was)
{
    struct sysregs *s = &cpu->sys;
    u64 *notes[] = { &s->esr_el1, &s->esr_el2, &s->esr_el3,   &s->elr_el1,  &s->elr_el2,  &s->elr_el3,  &s->far_el1,
                     &s->far_el2, &s->far_el3, &s->hpfar_el2, &s->spsr_el1, &s->spsr_el2, &s->spsr_el3, &s->par_el1 };
    for (unsigned n = 0; n < ARRAY_LEN(notes); n++)
        *notes[n] = *(const u64 *)((const u8 *)was + ((u8 *)notes[n] - (u8 *)s));
    return memcmp(s, was, sizeof *s);
}

/* Puts everything back as a template has it: another one every 32 words (it costs time), or the one asked for. */
static void restore(u32 word, unsigned template)
{
    u64 z = (word >> 5) * 0x9e3779b97f4a7c15ull;
    u8 *next = templates + (((z >> 58) + template) & (TEMPLATES - 1)) * KEPT;
    bool derived = controls_changed(&((struct cpu *)(void *)started)->sys) || gic_changed;
    bool changed = derived || cpu->d.raised || next != started || cpu->ps.el != ((struct cpu *)(void *)started)->ps.el;
    started = next;
    memcpy(cpu, next, KEPT);
    if (memcmp(ram + DATA, data, sizeof data))
        memcpy(ram + DATA, data, sizeof data);
    if (memcmp(tags, data_tags, sizeof data_tags))
        memcpy(tags, data_tags, sizeof data_tags);
    if (derived) {
        tables_make();
        derive();
    }
    if (changed)
        cpu_control_changed(cpu);
    cpu->d.attention = 0;
    cpu->d.now = cpu->d.run_from = 1000;
    cpu->d.deadline = cpu->d.slice_end = 1100;
}

/* Is all as it was but the PC, which went on by 4? The fetch page may be looked up again without anybody seeing. */
static bool is_idle(void)
{
    const struct cpu *was = (const struct cpu *)(const void *)started;
    cpu_settle(cpu);
    if (cpu->pc != PC_START + 4)
        return false;
    cpu->pc = was->pc;
    cpu->fetch_valid = was->fetch_valid;
    cpu->fetch_attrs = was->fetch_attrs;
    return !memcmp(cpu, was, KEPT) && !memcmp(ram + DATA, data, sizeof data) &&
           !memcmp(tags, data_tags, sizeof data_tags);
}

enum executed execute_word(u32 word, unsigned template)
{
    word_now = word;
    restore(word, template);
    store_le32(ram + CODE + (PC_START & 4095), word);
    cpu_exec_word(cpu, word);
    /* System registers alone reach it. */
    gic_changed = bits(word, 31, 24) == 0xd5 && memcmp(&gic, &gic_data, offsetof(struct gic, d));
    if (cpu->d.raised)
        return cpu->d.exc.ec == EC_UNKNOWN ? EXECUTED_UNDEFINED : EXECUTED_RAISED;
    return is_idle() && !gic_changed ? EXECUTED_IDLE : EXECUTED;
}
