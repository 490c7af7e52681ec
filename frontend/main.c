/* elmu: from the command line to a machine that runs, and from how it ended to an exit status. */
#include "frontend/display/display.h"
#include "frontend/input.h"
#include "frontend/net.h"
#include "frontend/report.h"
#include "frontend/screendump.h"

#include <errno.h>
#include <fenv.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static void exception_seen(void *ctx, struct cpu *cpu, const struct exc *exc)
{
    stats_exception(((struct frontend *)ctx)->stats, cpu, exc);
}

/* What traces have said comes before it, in case they share a file with the console. What a snapshot waits for comes
 * first, too: what is typed then is not in it. */
static void output(void *ctx, unsigned port, u8 byte)
{
    struct frontend *f = ctx;
    f->console.ends.direct = session_flush(f->session);
    f->console.saving = session_output(f->session, port, byte);
    report_output(f->report, port, byte);
    console_output(ctx, port, byte);
}

static void note(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "elmu: %s\n", text);
}

static void poll_all(void *ctx)
{
    struct frontend *f = ctx;
    session_fds(f->session, f->console.ends.wake);
    console_poll(ctx);
    if (display_look(f->display, false))
        machine_input_kick(f->console.m);
    session_poll(f->session);
}

/* gdb may have come or gone since the last look: who sleeps must hear it. */
static u64 idle(void *ctx, u64 now, u64 until)
{
    struct frontend *f = ctx;
    session_fds(f->session, f->console.ends.wake);
    u64 to = console_idle(ctx, now, until);
    session_called(f->session);
    return to;
}

static struct blob blob_of(const char *what, const char *name)
{
    return name ? file_read(what, name) : (struct blob){ 0 };
}

/* All files are read before anything else happens. */
static void boot_read(const struct options *o, struct boot_config *b)
{
    b->bios = blob_of("-bios", option_file(o, o->bios));
    b->kernel = blob_of("-kernel", o->kernel);
    b->initrd = blob_of("-initrd", o->initrd);
    b->dtb = blob_of("-dtb", option_file(o, o->dtb));
    b->append = o->append;
    b->roms = calloc(1, sizeof(*b->roms));
    if (!b->roms)
        die("out of memory");
    b->plain_dtb = o->plain_dtb;
    b->loader_count = o->loader_count;
    for (unsigned n = 0; n < o->loader_count; n++) {
        const struct loader_option *l = &o->loader[n];
        b->loader[n] = (struct boot_loader){ blob_of(l->guest ? "-device guest-loader" : "-device loader", l->file),
                                             l->addr,
                                             l->data,
                                             l->data_len,
                                             l->has_addr,
                                             l->force_raw,
                                             l->cpu,
                                             l->guest,
                                             l->append };
    }
    b->nographic = o->nographic;
    b->empty = o->stopped;
    b->boot = o->boot;
    memcpy(b->uuid, o->uuid, sizeof(b->uuid));
    b->smbios = o->smbios;
    b->item_count = o->item_count;
    for (unsigned n = 0; n < o->item_count; n++) {
        const struct item_option *i = &o->item[n];
        b->item[n] = (struct boot_item){ i->name, blob_of("-fw_cfg", i->file) };
        if (i->string)
            b->item[n].file = (struct blob){ i->name, (const u8 *)i->string, strlen(i->string), 0 };
    }
    b->domain_count = o->domain_count;
    for (unsigned n = 0; n < o->domain_count; n++) {
        const struct domain_option *d = &o->domain[n];
        const char *name = d->dom0 ? "-xen-dom0" : "-xen-domu";
        b->domain[n] =
            (struct boot_domain){ d->dom0, blob_of(name, d->kernel), blob_of(name, d->initrd), d->append, d->mem,
                                  d->vcpus };
    }
}

static void options_check(const struct options *o)
{
    if (o->accel_refused && !o->accel_tcg)
        die("%s: not supported (only tcg, which stands for elmu's own engine)", o->accel_refused);
    if (o->stopped && !o->gdb && !o->mon_count)
        die("-S: needs -gdb, -s or -monitor: nothing else could start the machine");
    if (!o->kernel && (o->initrd || o->append || o->domain_count))
        die("%s: needs -kernel", o->initrd ? "-initrd" : o->append ? "-append" : "-xen-dom0, -xen-domu");
    options_trace_check(o);
}

/* Drives of if=pflash in the banks that index= or unit= names, else in the next. */
static void flash_set(const struct options *o, struct machine_config *c)
{
    u8 *banks = c->options.flash_disk;
    unsigned next = 0;
    for (unsigned n = 0; n < o->drive_count; n++) {
        const struct drive_config *d = &o->drive[n];
        if (d->interface != DRIVE_PFLASH)
            continue;
        next = d->index >= 0 ? (unsigned)d->index : next;
        if (next >= ARRAY_LEN(c->options.flash_disk) || banks[next])
            die("-drive if=pflash,file=%s: bank %u is taken or does not exist (there are 2)", d->file, next);
        if (c->options.disk[n].size > row_get(ROW_flash)->size)
            die("-drive if=pflash,file=%s: is larger than the bank of 64 MiB", d->file);
        if (next == 0 && o->bios)
            die("The contents of the first flash device may be specified with -bios or with -drive if=pflash... but "
                "you cannot use both options at once");
        banks[next++] = (u8)(n + 1);
    }
}

