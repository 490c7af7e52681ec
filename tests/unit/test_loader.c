/* Loading: where kernels, initrd, device tree and modules go, and how the machine is entered. */
#include "tests/unit/board_fixture.h"

#include <elf.h>
#include <libfdt.h>
#include <zlib.h>

enum { MIB = 1 << 20 };
#define BASE ((u64)0x40000000)

static u8 ram8(struct fixture *f, u64 pa) { return f->m->d.phys.region[0].host[pa - BASE]; }
static const void *ram(struct fixture *f, u64 pa) { return &f->m->d.phys.region[0].host[pa - BASE]; }

static struct fixture *machine_of(u64 ram_size, bool el2, bool el3, unsigned cpus)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    struct machine_config *c = fixture_config(f);
    c->options.ram_size = ram_size;
    c->options.virtualization = el2;
    c->options.secure = el3;
    c->options.cpu_count = cpus;
    fixture_make(f, c);
    return f;
}

static void load(struct fixture *f, const struct boot_config *c)
{
    char error[BOOT_ERROR];
    ck_assert_msg(boot_load(f->m, c, error), "%s", error);
}

/* An arm64 Image: header, then bytes of 0x5a. */
static struct blob image_make(u8 *out, u64 size, u64 text_offset, u64 image_size)
{
    memset(out, 0x5a, size);
    store_le64(out + 8, text_offset);
    store_le64(out + 16, image_size);
    memcpy(out + 56, "ARM\x64", 4);
    return (struct blob){ "Image", out, size, false };
}

static u64 node_u64(const void *fdt, const char *path, const char *name)
{
    int size, at = fdt_path_offset(fdt, path);
    const void *p = at < 0 ? NULL : fdt_getprop(fdt, at, name, &size);
    ck_assert_msg(p && size == 8, "%s %s", path, name);
    return fdt64_ld(p);
}

START_TEST(image_placed)
{
    static const struct {
        u64 text_offset, image_size, ram, at, dtb;
    } cases[] = {
        { 0, 0x10000, 1024 * (u64)MIB, 0x40200000, 0x48000000 },
        { 0x80000, 0x10000, 1024 * (u64)MIB, 0x40080000, 0x48000000 },
        { 0x1234, 0, 128 * MIB, 0x40080000, 0x44000000 }, /* old: no size, the offset does not count */
        { 0, 0x10000, 64 * MIB, 0x40200000, 0x42000000 },
        { 0, 40 * MIB, 64 * MIB, 0x40200000, 0x42a00000 }, /* the kernel reaches past the middle */
    };
    u8 bytes[4096];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = machine_of(cases[n].ram, true, false, 1);
        struct boot_config c = { .kernel =
                                     image_make(bytes, sizeof(bytes), cases[n].text_offset, cases[n].image_size) };
        load(f, &c);
        ck_assert_uint_eq(f->m->d.cpu[0].pc, cases[n].at);
        ck_assert_uint_eq(f->m->d.cpu[0].x[0], cases[n].dtb);
        ck_assert(!fdt_check_header(ram(f, cases[n].dtb)));
        ck_assert_uint_eq(ram8(f, cases[n].at + 4095), 0x5a);
        fixture_close(f);
    }
}
END_TEST

START_TEST(raw_and_gzip)
{
    u8 bytes[256], packed[512];
    memset(bytes, 0x11, sizeof(bytes));
    struct fixture *f = machine_of(128 * MIB, false, false, 1);
    struct boot_config c = { .kernel = { "raw", bytes, sizeof(bytes), false } };
    load(f, &c);
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0x40080000);
    ck_assert_uint_eq(ram8(f, 0x40080000 + 255), 0x11);
    fixture_close(f);

    z_stream z = {
        .next_in = bytes, .avail_in = sizeof(bytes), .next_out = packed + 64, .avail_out = sizeof(packed) - 64
    };
    image_make(bytes, sizeof(bytes), 0, 4096);
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    u64 size = z.total_out;
    deflateEnd(&z);
    f = machine_of(128 * MIB, false, false, 1);
    c.kernel = (struct blob){ "Image.gz", packed + 64, size, false };
    load(f, &c);
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0x40200000);
    ck_assert_uint_eq(ram8(f, 0x40200000 + 255), 0x5a);
    fixture_close(f);

    memset(packed, 0, 64); /* the same in an EFI zboot image */
    memcpy(packed, "MZ\0\0zimg", 8);
    store_le32(packed + 8, 64);
    store_le32(packed + 12, (u32)size);
    memcpy(packed + 24, "gzip", 5);
    f = machine_of(128 * MIB, false, false, 1);
    c.kernel = (struct blob){ "vmlinuz.efi", packed, 64 + size, false };
    load(f, &c);
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0x40200000);
    ck_assert_uint_eq(ram8(f, 0x40200000 + 255), 0x5a);
    fixture_close(f);
}
END_TEST

