/*
 * The gdb stub: packets of gdb_packet.def, and the loop between client and machine.
 * Leaves out: non-stop mode, multiprocess, host I/O, tracepoints; agent expressions (gdb evaluates conditions itself).
 */
#include "debug/gdb.h"

#include "cpu/exception.h"
#include "debug/gdb_link.h"
#include "debug/regs.h"
#include "debug/reverse.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIGNAL_TRAP = 5, SIGNAL_INT = 2, WAIT_MS = 200, REPLY_HEX = GDB_PACKET / 2 - 8 };

struct gdb {
    struct debugger d;
    struct gdb_link link;
    bool (*interrupted)(void);
    struct text xml, out;
    u32 cpu_g, cpu_c;     /* PE of register and memory packets; of c and s */
    bool running, wanted; /* wanted: the client waits for a stop reply */
    bool asked;           /* it connected, interrupted or sent something: stop */
    bool have_packet;     /* it came while the machine ran */
    bool killed, reversing;
    u64 range_from, range_to; /* vCont;r */
    enum { GO_NOT, GO_BACK_STEP, GO_BACK } back;
};

/* ---- answers ---- */

static void answer(struct gdb *g, const char *text) { gdb_link_send(&g->link, text, strlen(text)); }
static void packet_ok(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "OK");
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A hex number at *p; moves *p behind it. False: there is none, or more than 16 digits. */
static bool number(char **p, u64 *value)
{
    unsigned count = 0;
    for (*value = 0; digit(**p) >= 0; ++*p, count++)
        *value = *value << 4 | (u64)digit(**p);
    return count >= 1 && count <= 16;
}

