/*
 * What a guest's stage 2 maps, as a list of spans, and whose each page of physical memory is: for those who look in.
 */
#ifndef DEBUG_STAGE2_H
#define DEBUG_STAGE2_H

#include "debug/debugger.h"

/* IPAs side by side that lead to addresses side by side, with the same rights and type. */
struct stage2_span {
    u64 ipa, pa, size; /* bytes */
    u16 perm;          /* TLB_* */
    u8 memattr;        /* the descriptors' MemAttr */
};
/* False: that is enough. */
typedef bool stage2_fn(void *ctx, const struct stage2_span *span);
/* Tells each span, by IPA; nothing when stage 2 is off. *looks descriptors are looked at at most, and taken off. False:
 * there is more. */
enum { STAGE2_LOOKS = 1 << 20 };
bool stage2_each(const struct regime_desc *r, u64 *looks, stage2_fn *tell, void *ctx);
/* Bits of IPA that it translates; 0: it translates nothing. */
unsigned stage2_bits(const struct regime_desc *r);

/* Whose a page is: the place of a guest in `vm` of struct debugger, or one of these. */
enum { OWNER_NONE = 0xf0 /* nobody wrote there */, OWNER_REST /* of no guest: EL2's, or whoever runs without one */,
       OWNER_SHARED /* of several guests */ };
struct owners {
    u64 base, size, unit; /* bytes: of the memory, of what one entry is about */
    u64 count;
    u8 *of;
    u64 bytes[VMS], shared, rest; /* of units */
    bool whole;                   /* all descriptors were looked at */
};
/* Of main memory, in at most `most` units of 4 KiB or a power of two of that. False: no memory. */
bool owners_find(const struct debugger *d, u64 most, struct owners *o);
void owners_free(struct owners *o);

/* The row of the board at that address, with its device's number; NULL: there is none. */
const struct row *owners_device(const struct machine *m, u64 pa, u32 *number);

#endif
