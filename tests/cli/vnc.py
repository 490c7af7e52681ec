#!/usr/bin/env python3
"""-vnc: a client sees the guest's screen pixel by pixel and types; who only looks changes nothing; what was typed is replayed;
hostile clients hold nobody up.

    tests/cli/vnc.py ELMU          B: folder of the build. Ends with "N passed, N failed".
"""
import os, random, re, socket, struct, subprocess, sys, tempfile, time

elmu, guests = os.path.abspath(sys.argv[1]), os.path.abspath(os.path.join(os.environ.get("B", "build"), "guest"))
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect, free_port
from rfb import Client

os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()
MACHINE = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-semihosting", "-stats"]
INPUT = ["-device", "virtio-keyboard-device,serial=listen", "-device", "virtio-tablet-device"]
WIDTH, HEIGHT = 80, 60
SANDBOX = ["-sandbox", "on"] if b"seccomp" in subprocess.run([elmu, "-version"], capture_output=True).stdout else []
KEY, REL, ABS, SYN = 1, 2, 3, (0, 0, 0)

def colour(x, y):
    """What screen.c draws."""
    if x in (0, WIDTH - 1) or y in (0, HEIGHT - 1):
        return 0xffffff
    if y >= 50:
        return x * 3 * 0x010101
    return (0xff0000 if x < WIDTH // 2 else 0x00ff00) | (0 if y < 25 else 0xff) | (x + y) << 1

def pixels(form):
    return b"".join(form(colour(x, y)) for y in range(HEIGHT) for x in range(WIDTH))

def part(c, at, most):
    return ((c >> at & 0xff) * most + 127) // 255

def pictures():
    with Elmu(*MACHINE, "-nodefaults", "-serial", "file:s", "-device", "ramfb", "-fw_cfg", "name=opt/hold,string=1", "-name", "seen", "-vnc", "unix:v", kernel=guests + "/screen.elf") as e:
        while not os.path.exists("v") or b"# holds" not in open("s", "rb").read():
            time.sleep(0.02)
        c = Client("v")
        check("version, name, format", (c.version, c.name, c.format[:4]) == (b"RFB 003.008\n", "elmu (seen)", b"\x20\x18\0\1"), (c.version, c.name, c.format))
        want = pixels(lambda p: struct.pack("<I", p))
        check("the picture", c.picture() == want and (c.width, c.height) == (WIDTH, HEIGHT), (c.width, c.height))
        c.ask()
        c.s.settimeout(0.3)
        try:
            c.update()
            check("nothing new: no update", False)
        except socket.timeout:
            check("nothing new: no update", True)
        for bits, big, maxima, shifts in ((16, 1, (31, 63, 31), (11, 5, 0)), (8, 0, (7, 7, 3), (0, 3, 6)), (32, 0, (255, 255, 255), (0, 8, 16))):
            d = Client("v", version=b"RFB 003.003\n" if bits == 8 else b"RFB 003.007\n")
            d.bytes = bits // 8
            d.s.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, bits, 24, big, 1, *maxima, *shifts))
            form = lambda p: sum(part(p, 16 - 8 * n, maxima[n]) << shifts[n] for n in range(3)).to_bytes(bits // 8, "big" if big else "little")
            check(f"{bits} bits a pixel", d.picture() == pixels(form))
        d = Client("v", encodings=(0,))
        check("without DesktopSize: what fits", (d.width, d.height) == (WIDTH, HEIGHT) and d.picture() == want, (d.width, d.height))

def events(name):
    lines = open(name, "rb").read().split(b"listening")[-1].decode("latin1").split("\n")
    numbers = [tuple(int(w, 16) for w in l.split()) for l in lines if re.match(r"0x\w+( 0x\w+){3}\s*$", l)]
    return [n for n in numbers if n[1:] != SYN]

def stats(text):
    return [re.search(rb"^%s +(\S+)" % w, text, re.M)[1] for w in (b"insns", b"hash")]

def typing():
    port = free_port()
    with Elmu(*MACHINE, *INPUT, "-serial", "file:t", "-monitor", "none", *SANDBOX, "-vnc", f":{port - 5900}", "-record", "j", kernel=guests + "/input.elf") as e:
        while not os.path.exists("t") or b"listening" not in open("t", "rb").read():
            time.sleep(0.02)
        a, b = Client(("127.0.0.1", port)), Client(("127.0.0.1", port), encodings=(0, -258))
        a.key(ord("Q"), 1), a.key(ord("Q"), 0), a.key(0xffe1, 1)
        a.pointer(639, 479, 1), a.pointer(0, 0, 0), a.pointer(0, 0, 16), a.pointer(0, 0, 0)
        end = time.monotonic() + 10
        while len(events("t")) < 9 and time.monotonic() < end:
            time.sleep(0.02)
        a.s.close()  # with shift down
        while (0, KEY, 42, 0) not in events("t") and time.monotonic() < end:
            time.sleep(0.02)
        b.ask()
        b.update()
        check("numbers of keys are understood", -258 in b.kinds, b.kinds)
        b.number(ord("z"), 0x15, 1), b.number(ord("z"), 0x15, 0), b.number(0, 0x9d, 1), b.number(0, 0x9d, 0)
        b.key(0xff1b, 1), b.key(0xff1b, 0)
        check("typing: ends", e.status() == 0, e.text("err"))
        got = events("t")
        keys = [(0, KEY, 16, 1), (0, KEY, 16, 0), (0, KEY, 42, 1), (0, KEY, 42, 0), (0, KEY, 21, 1), (0, KEY, 21, 0), (0, KEY, 97, 1), (0, KEY, 97, 0), (0, KEY, 1, 1), (0, KEY, 1, 0)]
        check("keys by keysym and by number, up when who typed has left", [g for g in got if not g[0]] == keys, got)
        tablet = [(1, ABS, 0, 0x7fff), (1, ABS, 1, 0x7fff), (1, KEY, 0x110, 1), (1, ABS, 0, 0), (1, ABS, 1, 0), (1, KEY, 0x110, 0), (1, REL, 8, 0xffffffff)]
        check("the pointer", [g for g in got if g[0] and g[1] != ABS] == [t for t in tablet if t[1] != ABS] and got.index((1, ABS, 0, 0x7fff)) < got.index((1, KEY, 0x110, 0)), got)
        facts = stats(e.text("err"))
    p = run(*MACHINE, *INPUT, "-serial", "file:again", "-replay", "j", "-kernel", guests + "/input.elf")
    check("typing: replayed", p.returncode == 0 and stats(p.stderr) == facts and open("t", "rb").read() == open("again", "rb").read(), p)

def run(*args):
    return subprocess.run([elmu, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

WORK = [*MACHINE, "-engine", "threaded", "-nodefaults", "-device", "ramfb", "-fw_cfg", "name=opt/hold,string=1", "-kernel", guests + "/screen.elf", "-max-insns"]

def looking():
    """The same run, whoever looks: a client that has all of it sent again and again."""
    alone = run(*WORK, "1000000000")
    with Elmu(*WORK, "1000000000", "-vnc", "unix:l", "-S", "-monitor", "unix:k,server") as e, connect("k") as s:
        m, looked = Peer(s.fileno()), 0
        m.until(b"(qemu) ")
        try:
            c = Client("l")
            os.write(s.fileno(), b"cont\n")
            while True:
                c.ask(False)
                c.update()
                looked += 1
        except (EOFError, OSError):
            pass
        check("who only looks changes nothing", looked and e.status() == alone.returncode and stats(e.text("err")) == stats(alone.stderr), (e.text("err"), alone))

def hostile():
    """Whatever they say or do not say, the monitor answers at once, and another client is served."""
    rng = random.Random(7)
    begun = b"RFB 003.008\n\x01\x01"
    stuck = [b"", b"RFB 0", begun + b"\0", begun + struct.pack(">BxH", 2, 65535) + bytes(100), begun + struct.pack(">B3xI", 6, 0xffffffff) + bytes(100000)]
    wrong = [b"GET / HTTP/1.0\r\n\r\n", b"RFB 003.008\n\x05", begun + b"\xff" * 100, begun + b"\x07" * 100, begun + bytes(4) + bytes([24] + [255] * 15), begun + b"\x05" * 40000]
    with Elmu(*MACHINE, *INPUT, "-serial", "null", "-monitor", "unix:m,server,nowait", "-vnc", "unix:h", kernel=guests + "/input.elf") as e, connect("m") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        check("info vnc", "Server: :h (unix)" in m.ask("info vnc"), m.before)
        while not os.path.exists("h"):
            time.sleep(0.01)
        def client(data):
            s = socket.socket(socket.AF_UNIX)
            s.connect("h")
            s.settimeout(5)
            try:
                s.sendall(data)
            except OSError:
                pass
            return s
        for data in wrong + [begun + bytes(rng.randrange(256) for _ in range(3000)) for _ in range(8)]:
            client(data).close()
        late = time.monotonic()
        check("after nonsense", "running" in m.ask("info status") and time.monotonic() - late < 5)
        kept = [client(d) for d in stuck[:3]]  # each in the middle of something; the fourth place is another's
        time.sleep(0.3)
        c = Client("h")
        check("beside who stops in the middle", len(c.picture(3)) == c.width * c.height * 4, (c.width, c.height))
        more = [client(b"") for _ in range(10)]  # no place for them
        time.sleep(0.3)
        c.s.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 65535, 65535) * 20000)  # reads none of it
        late = time.monotonic()
        check("beside who does not read", "running" in m.ask("info status") and time.monotonic() - late < 5)
        for k in kept + more + [c.s]:
            k.close()
        time.sleep(0.3)
        kept = [client(d) for d in stuck[3:]]
        time.sleep(0.3)
        check("beside endless messages", len(Client("h").picture(3)) == 640 * 480 * 4)
        m.send(b"quit\n")
        check("and the end", e.status() == 0, e.status())
    check("its socket goes with it", not os.path.exists("h"))

def options():
    port = free_port()
    for args, why in ((["-vnc", "1"], "expected [HOST]:N"), (["-vnc", ":x"], "expected [HOST]:N"), (["-vnc", ":99999"], "expected [HOST]:N"), (["-vnc", ":5,to=1"], "to=1: expected 5"),
                      (["-vnc", ":1,password=on"], "password"), (["-vnc", "unix:"], "a path of 1 to"), (["-display", "vnc=2"], "expected [HOST]:N"), (["-vnc", "unix:/nowhere/x"], "No such file")):
        p = run("-kernel", guests + "/input.elf", *args)
        check(f"{args}", p.returncode == 1 and p.stderr.count(b"\n") == 1 and why.encode() in p.stderr, p)
    with Elmu("-serial", "null", "-monitor", "none", "-vnc", f":{port - 5900},to={port - 5900 + 50}", kernel=guests + "/input.elf") as a:
        socket_of = lambda: [l.split()[1] for l in open("/proc/net/tcp") if l.split()[3] == "0A"]
        end = time.monotonic() + 10
        want = f"0100007F:{port:04X}"
        while want not in socket_of() and time.monotonic() < end:
            time.sleep(0.02)
        check("on loopback alone", want in socket_of() and f"00000000:{port:04X}" not in socket_of())
        with Elmu("-serial", "null", "-monitor", "none", "-qmp", "unix:o,server,nowait", "-vnc", f"localhost:{port - 5900},to={port - 5900 + 50}", kernel=guests + "/input.elf") as b, connect("o") as s:
            q = Peer(s.fileno())
            q.send(b'{"execute":"qmp_capabilities"}{"execute":"query-vnc","id":1}')
            q.until(b'"id": 1')
            q.until(b"\n") if b'"service"' not in q.before else None
            said = b.said(rb"VNC server running on localhost:(\d+)", "err")
            check("to=: the next that is free", said and port < int(said[1]) <= port + 50 and b'"service": "%s"' % said[1] in q.before, (said, q.before))
        p = run("-kernel", guests + "/input.elf", "-vnc", f":{port - 5900}")
        check("a port that is taken", p.returncode == 1 and b"Address already in use" in p.stderr, p)
    p = run("-kernel", guests + "/input.elf", "-display", "none", "-vnc", "none", "-max-insns", "1000")
    check("-vnc none", p.returncode == 3, p)

pictures()
typing()
looking()
hostile()
options()
sys.exit(check.end())
