/*
 * -vnc: the guest's first screen, and its keyboard and pointer, for clients of the remote framebuffer protocol (rfb.c).
 * Served a few times a second while a client is there, without ever waiting for one: sockets do not block, and who does
 * not read has his updates wait. Looking at the screen changes nothing; what is typed comes to the guest as all input.
 *
 * The protocol is here and not a library's, since libvncserver waits within its calls for the rest of a message, and
 * for room to write, as long as a client likes, and the machine would stand.
 */
#define _GNU_SOURCE
#include "board/display.h"
#include "frontend/display/display.h"
#include "frontend/display/rfb.h"
#include "frontend/frontend.h"
#include "frontend/input.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 4, COMING = 16, PORT_FIRST = 5900, FRAME_NS = 33000000, IDLE_NS = 100000000, NO_WIDTH = 640, NO_HEIGHT = 480 };

struct client {
    struct vnc *vnc;
    int fd; /* -1: nobody */
    u32 buttons, x, y;
    struct rfb rfb;
};
struct vnc {
    struct display *d;
    struct vnc_config where; /* the port that was free: first */
    int listener;
    struct client client[CLIENTS];
    struct rfb_picture picture;
    u32 *now; /* the next picture, of as many pixels */
    char name[288];
};

/* ---- input ---- */

static struct inputs *inputs_of(const struct vnc *v) { return display_frontend(v->d)->inputs; }

static void key(void *ctx, u32 keysym, u32 number, bool down)
{
    const struct client *c = ctx;
    unsigned code = key_by_number(number);
    code = code ? code : key_by_keysym(keysym);
    if (!code)
        return;
    inputs_key(inputs_of(c->vnc), code, down);
    inputs_sync(inputs_of(c->vnc));
    display_typed(c->vnc->d);
}

static void pointer(void *ctx, u32 x, u32 y, u32 buttons)
{
    static const enum pointer_button order[] = { BUTTON_LEFT, BUTTON_MIDDLE, BUTTON_RIGHT, BUTTON_WHEEL_UP,
                                                 BUTTON_WHEEL_DOWN };
    struct client *c = ctx;
    struct inputs *in = inputs_of(c->vnc);
    if (inputs_absolute(in))
        inputs_move_to(in, 0, x, y, c->vnc->picture.width, c->vnc->picture.height);
    else if (inputs_relative(in))
        inputs_move_by(in, (s32)(x - c->x), (s32)(y - c->y));
    for (unsigned n = 0; n < ARRAY_LEN(order); n++)
        if ((buttons ^ c->buttons) >> n & 1)
            inputs_button(in, order[n], buttons >> n & 1);
    inputs_sync(in);
    c->buttons = buttons;
    c->x = x;
    c->y = y;
    display_typed(c->vnc->d);
}

/* ---- the picture ---- */

static void size_set(struct vnc *v, u32 width, u32 height)
{
    struct rfb_picture *p = &v->picture;
    free(p->pixels);
    free(v->now);
    p->pixels = calloc((size_t)width * height, sizeof(*p->pixels));
    v->now = calloc((size_t)width * height, sizeof(*v->now));
    if (!p->pixels || !v->now)
        die("-vnc: out of memory");
    p->width = width;
    p->height = height;
    p->size_version = ++p->version;
    for (unsigned n = 0; n < ARRAY_LEN(p->tile); n++)
        p->tile[n] = p->version;
}

static u32 blend(u32 below, u32 above)
{
    u32 alpha = above >> 24, pixel = 0;
    for (unsigned at = 0; at < 24; at += 8)
        pixel |= ((above >> at & 0xff) * alpha + (below >> at & 0xff) * (255 - alpha)) / 255 << at;
    return pixel;
}

static void cursor_draw(struct vnc *v, const struct screen *s, u32 width, u32 height)
{
    u32 image[CURSOR_SIZE * CURSOR_SIZE];
    s64 left = (s64)s->cursor_x - s->hot_x, top = (s64)s->cursor_y - s->hot_y;
    machine_screen_cursor(display_machine(v->d), 0, image);
    for (s64 y = top < 0 ? -top : 0; y < CURSOR_SIZE && top + y < height; y++)
        for (s64 x = left < 0 ? -left : 0; x < CURSOR_SIZE && left + x < width; x++) {
            u32 *pixel = &v->now[(top + y) * width + left + x];
            *pixel = blend(*pixel, image[y * CURSOR_SIZE + x]);
        }
}

static bool tile_differs(const struct vnc *v, u32 column, u32 row)
{
    const struct rfb_picture *p = &v->picture;
    u32 x = column * RFB_TILE, w = p->width - x < RFB_TILE ? p->width - x : RFB_TILE;
    for (u32 y = row * RFB_TILE; y < p->height && y < (row + 1) * RFB_TILE; y++)
        if (memcmp(p->pixels + (size_t)y * p->width + x, v->now + (size_t)y * p->width + x, w * sizeof(u32)))
            return true;
    return false;
}

