/* "Did you mean": the name of a list that is most like a word that is none of them. */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

#include "lib/base.h"

/* The closest name so far; begin with { 0 }. */
struct nearest {
    char name[64]; /* empty: none is near: about one letter in three may be wrong */
    unsigned distance;
};
/* Compares a name with the first `length` characters of a word. */
void nearest_try(struct nearest *best, const char *word, size_t length, const char *name);
/* " (did you mean 'NAME'?)", or nothing: into 96 bytes, which it returns. */
const char *nearest_words(const struct nearest *best, char text[96]);

#endif
