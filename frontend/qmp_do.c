/* What the machine protocol (frontend/qmp.def) does to the machine, and what it writes to files. */
#include "frontend/qmp.h"

#include "debug/debugger.h"
#include "debug/dump.h"

#include <stdlib.h>

static json_t *asked(struct qmp_call *c, enum session_ask ask)
{
    const char *why = session_ask(c->all->session, ask);
    return why ? qmp_fail(c, "%s", why) : NULL;
}

json_t *qmp_stop(struct qmp_call *c) { return asked(c, ASK_STOP); }
json_t *qmp_cont(struct qmp_call *c) { return asked(c, ASK_CONT); }
json_t *qmp_quit(struct qmp_call *c) { return asked(c, ASK_QUIT); }
json_t *qmp_system_reset(struct qmp_call *c) { return asked(c, ASK_RESET); }
json_t *qmp_system_powerdown(struct qmp_call *c) { return asked(c, ASK_POWERDOWN); }
json_t *qmp_system_wakeup(struct qmp_call *c)
{
    return qmp_fail(c, "wake-up from suspend is not supported by this guest");
}
json_t *qmp_inject_nmi(struct qmp_call *c) { return qmp_fail(c, "this feature or command is not currently supported"); }

json_t *qmp_balloon(struct qmp_call *c)
{
    s64 value = qmp_number(c, "value", 0);
    const char *why = value < 0 ? "Parameter 'target' expects a size" : session_balloon(c->all->session, (u64)value);
    if (why)
        qmp_fail(c, "%s", why);
    if (why && !strncmp(why, "No balloon", 10))
        c->error_class = "DeviceNotActive";
    return NULL;
}

/* The CPU that cpu-index names, else the first. NULL: there is none. */
static const struct cpu *cpu_of(struct qmp_call *c)
{
    s64 n = qmp_number(c, "cpu-index", 0);
    if (n >= 0 && n < (s64)c->all->m->options.cpu_count)
        return &c->all->m->d.cpu[n];
    qmp_fail(c, "Parameter 'cpu-index' expects a CPU number");
    return NULL;
}

/* New lines as QEMU's are. */
json_t *qmp_human_monitor_command(struct qmp_call *c)
{
    bool given = qmp_number(c, "cpu-index", -1) != -1;
    const struct cpu *cpu = cpu_of(c);
    struct text out = { 0 }, lines = { 0 };
    if (!cpu)
        return NULL;
    struct debugger *d = given ? session_debugger(c->all->session) : NULL;
    u32 was = d ? d->cpu : 0;
    if (d)
        d->cpu = cpu->index;
    monitors_line(c->all->monitors, qmp_text(c, "command-line"), &out);
    if (d)
        d->cpu = was;
    for (const char *p = out.s ? out.s : ""; *p;) {
        size_t size = strcspn(p, "\n");
        text_bytes(&lines, p, size);
        if (p[size])
            text_bytes(&lines, "\r\n", 2);
        p += size + (p[size] != 0);
    }
    json_t *answer = qmp_string(lines.s ? lines.s : "", lines.length);
    text_free(&out);
    text_free(&lines);
    return answer;
}

/* ---- files ---- */

static json_t *memory_save(struct qmp_call *c, const struct cpu *cpu)
{
    char error[256];
    s64 size = qmp_number(c, "size", 0);
    if (size < 0)
        return qmp_fail(c, "Parameter 'size' expects a number of bytes");
    if (!memory_write(c->all->m, cpu, (u64)qmp_number(c, "val", 0), (u64)size, qmp_text(c, "filename"),
                      terminal_interrupted, error))
        return qmp_fail(c, "%s", error);
    return NULL;
}

json_t *qmp_pmemsave(struct qmp_call *c) { return memory_save(c, NULL); }

json_t *qmp_memsave(struct qmp_call *c)
{
    const struct cpu *cpu = cpu_of(c);
    return cpu ? memory_save(c, cpu) : NULL;
}

