/*
 * The memory-mapped interfaces of version 2: GICC, GICH and GICV by the rows of gic2.def, each of the PE that accesses
 * it (GICv2 chapters 4.4, 5.3 and 5.5). They are rows over the same functions as version 3's system registers
 * (gic/cpuif.h): what is here is the layouts, who looks, and what an INTID of the other group is read as. Five bits of
 * priority, so that one register of active priorities is all. Left out: GICH frames of other PEs (optional), the bypass
 * of legacy interrupts, whose control bits hold what is written.
 *
 *     IAR, EOIR, HPPIR, DIR <12:10> CPUID: who sent an SGI <9:0> INTID
 *     GICH_LR <31> HW <30> Grp1 <29:28> State <27:23> Priority <19:10> PhysicalID, or <19> EOI <12:10> CPUID <9:0>
 * VirtualID
 */
#include "gic/internal.h"
#include "gic/pe.h"

enum { INTID_MASK = 0x3ff, CPUID_LSB = 10, GIC2_IIDR = 0x0002043b };

/* An access to a register. */
struct access {
    struct gic *gic;
    unsigned cpu;
    unsigned n; /* of a register of several words */
    bool ns;    /* Non-secure, and there are two security states */
};

struct gic_word {
    const char *name;
    u32 offset, words;
    u32 (*get)(const struct access *a);
    void (*set)(const struct access *a, u32 value);
};

static u32 write_only(const struct access *a) { return (void)a, 0; }
static void read_only(const struct access *a, u32 value) { (void)a, (void)value; }
static u32 iidr_get(const struct access *a) { return (void)a, GIC2_IIDR; }

/* ---- GICC ---- */

static const struct gic_view secure_view = { .secure = 1, .bank = GIC_SECURE };
static const struct gic_view nonsecure_view = { .bank = GIC_NONSECURE, .half = 1 };
/* The Non-secure registers as they are, by their alias. */
static const struct gic_view aliased_view = { .el3 = 1, .secure = 1, .bank = GIC_SECURE };

static struct gic_view view_of(const struct access *a) { return a->ns ? nonsecure_view : secure_view; }
/* An alias stands for the Non-secure register, where there is one. */
static struct gic_view alias_of(const struct access *a) { return gic_ds(a->gic) ? secure_view : nonsecure_view; }

static bool ackctl(const struct access *a) { return a->gic->v2.ctlr[a->cpu] & GICC_ACKCTL; }

/* Secure: <0> EnableGrp0 <1> EnableGrp1 <2> AckCtl <3> FIQEn <4> CBPR <6:5> FIQ, IRQBypDisGrp0 <8:7> ..Grp1 <9>
 * EOImodeS <10> EOImodeNS. Non-secure: <0> EnableGrp1 <6:5> FIQ, IRQBypDisGrp1 <9> EOImodeNS */
static u32 gicc_ctlr_get(const struct access *a)
{
    u32 own = a->gic->v2.ctlr[a->cpu], s = cpuif_control(a->gic, a->cpu, GIC_SECURE);
    u32 ns = cpuif_control(a->gic, a->cpu, GIC_NONSECURE);
    bool grp0 = cpuif_enabled(a->gic, a->cpu, GROUP_0), grp1 = cpuif_enabled(a->gic, a->cpu, GROUP_1NS);
    u32 eoimodens = ns & ICC_EOIMODE && !gic_ds(a->gic);
    if (a->ns)
        return grp1 * (u32)GICC_GRP0 | (own & GICC_BYPDIS_GRP1) >> 2 | eoimodens * (u32)GICC_EOIMODES;
    return grp0 * (u32)GICC_GRP0 | grp1 * (u32)GICC_GRP1 | own | (ns & ICC_CBPR ? GICC_CBPR : 0) |
           (s & ICC_EOIMODE ? GICC_EOIMODES : 0) | eoimodens * (u32)GICC_EOIMODENS;
}

