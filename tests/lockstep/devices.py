"""Lock-step of devices: for each kind its machine and its generator, programs run on both emulators, the first operation that differs."""
import os
import random
import struct

import gen_device
import gen_gicc
import gen_gich
import gen_its
import gen_pci
import gen_smmu
import gen_vlpi

# kind -> its module: MACHINE, DEVICES, and `group`, which adds one to a Script
KINDS = {'pci': gen_pci, 'gicc': gen_gicc, 'gich': gen_gich, 'its': gen_its, 'smmu': gen_smmu, 'vlpi': gen_vlpi}
OPERATIONS = 5000  # at most, in a program


def commands(kind, elmu, qemu, frame):
    module = KINDS[kind]
    common = ['-M', module.MACHINE, '-cpu', 'cortex-a57', '-m', '256M', '-display', 'none', '-monitor', 'none', '-serial', 'null',
              '-semihosting-config', 'enable=on,target=native', '-nodefaults', '-kernel', frame]
    for device in module.DEVICES:
        common += ['-device', device]
    return {'elmu': elmu + common + ['--max-insns', '2000000000'] + getattr(module, 'ELMU', []),
            'qemu': qemu + common + ['-icount', 'shift=0,sleep=off']}


def script(kind, seed, settled, operations):
    s = gen_device.Script(random.Random('%s %s' % (seed, kind)), kind, settled)
    while len(s.operations) < operations:
        KINDS[kind].group(s)
    return s


def run(execute, folder, s, command):
    """The log; execute(command): what it left in log.bin."""
    extra = []
    for n, (address, data) in enumerate(s.files()):
        path = os.path.join(folder, 'memory%d' % n)
        with open(path, 'wb') as f:
            f.write(data)
        extra += ['-device', 'loader,file=%s,addr=0x%x,force-raw=on' % (path, address)]
    data = execute(command + extra)
    return struct.unpack('<%dQ' % (len(data) // 8), data)


def compare(s, logs):
    """How many groups agree, and (group, operation) of those that do not."""
    good, bad = 0, []
    for n, start in enumerate(s.groups):
        end = s.groups[n + 1] if n + 1 < len(s.groups) else len(s.operations)
        at = next((i for i in range(start, end) if i >= min(map(len, logs)) or logs[0][i] != logs[1][i]), None)
        if at is None:
            good += 1
        else:
            bad.append((n, at))
    return good, bad


def report(s, seed, logs, bad, before=12):
    out = []
    for n, at in bad:
        out.append('FAIL seed %s, %s, group %d, operation %d' % (seed, s.kind, n, at - s.groups[n]))
        for i in range(max(s.groups[n], at - before), min(at + 5, len(s.operations))):
            a, b = ('%x' % log[i] if i < len(log) else 'nothing' for log in logs)
            out.append('    %s%s' % (s.names[i], ': %s' % a if a == b != '0' else '' if a == b else ': elmu %s qemu %s' % (a, b)))
    return '\n'.join(out)
