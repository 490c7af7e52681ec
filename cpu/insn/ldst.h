/*
 * How loads and stores are written (integer and SIMD). A hot handler tries the fast tag and on a miss tail-calls its
 * slow twin, so that it has no stack frame of its own. The stepping engine has only the slow twin, where accesses can
 * be seen.
 */
#ifndef CPU_LDST_H
#define CPU_LDST_H

#include "cpu/insn/op.h"

/* SP as the base must be 16-byte aligned when SCTLR_ELx.SA (SA0) says so (D1.3.5). `sp` is a stamp. */
#define SP_CHECK                                                                                                       \
    do {                                                                                                               \
        if (sp && unlikely(cpu->x[REG_SP] & 15) && cpu->d.sp_check)                                                    \
            MISS(sp_misaligned);                                                                                       \
    } while (0)
/* Out of line, so that the handlers that check have no call and no stack frame. */
static COLD MAYBE_UNUSED OP_TYPE OPN(sp_misaligned)(OP_ARGS)
{
    exc_sp_alignment(cpu);
    RAISE;
}

/* Host pointer for an access of 1 << log2 bytes at va, or NULL. */
#if ENGINE
#define FAST(va, log2, write, unpriv) fast_pointer(cpu, (va), (log2), (write), (unpriv))
#else
#define FAST(va, log2, write, unpriv) ((u8 *)NULL)
#endif

/* FEAT_MTE2: accesses with SP as the base and without write-back are not checked for tags (IsTagCheckedInstruction). */
#define UNCHECKED_SP (i->n == REG_SP ? ACC_SP : 0)

/* At the start of a slow twin: devices and timers ask for the time. */
#define SLOW_BEGIN (cpu->d.now = NOW)
/* At its end: an access to a device may have raised an interrupt or ended the slice. */
#define SLOW_END                                                                                                       \
    do {                                                                                                               \
        if (unlikely(cpu->d.attention))                                                                                \
            SYNC;                                                                                                      \
        NEXT;                                                                                                          \
    } while (0)

static ALWAYS_INLINE u64 load_bytes(const u8 *p, unsigned log2)
{
    switch (log2) {
    case 0: return *p;
    case 1: return load_le16(p);
    case 2: return load_le32(p);
    default: return load_le64(p);
    }
}

static ALWAYS_INLINE void store_bytes(u8 *p, unsigned log2, u64 v)
{
    switch (log2) {
    case 0: *p = (u8)v; break;
    case 1: store_le16(p, (u16)v); break;
    case 2: store_le32(p, (u32)v); break;
    default: store_le64(p, v); break;
    }
}

/* ExtendReg for register offsets: imm = bits lost | shift << 8 | signed << 16 (dec_extend's form). */
static ALWAYS_INLINE MAYBE_UNUSED u64 offset_extend(u64 v, s32 imm)
{
    unsigned lost = imm & 63, shift = imm >> 8 & 7;
    return (imm >> 16 & 1 ? (u64)((s64)(v << lost) >> lost) : v << lost >> lost) << shift;
}

/* The same where it is known to be a W register (UXTW, SXTW). */
static ALWAYS_INLINE MAYBE_UNUSED u64 offset_word(u64 v, s32 imm)
{
    return (imm >> 16 & 1 ? (u64)(s64)(s32)v : (u64)(u32)v) << (imm >> 8 & 7);
}

/*
 * Addressing modes, of general and of SIMD&FP registers alike (C1.3.3): a row gives the address, what happens to the
 * base afterwards (`va` is the address then), the flags of the exact path, and whether it is an access with EL0's
 * rights. `element` is the bytes of one register. A mode is the end of a row's name in the .def files.
 */
#define MODE_ui(is)     is(RN + (u64)IMM,                  (void)0,              UNCHECKED_SP,              false) /* [n, #i] */
#define MODE_ur(is)     is(RN + (u64)IMM,                  (void)0,              UNCHECKED_SP,              false) /* unscaled */
#define MODE_unpriv(is) is(RN + (u64)IMM,                  (void)0,              ACC_UNPRIV | UNCHECKED_SP, true)
#define MODE_pre(is)    is(RN + (u64)IMM,                  BASE = va,            0,                         false) /* [n, #i]! */
#define MODE_post(is)   is(RN,                             BASE = va + (u64)IMM, 0,                         false) /* [n], #i */
#define MODE_regx(is)   is(RN + RM,                        (void)0,              0,                         false) /* [n, Xm] */
#define MODE_regs(is)   is(RN + RM * element,              (void)0,              0,                         false) /* scaled */
#define MODE_reg(is)    is(RN + offset_word(RM, i->imm),   (void)0,              0,                         false) /* [n, Wm] */
#define MODE_ext(is)    is(RN + offset_extend(RM, i->imm), (void)0,              0,                         false) /* any */
#define MODE_lit(is)    is(PC + (u64)IMM,                  (void)0,              ACC_SP,                    false) /* literal */
#define MODE_off(is)    MODE_ui(is) /* of pairs */
#define MODE_np(is)     MODE_ui(is) /* of pairs, non-temporal */
#define MODE_ADDR(address, back, flags, unpriv)   (address)
#define MODE_BACK(address, back, flags, unpriv)   (back)
#define MODE_FLAGS(address, back, flags, unpriv)  (flags)
#define MODE_UNPRIV(address, back, flags, unpriv) (unpriv)
#define ADDR(mode)   MODE_##mode(MODE_ADDR)
#define BACK(mode)   MODE_##mode(MODE_BACK)
#define FLAGS(mode)  MODE_##mode(MODE_FLAGS)
#define UNPRIV(mode) MODE_##mode(MODE_UNPRIV)

/* Host pointer for an access that must be aligned whatever SCTLR_ELx.A says (exclusive, atomic, ordered), with its
 * entry; .p is NULL on a miss, which an unaligned one is (FEAT_LSE2's exceptions are left to the slow path). */
struct fast_hit {
    u8 *p;
    u64 pa;
};
static ALWAYS_INLINE MAYBE_UNUSED struct fast_hit fast_aligned(struct cpu *cpu, u64 va, unsigned log2, bool write)
{
    const struct fast_entry *e = fast_entry(cpu, va, &cpu->d.data);
    u64 want = (va & (~0xfffull | ones(log2))) | cpu->d.data.ctx;
    if (unlikely((write ? e->w : e->r) != want))
        return (struct fast_hit){ NULL, 0 };
    u8 *p = (u8 *)(uintptr_t)(va + e->addend);
    if (!p)
        __builtin_unreachable(); /* the caller's test for a miss is this one's */
    return (struct fast_hit){ p, FAST_PAGE(e->owner) | (va & 0xfff) };
}
#if ENGINE
#define FAST_ALIGNED(va, log2, write) fast_aligned(cpu, (va), (log2), (write))
#else
#define FAST_ALIGNED(va, log2, write) ((struct fast_hit){ NULL, 0 })
#endif

/* These rows have no SP stamp: the base is SP when the n slot says so. */
#define BASE_CHECK                                                                                                     \
    do {                                                                                                               \
        const bool sp = i->n == REG_SP;                                                                                \
        SP_CHECK;                                                                                                      \
    } while (0)

#endif
