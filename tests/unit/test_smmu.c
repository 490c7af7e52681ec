/* The SMMU: registers, queues, stream tables, context descriptors (IHI 0070 3 to 7), and hostile guests. */
#include "tests/unit/smmu_rig.h"

START_TEST(identification)
{
    struct rig r = open_rig(1);
    ck_assert_uint_eq(get(&r, 0x00), 0x080c729b); /* both stages, Hyp, HTTU 2, stall and terminate */
    ck_assert_uint_eq(get(&r, 0x04) & 0x7ff, SMMU_SIDSIZE | SMMU_SSIDSIZE << 6);
    ck_assert_uint_eq(get(&r, 0x14), 0x00200074); /* the PE's 44 bits */
    ck_assert_uint_eq(get(&r, 0x1c), 2);
    ck_assert_uint_eq(get(&r, 0x8004), 0); /* S_IDR1: no Secure state */
    ck_assert_uint_eq(get(&r, 0xff0), 0x0d);
    close_rig(&r);
}
END_TEST

static void stage_1(struct machine_config *c) { c->options.smmu_stage = 1; }
static void stage_2(struct machine_config *c) { c->options.smmu_stage = 2; }
static void no_el2(struct machine_config *c) { c->options.virtualization = 0; }

START_TEST(stages_are_an_option)
{
    static const struct {
        void (*change)(struct machine_config *c);
        u32 stages; /* Hyp, S1P, S2P */
        u64 illegal[3];
        const char *event[3]; /* of Config 5, 6, 7 */
    } cases[] = {
        { stage_1, 0x202, { 0x28, 0x2a, 0x1045 }, { "none", "C_BAD_STE", "C_BAD_STE" } },
        { stage_2, 0x001, { 0x10, 0x05, 0x22 }, { "C_BAD_STE", "none", "C_BAD_STE" } },
        { no_el2, 0x003, { 0x20, 0x21, 0x23 }, { "none", "none", "none" } },
    };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct rig r = open_with(cases[n].change, 1);
        ck_assert_uint_eq(get(&r, 0) & 0x203, cases[n].stages);
        for (unsigned k = 0; k < 3; k++) {
            command(&r, cases[n].illegal[k] & 0xff, cases[n].illegal[k] >> 12);
            ck_assert_msg(command_error(&r) == (cases[n].illegal[k] < 0x1000), "case %u, %u", n, k);
            set(&r, CMDQ_PROD, get(&r, CMDQ_CONS) & 0xfffff);
            set(&r, GERRORN, get(&r, GERROR));
            config(&r, k + 1);
            dma(&r, k == 0 ? IOVA : k == 1 ? IPA : IOVA, false);
            ck_assert_str_eq(name_of(next_event(&r)), cases[n].event[k]);
        }
        close_rig(&r);
    }
}
END_TEST

/* What is locked while it is in use, and what is acknowledged. */
START_TEST(registers_are_locked)
{
    struct rig r = open_rig(1);
    static const struct {
        unsigned offset;
        u64 value, on, off; /* with all enabled, with none */
    } cases[] = {
        { CR1, 0xfff, 0, 0xfff },
        { CR2, 7, 2, 7 },
        { STRTAB_CFG, 0x307ff, LOG2, 0x307ff },
        { CMDQ_CONS, 0xffffffff, 0, 0x7f0fffff },
        { EVENTQ_PROD, 0xffffffff, 0, 0x800fffff },
        { EVENTQ_CONS, 0x80000000, 0x80000000, 0x80000000 },
        { GERROR_IRQ + 8, 0x1234, 0, 0x1234 },
        { EVENTQ_IRQ + 12, 0xff, 0, 0x3f },
    };
    for (unsigned on = 2; on-- > 0;) {
        for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
            set(&r, cases[n].offset, cases[n].value);
            ck_assert_msg(get(&r, cases[n].offset) == (on ? cases[n].on : cases[n].off), "%u 0x%x: 0x%llx", on,
                          cases[n].offset, (unsigned long long)get(&r, cases[n].offset));
        }
        set64(&r, STRTAB_BASE, ~(u64)0);
        ck_assert_uint_eq(get64(&r, STRTAB_BASE), on ? STRTAB : 0x400fffffffffffc0);
        ck_assert_uint_eq(get(&r, CR0ACK), on ? CR0_MASK : 0);
        ck_assert_uint_eq(get(&r, IRQ_CTRLACK), on ? IRQ_CTRL_MASK : 0);
        set(&r, CR0, 0);
        set(&r, IRQ_CTRL, 0);
    }
    set(&r, STRTAB_BASE + 4, 0xffffffff); /* halves; read-only ones */
    set(&r, STRTAB_BASE, 0x1000);
    ck_assert_uint_eq(get64(&r, STRTAB_BASE), 0x400fffff00001000);
    set(&r, GERROR, 1);
    ck_assert_uint_eq(get(&r, GERROR), 0);
    set(&r, GBPA, 0x100000);
    ck_assert_uint_eq(get(&r, GBPA), 0x1000); /* without Update */
    set(&r, GBPA, 0x80100000);
    ck_assert_uint_eq(get(&r, GBPA), 0x100000);
    close_rig(&r);
}
END_TEST

