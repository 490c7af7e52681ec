/*
 * CPU models: rows of cpu/model.def, and `-cpu NAME[,feature=on|off...]`. A model is its identification
 * registers; they say its features (cpu/feature.def), and what the CPU shows follows from the features it has then.
 */
#ifndef CPU_MODEL_H
#define CPU_MODEL_H

#include "cpu/state.h"

struct cpu_model {
    u32 number; /* row of cpu/model.def */
    u32 gicv2;  /* model_without_gicv3 took away what a machine with a GICv2 has not */
    struct features features;
};

/* The name of a feature that the text asks for, no model has, and model_parse leaves out; NULL: none. */
const char *model_absent(const char *text);
/* Parses `max,sve=off` and the like. el2, el3: what the machine gives the CPU. False: error is one line, no newline. */
bool model_parse(const char *text, bool el2, bool el3, struct cpu_model *out, char error[256]);
/* Of a machine with a GICv2: no system registers of the GIC, no non-maskable interrupts. */
void model_without_gicv3(struct cpu_model *model);
/* The text that model_parse makes this of: the model, and the features that it has not of itself. */
void model_describe(const struct cpu_model *model, char *text, size_t size);
/* Features and identification registers of the model, before cpu_reset. */
void model_apply(const struct cpu_model *model, struct cpu *cpu);
/* For lists: NULL past the last. */
const char *model_name(unsigned n);
const char *feature_name(unsigned n);
/* Of a model that was parsed: `compatible` of its node in a device tree. */
const char *model_compatible(u32 number);
/* Does the core have AArch32 at EL1 (and so RW bits that can be 0)? elmu's models have not. */
bool model_has_aarch32(u32 number);
/* Adds a feature and what it requires; removes it and what requires it. */
void feature_enable(struct features *f, enum feature id);
void feature_disable(struct features *f, enum feature id);

#endif
