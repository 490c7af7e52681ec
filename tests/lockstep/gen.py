"""Makes lock-step programs: sections of blocks of random but meaningful instructions, for the frame of frame.S.

A program is a blob for BLOB (rows of sections, seeds, translation tables, code). A section runs at one EL under one set of
controls; its kind says which instructions it is made of: compute, memory, system, registers, timer; mte (gen_mte.py);
gicd, icc, icv, irq (gen_gic.py). A block is 23 instructions and a BRK, after which all registers start anew from the seeds.
"""
import random
import re
import struct

import gen_gic
import gen_mte

BLOB, SETUPS, VALUES, BASES, TABLES, AREA, LIMIT = 0x40200000, 0x40204000, 0x40210000, 0x40221000, 0x40230000, 0x40400000, 0x40800000
WINDOW, BACKING, RANDOM_VA, UPPER = 0x41000800, 0x41400000, 0x48000000, 0xffffff8000000000
BLOCK, ROW, OWN = 24, 256, 0xff00
SECTION = ('spsr elr scr hcr sctlr1 sctlr2 tcr1 tcr2 tcr3 mair ttbr0_1 ttbr0_2 ttbr0_3 sctlr3 vttbr vtcr cpacr cptr2 cptr3 '
           'mdcr2 mdcr3 cnthctl cntkctl ttbr1_1 tables flags vstcr vsttbr').split()
TABLE_BYTES = 0x8000
# What both emulators have: QEMU's 7.2 `max`, by elmu's names.
FEATURES = set('''base crc32 aes pmull sha1 sha256 lse rdm sha512 sha3 sm3 sm4 dotprod fhm lrcpc lrcpc2 jscvt fcma frintts bf16
    i8mm pan vhe hpds hafdbs vmid16 xnx ttcnp lpa lpa2 lva ttst s2fwb bbm ttl e0pd pan2 uao idst lor tlbios tlbirange dpb dpb2 dit
    ssbs ssbs2 flagm flagm2 sb pauth bti hcx dgh pmu fp16 gicv3 gicv3-el2 gicv3-el3 el2 el3 sel2 ras rasv1p1 iesb csv2 csv2-2 csv3 specres
    mte mte2 mte3'''.split())
GPR, VREG = 'dnmatbKND', 'FGH'
M64 = (1 << 64) - 1


class Row:
    """An instruction of elmu's table: its fixed bits and its fields."""

    def __init__(self, name, pattern, feature, text):
        self.name, self.feature, self.text = name, feature, text
        self.fixed = int(''.join(c if c in '01' else '0' for c in pattern), 2)
        self.fields = []
        for m in re.finditer(r'([a-zA-Z])\1*', re.sub('[01]', ' ', pattern)):
            self.fields.append((m.group(1), 32 - m.end(), m.end() - m.start()))
        self.memory = '[%N' in text
        self.store = self.memory and not re.match(r'ld(?!add|clr|eor|set|smax|smin|umax|umin)|prf', text)
        self.letters = {f[0] for f in self.fields}
        # stores, and loads of which a part may be done when a page faults: a choice, so no page is crossed
        self.whole = self.store or bool(re.match(r'LD([1-4]_?|P_v)', name))
        self.exclusive = bool(re.match(r'STL?X[RP]', name))
        self.ordered = bool(re.match(r'LDL?AR_|STL?LR_|LDAPU?R|STLUR|LDAX[RP]|LDAXP|LDX[RP]', name))


