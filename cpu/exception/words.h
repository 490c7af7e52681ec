/* Exceptions in words: what the syndrome says (Arm ARM D19.2.37), what caused it (struct cause), who routed it. */
#ifndef CPU_EXCEPTION_WORDS_H
#define CPU_EXCEPTION_WORDS_H

#include "cpu/exception.h"

enum { EXC_WORDS = 192 };

/* What decides who takes an exception, as it was when one was taken, and which interrupt it was (gic_source). */
struct exc_route {
    u64 hcr; /* HCR_EL2 */
    struct exc_source source;
    u8 has_el3, el2_enabled, pad[2];
};
struct exc_route exc_route_of(const struct cpu *cpu, const struct exc *exc, struct exc_source source);
/* The controls that sent it where it went, with their values: "HCR_EL2.IMO = 0, HCR_EL2.TGE = 0, SCR_EL3.IRQ = 0". */
void exc_route_words(const struct exc *exc, unsigned from_el, const struct exc_route *r, char text[EXC_WORDS]);

/* An exception class. Never NULL. */
const char *ec_name(unsigned ec);
/* Instruction or data abort? */
bool ec_is_abort(unsigned ec);
/* Do exceptions of the class leave an address in FAR_ELx? */
bool fault_has_address(unsigned ec);
/* For aborts: ", translation fault, level 1" and the like; else "". */
const char *fault_name(unsigned ec, u32 iss);
/* "IRQ", "vIRQ", "SError" ... of enum exc_kind; "" of what is synchronous. */
const char *exc_kind_words(unsigned kind, bool is_virtual);
/* "HVC", "data abort from a lower EL", "IRQ", "vIRQ" ... */
const char *exc_class_words(const struct exc *exc);
/* The ISS: "imm 0x0", "write ICC_SGI1R_EL1 from x3", "read of 4 bytes to w1: translation fault, level 3"; "" when it
 * says nothing. */
void exc_iss_words(const struct exc *exc, char text[EXC_WORDS]);
/* The control bit, descriptor or rule: "HCR_EL2.TWI", "stage 2 descriptor 0x40003000 level 3: ...", "instruction",
 * "HCR_EL2.IMO, INTID 27", "list register 1, INTID 40" ... source (gic_source) is read of an interrupt only. */
void exc_cause_words(const struct exc *exc, const struct exc_source *source, char text[EXC_WORDS]);

#endif
