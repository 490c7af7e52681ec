/* Messages in a stream: see message.h. */
#include "frontend/message.h"

#include <stdlib.h>

enum { SKIP_NONE, SKIP_TO_BRACKET, SKIP_TO_LINE };

static bool is_blank(u8 byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }
static bool is_opening(u8 byte) { return byte == '{' || byte == '['; }
static bool is_closing(u8 byte) { return byte == '}' || byte == ']'; }

/* Neither JSON nor UTF-8 has it here. */
static bool is_stray(const struct message *m, u8 byte)
{
    return (byte < ' ' && (m->string || !is_blank(byte))) || byte == 0xc0 || byte == 0xc1 || byte > 0xf4;
}

static bool wrong(struct message *m, const char *why, u8 skip)
{
    m->wrong = why;
    m->skip = skip;
    return true;
}

static bool put(struct message *m, u8 byte)
{
    if (m->used == m->room) {
        u32 room = m->room ? 2 * m->room : 512;
        char *more = room <= MESSAGE_SIZE ? realloc(m->text, room) : NULL;
        if (!more)
            return false;
        m->text = more;
        m->room = room;
    }
    m->text[m->used++] = (char)byte;
    return true;
}

/* True: the byte is part of what is skipped. */
static bool skips(struct message *m, u8 byte)
{
    bool last = byte == '\n', opens = m->skip == SKIP_TO_BRACKET && is_opening(byte);
    bool was = m->skip != SKIP_NONE;
    if (last || opens)
        m->skip = SKIP_NONE;
    return was && !opens;
}

/* Within a string: is the next byte one that \ makes part of it, does it end? */
static void string_goes_on(struct message *m, u8 byte)
{
    bool escaped = m->escape;
    m->escape = !escaped && byte == '\\';
    m->string = escaped || byte != '"';
}

bool message_take(struct message *m, u8 byte)
{
    if (skips(m, byte) || (!m->used && is_blank(byte)))
        return false;
    if (is_stray(m, byte))
        return wrong(m, "stray byte", byte == '\n' ? SKIP_NONE : SKIP_TO_BRACKET);
    if (!m->depth && !m->string && is_blank(byte)) /* what was no object */
        return true;
    if (!put(m, byte))
        return wrong(m, "JSON token size limit exceeded", SKIP_TO_LINE);
    if (m->string) {
        string_goes_on(m, byte);
    } else if (byte == '"') {
        m->string = true;
    } else if (is_opening(byte)) {
        if (++m->depth > MESSAGE_DEPTH)
            return wrong(m, "JSON nesting depth limit exceeded", SKIP_TO_LINE);
    } else if (is_closing(byte)) {
        m->depth -= m->depth > 0;
        return !m->depth;
    }
    return false;
}

void message_next(struct message *m)
{
    m->used = m->depth = 0;
    m->wrong = NULL;
    m->string = m->escape = false;
}

void message_drop(struct message *m)
{
    message_next(m);
    m->skip = SKIP_NONE;
}

void message_free(struct message *m)
{
    free(m->text);
    *m = (struct message){ 0 };
}
