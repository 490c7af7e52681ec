/*
 * Semihosting for AArch64 (Arm "Semihosting for AArch32 and AArch64", HLT #0xF000). The console is the machine's first
 * serial port; files are the front end's. Time is the machine's. Left out: SYS_TMPNAM and SYS_SYSTEM (they fail).
 */
#include "board/machine.h"

#include "mmu/context.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE, SYS_WRITEC, SYS_WRITE0, SYS_WRITE, SYS_READ, SYS_READC, SYS_ISERROR, SYS_ISTTY, SYS_SEEK,
       SYS_FLEN = 0x0c, SYS_REMOVE = 0x0e, SYS_RENAME, SYS_CLOCK, SYS_TIME, SYS_ERRNO = 0x13, SYS_GET_CMDLINE = 0x15, SYS_HEAPINFO,
       SYS_EXIT = 0x18, SYS_SYNCCACHE, SYS_EXIT_EXTENDED = 0x20, SYS_ELAPSED = 0x30, SYS_TICKFREQ };
enum { APPLICATION_EXIT = 0x20026, NAME_MAX_BYTES = 1024, TEXT_MAX = 1 << 20 };
enum { HANDLE_TT_IN = 1, HANDLE_TT_OUT, HANDLE_TT_ERR, HANDLE_FILES = 16 };
enum { ERR_NOENT = 2, ERR_BADF = 9, ERR_FAULT = 14, ERR_INVAL = 22, ERR_NOSYS = 38 };

/* Guest memory by virtual address, a page at a time. False: a part is not mapped. */
static bool guest_copy(struct machine *m, struct cpu *cpu, u64 va, u8 *bytes, u64 size, bool write)
{
    while (size) {
        u64 pa, part = 4096 - (va & 4095) < size ? 4096 - (va & 4095) : size;
        if (!mmu_debug_translate(cpu, va, cpu->ps.el, &pa, NULL, NULL) ||
            !(write ? machine_write(m, pa, bytes, part) : phys_copy_out(&m->d.phys, pa, bytes, part)))
            return false;
        va += part;
        bytes += part;
        size -= part;
    }
    return true;
}

static s64 failed(struct machine *m, s64 error)
{
    m->semihost_errno = (u32)error;
    return -1;
}

static s64 result(struct machine *m, s64 value) { return value < 0 ? failed(m, -value) : value; }

/* Field n of the argument block; unmapped reads as 0. */
static u64 field(struct machine *m, struct cpu *cpu, unsigned n)
{
    u8 bytes[8] = { 0 };
    return guest_copy(m, cpu, cpu->x[1] + 8 * n, bytes, 8, false) ? load_le64(bytes) : 0;
}

static bool name_read(struct machine *m, struct cpu *cpu, unsigned n, char name[NAME_MAX_BYTES])
{
    u64 at = field(m, cpu, n), len = field(m, cpu, n + 1);
    if (len >= NAME_MAX_BYTES || !guest_copy(m, cpu, at, (u8 *)name, len, false))
        return false;
    name[len] = 0;
    return true;
}

static s64 sys_open(struct machine *m, struct cpu *cpu)
{
    char name[NAME_MAX_BYTES];
    u64 at = field(m, cpu, 0), mode = field(m, cpu, 1), len = field(m, cpu, 2);
    if (len >= sizeof(name) || mode > 11 || !guest_copy(m, cpu, at, (u8 *)name, len, false))
        return failed(m, ERR_INVAL);
    name[len] = 0;
    if (!strcmp(name, ":tt"))
        return mode < 4 ? HANDLE_TT_IN : mode < 8 ? HANDLE_TT_OUT : HANDLE_TT_ERR;
    if (!m->d.host.file_open)
        return failed(m, ERR_NOENT);
    s64 handle = m->d.host.file_open(m->d.host.who, name, (unsigned)mode);
    return handle < 0 ? failed(m, -handle) : handle + HANDLE_FILES;
}

static bool is_tt(u64 handle) { return handle >= HANDLE_TT_IN && handle <= HANDLE_TT_ERR; }

