#!/usr/bin/env python3
"""Does a picture (PPM) show what it should, as a person would see it? Prints what it does not.

    tests/images/picture.py FILE WIDTHxHEIGHT [X,Y,WIDTHxHEIGHT:RRGGBB:LEAST-MOST]...

Each part: how many percent of the pixels of that rectangle have about that colour.
"""
import re, sys

NEAR = 40  # that much each of red, green and blue may be off

file, size, *parts = sys.argv[1:]
try:
    data = open(file, "rb").read()
except OSError as e:
    sys.exit(print(f"{file}: {e.strerror}") or 1)
head = re.match(rb"P6\n(\d+) (\d+)\n255\n", data)
if not head or f"{int(head[1])}x{int(head[2])}" != size:
    sys.exit(print(f"{file}: {head and head[0]}, expected {size}") or 1)
width, height = int(head[1]), int(head[2])
pixels, wrong = data[head.end():], 0
for part in parts:
    x, y, w, h, colour, least, most = re.fullmatch(r"(\d+),(\d+),(\d+)x(\d+):([0-9a-f]{6}):([\d.]+)-([\d.]+)", part).groups()
    x, y, w, h = int(x), int(y), int(w), int(h)
    want = bytes.fromhex(colour)
    count = sum(all(abs(pixels[at + n] - want[n]) <= NEAR for n in range(3)) for row in range(y, y + h) for at in range(3 * (row * width + x), 3 * (row * width + x + w), 3))
    percent = 100 * count / (w * h)
    if not float(least) <= percent <= float(most):
        wrong = print(f"{file}: {part}: {percent:.2f} %") or 1
sys.exit(wrong)
