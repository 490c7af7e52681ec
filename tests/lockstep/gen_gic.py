"""Lock-step programs with interrupts: the GIC's frames, CPU interface and virtual interface, timers, interrupts taken.

Kinds, for gen.py: `gicd` (GICD_ and GICR_ registers by loads and stores), `icc` (the physical CPU interface: SGIs, acknowledge,
priority drop, preemption), `icv` (list registers and what EL1 sees of them), `irq` (the same and the timers with PSTATE.AIF open:
interrupts taken, HCR_EL2.{VI,VF,VSE}, ESB). Each block starts from a configuration of its own: code that frame.S calls at EL3.

Where an interrupt may become takeable both emulators look at once: after a store DSB and ISB, after an MSR itself. So each group
of instructions that has such an effect is closed: no branch leads into it, and nothing comes between.
"""
GICD, GICR, SGI_BASE, NS_VIEW = 0x08000000, 0x080a0000, 0x080b0000, 0x80000000
SPIS = [36, 40, 44, 63, 224, 248, 253, 255]  # those whose GICD_IROUTER frame.S resets and compares; no device has them
LINKED = [20, 36, 40, 44]  # physical interrupts of list registers with HW: in group 1 (rule hw-secure)
ISB, DSB, ESB = 0xd5033fdf, 0xd5033f9f, 0xd503221f
M64 = (1 << 64) - 1
KINDS = ('gicd', 'icc', 'icv', 'irq')
FLAG_GIC, FLAG_DS = 1, 2

ENCODINGS = {'SPSR_EL3': (3, 6, 4, 0, 0), 'SCR_EL3': (3, 6, 1, 1, 0), 'HCR_EL2': (3, 4, 1, 1, 0), 'VSESR_EL2': (3, 4, 5, 2, 3),
             'DAIF': (3, 3, 4, 2, 1), 'ISR_EL1': (3, 0, 12, 1, 0), 'DISR_EL1': (3, 0, 12, 1, 1), 'VDISR_EL2': (3, 4, 12, 1, 1),
             'CNTVOFF_EL2': (3, 4, 14, 0, 3), 'CurrentEL': (3, 0, 4, 2, 2)}


def icc(crn, crm, op2, op1=0):
    return (3, op1, crn, crm, op2)


ENCODINGS.update({
    'ICC_PMR_EL1': icc(4, 6, 0), 'ICC_IAR0_EL1': icc(12, 8, 0), 'ICC_EOIR0_EL1': icc(12, 8, 1), 'ICC_HPPIR0_EL1': icc(12, 8, 2),
    'ICC_BPR0_EL1': icc(12, 8, 3), 'ICC_AP0R0_EL1': icc(12, 8, 4), 'ICC_AP1R0_EL1': icc(12, 9, 0), 'ICC_DIR_EL1': icc(12, 11, 1),
    'ICC_RPR_EL1': icc(12, 11, 3), 'ICC_SGI1R_EL1': icc(12, 11, 5), 'ICC_ASGI1R_EL1': icc(12, 11, 6), 'ICC_SGI0R_EL1': icc(12, 11, 7),
    'ICC_IAR1_EL1': icc(12, 12, 0), 'ICC_EOIR1_EL1': icc(12, 12, 1), 'ICC_HPPIR1_EL1': icc(12, 12, 2), 'ICC_BPR1_EL1': icc(12, 12, 3),
    'ICC_CTLR_EL1': icc(12, 12, 4), 'ICC_SRE_EL1': icc(12, 12, 5), 'ICC_IGRPEN0_EL1': icc(12, 12, 6), 'ICC_IGRPEN1_EL1': icc(12, 12, 7),
    'ICH_AP0R0_EL2': icc(12, 8, 0, 4), 'ICH_AP1R0_EL2': icc(12, 9, 0, 4), 'ICC_SRE_EL2': icc(12, 9, 5, 4), 'ICH_HCR_EL2': icc(12, 11, 0, 4),
    'ICH_VTR_EL2': icc(12, 11, 1, 4), 'ICH_MISR_EL2': icc(12, 11, 2, 4), 'ICH_EISR_EL2': icc(12, 11, 3, 4),
    'ICH_ELRSR_EL2': icc(12, 11, 5, 4),
    'ICH_VMCR_EL2': icc(12, 11, 7, 4), 'ICH_LR0_EL2': icc(12, 12, 0, 4), 'ICH_LR1_EL2': icc(12, 12, 1, 4), 'ICH_LR2_EL2': icc(12, 12, 2, 4),
    'ICH_LR3_EL2': icc(12, 12, 3, 4), 'ICC_CTLR_EL3': icc(12, 12, 4, 6), 'ICC_IGRPEN1_EL3': icc(12, 12, 7, 6)})
