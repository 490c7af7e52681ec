/*
 * -netdev user: a network of its own behind a router that the library libslirp is. The router answers ARP, DHCP, pings
 * in every run alike since its clock is the machine's, TFTP is frontend/tftp.c's; connections of the guest's become
 * sockets of this program, and what comes over those comes when it comes.
 *
 * Left out: smb=. The router's unasked advertisements (IPv6) come with the next frame of the guest's after they are
 * due, and every 200 s: the library would draw the time at random.
 */
#define _GNU_SOURCE
#include "debug/library.h"
#include "frontend/net.h"
#include "frontend/tftp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FUNCTIONS(F) F(slirp_add_exec) F(slirp_add_guestfwd) F(slirp_add_hostfwd) F(slirp_cleanup)                     \
    F(slirp_input) F(slirp_new) F(slirp_pollfds_fill) F(slirp_pollfds_poll) F(slirp_socket_can_recv)                   \
    F(slirp_socket_recv)
LIBRARY(libslirp, FUNCTIONS)

enum { MAX_FORWARDS = 64, MAX_SEARCH = 16, TIMERS = 4 };
static const u64 ADVERTISE_NS = 200000000000;

struct user {
    struct netdev_common common;
    char net[64], host[64], dhcpstart[64], dns[64], hostname[64], domainname[256], tftp[1024], bootfile[256];
    char tftp_server[256], ipv6_net[64], ipv6_prefix[64], ipv6_host[64], ipv6_dns[64];
    s32 ipv6_prefixlen;
    bool restricted, no_ipv4, no_ipv6, ipv4_said, ipv6_said;
    unsigned hostfwd_count, guestfwd_count, search_count;
    char *hostfwd[MAX_FORWARDS], *guestfwd[MAX_FORWARDS];
    char *search[MAX_SEARCH + 1];
};

struct timer {
    SlirpTimerCb call;
    void *opaque;
    u64 due; /* ns; 0: it does not run */
};
/* A port of the guest's network that is a socket of ours. */
struct guest_port {
    struct net_end *end;
    struct in_addr address;
    int port, fd;
};
struct state {
    Slirp *slirp;
    struct tftp tftp;
    struct timer timer[TIMERS];
    struct guest_port guest[MAX_FORWARDS];
    unsigned guest_count;
    struct pollfd *fds; /* while they are gathered */
    const struct pollfd *come;
    unsigned count, room;
};

static struct state *state_of(struct net_end *e) { return e->state; }

/* ---- what the library asks ---- */

static ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
    net_hear(opaque, frame, size);
    return (ssize_t)size;
}

static void guest_error(const char *text, void *opaque) { (void)text, (void)opaque; }
static int64_t clock_ns(void *opaque) { return (int64_t)net_now(opaque); }

static void *timer_new(SlirpTimerCb call, void *call_opaque, void *opaque)
{
    struct state *s = state_of(opaque);
    for (unsigned n = 0; n < TIMERS; n++)
        if (!s->timer[n].call) {
            s->timer[n] = (struct timer){ call, call_opaque, 0 };
            return &s->timer[n];
        }
    die("%s: the library wants more than %d timers", net_name(opaque), TIMERS);
}

static void timer_free(void *timer, void *opaque)
{
    (void)opaque;
    *(struct timer *)timer = (struct timer){ NULL, NULL, 0 };
}

/* Its only use is the router's advertisement; see above. */
static void timer_mod(void *timer, int64_t ms, void *opaque)
{
    (void)ms;
    ((struct timer *)timer)->due = net_now(opaque) + ADVERTISE_NS;
}

static void timers_run(struct net_end *e)
{
    struct state *s = e->state;
    for (unsigned n = 0; n < TIMERS; n++) {
        struct timer *t = &s->timer[n];
        if (t->call && t->due && t->due <= net_now(e)) {
            t->due = 0;
            t->call(t->opaque);
        }
    }
}

static void fd_noted(int fd, void *opaque) { (void)fd, (void)opaque; }
static void notified(void *opaque) { (void)opaque; }

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = fd_noted,
    .unregister_poll_fd = fd_noted,
    .notify = notified,
};

/* ---- frames and descriptors ---- */

static void user_send(struct net_end *e, const u8 *frame, size_t size)
{
    u8 answer[TFTP_FRAME];
    size_t answered;
    timers_run(e);
    if (!tftp_takes(&state_of(e)->tftp, frame, size, answer, &answered))
        libslirp.slirp_input(state_of(e)->slirp, frame, (int)size);
    else if (answered)
        net_hear(e, answer, answered);
}

