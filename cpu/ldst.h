/*
 * How loads and stores are written (integer and SIMD). A hot handler tries the fast tag and on a miss tail-calls its
 * slow twin, so that it has no stack frame of its own (DESIGN section 4). The stepping engine has only the slow twin,
 * where accesses can be seen.
 */
#ifndef CPU_LDST_H
#define CPU_LDST_H

#include "cpu/op.h"

/* SP as the base must be 16-byte aligned when SCTLR_ELx.SA (SA0) says so (D1.3.5). `sp` is a stamp. */
#define SP_CHECK                                                                                                       \
    do {                                                                                                               \
        if (sp && unlikely(cpu->x[REG_SP] & 15) && cpu->d.sp_check)                                                    \
            return OPN(sp_misaligned)(OP_PASS);                                                                        \
    } while (0)
/* Out of line, so that the handlers that check have no call and no stack frame. */
static COLD MAYBE_UNUSED void OPN(sp_misaligned)(OP_ARGS)
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
/* At its end: an access to a device may have raised an interrupt or asked to stop. */
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
static ALWAYS_INLINE u64 offset_extend(u64 v, s32 imm)
{
    unsigned lost = imm & 63, shift = imm >> 8 & 7;
    return (imm >> 16 & 1 ? (u64)((s64)(v << lost) >> lost) : v << lost >> lost) << shift;
}

#endif
