/* Stage 2, filled in when the guest touches it. */
#include "stage2.h"

/* The descriptor of an IPA's page, with tables on the way as they are needed. */
u64 *entry_of(u64 *root, u64 ipa)
{
    u64 *table = root;
    for (unsigned level = 1; level < 3; level++) {
        u64 *entry = &table[ipa >> (12 + 9 * (3 - level)) & 511];
        if (!(*entry & PTE_VALID))
            *entry = (u64)page_new() | PTE_TABLE | PTE_VALID;
        table = (u64 *)(*entry & PTE_ADDRESS);
    }
    return &table[ipa >> 12 & 511];
}

/* The page at an IPA becomes that one. What was there before, if anything, was valid and may be in the TLB. */
void page_set(struct stage2 *s, u64 ipa, u64 pa, u64 access)
{
    u64 *entry = entry_of(s->root, ipa);
    if (*entry & PTE_VALID)
        TODO(5, "break before make: the descriptor 0, DSB, TLBI IPAS2E1IS of ipa >> 12, DSB, TLBI "
                "VMALLE1IS, DSB, ISB");
    (void)pa, (void)access;
    TODO(3, "the page's descriptor: pa, S2_RAM, access; DSB, ISB");
}

void stage2_on(struct stage2 *s)
{
    s->root = page_new();
    TODO(1, "VTCR_EL2: bit 31 (RES1), PS 40 bits, SH0, ORGN0, IRGN0 as TCR_EL2, SL0 = 1 (begin at "
            "level 1), T0SZ for 39 bits; VTTBR_EL2: the VMID in bits 63 to 48, the root; HCR_EL2: "
            "HCR_VM besides what it has");
    isb();
    asm volatile("tlbi vmalls12e1is" : : : "memory");
    dsb();
    isb();
}

/* HPFAR_EL2 has the IPA, but not for a permission fault of an access that is no walk: then stage 1 is asked again. */
static u64 fault_ipa(const struct vcpu *v)
{
    (void)v;
    TODO(2, "a translation fault: HPFAR_EL2[39:4] are bits 47 to 12. (When you are at 5: of a "
            "permission fault that is no ISS_S1PTW HPFAR_EL2 may hold anything. AT S1E1R asks for "
            "v->far; PAR_EL1 has the answer, and belongs to the guest: keep it)");
}

bool guest_fault(struct vcpu *v, u64 *ipa)
{
    struct stage2 *s = &guest_memory;
    u64 kind = FIELD(v->esr, 5, 2), at = *ipa = fault_ipa(v);
    bool write = FIELD(v->esr, 31, 26) == EC_DABT_LOWER && v->esr & ISS_WNR;
    if (at < GUEST_RAM_IPA || at >= GUEST_RAM_IPA + GUEST_RAM_SIZE)
        return false;
    u64 now = *entry_of(s->root, at);
    if (now & PTE_VALID && (!write || now & S2_WRITE)) /* another CPU was quicker: lesson 9 */
        return true;
    TODO(4, "in the image's part of RAM: a page that is read is the image's own, with S2_READ. "
            "Else: a page_new(), S2_READ | S2_WRITE; of what is in the image a copy (and IC "
            "IALLUIS: it may be code). A permission fault of a write: the same, now. Count "
            "s->mapped and s->copied");
    (void)s, (void)kind, (void)write;
}