START_TEST(initrd_and_tree)
{
    static u8 initrd[3 * MIB];
    u8 bytes[128];
    memset(initrd, 0x77, sizeof(initrd));
    struct fixture *f = machine_of(512 * MIB, true, false, 2);
    struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096),
                             .initrd = { "initrd", initrd, sizeof(initrd), false },
                             .append = "console=ttyAMA0" };
    load(f, &c);
    const void *fdt = ram(f, 0x48400000);
    ck_assert_uint_eq(f->m->d.cpu[0].x[0], 0x48400000);
    ck_assert_uint_eq(node_u64(fdt, "/chosen", "linux,initrd-start"), 0x48000000);
    ck_assert_uint_eq(node_u64(fdt, "/chosen", "linux,initrd-end"), 0x48300000);
    ck_assert_uint_eq(ram8(f, 0x482fffff), 0x77);
    int chosen = fdt_path_offset(fdt, "/chosen");
    ck_assert_str_eq(fdt_getprop(fdt, chosen, "bootargs", NULL), "console=ttyAMA0");
    ck_assert_str_eq(fdt_getprop(fdt, fdt_path_offset(fdt, "/psci"), "method", NULL), "smc");
    ck_assert_int_ge(fdt_path_offset(fdt, "/cpus/cpu@1"), 0);
    fixture_close(f);
}
END_TEST

/* A property that holds numbers, one or two cells each. */
static void numbers_are(const void *fdt, const char *path, const char *name, const u64 *want, unsigned cells[2],
                        unsigned count)
{
    int size, at = fdt_path_offset(fdt, path);
    const u8 *p = at < 0 ? NULL : fdt_getprop(fdt, at, name, &size);
    ck_assert_msg(p != NULL, "%s %s", path, name);
    for (unsigned n = 0; n < count; n++) {
        ck_assert_uint_eq(cells[n] == 2 ? fdt64_ld((const void *)p) : fdt32_ld((const void *)p), want[n]);
        p += 4 * cells[n];
        size -= 4 * (int)cells[n];
    }
    ck_assert_int_eq(size, 0);
}

/* -dtb: whatever memory the tree names is the machine's afterwards, in the cells that its root asks for (0: the root
 * says nothing, which means two for addresses and one for sizes); other nodes of device_type memory stay. */
START_TEST(given_tree_gets_memory)
{
    static const struct {
        unsigned address, size;
        u64 ram;
        bool fits;
    } cases[] = {
        { 1, 1, 64 * MIB, true },         { 2, 2, 64 * MIB, true },        { 2, 1, 64 * MIB, true },
        { 1, 2, 64 * MIB, true },         { 0, 0, 64 * MIB, true },        { 3, 1, 64 * MIB, false },
        { 2, 1, 4096 * (u64)MIB, false }, { 1, 2, 4096 * (u64)MIB, true },
    };
    static u8 initrd[5000];
    u8 bytes[128], tree[4096];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        unsigned cells[2] = { cases[n].address ? cases[n].address : 2, cases[n].size ? cases[n].size : 1 };
        ck_assert(!fdt_create_empty_tree(tree, sizeof(tree)));
        if (cases[n].size)
            fdt_setprop_u32(tree, 0, "#size-cells", cases[n].size);
        if (cases[n].address)
            fdt_setprop_u32(tree, 0, "#address-cells", cases[n].address);
        static const char *const nodes[] = { "memory", "memory@80000000", "memory@40000000", "secram@e000000" };
        for (unsigned k = 0; k < ARRAY_LEN(nodes); k++) {
            int at = fdt_add_subnode(tree, 0, nodes[k]);
            ck_assert(!fdt_setprop_string(tree, at, k == 0 ? "name-only" : "device_type", "memory"));
        }
        struct fixture *f = machine_of(cases[n].ram, false, false, 1);
        struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096),
                                 .initrd = { "initrd", initrd, sizeof(initrd), false },
                                 .dtb = { "tree", tree, sizeof(tree), false } };
        char error[BOOT_ERROR];
        bool ok = boot_load(f->m, &c, error);
        ck_assert_msg(ok == cases[n].fits, "case %u: %s", n, ok ? "" : error);
        if (ok) {
            const void *fdt = ram(f, f->m->d.cpu[0].x[0]);
            u64 half = cases[n].ram / 2 < 128 * MIB ? cases[n].ram / 2 : 128 * MIB, start = BASE + half;
            const u64 memory[] = { BASE, cases[n].ram }, end = start + sizeof(initrd);
            numbers_are(fdt, "/memory@40000000", "reg", memory, cells, 2);
            numbers_are(fdt, "/chosen", "linux,initrd-start", &start, cells, 1);
            numbers_are(fdt, "/chosen", "linux,initrd-end", &end, cells, 1);
            ck_assert_int_lt(fdt_path_offset(fdt, "/memory@80000000"), 0);
            ck_assert_int_ge(fdt_path_offset(fdt, "/secram@e000000"), 0);
        }
        fixture_close(f);
    }
}
END_TEST

