/* What a word stands for that a person gives as an address: a number, a register, a symbol. */
#include "cpu/sysreg/sysreg.h"
#include "debug/debugger.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

bool debugger_number(const char *word, u64 *value)
{
    char *end;
    errno = 0;
    *value = strtoull(word, &end, 0);
    return end != word && !*end && !errno && word[0] != '-';
}

bool debugger_sysreg(const char *word, s64 *row)
{
    for (unsigned n = 0; sysreg_get(n); n++)
        if (!strcasecmp(sysreg_get(n)->name, word)) {
            *row = (s64)n;
            return true;
        }
    return false;
}

/* NAME or NAME+NUMBER */
static bool symbol_parse(const struct symbols *symbols, const char *word, u64 *value)
{
    char name[256];
    u64 offset = 0;
    const char *plus = strrchr(word, '+');
    if (!symbols || strlen(word) >= sizeof(name))
        return false;
    if (symbols_address(symbols, word, value))
        return true;
    if (!plus || !debugger_number(plus + 1, &offset))
        return false;
    memcpy(name, word, (size_t)(plus - word));
    name[plus - word] = 0;
    if (!symbols_address(symbols, name, value))
        return false;
    *value += offset;
    return true;
}

bool debugger_address(struct debugger *d, const char *word, u64 *value)
{
    struct cpu *cpu = &d->m->d.cpu[d->cpu];
    s64 row;
    u64 n;
    if (debugger_number(word, value))
        return true;
    word += word[0] == '$';
    if (!strcasecmp(word, "pc"))
        *value = cpu->pc;
    else if (!strcasecmp(word, "sp"))
        *value = cpu->x[REG_SP];
    else if ((word[0] | 32) == 'x' && debugger_number(word + 1, &n) && n < 31)
        *value = cpu->x[n];
    else if (debugger_sysreg(word, &row))
        *value = sysreg_peek(cpu, sysreg_get((unsigned)row));
    else
        return symbol_parse(d->symbols, word, value);
    return true;
}
