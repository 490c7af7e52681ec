/* What a page has of the machine as it stands at the end of the run, and of what makes the run again. */
#include "frontend/report_internal.h"

#include "debug/file.h"
#include "debug/symbols.h"
#include "debug/trace/trace_internal.h"
#include "debug/walks.h"
#include "view/view.h"

#include <stdlib.h>
#include <xxhash.h>

enum { RANGES = 400 /* of a guest's stage 2 map */, STEPS = 1 << 20 /* walks to find them */ };

/* ---- the run ---- */

static const char *end_words(const struct run_end *end)
{
    static const char *const words[] = {
        [END_OFF] = "the guest switched the machine off",
        [END_RESET] = "the guest asked for a reset",
        [END_EXIT] = "the guest, or -until, ended the run",
        [END_INSNS] = "-max-insns was reached",
        [END_ASLEEP] = "all CPUs sleep and nothing is to come",
        [END_LOOP] = "an exception handler faults for ever",
        [END_REQUEST] = "it was ended from outside",
        [END_ERROR] = "the host failed",
    };
    return end->kind < ARRAY_LEN(words) && words[end->kind] ? words[end->kind] : "";
}

static void file_add(json_t *list, const char *option, const char *name)
{
    struct file_map map;
    char error[256];
    if (!name || file_is_stream(name) || !file_map(&map, name, error))
        return;
    json_array_append_new(list, json_pack("{s:s,s:o,s:I,s:o}", "option", option, "name", json_print("%s", name),
                                          "bytes", (json_int_t)map.size, "hash",
                                          json_print("%016llx", (unsigned long long)XXH3_64bits(map.bytes, map.size))));
    file_unmap(&map);
}

static json_t *files_json(const struct options *o)
{
    json_t *list = json_array();
    file_add(list, "-bios", o->bios ? option_file(o, o->bios) : NULL);
    file_add(list, "-kernel", o->kernel);
    file_add(list, "-initrd", o->initrd);
    file_add(list, "-dtb", o->dtb ? option_file(o, o->dtb) : NULL);
    for (unsigned n = 0; n < o->loader_count; n++)
        file_add(list, "-device loader", o->loader[n].file);
    for (unsigned n = 0; n < o->domain_count; n++) {
        file_add(list, o->domain[n].dom0 ? "-xen-dom0 kernel" : "-xen-domu kernel", o->domain[n].kernel);
        file_add(list, o->domain[n].dom0 ? "-xen-dom0 initrd" : "-xen-domu initrd", o->domain[n].initrd);
    }
    for (unsigned n = 0; n < o->drive_count; n++)
        if (o->drive[n].readonly || o->drive[n].snapshot) /* what the guest may have written is no input */
            file_add(list, "-drive", o->drive[n].file);
    file_add(list, "-restore", o->restore);
    file_add(list, "-replay", o->replay);
    return list;
}

/* Words of a shell's command line. */
static void word_add(struct text *t, const char *word)
{
    const bool plain =
        *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^")];
    text_add(t, "%s%s", t->length ? " " : "", plain ? "" : "'");
    for (; *word; word++)
        if (*word == '\'')
            text_add(t, "'\\''");
        else
            text_bytes(t, word, 1);
    text_add(t, "%s", plain ? "" : "'");
}

static json_t *command_json(const struct report *r)
{
    struct text t = { 0 };
    for (int n = 0; n < r->argc; n++)
        word_add(&t, r->argv[n]);
    json_t *j = json_words(t.s ? t.s : "", t.length);
    text_free(&t);
    return j;
}

json_t *gather_run(const struct gatherer *g)
{
    const struct machine_options *mo = &g->m->options;
    return json_pack("{s:o,s:s,s:o,s:i,s:I,s:i,s:b,s:b,s:I,s:I,s:I,s:s,s:o,s:o}", "command", command_json(g->r), "elmu",
                     version_words(), "model", json_print("%s", g->o->cpu), "cpus", (int)mo->cpu_count, "ram",
                     (json_int_t)mo->ram_size, "gic", (int)mo->gic_version, "el2", mo->virtualization != 0, "el3",
                     mo->secure != 0, "seed", (json_int_t)mo->seed, "insns", (json_int_t)machine_insns(g->m), "ns",
                     (json_int_t)g->m->now, "end", end_words(g->end), "said", json_print("%s", g->end->text), "files",
                     files_json(g->o));
}

/* ---- CPUs ---- */

