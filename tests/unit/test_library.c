/*
 * Libraries that are loaded when they are first used (debug/library.c): what is found, and what is said of what is not.
 */
#include <check.h>

#include "debug/library.h"

Suite *test_library_suite(void);

static struct {
    double (*floor)(double);
    double (*ceil)(double);
} functions;

START_TEST(functions_are_found)
{
    static const char *const names[] = { "floor", "ceil" };
    const struct library l = { "libm.so.6", &functions, names, ARRAY_LEN(names) };
    ck_assert_ptr_null(library_load(&l));
    ck_assert(functions.floor(1.5) == 1 && functions.ceil(1.5) == 2);
    void *was = (void *)(uintptr_t)functions.ceil;
    ck_assert_ptr_null(library_load(&l));
    ck_assert((void *)(uintptr_t)functions.ceil == was);
}
END_TEST

/* A library of that name that has not all of them serves for nothing, also when it is asked again. */
START_TEST(what_is_missing_is_said)
{
    static const char *const names[] = { "floor", "no_such_function" };
    const struct library other = { "libm.so.6", &functions, names, ARRAY_LEN(names) };
    const struct library none = { "libelmu-none.so.9", &functions, names, ARRAY_LEN(names) };
    memset(&functions, 0, sizeof(functions));
    for (unsigned n = 0; n < 2; n++) {
        const char *why = library_load(&other);
        ck_assert_msg(why && strstr(why, "no_such_function") && !strchr(why, '\n'), "%s", why);
        why = library_load(&none);
        ck_assert_msg(why && strstr(why, "libelmu-none.so.9") && !strchr(why, '\n'), "%s", why);
    }
}
END_TEST

Suite *test_library_suite(void)
{
    Suite *s = suite_create("library");
    TCase *t = tcase_create("library");
    tcase_add_test(t, functions_are_found);
    tcase_add_test(t, what_is_missing_is_said);
    suite_add_tcase(s, t);
    return s;
}
