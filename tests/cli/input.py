#!/usr/bin/env python3
"""Keys and pointers to a guest that says what it gets (tests/guest/input.c), by the human monitor, QMP and -send-keys, behind
virtio-mmio and PCI; recorded and replayed; what nobody can take.

    tests/cli/input.py ELMU FOLDER          FOLDER: hello.elf. B: folder of the build. Ends with "N passed, N failed".
"""
import json, os, re, subprocess, sys, tempfile

elmu, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
sys.dont_write_bytecode = True
from ends import Checks, Elmu, Peer, connect

guest = os.path.abspath(os.environ.get("B", "build")) + "/guest/input.elf"
os.chdir(tempfile.mkdtemp())
Elmu.program = elmu
check = Checks()
MACHINE = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-semihosting", "-stats"]
DEVICES = {"mmio": ["-device", "virtio-keyboard-device,serial=listen", "-device", "virtio-mouse-device", "-device", "virtio-tablet-device"],
           "pci": ["-device", "virtio-keyboard-pci,serial=listen", "-device", "virtio-mouse-pci", "-device", "virtio-tablet"]}
KEY, REL, ABS = 1, 2, 3
SYN = (0, 0, 0)

def events(text):
    """(device, type, code, value) of what the guest said, without what closes a group."""
    lines = text.split(b"listening")[-1].decode("latin1").split("\n")
    numbers = [tuple(int(w, 16) for w in l.split()) for l in lines if re.match(r"0x\w+( 0x\w+){3}\s*$", l)]
    return [n for n in numbers if n[1:] != SYN]

def by_device(found):
    """Each device's in order; how those of several lie between each other the guest decides."""
    return sorted(found, key=lambda e: e[0])

def pressed(*codes):
    """Keys down together, and up again."""
    return [(0, KEY, c, 1) for c in codes] + [(0, KEY, c, 0) for c in reversed(codes)]

def stats(text):
    return [re.search(rb"^%s +(\S+)" % w, text, re.M)[1] for w in (b"insns", b"hash")]

