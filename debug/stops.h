/*
 * Where a debugger wants to stop: breakpoints, watchpoints, single steps, and conditions that no instruction address
 * names (an exception class, an exit of a guest, its entry, a change of EL, a system register written, a stage 2
 * fault). Speaks no protocol.
 *
 * An observer (board/observer.h), so that looking changes nothing: code without a breakpoint in its page and data
 * without a watchpoint in its page go through the fast engine.
 */
#ifndef DEBUG_STOPS_H
#define DEBUG_STOPS_H

#include "board/machine.h"

enum { MAX_STOPS = 64, ANY = -1 };

enum stop_what {
    ON_INSN,  /* before the instruction at addr */
    ON_WRITE, /* at an instruction that accesses [addr, addr + size) */
    ON_READ,
    ON_ACCESS,
    ON_EXCEPTION, /* an exception of class `value` (ANY: all) was taken */
    ON_EXIT,      /* the same, from EL1 or EL0 to EL2 */
    ON_SYSREG,    /* row `value` was written */
    ON_S2FAULT,   /* a stage 2 fault at an IPA in [addr, addr + size) */
    ON_EL,        /* an exception or a return led to another EL */
    ON_ENTRY      /* a return from EL2 led to EL1 or EL0 */
};
enum stop_space { SPACE_VA, SPACE_IPA, SPACE_PA };

/* Which contexts it is for; ANY for all. */
struct stop_scope {
    s32 el, vmid, asid, secure, cpu;
};

struct stop_point {
    bool used, gdb; /* gdb: inserted by Z packets, goes with the client */
    bool once;      /* whoever tells that it was hit removes it: stops_once */
    u8 what;        /* enum stop_what */
    u8 space;       /* enum stop_space */
    u32 number;     /* what `monitor stops` shows */
    u64 addr, size;
    s64 value;
    struct stop_scope scope;
};

/* The place of an instruction in the run: instructions of all PEs before it. */
struct stop_hit {
    bool hit;
    const struct stop_point *point; /* NULL: step */
    u32 cpu;
    u64 at;     /* position: the machine stands there when it stopped */
    u64 before; /* position at which the instruction responsible has not been executed */
    u64 pc;
    u64 addr; /* of the data access */
    char text[160];
};

struct stops {
    struct machine *m;
    struct stop_point point[MAX_STOPS];
    u32 next_number;
    struct stop_hit pending, last;
    /* stepping: one instruction of PE step_cpu */
    bool stepping, step_armed;
    u32 step_cpu;
    u64 step_pc;
    /* Where each PE stands and whoever looks in knows it: the instruction there is executed even if a point is on it.
     * moved: they put it there, and have yet to see what is there. */
    struct stop_stand {
        bool known, moved;
        u64 pc, insns;
    } stand[MAX_CPUS];
    /* scanning (reverse execution): hits before `scan_end` are kept in `last`, nothing stops */
    bool scanning, scan_insns;
    u64 scan_end;
    bool scan_past; /* an interrupt has been taken at scan_end: what led there lies before it, too */
    bool any_at, any_data;
    u8 el[MAX_CPUS];    /* in which EL each PE is, by what was seen: a return does not say from where */
    bool client_writes; /* registers, which no point is about */
};

/* Begins to look in. */
void stops_init(struct stops *s, struct machine *m);
void stops_end(struct stops *s);
/* A free point, already numbered, or NULL. Fill it, then stops_changed. */
struct stop_point *stops_new(struct stops *s);
/* After any change. */
void stops_changed(struct stops *s);
/* Next machine_run: one instruction of this PE. ~0: none. */
void stops_step(struct stops *s, u32 cpu);
/* Before each machine_run: forgets what the last one hit; the instruction that `cpu` stands at is executed even if a
 * point is there, unless the PE was moved there. */
void stops_resume(struct stops *s, u32 cpu);
/* The PE's PC was written, or it stands elsewhere for another reason than that it ran: a point there stops at once. */
void stops_moved(struct stops *s, u32 cpu);
/* The point that was hit goes when it is for once. */
void stops_once(struct stops *s);
/* All PEs were. */
void stops_moved_all(struct stops *s);
/* Position of the machine, from within an observer's functions (insns of a slice are counted at its end). */
u64 stops_position(const struct machine *m);
/* VMID, ASID and security state in which the PE is. */
struct stop_scope stops_scope_of(const struct cpu *cpu);

#endif
