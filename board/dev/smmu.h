/*
 * The SMMU's state, and what its files have for each other and for those who look in. What it models and leaves out:
 * board/dev/smmu.c.
 */
#ifndef BOARD_SMMU_H
#define BOARD_SMMU_H

#include "board/machine.h"
#include "mmu/memo.h"
#include "mmu/walk.h"

/* LOCKED(): bits of CR0, and above them those of IRQ_CTRL. */
enum { CR0_SMMUEN = 0, CR0_EVENTQEN = 2, CR0_CMDQEN = 3, CR0_MASK = 0xd };
enum { IRQ_GERROR = 0, IRQ_EVENTQ = 2, IRQ_CTRL_MASK = 0x5 };
#define LOCKED(s) ((s)->cr0 | (s)->irq_ctrl << 16)
enum { LOCK_SMMUEN = 1 << CR0_SMMUEN, LOCK_EVENTQEN = 1 << CR0_EVENTQEN, LOCK_CMDQEN = 1 << CR0_CMDQEN,
       LOCK_GERROR_IRQ = 1 << (16 + IRQ_GERROR), LOCK_EVENTQ_IRQ = 1 << (16 + IRQ_EVENTQ) };
enum { CR2_E2H = 0, CR2_RECINVSID = 1 };
enum { IDR0_S2P = 0, IDR0_S1P = 1, IDR0_HYP = 9 };
/* Global errors (6.3.19). */
enum { GERROR_CMDQ = 0, GERROR_EVENTQ_ABT = 2, GERROR_MSI_CMDQ_ABT = 4, GERROR_MSI_EVENTQ_ABT = 5,
       GERROR_MSI_GERROR_ABT = 7, GERROR_MASK = 0xb5 };
enum smmu_wire { WIRE_EVENTQ, WIRE_PRIQ, WIRE_CMD_SYNC, WIRE_GERROR, SMMU_WIRES };

/* Log2 sizes: of a StreamID, of a SubstreamID, of the queues in entries. */
enum { SMMU_SIDSIZE = 16, SMMU_SSIDSIZE = 20, SMMU_QUEUE = 16, SMMU_STALLS = 32 };
/* Its DeviceID, as a source of MSIs: next to those of PCI functions. */
enum { SMMU_DEVICE_ID = 0x10000 };

/* A transaction that waits for CMD_RESUME. Its number is the STAG. Who made it makes it again (pci_resume), and then
 * hears what became of it; and again while it makes more that led to it (answered; requester.again). */
enum smmu_stall_state { STALL_FREE, STALL_HELD, /* no event of it could be recorded yet */
                        STALL_WAITS, STALL_RETRY, STALL_ABORT, STALL_IGNORE, STALL_STATES };
struct smmu_stall {
    u64 address;
    u32 stream, substream;
    u8 state, write, answered, pad[5];
};

struct smmu {
#define SMMU_REG(name, ...) u64 name;
#include "board/dev/smmu.def"
    struct smmu_stall stall[SMMU_STALLS];
    u64 last[4];              /* the last event, recorded or not; 0: none */
    u64 last_desc, last_addr; /* the descriptor that decided it, and where it is; 0: none */
    u32 last_rule;            /* enum fault_rule */
    u32 crowded;              /* a transaction waits for a free stall */
};

#define SMMU_FIELD(structure, name, hi, lo) structure##_##name = lo, structure##_##name##_END = hi,
enum smmu_field {
#include "board/dev/smmu.def"
};
#define SMMU_EVENT(number, name, words) EVENT_##name = number,
enum smmu_event {
#include "board/dev/smmu.def"
};

/* A field of a structure of 64-bit words. */
static inline u64 words_field(const u64 *word, unsigned hi, unsigned lo)
{
    return bits(word[lo / 64], hi % 64, lo % 64);
}
static inline void words_field_set(u64 *word, unsigned hi, unsigned lo, u64 value)
{
    word[lo / 64] = bits_set(word[lo / 64], hi % 64, lo % 64, value);
}
#define STE(ste, name)              words_field(ste, STE_##name##_END, STE_##name)
#define CD(cd, name)                words_field(cd, CD_##name##_END, CD_##name)
#define EVENT(event, name)          words_field(event, EVENT_##name##_END, EVENT_##name)
#define EVENT_SET(event, name, v)   words_field_set(event, EVENT_##name##_END, EVENT_##name, v)
/* An address in a structure: the field is its upper bits. */
#define STE_ADDRESS(ste, name)      (STE(ste, name) << STE_##name % 64)
#define CD_TTB(cd, n)               (CD(cd, TTB##n) << 4)

/* What a bus master asks for. */
enum { NO_SUBSTREAM = 0xffffffff };
struct smmu_transaction {
    u64 address;
    u32 stream, substream; /* substream: NO_SUBSTREAM, or the number */
    bool write;
    bool privileged, fetch; /* as the master says; STE.PRIVCFG and INSTCFG may say otherwise */
    bool debug;             /* nothing is changed: for those who look in */
};

/* Words of tables that were read on the way to the STE and the CD, stage 2's for the CD's among them: as struct
 * memo_trace. */
enum { SMMU_TRAIL = 16 };
struct smmu_trail {
    u32 count; /* more than SMMU_TRAIL: there were too many, or one that is not kept */
    struct memo_check check[SMMU_TRAIL];
};