START_TEST(wrong_accesses)
{
    struct rig r = open_rig(1);
    u64 value;
    ck_assert(bus_get(r.f, BASE + CR0, 8, &value));
    ck_assert_uint_eq(value, 0);
    ck_assert(bus_get(r.f, BASE + CR0, 2, &value));
    ck_assert_uint_eq(value, 0);
    ck_assert_uint_eq(get(&r, 0xe000), 0);
    set(&r, 0x200, 1);
    set(&r, 0x1fffc, 1);
    ck_assert_uint_eq(get(&r, 0x200), 0);
    close_rig(&r);
}
END_TEST

/* ---- commands ---- */

START_TEST(commands_that_are_legal)
{
    struct rig r = open_rig(1);
    static const u64 opcodes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13,
                                   0x20, 0x21, 0x22, 0x23, 0x28, 0x2a, 0x30, 0x44, 0x45, 0x46 };
    for (unsigned n = 0; n < ARRAY_LEN(opcodes); n++) {
        command(&r, opcodes[n], 0);
        ck_assert_msg(get(&r, CMDQ_CONS) == ((n + 1) & 15) && !command_error(&r), "opcode 0x%x", (unsigned)opcodes[n]);
    }
    ck_assert(!rang(&r, WIRE_GERROR));
    close_rig(&r);
}
END_TEST

START_TEST(commands_that_are_not)
{
    static const u64 commands[][2] = {
        { 0x00 }, { 0x07 },   { 0x18 },        { 0x1a },        { 0x40 },        { 0x41 },  { 0x50 },
        { 0x60 }, { 0x70 },   { 0x403 },       { 0x401 },       { 0x444 },       { 0x445 }, { 0xff },
        { 0x80 }, { 0x3046 }, { 0x12, 0x400 }, { 0x2a, 0x800 }, { 0x22, 0xc00 },
    };
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++) {
        struct rig r = open_rig(1);
        command(&r, 0x30, 0);
        command(&r, commands[n][0], commands[n][1]);
        command(&r, 0x46 | 1 << 12, 0);
        ck_assert_uint_eq(get(&r, CMDQ_CONS), 0x01000001); /* CERROR_ILL, and it stays at the command */
        ck_assert(command_error(&r) && rang(&r, WIRE_GERROR) && !rang(&r, WIRE_CMD_SYNC));
        ram_set(&r, CMDQ + 16, 0x30);
        set(&r, CMDQ_PROD, 3); /* nothing goes on before the error is acknowledged */
        ck_assert_uint_eq(get(&r, CMDQ_CONS) & 0xfffff, 1);
        set(&r, GERRORN, 1);
        ck_assert_uint_eq(get(&r, CMDQ_CONS) & 0xfffff, 3);
        ck_assert(rang(&r, WIRE_CMD_SYNC) && !command_error(&r));
        close_rig(&r);
    }
}
END_TEST

