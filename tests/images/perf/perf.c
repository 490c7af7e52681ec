/*
 * What Linux's perf makes of the PMU and of breakpoints, as perf stat, perf record and a debugger use them
 * (perf_event_open(2)): counts that must be exact, samples, watched writes and accesses, calls. Prints a line each.
 */
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int event_open(struct perf_event_attr attr)
{
    attr.size = sizeof(attr);
    attr.exclude_kernel = attr.exclude_hv = 1;
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    if (fd < 0) {
        perror("perf_event_open");
        exit(1);
    }
    return fd;
}

/* What the event counted, and its end. */
static long event_close(int fd)
{
    uint64_t count = 0;
    if (read(fd, &count, sizeof(count)) != sizeof(count))
        exit(1);
    close(fd);
    return (long)count;
}

/* Two instructions a round. */
static void loop(long rounds) { asm volatile("1: subs %0, %0, #1\nb.ne 1b" : "+r"(rounds) : : "cc"); }

static long counted(unsigned config, long rounds)
{
    int fd = event_open((struct perf_event_attr){ .type = PERF_TYPE_HARDWARE, .config = config, .disabled = 1 });
    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
    loop(rounds);
    ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
    return event_close(fd);
}

static volatile int signals;
static void on_sample(int signal)
{
    (void)signal;
    signals++;
}

static void sample(void)
{
    int fd = event_open((struct perf_event_attr){ .type = PERF_TYPE_HARDWARE,
                                                  .config = PERF_COUNT_HW_CPU_CYCLES,
                                                  .sample_period = 100000,
                                                  .wakeup_events = 1,
                                                  .disabled = 1 });
    signal(SIGIO, on_sample);
    fcntl(fd, F_SETFL, O_ASYNC);
    fcntl(fd, F_SETOWN, getpid());
    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
    loop(525000);
    ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
    close(fd);
}

static volatile long datum;
__attribute__((noinline)) static void called(void) { asm volatile(""); }

/* Hits while the datum is written five times and read once, and called() five times. */
static long hits(unsigned type, void *address, unsigned length)
{
    int fd = event_open((struct perf_event_attr){
        .type = PERF_TYPE_BREAKPOINT, .bp_type = type, .bp_addr = (uint64_t)address, .bp_len = length });
    for (int n = 0; n < 5; n++) {
        datum = n;
        called();
    }
    (void)datum;
    return event_close(fd);
}

int main(void)
{
    printf("perf: instructions of 100000 rounds: %ld\n",
           counted(PERF_COUNT_HW_INSTRUCTIONS, 101000) - counted(PERF_COUNT_HW_INSTRUCTIONS, 1000));
    printf("perf: cycles of 100000 rounds: %ld\n",
           counted(PERF_COUNT_HW_CPU_CYCLES, 101000) - counted(PERF_COUNT_HW_CPU_CYCLES, 1000));
    sample();
    printf("perf: samples in 1050000 cycles: %d\n", signals);
    printf("perf: writes watched: %ld\n", hits(HW_BREAKPOINT_W, (void *)(uintptr_t)&datum, 8));
    printf("perf: accesses watched: %ld\n", hits(HW_BREAKPOINT_RW, (void *)(uintptr_t)&datum, 8));
    printf("perf: calls seen: %ld\n", hits(HW_BREAKPOINT_X, (void *)(uintptr_t)called, 4));
    return 0;
}
