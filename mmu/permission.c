/* Permissions: see mmu/permission.h. Leaves out what mmu/pie.h does. */
#include "mmu/permission.h"

#include "cpu/field.h"

/* Bits of a leaf (D8.3.2), of stage 1 and of stage 2. */
enum { AP1 = 6, AP2 = 7, GP = 50, PXN = 53, UXN = 54 };
enum { S2AP0 = 6, S2AP1 = 7, S2_XN0 = 53, S2_XN1 = 54 };
/* APTable, as struct table_rights has it. */
enum { TABLE_NO_EL0 = 1, TABLE_READ_ONLY = 2 };

/* Rights of EL0 and of the others as TLB_*. */
static u16 tlb_rights(unsigned user, unsigned priv) { return (u16)(user | priv << 3); }

/* ---- stage 1 (D8.4.1) ---- */

/* What one level of privilege may do before overlays. */
struct s1_rights {
    u8 base;     /* RIGHT_* */
    u8 overlaid; /* overlays apply where they are enabled */
    u8 wxn;      /* with write permission there is no execute permission */
    u8 pan;      /* of EL0: PSTATE.PAN keeps the others out */
};

/* Permissions in the descriptor (AArch64.S1DirectBasePermissions). */
static void direct_permissions(const struct regime_desc *r, const struct table *t, u64 desc, struct table_rights above,
                               struct s1_rights *user, struct s1_rights *priv, struct s1_perm *p)
{
    bool wxn = bit(r->sctlr, SCTLR_WXN), read_only = bit(desc, AP2) || above.ap & TABLE_READ_ONLY;
    bool xn = bit(desc, UXN) || above.xn, pxn = bit(desc, PXN) || above.pxn;
    bool el0 = bit(desc, AP1) && !(above.ap & TABLE_NO_EL0) && !t->one_priv;
    if (t->one_priv) {
        pxn = xn;
    } else if (r->nv_nv1) {
        pxn = bit(desc, UXN) || above.pxn;
        xn = above.xn;
        el0 = false;
    }
    bool uw = el0 && !read_only;
    p->wxn_p = uw && !pxn;
    *user = (struct s1_rights){ .overlaid = 1, .wxn = wxn };
    if (!t->one_priv)
        user->base = (u8)((el0 ? RIGHT_R : 0) | (uw ? RIGHT_W : 0) | (xn ? 0 : RIGHT_X));
    *priv = (struct s1_rights){ .overlaid = 1, .wxn = wxn };
    priv->base = (u8)(RIGHT_R | (read_only ? 0 : RIGHT_W) | (pxn || uw ? 0 : RIGHT_X));
}

/* Permissions in registers, which the descriptor indexes (AArch64.S1IndirectBasePermissions). */
static void indirect_permissions(const struct regime_desc *r, const struct table *t, u64 desc, struct s1_rights *user,
                                 struct s1_rights *priv)
{
    unsigned pire0 = t->one_priv ? 0 : pie_value(r->pire0, desc);
    struct pie_s1 p = pie_stage1(pie_value(r->pir, desc)), u = pie_stage1(pire0);
    /* What EL0 may write, and the others execute, nobody may access. */
    if (p.rights & (RIGHT_X | RIGHT_GCS) && u.rights & (RIGHT_W | RIGHT_GCS))
        p.rights = u.rights = 0;
    *priv = (struct s1_rights){ .base = p.rights & RIGHTS_ALL, .overlaid = p.overlaid, .wxn = p.wxn };
    *user = (struct s1_rights){
        .base = u.rights & RIGHTS_ALL, .overlaid = u.overlaid, .wxn = u.wxn, .pan = pire0 && !r->nv_nv1
    };
}

/* An overlay; WXN takes write permission from an overlay that gives execute permission, else execute permission from
 * the base (AArch64.S1ComputePermissions). *wxn: it did the latter. */
static unsigned overlay_rights(u64 desc, struct s1_rights *s, bool enabled, u64 por, u8 *wxn)
{
    const unsigned both = RIGHT_W | RIGHT_X;
    bool applies = enabled && s->overlaid, takes = s->wxn && (s->base & both) == both;
    unsigned overlay = applies ? pie_overlay(por, desc) : RIGHTS_ALL;
    if (takes && applies && overlay & RIGHT_X) {
        overlay &= ~(unsigned)RIGHT_W;
    } else if (takes) {
        s->base &= (u8)~RIGHT_X;
        *wxn = 1;
    }
    return overlay;
}

