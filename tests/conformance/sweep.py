#!/usr/bin/env python3
"""Decode sweep: is each word allocated in elmu exactly where two independent disassemblers say so, and does it do something?

    sweep.py SWEEP [--cpu CPU...] [--samples N] [--seed N] [--all] [--jobs N]

SWEEP is the program built from sweep.c, which asks LLVM's and binutils' disassemblers; of CPUs other than `max`, which binutils does
not tell apart, only LLVM's. By default N random words of every class (upper twelve bits: 4096 blocks) are looked at; --all walks all
2^32, which takes an hour of one processor: what was done is kept in SWEEP.CPU.allocated and SWEEP.CPU.executed, and a walk that was
interrupted goes on there. Two walks:

allocated: words about which not all three agree are grouped by elmu's row and both mnemonics. Each such group must be settled from
the manual by a line of sweep.settled, or its words have failed.
executed: each word that elmu decodes is executed once. A word that crashes or hangs has failed; and, in a walk of all words, so has
a group (row, or row and system register) that never does anything, unless a line of sweep.idle says why it may.

In a walk of all words a line that settles nothing has failed too. Ends with 'N passed, N failed'.
"""
import argparse, fnmatch, hashlib, os, queue, subprocess, sys, threading, time

BLOCKS = range(4096)


class Settled:
    """The lines of a file: some words, each a glob, and the verdict of the manual. Remembers what each has settled."""
    def __init__(self, name, words):
        self.name, self.lines = name, []
        for l in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name)):
            if l.strip() and not l.startswith("#"):
                *key, why = l.split(None, words)
                self.lines.append((key, why.strip(), []))

    def settles(self, key, what):
        for globs, why, found in self.lines:
            if all(map(fnmatch.fnmatchcase, key, globs)): found.append(what); return True
        print("FAIL %s: %s" % (" ".join(key), what))
        return False

    def report(self, complete):
        """Prints what was settled, and how many lines were for nothing."""
        for globs, why, found in self.lines:
            if found: print("settled: %-36s %s: %s" % (" ".join(globs), sum(found[1:], found[0]), why))
        unused = [" ".join(globs) for globs, why, found in self.lines if complete and not found and globs[-1] != "-"]
        for text in unused: print("FAIL a line of %s that settles nothing: %s" % (self.name, text))
        return len(unused)


class Words:
    """How many words, the bits that all of them have set or clear, and one of them; of some, only how many and that one."""
    def __init__(self, count, ones, zeros, first): self.count, self.ones, self.zeros, self.first = count, ones, zeros, first
    def __add__(self, w): return Words(self.count + w.count, self.ones & w.ones, self.zeros & w.zeros, self.first)
    def __str__(self):
        bits = "".join("1" if self.ones >> b & 1 else "0" if self.zeros >> b & 1 else "x" for b in range(31, -1, -1))
        return "%9d words %s (%s)" % (self.count, bits if self.ones | self.zeros else "", self.first)