static void gicc_ctlr_ns_set(const struct access *a, u32 v)
{
    u32 *own = &a->gic->v2.ctlr[a->cpu], cbpr = cpuif_control(a->gic, a->cpu, GIC_NONSECURE) & ICC_CBPR;
    *own = (*own & ~(u32)GICC_BYPDIS_GRP1) | (v << 2 & GICC_BYPDIS_GRP1);
    cpuif_set_control(a->gic, a->cpu, GIC_NONSECURE, cbpr | (v & GICC_EOIMODES ? ICC_EOIMODE : 0));
    cpuif_enable(a->gic, a->cpu, GROUP_1NS, v & GICC_GRP0);
}

static void gicc_ctlr_set(const struct access *a, u32 v)
{
    if (a->ns) {
        gicc_ctlr_ns_set(a, v);
        return;
    }
    u32 eoimodens = gic_ds(a->gic) ? 0 : GICC_EOIMODENS;
    a->gic->v2.ctlr[a->cpu] = v & GICC_OWN;
    cpuif_set_control(a->gic, a->cpu, GIC_SECURE, v & GICC_EOIMODES ? ICC_EOIMODE : 0);
    cpuif_set_control(a->gic, a->cpu, GIC_NONSECURE,
                      (v & GICC_CBPR ? ICC_CBPR : 0) | (v & eoimodens ? ICC_EOIMODE : 0));
    cpuif_enable(a->gic, a->cpu, GROUP_0, v & GICC_GRP0);
    cpuif_enable(a->gic, a->cpu, GROUP_1NS, (v & GICC_GRP1) != 0);
}

static u32 gicc_pmr_get(const struct access *a) { return cpuif_mask(a->gic, a->cpu, view_of(a)); }
static void gicc_pmr_set(const struct access *a, u32 v) { cpuif_set_mask(a->gic, a->cpu, view_of(a), v); }
static u32 gicc_rpr_get(const struct access *a) { return (u32)cpuif_running(a->gic, a->cpu, view_of(a)); }

static enum gic_group bpr_group(const struct access *a) { return a->ns ? GROUP_1NS : GROUP_0; }
static u32 gicc_bpr_get(const struct access *a) { return cpuif_binary_point(a->gic, a->cpu, view_of(a), bpr_group(a)); }
static void gicc_bpr_set(const struct access *a, u32 v)
{
    cpuif_set_binary_point(a->gic, a->cpu, view_of(a), bpr_group(a), v);
}
static u32 gicc_abpr_get(const struct access *a)
{
    return a->ns ? 0 : cpuif_binary_point(a->gic, a->cpu, aliased_view, GROUP_1NS);
}
static void gicc_abpr_set(const struct access *a, u32 v)
{
    if (!a->ns)
        cpuif_set_binary_point(a->gic, a->cpu, aliased_view, GROUP_1NS, v);
}

/* The groups that GICC_IAR and GICC_HPPIR are about. */
static u32 gicc_reach(const struct access *a) { return a->ns ? REACH_1NS : ackctl(a) ? REACH_0 | REACH_1NS : REACH_0; }

/* GICC_IAR: group 1 is acknowledged from Non-secure state, and otherwise with AckCtl; without it is read as 1022. */
static u32 acknowledge(const struct access *a, u32 reach)
{
    u32 first = a->gic->d.best[a->cpu].intid;
    u32 sender = first < GIC_SGIS ? gic2_sender(a->gic, a->cpu, first) : 0;
    u32 intid = cpuif_acknowledge(a->gic, a->cpu, secure_view, reach, ACK_ANY);
    if (intid < GIC_SGIS)
        return sender << CPUID_LSB | intid;
    if (intid == INTID_SPURIOUS && reach == REACH_0 && cpuif_lines(a->gic, a->cpu, secure_view))
        return INTID_GROUP1;
    return intid;
}
static u32 gicc_iar_get(const struct access *a) { return acknowledge(a, gicc_reach(a)); }
static u32 gicc_aiar_get(const struct access *a) { return a->ns ? 0 : acknowledge(a, REACH_1NS); }

