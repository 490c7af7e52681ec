/*
 * Names by libelf (.symtab, else .dynsym), source lines by libdw. Tables are sorted once, lookups are binary searches.
 * A file is untrusted: libelf bounds what it reads, and what it hands out is checked here.
 */
#define _GNU_SOURCE
#include "debug/symbols.h"

#include "debug/library.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FUNCTIONS(F) F(dwarf_attr) F(dwarf_begin_elf) F(dwarf_end) F(dwarf_formstring) F(dwarf_getsrclines)            \
    F(dwarf_lineaddr) F(dwarf_linebeginstatement) F(dwarf_lineendsequence) F(dwarf_lineno) F(dwarf_linesrc)            \
    F(dwarf_nextcu) F(dwarf_offdie) F(dwarf_onesrcline)
LIBRARY(libdw, FUNCTIONS)

struct segment {
    u64 va, size;
    const u8 *bytes;
};

/* A mapping symbol: from va on there are instructions ($x) or data ($d). */
struct mark {
    u64 va;
    bool data;
};

struct module {
    struct symbol_file about;
    int fd;
    Elf *elf;
    Dwarf *dwarf;
    struct symbol *symbol;
    size_t symbols;
    struct symbol_line *line;
    size_t lines, line_room;
    struct mark *mark;
    size_t marks;
    char **path; /* file names made whole */
    size_t paths, path_room;
    struct segment segment[16];
    unsigned segments;
};

struct symbols {
    struct module *module[MAX_SYMBOL_FILES];
    unsigned count;
};

const char *symbols_ready(void) { return library_load(&libdw_library); }

struct symbols *symbols_create(void) { return calloc(1, sizeof(struct symbols)); }

static void module_free(struct module *m)
{
    if (!m)
        return;
    free(m->symbol);
    free(m->mark);
    free(m->line);
    for (size_t n = 0; n < m->paths; n++)
        free(m->path[n]);
    free(m->path);
    if (m->dwarf)
        libdw.dwarf_end(m->dwarf);
    if (m->elf)
        elf_end(m->elf);
    if (m->fd >= 0)
        close(m->fd);
    free(m);
}

void symbols_destroy(struct symbols *s)
{
    for (unsigned n = 0; s && n < s->count; n++)
        module_free(s->module[n]);
    free(s);
}

/* ---- reading ---- */

/* qsort, for what may be nothing at all. */
static void sort(void *rows, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count)
        qsort(rows, count, size, order);
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    return x->hi != y->hi ? x->hi < y->hi ? -1 : 1 : strcmp(x->name, y->name);
}

static int by_mark(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    return x->va < y->va ? -1 : x->va > y->va;
}

/* Code labels: functions, and untyped ones of assembly; not the mapping symbols $x and $d. */
static bool is_label(const GElf_Sym *sym, const char *name)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    return name && name[0] && name[0] != '$' && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
           (type == STT_FUNC || type == STT_NOTYPE || type == STT_OBJECT);
}

static bool symbols_read(struct module *m, Elf_Scn *scn, const GElf_Shdr *sh)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    size_t count = data && sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
    free(m->symbol);
    free(m->mark);
    m->symbols = m->marks = 0;
    m->symbol = calloc(count + 1, sizeof(*m->symbol));
    m->mark = calloc(count + 1, sizeof(*m->mark));
    if (!m->symbol || !m->mark)
        return false;
    for (size_t n = 0; n < count && n < 0x7fffffff; n++) {
        GElf_Sym sym;
        if (!gelf_getsym(data, (int)n, &sym))
            break;
        const char *name = elf_strptr(m->elf, sh->sh_link, sym.st_name);
        if (is_label(&sym, name))
            m->symbol[m->symbols++] =
                (struct symbol){ sym.st_value + m->about.offset, sym.st_value + sym.st_size + m->about.offset, name,
                                 GELF_ST_TYPE(sym.st_info) == STT_FUNC };
        else if (name && (!strncmp(name, "$d", 2) || !strncmp(name, "$x", 2)))
            m->mark[m->marks++] = (struct mark){ sym.st_value + m->about.offset, name[1] == 'd' };
    }
    sort(m->symbol, m->symbols, sizeof(*m->symbol), by_address);
    sort(m->mark, m->marks, sizeof(*m->mark), by_mark);
    for (size_t n = 0; n < m->symbols; n++) /* without a size: up to the next */
        if (m->symbol[n].hi <= m->symbol[n].lo) {
            size_t next = n + 1;
            while (next < m->symbols && m->symbol[next].lo == m->symbol[n].lo)
                next++;
            m->symbol[n].hi = next < m->symbols ? m->symbol[next].lo : m->symbol[n].lo + 4096;
        }
    return true;
}

