/*
 * The machine: processing elements, interrupt controller, timers, devices and memory on one clock, and what its front
 * end lends it (docs/design.md, "State", "Time, processors, input").
 *
 * struct machine is plain data up to `d`; together with the PEs (each plain up to its own `d`) and RAM it is everything
 * that the guest can see. The board does no I/O, reads no clock: the front end does, through struct machine_host.
 */
#ifndef BOARD_MACHINE_H
#define BOARD_MACHINE_H

#include "board/device.h"
#include "board/options.h"
#include "board/dev/virtio.h"
#include "cpu/insn/decode.h"
#include "cpu/model.h"
#include "cpu/state.h"
#include "cpu/tier2/tier2.h"
#include "gic/gic.h"
#include "mmu/phys.h"
#include "timer/timer.h"

/* SLICE_NS: longest run of a PE without a look at the event table. What devices schedule is never nearer than that and
 * the way to the next architectural point (EVENT_MIN_NS), so that no event falls due within the slice that scheduled
 * it, and a run does not depend on where slices were cut. */
enum { QUANTUM_NS = 32768, SLICE_NS = 32768, EVENT_MIN_NS = 40000 };
#define NEVER (~(u64)0)
enum { ROW_NEAR = 64 };
static_assert(ROW_COUNT < 256, "a byte has the number of a row");

enum conduit { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC };
enum { PORT_CONSOLE }; /* the first port: semihosting's console, too, unless it has its own (machine_semihost_port) */

/* Bytes of a network frame, from its destination address on, without a check sequence: an Ethernet header, and with it
 * the largest IP datagram and what there may be of tags. */
enum { FRAME_MIN = 14, FRAME_MAX = 65536 + 64 };

/* Why machine_run came back. */
enum end_kind {
    END_NONE,
    END_OFF,     /* the guest switched the machine off */
    END_RESET,   /* the guest asked for a reset */
    END_EXIT,    /* semihosting or a test device ended the run with `status` */
    END_INSNS,   /* the limit is reached */
    END_ASLEEP,  /* all PEs sleep or are off, no event is to come, no input can come */
    END_LOOP,    /* an exception handler that itself faults, for ever */
    END_REQUEST, /* machine_end was called */
    END_ERROR    /* the host failed */
};
struct run_end {
    enum end_kind kind;
    int status;
    char text[2048]; /* for people; may be empty */
};

/* Shares: the longest message of 9P, bytes; and the room that a share has in the machine's state for what must be
 * remembered, at an address that no PE and no bus master has: first the device's part, then the server's. A part of it
 * that has changed; zeros: all of its bytes are 0 now. */
enum { SHARE_MESSAGE = 128 << 10, SHARE_ROOM = 96 << 20, SHARE_OF_SERVER = 256 << 10 };
struct share_change {
    u32 offset, size;
    bool zeros;
};

/* An event of a keyboard or pointer, as Linux's evdev has them; at most so many happen together, EV_SYN among them. */
enum { INPUT_GROUP = 16 };
struct input_event {
    u16 type, code;
    u32 value;
};

