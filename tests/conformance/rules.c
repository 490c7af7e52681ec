/* The rules of the vector runner (rules.h). A row a rule. */
#include "tests/conformance/rules.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/nested.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"
#include "mmu/walk.h"
#include "tests/conformance/atcall.h"

static bool is_tag_instruction(const struct rule_input *in)
{
    bool addg = (in->insn & 0xbf800000) == 0x91800000; /* ADDG, SUBG */
    return !strstr(in->set, "mte") && strcmp(in->set, "v94") &&
           (addg || !strncmp(in->name, "integer_tags_", 13) || strstr(in->name, "pointer_mcsubtract"));
}

/* TRFCR_EL1, TRFCR_EL2 below EL3 under MDCR_EL3.TTRF */
static bool is_trace_filter(const struct rule_input *in)
{
    u32 key = in->insn >> 5 & 0xffff;
    bool access = !strncmp(in->class_, "sysreg", 6) && (in->insn & 0xffc00000) == 0xd5000000;
    bool trfcr =
        key == SYSREG_KEY(3, 0, 1, 2, 1) || key == SYSREG_KEY(3, 4, 1, 2, 1) || key == SYSREG_KEY(3, 5, 1, 2, 1);
    return access && trfcr && in->cpu->ps.el < 3 && bit(in->cpu->sys.mdcr_el3, 19);
}

/* MRS of RNDR, RNDRRS */
static bool is_random_number(const struct rule_input *in)
{
    return (in->insn & 0xffffffc0) == 0xd53b2400 && !strncmp(in->set, "v85", 3);
}

/* WFET, WFIT: with a threshold that CNTVCT_EL0, 0 here, has reached */
static bool is_wait_timed_out(const struct rule_input *in)
{
    unsigned t = in->insn & 31;
    return (in->insn & 0xffffffc0) == 0xd5031000 && (t == 31 || !in->cpu->x[t]);
}

/* ---- system registers and instructions ---- */

/* MRS, MSR (register), SYS and SYSL of the classes that walk over all of them; not the other instructions. */
static bool is_access(const struct rule_input *in)
{
    return (!strncmp(in->class_, "sysreg", 6) || !strncmp(in->class_, "sysop", 5)) &&
           (in->insn & 0xffc00000) == 0xd5000000;
}
static u32 key_of(const struct rule_input *in) { return in->insn >> 5 & 0xffff; }

/* Of the model's own list of registers. The -any classes try all encodings: they count but where they hit one. */
static bool is_absent(const struct rule_input *in)
{
    if (!is_access(in) || (strstr(in->class_, "-any") && !in->listed))
        return false;
    if (key_of(in) >> 14 == 1) {
        const struct sysop *op = sysop_find(key_of(in));
        return !op || !feature_has(&in->cpu->features, (enum feature)op->feature);
    }
    const struct sysreg *row = sysreg_find(key_of(in));
    return !row || !feature_has(&in->cpu->features, (enum feature)row->feature);
}

/* PMEVCNTR<n>_EL0 and PMEVTYPER<n>_EL0: elmu's CPUs have six. */
static bool is_absent_counter(const struct rule_input *in)
{
    u32 key = key_of(in), n = key & 31;
    bool filter = key == SYSREG_KEY(3, 3, 14, 15, 7); /* PMCCFILTR_EL0 */
    return is_access(in) && key >> 14 == 3 && (key >> 11 & 7) == 3 && (key >> 7 & 15) == 14 && (key & 0x40) && n >= 6 &&
           !filter;
}

static bool is_named(const struct rule_input *in, const char *name)
{
    return !strcmp(in->class_, "sysinsn") && !strcmp(in->name, name);
}

static bool is_absent_instruction(const struct rule_input *in)
{
    return (is_named(in, "IRG") && !feature_has(&in->cpu->features, FEAT_MTE)) ||
           (is_named(in, "RNDR_MRS") && !feature_has(&in->cpu->features, FEAT_RNG));
}

static bool is_unallocated_hint(const struct rule_input *in)
{
    /* NOP..SEVL, XPACLRI, PACIA1716 and friends, ESB..CSDB, PACIAZ..AUTIBSP, BTI */
    static const u64 known = 0x3f | BIT(7) | BIT(8) | BIT(10) | BIT(12) | BIT(14) | BIT(16) | BIT(18) | BIT(20) |
                             0xffull << 24 | BIT(32) | BIT(34) | BIT(36) | BIT(38);
    unsigned hint = in->insn >> 5 & 127;
    return (in->insn & 0xfffff01f) == 0xd503201f && (hint > 63 || !(known >> hint & 1)) && strcmp(in->set, "v94");
}

static bool is_sb_of_v85(const struct rule_input *in) { return !strncmp(in->set, "v85", 3) && in->insn == 0xd50330ff; }

static bool waits_above_virtual(const struct rule_input *in)
{
    bool waits = in->insn == 0xd503207f || (in->insn == 0xd503205f && !in->cpu->event);
    const struct cpu *cpu = in->cpu;
    bool no_guest = cpu->ps.el >= 2 || bit(cpu->sys.hcr_el2, 27) || !bit(cpu->sys.scr_el3, 0);
    return waits && no_guest && cpu->sys.hcr_el2 & cpu->sys.hcr_el2 << 3 & 0x1c0; /* V{F,I,SE} with {F,I,A}MO */
}

/* DSPSR_EL0 and DLR_EL0. */
static bool is_debug_state_register(const struct rule_input *in)
{
    return is_access(in) && key_of(in) >> 14 == 3 && (key_of(in) >> 3 & 0x7ff) == (3 << 8 | 4 << 4 | 5);
}

/* MVFRn_EL1 at EL1 under HCR_EL2.TID3 */
static bool is_fp_identification(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    bool mvfr = is_access(in) && bit(in->insn, 21) && key_of(in) >> 3 == (3 << 11 | 3) && (key_of(in) & 7) < 3;
    return mvfr && cpu->ps.el == 1 && cpu_el2_enabled(cpu) && bit(cpu->sys.hcr_el2, HCR_TID3);
}

static bool is_dcc_under_tge(const struct rule_input *in)
{
    return is_access(in) && key_of(in) >> 7 == (2 << 7 | 3 << 4) && in->cpu->ps.el == 0 &&
           bit(in->cpu->sys.hcr_el2, 27);
}

