#!/usr/bin/env python3
"""Pairs elmu with qemu-system-aarch64 and prints elmu's speed at each kind of work, against what it is to reach.

    bench/run.py [-n ROUNDS] [-l] [--engine NAME[,NAME]] [--elmu CMD] [--qemu CMD] [--guests DIR] [--cache DIR]
                 [--results FILE [--note TEXT]] [ROW...]

Rows: `linux` (Debian's Linux at EL2, from start to power-off), `xen` (Xen with a Linux dom0, to power-off), `linux.user`
and `xen.user` (the same with work for user code between: tests/images/user), `debian` (a Debian system, from start to
the login that systemd gives; skipped, with a word, while tests/images/debian.sh has not made it), `linux-max`, the
bare-metal guests found in DIR (default ../shared/bench beside the project): null, int, cold... and those of
bench/guests: msi, virq2, dma, config, smp4. Default: all but linux-max. The emulators take turns on the same host, ROUNDS
times (default 5): elmu, QEMU as it comes, QEMU with pmu=off (its PMU costs it up to half of an exit). With --engine elmu
runs with `-engine NAME`; of several each has its turn in each round, a column of its own, and the last one the verdict.
What counts is CPU time: wall time is nowhere in the results. Guests print BEGIN and BENCH lines around their phases;
the process's CPU clock is read at those lines, so each phase is a line of its own. The boots count by user time,
debian by the CPU clock at its login, where the process is ended. A figure is QEMU's time / elmu's in the same round, so
that 2 is twice as fast; the line has the median of the rounds with the least and the greatest. The verdict compares the
median with GOALS (QEMU as it comes; in brackets with pmu=off). A run counts only when it ended with status 0 and its
console said what it had to: otherwise the row fails, and so does the script. A verdict "below" is a result, not a
failure. --results writes the table with the machine and the versions it came from. Needs Linux (CPU clocks of other
processes) and Python 3.
"""
import argparse
import datetime
import hashlib
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'images'))
import qemu as pair  # noqa: E402  (tests/images/qemu.py)

SOURCES = ['lib', 'cpu', 'mmu', 'gic', 'timer', 'board', 'debug', 'frontend']
LIMIT_INSNS = '20000000000'
TOO_SHORT = 0.0005  # seconds of QEMU's below which a phase says nothing

# Phase (or row) by pattern: at least, with pmu=off where that is asked for too, and what is aimed at.
GOALS = [
    (r'linux', 1.2, None, 1.6),
    (r'linux\.user', 1.6, None, 2),
    (r'xen', 1.3, None, None),
    (r'xen\.user', 1.1, None, 1.5),
    (r'debian', 2.5, None, None),
    (r'null', 2, None, 5),
    (r'int', 1.1, None, 1.5),
    (r'cold', 1.4, None, 1.8),
    (r'simd\.double', 4, None, None),
    (r'simd\.int8', 1.2, None, None),
    (r'copy\.32M', 0.95, None, 1.3),
    (r'copy\..*', 1.2, None, None),
    (r'stride\.(16|256)K', 1.3, None, 1.8),
    (r'stride\.(4|64)M', 1.7, None, None),
    (r'walk\.64p', 1.1, None, 1.5),
    (r'walk\.1024p', 40, None, None),
    (r'walk\.16384p', 25, None, None),
    (r'hvc\.min', 16, 2.2, None),
    (r'hvc\.full', 6.5, 2.2, None),
    (r'mmio', 5, 2.2, None),
    (r'trap', 5.6, 2.2, None),
    (r'virq', 6.3, 3, None),
    (r'switch\.vm', 18, None, None),
    (r'switch\.asid', 40, None, None),
    (r'churn\.spread', 30, None, None),
    (r'churn\.same', 45, None, None),
    (r'atomic\..*', 1.0, None, 1.3),
    (r'timer\.now', 19, 3, None),
    (r'timer\.wfi', 95, None, None),
    (r'msi|virq2', 4, None, 8),
    (r'dma\..*', 0.6, None, 3),
    (r'config\..*', 2, None, 4),
    (r'smp4\.(one|four)', 0.45, None, 0.9),
    (r'smp4\.(meet|sleep)', 10, None, None),
]

