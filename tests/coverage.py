#!/usr/bin/env python3
"""Sums up `gcov -t` of many object files: a line that any of them executed is covered. See tests/coverage.sh.

Not counted: what an instrumented build cannot run, EXCLUDED.
"""
import collections
import re
import sys

# The threaded engine needs the tail calls that only an optimized build without counters has. Its handlers are the bodies that the
# stepping engine runs here; that both compute the same is what the determinism and fuzz suites ask.
EXCLUDED = {'cpu/threaded.c', 'cpu/fuse.c', 'cpu/fuse.def'}

counts = collections.defaultdict(dict)  # file -> line -> executed
name = None
for line in sys.stdin:
    m = re.match(r' *([^:]+): *(\d+):(.*)', line)
    if not m:
        continue
    count, number, text = m[1].strip(), int(m[2]), m[3]
    if number == 0:
        if text.startswith('Source:'):
            name = text[len('Source:'):]
        continue
    if count == '-' or name is None or name in EXCLUDED or not re.match(r'(cpu|mmu)/', name):
        continue
    executed = not count.startswith(('#', '='))
    counts[name][number] = counts[name].get(number, False) or executed
covered = total = 0
for name in sorted(counts):
    lines = counts[name]
    done = sum(lines.values())
    covered, total = covered + done, total + len(lines)
    missing, spans = [n for n in sorted(lines) if not lines[n]], []
    for n in missing:
        if spans and n <= spans[-1][1] + 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    print('%-24s %5d of %5d  %5.1f %%  %s' % (name, done, len(lines), 100.0 * done / len(lines),
                                             ' '.join('%d' % a if a == b else '%d-%d' % (a, b) for a, b in spans)))
share = 100.0 * covered / total if total else 0
print('%d of %d lines, %.1f %%' % (covered, total, share))
sys.exit(share < 95)
