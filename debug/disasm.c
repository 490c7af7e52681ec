/*
 * Disassembly. capstone's words where it has any, system registers by the name of our own table where capstone prints a
 * number; else, and where capstone is missing, the table's row. Texts are kept by address and word: a trace asks for
 * the same ones again and again.
 */
#include "debug/disasm.h"

#include "debug/library.h"
#include "cpu/insn/decode.h"
#include "cpu/sysreg/sysreg.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS(F) F(cs_close) F(cs_disasm_iter) F(cs_free) F(cs_malloc) F(cs_open)
LIBRARY(capstone, FUNCTIONS)

enum { SLOTS = 1 << 14 };

struct disasm {
    bool opened; /* capstone was asked for; where it is missing, insn stays NULL */
    csh capstone;
    cs_insn *insn;
    const struct decoder *decoder; /* the machine's */
    struct disasm_line line[SLOTS];
};

const char *disasm_ready(void) { return library_load(&capstone_library); }

struct disasm *disasm_create(const struct decoder *decoder)
{
    struct disasm *d = calloc(1, sizeof(*d));
    if (d)
        d->decoder = decoder;
    return d;
}

void disasm_destroy(struct disasm *d)
{
    if (!d)
        return;
    if (d->insn)
        capstone.cs_free(d->insn, 1);
    if (d->capstone)
        capstone.cs_close(&d->capstone);
    free(d);
}

/* MRS and MSR (register) by the name in our table: capstone 4.0.2 prints what it does not know as s3_4_c12_c11_1. */
static bool sysreg_text(u32 word, char *text, size_t size)
{
    if ((word & 0xffd00000) != 0xd5100000)
        return false;
    const struct sysreg *row = sysreg_find(bits(word, 20, 5));
    if (!row)
        return false;
    bool read = bit(word, 21);
    char reg[8], name[40];
    unsigned rt = word & 31, n = 0;
    snprintf(reg, sizeof(reg), rt == 31 ? "xzr" : "x%u", rt);
    for (; row->name[n] && n + 1 < sizeof(name); n++)
        name[n] = (char)(row->name[n] >= 'A' && row->name[n] <= 'Z' ? row->name[n] + 32 : row->name[n]);
    name[n] = 0;
    snprintf(text, size, read ? "mrs %s, %s" : "msr %s, %s", read ? reg : name, read ? name : reg);
    return true;
}

/* With the first text: most traces have none. */
static void capstone_open(struct disasm *d)
{
    d->opened = true;
    if (!disasm_ready() && capstone.cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &d->capstone) == CS_ERR_OK)
        d->insn = capstone.cs_malloc(d->capstone);
}

static bool capstone_text(struct disasm *d, u64 pc, u32 word, char *text, size_t size)
{
    u8 bytes[4];
    const u8 *code = bytes;
    size_t left = 4;
    store_le32(bytes, word);
    if (!d->opened)
        capstone_open(d);
    if (!d->insn || !capstone.cs_disasm_iter(d->capstone, &code, &left, &pc, d->insn))
        return false;
    snprintf(text, size, "%.24s%s%.64s", d->insn->mnemonic, d->insn->op_str[0] ? " " : "", d->insn->op_str);
    return true;
}

static void line_fill(struct disasm *d, struct disasm_line *l)
{
    struct op op;
    const struct insn_row *row = decoder_decode(d->decoder, l->word, ENGINE_STEP, &op);
    if (!sysreg_text(l->word, l->text, DISASM_TEXT) && !capstone_text(d, l->pc, l->word, l->text, DISASM_TEXT)) {
        if (row)
            insn_format(row, l->word, l->pc, l->text, DISASM_TEXT);
        else
            snprintf(l->text, DISASM_TEXT, ".inst 0x%08x", l->word);
    }
    if (!l->text[0])
        snprintf(l->text, DISASM_TEXT, ".inst 0x%08x", l->word);
    l->length = (u8)strlen(l->text);
}

const struct disasm_line *disasm_get(struct disasm *d, u64 pc, u32 word)
{
    struct disasm_line *l = &d->line[(pc >> 2 ^ pc >> 16) & (SLOTS - 1)];
    if (likely(l->pc == pc && l->word == word && l->length))
        return l;
    l->pc = pc;
    l->word = word;
    line_fill(d, l);
    return l;
}
