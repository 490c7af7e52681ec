// The FP and SIMD registers, which no code of ours uses: u64 fp[66] has v0 to v31, FPSR, FPCR.
    .macro  all how
    \how    q0, q1, [x0], #32
    \how    q2, q3, [x0], #32
    \how    q4, q5, [x0], #32
    \how    q6, q7, [x0], #32
    \how    q8, q9, [x0], #32
    \how    q10, q11, [x0], #32
    \how    q12, q13, [x0], #32
    \how    q14, q15, [x0], #32
    \how    q16, q17, [x0], #32
    \how    q18, q19, [x0], #32
    \how    q20, q21, [x0], #32
    \how    q22, q23, [x0], #32
    \how    q24, q25, [x0], #32
    \how    q26, q27, [x0], #32
    \how    q28, q29, [x0], #32
    \how    q30, q31, [x0], #32
    .endm

    .text
    .global fp_save, fp_load
fp_save:
    all     stp
    mrs     x1, fpsr
    mrs     x2, fpcr
    stp     x1, x2, [x0]
    ret
fp_load:
    all     ldp
    ldp     x1, x2, [x0]
    msr     fpsr, x1
    msr     fpcr, x2
    ret
