/* What `info` of the human monitor shows (frontend/hmp.def), as QEMU lays it out where scripts look for it. */
#include "frontend/hmp.h"
#include "frontend/net.h"

#include "cpu/exception.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- the machine ---- */

void info_status(struct hmp *h)
{
    const char *state = session_state(h->session);
    bool plain = !strcmp(state, "running") || !strcmp(state, "paused");
    text_add(h->out, "VM status: %s%s%s%s\n", strcmp(state, "running") ? "paused" : "running", plain ? "" : " (",
             plain ? "" : state, plain ? "" : ")");
}

/* QEMU's version whose machine this is (frontend/version.c), and what it really is. */
void info_version(struct hmp *h) { text_add(h->out, "7.2.0 (elmu %s)\n", ELMU_VERSION); }
void info_kvm(struct hmp *h) { text_add(h->out, "kvm support: disabled\n"); }

void info_name(struct hmp *h)
{
    if (h->o->name[0])
        text_add(h->out, "%s\n", h->o->name);
}

void info_uuid(struct hmp *h)
{
    char text[UUID_TEXT];
    text_add(h->out, "%s\n", uuid_text(h->o->uuid, text));
}

void info_cpus(struct hmp *h)
{
    static const char *const how[] = { "", ", WFI", ", WFE", ", off" };
    for (u32 n = 0; n < h->m->options.cpu_count; n++) {
        const struct cpu *cpu = &h->m->d.cpu[n];
        text_add(h->out, "%c CPU #%u: thread_id=%d (EL%u, pc 0x%llx%s%s)\n",
                 n == session_debugger(h->session)->cpu ? '*' : ' ', n, (int)getpid(), cpu->ps.el, HEX(cpu->pc),
                 how[cpu->halted & 3], n == h->m->turn ? ", its turn" : "");
    }
}

static void registers_show(struct text *out, const struct cpu *cpu)
{
    u64 ps = cpu_spsr(cpu);
    text_add(out, "\nCPU#%u\n PC=%016llx ", cpu->index, HEX(cpu->pc));
    for (unsigned n = 0; n < 31; n++)
        text_add(out, "X%02u=%016llx%s", n, HEX(cpu->x[n]), n % 3 == 1 ? "\n" : " ");
    text_add(out, " SP=%016llx\nPSTATE=%08x %c%c%c%c EL%u%c  FPCR=%08x FPSR=%08x\n", HEX(cpu->x[REG_SP]), (u32)ps,
             bit(ps, 31) ? 'N' : '-', bit(ps, 30) ? 'Z' : '-', bit(ps, 29) ? 'C' : '-', bit(ps, 28) ? 'V' : '-',
             cpu->ps.el, bit(ps, 0) ? 'h' : 't', cpu->fpcr, cpu->fpsr);
    for (unsigned n = 0; n < 32; n++) {
        u64 v[2];
        memcpy(v, &cpu->v[n], sizeof(v));
        text_add(out, "Q%02u=%016llx:%016llx%s", n, HEX(v[1]), HEX(v[0]), n % 2 ? "\n" : " ");
    }
}

/* [-a | CPU] */
void info_registers(struct hmp *h)
{
    const char *word = hmp_word(h);
    bool all = !strcmp(word, "-a");
    char *end;
    u64 n = word[0] && !all ? strtoull(word, &end, 0) : session_debugger(h->session)->cpu;
    if ((word[0] && !all && *end) || n >= h->m->options.cpu_count) {
        hmp_fail(h, "CPU#%.20s not available", word);
        return;
    }
    for (u32 k = all ? 0 : (u32)n; k <= (all ? h->m->options.cpu_count - 1 : (u32)n); k++)
        registers_show(h->out, &h->m->d.cpu[k]);
}

/* ---- the map ---- */

static const struct mtree_row {
    u8 row;
    u32 offset;
    u64 size;
    const char *type, *name;
} regions[] = {
#define MTREE(row, offset, size, type, name) { ROW_##row, offset, size, type, name },
#include "frontend/mtree.def"
};
enum { REGIONS = 128 };
struct region {
    u64 low, high; /* high: the last byte */
    const struct mtree_row *row;
    u64 within; /* in a region of QEMU's that is larger */
};

