/*
 * Memory in files: see dump.h. The core file is what Linux writes of a process (elf(5), core(5)): ELF64, a note
 * NT_PRSTATUS and NT_FPREGSET for each PE, whose number + 1 stands for a thread's, one segment for each piece of RAM,
 * whose virtual address is the physical one: so gdb's addresses are physical. Left out: SVE registers, page tables of
 * the guest (-p of QEMU), compressed formats.
 */
#include "debug/dump.h"

#include "cpu/exception.h"
#include "debug/file.h"
#include "mmu/context.h"

#include <elf.h>
#include <stdio.h>

enum { PAGE = 4096, NOTE_NAME = 8 };

/* ---- ranges of RAM ---- */

struct piece {
    u64 at, size;
    struct phys_region *region;
};

/* Piece n of the RAM that PEs have, cut to the range. False: there is none. */
static bool piece_get(struct machine *m, unsigned row, u64 begin, u64 length, struct piece *p)
{
    const struct row *r = row_get(row);
    struct phys_region *region = phys_region_at(&m->d.phys, row_address(m, row));
    if (r->kind || !row_there(m, r) || !region)
        return false;
    u64 low = region->base, high = region->base + region->size;
    u64 end = length && begin + length > begin ? begin + length : NEVER;
    low = begin > low ? begin : low;
    high = end < high ? end : high;
    *p = (struct piece){ low, high - low, region };
    return low < high;
}

u64 dump_size(struct machine *m, u64 begin, u64 length)
{
    struct piece p;
    u64 size = 0;
    for (unsigned row = 0; row < ROW_FUNCTIONS; row++)
        size += piece_get(m, row, begin, length, &p) ? p.size : 0;
    return size;
}

/* ---- registers ---- */

/* As the kernel lays them out for a process. */
struct prstatus {
    u32 signo, code, error;
    u16 cursig, pad0;
    u64 pending, held;
    u32 pid, ppid, pgrp, sid;
    u64 times[8];
    u64 x[31], sp, pc, pstate;
    u32 fpvalid, pad1;
};
struct fpregset {
    u64 v[32][2];
    u32 fpsr, fpcr, pad[2];
};
struct note {
    Elf64_Nhdr head;
    char name[NOTE_NAME];
};
static_assert(sizeof(struct note) == 20 && sizeof(struct prstatus) == 392 && sizeof(struct fpregset) == 528,
              "the kernel's sizes");
enum { NOTES_SIZE = 2 * sizeof(struct note) + sizeof(struct prstatus) + sizeof(struct fpregset) };

static void note_put(struct new_file *f, u32 type, const void *bytes, u32 size)
{
    const struct note n = { { sizeof("CORE"), size, type }, "CORE" };
    new_file_put(f, &n, sizeof(n));
    new_file_put(f, bytes, size);
}

static void notes_put(struct new_file *f, const struct cpu *cpu)
{
    struct prstatus status = { .pid = cpu->index + 1, .fpvalid = 1 };
    struct fpregset fp = { .fpsr = cpu->fpsr, .fpcr = cpu->fpcr };
    memcpy(status.x, cpu->x, sizeof(status.x));
    status.sp = cpu->x[REG_SP];
    status.pc = cpu->pc;
    status.pstate = cpu_spsr(cpu);
    memcpy(fp.v, cpu->v, sizeof(fp.v));
    note_put(f, NT_PRSTATUS, &status, sizeof(status));
    note_put(f, NT_FPREGSET, &fp, sizeof(fp));
}

/* ---- the core file ---- */

static Elf64_Ehdr head_make(u16 segments)
{
    return (Elf64_Ehdr){ .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                         .e_type = ET_CORE,
                         .e_machine = EM_AARCH64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = segments };
}

/* Pages that nobody has touched are holes. */
static void ram_put(struct new_file *f, const struct piece *p)
{
    const struct phys_region *r = p->region;
    for (u64 done = 0, size; done < p->size; done += size) {
        u64 at = p->at - r->base + done;
        size = PAGE - at % PAGE;
        size = size < p->size - done ? size : p->size - done;
        if (r->flags[at / PAGE] & PAGE_TOUCHED)
            new_file_put(f, r->host + at, size);
        else
            new_file_skip(f, size);
    }
}

static void core_put(struct machine *m, struct new_file *f, u64 begin, u64 length)
{
    Elf64_Phdr segment[ROW_FUNCTIONS + 1];
    struct piece piece[ROW_FUNCTIONS];
    u16 count = 0;
    for (unsigned row = 0; row < ROW_FUNCTIONS; row++)
        count += piece_get(m, row, begin, length, &piece[count]);
    Elf64_Ehdr head = head_make((u16)(count + 1));
    u64 notes_at = sizeof(head) + (count + 1u) * sizeof(segment[0]);
    u64 notes = m->options.cpu_count * (u64)NOTES_SIZE, at = align_up(notes_at + notes, PAGE);
    segment[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes, .p_align = 4 };
    for (unsigned n = 0; n < count; n++) {
        segment[n + 1] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                       .p_flags = PF_R | PF_W | PF_X,
                                       .p_offset = at,
                                       .p_vaddr = piece[n].at,
                                       .p_paddr = piece[n].at,
                                       .p_filesz = piece[n].size,
                                       .p_memsz = piece[n].size };
        at += align_up(piece[n].size, PAGE);
    }
    new_file_put(f, &head, sizeof(head));
    new_file_put(f, segment, (count + 1u) * sizeof(segment[0]));
    for (u32 n = 0; n < m->options.cpu_count; n++)
        notes_put(f, &m->d.cpu[n]);
    for (unsigned n = 0; n < count; n++) {
        new_file_skip(f, segment[n + 1].p_offset - new_file_at(f));
        ram_put(f, &piece[n]);
    }
}

bool dump_write(struct machine *m, const char *file, u64 begin, u64 length, char error[256])
{
    if (!dump_size(m, begin, length)) {
        snprintf(error, 256, "Invalid parameter 'begin' or 'length': there is no RAM");
        return false;
    }
    struct new_file *f = new_file_open(file, error);
    if (!f)
        return false;
    core_put(m, f, begin, length);
    return new_file_done(f, error);
}

/* ---- memory as it is ---- */

bool memory_write(struct machine *m, const struct cpu *cpu, u64 at, u64 size, const char *file, bool (*broken)(void),
                  char error[256])
{
    u8 bytes[PAGE];
    struct new_file *f = new_file_open(file, error);
    bool ok = f;
    const char *why = NULL;
    for (u64 done = 0, part; ok && done < size; done += part) {
        u64 pa = at + done;
        part = PAGE - pa % PAGE;
        part = part < size - done ? part : size - done;
        if ((cpu && !mmu_debug_translate(cpu, at + done, cpu->ps.el, &pa, NULL, NULL)) ||
            !phys_copy_out(&m->d.phys, pa, bytes, part))
            why = "Invalid addr";
        else if (broken && broken())
            why = "interrupted: addr";
        ok = !why && new_file_put(f, bytes, part);
    }
    if (f && why)
        new_file_spoil(f);
    ok = f && new_file_done(f, error);
    if (why)
        snprintf(error, 256, "%s 0x%016llx/size %llu specified", why, (unsigned long long)at, (unsigned long long)size);
    return ok;
}