static bool names_read(struct module *m)
{
    Elf_Scn *scn = NULL;
    bool full = false;
    while ((scn = elf_nextscn(m->elf, scn))) {
        GElf_Shdr sh;
        if (!gelf_getshdr(scn, &sh) || (sh.sh_type != SHT_SYMTAB && (sh.sh_type != SHT_DYNSYM || full)))
            continue;
        full |= sh.sh_type == SHT_SYMTAB;
        if (!symbols_read(m, scn, &sh))
            return false;
    }
    return true;
}

static bool line_add(struct module *m, struct symbol_line line)
{
    if (m->lines == m->line_room) {
        size_t room = m->line_room ? m->line_room * 2 : 1024;
        struct symbol_line *more = realloc(m->line, room * sizeof(*more));
        if (!more)
            return false;
        m->line = more;
        m->line_room = room;
    }
    m->line[m->lines++] = line;
    return true;
}

/* The names of a unit's files, made whole: libdw leaves those relative that the compiler was told so. */
struct unit_paths {
    const char *folder; /* DW_AT_comp_dir */
    struct {
        const char *told, *whole;
    } file[256];
    size_t count;
};

static const char *path_whole(struct module *m, struct unit_paths *u, const char *told)
{
    char *whole;
    if (!told || told[0] == '/' || !u->folder)
        return told ? told : "?";
    for (size_t n = u->count; n > 0; n--)
        if (u->file[n - 1].told == told)
            return u->file[n - 1].whole;
    if (m->paths == m->path_room) {
        size_t room = m->path_room ? m->path_room * 2 : 256;
        char **more = realloc(m->path, room * sizeof(*more));
        if (!more)
            return told;
        m->path = more;
        m->path_room = room;
    }
    if (asprintf(&whole, "%s/%s", u->folder, told) < 0)
        return told;
    m->path[m->paths++] = whole;
    if (u->count < ARRAY_LEN(u->file)) {
        u->file[u->count].told = told;
        u->file[u->count++].whole = whole;
    }
    return whole;
}

static bool unit_lines(struct module *m, Dwarf_Die *cu)
{
    Dwarf_Lines *lines;
    size_t count;
    struct unit_paths paths = { .count = 0 };
    Dwarf_Attribute folder;
    if (libdw.dwarf_getsrclines(cu, &lines, &count))
        return true;
    paths.folder = libdw.dwarf_formstring(libdw.dwarf_attr(cu, DW_AT_comp_dir, &folder));
    for (size_t n = 0; n < count; n++) {
        Dwarf_Line *l = libdw.dwarf_onesrcline(lines, n);
        Dwarf_Addr addr;
        int number;
        bool end = false, statement = false;
        const char *file = l ? libdw.dwarf_linesrc(l, NULL, NULL) : NULL;
        if (!l || libdw.dwarf_lineaddr(l, &addr) || libdw.dwarf_lineno(l, &number))
            continue;
        libdw.dwarf_lineendsequence(l, &end);
        libdw.dwarf_linebeginstatement(l, &statement);
        struct symbol_line row = { addr + m->about.offset, path_whole(m, &paths, file),
                                   end || number < 0 ? 0 : (u32)number, (u32)m->lines, statement };
        if (!line_add(m, row))
            return false;
    }
    return true;
}

