/*
 * Consoles: where the ports of the machine go, and what is typed. What is at the host's end: chardev.c.
 *
 * A file or pipe on standard input is handed over as the guest asks for it, so that the run does not depend on when its
 * writer ran; only a writer that pauses for a second is treated as a person is: what it writes arrives when it arrives.
 * --after and --send type at exact points of the run.
 */
#define _GNU_SOURCE
#include "frontend/display/display.h"
#include "frontend/input.h"
#include "frontend/net.h"

#include <stdlib.h>
#include <time.h>

/* ---- matching text ---- */

static void matcher_set(struct matcher *x, const char *text)
{
    if (!x->text && !text)
        return; /* as it is in most ports, of which there are many */
    free(x->back);
    *x = (struct matcher){ .text = text, .length = text ? (unsigned)strlen(text) : 0 };
    if (!text || !x->length)
        return;
    x->back = calloc(x->length + 1, sizeof(*x->back));
    if (!x->back)
        die("out of memory");
    for (unsigned n = 1, k = 0; n < x->length; n++) {
        while (k && text[n] != text[k])
            k = x->back[k];
        k += text[n] == text[k];
        x->back[n + 1] = (u16)k;
    }
}

/* True when the byte completes the text. */
static bool matcher_feed(struct matcher *x, u8 byte)
{
    if (!x->length)
        return false;
    while (x->at && (u8)x->text[x->at] != byte)
        x->at = x->back[x->at];
    x->at += (u8)x->text[x->at] == byte;
    if (x->at < x->length)
        return false;
    x->at = x->back[x->at];
    return true;
}

/* ---- sending ---- */

static void after_set(struct console *c)
{
    bool more = c->send_next < c->o->send_count;
    for (unsigned n = 0; n < ALL_PORTS; n++)
        matcher_set(&c->port[n].after, more ? c->o->send[c->send_next].after : NULL);
}

static void type_text(struct port *p, const char *text)
{
    u64 size = strlen(text), left = p->typed_size - p->typed_at;
    char *typed = malloc(left + size + 1);
    if (!typed)
        die("out of memory");
    if (left)
        memcpy(typed, p->typed + p->typed_at, left);
    memcpy(typed + left, text, size);
    free(p->typed);
    p->typed = typed;
    p->typed_at = 0;
    p->typed_size = left + size;
}

/* What nobody takes is lost, as on a real keyboard: then a person hears of it. */
static void keys_press(struct console *c, const char *script)
{
    const char *why = inputs_script(c->inputs, script);
    if (why)
        fprintf(stderr, "elmu: -send-keys: %s\n", why);
}

/* The text that was waited for has been printed on this port: types, and waits for the next. Empty ones need no
 * waiting. */
static void sends_run(struct console *c, struct port *p)
{
    do {
        const struct send *s = &c->o->send[c->send_next++];
        if (s->keys)
            keys_press(c, s->text);
        else
            type_text(p, s->text);
    } while (c->send_next < c->o->send_count && !c->o->send[c->send_next].after[0]);
    after_set(c);
    machine_input_kick(c->m);
}

/* ---- output ---- */

void console_output(void *ctx, unsigned number, u8 byte)
{
    struct console *c = ctx;
    struct port *p = &c->port[number];
    if (p->end)
        chardev_put(p->end, byte);
    if (matcher_feed(&p->until, byte)) {
        c->until_seen = true;
        machine_end(c->m, END_EXIT, 0, "");
    }
    if (!matcher_feed(&p->after, byte))
        return;
    if (c->saving)
        c->held = p;
    else
        sends_run(c, p);
}

void console_release(struct console *c)
{
    struct port *p = c->held;
    c->saving = false;
    c->held = NULL;
    if (p)
        sends_run(c, p);
}

/* ---- input ---- */

static u32 port_room(void *ctx) { return PORT_BUFFER - ((struct port *)ctx)->used; }

static void port_receive(void *ctx, u8 byte)
{
    struct port *p = ctx;
    p->buffer[(p->head + p->used++) % PORT_BUFFER] = byte;
}

int console_input(void *ctx, unsigned number, bool waiting)
{
    struct console *c = ctx;
    struct port *p = &c->port[number];
    if (p->typed_at < p->typed_size)
        return (u8)p->typed[p->typed_at++];
    if (!p->used && p->end && chardev_has_focus(p->end, p))
        chardev_pull(p->end, waiting);
    if (!p->used)
        return -1;
    u8 byte = p->buffer[p->head];
    p->head = (p->head + 1) % PORT_BUFFER;
    p->used--;
    return byte;
}

