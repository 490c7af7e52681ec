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
    if (*entry & PTE_VALID) { /* break before make */
        *entry = 0;
        dsb();
        asm volatile("tlbi ipas2e1is, %0" : : "r"(ipa >> 12) : "memory");
        dsb();
        asm volatile("tlbi vmalle1is" : : : "memory"); /* both stages in one entry: those are by VA */
        dsb();
        isb();
    }
    *entry = pa | S2_RAM | access;
    dsb();
    isb();
}

void stage2_on(struct stage2 *s)
{
    s->root = page_new();
    write_sysreg(vtcr_el2, BIT(31) | 2ul << 16 | 3ul << 12 | 1ul << 10 | 1ul << 8 | 1ul << 6 | (64 - 39));
    write_sysreg(vttbr_el2, s->vmid << 48 | (u64)s->root);
    write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_VM);
    isb();
    asm volatile("tlbi vmalls12e1is" : : : "memory");
    dsb();
    isb();
}

/* HPFAR_EL2 has the IPA, but not for a permission fault of an access that is no walk: then stage 1 is asked again. */
static u64 fault_ipa(const struct vcpu *v)
{
    if (FIELD(v->esr, 5, 2) != FAULT_PERMISSION || v->esr & ISS_S1PTW)
        return FIELD(v->hpfar, 39, 4) << 12;
    u64 guests = read_sysreg(par_el1);
    asm volatile("at s1e1r, %0" : : "r"(v->far) : "memory");
    isb();
    u64 par = read_sysreg(par_el1);
    write_sysreg(par_el1, guests);
    return par & (BIT(48) - BIT(12));
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
    u64 original = ADDRESS(guest_image) + (at - GUEST_RAM_IPA); /* if there is one */
    bool in_image = original < ADDRESS(guest_image_end);
    if (kind == FAULT_TRANSLATION && in_image && !write) {
        page_set(s, at, original, S2_READ);
        s->mapped++;
        return true;
    }
    if (kind != FAULT_TRANSLATION && (kind != FAULT_PERMISSION || !write))
        return false;
    void *page = page_new();
    if (in_image)
        memcpy(page, (void *)original, PAGE_SIZE);
    asm volatile("ic ialluis");
    page_set(s, at, (u64)page, S2_READ | S2_WRITE);
    s->mapped += kind == FAULT_TRANSLATION;
    s->copied += in_image;
    return true;
}
