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
hold = ["-fw_cfg", "name=opt/hold,string=1"]
WIDTH, HEIGHT = 80, 60

def colour(x, y):
    """What screen.c draws."""
    if x in (0, WIDTH - 1) or y in (0, HEIGHT - 1):
        return 0xffffff
    if y >= 50:
        return x * 3 * 0x010101
    return (0xff0000 if x < WIDTH // 2 else 0x00ff00) | (0 if y < 25 else 0xff) | (x + y) << 1

drawn = b"".join(struct.pack(">I", colour(x, y))[1:] for y in range(HEIGHT) for x in range(WIDTH))

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
            check(f"{options}: what was drawn", read(name) == (WIDTH, HEIGHT, drawn))
    check("the runs are the same", len(hashes) == 1, hashes)
    for options, text in ((["-screendump", "x.ppm,screen=1"], b"no console"), (["-screendump", "no/where.ppm"], b"no/where.ppm"), (["-screendump", ""], b"which file?")):
        p = subprocess.run([elmu, *screen, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"{options}: refused", p.returncode == 1 and text in p.stderr and len(p.stderr.splitlines()) == 1, p)
    p = subprocess.run([elmu, *screen, "-max-insns", "10", "-screendump", "x.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("nothing is shown yet", b"screen 0 (ramfb) shows nothing yet" in p.stderr, p)
    check("nothing was left", not os.path.exists("x.ppm"))
    p = subprocess.run([elmu, *screen, "-record", "run.log", "-screendump", "r.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *screen, "-replay", "run.log", "-screendump", "q.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("record and replay", p.returncode == q.returncode == 0 and ppm("r.ppm") == ppm("q.ppm") == (WIDTH, HEIGHT, drawn), (p, q))
    p = subprocess.run([elmu, *screen, *hold, "-snapshot-save", "s.snap@# holds", "-max-insns", "2000000"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    q = subprocess.run([elmu, *screen, *hold, "-restore", "s.snap", "-max-insns", "2000000", "-screendump", "s.ppm"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check("restored", p.returncode == q.returncode == 3 and ppm("s.ppm") == (WIDTH, HEIGHT, drawn), (p, q))

def monitors():
    with Elmu(*screen, *hold, "-serial", "stdio", "-monitor", "unix:m,server,nowait", "-qmp", "unix:q,server,nowait") as e:
        e.said(rb"# holds")
        with connect("m") as s, connect("q") as t:
            m, q = Peer(s.fileno()), Qmp(t)
            m.until(b"(qemu) ")
            ask = lambda line: (m.ask(line) or "").replace("\r", "")
            for line, read in (("screendump m.ppm", ppm), ("screendump -f png m.png", png), ("screendump m2.png -f png", png), ("screendump m3 -f ppm", ppm)):
                name = [w for w in line.split() if w[0] == "m"][0]
                check(line, not ask(line) and read(name) == (WIDTH, HEIGHT, drawn), m.before)
            for line, text in (("screendump", "FILE"), ("screendump x -f gif", "does not accept value 'gif'"), ("screendump x nobody", "'nobody' not found"), ("screendump x y 0 1", "FILE"),
                               ("screendump x y -1", "FILE"), ("screendump no/where", "no/where"), ("screendump /dev/full", "No space")):
                check(f"{line}: refused", text in ask(line), m.before)
            for arguments in ({"filename": "q.ppm"}, {"filename": "q.png", "format": "png"}, {"filename": "q2.ppm", "format": "ppm"}):
                a = q.call("screendump", **arguments)
                check(f"QMP {arguments}", a == {"return": {}} and (png if "png" in arguments["filename"] else ppm)(arguments["filename"]) == (WIDTH, HEIGHT, drawn), a)
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
            check("QEMU's picture", ppm("qemu.ppm") == (WIDTH, HEIGHT, drawn), m.before)
    Elmu.program = elmu

at_the_end()
monitors()
on_qemu()
sys.exit(check.end())
