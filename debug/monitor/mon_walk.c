/*
 * Monitor commands about translation and memory, by the one walker (mmu/walk.h) in its debug mode: nothing in the
 * machine changes. Descriptor formats: Arm ARM D8.3.
 */
#include "cpu/field.h"
#include "debug/monitor/monitor.h"

#include "cpu/exception.h"
#include "mmu/context.h"

/* ---- one descriptor ---- */

static unsigned granule_bits(const struct regime_desc *r, unsigned stage, u64 va)
{
    static const u8 tg0[] = { 12, 16, 14, 12 }, tg1[] = { 12, 14, 12, 16 };
    bool high = bit(va, 55) && (r->regime == REGIME_EL10 || r->regime == REGIME_EL20);
    u64 tcr = stage == 2 ? r->vtcr : r->tcr;
    return stage == 1 && high ? tg1[FIELD_OF(tcr, TCR_EL1_TG1)] : tg0[FIELD_OF(tcr, TCR_EL1_TG0)];
}

static void leaf_stage1(u64 d, u64 mair, struct text *out)
{
    static const char *const ap[] = { "privileged rw", "rw at all ELs", "privileged ro", "ro at all ELs" };
    text_add(out, " %s%s%s%s%s%s Attr%u=0x%02x SH=%u%s", ap[bits(d, 7, 6)], bit(d, 54) ? " UXN" : "",
             bit(d, 53) ? " PXN" : "", bit(d, 10) ? "" : " AF=0", bit(d, 11) ? " nG" : "", bit(d, 51) ? " DBM" : "",
             (unsigned)bits(d, 4, 2),
             (unsigned)bits(mair, (unsigned)bits(d, 4, 2) * 8 + 7, (unsigned)bits(d, 4, 2) * 8),
             (unsigned)bits(d, 9, 8), bit(d, 5) ? " NS" : "");
}

static void leaf_stage2(u64 d, struct text *out)
{
    static const char *const ap[] = { "no access", "ro", "wo", "rw" };
    text_add(out, " S2AP=%s XN=%u%s%s MemAttr=0x%x SH=%u", ap[bits(d, 7, 6)], (unsigned)bits(d, 54, 53),
             bit(d, 10) ? "" : " AF=0", bit(d, 51) ? " DBM" : "", (unsigned)bits(d, 5, 2), (unsigned)bits(d, 9, 8));
}

static void step_print(const struct walk_step *s, const struct regime_desc *r, u64 va, struct text *out)
{
    u64 d = s->value;
    unsigned granule = granule_bits(r, s->stage, va), stride = granule - 3;
    bool table = s->level < 3 && bits(d, 1, 0) == 3, leaf = bit(d, 0) && !table && !(s->level == 3 && !bit(d, 1));
    text_add(out, "%sstage %u level %d  ", s->stage == 2 && s->s1ptw ? "  for the stage 1 table: " : "", s->stage,
             s->level);
    if (s->ipa != s->addr)
        text_add(out, "[ipa 0x%llx] ", HEX(s->ipa));
    text_add(out, "[0x%llx] = 0x%016llx ", HEX(s->addr), HEX(d));
    if (table) {
        text_add(out, "table at 0x%llx%s%s", HEX(bits(d, 47, granule) << granule), bit(d, 59) ? " PXNTable" : "",
                 bit(d, 60) ? " XNTable" : "");
        text_add(out, "%s%s", bit(d, 61) ? " APTable0" : "", bit(d, 62) ? " APTable1" : "");
    } else if (leaf) {
        unsigned low = granule + stride * (unsigned)(3 - s->level);
        text_add(out, "%s at 0x%llx", s->level == 3 ? "page" : "block", HEX(low < 48 ? bits(d, 47, low) << low : 0));
        if (s->stage == 1)
            leaf_stage1(d, r->mair, out);
        else
            leaf_stage2(d, out);
    } else {
        text_add(out, "%s", bit(d, 0) ? "reserved" : "invalid");
    }
    text_add(out, "%s\n", s->updated ? " (updated)" : "");
}

/* ---- the whole walk ---- */

static void fault_print(const struct fault *f, struct text *out)
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