/* GICC_HPPIR: masked or not. */
static u32 pending(const struct access *a, u32 reach)
{
    u32 intid = cpuif_pending(a->gic, a->cpu, reach);
    if (intid < GIC_SGIS)
        return gic2_sender(a->gic, a->cpu, intid) << CPUID_LSB | intid;
    if (intid == INTID_SPURIOUS && reach == REACH_0 && cpuif_pending(a->gic, a->cpu, REACH_1NS) != INTID_SPURIOUS)
        return INTID_GROUP1;
    return intid;
}
static u32 gicc_hppir_get(const struct access *a) { return pending(a, gicc_reach(a)); }
static u32 gicc_ahppir_get(const struct access *a) { return a->ns ? 0 : pending(a, REACH_1NS); }

/* A Secure end of a group 1 interrupt without AckCtl is UNPREDICTABLE: it is done. */
static void gicc_eoir_set(const struct access *a, u32 v)
{
    cpuif_end(a->gic, a->cpu, view_of(a), a->ns ? REACH_1NS : REACH_ALL, v & INTID_MASK);
}
static void gicc_aeoir_set(const struct access *a, u32 v)
{
    if (!a->ns)
        cpuif_end(a->gic, a->cpu, alias_of(a), REACH_1NS, v & INTID_MASK);
}
static void gicc_dir_set(const struct access *a, u32 v)
{
    cpuif_deactivate(a->gic, a->cpu, view_of(a), a->ns ? REACH_1NS : REACH_ALL, v & INTID_MASK);
}

/* Group 0's active priorities, and group 1's; Non-secure: the lower half of these, from bit 0 on. */
static u32 gicc_apr_get(const struct access *a)
{
    u32 group1 = (u32)cpuif_active(a->gic, a->cpu, GROUP_1NS);
    return a->ns ? group1 >> 16 : (u32)cpuif_active(a->gic, a->cpu, GROUP_0);
}
static void gicc_apr_set(const struct access *a, u32 v)
{
    u32 group1 = (u32)cpuif_active(a->gic, a->cpu, GROUP_1NS);
    cpuif_set_active(a->gic, a->cpu, bpr_group(a), a->ns ? (group1 & 0xffff) | v << 16 : v);
}
static u32 gicc_nsapr_get(const struct access *a) { return a->ns ? 0 : (u32)cpuif_active(a->gic, a->cpu, GROUP_1NS); }
static void gicc_nsapr_set(const struct access *a, u32 v)
{
    if (!a->ns)
        cpuif_set_active(a->gic, a->cpu, GROUP_1NS, v);
}

/* ---- GICH: the bits of its control registers lie as ICH_*'s do ---- */

static u64 *hcr_of(const struct access *a) { return &a->gic->d.cpus[a->cpu].sys.ich_hcr_el2; }

static u32 gich_hcr_get(const struct access *a) { return (u32)*hcr_of(a); }
static void gich_hcr_set(const struct access *a, u32 v) { *hcr_of(a) = v & VIRTIF_HCR; }

/* <5:0> ListRegs - 1 <28:26> PREbits - 1 <31:29> PRIbits - 1 */
static u32 gich_vtr_get(const struct access *a) { return (void)a, 4u << 29 | 4 << 26 | (GIC_LRS - 1); }
static u32 gich_vmcr_get(const struct access *a) { return virtif_vmcr(a->gic, a->cpu); }
static void gich_vmcr_set(const struct access *a, u32 v) { virtif_set_vmcr(a->gic, a->cpu, v); }
static u32 gich_misr_get(const struct access *a) { return virtif_maintenance(a->gic, a->cpu, *hcr_of(a)); }
static u32 gich_eisr_get(const struct access *a) { return virtif_ended(a->gic, a->cpu); }
static u32 gich_elrsr_get(const struct access *a) { return virtif_empty(a->gic, a->cpu); }
static u32 gich_apr_get(const struct access *a) { return (u32)virtif_active(a->gic, a->cpu, 0); }
static void gich_apr_set(const struct access *a, u32 v) { virtif_set_active(a->gic, a->cpu, 0, v); }

