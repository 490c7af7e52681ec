/*
 * Kernels: ELF (by p_paddr), the arm64 Image (Linux Documentation/arm64/booting.rst), plain, gzip'ed or within an EFI
 * zboot image, and raw bytes. Every size in a file is checked against the file and against RAM.
 */
#include "board/boot/boot.h"

#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { MIB = 1 << 20, RAW_OFFSET = 0x80000, STUB_SIZE = 0x1000, INFLATE_MAX = 256 * MIB };

static bool fail(char *error, const char *name, const char *what)
{
    snprintf(error, BOOT_ERROR, "%s: %s", name, what);
    return false;
}

bool image_put(struct machine *m, u64 pa, const struct blob *file, const char *what, char error[BOOT_ERROR])
{
    if (phys_copy_in(&m->d.phys, pa, file->data, file->size))
        return true;
    snprintf(error, BOOT_ERROR, "%s: %s of %llu bytes does not fit in RAM at 0x%llx (RAM is %llu MiB from 0x%llx)",
             file->name, what, (unsigned long long)file->size, (unsigned long long)pa,
             (unsigned long long)(m->options.ram_size >> 20), (unsigned long long)m->d.phys.region[0].base);
    return false;
}

/* ---- ELF ---- */

static bool segment_load(struct machine *m, const struct blob *file, const GElf_Phdr *ph, int part, struct image *image,
                         char *error)
{
    if (ph->p_offset > file->size || ph->p_filesz > file->size - ph->p_offset || ph->p_filesz > ph->p_memsz)
        return fail(error, file->name, "truncated ELF file: a segment lies beyond the end of the file");
    struct blob bytes = { file->name, file->data + ph->p_offset, ph->p_filesz, false };
    if (ph->p_filesz && !image_put(m, ph->p_paddr, &bytes, "ELF segment", error))
        return false;
    u64 end = ph->p_paddr + ph->p_memsz;
    struct phys_region *r = phys_find(&m->d.phys, ph->p_paddr, (struct phys_attrs){ 0 });
    if (!r || end < ph->p_paddr || end > r->base + r->size) {
        snprintf(error, BOOT_ERROR, "%s: ELF segment of %llu bytes does not fit in RAM at 0x%llx", file->name,
                 (unsigned long long)ph->p_memsz, (unsigned long long)ph->p_paddr);
        return false;
    }
    if (image->used)
        boot_use_named(image->used, ph->p_paddr, ph->p_memsz, file->name, part);
    image->low = ph->p_paddr < image->low ? ph->p_paddr : image->low;
    image->high = end > image->high ? end : image->high;
    return true;
}

static bool elf_segments(struct machine *m, const struct blob *file, Elf *elf, u64 entry, struct image *image,
                         char *error)
{
    size_t count;
    bool any = false;
    if (elf_getphdrnum(elf, &count))
        return fail(error, file->name, "damaged ELF file: no program headers can be read");
    for (size_t n = 0; n < count; n++) {
        GElf_Phdr ph;
        if (!gelf_getphdr(elf, (int)n, &ph))
            return fail(error, file->name, "truncated ELF file: a program header lies beyond the end of the file");
        if (ph.p_type != PT_LOAD || !ph.p_memsz)
            continue;
        if (!segment_load(m, file, &ph, (int)n, image, error))
            return false;
        if (entry - ph.p_vaddr < ph.p_memsz) /* the entry is a virtual address; the PE starts at a physical one */
            image->entry = entry - ph.p_vaddr + ph.p_paddr;
        any = true;
    }
    return any || fail(error, file->name, "ELF file without anything to load");
}

