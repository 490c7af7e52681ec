/* A line that is typed: see line.h. */
#include "frontend/line.h"

enum { CTRL_N = 14, CTRL_P = 16, CTRL_U = 21, CTRL_W = 23, ESCAPE = 27, DELETE = 127 };
enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE };

static void erase(struct line *l, u32 count)
{
    for (; count && l->used; count--) {
        l->used--;
        l->echo(l->ctx, "\b \b", 3);
    }
    l->text[l->used] = 0;
}

static void add(struct line *l, char c)
{
    if (l->used == LINE_SIZE - 1)
        return;
    l->text[l->used++] = c;
    l->text[l->used] = 0;
    l->echo(l->ctx, &c, 1);
}

static u32 last_word(const struct line *l)
{
    u32 at = l->used;
    while (at && l->text[at - 1] == ' ')
        at--;
    while (at && l->text[at - 1] != ' ')
        at--;
    return l->used - at;
}

/* Another line of those before; behind the last one an empty one. */
static void recall(struct line *l, bool older)
{
    u32 first = l->kept > LINE_HISTORY ? l->kept - LINE_HISTORY : 0;
    if (older ? l->at == first : l->at == l->kept)
        return;
    l->at = older ? l->at - 1 : l->at + 1;
    erase(l, l->used);
    for (const char *p = l->at < l->kept ? l->history[l->at % LINE_HISTORY] : ""; *p; p++)
        add(l, *p);
}

/* ESC [ A and ESC [ B; other sequences are swallowed. */
static void sequence(struct line *l, u8 byte)
{
    if (l->state == AFTER_ESCAPE) {
        l->state = byte == '[' || byte == 'O' ? IN_SEQUENCE : PLAIN;
        return;
    }
    if (byte >= 0x40)
        l->state = PLAIN;
    if (byte == 'A' || byte == 'B')
        recall(l, byte == 'A');
}

bool line_take(struct line *l, u8 byte)
{
    bool rest_of_end = l->cr && byte == '\n';
    l->cr = byte == '\r';
    if (rest_of_end)
        return false;
    if (byte == '\r' || byte == '\n') {
        l->state = PLAIN;
        l->echo(l->ctx, "\n", 1);
        return true;
    }
    if (l->state != PLAIN) {
        sequence(l, byte);
        return false;
    }
    switch (byte) {
    case '\b':
    case DELETE: erase(l, 1); break;
    case CTRL_U: erase(l, l->used); break;
    case CTRL_W: erase(l, last_word(l)); break;
    case CTRL_P:
    case CTRL_N: recall(l, byte == CTRL_P); break;
    case ESCAPE: l->state = AFTER_ESCAPE; break;
    default:
        if (byte >= ' ')
            add(l, (char)byte);
    }
    return false;
}

void line_next(struct line *l)
{
    if (l->used)
        memcpy(l->history[l->kept++ % LINE_HISTORY], l->text, sizeof(l->text));
    l->at = l->kept;
    l->used = 0;
    l->text[0] = 0;
}

void line_drop(struct line *l)
{
    l->at = l->kept;
    l->used = 0;
    l->text[0] = 0;
    l->state = PLAIN;
    l->cr = false;
}
