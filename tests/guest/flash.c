/* The second bank of NOR flash: two chips of 16 bits with the Intel command set (JEDEC JESD68.01; Intel's CFI
 * publication 0x0001), driven as U-Boot's and EDK2's drivers do it: each command in both halves of a word. */
#include "rt.h"

#define BANK    0x04000000ul
#define BLOCK   0x40000ul
#define CHIPS(v) ((v) | (u32)(v) << 16)
#define READY   CHIPS(0x80)

static void command(u64 at, u32 code) { MMIO32(at) = CHIPS(code); }
static u32 status(u64 at)
{
    command(at, 0x70);
    return MMIO32(at);
}
static void array(u64 at) { command(at, 0xff); }

static void clear(u64 at)
{
    command(at, 0x50);
    array(at);
}

static u32 erase(u64 block)
{
    command(block, 0x20);
    command(block, 0xd0);
    u32 s = status(block);
    array(block);
    return s;
}

static u32 program(u64 at, u32 word)
{
    command(at, 0x40);
    MMIO32(at) = word;
    u32 s = status(at);
    array(at);
    return s;
}

static void query(void)
{
    command(BANK + 4 * 0x55, 0x98);
    check_eq("query: QRY",
             MMIO32(BANK + 4 * 0x10) == CHIPS('Q') && MMIO32(BANK + 4 * 0x11) == CHIPS('R') &&
                 MMIO32(BANK + 4 * 0x12) == CHIPS('Y'),
             true);
    check_eq("query: Intel's command set", MMIO32(BANK + 4 * 0x13), CHIPS(1));
    check_eq("query: a chip has 32 MiB", MMIO32(BANK + 4 * 0x27), CHIPS(25));
    check_eq("query: one region of 256 blocks", MMIO32(BANK + 4 * 0x2c) << 8 | (MMIO32(BANK + 4 * 0x2d) & 0xff),
             CHIPS(1u) << 8 | 255);
    check_eq("query: of 128 KiB in each chip", MMIO32(BANK + 4 * 0x30) & 0xff, 2);
    command(BANK, 0x90);
    check_eq("identification: Intel", MMIO32(BANK), CHIPS(0x89));
    check_eq("identification: byte access", MMIO8(BANK), 0x89);
    array(BANK);
    check(MMIO32(BANK) != CHIPS(0x89), "read array ends identification");
}

static void words(void)
{
    check_eq("erase: ready, no error", erase(BANK), READY);
    check_eq("erase: all ones", MMIO32(BANK + BLOCK - 4), ~0u);
    check_eq("program: ready, no error", program(BANK + 8, 0x12345678), READY);
    check_eq("program: the word", MMIO32(BANK + 8), 0x12345678);
    check_eq("program: its neighbour stays", MMIO32(BANK + 12), ~0u);
    check_eq("program over it", program(BANK + 8, 0xff00ff00), READY);
    check_eq("programming clears bits only", MMIO32(BANK + 8), 0x12005600);
    MMIO32(BANK + 0x100) = 0; /* a command that there is not */
    check_eq("a store in array mode stores nothing", MMIO32(BANK + 0x100), ~0u);
    array(BANK);
    erase(BANK);
    check_eq("erase again", MMIO32(BANK + 8), ~0u);
}

static void buffered(void)
{
    u64 at = BANK + BLOCK + 0x40;
    erase(BANK + BLOCK);
    command(at, 0xe8);
    check_eq("write to buffer: it is free", MMIO32(at) & READY, READY);
    command(at, 15); /* 16 words */
    for (u32 n = 0; n < 16; n++)
        MMIO32(at + 4 * n) = 0x01010101 * n;
    command(at, 0xd0);
    check_eq("write to buffer: ready, no error", status(at), READY);
    array(at);
    bool all = true;
    for (u32 n = 0; n < 16; n++)
        all &= MMIO32(at + 4 * n) == 0x01010101 * n;
    check(all, "write to buffer: 16 words");
    check_eq("write to buffer: before and behind them", MMIO32(at - 4) & MMIO32(at + 64), ~0u);
    command(at, 0xe8);
    command(at, 0);
    MMIO32(at + 64) = 7;
    command(at, 0xff); /* not the confirmation */
    check_eq("write to buffer without confirmation: error", status(at) & CHIPS(0x30), CHIPS(0x30));
    clear(at);
    check_eq("status cleared", status(at), READY);
    array(at);
    check_eq("without confirmation nothing is written", MMIO32(at + 64), ~0u);
}

static void errors(void)
{
    command(BANK, 0x20);
    command(BANK, 0x70); /* not the confirmation */
    check_eq("erase without confirmation: error", status(BANK) & CHIPS(0x30), CHIPS(0x30));
    clear(BANK);
    command(BANK, 0x60); /* locks: none can be set, unlocking is harmless */
    command(BANK, 0xd0);
    check_eq("unlock blocks", status(BANK), READY);
    array(BANK);
}

/* Code in flash runs, and what was decoded of it goes when it is erased. */
static void code(void)
{
    u64 (*fn)(void) = (u64(*)(void))(BANK + 2 * BLOCK);
    erase(BANK + 2 * BLOCK);
    program(BANK + 2 * BLOCK, 0xd28000e0);     /* mov x0, #7 */
    program(BANK + 2 * BLOCK + 4, 0xd65f03c0); /* ret */
    ASM("dsb sy; ic iallu; dsb sy; isb");
    check_eq("code in flash", fn(), 7);
    erase(BANK + 2 * BLOCK);
    program(BANK + 2 * BLOCK, 0xd2800120); /* mov x0, #9 */
    program(BANK + 2 * BLOCK + 4, 0xd65f03c0);
    ASM("dsb sy; ic iallu; dsb sy; isb");
    check_eq("other code in its place", fn(), 9);
}

void test_main(void)
{
    query();
    words();
    buffered();
    errors();
    code();
}