/* The interrupts of /timer: the fifth is that of EL2's virtual timer (FEAT_VHE). */
START_TEST(timer_interrupts)
{
    static const struct {
        const char *cpu;
        bool el2;
        int count;
    } cases[] = { { "max", true, 5 }, { "max", false, 4 }, { "cortex-a57", true, 4 }, { "neoverse-n1", true, 5 } };
    static const u32 ppi[] = { 13, 14, 11, 10, 12 };
    u8 bytes[128];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = calloc(1, sizeof(*f));
        struct machine_config *mc = fixture_config(f);
        mc->cpu = cases[n].cpu;
        mc->options.virtualization = cases[n].el2;
        fixture_make(f, mc);
        struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096) };
        load(f, &c);
        const void *fdt = ram(f, f->m->d.cpu[0].x[0]);
        int size;
        const fdt32_t *p = fdt_getprop(fdt, fdt_path_offset(fdt, "/timer"), "interrupts", &size);
        ck_assert_int_eq(size, 12 * cases[n].count);
        for (int k = 0; k < cases[n].count; k++)
            ck_assert(fdt32_ld(p + 3 * k) == 1 && fdt32_ld(p + 3 * k + 1) == ppi[k] && fdt32_ld(p + 3 * k + 2) == 4);
        fixture_close(f);
    }
}
END_TEST

START_TEST(entered_as_qemu_does)
{
    static const struct {
        bool el2, el3, linux_image;
        unsigned el, conduit, running;
    } cases[] = {
        { false, false, true, 1, CONDUIT_HVC, 1 },  { true, false, true, 2, CONDUIT_SMC, 1 },
        { false, true, true, 1, CONDUIT_HVC, 1 },   { true, true, true, 2, CONDUIT_SMC, 1 },
        { false, false, false, 1, CONDUIT_HVC, 1 }, { true, false, false, 2, CONDUIT_SMC, 1 },
        { false, true, false, 3, CONDUIT_NONE, 2 }, { true, true, false, 3, CONDUIT_NONE, 2 },
    };
    u8 bytes[128];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = machine_of(64 * MIB, cases[n].el2, cases[n].el3, 2);
        struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096) };
        if (!cases[n].linux_image) {
            c.kernel = (struct blob){ 0 };
            c.loader[0] = (struct boot_loader){
                .file = { "raw", bytes, sizeof(bytes), false }, .addr = 0x40300000, .has_addr = true, .cpu = 0
            };
            c.loader_count = 1;
        }
        load(f, &c);
        const struct cpu *cpu = &f->m->d.cpu[0];
        ck_assert_uint_eq(cpu->ps.el, cases[n].el);
        ck_assert_uint_eq(cpu->ps.sp, 1);
        ck_assert(cpu->ps.d && cpu->ps.a && cpu->ps.i && cpu->ps.f);
        ck_assert_uint_eq(f->m->conduit, cases[n].conduit);
        ck_assert_uint_eq(cpu->pc, cases[n].linux_image ? 0x40200000 : 0x40300000);
        ck_assert_uint_eq(f->m->d.cpu[1].powered, cases[n].running == 2);
        for (unsigned k = 0; k < 2; k++) /* GICR_WAKER: firmware, where there is any, wakes it */
            ck_assert_uint_eq(f->m->gic.cpu[k].waker, cases[n].el == 3 ? 6 : 0);
        fixture_close(f);
    }
}
END_TEST

