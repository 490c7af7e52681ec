/* What becomes of DMA behind the SMMU: both stages, faults and their events, stalls (IHI 0070 3.12, 5.5, 7.3), and what
 * those who look in are told. */
#include "tests/unit/smmu_rig.h"

#include "board/observer.h"
#include "board/state.h"
#include "cpu/observer.h"
#include "debug/monitor/monitor.h"

/* ---- stage 1 ---- */

START_TEST(stage_1_faults)
{
    struct rig r = open_rig(1);
    const u64 leaf = S1 + 0x2000 + 8 * 3;
    arrives(&r, IOVA + 8, DATA + 8);
    fails_at(&r, IOVA + 0x1000, true, "F_TRANSLATION", 0, CLASS_IN);
    fails_at(&r, BIT(39) | IOVA, false, "F_TRANSLATION", 0, CLASS_IN);
    fails_at(&r, BIT(63) | IOVA, false, "F_TRANSLATION", 0, CLASS_IN);
    ram_set(&r, leaf, DATA | LEAF | READ_ONLY);
    fails_at(&r, IOVA, true, "F_PERMISSION", 0, CLASS_IN);
    ck_assert(dma(&r, IOVA, false));
    ram_set(&r, leaf, DATA | PAGE | AF);
    fails_at(&r, IOVA, false, "F_PERMISSION", 0, CLASS_IN); /* not for EL0 */
    r.by.privileged = true;
    arrives(&r, IOVA, DATA);
    ram_set(&r, leaf, DATA | PAGE | AF | READ_ONLY);
    fails_at(&r, IOVA, true, "F_PERMISSION", 0, CLASS_IN);
    ck_assert_uint_eq(EVENT(r.event, PnU), 1);
    ram_set(&r, leaf, DATA | PAGE | USER);
    fails_at(&r, IOVA, true, "F_ACCESS", 0, CLASS_IN);
    ram_set(&r, leaf, BIT(40) | LEAF);
    fails_at(&r, IOVA, true, "F_ADDR_SIZE", 0, CLASS_IN);
    ram_set(&r, leaf, NOTHING | LEAF);
    ck_assert(!dma(&r, IOVA, true)); /* aborted behind the SMMU */
    ck_assert_uint_eq(next_event(&r), 0);
    ram_set(&r, S1 + 0x1000, NOTHING | PAGE);
    fails_at(&r, IOVA, true, "F_WALK_EABT", 0, CLASS_TT);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING + 8 * 3);
    ram_set(&r, S1 + 0x1000, 0x09000000 | PAGE); /* a device is not a table */
    fails_at(&r, IOVA, true, "F_WALK_EABT", 0, CLASS_TT);
    SET_STE(&r, S1ContextPtr, NOTHING >> 6);
    write_config(&r);
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, F_CD_FETCH);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING);
    close_rig(&r);
}
END_TEST

START_TEST(attributes_are_overridden)
{
    struct rig r = open_rig(1);
    const u64 leaf = S1 + 0x2000 + 8 * 3;
    ram_set(&r, leaf, DATA | PAGE | AF);
    SET_STE(&r, PRIVCFG, 3);
    write_config(&r);
    arrives(&r, IOVA, DATA);
    ram_set(&r, leaf, DATA | LEAF | PXN); /* privileged: may read and write */
    SET_STE(&r, INSTCFG, 3);
    write_config(&r);
    fails_at(&r, IOVA, false, "F_PERMISSION", 0, CLASS_IN);
    ck_assert_uint_eq(EVENT(r.event, InD), 1);
    ck_assert(dma(&r, IOVA, true)); /* a write is data */
    SET_STE(&r, PRIVCFG, 2);
    write_config(&r);
    ck_assert(dma(&r, IOVA, false));
    ram_set(&r, leaf, DATA | LEAF | UXN);
    fails_at(&r, IOVA, false, "F_PERMISSION", 0, CLASS_IN);
    ram_set(&r, leaf, DATA | LEAF);
    ck_assert(dma(&r, IOVA, false));
    SET_CD(&r, WXN, 1);
    write_config(&r);
    fails_at(&r, IOVA, false, "F_PERMISSION", 0, CLASS_IN);
    SET_STE(&r, INSTCFG, 2);
    SET_STE(&r, PRIVCFG, 3);
    SET_CD(&r, PAN, 1);
    write_config(&r);
    r.by.fetch = true;
    fails_at(&r, IOVA, false, "F_PERMISSION", 0, CLASS_IN); /* EL0's memory */
    ck_assert_uint_eq(EVENT(r.event, InD), 0);
    SET_CD(&r, PAN, 0);
    write_config(&r);
    arrives(&r, IOVA, DATA);
    close_rig(&r);
}
END_TEST

