/*
 * Semihosting for AArch64 (Arm "Semihosting for AArch32 and AArch64", HLT #0xF000; at EL0 only with userspace=on). The
 * console is the machine's first serial port, or one of its own; files are the front end's. Time is the machine's.
 *
 * Who reads from a console where nobody has typed yet waits: the PE sleeps at its HLT, which is executed again when a
 * byte came; interrupts that it may take are taken meanwhile. Left out: SYS_SYSTEM (it fails), data in big-endian
 * order.
 */
#include "board/machine.h"

#include "cpu/observer.h"
#include "mmu/context.h"

#include <stdio.h>

enum { APPLICATION_EXIT = 0x20026, NAME_MAX_BYTES = 1024, TEXT_MAX = 1 << 20, TRANSFER_MAX = 1 << 28, MAX_FIELDS = 4 };
enum { HANDLE_TT_IN = 1, HANDLE_TT_OUT, HANDLE_TT_ERR, HANDLE_FEATURES, HANDLE_FILES = 16 };
enum { ERR_NOENT = 2, ERR_BADF = 9, ERR_FAULT = 14, ERR_INVAL = 22, ERR_NOSYS = 38 };
enum { MODE_RB = 1, MODE_W = 4, MODE_A = 8, MODE_LAST = 11 };

/* A call: its argument block (as many fields as its row says), and whether it is to be made again. */
struct call {
    struct machine *m;
    struct cpu *cpu;
    u64 field[MAX_FIELDS];
    bool again;
};

/* Guest memory by virtual address, a page at a time. False: a part is not mapped. */
static bool guest_copy(struct call *c, u64 va, void *data, u64 size, bool write)
{
    struct phys *phys = &c->m->d.phys;
    u8 *bytes = data;
    while (size) {
        u64 pa, part = 4096 - (va & 4095) < size ? 4096 - (va & 4095) : size;
        if (!mmu_debug_translate(c->cpu, va, c->cpu->ps.el, &pa, NULL, NULL) ||
            !(write ? machine_write(c->m, pa, bytes, part) : phys_copy_out(phys, pa, bytes, part)))
            return false;
        va += part;
        bytes += part;
        size -= part;
    }
    return true;
}

static s64 failed(struct call *c, s64 error)
{
    c->m->semihost_errno = (u32)error;
    return -1;
}

static s64 result(struct call *c, s64 value) { return value < 0 ? failed(c, -value) : value; }

/* A name given by fields n (address) and n + 1 (length). */
static bool name_read(struct call *c, u64 at, u64 length, char name[NAME_MAX_BYTES])
{
    if (length >= NAME_MAX_BYTES || !guest_copy(c, at, name, length, false))
        return false;
    name[length] = 0;
    return true;
}

/* ---- the console ---- */

/* machine.key: nothing, a byte + 1, or that there will be none. */
enum { KEY_NONE, KEY_END = 0x101 };

unsigned machine_semihost_port(const struct machine *m)
{
    return m->options.semihost_own ? (unsigned)PORT_SEMIHOST : (unsigned)PORT_CONSOLE;
}

static bool input_comes(struct machine *m)
{
    return m->d.host.input_comes && m->d.host.input_comes(m->d.host.ctx, machine_semihost_port(m));
}

void semihost_input(struct machine *m)
{
    if (!m->key_waiters || m->key)
        return;
    int byte = machine_input(m, machine_semihost_port(m), true);
    if (byte >= 0)
        m->key = (u32)byte + 1;
    else if (!input_comes(m))
        m->key = KEY_END;
    if (m->key)
        machine_rouse(m);
}

/* The next byte, or -1: there will be none, or there is none yet and the call is made again. */
static int key_read(struct call *c)
{
    struct machine *m = c->m;
    bool ended = m->key == KEY_END;
    int byte = ended ? -1 : machine_input(m, machine_semihost_port(m), true);
    m->key = KEY_NONE;
    c->again = byte < 0 && !ended && input_comes(m);
    return byte;
}

/* At least one byte, and what there is. */
static s64 tt_read(struct call *c, u8 *buffer, u64 size)
{
    u64 n = 0;
    for (int byte; n < size && (byte = n ? machine_input(c->m, machine_semihost_port(c->m), true) : key_read(c)) >= 0;
         n++)
        buffer[n] = (u8)byte;
    return (s64)n;
}