/* An ELF with one segment of `filesz` bytes. */
static struct blob elf_make(u8 *out, u64 vaddr, u64 paddr, u64 filesz, u64 memsz, u64 entry)
{
    Elf64_Ehdr eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                      .e_type = ET_EXEC,
                      .e_machine = EM_AARCH64,
                      .e_version = EV_CURRENT,
                      .e_entry = entry,
                      .e_phoff = sizeof(eh),
                      .e_ehsize = sizeof(eh),
                      .e_phentsize = sizeof(Elf64_Phdr),
                      .e_phnum = 1 };
    Elf64_Phdr ph = { .p_type = PT_LOAD,
                      .p_flags = PF_R | PF_X,
                      .p_offset = 256,
                      .p_vaddr = vaddr,
                      .p_paddr = paddr,
                      .p_filesz = filesz,
                      .p_memsz = memsz };
    memset(out, 0x33, 512);
    memcpy(out, &eh, sizeof(eh));
    memcpy(out + sizeof(eh), &ph, sizeof(ph));
    return (struct blob){ "test.elf", out, 512, false };
}

START_TEST(elf_loaded)
{
    u8 bytes[512];
    struct fixture *f = machine_of(64 * MIB, false, false, 1);
    struct boot_config c = { .kernel = elf_make(bytes, 0xffff000000200000, 0x40200000, 256, 8192, 0xffff000000200010) };
    load(f, &c);
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0x40200010); /* by p_paddr */
    ck_assert_uint_eq(f->m->d.cpu[0].x[0], 0);
    ck_assert_uint_eq(ram8(f, 0x402000ff), 0x33);
    ck_assert(!fdt_check_header(ram(f, BASE))); /* the tree goes to the start of RAM */
    fixture_close(f);

    f = machine_of(64 * MIB, false, false, 1);
    c.kernel = elf_make(bytes, 0x40080000, 0x40080000, 256, 256, 0x40080000);
    load(f, &c);
    ck_assert_uint_eq(ram8(f, BASE), 0); /* no room there: no tree */
    fixture_close(f);
}
END_TEST

START_TEST(elf_refused)
{
    static const struct {
        u64 paddr, filesz, memsz;
        const char *says;
    } cases[] = {
        { 0x40200000, 1000, 1000, "truncated" },
        { 0x40200000, ~(u64)0, ~(u64)0, "truncated" },
        { 0x0a800000, 256, 256, "does not fit" },
        { 0x43ffff80, 256, 256, "does not fit" },
        { 0x40200000, 256, (u64)1 << 40, "does not fit" },
        { 0x40200000, 256, ~(u64)0, "does not fit" },
        { 0x40200000, 256, 100, "truncated" },
    };
    u8 bytes[512];
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = machine_of(64 * MIB, false, false, 1);
        struct boot_config c = { .kernel = elf_make(bytes, cases[n].paddr, cases[n].paddr, cases[n].filesz,
                                                    cases[n].memsz, 0) };
        char error[BOOT_ERROR];
        ck_assert(!boot_load(f->m, &c, error));
        ck_assert_msg(strstr(error, cases[n].says) != NULL, "case %u: %s", n, error);
        fixture_close(f);
    }
}
END_TEST

/* Any byte of the header changed, any length: an error or a load, nothing worse. */
START_TEST(elf_damaged)
{
    u8 bytes[512];
    char error[BOOT_ERROR];
    struct fixture *f = machine_of(16 * MIB, false, false, 1);
    for (unsigned n = 0; n < 4 * 120; n++) {
        static const u8 values[4] = { 0, 0xff, 0x80, 1 };
        struct image image = { .used = NULL };
        struct blob blob = elf_make(bytes, 0x40200000, 0x40200000, 256, 256, 0x40200000);
        bytes[n / 4] = values[n % 4];
        image_load_elf(f->m, &blob, &image, error);
    }
    for (u64 size = 0; size < 512; size++) {
        struct image image = { .used = NULL };
        struct blob blob = elf_make(bytes, 0x40200000, 0x40200000, 256, 256, 0x40200000);
        u8 *exact = malloc(size + 1); /* so that a sanitizer sees a read past the end */
        memcpy(exact, bytes, size);
        blob.data = exact;
        blob.size = size;
        ck_assert(!image_load_elf(f->m, &blob, &image, error));
        free(exact);
    }
    fixture_close(f);
}
END_TEST

