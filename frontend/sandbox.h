/*
 * -sandbox: what this process may ask its kernel for, from here to its end. Rows in sandbox.def.
 */
#ifndef FRONTEND_SANDBOX_H
#define FRONTEND_SANDBOX_H

#include "lib/base.h"

enum sandbox_group {
#define GROUP(name) SANDBOX_##name,
#include "frontend/sandbox.def"
};

/* In force from now on, for all threads and what they start: a call that no row of these groups (bits, by enum
 * sandbox_group) allows ends the process with SIGSYS, and no program that it starts gains rights. NULL, or why not;
 * then nothing is in force. */
const char *sandbox_enter(u32 groups);
/* Its version, for -version; NULL: this build has none, and sandbox_enter says so. */
const char *sandbox_library(void);

#endif
