#!/usr/bin/env python3
"""Lock-step with QEMU: random programs (gen.py) run on elmu and on qemu-system-aarch64; the first instruction that differs.
And for devices random operations (devices.py); the first operation that differs.

    tests/lockstep/lockstep.py --elmu CMD --frame FRAME.elf --device-frame DEVICE.elf [--qemu CMD] [--seed S] [--insns N] [--show N]
        [--kinds K,K] [--keep DIR] [--brief] [--first N]

Both write a record at the end of each block of 24 instructions and at each exception: ESR, FAR, HPFAR, SPSR, ELR, and sums
of X, V, FPSR and memory. Where records differ the program runs again on both with each instruction of that block traced, and
what is shown is the first one after which a register differs, with its disassembly. Each block starts anew, so that one
difference hides no other. Each block that agrees is one check. A kind of device gets an
operation for every 200 instructions. Differences that the manual settled are in lockstep.settled.
The last line is "N passed, N failed".
"""
import argparse
import collections
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import devices  # noqa: E402
import gen  # noqa: E402
import gen_gic  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = struct.Struct('<10Q')
FIELDS = ['vector', 'esr', 'elr', 'spsr', 'far', 'hpfar', 'X', 'V', 'fpsr', 'memory']
PER_RUN = 125280  # 20 sections of 261 blocks of 24: eight programs are a million
M64 = (1 << 64) - 1


def settled_read():
    """What is not generated or not compared."""
    out = {'insn': {}, 'reg': {}, 'noreg': set(), 'word': [], 'rule': set(), 'field': {}}
    for line in open(os.path.join(HERE, 'lockstep.settled')):
        line = line.split('#')[0].split()
        if not line:
            continue
        if line[0] == 'insn':
            out['insn'][line[1]] = True
        elif line[0] == 'reg':
            out['reg'][line[1]] = int(line[2], 16)
        elif line[0] == 'noreg':
            out['noreg'].add(line[1])
        elif line[0] == 'word':
            out['word'].append((int(line[1], 16), int(line[2], 16)))
        elif line[0] == 'field':
            out['field'][line[1]] = int(line[2], 16)
        elif line[0] == 'rule' and (line[1] in RULES or line[1] in NAMED):
            out['rule'].add(line[1])
        else:
            raise ValueError('lockstep.settled: ' + ' '.join(line))
    return out


def listed(elmu, what):
    return subprocess.run(elmu + ['--list-' + what], stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True).stdout


def tables(elmu):
    rows = []
    for line in listed(elmu, 'insns').splitlines():
        m = re.match(r'(\w+) +((?:[01a-zA-Z] ?){32}) +([\w-]+) +(.*)', line)
        if m:
            rows.append(gen.Row(m[1], m[2].replace(' ', ''), m[3], m[4]))
    registers = []
    for line in listed(elmu, 'sysregs').splitlines():
        m = re.match(r'(\w+) +(\d+),(\d+),(\d+),(\d+),(\d+) +read EL(\d)\S* write EL(\d)\S* +([\w-]+)', line)
        if m and m[9] in gen.FEATURES:
            key = gen.sysreg_key(*map(int, m.groups()[1:6]))
            registers.append({'name': m[1], 'key': key, 'read': int(m[7]), 'write': int(m[8])})
    # a feature goes with the one that it requires
    with open(os.path.join(HERE, '../../cpu/feature.def')) as f:
        features = re.findall(r'^FEATURE\((\w+), *"([^"]+)".*?, *(\w+)\)', f.read(), re.M)
    names = {i: name for i, name, _ in features}
    # what is named after `!` takes something away: only when asked for
    off = [name for _, name, need in features if name[0] != '!' and name not in gen.FEATURES and names[need] in gen.FEATURES]
    assert len(rows) > 500 and len(registers) > 200, 'the tables were not understood'
    return rows, registers, 'max' + ''.join(',%s=off' % f for f in off)


def execute(command, work):
    """What a program left in log.bin of the folder."""
    log = os.path.join(work, 'log.bin')
    if os.path.exists(log):
        os.remove(log)
    r = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=240, check=False)
    if r.returncode or not os.path.exists(log):
        raise RuntimeError('%s: status %d: %s' % (command[0], r.returncode, r.stderr.decode('latin-1')[-500:]))
    return open(log, 'rb').read()


