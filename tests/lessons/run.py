#!/usr/bin/env python3
"""The lessons (docs/lessons) do what their pages say.

    tests/lessons/run.py [ELMU [LESSON...]]       LESSON: its number.       Ends with "N passed, N failed".

Of each lesson: the skeleton builds and gets the points that its table (grade) says in its first line; the solution gets all of
them, ends in the same state on both engines, says nothing on standard error, and prints the same on QEMU (but for what qemu.sed
says); and what the page shows is what comes. A block of the page

    ```console mistake 1
    $ ./run -at-end why
    HVC
      cpu0, pc 0x40...
    ```

is run in a folder with that mistake planted (`solution`, `skeleton`: in such a one); each line that it shows must come, in that
order, where `...` stands for anything, and blanks for any number of them. Each mistake must have such a block.
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LESSONS = os.path.join(HERE, "../../docs/lessons")
ELMU = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ELMU", "./elmu"))
QEMU = os.environ.get("QEMU", "qemu-system-aarch64")
passed = failed = 0


def check(ok, what, why=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {what}")
        print("".join(f"    {line}\n" for line in str(why).splitlines()[-30:]), end="")
    return ok


def shell(command, folder, elmu=ELMU, timeout=60):
    """Standard output and errors, as one text; status."""
    env = dict(os.environ, ELMU=elmu, LC_ALL="C")
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of the make that runs the tests: a student's is the first
        env.pop(name, None)
    if os.path.isdir("/usr/lib/ccache"):  # most of a mistake's files are the solution's
        env["PATH"] = "/usr/lib/ccache:" + env["PATH"]
    try:
        p = subprocess.run(command, cwd=folder, env=env, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=timeout)
        return p.stdout.decode(errors="replace").replace("\r", ""), p.returncode
    except subprocess.TimeoutExpired as e:
        return (e.stdout or b"").decode(errors="replace") + "\n(no end)", -1


def blocks(page):
    """(line number, kind, [(command, [lines shown])])"""
    kind, commands = None, []
    for number, line in enumerate(page.splitlines(), 1):
        fence = re.fullmatch(r"```console +(mistake \d|solution|skeleton)", line)
        if kind is None and fence:
            kind, commands, start = fence[1], [], number
        elif kind and line == "```":
            yield start, kind, commands
            kind = None
        elif kind and line.startswith("$ "):
            commands.append((line[2:], []))
        elif kind and commands:
            commands[-1][1].append(line)


def squeeze(line):
    return " ".join(line.split())


def shown(output, lines):
    """The first line of the page that did not come, or None."""
    have = [squeeze(line) for line in output.splitlines()]
    at = 0
    for line in lines:
        if line.strip() in ("", "..."):
            continue
        parts = [re.escape(squeeze(part)) for part in line.split("...")]
        want = re.compile(r"\s*.*\s*".join(parts))
        while at < len(have) and not want.fullmatch(have[at]):
            at += 1
        if at == len(have):
            return line
        at += 1
    return None


def points(text):
    m = re.search(r"grade: (\d+) of (\d+) points", text)
    return (int(m[1]), int(m[2])) if m else (-1, 0)


def lesson(name, work):
    number = name[:2].lstrip("0")
    folders = {}

    def folder(kind):
        if kind not in folders:
            folders[kind] = os.path.join(work, f"{name}-{kind.replace(' ', '-')}")
            text, status = shell(f"'{LESSONS}/lesson.sh' copy {number} '{kind.split()[-1]}' '{folders[kind]}' && make -s -C '{folders[kind]}'", work)
            check(status == 0 and not text, f"{name}: {kind} builds without a word", text)
        return folders[kind]

    table = open(f"{LESSONS}/{name}/grade").readline()
    said = re.match(r"# .*: (\d+) points, (\d+) of them the skeleton's", table)
    if not check(said, f"{name}: first line of grade", table):
        return
    full, skeleton = int(said[1]), int(said[2])
    for kind, want in (("skeleton", skeleton), ("solution", full)):
        text, status = shell("make -s grade", folder(kind))
        check(points(text) == (want, full) and (status == 0) == (want == full), f"{name}: {kind} has {want} of {full} points", text)
    # What a grader asks for is in the state, the console and the exits: where these are the same, so are the points.
    ends = [shell("./run -stats -trace exits=e 2>s; cat e; grep -E '^(insns|hash)' s", folder("solution"), ELMU + engine)[0]
            for engine in ("", " -engine step")]
    check(ends[0] == ends[1] and "hash" in ends[0], f"{name}: the solution on both engines", ends[1])
    ours = shell("./run 2>err", folder("solution"))[0]
    settled = f"{LESSONS}/{name}/qemu.sed"
    filtered = f" | sed -f '{settled}'" if os.path.exists(settled) else ""
    # Time that is instructions does not depend on the host's load; with it CPUs that wait for each other take for ever.
    clock = "" if "-smp" in open(os.path.join(folder("solution"), "build/options")).read() else "-icount shift=0,sleep=off"
    theirs = shell(f"{QEMU} $(cat build/options) {clock} -net none -kernel build/hyp.elf 2>/dev/null{filtered}", folder("solution"), timeout=30)[0]
    check(ours == theirs, f"{name}: the solution on QEMU", "\n".join(f"{a!r} / {b!r}" for a, b in zip(ours.splitlines(), theirs.splitlines()) if a != b) or theirs)
    text = shell("cat err", folder("solution"))[0]
    check(text == "", f"{name}: the solution's run says nothing on standard error", text)
    seen = set()
    for line, kind, commands in blocks(open(f"{LESSONS}/{name}/README.md").read()):
        seen.add(kind)
        for command, lines in commands:
            output, _ = shell(command, folder(kind))
            lacks = shown(output, lines)
            check(lacks is None and lines, f"{name}/README.md, block of line {line}, $ {command}: {lacks!r} did not come", output)
    for script in sorted(os.listdir(f"{LESSONS}/{name}/mistakes")):
        check(f"mistake {script[0]}" in seen, f"{name}: the page finds mistake {script[0]}")
        text, _ = shell("make -s grade", folder(f"mistake {script[0]}"))
        check(points(text)[0] < full, f"{name}: mistake {script[0]} costs points", text)


def main():
    wanted = sys.argv[2:]
    names = sorted(n for n in os.listdir(LESSONS) if re.match(r"\d\d-", n))
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            if not wanted or name[:2].lstrip("0") in wanted:
                lesson(name, work)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
