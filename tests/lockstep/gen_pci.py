"""Lock-step of PCI, kind `pci`: configuration space of functions of all sorts, in all widths, and their ranges where software puts them.

Each group starts from registers as reset leaves them. Bytes that belong to no register are read and not written: QEMU 7.2 keeps
what is written there (docs/differences.md).
"""
ECAM, MEMORY, HIGH, PORTS = 0x4010000000, 0x10000000, 0x8000000000, 0x3eff0000
MACHINE = 'virt,virtualization=on,secure=on,gic-version=3'
DEVICES = ['pci-testdev,addr=1', 'edu,addr=2', 'virtio-rng-pci,addr=3', 'pcie-root-port,id=rp,chassis=1,slot=1,addr=4',
           'virtio-rng-pci,bus=rp', 'pci-testdev,addr=5,multifunction=on', 'edu,addr=5.1', 'virtio-rng-pci,addr=6,disable-legacy=on']
MEM32, MEM64, IO = range(3)
M32 = 0xffffffff


class Function:
    """bars: number -> (kind, bytes); registers: (offset, bytes) beyond the header's common ones; peeks: (bar, offset, size's
    logarithm) that can be read without effect; window, power: where its capabilities are, 0: it has none."""

    def __init__(self, name, bus, device, function=0, bars=(), registers=(), peeks=(), bridge=False, window=0,
                 power=0):
        self.name, self.bars, self.registers, self.peeks = name, dict(bars), list(registers), list(peeks)
        self.bridge, self.window, self.power, self.bus = bridge, window, power, bus
        self.base = ECAM + (bus << 20 | device << 15 | function << 12)


def virtio(name, bus, device, caps, msix, io, express=0):
    """A virtio function: its window of configuration space at caps, MSI-X at msix."""
    bars = {1: (MEM32, 0x1000), 4: (MEM64, 0x4000)}
    if io:
        bars[0] = (IO, 0x20)
    registers = [(msix + 2, 2), (caps + 16, 4), (caps + 16, 2), (caps + 16, 1)]  # its bar, offset, length: configuration_window
    registers += [(express + 8, 2), (express + 10, 2), (express + 16, 2), (0x80, 2)] if express else []
    return Function(name, bus, device, 0, bars, registers,
                    [(4, 0x12, 1), (4, 0x14, 0), (4, 0x18, 1), (4, 0x00, 2), (1, 0x0c, 2), (1, 0x08, 2)],
                    window=caps, power=0x80 if express else 0)


TESTDEV = {'bars': {0: (MEM32, 0x1000), 1: (IO, 0x100)}, 'peeks': [(0, 0x800, 2), (1, 0x80, 2)]}
EDU = {'bars': {0: (MEM32, 0x100000)}, 'registers': [(0x42, 2), (0x44, 4), (0x48, 4), (0x4c, 2)],
       'peeks': [(0, 0, 2), (0, 4, 2), (0, 0x20, 2)]}
FUNCTIONS = [Function('root', 0, 0), Function('testdev', 0, 1, **TESTDEV), Function('edu', 0, 2, **EDU),
             virtio('rng', 0, 3, 0x84, 0x98, True),
             Function('port', 0, 4, 0, {}, [(0x18, 1), (0x19, 1), (0x1a, 1), (0x1c, 1), (0x1d, 1), (0x1e, 2), (0x20, 2), (0x22, 2), (0x24, 2),
                                            (0x26, 2), (0x28, 4), (0x2c, 4), (0x3e, 2), (0x5c, 2), (0x5e, 2), (0x64, 2)], bridge=True),
             virtio('below', 1, 0, 0xc8, 0xdc, False, 0x40), Function('testdev5', 0, 5, 0, **TESTDEV), Function('edu5', 0, 5, 1, **EDU),
             virtio('modern', 0, 6, 0x84, 0x98, False)]
COMMON = [(0x04, 2), (0x04, 2), (0x06, 2), (0x0c, 1), (0x3c, 1), (0x00, 4), (0x08, 4), (0x2c, 4), (0x34, 4)]


def reset(s):
    """All that software writes as reset leaves it."""
    port = FUNCTIONS[4]
    s.store(2, port.base + 0x18, 0x00010100, 'port+18')
    for f in FUNCTIONS:
        put = lambda size, offset, value, f=f: s.store(size, f.base + offset, value, '%s+%x' % (f.name, offset))
        put(2, 0x04, 0xf9000000)
        put(0, 0x0c, 0)
        put(0, 0x3c, 0)
        for n in f.bars:
            put(2, 0x10 + 4 * n, 0)
        for offset, size in f.registers:
            if not f.bridge and size < 4:
                put(size - 1, offset, 0)
        if 4 in f.bars:
            for field, log in ((0x14, 0), (0x08, 2), (0x00, 2)):  # the device's status, whose 0 resets it; what is selected may stay
                window(s, f, field, log)
                put(log, f.window + 16, 0)
    for offset, value in ((0x1c, 0xf9000000), (0x20, 0), (0x24, 0), (0x28, 0), (0x2c, 0), (0x5c, 0), (0x64, 0)):
        s.store(2, port.base + offset, value, 'port+%x' % offset)
    s.store(1, port.base + 0x3e, 0, 'port+3e')


def read(s, f, offset=None, size=None):
    rng = s.rng
    size = rng.choice([0, 1, 2, 2, 3]) if size is None else size
    offset = rng.choice([rng.randrange(0x40), rng.randrange(0x100), rng.randrange(0x1000)]) if offset is None else offset
    offset &= -(1 << size)
    if f.bridge and offset >= 0x100 and 'port-aer' in s.rules:
        return
    mask = 0
    for n in range(1 << size):  # a field of lockstep.settled is a doubleword of configuration space
        name = 'pci.%s+%x' % (f.name, (offset + n) & ~3)
        mask |= (s.fields.get(name, 0xffffffff) >> 8 * ((offset + n) & 3) & 0xff) << 8 * n
    s.load(size, f.base + offset, '%s+%x' % (f.name, offset), mask)