START_TEST(command_queue_that_is_not_there)
{
    struct rig r = open_rig(1);
    set(&r, CR0, 0);
    set64(&r, CMDQ_BASE, NOTHING | LOG2);
    set(&r, CR0, CR0_MASK);
    set(&r, CMDQ_PROD, 1);
    ck_assert_uint_eq(get(&r, CMDQ_CONS), 0x02000000);
    ck_assert(command_error(&r));
    set(&r, CR0, 0);
    set64(&r, CMDQ_BASE, CMDQ | 31); /* larger than there is */
    set(&r, CMDQ_PROD, 0xfffff);
    set(&r, GERRORN, 1);
    set(&r, CR0, CR0_MASK);
    ck_assert_uint_eq(get(&r, CMDQ_CONS) >> 24, 1);
    close_rig(&r);
}
END_TEST

START_TEST(sync_says_that_it_is_done)
{
    struct rig r = open_rig(1);
    struct cpu *cpu = &r.m->d.cpu[0];
    command(&r, 0x46, MSI);
    ck_assert(!rang(&r, WIRE_CMD_SYNC));
    ck_assert_uint_eq(ram(&r, MSI), 0);
    command(&r, 0x46 | 1 << 12 | 0x1234ull << 32, MSI | 3); /* an MSI into memory, and the wire */
    ck_assert(rang(&r, WIRE_CMD_SYNC));
    ck_assert_uint_eq(ram(&r, MSI), 0x1234);
    command(&r, 0x46 | 1 << 12 | (u64)(32 + 100) << 32, row_get(ROW_gicd)->base + 0x40);
    ck_assert_uint_eq(r.m->gic.spi[3].latch, 1 << 4);
    cpu->event = 0;
    command(&r, 0x46 | 2 << 12, MSI);
    ck_assert_uint_eq(cpu->event, 1);
    command(&r, 0x46 | 1 << 12, NOTHING);
    ck_assert_uint_eq(get(&r, GERROR), 1 << GERROR_MSI_CMDQ_ABT);
    ck_assert(rang(&r, WIRE_GERROR));
    command(&r, 0x46 | 1 << 12, NOTHING); /* not told of twice */
    ck_assert(!rang(&r, WIRE_GERROR));
    ck_assert_uint_eq(get(&r, CMDQ_CONS), 6);
    close_rig(&r);
}
END_TEST

/* ---- events ---- */

START_TEST(event_queue_overflows)
{
    struct rig r = open_rig(1);
    ram_set(&r, STRTAB + 64 * SID, 0);
    for (unsigned n = 0; n < 1 << LOG2; n++) {
        ck_assert(!dma(&r, IOVA, false));
        ck_assert(rang(&r, WIRE_EVENTQ) == (n == 0)); /* when it was empty */
    }
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 1 << LOG2);
    ck_assert(!dma(&r, IOVA, false));
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 0x80000000 | 1 << LOG2);
    ck_assert(!dma(&r, IOVA, false));
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 0x80000000 | 1 << LOG2); /* not told of twice */
    for (unsigned n = 0; n < 1 << LOG2; n++)
        EXPECT_EVENT(&r, C_BAD_STE);
    set(&r, EVENTQ_CONS, get(&r, EVENTQ_PROD));
    ck_assert(!dma(&r, IOVA, false));
    ck_assert(rang(&r, WIRE_EVENTQ));
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 0x80000000 | ((1 << LOG2) + 1));
    close_rig(&r);
}
END_TEST