/* What the screen shows now; tiles that changed have a new version. Without one the picture is black. */
static void picture_look(struct vnc *v)
{
    struct rfb_picture *p = &v->picture;
    struct screen s;
    bool there = machine_screen(display_machine(v->d), 0, &s) && s.width && s.height;
    u32 width = there ? s.width : NO_WIDTH, height = there ? s.height : NO_HEIGHT;
    width = width < RFB_SIDE ? width : RFB_SIDE;
    height = height < RFB_SIDE ? height : RFB_SIDE;
    if (p->width != width || p->height != height)
        size_set(v, width, height);
    if (there)
        machine_screen_read(display_machine(v->d), 0, 0, 0, width, height, v->now, width);
    else
        memset(v->now, 0, (size_t)width * height * sizeof(*v->now));
    if (there && s.cursor)
        cursor_draw(v, &s, width, height);
    u64 next = p->version + 1;
    for (u32 row = 0; row * RFB_TILE < height; row++)
        for (u32 column = 0; column * RFB_TILE < width; column++)
            if (tile_differs(v, column, row))
                p->tile[row * RFB_TILES + column] = p->version = next;
    u32 *old = p->pixels;
    p->pixels = v->now;
    v->now = old;
}

/* ---- clients ---- */

/* Whoever else holds a key: it goes up with those of the one that leaves. */
static void client_leave(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    rfb_close(&c->rfb);
    inputs_release(inputs_of(c->vnc));
    display_typed(c->vnc->d);
}

/* Who finds no place is sent away. False: nobody comes. */
static bool client_accept(struct vnc *v)
{
    int fd = accept4(v->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), yes = 1;
    struct client *c = v->client;
    if (fd < 0)
        return false;
    while (c < v->client + CLIENTS && c->fd >= 0)
        c++;
    struct rfb_user user = { c, key, pointer };
    if (c == v->client + CLIENTS || !rfb_open(&c->rfb, &user, v->name)) {
        close(fd);
        return true;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    c->vnc = v;
    c->fd = fd;
    c->buttons = c->x = c->y = 0;
    return true;
}

/* Takes what has come, at most so much at a time, and sends what there is room for. */
static void client_serve(struct client *c)
{
    u8 bytes[16384];
    struct rfb *r = &c->rfb;
    ssize_t got = r->over ? -1 : recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    bool gone = !got || (got < 0 && !r->over && errno != EAGAIN && errno != EINTR);
    if (got > 0)
        rfb_take(r, &c->vnc->picture, bytes, (size_t)got);
    rfb_update(r, &c->vnc->picture);
    ssize_t put = r->out_used && !gone ? send(c->fd, r->out, r->out_used, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    gone |= put < 0 && errno != EAGAIN && errno != EINTR;
    if (put > 0)
        rfb_sent(r, (size_t)put);
    if (gone || r->over)
        client_leave(c);
}

static u64 look(void *ctx, bool idle)
{
    struct vnc *v = ctx;
    bool waits = false, any = false;
    (void)idle;
    for (unsigned n = 0; n < COMING && client_accept(v); n++) {}
    for (unsigned n = 0; n < CLIENTS; n++)
        waits |= v->client[n].fd >= 0 && rfb_waits(&v->client[n].rfb);
    if (waits)
        picture_look(v);
    for (unsigned n = 0; n < CLIENTS; n++) {
        if (v->client[n].fd >= 0)
            client_serve(&v->client[n]);
        any |= v->client[n].fd >= 0;
    }
    return host_ns() + (any ? FRAME_NS : IDLE_NS);
}

/* ---- opening ---- */

static int unix_listen(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    struct stat st;
    if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) /* of a run before */
        unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, COMING))
        die("-vnc unix:%s: %s", path, strerror(errno));
    return fd;
}

/* -1: the port is taken, or cannot be had. */
static int port_listen(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, COMING))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int host_listen(struct vnc_config *c)
{
    int fd = -1;
    for (u32 port = c->first; fd < 0 && port <= c->last; port++) {
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
        char service[16];
        snprintf(service, sizeof(service), "%u", port);
        int status = getaddrinfo(c->host, service, &hints, &list);
        if (status)
            die("-vnc %s:%u: %s", c->host, port - PORT_FIRST, gai_strerror(status));
        fd = port_listen(list);
        freeaddrinfo(list);
        if (fd >= 0)
            c->first = port;
    }
    if (fd < 0)
        die("-vnc %s:%u: %s", c->host, c->first - PORT_FIRST, strerror(errno));
    return fd;
}

static void vnc_close(void *ctx)
{
    struct vnc *v = ctx;
    for (unsigned n = 0; n < CLIENTS; n++)
        if (v->client[n].fd >= 0)
            client_leave(&v->client[n]);
    close(v->listener);
    if (v->where.path[0])
        unlink(v->where.path);
    free(v->picture.pixels);
    free(v->now);
    free(v);
}

void vnc_add(struct display *d)
{
    static const struct display_ops ops = { .look = look, .close = vnc_close, .listens = true };
    struct vnc *v = calloc(1, sizeof(*v));
    if (!v)
        die("out of memory");
    const struct options *o = display_options(d);
    v->d = d;
    v->where = o->vnc;
    snprintf(v->name, sizeof(v->name), "elmu%s%s%s", o->name[0] ? " (" : "", o->name, o->name[0] ? ")" : "");
    for (unsigned n = 0; n < CLIENTS; n++)
        v->client[n].fd = -1;
    size_set(v, NO_WIDTH, NO_HEIGHT);
    v->listener = v->where.path[0] ? unix_listen(v->where.path) : host_listen(&v->where);
    display_frontend(d)->vnc = v->where;
    if (o->vnc.last > o->vnc.first)
        fprintf(stderr, "elmu: VNC server running on %s:%u\n", v->where.host, v->where.first);
    display_add(d, &ops, v);
}
