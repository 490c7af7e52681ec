#!/usr/bin/env python3
"""The outside of a guest's network: serves a folder by HTTP, and reads what the guest serves at a forwarded port, or
what a command says that it runs there by SSH.

    tests/images/outside.py FOLDER PORT [FORWARDED FILE [COMMAND]]     FILE gets what is read at FORWARDED; until it is ended
"""
import functools, http.server, subprocess, sys, threading, time, urllib.request

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

def read(port, name):
    """Tries until the guest answers: before that its network refuses."""
    while True:
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read()
            break
        except OSError:
            time.sleep(0.2)
    with open(name, "wb") as f:
        f.write(text)

def command(port, name, words):
    """The same by SSH, as root, who has no password."""
    while True:
        run = subprocess.run(["ssh", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=0",
                              "root@127.0.0.1", words], stdin=subprocess.DEVNULL, capture_output=True)
        if run.returncode == 0:
            break
        time.sleep(0.2)
    with open(name, "wb") as f:
        f.write(run.stdout)

if len(sys.argv) > 5:
    threading.Thread(target=command, args=(int(sys.argv[3]), sys.argv[4], sys.argv[5]), daemon=True).start()
elif len(sys.argv) > 4:
    threading.Thread(target=read, args=(int(sys.argv[3]), sys.argv[4]), daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), functools.partial(Quiet, directory=sys.argv[1])).serve_forever()
