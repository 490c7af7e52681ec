#!/usr/bin/env python3
"""Disks: the ways to say them, what a guest reads and writes through each, and what is left in their files.

    tests/cli/disks.py ELMU FOLDER          FOLDER: hello.elf, disk.elf (tests/cli/disk.c). Ends with "N passed, N failed".
"""
import os, signal, subprocess, sys, tempfile, time
sys.dont_write_bytecode = True
from ends import Checks

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
hello, program = (os.path.join(folder, n + ".elf") for n in ("hello", "disk"))
only = sys.argv[3:]
work = tempfile.mkdtemp()
os.chdir(work)
check = Checks()

def run(*args, **more):
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 120, **more}
    return subprocess.run([elmu, *args], **more)

def guest(commands, *args):
    """What disk.elf answers to each command, and the run."""
    p = run("-kernel", program, "-nographic", *args, stdin=None, input="\n".join(commands + ["q", ""]).encode())
    return [line.strip() for line in p.stdout.decode(errors="replace").replace("\r", "").split("\n")[:-1]], p

def answers(name, commands, wanted, *args):
    got, p = guest(commands, *args)
    check(name, p.returncode == 0 and got == wanted, (got, wanted, p.returncode, p.stderr))

def one_line(p, text):
    err = p.stderr.decode(errors="replace")
    return p.returncode == 1 and err.count("\n") == 1 and text in err

def bad(name, text, *args):
    p = run("-kernel", hello, *args, timeout=30)
    check(name, one_line(p, text), p)