START_TEST(xen_modules)
{
    static u8 kernel[MIB + 1];
    u8 bytes[128], small[16] = { 1 };
    struct fixture *f = machine_of(512 * MIB, true, false, 1);
    struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096), .append = "console=dtuart" };
    memset(kernel, 0x44, sizeof(kernel));
    c.domain[0] = (struct boot_domain){ .dom0 = true,
                                        .kernel = { "k", kernel, sizeof(kernel), false },
                                        .initrd = { "i", small, sizeof(small), false },
                                        .append = "console=hvc0" };
    c.domain[1] = (struct boot_domain){
        .kernel = { "k", kernel, sizeof(kernel), false }, .append = "domu", .mem = 64, .vcpus = 2
    };
    c.domain_count = 2;
    load(f, &c);
    const void *fdt = ram(f, f->m->d.cpu[0].x[0]);
    int at = fdt_path_offset(fdt, "/chosen/module@48200000"), size;
    ck_assert_int_ge(at, 0);
    ck_assert_str_eq(fdt_getprop(fdt, at, "compatible", NULL), "multiboot,kernel");
    ck_assert_str_eq(fdt_getprop(fdt, at, "bootargs", NULL), "console=hvc0");
    const void *reg = fdt_getprop(fdt, at, "reg", &size);
    ck_assert_int_eq(size, 16);
    ck_assert_uint_eq(fdt64_ld((const fdt64_t *)reg + 1), sizeof(kernel));
    ck_assert_uint_eq(ram8(f, 0x48200000 + MIB), 0x44);
    ck_assert_int_ge(fdt_path_offset(fdt, "/chosen/module@48400000"), 0);
    ck_assert_str_eq(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "xen,xen-bootargs", NULL), "console=dtuart");
    ck_assert_uint_eq(node_u64(fdt, "/chosen/domU2", "memory"), 64 << 10);
    ck_assert_int_ge(fdt_path_offset(fdt, "/chosen/domU2/module@48600000"), 0);
    fixture_close(f);
}
END_TEST

START_TEST(loader_values)
{
    u8 bytes[128];
    struct fixture *f = machine_of(64 * MIB, false, false, 1);
    struct boot_config c = { .kernel = image_make(bytes, sizeof(bytes), 0, 4096), .loader_count = 1 };
    c.loader[0] = (struct boot_loader){
        .addr = 0x40001000, .has_addr = true, .data = 0x1122334455667788, .data_len = 4, .cpu = -1
    };
    load(f, &c);
    ck_assert_uint_eq(load_le64(ram(f, 0x40001000)), 0x55667788);
    fixture_close(f);
}
END_TEST

/* SYS_HEAPINFO's region and the RAM below it and above it, between what was loaded. */
START_TEST(heap_beside_the_rest)
{
    static u8 bytes[512], file[5000];
    static const struct {
        u64 paddr, memsz, ram, loader, low, high; /* ram: MiB; loader: 0 none */
        bool initrd;
    } cases[] = {
        { 0x40200000, 8192, 64, 0, 0x40202000, 0x44000000, false },
        { 0x40200000, 8192, 64, 0x43ffe000, 0x40202000, 0x43ffe000, false }, /* up to the loader's file */
        { 0x40200000, 8192, 64, 0x41fffff8, 0x42002000, 0x44000000, false },
        { 0x40200000, 8193, 64, 0, 0x42002000, 0x44000000, true }, /* the initrd is in the middle */
        { 0x40200000, 8193, 64, 0x43000000, 0x40203000, 0x42000000, true },
        { 0x42800000, 0x1800000, 64, 0, 0x40100000, 0x42800000, false }, /* above the tree, below the program */
        { 0x40000000, 0x4000000, 64, 0, 0x44000000, 0x44000000, false }, /* .bss takes all */
    };
    memset(file, 0x77, sizeof(file));
    for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
        struct fixture *f = machine_of(cases[n].ram * MIB, false, false, 1);
        struct boot_config c = { .kernel = elf_make(bytes, cases[n].paddr, cases[n].paddr, 256, cases[n].memsz,
                                                    cases[n].paddr),
                                 .loader_count = cases[n].loader != 0 };
        if (cases[n].initrd)
            c.initrd = (struct blob){ "initrd", file, sizeof(file), false };
        c.loader[0] = (struct boot_loader){ .file = { "file", file, sizeof(file), false },
                                            .addr = cases[n].loader,
                                            .has_addr = true,
                                            .force_raw = true,
                                            .cpu = -1 };
        load(f, &c);
        ck_assert_msg(f->m->heap_low == cases[n].low && f->m->heap_high == cases[n].high, "case %u: 0x%llx to 0x%llx",
                      n, (unsigned long long)f->m->heap_low, (unsigned long long)f->m->heap_high);
        fixture_close(f);
    }
}
END_TEST

