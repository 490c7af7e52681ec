/*
 * Registers for debuggers: values, and the target description that names them (gdb manual, appendix G "Target
 * Descriptions", features org.gnu.gdb.aarch64.core, fpu, pauth_v2; system registers in QEMU's
 * org.qemu.gdb.arm.sys.regs, all of them from the rows of cpu/sysreg/sysreg_all.def).
 */
#include "debug/regs.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "cpu/sysreg/sysreg.h"
#include "mmu/context.h"

#include <stdio.h>
#include <strings.h>

/* ---- fields ---- */

struct reg_field {
    const char *layout, *name, *values;
    u8 hi, lo;
    s8 at; /* the bit of an address that lo is; -1: no part of an address */
};
static const struct reg_field fields[] = {
#define FIELD(layout, name, hi, lo)              { #layout, #name, NULL, hi, lo, -1 },
#define FIELD_ENUM(layout, name, hi, lo, values) { #layout, #name, #values, hi, lo, -1 },
#define FIELD_ADDR(layout, name, hi, lo, at)     { #layout, #name, NULL, hi, lo, at },
#include "cpu/field.def"
#define FGT_ROW(dir, id, reg, field, at, FEATURE, EC) { #reg, field, NULL, at, at, -1 },
#include "cpu/sysreg/fgt.def"
};
enum { UNCONDITIONAL = 64 };
static const struct {
    const char *reg, *layout;
    u8 at, value; /* bit `at` of the register has the value; UNCONDITIONAL: whatever it holds */
} layouts[] = {
#define HAS(reg, layout)               { #reg, #layout, UNCONDITIONAL, 0 },
#define HAS_IF(reg, layout, at, value) { #reg, #layout, at, value },
#include "cpu/field.def"
};
static const struct {
    const char *reg, *type;
} addresses[] = {
#define ADDRESS(reg, kind) { #reg, #kind "_ptr" },
#include "cpu/field.def"
};
static const struct {
    const char *values, *name;
    u64 value;
} values[] = {
#define VALUE(values, value, name) { #values, #name, value },
#include "cpu/field.def"
};

static const char *layout_of(const char *reg, u64 value)
{
    for (unsigned n = 0; n < ARRAY_LEN(layouts); n++)
        if (!strcasecmp(layouts[n].reg, reg) &&
            (layouts[n].at == UNCONDITIONAL || bit(value, layouts[n].at) == layouts[n].value))
            return layouts[n].layout;
    return NULL;
}

static const char *value_name(const char *list, u64 value)
{
    for (unsigned n = 0; list && n < ARRAY_LEN(values); n++)
        if (!strcmp(values[n].values, list) && values[n].value == value)
            return values[n].name;
    return NULL;
}

/* all: as NAME=VALUE, whatever it is; else a bit that is set is its name, and a zero without a name is left out. */
static bool field_print(const struct reg_field *f, u64 value, bool all, const char *space, struct text *out)
{
    u64 v = bits(value, f->hi, f->lo);
    const char *word = value_name(f->values, v);
    if (!all && !v && !word)
        return false;
    text_add(out, "%s%s", space, f->name);
    if (word)
        text_add(out, "=%s", word);
    else if (f->hi != f->lo)
        text_add(out, "=0x%llx", (unsigned long long)(f->at < 0 ? v : v << f->at));
    else if (all)
        text_add(out, "=%u", (unsigned)v);
    return true;
}

static void fields_print(const char *name, u64 value, bool all, struct text *out)
{
    const char *layout = layout_of(name, value), *space = "";
    for (unsigned n = 0; layout && n < ARRAY_LEN(fields); n++)
        if (!strcmp(fields[n].layout, layout) && field_print(&fields[n], value, all, space, out))
            space = " ";
}

void regs_fields(const char *name, u64 value, struct text *out) { fields_print(name, value, false, out); }
void regs_fields_all(const char *name, u64 value, struct text *out) { fields_print(name, value, true, out); }

int regs_class(const char *word)
{
    size_t length = strlen(word);
    for (unsigned n = 0; n < ARRAY_LEN(values); n++) {
        if (strcmp(values[n].values, "EC") || strncasecmp(values[n].name, word, length))
            continue;
        const char *rest = values[n].name + length;
        if (!*rest || !strcmp(rest, "64") || !strcmp(rest, "_LOWER"))
            return (int)values[n].value;
    }
    return -1;
}

/* ---- values ---- */

