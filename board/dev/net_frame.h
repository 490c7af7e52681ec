/*
 * What an adapter does with a frame for its driver: Internet checksums (RFC 1071) and the segmentation of TCP (the
 * offloads of the Virtual I/O Device specification 1.2, 5.1.6.2, 5.1.6.4). Pure functions on bytes; a frame begins with
 * its destination address. Frames come from a guest or from outside: every length in them is checked.
 */
#ifndef BOARD_NET_FRAME_H
#define BOARD_NET_FRAME_H

#include "lib/base.h"

/* The smallest segments that are made: IPv4's least datagram of 68 bytes without 20 of IP header. */
enum { NET_SEGMENT_MIN = 48 };

/* Puts the checksum over the bytes from `start` to the end at start + offset, where the sum of the pseudo header is.
 * False: that lies outside of the frame. */
bool net_checksum_put(u8 *frame, u64 size, u64 start, u64 offset);
/* Is it an IPv4 or IPv6 frame, not a fragment, whose TCP or UDP checksum is there and right? */
bool net_checksum_right(const u8 *frame, u64 size);
/* Cuts a TCP frame, whose TCP header begins at `start`, into frames of at most `part` bytes of data each, and hands
 * them over in their order; `scratch` has room for one, `size` bytes. False: it is no such frame, or `part` is too
 * small. */
typedef void net_frame_fn(void *ctx, const u8 *frame, u64 size);
bool net_segment(const u8 *frame, u64 size, u64 start, u64 part, u8 *scratch, net_frame_fn *to, void *ctx);

#endif
