#!/usr/bin/env python3
"""Snapshots, and record and replay: what is run on after a restore is the run that was never stopped, in both engines; what is
damaged is refused with one line; a killed writer leaves the old file.

    tests/gdb/snapshot.py ELMU [PART...]     B: folder of the build. IMAGE: folder with vmlinuz and linux.cpio, for the part `linux`.
    Ends with "N passed, N failed".
"""
import os, pty, random, re, select, signal, socket, subprocess, sys, tempfile, time
from guests import guest

elmu, parts, build = sys.argv[1], sys.argv[2:], os.environ.get("B", "build")
passed = failed = 0

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + text}", flush=True)

def run(options, stdin=b"", timeout=600):
    r = subprocess.run([elmu, "--stats"] + options, input=stdin, capture_output=True, timeout=timeout)
    err = r.stderr.decode(errors="replace")
    return r.returncode, r.stdout, err, dict(re.findall(r"^(insns|hash)\s+(\w+)$", err, re.M))

demo = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-kernel", f"{build}/guest/demo.elf"]
smp = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-smp", "4", "-m", "256M", "-nographic", "-semihosting-config",
       "enable=on,target=native", "-kernel", f"{build}/guest/psci.elf"]

def points(name, options, places, work, limit=[]):
    """Saves at each place, compressed and mapped, goes on in the other engine too; the end must always be the same."""
    _, out, err, alone = run(options + limit)
    if "hash" not in alone:
        check(f"{name}: runs", False, err)
        return
    for n, place in enumerate(places):
        file = os.path.join(work, f"s{n}{'.map' if n % 2 else ''}")
        _, _, err, saved = run(options + limit + ["-snapshot-save", f"{file}@{place}"])
        check(f"{name} @{place}: saving changes nothing", saved == alone, f"{saved} {alone} {err[-300:]}")
        for engine in ("threaded", "step") if n < 3 else ("threaded",):
            _, tail, err, again = run(options + limit + ["--engine", engine, "-restore", file])
            check(f"{name} @{place}: restored, {engine}", again == alone and out.endswith(tail), f"{again} {alone} {err[-300:]}")

def refuse(name, options, file, want=r"^elmu: -restore: [^\n]*\n$"):
    code, out, err, _ = run(options + ["-restore", file])
    check(name, code == 1 and re.search(want, err) and not out, f"status {code}: {err[-300:]}")

