// Of report pages: timelines, tables that can be sorted, tabs. Everything is in the page: nothing is fetched, nothing is stored.
// Text of the run is put into the page by textContent only.
"use strict";
(() => {
const runs = JSON.parse(document.getElementById("report").textContent) || [];
const make = (tag, attributes = {}, ...children) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    e.append(...children);
    return e;
};
const number = n => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
const colour = role => getComputedStyle(document.documentElement).getPropertyValue("--" + role).trim() || "gray";
const bytes = text => text ? Uint8Array.from(atob(text), c => c.charCodeAt(0)) : null;
const EXCEPTION = 0, RETURN = 1, SLEEP = 2, WAKE = 3, ON = 4, OFF = 5, FIELDS = 7;

// ---- a run's timeline, unpacked ----

const guest = vmid => vmid < 0 ? "no guest" : "VMID " + vmid;
function unpack(run) {
    const t = run.timeline, kinds = new Map((run.exceptions || []).map(k => [k.kind, k]));
    const cpus = t.cpus.map(c => ({ el: c.el.map(bytes), vm: c.vm.map(bytes), exits: c.exits, interrupts: c.interrupts, sleeps: c.sleeps, events: [] }));
    const list = t.events.list;
    let at = t.events.from;
    for (let n = 0; n + FIELDS <= list.length; n += FIELDS) {
        at += list[n];
        const e = { at, cpu: list[n + 1], type: list[n + 2], el: list[n + 3], vm: list[n + 4], kind: list[n + 5], site: t.events.sites[list[n + 6]] };
        if (cpus[e.cpu]) cpus[e.cpu].events.push(e);
    }
    return { from: t.from, to: t.to, n: t.stretches, vms: t.vms, zones: t.events.zones, cpus, kinds };
}
const isExit = (t, e) => { const k = t.kinds.get(e.kind); return e.type === EXCEPTION && k && k.from < 2 && k.to >= 2; };
// The first event at or behind a position.
function lowest(events, at) {
    let low = 0, high = events.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (events[middle].at < at) low = middle + 1; else high = middle;
    }
    return low;
}

// ---- drawing ----

