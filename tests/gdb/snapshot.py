#!/usr/bin/env python3
"""Snapshots, and record and replay: what is run on after a restore is the run that was never stopped, in both engines; what is
damaged is refused with one line; a killed writer leaves the old file.

    tests/gdb/snapshot.py ELMU        B: folder of the build. IMAGE: folder with vmlinuz and linux.cpio (optional: Linux, too).
    Ends with "N passed, N failed".
"""
import os, random, re, signal, subprocess, sys, tempfile, time

elmu, build = sys.argv[1], os.environ.get("B", "build")
passed = failed = 0

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + text}", flush=True)

def run(options, stdin=b"", timeout=600):
    r = subprocess.run([elmu, "--stats"] + options, input=stdin, capture_output=True, timeout=timeout)
    err = r.stderr.decode(errors="replace")
    return r.returncode, r.stdout, err, dict(re.findall(r"^(insns|hash)\s+(\w+)$", err, re.M))

demo = ["-M", "virt,virtualization=on", "-cpu", "cortex-a57", "-m", "256M", "-nographic", "-kernel", f"{build}/guest/demo.elf"]
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
        for size in (0, 7, 100, len(data) // 2, len(data) - 1):
            open(bad, "wb").write(data[:size])
            refuse(f"cut to {size}{suffix}", demo, bad)
        open(bad, "wb").write(data + b"x")
        refuse(f"one byte more{suffix}", demo, bad)
    open(bad, "wb").write(b"\x7fELF" + bytes(5000))
    refuse("another file", demo, bad)
    refuse("no file", demo, os.path.join(work, "none"))
    refuse("another -m", [o if o != "256M" else "512M" for o in demo], good)
    refuse("another -smp", demo + ["-smp", "2"], good)
    refuse("another -cpu", [o if o != "cortex-a57" else "max" for o in demo], good)

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

def main():
    with tempfile.TemporaryDirectory() as work:
        points("demo", demo, [1, 2021423, 2021424, 3333333, 6000001, "hypervisor: "], work)
        points("psci, 4 CPUs", smp, [1000, 20011, 33333], work)
        image = os.environ.get("IMAGE")
        if image:
            linux = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "max", "-smp", "2", "-m", "1G", "-nographic", "-kernel",
                     f"{image}/vmlinuz", "-initrd", f"{image}/linux.cpio", "-append", "console=ttyAMA0"]
            points("Linux", linux, [100000000, 200000003], work, ["--max-insns", "300000000"])
        damage(work)
        killed(work, 100)
        replay(work)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
