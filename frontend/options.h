/*
 * The command line: QEMU's option names and elmu's own, into one struct. Rows in options.def.
 */
#ifndef FRONTEND_OPTIONS_H
#define FRONTEND_OPTIONS_H

#include "board/boot/boot.h"
#include "board/dev/fw_cfg.h"
#include "board/machine.h"
#include "debug/trace/trace.h"
#include "frontend/display/display.h"
#include "frontend/share.h"

enum { MAX_CHARDEVS = 32, MAX_SENDS = 256, MAX_SERIALS = 16, MAX_MONITORS = 8, MAX_FOLDERS = 16,
       MAX_PICTURES = 32, OPTION_TEXT = 4096 };

enum { GIVEN_CPU = 1, GIVEN_SMP = 2, GIVEN_MEMORY = 4, GIVEN_VIRTUALIZATION = 8, GIVEN_SECURE = 16, GIVEN_SEMIHOSTING = 32,
       GIVEN_RESET = 64, GIVEN_HIGHMEM = 128, GIVEN_GIC = 256, GIVEN_ITS = 512, GIVEN_IOMMU = 1024,
       GIVEN_STAGE = 2048, GIVEN_ACPI = 4096, GIVEN_HIGH = 8192, GIVEN_COMPACT = 16384, GIVEN_SLOTS = 32768 };

#define ELMU_VERSION "0.1.0"
#define DATA_FOLDER "/usr/share/qemu" /* where firmware is installed, under the names that -bios is given */
#define MACHINE_NAMES "virt virt-6.0 virt-6.1 virt-6.2 virt-7.0 virt-7.1 virt-7.2"
#define CPU_UNTAGGED ",mte2=off" /* what -machine mte=off adds to -cpu */

/* A back end of consoles and monitors: frontend/chardev.h. */
struct char_kind;
struct char_config {
    const struct char_kind *kind;
    char id[64], path[512], logfile[512];
    char host[256], port[32], localaddr[256], localport[32]; /* a socket without a port is a path */
    bool mux;                                                /* several sit on it; Ctrl-A is a key of elmu's */
    bool no_signals;                                         /* Ctrl-C goes to the guest */
    bool server, nowait, telnet, delay, ipv4, ipv6;
    bool append, logappend;
    s32 reconnect; /* seconds; 0: never */
    u64 size;      /* of a ringbuf, bytes */
};
/* Who is at a monitor's other end: people, or a program (control: QMP). */
struct mon_config {
    char chardev[64], mode[16];
    bool control, pretty;
};

enum drive_interface { DRIVE_VIRTIO, DRIVE_NONE, DRIVE_PFLASH };
/* -drive, -blockdev, -hda ...: a disk's bytes, and what plugs them in. */
struct drive_config {
    char id[64], file[1024];
    char format[16];   /* "": to be found out */
    char protocol[16]; /* where its bytes are: a name of disks.c */
    char serial[21];
    enum drive_interface interface;
    bool readonly, snapshot;
    bool unlocked;    /* file.locking=off */
    bool unmap;       /* discard=unmap */
    bool through;     /* cache=writethrough, directsync */
    bool unflushed;   /* cache=unsafe, cache.no-flush=on */
    bool has_size;    /* size= of raw and null-co */
    u64 size, offset; /* bytes */
    struct {
        s32 bits; /* 12, 16, 32; 0: 16, of a floppy 12 */
        bool floppy, rw;
        char label[12];
    } fat;     /* of vvfat: `file` is a folder */
    s32 index; /* -1: the next */
};

/* -netdev and the ends that -nic and -net make; -object filter-dump. */
enum { MAX_NETDEVS = 32, MAX_DUMPS = 8 };
struct netdev_kind;
struct netdev_config {
    char id[64], peer[64];          /* peer: the end that a port of a hub takes along, or "" */
    const struct netdev_kind *kind; /* frontend/net.h */
    void *properties;               /* as its rows fill them */
    int hub;                        /* -1: none */
};
struct dump_option {
    char id[64], netdev[64], file[1024];
    u64 most; /* bytes of a frame that are kept */
};

/* -fsdev and -virtfs: a folder for a virtio-9p device. */
struct share_option_given {
    char id[64];
    struct share_config config;
};

/* Whose devices come first. */
enum device_made_by { BY_NIC, BY_DEVICE, BY_DRIVE, MADE_BY };
struct device_config {
    enum virtio_kind kind;
    char drive[64], chardev[64], netdev[64], serial[21];
    char fsdev[64], mount_tag[33];      /* of a share: at most 32 bytes */
    char display[64], input_serial[63]; /* of keyboards and pointers; as far as there is room */
    struct net_option net;
    struct gpu_option gpu;
    char path[512]; /* of vhost-vsock: the Unix socket at its other end, or "" */
    u8 balloon;     /* features of virtio-balloon that it offers: machine_options.balloon */
    int slot;       /* of virtio-mmio */
    s32 port_slot;  /* of a root port; chassis of a bridge */
    s32 boot_index; /* when it has one: less is earlier */
    bool boots;
    struct pci_plug plug;    /* without a function: it is no PCI one */
    char id[64], bus[64];    /* of PCI ones: what others name its bus by, and where it is to be */
    bool console;            /* a virtconsole has been given to this virtio-serial device */
    struct disk_option disk; /* what -device says of its disk */
    bool has_mac;            /* net.mac was given */
    u8 made_by;              /* enum device_made_by */
};

