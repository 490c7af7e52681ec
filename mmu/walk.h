/*
 * Address translation: a pure function from (regime, address, access) to a translation or a fault (Arm ARM D8; shared
 * pseudocode AArch64.FullTranslate and below). One walker serves TLB fill, AT, gdb, inspectors and the explanation of
 * an abort. It reads physical memory through phys_*, and writes it only to set an access flag or dirty state.
 * What failed is decided here; who hears of it is decided in cpu/exception/exception.c.
 */
#ifndef MMU_WALK_H
#define MMU_WALK_H

#include "lib/base.h"
#include "mmu/phys.h"

/* Translation regimes (D8.1.2). */
enum regime { REGIME_EL10, REGIME_EL2, REGIME_EL20, REGIME_EL3, REGIME_COUNT };

enum fault_kind {
    FAULT_NONE,
    FAULT_ADDRESS_SIZE,
    FAULT_TRANSLATION,
    FAULT_ACCESS_FLAG,
    FAULT_PERMISSION,
    FAULT_EXTERNAL,      /* no memory or device answered */
    FAULT_EXTERNAL_WALK, /* the same, reading a descriptor */
    FAULT_ALIGNMENT,
    FAULT_ATOMIC_UPDATE, /* hardware update of a descriptor in memory that cannot do it */
    FAULT_EXCLUSIVE,     /* unsupported exclusive or atomic access (to a device) */
    FAULT_TAG,           /* Tag Check Fault */
    FAULT_KINDS
};

/* Why it failed, for people and tests: fault_rule_text names each. */
enum fault_rule {
    RULE_NONE,
    RULE_VA_RANGE,       /* address outside of what TxSZ (stage 2: T0SZ, SL0) allows */
    RULE_EPD,            /* TCR_ELx.EPDn */
    RULE_E0PD,
    RULE_TTBR_SIZE,      /* the table base lies beyond the output size */
    RULE_INVALID,        /* descriptor<0> == 0 */
    RULE_RESERVED,       /* descriptor<1:0> == 01 at level 3 */
    RULE_BLOCK_LEVEL,    /* a block where the granule has none */
    RULE_BLOCK_NT,       /* a block with nT set (FEAT_BBM) */
    RULE_OUTPUT_SIZE,    /* descriptor's address lies beyond the output size */
    RULE_MMU_OFF_SIZE,   /* MMU off, address beyond the implemented physical size */
    RULE_AF,             /* access flag clear */
    RULE_READ,           /* AP, APTable or S2AP deny reads */
    RULE_WRITE,
    RULE_EXECUTE,        /* UXN, PXN, XNTable or stage-2 XN */
    RULE_WXN,            /* SCTLR_ELx.WXN, or writable at EL0 */
    RULE_OVERLAY,        /* POR_ELx denies what the base permission allows */
    RULE_CLEAN,          /* permission indirection: the page is clean, and hardware does not set dirty state */
    RULE_PAN,
    RULE_SIF,            /* SCR_EL3.SIF */
    RULE_PTW,            /* HCR_EL2.PTW: stage 1 table in Device memory */
    RULE_ALIGN_A,        /* SCTLR_ELx.A */
    RULE_ALIGN_ATOMIC,   /* exclusive, atomic or ordered access */
    RULE_ALIGN_DEVICE,
    RULE_ALIGN_FLAT, /* Device since stage 1 is off */
    RULE_EXTERNAL,
    RULE_TAG,            /* the address's tag is not the memory's */
    RULE_COUNT
};
const char *fault_rule_text(unsigned rule);

/* What failed. exc_abort turns it into an exception. */
struct fault {
    u8 kind;       /* enum fault_kind */
    s8 level;      /* of the walk, -1..3 */
    u8 fsc;        /* IFSC/DFSC as the syndrome encodes it */
    u8 stage2;     /* found by stage 2: EL2 hears of it */
    u8 s1ptw;      /* stage 2, while stage 1 read or updated a descriptor */
    u8 wnr;        /* ISS.WnR */
    u8 cm;         /* ISS.CM: cache maintenance or AT */
    u8 ea;         /* ISS.EA */
    u8 fnv;        /* ISS.FnV: FAR is not valid */
    u8 fetch;      /* instruction fetch */
    u8 ns_ipa;     /* the IPA is Non-secure (HPFAR_EL2.NS) */
    u8 rule;       /* enum fault_rule */
    u8 regime;     /* enum regime that translated */
    u8 desc_stage; /* 1 or 2: stage of the descriptor that decided; 0 when none did */
    u8 overlay;    /* ISS2.Overlay */
    u8 dirty;      /* ISS2.DirtyBit */
    u64 ipa;       /* stage 2: the address that failed (whole, not only the page) */
    u64 desc_addr; /* physical address (stage 1 under stage 2: IPA) of the descriptor that decided */
    u64 desc;      /* its value */
};

