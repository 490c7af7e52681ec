/* Devices that do not exist: pages that stage 2 does not map, and what their accesses mean. */
#ifndef DEVICE_H
#define DEVICE_H

#include "vcpu.h"

/* ISS of a data abort from a lower EL (Arm ARM, ESR_EL2). With ISV = 0 SAS, SSE, SRT and SF say nothing.
 *
 *     24   23  22 21   20  16 15          6      5    0
 *     |ISV | SAS |SSE | SRT  | SF |  ...  |WnR|..| DFSC |  */
#define ISS_ISV   BIT(24)
#define ISS_SAS(iss) FIELD(iss, 23, 22) /* size: 1 << SAS bytes */
#define ISS_SSE   BIT(21)               /* a read that extends the sign (LDRSB, LDRSH, LDRSW) */
#define ISS_SRT(iss) FIELD(iss, 20, 16) /* the register; 31 is XZR */
#define ISS_SF    BIT(15)               /* it is x0 and not w0 */
#define ISS_WRITE BIT(6)

struct device {
    const char *name;
    u64 base, size;
    u64 (*read)(u64 offset, unsigned bytes);
    void (*write)(u64 offset, unsigned bytes, u64 value);
};

/* uart_device.c, counter.c */
extern const struct device uart_device, counter_device;
/* devices.c: those that a guest has; NULL behind the last. */
extern const struct device *const devices[];
/* mmio.c: a data abort of the guest's at that IPA. True: a device has answered. */
bool mmio(struct vcpu *v, u64 ipa);
/* mmio.c: the guest takes a synchronous external abort for its access: nobody answered. */
void inject_abort(struct vcpu *v);
/* inject.c: the guest takes a synchronous exception with that syndrome (lesson 5). */
void inject(struct vcpu *v, u64 esr);

#endif
