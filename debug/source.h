/* Lines of source files, as the ELF files' tables name them: what a person wrote, where the file can be read. */
#ifndef DEBUG_SOURCE_H
#define DEBUG_SOURCE_H

#include "lib/base.h"

/* Line `line` (from 1) of the file, without blanks at its front and end, cut to fit. False: there is no such file or
 * line. */
bool source_line(const char *file, u32 line, char *text, size_t size);

#endif
