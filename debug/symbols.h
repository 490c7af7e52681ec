/*
 * Names and source lines for addresses, from any number of ELF files (libelf, libdw). Each file may be moved by an
 * offset and belong to one EL and one VMID: the hypervisor's and its guests' addresses overlap.
 */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "lib/base.h"

enum { SYMBOL_ANY = -1, MAX_SYMBOL_FILES = 32 };

/* What a file's addresses mean: where its bytes are (added to its own addresses), and for whom. */
struct symbol_file {
    char name[1024];
    u64 offset;
    s32 el;   /* SYMBOL_ANY, or 0..3; a file for EL1 serves EL0 too */
    s32 vmid; /* SYMBOL_ANY, or the guest's */
};

/* Where an address is, for lookups. vmid SYMBOL_ANY: not in a guest. */
struct symbol_place {
    s32 el, vmid;
};

struct symbol {
    u64 lo, hi; /* addresses as the guest sees them */
    const char *name;
    bool function;
};

/* A line of a source file holds from its address up to the next row's. line 0: no line. */
struct symbol_line {
    u64 lo;
    const char *file; /* as the compiler was told, with its folder */
    u32 line;
    u32 order; /* in the file's tables */
    bool statement;
};

struct symbols;
/* Loads the library that knows source lines, as the first file does: for a program that soon can load none. NULL, or
 * what is missing. */
const char *symbols_ready(void);
struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *s);
/* Reads a file. False: error says why. */
bool symbols_add(struct symbols *s, const struct symbol_file *file, char error[256]);
unsigned symbols_count(const struct symbols *s); /* of files */
const struct symbol_file *symbols_file(const struct symbols *s, unsigned n);

/* NULL: nothing is known of va. */
const struct symbol *symbols_find(const struct symbols *s, u64 va, struct symbol_place place);
const struct symbol_line *symbols_line(const struct symbols *s, u64 va, struct symbol_place place);
/* The same, of one file, whatever runs there. */
const struct symbol_line *symbols_line_in(const struct symbols *s, unsigned file, u64 va);
/* The address of a name; the first file that has it. */
bool symbols_address(const struct symbols *s, const char *name, u64 *va);
/* The tables of one file, ascending. */
const struct symbol *symbols_table(const struct symbols *s, unsigned file, size_t *count);
const struct symbol_line *symbols_lines(const struct symbols *s, unsigned file, size_t *count);
/* Loadable code of a file: part n, false past the last. Its bytes, and where the guest sees them. */
bool symbols_code(const struct symbols *s, unsigned file, unsigned n, u64 *va, u64 *size, const u8 **bytes);
/* Does the file speak for what runs there? */
bool symbols_serve(const struct symbols *s, unsigned file, struct symbol_place place);

/* Is va in a file's code, but data among it (mapping symbol $d)? */
bool symbols_is_data(const struct symbols *s, unsigned file, u64 va);

/* "main+0x14 main.c:12", what of it is known, or "-". Returns its length. */
size_t symbols_describe(const struct symbols *s, u64 va, struct symbol_place place, char *text, size_t size);

#endif
