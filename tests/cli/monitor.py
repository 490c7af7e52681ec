#!/usr/bin/env python3
"""Monitors at every host's end, beside consoles and alone; what their commands do to the machine; journals; hostile clients.

    tests/cli/monitor.py ELMU FOLDER          FOLDER: hello.elf, echo.elf, sleep.elf, travel.elf. Ends with "N passed, N failed".
"""
import os, pty, re, shutil, socket, struct, subprocess, sys, tempfile, time

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
hello, echo, sleeps, travels = (os.path.join(folder, n + ".elf") for n in ("hello", "echo", "sleep", "travel"))
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect, free_port

os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()

def session(name, peer, e):
    """What each end must be able to do."""
    check(f"{name}: greets", peer.until(b"monitor - type 'help' for more information") and peer.until(b"(qemu) "), peer.got)
    check(f"{name}: info status", "VM status: running" in (peer.ask("info status") or ""), peer.got)
    check(f"{name}: help", all(w in (peer.ask("help") or "") for w in ("quit|q", "system_reset", "info status", "walk VA")), peer.got)
    peer.ask("stop")
    check(f"{name}: stop", "VM status: paused" in (peer.ask("info status") or ""), peer.got)
    a, b = peer.ask("where"), peer.ask("where")
    check(f"{name}: and it stands", a and a == b and "instructions" in a, (a, b))
    peer.ask("c")
    check(f"{name}: cont", "VM status: running" in (peer.ask("info status") or ""), peer.got)
    check(f"{name}: what it does not know", "unknown command: 'frobnicate'" in (peer.ask("frobnicate the guest") or ""), peer.got)
    peer.send(b"q\n")
    check(f"{name}: quit", e.status() == 0, e.status())

