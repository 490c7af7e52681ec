/* The remote framebuffer protocol from bytes to bytes: whole conversations, in parts of any size; what is new and what
 * is not; hostile clients. */
#include "frontend/display/rfb.h"

#include "tests/unit/rounds.h"

#include <check.h>
#include <stdlib.h>

Suite *test_rfb_suite(void);

static struct rfb_picture picture;
static struct {
    u32 keys, keysym, number, pointers, x, y, buttons;
    bool down;
} heard;

static void key(void *ctx, u32 keysym, u32 number, bool down)
{
    (void)ctx;
    heard.keys++;
    heard.keysym = keysym;
    heard.number = number;
    heard.down = down;
}

static void pointer(void *ctx, u32 x, u32 y, u32 buttons)
{
    (void)ctx;
    heard.pointers++;
    heard.x = x;
    heard.y = y;
    heard.buttons = buttons;
}

static const struct rfb_user user = { NULL, key, pointer };

static void picture_make(u32 width, u32 height)
{
    free(picture.pixels);
    memset(&heard, 0, sizeof(heard));
    picture = (struct rfb_picture){ .width = width, .height = height, .version = 1, .size_version = 1 };
    picture.pixels = calloc((size_t)width * height, sizeof(u32));
    ck_assert_ptr_nonnull(picture.pixels);
    for (unsigned n = 0; n < ARRAY_LEN(picture.tile); n++)
        picture.tile[n] = 1;
}

static struct rfb *begun(const char *hello, size_t size)
{
    struct rfb *r = calloc(1, sizeof(*r));
    ck_assert(r && rfb_open(r, &user, "name"));
    rfb_take(r, &picture, (const u8 *)hello, size);
    return r;
}

static void end(struct rfb *r)
{
    rfb_close(r);
    free(r);
}

#define HELLO "RFB 003.008\n\1\1"
#define TAKE(r, bytes) rfb_take(r, &picture, (const u8 *)(bytes), sizeof(bytes) - 1)
#define ASK(r, incremental) TAKE(r, "\3" incremental "\0\0\0\0\xff\xff\xff\xff")

/* Rectangles of the update at the front of `out`, which is then taken away; 0: there is none. */
static u32 update(struct rfb *r)
{
    r->out_used = 0;
    rfb_update(r, &picture);
    return r->out_used ? (u32)r->out[2] << 8 | r->out[3] : 0;
}

START_TEST(conversations)
{
    picture_make(100, 70);
    struct rfb *r = begun(HELLO, 14);
    ck_assert_uint_eq(r->out_used, 12 + 2 + 4 + 24 + 4);
    ck_assert_mem_eq(r->out + 12, "\1\1\0\0\0\0\0\x64\0\x46", 10);
    end(r);
    r = begun("RFB 003.003\n\1", 13);
    ck_assert(r->out_used == 12 + 4 + 28 && !r->over);
    end(r);
    r = begun("RFB 003.007\n\1\1", 14);
    ck_assert(r->out_used == 12 + 2 + 28 && !r->over);
    end(r);
    r = begun("RFB 003.008\n\2", 13);
    ck_assert(r->over);
    end(r);
    r = begun("RFB 004.000\n", 12);
    ck_assert(r->over);
    end(r);
}
END_TEST

START_TEST(messages_come_in_parts)
{
    static const char said[] = HELLO "\2\0\0\2\xff\xff\xff\x21\xff\xff\xfe\xfe"
                                     "\4\1\0\0\0\0\xff\x0d"
                                     "\6\0\0\0\0\0\0\5hello"
                                     "\xff\0\0\0\0\0\0\x61\0\0\0\x9c"
                                     "\5\4\1\2\3\4";
    for (size_t size = 1; size < sizeof(said); size++) {
        picture_make(10, 10);
        struct rfb *r = begun("", 0);
        for (size_t at = 0; at < sizeof(said) - 1; at += size)
            rfb_take(r, &picture, (const u8 *)said + at, sizeof(said) - 1 - at < size ? sizeof(said) - 1 - at : size);
        ck_assert(!r->over && r->resizes && r->numbers && !r->in_used);
        ck_assert(heard.keys == 2 && heard.keysym == 0x61 && heard.number == 0x9c && !heard.down);
        ck_assert(heard.pointers == 1 && heard.x == 0x102 && heard.y == 0x304 && heard.buttons == 4);
        end(r);
    }
}
END_TEST

