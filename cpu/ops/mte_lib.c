/*
 * Memory tagging: choosing tags, and the instructions that load and store them (Arm ARM D10, C6.2;
 * AArch64.ChooseNonExcludedTag, AArch64.RandomTag of the shared pseudocode). A choice: with GCR_EL1.RRND a tag follows
 * from the time, which is the same in every run, and RGSR_EL1 stays.
 */
#include "cpu/ops/mte.h"

#include "mmu/access.h"
#include "mmu/tags.h"

enum { GRANULE = 16 };

static unsigned choose(unsigned tag, unsigned offset, u64 exclude)
{
    if ((exclude & 0xffff) == 0xffff)
        return 0;
    while (!offset && bit(exclude, tag))
        tag = (tag + 1) & 15;
    for (; offset; offset--) {
        do
            tag = (tag + 1) & 15;
        while (bit(exclude, tag));
    }
    return tag;
}

unsigned mte_next_tag(struct cpu *cpu, unsigned tag, unsigned offset)
{
    return tags_enabled(cpu, cpu->ps.el == 0) ? choose(tag, offset, cpu->sys.gcr_el1) : 0;
}

static unsigned random_bit(struct cpu *cpu)
{
    u64 seed = bits(cpu->sys.rgsr_el1, 23, 8);
    u64 top = (seed >> 5 ^ seed >> 3 ^ seed >> 2 ^ seed) & 1;
    cpu->sys.rgsr_el1 = bits_set(cpu->sys.rgsr_el1, 23, 8, top << 15 | seed >> 1);
    return (unsigned)top;
}

unsigned mte_random_tag(struct cpu *cpu, u64 exclude)
{
    if (!tags_enabled(cpu, cpu->ps.el == 0))
        return 0;
    exclude |= cpu->sys.gcr_el1;
    if (bit(cpu->sys.gcr_el1, 16)) {
        u64 mix = cpu->d.now * 0x9e3779b97f4a7c15ull;
        return choose(mix >> 60, mix >> 56 & 15, exclude);
    }
    unsigned start = cpu->sys.rgsr_el1 & 15, offset = 0;
    for (unsigned n = 0; n < 4; n++)
        offset |= random_bit(cpu) << n;
    unsigned tag = choose(start, offset, exclude);
    cpu->sys.rgsr_el1 = bits_set(cpu->sys.rgsr_el1, 3, 0, tag);
    return tag;
}

bool mte_store(struct cpu *cpu, u64 va, unsigned tag, unsigned granules, bool zero)
{
    return mem_tags_write(cpu, va, granules, (u64)tag * 0x11, zero);
}

bool mte_store_pair(struct cpu *cpu, u64 va, u64 first, u64 second)
{
    return mem_tags_probe(cpu, va) && mem_write_pair(cpu, va, first, second, 8, ACC_WRITE | ACC_SP) &&
           mem_tags_write(cpu, va, 1, mte_tag_of(va), false);
}

struct mte_value mte_load(struct cpu *cpu, u64 va)
{
    struct mem_val r = mem_tags_read(cpu, align_down(va, GRANULE), 1);
    return (struct mte_value){ r.v, r.ok };
}

/* Granules of one LDGM: 4 << GMID_EL1.BS bytes, at most 16 of them. */
static unsigned many_granules(u64 size_log2) { return size_log2 > 6 ? 16 : size_log2 < 2 ? 1 : 1u << (size_log2 - 2); }

struct mte_value mte_load_many(struct cpu *cpu, u64 va)
{
    unsigned count = many_granules(cpu->sys.gmid_el1 & 15);
    va = align_down(va, (u64)count * GRANULE);
    struct mem_val r = mem_tags_read(cpu, va, count);
    return (struct mte_value){ r.v << (va >> 4 & 15) * 4, r.ok };
}

bool mte_store_many(struct cpu *cpu, u64 va, u64 tags)
{
    unsigned count = many_granules(cpu->sys.gmid_el1 & 15);
    va = align_down(va, (u64)count * GRANULE);
    return mem_tags_write(cpu, va, count, tags >> (va >> 4 & 15) * 4, false);
}

bool mte_store_zero_many(struct cpu *cpu, u64 va, u64 tag)
{
    unsigned bytes = 4u << (cpu->sys.dczid_el0 & 15);
    va = align_down(va, bytes);
    for (unsigned at = 0; at < bytes; at += 16 * GRANULE) {
        unsigned left = (bytes - at) / GRANULE;
        if (!mem_tags_write(cpu, va + at, left < 16 ? (left ? left : 1) : 16, (tag & 15) * 0x1111111111111111ull, true))
            return false;
    }
    return true;
}