const ROW = 34, AXIS = 24, MARGIN = 74, GAP = 6;
class Timeline {
    constructor(box, run, name) {
        this.t = unpack(run);
        this.from = this.t.from;
        this.to = this.t.to;
        this.cursor = null;
        this.kind = -1;
        this.box = box;
        this.canvas = make("canvas", { tabindex: "0", role: "img" });
        this.says = make("output", { "aria-live": "polite" });
        this.select = make("select", { "aria-label": "Cause that is marked and searched for" }, make("option", { value: "-1" }, "all exits"));
        for (const k of run.exceptions || [])
            this.select.append(make("option", { value: k.kind }, `EL${k.from} to EL${k.to}, ${guest(k.vmid)}: ${k.words} (${number(k.count)})`));
        const button = (words, help, act) => {
            const b = make("button", { type: "button", title: help }, words);
            b.addEventListener("click", () => act());
            return b;
        };
        box.replaceChildren(
            make("div", { class: "controls" }, button("All", "the whole run (Home)", () => this.all()), button("+", "closer (+)", () => this.zoom(1 / 3)),
                button("\u2212", "further away (-)", () => this.zoom(3)), button("\u2190", "back (left)", () => this.pan(-0.25)), button("\u2192", "on (right)", () => this.pan(0.25)),
                button("Previous", "the exit before (p)", () => this.next(-1)), button("Next", "the next exit (n)", () => this.next(1)), this.select),
            this.canvas, this.says, this.legend());
        this.canvas.setAttribute("aria-label", `Timeline${name ? " of " + name : ""}: ${this.t.cpus.length} CPUs, ${number(this.t.to - this.t.from)} instructions. Keys: plus and minus zoom, left and right move, n and p search, Home shows all.`);
        this.select.addEventListener("change", () => this.pick(+this.select.value));
        this.canvas.addEventListener("keydown", e => this.key(e));
        this.canvas.addEventListener("wheel", e => { e.preventDefault(); this.zoom(e.deltaY > 0 ? 1.25 : 0.8, this.position(e)); }, { passive: false });
        this.canvas.addEventListener("pointerdown", e => { this.drag = { x: e.offsetX, from: this.from, moved: false }; this.canvas.setPointerCapture(e.pointerId); });
        this.canvas.addEventListener("pointermove", e => this.pointer(e));
        this.canvas.addEventListener("pointerup", e => { if (this.drag && !this.drag.moved) { this.cursor = this.position(e); this.draw(); this.tell(this.cursor, e.offsetY); } this.drag = null; });
        this.canvas.addEventListener("dblclick", e => this.zoom(1 / 4, this.position(e)));
        new ResizeObserver(() => this.draw()).observe(this.canvas);
        for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", () => this.draw());
        this.draw();
        this.tell();
    }
    legend() {
        const list = make("ul", { class: "legend" });
        for (let n = 0; n < 4; n++)
            if (this.t.cpus.some(c => c.el[n])) list.append(make("li", {}, make("span", { class: "el" + n }), "EL" + n));
        this.t.vms.forEach((vmid, n) => { if (n) list.append(make("li", {}, make("span", { class: "vm" + (n - 1) % 8 }), guest(vmid))); });
        list.append(make("li", {}, "bars below a CPU: exits; marks above it: interrupts"));
        return list;
    }
    get rows() { return this.t.cpus.length + this.t.vms.length - 1; }
    get width() { return Math.max(100, this.canvas.clientWidth - MARGIN - 8); }
    x(at) { return MARGIN + (at - this.from) / (this.to - this.from) * this.width; }
    position(e) { return this.from + Math.min(1, Math.max(0, (e.offsetX - MARGIN) / this.width)) * (this.to - this.from); }
    // Are all events in view there one by one, and so few that they are drawn?
    exact() { return this.t.zones.some(z => z[0] <= this.from && z[1] >= this.to) && this.t.cpus.every(c => lowest(c.events, this.to) - lowest(c.events, this.from) < this.width * 2); }
    draw() {
        const scale = devicePixelRatio || 1, height = this.rows * (ROW + GAP) + AXIS, c = this.canvas;
        const print = matchMedia("print").matches;
        c.style.height = height + "px";
        if (c.width !== Math.round(c.clientWidth * scale)) c.width = Math.round(c.clientWidth * scale);
        if (c.height !== Math.round(height * scale)) c.height = Math.round(height * scale);
        const g = this.g = c.getContext("2d");
        g.setTransform(scale, 0, 0, scale, 0, 0);
        g.fillStyle = print ? "white" : colour("ground");
        g.fillRect(0, 0, c.clientWidth, height);
        g.font = "12px ui-monospace, 'DejaVu Sans Mono', monospace";
        g.textBaseline = "middle";
        this.inks = { el: [0, 1, 2, 3].map(n => colour("el" + n)), vm: [0, 1, 2, 3, 4, 5, 6, 7].map(n => colour("vm" + n)), text: colour("text"), dim: colour("dim"), line: colour("line"), fault: colour("text-fault"), lit: colour("text-lit"), panel: colour("panel") };
        const exact = this.exact();
        this.t.cpus.forEach((_, n) => { this.label("CPU " + n, n); exact ? this.events(n) : this.stretches(n); });
        this.t.vms.forEach((vmid, n) => { if (n) { const row = this.t.cpus.length + n - 1; this.label(guest(vmid), row); exact ? this.guestEvents(n, row) : this.guestStretches(n, row); } });
        this.axis(height - AXIS);
        this.canvas.dataset.from = Math.round(this.from);
        this.canvas.dataset.to = Math.round(this.to);
        this.canvas.dataset.exact = exact;
    }
    top(row) { return row * (ROW + GAP) + 2; }
    label(text, row) {
        this.g.fillStyle = this.inks.panel;
        this.g.fillRect(MARGIN, this.top(row), this.width, ROW);
        this.g.fillStyle = this.inks.text;
        this.g.fillText(text, 4, this.top(row) + ROW / 2);
    }
    // A column of pixels is the mean of the stretches that lie in it.
    columns(draw) {
        const t = this.t, each = (t.to - t.from) / t.n;
        for (let px = 0; px < this.width; px++) {
            const a = this.from + px / this.width * (this.to - this.from), b = this.from + (px + 1) / this.width * (this.to - this.from);
            const first = Math.max(0, Math.floor((a - t.from) / each)), last = Math.min(t.n - 1, Math.max(first, Math.ceil((b - t.from) / each) - 1));
            if (first < t.n) draw(MARGIN + px, first, last);
        }
    }
    mean(list, first, last) {
        let sum = 0;
        if (list) for (let n = first; n <= last; n++) sum += list[n];
        return sum / (last - first + 1) / 255;
    }
    stretches(n) {
        const c = this.t.cpus[n], top = this.top(n) + 5, height = ROW - 12, g = this.g;
        const each = Math.max(1, (this.to - this.from) / this.width / ((this.t.to - this.t.from) / this.t.n));
        const most = Math.max(1, ...c.exits) * Math.min(each, 4);
        this.columns((x, first, last) => {
            let y = top + height, exits = 0, interrupts = 0;
            for (let el = 0; el < 4; el++) {
                const part = this.mean(c.el[el], first, last) * height;
                if (part) { g.fillStyle = this.inks.el[el]; g.fillRect(x, y - part, 1.2, part); y -= part; }
            }
            for (let k = first; k <= last; k++) { exits += c.exits[k]; interrupts += c.interrupts[k]; }
            if (exits) { const bar = Math.max(1, Math.min(1, exits / most) * 6); g.fillStyle = this.inks.text; g.fillRect(x, top + height + 7 - bar, 1, bar); }
            if (interrupts) { g.fillStyle = this.inks.fault; g.fillRect(x, top - 4, 1, 3); }
        });
    }
    guestStretches(vm, row) {
        const top = this.top(row) + 3, height = ROW - 6, g = this.g;
        g.fillStyle = this.inks.vm[(vm - 1) % 8];
        this.columns((x, first, last) => {
            let part = 0;
            for (const c of this.t.cpus) part += this.mean(c.vm[vm], first, last);
            if (part) g.fillRect(x, top + height - Math.min(1, part) * height, 1.2, Math.min(1, part) * height);
        });
    }
    // What a CPU is in, stretch by stretch, from its events. Sleep and being off are no stay.
    stays(n, draw) {
        const events = this.t.cpus[n].events, k = lowest(events, this.from);
        let state = k ? this.state(events, k - 1) : this.before(events[0]);
        let at = Math.max(this.from, this.t.from);
        for (let i = k; i < events.length; i++) {
            if (state) draw(at, Math.min(this.to, events[i].at), state);
            if (events[i].at >= this.to) return;
            at = events[i].at;
            state = this.state(events, i);
        }
        if (state) draw(at, Math.min(this.to, this.t.to), state);
    }
    state(events, i) { const e = events[i]; return e.type === SLEEP || e.type === OFF ? null : { el: e.el, vm: e.vm }; }
    before(e) {
        const k = e && this.t.kinds.get(e.kind);
        return k ? { el: k.from, vm: Math.max(0, this.t.vms.indexOf(k.vmid)) } : e && e.type === RETURN ? { el: 2, vm: 0 } : e && e.type === SLEEP ? { el: e.el, vm: e.vm } : null;
    }
    events(n) {
        const top = this.top(n) + 5, height = ROW - 12, g = this.g, events = this.t.cpus[n].events;
        this.stays(n, (from, to, s) => {
            const x = this.x(from), w = Math.max(0.6, this.x(to) - x);
            g.fillStyle = this.inks.el[s.el];
            g.fillRect(x, top, w, height);
            if (w > 30) { g.fillStyle = this.inks.text; g.fillText("EL" + s.el, x + 4, top + height / 2); }
        });
        const last = lowest(events, this.to), sparse = last - lowest(events, this.from) < this.width / 8;
        for (let i = lowest(events, this.from); i < last; i++) {
            const e = events[i], x = this.x(e.at), k = this.t.kinds.get(e.kind);
            if (e.type === EXCEPTION && k && k.interrupt) { g.fillStyle = this.inks.fault; g.beginPath(); g.moveTo(x - 3, top - 5); g.lineTo(x + 3, top - 5); g.lineTo(x, top); g.fill(); }
            if (!this.marked(e)) continue;
            g.fillStyle = this.inks.text;
            g.fillRect(x - 0.5, sparse ? top : top + height + 1, 1, sparse ? height + 7 : 5);
            if (sparse) { g.beginPath(); g.moveTo(x - 3, top + height + 3); g.lineTo(x + 3, top + height + 3); g.lineTo(x, top + height + 8); g.fill(); }
        }
    }
    guestEvents(vm, row) {
        const top = this.top(row) + 3, height = ROW - 6, g = this.g;
        g.fillStyle = this.inks.vm[(vm - 1) % 8];
        this.t.cpus.forEach((_, n) => this.stays(n, (from, to, s) => { if (s.el < 2 && s.vm === vm) g.fillRect(this.x(from), top, Math.max(0.6, this.x(to) - this.x(from)), height); }));
    }
    axis(top) {
        const g = this.g, span = this.to - this.from;
        let step = 10 ** Math.floor(Math.log10(span / (this.width / 130)));
        step *= span / step / (this.width / 130) > 5 ? 10 : span / step / (this.width / 130) > 2 ? 5 : 2;
        step = Math.max(1, Math.round(step));
        g.fillStyle = this.inks.dim;
        for (let at = Math.ceil(this.from / step) * step; at <= this.to; at += step) {
            const x = this.x(at);
            g.fillRect(x, 0, 0.5, top + 4);
            const text = number(at), w = g.measureText(text).width;
            if (x + w / 2 < MARGIN + this.width + 6) g.fillText(text, Math.max(MARGIN, x - w / 2), top + 14);
        }
        if (this.cursor !== null && this.cursor >= this.from && this.cursor <= this.to) { g.fillStyle = this.inks.lit; g.fillRect(this.x(this.cursor) - 1, 0, 2, top + 4); }
    }