class Walk:
    """Shares the blocks out to workers; done: the lines of each block. They are kept in a file when that has a name."""
    def __init__(self, command, path):
        self.command, self.path, self.done, self.dead = command, path, {}, []
        self.lock, self.todo = threading.Lock(), queue.Queue()
        with open(command[0], "rb") as f: self.key = "walk %s %s\n" % (hashlib.sha256(f.read()).hexdigest(), " ".join(command[1:]))
        if path: self.load()

    def load(self):
        """What an earlier walk of the same program has done."""
        lines = open(self.path).readlines() if os.path.exists(self.path) else []
        if lines[:1] != [self.key]:
            with open(self.path, "w") as f: f.write(self.key)
            return
        block = []
        for l in lines[1:]:
            block.append(l)
            if l.startswith("block "): self.done[int(l.split()[1])], block = block, []

    def work(self):
        p = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while True:
            try: n = self.todo.get_nowait()
            except queue.Empty: break
            lines = []
            try:
                p.stdin.write("%d\n" % n); p.stdin.flush()
                for l in p.stdout:
                    lines.append(l)
                    if l.startswith("block "): break
            except BrokenPipeError: pass
            if not lines or not lines[-1].startswith("block "):
                self.dead.append("block %03x: the worker ended with status %d: %s" % (n, p.wait(), "".join(lines).strip()))
                return
            with self.lock:
                self.done[n] = lines
                if self.path:
                    with open(self.path, "a") as f: f.writelines(lines)
        p.stdin.close(); p.wait()

    def run(self, jobs):
        started, had = time.time(), len(self.done)
        for n in BLOCKS:
            if n not in self.done: self.todo.put(n)
        threads = [threading.Thread(target=self.work) for _ in range(jobs)]
        for t in threads: t.start()
        shown = started
        while any(t.is_alive() for t in threads):
            time.sleep(0.05)
            if self.path and time.time() > shown + 60:
                shown = time.time()
                print("%d of %d blocks after %d s" % (len(self.done), len(BLOCKS), shown - started), flush=True)
        if had: print("%d blocks had been done before" % had)


def judge_allocated(walk, complete):
    classes, words, implemented, scalable = {}, 0, 0, 0
    for lines in walk.done.values():
        for f in map(str.split, lines):
            if f[0] == "class":
                key, found = tuple(f[1:4]), Words(int(f[4]), int(f[5], 16), int(f[6], 16), f[7])
                classes[key] = classes[key] + found if key in classes else found
            else:
                implemented += int(f[2]); words += int(f[2]) + int(f[3]); scalable += int(f[4])
    lines, settled, failed = Settled("sweep.settled", 3), 0, 0
    for key, found in sorted(classes.items()):
        if lines.settles(key, found): settled += found.count
        else: failed += found.count
    unused = lines.report(complete)
    print("%d words: %d implemented, %d UNDEFINED; %d agreed, %d settled, %d in the space of SVE and SME: UNDEFINED"
          % (words, implemented, words - implemented, words - settled - failed - scalable, settled, scalable))
    return words - failed, failed + unused


def judge_executed(walk, complete):
    groups, totals, failed = {}, [0, 0, 0, 0], 0
    for lines in walk.done.values():
        for f in map(str.split, lines):
            if f[0] == "block": totals = [a + int(b) for a, b in zip(totals, f[2:])]
            else:
                key, found = (f[0], f[1]), Words(int(f[2]), 0, 0, f[3])
                groups[key] = groups[key] + found if key in groups else found
    lines = Settled("sweep.idle", 2)
    for key, found in sorted(groups.items()): failed += not lines.settles(key, found)
    unused = lines.report(complete)
    print("%d words executed; of all runs %d raised an exception, %d as UNDEFINED, %d changed nothing"
          % (totals[0], totals[1] + totals[2], totals[2], totals[3]))
    return totals[0] - failed, failed + unused


def main():
    p = argparse.ArgumentParser(); p.add_argument("sweep"); p.add_argument("--cpu", nargs="+", default=["max"]); p.add_argument("--samples", type=int, default=96)
    p.add_argument("--seed", type=int, default=1); p.add_argument("--all", action="store_true"); p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--only", choices=["allocated", "executed"])
    a = p.parse_args()
    passed = failed = 0
    for cpu in a.cpu:
        for what, judge in ("allocated", judge_allocated), ("executed", judge_executed):
            if a.only and what != a.only: continue
            walk = Walk([a.sweep, cpu, what] + ([] if a.all else [str(a.samples), str(a.seed)]), "%s.%s.%s" % (a.sweep, cpu, what) if a.all else None)
            print("%s, %s:" % (cpu, what), flush=True)
            walk.run(a.jobs)
            for text in walk.dead: print("FAIL " + text)
            good, bad = judge(walk, a.all and cpu == "max" and not walk.dead)
            passed, failed = passed + good, failed + bad + len(walk.dead)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


sys.exit(main())
