/*
 * What the files of the vector runner share: one vector with the CPU that it runs on (replay.c), the registers by the
 * names that vectors use (regs.c), what of them is not compared (masks.c), the files (read.c), and the second tier
 * (hot.c). vectors.c runs them all.
 */
#ifndef TESTS_CONFORMANCE_VECTORS_H
#define TESTS_CONFORMANCE_VECTORS_H

#include "cpu/state.h"
#include "mmu/phys.h"
#include "tests/conformance/rules.h"
#include "tests/conformance/scan.h"

enum { HOT_ROUNDS = 3 };
enum { PAGES = 1024, REGS = 2048, INSNS_MAX = 4, CLASSES = 32 };

/* ---- regs.c ---- */

enum kind { K_X, K_SP, K_PC, K_PS, K_FLAG, K_V, K_FPCR, K_FPSR, K_SYS, K_EVENT, K_SRE };
struct reg {
    char name[32];
    u8 kind;
    u32 index; /* number, byte offset, bit */
};
extern struct reg regs[REGS];
extern unsigned reg_count;

void regs_build(void);
/* NULL: elmu's CPU has none of that name. */
struct reg *reg_find(const char *name);
u64 reg_get(const struct cpu *cpu, const struct reg *r);
void reg_set(struct cpu *cpu, const struct reg *r, u64 v);

/* ---- replay.c ---- */

/* Memory that exists everywhere and reads 0. */
struct page {
    u64 pa;
    u8 bytes[4096];
};
struct memory {
    struct page *page[PAGES];
    unsigned count;
};

void memory_write(struct memory *m, u64 pa, unsigned size, u64 v);

struct vector {
    char class_[32], name[128];
    unsigned id;
    u32 insn[INSNS_MAX];
    unsigned insn_count;
    char mode[16];
    bool sleep;
    bool contiguous, reserved_sh; /* among its descriptors is one with the contiguous bit, with SH 0b01 */
    u8 attrs;                     /* AttrIndx of leaf descriptors, a bit each */
};

/* What ran by the second tier. inside: in host code, not by a handler, the first time and the last. */
struct hot_count {
    unsigned vectors, regions, inside, inside_last, others;
};

/* What a file gave. skipped: by rule, compared in part too. */
struct result {
    unsigned passed, failed, skipped[RULE_COUNT_], agreed[RULE_COUNT_];
    struct class_count {
        char name[32];
        unsigned vectors, skipped[RULE_COUNT_];
    } classes[CLASSES];
    struct hot_count hot;
};

struct runner {
    struct cpu *cpu;    /* under test */
    struct cpu *expect; /* architectural part only */
    struct cpu *baseline;
    struct cpu *start;                      /* as expect */
    struct memory memory, expected, before; /* before: at the start, with the second tier */
    struct phys phys;
    struct gic *gic;
    struct timers *timers;
    struct features features;
    u64 *mask; /* by register, bits to compare */
    char set[32], file[64];
    unsigned shown, show;
    struct result *result;
    const char *only, *without;
    bool causes;    /* only what --causes asks */
    bool tier2;     /* only what the second tier executes */
    unsigned round; /* how often it has executed the vector before: the TLB has what was looked up, then fast tags */
    struct scan scan;
    struct vector v;
    bool have;
};

/* Copies what the architecture calls state, not the TLB. */
static inline void cpu_copy(struct cpu *to, const struct cpu *from) { memcpy(to, from, offsetof(struct cpu, tlb)); }

extern const struct phys_device_ops memory_everywhere;
/* An instruction, where cpu->pc's page is fetched from. */
void fetch_page_write(struct runner *r, u64 pc, u32 word);
/* Runs the vector that has been read, if there is one, and compares. */
void replay(struct runner *r);

/* ---- hot.c ---- */

/* All code of the runner's CPU is hot from now on. False: this host, or build, has no second tier, as is printed. */
bool hot_begin(struct runner *r);
/* Can the second tier execute the vector? */
bool hot_fits(const struct runner *r);
/* Executes it. The word is in the fetch page, and the CPU as for cpu_exec_word. */
void hot_execute(struct runner *r);

/* ---- masks.c ---- */

/* Takes out of r->mask what is not compared after this vector, and of the expected state what the model makes up. */
void masks_apply(struct runner *r);
/* After the run: what a rule leaves out, LEAVES_*. */
void masks_left_out(struct runner *r, unsigned leaves);

/* ---- read.c ---- */

/* The set that a folder holds, by the beginning of its name (v85mte, v85mte-seed7); NULL: none that is known. */
const char *set_of(const char *folder);
void runner_create(struct runner *r, const char *set);
/* Runs all vectors of a file. */
void run_file(struct runner *r, const char *path);

#endif