/* Bits of a pointer that a signature takes (D8.9.2): user and kernel half, data and code. */
static u64 pauth_mask(const struct cpu *cpu, unsigned n)
{
    struct regime_desc r;
    regime_describe(cpu, regime_of(cpu, cpu->ps.el), &r);
    bool high = n >= 2, code = n & 1, two = r.regime == REGIME_EL10 || r.regime == REGIME_EL20;
    u64 va = high ? ~(u64)0 : 0;
    if (!r.stage1 || (high && !two))
        return high ? 0 : bits(~(u64)0, 54, 48) << 48;
    unsigned size = (unsigned)(high ? FIELD_OF(r.tcr, TCR_EL1_T1SZ) : FIELD_OF(r.tcr, TCR_EL1_T0SZ));
    unsigned low = size > 16 && size < 40 ? 64 - size : 48, top = walk_addr_top(r.regime, r.tcr, true, va, code);
    return (ones(55) & ~ones(low)) | (top == 63 ? 0xffull << 56 : 0);
}

static const struct sysreg *system_row(const struct cpu *cpu, unsigned n)
{
    const struct sysreg *row = n >= REG_SYS ? sysreg_get(n - REG_SYS) : NULL;
    return row && (row->access & 15) < 4 && cpu_has(cpu, (enum feature)row->feature) ? row : NULL;
}

const struct sysreg *regs_row(const struct cpu *cpu, unsigned n)
{
    if (n == REG_FPSR || n == REG_FPCR)
        return sysreg_find(SYSREG_KEY(3u, 3u, 4u, 4u, n == REG_FPSR ? 1u : 0u));
    return system_row(cpu, n);
}

static unsigned put(u8 *out, u64 value, unsigned size)
{
    memcpy(out, &value, size);
    return size;
}

unsigned regs_read(struct cpu *cpu, unsigned n, u8 out[16])
{
    if (n < 31)
        return put(out, cpu->x[n], 8);
    if (n >= REG_V0 && n < REG_V0 + 32) {
        memcpy(out, &cpu->v[n - REG_V0], 16);
        return 16;
    }
    if (n >= REG_PAUTH && n < REG_PAUTH + 4)
        return put(out, pauth_mask(cpu, n - REG_PAUTH), 8);
    switch (n) {
    case 31: return put(out, cpu->x[REG_SP], 8);
    case REG_PC_NUM: return put(out, cpu->pc, 8);
    case REG_CPSR: return put(out, cpu_spsr(cpu), 4);
    case REG_FPSR: return put(out, cpu->fpsr, 4);
    case REG_FPCR: return put(out, cpu->fpcr, 4);
    default: break;
    }
    const struct sysreg *row = system_row(cpu, n);
    return row ? put(out, sysreg_peek(cpu, row), 8) : 0;
}

static bool el_is_there(const struct cpu *cpu, unsigned el)
{
    return el <= 1 || (el == 2 ? cpu_has(cpu, FEAT_EL2) && cpu_el2_enabled(cpu) : cpu_has(cpu, FEAT_EL3));
}

/* PSTATE as SPSR holds it. An EL that is not there is refused. */
static bool cpsr_write(struct cpu *cpu, u64 v)
{
    unsigned el = (unsigned)bits(v, 3, 2), sp = (unsigned)bit(v, 0);
    if (bit(v, 4) || bit(v, 1) || (el == 0 && sp) || !el_is_there(cpu, el))
        return false;
    cpu_set_nzcv(cpu, (u32)bits(v, 31, 28));
    cpu->ps.pan = cpu_has(cpu, FEAT_PAN) && bit(v, 22);
    cpu->ps.il = bit(v, 20);
    cpu->ps.ss = bit(v, 21);
    cpu_set_el_sp(cpu, el, sp);
    cpu_set_daif(cpu, (unsigned)bits(v, 9, 6));
    cpu_control_changed(cpu);
    cpu->fetch_valid = 0;
    cpu->d.attention |= ATT_IRQ;
    return true;
}

/* As MSR would, without its checks; bits that MSR cannot change stay. */
static bool system_write(struct cpu *cpu, const struct sysreg *row, u64 value)
{
    if (row->flags & SR_READ_EFFECT)
        return false;
    if (row->offset >= 0)
        sysreg_note(cpu, row);
    if (row->write && row->access >> 4 < 4) {
        row->write(cpu, row, value);
    } else if (row->offset >= 0) {
        u64 mask = row->access >> 4 < 4 ? sysreg_writable(cpu, row) : 0, *field = sysreg_field(cpu, row);
        if (!mask && *field != value)
            return false;
        *field = (*field & ~mask) | (value & mask);
    } else {
        return false;
    }
    cpu_control_changed(cpu);
    cpu->d.attention |= ATT_IRQ;
    return true;
}

