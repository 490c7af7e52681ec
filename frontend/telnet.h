/*
 * The part of telnet that a console needs (RFC 854, options of RFC 855 to 858): commands and negotiation are taken out
 * of what the client sends. Nothing is answered, so that a client cannot make it talk: what this side does is said
 * once, at the beginning. Pure: bytes in, bytes out.
 */
#ifndef FRONTEND_TELNET_H
#define FRONTEND_TELNET_H

#include "lib/base.h"

enum { TELNET_IAC = 255, TELNET_NOTHING = -1, TELNET_BREAK = -2 };

struct telnet {
    u8 state; /* zero: between commands */
};

/* What is said to a client that comes: this side echoes, suppresses go-ahead, and both send 8 bits. */
extern const u8 telnet_hello[12];
/* The next byte of the client's: data (0 to 255), TELNET_BREAK, or TELNET_NOTHING. */
int telnet_take(struct telnet *t, u8 byte);

#endif
