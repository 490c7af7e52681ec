/*
 * The way of a transaction through the SMMU (IHI 0070 3.3, 3.4, 3.12, 15): configuration, walk, and of a fault its
 * event, and whether the transaction ends or waits.
 *
 * A transaction that stalls is not kept: who made it makes it again, with what led to it, when CMD_RESUME or its like
 * has decided about it (pci_resume), and finds the decision by stream, address and direction. One whose master then has
 * to make it once more, since a later one waits, finds it again, until the master has come through. While the event
 * queue cannot be written it is held without an event, and made again when the queue can be (7.2.1).
 */
#include "board/dev/smmu.h"

#include "board/observer.h"
#include "cpu/field.h"
#include "mmu/memo.h"

/* ---- looking ---- */

static void event(struct smmu_look *look, enum smmu_event number) { look->event = (u8)number; }

static void pass(struct smmu_look *look)
{
    look->out.ok = true;
    look->out.pa = look->out.ipa = look->t.address;
    look->out.size_log2 = 64;
}

/* CR0.SMMUEN is 0: GBPA.ABORT <20>, and an address that is too large is terminated without an event (3.4). */
static void bypass_all(const struct machine *m, const struct smmu *s, struct smmu_look *look)
{
    look->bypass = true;
    look->silent = bit(s->gbpa, 20) || look->t.address >> smmu_oas(m);
    if (!look->silent)
        pass(look);
}

/* No stage translates. */
static void bypass_stream(const struct machine *m, struct smmu_look *look)
{
    pass(look);
    if (!(look->t.address >> smmu_oas(m)))
        return;
    look->out.ok = false;
    look->out.fault = (struct fault){ .kind = FAULT_ADDRESS_SIZE, .rule = RULE_MMU_OFF_SIZE };
    look->class = CLASS_IN;
    event(look, EVENT_F_ADDR_SIZE);
}

/* PRIVCFG and INSTCFG: 2, 3 override; writes are data (13.1.2). */
static void override(struct smmu_look *look)
{
    u64 privilege = STE(look->ste, PRIVCFG), instruction = STE(look->ste, INSTCFG);
    if (privilege & 2)
        look->t.privileged = privilege & 1;
    if (instruction & 2)
        look->t.fetch = instruction & 1;
    look->t.fetch = look->t.fetch && !look->t.write;
}

/* S1CDMax, S1DSS and the SubstreamID (5.2, 7.3.7, 7.3.9). False: look->event. */
static bool substream(struct smmu_look *look)
{
    const u64 *ste = look->ste;
    u64 max = look->stage1 ? STE(ste, S1CDMax) : 0, otherwise = STE(ste, S1DSS);
    bool given = look->t.substream != NO_SUBSTREAM;
    if (given && (!max || look->t.substream >> max))
        event(look, EVENT_C_BAD_SUBSTREAMID);
    else if (max && given && !look->t.substream && otherwise == 2)
        event(look, EVENT_F_STREAM_DISABLED);
    else if (max && !given && (otherwise == 0 || otherwise == 3))
        event(look, EVENT_F_STREAM_DISABLED);
    else if (max && !given && otherwise == 1)
        look->stage1 = false;
    return !look->event;
}

static struct walk_access access_of(const struct machine *m, const struct smmu *s, const struct smmu_look *look)
{
    const struct smmu_transaction *t = &look->t;
    struct walk_access a = { .read = !t->write && !t->fetch, .write = t->write, .fetch = t->fetch, .debug = t->debug };
    bool el2 = look->stage1 && smmu_stream_world(m, s, look->ste) == REGIME_EL2;
    a.el0 = !t->privileged && !el2; /* at EL2 everything is privileged */
    a.real_el = !a.el0;
    a.pan = look->has_cd && CD(look->cd, PAN) && !el2;
    return a;
}

/* What STE and CD say of the transaction, into *look and *r. False: with that it is decided. */
static bool configure(struct machine *m, const struct smmu *s, struct smmu_look *look, struct regime_desc *r)
{
    memset(r, 0, sizeof(*r)); /* padding too: descriptions are compared by their bytes */
    if (!bit(s->cr0, CR0_SMMUEN)) {
        bypass_all(m, s, look);
        return false;
    }
    if (!smmu_ste(m, s, look))
        return false;
    u64 config = STE(look->ste, Config);
    look->silent = !(config & 4);
    look->stage1 = config & 1;
    look->stage2 = config & 2;
    override(look);
    if (look->silent || !substream(look))
        return false;
    if (look->stage2)
        smmu_regime_stage2(m, look, r);
    if (look->stage1) {
        if (!smmu_cd(m, s, look, r))
            return false;
        smmu_regime_stage1(m, s, look, r);
    }
    if (!look->stage1 && !look->stage2)
        bypass_stream(m, look);
    return look->stage1 || look->stage2;
}

