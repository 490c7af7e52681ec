/* The style sheet and the script of a page: files of their own (frontend/report/), whose bytes are here. */
#include "frontend/report_files.h"

#define EMBED(name, file)                                                                                              \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".global " #name "\n" #name ":\n"                                                                          \
            ".incbin \"" file "\"\n"                                                                                   \
            ".byte 0\n"                                                                                                \
            ".popsection\n")
EMBED(report_css, "frontend/report/page.css");
EMBED(report_js, "frontend/report/page.js");
