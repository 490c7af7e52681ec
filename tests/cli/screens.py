#!/usr/bin/env python3
"""Pictures of the guest's screens: pixel by pixel, on QEMU too; by both monitors and -screendump; what is refused.

    tests/cli/screens.py ELMU          B: the folder of the build, whose guest/screen.elf draws. Ends with "N passed, N failed".
"""
import json, os, re, shutil, struct, subprocess, sys, tempfile, time, zlib

elmu, guests = os.path.abspath(sys.argv[1]), os.path.abspath(os.path.join(os.environ.get("B", "build"), "guest"))
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect

os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()
machine = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "256M", "-nodefaults", "-display", "none", "-semihosting-config", "enable=on,target=native"]
screen = [*machine, "-device", "ramfb", "-kernel", os.path.join(guests, "screen.elf")]
gpus = [*machine, "-device", "virtio-gpu-device,id=a,xres=320,yres=200", "-device", "virtio-gpu-pci,id=b,addr=1,max_outputs=2,xres=320,yres=200", "-kernel", os.path.join(guests, "gpu.elf")]
hold = ["-fw_cfg", "name=opt/hold,string=1"]
WIDTH, HEIGHT = 80, 60

def colour(x, y):
    """What screen.c draws."""
    if x in (0, WIDTH - 1) or y in (0, HEIGHT - 1):
        return 0xffffff
    if y >= 50:
        return x * 3 * 0x010101
    return (0xff0000 if x < WIDTH // 2 else 0x00ff00) | (0 if y < 25 else 0xff) | (x + y) << 1

def picture(width, height):
    return width, height, b"".join(struct.pack(">I", colour(x, y))[1:] for y in range(height) for x in range(width))

whole, corner = picture(WIDTH, HEIGHT), picture(WIDTH // 2, HEIGHT // 2)

def ppm(name):
    """Width, height, pixels of a portable pixmap."""
    data = open(name, "rb").read()
    m = re.match(rb"P6\n(?:#[^\n]*\n)?(\d+) (\d+)\n255\n", data)
    return (int(m[1]), int(m[2]), data[m.end():]) if m else None

def png(name):
    """The same of a PNG with three bytes a pixel."""
    data, at, packed, size = open(name, "rb").read(), 8, b"", None
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if zlib.crc32(kind + body) != struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]:
            return None
        at += 12 + length
        size = struct.unpack(">IIBBBBB", body) if kind == b"IHDR" else size
        packed += body if kind == b"IDAT" else b""
    width, height, raw, line = size[0], size[1], zlib.decompress(packed), 3 * size[0]
    out, before = bytearray(), bytes(line)
    for y in range(height):
        kind, row = raw[y * (line + 1)], bytearray(raw[y * (line + 1) + 1:(y + 1) * (line + 1)])
        for n in range(line):
            a, b, c = row[n - 3] if n >= 3 else 0, before[n], before[n - 3] if n >= 3 else 0
            p = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
            row[n] = row[n] + (0, a, b, (a + b) // 2, a if p[0] <= p[1] and p[0] <= p[2] else b if p[1] <= p[2] else c)[kind] & 255
        out += row
        before = row
    return width, height, bytes(out)

class Qmp:
    """A client of the machine protocol that asks, and hears no events."""
    def __init__(self, s):
        self.peer = Peer(s.fileno())
        self.peer.until(b"\n")
        self.call("qmp_capabilities")
    def call(self, command, **arguments):
        self.peer.send(json.dumps({"execute": command, "arguments": arguments}).encode())
        while self.peer.until(b"\n"):
            if b'"event"' not in self.peer.before:
                return json.loads(self.peer.before)

def at_the_end():
    """-screendump, and that looking changes nothing."""
    hashes = set()
    for options, name, read in (([], None, None), (["-screendump", "a.ppm"], "a.ppm", ppm), (["-screendump", "file=a.png,screen=0"], "a.png", png),
                                (["-sandbox", "on", "-screendump", "b.png"], "b.png", png), (["-engine", "step", "-screendump", "c.png"], "c.png", png)):
        p = subprocess.run([elmu, *screen, "-serial", "stdio", "-stats", *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        hashes.add(re.search(rb"hash ([0-9a-f]+)", p.stderr)[1])
        check(f"{options}: ends well", p.returncode == 0 and b"not ok" not in p.stdout, p)
        if name:
            check(f"{options}: what was drawn", read(name) == whole)
    check("the runs are the same", len(hashes) == 1, hashes)
    for options, text in ((["-screendump", "x.ppm,screen=1"], b"no console"), (["-screendump", "no/where.ppm"], b"no/where.ppm"), (["-screendump", ""], b"which file?")):
        p = subprocess.run([elmu, *screen, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"{options}: refused", p.returncode == 1 and text in p.stderr and len(p.stderr.splitlines()) == 1, p)
    p = subprocess.run([elmu, *screen, "-max-insns", "10", "-screendump", "x.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("nothing is shown yet", b"screen 0 (ramfb) shows nothing yet" in p.stderr, p)
    check("nothing was left", not os.path.exists("x.ppm"))
    p = subprocess.run([elmu, *screen, "-record", "run.log", "-screendump", "r.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *screen, "-replay", "run.log", "-screendump", "q.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("record and replay", p.returncode == q.returncode == 0 and ppm("r.ppm") == ppm("q.ppm") == whole, (p, q))
    p = subprocess.run([elmu, *screen, *hold, "-snapshot-save", "s.snap@# holds", "-max-insns", "2000000"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *screen, *hold, "-restore", "s.snap", "-max-insns", "2000000", "-screendump", "s.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("restored", p.returncode == q.returncode == 3 and ppm("s.ppm") == whole, (p, q))

def monitors():
    with Elmu(*screen, *hold, "-serial", "stdio", "-monitor", "unix:m,server,nowait", "-qmp", "unix:q,server,nowait") as e:
        e.said(rb"# holds")
        with connect("m") as s, connect("q") as t:
            m, q = Peer(s.fileno()), Qmp(t)
            m.until(b"(qemu) ")
            ask = lambda line: (m.ask(line) or "").replace("\r", "")
            for line, read in (("screendump m.ppm", ppm), ("screendump -f png m.png", png), ("screendump m2.png -f png", png), ("screendump m3 -f ppm", ppm)):
                name = [w for w in line.split() if w[0] == "m"][0]
                check(line, not ask(line) and read(name) == whole, m.before)
            for line, text in (("screendump", "FILE"), ("screendump x -f gif", "does not accept value 'gif'"), ("screendump x nobody", "'nobody' not found"), ("screendump x y 0 1", "FILE"),
                               ("screendump x y -1", "FILE"), ("screendump no/where", "no/where"), ("screendump /dev/full", "No space")):
                check(f"{line}: refused", text in ask(line), m.before)
            for arguments in ({"filename": "q.ppm"}, {"filename": "q.png", "format": "png"}, {"filename": "q2.ppm", "format": "ppm"}):
                a = q.call("screendump", **arguments)
                check(f"QMP {arguments}", a == {"return": {}} and (png if "png" in arguments["filename"] else ppm)(arguments["filename"]) == whole, a)
            for arguments, text in (({"filename": "x", "format": "gif"}, "does not accept"), ({"filename": "x", "head": 0}, "together with 'device'"), ({"filename": "x", "device": "d"}, "'d' not found"), ({"filename": "x", "head": -2}, "head"), ({}, "filename")):
                a = q.call("screendump", **arguments)
                check(f"QMP {arguments}: refused", text in a.get("error", {}).get("desc", ""), a)
            check("nothing was left", not os.path.exists("x"))

def on_qemu():
    """Its guest holds, too; its picture is the same."""
    if not shutil.which("qemu-system-aarch64"):
        return
    Elmu.program = "qemu-system-aarch64"
    with Elmu(*screen, *hold, "-serial", "stdio", "-monitor", "unix:qm,server=on,wait=off") as e:
        e.said(rb"# holds")
        with connect("qm") as s:
            m = Peer(s.fileno())
            m.until(b"(qemu) ")
            m.ask("screendump qemu.ppm")
            check("QEMU's picture", ppm("qemu.ppm") == whole, m.before)
    Elmu.program = elmu

def heads():
    """virtio-gpu: its pictures at the end, by number, and by device and head; QEMU's are the same."""
    hashes = set()
    for options, name, want in (([], None, None), (["-screendump", "g0.ppm"], "g0.ppm", whole), (["-engine", "step", "-screendump", "g1.ppm,screen=1"], "g1.ppm", whole),
                                (["-engine", "tier2,hot=1", "-screendump", "g2.ppm,screen=2"], "g2.ppm", corner)):
        p = subprocess.run([elmu, *gpus, "-serial", "stdio", "-stats", *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        hashes.add(re.search(rb"hash ([0-9a-f]+)", p.stderr)[1])
        check(f"gpu {options}", p.returncode == 0 and b"not ok" not in p.stdout and (not name or ppm(name) == want), p)
    check("gpu: the runs are the same", len(hashes) == 1, hashes)
    at = ["-snapshot-save", "g.snap@# holds", "-max-insns", "40000000"]
    p = subprocess.run([elmu, *gpus, *hold, *at, "-stats", "-screendump", "h.ppm,screen=1"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *gpus, *hold, "-restore", "g.snap", "-max-insns", "40000000", "-stats", "-screendump", "i.ppm,screen=1"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    state = [re.search(rb"hash ([0-9a-f]+)", r.stderr) for r in (p, q)]
    check("gpu: restored", p.returncode == q.returncode == 3 and ppm("h.ppm") == ppm("i.ppm") == whole and state[0] and state[0][1] == state[1][1], (p, q))
    p = subprocess.run([elmu, *gpus, "-record", "g.log"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *gpus, "-replay", "g.log", "-screendump", "j.ppm,screen=2"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("gpu: record and replay", p.returncode == q.returncode == 0 and ppm("j.ppm") == corner, (p, q))
    for program in (elmu, *(["qemu-system-aarch64"] if shutil.which("qemu-system-aarch64") else [])):
        Elmu.program = program
        with Elmu(*gpus, *hold, "-serial", "stdio", "-monitor", "unix:g,server=on,wait=off") as e:
            e.said(rb"# holds")
            with connect("g") as s:
                m = Peer(s.fileno())
                m.until(b"(qemu) ")
                for line, want in (("screendump k.ppm", whole), ("screendump l.ppm b", whole), ("screendump n.ppm b 1", corner), ("screendump o.ppm a 0", whole)):
                    m.ask(line)
                    check(f"{os.path.basename(program)}: {line}", ppm(line.split()[1]) == want, m.before)
                if program == elmu:
                    for line, text in (("screendump x b 2", "no head 2 (it has 2)"), ("screendump x a 1", "no head 1"), ("screendump x c", "'c' not found")):
                        answer = m.ask(line) or ""
                        check(f"{line}: refused", text in answer and not os.path.exists("x"), answer)
        os.remove("g") if os.path.exists("g") else None
    Elmu.program = elmu
    for device, text in (("virtio-gpu-pci,max_outputs=17", "expected 1 to 16"), ("virtio-gpu-pci,max_outputs=0", "expected 1 to 16"), ("virtio-gpu-pci,xres=0", "expected 16 to 16384"),
                         ("virtio-gpu-pci,blob=on", "blob"), ("virtio-vga", "elmu has no VGA"), ("virtio-gpu-gl-pci", "elmu has no 3D"), ("virtio-gpu-pcj", "did you mean 'virtio-gpu-pci'?")):
        p = subprocess.run([elmu, *machine, "-device", device, "-kernel", gpus[-1]], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"-device {device}: refused", p.returncode == 1 and text in p.stderr.decode() and len(p.stderr.splitlines()) == 1, p)
    for devices, text in ((["virtio-gpu-pci,max_outputs=9"] * 2, "more than 16 screens in all"), (["virtio-gpu-pci"] * 5, "more than 4"), (["ramfb"] * 2, "a machine has one")):
        p = subprocess.run([elmu, *machine, *(w for d in devices for w in ("-device", d)), "-kernel", gpus[-1]], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"{devices}: refused", p.returncode == 1 and text in p.stderr.decode(), p)

at_the_end()
monitors()
on_qemu()
heads()
sys.exit(check.end())
