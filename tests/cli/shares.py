#!/usr/bin/env python3
"""Shared folders: the guest of tests/guest/share.c reads what the host has; what came is recorded and comes again without the
folder; snapshots in the middle; what options are refused.

    tests/cli/shares.py ELMU           B: folder of the build. Ends with "N passed, N failed".
"""
import os, re, shutil, subprocess, sys, tempfile
sys.dont_write_bytecode = True
from ends import Checks

elmu, build, here = sys.argv[1], os.environ.get("B", "build"), os.path.dirname(os.path.abspath(__file__))
machine = [elmu, "-M", "virt,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nodefaults", "-display", "none", "-monitor", "none",
           "-serial", "stdio", "-semihosting-config", "enable=on,target=native", "--stats", "--max-insns", "3000000000"]
guest = machine + ["-kernel", os.path.abspath(f"{build}/guest/share.elf")]
check = Checks(loud=True)

def run(options, base=guest):
    r = subprocess.run(base + options, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    err = r.stderr.decode(errors="replace")
    return r.returncode, r.stdout, dict(re.findall(r"^(insns|hash)\s+(\w+)$", err, re.M)), err[-400:]

def share(folder, more="", model="none", device="virtio-9p-device"):
    return ["-fsdev", f"local,id=f,path={folder},security_model={model}{more}", "-device", f"{device},fsdev=f,mount_tag=share"]

def well(result):
    return result[0] == 0 and result[1].count(b"\nok") > 20 and b"\nnot ok" not in result[1]

def runs():
    os.mkdir("folder")
    shutil.copy(f"{here}/../guest/net/file.txt", "folder/file.txt")
    ro = share("folder", ",readonly=on")
    first = run(ro + ["-record", "journal"])
    check("a guest reads a file", well(first), first)
    again = run(ro)
    check("the same run again", again[1:3] == first[1:3], again)
    step = run(ro + ["-engine", "step"])
    check("by the other engine", step[1:3] == first[1:3], step)
    for at in ("walk to a file", "readdir"):  # files and folders are open then
        saved = run(ro + ["-snapshot-save", f"snap@{at}"])
        check(f"saved at '{at}': the same run", saved[1:3] == first[1:3], saved)
        back = run(ro + ["-restore", "snap"], base=machine)
        check("  restored: the same end", back[0] == 0 and back[2] == first[2] and first[1].endswith(back[1]), back)
    plain = run(["-restore", "snap"], base=machine)
    check("  without the share: said", plain[0] == 1 and "made with a share: -virtfs" in plain[3], plain)
    other = run(share("folder", ",readonly=on")[:3] + ["virtio-9p-device,fsdev=f,mount_tag=other", "-restore", "snap"], base=machine)
    check("  with another tag: said", other[0] == 1 and "-fsdev" in other[3], other)
    os.rename("folder", "away")
    replayed = run(ro + ["-replay", "journal"])
    check("replayed without the folder", replayed[:3] == first[:3], replayed)
    gone = run(ro)
    check("no folder: said", gone[0] == 1 and "path=folder: No such file" in gone[3], gone)
    os.rename("away", "folder")
    with open("folder/file.txt", "a") as f:
        f.write("more")
    changed = run(ro)
    check("another file: another run", changed[2] != first[2] and b"not ok" in changed[1], changed)
    replayed = run(ro + ["-replay", "journal"])
    check("replayed, whatever the folder holds now", replayed[:3] == first[:3], replayed)
    written = run(share("folder"))  # the guest's folder is made, which it says is wrong
    check("what can be written to is", os.path.isdir("folder/new"), written)

def refused():
    for words, said in [
        (["-virtfs", "local,path=.,mount_tag=t"], "-virtfs local: security_model= is missing"),
        (["-virtfs", "local,path=.,security_model=none"], "-virtfs local: mount_tag= is missing"),
        (["-virtfs", "local,mount_tag=t,security_model=none"], "-virtfs local: path= is missing"),
        (["-virtfs", "local,path=.,mount_tag=t,security_model=some"], "invalid security_model property 'some'"),
        (["-virtfs", "local,path=.,mount_tag=t,security_model=none,fmode=0600"], "fmode= and dmode= are for"),
        (["-virtfs", "local,path=.,mount_tag=t,security_model=mapped,fmode=9"], "expected a mode"),
        (["-virtfs", "local,path=.,mount_tag=t,security_model=mapped,multidevs=x"], "invalid multidevs property 'x'"),
        (["-virtfs", "local,path=.,mount_tag=t,security_model=none,readonli=on"], "did you mean 'readonly'"),
        (["-virtfs", "local,path=.,security_model=none,mount_tag=" + "t" * 33], "at most 32 bytes"),
        (["-virtfs", "proxy,socket=s,mount_tag=t"], "-virtfs proxy: not supported (only local)"),
        (["-fsdev", "synth,id=f"], "-fsdev synth: not supported (only local)"),
        (["-fsdev", "locl,id=f"], "-fsdev locl: fsdriver is missing or unknown"),
        (["-virtfs", "synth,mount_tag=t"], "-virtfs synth: not supported (only local)"),
        (["-fsdev", "local,path=.,security_model=none"], "-fsdev local: id= is missing"),
        (["-fsdev", "local,id=a,path=.,security_model=none"] * 2, "Duplicate ID 'a'"),
        (["-device", "virtio-9p-pci,fsdev=f,mount_tag=t"], "fsdev=f: no -fsdev has that id="),
        (["-device", "virtio-9p-pci,mount_tag=t"], "fsdev= is missing"),
        (["-device", "virtio-9p-pci,fsdev=f"], "mount_tag= is missing"),
        (share("/dev/null"), "/dev/null: Not a directory"),
        (["-virtfs", "local,path=.,mount_tag=a,security_model=none"] + [w for n in range(8) for w in ("-virtfs", f"local,path=.,mount_tag=t{n},security_model=none")], "more than 8"),
    ]:
        r = run(words)
        check(f"refused: {' '.join(words)[:60]}", r[0] == 1 and said in r[3] and r[3].count("\n") == 1, (said, r[0], r[3]))
    two = ["-virtfs", "local,path=.,mount_tag=t,security_model=mapped-file,multidevs=remap,writeout=immediate,throttling.bps-total=1,dmode=0755"]
    r = run(two + share(".", ",readonly=on") + ["--max-insns", "1000"])
    check("two shares, and what is accepted", r[0] == 3, r)

with tempfile.TemporaryDirectory(prefix="elmu-shares-", dir="/var/tmp") as work:
    elmu = machine[0] = guest[0] = os.path.abspath(elmu)
    os.chdir(work)
    runs()
    refused()
sys.exit(check.end())
