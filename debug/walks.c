/*
 * Walks for the monitor and the views (walks.h). Descriptor formats: Arm ARM D8.3. Nothing in the machine changes.
 */
#include "debug/walks.h"

#include "cpu/exception.h"
#include "cpu/field.h"
#include "mmu/context.h"
#include "mmu/table.h"
#include "mmu/tlb.h"

#include <stdio.h>

#define HEX(v) ((unsigned long long)(v))

/* ---- the whole walk ---- */

bool walks_regime(struct debugger *d, u32 el, s32 vmid, struct regime_desc *r, char error[256])
{
    const struct cpu *cpu = &d->m->d.cpu[d->cpu];
    if (vmid == ANY) {
        regime_describe(cpu, regime_of(cpu, el), r);
        return true;
    }
    for (unsigned n = 0; n < VMS; n++)
        if (d->vm[n].used && d->vm[n].vmid == vmid) {
            *r = d->vm[n].regime;
            return true;
        }
    snprintf(error, 256, "VMID %d has not been seen (monitor vms)", vmid);
    return false;
}

static void one(const struct walks_answer *a, struct walk_access acc, struct walk_record *rec, struct translation *t)
{
    if (a->q.stage2_only)
        walk_stage2(&a->regime, a->q.addr, !a->regime.secure, acc, rec, t);
    else
        walk(&a->regime, a->q.addr, acc, rec, t);
}

bool walks_ask(struct debugger *d, const struct walks_question *q, struct walks_answer *a, char error[256])
{
    const struct cpu *cpu = &d->m->d.cpu[d->cpu];
    struct walk_access acc = { .el0 = q->el == 0 && !q->stage2_only,
                               .real_el = (u8)q->el,
                               .debug = 1,
                               .stage1_only = q->stage1_only,
                               .pan = q->el && cpu->ps.pan };
    memset(a, 0, sizeof(*a));
    a->q = *q;
    if (!walks_regime(d, q->el, q->vmid, &a->regime, error))
        return false;
    if (q->stage2_only && !a->regime.stage2) {
        snprintf(error, 256, "stage 2 is off here and now (HCR_EL2.VM); vmid=N is about a guest that was seen");
        return false;
    }
    one(a, acc, &a->record, &a->t);
    for (unsigned n = 0; n < WALKS_RIGHTS; n++) {
        struct walk_access with = acc;
        with.read = n == WALKS_READ, with.write = n == WALKS_WRITE, with.fetch = n == WALKS_EXECUTE;
        one(a, with, NULL, &a->right[n]);
    }
    const struct tlb_entry *e = q->stage2_only || q->stage1_only ? NULL : tlb_look(cpu, &a->regime, sext(q->addr, 56));
    a->cached = e;
    if (e)
        a->tlb = *e;
    return true;
}

bool walks_tlb_agrees(const struct walks_answer *a)
{
    const u16 rights = TLB_UR | TLB_UW | TLB_UX | TLB_PR | TLB_PW | TLB_PX;
    return a->t.ok && (a->tlb.pa | (a->q.addr & ones(a->tlb.size_log2))) == a->t.pa &&
           !((a->tlb.perm ^ a->t.perm) & rights);
}

/* ---- one descriptor ---- */

/* The format of the table that the step read. */
static struct table format_of(const struct walks_answer *a, const struct walk_step *s)
{
    struct table t;
    u8 range;
    if (s->stage == 1)
        table_stage1(&a->regime, a->q.addr, false, &t);
    else
        table_stage2(&a->regime, !a->regime.secure, &t, &range);
    return t;
}

struct walks_entry walks_entry_of(const struct walks_answer *a, const struct walk_step *s)
{
    struct table t = format_of(a, s);
    unsigned stride = t.grain - 3u, low = t.grain + stride * (unsigned)(3 - s->level);
    u64 d = s->value;
    struct walks_entry e = { .low = (u8)low, .high = (u8)(s->level == t.level ? t.input_size - 1u : low + stride - 1) };
    e.high = e.high < e.low ? e.low : e.high;
    if (!bit(d, 0))
        return e;
    e.kind = s->level == 3 ? bit(d, 1) ? WALKS_PAGE : WALKS_RESERVED : bit(d, 1) ? WALKS_TABLE : WALKS_BLOCK;
    unsigned from = e.kind == WALKS_TABLE ? t.grain : low;
    if (e.kind == WALKS_RESERVED || from >= 48)
        return e;
    e.out = bits(d, t.ds ? 49 : 47, from) << from;
    if (t.ds)
        e.out |= bits(d, 9, 8) << 50;
    return e;
}

bool walks_is_fault(const struct walk_step *s, const struct fault *f)
{
    return f->desc_stage == s->stage && f->desc_addr == s->ipa && f->level == s->level;
}

/* Which bits of a descriptor a rule looks at (D8.3, D8.4). */
static u64 rule_bits(unsigned rule, unsigned stage)
{
    switch (rule) {
    case RULE_INVALID: return BIT(0);
    case RULE_RESERVED:
    case RULE_BLOCK_LEVEL: return 3;
    case RULE_BLOCK_NT: return BIT(16);
    case RULE_OUTPUT_SIZE: return ones(48) & ~ones(12);
    case RULE_AF: return BIT(10);
    case RULE_READ:
    case RULE_WRITE:
    case RULE_PAN:
    case RULE_CLEAN: return BIT(7) | BIT(6);
    case RULE_EXECUTE:
    case RULE_WXN: return stage == 1 ? BIT(54) | BIT(53) | BIT(6) : BIT(54) | BIT(53);
    case RULE_SIF: return BIT(5);
    default: return 0;
    }
}

