/* Disassembly: capstone, and the instruction tables where capstone 4.0.2 knows no better (atomics, PAuth, MTE...). */
#ifndef DEBUG_DISASM_H
#define DEBUG_DISASM_H

#include "lib/base.h"

enum { DISASM_TEXT = 92 };

struct disasm_line {
    u64 pc;
    u32 word;
    u8 length; /* of the text; 0: the slot is free */
    char text[DISASM_TEXT + 3];
};

struct decoder;
struct disasm;
/* Loads capstone, as the first text does: for a program that soon can load nothing. NULL, or what is missing:
 * without it all words are the tables'. */
const char *disasm_ready(void);
struct disasm *disasm_create(const struct decoder *decoder);
void disasm_destroy(struct disasm *d);
/* The instruction's text, never empty; valid until the next call. */
const struct disasm_line *disasm_get(struct disasm *d, u64 pc, u32 word);

#endif
