/* What -sandbox lets a process do: frontend/sandbox.def, each call in a child of its own. */
#define _GNU_SOURCE
#include "frontend/sandbox.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *test_sandbox_suite(void);

enum { ALWAYS = BIT(SANDBOX_ALWAYS), NO_FILTER = 99 };

/* How a child ends that does this within the filter: its exit status, or minus the signal. */
static int ends(u32 groups, int (*call)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        _exit(sandbox_enter(groups) ? NO_FILTER : call());
    }
    ck_assert(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int nothing(void) { return 0; }
static int file(void)
{
    char name[] = "/tmp/elmu-sandbox-XXXXXX", text[4] = "";
    int fd = mkstemp(name);
    bool ok = fd >= 0 && write(fd, "abc", 3) == 3 && pread(fd, text, 3, 0) == 3 && !unlink(name) && !close(fd);
    return !(ok && text[2] == 'c');
}
static int memory(void)
{
    u8 *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 1;
    p[4096] = 1;
    return mprotect(p, 8192, PROT_READ) || munmap(p, 8192);
}
static int limits(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_NOFILE, &r);
}
static int terminal(void) { return isatty(0) > 1; }

static int code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static int program(void) { return execl("/bin/true", "true", NULL); }
static int child(void) { return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0 ? (_exit(0), 0) : 0; }
static int connection(void) { return socket(AF_UNIX, SOCK_STREAM, 0) < 0; }
static int rights(void) { return (int)syscall(SYS_setuid, geteuid()); }
static int priority(void) { return (int)syscall(SYS_setpriority, PRIO_PROCESS, 0, 0); }
static int limit_set(void)
{
    struct rlimit r;
    return getrlimit(RLIMIT_NOFILE, &r) || (int)syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &r, NULL);
}
static int typed(void) { return ioctl(0, TIOCSTI, "x") ? 0 : 1; }
static int looks_in(void) { return (int)syscall(SYS_ptrace, 0, 0, 0, 0) ? 0 : 1; }
static int mounts(void) { return (int)syscall(SYS_mount, "a", "b", "c", 0, NULL) ? 0 : 1; }

/* `group`: which allows it; SANDBOX_ALWAYS: each does, -1: none. */
static const struct {
    const char *name;
    int (*call)(void);
    int group;
} calls[] = {
    { "the end", nothing, SANDBOX_ALWAYS },
    { "a file", file, SANDBOX_ALWAYS },
    { "memory", memory, SANDBOX_ALWAYS },
    { "limits are read", limits, SANDBOX_ALWAYS },
    { "a terminal", terminal, SANDBOX_ALWAYS },
    { "new code", code, SANDBOX_SPAWN },
    { "a program", program, SANDBOX_SPAWN },
    { "a child", child, SANDBOX_SPAWN },
    { "a limit is set", limit_set, SANDBOX_SPAWN },
    { "a connection", connection, SANDBOX_SOCKETS },
    { "another user", rights, SANDBOX_PRIVILEGES },
    { "a priority", priority, SANDBOX_RESOURCES },
    { "a mount", mounts, -1 },
    { "another process's memory", looks_in, -1 },
    { "typing on a terminal", typed, -1 },
};

static bool absent(void) { return !sandbox_library(); }

START_TEST(a_call_needs_its_group)
{
    if (absent())
        return;
    int group = calls[_i].group;
    int alone = ends(ALWAYS, calls[_i].call);
    ck_assert_msg(alone == (group == SANDBOX_ALWAYS ? 0 : -SIGSYS), "%s: %d", calls[_i].name, alone);
    if (group > SANDBOX_ALWAYS) {
        int allowed = ends(ALWAYS | (u32)BIT(group), calls[_i].call);
        ck_assert_msg(allowed == 0, "%s, allowed: %d", calls[_i].name, allowed);
        u32 others = ALWAYS | (u32)(BIT(SANDBOX_SOCKETS) | BIT(SANDBOX_PRIVILEGES) | BIT(SANDBOX_RESOURCES) |
                                    BIT(SANDBOX_OBSOLETE));
        others &= ~(u32)BIT(group);
        if (calls[_i].call != code) /* names of hosts are looked up with modules */
            ck_assert_msg(ends(others, calls[_i].call) == -SIGSYS, "%s, with other groups", calls[_i].name);
    }
}
END_TEST

static int no_new_rights(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1; }

/* The groups are asked for with a filter that allows prctl, which no other needs. */
START_TEST(no_program_gains_rights)
{
    if (!absent())
        ck_assert_int_eq(ends(ALWAYS | (u32)BIT(SANDBOX_SANITIZERS), no_new_rights), 0);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}
END_TEST

START_TEST(a_build_without_it_says_so)
{
    if (absent())
        ck_assert_ptr_nonnull(strstr(sandbox_enter(ALWAYS), "libseccomp"));
}
END_TEST

Suite *test_sandbox_suite(void)
{
    Suite *s = suite_create("sandbox");
    TCase *t = tcase_create("sandbox");
    tcase_add_loop_test(t, a_call_needs_its_group, 0, ARRAY_LEN(calls));
    tcase_add_test(t, no_program_gains_rights);
    tcase_add_test(t, a_build_without_it_says_so);
    suite_add_tcase(s, t);
    return s;
}