KEY = {name: op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2 for name, (op0, op1, crn, crm, op2) in ENCODINGS.items()}
LRS = ['ICH_LR%d_EL2' % n for n in range(4)]

# The words that frame.S writes to gic.bin, for reports.
GIC_STATE = ('PMR BPR0 AP0R0 IGRPEN0 IGRPEN1_EL3 CTLR_EL3 RPR HPPIR0 HPPIR1 BPR1_S AP1R0_S CTLR_S BPR1_NS AP1R0_NS '
             'CTLR_NS ISR ICH_HCR ICH_VMCR ICH_MISR ICH_EISR ICH_ELRSR ICH_AP0R0 ICH_AP1R0 LR0 LR1 LR2 LR3 HCR_EL2 VDISR DISR').split()
GIC_WORDS = ['GICD_CTLR']
for _n in (1, 7):
    GIC_WORDS += ['%s%d' % (r, _n) for r in 'IGROUPR IGRPMODR ISENABLER ISPENDR ISACTIVER ICFGRa ICFGRb NSACRa NSACRb'.split()]
    GIC_WORDS += ['IPRIORITYR%d' % (8 * _n + p) for p in range(8)]
GIC_WORDS += [f % n for n in SPIS for f in ('IROUTER%d', 'IROUTER%d+4')]
GIC_WORDS += 'WAKER IGROUPR0 IGRPMODR0 ISENABLER0 ISPENDR0 ISACTIVER0 ICFGR0 ICFGR1 NSACR0'.split() + ['IPRIORITYR%d' % n for n in range(8)]
STATE_BYTES = 8 * len(GIC_STATE) + 4 * len(GIC_WORDS)


def mrs(name, x):
    return 0xd5200000 | KEY[name] << 5 | x


def msr(name, x):
    return 0xd5000000 | KEY[name] << 5 | x


