"""Lock-step of GICv2, kind `gicc`: the distributor and the CPU interface of one PE, from Secure and Non-secure state.

Each group starts from a distributor and an interface as reset leaves them, sets them up, then makes interrupts pending and active,
acknowledges and ends them, nested as they came. `gich` (gen_gich.py) goes on from here.
"""
GICD, GICC, NS = 0x08000000, 0x08010000, 0x80000000
MACHINE = 'virt,virtualization=on,secure=on,gic-version=2'
DEVICES = []
BANKS = [0, 1, 7]  # of 32 INTIDs that are set up and compared
INTIDS = list(range(32)) + [41, 42, 43, 44, 45, 46, 47, 63] + [224, 225, 233, 248, 254, 255]  # no device has these SPIs
M32 = 0xffffffff
CTLR, PMR, BPR, IAR, EOIR, RPR, HPPIR, ABPR, IIDR, DIR = 0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0xfc, 0x1000
NAMES = {CTLR: 'CTLR', PMR: 'PMR', BPR: 'BPR', IAR: 'IAR', EOIR: 'EOIR', RPR: 'RPR', HPPIR: 'HPPIR', ABPR: 'ABPR', IIDR: 'IIDR', DIR: 'DIR'}
DIST = [(0x080, 'IGROUPR'), (0x100, 'ISENABLER'), (0x180, 'ICENABLER'), (0x200, 'ISPENDR'), (0x280, 'ICPENDR'), (0x300, 'ISACTIVER'),
        (0x380, 'ICACTIVER'), (0x400, 'IPRIORITYR'), (0x800, 'ITARGETSR'), (0xc00, 'ICFGR')]


def name_of(offset):
    base, name = next((d for d in reversed(DIST) if d[0] <= offset), (0, 'GICD+'))
    return name if offset < 0xd00 and base else {0: 'CTLR', 4: 'TYPER', 8: 'IIDR'}.get(offset, 'GICD+%x' % offset)


def dist(s, offset, value, ns=0, size=2):
    s.store(size, GICD + ns * NS + offset, value & (1 << (8 << size)) - 1, '%sGICD_%s+%x' % ('ns ' * ns, name_of(offset), offset & 0x7f))


def dist_read(s, offset, ns=0, size=2):
    mask = s.fields.get('%s.GICD_%s' % (s.kind, name_of(offset)), M32)
    s.load(size, GICD + ns * NS + offset, '%sGICD_%s+%x' % ('ns ' * ns, name_of(offset), offset & 0x7f), mask)


def cpu(s, offset, value, ns=0):
    s.store(2, GICC + ns * NS + offset, value & M32, '%sGICC_%s' % ('ns ' * ns, NAMES[offset]))


def cpu_read(s, offset, ns=0):
    s.load(2, GICC + ns * NS + offset, '%sGICC_%s' % ('ns ' * ns, NAMES[offset]), s.fields.get('%s.GICC_%s' % (s.kind, NAMES[offset]), M32))
    return s.last()


def reset(s):
    """All that these programs write, as it was."""
    dist(s, 0, 0)
    cpu(s, CTLR, 0)
    for offset, value in ((0xd0, 0), (0xd4, 0), (0xd8, 0), (0xdc, 0), (0xe0, 0), (0xe4, 0), (0xe8, 0), (0xec, 0)):
        s.store(2, GICC + offset, value, 'GICC_APR+%x' % offset)
    for offset in (0xf10, 0xf14, 0xf18, 0xf1c):
        dist(s, offset, M32)
    for bank in BANKS:
        for offset in (0x180, 0x280, 0x380):
            dist(s, offset + 4 * bank, M32)
        dist(s, 0x80 + 4 * bank, 0)
        for n in range(8):
            dist(s, 0x400 + 32 * bank + 4 * n, 0)
        if bank:
            dist(s, 0xc00 + 8 * bank, 0)
            dist(s, 0xc04 + 8 * bank, 0)
    dist(s, 0x100, 0xffff)  # SGIs: whether they can be disabled is a choice
    cpu(s, PMR, 0)
    cpu(s, BPR, 2)
    cpu(s, ABPR, 3)


def priorities(rng, half):
    """Four bytes of few values, as many bits as both have; half: of a Non-secure write."""
    few = [0, 0x08, 0x40, 0x48, 0x78, 0x80, 0x88, 0xa0, 0xa8, 0xc0, 0xf0]
    return sum((rng.choice(few) & (0xe0 if half else 0xf8)) << 8 * n for n in range(4))  # 0xf8, which GICC_PMR masks, is none


