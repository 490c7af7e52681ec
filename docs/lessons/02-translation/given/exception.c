/* What EL2 does with its exceptions: HVCs of its own are counted, faults of the probes (probe.S) are given to who
 * asked. */
#include "frame.h"
#include "probe.h"

#define EC_HVC       0x16
#define EC_IABT_SAME 0x21
#define EC_DABT_SAME 0x25

static u64 calls;
bool probing;

void el2_sync(struct frame *f)
{
    u64 esr = read_sysreg(esr_el2), ec = FIELD(esr, 31, 26);
    if (ec == EC_HVC) {
        print("HVC #%lu\n", FIELD(esr, 15, 0));
        f->x[0] = ++calls;
    } else if (probing && (ec == EC_IABT_SAME || ec == EC_DABT_SAME)) {
        f->x[0] = esr;
        f->elr = f->x[30]; /* a probe is a leaf: back to its caller */
    } else {
        panic("exception class 0x%lx, ISS 0x%lx at 0x%lx, FAR_EL2 0x%lx", ec, FIELD(esr, 24, 0), f->elr,
              read_sysreg(far_el2));
    }
}

void el2_unexpected(u64 slot)
{
    panic("exception at slot %lu of the vector table: ESR_EL2 0x%lx, ELR_EL2 0x%lx", slot, read_sysreg(esr_el2),
          read_sysreg(elr_el2));
}
