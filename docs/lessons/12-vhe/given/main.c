/* Lesson 12: a host at EL2, a program of its at EL0, a guest at EL1. */
#include "vhe.h"

struct stage2 guest_memory = { .vmid = 1 };
static struct vcpu guest, user;
static u64 calls;
extern char vectors[];

/* False: the program has ended. */
static bool syscall(void)
{
    calls++;
    if (FIELD(user.esr, 31, 26) != EC_SVC)
        panic("the program's exception class 0x%lx at 0x%lx", FIELD(user.esr, 31, 26), user.pc);
    switch (FIELD(user.esr, 15, 0)) {
    case SYS_WRITE: put_char((char)user.x[0]); return true;
    case SYS_RUN: run(&guest, &user); return true;
    }
    return false;
}

void main(void);
void main(void)
{
    vhe_on();
    translation_on();
    print("host: VBAR_EL1 is %s\n", read_sysreg(vbar_el1) == (u64)vectors ? "my own, VBAR_EL2" : "another register");
    guest_init(&guest, GUEST_RAM_IPA);
    stage2_on(&guest_memory);
    host_world();
    user = (struct vcpu){ .pc = USER_BASE, .pstate = 0x3c0 }; /* EL0 */
    do
        guest_enter(&user);
    while (syscall());
    print("host: the program is over; it made more than %lu calls\n", calls / 100 * 100);
    print("host: the guest's vectors are %s\n", read_sysreg(VBAR_EL12) == (u64)vectors ? "mine" : "its own");
}
