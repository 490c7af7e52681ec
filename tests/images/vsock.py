#!/usr/bin/env python3
"""The host's side of a guest's virtio sockets: sends back what comes to the host's port 1234, and when the guest listens at its
port 5000 sends bytes there and expects them back.

    tests/images/vsock.py SOCKET CONSOLE BYTES FILE          FILE gets what was found; until it is ended
"""
import os, socket, sys, threading, time

path, console, size, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

def back(c):
    while data := c.recv(65536):
        c.sendall(data)
    c.shutdown(socket.SHUT_WR)

def serve():
    while True:
        c = server.accept()[0]
        threading.Thread(target=back, args=(c,), daemon=True).start()

def connect(port):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(b"CONNECT %d\n" % port)
    return s, line(s)

def line(s):
    text = b""
    while not text.endswith(b"\n") and (byte := s.recv(1)):
        text += byte
    return text

def main():
    while b"listens at 5000" not in open(console, "rb").read():
        time.sleep(0.05)
    refused = connect(4999)[1]
    s, ok = connect(5000)
    data = os.urandom(size)
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)), daemon=True).start()
    got = b""
    while part := s.recv(65536):
        got += part
    with open(file, "w") as f:
        f.write(f"refused {refused} ok {ok[:3]} same {got == data} bytes {len(got)}\n")

server = socket.socket(socket.AF_UNIX)
server.bind(path + "_1234")
server.listen(8)
threading.Thread(target=main, daemon=True).start()
serve()