START_TEST(event_queue_interrupts)
{
    struct rig r = open_rig(1);
    ram_set(&r, STRTAB + 64 * SID, 0);
    set(&r, IRQ_CTRL, 0);
    ck_assert(!dma(&r, IOVA, false) && !rang(&r, WIRE_EVENTQ));
    EXPECT_EVENT(&r, C_BAD_STE);
    set64(&r, EVENTQ_IRQ, MSI);
    set(&r, EVENTQ_IRQ + 8, 0x4321);
    set(&r, IRQ_CTRL, IRQ_CTRL_MASK);
    ck_assert(!dma(&r, IOVA, false) && rang(&r, WIRE_EVENTQ));
    ck_assert_uint_eq(ram(&r, MSI), 0x4321);
    EXPECT_EVENT(&r, C_BAD_STE);
    set(&r, IRQ_CTRL, 0);
    set64(&r, EVENTQ_IRQ, NOTHING);
    set64(&r, GERROR_IRQ, NOTHING);
    set(&r, IRQ_CTRL, IRQ_CTRL_MASK);
    ck_assert(!dma(&r, IOVA, false));
    ck_assert_uint_eq(get(&r, GERROR), 1 << GERROR_MSI_EVENTQ_ABT | 1 << GERROR_MSI_GERROR_ABT);
    set(&r, CR0, 0);
    set64(&r, EVENTQ_BASE, NOTHING);
    set(&r, EVENTQ_PROD, 0);
    set(&r, EVENTQ_CONS, 0);
    set(&r, CR0, CR0_MASK);
    rang(&r, WIRE_EVENTQ);
    ck_assert(!dma(&r, IOVA, false) && !rang(&r, WIRE_EVENTQ));
    ck_assert_uint_eq(get(&r, GERROR) >> GERROR_EVENTQ_ABT & 1, 1);
    ck_assert_uint_eq(get(&r, EVENTQ_PROD), 0);
    close_rig(&r);
}
END_TEST

/* ---- bypass ---- */

START_TEST(disabled_and_bypassed)
{
    struct rig r = open_rig(0);
    arrives(&r, DATA, DATA);
    fails_at(&r, BIT(44) | DATA, true, "F_ADDR_SIZE", 0, CLASS_IN);
    SET_STE(&r, Config, 3);
    write_config(&r);
    ck_assert(!dma(&r, DATA, true)); /* aborts without a word */
    ck_assert_uint_eq(next_event(&r), 0);
    r.by.untranslated = true;
    arrives(&r, DATA, DATA);
    r.by.untranslated = false;
    set(&r, CR0, CR0_MASK & ~1);
    arrives(&r, DATA, DATA);
    ck_assert(!dma(&r, BIT(44) | DATA, true));
    set(&r, GBPA, 0x80100000);
    ck_assert(!dma(&r, DATA, true));
    ck_assert_uint_eq(next_event(&r), 0);
    close_rig(&r);
}
END_TEST

/* ---- stream tables ---- */

START_TEST(linear_stream_table)
{
    struct rig r = open_rig(1);
    arrives(&r, IOVA, DATA);
    r.by.stream = 8;
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_STREAMID);
    ck_assert_uint_eq(r.event[0] >> 32, 8);
    ck_assert_uint_eq(r.event[1] | r.event[2] | r.event[3], 0);
    r.by.stream = 7;
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_STE);
    set(&r, CR0, CR0_MASK & ~1);
    set(&r, CR2, 0);
    set64(&r, STRTAB_BASE, NOTHING);
    set(&r, CR0, CR0_MASK);
    r.by.stream = 8;
    ck_assert(!dma(&r, IOVA, true)); /* not recorded */
    r.by.stream = SID;
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, F_STE_FETCH);
    ck_assert_uint_eq(EVENT(r.event, FetchAddr) << 3, NOTHING + 64 * SID);
    close_rig(&r);
}
END_TEST

START_TEST(stream_table_of_two_levels)
{
    static const struct {
        u32 log2, split, sid, span;
        const char *event;
    } cases[] = {
        { 16, 8, 0x1234, 9, "none" },
        { 16, 8, 0x1234, 10, "C_BAD_STREAMID" },
        { 16, 8, 0x1234, 6, "C_BAD_STREAMID" },
        { 16, 8, 0x1234, 7, "none" },
        { 16, 8, 0x1234, 0, "C_BAD_STREAMID" },
        { 16, 6, 0x1234, 7, "none" },
        { 16, 10, 0x1234, 11, "none" },
        { 16, 7, 0x1234, 7, "none" },
        { 12, 8, 0x1234, 9, "C_BAD_STREAMID" },
        { 13, 8, 0x1234, 9, "none" },
        { 31, 8, 0x11234, 9, "C_BAD_STREAMID" },
        { 5, 8, 0x14, 9, "none" },
    };
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct rig r = open_rig(1);
        u32 split = cases[n].split == 7 ? 6 : cases[n].split, index = cases[n].sid & ((1u << split) - 1);
        set(&r, CR0, CR0_MASK & ~1);
        set64(&r, STRTAB_BASE, S2); /* as large as it may be */
        set(&r, STRTAB_CFG, 1 << 16 | cases[n].split << 6 | cases[n].log2);
        set(&r, CR0, CR0_MASK);
        for (unsigned k = 0; k < 8; k++)
            ram_set(&r, STRTAB2 + 64 * index + 8 * k, r.ste[k]);
        ram_set(&r, S2 + 8 * (u64)(cases[n].sid >> split), STRTAB2 | 0x40 | cases[n].span); /* aligned by the SMMU */
        r.by.stream = cases[n].sid;
        bool passes = !strcmp(cases[n].event, "none");
        ck_assert_msg(dma(&r, IOVA, true) == passes, "case %u", n);
        ck_assert_str_eq(name_of(next_event(&r)), cases[n].event);
        close_rig(&r);
    }
}
END_TEST

