/*
 * Faults of translation as others hear of them: the status code of the syndrome (Arm ARM D19.2 ESR_ELx, DFSC and IFSC),
 * and each rule in words. mmu/walk.c decides them.
 */
#include "mmu/walk.h"

u8 fault_fsc(unsigned kind, int level)
{
    switch (kind) {
    case FAULT_ADDRESS_SIZE: return level < 0 ? 0x29 : (u8)level;
    case FAULT_TRANSLATION: return level < 0 ? 0x2b : (u8)(0x04 | level);
    case FAULT_ACCESS_FLAG: return (u8)(0x08 | (level & 3));
    case FAULT_PERMISSION: return (u8)(0x0c | (level & 3));
    case FAULT_EXTERNAL: return 0x10;
    case FAULT_EXTERNAL_WALK: return level < 0 ? 0x13 : (u8)(0x14 | level);
    case FAULT_ALIGNMENT: return 0x21;
    case FAULT_ATOMIC_UPDATE: return 0x31;
    case FAULT_EXCLUSIVE: return 0x35;
    default: return 0;
    }
}

const char *fault_rule_text(unsigned rule)
{
    static const char *const text[RULE_COUNT] = {
        [RULE_NONE] = "none",
        [RULE_VA_RANGE] = "the address is outside of the range that the size and start level fields allow",
        [RULE_EPD] = "walks from this base register are disabled (EPD)",
        [RULE_E0PD] = "EL0 access to this half of the address space is disabled (E0PD)",
        [RULE_TTBR_SIZE] = "the table base address is beyond the output size",
        [RULE_INVALID] = "the descriptor is invalid (bit 0 is 0)",
        [RULE_RESERVED] = "the descriptor is a block at the last level (reserved)",
        [RULE_BLOCK_LEVEL] = "the granule has no blocks at this level",
        [RULE_BLOCK_NT] = "the block descriptor's nT bit is set",
        [RULE_OUTPUT_SIZE] = "the descriptor's output address is beyond the output size",
        [RULE_MMU_OFF_SIZE] = "translation is off and the address is beyond the physical address size",
        [RULE_AF] = "the access flag is 0",
        [RULE_READ] = "the descriptor denies reads",
        [RULE_WRITE] = "the descriptor denies writes",
        [RULE_EXECUTE] = "the descriptor denies execution",
        [RULE_WXN] = "writable memory is not executable (WXN, or writable at EL0)",
        [RULE_OVERLAY] = "the permission overlay register denies the access",
        [RULE_CLEAN] = "the page is clean, and hardware does not set dirty state",
        [RULE_PAN] = "privileged access to memory that EL0 can access (PSTATE.PAN)",
        [RULE_SIF] = "fetch of Non-secure memory in Secure state (SCR_EL3.SIF)",
        [RULE_PTW] = "a stage 1 table lies in Device memory (HCR_EL2.PTW)",
        [RULE_ALIGN_A] = "unaligned, and SCTLR_ELx.A is set",
        [RULE_ALIGN_ATOMIC] = "unaligned exclusive, atomic or ordered access",
        [RULE_ALIGN_DEVICE] = "unaligned access (or DC ZVA) to Device memory",
        [RULE_ALIGN_FLAT] = "unaligned access (or DC ZVA), and stage 1 is off: all data is Device memory",
        [RULE_EXTERNAL] = "nothing answers at the physical address",
        [RULE_TAG] = "the tag of the address is not the tag of the memory",
    };
    return rule < RULE_COUNT ? text[rule] : "?";
}
