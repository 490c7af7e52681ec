"""Lock-step programs with memory tagging (FEAT_MTE3), kind `mte`: tags stored and loaded, tag checks synchronous, asynchronous and
asymmetric at every EL, ATA and TCMA, Tagged memory or not at either stage.

frame.S gives four granules of each block's window their tags (6 to 9) and RGSR_EL1 its seed, and compares these tags and
TFSR*_EL* at the block's end. GCR_EL1.RRND is 0: with 1, IRG's choice is free. QEMU 7.2 keeps two tags a page, of an even and an odd
granule (rule mte-page): so the four granules are the last two of one page and the first two of the next, all that these programs
touch; what the random tables lead to has tag 0 everywhere.
"""
import re

FLAG_MTE = 4
TAGS = [6, 7, 8, 9, 6, 7, 8, 9, 6, 8, 0, 15, 3]  # those of the granules, and others


class Tagging:
    """Of the Generator of gen.py."""

    def mte_rows(self, rows):
        tagging = [r for r in rows if r.feature in ('mte', 'mte2')]
        self.tag_memory = [r for r in tagging if r.memory and not r.name.endswith('GM')]
        # accesses of up to 32 bytes at the base itself
        self.near = [r for r in rows if r.memory and r not in self.tag_memory and not r.exclusive and not r.ordered and 'm' not in r.letters and
                     not re.search('GM$|_p(re|ost)', r.name) and not re.match('(LD|ST)[1-4]|CAS|LDRA[AB]', r.name)]  # rule mte-cas
        self.tag_values = [r for r in tagging if not r.memory and not r.name.startswith('MSR')]

    def mte_controls(self, s, host):
        rng = self.rng
        flip = lambda p=0.5: rng.random() < p
        s['flags'] = FLAG_MTE
        s['mair'] = s['mair'] & ~0xff | 0xf0
        for n in '123':
            s['sctlr' + n] |= rng.randrange(4) << 40 | rng.randrange(4) << 38 | flip(0.9) << 43 | flip(0.9) << 42 | flip() << 37
        s['sctlr3'] |= 1 << 43
        s['hcr'] |= flip(0.9) << 56
        s['scr'] |= flip(0.9) << 26
        two = flip(0.3) << 57 | flip(0.3) << 58 | 1 << 37 | 1 << 38  # TCMA, TBI
        one = flip(0.3) << 30 | 1 << 20
        s['tcr1'] |= two
        s['tcr2'] |= two if host else one
        s['tcr3'] |= one
        self.mixed_tbi = 0
        for n in '123':
            s['sctlr' + n] &= ~2  # QEMU checks tags before alignment

    def mte_opening(self):
        """X20 to X22 point at the four granules, from X28, the window's middle; with tags."""
        rng, out = self.rng, []
        for x, below in ((20, rng.choice([32, 16, 0])), (21, rng.randrange(33)), (22, rng.randrange(33))):
            out += [0xd1000000 | below << 10 | 28 << 5 | x]
            out += [0xf2e00000 | rng.choice(TAGS) << 8 << 5 | x] if rng.random() < 0.85 else []
        return out

    def mte_block(self, left):
        rng, k = self.rng, self.rng.random()
        if k < 0.3:
            return [self.fill(rng.choice(self.tag_memory))]
        if k < 0.42:
            return [self.fill(rng.choice(self.tag_values))]
        if k < 0.46:
            return [0xd503409f | rng.getrandbits(1) << 8]  # MSR TCO
        if k < 0.5:
            # IRG, ADDG: another tag for a pointer
            x = rng.randrange(20, 23)
            return [rng.choice([0x9adf1000, 0x91800000 | rng.randrange(16) << 10]) | x << 5 | x]
        if k < 0.85:
            return [self.fill(rng.choice(self.near))]
        return [self.fill(rng.choice(self.integer))]