/* ---- illegal entries ---- */

struct illegal {
    unsigned stages, hi, lo;
    u64 value;
    bool legal;
};
#define BAD(stages, structure, name, value)  { stages, structure##_##name##_END, structure##_##name, value, false }
#define GOOD(stages, structure, name, value) { stages, structure##_##name##_END, structure##_##name, value, true }

static void illegal_check(const struct illegal *cases, unsigned count, bool cd, const char *event)
{
    for (unsigned n = 0; n < count; n++) {
        struct rig r = open_rig(cases[n].stages);
        words_field_set(cd ? r.cd : r.ste, cases[n].hi, cases[n].lo, cases[n].value);
        write_config(&r);
        dma(&r, cases[n].stages == 2 ? IPA : IOVA, false);
        bool is = next_event(&r) == (cd ? EVENT_C_BAD_CD : EVENT_C_BAD_STE);
        ck_assert_msg(is != cases[n].legal, "%s, case %u: <%u:%u> = 0x%llx", event, n, cases[n].hi, cases[n].lo,
                      (unsigned long long)cases[n].value);
        close_rig(&r);
    }
}

/* A table where another one was, or is smaller: what the first one said counts no more. */
START_TEST(stream_table_that_moves)
{
    struct rig r = open_rig(1);
    arrives(&r, IOVA, DATA);
    set(&r, CR0, 0);
    set64(&r, STRTAB_BASE, STRTAB2);
    set(&r, CR0, CR0_MASK);
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_STE);
    ram_set(&r, STRTAB2 + 64 * SID, 1 | 4 << 1);
    arrives(&r, DATA, DATA);
    set(&r, CR0, 0);
    set64(&r, STRTAB_BASE, STRTAB);
    set(&r, CR0, CR0_MASK);
    arrives(&r, IOVA, DATA);
    set(&r, CR0, 0);
    set(&r, STRTAB_CFG, 1);
    set(&r, CR0, CR0_MASK);
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_STREAMID);
    set(&r, CR0, 0);
    arrives(&r, DATA, DATA);
    close_rig(&r);
}
END_TEST

START_TEST(illegal_stream_table_entries)
{
    static const struct illegal cases[] = {
        BAD(1, STE, V, 0),
        BAD(0, STE, V, 0),
        BAD(1, STE, S1CDMax, 21),
        GOOD(1, STE, S1CDMax, 20),
        GOOD(2, STE, S1CDMax, 31),
        BAD(1, STE, STRW, 1),
        BAD(1, STE, STRW, 3),
        GOOD(1, STE, STRW, 2),
        GOOD(3, STE, STRW, 3),
        GOOD(0, STE, STRW, 1),
        BAD(1, STE, S1ContextPtr, BIT(44) >> 6),
        BAD(2, STE, S2AA64, 0),
        GOOD(1, STE, S2AA64, 0),
        BAD(2, STE, S2TG, 3),
        BAD(2, STE, S2T0SZ, 15),
        BAD(2, STE, S2T0SZ, 19),
        BAD(2, STE, S2T0SZ, 49),
        GOOD(2, STE, S2T0SZ, 24),
        BAD(2, STE, S2SL0, 2),
        BAD(2, STE, S2TTB, BIT(40) >> 4),
        BAD(3, STE, S2TG, 3),
        GOOD(2, STE, S2HA, 1),
        GOOD(2, STE, S2HD, 1),
        GOOD(2, STE, S2ENDI, 1),
        GOOD(2, STE, S2S, 1),
        GOOD(1, STE, S1STALLD, 1),
        GOOD(2, STE, S2PS, 7),
    };
    illegal_check(cases, ARRAY_LEN(cases), false, "C_BAD_STE");
}
END_TEST