    // ---- moving ----

    show(from, to) {
        const span = Math.min(this.t.to - this.t.from, Math.max(20, to - from));
        this.from = Math.max(this.t.from, Math.min(from, this.t.to - span));
        this.to = this.from + span;
        this.draw();
        this.tell();
    }
    all() { this.show(this.t.from, this.t.to); }
    zoom(by, at = this.cursor !== null && this.cursor >= this.from && this.cursor <= this.to ? this.cursor : (this.from + this.to) / 2) {
        const span = Math.max(20, (this.to - this.from) * by), part = (at - this.from) / (this.to - this.from);
        this.show(at - span * part, at + span * (1 - part));
    }
    pan(by) { const d = (this.to - this.from) * by; this.show(this.from + d, this.to + d); }
    pick(kind) {
        this.kind = kind;
        this.select.value = kind;
        document.querySelectorAll("button.pick").forEach(b => b.setAttribute("aria-pressed", +b.dataset.kind === kind));
        this.draw();
    }
    marked(e) { return this.kind < 0 ? isExit(this.t, e) : e.kind === this.kind && e.type === EXCEPTION; }
    next(direction) {
        const from = this.cursor === null || this.cursor < this.from || this.cursor > this.to ? (direction > 0 ? this.from - 1 : this.to + 1) : this.cursor;
        let best = null;
        for (const c of this.t.cpus) {
            let i = direction > 0 ? lowest(c.events, Math.floor(from) + 1) : lowest(c.events, Math.ceil(from)) - 1;
            while (i >= 0 && i < c.events.length && !this.marked(c.events[i])) i += direction;
            const e = c.events[i];
            if (e && (!best || (e.at - best.at) * direction < 0)) best = e;
        }
        if (!best) { this.says.textContent = "There is none on that side among the events that are kept one by one."; return; }
        const span = Math.min(this.to - this.from, Math.max(400, (this.t.to - this.t.from) / 1e5));
        this.cursor = best.at;
        this.show(best.at - span / 2, best.at + span / 2);
        this.says.textContent = this.words(best);
    }
    key(e) {
        const keys = { "+": () => this.zoom(1 / 3), "=": () => this.zoom(1 / 3), "-": () => this.zoom(3), ArrowLeft: () => this.pan(-0.25), ArrowRight: () => this.pan(0.25), Home: () => this.all(), n: () => this.next(1), p: () => this.next(-1) };
        if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
        e.preventDefault();
        keys[e.key]();
    }
    pointer(e) {
        if (this.drag) {
            const d = (e.offsetX - this.drag.x) / this.width * (this.to - this.from);
            this.drag.moved ||= Math.abs(e.offsetX - this.drag.x) > 3;
            if (this.drag.moved) this.show(this.drag.from - d, this.drag.from - d + this.to - this.from);
        } else this.tell(this.position(e), e.offsetY);
    }