/* The order of the table is kept where addresses are the same: the last row of an address counts. */
static int by_line_address(const void *a, const void *b)
{
    const struct symbol_line *x = a, *y = b;
    if (x->lo != y->lo)
        return x->lo < y->lo ? -1 : 1;
    bool ex = !x->line, ey = !y->line; /* the end of a sequence before what begins there */
    return ex != ey ? (ex ? -1 : 1) : x->order < y->order ? -1 : x->order > y->order;
}

static bool lines_read(struct module *m)
{
    Dwarf_Off off = 0, next;
    size_t header;
    m->dwarf = libdw.dwarf_begin_elf(m->elf, DWARF_C_READ, NULL);
    while (m->dwarf && !libdw.dwarf_nextcu(m->dwarf, off, &next, &header, NULL, NULL, NULL)) {
        Dwarf_Die cu;
        if (libdw.dwarf_offdie(m->dwarf, off + header, &cu) && !unit_lines(m, &cu))
            return false;
        off = next;
    }
    sort(m->line, m->lines, sizeof(*m->line), by_line_address);
    return true;
}

static void segments_read(struct module *m)
{
    size_t count, size;
    const u8 *file = (const u8 *)elf_rawfile(m->elf, &size);
    if (!file || elf_getphdrnum(m->elf, &count))
        return;
    for (size_t n = 0; n < count && m->segments < ARRAY_LEN(m->segment); n++) {
        GElf_Phdr ph;
        if (!gelf_getphdr(m->elf, (int)n, &ph) || ph.p_type != PT_LOAD || !(ph.p_flags & PF_X) || ph.p_offset > size ||
            ph.p_filesz > size - ph.p_offset)
            continue;
        m->segment[m->segments++] = (struct segment){ ph.p_vaddr + m->about.offset, ph.p_filesz, file + ph.p_offset };
    }
}

static const char *module_read(struct module *m)
{
    GElf_Ehdr eh;
    elf_version(EV_CURRENT);
    m->fd = open(m->about.name, O_RDONLY | O_CLOEXEC);
    if (m->fd < 0)
        return strerror(errno);
    m->elf = elf_begin(m->fd, ELF_C_READ_MMAP, NULL);
    if (!m->elf || elf_kind(m->elf) != ELF_K_ELF || !gelf_getehdr(m->elf, &eh))
        return "not an ELF file";
    if (eh.e_machine != EM_AARCH64 || gelf_getclass(m->elf) != ELFCLASS64)
        return "not an ELF file for AArch64";
    const char *missing = symbols_ready();
    if (missing)
        return missing;
    if (!names_read(m) || !lines_read(m))
        return "out of memory";
    segments_read(m);
    if (!m->symbols && !m->lines)
        return "has neither symbols nor line numbers";
    return NULL;
}

bool symbols_add(struct symbols *s, const struct symbol_file *file, char error[256])
{
    struct module *m = s->count < MAX_SYMBOL_FILES ? calloc(1, sizeof(*m)) : NULL;
    if (!m) {
        snprintf(error, 256, "%.100s: %s", file->name,
                 s->count < MAX_SYMBOL_FILES ? "out of memory" : "too many symbol files");
        return false;
    }
    m->about = *file;
    m->fd = -1;
    const char *wrong = module_read(m);
    if (wrong) {
        snprintf(error, 256, "%.180s: %s", file->name, wrong);
        module_free(m);
        return false;
    }
    s->module[s->count++] = m;
    return true;
}

unsigned symbols_count(const struct symbols *s) { return s->count; }
const struct symbol_file *symbols_file(const struct symbols *s, unsigned n)
{
    return n < s->count ? &s->module[n]->about : NULL;
}

/* ---- looking up ---- */

static bool serves(const struct symbol_file *f, struct symbol_place place)
{
    bool el = f->el == SYMBOL_ANY || f->el == place.el || (f->el == 1 && place.el == 0);
    return el && (f->vmid == SYMBOL_ANY || f->vmid == place.vmid);
}

/* How many rows lie at va or before. Rows begin with their address as u64, and ascend. */
static size_t rows_up_to(const void *rows, size_t count, size_t size, u64 va)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (load_le64((const u8 *)rows + mid * size) <= va)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
static_assert(!offsetof(struct symbol, lo) && !offsetof(struct symbol_line, lo) && !offsetof(struct mark, va),
              "rows_up_to");

