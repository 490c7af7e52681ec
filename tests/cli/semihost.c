/* Semihosting, call by call: what the second word of the command line says. Prints TAP by SYS_WRITE0, ends with 0 or 1;
 * `exit N`: with that status; `readc`, `tt`: gives back what is typed until a q; `el0`: calls from EL0; `many`:
 * opens 60 files. */
typedef unsigned long u64;
typedef long s64;
typedef unsigned char u8;

enum { OPEN = 1, CLOSE, WRITEC, WRITE0, WRITE, READ, READC, ISERROR, ISTTY, SEEK, FLEN = 0xc, TMPNAM, REMOVE, RENAME, CLOCK, TIME,
       SYSTEM, ERRNO, CMDLINE = 0x15, HEAPINFO, EXIT = 0x18, EXIT_EXTENDED = 0x20, ELAPSED = 0x30, TICKFREQ };
enum { UNMAPPED = 0x20000000 }; /* nothing is there */

static char line[4096];
static unsigned count, wrong;
extern char _end[], _start[];

static s64 call(u64 operation, const volatile void *block)
{
    register u64 x0 asm("x0") = operation;
    register const volatile void *x1 asm("x1") = block;
    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return (s64)x0;
}
static s64 call3(u64 operation, u64 a, u64 b, u64 c)
{
    volatile u64 block[4] = { a, b, c, 0 };
    return call(operation, block);
}
static void say(const char *text) { call(WRITE0, text); }
static u64 length(const char *s)
{
    u64 n = 0;
    while (s[n])
        n++;
    return n;
}
static int same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}
static void check(const char *name, int ok)
{
    say(ok ? "ok " : "not ok ");
    say(name);
    say("\n");
    count++;
    wrong += !ok;
}
static s64 open(const char *name, u64 mode) { return call3(OPEN, (u64)name, mode, length(name)); }

static u64 number(const char *text)
{
    u64 value = 0, minus = *text == '-';
    for (text += minus; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u64)(*text - '0');
    return minus ? -value : value;
}

static void files(void)
{
    static char buffer[64];
    s64 f = open("data.tmp", 6); /* w+ */
    check("a file is made", f > 0);
    check("written", call3(WRITE, (u64)f, (u64) "0123456789", 10) == 0);
    check("FLEN", call3(FLEN, (u64)f, 0, 0) == 10);
    check("SEEK", call3(SEEK, (u64)f, 4, 0) == 0 && call3(READ, (u64)f, (u64)buffer, 3) == 0 && buffer[0] == '4');
    check("the rest: what was not read", call3(READ, (u64)f, (u64)buffer, 10) == 7 && buffer[2] == '9');
    check("at the end: all of it", call3(READ, (u64)f, (u64)buffer, 10) == 10);
    check("a file is no terminal", call3(ISTTY, (u64)f, 0, 0) == 0);
    check("SEEK to nowhere", call3(SEEK, (u64)f, 1ul << 63, 0) < 0);
    check("READ to nowhere", call3(SEEK, (u64)f, 0, 0) == 0 && call3(READ, (u64)f, UNMAPPED, 5) == 5);
    check("WRITE from nowhere", call3(WRITE, (u64)f, UNMAPPED, 5) == 5);
    check("CLOSE", call3(CLOSE, (u64)f, 0, 0) == 0 && call3(CLOSE, (u64)f, 0, 0) == -1);
    check("closed: FLEN", call3(FLEN, (u64)f, 0, 0) == -1);
    check("closed: ISTTY", call3(ISTTY, (u64)f, 0, 0) == -1);
    check("closed: READ", call3(READ, (u64)f, (u64)buffer, 5) == 5 && call(ERRNO, 0) == 9);
    check("closed: WRITE", call3(WRITE, (u64)f, (u64)buffer, 5) == 5);
    volatile u64 names[4] = { (u64) "data.tmp", 8, (u64) "other.tmp", 9 };
    check("RENAME", call(RENAME, names) == 0 && call(RENAME, names) != 0);
    check("REMOVE", call3(REMOVE, (u64) "other.tmp", 9, 0) == 0 && call3(REMOVE, (u64) "other.tmp", 9, 0) != 0);
    check("OPEN of what is not", open("nowhere.tmp", 0) == -1 && call(ERRNO, 0) == 2);
    check("OPEN in no mode", open("nowhere.tmp", 12) == -1);
    check("OPEN, name nowhere", call3(OPEN, UNMAPPED, 0, 4) == -1);
    check("TMPNAM", call3(TMPNAM, (u64)buffer, 7, sizeof(buffer)) == 0 && length(buffer) > 0);
    check("TMPNAM without room", call3(TMPNAM, (u64)buffer, 7, 3) == -1);
    check("TMPNAM of no identifier", call3(TMPNAM, (u64)buffer, 256, sizeof(buffer)) == -1);
}