START_TEST(flags_of_descriptors)
{
    for (unsigned stage = 1; stage <= 2; stage++) {
        struct rig r = open_rig(stage);
        const u64 leaf = (stage == 1 ? S1 + 0x2000 : S2 + 0x3000) + 8 * 3, at = stage == 1 ? IOVA : IPA;
        const u64 clean = stage == 1 ? DATA | PAGE | USER | READ_ONLY : DATA | PAGE | S2R | S2_WB;
        const u64 dirty = stage == 1 ? clean & ~(u64)READ_ONLY : clean | S2W;
        words_field_set(stage == 1 ? r.cd : r.ste, stage == 1 ? CD_AFFD : STE_S2AFFD, stage == 1 ? CD_AFFD : STE_S2AFFD,
                        1);
        write_config(&r);
        ram_set(&r, leaf, dirty);
        arrives(&r, at, DATA);
        ck_assert_uint_eq(ram(&r, leaf), dirty); /* faults are off, nothing is set */
        words_field_set(stage == 1 ? r.cd : r.ste, stage == 1 ? CD_HA : STE_S2HA, stage == 1 ? CD_HA : STE_S2HA, 1);
        write_config(&r);
        ram_set(&r, leaf, clean | DBM);
        ck_assert(dma(&r, at, false));
        ck_assert_uint_eq(ram(&r, leaf), clean | DBM | AF);
        fails_at(&r, at, true, "F_PERMISSION", stage == 2, CLASS_IN);
        words_field_set(stage == 1 ? r.cd : r.ste, stage == 1 ? CD_HD : STE_S2HD, stage == 1 ? CD_HD : STE_S2HD, 1);
        write_config(&r);
        ck_assert(dma(&r, at, false));
        ck_assert_uint_eq(ram(&r, leaf), clean | DBM | AF);
        ck_assert(dma(&r, at, true));
        ck_assert_uint_eq(ram(&r, leaf), dirty | DBM | AF);
        close_rig(&r);
    }
}
END_TEST

START_TEST(worlds_and_halves)
{
    struct rig r = open_rig(1);
    SET_CD(&r, EPD1, 0);
    SET_CD(&r, T1SZ, 25);
    SET_CD(&r, TG1, 2);
    SET_CD(&r, TTB1, S1_HIGH >> 4);
    SET_CD(&r, TBI1, 1);
    write_config(&r);
    arrives(&r, ~(u64)0xfff, DATA + 0x1000);
    arrives(&r, ~(u64)0xfff ^ BIT(60), DATA + 0x1000);
    arrives(&r, IOVA, DATA);
    SET_CD(&r, EPD0, 1);
    write_config(&r);
    fails_at(&r, IOVA, true, "F_TRANSLATION", 0, CLASS_IN);
    SET_STE(&r, STRW, 2); /* EL2: one table, EPD0 is nothing, all is privileged */
    ram_set(&r, S1 + 0x2000 + 8 * 3, DATA | PAGE | AF | PXN);
    write_config(&r);
    arrives(&r, IOVA, DATA);
    fails_at(&r, ~(u64)0xfff, true, "F_TRANSLATION", 0, CLASS_IN);
    set(&r, CR0, CR0_MASK & ~1);
    set(&r, CR2, 1 << CR2_E2H | 1 << CR2_RECINVSID);
    set(&r, CR0, CR0_MASK);
    arrives(&r, ~(u64)0xfff, DATA + 0x1000); /* EL2&0 */
    fails_at(&r, IOVA, true, "F_TRANSLATION", 0, CLASS_IN);
    close_rig(&r);
}
END_TEST

