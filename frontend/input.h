/*
 * Keys and pointers: from whoever has them (a window, VNC, a monitor's sendkey, -send-keys) to the guest's input
 * devices. What is pressed waits here until the device asks for it (struct machine_host, events_in), and enters the
 * guest through the journal.
 *
 * Keys are named by QEMU's names and numbered as Linux numbers them (evdev), which is what virtio-input hands on:
 * board/dev/keys.def. Where there are several devices of a kind, the one that was plugged in last without display=
 * has the input.
 */
#ifndef FRONTEND_INPUT_H
#define FRONTEND_INPUT_H

#include "board/machine.h"

struct inputs;

/* ---- keys.c: columns of keys.def ---- */

/* The evdev code, 0: there is no such key. By name ("ctrl", "ret", "a"), QEMU's number (scan codes of set 1), USB usage
 * of page 7 (what SDL calls a scancode), X keysym (of a character with or without shift), character on a US keyboard,
 * where *shift says that shift is held. */
unsigned key_by_name(const char *name, size_t length);
unsigned key_by_number(u64 number);
unsigned key_by_usage(unsigned usage);
unsigned key_by_keysym(unsigned keysym);
unsigned key_by_char(char c, bool *shift);
/* NULL: none has that code. */
const char *key_name(unsigned code);
/* Keys that are pressed together. */
enum { KEYS_TOGETHER = 16 };
struct keys {
    unsigned code[KEYS_TOGETHER], count;
};
/* Of `length` bytes: names or numbers (0x1e) joined by '-'. False: error says in one line what is wrong. */
bool keys_read(struct keys *k, const char *text, size_t length, char error[128]);
/* The next of -send-keys: words of such names, between blanks, or a text in quotes, a key after the other. *quoted is
 * false at first. False: at the end, or error[0] is not 0. */
bool keys_next(const char **text, bool *quoted, struct keys *k, char error[128]);

/* ---- for who has a keyboard or pointer ---- */

enum pointer_button { BUTTON_LEFT, BUTTON_RIGHT, BUTTON_MIDDLE, BUTTON_WHEEL_UP, BUTTON_WHEEL_DOWN, BUTTON_SIDE, BUTTON_EXTRA,
                      BUTTONS };

/* A key goes down or up, on the guest's keyboard. False: no driver has one, or its queue is full (the key is lost). One
 * that is down already is not told of again: repeating is the guest's. */
bool inputs_key(struct inputs *in, unsigned code, bool down);
/* Does the guest have a pointer that is told where it is (a tablet), or one that is told how far it went (a mouse)? */
bool inputs_absolute(const struct inputs *in);
bool inputs_relative(const struct inputs *in);
/* The pointer is at x of width, y of height of screen `screen`; it went that far. Buttons then are that pointer's. */
void inputs_move_to(struct inputs *in, unsigned screen, u32 x, u32 y, u32 width, u32 height);
void inputs_move_by(struct inputs *in, s32 dx, s32 dy);
/* A wheel has moved on when its button goes down. */
void inputs_button(struct inputs *in, enum pointer_button button, bool down);
/* An axis (0: x, 1: y) of the pointer that is told where it is: 0 to 0x7fff. */
void inputs_axis(struct inputs *in, unsigned axis, s32 value);
/* Ends what the calls before said happened together (EV_SYN): the guest is told now. */
void inputs_sync(struct inputs *in);
/* All keys and buttons that are down go up: who typed has left. */
void inputs_release(struct inputs *in);

/* ---- for monitors and scripts ---- */

enum { HOLD_MS = 100, SCRIPT_MS = 20, HOLD_MOST = 3600000 };
/* Presses keys one after the other, waits, and lets go of them in turn: `hold` ms of the guest's time. NULL, or why
 * nobody can take them. */
const char *inputs_press(struct inputs *in, const struct keys *k, u32 hold);
/* The same for a whole -send-keys. */
const char *inputs_script(struct inputs *in, const char *script);
/* The nth pointer. False: no more. Its number counts all input devices, from 1 on, as QEMU's does. */
struct pointer_info {
    const char *name;
    unsigned number;
    bool absolute, current;
};
bool inputs_pointer(const struct inputs *in, unsigned n, struct pointer_info *info);
/* Buttons and wheel are that pointer's from now on. False: there is no such. */
bool inputs_choose(struct inputs *in, unsigned number);

/* ---- for the program ---- */

/* Lends the machine its events_in. Dies without memory. */
struct inputs *inputs_open(struct machine_config *config);
void inputs_close(struct inputs *in);
/* Input device `unit` is a keyboard, a mouse or a tablet; bound: to a display that display= names. */
void inputs_plug(struct inputs *in, unsigned unit, enum virtio_kind kind, bool bound);
/* The machine whose they are; what waits is forgotten (it was reset). */
void inputs_begin(struct inputs *in, struct machine *m);
void inputs_forget(struct inputs *in);
/* Something came since the last call: the machine is to be told (machine_input_kick). */
bool inputs_fresh(struct inputs *in);

#endif
