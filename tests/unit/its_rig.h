/* What the unit tests of LPIs and the ITS are written in, beside gic_rig.h: memory with tables and a queue in it. */
#ifndef TESTS_UNIT_ITS_RIG_H
#define TESTS_UNIT_ITS_RIG_H

#include "gic_rig.h"

#include "gic/its_internal.h"

enum {
    PROPBASER = 0x70,
    PENDBASER = 0x78,
    INVLPIR = 0xa0,
    INVALLR = 0xb0,
    GITS_CTLR = 0,
    CBASER = 0x80,
    CWRITER = 0x88,
    CREADR = 0x90,
    BASER = 0x100,
};
#define PTZ BIT(62)

/* ---- memory: 1 MiB from RAM_BASE on ---- */

#define RAM_BASE ((u64)0x40000000)
enum { RAM_SIZE = 1 << 20 };
static u8 ram[RAM_SIZE];
static unsigned accesses;
static inline bool memory(void *ctx, u64 pa, void *bytes, u64 size, bool write)
{
    (void)ctx;
    accesses++;
    if (pa - RAM_BASE >= RAM_SIZE || size > RAM_SIZE - (pa - RAM_BASE))
        return false;
    u8 *at = ram + (pa - RAM_BASE);
    memcpy(write ? at : bytes, write ? bytes : at, size);
    return true;
}

/* Where things lie. */
#define CONFIG      (RAM_BASE + 0x10000)
#define PENDING(n)  (RAM_BASE + 0x20000 + (u64)(n) * 0x10000)
#define DEVICES     (RAM_BASE + 0x60000)
#define DEVICES2    (RAM_BASE + 0x70000)
#define COLLECTIONS (RAM_BASE + 0x80000)
#define QUEUE       (RAM_BASE + 0x90000)
#define ITT         (RAM_BASE + 0xa0000)

static inline u8 *byte(u64 pa) { return ram + (pa - RAM_BASE); }
static inline void configure(u32 intid, u8 config) { *byte(CONFIG + intid - 8192) = config; }
static inline bool in_table(unsigned n, u32 intid) { return bit(*byte(PENDING(n) + intid / 8), intid % 8); }
static inline void into_table(unsigned n, u32 intid) { *byte(PENDING(n) + intid / 8) |= (u8)BIT(intid % 8); }

static struct its its;

/* parts: GIC_LPIS, GIC_VLPIS */
static inline void with_parts(bool security, u32 parts)
{
    make(security);
    memset(ram, 0, sizeof(ram));
    gic.d.memory = (struct gic_memory){ NULL, memory };
    gic_extend(&gic, parts);
    its_reset(&its, &gic);
    for (unsigned n = 0; n < CPUS; n++)
        open_pe(n);
}

static inline void lpis_on_with(unsigned n, u64 prop, u64 pend)
{
    redist_put_as(true, n, PROPBASER, 8, prop);
    redist_put_as(true, n, PENDBASER, 8, pend);
    redist_put(n, REDIST_CTLR, 1);
}
static inline void lpis_on(unsigned n) { lpis_on_with(n, CONFIG | 15, PENDING(n)); }

static inline void pend(unsigned n, u32 intid)
{
    gic_lpi_set(&gic, n, intid, true);
    gic_lpis_settle(&gic);
}

/* ---- the ITS ---- */

static inline u64 its_get(u64 offset) { return its_read(&its, &gic, offset, 8); }
static inline bool its_put(u64 offset, u64 value) { return its_write(&its, &gic, offset, 8, value); }

static inline bool run(u64 a, u64 b, u64 c, u64 d)
{
    u64 command[] = { a, b, c, d }, at = its_get(CWRITER);
    memcpy(byte(QUEUE + at), command, sizeof(command));
    return its_put(CWRITER, (at + 32) % 0x1000);
}
static inline bool mapd(u64 device, u64 itt) { return run(8 | device << 32, 3, itt | BIT(63), 0); }
static inline bool mapti(u64 device, u64 event, u64 intid) { return run(10 | device << 32, event | intid << 32, 0, 0); }
static inline bool interrupt(u64 device, u64 event) { return run(3 | device << 32, event, 0, 0); }

static inline void its_on(u64 devices)
{
    for (unsigned n = 0; n < CPUS; n++)
        lpis_on(n);
    its_write(&its, &gic, GITS_CTLR, 4, 0);
    its_put(BASER, devices);
    its_put(BASER + 8, BIT(63) | COLLECTIONS);
    its_put(CBASER, BIT(63) | QUEUE);
    its_put(CWRITER, 0);
    its_write(&its, &gic, GITS_CTLR, 4, 1);
    ck_assert(run(9, 0, 2 << 16 | BIT(63), 0)); /* MAPC 0, PE 2 */
    for (u32 intid = 8192; intid < 8400; intid++)
        configure(intid, 0x81);
}

#endif