u64 walks_decides(const struct walks_answer *a, const struct walk_step *s, const struct fault *fault)
{
    struct walks_entry e = walks_entry_of(a, s);
    if (fault && walks_is_fault(s, fault))
        return rule_bits(fault->rule, s->stage);
    unsigned low = e.kind == WALKS_TABLE ? 12 : e.low;
    u64 where = low < 48 ? ones(48) & ~ones(low) : 0;
    if (e.kind == WALKS_TABLE)
        return where | 3 | (s->stage == 1 ? (u64)0x1f << 59 & s->value : 0);
    if (e.kind == WALKS_BLOCK || e.kind == WALKS_PAGE)
        return where | 3 | BIT(10) | BIT(7) | BIT(6) | BIT(54) | BIT(53);
    return 3;
}

/* ---- words ---- */

const char *walks_kind_words(unsigned kind)
{
    static const char *const words[] = { "invalid", "reserved", "table", "block", "page" };
    return words[kind < ARRAY_LEN(words) ? kind : 0];
}

const char *walks_type_words(unsigned type)
{
    static const char *const types[] = { "Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE", "Normal" };
    return types[type < ARRAY_LEN(types) ? type : MEM_NORMAL];
}

static void leaf_stage1(u64 d, u64 mair, struct text *out)
{
    static const char *const ap[] = { "privileged rw", "rw at all ELs", "privileged ro", "ro at all ELs" };
    text_add(out, "%s%s%s%s%s%s Attr%u=0x%02x SH=%u%s", ap[bits(d, 7, 6)], bit(d, 54) ? " UXN" : "",
             bit(d, 53) ? " PXN" : "", bit(d, 10) ? "" : " AF=0", bit(d, 11) ? " nG" : "", bit(d, 51) ? " DBM" : "",
             (unsigned)bits(d, 4, 2),
             (unsigned)bits(mair, (unsigned)bits(d, 4, 2) * 8 + 7, (unsigned)bits(d, 4, 2) * 8),
             (unsigned)bits(d, 9, 8), bit(d, 5) ? " NS" : "");
}

static void leaf_stage2(u64 d, struct text *out)
{
    static const char *const ap[] = { "no access", "ro", "wo", "rw" };
    text_add(out, "S2AP=%s XN=%u%s%s MemAttr=0x%x SH=%u", ap[bits(d, 7, 6)], (unsigned)bits(d, 54, 53),
             bit(d, 10) ? "" : " AF=0", bit(d, 51) ? " DBM" : "", (unsigned)bits(d, 5, 2), (unsigned)bits(d, 9, 8));
}

void walks_rights_words(const struct walks_answer *a, const struct walk_step *s, struct text *out)
{
    static const char *const tables[] = { "PXNTable ", "XNTable ", "APTable0 ", "APTable1 " };
    unsigned kind = walks_entry_of(a, s).kind;
    if (kind == WALKS_TABLE) {
        for (unsigned n = 0; s->stage == 1 && n < 4; n++)
            text_add(out, "%s", bit(s->value, 59 + n) ? tables[n] : "");
        if (out->length && out->s[out->length - 1] == ' ')
            out->s[--out->length] = 0;
    } else if (kind == WALKS_BLOCK || kind == WALKS_PAGE) {
        if (s->stage == 1)
            leaf_stage1(s->value, a->regime.mair, out);
        else
            leaf_stage2(s->value, out);
    }
}

void walks_entry_words(const struct walks_answer *a, const struct walk_step *s, struct text *out)
{
    struct walks_entry e = walks_entry_of(a, s);
    struct text rights = { 0 };
    text_add(out, "%s", walks_kind_words(e.kind));
    if (e.kind >= WALKS_TABLE)
        text_add(out, " at 0x%llx", HEX(e.out));
    walks_rights_words(a, s, &rights);
    if (rights.length)
        text_add(out, " %s", rights.s);
    text_free(&rights);
}

void walks_fault_words(const struct fault *f, struct text *out)
{
    static const char *const kinds[] = { "none",
                                         "address size",
                                         "translation",
                                         "access flag",
                                         "permission",
                                         "external abort",
                                         "external abort on a walk",
                                         "alignment",
                                         "atomic update",
                                         "exclusive",
                                         "tag check" };
    text_add(out, "%s fault, stage %u level %d: %s", kinds[f->kind < FAULT_KINDS ? f->kind : 0], f->stage2 ? 2 : 1,
             f->level, fault_rule_text(f->rule));
    if (f->stage2)
        text_add(out, ", IPA 0x%llx%s", HEX(f->ipa), f->s1ptw ? " (of a stage 1 table)" : "");
    if (f->desc_stage)
        text_add(out, ", descriptor [0x%llx] = 0x%llx", HEX(f->desc_addr), HEX(f->desc));
}
