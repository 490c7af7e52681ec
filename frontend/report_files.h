/* What the assembler takes in (frontend/report_files.c): text that ends with a 0. */
#ifndef FRONTEND_REPORT_FILES_H
#define FRONTEND_REPORT_FILES_H

extern const char report_css[], report_js[];

#endif
