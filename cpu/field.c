/* What software can write of a control register, from the features of the PE: cpu/field.def, cpu/sysreg/fgt.def. */
#include "cpu/field.h"

static const struct {
    u8 layout, unless; /* unless: there while the feature is not */
    u16 feature;
    u64 bits;
} parts[] = {
#define FIELD(layout, name, hi, lo)                 { LAYOUT_##layout, 0, FEAT_BASE, BITS_MASK(hi, lo) },
#define FIELD_IF(layout, name, hi, lo, FEATURE)     { LAYOUT_##layout, 0, FEAT_##FEATURE, BITS_MASK(hi, lo) },
#define FIELD_UNLESS(layout, name, hi, lo, FEATURE) { LAYOUT_##layout, 1, FEAT_##FEATURE, BITS_MASK(hi, lo) },
#define FIELD_RO(layout, name, hi, lo)
#define FIELD_ADDR_RO(layout, name, hi, lo, at)
#define BITS_IF(layout, hi, lo, FEATURE)            { LAYOUT_##layout, 0, FEAT_##FEATURE, BITS_MASK(hi, lo) },
#include "cpu/field.def"
#define FGT_ROW(DIRECTION, ID, REG, FIELD, AT, FEATURE, EC) { LAYOUT_##REG, 0, FEAT_##FEATURE, BIT(AT) },
#include "cpu/sysreg/fgt.def"
};
static_assert(LAYOUT_COUNT <= 256, "struct sysreg has a byte for it");

void field_writable_all(const struct features *f, u64 writable[LAYOUT_COUNT])
{
    memset(writable, 0, LAYOUT_COUNT * sizeof *writable);
    for (unsigned n = 0; n < ARRAY_LEN(parts); n++)
        if (feature_has(f, (enum feature)parts[n].feature) != parts[n].unless)
            writable[parts[n].layout] |= parts[n].bits;
}

u64 field_writable(const struct features *f, enum register_layout layout)
{
    u64 writable[LAYOUT_COUNT];
    field_writable_all(f, writable);
    return writable[layout];
}
