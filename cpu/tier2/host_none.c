/* Hosts that the second tier writes no code for (cpu/tier2/host.h): there is none, and the threaded engine runs. */
#include "cpu/tier2/region.h"

#ifdef HOST_WITHOUT_TIER
const struct emit_row emit_rows[1];
const unsigned emit_row_count = 0;

struct tier2 *tier2_create(struct decoder *decoder, struct code_page *pages, u32 page_count,
                           const struct tier2_config *config, const char **why)
{
    (void)decoder, (void)pages, (void)page_count, (void)config;
    *why = "there is none for this host's processor";
    return NULL;
}
void tier2_destroy(struct tier2 *t) { (void)t; }

/* Nobody has a tier to call these with. */
const struct tier2_stats *tier2_stats(const struct tier2 *t) { return (void)t, NULL; }
void tier2_decoded(struct tier2 *t, struct code_page *page, unsigned slot, const struct op *ops, unsigned count)
{
    (void)t, (void)page, (void)slot, (void)ops, (void)count;
}
void tier2_written(struct tier2 *t, struct code_page *page, unsigned first, unsigned last)
{
    (void)t, (void)page, (void)first, (void)last;
}
void tier2_heat(struct tier2 *t, struct code_page *page, unsigned slot) { (void)t, (void)page, (void)slot; }
op_fn *tier2_plain(const struct tier2 *t, const struct code_page *page, unsigned slot)
{
    return (void)t, page->op[slot].fn;
}
void tier2_call(const struct tier2 *t, struct cpu *cpu, u64 left, void (*fn)(struct cpu *cpu, u64 left))
{
    (void)t;
    fn(cpu, left);
}
#endif
