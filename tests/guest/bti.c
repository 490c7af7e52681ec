/* Branch target identification: what each kind of indirect branch may land on in a guarded page.
 * Arm ARM D8.4.6 (PSTATE.BTYPE), D19.2 (ISS of a Branch Target exception, SCTLR_EL1.BT1). */
#include "rt.h"

#define EC_BTI 0x0d
#define GP     BIT(50)
#define T      0x80000000ul

CODE(do_br, "br x0");
CODE(do_br16, "mov x16, x0\nbr x16");
CODE(do_blr, "stp x29, x30, [sp, #-16]!\nblr x0\nldp x29, x30, [sp], #16");
CODE(do_ret, "stp x29, x30, [sp, #-16]!\nadr x30, 1f\nmov x2, x30\nmov x30, x0\nret\n1: ldp x29, x30, [sp], #16");

enum { NOP = 0xd503201f, BTI = 0xd503241f, BTI_C = 0xd503245f, BTI_J = 0xd503249f, BTI_JC = 0xd50324df, PACIASP = 0xd503233f,
       BRK = 0xd4200000, RET = 0xd65f03c0, RET_X2 = 0xd65f0040, BR_X1 = 0xd61f0020 };

static u32 page[1024] __attribute__((aligned(4096)));

struct row {
    const char *what;
    u32 landing;
    u64 (*fn)(u64, u64);
    u64 btype; /* of the exception; 0: none */
};

static const struct row guarded[] = {
    { "BR to NOP", NOP, do_br, 1 },          { "BR X16 to NOP", NOP, do_br16, 1 },    { "BLR to NOP", NOP, do_blr, 2 },
    { "BR to BTI", BTI, do_br, 1 },          { "BLR to BTI", BTI, do_blr, 2 },        { "BR to BTI c", BTI_C, do_br, 0 },
    { "BR X16 to BTI c", BTI_C, do_br16, 0 }, { "BLR to BTI c", BTI_C, do_blr, 0 },   { "BR to BTI j", BTI_J, do_br, 0 },
    { "BLR to BTI j", BTI_J, do_blr, 2 },    { "BR to BTI jc", BTI_JC, do_br, 0 },    { "BLR to BTI jc", BTI_JC, do_blr, 0 },
    { "BR to PACIASP", PACIASP, do_br, 0 },  { "BLR to PACIASP", PACIASP, do_blr, 0 },
};

/* A BR from within the guarded page: BTYPE 3. */
static const struct row within[] = {
    { "BR, guarded, to NOP", NOP, do_blr, 3 },       { "BR, guarded, to BTI c", BTI_C, do_blr, 3 },
    { "BR, guarded, to BTI j", BTI_J, do_blr, 0 },   { "BR, guarded, to BTI jc", BTI_JC, do_blr, 0 },
    { "BR, guarded, to PACIASP", PACIASP, do_blr, 0 },
};

/* Goes on at the landing, as if it had been allowed; behind a BRK. */
static bool on_sync(struct frame *f, u64 vector, u64 el)
{
    exc_record(f, vector, el);
    f->spsr &= ~(3ul << 10);
    if (esr_ec(f->esr) == EC_BRK)
        f->elr += 4;
    return true;
}

static void write_code(const u32 *code, u32 count)
{
    for (u32 n = 0; n < count; n++)
        ((volatile u32 *)page)[n] = code[n];
    asm volatile("dsb sy; ic iallu; dsb sy; isb" : : : "memory");
}

static void check_landing(const char *what, u64 (*fn)(u64, u64), u64 btype)
{
    try_el(1, fn, T, T + 16);
    if (!btype) {
        check_eq(what, EXC.count, 0);
        return;
    }
    check_exc(what, 1, EC_BTI, btype);
    check_eq("  SPSR_EL1.BTYPE", BITS(EXC.spsr, 11, 10), btype);
}

static void map(u64 *root, u64 attr)
{
    *pt_entry(root, T, 3) = (u64)page | RAM_ATTR | attr | 3;
    tlb_flush();
}

void test_main(void)
{
    u64 *root = pt_identity(S1_EL1);
    pt_entry(root, T, 3);
    mmu_on_el1(root);
    sync_hook = on_sync;
    map(root, GP);
    for (u32 n = 0; n < COUNT(guarded); n++) {
        write_code((u32[]){ guarded[n].landing, RET }, 2);
        check_landing(guarded[n].what, guarded[n].fn, guarded[n].btype);
    }
    for (u32 n = 0; n < COUNT(within); n++) {
        write_code((u32[]){ BTI_C, BR_X1, NOP, NOP, within[n].landing, RET }, 6);
        check_landing(within[n].what, within[n].fn, within[n].btype);
    }
    write_code((u32[]){ BTI_C, BR_X1, NOP, NOP, PACIASP, RET }, 6);
    WRITE(sctlr_el1, READ(sctlr_el1) | BIT(36));
    ISB();
    check_landing("BR, guarded, to PACIASP with SCTLR_EL1.BT1", do_blr, 3);
    WRITE(sctlr_el1, READ(sctlr_el1) & ~BIT(36));
    ISB();
    write_code((u32[]){ NOP, RET_X2 }, 2);
    try_el(1, do_ret, T, 0);
    check_eq("RET to NOP", EXC.count, 0);
    write_code((u32[]){ BRK, RET }, 2);
    try_el(1, do_blr, T, 0);
    check_exc("BLR to BRK", 1, EC_BRK, 0);
    check_eq("  SPSR_EL1.BTYPE", BITS(EXC.spsr, 11, 10), 2);
    map(root, 0);
    write_code((u32[]){ NOP, RET }, 2);
    check_landing("BLR to NOP, not guarded", do_blr, 0);
    write_code((u32[]){ BRK, RET }, 2);
    try_el(1, do_blr, T, 0);
    check_exc("BLR to BRK, not guarded", 1, EC_BRK, 0);
    check_eq("  SPSR_EL1.BTYPE", BITS(EXC.spsr, 11, 10), 2);
    finish();
}
