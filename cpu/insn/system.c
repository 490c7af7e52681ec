/*
 * Exception generation, hints, barriers, PSTATE, system instructions and register moves: the bodies of
 * cpu/insn/system.def (Arm ARM C6.2). What they decide is in functions that both engines call: cpu/ops/system_ops.c and
 * wait.c, cpu/sysreg/sysreg.c and sysop.c, cpu/exception/exception.c.
 */
#include "cpu/observer.h"
#include "cpu/insn/ldst.h"
#include "cpu/ops/unfinished.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"
#include "cpu/ops/system_ops.h"
#include "cpu/ops/wait.h"

/* Handlers that call functions which may raise, change contexts or look at the time. */
#define BEGIN                                                                                                          \
    do {                                                                                                               \
        cpu->d.now = NOW;                                                                                              \
        cpu->pc = PC;                                                                                                  \
    } while (0)
/* A function decided: an exception in cpu->d.exc, or on to the next instruction, where what changed is looked at. */
#define FINISH(ok)                                                                                                     \
    do {                                                                                                               \
        if (unlikely(!(ok)))                                                                                           \
            RAISE;                                                                                                     \
        SYNC;                                                                                                          \
    } while (0)

#define WAIT(kind, threshold, iss)                                                                                     \
    do {                                                                                                               \
        BEGIN;                                                                                                         \
        enum wait_outcome outcome = wait_here(cpu, kind, threshold, iss);                                              \
        if (outcome == WAIT_AGAIN) {                                                                                   \
            cpu->d.now = NOW + 1;                                                                                      \
            cpu_unfinished(cpu, PC);                                                                                   \
            RESUME;                                                                                                    \
        }                                                                                                              \
        FINISH(outcome == WAIT_DONE);                                                                                  \
    } while (0)
#define ISS_WAIT_REGISTER (RT << 5 | 4) /* RN, RV */

#define KEY        ((u32)i->imm >> 16)
#define ROW_NUMBER ((u32)i->imm & 0xffff)
#define RT         (i->d > 31 ? 31u : i->d)

OP(SVC)
{
    BEGIN;
    system_svc(cpu, (u32)i->imm);
    RAISE;
}
OP(HVC)
{
    BEGIN;
    FINISH(system_hvc(cpu, (u32)i->imm));
}
OP(SMC)
{
    BEGIN;
    FINISH(system_smc(cpu, (u32)i->imm));
}
OP(BRK)
{
    BEGIN;
    system_brk(cpu, (u32)i->imm);
    RAISE;
}
OP(HLT)
{
    BEGIN;
    enum wait_outcome outcome = system_hlt(cpu, (u32)i->imm);
    if (outcome == WAIT_AGAIN)
        RESUME;
    FINISH(outcome == WAIT_DONE);
}
OP(DCPS) { UNDEFINED; } /* Debug state only */
OP(DRPS) { UNDEFINED; }
OP(UDF) { UNDEFINED; }
OP(ERET)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    BEGIN;
    if (system_eret_trapped(cpu, 0))
        RAISE;
    system_eret(cpu);
    RESUME;
}

OP(YIELD)
{
    cpu->d.attention |= cpu->yields;
    SYNC;
}
OP(WFE)
{
    if (cpu->event) {
        wait_passes(cpu);
        SYNC;
    }
    WAIT(WAIT_WFE, 0, ISS_COND_AL);
}
OP(WFI) { WAIT(WAIT_WFI, 0, ISS_COND_AL); }
OP(WFET) { WAIT(WAIT_WFET, RD, ISS_COND_AL | ISS_WAIT_REGISTER); }
OP(WFIT) { WAIT(WAIT_WFIT, RD, ISS_COND_AL | ISS_WAIT_REGISTER); }
OP(SEV)
{
    system_sev(cpu);
    NEXT;
}
OP(SEVL)
{
    cpu->event = 1;
    NEXT;
}
OP(ESB)
{
    BEGIN;
    exception_esb(cpu);
    SYNC;
}
OP(HINT) { NEXT; }
OP(CLREX)
{
    cpu->excl_valid = 0;
    NEXT;
}
/* Accesses are made in program order, one PE at a time: barriers have nothing to wait for. */
OP(DSB) { NEXT; }
OP(DMB) { NEXT; }
/* A context synchronization event: the fetch page is looked up again. */
OP(ISB)
{
    cpu->fetch_valid = 0;
    SYNC;
}