START_TEST(what_is_new_is_sent)
{
    picture_make(130, 70); /* three tiles by two */
    struct rfb *r = begun(HELLO, 14);
    ck_assert_uint_eq(update(r), 0); /* nobody asked */
    ASK(r, "\1");
    ck_assert_uint_eq(update(r), 6);
    ck_assert_uint_eq(r->out_used, 4 + 6 * 12 + 130 * 70 * 4);
    ck_assert_uint_eq(update(r), 0);
    ASK(r, "\1");
    ck_assert(update(r) == 0 && rfb_waits(r));
    picture.pixels[0] = 0x123456;
    picture.tile[0] = ++picture.version;
    ck_assert_uint_eq(update(r), 1);
    ck_assert_mem_eq(r->out + 16, "\x56\x34\x12\0", 4);
    picture.tile[1] = picture.tile[2] = ++picture.version;
    TAKE(r, "\3\1\0\x80\0\0\0\1\0\1"); /* the third alone */
    ck_assert_uint_eq(update(r), 1);
    ASK(r, "\0");
    ck_assert_uint_eq(update(r), 6);
    TAKE(r, "\2\0\0\1\xff\xff\xff\x21");
    ASK(r, "\1");
    picture_make(64, 64);
    picture.version = picture.size_version = picture.tile[0] = 9;
    ck_assert(update(r) == 1 && r->out_used == 16 && r->width == 64); /* its size */
    ASK(r, "\1");
    ck_assert_uint_eq(update(r), 1);
    end(r);
}
END_TEST

START_TEST(a_client_that_does_not_read_waits)
{
    picture_make(2048, 2048);
    struct rfb *r = begun(HELLO, 14);
    r->out_used = 0;
    u32 tiles = 0;
    for (unsigned n = 0; n < 100; n++) {
        ASK(r, "\1");
        rfb_update(r, &picture);
        ck_assert(r->out_used <= RFB_OUT && !r->over);
    }
    ck_assert(rfb_waits(r));
    for (unsigned n = 0; n < 100; n++) { /* and then reads */
        rfb_sent(r, r->out_used);
        ASK(r, "\1");
        rfb_update(r, &picture);
        tiles += r->out_used ? (u32)r->out[2] << 8 | r->out[3] : 0;
    }
    u32 whole = 32 * 32, first = (RFB_OUT - 4) / (12 + 64 * 64 * 4);
    ck_assert_uint_eq(tiles, whole - first);
    end(r);
}
END_TEST

/* Random bytes, and good messages among them: nothing is read or written outside (ASan looks). */
START_TEST(hostile_clients)
{
    static const char *const good[] = { "\0\0\0\0\x10\x10\1\1\0\x1f\0\x3f\0\x1f\x0b\5\0\0\0\0",
                                        "\3\0\0\0\0\0\xff\xff\xff\xff", "\3\1\x10\0\x10\0\0\1\0\1",
                                        "\2\0\0\2\xff\xff\xff\x21\xff\xff\xfe\xfe", "\xff\0\0\0\0\0\0\x61\0\0\0\x9c" };
    static const u8 sizes[] = { 20, 10, 10, 12, 12 };
    srand(5);
    for (unsigned round = 0; round < rounds(60); round++) {
        picture_make(1 + (u32)rand() % 200, 1 + (u32)rand() % 200);
        struct rfb *r = begun(HELLO, rand() % 4 ? 14 : 0);
        for (unsigned n = 0; n < 60 && !r->over; n++) {
            u8 noise[64];
            for (unsigned k = 0; k < sizeof(noise); k++)
                noise[k] = (u8)rand();
            unsigned pick = (unsigned)rand() % (ARRAY_LEN(good) + 1);
            if (pick < ARRAY_LEN(good))
                rfb_take(r, &picture, (const u8 *)good[pick], sizes[pick]);
            else if (!(rand() % 8))
                rfb_take(r, &picture, noise, (size_t)rand() % sizeof(noise));
            rfb_update(r, &picture);
            if (rand() % 2)
                rfb_sent(r, r->out_used / 2);
        }
        end(r);
    }
}
END_TEST

Suite *test_rfb_suite(void)
{
    Suite *s = suite_create("rfb");
    TCase *t = tcase_create("rfb");
    tcase_add_test(t, conversations);
    tcase_add_test(t, messages_come_in_parts);
    tcase_add_test(t, what_is_new_is_sent);
    tcase_add_test(t, a_client_that_does_not_read_waits);
    tcase_add_test(t, hostile_clients);
    suite_add_tcase(s, t);
    return s;
}
