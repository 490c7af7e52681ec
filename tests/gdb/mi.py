#!/usr/bin/env python3
"""gdb's machine interface as editors use it: the commands that VS Code's C/C++ extension (type cppdbg, MIMode gdb, miDebuggerServerAddress)
sends, in its order, to a real gdb-multiarch beside elmu's stub. VS Code itself is not here.

    tests/gdb/mi.py ELMU        B: folder of the build (guests). Ends with "N passed, N failed".
"""
import os, re, select, subprocess, sys, tempfile, time

elmu, build = sys.argv[1], os.environ.get("B", "build")
demo = os.path.abspath(f"{build}/guest/demo.elf")
OPTIONS = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-kernel", demo, "-stats"]
passed = failed = 0

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {name}: {text}", flush=True)

class Mi:
    """Each command has a token; what comes without one (*stopped, =..., ~...) is kept."""
    def __init__(self):
        self.p = subprocess.Popen(["gdb-multiarch", "-nx", "--interpreter=mi2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.token, self.got, self.records = 1000, b"", []
    def line(self, seconds=60):
        end = time.monotonic() + seconds
        while b"\n" not in self.got:
            if time.monotonic() > end:
                return None
            if select.select([self.p.stdout], [], [], 0.1)[0]:
                more = os.read(self.p.stdout.fileno(), 1 << 16)
                if not more:
                    return None
                self.got += more
        line, self.got = self.got.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")
    def ask(self, command, want=r"done|running|connected|exit"):
        """The result record; checked: its class."""
        self.token += 1
        self.p.stdin.write(f"{self.token}{command}\n".encode())
        self.p.stdin.flush()
        while True:
            line = self.line()
            if line is None or line.startswith(f"{self.token}^"):
                break
            self.records.append(line)
        check(command, line and re.match(rf"\d+\^({want})", line), line)
        return line or ""
    def stopped(self):
        """The next *stopped record."""
        while True:
            for n, record in enumerate(self.records):
                if record.startswith("*stopped"):
                    self.before, self.records = self.records[:n], self.records[n + 1:]
                    return record
            line = self.line()
            if line is None:
                return ""
            self.records.append(line)

def facts(text):
    return sorted(re.findall(r"^(?:insns|hash)\s+\w+$", text, re.M))

with tempfile.TemporaryDirectory() as work:
    sock = f"{work}/gdb.sock"
    e = subprocess.Popen([elmu, *OPTIONS, "-gdb", f"unix:{sock}", "-S"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not os.path.exists(sock) and e.poll() is None:
        time.sleep(0.01)
    m = Mi()
    m.ask("-gdb-set mi-async on")
    m.ask('-interpreter-exec console "set pagination off"')
    m.ask('-interpreter-exec console "source packaging/elmu-gdb.py"') # a setupCommand
    m.ask(f"-environment-cd {work}")
    m.ask(f"-file-exec-and-symbols {demo}")
    m.ask('-interpreter-exec console "show architecture"')
    check("the architecture is seen", any("aarch64" in r for r in m.records), m.records)
    m.ask("-break-insert exit_handle")
    m.ask(f"-target-select remote {sock}", "connected")
    m.stopped()
    m.ask("-exec-continue", "running")
    stop = m.stopped()
    check("*stopped: a breakpoint, in its function", 'reason="breakpoint-hit"' in stop and 'func="exit_handle"' in stop and 'thread-id="1"' in stop, stop)
    info = m.ask("-thread-info")
    check("-thread-info", 'target-id="Thread 1"' in info and "EL2" in info and 'current-thread-id="1"' in info, info)
    frames = m.ask("-stack-list-frames 0 1000")
    check("-stack-list-frames", 'level="0"' in frames and 'func="exit_handle"' in frames and 'level="1"' in frames, frames)
    check("-stack-list-arguments", 'name="' in m.ask("-stack-list-arguments 0 0 0"))
    m.ask("-thread-select 1"), m.ask("-stack-select-frame 0")
    check("-stack-list-variables", 'variables=[' in m.ask("-stack-list-variables 0"))
    names = re.findall(r'"([^"]*)"', m.ask("-data-list-register-names").split("register-names=", 1)[1])
    values = dict(re.findall(r'number="(\d+)",value="([^"]*)"', m.ask("-data-list-register-values --thread 1 x")))
    check("-data-list-register-values: system registers, too", "HCR_EL2" in names and values.get(str(names.index("HCR_EL2")), "").startswith("0x") and len(values) > 300, len(values))
    check("-data-list-register-values of some", m.ask(f"-data-list-register-values --thread 1 x {names.index('pc')} {names.index('ESR_EL2')}").count("number=") == 2)
    created = m.ask('-var-create --thread 1 --frame 0 - * "$ESR_EL2"')
    name = re.search(r'name="(\w+)"', created)
    check("-var-create of a register", name and "numchild=" in created, created)
    m.ask(f"-var-list-children --simple-values {name[1]} 0 20") if name else None
    m.ask(f"-var-delete {name[1]}") if name else None
    check("-data-evaluate-expression", 'value="' in m.ask('-data-evaluate-expression "$CurrentEL"'))
    check("-data-disassemble", 'inst="' in m.ask('-data-disassemble -s "$pc" -e "$pc+32" -- 2'))
    check("-data-read-memory-bytes", 'contents="' in m.ask("-data-read-memory-bytes $sp 64"))
    for command in ("-exec-next", "-exec-step", "-exec-step-instruction", "-exec-finish", "-exec-next --reverse", "-exec-step-instruction --reverse"):
        m.ask(command, "running")
        stop = m.stopped()
        check(f"{command}: stops", "frame=" in stop, stop)
    m.ask("-break-delete 1")
    for command, text in (("next-exit hvc", "EL1 to EL2: HVC"), ("reverse-elstep", "EL2 to EL1"), ("finish-guest", "EL1 to EL2")): # as -exec in the debug console
        m.ask(f'-interpreter-exec console "{command}"')
        stop = m.stopped()
        check(f"{command}: stops", "frame=" in stop, stop)
        check(f"{command}", any(text in r for r in m.before), m.before[-5:])
    m.ask('-interpreter-exec console "elmu where"')
    check("elmu where: on the console", any(re.match(r'~"\d+ instructions', r) for r in m.records), m.records[-5:])
    m.ask('-break-insert -f -c "$ESR_EL2 == 1" *0x40200c80') # a conditional one that never holds
    m.ask("-exec-continue --thread-group i1", "running")
    m.ask("-exec-interrupt", "done|error")
    stop = m.stopped()
    check("-exec-interrupt, or the end", 'signal-name="SIGINT"' in stop or "exited" in stop, stop)
    if "exited" not in stop:
        m.ask("-break-delete 2")
        m.ask("-exec-continue", "running")
        stop = m.stopped()
    check("the end: exited normally", 'reason="exited-normally"' in stop, stop)
    m.ask("-gdb-exit", "exit")
    m.p.wait(20)
    alone = subprocess.run([elmu, *OPTIONS], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300).stderr
    said = e.communicate(timeout=60)[1]
    check("the end is that of a run nobody looked at", facts(said) == facts(alone) and len(facts(said)) == 2, (facts(said), facts(alone)))
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
