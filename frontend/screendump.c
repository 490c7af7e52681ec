/* Pictures of the guest's screens, and the monitors' command that makes them. Looking changes nothing. */
#include "frontend/screendump.h"

#include "board/display.h"
#include "debug/file.h"
#include "frontend/hmp.h"
#include "frontend/qmp.h"

#include <stdlib.h>

bool screendump_take(struct machine *m, unsigned n, struct screendump *p, char error[256])
{
    struct screen s;
    *p = (struct screendump){ 0 };
    if (!machine_screen(m, n, &s))
        snprintf(error, 256, "There is no console to take a screendump from");
    else if (!s.width)
        snprintf(error, 256, "screen %u (%s) shows nothing yet: the guest has not switched it on", n, s.name);
    else if (!(p->rgb = malloc((u64)s.width * s.height * 3)))
        snprintf(error, 256, "no memory for a picture of %u x %u", s.width, s.height);
    else
        *p = (struct screendump){ s.width, s.height, p->rgb };
    u8 *to = p->rgb;
    if (!to)
        return false;
    u32 row[SCREEN_MAX];
    for (u32 y = 0; y < p->height; y++) {
        machine_screen_read(m, n, 0, y, p->width, 1, row, p->width);
        for (u32 x = 0; x < p->width; x++, to += 3) {
            to[0] = (u8)(row[x] >> 16);
            to[1] = (u8)(row[x] >> 8);
            to[2] = (u8)row[x];
        }
    }
    return true;
}

static bool file_whole(const char *name, const char *head, const u8 *bytes, u64 size, char error[256])
{
    struct new_file *f = new_file_open(name, error);
    return f && (new_file_put(f, head, strlen(head)), new_file_put(f, bytes, size), new_file_done(f, error));
}

bool screendump_write(const struct screendump *p, const char *format, const char *file, char error[256])
{
    char head[64] = "";
    u64 size = (u64)p->width * p->height * 3;
    bool is_png = !strcmp(format, "png");
    u8 *png = is_png ? screendump_png(p, &size, error) : NULL;
    if (!is_png)
        snprintf(head, sizeof(head), "P6\n%u %u\n255\n", p->width, p->height);
    bool ok = (!is_png || png) && file_whole(file, head, is_png ? png : p->rgb, size, error);
    free(png);
    return ok;
}

bool screendump_at_end(struct machine *m, const struct options *o)
{
    struct screendump p = { 0 };
    char error[256];
    size_t length = strlen(o->screendump);
    bool is_png = length > 4 && !strcmp(o->screendump + length - 4, ".png");
    bool ok = !length || (screendump_take(m, (unsigned)o->screendump_screen, &p, error) &&
                          screendump_write(&p, is_png ? "png" : "ppm", o->screendump, error));
    free(p.rgb);
    if (!ok)
        fprintf(stderr, "elmu: -screendump: %s\n", error);
    return ok;
}

/* ---- the command ---- */

int screendump_screen(struct machine *m, const struct options *o, const char *device, u32 head, char error[256])
{
    unsigned screen = row_count(m, ROW_ramfb), number = 0;
    if (!device)
        return (int)head;
    for (unsigned n = 0; n < o->device_count; n++) {
        bool has = virtio_back_end(o->device[n].kind) == BACK_END_SCREEN && number < MAX_GPUS;
        u32 heads = has ? m->options.gpu[number].outputs : 0;
        if (heads && !strcmp(o->device[n].id, device)) {
            if (head < heads)
                return (int)(screen + head);
            snprintf(error, 256, "Device '%.80s' has no head %u (it has %u)", device, head, heads);
            return -1;
        }
        screen += heads;
        number += heads != 0;
    }
    snprintf(error, 256, "Device '%.80s' not found among those with a screen", device);
    return -1;
}

static bool screendump(struct machine *m, const struct options *o, const char *file, const char *format,
                       const char *device, s64 head, char error[256])
{
    struct screendump p = { 0 };
    int screen = -1;
    if (format && strcmp(format, "ppm") && strcmp(format, "png"))
        snprintf(error, 256, "Parameter 'format' does not accept value '%.40s' (there are: ppm, png)", format);
    else if (head >= 0 && !device)
        snprintf(error, 256, "'head' must be specified together with 'device'");
    else
        screen = screendump_screen(m, o, device, head > 0 ? (u32)head : 0, error);
    bool ok = screen >= 0 && screendump_take(m, (unsigned)screen, &p, error) &&
              screendump_write(&p, format ? format : "ppm", file, error);
    free(p.rgb);
    return ok;
}

/* FILE [-f FORMAT] [DEVICE [HEAD]], the format before or behind the file. */
void hmp_screendump(struct hmp *h)
{
    const char *word[3] = { NULL }, *format = NULL;
    unsigned count = 0;
    char error[256], *end = "";
    for (char *w; (w = hmp_word(h))[0];)
        if (!strcmp(w, "-f"))
            format = hmp_word(h);
        else if (count < ARRAY_LEN(word))
            word[count++] = w;
        else
            count = ARRAY_LEN(word) + 1;
    s64 head = count == 3 ? strtol(word[2], &end, 0) : -1;
    if (!count || count > ARRAY_LEN(word) || *end || (count == 3 && (head < 0 || head > UINT32_MAX)))
        hmp_fail(h, "screendump FILE [-f ppm|png] [DEVICE [HEAD]]");
    else if (!screendump(h->m, h->o, word[0], format, word[1], head, error))
        hmp_fail(h, "%s", error);
}

json_t *qmp_screendump(struct qmp_call *c)
{
    char error[256];
    s64 head = qmp_number(c, "head", -1);
    if (head < -1 || head > UINT32_MAX)
        return qmp_fail(c, "Parameter 'head' expects the number of a screen");
    if (!screendump(c->all->m, c->all->o, qmp_text(c, "filename"), qmp_text(c, "format"), qmp_text(c, "device"), head,
                    error))
        return qmp_fail(c, "%s", error);
    return NULL;
}