static bool expect(char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

/* Bytes from pairs of hex digits, up to `size`; returns how many. */
static unsigned unhex(const char *s, u8 *out, unsigned size)
{
    unsigned n = 0;
    for (; n < size && digit(s[2 * n]) >= 0 && digit(s[2 * n + 1]) >= 0; n++)
        out[n] = (u8)(digit(s[2 * n]) << 4 | digit(s[2 * n + 1]));
    return n;
}

static void changed(struct gdb *g)
{
    if (g->d.reverse)
        reverse_changed(g->d.reverse);
}

void gdb_restarted(struct gdb *g) { changed(g); }

/* ---- registers ---- */

static struct cpu *current(struct gdb *g) { return &g->d.m->d.cpu[g->cpu_g]; }

static void packet_read_all(struct gdb *g, char *args, unsigned length)
{
    u8 bytes[16];
    (void)args, (void)length;
    text_clear(&g->out);
    for (unsigned n = 0; n < REG_SYS; n++)
        text_hex(&g->out, bytes, regs_read(current(g), n, bytes));
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

static void packet_write_all(struct gdb *g, char *args, unsigned length)
{
    u8 bytes[16], old[16];
    bool ok = true;
    unsigned at = 0;
    for (unsigned n = 0; n < REG_SYS && ok; n++) {
        unsigned size = regs_read(current(g), n, old);
        if (at + 2 * size > length || unhex(args + at, bytes, size) != size)
            break;
        at += 2 * size;
        ok = !memcmp(old, bytes, size) || regs_write(current(g), n, bytes, size);
    }
    changed(g);
    answer(g, ok && at ? "OK" : "E22");
}

static void packet_read_one(struct gdb *g, char *args, unsigned length)
{
    u64 n;
    u8 bytes[16];
    (void)length;
    unsigned size = number(&args, &n) && n < 0x10000 ? regs_read(current(g), (unsigned)n, bytes) : 0;
    text_clear(&g->out);
    text_hex(&g->out, bytes, size);
    if (size)
        gdb_link_send(&g->link, g->out.s, g->out.length);
    else
        answer(g, "E14");
}

static void packet_write_one(struct gdb *g, char *args, unsigned length)
{
    u64 n;
    u8 bytes[16];
    (void)length;
    bool ok = number(&args, &n) && n < 0x10000 && expect(&args, '=');
    unsigned size = ok ? unhex(args, bytes, 16) : 0;
    ok = size && regs_write(current(g), (unsigned)n, bytes, size);
    if (ok)
        changed(g);
    answer(g, ok ? "OK" : "E22");
}

/* ---- memory ---- */

static void packet_read_memory(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    u8 bytes[REPLY_HEX];
    (void)length;
    if (!number(&args, &addr) || !expect(&args, ',') || !number(&args, &size)) {
        answer(g, "E22");
        return;
    }
    size_t got = debugger_read(&g->d, addr, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
    text_clear(&g->out);
    text_hex(&g->out, bytes, got);
    if (got || !size)
        gdb_link_send(&g->link, got ? g->out.s : "", g->out.length);
    else
        answer(g, "E14");
}

static void write_memory(struct gdb *g, u64 addr, const u8 *bytes, u64 size)
{
    bool ok = debugger_write(&g->d, addr, bytes, size);
    if (ok && size)
        changed(g);
    answer(g, ok ? "OK" : "E14");
}

static void packet_write_memory(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    u8 bytes[REPLY_HEX];
    (void)length;
    if (!number(&args, &addr) || !expect(&args, ',') || !number(&args, &size) || !expect(&args, ':') ||
        size > sizeof(bytes) || unhex(args, bytes, (unsigned)size) != size)
        answer(g, "E22");
    else
        write_memory(g, addr, bytes, size);
}

/* Binary: 0x7d escapes, the next byte is xor 0x20. */
static void packet_write_binary(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    char *end = args + length;
    static u8 bytes[GDB_PACKET];
    unsigned got = 0;
    if (!number(&args, &addr) || !expect(&args, ',') || !number(&args, &size) || !expect(&args, ':') ||
        size > sizeof(bytes)) {
        answer(g, "E22");
        return;
    }
    for (; args < end && got < sizeof(bytes); args++)
        bytes[got++] = *args == 0x7d && args + 1 < end ? (u8)(*++args ^ 0x20) : (u8)*args;
    if (got != size)
        answer(g, "E22");
    else
        write_memory(g, addr, bytes, size);
}

static void packet_physical_ask(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, g->d.physical ? "1" : "0");
}

static void packet_physical(struct gdb *g, char *args, unsigned length)
{
    g->d.physical = length && args[0] == '1';
    answer(g, "OK");
}

/* ---- points ---- */

static const u8 point_kinds[] = { ON_INSN, ON_INSN, ON_WRITE, ON_READ, ON_ACCESS }; /* Z0 to Z4 */

static bool point_parse(char *args, u8 *what, u64 *addr, u64 *size)
{
    u64 kind;
    if (!number(&args, &kind) || kind >= ARRAY_LEN(point_kinds) || !expect(&args, ',') || !number(&args, addr) ||
        !expect(&args, ',') || !number(&args, size))
        return false;
    *what = point_kinds[kind];
    if (*what == ON_INSN || !*size)
        *size = 1;
    return true;
}

static struct stop_point *point_find(struct gdb *g, u8 what, u64 addr, u64 size)
{
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        struct stop_point *p = &g->d.stops.point[n];
        if (p->used && p->gdb && p->what == what && p->addr == addr && p->size == size)
            return p;
    }
    return NULL;
}

static void packet_insert(struct gdb *g, char *args, unsigned length)
{
    u8 what;
    u64 addr, size;
    (void)length;
    if (!point_parse(args, &what, &addr, &size)) {
        answer(g, "E22");
        return;
    }
    struct stop_point *p = point_find(g, what, addr, size);
    if (!p && (p = stops_new(&g->d.stops))) {
        p->gdb = true;
        p->what = what;
        p->addr = addr;
        p->size = size;
        p->space = g->d.physical && what != ON_INSN ? SPACE_PA : SPACE_VA;
        stops_changed(&g->d.stops);
    }
    answer(g, p ? "OK" : "E28");
}

static void packet_remove(struct gdb *g, char *args, unsigned length)
{
    u8 what;
    u64 addr, size;
    (void)length;
    struct stop_point *p = point_parse(args, &what, &addr, &size) ? point_find(g, what, addr, size) : NULL;
    if (p) {
        p->used = false;
        stops_changed(&g->d.stops);
    }
    answer(g, "OK");
}

static void points_forget(struct gdb *g)
{
    for (unsigned n = 0; n < MAX_STOPS; n++)
        if (g->d.stops.point[n].gdb)
            g->d.stops.point[n].used = false;
    stops_changed(&g->d.stops);
}

/* ---- threads ---- */

/* Thread ids: cpu + 1; 0 and -1 mean any. False: no such thread. */
static bool thread_parse(struct gdb *g, char *args, u32 *cpu)
{
    u64 n;
    if (args[0] == '-')
        return true;
    if (!number(&args, &n) || n > g->d.m->cpu_count)
        return false;
    if (n)
        *cpu = (u32)n - 1;
    return true;
}

static void packet_thread(struct gdb *g, char *args, unsigned length)
{
    bool ok = length >= 2 && thread_parse(g, args + 1, args[0] == 'c' ? &g->cpu_c : &g->cpu_g);
    g->d.cpu = g->cpu_g;
    answer(g, ok ? "OK" : "E22");
}

static void packet_alive(struct gdb *g, char *args, unsigned length)
{
    u32 cpu;
    (void)length;
    answer(g, thread_parse(g, args, &cpu) ? "OK" : "E22");
}

static void packet_threads(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    text_clear(&g->out);
    for (u32 n = 0; n < g->d.m->cpu_count; n++)
        text_add(&g->out, "%c%x", n ? ',' : 'm', n + 1);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

static void packet_threads_end(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "l");
}

static void packet_thread_text(struct gdb *g, char *args, unsigned length)
{
    static const char *const how[] = { "runs", "waits (WFI)", "waits (WFE)", "off" };
    u32 n = 0;
    char text[64];
    (void)length;
    if (!thread_parse(g, args, &n)) {
        answer(g, "E22");
        return;
    }
    const struct cpu *cpu = &g->d.m->d.cpu[n];
    int size = snprintf(text, sizeof(text), "cpu%u EL%u, %s", n, cpu->ps.el, how[cpu->halted & 3]);
    text_clear(&g->out);
    text_hex(&g->out, text, (size_t)size);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

static void packet_current(struct gdb *g, char *args, unsigned length)
{
    char text[16];
    (void)args, (void)length;
    snprintf(text, sizeof(text), "QC%x", g->cpu_g + 1);
    answer(g, text);
}

static void packet_attached(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "1");
}

/* ---- stopping ---- */

static void select_cpu(struct gdb *g, u32 cpu) { g->cpu_g = g->cpu_c = g->d.cpu = cpu; }

static void stop_reply(struct gdb *g, int signal, const char *what)
{
    char text[96];
    snprintf(text, sizeof(text), "T%02xthread:%x;%s", signal, g->cpu_g + 1, what);
    answer(g, text);
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

static void packet_why(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
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

/* c and s may give an address to go on at. */
static void jump(struct gdb *g, char *args)
{
    u64 pc;
    if (number(&args, &pc) && pc != g->d.m->d.cpu[g->cpu_c].pc) {
        regs_write(&g->d.m->d.cpu[g->cpu_c], REG_PC_NUM, (const u8 *)&pc, 8);
        changed(g);
    }
}

static void packet_continue(struct gdb *g, char *args, unsigned length)
{
    (void)length;
    jump(g, args);
    go(g, ~0u);
}

static void packet_step(struct gdb *g, char *args, unsigned length)
{
    (void)length;
    jump(g, args);
    go(g, g->cpu_c);
}

static char *after_signal(char *args)
{
    char *semicolon = strchr(args, ';');
    return semicolon ? semicolon + 1 : args + strlen(args);
}
static void packet_continue_signal(struct gdb *g, char *args, unsigned length)
{
    packet_continue(g, after_signal(args), length);
}
static void packet_step_signal(struct gdb *g, char *args, unsigned length)
{
    packet_step(g, after_signal(args), length);
}

static void packet_vcont_ask(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "vCont;c;C;s;S;r");
}

/* The first action that steps decides; otherwise all continue. */
static void packet_vcont(struct gdb *g, char *args, unsigned length)
{
    u64 from = 0, to = 0;
    (void)length;
    if (args[0] != ';') {
        answer(g, "E22");
        return;
    }
    for (char *p = args; p && *p; p = strchr(p + 1, ';')) {
        char *colon = strchr(p, ':'), *next = strchr(p + 1, ';'), *at = p + 2;
        u32 cpu = g->cpu_c;
        if (p[1] != 's' && p[1] != 'S' && p[1] != 'r')
            continue;
        if (colon && (!next || colon < next) && !thread_parse(g, colon + 1, &cpu)) {
            answer(g, "E22");
            return;
        }
        bool range = p[1] == 'r' && number(&at, &from) && expect(&at, ',') && number(&at, &to);
        g->cpu_c = cpu;
        go(g, cpu);
        if (range)
            g->range_from = from, g->range_to = to;
        return;
    }
    go(g, ~0u);
}

static void go_back(struct gdb *g, unsigned how)
{
    if (!g->d.reverse) {
        answer(g, "E22");
        return;
    }
    bool found = reverse_back(g->d.reverse, &g->d.stops, g->cpu_c, how == GO_BACK_STEP);
    if (found)
        hit_reply(g, &g->d.stops.pending);
    else
        stop_reply(g, SIGNAL_TRAP, "replaylog:begin;");
}
static void packet_reverse_step(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    go_back(g, GO_BACK_STEP);
}
static void packet_reverse_continue(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    go_back(g, GO_BACK);
}

static void packet_detach(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "OK");
    gdb_link_drop(&g->link);
    points_forget(g);
    stops_resume(&g->d.stops, g->cpu_c);
    stops_step(&g->d.stops, ~0u);
    g->running = true;
    g->wanted = false;
}

static void packet_kill(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    g->killed = true;
}
static void packet_vkill(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "OK");
    g->killed = true;
}