struct s1_perm permission_stage1(const struct regime_desc *r, const struct table *t, u64 desc,
                                 struct table_rights above, bool out_ns)
{
    struct s1_perm p = { 0 };
    struct s1_rights user, priv;
    if (t->pie)
        indirect_permissions(r, t, desc, &user, &priv);
    else
        direct_permissions(r, t, desc, above, &user, &priv, &p);
    unsigned user_overlay = overlay_rights(desc, &user, r->e0poe, r->por0, &p.wxn_u);
    unsigned priv_overlay = overlay_rights(desc, &priv, r->poe, r->por, &p.wxn_p);
    if (r->secure && out_ns && r->sif) {
        p.sif = !!((user.base | priv.base) & RIGHT_X);
        user.base &= (u8)~RIGHT_X;
        priv.base &= (u8)~RIGHT_X;
    }
    p.base = tlb_rights(user.base, priv.base);
    p.overlay = tlb_rights(user_overlay, priv_overlay);
    p.clean = t->pie && permission_clean(t, desc);
    p.perm = p.base & p.overlay;
    if (p.clean)
        p.perm &= (u16) ~(TLB_UW | TLB_PW);
    /* EPAN: memory that EL0 may execute counts as EL0's too, for PAN (D8.4.1.2). */
    bool epan = r->feat & WALK_PAN3 && bit(r->sctlr, SCTLR_EPAN);
    if (user.pan || (!t->pie && user.base & (epan ? RIGHTS_ALL : RIGHT_R | RIGHT_W)))
        p.perm |= TLB_USER;
    if (bit(desc, GP))
        p.perm |= TLB_GP;
    return p;
}

/* ---- stage 2 (D8.4.2) ---- */

struct s2_perm permission_stage2(const struct regime_desc *r, const struct table *t, u64 desc)
{
    if (t->pie) {
        struct pie_s2 p = pie_stage2(r->s2pir, desc);
        return (struct s2_perm){ tlb_rights(p.el0, p.el1), p.walker, permission_clean(t, desc) };
    }
    bool xn1 = bit(desc, S2_XN1), xn0 = xn1;
    unsigned rw = (bit(desc, S2AP0) ? RIGHT_R : 0u) | (bit(desc, S2AP1) ? RIGHT_W : 0u);
    /* XN[1:0]: 00 both, 01 EL0 only, 10 neither, 11 EL1 only */
    if (r->feat & WALK_XNX && bit(desc, S2_XN0))
        xn1 = !xn1, xn0 = !xn1;
    return (struct s2_perm){ tlb_rights(rw | (xn0 ? 0 : RIGHT_X), rw | (xn1 ? 0 : RIGHT_X)), (u8)rw, 0 };
}

/* ---- checks ---- */

static const struct denial permitted = { RULE_NONE, 0 };

struct denial permission_check1(const struct walk_access *a, struct s1_perm p)
{
    unsigned have = tlb_rights_of(p.base, a->el0), overlay = tlb_rights_of(p.overlay, a->el0);
    unsigned want = a->fetch ? RIGHT_X : permission_wanted(a, a->write1);
    bool pan = permission_pan(a, p.perm);
    if (pan)
        have &= RIGHT_X;
    if (likely(!(want & ~(have & overlay)) && !(p.clean && want & RIGHT_W)))
        return permitted;
    if (want & ~overlay)
        return (struct denial){ RULE_OVERLAY, want & ~overlay & RIGHT_R ? RIGHT_R : (u8)(want & ~overlay) };
    if (a->fetch)
        return (struct denial){ p.sif ? RULE_SIF : (a->el0 ? p.wxn_u : p.wxn_p) ? RULE_WXN : RULE_EXECUTE, RIGHT_X };
    if (want & ~have & RIGHT_R)
        return (struct denial){ pan ? RULE_PAN : RULE_READ, RIGHT_R };
    if (want & ~have)
        return (struct denial){ pan ? RULE_PAN : RULE_WRITE, RIGHT_W };
    return (struct denial){ RULE_CLEAN, RIGHT_W };
}

struct denial permission_check2(const struct walk_access *a, struct s2_perm p)
{
    unsigned missing = permission_wanted(a, a->write2) & ~tlb_rights_of(p.perm, a->el0);
    if (unlikely(missing & RIGHT_X))
        return (struct denial){ RULE_EXECUTE, RIGHT_X };
    if (unlikely(missing & RIGHT_R))
        return (struct denial){ RULE_READ, RIGHT_R };
    if (unlikely(missing))
        return (struct denial){ RULE_WRITE, RIGHT_W };
    return a->write && p.clean ? (struct denial){ RULE_CLEAN, RIGHT_W } : permitted;
}

struct denial permission_check_walk(struct s2_perm p, bool update)
{
    if (!(p.walker & (update ? RIGHT_W : RIGHT_R)))
        return (struct denial){ update ? RULE_WRITE : RULE_READ, 0 };
    return update && p.clean ? (struct denial){ RULE_CLEAN, 0 } : permitted;
}
