/* The other end of -device vhost-vsock-*: a kind of net_end, which no -netdev names. */
#ifndef FRONTEND_NETDEV_VSOCK_H
#define FRONTEND_NETDEV_VSOCK_H

#include "frontend/net.h"

struct vsock_config {
    struct netdev_common common;
    u64 cid;        /* of the guest */
    char path[512]; /* "": nobody is there, and every connection is reset */
};
extern const struct netdev_kind netdev_vsock;

#endif