/* What the front end lends. Every function may be NULL but input and output. `ctx` is handed back. */
struct machine_host {
    void *ctx;
    void (*output)(void *ctx, unsigned port, u8 byte);
    /* The next byte of input that is there, or -1. Called when the guest is ready for it; waiting: it does nothing else
     * than wait (all PEs sleep, or it polls), which is when prepared input should come. */
    int (*input)(void *ctx, unsigned port, bool waiting);
    /* Can a port that has no byte now have one later? False: its input has ended, or there is none. */
    bool (*input_comes)(void *ctx, unsigned port);
    /* Called for each byte that entered the guest, with the machine's time in ns: what a replay needs. */
    void (*input_logged)(void *ctx, unsigned port, u8 byte, u64 now);
    /* The power key was pressed. False: it is not to be. */
    bool (*power_key)(void *ctx);
    /* The balloon is to have so many pages. False: it is not to be. */
    bool (*balloon)(void *ctx, u32 pages);
    /* An exception is being taken; cpu is as before it. */
    void (*exception)(void *ctx, struct cpu *cpu, const struct exc *exc);
    /* Once in a while between slices: looks at the world, may call machine_input_kick, machine_end. */
    void (*poll)(void *ctx);
    /* Every PE sleeps until `until` (ns; NEVER: no event is to come). Returns the time to continue at (<= until), or
     * NEVER when until is NEVER and no input can ever come. May sleep host time, may call machine_input_kick. */
    u64 (*idle)(void *ctx, u64 now, u64 until);
    /* NULL: never, or: may input still come, from a person or a socket? */
    bool (*listens)(void *ctx);
    /* NULL, or: something worth to be told while the machine goes on, one line. */
    void (*note)(void *ctx, const char *text);
    /* Disks: offsets and sizes in bytes, whole sectors of 512 within the size given at creation. False: I/O error. */
    bool (*disk_read)(void *ctx, unsigned disk, u64 offset, void *data, u64 size);
    bool (*disk_write)(void *ctx, unsigned disk, u64 offset, const void *data, u64 size);
    bool (*disk_flush)(void *ctx, unsigned disk);
    /* Makes zeros of a range; unmap: it need not take room any more. */
    bool (*disk_zero)(void *ctx, unsigned disk, u64 offset, u64 size, bool unmap);
    /* Networks: a frame of `size` bytes (FRAME_MIN..FRAME_MAX) from adapter `net`. */
    void (*frame_out)(void *ctx, unsigned net, const void *frame, u64 size);
    /* The next frame for it that is there, into `room` bytes: its size; 0: there is none; -size: it is longer than that
     * and stays. */
    s64 (*frame_in)(void *ctx, unsigned net, void *frame, u64 room);
    /* Called for each frame that entered the guest. */
    void (*frame_logged)(void *ctx, unsigned net, const void *frame, u64 size);
    /* Shares: serves a request of 9P (T-message) of `size` bytes, at most SHARE_MESSAGE; the bytes of the answer, which
     * has room for as many; 0: there is none to be had. What the server has to remember it puts into the share's room
     * (machine_share_put). share_change: the nth part of the room that the last request changed. False: no more. */
    u32 (*share_serve)(void *ctx, unsigned share, const void *request, u32 size, void *answer);
    bool (*share_change)(void *ctx, unsigned share, u32 n, struct share_change *change);
    /* Keyboards and pointers: the next events of input device `input` that happened together, EV_SYN last, into `room`
     * of them: how many; 0: there are none now, but at time *again (ns; NEVER unless it is set) there will be;
     * -count: they are more than that and stay. */
    s32 (*events_in)(void *ctx, unsigned input, struct input_event *group, u32 room, u64 *again);
    /* For snapshots of disks whose writes are kept apart from their file. disk_change: the first block of 4 KiB, from
     * `block` on, that was written; -1: none; -2: this disk's writes go to its file. disk_read_file: what the file
     * holds. disk_set: one such block, `size` bytes of it lie in the disk; data NULL: forgets all that were written. */
    s64 (*disk_change)(void *ctx, unsigned disk, u64 block);
    bool (*disk_read_file)(void *ctx, unsigned disk, u64 offset, void *data, u64 size);
    bool (*disk_set)(void *ctx, unsigned disk, u64 block, const void *data, u64 size);
    /* Semihosting files: handles are 0 and up; a negative result is -errno. */
    s64 (*file_open)(void *ctx, const char *name, unsigned mode);
    s64 (*file_close)(void *ctx, s64 handle);
    s64 (*file_read)(void *ctx, s64 handle, void *data, u64 size);        /* bytes read */
    s64 (*file_write)(void *ctx, s64 handle, const void *data, u64 size); /* bytes written */
    s64 (*file_seek)(void *ctx, s64 handle, u64 offset);
    s64 (*file_length)(void *ctx, s64 handle);
    s64 (*file_is_tty)(void *ctx, s64 handle);
    s64 (*file_remove)(void *ctx, const char *name);
    s64 (*file_rename)(void *ctx, const char *from, const char *to);
};