# Guests of bench/guests: name, properties of -M virt, other options.
with open(os.path.join(ROOT, 'bench', 'guests', 'guests.list'), encoding='utf-8') as guests_list:
    GUESTS = [line.split() for line in guests_list if line.strip() and not line.startswith('#')]


def goal_of(name):
    for pattern, least, least_nopmu, aim in GOALS:
        if re.fullmatch(pattern, name):
            return least, least_nopmu, aim
    return None, None, None


class Row:
    """What is run, and what is shown of it: user time, CPU time to the first line or to a text that ends it (until), or
    phases by pattern. missing: why it cannot be run."""

    def __init__(self, name, cpu, options, wanted, memory='256M', shown='', machine='virtualization=on,gic-version=3',
                 until=None, missing=None):
        self.name = name
        self.machine = machine
        self.cpu = cpu
        self.options = ['-smp', '1', '-m', memory] + options
        self.wanted = wanted  # patterns that the console must match
        self.shown = shown
        self.until = until
        self.missing = missing

    def elmu_options(self):
        return ['-M', 'virt,' + self.machine, '-cpu', self.cpu, '-nographic'] + self.options

    def command(self, side, args, folder):
        if not side.startswith('qemu'):
            engine = ['-engine', side] if side in args.engines else []
            return shlex.split(args.elmu) + self.elmu_options() + engine + ['--max-insns', LIMIT_INSNS]
        options = self.elmu_options()
        if side == 'qemu-nopmu':
            options[options.index('-cpu') + 1] += ',pmu=off'
        own, rest = pair.parse(options)
        if own['dom0'] or own['domus']:
            side_folder = os.path.join(folder, side)
            os.mkdir(side_folder)
            rest += pair.xen_options(own, rest, args.qemu, side_folder)
        return [args.qemu] + rest

    def figures(self, run):
        """Seconds by name of the lines that this row makes."""
        if self.shown == 'user':
            return {self.name: run.user}
        if self.until:
            return {} if run.reached is None else {self.name: run.reached}
        if self.shown == 'start':
            return {} if run.start is None else {self.name: run.start}
        return {p: s for p, s in run.seconds.items() if re.match(self.shown, p)}


