/*
 * The gdb stub: the loop between client and machine, running and stopping. Packets are rows of gdb_packet.def.
 * Leaves out: non-stop mode, multiprocess, host I/O, tracepoints; agent expressions (gdb evaluates conditions itself).
 */
#include "debug/gdb/gdb_internal.h"

#include "debug/regs.h"
#include "debug/reverse.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIGNAL_TRAP = 5, SIGNAL_INT = 2, WAIT_MS = 200 };

void gdb_restarted(struct gdb *g)
{
    gdb_changed(g);
    stops_moved_all(&g->d.stops);
}

/* ---- stopping ---- */

static void select_cpu(struct gdb *g, u32 cpu) { g->cpu_g = g->cpu_c = g->d.cpu = cpu; }

static void stop_reply(struct gdb *g, int signal, const char *what)
{
    char text[96];
    snprintf(text, sizeof(text), "T%02xthread:%x;%s", signal, g->cpu_g + 1, what);
    gdb_answer(g, text);
    g->wanted = false;
}

/* Text on the client's console. */
static void console(struct gdb *g, const char *text)
{
    text_clear(&g->out);
    text_add(&g->out, "O");
    text_hex(&g->out, text, strlen(text));
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

static void hit_reply(struct gdb *g, const struct stop_hit *h)
{
    static const char *const names[] = { [ON_WRITE] = "watch", [ON_READ] = "rwatch", [ON_ACCESS] = "awatch" };
    char what[64] = "";
    select_cpu(g, h->cpu);
    if (h->point && h->point->gdb && h->point->what >= ON_WRITE && h->point->what <= ON_ACCESS)
        snprintf(what, sizeof(what), "%s:%llx;", names[h->point->what], (unsigned long long)h->addr);
    if (h->point && !h->point->gdb) {
        char text[256];
        snprintf(text, sizeof(text), "stop %u%s%s\n", h->point->number, h->text[0] ? ": " : "", h->text);
        console(g, text);
    }
    stop_reply(g, SIGNAL_TRAP, what);
}

void packet_why(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    stop_reply(g, SIGNAL_TRAP, "");
}

/* ---- running ---- */

static void go(struct gdb *g, u32 step_cpu)
{
    stops_resume(&g->d.stops, g->cpu_c);
    stops_step(&g->d.stops, step_cpu);
    g->running = g->wanted = true;
    g->range_from = g->range_to = 0;
}

/* c and s may give an address to go on at: the last number. */
static void jump(struct gdb *g, const struct gdb_args *a)
{
    u64 pc = a->n[a->count - 1];
    if (pc != g->d.m->d.cpu[g->cpu_c].pc) {
        regs_write(&g->d.m->d.cpu[g->cpu_c], REG_PC_NUM, (const u8 *)&pc, 8);
        gdb_changed(g);
    }
    stops_moved(&g->d.stops, g->cpu_c);
}

void packet_continue(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    go(g, ~0u);
}
void packet_continue_at(struct gdb *g, const struct gdb_args *a)
{
    jump(g, a);
    go(g, ~0u);
}

void packet_step(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    go(g, g->cpu_c);
}
void packet_step_at(struct gdb *g, const struct gdb_args *a)
{
    jump(g, a);
    go(g, g->cpu_c);
}

void packet_vcont_ask(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "vCont;c;C;s;S;r");
}

/* One action of vCont, which ends with a 0. False: it is none. */
static bool action_parse(struct gdb *g, char *action, struct gdb_args *a)
{
    static const struct {
        char letter;
        const char *shape;
    } actions[] = { { 'c', "" }, { 'C', "#" }, { 's', "" }, { 'S', "#" }, { 'r', "#,#" } };
    struct gdb_args thread = { .cpu = NO_CPU };
    char *colon = strchr(action, ':');
    if (colon && !gdb_parse(g, "t", colon + 1, (unsigned)strlen(colon + 1), &thread))
        return false;
    if (colon)
        *colon = 0;
    for (unsigned n = 0; n < ARRAY_LEN(actions); n++)
        if (action[0] == actions[n].letter &&
            gdb_parse(g, actions[n].shape, action + 1, (unsigned)strlen(action + 1), a)) {
            a->cpu = thread.cpu;
            return true;
        }
    return false;
}