static int by_address(const void *a, const void *b)
{
    u64 low = ((const struct region *)a)->low, other = ((const struct region *)b)->low;
    return low < other ? -1 : low > other;
}

/* Of the redistributors there are as many as PEs. */
static u64 size_of(const struct machine *m, const struct mtree_row *r)
{
    u32 each = gic_redist_size(gic_parts_of(m)), low = gic_redists_low(gic_parts_of(m)), cpus = m->options.cpu_count;
    u64 size = r->row == ROW_ram ? m->options.ram_size : row_get(r->row)->size;
    if (r->row == ROW_gicr)
        size = (u64)(cpus < low ? cpus : low) * each;
    return r->size ? r->size : size - r->offset;
}

/* Those that an access from this state reaches, in the order of their addresses. */
static unsigned regions_find(const struct machine *m, bool secure, struct region list[REGIONS])
{
    unsigned count = 0;
    for (unsigned n = 0; n < ARRAY_LEN(regions); n++) {
        const struct mtree_row *r = &regions[n];
        const struct row *row = row_get(r->row);
        if (!row_there(m, row) || (row_secure(m, row) && !secure))
            continue;
        u32 devices = row->kind ? row_count(m, r->row) : 1;
        for (u32 k = 0; k < devices && count < REGIONS; k++) {
            u64 low = row_address(m, r->row) + k * row->size + r->offset;
            bool window = r->row == ROW_pcie || r->row == ROW_pcie_64;
            list[count++] = (struct region){ low, low + size_of(m, r) - 1, r, window ? low : 0 };
        }
    }
    qsort(list, count, sizeof(*list), by_address);
    return count;
}

static void regions_show(struct hmp *h, bool secure, const char *before)
{
    struct region list[REGIONS];
    unsigned count = regions_find(h->m, secure, list);
    for (unsigned n = 0; n < count; n++) {
        text_add(h->out, "%s%016llx-%016llx (prio 0, %s): %s", before, HEX(list[n].low), HEX(list[n].high),
                 list[n].row->type, list[n].row->name);
        if (list[n].within)
            text_add(h->out, " @%016llx", HEX(list[n].within));
        text_add(h->out, "\n");
    }
}

/* [-f]: flat, as QEMU's; without, under one root. */
void info_mtree(struct hmp *h)
{
    bool flat = !strcmp(hmp_word(h), "-f");
    for (int secure = 0; secure <= h->m->options.secure; secure++) {
        const char *name = secure ? "secure-memory" : "memory", *root = secure ? "secure-memory" : "system";
        if (flat) {
            text_add(h->out, "FlatView #%d\n AS \"%s\", root: %s\n", secure, name, root);
            for (u32 n = 0; n < h->m->options.cpu_count; n++)
                text_add(h->out, " AS \"cpu-%s-%u\", root: %s\n", name, n, root);
            text_add(h->out, " Root memory region: %s\n", root);
        } else {
            text_add(h->out, "address-space: %s\n  0000000000000000-ffffffffffffffff (prio 0, i/o): %s\n", name, root);
        }
        regions_show(h, secure, flat ? "  " : "    ");
        text_add(h->out, "\n");
    }
}

/* ---- devices ---- */

static void virtio_show(struct text *out, const char *before, u32 kind)
{
    if (kind != VIRTIO_NONE && kind < VIRTIO_KINDS)
        text_add(out, "%sdev: %s-device, id \"\"\n", before, virtio_name((enum virtio_kind)kind));
}

static void row_show(struct hmp *h, unsigned row)
{
    const struct row *r = row_get(row);
    for (u32 n = 0; n < row_count(h->m, row); n++) {
        struct place at = { (u16)row, (u16)n };
        text_add(h->out, "  dev: %s, id \"\"\n", row == ROW_virtio ? "virtio-mmio" : r->kind->name);
        if (r->kind->wires)
            text_add(h->out, "    gpio-out \"sysbus-irq\" %u\n    irq %u\n", r->kind->wires, place_intid(at));
        if (r->size)
            text_add(h->out, "    mmio %016llx/%016llx\n", HEX(place_base(h->m, at)), HEX(r->size));
        if (row != ROW_virtio)
            continue;
        text_add(h->out, "    bus: virtio-mmio-bus.%u\n      type virtio-mmio-bus\n", n);
        virtio_show(h->out, "      ", h->m->options.plug[n].kind);
    }
}