/* Blocks and pages of each granule, big-endian tables; a piece of DMA goes over several pages. */
START_TEST(granules)
{
    static const struct {
        unsigned tg0, grain, t0sz;
    } cases[] = { { 0, 12, 34 }, { 2, 14, 28 }, { 1, 16, 35 } };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++)
        for (unsigned big = 0; big < 2; big++) {
            struct rig r = open_rig(1);
            const unsigned grain = cases[n].grain, stride = grain - 3;
            u8 bytes[3 << 16];
            SET_CD(&r, TG0, cases[n].tg0);
            SET_CD(&r, ENDI, big);
            SET_CD(&r, T0SZ, 64 - (grain + stride)); /* level 3 alone */
            write_config(&r);
            for (unsigned k = 0; k < 3; k++) { /* pages in reverse order */
                u64 desc = (DATA + ((u64)(2 - k) << grain)) | LEAF;
                ram_set(&r, S1 + 8 * k, big ? __builtin_bswap64(desc) : desc);
            }
            for (unsigned k = 0; k < 3; k++)
                memset(bytes + ((u64)k << grain), (int)k + 1, BIT(grain));
            ck_assert(bus_dma(r.m, r.by, 8, bytes, (3u << grain) - 16, true));
            ck_assert_uint_eq(ram(&r, DATA + (2ull << grain)), 0);
            ck_assert_uint_eq(ram(&r, DATA + (2ull << grain) + 8), 0x0101010101010101);
            ck_assert_uint_eq(ram(&r, DATA + (1ull << grain)), 0x0101010101010101);
            ck_assert_uint_eq(ram(&r, DATA + (1ull << grain) + 8), 0x0202020202020202);
            ck_assert_uint_eq(ram(&r, DATA + (2ull << grain) - 16), 0x0202020202020202);
            ck_assert_uint_eq(ram(&r, DATA + 16), 0x0303030303030303);
            ram_set(&r, S1 + 8 * 1, 0);
            memset(bytes, 9, sizeof(bytes));
            ck_assert(!bus_dma(r.m, r.by, 8, bytes, (3u << grain) - 16, true));
            EXPECT_EVENT(&r, F_TRANSLATION);
            ck_assert_uint_eq(EVENT(r.event, InputAddr), BIT(grain));
            ck_assert_uint_eq(ram(&r, DATA + (2ull << grain) + 8), 0x0909090909090909);
            ck_assert_uint_eq(ram(&r, DATA + 16), 0x0303030303030303);
            close_rig(&r);
        }
}
END_TEST

/* ---- stage 2, and both ---- */

START_TEST(stage_2_faults)
{
    struct rig r = open_rig(2);
    const u64 leaf = S2 + 0x3000 + 8 * 3;
    arrives(&r, IPA, DATA);
    fails_at(&r, IPA + 0x1000, true, "F_TRANSLATION", 1, CLASS_IN);
    ck_assert_uint_eq(EVENT(r.event, IPA) << 12, IPA + 0x1000);
    fails_at(&r, BIT(39), true, "F_TRANSLATION", 1, CLASS_IN);
    fails_at(&r, BIT(44), true, "F_ADDR_SIZE", 0, CLASS_IN); /* stage 1 lets no larger address by */
    ram_set(&r, leaf, DATA | PAGE | AF | S2R);
    fails_at(&r, IPA, true, "F_PERMISSION", 1, CLASS_IN);
    ram_set(&r, leaf, DATA | PAGE | AF | S2W);
    fails_at(&r, IPA, false, "F_PERMISSION", 1, CLASS_IN);
    ram_set(&r, leaf, DATA | PAGE | S2R | S2W);
    fails_at(&r, IPA, false, "F_ACCESS", 1, CLASS_IN);
    ram_set(&r, leaf, BIT(41) | PAGE | AF | S2R | S2W);
    fails_at(&r, IPA, false, "F_ADDR_SIZE", 1, CLASS_IN);
    ram_set(&r, S2 + 0x2000, NOTHING | PAGE);
    fails_at(&r, IPA, false, "F_WALK_EABT", 1, CLASS_IN);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING + 8 * 3);
    SET_STE(&r, S2R, 0);
    write_config(&r);
    ram_set(&r, S2 + 0x2000, 0);
    ck_assert(!dma(&r, IPA, false)); /* an abort without a word */
    ck_assert_uint_eq(next_event(&r), 0);
    close_rig(&r);
}
END_TEST

