#!/usr/bin/env python3
"""Draws the house: floors, rooms, what uses what, from the #include lines and the symbols of the objects.

    B=folder tests/structure.py >docs/structure.svg        tests/includes.sh --edges gives the facts

Every line down is a use (grey: drawn to the nearest floors, since all floors may use lib/ and cpu/); every line up is red and
one of tests/includes.lent. tests/lists.sh checks that the red ones of the picture are those that there are.
"""
import collections, glob, os, subprocess, sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
SAYS = {
    "lib": "base types, lists of fields", "lib/fp": "soft-float", "cpu": "state, features, fields, ELs",
    "mmu": "walks, TLB, memory access", "cpu/exception": "routing, taking, step, syndromes", "cpu/sysreg": "registers, traps, PMU",
    "cpu/ops": "what bodies call", "cpu/insn": "rows and bodies, once an engine", "cpu/engine": "decode, code, two engines",
    "gic": "GICv3", "timer": "generic timers", "board": "machine, bus, sections", "board/dev": "a file a device",
    "board/boot": "images, device tree", "board/acpi": "tables, AML", "cpu/tier2": "host code for hot code", "debug": "snapshots, journal, reverse", "debug/trace": "traces, exits, profile",
    "debug/gdb": "the stub", "view": "pictures of the machine", "debug/monitor": "the commands", "frontend": "options, consoles, files",
}
uses, rank = collections.defaultdict(set), {}
for line in subprocess.run(["tests/includes.sh", "--edges"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
    low, a, high, b, how = line.split()
    rank[a], rank[b] = float(low), float(high)
    uses[a, b].add(how)
missing = [room for room in rank if room not in SAYS]
if missing:
    sys.exit("structure.py: no words for " + ", ".join(missing))

W, H, GAP, WIDE, LEFT = 1120, 52, 40, 225, 110
floors = sorted(set(rank.values()), reverse=True)
where, body = {}, []
for n, floor in enumerate(floors):
    rooms = sorted(room for room in rank if rank[room] == floor)
    y = 20 + n * (H + GAP)
    body.append(f'<rect x="10" y="{y - 8}" width="{W - 20}" height="{H + 16}" rx="6" fill="#f4f6f8"/>')
    x = LEFT + (W - LEFT - len(rooms) * (WIDE + 20)) / 2
    for room in rooms:
        where[room] = (x, y)
        x += WIDE + 20
lines = {False: [], True: []}
for (a, b), how in sorted(uses.items()):
    if rank[a] == rank[b]:
        continue
    up = rank[b] > rank[a]
    if not up and abs(floors.index(rank[a]) - floors.index(rank[b])) > 3:
        continue
    (xa, ya), (xb, yb) = where[a], where[b]
    xa, xb = xa + WIDE * (0.72 if up else 0.42), xb + WIDE * (0.72 if up else 0.42)
    ya, yb = (ya, yb + H) if up else (ya + H, yb)
    colour, width = ("#c62828", 2) if up else ("#9aa7b4", 1)
    lines[up].append(f'<path class="{"lent" if up else "use"}" data-from="{a}" data-to="{b}" d="M{xa:.0f} {ya} L{xb:.0f} {yb}" '
                     f'stroke="{colour}" stroke-width="{width}" fill="none" marker-end="url(#{"up" if up else "down"})"/>')
boxes = []
for room, (x, y) in sorted(where.items()):
    files = [f for end in ("c", "h", "def") for f in glob.glob(f"{room}/*.{end}")]
    boxes.append(f'<rect x="{x:.0f}" y="{y}" width="{WIDE}" height="{H}" rx="5" fill="#fff" stroke="#34495e"/>'
                 f'<text x="{x + 10:.0f}" y="{y + 21}" font-weight="bold">{room}/</text>'
                 f'<text x="{x + 10:.0f}" y="{y + 40}" font-size="12" fill="#445">{SAYS[room]}</text>')
height = 20 + len(floors) * (H + GAP) + 10
marker = ('<marker id="{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
          '<path d="M0 0 L10 5 L0 10 z" fill="{1}"/></marker>')
print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{W}" height="{height}" viewBox="0 0 {W} {height}" font-family="sans-serif" font-size="15">')
print('<rect width="100%" height="100%" fill="#fff"/><defs>' + marker.format("down", "#9aa7b4") + marker.format("up", "#c62828") + "</defs>")
print("\n".join(body + lines[False] + lines[True] + boxes))
print(f'<text x="20" y="{height - 8}" font-size="12" fill="#445">Down: uses. Up, red: lent by name (tests/includes.lent).</text>')
print("</svg>")
