/* Runs in the guest: what programs do with files, in the folder that is given, and with how many. One line for each:
 * what came of it. The same lines are expected of every server and every mode of the cache; see check.sh. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static void say(const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("share: %s: ", what);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

/* 0, or the error by its name. */
static const char *result(long value) { return value < 0 ? strerrorname_np(errno) : "ok"; }

static int file_put(const char *name, int flags, const char *text)
{
    int fd = open(name, flags, 0640);
    if (fd < 0)
        return fd;
    long done = write(fd, text, strlen(text));
    if (close(fd))
        return -1;
    return done == (long)strlen(text) ? 0 : -1;
}

static const char *file_get(const char *name)
{
    static char text[256];
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return strerrorname_np(errno);
    long size = read(fd, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = 0;
    close(fd);
    return text;
}

static void files(void)
{
    struct stat st, other;
    say("create", "%s", result(file_put("f", O_CREAT | O_EXCL | O_WRONLY, "first")));
    say("create again", "%s", result(file_put("f", O_CREAT | O_EXCL | O_WRONLY, "x")));
    say("read", "%s", file_get("f"));
    stat("f", &st);
    say("stat", "%o %ld, links %ld, owner %d.%d", st.st_mode, (long)st.st_size, (long)st.st_nlink, (int)st.st_uid,
        (int)st.st_gid);
    say("append", "%s", result(file_put("f", O_WRONLY | O_APPEND, "-second")));
    say("appended", "%s", file_get("f"));
    say("truncate", "%s %s", result(truncate("f", 3)), file_get("f"));
    say("open with O_TRUNC", "%s %s", result(file_put("f", O_WRONLY | O_TRUNC, "new")), file_get("f"));
    say("link", "%s", result(link("f", "hard")));
    stat("f", &st), stat("hard", &other);
    say("linked", "%s, links %ld", st.st_ino == other.st_ino ? "same" : "another", (long)other.st_nlink);
    file_put("over", O_CREAT | O_WRONLY, "over");
    say("rename over", "%s %s", result(rename("over", "f")), file_get("f"));
    say("the other name", "%s", file_get("hard"));
    say("unlink", "%s %s", result(unlink("hard")), file_get("hard"));
    say("unlink a folder", "%s", (mkdir("d", 0750), result(unlink("d"))));
    stat("d", &st);
    say("folder", "%o", st.st_mode);
    say("rmdir", "%s", (file_put("d/x", O_CREAT | O_WRONLY, "x"), result(rmdir("d"))));
    say("rmdir when empty", "%s", (unlink("d/x"), result(rmdir("d"))));
    say("a long name", "%s",
        result(mkdir("0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789012345",
                     0700)));
}

static void open_files(void)
{
    struct stat st = { 0 };
    char text[16] = "";
    int fd = open("gone", O_CREAT | O_RDWR, 0600);
    long done = write(fd, "kept", 4);
    say("unlink while open", "%ld %s", done, result(unlink("gone")));
    done = pread(fd, text, sizeof(text), 0);
    say("read it", "%ld %s", done, text);
    int other = open("gone", O_CREAT | O_EXCL | O_WRONLY, 0600);
    say("its name again", "%s", result(other));
    say("write it", "%ld", (long)pwrite(fd, "more", 4, 4));
    done = pread(fd, text, sizeof(text), 0);
    say("read it again", "%ld %s", done, text);
    say("its size", "%s %ld", result(fstat(fd, &st)), (long)st.st_size);
    say("sync", "%s %s", result(fsync(fd)), result(fdatasync(other)));
    close(fd), close(other);
    fd = open("moved", O_CREAT | O_RDWR, 0600);
    mkdir("to", 0700);
    say("rename while open", "%s %ld", result(rename("moved", "to/there")), (long)write(fd, "after", 5));
    close(fd);
    say("there", "%s", file_get("to/there"));
    int dir = open("to", O_RDONLY | O_DIRECTORY);
    say("rename its folder", "%s", result(rename("to", "else")));
    fd = openat(dir, "there", O_RDONLY);
    say("open in it", "%s", result(fd));
    close(fd), close(dir);
    say("rename a folder into itself", "%s", result(rename("else", "else/in")));
    unlink("else/there"), rmdir("else"), unlink("gone");
    say("flock", "%s", (fd = open("f", O_RDWR), result(flock(fd, LOCK_EX | LOCK_NB))));
    struct flock lock = { .l_type = F_WRLCK };
    say("lock", "%s", result(fcntl(fd, F_SETLK, &lock)));
    lock.l_type = F_WRLCK;
    say("getlock", "%s %d", result(fcntl(fd, F_GETLK, &lock)), lock.l_type == F_UNLCK);
    close(fd);
}

static void kinds(void)
{
    struct stat st = { 0 };
    char text[64] = "";
    long size;
    say("symlink", "%s", result(symlink("../../etc/passwd", "sym")));
    size = readlink("sym", text, sizeof(text) - 1);
    say("readlink", "%ld %s", size, text);
    lstat("sym", &st);
    say("its type", "%d", S_ISLNK(st.st_mode));
    say("remove it", "%s", result(unlink("sym")));
    say("fifo", "%s", result(mkfifo("fifo", 0622)));
    lstat("fifo", &st);
    say("its mode", "%o", st.st_mode);
    say("device", "%s", result(mknod("dev", S_IFCHR | 0620, makedev(1, 300))));
    lstat("dev", &st);
    say("its numbers", "%o %u.%u", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
    say("chown", "%s", result(chown("f", 1234, 567)));
    say("chmod", "%s", result(chmod("f", 04751)));
    stat("f", &st);
    say("owned", "%o %d.%d", st.st_mode, (int)st.st_uid, (int)st.st_gid);
    struct timespec times[2] = { { 1000000000, 5 }, { 1100000000, 7 } };
    say("utimes", "%s", result(utimensat(AT_FDCWD, "f", times, 0)));
    stat("f", &st);
    say("times", "%ld.%ld %ld.%ld", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec);
    unlink("fifo"), unlink("dev");
}

static void attributes(void)
{
    char text[256] = "";
    long size;
    say("setxattr", "%s", result(setxattr("f", "user.colour", "blue", 4, 0)));
    say("XATTR_CREATE", "%s", result(setxattr("f", "user.colour", "red", 3, XATTR_CREATE)));
    size = getxattr("f", "user.colour", text, sizeof(text));
    say("getxattr", "%s", size < 0 ? strerrorname_np(errno) : (text[size] = 0, text));
    size = getxattr("f", "user.none", text, sizeof(text));
    say("getxattr of none", "%s", result(size));
    size = listxattr("f", text, sizeof(text));
    say("listxattr", "%ld %s", size, size > 0 ? text : "");
    say("removexattr", "%s", result(removexattr("f", "user.colour")));
    say("the server's own", "%s %s", result(getxattr("f", "user.virtfs.uid", text, sizeof(text))),
        result(setxattr("f", "user.virtfs.uid", "abcd", 4, 0)));
    static char big[4000];
    memset(big, 'b', sizeof(big));
    say("a big one", "%s", result(setxattr("f", "user.big", big, sizeof(big), 0)));
    memset(big, 0, sizeof(big));
    size = getxattr("f", "user.big", big, sizeof(big));
    say("the big one", "%ld %c", size, size > 0 ? big[3999] : '-');
}

static void large(void)
{
    static unsigned char block[300000];
    int bad = 0, fd = open("large", O_CREAT | O_RDWR, 0600);
    for (unsigned n = 0; n < 20; n++) {
        for (unsigned k = 0; k < sizeof(block); k++)
            block[k] = (unsigned char)(n * 7 + k * 13 + (k >> 8));
        bad += write(fd, block, sizeof(block)) != (long)sizeof(block);
    }
    say("write 6000000", "%d %s", bad, result(fsync(fd)));
    close(fd);
    fd = open("large", O_RDWR);
    for (unsigned n = 0; n < 20; n++) {
        bad += read(fd, block, sizeof(block)) != (long)sizeof(block);
        for (unsigned k = 0; k < sizeof(block); k++)
            bad += block[k] != (unsigned char)(n * 7 + k * 13 + (k >> 8));
    }
    say("read them", "%d", bad);
    bad = pwrite(fd, "hole", 4, 10000000) != 4 || pread(fd, block, 4, 9000000) != 4 || block[0] || block[3];
    say("a hole", "%d", bad);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    say("map it", "%s", map == MAP_FAILED ? strerrorname_np(errno) : "ok");
    if (map != MAP_FAILED) {
        memcpy(map + 4096, "mapped", 6);
        say("msync", "%s", result(msync(map, 8192, MS_SYNC)));
        munmap(map, 8192);
    }
    close(fd);
    fd = open("large", O_RDONLY);
    bad = pread(fd, block, 6, 4096) != 6 || memcmp(block, "mapped", 6) != 0;
    say("written by the map", "%d", bad);
    close(fd), unlink("large");
}

static void many(unsigned count)
{
    static char seen[100000];
    char name[32];
    unsigned found = 0, twice = 0, other = 0, n;
    mkdir("many", 0700);
    for (n = 0; n < count; n++) {
        snprintf(name, sizeof(name), "many/entry-%05u", n);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    say("files", "%u", n);
    DIR *dir = opendir("many");
    for (struct dirent *d; (d = readdir(dir));) {
        if (sscanf(d->d_name, "entry-%u", &n) == 1 && n < count)
            found++, twice += seen[n], seen[n] = 1;
        else
            other++;
    }
    say("listed", "%u, twice %u, others %u", found, twice, other);
    rewinddir(dir);
    found = 0;
    for (struct dirent *d; (d = readdir(dir));) { /* removing as it goes */
        snprintf(name, sizeof(name), "many/%.20s", d->d_name);
        found += d->d_name[0] != '.' && !unlink(name);
    }
    closedir(dir);
    say("removed", "%u", found);
    say("and their folder", "%s", result(rmdir("many")));
}

int main(int argc, char **argv)
{
    struct statfs st;
    if (argc < 2 || chdir(argv[1]))
        return 1;
    mkdir("work", 0755);
    if (chdir("work"))
        say("work", "%s", strerrorname_np(errno));
    files();
    open_files();
    kinds();
    attributes();
    large();
    many(argc > 2 ? (unsigned)atoi(argv[2]) : 1000);
    say("statfs", "%s %ld", result(statfs(".", &st)), (long)st.f_namelen);
    unlink("f");
    say("the end", "%s", (chdir(".."), result(rmdir("work"))));
    return 0;
}
