/*
 * Libraries that few runs need: loaded when one is first used, since a program that is linked with them loads them, and
 * all that they are linked with, at each start. A file that uses one lists what it calls, by the names of its header:
 *
 *     #define FUNCTIONS(F) F(nbd_create) F(nbd_close)
 *     LIBRARY(libnbd, FUNCTIONS)
 *
 * and calls it as libnbd.nbd_create(), after library_load(&libnbd_library). SONAME is the Makefile's: the version whose
 * header was there.
 */
#ifndef DEBUG_LIBRARY_H
#define DEBUG_LIBRARY_H

#include "lib/base.h"

#ifndef SONAME
#define SONAME "unknown"
#endif

struct library {
    const char *file;
    void *functions; /* a struct of pointers to functions, in the order of `name` */
    const char *const *name;
    unsigned count;
};

#define LIBRARY_MEMBER(f) __typeof__(f) *f;
#define LIBRARY_NAME(f)   #f,
#define LIBRARY(id, FUNCTIONS)                                                                                         \
    static struct {                                                                                                    \
        FUNCTIONS(LIBRARY_MEMBER)                                                                                      \
    } id;                                                                                                              \
    static const char *const id##_names[] = { FUNCTIONS(LIBRARY_NAME) };                                               \
    static const struct library id##_library = { SONAME, &id, id##_names, ARRAY_LEN(id##_names) };                     \
    static_assert(sizeof(id) == sizeof(void *) * ARRAY_LEN(id##_names), "pointers, and nothing else");

/* Does nothing when it is loaded already. NULL, or why it cannot be: one line. */
const char *library_load(const struct library *l);

#endif
