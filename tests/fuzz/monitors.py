"""Hostile text for monitors: seeds are good commands, mutated. Files that they name lie in the folder of the case."""
import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ADDRESSES = ['0x40200000', '0x40000000', '0', '0x09000000', '-1', '0xffffffffffffffff', '0x7fffffffffffffff', '$pc', 'pc', '$sp+8', 'ELR_EL1', '~0', '1+2*(3', "'a'", '0x41fffff8']
SIZES = ['0', '1', '16', '4096', '0x1000000', '-1', '0xffffffffffffffff', '99999999999999999999']
OBJECTS = ['/', '/machine', '/machine/unattached/device[0]', '/machine/unattached/device[99]', '/machine/peripheral', '/machine/peripheral-anon/device[0]', '/chardevs/r', '//machine///', 'machine', 'type', 'midr', 'gic-version', 'append',
           'virtio-blk-pci', 'virtio-serial-device', 'max-arm-cpu', 'virt-7.2-machine', 'device', 'object', 'pl011', 'a' * 300]
PIECES = [b'{', b'}', b'[', b']', b'"', b"'", b'\\', b',', b':', b'\0', b'\xff', b'\xc3', b'\n', b'\r', b'\t', b'1e999', b'-9223372036854775808', b'18446744073709551616', b'\\u0000', b'\\ud800', b'null', b'true',
          b'%n%s%p', b'$', b'((((', b'-', b'*', b' ', b'\x1b[A', b'\b', b'\x15', b'\x17', b'\x7f', b'A' * 300]


def names(table, macro):
    return re.findall(r'^%s\("([^"]+)", *"?([^",]*)' % macro, open(os.path.join(ROOT, table)).read(), re.M)


def mutated(rng, data, others):
    data = bytearray(data)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 5])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind < 2:
            data[at:at] = rng.choice(PIECES)
        elif kind == 2:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 3 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 4:
            other = rng.choice(others)
            data[at:at] = other[rng.randrange(len(other) + 1):]
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
    return bytes(data)


def pressed(rng):
    """A key of send-key, mostly."""
    return rng.choice([{'type': 'qcode', 'data': rng.choice(['a', 'ctrl', 'unmapped', 'crtl', ''])}, {'type': 'number', 'data': rng.choice([30, 0, -1, 1 << 40])}, {'type': 'qcode'}, {'data': 1}])


def moved(rng):
    """An event of input-send-event, mostly."""
    return rng.choice([{'type': 'key', 'data': {'down': rng.random() < 0.5, 'key': pressed(rng)}}, {'type': 'btn', 'data': {'down': True, 'button': rng.choice(['left', 'wheel-up', 'wheel-left', 'x'])}},
                       {'type': rng.choice(['rel', 'abs', 'z']), 'data': {'axis': rng.choice('xyz'), 'value': rng.choice([1, -1, 1 << 40, '1'])}}, {'type': 'key', 'data': []}, {'type': 'btn'}])


def message(rng):
    """One of QMP, with arguments of the right types, mostly."""
    rows = re.findall(r'^QMP\("([^"]+)", *"([^"]*)"', open(os.path.join(ROOT, 'frontend/qmp.def')).read(), re.M)
    name, args = rng.choice([r for r in rows if r[0] != 'quit'])
    types = {m: c for m, c in names('frontend/qmp_type.def', 'QMP_ENUM')}
    values = {'i': [0, 1, 16, -1, 1 << 62, -(1 << 63), 0x40200000, 64], 's': ['x', 'r', '', 't', 'file:d', 'base64', 'utf8', 'YWJj', '../../t', 'info status', 'x 0x40200000 4', 'r' * 200, '\0', '\u00e9'],
              'b': [True, False], 'a': [[], ['x'], [1], [[]], [pressed(rng)], [pressed(rng), moved(rng)], [moved(rng)] * 3], 'v': [None, 1, {}, {'name': 'max'}, {'name': 'max', 'props': {'lse': False, 'x' * 600: 1}}, {'name': 'max,' * 40}]}
    arguments = {}
    for arg in args.split():
        key, kind = arg.replace('?', '').split(':')
        known = types[kind].split() if kind in types else values['a' if kind[0] == '[' else kind if kind in values else 'v']
        if '?' not in arg or rng.random() < 0.5:
            arguments[key] = rng.choice(known if rng.random() < 0.95 else values[rng.choice('isbav')])
    if name.startswith('qom') or name.startswith('device-list'):
        for key in arguments:
            arguments[key] = rng.choice(OBJECTS if rng.random() < 0.9 else values['s'])
    if 'command-line' in arguments and rng.random() < 0.9:
        arguments['command-line'] = line(rng).decode('latin-1')
    if rng.random() < 0.1:
        arguments['another'] = rng.choice([None, 1, {}])
    m = {'execute': name, **({'arguments': arguments} if arguments or rng.random() < 0.2 else {})}
    if rng.random() < 0.3:
        m['id'] = rng.choice([None, 1, 'x', [], {'a': [1.5]}, [[[[]]]]])
    return json.dumps(m).encode()