def place(s, f, n):
    """A range somewhere, where no other function's is; where it can be reached."""
    rng, (kind, size) = s.rng, f.bars[n]
    slot = FUNCTIONS.index(f) * 3 + sorted(f.bars).index(n)
    if kind == IO:
        at = FUNCTIONS.index(f) * 0x1000 + rng.randrange(0x1000 // size) * size
        s.store(2, f.base + 0x10 + 4 * n, at, '%s+%x' % (f.name, 0x10 + 4 * n))
        return PORTS + at
    high = kind == MEM64 and rng.random() < 0.5
    at = (HIGH if high else MEMORY) + slot * 0x200000 + rng.randrange(0x200000 // size) * size
    s.store(2, f.base + 0x10 + 4 * n, at & 0xffffffff, '%s+%x' % (f.name, 0x10 + 4 * n))
    if kind == MEM64:
        s.store(2, f.base + 0x14 + 4 * n, at >> 32, '%s+%x' % (f.name, 0x14 + 4 * n))
    return at


def ranges(s, f):
    """A range is put somewhere and looked at, enabled or not, then moved away."""
    rng, n = s.rng, s.rng.choice(list(f.bars))
    at = place(s, f, n)
    if f.bus:  # the bridge's windows
        port, top = FUNCTIONS[4], at + f.bars[n][1] - 1
        window = rng.choice([(at, top), (at, top), (MEMORY, MEMORY + 0xfffffff), (top + 0x100000, top)])
        if at >= HIGH:
            words = [(0x24, (window[0] >> 16 & 0xfff0) | (window[1] & 0xfff00000)), (0x28, window[0] >> 32), (0x2c, window[1] >> 32)]
        else:
            words = [(0x20, (window[0] >> 16 & 0xfff0) | (window[1] & 0xfff00000))]
        for offset, value in words + [(4, rng.choice([7, 7, 6, 0]))]:
            s.store(2, port.base + offset, value, 'port+%x' % offset)
    s.store(1, f.base + 4, rng.choice([7, 3, 2, 1, 0, 0x507]), f.name + '+4')
    for bar, offset, size in f.peeks:
        if bar == n:
            s.load(size, at + offset, '%s bar%d+%x' % (f.name, n, offset))
    if rng.random() < 0.5:
        s.store(1, f.base + 4, rng.choice([0, 3]), f.name + '+4')
        _, offset, size = s.rng.choice([p for p in f.peeks if p[0] == n] or [(n, 0, 0)])
        s.load(size, at + offset, '%s bar%d+%x' % (f.name, n, offset))
    s.store(1, f.base + 4, 0, f.name + '+4')


def write(s, f):
    rng = s.rng
    bars = [(0x10 + 4 * n, 4) for n in range(2 if f.bridge else 6)] + [(0x38 if f.bridge else 0x30, 4)]
    offset, size = rng.choice(COMMON + bars + f.registers * 2)
    value = rng.choice([0, 0xffffffff, 0xffffffff, rng.getrandbits(32), rng.getrandbits(32), 1 << rng.randrange(32), rng.randrange(16)])
    if offset == 4:
        value &= 0x505  # where a range would be by chance it overlaps another's
    if size == 4 and rng.random() < 0.3 and offset < 0x40:
        size, at = rng.choice([1, 2]), rng.randrange(4)
        offset += at & -size
    log = {1: 0, 2: 1, 4: 2}[size]
    if f.power and offset == f.power and 'pci-d3' in s.rules:
        value &= ~3
    if 'pci-reset' in s.rules:
        value &= ~0x8000 if f.power and offset == f.power - 0x38 else ~0x40 if f.bridge and offset == 0x3e else M32
    if f.bridge and offset & ~3 == 0x2c and 'pci-all' in s.rules:
        value &= 0x7f
    value &= (1 << 8 * size) - 1
    s.store(log, f.base + offset, value, '%s+%x' % (f.name, offset))
    read(s, f, offset, rng.choice([log, 2]))


def window(s, f, offset, size):
    """What virtio's capability leads to (Virtual I/O Device specification 1.2, 4.1.4.9): a field of the common configuration."""
    for at, log, value in ((4, 0, 4), (8, 2, offset), (12, 2, 1 << size)):
        s.store(log, f.base + f.window + at, value, '%s+%x' % (f.name, f.window + at))


def configuration_window(s, f):
    offset, size = s.rng.choice([(0x00, 2), (0x08, 2), (0x10, 1), (0x12, 1), (0x1a, 1)])  # no status: nonsense is written there, too
    window(s, f, offset, size)
    read(s, f, f.window + 16, size)


def group(s):
    s.group()
    reset(s)
    for _ in range(80):
        f, k = s.rng.choice(FUNCTIONS), s.rng.random()
        if k < 0.35:
            read(s, f)
        elif k < 0.4:  # nothing there
            at = ECAM + (s.rng.choice([0, 0, 1, 2, 255]) << 20 | s.rng.randrange(7, 32) << 15 | s.rng.randrange(8) << 12)
            at += s.rng.randrange(1024) * 4
            s.store(2, at, s.rng.getrandbits(32), 'nothing')
            s.load(2, at, 'nothing')
        elif k < 0.6 and f.bars:
            ranges(s, f)
        elif k < 0.65 and any(n == 4 for n in f.bars):
            configuration_window(s, f)
        else:
            write(s, f)