/* The functions on a bus, and behind each bridge those on its own; a bridge comes before what is behind it. */
static void functions_show(struct hmp *h, unsigned bus, unsigned depth)
{
    char before[2 * PCI_PLUGS + 16];
    snprintf(before, sizeof(before), "%*s", (int)(4 + 4 * depth < sizeof(before) ? 4 + 4 * depth : 4), "");
    text_add(h->out, "%sbus: pci%s.%u\n%s  type PCIE\n", before, bus ? "" : "e", bus, before);
    for (unsigned plug = bus ? bus + 1 : 0; plug < h->m->d.pci->count; plug++) {
        const struct pci_plug *p = &h->m->options.pci[plug];
        const struct pci_desc *d = &h->m->d.pci->slot[plug].desc;
        const struct pci_function *f = pci_function(h->m, plug);
        if (p->bus != bus)
            continue;
        text_add(h->out, "%s  dev: %s%s, id \"\"\n%s    addr = %02x.%x\n", before, pci_plug_name(p),
                 p->device ? "-pci" : "", before, p->devfn >> 3, p->devfn & 7u);
        for (unsigned n = 0; n < PCI_BARS; n++)
            if (d->bar[n].size)
                text_add(h->out, "%s    bar %u: %s at 0x%llx [0x%llx]\n", before, n,
                         d->bar[n].space == PCI_SPACE_IO ? "i/o" : "mem", HEX(pci_bar_base(d, f, n)),
                         HEX(pci_bar_base(d, f, n) + d->bar[n].size - 1));
        if (d->bridge)
            functions_show(h, plug, depth + 1);
    }
}

void info_qtree(struct hmp *h)
{
    text_add(h->out, "bus: main-system-bus\n  type System\n");
    for (unsigned row = 0; row < ROW_FUNCTIONS; row++) {
        const struct row *r = row_get(row);
        if (!r->kind || !row_there(h->m, r))
            continue;
        row_show(h, row);
        if (row == ROW_pcie)
            functions_show(h, 0, 0);
    }
}

void info_roms(struct hmp *h)
{
    const struct roms *all = h->console->roms;
    if (!all->count)
        text_add(h->out, "nothing was loaded: the machine comes from a snapshot\n");
    for (unsigned n = 0; n < all->count; n++) {
        const struct rom *r = &all->rom[n];
        if (r->place == ROM_FLASH)
            text_add(h->out, "virt.flash0 ");
        else if (r->place == ROM_FW_CFG)
            text_add(h->out, "/rom@%s ", r->name);
        else
            text_add(h->out, "addr=%016llx ", HEX(r->address));
        text_add(h->out, "size=0x%06llx %sname=\"%s", HEX(r->size), r->place == ROM_RAM ? "mem=ram " : "", r->name);
        if (r->part >= 0)
            text_add(h->out, " ELF program header segment %d", r->part);
        text_add(h->out, "\"\n");
    }
}

const char *balloon_statistic(unsigned n, bool *bytes)
{
    static const struct {
        const char *name;
        bool bytes;
    } statistics[BALLOON_STATISTICS] = {
        { "swap-in", true },       { "swap-out", true },     { "major-faults", false },    { "minor-faults", false },
        { "free-memory", true },   { "total-memory", true }, { "available-memory", true }, { "disk-caches", true },
        { "htlb-pgalloc", false }, { "htlb-pgfail", false },
    };
    if (bytes)
        *bytes = statistics[n].bytes;
    return statistics[n].name;
}

/* In MiB, but for counts. */
void info_vnc(struct hmp *h)
{
    const struct vnc_config *v = &((const struct frontend *)h->console)->vnc; /* which begins with its console */
    if (!v->there)
        text_add(h->out, "None\n");
    else if (v->path[0])
        text_add(h->out, "default:\n  Server: :%s (unix)\n    Auth: none (Sub: none)\n", v->path);
    else
        text_add(h->out, "default:\n  Server: %s:%u (%s)\n    Auth: none (Sub: none)\n", v->host, v->first,
                 strchr(v->host, ':') ? "ipv6" : "ipv4");
}

