#!/usr/bin/env python3
"""Views of the machine (view/) on the demo hypervisor: draw lists against golden ones, on both engines; what is drawn lies
within the picture and no text on another; SVG files are well-formed and need nothing beside them; looking changes nothing.

    tests/view/run.py ELMU [BUILD] [--bless]      ends with "N passed, N failed"; --bless writes tests/view/golden anew

Look at the pictures before you bless: tests/view/pictures.sh makes them. Nothing here depends on host time.
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '../..')
GOLDEN = os.path.join(HERE, 'golden')
# In the closed guest, which has masked the timer's interrupt that lies in its list register.
HELD = 4022812
# name: view, words, instruction
PICTURES = {
    'code': ('code', '', HELD),
    'code-el2': ('code', '', 4021000),
    'walk': ('walk', '', HELD),
    'walk-fault': ('walk', '0x50000000 vmid=1', HELD),
    'walk-ipa': ('walk', '0x40000000 vmid=2 ipa', HELD),
    'walk-el2': ('walk', '0x40200000 el=2', HELD),
    'memory': ('memory', '', HELD),
    'interrupts': ('interrupts', '', HELD),
    'interrupts-chosen': ('interrupts', 'intid=33', HELD),
    'traps': ('traps', '', HELD),
    'traps-el0': ('traps', 'el=0', HELD),
    'exits': ('exits', '', 6500000),
    'exits-alone': ('exits', 'vmid=1 insns', 6500000),
    'timeline': ('timeline', '', 6500000),
    'timeline-zoom': ('timeline', '4020000 4024000', 6500000),
    'start-timeline': ('timeline', '', 10),
    'start-walk': ('walk', '', 10),
    'start-memory': ('memory', '', 10),
    'start-interrupts': ('interrupts', '', 10),
    'start-traps': ('traps', '', 10),
    'start-exits': ('exits', '', 10),
}
END = 6550000
# Each: options, what standard error must say.
WRONG = [
    ('wlak,file=x.svg', "no view \"wlak\" (did you mean 'walk'?)"),
    ('walk', 'needs file='),
    ('walk,file=DIR/x.png', '.svg'),
    ('walk,file=DIR/none/x.svg', 'none/x.svg'),
    ('walk,file=DIR/x.svg,theme=grey', 'expected dark or light'),
    ('walk,file=DIR/x.svg,size=10x10', 'expected WIDTHxHEIGHT'),
    ('walk,file=DIR/x.svg,size=640x480x3', 'expected WIDTHxHEIGHT'),
    ('walk,file=DIR/x.svg,words=0x1000 el=7', 'from 0 to 3'),
    ('walk,file=DIR/x.svg,words=no_such_name', 'no address, register or symbol'),
    ('walk,file=DIR/x.svg,words=0x1000 0x2000', 'what is "0x2000"'),
    ('exits,file=DIR/x.svg,words=vmid=77', 'VMID 77 has not been seen'),
    ('memory,file=DIR/x.svg,words=all', 'no words'),
    ('interrupts,file=DIR/x.svg,words=intid=1000', 'no INTID 1000'),
    ('timeline,file=DIR/x.svg,words=20 10', 'FROM below TO'),
    ('traps,file=DIR/x.svg,words=' + 'el=1 ' * 20, 'too many words'),
]
SHAPE = re.compile(r'^(\w+) (-?\d+) (-?\d+) (-?\d+) (-?\d+)(?: (.*))?$')


class Suite:
    def __init__(self, elmu, build, bless, folder):
        self.elmu, self.build, self.bless, self.folder = os.path.abspath(elmu), build, bless, folder
        self.passed = self.failed = 0

    def check(self, what, ok, why=''):
        self.passed += bool(ok)
        self.failed += not ok
        if not ok:
            print('FAIL %s%s' % (what, ': ' + why if why else ''))

    def run(self, *options):
        command = [self.elmu, '-M', 'virt,gic-version=3,virtualization=on', '-cpu', 'cortex-a57', '-m', '256M', '-nographic', '-stats', '-kernel',
                   os.path.join(self.build, 'guest/demo.elf'), '-max-insns', str(END)] + list(options)
        return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)

    def pictures(self, name, ending, *options):
        """All pictures into a folder of that name; returns the hash of the run."""
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        asked = []
        for key, (view, words, at) in PICTURES.items():
            asked += ['-picture', '%s,words=%s,at=%d,file=%s/%s%s%s' % (view, words, at, folder, key, ending,
                                                                       ',theme=dark' if name == 'dark' else '')]
        r = self.run(*asked, *options)
        m = re.search(r'^hash (\w+)$', r.stderr, re.M)
        self.check('run for ' + name, m, r.stderr[-300:])
        return m and m.group(1)


def shapes(text):
    for number, line in enumerate(text.splitlines()):
        m = SHAPE.match(line)
        if m and m.group(1) != 'canvas':
            yield number + 1, m.group(1), [int(m.group(n)) for n in range(2, 6)], m.group(6) or ''


def layout(text):
    """What is wrong with it: a shape outside of the picture, a text on another or out of the box that it begins in."""
    width, height = [int(n) for n in text.split('\n', 1)[0].split()[1:3]]
    texts, boxes = [], []
    for line, kind, (x, y, w, h), rest in shapes(text):
        if kind in ('rect', 'hatch', 'text', 'zone') and (x < 0 or y < 0 or x + w > width + 1 or y + h > height + 1):
            return 'line %d: outside of %d by %d' % (line, width, height)
        if kind == 'rect':
            boxes.append((x, y, w, h))
        if kind != 'text':
            continue
        for x2, y2, w2, h2, other in texts:
            if x < x2 + w2 and x2 < x + w and y + 3 < y2 + h2 and y2 + 3 < y + h:
                return 'line %d: %s lies on %s' % (line, rest, other)
        texts.append((x, y, w, h, rest))
        for bx, by, bw, bh in boxes:
            if bx <= x < bx + bw and by <= y + h / 2 < by + bh and x + w > bx + bw + 1:
                return 'line %d: %s is wider than its box' % (line, rest)
    return ''


def svg_wrong(path):
    root = xml.parse(path).getroot()
    name = lambda e: e.tag.split('}')[1]
    if [name(e) for e in root[:2]] != ['title', 'desc'] or not root[0].text or root.get('role') != 'graphics-document':
        return 'no title and description'
    if any('href' in a for e in root.iter() for a in e.attrib):
        return 'refers to something else'
    if any(name(e) in ('script', 'style', 'image', 'foreignObject') for e in root.iter()):
        return 'more than shapes'
    if not all(e.get('textLength') for e in root.iter() if name(e) == 'text'):
        return 'text without its width'
    if any(t != t.strip(' ') or '  ' in t for t in (e.text or '' for e in root.iter() if name(e) == 'text')):
        return 'blanks that a reader may drop'
    named = {e.get('id') for e in root.iter() if name(e) == 'pattern'}
    used = {m for e in root.iter() for m in re.findall(r'url\(#(.*)\)', e.get('fill', ''))}
    return '' if used <= named else 'a hatch that is not there'


def lists_check(s):
    plain = re.search(r'^hash (\w+)$', s.run().stderr, re.M).group(1)
    for engine in ('threaded', 'step'):
        s.check('looking changes nothing, ' + engine, s.pictures(engine, '.list', '-engine', engine) == plain)
    for key in PICTURES:
        lists = [open(os.path.join(s.folder, engine, key + '.list')).read() for engine in ('threaded', 'step')]
        golden = os.path.join(GOLDEN, key + '.list')
        if s.bless:
            open(golden, 'w').write(lists[0])
        s.check(key + ' on both engines', lists[0] == lists[1])
        wanted = open(golden).read() if os.path.exists(golden) else ''
        differs = [n + 1 for n, (a, b) in enumerate(zip(lists[0].split('\n'), wanted.split('\n'))) if a != b]
        s.check(key, lists[0] == wanted, 'differs from %s from line %s on (tests/view/pictures.sh shows it, --bless keeps it)' %
                (os.path.relpath(golden), differs[0] if differs else 'the end'))
        s.check(key + ': layout', not layout(lists[0]), layout(lists[0]))


def svg_check(s):
    for theme in ('light', 'dark'):
        s.pictures(theme, '.svg')
        for key in PICTURES:
            why = svg_wrong(os.path.join(s.folder, theme, key + '.svg'))
            s.check('%s, %s' % (key, theme), not why, why)


def wrong_check(s):
    for option, says in WRONG:
        r = s.run('-picture', option.replace('DIR', s.folder))
        s.check('-picture ' + option[:60], r.returncode == 1 and says in r.stderr.split('\n')[-2 if r.stderr.endswith('\n') else -1] + r.stderr and
                not os.path.exists(s.folder + '/x.svg'), r.stderr[-200:])


def small_check(s):
    """Odd sizes: nothing falls over."""
    for size in ('320x200', '800', '9999x9999'):
        asked = []
        for key, (view, words, at) in PICTURES.items():
            asked += ['-picture', '%s,words=%s,at=%d,file=%s/small.svg,size=%s' % (view, words, at, s.folder, size)]
        r = s.run(*asked)
        s.check('size=' + size, r.returncode == 3 and not svg_wrong(s.folder + '/small.svg'), r.stderr[-200:])


def main():
    bless = '--bless' in sys.argv
    words = [w for w in sys.argv[1:] if w != '--bless']
    with tempfile.TemporaryDirectory() as folder:
        s = Suite(words[0], os.path.abspath(words[1] if len(words) > 1 else 'build'), bless, folder)
        lists_check(s)
        svg_check(s)
        wrong_check(s)
        small_check(s)
    print('%d passed, %d failed' % (s.passed, s.failed))
    return s.failed != 0


if __name__ == '__main__':
    sys.exit(main())
