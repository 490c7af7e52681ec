/* A line of a source file: the file is mapped each time, since a person looks at few of them. */
#include "debug/source.h"

#include "debug/file.h"

#include <sys/stat.h>

enum { MOST = 16 << 20 /* bytes of a file that is looked at */ };

static bool is_blank(u8 c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Bytes from..to without what does not print. */
static void line_copy(const u8 *from, const u8 *to, char *text, size_t size)
{
    size_t n = 0;
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    for (; from < to && n + 1 < size; from++)
        text[n++] = *from < ' ' || *from == 127 ? ' ' : (char)*from;
    text[n] = 0;
}

bool source_line(const char *file, u32 line, char *text, size_t size)
{
    struct stat st;
    struct file_map m;
    char error[256];
    if (!line || stat(file, &st) || !S_ISREG(st.st_mode) || st.st_size > MOST || !file_map(&m, file, error))
        return false;
    const u8 *at = m.bytes, *end = m.bytes + m.size;
    while (at && at < end && --line) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    bool found = at && at < end;
    if (found) {
        const u8 *stop = memchr(at, '\n', (size_t)(end - at));
        line_copy(at, stop ? stop : end, text, size);
    }
    file_unmap(&m);
    return found;
}