/* Whatever the order, and however many there are: each lies in some range. */
START_TEST(ranges_in_use)
{
    static u64 low[300], high[300];
    struct boot_used used = { .count = 0 };
    u64 seed = 1;
    for (unsigned n = 0; n < 300; n++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        low[n] = seed >> 40;
        high[n] = low[n] + (seed >> 20 & 0xfff) + 1;
        boot_use(&used, low[n], high[n]);
        for (unsigned k = 0; k <= n; k++) {
            bool found = false;
            for (unsigned r = 0; r < used.count; r++)
                found = found || (used.range[r].low <= low[k] && high[k] <= used.range[r].high);
            ck_assert_msg(found, "range %u after %u", k, n);
        }
    }
    for (unsigned a = 0; a < used.count; a++)
        for (unsigned b = 0; b < a; b++)
            ck_assert(used.range[a].high < used.range[b].low || used.range[b].high < used.range[a].low);
}
END_TEST

/* What the firmware configuration device holds under a key: its first bytes. */
static u64 item_get(struct fixture *f, u32 key, unsigned size)
{
    u64 value = 0;
    ck_assert(bus_ops.write(f->m, 0x09020008, 2, (struct phys_attrs){ 0 }, (u64)(key << 8)));
    ck_assert(bus_get(f, 0x09020000, size, &value));
    return value;
}

START_TEST(firmware_loads_the_kernel)
{
    static u8 kernel[8192], packed[8192];
    u64 zeros[3] = { 0 };
    struct fixture *f = machine_of(64 * MIB, false, false, 1);
    struct boot_config c = { .kernel = image_make(kernel, sizeof(kernel), 0, 0x10000),
                             .initrd = { "initrd", (const u8 *)"initrd..", 8, 0 },
                             .bios = { "bios", (const u8 *)"firmware", 8, 0 },
                             .append = "words" };
    load(f, &c);
    ck_assert_mem_eq(ram(f, BASE + 0x200000), zeros, sizeof(zeros));
    ck_assert_mem_eq(ram(f, BASE + 32 * MIB), zeros, sizeof(zeros));
    ck_assert_uint_eq(item_get(f, 0x08, 4), sizeof(kernel));
    ck_assert_uint_eq(item_get(f, 0x11, 8), load_le64(kernel));
    ck_assert_uint_eq(item_get(f, 0x0b, 4), 8);
    ck_assert_uint_eq(item_get(f, 0x12, 8), load_le64("initrd.."));
    ck_assert_uint_eq(item_get(f, 0x14, 4), 6);
    ck_assert_uint_eq(item_get(f, 0x15, 8), load_le64("words\0\0\0"));
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0);
    /* packed: what gzip made of it is what firmware gets */
    z_stream z = { .next_in = kernel, .avail_in = sizeof(kernel), .next_out = packed, .avail_out = sizeof(packed) };
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    c.kernel = (struct blob){ "Image.gz", packed, z.total_out, 0 };
    deflateEnd(&z);
    load(f, &c);
    ck_assert_uint_eq(item_get(f, 0x08, 4), sizeof(kernel));
    ck_assert_uint_eq(item_get(f, 0x11, 8), load_le64(kernel));
    fixture_close(f);
}
END_TEST

