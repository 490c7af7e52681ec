#!/usr/bin/env python3
"""Hostile input: random programs, damaged images and device trees, odd options. Nothing may crash or hang the emulator.

    tests/fuzz/fuzz.py --elmu CMD --frame FRAME.elf --device-frame DEVICE.elf --script-frame SCRIPT.elf [--count N] [--seed S]
        [--keep DIR] [--accesses N] [--rows TEXT] [KIND...]

KIND is one of:
    code        random instructions from the project's own tables at the highest EL, in a frame whose vectors step over what traps
    semihost    random calls
    gicv2, pci  random loads and stores: its frames; configuration space and ranges of PCI functions
    device      a random guest (device.py) for each row of the board's devices in turn
    script      lock-step programs for devices (tests/lockstep), damaged
    elf, image, gzip, dtb, initrd, options, config
    qmp, monitor  text on the monitors (monitors.py)
All engines must leave the same state after the first six. Each of the N cases of a kind is one check (0: as many as rows); the same
seed gives the same cases. A case fails when the process dies of a signal, when a sanitizer or an assert speaks, when it is
still running after a minute (more for more accesses), or when it ends with status 1 without saying why. Files of failed cases
are left in DIR. The last line is "N passed, N failed".
"""
import argparse
import gzip
import os
import random
import re
import shlex
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(sys.path[0]), 'lockstep'))
import device  # noqa: E402
import devices  # noqa: E402
import gen_device  # noqa: E402
import lockstep  # noqa: E402
import monitors  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AREA, AREA_SIZE, SEEDS = 0x40100000, 65536, 0x40088000
INSNS = '60000'
KINDS = ['code', 'semihost', 'gicv2', 'pci', 'device', 'script', 'elf', 'image', 'gzip', 'dtb', 'initrd', 'options', 'config', 'qmp', 'monitor']
INTERESTING = [0, 1, 2, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 32,
               (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 0x40000000, 0x40088000, 0x40110ff8, 0x9000000, 0x8000000, 0x80a0000,
               0xa000000, 0xdeadbeef00000000, 0x00ffffffffffffff]


def listed(elmu, what):
    return subprocess.run(elmu + ['--list-' + what], stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True,
                          timeout=60).stdout.splitlines()


def patterns(elmu):
    """The instruction patterns of the tables."""
    rows = [re.match(r'\w+ +((?:[01a-zA-Z] ?){32}) ', line) for line in listed(elmu, 'insns')]
    return [m.group(1).replace(' ', '') for m in rows if m]


def registers(elmu):
    """System register encodings of the tables, as the word of an MSR of X0."""
    rows = [re.match(r'\w+ +(\d+),(\d+),(\d+),(\d+),(\d+) ', line) for line in listed(elmu, 'sysregs')]
    return [0xd5000000 | o0 << 19 | o1 << 16 | n << 12 | m << 8 | o2 << 5
            for o0, o1, n, m, o2 in (map(int, row.groups()) for row in rows if row)]


class Words:
    def __init__(self, rng, elmu):
        self.rng, self.patterns, self.registers = rng, patterns(elmu), registers(elmu)
        assert len(self.patterns) > 500 and len(self.registers) > 200, 'the tables were not understood'

    def word(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.7:
            word = int(''.join(c if c in '01' else rng.choice('01') for c in rng.choice(self.patterns)), 2)
            return word ^ (1 << rng.randrange(32)) if rng.random() < 0.1 else word
        if kind < 0.9:
            return rng.choice(self.registers) | rng.randrange(2) << 21 | rng.randrange(32)
        if kind < 0.93:
            return 0xd5080000 | rng.randrange(8) << 16 | rng.choice([7, 8]) << 12 | rng.randrange(1 << 12)  # SYS
        if kind < 0.96:
            return 0xb4000000 | rng.randrange(2) << 24 | rng.randrange(-64, 64) % (1 << 19) << 5 | rng.randrange(32)
        return rng.randrange(1 << 32)


class Case:
    """A command line with files in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.args, self.both, self.seconds, self.stdin = folder, [], False, 60, os.devnull

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path


class Maker:
    def __init__(self, seed, frame, elmu, folder, args):
        self.args, self.cases = args, 0  # how many of kind device or script were made
        self.device_frame = open(args.device_frame, 'rb').read()
        self.settled = lockstep.settled_read()
        self.devices = [r for r in device.rows() if args.rows in r.name]
        self.rng = random.Random(seed)
        self.words = Words(self.rng, elmu)
        self.frame = frame
        dtb = os.path.join(folder, 'machine.dtb')
        subprocess.run(elmu + ['-M', 'virt,dumpdtb=' + dtb], stdin=subprocess.DEVNULL, check=True, timeout=60)
        self.dtb_bytes = open(dtb, 'rb').read()
        self.option_names = re.findall(r'^(?:OWN_)?OPTION\("([^"]+)"', open(ROOT + '/frontend/options.def').read(), re.M)

    def value(self):
        rng = self.rng
        return (rng.choice(INTERESTING) + rng.choice([0, 0, 0, 1, 8, rng.randrange(1 << 16)])) % (1 << 64) \
            if rng.random() < 0.7 else rng.getrandbits(64)

    def machine(self):
        rng = self.rng
        props = ['virt'] + [p for p in ('virtualization=on', 'secure=on') if rng.random() < 0.6]
        return ['-M', ','.join(props), '-cpu', rng.choice(['cortex-a57', 'max']), '-smp', str(rng.choice([1, 1, 1, 2, 4])),
                '-m', '64M', '-nographic', '--max-insns', INSNS]

    def damaged(self, data, most):
        """Some bytes changed, mostly near the start, perhaps cut short."""
        rng, data = self.rng, bytearray(data)
        for _ in range(rng.randrange(1, most)):
            at = min(int(rng.expovariate(1 / 60)), len(data) - 1) if rng.random() < 0.7 else rng.randrange(len(data))
            if rng.random() < 0.5:
                data[at] = rng.randrange(256)
            else:
                size = rng.choice([2, 4, 8])
                new = (self.value() & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(['little', 'big']))
                data[at:at + size] = new[:len(data) - at]
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)):]
        return bytes(data)

    def code(self, case):
        rng, elf = self.rng, bytearray(self.frame)
        area = struct.pack('<%dI' % (AREA_SIZE // 4), *[self.words.word() for _ in range(AREA_SIZE // 4)])
        for address, data in ((AREA, area), (SEEDS, struct.pack('<16Q', *[self.value() for _ in range(16)]))):
            at = elf_offset(elf, address)
            elf[at:at + len(data)] = data
        case.args = self.machine() + ['-seed', str(rng.getrandbits(32)), '-kernel', case.file('code.elf', elf)]
        case.both = True

    def gicv2(self, case):
        """Loads and stores of all sizes to the frames of a GICv2, by one CPU or by all, with interrupts open at times."""
        rng, elf, words = self.rng, bytearray(self.frame), []
        frames = [(0x08000000, 0x1000)] * 3 + [(0x08010000, 0x30), (0x08010000, 0x1004), (0x08020000, 0x1000)] + \
            [(0x08030000, 0x40), (0x08030000, 0x110), (0x08040000, 0x30), (0x08040000, 0x1004)]

        def load(register, value):
            words.extend((0xd2800000, 0xf2a00000)[k] | (value >> 16 * k & 0xffff) << 5 | register for k in range(2))
        for _ in range(2500):
            base, size = rng.choice(frames)
            width = rng.choice([0, 1, 2, 2, 2, 2, 2, 3])
            load(0, base + (rng.randrange(size) & -(1 << width)))
            load(1, rng.choice([0, 1, 3, 0xff, 0xffffffff, rng.getrandbits(32), rng.getrandbits(32) & rng.getrandbits(32), rng.getrandbits(10)]))
            words.append(width << 30 | 0x39000001 | rng.choice([0, 0, 1]) << 22)  # STR or LDR, of W1 or X1, [X0]
            if rng.random() < 0.05:
                words.append(rng.choice([0xd50343ff, 0xd50343df]))  # MSR DAIFClr, DAIFSet, #3
        words.append(0x14000000)
        for address, data in ((AREA, struct.pack('<%dI' % len(words), *words)), (SEEDS, bytes(128))):
            at = elf_offset(elf, address)
            elf[at:at + len(data)] = data
        props = ','.join(['virt,gic-version=2'] + [p for p in ('virtualization=on', 'secure=on') if rng.random() < 0.7])
        case.args = ['-M', props, '-smp', str(rng.choice([1, 2, 8])), '-m', '64M', '-nographic', '--max-insns', INSNS,
                     '-kernel', case.file('code.elf', elf)]
        case.both = True

    def semihost(self, case):
        """Calls with any number, handle, length and address; names of files in the case's own folder."""
        rng, elf, names = self.rng, bytearray(self.frame), [b':tt', b':semihosting-features', b'a.tmp', b'b.tmp', b'none/c', b'']
        block, text, words = AREA + 0x8000, AREA + 0x9000, []
        texts = b''.join(n.ljust(32, b'\0') for n in names)

        def field():
            n = rng.randrange(len(names))
            return rng.choice([lambda: text + 32 * n, lambda: len(names[n]), lambda: rng.randrange(40), lambda: rng.randrange(12),
                               lambda: AREA + rng.randrange(AREA_SIZE), lambda: rng.randrange(1 << 14)] * 6 + [self.value])()

        def load(register, value):
            words.extend(0xd2800000 + 0x20000000 * (k > 0) | k << 21 | (value >> 16 * k & 0xffff) << 5 | register for k in range(4))
        for _ in range(60):
            load(0, rng.choice([n for n in range(1, 0x32) if n not in (0x18, 0x20)] + [0x2b, 0x100, 0xffffffff]))
            load(1, block + 8 * rng.randrange(256) if rng.random() < 0.9 else self.value())
            words.append(0xd4400000 | 0xf000 << 5)
        words.append(0x14000000)
        for address, data in ((AREA, struct.pack('<%dI' % len(words), *words)), (block, struct.pack('<260Q', *[field() for _ in range(260)])),
                              (text, texts), (SEEDS, bytes(128))):
            at = elf_offset(elf, address)
            elf[at:at + len(data)] = data
        # arg=: a guest that is told its own file can remove it
        case.args = self.machine() + ['-semihosting-config', 'enable=on,arg=x', '-kernel', case.file('code.elf', elf)]
        case.both = True

    def pci(self, case):
        """Configuration space, the ranges wherever they are, rings in RAM; registers mostly get what they are made for."""
        rng, elf, words = self.rng, bytearray(self.frame), []
        ecam, memory, high, ports, ram = 0x4010000000, 0x10000000, 0x8000000000, 0x3eff0000, AREA + 0xe000

        def load(register, value):
            words.extend(0xd2800000 + 0x20000000 * (k > 0) | k << 21 | (value >> 16 * k & 0xffff) << 5 | register for k in range(3))

        def register():
            return rng.choice([0x04, 0x10, 0x14, 0x18, 0x20, 0x24, 0x3c, 0x3e, rng.randrange(256), rng.randrange(4096)])

        def target(size):
            """Address, and what to write there."""
            kind = rng.random()
            if kind < 0.4:
                at = ecam + (rng.choice([0, 0, 1, rng.randrange(256)]) << 20 | rng.randrange(9) << 15 | rng.choice([0, 0, 1]) << 12 | register())
                value = rng.choice([7, 0x407, 0x00010100, 0xffffffff, 0x8000, 0xc0008000, 0, memory + rng.randrange(8) * 0x4000, high >> 32, ram, 0x100])
            else:
                at = rng.choice([memory, memory, memory, high, ports]) + rng.choice([rng.randrange(8) * 0x4000, 0]) + \
                    rng.choice([0, 0x1000, 0x2000, 0x3000, 0x40000]) + rng.choice([rng.randrange(0x40), rng.randrange(0x100), rng.randrange(0x4000)])
                value = rng.choice([1, 3, 7, 11, 15, 0, 8, ram, ram + 0x400, 0x08000040, 0x40000, rng.randrange(1 << 16)])
            return at & ~(size - 1), value if rng.random() < 0.9 else self.value()
        for _ in range(1000):
            log = rng.choice([0, 1, 2, 2, 2, 3])
            at, value = target(1 << log)
            load(0, at)
            load(1, value)
            words.append(0x39000001 | log << 30 | (rng.random() < 0.25) << 22 | (0 if rng.random() < 0.9 else 1) << 10)
        words.append(0x14000000)
        for address, data in ((AREA, struct.pack('<%dI' % len(words), *words)), (ram, struct.pack('<1024Q', *[
                rng.choice([ram, ram + 0x800, 16 | 2 << 32, 512 | 3 << 32 | 1 << 48, 1 << 16, 0, self.value()]) for _ in range(1024)])), (SEEDS, bytes(128))):
            at = elf_offset(elf, address)
            elf[at:at + len(data)] = data
        case.args = self.machine() + ['--max-insns', '300000', '-kernel', case.file('code.elf', elf),
                                      '-drive', 'snapshot=on,if=none,format=raw,id=d,file=' + case.file('disk', bytes(65536))]
        for device in ('pci-testdev', 'edu,dma_mask=0xffffffff', 'virtio-rng-pci', 'virtio-blk-pci,drive=d', 'virtio-serial-pci',
                       'pcie-root-port,id=p', 'virtio-rng-pci,bus=p,disable-legacy=on,iommu_platform=on', 'edu,addr=8.1,multifunction=on', 'virtio-net-pci,netdev=n'):
            case.args += ['-device', device]
        case.args += ['-netdev', 'user,restrict=on,id=n']
        case.both = True

    def device(self, case):
        """The rows in turn, from one that the seed says."""
        row = self.devices[(self.args.seed + self.cases) % len(self.devices)]
        self.cases += 1
        device.make(self.rng, case, row, self.device_frame, elf_offset, self.args.accesses, 'de')
        case.seconds = 60 + self.args.accesses // 5000

    def script(self, case):
        """A lock-step program of each kind of device in turn: deep into what it does, and some operations are others."""
        rng, kind = self.rng, list(devices.KINDS)[(self.args.seed + self.cases) % len(devices.KINDS)]
        self.cases += 1
        s = devices.script(kind, str(rng.getrandbits(32)), self.settled, min(self.args.accesses // 4, 100000))
        for n, (op, arg, address, value) in enumerate(s.operations):
            if gen_device.READ <= op < gen_device.AGAIN and rng.random() < 0.05:
                if rng.random() < 0.6:
                    value = rng.choice([value ^ 1 << rng.randrange(64), rng.getrandbits(64), self.value(), rng.choice(s.operations)[3]])
                else:
                    address ^= 1 << rng.randrange(2, 13)
                    op = rng.choice([op, op, gen_device.READ + rng.randrange(4), gen_device.WRITE + rng.randrange(4)])
                s.operations[n] = op, arg, address & -(1 << (op - 1) % 4), value
        case.args = devices.commands(kind, [], [], os.path.abspath(self.args.script_frame))['elmu']
        if kind == 'its' and rng.random() < 0.5:  # commands that come of damage may be those of virtual LPIs
            case.args[1] = case.args[1].replace('gic-version=3', 'gic-version=4')
        for n, (address, data) in enumerate(s.files()):
            case.args += ['-device', 'loader,file=%s,addr=0x%x,force-raw=on' % (case.file('memory%d' % n, data), address)]
        case.both, case.seconds = True, 60 + self.args.accesses // 1000

    def elf(self, case):
        case.args = self.machine() + ['-kernel', case.file('kernel.elf', self.damaged(self.frame, 12))]

    def image_bytes(self):
        rng = self.rng
        head = struct.pack('<IIQQQQQQII', 0x14000010, 0, self.value(), self.value() if rng.random() < 0.5 else 0x20000,
                           self.value() & 15, 0, 0, 0, 0x644d5241, rng.choice([0, 64, 0xffffffff]))
        body = struct.pack('<256I', *[self.words.word() for _ in range(256)])
        return head + body

    def image(self, case):
        data = self.image_bytes()
        if self.rng.random() < 0.3:  # an EFI zboot header around a compressed Image
            packed = gzip.compress(data, mtime=0)
            data = struct.pack('<4s4sII8x8s', b'MZ\0\0', b'zimg', self.rng.choice([64, 0, 0xfffffff0]),
                               self.rng.choice([len(packed), 0, 0xffffffff]), self.rng.choice([b'gzip', b'zstd22', b'lz4']))
            data = data.ljust(64, b'\0') + packed
        if self.rng.random() < 0.5:
            data = self.damaged(data, 6)
        case.args = self.machine() + ['-kernel', case.file('Image', data)]

    def gzip(self, case):
        data = gzip.compress(self.image_bytes() + bytes(self.rng.choice([0, 100000])), mtime=0)
        case.args = self.machine() + ['-kernel', case.file('Image.gz', self.damaged(data, 8))]

    def dtb(self, case):
        case.args = self.machine() + ['-dtb', case.file('bad.dtb', self.damaged(self.dtb_bytes, 30)),
                                      '-kernel', case.file('Image', self.image_bytes()), '-append', 'x' * self.rng.choice([0, 10, 3000])]

    def initrd(self, case):
        size = self.rng.choice([0, 1, 4096, 1 << 20, 60 << 20, 70 << 20])
        case.args = self.machine() + ['-kernel', case.file('Image', self.image_bytes()),
                                      '-initrd', case.file('initrd', bytes(size))]
        if self.rng.random() < 0.5:
            case.args += ['-device', 'loader,file=%s,addr=0x%x' % (case.file('blob', bytes(self.rng.randrange(5000))), self.value())]

    def options(self, case):
        rng = self.rng
        texts = ['', '0', '-1', '1', '8', '9', '1G', '99999999999999999999', 'virt', 'virt,secure=on', 'virt,foo=bar', 'virt,=', ',,,',
                 'max,lse=off', 'max,nothing=on', 'none', 'stdio', 'file=/nonexistent', 'loader,addr=0', 'loader,data=1,data-len=9,addr=8',
                 'virtio-blk-device,drive=none', 'socket,id=a,path=/nonexistent/a', 'kernel=,initrd=', 'type=0,release=1.2', 'type=11,value=a,value=b', 'file=/', 'x' * 5000, '%s%n', '\xff\xfe', '/', '.']
        for _ in range(rng.randrange(1, 6)):
            case.args.append('-' + rng.choice(self.option_names + ['nonsense', '', '-']))
            if rng.random() < 0.8:
                case.args.append(rng.choice(texts))
        case.args = ['-nographic', '--max-insns', '1000'] + case.args

    def config(self, case):
        """A file of options (-readconfig), of lines that are right, and damaged."""
        rng = self.rng
        groups = ['machine', 'memory', 'smp-opts', 'global', 'device "d"', 'drive "d"', 'chardev "c"', 'object "o"', 'rtc', 'netdev "n"', 'colour', '']
        keys = ['type', 'size', 'cpus', 'driver', 'property', 'value', 'file', 'backend', 'qom-type', 'base', 'id', 'secure', 'a' * 70, '']
        texts = ['virt', '1', '300M', 'on', 'virtio-blk-pci', 'null', 'user', 'a,b', 'virtio-mmio', 'force-legacy', '', 'x' * 1020, '\xff']
        lines = [rng.choice(['[%s]' % rng.choice(groups), ' %s = "%s"' % (rng.choice(keys), rng.choice(texts)), '# comment', ''])
                 for _ in range(rng.randrange(40))]
        data = '\n'.join(['#', *lines]).encode('latin-1')
        if rng.random() < 0.5:
            data = self.damaged(data, 10)
        case.args = ['-nographic', '--max-insns', '1000', '-readconfig', case.file('config', data)]

    def qmp(self, case):
        monitors.qmp(self, case)

    def monitor(self, case):
        monitors.monitor(self, case)


def elf_offset(elf, address):
    """File offset of an address."""
    phoff, count = struct.unpack_from('<Q', elf, 32)[0], struct.unpack_from('<H', elf, 56)[0]
    for n in range(count):
        kind, _, offset, va, _, size = struct.unpack_from('<IIQQQQ', elf, phoff + 56 * n)
        if kind == 1 and va <= address < va + size:
            return offset + address - va
    raise ValueError('the frame has nothing at %#x' % address)


def run(elmu, case, more=()):
    """(what is wrong or None, facts that engines must share)"""
    try:
        with open(case.stdin, 'rb') as stdin:
            r = subprocess.run(elmu + ['--stats', *more] + case.args, cwd=tempfile.mkdtemp(dir=case.folder), stdin=stdin, capture_output=True, timeout=case.seconds, check=False)
    except subprocess.TimeoutExpired:
        return 'still running after %d s' % case.seconds, None
    text = r.stderr.decode('latin-1')
    if r.returncode < 0 or r.returncode >= 128:
        return 'died of signal %d: %s' % (-r.returncode, text[-300:]), None
    if re.search('Sanitizer|runtime error|Assertion', text):
        return text[:600], None
    if r.returncode == 1 and not text.strip():
        return 'status 1, and no word why', None
    return None, (r.returncode, r.stdout, re.findall(r'^insns .*|^hash .*', text, re.M))


def check(elmu, case):
    wrong, facts = run(elmu, case)
    if wrong or not case.both:
        return wrong
    if len(facts[2]) < 2:
        return '--stats printed no insns and hash lines'
    for engine in ('step', 'tier2,hot=1'):
        wrong, other = run(elmu, case, ['--engine=' + engine])
        if not wrong and other != facts:
            wrong = 'the engines differ: %s, %s %s' % (facts[2], engine, other[2])
        if wrong:
            return wrong
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--elmu', required=True)
    parser.add_argument('--frame', required=True)
    parser.add_argument('--device-frame', required=True)
    parser.add_argument('--script-frame', required=True)
    parser.add_argument('--accesses', type=int, default=5000, help='of each random guest of kind device; a quarter of them of kind script')
    parser.add_argument('--rows', default='', help='kind device: rows with this in their names')
    parser.add_argument('--count', type=int, default=20)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--keep', default='')
    parser.add_argument('kinds', nargs='*', metavar='KIND')
    args = parser.parse_args()
    elmu, passed, failed = [os.path.abspath(w) if os.path.isfile(w) else w for w in shlex.split(args.elmu)], 0, 0
    for kind in args.kinds or KINDS:
        before = passed, failed
        with tempfile.TemporaryDirectory() as base:
            maker = Maker('%d %s' % (args.seed, kind), open(args.frame, 'rb').read(), elmu, base, args)
            for n in range(args.count or len(maker.devices)):
                case = Case(tempfile.mkdtemp(dir=base))
                getattr(maker, kind)(case)
                wrong = check(elmu, case)
                if wrong:
                    failed += 1
                    print('FAIL %s %d (seed %d): %s\n    %s' % (kind, n, args.seed, wrong, shlex.join(a[:200] for a in case.args)))
                    if args.keep:
                        os.makedirs(args.keep, exist_ok=True)
                        os.rename(case.folder, os.path.join(args.keep, '%s-%d-%d' % (kind, args.seed, n)))
                else:
                    passed += 1
                    subprocess.run(['rm', '-rf', case.folder], check=True)
        print('%s: %d passed, %d failed' % (kind, passed - before[0], failed - before[1]))
    print('%d passed, %d failed' % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
