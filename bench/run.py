#!/usr/bin/env python3
"""Pairs elmu with qemu-system-aarch64 and prints what each costs: CPU time of the whole process, and peak memory.

    bench/run.py [-n PAIRS] [-l] [--elmu CMD] [--qemu CMD] [--guests DIR] [--cache DIR] [ROW...]

Rows: `linux` (Debian's Linux at EL2, from start to power-off), `linux-max`, `xen` (Xen with a Linux dom0, to power-off),
and the bare-metal guests found in DIR (default ../shared/bench beside the project): null, int, cold... Default: linux, xen
and all guests. The emulators take turns on the same host, PAIRS times (default 5); each figure is the median over the
runs, each ratio the median of the pairs' ratios elmu/QEMU with the smallest and the largest behind it. QEMU runs both as
it comes and with pmu=off (its PMU costs it up to half of an exit). Guests print BEGIN and BENCH lines around their
phases; CPU time is read at those lines too, so each phase gets a line of its own.
A run counts only when it ended with status 0 and its console said what it had to: otherwise the row fails, and so does
the script. Wall time is nowhere in the results. Needs Linux (/proc/PID/task/*/schedstat) and Python 3.
"""
import argparse
import glob
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'images'))
import qemu as pair  # noqa: E402  (tests/images/qemu.py)

SIDES = ['elmu', 'qemu', 'qemu-nopmu']
LIMIT_INSNS = '20000000000'


class Row:
    def __init__(self, name, cpu, options, wanted, memory='1G'):
        self.name = name
        self.cpu = cpu
        self.options = ['-smp', '1', '-m', memory] + options
        self.wanted = wanted  # patterns that the console must match

    def elmu_options(self):
        return ['-M', 'virt,virtualization=on,gic-version=3', '-cpu', self.cpu, '-nographic'] + self.options

    def command(self, side, args, folder):
        if side == 'elmu':
            return shlex.split(args.elmu) + self.elmu_options() + ['--max-insns', LIMIT_INSNS]
        options = self.elmu_options()
        if side == 'qemu-nopmu':
            options[options.index('-cpu') + 1] += ',pmu=off'
        own, rest = pair.parse(options)
        if own['dom0'] or own['domus']:
            side_folder = os.path.join(folder, side)
            os.mkdir(side_folder)
            rest += pair.xen_options(own, rest, args.qemu, side_folder)
        return [args.qemu] + rest


def image_rows(boot):
    kernel, initrd = os.path.join(boot, 'vmlinuz'), os.path.join(boot, 'linux.cpio')
    linux = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyAMA0 elmu.off=1']
    off = [r'elmu: shell ready', r'reboot: Power down']
    xen = ['-kernel', os.path.join(boot, 'xen'), '-append', 'console=dtuart dom0_mem=512M', '-xen-dom0',
           'kernel=%s,initrd=%s,append=console=hvc0 elmu.name=dom0 elmu.off=1' % (kernel, initrd)]
    return [Row('linux', 'cortex-a57', linux, off), Row('linux-max', 'max', linux, off),
            Row('xen', 'cortex-a57', xen, [r'dom0: shell ready', r'Hardware Dom0 halted'])]