class Interrupts:
    """Of the Generator of gen.py, which has rng, move(register, value), el, code, sections."""

    # ---- configurations ----

    def put(self, address, value):
        """A store of 32 bits at EL3: X1 the value, X2 the address."""
        return self.move(2, address) + self.move(1, value & 0xffffffff) + [0xb9000041]

    def set(self, name, value):
        return self.move(1, value) + [msr(name, 1)]

    def priorities(self):
        """Four bytes: few different ones, so that equal and neighbouring ones are common; both halves. QEMU's GICD has eight
        bits of each, so only bits that elmu has, too."""
        few = [0, 0x08, 0x40, 0x48, 0x78, 0x80, 0x88, 0xa0, 0xa8, 0xc0, 0xf0, 0xf8, self.rng.getrandbits(5) << 3]
        return sum(self.rng.choice(few) << 8 * n for n in range(4))

    def some(self, n=32):
        return self.rng.getrandbits(n) & self.rng.getrandbits(n)

    def frames(self, pending):
        """Groups, priorities and states in the frames."""
        rng, out = self.rng, []
        for n, base in ((0, SGI_BASE), (rng.choice([1, 7]), GICD)):
            w = 4 * n
            linked = sum(1 << p % 32 for p in LINKED if p // 32 == n)
            out += self.put(base + 0x80 + w, rng.choice([0, M64, rng.getrandbits(32), rng.getrandbits(32)]) | linked)
            if rng.random() < 0.7:
                out += self.put(base + 0xd00 + w, rng.getrandbits(32))
            for p in range(8):
                if rng.random() < 0.6:
                    out += self.put(base + 0x400 + 32 * n + 4 * p, self.priorities())
            if rng.random() < 0.3:
                out += self.put(base + 0xe00 + 2 * w, rng.getrandbits(32))
            if rng.random() < 0.5:
                out += self.put(base + (0xc00 + 2 * w if n else 0xc04), rng.getrandbits(32))
            out += self.put(base + 0x100 + w, rng.choice([M64, rng.getrandbits(32) | rng.getrandbits(32)]))
            if rng.random() < pending:
                out += self.put(base + 0x200 + w, self.some() & (rng.getrandbits(32) if n else 0xffffffff))
            if rng.random() < 0.15:
                out += self.put(base + 0x300 + w, self.some() & self.some())
        if rng.random() < 0.15:
            out += self.put(GICD, rng.getrandbits(3))
        return out

    def interface(self, kind):
        rng, out = self.rng, []
        out += self.set('ICC_PMR_EL1', rng.choice([0xff, 0xff, 0xff, 0xf0, 0xf8, 0x80, 0xa0, 0x88, rng.getrandbits(8)]))
        out += self.set('ICC_CTLR_EL3', self.some(5) | rng.choice([0, 0, 0x1c]))
        out += self.set('ICC_BPR0_EL1', rng.choice([0, 2, 3, 4, 7, rng.getrandbits(3)]))
        out += self.set('ICC_BPR1_EL1', rng.choice([0, 3, 4, 5, rng.getrandbits(3)]))
        # rule igrpen: all groups are enabled here, or none
        on = kind != 'gicd' or rng.random() < 0.9
        return out + self.set('ICC_IGRPEN0_EL1', on) + self.set('ICC_IGRPEN1_EL3', 3 * on)

    def list_register(self):
        """Mostly of a small set of vINTIDs, so that EOIR and DIR find them."""
        rng = self.rng
        lr = rng.choice([0, 1, 1, 1, 2, 3]) << 62 | rng.getrandbits(1) << 60 | (self.priorities() & 0xf8) << 48 | rng.choice([0, 0, 1]) << 41
        vintid = rng.choice([32, 33, 34, 35, 5, 27, 40, rng.randrange(1020)])
        if rng.random() < 0.25 and not lr >> 62 == 3:
            lr = lr & ~(1 << 41) | 1 << 61 | rng.choice(LINKED) << 32
        return lr | vintid

    def virtual(self):
        rng, out = self.rng, []
        hcr = 1 if rng.random() < 0.85 else 0
        hcr |= self.some(8) & 0xde if rng.random() < 0.4 else 0  # rule vgrp0d
        hcr |= rng.choice([0, 0, 0, 0, 1 << 10, 1 << 11, 1 << 12, 1 << 14])
        for name in LRS:
            if rng.random() < 0.75:
                out += self.set(name, self.list_register())
        if rng.random() < 0.2:
            out += self.set(rng.choice(['ICH_AP0R0_EL2', 'ICH_AP1R0_EL2']), self.some())
        self.veoim = rng.random() < 0.35
        vmcr = rng.choice([3, 3, 3, 1, 2, 0]) | self.some(1) << 4 | self.veoim << 9
        vmcr |= rng.choice([0xf8, 0xf8, 0xf8, 0x80, rng.getrandbits(8) & 0xf8]) << 24 | rng.randrange(2, 8) << 21 | rng.randrange(3, 8) << 18
        return out + self.set('ICH_VMCR_EL2', vmcr) + self.set('ICH_HCR_EL2', hcr)

    def timers_on(self):
        """A timer, its interrupt (PPIs 26, 27, 29, 30) pending now or never."""
        rng, out = self.rng, []
        offset = rng.choice([0, 0, 1 << 40, 1 << 63, 1 << 62])
        out += self.set('CNTVOFF_EL2', offset)
        for base in self.timer_bases:
            if rng.random() < 0.3:
                now = -offset & M64 if base == self.timer_bases[-1] else 0  # CNTV's count, if that it is
                out += self.move(1, rng.choice([0, 0, 1 << 61, M64, now, now + (1 << 36) & M64])) + [0xd5000000 | (base | 2) << 5 | 1]
                out += self.move(1, rng.choice([1, 1, 3])) + [0xd5000000 | (base | 1) << 5 | 1]
        return out

    def setup(self, kind, row):
        """The code that frame.S calls before a block."""
        rng, out = self.rng, []
        some = rng.random() < 0.5
        out += self.frames({'gicd': 0.1, 'icc': 0.8, 'icv': 0.2, 'irq': 0.4}[kind])
        out += self.interface(kind)
        routed = rng.getrandbits(2) if rng.random() < 0.7 else 0
        hcr = row['hcr'] | (rng.getrandbits(3) if kind != 'icv' else rng.choice([3, 3, 3, 1, 2, 0])) << 3
        if kind == 'icv' or (kind == 'irq' and some):
            out += self.virtual()
            routed = 0 if rng.random() < 0.8 else routed
        self.all_virtual = self.el == 1 and hcr >> 3 & 3 == 3 and self.el2 > 0
        if kind == 'irq' and rng.random() < 0.4:
            hcr |= self.some(3) << 6
            out += self.set('VSESR_EL2', rng.getrandbits(25)) if hcr >> 8 & 1 and 'ras' in self.features else []
        if kind == 'irq' and rng.random() < 0.4:
            out += self.timers_on()
        masks = rng.choice([0, 7, rng.getrandbits(3)]) if kind == 'irq' else 7
        out += self.set('SPSR_EL3', row['spsr'] & ~0x1c0 | masks << 6)
        out += self.set('HCR_EL2', hcr) + self.set('SCR_EL3', row['scr'] & ~0xe | routed << 1)
        return out + [ISB, 0xd65f03c0]

    def gic_controls(self, s):
        """What a section of these kinds has besides: its flags, the map of the frames as Non-secure memory."""
        s['flags'] = FLAG_GIC | (FLAG_DS if self.ds else 0)

    # ---- instructions ----

    def opening(self):
        """X16 the distributor, X17 the redistributor's SGI frame, X18 its other: for either security state."""
        view = 0x8000 if self.rng.random() < 0.3 else 0
        return [0xd2a00000 | (view | page) << 5 | x for x, page in ((16, 0x0800), (17, 0x080b), (18, 0x080a))]

    FRAMES = [  # of distributor and redistributor: offset, share of writes
        (0x000, 0.3), (0x004, 0.2), (0x080, 0.5), (0x100, 0.6), (0x180, 0.6), (0x200, 0.6), (0x280, 0.6), (0x300, 0.6), (0x380, 0.6),
        (0x400, 0.6), (0x400, 0.6), (0xc00, 0.6), (0xd00, 0.5), (0xe00, 0.5), (0x6000, 0.5)]

    def frame_access(self, left):
        """A load or a store of a register of the frames."""
        rng = self.rng
        if left > 2 and rng.random() < 0.03:  # beyond the last redistributor nothing answers: an external abort
            x = rng.randrange(16)
            return [0x91400000 | 0x20 << 10 | 18 << 5 | x, rng.choice([0xb9400000, 0xb9000000, 0xf9400000]) | x << 5 | rng.randrange(16)]
        offset, weight = rng.choice(self.FRAMES)
        bank = rng.choice([0, 0, 1, 1, 7])
        base = 17 if not bank and offset >= 0x80 and rng.random() < 0.9 else 16
        size = 2
        if offset == 0x400:
            offset += 32 * bank + rng.randrange(32)
            size = rng.choice([0, 2])
        elif offset == 0x6000:
            base, offset, size = 16, offset + 8 * rng.choice(SPIS), rng.choice([2, 3, 3])
        elif offset >= 0x80:
            offset += 4 * bank * (2 if offset in (0xc00, 0xe00) else 1) + (4 * rng.getrandbits(1) if offset in (0xc00, 0xe00) else 0)
        elif rng.random() < 0.4:
            base, offset, weight, size = 18, rng.choice([4, 0xc, 0x10, 0x14, 0x14]), 0.2, 2
        else:
            offset = rng.choice([0, 0, 8, 0xc, 0x10, 0x40, 0x48, 0xf00, 0xf10, 0xf20, 0x800 + 32 * bank])
        if rng.random() < 0.06 and base != 18:
            size = rng.randrange(4)  # mostly one that the register has not
        offset &= ~((1 << size) - 1)
        load = size << 30 | 0x39400000 | (offset >> size) << 10 | base << 5
        if rng.random() >= weight or left < 5:
            return [load | rng.randrange(16)]
        value = rng.choice([0, M64 & 0xffffffff, rng.getrandbits(32), self.some(), 1 << rng.randrange(32)])
        if offset in (0, 4) and base == 16:
            value &= ~0x40  # GICD_CTLR.DS stays
        if offset in (0x40, 0x48) and base == 16:
            value &= ~0x1fff  # rule mbi
        if 0x80 <= offset < 0x100 and self.kind == 'irq':
            value |= sum(1 << p % 32 for p in LINKED)
        if 0x400 <= offset < 0x800:
            value &= 0xf0f0f0f0  # as Non-secure state sees the five bits
        if offset >= 0x6000:
            value &= rng.choice([0, 0, 0xffff01])  # no bits that are RES0 without 1 of N, which QEMU keeps
        if base == 18 and offset == 0x14 and (self.row['scr'] & 1 or size != 2):
            return [load | rng.randrange(16)]  # GICR_WAKER is RAZ/WI for Non-secure accesses (GIC 12.11); not in QEMU
        if base == 18:
            value &= ~2  # rule waker
        x = rng.randrange(16)
        move = self.move(x, value)
        back = [load | rng.randrange(16)] if left > len(move) + 3 and rng.random() < 0.6 else []
        return move + [load & ~0x400000 | x, DSB, ISB] + back

    def sgi(self):
        rng = self.rng
        value = rng.randrange(16) << 24 | rng.choice([1, 1, 1, 1, 1, 3, 0xffff, 0, 2])
        if rng.random() < 0.05:
            value |= rng.choice([1 << 40, 1 << 16, 1 << 32])
        x = rng.randrange(16)
        return self.move(x, value) + [msr(rng.choice(['ICC_SGI1R_EL1', 'ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1']), x), ISB]

    def read(self, names):
        return [mrs(self.rng.choice(names), self.rng.randrange(16))]

    def acknowledged(self, left):
        """Acknowledge, perhaps something else, end of interrupt, perhaps deactivation."""
        rng = self.rng
        n, x = rng.choice([0, 1, 1]), rng.randrange(16)
        out = self.move(x, 1023) + [mrs('ICC_IAR%d_EL1' % n, x), ISB]  # should that trap
        if rng.random() < 0.35:
            return out
        if left > 8 and rng.random() < 0.5:
            out += self.read(['ICC_RPR_EL1', 'ICC_HPPIR1_EL1', 'ICC_HPPIR0_EL1', 'ICC_AP1R0_EL1', 'ICC_AP0R0_EL1', 'ISR_EL1'])
            if out[-1] & 31 == x:
                out[-1] = out[-1] & ~31 | 31
        out += [msr('ICC_EOIR%d_EL1' % n, x), ISB]
        return out + ([msr('ICC_DIR_EL1', x), ISB] if rng.random() < 0.4 else [])

    def interface_write(self):
        rng, x = self.rng, self.rng.randrange(16)
        split, on = self.veoim if self.kind == 'icv' else rng.getrandbits(1), rng.getrandbits(1) | (not self.all_virtual)
        name, value = rng.choice([
            ('ICC_PMR_EL1', rng.choice([0xff, 0xf0, 0x80, 0xa0, 0x40, rng.getrandbits(8)])), ('ICC_BPR0_EL1', rng.getrandbits(3)),
            ('ICC_BPR1_EL1', rng.getrandbits(3)), ('ICC_CTLR_EL1', rng.getrandbits(1) | split << 1), ('ICC_IGRPEN0_EL1', on),
            ('ICC_IGRPEN1_EL1', on)] + ([('ICC_CTLR_EL3', rng.getrandbits(5))] if self.el == 3 else []))
        return self.move(x, value) + [msr(name, x), ISB] + \
            ([mrs(name, rng.randrange(16))] if rng.random() < 0.6 and name not in self.settled['reg'] else [])

    READABLE = ['ICC_PMR_EL1', 'ICC_HPPIR0_EL1', 'ICC_HPPIR1_EL1', 'ICC_BPR0_EL1', 'ICC_BPR1_EL1', 'ICC_AP0R0_EL1', 'ICC_AP1R0_EL1',
                'ICC_RPR_EL1', 'ICC_CTLR_EL1', 'ICC_SRE_EL1', 'ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1', 'ISR_EL1', 'ISR_EL1']

    def physical(self, left):
        k = self.rng.random()
        if k < 0.25 or left < 9:
            return self.read(self.READABLE)
        if k < 0.5:
            return self.sgi()
        return self.acknowledged(left) if k < 0.8 else self.interface_write()

    def hypervisor(self, left):
        """At EL2 and EL3: the registers of the virtual interface."""
        rng, x, k = self.rng, self.rng.randrange(16), self.rng.random()
        if k < 0.5 or left < 9:
            return self.read(LRS + ['ICH_%s_EL2' % n for n in 'HCR VMCR MISR EISR ELRSR AP0R0 AP1R0'.split()])
        if k < 0.75:
            return self.move(x, self.list_register()) + [msr(rng.choice(LRS), x), ISB]
        if k < 0.85:
            return self.move(x, rng.randrange(4) | rng.choice([0x10, 0x200, 0]) | rng.randrange(2, 8) << 21 | rng.randrange(3, 8) << 18 |
                             (rng.getrandbits(8) & 0xf8) << 24) + [msr('ICH_VMCR_EL2', x), ISB]
        return self.move(x, self.some(8) & 0xdf | 1) + [msr('ICH_HCR_EL2', x), ISB]

    def guest(self, left):
        """At EL1: acknowledges what the list registers hold, ends it, in and out of order."""
        rng, x, k = self.rng, self.rng.randrange(16), self.rng.random()
        if k < 0.35 or left < 9:
            return self.read(self.READABLE)
        if k < 0.65:
            return self.acknowledged(left)
        if k < 0.75:
            return self.move(x, rng.choice([32, 33, 34, 35, 5, 27, 40, 1023])) + \
                [msr(rng.choice(['ICC_DIR_EL1'] + ['ICC_EOIR0_EL1', 'ICC_EOIR1_EL1'] * (not self.veoim)), x), ISB]  # rule eoicount
        return self.interface_write()

    def masks(self):
        """MSR DAIFSet, DAIFClr; DAIF read or written."""
        rng, x = self.rng, self.rng.randrange(16)
        if rng.random() < 0.8:
            return [0xd503409f | rng.choice([0x40, 0x60, 0x60]) | rng.randrange(8) << 8]
        if rng.random() < 0.5:
            return [mrs('DAIF', x)]
        return self.move(x, 0x200 | rng.getrandbits(3) << 6) + [msr('DAIF', x)]

    def timer_write(self):
        rng, x = self.rng, self.rng.randrange(16)
        base = rng.choice(self.timer_bases)
        return self.move(x, rng.choice([0, 0, 1 << 62, M64])) + [0xd5000000 | (base | 2) << 5 | x] + self.move(x, rng.choice([1, 1, 3, 0])) + \
            [0xd5000000 | (base | 1) << 5 | x, ISB, 0xd5200000 | (base | 1) << 5 | x]

    def drop(self):
        """ERET to the next instruction at the same or a lower EL, with other masks."""
        rng = self.rng
        lower = [el for el in range(self.el) if not (el == 2 and not self.el2 or el == 1 and self.row['hcr'] >> 27 & 1)]
        el = rng.choice(lower + [self.el])
        spsr = 0x200 | rng.getrandbits(3) << 6 | el << 2 | rng.getrandbits(4) << 28
        a, b = rng.sample(range(16), 2)
        key = 3 << 14 | {1: 0, 2: 4, 3: 6}[self.el] << 11 | 4 << 7
        return self.move(a, spsr)[:2] + [0xd5000000 | key << 5 | a, 0x10000000 | 3 << 5 | b, 0xd5000000 | (key | 1) << 5 | b, 0xd69f03e0]

    def taken(self, left):
        rng, k = self.rng, self.rng.random()
        if k < 0.2:
            return self.masks()
        if k < 0.3 and left > 8:
            return self.timer_write()
        if k < 0.36 and left > 8:
            return self.drop()
        if k < 0.4 and 'ras' in self.features:
            return rng.choice([[ESB], [ESB, mrs('DISR_EL1', rng.randrange(16))]])
        if k < 0.5:
            return self.frame_access(left)
        return self.physical(left) if k < 0.8 or self.el == 1 else self.hypervisor(left)

    def gic_block(self, left):
        """The next instructions of a block of one of these kinds."""
        k = self.rng.random()
        if k < 0.12:
            return [self.fill(self.rng.choice(self.integer))]
        if self.kind == 'gicd':
            return self.frame_access(left) if k < 0.95 else self.read(['ICC_HPPIR1_EL1', 'ICC_HPPIR0_EL1'] + ['ISR_EL1'] * (not self.ds))
        if self.kind == 'icc':
            return self.physical(left)
        if self.kind == 'icv':
            return self.guest(left) if self.el == 1 else self.hypervisor(left)
        return self.taken(left)