/* The first action that steps decides; otherwise all continue. */
void packet_vcont(struct gdb *g, const struct gdb_args *args)
{
    struct gdb_args a, stepping = { .count = 0 };
    char how = 0;
    for (char *p = args->rest, *next; p; p = next) {
        next = strchr(p, ';');
        if (next)
            *next++ = 0;
        if (!action_parse(g, p, &a)) {
            gdb_answer(g, "E22");
            return;
        }
        if (!how && strchr("sSr", p[0]))
            how = p[0], stepping = a;
    }
    if (how && stepping.cpu != NO_CPU)
        g->cpu_c = stepping.cpu;
    go(g, how ? g->cpu_c : ~0u);
    if (how == 'r')
        g->range_from = stepping.n[0], g->range_to = stepping.n[1];
}

/* On a long way back: has the client something to say? A packet waits until the machine stands. */
static bool break_wanted(void *ctx)
{
    struct gdb *g = ctx;
    if (g->have_packet || g->left || (g->interrupted && g->interrupted()))
        return true;
    switch (gdb_link_next(&g->link, 0)) {
    case GDB_CLOSED: g->left = true; return true;
    case GDB_HAVE_PACKET: g->have_packet = true; return true;
    case GDB_BREAK: return true;
    default: return false;
    }
}

static void go_back(struct gdb *g, unsigned how)
{
    if (!g->d.reverse) {
        gdb_answer(g, "E22");
        return;
    }
    bool found = reverse_back(g->d.reverse, &g->d.stops, g->cpu_c, how == GO_BACK_STEP);
    if (found)
        hit_reply(g, &g->d.stops.pending);
    else if (reverse_broken(g->d.reverse))
        stop_reply(g, SIGNAL_INT, "");
    else
        stop_reply(g, SIGNAL_TRAP, "replaylog:begin;");
}
void packet_reverse_step(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    go_back(g, GO_BACK_STEP);
}
void packet_reverse_continue(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    go_back(g, GO_BACK);
}

void packet_detach(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "OK");
    gdb_link_drop(&g->link);
    memset(g->d.stops.point, 0, sizeof(g->d.stops.point)); /* the monitor's, too: nobody would let it run again */
    stops_changed(&g->d.stops);
    stops_resume(&g->d.stops, g->cpu_c);
    stops_step(&g->d.stops, ~0u);
    g->running = true;
    g->wanted = false;
}

void packet_kill(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    g->killed = true;
}
void packet_vkill(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "OK");
    g->killed = true;
}

static void packet_do(struct gdb *g)
{
    static const struct {
        const char *name, *arguments;
        gdb_packet_fn *handler;
    } rows[] = {
#define PACKET(name, arguments, handler) { name, arguments, handler },
#include "debug/gdb/gdb_packet.def"
    };
    char *p = g->link.packet;
    bool known = false;
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        unsigned name = (unsigned)strlen(rows[n].name);
        struct gdb_args a;
        if (g->link.length < name || memcmp(p, rows[n].name, name))
            continue;
        if (gdb_parse(g, rows[n].arguments, p + name, g->link.length - name, &a)) {
            rows[n].handler(g, &a);
            return;
        }
        known |= rows[n].arguments[0] != 0; /* else more follows where nothing may: another packet's name */
    }
    gdb_answer(g, known ? "E22" : "");
}

/* ---- the loop ---- */

/* The client is gone: its breakpoints go; a machine that runs goes on, one that stands waits for the next client. */
static void client_left(struct gdb *g)
{
    gdb_points_forget(g);
    g->wanted = false;
    g->d.physical = false;
}

void gdb_poll(struct gdb *g)
{
    if (!g->running || g->have_packet)
        return;
    switch (gdb_link_next(&g->link, 0)) {
    case GDB_CLOSED: client_left(g); return;
    case GDB_NOTHING: return;
    case GDB_HAVE_PACKET: g->have_packet = true; break;
    default: break;
    }
    g->asked = true;
    machine_end(g->d.m, END_REQUEST, 0, "");
}

/* One packet or event while the machine stands. */
static void serve(struct gdb *g)
{
    if (g->left) {
        g->left = g->have_packet = false;
        client_left(g);
    }
    if (g->have_packet) {
        g->have_packet = false;
        packet_do(g);
        return;
    }
    switch (gdb_link_next(&g->link, WAIT_MS)) {
    case GDB_CLOSED: client_left(g); break;
    case GDB_HAVE_PACKET: packet_do(g); break;
    default: break;
    }
}

