/*
 * The vector runner: replays the conformance vectors made from Arm's executable specification
 * (../shared/vectors/README.md). Skips are named rules (rules.h): predicates on the start state and the instruction.
 *
 *     vectors [--only TEXT] [--show N] [--jobs N] [--causes] DIR...
 *
 * DIR holds sets (vNN, each with .txt.gz files), or is one. Each file is a child process's. --causes: of each vector
 * that ends in an exception by a control or a descriptor, mends just that and runs it again (causes.h).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/vectors.h"

struct result {
    unsigned passed, failed, skipped[RULE_COUNT_];
};

struct choice {
    const char *only;
    unsigned show, parallel;
    bool causes;
};

struct job {
    char set[64], path[4096];
};
static struct job jobs[256];
static unsigned job_count;

static int name_order(const void *a, const void *b)
{
    return strcmp(((const struct job *)a)->path, ((const struct job *)b)->path);
}

/* All files of vectors in `given` and the folders below it. */
static void jobs_find(const char *given)
{
    char *dir = realpath(given, NULL);
    DIR *d = dir ? opendir(dir) : NULL;
    if (!d) {
        fprintf(stderr, "vectors: %s: no such folder\n", given);
        exit(1);
    }
    const char *set = set_of(strrchr(dir, '/') + 1);
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%.3800s/%.255s", dir, e->d_name);
        if (e->d_name[0] == '.' || stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode)) {
            jobs_find(path);
        } else if (strstr(e->d_name, ".txt.gz")) {
            if (!set || job_count == ARRAY_LEN(jobs)) {
                fprintf(stderr,
                        set ? "vectors: %s: too many files\n"
                            : "vectors: %s: its folder has no set's name (v80, v81...)\n",
                        path);
                exit(1);
            }
            snprintf(jobs[job_count].set, sizeof jobs[0].set, "%s", set);
            snprintf(jobs[job_count++].path, sizeof jobs[0].path, "%s", path);
        }
    }
    closedir(d);
    free(dir);
}

static unsigned skipped_sum(const unsigned *by_rule)
{
    unsigned sum = 0;
    for (unsigned n = 0; n < RULE_COUNT_; n++)
        sum += by_rule[n];
    return sum;
}

static int child(const struct job *job, const struct choice *c)
{
    static struct runner r;
    r.only = c->only;
    r.causes = c->causes;
    r.show = c->show;
    runner_create(&r, job->set);
    run_file(&r, job->path);
    struct result result = { .passed = r.passed, .failed = r.failed };
    memcpy(result.skipped, r.skipped, sizeof r.skipped);
    unsigned skipped = skipped_sum(r.skipped);
    if (r.passed + r.failed + skipped)
        printf("%s/%s: %u passed, %u failed, %u skipped\n", r.set, r.file, r.passed, r.failed, skipped);
    fflush(stdout);
    return write(3, &result, sizeof result) == sizeof result ? 0 : 1;
}

/* Number of the first argument that is no option; 0: one of them is wrong. */
static int choice_read(struct choice *c, int argc, char **argv)
{
    int n = 1;
    for (; n < argc && argv[n][0] == '-'; n++) {
        if (!strcmp(argv[n], "--only") && n + 1 < argc)
            c->only = argv[++n];
        else if (!strcmp(argv[n], "--show") && n + 1 < argc)
            c->show = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--jobs") && n + 1 < argc)
            c->parallel = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--causes"))
            c->causes = true;
        else {
            fprintf(stderr, "vectors: unknown option %s\n", argv[n]);
            return 0;
        }
    }
    return n;
}

static void result_add(struct result *total, const struct result *more)
{
    total->passed += more->passed;
    total->failed += more->failed;
    for (unsigned k = 0; k < RULE_COUNT_; k++)
        total->skipped[k] += more->skipped[k];
}

/* Waits for a child and adds what it found; one that ended badly counts as a failure. False: no child, or no answer. */
static bool collect(int from, struct result *total)
{
    struct result result;
    int status;
    if (wait(&status) < 0)
        return false;
    if (status) {
        total->failed++;
        printf("FAIL a set ended with status %x\n", (unsigned)status);
        return true;
    }
    if (read(from, &result, sizeof result) != sizeof result)
        return false;
    result_add(total, &result);
    return true;
}

static bool run_all(const struct choice *c, struct result *total)
{
    int fds[2];
    if (pipe(fds))
        return false;
    for (unsigned started = 0, ended = 0; ended < job_count;) {
        if (started < job_count && started - ended < (c->parallel ? c->parallel : 1)) {
            fflush(stdout);
            if (!fork()) {
                dup2(fds[1], 3);
                exit(child(&jobs[started], c));
            }
            started++;
            continue;
        }
        if (!collect(fds[0], total))
            return false;
        ended++;
    }
    return true;
}

static void report(const struct result *total)
{
    unsigned skipped = skipped_sum(total->skipped), sum = total->passed + total->failed + skipped;
    for (unsigned k = 0; k < RULE_COUNT_; k++)
        if (total->skipped[k])
            printf("skipped by rule %s: %u (%.2f %%): %s\n", rules[k].name, total->skipped[k],
                   100.0 * total->skipped[k] / sum, rules[k].why);
    printf("%u passed, %u failed, %u skipped\n", total->passed, total->failed, skipped);
}

int main(int argc, char **argv)
{
    struct choice choice = { .show = 20, .parallel = 2 };
    struct result total = { 0 };
    int n = choice_read(&choice, argc, argv);
    if (!n)
        return 1;
    for (; n < argc; n++)
        jobs_find(argv[n]);
    if (!job_count) {
        fprintf(stderr, "vectors: no files of vectors in %s\n", argc > 1 ? argv[argc - 1] : "nothing");
        return 1;
    }
    qsort(jobs, job_count, sizeof jobs[0], name_order);
    regs_build();
    if (!run_all(&choice, &total))
        return 1;
    report(&total);
    return total.failed ? 1 : 0;
}