    // ---- telling ----

    words(e) {
        const k = this.t.kinds.get(e.kind), place = e.site ? ` at ${e.site[0]}${e.site[1] ? " (" + e.site[1] + ")" : ""}` : "";
        const what = e.site ? e.site[2] : k ? `exception to EL${k.to}: ${k.words}` : ["exception", `return to EL${e.el}` + (e.vm ? ", " + guest(this.t.vms[e.vm]) : ""), "sleeps", "wakes", "is switched on", "is switched off"][e.type];
        return `instruction ${number(e.at)}, CPU ${e.cpu}: ${what}${place}${k && k.vmid >= 0 ? ", from " + guest(k.vmid) : ""}`;
    }
    near(at, y) {
        const c = this.t.cpus[Math.floor(y / (ROW + GAP))];
        if (!c) return null;
        const i = lowest(c.events, at), within = (this.to - this.from) / this.width * 6;
        return [c.events[i - 1], c.events[i]].filter(e => e && Math.abs(e.at - at) <= within).sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at))[0] || null;
    }
    tell(at, y) {
        const e = at !== undefined && this.canvas.dataset.exact === "true" ? this.near(at, y) : null;
        if (e) { this.says.textContent = this.words(e); return; }
        const t = this.t, each = (t.to - t.from) / t.n;
        const a = at === undefined ? this.from : at, b = at === undefined ? this.to : at;
        const first = Math.min(t.n - 1, Math.max(0, Math.floor((a - t.from) / each))), last = Math.min(t.n - 1, Math.max(first, Math.ceil((b - t.from) / each) - 1));
        const sum = (list) => { let s = 0; for (let n = first; n <= last; n++) s += list[n]; return s; };
        const parts = t.cpus.map((c, n) => `CPU ${n}: ` + [0, 1, 2, 3].filter(el => c.el[el]).map(el => `EL${el} ${(this.mean(c.el[el], first, last) * 100).toFixed(1)}\u202f%`).join(", ") + `, ${number(sum(c.exits))} exits and ${number(sum(c.interrupts))} interrupts`);
        this.says.textContent = `instructions ${number(at === undefined ? a : t.from + first * each)} to ${number(at === undefined ? b : t.from + (last + 1) * each)}; ` + parts.slice(0, 4).join("; ") + (parts.length > 4 ? "; ..." : "");
    }
}

