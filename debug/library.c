/* Libraries that are loaded when they are first used (debug/library.h), by dlopen. They stay to the program's end. */
#include "debug/library.h"

#include <dlfcn.h>

const char *library_load(const struct library *l)
{
    void **functions = l->functions, *handle;
    if (functions[l->count - 1])
        return NULL;
    handle = dlopen(l->file, RTLD_LAZY | RTLD_LOCAL);
    for (unsigned n = 0; handle && n < l->count; n++) /* the last is set last */
        if (!(functions[n] = dlsym(handle, l->name[n])))
            handle = NULL;
    return handle ? NULL : dlerror();
}
