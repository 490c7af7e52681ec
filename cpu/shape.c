/* The shape of a PE's saved state: cpu/state.h up to `d`. */
#include "cpu/state.h"

static const struct state_field pstate_fields[] = {
    STATE(pstate, el),   STATE(pstate, sp),  STATE(pstate, d),      STATE(pstate, a),
    STATE(pstate, i),    STATE(pstate, f),   STATE(pstate, pan),    STATE(pstate, uao),
    STATE(pstate, ss),   STATE(pstate, il),  STATE(pstate, btype),  STATE(pstate, dit),
    STATE(pstate, ssbs), STATE(pstate, tco), STATE(pstate, allint), STATE(pstate, nrw),
};
static const struct state_shape pstate_shape = STATE_SHAPE(pstate, pstate_fields);

static const struct state_field sysreg_fields[] = {
#define SYSREG(name, op0, op1, crn, crm, op2, access, field, ...) STATE(sysregs, field),
#include "cpu/sysreg/sysreg_all.def"
};
static const struct state_shape sysregs_shape = STATE_SHAPE(sysregs, sysreg_fields);

static const struct state_field entry_fields[] = {
    STATE(tlb_entry, va),         STATE(tlb_entry, pa),         STATE(tlb_entry, ipa),    STATE(tlb_entry, asid),
    STATE(tlb_entry, vmid),       STATE(tlb_entry, config),     STATE(tlb_entry, perm),   STATE(tlb_entry, size_log2),
    STATE(tlb_entry, size1_log2), STATE(tlb_entry, size2_log2), STATE(tlb_entry, global), STATE(tlb_entry, ns),
    STATE(tlb_entry, memattr),    STATE(tlb_entry, pad),
};
static const struct state_shape entry_shape = STATE_SHAPE(tlb_entry, entry_fields);

static const struct state_field config_fields[] = {
    STATE(tlb_config, sctlr), STATE(tlb_config, tcr),   STATE(tlb_config, mair), STATE(tlb_config, hcr),
    STATE(tlb_config, vtcr),  STATE(tlb_config, vstcr), STATE(tlb_config, pir),  STATE(tlb_config, pire0),
    STATE(tlb_config, s2pir), STATE(tlb_config, por),   STATE(tlb_config, por0), STATE(tlb_config, regime),
    STATE(tlb_config, used),
};
static const struct state_shape config_shape = STATE_SHAPE(tlb_config, config_fields);

static const struct state_field tlb_fields[] = {
    STATE_OF(tlb, entry, &entry_shape),    STATE(tlb, next_way),    STATE(tlb, sizes), STATE(tlb, pieces),
    STATE_OF(tlb, configs, &config_shape), STATE(tlb, config_next), STATE(tlb, pad),
};
static const struct state_shape tlb_shape = STATE_SHAPE(tlb, tlb_fields);

static const struct state_field fields[] = {
    STATE(cpu, x),
    STATE(cpu, pc),
    STATE(cpu, sp_el),
    STATE(cpu, v),
    STATE_OF(cpu, ps, &pstate_shape),
    STATE(cpu, flag_n),
    STATE(cpu, flag_z),
    STATE(cpu, flag_v),
    STATE(cpu, flag_c),
    STATE(cpu, fpcr),
    STATE(cpu, fpsr),
    STATE_OF(cpu, sys, &sysregs_shape),
    STATE(cpu, written),
    STATE(cpu, excl_pa),
    STATE(cpu, excl_size),
    STATE(cpu, excl_valid),
    STATE(cpu, event),
    STATE(cpu, lines),
    STATE(cpu, halted),
    STATE(cpu, index),
    STATE(cpu, powered),
    STATE(cpu, step_active),
    STATE(cpu, pmu_counting),
    STATE(cpu, serror_iss),
    STATE(cpu, yields),
    STATE(cpu, features),
    STATE(cpu, fetch_va),
    STATE(cpu, fetch_pa),
    STATE(cpu, fetch_valid),
    STATE(cpu, fetch_attrs),
    STATE(cpu, insns),
    STATE(cpu, pmu_mark),
    STATE(cpu, wake_at),
    STATE(cpu, trap_at),
    STATE(cpu, entered),
    STATE_OF(cpu, tlb, &tlb_shape),
};
const struct state_shape cpu_shape = STATE_SHAPE_UP_TO(cpu, fields, d);
