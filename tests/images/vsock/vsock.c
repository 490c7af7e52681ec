/* A program for the guest: talks to the host by AF_VSOCK.
 *     vsock to PORT BYTES    connects to the host, sends so many bytes and expects the same back
 *     vsock at PORT          listens, says so, and sends one connection's bytes back until it ends */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
    printf("vsock: ");
    fflush(stdout);
    perror(what);
    exit(1);
}

static int address(unsigned cid, const char *port, int (*call)(int, const struct sockaddr *, socklen_t),
                   const char *what)
{
    struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = (unsigned)atoi(port) };
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (fd < 0 || call(fd, (struct sockaddr *)&a, sizeof(a)))
        fail(what);
    return fd;
}

static unsigned char pattern(long n) { return (unsigned char)(n * 7 + n / 256); }

static void all_write(int fd, const unsigned char *bytes, long size)
{
    for (long n; size > 0; bytes += n, size -= n)
        if ((n = write(fd, bytes, (size_t)size)) <= 0)
            fail("write");
}

static int to(const char *port, long size)
{
    int fd = address(VMADDR_CID_HOST, port, connect, "connect");
    unsigned char bytes[10000];
    long sent = 0, got = 0, n;
    while (got < size) {
        for (n = 0; n < (long)sizeof(bytes) && sent < size; n++, sent++)
            bytes[n] = pattern(sent);
        all_write(fd, bytes, n);
        if (sent == size)
            shutdown(fd, SHUT_WR);
        if ((n = read(fd, bytes, sizeof(bytes))) <= 0)
            fail("read");
        for (long k = 0; k < n; k++, got++)
            if (bytes[k] != pattern(got))
                fail("other bytes");
    }
    printf("vsock: %ld bytes there and back, then %ld\n", got, (long)read(fd, bytes, 1));
    return 0;
}

static int at(const char *port)
{
    int listener = address(VMADDR_CID_ANY, port, bind, "bind");
    unsigned char bytes[10000];
    long all = 0, n;
    if (listen(listener, 1))
        fail("listen");
    printf("vsock: listens at %s\n", port);
    fflush(stdout);
    int fd = accept(listener, NULL, NULL);
    for (; (n = read(fd, bytes, sizeof(bytes))) > 0; all += n)
        all_write(fd, bytes, n);
    printf("vsock: sent %ld bytes back\n", all);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "to"))
        return to(argv[2], atol(argv[3]));
    if (argc == 3 && !strcmp(argv[1], "at"))
        return at(argv[2]);
    return 2;
}
