/*
 * Registers by number and name, as gdb's target description numbers them: x0-x30, sp, pc, cpsr, v0-v31, fpsr, fpcr,
 * then every system register that can be read, in the order of the tables.
 */
#ifndef DEBUG_REGS_H
#define DEBUG_REGS_H

#include "board/machine.h"
#include "cpu/sysreg/sysreg.h"
#include "debug/text.h"

enum { REG_PC_NUM = 32, REG_CPSR = 33, REG_V0 = 34, REG_FPSR = 66, REG_FPCR = 67, REG_SYS = 68, REG_PAUTH = 4096 };

/* Value of register n in target byte order; its size in bytes (0: there is none). */
unsigned regs_read(struct cpu *cpu, unsigned n, u8 out[16]);
/* False: there is none, or it cannot be that. size: bytes given, as many as regs_read returns. */
bool regs_write(struct cpu *cpu, unsigned n, const u8 *bytes, unsigned size);
/* The system register that is register n, also of fpsr and fpcr; NULL: none. */
const struct sysreg *regs_row(const struct cpu *cpu, unsigned n);
/* target.xml for this CPU. */
void regs_xml(const struct cpu *cpu, struct text *out);
/* The fields that are set, by name: "VM IMO FMO E2H TWEDEL=0x3"; nothing for a register without a layout. What is part
 * of an address is shown as that address. */
void regs_fields(const char *name, u64 value, struct text *out);
/* All fields with their values, also those that are zero: "VM=1 SWIO=0 ... TWEDEL=0x0". */
void regs_fields_all(const char *name, u64 value, struct text *out);

/* An exception class by its name in ESR's field EC: "dabt_lower", "hvc" (HVC64), "dabt" (DABT_LOWER). -1: none. */
int regs_class(const char *word);

#endif
