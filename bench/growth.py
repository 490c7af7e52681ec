#!/usr/bin/env python3
"""How cost grows, for elmu and QEMU: CPU time of the process against guests, vCPUs, RAM and pages behind two stages.

    bench/growth.py [-o FILE.svg] [-n ROUNDS] [--elmu CMD] [--qemu CMD] [--guests DIR] [--cache DIR] [PLOT...]

Plots: `guests` (1..8 open guests beside the closed one under the demo hypervisor, to their end), `domains` (1..8 Linux
guests under dom0less Xen on one PE, until each has its shell; not drawn unless it is named), `vcpus` (Linux at EL2 with 1..8 PEs, until its shell), `ram` (start to the
guest's first line, 256 MiB..16 GiB) and `stage2` (a load from a random page of 64..16384, each mapped by 4 KiB pages
at both stages, so that the tables grow with them). One emulator at a time, in turn; a point is the median of the
rounds (default 1). QEMU as it comes. Prints the figures and writes the SVG.
"""
import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile

import run
from run import pair

SIDES = ['elmu', 'qemu']
COLOURS = {'elmu': '#c0562b', 'qemu': '#3b6ea8'}
BARE = r'^(BENCH .* OK|FAIL)'


def console(side, args, options, mark, times):
    """Runs until the console has matched `mark` so often: pairs (CPU seconds so far, line)."""
    own, rest = pair.parse(options)
    lines, left = [], times
    with tempfile.TemporaryDirectory() as folder:
        command = [args.elmu] + options
        if side == 'qemu':
            command = [args.qemu] + rest + (pair.xen_options(own, rest, args.qemu, folder) if own['domus'] else [])
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            for raw in child.stdout:
                lines.append((run.process_clock(child.pid), raw.decode('utf-8', 'replace')))
                left -= bool(re.search(mark, lines[-1][1]))
                if left == 0:
                    break
        finally:
            child.kill()
            child.stdin.close()
            child.stdout.close()
            child.wait()
    if left:
        sys.exit('growth.py: %s ended before %r was said %d times:\n%s' % (
            side, mark, times, ''.join(text for _, text in lines[-5:])))
    return lines


def machine(mib, smp):
    return ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', 'cortex-a57', '-smp', str(smp), '-m', '%dM' % mib,
            '-nographic']


def linux(args):
    return os.path.join(args.boot, 'vmlinuz'), os.path.join(args.boot, 'linux.cpio')


def guests(side, args):
    return {n: console(side, args, machine(256, 1) + ['-kernel', args.demo(n)], r'^hypervisor: done', 1)[-1][0]
            for n in [1, 2, 4, 8]}


def domains(side, args):
    points = {}
    for n in [1, 2, 4, 8]:
        options = machine(256 + 192 * n, 1) + ['-kernel', os.path.join(args.boot, 'xen'), '-append', 'console=dtuart']
        for k in range(1, n + 1):
            options += ['-xen-domu', 'kernel=%s,initrd=%s,append=console=ttyAMA0 elmu.name=domu%d,mem=160M,vcpus=1' % (
                *linux(args), k)]
        points[n] = console(side, args, options, r'domu\d+: shell ready', n)[-1][0]
    return points


def vcpus(side, args):
    points = {}
    for n in [1, 2, 4, 8]:
        kernel, initrd = linux(args)
        options = machine(1024, n) + ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyAMA0']
        points[n] = console(side, args, options, r'elmu: shell ready', 1)[-1][0]
    return points


def ram(side, args):
    return {n: 1000 * console(side, args, machine(n, 1) + ['-kernel', args.guest('null')], BARE, 1)[-1][0]
            for n in [256, 1024, 4096, 16384]}


def stage2(side, args):
    points, before = {}, 0
    for now, line in console(side, args, machine(256, 1) + ['-kernel', args.guest('mem')], r'^BENCH walk\.16384p', 1):
        phase = re.match(r'BENCH walk\.(\d+)p ops=(\d+)', line)
        if phase:
            points[int(phase.group(1))] = 1e9 * (now - before) / int(phase.group(2))
        before = now
    return points


PLOTS = {
    'guests': (guests, 'open guests under the demo hypervisor', 'seconds'),
    'domains': (domains, 'Linux guests under dom0less Xen, one PE', 'seconds'),
    'vcpus': (vcpus, 'PEs of Linux at EL2, to its shell', 'seconds'),
    'ram': (ram, 'MiB of RAM, start to the first line', 'ms'),
    'stage2': (stage2, 'pages behind two stages: one load', 'ns'),
}