/* XPACI, XPACD, XPACLRI where HCR_EL2.API or SCR_EL3.API traps pointer authentication */
static bool is_trapped_xpac(const struct rule_input *in)
{
    bool xpac = (in->insn & 0xfffffbe0) == 0xdac143e0 || in->insn == 0xd50320ff;
    const struct sysregs *s = &in->cpu->sys;
    unsigned el = in->cpu->ps.el;
    bool guest = el < 2 && cpu_el2_enabled(in->cpu) && (el || !bit(s->hcr_el2, 27) || !bit(s->hcr_el2, 34));
    bool trapped = (guest && !bit(s->hcr_el2, 41)) || (el < 3 && !bit(s->scr_el3, 17));
    return !strncmp(in->set, "v85", 3) && xpac && trapped;
}

/* STXR, STXP and their kin at an address not aligned to what they store, within 16 bytes, with FEAT_LSE2 */
static bool is_unaligned_store_exclusive(const struct rule_input *in)
{
    bool pair = (in->insn & 0xbfe00000) == 0x88200000, single = (in->insn & 0x3fe00000) == 0x08000000;
    unsigned n = in->insn >> 5 & 31, size = pair ? (in->insn & BIT(30) ? 16 : 8) : 1u << (in->insn >> 30);
    const struct cpu *cpu = in->cpu;
    u64 va = n < 31 ? cpu->x[n] : cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0];
    return (pair || single) && va & (size - 1) && (va & 15) + size <= 16 && !strncmp(in->set, "v85", 3);
}

/* A store exclusive to the first 16 bytes, whose monitor was never set */
static bool is_store_exclusive_to_zero(const struct rule_input *in)
{
    unsigned n = in->insn >> 5 & 31;
    const struct cpu *cpu = in->cpu;
    u64 va = n < 31 ? cpu->x[n] : cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0];
    return (in->insn & 0x3fc00000) == 0x08000000 && va < 16 && !cpu->excl_valid;
}

/* The tag instructions but IRG and GMI, of the sets from the v8.5 model */
static bool is_beta_tag_instruction(const struct rule_input *in)
{
    static const char *const names[] = { "mcset", "mcgettag", "mcaddtag", "mcsubtag" };
    if (!strcmp(in->set, "v85mte") && (is_named(in, "LDG") || is_named(in, "STG")))
        return true;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        if (!strcmp(in->set, "v85mte") && !strncmp(in->name, "integer_tags_", 13) && strstr(in->name, names[n]))
            return true;
    return false;
}

/* IRG of an address with bit 55 */
static bool is_irg_of_high_address(const struct rule_input *in)
{
    unsigned n = in->insn >> 5 & 31;
    const struct cpu *cpu = in->cpu;
    u64 va = n < 31 ? cpu->x[n] : cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0];
    return !strcmp(in->set, "v85mte") && (in->insn & 0xffe0fc00) == 0x9ac01000 && bit(va, 55);
}

/* MSR SSBS, #imm, which the v8.5 model does not have */
static bool is_ssbs_immediate(const struct rule_input *in)
{
    return !strncmp(in->set, "v85", 3) && (in->insn & 0xfffff0ff) == 0xd503403f;
}

/* GCR_EL1, RGSR_EL1, TFSR_ELx, TFSRE0_EL1 where HCR_EL2.ATA or SCR_EL3.ATA is 0 */
static bool is_tag_register(const struct rule_input *in)
{
    static const u32 keys[] = { SYSREG_KEY(3, 0, 1, 0, 5), SYSREG_KEY(3, 0, 1, 0, 6), SYSREG_KEY(3, 0, 5, 6, 0),
                                SYSREG_KEY(3, 0, 5, 6, 1), SYSREG_KEY(3, 4, 5, 6, 0), SYSREG_KEY(3, 5, 5, 6, 0) };
    const struct sysregs *s = &in->cpu->sys;
    bool closed = in->cpu->ps.el < 3 && (!bit(s->hcr_el2, 56) || !bit(s->scr_el3, 26));
    for (unsigned n = 0; n < ARRAY_LEN(keys); n++)
        if (!strcmp(in->set, "v85mte") && closed && is_access(in) && key_of(in) == keys[n])
            return true;
    return false;
}

/* DC GVA, GZVA */
static bool is_tag_zeroing(const struct rule_input *in)
{
    u32 key = key_of(in);
    return !strcmp(in->set, "v85mte") && is_access(in) &&
           (key == SYSREG_KEY(1, 3, 7, 4, 3) || key == SYSREG_KEY(1, 3, 7, 4, 4));
}

/* DC CGVAC, CGDVAC, CGVAP... by address */
static bool is_tag_cache_operation(const struct rule_input *in)
{
    u32 key = key_of(in), op2 = key & 7, crm = key >> 3 & 15;
    bool by_address = op2 == 3 || op2 == 5;
    return !strcmp(in->set, "v85mte") && is_access(in) && (key & ~0x7fu) == (SYSREG_KEY(1, 3, 7, 0, 0) & ~0x7fu) &&
           by_address && crm >= 10;
}

/* DC CVADP */
static bool is_cvadp(const struct rule_input *in)
{
    return is_access(in) && key_of(in) == SYSREG_KEY(1, 3, 7, 13, 1) && !strncmp(in->set, "v85", 3);
}

/* MSR TCO, #imm at EL0 */
static bool is_tco_at_el0(const struct rule_input *in)
{
    return !strcmp(in->set, "v85mte") && (in->insn & 0xfffff0ff) == 0xd503409f && in->cpu->ps.el == 0;
}

/* ---- Secure EL2 ---- */

static bool eel2(const struct rule_input *in) { return bit(in->cpu->sys.scr_el3, 18); }

/* LORSA_EL1, LOREA_EL1, LORN_EL1, LORC_EL1 in Secure state */
static bool is_lor_in_secure_state(const struct rule_input *in)
{
    bool lor = is_access(in) && (key_of(in) & ~3u) == SYSREG_KEY(3, 0, 10, 4, 0);
    return lor && !bit(in->cpu->sys.scr_el3, 0) && eel2(in);
}

/* VSTTBR_EL2, VSTCR_EL2 at EL3 */
static bool is_secure_stage2_at_el3(const struct rule_input *in)
{
    bool vst = is_access(in) && (key_of(in) & ~7u) == SYSREG_KEY(3, 4, 2, 6, 0);
    return vst && in->cpu->ps.el == 3 && !eel2(in);
}

