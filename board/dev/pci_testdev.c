/*
 * pci-testdev (PCI 1b36:0005), a device without a purpose: software writes where it is told, and the device counts. Its
 * protocol is that of QEMU's (docs/specs/pci-testdev there), which kvm-unit-tests drive: range 0 is memory, range 1 I/O
 * ports, both begin with a header that the number of a test, written to its first byte, selects.
 *
 * Left out: the third range (membar=). Counts are exact at once in the tests that are named after event descriptors,
 * too.
 */
#include "board/machine.h"

enum { NO_TEST = 0, TESTS = 3 /* in each range */, HEADER = 16, MEMORY_SIZE = 0x1000, IO_SIZE = 0x100 };
enum { WIDTH = 1, OFFSET = 4, DATA = 8, COUNT = 12 };

struct testdev {
    struct pci_function function;
    u32 test;  /* NO_TEST, else the row of `tests` and 1 */
    u32 count; /* of writes as that test asks for */
};
static const struct state_field fields[] = {
    STATE_OF(testdev, function, &pci_function_shape),
    STATE(testdev, test),
    STATE(testdev, count),
};

static const struct {
    const char *name;
    u16 offset;
    u8 data;
    bool any; /* data counts */
} tests[2 * TESTS] = {
    { "mmio-no-eventfd", 0x800, 0xfa, false },        { "mmio-wildcard-eventfd", 0x801, 0xce, true },
    { "mmio-datamatch-eventfd", 0x802, 0xfa, false }, { "portio-no-eventfd", 0x83, 0xfa, false },
    { "portio-wildcard-eventfd", 0x84, 0xce, true },  { "portio-datamatch-eventfd", 0x85, 0xfa, false },
};

static u8 header_byte(const struct testdev *dev, u64 at)
{
    u8 header[HEADER] = { (u8)(dev->test - 1), [WIDTH] = 1 };
    if (dev->test == NO_TEST)
        return 0;
    unsigned n = dev->test - 1;
    store_le32(header + OFFSET, tests[n].offset);
    store_le32(header + DATA, tests[n].data);
    store_le32(header + COUNT, dev->count);
    if (at < HEADER)
        return header[at];
    return at - HEADER < strlen(tests[n].name) ? (u8)tests[n].name[at - HEADER] : 0;
}

static bool testdev_read(struct machine *m, void *state, const struct access *a, u64 *value)
{
    (void)m;
    for (unsigned n = 0; n < a->size; n++)
        *value |= (u64)header_byte(state, a->offset + n) << 8 * n;
    return true;
}

static bool testdev_write(struct machine *m, void *state, const struct access *a, u64 value)
{
    struct testdev *dev = state;
    (void)m;
    if (a->offset == 0) {
        u8 test = (u8)value;
        dev->test = test < TESTS ? a->bar * TESTS + test + 1 : NO_TEST;
        dev->count = 0;
    } else if (dev->test != NO_TEST && a->bar == (dev->test - 1) / TESTS && a->offset == tests[dev->test - 1].offset) {
        dev->count += tests[dev->test - 1].any || value == tests[dev->test - 1].data;
    }
    return true;
}

static void reset(struct machine *m, void *state, struct place at)
{
    struct testdev *dev = state;
    pci_reset(m, at);
    dev->test = NO_TEST;
    dev->count = 0;
}

static const char *validate(const void *state, struct place at)
{
    (void)at;
    return ((const struct testdev *)state)->test > ARRAY_LEN(tests) ? "pci-testdev: test out of range" : NULL;
}

static const char *describe(const struct machine *m, const struct pci_plug *plug, struct pci_desc *d)
{
    (void)m, (void)plug;
    pci_identify(d, 0x1b36, 0x0005, 0x00ff00, 0);
    pci_subsystem(d, 0x1af4, 0x1100);
    pci_bar(d, 0, PCI_SPACE_MEMORY, MEMORY_SIZE, false);
    pci_bar(d, 1, PCI_SPACE_IO, IO_SIZE, false);
    return NULL;
}

const struct kind kind_pci_testdev = {
    .name = "pci_testdev",
    .compatible = "",
    .state = STATE_SHAPE(testdev, fields),
    .version = 1,
    .read = testdev_read,
    .write = testdev_write,
    .reset = reset,
    .validate = validate,
    .describe = describe,
};
