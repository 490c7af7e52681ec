/* A network: virtio-net over MMIO (Virtio 1.2, 5.1, legacy interface) on QEMU's network for users. ARP, DHCP, a ping,
 * a file by TFTP (tests/guest/net), frames over several buffers (VIRTIO_NET_F_MRG_RXBUF). guests.list says what is
 * plugged in. */
#include "rt.h"
#include "virtio_legacy.h"

enum { RX, TX, F_MAC = 1 << 5, F_MRG = 1 << 15, F_STATUS = 1 << 16 };
enum { ETHER = 14, IP = ETHER, UDP = IP + 20, DATA = UDP + 8, MOST = 1514 };
enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, PROTO_ICMP = 1, PROTO_UDP = 17 };
enum { ADDRESS = 0x0a00020f, GATEWAY = 0x0a000202, DNS = 0x0a000203, BROADCAST = 0xffffffff };

static struct rings rings[2] __attribute__((aligned(PAGE)));
static volatile struct rings *const queue = rings;
static u8 buffer[QUEUE][2048], out[2048], in[4096], mac[6], gateway_mac[6];
static u32 header, seen[2];
static u64 dev;

/* ---- the device ---- */

static void give(u32 n, u32 size)
{
    volatile struct rings *q = &queue[RX];
    q->desc[n].addr = (u64)buffer[n];
    q->desc[n].len = size;
    q->desc[n].flags = 2;
    q->avail[2 + q->avail[1] % QUEUE] = (u16)n;
    DSB();
    q->avail[1]++;
    DSB();
    MMIO32(dev + NOTIFY) = RX;
}

static void start(u32 features, u32 size)
{
    MMIO32(dev + DEV_STATUS) = 0;
    MMIO32(dev + PAGE_SIZE) = PAGE;
    MMIO32(dev + DEV_STATUS) = 3;
    features &= MMIO32(dev + FEATURES);
    MMIO32(dev + DRIVER) = features;
    header = features & F_MRG ? 12 : 10;
    for (u32 n = 0; n < 2; n++) {
        u8 *bytes = (u8 *)&rings[n];
        for (u32 k = 0; k < sizeof(rings[n]); k++)
            bytes[k] = 0;
        seen[n] = 0;
        virtio_queue(dev, n, &rings[n]);
    }
    MMIO32(dev + DEV_STATUS) = 7;
    for (u32 n = 0; n < QUEUE; n++)
        give(n, size);
}

static u32 sent;
static u8 frame_out[12 + MOST];
static void send(u32 size)
{
    volatile struct rings *q = &queue[TX];
    for (u32 n = 0; n < header; n++)
        frame_out[n] = 0;
    for (u32 n = 0; n < size; n++)
        frame_out[header + n] = out[n];
    q->desc[0].addr = (u64)frame_out;
    q->desc[0].len = header + size;
    q->avail[2 + q->avail[1] % QUEUE] = 0;
    DSB();
    q->avail[1]++;
    DSB();
    MMIO32(dev + NOTIFY) = TX;
    for (u32 n = 0; n < 100 && q->used_head[1] == (u16)seen[TX]; n++)
        nap();
    sent += q->used_head[1] == (u16)++seen[TX];
}

/* The next frame, without its header; *buffers: in how many it came. 0: none came in a second. */
static u32 receive(u32 *buffers, u32 size)
{
    volatile struct rings *q = &queue[RX];
    for (u32 n = 0; n < 100 && q->used_head[1] == (u16)seen[RX]; n++)
        nap();
    if (q->used_head[1] == (u16)seen[RX])
        return 0;
    u32 length = 0;
    *buffers = 1;
    for (u32 n = 0; n < *buffers; n++) {
        u32 id = q->used[seen[RX] % QUEUE].id, len = q->used[seen[RX] % QUEUE].len;
        seen[RX]++;
        if (n == 0 && header == 12)
            *buffers = MMIO16(&buffer[id][10]);
        for (u32 k = n ? 0 : header; k < len && length < sizeof(in); k++)
            in[length++] = *(volatile u8 *)&buffer[id][k];
        give(id, size);
    }
    return length;
}

/* ---- frames ---- */