def bits(s, bank, density=0.5):
    """A word of bits of those INTIDs that have no device."""
    return sum(1 << i % 32 for i in INTIDS if i // 32 == bank and s.rng.random() < density)


def setup(s):
    rng = s.rng
    reset(s)
    s.split, s.split_ns, s.active = rng.random() < 0.3, rng.random() < 0.3, []
    for bank in BANKS:
        group = rng.choice([0, bits(s, bank), bits(s, bank), M32])
        if not bank:
            s.group0 = group  # which SGIs may be sent from where: it stays
        dist(s, 0x80 + 4 * bank, group)
        dist(s, 0x100 + 4 * bank, bits(s, bank, 0.8) | (0xffff if not bank else 0))
        for n in range(8):
            if rng.random() < 0.7:
                dist(s, 0x400 + 32 * bank + 4 * n, priorities(rng, False))
        if bank and rng.random() < 0.5:
            dist(s, 0xc00 + 8 * bank, rng.getrandbits(32) & 0xaaaaaaaa)
    dist(s, 0, rng.choice([3, 3, 3, 3, 0]))  # rule igrpen: both groups, or none
    cpu(s, PMR, rng.choice([0xf8, 0xf8, 0xf8, 0xf0, 0x80, 0xa0]))
    point = rng.choice([2, 2, 3, 4, 6])  # rule gicv2-grouping
    cpu(s, BPR, point)
    cpu(s, ABPR, point + 1)
    s.ctlr = (rng.choice([3, 3, 3, 3, 3, 0]) | rng.getrandbits(3) << 2 | s.split << 9 | s.split_ns << 10)
    cpu(s, CTLR, s.ctlr)


def frame(s):
    """A register of the distributor is read, or written and read."""
    rng, ns = s.rng, s.rng.random() < 0.35
    bank, k = rng.choice(BANKS), rng.random()
    if k < 0.12:
        dist_read(s, rng.choice([0, 4, 8, 0xfd0, 0xfe0, 0xfe4, 0xfe8, 0xff0, 0xffc, 0x800, 0x81c, 0x820, 0x8e0]), ns)
    elif k < 0.3:
        intid = rng.choice(INTIDS)
        if rng.random() < 0.5:
            dist(s, 0x400 + intid, priorities(rng, ns) & 0xff, ns, 0)
        else:
            dist(s, 0x400 + (intid & ~3), priorities(rng, ns), ns)
        dist_read(s, 0x400 + (intid & ~3), not ns)
    elif k < 0.36:
        offset = rng.choice([0xf10, 0xf20]) + rng.randrange(16)
        dist(s, offset, 1, ns, 0)
        dist_read(s, offset & ~3, ns)
    elif k < 0.42 and bank:
        dist(s, 0xc00 + 8 * bank + 4 * rng.getrandbits(1), rng.getrandbits(32) & 0xaaaaaaaa, ns)
        dist_read(s, 0xc00 + 8 * bank + 4 * rng.getrandbits(1), ns)
    else:
        offset = rng.choice([0x100, 0x180, 0x200, 0x200, 0x200, 0x280, 0x300, 0x380])
        value = bits(s, bank, 0.25)
        if offset in (0x100, 0x180) and not bank:
            value &= ~0xffff
        if offset == 0x300 and bank and 'gicv2-isactiver' in s.rules:
            value = 0
        dist(s, offset + 4 * bank, value, ns)
        dist_read(s, rng.choice([0x80, 0x100, 0x200, 0x280, 0x300, 0x380]) + 4 * bank, rng.getrandbits(1))


def sgi(s):
    """Rule gicv2-nsatt: of the group that NSATT says."""
    n, ns = s.rng.randrange(16), s.rng.random() < 0.4
    group = s.group0 >> n & 1
    if not ns or group:
        dist(s, 0xf00, s.rng.choice([1 << 16, 1 << 16, 2 << 24, 1 << 24]) | (group and not ns) << 15 | n, ns)


def acknowledge(s):
    ns = s.rng.random() < 0.5
    if s.active and not s.ctlr & 4 and 'gicv2-1022' in s.rules:
        ns = True
    number = cpu_read(s, IAR, ns)
    s.active.append((number, ns))
    if s.rng.random() < 0.4:
        cpu_read(s, RPR, s.rng.getrandbits(1))


def end(s):
    """Nested as they were acknowledged: another order is UNPREDICTABLE (GICv2 4.4.5)."""
    number, ns = s.active.pop()
    s.again(number, GICC + ns * NS + EOIR, 0x1fff, '%sGICC_EOIR' % ('ns ' * ns))
    if s.split_ns if ns else s.split:
        if s.rng.random() < 0.7:
            s.again(number, GICC + ns * NS + DIR, 0x1fff, '%sGICC_DIR' % ('ns ' * ns))


def pending(s, ns=0):
    """Rule gicv2-hppir: where the mask hides nothing."""
    cpu(s, PMR, 0xf8)
    cpu_read(s, HPPIR, ns)


def interface(s):
    rng, ns = s.rng, s.rng.random() < 0.4
    k = rng.random()
    if k < 0.45:
        cpu_read(s, rng.choice([CTLR, PMR, BPR, RPR, ABPR, IIDR]), ns)
    elif k < 0.55:
        pending(s, ns)
    elif k < 0.7:
        cpu(s, PMR, rng.choice([0xf8, 0xf0, 0x80, 0x40, 0xa0, 0]) if not ns else rng.choice([0xf0, 0x80, 0x40]), ns)
        cpu_read(s, PMR, not ns)
    elif k < 0.9 and not s.active:  # with active priorities another grouping is for software not to make
        point = rng.randrange(2, 7)
        cpu(s, BPR, point)
        if ns and not s.ctlr & 16:
            cpu(s, BPR, point + 1, ns)
        else:
            cpu(s, ABPR, point + 1)
        cpu_read(s, BPR, ns)
    elif not s.active:
        s.ctlr = s.ctlr & ~0x1c | rng.getrandbits(3) << 2
        cpu(s, CTLR, s.ctlr)
        cpu_read(s, CTLR, ns)


def final(s):
    s.get('ISR_EL1')
    for bank in BANKS:
        for offset in (0x80, 0x100, 0x200, 0x300):
            dist_read(s, offset + 4 * bank)
    cpu_read(s, RPR)
    pending(s)


def group(s):
    s.group()
    setup(s)
    for _ in range(60):
        k = s.rng.random()
        if k < 0.3:
            frame(s)
        elif k < 0.4:
            sgi(s)
        elif k < 0.6 and len(s.active) < 6:
            acknowledge(s)
        elif k < 0.8 and s.active:
            end(s)
        elif k < 0.9:
            s.get('ISR_EL1')
        else:
            interface(s)
    final(s)
    while s.active:
        end(s)
    final(s)