struct virtio_config {
    enum virtio_kind kind;
    unsigned unit; /* disk or port */
    int slot;      /* 0..31, or -1: the highest free one, as QEMU gives them */
    unsigned boot; /* of struct virtio_plug */
};

/* What makes the machine what it is. */
struct machine_config {
    struct machine_options options; /* plug, pci and pa_bits are the machine's to fill */
    const char *cpu;                /* model and features: cpu/model.h */
    enum engine engine;
    struct tier2_config tier2; /* of the threaded engine, where the host has it */
    const char *semihost_line; /* SYS_GET_CMDLINE */
    struct virtio_config virtio[VIRTIO_SLOTS];
    unsigned virtio_count;
    struct pci_plug pci[PCI_PLUGS]; /* `bus`: 0, or 1 and the number of the bridge in this list */
    unsigned pci_count;
    struct machine_host host;
};

struct code;

/* An exception as it was taken. */
struct loop_seen {
    u64 pc, far; /* far: 0 when it has none */
    u32 iss;
    u8 kind, ec, el, target; /* el: where it was taken from */
};
/* Exceptions that a PE takes one in the other, without a return: board/stuck.c. Of no account unless cpu->entered has
 * ENTERED_AGAIN. */
struct loop_watch {
    u64 count;              /* how often `last` was taken again, with nothing else in between */
    u64 insns;              /* of the PE, when it was last taken */
    u64 registers;          /* what the general registers were, mixed */
    u64 memory, memory_at;  /* what RAM and the other registers were, mixed, at that count; 0: not looked */
    struct loop_seen first; /* what began it */
    struct loop_seen last;
    u32 plain; /* the handler does not get beyond its first instruction */
    u32 begun; /* `first` is set */
};

/* What the machine keeps of a PE beside what the PE is. */
struct pe_turns {
    u64 wait_mark; /* what it looked like at the end of its last turn */
    struct loop_watch loop;
    u32 idles;     /* turns in a row that it ended as turn_idles says */
    u32 waits_key; /* its semihosting call waits for console input */
};
static_assert(sizeof(struct loop_seen) == 24 && sizeof(struct loop_watch) == 96 && sizeof(struct pe_turns) == 112,
              "no padding");

/* What the bus asks of a row at each access, in one place. */
struct bus_row {
    u64 base, span; /* bytes that its devices answer for in this machine; 0: it has none */
    const struct kind *kind;
    u8 *state;       /* of its first device */
    u64 state_size;  /* of each */
    const u32 *wire; /* of a single device: the GIC's word with its outputs, as a set from bit wire_first on; or NULL */
    u32 wire_mask;
    u32 intid; /* of the first device's first output */
    u16 number;
    u8 wire_first;
    bool several; /* devices that there could be */
    bool guarded; /* Secure accesses only */
};

struct machine {
    struct machine_options options;
    u32 conduit;  /* enum conduit */
    u32 entry_el; /* of PSCI CPU_ON */
    struct cpu_model model;

    /* clock and turns */
    u64 now; /* ns since reset: instructions retired by all PEs + idle jumps */
    u64 turn_end;
    u64 slice_end; /* of the slice that was cut; 0: between slices */
    u64 look_at;   /* when timers and the event table are looked at next: nothing is due before */
    u32 turn;      /* whose turn it is */
    u32 mid;       /* its slice was cut at an exact instruction, not at an architectural point */
    u32 semihost_errno;
    u32 idle_turns;          /* turns in a row that a PE ended by WFE after next to nothing */
    u32 key_waiters;         /* how many PEs' semihosting calls wait for console input (pe_turns.waits_key) */
    u32 key;                 /* what came for them: a byte + 1, or that there will be none; 0: nothing */
    u32 features_at, pad1;   /* position in ":semihosting-features" */
    u64 heap_low, heap_high; /* RAM that the loader left free: SYS_HEAPINFO */
    u64 random[2];           /* xoroshiro128+ */

    struct pe_turns turns[MAX_CPUS]; /* those of PEs that are there are state, in a section of their own */
    struct timers timers;
    struct gic gic; /* ends with a derived part of its own */

