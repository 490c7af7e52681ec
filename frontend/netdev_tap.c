/*
 * -netdev tap: an interface of the host's, for those who may have one. Scripts are not run (script=no is how it is).
 */
#define _GNU_SOURCE
#include "frontend/net.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_MOST = 64 };

struct tap_words {
    struct netdev_common common;
    char ifname[IFNAMSIZ], fd[16];
};
static const struct property rows[] = {
    NETDEV_ROWS(struct tap_words),
    PROPERTY("ifname", PROPERTY_TEXT, struct tap_words, ifname),
    PROPERTY("fd", PROPERTY_TEXT, struct tap_words, fd),
    PROPERTY_ACCEPTED("script", "no"),
    PROPERTY_ACCEPTED("downscript", "no"),
    PROPERTY_ACCEPTED("vhost", "off"),
    PROPERTY_ACCEPTED("queues", ""),
    PROPERTY_ACCEPTED("sndbuf", ""),
    PROPERTY_ACCEPTED("vnet_hdr", ""),
};

struct tap {
    int fd;
};

static int interface_open(const struct net_end *e, const char *name)
{
    struct ifreq wanted = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    memcpy(wanted.ifr_name, name, strlen(name) + 1);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        die("%s: could not open /dev/net/tun: %s", net_name(e), strerror(errno));
    if (ioctl(fd, TUNSETIFF, &wanted))
        die("%s: could not configure /dev/net/tun (%s): %s", net_name(e), name[0] ? name : "tap%d", strerror(errno));
    return fd;
}

static void tap_open(struct net_end *e)
{
    const struct tap_words *w = e->config->properties;
    struct tap *t = e->state;
    t->fd = w->fd[0] ? (int)suboption_number(net_name(e), w->fd, 1) : interface_open(e, w->ifname);
    if (fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK) < 0)
        die("%s: fd=%s: %s", net_name(e), w->fd, strerror(errno));
}

static void tap_close(struct net_end *e) { close(((struct tap *)e->state)->fd); }

/* What finds no room is lost. */
static void tap_send(struct net_end *e, const u8 *frame, size_t size)
{
    ssize_t sent = write(((struct tap *)e->state)->fd, frame, size);
    (void)sent;
}

static unsigned tap_fill(struct net_end *e, struct pollfd *fds, unsigned room, u32 *ms)
{
    (void)ms;
    if (!room)
        return 0;
    fds[0] = (struct pollfd){ .fd = ((struct tap *)e->state)->fd, .events = POLLIN };
    return 1;
}

static void tap_ready(struct net_end *e, const struct pollfd *fds, unsigned count)
{
    u8 frame[FRAME_MAX];
    ssize_t size = 0;
    for (unsigned n = 0; count && fds[0].revents && n < READ_MOST; n++) {
        size = read(fds[0].fd, frame, sizeof(frame));
        if (size <= 0)
            return;
        net_hear(e, frame, (size_t)size);
    }
}

const struct netdev_kind netdev_tap = {
    .name = "tap",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .properties_size = sizeof(struct tap_words),
    .state_size = sizeof(struct tap),
    .open = tap_open,
    .close = tap_close,
    .send = tap_send,
    .fill = tap_fill,
    .ready = tap_ready,
};
