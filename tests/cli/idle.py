#!/usr/bin/env python3
"""An interactive guest that is idle costs next to no CPU time of the host, and its time does not run ahead: at a terminal and
at a pipe whose writer pauses. Judged by the CPU time of elmu, which other load does not change.

    tests/cli/idle.py ELMU           B: folder of the build. Ends with "N passed, N failed".
"""
import os, pty, re, signal, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gdb"))
sys.dont_write_bytecode = True
from ends import Checks
from guests import guest

elmu = sys.argv[1]
command = [elmu, "-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nographic", "-kernel", guest("idle")]
WALL = 3
check = Checks(loud=True)

def until(fd, text):
    said = b""
    while text not in said:
        more = os.read(fd, 1000)
        if not more:
            sys.exit(f"elmu ended before it said {text}: {said}")
        said += more

def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def wakeups(pid):
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", open(f"/proc/{pid}/status").read(), re.M)[1])

def judge(name, pid, out, into):
    until(out, b">")
    os.write(into, b"a")
    until(out, b"a")
    time.sleep(1.5) # longer than a pipe is waited for before it counts as a person
    start, cpu, woken = time.monotonic(), cpu_seconds(pid), wakeups(pid)
    time.sleep(WALL)
    cpu, woken, wall = cpu_seconds(pid) - cpu, wakeups(pid) - woken, time.monotonic() - start
    check(f"{name}: idle at 250 ticks a second, at most 10 % of a CPU", cpu <= 0.1 * wall, f"{cpu:.2f} s of {wall:.1f} s")
    check(f"{name}: woken by its ticks and no more", woken <= 400 * wall, f"{woken / wall:.0f} a second")
    os.write(into, b"b")
    until(out, b"b")
    check(f"{name}: and it still answers", True, "b")

def terminal():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(elmu, command)
    try:
        judge("terminal", pid, fd, fd)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

def pipe():
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        judge("pipe", p.pid, p.stdout.fileno(), p.stdin.fileno())
    finally:
        p.kill()
        p.wait()

terminal()
pipe()
sys.exit(check.end())
