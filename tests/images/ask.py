#!/usr/bin/env python3
"""Who sits at a guest's monitor: when the console has printed a text, gives the command that follows it.

    tests/images/ask.py MONITOR CONSOLE [TEXT COMMAND]...          MONITOR: a Unix socket; CONSOLE: the file that the guest's goes to
"""
import socket, sys, time

def wait_for(text, start):
    """Where it ends."""
    while (found := open(console, "rb").read().find(text, start)) < 0:
        time.sleep(0.05)
    return found + len(text)

monitor, console = sys.argv[1:3]
while True:
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect(monitor)
        break
    except OSError:
        time.sleep(0.05)
end = 0
for text, command in zip(sys.argv[3::2], sys.argv[4::2]):
    end = wait_for(text.encode(), end)
    s.sendall(command.encode() + b"\n")
while s.recv(4096): # what it says is read until it goes
    pass
