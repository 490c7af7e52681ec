/*
 * What the last descriptor of a walk permits, and whether that is enough for an access (Arm ARM D8.4;
 * AArch64.S1ComputePermissions, S2ComputePermissions, S1CheckPermissions and S2CheckPermissions of the shared
 * pseudocode). Pure functions: mmu/walk.c makes faults of the answers. Permission indirection: mmu/pie.h.
 */
#ifndef MMU_PERMISSION_H
#define MMU_PERMISSION_H

#include "mmu/pie.h"
#include "mmu/table.h"

struct s1_perm {
    u16 perm;          /* TLB_*: what is allowed, without PAN */
    u16 base, overlay; /* rights before and by overlays */
    u8 wxn_u, wxn_p;   /* execution denied by the writable rules alone */
    u8 sif, clean;
};

struct s2_perm {
    u16 perm;  /* TLB_*: dirty state not looked at */
    u8 walker; /* RIGHT_* of stage 1's walks and updates */
    u8 clean;
};

/* Why an access is not permitted. RULE_NONE: it is. */
struct denial {
    u8 rule;  /* enum fault_rule */
    u8 right; /* RIGHT_* that is missing; 0: not one of the access itself */
};

/* AP<2>, S2AP<1>, which hardware updates, say read-only; with indirect permissions: say clean. */
static inline bool permission_clean(const struct table *t, u64 desc) { return bit(desc, 7) == (t->stage == 1); }

/* out_ns: the output address is Non-secure. */
struct s1_perm permission_stage1(const struct regime_desc *r, const struct table *t, u64 desc,
                                 struct table_rights above, bool out_ns);
struct s2_perm permission_stage2(const struct regime_desc *r, const struct table *t, u64 desc);

/* For the access itself, by stage 1 and by stage 2; for stage 1's walk (update: which sets flags), by stage 2. */
struct denial permission_check1(const struct walk_access *a, struct s1_perm p);
struct denial permission_check2(const struct walk_access *a, struct s2_perm p);
struct denial permission_check_walk(struct s2_perm p, bool update);

/* The rights that an access needs of a stage; write: of write1 and write2, that of the stage. */
static inline unsigned permission_wanted(const struct walk_access *a, unsigned write)
{
    return (a->fetch ? RIGHT_X : 0u) | (a->read && !a->maintain ? RIGHT_R : 0u) | (a->write || write ? RIGHT_W : 0u);
}

/* Does PAN keep it out? */
static inline bool permission_pan(const struct walk_access *a, unsigned perm)
{
    return a->pan && !a->el0 && !a->fetch && perm & TLB_USER;
}

/* The same for TLB_* that both stages left of an earlier walk: true only when a walk would find neither a permission
 * nor an alignment fault; when in doubt false. */
static inline bool permission_sure(const struct walk_access *a, unsigned perm)
{
    if (a->unaligned || a->zva || permission_pan(a, perm))
        return false;
    return !(permission_wanted(a, a->write1 || a->write2) & ~tlb_rights_of(perm, a->el0));
}

#endif