class Generator(gen_gic.Interrupts, gen_mte.Tagging):
    def __init__(self, seed, rows, registers, settled):
        self.rng = random.Random(seed)
        self.settled = settled
        rows = [r for r in rows if r.feature in FEATURES and r.name not in settled['insn'] and not r.name.startswith('SETG')]
        self.mte_rows(rows)
        special = re.compile(r'(B|BL|BR|BLR|RET|CBN?Z|TBN?Z|BC?_\w\w|BR_bti|BLR_bti|BL?RAA.*|RETAA.*|ERET.*|DRPS|DCPS|HLT|BRK|SVC|'
                             r'HVC|SMC|WFE|WFI|YIELD|HINT|UDF|M[RS][RS].*|SYSL?|ADRP?|SB|DSB.*|LDR.*_lit.*|PRFM_lit)$')
        self.compute = [r for r in rows if not r.memory and not special.match(r.name) and r.fixed & 0xffd80000 != 0xd5080000]
        self.simd = [r for r in self.compute if r.letters & set(VREG)]
        self.integer = [r for r in self.compute if not r.letters & set(VREG)]
        self.fp = [r for r in self.simd if re.match('f|bf|scvt|ucvt', r.text)]
        self.loads = [r for r in rows if r.memory and not r.store]
        self.stores = [r for r in rows if r.memory and r.store]
        self.literal = [r for r in rows if re.match(r'LDR.*_lit', r.name)]  # of what follows in the code
        self.registers = registers
        self.code, self.sections, self.tables, self.executed = [], [], bytearray(), 0
        self.setups, self.features, self.ds = {}, FEATURES, self.rng.random() < 0.12
        self.unordered, self.by_kind = 0, {}

    # ---- values ----

    def x_value(self):
        rng = self.rng
        k = rng.random()
        if k < 0.3:
            return rng.getrandbits(64)
        if k < 0.5:
            return rng.choice([0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff])
        if k < 0.8:
            return rng.choice([M64, M64 - 1, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1,
                               0xffffffff80000000, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa])
        return (rng.getrandbits(rng.randrange(1, 64)) * rng.choice([1, -1])) & M64

    def fp_lane(self, width):
        """A value of a format: zeros, denormals, limits, infinities, NaNs, ordinary ones near to each other."""
        rng = self.rng
        ebits, mbits = {16: (5, 10), 32: (8, 23), 64: (11, 52)}[width]
        sign, emax, k = rng.getrandbits(1), (1 << ebits) - 1, rng.random()
        if k < 0.12:
            e, m = 0, 0
        elif k < 0.3:
            e, m = 0, rng.choice([1, 2, (1 << mbits) - 1, rng.getrandbits(mbits), 1 << (mbits - 1)])
        elif k < 0.4:
            e, m = emax, 0
        elif k < 0.55:
            e, m = emax, rng.choice([1, 1 << (mbits - 1), rng.getrandbits(mbits) | 1, (1 << mbits) - 1])
        elif k < 0.65:
            e, m = rng.choice([1, emax - 1, 2, emax - 2]), rng.choice([0, (1 << mbits) - 1, rng.getrandbits(mbits)])
        elif k < 0.9:
            e, m = emax // 2 + rng.randrange(-4, 8), rng.choice([0, (1 << mbits) - 1, rng.getrandbits(mbits), 1 << rng.randrange(mbits)])
        else:
            e, m = rng.getrandbits(ebits), rng.getrandbits(mbits)
        return sign << (width - 1) | max(0, min(e, emax)) << mbits | m

    def v_value(self):
        rng = self.rng
        if rng.random() < 0.15:
            return rng.getrandbits(128)
        if rng.random() < 0.1:
            return self.x_value() << 64 | self.x_value()
        width = rng.choice([16, 32, 32, 64, 64])
        return sum(self.fp_lane(width) << n for n in range(0, 128, width))

    def base_set(self):
        """X16..X30: indices, pointers into the window (around a page's end), pointers into the random tables' region."""
        rng = self.rng
        index = [rng.choice([0, 8, 16, M64 - 7, rng.randrange(64)]) for _ in range(2)]
        index += [rng.choice([0, 1, 8, 16, M64 - 7, M64 - 15, rng.randrange(64), 0x100000008, 0xfffffff8, 1 << 63]) for _ in range(2)]
        middle = WINDOW + 0x800
        window = [middle + rng.choice([0, 16 * rng.randrange(-32, 32), rng.randrange(-512, 512), -8, -4, -16]) for _ in range(4)]
        window[0] &= ~15  # X20 and X24 are aligned
        page = [self.random_va() for _ in range(4)]
        inside = [0x800 + 16 * rng.randrange(-16, 16), 0x800 + rng.randrange(-256, 256)]
        edge = [0xff0 + rng.randrange(16), 0xff0 + rng.choice([0, 8, 12, 4, 14])]
        region = [p + o for p, o in zip(page, inside + edge)]
        return index + window + region + [middle, AREA + 64, rng.getrandbits(64), 0]

    def random_va(self):
        rng = self.rng
        va = RANDOM_VA + 4096 * rng.randrange(64)
        k = rng.random()
        if k < 0.15:
            va += 0x200000 * rng.randrange(1, 8)  # other entries of level 2
        if rng.random() < 0.15:
            va |= UPPER
        if rng.random() < 0.08:
            va ^= rng.randrange(1, 256) << 56  # a tag
        return va

    def values(self):
        out = bytearray()
        for _ in range(256 * 16):
            out += struct.pack('<Q', self.x_value())
        for _ in range(64 * 32):
            v = self.v_value()
            out += struct.pack('<QQ', v & M64, v >> 64)
        # bit 0 of each doubleword clear: read as descriptors they are not valid
        out += bytes(self.rng.getrandbits(8) & (~1 if n % 8 == 0 else 255) for n in range(4096))
        for _ in range(256):
            out += struct.pack('<16Q', *self.base_set())
        assert len(out) <= TABLES - VALUES
        return out

    # ---- translation tables ----

    def leaf(self, device, output):
        """A random page or block descriptor of stage 1 without its type bits."""
        rng = self.rng
        d = output
        d |= rng.choice([0, 0, 0, 1, 1] + ([2, 5] if device else [])) << 2  # AttrIdx
        d |= (rng.random() < 0.1) << 5 | rng.choice([0, 1, 1, 1, 2, 3]) << 6 | rng.choice([0, 2, 3, 3]) << 8
        d |= (rng.random() < 0.85) << 10 | rng.getrandbits(1) << 11 | (rng.random() < 0.3) << 51
        d |= (rng.random() < 0.3) << 53 | (rng.random() < 0.3) << 54 | rng.getrandbits(4) << 55
        if rng.random() < 0.03:
            d |= 1 << rng.randrange(40, 48)
        return d

    def leaf2(self, device, output):
        rng = self.rng
        d = output | rng.choice([15, 15, 15, 5] + ([1, 0] if device else [])) << 2
        d |= rng.choice([0, 1, 2, 3, 3, 3]) << 6 | rng.choice([0, 2, 3, 3]) << 8 | (rng.random() < 0.85) << 10
        d |= (rng.random() < 0.3) << 51 | rng.choice([0, 0, 1, 2, 3]) << 53 | rng.getrandbits(4) << 55
        if rng.random() < 0.02:
            d |= 1 << rng.randrange(40, 48)
        return d

    def valid(self, d):
        return d | 3 if self.rng.random() < 0.9 else self.rng.choice([0, d | 1, d & ~3, d & ~3 | 2])

    def make_tables(self, device, stage2):
        """Eight pages: EL1&0 L1, L2; one-privilege L1, L2; random L3 of stage 1; stage 2 L1, L2, random L3. Returns the base."""
        rng = self.rng
        base = TABLES + len(self.tables)
        page = [base + 4096 * n for n in range(8)]
        t = [[0] * 512 for _ in range(8)]
        normal, af, inner = 0 << 2, 1 << 10, 3 << 8
        rw, ro_all, rw_all = 0 << 6, 3 << 6, 1 << 6
        xn = 1 << 54
        for l1, l2, two in ((0, 1, True), (2, 3, False)):
            t[l1][0] = 1 | 4 << 2 | af | (xn if not two else xn | 1 << 53)
            t[l1][1] = page[l2] | 3
            if self.kind in gen_gic.KINDS:
                t[l1][2] = t[l1][0] | 1 << 5  # the devices, Non-secure
            for n in range(128):
                pa = 0x40000000 + n * 0x200000
                ap, x = (2 << 6 if pa < AREA else rw), (xn if two else 0)
                if AREA <= pa < LIMIT:
                    ap, x = ro_all, 0
                elif 0x41000000 <= pa < 0x42000000 and two:
                    ap, x = rw_all, xn | 1 << 53
                t[l2][n] = 1 | pa | normal | af | inner | ap | x
            at = (RANDOM_VA - 0x40000000) >> 21
            t[l2][at] = page[4] | 3
            for n in range(1, 8):
                k = rng.random()
                if k < 0.3:
                    t[l2][at + n] = page[4] | 3 | (rng.randrange(32) if two else rng.choice([0, 2, 4, 6]) << 1 & 0x14) << 59
                elif k < 0.5:
                    t[l2][at + n] = self.leaf(device, BACKING & ~0x1fffff) & ~(3 << 48) | 1
                elif k < 0.7:
                    t[l2][at + n] = (RANDOM_VA + 4096 * rng.randrange(64, 72)) | 3  # the table, through a random page of stage 2
        for n in range(64):
            ipa = rng.choice([BACKING, RANDOM_VA if stage2 else BACKING]) + 4096 * rng.randrange(64)
            t[4][n] = self.valid(self.leaf(device, ipa))
        t[5][0] = 1 | 1 << 2 | 3 << 6 | af
        t[5][1] = page[6] | 3
        for n in range(128):
            t[6][n] = 1 | (0x40000000 + n * 0x200000) | 15 << 2 | 3 << 6 | 3 << 8 | af
        t[6][(RANDOM_VA - 0x40000000) >> 21] = page[7] | 3
        for n in range(64):
            t[7][n] = self.valid(self.leaf2(device, BACKING + 4096 * rng.randrange(64)))
        for n in range(64, 72):
            t[7][n] = self.valid(self.leaf2(device, page[4]))
        for p in t:
            self.tables += struct.pack('<512Q', *p)
        return base

    # ---- sections ----

    def controls(self, kind):
        """The row of a section: EL, controls, tables."""
        rng = self.rng
        flip = lambda p=0.5: rng.random() < p
        el = rng.choice([0, 0, 1, 1, 1, 2, 2, 3])
        if kind in ('registers', 'timer'):
            el = 3 if kind == 'registers' else rng.choice([1, 2, 3])
        if kind in gen_gic.KINDS:
            el = rng.choice([1, 1, 1, 1, 2, 3] if kind == 'icv' else [1, 1, 2, 2, 3])
        memory = kind in ('memory', 'mte')
        device = kind == 'memory' and flip(0.3)
        stage2, host = flip(0.6), flip(0.3)
        tables = self.make_tables(device, stage2)
        self.el, self.host, self.pan = el, host, False
        s = dict.fromkeys(SECTION, 0)
        self.pan = memory and flip(0.2)
        s['spsr'] = 0x3c0 | el << 2 | self.pan << 22 | (flip(0.2) << 23 if memory else 0)
        # rules cnthps, icv-secure, dir-secure
        plain = kind in ('timer', 'irq', 'icc') or kind in gen_gic.KINDS and el == 1
        ns = flip(0.85) or (el == 2 or host) and (plain or flip(0.7))
        s['scr'] = 0x530 | 1 << 16 | 1 << 17 | ns
        s['hcr'] = 1 << 31 | 1 << 40 | 1 << 41 | stage2 | host << 34
        if host and el in (0, 2) and flip(0.7):
            s['hcr'] |= 1 << 27
        s['sctlr1'] = 0x30d00800 | 1 | 4 | 1 << 12
        s['sctlr2'] = (0x30d00800 if host else 0x30c50830) & ~8 | 5 | 1 << 12
        s['sctlr3'] = 0x30c50830 & ~8 | 5 | 1 << 12
        a = device or flip(0.3)
        for n in '123':
            s['sctlr' + n] |= (a << 1 if memory else 0)
        if memory:
            wxn = flip(0.2) << 19
            s['sctlr1'] |= wxn
            s['sctlr2'] |= wxn
            s['hcr'] |= flip(0.2) << 2 if stage2 else 0  # PTW
        if kind == 'system':
            user = rng.getrandbits(64) & (1 << 9 | 1 << 14 | 1 << 15 | 1 << 26)
            for n in '12':
                s['sctlr' + n] |= user
        for n in '123':
            s['sctlr' + n] |= rng.getrandbits(64) & (1 << 31 | 1 << 27 | 1 << 13) | 1 << 30
        common = 25 | 5 << 8 | 3 << 12
        ha = flip(0.5)
        hd = ha and flip(0.6)
        two = common | (25 | 5 << 8 | 3 << 12 | 2 << 14) << 16 | 2 << 32 | flip() << 37 | flip() << 38 | ha << 39 | hd << 40 | \
            flip(0.2) << 41 | flip(0.2) << 42 | flip(0.1) << 56 | flip(0.2) << 23
        one = common | 2 << 16 | flip() << 20 | ha << 21 | hd << 22 | flip(0.2) << 24 | 1 << 31 | 1 << 23
        self.mixed_tbi = (two >> 37 ^ two >> 38) & 1
        s['tcr1'], s['tcr2'], s['tcr3'] = two, two if host else one, one
        s['mair'] = 0xff | 0x44 << 8 | 0x04 << 16 | 0xbb << 24 | 0x00 << 32 | 0x0c << 40 | 0xee << 48 | 0x4f << 56
        s['ttbr0_1'] = s['ttbr1_1'] = tables
        s['ttbr0_2'] = tables if host else tables + 0x2000
        s['ttbr0_3'] = tables + 0x2000
        s['vttbr'] = tables + 0x5000 | 1 << 48
        s['vtcr'] = 25 | 1 << 6 | 5 << 8 | 3 << 12 | 2 << 16 | (1 << 21 if flip(0.4) else 0) | 1 << 31
        s['vtcr'] |= flip(0.5) << 22 if s['vtcr'] >> 21 & 1 else 0
        s['vsttbr'], s['vstcr'] = s['vttbr'] & (1 << 48) - 1, s['vtcr'] & 0xc0ff
        if not ns and not plain and (el == 2 or host or flip()):
            s['scr'] |= 1 << 18  # Secure EL2
            s['vstcr'] |= 1 << 31 | flip(0.3) << 30 | flip(0.3) << 29
            s['vtcr'] |= flip(0.3) << 30 | flip(0.3) << 29
        # QEMU takes HVC to EL2 from EL3, and from Secure EL1 without Secure EL2 (docs/differences.md)
        self.el2 = s['scr'] & (1 << 18 | 1)
        self.hvc = el < 3 and self.el2
        s['cpacr'], s['cptr2'] = 3 << 20, 3 << 20 if host else 0x33ff
        s['tables'] = tables
        if kind == 'system':
            self.traps(s, host)
        if kind == 'timer':
            s['cnthctl'] = 0xc03 if host else 3  # no trap: `system` has these
        if kind in gen_gic.KINDS:
            s['scr'] |= self.ds  # rule ds
            self.gic_controls(s)
        if kind == 'mte':
            self.mte_controls(s, host)
        return s

    def traps(self, s, host):
        """Random trap controls, none of which can touch the frame: that runs at EL3."""
        rng = self.rng
        some = lambda mask: rng.getrandbits(64) & rng.getrandbits(64) & mask
        s['hcr'] |= some(1 << 13 | 0x3f << 15 | 0xf << 21 | 1 << 28 | 1 << 30 | 1 << 26 | 1 << 29 | 1 << 35)
        s['hcr'] ^= some(1 << 40 | 1 << 41)
        s['scr'] ^= some(1 << 16 | 1 << 17 | 1 << 14 | 1 << 8 | 1 << 12 | 1 << 11)
        s['mdcr2'] = some(0xfe0) & ~(1 << 5 | 1 << 7)
        s['mdcr3'] = some(1 << 6 | 1 << 9 | 1 << 10)
        s['cnthctl'] = some(0xc03 if host else 3)
        s['cntkctl'] = some(0x303)
        s['cpacr'] = rng.choice([0, 1, 2, 3, 3]) << 20
        s['cptr2'] = (rng.choice([0, 1, 2, 3, 3]) << 20 if host else 0x33ff | some(1 << 10)) | some(1 << 31)
        s['cptr3'] = some(1 << 10 | 1 << 31)

    # ---- instructions ----

    def gpr(self, row, letter, taken):
        rng = self.rng
        if letter == 'K' and row.letters & set(VREG):
            return rng.randrange(32)
        if letter == 'N' and row.memory:
            if row.exclusive or row.ordered:
                return 20
            if self.kind == 'mte' and re.match('SWP|LD(ADD|CLR|EOR|SET|[SU]M(AX|IN))|ST(ADD|CLR|EOR|SET)|LDL?A|STL', row.name):
                return 20  # aligned
            if self.kind == 'mte' and (row.feature == 'mte' or rng.random() < 0.65):
                return rng.choice([20, 20, 21, 22])
            if rng.random() < (0.35 if self.kind == 'memory' else 1 if self.kind == 'mte' else 0.1):
                return rng.choice([24, 25] if row.whole or self.kind == 'mte' else [24, 25, 26, 27])
            return rng.choice([20, 21, 22, 23])
        if letter == 'm' and row.fixed & 0x3b200c00 == 0x38200800:  # a register offset
            return rng.choice([16, 17, 18, 19, 16, 31])
        if letter == 'm' and row.memory and row.name.endswith('_post'):
            return rng.choice([16, 17, 31])
        while True:
            r = rng.choice([rng.randrange(16), rng.randrange(16), rng.randrange(16), 31 if letter in 'nmatdb' else 3])
            if letter in 'nm' and not row.memory and rng.random() < 0.1:
                r = rng.randrange(31)
            if not row.memory or r not in taken or (r == 31 and not {'d', 'b'} <= row.letters):
                return r

    def fill(self, row):
        rng, word, taken = self.rng, row.fixed, set()
        for letter, lo, width in row.fields:
            if width == 5 and letter in GPR:
                value = self.gpr(row, letter, taken)
                taken.add(value)
            elif width == 5 and letter in VREG:
                value = rng.randrange(32)
                while row.memory and value in taken:
                    value = rng.randrange(32)
                taken.add(value)
            elif row.memory and self.kind == 'mte' and letter == 'i':
                value = 0
            elif letter == 'i' and width == 19:
                value = rng.randrange(0x400)
            elif row.memory and letter == 'i' and width == 12:
                value = rng.randrange(32)
            elif row.memory and letter == 'x' and width >= 5:
                value = (1 << width) - 1  # should be one
            elif row.name in ('AXFLAG', 'XAFLAG', 'ADDG', 'SUBG') and letter in 'xr':
                value = 0  # should be zero
            else:
                value = rng.getrandbits(width)
                if row.memory and letter == 'o' and width == 3:
                    value = rng.choice([2, 3, 6, 7, rng.randrange(8)])
            word |= value << lo
        if row.name.startswith('CASP'):
            word &= ~(1 << 16 | 1)
        if self.mixed_tbi and row.feature == 'pauth' and 'pac-mixed-tbi' in self.settled['rule']:
            return 0xd503201f
        if any(word & mask == value for mask, value in self.settled['word']):
            return 0xd503201f
        return word

    def move(self, register, value):
        """MOVZ and MOVK of a value."""
        words = []
        for n in range(4):
            part = value >> 16 * n & 0xffff
            if part or (n == 3 and not words):
                words.append((0xf2800000 if words else 0xd2800000) | n << 21 | part << 5 | register)
        return words

    def jump(self, left):
        """A branch forward within the block, by at most four; `block_words` puts the distance in."""
        rng = self.rng
        kind = rng.randrange(7)
        reg = rng.choice([rng.randrange(16), 31])
        if kind == 0:
            return [rng.choice([0x14000000, 0x94000000])]
        if kind == 1:
            return [0x34000000 | rng.getrandbits(1) << 31 | rng.getrandbits(1) << 24 | reg]
        if kind == 2:
            return [0x36000000 | rng.getrandbits(1) << 31 | rng.getrandbits(1) << 24 | rng.randrange(32) << 19 | reg]
        if kind < 5 or left < 4:
            return [0x54000000 | rng.randrange(16)]
        reg = rng.randrange(16)  # ADR, then BR, BLR or RET
        return [0x10000000 | reg, rng.choice([0xd61f0000, 0xd63f0000, 0xd65f0000]) | reg << 5]

    def block_words(self, last):
        """A block: branches never land within what belongs together."""
        words, closed, branches = [], set(), []
        if self.kind in gen_gic.KINDS or self.kind == 'mte':
            words = self.mte_opening() if self.kind == 'mte' else self.opening()
        while len(words) < BLOCK - 1:
            at = len(words)
            jump = self.rng.random() < 0.06 and at < BLOCK - 4
            new = self.jump(BLOCK - 1 - at) if jump else self.block(BLOCK - 1 - at)
            if at + len(new) > BLOCK - 1:
                continue
            if jump:
                branches.append(at)
            closed.update(range(at + 1, at + len(new)))
            words += new
        for at in branches:
            to = at + self.rng.randrange(1, 6)
            while to in closed or to == at:
                to += 1
            d, word = min(to, BLOCK - 1) - at, words[at]
            words[at] = word | d << (0 if word & 0x7c000000 == 0x14000000 else 5)
        return words + [0xd4200000 | last << 5]

    def system(self, left):
        rng = self.rng
        kind = rng.random()
        if kind < 0.12:
            op = rng.choice([1, 1, 2, 2, 3, 3] if self.hvc else [1, 3])
            return [0xd4000000 | rng.randrange(0x8000) << 5 | op]
        if kind < 0.17:
            return [rng.choice([0x00000000, 0xd4800000, 0xffffffff, 0x0000dead])]  # UDF and holes
        if kind < 0.22:
            return [0xd503201f | rng.choice([0, 4, 5, 6, 16, 17, 18, 20, 22, 32, 34, 36, 38, 40, 127]) << 5]
        if kind < 0.27:
            return [rng.choice([0xd5033f9f, 0xd5033fbf, 0xd5033fdf, 0xd5033f5f, 0xd50330ff])]  # DSB, DMB, ISB, CLREX, SB
        if kind < 0.32:  # PAN, UAO, DIT, SSBS
            return [rng.choice([0xd500409f, 0xd500407f, 0xd503405f, 0xd503403f]) | rng.randrange(2) << 8]
        if kind < 0.37 and left >= 11 and self.el > 0:
            return self.eret()
        reg = self.any_register()
        if kind < 0.75 or reg['name'] not in HARMLESS:
            return [0xd5200000 | reg['key'] << 5 | 31]  # MRS XZR: traps, no value
        return [0xd5000000 | reg['key'] << 5 | rng.randrange(16)]

    def exclusive(self, row):
        """A store exclusive, mostly with its load before it. One that both fails and faults is a choice: only where none faults."""
        store = self.fill(row)
        if self.pan:
            return [0xd503201f]
        # the base is aligned, and so must what the load before it leaves in registers be
        load = store & ~0x1f001f | 1 << 22 | 0x1f0000 | self.rng.randrange(16)
        load = load & ~0x7c00 | (self.rng.randrange(16) if load & 1 << 21 else 31) << 10
        if load & 1 << 21 and load >> 10 & 31 == load & 31:
            load ^= 1
        # one whose monitor was set by a load of another size is a choice (B2.9.5): alone it finds none set
        return [load, store] if self.rng.random() < 0.8 else [0xd5033f5f, store]

    def any_register(self):
        while True:
            reg = self.rng.choice(self.registers)
            if (reg['key'] >> 7 & 15) in (11, 15) and 'tidcp' in self.settled['rule']:
                continue
            if self.el2 >> 18 and re.match('CNT[PHV]', reg['name']):
                continue  # rule cnthps
            if reg['name'] not in self.settled['noreg'] and (self.host or not re.search('_EL[01]2$', reg['name'])):
                return reg

    def eret(self):
        """ERET to the next instruction, with other flags, or with an illegal SPSR_ELx."""
        rng = self.rng
        mode = self.el << 2
        if rng.random() < 0.4:  # reserved, SP_ELx of EL0, a higher EL; AArch32 is QEMU's alone
            mode = rng.choice([1, 2, 3, 6, 7, 10, 11, 14, 15] + [self.el + 1 << 2] * (self.el < 3))
        spsr = 0x3c0 | mode | rng.getrandbits(4) << 28
        a, b = rng.sample(range(16), 2)
        spsr_key, elr_key = 3 << 14 | {1: 0, 2: 4, 3: 6}[self.el] << 11 | 4 << 7, 1
        # PAN is 0 before: it is taken from SPSR_ELx by an illegal return too, but not by QEMU's. So are UAO, DIT, SSBS, which
        # are UNKNOWN after one.
        return [0xd500409f, 0xd500407f, 0xd503405f, 0xd503403f] + self.move(a, spsr)[:2] + [0xd5000000 | spsr_key << 5 | a, 0x10000000 | 3 << 5 | b,
                                                        0xd5000000 | (spsr_key | elr_key) << 5 | b, 0xd69f03e0]

    def register(self):
        """A register that nothing at EL3 depends on: written, read back, and left at zero."""
        rng = self.rng
        reg = rng.choice([r for r in self.registers if r['name'] in READ_BACK and r['name'] not in self.settled['noreg']])
        new, got = rng.sample(range(16), 2)
        mask = self.settled['reg'].get(reg['name'], M64)
        out = self.move(new, rng.choice([self.x_value(), rng.getrandbits(64)]))
        out += [0xd5000000 | reg['key'] << 5 | new, 0xd5200000 | reg['key'] << 5 | got]
        if mask != M64:
            out += self.move(new, mask) + [0x8a000000 | new << 16 | got << 5 | got]
        return out + [0xd5000000 | reg['key'] << 5 | 31]

    def timer(self, left):
        """A timer's condition, far from now either way, with the virtual count's offset, masked or not; by CVAL or by TVAL."""
        rng, out = self.rng, []
        base = rng.choice(self.timer_bases + (EL02_TIMERS if self.host and self.el > 1 else []))
        a, b, c = rng.sample(range(16), 3)
        is_virtual = base == EL02_TIMERS[1] or (base == TIMERS[1][1] and not (self.host and self.el == 2))
        if is_virtual and self.el > 1 and left > 16:
            self.offset = rng.choice([0, 1 << 40, M64 << 40 & M64, 1 << 63, rng.getrandbits(24) << 40])
            out += self.move(a, self.offset) + [0xd5000000 | CNTVOFF << 5 | a]
        offset = self.offset if is_virtual else 0
        by_tval = rng.random() < 0.4 and base != EL02_TIMERS[1]  # rule tval-el02
        while True:
            value = rng.choice([0, 0x7fffffff, 0x60000000 | rng.getrandbits(28), 0xffffffff, 0x80000000, 0x90000000]) if by_tval else \
                rng.choice([0, 1, M64, 1 << 63, 1 << 62, rng.getrandbits(64), (rng.choice([1, -1]) << 36) - offset & M64, -offset & M64])
            counts = [n - offset & M64 for n in (1 << 12, 1 << 20, 1 << 30, (1 << 31) - 1)]
            cvals = [n + value - (value >> 31 << 32) & M64 if by_tval else value for n in counts]
            if len({n >= cval for n, cval in zip(counts, cvals)}) == 1 and len({cval >> 32 for cval in cvals}) == 1:
                break  # the same whenever it is asked
        out += self.move(a, value) + [0xd5000000 | (base | (0 if by_tval else 2)) << 5 | a]
        out += self.move(a, rng.randrange(1, 4) if rng.random() < 0.9 else 0) + [0xd5000000 | (base | 1) << 5 | a]
        out += [0xd5200000 | (base | 1) << 5 | b, 0xd5200000 | (base | 2) << 5 | c]
        out += [0xd360fc00 | c << 5 | c] if by_tval else []  # LSR #32
        return out + [0xd5000000 | (base | 1) << 5 | 31]

    def counter(self):
        """The virtual count, then the physical: their difference but for the time between."""
        a, b = self.rng.sample(range(16), 2)
        counts = [0xd5200000 | CNTVCT << 5 | a, ISB, 0xd5200000 | CNTPCT << 5 | b]
        return counts + [0xcb000000 | a << 16 | b << 5 | a, 0xd360fc00 | a << 5 | a] + self.move(b, 0)  # SUB, LSR #32

    def block(self, left):
        rng, kind = self.rng, self.kind
        k = rng.random()
        if kind in gen_gic.KINDS:
            return self.gic_block(left)
        if kind == 'mte':
            return self.mte_block(left)
        if kind == 'compute':
            pool = self.fp if k < 0.4 else self.simd if k < 0.65 else self.integer
            return [self.fill(rng.choice(pool))]
        if kind == 'memory':
            if k < 0.7:
                row = rng.choice(self.loads if rng.random() < 0.5 else self.stores)
                if row.exclusive or row.ordered:
                    return [0x91000294 | 8 << 5 | rng.randrange(32) << 14] + \
                        (self.exclusive(row) if row.exclusive else [self.fill(row) & ~(7 << 12 if 'UR' in row.name else 0)])
                return [self.fill(row)]
            if k < 0.73:
                return [self.fill(rng.choice(self.literal))]
            return [self.fill(rng.choice(self.integer if k < 0.85 else self.simd))]
        if kind == 'system':
            return self.system(left) if k < 0.75 else [self.fill(rng.choice(self.compute))]
        if kind == 'registers':
            return self.register() if k < 0.8 else [self.fill(rng.choice(self.integer))]
        return self.timer(left) if k < 0.6 else self.counter() if k < 0.7 else [self.fill(rng.choice(self.integer))]

    def section(self, kind, blocks):
        self.kind, self.offset = kind, 0
        row = self.controls(kind)
        row['elr'] = AREA + 4 * len(self.code)
        self.row, self.timer_bases = row, TIMERS.get(self.el, [])
        if self.host and (self.el == 2 or self.el == 3 and kind == 'irq'):
            # at EL2 the other is CNTHV, whose interrupt QEMU connects to nothing
            self.timer_bases = TIMERS[self.el][:1] + TIMERS[self.el][2:]
        self.sections.append((kind, row))
        for n in range(blocks):
            mode = self.rng.getrandbits(6) if self.rng.random() < 0.6 else 0
            last = OWN if n == blocks - 1 else mode
            if kind in gen_gic.KINDS:
                self.setups[len(self.code) // BLOCK] = self.setup(kind, row)
            self.code += self.block_words(last)
        self.executed += blocks * BLOCK
        self.by_kind[kind] = self.by_kind.get(kind, 0) + blocks * BLOCK

    def blob(self):
        rows = b''.join(struct.pack('<%dQ' % len(SECTION), *[r[f] for f in SECTION]).ljust(ROW, b'\0') for _, r in self.sections)
        out = bytearray(AREA - BLOB)
        out[:len(rows)] = rows
        code = list(self.code)
        for block, words in self.setups.items():
            struct.pack_into('<I', out, SETUPS - BLOB + 4 * block, AREA + 4 * len(code))
            code += words
        assert SETUPS + 4 * (max(self.setups, default=0) + 1) <= VALUES
        values = self.values()
        out[VALUES - BLOB:VALUES - BLOB + len(values)] = values
        assert TABLES + len(self.tables) <= AREA
        out[TABLES - BLOB:TABLES - BLOB + len(self.tables)] = self.tables
        out += struct.pack('<%dI' % len(code), *code)
        assert BLOB + len(out) <= LIMIT
        return bytes(out)


KINDS = ['compute', 'memory', 'gicd', 'system', 'irq', 'registers', 'compute', 'memory', 'icc', 'timer',
         'compute', 'memory', 'icv', 'system', 'irq', 'compute', 'memory', 'mte', 'system', 'mte']


def program(seed, rows, registers, settled, words, kinds=None):
    """A program of about that many instructions, in sections of all kinds."""
    g = Generator(seed, rows, registers, settled)
    kinds = kinds or KINDS
    if g.ds:  # rule ds
        kinds = ['gicd' if k in gen_gic.KINDS else k for k in kinds]
    sections = 20
    for n in range(sections):
        g.section(kinds[n % len(kinds)], max(2, words // sections // BLOCK))
    return g


def sysreg_key(op0, op1, crn, crm, op2):
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


TIMERS = {n: [sysreg_key(3, 3, 14, 2, 0), sysreg_key(3, 3, 14, 3, 0)] for n in (1, 2, 3)}
TIMERS[2] = TIMERS[2] + [sysreg_key(3, 4, 14, 2, 0)]
TIMERS[3] = TIMERS[2] + [sysreg_key(3, 7, 14, 2, 0)]
EL02_TIMERS = [sysreg_key(3, 5, 14, 2, 0), sysreg_key(3, 5, 14, 3, 0)]
CNTVOFF, CNTPCT, CNTVCT = sysreg_key(3, 4, 14, 0, 3), sysreg_key(3, 3, 14, 0, 1), sysreg_key(3, 3, 14, 0, 2)
ISB = 0xd5033fdf

# Registers that any section may write: nothing depends on them.
HARMLESS = set('''TPIDR_EL0 TPIDRRO_EL0 TPIDR_EL1 TPIDR_EL2 CONTEXTIDR_EL1 AFSR0_EL1 AFSR1_EL1 AMAIR_EL1 FAR_EL1 CSSELR_EL1 PAR_EL1
    AFSR0_EL2 AFSR1_EL2 AMAIR_EL2 FAR_EL2 HPFAR_EL2 MDSCR_NOT APIAKeyLo_EL1 APIBKeyHi_EL1 APDAKeyLo_EL1 APGAKeyHi_EL1
    CNTV_CVAL_EL0 CNTP_CVAL_EL0 PMSELR_EL0 PMCCFILTR_EL0 PMOVSCLR_EL0 DBGBVR0_EL1 DBGWVR0_EL1 DBGBVR3_EL1'''.split())
# Registers whose value is read back and compared.
READ_BACK = set('''TPIDR_EL0 TPIDRRO_EL0 TPIDR_EL1 TPIDR_EL2 CONTEXTIDR_EL1 AFSR0_EL1 AFSR1_EL1 AMAIR_EL1 FAR_EL1 PAR_EL1 ESR_EL1 ELR_EL1
    SPSR_EL1 VBAR_EL1 MAIR_EL1 TTBR0_EL1 TTBR1_EL1 TCR_EL1 CPACR_EL1 CSSELR_EL1 SP_EL1 CNTKCTL_EL1 CNTV_CVAL_EL0 CNTP_CVAL_EL0
    APIAKeyLo_EL1 APIAKeyHi_EL1 APDBKeyLo_EL1 APGAKeyHi_EL1 MDCCINT_EL1 MDSCR_EL1 PMUSERENR_EL0 PMSELR_EL0 PMCCFILTR_EL0
    HCR_EL2 MDCR_EL2 CPTR_EL2 HSTR_EL2 TTBR0_EL2 TCR_EL2 VTTBR_EL2 VTCR_EL2 MAIR_EL2 FAR_EL2 HPFAR_EL2 ESR_EL2 ELR_EL2 SPSR_EL2
    VBAR_EL2 TPIDR_EL2 CNTHCTL_EL2 CNTVOFF_EL2 VPIDR_EL2 VMPIDR_EL2 CNTHP_CVAL_EL2 SP_EL2 TTBR1_EL2 CONTEXTIDR_EL2 AMAIR_EL2
    SP_EL0 FPSR NZCV CNTPS_CVAL_EL1 ICH_VMCR_EL2 ICH_HCR_EL2 ICH_LR0_EL2 ICH_LR3_EL2 ICH_AP1R0_EL2 HCRX_EL2'''.split())