def boot_folder(args):
    """The folder of the images, made when it is not there yet."""
    prepare = [os.path.join(ROOT, 'tests', 'images', 'prepare.sh')] + ([args.cache] if args.cache else [])
    return subprocess.run(prepare, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def debian_row(boot):
    """The system that tests/images/debian.sh made, under the name that it has for it."""
    cache, made_from = os.path.dirname(boot), hashlib.sha256()
    images = os.path.join(ROOT, 'tests', 'images')
    for path in [os.path.join(cache, 'images', 'SHA256SUMS')] + [
            os.path.join(images, name) for name in ('debian.sh', 'debian-setup', 'initrd/debian')]:
        with open(path, 'rb') as f:
            made_from.update(f.read())
    folder = os.path.join(cache, 'debian-' + made_from.hexdigest()[:16])
    modules = ['virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk', 'crc16', 'crc32c_generic',
               'libcrc32c', 'mbcache', 'jbd2', 'ext4', 'autofs4']
    options = ['-kernel', os.path.join(boot, 'vmlinuz'), '-initrd', os.path.join(folder, 'debian.cpio'),
               '-append', 'console=ttyAMA0 elmu.modules=' + ':'.join(modules),
               '-drive', 'file=%s/debian.img,if=none,format=raw,snapshot=on,id=d' % folder,
               '-device', 'virtio-blk-pci,drive=d']
    there = os.path.exists(os.path.join(folder, 'debian.img'))
    return Row('debian', 'cortex-a57', options, [r'Welcome to'], '1G', until='debian login:',
               missing=None if there else 'tests/images/debian.sh has not made %s' % folder)


def image_rows(boot):
    kernel, initrd = os.path.join(boot, 'vmlinuz'), os.path.join(boot, 'linux.cpio')
    linux = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyAMA0 elmu.off=1']
    off = [r'elmu: shell ready', r'reboot: Power down']
    user = os.path.join(boot, 'user.cpio')
    linux_user = ['-kernel', kernel, '-initrd', user, '-append', 'console=ttyAMA0 elmu.run=user elmu.off=1']
    worked = [r'user: %s right' % what for what in ('sha256', 'awk', 'gzip')] + [r'user: done']
    halted = [r'dom0: shell ready', r'Hardware Dom0 halted']

    def xen(initrd, words):
        return ['-kernel', os.path.join(boot, 'xen'), '-append', 'console=dtuart dom0_mem=512M', '-xen-dom0',
                'kernel=%s,initrd=%s,append=console=hvc0 elmu.name=dom0 %selmu.off=1' % (kernel, initrd, words)]
    return [Row('linux', 'cortex-a57', linux, off, '1G', 'user'),
            Row('linux.user', 'cortex-a57', linux_user, off + worked, '1G', 'user'),
            Row('linux-max', 'max', linux, off, '1G', 'user'),
            Row('xen', 'cortex-a57', xen(initrd, ''), halted, '1G', 'user'),
            Row('xen.user', 'cortex-a57', xen(user, 'elmu.run=user '), halted + worked, '1G', 'user'), debian_row(boot)]


def guests_build(folder):
    """Builds the guests in the build folder, from a copy of theirs (never in the folder itself)."""
    scratch = os.path.join(os.environ.get('B', os.path.join(ROOT, 'build')), 'benchmarks')
    shutil.copytree(folder, scratch, dirs_exist_ok=True)
    clean = {k: v for k, v in os.environ.items() if k not in ('B', 'MAKEFLAGS', 'MFLAGS')}
    built = subprocess.run(['make', '-s', '-j2', '-C', scratch], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False, env=clean)
    if built.returncode:
        sys.exit('run.py: the guests do not build:\n' + built.stdout)
    return scratch


def made(target):
    """A file of the build folder, made by its rule there."""
    path = os.path.join(os.environ.get('B', 'build'), target)
    clean = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS')}
    if subprocess.run(['make', '-s', '-C', ROOT, 'B=' + os.path.dirname(path[:-len(target)] + '/'), path], check=False,
                      env=clean).returncode:
        sys.exit('run.py: %s is not made' % target)
    return os.path.join(ROOT, path)


def guest_rows(folder):
    scratch = guests_build(folder)
    with open(os.path.join(scratch, 'Makefile'), encoding='utf-8') as f:
        names = re.search(r'^B = (.*)$', f.read(), re.M).group(1).split()
    ok = [r'(?m)^BENCH .* OK\b']

    def kernel(name):
        return ['-kernel', os.path.join(scratch, name + '.elf')]
    rows = [Row(n, 'cortex-a57', kernel(n), ok, *(['1G', 'start'] if n == 'null' else [])) for n in names]
    if 'atomic' in names:  # its second phase needs FEAT_LSE
        rows.append(Row('atomic-max', 'max', kernel('atomic'), ok, shown=r'atomic\.lse'))
    return rows


def own_rows():
    """The guests of bench/guests, which end by semihosting."""
    ok = [r'(?m)^BENCH .* OK\b']
    return [Row(name, 'cortex-a57', ['-semihosting', '-nic', 'none', '-kernel', made('guest/bench/%s.elf' % name)] + options,
                ok, machine=machine) for name, machine, *options in GUESTS]


def process_clock(pid):
    """CPU time of a process with all threads that it ever had, until it is waited for: clock_getcpuclockid(3). Linux brings
    that of another process up to now at ticks only, which are 4 ms, or when a thread's policy changes."""
    for thread in map(int, os.listdir(f'/proc/{pid}/task')):
        try:
            plain = os.sched_getscheduler(thread) == os.SCHED_OTHER
            os.sched_setscheduler(thread, os.SCHED_BATCH if plain else os.SCHED_OTHER, os.sched_param(0))
        except OSError:
            pass  # it has ended
    return time.clock_gettime((~pid << 3) | 2)


def watch_closely():
    """Lines are seen when they are printed, however busy the host is; children do not inherit it. Needs privilege."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        pass


class Run:
    """One run of one emulator: seconds by phase, start, when `until` was reached (where it is ended), user time, peak
    memory, and why it does not count."""

    def __init__(self, command, wanted, until=None):
        self.seconds, self.start, self.reached, self.fault = {}, None, None, None
        self.lines, self.began = [], None
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        rest = b''
        for got in iter(lambda: os.read(child.stdout.fileno(), 65536), b''):
            now = process_clock(child.pid)
            *whole, rest = (rest + got).split(b'\n')
            for raw in whole:
                self.line(raw.decode('utf-8', 'replace').rstrip(), now)
            if until and until in rest.decode('utf-8', 'replace'):
                self.reached = now
                child.kill()
                break
        self.lines.append(rest.decode('utf-8', 'replace'))
        messages = child.stderr.read().decode('utf-8', 'replace')
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        for stream in (child.stdout, child.stderr):
            stream.close()
        self.user, self.rss = usage.ru_utime, usage.ru_maxrss / 1024
        status = 0 if self.reached is not None else child.returncode
        self.judge('\n'.join(self.lines), messages, status, wanted + ([re.escape(until)] if until else []))

    def line(self, line, now):
        self.lines.append(line)
        if self.start is None and line.startswith(('BEGIN ', 'BENCH ')):
            self.start = now
        if line.startswith('BEGIN '):
            self.began = now
        elif line.startswith('BENCH ') and self.began is not None:
            self.seconds[line.split()[1]] = now - self.began

    def judge(self, console, messages, status, wanted):
        last = (messages.strip() or console).splitlines()[-1:]
        if status != 0:
            self.fault = 'status %d: %s' % (status, ' '.join(last))
        for text in wanted:
            if not re.search(text, console):
                self.fault = self.fault or 'console does not match %r' % text
        if re.search(r'(?m)^(BENCH .* BAD\b|FAIL )', console):
            self.fault = 'a guest found a wrong result'


def compare(figures, name, engine, side):
    """QEMU's time / elmu's by round: those in which both could be measured."""
    rounds = [(e.get(name), q.get(name)) for e, q in zip(figures[engine], figures[side])]
    return [q / max(e, 1e-6) for e, q in rounds if e is not None and q is not None and q >= TOO_SHORT]


def spread(speeds):
    return ['%.2f' % statistics.median(speeds), '%.2f..%.2f' % (min(speeds), max(speeds))] if speeds else ['-', '-']


def verdict(name, speeds, nopmu):
    least, least_nopmu, aim = goal_of(name)
    if least is None or not speeds:
        return '-'
    reached = statistics.median(speeds)
    if reached < least or (least_nopmu and (not nopmu or statistics.median(nopmu) < least_nopmu)):
        return 'below'
    return 'ok, aim reached' if aim and reached >= aim else 'ok'


def lines_of(row, runs):
    """The table's lines of a row."""
    figures = {s: [row.figures(r) for r in runs[s]] for s in runs}
    engines = [s for s in runs if not s.startswith('qemu')]
    lines = []
    for name in figures[engines[0]][0]:
        def seconds(side):
            measured = [f[name] for f in figures[side] if name in f]  # QEMU's SMMU lacks a stage
            return '%.3f' % statistics.median(measured) if measured else '-'
        least, least_nopmu, aim = goal_of(name)
        asked = '-' if least is None else '%g' % least + (' (%g)' % least_nopmu if least_nopmu else '')
        line = [name]
        for engine in engines:
            speeds = compare(figures, name, engine, 'qemu')
            line += [seconds(engine)] + ([seconds('qemu')] if len(line) == 1 else []) + spread(speeds)
        nopmu = compare(figures, name, engine, 'qemu-nopmu')
        lines.append(line + spread(nopmu) + [asked, '%g' % aim if aim else '-', verdict(name, speeds, nopmu)])
    return lines


def columns(args):
    """Their names; with several engines the first is followed by QEMU's time, each by its speed."""
    names = ['work']
    for engine in args.engines or ['elmu']:
        names += [engine + ' s'] + (['QEMU s'] if len(names) == 1 else []) + ['speed', 'least..most']
    return names + ['pmu=off', 'least..most', 'at least', 'aim', 'verdict']


def show(cells, names):
    widths = {'work': 14, 'speed': 7, 'least..most': 14, 'at least': 10, 'aim': 5}
    sized = [(max(widths.get(n, 8), len(n)), c) for n, c in zip(names, cells)]
    print(' '.join(('%-*s' if n in (0, len(sized) - 1) else '%*s') % (w, c) for n, (w, c) in enumerate(sized)).rstrip(),
          flush=True)


def bench(row, args):
    """Runs the row on all sides in turn: its lines and the peaks, or None when a run does not count."""
    engines = args.engines or ['elmu']
    sides = engines + ['qemu', 'qemu-nopmu']
    runs = {s: [] for s in sides}
    with tempfile.TemporaryDirectory() as folder:
        commands = {s: row.command(s, args, folder) for s in sides}
        for turn in range(args.n):
            order = sides if turn % 2 == 0 else sides[::-1]
            for side in order:
                run = Run(commands[side], row.wanted, row.until)
                if run.fault:
                    print('%-14s FAIL on %s: %s' % (row.name, side, run.fault), flush=True)
                    return None
                runs[side].append(run)
    lines = lines_of(row, runs)
    for line in lines:
        show(line, columns(args))
    return lines, (row.name, *(max(r.rss for r in runs[s]) for s in engines + ['qemu']))


def first_line(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
                              cwd=ROOT).stdout.splitlines()[0]
    except (OSError, IndexError):
        return 'unknown'


def machine(args, load):
    """What the figures came from."""
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = re.search(r'(?m)^model name\s*: (.*)$', f.read())
    with open('/proc/meminfo', encoding='utf-8') as f:
        memory = int(re.search(r'MemTotal:\s*(\d+)', f.read()).group(1)) / 1048576
    changed = '' if first_line('git', 'diff', 'HEAD', '--', *SOURCES) == 'unknown' else ', changed'
    facts = [
        ('date', datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC')),
        ('host', '%s %s %s' % (platform.system(), platform.release(), platform.machine())),
        ('processor', '%s, %d cores, %.1f GiB of memory' % (
            model.group(1) if model else platform.processor() or 'unknown', os.cpu_count(), memory)),
        ('load average', '%.1f %.1f %.1f before, %.1f %.1f %.1f after' % (load + os.getloadavg())),
        ('elmu', 'sources of ' + first_line('git', 'log', '-1', '--format=%h', '--', *SOURCES) + changed),
        ('compiler', first_line('gcc', '--version')),
        ('QEMU', first_line(args.qemu, '--version')),
        ('rounds', str(args.n)),
    ]
    return ['- %s: %s' % f for f in facts] + (['- note: ' + args.note] if args.note else [])


def write_results(args, load, results):
    text = ['# elmu against QEMU', '',
            'Written by `make bench` (bench/run.py --results). A speed is QEMU\'s CPU time / elmu\'s in one round:',
            '2 is twice as fast. Median of the rounds, then least and greatest. pmu=off: QEMU without its PMU; "at',
            'least" has what is asked against that in brackets. linux and xen: user time of the whole process to',
            'power-off; .user: with work for user code between (tests/images/user). debian: CPU time to systemd\'s',
            'login. null: CPU time from start to the guest\'s first line, with 1 GiB of RAM.', '']
    names, engines = columns(args), args.engines or ['elmu']
    text += machine(args, load) + ['', '| ' + ' | '.join(names) + ' |', '|' + '---|' * len(names)]
    text += ['| ' + ' | '.join(line) + ' |' for lines, _ in results for line in lines]
    text += ['', 'Peak memory of the process in MiB, guest RAM that was touched included:', '',
             '| row | ' + ' | '.join(engines) + ' | QEMU |', '|---|' + '---|' * (len(engines) + 1)]
    text += ['| ' + ' | '.join([name] + ['%.0f' % p for p in peaks]) + ' |' for _, (name, *peaks) in results]
    with open(args.results, 'w', encoding='utf-8') as f:
        f.write('\n'.join(text) + '\n')


BOOTS = {'linux', 'linux.user', 'linux-max', 'xen', 'xen.user', 'debian'}


def all_rows(args, parser):
    rows = []
    if not args.rows or BOOTS & set(args.rows) or args.l:
        rows += image_rows(boot_folder(args))
    if os.path.exists(os.path.join(args.guests, 'Makefile')):
        rows += guest_rows(args.guests)
    elif not args.rows:
        print('run.py: %s holds no guests: only the boots are measured' % args.guests, file=sys.stderr)
    own = [g[0] for g in GUESTS]
    if not args.rows or args.l or set(own) & set(args.rows):
        rows += own_rows()
    for name in args.rows:
        if name not in [r.name for r in rows]:
            parser.error('%s: no such row (there are: %s)' % (name, ' '.join(r.name for r in rows)))
    return rows


def main():
    parser = argparse.ArgumentParser(description='Pairs elmu with QEMU; see the head of this file.')
    parser.add_argument('-n', type=int, default=5, metavar='ROUNDS')
    parser.add_argument('-l', action='store_true', help='list the rows')
    parser.add_argument('--engine', metavar='NAME[,NAME]', help="elmu's -engine: a column each, in the same rounds")
    parser.add_argument('--elmu', default=os.path.join(ROOT, 'elmu'), metavar='CMD')
    parser.add_argument('--qemu', default='qemu-system-aarch64', metavar='CMD')
    parser.add_argument('--guests', default=os.path.join(ROOT, '..', 'shared', 'bench'), metavar='DIR')
    parser.add_argument('--cache', metavar='DIR', help='where the images are (as in tests/images/fetch.sh)')
    parser.add_argument('--results', metavar='FILE', help='write the table there, when all rows ran')
    parser.add_argument('--note', metavar='TEXT', help='a line for the results')
    parser.add_argument('rows', nargs='*', metavar='ROW')
    args = parser.parse_args()
    if args.n < 1:
        parser.error('-n: at least one round')
    args.engines = args.engine.split(',') if args.engine else []
    if '' in args.engines or len(set(args.engines)) < len(args.engines):
        parser.error('--engine %s: expected names, each once' % args.engine)

    rows, load = all_rows(args, parser), os.getloadavg()
    if args.l:
        print(' '.join(r.name for r in rows))
        return 0
    watch_closely()
    print('speed: QEMU\'s CPU time / elmu\'s, median of %d rounds; in brackets what is asked with pmu=off' % args.n)
    show(columns(args), columns(args))
    wanted = [r for r in rows if r.name in args.rows or (not args.rows and r.name != 'linux-max')]
    for row in wanted:
        if row.missing:
            print('%-14s skipped: %s' % (row.name, row.missing), flush=True)
    results = [bench(r, args) for r in wanted if not r.missing]
    if None in results:
        return 1
    if args.results:
        write_results(args, load, results)
    return 0


if __name__ == '__main__':
    sys.exit(main())