START_TEST(nested_faults)
{
    struct rig r = open_rig(3);
    const u64 leaf1 = S1 + 0x2000 + 8 * 3, leaf2 = S2 + 0x3000 + 8 * 3, block = S2 + 0x1000,
              one_to_one = ram(&r, block);
    ram_set(&r, leaf1, IPA | LEAF);
    arrives(&r, IOVA + 16, DATA + 16);
    fails_at(&r, IOVA + 0x1000, true, "F_TRANSLATION", 0, CLASS_IN);
    ram_set(&r, leaf2, 0);
    fails_at(&r, IOVA + 16, true, "F_TRANSLATION", 1, CLASS_IN);
    ck_assert_uint_eq(EVENT(r.event, IPA) << 12, IPA);
    /* The tables of stage 1, then the CD, are not mapped: both in the block of RAM's first 2 MiB. */
    SET_STE(&r, S1ContextPtr, (S2 + 0x8000) >> 6);
    for (unsigned n = 0; n < 8; n++)
        ram_set(&r, S2 + 0x8000 + 8 * n, r.cd[n]);
    write_config(&r);
    ram_set(&r, block, 0);
    fails_at(&r, IOVA, true, "F_TRANSLATION", 1, CLASS_TT);
    ck_assert_uint_eq(EVENT(r.event, IPA) << 12, S1);
    ram_set(&r, block, one_to_one & ~(u64)S2R);
    fails_at(&r, IOVA, true, "F_PERMISSION", 1, CLASS_TT);
    ck_assert_uint_eq(EVENT(r.event, TTRnW), 1);
    SET_CD(&r, HA, 1);
    for (unsigned n = 0; n < 8; n++)
        ram_set(&r, S2 + 0x8000 + 8 * n, r.cd[n]);
    ram_set(&r, block, one_to_one & ~(u64)S2W);
    ram_set(&r, leaf1, (IPA | LEAF) & ~(u64)AF);
    fails_at(&r, IOVA, false, "F_PERMISSION", 1, CLASS_TT); /* it cannot set the flag */
    ck_assert_uint_eq(EVENT(r.event, TTRnW), 0);
    ck_assert_uint_eq(EVENT(r.event, IPA) << 12, S1 + 0x2000);
    ram_set(&r, block, one_to_one & ~(u64)S2_WB);
    ram_set(&r, leaf2, DATA | PAGE | AF | S2R | S2W | S2_WB);
    arrives(&r, IOVA, DATA);
    SET_STE(&r, S2PTW, 1);
    write_config(&r);
    fails_at(&r, IOVA, false, "F_PERMISSION", 1, CLASS_TT); /* tables in Device memory */
    ram_set(&r, block + 8, ram(&r, block + 8) & ~(u64)S2_WB);
    fails_at(&r, IOVA, false, "F_PERMISSION", 1, CLASS_CD);
    ram_set(&r, block + 8, 0);
    fails_at(&r, IOVA, false, "F_TRANSLATION", 1, CLASS_CD);
    ck_assert_uint_eq(EVENT(r.event, IPA) << 12, S2 + 0x8000);
    ram_set(&r, block + 8, NOTHING | 1 | AF | S2R | S2W | S2_WB);
    ck_assert(!dma(&r, IOVA, false));
    EXPECT_EVENT(&r, F_CD_FETCH);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING + 0x8000);
    ram_set(&r, S2 + 8, NOTHING | PAGE);
    fails_at(&r, IOVA, false, "F_WALK_EABT", 1, CLASS_CD);
    close_rig(&r);
}
END_TEST