class Pair:
    def __init__(self, elmu, qemu, frame, cpu):
        common = ['-M', 'virt,virtualization=on,secure=on,gic-version=3,its=off,mte=on', '-m', '256M', '-display', 'none', '-monitor', 'none',
                  '-serial', 'null', '-semihosting-config', 'enable=on,target=native', '-nodefaults', '-kernel', frame]
        self.commands = {'elmu': elmu + common + ['-cpu', cpu, '--max-insns', '600000000'],
                         'qemu': qemu + common + ['-cpu', 'max,sve=off,sme=off']}

    def run(self, who, folder, extra=()):
        work = os.path.join(folder, who)
        os.makedirs(work, exist_ok=True)
        device = 'loader,file=%s,addr=0x%x,force-raw=on' % (os.path.join(folder, 'blob.bin'), gen.BLOB)
        data = execute(self.commands[who] + ['-device', device] + list(extra), work)
        records = [RECORD.unpack_from(data, n) for n in range(0, len(data), RECORD.size)]
        # the first word has the vector and above it the address of the block
        return [(r[0] & 0xff,) + r[1:] + ('end' if r[0] == 0x40 else ((r[0] >> 8) - gen.AREA) // (4 * gen.BLOCK),) for r in records]


def ec_of(r):
    return r[1] >> 26 & 63


# Predicates on a pair of records that differ, by the name that lockstep.settled gives a reason for.
RULES = {
    'lor-ar': lambda a, b: a[1] ^ b[1] == 1 << 14 == a[1] & 1 << 14 and a[0] == b[0] and a[2] == b[2] and
    (a[3] ^ b[3]) & ~0xc00 == 0 and a[6:] == b[6:],
    'atomic-stage1-first': lambda a, b: a[2] == b[2] and ec_of(a) in (0x24, 0x25) and ec_of(b) == 0x24 and b[0] >> 4 == 2 and
    a[1] >> 6 & 1 and not b[1] >> 6 & 1 and a[1] >> 2 & 15 == 3 and a[6:] == b[6:],
    'daif-iss': lambda a, b: ec_of(a) == ec_of(b) == 0x18 and a[1] >> 14 & 7 == b[1] >> 17 & 7 and a[1] >> 17 & 7 == b[1] >> 14 & 7 and
    (a[1] ^ b[1]) & ~(0x3f << 14) == 0 and a[2] == b[2] and (a[3] ^ b[3]) & ~0xc00 == 0 and a[4:] == b[4:],
    'pc-alignment-first': lambda a, b: ec_of(a) == 0x22 and ec_of(b) in (0x20, 0x21) and a[2] == b[2] and a[2] & 3 and a[6:] == b[6:],
}
# Several interrupts that can be taken at once: of the rest of the block nothing can be said.
ORDER = 'interrupt-order'
# The rules that are written where they apply.
NAMED = {ORDER, 'igrpen', 'vgrp0d', 'waker', 'eoicount', 'hw-secure', 'mte-page', 'dir-secure', 'icv-secure', 'cnthps', 'tval-el02', 'mte-cas',
         'ds', 'spsr-btype', 'pac-mixed-tbi', 'isv-stage1', 'af-update', 'dirty-update', 'tidcp', 'mbi', 'port-aer', 'pci-d3',
         'pci-reset', 'pci-all', 'gicv2-1022', 'gicv2-hppir', 'gicv2-nsatt', 'gicv2-isactiver', 'gicv2-grouping', 'gicv2-eoi', 'gicv2-again',
         'its-icid', 'vlpi-vmapp', 'smmu-s1', 'smmu-aptable', 'smmu-epd', 'smmu-levels', 'smmu-span'}
RULES_ON = set()

ABORTS = {0x20, 0x21, 0x22, 0x24, 0x25, 0x34, 0x35}


def same(a, b, row=None):
    """Do two records agree? FAR and HPFAR count where the exception sets them."""
    if a[0] & 3 and a[0] < 0x40 or row and row['flags'] and ec_of(a) == 0x3c:
        return a == b  # an interrupt, or the end of a block with the state of the GIC
    if a == b or any(RULES[name](a, b) for name in RULES_ON if name in RULES):
        return True
    if (a[3] ^ b[3]) & ~0xc00 == 0:
        b = b[:3] + a[3:4] + b[4:]  # rule spsr-btype
    if a[0] >> 4 == 2 and ec_of(a) == ec_of(b) and b[1] >> 24 & 1 and not a[1] >> 24 & 1 and \
            (ec_of(a) == 0x25 or row and row['hcr'] >> 27 & 1):
        b = b[:1] + (b[1] & ~0x1ffc000 | 0,) + b[2:]  # rule isv-stage1
    if a[0] != b[0] or a[1] != b[1] or a[2:4] != b[2:4] or a[6:] != b[6:]:
        return False
    ec = a[1] >> 26 & 63
    if a[0] == 0x40:
        return a == b
    if ec in ABORTS and not (a[1] >> 10 & 1) and a[4] != b[4]:
        return False
    stage2 = a[0] >> 4 == 2 and ec in (0x20, 0x24) and ((a[1] & 0x3f) >> 2 in (1, 2, 0) or a[1] >> 7 & 1)
    return not (stage2 and a[5] != b[5])


def ordered(a, b):
    """Rule interrupt-order: were two interrupts taken in another order?"""
    return ORDER in RULES_ON and a[0] & 3 and b[0] & 3 and a[0] < 0x40 > b[0] and a[6:] == b[6:]


def flagged(b):
    """Rule af-update: this one has to set an access flag, for which stage 2 gives no permission; the other did, or does not try."""
    return b[0] >> 4 == 2 and ec_of(b) in (0x20, 0x24) and b[1] >> 7 & 1 and b[1] >> 2 & 15 == 3


def settled_whole(a, b):
    return ordered(a, b) or flagged(a) or flagged(b)


def blocks(records, numbers=None):
    """Records by block: (section, block address) -> list, in order of appearance; or their numbers."""
    out, section = collections.OrderedDict(), 0
    for n, r in enumerate(records):
        out.setdefault((section, r[10]), []).append(n if numbers else r[:10])
        section += r[0] == 0x40
    return out


def disassemble(word):
    with tempfile.NamedTemporaryFile(suffix='.bin') as f:
        f.write(struct.pack('<I', word))
        f.flush()
        text = subprocess.run(['aarch64-linux-gnu-objdump', '-D', '-b', 'binary', '-m', 'aarch64', f.name], capture_output=True,
                              text=True, check=True).stdout
    return ' '.join(text.splitlines()[-1].split('\t')[2:])


def qemu_states(path):
    """Per instruction executed: (pc, {register: value}) before it."""
    states, cur = [], None
    for line in open(path, errors='replace'):
        m = re.match(r' PC=([0-9a-f]{16})', line)
        if m:
            cur = {}
            states.append((int(m[1], 16), cur))
        if cur is None:
            continue
        for name, value in re.findall(r'(X\d\d|SP)=([0-9a-f]{16})', line):
            cur[name if name == 'SP' else 'X%d' % int(name[1:])] = int(value, 16)
        for name, hi, lo in re.findall(r'Q(\d\d)=([0-9a-f]{16}):([0-9a-f]{16})', line):
            cur['V%d' % int(name)] = int(hi + lo, 16)
        m = re.search(r'PSTATE=([0-9a-f]{8})', line)
        if m:
            cur['nzcv'] = int(m[1], 16) >> 28
        m = re.search(r'FPCR=([0-9a-f]{8}) FPSR=([0-9a-f]{8})', line)
        if m:
            cur['fpsr'] = int(m[2], 16)
    return states


def elmu_states(path):
    states, cur = [], {}
    for line in open(path, errors='replace'):
        p = line.split()
        if len(p) > 5 and p[3] in ('IT', 'IS'):
            states.append((int(re.split('[:_]', p[5])[0], 16), dict(cur)))
        elif len(p) > 5 and p[3] == 'R':
            name, value = p[4], int(''.join(p[5:6]).replace('_', ''), 16)
            if re.fullmatch(r'X\d+|V\d+', name):
                cur[name] = value
            elif name == 'cpsr':
                cur['nzcv'] = value >> 28
            elif name.lower() == 'fpsr':
                cur['fpsr'] = value
            elif name == 'SP_EL0':
                cur['SP'] = value
    states.append((None, cur))
    return states


def first_difference(pair, folder, block, elr):
    """Text: the first instruction of the block after which the two differ."""
    lo = gen.AREA + 4 * gen.BLOCK * block
    hi = lo + 4 * gen.BLOCK
    q, e = os.path.join(folder, 'q.trace'), os.path.join(folder, 'e.trace')
    pair.run('qemu', folder, ['-singlestep', '-d', 'cpu,fpu,exec,nochain', '-dfilter', '0x%x+0x%x' % (lo, hi - lo), '-D', q])
    pair.run('elmu', folder, ['--trace', 'tarmac=' + e, '--trace-range', '0x%x-0x%x' % (lo, hi - 4)])
    qs, es = qemu_states(q), elmu_states(e)
    code = open(os.path.join(folder, 'blob.bin'), 'rb').read()
    word_at = lambda pc: struct.unpack_from('<I', code, pc - gen.BLOB)[0]
    before = None
    for n, (a, b) in enumerate(zip(es, qs)):
        diff = []
        if a[0] is not None and a[0] != b[0]:
            diff.append('PC elmu %x qemu %x' % (a[0], b[0]))
        for name, value in sorted(b[1].items()):
            if name in a[1] and a[1][name] != value:
                diff.append('%s elmu %x qemu %x' % (name, a[1][name], value))
        if diff:
            if before is None:
                return 'at the start of the block: ' + '; '.join(diff[:4])
            word = word_at(before[0])
            used = sorted({int(r) for r in re.findall(r'\b[xw](\d+)', disassemble(word))})
            vused = sorted({int(r) for r in re.findall(r'\b[vqdshb](\d+)', disassemble(word))})
            had = ['X%d=%x' % (r, before[1]['X%d' % r]) for r in used if 'X%d' % r in before[1]]
            had += ['V%d=%032x' % (r, before[1]['V%d' % r]) for r in vused if 'V%d' % r in before[1]]
            return '%x: %08x %s\n        after it: %s\n        before it: %s' % (before[0], word, disassemble(word), '; '.join(diff[:6]),
                                                                          ' '.join(had))
        before = b
    return 'no register differs: %x: %08x %s' % (elr, word_at(elr), disassemble(word_at(elr))) if lo <= elr < hi else 'no register differs'


def memory_difference(folder, section, row):
    """Text: where the tables of a section, or the pages that they lead to, differ at its end."""
    size, out = gen.TABLE_BYTES + 0x40000, []
    a, b = (open(os.path.join(folder, who, 'mem.bin'), 'rb').read()[section * size:(section + 1) * size] for who in ('elmu', 'qemu'))
    if len(a) != size or len(b) != size:
        return 'the section was not reached by both'
    for at in range(0, size, 8):
        x, y = struct.unpack('<QQ', a[at:at + 8] + b[at:at + 8])
        z = y | 1 << 10  # rule af-update; and where stage 2 is on dirty-update
        if x != y and not (at < gen.TABLE_BYTES and (x == z or y >> 51 & y >> 7 & row['hcr'] & 1 and x == z & ~(1 << 7))):
            va = row['tables'] + at if at < gen.TABLE_BYTES else gen.BACKING + at - gen.TABLE_BYTES
            out.append('%x elmu %016x qemu %016x' % (va, x, y))
    return out and '%d words, tables at %x: %s' % (len(out), row['tables'], '; '.join(out[:4]))


def settle_points(records, code):
    """An interrupt that a store or an MSR makes is taken before or after the DSB and ISB that follow: one point for both."""
    out = []
    for r in records:
        elr = r[2]
        while r[0] & 3 and r[0] < 0x40 and gen.AREA <= elr < gen.BLOB + len(code) and \
                struct.unpack_from('<I', code, elr - gen.BLOB)[0] in (gen_gic.DSB, gen_gic.ISB):
            elr += 4
        out.append(r[:2] + (elr,) + r[3:] if elr != r[2] else r)
    return out


def gic_slots(records, sections):
    """For each record that has a state of the GIC in gic.bin, its number there."""
    out, section, slot = {}, 0, 0
    for n, r in enumerate(records):
        kept = section < len(sections) and sections[section][1]['flags'] & gen_gic.FLAG_GIC
        if kept and ec_of(r) == 0x3c and r[0] < 0x40 and not r[0] & 3:
            out[n], slot = slot, slot + 1
        section += r[0] == 0x40
    return out


def gic_difference(folder, slots):
    """Text: the registers of the GIC that differ at the end of a block; slots: its number in each one's gic.bin."""
    states = []
    for who, slot in zip(('elmu', 'qemu'), slots):
        data = open(os.path.join(folder, who, 'gic.bin'), 'rb').read()[slot * gen_gic.STATE_BYTES:(slot + 1) * gen_gic.STATE_BYTES]
        states.append(struct.unpack('<%dQ%dI' % (len(gen_gic.GIC_STATE), len(gen_gic.GIC_WORDS)), data))
    return '; '.join('%s elmu %x qemu %x' % d for d in zip(gen_gic.GIC_STATE + gen_gic.GIC_WORDS, *states) if d[1] != d[2])


def words_of(r):
    return ' '.join('%s=%x' % f for f in zip(FIELDS, r))


def one_run(pair, args, seed, folder, rows, registers, settled, words):
    g = gen.program(seed, rows, registers, settled, words, args.kinds)
    blob = g.blob()
    with open(os.path.join(folder, 'blob.bin'), 'wb') as f:
        f.write(blob)
    logs = [settle_points(pair.run(who, folder), blob) for who in ('elmu', 'qemu')]
    a, b = blocks(logs[0]), blocks(logs[1])
    good, bad, loose = 0, [], set()  # loose: sections with blocks of which nothing can be said, nor of the memory at the end
    for key in list(a) + [k for k in b if k not in a]:
        ra, rb = a.get(key, []), b.get(key, [])
        row = g.sections[min(key[0], len(g.sections) - 1)][1]
        n = next((n for n, (x, y) in enumerate(zip(ra, rb)) if not same(x, y, row)), min(len(ra), len(rb)))
        if n == len(ra) == len(rb) or key[1] == 'end' and (key[0] in loose or not memory_difference(folder, key[0], row)):
            good += 1
            continue
        if n < len(ra) and n < len(rb) and settled_whole(ra[n], rb[n]):
            loose.add(key[0])
            g.unordered += 1
            continue
        bad.append((key, ra[n] if n < len(ra) else None, rb[n] if n < len(rb) else None, n))
    return g, good, bad, logs


def gic_text(folder, g, logs, key, n):
    numbers = [blocks(log, True)[key][n] for log in logs]
    slots = [gic_slots(log, g.sections).get(number) for log, number in zip(logs, numbers)]
    return gic_difference(folder, slots) if None not in slots else ''


def report(pair, folder, g, seed, bad, logs, show, trace):
    out = []
    for key, x, y, n in bad[:show]:
        section, block = key
        gic = gic_text(folder, g, logs, key, n) if x and y else ''
        kind, row = g.sections[min(section, len(g.sections) - 1)]
        out.append('FAIL seed %s, section %d (%s, EL%d), block %s' % (seed, section, kind, row['spsr'] >> 2 & 3, block))
        if x and y:
            out.append('    record: ' + '; '.join('%s elmu %x qemu %x' % (f, p, q) for f, p, q in zip(FIELDS, x, y) if p != q))
            out.append('    elr %x esr %x vector %x' % (x[2], x[1], x[0]))
            out += ['    GIC: ' + gic] if gic else []
        else:
            out.append('    a record of %s alone: %s' % ('elmu' if x else 'qemu', words_of(x or y)))
        if block == 'end':
            out.append('    ' + memory_difference(folder, section, row))
        elif trace:
            out.append('    ' + first_difference(pair, folder, block, (x or y)[2]))
    return '\n'.join(out)


def device_programs(args, elmu, settled, kind, tally):
    """The programs of a kind of device; tally: passed, failed, operations, shown."""
    operations = max(devices.OPERATIONS // 10, args.insns // 200)
    commands = devices.commands(kind, elmu, shlex.split(args.qemu), os.path.abspath(args.device_frame))
    for n in range(args.first, (operations + devices.OPERATIONS - 1) // devices.OPERATIONS):
        seed = '%s.%d' % (args.seed, n)
        s = devices.script(kind, seed, settled, min(operations, devices.OPERATIONS))
        try:
            with tempfile.TemporaryDirectory() as folder:
                logs = [devices.run(lambda command, folder=folder: execute(command, folder), folder, s, commands[who])
                        for who in ('elmu', 'qemu')]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print('FAIL seed %s, %s: %s' % (seed, kind, str(error)[:300]), flush=True)
            tally['failed'] += 1
            continue
        good, bad = devices.compare(s, logs)
        if bad and tally['shown'] < args.show:
            print(devices.report(s, seed, logs, bad[:args.show - tally['shown']]), flush=True)
        tally.update(passed=good, failed=len(bad), shown=len(bad))
        tally[kind] += len(s.operations)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--elmu', required=True)
    parser.add_argument('--frame', required=True)
    parser.add_argument('--device-frame', required=True)
    parser.add_argument('--qemu', default=os.environ.get('QEMU', 'qemu-system-aarch64'))
    parser.add_argument('--seed', default='1')
    parser.add_argument('--insns', type=int, default=1000000)
    parser.add_argument('--show', type=int, default=10)
    parser.add_argument('--kinds', default='')
    parser.add_argument('--first', type=int, default=0, help='number of the first program')
    parser.add_argument('--keep', default='')
    parser.add_argument('--brief', action='store_true', help='no traces')
    args = parser.parse_args()
    elmu = shlex.split(args.elmu)
    elmu[0] = os.path.abspath(elmu[0])
    rows, registers, cpu = tables(elmu)
    settled = settled_read()
    RULES_ON.update(settled['rule'])
    pair = Pair(elmu, shlex.split(args.qemu), os.path.abspath(args.frame), cpu)
    kinds = args.kinds.split(',') if args.kinds else []
    device_kinds = [k for k in kinds or devices.KINDS if k in devices.KINDS]
    args.kinds = [k for k in kinds if k not in devices.KINDS]
    runs = max(1, (args.insns + PER_RUN - 1) // PER_RUN) if args.kinds or not kinds else 0
    passed = failed = insns = shown = unordered = 0
    by_kind = collections.Counter()
    started = time.monotonic()
    for n in range(args.first, runs):
        seed = '%s.%d' % (args.seed, n)
        with tempfile.TemporaryDirectory() as folder:
            if args.keep:
                folder = os.path.join(args.keep, seed)
                os.makedirs(folder, exist_ok=True)
            try:
                g, good, bad, logs = one_run(pair, args, seed, folder, rows, registers, settled, min(PER_RUN, args.insns))
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print('FAIL seed %s: %s' % (seed, str(error)[:300]), flush=True)
                failed += 1
                continue
            unordered += g.unordered
            by_kind.update(g.by_kind)
            insns, passed, failed = insns + g.executed, passed + good, failed + len(bad)
            if bad and shown < args.show:
                print(report(pair, folder, g, seed, bad, logs, args.show - shown, not args.brief), flush=True)
                shown += len(bad)
    tally = collections.Counter()
    for kind in device_kinds:
        device_programs(args, elmu, settled, kind, tally)
    passed, failed = passed + tally['passed'], failed + tally['failed']
    print('%d instructions in %d programs, %d s%s' % (insns, runs, time.monotonic() - started,
                                                     unordered and '; settled whole by %s and af-update: %d blocks' % (ORDER, unordered) or ''))
    print(', '.join('%s %d' % k for k in by_kind.most_common() + [(k, tally[k]) for k in device_kinds]))
    print('%d passed, %d failed' % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
