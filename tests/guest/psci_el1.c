/* psci.c entered at EL1, where PSCI is called by HVC. */
#include "psci.c"
