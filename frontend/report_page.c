/*
 * HTML of a page: its frame, and what its sections are made of. All that comes from the run goes through html_text or
 * through JSON in which no `<` stands, so that nothing of it is taken for markup; and the policy in its head lets the
 * page run one script, which it names by its hash, and fetch nothing at all.
 */
#include "frontend/report_internal.h"

#include "frontend/report_files.h"
#include "view/canvas.h"

#include <stdlib.h>

/* ---- text ---- */

void html_text(struct text *out, const char *text)
{
    for (const char *p = text; *p; p += *p != 0) {
        size_t plain = strcspn(p, "<>&\"'");
        text_bytes(out, p, plain);
        p += plain;
        switch (*p) {
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '&': text_add(out, "&amp;"); break;
        case '"': text_add(out, "&quot;"); break;
        case '\'': text_add(out, "&#39;"); break;
        default: return;
        }
    }
}

/* With a narrow space that does not break before each three digits. */
void html_number(struct text *out, u64 n)
{
    char digits[32];
    const int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    for (int k = 0; k < length; k++) {
        if (k && !((length - k) % 3))
            text_add(out, "&#8239;");
        text_bytes(out, &digits[k], 1);
    }
}

/* ---- what was gathered ---- */

const char *json_text(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}
u64 json_number(const json_t *o, const char *key)
{
    const json_int_t n = json_integer_value(json_object_get(o, key));
    return n < 0 ? 0 : (u64)n;
}
const json_t *json_list(const json_t *o, const char *key)
{
    const json_t *list = json_object_get(o, key);
    return json_is_array(list) ? list : NULL;
}

/* ---- tables ---- */

void html_table(struct text *out, const char *caption, const char *columns)
{
    text_add(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_text(out, caption);
    text_add(out, "\"><table><caption>");
    html_text(out, caption);
    text_add(out, "</caption><thead><tr>");
    for (size_t length; *columns; columns += length + (columns[length] == '|')) {
        char title[128];
        const bool number = *columns == '#';
        columns += number;
        length = strcspn(columns, "|");
        snprintf(title, sizeof(title), "%.*s", (int)length, columns);
        text_add(out, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        html_text(out, title);
        text_add(out, "</th>");
    }
    text_add(out, "</tr></thead><tbody>\n");
}
void html_table_end(struct text *out) { text_add(out, "</tbody></table></div>\n"); }

void html_cell(struct text *out, const char *text)
{
    text_add(out, "<td>");
    html_text(out, text);
    text_add(out, "</td>");
}
void html_cell_number(struct text *out, u64 n)
{
    text_add(out, "<td class=\"n\" data-n=\"%llu\">", (unsigned long long)n);
    html_number(out, n);
    text_add(out, "</td>");
}
void html_cell_bar(struct text *out, u64 n, u64 all, const char *ink)
{
    const double share = all ? (double)n / (double)all : 0, shown = share > 1 ? 1 : share;
    text_add(out,
             "<td class=\"bar\" data-n=\"%llu\"><svg class=\"bar\" viewBox=\"0 0 100 10\" "
             "preserveAspectRatio=\"none\" aria-hidden=\"true\">"
             "<rect class=\"%s\" width=\"%.2f\" height=\"10\"/></svg>&#32;%.*f&#8239;%%</td>",
             (unsigned long long)n, ink, shown * 100, share && share < 0.001 ? 3 : 1, share * 100);
}

/* ---- sections ---- */

static const struct {
    const char *name, *title, *help;
    void (*show)(struct text *out, const json_t *run);
} sections[] = {
#define SECTION(name, when, title, help) { #name, title, help, show_##name },
#include "frontend/report.def"
};

void page_run(struct text *out, const json_t *page)
{
    text_add(out, "<nav aria-label=\"Sections\"><ul>");
    for (unsigned n = 0; n < ARRAY_LEN(sections); n++)
        if (json_object_get(page, sections[n].name))
            text_add(out, "<li><a href=\"#%s\">%s</a></li>", sections[n].name, sections[n].title);
    text_add(out, "</ul></nav>\n<main id=\"main\">\n");
    for (unsigned n = 0; n < ARRAY_LEN(sections); n++) {
        const json_t *run = json_object_get(page, sections[n].name);
        if (!run)
            continue;
        text_add(
            out,
            "<section id=\"%s\" aria-labelledby=\"title-%s\"><h2 id=\"title-%s\">%s</h2><p class=\"help\">%s</p>\n",
            sections[n].name, sections[n].name, sections[n].name, sections[n].title, sections[n].help);
        sections[n].show(out, run);
        text_add(out, "</section>\n");
    }
    text_add(out, "</main>\n");
}

/* ---- the frame ---- */

/* Colours by their roles, the same as views have. */
static void colours(struct text *out)
{
    static const char *const names[] = {
#define INK(NAME, name, ...) name,
#include "view/ink.def"
    };
    for (unsigned dark = 0; dark < 2; dark++) {
        text_add(out, dark ? "@media screen and (prefers-color-scheme:dark){:root{" : ":root{color-scheme:light dark;");
        for (unsigned n = INK_NONE + 1; n < ARRAY_LEN(names); n++)
            text_add(out, "--%s:#%06x;", names[n], theme_colour(dark ? THEME_DARK : THEME_LIGHT, (enum ink)n));
        text_add(out, dark ? "}}\n" : "}\n");
    }
}

/* SCRIPT_SHA256 is make's: of frontend/report/page.js, in base 16. A policy has it in base 64. */
#ifndef SCRIPT_SHA256 /* whoever only looks at the source */
#define SCRIPT_SHA256 "0000000000000000000000000000000000000000000000000000000000000000"
#endif
static void script_hash(struct text *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    u8 hash[33] = { 0 };
    for (unsigned n = 0; n < 64; n++) {
        const char c = SCRIPT_SHA256[n];
        hash[n / 2] = (u8)(hash[n / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
    }
    for (unsigned n = 0; n < 43; n++) { /* 32 bytes are 43 digits and one `=` */
        const u32 two = (u32)hash[n * 6 / 8] << 8 | hash[n * 6 / 8 + 1];
        text_bytes(out, &digits[two >> (10 - n * 6 % 8) & 63], 1);
    }
    text_add(out, "=");
}

/* For a script element: no `<` that could end it. */
static void data_put(struct text *out, json_t *data)
{
    char *dump = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII);
    for (const char *p = dump ? dump : "null"; *p;) {
        const size_t plain = strcspn(p, "<");
        text_bytes(out, p, plain);
        p += plain;
        if (*p)
            text_add(out, "\\u003c"), p++;
    }
    free(dump);
}

void page_make(struct text *out, const char *title, const struct text *body, json_t *data)
{
    text_add(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" "
        "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-");
    script_hash(out);
    text_add(
        out,
        "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_text(out, title);
    text_add(out, "</title>\n<style>\n");
    colours(out);
    text_add(out, "%s", report_css);
    text_add(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n<header><h1>");
    html_text(out, title);
    text_add(out, "</h1></header>\n");
    text_bytes(out, body->s ? body->s : "", body->length);
    text_add(out, "<script type=\"application/json\" id=\"report\">");
    data_put(out, data);
    text_add(out, "</script>\n<script>");
    text_add(out, "%s", report_js);
    text_add(out, "</script>\n</body>\n</html>\n");
    out->failed |= body->failed;
    json_decref(data);
}
