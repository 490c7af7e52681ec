/*
 * Which rows of virt.def a machine has, and where those lie that lie above RAM, as on QEMU's virt: a second region of
 * redistributors, ECAM of 256 buses, a window of PCIe memory, one after the other, each aligned to its size, from
 * 256 GiB on, or above more RAM than that. What does not fit into the PEs' physical addresses is not there. Left out:
 * memory that is plugged in, but for the addresses that -m keeps for it.
 */
#include "board/machine.h"

#include <stdio.h>

static const u64 GIB = 1 << 30, HIGH_FROM = (u64)256 << 30;
static const u8 high_rows[HIGH_ROWS] = {
    [HIGH_REDISTS] = ROW_gicr2, [HIGH_ECAM] = ROW_ecam, [HIGH_MMIO] = ROW_pcie_64
};

/* highmem=off is as if the PEs had 32. Of a snapshot, pa_bits may be anything. */
static unsigned address_bits(const struct machine_options *o) { return o->lowmem ? 32 : o->pa_bits & 63u; }

static u64 ram_end(const struct machine_options *o)
{
    return align_up(row_get(ROW_ram)->base + o->ram_size, GIB) + align_up(o->ram_more, GIB);
}

bool map_fits(const struct machine_options *o, char error[256])
{
    u64 end = ram_end(o), most = BIT(address_bits(o));
    if (end <= most)
        return true;
    snprintf(error, 256, "Addressing limited to %u bits, but memory exceeds it by %llu bytes", address_bits(o),
             (unsigned long long)(end - most));
    return false;
}

/* A set of those that are there; the addresses of all. Without compact-highmem those that are not keep their place. */
static u32 high_place(const struct machine_options *o, u64 base[HIGH_ROWS])
{
    u64 at = ram_end(o) > HIGH_FROM ? ram_end(o) : HIGH_FROM;
    u32 there = 0;
    for (unsigned n = 0; n < HIGH_ROWS; n++) {
        u64 size = row_get(high_rows[n])->size, end = align_up(at, size) + size;
        bool has = !bit(o->high_off, n) && end <= BIT(address_bits(o));
        base[n] = end - size;
        there |= (u32)has << n;
        at = has || !o->compact ? end : at;
    }
    return there;
}

void map_bases(const struct machine_options *o, u64 base[ROW_COUNT])
{
    u64 high[HIGH_ROWS];
    high_place(o, high);
    for (unsigned n = 0; n < ROW_COUNT; n++)
        base[n] = row_get(n)->base;
    for (unsigned n = 0; n < HIGH_ROWS; n++)
        base[high_rows[n]] = high[n];
}

/* Version 4 is virtual LPIs: there is none without an ITS, nor for guests without EL2. */
static bool is_gicv4(const struct machine_options *o) { return o->gic_version == 4 && o->its && o->virtualization; }
static u32 redists_low(const struct machine_options *o) { return gic_redists_low(is_gicv4(o) ? GIC_VLPIS : 0); }

u32 parts_of(const struct machine_options *o)
{
    u64 base[HIGH_ROWS];
    u32 high = high_place(o, base);
    return SECURE_ONLY | (o->secure ? SECURE : 0) | (o->virtualization ? VIRTUALIZATION : 0) |
           (o->gic_version == 2 ? GICV2 : GICV3) | (o->its && o->gic_version != 2 ? ITS : 0) |
           (o->iommu == IOMMU_SMMUV3 ? SMMU : 0) |
           (o->cpu_count > redists_low(o) && bit(high, HIGH_REDISTS) ? REDIST2 : 0) |
           (bit(high, HIGH_ECAM) ? ECAM_ABOVE : ECAM_BELOW) | (bit(high, HIGH_MMIO) ? MMIO_ABOVE : 0) |
           (is_gicv4(o) ? GICV4 : 0) | (o->acpi && o->firmware ? GED : GPIO_KEY);
}

u32 gic_parts_of(const struct machine *m)
{
    return (m->d.parts & ITS ? GIC_LPIS : 0) | (m->d.parts & GICV4 ? GIC_VLPIS : 0) | (m->gic.has_nmi ? GIC_RANGES : 0);
}

unsigned row_ecam(const struct machine *m) { return row_there(m, row_get(ROW_ecam)) ? ROW_ecam : ROW_ecam_low; }

/* GICv2 has a bit for each in GICD_ITARGETSR; later ones a redistributor, for which there is room. */
u32 cpus_most(const struct machine_options *o)
{
    u64 base[HIGH_ROWS];
    u32 low = redists_low(o), size = gic_redist_size(is_gicv4(o) ? GIC_VLPIS : 0);
    u32 all = low + (u32)(row_get(ROW_gicr2)->size / size);
    if (o->gic_version == 2)
        return GIC2_CPUS;
    return !bit(high_place(o, base), HIGH_REDISTS) ? low : all < MAX_CPUS ? all : (u32)MAX_CPUS;
}