/* The library's names for events, and the host's. */
static const struct {
    int theirs;
    short ours;
} events[] = { { SLIRP_POLL_IN, POLLIN },
               { SLIRP_POLL_OUT, POLLOUT },
               { SLIRP_POLL_PRI, POLLPRI },
               { SLIRP_POLL_ERR, POLLERR },
               { SLIRP_POLL_HUP, POLLHUP } };

static int poll_add(int fd, int wanted, void *opaque)
{
    struct state *s = opaque;
    if (s->count == s->room)
        return -1;
    s->fds[s->count] = (struct pollfd){ .fd = fd };
    for (unsigned n = 0; n < ARRAY_LEN(events); n++)
        s->fds[s->count].events |= wanted & events[n].theirs ? events[n].ours : 0;
    return (int)s->count++;
}

static int poll_result(int index, void *opaque)
{
    const struct state *s = opaque;
    int result = 0;
    for (unsigned n = 0; index >= 0 && (unsigned)index < s->count && n < ARRAY_LEN(events); n++)
        result |= s->come[index].revents & events[n].ours ? events[n].theirs : 0;
    return result;
}

/* The library's, then those of the guest's ports. */
static unsigned user_fill(struct net_end *e, struct pollfd *fds, unsigned room, u32 *ms)
{
    struct state *s = e->state;
    u32 theirs = ~(u32)0;
    s->fds = fds;
    s->room = room > s->guest_count ? room - s->guest_count : 0;
    s->count = 0;
    libslirp.slirp_pollfds_fill(s->slirp, &theirs, poll_add, s);
    for (unsigned n = 0; n < s->guest_count && n < room; n++) {
        const struct guest_port *g = &s->guest[n];
        bool can = g->fd >= 0 && libslirp.slirp_socket_can_recv(s->slirp, g->address, g->port) > 0;
        fds[s->count + n] = (struct pollfd){ .fd = can ? g->fd : -1, .events = POLLIN };
    }
    if (s->count)
        *ms = theirs < *ms ? theirs : *ms;
    return s->count + (s->guest_count < room ? s->guest_count : room);
}

static void guest_port_read(struct state *s, struct guest_port *g)
{
    u8 bytes[4096];
    size_t room = libslirp.slirp_socket_can_recv(s->slirp, g->address, g->port);
    ssize_t n = room ? read(g->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes)) : -1;
    if (n > 0)
        libslirp.slirp_socket_recv(s->slirp, g->address, g->port, bytes, (int)n);
    if (n == 0) {
        close(g->fd);
        g->fd = -1;
    }
}

static void user_ready(struct net_end *e, const struct pollfd *fds, unsigned count)
{
    struct state *s = e->state;
    s->come = fds;
    libslirp.slirp_pollfds_poll(s->slirp, 0, poll_result, s);
    for (unsigned n = s->count; n < count; n++)
        if (fds[n].revents && s->guest[n - s->count].fd >= 0)
            guest_port_read(s, &s->guest[n - s->count]);
}

/* ---- opening: addresses ---- */

static struct in_addr ip4(const struct net_end *e, const char *what, const char *text)
{
    struct in_addr a;
    if (!inet_aton(text, &a))
        die("%s: %s=%s: expected an IPv4 address", net_name(e), what, text);
    return a;
}

static struct in6_addr ip6(const struct net_end *e, const char *what, const char *text)
{
    struct in6_addr a;
    if (inet_pton(AF_INET6, text, &a) != 1)
        die("%s: %s=%s: expected an IPv6 address", net_name(e), what, text);
    return a;
}