/* ---- queries ---- */

static void packet_supported(struct gdb *g, char *args, unsigned length)
{
    char text[256];
    (void)args, (void)length;
    snprintf(text, sizeof(text), "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+%s", GDB_PACKET,
             g->d.reverse ? ";ReverseStep+;ReverseContinue+" : "");
    answer(g, text);
}

/* annex:offset,length */
static void packet_features(struct gdb *g, char *args, unsigned length)
{
    u64 offset, size;
    char *at = args;
    (void)length;
    if (strncmp(args, "target.xml:", 11) || (at += 11, !number(&at, &offset)) || !expect(&at, ',') ||
        !number(&at, &size)) {
        answer(g, "E00");
        return;
    }
    if (!g->xml.length)
        regs_xml(&g->d.m->d.cpu[0], &g->xml);
    u64 left = offset < g->xml.length ? g->xml.length - offset : 0, part = size < left ? size : left;
    part = part < GDB_PACKET - 1 ? part : GDB_PACKET - 1;
    text_clear(&g->out);
    text_add(&g->out, "%c", part < left ? 'm' : 'l');
    text_bytes(&g->out, g->xml.s + offset * (left != 0), part); /* the description holds no character to escape */
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

static void packet_monitor(struct gdb *g, char *args, unsigned length)
{
    static char line[GDB_PACKET / 2 + 1];
    struct text said = { 0 };
    unsigned n = unhex(args, (u8 *)line, length / 2);
    line[n] = 0;
    g->d.cpu = g->cpu_g;
    if (monitor_run(&g->d, line, &said)) {
        g->cpu_g = g->cpu_c = g->d.cpu;
    }
    for (size_t at = 0; at < said.length; at += 2000) {
        size_t part = said.length - at < 2000 ? said.length - at : 2000;
        text_clear(&g->out);
        text_add(&g->out, "O");
        text_hex(&g->out, said.s + at, part);
        gdb_link_send(&g->link, g->out.s, g->out.length);
    }
    text_free(&said);
    answer(g, "OK");
}

static void packet_no_ack(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    answer(g, "OK");
    g->link.no_ack = true;
}

static void packet_do(struct gdb *g)
{
    static const struct {
        const char *begin;
        void (*handler)(struct gdb *g, char *args, unsigned length);
    } rows[] = {
#define PACKET(begin, handler) { begin, handler },
#include "debug/gdb_packet.def"
#undef PACKET
    };
    char *p = g->link.packet;
    unsigned best = ARRAY_LEN(rows);
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) /* the longest that fits: "bs" is not "b..." */
        if (!strncmp(p, rows[n].begin, strlen(rows[n].begin)) &&
            (best == ARRAY_LEN(rows) || strlen(rows[n].begin) > strlen(rows[best].begin)))
            best = n;
    size_t skip = best < ARRAY_LEN(rows) ? strlen(rows[best].begin) : 0;
    if (best < ARRAY_LEN(rows) && g->link.length >= skip)
        rows[best].handler(g, p + skip, g->link.length - (unsigned)skip);
    else
        answer(g, "");
}