static void features(void)
{
    u8 bytes[8] = { 0 };
    s64 f = open(":semihosting-features", 0);
    check("features", f > 0 && call3(FLEN, (u64)f, 0, 0) >= 5);
    check("their magic", call3(READ, (u64)f, (u64)bytes, 4) == 0 && bytes[0] == 'S' && bytes[1] == 'H' &&
                             bytes[2] == 'F' && bytes[3] == 'B');
    check("EXIT_EXTENDED and STDOUT_STDERR",
          call3(SEEK, (u64)f, 4, 0) == 0 && call3(READ, (u64)f, (u64)bytes, 1) == 0 && bytes[0] == 3);
    check("no more of them", call3(READ, (u64)f, (u64)bytes, 1) == 1);
    check("not to be written", call3(WRITE, (u64)f, (u64)bytes, 1) == 1 && open(":semihosting-features", 4) == -1);
    check("closed", call3(CLOSE, (u64)f, 0, 0) == 0);
}

static void console(void)
{
    s64 in = open(":tt", 0), out = open(":tt", 4), err = open(":tt", 8);
    check("three streams", in > 0 && out > 0 && err > 0 && in != out && out != err);
    check("they are terminals", call3(ISTTY, (u64)in, 0, 0) == 1 && call3(ISTTY, (u64)out, 0, 0) == 1);
    check("SEEK there", call3(SEEK, (u64)in, 0, 0) < 0);
    check("standard output", call3(WRITE, (u64)out, (u64) "# out\n", 6) == 0);
    check("standard error", call3(WRITE, (u64)err, (u64) "# err\n", 6) == 0);
    call(WRITEC, "#");
    call(WRITEC, "\n");
    call(WRITE0, (void *)UNMAPPED);
    call(WRITEC, (void *)UNMAPPED);
    u8 byte = 1;
    check("at the end of input: no byte", call3(READ, (u64)in, (u64)&byte, 1) == 1 && byte == 1);
    check("and READC says so", call(READC, 0) == -1);
}