bool console_input_comes(void *ctx, unsigned port)
{
    const struct port *p = &((struct console *)ctx)->port[port];
    return p->used || p->typed_at < p->typed_size || (p->end && chardev_comes(p->end));
}

void console_flush(struct console *c) { chardevs_flush(&c->ends); }

/* A signal is the end of the run. */
static bool ends(struct console *c)
{
    int signal = terminal_signal();
    if (signal)
        machine_end(c->m, END_REQUEST, 128 + signal, signal == SIGINT ? "interrupted" : strsignal(signal));
    return signal;
}

bool console_ended(struct console *c, struct run_end *end)
{
    c->m->d.end.kind = END_NONE;
    if (!ends(c))
        return false;
    *end = c->m->d.end;
    return true;
}

/* What came, now or while the machine stood, is offered to the guest. */
static void offer(struct console *c)
{
    bool keys = inputs_fresh(c->inputs);
    if (c->ends.fresh || keys)
        machine_input_kick(c->m);
    c->ends.fresh = false;
}

/* Networks are served while the machine runs or idles, not while it stands. */
static void wait_input(struct console *c, const struct timespec *timeout)
{
    c->ends.nets = c->nets;
    chardevs_wait(&c->ends, timeout);
    c->ends.nets = NULL;
    offer(c);
}

/* Is there anybody who may say something? */
static bool any_live(struct console *c)
{
    return chardevs_live(&c->ends) || nets_listen(c->nets) || display_listens(c->ends.display);
}

void console_poll(void *ctx)
{
    struct console *c = ctx;
    static const struct timespec now = { 0, 0 };
    console_flush(c);
    ends(c);
    if (any_live(c))
        wait_input(c, &now);
    offer(c);
}

bool console_listens(void *ctx) { return any_live(ctx); }

u64 host_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* Nobody there: straight to the next event. Somebody: sleeps, so that machine time does not run ahead of theirs. With
 * somebody on a network no sleep is cut short either because the machine is late: it waits for answers with time-outs
 * of its own. */
u64 console_idle(void *ctx, u64 now, u64 until)
{
    struct console *c = ctx;
    console_flush(c);
    if (ends(c))
        return now;
    if (!any_live(c))
        return until;
    if (nets_listen(c->nets))
        c->start_ns = host_ns() - now;
    u64 host = host_ns() - c->start_ns;
    if (until <= host) {
        static const struct timespec zero = { 0, 0 };
        wait_input(c, &zero);
        return until;
    }
    u64 left = until - host;
    struct timespec timeout = { (time_t)(left / 1000000000), (long)(left % 1000000000) };
    wait_input(c, until == NEVER ? NULL : &timeout);
    host = host_ns() - c->start_ns;
    return host < now ? now : host < until ? host : until;
}

/* ---- opening ---- */

static void port_attach(struct console *c, unsigned number, const char *id, const char *what)
{
    struct port *p = &c->port[number];
    if (!id[0])
        return;
    p->end = chardev_find(&c->ends, id);
    if (!p->end)
        die("%s: no -chardev has id=%s", what, id);
    chardev_attach(p->end, &(struct char_user){ .ctx = p, .room = port_room, .receive = port_receive }, what);
}

/* Serial n is port n; those that the machine does not have are open, and nobody sits there, as on QEMU. */
static void ports_attach(struct console *c)
{
    const struct options *o = c->o;
    unsigned port = row_ports();
    for (unsigned n = 0; n < o->device_count; n++)
        if (virtio_back_end(o->device[n].kind) == BACK_END_PORT && port < MAX_PORTS)
            port_attach(c, port++, o->device[n].chardev, "-device virtconsole");
    for (unsigned n = 0; n < o->serial_count && n < row_ports(); n++)
        port_attach(c, PORT_CONSOLE + n, o->serial[n], "-serial");
    port_attach(c, PORT_SEMIHOST, o->semihost_chardev, "-semihosting-config chardev");
}

void console_open(struct console *c, struct machine *m, const struct options *o)
{
    c->m = m;
    c->o = o;
    inputs_begin(c->inputs, m);
    terminal_signals();
    chardevs_open(&c->ends, m, o);
    ports_attach(c);
    for (unsigned n = 0; n < ALL_PORTS; n++)
        matcher_set(&c->port[n].until, o->until);
    after_set(c);
    c->start_ns = host_ns();
    if (o->send_count && !o->send[0].after[0])
        sends_run(c, &c->port[PORT_CONSOLE]);
}

bool console_close(struct console *c)
{
    for (unsigned n = 0; n < ALL_PORTS; n++) {
        free(c->port[n].until.back);
        free(c->port[n].after.back);
        free(c->port[n].typed);
    }
    bool ok = chardevs_close(&c->ends);
    terminal_restore();
    return ok;
}