/* ADDRESS, ADDRESS/BITS or ADDRESS/MASK; without a mask the address says its class, as on QEMU. */
static void network_read(const struct net_end *e, const char *text, SlirpConfig *c)
{
    char address[64];
    const char *slash = strchr(text, '/');
    snprintf(address, sizeof(address), "%.*s", (int)(slash ? slash - text : (long)strlen(text)), text);
    u32 net = ntohl(ip4(e, "net", address).s_addr), mask;
    if (!slash) {
        mask = !(net & 0x80000000)                ? 0xff000000
               : (net & 0xfff00000) == 0xac100000 ? 0xfff00000
               : (net & 0xc0000000) == 0x80000000 ? 0xffff0000
               : (net & 0xf0000000) != 0xe0000000 ? 0xffffff00
                                                  : 0xfffffff0;
    } else if (strchr(slash, '.')) {
        mask = ntohl(ip4(e, "net", slash + 1).s_addr);
    } else {
        u64 bits = suboption_number(net_name(e), slash + 1, 1);
        if (bits < 4 || bits > 30)
            die("%s: net=%s: expected a prefix of 4 to 30 bits", net_name(e), text);
        mask = 0xffffffff << (32 - bits);
    }
    if ((mask | (mask - 1)) != 0xffffffff || ~mask < 3)
        die("%s: net=%s: expected a prefix of 4 to 30 bits", net_name(e), text);
    c->vnetwork.s_addr = htonl(net & mask);
    c->vnetmask.s_addr = htonl(mask);
    c->vhost.s_addr = htonl((net & mask) | (2 & ~mask));
    c->vdhcp_start.s_addr = htonl((net & mask) | (~mask > 15 ? 15 : ~mask - 1));
    c->vnameserver.s_addr = htonl((net & mask) | (3 & ~mask));
}

static void address_read(const struct net_end *e, const char *what, const char *text, const SlirpConfig *c,
                         struct in_addr *to)
{
    if (!text[0])
        return;
    *to = ip4(e, what, text);
    if ((to->s_addr & c->vnetmask.s_addr) != c->vnetwork.s_addr)
        die("%s: %s=%s: is not in the network", net_name(e), what, text);
}

static void ip6_read(const struct net_end *e, const struct user *u, SlirpConfig *c)
{
    char prefix[64] = "fec0::";
    const char *slash = strchr(u->ipv6_net, '/');
    if (u->ipv6_net[0])
        snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash ? slash - u->ipv6_net : (long)strlen(u->ipv6_net)),
                 u->ipv6_net);
    else if (u->ipv6_prefix[0])
        snprintf(prefix, sizeof(prefix), "%s", u->ipv6_prefix);
    u64 bits = slash ? suboption_number(net_name(e), slash + 1, 1) : u->ipv6_prefixlen ? (u64)u->ipv6_prefixlen : 64;
    if (bits < 1 || bits > 126)
        die("%s: a prefix of IPv6 has 1 to 126 bits", net_name(e));
    c->vprefix_len = (u8)bits;
    c->vprefix_addr6 = ip6(e, "ipv6-prefix", prefix);
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= 2;
    c->vnameserver6.s6_addr[15] |= 3;
    if (u->ipv6_host[0])
        c->vhost6 = ip6(e, "ipv6-host", u->ipv6_host);
    if (u->ipv6_dns[0])
        c->vnameserver6 = ip6(e, "ipv6-dns", u->ipv6_dns);
}

/* ---- opening: forwarded ports ---- */

/* The part of *text up to `end`, which it must have; *text is then behind that. */
static bool part_take(const char **text, char end, char *part, size_t room)
{
    const char *at = strchr(*text, end);
    if (!at || (size_t)(at - *text) >= room)
        return false;
    snprintf(part, room, "%.*s", (int)(at - *text), *text);
    *text = at + 1;
    return true;
}

/* 0 to 65535; -1: no port. */
static int port_number(const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    return text[0] < '0' || text[0] > '9' || *end || port > 0xffff ? -1 : (int)port;
}

/* [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT */
static void hostfwd_open(struct net_end *e, const char *rule)
{
    char protocol[8], host[64], host_port[8], guest[64];
    const char *p = rule;
    struct in_addr from = { 0 }, to = { 0 };
    bool ok = part_take(&p, ':', protocol, sizeof(protocol)) && part_take(&p, ':', host, sizeof(host)) &&
              part_take(&p, '-', host_port, sizeof(host_port)) && part_take(&p, ':', guest, sizeof(guest));
    bool udp = ok && !strcmp(protocol, "udp");
    ok = ok && (udp || !protocol[0] || !strcmp(protocol, "tcp")) && (!host[0] || inet_aton(host, &from)) &&
         (!guest[0] || inet_aton(guest, &to)) && port_number(host_port) >= 0 && port_number(p) > 0;
    if (!ok)
        die("%s: Invalid host forwarding rule '%s' (expected [tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT)",
            net_name(e), rule);
    if (libslirp.slirp_add_hostfwd(state_of(e)->slirp, udp, from, port_number(host_port), to, port_number(p)) < 0)
        die("%s: Could not set up host forwarding rule '%s': %s", net_name(e), rule, strerror(errno));
}

