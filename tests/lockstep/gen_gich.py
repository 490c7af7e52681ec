"""Lock-step of GICv2, kind `gich`: list registers and the rest of GICH, and what a guest sees of them through GICV.

Each group starts from the interfaces as reset leaves them. GICH and GICV are one PE's and the same in both security states.
"""
import gen_gicc
from gen_gicc import DEVICES, M32, MACHINE, NS  # noqa: F401

GICH, GICV = 0x08030000 + NS, 0x08040000 + NS
HCR, VTR, VMCR, MISR, EISR, ELRSR, APR, LR = 0, 4, 8, 0x10, 0x20, 0x30, 0xf0, 0x100
NAMES = {HCR: 'HCR', VTR: 'VTR', VMCR: 'VMCR', MISR: 'MISR', EISR: 'EISR0', ELRSR: 'ELRSR0', APR: 'APR'}
LINKED = [41, 42, 43, 44]  # physical interrupts of list registers with HW


def hyp(s, offset, value):
    s.store(2, GICH + offset, value & M32, 'GICH_' + (NAMES.get(offset) or 'LR%d' % ((offset - LR) // 4)))


def hyp_read(s, offset):
    name = 'GICH_' + (NAMES.get(offset) or 'LR%d' % ((offset - LR) // 4))
    s.load(2, GICH + offset, name, s.fields.get('gich.' + name.rstrip('0123456789') if offset >= LR else 'gich.' + name, M32))


def guest(s, offset, value):
    s.store(2, GICV + offset, value & M32, 'GICV_' + gen_gicc.NAMES[offset])


def guest_read(s, offset):
    name = 'GICV_' + gen_gicc.NAMES[offset]
    s.load(2, GICV + offset, name, s.fields.get('gich.' + name, M32))
    return s.last()


def list_register(s):
    """Mostly of a small set of INTIDs, one list register each, so that EOIR finds one."""
    rng = s.rng
    # an active one has the priority that it was acknowledged with (rule gicv2-eoi)
    lr = rng.choice([0, 1, 1, 1] + [2, 3] * (not s.active)) << 28 | rng.getrandbits(1) << 30
    lr |= rng.choice([0, 1, 2, 8, 9, 15, 16, 17, 20, 24, 30, 31, rng.randrange(32)]) << 23
    taken = {n for k, n in s.lists.items() if k != s.slot}
    vintid = rng.choice([n for n in [32, 33, 34, 35, 3, 5, 27, 40, 200, 287] if n not in taken])
    s.lists[s.slot] = vintid
    if vintid >= 16 and rng.random() < 0.25 and lr >> 28 & 3 != 3:
        return lr | 1 << 31 | rng.choice(LINKED) << 10 | vintid
    return lr | rng.choice([0, 0, 1]) << 19 * (vintid >= 16) | (rng.randrange(8) << 10 if vintid < 16 else 0) | vintid


def write_list(s):
    s.slot = s.rng.randrange(4)
    hyp(s, LR + 4 * s.slot, list_register(s))


def vmcr(s):
    """Rule gicv2-grouping; and both groups are enabled, or none (rule igrpen)."""
    rng, point = s.rng, s.rng.choice([2, 2, 3, 4, 6])
    s.split, s.ackctl = rng.random() < 0.35, rng.getrandbits(1)
    hyp(s, VMCR, rng.choice([3, 3, 3, 3, 0]) | s.ackctl << 2 | rng.getrandbits(2) << 3 | s.split << 9 | (point + 1) << 18 | point << 21 |
        rng.choice([31, 31, 31, 30, 16, rng.randrange(32)]) << 27)


def setup(s):
    rng = s.rng
    gen_gicc.reset(s)
    for offset in (HCR, VMCR, APR, LR, LR + 4, LR + 8, LR + 12):
        hyp(s, offset, 0)
    s.lists, s.active = {}, []
    gen_gicc.dist(s, 0x80 + 4, rng.choice([M32, M32, 0]))
    gen_gicc.dist(s, 0x100 + 4, gen_gicc.bits(s, 1, 0.8))
    gen_gicc.dist(s, 0, 3)
    gen_gicc.cpu(s, gen_gicc.PMR, 0xf8)
    gen_gicc.cpu(s, gen_gicc.CTLR, 7 | 3 << 9)
    for intid in rng.sample(LINKED, rng.randrange(3)):  # physical ones, active until a guest ends them: once (rule gicv2-again)
        gen_gicc.dist(s, 0x200 + 4, 1 << intid % 32)
        number = gen_gicc.cpu_read(s, gen_gicc.IAR, 0)
        s.again(number, gen_gicc.GICC + gen_gicc.EOIR, 0x1fff, 'GICC_EOIR')
    vmcr(s)
    for _ in range(rng.randrange(1, 5)):
        write_list(s)
    hyp(s, HCR, (rng.random() < 0.9) | (rng.getrandbits(8) & rng.getrandbits(8) & 0xfe if rng.random() < 0.6 else 0))


def acknowledge(s):
    s.active.append(guest_read(s, gen_gicc.IAR))
    if s.rng.random() < 0.4:
        guest_read(s, gen_gicc.RPR)


def end(s):
    number = s.active.pop()
    s.again(number, GICV + gen_gicc.EOIR, 0x1fff, 'GICV_EOIR')
    if s.split and s.rng.random() < 0.7:
        s.again(number, GICV + gen_gicc.DIR, 0x1fff, 'GICV_DIR')


def interface(s):
    rng, k = s.rng, s.rng.random()
    if k < 0.6:
        guest_read(s, rng.choice([gen_gicc.CTLR, gen_gicc.PMR, gen_gicc.BPR, gen_gicc.RPR, gen_gicc.ABPR, gen_gicc.IIDR]))
    elif k < 0.8:
        guest(s, gen_gicc.PMR, rng.choice([0xf8, 0xf0, 0x80, 0x40, 0xa0, 0]))
        hyp_read(s, VMCR)
    elif not s.active:
        s.split, s.ackctl = rng.random() < 0.35, rng.getrandbits(1)
        guest(s, gen_gicc.CTLR, 3 | s.ackctl << 2 | rng.getrandbits(2) << 3 | s.split << 9)
        guest_read(s, gen_gicc.CTLR)


def hypervisor(s):
    rng, k = s.rng, s.rng.random()
    if k < 0.6:
        hyp_read(s, rng.choice([HCR, VTR, VMCR, MISR, MISR, EISR, ELRSR, APR, LR, LR + 4, LR + 8, LR + 12]))
    elif k < 0.8:
        write_list(s)
    elif k < 0.92:
        hyp(s, HCR, 1 | (rng.getrandbits(8) & rng.getrandbits(8) & 0xfe))
        hyp_read(s, MISR)
    elif not s.active:
        vmcr(s)
        guest_read(s, rng.choice([gen_gicc.CTLR, gen_gicc.PMR, gen_gicc.BPR, gen_gicc.ABPR]))


def final(s):
    for offset in (HCR, VMCR, MISR, EISR, ELRSR, APR, LR, LR + 4, LR + 8, LR + 12):
        hyp_read(s, offset)
    gen_gicc.dist_read(s, 0x304)
    s.get('ISR_EL1')


def group(s):
    s.group()
    setup(s)
    for _ in range(70):
        k = s.rng.random()
        if k < 0.25 and (len(s.active) < 6 if s.ackctl else not s.active):  # rule gicv2-1022
            acknowledge(s)
        elif k < 0.45 and s.active:
            end(s)
        elif k < 0.6:
            interface(s)
        elif k < 0.65:
            s.get('ISR_EL1')
        else:
            hypervisor(s)
    final(s)
    while s.active:
        end(s)
    final(s)
