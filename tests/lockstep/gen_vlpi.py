"""Lock-step of virtual LPIs, kind `vlpi`: the commands of vPEs and of their events, right and wrong, on the tables of gen_its.py.

What a guest would be shown is seen by what reaches the pending tables (GIC 5.2), by GICR_VPENDBASER.PendingLast when a vPE leaves, and by the
doorbells, which are LPIs of the PE.
"""
import gen_its
from gen_its import CLEAR, CREADR, DISCARD, FIRST_LPI, GICR, ID_BITS, INT, INV, MAPTI, MOVI, NS, VALID, acknowledge, command, go, its_read

MACHINE = 'virt,virtualization=on,secure=on,gic-version=4,its=on'
DEVICES = []
VMOVI, VMOVP, VSYNC, VMAPP, VMAPTI, VMAPI, VINVALL = 0x21, 0x22, 0x25, 0x29, 0x2a, 0x2b, 0x2d
VPROPBASER, VPENDBASER = GICR + NS + 0x20070, GICR + NS + 0x20078
VPES, NO_BELL = 3, 1023
CACHES = 7 << 7 | 1 << 10


def configure(s, vintid):
    s.store(0, s.vconfig + vintid - FIRST_LPI, s.rng.choice([0x81, 0x81, 0xa1, 0x41, 0x01, 0xa0, 0x80]), 'config of %d' % vintid)


def setup(s):
    if not s.groups[1:]:
        s.vconfig = s.take(1 << ID_BITS, 1 << 16)
    gen_its.setup(s, 3)
    s.vpts = [s.take(1 << ID_BITS - 3, 1 << 16) for _ in range(VPES)]
    s.vintids = [FIRST_LPI + n for n in range(12)]
    s.bits = [s.rng.choice([14, 16]) for _ in range(VPES)]
    s.here = None
    for vintid in s.vintids:
        configure(s, vintid)
    for vpe in range(VPES):
        command(s, VMAPP, 0, vpe << 32, VALID, s.vpts[vpe] | s.bits[vpe] - 1)
    for _ in range(6):
        vmapti(s, s.rng.choice(s.devices), s.rng.randrange(8), s.rng.randrange(VPES), s.rng.choice(s.vintids), bell(s))
    go(s)


def bell(s):
    return s.rng.choice(s.lpis + [NO_BELL] * 4) if s.rng.random() < 0.9 else s.rng.choice([0, 40, 1022, 8191, 1 << ID_BITS, 0xffffffff])


def vmapti(s, device, event, vpe, vintid, doorbell):
    command(s, VMAPTI, device, event | vpe << 32, vintid | doorbell << 32)


def any_command(s):
    rng = s.rng
    device = rng.choice(s.devices) if rng.random() < 0.9 else rng.choice([511, 512, 0xffff, rng.randrange(64)])
    event = rng.randrange(8) if rng.random() < 0.9 else rng.choice([8, 15, 16, 31, 0xffff])
    vpe = rng.randrange(VPES) if rng.random() < 0.85 else rng.choice([VPES, 511, 512, 0xffff])
    vintid = rng.choice(s.vintids) if rng.random() < 0.9 else rng.choice([0, 32, 1023, 8191, 16383, 16384, (1 << ID_BITS) - 1, 1 << ID_BITS, 0xffffffff])
    number = rng.choice([INT] * 6 + [CLEAR, VMAPTI, VMAPTI, VMAPI, VMOVI, VMOVI, DISCARD, INV, VINVALL, VSYNC, VMOVP, MAPTI, MOVI, VMAPP])
    if number in (INT, CLEAR, INV, DISCARD):
        command(s, number, device, event, 0)
    elif number == VMAPTI:
        vmapti(s, device, event, vpe, vintid, bell(s))
    elif number == VMAPI:
        command(s, number, device, rng.choice([event, vintid]) | vpe << 32, bell(s) << 32)
    elif number == VMOVI:
        command(s, number, device, event | vpe << 32, rng.choice([0, 1]) | bell(s) << 32)
    elif number == MAPTI:
        command(s, number, device, event | rng.choice(s.lpis) << 32, rng.randrange(2))
    elif number == MOVI:
        command(s, number, device, event, rng.randrange(2))
    elif number == VMOVP:
        command(s, number, 0, vpe << 32, rng.choice([0, 0, 1, 77]) << 16)
    elif number != VMAPP:
        command(s, number, 0, vpe << 32, 0)
    elif rng.random() < 0.3:
        command(s, number, 0, vpe << 32, 0)  # rule vlpi-vmapp
    else:
        command(s, number, 0, vpe << 32, VALID | (1 << 16 if rng.random() < 0.1 else 0), s.vpts[vpe % VPES] | rng.choice([14, 16, 17]) - 1)


def schedule(s):
    """A vPE comes, or the one that is here leaves."""
    if s.here is None:
        s.here = s.rng.randrange(VPES)
        s.store(3, VPROPBASER, s.vconfig | CACHES | s.rng.choice([13, 15]), 'GICR_VPROPBASER')
        s.store(3, VPENDBASER, VALID | 1 << 61 | s.vpts[s.here] | CACHES, 'GICR_VPENDBASER')
    else:
        s.store(3, VPENDBASER, s.vpts[s.here] | CACHES, 'GICR_VPENDBASER')
        s.here = None
    s.load(3, VPENDBASER, 'GICR_VPENDBASER')


def look(s):
    for vpe in range(VPES):
        s.load(3, s.vpts[vpe] + FIRST_LPI // 8, 'pending table of vPE %d' % vpe)
    acknowledge(s)


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
            configure(s, s.rng.choice(s.vintids))
            for vpe in range(VPES):
                command(s, VINVALL, 0, vpe << 32, 0)
            go(s)
        elif k < 0.85:
            schedule(s)
        else:
            look(s)
    look(s)
    if s.here is not None:
        schedule(s)
    for vpe in range(VPES):
        s.sum(s.vpts[vpe] + FIRST_LPI // 8, (1 << ID_BITS - 3) - FIRST_LPI // 8, 'pending table of vPE %d' % vpe)
    gen_its.finish(s)