/* A name only for what it covers, so that other code in between keeps its own. Of names for one address, the first. */
static const struct symbol *module_find(const struct module *m, u64 va)
{
    size_t n = rows_up_to(m->symbol, m->symbols, sizeof(*m->symbol), va);
    for (size_t back = 0; n > 0 && back < 16; n--, back++) {
        const struct symbol *found = &m->symbol[n - 1];
        if (va >= found->hi)
            continue;
        while (found > m->symbol && found[-1].lo == found->lo && va < found[-1].hi)
            found--;
        return found;
    }
    return NULL;
}

const struct symbol *symbols_find(const struct symbols *s, u64 va, struct symbol_place place)
{
    for (unsigned n = 0; n < s->count; n++) {
        const struct symbol *found = serves(&s->module[n]->about, place) ? module_find(s->module[n], va) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static const struct symbol_line *module_line(const struct module *m, u64 va)
{
    size_t n = rows_up_to(m->line, m->lines, sizeof(*m->line), va);
    return n > 0 && m->line[n - 1].line ? &m->line[n - 1] : NULL;
}

const struct symbol_line *symbols_line(const struct symbols *s, u64 va, struct symbol_place place)
{
    for (unsigned n = 0; n < s->count; n++) {
        const struct symbol_line *found = serves(&s->module[n]->about, place) ? module_line(s->module[n], va) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

const struct symbol_line *symbols_line_in(const struct symbols *s, unsigned file, u64 va)
{
    return module_line(s->module[file], va);
}

bool symbols_address(const struct symbols *s, const char *name, u64 *va)
{
    for (unsigned n = 0; n < s->count; n++)
        for (size_t k = 0; k < s->module[n]->symbols; k++)
            if (!strcmp(s->module[n]->symbol[k].name, name)) {
                *va = s->module[n]->symbol[k].lo;
                return true;
            }
    return false;
}

const struct symbol *symbols_table(const struct symbols *s, unsigned file, size_t *count)
{
    *count = s->module[file]->symbols;
    return s->module[file]->symbol;
}

const struct symbol_line *symbols_lines(const struct symbols *s, unsigned file, size_t *count)
{
    *count = s->module[file]->lines;
    return s->module[file]->line;
}

bool symbols_code(const struct symbols *s, unsigned file, unsigned n, u64 *va, u64 *size, const u8 **bytes)
{
    const struct module *m = s->module[file];
    if (n >= m->segments)
        return false;
    *va = m->segment[n].va;
    *size = m->segment[n].size;
    *bytes = m->segment[n].bytes;
    return true;
}

bool symbols_serve(const struct symbols *s, unsigned file, struct symbol_place place)
{
    return serves(&s->module[file]->about, place);
}

bool symbols_is_data(const struct symbols *s, unsigned file, u64 va)
{
    const struct module *m = s->module[file];
    size_t n = rows_up_to(m->mark, m->marks, sizeof(*m->mark), va);
    return n > 0 && m->mark[n - 1].data;
}

size_t symbols_describe(const struct symbols *s, u64 va, struct symbol_place place, char *text, size_t size)
{
    const struct symbol *name = symbols_find(s, va, place);
    const struct symbol_line *line = symbols_line(s, va, place);
    const char *slash = line ? strrchr(line->file, '/') : NULL;
    int n = 0;
    text[0] = 0;
    if (!name && !line) /* mostly, where no -sym says what is there: not worth a format */
        return size > 1 ? (memcpy(text, "-", 2), 1) : 0;
    if (name)
        n = snprintf(text, size, va == name->lo ? "%.200s" : "%.200s+0x%llx", name->name,
                     (unsigned long long)(va - name->lo));
    if (line && n >= 0 && (size_t)n < size)
        n += snprintf(text + n, size - (size_t)n, "%s%.100s:%u", n ? " " : "", slash ? slash + 1 : line->file,
                      line->line);
    return (size_t)n < size ? (size_t)n : size - 1;
}