bool image_load_elf(struct machine *m, const struct blob *file, struct image *image, char error[BOOT_ERROR])
{
    error[0] = 0;
    if (file->size < SELFMAG || memcmp(file->data, ELFMAG, SELFMAG))
        return false;
    *image = (struct image){ .kind = IMAGE_ELF, .low = NEVER, .used = image->used };
    if (elf_version(EV_CURRENT) == EV_NONE)
        return fail(error, file->name, "libelf does not work");
    Elf *elf = elf_memory((char *)(uintptr_t)file->data, file->size);
    GElf_Ehdr eh;
    bool ok;
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
        ok = fail(error, file->name, "truncated or damaged ELF file");
    else if (eh.e_machine != EM_AARCH64 || gelf_getclass(elf) != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
        ok = fail(error, file->name, "not an ELF file for AArch64 (64-bit, little-endian)");
    else {
        image->entry = eh.e_entry;
        ok = elf_segments(m, file, elf, eh.e_entry, image, error);
    }
    if (elf)
        elf_end(elf);
    return ok;
}

/* ---- Image ---- */

static bool is_gzip(const struct blob *file)
{
    return file->size > 18 && file->data[0] == 0x1f && file->data[1] == 0x8b;
}

/* Unpacks gzip data; out->data is to be freed. */
static bool gunzip(const struct blob *file, struct blob *out, char *error)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)file->data, .avail_in = (uInt)file->size };
    u64 room = 16 * MIB;
    u8 *data = malloc(room);
    int rc = data && file->size <= UINT32_MAX ? inflateInit2(&z, 15 + 16) : Z_MEM_ERROR;
    while (rc == Z_OK) {
        if (z.total_out == room) {
            u8 *more = room < INFLATE_MAX ? realloc(data, room * 2) : NULL;
            if (!more) {
                rc = Z_MEM_ERROR;
                break;
            }
            data = more;
            room *= 2;
        }
        z.next_out = data + z.total_out;
        z.avail_out = (uInt)(room - z.total_out);
        rc = inflate(&z, Z_NO_FLUSH);
    }
    *out = (struct blob){ file->name, data, z.total_out, false };
    inflateEnd(&z);
    if (rc == Z_STREAM_END)
        return true;
    free(data);
    out->data = NULL;
    return fail(error, file->name, rc == Z_MEM_ERROR ? "unpacks to more than 256 MiB" : "damaged gzip data");
}

bool image_unpack(const struct blob *file, struct blob *out, char error[BOOT_ERROR])
{
    *out = *file;
    return !is_gzip(file) || gunzip(file, out, error);
}

/* EFI zboot: "MZ", "zimg" at 4, offset and size of the payload at 8 and 12, its compression at 24. True: *payload is
 * set. */
static bool zboot(const struct blob *file, struct blob *payload, char *error)
{
    const u8 *d = file->data;
    if (file->size < 64 || memcmp(d, "MZ", 2) || memcmp(d + 4, "zimg", 4))
        return false;
    u64 offset = load_le32(d + 8), size = load_le32(d + 12);
    if (memcmp(d + 24, "gzip\0", 5))
        return fail(error, file->name, "EFI zboot image: only gzip compression is supported");
    if (offset > file->size || size > file->size - offset)
        return fail(error, file->name, "truncated EFI zboot image");
    *payload = (struct blob){ file->name, d + offset, size, false };
    return true;
}

