/*
 * --stats, on standard error: what ran, how fast, a hash of all state, and what was taken to EL2 and EL3: by guest,
 * exception class and cause, with the virtual LPIs that EL1 took without an exit; how much memory it took. A guest is a
 * VMID while stage 2 is on. The lines `insns N` and `hash H` are for scripts to compare.
 */
#define _GNU_SOURCE
#include "cpu/field.h"
#include "frontend/frontend.h"

#include "cpu/exception/words.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 1024 };

/* One kind of exit. The key is all but the count. */
struct exit_row {
    s32 guest; /* VMID, or NO_GUEST */
    u8 target_el, source_el, kind, ec;
    u16 cause_kind, cause_id; /* of a trap, of an interrupt (enum exc_by); else CAUSE_NONE */
    u32 fsc;                  /* of an abort */
    u64 count;
};

struct stats {
    struct exit_row row[ROWS];
    unsigned rows;
    u64 others; /* that found no row */
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
    enum exc_by by = (enum exc_by)gic_source(cpu->d.host.gic, cpu, exc).by;
    if (exc->target_el < 2 && by != BY_VLPI)
        return;
    bool sync = exc->kind == EXC_SYNC, trap = exc->cause.kind == CAUSE_TRAP;
    struct exit_row key = { .guest = cpu_guest(cpu),
                            .target_el = exc->target_el,
                            .source_el = cpu->ps.el,
                            .kind = exc->kind,
                            .ec = sync ? exc->ec : 0,
                            .cause_kind = trap || !sync ? exc->cause.kind : CAUSE_NONE,
                            .cause_id = trap ? exc->cause.id : (u16)by,
                            .fsc = sync && ec_is_abort(exc->ec) ? exc->iss & 0x3f : 0 };
    for (unsigned n = 0; n < s->rows; n++)
        if (!memcmp(&s->row[n], &key, offsetof(struct exit_row, count))) {
            s->row[n].count++;
            return;
        }
    if (s->rows == ROWS) {
        s->others++;
        return;
    }
    key.count = 1;
    s->row[s->rows++] = key;
}

static int order(const void *a, const void *b)
{
    const struct exit_row *x = a, *y = b;
    u64 kx = (u64)(x->guest + 1) << 32 | (u64)x->source_el << 24 | (u64)x->target_el << 16 | (u64)x->kind << 8 | x->ec;
    u64 ky = (u64)(y->guest + 1) << 32 | (u64)y->source_el << 24 | (u64)y->target_el << 16 | (u64)y->kind << 8 | y->ec;
    if (kx != ky)
        return kx < ky ? -1 : 1;
    return x->count != y->count ? x->count > y->count ? -1 : 1 : (int)x->cause_id - (int)y->cause_id;
}

static void row_print(const struct exit_row *r)
{
    char from[24];
    if (r->guest != NO_GUEST)
        snprintf(from, sizeof(from), "VMID %d, EL%u", r->guest, r->source_el);
    else
        snprintf(from, sizeof(from), "EL%u", r->source_el);
    fprintf(stderr, "  %-16s to EL%u %10llu  ", from, r->target_el, (unsigned long long)r->count);
    bool vlpi = r->cause_kind == CAUSE_INTERRUPT && r->cause_id == BY_VLPI;
    const struct exc exc = {
        .kind = r->kind, .ec = r->ec, .is_virtual = vlpi, .cause = { .kind = r->cause_kind, .id = r->cause_id }
    };
    fprintf(stderr, "%s%s", exc_class_words(&exc), r->kind == EXC_SYNC ? fault_name(r->ec, r->fsc) : "");
    if (r->cause_kind != CAUSE_NONE) {
        const struct exc_source source = { r->cause_id, -1, -1 };
        char cause[EXC_WORDS];
        exc_cause_words(&exc, &source, cause);
        fprintf(stderr, ": %s", cause);
    }
    fputc('\n', stderr);
}

/* Bytes of a region that the host had to back with memory, because the guest (or the loader) touched them. */
static u64 region_touched(const struct phys_region *r)
{
    enum { PART = 65536 };
    unsigned char there[PART];
    u64 pages = 0, page = (u64)getpagesize();
    for (u64 at = 0; at < r->size; at += PART * page) {
        u64 size = r->size - at < PART * page ? r->size - at : PART * page;
        if (mincore(r->host + at, size, there))
            continue;
        for (u64 n = 0; n < (size + page - 1) / page; n++)
            pages += there[n] & 1;
    }
    return pages * page;
}

/* Before anything else here reads the RAM. ru_maxrss: KiB (getrusage(2)). */
static void memory_print(const struct machine *m)
{
    u64 touched = 0;
    for (unsigned n = 0; n < m->d.phys.region_count; n++)
        touched += region_touched(&m->d.phys.region[n]);
    struct rusage usage = { 0 };
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "memory %.1f MiB touched by the guest, %.1f MiB at most in all\n", (double)touched / 1048576,
            (double)usage.ru_maxrss / 1024);
}

/* Where the instructions were done. */
static void engines_print(const struct machine *m, u64 insns)
{
    const struct tier2 *t = code_tier2(m->d.code);
    u64 hot = 0, stepped = 0;
    for (u32 n = 0; n < m->options.cpu_count; n++) {
        hot += m->d.cpu[n].d.tier2_units >> 4;
        stepped += m->d.cpu[n].d.stepped;
    }
    double all = insns ? (double)insns / 100 : 1;
    fprintf(stderr, "engines %.1f %% tier2, %.1f %% threaded, %.1f %% step", (double)hot / all,
            (double)(insns - hot - stepped) / all, (double)stepped / all);
    if (t)
        fprintf(stderr, "; %llu regions of %llu instructions, %.1f MiB of code",
                (unsigned long long)tier2_stats(t)->regions, (unsigned long long)tier2_stats(t)->instructions,
                (double)tier2_stats(t)->bytes / 1048576);
    fprintf(stderr, "\n");
}

void stats_print(struct stats *s, struct machine *m)
{
    double seconds = cpu_seconds() - s->start;
    u64 insns = machine_insns(m);
    fprintf(stderr, "insns %llu\n", (unsigned long long)insns);
    fprintf(stderr, "speed %.1f MIPS: %.2f s of CPU time, %.6f s of the machine's\n",
            seconds > 0 ? (double)insns / seconds / 1e6 : 0, seconds, (double)m->now / 1e9);
    engines_print(m, insns);
    memory_print(m);
    qsort(s->row, s->rows, sizeof(s->row[0]), order);
    if (s->rows)
        fprintf(stderr, "exits from guest and EL, count, class, and the control that trapped or routed\n");
    for (unsigned n = 0; n < s->rows; n++)
        row_print(&s->row[n]);
    if (s->others)
        fprintf(stderr, "  %llu of other kinds\n", (unsigned long long)s->others);
    fprintf(stderr, "hash %016llx\n", (unsigned long long)machine_hash(m));
}
