/* What a program waits for: as ioctl(KVM_RUN). */
#include "hypercall.h"
#include "vhe.h"

void run(struct vcpu *guest, struct vcpu *user)
{
    bool goes_on = true, put = false;
    guest_world();
    while (goes_on && !put) {
        u64 kind = guest_enter(guest);
        put = kind == EXIT_SYNC && FIELD(guest->esr, 31, 26) == EC_HVC && guest->x[0] == CALL_PUT;
        if (!put)
            goes_on = guest_exit(guest, kind); /* in the guest's world: what TLBI and AT are about depends on TGE */
    }
    host_world();
    user->x[0] = put ? RUN_PUT : RUN_OVER;
    user->x[1] = guest->x[1];
}
