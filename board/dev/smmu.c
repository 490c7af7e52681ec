/*
 * SMMUv3.2 (Arm System Memory Management Unit Architecture Specification, SMMU architecture version 3, IHI 0070), at
 * the place and with the interrupts of QEMU's virt: what PCI functions read and write goes through it.
 *
 * Both stages with all granules, two-level tables of streams and of context descriptors, hardware update of access flag
 * and dirty state, stall and terminate, wired interrupts and MSIs. The walker is mmu/walk.c. It has no caches: what an
 * invalidation is to do has been done before it is asked for, so that CMD_CFGI_* and CMD_TLBI_* are checked, and that
 * is all: what is known of streams (struct smmu_known) and walks (mmu/memo.h) holds only while all that it was found
 * from is as it was. Registers: rows of smmu.def. smmu_queue.c has the queues, smmu_config.c stream table entries and
 * context descriptors, smmu_translate.c the way of a transaction.
 *
 * Left out, and shown as not there: Secure and Realm state, ATS, PRI, ATOS, broadcast TLB maintenance, AArch32 tables,
 * 52-bit addresses but with 64K granules, MPAM, MEC, permission indirection, enhanced command queues, PMCG. Memory
 * types are not carried out: nothing on this board depends on them.
 */
#include "board/dev/smmu.h"

#include "board/boot/tree.h"

/* ---- identification ---- */

u32 smmu_idr0(const struct machine *m)
{
    u32 s1 = smmu_stage1(m), s2 = smmu_stage2(m);
    u32 value = 2 << 2 | 1 << 4 | 2 << 6;                   /* TTF: AArch64; COHACC; HTTU: with dirty state */
    value |= 1 << 12 | 1 << 13 | 1 << 14;                   /* ASID16, MSI, SEV */
    value |= 1 << 27;                                       /* ST_LEVEL: two */
    value |= s2 << IDR0_S2P | s1 << IDR0_S1P | s2 << 18;    /* VMID16 */
    return value | (u32)smmu_hyp(m) << IDR0_HYP | s1 << 19; /* CD2L */
}

static u32 idr1(void)
{
    return SMMU_SIDSIZE | SMMU_SSIDSIZE << 6 | SMMU_QUEUE << 16 | SMMU_QUEUE << 21 | 3u << 26; /* ATTR_*_OVR */
}

/* HAD <2>, XNX <4>, FWB <8>, STT <9>, RIL <10>, BBML <12:11> = 2: a block may become a table and back without more */
enum { IDR3 = 1 << 2 | 1 << 4 | 1 << 8 | 1 << 9 | 1 << 10 | 2 << 11 };

static u32 idr5(const struct machine *m)
{
    static const u8 size[] = { 32, 36, 40, 42, 44, 48, 52 };
    u32 oas = 0;
    while (oas < ARRAY_LEN(size) - 1 && size[oas] < smmu_oas(m))
        oas++;
    return oas | 7 << 4 | SMMU_STALLS << 16; /* GRAN4K, GRAN16K, GRAN64K */
}

enum {
#define SMMU_ID(name, offset) ID_##name = offset,
#include "board/dev/smmu.def"
};

/* False: it is none of them. */
static bool id_read(const struct machine *m, u64 offset, u64 *value)
{
    switch (offset) {
    case ID_idr0: *value = smmu_idr0(m); break;
    case ID_idr1: *value = idr1(); break;
    case ID_idr3: *value = IDR3; break;
    case ID_idr5: *value = idr5(m); break;
    case ID_iidr: *value = 0x43b; break; /* implementer Arm, product 0 */
    case ID_aidr: *value = 2; break;     /* SMMUv3.2 */
    case ID_idr2:
    case ID_idr4: break;
    default: return false;
    }
    return true;
}

/* ---- registers ---- */

struct reg {
    u32 offset, bytes;
    u64 mask;
    u32 locks, at; /* at: in struct smmu */
    void (*written)(struct machine *m, struct smmu *s, struct place at, u64 old);
};

