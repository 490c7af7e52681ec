/* What is printed from the tables: --list-*. */
#include "frontend/frontend.h"

#include "cpu/sysreg/sysreg.h"

static void list_cpus(void)
{
    puts("Available CPUs:");
    for (unsigned n = 0; model_name(n); n++)
        printf("  %s\n", model_name(n));
    puts("Features (-cpu NAME,feature=on|off):");
    for (unsigned n = 0; feature_name(n); n++)
        printf("  %s\n", feature_name(n));
}

static void list_insns(void)
{
    const struct insn_row *r;
    for (unsigned n = 0; (r = insn_row_get(n)); n++)
        printf("%-16s %-48s %-10s %s\n", r->name, r->pattern, feature_name(r->feature), r->format);
}

static void list_sysregs(void)
{
    const struct sysreg *r;
    for (unsigned n = 0; (r = sysreg_get(n)); n++)
        printf("%-20s %u,%u,%u,%u,%u  read EL%u%s write EL%u%s  %s\n", r->name, r->key >> 14, r->key >> 11 & 7,
               r->key >> 7 & 15, r->key >> 3 & 15, r->key & 7, r->access & 15, (r->access & 15) == 4 ? "(never)" : "",
               r->access >> 4, r->access >> 4 == 4 ? "(never)" : "", feature_name(r->feature));
}

static void trap_print(const char *id, unsigned row, const char *values, const char *dir, const char *from,
                       const char *to, const char *ec, const char *need, const char *bar)
{
    const struct trap_row *t = trap_get(row);
    char field[64];
    snprintf(field, sizeof field, t->hi == t->lo ? "%s.%s<%u>" : "%s.%s<%u:%u>", t->reg, t->name, t->hi, t->lo);
    printf("%-16s %-36s %-8s %-2s %-6s -> %s  %-9s", id, field, values, dir, from, to, ec);
    if (*need != '0')
        printf("  where %s", need);
    if (*bar != '0')
        printf("  not where %s", bar);
    printf("\n");
}

static void list_traps(void)
{
#define TRAP(id, reg, field, values, dir, from, to, ec, need, bar)                                                     \
    trap_print(#id, TRAPROW_##id, #values, #dir, #from, #to, #ec, #need, #bar);
#define ALSO(id, reg, field, values, dir, from, to, ec, need, bar)                                                     \
    trap_print(#id, TRAPROW_##id, #values, #dir, #from, #to, #ec, #need, #bar);
#include "cpu/sysreg/traps.def"
#define LONE(id, reg, field, values, dir, from, to, ec, need, bar)                                                     \
    trap_print(#id, (unsigned)LONE_FIRST + LONE_##id, #values, #dir, #from, #to, #ec, #need, #bar);
#include "cpu/sysreg/traps.def"
#define FGT_ROW(dir, id, reg, field, at, feature, ec)                                                                  \
    trap_print(#id, FGT_##dir##_##id, "IF_ONE", #dir, "EL01", "EL2", #ec, "FGTEN", "HOST0");
#include "cpu/sysreg/fgt.def"
}

static void list_devices(void)
{
    const struct row *r;
    for (unsigned n = 0; n < ROW_FUNCTIONS && (r = row_get(n)); n++) {
        const struct kind *kind = r->kind;
        const char *words = kind && kind->compatible ? kind->compatible : "";
        const char *secure = (r->when & SECURE) == SECURE ? " (secure)" : "";
        printf("0x%08llx 0x%-8llx %-8s %-12s", (unsigned long long)r->base, (unsigned long long)r->size, r->name,
               kind ? kind->name : "RAM");
        if (kind && kind->wires)
            printf(" count %-3u SPI %-3u %s%s\n", r->count, r->spi, words, secure);
        else
            printf(" %s%s\n", kind ? words : r->size ? "" : "(-m)", secure);
    }
    for (unsigned n = 0; n < PCI_FUNCTIONS; n++)
        if (pci_function_name(n))
            printf("PCI                    %s\n", pci_function_name(n));
    for (enum virtio_kind kind = VIRTIO_NONE + 1; kind < VIRTIO_KINDS; kind++)
        printf("PCI, virtio-bus        %s\n", virtio_name(kind));
}

bool list_print(const char *what)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } lists[] = {
        { "cpus", list_cpus },   { "insns", list_insns },     { "sysregs", list_sysregs },
        { "traps", list_traps }, { "devices", list_devices }, { "options", options_list },
    };
    for (unsigned n = 0; n < ARRAY_LEN(lists); n++)
        if (!strcmp(lists[n].name, what)) {
            lists[n].print();
            return true;
        }
    return false;
}
