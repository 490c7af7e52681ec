#!/usr/bin/env python3
"""Draws a flame graph (SVG) of where elmu spends its time.

    bench/flame.py [-o FILE] [-t TITLE] -- COMMAND...       records the command with perf, then draws
    bench/flame.py [-o FILE] [-t TITLE] -i FILE             draws what `perf script` printed

A box is a function, as wide as its share of the samples; below it who called it. Handlers tail-call each other, so
that all of them stand on the engine's run function side by side: their widths say which instructions cost most. What
takes less than a four-hundredth of the whole is drawn in one box with its like. Boxes have their share as a tooltip.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

WIDTH, ROW, MARGIN, TOP = 1200, 17, 10, 44
SMALLEST = 1 / 400
COLOURS = [(r'^(thr|step)_', '#e8a33d'), (r'^fused_', '#d97a2b'), (r'^(mmu|mem|access|tags|walk|tlb|phys|fast|victim)', '#6fa8dc'),
           (r'^(exc|exception|trap)', '#cc6666'), (r'^(gic|timer)', '#8e7cc3'), (r'^(code|decode)', '#76a874'),
           (r'.*_[kK]$|^\[', '#b0b0b0')]


def record(command):
    with tempfile.NamedTemporaryFile() as data:
        perf = ['perf', 'record', '-q', '-F', '999', '--call-graph', 'dwarf,4096', '-o', data.name, '--']
        subprocess.run(perf + command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        perf = ['perf', 'script', '--no-inline', '-F', 'comm,period,ip,sym', '-i', data.name]
        return subprocess.run(perf, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


class Node:
    def __init__(self, name):
        self.name, self.weight, self.children = name, 0, {}

    def add(self, stack, weight):
        self.weight += weight
        if stack:
            self.children.setdefault(stack[0], Node(stack[0])).add(stack[1:], weight)

    def depth(self):
        return 1 + max([c.depth() for c in self.children.values()], default=0)

    def prune(self, least):
        """Puts small children in one."""
        small = [c for c in self.children.values() if c.weight < least]
        if len(small) > 1:
            rest = Node('%d more' % len(small))
            rest.weight = sum(c.weight for c in small)
            for c in small:
                del self.children[c.name]
            if rest.weight >= least:
                self.children[rest.name] = rest
        for c in self.children.values():
            c.prune(least)


def read(text):
    """The tree of stacks, and the number of samples."""
    root, samples = Node('all'), 0
    for block in re.split(r'\n\s*\n', text):
        lines = block.strip('\n').split('\n')
        head = re.match(r'\s*\S.*?\s(\d+)\s*:?\s*$', lines[0])
        if not head:
            continue
        stack = []
        for line in lines[1:]:
            frame = re.match(r'\s+[0-9a-f]+\s+(.*?)(\+0x[0-9a-f]+)?$', line)
            if frame:
                stack.insert(0, frame.group(1).replace('[unknown]', '[?]'))
        while stack and stack[0] in ('[?]', '_start', '__libc_start_main', '__libc_start_main_alias_1',
                                     '__libc_start_call_main', '__libc_start_main@@GLIBC_2.34'):
            stack.pop(0)
        if stack:
            root.add(stack, int(head.group(1)))
            samples += 1
    return root, samples


def colour(name):
    return next((c for pattern, c in COLOURS if re.match(pattern, name)), '#d9c27a')


def boxes(node, x, level, whole, height, out):
    width = node.weight / whole * (WIDTH - 2 * MARGIN)
    y = height - MARGIN - (level + 1) * ROW
    name = escape(node.name)
    out.append('<g><title>%s: %.2f %%</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
        name, 100 * node.weight / whole, x, y, max(width - 0.4, 0.2), ROW - 1, colour(node.name)))
    room = int(width / 6.4)
    if room > 3:
        short = node.name if len(node.name) <= room else node.name[:room - 1] + '…'
        out.append('<text x="%.1f" y="%d">%s</text>' % (x + 2, y + ROW - 5, escape(short)))
    out.append('</g>')
    for child in sorted(node.children.values(), key=lambda c: -c.weight):
        boxes(child, x, level + 1, whole, height, out)
        x += child.weight / whole * (WIDTH - 2 * MARGIN)


def draw(root, samples, title):
    root.prune(root.weight * SMALLEST)
    height = TOP + root.depth() * ROW + 2 * MARGIN
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="monospace" font-size="10.5">' % (
        WIDTH, height), '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="%d" y="24" font-size="15">%s</text>' % (MARGIN, escape(title)),
        '<text x="%d" y="40">%d samples; orange: handlers (dark: fused pairs), blue: memory, red: exceptions, violet: '
        'GIC and timers, green: decoding</text>' % (MARGIN, samples)]
    boxes(root, MARGIN, 0, root.weight, height, out)
    return '\n'.join(out + ['</svg>', ''])


def main():
    parser = argparse.ArgumentParser(description='Flame graph; see the head of this file.')
    parser.add_argument('-o', default='flame.svg', metavar='FILE')
    parser.add_argument('-t', default='Where elmu spends its time', metavar='TITLE')
    parser.add_argument('-i', metavar='FILE', help='the output of perf script -F comm,period,ip,sym')
    parser.add_argument('command', nargs='*')
    args = parser.parse_args()
    if bool(args.i) == bool(args.command):
        parser.error('either -i FILE or a command')
    if args.i:
        with open(args.i, encoding='utf-8') as f:
            text = f.read()
    else:
        text = record(args.command)
    root, samples = read(text)
    if not samples:
        sys.exit('flame.py: no samples')
    with open(args.o, 'w', encoding='utf-8') as f:
        f.write(draw(root, samples, args.t))
    return 0


if __name__ == '__main__':
    sys.exit(main())