static s64 sys_write0(struct machine *m, struct cpu *cpu)
{
    for (u64 n = 0; n < TEXT_MAX; n++) {
        u8 byte;
        if (!guest_copy(m, cpu, cpu->x[1] + n, &byte, 1, false) || !byte)
            break;
        machine_output(m, PORT_UART0, byte);
    }
    return (s64)cpu->x[0];
}

static s64 sys_writec(struct machine *m, struct cpu *cpu)
{
    u8 byte;
    if (guest_copy(m, cpu, cpu->x[1], &byte, 1, false))
        machine_output(m, PORT_UART0, byte);
    return (s64)cpu->x[0];
}

/* Returns the number of bytes not written. */
static s64 sys_write(struct machine *m, struct cpu *cpu)
{
    u64 handle = field(m, cpu, 0), at = field(m, cpu, 1), left = field(m, cpu, 2);
    u8 buffer[512];
    while (left) {
        u64 part = left < sizeof(buffer) ? left : sizeof(buffer);
        s64 done = (s64)part;
        if (!guest_copy(m, cpu, at, buffer, part, false))
            break;
        if (is_tt(handle))
            for (u64 n = 0; n < part; n++)
                machine_output(m, PORT_UART0, buffer[n]);
        else
            done = handle >= HANDLE_FILES && m->d.host.file_write
                       ? m->d.host.file_write(m->d.host.who, (s64)(handle - HANDLE_FILES), buffer, part)
                       : -ERR_BADF;
        if (done <= 0) {
            failed(m, -done);
            break;
        }
        at += (u64)done;
        left -= (u64)done;
    }
    return (s64)left;
}

static s64 read_some(struct machine *m, u64 handle, u8 *buffer, u64 size)
{
    if (is_tt(handle)) {
        u64 n = 0;
        for (int byte; n < size && (byte = machine_input(m, PORT_UART0, true)) >= 0; n++)
            buffer[n] = (u8)byte;
        return (s64)n;
    }
    if (handle < HANDLE_FILES || !m->d.host.file_read)
        return -ERR_BADF;
    return m->d.host.file_read(m->d.host.who, (s64)(handle - HANDLE_FILES), buffer, size);
}

/* Returns the number of bytes not read. */
static s64 sys_read(struct machine *m, struct cpu *cpu)
{
    u64 handle = field(m, cpu, 0), at = field(m, cpu, 1), left = field(m, cpu, 2);
    u8 buffer[512];
    while (left) {
        u64 part = left < sizeof(buffer) ? left : sizeof(buffer);
        s64 done = read_some(m, handle, buffer, part);
        if (done <= 0 || !guest_copy(m, cpu, at, buffer, (u64)done, true)) {
            if (done < 0)
                failed(m, -done);
            break;
        }
        at += (u64)done;
        left -= (u64)done;
        if ((u64)done < part)
            break;
    }
    return (s64)left;
}

static s64 sys_seek(struct machine *m, u64 handle, u64 offset)
{
    if (handle < HANDLE_FILES || !m->d.host.file_seek)
        return failed(m, ERR_BADF);
    return result(m, m->d.host.file_seek(m->d.host.who, (s64)(handle - HANDLE_FILES), offset)) < 0 ? -1 : 0;
}

/* CLOSE, FLEN, ISTTY: operations on a handle alone. */
static s64 on_handle(struct machine *m, u64 handle, s64 (*fn)(void *who, s64 handle), s64 tt)
{
    if (is_tt(handle))
        return tt;
    if (handle < HANDLE_FILES || !fn)
        return failed(m, ERR_BADF);
    return result(m, fn(m->d.host.who, (s64)(handle - HANDLE_FILES)));
}

static s64 sys_remove(struct machine *m, struct cpu *cpu)
{
    char name[NAME_MAX_BYTES];
    if (!name_read(m, cpu, 0, name) || !m->d.host.file_remove)
        return failed(m, ERR_INVAL);
    return result(m, m->d.host.file_remove(m->d.host.who, name));
}