/* What begins like this is no program for this machine. An EFI program for it has "ARM\x64" at 56, too. */
static const struct {
    u32 at, size;
    const char *magic, *what;
} foreign[] = {
    { 0x202, 4, "HdrS", "a Linux kernel for x86" },
    { 0x24, 4, "\x18\x28\x6f\x01", "a zImage, a Linux kernel for 32-bit Arm" },
    { 0x30, 5, "RISCV", "a Linux kernel for RISC-V" },
    { 0, 4, "\x27\x05\x19\x56", "an image for U-Boot (uImage): what is in it starts 64 bytes later" },
    { 0, 4, "\xd0\x0d\xfe\xed", "a device tree or a FIT image" },
    { 0, 6,
      "\xfd"
      "7zXZ\0",
      "packed by xz: unpack it first" },
    { 0, 4, "\x28\xb5\x2f\xfd", "packed by zstd: unpack it first" },
    { 0, 3, "BZh", "packed by bzip2: unpack it first" },
    { 0, 4, "\x04\x22\x4d\x18", "packed by lz4: unpack it first" },
    { 0, 4, "PK\3\4", "a zip archive" },
    { 257, 5, "ustar", "a tar archive" },
    { 0, 6, "070701", "a cpio archive: an initial RAM disk is given by -initrd" },
    { 0, 4, "QFI\xfb", "a disk image (qcow2): disks are given by -drive" },
    { 0x8001, 5, "CD001", "a CD image: disks are given by -drive" },
    { 0, 4, "\xca\xfe\xba\xbe", "a program for another system" },
    { 0, 4, "\xcf\xfa\xed\xfe", "a Mach-O program" },
    { 0, 2, "MZ", "an EFI program, which needs firmware (-bios): not an arm64 Image" },
};

/* Lines of ASCII: a script or a page that a server gave in place of a file. */
static bool is_text(const struct blob *file)
{
    u64 size = file->size < 512 ? file->size : 512;
    bool line = false;
    for (u64 n = 0; n < size; n++) {
        u8 c = file->data[n];
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c >= 0x7f)
            return false;
        line |= c == '\n';
    }
    return line;
}

/* NULL: nothing speaks against a raw program. */
static const char *what_else(const struct blob *file)
{
    for (unsigned n = 0; n < ARRAY_LEN(foreign); n++)
        if (file->size >= foreign[n].at + foreign[n].size &&
            !memcmp(file->data + foreign[n].at, foreign[n].magic, foreign[n].size))
            return foreign[n].what;
    return is_text(file) ? "a text file" : NULL;
}

static bool place(struct machine *m, const struct blob *file, struct image *image, char *error)
{
    u64 base = m->d.phys.region[0].base, offset = RAW_OFFSET, size = file->size;
    const u8 *d = file->data;
    image->kind = IMAGE_RAW;
    if (size >= 64 && !memcmp(d + 56, "ARM\x64", 4)) {
        u64 image_size = load_le64(d + 16);
        image->kind = IMAGE_LINUX;
        if (image_size) { /* before 3.17 the offset is as good as 0x80000 */
            offset = load_le64(d + 8);
            if (offset < STUB_SIZE)
                offset += 2 * MIB;
        }
        size = image_size > size ? image_size : size;
    } else if (what_else(file)) {
        snprintf(error, BOOT_ERROR, "%s: is %s; expected an ELF file, an arm64 Image or a raw program for AArch64",
                 file->name, what_else(file));
        return false;
    }
    if (offset > m->options.ram_size || size > m->options.ram_size - offset) {
        snprintf(error, BOOT_ERROR, "%s: kernel of %llu bytes at RAM + 0x%llx does not fit in %llu MiB of RAM",
                 file->name, (unsigned long long)size, (unsigned long long)offset,
                 (unsigned long long)(m->options.ram_size >> 20));
        return false;
    }
    image->entry = image->low = base + offset;
    image->high = image->low + size;
    if (image->used) {
        boot_use(image->used, image->low, image->high);
        boot_use_named(image->used, image->low, file->size, file->name, ROM_WHOLE);
    }
    return image_put(m, image->low, file, "kernel", error);
}

bool image_load(struct machine *m, const struct blob *file, struct image *image, char error[BOOT_ERROR])
{
    struct blob packed = *file, plain = { 0 };
    error[0] = 0;
    if (!file->size)
        return fail(error, file->name, "the kernel file is empty");
    if (image_load_elf(m, file, image, error))
        return true;
    if (error[0] || (!zboot(file, &packed, error) && error[0]))
        return false;
    if (!is_gzip(&packed))
        return place(m, file, image, error);
    if (!image_unpack(&packed, &plain, error))
        return false;
    bool ok = place(m, &plain, image, error);
    free((void *)(uintptr_t)plain.data);
    return ok;
}
