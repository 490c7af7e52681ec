/* Telnet: see telnet.h. */
#include "frontend/telnet.h"

enum { SE = 240, BRK = 243, SB = 250, WILL = 251, DO = 253, DONT = 254 };
enum { OPTION_BINARY = 0, OPTION_ECHO = 1, OPTION_NO_GO_AHEAD = 3 };
enum { BETWEEN, AFTER_IAC, AFTER_VERB, WITHIN, WITHIN_IAC };

const u8 telnet_hello[12] = { TELNET_IAC, WILL, OPTION_ECHO,   TELNET_IAC, WILL, OPTION_NO_GO_AHEAD,
                              TELNET_IAC, WILL, OPTION_BINARY, TELNET_IAC, DO,   OPTION_BINARY };

/* The byte after IAC. */
static int command(struct telnet *t, u8 byte)
{
    t->state = byte == SB ? WITHIN : byte >= WILL && byte <= DONT ? AFTER_VERB : BETWEEN;
    return byte == TELNET_IAC ? TELNET_IAC : byte == BRK ? TELNET_BREAK : TELNET_NOTHING;
}

int telnet_take(struct telnet *t, u8 byte)
{
    switch (t->state) {
    case AFTER_IAC: return command(t, byte);
    case AFTER_VERB: t->state = BETWEEN; return TELNET_NOTHING;
    case WITHIN: t->state = byte == TELNET_IAC ? WITHIN_IAC : WITHIN; return TELNET_NOTHING;
    case WITHIN_IAC: t->state = byte == SE ? BETWEEN : WITHIN; return TELNET_NOTHING;
    default:
        if (byte != TELNET_IAC)
            return byte;
        t->state = AFTER_IAC;
        return TELNET_NOTHING;
    }
}