static void call_again(struct call *c)
{
    u32 *waits = &c->m->turns[c->cpu->index].waits_key;
    c->m->key_waiters += !*waits;
    *waits = 1;
    c->cpu->halted = HALT_WFI;
    c->cpu->wake_at = NEVER;
    c->cpu->d.attention |= ATT_LOOK;
    cpu_tell_halted(c->cpu);
}

static s64 sys_readc(struct call *c) { return key_read(c); }

static s64 sys_write0(struct call *c)
{
    u8 byte;
    for (u64 n = 0; n < TEXT_MAX && guest_copy(c, c->cpu->x[1] + n, &byte, 1, false) && byte; n++)
        machine_output(c->m, machine_semihost_port(c->m), byte);
    return (s64)c->cpu->x[0];
}

static s64 sys_writec(struct call *c)
{
    u8 byte;
    if (guest_copy(c, c->cpu->x[1], &byte, 1, false))
        machine_output(c->m, machine_semihost_port(c->m), byte);
    return (s64)c->cpu->x[0];
}

/* ---- ":semihosting-features": magic; SH_EXT_EXIT_EXTENDED, SH_EXT_STDOUT_STDERR ---- */

static const u8 features[] = { 'S', 'H', 'F', 'B', 3 };

static s64 features_read(struct machine *m, u8 *buffer, u64 size)
{
    u64 left = sizeof(features) - m->features_at, part = size < left ? size : left;
    memcpy(buffer, features + m->features_at, part);
    m->features_at += (u32)part;
    return (s64)part;
}

/* ---- files ---- */

static s64 sys_open(struct call *c)
{
    struct machine *m = c->m;
    char name[NAME_MAX_BYTES];
    u64 mode = c->field[1];
    if (mode > MODE_LAST || !name_read(c, c->field[0], c->field[2], name))
        return failed(c, ERR_INVAL);
    if (!strcmp(name, ":tt"))
        return mode < MODE_W ? HANDLE_TT_IN : mode < MODE_A ? HANDLE_TT_OUT : HANDLE_TT_ERR;
    if (!strcmp(name, ":semihosting-features")) {
        m->features_at = 0;
        return mode <= MODE_RB ? HANDLE_FEATURES : failed(c, ERR_INVAL);
    }
    if (!m->d.host.file_open)
        return failed(c, ERR_NOENT);
    s64 handle = m->d.host.file_open(m->d.host.ctx, name, (unsigned)mode);
    return handle < 0 ? failed(c, -handle) : handle + HANDLE_FILES;
}

static bool is_tt(u64 handle) { return handle >= HANDLE_TT_IN && handle <= HANDLE_TT_ERR; }

static s64 write_some(struct call *c, const u8 *bytes, u64 size)
{
    const struct machine_host *host = &c->m->d.host;
    u64 handle = c->field[0];
    for (u64 n = 0; is_tt(handle) && n < size; n++)
        machine_output(c->m, machine_semihost_port(c->m), bytes[n]);
    if (is_tt(handle))
        return (s64)size;
    return handle < HANDLE_FILES || !host->file_write
               ? -ERR_BADF
               : host->file_write(host->ctx, (s64)(handle - HANDLE_FILES), bytes, size);
}

static s64 read_some(struct call *c, u8 *bytes, u64 size)
{
    const struct machine_host *host = &c->m->d.host;
    u64 handle = c->field[0];
    if (is_tt(handle))
        return tt_read(c, bytes, size);
    if (handle == HANDLE_FEATURES)
        return features_read(c->m, bytes, size);
    return handle < HANDLE_FILES || !host->file_read
               ? -ERR_BADF
               : host->file_read(host->ctx, (s64)(handle - HANDLE_FILES), bytes, size);
}

/* Returns the number of bytes not written. */
static s64 sys_write(struct call *c)
{
    u64 at = c->field[1], left = c->field[2], end = left > TRANSFER_MAX ? left - TRANSFER_MAX : 0;
    u8 buffer[512];
    while (left > end) {
        u64 part = left - end < sizeof(buffer) ? left - end : sizeof(buffer);
        s64 done = guest_copy(c, at, buffer, part, false) ? write_some(c, buffer, part) : -ERR_FAULT;
        if (done <= 0) {
            failed(c, -done);
            break;
        }
        at += (u64)done;
        left -= (u64)done;
    }
    return (s64)left;
}

