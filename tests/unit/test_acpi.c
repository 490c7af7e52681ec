/* What firmware is handed: the writer of AML, ACPI tables and SMBIOS of every shape of machine, the event device. What
 * the tables say is compared with QEMU's by tests/acpi.py. */
#define _GNU_SOURCE /* memmem */
#include "board/acpi/acpi.h"
#include "board/boot/smbios.h"
#include "board/dev/fw_cfg.h"
#include "tests/unit/board_fixture.h"

enum { GED_BASE = 0x09080000, POWER_KEY = 2 };

static u8 room[0x10100];
static struct writer writer_of(u32 size)
{
    memset(room, 0xa5, sizeof(room));
    return (struct writer){ .data = room, .room = size };
}

#define IS(w, ...)                                                                                                     \
    do {                                                                                                               \
        const u8 want_[] = { __VA_ARGS__ };                                                                            \
        ck_assert_uint_eq((w).size, sizeof(want_));                                                                    \
        ck_assert_mem_eq((w).data, want_, sizeof(want_));                                                              \
    } while (0)

/* ---- AML ---- */

START_TEST(numbers_are_short)
{
    static const struct {
        u64 value;
        u32 size;
        u8 prefix;
    } rows[] = {
        { 0, 1, 0 },         { 1, 1, 1 },          { 2, 2, 0x0a },          { 0xff, 2, 0x0a },    { 0x100, 3, 0x0b },
        { 0xffff, 3, 0x0b }, { 0x10000, 5, 0x0c }, { 0xffffffff, 5, 0x0c }, { BIT(32), 9, 0x0e }, { ~(u64)0, 9, 0x0e },
    };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        struct writer w = writer_of(16);
        aml_number(&w, rows[n].value);
        ck_assert_uint_eq(w.size, rows[n].size);
        ck_assert_uint_eq(room[0], rows[n].prefix);
        u8 bytes[8] = { 0 };
        memcpy(bytes, room + 1, rows[n].size - 1);
        ck_assert(rows[n].size == 1 || load_le64(bytes) == rows[n].value);
        ck_assert_uint_eq(room[rows[n].size], 0xa5);
    }
}
END_TEST

/* PkgLength as ACPI 6.4, 20.2.4 says it is read. */
static u32 length_read(const u8 *at, u32 *bytes)
{
    u32 more = *at >> 6, length = more ? *at & 0xf : *at & 0x3f;
    for (u32 n = 0; n < more; n++)
        length |= (u32)at[1 + n] << (4 + 8 * n);
    *bytes = 1 + more;
    return length;
}

START_TEST(lengths_count_themselves)
{
    static const struct {
        u32 content, bytes;
    } rows[] = { { 0, 1 }, { 62, 1 }, { 63, 2 }, { 64, 2 }, { 4093, 2 }, { 4094, 3 }, { 65000, 3 } };
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        u32 bytes;
        struct writer w = writer_of(sizeof(room));
        u32 from = aml_open(&w, AML_SCOPE);
        for (u32 k = 0; k < rows[n].content; k++)
            put(&w, k * 7 & 0xff, 1);
        aml_close(&w, from);
        ck_assert(!w.full);
        ck_assert_uint_eq(length_read(room + 1, &bytes), w.size - 1);
        ck_assert_uint_eq(bytes, rows[n].bytes);
        ck_assert_uint_eq(w.size, 1 + bytes + rows[n].content);
        for (u32 k = 0; k < rows[n].content; k++)
            ck_assert_uint_eq(room[1 + bytes + k], k * 7 & 0xff);
    }
}
END_TEST

START_TEST(terms)
{
    struct writer w = writer_of(64);
    aml_path(&w, "\\_SB");
    IS(w, '\\', '_', 'S', 'B', '_');
    w = writer_of(64);
    aml_path(&w, "\\_SB.GED");
    IS(w, '\\', 0x2e, '_', 'S', 'B', '_', 'G', 'E', 'D', '_');
    w = writer_of(64);
    aml_uuid(&w, "33db4d5b-1ff7-401c-9657-7441c03dd766");
    IS(w, 0x11, 0x13, 0x0a, 0x10, 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40, 0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d,
       0xd7, 0x66);
    w = writer_of(64);
    aml_close(&w, aml_method(&w, "_EVT", 1, true));
    IS(w, 0x14, 6, '_', 'E', 'V', 'T', 9);
    w = writer_of(64);
    u32 from = aml_resources(&w, "_CRS");
    aml_memory(&w, 0x09000000, 0x1000);
    aml_interrupt(&w, 33, false);
    aml_resources_end(&w, from);
    IS(w, 8, '_', 'C', 'R', 'S', 0x11, 0x1a, 0x0a, 0x17, 0x86, 9, 0, 1, 0, 0, 0, 9, 0, 0x10, 0, 0, 0x89, 6, 0, 1, 1, 33,
       0, 0, 0, 0x79, 0);
    w = writer_of(64);
    aml_range(&w, &(struct aml_range){ AML_BUS, 2, 0, 256, 0 });
    IS(w, 0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1);
}
END_TEST