START_TEST(nested_fetch_aborts)
{
    struct rig r = open_rig(3);
    const u64 block = S2 + 0x1000;
    SET_STE(&r, S1ContextPtr, (S2 + 0x8000) >> 6);
    for (unsigned n = 0; n < 8; n++)
        ram_set(&r, S2 + 0x8000 + 8 * n, r.cd[n]);
    write_config(&r);
    ram_set(&r, block, NOTHING | 1 | AF | S2R | S2W | S2_WB);
    fails_at(&r, IOVA, true, "F_WALK_EABT", 0, CLASS_TT);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING + 0x100000); /* its physical address */
    close_rig(&r);
}
END_TEST

/* ---- what becomes of faults ---- */

START_TEST(terminated_quietly)
{
    struct rig r = open_rig(1);
    u64 value = 5;
    SET_CD(&r, A, 0);
    write_config(&r);
    ck_assert(dma(&r, 0, true)); /* writes go nowhere */
    EXPECT_EVENT(&r, F_TRANSLATION);
    ck_assert(bus_dma(r.m, r.by, 0, &value, 8, false));
    ck_assert_uint_eq(value, 0);
    EXPECT_EVENT(&r, F_TRANSLATION);
    SET_CD(&r, R, 0);
    write_config(&r);
    ck_assert(dma(&r, 0, true));
    SET_CD(&r, A, 1);
    write_config(&r);
    ck_assert(!dma(&r, 0, true));
    ck_assert_uint_eq(next_event(&r), 0);
    ck_assert(!r.m->d.dma_stalled);
    close_rig(&r);
}
END_TEST

static void stalls(struct rig *r, u64 address, unsigned tag)
{
    ck_assert(!dma(r, address, true) && r->m->d.dma_stalled);
    EXPECT_EVENT(r, F_TRANSLATION);
    ck_assert_uint_eq(EVENT(r->event, Stall), 1);
    ck_assert_uint_eq(EVENT(r->event, STAG), tag);
}

START_TEST(stalled_and_resumed)
{
    struct rig r = open_rig(1);
    const u64 leaf = S1 + 0x2000, sid = (u64)SID << 32;
    SET_CD(&r, S, 1);
    SET_CD(&r, R, 0); /* stalls are always told of */
    write_config(&r);
    stalls(&r, 0, 0);
    ck_assert(!dma(&r, 0, true) && r.m->d.dma_stalled); /* again: it waits, and nobody is told */
    ck_assert_uint_eq(next_event(&r), 0);
    stalls(&r, 8, 1);
    arrives(&r, IOVA, DATA);              /* others go on */
    command(&r, 0x44 | sid | 1 << 12, 5); /* no such transaction */
    command(&r, 0x44 | sid << 1 | 1 << 12, 0);
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_WAITS);
    state(&r)->stall[0].state = STALL_RETRY; /* what CMD_RESUME decides, before the master hears of it */
    ram_set(&r, leaf, DATA | LEAF);
    ram_set(&r, DATA, 0);
    ck_assert(dma(&r, 0, true));
    ck_assert_uint_eq(ram(&r, DATA), 0x1122334455667788);
    ram_set(&r, leaf, 0);
    state(&r)->stall[1].state = STALL_ABORT;
    ck_assert(!dma(&r, 8, true) && !r.m->d.dma_stalled);
    ck_assert_uint_eq(next_event(&r), 0);
    stalls(&r, 8, 0);
    state(&r)->stall[0].state = STALL_IGNORE;
    ck_assert(dma(&r, 8, true));
    stalls(&r, 8, 0);
    command(&r, 0x44 | sid, 0); /* nobody makes it again: forgotten */
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_FREE);
    stalls(&r, 8, 0);
    command(&r, 0x45 | sid << 1, 0);
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_WAITS);
    command(&r, 0x45 | sid, 0);
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_FREE);
    stalls(&r, 8, 0);
    set(&r, CR0, CR0_MASK & ~1);
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_FREE);
    close_rig(&r);
}
END_TEST

