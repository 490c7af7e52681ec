/*
 * The types of the machine protocol, as frontend/qmp.def and frontend/qmp_type.def write them: whether arguments are
 * what their row says, and query-qmp-schema, which tells all rows to a client. Of QEMU's schema it has no alternates,
 * variants, features and conditions.
 */
#include "frontend/qmp.h"

#include <stdio.h>

enum { PATH = 160 /* of a member in arguments, as errors name it */ };

/* A TYPE of the tables, which need not end there. */
struct type {
    const char *at;
    size_t size;
};

struct member {
    char name[40];
    struct type type;
    bool optional;
};

static bool is_any(const json_t *value) { return value != NULL; }
static bool is_integer(const json_t *value) { return json_is_integer(value); }
static bool is_string(const json_t *value) { return json_is_string(value); }
static bool is_boolean(const json_t *value) { return json_is_boolean(value); }

static const struct builtin {
    char letter;
    const char *name, *json; /* in the schema; in JSON, and in errors */
    const char *words;
    bool (*is)(const json_t *value);
} builtins[] = {
    { 'i', "int", "int", "integer", is_integer },
    { 's', "str", "string", "string", is_string },
    { 'b', "bool", "boolean", "boolean", is_boolean },
    { 'v', "any", "value", "any value", is_any },
};

static const struct named {
    const char *name, *content;
    bool object; /* else an enumeration */
} named[] = {
#define QMP_ENUM(name, words)     { name, words, false },
#define QMP_OBJECT(name, members) { name, members, true },
#include "frontend/qmp_type.def"
};

static const struct {
    const char *name, *args, *answer;
} commands[] = {
#define QMP(name, args, function, ...) { name, args, "" __VA_ARGS__ },
#include "frontend/qmp.def"
};

static const struct {
    const char *name, *members;
} events[] = {
#define QMP_EVENT(name, ...) { name, "" __VA_ARGS__ },
#include "frontend/qmp.def"
};

/* ---- the notation ---- */

static struct type type_of(const char *text) { return (struct type){ text, strcspn(text, " ") }; }

/* An array's type without its brackets. */
static struct type element_of(struct type t)
{
    return t.at[0] == 'a' ? type_of("v") : (struct type){ t.at + 1, t.size - 2 };
}

static bool is_array(struct type t) { return t.at[0] == '[' || (t.at[0] == 'a' && t.size == 1); }

static const struct builtin *builtin_of(struct type t)
{
    for (unsigned n = 0; t.size == 1 && n < ARRAY_LEN(builtins); n++)
        if (builtins[n].letter == t.at[0])
            return &builtins[n];
    return NULL;
}

static const struct named *named_of(struct type t)
{
    for (unsigned n = 0; n < ARRAY_LEN(named); n++)
        if (!strncmp(named[n].name, t.at, t.size) && !named[n].name[t.size])
            return &named[n];
    assert(!"a type of the tables");
    return NULL;
}

/* The next NAME[?]:TYPE. False: there is none. */
static bool member_next(const char **at, struct member *m)
{
    const char *p = *at + strspn(*at, " ");
    size_t size = strcspn(p, "?:");
    if (!*p || size >= sizeof(m->name))
        return false;
    memcpy(m->name, p, size);
    m->name[size] = 0;
    m->optional = p[size] == '?';
    m->type = type_of(p + size + 1 + m->optional);
    *at = m->type.at + m->type.size;
    return true;
}

/* The next word of an enumeration. */
static bool word_next(const char **at, struct type *word)
{
    word->at = *at + strspn(*at, " ");
    word->size = strcspn(word->at, " ");
    *at = word->at + word->size;
    return word->size != 0;
}

/* ---- arguments ---- */

static bool object_fits(struct qmp_call *c, const char *members, json_t *object, const char *prefix);
static bool value_fits(struct qmp_call *c, struct type t, json_t *value, const char *path);

static bool wrong_type(struct qmp_call *c, const char *path, const char *expected)
{
    qmp_fail(c, "Invalid parameter type for '%s', expected: %s", path, expected);
    return false;
}

static bool array_fits(struct qmp_call *c, struct type element, json_t *array, const char *path)
{
    char name[PATH];
    for (size_t n = 0; n < json_array_size(array); n++) {
        snprintf(name, sizeof(name), "%.100s[%zu]", path, n);
        if (!value_fits(c, element, json_array_get(array, n), name))
            return false;
    }
    return true;
}

static bool word_fits(struct qmp_call *c, const char *words, const char *word, const char *path)
{
    if (word_among(words, word))
        return true;
    qmp_fail(c, "Parameter '%s' does not accept value '%.80s'", path, word);
    return false;
}

static bool value_fits(struct qmp_call *c, struct type t, json_t *value, const char *path)
{
    const struct builtin *b = builtin_of(t);
    if (b)
        return b->is(value) || wrong_type(c, path, b->words);
    if (is_array(t))
        return json_is_array(value) ? array_fits(c, element_of(t), value, path) : wrong_type(c, path, "array");
    const struct named *type = named_of(t);
    char prefix[PATH];
    snprintf(prefix, sizeof(prefix), "%.100s.", path);
    if (type->object)
        return json_is_object(value) ? object_fits(c, type->content, value, prefix) : wrong_type(c, path, "object");
    return json_is_string(value) ? word_fits(c, type->content, json_string_value(value), path)
                                 : wrong_type(c, path, "string");
}