bool regs_write(struct cpu *cpu, unsigned n, const u8 *bytes, unsigned size)
{
    u8 old[16];
    u64 v = 0;
    if (size > 16 || size != regs_read(cpu, n, old))
        return false;
    memcpy(&v, bytes, size < 8 ? size : 8);
    if (n < 31) {
        cpu->x[n] = v;
    } else if (n >= REG_V0 && n < REG_V0 + 32) {
        memcpy(&cpu->v[n - REG_V0], bytes, 16);
    } else if (n == 31) {
        cpu->x[REG_SP] = v;
    } else if (n == REG_PC_NUM) {
        cpu->fetch_valid = cpu->fetch_valid && v == cpu->pc;
        cpu->pc = v;
    } else if (n == REG_CPSR) {
        return memcmp(old, bytes, size) ? cpsr_write(cpu, v) : true;
    } else {
        const struct sysreg *row = regs_row(cpu, n);
        return row && system_write(cpu, row, v);
    }
    return true;
}

/* ---- target.xml ---- */

static void xml_core(struct text *t)
{
    text_add(t, "<feature name=\"org.gnu.gdb.aarch64.core\">\n");
    for (unsigned n = 0; n < 31; n++)
        text_add(t, "<reg name=\"x%u\" bitsize=\"64\"%s/>\n", n, n ? "" : " regnum=\"0\"");
    text_add(
        t, "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>\n<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>\n"
           "<flags id=\"cpsr_flags\" size=\"4\">\n"
           "<field name=\"SP\" start=\"0\" end=\"0\"/><field name=\"EL\" start=\"2\" end=\"3\"/>"
           "<field name=\"nRW\" start=\"4\" end=\"4\"/><field name=\"F\" start=\"6\" end=\"6\"/>"
           "<field name=\"I\" start=\"7\" end=\"7\"/><field name=\"A\" start=\"8\" end=\"8\"/>"
           "<field name=\"D\" start=\"9\" end=\"9\"/><field name=\"BTYPE\" start=\"10\" end=\"11\"/>"
           "<field name=\"SSBS\" start=\"12\" end=\"12\"/><field name=\"IL\" start=\"20\" end=\"20\"/>"
           "<field name=\"SS\" start=\"21\" end=\"21\"/><field name=\"PAN\" start=\"22\" end=\"22\"/>"
           "<field name=\"UAO\" start=\"23\" end=\"23\"/><field name=\"DIT\" start=\"24\" end=\"24\"/>"
           "<field name=\"TCO\" start=\"25\" end=\"25\"/><field name=\"V\" start=\"28\" end=\"28\"/>"
           "<field name=\"C\" start=\"29\" end=\"29\"/><field name=\"Z\" start=\"30\" end=\"30\"/>"
           "<field name=\"N\" start=\"31\" end=\"31\"/>\n</flags>\n"
           "<reg name=\"cpsr\" bitsize=\"32\" type=\"cpsr_flags\"/>\n</feature>\n");
}

static void xml_fpu(struct text *t)
{
    static const struct {
        const char *id, *type;
        unsigned count;
    } vectors[] = { { "v2d", "ieee_double", 2 }, { "v2u", "uint64", 2 }, { "v4f", "ieee_single", 4 },
                    { "v4u", "uint32", 4 },      { "v8u", "uint16", 8 }, { "v16u", "uint8", 16 } };
    text_add(t, "<feature name=\"org.gnu.gdb.aarch64.fpu\">\n");
    for (unsigned n = 0; n < ARRAY_LEN(vectors); n++)
        text_add(t, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vectors[n].id, vectors[n].type, vectors[n].count);
    text_add(
        t,
        "<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/><field name=\"u\" type=\"v2u\"/></union>\n"
        "<union id=\"vns\"><field name=\"f\" type=\"v4f\"/><field name=\"u\" type=\"v4u\"/></union>\n"
        "<union id=\"vnh\"><field name=\"u\" type=\"v8u\"/></union>\n<union id=\"vnb\"><field name=\"u\" type=\"v16u\"/></union>\n"
        "<vector id=\"vnq\" type=\"uint128\" count=\"1\"/>\n"
        "<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/><field name=\"s\" type=\"vns\"/><field name=\"h\" type=\"vnh\"/>"
        "<field name=\"b\" type=\"vnb\"/><field name=\"q\" type=\"vnq\"/></union>\n");
    for (unsigned n = 0; n < 32; n++)
        text_add(t, "<reg name=\"v%u\" bitsize=\"128\" type=\"aarch64v\"/>\n", n);
    text_add(t, "<reg name=\"fpsr\" bitsize=\"32\"/>\n<reg name=\"fpcr\" bitsize=\"32\"/>\n</feature>\n");
}