u32 gic2_list(const struct gic *gic, unsigned cpu, unsigned n)
{
    u64 lr = virtif_list(gic, cpu, n);
    bool hw = bit(lr, ICH_LR_HW);
    u64 id = hw ? FIELD_OF(lr, ICH_LR_pINTID) << 10 | (lr & INTID_MASK) : (u64)bit(lr, 41) << 19 | (lr & 0x1fff);
    return (u32)((hw ? BIT(31) : 0) | (u64)bit(lr, ICH_LR_Group) << 30 | bits(lr, 63, 62) << 28 |
                 FIELD_OF(lr, ICH_LR_Priority) >> 3 << 23 | id);
}
static u32 gich_lr_get(const struct access *a) { return gic2_list(a->gic, a->cpu, a->n); }

/* CPUID is of SGIs without HW: else it is RES0. */
static void gich_lr_set(const struct access *a, u32 v)
{
    bool hw = bit(v, 31);
    u64 vintid = v & INTID_MASK, lr = bits(v, 29, 28) << 62 | (u64)hw << 61 | (u64)bit(v, 30) << 60;
    lr |= bits(v, 27, 23) << 51;
    if (hw)
        lr |= bits(v, 19, 10) << 32;
    else
        lr |= (u64)bit(v, 19) << 41 | (vintid < GIC_SGIS ? v & 0x1c00 : 0);
    virtif_set_list(a->gic, a->cpu, a->n, lr | vintid);
}

/* ---- GICV: as GICC without security states, and most of it in GICH_VMCR ---- */

static u32 vmcr(const struct access *a) { return virtif_vmcr(a->gic, a->cpu); }
static void vmcr_change(const struct access *a, u32 mask, u32 value)
{
    virtif_set_vmcr(a->gic, a->cpu, (vmcr(a) & ~mask) | (value & mask));
}

/* The bits of GICV_CTLR lie as those of GICH_VMCR do. */
enum { GICV_CTLR = GICC_GRP0 | GICC_GRP1 | GICC_ACKCTL | GICC_FIQEN | GICC_CBPR | GICC_EOIMODES };
static u32 gicv_ctlr_get(const struct access *a) { return vmcr(a) & GICV_CTLR; }
static void gicv_ctlr_set(const struct access *a, u32 v) { vmcr_change(a, GICV_CTLR, v); }
static u32 gicv_pmr_get(const struct access *a) { return virtif_mask(a->gic, a->cpu); }
static void gicv_pmr_set(const struct access *a, u32 v) { virtif_set_mask(a->gic, a->cpu, v); }
static u32 gicv_bpr_get(const struct access *a) { return (u32)FIELD_OF(vmcr(a), ICH_VMCR_VBPR0); }
static void gicv_bpr_set(const struct access *a, u32 v) { vmcr_change(a, 7u << ICH_VMCR_VBPR0, v << ICH_VMCR_VBPR0); }
static u32 gicv_abpr_get(const struct access *a) { return (u32)FIELD_OF(vmcr(a), ICH_VMCR_VBPR1); }
static void gicv_abpr_set(const struct access *a, u32 v) { vmcr_change(a, 7u << ICH_VMCR_VBPR1, v << ICH_VMCR_VBPR1); }
static u32 gicv_rpr_get(const struct access *a) { return (u32)virtif_running(a->gic, a->cpu); }

static bool has_pending(const struct access *a, u32 reach)
{
    return virtif_pending(a->gic, a->cpu, reach) != INTID_SPURIOUS;
}
static u32 reach_of(const struct access *a) { return vmcr(a) & GICC_ACKCTL ? REACH_V0 | REACH_V1 : REACH_V0; }
static u32 virtual_acknowledge(const struct access *a, u32 reach)
{
    bool signalled = a->gic->d.cpus[a->cpu].lines & (LINE_VIRQ | LINE_VFIQ);
    u32 intid = virtif_acknowledge(a->gic, a->cpu, *hcr_of(a), reach, ACK_ANY);
    return intid == INTID_SPURIOUS && reach == REACH_V0 && signalled && has_pending(a, REACH_V1) ? INTID_GROUP1 : intid;
}
static u32 gicv_iar_get(const struct access *a) { return virtual_acknowledge(a, reach_of(a)); }
static u32 gicv_aiar_get(const struct access *a) { return virtual_acknowledge(a, REACH_V1); }
static u32 gicv_hppir_get(const struct access *a)
{
    u32 intid = virtif_pending(a->gic, a->cpu, reach_of(a));
    return intid == INTID_SPURIOUS && has_pending(a, REACH_V1) ? INTID_GROUP1 : intid;
}
static u32 gicv_ahppir_get(const struct access *a) { return virtif_pending(a->gic, a->cpu, REACH_V1); }