static u32 get16(const u8 *p) { return (u32)(p[0] << 8 | p[1]); }
static u32 get32(const u8 *p) { return get16(p) << 16 | get16(p + 2); }
static void put16(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}
static void put32(u8 *p, u32 v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}
static u32 sum(const u8 *p, u32 size, u32 s)
{
    for (u32 n = 0; n < size; n++)
        s += n & 1 ? p[n] : (u32)p[n] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static void ether(u32 type, bool all)
{
    for (u32 n = 0; n < sizeof(out); n++)
        out[n] = 0;
    for (u32 n = 0; n < 6; n++) {
        out[n] = all ? 0xff : gateway_mac[n];
        out[6 + n] = mac[n];
    }
    put16(out + 12, type);
}

static u32 ip(u32 protocol, u32 from, u32 to, u32 size)
{
    ether(TYPE_IP, to == BROADCAST);
    out[IP] = 0x45;
    put16(out + IP + 2, 20 + size);
    out[IP + 8] = 64;
    out[IP + 9] = (u8)protocol;
    put32(out + IP + 12, from);
    put32(out + IP + 16, to);
    put16(out + IP + 10, ~sum(out + IP, 20, 0) & 0xffff);
    return ETHER + 20 + size;
}

/* Headers around `size` bytes of data at DATA, which are written afterwards; no checksum. */
static u32 udp(u32 from, u32 to, u32 from_port, u32 to_port, u32 size)
{
    u32 all = ip(PROTO_UDP, from, to, 8 + size);
    put16(out + UDP, from_port);
    put16(out + UDP + 2, to_port);
    put16(out + UDP + 4, 8 + size);
    return all;
}

static bool ip_right(u32 length, u32 protocol)
{
    return length >= UDP && get16(in + 12) == TYPE_IP && in[IP + 9] == protocol && sum(in + IP, 20, 0) == 0xffff;
}

static bool udp_right(u32 length, u32 to_port)
{
    if (!ip_right(length, PROTO_UDP) || length < DATA || get16(in + UDP + 2) != to_port)
        return false;
    u32 size = get16(in + UDP + 4);
    return !get16(in + UDP + 6) || sum(in + UDP, size, sum(in + IP + 12, 8, PROTO_UDP + size)) == 0xffff;
}

/* ---- what is asked ---- */

static void arp(void)
{
    u32 buffers, length;
    ether(TYPE_ARP, true);
    u8 *a = out + ETHER;
    put16(a, 1);
    put16(a + 2, TYPE_IP);
    a[4] = 6;
    a[5] = 4;
    put16(a + 6, 1);
    for (u32 n = 0; n < 6; n++)
        a[8 + n] = mac[n];
    put32(a + 14, ADDRESS);
    put32(a + 24, GATEWAY);
    send(60);
    do
        length = receive(&buffers, 2048);
    while (length && !(get16(in + 12) == TYPE_ARP && get16(in + ETHER + 6) == 2));
    check(length, "ARP: an answer");
    for (u32 n = 0; n < 6; n++)
        gateway_mac[n] = in[ETHER + 8 + n];
    check_eq("  the router's address", get32(gateway_mac + 2), GATEWAY);
    check_eq("  the one that was asked for", get32(in + ETHER + 14), GATEWAY);
}

/* RFC 2131. The option of that number in the answer, NULL: it is not there. */
static const u8 *dhcp_option(u32 length, u32 number)
{
    for (u32 at = DATA + 240; at + 1 < length && in[at] != 255; at += in[at] ? 2u + in[at + 1] : 1)
        if (in[at] == number)
            return in + at + 2;
    return NULL;
}

static u32 dhcp(u32 message, u32 offered)
{
    u32 size = udp(0, BROADCAST, 68, 67, 300), length, buffers;
    u8 *d = out + DATA;
    d[0] = d[1] = 1;
    d[2] = 6;
    put32(d + 4, 0x12345678);
    for (u32 n = 0; n < 6; n++)
        d[28 + n] = mac[n];
    put32(d + 236, 0x63825363);
    d[240] = 53;
    d[241] = 1;
    d[242] = (u8)message;
    u32 at = 243;
    if (offered) {
        d[at] = 50;
        d[at + 1] = 4;
        put32(d + at + 2, offered);
        at += 6;
    }
    d[at] = 255;
    send(size);
    do
        length = receive(&buffers, 2048);
    while (length && !udp_right(length, 68));
    const u8 *type = length ? dhcp_option(length, 53) : NULL;
    check(type && *type == (message == 1 ? 2 : 5), message == 1 ? "DHCP: an offer" : "DHCP: an acknowledgement");
    check_eq("  of the address", length ? get32(in + DATA + 16) : 0, ADDRESS);
    const u8 *router = dhcp_option(length, 3), *dns = dhcp_option(length, 6);
    check(router && get32(router) == GATEWAY && dns && get32(dns) == DNS, "  with router and name server");
    return length ? get32(in + DATA + 16) : 0;
}

static void ping(const char *what, u32 size, u32 part, u32 want)
{
    u32 all = ip(PROTO_ICMP, ADDRESS, GATEWAY, 8 + size), length, buffers = 0;
    u8 *p = out + UDP;
    p[0] = 8;
    put16(p + 4, 0xabcd);
    put16(p + 6, size);
    for (u32 n = 0; n < size; n++)
        p[8 + n] = (u8)(n * 7 + size);
    put16(p + 2, ~sum(p, 8 + size, 0) & 0xffff);
    send(all);
    do
        length = receive(&buffers, part);
    while (length && !(ip_right(length, PROTO_ICMP) && in[UDP] == 0));
    bool same = length >= all && sum(in + UDP, 8 + size, 0) == 0xffff;
    for (u32 n = 4; n < 8 + size && same; n++)
        same = in[UDP + n] == p[n];
    check(same, what);
    check_eq("  in so many buffers", buffers, want);
}

/* RFC 1350. Reads a file of the router's; its size, or -1 and the error's number. */
static u8 file[2048];
static s64 tftp(const char *name, u32 port)
{
    u32 got = 0, length, buffers, n = 0;
    for (; name[n]; n++)
        ;
    u32 size = udp(ADDRESS, GATEWAY, port, 69, 2 + n + 1 + 6);
    u8 *d = out + DATA;
    d[1] = 1;
    for (u32 k = 0; k <= n; k++)
        d[2 + k] = (u8)name[k];
    for (u32 k = 0; k < 6; k++)
        d[3 + n + k] = (u8) "octet"[k];
    for (u32 block = 1;; block++) {
        send(size);
        do
            length = receive(&buffers, 2048);
        while (length && !udp_right(length, port));
        if (!length || get16(in + DATA) != 3 || get16(in + DATA + 2) != block)
            return length && get16(in + DATA) == 5 ? -1 - (s64)get16(in + DATA + 2) : -100;
        u32 part = get16(in + UDP + 4) - 12;
        for (u32 k = 0; k < part && got < sizeof(file); k++)
            file[got++] = in[DATA + 4 + k];
        u32 answer = get16(in + UDP);
        size = udp(ADDRESS, GATEWAY, port, answer, 4);
        out[DATA + 1] = 4;
        put16(out + DATA + 2, block);
        if (part < 512) {
            send(size);
            return got;
        }
    }
}

static void files(void)
{
    s64 size = tftp("file.txt", 2000);
    check_eq("TFTP: a file of three blocks", size, 1106);
    check_eq("  its sum", size > 0 ? sum(file, (u32)size, 0) : 0, 0xa45a);
    check_eq("  one that is not there: error 1", tftp("no-such-file", 2001), -2);
    check_eq("  one beside the folder: error 2", tftp("../net.c", 2002), -3);
}

void test_main(void)
{
    gic_init();
    gic_enable(30, 0x80);
    dev = virtio_find(1);
    if (!dev) {
        check(false, "there is a network device");
        finish();
    }
    check_eq("MAC and status are offered", MMIO32(dev + FEATURES) & (F_MAC | F_STATUS), F_MAC | F_STATUS);
    for (u32 n = 0; n < 6; n++)
        mac[n] = MMIO8(dev + CONFIG + n);
    check_eq("the MAC address", get16(mac) << 16 | get16(mac + 2), 0x52540012);
    check_eq("  its last bytes", get16(mac + 4), 0x3456);
    check_eq("the link is up", MMIO16(dev + CONFIG + 6), 1);
    start(F_MAC | F_STATUS, 2048);
    arp();
    check_eq("the device interrupts for what it used", MMIO32(dev + INT_STATUS), 1);
    MMIO32(dev + INT_ACK) = 1;
    check_eq("  until that is acknowledged", MMIO32(dev + INT_STATUS), 0);
    dhcp(3, dhcp(1, 0));
    ping("ping: the answer is what was sent", 56, 2048, 1);
    ping("ping: 1472 bytes", 1472, 2048, 1);
    files();
    start(F_MAC | F_STATUS | F_MRG, 256);
    ping("mergeable buffers: a small answer", 56, 256, 1);
    ping("mergeable buffers: a large answer", 1000, 256, 5);
    check_eq("all that was sent was used", seen[TX] ? sent : 0, 13);
    finish();
}
