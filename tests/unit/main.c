/*
 * Runs the unit tests (Check), all or those of the suites named: unit [SUITE...]. Each suite is a file test_NAME.c,
 * listed in suites.def. Ends with "N passed, N failed"; status 0 when nothing failed.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *test_##name##_suite(void);
#include "tests/unit/suites.def"

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, test_##name##_suite },
#include "tests/unit/suites.def"
};
enum { SUITES = sizeof suites / sizeof *suites };

static bool wanted(const char *name, int argc, char **argv)
{
    for (int n = 1; n < argc; n++)
        if (!strcmp(argv[n], name))
            return true;
    return argc < 2;
}

static bool known(const char *name)
{
    for (unsigned n = 0; n < SUITES; n++)
        if (!strcmp(suites[n].name, name))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    for (int n = 1; n < argc; n++)
        if (!known(argv[n])) {
            fprintf(stderr, "unit: %s: no such suite\n", argv[n]);
            return EXIT_FAILURE;
        }
    SRunner *runner = srunner_create(NULL);
    for (unsigned n = 0; n < SUITES; n++)
        if (wanted(suites[n].name, argc, argv))
            srunner_add_suite(runner, suites[n].make());
    srunner_run_all(runner, CK_SILENT);
    srunner_print(runner, CK_NORMAL);
    int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    printf("%d passed, %d failed\n", run - failed, failed);
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