/* Returns the number of bytes not read. What was read and does not fit is lost. */
static s64 sys_read(struct call *c)
{
    u64 at = c->field[1], left = c->field[2], end = left > TRANSFER_MAX ? left - TRANSFER_MAX : 0;
    u8 buffer[512];
    while (left > end) {
        u64 part = left - end < sizeof(buffer) ? left - end : sizeof(buffer);
        s64 done = read_some(c, buffer, part);
        if (done > 0 && !guest_copy(c, at, buffer, (u64)done, true))
            done = -ERR_FAULT;
        if (done <= 0) {
            if (done < 0)
                failed(c, -done);
            break;
        }
        at += (u64)done;
        left -= (u64)done;
        if ((u64)done < part)
            break;
    }
    c->again = c->again && left == c->field[2];
    return (s64)left;
}

/* CLOSE, FLEN, ISTTY: operations on a handle alone; what the console and the features answer. */
static s64 on_handle(struct call *c, s64 (*fn)(void *ctx, s64 handle), s64 tt, s64 feature)
{
    u64 handle = c->field[0];
    if (is_tt(handle))
        return tt;
    if (handle == HANDLE_FEATURES)
        return feature;
    if (handle < HANDLE_FILES || !fn)
        return failed(c, ERR_BADF);
    return result(c, fn(c->m->d.host.ctx, (s64)(handle - HANDLE_FILES)));
}

static s64 sys_close(struct call *c) { return on_handle(c, c->m->d.host.file_close, 0, 0); }
static s64 sys_flen(struct call *c) { return on_handle(c, c->m->d.host.file_length, 0, sizeof(features)); }
static s64 sys_istty(struct call *c) { return on_handle(c, c->m->d.host.file_is_tty, 1, 0); }

static s64 sys_seek(struct call *c)
{
    const struct machine_host *host = &c->m->d.host;
    u64 handle = c->field[0], to = c->field[1];
    if (handle == HANDLE_FEATURES && to <= sizeof(features)) {
        c->m->features_at = (u32)to;
        return 0;
    }
    if (handle < HANDLE_FILES || !host->file_seek)
        return failed(c, handle == HANDLE_FEATURES ? ERR_INVAL : ERR_BADF);
    return result(c, host->file_seek(host->ctx, (s64)(handle - HANDLE_FILES), to)) < 0 ? -1 : 0;
}

static s64 sys_remove(struct call *c)
{
    const struct machine_host *host = &c->m->d.host;
    char name[NAME_MAX_BYTES];
    if (!name_read(c, c->field[0], c->field[1], name) || !host->file_remove)
        return failed(c, ERR_INVAL);
    return result(c, host->file_remove(host->ctx, name));
}

static s64 sys_rename(struct call *c)
{
    const struct machine_host *host = &c->m->d.host;
    char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    if (!name_read(c, c->field[0], c->field[1], from) || !name_read(c, c->field[2], c->field[3], to) ||
        !host->file_rename)
        return failed(c, ERR_INVAL);
    return result(c, host->file_rename(host->ctx, from, to));
}

/* The same name for the same identifier, in the working directory: a run that is repeated finds its files again. */
static s64 sys_tmpnam(struct call *c)
{
    char name[32];
    u64 id = c->field[1], size = (u64)snprintf(name, sizeof(name), "elmu-%02x.tmp", (unsigned)(id & 0xff)) + 1;
    if (id > 0xff || size > c->field[2])
        return failed(c, ERR_INVAL);
    return guest_copy(c, c->field[0], name, size, true) ? 0 : failed(c, ERR_FAULT);
}

/* ---- the rest ---- */

static s64 sys_cmdline(struct call *c)
{
    const char *line = c->m->d.semihost_line;
    u64 length = strlen(line);
    u8 size[8];
    store_le64(size, length);
    if (length >= c->field[1] || !guest_copy(c, c->field[0], (char *)(uintptr_t)line, length + 1, true) ||
        !guest_copy(c, c->cpu->x[1] + 8, size, sizeof(size), true))
        return failed(c, ERR_FAULT);
    return 0;
}