/* A pending, unmasked interrupt at EL3 that SCR_EL3 routes there, and HCR_EL2 would not route to EL2 */
static bool is_taken_at_el3(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    const struct {
        const char *pending;
        bool masked;
        u8 scr, hcr;
    } kinds[] = { { "irq=1", cpu->ps.i, 1, 4 }, { "fiq=1", cpu->ps.f, 2, 3 }, { "se=1", cpu->ps.a, 3, 5 } };
    for (unsigned n = 0; n < ARRAY_LEN(kinds) && !strcmp(in->class_, "irq"); n++)
        if (strstr(in->name, kinds[n].pending) && !kinds[n].masked && bit(cpu->sys.scr_el3, kinds[n].scr) &&
            !bit(cpu->sys.hcr_el2, kinds[n].hcr))
            return cpu->ps.el == 3 && eel2(in);
    return false;
}

/* The EL that a physical interrupt is routed to, by its bits of SCR_EL3 and HCR_EL2. */
static unsigned routed_to(const struct cpu *cpu, unsigned scr, unsigned hcr)
{
    u64 h = cpu_el2_enabled(cpu) ? cpu->sys.hcr_el2 : 0;
    return bit(cpu->sys.scr_el3, scr) ? 3 : bit(h, HCR_TGE) || bit(h, hcr) ? 2 : 1;
}

/* A pending SError beside another interrupt, which is taken first. At its entry (to ELt) the v8.5 model synchronizes
 * errors by IESB of the EL that is left, and by SCR_EL3.{EA,NMEA} where that is EL3. That matters where the SError can
 * then be taken: it goes to a higher EL, or EL3 lets it (NMEA). */
static bool is_serror_after_interrupt(const struct rule_input *in)
{
    static const u8 iesb = 21;
    const struct cpu *cpu = in->cpu;
    const struct sysregs *s = &cpu->sys;
    if (strcmp(in->class_, "irq") || !strstr(in->name, "se=1"))
        return false;
    const struct {
        bool pending;
        unsigned target;
    } others[] = { { strstr(in->name, "irq=1"), routed_to(cpu, SCR_IRQ, HCR_IMO) },
                   { strstr(in->name, "fiq=1"), routed_to(cpu, SCR_FIQ, HCR_FMO) },
                   { cpu->ps.el < 2 && (bit(s->hcr_el2, HCR_VI) || bit(s->hcr_el2, HCR_VF)), 1 } };
    bool nmea = bit(s->scr_el3, SCR_EA) && bit(s->scr_el3, SCR_NMEA);
    for (unsigned n = 0; n < ARRAY_LEN(others); n++) {
        unsigned t = others[n].target;
        u64 entered = t == 3 ? s->sctlr_el3 : t == 2 ? s->sctlr_el2 : s->sctlr_el1;
        bool taken = routed_to(cpu, SCR_EA, HCR_AMO) > t || (nmea && t == 3);
        if (others[n].pending && t >= cpu->ps.el && taken && (nmea || bit(cpu_sctlr(cpu), iesb) != bit(entered, iesb)))
            return true;
    }
    return false;
}

/* STP across two granules */
static bool is_checked_store_pair(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    unsigned n = in->insn >> 5 & 31, size = in->insn & BIT(31) ? 16 : 8;
    u64 va = n < 31 ? cpu->x[n] : cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0];
    if (!bit(in->insn, 23) || bit(in->insn, 24)) /* not post-indexed */
        va += sext(bits(in->insn, 21, 15), 7) * (size / 2);
    return !strcmp(in->class_, "mte-check") && (in->insn & 0x7e400000) == 0x28000000 && (va ^ (va + size - 1)) >> 4;
}

/* ---- floating point ---- */

static bool is_fjcvtzs_of_flushed(const struct rule_input *in)
{
    bool fjcvtzs = (in->insn & 0xfffffc00) == 0x1e7e0000;
    u64 operand = in->cpu->v[in->insn >> 5 & 31].d[0];
    return !strncmp(in->set, "v85", 3) && fjcvtzs && bit(in->cpu->fpcr, 24) && operand && !(operand >> 52);
}

static bool host0(const struct cpu *cpu)
{
    return cpu->ps.el == 0 && bit(cpu->sys.hcr_el2, 27) && bit(cpu->sys.hcr_el2, 34) && bit(cpu->sys.scr_el3, 0);
}

/* MSR DAIFSet, DAIFClr of a host's application */
static bool is_daif_in_host(const struct rule_input *in)
{
    return (in->insn & 0xfffff0df) == 0xd50340df && host0(in->cpu) && !strncmp(in->set, "v8", 2);
}

static bool is_fp_under_tge(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    bool fp = is_access(in) && key_of(in) >> 1 == SYSREG_KEY(3, 3, 4, 4, 0) >> 1;
    return fp && cpu->ps.el == 0 && bit(cpu->sys.hcr_el2, 27) && !host0(cpu) && bits(cpu->sys.cpacr_el1, 21, 20) != 3;
}

static bool is_cntv_tval_at_el2(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    return is_access(in) && key_of(in) == SYSREG_KEY(3, 3, 14, 3, 0) && cpu->ps.el == 2 && !bit(cpu->sys.hcr_el2, 34) &&
           feature_has(&cpu->features, FEAT_VHE);
}

static bool is_icc_sre_closed_twice(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    return is_access(in) && key_of(in) == SYSREG_KEY(3, 0, 12, 12, 5) && cpu->ps.el == 1 &&
           !bit(cpu->sys.icc_sre_el2, 3) && !bit(cpu->sys.icc_sre_el3, 3);
}

static bool is_bpr1_without_sre(const struct rule_input *in)
{
    return is_access(in) && key_of(in) == SYSREG_KEY(3, 0, 12, 12, 3) && in->cpu->ps.el == 1 &&
           !bit(in->cpu->sys.icc_sre_el1, 32);
}

/* MRS, MSR at EL1 under HCR_EL2.NV in the v8.5 model */
static bool is_nested_access(const struct rule_input *in)
{
    bool access = (in->insn & 0xffd00000) == 0xd5100000;
    return !strncmp(in->set, "v85", 3) && access && in->cpu->ps.el == 1 && bit(in->cpu->sys.hcr_el2, 42);
}

/* ... of S2_4_*, S2_5_*, S3_4_*, S3_5_* that no register has */
static bool is_nested_unallocated(const struct rule_input *in)
{
    return is_nested_access(in) && (key_of(in) >> 12 & 3) == 2 && !sysreg_find(key_of(in));
}

static bool is_nested_elrsr(const struct rule_input *in)
{
    return is_nested_access(in) && key_of(in) == SYSREG_KEY(3, 4, 12, 11, 5);
}

