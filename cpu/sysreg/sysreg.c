/*
 * The table of all system registers, and MRS/MSR through it (Arm ARM D19, C5.1). The order of what can refuse an
 * access: no such register (or IMPLEMENTATION DEFINED space under HCR_EL2.TIDCP), an absent feature, the EL, the row's
 * own check, then the traps. Hooks of the PE are in hooks.c, trap controls in trap.c.
 */
#include "cpu/sysreg/sysreg.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/nested.h"
#include "cpu/observer.h"
#include "cpu/sysreg/pmu.h"
#include "cpu/sysreg/hooks.h"
#include "mmu/access.h"

enum {
#define SYSREG(NAME, op0, op1, crn, crm, op2, ...)    KEY_##NAME = SYSREG_KEY(op0, op1, crn, crm, op2),
#define SYSREG_AT(NAME, op0, op1, crn, crm, op2, ...) KEY_##NAME = SYSREG_KEY(op0, op1, crn, crm, op2),
#define SYSREG_FN(NAME, op0, op1, crn, crm, op2, ...) KEY_##NAME = SYSREG_KEY(op0, op1, crn, crm, op2),
#include "cpu/sysreg/sysreg_all.def"
};

enum {
#define SYSREG(NAME, ...)    ROW_##NAME,
#define SYSREG_AT(NAME, ...) ROW_##NAME,
#define SYSREG_FN(NAME, ...) ROW_##NAME,
#include "cpu/sysreg/sysreg_all.def"
    ROW_COUNT
};

/* ELs below the lowest one that may (4: none may): they are in the way like a trap. */
#define BARRED(lowest) (((lowest)&15) > 3 ? TRAPS_VALID : (BIT((lowest)&15) - 1) << TRAP_AT_EL0)
enum {
#define SYSREG(NAME, op0, op1, crn, crm, op2, ACCESS, FIELD, RESET, FEATURE, TRAPS, ...)                               \
    QUICK_READ_##NAME = LIVE_SET((u128)(TRAPS)) | BARRED(ACCESS),                                                      \
    QUICK_WRITE_##NAME = LIVE_SET((u128)(TRAPS)) | BARRED((ACCESS) >> 4),
#define SYSREG_AT(NAME, op0, op1, crn, crm, op2, ACCESS, FIELD, FEATURE, TRAPS, ...)                                   \
    SYSREG(NAME, 0, 0, 0, 0, 0, ACCESS, 0, 0, 0, TRAPS)
#define SYSREG_FN(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS, ...)                                          \
    SYSREG(NAME, 0, 0, 0, 0, 0, ACCESS, 0, 0, 0, TRAPS)
#include "cpu/sysreg/sysreg_all.def"
};
#define COMMON(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS)                                                  \
    .name = #NAME, .key = SYSREG_KEY(op0, op1, crn, crm, op2), .access = (ACCESS), .feature = FEAT_##FEATURE,          \
    .traps = (TRAPS), .quick_read = QUICK_READ_##NAME, .quick_write = QUICK_WRITE_##NAME
#define E2H(NAME) .e2h_key = KEY_##NAME, .e2h_row = ROW_##NAME + 1

