/*
 * elmu report --compare A B -o C: a page of two runs, from the JSON that their pages hold. The pages may be anybody's:
 * whatever is in them is a value of some type or of none, nothing of it is markup, and pictures are not taken over.
 */
#define _GNU_SOURCE
#include "frontend/report_internal.h"

#include "debug/file.h"

#include <stdlib.h>

static const char mark[] = "<script type=\"application/json\" id=\"report\">";

static json_t *page_read(const char *name)
{
    struct file_map m;
    char error[256];
    json_error_t wrong;
    if (!file_map(&m, name, error))
        die("report --compare %s: %s", name, error);
    const u8 *from = m.size ? memmem(m.bytes, m.size, mark, sizeof(mark) - 1) : NULL;
    const u8 *text = from ? from + sizeof(mark) - 1 : NULL;
    const u8 *end = text ? memmem(text, m.size - (u64)(text - m.bytes), "</script>", 9) : NULL;
    if (!end)
        die("report --compare %s: is no page of elmu's", name);
    json_t *all = json_loadb((const char *)text, (size_t)(end - text), 0, &wrong);
    json_t *page = json_incref(json_array_get(all, 0));
    file_unmap(&m);
    if (json_array_size(all) != 1 || strcmp(json_text(page, "format"), REPORT_FORMAT))
        die("report --compare %s: is no page of one run", name);
    if (json_number(page, "version") != REPORT_VERSION)
        die("report --compare %s: is of version %llu, expected %d", name,
            (unsigned long long)json_number(page, "version"), REPORT_VERSION);
    json_decref(all);
    return page;
}

/* ---- runs ---- */

static void row_words(struct text *out, const char *what, const char *a, const char *b)
{
    text_add(out, strcmp(a, b) ? "<tr class=\"differs\">" : "<tr>");
    text_add(out, "<th scope=\"row\">%s</th>", what);
    html_cell(out, a);
    html_cell(out, b);
    html_cell(out, strcmp(a, b) ? "differs" : "");
    text_add(out, "</tr>\n");
}

static void difference(struct text *out, u64 a, u64 b)
{
    text_add(out, "<td class=\"n\" data-n=\"%lld\">", (long long)(b - a));
    if (a != b) {
        text_add(out, "%s", b > a ? "+" : "&#8722;");
        html_number(out, b > a ? b - a : a - b);
        if (a)
            text_add(out, " (%+.1f&#8239;%%)", ((double)b - (double)a) / (double)a * 100);
    }
    text_add(out, "</td>");
}

static void row_number(struct text *out, const char *what, u64 a, u64 b)
{
    text_add(out, a == b ? "<tr><th scope=\"row\">%s</th>" : "<tr class=\"differs\"><th scope=\"row\">%s</th>", what);
    html_cell_number(out, a);
    html_cell_number(out, b);
    difference(out, a, b);
    text_add(out, "</tr>\n");
}

static void runs_show(struct text *out, const json_t *a, const json_t *b)
{
    static const char *const words[][2] = { { "Command line", "command" },
                                            { "elmu", "elmu" },
                                            { "CPU model", "model" },
                                            { "End", "end" },
                                            { "Hash of all state", "hash" } },
                             *const numbers[][2] = { { "CPUs", "cpus" },
                                                     { "RAM, bytes", "ram" },
                                                     { "Seed", "seed" },
                                                     { "Instructions", "insns" },
                                                     { "Time of the machine, ns", "ns" },
                                                     { "Status", "status" } };
    html_table(out, "The runs", "What|A|B|Difference");
    for (unsigned n = 0; n < ARRAY_LEN(words); n++)
        row_words(out, words[n][0], json_text(a, words[n][1]), json_text(b, words[n][1]));
    for (unsigned n = 0; n < ARRAY_LEN(numbers); n++)
        row_number(out, numbers[n][0], json_number(a, numbers[n][1]), json_number(b, numbers[n][1]));
    html_table_end(out);
}

/* ---- exceptions ---- */

static bool kind_same(const json_t *a, const json_t *b)
{
    return json_integer_value(json_object_get(a, "vmid")) == json_integer_value(json_object_get(b, "vmid")) &&
           json_number(a, "from") == json_number(b, "from") && json_number(a, "to") == json_number(b, "to") &&
           !strcmp(json_text(a, "words"), json_text(b, "words"));
}

static const json_t *kind_find(const json_t *list, const json_t *kind)
{
    size_t n;
    json_t *k;
    json_array_foreach((json_t *)(uintptr_t)list, n, k) if (kind_same(k, kind)) return k;
    return NULL;
}

static void kind_row(struct text *out, const json_t *named, const json_t *a, const json_t *b)
{
    const long long vmid = json_integer_value(json_object_get(named, "vmid"));
    const u64 in_a = json_number(a, "count"), in_b = json_number(b, "count"), insns_a = json_number(a, "insns"),
              insns_b = json_number(b, "insns");
    text_add(out, in_a == in_b && insns_a == insns_b ? "<tr>" : "<tr class=\"differs\">");
    if (vmid >= 0)
        text_add(out, "<td>VMID %lld</td>", vmid);
    else
        html_cell(out, "none");
    text_add(out, "<td>EL%llu</td><td>EL%llu</td>", (unsigned long long)json_number(named, "from"),
             (unsigned long long)json_number(named, "to"));
    html_cell(out, json_text(named, "words"));
    html_cell_number(out, in_a);
    html_cell_number(out, in_b);
    difference(out, in_a, in_b);
    html_cell_number(out, insns_a);
    html_cell_number(out, insns_b);
    difference(out, insns_a, insns_b);
    text_add(out, "</tr>\n");
}