/* keys: the text is the -send-keys of a keyboard. */
struct send {
    char *after, *text;
    bool keys;
};

/* -fw_cfg: one of file and string is set. */
struct item_option {
    char *name, *file, *string;
};
struct loader_option {
    char *file, *append;
    const char *guest; /* of guest-loader: what it is; or NULL */
    u64 addr, data;
    s32 data_len, cpu; /* cpu: -1 none */
    bool has_addr, has_data, force_raw;
};

struct domain_option {
    char *kernel, *initrd, *append;
    u64 mem; /* MiB */
    s32 vcpus;
    bool dom0;
};

/* -object memory-backend-*: a size with a name. */
enum { MAX_BACKENDS = 4 };
struct backend_option {
    char *id;
    u64 size;
};

/* -picture: a view of the machine as a file. */
struct picture_option {
    char view[32], words[256], file[1024], theme[16], size[16];
    u64 at; /* instructions */
    bool at_given;
};

struct options {
    struct vnc_config vnc;
    struct display_config display;
    bool machine_given, nographic, nodefaults, daemonize, no_reboot, no_shutdown, stats, list_done;
    bool plain_dtb /* without random nodes */, untagged, gic_max /* gic-version=max */;
    struct backend_option backend[MAX_BACKENDS];
    unsigned backend_count, numa_nodes;
    char *memory_backend, *numa_memdev[128]; /* -machine memory-backend=, -numa node,memdev=: names, or NULL */
    const char *global[32];                  /* DRIVER.PROPERTY=VALUE */
    unsigned global_count;
    struct machine_options machine; /* what the guest can see, but disks and devices */
    u32 given;                      /* GIVEN_*: what -restore must not contradict */
    char cpu[512], dumpdtb[1024];
    u64 max_insns;
    enum engine engine;
    struct tier2_config tier2; /* hot: 0 without it */
    bool tier2_asked;
    const char *program; /* what it was called as */
    const char *bios, *kernel, *initrd, *dtb, *append;
    char semihost_line[OPTION_TEXT], semihost_chardev[64];
    char serial[MAX_SERIALS][64]; /* chardevs by their id; "": none */
    unsigned serial_count;
    struct char_config chardev[MAX_CHARDEVS];
    unsigned chardev_count;
    struct mon_config mon[MAX_MONITORS];
    unsigned mon_count;
    bool mon_given; /* or that there shall be none */
    struct drive_config drive[MAX_DISKS];
    unsigned drive_count;
    bool snapshot; /* -snapshot: of all of them */
    struct netdev_config netdev[MAX_NETDEVS];
    unsigned netdev_count;
    struct dump_option dump[MAX_DUMPS];
    unsigned dump_count;
    bool net_cut; /* nothing is sent to networks or comes from there; no folder is shared */
    struct share_option_given share[MAX_SHARES];
    unsigned share_count;
    struct device_config device[VIRTIO_SLOTS + PCI_PLUGS];
    unsigned device_count;
    struct loader_option loader[MAX_LOADERS];
    struct item_option item[MAX_ITEMS];
    unsigned item_count;
    struct boot_menu boot;
    u8 uuid[16];
    struct smbios_told smbios;
    u64 smbios_fields[SMBIOS_TYPES / 64], smbios_files[SMBIOS_TYPES / 64]; /* sets of types: who tells of them */
    const char *accel_refused; /* -accel, -enable-kvm: something else than tcg, or NULL */
    bool accel_tcg;
    unsigned loader_count;
    struct domain_option domain[MAX_DOMAINS];
    unsigned domain_count;
    char screendump[512]; /* "": none */
    u64 screendump_screen;
    bool sandbox;       /* -sandbox on */
    u32 sandbox_groups; /* what it lets be done besides: bits, by enum sandbox_group */
    const char *until, *pidfile;
    const char *report, *report_walk; /* -report: the page's file; walks that it shows, `;` between them */
    const char *at_end;               /* monitor commands, `;` between them */
    const char *folder[MAX_FOLDERS];  /* -L */
    unsigned folder_count;
    u8 escape_key;                  /* -echr: 1 is Ctrl-A */
    char name[256];                 /* -name: "" */
    const char *loadvm, *snapshots; /* a snapshot's name; the folder where such are, or NULL */
    const char *gdb, *snapshot_save, *restore, *record, *replay;
    bool stopped, log_given; /* -S, -d */
    struct send send[MAX_SENDS];
    unsigned send_count;
    char *after; /* given, waiting for its --send */
    struct trace_config trace;
    struct picture_option picture[MAX_PICTURES];
    unsigned picture_count;
};

