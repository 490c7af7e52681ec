/* CPU models and features from the command line (cpu/model.h). */
#include "cpu/model.h"

#include "lib/nearest.h"

#include <stdio.h>

static const struct {
    const char *name;
    s32 offset; /* of the ID register in struct sysregs */
    u8 lsb, value;
    u16 requires;
} feature_rows[] = {
#define none midr_el1
#define FEATURE(id, name, reg, lsb, value, requires)                                                                   \
    { name, offsetof(struct sysregs, reg), lsb, value, FEAT_##requires },
#include "cpu/feature.def"
#undef none
};

enum { AS_ID, ALL };
static const struct {
    const char *name, *compatible;
    unsigned features;
} models[] = {
#define MODEL(id, name, compatible, features) { name, compatible, features },
#include "cpu/model.def"
};

enum {
#define MODEL(id, ...) MODEL_##id,
#include "cpu/model.def"
};

static const struct {
    u32 model, offset;
    u64 value;
} constants[] = {
#define MODEL_REG(id, field, value) { MODEL_##id, offsetof(struct sysregs, field), value },
#include "cpu/model.def"
};

/* What of an ID register is the model's own; the other fields are those of features, or of what elmu has not (zero). */
static const struct {
    u32 offset;
    u64 mask;
} own_fields[] = {
#define OWN(field, mask)                                                                                               \
    {                                                                                                                  \
        offsetof(struct sysregs, field), mask                                                                          \
    }
    OWN(id_aa64pfr0_el1, 0),
    OWN(id_aa64pfr1_el1, 0),
    OWN(id_aa64dfr0_el1, 0xf0f0f00f), /* CTX_CMPs, WRPs, BRPs, DebugVer */
    OWN(id_aa64isar0_el1, 0),
    OWN(id_aa64isar1_el1, 0),
    OWN(id_aa64mmfr0_el1, 0x0000ffffffffffff), /* all but FGT and ECV */
    OWN(id_aa64mmfr1_el1, 0x0f000000),         /* SpecSEI */
    OWN(id_aa64mmfr2_el1, 0x00f00000),         /* CCIDX */
#undef OWN
};

const char *model_name(unsigned n) { return n < ARRAY_LEN(models) ? models[n].name : NULL; }
const char *model_compatible(u32 number) { return models[number].compatible; }
/* The row takes away what it is named after. */
static bool is_inverse(unsigned n) { return feature_rows[n].name[0] == '!'; }
const char *feature_name(unsigned n)
{
    return n < ARRAY_LEN(feature_rows) ? feature_rows[n].name + is_inverse(n) : NULL;
}

void feature_enable(struct features *f, enum feature id)
{
    while (!feature_has(f, id)) {
        feature_add(f, id);
        id = (enum feature)feature_rows[id].requires;
    }
}

void feature_disable(struct features *f, enum feature id)
{
    feature_remove(f, id);
    for (unsigned n = 0; n < FEATURE_COUNT; n++)
        if (n != FEAT_BASE && feature_has(f, (enum feature)n) && feature_rows[n].requires == id)
            feature_disable(f, (enum feature)n);
}

/* As options write it: `_` for `-`. */
static bool name_is(const char *name, const char *given, size_t length)
{
    size_t n = 0;
    while (n < length && name[n] && (name[n] == given[n] || (name[n] == '-' && given[n] == '_')))
        n++;
    return n == length && !name[n];
}

static int feature_find(const char *name, size_t length)
{
    for (unsigned n = 1; n < FEATURE_COUNT; n++)
        if (name_is(feature_name(n), name, length))
            return (int)n;
    return -1;
}

/* EL2 and EL3 are the machine's to give (virtualization=, secure=), and what follows from them. */
static bool is_machines(int id)
{
    return id == FEAT_EL2 || id == FEAT_EL3 || id == FEAT_GICV3_EL2 || id == FEAT_GICV3_EL3;
}
/* No model has it before it is asked for. */
static bool is_asked_for(int id) { return id == FEAT_PAUTH_IMPDEF; }

/* What QEMU's CPUs can have on or off, and these have one way. A name may go on with a number (sve128). */
static const struct {
    const char *name;
    bool on;
    bool lenient; /* the other way is taken, too: software looks in ID registers whether it is there */
    const char *why;
} fixed[] = {
    { "aarch64", true, false, "AArch32 is not implemented" }, { "neon", true, false, "SIMD is always there" },
    { "vfp", true, false, "floating point is always there" }, { "sve", false, true, "SVE is not implemented" },
    { "sme", false, true, "SME is not implemented" },         { "sme_fa64", false, true, "SME is not implemented" },
    { "x-rme", false, false, "RME is not implemented" },
};
/* What they can have as a number, which says nothing here: L2CTLR_EL1 counts the PEs that are there, and SVE is not. */
static const char *const numbers[] = { "core-count", "sve-max-vq" };

static const char *const bool_words[2][4] = { { "off", "no", "false", "n" }, { "on", "yes", "true", "y" } };

/* -1: neither on nor off. */
static int bool_of(const char *text, size_t length)
{
    for (int on = 0; on < 2; on++)
        for (unsigned n = 0; n < ARRAY_LEN(bool_words[on]); n++)
            if (name_is(bool_words[on][n], text, length))
                return on;
    return -1;
}

/* The row of that name; -1: none. */
static int fixed_find(const char *text, size_t name)
{
    size_t letters = name;
    while (letters && text[letters - 1] >= '0' && text[letters - 1] <= '9')
        letters--;
    for (unsigned n = 0; n < ARRAY_LEN(fixed); n++)
        if (name_is(fixed[n].name, text, name) || (!fixed[n].on && name_is(fixed[n].name, text, letters)))
            return (int)n;
    return -1;
}

/* Is it one of them? -1: no; 0: set to what it is not, error says so; 1: accepted. */
static int fixed_parse(const char *text, size_t name, int on, char error[256])
{
    int n = fixed_find(text, name);
    if (n < 0 || on == fixed[n].on || (on >= 0 && fixed[n].lenient))
        return n < 0 ? -1 : 1;
    snprintf(error, 256, on < 0 ? "-cpu: %.*s must be on or off" : "-cpu: %.*s=%s: %s", (int)name, text,
             on ? "on" : "off", fixed[n].why);
    return 0;
}

const char *model_absent(const char *text)
{
    for (text += strcspn(text, ","); *text; text += strcspn(text, ",")) {
        size_t name = strcspn(++text, ",=");
        const char *value = text + name + (text[name] == '=');
        int n = fixed_find(text, name);
        if (n >= 0 && fixed[n].lenient && bool_of(value, strcspn(value, ",")) == !fixed[n].on)
            return fixed[n].name;
    }
    return NULL;
}

static u64 constant_of(u32 model, u32 offset)
{
    for (unsigned n = 0; n < ARRAY_LEN(constants); n++)
        if (constants[n].model == model && constants[n].offset == offset)
            return constants[n].value;
    return 0;
}

bool model_has_aarch32(u32 number)
{
    return bits(constant_of(number, offsetof(struct sysregs, id_aa64pfr0_el1)), 7, 4) == 2;
}

/* The field of an ID register grows with what it stands for (D19.1.3, the principles of the ID scheme). */
static bool model_reaches(u32 model, enum feature id)
{
    unsigned lsb = feature_rows[id].lsb, value = feature_rows[id].value;
    return value && bits(constant_of(model, (u32)feature_rows[id].offset), lsb + 3, lsb) >= value;
}

static void features_of_model(struct features *f, u32 model)
{
    feature_add(f, FEAT_BASE);
    for (int n = 1; n < FEATURE_COUNT; n++)
        if (!is_machines(n) && !is_asked_for(n) && !is_inverse((unsigned)n) &&
            (models[model].features == ALL || model_reaches(model, (enum feature)n)))
            feature_enable(f, (enum feature)n);
}

/* One `,name=on` of the option. */
static bool option_parse(const char *text, size_t length, struct features *f, char error[256])
{
    const char *eq = memchr(text, '=', length);
    size_t name = eq ? (size_t)(eq - text) : length, value = eq ? length - name - 1 : 0;
    int id = feature_find(text, name), on = eq ? bool_of(eq + 1, value) : -1,
        one_way = fixed_parse(text, name, on, error);
    if (one_way >= 0)
        return one_way;
    for (unsigned n = 0; n < ARRAY_LEN(numbers); n++)
        if (eq && name_is(numbers[n], text, name) && value && strspn(eq + 1, "0123456789") >= value)
            return true;
    if (id < 0 || is_machines(id)) {
        struct nearest like = { 0 };
        char words[96];
        for (unsigned n = 1; n < FEATURE_COUNT; n++)
            nearest_try(&like, text, name, feature_name(n));
        snprintf(error, 256, "-cpu: unknown feature '%.*s'%s (--list-cpus shows them)", (int)(name > 64 ? 64 : name),
                 text, nearest_words(&like, words));
        return false;
    }
    if (on < 0) {
        snprintf(error, 256, "-cpu: %s must be on or off", feature_name((unsigned)id));
        return false;
    }
    if (on != is_inverse((unsigned)id))
        feature_enable(f, (enum feature)id);
    else
        feature_disable(f, (enum feature)id);
    return true;
}

/* Cores that command lines name and elmu has no model of: why, or which is most like it. */
static const struct {
    const char *name, *why;
} cores[] = {
    { "host", "of this machine and needs KVM: max has all that there is" },
    { "cortex-a7", "of 32 bits" },
    { "cortex-a8", "of 32 bits" },
    { "cortex-a9", "of 32 bits" },
    { "cortex-a15", "of 32 bits" },
    { "cortex-a17", "of 32 bits" },
    { "cortex-a32", "of 32 bits" },
    { "cortex-r52", "of another profile" },
    { "cortex-r82", "of another profile" },
    { "cortex-a34", "like cortex-a35" },
    { "cortex-a65", "like cortex-a55" },
    { "cortex-a73", "like cortex-a72" },
    { "cortex-a75", "like cortex-a76" },
    { "cortex-a76ae", "like cortex-a76" },
    { "cortex-a78c", "like cortex-a78ae" },
    { "cortex-a510", "like cortex-a710" },
    { "cortex-a715", "like cortex-a710" },
    { "cortex-a720", "like cortex-a710" },
    { "cortex-x2", "like cortex-a710" },
    { "cortex-x3", "like neoverse-v2" },
    { "cortex-x4", "like neoverse-v2" },
    { "neoverse-e1", "like cortex-a55" },
    { "neoverse-n3", "like neoverse-n2" },
    { "neoverse-v3", "like neoverse-v2" },
    { "a64fx", "for SVE, which elmu has not" },
};

static void model_unknown(const char *text, size_t length, char error[256])
{
    struct nearest like = { 0 };
    char words[96];
    int shown = (int)(length > 64 ? 64 : length);
    for (unsigned n = 0; n < ARRAY_LEN(cores); n++)
        if (strlen(cores[n].name) == length && !strncmp(cores[n].name, text, length)) {
            snprintf(error, 256, "-cpu: unknown model '%.*s', which is a core %s (--list-cpus shows them)", shown, text,
                     cores[n].why);
            return;
        }
    for (unsigned n = 0; n < ARRAY_LEN(models); n++)
        nearest_try(&like, text, length, models[n].name);
    snprintf(error, 256, "-cpu: unknown model '%.*s'%s (--list-cpus shows them)", shown, text,
             nearest_words(&like, words));
}

bool model_parse(const char *text, bool el2, bool el3, struct cpu_model *out, char error[256])
{
    size_t length = strcspn(text, ",");
    u32 n = 0;
    while (n < ARRAY_LEN(models) && (strlen(models[n].name) != length || strncmp(models[n].name, text, length)))
        n++;
    if (n == ARRAY_LEN(models)) {
        model_unknown(text, length, error);
        return false;
    }
    *out = (struct cpu_model){ .number = n };
    features_of_model(&out->features, n);
    for (text += length; *text == ','; text += length) {
        length = strcspn(++text, ",");
        if (!option_parse(text, length, &out->features, error))
            return false;
    }
    bool gicv3 = feature_has(&out->features, FEAT_GICV3);
    if (el2)
        feature_add(&out->features, FEAT_EL2);
    if (el3)
        feature_add(&out->features, FEAT_EL3);
    if (el2 && gicv3)
        feature_add(&out->features, FEAT_GICV3_EL2);
    if (el3 && gicv3)
        feature_add(&out->features, FEAT_GICV3_EL3);
    if (!el2 || !el3)
        feature_disable(&out->features, FEAT_SEL2);
    return true;
}

void model_without_gicv3(struct cpu_model *model)
{
    model->gicv2 = 1;
    feature_disable(&model->features, FEAT_GICV3);
    feature_disable(&model->features, FEAT_NMI);
}

void model_describe(const struct cpu_model *model, char *text, size_t size)
{
    struct features own = { { 0 } };
    features_of_model(&own, model->number);
    size_t used = (size_t)snprintf(text, size, "%s", models[model->number].name);
    for (unsigned n = 1; n < FEATURE_COUNT && used < size; n++) {
        bool has = feature_has(&model->features, (enum feature)n);
        if (model->gicv2 && (n == FEAT_GICV3 || n == FEAT_NMI))
            continue;
        if (n == FEAT_SEL2 || is_machines((int)n) || has == feature_has(&own, (enum feature)n))
            continue;
        used +=
            (size_t)snprintf(text + used, size - used, ",%s=%s", feature_name(n), has != is_inverse(n) ? "on" : "off");
    }
}

/* What pointer authentication can do is in the field of its cipher, API, APA3 or APA; GPI, GPA3 or GPA says that PACGA
 * is there. One of the three is not zero (D19.2, ID_AA64ISAR1_EL1.API). */
static void pauth_identify(struct cpu *cpu)
{
    u64 *isar1 = &cpu->sys.id_aa64isar1_el1, *isar2 = &cpu->sys.id_aa64isar2_el1, level = bits(*isar1, 7, 4);
    bool qarma3 = cpu_has(cpu, FEAT_PAUTH_QARMA3);
    if (!cpu_has(cpu, FEAT_PAUTH))
        return;
    if (cpu_has(cpu, FEAT_PAUTH_IMPDEF)) {
        *isar1 = bits_set(bits_set(bits_set(*isar1, 7, 4, 0), 27, 24, 0), 11, 8, level);
        *isar1 = bits_set(*isar1, 31, 28, 1);
        *isar2 = bits_set(bits_set(*isar2, 15, 12, 0), 11, 8, 0);
        return;
    }
    *isar1 = bits_set(bits_set(*isar1, 7, 4, qarma3 ? 0 : level), 27, 24, !qarma3);
    *isar2 = bits_set(bits_set(*isar2, 15, 12, qarma3 ? level : 0), 11, 8, qarma3);
}

void model_apply(const struct cpu_model *model, struct cpu *cpu)
{
    cpu->features = model->features;
    u8 *sys = (u8 *)&cpu->sys;
    for (unsigned n = 0; n < ARRAY_LEN(constants); n++)
        if (constants[n].model == model->number)
            store_le64(sys + constants[n].offset, constants[n].value);
    for (unsigned n = 0; n < ARRAY_LEN(own_fields); n++)
        store_le64(sys + own_fields[n].offset, load_le64(sys + own_fields[n].offset) & own_fields[n].mask);
    cpu->sys.id_aa64pfr0_el1 = 0x11; /* AArch64 only at EL1 and EL0 */
    for (unsigned n = 1; n < FEATURE_COUNT; n++) {
        if (!feature_has(&cpu->features, (enum feature)n) || !feature_rows[n].value)
            continue;
        u8 *reg = sys + feature_rows[n].offset;
        unsigned lsb = feature_rows[n].lsb;
        if (bits(load_le64(reg), lsb + 3, lsb) < feature_rows[n].value)
            store_le64(reg, bits_set(load_le64(reg), lsb + 3, lsb, feature_rows[n].value));
    }
    pauth_identify(cpu);
    if (cpu_has(cpu, FEAT_LPA2)) /* TGran16, and both granules of stage 2 */
        cpu->sys.id_aa64mmfr0_el1 = (cpu->sys.id_aa64mmfr0_el1 & ~0x00000f0f00f00000ull) | 0x0000030300200000ull;
    /* AdvSIMD says the same as FP (D19.2, ID_AA64PFR0_EL1): FEAT_FP16 is of both. */
    cpu->sys.id_aa64pfr0_el1 = bits_set(cpu->sys.id_aa64pfr0_el1, 23, 20, bits(cpu->sys.id_aa64pfr0_el1, 19, 16));
}