/* What the loader left free, as QEMU's answer: the heap grows from its start, the stack from its end. */
static s64 sys_heapinfo(struct call *c)
{
    const u64 info[4] = { c->m->heap_low, c->m->heap_high, c->m->heap_high, c->m->heap_low };
    u8 bytes[sizeof(info)];
    for (unsigned n = 0; n < ARRAY_LEN(info); n++)
        store_le64(bytes + 8 * n, info[n]);
    return guest_copy(c, c->field[0], bytes, sizeof(bytes), true) ? 0 : failed(c, ERR_FAULT);
}

/* The host has 8 bits for it: of a larger status the low ones, but what is not 0 stays a failure. */
static s64 sys_exit(struct call *c)
{
    u64 reason = c->field[0], status = c->field[1];
    int low = (int)(status & 0xff);
    machine_end(c->m, END_EXIT, reason != APPLICATION_EXIT || (status && !low) ? 1 : low, "");
    return 0;
}

static s64 sys_iserror(struct call *c) { return (s64)c->field[0] < 0; }
static s64 sys_clock(struct call *c) { return (s64)(c->m->now / 10000000); }
static s64 sys_time(struct call *c) { return (s64)(c->m->options.rtc_base + c->m->now / 1000000000); }
static s64 sys_errno(struct call *c) { return c->m->semihost_errno; }
static s64 sys_tickfreq(struct call *c) { return (void)c, 1000000000; }
static s64 sys_synccache(struct call *c) { return (void)c, 0; }

static s64 sys_elapsed(struct call *c)
{
    u8 ticks[8];
    store_le64(ticks, c->m->now);
    return guest_copy(c, c->cpu->x[1], ticks, sizeof(ticks), true) ? 0 : failed(c, ERR_FAULT);
}

/* The operations by number: fields of 8 bytes in the argument block, 0 when x1 is none or points to something else. */
static const struct {
    unsigned fields;
    s64 (*call)(struct call *c);
} operations[] = {
    [0x01] = { 3, sys_open },     [0x02] = { 1, sys_close },   [0x03] = { 0, sys_writec },
    [0x04] = { 0, sys_write0 },   [0x05] = { 3, sys_write },   [0x06] = { 3, sys_read },
    [0x07] = { 0, sys_readc },    [0x08] = { 1, sys_iserror }, [0x09] = { 1, sys_istty },
    [0x0a] = { 2, sys_seek },     [0x0c] = { 1, sys_flen },    [0x0d] = { 3, sys_tmpnam },
    [0x0e] = { 2, sys_remove },   [0x0f] = { 4, sys_rename },  [0x10] = { 0, sys_clock },
    [0x11] = { 0, sys_time },     [0x13] = { 0, sys_errno },   [0x15] = { 2, sys_cmdline },
    [0x16] = { 1, sys_heapinfo }, [0x18] = { 2, sys_exit },    [0x19] = { 0, sys_synccache },
    [0x20] = { 2, sys_exit },     [0x30] = { 0, sys_elapsed }, [0x31] = { 0, sys_tickfreq },
};

static s64 operation(struct call *c)
{
    u32 number = (u32)c->cpu->x[0];
    u8 block[8 * MAX_FIELDS];
    if (number >= ARRAY_LEN(operations) || !operations[number].call)
        return failed(c, ERR_NOSYS);
    unsigned fields = operations[number].fields;
    if (!guest_copy(c, c->cpu->x[1], block, 8 * fields, false))
        return failed(c, ERR_FAULT);
    for (unsigned n = 0; n < fields; n++)
        c->field[n] = load_le64(block + 8 * n);
    return operations[number].call(c);
}

enum board_answer semihost_call(struct machine *m, struct cpu *cpu)
{
    struct call c = { .m = m, .cpu = cpu };
    if (m->options.semihosting == SEMIHOSTING_OFF ||
        (cpu->ps.el == 0 && m->options.semihosting != SEMIHOSTING_USERSPACE))
        return BOARD_LEAVES;
    s64 value = operation(&c);
    if (c.again) {
        call_again(&c);
        return BOARD_AGAIN;
    }
    cpu->x[0] = (u64)value;
    return BOARD_ANSWERED;
}
