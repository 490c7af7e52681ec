/* The sections of a page as HTML, each from what was gathered for it (frontend/report.def). */
#include "frontend/report_internal.h"

#include <stdlib.h>

static void guest_words(char text[32], const json_t *o)
{
    const json_t *vmid = json_object_get(o, "vmid");
    if (json_is_integer(vmid) && json_integer_value(vmid) >= 0)
        snprintf(text, 32, "VMID\u00a0%d", (int)json_integer_value(vmid));
    else
        snprintf(text, 32, "none");
}

/* ---- the run ---- */

static void fact_begin(struct text *out, const char *name) { text_add(out, "<dt>%s</dt><dd>", name); }
static void fact(struct text *out, const char *name, const char *words)
{
    fact_begin(out, name);
    html_text(out, words);
    text_add(out, "</dd>\n");
}
static void fact_number(struct text *out, const char *name, u64 n, const char *unit)
{
    fact_begin(out, name);
    html_number(out, n);
    text_add(out, "%s</dd>\n", unit);
}

static void files_show(struct text *out, const json_t *list)
{
    size_t n;
    json_t *f;
    if (!json_array_size(list))
        return;
    html_table(out, "Files that the run read", "Option|File|#Bytes|Hash (XXH3)");
    json_array_foreach((json_t *)(uintptr_t)list, n, f)
    {
        text_add(out, "<tr>");
        html_cell(out, json_text(f, "option"));
        html_cell(out, json_text(f, "name"));
        html_cell_number(out, json_number(f, "bytes"));
        text_add(out, "<td><code>");
        html_text(out, json_text(f, "hash"));
        text_add(out, "</code></td></tr>\n");
    }
    html_table_end(out);
}

void show_run(struct text *out, const json_t *run)
{
    char words[512];
    text_add(out, "<pre class=\"command\" tabindex=\"0\" aria-label=\"Command line\">");
    html_text(out, json_text(run, "command"));
    text_add(out, "</pre>\n<dl class=\"facts\">\n");
    fact(out, "elmu", json_text(run, "elmu"));
    snprintf(words, sizeof(words), "%.200s, %llu CPU%s, %llu MiB, GICv%llu%s%s", json_text(run, "model"),
             (unsigned long long)json_number(run, "cpus"), json_number(run, "cpus") == 1 ? "" : "s",
             (unsigned long long)json_number(run, "ram") >> 20, (unsigned long long)json_number(run, "gic"),
             json_is_true(json_object_get(run, "el2")) ? ", EL2" : "",
             json_is_true(json_object_get(run, "el3")) ? ", EL3" : "");
    fact(out, "Machine", words);
    fact_number(out, "Seed", json_number(run, "seed"), "");
    fact_number(out, "Instructions", json_number(run, "insns"), "");
    fact_number(out, "Time of the machine", json_number(run, "ns"), " ns");
    snprintf(words, sizeof(words), "%.400s (status %llu)", json_text(run, "end"),
             (unsigned long long)json_number(run, "status"));
    fact(out, "End", words);
    if (*json_text(run, "said"))
        fact(out, "Said", json_text(run, "said"));
    text_add(out, "<dt>Hash of all state</dt><dd><code>");
    html_text(out, json_text(run, "hash"));
    text_add(out, "</code></dd>\n</dl>\n");
    files_show(out, json_list(run, "files"));
}

/* ---- timeline ---- */

void show_timeline(struct text *out, const json_t *run)
{
    (void)run;
    text_add(
        out,
        "<div class=\"timeline\" data-run=\"0\"><p>It is drawn by this page's script; the tables below have its sums.</p></div>\n");
}

/* ---- kinds ---- */

static u64 sum_of(const json_t *list, const char *key)
{
    u64 sum = 0;
    size_t n;
    json_t *k;
    json_array_foreach((json_t *)(uintptr_t)list, n, k) sum += json_number(k, key);
    return sum;
}

