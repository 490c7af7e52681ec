"""Lock-step programs for devices: lists of operations that device.S carries out, in groups that begin by resetting the device.

A program is a Script of one kind (gen_pci.py, gen_gicc.py ...): each operation is a load, a store, a register of the GIC's CPU
interface, time that passes, or a sum over memory, and leaves a doubleword in the log that both emulators must share. What they need not share
is masked where it is read: by a `field` line of lockstep.settled, which says why.
"""
import struct

SCRIPT, DATA, DATA_END = 0x40200000, 0x41000000, 0x4c000000
END, READ, WRITE, AGAIN, GET, SET, WAIT, SUM, AGAIN_SET = 0, 1, 5, 9, 10, 11, 12, 13, 14
M64 = (1 << 64) - 1
# The order is that of `registers` and `writers` in device.S.
CALLS = ['ICC_IAR1_EL1', 'ICC_HPPIR1_EL1', 'ICC_IAR0_EL1', 'ICC_RPR_EL1', 'ISR_EL1',
         'ICC_EOIR1_EL1', 'ICC_PMR_EL1', 'ICC_IGRPEN1_EL3', 'ICC_SRE_EL3', 'ICC_CTLR_EL3', 'ICC_BPR1_EL1']
WRITERS = 5


class Script:
    """Operations with their names for reports, where groups begin, and the memory that they find."""

    def __init__(self, rng, kind, settled):
        self.rng, self.kind, self.fields, self.rules = rng, kind, settled['field'], settled['rule']
        self.operations, self.names, self.groups, self.memory = [], [], [], bytearray()

    def group(self):
        self.groups.append(len(self.operations))

    def add(self, op, arg, address, value, name):
        self.operations.append((op, arg, address, value & M64))
        self.names.append(name)

    def last(self):
        """The number of the last operation, for `again`."""
        return len(self.operations) - 1

    def load(self, size, address, name, mask=None):
        """Of 1 << size bytes; name: what lockstep.settled calls it after the kind, which has the mask."""
        mask = self.fields.get('%s.%s' % (self.kind, name), M64) if mask is None else mask
        self.add(READ + size, 0, address, mask, 'read%d %s' % (8 << size, name))

    def store(self, size, address, value, name):
        self.add(WRITE + size, 0, address, value, 'write%d %s %x' % (8 << size, name, value))

    def again(self, number, address, mask, name):
        """What that operation read is written there, 32 bits."""
        self.add(AGAIN, number, address, mask, 'write32 %s <- what %s had, & %x' % (name, self.names[number], mask))

    def get(self, name, mask=M64):
        self.add(GET, CALLS.index(name), 0, mask, 'MRS ' + name)

    def set(self, name, value):
        self.add(SET, CALLS.index(name) - WRITERS, 0, value, 'MSR %s %x' % (name, value))

    def again_set(self, number, name, mask):
        self.add(AGAIN_SET, CALLS.index(name) - WRITERS, number, mask, 'MSR %s <- what %s had, & %x' % (name, self.names[number], mask))

    def wait(self, ticks):
        """The timer's interrupt, PPI 30, must be enabled."""
        self.add(WAIT, 0, 0, ticks, 'wait %d' % ticks)

    def sum(self, address, size, name):
        self.add(SUM, 0, address, size, 'sum %s' % name)

    def take(self, size, align=4096):
        """Address of that many bytes of memory, zero at first."""
        self.memory += bytes(-len(self.memory) % align)
        at = DATA + len(self.memory)
        self.memory += bytes(size)
        assert DATA + len(self.memory) <= DATA_END
        return at

    def put(self, address, *words):
        struct.pack_into('<%dQ' % len(words), self.memory, address - DATA, *[w & M64 for w in words])

    def files(self):
        """What the loader puts into memory: (address, bytes)."""
        out = b''.join(struct.pack('<IIQQ', *o) for o in self.operations) + bytes(24)
        assert SCRIPT + len(out) <= 0x40a00000
        return [(SCRIPT, out)] + ([(DATA, bytes(self.memory))] if self.memory else [])
