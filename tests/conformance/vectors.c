/*
 * The vector runner: replays the conformance vectors made from Arm's executable specification
 * (../shared/vectors/README.md): a whole start state, one instruction or pending interrupt, the state after it. Every
 * register that elmu has is compared, and all memory. Skips are named rules (rules.h): predicates on the start state
 * and the instruction.
 *
 *     vectors [--only TEXT] [--show N] [--jobs N] [--causes] DIR...   DIR holds sets (vNN, each with .txt.gz files), or
 * is one
 *
 * --causes: of each vector that ends in an exception by a control or a descriptor, mends just that and runs it again
 * (causes.h).
 *
 * Not compared: the order and size of memory accesses.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "cpu/code.h"
#include "cpu/decode.h"
#include "cpu/exception.h"
#include "cpu/model.h"
#include "cpu/run.h"
#include "cpu/sysreg.h"
#include "gic/gic.h"
#include "mmu/access.h"
#include "mmu/phys.h"
#include "mmu/tags.h"
#include "tests/conformance/causes.h"
#include "tests/conformance/rules.h"
#include "timer/timer.h"

enum { LINE_MAX_ = 1 << 16, PAGES = 1024, REGS = 2048, MEM_MAX = 512, INSNS_MAX = 4 };

/* ---- the feature sets of the models ---- */

/* The model of v80 and v81 executes half precision and the LRCPC and limited-ordering accesses whatever the version,
 * and has 52-bit physical addresses. */
#define V80 "lpa,crc32,aes,pmull,sha1,sha256,el2,el3,gicv3,pmu,fp16,lor,lrcpc,lrcpc2"
#define V81 V80 ",lse,rdm,pan,vhe,hpds,vmid16,hafdbs"
#define V85                                                                                                            \
    V81 ",uao,ras,rasv1p1,iesb,lva,lpa,ttcnp,xnx,fhm,dotprod,hafdbs,evt,dpb,dpb2,pauth,fcma,jscvt,nv,nv2,sel2,s2fwb,"  \
        "ttst,ttl,tlbirange,tlbios,bbm,dit,flagm,flagm2,lse2,trf,bti,sb,ssbs,specres,e0pd,frintts,rng,csv2,csv2-2,csv3,pan2,ats1e1"
#define V94                                                                                                               \
    V85 ",sha512,sha3,sm3,sm4,i8mm,bf16,fgt,ecv,hcx,wfxt,xs,twed,afp,rpres,pan3,mops,hbc,cmow,tidcp1,lpa2,specres2,cssc," \
        "lse128,lrcpc3,rprfm,clrbhb,sctlr2,tcr2,ebf16,hpds2,ssbs2,mte,mte2,mte3,pauth2,fpac,fpaccombine,s1pie,s2pie,s1poe"
static const struct {
    const char *set, *features;
} sets[] = {
    { "v80", V80 }, { "v81", V81 }, { "v85mte", V85 ",mte,mte2" }, { "v85", V85 }, { "v94", V94 },
};

/* Is the feature of that name known, and in the set? */
static bool features_name(const struct features *f, const char *name)
{
    for (unsigned n = 0; feature_name(n); n++)
        if (!strcmp(feature_name(n), name))
            return feature_has(f, (enum feature)n);
    return false;
}

static void features_add(struct features *f, const char *list)
{
    char text[1024];
    snprintf(text, sizeof text, "%s", list);
    feature_add(f, FEAT_BASE);
    for (char *save, *name = strtok_r(text, ",", &save); name; name = strtok_r(NULL, ",", &save))
        for (unsigned n = 0; feature_name(n); n++)
            if (!strcmp(feature_name(n), name))
                feature_add(f, (enum feature)n);
}

/* ---- the registers, by the names that the vectors use ---- */

enum kind { K_X, K_SP, K_PC, K_PS, K_FLAG, K_V, K_FPCR, K_FPSR, K_SYS, K_EVENT, K_SRE };
struct reg {
    char name[32];
    u8 kind;
    u32 index; /* number, byte offset, bit */
};
static struct reg regs[REGS];
static unsigned reg_count;
static u16 reg_hash[8192];

static unsigned name_hash(const char *name)
{
    unsigned h = 5381;
    while (*name)
        h = h * 33 ^ (u8)*name++;
    return h & 8191;
}

