/* The registers of a PE by the names that the vectors use, each with where its value lies in struct cpu. */
#include <stdio.h>
#include <stdlib.h>

#include "cpu/sysreg/sysreg.h"
#include "tests/conformance/vectors.h"

struct reg regs[REGS];
unsigned reg_count;
static u16 reg_hash[8192];

static unsigned name_hash(const char *name)
{
    unsigned h = 5381;
    while (*name)
        h = h * 33 ^ (u8)*name++;
    return h & 8191;
}

struct reg *reg_find(const char *name)
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

void regs_build(void)
{
    static const struct {
        const char *name;
        unsigned offset;
    } ps[] = {
        { "EL", offsetof(struct pstate, el) },         { "SP", offsetof(struct pstate, sp) },
        { "D", offsetof(struct pstate, d) },           { "A", offsetof(struct pstate, a) },
        { "I", offsetof(struct pstate, i) },           { "F", offsetof(struct pstate, f) },
        { "PAN", offsetof(struct pstate, pan) },       { "UAO", offsetof(struct pstate, uao) },
        { "SS", offsetof(struct pstate, ss) },         { "IL", offsetof(struct pstate, il) },
        { "BTYPE", offsetof(struct pstate, btype) },   { "DIT", offsetof(struct pstate, dit) },
        { "SSBS", offsetof(struct pstate, ssbs) },     { "TCO", offsetof(struct pstate, tco) },
        { "ALLINT", offsetof(struct pstate, allint) },
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

u64 reg_get(const struct cpu *cpu, const struct reg *r)
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

void reg_set(struct cpu *cpu, const struct reg *r, u64 v)
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
