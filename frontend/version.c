/* -version: what this is, of which commit, with which libraries. COMMIT is the Makefile's. */
#include "frontend/display/desktop.h"
#include "frontend/display/vt.h"
#include "frontend/options.h"
#include "frontend/screendump.h"
#include "frontend/sandbox.h"

#include <capstone/capstone.h>
#include <elfutils/version.h>
#include <jansson.h>
#include <stdio.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#ifndef COMMIT
#define COMMIT "unknown"
#endif

/* Scripts that run qemu-system-aarch64 look for the version of the machine that they want: it is QEMU 7.2's. */
static bool is_called_qemu(const char *program)
{
    const char *slash = strrchr(program, '/');
    return !strncmp(slash ? slash + 1 : program, "qemu-system-", strlen("qemu-system-"));
}

const char *version_words(void) { return ELMU_VERSION " (" COMMIT ")"; }

void opt_version(struct options *o, const char *name, const char *arg)
{
    unsigned hash = XXH_versionNumber();
    (void)name, (void)arg;
    if (is_called_qemu(o->program))
        printf("QEMU emulator version 7.2.0 (elmu %s, %s)\n", ELMU_VERSION, COMMIT);
    printf("elmu version %s (%s), a full-system AArch64 emulator for hypervisors and their guests\n", ELMU_VERSION,
           COMMIT);
    printf("with zlib %s, zstd %s, xxhash %u.%u.%u, elfutils 0.%u, capstone %d.%d, jansson %s%s%s%s%s\n", zlibVersion(),
           ZSTD_versionString(), hash / 10000, hash / 100 % 100, hash % 100, _ELFUTILS_VERSION, CS_API_MAJOR,
           CS_API_MINOR, JANSSON_VERSION, sandbox_library() ? ", seccomp " : "",
           sandbox_library() ? sandbox_library() : "", screendump_png_library() ? ", libpng " : "",
           screendump_png_library() ? screendump_png_library() : "");
    if (desktop_library())
        printf("windows by SDL %s%s%s\n", desktop_library(), vt_library() ? ", terminals by libvterm " : "",
               vt_library() ? vt_library() : "");
    o->list_done = true;
}