static struct reg *reg_find(const char *name)
{
    for (unsigned h = name_hash(name); reg_hash[h]; h = (h + 1) & 8191)
        if (!strcmp(regs[reg_hash[h] - 1].name, name))
            return &regs[reg_hash[h] - 1];
    return NULL;
}

static void reg_add(const char *name, enum kind kind, unsigned index)
{
    if (reg_find(name))
        return;
    struct reg *r = &regs[reg_count++];
    snprintf(r->name, sizeof r->name, "%s", name);
    r->kind = (u8)kind;
    r->index = index;
    unsigned h = name_hash(name);
    while (reg_hash[h])
        h = (h + 1) & 8191;
    reg_hash[h] = (u16)reg_count;
}

/* DBGBVR3_EL1 is DBGBVR_EL1[3] in the vectors. */
static void reg_add_sys(const char *name, unsigned offset)
{
    static const char *const arrays[] = { "DBGBVR",   "DBGBCR",   "DBGWVR",   "DBGWCR",   "PMEVCNTR", "PMEVTYPER",
                                          "ICC_AP0R", "ICC_AP1R", "ICH_AP0R", "ICH_AP1R", "ICH_LR" };
    for (unsigned n = 0; n < ARRAY_LEN(arrays); n++) {
        size_t length = strlen(arrays[n]);
        const char *rest = name + length;
        if (strncmp(name, arrays[n], length) || *rest < '0' || *rest > '9')
            continue;
        char text[64], *suffix;
        long number = strtol(rest, &suffix, 10);
        snprintf(text, sizeof text, "%s%s[%ld]", arrays[n], suffix, number);
        reg_add(text, K_SYS, offset);
        return;
    }
    reg_add(name, K_SYS, offset);
}

static void regs_build(void)
{
    static const struct {
        const char *name;
        unsigned offset;
    } ps[] = {
        { "EL", offsetof(struct pstate, el) },       { "SP", offsetof(struct pstate, sp) },
        { "D", offsetof(struct pstate, d) },         { "A", offsetof(struct pstate, a) },
        { "I", offsetof(struct pstate, i) },         { "F", offsetof(struct pstate, f) },
        { "PAN", offsetof(struct pstate, pan) },     { "UAO", offsetof(struct pstate, uao) },
        { "SS", offsetof(struct pstate, ss) },       { "IL", offsetof(struct pstate, il) },
        { "BTYPE", offsetof(struct pstate, btype) }, { "DIT", offsetof(struct pstate, dit) },
        { "SSBS", offsetof(struct pstate, ssbs) },   { "TCO", offsetof(struct pstate, tco) },
    };
    char name[32];
    for (unsigned n = 0; n < 31; n++)
        snprintf(name, sizeof name, "X%u", n), reg_add(name, K_X, n);
    for (unsigned n = 0; n < 4; n++)
        snprintf(name, sizeof name, "SP_EL%u", n), reg_add(name, K_SP, n);
    for (unsigned n = 0; n < 64; n++)
        snprintf(name, sizeof name, "V%u.%s", n / 2, n & 1 ? "hi" : "lo"), reg_add(name, K_V, n);
    for (unsigned n = 0; n < ARRAY_LEN(ps); n++)
        snprintf(name, sizeof name, "PSTATE.%s", ps[n].name), reg_add(name, K_PS, ps[n].offset);
    for (unsigned n = 0; n < 4; n++)
        snprintf(name, sizeof name, "PSTATE.%c", "VCZN"[n]), reg_add(name, K_FLAG, n);
    reg_add("PC", K_PC, 0);
    reg_add("FPCR", K_FPCR, 0);
    reg_add("FPSR", K_FPSR, 0);
    reg_add("EventRegister", K_EVENT, 0);
    reg_add("ICC_SRE_EL1_S", K_SRE, 0);
    reg_add("ICC_SRE_EL1_NS", K_SRE, 1);
    const struct sysreg *row;
    for (unsigned n = 0; (row = sysreg_get(n)); n++)
        if (row->offset >= 0 && !row->alias)
            reg_add_sys(row->name, (unsigned)row->offset);
}

