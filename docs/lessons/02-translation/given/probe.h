/* Accesses that may fault: they give 0, or ESR_EL2 of the fault. */
#ifndef PROBE_H
#define PROBE_H

#include "lib.h"

extern bool probing;         /* exception.c: a fault is expected */
u64 probe_read(u64 address); /* 4 bytes */
u64 probe_write(u64 address);
u64 probe_execute(u64 address); /* jumps there; what is there must be `mov x0, #0; ret` */

#endif