/* ---- the loop ---- */

/* The client is gone: its breakpoints go; a machine that runs goes on, one that stands waits for the next client. */
static void client_left(struct gdb *g)
{
    points_forget(g);
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
    machine_stop(g->d.m, STOP_REQUEST, 0, "");
}

/* One packet or event while the machine stands. */
static void serve(struct gdb *g)
{
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

static struct stop machine_go(struct gdb *g, u64 limit)
{
    return g->d.reverse ? reverse_run(g->d.reverse, limit) : machine_run(g->d.m, limit);
}

/* The machine came back: whom does it concern? True: the caller. */
static bool came_back(struct gdb *g, const struct stop *stop)
{
    struct stops *s = &g->d.stops;
    if (stop->kind == STOP_REQUEST && s->pending.hit) {
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
    bool stuck = stop->kind == STOP_ASLEEP || stop->kind == STOP_LOOP;
    if (!stuck || g->link.fd < 0)
        return true;
    g->running = false;
    console(g, stop->text);
    console(g, "\n");
    select_cpu(g, g->d.m->turn);
    stop_reply(g, SIGNAL_TRAP, "");
    return false;
}

struct stop gdb_run(struct gdb *g, u64 limit)
{
    struct stop end = { .kind = STOP_REQUEST };
    while (!g->killed) {
        if (g->interrupted && g->interrupted()) {
            end.status = 130;
            snprintf(end.text, sizeof(end.text), "interrupted");
            return end;
        }
        if (!g->running) {
            serve(g);
            continue;
        }
        struct stop stop = machine_go(g, limit);
        if (came_back(g, &stop))
            return stop;
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
    g->running = !stopped;
    return g;
}

void gdb_set_interrupted(struct gdb *g, bool (*interrupted)(void)) { g->interrupted = interrupted; }

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
        answer(g, text);
    if (g->d.reverse)
        reverse_destroy(g->d.reverse);
    debugger_end(&g->d);
    gdb_link_close(&g->link);
    text_free(&g->xml);
    text_free(&g->out);
    free(g);
}
