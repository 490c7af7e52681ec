/*
 * A stream of bytes cut into JSON messages, without reading them: an object or array ends with the bracket that closes
 * it, whatever lies between messages; anything else ends with its line. A byte that no JSON has (a control character in
 * a string, 0xff) ends the message as a wrong one, so that a peer that lost its place can begin again. Pure: it knows
 * no peer.
 */
#ifndef FRONTEND_MESSAGE_H
#define FRONTEND_MESSAGE_H

#include "lib/base.h"

enum { MESSAGE_SIZE = 1 << 20 /* bytes at most */, MESSAGE_DEPTH = 1024 };

struct message {
    char *text; /* no 0 at its end */
    u32 used, room, depth;
    const char *wrong; /* why it is no JSON, or NULL */
    u8 skip;           /* what is left of a wrong one is not looked at */
    bool string, escape;
};

/* The next byte. True: `text` is a whole message, or it is a wrong one; message_next before the next byte. */
bool message_take(struct message *m, u8 byte);
/* Begins another. */
void message_next(struct message *m);
/* Who wrote is gone. */
void message_drop(struct message *m);
void message_free(struct message *m);

#endif