static ssize_t guest_port_write(const void *bytes, size_t size, void *opaque)
{
    const struct guest_port *g = opaque;
    ssize_t n = g->fd >= 0 ? send(g->fd, bytes, size, MSG_NOSIGNAL) : (ssize_t)size;
    return n < 0 ? (ssize_t)size : n; /* who does not listen any more does not hear it */
}

static int tcp_connect(struct net_end *e, const char *where)
{
    char host[256];
    const char *colon = strrchr(where, ':');
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    snprintf(host, sizeof(host), "%.*s", (int)(colon ? colon - where : 0), where);
    if (!colon || getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found))
        die("%s: guestfwd to tcp:%s: no such address", net_name(e), where);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
        die("%s: guestfwd to tcp:%s: %s", net_name(e), where, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

static int unix_connect(struct net_end *e, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof(address.sun_path))
        die("%s: guestfwd to unix:%s: the path is too long", net_name(e), path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
        die("%s: guestfwd to unix:%s: %s", net_name(e), path, strerror(errno));
    return fd;
}

/* [tcp]:ADDR:PORT-cmd:COMMAND, one for each connection; -tcp:HOST:PORT, -unix:PATH: one for all. */
static void guestfwd_open(struct net_end *e, const char *rule)
{
    struct state *s = e->state;
    char protocol[8], guest[64], port[8];
    const char *p = rule;
    struct in_addr address;
    bool ok = part_take(&p, ':', protocol, sizeof(protocol)) && part_take(&p, ':', guest, sizeof(guest)) &&
              part_take(&p, '-', port, sizeof(port)) && (!protocol[0] || !strcmp(protocol, "tcp")) &&
              inet_aton(guest, &address) && port_number(port) > 0;
    bool command = ok && !strncmp(p, "cmd:", 4), tcp = ok && !strncmp(p, "tcp:", 4),
         local = ok && !strncmp(p, "unix:", 5);
    if (!command && !tcp && !local)
        die("%s: Invalid guest forwarding rule '%s' (expected [tcp]:ADDR:PORT-cmd:COMMAND, -tcp:HOST:PORT or -unix:PATH)",
            net_name(e), rule);
    if (command && !net_spawns(e))
        die("%s: guestfwd to cmd:%s: needs -sandbox on,spawn=allow", net_name(e), p + 4);
    if (command) {
        ok = libslirp.slirp_add_exec(s->slirp, p + 4, &address, port_number(port)) >= 0;
    } else {
        struct guest_port *g = &s->guest[s->guest_count++];
        *g = (struct guest_port){ e, address, port_number(port), tcp ? tcp_connect(e, p + 4) : unix_connect(e, p + 5) };
        ok = libslirp.slirp_add_guestfwd(s->slirp, guest_port_write, g, &g->address, g->port) >= 0;
    }
    if (!ok)
        die("%s: conflicting/invalid host:port in guest forwarding rule '%s'", net_name(e), rule);
}

/* ---- the kind ---- */

static void family_said(void *target, const char *option, const struct suboption *s)
{
    struct user *u = target;
    bool on = suboption_bool(option, s), six = !strcmp(s->key, "ipv6");
    *(six ? &u->ipv6_said : &u->ipv4_said) = on;
    *(six ? &u->no_ipv6 : &u->no_ipv4) = !on;
}

static void text_add(char **list, unsigned *count, unsigned room, const char *option, const struct suboption *s)
{
    if (*count == room)
        die("%s: more than %u times %s=", option, room, s->key);
    list[(*count)++] = text_copy(s->value);
}
static void hostfwd_add(void *target, const char *option, const struct suboption *s)
{
    struct user *u = target;
    text_add(u->hostfwd, &u->hostfwd_count, MAX_FORWARDS, option, s);
}
static void guestfwd_add(void *target, const char *option, const struct suboption *s)
{
    struct user *u = target;
    text_add(u->guestfwd, &u->guestfwd_count, MAX_FORWARDS, option, s);
}
static void search_add(void *target, const char *option, const struct suboption *s)
{
    struct user *u = target;
    text_add(u->search, &u->search_count, MAX_SEARCH, option, s);
}

static const struct property rows[] = {
    NETDEV_ROWS(struct user),
    PROPERTY_BY("ipv4", family_said),
    PROPERTY_BY("ipv6", family_said),
    PROPERTY("net", PROPERTY_TEXT, struct user, net),
    PROPERTY("host", PROPERTY_TEXT, struct user, host),
    PROPERTY("dhcpstart", PROPERTY_TEXT, struct user, dhcpstart),
    PROPERTY("dns", PROPERTY_TEXT, struct user, dns),
    PROPERTY_BY("dnssearch", search_add),
    PROPERTY("hostname", PROPERTY_TEXT, struct user, hostname),
    PROPERTY("domainname", PROPERTY_TEXT, struct user, domainname),
    PROPERTY("tftp", PROPERTY_TEXT, struct user, tftp),
    PROPERTY("tftp-server-name", PROPERTY_TEXT, struct user, tftp_server),
    PROPERTY("bootfile", PROPERTY_TEXT, struct user, bootfile),
    PROPERTY("restrict", PROPERTY_ON, struct user, restricted),
    PROPERTY_BY("hostfwd", hostfwd_add),
    PROPERTY_BY("guestfwd", guestfwd_add),
    PROPERTY("ipv6-net", PROPERTY_TEXT, struct user, ipv6_net),
    PROPERTY("ipv6-prefix", PROPERTY_TEXT, struct user, ipv6_prefix),
    PROPERTY("ipv6-prefixlen", PROPERTY_NUMBER, struct user, ipv6_prefixlen),
    PROPERTY("ipv6-host", PROPERTY_TEXT, struct user, ipv6_host),
    PROPERTY("ipv6-dns", PROPERTY_TEXT, struct user, ipv6_dns),
};

static void tftp_open(struct net_end *e, const char *folder, const SlirpConfig *c)
{
    struct tftp *t = &state_of(e)->tftp;
    *t = (struct tftp){ .root = -1, .four = c->in_enabled, .six = c->in6_enabled };
    memcpy(t->host, &c->vhost, sizeof(t->host));
    memcpy(t->host6, &c->vhost6, sizeof(t->host6));
    if (folder[0])
        t->root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder[0] && t->root < 0) /* scripts name folders that they have not always made */
        fprintf(stderr, "elmu: warning: %s: tftp=%s: %s: no file is served\n", net_name(e), folder, strerror(errno));
}

