#!/usr/bin/env python3
"""The stub's stops and packets by raw packets: breakpoints where the PC was put, tag bytes, pages' ends, VMIDs, packets that begin
like others, registers' fields, dropped bits, who routed an interrupt.

    tests/gdb/points.py ELMU        B: folder of the build. Ends with "N passed, N failed".
"""
import os, re, subprocess, sys, tempfile
from client import Client
from guests import guest, CROSS

elmu = sys.argv[1]
passed = failed = 0
elf = guest("points")
symbols = {m[2]: int(m[1], 16) for m in re.finditer(r"^(\w+) \w (\w+)$", subprocess.run([CROSS + "nm", elf], capture_output=True,
           text=True, check=True).stdout, re.M)}

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ': ' + str(text)}", flush=True)

class Run:
    def __init__(self, work, *options, name=None):
        self.path, self.log = os.path.join(work, "points.sock"), os.path.join(work, "log")
        if os.path.exists(self.path):
            os.remove(self.path)
        self.p = subprocess.Popen([elmu, "-M", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a57", "-m", "64M", "-nographic",
                                   "-semihosting-config", "enable=on,target=native", "-kernel", name or elf, "-gdb", f"unix:{self.path}", "-S",
                                   "-d", "guest_errors", "-D", self.log, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        while not os.path.exists(self.path) and self.p.poll() is None:
            os.sched_yield()
        self.c = Client(self.path)
    def __enter__(self):
        return self.c
    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()

def go(c, how="c"):
    """Continues; the reply behind what is said on the console."""
    reply = c.ask(how)
    while reply[:1] == "O" and reply != "OK":
        c.said = bytes.fromhex(reply[1:]).decode()
        reply = c.packet()
    return reply

def number(value):
    return value.to_bytes(8, "little").hex()

def moved(work):
    """A breakpoint where the PC is put stops at once; one where it was stopped does not."""
    with Run(work) as c:
        at, start = symbols["test_main"], c.pc()
        c.ask(f"Z0,{at:x},4")
        check("a breakpoint stops", go(c).startswith("T05") and c.pc() == at, hex(c.pc()))
        where = c.where()
        check("and lets go on", go(c, "s").startswith("T05") and c.pc() == at + 4 and c.where() == where + 1, hex(c.pc()))
        ways = [("P", lambda: c.ask("P20=" + number(at))), ("G", lambda: c.ask("G" + regs[:512] + number(at) + regs[528:]))]
        for name, put in ways:
            regs = c.ask("g")
            put()
            where = c.where()
            for how in ("c", "vCont;c", "s"):
                check(f"put there by {name}, {how}: stops at once", go(c, how).startswith("T05") and c.pc() == at and c.where() == where,
                      f"{c.pc():x} {c.where()}")
                put() if name == "P" else c.ask("P20=" + number(at))
            go(c), go(c, "s")
        for how in (f"c{at:x}", f"s{at:x}", f"C05;{at:x}", f"S05;{at:x}"):
            where = c.where()
            check(f"{how}: stops at once", go(c, how).startswith("T05") and c.pc() == at and c.where() == where, hex(c.pc()))
            go(c, "s")
        go(c, f"c{at:x}")
        where = c.where()
        go(c, "s")
        check("from where it was said to be the next step goes on", c.where() == where + 1, c.where())
        c.ask(f"z0,{at:x},4")
        c.monitor(f"break {start:#x}")
        c.ask("P20=" + number(start))
        where = c.where()
        check("the monitor's breakpoint, too", go(c).startswith("T05") and c.where() == where, c.where())
        check("and lets go on", go(c, "s").startswith("T05") and c.where() == where + 1, c.where())

def two_cpus(work):
    """A PE that another thread's continue runs past its breakpoint is not stopped there again."""
    with Run(work, "-smp", "2") as c:
        c.monitor(f"break {symbols['test_main']:#x}")
        go(c)
        where = c.where()
        c.ask("Hc2")
        c.monitor(f"break {symbols['store8']:#x}")
        reply = go(c)
        check("with another thread chosen it goes on, too", c.pc() == symbols["store8"] and c.where() > where, f"{reply} {c.pc():x}")

def tags(work):
    data, tag = symbols["data"], 0x5a << 56
    for name, addr in (("plain", data), ("the same tag", data | tag), ("another tag", data | 0x11 << 56)):
        for kind, size, first, word in ((2, 8, 0, "watch"), (3, 1, 9, "rwatch"), (4, 16, 0x20, "awatch"), (2, 16, 0x20, "watch")):
            with Run(work) as c:
                c.ask(f"Z{kind},{addr + first:x},{size:x}")
                reply = go(c)
                m = re.search(word + r":([0-9a-f]+);", reply)
                low = m and int(m[1], 16) - addr
                check(f"{word} of {size} bytes, address with {name}", m and first <= low < first + size, reply)
    with Run(work) as c:
        c.ask(f"Z2,{data | tag:x},8")
        go(c)
        go(c, "s")
        reply = go(c)
        check("without TBI a tag is part of the address", not reply.startswith("T05watch"), reply)
    with Run(work) as c:
        c.monitor(f"watch {data | tag:#x},8")
        check("monitor watch with a tag", go(c).startswith("T05") and c.pc() == symbols["store8"], hex(c.pc()))
        c.monitor("delete")
        c.monitor("watch data+8,8 r")
        check("monitor watch SYMBOL+N", go(c).startswith("T05") and c.pc() == symbols["load1"], hex(c.pc()))

def edges(work):
    with Run(work) as c:
        edge = symbols["edge"]
        check("the last word of a page", edge & 4095 == 4092, hex(edge))
        c.monitor("break edge vmid=2")
        go(c)
        vmid = int.from_bytes(bytes.fromhex(c.ask(f"p{c.number('VTTBR_EL2'):x}")), "little") >> 48
        check("a breakpoint at a page's end, of one VMID", c.pc() == edge and vmid == 2, f"{c.pc():x} {vmid}")
        c.ask(f"Z0,{edge + 4:x},4")
        check("and at the next page's beginning", go(c).startswith("T05") and c.pc() == edge + 4, hex(c.pc()))
    with Run(work) as c:
        c.ask(f"Z1,{symbols['edge']:x},4")
        vmids = []
        for _ in range(2):
            go(c)
            vmids.append(int.from_bytes(bytes.fromhex(c.ask(f"p{c.number('VTTBR_EL2'):x}")), "little") >> 48)
        check("without a VMID in each", vmids == [1, 2] and c.pc() == symbols["edge"], vmids)

UNKNOWN = """qCRC:0,1 qCx qSupportedX qSupported; vContX vCont vCont?x qfThreadInfoX qsThreadInfoX qThreadExtraInfo qAttachedX qAttached;1
    qSymbolX qRcmd qRcmdX qXfer:featuresX qqemu.PhyMemModeX qqemu.PhyMemMode:1 Qqemu.PhyMemMode QStartNoAckModeX bsx bcx b9600 ?x gx kx Dx
    vKill vKillX vMustReplyEmpty ! R00 Z9,1,1 z5,1,1 qTStatus qOffsets vFile:open:00 QPassSignals:1 HgX1x""".split()
WRONG = """m m0 m0,4x m0:4 mx,4 m00000000000000001,4 M0,1 M0,1:0 M0,1:000 M0,1:zz X0 X0,2:a p px p0x P0 P0=00 P20=zz00000000000000 Z0 Z0,1 Z0,1,1x z0,x,1
    Hg Hgx Hg9 Hc9 T T9 Tx qThreadExtraInfo,x qThreadExtraInfo,1x vCont; vCont;x vCont;sx vCont;C vCont;s:9 vCont;s:1x vCont;r1 vCont;c;; vKill;x
    D;x Cx C05x S05;x cx sx Qqemu.PhyMemMode:x qRcmd,6 qAttached:x""".split()

def packets(work):
    with Run(work) as c:
        said = {p: c.ask(p) for p in UNKNOWN if p != "HgX1x"}
        check("packets that begin like others are not known", not [p for p in said if said[p] != ""], {p: r for p, r in said.items() if r})
        said = {p: c.ask(p) for p in WRONG}
        check("packets with other arguments are errors", not [p for p in said if not re.fullmatch("E[0-9]{2}", said[p])],
              {p: r for p, r in said.items() if not re.fullmatch("E[0-9]{2}", r)})
        check("and nothing ran", c.where() == 0, c.where())
        known = {"qC": "QC1", "qAttached": "1", "qAttached:1": "1", "qSymbol::": "OK", "Hg0": "OK", "Hg-1": "OK", "T1": "OK", "vCont?": "vCont;c;C;s;S;r",
                 "qqemu.PhyMemMode": "0", "Qqemu.PhyMemMode:1": "OK", "Qqemu.PhyMemMode:0": "OK", "qsThreadInfo": "l", "qfThreadInfo": "m1"}
        said = {p: c.ask(p) for p in known}
        check("those that are known are answered", said == known, said)

def registers(work):
    run = Run(work)
    with run as c:
        fields = c.monitor("fields HCR_EL2")
        check("fields: zero ones, too", "TGE=0" in fields and "TWEDEL=0x0" in fields and "RW=1" in fields, fields)
        c.ask(f"P{c.number('VTTBR_EL2'):x}=" + number(5 << 48 | 0x40321001))
        c.ask(f"P{c.number('VBAR_EL1'):x}=" + number(0x40321800))
        c.ask(f"P{c.number('HPFAR_EL2'):x}=" + number(0x90010))
        said = [c.monitor("fields " + r) for r in ("VTTBR_EL2", "VBAR_EL1", "HPFAR_EL2")]
        check("fields: addresses are whole", "BADDR=0x40321000 " in said[0] and "VMID=0x5" in said[0] and
              "VBA=0x40321800" in said[1] and "FIPA=0x9001000 " in said[2], said)
        c.ask(f"P{c.number('VBAR_EL2'):x}=" + number(0x40321801))
        c.monitor("catch sysreg VBAR_EL1")
        while "0x7ff" not in getattr(c, "said", "") and "fff written" not in getattr(c, "said", ""):
            if not go(c).startswith("T05"):
                break
        check("catch sysreg: what it holds, and what was written", re.search(r"VBAR_EL1 = 0x\w+[08]00 \(0x\w+fff written\)", c.said), c.said)
        c.monitor("delete")
        c.monitor("catch sysreg CNTP_CTL_EL0")
        go(c)
        c.monitor("delete")
        check("break SYMBOL that is none", "no_such_thing" in c.monitor("break no_such_thing"))
        go(c)
        run.p.wait(60) # the log is whole when it ends
    log = open(os.path.join(work, "log")).read()
    check("dropped RES0 bits are guest errors: the guest's", re.search(r"VBAR_EL1: write of 0x\w+fff, RES0 bits 0x7ff are dropped", log) and
          re.search(r"VTTBR_EL2: write of 0x\w+, RES0 bits 0xff00000000000000 are dropped", log), log)
    check("... gdb's", "VBAR_EL2: write of 0x40321801, RES0 bits 0x1 are dropped" in log, log)
    check("... not a read-only bit", "CNTP_CTL" not in log, log)

def routes(work):
    want = [("IRQ", "EL1 to EL1: HCR_EL2.IMO = 0, HCR_EL2.TGE = 0", 5, 1, "HCR_EL2.IMO = 0, INTID 5"),
            ("IRQ", "EL1 to EL2: HCR_EL2.IMO = 1", 5, 2, "HCR_EL2.IMO, INTID 5"), ("IRQ", "EL0 to EL2: HCR_EL2.TGE = 1", 5, 2, "HCR_EL2.TGE, INTID 5"),
            ("vIRQ", "EL1 to EL1: HCR_EL2.IMO = 1 .*by HCR_EL2.VI = 1", None, 1, "HCR_EL2.VI"),
            ("vIRQ", "EL1 to EL1: HCR_EL2.IMO = 1 .*by list register 1", 77, 1, "list register 1, INTID 77")]
    with Run(work) as c:
        c.monitor("catch exception irq")
        for kind, route, intid, el, cause in want:
            go(c)
            said = c.monitor("why")
            check(f"why: {kind}, {route}", said.startswith(kind + "\n") and f"\ncaused by: {cause}\nrouted: " in said and
                  re.search("routed: " + route, said) and
                  (f"INTID {intid}," in said) == (intid is not None) and re.search(f"ELR_EL{el} 0x{c.elr(el):x}", said), said)
    with Run(work) as c:
        for hcr, pc, route in ((1 << 5, "EL1", "EL1 to EL2: HCR_EL2.AMO = 1"), (0, "EL1", "EL1 to EL1: HCR_EL2.AMO = 0, HCR_EL2.TGE = 0")):
            c.ask(f"P{c.number('HCR_EL2'):x}=" + number(1 << 31 | hcr))
            c.ask("P21=05000000") # EL1h, nothing masked
            c.ask("P20=" + number(symbols["nothing"]))
            c.monitor("serror 0x1000017") # IDS, since without FEAT_RAS all else is RES0
            c.monitor("catch exception serror")
            go(c)
            said = c.monitor("why")
            check(f"why: SError, {route}", "routed: " + route in said and "ISS 0x1000017" in said, said)
            c.monitor("delete")
            c.ask("P21=c9030000")

def secure(work):
    with Run(work, "-machine", "secure=on") as c:
        ns = 1 | 1 << 8 | 1 << 10
        for scr, hcr, route, cause in ((ns | 8, 0, "EL1 to EL3: SCR_EL3.EA = 1", "SCR_EL3.EA"), (ns, 0, "EL1 to EL1: HCR_EL2.AMO = 0, HCR_EL2.TGE = 0, SCR_EL3.EA = 0", "HCR_EL2.AMO = 0"),
                                       (ns, 1 << 5, "EL1 to EL2: HCR_EL2.AMO = 1, SCR_EL3.EA = 0", "HCR_EL2.AMO"),
                                       (1 << 10, 1 << 5, "EL1 to EL1: EL2 is not enabled in Secure state .*, SCR_EL3.EA = 0",
                                        "SCR_EL3.{NS,EEL2} = {0,0}")):
            c.ask("P21=cd030000") # EL3h
            c.ask(f"P{c.number('SCR_EL3'):x}=" + number(scr))
            c.ask(f"P{c.number('HCR_EL2'):x}=" + number(1 << 31 | hcr))
            c.ask("P21=05000000")
            c.ask("P20=" + number(symbols["nothing"]))
            c.monitor("serror")
            c.monitor("catch exception serror")
            go(c)
            said = c.monitor("why")
            check(f"why: SError, {route}", re.search("routed: " + route, said) and f"\ncaused by: {cause}\n" in said, said)
            c.monitor("delete")

def number_of(self, name):
    if not hasattr(self, "xml"):
        self.xml, at = "", 0
        while True:
            part = self.ask(f"qXfer:features:read:target.xml:{at:x},4000")
            self.xml += part[1:]
            at += len(part) - 1
            if part[0] == "l":
                break
    return int(re.search(rf'name="{name}"[^>]*regnum="(\d+)"', self.xml)[1])
Client.number = number_of
Client.elr = lambda self, el: int.from_bytes(bytes.fromhex(self.ask(f"p{self.number(f'ELR_EL{el}'):x}")), "little")

def main():
    with tempfile.TemporaryDirectory() as work:
        for part in (moved, two_cpus, tags, edges, packets, registers, routes, secure):
            if sys.argv[2:] and part.__name__ not in sys.argv[2:]:
                continue
            try:
                part(work)
            except (EOFError, OSError, AttributeError, ValueError, TypeError) as e:
                check(part.__name__, False, repr(e))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