/* Some members are set twice: a layout and a fine-grained trap are folded into the row. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const struct sysreg sysreg_rows[ROW_COUNT] = {
#define SYSREG(NAME, op0, op1, crn, crm, op2, ACCESS, FIELD, RESET, FEATURE, TRAPS, ...)                               \
    { COMMON(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS), .offset = offsetof(struct sysregs, FIELD),        \
      .reset = (RESET), ##__VA_ARGS__ },
#define SYSREG_AT(NAME, op0, op1, crn, crm, op2, ACCESS, FIELD, FEATURE, TRAPS, ...)                                   \
    { COMMON(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS), .offset = offsetof(struct sysregs, FIELD),        \
      .alias = 1, ##__VA_ARGS__ },
#define SYSREG_FN(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS, ...)                                          \
    { COMMON(NAME, op0, op1, crn, crm, op2, ACCESS, FEATURE, TRAPS), .offset = -1, ##__VA_ARGS__ },
#include "cpu/sysreg/sysreg_all.def"
/* What fine-grained traps add to the rows above */
#define FGT_READ(id, NAME)                                                                                             \
    [ROW_##NAME].fgt_read = FGT_R_##id, [ROW_##NAME].quick_read = QUICK_READ_##NAME | BIT(TRAP_FGT),
#define FGT_WRITE(id, NAME)                                                                                            \
    [ROW_##NAME].fgt_write = FGT_W_##id, [ROW_##NAME].quick_write = QUICK_WRITE_##NAME | BIT(TRAP_FGT),
#include "cpu/sysreg/fgt.def"
/* What can be written of those that have a layout */
#define HAS(reg, LAYOUT)                                                                                               \
    [ROW_##reg].layout = LAYOUT_##LAYOUT, [ROW_##reg].mask = LAYOUT_ALWAYS_##LAYOUT,                                   \
    [ROW_##reg].varies = LAYOUT_VARIES_##LAYOUT != 0 || LAYOUT_ALWAYS_##LAYOUT == 0,
#define SHOWS(reg, LAYOUT)
#include "cpu/field.def"
};
#pragma GCC diagnostic pop

const struct sysreg *sysreg_find(u32 key)
{
    switch (key) {
#define SYSREG(NAME, ...)                                                                                              \
    case KEY_##NAME:                                                                                                   \
        return &sysreg_rows[ROW_##NAME];
#define SYSREG_AT(NAME, ...) SYSREG(NAME)
#define SYSREG_FN(NAME, ...) SYSREG(NAME)
#include "cpu/sysreg/sysreg_all.def"
    default: return NULL;
    }
}

const struct sysreg *sysreg_get(unsigned n) { return n < ROW_COUNT ? &sysreg_rows[n] : NULL; }
unsigned sysreg_number(const struct sysreg *row) { return (unsigned)(row - sysreg_rows); }

bool sysreg_is_quick(const struct sysreg *row, bool write)
{
    if (row->offset < 0 || row->check || (row->flags & SR_E2H_ONLY) || (row->e2h_key && !(row->traps & T(E2H))))
        return false;
    if (!write)
        return !row->read;
    return !row->write && !row->varies && !(row->flags & (SR_CONTROL | SR_TRAPS | SR_CONTEXT | SR_RES0));
}

u64 sysreg_layout_bits(const struct cpu *cpu, enum register_layout layout)
{
    if (likely(!memcmp(&cpu->d.writable_of, &cpu->features, sizeof cpu->features)))
        return cpu->d.writable[layout];
    return field_writable(&cpu->features, layout);
}

u64 sysreg_writable(const struct cpu *cpu, const struct sysreg *row)
{
    if (row->flags & SR_RES0)
        return 0;
    if (row->layout)
        return sysreg_layout_bits(cpu, (enum register_layout)row->layout);
    return row->mask ? row->mask : ~(u64)0;
}

bool sysreg_is_redirected(const struct cpu *cpu, const struct sysreg *row)
{
    if (cpu->ps.el == 2)
        return row->e2h_key && cpu_is_in_host(cpu);
    return cpu->ps.el == 1 && cpu_nvx(cpu) && ((row->access & 15) == 2 || cpu_nvx(cpu) > NVX_NV);
}

/* ---- access ---- */

u32 sysreg_iss(u32 key, unsigned rt, bool write)
{
    unsigned op0 = key >> 14, op1 = key >> 11 & 7, crn = key >> 7 & 15, crm = key >> 3 & 15, op2 = key & 7;
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | !write;
}

static bool undefined_access(struct cpu *cpu, u32 key)
{
    exc_undefined(cpu, (struct cause){ .kind = CAUSE_ACCESS, .id = (u16)key });
    return false;
}

/* Not for this EL: UNDEFINED, but for reads of the feature ID space at EL0 with FEAT_IDST, which EL1 can emulate. */
static bool barred_access(struct cpu *cpu, u32 key, unsigned rt, bool write)
{
    unsigned op1 = key >> 11 & 7, crn = key >> 7 & 15, crm = key >> 3 & 15;
    bool id_space = key >> 14 == 3 && (op1 == 0 || op1 == 1 || op1 == 3) && crn == 0 && crm < 8;
    if (write || cpu->ps.el != 0 || !id_space || !cpu_has(cpu, FEAT_IDST))
        return undefined_access(cpu, key);
    exc_sync(cpu, EC_SYSREG, sysreg_iss(key, rt, false), exc_default_target(cpu),
             (struct cause){ .kind = CAUSE_ACCESS, .id = (u16)key });
    return false;
}

/* No row: S3_<op1>_C{11,15}_* is IMPLEMENTATION DEFINED space, which HCR_EL2.TIDCP traps; all else is UNDEFINED. */
static bool no_such_register(struct cpu *cpu, u32 key, unsigned rt, bool write)
{
    unsigned crn = key >> 7 & 15;
    if (key >> 14 == 3 && (crn == 11 || crn == 15) && trap_check(cpu, T(TIDCP), write, sysreg_iss(key, rt, write)))
        return false;
    return barred_access(cpu, key, rt, write);
}

/* EL2's registers when there is no EL2 are RES0 at EL3 (D19.1.2); VPIDR_EL2 and VMPIDR_EL2 read what they stand for. */
static bool absent_el2(const struct cpu *cpu, const struct sysreg *row)
{
    bool el2s = row->feature == FEAT_EL2 || (row->feature == FEAT_GICV3_EL2 && cpu_has(cpu, FEAT_GICV3));
    return !cpu_has(cpu, FEAT_EL2) && el2s && cpu->ps.el == 3;
}

static u64 absent_el2_value(const struct cpu *cpu, const struct sysreg *row)
{
    return row->key == KEY_VPIDR_EL2 ? cpu->sys.midr_el1 : row->key == KEY_VMPIDR_EL2 ? cpu->sys.mpidr_el1 : 0;
}

/* The timers that EL2 with E2H reaches by EL1's names are those of its security state (D19.12, CNTP_CTL_EL0). */
static const struct sysreg *of_secure_el2(const struct sysreg *row)
{
    static const u16 twins[][2] = {
        { ROW_CNTHP_CTL_EL2, ROW_CNTHPS_CTL_EL2 },   { ROW_CNTHV_CTL_EL2, ROW_CNTHVS_CTL_EL2 },
        { ROW_CNTHP_CVAL_EL2, ROW_CNTHPS_CVAL_EL2 }, { ROW_CNTHV_CVAL_EL2, ROW_CNTHVS_CVAL_EL2 },
        { ROW_CNTHP_TVAL_EL2, ROW_CNTHPS_TVAL_EL2 }, { ROW_CNTHV_TVAL_EL2, ROW_CNTHVS_TVAL_EL2 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(twins); n++)
        if (row == &sysreg_rows[twins[n][0]])
            return &sysreg_rows[twins[n][1]];
    return row;
}

/* What is really accessed: a register, or (vncr not 0) memory in its place; row NULL: nothing, cpu->d.exc is filled. */
struct target {
    const struct sysreg *row;
    u32 vncr;
};
static const struct target refused = { NULL, 0 };

/* The controls of a row that has not been found open. nv1: HCR_EL2.NV1 is one of them, in the place of a fine-grained
 * trap, whose exception would be the same. */
static bool row_traps(struct cpu *cpu, const struct sysreg *row, bool nv1, u32 key, unsigned rt, bool write)
{
    unsigned fine = nv1 ? LONE_FIRST + LONE_NV1 : write ? row->fgt_write : row->fgt_read;
    u128 groups = row->traps | (row->groups ? row->groups(cpu, row) : 0);
    return trap_check_fine(cpu, groups, fine, write, sysreg_iss(key, rt, write));
}

/* The same to a register of EL2, in whatever guise (_EL2, _EL12, _EL02): trapped unless NV2 has a place for it. */
static struct target nested_el2(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt, bool write)
{
    if (row->check && !row->check(cpu, row, write))
        return refused;
    struct nested_access n = nested_access(cpu, row->key);
    if (n.timer && trap_check_lone(cpu, n.timer == NESTED_PHYSICAL ? LONE_EL1NVPCT : LONE_EL1NVVCT, write,
                                   sysreg_iss(key, rt, write)))
        return refused;
    if (n.kind == NESTED_MEMORY)
        return (struct target){ row, n.offset };
    if (n.kind == NESTED_REGISTER) /* after the register's own controls: those of TFSR_EL2 */
        return row_traps(cpu, row, false, key, rt, write) ? refused : (struct target){ sysreg_find(n.key), 0 };
    trap_check_lone(cpu, LONE_NV, write, sysreg_iss(key, rt, write));
    return refused;
}

/* What of a live set is in the way, but is no trap control. */
#define NO_TRAPS (BIT(TRAP_E2H) | BIT(TRAP_AT_EL0) | BIT(TRAP_AT_EL1) | BIT(TRAP_AT_EL2) | TRAPS_VALID)

/* Of what access_check asks only traps, or a control that asked names, can refuse the access; nothing redirects it. */
static inline bool has_traps_only(const struct cpu *cpu, const struct sysreg *row, u64 asked)
{
    return likely(!row->check && !(row->flags & SR_E2H_ONLY)) && likely(!row->e2h_key || asked & BIT(TRAP_E2H)) &&
           cpu_has(cpu, (enum feature)row->feature) && likely(cpu->ps.el != 1 || !cpu_nvx(cpu));
}

/* Nothing can refuse the access: most end here. */
static inline bool is_open(const struct cpu *cpu, const struct sysreg *row, u64 asked)
{
    return likely(!(asked & cpu->d.live_traps[cpu->ps.el])) && has_traps_only(cpu, row, asked);
}

/* All that can refuse an access. */
static NOINLINE struct target access_check(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt, bool write)
{
    if (!row)
        return no_such_register(cpu, key, rt, write), refused;
    u64 live = cpu->d.live_traps[cpu->ps.el], asked = write ? row->quick_write : row->quick_read;
    if (!(asked & live & NO_TRAPS) && has_traps_only(cpu, row, asked)) {
        bool refuses =
            trap_check_fine(cpu, row->traps, write ? row->fgt_write : row->fgt_read, write, sysreg_iss(key, rt, write));
        return refuses ? refused : (struct target){ row, 0 };
    }
    bool e2h = cpu_has(cpu, FEAT_VHE) && cpu_el2_enabled(cpu) && bit(cpu->sys.hcr_el2, HCR_E2H);
    if (row->e2h_key && e2h && cpu->ps.el == 2) {
        row = row->e2h_row ? &sysreg_rows[row->e2h_row - 1] : sysreg_find(row->e2h_key);
        if (unlikely(cpu_is_secure_below_el3(cpu)))
            row = of_secure_el2(row);
    }
    unsigned lowest = write ? row->access >> 4 : row->access & 15;
    bool el2_register = absent_el2(cpu, row), nested = cpu->ps.el == 1 && cpu_nvx(cpu);
    if (unlikely(nested && lowest == 2) && cpu_has(cpu, (enum feature)row->feature))
        return nested_el2(cpu, row, key, rt, write);
    if (cpu->ps.el < lowest || (!cpu_has(cpu, (enum feature)row->feature) && !el2_register) ||
        ((row->flags & SR_E2H_ONLY) && !e2h))
        return no_such_register(cpu, key, rt, write), refused;
    if (row->check && !(row->flags & SR_CHECK_LAST) && !row->check(cpu, row, write))
        return refused;
    struct nested_access n = { .kind = NESTED_NO };
    if (unlikely(nested))
        n = nested_access(cpu, row->key);
    bool nv1 = n.kind == NESTED_TRAP_NV1;
    if ((asked & live || live == TRAPS_UNKNOWN || row->groups || nv1) && row_traps(cpu, row, nv1, key, rt, write))
        return refused;
    if (row->check && (row->flags & SR_CHECK_LAST) && !row->check(cpu, row, write))
        return refused;
    return (struct target){ row, n.kind == NESTED_MEMORY ? n.offset : 0 };
}

static u64 row_read(struct cpu *cpu, const struct sysreg *row)
{
    if (row->read)
        return row->read(cpu, row);
    return row->offset >= 0 ? *sysreg_field(cpu, row) : 0;
}

/* A world switch writes most controls with the value that they have: nothing hangs on that. */
static void row_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    const u64 *stored = row->offset >= 0 ? sysreg_field(cpu, row) : NULL, before = stored ? *stored : 0;
    if (stored)
        sysreg_note(cpu, row);
    if (row->write) {
        row->write(cpu, row, value);
    } else if (row->offset >= 0) {
        u64 mask = sysreg_writable(cpu, row), *field = sysreg_field(cpu, row);
        *field = (*field & ~mask) | (value & mask);
    }
    if (stored && *stored == before)
        return;
    if (row->flags & SR_CONTROL)
        cpu_control_changed(cpu);
    else if (row->flags & SR_TRAPS)
        cpu_traps_changed(cpu);
    else if (row->flags & SR_CONTEXT)
        mmu_context_changed(cpu);
}

struct sysreg_value sysreg_row_read(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt)
{
    if (likely(row) && is_open(cpu, row, row->quick_read))
        return (struct sysreg_value){ row_read(cpu, row), true };
    struct target target = access_check(cpu, row, key, rt, false);
    row = target.row;
    if (!row)
        return (struct sysreg_value){ 0, false };
    if (unlikely(target.vncr)) {
        struct mem_val m = mem_read(cpu, nested_address(cpu, target.vncr), 8, ACC_NV2);
        return (struct sysreg_value){ m.v, m.ok };
    }
    return (struct sysreg_value){ absent_el2(cpu, row) ? absent_el2_value(cpu, row) : row_read(cpu, row), true };
}

bool sysreg_row_write(struct cpu *cpu, const struct sysreg *row, u32 key, unsigned rt, u64 value)
{
    if (unlikely(!row) || !is_open(cpu, row, row->quick_write)) {
        struct target target = access_check(cpu, row, key, rt, true);
        row = target.row;
        if (!row)
            return false;
        if (unlikely(target.vncr))
            return mem_write(cpu, nested_address(cpu, target.vncr), value, 8, ACC_NV2);
    }
    if (!absent_el2(cpu, row))
        row_write(cpu, row, value);
    const struct observer *o = cpu->d.host.observer;
    if (unlikely(o && o->sysreg_written))
        o->sysreg_written(o->sysreg_written_ctx, cpu, sysreg_number(row), value);
    return true;
}

bool sysreg_read(struct cpu *cpu, u32 key, unsigned rt, u64 *value)
{
    struct sysreg_value r = sysreg_row_read(cpu, sysreg_find(key), key, rt);
    if (r.ok)
        *value = r.v;
    return r.ok;
}

bool sysreg_write(struct cpu *cpu, u32 key, unsigned rt, u64 value)
{
    return sysreg_row_write(cpu, sysreg_find(key), key, rt, value);
}

/* ---- for those who look in ---- */

u64 sysreg_peek(struct cpu *cpu, const struct sysreg *row)
{
    if (row->read && !(row->flags & SR_READ_EFFECT))
        return row->read(cpu, row);
    return row->offset >= 0 ? *sysreg_field(cpu, row) : 0;
}

bool sysreg_is_readable(const struct sysreg *row)
{
    return (row->access & 15) < 4 && (row->offset >= 0 || (row->read && !(row->flags & SR_READ_EFFECT)));
}

u64 sysreg_dropped(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    return sysreg_is_readable(row) ? value & ~sysreg_peek(cpu, row) & ~row->loose : 0;
}

/* ---- reset ---- */

/* What has no reset value and cannot be written is a constant of the model or the board and stays (MIDR, MPIDR,
 * RVBAR...). */
static bool is_constant(const struct sysreg *row) { return row->access >> 4 == 4 && !row->reset; }

/* RES0 bits of a register whose reset value is UNKNOWN are 0 all the same. */
static u64 reset_value(const struct cpu *cpu, const struct sysreg *row)
{
    if (!cpu_has(cpu, (enum feature)row->feature))
        return 0;
    if (row->key == KEY_VPIDR_EL2)
        return cpu->sys.midr_el1;
    if (row->key == KEY_VMPIDR_EL2)
        return cpu->sys.mpidr_el1 | BIT(31);
    return row->reset == SYSREG_UNKNOWN ? cpu->d.host.unknown & sysreg_writable(cpu, row) : row->reset;
}

void sysreg_reset(struct cpu *cpu)
{
    memset(cpu->written, 0, sizeof(cpu->written));
    cpu->d.writable_of = cpu->features;
    field_writable_all(&cpu->features, cpu->d.writable);
    for (const struct sysreg *row = sysreg_rows; row < sysreg_rows + ROW_COUNT; row++)
        if (row->offset >= 0 && !row->alias && !is_constant(row))
            *sysreg_field(cpu, row) = reset_value(cpu, row);
    /* EL3 without EL2 reads these as what they stand for */
    cpu->sys.vpidr_el2 = cpu->sys.midr_el1;
    cpu->sys.vmpidr_el2 = cpu->sys.mpidr_el1 | BIT(31);
}

/* The row that the storage belongs to, of which others are views. */
static const struct sysreg *owner_of(const struct sysreg *row)
{
    const struct sysreg *owner = sysreg_rows;
    while (owner->offset != row->offset || owner->alias)
        owner++;
    return owner;
}

static bool is_of_entry(const struct sysreg *row)
{
    return row->key == KEY_ELR_EL1 || row->key == KEY_SPSR_EL1 || row->key == KEY_ESR_EL1 || row->key == KEY_ELR_EL2 ||
           row->key == KEY_SPSR_EL2 || row->key == KEY_ESR_EL2 || row->key == KEY_ELR_EL3 || row->key == KEY_SPSR_EL3 ||
           row->key == KEY_ESR_EL3;
}

/* EL1 in op1 0, EL2 in 4, EL3 in 6. */
static unsigned el_of(const struct sysreg *row) { return (row->key >> 11 & 7) / 2 + !(row->key >> 11 & 7); }

bool sysreg_is_untouched(const struct cpu *cpu, const struct sysreg *row)
{
    if (row->offset < 0 || row->access >> 4 == 4 || row->flags & SR_RES0)
        return false;
    row = owner_of(row);
    /* what hardware wrote without a note shows in the value (PAR_EL1, PMOVSSET_EL0...) */
    return !cpu->written[row->offset / 8] && load_le64((const u8 *)&cpu->sys + row->offset) == reset_value(cpu, row) &&
           !(is_of_entry(row) && cpu->written[WRITTEN_BY_ENTRY + el_of(row)]);
}
