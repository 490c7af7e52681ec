#!/usr/bin/env python3
"""Sums up what gcov says of two builds: a line that any object file of either executed is covered. See tests/coverage.sh.

coverage.py STEPPING THREADED REASONS: two files of `gcov -t` output, and the file that says why lines are not reached. The lines
are those that the compiler of the first build has code for. Fails below 95 %, and when REASONS is not true: a row whose
function is covered now, or SPAN lines and more of a function that no row names.
"""
import bisect
import collections
import re
import sys

SPAN = 4  # uncovered lines of one function that need a reason


def read(path):
    """{file: {line: executed}}"""
    counts, name = collections.defaultdict(dict), None
    for line in open(path, errors='replace'):
        m = re.match(r' *([^:]+): *(\d+):(.*)', line)
        if not m:
            continue
        count, number, text = m[1].strip(), int(m[2]), m[3]
        if number == 0:
            if text.startswith('Source:'):
                name = re.sub(r'^\./', '', text[len('Source:'):])
        elif count != '-' and name and re.match(r'(cpu|mmu)/', name):
            counts[name][number] = counts[name].get(number, False) or not count.startswith(('#', '='))
    return counts


def functions(path):
    """[(first line, name)] of a source file: what begins in column 1 and has a parameter list or is a row of a table."""
    found = []
    for number, line in enumerate(open(path, errors='replace'), 1):
        m = re.match(r'(?!enum|struct \w+ {|typedef|extern)(?=[A-Za-z_])(?:.*?\b)??([A-Za-z_]\w*)\((\w*)', line)
        if m and not line.rstrip().endswith(';'):
            found.append((number, m[2] if m[1].isupper() and m[2] else m[1]))
    return found


def spans(lines):
    found = []
    for n in lines:
        if found and n <= found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return found


def reasons(path):
    """{(file, function): reason}; function * is all of the file."""
    rows = {}
    for number, line in enumerate(open(path), 1):
        if line.strip() and not line.startswith('#'):
            try:
                place, reason = line.rstrip('\n').split('\t', 1)
                name, function = place.split(':')
                rows[name, function] = reason
            except ValueError:
                sys.exit('%s:%d: want FILE:FUNCTION, a tab, the reason' % (path, number))
    return rows


def main(stepping, threaded, reasons_path):
    first, second, rows = read(stepping), read(threaded), reasons(reasons_path)
    covered = total = bad = 0
    used = set()
    for name in sorted(first):
        a, b = first[name], second.get(name, {})
        done = {n for n in a if a[n] or b.get(n)}
        missing = sorted(set(a) - done)
        covered, total = covered + len(done), total + len(done) + len(missing)
        starts = functions(name)
        of = collections.defaultdict(list)
        for n in missing:
            at = bisect.bisect_right(starts, (n, '\x7f')) - 1
            of[starts[at][1] if at >= 0 else '-'].append(n)
        print('%-24s %5d of %5d  %5.1f %%  %s' % (name, len(done), len(done) + len(missing), 100.0 * len(done) / max(1, len(done) + len(missing)),
                                                 ' '.join('%d' % s[0] if s[0] == s[1] else '%d-%d' % tuple(s) for s in spans(missing))))
        for function, lines in of.items():
            key = next((k for k in ((name, function), (name, '*')) if k in rows), None)
            if key:
                used.add(key)
            elif len(lines) >= SPAN:
                bad += 1
                print('FAIL %s:%s: %d lines not reached, from %d on, and %s has no reason' % (name, function, len(lines), lines[0], reasons_path))
    for key in rows:
        if key not in used:
            bad += 1
            print('FAIL %s: %s:%s is reached now, or gone' % ((reasons_path,) + key))
    share = 100.0 * covered / total if total else 0
    print('%d of %d lines, %.1f %%' % (covered, total, share))
    return bad > 0 or share < 95


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:4]))