OP(MSR_ALLINT)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    BEGIN;
    FINISH(system_allint(cpu, i->imm & 1));
}
OP(MSR_SPSel)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    if (likely(!cpu_has(cpu, FEAT_NMI))) {
        cpu_set_el_sp(cpu, cpu->ps.el, i->imm & 1);
        NEXT;
    }
    BEGIN;
    cpu_set_spsel(cpu, i->imm & 1);
    SYNC;
}
OP(MSR_PAN)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    BEGIN;
    cpu->ps.pan = i->imm & 1;
    mmu_el_changed(cpu);
    SYNC;
}
OP(MSR_UAO)
{
    if (cpu->ps.el == 0)
        UNDEFINED;
    BEGIN;
    cpu->ps.uao = i->imm & 1;
    mmu_el_changed(cpu);
    SYNC;
}
OP(MSR_DIT)
{
    cpu->ps.dit = i->imm & 1;
    NEXT;
}
OP(MSR_SSBS)
{
    cpu->ps.ssbs = i->imm & 1;
    NEXT;
}

OP(SYS)
{
    BEGIN;
    FINISH(sysop_run(cpu, sysop_get(ROW_NUMBER), KEY, RT, RD));
}

/* Cache maintenance by address, which finds nothing to do where memory may be read (written), and DC ZVA. Unlike other
 * SYS they change nothing that is looked at between instructions, and so are no point where a slice may end. */
static NOINLINE void OPN(slow_SYS)(OP_ARGS)
{
    BEGIN;
    if (unlikely(!sysop_run(cpu, sysop_get(ROW_NUMBER), KEY, RT, RD)))
        RAISE;
    NEXT;
}
#define SYSOP_QUICK(row)                                                                                               \
    (likely(!((row)->quick & cpu->d.live_traps[cpu->ps.el]) && cpu->ps.el >= (row)->lowest) &&                         \
     likely(cpu_has(cpu, (enum feature)(row)->feature)))
OP(SYS_cache)
{
    const struct sysop *row = &sysop_rows[ROW_NUMBER];
    bool writes = row->arg != CACHE_READ && (row->arg == CACHE_INVALIDATE || cpu_has(cpu, FEAT_CMOW));
    if (!SYSOP_QUICK(row) || !(writes ? FAST(RD, 0, true, false) : FAST(RD, 0, false, false)))
        return OPN(slow_SYS)(OP_PASS);
    NEXT;
}
/* Blocks of 64 bytes, where no access is checked for alignment: what is checked may be Device memory. */
OP(SYS_zero)
{
    const struct sysop *row = &sysop_rows[ROW_NUMBER];
    u8 *p = FAST(align_down(RD, 64), 3, true, false);
    if (!SYSOP_QUICK(row) || !p || (cpu->sys.dczid_el0 & 15) != 4 || cpu->d.data.wide != cpu->d.data.ctx)
        return OPN(slow_SYS)(OP_PASS);
    memset(p, 0, 64);
    NEXT;
}
OP(SYSL)
{
    BEGIN;
    FINISH(sysop_read(cpu, KEY, RT));
}

OP(MRS)
{
    BEGIN;
    struct sysreg_value r = sysreg_row_read(cpu, sysreg_get(ROW_NUMBER), KEY, RT);
    if (unlikely(!r.ok))
        RAISE;
    RD = r.v;
    NEXT;
}
OP(MSR)
{
    BEGIN;
    FINISH(sysreg_row_write(cpu, sysreg_get(ROW_NUMBER), KEY, RT, RD));
}

/* Plain storage, and nothing here that could trap or redirect: one AND decides. The decoder has seen to the feature. */
#define READ_STORED                                                                                                    \
    do {                                                                                                               \
        const struct sysreg *row = &sysreg_rows[ROW_NUMBER];                                                           \
        if (unlikely(row->quick_read & cpu->d.live_traps[cpu->ps.el]))                                                 \
            return OPN(MRS)(OP_PASS);                                                                                  \
        RD = *sysreg_field(cpu, row);                                                                                  \
        NEXT;                                                                                                          \
    } while (0)
OP(MRS_base) { READ_STORED; }
OP(MRS_el2) { READ_STORED; }
/* The same of a register whose feature may not be there. */
OP(MRS_quick)
{
    const struct sysreg *row = &sysreg_rows[ROW_NUMBER];
    if (unlikely(row->quick_read & cpu->d.live_traps[cpu->ps.el]) ||
        unlikely(!cpu_has(cpu, (enum feature)row->feature)))
        return OPN(MRS)(OP_PASS);
    RD = *sysreg_field(cpu, row);
    NEXT;
}
/* Something may trap or redirect, or somebody looks: the whole way. Plain storage is no point where a slice may end,
 * whatever is known of the traps; where it is another register, that may be one. */