def damage(work):
    good, bad = os.path.join(work, "good"), os.path.join(work, "bad")
    for suffix in ("", ".map"):
        run(demo + ["-snapshot-save", f"{good}{suffix}@3000000"])
        data = open(good + suffix, "rb").read()
        rng = random.Random(5)
        for n in range(12):
            at = rng.randrange(len(data)) if n > 3 else n * 40
            changed = bytearray(data)
            changed[at] ^= 1 << rng.randrange(8)
            open(bad, "wb").write(changed)
            refuse(f"one bit changed at {at}{suffix}", demo, bad)
        data_at = int.from_bytes(data[48:56], "little")  # what lies before it is padding in the mapped form
        changed = bytearray(data)
        changed[data_at - 1] ^= 1
        open(bad, "wb").write(changed)
        refuse(f"the byte before the pages changed{suffix}", demo, bad)
        for size in (0, 7, 100, len(data) // 2, len(data) - 1):
            open(bad, "wb").write(data[:size])
            refuse(f"cut to {size}{suffix}", demo, bad)
        open(bad, "wb").write(data + b"x")
        refuse(f"one byte more{suffix}", demo, bad)
    open(bad, "wb").write(b"\x7fELF" + bytes(5000))
    refuse("another file", demo, bad)
    refuse("no file", demo, os.path.join(work, "none"))
    other = lambda made, given: rf"^elmu: -restore {re.escape(good)}: made with {made}, but {given} was given\n$"
    refuse("another -m", [o if o != "256M" else "512M" for o in demo], good, other("-m 256M", "-m 512M"))
    refuse("another -smp", demo + ["-smp", "2"], good, other("-smp 1", "-smp 2"))
    refuse("another -cpu", [o if o != "cortex-a57" else "max" for o in demo], good, other("-cpu cortex-a57", "-cpu max"))

def killed(work, times):
    """The writer is killed at any moment: what was there before is there, whole."""
    file = os.path.join(work, "kept")
    run(demo + ["-snapshot-save", f"{file}@1000000"])
    before, lost = open(file, "rb").read(), 0
    rng = random.Random(9)
    for n in range(times):
        p = subprocess.Popen([elmu] + demo + ["-snapshot-save", f"{file}@1000000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * 0.03)
        p.send_signal(signal.SIGKILL)
        p.wait()
        lost += open(file, "rb").read() != before
    check(f"a writer killed {times} times leaves the file whole", lost == 0, f"{lost} times not")

def replay(work):
    """The echo guest under a pipe: recorded, and replayed without it."""
    journal = os.path.join(work, "journal")
    options = ["-M", "virt", "-cpu", "cortex-a57", "-m", "64M", "-nographic", "-kernel", f"{build}/cli/echo.elf"]
    if not os.path.exists(f"{build}/cli/echo.elf"):
        os.makedirs(f"{build}/cli", exist_ok=True)
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x40200000,--build-id=none", "-o",
                        f"{build}/cli/echo.elf", f"{here}/../cli/echo.S"], check=True)
    code, out, err, first = run(options + ["--max-insns", "3000000", "-record", journal], stdin=b"hello, replay\nq")
    _, again, err, second = run(options + ["--max-insns", "3000000", "-replay", journal])
    check("recorded input is replayed: same console, same hash", first == second and out == again and b"hello" in out,
          f"{first} {second} {out!r} {again!r} {err[-300:]}")
    data = bytearray(open(journal, "rb").read())
    data[-3] ^= 4
    open(journal, "wb").write(data)
    code, out, err, _ = run(options + ["-replay", journal])
    check("a damaged journal is refused", code == 1 and err.startswith("elmu: -replay: "), err[-300:])

def resets(work):
    """A restored machine has its images; when the guest resets it they are loaded again."""
    here = os.path.dirname(os.path.abspath(__file__))
    elf, file = os.path.join(work, "reset.elf"), os.path.join(work, "reset.snap")
    subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments", "-o", elf,
                    f"{here}/../cli/reset.S"], check=True)
    options = ["-M", "virt", "-cpu", "cortex-a57", "-m", "64M", "-nographic", "-kernel", elf, "-max-insns", "5000"]
    _, out, _, alone = run(options + ["-snapshot-save", f"{file}@20"])
    _, tail, err, again = run(options + ["-restore", file])
    check("restored, reset again and again: the same end", again == alone and out.endswith(tail) and tail.count(b"boot") > 2, f"{again} {alone} {err[-300:]}")

def semihosted(work):
    """What the host's files held comes from the journal: the file may be gone."""
    journal, file = os.path.join(work, "files.journal"), os.path.join(work, "read-me")
    with open(file, "wb") as f:
        f.write(random.Random(3).randbytes(1000))
    options = bare("files", "cortex-a57") + ["-semihosting-config", f"arg={file}"]
    first = run(options + ["-record", journal])
    os.remove(file)
    second = run(options + ["-replay", journal])
    check("semihosting is replayed without its file", first[0] not in (0, 1) and (first[0], first[3]) == (second[0], second[3]), f"{first} {second}")
    without = run(options)
    check("without the journal it is missed", without[0] == 1, f"{without}")

