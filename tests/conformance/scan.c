/* Facts about a whole file of vectors (scan.h). */
#include "tests/conformance/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void scan_file(struct scan *s, const char *path)
{
    static const char field[] = "PSTATE.EL=";
    static char line[1 << 16];
    bool sysreg = false;
    memset(s, 0, sizeof *s);
    gzFile f = gzopen(path, "rb");
    while (f && gzgets(f, line, sizeof line)) {
        unsigned insn;
        if (line[0] == '@')
            sysreg = !strncmp(line, "@ sysreg ", 9);
        else if (sysreg && sscanf(line, "x %x", &insn) == 1)
            s->listed[(insn >> 5 & 0xffff) >> 3] |= (u8)(1u << (insn >> 5 & 7));
        const char *at = line[0] == 'i' ? strstr(line, field) : NULL;
        s->odd_el |= at && strtoul(at + strlen(field), NULL, 16) > 3;
    }
    if (f)
        gzclose(f);
}