/* What has no room is not there, nor is what would fit after it; nothing else changes. */
START_TEST(writer_is_bounded)
{
    for (u32 size = 0; size < 40; size++) {
        struct writer w = writer_of(size);
        u32 from = aml_device(&w, "ABCD", "ACPI0007", 300);
        aml_close(&w, from);
        put_at(&w, size, 0, 1);
        put_zeros(&w, 0xffffffff);
        put_between(&w, 0, "x", 1);
        ck_assert(w.full && w.size <= size);
        ck_assert_uint_eq(room[size], 0xa5);
    }
}
END_TEST

/* ---- tables of every machine ---- */

struct machine_shape {
    u32 cpus;
    u16 clusters, cores, threads;
    u8 gic, its, smmu, lowmem, secure, virtualization, firmware;
};
static const struct machine_shape shapes[] = {
    { .cpus = 1, .gic = 2 },
    { .cpus = 8, .gic = 2, .virtualization = 1, .cores = 2, .threads = 4 },
    { .cpus = 1, .gic = 3, .its = 1 },
    { .cpus = 4, .gic = 3, .its = 1, .smmu = 1, .secure = 1, .virtualization = 1, .firmware = 1 },
    { .cpus = 3, .gic = 3, .smmu = 1, .lowmem = 1, .clusters = 2, .cores = 2 },
    { .cpus = 123, .gic = 3, .its = 1, .lowmem = 1 },
    { .cpus = 512, .gic = 3, .its = 1, .smmu = 1, .clusters = 1, .cores = 1, .threads = 1 }, /* 512 sockets */
    { .cpus = 512, .gic = 3, .its = 1, .clusters = 1, .cores = 1, .threads = 2 },
    { .cpus = 3, .gic = 3, .clusters = 0xffff, .cores = 0xffff, .threads = 0xffff }, /* a hostile snapshot has it so */
};

/* The same machine as if it had been made of these options: tables are made of them alone. */
static void shape_set(struct machine *m, const struct machine_shape *s)
{
    struct machine_options *o = &m->options;
    o->cpu_count = s->cpus;
    o->clusters = s->clusters;
    o->cores = s->cores;
    o->threads = s->threads;
    o->gic_version = s->gic;
    o->its = s->its;
    o->iommu = s->smmu ? IOMMU_SMMUV3 : IOMMU_NONE;
    o->lowmem = s->lowmem;
    o->secure = s->secure;
    o->virtualization = s->virtualization;
    o->firmware = s->firmware;
    o->acpi = 1;
    m->d.parts = parts_of(o);
    m->conduit = s->secure ? CONDUIT_NONE : s->virtualization ? CONDUIT_SMC : CONDUIT_HVC;
}

/* Does something with the machine of each shape. */
static void shapes_each(void (*call)(const struct machine *m, const struct machine_shape *s))
{
    struct fixture *f = fixture_open();
    struct machine_options options = f->m->options;
    for (unsigned n = 0; n < ARRAY_LEN(shapes); n++) {
        shape_set(f->m, &shapes[n]);
        call(f->m, &shapes[n]);
    }
    f->m->options = options;
    fixture_close(f);
}

static u8 rsdp_bytes[ACPI_RSDP_SIZE], table_bytes[ACPI_TABLES_SIZE], loader_bytes[ACPI_LOADER_SIZE];
static bool make(const struct machine *m, u32 rsdp_room, u32 tables_room, u32 loader_room, struct writer w[3])
{
    w[0] = (struct writer){ .m = m, .data = rsdp_bytes, .room = rsdp_room };
    w[1] = (struct writer){ .m = m, .data = table_bytes, .room = tables_room };
    w[2] = (struct writer){ .m = m, .data = loader_bytes, .room = loader_room };
    return acpi_make(&w[0], &w[1], &w[2]);
}

static u8 sum_of(const u8 *bytes, u32 size)
{
    u8 sum = 0;
    for (u32 n = 0; n < size; n++)
        sum = (u8)(sum + bytes[n]);
    return sum;
}