static bool is_nested_vsttbr(const struct rule_input *in)
{
    return is_nested_access(in) && key_of(in) == SYSREG_KEY(3, 4, 2, 6, 0) && bit(in->cpu->sys.scr_el3, 0);
}

/* MSR of what EL1 finds in memory under HCR_EL2.NV2: the v8.5 model stores the lower half of 32-bit registers */
static bool is_nested_short_store(const struct rule_input *in)
{
    static const u16 offsets[] = { 0x040, 0x048, 0x080, 0x088, 0x100, 0x108, 0x128, 0x130, 0x138,
                                   0x158, 0x160, 0x170, 0x180, 0x190, 0x480, 0x488, 0x490, 0x498,
                                   0x4a0, 0x4a8, 0x4b0, 0x4b8, 0x4c0, 0x4c8, 0x880, 0x930, 0x938 };
    unsigned t = in->insn & 31;
    if (!is_nested_access(in) || bit(in->insn, 21) || t == 31 || !(in->cpu->x[t] >> 32))
        return false;
    struct nested_access to = nested_access(in->cpu, key_of(in));
    for (unsigned n = 0; to.kind == NESTED_MEMORY && n < ARRAY_LEN(offsets); n++)
        if (to.offset == offsets[n])
            return true;
    return false;
}

/* ESR_EL2, FAR_EL2, ELR_EL2, SPSR_EL2, TFSR_EL2 that NV2 makes EL1's, with NV1 0 */
static bool is_nested_redirection(const struct rule_input *in)
{
    return is_nested_access(in) && !bit(in->cpu->sys.hcr_el2, HCR_NV1) &&
           nested_access(in->cpu, key_of(in)).kind == NESTED_REGISTER && (key_of(in) >> 11 & 7) == 4;
}

static bool is_ivac_under_tpc(const struct rule_input *in)
{
    return is_access(in) && key_of(in) == SYSREG_KEY(1, 0, 7, 6, 1) && in->cpu->ps.el == 1 &&
           bit(in->cpu->sys.hcr_el2, 23);
}

/* DC *GSW, *GDSW: S1_0_C7_C{6,10,14}_{4,6} */
static bool is_tag_maintenance(const struct rule_input *in)
{
    u32 key = key_of(in);
    return !strcmp(in->class_, "sysinsn") && in->insn >> 19 == 0xd508u >> 3 &&
           (key & 0x7f81) == (SYSREG_KEY(1, 0, 7, 0, 0) & 0x7f80) && (key & 4) && (key & 0x38) >= 0x30;
}

/* OSDLR_EL1 where MDCR_EL2.{TDOSA,TDE} or MDCR_EL3.TDOSA would trap it */
static bool is_double_lock(const struct rule_input *in)
{
    const struct sysregs *s = &in->cpu->sys;
    bool trapped = (in->cpu->ps.el == 1 && cpu_el2_enabled(in->cpu) && (bit(s->mdcr_el2, 10) || bit(s->mdcr_el2, 8))) ||
                   (in->cpu->ps.el < 3 && bit(s->mdcr_el3, 10));
    return !strncmp(in->class_, "acc-choice-", 11) && key_of(in) == SYSREG_KEY(2, 0, 1, 3, 4) && trapped;
}

/* ---- translation ---- */

static bool is_mmu(const struct rule_input *in) { return !strncmp(in->class_, "mmu", 3); }

/* How the tables of the start state translate va, for an access to be looked at only; every descriptor in rec. */
static struct translation look(const struct rule_input *in, enum regime regime, u64 va, struct walk_access a,
                               struct walk_record *rec)
{
    struct regime_desc r;
    struct translation t;
    regime_describe(in->cpu, regime, &r);
    a.debug = 1;
    a.real_el = in->cpu->ps.el;
    rec->count = 0;
    walk(&r, va, a, rec, &t);
    return t;
}

static bool is_fetch(const struct rule_input *in) { return !strcmp(in->mode, "fetch"); }
static bool is_unprivileged(const struct rule_input *in) /* LDTR, STTR */
{
    return (in->insn & 0xffbffc00) == 0xf8000800 && !in->cpu->ps.uao;
}

/* A data access of the mmu classes, at this EL. */
static struct translation look_data(const struct rule_input *in, u64 va, bool write, bool unaligned,
                                    struct walk_record *rec)
{
    const struct cpu *cpu = in->cpu;
    bool el0 = cpu->ps.el == 0 || (is_unprivileged(in) && regime_of(cpu, 0) == regime_of(cpu, cpu->ps.el));
    struct walk_access a = {
        .read = !write, .write = write, .unaligned = unaligned, .el0 = el0, .pan = cpu->ps.pan && !el0
    };
    return look(in, regime_of(cpu, cpu->ps.el), va, a, rec);
}

/* AT S1E1RP, S1E1WP that PSTATE.PAN makes a fault, of v8.1 */
static bool is_at_with_pan(const struct rule_input *in)
{
    if (!is_mmu(in) || (in->insn & 0xffffffc0) != 0xd5087900 || !in->cpu->ps.pan || strcmp(in->set, "v81"))
        return false;
    struct walk_record rec;
    bool write = bit(in->insn, 5);
    struct walk_access a = { .read = !write, .write = write, .at = 1, .cm = 1, .pan = 1, .stage1_only = 1 };
    return look(in, regime_of(in->cpu, 0), in->cpu->x[in->insn & 31], a, &rec).fault.rule == RULE_PAN;
}

static bool is_at_el1_in_host(const struct rule_input *in)
{
    u64 hcr = in->cpu->sys.hcr_el2;
    bool host =
        bit(hcr, 27) && bit(hcr, 34) && bit(in->cpu->sys.scr_el3, 0) && feature_has(&in->cpu->features, FEAT_VHE);
    u32 op = in->insn & 0xffffffe0; /* AT S1E1R, S1E1W, S1E1RP, S1E1WP */
    return is_mmu(in) && strcmp(in->set, "v94") && in->cpu->ps.el >= 2 && host &&
           (op == 0xd5087800 || op == 0xd5087820 || op == 0xd5087900 || op == 0xd5087920);
}

/* An ordered load or store: bytes of it, and its address; 0: none. LDAR, STLR, LDLAR, STLLR; LDAPR; LDAPUR, STLUR;
 * LDIAPP, STILP; LDAPR and STLR with write-back. */