def disks(work):
    """What was written to a disk with snapshot=on is in the snapshot; a disk that has changed otherwise is refused."""
    disk, file = os.path.join(work, "disk"), os.path.join(work, "with-disk")
    first = random.Random(4).randbytes(100 * 512)
    def fresh():
        with open(disk, "wb") as f:
            f.write(first)
    fresh()
    machine = bare("disk", "cortex-a57") + ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-blk-device,drive=d"]
    kept, through = (machine + ["-drive", f"file={disk},if=none,format=raw,id=d" + extra] for extra in (",snapshot=on", ""))
    points("disk with snapshot=on", kept, [1000000, 1500000, 2500000, 3000001], work)
    check("the file of the disk is as it was", open(disk, "rb").read() == first)
    for suffix in ("", ".map"):
        run(kept + ["-snapshot-save", f"{file}{suffix}@2500000"])
        refuse(f"changed blocks for a disk that writes through{suffix}", through, file + suffix, r"^elmu: -restore: .*disk 0: its -drive needs snapshot=on\n$")
    with open(disk, "r+b") as f:
        f.seek(30000)
        f.write(b"another")
    refuse("the file of the disk is another", kept, file, r"^elmu: -restore: .*disk 0 does not hold what it held[^\n]*\n$")
    fresh()
    _, _, err, _ = run(through + ["-snapshot-save", f"{file}@1000000"])
    check("saving with a disk that writes through says what that means", "disk 0 goes to its file" in err, err[-300:])
    refuse("and the restore is refused", through, file, r"^elmu: -restore: .*disk 0 does not hold what it held[^\n]*\n$")

def power(work):
    """The power key, typed at a terminal, is in the journal."""
    journal = os.path.join(work, "power.journal")
    options = ["--stats"] + bare("power", "cortex-a57")
    err = os.path.join(work, "power.err")
    pid, fd = pty.fork()
    if pid == 0:
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.execv(elmu, [elmu] + options + ["-record", journal])
    said = b""
    while b"?" not in said:
        said += os.read(fd, 100)
    time.sleep(0.05) # so that the key comes somewhere in the middle: where does not matter
    os.write(fd, b"\x01p")
    try:
        while select.select([fd], [], [], 60)[0] and (chunk := os.read(fd, 1000)):
            said += chunk
    except OSError: # how the end of a terminal reads
        pass
    os.kill(pid, signal.SIGKILL) # it has ended, unless the key was lost
    os.waitpid(pid, 0)
    os.close(fd)
    live = dict(re.findall(r"^(insns|hash)\s+(\w+)$", open(err).read(), re.M))
    _, out, err, again = run(options[1:] + ["-replay", journal])
    check("the power key is recorded and replayed", b"!" in said and again == live and out.split(b"!")[-1] == said.split(b"!")[-1],
          f"{live} {again} {said!r} {out!r} {err[-300:]}")

