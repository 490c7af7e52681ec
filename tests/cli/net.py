#!/usr/bin/env python3
"""Networks between two programs: the guest of tests/guest/net.c finds the router of another elmu at the other end of each kind of
wire; what came over it is recorded and comes again without it. Peers that say nonsense.

    tests/cli/net.py ELMU           B: folder of the build. Ends with "N passed, N failed".
"""
import os, re, signal, socket, struct, subprocess, sys, tempfile, time
sys.dont_write_bytecode = True
from ends import Checks

elmu, build, here = sys.argv[1], os.environ.get("B", "build"), os.path.dirname(os.path.abspath(__file__))
machine = [elmu, "-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nodefaults", "-display", "none", "-monitor", "none",
           "-serial", "stdio", "-semihosting-config", "enable=on,target=native", "--stats"]
guest = machine + ["-kernel", f"{build}/guest/net.elf", "--max-insns", "3000000000"]
check = Checks(loud=True)

def run(options, fds=()):
    r = subprocess.run(guest + options, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, pass_fds=fds)
    err = r.stderr.decode(errors="replace")
    return r.returncode, r.stdout, dict(re.findall(r"^(insns|hash)\s+(\w+)$", err, re.M)), err[-400:]

def port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

class Router:
    """An elmu whose guest sleeps; its router is at the other end of `netdev`."""
    def __init__(self, netdev, fds=()):
        options = ["-netdev", f"user,id=u,tftp={here}/../guest/net", "-netdev", netdev + ",id=far", "-netdev", "hubport,id=a,hubid=3,netdev=u",
                   "-netdev", "hubport,id=b,hubid=3,netdev=far"]
        self.elmu = subprocess.Popen(machine + options + ["-kernel", "sleep.elf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, pass_fds=fds)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        alive = self.elmu.poll() is None
        self.elmu.send_signal(signal.SIGTERM)
        err = self.elmu.communicate()[1]
        check("  the router's program ran until it was ended", alive, err[-400:])

def listening(options):
    """The server may not listen yet: whoever cannot connect says so at once."""
    for _ in range(100):
        result = run(options)
        if "cannot connect" not in result[3]:
            break
        time.sleep(0.1)
    return result

def pair(name, router, near, journal=None):
    with Router(router):
        time.sleep(0.3) # a datagram that comes too early is lost, as on any network
        result = listening(["-netdev", near + ",id=n", "-device", "virtio-net-device,netdev=n"] + (["-record", journal] if journal else []))
        check(name, result[0] == 0 and result[1].count(b"\nok") > 20, result)
    return result

def pairs(work):
    os.chdir(work)
    subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments", "-o", "sleep.elf",
                    f"{here}/sleep.S"], check=True)
    a, b = port(), port()
    recorded = pair("socket, TCP", f"socket,listen=127.0.0.1:{a}", f"socket,connect=127.0.0.1:{a}", "journal")
    replayed = run(["-netdev", "socket,connect=127.0.0.1:1,id=n", "-device", "virtio-net-device,netdev=n", "-replay", "journal"])
    check("  replayed with nobody there", replayed[2] == recorded[2] and replayed[1] == recorded[1], (recorded, replayed))
    pair("stream, TCP", f"stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={b}", f"stream,addr.type=inet,addr.host=127.0.0.1,addr.port={b}")
    pair("stream, Unix", "stream,server=on,addr.type=unix,addr.path=stream.sock", "stream,addr.type=unix,addr.path=stream.sock")
    check("  the socket is gone afterwards", not os.path.exists("stream.sock"))
    c, d = port(socket.SOCK_DGRAM), port(socket.SOCK_DGRAM)
    pair("socket, UDP", f"socket,udp=127.0.0.1:{d},localaddr=127.0.0.1:{c}", f"socket,udp=127.0.0.1:{c},localaddr=127.0.0.1:{d}")
    inet = lambda mine, yours: f"dgram,local.type=inet,local.host=127.0.0.1,local.port={mine},remote.type=inet,remote.host=127.0.0.1,remote.port={yours}"
    pair("dgram, UDP", inet(c, d), inet(d, c))
    local = lambda mine, yours: f"dgram,local.type=unix,local.path={mine},remote.type=unix,remote.path={yours}"
    pair("dgram, Unix", local("one.sock", "two.sock"), local("two.sock", "one.sock"))
    group = f"socket,mcast=230.0.0.1:{d},localaddr=127.0.0.1"
    pair("socket, multicast", group, group)

def nonsense(work):
    """Whatever a peer sends, the program goes on, and the next peer is heard."""
    a = port()
    with Router(f"socket,listen=127.0.0.1:{a}"):
        for words in (b"\xff\xff\xff\xff", struct.pack(">I", 70000) + bytes(70000), bytes(100000), struct.pack(">I", 13) + bytes(13),
                      struct.pack(">I", 60) + b"\xff" * 60, struct.pack(">I", 1500) + bytes(12) + b"\x08\x00" + b"\x4f" * 1486, b"\x00\x00"):
            for _ in range(100):
                try:
                    with socket.create_connection(("127.0.0.1", a)) as s:
                        s.sendall(words)
                    break
                except OSError: # not yet listening, or it ended the connection while we spoke
                    time.sleep(0.05)
        result = listening(["-netdev", f"socket,connect=127.0.0.1:{a},id=n", "-device", "virtio-net-device,netdev=n"])
        check("after peers that said nonsense", result[0] == 0, result)

def inherited(work):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with Router(f"socket,fd={theirs.fileno()}", (theirs.fileno(),)):
        theirs.close()
        result = run(["-netdev", f"socket,fd={ours.fileno()},id=n", "-device", "virtio-net-device,netdev=n"], (ours.fileno(),))
        check("a socket that was inherited", result[0] == 0, result)

def two_adapters(work):
    """Two adapters and the router on one hub: the guest's is the one in the highest slot, the other is an onlooker."""
    hub = ["-netdev", f"user,id=u,tftp={here}/../guest/net", "-netdev", "hubport,id=r,hubid=0,netdev=u"]
    nic = lambda n: ["-netdev", f"hubport,id=p{n},hubid=0", "-device", f"virtio-net-device,netdev=p{n},bus=virtio-mmio-bus.{31 - n}"]
    first, second = (run(hub + nic(1) + nic(0) + ["-net", "none"]) for _ in range(2))
    check("two adapters on a hub", first[2] == second[2] and first[1].count(b"\nok") > 20, (first, second))

def nowhere(work):
    """A folder for TFTP that is not there is no reason not to start."""
    r = subprocess.run(machine + ["-netdev", "user,id=u,tftp=nowhere", "-kernel", "sleep.elf", "--max-insns", "1000"], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60)
    words = "elmu: warning: -netdev user,id=u: tftp=nowhere: No such file or directory: no file is served"
    check("a TFTP folder that is not there", words in r.stderr.decode() and "insns" in r.stderr.decode(), r)

def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (pairs, nonsense, inherited, two_adapters, nowhere):
            part(work)
    return check.end()

if __name__ == "__main__":
    build, elmu = os.path.abspath(build), os.path.abspath(elmu)
    guest[0] = machine[0] = elmu
    guest[guest.index("-kernel") + 1] = f"{build}/guest/net.elf"
    sys.exit(main())