/* What `info roms` is told: by address, parts of an ELF file, and again after a reset. */
START_TEST(what_was_loaded)
{
    static u8 bytes[512], file[300];
    static struct roms roms;
    static const struct rom want[] = {
        { ROM_FLASH, 0, 8, "bios", ROM_WHOLE },
        { ROM_RAM, BASE, FDT_SIZE, "dtb", ROM_TREE },
        { ROM_RAM, BASE + 0x1000000, 300, "first", ROM_WHOLE },
        { ROM_RAM, BASE + 0x1800000, 8192, "kernel", 0 },
        { ROM_RAM, BASE + 0x2000000, 300, "second", ROM_WHOLE },
    };
    struct fixture *f = machine_of(64 * MIB, false, false, 1);
    struct boot_config c = { .bios = { "bios", (const u8 *)"firmware", 8, 0 }, .roms = &roms, .loader_count = 3 };
    u64 at = BASE + 0x1800000;
    c.loader[0] =
        (struct boot_loader){ .file = { "second", file, sizeof(file), 0 }, .addr = BASE + 0x2000000, .cpu = -1 };
    c.loader[1] = (struct boot_loader){ .file = elf_make(bytes, at, at, 256, 8192, at), .cpu = -1 };
    c.loader[1].file.name = "kernel";
    c.loader[2] =
        (struct boot_loader){ .file = { "first", file, sizeof(file), 0 }, .addr = BASE + 0x1000000, .cpu = -1 };
    for (unsigned round = 0; round < 2; round++) {
        load(f, &c);
        ck_assert_uint_eq(roms.count, ARRAY_LEN(want));
        for (unsigned n = 0; n < roms.count; n++) {
            const struct rom *r = &roms.rom[n];
            ck_assert_msg(r->place == want[n].place && r->address == want[n].address && r->size == want[n].size &&
                              !strcmp(r->name, want[n].name) && r->part == want[n].part,
                          "%u: %s at 0x%llx, %llu bytes", n, r->name, (unsigned long long)r->address,
                          (unsigned long long)r->size);
        }
    }
    for (unsigned n = 0; n < 2 * ARRAY_LEN(roms.rom); n++) /* more than there is room for */
        rom_add(&roms, want[n % ARRAY_LEN(want)]);
    ck_assert_uint_eq(roms.count, ARRAY_LEN(roms.rom));
    for (unsigned n = 1; n < roms.count; n++)
        ck_assert(roms.rom[n - 1].place < roms.rom[n].place ||
                  (roms.rom[n - 1].place == roms.rom[n].place && roms.rom[n - 1].address <= roms.rom[n].address));
    fixture_close(f);
}
END_TEST

/* A debugger is to bring what runs: the tree alone lies there, and the PE waits at 0. */
START_TEST(nothing_to_run)
{
    char error[BOOT_ERROR];
    struct roms roms;
    struct fixture *f = machine_of(64 * MIB, true, false, 1);
    struct boot_config c = { .roms = &roms };
    ck_assert(!boot_load(f->m, &c, error));
    ck_assert_ptr_nonnull(strstr(error, "nothing to run"));
    ck_assert_uint_eq(roms.count, 0);
    c.empty = true;
    load(f, &c);
    ck_assert_uint_eq(f->m->d.cpu[0].pc, 0);
    ck_assert_uint_eq(f->m->d.cpu[0].ps.el, 2);
    ck_assert_int_eq(fdt_check_header(ram(f, BASE)), 0);
    fixture_close(f);
}
END_TEST

Suite *test_loader_suite(void);
Suite *test_loader_suite(void)
{
    Suite *s = suite_create("loader");
    TCase *t = tcase_create("loader");
    tcase_add_test(t, image_placed);
    tcase_add_test(t, raw_and_gzip);
    tcase_add_test(t, initrd_and_tree);
    tcase_add_test(t, given_tree_gets_memory);
    tcase_add_test(t, timer_interrupts);
    tcase_add_test(t, entered_as_qemu_does);
    tcase_add_test(t, elf_loaded);
    tcase_add_test(t, elf_refused);
    tcase_add_test(t, elf_damaged);
    tcase_add_test(t, xen_modules);
    tcase_add_test(t, loader_values);
    tcase_add_test(t, heap_beside_the_rest);
    tcase_add_test(t, ranges_in_use);
    tcase_add_test(t, firmware_loads_the_kernel);
    tcase_add_test(t, what_was_loaded);
    tcase_add_test(t, nothing_to_run);
    suite_add_tcase(s, t);
    return s;
}
