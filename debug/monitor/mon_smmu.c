/*
 * Monitor commands about the SMMU (Arm IHI 0070): its queues, streams with what their entries say, the way of an
 * address through it, and the last fault, by the functions that DMA goes through, in their debug mode: nothing changes.
 */
#include "debug/monitor/monitor.h"

#include "board/dev/smmu.h"

/* The structures' fields, as smmu.def has them. */
struct field {
    const char *name;
    u16 hi, lo;
};
static const struct field ste_fields[] = {
#define SMMU_FIELD_STE(name, hi, lo) { #name, hi, lo },
#define SMMU_FIELD_CD(name, hi, lo)
#define SMMU_FIELD_EVENT(name, hi, lo)
#define SMMU_FIELD(structure, name, hi, lo) SMMU_FIELD_##structure(name, hi, lo)
#include "board/dev/smmu.def"
};
#undef SMMU_FIELD_STE
#undef SMMU_FIELD_CD
static const struct field cd_fields[] = {
#define SMMU_FIELD_STE(name, hi, lo)
#define SMMU_FIELD_CD(name, hi, lo) { #name, hi, lo },
#define SMMU_FIELD(structure, name, hi, lo) SMMU_FIELD_##structure(name, hi, lo)
#include "board/dev/smmu.def"
};

/* The fields that are not 0; addresses as addresses. */
static void fields_print(struct text *out, const struct field *f, unsigned count, const u64 *word)
{
    for (unsigned n = 0; n < count; n++) {
        u64 value = words_field(word, f[n].hi, f[n].lo);
        bool address = strstr(f[n].name, "TTB") || !strcmp(f[n].name, "S1ContextPtr");
        if (value)
            text_add(out, " %s=0x%llx", f[n].name, HEX(address ? value << (strstr(f[n].name, "TTB") ? 4 : 6) : value));
    }
    text_add(out, "\n");
}

static struct smmu *smmu_of(struct monitor_line *l)
{
    struct machine *m = l->d->m;
    if (row_there(m, row_get(ROW_smmu)))
        return place_state(m, (struct place){ ROW_smmu, 0 });
    text_add(l->out, "this machine has no SMMU (-M virt,iommu=smmuv3)\n");
    return NULL;
}

static void config_print(struct text *out, const struct smmu_look *look)
{
    static const char *const configs[] = {
        "abort", "abort", "abort", "abort", "bypass", "stage 1 translates", "stage 2", "stage 1 and stage 2 translate"
    };
    if (!look->has_ste)
        return;
    text_add(out, "  STE at 0x%llx: %s;", HEX(look->ste_at), configs[STE(look->ste, Config)]);
    fields_print(out, ste_fields, ARRAY_LEN(ste_fields), look->ste);
    if (!look->has_cd)
        return;
    text_add(out, "  CD at %s0x%llx:", look->stage2 ? "ipa " : "", HEX(look->cd_at));
    fields_print(out, cd_fields, ARRAY_LEN(cd_fields), look->cd);
}

static void fault_print(struct text *out, const struct smmu *s, const struct smmu_look *look)
{
    static const char *const classes[] = { "reading the CD", "walking stage 1's tables", "the address itself" };
    const struct fault *f = &look->out.fault;
    const char *name = smmu_event_name(look->event);
    text_add(out, "%s%s%s", name ? name : "aborts", ": ", smmu_cause(s, look));
    if (look->event >= EVENT_F_WALK_EABT)
        text_add(out, ", stage %u level %d, %s", look->s2 ? 2 : 1, f->level, classes[look->class]);
    if (look->s2)
        text_add(out, ", ipa 0x%llx", HEX(look->ipa));
    if (f->desc_stage)
        text_add(out, ", descriptor [0x%llx] = 0x%llx", HEX(f->desc_addr), HEX(f->desc));
    text_add(out, "\n");
}

static void way_print(struct monitor_line *l, const struct smmu *s, u64 stream, u64 address)
{
    static const char *const kinds[] = { "read", "write" };
    struct smmu_look look;
    for (unsigned write = 0; write < 2; write++) {
        struct smmu_transaction t = {
            .address = address, .stream = (u32)stream, .substream = NO_SUBSTREAM, .write = write, .debug = true
        };
        smmu_look(l->d->m, s, &t, &look);
        if (!write)
            config_print(l->out, &look);
        text_add(l->out, "%s: ", kinds[write]);
        if (!look.out.ok) {
            fault_print(l->out, s, &look);
            continue;
        }
        text_add(l->out, "0x%llx -> ", HEX(address));
        if (look.stage1 && look.stage2)
            text_add(l->out, "ipa 0x%llx -> ", HEX(look.out.ipa));
        text_add(l->out, "pa 0x%llx%s\n", HEX(look.out.pa), look.stage1 || look.stage2 ? "" : ", not translated");
    }
}

