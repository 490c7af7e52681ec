/* Reads of PCI configuration space through ECAM (ops = reads). config.read: the registers of one function; config.scan:
 * identities on a bus that has few, as a search for devices reads them; config.behind: behind a root port and a bridge.
 */
#include "bench.h"
#include "edu.h"

enum { OPS = 1000000, PORT = 2, PORT_BUS = 1, BRIDGE_BUS = 2, BEHIND = 3 };

static void reads(const char *name, u64 function, u64 step, u32 wraps)
{
    u64 sum = 0, want = 0;
    for (u32 k = 0; k < wraps; k++)
        want += MMIO32(function + k * step);
    want *= OPS / wraps;
    bench_begin(name);
    for (u32 n = 0; n < OPS; n++)
        sum += MMIO32(function + n % wraps * step);
    bench_end(name, OPS, sum, want);
}

void test_main(void)
{
    mmu_on_el1(edu_map());
    gic_init();
    gic_enable(30, 0x80);
    MMIO32(ECAM_OF(0, PORT) + 0x18) = BRIDGE_BUS << 16 | PORT_BUS << 8;
    MMIO32(ECAM_OF(PORT_BUS, 0) + 0x18) = BRIDGE_BUS << 16 | BRIDGE_BUS << 8 | PORT_BUS;
    u32 id = MMIO32(ECAM_OF(BRIDGE_BUS, BEHIND));
    if (id != 0x11e81234)
        stop("no function behind the bridges");
    reads("config.read", ECAM_OF(0, 1), 4, 16);
    reads("config.scan", ECAM_OF(0, 0), 1 << 12, 250);
    reads("config.behind", ECAM_OF(BRIDGE_BUS, BEHIND), 4, 16);
    finish();
}