static unsigned ordered_access(const struct rule_input *in, u64 *va)
{
    u32 w = in->insn;
    unsigned n = w >> 5 & 31, size = 1u << (w >> 30), pair = bit(w, 30) ? 16 : 8;
    s64 imm9 = sext(bits(w, 20, 12), 9);
    const struct cpu *cpu = in->cpu;
    const struct {
        u32 mask, value;
        unsigned size;
        s64 offset;
    } rows[] = { { 0x3fbf7c00, 0x089f7c00, size, 0 },
                 { 0x3ffffc00, 0x38bfc000, size, 0 },
                 { 0x3f200c00, 0x19000000, size, imm9 },
                 { 0xbff0fc00 & ~0x1f0000u, 0x99400800, pair, 0 }, /* LDIAPP, post-indexed */
                 { 0xbff0fc00 & ~0x1f0000u, 0x99401800, pair, 0 },
                 { 0xbff0fc00 & ~0x1f0000u, 0x99000800, pair, -(s64)pair }, /* STILP, pre-indexed */
                 { 0xbff0fc00 & ~0x1f0000u, 0x99001800, pair, 0 },
                 { 0xbffffc00, 0x99c00800, size, 0 },
                 { 0xbffffc00, 0x99800800, size, -(s64)size } };
    for (unsigned k = 0; k < ARRAY_LEN(rows); k++)
        if ((w & rows[k].mask) == rows[k].value) {
            *va = (n < 31 ? cpu->x[n] : cpu->sp_el[cpu->ps.sp ? cpu->ps.el : 0]) + (u64)rows[k].offset;
            return rows[k].size;
        }
    return 0;
}

static bool is_normal_not_write_back(const struct translation *t)
{
    return t->ok && t->attrs.type == MEM_NORMAL && (t->attrs.inner != CACHE_WB || t->attrs.outer != CACHE_WB);
}

/* ... that is unaligned where FEAT_LSE2 may allow it, of memory that is not Write-Back */
static bool is_unaligned_ordered(const struct rule_input *in)
{
    u64 va = 0;
    unsigned size = ordered_access(in, &va);
    if (!is_mmu(in) || strcmp(in->set, "v94") || !size || !(va & (size - 1)))
        return false;
    bool store = !bit(in->insn, 22) && (in->insn & 0x3ffffc00) != 0x38bfc000;
    bool naa = bit(in->cpu->ps.el == 3 ? in->cpu->sys.sctlr_el3 : cpu_sctlr(in->cpu), SCTLR_nAA);
    struct walk_record rec;
    struct translation first = look_data(in, va, store, false, &rec),
                       last = look_data(in, va + size - 1, store, false, &rec);
    return ((va & 15) + size <= 16 || naa) && (is_normal_not_write_back(&first) || is_normal_not_write_back(&last));
}

/* Is the range of contiguous blocks that this last descriptor says larger than the input of its tables, and are the
 * address's bits in it not the descriptor's? {bits of a block, bits of its contiguous range} by level from 3 down. In
 * the upper half only: in the lower one the bits of the address that are too many are 0 as the descriptors' are. */
static bool is_small_leaf(const struct rule_input *in, enum regime regime, u64 va)
{
    static const u8 ranges[3][4][2] = { { { 12, 16 }, { 21, 25 }, { 30, 34 }, { 39, 43 } },
                                        { { 16, 21 }, { 29, 34 }, { 42, 46 } },
                                        { { 14, 21 }, { 25, 30 } } };
    static const u8 tg1[4] = { 0, 2, 0, 1 };
    const struct sysregs *s = &in->cpu->sys;
    u64 tcr = regime == REGIME_EL10 ? s->tcr_el1 : s->tcr_el2;
    unsigned granule = tg1[bits(tcr, 31, 30)], input = 64 - (unsigned)bits(tcr, 21, 16);
    if (!bit(va, 55) || regime == REGIME_EL2 || regime == REGIME_EL3)
        return false;
    struct walk_record rec;
    bool el0 = in->cpu->ps.el == 0, fetch = is_fetch(in), at = (in->insn & 0xfff8fc00) == 0xd5087800;
    struct walk_access a = { .fetch = fetch, .el0 = el0, .read = !fetch && !at, .pan = in->cpu->ps.pan && !el0 };
    bool ok = look(in, regime, va, a, &rec).ok;
    const struct walk_step *leaf = NULL;
    for (unsigned n = 0; n < rec.count; n++)
        leaf = rec.step[n].stage == 1 ? &rec.step[n] : leaf;
    if (!ok || !leaf || leaf->level < 0 || !bit(leaf->value, 52))
        return false;
    const u8 *range = ranges[granule][3 - leaf->level];
    return range[1] > input && bits(leaf->value ^ va, range[1] - 1u, range[0]);
}

static bool is_small_input(const struct rule_input *in)
{
    if (!is_mmu(in) || strcmp(in->set, "v94") || !in->contiguous)
        return false;
    bool at = (in->insn & 0xfff8fc00) == 0xd5087800;
    u64 va = is_fetch(in) ? in->cpu->pc : in->cpu->x[at ? in->insn & 31 : 1];
    unsigned el = in->cpu->ps.el;
    if (in->at_called) /* S1E1* are of EL2&0 in a host, as EL0 is */
        el = atcall_el(in->insn) == 2 ? 2 : 0;
    enum regime regime = regime_of(in->cpu, el);
    return is_small_leaf(in, regime, va) || is_small_leaf(in, regime, va + 63);
}