/* Does what the commands say, with the tables at address 0; counts those that set pointers. */
static unsigned commands_run(u32 size)
{
    unsigned pointers = 0;
    for (u8 *c = loader_bytes; c < loader_bytes + size; c += 128) {
        bool root = !strcmp((char *)c + 4, "etc/acpi/rsdp");
        u8 *file = root ? rsdp_bytes : table_bytes;
        u32 file_size = root ? sizeof(rsdp_bytes) : sizeof(table_bytes);
        ck_assert(root || !strcmp((char *)c + 4, "etc/acpi/tables"));
        if (load_le32(c) == 2) {
            ck_assert_str_eq((char *)c + 60, "etc/acpi/tables");
            ck_assert_uint_eq(c[120], 8);
            ck_assert_uint_le(load_le32(c + 116), file_size - 8);
            ck_assert_uint_lt(load_le64(file + load_le32(c + 116)), sizeof(table_bytes));
            pointers++;
        } else if (load_le32(c) == 3) {
            u32 at = load_le32(c + 60), start = load_le32(c + 64), length = load_le32(c + 68);
            ck_assert(start <= file_size && length <= file_size - start && at >= start && at < start + length);
            file[at] = (u8)(file[at] - sum_of(file + start, length));
        } else {
            ck_assert_uint_eq(load_le32(c), 1);
        }
    }
    return pointers;
}

/* The tables that RSDP and XSDT lead to, and the DSDT, lie one behind the other and are whole. */
static void tables_check(unsigned pointers)
{
    u32 at = 0, count = 0;
    ck_assert_uint_eq(sum_of(rsdp_bytes, 20), 0);
    ck_assert_uint_eq(sum_of(rsdp_bytes, 36), 0);
    while (load_le32(table_bytes + at)) {
        u32 length = load_le32(table_bytes + at + 4);
        ck_assert(length >= ACPI_HEADER && length <= sizeof(table_bytes) - at - 4);
        ck_assert_uint_eq(sum_of(table_bytes + at, length), 0);
        count++;
        if (load_le64(rsdp_bytes + 24) == at)
            ck_assert_mem_eq(table_bytes + at, "XSDT", 4);
        at += length;
    }
    ck_assert_uint_eq(count, pointers); /* each is pointed at: the DSDT by the FADT, the XSDT by the RSDP */
}

static void whole(const struct machine *m, const struct machine_shape *s)
{
    struct writer w[3];
    (void)s;
    ck_assert(make(m, sizeof(rsdp_bytes), sizeof(table_bytes), sizeof(loader_bytes), w));
    ck_assert_uint_eq(w[1].size, ACPI_TABLES_SIZE);
    tables_check(commands_run(w[2].size));
}
START_TEST(tables_are_whole) { shapes_each(whole); }
END_TEST

/* A table of this signature, as make left it. */
static const u8 *table_find(const char *signature)
{
    const u8 *at = table_bytes;
    while (load_le32(at) && memcmp(at, signature, 4))
        at += load_le32(at + 4);
    ck_assert_mem_eq(at, signature, 4);
    return at;
}

static unsigned structures(const u8 *madt, unsigned type)
{
    unsigned count = 0;
    for (const u8 *at = madt + 44; at < madt + load_le32(madt + 4); at += at[1]) {
        ck_assert_uint_gt(at[1], 1);
        count += at[0] == type;
    }
    return count;
}

static void say(const struct machine *m, const struct machine_shape *s)
{
    struct writer w[3];
    ck_assert(make(m, sizeof(rsdp_bytes), sizeof(table_bytes), sizeof(loader_bytes), w));
    const u8 *madt = table_find("APIC"), *iort = table_find("IORT"), *mcfg = table_find("MCFG");
    ck_assert_uint_eq(structures(madt, 0xb), s->cpus);
    ck_assert_uint_eq(structures(madt, 0xc), 1);
    ck_assert_uint_eq(structures(madt, 0xd), s->gic == 2);
    ck_assert_uint_eq(structures(madt, 0xe), s->gic == 2 ? 0 : s->cpus > 123 ? 2 : 1);
    ck_assert_uint_eq(structures(madt, 0xf), s->its);
    ck_assert_uint_eq(load_le32(iort + 36), 1u + s->its + s->smmu);
    ck_assert_uint_eq(load_le64(mcfg + 44), s->lowmem ? 0x3f000000 : 0x4010000000);
    ck_assert_uint_eq(load_le16(table_find("FACP") + 109), s->gic == 2 || s->its ? 0 : 8);
    ck_assert_uint_eq(load_le16(table_find("FACP") + 129), s->secure ? 0 : s->virtualization ? 1 : 3);
    ck_assert_uint_eq(memmem(table_bytes, 0x20000, "ACPI0013", 8) != NULL, s->firmware);
    ck_assert_uint_eq(memmem(table_bytes, 0x20000, "ARMH0061", 8) != NULL, !s->firmware);
}
START_TEST(tables_say_what_is_there) { shapes_each(say); }
END_TEST

