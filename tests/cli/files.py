#!/usr/bin/env python3
"""Files and streams of the host: clients that leave, servers that do not wait, signals, FIFOs and devices as outputs, full disks, several
writers to one file, images of other formats, files that become shorter, input without end.

    tests/cli/files.py ELMU FOLDER          FOLDER: hello.elf, echo.elf, svc.elf, reset.elf. Ends with "N passed, N failed".
"""
import json, os, re, signal, socket, stat, subprocess, sys, tempfile, threading, time
sys.dont_write_bytecode = True
from ends import Checks

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
hello, echo, svc, reset = (os.path.join(folder, n + ".elf") for n in ("hello", "echo", "svc", "reset"))
work = tempfile.mkdtemp()
os.chdir(work)
check = Checks()

def run(*args, **more):
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, **more}
    return subprocess.run([elmu, *args], **more)

def start(*args, **more):
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([elmu, *args], **more)

def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()

def one_line(p, text):
    err = p.stderr.decode(errors="replace")
    return p.returncode == 1 and err.count("\n") == 1 and text in err

# ---- sockets ----

def connect(where):
    def one():
        s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        try:
            s.connect(where)
            return s
        except OSError:
            s.close()
    found = []
    wait_for(lambda: found or (s := one()) and (found.append(s) or True))
    found[0].settimeout(20)
    return found[0]

def talk(s, text):
    s.sendall(text)
    got = b""
    try:
        while text not in got:
            more = s.recv(1000)
            if not more:
                break
            got += more
    except OSError:
        pass
    return text in got

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def sockets():
    port = free_port()
    for option, where in (("unix:s1,server", "s1"), ("unix:s2,server=on,wait=on", "s2"), (f"tcp:127.0.0.1:{port},server", ("127.0.0.1", port))):
        p = start("-kernel", echo, "-serial", option)
        s = connect(where)
        check(f"{option}: echoes", talk(s, b"one"))
        s.sendall(b"much " * 4000) # and leaves without reading any of it
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()
        time.sleep(0.3)
        s = connect(where)
        check(f"{option}: and the next client, after one that left", talk(s, b"two") and p.poll() is None, p.poll())
        s.close()
        time.sleep(0.2)
        p.terminate()
        p.communicate(timeout=20)
        check(f"{option}: ends by SIGTERM", p.returncode == 143, p.returncode)
    chardev = ("-device", "virtio-serial-device", "-device", "virtconsole,chardev=c", "-chardev")
    for name, options, where in (("wait=off", ("-serial", "unix:n1,server=on,wait=off"), "n1"), ("nowait", ("-serial", "unix:n2,server,nowait"), "n2"),
                                 ("tcp", ("-serial", f"tcp:127.0.0.1:{port},server=on,wait=off"), ("127.0.0.1", port)),
                                 ("chardev", (*chardev, "socket,id=c,path=n3,server=on,wait=off"), "n3"),
                                 ("chardev nowait", (*chardev, "socket,id=c,path=n4,server,nowait"), "n4"),
                                 ("chardev as serial", ("-chardev", "socket,id=c,path=n5,server=on,wait=off", "-serial", "chardev:c"), "n5")):
        p = run("-kernel", hello, *options)
        check(f"{name}: does not wait", p.returncode == 0, p)
    p = start("-kernel", echo, "-serial", "unix:n6,server=on,wait=off")
    s = connect("n6")
    check("wait=off: a client that comes later", talk(s, b"late"))
    p.terminate()
    p.communicate()
    check("a socket that is no server", one_line(run("-kernel", hello, "-serial", "unix:n7"), "Failed to connect to 'unix:n7'"))
    check("server=off", one_line(run("-kernel", hello, "-serial", "unix:n7,server=off"), "Failed to connect to 'unix:n7'"))
    check("an unknown property of a socket", one_line(run("-kernel", hello, "-serial", "unix:n7,server,colour=red"), "no property"))
    p = start("-kernel", echo, "-serial", "unix:n8,server")
    wait_for(lambda: os.path.exists("n8"))
    time.sleep(0.2)
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=20)
    check("SIGTERM while it waits for a client", p.returncode == 143, p.returncode)

# ---- signals ----

OUTPUTS = [("trace", "exits"), ("trace", "tarmac"), ("trace", "perfetto"), ("coverage", None), ("profile", None), ("D", None), ("record", None)]

def options_of(option, kind, name):
    if option == "D":
        return ["-d", "int", "-D", name]
    more = ["-sym", svc] if option in ("coverage", "profile") else []
    return [*more, "-" + option, f"{kind}={name}" if kind else name]

