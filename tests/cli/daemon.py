#!/usr/bin/env python3
"""-daemonize and -pidfile: when the command comes back, with what, and what is left.

    tests/cli/daemon.py ELMU FOLDER          FOLDER: echo.elf. Ends with "N passed, N failed".
"""
import os, signal, socket, subprocess, sys, tempfile, time

elmu, echo = os.path.abspath(sys.argv[1]), os.path.join(os.path.abspath(sys.argv[2]), "echo.elf")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from ends import Checks, Peer, connect

os.chdir(tempfile.mkdtemp())
check = Checks()

def run(*args):
    # Pipes: a daemon that held them would keep this waiting.
    return subprocess.run([elmu, "-kernel", echo, "-daemonize", *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

def alive(pid):
    return os.path.exists(f"/proc/{pid}") and " Z " not in open(f"/proc/{pid}/stat").read()

def gone(condition, seconds=20):
    end = time.monotonic() + seconds
    while condition() and time.monotonic() < end:
        time.sleep(0.02)
    return not condition()

p = run("-pidfile", "pid", "-serial", "file:serial", "-monitor", "unix:m,server,nowait")
pid = int(open("pid").read())
check("comes back, says nothing", p.returncode == 0 and p.stdout + p.stderr == b"", p)
check("runs", alive(pid) and b"elmu" in open(f"/proc/{pid}/cmdline", "rb").read())
check("in a session of its own, which it does not lead", os.getsid(pid) not in (os.getsid(0), pid))
check("nothing on its standard streams", all(os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null" for fd in range(3)))
with connect("m") as s:
    m = Peer(s.fileno())
    check("its monitor", m.until(b"(qemu) ") and "running" in m.ask("info status"), m.got)
    check("where relative names are", os.path.exists("serial"))
    m.send(b"quit\n")
check("quit", gone(lambda: alive(pid)))
check("no file is left", not os.path.exists("pid") and not os.path.exists("m"))

p = run("-pidfile", "pid", "-monitor", "none")
pid = int(open("pid").read())
check("without a monitor", p.returncode == 0 and alive(pid), p)
with open("pid", "w") as f:
    f.write("1\n")
os.kill(pid, signal.SIGTERM)
check("SIGTERM", gone(lambda: alive(pid)))
check("another's file stays", open("pid").read() == "1\n")
os.remove("pid")

p = subprocess.Popen([elmu, "-kernel", echo, "-daemonize", "-pidfile", "pid", "-serial", "unix:s,server=on,wait=on"], stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
gone(lambda: not os.path.exists("s"))
time.sleep(0.3)
check("a server that waits: so does the command", p.poll() is None)
with connect("s") as s:
    out, err = p.communicate(timeout=20)
    check("... until its client comes", p.returncode == 0 and b"waiting for connection on: unix:s,server=on" in err, (p.returncode, err))
    check("... which it serves", Peer(s.fileno()).send(b"typed").until(b"typed"))
pid = int(open("pid").read())
os.kill(pid, signal.SIGTERM)
check("... and ends", gone(lambda: alive(pid)) and not os.path.exists("pid"))

p = run("-serial", "pty", "-pidfile", "pid")
check("the name of a pty is said", p.returncode == 0 and b"char device redirected to /dev/pts/" in p.stdout, p)
os.kill(int(open("pid").read()), signal.SIGTERM)
gone(lambda: os.path.exists("pid"))
for name, text, *options in (("no such kernel", "nowhere: No such file", "-kernel", "nowhere"), ("nobody to connect to", "Failed to connect", "-serial", "unix:nowhere"),
                             ("-nographic", "-nographic cannot be used with -daemonize", "-nographic"),
                             ("-serial stdio", "cannot use stdio with -daemonize", "-serial", "stdio"),
                             ("-serial mon:stdio", "cannot use stdio with -daemonize", "-serial", "mon:stdio"),
                             ("a snapshot that is none", "-restore", "-restore", echo)):
    p = run("-pidfile", "pid", *options)
    err = p.stderr.decode(errors="replace")
    check(f"{name}: the command says so", p.returncode == 1 and err.count("\n") == 1 and text in err, (p.returncode, err))
    check(f"{name}: and nothing is left", gone(lambda: os.path.exists("pid"), 5))
sys.exit(check.end())
