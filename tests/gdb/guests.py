"""The guests of these tests (tests/gdb/guests, on the runtime of tests/guest), built when first asked for."""
import os, subprocess

here = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("B", "build")
CROSS = os.environ.get("CROSS", "aarch64-linux-gnu-")
FLAGS = {"pac": ["-march=armv8.3-a", "-mbranch-protection=pac-ret", "-fno-omit-frame-pointer"], "tags": ["-march=armv8.5-a+memtag"]}

def guest(name):
    rt = os.path.join(here, "../guest")
    source, out = os.path.join(here, "guests", name + ".c"), os.path.abspath(f"{BUILD}/debug/{name}.elf")
    parts = [os.path.join(rt, "rt.S"), os.path.join(rt, "rt.c"), source]
    newest = max(os.path.getmtime(p) for p in parts + [os.path.join(rt, "rt.h"), __file__])
    if not os.path.exists(out) or os.path.getmtime(out) < newest:
        os.makedirs(os.path.dirname(out), exist_ok=True)
        subprocess.run([CROSS + "gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-stack-protector",
                        "-fno-tree-loop-distribute-patterns", "-fno-asynchronous-unwind-tables", "-mgeneral-regs-only", "-mstrict-align",
                        "-mno-outline-atomics", "-I", rt, "-nostdlib", "-static", "-Wl,--build-id=none,-z,max-page-size=4096,--no-warn-rwx-segments",
                        "-T", os.path.join(rt, "guest.ld"), "-o", f"{out}.{os.getpid()}", *FLAGS.get(name, []), *parts], check=True)
        os.rename(f"{out}.{os.getpid()}", out)
    return out
