#!/usr/bin/env python3
"""How far back, and for how much: a boot of Xen with its first domain under the stub, the whole way forwards, then steps and a
reverse-continue over 10^9 instructions. Counted in the CPU time of elmu, backwards against forwards in the same process.

    tests/gdb/distance.py ELMU        IMAGE: folder with xen, vmlinuz, linux.cpio. Ends with "N passed, N failed".
"""
import os, subprocess, sys, tempfile
from client import Client

elmu, image = sys.argv[1], os.environ["IMAGE"]
FAR = 1000000000
passed = failed = 0

def check(name, ok, text):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} {name}: {text}", flush=True)

def seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def timed(p, action):
    before = seconds(p.pid)
    result = action()
    return result, seconds(p.pid) - before

def session(p, c):
    c.ask("qSupported")
    c.monitor("goto 100000")
    early = c.pc() # Xen's first code: executed for a while, never again
    c.monitor("delete")
    said = c.monitor(f"break 0x{early:x} el=2")
    start, forward = 1000001, None
    c.monitor(f"goto {start}")
    _, forward = timed(p, lambda: c.monitor(f"goto {start + FAR}"))
    here, pc = c.where(), c.pc()
    check("the boot was followed", here == start + FAR, f"{here} instructions in {forward:.2f} s of CPU time; {said.strip()}")
    worst = 0
    for n in range(1, 6):
        reply, took = timed(p, lambda: c.ask("bs"))
        worst = max(worst, took)
        if c.where() != here - n:
            check(f"step {n} back", False, f"at {c.where()}, {reply}")
    check("reverse-stepi after 10^9 instructions: under 1 s", worst < 1, f"{worst:.2f} s of CPU time at worst")
    for n in range(5):
        c.ask("s")
    check("and forwards again to the same place", (c.where(), c.pc()) == (here, pc), f"{c.where()}, 0x{c.pc():x}")
    worst = 0
    for n in range(8, 0, -1):
        c.monitor(f"goto {start + FAR // 8 * n - 12345}")
        worst = max(worst, timed(p, lambda: c.ask("bs"))[1])
        check(f"a step back at {n}/8 of the way", c.where() == start + FAR // 8 * n - 12346, f"{worst:.2f} s at worst so far")
    check("reverse-stepi anywhere in the boot: under 1 s", worst < 1, f"{worst:.2f} s of CPU time at worst")
    c.monitor(f"goto {here}")
    reply, back = timed(p, lambda: c.ask("bc"))
    while reply[:1] == "O":
        reply = c.packet()
    check("reverse-continue arrives", c.pc() == early and c.where() < 5000000, f"0x{c.pc():x} after {c.where()} instructions, {reply}")
    check("over 10^9 instructions: at most twice the time of running them", back <= 2 * forward, f"{back:.2f} s back, {forward:.2f} s forwards")

def several(p, c):
    """Four CPUs: a step back is one of the selected CPU, found by running the last stretch again instruction by instruction."""
    c.ask("qSupported")
    for to in (300000000, 700012345):
        c.monitor(f"goto {to}")
        steps = [timed(p, lambda: c.ask("bs"))[1] for _ in range(3)]
        check(f"4 CPUs, reverse-stepi after {to} instructions: under 1 s", max(steps) < 1 and c.where() < to, f"{max(steps):.2f} s of CPU time at worst")

def run(what, *options):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "gdb.sock")
        p = subprocess.Popen([elmu, "-M", "virt,gic-version=3,virtualization=on", "-m", "1G", "-nographic", "-gdb", f"unix:{path}", "-S", *options],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(path) and p.poll() is None:
                os.sched_yield()
            what(p, Client(path))
        finally:
            p.kill()
            p.wait()

def main():
    run(session, "-cpu", "cortex-a57", "-kernel", f"{image}/xen", "-append", "console=dtuart dom0_mem=512M", "-xen-dom0",
        f"kernel={image}/vmlinuz,initrd={image}/linux.cpio,append=console=hvc0 elmu.name=dom0 elmu.modules=xen-privcmd:xenfs:xen-evtchn")
    run(several, "-cpu", "max", "-smp", "4", "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/linux.cpio", "-append", "console=ttyAMA0")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