START_TEST(tables_without_room)
{
    struct fixture *f = fixture_open();
    struct writer w[3];
    for (u32 size = 0; size < ACPI_TABLES_SIZE; size += 997) {
        memset(table_bytes + size, 0xa5, sizeof(table_bytes) - size);
        ck_assert(!make(f->m, sizeof(rsdp_bytes), size, sizeof(loader_bytes), w));
        ck_assert_uint_eq(table_bytes[size], 0xa5);
    }
    for (u32 size = 0; size < ACPI_RSDP_SIZE; size++)
        ck_assert(!make(f->m, size, sizeof(table_bytes), sizeof(loader_bytes), w));
    ck_assert(!make(f->m, sizeof(rsdp_bytes), sizeof(table_bytes), 128, w));
    fixture_close(f);
}
END_TEST

static const u8 no_uuid[16];
static const struct smbios_told nothing_told;
static void smbios_whole(const struct machine *m, const struct machine_shape *s)
{
    static u8 anchor[SMBIOS_ANCHOR_SIZE], tables[SMBIOS_SIZE];
    struct writer a = { .m = m, .data = anchor, .room = sizeof(anchor) };
    struct writer t = { .m = m, .data = tables, .room = sizeof(tables) };
    unsigned processors = 0, modules = 0;
    u32 at = 0;
    ck_assert(smbios_make(&a, &t, no_uuid, &nothing_told));
    ck_assert_uint_eq(a.size, SMBIOS_ANCHOR_SIZE);
    ck_assert_uint_eq(load_le32(anchor + 12), t.size);
    while (tables[at] != 127) { /* a structure: its fields, then strings up to an empty one */
        processors += tables[at] == 4;
        modules += tables[at] == 17;
        at += tables[at + 1];
        while (at + 1 < t.size && (tables[at] || tables[at + 1]))
            at++;
        at += 2;
        ck_assert_uint_lt(at, t.size);
    }
    ck_assert_uint_eq(at + 6, t.size);
    ck_assert_uint_eq(modules, 1);
    ck_assert_uint_eq(processors, s->cores != 1 ? 1 : s->cpus / s->threads);
}
START_TEST(smbios_is_whole)
{
    struct fixture *f = fixture_open();
    static u8 anchor[SMBIOS_ANCHOR_SIZE], tables[SMBIOS_SIZE];
    struct writer a = { .m = f->m, .data = anchor, .room = sizeof(anchor) };
    struct writer t = { .m = f->m, .data = tables, .room = sizeof(tables) };
    shapes_each(smbios_whole);
    u64 ram = f->m->options.ram_size;
    f->m->options.ram_size = (u64)255 << 30;
    ck_assert(smbios_make(&a, &t, no_uuid, &nothing_told));
    ck_assert_ptr_nonnull(memmem(tables, t.size, "DIMM 15", 8));
    ck_assert_ptr_null(memmem(tables, t.size, "DIMM 16", 8));
    t.room = t.size - 1;
    t.size = a.size = 0;
    ck_assert(!smbios_make(&a, &t, no_uuid, &nothing_told));
    f->m->options.ram_size = ram;
    fixture_close(f);
}
END_TEST

/* A file's structures come first and stand for the machine's own; too many strings have no room. */
START_TEST(smbios_told)
{
    static const u8 raw[] = { 3, 5, 0x34, 0x12, 7, 'x', 0, 0 }, vendor[] = { 200, 4, 1, 0, 0, 0 };
    struct fixture *f = fixture_open();
    static u8 anchor[SMBIOS_ANCHOR_SIZE], tables[SMBIOS_SIZE];
    static char most[SMBIOS_SIZE / 8];
    static struct smbios_told told;
    struct writer a = { .m = f->m, .data = anchor, .room = sizeof(anchor) };
    struct writer t = { .m = f->m, .data = tables, .room = sizeof(tables) };
    told.file[0].data = raw, told.file[0].size = sizeof(raw);
    told.file[1].data = vendor, told.file[1].size = sizeof(vendor);
    told.file_count = 2;
    told.system.serial = "serial one";
    told.system.family = "";
    ck_assert(smbios_make(&a, &t, no_uuid, &told));
    ck_assert_mem_eq(tables, raw, sizeof(raw));
    ck_assert_mem_eq(tables + sizeof(raw), vendor, sizeof(vendor));
    unsigned chassis = 0;
    for (u32 at = 0; at + 1 < t.size; at += 2) {
        chassis += tables[at] == 3;
        if (tables[at] == 1)
            ck_assert_uint_eq(tables[at + 7] << 16 | tables[at + 25] << 8 | tables[at + 26],
                              4 << 16); /* serial, SKU, family */
        for (at += tables[at + 1]; at + 1 < t.size && (tables[at] || tables[at + 1]);)
            at++;
    }
    ck_assert_uint_eq(chassis, 1);
    ck_assert_ptr_nonnull(memmem(tables, t.size, "virt-7.2\0serial one\0", 21));
    memset(most, 'm', sizeof(most) - 1);
    for (; told.oem_count < 9; told.oem_count++)
        told.oem[told.oem_count] = most;
    t.size = a.size = 0;
    ck_assert(!smbios_make(&a, &t, no_uuid, &told));
    fixture_close(f);
}
END_TEST

