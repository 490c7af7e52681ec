#!/usr/bin/python3
"""Compares what firmware finds on elmu and on QEMU, field by field: the keys of the firmware configuration device, ACPI
tables as iasl decodes them, what firmware is to do with them, SMBIOS structures.

    tests/acpi.py ELMU QEMU FW_ITEMS [MACHINE...]

FW_ITEMS is build/guest/fw_items.elf, which prints the items. Differences must be in tests/acpi.settled, with their reason.
What the commands of etc/table-loader say is done to elmu's tables, which must then be whole: every checksum right, every
pointer at a table, no error when iasl compiles the DSDT again. Ends with "N passed, N failed".
"""
import fnmatch
import os
import re
import struct
import subprocess
import sys
import tempfile

# name: machine, CPU, -smp, further options. "firmware": an empty one, so that the event device has the power key.
MACHINES = {
    "gicv3": ("gic-version=3", "cortex-a57", "1", []),
    "gicv2": ("gic-version=2", "cortex-a57", "2", []),
    "gicv2-el2": ("gic-version=2,virtualization=on", "cortex-a57", "4", []),
    "gicv3-el2": ("gic-version=3,virtualization=on", "max", "4", []),
    "gicv4": ("gic-version=4,virtualization=on", "cortex-a57", "62", []),
    "firmware": ("gic-version=3", "cortex-a57", "1", ["firmware"]),
    "secure": ("gic-version=3,secure=on", "cortex-a57", "1", []),
    "secure-firmware": ("gic-version=3,secure=on,virtualization=on", "cortex-a57", "1", ["firmware"]),
    "no-pmu": ("gic-version=3", "cortex-a57,pmu=off", "1", []),
    "its-off": ("gic-version=3,its=off", "cortex-a57", "1", []),
    "smmu": ("gic-version=3,iommu=smmuv3", "cortex-a57", "1", []),
    "smmu-port": ("gic-version=3,iommu=smmuv3", "cortex-a57", "1",
                  ["-device", "pcie-root-port,id=rp,chassis=1,slot=1", "-device", "virtio-rng-pci,bus=rp"]),
    "lowmem": ("gic-version=3,highmem=off", "cortex-a57", "1", []),
    "threads": ("gic-version=3", "cortex-a57", "8,sockets=2,cores=2,threads=2", []),
    "clusters": ("gic-version=3", "cortex-a57", "8,sockets=2,clusters=2,cores=2", []),
    "not-full": ("gic-version=3", "cortex-a57", "7,cores=2,maxcpus=8", []),
    "many": ("gic-version=3", "cortex-a57", "260", []),
    "told": ("gic-version=3", "cortex-a57", "1",
             ["-uuid", "12345678-9abc-def0-1122-334455667788", "-boot", "menu=on,splash-time=100,reboot-timeout=200"]),
    "smbios": ("gic-version=3", "cortex-a57", "2,sockets=2",
               [word for fields in (
                   "type=0,vendor=V,version=1,date=01/02/2003,release=4.5,uefi=on",
                   "type=1,manufacturer=M,product=P,version=W,serial=S,uuid=12345678-9abc-def0-1122-334455667788,sku=K,family=F",
                   "type=2,manufacturer=BM,product=BP,version=BV,serial=BS,asset=BA,location=BL",
                   "type=3,manufacturer=CM,version=CV,serial=CS,asset=CA,sku=CK",
                   "type=4,sock_pfx=SOCK,manufacturer=PM,version=PV,serial=PS,asset=PA,part=PP,max-speed=3000,"
                   "current-speed=1500,processor-id=0x1122334455667788",
                   "type=8,external_reference=E,internal_reference=I,connector_type=1,port_type=2",
                   "type=8,external_reference=F", "type=11,value=one,value=two", "type=11,value=three,,four",
                   "type=17,loc_pfx=SLOT,bank=B,manufacturer=DM,serial=DS,asset=DA,part=DP,speed=2400")
                for word in ("-smbios", fields)]),
    "smbios-some": ("gic-version=3", "cortex-a57", "1",
                    ["-smbios", "type=0", "-smbios", "type=1,serial=S", "-smbios", "type=2", "-smbios", "type=3,sku=K",
                     "-smbios", "type=4,part=P", "-smbios", "type=11", "-smbios", "type=17,part=P"]),
    # (No option ROMs, of which QEMU would look for the files.)
    "bootorder": ("gic-version=3", "cortex-a57", "1",
                  ["-blockdev", "driver=null-co,node-name=d", "-blockdev", "driver=null-co,node-name=e",
                   "-blockdev", "driver=null-co,node-name=f", "-netdev", "user,id=n", "-netdev", "user,id=o",
                   "-device", "virtio-blk-pci,drive=d,bootindex=0x20,addr=5.1,multifunction=on",
                   "-device", "pci-testdev,addr=5,multifunction=on",
                   "-device", "virtio-blk-device,drive=e,bootindex=3,bus=virtio-mmio-bus.3",
                   "-device", "virtio-net-device,netdev=n,bootindex=2",
                   "-device", "pcie-pci-bridge,id=b,addr=6", "-device", "pci-bridge,id=c,bus=b,addr=3,chassis_nr=1",
                   "-device", "virtio-scsi-pci,id=s,bus=c,addr=2", "-device", "scsi-hd,drive=f,bus=s.0,bootindex=0",
                   "-device", "pcie-root-port,id=rp,chassis=2",
                   "-device", "virtio-net-pci,netdev=o,bus=rp,bootindex=-1,romfile=", "-boot", "strict=on"]),
    "bootorder-none": ("gic-version=3", "cortex-a57", "1", ["-blockdev", "driver=null-co,node-name=d", "-device",
                                                            "virtio-blk-pci,drive=d,bootindex=-1", "-boot", "strict=on"]),
    "off": ("gic-version=3,acpi=off", "cortex-a57", "1", []),
    "off-firmware": ("gic-version=3,acpi=off", "cortex-a57", "1", ["firmware"]),
    "auto": ("gic-version=3,acpi=auto", "cortex-a57", "1", []),
}
TABLES, RSDP, LOADER = "file etc/acpi/tables", "file etc/acpi/rsdp", "file etc/table-loader"
SMBIOS, ANCHOR = "file etc/smbios/smbios-tables", "file etc/smbios/smbios-anchor"


