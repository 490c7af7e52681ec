/*
 * The fields of registers by Arm's names: the number of a field's lowest bit, for bit() and BIT(). HCR_TGE is
 * HCR_EL2.TGE; where the ELs' registers differ the EL is part of the name: TCR_EL1_AS. And of each layout the bits that
 * software can write, which hang on the features of the PE. Rows in cpu/field.def.
 */
#ifndef CPU_FIELD_H
#define CPU_FIELD_H

#include "cpu/feature.h"

enum register_field {
#define FIELD(layout, name, hi, lo) layout##_##name = lo, layout##_##name##_END = hi,
#include "cpu/field.def"
};

/* value.name, and the bits of a register that the field takes. */
#define FIELD_OF(value, name) bits(value, name##_END, name)
#define BITS_MASK(hi, lo)     ((2ull << (hi)) - (1ull << (lo)))
#define FIELD_MASK(name)      BITS_MASK(name##_END, name)

enum register_layout {
    LAYOUT_NONE,
#define LAYOUT(layout) LAYOUT_##layout,
#include "cpu/field.def"
    LAYOUT_COUNT
};

/* LAYOUT_ALWAYS_x: the bits of a layout that software can write whatever the features are; LAYOUT_VARIES_x: those that
 * hang on one. Fields follow their LAYOUT in the table. */
enum {
    LAYOUT_ALWAYS_NONE = 0
#define LAYOUT(layout)                            , LAYOUT_ALWAYS_##layout = 0
#define FIELD(layout, name, hi, lo)               | BITS_MASK(hi, lo)
#define FIELD_IF(layout, name, hi, lo, FEATURE)
#define FIELD_UNLESS(layout, name, hi, lo, FEATURE)
#define FIELD_RO(layout, name, hi, lo)
#define FIELD_ADDR_RO(layout, name, hi, lo, at)
#include "cpu/field.def"
};
enum {
    LAYOUT_VARIES_NONE = 0
#define LAYOUT(layout)                            , LAYOUT_VARIES_##layout = 0
#define FIELD(layout, name, hi, lo)
#define FIELD_IF(layout, name, hi, lo, FEATURE)   | BITS_MASK(hi, lo)
#define FIELD_UNLESS(layout, name, hi, lo, FEATURE) | BITS_MASK(hi, lo)
#define FIELD_RO(layout, name, hi, lo)
#define FIELD_ADDR_RO(layout, name, hi, lo, at)
#define BITS_IF(layout, hi, lo, FEATURE)          | BITS_MASK(hi, lo)
#include "cpu/field.def"
};

/* What software can write of a layout, on a PE with these features; and of all of them. */
u64 field_writable(const struct features *f, enum register_layout layout);
void field_writable_all(const struct features *f, u64 writable[LAYOUT_COUNT]);

#endif
