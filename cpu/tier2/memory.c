/*
 * Memory for host code. It is never writable and executable at once: two mappings of one file that has no name, one of
 * each kind. A host that forbids the second kind (SELinux without execmem, a hardened kernel) has no second tier. Both
 * are made before any guest runs, so that nothing is asked of the kernel later (-sandbox).
 */
#define _GNU_SOURCE
#include "cpu/tier2/memory.h"

#include <sys/mman.h>
#include <unistd.h>

/* Jumps of the host reach 2 GiB (x86-64) or 128 MiB (arm64): past the program, well before that. */
enum { APART = 48 << 20 };

bool code_memory_create(struct code_memory *m, const void *near)
{
    *m = (struct code_memory){ 0 };
    int fd = memfd_create("elmu code", MFD_CLOEXEC);
    if (fd < 0)
        return false;
    void *hint = (void *)(uintptr_t)(align_down((u64)(uintptr_t)near, 1 << 20) + APART);
    void *write = MAP_FAILED, *run = MAP_FAILED;
    if (ftruncate(fd, CODE_MEMORY) == 0) {
        write = mmap(NULL, CODE_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        run = mmap(hint, CODE_MEMORY, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    close(fd);
    m->write = write == MAP_FAILED ? NULL : write;
    m->run = run == MAP_FAILED ? NULL : run;
    if (m->write && m->run)
        return true;
    code_memory_destroy(m);
    return false;
}

void code_memory_destroy(struct code_memory *m)
{
    if (m->write)
        munmap(m->write, CODE_MEMORY);
    if (m->run)
        munmap(m->run, CODE_MEMORY);
    *m = (struct code_memory){ 0 };
}

/* The mapping for writing lets whole pages go that are written, since each mapping counts them as the process's. In
 * pieces, so that few calls do it, of any host's pages. */
enum { PIECE = 256 << 10 };
static void written_let_go(struct code_memory *m)
{
    u32 whole = m->used / PIECE * PIECE;
    if (whole > m->let_go)
        madvise(m->write + (u64)m->segment * CODE_SEGMENT + m->let_go, whole - m->let_go, MADV_DONTNEED);
    m->let_go = whole;
}

u8 *code_memory_room(struct code_memory *m, u32 size, bool *emptied)
{
    *emptied = m->used + size > CODE_SEGMENT;
    if (*emptied) {
        m->segment = (m->segment + 1) % (CODE_MEMORY / CODE_SEGMENT);
        m->used = m->segment ? 0 : m->kept;
        m->let_go = 0;
    }
    return m->write + (u64)m->segment * CODE_SEGMENT + m->used;
}

u8 *code_memory_publish(struct code_memory *m, u32 size)
{
    u8 *run = m->run + (u64)m->segment * CODE_SEGMENT + m->used;
    __builtin___clear_cache((char *)run, (char *)run + size);
    m->used += (u32)align_up(size, 16);
    written_let_go(m);
    return run;
}

u8 *code_memory_keep(struct code_memory *m, u32 size)
{
    u8 *run = code_memory_publish(m, size);
    m->kept = m->used;
    return run;
}
