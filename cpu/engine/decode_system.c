/*
 * Decoders of cpu/insn/system.def. MRS, MSR and SYS keep in imm what they name: the key of the register or operation in
 * the upper half (op0:op1:CRn:CRm:op2), the number of its row in the lower one, NO_ROW when there is none.
 */
#include "cpu/insn/decode_int.h"
#include "cpu/sysreg/sysop.h"
#include "cpu/sysreg/sysreg.h"

bool dec_imm16(u32 w, struct op *op) { return op->imm = (s32)bits(w, 20, 5), true; }
bool dec_udf(u32 w, struct op *op) { return op->imm = (s32)bits(w, 15, 0), true; }
bool dec_dcps(u32 w, struct op *op) { return op->imm = (s32)bits(w, 1, 0), op->imm != 0; }
bool dec_hint(u32 w, struct op *op) { return op->imm = (s32)bits(w, 11, 5), true; }
bool dec_crm(u32 w, struct op *op) { return op->imm = (s32)bits(w, 11, 8), true; }

static u32 key_of(u32 w) { return (u32)bits(w, 20, 5); }
static s32 pack(u32 key, u32 row) { return (s32)(key << 16 | row); }

bool dec_sysreg(u32 w, struct op *op)
{
    const struct sysreg *row = sysreg_find(key_of(w));
    op->imm = pack(key_of(w), row ? sysreg_number(row) : NO_ROW);
    return true;
}

bool dec_sysop(u32 w, struct op *op)
{
    const struct sysop *row = sysop_find(key_of(w));
    op->imm = pack(key_of(w), row ? sysop_number(row) : NO_ROW);
    return true;
}

static bool sysop_quick(u32 w, struct op *op, bool (*is)(const struct sysop *row))
{
    const struct sysop *row = sysop_find(key_of(w));
    return row && is(row) && dec_sysop(w, op);
}
bool dec_sysop_cache(u32 w, struct op *op) { return sysop_quick(w, op, sysop_is_cache); }
bool dec_sysop_zero(u32 w, struct op *op) { return sysop_quick(w, op, sysop_is_zero); }

static bool quick(const struct sysreg *row, u32 w, struct op *op, bool write)
{
    if (!row || !sysreg_is_quick(row, write))
        return false;
    op->imm = pack(key_of(w), sysreg_number(row));
    return true;
}

bool dec_mrs_quick(u32 w, struct op *op) { return quick(sysreg_find(key_of(w)), w, op, false); }
bool dec_msr_quick(u32 w, struct op *op) { return quick(sysreg_find(key_of(w)), w, op, true); }

/* Of a feature that the instruction's row needs as well. A write has in the slots n and m where the register is: its
 * number in struct sysregs. */
static bool read_of(u32 w, struct op *op, enum feature feature)
{
    const struct sysreg *row = sysreg_find(key_of(w));
    return row && row->feature == feature && quick(row, w, op, false);
}

static bool write_of(u32 w, struct op *op, enum feature feature)
{
    const struct sysreg *row = sysreg_find(key_of(w));
    if (!row || row->feature != feature || !quick(row, w, op, true))
        return false;
    store_le16(&op->n, (u16)(row->offset / 8));
    return true;
}

bool dec_mrs_base(u32 w, struct op *op) { return read_of(w, op, FEAT_BASE); }
bool dec_mrs_el2(u32 w, struct op *op) { return read_of(w, op, FEAT_EL2); }
bool dec_msr_base(u32 w, struct op *op) { return write_of(w, op, FEAT_BASE); }
bool dec_msr_el2(u32 w, struct op *op) { return write_of(w, op, FEAT_EL2); }