def line(rng):
    """One of the human monitor."""
    table = [n for n, _ in names('frontend/hmp.def', 'HMP') + names('debug/monitor/monitor.def', 'MONITOR') if n not in ('quit', 'q')]
    infos = [n for macro in ('INFO', 'INFO_BY') for n, _ in names('frontend/hmp.def', macro)]
    name, pick = rng.choice(table), rng.choice
    words = [name]
    if name == 'info':
        words.append(pick(infos))
    if name in ('x', 'xp', 'print') and rng.random() < 0.7:
        words.append('/' + pick(['', '1', '4', '40', '999999']) + pick(['', 'x', 'o', 'd', 'u', 'c', 'i', 'z']) + pick(['', 'b', 'h', 'w', 'g']))
    for _ in range(rng.randrange(4)):
        words.append(pick(ADDRESSES + SIZES + ['f', '"a b"', '-f', '-a', '-z', 'r', 'in_asm', 'none', 'ctrl-a', '0x1e-', 'el=1', 'vmid=9', 'any', 'exception', 'SCTLR_EL1', 'pa', 'cpu=99']))
    text = ' '.join(words)
    return text.encode()


def text(rng, make, last):
    """A few hundred bytes to some thousand: what a client sends, and at its end what ends the run."""
    seeds = [make(rng) for _ in range(rng.randrange(1, 40))]
    parts = [mutated(rng, s, seeds) for s in seeds]
    if rng.random() < 0.1:
        parts.append(rng.choice([b'[', b'{"a":', b'"', b'\\', b'(', b'1 ']) * rng.choice([1000, 30000, 1200000]))
    join = rng.choice([b'\n', b'\r\n', b'', b' '])
    data = join.join(parts)
    if make is message:
        data = data.replace(b'/', b'')
    else: # formats may stay, no files elsewhere
        data = b'\n'.join(l if re.match(rb'(x|xp|p|print) ?/', l) else l.replace(b'/', b'') for l in data.split(b'\n'))
    return data + last


def qmp(maker, case):
    head = b'' if maker.rng.random() < 0.1 else b'{"execute":"qmp_capabilities"}'
    case.stdin = case.file('stdin', head + text(maker.rng, message, b'\n\xff\n{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n'))
    case.args = ['-S', '-m', '32M', '-smp', '2', '-kernel', case.file('elf', maker.frame), '-serial', 'null', '-chardev', 'ringbuf,id=r,size=64', '-device', 'virtio-keyboard-device', '-device', 'virtio-tablet-pci', '-qmp', 'stdio', '--max-insns', '3000000']


def monitor(maker, case):
    case.stdin = case.file('stdin', text(maker.rng, line, b'\nquit\n'))
    case.args = ['-S', '-m', '32M', '-smp', '2', '-kernel', case.file('elf', maker.frame), '-serial', 'null', '-chardev', 'ringbuf,id=r,size=64', '-device', 'virtio-keyboard-device', '-device', 'virtio-mouse-pci', '-monitor', 'stdio', '--max-insns', '3000000']