json_t *qmp_dump_guest_memory(struct qmp_call *c)
{
    const char *to = qmp_text(c, "protocol");
    s64 begin = qmp_number(c, "begin", 0), length = qmp_number(c, "length", 0);
    bool part = json_object_get(c->args, "begin") != NULL;
    char error[256];
    if (part != (json_object_get(c->args, "length") != NULL))
        return qmp_fail(c, "Parameter '%s' is missing", part ? "length" : "begin");
    if (qmp_flag(c, "paging") && part)
        return qmp_fail(c, "parameter 'paging' is not compatible with 'begin' and 'length'");
    if (qmp_flag(c, "paging"))
        return qmp_fail(c, "Parameter 'paging' is not supported: addresses of a dump are physical");
    if (begin < 0 || length < 0 || (part && !length))
        return qmp_fail(c, "Invalid parameter '%s'", begin < 0 ? "begin" : "length");
    if (strncmp(to, "file:", 5))
        return qmp_fail(c, "Invalid parameter 'protocol' (file:NAME)");
    if (!dump_write(c->all->m, to + 5, (u64)begin, (u64)length, error))
        return qmp_fail(c, "%s", error);
    c->all->dumped = dump_size(c->all->m, (u64)begin, (u64)length);
    qmp_event(c->all, "DUMP_COMPLETED",
              json_pack("{s:{s:I,s:s,s:I}}", "result", "total", (json_int_t)c->all->dumped, "status", "completed",
                        "completed", (json_int_t)c->all->dumped));
    return NULL;
}

/* ---- snapshots, which are jobs ---- */

static void job_tell(struct qmp *q, const struct qmp_job *j, const char *status)
{
    qmp_event(q, "JOB_STATUS_CHANGE", json_pack("{s:s,s:s}", "status", status, "id", j->id));
}

static struct qmp_job *job_find(struct qmp *q, const char *id)
{
    for (unsigned n = 0; n < JOBS; n++)
        if (q->job[n].type && !strcmp(q->job[n].id, id))
            return &q->job[n];
    return NULL;
}

static bool id_is_good(const char *id)
{
    return strlen(id) < sizeof(((struct qmp_job *)0)->id) && ((id[0] | 32) >= 'a' && (id[0] | 32) <= 'z') &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == strlen(id);
}

/* A new one, which its creator fills with how it went. NULL: said why not. */
static struct qmp_job *job_begin(struct qmp_call *c, const char *type)
{
    const char *id = qmp_text(c, "job-id");
    struct qmp_job *j = NULL;
    if (!id_is_good(id))
        qmp_fail(c, "Invalid job ID '%.80s'", id);
    else if (job_find(c->all, id))
        qmp_fail(c, "Job ID '%.80s' already in use", id);
    for (unsigned n = 0; !c->error_class && !j && n < JOBS; n++)
        j = c->all->job[n].type ? NULL : &c->all->job[n];
    if (!c->error_class && !j)
        qmp_fail(c, "%d jobs are there, which job-dismiss would end", JOBS);
    if (!j)
        return NULL;
    *j = (struct qmp_job){ .type = type };
    snprintf(j->id, sizeof(j->id), "%s", id);
    job_tell(c->all, j, "created");
    job_tell(c->all, j, "running");
    return j;
}

static json_t *job_end(struct qmp_call *c, struct qmp_job *j, bool ok)
{
    if (ok)
        j->error[0] = 0;
    if (ok)
        job_tell(c->all, j, "waiting");
    job_tell(c->all, j, ok ? "pending" : "aborting");
    job_tell(c->all, j, "concluded");
    return NULL;
}

json_t *qmp_snapshot_save(struct qmp_call *c)
{
    struct qmp_job *j = job_begin(c, "snapshot-save");
    return j ? job_end(c, j, snapshots_save(c->all->m, c->all->o, qmp_text(c, "tag"), j->error)) : NULL;
}

json_t *qmp_snapshot_load(struct qmp_call *c)
{
    struct qmp_job *j = job_begin(c, "snapshot-load");
    if (!j)
        return NULL;
    bool ok = snapshots_load(session_debugger(c->all->session), c->all->o, qmp_text(c, "tag"), j->error);
    if (ok)
        session_moved(c->all->session);
    return job_end(c, j, ok);
}

json_t *qmp_snapshot_delete(struct qmp_call *c)
{
    struct qmp_job *j = job_begin(c, "snapshot-delete");
    return j ? job_end(c, j, snapshots_delete(c->all->o, qmp_text(c, "tag"), j->error)) : NULL;
}