def guest_rows(folder):
    """Builds the guests in a scratch copy of their folder (never in the folder itself)."""
    scratch = os.path.join(tempfile.gettempdir(), 'elmu-bench-%d' % os.getuid())
    shutil.copytree(folder, scratch, dirs_exist_ok=True)
    built = subprocess.run(['make', '-s', '-j2', '-C', scratch], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
    if built.returncode:
        sys.exit('run.py: the guests do not build:\n' + built.stdout)
    names = re.search(r'^B = (.*)$', open(os.path.join(scratch, 'Makefile')).read(), re.M).group(1).split()
    return [Row(n, 'cortex-a57', ['-kernel', os.path.join(scratch, n + '.elf')],
                [r'(?m)^BENCH .* OK\b'], '256M') for n in names]


def cpu_seconds(pid):
    """CPU time of all threads that live, None when they are gone already."""
    total, found = 0, False
    for path in glob.glob('/proc/%d/task/*/schedstat' % pid):
        try:
            with open(path) as f:
                total += int(f.read().split()[0])
            found = True
        except (OSError, IndexError):
            pass
    return total / 1e9 if found else None


class Run:
    """One run of one emulator: seconds by phase ('' is the whole process), peak memory, and why it does not count."""

    def __init__(self, command, wanted):
        self.seconds = {}
        self.fault = None
        started, name, lines = 0, None, []
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for raw in child.stdout:
            line = raw.decode('utf-8', 'replace').rstrip()
            lines.append(line)
            if line.startswith('BEGIN '):
                started, name = cpu_seconds(child.pid), line.split()[1]
            elif line.startswith('BENCH '):
                self.seconds[line.split()[1]] = self.since(started, cpu_seconds(child.pid))
        messages = child.stderr.read().decode('utf-8', 'replace')
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        for stream in (child.stdout, child.stderr):
            stream.close()
        total = usage.ru_utime + usage.ru_stime
        for phase, value in self.seconds.items():
            if value is None:  # the process was gone before its last line was read
                self.seconds[phase] = total - (started or 0)
        self.seconds[''] = total
        self.user = usage.ru_utime
        self.rss = usage.ru_maxrss / 1024
        self.judge('\n'.join(lines), messages, child.returncode, wanted)

    @staticmethod
    def since(start, now):
        return None if now is None or start is None else now - start

    def judge(self, console, messages, status, wanted):
        last = (messages.strip() or console).splitlines()[-1:]
        if status != 0:
            self.fault = 'status %d: %s' % (status, ' '.join(last))
        for text in wanted:
            if not re.search(text, console):
                self.fault = self.fault or 'console does not match %r' % text
        if re.search(r'(?m)^(BENCH .* BAD\b|FAIL )', console):
            self.fault = 'a guest found a wrong result'


def spread(ratios):
    return '%5.2f (%.2f..%.2f)' % (statistics.median(ratios), min(ratios), max(ratios))


def ratios(runs, side, value):
    return [value(a) / max(value(b), 1e-6) for a, b in zip(runs['elmu'], runs[side])]


def report(row, runs):
    """The row's lines: the whole process, then its phases."""
    phases = [''] + [p for p in runs['elmu'][0].seconds if p]
    for phase in phases:
        def seconds(run, phase=phase):
            return run.seconds.get(phase, 0)
        middle = {s: statistics.median(seconds(r) for r in runs[s]) for s in SIDES}
        line = '%-14s %8.3f %8.3f %8.3f   %-20s %-20s' % (
            '  ' + phase if phase else row.name, middle['elmu'], middle['qemu'], middle['qemu-nopmu'],
            spread(ratios(runs, 'qemu', seconds)), spread(ratios(runs, 'qemu-nopmu', seconds)))
        if not phase:
            line += ' %-20s %5.0f %5.0f' % (
                spread(ratios(runs, 'qemu', lambda r: r.user)),
                max(r.rss for r in runs['elmu']), max(r.rss for r in runs['qemu']))
        print(line.rstrip(), flush=True)


def bench(row, args):
    """Runs the row on all sides in turn; False when a run does not count."""
    runs = {s: [] for s in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        commands = {s: row.command(s, args, folder) for s in SIDES}
        for turn in range(args.n):
            order = SIDES if turn % 2 == 0 else SIDES[::-1]
            for side in order:
                run = Run(commands[side], row.wanted)
                if run.fault:
                    print('%-14s FAIL on %s: %s' % (row.name, side, run.fault), flush=True)
                    return False
                runs[side].append(run)
    report(row, runs)
    return True


def main():
    parser = argparse.ArgumentParser(description='Pairs elmu with QEMU; see the head of this file.')
    parser.add_argument('-n', type=int, default=5, metavar='PAIRS')
    parser.add_argument('-l', action='store_true', help='list the rows')
    parser.add_argument('--elmu', default=os.path.join(ROOT, 'elmu'), metavar='CMD')
    parser.add_argument('--qemu', default='qemu-system-aarch64', metavar='CMD')
    parser.add_argument('--guests', default=os.path.join(ROOT, '..', 'shared', 'bench'), metavar='DIR')
    parser.add_argument('--cache', metavar='DIR', help='where the images are (as in tests/images/fetch.sh)')
    parser.add_argument('rows', nargs='*', metavar='ROW')
    args = parser.parse_args()
    if args.n < 1:
        parser.error('-n: at least one pair')

    prepare = [os.path.join(ROOT, 'tests', 'images', 'prepare.sh')] + ([args.cache] if args.cache else [])
    rows = []
    if not args.rows or {'linux', 'linux-max', 'xen'} & set(args.rows) or args.l:
        boot = subprocess.run(prepare, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        rows += image_rows(boot)
    if os.path.exists(os.path.join(args.guests, 'Makefile')):
        rows += guest_rows(args.guests)
    elif not args.rows:
        print('run.py: %s holds no guests: only the boots are measured' % args.guests, file=sys.stderr)
    known = [r.name for r in rows]
    if args.l:
        print(' '.join(known))
        return 0
    for name in args.rows:
        if name not in known:
            parser.error('%s: no such row (there are: %s)' % (name, ' '.join(known)))
    chosen = [r for r in rows if r.name in args.rows] if args.rows else [r for r in rows if r.name != 'linux-max']

    print('CPU seconds (user + system), median of %d; ratios elmu/QEMU: median of the pairs (least..most)' % args.n)
    print('%-14s %8s %8s %8s   %-20s %-20s %-20s %11s' % (
        'row', 'elmu', 'QEMU', 'pmu=off', 'elmu/QEMU', 'elmu/QEMU pmu=off', 'user time alone', 'peak MiB'), flush=True)
    good = [bench(r, args) for r in chosen]
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
