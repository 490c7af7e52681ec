"""A client of the remote framebuffer protocol (RFC 6143) for the tests of -vnc. Not a test of its own."""
import socket, struct, time

class Client:
    def __init__(self, where, version=b"RFB 003.008\n", encodings=(0, -223)):
        self.s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.s.settimeout(20)
        self.s.connect(where)
        self.version = self.take(12)
        self.s.sendall(version)
        if version >= b"RFB 003.007\n":
            kinds = self.take(self.take(1)[0])
            assert kinds == b"\x01", kinds
            self.s.sendall(b"\x01")
            assert version < b"RFB 003.008\n" or self.take(4) == bytes(4)
        else:
            assert self.take(4) == b"\0\0\0\x01"
        self.s.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.take(4))
        self.format = self.take(16)
        self.name = self.take(struct.unpack(">I", self.take(4))[0]).decode()
        self.pixels, self.bytes, self.kinds = {}, 4, set()
        self.s.sendall(struct.pack(">BxH", 2, len(encodings)) + b"".join(struct.pack(">i", e) for e in encodings))

    def take(self, size):
        got = b""
        while len(got) < size:
            more = self.s.recv(size - len(got))
            if not more:
                raise EOFError(got)
            got += more
        return got

    def ask(self, incremental=True):
        self.s.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, 65535, 65535))

    def update(self):
        """Rows of pixels come into self.rows; returns how many rectangles there were."""
        kind, count = struct.unpack(">BxH", self.take(4))
        assert kind == 0, kind
        for _ in range(count):
            x, y, w, h, encoding = struct.unpack(">HHHHi", self.take(12))
            self.kinds.add(encoding)
            if encoding == -223:
                self.width, self.height, self.pixels = w, h, {}
            elif encoding == 0:
                assert x + w <= self.width and y + h <= self.height
                for row in range(h):
                    self.pixels[(x, y + row)] = self.take(w * self.bytes)
            else:
                assert encoding == -258 and not w * h, encoding
        return count

    def picture(self, seconds=10):
        """All of it, asked for until nothing new comes for a while."""
        self.ask(False)
        self.s.settimeout(0.3)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.update()
                self.ask()
        except socket.timeout:
            pass
        self.s.settimeout(20)
        rows = {}
        for (x, y), data in self.pixels.items():
            rows.setdefault(y, bytearray(self.width * self.bytes))[x * self.bytes:x * self.bytes + len(data)] = data
        return b"".join(bytes(rows[y]) for y in sorted(rows))

    def key(self, keysym, down):
        self.s.sendall(struct.pack(">BBxxI", 4, down, keysym))

    def number(self, keysym, number, down):
        self.s.sendall(struct.pack(">BBHII", 255, 0, down, keysym, number))

    def pointer(self, x, y, buttons):
        self.s.sendall(struct.pack(">BBHH", 5, buttons, x, y))