json_t *qmp_job_dismiss(struct qmp_call *c)
{
    struct qmp_job *j = job_find(c->all, qmp_text(c, "id"));
    if (!j)
        return qmp_fail(c, "Job not found");
    job_tell(c->all, j, "null");
    j->type = NULL;
    return NULL;
}

/* ---- back ends ---- */

enum { RING_MOST = 1 << 16 /* bytes that one answer has */ };

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_add(struct text *t, const u8 *bytes, size_t size)
{
    for (size_t n = 0; n < size; n += 3) {
        size_t part = size - n < 3 ? size - n : 3;
        u32 word = (u32)bytes[n] << 16 | (part > 1 ? (u32)bytes[n + 1] << 8 : 0) | (part > 2 ? bytes[n + 2] : 0);
        char four[4];
        for (unsigned k = 0; k < 4; k++)
            four[k] = k <= part ? base64_digits[word >> (18 - 6 * k) & 63] : '=';
        text_bytes(t, four, 4);
    }
}

/* False: it is none. Padding ends it. */
static bool base64_take(struct text *t, const char *text)
{
    size_t size = strlen(text);
    if (size % 4)
        return false;
    for (size_t n = 0; n < size; n += 4) {
        u32 word = 0, bytes = 3;
        for (unsigned k = 0; k < 4; k++) {
            const char *digit = strchr(base64_digits, text[n + k]);
            bool pad = text[n + k] == '=' && n + 4 == size && k >= 2 && (k == 3 || text[n + 3] == '=');
            if (!digit && !pad)
                return false;
            bytes -= pad;
            word = word << 6 | (pad ? 0 : (u32)(digit - base64_digits));
        }
        u8 three[3] = { (u8)(word >> 16), (u8)(word >> 8), (u8)word };
        text_bytes(t, three, bytes);
    }
    return true;
}

static struct chardev *ring_of(struct qmp_call *c)
{
    const char *id = qmp_text(c, "device");
    struct chardev *ring = chardev_find(&c->all->console->ends, id);
    if (!ring)
        qmp_fail(c, "Device '%.80s' not found", id);
    else if (!ring->ring)
        qmp_fail(c, "%.80s is not a ringbuf device", id);
    return c->error_class ? NULL : ring;
}

static bool is_base64(const struct qmp_call *c)
{
    const char *format = qmp_text(c, "format");
    return format && !strcmp(format, "base64");
}

json_t *qmp_ringbuf_read(struct qmp_call *c)
{
    struct chardev *ring = ring_of(c);
    s64 size = qmp_number(c, "size", 0);
    bool base64 = is_base64(c);
    struct text bytes = { 0 }, coded = { 0 };
    if (!ring)
        return NULL;
    if (size <= 0)
        return qmp_fail(c, "size must be greater than zero");
    for (size = size < RING_MOST ? size : RING_MOST; size && ring->ring_used; size--, ring->ring_used--)
        text_bytes(&bytes, &ring->ring[ring->ring_at++ & (ring->config->size - 1)], 1);
    if (base64)
        base64_add(&coded, (const u8 *)bytes.s, bytes.length);
    const struct text *t = base64 ? &coded : &bytes;
    json_t *answer = qmp_string(t->s ? t->s : "", t->length);
    text_free(&bytes);
    text_free(&coded);
    return answer;
}

json_t *qmp_ringbuf_write(struct qmp_call *c)
{
    struct chardev *ring = ring_of(c);
    const char *data = qmp_text(c, "data");
    struct text bytes = { 0 };
    if (!ring)
        return NULL;
    if (!is_base64(c))
        chardev_write(ring, data, strlen(data));
    else if (base64_take(&bytes, data))
        chardev_write(ring, bytes.s ? bytes.s : "", bytes.length);
    else
        qmp_fail(c, "Invalid base64 data");
    text_free(&bytes);
    return NULL;
}

/* No UART here hears of a break. */
json_t *qmp_send_break(struct qmp_call *c)
{
    const char *id = qmp_text(c, "id");
    return chardev_find(&c->all->console->ends, id) ? NULL : qmp_fail(c, "Chardev '%.80s' not found", id);
}