/* After the walk. */
static void walked(struct machine *m, struct smmu_look *look, const struct regime_desc *r)
{
    if (!look->out.ok) {
        struct fault f = look->out.fault;
        smmu_fault(m, look, r, &f, CLASS_IN);
    }
}

void smmu_look(struct machine *m, const struct smmu *s, const struct smmu_transaction *t, struct smmu_look *look)
{
    struct regime_desc r;
    memset(look, 0, sizeof(*look));
    look->t = *t;
    if (configure(m, s, look, &r)) {
        walk(&r, t->address, access_of(m, s, look), NULL, &look->out);
        walked(m, look, &r);
    }
}

/* ---- what is known of streams ---- */

static struct smmu_known *known_place(struct machine *m, const struct smmu_transaction *t)
{
    u32 mixed = ((t->stream ^ t->substream << 6) << 1 | t->write) * 0x9e3779b1;
    return &smmu_derived(m)->known[(mixed >> 16) % SMMU_KNOWN];
}

typedef u64 pair __attribute__((vector_size(16)));

static inline pair pair_differs(const u8 *host, const u64 word[2])
{
    pair now, then;
    memcpy(&now, host, sizeof(now));
    memcpy(&then, word, sizeof(then));
    return now ^ then;
}

static inline bool same_words(const u8 *host, const u64 word[8])
{
    pair differs = pair_differs(host, word) | pair_differs(host + 16, word + 2) | pair_differs(host + 32, word + 4) |
                   pair_differs(host + 48, word + 6);
    return !(differs[0] | differs[1]);
}

static inline bool is_known(const struct smmu *s, const struct smmu_known *k, const struct smmu_transaction *t)
{
    if (!k->ste || k->stream != t->stream || k->substream != t->substream || k->how != smmu_how(t))
        return false;
    if (!bit(s->cr0, CR0_SMMUEN) || k->cr2 != s->cr2 || k->strtab_base != s->strtab_base ||
        k->strtab_base_cfg != s->strtab_base_cfg)
        return false;
    for (unsigned n = 0; n < k->trail.count; n++)
        if (load_le64(k->trail.check[n].host) != k->trail.check[n].value)
            return false;
    return same_words(k->ste, k->look.ste) && (!k->cd || same_words(k->cd, k->look.cd));
}

/* Finds it for a stream that translates. False: it cannot be kept, or *look is all that there is. */
static bool learn(struct machine *m, const struct smmu *s, const struct smmu_transaction *t, struct smmu_known *k,
                  struct smmu_look *look)
{
    struct regime_desc r;
    k->ste = k->cd = NULL;
    k->trail.count = 0;
    memset(look, 0, sizeof(*look));
    look->t = *t;
    look->trail = &k->trail;
    if (!configure(m, s, look, &r))
        return false;
    k->stream = t->stream;
    k->substream = t->substream;
    k->how = smmu_how(t);
    k->cr2 = s->cr2;
    k->strtab_base = s->strtab_base;
    k->strtab_base_cfg = s->strtab_base_cfg;
    k->look = *look;
    k->access = access_of(m, s, look);
    k->regime = m->d.memo ? *memo_regime(m->d.memo, &r) : r;
    if (look->has_cd)
        k->cd = bus_ram_host(m, look->cd_pa, sizeof(look->cd));
    if (k->trail.count <= SMMU_TRAIL && (k->cd || !look->has_cd))
        k->ste = bus_ram_host(m, look->ste_at, sizeof(look->ste));
    return true;
}

/* ---- events ---- */

void smmu_event_make(const struct smmu_look *look, u64 e[4])
{
    const struct smmu_transaction *t = &look->t;
    bool walked = look->event >= EVENT_F_WALK_EABT, given = t->substream != NO_SUBSTREAM;
    memset(e, 0, 4 * sizeof(*e));
    EVENT_SET(e, Number, look->event);
    EVENT_SET(e, StreamID, t->stream);
    if (given && look->event != EVENT_F_STREAM_DISABLED) {
        EVENT_SET(e, SubstreamID, t->substream);
        EVENT_SET(e, SSV, look->event != EVENT_C_BAD_SUBSTREAMID);
    }
    if (look->event == EVENT_F_STE_FETCH || look->event == EVENT_F_CD_FETCH || look->event == EVENT_F_WALK_EABT)
        EVENT_SET(e, FetchAddr, look->fetch_at >> 3);
    if (!walked)
        return;
    EVENT_SET(e, PnU, t->privileged);
    EVENT_SET(e, InD, t->fetch);
    EVENT_SET(e, RnW, !t->write);
    EVENT_SET(e, S2, look->s2);
    EVENT_SET(e, CLASS, look->class);
    EVENT_SET(e, InputAddr, t->address);
    if (look->event != EVENT_F_WALK_EABT && look->s2)
        EVENT_SET(e, IPA, look->ipa >> 12);
    if (look->event == EVENT_F_PERMISSION && look->class == CLASS_TT)
        EVENT_SET(e, TTRnW, look->out.fault.rule == RULE_READ || look->out.fault.rule == RULE_PTW);
}

