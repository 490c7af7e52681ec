"""Lock-step of the SMMU, kind `smmu`: stage 1 for a function that copies (edu), with random stream tables, context descriptors and
translation tables, faults and their events, the command queue and its errors.

QEMU 7.2's SMMU has stage 1 only, no stalls, no HTTU, no substreams; it looks at neither the access flag nor privilege (rule
smmu-s1). Each group has tables and queues of its own, and ends what either may have cached. A copy is four bytes, so that a fault is
one event.
"""
NS = 0x80000000
SMMU, ECAM, BAR = 0x09050000 + NS, 0x4010000000, 0x10000000 + NS
MACHINE = 'virt,virtualization=on,secure=on,gic-version=3,iommu=smmuv3'
DEVICES = ['edu,addr=1,dma_mask=0xffffffff']
SID, LOG2 = 8, 5
CR0, CR0ACK, CR1, CR2, IRQ_CTRL, GERROR, GERRORN, STRTAB, STRTAB_CFG = 0x20, 0x24, 0x28, 0x2c, 0x50, 0x60, 0x64, 0x80, 0x88
CMDQ, CMDQ_PROD, CMDQ_CONS, EVENTQ, EVENTQ_PROD, EVENTQ_CONS = 0x90, 0x98, 0x9c, 0xa0, 0x100a8, 0x100ac
NAMES = {CR0: 'CR0', CR0ACK: 'CR0ACK', CR1: 'CR1', CR2: 'CR2', IRQ_CTRL: 'IRQ_CTRL', GERROR: 'GERROR', GERRORN: 'GERRORN',
         STRTAB: 'STRTAB_BASE', STRTAB_CFG: 'STRTAB_BASE_CFG', CMDQ: 'CMDQ_BASE', CMDQ_PROD: 'CMDQ_PROD', CMDQ_CONS: 'CMDQ_CONS', EVENTQ: 'EVENTQ_BASE',
         EVENTQ_PROD: 'EVENTQ_PROD', EVENTQ_CONS: 'EVENTQ_CONS'}
WIDE = {STRTAB, CMDQ, EVENTQ}
SYNC, CFGI_ALL, NSNH_ALL = 0x46, 0x04, 0x30
PAGE = 4096
WAIT = 8000000  # ticks: QEMU's edu takes 100 ms for a copy


def put(s, offset, value):
    s.store(3 if offset in WIDE else 2, SMMU + offset, value, 'SMMU_' + NAMES[offset])


def get(s, offset):
    s.load(3 if offset in WIDE else 2, SMMU + offset, 'SMMU_' + NAMES[offset])
    return len(s.operations) - 1


def start(s):
    """Once in a program: the timer's interrupt ends waits; edu has its range."""
    s.set('ICC_SRE_EL3', 15)
    s.set('ICC_IGRPEN1_EL3', 3)
    s.set('ICC_PMR_EL1', 0xff)
    s.store(2, 0x080a0014, 0, 'GICR_WAKER')
    s.store(2, 0x080b0080, 1 << 30, 'GICR_IGROUPR0')
    s.store(2, 0x080b0100, 1 << 30, 'GICR_ISENABLER0')
    s.store(2, 0x08000000, 0x37, 'GICD_CTLR')
    s.store(2, ECAM + (1 << 15) + 0x10, BAR - NS, 'edu BAR0')
    s.store(1, ECAM + (1 << 15) + 4, 6, 'edu Command')
    s.two_levels = s.rng.random() < 0.3  # rule smmu-levels
    s.zeros, s.pattern, s.scratch, s.pages = s.take(PAGE), s.take(PAGE), s.take(PAGE), s.take(1 << 21, 1 << 21)
    s.put(s.pattern, *[s.rng.getrandbits(64) for _ in range(512)])
    s.put(s.pages, *[s.rng.getrandbits(64) for _ in range(512 * 16)])


def dma(s, source, target, to_memory):
    for offset, value in ((0x80, source), (0x88, target), (0x90, 4), (0x98, 3 if to_memory else 1)):
        s.store(3, BAR + offset, value, 'edu+%x' % offset)
    s.wait(WAIT)


