/* A machine with a host that records what it is asked: for the tests of the board. */
#ifndef TESTS_UNIT_BOARD_FIXTURE_H
#define TESTS_UNIT_BOARD_FIXTURE_H

#include "board/boot/boot.h"
#include "board/machine.h"

#include <check.h>
#include <stdlib.h>

enum { FIXTURE_DISK = 64 * 1024 };

struct fixture {
    struct machine *m;
    char out[ALL_PORTS][1024];
    unsigned out_used[ALL_PORTS];
    const char *in[ALL_PORTS]; /* NULL or what is still to be typed */
    u8 disk[FIXTURE_DISK];
    unsigned flushes, unmaps; /* of the disk */
    u64 idle_until;           /* what the last idle call asked for */
};

static void fixture_output(void *ctx, unsigned port, u8 byte)
{
    struct fixture *f = ctx;
    if (f->out_used[port] + 1 < sizeof(f->out[port]))
        f->out[port][f->out_used[port]++] = (char)byte;
}

static int fixture_input(void *ctx, unsigned port, bool waiting)
{
    (void)waiting;
    struct fixture *f = ctx;
    return f->in[port] && *f->in[port] ? (u8)*f->in[port]++ : -1;
}

static u64 fixture_idle(void *ctx, u64 now, u64 until)
{
    (void)now;
    ((struct fixture *)ctx)->idle_until = until;
    return until;
}

static bool fixture_disk_read(void *ctx, unsigned disk, u64 offset, void *data, u64 size)
{
    ck_assert(disk == 0 && offset <= FIXTURE_DISK && size <= FIXTURE_DISK - offset);
    memcpy(data, ((struct fixture *)ctx)->disk + offset, size);
    return true;
}

static bool fixture_disk_write(void *ctx, unsigned disk, u64 offset, const void *data, u64 size)
{
    ck_assert(disk == 0 && offset <= FIXTURE_DISK && size <= FIXTURE_DISK - offset);
    memcpy(((struct fixture *)ctx)->disk + offset, data, size);
    return true;
}

static bool fixture_disk_flush(void *ctx, unsigned disk)
{
    ck_assert(disk == 0);
    ((struct fixture *)ctx)->flushes++;
    return true;
}

static bool fixture_disk_zero(void *ctx, unsigned disk, u64 offset, u64 size, bool unmap)
{
    struct fixture *f = ctx;
    ck_assert(disk == 0 && offset <= FIXTURE_DISK && size <= FIXTURE_DISK - offset);
    memset(f->disk + offset, 0, size);
    f->unmaps += unmap;
    return true;
}

/* The configuration that fixture_open uses, for tests that change something in it first. */
static inline struct machine_config *fixture_config(struct fixture *f)
{
    struct machine_config *c = calloc(1, sizeof(*c));
    ck_assert_ptr_nonnull(c);
    *c = (struct machine_config){
        .cpu = "cortex-a57", .options = { .cpu_count = 1, .ram_size = 16 << 20, .rtc_base = 1000, .gic_version = 3 }
    };
    c->host = (struct machine_host){ .ctx = f,
                                     .output = fixture_output,
                                     .input = fixture_input,
                                     .idle = fixture_idle,
                                     .disk_read = fixture_disk_read,
                                     .disk_write = fixture_disk_write,
                                     .disk_flush = fixture_disk_flush,
                                     .disk_zero = fixture_disk_zero };
    c->options.disk[0] = (struct disk_option){ .size = FIXTURE_DISK, .serial = "serial" };
    c->virtio[0] = (struct virtio_config){ .kind = VIRTIO_BLK, .unit = 0, .slot = -1 };
    c->virtio[1] = (struct virtio_config){ .kind = VIRTIO_CONSOLE, .unit = row_ports(), .slot = -1 };
    c->virtio[2] = (struct virtio_config){ .kind = VIRTIO_RNG, .slot = -1 };
    c->virtio_count = 3;
    return c;
}

/* Makes the machine and lets go of the configuration. */
static inline void fixture_make(struct fixture *f, struct machine_config *c)
{
    char error[256];
    f->m = machine_create(c, error);
    ck_assert_msg(f->m != NULL, "%s", error);
    free(c);
}

static inline struct fixture *fixture_open(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    fixture_make(f, fixture_config(f));
    return f;
}

static inline void fixture_close(struct fixture *f)
{
    machine_destroy(f->m);
    free(f);
}

/* A field of a device's saved state, by its name. */
static inline void *device_field(struct fixture *f, unsigned row, unsigned n, const char *name)
{
    const struct kind *kind = row_get(row)->kind;
    for (u32 k = 0; k < kind->state.count; k++)
        if (!strcmp(kind->state.field[k].name, name))
            return (u8 *)place_state(f->m, (struct place){ (u16)row, (u16)n }) + kind->state.field[k].offset;
    ck_abort_msg("%s has no field %s", kind->name, name);
    return NULL;
}

/* When a device's timer falls due, and the moment at which it does. */
static inline u64 timer_due(struct fixture *f, unsigned row, unsigned n, unsigned timer)
{
    return machine_timer(f->m, (struct place){ (u16)row, (u16)n }, timer);
}
static inline void timer_comes(struct fixture *f, unsigned row, unsigned n, unsigned timer)
{
    struct place at = { (u16)row, (u16)n };
    f->m->now = f->m->d.cpu[0].d.now = machine_timer(f->m, at, timer);
    bus_timers_run(f->m);
}

/* Device registers, as PE 0 (Non-secure) sees them. */
static inline bool bus_get(struct fixture *f, u64 pa, unsigned size, u64 *value)
{
    return bus_ops.read(f->m, pa, size, (struct phys_attrs){ .ns = 1 }, value);
}

static inline u64 bus_r(struct fixture *f, u64 pa)
{
    u64 value = 0;
    ck_assert_msg(bus_get(f, pa, 4, &value), "nothing answers at 0x%llx", (unsigned long long)pa);
    return value;
}

static inline void bus_w(struct fixture *f, u64 pa, u64 value)
{
    ck_assert_msg(bus_ops.write(f->m, pa, 4, (struct phys_attrs){ .ns = 1 }, value), "nothing answers at 0x%llx",
                  (unsigned long long)pa);
}

/* RAM as a debugger sees it, little-endian. */
static inline void poke(struct fixture *f, u64 pa, u64 value, unsigned size)
{
    u8 bytes[8];
    store_le64(bytes, value);
    ck_assert(phys_copy_in(&f->m->d.phys, pa, bytes, size));
}
static inline u64 peek(struct fixture *f, u64 pa, unsigned size)
{
    u8 bytes[8] = { 0 };
    ck_assert(phys_copy_out(&f->m->d.phys, pa, bytes, size));
    return load_le64(bytes);
}

/* A state that has `value` in a field is no state of this machine `f`; with what the field held before it is. */
#define WRONG(field, value)                                                                                            \
    do {                                                                                                               \
        __typeof__(field) keep_ = field;                                                                               \
        field = (__typeof__(field))(value);                                                                            \
        ck_assert_msg(machine_validate(f->m) != NULL, "%s", #field);                                                   \
        field = keep_;                                                                                                 \
        ck_assert_ptr_null(machine_validate(f->m));                                                                    \
    } while (0)

#endif