static void kinds_show(struct text *out, const json_t *a, const json_t *b)
{
    size_t n;
    json_t *k;
    html_table(out, "Exceptions by guest and cause",
               "Guest|From|To|What|#A|#B|#Difference|#Instructions until entry, A|#B|#Difference");
    json_array_foreach((json_t *)(uintptr_t)a, n, k) kind_row(out, k, k, kind_find(b, k));
    json_array_foreach((json_t *)(uintptr_t)b, n, k) if (!kind_find(a, k)) kind_row(out, k, NULL, k);
    html_table_end(out);
}

/* ---- consoles ---- */

static size_t line_end(const char *text, size_t at) { return at + strcspn(text + at, "\n"); }

static void line_show(struct text *out, const char *name, const char *text, size_t at)
{
    char line[400];
    snprintf(line, sizeof(line), "%.*s", (int)(line_end(text, at) - at < 390 ? line_end(text, at) - at : 390),
             text + at);
    text_add(out, "<p>%s: <code>", name);
    html_text(out, line);
    text_add(out, "</code></p>\n");
}

/* Where the texts part: the first line that is not the same, with those before it. */
static void console_show(struct text *out, const json_t *a, const json_t *b)
{
    const char *x = json_text(a, "text"), *y = json_text(b, "text");
    size_t same = 0, begin = 0, lines = 1;
    text_add(out, "<h3>");
    html_text(out, json_text(a ? a : b, "name"));
    text_add(out, "</h3>\n");
    while (x[same] && x[same] == y[same]) {
        if (x[same] == '\n')
            begin = same + 1, lines++;
        same++;
    }
    if (!strcmp(x, y) && !strcmp(json_text(a, "tail"), json_text(b, "tail"))) {
        text_add(out, "<p>Both printed the same.</p>\n");
        return;
    }
    text_add(out,
             !strcmp(x, y) ? "<p>They begin alike, and part in what was printed late.</p>\n"
                           : "<p>They part in line %zu:</p>\n",
             lines);
    if (strcmp(x, y)) {
        line_show(out, "A", x, begin);
        line_show(out, "B", y, begin);
    }
}

static const json_t *port_find(const json_t *list, const char *name)
{
    size_t n;
    json_t *p;
    json_array_foreach((json_t *)(uintptr_t)list, n, p) if (!strcmp(json_text(p, "name"), name)) return p;
    return NULL;
}

static void consoles_show(struct text *out, const json_t *a, const json_t *b)
{
    size_t n;
    json_t *p;
    json_array_foreach((json_t *)(uintptr_t)a, n, p) console_show(out, p, port_find(b, json_text(p, "name")));
    json_array_foreach((json_t *)(uintptr_t)b, n, p) if (!port_find(a, json_text(p, "name")))
        console_show(out, NULL, p);
}

/* ---- the page ---- */

static void section_begin(struct text *out, const char *name, const char *title)
{
    text_add(out, "<section id=\"%s\" aria-labelledby=\"title-%s\"><h2 id=\"title-%s\">%s</h2>\n", name, name, name,
             title);
}

/* What the script needs of a run, if it is of the types that it takes. */
static json_t *data_of(const json_t *page)
{
    return json_pack("{s:O*,s:O*}", "timeline", json_object_get(page, "timeline"), "exceptions",
                     json_object_get(page, "exceptions"));
}

static void body_make(struct text *out, const char *names[2], json_t *const page[2])
{
    text_add(
        out,
        "<nav aria-label=\"Sections\"><ul><li><a href=\"#run\">The runs</a></li><li><a href=\"#timeline\">Timelines</a></li><li><a "
        "href=\"#exceptions\">Exceptions</a></li><li><a href=\"#consoles\">Consoles</a></li></ul></nav>\n<main id=\"main\">\n");
    section_begin(out, "run", "The runs");
    for (unsigned n = 0; n < 2; n++) {
        text_add(out, "<p>%c: ", 'A' + n);
        html_text(out, names[n]);
        text_add(out, "</p>\n");
    }
    runs_show(out, json_object_get(page[0], "run"), json_object_get(page[1], "run"));
    text_add(out, "</section>\n");
    section_begin(out, "timeline", "Timelines");
    text_add(out, "<div class=\"pair\">");
    for (unsigned n = 0; n < 2; n++)
        text_add(out, "<div><h3>%c</h3><div class=\"timeline\" data-run=\"%u\" data-name=\"%c\"></div></div>", 'A' + n,
                 n, 'A' + n);
    text_add(out, "</div></section>\n");
    section_begin(out, "exceptions", "Exceptions");
    kinds_show(out, json_list(page[0], "exceptions"), json_list(page[1], "exceptions"));
    text_add(out, "</section>\n");
    section_begin(out, "consoles", "Consoles");
    consoles_show(out, json_list(page[0], "consoles"), json_list(page[1], "consoles"));
    text_add(out, "</section>\n</main>\n");
}

int report_compare(const char *a, const char *b, const char *to)
{
    const char *names[2] = { a, b };
    json_t *page[2] = { page_read(a), page_read(b) };
    struct text body = { 0 }, out = { 0 };
    body_make(&body, names, page);
    page_make(&out, "Two runs compared", &body, json_pack("[o,o]", data_of(page[0]), data_of(page[1])));
    if (out.failed)
        die("out of memory");
    file_write(to, out.s, out.length);
    text_free(&body);
    text_free(&out);
    json_decref(page[0]);
    json_decref(page[1]);
    return 0;
}