json_t *gather_cpus(const struct gatherer *g)
{
    json_t *list = json_array();
    for (u32 n = 0; n < g->m->options.cpu_count; n++) {
        const struct cpu *cpu = &g->m->d.cpu[n];
        char how[512], where[256] = "-";
        stuck_where(g->m, cpu, how, sizeof(how));
        if (g->d->symbols)
            symbols_describe(g->d->symbols, cpu->pc, trace_place(cpu), where, sizeof(where));
        json_t *x = json_array();
        for (unsigned k = 0; k < 31; k++)
            json_array_append_new(x, json_print("0x%llx", (unsigned long long)cpu->x[k]));
        json_array_append_new(list,
                              json_pack("{s:i,s:b,s:i,s:b,s:i,s:o,s:o,s:o,s:I,s:o,s:o,s:o}", "cpu", (int)n, "off",
                                        cpu->halted == HALT_OFF, "el", cpu->ps.el, "secure", cpu_is_secure(cpu), "vmid",
                                        (int)cpu_guest(cpu), "pc", json_print("0x%llx", (unsigned long long)cpu->pc),
                                        "where", json_print("%s", strcmp(where, "-") ? where : ""), "how",
                                        json_print("%s", how), "insns", (json_int_t)cpu->insns, "x", x, "sp",
                                        json_print("0x%llx", (unsigned long long)cpu->x[REG_SP]), "pstate",
                                        json_print("0x%llx", (unsigned long long)cpu_spsr(cpu))));
    }
    return list;
}

/* ---- memory ---- */

static json_t *rows_json(const struct machine *m)
{
    json_t *list = json_array();
    for (unsigned n = 0; n < ROW_FUNCTIONS; n++) {
        const struct row *row = row_get(n);
        const u64 size = n == ROW_ram ? m->options.ram_size : row->size;
        if (!row_there(m, row) || !size)
            continue;
        const u64 bytes = size * (row->kind ? row_count(m, n) : 1);
        json_array_append_new(list, json_pack("{s:s,s:o,s:I,s:b,s:b,s:i}", "name", row->name, "base",
                                              json_print("0x%llx", (unsigned long long)row_address(m, n)), "size",
                                              (json_int_t)bytes, "ram", !row->kind, "secure", row_secure(m, row),
                                              "count", row->kind ? (int)row_count(m, n) : 1));
    }
    return list;
}

/* A stretch of IPAs that lead to one stretch of physical addresses with the same rights. */
struct range {
    u64 ipa, pa, size;
    u16 perm;
    u8 type;
};

static bool joins(const struct range *r, u64 ipa, const struct translation *t)
{
    return r->ipa + r->size == ipa && r->pa + r->size == t->pa && r->perm == t->perm && r->type == t->attrs.type;
}

/* What of stage 2 is mapped, in order. Returns how many; *more: there would have been more. */
static unsigned ranges_find(const struct regime_desc *r, struct range *out, bool *more)
{
    static const u8 granules[] = { 12, 16, 14, 12 };
    const unsigned granule = granules[FIELD_OF(r->vtcr, VTCR_TG0)],
                   bits_used = 64 - (unsigned)FIELD_OF(r->vtcr, VTCR_T0SZ);
    unsigned count = 0, steps = STEPS;
    for (u64 ipa = 0, size; bits_used < 64 && ipa < BIT(bits_used) && steps; ipa += size, steps--) {
        struct translation t;
        walk_stage2(r, ipa, !r->secure, (struct walk_access){ .debug = 1 }, NULL, &t);
        const int level = t.fault.level < 0 ? 0 : t.fault.level;
        size = BIT(t.ok ? t.size2_log2 : granule + (granule - 3) * (unsigned)(3 - level));
        size -= ipa & (size - 1);
        if (!t.ok)
            continue;
        if (count && joins(&out[count - 1], ipa, &t))
            out[count - 1].size += size;
        else if (count == RANGES)
            break;
        else
            out[count++] = (struct range){ ipa, t.pa, size, t.perm, t.attrs.type };
        *more = count == RANGES;
    }
    *more |= !steps;
    return count;
}

static json_t *guest_json(const struct vm_note *v)
{
    static struct range range[RANGES];
    json_t *list = json_array();
    bool more = false;
    const unsigned count = v->regime.stage2 ? ranges_find(&v->regime, range, &more) : 0;
    for (unsigned n = 0; n < count; n++) {
        const struct range *r = &range[n];
        json_array_append_new(
            list, json_pack("{s:o,s:o,s:I,s:o,s:s}", "ipa", json_print("0x%llx", (unsigned long long)r->ipa), "pa",
                            json_print("0x%llx", (unsigned long long)r->pa), "size", (json_int_t)r->size, "rights",
                            json_print("%c%c%c", r->perm & TLB_PR ? 'r' : '-', r->perm & TLB_PW ? 'w' : '-',
                                       r->perm & (TLB_PX | TLB_UX) ? 'x' : '-'),
                            "type", walks_type_words(r->type)));
    }
    return json_pack("{s:i,s:o,s:I,s:o,s:b}", "vmid", (int)v->vmid, "root",
                     json_print("0x%llx", (unsigned long long)v->root), "entries", (json_int_t)v->entries, "ranges",
                     list, "more", more);
}

