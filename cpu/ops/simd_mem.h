/* Structure loads and stores (LD1 to LD4 and their stores), shared by both engines. */
#ifndef CPU_SIMD_MEM_H
#define CPU_SIMD_MEM_H

#include "cpu/state.h"

/* What a structure access is, from its word. */
struct simd_structs {
    u8 regs;          /* 1 to 4, from Vt on, V0 after V31 */
    u8 log2;          /* of the element's size */
    u8 lanes;         /* elements a register: 1 in the single-structure forms */
    u8 index;         /* of the lane, single-structure forms */
    bool interleaved; /* LD2 to LD4 */
    bool single, replicate;
};
struct simd_structs simd_structs(u32 word);
static inline unsigned simd_structs_bytes(struct simd_structs s) { return ((unsigned)s.regs * s.lanes) << s.log2; }

/* Loads or stores all at va, with `host` when the caller has found the memory, else by mem_read and mem_write, element
 * by element. Nothing is changed on failure: cpu->d.exc holds the exception. */
bool simd_structs_load(struct cpu *cpu, u32 word, u64 va, const u8 *host);
bool simd_structs_store(struct cpu *cpu, u32 word, u64 va, u8 *host);

#endif
