#!/usr/bin/env python3
"""The stub by raw packets: Ctrl-C on a long way back, where it listens, a client that leaves on the way.

    tests/gdb/wire.py ELMU        B: folder of the build. Ends with "N passed, N failed".
"""
import os, re, socket, subprocess, sys, tempfile, time
from client import Client
from guests import guest

elmu, build = sys.argv[1], os.environ.get("B", "build")
passed = failed = 0
demo = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-kernel", f"{build}/guest/demo.elf", "-S"]

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + text}", flush=True)

class Elmu:
    def __init__(self, work, where=None):
        self.path = os.path.join(work, "gdb.sock")
        if os.path.exists(self.path): # of one that was killed
            os.remove(self.path)
        self.p = subprocess.Popen([elmu] + demo + ["-gdb", where or f"unix:{self.path}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
    def client(self):
        while not os.path.exists(self.path) and self.p.poll() is None:
            os.sched_yield()
        return Client(self.path)

def interrupted(work):
    with Elmu(work) as e:
        c = e.client()
        c.monitor("goto 6000000")
        before = c.where(), c.pc()
        reply = c.ask("bc", b"\x03")
        check("Ctrl-C ends a reverse-continue", reply.startswith("T02") and (c.where(), c.pc()) == before, f"{reply} {c.where()} {before}")
        reply = c.ask("bs")
        check("and going back works again", reply.startswith("T05") and c.where() == 5999999, f"{reply} {c.where()}")
        reply = c.ask("bc")
        check("to the beginning", "replaylog:begin" in reply and c.where() == 0, f"{reply} {c.where()}")

def vanished(work):
    with Elmu(work) as e:
        c = e.client()
        c.monitor("goto 6000000")
        c.s.sendall(b"$bc#c5")
        c.s.close()
        c = e.client()
        check("a client that leaves on the way back: the next finds the machine where it was, or at the beginning", c.where() in (0, 6000000), f"{c.where()}")

def listening(work):
    for port in range(20000 + os.getpid() % 20000, 65000, 7):
        with Elmu(work, f"tcp::{port}") as e:
            for _ in range(200):
                here = [l.split()[1] for name in ("tcp", "tcp6") for l in open(f"/proc/net/{name}").readlines()[1:]
                        if l.split()[1].endswith(f":{port:04X}") and l.split()[3] == "0A"]
                if here or e.p.poll() is not None:
                    break
                time.sleep(0.02)
            if e.p.poll() is None:
                check("tcp::PORT listens on loopback only", here == [f"0100007F:{port:04X}"], str(here))
                return
    check("tcp::PORT listens on loopback only", False, "no free port")

def replayed(work):
    """A recorded session under gdb, there and back: what was typed comes again each time, and the end is the same."""
    journal, err = os.path.join(work, "journal"), os.path.join(work, "err")
    machine = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nographic", "-kernel", guest("idle"), "-max-insns", "1000000"]
    facts = lambda text: re.findall(r"^(?:insns|hash)\s+\w+$", text, re.M)
    first = subprocess.run([elmu, "--stats", *machine, "-record", journal], input=b"typed by somebody", capture_output=True)
    path = os.path.join(work, "replay.sock")
    with open(err, "w") as f:
        p = subprocess.Popen([elmu, "--stats", *machine, "-replay", journal, "-gdb", f"unix:{path}", "-S"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=f)
    try:
        while not os.path.exists(path) and p.poll() is None:
            os.sched_yield()
        c = Client(path)
        c.ask("qSupported")
        for to in (400000, 3000, 700000, 50000, 900000):
            c.monitor(f"goto {to}")
            check(f"replay: at {to}", c.where() == to, str(c.where()))
            c.ask("bs")
            check(f"replay: a step back from {to}", c.where() == to - 1, str(c.where()))
        c.ask("c")
        out = p.communicate(timeout=60)[0]
    finally:
        p.kill()
    second = open(err).read()
    check("replay: gdb there and back, and the same console and end", b"typed by somebody" in first.stdout and out == first.stdout and
          len(facts(second)) == 2 and facts(first.stderr.decode()) == facts(second), f"{first.stdout} {out} {facts(first.stderr.decode())} {second[-300:]}")

def disks(work):
    """What was written to a disk is taken back on the way back, and written again: with snapshot=on and in the file itself."""
    disk, err, path = (os.path.join(work, n) for n in ("disk", "err", "disk.sock"))
    for extra in (",snapshot=on", ""):
        with open(disk, "wb") as f:
            f.write(bytes(range(256)) * 200)
        machine = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nographic", "-kernel", guest("disk"), "-global",
                   "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=d", "-semihosting-config", "enable=on,target=native"]
        alone = subprocess.run([elmu, *machine, "-drive", f"file={disk},if=none,format=raw,id=d,snapshot=on"], capture_output=True).stdout
        p = subprocess.Popen([elmu, *machine, "-drive", f"file={disk},if=none,format=raw,id=d" + extra, "-gdb", f"unix:{path}", "-S"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(path) and p.poll() is None:
                os.sched_yield()
            c = Client(path)
            c.ask("qSupported")
            for to in (3300000, 200000, 2500000, 1000000, 3400000, 1):
                c.monitor(f"goto {to}")
            same = open(disk, "rb").read() == bytes(range(256)) * 200
            c.ask("c")
            out = p.communicate(timeout=60)[0]
        finally:
            p.kill()
        check(f"disk{extra}: back at the beginning it holds what it held, and the end is the same", same and b"sum 0x" in out and out == alone,
              f"{same} {out} {alone}")

def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (interrupted, vanished, listening, replayed, disks):
            part(work)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
