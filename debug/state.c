/* The machine's state as bytes. */
#include "debug/state.h"

#include "cpu/code.h"
#include "cpu/exception.h"
#include "cpu/pmu.h"
#include "cpu/sysreg.h"
#include "mmu/access.h"
#include "mmu/tlb.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { MACHINE_BYTES = offsetof(struct machine, gic) + offsetof(struct gic, d), CPU_BYTES = offsetof(struct cpu, d) };

u64 state_size(const struct machine *m) { return MACHINE_BYTES + (u64)CPU_BYTES * m->cpu_count; }

void state_save(struct machine *m, u8 *to)
{
    memcpy(to, m, MACHINE_BYTES);
    for (u32 n = 0; n < m->cpu_count; n++) {
        cpu_settle(&m->d.cpu[n]);
        pmu_settle(&m->d.cpu[n]);
        memcpy(to + MACHINE_BYTES + (u64)CPU_BYTES * n, &m->d.cpu[n], CPU_BYTES);
    }
}

/* All that hangs on the registers of a PE is worked out again. */
static void cpu_derive(struct machine *m, struct cpu *cpu)
{
    mmu_drop_derived(cpu);
    cpu->d.page = NULL;
    cpu->d.now = cpu->d.run_from = m->now;
    cpu->d.attention = ATT_IRQ;
    cpu_control_changed(cpu);
}

void state_load(struct machine *m, const u8 *from)
{
    memcpy(m, from, MACHINE_BYTES);
    for (u32 n = 0; n < m->cpu_count; n++) {
        memcpy(&m->d.cpu[n], from + MACHINE_BYTES + (u64)CPU_BYTES * n, CPU_BYTES);
        cpu_derive(m, &m->d.cpu[n]);
    }
    gic_rebuild(&m->gic, m->d.cpu);
    for (u32 n = 0; n < m->cpu_count; n++)
        m->d.cpu[n].d.attention |= ATT_IRQ;
    m->d.loop_noted = 0;
    m->d.stop = (struct stop){ .kind = STOP_NONE };
}

static const char *cpu_check(const struct machine *m, const struct cpu *cpu)
{
    const struct pstate *p = &cpu->ps;
    const u8 flags[] = { p->d, p->a, p->i, p->f, p->pan, p->uao, p->ss, p->il, p->dit, p->ssbs, p->tco, p->allint };
    for (unsigned n = 0; n < ARRAY_LEN(flags); n++)
        if (flags[n] > 1)
            return "cpu: PSTATE out of range";
    if (p->btype > 3 || p->nrw || cpu->flag_c > 1 || cpu->step_active > 3)
        return "cpu: PSTATE out of range";
    if ((p->el == 2 && !cpu_has(cpu, FEAT_EL2)) || (p->el == 3 && !cpu_has(cpu, FEAT_EL3)))
        return "cpu: an EL that this CPU lacks";
    if (memcmp(&cpu->features, &m->model.features, sizeof(cpu->features)))
        return "cpu: features differ";
    if (cpu->yields & ~(u32)(ATT_STOP | ATT_TURN))
        return "cpu: end of turn out of range";
    if (cpu->excl_valid && cpu->excl_size > 16)
        return "cpu: exclusive monitor out of range";
    if ((cpu->fetch_pa | cpu->fetch_va) & 4095)
        return "cpu: fetch page not aligned";
    return tlb_validate(cpu) ? NULL : "cpu: TLB out of range";
}

const char *state_check(const struct machine *m)
{
    const char *wrong = machine_validate(m);
    if (!wrong && m->gic.cpu_count != m->cpu_count)
        wrong = "gic: number of CPUs differs";
    for (u32 n = 0; n < m->cpu_count && !wrong; n++)
        wrong = cpu_check(m, &m->d.cpu[n]);
    return wrong;
}

const char *state_examine(const struct machine *m, const u8 *from)
{
    struct machine *s = calloc(1, sizeof(*s));
    struct cpu *cpus = aligned_alloc(64, align_up(sizeof(struct cpu) * m->cpu_count, 64));
    const char *wrong = s && cpus ? NULL : "no memory to examine it";
    if (!wrong) {
        memcpy(s, from, MACHINE_BYTES);
        s->d.cpu = cpus;
        s->d.phys = m->d.phys;
        wrong = s->cpu_count == m->cpu_count ? NULL : "machine: number of CPUs differs";
    }
    for (u32 n = 0; !wrong && n < m->cpu_count; n++) {
        memset(&cpus[n].d, 0, sizeof(cpus[n].d));
        memcpy(&cpus[n], from + MACHINE_BYTES + (u64)CPU_BYTES * n, CPU_BYTES);
    }
    wrong = wrong ? wrong : state_check(s);
    free(cpus);
    free(s);
    return wrong;
}

u64 state_layout(void)
{
    XXH3_state_t h;
    u64 sizes[] = { MACHINE_BYTES,
                    CPU_BYTES,
                    offsetof(struct machine, timers),
                    offsetof(struct cpu, tlb),
                    offsetof(struct cpu, sys),
                    offsetof(struct machine, virtio),
                    sizeof(struct virtio_mmio),
                    sizeof(struct gic_bank) };
    XXH3_INITSTATE(&h);
    XXH3_64bits_reset(&h);
    XXH3_64bits_update(&h, sizes, sizeof(sizes));
    for (unsigned n = 0; sysreg_get(n); n++) {
        const struct sysreg *row = sysreg_get(n);
        XXH3_64bits_update(&h, row->name, strlen(row->name) + 1);
        XXH3_64bits_update(&h, &row->offset, sizeof(row->offset));
    }
    return XXH3_64bits_digest(&h);
}