/* ---- the directory that firmware finds ---- */

static bool file_there(struct fixture *f, const char *name)
{
    const struct phys_region *r = phys_region_at(&f->m->d.phys, STORE_BASE);
    ck_assert_ptr_nonnull(r);
    return memmem(r->host, r->size, name, strlen(name) + 1) != NULL;
}

START_TEST(files_by_option)
{
    for (unsigned acpi = 0; acpi < 2; acpi++) {
        struct fixture *f = calloc(1, sizeof(*f));
        ck_assert_ptr_nonnull(f);
        struct machine_config *c = fixture_config(f);
        char error[BOOT_ERROR];
        struct boot_config boot = { .bios = { "bios", (const u8 *)"firmware", 8, 0 } };
        c->options.acpi = (u8)acpi;
        fixture_make(f, c);
        ck_assert_msg(boot_load(f->m, &boot, error), "%s", error);
        ck_assert_uint_eq(file_there(f, "etc/acpi/rsdp"), acpi);
        ck_assert_uint_eq(file_there(f, "etc/acpi/tables"), acpi);
        ck_assert_uint_eq(file_there(f, "etc/table-loader"), acpi);
        ck_assert_uint_eq(file_there(f, "etc/tpm/log"), acpi);
        ck_assert(file_there(f, "etc/smbios/smbios-anchor") && file_there(f, "etc/smbios/smbios-tables"));
        fixture_close(f);
    }
}
END_TEST

/* ---- the event device ---- */

static bool pending(struct fixture *f, u32 intid) { return bus_r(f, 0x08000200 + intid / 32 * 4) >> intid % 32 & 1; }

START_TEST(power_key)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    u64 value;
    c->options.acpi = c->options.firmware = 1;
    fixture_make(f, c);
    ck_assert(!bus_get(f, 0x09030000, 4, &value)); /* no GPIO */
    ck_assert_uint_eq(bus_r(f, GED_BASE), 0);
    bus_w(f, 0x08000c08, 2u << 18); /* INTID 41: an edge */
    ck_assert(!pending(f, 41));
    machine_power_key(f->m);
    ck_assert(pending(f, 41));
    ck_assert_ptr_null(machine_validate(f->m));
    bus_w(f, GED_BASE, 0xffffffff);                           /* read-only */
    ck_assert(bus_get(f, GED_BASE, 2, &value) && value == 0); /* words only */
    ck_assert_uint_eq(bus_r(f, GED_BASE), POWER_KEY);
    ck_assert_uint_eq(bus_r(f, GED_BASE), 0);
    machine_power_key(f->m);
    machine_reset(f->m);
    ck_assert_uint_eq(bus_r(f, GED_BASE), 0);
    fixture_close(f);
}
END_TEST

Suite *test_acpi_suite(void);
Suite *test_acpi_suite(void)
{
    Suite *s = suite_create("acpi");
    TCase *tc = tcase_create("acpi");
    tcase_add_test(tc, numbers_are_short);
    tcase_add_test(tc, lengths_count_themselves);
    tcase_add_test(tc, terms);
    tcase_add_test(tc, writer_is_bounded);
    tcase_add_test(tc, tables_are_whole);
    tcase_add_test(tc, tables_say_what_is_there);
    tcase_add_test(tc, tables_without_room);
    tcase_add_test(tc, smbios_is_whole);
    tcase_add_test(tc, smbios_told);
    tcase_add_test(tc, files_by_option);
    tcase_add_test(tc, power_key);
    suite_add_tcase(s, tc);
    return s;
}
