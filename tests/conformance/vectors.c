/*
 * The vector runner: replays the conformance vectors made from Arm's executable specification
 * (../shared/vectors/README.md). Skips are named rules (rules.h): predicates on the start state and the instruction.
 *
 *     vectors [--only TEXT] [--show N] [--jobs N] [--causes] [--tier2] [--without RULE] DIR...
 *
 * DIR holds sets (vNN, each with .txt.gz files), or is one. Each file is a child process's. --causes: of each vector
 * that ends in an exception by a control or a descriptor, mends just that and runs it again (causes.h). --tier2: those
 * whose instruction has an emitter, by the second tier (hot.c). --without: runs
 * what that rule (all: every rule) skips, shows what differs and counts what agrees all the same, by which one sees how
 * narrow the rule is.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/vectors.h"

struct choice {
    const char *only, *without;
    unsigned show, parallel;
    bool causes, tier2;
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

/* Vectors that were not run at all. */
static unsigned skips(const struct result *result)
{
    unsigned skipped = 0;
    for (unsigned n = 0; n < RULE_COUNT_; n++)
        skipped += result->skipped[n] && !rule_leaves((int)n) ? result->skipped[n] : 0;
    return skipped;
}

static int child(const struct job *job, const struct choice *c, struct result *result)
{
    static struct runner r;
    r.only = c->only;
    r.without = c->without;
    r.causes = c->causes;
    r.tier2 = c->tier2;
    r.show = c->show;
    r.result = result;
    runner_create(&r, job->set);
    if (r.tier2 && !hot_begin(&r))
        return 0;
    run_file(&r, job->path);
    unsigned skipped = skips(result);
    if (result->passed + result->failed + skipped)
        printf("%s/%s: %u passed, %u failed, %u skipped\n", r.set, r.file, result->passed, result->failed, skipped);
    fflush(stdout);
    return 0;
}

/* Number of the first argument that is no option; 0: one of them is wrong. */
static int choice_read(struct choice *c, int argc, char **argv)
{
    int n = 1;
    for (; n < argc && argv[n][0] == '-'; n++) {
        if (!strcmp(argv[n], "--only") && n + 1 < argc)
            c->only = argv[++n];
        else if (!strcmp(argv[n], "--without") && n + 1 < argc)
            c->without = argv[++n];
        else if (!strcmp(argv[n], "--show") && n + 1 < argc)
            c->show = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--jobs") && n + 1 < argc)
            c->parallel = (unsigned)atoi(argv[++n]);
        else if (!strcmp(argv[n], "--causes"))
            c->causes = true;
        else if (!strcmp(argv[n], "--tier2"))
            c->tier2 = true;
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
    total->hot.vectors += more->hot.vectors;
    total->hot.regions += more->hot.regions;
    total->hot.inside += more->hot.inside;
    total->hot.inside_last += more->hot.inside_last;
    total->hot.others += more->hot.others;
    for (unsigned k = 0; k < RULE_COUNT_; k++)
        total->skipped[k] += more->skipped[k], total->agreed[k] += more->agreed[k];
}

/* Runs a child for each job; number of those that ended badly. */
static unsigned run_all(const struct choice *c, struct result *results)
{
    unsigned broken = 0;
    for (unsigned started = 0, ended = 0; ended < job_count;) {
        if (started < job_count && started - ended < (c->parallel ? c->parallel : 1)) {
            fflush(stdout);
            if (!fork())
                exit(child(&jobs[started], c, &results[started]));
            started++;
            continue;
        }
        int status;
        if (wait(&status) < 0)
            exit(1);
        ended++;
        if (status) {
            broken++;
            printf("FAIL a set ended with status %x\n", (unsigned)status);
        }
    }
    return broken;
}

/* The largest share of a class that rule k has, in percent; *class: which. */
static double worst_class(const struct result *results, unsigned k, const char **class)
{
    double worst = 0;
    for (unsigned n = 0; n < job_count * CLASSES; n++) {
        const struct class_count *c = &results[n / CLASSES].classes[n % CLASSES];
        double share = c->vectors ? 100.0 * c->skipped[k] / c->vectors : 0;
        if (share > worst)
            worst = share, *class = c->name;
    }
    return worst;
}

/* False: the second tier was not what ran. About half are in host code at last: others fault, or are of Device memory
 * or of a kind that tags do not know. */
static bool hot_report(const struct hot_count *hot)
{
    printf("second tier: %u vectors, for %u of which a region was made; done in host code %u, and %u when fast "
           "tags were there; %u others\n",
           hot->vectors, hot->regions, hot->inside, hot->inside_last, hot->others);
    return hot->regions == hot->vectors && hot->inside_last > hot->vectors / 3;
}

static int report(const struct result *results, unsigned broken)
{
    struct result total = { .failed = broken };
    for (unsigned n = 0; n < job_count; n++)
        result_add(&total, &results[n]);
    unsigned skipped = skips(&total), sum = total.passed + total.failed + skipped;
    for (unsigned k = 0; k < RULE_COUNT_; k++) {
        if (!total.skipped[k])
            continue;
        const char *class = "";
        double worst = worst_class(results, k, &class);
        printf("%s by rule %s: %u (%.2f %%, of %s %.1f %%): %s\n", rule_leaves((int)k) ? "compared in part" : "skipped",
               rules[k].name, total.skipped[k], 100.0 * total.skipped[k] / sum, class, worst, rules[k].why);
        if (total.agreed[k])
            printf("    of these, %u agree all the same\n", total.agreed[k]);
    }
    if (total.hot.vectors && !hot_report(&total.hot)) {
        printf("FAIL handlers did what the second tier should\n");
        total.failed++;
    }
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, skipped);
    return total.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct choice choice = { .show = 20, .parallel = 2 };
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
    struct result *results =
        mmap(NULL, job_count * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return 1;
    return report(results, run_all(&choice, results));
}
