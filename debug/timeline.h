/*
 * What happened in the run, in bounded memory: an observer that writes down at which EL, in which VM and Security state
 * each PE was, the exceptions it took and returned from, and when it slept. Positions are instructions of the machine,
 * which all PEs count together (machine_insns); `at` of an exception is the position behind the instruction that caused
 * it, `at` of a return that behind the ERET.
 *
 * It keeps three things: how much of what was in each of some thousands of equal stretches of the run, which grow wider
 * with the run (some MiB at most); the last million events, one by one; and of each kind of exception how often it came
 * and how long its handlers took. A look at a stretch is answered from the events where they are kept, else from the
 * sums.
 *
 * It hears of exceptions, returns, sleep and reset only, so the fast engine stays; it changes nothing. When the machine
 * is taken back, what it does again is not written down again; who changes it by hand, or makes it another by a
 * snapshot, calls timeline_cut.
 */
#ifndef DEBUG_TIMELINE_H
#define DEBUG_TIMELINE_H

#include "board/machine.h"
#include "cpu/exception/words.h"

enum { TIMELINE_ALL = -1 /* PEs */, TIMELINE_VMS = 16, TIMELINE_WORDS = 2 * EXC_WORDS };

/* From now on. NULL: no memory. While the machine stands, as all that follows but what is said otherwise. */
struct timeline *timeline_create(struct machine *m);
void timeline_destroy(struct timeline *t);
/* The machine has become another one here, by hand or by a snapshot: what was written down of later positions is
 * forgotten. NULL: nothing happens. */
void timeline_cut(struct timeline *t);

/* From where on it knows, up to where (without), and from where on each event is kept. */
struct timeline_range {
    u64 from, to, kept;
};
struct timeline_range timeline_range(struct timeline *t);
/* The VMs by number: their VMIDs. Number 0 is what runs in no VM (NO_GUEST), the last stands for all that found no
 * place. Returns how many there are. */
unsigned timeline_vms(const struct timeline *t, s32 vmid[TIMELINE_VMS]);

/* What was in a stretch: all fields are u64, and add up. */
struct timeline_share {
    u64 el[4];            /* instructions done at EL0 to EL3 */
    u64 vm[TIMELINE_VMS]; /* the same by VM: [0] in none, which EL2 and EL3 are */
    u64 secure;           /* the same in Secure state */
    u64 exits;            /* exceptions from EL0 or EL1 to EL2 or EL3 */
    u64 interrupts;       /* IRQ, FIQ, SError, virtual ones too */
    u64 exceptions;       /* all, those two among them */
    u64 sleeps, slept_ns; /* WFI and WFE that waited; ns that they took, counted where they end */
    u64 kinds;            /* which came: bit n for kind n, bit 63 for all from 63 on */
};
/* Cuts [from, to) in `count` equal stretches; out has so many. cpu: a PE, or TIMELINE_ALL. Of a stretch that is finer
 * than what is kept, the share of a wider one. A stay during which other PEs had their turn is taken as spread
 * evenly. */
void timeline_query(struct timeline *t, s32 cpu, u64 from, u64 to, unsigned count, struct timeline_share *out);

/* ---- kinds of exceptions ---- */

/* As -stats tells them apart, and by INTID. */
struct timeline_kind {
    struct timeline_kind_key {
        s32 vmid, intid;          /* of the guest that it came from, or NO_GUEST; -1: none, or not known */
        u16 cause_kind, cause_id; /* of a trap or an interrupt, else CAUSE_NONE */
        u8 from_el, to_el, kind /* enum exc_kind */, ec, is_virtual, stage2, fsc /* of an abort */,
            by /* enum exc_by */;
    } key;
    u64 count;
    u64 insns;    /* that handlers took which returned, as -trace exits counts them; to EL2 and EL3 only */
    u64 returned; /* how many did */
    u64 first;    /* where it came first */
};
/* Kind n, in order of appearance; NULL: there are not so many. The last of those that can be told apart stands for all
 * others. */
const struct timeline_kind *timeline_kind(const struct timeline *t, unsigned n);
/* "HVC", "data abort from a lower EL, translation fault, level 3", "IRQ: HCR_EL2.IMO, INTID 27". */
void timeline_kind_words(const struct timeline_kind *k, char text[TIMELINE_WORDS]);
/* An exit from a VM (or what runs below EL2 without one)? */
static inline bool timeline_is_exit(const struct timeline_kind *k) { return k->key.from_el < 2 && k->key.to_el >= 2; }

/* ---- events ---- */

enum timeline_type { TIMELINE_EXCEPTION, TIMELINE_RETURN, TIMELINE_SLEEP, TIMELINE_WAKE, TIMELINE_ON, TIMELINE_OFF };
struct timeline_event {
    u64 at;
    u32 cpu;
    enum timeline_type type;
    u8 el, secure; /* of what follows it */
    s32 vmid;      /* likewise; NO_GUEST */
    s32 kind;      /* of an exception: its kind; -1 */
    bool known;    /* of an exception: what follows; false: there were too many sorts of it */
    u64 pc;        /* the instruction */
    u32 iss;       /* what its syndrome says, as it was taken */
    u16 cause_id;  /* struct cause; level and value of an exit only */
    u32 level;
    u64 value;
};
/* The events in [from, to) that are kept, in order, `most` of them. cpu: a PE, or TIMELINE_ALL. Returns how many. */
unsigned timeline_events(struct timeline *t, s32 cpu, u64 from, u64 to, unsigned most, struct timeline_event *out);
/* The same, one by one; each says false when it has enough. */
void timeline_each(struct timeline *t, s32 cpu, u64 from, u64 to,
                   bool (*each)(void *ctx, const struct timeline_event *e), void *ctx);
/* "exit to EL2: HVC imm 0x0: instruction", "return to EL1, VMID 1", "sleeps". */
void timeline_event_words(const struct timeline *t, const struct timeline_event *e, char text[TIMELINE_WORDS]);

/* What timeline_next looks for: an exception for which all of it holds. */
struct timeline_search {
    s32 cpu, kind;     /* TIMELINE_ALL, a PE; -1, a kind */
    bool exits;        /* an exit only */
    const char *words; /* is among the kind's words, in any case; NULL: whatever it is */
};
struct timeline_found {
    bool found, exact; /* exact: `event` is it; else it lies somewhere in [from, to) */
    u64 from, to;
    struct timeline_event event;
};
/* The next after position `from`, or with forward false the last before it. */
struct timeline_found timeline_next(struct timeline *t, u64 from, bool forward, const struct timeline_search *search);

#endif