def items_of(emulator, guest, machine, folder):
    """Runs the guest: what each item holds, by "key N" or "file NAME"."""
    props, cpu, smp, rest = MACHINES[machine]
    command = [emulator, "-M", "virt," + props, "-cpu", cpu, "-smp", smp, "-m", "1G", "-nodefaults", "-display", "none",
               "-monitor", "none", "-serial", "stdio", "-semihosting-config", "enable=on,target=native"]
    if "firmware" in rest:
        empty = os.path.join(folder, "empty.bin")
        with open(empty, "wb") as file:
            file.write(bytes(4096))
        command += ["-bios", empty, "-device", f"loader,file={guest},cpu-num=0"]
    else:
        command += rest + ["-kernel", guest]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    text = run.stdout.decode(errors="replace").replace("\r", "")
    if run.returncode or "\nok 2 " not in text:
        raise RuntimeError(f"{emulator}: status {run.returncode}: {run.stderr.decode(errors='replace')[:200]}")
    return {m[1]: bytes.fromhex(m[3]).ljust(int(m[2], 16), b"\0")
            for m in re.finditer(r"^((?:key|file) \S+) (0x[0-9a-f]+): ([0-9a-f]*)$", text, re.M)}


def number(data, at, size):
    return int.from_bytes(data[at:at + size], "little")


def tables_of(blob):
    """Where each table begins and ends: (signature, offset, length) in order."""
    found, at = [], 0
    while at + 36 <= len(blob) and blob[at]:
        length = number(blob, at + 4, 4)
        if length < 36 or at + length > len(blob):
            raise RuntimeError(f"table at {at:#x}: length {length}")
        found.append((blob[at:at + 4].decode(errors="replace"), at, length))
        at += length
    return found


def place_in(tables, offset):
    """An offset in the file of tables, as the table and the offset in it."""
    for signature, at, length in tables:
        if at <= offset < at + length:
            return f"{signature}+{offset - at}"
    return f"{offset:#x}"


def text_at(data):
    return data.split(b"\0")[0].decode(errors="replace")


def commands_of(loader):
    for at in range(0, len(loader), 128):
        entry = loader[at:at + 128]
        kind, first = number(entry, 0, 4), text_at(entry[4:60])
        if kind == 1:
            yield "allocate", first, number(entry, 60, 4), entry[64]
        elif kind == 2:
            yield "pointer", first, text_at(entry[60:116]), number(entry, 116, 4), entry[120]
        elif kind == 3:
            yield "checksum", first, number(entry, 60, 4), number(entry, 64, 4), number(entry, 68, 4)
        else:
            raise RuntimeError(f"command {kind}")


def linked(items):
    """What firmware makes of the items: the files at made-up addresses, by name, with pointers and checksums; and the
    addresses. Raises what is wrong."""
    files, base, top = {}, {}, 0x10000000
    for command in commands_of(items[LOADER]):
        name = command[1]
        if command[0] == "allocate":
            files[name] = bytearray(items["file " + name])
            base[name] = top = (top + command[2] - 1) // command[2] * command[2]
            top += len(files[name])
        elif command[0] == "pointer":
            at, size = command[3], command[4]
            value = number(files[name], at, size)
            if value >= len(files[command[2]]) or at + size > len(files[name]):
                raise RuntimeError(f"pointer at {at:#x} of {name}: outside")
            files[name][at:at + size] = (value + base[command[2]]).to_bytes(size, "little")
        else:
            at, start, length = command[2:]
            if start + length > len(files[name]) or not start <= at < start + length:
                raise RuntimeError(f"checksum at {at:#x} of {name}: outside")
            files[name][at] = 0
            files[name][at] = -sum(files[name][start:start + length]) & 0xff
    return files, base


