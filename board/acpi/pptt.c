/*
 * The PPTT (ACPI 6.4, 5.2.29): sockets, clusters, cores and threads as -smp says, a node each. Left out: caches, of
 * which this machine has none.
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"

enum { PACKAGE = 1, ID_VALID = 2, THREAD = 4, LEAF = 8 };

/* A node; returns where it is, as its children name it. parent: 0, or where that is. */
static u32 node(struct writer *w, u32 table, u32 flags, u32 parent, u64 id)
{
    u32 at = w->size - table;
    PUT(w, BYTE(0), BYTE(20), WORD(0), DWORD(flags), DWORD(parent), DWORD(id), DWORD(0));
    return at;
}

void acpi_pptt(struct writer *w)
{
    const struct machine_options *o = &w->m->options;
    u32 table = w->size - ACPI_HEADER, socket = 0, cluster = 0, core = 0;
    u64 in_core = o->threads ? o->threads : 1, in_cluster = in_core * (o->cores ? o->cores : o->cpu_count);
    u64 in_socket = in_cluster * (o->clusters ? o->clusters : 1);
    for (u32 n = 0; n < o->cpu_count; n++) {
        if (n % in_socket == 0)
            socket = node(w, table, PACKAGE, 0, n / in_socket);
        if (n % in_cluster == 0)
            cluster = node(w, table, 0, socket, n % in_socket / in_cluster);
        if (in_core > 1 && n % in_core == 0)
            core = node(w, table, 0, cluster, n % in_cluster / in_core);
        node(w, table, ID_VALID | LEAF | (in_core > 1 ? THREAD : 0), in_core > 1 ? core : cluster, n);
    }
}
