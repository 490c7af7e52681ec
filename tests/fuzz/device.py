"""Random guests for the devices (device.S): one for each row of board/virt.def, on the machine that has it.

A case is a row: where its registers are and the options that bring it follow from the row, so that a new device has its case for
nothing. What makes a device go on (tables and queues where it finds them) is in PREPARE, for those that do nothing without.
"""
import os
import re
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RAM, RAM_SIZE, RANGES, STORES, WORDS = 0x40100000, 0x10000, 64, 256, 64
ECAM, ECAM_LOW, MEMORY, PORTS, HIGH = 0x4010000000, 0x3f000000, 0x10000000, 0x3eff0000, 0x8000000000
# What brings the parts that rows name (enum when in board/device.h): properties of -M, and those that rule others out.
PARTS = {'ALWAYS': '', 'SECURE_ONLY': '', 'SECURE': 'secure=on', 'GICV2': 'gic-version=2', 'GICV3': 'gic-version=3', 'ITS': 'its=on',
         'SMMU': 'iommu=smmuv3', 'REDIST2': '', 'ECAM_ABOVE': '', 'MMIO_ABOVE': '', 'ECAM_BELOW': 'highmem=off',
         'VIRTUALIZATION': 'virtualization=on', 'GICV4': 'gic-version=4', 'GED': '', 'GPIO_KEY': ''}
DEVICES = ['pci-testdev,addr=1', 'edu,dma_mask=0xffffffff,addr=2', 'virtio-rng-pci,addr=3', 'virtio-blk-pci,drive=d,addr=4',
           'virtio-serial-pci,addr=5', 'pcie-root-port,id=p,addr=6', 'virtio-rng-pci,bus=p,disable-legacy=on,iommu_platform=on',
           'edu,addr=7.1,multifunction=on', 'virtio-rng-device', 'virtio-blk-device,drive=e', 'virtio-serial-device',
           'virtio-net-pci,netdev=n,addr=8', 'virtio-net-device,netdev=m', 'virtio-9p-pci,fsdev=s,mount_tag=s,addr=9',
           'virtio-9p-device,fsdev=t,mount_tag=t', 'virtio-balloon-device,free-page-reporting=on',
           'vhost-vsock-device,guest-cid=3', 'virtio-tablet-pci,serial=s,addr=10', 'virtio-keyboard-device',
           'virtio-gpu-device,max_outputs=2', 'virtio-gpu-pci,addr=a,max_outputs=3', 'ramfb']
NETS = 'nm'  # without a way out of the program: random frames are nobody else's business


class Device:
    def __init__(self, name, kind, base, size, count, when):
        self.name, self.kind, self.base, self.size, self.when = name, kind, base, size * count, when


def rows():
    """Of board/virt.def, those that have registers."""
    out = []
    for line in open(ROOT + '/board/virt.def'):
        m = re.match(r'DEVICE\((\w+), *(\w+), *(\w+), *(\w+), *(\w+), *[^,]*, *([\w |]+)\)', line)
        if m and int(m[4], 0):
            out.append(Device(m[1], m[2], int(m[3], 0), int(m[4], 0), int(m[5], 0), m[6].replace(' ', '').split('|')))
    assert len(out) > 20, 'the table was not understood'
    return out


def machine(rng, row):
    """The parts of a machine that has the row, besides what may be there or not."""
    parts = set(row.when)
    if not parts & {'GICV2', 'GICV3'}:
        parts.add(rng.choice(['GICV2', 'GICV3']))
    if 'GICV3' in parts:
        parts |= {p for p in ('ITS', 'SMMU') if rng.random() < 0.8}
    if {'GICV3', 'ITS'} <= parts and rng.random() < 0.4:
        parts |= {'GICV4', 'VIRTUALIZATION'}
    parts |= {p for p in ('SECURE', 'VIRTUALIZATION') if rng.random() < 0.5}
    parts.add('ECAM_BELOW' if 'ECAM_BELOW' in parts or not parts & {'ECAM_ABOVE', 'MMIO_ABOVE', 'REDIST2'} and rng.random() < 0.2 else
              'ECAM_ABOVE')
    if not parts & {'GED', 'GPIO_KEY'}:
        parts.add('GED' if rng.random() < 0.2 else 'GPIO_KEY')
    return parts | {'ALWAYS', 'SECURE_ONLY'}


