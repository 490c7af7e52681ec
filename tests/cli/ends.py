"""What the scripts of tests/cli share: counting checks; runs of elmu, and peers at the other end. Not a test of its own."""
import os, re, select, socket, subprocess, time

class Checks:
    """check(name, ok, text): counts, and says what failed; loud: what passed, too."""
    def __init__(self, loud=False):
        self.passed = self.failed = 0
        self.loud = loud
    def __call__(self, name, ok, text=""):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        if self.loud or not ok:
            print(f"{'PASS' if ok else 'FAIL'} {name}: {text}"[:1500], flush=True)
    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0

class Elmu:
    """A run; its standard output and error go to files, which `said` waits for."""
    program, count = "./elmu", 0
    def __init__(self, *args, kernel=None, stdin=subprocess.DEVNULL):
        Elmu.count += 1
        self.name = f"run{Elmu.count}"
        self.files = {"out": open(self.name + ".out", "wb"), "err": open(self.name + ".err", "wb")}
        self.p = subprocess.Popen([self.program, *(["-kernel", kernel] if kernel else []), *args], stdin=stdin, stdout=self.files["out"], stderr=self.files["err"])
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        for f in self.files.values():
            f.close()
    def text(self, which):
        return open(f"{self.name}.{which}", "rb").read()
    def said(self, pattern, which="out", seconds=20):
        """What the pattern matches there, or None when it never comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            over = self.p.poll() is not None
            m = re.search(pattern, self.text(which))
            if m or over:
                return m
            time.sleep(0.02)
    def status(self):
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            return None

class Peer:
    """The other end: any descriptor."""
    def __init__(self, fd):
        self.fd, self.got = fd, b""
    def send(self, data):
        os.write(self.fd, data)
        return self
    def until(self, text, seconds=20):
        """Has the text come, now or within that time? What came up to its end is taken away."""
        end = time.monotonic() + seconds
        while text not in self.got and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    more = os.read(self.fd, 65536)
                except OSError:
                    break
                if not more:
                    break
                self.got += more
        found = text in self.got
        if found:
            self.before, self.got = self.got.split(text, 1)
        return found
    def ask(self, line):
        """The answer of a monitor."""
        self.send(line.encode() + b"\n")
        return self.before.decode(errors="replace") if self.until(b"\n") and self.until(b"(qemu) ") else None

def connect(where, seconds=20):
    end = time.monotonic() + seconds
    while True:
        s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        try:
            s.connect(where)
            return s
        except OSError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)

def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
