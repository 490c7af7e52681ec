"""A parser of the Tarmac text form, written from the grammar alone: what is not in it is an error."""
import re

TIME = r'(?P<time>\d+) (?:clk|ns|cs|cyc|tic|ps|us) (?P<cpu>cpu\d+) '
ADDRESS = r'[0-9a-f]{1,16}(?::[0-9a-f]{1,16}(?:_N?S)?)?'
KINDS = [
    ('insn', re.compile(TIME + r'I[TS] \((?P<index>\d+)\) (?P<va>[0-9a-f]+)(?::(?P<pa>[0-9a-f]+)(?:_N?S)?)? '
                        r'(?P<word>[0-9a-f]{8}) O (?P<mode>EL[0-3][ht]_[ns]) : (?P<text>[^{\n].*)$')),
    ('reg', re.compile(TIME + r'R (?P<name>[A-Za-z][A-Za-z0-9_]*) (?P<value>[0-9a-f_]+)$')),
    ('mem', re.compile(TIME + r'M(?P<way>[RW])(?P<size>[1-8]|16)X? (?P<va>[0-9a-f]+)(?::(?P<pa>[0-9a-f]+)(?:_N?S)?)? '
                       r'(?P<value>[0-9a-f]+)(?: (?P<low>[0-9a-f]+))?$')),
    ('event', re.compile(TIME + r'E (?P<pc>[0-9a-f]+) (?P<number>[0-9a-f]{8}) CoreEvent_(?P<name>\w+)$')),
    ('exc', re.compile(TIME + r'EXC \[(?P<what>[^\]]*)\] (?P<text>.*)$')),
]
WIDTHS = {'X': 16, 'V': 32, 'cpsr': 8, 'FPSR': 8, 'FPCR': 8, 'SP_EL': 16}


class Error(Exception):
    pass


def check(kind, m):
    if kind == 'reg':
        name, digits = m['name'], len(m['value'].replace('_', ''))
        width = WIDTHS.get(name) or WIDTHS.get(name.rstrip('0123456789')) or 16
        if digits != width:
            raise Error('%s has %d digits, expected %d' % (name, digits, width))
    if kind == 'mem':
        size = int(m['size'])
        if len(m['value']) + len(m['low'] or '') != 2 * size:
            raise Error('a value of %d digits for %d bytes' % (len(m['value']), size))


def parse(path):
    """Yields (kind, match) for each line."""
    with open(path) as f:
        for number, line in enumerate(f, 1):
            for kind, pattern in KINDS:
                m = pattern.match(line)
                if m:
                    try:
                        check(kind, m)
                    except Error as e:
                        raise Error('%s:%d: %s' % (path, number, e))
                    yield kind, m
                    break
            else:
                raise Error('%s:%d: no such line in the grammar: %s' % (path, number, line.rstrip()))
