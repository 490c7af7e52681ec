/* What a program waits for: as ioctl(KVM_RUN). */
#include "hypercall.h"
#include "vhe.h"

void run(struct vcpu *guest, struct vcpu *user)
{
    (void)guest, (void)user;
    TODO(5, "guest_world; guest_enter; an HVC with CALL_PUT in x0 is the program's to do: RUN_PUT, "
            "and the character. Any other exit: guest_exit, and on, until it says that the guest is "
            "over: RUN_OVER. Then host_world");
}
