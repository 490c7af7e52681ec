/* Memory copy and memory set (FEAT_MOPS), Arm ARM C6.2 CPY*, SET*. */
#ifndef CPU_MOPS_H
#define CPU_MOPS_H

#include "cpu/state.h"

enum mops_result {
    MOPS_DONE,  /* on to the next instruction */
    MOPS_AGAIN, /* some was done: the instruction starts again, after interrupts had their chance */
    MOPS_RAISE, /* an exception is in cpu->d.exc */
};
enum mops_result mops_copy_prologue(struct cpu *cpu, u32 word);
enum mops_result mops_copy_main(struct cpu *cpu, u32 word);
enum mops_result mops_copy_epilogue(struct cpu *cpu, u32 word);
enum mops_result mops_set_prologue(struct cpu *cpu, u32 word);
enum mops_result mops_set_main(struct cpu *cpu, u32 word);
enum mops_result mops_set_epilogue(struct cpu *cpu, u32 word);

#endif
