/*
 * Traces: what of a run goes to which file. Observers only: the guest, its time and the state hash are the same with
 * and without. docs/tracing.md says what each one writes.
 */
#ifndef DEBUG_TRACE_H
#define DEBUG_TRACE_H

#include "board/machine.h"
#include "debug/symbols.h"

/* What may start or stop the other traces. */
enum trace_point_kind { POINT_NONE, POINT_SYMBOL, POINT_EXCEPTION, POINT_COUNT };
struct trace_point {
    enum trace_point_kind kind;
    u64 at;           /* POINT_COUNT: instructions of the machine; POINT_SYMBOL: the address */
    char symbol[256]; /* POINT_SYMBOL: to be looked up; "" : at is given */
};

/* Addresses, hi included. */
struct trace_span {
    u64 lo, hi;
};
enum { TRACE_RANGES = 16, TRACE_VMIDS = 16, TRACE_PATTERNS = 16 };
struct trace_filter {
    u8 cpu[MAX_CPUS]; /* the vCPUs, if some_cpus: else all */
    u32 some_cpus;
    u32 els; /* a set, bit n for EL n; 0: all */
    u32 vmids, ranges;
    s32 vmid[TRACE_VMIDS]; /* SYMBOL_ANY: what is in no guest */
    struct {
        u64 lo, hi; /* of the instruction's address, hi included */
    } range[TRACE_RANGES];
    u64 first, last; /* instructions of the machine: from number `first` on, up to and without `last` (0: no end) */
    struct trace_point start, stop;
};

/* -d */
#define LOG_ITEM(name, help) LOG_BIT_##name,
enum {
#include "debug/trace/trace_log.def"
};
#define LOG_ITEM(name, help) LOG_##name = 1 << LOG_BIT_##name,
enum {
#include "debug/trace/trace_log.def"
    LOG_EVENTS = 1 << 30 /* struct trace_config has the patterns */
};

struct trace_config {
    const char *exits, *tarmac, *perfetto, *coverage, *profile, *dma; /* file names; NULL: not asked for */
    u32 log;                                                          /* LOG_* */
    const char *log_file;                                             /* NULL: standard error */
    const char *pattern[TRACE_PATTERNS];                              /* -d trace:PATTERN */
    u32 event;                                                        /* how many of them */
    struct trace_span log_range[TRACE_RANGES];                        /* -dfilter: of instructions that -d shows */
    u32 log_ranges;                                                   /* 0: all */
    bool log_each;                                                    /* exec and cpu: each instruction, not runs */
    struct symbol_file symbol[MAX_SYMBOL_FILES];
    unsigned symbol_count;
    struct trace_filter filter;
};

struct trace;
/* Is there anything to trace? */
bool trace_wanted(const struct trace_config *config);
/* After the images are loaded. config stays where it is. NULL: error. */
struct trace *trace_open(struct machine *m, const struct trace_config *config, char error[256]);
/* Up to where a run may go (<= limit, machine-wide instructions) before asking again: windows begin and end there. */
u64 trace_limit(struct trace *t, u64 limit);
/* The machine was reset: no handler runs any more. t may be NULL, here and in trace_close. */
void trace_reset(struct trace *t);
/* Writes what was gathered by those traces that are written as they come. True: there are any. */
bool trace_flush(struct trace *t);
/* Ends all files. False: error says which could not be written. */
bool trace_close(struct trace *t, char error[256]);
/* A word of -d: its bit, or 0: there is no such item. */
u32 trace_log_item(const char *word, size_t length);
/* Prints the items of -d, the events of -d trace:. */
void trace_log_list(void);
void trace_event_list(void);
/* Does the pattern fit any event? */
bool trace_event_any(const char *pattern);

#endif