static void rest(void)
{
    static volatile u64 heap[4];
    u64 ticks = 0, more = 0;
    volatile u64 to_heap[1] = { (u64)heap };
    check("HEAPINFO", call(HEAPINFO, to_heap) != -1 && heap[0] < heap[1]);
    check("outside the program", heap[0] >= (u64)_end || heap[1] <= (u64)_start);
    check("stack as heap", heap[2] == heap[1] && heap[3] == heap[0] && heap[0] >= 0x40000000);
    check("it is RAM", (*(volatile u64 *)heap[0] = 1) && (((volatile u64 *)heap[1])[-1] = 1));
    to_heap[0] = UNMAPPED;
    check("HEAPINFO to nowhere", call(HEAPINFO, to_heap) == -1 && call(HEAPINFO, (void *)UNMAPPED) == -1);
    check("ELAPSED", call(ELAPSED, &ticks) == 0 && call(ELAPSED, &more) == 0 && more > ticks);
    check("ELAPSED to nowhere", call(ELAPSED, (void *)UNMAPPED) == -1);
    check("TICKFREQ", call(TICKFREQ, 0) > 0);
    check("CLOCK", call(CLOCK, 0) >= 0 && call(CLOCK, 0) < 100);
    check("TIME", call(TIME, 0) > 1000000000);
    check("ISERROR", call3(ISERROR, -1ul, 0, 0) != 0 && call3(ISERROR, 0, 0, 0) == 0);
    check("SYSTEM is not served", call3(SYSTEM, (u64) "true", 4, 0) != 0);
    check("CMDLINE without room", call3(CMDLINE, (u64)line + 2048, 3, 0) == -1);
    check("CMDLINE to nowhere", call3(CMDLINE, UNMAPPED, 100, 0) == -1);
    check("no such call", call(0x77, 0) == -1 && call(0xfff, 0) == -1 && call(0x12345678, 0) == -1);
    static const u8 with_block[] = { OPEN, CLOSE, WRITE, READ, ISTTY, SEEK, FLEN, TMPNAM, REMOVE, RENAME, CMDLINE };
    for (unsigned n = 0; n < sizeof(with_block); n++)
        check("argument block nowhere", call(with_block[n], (void *)UNMAPPED) != 0);
}

__attribute__((noinline)) static void echo_key(s64 key)
{
    char text[2] = { (char)key, 0 };
    say(text);
}

static void echo(int by_tt)
{
    s64 in = open(":tt", 0);
    say("ready\n");
    for (;;) {
        s64 key = 0;
        if (!by_tt)
            key = call(READC, 0);
        else if (call3(READ, (u64)in, (u64)&key, 1))
            key = -1;
        if (key == 'q' || key == -1) {
            say(key == 'q' ? "quit\n" : "end\n");
            return;
        }
        echo_key(key);
    }
}

/* The vectors of EL1: whatever comes ends with status 7. */
asm(".balign 2048\nvectors:\n.rept 16\nmov w0, #0x18\nadr x1, seven\nhlt #0xf000\n"
    ".balign 128\n.endr\n.balign 8\nseven: .quad 0x20026, 7\n");
static void el0(void)
{
    asm volatile(
        "adr x0, vectors\n msr vbar_el1, x0\n msr spsr_el1, xzr\n mov x0, sp\n msr sp_el0, x0\n adr x0, 1f\n msr elr_el1, x0\n"
        "eret\n1:" ::
            : "x0", "memory");
    say("from EL0\n");
}

void start(void)
{
    volatile u64 block[2] = { (u64)line, sizeof(line) };
    call(CMDLINE, block);
    char *mode = line;
    while (*mode && *mode != ' ')
        mode++;
    mode += *mode == ' ';
    if (mode[0] == 'w') {
        say("<");
        say(line);
        say(">\n");
    } else if (mode[0] == 'e' && mode[1] == 'x') {
        volatile u64 end[2] = { 0x20026, number(mode + 5) };
        call(EXIT, end);
    } else if (mode[0] == 'e' && mode[1] == 'l') {
        el0();
    } else if (mode[0] == 'm') {
        for (unsigned n = 0; n < 60 && !wrong; n++)
            wrong = open("/dev/null", 0) < 0;
        say(wrong ? "none left\n" : "all opened\n");
    } else if (mode[0] == 'r' || mode[0] == 't') {
        echo(mode[0] == 't');
    } else {
        check("length of the command line", block[1] == length(line) && same(mode, "calls"));
        files();
        features();
        console();
        rest();
        say(wrong ? "FAILED\n" : "all passed\n");
    }
    volatile u64 end[2] = { 0x20026, wrong != 0 };
    call(EXIT_EXTENDED, end);
}
asm(".globl _start\n.pushsection .text.start,\"ax\"\n_start: adr x0, stack_end\nmov sp, x0\n"
    "mov x0, #0x300000\nmsr cpacr_el1, x0\nisb\nb start\n.popsection\n"
    ".pushsection .bss\n.balign 16\n.skip 16384\nstack_end: .skip 16\n.popsection\n");
