/*
 * The board's memory map and interrupts, from the rows of virt.def. An address without a row is an external abort, as
 * on QEMU's virt (MEMTX_DECODE_ERROR).
 */
#include "board/machine.h"

#include "cpu/observer.h"

enum { ALWAYS = 0, SECURE = 1 };
#define SPI(n) (n)

static const struct device_row rows[] = {
#define DEVICE(name, type, base, size, count, irq, when, compatible)                                                   \
    { #name, #type, compatible, base, size, count, irq, when },
#define WINDOW(name, base, size, when, compatible) { #name, "gicv3", compatible, base, size, 1, 0, when },
#define RAM(name, base, size, when)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
};

enum row_number {
#define DEVICE(name, ...) ROW_##name,
#define WINDOW(name, ...) ROW_##name,
#define RAM(...)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
};

const struct device_row *virt_device(unsigned n) { return n < ARRAY_LEN(rows) ? &rows[n] : NULL; }

/* The row that answers at pa, or -1. */
static int row_at(const struct machine *m, u64 pa, struct phys_attrs attrs)
{
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++)
        if (pa - rows[n].base < rows[n].size * rows[n].count)
            return rows[n].secure && (!m->secure || attrs.ns) ? -1 : (int)n;
    return -1;
}

static bool gic_window(struct machine *m, int row, u64 offset, unsigned size, struct phys_attrs attrs, bool write,
                       u64 *value)
{
    if (row == ROW_gicd)
        return write ? gic_dist_write(&m->gic, offset, size, attrs, *value)
                     : gic_dist_read(&m->gic, offset, size, attrs, value);
    return write ? gic_redist_write(&m->gic, offset, size, attrs, *value)
                 : gic_redist_read(&m->gic, offset, size, attrs, value);
}

/* After something happened to a device its interrupt line follows its output. */
static void line_update(struct machine *m, unsigned irq, bool level) { machine_spi(m, irq, level); }

static void odd_tell(struct machine *m, const struct device_row *r, u64 offset, unsigned size, struct phys_attrs attrs,
                     bool write, u64 value)
{
    const struct observer *o = m->d.observer;
    const char *what = m->d.odd == ODD_NONSENSE ? "nonsense, the device needs a reset" : "no such register";
    m->d.odd = ODD_NOT;
    if (o && o->odd_access && attrs.cpu < m->cpu_count)
        o->odd_access(o->who, &m->d.cpu[attrs.cpu], r->name, what, offset, size, write, value);
}

static bool access_row(struct machine *m, int row, u64 pa, unsigned size, struct phys_attrs attrs, bool write,
                       u64 *value)
{
    const struct device_row *r = &rows[row];
    u64 offset = pa - r->base;
    struct device_access a = { .offset = offset % r->size, .size = size, .index = (unsigned)(offset / r->size) };
    bool ok = false;
    switch (row) {
#define DEVICE(name, dtype, ...)                                                                                       \
    case ROW_##name: {                                                                                                 \
        struct dtype *dev = &m->name[a.index];                                                                         \
        ok = write ? dtype##_write(m, dev, a, *value) : dtype##_read(m, dev, a, value);                                \
        line_update(m, r->irq + a.index, dtype##_level(dev));                                                          \
        break;                                                                                                         \
    }
#define WINDOW(...)
#define RAM(...)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
    default: ok = gic_window(m, row, offset, size, attrs, write, value);
    }
    if (unlikely(m->d.odd))
        odd_tell(m, r, offset, size, attrs, write, *value);
    return ok;
}

static bool bus_access(struct machine *m, u64 pa, unsigned size, struct phys_attrs attrs, bool write, u64 *value)
{
    int row = row_at(m, pa, attrs);
    if (row < 0)
        return false;
    if (attrs.cpu < m->cpu_count)
        m->now = cpu_now(&m->d.cpu[attrs.cpu]);
    return access_row(m, row, pa, size, attrs, write, value);
}

static bool bus_read(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 *value)
{
    *value = 0;
    bool ok = bus_access(board, pa, size, attrs, false, value);
    *value &= ones(size * 8);
    return ok;
}

static bool bus_write(void *board, u64 pa, unsigned size, struct phys_attrs attrs, u64 value)
{
    value &= ones(size * 8);
    return bus_access(board, pa, size, attrs, true, &value);
}

const struct phys_device_ops virt_bus_ops = { .read = bus_read, .write = bus_write };

void virt_update_irqs(struct machine *m)
{
#define DEVICE(name, dtype, base, size, count, irq, when, compatible)                                                  \
    for (unsigned n = 0; n < count; n++)                                                                               \
        line_update(m, irq + n, dtype##_level(&m->name[n]));
#define WINDOW(...)
#define RAM(...)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
}

void virt_reset(struct machine *m)
{
    m->uart0[0].port = PORT_UART0;
    m->uart1[0].port = PORT_UART1;
    m->sgpio[0].secure = 1;
#define DEVICE(name, dtype, base, size, count, irq, when, compatible)                                                  \
    for (unsigned n = 0; n < count; n++)                                                                               \
        dtype##_reset(&m->name[n]);
#define WINDOW(...)
#define RAM(...)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
    m->rtc[0].base = (u32)m->rtc_base;
}

const char *virt_validate(const struct machine *m)
{
    const char *wrong = NULL;
#define DEVICE(name, dtype, base, size, count, irq, when, compatible)                                                  \
    for (unsigned n = 0; n < count && !wrong; n++)                                                                     \
        wrong = dtype##_validate(&m->name[n]);
#define WINDOW(...)
#define RAM(...)
#include "board/virt.def"
#undef DEVICE
#undef WINDOW
#undef RAM
    return wrong;
}
