#!/usr/bin/env python3
"""The gdb stub against hostile clients: random bytes, packets that were changed, too long, out of order, clients that vanish in
the middle, two at once. elmu must answer or close, must not crash, and must still serve a proper client afterwards.

    tests/gdb/fuzz.py ELMU [ROUNDS [SEED]]     B: folder of the build. Ends with "N passed, N failed".
"""
import os, random, select, socket, subprocess, sys, tempfile

elmu, rounds, seed = sys.argv[1], int((sys.argv[2:] or ["60"])[0]), int((sys.argv[3:] or ["1"])[0])
build = os.environ.get("B", "build")

def packet(data, good=True):
    return b"$" + data + b"#%02x" % ((sum(data) + (not good)) & 255)

KNOWN = [b"?", b"g", b"G" + b"0" * 1600, b"p0", b"p21", b"p50", b"pffffffffffffffffff", b"P0=0011223344556677", b"P21=00000000", b"P99",
         b"m40200000,40", b"mffffffffffffffff,10", b"m0,ffffffffffffffff", b"M40300000,4:00112233", b"M40300000,4:00", b"X40300000,3:a}\x03b",
         b"X40300000,ffffff:a", b"vCont?", b"vCont", b"vCont;", b"vCont;s:1", b"vCont;r40200000,40200010:1", b"vCont;s:77", b"vKillx",
         b"Z0,40200000,4", b"Z2,40300000,8", b"Z4,0,ffffffffffffffff", b"Z9,1,1", b"z0,40200000,4", b"z2,zz", b"Hg1", b"Hgffffffff", b"Hc-1",
         b"H", b"T1", b"T9", b"qSupported:multiprocess+;swbreak+", b"qXfer:features:read:target.xml:0,ffb",
         b"qXfer:features:read:target.xml:fffffffffffffff0,ffb", b"qXfer:features:read:../x:0,1", b"qXfer:memory-map:read::0,1",
         b"qfThreadInfo", b"qsThreadInfo", b"qThreadExtraInfo,1", b"qThreadExtraInfo,zz", b"qC", b"qRcmd,", b"qRcmd,68656c70", b"qRcmd,6",
         b"qqemu.PhyMemMode", b"Qqemu.PhyMemMode:1", b"Qqemu.PhyMemMode:", b"QStartNoAckMode", b"bs", b"bc", b"s", b"S05", b"C05;40200000",
         b"vMustReplyEmpty", b"!", b"R00", b"qAttached", b"qSymbol::", b"A", b"", b"i1", b"D;1"[:0], b"\xff\x00\x80"]
MONITOR = ["walk", "walk 0xffffffffffffffff 3", "walk 0 9", "s2walk 0 vmid=1", "x 0 99999", "x 0xfffffffffffffff8 4 pa", "why 99999999999",
           "break 1 el=-1", "watch 5,0", "watch 0xffffffffffffffff,0xffffffffffffffff", "catch exit 0x99", "catch sysreg NONE", "delete 77",
           "goto 0", "goto 100", "goto xx", "snapshot /nonexistent/x", "restore /dev/null", "restore /etc/passwd", "stops", "vms", "vgic",
           "timers", "exits", "fields HCR_EL2", "a " * 600, "%s%n%x", "help help", "where"]
for m in MONITOR:
    KNOWN.append(b"qRcmd," + m.encode().hex().encode())

def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        kind = rng.randrange(4)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1 and at < len(data):
            del data[at : at + rng.randrange(1, 4)]
        elif kind == 2:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 8)))
        else:
            data[at:at] = rng.choice([b",", b";", b":", b"=", b"ffffffffffffffff", b"-1", b"#", b"$", b"}", b"\x03"])
    return bytes(data)

def attack(rng):
    """Bytes of one client. Never a well-formed kill or detach: then there would be nothing left to attack."""
    out = []
    for _ in range(rng.randrange(1, 40)):
        kind = rng.randrange(10)
        data = rng.choice(KNOWN)
        if kind < 4:
            out.append(packet(data))
        elif kind < 7:
            data = mutate(rng, data)
            if data[:1] not in (b"k", b"D") and not data.startswith(b"vKill"):
                out.append(packet(data, rng.randrange(8) != 0))
        elif kind == 7:
            out.append(bytes(rng.randrange(256) for _ in range(rng.randrange(200))).replace(b"$", b"%"))
        elif kind == 8:
            out.append(packet(b"m" + b"0" * rng.choice([100, 16383, 16384, 16385, 70000]) + b",4"))
        else:
            out.append(rng.choice([b"+", b"-", b"\x03", b"---", b"$", b"$g", b"$g#", b"$g#6", b"#00"]))
    return b"".join(out)

def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(path)
    return s

def drain(s, seconds):
    try:
        while select.select([s], [], [], seconds)[0] and s.recv(65536):
            pass
    except OSError:
        pass

def is_alive(path):
    """A proper client is answered: it interrupts whatever runs, and asks for the registers."""
    s = connect(path)
    s.sendall(b"\x03" + packet(b"qXfer:features:read:target.xml:0,20"))
    said = b""
    try:
        while b"<?xml" not in said:
            part = s.recv(65536)
            if not part:
                return False
            said += part
    finally:
        s.close()
    return True

def main():
    rng = random.Random(seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        sock = os.path.join(work, "s")
        messages = open(os.path.join(work, "messages"), "w+")
        p = None
        for n in range(rounds):
            if p is None or p.poll() is not None:
                if os.path.exists(sock):
                    os.unlink(sock)
                p = subprocess.Popen([elmu, "-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-smp", "2", "-m", "64M", "-nographic",
                                      "-kernel", f"{build}/guest/demo.elf", "-gdb", f"unix:{sock}", "-S"], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=messages)
                while not os.path.exists(sock) and p.poll() is None:
                    os.sched_yield()
            data = attack(rng)
            try:
                s = connect(sock)
                second = connect(sock) if rng.randrange(4) == 0 else None
                if second:
                    try:
                        second.sendall(b"$g#67")
                    except OSError:
                        pass
                try:
                    s.sendall(data)
                except OSError:
                    pass
                if rng.randrange(3):
                    drain(s, 0.02)
                s.close()
                if second:
                    second.close()
                ok = is_alive(sock) or p.wait(10) in (0, 1, 3)
            except subprocess.TimeoutExpired:
                ok = False
            except OSError:
                try: # the guest may have run to its end: that is no crash
                    ok = p.wait(10) in (0, 1, 3)
                except subprocess.TimeoutExpired:
                    ok = False
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print(f"FAIL round {n} of seed {seed}: status {p.poll()}, sent {data[:300]!r}")
                p.kill()
                p.wait()
        if p and p.poll() is None:
            p.kill()
            p.wait()
        messages.seek(0)
        said = messages.read()
        if "Sanitizer" in said or "runtime error" in said:
            failed += 1
            print("FAIL: " + said[:4000])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
