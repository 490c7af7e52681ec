/*
 * What is not compared after a vector: where the model that the vectors come from does less than the manual, or where
 * Arm's manual says otherwise (../shared/vectors/README.md). Vectors that are not run at all: rules.c.
 */
#include "cpu/sysreg/sysreg.h"
#include "tests/conformance/vectors.h"

/* HCR_EL2.{NV,NV1,NV2} = {1,1,1} */
static bool nested(const struct runner *r)
{
    const u64 nv = BIT(42) | BIT(43) | BIT(45);
    return (r->cpu->sys.hcr_el2 & nv) == nv;
}

/* SCR_EL3.NS */
static bool non_secure(const struct runner *r) { return bit(r->cpu->sys.scr_el3, 0); }

/* Shareability 0b01, which is CONSTRAINED UNPREDICTABLE (DecodeShareability), in a descriptor or TCR_ELx.SHn. */
static bool reserved_shareability(const struct runner *r)
{
    u64 el1 = r->cpu->sys.tcr_el1, el2 = r->cpu->sys.tcr_el2;
    return r->v.reserved_sh || bits(el1, 13, 12) == 1 || bits(el1, 29, 28) == 1 || bits(el2, 13, 12) == 1 ||
           bits(el2, 29, 28) == 1;
}

static const u64 all = ~(u64)0;

/* Bits of a register that are not compared in the sets whose names begin so (under a condition). */
static const struct {
    const char *sets, *reg;
    u64 bits;
    bool (*when)(const struct runner *r);
} rows[] = {
    /* In the v9.4 model ERET does not set the event register (docs/choices.md). */
    { "v94", "EventRegister", all, NULL },
    /* PSTATE.SSBS takes no part in the v8.5 model's exceptions (its README calls that doubtful). */
    { "v85", "PSTATE.SSBS", all, NULL },
    { "v85", "SPSR_EL1", BIT(12), NULL },
    { "v85", "SPSR_EL2", BIT(12), NULL },
    { "v85", "SPSR_EL3", BIT(12), NULL },
    /* M[3:2] of an exception from EL1 to EL1 is EL2's, as in Arm's later pseudocode of AArch64.TakeException; the v8.5
     * model looks at {NV,NV1} alone. */
    { "v85", "SPSR_EL1", 0xc, nested },
    /* The v8 models do not commit PSTATE.BTYPE after an instruction (README). */
    { "v8", "PSTATE.BTYPE", all, NULL },
    /* NS is RES0 for aborts taken to Non-secure EL2 (D19.2, HPFAR_EL2); the v8.5 model writes it there with
     * SCR_EL3.EEL2. */
    { "v", "HPFAR_EL2", BIT(63), non_secure },
    /* SH: Outer Shareable in the v9.4 model, here Non-shareable. */
    { "v94", "PAR_EL1", 0x180, reserved_shareability },
};

static void mask_rows(struct runner *r)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        const struct reg *reg = reg_find(rows[n].reg);
        if (reg && !strncmp(r->set, rows[n].sets, strlen(rows[n].sets)) && (!rows[n].when || rows[n].when(r)))
            r->mask[reg - regs] &= ~rows[n].bits;
    }
}

void masks_left_out(struct runner *r, unsigned leaves)
{
    for (unsigned n = 0; n < reg_count; n++) {
        if (leaves & LEAVES_VECTORS && r->cpu->d.raised && regs[n].kind == K_V)
            r->mask[n] = 0;
        if (leaves & LEAVES_ATTR && !strcmp(regs[n].name, "PAR_EL1"))
            r->mask[n] &= ~(0xffull << 56 | 0x180);
        if (leaves & LEAVES_WNR && !strncmp(regs[n].name, "ESR_EL", 6))
            r->mask[n] &= ~BIT(6);
        if (leaves & LEAVES_SYNDROME && !strncmp(regs[n].name, "ESR_EL", 6))
            r->mask[n] = 0;
    }
}

/* HPFAR_EL2 starts with raw values in RES0 bits, which the model keeps when it reports an IPA. */
static void mask_hpfar(struct runner *r)
{
    r->mask[reg_find("HPFAR_EL2") - regs] &= ~(r->cpu->sys.hpfar_el2 & ~0xffffffffff0ull);
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

void masks_apply(struct runner *r)
{
    mask_register_values(r);
    mask_rows(r);
    mask_hpfar(r);
    if (ends_without_pc(r))
        r->expect->pc = r->cpu->pc + 4;
}
