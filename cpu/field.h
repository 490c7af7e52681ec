/*
 * The fields of registers by Arm's names: the number of a field's lowest bit, for bit() and BIT(). HCR_TGE is
 * HCR_EL2.TGE; where the ELs' registers differ the EL is part of the name: TCR_EL1_AS. Rows in cpu/field.def.
 */
#ifndef CPU_FIELD_H
#define CPU_FIELD_H

enum register_field {
#define FIELD(layout, name, hi, lo) layout##_##name = lo, layout##_##name##_END = hi,
#include "cpu/field.def"
};

/* value.name, and the bits of a register that the field takes. */
#define FIELD_OF(value, name) bits(value, name##_END, name)
#define FIELD_MASK(name)      ((2ull << name##_END) - (1ull << name))

#endif