static void config_make(const struct options *o, struct frontend *f, struct machine_config *c)
{
    c->cpu = o->cpu;
    c->options = o->machine;
    c->engine = o->engine;
    c->tier2 = o->tier2;
    c->tier2.count = o->stats;
    c->semihost_line = o->semihost_line;
    c->host.ctx = f;
    c->host.output = output;
    c->host.input = console_input;
    c->host.input_comes = console_input_comes;
    c->host.poll = poll_all;
    c->host.idle = idle;
    c->host.listens = console_listens;
    c->host.note = note;
    if (o->stats)
        c->host.exception = exception_seen;
    hostfiles_set(&c->host);
    f->disks = disks_open(o, c);
    flash_set(o, c);
    c->options.firmware |= o->bios || c->options.flash_disk[0];
    f->nets = f->console.nets = nets_open(o, c);
    f->shares = shares_open(f, c);
    f->inputs = f->console.inputs = inputs_open(c);
    devices_set(o, c, f);
}

static struct machine *machine_make(const struct options *o, struct frontend *f)
{
    static struct machine_config config;
    char error[256];
    config_make(o, f, &config);
    struct machine *m = machine_create(&config, error);
    if (!m)
        die("%s", error);
    if (m->d.tier2_none && (o->tier2_asked || o->log_given))
        fprintf(stderr, "elmu: no second tier (-engine tier2): %s; the threaded engine runs\n", m->d.tier2_none);
    return m;
}

static void files_each(const struct boot_config *boot, void (*call)(const struct blob *file))
{
    call(&boot->bios);
    call(&boot->kernel);
    call(&boot->initrd);
    call(&boot->dtb);
    for (unsigned n = 0; n < boot->loader_count; n++)
        call(&boot->loader[n].file);
    for (unsigned n = 0; n < boot->item_count; n++)
        call(&boot->item[n].file);
    for (unsigned n = 0; n < boot->domain_count; n++) {
        call(&boot->domain[n].kernel);
        call(&boot->domain[n].initrd);
    }
}

/* The files stay open for a reset, but not in memory beside the guest's copy. */
static void load(struct machine *m, const struct boot_config *boot)
{
    char error[BOOT_ERROR];
    files_each(boot, file_check);
    if (!boot_load(m, boot, error)) {
        if (boot->kernel.name && strstr(error, boot->kernel.name))
            die("%s (could not load kernel '%s')", error, boot->kernel.name);
        die("%s", error);
    }
    files_each(boot, file_idle);
}

/* The tree as it was put into RAM, of FDT_SIZE bytes at most; 0: none was. */
static u64 dtb_loaded(struct machine *m, const struct roms *roms, u8 *out)
{
    for (unsigned n = 0; n < roms->count; n++)
        if (roms->rom[n].part == ROM_TREE && phys_copy_out(&m->d.phys, roms->rom[n].address, out, FDT_SIZE))
            return load_be32(out + 4); /* of the header: totalsize */
    return 0;
}

/* -machine dumpdtb=: the tree that the guest is handed; without a kernel that is handed one, as it is before a boot
 * adds to it. The modules of Xen's domains are left out. And that is the end. */
static void dtb_dump(struct machine *m, const struct options *o, const struct boot_config *read)
{
    static u8 dtb[FDT_SIZE];
    char error[BOOT_ERROR];
    struct boot_config config = *read;
    config.domain_count = 0;
    if (config.kernel.data)
        load(m, &config);
    u64 size = dtb_loaded(m, config.roms, dtb);
    if (!size) {
        struct fdt_boot boot = { .append = o->append, .config = &config };
        m->conduit = m->options.secure ? CONDUIT_NONE : m->options.virtualization ? CONDUIT_SMC : CONDUIT_HVC;
        size = fdt_make(m, &boot, NULL, dtb, error);
    }
    if (!size)
        die("%s", error);
    file_write(o->dumpdtb, dtb, size);
}

/* The words that the guest is told: those of arg=, else the program and what -append says. */
static void semihost_words(struct options *o)
{
    const char *program = o->kernel;
    for (unsigned n = 0; !program && n < o->loader_count; n++)
        program = o->loader[n].file;
    if (o->semihost_line[0] || o->machine.semihosting == SEMIHOSTING_OFF || !program)
        return;
    semihost_word(o, "-semihosting", program);
    for (const char *word = o->append ? o->append : ""; *word;) {
        char text[OPTION_TEXT];
        word += strspn(word, " ");
        size_t length = strcspn(word, " ");
        snprintf(text, sizeof(text), "%.*s", (int)(length < sizeof(text) ? length : sizeof(text)), word);
        if (length)
            semihost_word(o, "-append", text);
        word += length;
    }
}