# ---- the drawing: a panel for each plot, the x axis by doublings ----

WIDTH, HEIGHT, LEFT, BOTTOM, HEAD = 460, 300, 52, 48, 46


def panel(at, title, unit, figures):
    xs = sorted(figures['elmu'])
    top = max(max(f.values()) for f in figures.values()) * 1.12
    span = max(x_of(xs[-1]) - x_of(xs[0]), 1)

    def place(x, y):
        return (at[0] + LEFT + (x_of(x) - x_of(xs[0])) / span * (WIDTH - LEFT - 40),
                at[1] + HEIGHT - BOTTOM - y / top * (HEIGHT - BOTTOM - HEAD))
    out = ['<text x="%d" y="%d" font-size="13">%s (%s of CPU time)</text>' % (at[0] + LEFT, at[1] + 24, title, unit)]
    for k in range(5):
        x, y = place(xs[0], top / 1.12 * k / 4)
        out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>' % (x, y, at[0] + WIDTH - 30, y))
        out.append('<text x="%.1f" y="%.1f" text-anchor="end">%.3g</text>' % (x - 8, y + 4, top / 1.12 * k / 4))
    for x in xs:
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%d</text>' % (
            place(x, 0)[0], at[1] + HEIGHT - BOTTOM + 18, x))
    for side, points in figures.items():
        path = ' '.join('%.1f,%.1f' % place(x, points[x]) for x in xs)
        out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, COLOURS[side]))
        for x in xs:
            out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %d: %.3g %s</title></circle>' % (
                *place(x, points[x]), COLOURS[side], side, x, points[x], unit))
    return out


def x_of(x):
    return x.bit_length() - 1 + (x / (1 << (x.bit_length() - 1)) - 1)


def draw(results):
    rows = (len(results) + 1) // 2
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">' % (
        2 * WIDTH, rows * HEIGHT + 24), '<rect width="100%" height="100%" fill="#ffffff"/>']
    for k, side in enumerate(SIDES):
        out.append('<rect x="%d" y="8" width="12" height="12" fill="%s"/><text x="%d" y="18">%s</text>' % (
            LEFT + 80 * k, COLOURS[side], LEFT + 80 * k + 18, {'elmu': 'elmu', 'qemu': 'QEMU'}[side]))
    for k, (name, figures) in enumerate(results.items()):
        _, title, unit = PLOTS[name]
        out += panel((k % 2 * WIDTH, k // 2 * HEIGHT + 24), title, unit, figures)
    return '\n'.join(out + ['</svg>', ''])


def main():
    parser = argparse.ArgumentParser(description='How cost grows; see the head of this file.')
    parser.add_argument('-o', default=os.path.join(run.ROOT, 'docs', 'growth.svg'), metavar='FILE')
    parser.add_argument('-n', type=int, default=1, metavar='ROUNDS')
    parser.add_argument('--elmu', default=os.path.join(run.ROOT, 'elmu'), metavar='CMD')
    parser.add_argument('--qemu', default='qemu-system-aarch64', metavar='CMD')
    parser.add_argument('--guests', default=os.path.join(run.ROOT, '..', 'shared', 'bench'), metavar='DIR')
    parser.add_argument('--cache', metavar='DIR')
    parser.add_argument('plots', nargs='*', metavar='PLOT')
    args = parser.parse_args()
    for name in args.plots:
        if name not in PLOTS:
            parser.error('%s: no such plot (there are: %s)' % (name, ' '.join(PLOTS)))
    args.boot = run.boot_folder(args)
    folder = run.guests_build(args.guests)
    args.guest = lambda name: os.path.join(folder, name + '.elf')
    args.demo = lambda n: run.made('guest/demo-%d.elf' % n)
    run.watch_closely()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    results = {}
    for name in args.plots or ['guests', 'vcpus', 'ram', 'stage2']:
        rounds = {s: [] for s in SIDES}
        for _ in range(args.n):
            for side in SIDES:
                rounds[side].append(PLOTS[name][0](side, args))
        results[name] = {s: {x: statistics.median(r[x] for r in rounds[s]) for x in rounds[s][0]} for s in SIDES}
        for x in results[name]['elmu']:
            print('%-8s %6d  elmu %9.3f  QEMU %9.3f %s' % (
                name, x, results[name]['elmu'][x], results[name]['qemu'][x], PLOTS[name][2]), flush=True)
        with open(args.o, 'w', encoding='utf-8') as f:  # after each plot: one may take long
            f.write(draw(results))
    return 0


if __name__ == '__main__':
    sys.exit(main())