/* What came of it, and all that it depended on. */
struct smmu_look {
    struct smmu_transaction t; /* attributes as the STE overrides them */
    bool bypass;               /* SMMUEN is 0 */
    bool has_ste, has_cd;
    bool stage1, stage2; /* translates */
    u64 ste[8], cd[8];
    u64 ste_at, cd_at;        /* addresses; cd_at: before stage 2 */
    u64 cd_pa;                /* and after it */
    struct smmu_trail *trail; /* NULL: nobody wants it */
    struct translation out;   /* out.ok: out.pa; size_log2 says how far that goes */
    u8 event;                 /* enum smmu_event; 0: none */
    bool silent;              /* terminated without a word (STE.Config 0xx, GBPA.ABORT, RECINVSID) */
    bool s2;                  /* of the event */
    u8 class;
    u64 ipa, fetch_at;
};
enum { CLASS_CD, CLASS_TT, CLASS_IN };

/* All of a transaction but its address and its stream, in a register: bytes just stored and then read as a word would
 * stall. */
static inline u32 smmu_how(const struct smmu_transaction *t)
{
    return (u32)t->write | (u32)t->privileged << 1 | (u32)t->fetch << 2;
}

/* What an STE and a CD said of a stream's transactions, with all that this was found from, as mmu/memo.h has it of
 * walks: while registers and words are as they were, it need not be found again, and that it was kept shows nowhere. */
struct smmu_known {
    u32 stream, substream, how; /* how: smmu_how */
    u64 cr2, strtab_base, strtab_base_cfg;
    const u8 *ste, *cd; /* in RAM; NULL: nothing is known; no CD */
    struct smmu_trail trail;
    struct smmu_look look; /* before the walk */
    struct walk_access access;
    struct regime_desc regime; /* with its number */
};

/* What is derived of it. */
enum { SMMU_KNOWN = 32 };
struct smmu_derived {
    struct smmu_known known[SMMU_KNOWN];
    bool no_stalls; /* every place of a stalled transaction is free. False: or it is not known */
};
static inline struct smmu_derived *smmu_derived(struct machine *m)
{
    return (struct smmu_derived *)(void *)(m->d.derived + m->d.derived_at[m->d.translator]);
}

/* ---- board/dev/smmu.c ---- */
/* Stages by arm-smmuv3.stage; without EL2 nothing can be its own. */
static inline bool smmu_stage1(const struct machine *m) { return m->options.smmu_stage % 4 != 2; }
static inline bool smmu_stage2(const struct machine *m) { return m->options.smmu_stage % 4 != 1; }
static inline bool smmu_hyp(const struct machine *m) { return smmu_stage1(m) && m->options.virtualization; }
/* Bits of physical address (IDR5.OAS). */
static inline u64 smmu_oas(const struct machine *m) { return m->d.phys.pa_size < 52 ? m->d.phys.pa_size : 52; }
u32 smmu_idr0(const struct machine *m);

/* ---- board/dev/smmu_config.c ---- */
/* Finds the STE of look->t.stream. False: look->event. */
bool smmu_ste(struct machine *m, const struct smmu *s, struct smmu_look *look);
/* Finds the CD of the transaction. False: look->event. r: stage 2's part is filled. */
bool smmu_cd(struct machine *m, const struct smmu *s, struct smmu_look *look, const struct regime_desc *r);
/* What STE and CD say of the translation. */
void smmu_regime_stage2(struct machine *m, const struct smmu_look *look, struct regime_desc *r);
void smmu_regime_stage1(struct machine *m, const struct smmu *s, const struct smmu_look *look, struct regime_desc *r);
/* The regime that an STE's stage 1 is in: EL1&0, EL2, or EL2&0. */
enum regime smmu_stream_world(const struct machine *m, const struct smmu *s, const u64 *ste);
/* Notes a fault of the walker as an event. class: of a walk by stage 2 for its own sake. */
void smmu_fault(struct machine *m, struct smmu_look *look, const struct regime_desc *r, const struct fault *f,
                unsigned class);

/* ---- board/dev/smmu_translate.c ---- */
/* The whole way of a transaction. With t.debug nothing changes. */
void smmu_look(struct machine *m, const struct smmu *s, const struct smmu_transaction *t, struct smmu_look *look);
/* The event's record, but for Stall and STAG. */
void smmu_event_make(const struct smmu_look *look, u64 event[4]);
enum dma_verdict smmu_translate(struct machine *m, void *state, struct place at, const struct requester *by,
                                u64 address, bool write, struct dma_output *out);
void smmu_settled(struct machine *m, void *state, struct place at, u32 stream);
/* What CMD_RESUME and its like decided is done: those who made the transactions make them again. */
void smmu_resume(struct machine *m, struct smmu *s);
/* The event queue can be written again: what was held is tried again. */
void smmu_release(struct machine *m, struct smmu *s);

/* ---- board/dev/smmu_queue.c ---- */
void smmu_commands(struct machine *m, struct smmu *s, struct place at);
/* Can an event be recorded now? */
bool smmu_event_writable(const struct machine *m, const struct smmu *s);
void smmu_event(struct machine *m, struct smmu *s, struct place at, const u64 event[4]);
void smmu_gerror(struct machine *m, struct smmu *s, struct place at, unsigned error);

/* "F_TRANSLATION", and in words; NULL: there is none of that number. */
const char *smmu_event_name(unsigned number);
const char *smmu_event_words(unsigned number);
/* Why a transaction does not pass. */
const char *smmu_cause(const struct smmu *s, const struct smmu_look *look);

#endif
