/*
 * Packets about registers, memory, points, threads, and the questions a client asks.
 */
#include "debug/gdb_internal.h"

#include "debug/regs.h"
#include "debug/reverse.h"

#include <stdio.h>

enum { REPLY_HEX = GDB_PACKET / 2 - 8 };

/* ---- parsing and answering ---- */

void gdb_answer(struct gdb *g, const char *text) { gdb_link_send(&g->link, text, strlen(text)); }
void packet_ok(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    gdb_answer(g, "OK");
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool gdb_number(char **p, u64 *value)
{
    unsigned count = 0;
    for (*value = 0; digit(**p) >= 0; ++*p, count++)
        *value = *value << 4 | (u64)digit(**p);
    return count >= 1 && count <= 16;
}

bool gdb_expect(char **p, char c)
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

void gdb_changed(struct gdb *g)
{
    if (g->d.reverse)
        reverse_changed(g->d.reverse);
}

/* ---- registers ---- */

static struct cpu *current(struct gdb *g) { return &g->d.m->d.cpu[g->cpu_g]; }

void packet_read_all(struct gdb *g, char *args, unsigned length)
{
    u8 bytes[16];
    (void)args, (void)length;
    text_clear(&g->out);
    for (unsigned n = 0; n < REG_SYS; n++)
        text_hex(&g->out, bytes, regs_read(current(g), n, bytes));
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_write_all(struct gdb *g, char *args, unsigned length)
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
    gdb_changed(g);
    gdb_answer(g, ok && at ? "OK" : "E22");
}

void packet_read_one(struct gdb *g, char *args, unsigned length)
{
    u64 n;
    u8 bytes[16];
    (void)length;
    unsigned size = gdb_number(&args, &n) && n < 0x10000 ? regs_read(current(g), (unsigned)n, bytes) : 0;
    text_clear(&g->out);
    text_hex(&g->out, bytes, size);
    if (size)
        gdb_link_send(&g->link, g->out.s, g->out.length);
    else
        gdb_answer(g, "E14");
}

void packet_write_one(struct gdb *g, char *args, unsigned length)
{
    u64 n;
    u8 bytes[16];
    (void)length;
    bool ok = gdb_number(&args, &n) && n < 0x10000 && gdb_expect(&args, '=');
    unsigned size = ok ? unhex(args, bytes, 16) : 0;
    ok = size && regs_write(current(g), (unsigned)n, bytes, size);
    if (ok)
        gdb_changed(g);
    gdb_answer(g, ok ? "OK" : "E22");
}

/* ---- memory ---- */

void packet_read_memory(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    u8 bytes[REPLY_HEX];
    (void)length;
    if (!gdb_number(&args, &addr) || !gdb_expect(&args, ',') || !gdb_number(&args, &size)) {
        gdb_answer(g, "E22");
        return;
    }
    size_t got = debugger_read(&g->d, addr, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
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

void packet_write_memory(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    u8 bytes[REPLY_HEX];
    (void)length;
    if (!gdb_number(&args, &addr) || !gdb_expect(&args, ',') || !gdb_number(&args, &size) || !gdb_expect(&args, ':') ||
        size > sizeof(bytes) || unhex(args, bytes, (unsigned)size) != size)
        gdb_answer(g, "E22");
    else
        write_memory(g, addr, bytes, size);
}

/* Binary: 0x7d escapes, the next byte is xor 0x20. */
void packet_write_binary(struct gdb *g, char *args, unsigned length)
{
    u64 addr, size;
    char *end = args + length;
    static u8 bytes[GDB_PACKET];
    unsigned got = 0;
    if (!gdb_number(&args, &addr) || !gdb_expect(&args, ',') || !gdb_number(&args, &size) || !gdb_expect(&args, ':') ||
        size > sizeof(bytes)) {
        gdb_answer(g, "E22");
        return;
    }
    for (; args < end && got < sizeof(bytes); args++)
        bytes[got++] = *args == 0x7d && args + 1 < end ? (u8)(*++args ^ 0x20) : (u8)*args;
    if (got != size)
        gdb_answer(g, "E22");
    else
        write_memory(g, addr, bytes, size);
}

void packet_physical_ask(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    gdb_answer(g, g->d.physical ? "1" : "0");
}

void packet_physical(struct gdb *g, char *args, unsigned length)
{
    g->d.physical = length && args[0] == '1';
    gdb_answer(g, "OK");
}

/* ---- points ---- */

static const u8 point_kinds[] = { ON_INSN, ON_INSN, ON_WRITE, ON_READ, ON_ACCESS }; /* Z0 to Z4 */

static bool point_parse(char *args, u8 *what, u64 *addr, u64 *size)
{
    u64 kind;
    if (!gdb_number(&args, &kind) || kind >= ARRAY_LEN(point_kinds) || !gdb_expect(&args, ',') || !gdb_number(&args, addr) ||
        !gdb_expect(&args, ',') || !gdb_number(&args, size))
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

void packet_insert(struct gdb *g, char *args, unsigned length)
{
    u8 what;
    u64 addr, size;
    (void)length;
    if (!point_parse(args, &what, &addr, &size)) {
        gdb_answer(g, "E22");
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
    gdb_answer(g, p ? "OK" : "E28");
}

void packet_remove(struct gdb *g, char *args, unsigned length)
{
    u8 what;
    u64 addr, size;
    (void)length;
    struct stop_point *p = point_parse(args, &what, &addr, &size) ? point_find(g, what, addr, size) : NULL;
    if (p) {
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

bool gdb_thread_parse(struct gdb *g, char *args, u32 *cpu)
{
    u64 n;
    if (args[0] == '-')
        return true;
    if (!gdb_number(&args, &n) || n > g->d.m->cpu_count)
        return false;
    if (n)
        *cpu = (u32)n - 1;
    return true;
}

void packet_thread(struct gdb *g, char *args, unsigned length)
{
    bool ok = length >= 2 && gdb_thread_parse(g, args + 1, args[0] == 'c' ? &g->cpu_c : &g->cpu_g);
    g->d.cpu = g->cpu_g;
    gdb_answer(g, ok ? "OK" : "E22");
}

void packet_alive(struct gdb *g, char *args, unsigned length)
{
    u32 cpu;
    (void)length;
    gdb_answer(g, gdb_thread_parse(g, args, &cpu) ? "OK" : "E22");
}

void packet_threads(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    text_clear(&g->out);
    for (u32 n = 0; n < g->d.m->cpu_count; n++)
        text_add(&g->out, "%c%x", n ? ',' : 'm', n + 1);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_threads_end(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    gdb_answer(g, "l");
}

void packet_thread_text(struct gdb *g, char *args, unsigned length)
{
    static const char *const how[] = { "runs", "waits (WFI)", "waits (WFE)", "off" };
    u32 n = 0;
    char text[64];
    (void)length;
    if (!gdb_thread_parse(g, args, &n)) {
        gdb_answer(g, "E22");
        return;
    }
    const struct cpu *cpu = &g->d.m->d.cpu[n];
    int size = snprintf(text, sizeof(text), "cpu%u EL%u, %s", n, cpu->ps.el, how[cpu->halted & 3]);
    text_clear(&g->out);
    text_hex(&g->out, text, (size_t)size);
    gdb_link_send(&g->link, g->out.s, g->out.length);
}

void packet_current(struct gdb *g, char *args, unsigned length)
{
    char text[16];
    (void)args, (void)length;
    snprintf(text, sizeof(text), "QC%x", g->cpu_g + 1);
    gdb_answer(g, text);
}

void packet_attached(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    gdb_answer(g, "1");
}

/* ---- queries ---- */

void packet_supported(struct gdb *g, char *args, unsigned length)
{
    char text[256];
    (void)args, (void)length;
    snprintf(text, sizeof(text), "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+%s", GDB_PACKET,
             g->d.reverse ? ";ReverseStep+;ReverseContinue+" : "");
    gdb_answer(g, text);
}

/* annex:offset,length */
void packet_features(struct gdb *g, char *args, unsigned length)
{
    u64 offset, size;
    char *at = args;
    (void)length;
    if (strncmp(args, "target.xml:", 11) || (at += 11, !gdb_number(&at, &offset)) || !gdb_expect(&at, ',') ||
        !gdb_number(&at, &size)) {
        gdb_answer(g, "E00");
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

void packet_monitor(struct gdb *g, char *args, unsigned length)
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
    gdb_answer(g, "OK");
}

void packet_no_ack(struct gdb *g, char *args, unsigned length)
{
    (void)args, (void)length;
    gdb_answer(g, "OK");
    g->link.no_ack = true;
}