const timelines = [...document.querySelectorAll(".timeline")].flatMap(box => {
    const run = runs[+box.dataset.run];
    return run && run.timeline && run.timeline.to > run.timeline.from ? [new Timeline(box, run, box.dataset.name)] : [];
});
document.querySelectorAll("button.pick").forEach(b => b.addEventListener("click", () => {
    const kind = b.getAttribute("aria-pressed") === "true" ? -1 : +b.dataset.kind;
    timelines.forEach(t => t.pick(kind));
    if (kind >= 0) document.getElementById("timeline")?.scrollIntoView();
}));

// ---- tables ----

document.querySelectorAll("table").forEach(table => {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 3) return;
    [...table.tHead.rows[0].cells].forEach((th, column) => {
        const button = make("button", { type: "button" }, ...th.childNodes);
        th.append(button);
        button.addEventListener("click", () => {
            const up = th.getAttribute("aria-sort") === "descending";
            const value = row => { const cell = row.cells[column]; return cell.dataset.n !== undefined ? +cell.dataset.n : cell.textContent; };
            const rows = [...body.rows].sort((a, b) => { const x = value(a), y = value(b); return (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y))) * (up ? 1 : -1); });
            [...table.tHead.rows[0].cells].forEach(other => other.removeAttribute("aria-sort"));
            th.setAttribute("aria-sort", up ? "ascending" : "descending");
            body.append(...rows);
        });
    });
});

// ---- tabs ----

document.querySelectorAll(".tabs").forEach((tabs, group) => {
    const panels = [...tabs.querySelectorAll(":scope > .tab")];
    if (panels.length < 2) return;
    const list = make("div", { role: "tablist", "aria-label": "Consoles" }), buttons = panels.map((panel, n) => {
        const button = make("button", { type: "button", role: "tab", id: `tab-${group}-${n}`, "aria-controls": `panel-${group}-${n}` }, panel.querySelector("h3").textContent);
        panel.id = `panel-${group}-${n}`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", button.id);
        list.append(button);
        return button;
    });
    const show = n => panels.forEach((panel, k) => {
        panel.hidden = k !== n;
        buttons[k].setAttribute("aria-selected", k === n);
        buttons[k].tabIndex = k === n ? 0 : -1;
    });
    buttons.forEach((button, n) => {
        button.addEventListener("click", () => show(n));
        button.addEventListener("keydown", e => {
            const to = { ArrowLeft: n - 1, ArrowRight: n + 1, Home: 0, End: panels.length - 1 }[e.key];
            if (to === undefined) return;
            e.preventDefault();
            const k = (to + panels.length) % panels.length;
            show(k);
            buttons[k].focus();
        });
    });
    tabs.prepend(list);
    show(0);
});

// ---- where in the page ----

const links = new Map([...document.querySelectorAll("nav a")].map(a => [a.hash.slice(1), a]));
const observer = new IntersectionObserver(entries => entries.forEach(e => {
    if (!e.isIntersecting) return;
    links.forEach(a => a.removeAttribute("aria-current"));
    links.get(e.target.id)?.setAttribute("aria-current", "true");
}), { rootMargin: "-10% 0px -80% 0px" });
document.querySelectorAll("main > section").forEach(s => observer.observe(s));
document.documentElement.dataset.ready = "true";
})();
