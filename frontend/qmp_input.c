/* Keys and pointers of the machine protocol (frontend/qmp.def). */
#include "frontend/qmp.h"

#include "frontend/input.h"

static json_t *refused(struct qmp_call *c)
{
    const char *why = session_refuses(c->all->session);
    return why ? qmp_fail(c, "%s", why) : NULL;
}

/* A member of an object, of that type; where: what the object is called. NULL: said what is wrong. */
static json_t *member(struct qmp_call *c, json_t *object, const char *where, const char *name, json_type type)
{
    static const char *const words[] = {
        [JSON_OBJECT] = "object", [JSON_STRING] = "string", [JSON_INTEGER] = "integer"
    };
    json_t *value = json_object_get(object, name);
    bool boolean = type == JSON_TRUE;
    if (!value)
        qmp_fail(c, "Parameter '%s.%s' is missing", where, name);
    else if (boolean ? !json_is_boolean(value) : json_typeof(value) != type)
        qmp_fail(c, "Invalid parameter type for '%s.%s', expected: %s", where, name, boolean ? "boolean" : words[type]);
    return c->error_class ? NULL : value;
}

/* What a string names in a list; none: said so. */
static unsigned choice(struct qmp_call *c, const json_t *word, const char *name, const char *const *words,
                       unsigned count)
{
    for (unsigned n = 0; word && n < count; n++)
        if (!strcmp(json_string_value(word), words[n]))
            return n;
    if (word)
        qmp_fail(c, "Parameter '%s' does not accept value '%.40s'", name, json_string_value(word));
    return count;
}

/* {type: qcode, data: "a"} or {type: number, data: 30}: its code, or 0; a number that no key has is none. */
static unsigned key_of(struct qmp_call *c, json_t *value, const char *where)
{
    static const char *const types[] = { "qcode", "number" };
    char error[128];
    struct keys k;
    if (!json_is_object(value)) {
        qmp_fail(c, "Invalid parameter type for '%s', expected: object", where);
        return 0;
    }
    unsigned type = choice(c, member(c, value, where, "type", JSON_STRING), "type", types, ARRAY_LEN(types));
    if (c->error_class)
        return 0;
    json_t *data = member(c, value, where, "data", type ? JSON_INTEGER : JSON_STRING);
    if (!data)
        return 0;
    if (type)
        return key_by_number((u64)json_integer_value(data));
    const char *name = json_string_value(data);
    if (!strcmp(name, "unmapped") || key_by_name(name, strlen(name)))
        return key_by_name(name, strlen(name));
    keys_read(&k, name, strlen(name), error);
    qmp_fail(c, "Parameter 'data' does not accept value '%.40s'%s", name,
             strchr(error, '(') ? strchr(error, '(') - 1 : "");
    return 0;
}

json_t *qmp_send_key(struct qmp_call *c)
{
    const json_t *list = json_object_get(c->args, "keys");
    s64 hold = qmp_number(c, "hold-time", HOLD_MS);
    struct keys k = { .count = 0 };
    char where[32];
    for (size_t n = 0; n < json_array_size(list) && !c->error_class; n++) {
        snprintf(where, sizeof(where), "keys[%zu]", n);
        unsigned code = key_of(c, json_array_get(list, n), where);
        if (k.count == KEYS_TOGETHER)
            qmp_fail(c, "more than %d keys at once", KEYS_TOGETHER);
        else if (code)
            k.code[k.count++] = code;
    }
    if (c->error_class || refused(c) || !k.count || c->error_class)
        return NULL;
    const char *why = inputs_press(c->all->console->inputs, &k,
                                   hold < 1           ? HOLD_MS
                                   : hold > HOLD_MOST ? HOLD_MOST
                                                      : (u32)hold);
    return why ? qmp_fail(c, "%s", why) : NULL;
}

/* ---- input-send-event ---- */

/* One event; go: it is done, else only read. */
static void event(struct qmp_call *c, json_t *value, const char *where, bool go)
{
    static const char *const types[] = { "key", "btn", "rel", "abs" }, *const axes[] = { "x", "y" };
    static const char *const buttons[] = { "left", "right", "middle",     "wheel-up",   "wheel-down",
                                           "side", "extra", "wheel-left", "wheel-right" };
    struct inputs *in = c->all->console->inputs;
    char inner[64];
    snprintf(inner, sizeof(inner), "%s.data", where);
    if (!json_is_object(value)) {
        qmp_fail(c, "Invalid parameter type for '%s', expected: object", where);
        return;
    }
    unsigned type = choice(c, member(c, value, where, "type", JSON_STRING), "type", types, ARRAY_LEN(types));
    json_t *data = c->error_class ? NULL : member(c, value, where, "data", JSON_OBJECT);
    json_t *down = data && type < 2 ? member(c, data, inner, "down", JSON_TRUE) : NULL;
    json_t *number = data && type >= 2 ? member(c, data, inner, "value", JSON_INTEGER) : NULL;
    s32 amount = number ? (s32)json_integer_value(number) : 0;
    if (c->error_class)
        return;
    if (type == 0) {
        json_t *key = json_object_get(data, "key");
        snprintf(inner, sizeof(inner), "%s.data.key", where);
        unsigned code = key ? key_of(c, key, inner) : 0;
        if (!key)
            qmp_fail(c, "Parameter '%s' is missing", inner);
        else if (go && code)
            inputs_key(in, code, json_is_true(down));
    } else if (type == 1) {
        unsigned n = choice(c, member(c, data, inner, "button", JSON_STRING), "button", buttons, ARRAY_LEN(buttons));
        if (go && n < BUTTONS)
            inputs_button(in, n, json_is_true(down));
    } else {
        unsigned axis = choice(c, member(c, data, inner, "axis", JSON_STRING), "axis", axes, ARRAY_LEN(axes));
        if (go && type == 2)
            inputs_move_by(in, axis ? 0 : amount, axis ? amount : 0);
        else if (go)
            inputs_axis(in, axis, amount);
    }
}

/* All of them are right, or none is done. */
json_t *qmp_input_send_event(struct qmp_call *c)
{
    const json_t *list = json_object_get(c->args, "events");
    char where[32];
    if (qmp_text(c, "device")) {
        qmp_fail(c, "Device '%.80s' not found", qmp_text(c, "device"));
        c->error_class = "DeviceNotFound";
        return NULL;
    }
    for (unsigned go = 0; go < 2 && !c->error_class; go++) {
        for (size_t n = 0; n < json_array_size(list) && !c->error_class; n++) {
            snprintf(where, sizeof(where), "events[%zu]", n);
            event(c, json_array_get(list, n), where, go);
        }
        if (!c->error_class && !go && strcmp(session_state(c->all->session), "running"))
            return qmp_fail(c, "VM not running");
        if (!c->error_class && !go)
            refused(c);
    }
    inputs_sync(c->all->console->inputs);
    return NULL;
}

json_t *query_mice(struct qmp_call *c)
{
    json_t *list = json_array();
    struct pointer_info p;
    for (unsigned n = 0; inputs_pointer(c->all->console->inputs, n, &p); n++)
        json_array_append_new(list, json_pack("{s:i,s:s,s:b,s:b}", "index", (int)p.number, "name", p.name, "current",
                                              p.current, "absolute", p.absolute));
    return list;
}
