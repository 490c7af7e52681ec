/* Lesson 10's guests: the first has a secret, the second wants it. */
#include "gic.h"
#include "guest.h"

#define RAM     0x40000000ul
#define RAM_END 0x40200000ul
#define SECRET  0x5ec7e7c0deul

static volatile u64 undefined, aborts, secret;
/* A text across the end of a page: what follows in IPA need not follow in PA. */
static char pages[2 * 4096] __attribute__((aligned(4096)));
static const char text[] = "these words go over the end of a page";

u64 guest_exception(u64 esr, u64 elr)
{
    if (FIELD(esr, 31, 26) == 0)
        undefined++;
    else
        aborts++;
    return elr + 4;
}

void guest_interrupt(void)
{
    u32 intid = (u32)read_sysreg(ICC_IAR1_EL1);
    write_sysreg(ICC_EOIR1_EL1, intid);
    isb();
}

/* Instructions that may be UNDEFINED: own_sync keeps nothing but what C keeps. */
#define TRY(instructions)                                                                                              \
    ({                                                                                                                 \
        register u64 x9_ asm("x9") = 0;                                                                                \
        asm volatile(instructions : "+r"(x9_) : : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x10", "x11",  \
                     "x12", "x13", "x14", "x15", "x16", "x17", "x18", "memory");                                       \
        x9_;                                                                                                           \
    })

static void pause(u64 turns)
{
    for (volatile u64 n = 0; n < turns; n++)
        ;
}

/* Keeps a secret in memory, in an FP register, in a debug register; computes; looks whether it is still there. */
static void victim(void)
{
    secret = SECRET;
    write_sysreg(cpacr_el1, 3ul << 20); /* FP is allowed */
    isb();
    fp_write(SECRET);
    TRY("mov x2, #0x5ec4\n msr dbgbvr0_el1, x2");
    memcpy(pages + 4096 - 16, text, sizeof(text));
    pages[0] = 1;
    if (hvc3(CALL_SAY, (u64)pages + 4096 - 16, sizeof(text) - 1))
        print("I was not heard\n");
    pause(90000); /* longer than all attacks take */
    print("my secret is %s\n", secret == SECRET && fp_read() == SECRET ? "as it was" : "another");
}

static void attack(const char *what, bool repelled) { print("%s: %s\n", what, repelled ? "repelled" : "IT WORKED"); }
static bool refused(u64 call, u64 a, u64 b) { return hvc3(call, a, b) == CALL_UNKNOWN; }

static void attacker(void)
{
    pause(10000); /* the other one is to have its secret */
    write_sysreg(cpacr_el1, 3ul << 20);
    isb();
    attack("a text in the hypervisor", refused(CALL_SAY, 0x40200000, 16));
    attack("one that ends behind my memory", refused(CALL_SAY, RAM_END - 8, 16));
    attack("one whose end is beyond all addresses", refused(CALL_SAY, -8ul, 16));
    attack("one at such an address, not at all long", refused(CALL_SAY, -8ul, 8));
    attack("one that is too long", refused(CALL_SAY, RAM, 1ul << 40) && refused(CALL_SAY, RAM, -1ul));
    attack("one in a device", refused(CALL_SAY, 0x09000000, 4));
    attack("an interrupt with a large number", refused(CALL_RAISE, 100000, 0) && refused(CALL_RAISE, -1ul, 0));
    attack("an interrupt of the hypervisor's",
           refused(CALL_RAISE, INTID_EL2_TIMER, 0) && refused(CALL_RAISE, INTID_VTIMER, 0));
    attack("calls that there are not", refused(-1ul, 0, 0) && refused(1ul << 32, 0, 0));
    u64 before = undefined;
    u64 debug = TRY("mrs %0, dbgbvr0_el1");
    attack("the other's debug registers", debug == 0 && undefined == before + 1);
    attack("the other's FP registers", fp_read() == 0);
    before = aborts;
    TRY("mov x2, #0x40200000\n ldr %0, [x2]\n");
    attack("the hypervisor's memory", aborts == before + 1);
    asm volatile("msr daifset, #15" : : : "memory");
    print("now I mask all interrupts, and never end\n");
    for (;;)
        ;
}

void guest_main(u64 number)
{
    if (number == 1)
        victim();
    else
        attacker();
}
