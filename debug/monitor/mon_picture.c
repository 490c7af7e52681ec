/* The monitor command that writes a view (view/view.h) to a file. */
#include "debug/monitor/monitor.h"
#include "view/view.h"

#include <stdio.h>

/* KEY=WORD, of the words; NULL: it is not there. */
static const char *word_take(struct monitor_line *l, const char *key)
{
    size_t size = strlen(key);
    for (unsigned n = 0; n < l->count; n++) {
        const char *word = l->word[n];
        if (strncmp(word, key, size))
            continue;
        monitor_flag(l, word);
        return word + size;
    }
    return NULL;
}

static void views_print(struct text *out)
{
    text_add(
        out,
        "usage: picture VIEW [WORDS] [theme=dark|light] [size=WxH] FILE.svg; views, and the words that set them:\n");
    for (unsigned n = 0; view_get(n); n++)
        text_add(out, "%s %s\n    %s\n", view_get(n)->name, view_get(n)->words, view_get(n)->help);
}

void cmd_picture(struct monitor_line *l)
{
    struct view_picture p = { .theme = THEME_LIGHT };
    struct looker looker = { .d = l->d };
    char words[256] = "", error[256] = "";
    const char *theme = word_take(l, "theme="), *size = word_take(l, "size=");
    if (l->count < 2) {
        views_print(l->out);
        return;
    }
    for (unsigned n = 1; n + 1 < l->count; n++)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s ", l->word[n]);
    p.view = l->word[0];
    p.words = words;
    if ((theme && !view_picture_theme(&p, theme, error)) || (size && !view_picture_size(&p, size, error)) ||
        !view_picture_file(&looker, p, l->word[l->count - 1], error))
        text_add(l->out, "%s\n", error);
}
