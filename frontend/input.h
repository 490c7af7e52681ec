/*
 * Keys and pointers: from whoever has them (a window, VNC, a monitor's sendkey) to the guest's input devices. What is
 * pressed waits here until the device asks for it (struct machine_host), and enters the guest through the journal.
 *
 * Keys are named by QEMU's names and numbered as Linux numbers them (evdev), which is what virtio-input hands on:
 * frontend/keys.def.
 */
#ifndef FRONTEND_INPUT_H
#define FRONTEND_INPUT_H

#include "lib/base.h"

struct inputs;

/* Columns of keys.def: the evdev code, 0: there is no such key. By name ("ctrl", "ret", "a"), USB usage of page 7 (what
 * SDL calls a scancode), X keysym. */
unsigned key_by_name(const char *name, size_t length);
unsigned key_by_usage(unsigned usage);
unsigned key_by_keysym(unsigned keysym);
const char *key_name(unsigned code);

enum pointer_button { BUTTON_LEFT, BUTTON_RIGHT, BUTTON_MIDDLE, BUTTON_WHEEL_UP, BUTTON_WHEEL_DOWN, BUTTON_SIDE, BUTTON_EXTRA, BUTTONS };

/* A key goes down or up, on the guest's keyboard. False: it has none, or its queue is full (the key is lost). */
bool inputs_key(struct inputs *in, unsigned code, bool down);
/* Does the guest have a pointer that is told where it is (a tablet), or one that is told how far it went (a mouse)? */
bool inputs_absolute(const struct inputs *in);
bool inputs_relative(const struct inputs *in);
/* The pointer is at x of width, y of height of screen `screen`; it went that far. */
void inputs_move_to(struct inputs *in, unsigned screen, u32 x, u32 y, u32 width, u32 height);
void inputs_move_by(struct inputs *in, s32 dx, s32 dy);
void inputs_button(struct inputs *in, enum pointer_button button, bool down);
/* Ends what the calls before said happened together (EV_SYN): the guest is told now. */
void inputs_sync(struct inputs *in);
/* All keys and buttons that are down go up: who typed has left. */
void inputs_release(struct inputs *in);

#endif
