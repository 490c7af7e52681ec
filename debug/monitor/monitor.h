/* For the files that hold monitor commands: a line in words, and the helpers they share. Others have debugger.h. */
#ifndef DEBUG_MONITOR_H
#define DEBUG_MONITOR_H

#include "debug/debugger.h"
#include "mmu/walk.h"

enum { MONITOR_WORDS = 16, MONITOR_LINE = 1024 };

struct monitor_line {
    struct debugger *d;
    struct text *out;
    unsigned count; /* words after the command */
    char *word[MONITOR_WORDS];
    bool changed; /* the command set it: the machine stands elsewhere */
    char text[MONITOR_LINE];
};

typedef void monitor_fn(struct monitor_line *l);
#define MONITOR(name, args, handler, help) monitor_fn handler;
#include "debug/monitor/monitor.def"

/* debugger_address, of the command's PE. */
bool monitor_address(struct monitor_line *l, const char *word, u64 *value);
/* The value of `key=NUMBER` among the words; removes the word. `otherwise` when there is none. */
s64 monitor_option(struct monitor_line *l, const char *key, s64 otherwise);
/* Is the word there? Removes it. */
bool monitor_flag(struct monitor_line *l, const char *word);
/* The answer is how the command is used. */
void monitor_usage(struct monitor_line *l, const char *name);
/* The PE that the command is about. */
struct cpu *monitor_cpu(struct monitor_line *l);
/* Regime of an EL of the PE, or of a guest by VMID (ANY: none asked for). False: said why. */
bool monitor_regime(struct monitor_line *l, unsigned el, s64 vmid, struct regime_desc *r);

/* The last DMA that did not pass, and why. */
void monitor_last_dma(struct monitor_line *l);

#define HEX(v) ((unsigned long long)(v))

#endif
