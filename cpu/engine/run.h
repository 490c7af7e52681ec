/* Running a PE for a slice of time: the two engines behind one function. Whose turn it is, and what is due: board/. */
#ifndef CPU_RUN_H
#define CPU_RUN_H

#include "cpu/insn/decode.h"
#include "cpu/state.h"

/* Is the threaded engine in this build? Without optimisation, or under a sanitizer, calls in tail position are calls:
 * then there is only the stepping engine. */
extern const bool engine_threaded;

/*
 * Runs one PE from cpu->d.now until `deadline` (absolute ns; an instruction takes 1 ns), until it halts (cpu->halted)
 * or ATT_LOOK or ATT_TURN is raised. The slice may end later than the deadline: it ends at an architectural point
 * (taken branch, end of page, exception, context synchronization), the same one in both engines. When `exact`, it stops
 * at the exact instruction. Afterwards cpu->d.now is the time reached and cpu->insns has grown by as much.
 */
void cpu_run(struct cpu *cpu, u64 deadline, bool exact);

/* The same with an exact end of its own: the slice ends at an architectural point from `deadline` on, or exactly at
 * `hard` (absolute ns, ~0: none), where it may be cut in the middle of straight-line code. mid: it was cut there
 * before, so that no interrupt is taken until the next such point. Returns RUN_*. */
enum { RUN_MID = 1, /* cut: not at an architectural point */
       RUN_LOOK = 2, /* ATT_LOOK was raised */
       RUN_TURN = 4  /* ATT_TURN was raised */ };
unsigned cpu_run_to(struct cpu *cpu, u64 deadline, u64 hard, bool mid);

/* Does an observer, or a breakpoint of the guest's, want to see the instructions of the page at cpu->pc? Then
 * STEPPING_PAGE is set. */
bool cpu_page_observed(struct cpu *cpu);

/* Executes one instruction word at cpu->pc as if it had been fetched from there (test harnesses): no fetch checks, no
 * interrupts, no step. */
void cpu_exec_word(struct cpu *cpu, u32 word);

/* Makes d.page the decoded page that cpu->pc lies in: the fetch page when the pc is still in it, else a translation.
 * False: an abort was taken (cpu->pc is its vector). */
bool cpu_fetch(struct cpu *cpu, enum engine engine);

#endif
