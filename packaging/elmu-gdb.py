"""Commands for gdb beside elmu's stub, for hypervisors and their guests:   (gdb) source elmu-gdb.py

    elstep, reverse-elstep                      to the next change of the vCPU's EL, or back to the last one
    next-exit [CLASS] [SCOPE], prev-exit        to the next exit to EL2 (hvc, dabt, sysreg, wfx, irq, ...), or the last one
    next-entry [SCOPE], prev-entry              to the next return from EL2 to a guest, or the last one
    finish-guest, reverse-finish-guest          runs until this vCPU is in the hypervisor, or back to where it came from it
    guest-bt [FP PC]                            frames of the guest that has just exited, by its frame pointers
    elmu LINE                                   what `monitor LINE` says, where editors show it

SCOPE is any of cpu=N vmid=N el=N. Each sets a stop of elmu's (`monitor catch`), continues, and removes it; breakpoints in
between stop as always. Going back needs nothing but the stub, which keeps the run.
"""
import re

import gdb


def catch(what, back):
    """Runs to a stop of elmu's, which goes when the machine next stands: an editor does not wait for that (mi-async)."""
    said = gdb.execute("monitor catch " + what, to_string=True)
    number = re.search(r"^stop (\d+)", said, re.M)
    if not number:
        raise gdb.GdbError(said.strip() or "elmu's stub is not at the other end")

    def leave(event):
        gdb.events.stop.disconnect(stopped)
        gdb.events.exited.disconnect(leave)

    def stopped(event):
        leave(event)
        gdb.execute("monitor delete " + number[1], to_string=True)

    gdb.events.stop.connect(stopped)
    gdb.events.exited.connect(leave)
    gdb.execute("reverse-continue" if back else "continue")


class Elmu(gdb.Command):
    """What `monitor LINE` says, on gdb's own console: Emacs shows what comes from a target nowhere."""
    def __init__(self):
        super().__init__("elmu", gdb.COMMAND_SUPPORT)

    def invoke(self, args, from_tty):
        gdb.write(gdb.execute("monitor " + args, to_string=True))


def cpu():
    return "cpu=%d" % (gdb.selected_thread().num - 1)


def level():
    return int(gdb.parse_and_eval("$cpsr")) >> 2 & 3


class Travel(gdb.Command):
    def __init__(self, name, what, back, doc, scope=lambda: ""):
        self.__doc__ = doc
        super().__init__(name, gdb.COMMAND_RUNNING)
        self.what, self.back, self.scope = what, back, scope

    def invoke(self, args, from_tty):
        self.dont_repeat = lambda: None # Enter repeats it
        catch(" ".join((self.what, args, self.scope())), self.back)


class Exit(Travel):
    """A class may come first; without one any exit does."""
    def invoke(self, args, from_tty):
        words = args.split()
        if not words or "=" in words[0]:
            words.insert(0, "any")
        super().invoke(" ".join(words), from_tty)


class FinishGuest(gdb.Command):
    """Runs until this vCPU is in the hypervisor; reverse-finish-guest: back to where it came from it."""
    def __init__(self, name, back):
        super().__init__(name, gdb.COMMAND_RUNNING)
        self.back = back

    def invoke(self, args, from_tty):
        if level() >= 2:
            raise gdb.GdbError("this vCPU is at EL%d: next-entry, prev-entry lead into a guest" % level())
        catch(("entry " if self.back else "exit any ") + cpu(), self.back)


class GuestBacktrace(gdb.Command):
    """Frames of the guest that has just exited, by x29 and ELR_EL2, or by the FP and PC that are given."""
    def __init__(self):
        super().__init__("guest-bt", gdb.COMMAND_STACK)

    def invoke(self, args, from_tty):
        given = gdb.string_to_argv(args)
        fp, pc = (int(gdb.parse_and_eval(v)) & (1 << 64) - 1 for v in (given if len(given) == 2 else ("$x29", "$ELR_EL2")))
        below = 0
        for n in range(64):
            symbol = gdb.execute("info symbol %#x" % pc, to_string=True).strip()
            print("#%-2d %#018x %s" % (n, pc, "" if symbol.startswith("No symbol") else symbol))
            said = gdb.execute("monitor x %#x 2 va el=1" % fp, to_string=True)
            words = re.findall(r": (0x[0-9a-f]{16})", said)
            if fp <= below or fp & 7 or len(words) < 2 or not int(words[1], 16):
                break
            below, fp, pc = fp, int(words[0], 16), int(words[1], 16)


Travel("elstep", "el", False, "To the next change of this vCPU's exception level.", cpu)
Travel("reverse-elstep", "el", True, "Back to the last change of this vCPU's exception level.", cpu)
Exit("next-exit", "exit", False, "To the next exit to EL2: next-exit [CLASS] [cpu=N] [vmid=N]; CLASS: hvc, dabt, sysreg, wfx, irq, ...")
Exit("prev-exit", "exit", True, "Back to the last exit to EL2: prev-exit [CLASS] [cpu=N] [vmid=N].")
Travel("next-entry", "entry", False, "To the next return from EL2 to a guest: next-entry [cpu=N] [vmid=N].")
Travel("prev-entry", "entry", True, "Back to the last return from EL2 to a guest.")
FinishGuest("finish-guest", False)
FinishGuest("reverse-finish-guest", True)
GuestBacktrace()
Elmu()
