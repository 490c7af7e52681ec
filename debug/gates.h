/*
 * What lies between an interrupt and the PE that takes it: gates in the order in which it meets them, each open or
 * closed with the register that says so. Physical ones from the device through distributor, redistributor and CPU
 * interface to the PE; virtual ones from the list register on.
 */
#ifndef DEBUG_GATES_H
#define DEBUG_GATES_H

#include "debug/debugger.h"

enum gates_part { PART_SOURCE, PART_DISTRIBUTOR, PART_REDISTRIBUTOR, PART_CPU, PART_LIST, PART_VIRTUAL, PART_PE, PARTS };
struct gate {
    const char *name;
    u8 part; /* enum gates_part */
    bool open;
    char shown[16];  /* what it depends on, for a picture: "a0 < f0" */
    char words[112]; /* why it is open or closed */
};
enum { GATES = 12, GATES_LISTED = 64 };
struct gates {
    bool is_virtual, pending, active;
    u32 intid, lr, priority; /* lr: list register of a virtual one; GIC_LRS: the redistributor's virtual LPI */
    char source[48];         /* "uart0", "CNTV", "SGI", "physical 27" */
    unsigned count;
    struct gate gate[GATES];
    int held; /* the first closed gate; -1: all are open, and the PE takes it at the next architectural point */
};
/* False: there is no such interrupt; nothing is in that list register. */
bool gates_physical(const struct debugger *d, u32 cpu, u32 intid, struct gates *g);
bool gates_virtual(const struct debugger *d, u32 cpu, u32 lr, struct gates *g);
/* INTIDs that matter to a PE: pending or active ones, then others that are enabled. Returns how many. */
unsigned gates_listed(const struct debugger *d, u32 cpu, u32 intid[GATES_LISTED]);
const char *gates_part_words(unsigned part);
/* Who raises it: a device of the board, a timer, "SGI"... */
void gates_source(const struct machine *m, u32 cpu, u32 intid, char text[48]);

#endif
