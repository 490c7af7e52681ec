/* A machine with an SMMU (IHI 0070), its tables in RAM, and a bus master behind it. */
#ifndef TESTS_UNIT_SMMU_RIG_H
#define TESTS_UNIT_SMMU_RIG_H

#include "tests/unit/board_fixture.h"

#include "board/dev/smmu.h"

enum { BASE = 0x09050000, RAM = 0x40000000 };
enum { CMDQ = RAM + 0x10000, EVENTQ = RAM + 0x20000, STRTAB = RAM + 0x30000, STRTAB2 = RAM + 0x40000,
       CDS = RAM + 0x50000, CDS2 = RAM + 0x60000, S1 = RAM + 0x100000, S1_HIGH = RAM + 0x110000, S2 = RAM + 0x200000,
       DATA = RAM + 0x400000, MSI = RAM + 0x500000, NOTHING = 0x20000000 };
enum { CR0 = 0x20, CR0ACK = 0x24, CR1 = 0x28, CR2 = 0x2c, GBPA = 0x44, IRQ_CTRL = 0x50, IRQ_CTRLACK = 0x54, GERROR = 0x60,
       GERRORN = 0x64, GERROR_IRQ = 0x68, STRTAB_BASE = 0x80, STRTAB_CFG = 0x88, CMDQ_BASE = 0x90, CMDQ_PROD = 0x98,
       CMDQ_CONS = 0x9c, EVENTQ_BASE = 0xa0, EVENTQ_IRQ = 0xb0, EVENTQ_PROD = 0x100a8, EVENTQ_CONS = 0x100ac };
enum { LOG2 = 3, SID = 5, IOVA = 0x3000, IPA = 0x80003000 };
/* Descriptors: valid, page or table; AF; AP[1]: for EL0, AP[2]: read-only; S2AP read and write. */
enum { PAGE = 3, AF = 1 << 10, USER = 1 << 6, READ_ONLY = 1 << 7, NG = 1 << 11, S2R = 1 << 6, S2W = 1 << 7, S2_WB = 0xf << 2 };
#define UXN  BIT(54)
#define PXN  BIT(53)
#define DBM  BIT(51)
#define LEAF (PAGE | AF | USER)

struct rig {
    struct fixture *f;
    struct machine *m;
    u64 ste[8], cd[8];
    u64 event[4];
    struct requester by;
};

/* ---- registers and memory ---- */

static inline u64 get(struct rig *r, unsigned offset) { return bus_r(r->f, BASE + offset); }
static inline void set(struct rig *r, unsigned offset, u64 value) { bus_w(r->f, BASE + offset, value); }
static inline void set64(struct rig *r, unsigned offset, u64 value)
{
    ck_assert(bus_ops.write(r->m, BASE + offset, 8, phys_attrs_make(true, 0, true), value));
}
static inline u64 get64(struct rig *r, unsigned offset)
{
    u64 value;
    ck_assert(bus_get(r->f, BASE + offset, 8, &value));
    return value;
}
static inline u64 ram(struct rig *r, u64 pa)
{
    u64 value = 0;
    ck_assert(phys_copy_out(&r->m->d.phys, pa, &value, 8));
    return value;
}
static inline void ram_set(struct rig *r, u64 pa, u64 value) { ck_assert(phys_copy_in(&r->m->d.phys, pa, &value, 8)); }

#define SET_STE(r, name, v) words_field_set((r)->ste, STE_##name##_END, STE_##name, v)
#define SET_CD(r, name, v)  words_field_set((r)->cd, CD_##name##_END, CD_##name, v)

static inline void write_config(struct rig *r)
{
    for (unsigned n = 0; n < 8; n++) {
        ram_set(r, STRTAB + 64 * SID + 8 * n, r->ste[n]);
        ram_set(r, CDS + 8 * n, r->cd[n]);
    }
}

/* Is the output's edge latched? Forgets it. */
static inline bool rang(struct rig *r, enum smmu_wire wire)
{
    struct gic_bank *bank = &r->m->gic.spi[(74 + wire) / 32];
    u32 mask = 1u << (74 + wire) % 32;
    bool was = bank->latch & mask;
    bank->latch &= ~mask;
    return was;
}

/* ---- what a driver sets up ---- */

/* Stage 1 of 39 bits from level 1, 4K: IOVA to DATA. Stage 2 alike: IPA to DATA, the tables' own 8 MiB one to one. */
static inline void tables(struct rig *r)
{
    for (u64 at = S1; at <= S1_HIGH; at += S1_HIGH - S1) {
        ram_set(r, at, (at + 0x1000) | PAGE);
        ram_set(r, at + 0x1000, (at + 0x2000) | PAGE);
        ram_set(r, at + 0x2000 + 8 * 3, (at == S1 ? DATA : DATA + 0x1000) | LEAF);
    }
    ram_set(r, S1_HIGH + 8 * 511, (S1_HIGH + 0x1000) | PAGE);
    ram_set(r, S1_HIGH + 0x1000 + 8 * 511, (S1_HIGH + 0x2000) | PAGE);
    ram_set(r, S1_HIGH + 0x2000 + 8 * 511, (DATA + 0x1000) | LEAF);
    for (unsigned n = 0; n < 2; n++)
        ram_set(r, S2 + 8 * (n + 1), (S2 + 0x1000 * (n + 1)) | PAGE);
    for (u64 n = 0; n < 4; n++)
        ram_set(r, S2 + 0x1000 + 8 * n, (RAM + (n << 21)) | 1 | AF | S2R | S2W | S2_WB);
    ram_set(r, S2 + 0x2000, (S2 + 0x3000) | PAGE);
    ram_set(r, S2 + 0x3000 + 8 * 3, DATA | PAGE | AF | S2R | S2W | S2_WB);
}

