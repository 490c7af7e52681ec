/* The TFTP server of -netdev user, frame by frame: files of both families, options, blocks that are lost; names that
 * would lead out, and a folder that another program changes meanwhile; frames that are not for it, or of noise. */
#define _GNU_SOURCE
#include "frontend/tftp.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/rounds.h"

enum { RRQ = 1, WRQ = 2, DATA = 3, ACK = 4, ERROR = 5, OACK = 6, NOT_FOUND = 1, ACCESS = 2, ILLEGAL = 4 };
enum { ETHER = 14, UDP = 8, FRAME_SIZE = 2048 };

struct rig {
    char base[64], folder[80], outside[80]; /* base/in is served, base/out is not */
    struct tftp t;
    u8 frame[FRAME_SIZE], answer[TFTP_FRAME];
    size_t size, answered; /* of both */
    bool six;
    u16 port;
};

static void file_put(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
}

static struct rig *rig_open(void)
{
    struct rig *r = calloc(1, sizeof(*r));
    ck_assert_ptr_nonnull(r);
    strcpy(r->base, "/var/tmp/elmu-tftp-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->base));
    snprintf(r->folder, sizeof(r->folder), "%s/in", r->base);
    snprintf(r->outside, sizeof(r->outside), "%s/out", r->base);
    ck_assert(!mkdir(r->folder, 0755) && !mkdir(r->outside, 0755));
    file_put(r->outside, "secret", "secret", 6);
    r->t = (struct tftp){ .root = open(r->folder, O_PATH | O_DIRECTORY),
                          .four = true,
                          .six = true,
                          .host = { 10, 0, 2, 2 },
                          .host6 = { 0xfe, 0xc0, [15] = 2 } };
    r->port = 1069;
    return r;
}

static int one_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}
static void rig_close(struct rig *r)
{
    tftp_close(&r->t);
    nftw(r->base, one_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
}

static size_t header_of(const struct rig *r) { return ETHER + (r->six ? 40u : 20u); }

/* A datagram for the router; false: the server did not take it. */
static bool say(struct rig *r, const void *body, size_t size)
{
    u8 *ip = r->frame + ETHER, *udp = r->frame + header_of(r);
    memset(r->frame, 0, header_of(r) + UDP);
    memcpy(r->frame, (const u8[]){ 0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54, 0, 1, 2, 3 }, 12);
    store_be16(r->frame + 12, r->six ? 0x86dd : 0x0800);
    if (r->six) {
        ip[0] = 0x60;
        store_be16(ip + 4, (u16)(UDP + size));
        ip[6] = 17;
        ip[8] = 0xfe, ip[9] = 0xc0, ip[23] = 15;
        memcpy(ip + 24, r->t.host6, 16);
    } else {
        ip[0] = 0x45;
        store_be16(ip + 2, (u16)(20 + UDP + size));
        ip[9] = 17;
        memcpy(ip + 12, (const u8[]){ 10, 0, 2, 15 }, 4);
        memcpy(ip + 16, r->t.host, 4);
    }
    store_be16(udp, r->port);
    store_be16(udp + 2, 69);
    store_be16(udp + 4, (u16)(UDP + size));
    memcpy(udp + UDP, body, size);
    r->size = header_of(r) + UDP + size;
    return tftp_takes(&r->t, r->frame, r->size, r->answer, &r->answered);
}

/* A request of texts, each with its NUL. */
static void ask(struct rig *r, u16 code, const char *texts, size_t size)
{
    u8 body[FRAME_SIZE - 128];
    store_be16(body, code);
    memcpy(body + 2, texts, size);
    ck_assert(say(r, body, 2 + size));
}
static void ask_for(struct rig *r, const char *name)
{
    char texts[700];
    int size = snprintf(texts, sizeof(texts), "%s%coctet", name, 0) + 1;
    ask(r, RRQ, texts, (size_t)size);
}
static void acknowledge(struct rig *r, u16 block)
{
    u8 body[4];
    store_be16(body, ACK);
    store_be16(body + 2, block);
    ck_assert(say(r, body, 4));
}

static u32 sum_of(const u8 *bytes, size_t size)
{
    u32 sum = 0;
    for (size_t n = 0; n < size; n++)
        sum += (u32)bytes[n] << (n % 2 ? 0 : 8);
    return sum;
}
static u32 folded(u32 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The answer's code; its headers are right. 0: there is none. */
static unsigned heard(const struct rig *r)
{
    const u8 *ip = r->answer + ETHER, *udp = r->answer + header_of(r);
    if (!r->answered)
        return 0;
    size_t length = r->answered - header_of(r);
    ck_assert(!memcmp(r->answer, r->frame + 6, 6) && !memcmp(r->answer + 12, r->frame + 12, 2));
    ck_assert_uint_eq(load_be16(udp), 69);
    ck_assert_uint_eq(load_be16(udp + 2), r->port);
    ck_assert_uint_eq(load_be16(udp + 4), length);
    u32 sum = sum_of(udp, length) + 17 + (u32)length + (r->six ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8));
    ck_assert_uint_eq(folded(sum), 0xffff);
    if (!r->six) {
        ck_assert_uint_eq(folded(sum_of(ip, 20)), 0xffff);
        ck_assert_uint_eq(load_be16(ip + 2), 20 + length);
    }
    return load_be16(udp + UDP);
}
static const u8 *body(const struct rig *r) { return r->answer + header_of(r) + UDP; }
static size_t body_size(const struct rig *r) { return r->answered - header_of(r) - UDP; }
static unsigned error_of(const struct rig *r) { return heard(r) == ERROR ? load_be16(body(r) + 2) : 0xffff; }

/* Reads on from the block that was just heard; compares with the file. */
static void read_whole(struct rig *r, const u8 *bytes, size_t size, size_t block)
{
    size_t done = 0, got;
    unsigned n = 1;
    do {
        ck_assert_uint_eq(heard(r), DATA);
        ck_assert_uint_eq(load_be16(body(r) + 2), n & 0xffff);
        got = body_size(r) - 4;
        ck_assert(got == (size - done < block ? size - done : block) && !memcmp(body(r) + 4, bytes + done, got));
        done += got;
        acknowledge(r, (u16)n++);
    } while (got == block);
    ck_assert_uint_eq(done, size);
    ck_assert_uint_eq(r->answered, 0);
    acknowledge(r, (u16)(n - 1)); /* said twice: it is over */
    ck_assert_uint_eq(r->answered, 0);
}

START_TEST(files)
{
    static const size_t sizes[] = { 0, 1, 511, 512, 513, 5000, 8 * 70000 };
    struct rig *r = rig_open();
    u8 *bytes = malloc(8 * 70000);
    r->six = _i;
    for (unsigned n = 0; n < ARRAY_LEN(sizes); n++) {
        for (size_t k = 0; k < sizes[n]; k++)
            bytes[k] = (u8)(k * 7 + k / 500);
        file_put(r->folder, "f", bytes, sizes[n]);
        ask_for(r, n % 2 ? "f" : "//f");
        read_whole(r, bytes, sizes[n], 512);
    }
    static const char wants[] = "f\0OCTET\0BlkSize\0008\0nonsense\0\0tsize\0000";
    ask(r, RRQ, wants, sizeof(wants));
    ck_assert_uint_eq(heard(r), OACK);
    static const char has[] = "blksize\0008\0tsize\000560000";
    ck_assert(body_size(r) == 2 + sizeof(has) && !memcmp(body(r) + 2, has, sizeof(has)));
    acknowledge(r, 0);
    read_whole(r, bytes, 560000, 8); /* its numbers begin anew */
    static const char large[] = "f\0octet\0blksize\00065464\0blksize\00010";
    ask(r, RRQ, large, sizeof(large));
    ck_assert(heard(r) == OACK && body_size(r) == 2 + 13 && !memcmp(body(r) + 2, "blksize\0001428", 13));
    acknowledge(r, 0);
    read_whole(r, bytes, 560000, 1428);
    free(bytes);
    rig_close(r);
}
END_TEST

START_TEST(what_is_lost_comes_again)
{
    struct rig *r = rig_open();
    u8 bytes[1300];
    memset(bytes, 'x', sizeof(bytes));
    file_put(r->folder, "f", bytes, sizeof(bytes));
    ask_for(r, "f");
    acknowledge(r, 1);
    ck_assert(heard(r) == DATA && load_be16(body(r) + 2) == 2);
    acknowledge(r, 1);
    ck_assert(heard(r) == DATA && load_be16(body(r) + 2) == 2);
    acknowledge(r, 7);
    ck_assert_uint_eq(r->answered, 0);
    ask_for(r, "f"); /* from the beginning */
    read_whole(r, bytes, sizeof(bytes), 512);
    /* as many clients as there are sessions, and one more: the oldest is forgotten */
    for (unsigned n = 0; n <= TFTP_SESSIONS; n++) {
        r->port = (u16)(2000 + n);
        ask_for(r, "f");
    }
    r->port = 2000;
    acknowledge(r, 1);
    ck_assert_uint_eq(r->answered, 0);
    r->port = 2001;
    acknowledge(r, 1);
    ck_assert_uint_eq(heard(r), DATA);
    ck_assert(say(r, "\0\5\0\0", 4)); /* a client's error ends it */
    acknowledge(r, 2);
    ck_assert_uint_eq(r->answered, 0);
    ask(r, WRQ, "f\0octet", 8);
    ck_assert_uint_eq(error_of(r), ILLEGAL);
    ask(r, RRQ, "f\0netascii", 11);
    ck_assert_uint_eq(error_of(r), ILLEGAL);
    rig_close(r);
}
END_TEST

START_TEST(ways_out)
{
    struct rig *r = rig_open();
    char path[160], out[96], longest[700];
    file_put(r->folder, "f", "mine", 4);
    snprintf(out, sizeof(out), "%s/secret", r->outside);
    snprintf(path, sizeof(path), "%s/link", r->folder);
    ck_assert(!symlink(out, path));
    snprintf(path, sizeof(path), "%s/to-folder", r->folder);
    ck_assert(!symlink(r->outside, path));
    snprintf(path, sizeof(path), "%s/to-f", r->folder);
    ck_assert(!symlink("f", path));
    snprintf(path, sizeof(path), "%s/fifo", r->folder);
    ck_assert(!mkfifo(path, 0600));
    snprintf(path, sizeof(path), "%s/d", r->folder);
    ck_assert(!mkdir(path, 0700));
    file_put(path, "f", "deep", 4);
    memset(longest, 'n', sizeof(longest));
    longest[600] = 0;
    const char *const refused[] = { "..",
                                    "../out/secret",
                                    "d/../../out/secret",
                                    "/../out/secret",
                                    "link",
                                    "to-folder/secret",
                                    "to-f",
                                    "fifo",
                                    "d",
                                    "d/",
                                    ".",
                                    "",
                                    "f/",
                                    "f/f",
                                    "/",
                                    longest,
                                    longest + 300 };
    for (unsigned n = 0; n < ARRAY_LEN(refused); n++) {
        ask_for(r, refused[n]);
        ck_assert_msg(error_of(r) == ACCESS, "%s: %u", refused[n], error_of(r));
    }
    ask_for(r, out); /* below the folder there is no such path */
    ck_assert_uint_eq(error_of(r), NOT_FOUND);
    ask_for(r, "nothing");
    ck_assert_uint_eq(error_of(r), NOT_FOUND);
    ask_for(r, "./d/.//f");
    read_whole(r, (const u8 *)"deep", 4, 512);
    close(r->t.root);
    r->t.root = -1; /* tftp= was not given */
    ask_for(r, "f");
    ck_assert_uint_eq(error_of(r), ACCESS);
    rig_close(r);
}
END_TEST

/* Another program exchanges folders and links, and files and links, all the time. */
START_TEST(races)
{
    struct rig *r = rig_open();
    char path[160];
    unsigned opened = 0, refused = 0;
    static const char *const name[] = { "d", "ld", "f", "lf" };
    file_put(r->folder, "f", "mine", 4);
    snprintf(path, sizeof(path), "%s/d", r->folder);
    ck_assert(!mkdir(path, 0755));
    file_put(path, "secret", "mine", 4);
    snprintf(path, sizeof(path), "%s/ld", r->folder);
    ck_assert(!symlink("../out", path));
    snprintf(path, sizeof(path), "%s/lf", r->folder);
    ck_assert(!symlink("../out/secret", path));
    pid_t other = fork();
    if (!other) {
        int dir = open(r->folder, O_RDONLY | O_DIRECTORY);
        for (unsigned n = 0;; n++)
            renameat2(dir, name[n % 2 * 2], dir, name[n % 2 * 2 + 1], RENAME_EXCHANGE);
    }
    for (unsigned n = 0; n < rounds(20000); n++) {
        ask_for(r, n % 2 ? "d/secret" : "f");
        unsigned code = heard(r);
        ck_assert(code == ERROR || (code == DATA && body_size(r) == 8 && !memcmp(body(r) + 4, "mine", 4)));
        *(code == DATA ? &opened : &refused) += 1;
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_gt(refused, 0);
    rig_close(r);
}
END_TEST

START_TEST(not_for_it)
{
    struct rig *r = rig_open();
    file_put(r->folder, "f", "mine", 4);
    for (unsigned six = 0; six < 2; six++) {
        r->six = six;
        static const struct {
            u16 at4, at6; /* in the frame: 0: not of this family */
            u8 flip;
        } wrong[] = { { 12, 12, 1 }, { 14, 14, 0x10 }, { 23, 20, 1 },   { 20, 0, 0x20 }, { 21, 0, 1 },
                      { 33, 53, 1 }, { 37, 57, 1 },    { 17, 0, 0x80 }, { 0, 19, 0x80 }, { 39, 59, 0x80 } };
        for (unsigned n = 0; n < ARRAY_LEN(wrong); n++) {
            u16 at = six ? wrong[n].at6 : wrong[n].at4;
            ask_for(r, "f");
            ck_assert_uint_eq(heard(r), DATA);
            if (!at)
                continue;
            r->frame[at] ^= wrong[n].flip;
            ck_assert_msg(!tftp_takes(&r->t, r->frame, r->size, r->answer, &r->answered) && !r->answered, "%u: byte %u",
                          six, at);
        }
        for (size_t size = 0; size < r->size; size++) /* cut off: not read behind its end */
            ck_assert(!tftp_takes(&r->t, r->frame, size, r->answer, &r->answered) || size > header_of(r));
        *(six ? &r->t.six : &r->t.four) = false;
        ck_assert(!say(r, "\0\1f\0octet", 10));
    }
    rig_close(r);
}
END_TEST

static u32 random_next(u64 *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(*seed >> 33);
}

/* Frames of noise, more or less like requests, in memory that ends with them. */
START_TEST(hostile_frames)
{
    struct rig *r = rig_open();
    u64 seed = 77 + (u64)_i;
    unsigned taken = 0;
    file_put(r->folder, "f", "mine", 4);
    for (unsigned n = 0; n < rounds(100000); n++) {
        u8 noise[80] = { 0, (u8)(random_next(&seed) % 8), 'f', 0, 'o', 'c', 't', 'e', 't', 0 };
        for (unsigned k = random_next(&seed) % 6; k--;)
            noise[random_next(&seed) % sizeof(noise)] = (u8)random_next(&seed);
        r->six = random_next(&seed) % 2;
        r->port = (u16)(random_next(&seed) % 40);
        say(r, noise, random_next(&seed) % sizeof(noise));
        for (unsigned k = random_next(&seed) % 4; k--;)
            r->frame[random_next(&seed) % r->size] = (u8)random_next(&seed);
        size_t size = random_next(&seed) % 2 ? r->size : random_next(&seed) % (r->size + 1);
        u8 *exact = malloc(size + !size);
        memcpy(exact, r->frame, size);
        taken += tftp_takes(&r->t, exact, size, r->answer, &r->answered);
        ck_assert_uint_le(r->answered, sizeof(r->answer));
        free(exact);
    }
    ck_assert_uint_gt(taken, 1000);
    rig_close(r);
}
END_TEST

Suite *test_tftp_suite(void);
Suite *test_tftp_suite(void)
{
    Suite *s = suite_create("tftp");
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, files, 0, 2);
    tcase_add_test(t, what_is_lost_comes_again);
    tcase_add_test(t, ways_out);
    tcase_add_test(t, races);
    tcase_add_test(t, not_for_it);
    tcase_add_loop_test(t, hostile_frames, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