def restored_cheaply(work):
    """A machine of 2 GiB that has touched 300 MiB: a restore from the mapped form reads none of them. Counted in memory that became
    resident, against a run of one instruction; and what is changed in place is found, because its time of change is."""
    file = os.path.join(work, "big.map")
    machine = bare("touch", "cortex-a57")
    machine[machine.index("-m") + 1] = "2G"
    code, _, err, _ = run(machine + ["-snapshot-save", f"{file}@2000000", "--max-insns", "2000001"])
    whole = run(machine + ["--max-insns", "2100000"])[3]
    check("saved a machine of 2 GiB", os.path.exists(file) and os.path.getsize(file) > 300 << 20, f"{code}: {err[-300:]}")

    def peak(options): # KiB resident at most
        p = subprocess.Popen([elmu] + machine + options, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return os.wait4(p.pid, 0)[2].ru_maxrss
    plain, mapped = peak(["--max-insns", "1"]), peak(["-restore", file, "--max-insns", "2000001"])
    check("a mapped restore reads next to nothing", mapped < plain + (4 << 10), f"{plain} KiB without, {mapped} KiB with")
    check("and runs on alike", run(machine + ["-restore", file, "--max-insns", "2100000"])[3] == whole, str(whole))
    os.utime(file)
    check("a file with another time is read in full", peak(["-restore", file, "--max-insns", "2000001"]) > 300 << 10)
    with open(file, "r+b") as f:
        f.seek(100 << 20)
        f.write(b"\xff")
    refuse("a byte changed in place", machine + ["--max-insns", "2100000"], file, r"^elmu: -restore: .*damaged[^\n]*\n$")

def bare(name, cpu):
    return ["-M", "virt,gic-version=3", "-cpu", cpu, "-m", "64M", "-nographic", "-semihosting-config", "enable=on,target=native", "-kernel", guest(name)]

def pci():
    """The guest of PCI with what guests.list plugs in: in the middle of virtio, of a bridge, of a DMA."""
    row = next(line.split() for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../guest/guests.list")) if line.startswith("pci "))
    return ["-M", "virt,gic-version=3", "-cpu", row[2], "-m", "256M", "-nographic", "-semihosting-config", "enable=on,target=native", "-kernel",
            f"{build}/guest/pci.elf"] + row[4:]

def network(work):
    """The guest of the network: what it was sent comes from the journal, and no network is there for that; its frames are in
    the dump either way. A port of the host's that nobody comes to changes nothing. A restored machine finds a new network."""
    journal, first, second, file = (os.path.join(work, name) for name in ("journal", "first.pcap", "second.pcap", "snap"))
    machine = ["-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-semihosting-config", "enable=on,target=native",
               "-kernel", f"{build}/guest/net.elf", "-device", "virtio-net-device,netdev=n"]
    user, here = "user,id=n,tftp=", os.path.dirname(os.path.abspath(__file__))
    there, gone = ["-netdev", f"{user}{here}/../guest/net"], ["-netdev", f"{user}{work}"]
    dump = lambda to: ["-object", f"filter-dump,id=d,netdev=n,file={to}"]
    alone = run(machine + there)
    check("a network within the program: it repeats", run(machine + there)[3] == alone[3] and alone[0] == 0, str(alone))
    recorded = run(machine + there + dump(first) + ["-record", journal])
    check("  recorded and dumped", recorded[3] == alone[3], f"{recorded} {alone[3]}")
    replayed = run(machine + gone + dump(second) + ["-replay", journal])
    check("  replayed without the files that it read", replayed[3] == alone[3] and replayed[1] == alone[1], str(replayed))
    with open(first, "rb") as a, open(second, "rb") as b:
        frames, again = a.read(), b.read()
    check("  the dump is the same", frames == again and len(frames) > 5000 and frames[:4] == b"\xd4\xc3\xb2\xa1")
    check("  without the journal they are missed", run(machine + gone)[0] == 1)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    check("  with a port that nobody comes to", run(machine + [there[0], f"{there[1]},hostfwd=tcp:127.0.0.1:{port}-:22"])[3] == alone[3])
    saved = run(machine + there + ["-snapshot-save", f"{file}@100000"])
    check("  saving changes nothing", saved[3] == alone[3], str(saved))
    restored = [run(machine + there + ["-restore", file]) for _ in range(2)]
    check("  restored: it goes on, every time alike", restored[0][0] == 0 and restored[0][3] == restored[1][3], str(restored))
    cut = run(machine[:-2] + ["-restore", file])
    check("  restored without a network", cut[0] == 1 and b"not ok" in cut[1], str(cut))

def linux(work):
    image = os.environ["IMAGE"]
    machine = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "max", "-smp", "2", "-m", "1G", "-nographic", "-kernel",
               f"{image}/vmlinuz", "-initrd", f"{image}/linux.cpio", "-append", "console=ttyAMA0"]
    points("Linux", machine, [100000000, 200000003], work, ["--max-insns", "300000000"])

PARTS = {
    "demo": lambda work: points("demo", demo, [1, 2021423, 2021424, 3333333, 6000001, "hypervisor: "], work),
    "smp": lambda work: points("psci, 4 CPUs", smp, [1000, 20011, 33333], work),
    "tags": lambda work: points("memory tags", bare("tags", "max"), [100000, 280001, 400000], work),
    "pci": lambda work: points("PCI functions", pci(), [150000, 165432, 188000], work),
    "damage": damage, "killed": lambda work: killed(work, 100), "replay": replay, "resets": resets, "semihosted": semihosted,
    "disks": disks, "power": power, "network": network, "cheap": restored_cheaply,
}

def main():
    for name, part in {**PARTS, "linux": linux}.items():
        if name in (parts or PARTS):
            with tempfile.TemporaryDirectory() as work:
                part(work)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
