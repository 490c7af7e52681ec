/*
 * The IORT (Arm DEN0049, revision E.b): what stands between the functions of the host bridge and memory, and who takes
 * their messages. A function's ID goes through all of it unchanged: root complex, SMMU (if there is one), ITS (if there
 * is one).
 *
 *     node: type, length, revision, identifier, number and offset of its mappings, its own fields
 *     mapping: first ID, count - 1, first ID behind it, offset of the node that it goes to, flags
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"

enum { ITS_GROUP = 0, ROOT_COMPLEX = 2, SMMU_V3 = 4, NODES_AT = 48, NODE_HEAD = 16, ALL_IDS = 0x10000 };

/* A node of `size` bytes of its own, whose IDs go on to the node at `to` (0: nowhere). Returns its offset. */
static u32 node_begin(struct writer *w, u32 table, unsigned type, unsigned revision, u32 number, u32 size, u32 to)
{
    u32 at = w->size - table, head = NODE_HEAD + size;
    PUT(w, BYTE(type), WORD(head + (to ? 20 : 0)), BYTE(revision), DWORD(number), DWORD(to ? 1 : 0),
        DWORD(to ? head : 0));
    return at;
}

static void node_end(struct writer *w, u32 to)
{
    if (to)
        PUT(w, DWORD(0), DWORD(ALL_IDS - 1), DWORD(0), DWORD(to), DWORD(0));
}

static u32 its_group(struct writer *w, u32 table, u32 number)
{
    u32 at = node_begin(w, table, ITS_GROUP, 1, number, 8, 0);
    PUT(w, DWORD(1), DWORD(0)); /* one ITS, of this identifier in the MADT */
    return at;
}

static u32 smmu(struct writer *w, u32 table, u32 number, u32 to)
{
    enum { COHERENT = 1 };
    const struct place place = { ROW_smmu, 0 };
    u32 intid = place_intid(place), at = node_begin(w, table, SMMU_V3, 4, number, 52, to);
    PUT(w, QWORD(place_base(w->m, place)), DWORD(COHERENT), DWORD(0), QWORD(0), DWORD(0));
    PUT(w, DWORD(intid), DWORD(intid + 1), DWORD(intid + 3), DWORD(intid + 2)); /* event, PRI, error, sync */
    PUT(w, DWORD(0), DWORD(0));
    node_end(w, to);
    return at;
}

static void root_complex(struct writer *w, u32 table, u32 number, u32 to)
{
    enum { COHERENT = 1, CACHED_AND_COHERENT = 3, ADDRESS_BITS = 64 };
    node_begin(w, table, ROOT_COMPLEX, 3, number, 20, to);
    PUT(w, DWORD(COHERENT), BYTE(0), WORD(0), BYTE(CACHED_AND_COHERENT), DWORD(0), DWORD(0), BYTE(ADDRESS_BITS),
        BYTE(0), WORD(0));
    node_end(w, to);
}

void acpi_iort(struct writer *w)
{
    u32 table = w->size - ACPI_HEADER, number = 0, to = 0;
    PUT(w, DWORD(0), DWORD(NODES_AT), DWORD(0));
    if (row_there(w->m, row_get(ROW_its)))
        to = its_group(w, table, number++);
    if (row_there(w->m, row_get(ROW_smmu)))
        to = smmu(w, table, number++, to);
    root_complex(w, table, number++, to);
    put_at(w, table + ACPI_HEADER, number, 4);
}