static struct run_end machine_go(struct gdb *g, u64 limit)
{
    return g->d.reverse ? reverse_run(g->d.reverse, limit) : machine_run(g->d.m, limit);
}

/* The machine came back: whom does it concern? True: the caller. */
static bool came_back(struct gdb *g, const struct run_end *end)
{
    struct stops *s = &g->d.stops;
    if (end->kind == END_REQUEST && s->pending.hit) {
        u64 pc = g->d.m->d.cpu[s->pending.cpu].pc;
        if (!s->pending.point && pc - g->range_from < g->range_to - g->range_from) {
            u64 from = g->range_from, to = g->range_to;
            go(g, s->pending.cpu);
            g->range_from = from, g->range_to = to;
            return false;
        }
        g->running = false;
        hit_reply(g, &s->pending);
        return false;
    }
    if (g->asked) {
        g->asked = g->running = false;
        select_cpu(g, g->d.m->turn);
        if (g->wanted)
            stop_reply(g, SIGNAL_INT, "");
        return false;
    }
    bool stuck = end->kind == END_ASLEEP || end->kind == END_LOOP;
    if (!stuck || g->link.fd < 0)
        return true;
    g->running = false;
    console(g, end->text);
    console(g, "\n");
    select_cpu(g, g->d.m->turn);
    stop_reply(g, SIGNAL_TRAP, "");
    return false;
}

struct run_end gdb_run(struct gdb *g, u64 limit)
{
    struct run_end end = { .kind = END_REQUEST };
    while (!g->killed) {
        if (g->interrupted && g->interrupted()) {
            end.status = 130;
            snprintf(end.text, sizeof(end.text), "interrupted");
            return end;
        }
        if (!g->running && g->standing && g->standing(g->standing_ctx))
            return end;
        if (!g->running) {
            serve(g);
            continue;
        }
        struct run_end came = machine_go(g, limit);
        if (came_back(g, &came))
            return came;
    }
    return end;
}

struct gdb *gdb_open(struct machine *m, const char *where, bool stopped, char error[256])
{
    struct gdb *g = calloc(1, sizeof(*g));
    snprintf(error, 256, "out of memory");
    if (!g)
        return NULL;
    if (!gdb_link_open(&g->link, where, error)) {
        free(g);
        return NULL;
    }
    debugger_init(&g->d, m);
    g->d.reverse = reverse_create(m);
    if (g->d.reverse)
        reverse_set_break(g->d.reverse, break_wanted, g);
    g->running = !stopped;
    return g;
}

void gdb_set_interrupted(struct gdb *g, bool (*interrupted)(void)) { g->interrupted = interrupted; }

void gdb_set_standing(struct gdb *g, bool (*standing)(void *ctx), void *ctx)
{
    g->standing = standing;
    g->standing_ctx = ctx;
}

struct debugger *gdb_debugger(struct gdb *g) { return &g->d; }

bool gdb_stands(const struct gdb *g) { return !g->running; }

void gdb_halt(struct gdb *g)
{
    if (g->running && g->wanted) {
        select_cpu(g, g->d.m->turn);
        stop_reply(g, SIGNAL_INT, "");
    }
    g->running = false;
}

void gdb_go(struct gdb *g)
{
    if (g->running)
        return;
    go(g, ~0u);
    g->wanted = false;
}

void gdb_set_symbols(struct gdb *g, const struct symbols *symbols) { g->d.symbols = symbols; }

void gdb_fds(const struct gdb *g, int fds[2])
{
    fds[0] = g->link.listener;
    fds[1] = g->link.fd;
}

void gdb_close(struct gdb *g, int status)
{
    char text[8];
    snprintf(text, sizeof(text), "W%02x", status & 0xff);
    if (g->link.fd >= 0 && (g->wanted || g->killed))
        gdb_answer(g, text);
    if (g->d.reverse)
        reverse_destroy(g->d.reverse);
    debugger_end(&g->d);
    gdb_link_close(&g->link);
    text_free(&g->xml);
    text_free(&g->out);
    free(g);
}