/* The INTID, of an SGI with its sender. */
static u32 named(u32 v) { return (v & INTID_MASK) < GIC_SGIS ? v & 0x1fff : v & INTID_MASK; }
static void virtual_end(const struct access *a, u32 reach, u32 v)
{
    *hcr_of(a) = virtif_end(a->gic, a->cpu, *hcr_of(a), reach, named(v));
}
static void gicv_eoir_set(const struct access *a, u32 v) { virtual_end(a, REACH_V0 | REACH_V1, v); }
static void gicv_aeoir_set(const struct access *a, u32 v) { virtual_end(a, REACH_V1, v); }
static void gicv_dir_set(const struct access *a, u32 v)
{
    *hcr_of(a) = virtif_deactivate(a->gic, a->cpu, *hcr_of(a), named(v));
}

/* ---- Access ---- */

#define REG(name, offset, words, get, set) { #name, offset, words, get, set },
static const struct gic_word cpu_words[] = {
#define GICC_REG REG
#include "gic/gic2.def"
};
static const struct gic_word hyp_words[] = {
#define GICH_REG REG
#include "gic/gic2.def"
};
static const struct gic_word vcpu_words[] = {
#define GICV_REG REG
#include "gic/gic2.def"
};
static const struct {
    const struct gic_word *words;
    u32 count;
} frames[GIC2_FRAMES] = {
    [GIC2_CPU] = { cpu_words, ARRAY_LEN(cpu_words) },
    [GIC2_HYP] = { hyp_words, ARRAY_LEN(hyp_words) },
    [GIC2_VCPU] = { vcpu_words, ARRAY_LEN(vcpu_words) },
};

/* The register, or NULL: reserved, or not accessed by a word. */
static const struct gic_word *find(struct access *a, enum gic2_frame frame, u64 offset, unsigned size)
{
    for (u32 n = 0; n < frames[frame].count; n++) {
        const struct gic_word *word = &frames[frame].words[n];
        if (offset - word->offset >= 4 * word->words)
            continue;
        a->n = (unsigned)(offset - word->offset) / 4;
        a->gic->d.no_such_size = size != 4;
        return size == 4 ? word : NULL;
    }
    return NULL;
}

/* What an access did shows at the PE's lines. */
static void settle(const struct access *a, enum gic2_frame frame)
{
    if (frame == GIC2_CPU)
        gic_update_cpu(a->gic, &a->gic->d.cpus[a->cpu]);
    else
        ich_update(a->gic, &a->gic->d.cpus[a->cpu]);
}

bool gic2_read(struct gic *gic, enum gic2_frame frame, u64 offset, unsigned size, struct phys_attrs attrs, u64 *value)
{
    struct access a = { .gic = gic, .cpu = attrs.cpu, .ns = attrs.ns && !gic_ds(gic) };
    *value = 0;
    if (a.cpu >= gic->cpu_count)
        return false;
    const struct gic_word *word = find(&a, frame, offset, size);
    if (!word)
        return true;
    *value = word->get(&a);
    settle(&a, frame);
    return true;
}

bool gic2_write(struct gic *gic, enum gic2_frame frame, u64 offset, unsigned size, struct phys_attrs attrs, u64 value)
{
    struct access a = { .gic = gic, .cpu = attrs.cpu, .ns = attrs.ns && !gic_ds(gic) };
    if (a.cpu >= gic->cpu_count)
        return false;
    const struct gic_word *word = find(&a, frame, offset, size);
    if (!word)
        return true;
    word->set(&a, (u32)value);
    settle(&a, frame);
    return true;
}