def ends():
    port = free_port()
    for name, options, where in (("telnet", ["-monitor", f"telnet:127.0.0.1:{port},server,nowait"], ("127.0.0.1", port)),
                                 ("tcp", ["-monitor", f"tcp:127.0.0.1:{port},server=on,wait=off"], ("127.0.0.1", port)),
                                 ("unix", ["-monitor", "unix:m1,server,nowait"], "m1"),
                                 ("-mon", ["-mon", "chardev=m,mode=readline", "-chardev", "socket,id=m,path=m2,server=on,wait=off"], "m2"),
                                 ("-monitor chardev:", ["-monitor", "chardev:m", "-chardev", "socket,id=m,path=m3,server=on,wait=off"], "m3")):
        with Elmu("-serial", "null", *options, kernel=echo) as e, connect(where) as s:
            session(name, Peer(s.fileno()), e)
    with Elmu("-serial", "null", "-monitor", "pty", kernel=echo) as e:
        fd = os.open(e.said(rb"redirected to (/dev/pts/\d+) \(label compat_monitor0\)")[1], os.O_RDWR | os.O_NOCTTY)
        session("pty", Peer(fd), e)
        os.close(fd)
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(elmu, [elmu, "-kernel", echo, "-serial", "null", "-monitor", "stdio"])
    class Child:
        known = None
        def status(self):
            if self.known is None:
                self.known = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return self.known
    session("stdio, a terminal", Peer(fd), Child())
    p = subprocess.run([elmu, "-kernel", echo, "-serial", "null", "-monitor", "stdio"], input=b"info status\nq\n", capture_output=True, timeout=60)
    check("stdio, a pipe", p.returncode == 0 and b"(qemu) info status\r\nVM status: running\r\n(qemu) q\r\n" in p.stdout, p)
    for name, options in (("none", ["-monitor", "none"]), ("null", ["-monitor", "null"]), ("vc", ["-monitor", "vc"]), ("file", ["-monitor", "file:m"])):
        p = subprocess.run([elmu, "-kernel", hello, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        check(f"-monitor {name}", p.returncode == 0 and b"hello" in p.stdout, p)
    check("-monitor file: greets there", b"(qemu) " in open("m", "rb").read())
    with Elmu("-serial", "null", "-monitor", "unix:m4,server,nowait", "-monitor", "unix:m5,server,nowait", kernel=echo) as e:
        with connect("m4") as a, connect("m5") as b:
            a, b = Peer(a.fileno()), Peer(b.fileno())
            check("two monitors", a.until(b"(qemu) ") and b.until(b"(qemu) "))
            a.ask("stop")
            check("... of one machine", "paused" in b.ask("info status"), b.got)

def shared():
    """One end, a console and a monitor."""
    with Elmu("-chardev", "socket,id=c,path=x1,server,nowait,mux=on", "-serial", "chardev:c", "-mon", "chardev=c,mode=readline", kernel=echo) as e:
        with connect("x1") as s:
            p = Peer(s.fileno()).send(b"typed")
            check("mux: the console has the focus", p.until(b"typed"), p.got)
            p.send(b"\x01c")
            check("mux: Ctrl-A c leads to the monitor", p.until(b"(qemu) ") and "running" in p.ask("info status"), p.got)
            p.send(b"\x01cagain")
            check("mux: and back", p.until(b"again") and b"(qemu)" not in p.before, p.got)
            p.send(b"\x01h")
            check("mux: Ctrl-A h", p.until(b"Ctrl-A x") and p.until(b"Ctrl-A c"), p.got)
            p.send(b"\x01\x01")
            check("mux: Ctrl-A Ctrl-A", p.until(b"\x01"), p.got)
        with connect("x1") as s:
            p = Peer(s.fileno()).send(b"\x01c")
            check("mux: the next client", p.until(b"(qemu) "), p.got)
            p.send(b"\x01x")
            check("mux: Ctrl-A x", e.status() == 0, e.status())
    with Elmu("-chardev", "socket,id=c,path=x2,server,nowait,mux=on", "-serial", "chardev:c", "-device", "virtio-serial-device", "-device", "virtconsole,chardev=c",
              "-mon", "chardev=c", kernel=echo) as e:
        with connect("x2") as s:
            p = Peer(s.fileno()).send(b"\x01c\x01c")
            check("mux of three: the second press", p.until(b"(qemu) ") or p.send(b"\x01c").until(b"(qemu) "), p.got)
    for options in (["-nographic"], ["-serial", "mon:stdio"], ["-nographic", "-chardev", "stdio,id=s0,mux=on,signal=off", "-serial", "chardev:s0", "-mon", "chardev=s0"], []):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(elmu, [elmu, "-kernel", echo, *options])
        p = Peer(fd)
        check(f"{options}: console", p.until(b"ready") and p.send(b"abc").until(b"abc"), p.got)
        check(f"{options}: Ctrl-A c", p.send(b"\x01c").until(b"(qemu) ") and "running" in p.ask("info status"), p.got)
        p.send(b"quit\n")
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        check(f"{options}: quit", status == 0, status)
    p = subprocess.run([elmu, "-kernel", echo, "-nographic"], input=b"ab\x01cinfo status\nq\n", capture_output=True, timeout=60)
    check("keys in a pipe", p.returncode == 0 and b"VM status: running" in p.stdout, p)
    p = subprocess.run([elmu, "-kernel", echo, "-serial", "stdio", "-until", "c!"], input=b"ab\x01c!", capture_output=True, timeout=60)
    check("no keys in a pipe without mux", p.returncode == 0 and b"\x01c!" in p.stdout, p)

def machine():
    with Elmu("-serial", "unix:r1,server,nowait", "-monitor", "unix:r2,server,nowait", "-S", kernel=echo) as e:
        with connect("r1") as s, connect("r2") as t:
            p, m = Peer(s.fileno()), Peer(t.fileno())
            check("-S: waits for the monitor", m.until(b"(qemu) ") and "paused" in m.ask("info status") and m.ask("where").startswith("0 instructions"), m.got)
            m.ask("cont")
            check("-S: cont", p.until(b"ready"), p.got)
            m.ask("system_reset")
            check("system_reset", p.until(b"ready"), p.got)
            m.ask("stop")
            m.ask("system_reset")
            check("system_reset of a machine that stands: it stands at its start", "pc 0x40200000" in m.ask("where"), m.got)
            m.ask("break 0x40200018") # FR
            m.ask("cont")
            check("a stop of its own", m.until(b"stop 1") and m.until(b"at 0x40200018") and m.until(b"(qemu) ") and "paused" in m.ask("info status"), m.got)
            m.ask("delete")
            m.ask("cont")
            check("... and on", p.until(b"ready") and p.send(b"x").until(b"x"), p.got)
            check("info chardev", "compat_monitor0: filename=socket:r2,server=on" in m.ask("info chardev"), m.before)
            check("cpu", "invalid CPU index" in m.ask("cpu 1") and "Error" not in m.ask("cpu 0"), m.before)
    with Elmu("-serial", "chardev:ring", "-chardev", "ringbuf,id=ring,size=4", "-monitor", "unix:r3,server,nowait", kernel=echo) as e:
        with connect("r3") as t:
            m = Peer(t.fileno())
            m.until(b"(qemu) ")
            check("ringbuf: the newest bytes", (m.ask("ringbuf_read ring 100") or "").replace("\r", "").startswith("ady\n"), m.before)
            m.ask("ringbuf_write ring abc")
            check("ringbuf_write", m.ask("ringbuf_read ring 2").startswith("ab"), m.before)
            check("no ring", "is no -chardev ringbuf" in m.ask("ringbuf_read compat_monitor0 1"), m.before)
    with Elmu("-serial", "null", "-monitor", "unix:r4,server,nowait", kernel=sleeps) as e:
        with connect("r4") as t:
            m = Peer(t.fileno())
            check("a machine that sleeps for ever is not stuck while a monitor listens", m.until(b"(qemu) ") and "WFI" in m.ask("info cpus"), m.got)
            m.ask("stop")
            m.send(b"q\n")
            check("... and is ended", e.status() == 0, e.status())
    with Elmu("-monitor", "unix:r5,server,nowait", "-no-shutdown", kernel=hello) as e:
        e.said(b"hello")
        with connect("r5") as t:
            m = Peer(t.fileno())
            check("-no-shutdown: the monitor is there", m.until(b"(qemu) ") and "instructions" in m.ask("where"), m.got)
            m.send(b"quit\n")
            check("-no-shutdown: quit", e.status() == 0, e.status())
    with Elmu("-serial", "null", "-monitor", "unix:r6,server,nowait", "-no-reboot", kernel=echo) as e:
        with connect("r6") as t:
            m = Peer(t.fileno())
            m.until(b"(qemu) ")
            m.send(b"system_reset\n")
            check("system_reset with -no-reboot", e.status() == 5, e.status())

def travel():
    """To changes of EL, exits, entries: alone the machine goes on to there; beside gdb, which keeps the run, it is moved."""
    options = ["-M", "virt,virtualization=on", "-serial", "null", "-S"]
    with Elmu(*options, "-monitor", "unix:t1,server,nowait", kernel=travels) as e, connect("t1") as t:
        m = Peer(t.fileno())
        m.until(b"(qemu) ")
        def way(line, *texts):
            m.ask(line)
            return all(m.until(x.encode()) for x in texts) and m.until(b"(qemu) ")
        check("elstep, alone", way("elstep", "stop 1: EL2 to EL1: exception return at 0x4020002", "cpu0 at 0x4020002") and "EL1" in m.ask("where") and "paused" in m.ask("info status"), m.got)
        check("... once", "stop" not in m.ask("stops") and way("next-exit hvc", ": EL1 to EL2: HVC, cpu0 at") and "EL2" in m.ask("where"), m.before)
        first = int(m.ask("where").split()[0])
        check("next-entry, alone", way("next-entry", ": EL2 to EL1") and "EL1" in m.ask("where") and way("next-exit", "HVC") and int(m.ask("where").split()[0]) > first, m.before)
        check("back, alone: no", "that needs -gdb" in m.ask("elstep back") and "usage: next-exit" in m.ask("next-exit frog"), m.before)
        m.send(b"next-exit irq\n")
        check("to where the run never comes: its end", e.status() == 0, e.status())
    with Elmu(*options, "-gdb", "unix:t2", "-monitor", "unix:t3,server,nowait", kernel=travels) as e, connect("t3") as t:
        m = Peer(t.fileno())
        m.until(b"(qemu) ")
        place = lambda text: re.search(r"^(EL\d to EL\d).*\ncpu0: (EL\d), pc (0x\w+).*, after (\d+) instructions$", text.replace("\r", ""), re.M)
        lines = ["elstep", "next-exit", "next-entry", "elstep", "next-exit hvc", "elstep"]
        there = [place(m.ask(line)) for line in lines]
        check("elstep, next-exit, next-entry", all(there) and [p[1] for p in there] == ["EL2 to EL1", "EL1 to EL2"] * 2 + ["EL1 to EL2", "EL2 to EL1"], (there, m.before))
        counts = [int(p[4]) for p in there]
        check("... forwards", counts == sorted(set(counts)), counts)
        back = [place(m.ask(line + " back")) for line in ("next-exit", "elstep", "next-exit", "next-entry", "next-exit")]
        check("back: the same points", all(back) and [b[0] for b in back] == [there[4][0], back[1][0], there[3][0], there[2][0], there[1][0]] and back[1][1] == "EL2 to EL1", back)
        check("to the end and no further", "the run ends before that" in m.ask("next-exit irq") and place("x\n" + m.ask("where")) is None and f"{there[1][4]} instructions" in m.ask("where"), m.before)
        check("to the beginning and no further", "there is none before" in (m.ask("next-exit irq back") or "") and f"{there[1][4]} instructions" in m.ask("where"), m.before)
        m.send(b"cont\n")
        check("and on to its end", e.status() == 0, e.status())

    with Elmu(*options, "-gdb", "unix:t4", "-monitor", "unix:t5,server,nowait", "-max-insns", "3000000", kernel=echo) as e, connect("t5") as t:
        m = Peer(t.fileno())
        m.until(b"(qemu) ")
        check("-max-insns is the end", "the run ends before that" in (m.ask("next-exit") or "") and m.ask("where").startswith("0 instructions"), m.got)

def both(name, options, *ask):
    """The answers of elmu's monitor and of QEMU's, line ends and echoes away."""
    answers = []
    for program in (elmu, shutil.which("qemu-system-aarch64")):
        p = subprocess.Popen([program, *options, "-display", "none", "-S", "-serial", "null", "-monitor", "stdio", "-net", "none"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = p.communicate("\n".join([*ask, "quit", ""]).encode(), timeout=100)
        text = re.sub(r"\x1b\[[0-9]*[KDCJ]", "", out.decode(errors="replace").replace("\r", ""))
        answers.append(["\n".join(part.split("\n")[1:]).strip("\n") for part in text.split("(qemu) ")[1:]])
        check(f"{name}: {os.path.basename(program)} answers all", len(answers[-1]) == len(ask) + 1, (answers[-1], err))
    return answers

def as_qemu():
    """Answers that scripts read are QEMU's, letter by letter."""
    if not shutil.which("qemu-system-aarch64"):
        print("as_qemu: no qemu-system-aarch64, nothing to compare with")
        return
    common = ["-M", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a72", "-m", "128M", "-kernel", hello]
    at = "0x40200000"
    same = [f"xp{f} {at}" for f in ("/4xw", "/9xb", "/3xh", "/2xg", "/5ug", "/3uh", "/20ub", "/2ow", "/5oh", "/17ob", "/2og", "/4dw", "/3dg", "/5dh", "/9db", "/8cb", "/3uw")]
    same += [f"x/4xg {at}", f"x /2xw {at}+8", f"sum {at} 16", f"sum {at} 1000", f"sum {at} 0", "sum 0x40000000+0x200000 1*3", "gva2gpa 0x1000", f"gva2gpa {at}", "p/x 17", "print /d 0x10", "p/o 9", "p/u 0-1", "p/c 65",
             "p/x ((1+2)*3)&0xf|0x100", "p/d 7%4-1", "p/x ~0", "p/x 1+2*3", "p/d 'a'", "info status", "info name", "info uuid", "cpu 0", "nmi", "log none", "info foo", "frobnicate",
             f'pmemsave {at} 32 "same"', f'memsave {at} 32 "same"']
    options = [*common, "-name", "guest=a name", "-uuid", "12345678-9abc-def0-1234-56789abcdef0"]
    mine, theirs = both("as QEMU", options, *same)
    for n, line in enumerate(same):
        check(f"{line}: QEMU's answer", mine[n] == theirs[n], f"\n{mine[n]}\n{theirs[n]}")
    mine, theirs = both("instructions", options, f"x/6i {at}", "info registers")
    words = [[l.split() for l in a[0].split("\n")] for a in (mine, theirs)]
    check("x/i: the same words, the same instructions", [w[:3] for w in words[0]] == [w[:3] for w in words[1]] and len(words[0]) == 6, words)
    names = [re.findall(r"\b([A-Z]+[0-9]*)=", a[1]) for a in (mine, theirs)]
    check("info registers: the same names", names[0] == names[1], names)
    for name, machine in (("GICv3", "gic-version=3"), ("virtualization", "gic-version=3,virtualization=on"), ("GICv2", "gic-version=2"), ("highmem=off", "highmem=off"), ("secure", "gic-version=3,secure=on"),
                          ("GICv2, EL2", "gic-version=2,virtualization=on"), ("SMMU, no ITS", "gic-version=3,iommu=smmuv3,its=off")):
        mine, theirs = both(f"mtree, {name}", ["-M", "virt," + machine, "-cpu", "cortex-a72", "-m", "128M", "-smp", "3", "-kernel", hello], "info mtree -f", "info mtree")
        def view(text, space):
            for part in text.split("FlatView #"):
                if f'AS "{space}' in part:
                    return sorted(l.strip() for l in part.split("\n") if " (prio " in l)
        check(f"info mtree -f, {name}: QEMU's", view(mine[0], "memory") == view(theirs[0], "memory"), f"\n{set(view(mine[0], 'memory')) ^ set(view(theirs[0], 'memory'))}")
        if name == "secure":
            want, got = (set(l.split(" ")[0] for l in view(t[0], "cpu-secure-memory")) for t in (theirs, mine))
            check(f"info mtree -f, {name}: secure addresses", want == got, want ^ got)
        check(f"info mtree, {name}: the same lines under one root", all(l in mine[1] for l in view(mine[0], "memory")) and "address-space: memory" in mine[1], mine[1])

def roms():
    """What was loaded, and where: QEMU's lines but for its own boot code, the tables' sizes and where it puts what is of another address space."""
    ram = lambda text: sorted(l for l in text.split("\n") if l.startswith("addr=") and 'name="bootloader"' not in l)
    rest = lambda text: [re.sub("0x[0-9a-f]+", "N", l) for l in text.split("\n") if l and not l.startswith("addr=")]
    image = bytearray(os.urandom(5000))
    image[56:60], image[8:24] = b"ARM\x64", struct.pack("<QQ", 0, 0x10000)
    for name, content in (("Image", image), ("noise", image[1000:1300]), ("flash", b"\0" * 4096)):
        open(name, "wb").write(content)
    open("bank", "wb").truncate(64 << 20)
    subprocess.run([elmu, "-M", "virt,dumpdtb=given"], check=True)
    common, linux = ["-M", "virt,virtualization=on", "-cpu", "cortex-a57", "-m", "256M"], ["-kernel", "Image", "-initrd", "noise"]
    for name, options in (("Linux", linux), ("at EL3", [*linux, "-M", "secure=on"]), ("a raw kernel", ["-kernel", "noise"]), ("an ELF file", ["-kernel", hello]),
                          ("-bios", ["-bios", "flash", *linux]), ("flash", ["-drive", "if=pflash,file=bank,format=raw,readonly=on", "-drive", "if=pflash,file=bank,format=raw,readonly=on"]),
                          ("loaders", ["-device", "loader,file=noise,addr=0x41000000", "-device", "loader,addr=0x42000000,data=0x1234,data-len=4", "-device", "loader,file=" + hello]),
                          ("a hypervisor's guest", [*linux[:2], "-device", "guest-loader,addr=0x46000000,kernel=Image,bootargs=x", "-device", "guest-loader,addr=0x45000000,initrd=noise"]),
                          ("without ACPI", ["-no-acpi", *linux]), ("nothing", [])):
        mine, theirs = both(f"roms, {name}", [*common, *options], "info roms")
        check(f"info roms, {name}: QEMU's", ram(mine[0]) == ram(theirs[0]) and rest(mine[0]) == rest(theirs[0]), f"\n{mine[0]}\n{theirs[0]}")
    mine, = both("roms, a tree", [*common, "-dtb", "given", *linux], "info roms")[:1]
    check("info roms, a tree that was given", 'addr=0000000048000000 size=0x00012c mem=ram name="noise"\naddr=0000000048200000 size=0x100000 mem=ram name="dtb"' in mine[0], mine[0])

def devices():
    open("disk", "wb").truncate(1 << 20)
    with Elmu("-serial", "null", "-monitor", "unix:d1,server,nowait", "-S", "-drive", "if=none,id=d0,file=disk,format=raw,readonly=on", "-device", "virtio-blk-device,drive=d0", "-device", "pcie-root-port,id=rp",
              "-device", "virtio-rng-pci,bus=rp", "-netdev", "hubport,hubid=1,id=n0", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:aa:bb:cc", kernel=hello) as e, connect("d1") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        ask = lambda line: (m.ask(line) or "").replace("\r", "")
        check("info block", "d0 (d0): disk (raw, read-only)\n" in ask("info block") and "Cache mode:       writeback" in ask("info block"), m.before)
        check("info network", "virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:aa:bb:cc\n \\ n0: index=0,type=hubport\n" in ask("info network"), m.before)
        tree = ask("info qtree")
        check("info qtree", all(re.search(p, tree, re.M) for p in (r"^bus: main-system-bus$", r"^  dev: pl011, id \"\"$", r"^    mmio 0000000009000000/0000000000001000$", r"^      dev: virtio-blk-device",
                                                                  r"dev: pcie-root-port", r"^ {10}dev: virtio-rng-pci"))
              and tree.count("dev: virtio-mmio") == 32, tree)
        check("info roms", f'mem=ram name="{hello} ELF program header segment 0"' in ask("info roms"), m.before)
        check("info pic", "ICH_HCR_EL2" in ask("info pic"), m.before)
        check("info cpus", re.match(r"\* CPU #0: thread_id=\d+ \(EL1, pc 0x40200000, its turn\)", ask("info cpus")), m.before)
        check("info registers -a, of a CPU that is not", ask("info registers -a").count("CPU#") == 1 and "not available" in ask("info registers 1") and "not available" in ask("info registers x"), m.before)
        for line, text in (("gpa2hva 0x40000000", "Error:"), ("sendkey ret", "no keyboard"), ("screendump f", "no console"), ("p", "unexpected end"), ("p 5/0", "division by zero"), ("p 5%0", "division by zero"), ("p (3", "')' expected"),
                           ("p " + "(" * 500, "nested too deep"), ("p " + "-" * 500 + "1", "nested too deep"), ("p $nope", "unknown register"), ("p nope", "unknown symbol"), ("p 0x", "invalid char"), ("p 1 2", "invalid char"), ("x/4q 0", "invalid char in format"), ("x/99999999999999999999xg 0", "at most"),
                           ("xp/4xw 0x09000000", "Cannot access memory"), ("x/i 0x09000000", "Cannot access memory"), ("sum 0x40000000", "unexpected end"), ("sum 0 0x7fffffffffffffff", "is not RAM"), ("memsave 0x40200000 16", "filename expected"),
                           ("memsave 0x09000000 16 f", "Invalid addr"), ("pmemsave 0x40000000 0x7fffffffffffffff f", "Invalid addr"), ("dump-guest-memory", "filename expected"), ("dump-guest-memory -z f", "-z is not supported"),
                           ("dump-guest-memory f 0 16", "no RAM"), ("dump-guest-memory f 0", "unexpected end"), ("log", "which items"), ("log frob", "'frob': no such item"), ("savevm a/b", "no name of a snapshot"), ("loadvm", "no name"), ("delvm zz", "does not exist")):
            check(f"{line[:40]}: refused", text in ask(line), m.before)
        check("nothing was left", not os.path.exists("f"))
        check("expressions: registers, symbols", ask("p $pc") == "0x40200000\n" and ask("p $x0-$x0+_start") == "0x40200000\n" and ask("p/x $SCTLR_EL1&1") == "0\n", m.before)
        check("print: the default form", ask("p 1+2*3") == "0x7\n")
        check("x of elmu's own", re.match(r"0x40200000: 0x[0-9a-f]{16}\n$", ask("x pc")), m.before)
        check("quotes", ask('pmemsave 0x40200000 4 "a \\"b\\" c"') == "" and os.path.getsize('a "b" c') == 4, m.before)
        check("dump-guest-memory", ask("dump-guest-memory core 0x40200000 0x1000") == "" and open("core", "rb").read(4) == b"\x7fELF", m.before)
        check("savevm without a name", ask("savevm") == "" and re.search(r" vm-\d{14} ", ask("info snapshots")), m.before)
    with Elmu("-serial", "null", "-monitor", "unix:d2,server,nowait", "-S", "-D", "log", kernel=hello) as e, connect("d2") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        check("log help", all(w in m.ask("log help") for w in ("none", "guest_errors", "in_asm")), m.before)
        m.ask("log in_asm,int")
        m.ask("cont")
        check("log: to its end", e.status() == 0 and b"IN:" in open("log", "rb").read(), e.text("err"))
    with Elmu("-serial", "null", "-monitor", "unix:d3,server,nowait", "-S", "-d", "int", kernel=hello) as e, connect("d3") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        check("log beside -d", "-d said at the start" in m.ask("log int"), m.before)
    with Elmu("-serial", "unix:d4,server,nowait", "-monitor", "unix:d5,server,nowait", kernel=echo) as e, connect("d4") as s, connect("d5") as t:
        p, m = Peer(s.fileno()), Peer(t.fileno())
        m.until(b"(qemu) ")
        p.send(b"a").until(b"a")
        m.ask("savevm s")
        p.send(b"b").until(b"b")
        time.sleep(1)
        m.ask("loadvm s")
        check("loadvm into a machine that runs: it goes on, at once", p.send(b"c").until(b"c", 5) and "running" in m.ask("info status"), m.before)
        m.ask("stop"), m.ask("loadvm s")
        check("... that stands: it stands", "paused" in m.ask("info status"), m.before)

def journals():
    """The power button and a reset come again at the same instruction; other changes by hand are refused."""
    with Elmu("-serial", "unix:j1,server,nowait", "-monitor", "unix:j2,server,nowait", "-record", "j", "-max-insns", "200000000", "-stats", "-device", "virtio-balloon-device", kernel=echo) as e:
        with connect("j1") as s, connect("j2") as t:
            p, m = Peer(s.fileno()), Peer(t.fileno())
            m.until(b"(qemu) ")
            p.send(b"first").until(b"first")
            check("-record: refuses what is not in a journal", "journal" in m.ask("serror") and "journal" in m.ask("restore nothing"), m.got)
            m.ask("system_powerdown")
            m.ask("system_reset")
            p.until(b"ready")
            check("balloon: its size", m.ask("balloon 64").strip() == "" and m.ask("info balloon").strip() == "balloon: actual=128", m.got)
            check("balloon: no size", "expects a size" in m.ask("balloon 0") and "expected a size" in m.ask("balloon much"), m.got)
            p.send(b"second").until(b"second")
            m.ask("stop")
            time.sleep(0.3)
            m.ask("cont")
            p.send(b"third").until(b"third")
            check("-record: to its end", e.p.wait(60) == 3, e.text("err"))
        insns, state = (re.search(rb"^%s (\S+)$" % w, e.text("err"), re.M)[1].decode() for w in (b"insns", b"hash"))
    p = subprocess.run([elmu, "-kernel", echo, "-serial", "file:again", "-monitor", "none", "-replay", "j", "-max-insns", "200000000", "-stats", "-device", "virtio-balloon-device"], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=200)
    check("-replay: the same run", f"hash {state}".encode() in p.stderr and b"third" in open("again", "rb").read(), (insns, state, p.stderr))
    with Elmu("-serial", "null", "-monitor", "unix:j3,server,nowait", "-replay", "j", "-S", "-device", "virtio-balloon-device", kernel=echo) as e, connect("j3") as t:
        m = Peer(t.fileno())
        m.until(b"(qemu) ")
        check("-replay: refuses", all("replayed" in (m.ask(c) or "") for c in ("system_reset", "system_powerdown", "balloon 5")) and "journal" in m.ask("serror"), m.got)

def with_gdb():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gdb"))
    from client import Client
    with Elmu("-serial", "unix:g3,server,nowait", "-monitor", "unix:g1,server,nowait", "-gdb", "unix:path=g2,server=on,wait=off", kernel=echo) as e, connect("g1") as t:
        m = Peer(t.fileno())
        check("beside gdb: runs", m.until(b"(qemu) ") and "running" in m.ask("info status"), m.got)
        m.ask("stop")
        c = Client("g2")
        check("beside gdb: stop", "paused" in m.ask("info status") and c.ask("?").startswith("T05"), m.got)
        check("beside gdb: one debugger", m.ask("break 0x40200018") is not None and "0x40200018" in c.monitor("stops"), m.got)
        check("beside gdb: no reset while gdb has it", "gdb has stopped" in m.ask("system_reset"), m.got)
        m.ask("delete")
        with connect("g3") as s:
            s.sendall(b"while it stood")
            time.sleep(0.5)
            m.ask("cont")
            check("beside gdb: what was typed while it stood", Peer(s.fileno()).until(b"while it stood"))
        check("beside gdb: cont", "running" in m.ask("info status"), m.got)
        m.send(b"quit\n")
        check("beside gdb: quit", e.status() == 0, e.status())

def hostile():
    port = free_port()
    with Elmu("-serial", "null", "-monitor", f"telnet::{port},server,nowait", kernel=echo) as e:
        for name, data in (("a line without end", b"x" * 300000), ("noise", os.urandom(100000).replace(b"\n", b"").replace(b"\r", b"")),
                           ("many lines", b"info status\n" * 3000), ("words", b"x " + b"1 " * 3000 + b"\n"), ("formats", b"%s%n%p " * 100 + b"\n"),
                           ("escapes", b"\x1b[A\x1b[B\x10\x0e\x15\x17\x7f\b" * 3000)):
            with connect(("127.0.0.1", port)) as s:
                s.settimeout(20)
                try:
                    s.sendall(data)
                except OSError:
                    pass
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with connect(("127.0.0.1", port)) as s:
                p = Peer(s.fileno())
                check(f"{name}: the next client is served", p.until(b"(qemu) ", 60) and "running" in (p.ask("info status") or ""), (p.got[-300:], e.text("err")))
        check("and it lives", e.p.poll() is None, e.text("err"))

def refusals():
    for name, text, *options in (("-mon without its chardev", "Parameter 'chardev' is missing", "-mon", "mode=readline"),
                                 ("-mon of none", 'chardev "zz" not found', "-mon", "chardev=zz"),
                                 ("-monitor nowhere", "is not a valid char driver", "-monitor", "pigeon"),
                                 ("-monitor on the serial port's", "in use", "-chardev", "null,id=c", "-serial", "chardev:c", "-mon", "chardev=c"),
                                 ("-S with nobody to start it", "nothing else could start", "-S", "-monitor", "none")):
        p = subprocess.run([elmu, "-kernel", hello, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        err = p.stderr.decode(errors="replace")
        check(name, p.returncode == 1 and err.count("\n") == 1 and text in err, f"{p.returncode} {err}")

for part in (ends, shared, machine, travel, as_qemu, roms, devices, journals, with_gdb, hostile, refusals):
    if len(sys.argv) < 4 or part.__name__ in sys.argv[3:]:
        part()
sys.exit(check.end())