static void verdict(const struct regime_desc *r, u64 va, struct walk_access acc, bool s2, const char *what,
                    struct text *out)
{
    struct translation t;
    if (s2)
        walk_stage2(r, va, !r->secure, acc, NULL, &t);
    else
        walk(r, va, acc, NULL, &t);
    text_add(out, "%s: ", what);
    if (t.ok)
        text_add(out, "yes\n");
    else
        fault_print(&t.fault, out), text_add(out, "\n");
}

static void walk_print(struct monitor_line *l, const struct regime_desc *r, u64 va, struct walk_access acc, bool s2)
{
    static const char *const types[] = { "Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE", "Normal" };
    struct walk_record rec = { 0 };
    struct translation t;
    if (s2)
        walk_stage2(r, va, !r->secure, acc, &rec, &t);
    else
        walk(r, va, acc, &rec, &t);
    for (unsigned n = 0; n < rec.count && n < WALK_STEPS; n++)
        step_print(&rec.step[n], r, va, l->out);
    if (!t.ok) {
        fault_print(&t.fault, l->out);
        text_add(l->out, "\n");
        return;
    }
    text_add(l->out, "0x%llx -> ", HEX(va));
    if (r->stage2 && !s2)
        text_add(l->out, "ipa 0x%llx -> ", HEX(t.ipa));
    text_add(l->out, "%s 0x%llx%s, %s, in pieces of %llu KiB%s\n", acc.stage1_only ? "ipa" : "pa", HEX(t.pa),
             t.ns ? "" : " (Secure)", types[t.attrs.type < 5 ? t.attrs.type : 4], HEX(1) << (t.size_log2 - 10),
             t.global ? "" : ", nG");
    struct walk_access a = acc;
    a.read = 1;
    verdict(r, va, a, s2, "read", l->out);
    a.read = 0, a.write = 1;
    verdict(r, va, a, s2, "write", l->out);
    a.write = 0, a.fetch = 1;
    verdict(r, va, a, s2, "execute", l->out);
}

static void walk_command(struct monitor_line *l, bool stage1_only)
{
    u64 va, el = monitor_cpu(l)->ps.el;
    s64 vmid = monitor_option(l, "vmid", ANY);
    struct regime_desc r;
    if (vmid != ANY)
        el = 1;
    if (l->count < 1 || l->count > 2 || !monitor_address(l, l->word[0], &va) ||
        (l->count == 2 && (!monitor_number(l->word[1], &el) || el > 3))) {
        text_add(l->out, "usage: walk VA [EL] [vmid=N]\n");
        return;
    }
    if (monitor_regime(l, (unsigned)el, vmid, &r))
        walk_print(l, &r, va,
                   (struct walk_access){ .el0 = el == 0,
                                         .real_el = (u8)el,
                                         .debug = 1,
                                         .stage1_only = stage1_only,
                                         .pan = el && monitor_cpu(l)->ps.pan },
                   false);
}

void cmd_walk(struct monitor_line *l) { walk_command(l, false); }
void cmd_s1walk(struct monitor_line *l) { walk_command(l, true); }

void cmd_s2walk(struct monitor_line *l)
{
    s64 vmid = monitor_option(l, "vmid", ANY);
    struct regime_desc r;
    u64 ipa;
    if (l->count != 1 || !monitor_address(l, l->word[0], &ipa)) {
        text_add(l->out, "usage: s2walk IPA [vmid=N]\n");
        return;
    }
    if (!monitor_regime(l, 1, vmid, &r))
        return;
    if (!r.stage2)
        text_add(l->out, "stage 2 is off here and now (HCR_EL2.VM); vmid=N is about a guest that was seen\n");
    else
        walk_print(l, &r, ipa, (struct walk_access){ .real_el = 1, .debug = 1 }, true);
}

/* ---- memory ---- */

enum { X_LIMIT = 4096 };

/* The physical address of addr in its space. */
static bool x_resolve(struct monitor_line *l, const struct regime_desc *r, unsigned el, char space, u64 addr, u64 *pa)
{
    struct translation t;
    struct walk_access acc = { .el0 = el == 0, .real_el = (u8)el, .debug = 1 };
    *pa = addr;
    if (space == 'p' || (space == 'i' && !r->stage2))
        return true;
    if (space == 'i')
        walk_stage2(r, addr, !r->secure, acc, NULL, &t);
    else
        walk(r, addr, acc, NULL, &t);
    *pa = t.pa;
    if (!t.ok) {
        text_add(l->out, "0x%llx: ", HEX(addr));
        fault_print(&t.fault, l->out);
        text_add(l->out, "\n");
    }
    return t.ok;
}

