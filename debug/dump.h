/*
 * The guest's memory in a file of the host, as it is (memory_write), or as an ELF core file for gdb and crash
 * (dump_write): RAM by physical address, the registers of each PE as those of a thread. Files are whole or not there.
 */
#ifndef DEBUG_DUMP_H
#define DEBUG_DUMP_H

#include "board/machine.h"

/* `length` bytes of RAM from `begin` on, as far as there are; length 0: all. False: error holds one line. */
bool dump_write(struct machine *m, const char *file, u64 begin, u64 length, char error[256]);
/* Bytes of RAM in that range; 0: dump_write refuses it. */
u64 dump_size(struct machine *m, u64 begin, u64 length);

/* Memory at an address as this PE sees it, at its EL; cpu NULL: at a physical one. RAM only. False: error holds one
 * line. broken, which may be NULL, is asked once in a while: true ends it. */
bool memory_write(struct machine *m, const struct cpu *cpu, u64 at, u64 size, const char *file, bool (*broken)(void),
                  char error[256]);

#endif