def functions(ecam):
    """PCI functions with a range each, enabled. The bus behind the port is 1."""
    out = [(ecam + (6 << 15) + 0x18, 2, 0x00010100), (ecam + (6 << 15) + 0x20, 2, 0x10f010f0), (ecam + (6 << 15) + 4, 1, 7)]
    for n, at in enumerate([1 << 15, 2 << 15, 3 << 15, 4 << 15, 5 << 15, 7 << 15 | 1 << 12, 1 << 20, 8 << 15, 10 << 15, 9 << 15, 16 << 15]):
        for bar in (0, 1, 4):
            value = (0xf00000 if at == 1 << 20 else n * 0x200000) + bar * 0x10000
            out.append((ecam + at + 0x10 + 4 * bar, 2, n * 0x400 + bar * 0x100 if bar < 2 and n == 0 and bar or not bar and n in (2, 3, 4, 7)
                        else MEMORY + (0x100000 if not bar and n in (1, 5) else 0) + value))
        out.append((ecam + at + 4, 1, 7))
    for edu in (MEMORY + 0x300000, MEMORY + 0xb00000):
        out += [(edu + o, 3 if o >= 0x80 else 2, v) for o, v in (
            (0x04, 5), (0x20, 0x80), (0x08, 5), (0x60, 1), (0x64, 1), (0x80, RAM), (0x88, 0x40000),
                                                                 (0x90, 64), (0x98, 1))]
    return out


def ring(page):
    """A queue of eight at a page, as the legacy interface lays it out, and what it leads to: a disk's request, buffers either way."""
    more, write, data = 1 << 32, 2 << 32, RAM + 0x8000
    chains = [(data, 16 | more | 1 << 48), (data + 0x200, 512 | more | write | 2 << 48), (data + 0x10, 1 | write),
              (data + 0x400, 64 | write), (data + 0x500, 64), (data + 0x600, 1 << 28 | write)]
    out = [(page + 16 * n + 8 * k, 3, word) for n, pair in enumerate(chains) for k, word in enumerate(pair)]
    return out + [(page + 128, 3, 4 << 16 | 0 << 32 | 3 << 48), (page + 136, 3, 4 | 0 << 16 | 5 << 32), (page + 0x1000, 3, 0)]


def virtio_mmio(base):
    """The last slots, which have devices, by either interface: two queues each, which they are told of."""
    out = ring(RAM + 0x1000) + ring(RAM + 0x4000) + [(RAM + 0x8000, 3, 0), (RAM + 0x8008, 3, 1)]
    for slot in (23, 24, 26, 27, 28, 29, 30, 31):
        put = lambda offset, value, at=base + 0x200 * slot: out.append((at + offset, 2, value))
        for offset, value in ((0x70, 0), (0x28, 4096), (0x70, 3), (0x24, 1), (0x20, 1), (0x70, 11)):
            put(offset, value)
        for queue, page in ((0, RAM + 0x1000), (1, RAM + 0x4000)):
            for offset, value in ((0x30, queue), (0x38, 8), (0x3c, 4096), (0x40, page >> 12), (0x80, page), (0x90, page + 128),
                                  (0xa0, page + 0x1000),
                                  (0x44, 1)):
                put(offset, value)
        for offset, value in ((0x70, 15), (0x50, 0), (0x50, 1)):
            put(offset, value)
    return out


def virtio_pci(ecam):
    """The same for the functions that are virtio's, by their ranges of memory."""
    out = functions(ecam) + ring(RAM + 0x1000) + ring(RAM + 0x4000)
    for base in [MEMORY + n * 0x200000 + 0x40000 for n in (2, 3, 4, 8)] + [MEMORY + 0xf40000]:
        out += [(base + o, log, v) for o, log, v in ((0x14, 0, 0), (0x14, 0, 3), (0x08, 2, 1), (0x0c, 2, 1), (0x14, 0, 11))]
        for queue, page in ((0, RAM + 0x1000), (1, RAM + 0x4000)):
            out += [(base + o, log, v) for o, log, v in ((0x16, 1, queue), (0x18, 1, 8), (0x20, 3, page), (0x28, 3, page + 128),
                                                         (0x30, 3, page + 0x1000),
                                                         (0x1c, 1, 1))]
        out += [(base + o, log, v) for o, log, v in ((0x14, 0, 15), (0x3000, 1, 0), (0x3004, 1, 1))]
    return out