def signals():
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
        outs = [w for n, (o, k) in enumerate(OUTPUTS) if k != "tarmac" for w in options_of(o, k, f"sig{n}")]
        p = start("-kernel", echo, "-serial", "null", "-stats", *outs)
        time.sleep(0.6)
        p.send_signal(number)
        err = p.communicate(timeout=30)[1].decode()
        check(f"{number.name} without a port on stdio: -stats", p.returncode == status and re.search("^hash", err, re.M) and re.search("^insns [1-9]", err, re.M),
              f"{p.returncode} {err}")
        missing = [f"sig{n}" for n, (o, k) in enumerate(OUTPUTS) if k != "tarmac" and not os.path.exists(f"sig{n}")]
        check(f"{number.name}: traces and profiles", not missing and json.load(open("sig2")), missing)
        for name in os.listdir("."):
            if name.startswith("sig"):
                os.remove(name)

# ---- where outputs go ----

def fifo_read(name, into):
    with open(name, "rb") as f:
        into.append(f.read())

def all_outputs():
    """Each option that writes a file, with its name open: (option's name, arguments)."""
    for option, kind in OUTPUTS:
        yield (f"-{option} {kind or ''}", lambda name, o=option, k=kind: ["-kernel", svc, "-serial", "null", *options_of(o, k, name)])
    yield ("-serial file:", lambda name: ["-kernel", svc, "-serial", "file:" + name])
    yield ("-chardev file", lambda name: ["-kernel", svc, "-serial", "chardev:c", "-chardev", "file,id=c,path=" + name][:2] +
           ["-chardev", "file,id=c,path=" + name, "-serial", "chardev:c"])
    yield ("-snapshot-save", lambda name: ["-kernel", svc, "-serial", "null", "-snapshot-save", name + "@30"])
    yield ("dumpdtb=", lambda name: ["-M", "virt,dumpdtb=" + name])

def outputs():
    for name, args in all_outputs():
        p = run(*args("plain"))
        plain = open("plain", "rb").read() if os.path.exists("plain") else b""
        check(f"{name}: a file", p.returncode == 0 and plain, p)
        os.mkfifo("fifo")
        got = []
        t = threading.Thread(target=fifo_read, args=("fifo", got), daemon=True)
        t.start()
        p = run(*args("fifo"))
        t.join(20)
        check(f"{name}: through a FIFO", p.returncode == 0 and stat.S_ISFIFO(os.stat("fifo").st_mode) and got and len(got[0]) == len(plain),
              f"{p} {len(got[0]) if got else None} of {len(plain)}")
        os.remove("fifo")
        p = run(*args(null))
        check(f"{name}: a device stays one", p.returncode == 0 and stat.S_ISCHR(os.stat(null).st_mode), p)
        p = run(*args("/dev/stdout"))
        check(f"{name}: /dev/stdout, a pipe", p.returncode == 0 and len(p.stdout) == len(plain), f"{p.returncode} {len(p.stdout)} {p.stderr}")
        with open("stdout", "w") as f:
            f.write("before\n")
            f.flush()
            p = run(*args("/dev/stdout"), stdout=f, capture_output=False, stderr=subprocess.PIPE)
        said = open("stdout", "rb").read()
        check(f"{name}: /dev/stdout, a file", p.returncode == 0 and said.startswith(b"before\n") and len(said) == len(plain) + 7 and
              os.path.realpath("/dev/stdout").startswith(("/proc", "/dev", "/")), f"{p} {len(said)}")
        os.symlink("target", "link")
        open("target", "w").close()
        p = run(*args("link"))
        check(f"{name}: a symbolic link stays one", p.returncode == 0 and os.path.islink("link") and os.path.getsize("target") == len(plain), p)
        os.remove("link")
        os.remove("target")
        p = run(*args("/dev/full"))
        check(f"{name}: a full disk", p.returncode == 1 and b"/dev/full" in p.stderr and b"No space left" in p.stderr, p)
        os.mkdir("dir")
        check(f"{name}: a directory", one_line(run(*args("dir")), "s a directory") and not os.listdir("dir"), run(*args("dir")))
        check(f"{name}: nowhere", one_line(run(*args("none/file")), "none/file: "), run(*args("none/file")))
        os.rmdir("dir")
        os.remove("plain")
    left = [n for n in os.listdir(".") if "new" in n or n.endswith(".tmp")]
    check("no temporary files are left", not left, left)
    with open("/dev/full", "w") as full:
        p = run("-kernel", svc, stdout=full, capture_output=False, stderr=subprocess.PIPE)
        check("standard output on a full disk", one_line(p, "standard output: ") and b"No space" in p.stderr, p)
        p = run("-list-insns", stdout=full, capture_output=False, stderr=subprocess.PIPE)
        check("a list on a full disk", p.returncode == 1, p)
        p = run("-kernel", echo, "-after", "ready", "-send", "x" * 9000, stdout=full, capture_output=False, stderr=subprocess.PIPE)
        check("and a run without end then ends", p.returncode == 1, p)
    p = subprocess.run(["sh", "-c", f"'{elmu}' -kernel '{svc}' -stats | true"], capture_output=True, timeout=60)
    check("a reader of standard output that left", b"hash" in p.stderr, p)
    p = subprocess.run(["sh", "-c", f"exec '{elmu}' -kernel '{svc}' -stats >&-"], capture_output=True, timeout=60)
    check("standard output closed", p.returncode == 0 and b"hash" in p.stderr, p)

