/*
 * The instruction syndrome of data aborts that stage 2 takes to EL2 (Arm ARM D19.2.37, ISS encoding for a Data Abort,
 * ISV and below): loads and stores of one general-purpose register without writeback, load-acquire and store-release
 * among them, exclusives and atomics not. Made from the instruction word when such an abort is taken, and at no other
 * time.
 */
#include "cpu/exception.h"
#include "mmu/phys.h"

bool exc_instruction(const struct cpu *cpu, u64 va, u32 *word)
{
    if (!cpu->fetch_valid || (va & ~0xfffull) != cpu->fetch_va || !cpu->d.host.phys)
        return false;
    struct phys_attrs attrs = { .ns = cpu->fetch_attrs & FETCH_NS,
                                .cpu = (u16)cpu->index,
                                .privileged = cpu->ps.el > 0 };
    const u8 *page = phys_page(cpu->d.host.phys, cpu->fetch_pa & ~0xfffull, attrs);
    if (!page)
        return false;
    *word = load_le32(page + (va & 0xffc));
    return true;
}

static u32 syndrome(unsigned size, bool sign, unsigned rt, bool sf, bool ordered)
{
    return 1u << 24 | size << 22 | (u32)sign << 21 | rt << 16 | (u32)sf << 15 | (u32)ordered << 14;
}

/* opc of the size/opc loads and stores: 0 store, 1 load, 2 signed load to X, 3 signed load to W. */
static u32 syndrome_opc(unsigned size, unsigned opc, unsigned rt, bool ordered)
{
    if (opc >= 2 && size + opc > 4)
        return 0; /* PRFM, unallocated */
    bool sf = opc == 2 || (opc < 2 && size == 3);
    return syndrome(size, opc >= 2, rt, sf, ordered);
}

u32 iss_instruction(u32 word)
{
    unsigned size = word >> 30, opc = word >> 22 & 3, rt = word & 31;
    if ((word & 0x3f000000) == 0x39000000) /* unsigned offset */
        return syndrome_opc(size, opc, rt, false);
    if ((word & 0x3f200000) == 0x38000000) /* unscaled and unprivileged, but not pre- and post-indexed */
        return word & 0x400 ? 0 : syndrome_opc(size, opc, rt, false);
    if ((word & 0x3f200c00) == 0x19000000) /* LDAPUR, STLUR */
        return syndrome_opc(size, opc, rt, false);
    if ((word & 0x3f200c00) == 0x38200800) /* register offset */
        return syndrome_opc(size, opc, rt, false);
    if ((word & 0xff200c00) == 0xf8200400) /* LDRAA, LDRAB */
        return syndrome(3, false, rt, true, false);
    if ((word & 0x3fa00000) == 0x08800000) /* LDAR, STLR, LDLAR, STLLR */
        return syndrome(size, false, rt, size == 3, true);
    if ((word & 0x3f000000) == 0x18000000 && size < 3) /* literal */
        return syndrome(size == 1 ? 3 : 2, size == 2, rt, size != 0, false);
    return 0;
}

/* LDXR, LDAXR, LDXP, LDAXP and their sizes. */
bool insn_is_load_exclusive(u32 word) { return (word & 0x3fc00000) == 0x08400000; }
