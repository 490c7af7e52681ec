#!/usr/bin/env python3
"""The host's ends of consoles: pseudo-terminals, sockets as server and client, telnet, UDP, pipes, files, logs, several on one.

    tests/cli/chardev.py ELMU FOLDER          FOLDER: hello.elf, echo.elf, flood.elf. Ends with "N passed, N failed".
"""
import os, re, socket, subprocess, sys, tempfile, time

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
hello, echo, flood = (os.path.join(folder, n + ".elf") for n in ("hello", "echo", "flood"))
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect, free_port

os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()

def refused(name, text, *args):
    p = subprocess.run([elmu, "-kernel", hello, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    err = p.stderr.decode(errors="replace")
    check(name, p.returncode == 1 and err.count("\n") == 1 and text in err and not p.stdout, f"{p.returncode} {err} {p.stdout}")

def ptys():
    for name, options, label in (("-serial pty", ["-serial", "pty"], "serial0"), ("-chardev pty", ["-chardev", "pty,id=x", "-serial", "chardev:x"], "x"),
                                 ("pty with path=", ["-chardev", "pty,id=x,path=link", "-serial", "chardev:x"], "x")):
        with Elmu(*options, kernel=echo) as e:
            m = e.said(rb"char device redirected to (/dev/pts/\d+) \(label " + label.encode() + rb"\)\n")
            check(f"{name}: says where", m, e.text("out"))
            where = "link" if "path=" in name else m[1].decode()
            for attempt in ("one", "two, after the one before left"):
                fd = os.open(where, os.O_RDWR | os.O_NOCTTY)
                s = Peer(fd).send(b"typed " + attempt.encode())
                check(f"{name}: echoes {attempt}", s.until(attempt.encode()), s.got)
                os.close(fd)
                time.sleep(0.3)
            e.p.terminate()
            check(f"{name}: ends", e.status() == 143, e.status())
        check(f"{name}: no link is left", not os.path.lexists("link"))
    with Elmu("-serial", "null", "-serial", "pty", "-serial", "pty", kernel=hello) as e:
        check("more serial ports than there are", e.status() == 0 and len(re.findall(rb"redirected", e.text("out"))) == 2, e.text("out"))
    with Elmu("-serial", "pty", kernel=echo) as e:
        fd = os.open(e.said(rb"(/dev/pts/\d+)")[1], os.O_RDWR | os.O_NOCTTY)
        for _ in range(30):
            try:
                os.write(fd, b"never read " * 300)
            except BlockingIOError:
                break
        e.p.terminate()
        check("a pty that nobody reads", e.status() == 143, e.status())
        os.close(fd)

def sockets():
    port = free_port()
    for name, options, where in (("tcp", ["-serial", f"tcp::{port},server=on,wait=off"], ("127.0.0.1", port)),
                                 ("[::1] is not asked", ["-serial", f"tcp:localhost:{port},server,nowait,ipv4=on"], ("127.0.0.1", port)),
                                 ("chardev", ["-chardev", f"socket,id=c,host=127.0.0.1,port={port},server=on,wait=off,nodelay=on", "-serial", "chardev:c"], ("127.0.0.1", port)),
                                 ("before its chardev", ["-serial", "chardev:c", "-chardev", "socket,id=c,path=u1,server,nowait"], "u1")):
        with Elmu(*options, kernel=echo) as e:
            for attempt in (b"one", b"two"):
                with connect(where) as s:
                    check(f"{name}: echoes {attempt}", Peer(s.fileno()).send(attempt).until(attempt))
    with Elmu("-serial", f"tcp::{port},server=on,wait=off", kernel=echo) as e:
        connect(("127.0.0.1", port)).close()
        own = [a for a in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET) if not a[4][0].startswith("127.")]
        reached = False
        for a in own:
            with socket.socket() as s:
                s.settimeout(2)
                reached |= s.connect_ex(a[4]) == 0
        check("a port without a host is on loopback alone", not reached, own)
    with Elmu("-serial", "unix:u2,server", kernel=echo) as e:
        check("a server says that it waits", e.said(rb"waiting for connection on: unix:u2,server=on", "err"), e.text("err"))
        check("... and does", e.p.poll() is None)
        with connect("u2") as s:
            check("... and goes on", Peer(s.fileno()).until(b"ready"))
    check("its socket is gone", not os.path.exists("u2") or e.status() != 0)

def clients():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    listener.settimeout(20)
    port = listener.getsockname()[1]
    for name, options in (("tcp", ["-serial", f"tcp:127.0.0.1:{port}"]), ("tcp, server=off", ["-serial", f"tcp:localhost:{port},server=off,delay=off"]),
                          ("chardev", ["-chardev", f"socket,id=c,host=localhost,port={port}", "-serial", "chardev:c"])):
        with Elmu(*options, kernel=echo) as e:
            s, _ = listener.accept()
            p = Peer(s.fileno()).send(b"typed")
            check(f"a client: {name}", p.until(b"ready") and p.until(b"typed"), p.got)
            s.close()
            time.sleep(0.1)
            check(f"a client whose server left goes on: {name}", e.p.poll() is None)
    with Elmu("-serial", "unix:later,reconnect=1", kernel=echo) as e:
        time.sleep(0.5)
        for attempt in (b"one", b"two"):
            with socket.socket(socket.AF_UNIX) as u:
                u.bind("later")
                u.listen(1)
                u.settimeout(20)
                s, _ = u.accept()
                check(f"reconnect: {attempt}", Peer(s.fileno()).send(attempt).until(attempt))
                s.close()
            os.remove("later")
    with Elmu("-serial", f"tcp:127.0.0.1:{port},reconnect=1", kernel=echo) as e:
        for attempt in (b"one", b"two"):
            s, _ = listener.accept()
            check(f"reconnect by TCP: {attempt}", Peer(s.fileno()).send(attempt).until(attempt))
            s.close()
    listener.close()

IAC, DONT, DO, WONT, WILL, SB, SE, BRK = 255, 254, 253, 252, 251, 250, 240, 243

def telnet():
    port = free_port()
    for name, options in (("-serial telnet:", ["-serial", f"telnet:localhost:{port},server,nowait"]),
                          ("-chardev telnet=on", ["-chardev", f"socket,id=c,telnet=on,host=localhost,port={port},server=on,wait=off", "-serial", "chardev:c"])):
        with Elmu(*options, kernel=echo) as e:
            with connect(("127.0.0.1", port)) as s:
                p = Peer(s.fileno())
                check(f"{name}: says what it does", p.until(bytes([IAC, WILL, 1, IAC, WILL, 3, IAC, WILL, 0, IAC, DO, 0])), p.got)
                p.send(bytes([IAC, DO, 1, IAC, WONT, 0, IAC, SB, 24, 0, IAC, IAC, 65, IAC, SE, IAC, BRK]) + b"plain" + bytes([IAC]))
                p.send(bytes([IAC]) + b"byte")
                check(f"{name}: takes negotiation out, doubles 255", p.until(b"plain\xff\xffbyte"), p.got)
                p.send(bytes([IAC, WILL, 1]) * 20000 + bytes([IAC, SB]) * 5000 + b"x" * 10000 + bytes([IAC, SE]) + b"still there")
                check(f"{name}: much negotiation", p.until(b"still there"), p.got[-200:])

def slow():
    port = free_port()
    with Elmu("-serial", f"tcp::{port},server=on,wait=off", kernel=flood) as e:
        with connect(("127.0.0.1", port)) as s:
            check("a client that reads nothing: what it has no room for is lost, and that is said", e.said(rb"too slow, output is lost", "err", 40))
        with connect(("127.0.0.1", port)) as s:
            check("... and the next is served", Peer(s.fileno()).until(b"...."))

def others():
    port, own = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", port))
        for name, options in (("udp", ["-serial", f"udp:127.0.0.1:{port}@:{own}"]),
                              ("chardev udp", ["-chardev", f"udp,id=c,host=127.0.0.1,port={port},localaddr=127.0.0.1,localport={own}", "-serial", "chardev:c"])):
            with Elmu(*options, kernel=echo):
                check(f"{name}: says", Peer(s.fileno()).until(b"ready"))
                s.sendto(b"", ("127.0.0.1", own))
                s.sendto(b"a datagram", ("127.0.0.1", own))
                check(f"{name}: echoes", Peer(s.fileno()).until(b"a datagram"))
    with Elmu("-serial", f"udp::{free_port(socket.SOCK_DGRAM)}", kernel=hello) as e:
        check("udp to nobody", e.status() == 0, e.status())
    for name in ("p.in", "p.out", "q"):
        os.mkfifo(name)
    with Elmu("-serial", "pipe:p", kernel=echo) as e:
        into, out = os.open("p.in", os.O_WRONLY), os.open("p.out", os.O_RDONLY)
        os.write(into, b"through a pipe")
        check("pipe: two FIFOs", Peer(out).until(b"through a pipe"))
        os.close(into)
        os.close(out)
        time.sleep(0.2)
        into, out = os.open("p.in", os.O_WRONLY), os.open("p.out", os.O_RDONLY)
        os.write(into, b"again")
        check("pipe: and the next", Peer(out).until(b"again"))
    with Elmu("-chardev", "pipe,id=c,path=q", "-serial", "chardev:c", kernel=hello) as e:
        check("pipe: one FIFO", e.status() == 0, e.text("err"))
    master, slave = os.openpty()
    with Elmu("-serial", os.ttyname(slave), kernel=echo) as e:
        check("a terminal of the host", Peer(master).send(b"typed").until(b"typed"))
    for name, options in (("vc", ["-serial", "vc"]), ("vc with a size", ["-serial", "vc:80Cx24C"]), ("ringbuf", ["-chardev", "ringbuf,id=r,size=64", "-serial", "chardev:r"]),
                          ("testdev", ["-chardev", "testdev,id=t", "-serial", "null"])):
        with Elmu(*options, kernel=hello) as e:
            check(name, e.status() == 0 and e.text("out") == b"", (e.text("out"), e.text("err")))
    open("kept", "w").write("before\n")
    for name, options, text in (("append", "file,id=c,path=kept,append=on", "before\nhello\n"), ("no append", "file,id=c,path=kept", "hello\n"),
                                ("logfile", "null,id=c,logfile=log", "hello\n"), ("logappend", "null,id=c,logfile=log,logappend=on", "hello\nhello\n"),
                                ("logfile anew", "null,id=c,logfile=log", "hello\n")):
        with Elmu("-chardev", options, "-serial", "chardev:c", kernel=hello) as e:
            e.status()
            got = open("log" if "log" in name else "kept").read().replace("\r", "")
            check(name, got == text, (got, e.text("err")))
    with Elmu("-serial", "unix:u9,server,nowait,logfile=log9", kernel=hello) as e:
        check("a log of what nobody was there to read", e.status() == 0 and "hello" in open("log9").read())

def refusals():
    for name, text, *options in (
            ("nobody to connect to", f"Failed to connect to 'tcp:127.0.0.1:1': Connection refused", "-serial", "tcp:127.0.0.1:1"),
            ("no socket to connect to", "Failed to connect to 'unix:nowhere': No such file", "-serial", "unix:nowhere"),
            ("a port that is taken", "Failed to listen on", "-serial", f"tcp:127.0.0.1:{taken.getsockname()[1]},server,nowait"),
            ("a host that there is not", "Failed to resolve 'tcp:no.such.host.invalid:1'", "-serial", "tcp:no.such.host.invalid:1"),
            ("no port", "expected HOST:PORT", "-serial", "tcp:localhost"),
            ("socket without a port", "no port given", "-chardev", "socket,id=c,host=localhost"),
            ("udp without a port", "no port given", "-chardev", "udp,id=c,host=localhost"),
            ("file without a path", "no filename given", "-chardev", "file,id=c"),
            ("no id", "no id specified", "-chardev", "null"),
            ("an id twice", "Duplicate ID 'c' for chardev", "-chardev", "null,id=c", "-chardev", "null,id=c"),
            ("websocket", "websocket is not supported", "-serial", "websocket:localhost:1,server"),
            ("websocket=on", "websocket is not supported", "-chardev", "socket,id=c,port=1,websocket=on"),
            ("a server that connects again", "'reconnect' option is incompatible", "-serial", "unix:u,server,nowait,reconnect=1"),
            ("telnet on a path", "telnet needs a TCP port", "-serial", "unix:u,server,telnet=on"),
            ("a ring of 3", "must be power of two", "-chardev", "ringbuf,id=c,size=3"),
            ("two on one without mux", "chardev 'c' is in use", "-chardev", "null,id=c", "-serial", "chardev:c", "-serial", "chardev:c"),
            ("standard input twice", "cannot use stdio by multiple character devices", "-serial", "stdio", "-chardev", "stdio,id=c"),
            ("no pipe", "Could not open 'nopipe'", "-serial", "pipe:nopipe"),
            ("no terminal", "Could not open '/dev/nosuch'", "-serial", "/dev/nosuch"),
            ("a log that cannot be", "logfile=/nowhere/log", "-chardev", "null,id=c,logfile=/nowhere/log"),
            ("a path that is too long", "too long", "-serial", "unix:" + "x" * 200 + ",server,nowait")):
        refused(name, text, *options)

taken = socket.socket()
taken.bind(("127.0.0.1", 0))
taken.listen(1)
for part in (ptys, sockets, clients, telnet, slow, others, refusals):
    if len(sys.argv) < 4 or part.__name__ in sys.argv[3:]:
        part()
sys.exit(check.end())