/* The loads and stores of the mmu classes, all at [X1]: bytes accessed. */
static unsigned access_size(u32 insn, bool *store)
{
    static const struct {
        u32 insn;
        u8 size, store;
    } rows[] = {
        { 0xf9000020, 8, 1 },  { 0xf8000820, 8, 1 },  { 0xb9000020, 4, 1 },  { 0x3d800020, 16, 1 },
        { 0xa9000c20, 16, 1 }, { 0x4c402c20, 64, 0 }, { 0x4c002c20, 64, 1 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (insn == rows[n].insn)
            return *store = rows[n].store, rows[n].size;
    return 0;
}
/* The first page permits the access and the second does not. */
static bool crosses_page(const struct rule_input *in, bool want_store)
{
    bool store = false;
    unsigned size = is_mmu(in) && !is_fetch(in) ? access_size(in->insn, &store) : 0;
    u64 va = in->cpu->x[1], next = (va | 4095) + 1;
    if (!size || store != want_store || (va & 4095) + size <= 4096)
        return false;
    struct walk_record rec;
    bool unaligned = va & ((size > 16 || (in->insn & 0x3a000000) == 0x28000000 ? 8 : size) - 1);
    return look_data(in, va, store, unaligned, &rec).ok && !look_data(in, next, store, unaligned, &rec).ok;
}
static bool is_store_across_pages(const struct rule_input *in) { return crosses_page(in, true); }
static bool is_load_multiple_across_pages(const struct rule_input *in) { return crosses_page(in, false); }

/* A table descriptor on the way, or the last one where it permits the access, has one of the bits that would be the
 * address's bits 51:48 if the output had 52 bits. */
static bool has_high_output(const struct rule_input *in, u64 va)
{
    struct walk_record rec;
    struct walk_access a = { .read = !is_fetch(in), .fetch = is_fetch(in) };
    bool ok = look(in, REGIME_EL2, va, a, &rec).ok;
    for (unsigned n = 0; n < rec.count; n++)
        if (bit(rec.step[n].value, 0) && bits(rec.step[n].value, 15, 12) && (ok || n + 1 < rec.count))
            return true;
    return false;
}

static bool is_reserved_size(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    bool at = (in->insn & 0xfff8fc00) == 0xd5087800, el2 = at ? (in->insn & 0x70000) == 0x40000 : cpu->ps.el == 2;
    u64 va = is_fetch(in) ? cpu->pc : cpu->x[at ? in->insn & 31 : 1];
    return is_mmu(in) && !feature_has(&cpu->features, FEAT_VHE) && el2 && bits(cpu->sys.tcr_el2, 18, 16) == 7 &&
           bits(cpu->sys.tcr_el2, 15, 14) != 1 && (has_high_output(in, va) || has_high_output(in, va + 63));
}

static bool is_v85(const struct rule_input *in) { return !strncmp(in->set, "v85", 3); }

/* LDTR, STTR above EL0 where E0PD closes the half of the address space that X1 is in. */
static bool is_unprivileged_under_e0pd(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    u64 tcr = cpu->ps.el == 2 ? cpu->sys.tcr_el2 : cpu->sys.tcr_el1;
    bool unprivileged = (in->insn & 0xffbffc00) == 0xf8000800 && cpu->ps.el && cpu->ps.el < 3 && !cpu->ps.uao;
    return is_mmu(in) && is_v85(in) && unprivileged && bit(tcr, bit(cpu->x[1], 55) ? 56 : 55);
}

/* STXR Ws, Xt, [X1] that is unaligned within 16 bytes */
static bool is_unaligned_stxr(const struct rule_input *in)
{
    bool within = in->cpu->x[1] & 7 && (in->cpu->x[1] & 15) <= 8;
    return is_mmu(in) && is_v85(in) && (in->insn & 0xffe0fc00) == 0xc8007c00 && within;
}

/* AT S12* under HCR_EL2.FWB where stage 1 says Device and MemAttr is 0b110 */
static bool is_forced_write_back(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    if (!is_mmu(in) || !is_v85(in) || (in->insn & 0xffffff80) != 0xd50c7880 || !bit(cpu->sys.hcr_el2, HCR_FWB))
        return false;
    struct walk_record rec;
    struct walk_access a = { .at = 1, .cm = 1 };
    enum regime regime = in->insn & 0x40 ? regime_of(cpu, 0) : REGIME_EL10;
    struct translation both = look(in, regime, cpu->x[in->insn & 31], a, &rec);
    u64 last = rec.count ? rec.step[rec.count - 1].value : 0;
    bool forced = both.ok && rec.count && rec.step[rec.count - 1].stage == 2 && bits(last, 4, 2) == 6;
    a.stage1_only = 1;
    return forced && look(in, regime, cpu->x[in->insn & 31], a, &rec).attrs.type != MEM_NORMAL;
}

/* AT S1* with HCR_EL2.{DC, DCT} */
static bool is_default_tagged(const struct rule_input *in)
{
    u64 hcr = in->cpu->sys.hcr_el2;
    bool at_s1 = (in->insn & 0xffffff00) == 0xd5087800 || (in->insn & 0xffffff00) == 0xd5087900;
    return is_v85(in) && at_s1 && bit(hcr, 12) && bit(hcr, 57) && feature_has(&in->cpu->features, FEAT_MTE2);
}

/* Hardware sets a flag in a descriptor of stage 2, whose endianness is not that of the EL */
static bool is_stage2_update_of_other_endianness(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    bool at = (in->insn & 0xfff8fc00) == 0xd5087800;
    if (!is_mmu(in) || !strcmp(in->set, "v94") || !bit(cpu->sys.vtcr_el2, 21) || (cpu->ps.el >= 2 && !at) ||
        !feature_has(&cpu->features, FEAT_HAFDBS))
        return false;
    u64 sctlr = cpu->ps.el == 3 ? cpu->sys.sctlr_el3 : cpu->ps.el == 2 ? cpu->sys.sctlr_el2 : cpu->sys.sctlr_el1;
    if (bit(sctlr, SCTLR_EE) == bit(cpu->sys.sctlr_el2, SCTLR_EE))
        return false;
    u64 va = is_fetch(in) ? cpu->pc : cpu->x[at ? in->insn & 31 : 1];
    for (u64 ahead = 0; ahead < 128; ahead += 64) {
        struct walk_record rec;
        look(in, REGIME_EL10, va + ahead - (ahead != 0), (struct walk_access){ .read = 1 }, &rec);
        for (unsigned n = 0; n < rec.count; n++) {
            u64 value = rec.step[n].value;
            bool leaf = rec.step[n].stage == 2 && bit(value, 0) && (rec.step[n].level == 3 || !bit(value, 1));
            if (leaf && (!bit(value, 10) || (bit(value, 51) && !bit(value, 7))))
                return true;
        }
    }
    return false;
}

/* LDXR Xt, [X1] where hardware sets access flags */
static bool is_unaligned_exclusive(const struct rule_input *in)
{
    const struct sysregs *s = &in->cpu->sys;
    bool ha = bit(s->tcr_el1, 39) || bit(s->tcr_el2, 39) || bit(s->tcr_el2, 21) || bit(s->tcr_el3, 21) ||
              bit(s->vtcr_el2, 21);
    struct walk_record rec;
    if (!is_mmu(in) || (in->insn & 0xfffffc00) != 0xc85f7c00 || !(in->cpu->x[1] & 7) || !ha ||
        !feature_has(&in->cpu->features, FEAT_HAFDBS))
        return false;
    look_data(in, in->cpu->x[1], false, false, &rec);
    for (unsigned n = 0; n < rec.count; n++)
        if (!bit(rec.step[n].value, 10) && (rec.step[n].level == 3 || !bit(rec.step[n].value, 1)))
            return true;
    return false;
}

const struct rule rules[RULE_COUNT_] = {
    { "mte-off", is_tag_instruction,
      "the v8.5 model executes tag loads and stores on a CPU without FEAT_MTE, where they are UNDEFINED (its README)" },
    { "absent-register", is_absent,
      "registers and system instructions of features or units that the CPU of the set lacks (AArch32, trace, RAS, later "
      "extensions): the v8.5 model has them in every set, here they are UNDEFINED" },
    { "absent-counter", is_absent_counter,
      "event counters beyond PMCR_EL0.N: UNDEFINED is the choice among the CONSTRAINED "
      "UNPREDICTABLE ones of D19.5.9" },
    { "absent-instruction", is_absent_instruction,
      "instructions of later features, which the model has in every set (its README)" },
    { "hint-unallocated", is_unallocated_hint,
      "the model throws for hints that it does not know; they execute as NOP (C6.2 HINT)" },
    { "debug-state-register", is_debug_state_register, "DSPSR_EL0, DLR_EL0: UNDEFINED in Non-debug state (D19.3)" },
    { "mvfr-fp-trap", is_fp_identification,
      "MVFR<n>_EL1 trapped by HCR_EL2.TID3: EC 0x18 (D19.2 HCR_EL2); the model says that it is an FP instruction, 0x07" },
    { "tge-debug", is_dcc_under_tge,
      "HCR_EL2.TGE acts as MDCR_EL2.TDA and TDE (D19.3.20), which the model misses (its README)" },
    { "daif-syndrome", is_daif_in_host,
      "DAIFSet and DAIFClr of a host's applications always trap to EL2 with EC 0x18 (AArch64.CheckDAIFAccess); the v8.x "
      "models report EC 0x00" },
    { "fp-tge", is_fp_under_tge,
      "FPCR and FPSR trapped by CPACR_EL1 under HCR_EL2.TGE: EC 0x00, not 0x07 (ESR_ELx, EC 0b000111)" },
    { "cntv-tval-el2", is_cntv_tval_at_el2,
      "the model with VHE has CNTV_TVAL_EL0 UNDEFINED at EL2 without E2H (D19.12)" },
    { "icc-sre-twice", is_icc_sre_closed_twice,
      "ICC_SRE_EL1 closed by ICC_SRE_EL2 and by ICC_SRE_EL3: EL2 comes first (GIC 12.2.22)" },
    { "icc-bpr1-sre", is_bpr1_without_sre,
      "ICC_BPR1_EL1 with ICC_SRE_EL1.SRE 0 is a trap to EL1 like its neighbours, not UNDEFINED" },
    { "nv-unallocated", is_nested_unallocated,
      "S2_4_*, S2_5_*, S3_4_*, S3_5_* that are no registers are UNDEFINED under HCR_EL2.NV too; the model makes them NOPs" },
    { "nv-elrsr", is_nested_elrsr, "the model misses that HCR_EL2.NV traps ICH_ELRSR_EL2" },
    { "nv-vsttbr", is_nested_vsttbr,
      "VSTTBR_EL2 is UNDEFINED in Non-secure state under HCR_EL2.NV too; the model executes it" },
    { "nv2-short", is_nested_short_store,
      "MSR of a register in VNCR_EL2's page: the doubleword is stored whole (D8.11.3); the v8.5 model stores 32 bits of those "
      "that had 32" },
    { "nv2-redirected", is_nested_redirection,
      "ESR_EL2, FAR_EL2, ELR_EL2, SPSR_EL2 and TFSR_EL2 under HCR_EL2.{NV,NV2} are EL1's registers whatever NV1 is (D8.11.2); "
      "the v8.5 model ignores NV2 with NV1 0" },
    { "ivac-tpc", is_ivac_under_tpc,
      "DC IVAC under HCR_EL2.TPC: the trap comes before the translation of its address (D1.3.5.5)" },
    { "double-lock", is_double_lock,
      "FEAT_DoubleLock is there (ID_AA64DFR0_EL1.DoubleLock), so that MDCR_ELx.TDOSA traps OSDLR_EL1 (D24.3); the set's "
      "CPU has neither" },
    { "tag-maintenance", is_tag_maintenance, "DC by tags, by set and way: UNDEFINED without FEAT_MTE" },
    { "xpac-trap", is_trapped_xpac,
      "the v8.5 model traps XPAC* by HCR_EL2.API and SCR_EL3.API; they are not among what these trap "
      "(D19.2 HCR_EL2, SCR_EL3; its README)" },
    { "sb-v85", is_sb_of_v85, "the v8.5 model has SB UNDEFINED (its README calls that doubtful); C6.2 SB" },
    { "exclusive-to-zero", is_store_exclusive_to_zero, "the model's monitor starts as if address 0 were marked" },
    { "exclusive-within-16", is_unaligned_store_exclusive,
      "the v8.5 model has an alignment fault for every unaligned store exclusive; "
      "with FEAT_LSE2 one within 16 bytes is made (B2.2.1.1, AArch64.ExclusiveMonitorsPass of later releases)" },
    { "mte-beta", is_beta_tag_instruction,
      "the v8.5 model is of a beta release: tag loads and stores have encodings that were not kept "
      "(STG 0x19..., LDGM in the system space) and offsets in bytes; v94 has the final ones" },
    { "irg-beta", is_irg_of_high_address,
      "IRG of an address with bit 55: the tag is the one that was chosen (C6.2 IRG, AddressWithAllocationTag); the beta model "
      "has it relative to that of a canonical address" },
    { "ssbs-immediate", is_ssbs_immediate, "MSR SSBS, #imm (FEAT_SSBS2; C6.2 MSR (immediate)): the v8.5 model lacks it" },
    { "ata-v85", is_tag_register,
      "the v8.5 model does not trap the tag registers by HCR_EL2.ATA and SCR_EL3.ATA (D19.2)" },
    { "tag-cache-v85", is_tag_cache_operation,
      "the v8.5 model has DC CG*VADP UNDEFINED and does not translate for DC by tags" },
    { "tag-zero-v85", is_tag_zeroing, "the v8.5 model says WnR 0 for DC GVA and GZVA" },
    { "cvadp-v85", is_cvadp, "the v8.5 model does not translate for DC CVADP" },
    { "tco-el0", is_tco_at_el0, "MSR TCO, #imm at EL0: UNDEFINED in the v8.5 model of MTE; C6.2 MSR (immediate)" },
    { "lor-secure", is_lor_in_secure_state,
      "the registers of limited ordering regions but LORID_EL1 are UNDEFINED in Secure state (D19.2, LORC_EL1); the v8.5 "
      "model has them there with SCR_EL3.EEL2" },
    { "vstcr-el3", is_secure_stage2_at_el3,
      "VSTCR_EL2 and VSTTBR_EL2 at EL3 are UNDEFINED while SCR_EL3.EEL2 is 0 (D19.2), which the v8.5 model misses" },
    { "irq-el3-eel2", is_taken_at_el3,
      "at EL3 an unmasked interrupt that SCR_EL3 routes there is taken (D1.3.6.2, AArch64.PhysicalIRQTarget of later "
      "releases); the v8.5 model leaves it pending with SCR_EL3.EEL2 and HCR_EL2.xMO 0" },
    { "serror-nmea", is_serror_after_interrupt,
      "an SError beside another interrupt: the implicit error synchronization event at the entry follows SCTLR_ELx.IESB of the "
      "EL that is entered, and SCR_EL3.{EA,NMEA} at EL3 (AArch64.TakeException); the v8.5 model has the EL that is left" },
    { "store-across-granules", is_checked_store_pair,
      "a pair stored across two tag granules: both are checked before a byte is "
      "written, the model writes the first granule's bytes" },
    { "wfi-virtual-el2", waits_above_virtual,
      "at EL2 and EL3, with TGE and in Secure state the model's WFI and WFE do not wait while "
      "HCR_EL2.{VI,VF,VSE} is set: a virtual interrupt is pending for "
      "EL1 and EL0 only (D1.6.2); not waiting is allowed too" },
    { "fjcvtzs-flushed", is_fjcvtzs_of_flushed,
      "FJCVTZS of a positive denormal that FPCR.FZ flushes: the v8.5 model sets PSTATE.Z, "
      "which later pseudocode clears (J1, FPToFixedJS: the operand itself was not zero)" },
    { "rndr", is_random_number,
      "RNDR and RNDRRS read random numbers and set NZCV (D19.2); the model reads what is stored" },
    { "ttrf-el3", is_trace_filter, "the v8.5 model does not trap TRFCR_ELx by MDCR_EL3.TTRF (D19.2)" },
    { "wfxt-timed-out", is_wait_timed_out,
      "WFET and WFIT until a time that has come: they do not wait, and do not trap (C6.2); in the model it never comes" },
    { "ordered-unaligned", is_unaligned_ordered,
      "ordered accesses unaligned within 16 bytes of memory that is not Write-Back: either way is "
      "allowed (B2.2.1); the model faults, here they are made" },
    { "contiguous-small", is_small_input,
      "the contiguous bit in tables with fewer bits of address than the contiguous range: the model takes the range for "
      "the size of the block (its README); either is allowed (D8.7.1)" },
    { "at-pan", is_at_with_pan,
      "AT S1E1RP and WP are of v8.2 (FEAT_PAN2); the model executes them in v81 too, but without a look at PSTATE.PAN" },
    { "at-host", is_at_el1_in_host,
      "AT S1E1* at EL2 and EL3 under HCR_EL2.{E2H,TGE}: EL2&0 translates (C5.5), as the v9.4 model "
      "does; the v8.x ones have EL1&0" },
    { "store-across-pages", is_store_across_pages,
      "a store that crosses a page: both pages are checked before a byte is written, the "
      "model writes the first page's bytes" },
    { "load-across-pages", is_load_multiple_across_pages,
      "multiple-structure loads across a page: no register changes when the second "
      "page faults, the model has written some" },
    { "reserved-ps", is_reserved_size,
      "TCR_EL2.PS is reserved, where the model of v80 has 52 bits even for 16K granules" },
    { "e0pd-unprivileged", is_unprivileged_under_e0pd,
      "LDTR and STTR above EL0 are unprivileged accesses, which TCR_ELx.E0PDn closes, "
      "as in the v9.4 model; the v8.5 model exempts them" },
    { "stxr-lse2", is_unaligned_stxr,
      "STXR unaligned within 16 bytes: allowed with FEAT_LSE2 (B2.2.1); the v8.5 model faults" },
    { "fwb-device", is_forced_write_back,
      "PAR_EL1 under HCR_EL2.FWB: MemAttr 0b110 makes Device memory of stage 1 Normal Write-Back "
      "(D8.6.6), as in the v9.4 model; the v8.5 model keeps Device" },
    { "default-tagged", is_default_tagged,
      "PAR_EL1 under HCR_EL2.{DC, DCT}: Tagged (D19.2 HCR_EL2.DCT); the v8.5 model keeps Write-Back" },
    { "stage2-endian", is_stage2_update_of_other_endianness,
      "hardware flags of stage 2 descriptors are written in their own endianness, SCTLR_EL2.EE (D8.4.6); the v8.5 model writes "
      "them in that of the access's EL" },
    { "exclusive-unaligned", is_unaligned_exclusive,
      "unaligned LDXR with hardware access flags: the model translates for its monitor "
      "and sets the flag before the alignment fault" },
    { 0 },
};

unsigned rule_leaves(int rule)
{
    static const struct {
        bool (*applies)(const struct rule_input *in);
        u8 leaves;
    } parts[] = {
        { is_checked_store_pair, LEAVES_MEMORY },
        { is_store_across_pages, LEAVES_MEMORY },
        { is_unaligned_exclusive, LEAVES_MEMORY },
        { is_load_multiple_across_pages, LEAVES_VECTORS },
        { is_forced_write_back, LEAVES_ATTR },
        { is_default_tagged, LEAVES_ATTR },
        { is_tag_zeroing, LEAVES_WNR },
        { is_daif_in_host, LEAVES_SYNDROME },
    };
    for (unsigned n = 0; n < ARRAY_LEN(parts); n++)
        if (parts[n].applies == rules[rule].applies)
            return parts[n].leaves;
    return 0;
}

int rule_find(const struct rule_input *in)
{
    int part = -1;
    for (int n = 0; n < RULE_COUNT_ && rules[n].name; n++) {
        if ((part >= 0 && rule_leaves(n)) || !rules[n].applies(in))
            continue;
        if (!rule_leaves(n))
            return n;
        part = n;
    }
    return part;
}