def check_linked(items):
    """The tables as firmware leaves them are whole; their bytes by signature."""
    files, base = linked(items)
    rsdp, blob = files["etc/acpi/rsdp"], files["etc/acpi/tables"]
    start = base["etc/acpi/tables"]
    if sum(rsdp[:20]) & 0xff or sum(rsdp) & 0xff or rsdp[:8] != b"RSD PTR ":
        raise RuntimeError("RSDP: its checksums are wrong")
    tables = {}
    for signature, at, length in tables_of(blob):
        tables[signature] = bytes(blob[at:at + length])
        if sum(tables[signature]) & 0xff:
            raise RuntimeError(f"{signature}: its checksum is wrong")
    at_of = {start + at: signature for signature, at, length in tables_of(blob)}
    pointed = [at_of.get(number(rsdp, 24, 8))]
    pointed += [at_of.get(number(tables["XSDT"], at, 8)) for at in range(36, len(tables["XSDT"]), 8)]
    pointed += [at_of.get(number(tables["FACP"], 140, 8))]
    if None in pointed or sorted(pointed) != sorted(tables):
        raise RuntimeError(f"pointers lead to {pointed}, tables are {sorted(tables)}")
    return tables


def iasl(folder, *args):
    run = subprocess.run(["iasl", *args], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    return run.returncode, run.stdout.decode(errors="replace")


def decoded(folder, signature, data):
    name = os.path.join(folder, signature.lower())
    with open(name + ".dat", "wb") as file:
        file.write(data)
    status, text = iasl(folder, "-d", name + ".dat")
    if status:
        raise RuntimeError(f"{signature}: iasl -d: {text[-200:]}")
    with open(name + ".dsl", encoding="latin-1") as file:
        return file.read()


def fields_of(signature, text):
    """Fields of a table of data, by TABLE/TYPE:NUMBER/LABEL:NUMBER, where TYPE is the structure's."""
    fields, seen, structure = {}, {}, signature
    def count(key):
        seen[key] = seen.get(key, -1) + 1
        return f"{key}:{seen[key]}"
    for line in text.split("Raw Table Data")[0].splitlines():
        m = re.match(r"(?:\[\w+ +\d+ +\d+\])? +([^:]+?) : ?(.*)$", line)
        if not m:
            continue
        label, value = re.sub(r"\W+", "-", m[1]).strip("-"), re.sub(r" +/\*.*| \[.*", "", m[2]).strip()
        if label in ("Subtable-Type", "Type"):
            structure = count(f"{signature}/{value[:2]}")
        fields[count(f"{structure}/{label}")] = value
    # These follow from what else there is.
    return {k: v for k, v in fields.items() if not re.search("Table-Length|Checksum", k)}


def devices_of(text):
    """Lines of the devices of a DSDT by name, whose order has no meaning, and of what is outside them."""
    devices, name = {"": []}, ""
    for line in text[text.index("DefinitionBlock"):].splitlines():
        m = re.match(r" {8}Device \((.*)\)", line)
        if m:
            name = m[1]
            devices[name] = []
        devices[name].append(line)
        if line == "        }":
            name = ""
    devices[""] = [line for line in devices[""] if line.strip()]
    return devices


def acpi_fields(items, folder):
    fields = {}
    tables = tables_of(items[TABLES])
    for command in commands_of(items[LOADER]):
        for_table = list(command)
        if command[1] == "etc/acpi/tables" and command[0] != "allocate":
            offset = 3 if command[0] == "pointer" else 2
            for_table[offset] = place_in(tables, command[offset])
            if command[0] == "checksum":
                for_table[3:] = [place_in(tables, command[3]), "whole" if (command[3], command[4]) in
                                 [(at, length) for _, at, length in tables] else command[4]]
        fields[f"LOADER/{'-'.join(map(str, for_table[:4]))}"] = for_table
    fields["RSDP"] = items[RSDP][:24].hex() + place_in(tables, number(items[RSDP], 24, 8)) + items[RSDP][32:].hex()
    fields["TABLES/order"] = [signature for signature, _, _ in tables]
    for signature, at, length in tables:
        data = items[TABLES][at:at + length]
        if signature == "XSDT":
            fields["XSDT"] = [data[8:36].hex()] + [place_in(tables, number(data, n, 8)) for n in range(36, length, 8)]
            continue
        text = decoded(folder, signature, data)
        if signature == "DSDT":
            fields.update({f"DSDT/{name}": lines for name, lines in devices_of(text).items()})
            fields["DSDT/header"] = data[:4].hex() + data[8:36].hex()
        else:
            fields.update(fields_of(signature, text))
    return fields


def smbios_fields(items):
    """Each byte of each structure's fields, and its strings."""
    fields, data, at, seen = {"SMBIOS/anchor": items[ANCHOR][:12].hex() + items[ANCHOR][16:].hex()}, items[SMBIOS], 0, {}
    if number(items[ANCHOR], 12, 4) != len(data):
        raise RuntimeError("SMBIOS: the anchor has another size")
    while at < len(data):
        kind, length = data[at], data[at + 1]
        name = f"SMBIOS/{kind}:{seen.setdefault(kind, 0)}"
        seen[kind] += 1
        end = data.index(b"\0\0", at + length)
        for n in range(length):
            fields[f"{name}/{n:#x}"] = data[at + n]
        fields[f"{name}/strings"] = data[at + length:end].decode(errors="replace").split("\0")
        at = end + 2
    return fields


def fields(items, folder):
    os.makedirs(folder)
    made = {"keys": sorted(items)}
    made.update({f"{key}/size": len(value) for key, value in items.items() if key == TABLES})
    made.update({key: value.hex() for key, value in items.items()
                 if key not in (TABLES, RSDP, LOADER, SMBIOS, ANCHOR) and not key.startswith("file etc/table-")})
    made.update(smbios_fields(items))
    if TABLES in items:
        made.update(acpi_fields(items, folder))
    return made


def settled_rows():
    rows = []
    with open(os.path.join(os.path.dirname(__file__), "acpi.settled"), encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and line.strip():
                machine, patterns, why = [part.strip() for part in line.split("|", 2)]
                if not why:
                    raise RuntimeError(f"acpi.settled: no reason: {line}")
                rows += [(machine, pattern, why) for pattern in patterns.split()]
    return rows


def difference(ours, theirs):
    """In words; of lines the first that differ."""
    if ours is None or theirs is None:
        return "only QEMU has it" if ours is None else "only elmu has it"
    if isinstance(ours, list) and isinstance(theirs, list):
        for a, b in zip(ours, theirs):
            if a != b:
                return f"elmu {str(a).strip()}, QEMU {str(b).strip()}"
        return f"elmu has {len(ours)} lines, QEMU {len(theirs)}"
    return f"elmu {ours}, QEMU {theirs}"


def compare(machine, ours, theirs, rows, used):
    wrong = []
    for field in sorted(ours.keys() | theirs.keys()):
        if ours.get(field) == theirs.get(field):
            continue
        hits = [row for row in rows if fnmatch.fnmatchcase(machine, row[0]) and fnmatch.fnmatchcase(field, row[1])]
        used.update(hits)
        if not hits:
            wrong.append(f"{field}: {difference(ours.get(field), theirs.get(field))}")
    return wrong


def check(machine, elmu, qemu, guest, folder, rows, used):
    """What is wrong of this machine, and how many fields were compared."""
    ours, theirs = items_of(elmu, guest, machine, folder), items_of(qemu, guest, machine, folder)
    mine = fields(ours, os.path.join(folder, machine + ".elmu"))
    wrong = compare(machine, mine, fields(theirs, os.path.join(folder, machine + ".qemu")), rows, used)
    if TABLES in ours:
        whole = os.path.join(folder, machine + ".linked")
        os.makedirs(whole)
        for signature, data in check_linked(ours).items():
            text = decoded(whole, signature, data)
            if "Incorrect checksum" in text:
                wrong.append(f"{signature}: iasl: incorrect checksum")
        status, text = iasl(whole, "-tc", "dsdt.dsl")
        if status or " 0 Errors" not in text:
            wrong.append(f"DSDT: iasl does not compile it: {text[-300:]}")
    return wrong, len(mine)


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: acpi.py ELMU QEMU FW_ITEMS [MACHINE...]")
    elmu, qemu, guest = sys.argv[1:4]
    rows, used, passed, failed = settled_rows(), set(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for machine in sys.argv[4:] or MACHINES:
            try:
                wrong, count = check(machine, elmu, qemu, guest, folder, rows, used)
            except (RuntimeError, ValueError, KeyError, IndexError, struct.error, subprocess.TimeoutExpired) as error:
                wrong, count = [f"{type(error).__name__}: {error}"], 0
            print(f"{'FAIL' if wrong else 'PASS'} {machine} ({count} fields)")
            for line in wrong[:40]:
                print("   ", line)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    for row in rows if not sys.argv[4:] else []:
        if row not in used:
            print(f"FAIL acpi.settled: nothing needs: {' | '.join(row)}")
            failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
