/*
 * Monitor commands about translation and memory, in the words of debug/walks.h: nothing in the machine changes.
 */
#include "cpu/field.h"
#include "debug/monitor/monitor.h"
#include "debug/stage2.h"
#include "debug/walks.h"

#include "cpu/exception.h"
#include "mmu/context.h"

/* ---- walks ---- */

static void line_put(struct text *out, const struct fault *f)
{
    walks_fault_words(f, out);
    text_add(out, "\n");
}

static void step_print(const struct walks_answer *a, const struct walk_step *s, struct text *out)
{
    text_add(out, "%sstage %u level %d  ", s->stage == 2 && s->s1ptw ? "  for the stage 1 table: " : "", s->stage,
             s->level);
    if (s->ipa != s->addr)
        text_add(out, "[ipa 0x%llx] ", HEX(s->ipa));
    text_add(out, "[0x%llx] = 0x%016llx ", HEX(s->addr), HEX(s->value));
    walks_entry_words(a, s, out);
    text_add(out, "%s\n", s->updated ? " (updated)" : "");
}

static void walk_print(struct monitor_line *l, const struct walks_question *q)
{
    static const char *const rights[WALKS_RIGHTS] = { "read", "write", "execute" };
    struct walks_answer a;
    char error[256];
    if (!walks_ask(l->d, q, &a, error)) {
        text_add(l->out, "%s\n", error);
        return;
    }
    for (unsigned n = 0; n < a.record.count && n < WALK_STEPS; n++)
        step_print(&a, &a.record.step[n], l->out);
    if (!a.t.ok) {
        line_put(l->out, &a.t.fault);
        return;
    }
    text_add(l->out, "0x%llx -> ", HEX(q->addr));
    if (a.regime.stage2 && !q->stage2_only)
        text_add(l->out, "ipa 0x%llx -> ", HEX(a.t.ipa));
    text_add(l->out, "%s 0x%llx%s, %s, in pieces of %llu KiB%s\n", q->stage1_only ? "ipa" : "pa", HEX(a.t.pa),
             a.t.ns ? "" : " (Secure)", walks_type_words(a.t.attrs.type), HEX(1) << (a.t.size_log2 - 10),
             a.t.global ? "" : ", nG");
    for (unsigned n = 0; n < WALKS_RIGHTS; n++) {
        text_add(l->out, "%s: %s", rights[n], a.right[n].ok ? "yes\n" : "");
        if (!a.right[n].ok)
            line_put(l->out, &a.right[n].fault);
    }
}

static void walk_command(struct monitor_line *l, bool stage1_only)
{
    u64 va, el = monitor_cpu(l)->ps.el;
    s64 vmid = monitor_option(l, "vmid", ANY);
    if (vmid != ANY)
        el = 1;
    if (l->count < 1 || l->count > 2 || !monitor_address(l, l->word[0], &va) ||
        (l->count == 2 && (!debugger_number(l->word[1], &el) || el > 3))) {
        text_add(l->out, "usage: walk VA [EL] [vmid=N]\n");
        return;
    }
    walk_print(l, &(struct walks_question){ .addr = va, .el = (u32)el, .vmid = (s32)vmid, .stage1_only = stage1_only });
}

void cmd_walk(struct monitor_line *l) { walk_command(l, false); }
void cmd_s1walk(struct monitor_line *l) { walk_command(l, true); }

void cmd_s2walk(struct monitor_line *l)
{
    s64 vmid = monitor_option(l, "vmid", ANY);
    u64 ipa;
    if (l->count != 1 || !monitor_address(l, l->word[0], &ipa)) {
        text_add(l->out, "usage: s2walk IPA [vmid=N]\n");
        return;
    }
    walk_print(l, &(struct walks_question){ .addr = ipa, .el = 1, .vmid = (s32)vmid, .stage2_only = true });
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
        line_put(l->out, &t.fault);
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
        (l->count == 2 && (!debugger_number(l->word[1], &count) || count > X_LIMIT))) {
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

static bool span_add(void *ctx, const struct stage2_span *s)
{
    *(u64 *)ctx += s->size;
    return true;
}

static void vm_print(struct monitor_line *l, const struct vm_note *v)
{
    u64 bytes = 0, looks = STAGE2_LOOKS;
    bool whole = stage2_each(&v->regime, &looks, span_add, &bytes);
    text_add(l->out, "vmid %d: stage 2 at 0x%llx, IPAs of %u bits, %s%llu KiB mapped, entered %llu times\n", v->vmid,
             HEX(v->root), stage2_bits(&v->regime), whole ? "" : "at least ", HEX(bytes >> 10), HEX(v->entries));
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