json_t *gather_memory(const struct gatherer *g)
{
    json_t *guests = json_array();
    for (unsigned n = 0; n < VMS; n++)
        if (g->d->vm[n].used)
            json_array_append_new(guests, guest_json(&g->d->vm[n]));
    return json_pack("{s:o,s:o}", "map", rows_json(g->m), "guests", guests);
}

/* ---- walks, pictures ---- */

/* Both themes of a picture, or NULL. */
static json_t *picture_json(const struct gatherer *g, const char *view, const char *words)
{
    json_t *j = json_object();
    struct looker l = { .d = g->d, .timeline = g->t };
    for (enum theme theme = THEME_DARK; theme < THEMES; theme++) {
        struct view_picture p = { .view = view, .words = words, .theme = theme, .width = 1100 };
        struct text out = { 0 };
        char error[256];
        if (view_picture(&l, &p, &out, error))
            json_object_set_new(j, theme == THEME_DARK ? "dark" : "light", json_words(out.s ? out.s : "", out.length));
        text_free(&out);
    }
    if (json_object_size(j) == THEMES)
        return j;
    json_decref(j);
    return NULL;
}

/* "0x40080000 el=1 vmid=2" is the monitor's "walk 0x40080000 1 vmid=2". */
static json_t *walk_json(const struct gatherer *g, const char *words)
{
    char line[512], *el;
    struct text out = { 0 };
    snprintf(line, sizeof(line), "walk %.480s", words);
    if ((el = strstr(line, "el=")))
        memmove(el, el + 3, strlen(el + 3) + 1);
    monitor_run(g->d, line, &out);
    json_t *j =
        json_pack("{s:o,s:o}", "words", json_print("%s", words), "text", json_words(out.s ? out.s : "", out.length));
    json_t *picture = picture_json(g, "walk", words);
    if (picture)
        json_object_set_new(j, "picture", picture);
    text_free(&out);
    return j;
}

json_t *gather_walks(const struct gatherer *g)
{
    json_t *list = json_array();
    char words[512];
    for (const char *at = g->o->report_walk; at && *(at += strspn(at, "; "));) {
        size_t length = strcspn(at, ";");
        snprintf(words, sizeof(words), "%.*s", (int)(length < 500 ? length : 500), at);
        at += length;
        json_array_append_new(list, walk_json(g, words));
    }
    for (u32 n = 0; !g->o->report_walk && n < g->m->options.cpu_count && n < 4; n++) /* where each CPU stands */
        if (g->m->d.cpu[n].halted != HALT_OFF) {
            g->d->cpu = n;
            snprintf(words, sizeof(words), "0x%llx", (unsigned long long)g->m->d.cpu[n].pc);
            json_t *walk = walk_json(g, words);
            json_object_set_new(walk, "words", json_print("the pc of CPU %u, %s", n, words));
            json_array_append_new(list, walk);
        }
    return list;
}

json_t *gather_views(const struct gatherer *g)
{
    json_t *list = json_array();
    for (unsigned n = 0; view_get(n); n++) {
        json_t *picture = strcmp(view_get(n)->name, "walk") ? picture_json(g, view_get(n)->name, "") : NULL;
        if (!picture)
            continue;
        json_object_set_new(picture, "title", json_print("%s", view_get(n)->title));
        json_object_set_new(picture, "help", json_print("%s", view_get(n)->help));
        json_array_append_new(list, picture);
    }
    return list;
}

/* ---- consoles ---- */

static json_t *port_name(unsigned port)
{
    if (port == PORT_SEMIHOST)
        return json_string("semihosting");
    return port < row_ports() ? json_print("serial %u", port) : json_print("virtconsole %u", port - row_ports());
}

json_t *gather_consoles(const struct gatherer *g)
{
    json_t *list = json_array();
    for (unsigned n = 0; n < ALL_PORTS; n++) {
        const struct tape *t = &g->r->tape[n];
        const u64 head = t->bytes < TAPE_HEAD ? t->bytes : TAPE_HEAD, rest = t->bytes - head;
        const u64 kept = rest < TAPE_TAIL ? rest : TAPE_TAIL, from = rest > TAPE_TAIL ? rest % TAPE_TAIL : 0;
        if (!t->bytes)
            continue;
        u8 *all = malloc(head + kept + 1);
        if (!all)
            die("out of memory");
        memcpy(all, t->head, head);
        if (kept) {
            memcpy(all + head, t->tail + from, kept - from);
            memcpy(all + head + kept - from, t->tail, from);
        }
        const bool whole = rest <= TAPE_TAIL;
        json_t *port = json_pack("{s:o,s:I,s:I,s:o}", "name", port_name(n), "bytes", (json_int_t)t->bytes, "left_out",
                                 (json_int_t)(rest - kept), "text", json_console(all, whole ? head + kept : head));
        if (!whole)
            json_object_set_new(port, "tail", json_console(all + head, kept));
        json_array_append_new(list, port);
        free(all);
    }
    return list;
}
