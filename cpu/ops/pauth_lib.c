/*
 * Pointer authentication codes: where they lie in a pointer, what makes them, and who may (Arm ARM D8.10; AddPAC, Auth,
 * Strip, CalculateBottomPACBit, EffectiveTBI, TrapPACUse, AArch64.PACFailException of the shared pseudocode). Choices:
 * TxSZ out of range counts as the nearest value in range (as translation does). Leaves out FEAT_CONSTPACFIELD,
 * FEAT_PAuth_LR and FEAT_MTE_CANONICAL_TAGS.
 */
#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/ops/pauth.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"

/* How the regime of this EL cuts a pointer. */
struct layout {
    u64 tcr;
    u32 feat;
    bool dual; /* two ranges */
};

static struct layout layout_of(struct cpu *cpu)
{
    const struct mmu_view *v = mmu_view(cpu, cpu->ps.el);
    return (struct layout){ v->config.tcr, v->feat, v->regime == REGIME_EL10 || v->regime == REGIME_EL20 };
}

/* Is the top byte of this range ignored? TBI, and TBID for instructions. */
static bool top_ignored(const struct layout *l, bool high, bool data)
{
    unsigned tbi = !l->dual ? TCR_EL3_TBI : high ? TCR_EL1_TBI1 : TCR_EL1_TBI0;
    unsigned tbid = !l->dual ? TCR_EL3_TBID : high ? TCR_EL1_TBID1 : TCR_EL1_TBID0;
    return bit(l->tcr, tbi) && (data || !bit(l->tcr, tbid));
}

static unsigned bottom_bit(const struct layout *l, bool high)
{
    high = high && l->dual;
    unsigned size = (unsigned)(high ? FIELD_OF(l->tcr, TCR_EL1_T1SZ) : FIELD_OF(l->tcr, TCR_EL1_T0SZ));
    bool big = high ? FIELD_OF(l->tcr, TCR_EL1_TG1) == 3 : FIELD_OF(l->tcr, TCR_EL1_TG0) == 1;
    bool ds = l->feat & WALK_LPA2 && bit(l->tcr, l->dual ? TCR_EL1_DS : TCR_EL3_DS);
    unsigned most = !(l->feat & WALK_TTST) ? 39 : big ? 47 : 48;
    unsigned least = (big ? !!(l->feat & WALK_LVA) : ds) ? 12 : 16;
    return 64 - (size > most ? most : size < least ? least : size);
}

/* The pointer with sign-extended bits where its code is. */
static u64 plain_pointer(u64 pointer, bool sign, bool tbi, unsigned bottom)
{
    u64 field = (tbi ? ones(56) : ~0ull) & ~ones(bottom);
    return (pointer & ~field) | (sign ? field : 0);
}

/* The code of recent (data, modifier, key): a function's return computes what its entry did. Derived state. */
static u64 cached_code(struct cpu *cpu, u64 data, u64 modifier, const u64 key[2])
{
    u64 mixed = (data ^ modifier * 0x9e3779b97f4a7c15) * 0x9e3779b97f4a7c15 >> 56;
    bool qarma3 = cpu_has(cpu, FEAT_PAUTH_QARMA3);
    struct pac_entry *e = &cpu->d.pac[mixed];
    if (e->valid != 1u + qarma3 || e->data != data || e->modifier != modifier || e->key[0] != key[0] ||
        e->key[1] != key[1])
        *e = (struct pac_entry){ .data = data,
                                 .modifier = modifier,
                                 .key = { key[0], key[1] },
                                 .valid = 1u + qarma3,
                                 .code = qarma_code(data, modifier, key[0], key[1], qarma3) };
    return e->code;
}

static u64 key_code(struct cpu *cpu, u64 data, u64 modifier, enum pauth_key key)
{
    const struct sysregs *s = &cpu->sys;
    const u64 keys[4][2] = { { s->apiakeyhi_el1, s->apiakeylo_el1 },
                             { s->apibkeyhi_el1, s->apibkeylo_el1 },
                             { s->apdakeyhi_el1, s->apdakeylo_el1 },
                             { s->apdbkeyhi_el1, s->apdbkeylo_el1 } };
    return cached_code(cpu, data, modifier, keys[key]);
}

