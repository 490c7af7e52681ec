/*
 * Decodes words with elmu's tables, for the decode sweep (tests/conformance/sweep.py): reads 32-bit little-endian words
 * from standard input, writes one line each: the name of the row, or "-" when the word is UNDEFINED. Argument: a CPU
 * (-cpu syntax).
 */
#include <stdio.h>

#include "cpu/decode.h"
#include "cpu/model.h"

int main(int argc, char **argv)
{
    struct cpu_model model;
    char error[256];
    if (argc != 2 || !model_parse(argv[1], true, true, &model, error)) {
        fprintf(stderr, "sweep: %s\n", argc == 2 ? error : "usage: sweep CPU <words");
        return 1;
    }
    struct decoder *d = decoder_create(&model.features);
    if (!d)
        return 1;
    u32 word;
    while (fread(&word, 4, 1, stdin) == 1) {
        struct op op;
        const struct insn_row *row = decoder_decode(d, word, ENGINE_STEP, &op);
        puts(row ? row->name : "-");
    }
    decoder_destroy(d);
    return 0;
}