static u64 reg_get(const struct cpu *cpu, const struct reg *r)
{
    switch (r->kind) {
    case K_X: return cpu->x[r->index];
    case K_SP: return cpu->sp_el[r->index];
    case K_PC: return cpu->pc;
    case K_PS: return ((const u8 *)&cpu->ps)[r->index];
    case K_FLAG: return cpu_nzcv(cpu) >> r->index & 1;
    case K_V: return cpu->v[r->index / 2].d[r->index & 1];
    case K_FPCR: return cpu->fpcr;
    case K_FPSR: return cpu->fpsr;
    case K_EVENT: return cpu->event;
    case K_SRE: return cpu->sys.icc_sre_el1 >> (r->index * 32) & 0xffffffff;
    default: return load_le64((const u8 *)&cpu->sys + r->index);
    }
}

static void reg_set(struct cpu *cpu, const struct reg *r, u64 v)
{
    switch (r->kind) {
    case K_X: cpu->x[r->index] = v; break;
    case K_SP: cpu->sp_el[r->index] = v; break;
    case K_PC: cpu->pc = v; break;
    case K_PS: ((u8 *)&cpu->ps)[r->index] = (u8)v; break;
    case K_FLAG: cpu_set_nzcv(cpu, (u32)bits_set(cpu_nzcv(cpu), r->index, r->index, v)); break;
    case K_V: cpu->v[r->index / 2].d[r->index & 1] = v; break;
    case K_FPCR: cpu->fpcr = (u32)v; break;
    case K_FPSR: cpu->fpsr = (u32)v; break;
    /* the model has two banks, and goes by the Non-secure one */
    case K_SRE: cpu->sys.icc_sre_el1 = bits_set(cpu->sys.icc_sre_el1, r->index * 32 + 31, r->index * 32, v); break;
    case K_EVENT: cpu->event = (u32)v; break;
    default: store_le64((u8 *)&cpu->sys + r->index, v); break;
    }
}

/* ---- memory that exists everywhere and reads 0 ---- */

struct page {
    u64 pa;
    u8 bytes[4096];
};
struct memory {
    struct page *page[PAGES];
    unsigned count;
};

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

static void memory_write(struct memory *m, u64 pa, unsigned size, u64 v)
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

/* ---- one vector ---- */

struct vector {
    char class_[32], name[128];
    unsigned id;
    u32 insn[INSNS_MAX];
    unsigned insn_count;
    char mode[16];
    bool sleep;
};

struct runner {
    struct cpu *cpu;    /* under test */
    struct cpu *expect; /* architectural part only */
    struct cpu *baseline;
    struct memory memory, expected;
    struct phys phys;
    struct gic *gic;
    struct timers *timers;
    struct features features;
    u64 *mask; /* by register, bits to compare */
    char set[32], file[64];
    unsigned passed, failed, shown, show;
    unsigned skipped[RULE_COUNT_];
    const char *only;
    bool causes; /* only what --causes asks */
    struct vector v;
    bool have;
};

static u8 *page_of(void *board, u64 pa, struct phys_attrs attrs)
{
    (void)attrs;
    return memory_page(&((struct runner *)board)->memory, pa & (ones(52) | TAGS_BASE));
}
static bool no_read(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value)
{
    (void)board, (void)pa, (void)size, (void)attrs, (void)value;
    return false;
}
static bool no_write(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 value)
{
    (void)board, (void)pa, (void)size, (void)attrs, (void)value;
    return false;
}
static const struct phys_device_ops memory_everywhere = { no_read, no_write, page_of };

/* Copies what the architecture calls state, not the TLB. */
static void cpu_copy(struct cpu *to, const struct cpu *from) { memcpy(to, from, offsetof(struct cpu, tlb)); }

static unsigned sp_number(const struct cpu *cpu) { return cpu->ps.sp ? cpu->ps.el : 0; }

/* Instructions of "exec" vectors are in no memory of theirs; the syndrome of an abort is made from the word (ISV),
 * which is looked for in the fetch page. */
static void word_put(struct runner *r, u32 word)
{
    const u64 page = ones(52) & ~(u64)0xfff;
    struct cpu *cpu = r->cpu;
    cpu->fetch_va = cpu->pc & ~(u64)0xfff;
    cpu->fetch_pa = page;
    cpu->fetch_valid = 1;
    memory_write(&r->memory, page | (cpu->pc & 0xffc), 4, word);
    memory_write(&r->expected, page | (cpu->pc & 0xffc), 4, word);
}