def order_of(text):
    """Letters of the console, and an s for each SVC in the log; the head of the exits trace is neither."""
    text = re.sub(r"(?m)^#.*\n", "", text)
    return "".join("s" if w.startswith("Taking") else w for w in re.findall(r"Taking exception \[SVC|[a-j](?=Taking|\n|$)", text.replace("\r", "")))

def order():
    right = "".join(c + "s" for c in "abcdefghij")
    for name, script in (("2>&1", "-d int 2>&1"), ("-D of the serial file", "-d int -D both -serial file:both; cat both"),
                         ("-D /dev/stdout", "-d int -D /dev/stdout"), ("-D of the file of standard output", "-d int -D both; cat both"),
                         ("-D of a virtconsole's file", "-d int -D both -serial chardev:c; cat both"),
                         ("exits to standard output", "-trace exits=- -d int 2>&1")):
        more = "-chardev file,id=c,path=both" if "chardev:c" in script else ""
        command = f"'{elmu}' -kernel '{svc}' {more} {script}"
        if "standard output" in name and "-D" in name:
            command = command.replace("; cat", " >both; cat")
        p = subprocess.run(["sh", "-c", f"{{ {command}; }} > all"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        text = open("all").read()
        check(f"in order: {name}", order_of(text) == right, f"{order_of(text)} {p.stderr} {text[:300]}")
        if os.path.exists("both"):
            os.remove("both")
    subprocess.run(["sh", "-c", f"'{elmu}' -kernel '{svc}' -d in_asm > all 2>&1"], timeout=60)
    check("in order: -d in_asm", "str w3, [x2]\na0x40200014:" in open("all").read(), open("all").read())
    p = run("-kernel", svc, "-serial", "file:two", "-serial", "file:two")
    check("two ports, one file", p.returncode == 0 and open("two").read() == "abcdefghij\n", p)

# ---- disks ----

def formats():
    magics = {"qcow": b"QFI\xfb\0\0\0\3", "qed": b"QED\0", "vmdk": b"KDMV", "vdi": b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe",
              "vhdx": b"vhdxfile", "vpc": b"conectix", "parallels": b"WithouFreSpacExt", "luks": b"LUKS\xba\xbe"}
    for name, magic in magics.items():
        data = magic.ljust(65536, b"\0")
        with open("disk", "wb") as f:
            f.write(data)
        for more in ("", ",if=none,id=d", ",snapshot=on", ",readonly=on"):
            p = run("-kernel", hello, "-drive", "file=disk" + more)
            check(f"{name} is not taken as raw{more}", one_line(p, "disk: is a luks" if name == "luks" else "disk: qemu-nbd: "), p)
            check(f"{name} is as it was{more}", open("disk", "rb").read() == data)
        p = run("-kernel", hello, "-drive", "file=disk,format=raw")
        check(f"{name}: format=raw takes it", p.returncode == 0 and open("disk", "rb").read() == data, p)
    with open("disk", "wb") as f:
        f.write(b"\xebQFI\xfb".ljust(512, b"\0"))
    check("a raw one without format=", run("-kernel", hello, "-drive", "file=disk").returncode == 0)
    os.mkfifo("pipe")
    for more in ("", ",readonly=on"):
        check(f"a FIFO is no disk{more}", one_line(run("-kernel", hello, "-drive", "file=pipe" + more, timeout=10), "expected a disk image"))
    check("/dev/zero is no disk", one_line(run("-kernel", hello, "-drive", "file=/dev/zero"), "expected a disk image"))

# ---- inputs ----

def inputs():
    open("empty", "w").close()
    os.mkdir("dir")
    for option in ("-restore", "-replay"):
        for name in ("nowhere", "dir", "empty", "pipe", "/dev/null"):
            p = run("-kernel", hello, option, name, timeout=10)
            check(f"{option} {name}", one_line(p, name), p)
    for option in ("-kernel", "-initrd", "-dtb", "-device"):
        for name in ("nowhere", "dir", "empty", "/dev/null"):
            p = run(*([] if option == "-kernel" else ["-kernel", hello]), option, name if option != "-device" else f"loader,file={name},addr=0x41000000",
                    timeout=10)
            check(f"{option} {name}", one_line(p, name) or (option == "-device" and name in ("empty", "/dev/null")), p)
        p = run(*([] if option == "-kernel" else ["-kernel", hello]), option, "/dev/zero" if option != "-device" else "loader,file=/dev/zero,addr=0x41000000",
                preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_AS, (8 << 30, 8 << 30)))
        check(f"{option} /dev/zero: without end", one_line(p, "/dev/zero"), p)
    p = subprocess.run(["bash", "-c", f"'{elmu}' -kernel <(cat '{hello}')"], capture_output=True, timeout=60)
    check("a kernel from a pipe", b"hello" in p.stdout, p)
    with open("sparse", "wb") as f:
        f.truncate(1 << 40)
    check("a huge kernel", one_line(run("-kernel", "sparse"), "sparse"))
    check("a huge initrd", one_line(run("-kernel", hello, "-initrd", "sparse"), "sparse"))
    check("-sym of what is not", one_line(run("-kernel", hello, "-sym", "nowhere", "-profile", "p"), "nowhere"))
    check("-sym of a directory", one_line(run("-kernel", hello, "-sym", "dir", "-profile", "p"), "dir"))

def rss(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", open(f"/proc/{pid}/status").read())[1])

def endless():
    for name, more in (("piped", []), ("debugged", ["-gdb", "unix:g"]), ("nobody reads", ["-device", "virtio-serial-device", "-serial", "null"])):
        yes = subprocess.Popen(["yes", "a"], stdout=subprocess.PIPE)
        p = start("-kernel", echo, *more, stdin=yes.stdout)
        time.sleep(1)
        before = rss(p.pid)
        time.sleep(6 if name == "debugged" else 1.5)
        grown = rss(p.pid) - before
        check(f"input without end, {name}: memory does not grow", grown < (90000 if name == "debugged" else 2048), f"{grown} KiB")
        p.terminate()
        p.communicate(timeout=30)
        yes.kill()
        yes.wait()

# ---- files that become shorter ----

def shrink():
    pad = b"\0" * 300000
    for what in ("kernel", "kernel, a little", "initrd", "loader"):
        with open(reset, "rb") as f:
            image = f.read()
        with open("k.elf", "wb") as f:
            f.write(image)
        with open("i", "wb") as f:
            f.write(b"initrd" + pad)
        more = ["-initrd", "i"] if what == "initrd" else ["-device", "loader,file=i,addr=0x44000000"] if what == "loader" else []
        p = start("-m", "256M", "-kernel", "k.elf", *more)
        time.sleep(0.5)
        name = "k.elf" if "kernel" in what else "i"
        os.truncate(name, len(image) - 1 if "little" in what else 100)
        try:
            err = p.communicate(timeout=20)[1].decode()
        except subprocess.TimeoutExpired:
            p.kill()
            err = "did not end"
        check(f"{what} becomes shorter before a reset", p.returncode == 1 and err.count("\n") == 1 and name + ":" in err, f"{p.returncode} {err}")
    # a snapshot that the guest's memory is a mapping of
    with open("ram", "wb") as f:
        f.write(os.urandom(32 << 20))
    p = run("-m", "128M", "-kernel", echo, "-device", "loader,file=ram,addr=0x44000000", "-snapshot-save", "s.map@1000", "-max-insns", "2000")
    check("a snapshot to be mapped", p.returncode == 3, p)
    p = start("-m", "128M", "-kernel", echo, "-restore", "s.map", "-stats")
    time.sleep(0.5)
    os.truncate("s.map", 4096)
    p.terminate() # -stats reads all of its memory
    err = p.communicate(timeout=20)[1].decode()
    check("a mapped snapshot becomes shorter", p.returncode == 1 and "s.map: has become shorter" in err, f"{p.returncode} {err}")

null = "/dev/null"
if os.geteuid() == 0: # who could replace the real one
    os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    null = os.path.abspath("null")
for part in (sockets, signals, outputs, order, formats, inputs, endless, shrink):
    if len(sys.argv) < 4 or part.__name__ in sys.argv[3:]:
        part()
subprocess.run(["rm", "-rf", work], check=True)
sys.exit(check.end())