/* What -global says, wherever it stands among the words. */
void globals_read(struct options *o, int argc, char **argv);
/* Reads the command line into zeros. False: ends with `status` now (help was printed); errors do not return. */
bool options_parse(struct options *o, int argc, char **argv, int *status);

/* The functions of options that need more than a row. name: as in the row; arg: "" when it takes none. */
typedef void option_fn(struct options *o, const char *name, const char *arg);
#define CALL(function) option_fn function;
#define OPTION(name, argument, how, help) how
#define OWN_OPTION                        OPTION
#include "frontend/options.def"

/* An option, as if it were on the command line; dies when there is none of that name. */
void option_given(struct options *o, const char *name, const char *arg);
/* frontend/options_config.c: each -set of the command line is added to the option that it names. */
void options_set_apply(int argc, char **argv);
/* frontend/options_host.c: a file, or that of its name in a folder of -L. */
const char *option_file(const struct options *o, const char *file);
/* frontend/options_device.c: the device that -drive if=virtio makes; that -virtfs makes. */
void device_of_drive(struct options *o, const struct drive_config *d);
void device_of_share(struct options *o, const char *fsdev, const char *tag);
/* Each name that -device takes, with what is said of it ("bus ..."); the properties of one, none: no such name; the
 * name of a device that was made. */
void models_each(void (*see)(void *ctx, const char *name, const char *words), void *ctx);
struct property_list;
struct property_list device_properties(const char *model);
void device_model(const struct device_config *d, char *text, size_t size);
/* frontend/json.c: an object, as the text of an option with the same properties: those of an object within are named
 * by its own name before a dot. Dies when it is not one, or its text does not fit. */
void json_flatten(const char *option, const char *json, char *text, size_t room);
/* frontend/options_machine.c: one word more on the command line that a semihosting guest is told. */
void semihost_word(struct options *o, const char *option, const char *word);
/* frontend/options_sandbox.c: from here on the process may do what the guest's run needs and no more; dies when that
 * cannot be had. Nothing without -sandbox. May commands be run then? */
void sandbox_begin(const struct options *o);
bool sandbox_spawns(const struct options *o);
/* frontend/options_net.c: what is at the other end of a vhost-vsock device. */
void vsock_end_add(struct options *o, struct device_config *d);
/* frontend/options_firmware.c: as people write it. */
enum { UUID_TEXT = 40 };
const char *uuid_text(const u8 uuid[16], char text[UUID_TEXT]);
/* frontend/options_share.c: what a virtio-9p device must name. Dies when it does not. */
void device_share_check(const char *option, const struct device_config *d);
/* frontend/options_net.c: -object filter-dump; a property mac=. */
void object_dump(struct options *o, const char *arg);
void mac_read(u8 mac[6], const char *option, const char *text);
/* Asks for a list of what there is: "?" or "help". */
bool option_is_query(const char *arg);
/* Prints words from column `left` on, below what stands there already (`used` columns) when that reaches it; lines have
 * at most 100 columns. */
void help_words(int used, int left, const char *words);
/* Prints the options as a table. */
void options_list(void);
/* frontend/version.c: "0.1.0 (commit)". */
const char *version_words(void);
/* frontend/ends.c: prints the exit statuses. */
void status_help(void);
/* frontend/options_trace.c: what must go together. */
void options_trace_check(const struct options *o);

/* One line on standard error, status 1. */
/* After all options: RAM is that of the backends that they name. */
void memory_complete(struct options *o);
/* The same of the GIC: what gic-version=max is. */
void gic_complete(struct options *o);
/* ... display_complete (frontend/display/display.h), and consoles that nobody asked for are there. */
void consoles_complete(struct options *o);
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* frontend/list.c: prints a table; false: no table of that name. */
bool list_print(const char *what);

/* frontend/suboption.c: "key=value,..." one by one; ",," is a comma. A first word without `=` gets the key `first`
 * (NULL: it is a key whose value is "on"). False: at the end. */
struct suboption {
    char key[64], value[OPTION_TEXT];
};
bool suboption_next(const char **text, const char *first, struct suboption *s);
/* Is it one of these, which blanks separate? */
bool word_among(const char *words, const char *word);
/* Is it that name? People write `_` for `-`, as QEMU did once. */
bool option_name_is(const char *name, const char *given);
bool suboption_bool(const char *option, const struct suboption *s);
/* A number, any base, perhaps with K, M, G, T; `unit` multiplies a number without suffix. */
u64 suboption_number(const char *option, const char *text, u64 unit);

#endif