START_TEST(illegal_context_descriptors)
{
    static const struct illegal cases[] = {
        BAD(1, CD, V, 0),
        BAD(1, CD, AA64, 0),
        BAD(1, CD, TG0, 3),
        BAD(1, CD, T0SZ, 15),
        BAD(1, CD, T0SZ, 49),
        GOOD(1, CD, T0SZ, 16),
        GOOD(1, CD, T0SZ, 48),
        BAD(1, CD, TTB0, BIT(40) >> 4),
        GOOD(1, CD, TTB1, BIT(47) >> 4),
        GOOD(1, CD, T1SZ, 1),
        GOOD(1, CD, TG1, 0),
        BAD(1, CD, EPD1, 0),
        GOOD(1, CD, EPD0, 1),
        GOOD(1, CD, ENDI, 1),
        GOOD(1, CD, HD, 1),
        GOOD(1, CD, HA, 1),
        GOOD(1, CD, S, 1),
        GOOD(1, CD, A, 0),
        GOOD(1, CD, IPS, 7),
        BAD(3, CD, V, 0),
    };
    illegal_check(cases, ARRAY_LEN(cases), true, "C_BAD_CD");
    struct rig r = open_rig(1);
    SET_CD(&r, S, 1);
    SET_STE(&r, S1STALLD, 1);
    write_config(&r);
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_CD);
    close_rig(&r);
}
END_TEST

/* ---- substreams ---- */

START_TEST(substreams)
{
    static const struct {
        u32 max, s1dss, ssid;
        const char *event;
    } cases[] = {
        { 0, 0, NO_SUBSTREAM, "none" },
        { 0, 0, 0, "C_BAD_SUBSTREAMID" },
        { 4, 0, NO_SUBSTREAM, "F_STREAM_DISABLED" },
        { 4, 3, NO_SUBSTREAM, "F_STREAM_DISABLED" },
        { 4, 2, NO_SUBSTREAM, "none" },
        { 4, 2, 0, "F_STREAM_DISABLED" },
        { 4, 0, 0, "none" },
        { 4, 2, 3, "none" },
        { 4, 2, 4, "C_BAD_CD" },
        { 4, 2, 16, "C_BAD_SUBSTREAMID" },
        { 4, 2, 0xfffff, "C_BAD_SUBSTREAMID" },
    };
    for (unsigned format = 0; format < 4; format++)
        for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
            struct rig r = open_rig(1);
            bool two = (format == 1 || format == 2) && cases[n].max;
            SET_STE(&r, S1CDMax, cases[n].max);
            SET_STE(&r, S1DSS, cases[n].s1dss);
            SET_STE(&r, S1Fmt, format);
            write_config(&r);
            for (unsigned k = 0; k < 8; k++) {
                if (two)
                    ram_set(&r, CDS2 + 8 * k, r.cd[k]);
                ram_set(&r, (two ? CDS2 : CDS) + 3 * 64 + 8 * k, r.cd[k]);
            }
            if (two)
                ram_set(&r, CDS, CDS2 | 1);
            r.by.substream = cases[n].ssid;
            r.by.has_substream = cases[n].ssid != NO_SUBSTREAM;
            bool passes = !strcmp(cases[n].event, "none");
            ck_assert_msg(dma(&r, IOVA, true) == passes, "format %u, case %u: 0x%x", format, n, next_event(&r));
            ck_assert_str_eq(name_of(next_event(&r)), cases[n].event);
            if (!passes && cases[n].ssid != NO_SUBSTREAM && strcmp(cases[n].event, "F_STREAM_DISABLED"))
                ck_assert_uint_eq(EVENT(r.event, SubstreamID), cases[n].ssid);
            close_rig(&r);
        }
}
END_TEST