static void queue_print(struct text *out, const char *name, u64 base, u64 prod, u64 cons, const char *state)
{
    unsigned log2 = (unsigned)bits(base, 4, 0);
    log2 = log2 < SMMU_QUEUE ? log2 : SMMU_QUEUE;
    text_add(out, "  %s queue at 0x%llx, %llu entries, %llu in it%s\n", name, HEX(base & ones(52) & ~ones(5)),
             HEX(1) << log2, HEX((prod - cons) & ones(log2 + 1)), state);
}

static void last_print(struct text *out, const struct smmu *s)
{
    const u64 *e = s->last;
    const char *name = smmu_event_name((unsigned)EVENT(e, Number));
    if (!name) {
        text_add(out, "no DMA has failed\n");
        return;
    }
    text_add(out, "last fault: %s, stream 0x%llx, ", name, HEX(EVENT(e, StreamID)));
    if (EVENT(e, Number) >= EVENT_F_WALK_EABT)
        text_add(out, "%s of 0x%llx, stage %u, ", EVENT(e, RnW) ? "read" : "write", HEX(EVENT(e, InputAddr)),
                 EVENT(e, S2) ? 2 : 1);
    text_add(out, "%s", s->last_rule ? fault_rule_text(s->last_rule) : smmu_event_words((unsigned)EVENT(e, Number)));
    if (s->last_addr)
        text_add(out, ", descriptor [0x%llx] = 0x%llx", HEX(s->last_addr), HEX(s->last_desc));
    text_add(out, "%s\n", EVENT(e, Stall) ? "; stalled" : "");
}

static void summary(struct monitor_line *l, struct smmu *s)
{
    static const char *const states[] = { "free",    "held back, the event queue cannot be written",
                                          "waits",   "is to be made again",
                                          "aborted", "ignored" };
    struct machine *m = l->d->m;
    struct text *out = l->out;
    u32 idr0 = smmu_idr0(m);
    text_add(out, "SMMU %s; stages%s%s%s; output of %llu bits\n", bit(s->cr0, CR0_SMMUEN) ? "enabled" : "off: all pass",
             bit(idr0, IDR0_S1P) ? " 1" : "", bit(idr0, IDR0_S2P) ? " 2" : "", bit(idr0, IDR0_HYP) ? ", EL2" : "",
             HEX(smmu_oas(m)));
    text_add(out, "  stream table at 0x%llx, %s, %llu streams\n", HEX(s->strtab_base & ones(52)),
             bits(s->strtab_base_cfg, 17, 16) == 1 ? "two levels" : "linear", HEX(1) << bits(s->strtab_base_cfg, 4, 0));
    queue_print(out, "command", s->cmdq_base, s->cmdq_prod, s->cmdq_cons,
                bit(s->gerror ^ s->gerrorn, GERROR_CMDQ) ? ", an error"
                : bit(s->cr0, CR0_CMDQEN)                ? ""
                                                         : ", off");
    queue_print(out, "event", s->eventq_base, s->eventq_prod, s->eventq_cons, bit(s->cr0, CR0_EVENTQEN) ? "" : ", off");
    for (unsigned n = 0; n < SMMU_STALLS; n++)
        if (s->stall[n].state != STALL_FREE)
            text_add(out, "  STAG %u: stream 0x%x, %s of 0x%llx: %s\n", n, s->stall[n].stream,
                     s->stall[n].write ? "write" : "read", HEX(s->stall[n].address),
                     states[s->stall[n].state < STALL_STATES ? s->stall[n].state : 0]);
    last_print(out, s);
}

/* Every stream that has a valid entry. */
static void streams(struct monitor_line *l, struct smmu *s)
{
    if (!bit(s->cr0, CR0_SMMUEN))
        return;
    for (u32 sid = 0; sid < BIT(SMMU_SIDSIZE); sid++) {
        struct smmu_transaction t = { .stream = sid, .substream = NO_SUBSTREAM, .debug = true };
        struct smmu_look look;
        smmu_look(l->d->m, s, &t, &look);
        if (!look.has_ste || !STE(look.ste, V))
            continue;
        text_add(l->out, "stream 0x%x (%02x:%02x.%x)%s\n", sid, sid >> 8, sid >> 3 & 31, sid & 7,
                 look.event == EVENT_C_BAD_STE ? ", illegal" : "");
        config_print(l->out, &look);
    }
}

void monitor_last_dma(struct monitor_line *l)
{
    const struct smmu *s = smmu_of(l);
    if (s)
        last_print(l->out, s);
}

void cmd_smmu(struct monitor_line *l)
{
    u64 stream, address;
    struct smmu *s = smmu_of(l);
    if (!s)
        return;
    if (!l->count) {
        summary(l, s);
    } else if (l->count == 1 && !strcmp(l->word[0], "streams")) {
        streams(l, s);
    } else if (l->count == 2 && debugger_number(l->word[0], &stream) && stream >> 32 == 0 &&
               monitor_address(l, l->word[1], &address)) {
        way_print(l, s, stream, address);
    } else {
        text_add(l->out, "usage: smmu, smmu streams, smmu STREAM ADDRESS\n");
    }
}