/* What an implementation offers to translation; mmu/context.c maps struct features to it. */
enum {
    WALK_HPD = 1,      /* FEAT_HPDS */
    WALK_HAF = 2,      /* FEAT_HAFDBS: access flag */
    WALK_HDBS = 4,     /* FEAT_HAFDBS: dirty state */
    WALK_XNX = 8,      /* FEAT_XNX */
    WALK_LPA = 16,     /* FEAT_LPA: 52-bit addresses with 64K */
    WALK_LVA = 32,     /* FEAT_LVA */
    WALK_LPA2 = 64,    /* FEAT_LPA2: TCR.DS */
    WALK_TTST = 128,   /* FEAT_TTST: small tables */
    WALK_FWB = 256,    /* FEAT_S2FWB */
    WALK_PAN3 = 512,   /* FEAT_PAN3: SCTLR.EPAN */
    WALK_E0PD = 1024,  /* FEAT_E0PD */
    WALK_MTE = 2048,   /* FEAT_MTE2: MAIR 0xf0 */
    WALK_TBID = 4096,  /* FEAT_PAuth: TCR.TBIDn */
    WALK_LSE2 = 8192,  /* FEAT_LSE2: unaligned single-copy atomics within 16 bytes */
    WALK_BBM = 16384,  /* FEAT_BBM: a block with nT set is a translation fault */
    WALK_XS = 32768,   /* FEAT_XS: the XS attribute, MAIR 0x40, 0xa0 and 0x0*1, bit 11 of stage 2 */
    WALK_LOOSE = 65536 /* mmu-off-align=off: RAM that is Device only since stage 1 is off needs no alignment */
};

/* What translation depends on. Values as in the registers; mmu/context.c fills it from a PE. */
struct regime_desc {
    struct phys *phys;
    u32 feat;      /* WALK_* */
    u16 cpu;       /* number of the PE, for phys_attrs */
    u8 regime;     /* enum regime */
    u8 secure;     /* Secure state */
    u8 stage1;     /* stage 1 is enabled */
    u8 stage2;     /* stage 2 is enabled */
    u8 has_s2;     /* regime EL1&0 with EL2 enabled: stage 2 exists, on or off */
    u8 sif;        /* SCR_EL3.SIF */
    u8 s2_ee;      /* SCTLR_EL2.EE */
    u8 nv_nv1;     /* HCR_EL2.{NV,NV1} == 11 and in force */
    u8 pie, s2pie; /* permission indirection is in force in stage 1 (stage 2) */
    u8 poe, e0poe; /* permission overlays are, for privileged accesses, for those of EL0 */
    u8 affd;       /* no access flag faults in stage 1 (1), in stage 2 (2): an SMMU's CD.AFFD and STE.S2AFFD */
    u16 asid, vmid;
    u64 sctlr, tcr, mair;
    u64 pir, pire0, por, por0, s2pir;
    u64 ttbr[2];
    u64 hcr, vtcr, vttbr, vstcr, vsttbr;
    struct memo *memo; /* mmu/memo.h; NULL: none. It and number do not say what is translated, only how fast */
    u64 number;        /* of this description there */
};

/* The access that wants the translation. */
struct walk_access {
    u8 read;           /* needs read permission; read-modify-write sets read and write */
    u8 write;          /* needs write permission */
    u8 fetch;          /* needs execute permission. With none of the three set no permission is checked */
    u8 el0;            /* with EL0's permissions */
    u8 pan;            /* PSTATE.PAN applies to it */
    u8 maintain;       /* cache maintenance above EL0: read permission isn't asked for */
    u8 at;             /* address translation instruction: no dirty state is set */
    u8 cm;             /* cache maintenance or AT: ISS.CM, and ISS.WnR is 1 */
    u8 unaligned;      /* would fault on Device memory */
    u8 zva;            /* DC ZVA: faults on Device memory however aligned */
    u8 real_el;        /* PSTATE.EL, for E0PD */
    u8 debug;          /* changes nothing: no update of descriptors */
    u8 write1, write2; /* cache maintenance that needs write permission of stage 1, of stage 2 (FEAT_CMOW) */
    u8 stage1_only;    /* the output of stage 1 is the answer; its tables are still subject to stage 2 */
};

