/*
 * Windows by SDL2, which is loaded when the first is wanted: desktop.h. Pixels go to the window's own surface, so that
 * no graphics library is loaded and no thread begins; gl=on has SDL do that by what is fast there.
 */
#include "frontend/display/desktop.h"

#include "debug/library.h"

#include <SDL2/SDL.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS(F) F(SDL_ConvertPixels) F(SDL_CreateWindow) F(SDL_DestroyWindow) F(SDL_GetClipboardText)             \
    F(SDL_GetDisplayUsableBounds) F(SDL_GetError) F(SDL_GetModState) F(SDL_GetWindowDisplayIndex)                      \
    F(SDL_GetWindowFromID) F(SDL_GetWindowSize) F(SDL_GetWindowSurface) F(SDL_HideWindow) F(SDL_InitSubSystem)         \
    F(SDL_PollEvent) F(SDL_QuitSubSystem) F(SDL_SetHint) F(SDL_SetRelativeMouseMode) F(SDL_SetWindowFullscreen)        \
    F(SDL_SetWindowGrab) F(SDL_SetWindowKeyboardGrab) F(SDL_SetWindowMinimumSize) F(SDL_SetWindowSize)                 \
    F(SDL_SetWindowTitle) F(SDL_ShowCursor) F(SDL_ShowWindow) F(SDL_StartTextInput) F(SDL_UpdateWindowSurfaceRects)    \
    F(SDL_free) F(SDL_iconv_open)
LIBRARY(sdl, FUNCTIONS)

enum { WINDOWS = 16, LEAST_WIDTH = 320, LEAST_HEIGHT = 200 };
struct desktop_window {
    SDL_Window *sdl;
};
static struct desktop_window windows[WINDOWS];

#define TEXT_OF_(n) #n
#define TEXT_OF(n)  TEXT_OF_(n)
const char *desktop_library(void)
{
    return TEXT_OF(SDL_MAJOR_VERSION) "." TEXT_OF(SDL_MINOR_VERSION) "." TEXT_OF(SDL_PATCHLEVEL);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && value[0];
}

/* X and Wayland, where there may be one: else SDL would take what nobody sees. */
static const char *driver_choose(void)
{
    bool x = is_set("DISPLAY"), wayland = is_set("WAYLAND_DISPLAY");
    if (is_set("SDL_VIDEODRIVER"))
        return NULL;
    sdl.SDL_SetHint(SDL_HINT_VIDEODRIVER, x && wayland ? "x11,wayland" : x ? "x11" : "wayland");
    return x || wayland ? NULL : "there is no display to open it on: neither DISPLAY nor WAYLAND_DISPLAY is set";
}

const char *desktop_begin(bool fast)
{
    static char error[256];
    const char *why = library_load(&sdl_library);
    why = why ? why : driver_choose();
    if (why)
        return why;
    sdl.SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* SIGINT is frontend/terminal.c's */
    sdl.SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    sdl.SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    sdl.SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    sdl.SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    sdl.SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, fast ? "1" : "0");
    if (!sdl.SDL_InitSubSystem(SDL_INIT_VIDEO)) {
        sdl.SDL_iconv_open("UTF-8", "ISO-8859-1"); /* text by X comes so: -sandbox lets nothing be loaded later */
        sdl.SDL_StartTextInput();
        return NULL;
    }
    snprintf(error, sizeof(error), "no display can be opened (DISPLAY=%.60s): %.150s",
             is_set("DISPLAY") ? getenv("DISPLAY") : "", sdl.SDL_GetError());
    return error;
}

void desktop_end(void) { sdl.SDL_QuitSubSystem(SDL_INIT_VIDEO); }

struct desktop_window *desktop_open(const char *title, int width, int height, const char **why)
{
    struct desktop_window *w = windows;
    while (w < windows + WINDOWS && w->sdl)
        w++;
    *why = "there are no more";
    if (w == windows + WINDOWS)
        return NULL;
    w->sdl = sdl.SDL_CreateWindow(title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height,
                                  SDL_WINDOW_RESIZABLE);
    *why = sdl.SDL_GetError();
    if (!w->sdl)
        return NULL;
    sdl.SDL_SetWindowMinimumSize(w->sdl, LEAST_WIDTH, LEAST_HEIGHT);
    return w;
}

void desktop_close(struct desktop_window *w)
{
    sdl.SDL_DestroyWindow(w->sdl);
    w->sdl = NULL;
}

/* ---- what people do ---- */

static struct desktop_window *window_of(u32 id)
{
    SDL_Window *found = id ? sdl.SDL_GetWindowFromID(id) : NULL;
    for (unsigned n = 0; found && n < WINDOWS; n++)
        if (windows[n].sdl == found)
            return &windows[n];
    return NULL;
}

static unsigned mods_of(unsigned mod)
{
    return (mod & KMOD_CTRL ? MOD_CTRL : 0u) | (mod & KMOD_ALT ? MOD_ALT : 0u) | (mod & KMOD_SHIFT ? MOD_SHIFT : 0u);
}

static void key_read(struct desktop_event *e, const SDL_KeyboardEvent *k)
{
    e->kind = DESKTOP_KEY;
    e->window = window_of(k->windowID);
    e->usage = k->keysym.scancode;
    e->code = k->keysym.sym & SDLK_SCANCODE_MASK ? 0 : (u32)k->keysym.sym;
    e->mods = mods_of(k->keysym.mod);
    e->down = k->state == SDL_PRESSED;
    e->again = k->repeat;
}

