#!/usr/bin/env python3
"""Report pages (docs/report.md): what they say against the exits trace and -stats, HTML by a strict reader, hostile consoles and pages, and a
browser that goes through a page by mouse and keyboard.

    tests/report/run.py ELMU [BUILD]     ends with "N passed, N failed"
    IMAGE   folder of tests/images/prepare.sh: a boot of Xen with its first domain, too (seconds)
    KEEP    folder for pictures of the page, to be looked at
"""
import collections, html.parser, json, os, random, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../cli"))
sys.dont_write_bytecode = True
import browser

elmu, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("B", "build"))
demo = [*"-M virt,gic-version=3,virtualization=on -cpu cortex-a57 -m 256M -nographic".split(), "-kernel", f"{build}/guest/demo.elf"]
passed = failed = 0

def check(name, ok, text=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {name}: {text}", flush=True)

def run(*words, status=0, cwd=None):
    r = subprocess.run([elmu, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, cwd=cwd)
    check(f"{' '.join(map(str, words))[:200]}", r.returncode == status, f"status {r.returncode}, expected {status}: {r.stderr.decode(errors='replace')[-300:]}")
    return r

def read(file):
    with open(file, encoding="utf-8") as f:
        return f.read()

def data(page):
    return json.loads(re.search(r'<script type="application/json" id="report">(.*?)</script>', page, re.S)[1])

# ---- HTML, strictly ----

class Reader(html.parser.HTMLParser):
    """What is open must be closed, names are there once, nothing comes from elsewhere, no attribute is a program."""
    VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "path", "line", "circle", "polygon", "polyline", "use", "stop"}
    LINKS = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background", "ping", "formaction"}
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.ids, self.tags, self.headings, self.text = [], [], collections.Counter(), collections.Counter(), [], []
        self.labels = []
    def handle_starttag(self, tag, attributes):
        names = [n for n, _ in attributes]
        a = dict(attributes)
        self.tags[tag] += 1
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}>: an attribute twice")
        for name, value in attributes:
            if name.startswith("on"):
                self.wrong.append(f"<{tag} {name}>")
            if name in self.LINKS and not (value or "").startswith("#"):
                self.wrong.append(f"<{tag} {name}={value}>")
            if name == "id":
                self.ids[value] += 1
            if name in ("aria-labelledby", "aria-controls", "aria-describedby"):
                self.labels += value.split()
        if tag in ("iframe", "object", "embed", "base", "form", "img", "link"):
            self.wrong.append(f"<{tag}>")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th" and "scope" not in a:
            self.wrong.append("<th> without scope")
        if tag == "svg" and "svg" not in self.open and a.get("aria-hidden") != "true" and a.get("role") != "graphics-document" and not (a.get("role") and ("aria-label" in a or "aria-labelledby" in a)):
            self.wrong.append(f"<svg> without role and name: {a}")
        if tag not in self.VOID:
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()
    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()
    def handle_data(self, text):
        if not {"script", "style"} & set(self.open):
            self.text.append(text)