static void none(struct machine *m, struct smmu *s, struct place at, u64 old) { (void)m, (void)s, (void)at, (void)old; }

/* Every update is done when the write returns. SMMUEN gone: what stalls is terminated (6.3.9.6). */
static void cr0_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    s->cr0ack = s->cr0;
    if (bit(old & ~s->cr0, CR0_SMMUEN))
        for (unsigned n = 0; n < SMMU_STALLS; n++)
            if (s->stall[n].state != STALL_FREE)
                s->stall[n].state = STALL_ABORT;
    smmu_resume(m, s);
    smmu_release(m, s);
    smmu_commands(m, s, at);
}

/* TABLE_* are locked by SMMUEN, QUEUE_* by the enables of the queues. */
static void cr1_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    u64 locked = (bit(s->cr0, CR0_SMMUEN) ? 0xfc0 : 0) | (s->cr0 & (LOCK_EVENTQEN | LOCK_CMDQEN) ? 0x3f : 0);
    (void)m, (void)at;
    s->cr1 = (s->cr1 & ~locked) | (old & locked);
}

/* Without Update nothing is written, and the update is done at once (6.3.14.1). */
static void gbpa_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    (void)m, (void)at;
    s->gbpa = bit(s->gbpa, 31) ? s->gbpa & ~BIT(31) : old;
}

static void irq_ctrl_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    (void)m, (void)at, (void)old;
    s->irq_ctrlack = s->irq_ctrl;
}

static void gerrorn_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    (void)old;
    smmu_release(m, s);
    smmu_commands(m, s, at);
}

static void cmdq_prod_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    (void)old;
    smmu_commands(m, s, at);
}

static void eventq_cons_written(struct machine *m, struct smmu *s, struct place at, u64 old)
{
    (void)at, (void)old;
    smmu_release(m, s);
}

static const struct reg regs[] = {
#define SMMU_REG(name, offset, bytes, mask, locks, hook)                                                               \
    { offset, bytes, mask, locks, offsetof(struct smmu, name), hook },
#include "board/dev/smmu.def"
};

/* Which of them is at an offset, in words; 0: none, else its number and 1. */
enum reg_number {
    REG_NONE,
#define SMMU_REG(name, ...) REG_##name,
#include "board/dev/smmu.def"
};
enum { REGS_END = 0xc0 };
static const u8 reg_at[REGS_END / 4] = {
#define SMMU_REG(name, offset, bytes, ...) [(offset) / 4 ... ((offset) + (bytes)) / 4 - 1] = REG_##name,
#include "board/dev/smmu.def"
};

/* Page 1 is another view of page 0 (6.2). Registers of Secure state, from 0x8000 on, are zero. */
enum { PAGE_0 = 0x10000, SECURE_REGS = 0x8000, ID_REGS = 0xfd0 };

/* The register, or half of one, that an access is for; NULL: none. */
static const struct reg *find(u64 offset, u32 size)
{
    unsigned n = offset < REGS_END ? reg_at[offset / 4] : REG_NONE;
    return n != REG_NONE && (size == 4 || size == regs[n - 1].bytes) ? &regs[n - 1] : NULL;
}

static u64 *storage(struct smmu *s, const struct reg *r) { return (u64 *)(void *)((u8 *)s + r->at); }

/* PIDR4 to 7, PIDR0 to 3, CIDR0 to 3: a component of Arm's with a part number that nobody has. */
static const u8 identification[12] = { 0x04, 0, 0, 0, 0, 0xb0, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1 };

static bool smmu_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    u64 offset = a->offset % PAGE_0;
    const struct reg *r = a->size < 4 ? NULL : find(offset, a->size);
    if (r)
        *value = *storage(state, r) >> (offset - r->offset) * 8 & ones(a->size * 8);
    else if (a->size == 4 && offset >= ID_REGS && offset < ID_REGS + sizeof(identification) * 4)
        *value = identification[(offset - ID_REGS) / 4];
    else if (offset < SECURE_REGS && (a->size != 4 || !id_read(m, offset, value)))
        m->d.guest_error = ERROR_REGISTER;
    return true;
}

