#!/usr/bin/env python3
"""Runs qemu-system-aarch64 behind elmu's own options, so that the image tests and the benchmarks can pair the two.

    tests/images/qemu.py [elmu's options...]            QEMU names the program (default: qemu-system-aarch64)

Takes what QEMU lacks: --until, -screendump (with it), --after/--send, -xen-dom0 and -xen-domu (Xen's boot modules under /chosen, as in Xen's
docs/misc/arm/device-tree/booting.txt); drops what has no meaning there (--stats, --max-insns N, --engine=X); hands all
else on. Status: QEMU's own, 0 when --until's text came, 3 when it ended before all was typed or seen.
"""
import os
import socket
import subprocess
import sys
import tempfile

MODULES = 0x4a000000  # boot modules lie from here upwards, 2 MiB aligned; QEMU puts its device tree at 0x48000000
ALIGN = 0x200000


def split_option(text):
    """QEMU's key=value,key=value with ,, for a comma inside a value."""
    parts = [p.replace('\0', ',') for p in text.replace(',,', '\0').split(',')]
    return dict(p.split('=', 1) for p in parts)


def parse(argv):
    own = {'until': None, 'picture': None, 'talk': [], 'dom0': None, 'domus': []}
    qemu = ['-nic', 'none']
    args = iter(argv)
    for a in args:
        if a == '--until':
            own['until'] = next(args).encode()
        elif a == '-screendump':
            own['picture'] = next(args)
        elif a == '--after':
            own['talk'].append([next(args).encode(), b''])
        elif a == '--send':
            own['talk'][-1][1] = next(args).encode()
        elif a == '-xen-dom0':
            own['dom0'] = split_option(next(args))
        elif a == '-xen-domu':
            own['domus'].append(split_option(next(args)))
        elif a == '--max-insns':
            next(args)
        elif a == '--stats' or a.startswith('--engine='):
            pass
        elif a == '-nographic':
            qemu += ['-display', 'none', '-monitor', 'none', '-serial', 'stdio']
        else:
            qemu.append(a)
    return own, qemu


class Modules:
    """Boot modules: their nodes, and the options that load them."""

    def __init__(self):
        self.addr = MODULES
        self.options = []

    def node(self, path, kind, bootargs=None):
        size = os.path.getsize(path)
        text = 'module@%x { compatible = "multiboot,%s", "multiboot,module"; reg = <0 0x%x 0 0x%x>; ' % (
            self.addr, kind, self.addr, size)
        if bootargs is not None:
            text += 'bootargs = "%s"; ' % bootargs.replace('\\', '\\\\').replace('"', '\\"')
        self.options += ['-device', 'loader,file=%s,addr=0x%x,force-raw=on' % (path.replace(',', ',,'), self.addr)]
        self.addr = (self.addr + size + ALIGN - 1) & -ALIGN
        return text + '};\n'

    def domain(self, d):
        text = self.node(d['kernel'], 'kernel', d.get('append', ''))
        if 'initrd' in d:
            text += self.node(d['initrd'], 'ramdisk')
        return text


def mem_kib(text):
    unit = {'K': 1, 'M': 1024, 'G': 1024 * 1024}.get(text[-1].upper())
    return int(text[:-1]) * unit if unit else int(text) * 1024


def xen_options(own, qemu, qemu_name, folder):
    """The device tree with Xen's nodes, made from the one that QEMU itself would give, as further options."""
    base = os.path.join(folder, 'base.dtb')
    machine = [a for a in qemu]
    machine[machine.index('-M') + 1] += ',dumpdtb=' + base
    subprocess.run([qemu_name] + machine, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    tree = subprocess.run(['dtc', '-q', '-I', 'dtb', '-O', 'dts', base], check=True, capture_output=True,
                          text=True).stdout
    modules = Modules()
    nodes = '#address-cells = <2>; #size-cells = <2>;\n'
    if '-append' in qemu:
        nodes += 'xen,xen-bootargs = "%s";\n' % qemu[qemu.index('-append') + 1]
    if own['dom0']:
        nodes += modules.domain(own['dom0'])
    for n, d in enumerate(own['domus'], 1):
        nodes += ('domU%d { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>;\n'
                  'memory = <0 0x%x>; cpus = <%d>; vpl011;\n%s};\n' %
                  (n, mem_kib(d.get('mem', '256M')), int(d.get('vcpus', '1')), modules.domain(d)))
    tree += '/ { chosen { %s }; };\n' % nodes
    out = os.path.join(folder, 'xen.dtb')
    subprocess.run(['dtc', '-q', '-I', 'dts', '-O', 'dtb', '-o', out, '-'], check=True, input=tree, text=True)
    return ['-dtb', out] + modules.options


def picture_take(name, monitor):
    """By the monitor, which answers with its prompt when the file is there."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(monitor)
        said = b''
        for line in (b'', b'screendump %s\n' % name.encode()):
            s.sendall(line)
            while not said.endswith(b'(qemu) '):
                said += s.recv(4096)
            said = b''


def converse(own, command):
    """Runs the command; types each text when the console, after what was matched before, has printed its cue."""
    talk = own['talk']
    if not talk and own['until'] is None:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen = b''
    at = 0
    while True:
        got = os.read(child.stdout.fileno(), 65536)
        if not got:
            break
        sys.stdout.buffer.write(got)
        sys.stdout.buffer.flush()
        seen += got
        while talk and talk[0][0] in seen[at:]:
            at = seen.index(talk[0][0], at) + len(talk[0][0])
            child.stdin.write(talk.pop(0)[1])
            child.stdin.flush()
        if own['until'] is not None and not talk and own['until'] in seen[at:]:
            if own['picture']:
                picture_take(own['picture'], own['monitor'])
            child.kill()
            child.wait()
            return 0
    status = child.wait()
    if status == 0 and (talk or own['until'] is not None):
        print('qemu.py: QEMU ended before %r was printed' % (talk[0][0] if talk else own['until']), file=sys.stderr)
        return 3
    return status


def main():
    own, qemu = parse(sys.argv[1:])
    qemu_name = os.environ.get('QEMU', 'qemu-system-aarch64')
    with tempfile.TemporaryDirectory() as folder:
        if own['dom0'] or own['domus']:
            qemu += xen_options(own, qemu, qemu_name, folder)
        if own['picture']:
            own['monitor'] = os.path.join(folder, 'monitor')
            qemu += ['-monitor', 'unix:%s,server=on,wait=off' % own['monitor']]
        return converse(own, [qemu_name] + qemu)


if __name__ == '__main__':
    sys.exit(main())
