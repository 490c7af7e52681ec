/* In place of sandbox.c where libseccomp was not there when elmu was built. */
#include "frontend/sandbox.h"

#include <stddef.h>

const char *sandbox_enter(u32 groups)
{
    (void)groups;
    return "this elmu was built without libseccomp (libseccomp-dev; tests/install.sh run says what is missing)";
}

const char *sandbox_library(void) { return NULL; }