/* Memory types as D8.6: Device-nGnRnE 0 .. GRE 3, Normal 4. */
enum { MEM_nGnRnE, MEM_nGnRE, MEM_nGRE, MEM_GRE, MEM_NORMAL };
/* Cacheability, encoded as in stage-2 MemAttr: NC 1, WT 2, WB 3. */
enum { CACHE_NC = 1, CACHE_WT = 2, CACHE_WB = 3 };

struct mem_attrs {
    u8 type;                   /* MEM_* */
    u8 inner, outer;           /* CACHE_* */
    u8 inner_hint, outer_hint; /* RA in bit 1, WA in bit 0 */
    u8 inner_transient, outer_transient;
    u8 sh; /* 0 none, 2 outer, 3 inner, as SH */
    u8 tagged;
    u8 xs0; /* FEAT_XS: the XS attribute is 0, which shows in PAR_EL1 */
};

/* Permissions of a translation, TLB_* in struct tlb_entry.perm: what both stages allow. */
enum {
    TLB_UR = 1, TLB_UW = 2, TLB_UX = 4,       /* at EL0 */
    TLB_PR = 8, TLB_PW = 16, TLB_PX = 32,     /* privileged */
    TLB_USER = 64,                            /* EL0 may read in stage 1: PAN denies privileged data access */
    TLB_FLAT = 128,                           /* stage 1 is off: fetches are Normal though data is Device */
    TLB_GP = 256,                             /* guarded page (BTI) */
    TLB_TAGGED = 512                          /* Normal Tagged memory (MTE), noted by the TLB */
};

/* Those of EL0, or of the others: bit 0 read, 1 write, 2 execute. */
static inline unsigned tlb_rights_of(unsigned perm, bool el0) { return el0 ? perm & 7 : perm >> 3 & 7; }

struct translation {
    bool ok;
    bool ns; /* output is in the Non-secure physical address space */
    bool global;
    u8 size_log2;              /* of the smaller of the stages' blocks */
    u8 size1_log2, size2_log2; /* of each stage's block */
    s8 level1, level2;         /* of the last descriptor of each stage */
    u16 perm;                  /* TLB_* */
    u64 pa, ipa;               /* of the address itself */
    struct mem_attrs attrs;    /* combined */
    struct fault fault;
};

/* Every descriptor that was read, in order. */
enum { WALK_STEPS = 64 };
struct walk_step {
    u64 addr; /* physical */
    u64 ipa;  /* stage 1 under stage 2: before translation; else = addr */
    u64 value;
    s8 level;
    u8 stage;   /* 1, 2 */
    u8 s1ptw;   /* stage 2 for a stage 1 descriptor */
    u8 updated; /* read again to be updated */
};
struct walk_record {
    unsigned count; /* steps kept; further ones are dropped */
    struct walk_step step[WALK_STEPS];
};

/* Translates va. rec may be NULL. */
void walk_for(const struct regime_desc *r, u64 va, const struct walk_access *acc, struct walk_record *rec,
              struct translation *out);
static inline void walk(const struct regime_desc *r, u64 va, struct walk_access acc, struct walk_record *rec,
                        struct translation *out)
{
    walk_for(r, va, &acc, rec, out);
}
/* Stage 2 alone, for an address that a guest calls physical. ns: IPA space. */
void walk_stage2(const struct regime_desc *r, u64 ipa, bool ns, struct walk_access acc, struct walk_record *rec,
                 struct translation *out);

/* FSC for a kind at a level. */
u8 fault_fsc(unsigned kind, int level);
/* AddrTop: highest bit of va that takes part in translation (55 or 63). tbid: FEAT_PAuth. */
unsigned walk_addr_top(unsigned regime, u64 tcr, bool tbid, u64 va, bool fetch);

#endif
