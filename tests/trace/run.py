#!/usr/bin/env python3
"""Traces, coverage and profile against readers that share nothing with elmu, and against each other.

    tests/trace/run.py ELMU [BUILD]      ends with "N passed, N failed"; --bless writes the golden exit trace anew

BUILD (default build) is where the guests were built. Nothing here depends on host time.
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '../gdb'))
import tarmac
import timeline

from guests import guest
CROSS = os.environ.get('CROSS', 'aarch64-linux-gnu-')
GOLDEN = os.path.join(HERE, 'demo.exits')
# A window of the demo with world switches, traps, aborts and interrupts in it.
FIRST, LAST = 2010000, 2160000
WINDOW = ['-trace-insns', '%d-%d' % (FIRST, LAST)]


class Suite:
    def __init__(self, elmu, build):
        self.elmu = os.path.abspath(elmu)
        self.guests = os.path.join(os.path.abspath(build), 'guest')
        self.demo = os.path.join(self.guests, 'demo.elf')
        self.sym = ['-sym', self.demo + ',el=2']
        for vmid, name in ((1, 'closed'), (2, 'open')):
            self.sym += ['-sym', os.path.join(self.guests, 'demo', name + '.guest.elf') + ',vmid=%d' % vmid]
        self.passed = self.failed = 0
        self.outcome = {}

    def run(self, *options, guest=None, smp='1', status=(0,)):
        """One run; its standard error, whose `insns` and `hash` must always be the same for the same guest and length."""
        command = [self.elmu, '-M', 'virt,gic-version=3,virtualization=on', '-cpu', 'cortex-a57', '-m', '256M', '-smp', smp, '-nographic', '--stats',
                   '-kernel', guest or self.demo] + list(options)
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        err = r.stderr.decode(errors='replace')
        assert r.returncode in status, 'status %d: %s: %s' % (r.returncode, ' '.join(options), err[-300:])
        m = re.search(r'^insns (\d+)$.*^hash ([0-9a-f]+)$', err, re.S | re.M)
        if m:
            limit = options[options.index('--max-insns') + 1] if '--max-insns' in options else ''
            want = self.outcome.setdefault((guest, smp, limit), m.groups())
            assert m.groups() == want, 'with %s the run was another: %s, not %s' % (' '.join(options), m.groups(), want)
        return err

    def refused(self, text, *options):
        r = subprocess.run([self.elmu, '-M', 'virt,gic-version=3,virtualization=on', '-kernel', self.demo] + list(options), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        err = r.stderr.decode()
        assert r.returncode == 1 and err.count('\n') == 1 and text in err, '%s: status %d: %s' % (' '.join(options), r.returncode, err)

    def check(self, name):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as work:
            os.chdir(work)
            try:
                getattr(self, 'test_' + name)()
                self.passed += 1
            except Exception as e:
                self.failed += 1
                print('FAIL %s: %s: %s' % (name, type(e).__name__, str(e)[:2000]))
            finally:
                os.chdir(before)

    # ---- exits ----

    COLUMNS = 'insns cpu vmid from pc where to class iss cause address handler to_pc pstate'.split()

    def exits(self, path):
        with open(path) as f:
            lines = f.read().splitlines()
        assert lines[0] == '# ' + '\t'.join(self.COLUMNS), lines[0]
        rows = []
        for line in lines[1:]:
            cells = line.split('\t')
            assert len(cells) == len(self.COLUMNS), line
            rows.append(dict(zip(self.COLUMNS, cells)))
        for r in rows:
            assert re.fullmatch(r'\d+', r['insns']) and re.fullmatch(r'\d+|-', r['vmid']) and re.fullmatch(r'EL[0-3]', r['from']), r
            assert re.fullmatch(r'EL[23]', r['to']) and re.fullmatch(r'0x[0-9a-f]{16}', r['pc']), r
            assert re.fullmatch(r'\d+\+?', r['handler']), r
            form = '-' if r['handler'].endswith('+') else r'0x[0-9a-f]{16}'
            assert re.fullmatch(form, r['to_pc']) and re.fullmatch(form, r['pstate']), r
        return rows

    def condensed(self, rows):
        """The story without the numbers that a compiler decides."""
        out = []
        for r in rows:
            where = re.sub(r'\+0x[0-9a-f]+', '', r['where'].split(' ')[0])
            fields = [r['vmid'], r['from'], where, r['to'], r['class'], re.sub(r'^0x[0-9a-f]+ ?', '', r['iss']),
                      re.sub(r'0x[0-9a-f]+', '0x*', r['cause']), re.sub(r'(?<=0x)[0-9a-f]+', lambda m: m[0].lstrip('0') or '0', r['address'])]
            line = '\t'.join(re.sub(r'\b[wx]\d+$|\b[wx]\d+(?=,)', 'r*', f) for f in fields)
            if out and out[-1][1] == line:
                out[-1][0] += 1
            else:
                out.append([1, line])
        return ''.join('%d\t%s\n' % (n, line) for n, line in out)

    def test_exits_golden(self):
        self.run('-trace', 'exits=x', *self.sym)
        kinds = collections.OrderedDict()
        for r in self.exits('x'):  # each kind of exit, in the order of first appearance, and how often
            line = self.condensed([r])[2:]
            kinds[line] = kinds.get(line, 0) + 1
        text = ''.join('%d\t%s' % (n, line) for line, n in kinds.items())
        if '--bless' in sys.argv:
            with open(GOLDEN, 'w') as f:
                f.write(text)
        with open(GOLDEN) as f:
            want = f.read()
        differ = [(a, b) for a, b in zip(text.splitlines(), want.splitlines()) if a != b]
        assert text == want, 'not as in %s: %s' % (GOLDEN, differ[:3])

    def test_exits_as_stats(self):
        """--stats counts the same exits another way: by guest, class and the control that trapped or routed."""
        err = self.run('-trace', 'exits=x', *self.sym)
        want = collections.Counter()
        for m in re.finditer(r'^  (?:VMID (\d+), )?(EL\d) +to (EL\d) +(\d+)  ([^,:\n]*)(?:, [^:\n]*)?(?:: (.*))?$', err, re.M):
            want[m[1] or '-', m[2], m[3], m[5], m[6]] += int(m[4])
        have = collections.Counter()
        for r in self.exits('x'):
            control = re.fullmatch(r'([A-Z]+_EL[123]\.\w+)(, INTID \d+)?', r['cause'])
            have[r['vmid'], r['from'], r['to'], re.sub(r'^0x\w+ ', '', r['class']), control and control[1]] += 1
        assert want and have == want, '%s, not %s' % (have - want, want - have)

    def test_exits_handlers(self):
        """What a handler ran, counted in the Tarmac trace of EL2, and where it returned to: the instruction that comes then, and its mode."""
        self.run('-trace', 'exits=x', '-trace', 'tarmac=t', *WINDOW, *self.sym)
        ran_at = {int(m['time']): m for kind, m in tarmac.parse('t') if kind == 'insn'}
        el2 = [time for time, m in ran_at.items() if m['mode'].startswith('EL2')]
        rows, at, seen = [r for r in self.exits('x') if not r['handler'].endswith('+')], 0, 0
        assert len(rows) > 100
        for r in rows:
            start, length = int(r['insns']), int(r['handler'])
            ran = [t for t in el2 if start <= t < start + length]
            if start + length <= LAST:
                assert len(ran) == length, (r, len(ran))
                at += 1
            then = ran_at.get(start + length)  # none where an interrupt came first, or the fetch aborted
            if then:
                pstate = int(r['pstate'], 16)
                assert int(then['va'], 16) == int(r['to_pc'], 16), (r, then[0])
                assert then['mode'][:4] == 'EL%d%s' % (pstate >> 2 & 3, 'th'[pstate & 1]), (r, then[0])
                seen += 1
        assert at > 100 and seen > 100, (at, seen)

    def test_exits_engines(self):
        self.run('-trace', 'exits=a', *self.sym)
        self.run('-trace', 'exits=b', '--engine', 'step', *self.sym)
        assert open('a').read() == open('b').read()

    def test_exits_truncated(self):
        """A handler that still runs at the end has its +; the limit cuts at the exact instruction."""
        self.run('-trace', 'exits=a', '--max-insns', '2019900', status=(3,))
        rows = self.exits('a')
        assert rows[-1]['handler'] == '%d+' % (2019900 - int(rows[-1]['insns'])), rows[-1]

    def test_cost(self):
        """Counted in host instructions: cost.py."""
        r = subprocess.run([os.path.join(HERE, 'cost.py'), self.elmu], env={**os.environ, 'B': os.path.dirname(self.guests), 'IMAGE': ''},
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(r.stdout.decode(), end='')
        assert r.returncode == 0

    # ---- tarmac ----

    def test_tarmac(self):
        self.run('-trace', 'tarmac=t', *WINDOW, *self.sym)
        regs, index, time, insns, loads, adds, kinds = {}, 0, FIRST, 0, 0, 0, collections.Counter()
        word, read, before = None, [], {}
        for kind, m in tarmac.parse('t'):
            assert int(m['time']) >= time
            time = int(m['time'])
            kinds[kind] += 1
            if kind == 'insn':
                loads, adds = loads + self.load_was_right(word, read, regs), adds + self.add_was_right(word, before, regs)
                assert int(m['index']) == index
                index, insns = index + 1, insns + 1
                word, read, before = int(m['word'], 16), [], dict(regs)
            elif kind == 'reg':
                regs[m['name']] = int(m['value'], 16)
            elif kind == 'mem' and m['way'] == 'R':
                read.append(int(m['value'], 16))
        aborted = kinds['event'] - sum(1 for kind, m in tarmac.parse('t') if kind == 'event' and 'SYNC' not in m['name'])
        assert 0 <= LAST - FIRST - insns <= aborted, (insns, kinds)  # a fetch that aborts has no instruction
        assert kinds['mem'] > 10000 and kinds['event'] > 100 and kinds['event'] == kinds['exc'], kinds
        assert loads > 1000 and adds > 1000, (loads, adds)

    @staticmethod
    def load_was_right(word, read, regs):
        """LDR Xt, [Xn, #imm]: the register holds what was read."""
        if word is None or word >> 22 != 0x3e5 or not read or word & 31 == 31:
            return 0
        assert regs['X%d' % (word & 31)] == read[0], hex(word)
        return 1

    @staticmethod
    def add_was_right(word, before, after):
        """ADD Xd, Xn, #imm: recomputed from the registers that the trace has shown."""
        if word is None or word >> 22 != 0x244 or word & 31 == 31 or word >> 5 & 31 == 31:
            return 0
        n, d = 'X%d' % (word >> 5 & 31), 'X%d' % (word & 31)
        assert after[d] == (before[n] + (word >> 10 & 0xfff)) & (1 << 64) - 1, hex(word)
        return 1

    def test_tarmac_words(self):
        """Each instruction word and its address are those of the ELF."""
        text = subprocess.run([CROSS + 'objdump', '-d', '-z', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode()
        words = dict((int(a, 16), w) for a, w in re.findall(r'^ *([0-9a-f]+):\t([0-9a-f]{8}) ', text, re.M))
        self.run('-trace', 'tarmac=t', '-trace-el', '2', *WINDOW, *self.sym)
        seen = 0
        for kind, m in tarmac.parse('t'):
            if kind == 'insn':
                assert m['mode'] == 'EL2h_n' and words[int(m['va'], 16)] == m['word'], m[0]
                assert '.inst' not in m['text'], m[0]
                seen += 1
        assert seen > 50000, seen

    def test_tarmac_selected(self):
        """What a filter shows is what the whole trace has there."""
        self.run('-trace', 'tarmac=all', *WINDOW)
        whole = [m for kind, m in tarmac.parse('all') if kind == 'insn']
        symbol = dict((n, int(a, 16)) for a, n in re.findall(r'^(\w+) \w (\S+)$', subprocess.run(
            [CROSS + 'nm', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode(), re.M))
        lo, hi = symbol['stat_count'], symbol['stat_count'] + 0x7f
        vmid2 = [r for r in whole if r['mode'].startswith('EL1')]
        cases = {('-trace-el', '1'): vmid2,
                 ('-trace-range', '0x%x-0x%x' % (lo, hi)): [r for r in whole if lo <= int(r['va'], 16) <= hi],
                 ('-trace-vmid', 'none'): [r for r in whole if r['mode'].startswith('EL2')],
                 ('-trace-range', '0x%x-0x%x' % (lo, lo + 31), '-trace-range', '0x%x-0x%x' % (lo + 64, hi)):
                     [r for r in whole if lo <= int(r['va'], 16) <= hi and not lo + 32 <= int(r['va'], 16) < lo + 64],
                 ('-trace-el', '2', '-trace-range', '0x%x-0x%x' % (lo, hi)): [r for r in whole if lo <= int(r['va'], 16) <= hi],
                 ('-trace-vmid', '1,2'): vmid2,
                 ('-trace-cpu', '0'): whole, ('-trace-cpu', '1'): []}
        for options, want in cases.items():
            self.run('-trace', 'tarmac=some', *options, *WINDOW)
            have = [m for kind, m in tarmac.parse('some') if kind == 'insn']
            assert [(r['time'], r['va']) for r in have] == [(r['time'], r['va']) for r in want], (options, len(have), len(want))
            assert bool(want) == (options != ('-trace-cpu', '1'))
        parts = []
        for vmid in '12':  # the exits trace says of each entry to EL2 whose it was; together they are what runs at EL1
            self.run('-trace', 'tarmac=some', '-trace', 'exits=x', '-trace-vmid', vmid, *WINDOW)
            have = [int(m['time']) for kind, m in tarmac.parse('some') if kind == 'insn']
            assert have and set(r['vmid'] for r in self.exits('x')) == {vmid}
            parts += have
        assert sorted(parts) == [int(r['time']) for r in vmid2]

    def test_tarmac_triggers(self):
        self.run('-trace', 'tarmac=all', *WINDOW)
        whole = [m for kind, m in tarmac.parse('all') if kind == 'insn']
        symbol = dict((n, '%016x' % int(a, 16)) for a, n in re.findall(r'^(\w+) \w (\S+)$', subprocess.run(
            [CROSS + 'nm', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode(), re.M))
        on, want = False, []
        for r in whole:
            on = r['va'] != symbol['vgic_save'] and (on or r['va'] == symbol['vgic_load'])
            want += [r['time']] if on else []
        self.run('-trace', 'tarmac=some', '-trace-start', 'vgic_load', '-trace-stop', 'vgic_save', *WINDOW, *self.sym)
        have = [m['time'] for kind, m in tarmac.parse('some') if kind == 'insn']
        assert have == want and 0 < len(want) < len(whole), (len(have), len(want))
        self.run('-trace', 'tarmac=some', '-trace-start', '@%d' % (FIRST + 7), '-trace-stop', '@%d' % (FIRST + 19))
        assert [int(m['time']) for kind, m in tarmac.parse('some') if kind == 'insn'] == list(range(FIRST + 7, FIRST + 19))
        self.run('-trace', 'tarmac=some', '-trace-start', '@%d' % (FIRST + 7), '-trace-stop', 'exc')
        have = [int(m['time']) for kind, m in tarmac.parse('some') if kind == 'insn']
        first = next(int(m['time']) for kind, m in tarmac.parse('all') if kind == 'event' and int(m['time']) > FIRST + 7)
        assert have == list(range(FIRST + 7, have[-1] + 1)) and abs(have[-1] - first) <= 1, (have[-1], first)
        self.run('-trace', 'tarmac=a', '-trace-start', '0x' + symbol['vgic_load'], '-trace-stop', '0x' + symbol['vgic_save'], *WINDOW)
        assert [m['time'] for kind, m in tarmac.parse('a') if kind == 'insn'] == want
        self.run('-trace', 'exits=x', '--max-insns', '3000000', status=(3,))
        end = int(self.exits('x')[0]['insns']) + 30
        self.run('-trace', 'tarmac=some', '-trace-start', 'exc', '--max-insns', str(end), status=(3,))
        have = [m for kind, m in tarmac.parse('some') if kind == 'insn']
        assert have and have[0]['va'].endswith('c00') and len(have) == end - int(have[0]['time']), have[:1]

    def test_tarmac_smp(self):
        """One file a vCPU; together they are the run."""
        guest = os.path.join(self.guests, 'gic_smp.elf')
        self.run('-trace', 'tarmac=t', '--max-insns', '200000', guest=guest, smp='4', status=(0, 3))
        times = []
        for n, name in enumerate(('t', 't.1', 't.2', 't.3')):
            mine = [m for kind, m in tarmac.parse(name) if kind == 'insn']
            assert all(m['cpu'] == 'cpu%d' % n for m in mine) and mine, name
            times += [int(m['time']) for m in mine]
        assert len(times) == len(set(times)) and max(times) - len(times) < 1000, (len(times), max(times))

    def test_tarmac_long(self):
        """A memory copy or set that takes long is there once."""
        guest = os.path.join(self.guests, 'mops.elf')
        self.run('-cpu', 'max', '-semihosting', '-trace', 'tarmac=t', '-trace-el', '1', '-trace-stop', 'gic_init', '-sym', guest, guest=guest)
        last, mains, bytes = None, 0, 0
        for kind, m in tarmac.parse('t'):
            if kind == 'insn':
                word = int(m['word'], 16)
                main = word & 0xfbe0fc00 == 0x19400400 or word & 0xfbe0fc00 == 0x19c04400
                mains += main
                assert not main or m['va'] != last, m
                last = m['va']
            bytes += kind == 'mem' and main and m['way'] == 'W'
        assert mains == 8 and bytes > 30000, (mains, bytes)

    # ---- timeline ----

    def test_perfetto(self):
        self.run('-trace', 'perfetto=p', '-trace', 'exits=x', *self.sym)
        events, rows = timeline.check('p'), self.exits('x')
        counts = collections.Counter()
        for e in events:
            if e['ph'] == 'C' and e['name'] == 'exits':
                counts[e['pid']] = e['args']['exits']
        want = collections.Counter(2 + int(r['vmid']) for r in rows if r['vmid'] != '-')
        assert counts == want, (counts, want)
        slices = [e for e in events if e['ph'] == 'B' and e['cat'] == 'exception' and e['pid'] == 1]
        assert [e['args']['insns'] for e in slices] == [int(r['insns']) for r in sorted(rows, key=lambda r: int(r['insns']))]
        assert [e['args']['cause'] for e in slices if 'INTID' not in e['args']['cause']] and any('HCR_EL2' in e['args']['cause'] for e in slices)

    def test_perfetto_cut(self):
        """Wherever a run stops the file is whole."""
        for n in (1, 2019224, 2019828, 2019829, 2021403, 2500001):
            self.run('-trace', 'perfetto=p', '--max-insns', str(n), status=(3,))
            timeline.check('p')
        guest = os.path.join(self.guests, 'gic_smp.elf')
        self.run('-trace', 'perfetto=p', '--max-insns', '300000', guest=guest, smp='4', status=(0, 3))
        timeline.check('p')

    # ---- interrupts ----

    ROUTES = [('IRQ', 'EL1', 'EL1', 'HCR_EL2.IMO = 0, INTID 5'), ('IRQ', 'EL1', 'EL2', 'HCR_EL2.IMO, INTID 5'),
              ('IRQ', 'EL0', 'EL2', 'HCR_EL2.TGE, INTID 5'), ('vIRQ', 'EL1', 'EL1', 'HCR_EL2.VI'),
              ('vIRQ', 'EL1', 'EL1', 'list register 1, INTID 77')]

    def test_interrupts(self):
        """Each way to take one: every trace names the control and the INTID."""
        err = self.run('-semihosting-config', 'enable=on,target=native', '-trace', 'tarmac=t', '-trace', 'perfetto=p', '-trace', 'exits=x', '-d',
                       'int', '-D', 'log', guest=guest('points'))
        counted = re.findall(r'^  (EL.) +to (EL.) +1  (IRQ): (.*)$', err, re.M)
        assert sorted(counted) == sorted((r[1], r[2], r[0], r[3].split(',')[0]) for r in self.ROUTES if r[2] == 'EL2'), err
        rows = [(r['class'], r['from'], r['to'], r['cause']) for r in self.exits('x')]
        assert [r for r in rows if 'IRQ' in r[0]] == [r for r in self.ROUTES if r[2] == 'EL2'], rows
        said = [re.fullmatch(r'(EL.) to (EL.): (v?IRQ); (.*)', m['what'] + ': ' + m['text']) for kind, m in tarmac.parse('t') if kind == 'exc']
        assert [(m[3], m[1], m[2], m[4]) for m in said if m] == self.ROUTES, said
        slices = [e for e in timeline.check('p') if e['ph'] == 'B' and 'IRQ' in e['name']]
        assert [(e['name'], e['args']['from'], e['args']['cause']) for e in slices] == [(r[0], r[1], r[3]) for r in self.ROUTES], slices
        log = re.findall(r'^Taking exception \[(v?IRQ)\].*\n\.\.\.from (EL.) to (EL.), .*\n\.\.\.because of (.*)$', open('log').read(), re.M)
        assert log == self.ROUTES, log

    def test_vlpi(self):
        """A virtual LPI that a guest takes without an exit is seen by all but the trace of exits."""
        guest = os.path.join(self.guests, 'vlpi.elf')
        err = self.run('-machine', 'gic-version=4', '-semihosting', '-trace', 'perfetto=p', '-trace', 'exits=x', '-d', 'int', '-D', 'log',
                       guest=guest, smp='4')
        taken = re.search(r'^  EL1 +to EL1 +(\d+)  vIRQ: virtual LPI$', err, re.M)
        assert taken, err
        assert all(r['to'] == 'EL2' and 'virtual LPI' not in r['cause'] for r in self.exits('x'))
        slices = [e['args'] for e in timeline.check('p') if e['ph'] == 'B' and e['name'] == 'vIRQ']
        assert [(a['from'], a['cause']) for a in slices] == [('EL1', 'virtual LPI, INTID 8200')] * int(taken[1]), slices
        log = re.findall(r'^Taking exception \[vIRQ\].*\n\.\.\.from EL1 to EL1, .*\n\.\.\.because of (.*)$', open('log').read(), re.M)
        assert log == ['virtual LPI, INTID 8200'] * int(taken[1]), log

    # ---- coverage, profile ----

    def executed(self):
        """Executions of each address at EL2 and the addresses that followed, from the Tarmac trace."""
        self.run('-trace', 'tarmac=t', '-coverage', 'c', '-profile', 'f', *WINDOW, '-sym', self.demo + ',el=2')
        count, follow, last = collections.Counter(), collections.Counter(), None
        for kind, m in tarmac.parse('t'):
            if kind == 'insn':
                pc = int(m['va'], 16) if m['mode'].startswith('EL2') else None
                if last is not None and pc is not None:
                    follow[last, pc] += 1
                if pc is not None:
                    count[pc] += 1
                last = pc
            elif kind == 'event':
                last = None
        return count, follow

    def lines(self):
        """The line table, as binutils reads it: (file, line, first address, end) of each row."""
        text = subprocess.run([CROSS + 'objdump', '--dwarf=decodedline', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode()
        rows, path = [], None
        for line in text.splitlines():
            m = re.match(r'^(?:CU: )?(\S+\.[chS]):?(?:\[\+\+\])?$', line)
            if m:
                path = m[1]
            m = re.match(r'^(\S+) +(\d+|-) +(0x[0-9a-f]+|0)(?:\[\d+\])?( .*)?$', line)
            if m:
                rows.append((int(m[3], 16), 0 if m[2] == '-' else int(m[2]), os.path.basename(m[1])))
        rows = [r for n, r in sorted(enumerate(rows), key=lambda p: (p[1][0], p[1][1] != 0, p[0]))]
        return [(f, line, a, b) for (a, line, f), (b, _, _) in zip(rows, rows[1:]) if line and a < b]

    def test_coverage(self):
        count, follow = self.executed()
        want, branches = collections.defaultdict(int), collections.defaultdict(list)
        words = dict((int(a, 16), int(w, 16)) for a, w in re.findall(r'^ *([0-9a-f]+):\t([0-9a-f]{8}) ', subprocess.run(
            [CROSS + 'objdump', '-d', '-z', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode(), re.M))
        for f, line, lo, hi in self.lines():
            want[f, line] = max([want[f, line]] + [count[pc] for pc in range(lo, hi, 4)])
            for pc in range(lo, hi, 4):
                w = words.get(pc, 0)
                if w >> 24 == 0x54 or w >> 25 & 0x3e == 0x1a and w >> 24 & 0x7c == 0x34:
                    branches[f, line].append((pc, count[pc], count[pc] - follow[pc, pc + 4]))
        have, have_branches, source, functions = {}, collections.defaultdict(list), None, {}
        for line in open('c').read().splitlines():
            key, _, rest = line.partition(':')
            if key == 'SF':
                assert os.path.isabs(rest), rest
                source = os.path.basename(rest)
            elif key == 'DA':
                n, times = rest.split(',')
                have[source, int(n)] = int(times)
            elif key == 'BRDA':
                n, _, way, times = rest.split(',')
                have_branches[source, int(n)].append(times)
            elif key == 'FNDA':
                times, name = rest.split(',')
                functions[name] = int(times)
            else:
                assert re.fullmatch(r'TN:|FN:\d+,\S+|(FNF|FNH|BRF|BRH|LF|LH):\d+|end_of_record', line), line
        assert len(have) > 300 and sum(map(bool, have.values())) > 100, len(have)
        assert have == want, [(k, have.get(k), want.get(k)) for k in set(have) | set(want) if have.get(k) != want.get(k)][:5]
        for place, rows in branches.items():
            ways = []
            for pc, times, taken in sorted(rows):
                ways += [str(taken), str(times - taken)] if times else ['-', '-']
            assert have_branches[place] == ways, (place, have_branches[place], ways)
        assert set(have_branches) == set(branches)
        nm = subprocess.run([CROSS + 'nm', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode()
        for address, name in re.findall(r'^(\w+) [tT] (\S+)$', nm, re.M):
            if name in functions:
                assert functions[name] == count[int(address, 16)], name
        assert len(functions) > 20

    def test_coverage_renders(self):
        """lcov's own genhtml reads it, and sums it up as we do."""
        if not shutil.which('genhtml'):
            print('SKIP coverage_renders: genhtml (lcov) is not installed')
            return
        self.run('-coverage', 'c', '-sym', self.demo + ',el=2')
        r = subprocess.run(['genhtml', '--branch-coverage', '--ignore-errors', 'source', '-o', 'html', 'c'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = r.stdout.decode()
        assert r.returncode == 0, said[-500:]
        text = open('c').read()
        total = lambda key: sum(int(n) for n in re.findall('^%s:(\\d+)$' % key, text, re.M))
        assert '(%d of %d lines)' % (total('LH'), total('LF')) in said and '(%d of %d branches)' % (total('BRH'), total('BRF')) in said, said
        assert '(%d of %d functions)' % (total('FNH'), total('FNF')) in said, said

    def test_profile(self):
        count, _ = self.executed()
        nm = subprocess.run([CROSS + 'nm', '-n', '-S', '--defined-only', self.demo], stdout=subprocess.PIPE, check=True).stdout.decode()
        functions = [(int(a, 16), int(s, 16), n) for a, s, n in re.findall(r'^(\w+) (\w+) [tT] (\S+)$', nm, re.M)]
        leaf, total = collections.Counter(), 0
        for line in open('f').read().splitlines():
            stack, _, times = line.rpartition(' ')
            frames = stack.split(';')
            total += int(times)
            if frames[0] == 'EL2':
                leaf[frames[-1]] += int(times)
        for address, size, name in functions:
            assert leaf[name] == sum(count[pc] for pc in range(address, address + size, 4)), name
        assert sum(leaf.values()) == sum(count.values()), (sum(leaf.values()), sum(count.values()))
        assert any(re.match(r'EL2;.*;run;exit_handle;', line) for line in open('f'))

    # ---- logs, errors ----

    def test_log(self):
        self.run('-d', 'in_asm,int,mmu,unimp,guest_errors', '-D', 'log', '-trace', 'exits=x', *self.sym)
        log = open('log').read()
        assert log.count('Taking exception') >= len(self.exits('x')) and '...because of HCR_EL2.TWI' in log
        assert re.search(r'^0x40200000:  d5384240 +mrs x0, currentel$', log, re.M)
        assert re.search(r'^mmu: .*translation fault.*\n(  stage .*\n)+', log, re.M) and 'VTTBR_EL2 = 0x' in log
        assert 'Exception return on CPU 0 from PC 0x' in log

    def test_all_at_once(self):
        """Every kind there is, in one run: each writes what it writes alone."""
        kinds = {'exits': ['-trace', 'exits=%s'], 'tarmac': ['-trace', 'tarmac=%s'], 'perfetto': ['-trace', 'perfetto=%s'], 'dma': ['-trace', 'dma=%s'],
                 'coverage': ['-coverage', '%s'], 'profile': ['-profile', '%s'], 'log': ['-d', 'int,mmu,guest_errors,unimp,in_asm,trace:*', '-D', '%s']}
        with open(os.path.join(HERE, '../../debug/trace/trace_kind.def')) as f:
            assert sorted(kinds) == sorted(re.findall(r'^TRACE\((\w+)\)', f.read(), re.M))
        for name, options in kinds.items():
            self.run(*[o.replace('%s', name + '.alone') for o in options], *WINDOW, *self.sym)
        self.run(*[o.replace('%s', name) for name, options in kinds.items() for o in options], *WINDOW, *self.sym)
        for name in kinds:
            alone, together = (open(n, 'rb').read() for n in (name + '.alone', name))
            assert alone == together and alone, name

    def test_log_vector(self):
        """-d int and the profile name the vector that is taken, with SCR_EL3.EASE too."""
        subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x40200000', '-o', 'ease.elf',
                        os.path.join(HERE, 'ease.S')], check=True)
        for ease in ('off', 'on'):
            err = subprocess.run([self.elmu, '-M', 'virt,gic-version=3,secure=on', '-cpu', 'max' if ease == 'on' else 'cortex-a57', '-m', '64M',
                                  '-nographic', '-kernel', 'ease.elf', '-d', 'int', '-D', ease, '--max-insns', '40'],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr
            log = open(ease).read()
            vector = re.search(r'^\.\.\.to EL3 PC 0x[0-9a-f]+([0-9a-f]{3})$', log, re.M)
            assert vector and vector[1] == {'off': 'a00', 'on': 'b80'}[ease], (log, err)

    def test_log_devices(self):
        for engine in ('threaded', 'step'):
            subprocess.run([self.elmu, '-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '64M', '-nographic', '-semihosting-config',
                            'enable=on,target=native', '-kernel', guest('odd'), '-global', 'virtio-mmio.force-legacy=false', '-device',
                            'virtio-rng-device', '-d', 'guest_errors', '-D', 'log.' + engine, '--engine', engine],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        log = open('log.step').read()
        assert log == open('log.threaded').read(), log
        said = [re.sub(r'^guest_errors: cpu 0 EL1 PC 0x4020[0-9a-f]{4}: ', '', l) for l in log.splitlines()]
        assert said == ['uart0: write of 4 bytes at offset 0x18, value 0x1: no such register', 'uart0: read of 4 bytes at offset 0x800: no such register',
                        'rtc: write of 4 bytes at offset 0x0, value 0x1: no such register', 'gpio: read of 4 bytes at offset 0x500: no such register',
                        'gicd: write of 2 bytes at offset 0x40, value 0x1f: no such interrupt',
                        'virtio: write of 1 bytes at offset 0x3e70, value 0x1: no such register',
                        'virtio: write of 4 bytes at offset 0x3e50, value 0x0: nonsense, the device needs a reset'], said

    def test_selected_exits(self):
        self.run('-trace', 'exits=all', *self.sym)
        self.run('-trace', 'exits=one', '-trace-vmid', '1', *self.sym)
        assert [r for r in self.exits('all') if r['vmid'] == '1'] == self.exits('one')

    # ---- diff ----

    def diff(self, status, *options):
        r = subprocess.run([self.elmu, 'diff'] + list(options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        assert r.returncode == status, (options, r.returncode, r.stdout[-300:], r.stderr[-300:])
        return r.stdout.decode()

    def test_diff_runs(self):
        common = ['-M', 'virt,gic-version=3,virtualization=on', '-m', '256M', '-kernel', self.demo, '-sym', self.demo]
        assert 'the runs are the same: 3000000 instructions' in self.diff(0, '', '-engine step', '-max-insns', '3000000', *common)
        said = self.diff(2, '-cpu cortex-a57', '-cpu max', *common)
        at = re.search(r'^the runs part after (\d+) instructions, at\nA: cpu0 EL2 0x(\w+) hyp_main\S* \S+: mrs x\d+, midr_el1$', said, re.M)
        assert at and re.search(r'^  cpu0 X\d+ +0x00000000411f\w+ 0x\w+$', said, re.M), said
        self.run('-trace', 'tarmac=t', '-trace-insns', '%s-' % at[1], '--max-insns', str(int(at[1]) + 1), status=(3,))
        assert [m['va'] for kind, m in tarmac.parse('t') if kind == 'insn'] == [at[2]]

    def test_diff_input(self):
        """Runs that begin alike and are typed something else part where it enters the machine: the read of FR that delivers it."""
        subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x40080000', '-o', 'echo.elf',
                        os.path.join(HERE, '../cli/echo.S')], check=True)
        said = self.diff(2, '-send abcd', '-send abxd', '-M', 'virt', '-kernel', 'echo.elf', '-max-insns', '1000000')
        assert re.search(r'^A: cpu0 EL1 .*: ldr w3, \[x2, #0x18\]$', said, re.M), said
        assert re.search(r'^devices\n  uart0\.fifo +1 of 32 bytes\n0 registers, 0 words of memory, 1 devices', said, re.M), said

    def test_diff_replays(self):
        """Two recorded sessions, and the two ways on from a snapshot."""
        subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x40080000', '-o', 'echo.elf',
                        os.path.join(HERE, '../cli/echo.S')], check=True)
        common = ['-M', 'virt', '-kernel', 'echo.elf', '-max-insns', '1000000']
        for name, typed in (('a', b'same 1'), ('b', b'same 2')):
            subprocess.run([self.elmu, *common, '-nographic', '-record', name, '-snapshot-save', 's@1000'], input=typed, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        assert 'the runs are the same: 1000000 instructions' in self.diff(0, '-replay a', '-replay a', *common)
        said = self.diff(2, '-replay a', '-replay b', *common)
        assert re.search(r'^A: cpu0 EL1 .*: ldr w3, \[x2(, #0x18)?\]$', said, re.M), said
        assert re.search(r'^  uart0\.fifo +1 of 32 bytes$', said, re.M), said
        assert 'the runs are the same' in self.diff(0, '-restore s', '-restore s -engine step', *common)
        said = self.diff(2, '-restore s -send x', '-restore s -send y', *common)
        assert re.search(r'^the runs part after \d+ instructions', said, re.M), said
        r = subprocess.run([self.elmu, 'diff', '-replay s', '-replay b', *common], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert r.returncode == 1 and r.stderr.count(b'\n') == 1 and b'expected a journal' in r.stderr, r.stderr

    def test_diff_snapshots(self):
        common = ['-M', 'virt,gic-version=3,virtualization=on', '-m', '256M', '-kernel', self.demo]
        for n in (2019824, 2019825):
            subprocess.run([self.elmu] + common + ['-nographic', '-snapshot-save', 's%d@%d' % (n, n), '-max-insns', str(n + 1)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert '0 registers, 0 words of memory, 0 devices differ' in self.diff(0, 's2019824', 's2019824', *common)
        said = self.diff(2, 's2019824', 's2019825', *common)
        self.run('-trace', 'tarmac=t', '-trace-insns', '2019824-2019825')
        changed = {m['name'] for n, (kind, m) in enumerate(tarmac.parse('t')) if kind == 'reg'}
        named = set(re.findall(r'^  cpu0 (X\d+) ', said, re.M))
        assert named <= changed and re.search(r'^  cpu0 PC ', said, re.M) and '\n  machine.now' in said, said

    def test_dma(self):
        """The queues of a virtio device behind no SMMU: each access is done, in the order of time."""
        linux = [self.elmu, '-M', 'virt,iommu=smmuv3', '-kernel', 'disk.elf', '-nographic', '-device', 'virtio-rng-device']
        subprocess.run([CROSS + 'gcc', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments', '-o', 'disk.elf',
                        os.path.join(HERE, 'rng.S')], check=True)
        subprocess.run([*linux, '-trace', 'dma=d', '-max-insns', '1000'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open('d') as f:
            rows = [line.split('\t') for line in f.read().splitlines()]
        assert rows[0] == ['# ns', 'stream', 'access', 'address', 'bytes', 'stage1', 'stage2', 'verdict', 'cause'], rows[0]
        assert len(rows) > 5 and all(len(r) == 9 and r[1] == '-' and r[5:7] == ['-', '-'] and r[7:] == ['done', '-'] for r in rows[1:]), rows
        assert {r[2] for r in rows[1:]} == {'R', 'W'} and [int(r[0]) for r in rows[1:]] == sorted(int(r[0]) for r in rows[1:]), rows

    def test_refused(self):
        self.refused('expected exits=FILE', '-trace', 'everything=x')
        self.refused('expected exits=FILE', '-trace', 'exits=')
        self.refused('No such file', '-trace', 'exits=/nowhere/x')
        self.refused('No such file', '-trace', 'perfetto=/nowhere/x')
        self.refused('no such item', '-d', 'int,everything')
        self.refused('needs -d', '-D', 'x', '-monitor', 'none')
        self.refused('not an ELF file', '-trace', 'exits=x', '-sym', __file__)
        self.refused('No such file', '-trace', 'exits=x', '-sym', 'missing.elf')
        self.refused('no such symbol', '-trace', 'exits=x', '-trace-start', 'nobody', '-sym', self.demo)
        self.refused('needs -sym', '-coverage', 'c')
        subprocess.run([CROSS + 'objcopy', '--strip-debug', self.demo, 'plain.elf'], check=True)
        self.refused('no -sym file tells source lines', '-coverage', 'c', '-sym', 'plain.elf')
        self.refused('nothing is traced', '-trace-el', '2')
        self.refused('ends before it begins', '-trace', 'exits=x', '-trace-insns', '5-3')
        assert subprocess.run([self.elmu, 'diff', 'missing', 'missing'], stderr=subprocess.PIPE).stderr.count(b'\n') == 1
        self.refused('expected numbers', '-trace', 'exits=x', '-trace-el', '4')
        with open(self.demo, 'rb') as f:
            whole = f.read()
        for size in (64, 200, len(whole) // 2, len(whole) - 100):  # damaged: refused or read as far as it goes, never a crash
            with open('cut.elf', 'wb') as f:
                f.write(whole[:size])
            r = subprocess.run([self.elmu, '-M', 'virt,gic-version=3,virtualization=on', '-kernel', self.demo, '-nographic', '-trace', 'exits=x', '-sym', 'cut.elf',
                                '--max-insns', '10'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            assert r.returncode in (1, 3), (size, r.returncode, r.stderr)

    def test_full_disk(self):
        """A file that can't be written is said so, and the status shows it."""
        if os.path.exists('/dev/full'):
            err = self.run('-trace', 'exits=/dev/full', status=(1,))
            assert '/dev/full: No space left on device' in err, err

    def test_old_file_stays(self):
        with open('p', 'w') as f:
            f.write('old')
        p = subprocess.Popen([self.elmu, '-M', 'virt,gic-version=3,virtualization=on', '-m', '256M', '-nographic', '-kernel', self.demo, '--engine', 'step',
                              '-trace', 'perfetto=p', '-trace', 'tarmac=/dev/null'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        p.stdout.read(1)
        p.kill()
        p.wait()
        p.stdout.close()
        assert open('p').read() == 'old'


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith('--')]
    suite = Suite(arguments[0] if arguments else './elmu', arguments[1] if len(arguments) > 1 else os.environ.get('B', 'build'))
    only = arguments[2:]
    suite.run()  # what all the others must equal
    for name in [n[5:] for n in dir(suite) if n.startswith('test_')]:
        if not only or name in only:
            suite.check(name)
    print('%d passed, %d failed' % (suite.passed, suite.failed))
    sys.exit(suite.failed > 0 or not suite.passed)


main()
