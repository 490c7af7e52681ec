/* The ITS and LPIs for the tests of them, with workers.h: tables, commands (Arm IHI 0069 5.3), who is pending. */
#ifndef ITS_H
#define ITS_H

#define GITS       0x08080000ul
#define CTLR       0x000
#define TYPER      0x008
#define CBASER     0x080
#define CWRITER    0x088
#define CREADR     0x090
#define BASER(n)   (0x100 + 8 * (n))
#define PIDR2      0xffe8
#define TRANSLATER 0x10040
#define PROPBASER  0x70
#define PENDBASER  0x78
#define INVLPIR    0xa0
#define INVALLR    0xb0
#define SYNCR      0xc0

#define ID_BITS 16u
#define QUEUE   4096u /* bytes: 128 commands */
#define VALID   BIT(63)

enum { MOVI = 1, INT = 3, CLEAR = 4, SYNCHRONIZE = 5, MAPD = 8, MAPC = 9, MAPTI = 10, MAPI = 11, INV = 12, INVALL = 13,
       MOVALL = 14, DISCARD = 15 };

static u8 config[1 << 16] __attribute__((aligned(65536)));
static u8 pending[CPUS][1 << 16] __attribute__((aligned(65536)));
static u8 devices[1 << 16] __attribute__((aligned(65536)));     /* first level, or flat */
static u8 collections[1 << 12] __attribute__((aligned(65536)));
static u64 queue[QUEUE / 8] __attribute__((aligned(65536)));

static inline volatile u64 *reg(u64 offset) { return (volatile u64 *)(GITS + offset); }

/* ---- commands ---- */

static u64 writer;

/* Gives it to the ITS and waits until it is through. */
static inline void command(u64 a, u64 b, u64 c, u64 d)
{
    u64 *at = &queue[writer / 8];
    at[0] = a, at[1] = b, at[2] = c, at[3] = d;
    DSB();
    writer = (writer + 32) % QUEUE;
    *reg(CWRITER) = writer;
    DSB();
    for (u32 n = 0; *reg(CREADR) != writer; n++)
        if (n == 100000)
            stop("GITS_CREADR stays behind");
}

static inline u64 dev(u64 number, u64 device) { return number | device << 32; }
static inline void mapd(u64 device, void *table, u64 bits, u64 valid)
{
    command(dev(MAPD, device), bits - 1, (u64)table | valid, 0);
}
static inline void mapc(u64 collection, u64 cpu, u64 valid) { command(MAPC, 0, collection | cpu << 16 | valid, 0); }
static inline void mapti(u64 device, u64 event, u64 intid, u64 collection)
{
    command(dev(MAPTI, device), event | intid << 32, collection, 0);
}
static inline void mapi(u64 device, u64 event, u64 collection) { command(dev(MAPI, device), event, collection, 0); }
static inline void movi(u64 device, u64 event, u64 collection) { command(dev(MOVI, device), event, collection, 0); }
static inline void event(u64 number, u64 device, u64 event) { command(dev(number, device), event, 0, 0); }
static inline void movall(u64 from, u64 to) { command(MOVALL, 0, from << 16, to << 16); }
static inline void invall(u64 collection) { command(INVALL, 0, collection, 0); }
static inline void sync(u64 cpu) { command(SYNCHRONIZE, 0, cpu << 16, 0); }

/* ---- LPIs ---- */

/* Without telling the GIC. */
static inline void configure(u32 intid, u8 priority, bool enable)
{
    config[intid - 8192] = (u8)((priority & 0xfc) | enable);
    DSB();
}

static inline bool is_pending(u32 cpu, u32 intid) { return *(volatile u8 *)&pending[cpu][intid / 8] >> intid % 8 & 1; }

static inline void lpis_on(u32 cpu, u64 ptz)
{
    DSB();
    MMIO64(GICR(cpu) + PROPBASER) = (u64)config | (ID_BITS - 1);
    MMIO64(GICR(cpu) + PENDBASER) = (u64)pending[cpu] | ptz;
    MMIO32(GICR(cpu)) = 1;
    DSB();
}

#endif