static void remember(struct smmu *s, const struct smmu_look *look, const u64 e[4])
{
    const struct fault *f = &look->out.fault;
    memcpy(s->last, e, sizeof(s->last));
    s->last_rule = f->rule;
    s->last_desc = f->desc_stage ? f->desc : 0;
    s->last_addr = f->desc_stage ? f->desc_addr : 0;
}

/* ---- what becomes of it ---- */

/* Is any place taken? */
static NOINLINE bool look_for_stalls(struct machine *m, const struct smmu *s)
{
    bool any = false;
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        any |= s->stall[n].state != STALL_FREE || s->stall[n].answered;
    smmu_derived(m)->no_stalls = !any;
    return any;
}
static inline bool any_stall(struct machine *m, const struct smmu *s)
{
    return unlikely(!smmu_derived(m)->no_stalls) && look_for_stalls(m, s);
}

static bool same(const struct smmu_stall *p, const struct smmu_transaction *t)
{
    return p->state != STALL_FREE && p->stream == t->stream && p->substream == t->substream &&
           p->address == t->address && p->write == t->write;
}

static struct smmu_stall *stall_find(struct smmu *s, const struct smmu_transaction *t)
{
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (same(&s->stall[n], t))
            return &s->stall[n];
    return NULL;
}

static bool answered_any(const struct smmu *s, u32 stream)
{
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (s->stall[n].answered && s->stall[n].stream == stream)
            return true;
    return false;
}

/* It waits, with an event that names it, or without while none can be recorded. */
static enum dma_verdict stall(struct machine *m, struct smmu *s, struct place at, const struct smmu_transaction *t,
                              u64 e[4])
{
    for (unsigned n = 0; n < SMMU_STALLS; n++) {
        struct smmu_stall *p = &s->stall[n];
        if (p->state != STALL_FREE)
            continue;
        smmu_derived(m)->no_stalls = false;
        *p = (struct smmu_stall){ t->address, t->stream, t->substream, STALL_HELD, t->write, 0, { 0 } };
        if (smmu_event_writable(m, s)) {
            p->state = STALL_WAITS;
            EVENT_SET(e, Stall, 1);
            EVENT_SET(e, STAG, n);
            smmu_event(m, s, at, e);
        }
        return DMA_STALL;
    }
    if (answered_any(s, t->stream)) { /* its own decisions fill the places: waiting would have no end */
        smmu_event(m, s, at, e);
        return DMA_ABORT;
    }
    s->crowded = 1;
    return DMA_STALL;
}

/* A transaction that did not pass: A, R and S of the stage that has the fault (5.5). */
static enum dma_verdict fail(struct machine *m, struct smmu *s, struct place at, const struct smmu_transaction *t,
                             const struct smmu_look *look)
{
    bool abort = true, record = true, stalls = false;
    u64 e[4];
    if (!look->event)
        return DMA_ABORT;
    if (look->event >= EVENT_F_TRANSLATION && look->s2) {
        record = STE(look->ste, S2R);
        stalls = STE(look->ste, S2S);
    } else if (look->event >= EVENT_F_TRANSLATION && look->has_cd) {
        abort = CD(look->cd, A);
        record = CD(look->cd, R);
        stalls = CD(look->cd, S);
    }
    smmu_event_make(look, e);
    if (stalls) {
        enum dma_verdict verdict = stall(m, s, at, t, e);
        remember(s, look, e);
        return verdict;
    }
    remember(s, look, e);
    if (record && !look->silent)
        smmu_event(m, s, at, e);
    return abort ? DMA_ABORT : DMA_IGNORE;
}

static void forget(struct smmu_stall *p) { p->state = p->answered = STALL_FREE; }

/* Of a transaction that has been here before. True: that is all. */
static bool before(struct machine *m, struct smmu *s, const struct smmu_transaction *t, bool again,
                   enum dma_verdict *verdict)
{
    struct smmu_stall *p = stall_find(s, t);
    unsigned state = p ? p->state : STALL_FREE;
    if (state == STALL_WAITS || (state == STALL_HELD && !smmu_event_writable(m, s))) {
        *verdict = DMA_STALL;
        return true;
    }
    *verdict = state == STALL_IGNORE ? DMA_IGNORE : DMA_ABORT;
    bool ends = state == STALL_IGNORE || state == STALL_ABORT;
    if (ends && again)
        p->answered = 1;
    else if (p)
        forget(p);
    return ends;
}

