/*
 * An "exec" vector by the second tier: its word and a branch to itself behind it stand in the fetch page, all code is
 * hot, and a budget of one instruction ends with the first branch that is taken, which is the vector's own or the one
 * behind it. Leaves out: words that no emitter writes, and states in which the threaded engine executes nothing (a
 * fetch that fails, PSTATE.BTYPE and single steps, which are the stepping engine's).
 */
#include <stdio.h>

#include "cpu/engine/run.h"
#include "cpu/tier2/region.h"
#include "mmu/access.h"
#include "tests/conformance/vectors.h"

enum { HERE = 0x14000000 /* b . */, LAST = CODE_SLOTS - 1, READERS = 8 };
static const u32 CBZ_HERE = 0xb400001f /* cbz xzr, . */, ORR = 0xaa00001f /* orr xzr, x0, x0 */;

static unsigned slot_of(const struct cpu *cpu) { return (unsigned)bits(cpu->pc, 11, 2); }
static struct tier2 *tier(const struct runner *r) { return code_tier2(r->cpu->d.host.code); }

bool hot_begin(struct runner *r)
{
    const char *why = "this build has no threaded engine";
    if (engine_threaded &&
        code_tier2_begin(r->cpu->d.host.code, &(struct tier2_config){ .hot = 1, .count = true }, &why))
        return true;
    printf("no second tier: %s\n", why);
    return false;
}

/* The row of the vector's instruction; NULL: it has no emitter. */
static const struct emit_row *row_of(const struct runner *r)
{
    static const struct op page[CODE_SLOTS];
    struct op op;
    decoder_decode_slot(r->cpu->d.host.decoder, r->v.insn[0], page, slot_of(r->cpu), CODE_SLOTS, &op);
    for (unsigned n = 0; n < emit_row_count; n++)
        if (emit_rows[n].fn == op.fn)
            return &emit_rows[n];
    return NULL;
}

bool hot_fits(const struct runner *r)
{
    const struct cpu *cpu = r->cpu;
    return !strcmp(r->v.mode, "exec") && r->v.insn_count == 1 && !(cpu->pc & 3) && !cpu->ps.btype && !cpu->ps.il &&
           row_of(r);
}

/* A branch to itself behind the word. Of every other vector one that could go on, to words that read what may be the
 * numbers of the word's registers: those are so in registers of the host's in the region. */
static void behind_write(struct runner *r)
{
    const u64 pc = r->cpu->pc;
    const u32 word = r->v.insn[0];
    const unsigned slot = slot_of(r->cpu);
    const bool pins = r->v.id & 1 && slot + READERS + 2 <= LAST;
    if (slot == LAST)
        return;
    fetch_page_write(r, pc + 4, pins ? CBZ_HERE : (u32)HERE);
    for (unsigned n = 0; n < READERS && pins; n++)
        fetch_page_write(r, pc + 8 + 4 * (u64)n, ORR | (word >> n % 4 * 5 & 31) << 5 | (word >> 16 & 31) << 16);
    if (pins)
        fetch_page_write(r, pc + 8 + 4 * READERS, HERE);
}

void hot_execute(struct runner *r)
{
    struct cpu *cpu = r->cpu;
    struct hot_count *count = &r->result->hot;
    const u64 regions = tier2_stats(tier(r))->regions, next = cpu->pc + 4;
    const bool branches = row_of(r)->flow != FLOW_NEXT;
    behind_write(r);
    cpu->d.attention = 0;
    cpu->d.tier2_units = 0;
    mmu_context_changed(cpu);
    cpu_run(cpu, cpu->d.now + 1, false);
    cpu->d.raised = !branches && cpu->pc != next; /* which the threaded engine does not note */
    /* what follows a word is the branch behind it, if it is in the page */
    const unsigned least = cpu->pc == next && (next & 0xfff) ? 2 : 1;
    const bool inside = cpu->d.tier2_units >> 4 >= least;
    count->inside_last += inside && r->round == HOT_ROUNDS - 1;
    if (r->round)
        return;
    count->vectors++;
    count->inside += inside;
    count->regions += tier2_stats(tier(r))->regions > regions;
}
