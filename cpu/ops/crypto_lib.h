/* The functions behind the cryptographic instructions (Arm ARM C7.2): registers by value in, the new Vd out. */
#ifndef CPU_CRYPTO_LIB_H
#define CPU_CRYPTO_LIB_H

#include "cpu/state.h"

union vreg aes_encrypt_round(union vreg d, union vreg n); /* AESE: AddRoundKey, ShiftRows, SubBytes */
union vreg aes_decrypt_round(union vreg d, union vreg n); /* AESD: the inverses */
union vreg aes_mix(union vreg n);                         /* AESMC */
union vreg aes_mix_inverse(union vreg n);                 /* AESIMC */

enum sha1_function { SHA1_CHOOSE, SHA1_PARITY, SHA1_MAJORITY };
union vreg sha1_hash(union vreg d, u32 n, union vreg m, enum sha1_function f);
union vreg sha1_schedule0(union vreg d, union vreg n, union vreg m);
union vreg sha1_schedule1(union vreg d, union vreg n);
/* Four rounds on the halves x (a to d) and y (e to h) of the state; returns x, or y when not part1. */
union vreg sha256_hash(union vreg x, union vreg y, union vreg w, bool part1);
union vreg sha256_schedule0(union vreg d, union vreg n);
union vreg sha256_schedule1(union vreg d, union vreg n, union vreg m);
union vreg sha512_hash(union vreg d, union vreg n, union vreg m);  /* SHA512H */
union vreg sha512_hash2(union vreg d, union vreg n, union vreg m); /* SHA512H2 */
union vreg sha512_schedule0(union vreg d, union vreg n);
union vreg sha512_schedule1(union vreg d, union vreg n, union vreg m);

union vreg sm3_ss1(union vreg n, union vreg m, union vreg a);
/* The A forms use parity, the B forms majority (TT1) or choose (TT2). */
union vreg sm3_tt1(union vreg d, union vreg n, u32 w, bool form_b);
union vreg sm3_tt2(union vreg d, union vreg n, u32 w, bool form_b);
union vreg sm3_part1(union vreg d, union vreg n, union vreg m);
union vreg sm3_part2(union vreg d, union vreg n, union vreg m);
union vreg sm4_encrypt(union vreg d, union vreg n);
union vreg sm4_key(union vreg n, union vreg m);

#endif
