/*
 * Packets about registers, memory, points, threads, and the questions a client asks.
 */
#include "debug/gdb/gdb_internal.h"

#include "cpu/observer.h"
#include "debug/regs.h"
#include "debug/reverse.h"

#include <stdio.h>

enum { REPLY_HEX = GDB_PACKET / 2 - 8 };

/* ---- parsing and answering ---- */

void gdb_answer(struct gdb *g, const char *text) { gdb_link_send(&g->link, text, strlen(text)); }
void packet_ok(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "OK");
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

/* Thread ids: cpu + 1; 0 and -1 mean any. False: no such thread. */
static bool thread(const struct gdb *g, char **p, u32 *cpu)
{
    u64 n;
    *cpu = NO_CPU;
    if (!strncmp(*p, "-1", 2)) {
        *p += 2;
        return true;
    }
    if (!number(p, &n) || n > g->d.m->options.cpu_count)
        return false;
    *cpu = n ? (u32)n - 1 : NO_CPU;
    return true;
}

bool gdb_parse(struct gdb *g, const char *shape, char *text, unsigned length, struct gdb_args *a)
{
    char *p = text, *end = text + length;
    *a = (struct gdb_args){ .cpu = NO_CPU, .rest = end };
    for (; *shape; shape++) {
        if (*shape == '*') {
            a->rest = p;
            a->length = (unsigned)(end - p);
            return true;
        }
        if (*shape == '#' ? !number(&p, &a->n[a->count++]) : *shape == 't' ? !thread(g, &p, &a->cpu) : *p++ != *shape)
            return false;
    }
    return p == end;
}

/* Bytes from pairs of hex digits, up to `size`; returns how many. */
static unsigned unhex(const char *s, u8 *out, unsigned size)
{
    unsigned n = 0;
    for (; n < size && digit(s[2 * n]) >= 0 && digit(s[2 * n + 1]) >= 0; n++)
        out[n] = (u8)(digit(s[2 * n]) << 4 | digit(s[2 * n + 1]));
    return n;
}

void gdb_changed(struct gdb *g) { debugger_changed(&g->d); }

/* ---- registers ---- */

static struct cpu *current(struct gdb *g) { return &g->d.m->d.cpu[g->cpu_g]; }