static NOINLINE void OPN(MSR_plain)(OP_ARGS)
{
    BEGIN;
    const struct sysreg *row = &sysreg_rows[ROW_NUMBER];
    bool moved = sysreg_is_redirected(cpu, row);
    if (!sysreg_row_write(cpu, row, KEY, RT, RD))
        RAISE;
    if (moved)
        SYNC;
    NEXT;
}
#define WRITE_STORED                                                                                                   \
    do {                                                                                                               \
        const struct sysreg *row = &sysreg_rows[ROW_NUMBER];                                                           \
        const struct observer *o = cpu->d.host.observer;                                                               \
        if (unlikely(row->quick_write & cpu->d.live_traps[cpu->ps.el]) || unlikely(o && o->sysreg_written))            \
            return OPN(MSR_plain)(OP_PASS);                                                                            \
        u32 number = load_le16(&i->n);                                                                                 \
        u64 *field = (u64 *)(void *)&cpu->sys + number;                                                                \
        cpu->written[number] = 1;                                                                                      \
        *field = row->mask ? (*field & ~row->mask) | (RD & row->mask) : RD;                                            \
        NEXT;                                                                                                          \
    } while (0)
OP(MSR_base) { WRITE_STORED; }
OP(MSR_el2) { WRITE_STORED; }
OP(MSR_quick)
{
    const struct sysreg *row = &sysreg_rows[ROW_NUMBER];
    const struct observer *o = cpu->d.host.observer;
    if (unlikely(row->quick_write & cpu->d.live_traps[cpu->ps.el]) ||
        unlikely(!cpu_has(cpu, (enum feature)row->feature)) || unlikely(o && o->sysreg_written))
        return OPN(MSR_plain)(OP_PASS);
    u64 *field = sysreg_field(cpu, row);
    sysreg_note(cpu, row);
    *field = row->mask ? (*field & ~row->mask) | (RD & row->mask) : RD;
    NEXT;
}

/* ---- interrupt masks ---- */

/* Masking changes nothing that is looked at between instructions; unmasking does when something is pending. What might
 * be pending is state, so that both engines end their slices at the same points. */
#define DAIF_QUICK      (likely(cpu->ps.el != 0 && !(cpu->d.stepping & STEPPING_GUEST)))
#define NOTHING_PENDING (likely(!(cpu->lines | (cpu->sys.hcr_el2 & 0x1c0))))

OP(MSR_DAIFSet)
{
    u32 daif = (u32)i->imm;
    if (DAIF_QUICK) {
        cpu->ps.d |= daif >> 3 & 1;
        cpu->ps.a |= daif >> 2 & 1;
        cpu->ps.i |= daif >> 1 & 1;
        cpu->ps.f |= daif & 1;
        NEXT;
    }
    BEGIN;
    FINISH(system_daif(cpu, daif, true));
}
OP(MSR_DAIFClr)
{
    u32 daif = (u32)i->imm;
    if (DAIF_QUICK && NOTHING_PENDING && !(daif & 8)) {
        cpu->ps.a &= ~(daif >> 2) & 1;
        cpu->ps.i &= ~(daif >> 1) & 1;
        cpu->ps.f &= ~daif & 1;
        NEXT;
    }
    BEGIN;
    FINISH(system_daif(cpu, daif, false));
}
OP(MSR_DAIF)
{
    u32 daif = (u32)(RD >> 6);
    if (DAIF_QUICK && NOTHING_PENDING && (daif >> 3 & 1) >= cpu->ps.d) {
        cpu->ps.d = daif >> 3 & 1;
        cpu->ps.a = daif >> 2 & 1;
        cpu->ps.i = daif >> 1 & 1;
        cpu->ps.f = daif & 1;
        NEXT;
    }
    return OPN(MSR)(OP_PASS);
}
OP(MRS_DAIF)
{
    if (unlikely(cpu->ps.el == 0))
        return OPN(MRS)(OP_PASS);
    RD = (u64)(cpu->ps.d << 9 | cpu->ps.a << 8 | cpu->ps.i << 7 | cpu->ps.f << 6);
    NEXT;
}
OP(MRS_SP_EL0)
{
    if (unlikely(cpu->ps.el == 0 || !cpu->ps.sp))
        return OPN(MRS)(OP_PASS);
    RD = cpu->sp_el[0];
    NEXT;
}