static inline void config(struct rig *r, unsigned stages)
{
    memset(r->ste, 0, sizeof(r->ste));
    memset(r->cd, 0, sizeof(r->cd));
    SET_STE(r, V, 1);
    SET_STE(r, Config, 4 | stages);
    SET_STE(r, S1ContextPtr, CDS >> 6);
    SET_STE(r, S2T0SZ, 25);
    SET_STE(r, S2SL0, 1);
    SET_STE(r, S2PS, 2);
    SET_STE(r, S2AA64, 1);
    SET_STE(r, S2R, 1);
    SET_STE(r, S2TTB, S2 >> 4);
    SET_CD(r, V, 1);
    SET_CD(r, AA64, 1);
    SET_CD(r, T0SZ, 25);
    SET_CD(r, EPD1, 1);
    SET_CD(r, IPS, 2);
    SET_CD(r, A, 1);
    SET_CD(r, R, 1);
    SET_CD(r, TTB0, S1 >> 4);
    write_config(r);
}

static inline void enable(struct rig *r)
{
    set64(r, STRTAB_BASE, STRTAB);
    set(r, STRTAB_CFG, LOG2);
    set64(r, CMDQ_BASE, CMDQ | LOG2);
    set64(r, EVENTQ_BASE, EVENTQ | LOG2);
    set(r, CR2, 1 << CR2_RECINVSID);
    set(r, IRQ_CTRL, IRQ_CTRL_MASK);
    set(r, CR0, CR0_MASK);
}

static inline struct rig open_with(void (*change)(struct machine_config *c), unsigned stages)
{
    struct rig r = { .f = calloc(1, sizeof(*r.f)), .by = { .stream = SID } };
    struct machine_config *c = fixture_config(r.f);
    c->options.iommu = IOMMU_SMMUV3;
    c->options.virtualization = 1;
    if (change)
        change(c);
    fixture_make(r.f, c);
    r.m = r.f->m;
    for (unsigned n = 0; n < 4; n++)
        r.m->gic.spi[n].edge = ~(u32)0;
    tables(&r);
    config(&r, stages);
    enable(&r);
    return r;
}
static inline struct rig open_rig(unsigned stages) { return open_with(NULL, stages); }
static inline void close_rig(struct rig *r) { fixture_close(r->f); }

/* ---- DMA and its events ---- */

static inline bool dma(struct rig *r, u64 address, bool write)
{
    u64 value = 0x1122334455667788;
    return bus_dma(r->m, r->by, address, &value, 8, write);
}

/* The next event, into r->event; its number, or 0. */
static inline unsigned next_event(struct rig *r)
{
    u64 cons = get(r, EVENTQ_CONS), prod = get(r, EVENTQ_PROD);
    memset(r->event, 0, sizeof(r->event));
    if (!((cons ^ prod) & ones(LOG2 + 1)))
        return 0;
    for (unsigned n = 0; n < 4; n++)
        r->event[n] = ram(r, EVENTQ + 32 * (cons & ones(LOG2)) + 8 * n);
    set(r, EVENTQ_CONS, (cons & BIT(31)) | ((cons + 1) & ones(LOG2 + 1)));
    return (unsigned)EVENT(r->event, Number);
}

#define EXPECT_EVENT(r, number) ck_assert_str_eq(name_of(next_event(r)), #number)
static inline const char *name_of(unsigned number) { return number ? smmu_event_name(number) : "none"; }

/* A DMA that must fail with the event: of stage, class, direction, at IOVA unless it says otherwise. */
static inline void fails_at(struct rig *r, u64 address, bool write, const char *name, unsigned s2, unsigned class)
{
    ck_assert_msg(!dma(r, address, write), "%s: it passed", name);
    ck_assert_str_eq(name_of(next_event(r)), name);
    ck_assert_uint_eq(EVENT(r->event, StreamID), SID);
    ck_assert_uint_eq(EVENT(r->event, S2), s2);
    ck_assert_uint_eq(EVENT(r->event, CLASS), class);
    ck_assert_uint_eq(EVENT(r->event, RnW), !write);
    ck_assert_uint_eq(EVENT(r->event, InputAddr), address);
    ck_assert_uint_eq(get(r, EVENTQ_PROD), get(r, EVENTQ_CONS)); /* and no other */
}

/* A write that must arrive at pa. */
static inline void arrives(struct rig *r, u64 address, u64 pa)
{
    ram_set(r, pa, 0);
    ck_assert_msg(dma(r, address, true), "event 0x%x", next_event(r));
    ck_assert_uint_eq(ram(r, pa), 0x1122334455667788);
    ram_set(r, pa, 77);
    u64 value = 0;
    ck_assert(bus_dma(r->m, r->by, address, &value, 8, false));
    ck_assert_uint_eq(value, 77);
    ck_assert_uint_eq(next_event(r), 0);
}

/* ---- what commands do ---- */

static inline void command(struct rig *r, u64 low, u64 high)
{
    u64 prod = get(r, CMDQ_PROD);
    ram_set(r, CMDQ + 16 * (prod & ones(LOG2)), low);
    ram_set(r, CMDQ + 16 * (prod & ones(LOG2)) + 8, high);
    set(r, CMDQ_PROD, (prod + 1) & ones(LOG2 + 1));
}

static inline bool command_error(struct rig *r) { return (get(r, GERROR) ^ get(r, GERRORN)) & 1; }

static inline struct smmu *state(struct rig *r) { return place_state(r->m, (struct place){ ROW_smmu, 0 }); }

#endif