def monitor(name, devices):
    with Elmu(*MACHINE, *devices, "-serial", "file:" + name, "-monitor", f"unix:{name}.m,server,nowait", "-record", name + ".j", kernel=guest) as e, connect(name + ".m") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        while b"listening" not in open(name, "rb").read():
            pass
        check(f"{name}: info mice", "Mouse #2: QEMU Virtio Mouse\r\n* Mouse #3: QEMU Virtio Tablet (absolute)" in m.ask("info mice"), m.before)
        for line in ("sendkey ctrl-alt-f1 200", "sendkey 0x9c", "mouse_move 5 -7", "mouse_button 1", "mouse_button 0", "mouse_set 3", "mouse_move 0 0 1", "mouse_button 6"):
            check(f"{name}: {line}", "Error" not in m.ask(line), m.before)
        for line, why in (("sendkey crtl", "did you mean 'ctrl'"), ("sendkey", "which keys"), ("sendkey a-", "no key is called ''"), ("sendkey a 1h", "milliseconds"),
                          ("sendkey a -5", "milliseconds"), ("mouse_move x", "expected numbers"), ("mouse_set 1", "no such pointer"), ("mouse_button x", "set of buttons")):
            check(f"{name}: {line}", why in m.ask(line), m.before)
        m.ask("sendkey esc")
        check(f"{name}: ends", e.status() == 0, e.text("err"))
        want = [(1, REL, 0, 5), (1, REL, 1, 0xfffffff9), (1, KEY, 0x110, 1), (1, KEY, 0x110, 0), (2, REL, 8, 1), (2, KEY, 0x111, 1), (2, KEY, 0x112, 1)]
        got, keys = events(open(name, "rb").read()), pressed(29, 56, 59) + pressed(96) + pressed(1)
        check(f"{name}: events", by_device(got) == by_device(keys + want), got)
        facts = stats(e.text("err"))
    p = subprocess.run([elmu, *MACHINE, *devices, "-serial", f"file:{name}.again", "-replay", name + ".j", "-kernel", guest], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    check(f"{name}: replayed", p.returncode == 0 and stats(p.stderr) == facts and open(name, "rb").read() == open(name + ".again", "rb").read(), p)

def machine_protocol(name, devices):
    with Elmu(*MACHINE, *devices, "-serial", "file:q" + name, "-qmp", f"unix:q{name}.m,server,nowait", kernel=guest) as e, connect(f"q{name}.m") as s:
        m = Peer(s.fileno())
        def ask(command, **args):
            m.send(json.dumps({"execute": command, "arguments": args}).encode())
            while m.until(b"\r\n"):
                answer = json.loads(m.before)
                if "event" not in answer and "QMP" not in answer:
                    return answer["return"] if "return" in answer else answer["error"]["desc"]
        ask("qmp_capabilities")
        while b"listening" not in open("q" + name, "rb").read():
            pass
        check(f"QMP {name}: query-mice", [(o["index"], o["absolute"], o["current"]) for o in ask("query-mice")] == [(2, False, False), (3, True, True)])
        check(f"QMP {name}: send-key", ask("send-key", keys=[{"type": "qcode", "data": "shift"}, {"type": "number", "data": 30}], **{"hold-time": 5}) == {})
        key = {"type": "qcode", "data": "b"}
        check(f"QMP {name}: input-send-event", ask("input-send-event", events=[{"type": "abs", "data": {"axis": "x", "value": 77}}, {"type": "abs", "data": {"axis": "y", "value": 0x7fff}},
                                                   {"type": "btn", "data": {"button": "middle", "down": True}}, {"type": "key", "data": {"key": key, "down": True}}]) == {})
        check(f"QMP {name}: and the rest", ask("input-send-event", events=[{"type": "rel", "data": {"axis": "y", "value": -3}}, {"type": "btn", "data": {"button": "wheel-down", "down": True}},
                                               {"type": "key", "data": {"key": key, "down": False}}]) == {})
        for command, args, why in (("send-key", {"keys": [{"type": "qcode", "data": "crtl"}]}, "Parameter 'data' does not accept value 'crtl' (did you mean 'ctrl'?)"),
                                   ("send-key", {"keys": [5]}, "Invalid parameter type for 'keys[0]', expected: object"),
                                   ("send-key", {"keys": [{"type": "number", "data": "x"}]}, "Invalid parameter type for 'keys[0].data', expected: integer"),
                                   ("send-key", {"keys": [key] * 17}, "more than 16 keys at once"),
                                   ("input-send-event", {"events": [{"type": "key", "data": {"down": True}}]}, "Parameter 'events[0].data.key' is missing"),
                                   ("input-send-event", {"events": [{"type": "btn", "data": {"down": True, "button": "leftx"}}]}, "Parameter 'button' does not accept value 'leftx'"),
                                   ("input-send-event", {"events": [{"type": "abs", "data": {"axis": "z", "value": 1}}]}, "Parameter 'axis' does not accept value 'z'"),
                                   ("input-send-event", {"events": [], "device": "foo"}, "Device 'foo' not found")):
            got = ask(command, **args)
            check(f"QMP {name}: {command} {args}", got == why, got)
        ask("stop")
        check(f"QMP {name}: input-send-event while it stands", ask("input-send-event", events=[{"type": "key", "data": {"key": key, "down": True}}]) == "VM not running")
        ask("cont")
        ask("send-key", keys=[{"type": "qcode", "data": "esc"}])
        check(f"QMP {name}: ends", e.status() == 0, e.text("err"))
        got = events(open("q" + name, "rb").read())
        want = [(2, ABS, 0, 77), (2, ABS, 1, 0x7fff), (2, KEY, 0x112, 1), (1, REL, 1, 0xfffffffd), (1, REL, 8, 0xffffffff)]
        check(f"QMP {name}: events", by_device(got) == by_device(pressed(42, 30) + pressed(48) + pressed(1) + want), got)

def run(*args):
    return subprocess.run([elmu, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

def scripts():
    """At the same instruction every time, on each engine; recorded, and replayed without them."""
    script = ["-after", "listening", "-send-keys", 'r "Ok_" ctrl-alt-delete', "-after", "0x6f 0x0", "-send-keys", "esc"]
    base = [*MACHINE, *DEVICES["pci"], "-nographic", "-kernel", guest]
    a = run(*base, *script, "-record", "j")
    others = run(*base, *script), run(*base, *script, "-engine", "step"), run(*base, "-replay", "j")
    want = pressed(19) + pressed(42, 24) + pressed(37) + pressed(42, 12) + pressed(29, 56, 111) + pressed(1)
    got = events(a.stdout)
    check("-send-keys", a.returncode == 0 and sorted(got) == sorted(want) and got[:2] == want[:2] and got[-2:] == want[-2:], a)
    for name, b in zip(("again", "stepping", "replayed"), others):
        check(f"-send-keys: {name}", b.stdout == a.stdout and stats(b.stderr) == stats(a.stderr), (a, b))
    p = run(*base, "-send-keys", "crtl-a")
    check("-send-keys: a name that is none", p.returncode == 1 and p.stderr == b"elmu: --send-keys: no key is called 'crtl' (did you mean 'ctrl'?)\n", p)
    p = run(*base, "-send-keys", 'a "b')
    check("-send-keys: a text without an end", p.returncode == 1 and b"does not end" in p.stderr, p)
    hello = os.path.join(folder, "hello.elf")
    p = run("-kernel", hello, "-after", "hello", "-send-keys", "a")
    check("-send-keys: no keyboard", p.returncode == 0 and p.stderr.startswith(b"elmu: -send-keys: there is no keyboard"), p)
    p = run("-kernel", hello, "-device", "virtio-keyboard-device", "-after", "hello", "-send-keys", "a")
    check("-send-keys: no driver", p.returncode == 0 and p.stderr == b"elmu: -send-keys: no driver of the guest's listens to the keyboard\n", p)

def refused():
    with Elmu("-serial", "null", "-monitor", "unix:n.m,server,nowait", "-S", kernel=os.path.join(folder, "hello.elf")) as e, connect("n.m") as s:
        m = Peer(s.fileno())
        m.until(b"(qemu) ")
        for line, why in (("sendkey a", "there is no keyboard"), ("mouse_move 1 1", "there is no mouse"), ("mouse_button 1", "there is no pointer"), ("info mice", "No mouse devices connected")):
            check(f"nothing there: {line}", why in m.ask(line), m.before)
    for device in ("virtio-keyboard-pci,disable-legacy=off", "virtio-keyboard-pci-non-transitional", "virtio-tablet-device,wheel-axis=off", "virtio-multitouch-pci", "virtio-input-host-pci,evdev=/dev/input/event0"):
        p = run("-kernel", guest, "-device", device)
        check(f"-device {device}", p.returncode == 1 and p.stderr.count(b"\n") == 1, p)
    p = run("-kernel", guest, *["-device", "virtio-mouse-device"] * 9)
    check("more than there can be", p.returncode == 1 and b"more than 8" in p.stderr, p)

for name, devices in DEVICES.items():
    monitor(name, devices)
    machine_protocol(name, devices)
scripts()
refused()
sys.exit(check.end())