struct machine *machine_load(struct options *o, struct frontend *f, struct boot_config *boot)
{
    char error[256];
    memory_complete(o);
    gic_complete(o);
    options_check(o);
    if (!o->restore && !machine_can_be(o->machine, o->cpu, error))
        die("%s", error);
    semihost_words(o);
    boot_read(o, boot);
    struct machine *m = machine_make(o, f);
    if (!o->dumpdtb[0] && !o->restore) /* a restored machine has its images; they are loaded when it is reset */
        load(m, boot);
    return m;
}

static void restart(struct machine *m, struct frontend *f, const struct boot_config *boot)
{
    machine_reset(m);
    inputs_forget(f->inputs);
    hostfiles_close(&f->files);
    load(m, boot);
    session_restarted(f->session);
}

/* Runs, over resets, to the end. */
static struct run_end run(struct machine *m, struct frontend *f, const struct options *o,
                          const struct boot_config *boot)
{
    for (;;) {
        struct run_end end = session_run(f->session, o->max_insns);
        if (end.kind != END_RESET || o->no_reboot)
            return end;
        restart(m, f, boot);
    }
}

/* Does the program stay when the machine is off (-no-shutdown), or when its run is over that somebody looks at? */
static bool stays(const struct options *o, const struct run_end *end)
{
    bool looked = o->display.shows == DISPLAY_MACHINE && end->kind != END_RESET;
    return (looked && end->kind != END_REQUEST && end->kind != END_ERROR) || (o->no_shutdown && end->kind == END_OFF);
}

/* True: the machine goes on all the same. */
static bool stay(struct frontend *f, const struct run_end *end, const struct options *o, struct machine *m,
                 const struct boot_config *boot)
{
    bool reset;
    session_ended(f->session, end);
    if (!stays(o, end) || !session_stay(f->session, &reset))
        return false;
    if (reset)
        restart(m, f, boot);
    return true;
}

/* A closed standard stream would become the first file that is opened. */
static void streams_open(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            exit(1);
}

int main(int argc, char **argv)
{
    static struct options o;
    static struct boot_config boot;
    static struct frontend f;
    int status;
    fesetenv(
        FE_DFL_ENV); /* a library made with -ffast-math may have set flush-to-zero: cpu/insn/fp_host.h wants it clear */
    mallopt(M_MMAP_THRESHOLD, 128 << 10); /* as it is at first: else it grows, and large structs are cleared by hand */
    streams_open();
    signal(SIGPIPE, SIG_IGN); /* who reads our output may leave: write says so */
    signal(SIGXFSZ, SIG_IGN); /* a file may be as large as it is allowed to be: likewise */
    files_guard();
    if (argc > 1 && !strcmp(argv[1], "diff"))
        return diff_main(argc - 1, argv + 1);
    char **const given = argv;
    const int words = argc;
    if (argc > 1 && !strcmp(argv[1], "report") && report_main(&argc, &argv, &status))
        return status;
    if (!options_parse(&o, argc, argv, &status))
        return fflush(stdout) && errno != EPIPE ? 1 : status; /* a list that was asked for */
    if (o.daemonize)
        daemon_begin();
    pidfile_write(o.pidfile);
    o.net_cut = o.replay; /* what came from a network or a share comes from the journal */
    snapshots_complete(&o);
    if (o.restore)
        restore_options(&o);
    struct machine *m = machine_load(&o, &f, &boot);
    if (o.dumpdtb[0]) {
        dtb_dump(m, &o, &boot);
        machine_destroy(m);
        disks_close(f.disks);
        nets_close(f.nets);
        shares_close(f.shares);
        inputs_close(f.inputs);
        return 0;
    }
    f.console.roms = boot.roms;
    console_open(&f.console, m, &o);
    f.stats = stats_create();
    f.report = report_create(&o, words, given);
    f.session = session_create(m, &o, &f.console);
    report_begin(f.report, f.session);
    f.display = f.console.ends.display = display_open(&f, m, &o);
    daemon_ready();
    sandbox_begin(&o); /* all is open, and the guest has not begun */
    struct run_end end;
    do {
        end = run(m, &f, &o, &boot);
    } while (stay(&f, &end, &o, m, &boot));
    if (end.kind == END_REQUEST && terminal_signal() && end.status) /* whoever heard of it first */
        end.status = 128 + terminal_signal();
    bool unseen = session_waits(f.session) || (o.until && !f.console.until_seen);
    console_flush(&f.console);
    session_at_end(f.session);
    report_gather(f.report, m, f.session, &end);
    display_close(f.display);
    f.display = f.console.ends.display = NULL;
    bool complete = session_destroy(f.session, end.status);
    f.session = NULL;
    if (o.until && !f.console.until_seen)
        fprintf(stderr, "elmu: --until: the run ended before that text\n");
    complete = console_close(&f.console) && complete;
    hostfiles_close(&f.files);
    status = ends_status(&end, m, &o, unseen);
    status = complete && screendump_at_end(m, &o) ? status : 1;
    if (o.stats)
        stats_print(f.stats, m);
    if (!report_write(f.report, m, status))
        status = 1;
    stats_destroy(f.stats);
    machine_destroy(m);
    nets_close(f.nets);
    shares_close(f.shares);
    inputs_close(f.inputs);
    return disks_close(f.disks) ? status : 1;
}
