#!/usr/bin/env python3
"""-sandbox: how it is asked for, that it is in force, that what is not allowed ends the program, and that a run does not know of it.

    tests/cli/sandbox.py ELMU FOLDER          FOLDER: hello.elf, echo.elf, sleep.elf. Ends with "N passed, N failed".
"""
import os, re, signal, subprocess, sys, tempfile
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
hello, echo, sleeps = (os.path.join(folder, n + ".elf") for n in ("hello", "echo", "sleep"))
os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()

def run(*args, kernel=hello):
    return subprocess.run([elmu, "-kernel", kernel, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

def refused(name, text, *args):
    p = run(*args)
    check(name, p.returncode == 1 and text in p.stderr.decode() and p.stderr.count(b"\n") == 1 and p.stdout == b"", p)

def facts(p):
    return p.returncode, p.stdout, re.findall(rb"^(?:insns|hash) .*", p.stderr, re.M)

version = subprocess.run([elmu, "-version"], capture_output=True).stdout
if b"seccomp" not in version:
    refused("a build without libseccomp says so", "built without libseccomp", "-sandbox", "on")
    sys.exit(check.end())

refused("neither on nor off", "-sandbox", "-sandbox", "maybe")
refused("a property that it has not", "no property 'spwan' (did you mean 'spawn'?)", "-sandbox", "on,spwan=allow")
refused("a value that it has not", "invalid argument for spawn: 'children' (one of: deny allow)", "-sandbox", "on,spawn=children")
refused("another", "invalid argument for obsolete: 'on' (one of: deny allow)", "-sandbox", "on,obsolete=on")
command = ["-netdev", "user,id=n,guestfwd=tcp:10.0.2.100:7-cmd:cat", "-device", "virtio-net-pci,netdev=n"]
refused("a command that a network would run", "needs -sandbox on,spawn=allow", "-sandbox", "on", *command)

plain = facts(run("-stats"))
for words in ("on", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
              "on,obsolete=allow,elevateprivileges=allow,spawn=allow,resourcecontrol=allow", "on,elevateprivileges=children", "off", "enable=on"):
    check(f"-sandbox {words}: the same run", facts(run("-stats", "-sandbox", words)) == plain and plain[0] == 0 and plain[2], words)
check("a command that may be run", run("-sandbox", "on,spawn=allow", *command).returncode == 0)

# What is written at the end, and what is read again.
written = ["-snapshot-save", "s@5", "-record", "j", "-trace", "exits=e", "-trace", "tarmac=t", "-trace", "perfetto=p", "-trace", "dma=d", "-profile", "f",
           "-coverage", "c", "-sym", hello, "-d", "int,in_asm", "-D", "l", "-serial", "file:o", "-pidfile", "pid"]
p = run("-sandbox", "on", *written)
check("all that can be written", p.returncode == 0 and all(os.path.exists(n) for n in "sjetpdfclo") and not os.path.exists("pid"), p)
p = run("-sandbox", "on", "-restore", "s")
check("a snapshot goes on", p.returncode == 0, p)
p = run("-sandbox", "on", "-replay", "j")
check("a journal is replayed", p.returncode == 0, p)

p = run("-sandbox", "on", "-max-insns", "3")
check("names and lines by a library at the end", p.returncode == 3 and re.search(rb"pc 0x[0-9a-f]+ \(\S+ \S+:\d+\)", p.stderr), p)

# In force while the guest runs. A library beside it plays who has got in: on SIGUSR1 it runs a program.
with open("in.c", "w") as f:
    f.write("""#include <signal.h>
#include <unistd.h>
static void act(int n) { execl("/bin/true", "true", (char *)0); _exit(n); }
static void __attribute__((constructor)) begin(void) { signal(SIGUSR1, act); }
""")
subprocess.run(["gcc", "-shared", "-fPIC", "-o", "in.so", "in.c"], check=True)
for words, fields, status in (("off", ("0", "0"), 0), ("on", ("2", "1"), -signal.SIGSYS), ("on,spawn=allow", ("2", "1"), 0)):
    os.environ["LD_PRELOAD"] = os.path.abspath("in.so")
    with Elmu("-serial", "stdio", "-monitor", f"unix:m{len(words)},server,nowait", "-sandbox", words, kernel=echo) as e:
        del os.environ["LD_PRELOAD"]
        check(f"{words}: the guest runs", e.said(b"ready"))
        about = dict(re.findall(r"^(Seccomp|NoNewPrivs):\s+(\d)", open(f"/proc/{e.p.pid}/status").read(), re.M))
        check(f"{words}: the kernel knows", (about["Seccomp"], about["NoNewPrivs"]) == fields, about)
        with connect(f"m{len(words)}") as s:
            m = Peer(s.fileno())
            check(f"{words}: a monitor", m.until(b"(qemu) ") and "running" in m.ask("info status"), m.got)
            check(f"{words}: instructions by a library", re.search(r"x/1i \$pc\W+0x[0-9a-f]+:  [0-9a-f]{8}  \w", "x/1i $pc\n" + m.ask("x/1i $pc")), m.got)
        e.p.send_signal(signal.SIGUSR1)
        check(f"{words}: a program that is run", e.status() == status, e.status())

# Disks of other formats: qemu-nbd is there before, and does not share the filter.
subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "1M"], check=True)
p = run("-sandbox", "on", "-drive", "file=disk.qcow2,format=qcow2")
check("qemu-nbd's disks", p.returncode == 0 and b"hello" in p.stdout, p)
p = run("-sandbox", "on", "-drive", "file=fat:rw:.")
check("a folder as a disk", p.returncode == 0, p)
os.mkdir("tftp")
p = run("-sandbox", "on", "-nic", "user,hostfwd=tcp:127.0.0.1:0-:22,tftp=tftp", "-serial", "stdio")
check("a network", p.returncode == 0, p)
sys.exit(check.end())