    /* ---- derived, or lent by the host: never saved, never hashed ---- */
    struct machine_derived {
        struct cpu *cpu; /* cpu_count of them */
        struct phys phys;
        struct decoder *decoder;
        struct code *code;
        const char *tier2_none; /* why there is no second tier, where one was asked for; else NULL */
        struct memo *memo;
        struct machine_host host;
        struct run_end end;
        const char *semihost_line;
        u64 poll_in; /* slices until the host is polled */
        u32 in_kick, waiting;
        u32 guest_error; /* enum guest_error, of the access that a device is seeing to */
        u32 ram_count;   /* regions of d.phys that hold what the guest stores, without allocation tags */
        /* The devices' state and timers are state as well: sections of their own (board/state.h). */
        u8 *devices;
        u64 *timer_at; /* absolute ns, or NEVER */
        u64 device_bytes, timer_next;
        u8 *derived; /* of devices (struct kind) */
        u64 derived_bytes;
        u32 derived_at[ROW_COUNT];
        u32 state_at[ROW_COUNT], timers_from[ROW_COUNT], count[ROW_COUNT], timer_count;
        struct pci *pci;     /* what follows from options.pci */
        u64 base[ROW_COUNT]; /* addresses of the rows */
        struct bus_row bus[ROW_COUNT];
        u32 parts;               /* enum when: what the options bring */
        u8 row_near[ROW_NEAR];   /* of the last one at an address that has these bits */
        u32 translator;          /* row that stands between bus masters and memory, or ROW_COUNT */
        bool dma_stalled;        /* the last bus_dma was held back */
        u8 loop_noted[MAX_CPUS]; /* PEs whose loops were told of */
        u64 insns;               /* machine_insns */
        struct cpu_roused roused;
        u64 due[MAX_CPUS]; /* of a PE that sleeps or is off: ns of its next event; 0: to be found. NEVER: none */
        struct observers *observers; /* board/observer.h */
    } d;
};

/* Can there be such a machine: that CPU, as many of them, that GIC, that memory? False: error says what not.
 * machine_create asks it, too; this is for those who want to know before they read files. */
bool machine_can_be(struct machine_options o, const char *cpu, char error[256]);
/* The whole machine, at reset, with empty RAM. NULL: *error says why (at most 256 bytes). */
struct machine *machine_create(const struct machine_config *config, char error[256]);
void machine_destroy(struct machine *m);
/* Devices, GIC, timers and PEs as after power-on; RAM keeps what it holds. The loader then sets the entry. */
void machine_reset(struct machine *m);

/* Memory that devices have for themselves, at an address that no PE and no bus master has: at least `size` bytes;
 * called before the machine first runs. False: there is none, or it was made with less. */
#define STORE_BASE BIT(56)
bool machine_store(struct machine *m, u64 size);

#define SHARE_BASE (STORE_BASE + BIT(48))
/* The room of a share; and writes to it (from NULL: zeros). */
const u8 *machine_share(const struct machine *m, unsigned share);
void machine_share_put(struct machine *m, unsigned share, u64 offset, const void *from, u64 size);

/* Runs until something ends it, or until the PEs have executed `insns` instructions in all since reset (NEVER: no
 * limit). */
struct run_end machine_run(struct machine *m, u64 insns);
/* From within a host callback: machine_run returns soon. The first call counts. */
void machine_end(struct machine *m, enum end_kind kind, int status, const char *text);
/* From within a host callback: there may be new input. */
void machine_input_kick(struct machine *m);
/* The power button: from within poll or idle of the host. */
void machine_power_key(struct machine *m);

/* Does a driver take the events of this input device? */
bool machine_input_there(struct machine *m, unsigned input);

/* Instructions executed by all PEs since reset. */
u64 machine_insns(const struct machine *m);
/* NULL when every index in the state is within its bounds, else what is wrong: a restored state may be hostile. */
const char *machine_validate(const struct machine *m);
/* Of all state and of the RAM pages that are not zero: the same for the same run under every compiler and engine. */
u64 machine_hash(struct machine *m);
/* Of the RAM alone. */
u64 machine_hash_ram(const struct machine *m);
/* Offers prepared input to a guest that can do nothing but wait for it. */
void machine_input_offer(struct machine *m);

