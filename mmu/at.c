/*
 * Address translation instructions (Arm ARM D8.15; AArch64.AT, AArch64.EncodePAR of the shared pseudocode).
 * Each walks afresh: what the TLB holds is neither used nor changed. The access flag is set as by an access, dirty
 * state never is.
 */
#include "mmu/at.h"

#include "cpu/exception.h"
#include "mmu/access.h"
#include "mmu/attrs.h"
#include "mmu/context.h"
#include "mmu/walk.h"

struct at_row {
    u8 el;
    bool write, stage12, pan;
    bool any; /* FEAT_ATS1A: neither a read nor a write, so that no permission is asked for */
};

static const struct at_row rows[AT_OPS] = {
    [AT_S1E0R] = { .el = 0 },                   [AT_S1E0W] = { .el = 0, .write = true },
    [AT_S1E1R] = { .el = 1 },                   [AT_S1E1W] = { .el = 1, .write = true },
    [AT_S1E2R] = { .el = 2 },                   [AT_S1E2W] = { .el = 2, .write = true },
    [AT_S1E3R] = { .el = 3 },                   [AT_S1E3W] = { .el = 3, .write = true },
    [AT_S12E0R] = { .el = 0, .stage12 = true }, [AT_S12E0W] = { .el = 0, .write = true, .stage12 = true },
    [AT_S12E1R] = { .el = 1, .stage12 = true }, [AT_S12E1W] = { .el = 1, .write = true, .stage12 = true },
    [AT_S1E1RP] = { .el = 1, .pan = true },     [AT_S1E1WP] = { .el = 1, .write = true, .pan = true },
    [AT_S1E1A] = { .el = 1, .any = true },      [AT_S1E2A] = { .el = 2, .any = true },
    [AT_S1E3A] = { .el = 3, .any = true },
};

/* The EL2&0 regime takes the place of EL1&0 under HCR_EL2.{E2H,TGE}, but for the stage 1 and 2 forms of EL1. */
static enum regime target_regime(const struct cpu *cpu, const struct at_row *row)
{
    if (row->el >= 2)
        return regime_of(cpu, row->el);
    return row->stage12 && row->el == 1 ? REGIME_EL10 : regime_of(cpu, 0);
}

static u64 par_of_fault(const struct fault *f)
{
    return 1 | (u64)f->fsc << 1 | (u64)f->s1ptw << 8 | (u64)f->stage2 << 9 | BIT(11) | (u64)f->overlay << 14 |
           (u64)f->dirty << 15;
}

static u64 par_of(const struct translation *t)
{
    return (u64)attrs_par(t->attrs) << 56 | (t->pa & (ones(52) & ~0xfffull)) | BIT(11) | (u64)t->ns << 9 |
           (u64)attrs_par_sh(t->attrs) << 7;
}

bool at_translate(struct cpu *cpu, enum at_op op, u64 va)
{
    const struct at_row *row = &rows[op];
    struct regime_desc r;
    struct translation t;
    regime_describe(cpu, target_regime(cpu, row), &r);
    struct walk_access a = { .read = !row->write && !row->any,
                             .write = row->write,
                             .el0 = row->el == 0,
                             .at = 1,
                             .cm = 1,
                             .pan = row->pan && cpu->ps.pan && !r.nv_nv1,
                             .real_el = cpu->ps.el,
                             .stage1_only = !row->stage12 };
    walk(&r, va, a, NULL, &t);
    bool external = t.fault.kind == FAULT_EXTERNAL_WALK || t.fault.kind == FAULT_ATOMIC_UPDATE;
    if (!t.ok && (external || (cpu->ps.el == 1 && t.fault.s1ptw))) {
        exc_abort(cpu, &t.fault, va, ACC_CACHE);
        return false;
    }
    cpu->sys.par_el1 = t.ok ? par_of(&t) : par_of_fault(&t.fault);
    return true;
}