START_TEST(stalls_wait_for_the_queue)
{
    struct rig r = open_rig(2);
    SET_STE(&r, S2S, 1);
    write_config(&r);
    for (u64 n = 0; n < 1 << LOG2; n++)
        ck_assert(!dma(&r, n * 8, true) && r.m->d.dma_stalled);
    ck_assert(!dma(&r, 0x800, true) && r.m->d.dma_stalled);
    ck_assert_uint_eq(state(&r)->stall[1 << LOG2].state, STALL_HELD);
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 1 << LOG2); /* not lost, and so no overflow */
    ck_assert(!dma(&r, 0x800, true) && r.m->d.dma_stalled);
    EXPECT_EVENT(&r, F_TRANSLATION);
    ck_assert_uint_eq(EVENT(r.event, S2), 1);
    ck_assert_uint_eq(state(&r)->stall[1 << LOG2].state, STALL_FREE); /* its master was asked to try again */
    ck_assert(!dma(&r, 0x800, true) && r.m->d.dma_stalled);
    ck_assert_uint_eq(state(&r)->stall[1 << LOG2].state, STALL_WAITS);
    while (next_event(&r))
        ;
    for (u64 n = 0; n < SMMU_STALLS; n++) {
        dma(&r, 0x1000 + 8 * n, true);
        next_event(&r);
    }
    ck_assert_uint_eq(state(&r)->crowded, 1);
    ck_assert(!dma(&r, 0x2000, true) && r.m->d.dma_stalled);
    ck_assert_uint_eq(next_event(&r), 0);
    command(&r, 0x44 | (u64)SID << 32, 3);
    ck_assert_uint_eq(state(&r)->crowded, 0);
    stalls(&r, 0x2000, 3);
    close_rig(&r);
}
END_TEST

/* What waits is state: after a restore it waits again, though in between none did. */
START_TEST(stalls_come_back)
{
    struct rig r = open_rig(1);
    SET_CD(&r, S, 1);
    write_config(&r);
    stalls(&r, 0, 0);
    u8 *waiting = malloc(state_size(r.m));
    state_save(r.m, waiting);
    command(&r, 0x45 | (u64)SID << 32, 0);
    arrives(&r, IOVA, DATA);
    state_load(r.m, waiting);
    free(waiting);
    ck_assert(!dma(&r, 0, true) && r.m->d.dma_stalled);
    ck_assert_uint_eq(next_event(&r), 0); /* which was told of before */
    command(&r, 0x45 | (u64)SID << 32, 0);
    ck_assert_uint_eq(state(&r)->stall[0].state, STALL_FREE);
    close_rig(&r);
}
END_TEST

/* An MSI of a function is translated, too. */
START_TEST(messages_are_translated)
{
    struct rig r = open_rig(1);
    u32 intid = 32 + 100;
    ck_assert(!bus_dma(r.m, r.by, row_get(ROW_gicd)->base + 0x40, &intid, 4, true));
    EXPECT_EVENT(&r, F_TRANSLATION);
    ram_set(&r, S1 + 0x2000 + 8 * 3, row_get(ROW_gicd)->base | LEAF);
    ck_assert(bus_dma(r.m, r.by, IOVA + 0x40, &intid, 4, true));
    ck_assert_uint_eq(r.m->gic.spi[3].latch, 1 << 4);
    close_rig(&r);
}
END_TEST

/* ---- those who look in ---- */

static void note_kept(void *ctx, const struct dma_note *note) { *(struct dma_note *)ctx = *note; }

START_TEST(dma_is_told)
{
    static const struct hooks hooks = { .dma = note_kept };
    struct rig r = open_rig(3);
    struct dma_note n;
    observer_attach(r.m, &hooks, &n, WANT_ALL);
    ram_set(&r, S1 + 0x2000 + 8 * 3, IPA | LEAF);
    ck_assert(dma(&r, IOVA, true));
    ck_assert(n.verdict == DMA_PASS && n.answered && n.write && n.size == 8 && n.address == IOVA);
    ck_assert(n.out.stages == 3 && n.out.ipa == IPA && n.out.pa == DATA && !n.out.event && !n.out.cause);
    ram_set(&r, S2 + 0x3000 + 8 * 3, DATA | PAGE | AF | S2R);
    ck_assert(!dma(&r, IOVA, true));
    ck_assert(n.verdict == DMA_ABORT && n.out.ipa == IPA);
    ck_assert_str_eq(n.out.event, "F_PERMISSION");
    ck_assert_str_eq(n.out.cause, fault_rule_text(RULE_WRITE));
    ram_set(&r, STRTAB + 64 * SID, 0);
    ck_assert(!dma(&r, IOVA, true));
    ck_assert_str_eq(n.out.cause, smmu_event_words(EVENT_C_BAD_STE));
    r.by.untranslated = true;
    ck_assert(!dma(&r, NOTHING, false));
    ck_assert(n.verdict == DMA_PASS && !n.answered && !n.write && !n.out.stages);
    close_rig(&r);
}
END_TEST