void info_balloon(struct hmp *h)
{
    struct machine *m = h->m;
    struct balloon_state b;
    if (!machine_balloon_state(m, &b)) {
        hmp_fail(h, "No balloon device has been activated");
        return;
    }
    u64 out = (u64)b.actual * 4096, ram = m->options.ram_size;
    text_add(h->out, "balloon: actual=%llu\n", (unsigned long long)((out < ram ? ram - out : 0) >> 20));
    for (unsigned n = 0; n < BALLOON_STATISTICS; n++) {
        bool bytes;
        const char *name = balloon_statistic(n, &bytes);
        if (bit(b.known, n))
            text_add(h->out, "%s=%llu\n", name, (unsigned long long)(b.statistic[n] >> (bytes ? 20 : 0)));
    }
}

/* ---- back ends ---- */

void info_chardev(struct hmp *h)
{
    const struct chardevs *all = &h->console->ends;
    for (unsigned n = 0; n < all->count; n++) {
        text_add(h->out, "%s: filename=", all->dev[n].config->id);
        chardev_describe(&all->dev[n], h->out);
        text_add(h->out, "\n");
    }
}

void info_block(struct hmp *h)
{
    for (unsigned n = 0; n < h->o->drive_count; n++) {
        const struct drive_config *d = &h->o->drive[n];
        text_add(h->out, "%s%s (%s): %s (%s%s)\n    Cache mode:       %s%s\n", n ? "\n" : "", d->id, d->id, d->file,
                 d->format[0] ? d->format : "raw", h->m->options.disk[n].readonly ? ", read-only" : "",
                 d->through ? "writethrough" : "writeback", d->unflushed ? ", ignore flushes" : "");
    }
}

void info_blockstats(struct hmp *h)
{
    const struct frontend *f = (const struct frontend *)h->console;
    for (unsigned n = 0; n < h->o->drive_count; n++) {
        const struct disk_counts *d = disk_counts(f->disks, n);
        text_add(h->out,
                 "%s: rd_bytes=%llu wr_bytes=%llu rd_operations=%llu wr_operations=%llu flush_operations=%llu "
                 "unmap_operations=%llu\n",
                 h->o->drive[n].id, HEX(d->of[DISK_READ].bytes), HEX(d->of[DISK_WRITE].bytes),
                 HEX(d->of[DISK_READ].count), HEX(d->of[DISK_WRITE].count), HEX(d->of[DISK_FLUSH].count),
                 HEX(d->of[DISK_UNMAP].count));
    }
}

static void netdev_show(struct hmp *h, const struct netdev_config *n, const char *before)
{
    text_add(h->out, "%s%s: index=0,type=%s\n", before, n->id, n->kind->name);
}

/* Each adapter with the network that it is on, then the networks without one. */
void info_network(struct hmp *h)
{
    bool shown[MAX_NETDEVS] = { false };
    for (unsigned n = 0, unit = 0; n < h->o->device_count; n++) {
        const struct device_config *d = &h->o->device[n];
        if (virtio_back_end(d->kind) != BACK_END_NET || unit == MAX_NETS)
            continue;
        const u8 *mac = h->m->options.net[unit].mac;
        char model[64], name[96];
        snprintf(model, sizeof(model), "%.40s-%s", virtio_name(d->kind), d->plug.function ? "pci" : "device");
        snprintf(name, sizeof(name), d->id[0] ? "%.80s" : "%.80s.%u", d->id[0] ? d->id : model, unit);
        text_add(h->out, "%s: index=0,type=nic,model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x\n", name, model, mac[0],
                 mac[1], mac[2], mac[3], mac[4], mac[5]);
        for (unsigned k = 0; k < h->o->netdev_count; k++)
            if (d->netdev[0] && !strcmp(h->o->netdev[k].id, d->netdev)) {
                netdev_show(h, &h->o->netdev[k], " \\ ");
                shown[k] = true;
            }
        unit++;
    }
    for (unsigned k = 0; k < h->o->netdev_count; k++)
        if (!shown[k])
            netdev_show(h, &h->o->netdev[k], "");
}

void info_snapshots(struct hmp *h) { snapshots_list(h->o, h->out); }