static u64 add_code(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key)
{
    struct layout l = layout_of(cpu);
    bool data = key >= PAUTH_DA, tbi = top_ignored(&l, bit(pointer, 55), data);
    /* Bit 55 chooses the range where either range ignores its top byte, else bit 63. */
    bool by55 = l.dual ? top_ignored(&l, false, data) || top_ignored(&l, true, data) : tbi;
    bool sign = bit(pointer, by55 ? 55 : 63);
    unsigned bottom = bottom_bit(&l, sign), top = tbi ? 55 : 63;
    u64 code = key_code(cpu, plain_pointer(pointer, sign, tbi, bottom), modifier, key);
    u64 field = ones(top + 1) & ~ones(bottom);
    if ((pointer & field) != 0 && (pointer & field) != field && !cpu_has(cpu, FEAT_PAUTH2))
        code = cpu_has(cpu, FEAT_EPAC) ? 0 : code ^ BIT(top - 1);
    field &= ~BIT(55);
    if (cpu_has(cpu, FEAT_PAUTH2))
        code ^= pointer;
    u64 r = (pointer & ~field) | (code & field);
    return sign ? r | BIT(55) : r & ~BIT(55);
}

static struct pauth_value authenticate(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key, bool combined)
{
    struct layout l = layout_of(cpu);
    bool tbi = top_ignored(&l, bit(pointer, 55), key >= PAUTH_DA);
    unsigned bottom = bottom_bit(&l, bit(pointer, 55)), which = key & 1;
    u64 plain = plain_pointer(pointer, bit(pointer, 55), tbi, bottom);
    u64 code = key_code(cpu, plain, modifier, key), field = (tbi ? ones(55) : ~BIT(55)) & ~ones(bottom);
    if (!cpu_has(cpu, FEAT_PAUTH2)) {
        if (((code ^ pointer) & field) == 0)
            return (struct pauth_value){ plain, true };
        /* An address that faults: the key's number and its complement below the top. */
        unsigned at = tbi ? 53 : 61;
        return (struct pauth_value){ bits_set(plain, at + 1, at, which << 1 | !which), true };
    }
    u64 r = pointer ^ (code & field);
    bool checks = combined ? cpu_has(cpu, FEAT_FPACCOMBINE) : cpu_has(cpu, FEAT_FPAC);
    if (checks && ((r ^ plain) & field)) {
        exc_sync(cpu, EC_PAC_FAIL, key, exc_default_target(cpu), (struct cause){ .kind = CAUSE_INSTRUCTION });
        return (struct pauth_value){ 0, false };
    }
    return (struct pauth_value){ r, true };
}

/* SCTLR_ELx.{EnIA, EnIB, EnDA, EnDB}: without it the instruction does nothing. */
static bool key_enabled(const struct cpu *cpu, enum pauth_key key)
{
    static const u8 enable[] = { 31, 30, 27, 13 };
    return bit(cpu_sctlr(cpu), enable[key]);
}

/* HCR_EL2.API, SCR_EL3.API. */
static bool use_trapped(struct cpu *cpu)
{
    return unlikely(cpu->d.live_traps[cpu->ps.el] & LIVE(API)) && trap_check(cpu, T(API), false, 0);
}

struct pauth_value pauth_add(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key)
{
    if (!key_enabled(cpu, key))
        return (struct pauth_value){ pointer, true };
    if (use_trapped(cpu))
        return (struct pauth_value){ 0, false };
    return (struct pauth_value){ add_code(cpu, pointer, modifier, key), true };
}

struct pauth_value pauth_auth(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key, bool combined)
{
    if (!key_enabled(cpu, key))
        return (struct pauth_value){ pointer, true };
    if (use_trapped(cpu))
        return (struct pauth_value){ 0, false };
    return authenticate(cpu, pointer, modifier, key, combined);
}

struct pauth_value pauth_generic(struct cpu *cpu, u64 value, u64 modifier)
{
    if (use_trapped(cpu))
        return (struct pauth_value){ 0, false };
    u64 code =
        qarma_code(value, modifier, cpu->sys.apgakeyhi_el1, cpu->sys.apgakeylo_el1, cpu_has(cpu, FEAT_PAUTH_QARMA3));
    return (struct pauth_value){ code & ~ones(32), true };
}

u64 pauth_strip(struct cpu *cpu, u64 pointer, bool data)
{
    struct layout l = layout_of(cpu);
    bool high = bit(pointer, 55);
    return plain_pointer(pointer, high, top_ignored(&l, high, data), bottom_bit(&l, high));
}
