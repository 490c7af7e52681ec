/* Along the run to changes of EL, exits, entries: a stop is set for the way, and the run followed to it (reverse.c). */
#include "debug/travel.h"

#include "cpu/el.h"
#include "cpu/exception/words.h"
#include "debug/regs.h"
#include "debug/reverse.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool fail(char error[256], const char *words)
{
    snprintf(error, 256, "%s", words);
    return false;
}

/* Why there is none. */
static const char *why_not(const struct debugger *d, enum travel_way way)
{
    if (reverse_broken(d->reverse))
        return "interrupted";
    return way == TRAVEL_BACK ? "there is none before, as far back as the run is kept" : "the run ends before that";
}

bool travel_to(struct debugger *d, enum travel_way way, struct stop_point point, char error[256])
{
    struct stops *s = &d->stops;
    if (!d->reverse)
        return fail(error, "that needs -gdb, under which the run is kept");
    struct stop_point *p = stops_new(s);
    if (!p)
        return fail(error, "no room for another stop");
    point.used = true;
    point.number = p->number;
    *p = point;
    stops_changed(s);
    bool hit = reverse_find(d->reverse, s, d->cpu, way == TRAVEL_BACK);
    bool mine = hit && s->pending.point == p;
    p->used = false;
    s->next_number--; /* nobody has seen it */
    stops_changed(s);
    d->cpu = hit ? s->pending.cpu : d->m->turn;
    if (hit && !mine)
        snprintf(error, 256, "stop %u was on the way%s%s", s->pending.point->number, s->pending.text[0] ? ": " : "",
                 s->pending.text);
    return mine || (hit ? false : fail(error, why_not(d, way)));
}

static const struct stop_scope anywhere = { ANY, ANY, ANY, ANY, ANY };

bool travel_el(struct debugger *d, enum travel_way way, char error[256])
{
    struct stop_point p = { .what = ON_EL, .value = ANY, .scope = anywhere };
    p.scope.cpu = (s32)d->cpu;
    return travel_to(d, way, p, error);
}

bool travel_exit(struct debugger *d, enum travel_way way, s64 class, char error[256])
{
    return travel_to(d, way, (struct stop_point){ .what = ON_EXIT, .value = class, .scope = anywhere }, error);
}

bool travel_entry(struct debugger *d, enum travel_way way, char error[256])
{
    return travel_to(d, way, (struct stop_point){ .what = ON_ENTRY, .value = ANY, .scope = anywhere }, error);
}

bool travel_class(const char *word, s64 *value)
{
    char *end;
    *value = ANY;
    if (!strcmp(word, "any"))
        return true;
    for (unsigned kind = EXC_IRQ; kind <= EXC_SERROR; kind++)
        if (!strcasecmp(word, exc_kind_words(kind, false))) {
            *value = 0x40 + (s64)kind;
            return true;
        }
    unsigned long number = strtoul(word, &end, 0);
    bool is_number = word[0] >= '0' && word[0] <= '9' && !*end && number < 64;
    *value = is_number ? (s64)number : regs_class(word);
    return *value != ANY;
}

/* ---- words ---- */

void travel_place(const struct debugger *d, u32 cpu, struct text *out)
{
    const struct cpu *pe = &d->m->d.cpu[cpu];
    s32 guest = cpu_guest(pe);
    char symbol[256];
    text_add(out, "cpu%u: EL%u%s", cpu, pe->ps.el, cpu_is_secure(pe) ? " Secure" : "");
    if (guest != NO_GUEST)
        text_add(out, ", guest of VMID %d", guest);
    text_add(out, ", pc 0x%llx", (unsigned long long)pe->pc);
    struct symbol_place place = { pe->ps.el, guest == NO_GUEST ? SYMBOL_ANY : guest };
    if (d->symbols && symbols_describe(d->symbols, pe->pc, place, symbol, sizeof(symbol)) && strcmp(symbol, "-"))
        text_add(out, " %s", symbol);
    text_add(out, ", after %llu instructions\n", (unsigned long long)machine_insns(d->m));
}

/* The note of the exception that the hit is about; NULL: it is none, or it is forgotten. */
static const struct exc_note *note_of(const struct debugger *d, const struct stop_hit *hit)
{
    for (u64 n = d->notes; n > 0 && d->notes - n < EXC_NOTES; n--) {
        const struct exc_note *note = &d->note[(n - 1) % EXC_NOTES];
        if (note->cpu == hit->cpu && note->pc == hit->pc && note->at <= hit->at && note->at + 1 >= hit->at)
            return note;
    }
    return NULL;
}

void travel_words(const struct debugger *d, struct text *out)
{
    const struct stop_hit *hit = &d->stops.pending;
    const struct exc_note *note = note_of(d, hit);
    char words[EXC_WORDS];
    if (hit->text[0])
        text_add(out, "%s", hit->text);
    if (note && note->exc.cause.kind != CAUSE_NONE && note->exc.cause.kind != CAUSE_INSTRUCTION) {
        exc_cause_words(&note->exc, &note->route.source, words);
        text_add(out, ", caused by %s", words);
    }
    if (hit->text[0])
        text_add(out, "\n");
    travel_place(d, hit->cpu, out);
}