void packet_read_all(struct gdb *g, const struct gdb_args *a)
{
    u8 bytes[16];
    (void)a;
    text_clear(&g->out);
    for (unsigned n = 0; n < REG_SYS; n++)
        text_hex(&g->out, bytes, regs_read(current(g), n, bytes));
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

/* A register, with those told who see writes (-d), and that the PC is elsewhere. */
static bool register_write(struct gdb *g, unsigned n, const u8 *bytes, unsigned size)
{
    const struct observer *o = current(g)->d.host.observer;
    const struct sysreg *row = regs_row(current(g), n);
    u64 value = 0;
    if (!regs_write(current(g), n, bytes, size))
        return false;
    memcpy(&value, bytes, size < 8 ? size : 8);
    g->d.stops.client_writes = true;
    if (row && o->sysreg_written)
        o->sysreg_written(o->sysreg_written_ctx, current(g), sysreg_number(row), value);
    g->d.stops.client_writes = false;
    if (n == REG_PC_NUM)
        stops_moved(&g->d.stops, g->cpu_g);
    return true;
}

void packet_write_all(struct gdb *g, const struct gdb_args *a)
{
    u8 bytes[16], old[16];
    bool ok = true;
    unsigned at = 0;
    for (unsigned n = 0; n < REG_SYS && ok; n++) {
        unsigned size = regs_read(current(g), n, old);
        if (at + 2 * size > a->length || unhex(a->rest + at, bytes, size) != size)
            break;
        at += 2 * size;
        ok = !memcmp(old, bytes, size) || register_write(g, n, bytes, size);
    }
    gdb_changed(g);
    gdb_answer(g, ok && at ? "OK" : "E22");
}

void packet_read_one(struct gdb *g, const struct gdb_args *a)
{
    u8 bytes[16];
    unsigned size = a->n[0] < 0x10000 ? regs_read(current(g), (unsigned)a->n[0], bytes) : 0;
    text_clear(&g->out);
    text_hex(&g->out, bytes, size);
    if (size)
        gdb_link_send(&g->link, g->out.s, g->out.length);
    else
        gdb_answer(g, "E14");
}

void packet_write_one(struct gdb *g, const struct gdb_args *a)
{
    u8 bytes[16];
    unsigned size = a->length % 2 ? 0 : unhex(a->rest, bytes, 16);
    bool ok = size && size == a->length / 2 && a->n[0] < 0x10000 && register_write(g, (unsigned)a->n[0], bytes, size);
    if (ok)
        gdb_changed(g);
    gdb_answer(g, ok ? "OK" : "E22");
}

/* ---- memory ---- */

void packet_read_memory(struct gdb *g, const struct gdb_args *a)
{
    u64 size = a->n[1];
    u8 bytes[REPLY_HEX];
    size_t got = debugger_read(&g->d, a->n[0], bytes, size < sizeof(bytes) ? size : sizeof(bytes));
    text_clear(&g->out);
    text_hex(&g->out, bytes, got);
    if (got || !size)
        gdb_link_send(&g->link, got ? g->out.s : "", g->out.length);
    else
        gdb_answer(g, "E14");
}

static void write_memory(struct gdb *g, u64 addr, const u8 *bytes, u64 size)
{
    bool ok = debugger_write(&g->d, addr, bytes, size);
    if (ok && size)
        gdb_changed(g);
    gdb_answer(g, ok ? "OK" : "E14");
}

void packet_write_memory(struct gdb *g, const struct gdb_args *a)
{
    u64 size = a->n[1];
    u8 bytes[REPLY_HEX];
    if (size > sizeof(bytes) || a->length != 2 * size || unhex(a->rest, bytes, (unsigned)size) != size)
        gdb_answer(g, "E22");
    else
        write_memory(g, a->n[0], bytes, size);
}

/* Binary: 0x7d escapes, the next byte is xor 0x20. */
void packet_write_binary(struct gdb *g, const struct gdb_args *a)
{
    const char *p = a->rest, *end = a->rest + a->length;
    static u8 bytes[GDB_PACKET];
    unsigned got = 0;
    for (; p < end && got < sizeof(bytes); p++)
        bytes[got++] = *p == 0x7d && p + 1 < end ? (u8)(*++p ^ 0x20) : (u8)*p;
    if (got != a->n[1])
        gdb_answer(g, "E22");
    else
        write_memory(g, a->n[0], bytes, got);
}

void packet_physical_ask(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, g->d.physical ? "1" : "0");
}

void packet_physical(struct gdb *g, const struct gdb_args *a)
{
    g->d.physical = a->n[0] != 0;
    gdb_answer(g, "OK");
}

/* ---- points ---- */

static const u8 point_kinds[] = { ON_INSN, ON_INSN, ON_WRITE, ON_READ, ON_ACCESS }; /* Z0 to Z4 */

/* What Z and z packets are about. False: a kind that there is not, which has the empty answer. */
static bool point_of(struct gdb *g, const struct gdb_args *a, struct stop_point *p)
{
    if (a->n[0] >= ARRAY_LEN(point_kinds)) {
        gdb_answer(g, "");
        return false;
    }
    *p = (struct stop_point){ .what = point_kinds[a->n[0]], .addr = a->n[1], .size = a->n[2] };
    if (p->what == ON_INSN || !p->size)
        p->size = 1;
    p->space = g->d.physical && p->what != ON_INSN ? SPACE_PA : SPACE_VA;
    return true;
}

/* space: -1, any: the client may have switched to physical addresses since it inserted the point. */
static struct stop_point *point_find(struct gdb *g, const struct stop_point *like, int space)
{
    for (unsigned n = 0; n < MAX_STOPS; n++) {
        struct stop_point *p = &g->d.stops.point[n];
        if (p->used && p->gdb && p->what == like->what && p->addr == like->addr && p->size == like->size &&
            (space < 0 || p->space == space))
            return p;
    }
    return NULL;
}

void packet_insert(struct gdb *g, const struct gdb_args *a)
{
    struct stop_point made, *p;
    if (!point_of(g, a, &made))
        return;
    p = point_find(g, &made, made.space);
    if (!p && (p = stops_new(&g->d.stops))) {
        p->gdb = true;
        p->what = made.what;
        p->addr = made.addr;
        p->size = made.size;
        p->space = made.space;
        stops_changed(&g->d.stops);
    }
    gdb_answer(g, p ? "OK" : "E28");
}