START_TEST(substreams_of_two_levels)
{
    struct rig r = open_rig(1);
    SET_STE(&r, S1CDMax, 20);
    SET_STE(&r, S1DSS, 1);
    SET_STE(&r, S1Fmt, 1);
    write_config(&r);
    arrives(&r, DATA, DATA); /* stage 1 is passed by */
    fails_at(&r, BIT(44), true, "F_ADDR_SIZE", 0, CLASS_IN);
    ram_set(&r, CDS + 8 * 2, CDS2 | 1);
    for (unsigned k = 0; k < 8; k++)
        ram_set(&r, CDS2 + 64 * 5 + 8 * k, r.cd[k]);
    r.by.has_substream = true;
    r.by.substream = 2 * 64 + 5;
    arrives(&r, IOVA, DATA);
    r.by.substream = 3 * 64 + 5;
    ck_assert(!dma(&r, IOVA, true));
    EXPECT_EVENT(&r, C_BAD_SUBSTREAMID);
    ck_assert_uint_eq(r.event[0], 8 | (u64)(3 * 64 + 5) << 12 | (u64)SID << 32);
    SET_STE(&r, S1Fmt, 2);
    write_config(&r);
    ram_set(&r, CDS + 8 * 1, CDS2 | 1);
    r.by.substream = 1024 + 5;
    arrives(&r, IOVA, DATA);
    close_rig(&r);
}
END_TEST

START_TEST(hostile_state)
{
    struct rig r = open_rig(1);
    struct smmu *s = state(&r);
    ck_assert_ptr_null(machine_validate(r.m));
    s->stall[3].state = STALL_STATES;
    ck_assert_ptr_nonnull(machine_validate(r.m));
    s->stall[3].state = 0;
    s->last_rule = RULE_COUNT;
    ck_assert_ptr_nonnull(machine_validate(r.m));
    s->last_rule = 0;
    s->cmdq_prod = BIT(32);
    ck_assert_ptr_nonnull(machine_validate(r.m));
    close_rig(&r);
}
END_TEST

/* ---- hostile guests ---- */

