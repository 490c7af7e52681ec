/* What the gdb stub and the monitor commands share: a stopped machine, and what to do with it. */
#ifndef DEBUG_DEBUGGER_H
#define DEBUG_DEBUGGER_H

#include "debug/stops.h"
#include "debug/symbols.h"
#include "cpu/exception/words.h"
#include "debug/text.h"
#include "mmu/walk.h"

/* The last exceptions, for `why` and `exits`. */
struct exc_note {
    struct exc exc;
    u64 at, pc, return_pc; /* position; instruction; ELR */
    u64 ttbr, vttbr, spsr;
    u32 cpu, from_el;
    s32 vmid;
    struct exc_route route; /* who routed it, and which interrupt it was */
};
/* Exits are counted by class: EC, then IRQ, FIQ, SError (exit_class_of); and traps by their row (trap_get). */
enum { EXC_NOTES = 64, VMS = 64, EXIT_CLASSES = 64 + 3, TRAPS_COUNTED = 1024 };

struct exit_count {
    u64 count,
        insns; /* how often; instructions of the PE from there to the ERET that went back below EL2, itself too */
};
struct vm_note {
    bool used;
    s32 vmid;
    u64 root, entries;         /* stage 2 table; how often it was entered */
    u64 insns;                 /* instructions executed in it */
    struct regime_desc regime; /* EL1&0 as it was when the guest was last entered or left */
    struct exit_count exit[EXIT_CLASSES];
};

struct reverse;
struct disasm;
struct timeline;
/* What the last line of monitor_run wants of who runs the machine: that it stands where it is, or goes on. */
enum debugger_wish { WISH_NONE, WISH_STAND, WISH_GO };
struct debugger {
    struct machine *m;
    struct stops stops;
    struct reverse *reverse;       /* NULL: forwards only */
    struct timeline *timeline;     /* debug/timeline.h: what happened in the run; NULL: nobody writes it down */
    const struct symbols *symbols; /* names for addresses, or NULL */
    struct disasm *disasm;         /* made when it is first asked for: debugger_disasm */
    u32 cpu;                       /* the PE that commands are about */
    u8 wish;                       /* enum debugger_wish */
    bool recorded;                 /* a journal is kept or replayed, which has no change by hand */
    bool physical;                 /* gdb's memory packets are about physical addresses */
    struct exc_note note[EXC_NOTES];
    u64 notes;
    u64 counted;                         /* position up to which the counts below go */
    u64 exits[MAX_CPUS][4][4];           /* from EL, to EL */
    u64 exit_class[EXIT_CLASSES];        /* to EL2 from below, of guests and others */
    struct exit_count own[EXIT_CLASSES]; /* of those, the ones of no guest: programs of a host */
    u64 trapped[TRAPS_COUNTED];          /* exceptions by the trap row that caused them */
    struct vm_note vm[VMS];
    struct {
        u64 since;         /* position of the PE, plus 1; 0: it does not handle one */
        u32 vm, what;      /* place in vm (VMS: none), class */
    } handled[MAX_CPUS];   /* the exit that EL2 handles on each PE */
    u64 entered[MAX_CPUS]; /* position of the PE, plus 1, at which it entered a guest; 0: it did not */
};

void debugger_init(struct debugger *d, struct machine *m);
void debugger_end(struct debugger *d);
/* Someone changed the machine by hand, or made it another one by a snapshot: what lies ahead, and the way back, are no
 * longer its own. */
void debugger_changed(struct debugger *d);

/* Index of exit_class and the like. */
static inline unsigned exit_class_of(const struct exc *e) { return e->kind == EXC_SYNC ? e->ec & 63u : 63u + e->kind; }
/* Its words. */
const char *exit_class_words(unsigned what);

/* NULL: no memory. */
struct disasm *debugger_disasm(struct debugger *d);
/* Memory of the current PE's context (or physical), bytes that could be read. Changes nothing in the machine. */
size_t debugger_read(struct debugger *d, u64 addr, void *to, size_t size);
/* RAM only. False: some byte is not there; nothing was written. */
bool debugger_write(struct debugger *d, u64 addr, const void *from, size_t size);

/* debug/monitor/monitor.c: a line of `monitor`, its answer. True: the machine's state was changed. d may be NULL for
 * help. */
bool monitor_run(struct debugger *d, const char *line, struct text *out);
/* debug/address.c: a number (0x..., decimal) that is the whole word. */
bool debugger_number(const char *word, u64 *value);
/* The same, or what a register of the current PE holds: pc, sp, x0..x30, a system register; $ may stand before it. Or
 * the address of a symbol, perhaps with an offset: main, main+0x10. */
bool debugger_address(struct debugger *d, const char *word, u64 *value);
/* The row of a system register by its name. */
bool debugger_sysreg(const char *word, s64 *row);
/* Is there a command of that name? */
bool monitor_has(const char *name);

#endif
