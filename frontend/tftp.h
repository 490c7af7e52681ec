/* A TFTP server in the router of -netdev user: frontend/tftp.c. */
#ifndef FRONTEND_TFTP_H
#define FRONTEND_TFTP_H

#include "lib/base.h"

enum { TFTP_SESSIONS = 20, TFTP_NAME = 512, TFTP_BLOCK_MAX = 1428 };

/* Who asked: an address of IPv6, or (six is 0) of IPv4 in the first four bytes. */
struct tftp_client {
    u8 mac[6], six;
    u8 address[16];
    u16 port;
};
struct tftp_session {
    struct tftp_client client;
    int fd;    /* of the file */
    u32 block; /* the one that was sent last; 0: none yet */
    u32 size;  /* of a block, bytes */
    u64 used;  /* when it was asked last, by tftp.clock; 0: the session is free */
    bool last; /* that block is the file's last one */
};
struct tftp {
    int root;              /* descriptor of the folder; -1: none, and every file is refused */
    bool four, six;        /* families that the router speaks */
    u8 host[4], host6[16]; /* its addresses, in network order */
    u64 clock;             /* requests so far */
    struct tftp_session session[TFTP_SESSIONS];
};

/* A frame of the guest's, whole. True: it was for this server; what is answered, at most one frame, lies in `answer`,
 * and its size in *answered, 0: nothing. */
enum { TFTP_FRAME = 14 + 40 + 8 + 4 + TFTP_BLOCK_MAX };
bool tftp_takes(struct tftp *t, const u8 *frame, size_t size, u8 answer[TFTP_FRAME], size_t *answered);
/* Closes the files that are being read. */
void tftp_close(struct tftp *t);

#endif