static void nothing(struct text *out, const char *what) { text_add(out, "<p>%s</p>\n", what); }

void show_exits(struct text *out, const json_t *run)
{
    const u64 count = sum_of(run, "count"), insns = sum_of(run, "insns");
    size_t n;
    json_t *k;
    if (!json_array_size(run)) {
        nothing(out, "There was none.");
        return;
    }
    html_table(out, "Exits; a click on a cause shows it in the timeline",
               "Guest|From|To|Cause|#Exits|Share|#Instructions until entry|Share of these|#Each");
    json_array_foreach((json_t *)(uintptr_t)run, n, k)
    {
        char guest[32];
        const u64 returned = json_number(k, "returned");
        guest_words(guest, k);
        text_add(out, "<tr>");
        html_cell(out, guest);
        text_add(out, "<td>EL%llu</td><td>EL%llu</td><td><button type=\"button\" class=\"pick\" data-kind=\"%llu\">",
                 (unsigned long long)json_number(k, "from"), (unsigned long long)json_number(k, "to"),
                 (unsigned long long)json_number(k, "kind"));
        html_text(out, json_text(k, "words"));
        text_add(out, "</button></td>");
        html_cell_number(out, json_number(k, "count"));
        html_cell_bar(out, json_number(k, "count"), count, "el1");
        html_cell_number(out, json_number(k, "insns"));
        html_cell_bar(out, json_number(k, "insns"), insns, "el2");
        html_cell_number(out, returned ? json_number(k, "insns") / returned : 0);
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
}

static void kinds_show(struct text *out, const json_t *run, const char *caption, bool intids)
{
    const u64 count = sum_of(run, "count");
    size_t n;
    json_t *k;
    if (!json_array_size(run)) {
        nothing(out, "There was none.");
        return;
    }
    html_table(out, caption,
               intids ? "#INTID|Guest|From|To|What, and by what|#Count|Share"
                      : "Guest|From|To|What|#Count|Share|#First at instruction");
    json_array_foreach((json_t *)(uintptr_t)run, n, k)
    {
        char guest[32];
        const json_t *intid = json_object_get(k, "intid");
        guest_words(guest, k);
        text_add(out, "<tr>");
        if (intids && json_integer_value(intid) >= 0)
            html_cell_number(out, (u64)json_integer_value(intid));
        else if (intids)
            text_add(out, "<td class=\"n\">-</td>");
        html_cell(out, guest);
        text_add(out, "<td>EL%llu</td><td>EL%llu</td>", (unsigned long long)json_number(k, "from"),
                 (unsigned long long)json_number(k, "to"));
        html_cell(out, json_text(k, "words"));
        html_cell_number(out, json_number(k, "count"));
        html_cell_bar(out, json_number(k, "count"), count, intids ? "el3" : "el1");
        if (!intids)
            html_cell_number(out, json_number(k, "first"));
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
}
void show_exceptions(struct text *out, const json_t *run) { kinds_show(out, run, "Exceptions", false); }
void show_interrupts(struct text *out, const json_t *run) { kinds_show(out, run, "Interrupts taken", true); }

/* ---- memory ---- */

static void size_words(char text[32], u64 size)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB" };
    unsigned n = 0;
    while (n < 3 && size >= 1024 && !(size & 1023))
        size >>= 10, n++;
    snprintf(text, 32, "%llu %s", (unsigned long long)size, units[n]);
}
static void size_cell(struct text *out, u64 size)
{
    char text[32];
    size_words(text, size);
    text_add(out, "<td class=\"n\" data-n=\"%llu\">%s</td>", (unsigned long long)size, text);
}

static void map_show(struct text *out, const json_t *list)
{
    size_t n;
    json_t *r;
    html_table(out, "Physical addresses", "From|#Size|What|Kind");
    json_array_foreach((json_t *)(uintptr_t)list, n, r)
    {
        char name[128];
        const u64 count = json_number(r, "count");
        snprintf(name, sizeof(name), count > 1 ? "%.80s, %llu of them" : "%.80s", json_text(r, "name"),
                 (unsigned long long)count);
        text_add(out, "<tr><td><code>");
        html_text(out, json_text(r, "base"));
        text_add(out, "</code></td>");
        size_cell(out, json_number(r, "size"));
        html_cell(out, name);
        html_cell(out, json_is_true(json_object_get(r, "secure")) ? "Secure"
                       : json_is_true(json_object_get(r, "ram"))  ? "RAM"
                                                                  : "device");
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
}

/* RAM as a strip for each guest: what stage 2 gives it. */
static u64 address_of(const json_t *o, const char *key) { return strtoull(json_text(o, key), NULL, 16); }
static void strip_show(struct text *out, const json_t *memory, const json_t *guest, unsigned ink)
{
    u64 base = 0, size = 0;
    size_t n;
    json_t *r;
    json_array_foreach((json_t *)(uintptr_t)json_list(memory, "map"), n, r) if (!strcmp(json_text(r, "name"), "ram"))
        base = address_of(r, "base"),
        size = json_number(r, "size");
    if (!size)
        return;
    text_add(
        out,
        "<svg class=\"strip\" viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"RAM from 0x%llx on: what this guest has of it\"><rect class=\"panel\" width=\"1000\" height=\"20\"/>",
        (unsigned long long)base);
    json_array_foreach((json_t *)(uintptr_t)json_list(guest, "ranges"), n, r)
    {
        const u64 pa = address_of(r, "pa"), length = json_number(r, "size");
        if (pa >= base && pa < base + size)
            text_add(out, "<rect class=\"vm%u\" x=\"%.2f\" width=\"%.2f\" height=\"20\"/>", ink,
                     (double)(pa - base) / (double)size * 1000,
                     (double)length / (double)size * 1000 < 0.5 ? 0.5 : (double)length / (double)size * 1000);
    }
    text_add(out, "</svg>\n");
}

static void guest_show(struct text *out, const json_t *memory, const json_t *guest, unsigned number)
{
    char words[32], caption[128];
    size_t n;
    json_t *r;
    guest_words(words, guest);
    text_add(out, "<h3>%s</h3>\n<p>Stage 2 table at <code>", words);
    html_text(out, json_text(guest, "root"));
    text_add(out, "</code>, entered ");
    html_number(out, json_number(guest, "entries"));
    text_add(out, " times.</p>\n");
    strip_show(out, memory, guest, number % 8);
    snprintf(caption, sizeof(caption), "Stage 2 of %s%s", words,
             json_is_true(json_object_get(guest, "more")) ? ", its first ranges" : "");
    html_table(out, caption, "IPA|Physical address|#Size|Rights|Memory type");
    json_array_foreach((json_t *)(uintptr_t)json_list(guest, "ranges"), n, r)
    {
        text_add(out, "<tr><td><code>");
        html_text(out, json_text(r, "ipa"));
        text_add(out, "</code></td><td><code>");
        html_text(out, json_text(r, "pa"));
        text_add(out, "</code></td>");
        size_cell(out, json_number(r, "size"));
        text_add(out, "<td><code>");
        html_text(out, json_text(r, "rights"));
        text_add(out, "</code></td>");
        html_cell(out, json_text(r, "type"));
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
}

void show_memory(struct text *out, const json_t *run)
{
    size_t n;
    json_t *g;
    map_show(out, json_list(run, "map"));
    json_array_foreach((json_t *)(uintptr_t)json_list(run, "guests"), n, g) guest_show(out, run, g, (unsigned)n);
}

/* ---- walks, pictures ---- */

/* SVG made by view/, which escapes what is in it. A page that is compared shows none. */
static void picture_show(struct text *out, const json_t *picture)
{
    static const char *const themes[] = { "light", "dark" };
    text_add(out, "<div class=\"picture scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Picture\">");
    for (unsigned n = 0; n < 2; n++) {
        const char *svg = strstr(json_text(picture, themes[n]), "<svg");
        text_add(out, "<div class=\"%s\">%s</div>", themes[n], svg ? svg : "");
    }
    text_add(out, "</div>\n");
}

void show_walks(struct text *out, const json_t *run)
{
    size_t n;
    json_t *w;
    json_array_foreach((json_t *)(uintptr_t)run, n, w)
    {
        text_add(out, "<h3>");
        html_text(out, json_text(w, "words"));
        text_add(out, "</h3>\n");
        if (json_object_get(w, "picture"))
            picture_show(out, json_object_get(w, "picture"));
        text_add(out, "<details><summary>In words</summary><pre tabindex=\"0\">");
        html_text(out, json_text(w, "text"));
        text_add(out, "</pre></details>\n");
    }
}

void show_views(struct text *out, const json_t *run)
{
    size_t n;
    json_t *v;
    json_array_foreach((json_t *)(uintptr_t)run, n, v)
    {
        text_add(out, "<h3>");
        html_text(out, json_text(v, "title"));
        text_add(out, "</h3>\n<p class=\"help\">");
        html_text(out, json_text(v, "help"));
        text_add(out, "</p>\n");
        picture_show(out, v);
    }
}

/* ---- consoles, CPUs ---- */

void show_consoles(struct text *out, const json_t *run)
{
    size_t n;
    json_t *p;
    if (!json_array_size(run))
        nothing(out, "Nothing was printed.");
    text_add(out, "<div class=\"tabs\">\n");
    json_array_foreach((json_t *)(uintptr_t)run, n, p)
    {
        text_add(out, "<div class=\"tab\"><h3>");
        html_text(out, json_text(p, "name"));
        text_add(out, " (");
        html_number(out, json_number(p, "bytes"));
        text_add(out, " bytes)</h3><pre class=\"console\" tabindex=\"0\">");
        html_text(out, json_text(p, "text"));
        if (json_number(p, "left_out")) {
            text_add(out, "\n<em>... ");
            html_number(out, json_number(p, "left_out"));
            text_add(out, " bytes are left out ...</em>\n");
            html_text(out, json_text(p, "tail"));
        }
        text_add(out, "</pre></div>\n");
    }
    text_add(out, "</div>\n");
}

static void registers_show(struct text *out, const json_t *cpu)
{
    size_t n;
    json_t *x;
    text_add(out, "<details><summary>Registers of CPU %llu</summary><ul class=\"registers\">",
             (unsigned long long)json_number(cpu, "cpu"));
    json_array_foreach((json_t *)(uintptr_t)json_list(cpu, "x"), n, x)
    {
        text_add(out, "<li><span>x%zu</span> <code>", n);
        html_text(out, json_string_value(x) ? json_string_value(x) : "");
        text_add(out, "</code></li>");
    }
    text_add(out, "<li><span>sp</span> <code>");
    html_text(out, json_text(cpu, "sp"));
    text_add(out, "</code></li><li><span>PSTATE</span> <code>");
    html_text(out, json_text(cpu, "pstate"));
    text_add(out, "</code></li></ul></details>\n");
}

void show_cpus(struct text *out, const json_t *run)
{
    size_t n;
    json_t *c;
    html_table(out, "CPUs", "#CPU|EL|Guest|pc|Place|What it does|#Instructions");
    json_array_foreach((json_t *)(uintptr_t)run, n, c)
    {
        const bool off = json_is_true(json_object_get(c, "off"));
        char guest[32], el[32];
        guest_words(guest, c);
        snprintf(el, sizeof(el), "EL%llu%s", (unsigned long long)json_number(c, "el"),
                 json_is_true(json_object_get(c, "secure")) ? ", Secure" : "");
        text_add(out, "<tr>");
        html_cell_number(out, json_number(c, "cpu"));
        html_cell(out, off ? "-" : el);
        html_cell(out, off ? "-" : guest);
        text_add(out, "<td><code>");
        html_text(out, off ? "-" : json_text(c, "pc"));
        text_add(out, "</code></td>");
        html_cell(out, off ? "" : json_text(c, "where"));
        html_cell(out, json_text(c, "how"));
        html_cell_number(out, json_number(c, "insns"));
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
    json_array_foreach((json_t *)(uintptr_t)run, n, c) if (!json_is_true(json_object_get(c, "off")))
        registers_show(out, c);
}

/* ---- coverage, profile ---- */

void show_coverage(struct text *out, const json_t *run)
{
    size_t n;
    json_t *f;
    html_table(out, "Coverage", "File|#Lines|#Executed|Share|#Functions called|#of|#Branches gone|#of");
    json_array_foreach((json_t *)(uintptr_t)run, n, f)
    {
        text_add(out, "<tr>");
        html_cell(out, json_text(f, "file"));
        html_cell_number(out, json_number(f, "lines"));
        html_cell_number(out, json_number(f, "hit"));
        html_cell_bar(out, json_number(f, "hit"), json_number(f, "lines"), "good");
        html_cell_number(out, json_number(f, "called"));
        html_cell_number(out, json_number(f, "functions"));
        html_cell_number(out, json_number(f, "taken"));
        html_cell_number(out, json_number(f, "branches"));
        text_add(out, "</tr>\n");
    }
    html_table_end(out);
}

enum { FLAME_WIDTH = 1200, FLAME_ROW = 20, FLAME_DEPTH = 100 };
static unsigned flame_depth(const json_t *frame, unsigned depth)
{
    unsigned most = depth;
    size_t n;
    json_t *f;
    json_array_foreach((json_t *)(uintptr_t)json_list(frame, "frames"), n, f)
    {
        const unsigned d = depth < FLAME_DEPTH ? flame_depth(f, depth + 1) : depth;
        most = d > most ? d : most;
    }
    return most;
}

static void flame_frame(struct text *out, const json_t *frame, double x, unsigned depth, double scale)
{
    const double width = (double)json_number(frame, "all") * scale;
    const size_t letters = (size_t)(width / 7.5);
    const char *name = json_text(frame, "name");
    char shown[200];
    size_t n;
    json_t *f;
    snprintf(shown, sizeof(shown), "%.*s", (int)(letters < sizeof(shown) - 1 ? letters : sizeof(shown) - 1), name);
    text_add(out, "<g><title>");
    html_text(out, name);
    text_add(out, ", ");
    html_number(out, json_number(frame, "all"));
    text_add(out, " instructions, of its own ");
    html_number(out, json_number(frame, "own"));
    text_add(out, "</title><rect class=\"%s\" x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\"/>",
             depth % 2 ? "vm1" : "vm5", x, depth * FLAME_ROW, width > 0.6 ? width - 0.5 : width, FLAME_ROW - 1);
    if (letters >= 3) {
        text_add(out, "<text x=\"%.2f\" y=\"%u\">", x + 3, depth * FLAME_ROW + 14);
        html_text(out, shown);
        text_add(out, "</text>");
    }
    text_add(out, "</g>\n");
    json_array_foreach((json_t *)(uintptr_t)json_list(frame, "frames"), n, f)
    {
        if (depth < FLAME_DEPTH)
            flame_frame(out, f, x, depth + 1, scale);
        x += (double)json_number(f, "all") * scale;
    }
}

void show_profile(struct text *out, const json_t *run)
{
    const u64 all = json_number(run, "all");
    if (!all) {
        nothing(out, "The profile is not in a file of its own, or empty.");
        return;
    }
    text_add(out,
             "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Flame graph\">"
             "<svg class=\"flame\" viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"Flame graph\">",
             FLAME_WIDTH, (flame_depth(run, 0) + 1) * FLAME_ROW);
    flame_frame(out, run, 0, 0, FLAME_WIDTH / (double)all);
    text_add(out, "</svg></div>\n");
}
