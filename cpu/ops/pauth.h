/* Pointer authentication (FEAT_PAuth), Arm ARM D8.10 and the shared pseudocode AddPAC, Auth, Strip, ComputePAC. */
#ifndef CPU_PAUTH_H
#define CPU_PAUTH_H

#include "cpu/state.h"

enum pauth_key { PAUTH_IA, PAUTH_IB, PAUTH_DA, PAUTH_DB };

/* ok false: an exception is in cpu->d.exc. */
struct pauth_value {
    u64 v;
    bool ok;
};
/* PACIA and friends. */
struct pauth_value pauth_add(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key);
/* AUTIA and friends; combined: the instruction goes on to use the pointer. */
struct pauth_value pauth_auth(struct cpu *cpu, u64 pointer, u64 modifier, enum pauth_key key, bool combined);
/* PACGA. */
struct pauth_value pauth_generic(struct cpu *cpu, u64 value, u64 modifier);
/* XPACI, XPACD. */
u64 pauth_strip(struct cpu *cpu, u64 pointer, bool data);

/* The block ciphers behind it (K. Avanzi, "The QARMA Block Cipher Family"; ComputePACQARMA). */
u64 qarma_code(u64 data, u64 modifier, u64 key0, u64 key1, bool qarma3);

#endif