static u64 random_next(u64 *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* A word that may mean something as a table, a structure, a command or a register. */
static u64 random_word(u64 *x)
{
    u64 a = random_next(x), b = random_next(x);
    switch (a % 6) {
    case 0: return b;
    case 1: return b >> b % 64;
    case 2: return (RAM + (b & 0x5ff000)) | (a >> 8 & 0xfff);
    case 3: return (RAM + (b & 0x5ff000)) | LEAF | S2W;
    case 4: return BIT(b % 64);
    default: return ~BIT(b % 64);
    }
}

static void random_step(struct rig *r, u64 *x)
{
    static const u64 places[] = { STRTAB, CDS,         S1,          S1 + 0x1000, S1 + 0x2000,
                                  S2,     S2 + 0x1000, S2 + 0x2000, S2 + 0x3000, CMDQ };
    u64 kind = random_next(x), value = random_word(x), where = random_next(x);
    u8 bytes[256] = { 0 };
    switch (kind % 8) {
    case 0:
        bus_ops.write(r->m, BASE + (where & 0x1fff8) % (where >> 20 & 1 ? 0x20000 : 0xc0), kind & 64 ? 8 : 4,
                      phys_attrs_make(true, 0, true), value);
        break;
    case 1:
    case 2: ram_set(r, places[where % ARRAY_LEN(places)] + (where >> 32) % 0x200 * 8 % 0x1000, value); break;
    case 3: command(r, (kind >> 8 & 0x7f) | (value << 8), random_word(x)); break;
    case 4:
        tables(r);
        config(r, 1 + kind / 8 % 3);
        set(r, CR0, 0);
        set(r, GERRORN, get(r, GERROR));
        enable(r);
        break;
    case 5:
        words_field_set(kind & 64 ? r->ste : r->cd, 511, 504, 0), r->ste[where % 4] ^= value & 0xffffffffffff0000,
            write_config(r);
        break;
    default:
        r->by.stream = kind & 64 ? SID : (u32)(where & 0xffff);
        r->by.has_substream = !(kind & 0x700);
        r->by.substream = (u32)where & 0xfffff;
        r->by.privileged = kind >> 12 & 1, r->by.fetch = kind >> 13 & 1;
        bus_dma(r->m, r->by, kind & 128 ? value : IOVA + (value & 0x7ff), bytes, where % sizeof(bytes), kind >> 14 & 1);
    }
}

/* Random registers, structures, tables, commands and DMA: nothing crashes, and the state stays one that can be
 * restored. SMMU_STEPS: how many; make soak makes ten million. */
START_TEST(hostile_guests)
{
    const char *steps = getenv("SMMU_STEPS");
    u64 count = steps ? strtoull(steps, NULL, 0) : 40000, x = 0x9e3779b97f4a7c15;
    struct rig r = open_rig(3);
    for (u64 n = 0; n < count; n++) {
        random_step(&r, &x);
        if (n % 512 == 0)
            ck_assert_ptr_null(machine_validate(r.m));
    }
    close_rig(&r);
}
END_TEST

/* What is known of streams and of walks shows nowhere: a machine that forgets it before each transaction goes the same
 * way, whatever a guest changes without a word. */
START_TEST(what_is_known_shows_nowhere)
{
    enum { STEPS = 20000, USED = 0x600000 };
    u64 x[2] = { 0x2545f4914f6cdd1d, 0x2545f4914f6cdd1d }, passed = 0;
    struct rig r[2] = { open_rig(3), open_rig(3) };
    struct memo *memo = r[1].m->d.memo;
    r[1].m->d.memo = NULL;
    for (unsigned n = 0; n < STEPS; n++) {
        bool ok[2];
        for (unsigned k = 0; k < 2; k++) {
            random_step(&r[k], &x[k]);
            if (k)
                memset(r[k].m->d.derived, 0, r[k].m->d.derived_bytes);
            u64 value = random_next(&x[k]);
            r[k].by = (struct requester){ .stream = SID, .privileged = value >> 60 & 1 };
            ok[k] = bus_dma(r[k].m, r[k].by, IOVA + (value & 0xff8), &value, 8, value >> 61 & 1);
        }
        passed += ok[0];
        ck_assert_msg(ok[0] == ok[1] && x[0] == x[1] && !memcmp(state(&r[0]), state(&r[1]), sizeof(struct smmu)),
                      "step %u", n);
        if (n % 256 == 0)
            ck_assert(!memcmp(r[0].m->d.phys.region[0].host, r[1].m->d.phys.region[0].host, USED));
    }
    ck_assert_uint_gt(passed, STEPS / 8);
    r[1].m->d.memo = memo;
    for (unsigned k = 0; k < 2; k++)
        close_rig(&r[k]);
}
END_TEST

Suite *test_smmu_suite(void);
Suite *test_smmu_suite(void)
{
    Suite *s = suite_create("smmu");
    TCase *t = tcase_create("smmu");
    tcase_add_test(t, identification);
    tcase_add_test(t, stages_are_an_option);
    tcase_add_test(t, registers_are_locked);
    tcase_add_test(t, wrong_accesses);
    tcase_add_test(t, commands_that_are_legal);
    tcase_add_test(t, commands_that_are_not);
    tcase_add_test(t, command_queue_that_is_not_there);
    tcase_add_test(t, sync_says_that_it_is_done);
    tcase_add_test(t, event_queue_overflows);
    tcase_add_test(t, event_queue_interrupts);
    tcase_add_test(t, disabled_and_bypassed);
    tcase_add_test(t, linear_stream_table);
    tcase_add_test(t, stream_table_of_two_levels);
    tcase_add_test(t, stream_table_that_moves);
    tcase_add_test(t, illegal_stream_table_entries);
    tcase_add_test(t, illegal_context_descriptors);
    tcase_add_test(t, substreams);
    tcase_add_test(t, substreams_of_two_levels);
    tcase_add_test(t, hostile_state);
    suite_add_tcase(s, t);
    TCase *hostile = tcase_create("hostile");
    tcase_add_test(hostile, hostile_guests);
    tcase_add_test(hostile, what_is_known_shows_nowhere);
    tcase_set_timeout(hostile, getenv("SMMU_STEPS") ? 0 : 60);
    suite_add_tcase(s, hostile);
    return s;
}