static void xml_enums(struct text *t)
{
    for (unsigned n = 0; n < ARRAY_LEN(values); n++) {
        if (n == 0 || strcmp(values[n].values, values[n - 1].values))
            text_add(t, "%s<enum id=\"%s_enum\" size=\"8\">\n", n ? "</enum>\n" : "", values[n].values);
        text_add(t, "<evalue name=\"%s\" value=\"%llu\"/>\n", values[n].name, (unsigned long long)values[n].value);
    }
    text_add(t, "</enum>\n");
}

static void xml_layouts(struct text *t)
{
    for (unsigned n = 0; n < ARRAY_LEN(fields); n++) {
        const struct reg_field *f = &fields[n];
        if (n == 0 || strcmp(f->layout, fields[n - 1].layout))
            text_add(t, "%s<flags id=\"%s_flags\" size=\"8\">\n", n ? "</flags>\n" : "", f->layout);
        unsigned below =
            f->at > 0 && f->at <= f->lo ? (unsigned)f->at : 0; /* gdb shifts nothing: an address from its bit 0 on */
        text_add(t, "<field name=\"%s\" start=\"%u\" end=\"%u\"", f->name, f->lo - below, f->hi);
        if (f->values)
            text_add(t, " type=\"%s_enum\"", f->values);
        text_add(t, "/>\n");
    }
    text_add(t, "</flags>\n");
}

/* False: a number. One whose layout follows from its value has no type, either. */
static bool type_of(const char *reg, char *type, size_t size)
{
    for (unsigned n = 0; n < ARRAY_LEN(addresses); n++)
        if (!strcmp(addresses[n].reg, reg))
            return snprintf(type, size, "%s", addresses[n].type) > 0;
    for (unsigned n = 0; n < ARRAY_LEN(layouts); n++)
        if (!strcasecmp(layouts[n].reg, reg) && layouts[n].at == UNCONDITIONAL)
            return snprintf(type, size, "%s_flags", layouts[n].layout) > 0;
    return false;
}

static void xml_system(const struct cpu *cpu, struct text *t)
{
    text_add(t, "<feature name=\"org.qemu.gdb.arm.sys.regs\">\n");
    xml_enums(t);
    xml_layouts(t);
    for (unsigned n = 0; sysreg_get(n); n++) {
        const struct sysreg *row = system_row(cpu, n + REG_SYS);
        if (!row)
            continue;
        char type[48];
        text_add(t, "<reg name=\"%s\" bitsize=\"64\" regnum=\"%u\" save-restore=\"no\" group=\"cp_regs\"", row->name,
                 n + REG_SYS);
        if (type_of(row->name, type, sizeof(type)))
            text_add(t, " type=\"%s\"", type);
        text_add(t, "/>\n");
    }
    text_add(t, "</feature>\n");
}

/* A feature by its name: it may not be there in this build. */
static bool has_pauth(const struct cpu *cpu)
{
    for (unsigned n = 0; feature_name(n); n++)
        if (!strcmp(feature_name(n), "pauth"))
            return cpu_has(cpu, (enum feature)n);
    return false;
}

void regs_xml(const struct cpu *cpu, struct text *t)
{
    text_add(t, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
                "<architecture>aarch64</architecture>\n");
    xml_core(t);
    xml_fpu(t);
    if (has_pauth(cpu))
        text_add(t,
                 "<feature name=\"org.gnu.gdb.aarch64.pauth_v2\">\n"
                 "<reg name=\"pauth_dmask\" bitsize=\"64\" regnum=\"%u\" save-restore=\"no\"/>\n"
                 "<reg name=\"pauth_cmask\" bitsize=\"64\" regnum=\"%u\" save-restore=\"no\"/>\n"
                 "<reg name=\"pauth_dmask_high\" bitsize=\"64\" regnum=\"%u\" save-restore=\"no\"/>\n"
                 "<reg name=\"pauth_cmask_high\" bitsize=\"64\" regnum=\"%u\" save-restore=\"no\"/>\n</feature>\n",
                 REG_PAUTH, REG_PAUTH + 1, REG_PAUTH + 2, REG_PAUTH + 3);
    xml_system(cpu, t);
    text_add(t, "</target>\n");
}
