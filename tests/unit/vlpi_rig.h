/* What the unit tests of virtual LPIs are written in, beside its_rig.h: vPEs with their tables, their commands, a
 * guest. */
#ifndef TESTS_UNIT_VLPI_RIG_H
#define TESTS_UNIT_VLPI_RIG_H

#include "its_rig.h"

enum { VPROPBASER = 0x20070, VPENDBASER = 0x20078 };
enum { VMOVI = 0x21, VMOVP = 0x22, VSYNC = 0x25, VMAPP = 0x29, VMAPTI = 0x2a, VMAPI = 0x2b, VINVALL = 0x2d };
enum { MOVI = 1, INT = 3, CLEAR = 4, INV = 0xc, DISCARD = 0xf };
#define VALID BIT(63)
#define IDAI  BIT(62)
#define LAST  BIT(61)
#define SILENT 1023 /* no doorbell */

/* Beside the tables of its_rig.h: those of the vPEs, as many as there are PEs. */
#define VPES    DEVICES2
#define VCONFIG (RAM_BASE + 0xb0000)
#define VPT(n)  (RAM_BASE + 0xc0000 + (u64)(n) * 0x10000)

static inline void vconfigure(u32 intid, u8 config) { *byte(VCONFIG + intid - 8192) = config; }
static inline bool in_vpt(unsigned n, u32 intid) { return bit(*byte(VPT(n) + intid / 8), intid % 8); }
static inline bool lpi_pends(unsigned n, u32 intid)
{
    bool pends = in_table(n, intid);
    gic_lpi_set(&gic, n, intid, false);
    gic_lpis_settle(&gic);
    return pends;
}

/* ---- commands ---- */

static inline bool vmapp(u64 vpe, u64 cpu, u64 table, u64 bits)
{
    return run(VMAPP, vpe << 32, VALID | cpu << 16, table | (bits - 1));
}
static inline bool vunmapp(u64 vpe) { return run(VMAPP, vpe << 32, 0, 0); }
static inline bool vmapti(u64 device, u64 event, u64 vpe, u64 intid, u64 doorbell)
{
    return run(VMAPTI | device << 32, event | vpe << 32, intid | doorbell << 32, 0);
}
static inline bool vmapi(u64 device, u64 event, u64 vpe, u64 doorbell)
{
    return run(VMAPI | device << 32, event | vpe << 32, doorbell << 32, 0);
}
static inline bool vmovi(u64 device, u64 event, u64 vpe) { return run(VMOVI | device << 32, event | vpe << 32, 0, 0); }
static inline bool vmovi_and(u64 device, u64 event, u64 vpe, u64 doorbell)
{
    return run(VMOVI | device << 32, event | vpe << 32, 1 | doorbell << 32, 0);
}
static inline bool vmovp(u64 vpe, u64 cpu) { return run(VMOVP, vpe << 32, cpu << 16, 0); }
static inline bool of_vpe(u64 number, u64 vpe) { return run(number, vpe << 32, 0, 0); }
static inline bool of_event(u64 number, u64 device, u64 event) { return run(number | device << 32, event, 0, 0); }

/* ---- residency, and the guest ---- */

static inline u64 vpendbaser(unsigned n) { return redist_as(true, n, VPENDBASER, 8); }
static inline void resident_at(unsigned n, u64 table)
{
    redist_put_as(true, n, VPROPBASER, 8, VCONFIG | 15);
    redist_put_as(true, n, VPENDBASER, 8, VALID | table);
}
static inline void resident(unsigned n, unsigned vpe) { resident_at(n, VPT(vpe)); }
static inline u64 leave(unsigned n)
{
    redist_put_as(true, n, VPENDBASER, 8, 0);
    return vpendbaser(n);
}

static inline void open_guest(unsigned n)
{
    at(pe(n), 2, false);
    wr(pe(n), ICH_VMCR, 0xff4c0003); /* VPMR, VBPR1 3, VBPR0 2, both groups */
    wr(pe(n), ICH_HCR, 1);
    pe(n)->sys.hcr_el2 = BIT(HCR_IMO) | BIT(HCR_FMO);
}
static inline u64 in_guest(unsigned n, u32 key)
{
    at(pe(n), 1, false);
    return rd(pe(n), key);
}
static inline void guest_put(unsigned n, u32 key, u64 v)
{
    at(pe(n), 1, false);
    wr(pe(n), key, v);
}
static inline void hyp_put(unsigned n, u32 key, u64 v)
{
    at(pe(n), 2, false);
    wr(pe(n), key, v);
}
static inline u64 hyp(unsigned n, u32 key)
{
    at(pe(n), 2, false);
    return rd(pe(n), key);
}
static inline u32 vlines(unsigned n) { return lines(n) & (LINE_VIRQ | LINE_VFIQ); }

/* vPE n at PE n, none resident; device 0 has 16 events, of which event 1 is vLPI 8200 of vPE 1, doorbell 8300. */
static inline void setup_of(bool security)
{
    with_parts(security, GIC_LPIS | GIC_VLPIS);
    its_put(BASER + 16, VALID | VPES);
    its_on(VALID | DEVICES);
    for (u32 intid = 8192; intid < 8320; intid++)
        vconfigure(intid, 0xa1);
    for (unsigned n = 0; n < CPUS; n++) {
        ck_assert(vmapp(n, n, VPT(n), 16));
        if (!security)
            open_guest(n);
    }
    ck_assert(mapd(0, ITT) && vmapti(0, 1, 1, 8200, 8300));
}
static inline void setup(void) { setup_of(false); }
static inline void setup_two(void) { setup_of(true); }

#endif
