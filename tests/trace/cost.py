#!/usr/bin/env python3
"""What traces cost, and waiting by YIELD or WFE on a machine whose other CPUs are off, counted in host
instructions by valgrind's callgrind: on the demo and, with IMAGE (folder with xen, vmlinuz, linux.cpio), on a piece of Xen's boot with its first domain: where that begins to run, 1400 exits in 25 million instructions.

    tests/trace/cost.py ELMU          B: folder of the build; COST=no: nothing, for builds that are not to be measured. Ends with "N passed, N failed".
"""
import os, re, shutil, struct, subprocess, sys, tempfile

elmu, build, image = os.path.abspath(sys.argv[1]), os.environ.get("B", "build"), os.environ.get("IMAGE", "")
passed = failed = 0

def check(name, ok, text):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} cost, {name}: {text}", flush=True)

def cost(machine, *options, out="/dev/null"):
    r = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", elmu, *machine, "-nographic", *options],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return int(re.search(rb"Collected : (\d+)", r.stderr)[1])

def in_debug(out, files=r"\w+", but=""):
    """Host instructions in functions of debug/, or of some of its files, of a callgrind profile."""
    said = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    assert "PROGRAM TOTALS" in said
    return sum(int(n.replace(",", "")) for n in re.findall(r"^ *([\d,]+) \([ \d.]+%\)  \S*debug/" + files + r"\.[ch]:" + but, said, re.M))

def exits(name, machine, first, end):
    limit = lambda n: ["-max-insns", str(n)]
    start, plain, traced = cost(machine, *limit(first)), cost(machine, *end), cost(machine, *end, "-trace", "exits=/dev/null")
    more = (traced - plain) / (plain - start) * 100
    check(f"{name}: the exits trace, at most 2 %", 0 < more <= 2, f"{more:.2f} % of {(plain - start) / 1e6:.0f} million host instructions")
    return plain - start, plain

def hints(work):
    for name, words in ("yield", (0xd503203f, 0x17ffffff)), ("sevl, wfe", (0xd50320bf, 0xd503205f, 0x17fffffe)):
        file = os.path.join(work, "hint")
        with open(file, "wb") as f:
            f.write(struct.pack(f"<{len(words)}I", *words))
        run = lambda n: cost(["-M", "virt", "-m", "64M", "-smp", "8", "-kernel", file, "-max-insns", str(n)])
        each = (run(1200000) - run(200000)) / 1e6
        check(f"{name} on one CPU of eight, at most 24 host instructions each", each <= 24, f"{each:.1f}")

def main():
    if os.environ.get("COST") == "no" or not shutil.which("valgrind"):
        print("SKIP cost: not wanted (COST=no), or valgrind is not installed\n0 passed, 0 failed")
        return 0
    demo = ["-M", "virt,gic-version=3,virtualization=on", "-m", "256M", "-kernel", f"{build}/guest/demo.elf"]
    with tempfile.TemporaryDirectory() as work:
        run, plain = exits("demo", demo, 1, [])
        out = os.path.join(work, "out")
        cost(demo, out=out)
        check("demo: off, next to nothing of debug/ is executed", in_debug(out) < 1000, f"{in_debug(out)} of {run} host instructions")
        cost(demo, "-report", os.path.join(work, "page"), out=out)
        # what is asked of it for the page comes when the run has ended
        seen = in_debug(out, "(?:timeline|timeline_internal|stops)", "(?!timeline_(?:part|each|query))")
        check("demo: the timeline, at most 5 %", 0 < seen <= run * 5 // 100, f"{seen / run * 100:.2f} %")
        closed = cost(demo, "-trace", "tarmac=/dev/null", "-trace-insns", "4000000000-") - plain
        check("demo: a Tarmac trace outside of its window, at most 6 %", closed <= run * 6 // 100, f"{closed / run * 100:.2f} %")
        part = lambda last: cost(demo, "-trace", "tarmac=/dev/null", "-trace-insns", f"2000000-{last}", "-max-insns", "2400000")
        each = (part(2400000) - part(2200000)) / 200000
        check("demo: full Tarmac, at most 2400 host instructions each (5 million a second where a host does 4 a cycle at 3 GHz)", each <= 2400, f"{each:.0f}")
        hints(work)
        if image:
            xen = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-m", "1G", "-kernel", f"{image}/xen", "-append",
                   "console=dtuart dom0_mem=512M", "-xen-dom0", f"kernel={image}/vmlinuz,initrd={image}/linux.cpio,append=console=hvc0"]
            file = os.path.join(work, "xen.map")
            subprocess.run([elmu, *xen, "-nographic", "-snapshot-save", f"{file}@220000000", "-max-insns", "220000001"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            exits("Xen", xen + ["-restore", file], 220000001, ["-max-insns", "245000000"])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
