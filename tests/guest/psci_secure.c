/* PSCI as a firmware at EL3 makes it (secure/fw_psci.c), asked by Non-secure EL2. */
#include "psci.c"