static void user_open(struct net_end *e)
{
    struct user *u = e->config->properties;
    struct state *s = e->state;
    const char *missing = library_load(&libslirp_library);
    if (missing)
        die("%s: needs a library: %s", net_name(e), missing);
    SlirpConfig c = { .version = 1, .restricted = u->restricted };
    c.in_enabled = !u->no_ipv4 && (u->ipv4_said || !u->ipv6_said); /* ipv6=on alone: only that */
    c.in6_enabled = !u->no_ipv6 && (u->ipv6_said || !u->ipv4_said);
    if (!c.in_enabled && !c.in6_enabled)
        die("%s: ipv4 and ipv6 are both off", net_name(e));
    network_read(e, u->net[0] ? u->net : "10.0.2.0/24", &c);
    address_read(e, "host", u->host, &c, &c.vhost);
    address_read(e, "dhcpstart", u->dhcpstart, &c, &c.vdhcp_start);
    address_read(e, "dns", u->dns, &c, &c.vnameserver);
    ip6_read(e, u, &c);
    c.vhostname = u->hostname[0] ? u->hostname : NULL;
    c.tftp_server_name = u->tftp_server[0] ? u->tftp_server : NULL;
    c.bootfile = u->bootfile[0] ? u->bootfile : NULL;
    c.vdnssearch = u->search_count ? (const char **)u->search : NULL;
    c.vdomainname = u->domainname[0] ? u->domainname : NULL;
    tftp_open(e, u->tftp, &c);
    s->slirp = libslirp.slirp_new(&c, &callbacks, e);
    if (!s->slirp)
        die("%s: the library cannot make a network of this", net_name(e));
    for (unsigned n = 0; n < u->hostfwd_count; n++)
        hostfwd_open(e, u->hostfwd[n]);
    for (unsigned n = 0; n < u->guestfwd_count; n++)
        guestfwd_open(e, u->guestfwd[n]);
}

static void user_close(struct net_end *e)
{
    struct state *s = e->state;
    libslirp.slirp_cleanup(s->slirp);
    tftp_close(&s->tftp);
    for (unsigned n = 0; n < s->guest_count; n++)
        if (s->guest[n].fd >= 0)
            close(s->guest[n].fd);
}

const struct netdev_kind netdev_user = {
    .name = "user",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .properties_size = sizeof(struct user),
    .state_size = sizeof(struct state),
    .open = user_open,
    .close = user_close,
    .send = user_send,
    .fill = user_fill,
    .ready = user_ready,
};