static void button_read(struct desktop_event *e, const SDL_MouseButtonEvent *b)
{
    static const u8 buttons[] = { [SDL_BUTTON_LEFT] = DESKTOP_LEFT,
                                  [SDL_BUTTON_MIDDLE] = DESKTOP_MIDDLE,
                                  [SDL_BUTTON_RIGHT] = DESKTOP_RIGHT,
                                  [SDL_BUTTON_X1] = DESKTOP_SIDE,
                                  [SDL_BUTTON_X2] = DESKTOP_EXTRA };
    if (!b->button || b->button >= ARRAY_LEN(buttons))
        return;
    e->kind = DESKTOP_BUTTON;
    e->window = window_of(b->windowID);
    e->button = buttons[b->button];
    e->down = b->state == SDL_PRESSED;
    e->clicks = b->clicks;
    e->x = b->x;
    e->y = b->y;
    e->mods = mods_of(sdl.SDL_GetModState());
}

static void window_read(struct desktop_event *e, const SDL_WindowEvent *w)
{
    e->window = window_of(w->windowID);
    switch (w->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED: e->kind = DESKTOP_RESIZED; break;
    case SDL_WINDOWEVENT_EXPOSED: e->kind = DESKTOP_EXPOSED; break;
    case SDL_WINDOWEVENT_FOCUS_GAINED:
    case SDL_WINDOWEVENT_FOCUS_LOST:
        e->kind = DESKTOP_FOCUS;
        e->down = w->event == SDL_WINDOWEVENT_FOCUS_GAINED;
        break;
    case SDL_WINDOWEVENT_CLOSE: e->kind = DESKTOP_CLOSE; break;
    default: break;
    }
}

static void event_read(struct desktop_event *e, const SDL_Event *s)
{
    switch (s->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: key_read(e, &s->key); break;
    case SDL_TEXTINPUT:
        e->kind = DESKTOP_TEXT;
        e->window = window_of(s->text.windowID);
        e->mods = mods_of(sdl.SDL_GetModState());
        snprintf(e->text, sizeof(e->text), "%s", s->text.text);
        break;
    case SDL_MOUSEMOTION:
        *e = (struct desktop_event){ .kind = DESKTOP_MOVE,
                                     .window = window_of(s->motion.windowID),
                                     .x = s->motion.x,
                                     .y = s->motion.y,
                                     .dx = s->motion.xrel,
                                     .dy = s->motion.yrel };
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: button_read(e, &s->button); break;
    case SDL_MOUSEWHEEL:
        e->kind = DESKTOP_WHEEL;
        e->window = window_of(s->wheel.windowID);
        e->dx = s->wheel.x;
        e->dy = s->wheel.y;
        e->mods = mods_of(sdl.SDL_GetModState());
        break;
    case SDL_WINDOWEVENT: window_read(e, &s->window); break;
    case SDL_QUIT: e->kind = DESKTOP_CLOSE; break;
    default: break;
    }
}

bool desktop_event(struct desktop_event *e)
{
    SDL_Event s;
    do {
        *e = (struct desktop_event){ 0 };
        if (!sdl.SDL_PollEvent(&s))
            return false;
        event_read(e, &s);
    } while (e->kind == DESKTOP_NOTHING);
    return true;
}

/* ---- what they see ---- */

void desktop_size(struct desktop_window *w, int *width, int *height) { sdl.SDL_GetWindowSize(w->sdl, width, height); }

void desktop_resize(struct desktop_window *w, int width, int height)
{
    SDL_Rect room;
    int display = sdl.SDL_GetWindowDisplayIndex(w->sdl);
    if (!sdl.SDL_GetDisplayUsableBounds(display < 0 ? 0 : display, &room)) {
        width = width < room.w ? width : room.w;
        height = height < room.h ? height : room.h;
    }
    width = width > LEAST_WIDTH ? width : LEAST_WIDTH;
    height = height > LEAST_HEIGHT ? height : LEAST_HEIGHT;
    sdl.SDL_SetWindowSize(w->sdl, width, height);
}

void desktop_show(struct desktop_window *w, const struct picture *p, struct rect r)
{
    SDL_Surface *s = sdl.SDL_GetWindowSurface(w->sdl);
    if (!s)
        return;
    r = rect_meet(r, (struct rect){ 0, 0, p->width < s->w ? p->width : s->w, p->height < s->h ? p->height : s->h });
    if (!r.w || !r.h)
        return;
    u8 *to = (u8 *)s->pixels + r.y * s->pitch + r.x * s->format->BytesPerPixel;
    sdl.SDL_ConvertPixels(r.w, r.h, SDL_PIXELFORMAT_RGB888, p->pixels + (size_t)r.y * (size_t)p->width + r.x,
                          p->width * 4, s->format->format, to, s->pitch);
    SDL_Rect part = { r.x, r.y, r.w, r.h };
    sdl.SDL_UpdateWindowSurfaceRects(w->sdl, &part, 1);
}

void desktop_title(struct desktop_window *w, const char *title) { sdl.SDL_SetWindowTitle(w->sdl, title); }

void desktop_full_screen(struct desktop_window *w, bool full)
{
    sdl.SDL_SetWindowFullscreen(w->sdl, full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
}

void desktop_visible(struct desktop_window *w, bool visible)
{
    (visible ? sdl.SDL_ShowWindow : sdl.SDL_HideWindow)(w->sdl);
}

void desktop_grab(struct desktop_window *w, bool grabbed, bool relative)
{
    sdl.SDL_SetWindowGrab(w->sdl, grabbed);
    sdl.SDL_SetWindowKeyboardGrab(w->sdl, grabbed);
    sdl.SDL_SetRelativeMouseMode(grabbed && relative);
}

void desktop_pointer(bool seen) { sdl.SDL_ShowCursor(seen); }
char *desktop_pasted(void) { return sdl.SDL_GetClipboardText(); }
void desktop_pasted_free(char *text) { sdl.SDL_free(text); }