static bool smmu_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct smmu *s = state;
    u64 offset = a->offset % PAGE_0;
    const struct reg *r = a->size < 4 ? NULL : find(offset, a->size);
    if (!r || !r->mask) {
        m->d.guest_error = offset < SECURE_REGS ? ERROR_REGISTER : ERROR_NONE;
        return true;
    }
    if (LOCKED(s) & r->locks)
        return true;
    unsigned low = (unsigned)(offset - r->offset) * 8;
    u64 *reg = storage(s, r), old = *reg, mask = r->mask & ones(a->size * 8) << low;
    *reg = (old & ~mask) | (value << low & mask);
    r->written(m, s, a->at, old);
    return true;
}

/* ---- the rest of the kind ---- */

static void smmu_reset(struct machine *m, void *state, struct place at)
{
    (void)m, (void)at;
    *(struct smmu *)state = (struct smmu){ .gbpa = 1 << 12 }; /* SHCFG: use incoming, as QEMU's */
}

static const char *smmu_validate(const void *state, struct place at)
{
    const struct smmu *s = state;
    (void)at;
    for (unsigned n = 0; n < ARRAY_LEN(regs); n++)
        if (regs[n].bytes == 4 && *storage((struct smmu *)(uintptr_t)s, &regs[n]) >> 32)
            return "smmu: a register is larger than its place";
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (s->stall[n].state >= STALL_STATES || s->stall[n].write > 1 || s->stall[n].answered > 1)
            return "smmu: a stalled transaction is in no state that there is";
    return s->last_rule < RULE_COUNT && s->crowded <= 1 ? NULL : "smmu: no such rule of a fault";
}

static void node(struct tree *t, struct place at)
{
    static const char names[] = "eventq\0priq\0cmdq-sync\0gerror";
    char path[64];
    u32 spi = row_get(at.row)->spi;
    tree_device(t, path, "smmuv3", at);
    tree_compatible(t, path, at);
    tree_reg(t, path, at);
    TREE_CELLS(t, path, "interrupts", TREE_SPI, spi, TREE_EDGE, TREE_SPI, spi + 1, TREE_EDGE, TREE_SPI, spi + 2,
               TREE_EDGE, TREE_SPI, spi + 3, TREE_EDGE);
    tree_prop(t, path, "interrupt-names", names, sizeof(names));
    tree_flag(t, path, "dma-coherent");
    TREE_CELLS(t, path, "#iommu-cells", 1);
    TREE_CELLS(t, path, "phandle", t->smmu);
}

static const struct state_field stall_fields[] = {
    STATE(smmu_stall, address), STATE(smmu_stall, stream), STATE(smmu_stall, substream),
    STATE(smmu_stall, state),   STATE(smmu_stall, write),  STATE(smmu_stall, answered),
    STATE(smmu_stall, pad),
};
static const struct state_shape stall_shape = STATE_SHAPE(smmu_stall, stall_fields);
static const struct state_field fields[] = {
#define SMMU_REG(name, ...) STATE(smmu, name),
#include "board/dev/smmu.def"
    STATE_OF(smmu, stall, &stall_shape), STATE(smmu, last),      STATE(smmu, last_desc),
    STATE(smmu, last_addr),              STATE(smmu, last_rule), STATE(smmu, crowded),
};

const struct kind kind_smmu_v3 = {
    .name = "smmu_v3",
    .compatible = "arm,smmu-v3\0",
    .state = STATE_SHAPE(smmu, fields),
    .derived = sizeof(struct smmu_derived),
    .version = 1,
    .wires = SMMU_WIRES,
    .edge = true,
    .read = smmu_read,
    .write = smmu_write,
    .reset = smmu_reset,
    .validate = smmu_validate,
    .translate = smmu_translate,
    .settled = smmu_settled,
    .node = node,
};