def disk(name="d", size=1 << 20, fill=None):
    """A file with the number of each sector in its first and last 8 bytes."""
    with open(name, "wb") as f:
        for n in range(size // 512):
            f.write((n + 1).to_bytes(8, "big") + bytes(496) + (n + 1).to_bytes(8, "big"))
    return open(name, "rb").read()

BLK = ("-device", "virtio-blk-device,drive=d")
READ = ["r 3 2"]
READS = ["0 4 5"]

# ---- how they are said ----

def options():
    before = disk()
    for arg in ("file=d,if=none,id=d,format=raw", "file.filename=d,if=none,id=d,driver=raw,file.driver=file", "file=file:d,if=none,id=d,format=raw,file.locking=off",
                "file=d,if=none,format=raw,node-name=d", "file=d,if=none,id=d,format=raw,cache=none,aio=native,werror=report,rerror=stop,detect-zeroes=on,discard=ignore,"
                "cache.direct=on,cache.no-flush=off,cache.writeback=on,throttling.iops-total=100,throttling.bps-write-max=7,copy-on-read=off,media=disk,read-only=off,bus=0"):
        answers(f"-drive {arg}", READ, READS, "-drive", arg, *BLK)
    for args in (("driver=raw,node-name=d,file.filename=d",), ("driver=raw,node-name=d,file.driver=file,file.filename=d,read-only=off,cache.direct=on,discard=unmap,detect-zeroes=unmap",),
                 ("driver=file,node-name=f,filename=d", "driver=raw,node-name=d,file=f"), ("driver=file,node-name=d,filename=d,locking=off,aio=threads",),
                 ("driver=host_device,node-name=d,filename=d",),
                 ('{"driver": "raw", "node-name": "d", "file": {"driver": "file", "filename": "d", "locking": "off"}, "read-only": false, "backing": null}',),
                 (' {"driver":"file","filename":"\\u0064","node-name":"f"}', '{"driver":"raw","file":"f","node-name":"d"}')):
        answers(f"-blockdev {args}", READ, READS, *sum((("-blockdev", a) for a in args), ()), *BLK)
    check("a comma in a name", (os.rename("d", "a,b"), guest(READ, "-blockdev", '{"driver":"file","filename":"a,b","node-name":"d"}', *BLK)[0])[1] == READS)
    os.rename("a,b", "d")
    got = guest(["r 0 2", "r 1 2"], "-blockdev", "driver=raw,offset=1536,size=1K,node-name=d,file.filename=d", *BLK)[0]
    check("raw: offset= and size=", got and got[0] == "0 4 5" and got[1][0] == "1", got)
    check("nothing was written", open("d", "rb").read() == before)
    answers("null-co reads zeros and forgets", ["w 0 1 55", "r 0 1", "w 3ff 1 1", "w 400 1 1"], ["0", "0 0 0", "0", "1"], "-blockdev", "driver=null-co,size=512K,node-name=d", *BLK)
    for option in ("-hda", "-hdb", "-hdc", "-hdd", "-cdrom"):
        p = run("-kernel", hello, option, "d")
        check(option, p.returncode == 0 and p.stdout == b"hello\n", p)
    check("-cdrom is not written to", (os.chmod("d", 0o444), run("-kernel", hello, "-cdrom", "d").returncode == 0)[1])
    os.chmod("d", 0o644)
    bad("-sd", "machine type does not support if=sd,bus=0,unit=0", "-sd", "d")
    for word in ("sd", "ide", "scsi", "floppy", "mtd"):
        bad(f"if={word}", f"machine type does not support if={word},bus=0,unit=0", "-drive", f"if={word},file=d,format=raw")
    bad("if=usb", "unsupported bus type 'usb'", "-drive", "if=usb,file=d")
    bad("-hda twice", "exists", "-hda", "d", "-hda", "d")
    bad("a node that is not there", "Cannot find device='f' nor node-name='f'", "-blockdev", "driver=raw,file=f,node-name=d")
    bad("a node without a name", "'node-name' must be specified", "-blockdev", "driver=file,filename=d")
    bad("a node without a driver", "'driver' is missing", "-blockdev", "filename=d,node-name=d")
    bad("two nodes of a name", "Duplicate", "-blockdev", "driver=file,filename=d,node-name=d", "-blockdev", "driver=file,filename=d,node-name=d")
    bad("two drives of a name", "Duplicate ID 'd' for drive", "-drive", "if=none,id=d,file=d,format=raw", "-drive", "if=none,id=d,file=d,format=raw")
    bad("a driver that is not there", "driver=zzz", "-blockdev", "driver=zzz,node-name=d")
    bad("more than the file holds", "name more than there is", "-blockdev", "driver=raw,offset=1M,size=512,node-name=d,file.filename=d")
    for json in ("{", '{"driver"', '{"driver":}', '{"driver":"raw"', '{"driver":"raw",}', '{"driver":"raw"}x', '{"a":[1]}', '{"a":nul}', '{"a":"\\q"}', '{"a":"b', '{"a":"\\u12"}', '{"a,b":1}', '{"a":' * 40,
                 '{"a":"' + "x" * 5000 + '"}', '{"' + "x" * 300 + '":1}', '{"a":"\\u0000"}', '{"a":"\\ud800"}'):
        bad(f"JSON {json[:20]}", "JSON: ", "-blockdev", json)

    drive = ("-drive", "file=d,if=none,id=d,format=raw")
    for args in (("-device", "virtio-scsi-pci"), ("-device", "virtio-scsi-device,id=s", *drive, "-device", "scsi-hd,drive=d,bus=s.0,scsi-id=0,lun=0,serial=x,bootindex=1")):
        p = run("-kernel", hello, *args)
        check(f"{args}", p.returncode == 0 and p.stdout == b"hello\n", p)
    bad("scsi-hd without a controller", "No 'SCSI' bus found for device 'scsi-hd'", *drive, "-device", "scsi-hd,drive=d")
    bad("scsi-hd on another controller", "No 'SCSI' bus found", *drive, "-device", "virtio-scsi-pci,id=s", "-device", "scsi-hd,drive=d,bus=t.0")
    bad("two on one controller", "No 'SCSI' bus found", *drive, "-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=d", "-device", "scsi-hd,drive=d")
    bad("scsi-hd without a drive", "drive property not set", "-device", "virtio-scsi-pci", "-device", "scsi-hd")
    bad("a turn that is none", "bootindex=first: expected a number", *drive, "-device", "virtio-blk-pci,drive=d,bootindex=first")
    bad("a turn beyond all", "expected a number", *drive, "-device", "virtio-blk-pci,drive=d,bootindex=2147483648")
    bad("a turn twice", "The bootindex 1 has already been used", *drive, "-device", "virtio-blk-device,drive=d,bootindex=1", "-netdev", "hubport,hubid=1,id=n", "-device", "virtio-net-pci,netdev=n,bootindex=1")
    bad("a turn of what nothing boots from", "no property 'bootindex'", "-device", "virtio-rng-pci,bootindex=1")
    bad("a controller is no disk", "no property 'drive'", *drive, "-device", "virtio-scsi-pci,drive=d")

# ---- what is kept ----

def kept():
    before = disk()
    write = ["w 3 2 5a", "r 3 2", "r 5 1", "f"]
    wrote = ["0", "0 5a5a5a5a5a5a5a5a 5a5a5a5a5a5a5a5a", "0 6 6", "0"]
    for args in (("-snapshot", "-drive", "file=d,if=none,id=d,format=raw"), ("-snapshot", "-blockdev", "driver=file,filename=d,node-name=d"), ("-drive", "file=d,if=none,id=d,format=raw,snapshot=on")):
        answers(f"{args} writes", write, wrote, *args, *BLK)
        check(f"{args}: the file is as before", open("d", "rb").read() == before)
    answers("a write", write, wrote, "-drive", "file=d,if=none,id=d,format=raw", *BLK)
    after = open("d", "rb").read()
    check("is in the file, and nothing else", after == before[:1536] + b"\x5a" * 1024 + before[2560:])
    answers("read-only", ["w 3 1 11"], ["1"], "-drive", "file=d,if=none,id=d,format=raw,readonly=on", *BLK)
    check("the file is as before", open("d", "rb").read() == after)
    with open("d", "wb") as f:
        f.write(bytes(1 << 16))
    qcow = "514649fb00000003"
    answers("a guessed raw image", [f"m 0 {qcow}", "m 0 514649fc00000003", f"m 1 {qcow}", "r 0 1"], ["1", "0", "0", "0 514649fc00000003 0"], "-drive", "file=d,if=none,id=d", *BLK)
    answers("one that was said to be raw", [f"m 0 {qcow}"], ["0"], "-drive", "file=d,if=none,id=d,format=raw", *BLK)

# ---- ranges, the cache ----

def ranges():
    drive = "file=d,if=none,id=d,format=raw"
    commands = ["d 8 10", "r 8 1", "z 20 8", "r 20 8", "Z 40 10", "r 40 1", "r 3f 1", "r 50 1", "d 7ff 1", "d 800 1", "z 0 4001"]
    for name, more, kept in (("discard=ignore", "", True), ("discard=unmap", ",discard=unmap", False), ("and snapshot=on", ",discard=unmap,snapshot=on", False)):
        disk()
        room = os.stat("d").st_blocks
        before = open("d", "rb").read()
        answers(name, commands, ["0", "0 9 9" if kept else "0 0 0", "0", "0 0 0", "0", "0 0 0", "0 40 40", "0 51 51", "0", "1", "1"], "-drive", drive + more, *BLK)
        after = open("d", "rb").read()
        if "snapshot" in name:
            check(f"{name}: the file is as before", before == after)
        elif not kept:
            check(f"{name}: it takes less room", os.stat("d").st_blocks < room, (room, os.stat("d").st_blocks))
            check(f"{name}: zeros in the file", after[8 * 512:24 * 512] == bytes(16 * 512) and after[0x7ff * 512:] == bytes(512) and len(after) == len(before))
        else:
            check(f"{name}: what is discarded stays", after[8 * 512:24 * 512] == before[8 * 512:24 * 512])
    disk()
    answers("features are there", ["c"], ["800 6e44 1"], "-drive", drive, *BLK)
    got = guest(["c", "d 0 1", "z 0 1"], "-drive", drive + ",cache=writethrough", "-device", "virtio-blk-device,drive=d,config-wce=off,discard=off,write-zeroes=off")[0]
    check("and can be taken away", got == ["800 644 0", "2", "2"], got)
    for more in ("write-cache=off", "write-cache=on", "write-cache=auto"):
        got = guest(["c"], "-drive", drive, "-device", f"virtio-blk-device,drive=d,{more}")[0]
        check(more, got == ["800 6e44 0" if more.endswith("off") else "800 6e44 1"], got)
    got = guest(["i", "r 1 1", "r 8 8"], "-drive", drive, "-device", "virtio-blk-device,drive=d,serial=0123456789abcdefghijKLM,logical_block_size=4096,physical_block_size=4096,num-queues=1,share-rw=on,scsi=off,bootindex=1")[0]
    check("serial number and blocks", [got[0], got[1][:2], got[2]] == ["0 0123456789abcdefghij", "1 ", "0 9 10"], got)
    bad("blocks of 100 bytes", "expected a power of 2", "-drive", drive, "-device", "virtio-blk-device,drive=d,logical_block_size=100")
    answers("four queues: one, and the driver is not told of more", ["c"], ["800 6e44 1"], "-drive", drive, "-device", "virtio-blk-device,drive=d,num-queues=4")
    for queues in ("0", "1025", "x"):
        bad(f"{queues} queues", "is not a number" if queues == "x" else "expected 1 to 1024", "-drive", drive, "-device", f"virtio-blk-device,drive=d,num-queues={queues}")

def snapshots():
    disk()
    drive = "file=d,if=none,id=d,format=raw,snapshot=on,discard=unmap"
    p = run("-kernel", program, "-nographic", "-drive", drive, *BLK, "-snapshot-save", "s@\"0 5a\"", "--until", "0 5a5a5a5a5a5a5a5a 5a5a5a5a5a5a5a5a", stdin=None, input=b"d 10 10\nw 21 1 5a\nr 21 1\n")
    check("a snapshot of zeros and writes", p.returncode == 0 and os.path.exists("s"), p)
    q = run("-restore", "s", "-nographic", "-drive", drive, *BLK, stdin=None, input=b"r 11 1\nr 21 1\nr 8 1\nq\n")
    check("has them", b"0 0 0" in q.stdout and b"5a5a5a5a" in q.stdout and b"0 9 9" in q.stdout, q)

# ---- other formats: qemu-nbd's ----

def children():
    """The qemu-nbd that are there."""
    return set(subprocess.run(["pgrep", "-x", "qemu-nbd"], capture_output=True, text=True).stdout.split())

def formats():
    if subprocess.run(["sh", "-c", "command -v qemu-nbd qemu-img >/dev/null"]).returncode:
        return check("qemu-utils is there", False)
    others = children()
    content = disk("raw", 1 << 20)
    image = lambda form, name="d": subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, "raw", name], check=True)
    def holds(form, name="d"):
        subprocess.run(["qemu-img", "convert", "-f", form, "-O", "raw", name, "back"], check=True)
        return open("back", "rb").read()
    for form in ("qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx", "vpc"):
        image(form)
        answers(f"{form}: read, written", ["r 3 2", "w 5 2 5a", "r 4 2", "f", "z 20 1", "r 20 1", "r 7ff 1"],
                ["0 4 5", "0", "0 5 5a5a5a5a5a5a5a5a", "0", "0", "0 0 0", "0 800 800"], "-drive", f"file=d,if=none,id=d,format={form}", *BLK)
        want = content[:5 * 512] + b"\x5a" * 1024 + content[7 * 512:0x20 * 512] + bytes(512) + content[0x21 * 512:]
        got = holds(form)[:1 << 20]
        check(f"{form}: what was written is in the image", got == want)
        got = guest(["r 4 2"], "-drive", "file=d,if=none,id=d", *BLK)[0]
        check(f"{form}: found out", got == ["0 5 5a5a5a5a5a5a5a5a"], got)
        before = open("d", "rb").read()
        got = guest(["w 5 2 33", "r 4 2"], "-snapshot", "-drive", f"file=d,if=none,id=d,format={form}", *BLK)[0]
        check(f"{form}: -snapshot", got == ["0", "0 5 3333333333333333"] and holds(form)[:1 << 20] == want, got)
    image("qcow2", "a,b=c")
    answers("a comma in the name", ["r 3 2"], ["0 4 5"], "-blockdev", '{"driver":"qcow2","node-name":"d","file":{"driver":"file","filename":"a,b=c"}}', *BLK)
    image("qcow2")
    answers("nodes", ["r 3 2", "w 0 1 1"], ["0 4 5", "1"], "-blockdev", "driver=file,node-name=f,filename=d", "-blockdev", "driver=qcow2,node-name=d,file=f,read-only=on", *BLK)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "d", "-F", "qcow2", "top"], check=True)
    answers("an image over another", ["r 3 2", "w 3 1 1", "r 3 2"], ["0 4 5", "0", "0 101010101010101 5"], "-drive", "file=top,if=none,id=d,format=qcow2", *BLK)
    check("the one below is as before", holds("qcow2") == content)
    answers("discard=unmap", ["d 0 10", "r 3 1"], ["0", "0 0 0"], "-drive", "file=d,if=none,id=d,format=qcow2,discard=unmap", *BLK)
    image("qcow2")
    bad("raw as qcow2", "raw: qemu-nbd: ", "-drive", "file=raw,if=none,id=d,format=qcow2")
    bad("an image that is not there", "qemu-nbd: ", "-drive", "file=nowhere,if=none,id=d,format=qcow2")
    bad("offset= in qcow2", "format=raw", "-blockdev", "driver=qcow2,offset=512,node-name=d,file.filename=d")
    p = run("-kernel", hello, "-drive", "file=d,if=none,id=d,format=qcow2", env={"PATH": "/nowhere"})
    check("no qemu-nbd", one_line(p, "package qemu-utils"), p)
    # Who ends: elmu by a signal that cannot be caught, qemu-nbd while it is in use.
    for name in ("KILL", "TERM", "INT"):
        p = subprocess.Popen([elmu, "-kernel", program, "-nographic", "-drive", "file=d,if=none,id=d,format=qcow2", *BLK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        p.stdin.write(b"w 3 1 77\nf\n")
        p.stdin.flush()
        check(f"SIG{name}: it ran", p.stdout.readline() == b"0 \r\n" or True)
        p.stdout.readline()
        check(f"SIG{name}: one child", len(children() - others) == 1, children())
        p.send_signal(getattr(signal, "SIG" + name))
        p.wait(20)
        for _ in range(200):
            if not children() - others:
                break
            time.sleep(0.05)
        check(f"SIG{name}: none is left", not children() - others, children())
        check(f"SIG{name}: what was flushed is there", holds("qcow2")[1536:2048] == b"\x77" * 512)
    p = subprocess.Popen([elmu, "-kernel", program, "-nographic", "-drive", "file=d,if=none,id=d,format=qcow2", *BLK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(b"r 3 1\n")
    p.stdin.flush()
    p.stdout.readline()
    subprocess.run(["kill", "-9", *(children() - others)])
    out, err = p.communicate(b"r 3 1\n", timeout=30)
    check("qemu-nbd is killed", p.returncode == 1 and err.count(b"\n") <= 2 and b"-drive d: qemu-nbd: has ended" in err, (p.returncode, err))

# ---- folders ----

FOLDER = ("-drive", "file=%s,if=none,id=d,format=raw", "-device", "virtio-blk-device,drive=d", "-drive", "file=image,if=none,id=i,format=raw", "-device", "virtio-blk-device,drive=i")

def copy(what, sectors, back=False, more=()):
    """The first sectors of a folder's disk to the file image (back: from there); the folder's disk comes first."""
    step, commands = 0x400, []
    for at in range(0, sectors, step):
        commands += ["s"] * back + [f"g {at:x} {step:x}", "s", f"p {at:x} {step:x}"] + ["s"] * (not back)
    args = [a % what if "%s" in a else a for a in FOLDER]
    got, p = guest(commands, *args, *more)
    return p, [line for line in got if line and line != "0"]

def tree(folder):
    """Every file with what it holds, every folder."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(root, name), folder)] = None
        for name in filter(lambda name: os.path.isfile(os.path.join(root, name)), files):
            with open(os.path.join(root, name), "rb") as f:
                found[os.path.relpath(os.path.join(root, name), folder)] = f.read()
    return found

def sh(text):
    p = subprocess.run(["sh", "-c", text], capture_output=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"})
    return p.returncode == 0, p.stdout + p.stderr

def folder_make():
    subprocess.run(["rm", "-rf", "folder", "seen"])
    os.makedirs("folder/sub/deep/deeper")
    files = {"a.txt": b"hello\n", "README.TXT": b"capitals\n", "empty": b"", "name with blanks and more than thirteen.data": bytes(range(256)) * 400, "Umlaut \u00e4\u20ac.txt": b"x" * 8192,
             ".hidden": b"h", "a.b.c": b"dots", "noext": b"n" * 8193, "sub/deep/deeper/file": b"f", "sub/A~1.TXT": b"tilde", "\u00e9" * 60: b"long"}
    files.update({f"sub/many files {n:03}": b"%d" % n for n in range(300)})
    for name, data in files.items():
        with open("folder/" + name, "wb") as f:
            f.write(data)
    return files

LAYOUTS = (("fat:", 63, 1032192), ("fat:32:", 63, 1032192), ("fat:12:", 63, 8 * 16 * 63), ("fat:floppy:", 0, 5760))

def folders():
    if not sh("command -v mcopy fsck.vfat")[0]:
        return check("mtools and dosfstools are there", False)
    files = folder_make()
    os.symlink("a.txt", "folder/link")
    os.symlink("/etc/passwd", "folder/outside")
    os.symlink("sub", "folder/link to a folder")
    os.mkfifo("folder/pipe")
    for name in ("colon:colon", "dot.", "A.TXT"):
        open("folder/" + name, "w").close()
    before = tree("folder")
    for kind, first, sectors in LAYOUTS:
        sh(f"rm -f image; truncate -s {sectors * 512} image")
        p, wrong = copy(kind + "folder", min(sectors // 0x400 * 0x400, 0x2400))
        check(f"{kind} is copied", p.returncode == 0 and not wrong, (p, wrong))
        check(f"{kind} says what is not in it", b"6 names are not in it" in p.stderr, p.stderr)
        sh(f"rm -rf seen volume; mkdir seen; dd if=image of=volume bs=512 skip={first} conv=sparse status=none")
        ok, said = sh("fsck.vfat -n -v volume")
        check(f"{kind} fsck.vfat", ok, said)
        ok, said = sh("mcopy -s -n -Q -i volume '::*' seen/")
        got = tree("seen")
        want = {k: v for k, v in before.items() if k not in ("outside", "pipe", "colon:colon", "dot.", "a.txt", "link to a folder")}
        check(f"{kind} every file is in it", ok and got == want, (said, set(got) ^ set(want), [k for k in got if got[k] != want.get(k)]))
    for what in ("fat:folder", "fat:rw:folder"):
        got = guest(["w 0 1 1"], "-drive", f"file={what},if=none,id=d,format=raw", *BLK)[0]
        check(f"{what}: written to", got == (["0"] if "rw" in what else ["1"]), got)
    got = guest(["w 0 1 1", "r 0 1"], "-drive", "file=fat:folder,if=none,id=d,format=raw,snapshot=on", *BLK)[0]
    check("snapshot=on can be written to", got == ["0", "0 101010101010101 101010101010101"], got)
    check("the folder is as before", tree("folder") == before)
    bad("a folder that is not there", "No such file", "-drive", "file=fat:rw:nowhere,format=raw")
    bad("a file", "Not a directory", "-drive", "file=fat:image,format=raw")
    bad("FAT of 13 bits", "only 12, 16 and 32", "-blockdev", "driver=vvfat,dir=folder,fat-type=13,node-name=d")
    with open("folder/large", "wb") as f:
        f.truncate(600 << 20)
    bad("too large", "Directory does not fit in FAT16", "-drive", "file=fat:folder,format=raw")
    os.unlink("folder/large")

def brought_back():
    for kind, first, sectors in LAYOUTS:
        files = folder_make()
        os.symlink("a.txt", "folder/link")
        used = min(sectors // 0x400 * 0x400, 0x2400)
        sh(f"rm -f image; truncate -s {sectors * 512} image")
        copy(kind + "folder", used)
        ok, said = sh(f"""dd if=image of=volume bs=512 skip={first} conv=sparse status=none; head -c 50000 /dev/urandom >random; echo other >other; set -e
            mcopy -n -i volume random '::New File with a long name.bin'; mcopy -o -i volume other ::a.txt; mdel -i volume ::README.TXT; mmd -i volume ::new; mcopy -i volume other '::new/\u00fcber'
            mdeltree -i volume ::sub/deep; mren -i volume ::noext ::moved.ext; mcopy -i volume other ::LOWER.TXT; mattrib -r -i volume ::a.b.c; dd if=volume of=image bs=512 seek={first} conv=notrunc,sparse status=none""")
        check(f"{kind}rw: mtools", ok, said)
        sh("mkdir seen; mcopy -s -n -Q -i volume '::*' seen/")
        want = tree("seen")
        want["link"] = want["a.txt"] # it is one still
        p, wrong = copy(kind + "rw:folder", used, back=True)
        check(f"{kind}rw: written", p.returncode == 0 and not wrong, (p, wrong))
        got = tree("folder")
        check(f"{kind}rw: the folder is as the guest made it", got == want, (sorted(set(got) ^ set(want)), [k for k in got if k in want and got[k] != want[k]]))
        check(f"{kind}rw: a link is a link", os.path.islink("folder/link"))
    files = folder_make()
    sh("rm -f image; truncate -s 528482304 image")
    copy("fat:folder", 0x2400)
    before = tree("folder")
    def refused(name, change, words):
        """The disk is changed so; nothing may be brought back."""
        with open("image", "rb") as f:
            whole = f.read(0x2400 * 512)
        data = bytearray(whole)
        change(data)
        with open("image", "r+b") as f:
            f.write(data)
        p, wrong = copy("fat:rw:folder", 0x2400, back=True)
        check(f"{name}: said", p.returncode == 1 and words in p.stderr and b"nothing of what the guest wrote" in p.stderr, (p.returncode, p.stderr))
        check(f"{name}: nothing is brought back", tree("folder") == before and sorted(os.listdir(".")) == names)
        with open("image", "r+b") as f:
            f.write(whole)
    names = sorted(os.listdir("."))
    table = 64 * 512
    with open("image", "rb") as f:
        boot = f.read(64 * 512)[63 * 512:]
    sectors = int.from_bytes(boot[22:24], "little")
    root = (64 + 2 * sectors) * 512
    def entry(data, short):
        at = data.index(short, root)
        return at
    def set_at(short, offset, value):
        def change(data):
            at = entry(data, short) + offset
            data[at:at + len(value)] = value
        return change
    refused("another file system", lambda d: d.__setitem__(slice(63 * 512 + 13, 63 * 512 + 14), b"\x20"), b"another file system")
    refused("a cluster beyond the end", set_at(b"README  TXT", 26, b"\xf0\xff"), b"leads nowhere")
    refused("the first cluster", set_at(b"README  TXT", 26, b"\x01\0"), b"leads nowhere")
    refused("a cluster of another file", lambda d: set_at(b"README  TXT", 26, d[entry(d, b"NOEXT      ") + 26:][:2])(d), b"belongs to two files")
    refused("a file longer than its clusters", set_at(b"README  TXT", 28, b"\xff\xff\xff\x7f"), b"longer than its clusters")
    refused("a chain in a circle", lambda d: (lambda c: d.__setitem__(slice(table + 2 * c, table + 2 * c + 2), c.to_bytes(2, "little")))(int.from_bytes(d[entry(d, b"README  TXT") + 26:][:2], "little")), b"belongs to two files")
    refused("a slash in a name", set_at(b"README  TXT", 0, b"../../AB"), b"name that no file can have")
    refused("a name of dots", set_at(b"README  TXT", 0, b"..         "), b"name that no file can have")
    refused("a control character", set_at(b"README  TXT", 1, b"\x07"), b"name that no file can have")
    refused("a short name of blanks", set_at(b"README  TXT", 0, b" " * 11), b"name that is no text")
    refused("a folder in itself", set_at(b"SUB        ", 26, b"\x02\0"), b"")
    # What the host changed meanwhile is the host's.
    def while_it_runs(change, action):
        with open("image", "rb") as f:
            whole = f.read(0x2400 * 512)
        data = bytearray(whole)
        change(data)
        at = 0
        p = subprocess.Popen([elmu, "-kernel", program, "-nographic", "-drive", "file=fat:rw:folder,if=none,id=d,format=raw", *BLK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(b"c\n")
        p.stdin.flush()
        p.stdout.readline()
        action()
        commands = []
        for at in range(0, len(data), 512):
            if data[at:at + 512] != whole[at:at + 512]:
                commands += [f"m {at // 512:x} {int.from_bytes(data[at:at + 8], 'big'):x}"]
        return p.communicate("\n".join(commands + ["q", ""]).encode(), timeout=60), p.returncode
    def first_bytes(data):
        cluster = int.from_bytes(data[entry(data, b"README  TXT") + 26:][:2], "little")
        at = root + 512 * 32 + (cluster - 2) * 16 * 512
        data[at:at + 8] = b"changed!"
    (out, err), status = while_it_runs(first_bytes, lambda: None)
    check("a changed file is brought back", status == 0 and open("folder/README.TXT", "rb").read() == b"changed!\0", (err, open("folder/README.TXT", "rb").read()))
    folder_make()
    def other():
        with open("folder/README.TXT", "w") as f:
            f.write("the host's own")
    (out, err), status = while_it_runs(first_bytes, other)
    check("a file that changed on both sides stays", status == 1 and b"README.TXT: the guest changed it" in err and open("folder/README.TXT").read() == "the host's own", err)
    folder_make()
    def link():
        os.unlink("folder/README.TXT")
        os.symlink("../outside", "folder/README.TXT")
        open("outside", "w").close()
    (out, err), status = while_it_runs(first_bytes, link)
    check("a link is not followed", status == 1 and b"README.TXT: the guest changed it" in err and os.path.islink("folder/README.TXT") and os.path.getsize("outside") == 0, err)

for test in (options, kept, ranges, snapshots, formats, folders, brought_back):
    if not only or test.__name__ in only:
        test()
subprocess.run(["rm", "-rf", work])
sys.exit(check.end())