void cmd_x(struct monitor_line *l)
{
    s64 vmid = monitor_option(l, "vmid", ANY), el = monitor_option(l, "el", vmid != ANY ? 1 : monitor_cpu(l)->ps.el);
    char space = monitor_flag(l, "pa") ? 'p' : monitor_flag(l, "ipa") ? 'i' : 'v';
    u64 addr, count = 1, pa, value;
    struct regime_desc r;
    monitor_flag(l, "va");
    if (l->count < 1 || l->count > 2 || !monitor_address(l, l->word[0], &addr) || el < 0 || el > 3 ||
        (l->count == 2 && (!monitor_number(l->word[1], &count) || count > X_LIMIT))) {
        text_add(l->out, "usage: x ADDR [COUNT up to %d] [va|ipa|pa] [el=N] [vmid=N]\n", X_LIMIT);
        return;
    }
    if (!monitor_regime(l, space == 'i' ? 1 : (unsigned)el, vmid, &r))
        return;
    addr &= ~(u64)7;
    for (u64 n = 0; n < count; n++, addr += 8) {
        if (!x_resolve(l, &r, (unsigned)el, space, addr, &pa))
            return;
        if (!phys_copy_out(&l->d->m->d.phys, pa, &value, 8)) {
            text_add(l->out, "0x%llx: pa 0x%llx is not RAM\n", HEX(addr), HEX(pa));
            return;
        }
        text_add(l->out, "%s0x%llx: 0x%016llx%s", n % 2 ? "  " : "", HEX(addr), HEX(value),
                 n % 2 || n + 1 == count ? "\n" : "");
    }
}

/* ---- guests ---- */

/* Bytes that the table at pa and below maps, counting at most `budget` descriptors. */
static u64 mapped(struct phys *p, u64 pa, u64 entries, int level, unsigned granule, u64 *budget)
{
    u64 sum = 0, d;
    for (u64 n = 0; n < entries && *budget; n++, --*budget) {
        if (!phys_copy_out(p, pa + 8 * n, &d, 8) || !bit(d, 0))
            continue;
        if (level < 3 && bit(d, 1))
            sum += mapped(p, bits(d, 47, granule) << granule, BIT(granule - 3), level + 1, granule, budget);
        else if (level < 3 || bit(d, 1))
            sum += BIT(granule + (granule - 3) * (unsigned)(3 - level));
    }
    return sum;
}

static void vm_print(struct monitor_line *l, const struct vm_note *v)
{
    static const u8 granules[] = { 12, 16, 14, 12 };
    unsigned granule = granules[FIELD_OF(v->regime.vtcr, VTCR_TG0)],
             size = 64 - (unsigned)FIELD_OF(v->regime.vtcr, VTCR_T0SZ);
    int sl0 = (int)FIELD_OF(v->regime.vtcr, VTCR_SL0), start = granule == 12 ? (sl0 == 3 ? 3 : 2 - sl0) : 3 - sl0;
    unsigned low = granule + (granule - 3) * (unsigned)(3 - start);
    u64 budget = 1 << 20, entries = size > low && size - low < 20 ? BIT(size - low) : 1;
    text_add(l->out, "vmid %d: stage 2 at 0x%llx, IPAs of %u bits, ", v->vmid, HEX(v->root), size);
    u64 bytes = v->regime.stage2 ? mapped(&l->d->m->d.phys, v->root, entries, start, granule, &budget) : 0;
    text_add(l->out, "%s%llu KiB mapped, entered %llu times\n", budget ? "" : "at least ", HEX(bytes >> 10),
             HEX(v->entries));
}

void cmd_vms(struct monitor_line *l)
{
    bool any = false;
    for (unsigned n = 0; n < VMS; n++)
        if (l->d->vm[n].used)
            vm_print(l, &l->d->vm[n]), any = true;
    if (!any)
        text_add(l->out, "no guest has been entered or left since the debugger began\n");
}
