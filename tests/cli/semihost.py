#!/usr/bin/env python3
"""Who reads by semihosting from a console where nobody types yet waits, and the machine goes on meanwhile; what was typed is recorded
and comes again; gdb can stop the wait and go back over it.

    tests/cli/semihost.py ELMU SEMIHOST.ELF           B: folder of the build. Ends with "N passed, N failed".
"""
import os, pty, re, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gdb"))
sys.dont_write_bytecode = True
from ends import Checks
from guests import guest

elmu, elf = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
work = tempfile.mkdtemp()
check = Checks()

def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

class Terminal:
    """elmu with a person at the terminal; standard error apart."""
    def __init__(self, *options):
        self.err = tempfile.TemporaryFile()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.dup2(self.err.fileno(), 2)
            os.execv(elmu, [elmu, *options])
        self.seen = b""
    def until(self, text):
        while text not in self.seen:
            try:
                more = os.read(self.fd, 1000)
            except OSError:
                more = b""
            if not more:
                self.err.seek(0)
                check(f"says {text}", False, f"{self.seen} {self.err.read()}")
                return
            self.seen += more
        self.seen = self.seen[self.seen.index(text) + len(text):]
    def type(self, text):
        os.write(self.fd, text)
    def end(self):
        """Status, what it said last on standard error."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        self.err.seek(0)
        return status, self.err.read().decode()

def facts(err):
    return re.findall(r"^(?:insns|hash) .*$", err, re.M)

def bare(mode, *more):
    return ["-semihosting", "-kernel", elf, "-append", mode, "-nographic", "-stats", *more]

def waits(mode, *more):
    """Nothing comes of it while nobody types, and next to no time of the host is taken."""
    name, journal = " ".join([mode, *more]), os.path.join(work, "journal")
    t = Terminal(*bare(mode, *more, "-record", journal))
    t.until(b"ready")
    before = cpu_seconds(t.pid)
    time.sleep(1)
    check(f"{name}: sleeps", cpu_seconds(t.pid) - before < 0.5, f"{cpu_seconds(t.pid) - before} s")
    for text in (b"a", b"bc", b"\x03"):
        t.type(text)
        t.until(text)
        time.sleep(0.1)
    t.type(b"q")
    t.until(b"quit")
    status, err = t.end()
    check(f"{name}: ends by its own", status == 0, f"{status} {err}")
    p = subprocess.run([elmu, *bare(mode, *more, "-replay", journal)], stdin=subprocess.DEVNULL, capture_output=True)
    check(f"{name}: comes again", p.returncode == 0 and b"abc\x03quit" in p.stdout and facts(p.stderr.decode()) == facts(err) and len(facts(err)) == 2,
          f"{p.stdout} {p.stderr} {err}")

def quits():
    """Ctrl-A x, and a signal, end the wait."""
    t = Terminal(*bare("readc"))
    t.until(b"ready")
    t.type(b"\x01x")
    status, err = t.end()
    check("Ctrl-A x ends a wait", status == 0 and facts(err), f"{status} {err}")
    t = Terminal(*bare("readc"))
    t.until(b"ready")
    time.sleep(0.3)
    os.kill(t.pid, signal.SIGTERM)
    status, err = t.end()
    check("SIGTERM ends a wait", status not in (0, 1) and facts(err), f"{status} {err}")

def interrupted(*more):
    """Interrupts that the PE takes are taken while it waits; masked ones are not, and do not keep it awake."""
    name, journal = " ".join(["keys", *more]), os.path.join(work, "keys")
    options = ["-M", "virt,gic-version=3", "-semihosting", "-kernel", guest("keys"), "-nographic", "-stats", *more]
    t = Terminal(*options, "-record", journal)
    t.until(b"ready")
    before = cpu_seconds(t.pid)
    for key, ticks in ((b"a", b"-"), (b"m", b"-"), (b"b", b"+"), (b"c", b"+"), (b"m", b"+"), (b"d", b"-")):
        time.sleep(0.4)
        t.type(key)
        t.until(key + ticks)
    check(f"{name}: sleeps between ticks", cpu_seconds(t.pid) - before < 1, f"{cpu_seconds(t.pid) - before} s")
    t.type(b"q")
    t.until(b"q")
    status, err = t.end()
    p = subprocess.run([elmu, *options, "-replay", journal], stdin=subprocess.DEVNULL, capture_output=True)
    check(f"{name}: comes again", p.returncode == 0 and b"a-m-b+c+m+d-q-" in p.stdout and facts(p.stderr.decode()) == facts(err),
          f"{p.stdout} {p.stderr} {err}")

def streams():
    """Bytes of a pipe come as they are consumed, its end is the end."""
    for mode in ("readc", "tt"):
        p = subprocess.run([elmu, *bare(mode)], input=b"of a pipe", capture_output=True, timeout=60)
        check(f"{mode}: the end of a pipe", p.returncode == 0 and b"ready\nof a pipeend" in p.stdout, f"{p}")
        first = facts(p.stderr.decode())
        script = f"(sleep 0.2; printf 'of a '; sleep 0.2; printf pipe) | exec '{elmu}' {' '.join(bare(mode))}"
        p = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60)
        check(f"{mode}: a slow pipe is the same run", facts(p.stderr.decode()) == first, f"{p} {first}")
        script = f"(printf 'half'; sleep 1.6; printf 'more') | exec '{elmu}' {' '.join(bare(mode))} -record '{work}/slow'"
        p = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60)
        check(f"{mode}: who pauses is waited for", p.returncode == 0 and b"halfmoreend" in p.stdout, f"{p}")
        again = subprocess.run([elmu, *bare(mode), "-replay", f"{work}/slow"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"{mode}: and replayed", again.stdout == p.stdout and facts(again.stderr.decode()) == facts(p.stderr.decode()), f"{p} {again}")
    p = subprocess.run([elmu, *bare("readc"), "-after", "ready", "-send", "sent", "-after", "sent", "-send", "q"], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60)
    check("-send types for it", p.returncode == 0 and b"sentquit" in p.stdout, f"{p}")

def debugged():
    """gdb stops a wait at its HLT, and goes back over a key."""
    socket = os.path.join(work, "gdb")
    t = Terminal(*bare("readc", "-gdb", f"unix:{socket}", "-S"))
    while not os.path.exists(socket):
        time.sleep(0.05)
    script = ["set confirm off", f"target remote {socket}", "break echo_key", "continue", "p key", "delete", "reverse-stepi", "reverse-stepi",
              "tbreak echo_key", "continue", "p key + 1", "kill"]
    gdb = subprocess.Popen(["gdb-multiarch", "-nx", "-q", "-batch", elf, *[w for c in script for w in ("-ex", c)]], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    t.until(b"ready")
    time.sleep(0.3)
    t.type(b"k")
    said = gdb.communicate(timeout=60)[0].decode()
    check("gdb over a wait", "$1 = 107" in said and "$2 = 108" in said, said)
    t.end()
    t = Terminal(*bare("readc", "-gdb", f"unix:{socket}2"))
    t.until(b"ready")
    time.sleep(0.3)
    script = ["set confirm off", f"target remote {socket}2", "shell (sleep 0.5; kill -INT $PPID) &", "continue", "x/i $pc", "kill"]
    gdb = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", elf, *[w for c in script for w in ("-ex", c)]], stdin=subprocess.DEVNULL,
                         capture_output=True, timeout=60)
    check("gdb stops a wait", b"hlt\t#0xf000" in gdb.stdout, f"{gdb}")
    t.end()

for mode in ("readc", "tt"):
    waits(mode)
    waits(mode, "-engine", "step")
waits("readc", "-smp", "4")
quits()
interrupted()
interrupted("-engine", "step")
interrupted("-smp", "4")
streams()
debugged()
subprocess.run(["rm", "-rf", work], check=True)
sys.exit(check.end())