/* ---- for the devices ---- */
/* What is wrong with an access: told to who looks in (struct observer), the guest gets what the device gives. */
enum guest_error { ERROR_NONE, ERROR_REGISTER, ERROR_NONSENSE, ERROR_INTERRUPT, ERROR_SIZE,
                   ERROR_COMMAND };
/* Timer n of a device falls due at `when` (ns), not nearer than EVENT_MIN_NS from now; NEVER cancels. */
void machine_timer_set(struct machine *m, struct place at, unsigned n, u64 when);
u64 machine_timer(struct machine *m, struct place at, unsigned n);
void machine_output(struct machine *m, unsigned port, u8 byte);
/* The next input byte of the port, or -1: the only way host input enters. */
int machine_input(struct machine *m, unsigned port, bool waiting);
/* Network frames: struct machine_host has the shapes. machine_frame_in is the only way they enter. */
void machine_frame_out(struct machine *m, unsigned net, const void *frame, u64 size);
s64 machine_frame_in(struct machine *m, unsigned net, void *frame, u64 room);
/* Keys and pointers: struct machine_host has the shape; the only way they enter. */
s32 machine_events_in(struct machine *m, unsigned input, struct input_event *group, u32 room, u64 *again);
/* The guest waits for input, or has listened for long: prepared input may come now. */
void machine_input_offer(struct machine *m);
/* Shares: struct machine_host has the shape. */
u32 machine_share_serve(struct machine *m, unsigned share, const void *request, u32 size, void *answer);
u64 machine_random(struct machine *m);
/* RAM written by another observer than a PE: DMA, semihosting, a debugger. Exclusive monitors of what it covers open.
 * False: not RAM; nothing was copied. */
bool machine_write(struct machine *m, u64 pa, const void *from, u64 size);
/* The same, where it is known that this region holds all of it and may be written. */
void machine_write_ram(struct machine *m, struct phys_region *ram, u64 pa, const void *from, u64 size);

/* Whole pages of RAM that the guest has no use for: they hold zeros. False: not all of it is RAM. */
bool machine_discard(struct machine *m, u64 pa, u64 size);

/* ---- board/bus.c ---- */
extern const struct phys_device_ops bus_ops;
/* From one device of this machine to the next: for (at = PLACE_FIRST; place_next(m, &at);). */
#define PLACE_FIRST ((struct place){ 0, 0xffff })
bool place_next(const struct machine *m, struct place *at);
void *place_state(struct machine *m, struct place at);
/* What it has derived (struct kind). */
void *place_derived(struct machine *m, struct place at);
/* Is what the options bring what this machine was made with? */
bool bus_fits(const struct machine *m);
/* State and timers of all devices. False: no memory. */
bool bus_create(struct machine *m);
void bus_destroy(struct machine *m);
void bus_reset(struct machine *m);
const char *bus_validate(const struct machine *m);
/* The devices' state is another one than it was: what hangs on it is asked again. */
void bus_restored(struct machine *m);
/* A device answered: those who look in hear of it. The bus calls it, and a bus behind it for its own devices. */
void device_tell(struct machine *m, const struct access *a, bool write, u64 value);
/* The interrupt outputs of a device are what its state says. */
void bus_levels(struct machine *m, struct place at);
void bus_input(struct machine *m);
void bus_timers_run(struct machine *m);
/* Will a device's timer write RAM, or, if an interrupt would be heard of, perhaps interrupt? A port that listens waits
 * only for input. */