static s64 sys_rename(struct machine *m, struct cpu *cpu)
{
    char from[NAME_MAX_BYTES], to[NAME_MAX_BYTES];
    if (!name_read(m, cpu, 0, from) || !name_read(m, cpu, 2, to) || !m->d.host.file_rename)
        return failed(m, ERR_INVAL);
    return result(m, m->d.host.file_rename(m->d.host.who, from, to));
}

static s64 sys_cmdline(struct machine *m, struct cpu *cpu)
{
    u64 at = field(m, cpu, 0), room = field(m, cpu, 1), len = strlen(m->d.semihost_line);
    u8 size[8];
    store_le64(size, len);
    if (len >= room || !guest_copy(m, cpu, at, (u8 *)(uintptr_t)m->d.semihost_line, len + 1, true) ||
        !guest_copy(m, cpu, cpu->x[1] + 8, size, 8, true))
        return failed(m, ERR_FAULT);
    return 0;
}

/* The upper half of RAM: heap upwards, stack downwards. */
static s64 sys_heapinfo(struct machine *m, struct cpu *cpu)
{
    u64 base = m->d.phys.region[0].base, half = base + m->ram_size / 2, end = base + m->ram_size;
    u64 info[4] = { half, end, end, half };
    guest_copy(m, cpu, field(m, cpu, 0), (u8 *)info, sizeof(info), true);
    return 0;
}

static s64 sys_exit(struct machine *m, struct cpu *cpu)
{
    u64 reason = field(m, cpu, 0), status = field(m, cpu, 1);
    machine_stop(m, STOP_EXIT, reason == APPLICATION_EXIT ? (int)(status & 0xff) : 1, "");
    return 0;
}

static s64 sys_elapsed(struct machine *m, struct cpu *cpu)
{
    return guest_copy(m, cpu, cpu->x[1], (u8 *)&m->now, 8, true) ? 0 : failed(m, ERR_FAULT);
}

static s64 operation(struct machine *m, struct cpu *cpu)
{
    switch ((u32)cpu->x[0]) {
    case SYS_OPEN: return sys_open(m, cpu);
    case SYS_CLOSE: return on_handle(m, field(m, cpu, 0), m->d.host.file_close, 0);
    case SYS_WRITEC: return sys_writec(m, cpu);
    case SYS_WRITE0: return sys_write0(m, cpu);
    case SYS_WRITE: return sys_write(m, cpu);
    case SYS_READ: return sys_read(m, cpu);
    case SYS_READC: return machine_input(m, PORT_UART0, true);
    case SYS_ISERROR: return (s64)field(m, cpu, 0) < 0;
    case SYS_ISTTY: return on_handle(m, field(m, cpu, 0), m->d.host.file_is_tty, 1);
    case SYS_SEEK: return sys_seek(m, field(m, cpu, 0), field(m, cpu, 1));
    case SYS_FLEN: return on_handle(m, field(m, cpu, 0), m->d.host.file_length, 0);
    case SYS_REMOVE: return sys_remove(m, cpu);
    case SYS_RENAME: return sys_rename(m, cpu);
    case SYS_CLOCK: return (s64)(m->now / 10000000);
    case SYS_TIME: return (s64)(m->rtc_base + m->now / 1000000000);
    case SYS_ERRNO: return m->semihost_errno;
    case SYS_GET_CMDLINE: return sys_cmdline(m, cpu);
    case SYS_HEAPINFO: return sys_heapinfo(m, cpu);
    case SYS_EXIT:
    case SYS_EXIT_EXTENDED: return sys_exit(m, cpu);
    case SYS_SYNCCACHE: return 0;
    case SYS_ELAPSED: return sys_elapsed(m, cpu);
    case SYS_TICKFREQ: return 1000000000;
    default: return failed(m, ERR_NOSYS);
    }
}

bool semihost_call(struct machine *m, struct cpu *cpu)
{
    cpu->x[0] = (u64)operation(m, cpu);
    return true;
}