def command(s, first, second=0):
    s.store(3, s.commands + 16 * (s.prod & (1 << LOG2) - 1), first, 'command dw0')
    s.store(3, s.commands + 16 * (s.prod & (1 << LOG2) - 1) + 8, second, 'command dw1')
    s.prod = (s.prod + 1) & (2 << LOG2) - 1


def go(s):
    put(s, CMDQ_PROD, s.prod)
    get(s, CMDQ_CONS)
    get(s, GERROR)


def changed(s):
    """What changed in memory counts from here on."""
    command(s, CFGI_ALL, 31)
    command(s, NSNH_ALL)
    command(s, SYNC)
    go(s)


def tables(s, levels, granule):
    """Stage 1: random pages from 0 on, blocks and faults beside them; granule: bytes. Returns the top's address."""
    rng = s.rng
    top = [s.take(granule, granule) for _ in range(levels)]
    for n in range(levels - 1):
        flags = rng.choice([0] * 8 + [1 << 59])  # PXNTable means nothing here; rule smmu-aptable
        s.put(top[n], top[n + 1] | rng.choice([3] * 12 + [0, 2]) | flags)
        for at in range(1, 4):  # blocks (never at the top of four levels), reserved entries, nothing
            block = s.pages | leaf(rng) if levels - n == 2 and granule == PAGE else 0  # others' are larger than what is there
            s.put(top[n] + 8 * at, rng.choice([0, block | 1, block | 1, block | 2] if block else [0, 2]))
    s.put(top[-1], *[(s.pages + granule * rng.randrange(16) | leaf(rng) | rng.choice([3, 3, 3, 3, 3, 1, 0, 2])) for _ in range(16)])
    return top[0]


def leaf(rng):
    """AF, unprivileged, perhaps read-only, perhaps contiguous, never to execute."""
    return 1 << 10 | 1 << 6 | rng.choice([0, 0, 1]) << 7 | rng.choice([0, 2, 3]) << 8 | rng.choice([0, 0, 1]) << 11 | \
        rng.getrandbits(2) << 53 | rng.getrandbits(4) << 55


def context(s):
    """A context descriptor: of all granules, from all levels; sometimes one that is not allowed. Rule smmu-epd."""
    rng, cd = s.rng, s.take(64)
    t0sz, levels, tg = rng.choice([(25, 3, 0), (25, 3, 0), (32, 3, 0), (33, 3, 0), (34, 2, 0), (36, 2, 0), (16, 4, 0), (20, 4, 0),
                                   (25, 2, 1), (34, 2, 1), (36, 1, 1), (25, 3, 2), (30, 2, 2), (36, 2, 2)])
    s.page = PAGE << 2 * (0, 2, 1)[tg]
    dw0 = t0sz | tg << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 25 << 16 | 2 << 22
    dw0 |= rng.choice([1] * 12 + [0]) << 31 | rng.choice([2, 2, 4, 5]) << 32 | rng.getrandbits(1) << 35 | rng.choice([1] * 12 + [0]) << 41
    dw0 |= rng.choice([1, 1, 1, 0]) << 45 | 1 << 46 | rng.getrandbits(1) << 47 | rng.getrandbits(16) << 48
    s.put(cd, dw0, tables(s, levels, s.page), 0, 0xff)
    return cd


def stream(s):
    """A stream table entry: bypass, abort, stage 1; sometimes not valid, or its stream beyond the table."""
    rng = s.rng
    config = rng.choice([5] * 10 + [4, 4, 0, 0])
    s.bypass, s.page = config == 4, PAGE
    word = rng.choice([1] * 12 + [0]) | config << 1 | (context(s) if config & 1 else 0)
    log2 = rng.choice([4, 5, 8] + [3] * (rng.random() < 0.15))
    table = s.take(64 << 8, 64 << 8)
    if s.two_levels:  # split at 6 or 8 bits: the first has the second's span (rule smmu-span)
        split = rng.choice([6, 8])
        first = s.take(8 << max(0, 8 - split), 64)
        s.put(first, table | rng.choice([split + 1, 5, 5, 0]))
        s.base, s.cfg = first, 1 << 16 | split << 6 | 8
    else:
        s.base, s.cfg = table, log2
    s.put(table + 64 * SID, word, rng.choice([0, 1 << 44]))