/* What a monitor command says. */
static char *monitor_says(struct rig *r, monitor_fn *says, const char *a, const char *b)
{
    static struct text out;
    struct debugger *d = calloc(1, sizeof(*d));
    struct monitor_line *l = calloc(1, sizeof(*l));
    text_free(&out);
    memset(&out, 0, sizeof(out));
    d->m = r->m;
    *l = (struct monitor_line){ .d = d, .out = &out, .word = { (char *)(uintptr_t)a, (char *)(uintptr_t)b } };
    l->count = a ? b ? 2 : 1 : 0;
    says(l);
    free(l);
    free(d);
    return out.s;
}
#define SAYS(text, part) ck_assert_msg(strstr(text, part), "%s\ndoes not say %s", text, part)

START_TEST(monitor_shows_it)
{
    struct rig r = open_rig(3);
    ram_set(&r, S1 + 0x2000 + 8 * 3, IPA | LEAF | READ_ONLY);
    const char *said = monitor_says(&r, cmd_smmu, "5", "0x3000");
    SAYS(said, "STE at 0x40030140: stage 1 and stage 2 translate; V=0x1 Config=0x7");
    SAYS(said, "CD at ipa 0x40050000:");
    SAYS(said, " TTB0=0x40100000");
    SAYS(said, "read: 0x3000 -> ipa 0x80003000 -> pa 0x40400000\n");
    SAYS(said, "write: F_PERMISSION: ");
    SAYS(said, ", stage 1 level 3, the address itself, descriptor [0x40102018] = 0x800034c3\n");
    SAYS(monitor_says(&r, cmd_smmu, "4", "0x3000"), "C_BAD_STE");
    ck_assert_uint_eq(next_event(&r), 0); /* looking changes nothing */
    SAYS(monitor_says(&r, cmd_why, "dma", NULL), "no DMA has failed");
    ck_assert(!dma(&r, IOVA, true));
    SAYS(monitor_says(&r, cmd_why, "dma", NULL), "last fault: F_PERMISSION, stream 0x5, write of 0x3000, stage 1");
    said = monitor_says(&r, cmd_smmu, NULL, NULL);
    SAYS(said, "SMMU enabled; stages 1 2, EL2; output of 44 bits");
    SAYS(said, "event queue at 0x40020000, 8 entries, 1 in it\n");
    SAYS(monitor_says(&r, cmd_smmu, "streams", NULL), "stream 0x5 (00:00.5)\n");
    SAYS(monitor_says(&r, cmd_smmu, "streams", "x"), "usage");
    close_rig(&r);
}
END_TEST

Suite *test_smmu_dma_suite(void);
Suite *test_smmu_dma_suite(void)
{
    Suite *s = suite_create("smmu_dma");
    TCase *t = tcase_create("smmu_dma");
    tcase_add_test(t, stage_1_faults);
    tcase_add_test(t, attributes_are_overridden);
    tcase_add_test(t, flags_of_descriptors);
    tcase_add_test(t, worlds_and_halves);
    tcase_add_test(t, granules);
    tcase_add_test(t, stage_2_faults);
    tcase_add_test(t, nested_faults);
    tcase_add_test(t, nested_fetch_aborts);
    tcase_add_test(t, terminated_quietly);
    tcase_add_test(t, stalled_and_resumed);
    tcase_add_test(t, stalls_wait_for_the_queue);
    tcase_add_test(t, stalls_come_back);
    tcase_add_test(t, messages_are_translated);
    tcase_add_test(t, dma_is_told);
    tcase_add_test(t, monitor_shows_it);
    suite_add_tcase(s, t);
    return s;
}
