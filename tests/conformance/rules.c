/* The rules of the vector runner (rules.h). A row a rule. */
#include "tests/conformance/rules.h"

#include "cpu/exception.h"
#include "cpu/sysop.h"
#include "cpu/sysreg.h"
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
static bool is_random_number(const struct rule_input *in) { return (in->insn & 0xffffffc0) == 0xd53b2400; }

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

/* Of the model's own list of registers. The -any classes try all encodings, and count but where they hit one of these.
 */
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

static bool is_absent_instruction(const struct rule_input *in)
{
    static const char *const later[] = { "IRG", "LDG", "STG", "RNDR_MRS" };
    for (unsigned n = 0; n < ARRAY_LEN(later); n++)
        if (!strcmp(in->class_, "sysinsn") && !strcmp(in->name, later[n]))
            return true;
    return false;
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
    return waits && no_guest && cpu->sys.hcr_el2 & 0x1c0;
}

/* DSPSR_EL0 and DLR_EL0. */
static bool is_debug_state_register(const struct rule_input *in)
{
    return is_access(in) && key_of(in) >> 14 == 3 && (key_of(in) >> 3 & 0x7ff) == (3 << 8 | 4 << 4 | 5);
}

/* MVFRn_EL1 at an EL at which FP instructions are trapped */
static bool is_fp_identification(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    const struct sysregs *s = &cpu->sys;
    unsigned el = cpu->ps.el;
    bool e2h = bit(s->hcr_el2, 34) && feature_has(&cpu->features, FEAT_VHE), el2 = el < 3 && cpu_el2_enabled(cpu);
    bool trapped = (el == 1 && !bit(s->cpacr_el1, 20)) || bit(s->cptr_el3, 10) ||
                   (el2 && (e2h ? !bit(s->cptr_el2, 20) : bit(s->cptr_el2, 10)));
    return is_access(in) && key_of(in) >> 3 == (3 << 11 | 3) && trapped;
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
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        if (!strcmp(in->set, "v85mte") && !strncmp(in->name, "integer_tags_", 13) && strstr(in->name, names[n]))
            return true;
    return false;
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

/* A pending SError that EL3 takes whatever PSTATE.A says (SCR_EL3.{EA,NMEA}), beside another interrupt */
static bool is_serror_after_interrupt(const struct rule_input *in)
{
    u64 scr = in->cpu->sys.scr_el3;
    bool other = strstr(in->name, "irq=1") || strstr(in->name, "fiq=1");
    return !strcmp(in->class_, "irq") && strstr(in->name, "se=1") && other && bit(scr, 3) && bit(scr, 20);
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

/* MSR DAIFSet, DAIFClr. */
static bool is_daif_in_host(const struct rule_input *in)
{
    return (in->insn & 0xfffff0df) == 0xd50340df && host0(in->cpu);
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

/* ---- translation ---- */

static bool is_mmu(const struct rule_input *in) { return !strncmp(in->class_, "mmu", 3); }

/* AT S1E1RP, S1E1WP with PSTATE.PAN set, of v8.1 */
static bool is_at_with_pan(const struct rule_input *in)
{
    return is_mmu(in) && (in->insn & 0xffffffc0) == 0xd5087900 && in->cpu->ps.pan && !strcmp(in->set, "v81");
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

/* May memory be other than Write-Back? By SCTLR_ELx.C, a second stage, or the MAIR bytes of the leaf descriptors. */
static bool is_maybe_not_write_back(const struct rule_input *in)
{
    const struct sysregs *s = &in->cpu->sys;
    unsigned el = in->cpu->ps.el;
    bool el2 = el == 2 || (el < 2 && bit(s->hcr_el2, 34) && bit(s->hcr_el2, 27));
    u64 sctlr = el == 3 ? s->sctlr_el3 : el2 ? s->sctlr_el2 : s->sctlr_el1;
    u64 mairs = el == 3 ? s->mair_el3 : el2 ? s->mair_el2 : s->mair_el1;
    bool found = (el < 2 && bit(s->hcr_el2, 0)) || !bit(sctlr, 2);
    for (unsigned n = 0; n < 8; n++) {
        unsigned mair = mairs >> n * 8 & 0xff;
        bool write_back = mair == 0xf0 || ((mair & 0x44) == 0x44 && mair >> 4 != 4 && (mair & 15) != 4);
        found |= in->attrs >> n & 1 && !write_back;
    }
    return found;
}

/* LDAR, LDAPUR, STLR of 8 bytes at [X1], unaligned where FEAT_LSE2 may allow it. */
static bool is_unaligned_ordered(const struct rule_input *in)
{
    bool ordered = (in->insn & 0xffbffc00) == 0xc89ffc00 || (in->insn & 0xfffffc00) == 0xd9400000;
    const struct sysregs *s = &in->cpu->sys;
    bool within = (in->cpu->x[1] & 15) <= 8, naa = bit(s->sctlr_el1 | s->sctlr_el2 | s->sctlr_el3, 6);
    return is_mmu(in) && !strcmp(in->set, "v94") && ordered && in->cpu->x[1] & 7 && (within || naa) &&
           is_maybe_not_write_back(in);
}

/* The contiguous bit in tables of so few bits of address that the range of blocks it makes is larger: {bits of a block,
 * bits of its contiguous range} for each level. In the upper half only: in the lower one the bits of the address that
 * are too many are 0, as those of the descriptors. */
static bool is_small_input(const struct rule_input *in)
{
    static const u8 ranges[3][4][2] = { { { 12, 16 }, { 21, 25 }, { 30, 34 }, { 39, 43 } },
                                        { { 16, 21 }, { 29, 34 }, { 42, 46 } },
                                        { { 14, 21 }, { 25, 30 } } };
    const struct sysregs *s = &in->cpu->sys;
    unsigned el = in->at_called ? atcall_el(in->insn) : in->cpu->ps.el;
    bool host = el < 2 && bit(s->hcr_el2, 34) && bit(s->hcr_el2, 27), two = el < 2 || bit(s->hcr_el2, 34);
    u64 tcr = el == 3 ? s->tcr_el3 : el == 2 || host ? s->tcr_el2 : s->tcr_el1;
    bool high = el < 3 && two && bit(in->cpu->x[1], 55);
    static const u8 tg1[4] = { 0, 2, 0, 1 };
    unsigned granule = high ? tg1[bits(tcr, 31, 30)] : (unsigned)bits(tcr, 15, 14) % 3;
    unsigned input = 64 - (unsigned)(high ? bits(tcr, 21, 16) : bits(tcr, 5, 0));
    bool small = false;
    for (unsigned n = 0; n < 4; n++)
        small |= ranges[granule][n][0] < input && input < ranges[granule][n][1];
    return is_mmu(in) && !strcmp(in->set, "v94") && in->contiguous && high && small;
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
static bool crosses_page(const struct rule_input *in, bool want_store)
{
    bool store = false;
    unsigned size = is_mmu(in) && strcmp(in->mode, "fetch") ? access_size(in->insn, &store) : 0;
    return size && store == want_store && (in->cpu->x[1] & 4095) + size > 4096;
}
static bool is_store_across_pages(const struct rule_input *in) { return crosses_page(in, true); }
static bool is_load_multiple_across_pages(const struct rule_input *in) { return crosses_page(in, false); }

static bool is_reserved_size(const struct rule_input *in)
{
    const struct cpu *cpu = in->cpu;
    bool el2 = cpu->ps.el == 2 || (in->insn & 0xfffff000) == 0xd50c7000;
    return is_mmu(in) && !feature_has(&cpu->features, FEAT_VHE) && el2 && bits(cpu->sys.tcr_el2, 18, 16) == 7 &&
           bits(cpu->sys.tcr_el2, 15, 14) != 1;
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

static bool is_forced_write_back(const struct rule_input *in)
{
    u32 op = in->insn & 0xffffff80; /* AT S12* */
    return is_mmu(in) && is_v85(in) && op == 0xd50c7880 && bit(in->cpu->sys.hcr_el2, 46) &&
           !bit(in->cpu->sys.hcr_el2, 12);
}

/* AT S1* with HCR_EL2.{DC, DCT} */
static bool is_default_tagged(const struct rule_input *in)
{
    u64 hcr = in->cpu->sys.hcr_el2;
    bool at_s1 = (in->insn & 0xffffff00) == 0xd5087800 || (in->insn & 0xffffff00) == 0xd5087900;
    return is_v85(in) && at_s1 && bit(hcr, 12) && bit(hcr, 57) && feature_has(&in->cpu->features, FEAT_MTE2);
}

/* LDXR Xt, [X1] where hardware sets access flags */
static bool is_unaligned_exclusive(const struct rule_input *in)
{
    const struct sysregs *s = &in->cpu->sys;
    bool ha = bit(s->tcr_el1, 39) || bit(s->tcr_el2, 39) || bit(s->tcr_el2, 21) || bit(s->tcr_el3, 21) ||
              bit(s->vtcr_el2, 21);
    return is_mmu(in) && (in->insn & 0xfffffc00) == 0xc85f7c00 && in->cpu->x[1] & 7 && ha &&
           feature_has(&in->cpu->features, FEAT_HAFDBS);
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
      "the model traps MVFR<n>_EL1 like an FP instruction; D19.2 has HCR_EL2.TID3 only" },
    { "tge-debug", is_dcc_under_tge,
      "HCR_EL2.TGE acts as MDCR_EL2.TDA and TDE (D19.3.20), which the model misses (its README)" },
    { "daif-host", is_daif_in_host,
      "DAIFSet and DAIFClr of a host's applications: the model says UNDEFINED; SCTLR_EL2.UMA "
      "traps with EC 0x18 (D19.2 SCTLR_EL2, AArch64.CheckDAIFAccess)" },
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
    { "ivac-tpc", is_ivac_under_tpc,
      "DC IVAC under HCR_EL2.TPC: the trap comes before the translation of its address (D1.3.5.5)" },
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
      "an SError beside another interrupt with SCR_EL3.{EA,NMEA} = {1,1}: the implicit error synchronization event at the "
      "entry to EL3 takes it at once (AArch64.TakeException); the v8.5 model stops after the first" },
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