def setup(s):
    if not s.groups[1:]:
        start(s)
    stream(s)
    s.commands, s.events, s.prod = s.take(16 << LOG2, 16 << LOG2), s.take(32 << LOG2, 32 << LOG2), 0
    put(s, CR0, 0)
    s.again(get(s, GERROR), SMMU + GERRORN, 0xff, 'SMMU_GERRORN')
    put(s, STRTAB, s.base)
    put(s, STRTAB_CFG, s.cfg)
    put(s, CMDQ, s.commands | LOG2)
    put(s, EVENTQ, s.events | LOG2)
    for offset in (CMDQ_PROD, CMDQ_CONS, EVENTQ_PROD, EVENTQ_CONS):
        put(s, offset, 0)
    put(s, CR1, 0xd75)
    put(s, CR2, 2)


def event(s):
    """The record of a fault, if there was one."""
    get(s, EVENTQ_PROD)
    for n in range(4):
        s.load(3, s.events + 8 * n, 'event%d' % n)


def trial(s):
    """A copy through the SMMU, and where it arrived: with the SMMU off what edu holds is brought there and back."""
    rng = s.rng
    to_memory = rng.getrandbits(1)
    iova = rng.choice([rng.randrange(16) * s.page, rng.randrange(16) * s.page, rng.randrange(4) << 21,
                       rng.randrange(4) << 30, rng.randrange(1 << 32)])
    if s.bypass:
        iova = s.pages + iova % (16 * PAGE)
    iova = iova & ~0xfff | rng.randrange(1024) * 4
    put(s, CR0, 0)
    dma(s, (s.pattern if to_memory else s.zeros) + rng.randrange(512) * 8, 0x40000, False)
    put(s, EVENTQ_PROD, 0)
    put(s, EVENTQ_CONS, 0)
    for n in range(4):
        s.store(3, s.events + 8 * n, 0, 'event%d' % n)
    put(s, CR0, 0xd)
    get(s, CR0ACK)
    changed(s)
    if to_memory:
        dma(s, 0x40000, iova, True)
        s.sum(s.pages, 16 * s.page, 'the pages')
    else:
        dma(s, iova, 0x40000, False)
    event(s)
    if not to_memory:
        put(s, CR0, 0)
        dma(s, 0x40000, s.scratch, True)
        s.load(2, s.scratch, 'what was read')


def registers(s):
    """Commands that are there, and ones that are not: the queue stops at these until GERROR is acknowledged."""
    rng = s.rng
    put(s, CR0, 0xd)
    for _ in range(rng.randrange(1, 4)):
        op = rng.choice([0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46, 0x46, 0x00, 0x7f, 0xff])
        command(s, op | rng.choice([0, SID, 3]) << 32, {0x04: 31}.get(op, rng.randrange(1 << 20) << 12 if op in (0x12, 0x13) else 0))
    go(s)
    get(s, rng.choice([CR0, CR0ACK, CR1, CR2, IRQ_CTRL, GERRORN, STRTAB, STRTAB_CFG, CMDQ, CMDQ_PROD, EVENTQ, EVENTQ_CONS]))
    s.again(get(s, GERROR), SMMU + GERRORN, 0xff, 'SMMU_GERRORN')
    put(s, CR0, 0)  # so that the next error waits
    s.again(get(s, GERROR), SMMU + GERRORN, 0xff, 'SMMU_GERRORN')
    s.prod = 0
    put(s, CMDQ_PROD, 0)
    put(s, CMDQ_CONS, 0)


def group(s):
    s.group()
    setup(s)
    for _ in range(3):
        trial(s)
        registers(s)
