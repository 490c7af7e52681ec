/*
 * Checksums and segments of network frames: see net_frame.h. Left out: IPv6 extension headers before the TCP header
 * where checksums are looked at (such a frame is not known to be right); segments of UDP.
 */
#include "board/dev/net_frame.h"

#include <string.h>

enum { ETHER = 14, TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8 };
enum { IP4_HEADER = 20, IP4_LENGTH = 2, IP4_ID = 4, IP4_FRAGMENT = 6, IP4_PROTOCOL = 9, IP4_CHECKSUM = 10, IP4_ADDRESSES = 12 };
enum { IP6_HEADER = 40, IP6_LENGTH = 4, IP6_NEXT = 6, IP6_ADDRESSES = 8 };
enum { TCP = 6, UDP = 17, TCP_HEADER = 20, TCP_SEQUENCE = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_CHECKSUM = 16,
       UDP_HEADER = 8, UDP_CHECKSUM = 6 };
enum { FIN = 1, PSH = 8, CWR = 0x80 };

static u16 get16(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static u32 get32(const u8 *p) { return (u32)get16(p) << 16 | get16(p + 2); }
static void put16(u8 *p, u64 value)
{
    p[0] = (u8)(value >> 8);
    p[1] = (u8)value;
}
static void put32(u8 *p, u32 value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* Big-endian words of 16 bits, added to `sum`; a last odd byte is the upper half of one. */
static u64 sum_of(const u8 *p, u64 size, u64 sum)
{
    for (; size >= 2; p += 2, size -= 2)
        sum += get16(p);
    return size ? sum + (u64)(*p << 8) : sum;
}

static u16 sum_fold(u64 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

/* Zero says that there is none in UDP; its other form is the same number to all. */
static u16 sum_final(u64 sum)
{
    u16 value = sum_fold(sum);
    return value ? value : 0xffff;
}

bool net_checksum_put(u8 *frame, u64 size, u64 start, u64 offset)
{
    if (start > size || offset > size - start || size - start - offset < 2)
        return false;
    put16(frame + start + offset, sum_final(sum_of(frame + start, size - start, 0)));
    return true;
}

/* The network header of a frame, behind up to two VLAN tags: where it begins, its version (0: another), its size
 * without extensions, where its addresses are. */
struct network {
    u64 at, size, addresses, addresses_size;
    unsigned version;
};

static struct network network_of(const u8 *frame, u64 size)
{
    struct network none = { .version = 0 };
    u64 at = ETHER;
    for (unsigned n = 0;
         n < 2 && at + 4 <= size && (get16(frame + at - 2) == TYPE_VLAN || get16(frame + at - 2) == TYPE_QINQ); n++)
        at += 4;
    if (at > size)
        return none;
    unsigned type = get16(frame + at - 2);
    if (type == TYPE_IP4 && size - at >= IP4_HEADER && frame[at] >> 4 == 4) {
        u64 header = 4 * (u64)(frame[at] & 15);
        return header < IP4_HEADER || header > size - at ? none
                                                         : (struct network){ at, header, at + IP4_ADDRESSES, 8, 4 };
    }
    if (type == TYPE_IP6 && size - at >= IP6_HEADER && frame[at] >> 4 == 6)
        return (struct network){ at, IP6_HEADER, at + IP6_ADDRESSES, 32, 6 };
    return none;
}

/* What is summed beside the segment: addresses, protocol, length. */
static u64 pseudo_sum(const u8 *frame, const struct network *n, unsigned protocol, u64 length)
{
    return sum_of(frame + n->addresses, n->addresses_size, protocol + (length & 0xffff) + (length >> 16));
}

bool net_checksum_right(const u8 *frame, u64 size)
{
    struct network n = network_of(frame, size);
    if (!n.version)
        return false;
    const u8 *ip = frame + n.at;
    bool fragment = n.version == 4 && get16(ip + IP4_FRAGMENT) & 0x3fff;
    u64 length = n.version == 4 ? get16(ip + IP4_LENGTH) : (u64)get16(ip + IP6_LENGTH) + IP6_HEADER;
    unsigned protocol = n.version == 4 ? ip[IP4_PROTOCOL] : ip[IP6_NEXT];
    if (fragment || length > size - n.at || length < n.size)
        return false;
    const u8 *segment = ip + n.size;
    length -= n.size;
    if (!(protocol == TCP && length >= TCP_HEADER) &&
        !(protocol == UDP && length >= UDP_HEADER && get16(segment + UDP_CHECKSUM)))
        return false;
    return !sum_fold(sum_of(segment, length, pseudo_sum(frame, &n, protocol, length)));
}

/* The headers of the frame in `scratch`, which has `data` bytes of its data from `from` on, become those of a frame of
 * its own. */
static void segment_finish(u8 *frame, const struct network *n, u64 start, u64 headers, u64 from, u64 data, bool last)
{
    u8 *ip = frame + n->at, *tcp = frame + start;
    if (n->version == 4) {
        put16(ip + IP4_LENGTH, headers - n->at + data);
        put16(ip + IP4_CHECKSUM, 0);
        put16(ip + IP4_CHECKSUM, sum_fold(sum_of(ip, n->size, 0)));
    } else {
        put16(ip + IP6_LENGTH, headers - n->at - IP6_HEADER + data);
    }
    put32(tcp + TCP_SEQUENCE, get32(tcp + TCP_SEQUENCE) + (u32)from);
    tcp[TCP_FLAGS] &= (u8) ~((last ? 0 : FIN | PSH) | (from ? CWR : 0)); /* RFC 3168: CWR once */
    put16(tcp + TCP_CHECKSUM, 0);
    u64 length = headers - start + data;
    put16(tcp + TCP_CHECKSUM, sum_final(sum_of(tcp, length, pseudo_sum(frame, n, TCP, length))));
}

bool net_segment(const u8 *frame, u64 size, u64 start, u64 part, u8 *scratch, net_frame_fn *to, void *ctx)
{
    struct network n = network_of(frame, size);
    if (!n.version || part < NET_SEGMENT_MIN || start < n.at + n.size || start > size || size - start < TCP_HEADER)
        return false;
    u64 headers = start + 4 * (u64)(frame[start + TCP_OFFSET] >> 4);
    if (headers < start + TCP_HEADER || headers > size || headers - n.at + part > 0xffff)
        return false;
    u64 from = 0, all = size - headers, count = 0;
    do {
        u64 data = all - from < part ? all - from : part;
        memcpy(scratch, frame, headers);
        memcpy(scratch + headers, frame + headers + from, data);
        if (n.version == 4)
            put16(scratch + n.at + IP4_ID, get16(frame + n.at + IP4_ID) + count++);
        segment_finish(scratch, &n, start, headers, from, data, from + data == all);
        to(ctx, scratch, headers + data);
        from += data;
    } while (from < all);
    return true;
}
