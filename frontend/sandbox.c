/*
 * -sandbox by libseccomp, which knows the numbers of calls on each kind of host and makes the filter's program. The
 * kernel ends the process at what is not allowed: an error number instead would let whoever got so far try on, and no
 * caller would know what to do with it. The kernel's log (audit) has the number of the call.
 */
#include "frontend/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

enum { WHOLE, IS, BARE };
static const struct row {
    const char *call;
    u8 group, how, argument;
    u64 value;
} rows[] = {
#define ALLOW(group, call, why)                       { #call, SANDBOX_##group, WHOLE, 0, 0 },
#define ALLOW_IS(group, call, argument, value, why)   { #call, SANDBOX_##group, IS, argument, value },
#define ALLOW_BARE(group, call, argument, bits, why)  { #call, SANDBOX_##group, BARE, argument, bits },
#include "frontend/sandbox.def"
};

/* 0, or the error. A call of another kind of host is none. */
static int row_add(scmp_filter_ctx filter, const struct row *r)
{
    int number = seccomp_syscall_resolve_name(r->call), status = 0;
    if (number == __NR_SCMP_ERROR)
        return 0;
    if (r->how == WHOLE)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    else
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
                                  r->how == IS ? SCMP_CMP(r->argument, SCMP_CMP_MASKED_EQ, 0xffffffff, r->value)
                                               : SCMP_CMP(r->argument, SCMP_CMP_MASKED_EQ, r->value, 0));
    return status == -EDOM ? 0 : status;
}

const char *sandbox_enter(u32 groups)
{
    static char why[128];
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int status = filter ? 0 : -ENOMEM;
    if (!status)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
    if (!status)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (unsigned n = 0; !status && n < ARRAY_LEN(rows); n++)
        if (bit(groups, rows[n].group))
            status = row_add(filter, &rows[n]);
    if (!status)
        status = seccomp_load(filter);
    seccomp_release(filter);
    snprintf(why, sizeof(why), "the kernel takes no filter: %s", strerror(-status));
    return status ? why : NULL;
}

const char *sandbox_library(void)
{
    static char text[32];
    const struct scmp_version *v = seccomp_version();
    snprintf(text, sizeof(text), "%u.%u.%u", v->major, v->minor, v->micro);
    return text;
}