static enum dma_verdict passes(struct dma_output *out, u64 address, const struct translation *t)
{
    out->ipa = t->ipa;
    out->pa = t->pa;
    out->size = t->size_log2 < 64 ? BIT(t->size_log2) - (address & ones(t->size_log2)) : ~address;
    return DMA_PASS;
}

enum dma_verdict smmu_translate(struct machine *m, void *state, struct place at, const struct requester *by,
                                u64 address, bool write, struct dma_output *out)
{
    struct smmu *s = state;
    struct smmu_transaction t = { .address = address,
                                  .stream = by->stream,
                                  .substream = by->has_substream ? by->substream : NO_SUBSTREAM,
                                  .write = write,
                                  .privileged = by->privileged,
                                  .fetch = by->fetch && !write };
    struct smmu_look look;
    enum dma_verdict verdict;
    out->size = BIT(12) - (address & ones(12)); /* of one that is ignored */
    if (any_stall(m, s) && before(m, s, &t, by->again, &verdict)) {
        out->cause = verdict == DMA_STALL ? "it still waits for CMD_RESUME" : "CMD_RESUME, CMD_STALL_TERM or SMMUEN";
        return verdict;
    }
    struct smmu_known *k = known_place(m, &t);
    if (is_known(s, k, &t) || learn(m, s, &t, k, &look)) {
        struct translation walk_out;
        if (!k->regime.memo || !k->look.stage1 || !memo_walk(&k->regime, address, &k->access, &walk_out))
            walk_for(&k->regime, address, &k->access, NULL, &walk_out);
        out->stages = k->look.stage1 | (u32)k->look.stage2 << 1;
        if (likely(walk_out.ok))
            return passes(out, address, &walk_out);
        look = k->look;
        look.t.address = address;
        look.out = walk_out;
        walked(m, &look, &k->regime);
    }
    out->stages = look.stage1 | (u32)look.stage2 << 1;
    out->ipa = look.s2 ? look.ipa : look.out.ipa;
    if (look.out.ok)
        return passes(out, address, &look.out);
    out->event = smmu_event_name(look.event);
    out->cause = smmu_cause(s, &look);
    return fail(m, s, at, &t, &look);
}

/* ---- going on ---- */

static bool decided(const struct smmu_stall *p) { return p->state >= STALL_RETRY && !p->answered; }

/* A decision that nobody asked for again is forgotten: the master was reset, or does something else now. */
static void resume_stream(struct machine *m, struct smmu *s, u32 stream)
{
    pci_resume(m, stream);
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (decided(&s->stall[n]) && s->stall[n].stream == stream)
            forget(&s->stall[n]);
}

/* There may be a place for those that found none. */
static void uncrowd(struct machine *m, struct smmu *s)
{
    if (s->crowded) {
        s->crowded = 0;
        pci_resume(m, STREAM_ALL);
    }
}

void smmu_settled(struct machine *m, void *state, struct place at, u32 stream)
{
    struct smmu *s = state;
    (void)at;
    for (unsigned n = 0; any_stall(m, s) && n < SMMU_STALLS; n++)
        if (s->stall[n].answered && s->stall[n].stream == stream)
            forget(&s->stall[n]);
    uncrowd(m, s);
}

void smmu_resume(struct machine *m, struct smmu *s)
{
    bool any = false;
    if (!any_stall(m, s))
        return;
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (decided(&s->stall[n])) {
            resume_stream(m, s, s->stall[n].stream);
            any = true;
        }
    if (any)
        uncrowd(m, s);
}

void smmu_release(struct machine *m, struct smmu *s)
{
    for (unsigned n = 0; any_stall(m, s) && n < SMMU_STALLS && smmu_event_writable(m, s); n++)
        if (s->stall[n].state == STALL_HELD) {
            s->stall[n].state = STALL_RETRY;
            resume_stream(m, s, s->stall[n].stream);
        }
}

/* ---- words ---- */

const char *smmu_cause(const struct smmu *s, const struct smmu_look *look)
{
    if (look->out.fault.rule != RULE_NONE)
        return fault_rule_text(look->out.fault.rule);
    if (look->event)
        return smmu_event_words(look->event);
    if (look->bypass)
        return bit(s->gbpa, 20) ? "GBPA.ABORT" : "the address is larger than IDR5.OAS";
    return "STE.Config: abort";
}

const char *smmu_event_name(unsigned number)
{
    switch (number) {
#define SMMU_EVENT(number, name, words)                                                                                \
    case number: return #name;
#include "board/dev/smmu.def"
    default: return NULL;
    }
}

const char *smmu_event_words(unsigned number)
{
    switch (number) {
#define SMMU_EVENT(number, name, words)                                                                                \
    case number: return words;
#include "board/dev/smmu.def"
    default: return NULL;
    }
}
