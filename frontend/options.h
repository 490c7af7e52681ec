/*
 * The command line: QEMU's option names and elmu's own, into one struct. Rows in options.def.
 */
#ifndef FRONTEND_OPTIONS_H
#define FRONTEND_OPTIONS_H

#include "board/boot.h"
#include "board/machine.h"
#include "debug/trace.h"

enum { MAX_CHARDEVS = 16, MAX_SENDS = 256, MAX_SERIALS = 2, OPTION_TEXT = 4096 };

enum char_kind { CHAR_NONE, CHAR_NULL, CHAR_STDIO, CHAR_FILE, CHAR_UNIX, CHAR_TCP, CHAR_TESTDEV };
struct char_config {
    enum char_kind kind;
    char id[64], path[512], port[32]; /* path: file, socket, or host of TCP */
    bool mux;                         /* mon:stdio: Ctrl-C goes to the guest */
};

struct drive_config {
    char id[64], file[1024];
    bool readonly, snapshot, used;
    unsigned device; /* row of devices: 0 none, else its number + 1 */
};

struct device_config {
    enum virtio_kind kind;
    char drive[64], chardev[64], serial[21];
    int slot;
    bool console; /* a virtconsole has been given to this virtio-serial-device */
};

struct send {
    char *after, *text;
};

struct loader_option {
    char *file;
    u64 addr, data;
    unsigned data_len;
    bool has_addr, force_raw;
    int cpu;
};

struct domain_option {
    char *kernel, *initrd, *append;
    u64 mem;
    unsigned vcpus;
    bool dom0;
};

struct options {
    bool machine_given, nographic, no_reboot, stats, list_done;
    bool virtualization, secure, untagged, semihosting, virtio_modern;
    char cpu[512], dumpdtb[1024];
    unsigned cpus;
    u64 ram_size, seed, rtc_base, max_insns;
    enum engine engine;
    const char *kernel, *initrd, *dtb, *bios, *append;
    char semihost_line[OPTION_TEXT];
    struct char_config serial[MAX_SERIALS];
    unsigned serial_count;
    struct char_config chardev[MAX_CHARDEVS];
    unsigned chardev_count;
    struct drive_config drive[MAX_DISKS];
    unsigned drive_count;
    struct device_config device[32];
    unsigned device_count;
    struct loader_option loader[MAX_LOADERS];
    unsigned loader_count;
    struct domain_option domain[MAX_DOMAINS];
    unsigned domain_count;
    const char *until;
    const char *gdb, *snapshot_save, *restore, *record, *replay;
    bool stopped; /* -S */
    struct send send[MAX_SENDS];
    unsigned send_count;
    const char *after; /* given, waiting for its --send */
    struct trace_config trace;
};

/* Reads the command line. False: ends with `status` now (help was printed); errors do not return. */
bool options_parse(struct options *o, int argc, char **argv, int *status);

/* frontend/traceopts.c: the handlers of the tracing options, and what must go together. */
void opt_trace(struct options *o, const char *name, const char *arg);
void opt_sym(struct options *o, const char *name, const char *arg);
void opt_coverage(struct options *o, const char *name, const char *arg);
void opt_profile(struct options *o, const char *name, const char *arg);
void opt_log(struct options *o, const char *name, const char *arg);
void opt_log_file(struct options *o, const char *name, const char *arg);
void opt_trace_cpu(struct options *o, const char *name, const char *arg);
void opt_trace_el(struct options *o, const char *name, const char *arg);
void opt_trace_vmid(struct options *o, const char *name, const char *arg);
void opt_trace_range(struct options *o, const char *name, const char *arg);
void opt_trace_insns(struct options *o, const char *name, const char *arg);
void opt_trace_start(struct options *o, const char *name, const char *arg);
void opt_trace_stop(struct options *o, const char *name, const char *arg);
void traceopts_check(const struct options *o);

/* One line on standard error, status 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* frontend/list.c: prints a table; false: no table of that name. */
bool list_print(const char *what);

/* frontend/suboption.c: "key=value,..." one by one; ",," is a comma. A first word without `=` gets the key `first`
 * (NULL: it is a key whose value is "on"). False: at the end. */
struct suboption {
    char key[64], value[OPTION_TEXT];
};
bool suboption_next(const char **text, const char *first, struct suboption *s);
bool suboption_bool(const char *option, const struct suboption *s);
/* A number, any base, perhaps with K, M, G, T; `unit` multiplies a number without suffix. */
u64 suboption_number(const char *option, const char *text, u64 unit);

#endif