static void execute(struct runner *r)
{
    struct cpu *cpu = r->cpu;
    u64 sre = cpu->sys.icc_sre_el1;
    cpu->sys.icc_sre_el1 = sre >> 32;
    cpu->x[REG_SP] = cpu->sp_el[sp_number(cpu)];
    cpu->halted = HALT_NONE;
    cpu->fetch_valid = 0;
    memset(&cpu->tlb, 0, sizeof cpu->tlb);
    mmu_drop_derived(cpu);
    cpu->d.page = NULL;
    code_drop(cpu->d.host.code);
    cpu->d.attention = 0;
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

static bool compare(struct runner *r, char *why, size_t size)
{
    bool good = true;
    size_t at = 0;
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
    if (!memory_equal(&r->memory, &r->expected, &pa) || !memory_equal(&r->expected, &r->memory, &pa)) {
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

/* The model's MSR stores all bits, its MRS reads what was stored, and its GIC, PMU, debug and identification registers
 * are storage (README): of a register access that is executed, only bits that are storage here too are compared. */
static void mask_register_values(struct runner *r)
{
    bool read = r->v.insn[0] & BIT(21), access = (r->v.insn[0] & 0xffd00000) == 0xd5100000;
    bool sys = !strncmp(r->v.class_, "sys", 3);
    const struct sysreg *row = sys && access ? sysreg_find(r->v.insn[0] >> 5 & 0xffff) : NULL;
    if (!row || r->expect->pc != r->cpu->pc + 4)
        return;
    for (unsigned n = 0; n < reg_count; n++)
        if (regs[n].kind == K_SRE)
            r->mask[n] = 0;
    if (row->e2h_key && r->cpu->ps.el == 2 && bit(r->cpu->sys.hcr_el2, 34))
        row = sysreg_find(row->e2h_key);
    static const u64 fp_bits[2] = { 0x07c00000, 0x0800009f }; /* FPCR, FPSR without FEAT_FP16 and AArch32 */
    for (unsigned n = 0; !read && n < reg_count; n++)
        if (regs[n].kind == K_FPCR || regs[n].kind == K_FPSR)
            r->mask[n] &= fp_bits[regs[n].kind == K_FPSR];
    bool gic = !strncmp(row->name, "IC", 2);
    bool pstate = (row->key >> 7 & 15) == 4 && row->key >> 14 == 3 && row->offset < 0 && !gic;
    if (pstate)
        return;
    u64 keep = read         ? (gic || row->read || row->access >> 4 == 4 ? 0 : ~(u64)0)
               : row->write ? 0
                            : sysreg_writable(r->cpu, row);
    for (unsigned n = 0; n < reg_count; n++) {
        if (read ? regs[n].kind == K_X && regs[n].index == (r->v.insn[0] & 31)
                 : regs[n].kind == K_SYS && (row->write || (s32)regs[n].index == row->offset))
            r->mask[n] &= keep;
    }
}

/* The v9.4 model ends a hint that it does not know by an exception of its own, before PC moves on; it is a NOP (C6.2
 * HINT). */
static bool ends_without_pc(const struct runner *r)
{
    const u64 known = 0x1ff | BIT(10) | BIT(12) | BIT(14) | BIT(16) | BIT(20) | BIT(22) | 0xffull << 24 | BIT(32) |
                      BIT(34) | BIT(36) | BIT(38);
    u32 hint = r->v.insn[0] >> 5 & 127;
    return !strcmp(r->set, "v94") && (r->v.insn[0] & 0xfffff01f) == 0xd503201f && (hint > 63 || !bit(known, hint));
}

/* The v9.4 model's event register is a stub: ERET does not set it. */
static void mask_event_register(struct runner *r)
{
    for (unsigned n = 0; n < reg_count && !strcmp(r->set, "v94"); n++)
        if (regs[n].kind == K_EVENT)
            r->mask[n] = 0;
}

/* The v8.5 model's PSTATE.SSBS takes no part in exceptions (its README calls that doubtful): not compared there. */
static void mask_ssbs(struct runner *r)
{
    if (strncmp(r->set, "v85", 3))
        return;
    for (unsigned n = 0; n < reg_count; n++) {
        if (!strcmp(regs[n].name, "PSTATE.SSBS"))
            r->mask[n] = 0;
        if (!strncmp(regs[n].name, "SPSR_EL", 7))
            r->mask[n] &= ~BIT(12);
    }
}

/* HCR_EL2.{NV,NV1,NV2} = {1,1,1}: SPSR_EL1.M[3:2] of an exception from EL1 to EL1 is EL2's, as in Arm's later
 * pseudocode of AArch64.TakeException; the v8.5 model looks at {NV,NV1} alone. */
static void mask_nested_spsr(struct runner *r)
{
    const u64 nv = BIT(42) | BIT(43) | BIT(45);
    for (unsigned n = 0; n < reg_count; n++)
        if (!strncmp(r->set, "v85", 3) && (r->cpu->sys.hcr_el2 & nv) == nv && !strcmp(regs[n].name, "SPSR_EL1"))
            r->mask[n] &= ~(u64)0xc;
}

/* The v8.5 model does not commit PSTATE.BTYPE after an instruction (README). */
static void mask_btype(struct runner *r)
{
    for (unsigned n = 0; n < reg_count && strcmp(r->set, "v94"); n++)
        if (regs[n].kind == K_PS && regs[n].index == offsetof(struct pstate, btype))
            r->mask[n] = 0;
}

/* HPFAR_EL2 starts with raw values in RES0 bits, which the model keeps when it reports an IPA. NS is RES0 for aborts
 * taken to Non-secure EL2 (D19.2, HPFAR_EL2); the v8.5 model writes it there with SCR_EL3.EEL2. */
static void mask_hpfar(struct runner *r)
{
    const struct reg *hpfar = reg_find("HPFAR_EL2");
    r->mask[hpfar - regs] &= ~(r->cpu->sys.hpfar_el2 & ~0xffffffffff0ull);
    if (bit(r->cpu->sys.scr_el3, 0))
        r->mask[hpfar - regs] &= ~BIT(63);
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
    r->passed += differs;
    r->failed += !differs;
    if (!differs && r->shown++ < r->show) {
        const struct trap_row *row = first.cause.kind == CAUSE_TRAP ? trap_get(first.cause.id) : NULL;
        printf("FAIL %s/%s %u %s %s %08x: taken to %llx, cause %u.%u %s.%s (%llx) is not it\n", r->set, r->file,
               r->v.id, r->v.class_, r->v.name, r->v.insn[0], (unsigned long long)pc, first.cause.kind, first.cause.id,
               row ? row->reg : "", row ? row->name : "", (unsigned long long)first.cause.value);
    }
}

static void vector_finish(struct runner *r)
{
    if (!r->have)
        return;
    r->have = false;
    if (r->only && !strstr(r->v.class_, r->only) && !strstr(r->v.name, r->only))
        return;
    struct rule_input in = {
        .cpu = r->cpu, .set = r->set, .class_ = r->v.class_, .name = r->v.name, .insn = r->v.insn[0], .mode = r->v.mode
    };
    int rule = rule_find(&in);
    if (rule >= 0) {
        r->skipped[rule]++;
        return;
    }
    if (r->causes) {
        if (!strcmp(r->v.mode, "exec") && r->v.insn_count == 1)
            causes_check(r);
        return;
    }
    mask_register_values(r);
    mask_ssbs(r);
    mask_hpfar(r);
    mask_nested_spsr(r);
    mask_event_register(r);
    mask_btype(r);
    if (ends_without_pc(r))
        r->expect->pc = r->cpu->pc + 4;
    /* 16 breakpoints and watchpoints, so that the traps of all their registers are seen */
    r->cpu->sys.id_aa64dfr0_el1 |= 0xf0f000;
    r->expect->sys.id_aa64dfr0_el1 |= 0xf0f000;
    /* what the v9.4 model has in GMID_EL1 and DCZID_EL0 */
    if (!strcmp(r->set, "v94")) {
        r->cpu->sys.gmid_el1 = r->expect->sys.gmid_el1 = 4;
        r->cpu->sys.dczid_el0 = r->expect->sys.dczid_el0 = 8;
    }
    execute(r);
    char why[2048] = "";
    if (compare(r, why, sizeof why)) {
        r->passed++;
        return;
    }
    r->failed++;
    if (r->shown++ < r->show)
        printf("FAIL %s/%s %u %s %s %08x %s:%s\n", r->set, r->file, r->v.id, r->v.class_, r->v.name, r->v.insn[0],
               r->v.mode, why);
}

/* ---- reading ---- */

/* PSTATE fields exist with their feature; the vectors start with raw values in those that do not. */
static bool is_absent(const struct runner *r, const struct reg *reg)
{
    static const struct {
        u32 offset;
        const char *feature;
    } rows[] = {
        { offsetof(struct pstate, pan), "pan" },   { offsetof(struct pstate, uao), "uao" },
        { offsetof(struct pstate, dit), "dit" },   { offsetof(struct pstate, ssbs), "ssbs" },
        { offsetof(struct pstate, btype), "bti" }, { offsetof(struct pstate, tco), "mte" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (reg->kind == K_PS && reg->index == rows[n].offset)
            return !features_name(&r->features, rows[n].feature);
    return false;
}

/* Bits of FPCR that the CPU of the set has: AHP DN FZ RMode, and those of its features (D19.2, FPCR). */
static u64 fpcr_present(const struct runner *r)
{
    return 0x07c00000 | (features_name(&r->features, "fp16") ? BIT(19) : 0) |
           (features_name(&r->features, "afp") ? 7 : 0) | (features_name(&r->features, "ebf16") ? BIT(13) : 0);
}

static void parse_values(struct runner *r, char *text, bool result)
{
    for (char *save, *item = strtok_r(text, " \n", &save); item; item = strtok_r(NULL, " \n", &save)) {
        char *eq = strchr(item, '=');
        if (!eq)
            continue;
        *eq = 0;
        struct reg *reg = reg_find(item);
        if (!reg || is_absent(r, reg))
            continue; /* a register that elmu's CPU does not have */
        char *slash = strchr(eq + 1, '/');
        u64 v = strtoull(eq + 1, NULL, 16);
        if (reg->kind == K_FPCR && strcmp(r->v.class_, "sysreg"))
            v &= fpcr_present(r); /* the vectors start with raw values in RES0 bits */
        reg_set(r->expect, reg, v);
        if (!result)
            reg_set(r->cpu, reg, v);
        else if (slash)
            r->mask[reg - regs] &= strtoull(slash + 1, NULL, 16);
    }
}

/* The configurations of pointer authentication, pac-CIPHER-LEVEL, and of memory copy. */
static void class_features(struct features *f, const char *class_)
{
    static const struct {
        const char *class_, *features;
    } rows[] = {
        { "mops-a", "pauth2,fpac,fpaccombine,mops-option-a" },
        { "sysinsn", "pauth2,fpac,fpaccombine,mops-option-a" },
        { "pac-q5-fpaccombine", "pauth2,fpac,fpaccombine" },
        { "pac-q3-fpaccombine", "pauth2,fpac,fpaccombine,pauth-qarma3" },
        { "pac-q5-pauth2", "pauth2" },
        { "pac-q5-epac", "epac" },
        { "pac-q3-fpac", "pauth2,fpac,pauth-qarma3" },
    };
    /* memory tagging is off but in the classes that are about it */
    static const enum feature tagging[] = { FEAT_MTE, FEAT_MTE2, FEAT_MTE3 };
    for (unsigned k = 0; k < ARRAY_LEN(tagging) && strncmp(class_, "mte", 3) && feature_has(f, FEAT_FPACCOMBINE); k++)
        feature_remove(f, tagging[k]);
    static const enum feature levels[] = { FEAT_EPAC, FEAT_PAUTH2, FEAT_FPAC, FEAT_FPACCOMBINE, FEAT_PAUTH_QARMA3 };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        if (strcmp(rows[n].class_, class_) || !feature_has(f, FEAT_MOPS))
            continue;
        for (unsigned k = 0; k < ARRAY_LEN(levels); k++)
            feature_remove(f, levels[k]);
        features_add(f, rows[n].features);
    }
}

static void parse_start(struct runner *r, const char *line)
{
    vector_finish(r);
    memset(&r->v, 0, sizeof r->v);
    if (sscanf(line, "@ %31s %u %127s", r->v.class_, &r->v.id, r->v.name) < 2)
        exit(1);
    cpu_copy(r->cpu, r->baseline);
    cpu_copy(r->expect, r->baseline);
    class_features(&r->cpu->features, r->v.class_);
    r->memory.count = r->expected.count = 0;
    for (unsigned n = 0; n < reg_count; n++)
        r->mask[n] = ~(u64)0;
    r->have = true;
}

static void parse_line(struct runner *r, char *line)
{
    unsigned long long pa, v;
    unsigned size;
    switch (line[0]) {
    case 'B':
        parse_values(r, line + 2, false);
        cpu_copy(r->baseline, r->cpu);
        break;
    case '@': parse_start(r, line); break;
    case 'i': parse_values(r, line + 2, false); break;
    case 'r': parse_values(r, line + 2, true); break;
    case 'm':
        if (sscanf(line, "m %llx=%llx", &pa, &v) == 2) {
            memory_write(&r->memory, pa, 8, v);
            memory_write(&r->expected, pa, 8, v);
        }
        break;
    case 'w':
        if (sscanf(line, "w %llx %u %llx", &pa, &size, &v) == 3)
            memory_write(&r->expected, pa, size, v);
        break;
    case 'x':
        if (r->v.insn_count < INSNS_MAX && sscanf(line, "x %x %15s", &r->v.insn[r->v.insn_count], r->v.mode) == 2)
            r->v.insn_count++;
        break;
    case 'o': r->v.sleep = strstr(line, "sleep") != NULL; break;
    default: break;
    }
}

static void *allocate(size_t size)
{
    void *p = aligned_alloc(64, align_up(size, 64));
    if (!p) {
        fprintf(stderr, "vectors: out of memory\n");
        exit(1);
    }
    memset(p, 0, size);
    return p;
}

static void runner_create(struct runner *r, const char *set)
{
    snprintf(r->set, sizeof r->set, "%s", set);
    for (unsigned n = 0; n < ARRAY_LEN(sets); n++)
        if (!strcmp(sets[n].set, set))
            features_add(&r->features, sets[n].features);
    r->cpu = allocate(sizeof *r->cpu);
    r->expect = allocate(sizeof *r->expect);
    r->baseline = allocate(sizeof *r->baseline);
    r->gic = allocate(sizeof *r->gic);
    r->timers = allocate(sizeof *r->timers);
    r->mask = allocate(REGS * sizeof *r->mask);
    r->phys = (struct phys){ .pa_size = 52, .ops = &memory_everywhere, .board = r };
    struct decoder *decoder = decoder_create(&r->features);
    struct code *code = decoder ? code_create(&r->phys, decoder, r->cpu, 1, 64) : NULL;
    if (!code)
        exit(1);
    r->phys.code_written = code_written;
    r->phys.code = code;
    r->cpu->features = r->features;
    gic_reset(r->gic, r->cpu, 1, true);
    r->cpu->d.host = (struct cpu_host){ .phys = &r->phys,
                                        .decoder = decoder,
                                        .code = code,
                                        .gic = r->gic,
                                        .timers = r->timers,
                                        .cpus = r->cpu,
                                        .cpu_count = 1 };
    r->cpu->powered = 1;
    r->baseline->features = r->features;
    cpu_set_nzcv(r->cpu, 0); /* flags are kept lazily: all bytes zero would mean Z */
    cpu_set_nzcv(r->expect, 0);
    cpu_set_nzcv(r->baseline, 0);
}

static void run_file(struct runner *r, const char *path)
{
    gzFile f = gzopen(path, "rb");
    if (!f) {
        fprintf(stderr, "vectors: %s: cannot be read\n", path);
        exit(1);
    }
    snprintf(r->file, sizeof r->file, "%.*s", (int)strcspn(strrchr(path, '/') + 1, "."), strrchr(path, '/') + 1);
    char *line = allocate(LINE_MAX_);
    while (gzgets(f, line, LINE_MAX_))
        parse_line(r, line);
    vector_finish(r);
    gzclose(f);
    free(line);
}

/* ---- all files, a child process each ---- */

struct result {
    unsigned passed, failed, skipped[RULE_COUNT_];
};

struct job {
    char set[64], path[4096];
};
static struct job jobs[256];
static unsigned job_count;

static int name_order(const void *a, const void *b)
{
    return strcmp(((const struct job *)a)->path, ((const struct job *)b)->path);
}

/* The set that a folder holds, by the beginning of its name (v85mte, v85mte-seed7); NULL: none that is known. */
static const char *set_of(const char *folder)
{
    const char *best = NULL;
    for (unsigned n = 0; n < ARRAY_LEN(sets); n++)
        if (!strncmp(folder, sets[n].set, strlen(sets[n].set)) && (!best || strlen(sets[n].set) > strlen(best)))
            best = sets[n].set;
    return best;
}

/* All files of vectors in `given` and the folders below it. */
static void jobs_find(const char *given)
{
    char *dir = realpath(given, NULL);
    DIR *d = dir ? opendir(dir) : NULL;
    if (!d) {
        fprintf(stderr, "vectors: %s: no such folder\n", given);
        exit(1);
    }
    const char *set = set_of(strrchr(dir, '/') + 1);
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%.3800s/%.255s", dir, e->d_name);
        if (e->d_name[0] == '.' || stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode)) {
            jobs_find(path);
        } else if (strstr(e->d_name, ".txt.gz")) {
            if (!set || job_count == ARRAY_LEN(jobs)) {
                fprintf(stderr,
                        set ? "vectors: %s: too many files\n"
                            : "vectors: %s: its folder has no set's name (v80, v81...)\n",
                        path);
                exit(1);
            }
            snprintf(jobs[job_count].set, sizeof jobs[0].set, "%s", set);
            snprintf(jobs[job_count++].path, sizeof jobs[0].path, "%s", path);
        }
    }
    closedir(d);
    free(dir);
}

static int child(const struct job *job, const char *only, unsigned show, bool causes)
{
    static struct runner r;
    r.only = only;
    r.causes = causes;
    r.show = show;
    runner_create(&r, job->set);
    run_file(&r, job->path);
    struct result result = { .passed = r.passed, .failed = r.failed };
    memcpy(result.skipped, r.skipped, sizeof r.skipped);
    unsigned skipped = 0;
    for (unsigned n = 0; n < RULE_COUNT_; n++)
        skipped += r.skipped[n];
    if (r.passed + r.failed + skipped)
        printf("%s/%s: %u passed, %u failed, %u skipped\n", r.set, r.file, r.passed, r.failed, skipped);
    fflush(stdout);
    return write(3, &result, sizeof result) == sizeof result ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    unsigned show = 20, parallel = 2;
    bool causes = false;
    int n = 1;
    for (; n < argc && argv[n][0] == '-'; n++) {
        if (!strcmp(argv[n], "--only") && n + 1 < argc)
            only = argv[++n];
        else if (!strcmp(argv[n], "--show") && n + 1 < argc)
            show = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--jobs") && n + 1 < argc)
            parallel = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--causes"))
            causes = true;
        else {
            fprintf(stderr, "vectors: unknown option %s\n", argv[n]);
            return 1;
        }
    }
    for (; n < argc; n++)
        jobs_find(argv[n]);
    if (!job_count) {
        fprintf(stderr, "vectors: no files of vectors in %s\n", argc > 1 ? argv[argc - 1] : "nothing");
        return 1;
    }
    qsort(jobs, job_count, sizeof jobs[0], name_order);
    regs_build();

    int fds[2];
    if (pipe(fds))
        return 1;
    struct result total = { 0 };
    unsigned started = 0, ended = 0, broken = 0;
    while (ended < job_count) {
        if (started < job_count && started - ended < (parallel ? parallel : 1)) {
            fflush(stdout);
            if (!fork()) {
                dup2(fds[1], 3);
                exit(child(&jobs[started], only, show, causes));
            }
            started++;
            continue;
        }
        int status;
        if (wait(&status) < 0)
            return 1;
        ended++;
        struct result result;
        if (status) {
            broken++;
            printf("FAIL a set ended with status %x\n", (unsigned)status);
            continue;
        }
        if (read(fds[0], &result, sizeof result) != sizeof result)
            return 1;
        total.passed += result.passed;
        total.failed += result.failed;
        for (unsigned k = 0; k < RULE_COUNT_; k++)
            total.skipped[k] += result.skipped[k];
    }
    unsigned skipped = 0;
    for (unsigned k = 0; k < RULE_COUNT_; k++)
        skipped += total.skipped[k];
    for (unsigned k = 0; k < RULE_COUNT_; k++)
        if (total.skipped[k])
            printf("skipped by rule %s: %u (%.2f %%): %s\n", rules[k].name, total.skipped[k],
                   100.0 * total.skipped[k] / (total.passed + total.failed + skipped), rules[k].why);
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed + broken, skipped);
    return total.failed + broken ? 1 : 0;
}