def strict(name, file):
    page, r = read(file), Reader()
    r.feed(page)
    r.close()
    check(f"{name}: HTML", not r.wrong and not r.open, f"{r.wrong[:5]} {r.open[:5]}")
    check(f"{name}: names are there once", max(r.ids.values()) == 1, r.ids.most_common(3))
    check(f"{name}: names that are referred to are there", set(r.labels) <= set(r.ids), set(r.labels) - set(r.ids))
    check(f"{name}: headings", r.headings[0] == 1 and r.headings.count(1) == 1 and all(b <= a + 1 for a, b in zip(r.headings, r.headings[1:])), r.headings)
    check(f"{name}: language, policy, title", '<html lang="en">' in page and "default-src 'none'" in page and r.tags["title"] and r.tags["main"] == 1)
    check(f"{name}: under 5 MB", len(page) < 5e6, len(page))
    check(f"{name}: scripts", r.tags["script"] == 2, r.tags["script"])
    if shutil.which("tidy"):
        # tidy is of 2017: it does not know roles and attributes that came later
        said = subprocess.run(["tidy", "-q", "-e", "--gnu-emacs", "yes", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE).stderr.decode(errors="replace")
        known = re.compile(r'proprietary attribute|trimming empty|not recognized|attribute "(tabindex|role|aria-[a-z]+)"|nested emphasis|lacks "summary"')
        left = [l for l in said.splitlines() if ("Error" in l or "Warning" in l) and not known.search(l)]
        check(f"{name}: tidy", not left, left[:5])
    else:
        print(f"SKIP {name}: tidy is not installed")
    return page, "".join(r.text)

# ---- what it says ----

def stats_rows(err):
    """{(guest, from, to, words): count} of -stats."""
    rows = collections.Counter()
    for vmid, el, to, count, words in re.findall(r"^  (?:VMID (\d+), )?EL(\d) +to EL(\d) +(\d+)  (.*)$", err, re.M):
        rows[int(vmid) if vmid else -1, int(el), int(to), words] += int(count)
    return rows

def said_rows(page, least=2):
    rows = collections.Counter()
    for k in page["exceptions"]:
        if k["to"] >= least:
            rows[k["vmid"], k["from"], k["to"], re.sub(r", INTID \d+$", "", k["words"])] += k["count"]
    return rows

def counts(work):
    page, other = f"{work}/demo.html", f"{work}/demo.tsv"
    plain = run(*demo, "-stats").stderr.decode()
    r = run(*demo, "-stats", "-report", page, "-trace", f"exits={other}")
    hashes = [re.findall(r"^(insns \d+|hash \w+)$", e, re.M) for e in (plain, r.stderr.decode())]
    check("the run is the same with a report", hashes[0] == hashes[1], hashes)
    text, shown = strict("demo", page)
    j = data(text)[0]
    check("the page has the hash and the count", [f"insns {j['run']['insns']}", f"hash {j['run']['hash']}"] == hashes[0], j["run"])
    check("the page has its command line", "-trace exits=" in j["run"]["command"] and j["run"]["command"] in shown)
    check("exceptions are those of -stats", said_rows(j) == stats_rows(plain), f"{said_rows(j) - stats_rows(plain)} {stats_rows(plain) - said_rows(j)}")
    count, insns = collections.Counter(), collections.Counter()
    for line in read(other).splitlines()[1:]:
        f = line.split("\t")
        if f[3] in ("EL0", "EL1"):
            key = (int(f[2]) if f[2] != "-" else -1, int(f[3][2]), int(f[6][2]))
            count[key] += 1
            insns[key] += 0 if f[11].endswith("+") else int(f[11])
    mine = [collections.Counter(), collections.Counter()]
    for k in j["exits"]:
        mine[0][k["vmid"], k["from"], k["to"]] += k["count"]
        mine[1][k["vmid"], k["from"], k["to"]] += k["insns"]
    check("exits and their instructions are those of the exits trace", [count, insns] == mine, f"{count} {insns} {mine}")
    t = j["timeline"]
    check("the stretches have all exits and interrupts", [sum(c["exits"]) for c in t["cpus"]] == [sum(count.values())] and
          sum(sum(c["interrupts"]) for c in t["cpus"]) == sum(k["count"] for k in j["interrupts"]), t["stretches"])
    check("each event is there", t["events"]["count"] * 7 == len(t["events"]["list"]) and t["events"]["zones"] == [[t["from"], t["to"]]])
    check("the console is there", "hypervisor: done" in j["consoles"][0]["text"] and "hypervisor: done" in shown)
    check("stage 2 of both guests", [(g["vmid"], any(r["ipa"] == "0x40000000" for r in g["ranges"])) for g in j["memory"]["guests"]] == [(1, True), (2, True)])
    check("a CPU's end", "power" in j["run"]["end"] or "off" in j["run"]["end"], j["run"]["end"])
    again, sub = f"{work}/again", f"{work}/sub.html"
    run(*demo, "-stats", "-report", page, "-trace", f"exits={other}")
    check("the same run has the same page", read(page) == text)
    run("report", *demo, "-o", sub)
    mine, theirs = data(read(sub))[0], json.loads(json.dumps(j))
    for run_ in mine, theirs:
        del run_["run"]["command"]
    check("elmu report is the same", mine == theirs)
    return page, again

def traces(work):
    page = f"{work}/traces.html"
    run(*demo, "-sym", f"{build}/guest/demo.elf,el=2", "-report", page, "-profile", f"{work}/p", "-coverage", f"{work}/c", "-report-walk", "0x40080000;0x40000000 el=1 vmid=2;0x1234 el=1 vmid=1")
    text, _ = strict("traces", page)
    j = data(text)[0]
    folded = sum(int(l.rsplit(" ", 1)[1]) for l in read(f"{work}/p").splitlines())
    check("the flame graph has all instructions of the profile", j["profile"]["all"] == folded, (j["profile"]["all"], folded))
    lines = sum(l.startswith("DA:") for l in read(f"{work}/c").splitlines())
    check("coverage has all lines", sum(f["lines"] for f in j["coverage"]) == lines)
    check("walks", [w["words"] for w in j["walks"]] == ["0x40080000", "0x40000000 el=1 vmid=2", "0x1234 el=1 vmid=1"] and "pa 0x42200000" in j["walks"][1]["text"], j["walks"])

# ---- hostile ----

HOSTILE = (b"</script><img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>\r\n"
           b"\x1b]0;<b>title</b>\x07\x1b[31mred\x1b[0m</pre><!-- ]]> &lt; &amp; \xff\xfe\xc3\x28 \xe2\x82\xac\n"
           b"overprinted\rOverprinted abc\bd\x1b[2Jend\n\x1b[")

def hostile_guest(work):
    """A raw image that prints HOSTILE on the UART and switches the machine off."""
    code = [0x10000100, 0xd2a12001, 0x38401402, 0x34000062, 0x39000022, 0x17fffffd, 0x52800100, 0x72b08000, 0xd4000002]
    code[0] = 0x10000000 | len(code) << 5 # adr x0, behind the code
    file = f"{work}/hostile.bin"
    with open(file, "wb") as f:
        f.write(b"".join(w.to_bytes(4, "little") for w in code) + HOSTILE + b"\0")
    return file

def hostile(work):
    page = f"{work}/hostile.html"
    bad = "'\"</script><svg onload=document.title=1>&quot;\x01\xff"
    run("-M", "virt", "-nographic", "-kernel", hostile_guest(work), "-append", bad, "-report", page)
    text, shown = strict("hostile", page)
    j = data(text)[0]
    said = j["consoles"][0]["text"]
    check("a hostile console is text", "</script><img src=x onerror=" in said and "</script><img src=x onerror=" in shown, said)
    check("escape sequences are gone, what is overprinted is", "red</pre>" in said and "\x1b" not in said and "title" in said and "<b>" not in said and "\nOverprinted abdend\n" in said, said)
    check("bytes that are no UTF-8", "\ufffd\ufffd\ufffd(" in said and "\u20ac" in said, said)
    check("a hostile command line is text", "</script><svg" in j["run"]["command"], j["run"]["command"])
    return page

def refused(name, pattern, *words, cwd=None):
    r = run(*words, status=1, cwd=cwd)
    err = r.stderr.decode(errors="replace")
    check(name, err.count("\n") == 1 and pattern in err, err[-300:])

def compared(work, page):
    other, to = f"{work}/seed.html", f"{work}/compared.html"
    run(*demo, "-max-insns", 3000000, "-report", other, status=3)
    strict("a run that was stopped", other)
    run("report", "--compare", page, other, "-o", to)
    text, shown = strict("compared", to)
    check("compared: two runs", len(data(text)) == 2 and "They part in line" in shown and "differs" in shown)
    run("report", "--compare", page, page, "-o", to)
    _, shown = strict("compared with itself", to)
    check("compared with itself", "differs" not in shown and "Both printed the same" in shown)
    refused("compare: no page", "is no page", "report", "--compare", page, f"{build}/guest/demo.elf", "-o", to)
    refused("compare: no such file", "nowhere", "report", "--compare", page, f"{work}/nowhere", "-o", to)
    refused("compare: one page", "two pages", "report", "--compare", page, "-o", to)
    refused("report: no output", "-o FILE", "report", *demo)
    refused("a folder that is not there", "nowhere", *demo, "-report", f"{work}/nowhere/x.html")
    refused("no such walk option", "report-walk", *demo, "-report-walks", "0")
    # pages that were changed: an error or a page, never a crash, and what is in them stays text
    rng, raw = random.Random(1), read(other)
    j = data(raw)[0]
    evil = "</script><img src=x onerror=alert(1)>"
    for n in range(60):
        m = json.loads(json.dumps(j))
        for _ in range(rng.randrange(1, 6)):
            at = m
            while True:
                key = rng.choice(list(at)) if isinstance(at, dict) and at else rng.randrange(len(at)) if isinstance(at, list) and at else None
                if key is None:
                    break
                if not isinstance(at[key], (dict, list)) or rng.random() < 0.2:
                    at[key] = rng.choice([None, -1, 1 << 62, evil, [], {}, [evil], {"a": evil}, True, 1.5])
                    break
                at = at[key]
        file = f"{work}/changed.html"
        body = json.dumps([m]).replace("<", "\\u003c")
        if n % 5 == 0:
            k = rng.randrange(len(body))
            body = body[:k] + rng.choice(["", "}", '"', "\\", "\x00"]) + body[k + 1:]
        with open(file, "w") as f:
            f.write(f'<script type="application/json" id="report">{body}</script>')
        r = subprocess.run([elmu, "report", "--compare", page, file, "-o", to], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        check(f"changed page {n}", r.returncode in (0, 1) and r.stderr.count(b"\n") == r.returncode, r.stderr[-300:])
        if r.returncode == 0:
            reader = Reader()
            reader.feed(read(to))
            check(f"changed page {n}: no markup", not reader.wrong and reader.tags["img"] == 0, reader.wrong[:3])

# ---- a browser ----

def walk_through(work, page, hostile_page):
    if not browser.there():
        print("SKIP browser: chromium and chromedriver are not installed")
        return
    b = browser.Browser(work)
    try:
        b.open(page)
        state = lambda: [int(b.run("return document.querySelector('.timeline canvas').dataset." + k)) for k in ("from", "to")]
        says = lambda: b.run("return document.querySelector('.timeline output').textContent")
        check("the script ran", b.run("return document.documentElement.dataset.ready") == "true")
        whole = state()
        check("the whole run is shown", whole[1] - whole[0] > 6000000, whole)
        b.click(".controls button:nth-of-type(2)")
        check("a click on + goes closer", (state()[1] - state()[0]) * 2.9 < whole[1] - whole[0], state())
        b.keys(".timeline canvas", "+")
        closer = state()
        b.keys(".timeline canvas", "\ue014") # right
        check("right goes on", state()[0] > closer[0] and state()[1] - state()[0] == closer[1] - closer[0], state())
        b.keys(".timeline canvas", "\ue011") # Home
        check("Home shows all", state() == whole, state())
        b.keys(".timeline canvas", "n")
        first = state()
        check("n goes to an exit, and says which", "exit to EL2" in says() and first[1] - first[0] < 5000000, says())
        b.keys(".timeline canvas", "n")
        second = says()
        b.keys(".timeline canvas", "p")
        check("p goes back", second != says() and "exit to EL2" in says(), says())
        for _ in range(12):
            b.keys(".timeline canvas", "+")
        check("so close that each event is drawn", b.run("return document.querySelector('.timeline canvas').dataset.exact") == "true", state())
        b.click("button.pick")
        check("a click on a cause picks it", b.run("return document.querySelector('button.pick').getAttribute('aria-pressed') === 'true' && document.querySelector('.timeline select').value === document.querySelector('button.pick').dataset.kind"))
        b.click("#exits thead th:nth-child(5) button")
        order = b.run("return [...document.querySelectorAll('#exits tbody tr')].map(r => +r.cells[4].dataset.n)")
        check("a table is sorted by a column", order == sorted(order, reverse=True) and len(order) > 5, order)
        b.click("#exits thead th:nth-child(5) button")
        check("and the other way", b.run("return [...document.querySelectorAll('#exits tbody tr')].map(r => +r.cells[4].dataset.n)") == sorted(order))
        drawn = b.run("const c = document.querySelector('.timeline canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; return new Set(Array.from({length: d.length / 4}, (_, n) => d[4*n] << 16 | d[4*n+1] << 8 | d[4*n+2])).size")
        check("something is drawn", drawn > 4, drawn)
        contrast = b.run("""const lum = c => { const p = c.match(/[0-9.]+/g).slice(0, 3).map(x => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]; };
            const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255,255,255)'; };
            let least = 99, who = '';
            for (const e of document.querySelectorAll('h1,h2,h3,p,dt,dd,td,th,caption,a:not(.skip),button,pre,li,output,summary')) { const a = lum(getComputedStyle(e).color), b = lum(back(e)), c = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); if (c < least) { least = c; who = e.tagName + e.className; } }
            return [least, who];""")
        check("contrast of text is 4.5 or more", contrast[0] >= 4.5, contrast)
        b.media(scheme="dark")
        dark = b.run("return getComputedStyle(document.body).backgroundColor")
        b.media(scheme="light")
        check("dark and light", dark != b.run("return getComputedStyle(document.body).backgroundColor"), dark)
        if os.environ.get("KEEP"):
            for name, media, scheme, width in ("light", "screen", "light", 1280), ("dark", "screen", "dark", 1280), ("narrow", "screen", "light", 400), ("print", "print", "light", 800):
                b.media(media, scheme)
                b.picture(f"{os.environ['KEEP']}/{name}.png", width)
        b.media()
        b.command("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=False)
        wide = b.run("return document.documentElement.scrollWidth")
        check("nothing goes over the edge of a narrow window", wide <= 361, wide)
        b.open(hostile_page)
        check("the hostile page is inert", b.run("return document.title") == "Report of a run" and b.run("return document.images.length") == 0 and b.run("return document.scripts.length") == 2)
        check("the hostile console is shown as it is", "</script><img src=x onerror=" in b.run("return document.querySelector('pre.console').textContent"))
        check("scripts that are added are refused", b.run("const s = document.createElement('script'); s.textContent = 'document.title = \"evil\"'; document.body.append(s); return document.title") == "Report of a run")
        refusals = [e for e in b.log("browser") if "Content Security Policy" in e["message"]]
        check("and that is all that the console says", len(refusals) == 1, refusals)
        b.open(page)
        b.run("fetch('http://127.0.0.1:9/').catch(() => 0)")
        said = [e["message"] for e in b.log("browser")]
        check("nothing is fetched, though it were asked for", len(said) and all("Content Security Policy" in m for m in said), said)
        b.open(f"{work}/compared.html")
        check("a comparison has two timelines, one below or beside the other", b.run("return document.querySelectorAll('.timeline canvas').length") == 2)
        check("its script says nothing wrong", not b.log("browser"))
        requests = [json.loads(e["message"])["message"] for e in b.log("performance")]
        urls = [r["params"]["request"]["url"] for r in requests if r["method"] == "Network.requestWillBeSent" and r["params"]["documentURL"].startswith("file:")]
        check("no request leaves the page", urls and all(u.startswith("file://") or u == "http://127.0.0.1:9/" for u in urls), urls)
        check("the one that was asked for was stopped", not any(r["method"] == "Network.responseReceived" and r["params"]["response"]["url"].startswith("http") for r in requests))
    finally:
        b.close()

def xen(work, image):
    page = f"{work}/xen.html"
    words = ["-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-smp", "2", "-m", "1G", "-nographic", "-kernel", f"{image}/xen", "-append", "console=dtuart dom0_mem=512M",
             "-xen-dom0", f"kernel={image}/vmlinuz,initrd={image}/linux.cpio,append=console=hvc0", "--after", "shell ready", "--send", "poweroff -f\\n", "-stats", "-max-insns", "3000000000"]
    plain, r = run(*words), run(*words, "-report", page)
    text, _ = strict("Xen", page)
    err = plain.stderr.decode()
    j = data(text)[0]
    check("Xen: the run is the same", re.findall(r"^(?:insns|hash) .*$", err, re.M) == re.findall(r"^(?:insns|hash) .*$", r.stderr.decode(), re.M))
    check("Xen: exceptions are those of -stats", said_rows(j) == stats_rows(err), f"{said_rows(j) - stats_rows(err)} {stats_rows(err) - said_rows(j)}")

def main():
    with tempfile.TemporaryDirectory() as work:
        page, _ = counts(work)
        traces(work)
        hostile_page = hostile(work)
        compared(work, page)
        run("report", "--compare", page, f"{work}/seed.html", "-o", f"{work}/compared.html")
        walk_through(work, page, hostile_page)
        if os.environ.get("IMAGE"):
            xen(work, os.environ["IMAGE"])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

if __name__ == "__main__":
    sys.exit(main())
