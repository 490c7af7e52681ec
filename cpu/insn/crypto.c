/* The cryptographic instructions: bodies of cpu/insn/crypto.def. What they compute is in cpu/ops/crypto_lib.c and
 * cpu/ops/crypto_sm.c. */
#include "cpu/ops/crypto_lib.h"
#include "cpu/insn/op.h"
#include "cpu/ops/simd_lib.h"

#define CRYPTO(id, e) OP(id) { FP_CHECK; VD = (e); NEXT; }
#define LOW(v)        (union vreg){ .d = { (v), 0 } }

CRYPTO(AESE, aes_encrypt_round(VD, VN))
CRYPTO(AESD, aes_decrypt_round(VD, VN))
CRYPTO(AESMC, aes_mix(VN))
CRYPTO(AESIMC, aes_mix_inverse(VN))
OP_Q(PMULL_q) { FP_CHECK; VD = poly_mul64(VN.d[q], VM.d[q]); NEXT; }

CRYPTO(SHA1C, sha1_hash(VD, VN.s[0], VM, SHA1_CHOOSE))
CRYPTO(SHA1P, sha1_hash(VD, VN.s[0], VM, SHA1_PARITY))
CRYPTO(SHA1M, sha1_hash(VD, VN.s[0], VM, SHA1_MAJORITY))
CRYPTO(SHA1SU0, sha1_schedule0(VD, VN, VM))
CRYPTO(SHA1SU1, sha1_schedule1(VD, VN))
CRYPTO(SHA1H, LOW((u32)(VN.s[0] << 30 | VN.s[0] >> 2)))
CRYPTO(SHA256H, sha256_hash(VD, VN, VM, true))
CRYPTO(SHA256H2, sha256_hash(VN, VD, VM, false))
CRYPTO(SHA256SU0, sha256_schedule0(VD, VN))
CRYPTO(SHA256SU1, sha256_schedule1(VD, VN, VM))

CRYPTO(SHA512H, sha512_hash(VD, VN, VM))
CRYPTO(SHA512H2, sha512_hash2(VD, VN, VM))
CRYPTO(SHA512SU0, sha512_schedule0(VD, VN))
CRYPTO(SHA512SU1, sha512_schedule1(VD, VN, VM))

/* SHA3: e for each 64-bit lane. */
#define EACH_64(id, e)                                                                                                 \
    OP(id)                                                                                                             \
    {                                                                                                                  \
        FP_CHECK;                                                                                                      \
        union vreg r;                                                                                                  \
        for (unsigned k = 0; k < 2; k++) {                                                                             \
            const u64 n = VN.d[k], m = VM.d[k], a = VA.d[k];                                                           \
            (void)a;                                                                                                   \
            r.d[k] = (e);                                                                                              \
        }                                                                                                              \
        VD = r;                                                                                                        \
        NEXT;                                                                                                          \
    }
EACH_64(EOR3, n ^ m ^ a)
EACH_64(BCAX, n ^ (m & ~a))
EACH_64(RAX1, n ^ (m << 1 | m >> 63))
EACH_64(XAR, ror_n(n ^ m, 64, (unsigned)i->imm))

CRYPTO(SM3SS1, sm3_ss1(VN, VM, VA))
CRYPTO(SM3TT1A, sm3_tt1(VD, VN, VM.s[i->imm], false))
CRYPTO(SM3TT1B, sm3_tt1(VD, VN, VM.s[i->imm], true))
CRYPTO(SM3TT2A, sm3_tt2(VD, VN, VM.s[i->imm], false))
CRYPTO(SM3TT2B, sm3_tt2(VD, VN, VM.s[i->imm], true))
CRYPTO(SM3PARTW1, sm3_part1(VD, VN, VM))
CRYPTO(SM3PARTW2, sm3_part2(VD, VN, VM))
CRYPTO(SM4E, sm4_encrypt(VD, VN))
CRYPTO(SM4EKEY, sm4_key(VN, VM))
