#!/usr/bin/env python3
"""The stub by raw packets: Ctrl-C on a long way back, where it listens, a client that leaves on the way.

    tests/gdb/wire.py ELMU        B: folder of the build. Ends with "N passed, N failed".
"""
import os, re, socket, subprocess, sys, tempfile, time
from client import Client

elmu, build = sys.argv[1], os.environ.get("B", "build")
passed = failed = 0
demo = ["-M", "virt,virtualization=on", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-kernel", f"{build}/guest/demo.elf", "-S"]

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

def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (interrupted, vanished, listening):
            part(work)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
