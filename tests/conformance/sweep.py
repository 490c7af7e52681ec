#!/usr/bin/env python3
"""Decode sweep: is each word allocated in elmu exactly where an independent disassembler says so?

    sweep.py SWEEP [--cpu max] [--samples N] [--seed N] [--all] [--show N]

SWEEP is the program built from sweep.c. By default N random words of every class (upper twelve bits: 4096 classes) are looked at;
--all walks all 2^32; --words N stops after so many. The other opinions are those of aarch64-linux-gnu-objdump and llvm-objdump,
which share no source; a word is settled where one of them agrees with elmu, and which one did not is counted. Words of extensions
that elmu does not have are told by their mnemonic (LATER) or place (SVE and SME). Disagreements are grouped by elmu's row and the
disassembler's mnemonic; those settled from the manual are listed in SETTLED with the verdict, the others are failures. Ends with
'N passed, N failed'.
"""
import argparse, collections, os, random, re, shutil, subprocess, sys, tempfile

LLVM_OBJDUMP = shutil.which("llvm-objdump") or shutil.which("llvm-objdump-14") or sys.exit("sweep.py: no llvm-objdump (package llvm)")

# Mnemonics of extensions outside of the chosen CPU: nobody is wrong. (pattern of the disassembly)
LATER = [l.split(None, 1) for l in open(os.path.join(os.path.dirname(__file__), "sweep.later")) if l.strip() and not l.startswith("#")]
# (elmu's row or '-', disassembler's mnemonic or 'undefined'): verdict of the manual
SETTLED = {}
for l in open(os.path.join(os.path.dirname(__file__), "sweep.settled")):
    if l.strip() and not l.startswith("#"):
        row, mnemonic, why = l.split(None, 2)
        SETTLED[row, mnemonic] = why.strip()


def objdump(words):
    with tempfile.NamedTemporaryFile(suffix=".bin") as f:
        f.write(b"".join(w.to_bytes(4, "little") for w in words)); f.flush()
        out = subprocess.run(["aarch64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "aarch64", "-M", "no-aliases,no-notes", "-z", f.name],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    texts = []
    for line in out.splitlines():
        m = re.match(r"\s*[0-9a-f]+:\t([0-9a-f]{8}) ?\t(.*)", line)
        if m: texts.append(m[2].replace("\t", " "))
    assert len(texts) == len(words), (len(texts), len(words))
    return texts


# All that LLVM 14 knows of A64 but SVE and SME.
LLVM = ("+v8.7a,+fullfp16,+fp16fml,+sha2,+sha3,+sm4,+aes,+mte,+rand,+bf16,+i8mm,+mops,+hbc,+ls64,+tme,+brbe,+ete,+trbe,+spe-eef,"
        "+rme,+predres,+pauth,+f64mm,+f32mm")


def llvm(words):
    with tempfile.TemporaryDirectory() as work:
        with open(work + "/w.bin", "wb") as f: f.write(b"".join(w.to_bytes(4, "little") for w in words))
        subprocess.run(["aarch64-linux-gnu-objcopy", "-I", "binary", "-O", "elf64-littleaarch64", "--rename-section",
                        ".data=.text,alloc,load,readonly,code,contents", "w.bin", "w.o"], check=True, cwd=work)
        out = subprocess.run([LLVM_OBJDUMP, "-d", "-z", "--no-leading-addr", "--mattr=" + LLVM, "w.o"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, check=True, cwd=work).stdout
    texts = [m[1].replace("\t", " ").strip() for m in re.finditer(r"^ ?(?:[0-9a-f]{2} ){4}\s*(.*)$", out, re.M)]
    assert len(texts) == len(words), (len(texts), len(words))
    return texts


def mnemonic(text):
    if text.startswith(".inst") or "undefined" in text or text == "<unknown>": return "undefined"
    return text.split()[0]


def main():
    p = argparse.ArgumentParser(); p.add_argument("sweep"); p.add_argument("--cpu", default="max"); p.add_argument("--samples", type=int, default=96)
    p.add_argument("--seed", type=int, default=1); p.add_argument("--all", action="store_true"); p.add_argument("--words", type=int, default=1 << 32)
    p.add_argument("--from", type=lambda t: int(t, 0), default=0, dest="first"); p.add_argument("--show", type=int, default=60)
    p.add_argument("--alone", type=int, default=40)
    a = p.parse_args(); random.seed(a.seed)
    later = [re.compile(r"^(?:%s)\b" % r[0]) for r in LATER]
    bad, settled, alone, good, skipped = collections.defaultdict(list), collections.Counter(), collections.Counter(), 0, 0
    def batches():
        if a.all:
            for base in range(a.first, min(a.first + a.words, 1 << 32), 1 << 20): yield range(base, base + (1 << 20))
        else:
            ws = [top << 20 | random.getrandbits(20) for top in range(4096) for _ in range(a.samples)]
            for n in range(0, len(ws), 1 << 19): yield ws[n:n + (1 << 19)]
    for ws in batches():
        ws = [w for w in ws if (w >> 25 & 15) not in (0, 2) or w >> 16 == 0]     # SVE, SME and reserved: elmu has none of them
        if not ws: continue
        data = b"".join(w.to_bytes(4, "little") for w in ws)
        rows = subprocess.run([a.sweep, a.cpu], input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split()
        for w, row, text, other in zip(ws, rows, objdump(ws), llvm(ws)):
            m, o = mnemonic(text), mnemonic(other)
            if (row == "-") == (m == "undefined"):
                good += 1
                if (o == "undefined") != (m == "undefined"): alone["llvm-objdump", row, o] += 1
            elif (row == "-") == (o == "undefined"):
                good += 1
                alone["objdump", row, m] += 1
            elif row == "-" and any(r.match(text) for r in later): skipped += 1
            elif (row, m) in SETTLED: settled[row, m] += 1
            else: bad[row, m].append((w, text))
    for (row, m), ws in sorted(bad.items(), key=lambda kv: -len(kv[1]))[:a.show]:
        print("FAIL row %-16s disassembler %-12s %6d times, e.g. %s" % (row, m, len(ws), ", ".join("%08x '%s'" % w for w in ws[:2])))
    for (row, m), n in sorted(settled.items()): print("settled: row %s, disassembler %s, %d times: %s" % (row, m, n, SETTLED[row, m]))
    for who in ("objdump", "llvm-objdump"):
        rows = sorted(((n, r, m) for (w, r, m), n in alone.items() if w == who), reverse=True)
        print("%s stands alone for %d words: %s" % (who, sum(r[0] for r in rows), ", ".join("%s/%s %d" % (r, m, n) for n, r, m in rows[:a.alone])))
    print("%d words of extensions that elmu does not have" % skipped)
    print("%d passed, %d failed" % (good, sum(map(len, bad.values()))))
    return 1 if bad else 0


sys.exit(main())