bool bus_event_comes(struct machine *m, bool heard);
/* m->d.timer_at was written from outside: the time of the first that is due is found again. */
void bus_timers_changed(struct machine *m);
/* Who asks for a DMA access: the stream that an SMMU knows it by, its security state, what else it says. */
struct requester {
    u32 stream;
    u32 substream; /* PASID, when has_substream */
    bool secure;
    bool untranslated; /* past an SMMU: virtio-mmio, or virtio without VIRTIO_F_ACCESS_PLATFORM */
    bool has_substream, privileged, fetch;
    bool again; /* one that is held back it makes again with all that led to it, until bus_settled */
};
enum { STREAM_ALL = 0xffffffff };
/* RAM, past all that translates: for what has tables in memory. False: not RAM, or not for it; nothing was copied. */
bool bus_ram(struct machine *m, bool secure, u64 pa, void *bytes, u64 size, bool write);
/* Where `size` bytes of RAM lie that Non-secure accesses may reach and that never close: to be read. NULL: not there,
 * or not such memory. */
const u8 *bus_ram_host(const struct machine *m, u64 pa, u64 size);
/* An access of `size` bytes by a bus master: to RAM, or an aligned write of 2 or 4 bytes to a device that takes
 * messages (struct kind). False: nothing answers at some byte of it, and nothing was copied; behind an SMMU, nothing
 * from a page on that it does not let through. m->d.dma_stalled then says that the SMMU holds the transaction back: it
 * is to be made again, with what led to it, when pci_resume is called. */
bool bus_dma_of(struct machine *m, const struct requester *by, u64 address, void *bytes, u64 size, bool write);
static inline bool bus_dma(struct machine *m, struct requester by, u64 address, void *bytes, u64 size, bool write)
{
    return bus_dma_of(m, &by, address, bytes, size, write);
}
/* The same past the SMMU, with physical addresses: its own accesses. */
bool bus_dma_physical(struct machine *m, const struct requester *by, u64 pa, void *bytes, u64 size, bool write);
/* The stream makes no transaction again any more: it has come through, or was reset. */
void bus_settled(struct machine *m, u32 stream);
/* An interrupt output that is an edge: high and low again. */
void bus_pulse(struct machine *m, struct place at, unsigned wire);
/* An event for all PEs, as SEV sends it. */
void machine_event(struct machine *m);
/* The same by a device, as its place makes it: a PCI function has an ID and needs to be a bus master, others are behind
 * no SMMU. */
bool device_dma(struct machine *m, struct place at, u64 pa, void *bytes, u64 size, bool write, bool untranslated);

/* Any PE may be able to run, and what it waits for may be another time: something else than the guest changed them. */
void machine_rouse(struct machine *m);
/* The PE with the lowest number from n on that may be able to run; cpu_count: none. */
u32 machine_roused(const struct machine *m, u32 n);
/* The most PEs that a machine of these options can have. */
u32 cpus_most(const struct machine_options *options);
/* PEs of all zeros: the host's memory, which takes none until something is written to it. NULL: there is none. */
struct cpu *cpus_allocate(u32 count);
void cpus_free(struct cpu *cpus, u32 count);

/* ---- board/stuck.c: PEs that get nowhere ---- */
/* struct cpu_host's taken_again. */
void stuck_taken_again(struct cpu *cpu, const struct exc *exc);
/* Between slices: ends the run (END_LOOP) when a PE loops, and nothing that is to come can change anything. */
void stuck_look(struct machine *m);
/* All PEs sleep, and nothing is to come: ends the run (END_ASLEEP). */
void stuck_asleep(struct machine *m);
/* What a PE does or waits for, in words: "is off", "runs", "waits in WFI...". */
void stuck_where(struct machine *m, const struct cpu *cpu, char *text, size_t size);

/* ---- board/psci.c, board/semihost.c: calls that the board answers (cpu_host.call) ---- */
enum board_answer psci_call(struct machine *m, struct cpu *cpu, unsigned ec, u32 imm);
enum board_answer semihost_call(struct machine *m, struct cpu *cpu);
/* The port that semihosting's console is. */
unsigned machine_semihost_port(const struct machine *m);
/* There may be console input for a semihosting call that waits. */
void semihost_input(struct machine *m);
/* One PE from reset to where PSCI or the loader starts it. */
void machine_cpu_enter(struct machine *m, struct cpu *cpu, unsigned el, u64 pc, u64 x0);

#endif
