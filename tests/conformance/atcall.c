/* Calls of AArch64.AT in the vectors of v94 (atcall.h). */
#include "tests/conformance/atcall.h"

#include "cpu/exception.h"
#include "mmu/at.h"

bool atcall_is(u32 insn) { return (insn & 0xfff8fe00) == 0xd5087800; }

/* AT S12*: op1 is 4, op2 4 to 7. */
unsigned atcall_el(u32 insn) { return (insn & 0x00070080) == 0x00040080 ? 2 : 1; }

void atcall_run(struct cpu *cpu, u32 insn)
{
    static const enum at_op ops[][2] = { { AT_S1E1R, AT_S1E1W }, { AT_S1E1RP, AT_S1E1WP }, { AT_S1E2R, AT_S1E2W } };
    unsigned row = atcall_el(insn) == 2 ? 2 : bit(insn, 8);
    if (at_translate(cpu, ops[row][bit(insn, 5)], cpu->x[insn & 31]))
        cpu->pc += 4;
    else
        exception_take(cpu);
}