def fw_cfg(base):
    """Directory and items by DMA: control, length and address are big-endian, and so is the register."""
    big = lambda value, size: int.from_bytes(value.to_bytes(size, 'big'), 'little')
    out = []
    for n, control in enumerate((0x0019000a, 0x0005000a, 4, 2)):
        at = RAM + 0x100 + 16 * n
        out += [(at, 2, big(control, 4)), (at + 4, 2, big(64, 4)), (at + 8, 3, big(RAM + 0x8000, 8)), (base + 16, 3, big(at, 8))]
    return out + [(base + 8, 1, big(0x19, 2))]


PREPARE = {'fw_cfg': lambda row: fw_cfg(row.base), 'virtio_mmio': lambda row: virtio_mmio(row.base),
           'pcie': lambda row: virtio_pci(ECAM), 'pcie_64': lambda row: virtio_pci(ECAM),
           'pcie_io': lambda row: virtio_pci(ECAM), 'pcie_ecam': lambda row: virtio_pci(row.base)}


def words(rng, bases):
    """The dictionary: addresses, sizes and flags that devices have in common, and doorbells."""
    out = [RAM, RAM + 0x1000, RAM + 0x8000, 0, 1, 3, 8, 0x10, 0x80, 0xff, 0x100, 0x1000, 0xffff, 0x10000, 0xffffffff, 1 << 31, 1 << 63,
           0x08020040, 0x08090040, 16 | 2 << 32, 512 | 3 << 32 | 1 << 48, RAM | 1 << 63, RAM | 0x703, (1 << 64) - 1,
           0xe9, 0x60, 0x20, 0xd0, 0x90, 0x98]
    out += bases + [rng.getrandbits(rng.randrange(1, 64)) for _ in range(WORDS)]
    return out[:WORDS]


def make(rng, case, row, frame, offset_of, accesses, drives):
    """Fills the frame and the command line of a case."""
    parts = machine(rng, row)
    others = [r for r in rows() if r is not row and r.name != row.name and set(r.when) <= parts]
    stores = PREPARE[row.kind](row) if row.kind in PREPARE else []
    ranges = [(row.base, row.size)] + [(r.base, r.size) for r in others]
    dictionary = words(rng, [r.base for r in [row] + others])
    assert len(ranges) <= RANGES and len(stores) <= STORES
    data = struct.pack('<4Q', rng.getrandbits(64) | 1, accesses, len(ranges), len(stores))
    data += b''.join(struct.pack('<2Q', *r) for r in ranges).ljust(16 * RANGES, b'\0') + struct.pack('<%dQ' % WORDS, *dictionary)
    data += b''.join(struct.pack('<2Q', a | log << 60, v) for a, log, v in stores)
    memory = struct.pack('<%dQ' % (RAM_SIZE // 8), *[rng.choice(dictionary) if rng.random() < 0.5 else 0 for _ in range(RAM_SIZE // 8)])
    elf = bytearray(frame)
    for address, new in ((0x40088000, data), (RAM, memory)):
        at = offset_of(elf, address)
        elf[at:at + len(new)] = new
    props = ','.join(['virt'] + sorted({PARTS[p] for p in parts if p != 'GICV3' or 'GICV4' not in parts} - {''}))
    case.args = ['-M', props, '-cpu', 'max', '-smp', '124' if 'REDIST2' in parts else rng.choice(['1', '1', '2']), '-m', '64M',
                 '-display', 'none',
                 '-semihosting-config', 'enable=on', '--max-insns', str(120 * accesses + 100000)]
    path = case.file('device.elf', elf)
    if 'GED' in parts:  # firmware brings it: MOVZ X0, #0x4008, LSL #16; BR X0
        case.args += ['-bios', case.file('firmware', struct.pack('<2I', 0xd2a80100, 0xd61f0000)), '-device', 'loader,file=' + path]
    else:
        case.args += ['-kernel', path]
    for n in drives:
        case.args += ['-drive', 'snapshot=on,if=none,format=raw,id=%s,file=%s' % (n, case.file('disk-' + n, bytes(65536)))]
    if rng.random() < 0.5:
        case.args += ['-global', 'virtio-mmio.force-legacy=false']
    for n in NETS:
        case.args += ['-netdev', 'user,restrict=on,id=' + n]
    for n in 'st':  # its own folder: who knows what is asked
        os.makedirs(os.path.join(case.folder, 'share-' + n), exist_ok=True)
        case.args += ['-fsdev', 'local,security_model=mapped-file,readonly=on,id=%s,path=%s' % (n, os.path.join(case.folder, 'share-' + n))]
    for device in DEVICES:
        case.args += ['-device', device]
    case.both = True