void packet_remove(struct gdb *g, const struct gdb_args *a)
{
    struct stop_point made, *p;
    if (!point_of(g, a, &made))
        return;
    while ((p = point_find(g, &made, -1))) {
        p->used = false;
        stops_changed(&g->d.stops);
    }
    gdb_answer(g, "OK");
}

void gdb_points_forget(struct gdb *g)
{
    for (unsigned n = 0; n < MAX_STOPS; n++)
        if (g->d.stops.point[n].gdb)
            g->d.stops.point[n].used = false;
    stops_changed(&g->d.stops);
}

/* ---- threads ---- */

static void thread_choose(struct gdb *g, u32 *which, u32 cpu)
{
    if (cpu != NO_CPU)
        *which = cpu;
    g->d.cpu = g->cpu_g;
    gdb_answer(g, "OK");
}
void packet_thread(struct gdb *g, const struct gdb_args *a) { thread_choose(g, &g->cpu_g, a->cpu); }
void packet_thread_runs(struct gdb *g, const struct gdb_args *a) { thread_choose(g, &g->cpu_c, a->cpu); }

void packet_threads(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    text_clear(&g->out);
    for (u32 n = 0; n < g->d.m->options.cpu_count; n++)
        text_add(&g->out, "%c%x", n ? ',' : 'm', n + 1);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_threads_end(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "l");
}

void packet_thread_text(struct gdb *g, const struct gdb_args *a)
{
    static const char *const how[] = { "runs", "waits (WFI)", "waits (WFE)", "off" };
    u32 n = a->cpu == NO_CPU ? 0 : a->cpu;
    char text[64];
    const struct cpu *cpu = &g->d.m->d.cpu[n];
    int size = snprintf(text, sizeof(text), "cpu%u EL%u, %s", n, cpu->ps.el, how[cpu->halted & 3]);
    text_clear(&g->out);
    text_hex(&g->out, text, (size_t)size);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_current(struct gdb *g, const struct gdb_args *a)
{
    char text[16];
    (void)a;
    snprintf(text, sizeof(text), "QC%x", g->cpu_g + 1);
    gdb_answer(g, text);
}

void packet_attached(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "1");
}

/* ---- queries ---- */

void packet_supported(struct gdb *g, const struct gdb_args *a)
{
    char text[256];
    (void)a;
    snprintf(text, sizeof(text), "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+%s", GDB_PACKET,
             g->d.reverse ? ";ReverseStep+;ReverseContinue+" : "");
    gdb_answer(g, text);
}

void packet_no_annex(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "E00");
}

void packet_features(struct gdb *g, const struct gdb_args *a)
{
    u64 offset = a->n[0], size = a->n[1];
    if (!g->xml.length)
        regs_xml(&g->d.m->d.cpu[0], &g->xml);
    u64 left = offset < g->xml.length ? g->xml.length - offset : 0, part = size < left ? size : left;
    part = part < GDB_PACKET - 1 ? part : GDB_PACKET - 1;
    text_clear(&g->out);
    text_add(&g->out, "%c", part < left ? 'm' : 'l');
    text_bytes(&g->out, g->xml.s + offset * (left != 0), part); /* the description holds no character to escape */
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_monitor(struct gdb *g, const struct gdb_args *a)
{
    static char line[GDB_PACKET / 2 + 1];
    struct text said = { 0 };
    unsigned n = unhex(a->rest, (u8 *)line, a->length / 2);
    if (2 * n != a->length) {
        gdb_answer(g, "E22");
        return;
    }
    line[n] = 0;
    g->d.cpu = g->cpu_g;
    if (monitor_run(&g->d, line, &said)) {
        g->cpu_g = g->cpu_c = g->d.cpu;
        stops_moved_all(&g->d.stops);
    }
    for (size_t at = 0; at < said.length; at += 2000) {
        size_t part = said.length - at < 2000 ? said.length - at : 2000;
        text_clear(&g->out);
        text_add(&g->out, "O");
        text_hex(&g->out, said.s + at, part);
        gdb_link_send(&g->link, g->out.s, g->out.length);
    }
    text_free(&said);
    gdb_answer(g, "OK");
}

void packet_no_ack(struct gdb *g, const struct gdb_args *a)
{
    (void)a;
    gdb_answer(g, "OK");
    g->link.no_ack = true;
}
