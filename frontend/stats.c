/* --stats: what ran, how fast, what was taken to EL2 and EL3 and why. */
#define _GNU_SOURCE
#include "frontend/frontend.h"

#include "board/explain.h"
#include "cpu/sysreg.h"

#include <stdlib.h>
#include <time.h>

enum { KINDS = 4, CLASSES = 64 };

struct stats {
    u64 sync[2][CLASSES];        /* by target EL - 2, exception class */
    u64 async[2][KINDS];         /* IRQ, FIQ, SError */
    u64 trap[2][TRAP_COUNT + 1]; /* by the control bit that trapped */
    double start;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct stats *stats_create(void)
{
    struct stats *s = calloc(1, sizeof(*s));
    if (!s)
        die("out of memory");
    s->start = cpu_seconds();
    return s;
}

void stats_destroy(struct stats *s) { free(s); }

void stats_exception(struct stats *s, const struct cpu *cpu, const struct exc *exc)
{
    (void)cpu;
    if (exc->target_el < 2)
        return;
    unsigned el = exc->target_el - 2u;
    if (exc->kind != EXC_SYNC) {
        s->async[el][exc->kind % KINDS]++;
        return;
    }
    s->sync[el][exc->ec % CLASSES]++;
    if (exc->cause.kind == CAUSE_TRAP && exc->cause.id < TRAP_COUNT)
        s->trap[el][exc->cause.id]++;
}

static void exits_print(const struct stats *s, unsigned el)
{
    static const char *const kinds[KINDS] = { "", "IRQ", "FIQ", "SError" };
    static const char *const traps[] = {
#define TRAP(id, ...) #id,
#include "cpu/traps.def"
#undef TRAP
    };
    for (unsigned n = 0; n < CLASSES; n++)
        if (s->sync[el][n])
            fprintf(stderr, "elmu: EL%u: %12llu  EC 0x%02x %s\n", el + 2, (unsigned long long)s->sync[el][n], n, ec_name(n));
    for (unsigned n = 0; n < TRAP_COUNT; n++)
        if (s->trap[el][n])
            fprintf(stderr, "elmu: EL%u: %12llu    trapped by %s\n", el + 2, (unsigned long long)s->trap[el][n], traps[n]);
    for (unsigned n = 1; n < KINDS; n++)
        if (s->async[el][n])
            fprintf(stderr, "elmu: EL%u: %12llu  %s\n", el + 2, (unsigned long long)s->async[el][n], kinds[n]);
}

void stats_print(struct stats *s, struct machine *m)
{
    double seconds = cpu_seconds() - s->start;
    u64 insns = machine_insns(m);
    fprintf(stderr, "elmu: %llu instructions, %.2f s, %.1f MIPS, %.6f s of machine time\n", (unsigned long long)insns, seconds,
            seconds > 0 ? (double)insns / seconds / 1e6 : 0, (double)m->now / 1e9);
    for (unsigned el = 0; el < 2; el++)
        exits_print(s, el);
    fprintf(stderr, "elmu: state hash %016llx\n", (unsigned long long)machine_hash(m));
}
