"""Lock-step of the ITS, kind `its`: commands, right and wrong, with tables in memory, and the LPIs that come of them.

Each group has tables, a queue, DeviceIDs and LPIs of its own, since LPIs stay enabled and what is pending stays so. What the tables hold
is each ITS's own business (GIC 5.2): it shows by what commands do.
"""
NS = 0x80000000
GITS, GICD, GICR = 0x08080000 + NS, 0x08000000, 0x080a0000
MACHINE = 'virt,virtualization=on,secure=on,gic-version=3,its=on'
DEVICES = []
CTLR, IIDR, TYPER, CBASER, CWRITER, CREADR, BASER = 0, 4, 8, 0x80, 0x88, 0x90, 0x100
NAMES = {CTLR: 'CTLR', IIDR: 'IIDR', TYPER: 'TYPER', CBASER: 'CBASER', CWRITER: 'CWRITER', CREADR: 'CREADR',
         BASER: 'BASER0', BASER + 8: 'BASER1', BASER + 16: 'BASER2'}
FIRST_LPI, LPIS, ID_BITS = 8192, 16, 16
VALID = 1 << 63
MOVI, INT, CLEAR, SYNC, MAPD, MAPC, MAPTI, MAPI, INV, INVALL, MOVALL, DISCARD = 1, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15


def its(s, offset, value, size=3):
    s.store(size, GITS + offset, value, 'GITS_' + NAMES[offset])


def its_read(s, offset, size=3):
    s.load(size, GITS + offset, 'GITS_' + NAMES[offset])


def start(s):
    """Once in a program: the CPU interface, LPIs with their tables."""
    s.set('ICC_SRE_EL3', 15)
    s.set('ICC_IGRPEN1_EL3', 3)
    s.set('ICC_PMR_EL1', 0xff)
    s.store(2, GICR + 0x14, 0, 'GICR_WAKER')
    s.store(2, GICD, 0x37, 'GICD_CTLR')
    s.config = s.take(1 << ID_BITS, 1 << 16)
    pending = s.take(1 << ID_BITS - 3, 1 << 16)
    s.store(3, GICR + NS + 0x70, s.config | 7 << 7 | 1 << 10 | ID_BITS - 1, 'GICR_PROPBASER')
    s.store(3, GICR + NS + 0x78, pending | 7 << 7 | 1 << 10 | 1 << 62, 'GICR_PENDBASER')
    s.store(2, GICR + NS, 1, 'GICR_CTLR')
    s.load(2, GICR + NS, 'GICR_CTLR')
    s.number = 0


def configure(s, lpi):
    s.store(0, s.config + lpi - FIRST_LPI, s.rng.choice([0x81, 0x81, 0xa1, 0x41, 0xc1, 0x01, 0xa0]), 'config of %d' % lpi)


def setup(s, tables=2):
    rng = s.rng
    if not s.groups[1:]:
        start(s)
    s.lpis = [FIRST_LPI + LPIS * s.number + n for n in range(LPIS)]
    s.number = (s.number + 1) % ((1 << ID_BITS) - FIRST_LPI >> 4)
    s.devices = rng.sample(range(64), 3)
    s.itts = [s.take(1024, 256) for _ in s.devices]
    s.queue, s.at = s.take(4096), 0
    its(s, CTLR, 0, 2)
    for n in range(tables):
        its(s, BASER + 8 * n, VALID | s.take(4096) | 7 << 59 | 1 << 10)
    its(s, CBASER, VALID | s.queue | 7 << 59 | 1 << 10)
    its(s, CWRITER, 0)
    its(s, CTLR, 1, 2)
    for lpi in s.lpis:
        configure(s, lpi)
    for icid in range(2):
        command(s, MAPC, 0, 0, VALID | icid)
    for device, itt in zip(s.devices, s.itts):
        if rng.random() < 0.9:
            command(s, MAPD, device, rng.choice([2, 3, 3]), VALID | itt)
    for _ in range(6):
        command(s, MAPTI, rng.choice(s.devices), rng.randrange(8) | rng.choice(s.lpis) << 32, rng.randrange(2))
    go(s)


def command(s, number, device, second, third, fourth=0):
    for n, word in enumerate((number | device << 32, second, third, fourth)):
        s.store(3, s.queue + s.at + 8 * n, word, 'command %x: dw%d' % (number, n))
    s.at = (s.at + 32) % 4096


def go(s):
    its(s, CWRITER, s.at)
    its_read(s, CREADR)


def any_command(s):
    rng = s.rng
    device = rng.choice(s.devices) if rng.random() < 0.9 else rng.choice([511, 512, 0xffff, 0x10000, rng.randrange(64)])
    event = rng.randrange(8) if rng.random() < 0.9 else rng.choice([8, 15, 16, 31, 0xffff, 0x10000])
    lpi = rng.choice(s.lpis) if rng.random() < 0.9 else rng.choice([0, 32, 1023, 8191, (1 << ID_BITS) - 1, 1 << ID_BITS, 0xffffffff])
    icid = rng.randrange(2) if rng.random() < 0.85 else rng.choice([2, 3, 511])  # rule its-icid
    number = rng.choice([INT, INT, INT, INT, CLEAR, MAPTI, MAPTI, MAPI, MOVI, DISCARD, INV, INVALL, SYNC, MAPD, MAPC, MOVALL, 0x3f])
    if number in (INT, CLEAR, INV, DISCARD):
        command(s, number, device, event, 0)
    elif number == MAPTI:
        command(s, number, device, event | lpi << 32, icid)
    elif number == MAPI:
        command(s, number, device, rng.choice([event, lpi]), icid)
    elif number == MOVI:
        command(s, number, device, event, icid)
    elif number == INVALL:
        command(s, number, 0, 0, icid)
    elif number == MAPD:
        which = rng.randrange(3)
        command(s, number, s.devices[which], rng.choice([1, 2, 3, 3]), rng.choice([VALID, VALID, 0]) | s.itts[which])
    elif number == MAPC:
        command(s, number, 0, 0, rng.choice([VALID, VALID, 0]) | icid)
    else:
        command(s, number, 0, 0, 0)


def invalidate(s):
    """Both collections are mapped, and what may be kept of the configuration is read again."""
    for icid in range(2):
        command(s, MAPC, 0, 0, VALID | icid)
        command(s, INVALL, 0, 0, icid)
    go(s)


def acknowledge(s):
    s.get('ICC_HPPIR1_EL1')
    s.get('ICC_IAR1_EL1')
    s.again_set(len(s.operations) - 1, 'ICC_EOIR1_EL1', 0xffffff)


def group(s):
    s.group()
    setup(s)
    for _ in range(25):
        k = s.rng.random()
        if k < 0.6:
            for _ in range(s.rng.randrange(1, 4)):
                any_command(s)
            go(s)
        elif k < 0.7:
            lpi = s.rng.choice(s.lpis)
            configure(s, lpi)
            invalidate(s)
        elif k < 0.8:
            its_read(s, *s.rng.choice([(CTLR, 2), (IIDR, 2), (TYPER, 3), (CBASER, 3), (CWRITER, 3), (CREADR, 2), (BASER, 3), (BASER + 8, 3),
                                       (BASER + 16, 3)]))
        else:
            acknowledge(s)
    finish(s)


def finish(s):
    s.get('ISR_EL1')
    for _ in range(6):
        acknowledge(s)
    for lpi in s.lpis:  # none comes into the next group
        s.store(0, s.config + lpi - FIRST_LPI, 0xa0, 'config of %d' % lpi)
    invalidate(s)
