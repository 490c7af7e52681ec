#!/usr/bin/env python3
"""Scripted sessions of the real gdb-multiarch with elmu's stub, snapshots and replays; each is judged by what gdb prints and by
the state hash at the end, which must be that of a run nobody looked at.

    tests/gdb/run.py ELMU [NAME...]        B: folder of the build (guests). IMAGE: folder with vmlinuz, xen, linux.cpio and
    kvm.cpio: runs the sessions on these, and otherwise the others (tests/gdb/images.sh). Ends with "N passed, N failed".

A session (tests/gdb/*.session) is a list of gdb commands. In it:
    #% OPTION...    options of elmu ({demo}: the demo hypervisor's ELF, {planted}: with a bug in it, {guest:NAME}: a guest's)
    #= REGEX        must match in gdb's output, after what the line before it matched; {=NAME} is what (?P<NAME>...) of an earlier
                    line matched
    #! REGEX        must not match anywhere
    #hash           the hash at the end must be that of a run without gdb
Nothing depends on host time: the machine stands while gdb does not say otherwise.
"""
import os, re, shlex, subprocess, sys, tempfile
from guests import guest

here = os.path.dirname(os.path.abspath(__file__))
build = os.environ.get("B", "build")
TIMEOUT = 300

def fill(text):
    if "{planted}" in text and not os.path.exists(f"{build}/planted/guest/demo.elf"):
        subprocess.run([f"{here}/planted.sh", f"{build}/planted"], check=True, stdout=subprocess.DEVNULL)
    text = text.replace("{planted}", f"{build}/planted/guest/demo.elf")
    text = text.replace("{syms}", os.environ.get("SYMS", "{syms}"))
    text = text.replace("{image}", os.environ.get("IMAGE", "{image}"))
    text = text.replace("{demo}", f"{build}/guest/demo.elf")
    text = re.sub(r"\{test:(\w+)\}", lambda m: guest(m[1]), text)
    return re.sub(r"\{guest:(\w+)\}", lambda m: f"{build}/guest/{m[1]}.elf", text)

def facts(messages):
    return {m[1]: m[2] for m in re.finditer(r"^(insns|hash)\s+(\w+)$", messages, re.M)}

def elmu_run(elmu, options, **kw):
    r = subprocess.run([elmu, "--stats"] + options, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                       timeout=TIMEOUT, **kw)
    return r.returncode, r.stdout, r.stderr

class Session:
    def __init__(self, path):
        self.name = os.path.basename(path)[: -len(".session")]
        self.options, self.commands, self.want, self.never, self.hash = [], [], [], [], False
        text = open(path).read()
        self.images = "{image}" in text
        for line in text.splitlines():
            if line.startswith("#%"):
                self.options += shlex.split(fill(line[2:]))
            elif line.startswith("#= "):
                self.want.append(line[3:])
            elif line.startswith("#! "):
                self.never.append(line[3:])
            elif line.strip() == "#hash":
                self.hash = True
            elif line and not line.startswith("#"):
                self.commands.append(fill(line))

    def run(self, elmu, work):
        sock = os.path.join(work, "gdb.sock")
        script = os.path.join(work, "script.gdb")
        with open(script, "w") as f:
            f.write("set pagination off\nset confirm off\nset width 0\n")
            f.write("".join(c.replace("{sock}", sock).replace("{work}", work) + "\n" for c in self.commands))
        options = [o.replace("{work}", work) for o in self.options]
        out = open(os.path.join(work, "messages"), "w+", errors="replace")
        p = subprocess.Popen([elmu, "--stats", "-gdb", f"unix:{sock}", "-S"] + options, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=out)
        try:
            while not os.path.exists(sock) and p.poll() is None:
                os.sched_yield()
            g = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-x", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", timeout=TIMEOUT)
            said = g.stdout
            p.wait(timeout=TIMEOUT)
        finally:
            p.kill()
        out.seek(0)
        return said, out.read()

    def judge(self, elmu, work):
        said, messages = self.run(elmu, work)
        at, named = 0, {}
        for regex in self.want:
            regex = re.sub(r"\{=(\w+)\}", lambda m: re.escape(named.get(m[1], m[0])), regex)
            m = re.compile(regex, re.M).search(said, at)
            if not m:
                return f"not said: {regex}", said
            at = m.end()
            named.update(m.groupdict())
        for regex in self.never:
            if re.search(regex, said, re.M):
                return f"said: {regex}", said
        if self.hash:
            _, _, alone = elmu_run(elmu, [o.replace("{work}", work) for o in self.options])
            if facts(alone) != facts(messages) or "hash" not in facts(alone):
                return f"hash {facts(messages)}, alone {facts(alone)}", messages
        return None, said

def main():
    elmu, names = sys.argv[1], sys.argv[2:]
    passed = failed = 0
    for file in sorted(os.listdir(here)):
        if not file.endswith(".session"):
            continue
        s = Session(os.path.join(here, file))
        if s.name not in names if names else s.images != ("IMAGE" in os.environ):
            continue
        if any("{syms}" in c for c in s.commands):
            print(f"SKIP {s.name}: no xen-syms (tests/images/xen-syms.sh)", flush=True)
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                wrong, said = s.judge(elmu, work)
            except subprocess.TimeoutExpired as e:
                wrong, said = f"no end after {TIMEOUT} s", str(e.stdout)
        if wrong:
            failed += 1
            print(f"FAIL {s.name}: {wrong}\n" + "".join("    " + l + "\n" for l in said.splitlines()[-200:]), flush=True)
        else:
            passed += 1
            print(f"PASS {s.name}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