/* Is it one of the members? */
static bool is_member(const char *members, const char *key)
{
    struct member m;
    while (member_next(&members, &m))
        if (!strcmp(key, m.name))
            return true;
    return false;
}

static bool object_fits(struct qmp_call *c, const char *members, json_t *object, const char *prefix)
{
    struct member m;
    char path[PATH];
    for (const char *at = members; member_next(&at, &m);) {
        json_t *value = json_object_get(object, m.name);
        snprintf(path, sizeof(path), "%.100s%s", prefix, m.name);
        if (!value && !m.optional)
            qmp_fail(c, "Parameter '%s' is missing", path);
        if (value ? !value_fits(c, m.type, value, path) : !m.optional)
            return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (is_member(members, key))
            continue;
        qmp_fail(c, "Parameter '%s%.80s' is unexpected", prefix, key);
        return false;
    }
    return true;
}

bool qmp_args_fit(struct qmp_call *c, const char *row) { return object_fits(c, row, c->args, ""); }

/* ---- query-qmp-schema ---- */

enum { TYPE_NAME = 96 };

struct schema {
    json_t *list, *there; /* there: names of types that it has */
};

static void type_name(struct type t, char name[TYPE_NAME])
{
    const struct builtin *b = builtin_of(t);
    char element[TYPE_NAME];
    if (is_array(t)) {
        type_name(element_of(t), element);
        snprintf(name, TYPE_NAME, "[%.80s]", element);
    } else {
        snprintf(name, TYPE_NAME, "%.*s", (int)(b ? strlen(b->name) : t.size), b ? b->name : t.at);
    }
}

static json_t *schema_entry(struct schema *s, const char *name, const char *meta)
{
    json_t *entry = json_pack("{s:s,s:s}", "name", name, "meta-type", meta);
    json_array_append_new(s->list, entry);
    return entry;
}

static void type_add(struct schema *s, struct type t);

/* Members of an object, with the types that they bring. */
static void members_add(struct schema *s, json_t *entry, const char *members)
{
    json_t *list = json_array();
    struct member m;
    json_object_set_new(entry, "members", list);
    while (member_next(&members, &m)) {
        char name[TYPE_NAME];
        type_name(m.type, name);
        json_t *member = json_pack("{s:s,s:s}", "name", m.name, "type", name);
        if (m.optional)
            json_object_set_new(member, "default", json_null());
        json_array_append_new(list, member);
        type_add(s, m.type);
    }
}

static void words_add(json_t *entry, const char *words)
{
    json_t *members = json_array(), *values = json_array();
    struct type word;
    while (word_next(&words, &word)) {
        json_array_append_new(values, json_stringn(word.at, word.size));
        json_array_append_new(members, json_pack("{s:o}", "name", json_stringn(word.at, word.size)));
    }
    json_object_set_new(entry, "members", members);
    json_object_set_new(entry, "values", values);
}

/* Once. */
static void type_add(struct schema *s, struct type t)
{
    char name[TYPE_NAME], element[TYPE_NAME];
    const struct builtin *b = builtin_of(t);
    type_name(t, name);
    if (json_object_get(s->there, name))
        return;
    json_object_set_new(s->there, name, json_true());
    if (b) {
        json_object_set_new(schema_entry(s, name, "builtin"), "json-type", json_string(b->json));
    } else if (is_array(t)) {
        type_name(element_of(t), element);
        json_object_set_new(schema_entry(s, name, "array"), "element-type", json_string(element));
        type_add(s, element_of(t));
    } else if (named_of(t)->object) {
        members_add(s, schema_entry(s, name, "object"), named_of(t)->content);
    } else {
        words_add(schema_entry(s, name, "enum"), named_of(t)->content);
    }
}

/* An object that no row names, of a command or event; all without members are one. */
static json_t *unnamed_add(struct schema *s, const char *of, const char *members)
{
    char name[TYPE_NAME];
    snprintf(name, sizeof(name), members[0] ? "%.80s-arg" : "empty", of);
    if (!json_object_get(s->there, name)) {
        json_object_set_new(s->there, name, json_true());
        members_add(s, schema_entry(s, name, "object"), members);
    }
    return json_string(name);
}

static void command_add(struct schema *s, unsigned n)
{
    char name[TYPE_NAME];
    struct type answer = type_of(commands[n].answer);
    json_t *entry = schema_entry(s, commands[n].name, "command");
    json_object_set_new(entry, "arg-type", unnamed_add(s, commands[n].name, commands[n].args));
    if (answer.size) {
        type_name(answer, name);
        type_add(s, answer);
    }
    json_object_set_new(entry, "ret-type", answer.size ? json_string(name) : unnamed_add(s, "", ""));
}

json_t *query_qmp_schema(struct qmp_call *c)
{
    struct schema s = { json_array(), json_object() };
    (void)c;
    for (unsigned n = 0; n < ARRAY_LEN(commands); n++)
        command_add(&s, n);
    for (unsigned n = 0; n < ARRAY_LEN(events); n++)
        json_object_set_new(schema_entry(&s, events[n].name, "event"), "arg-type",
                            unnamed_add(&s, events[n].name, events[n].members));
    json_decref(s.there);
    return s.list;
}
