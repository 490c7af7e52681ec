/* The closed guest: a controller with a period of 1 ms. At each tick of its virtual timer it reads a sensor (emulated:
 * each access is a stage-2 fault), sets three output pins (a real PL061, mapped by stage 2: no exit), and measures how
 * late it was. It runs without an MMU and talks to nobody but by HVC. */
#include "guest.h"
#include "put_hvc.h"

#define PERIOD  62500ul                 /* ticks of the 62.5 MHz counter: 1 ms */
#define PERIODS 20
#define CNTV_ID 27

#define GPIO_DATA(mask)  REG32(0x10000000 + ((mask) << 2))      /* the address selects the pins */
#define GPIO_DIRECTION   REG32(0x10000400)
#define SENSOR_SAMPLE    (*(volatile int16_t *)0x11000000)
#define SENSOR_SETPOINT  (*(volatile u8 *)0x11000004)

static volatile u32 done;
static u64 due, latest, earliest = ~0ul;
static u32 missed, pin_errors;
static int64_t sum;

static void control(void)
{
    int64_t sample = SENSOR_SAMPLE;
    sum += sample;
    SENSOR_SETPOINT = sample < 0 ? 1 : 2;
    GPIO_DATA(7) = done & 7;
    pin_errors += GPIO_DATA(7) != (done & 7);
}

void guest_irq(void)
{
    u64 intid = READ_(ICC_IAR1), now = READ(cntvct_el0), late = now - due;
    if (intid == CNTV_ID) {
        latest = late > latest ? late : latest;
        earliest = late < earliest ? late : earliest;
        missed += late >= PERIOD;
        control();
        done++;
        due += PERIOD;
        WRITE(cntv_cval_el0, due); /* the timer's line falls: the end of interrupt does not find it again */
        WRITE(cntv_ctl_el0, done < PERIODS);
        ISB();
        if (done % 5 == 0)
            hvc(HVC_DOORBELL, (u64[6]){ done });
    }
    WRITE_(ICC_EOIR1, intid);
}

u64 guest_sync(u64 esr, u64 far, u64 pc, u64 lr)
{
    (void)lr;
    say("unexpected exception: ESR "), say_number(esr, 16), say(" FAR "), say_number(far, 16);
    say(" PC "), say_number(pc, 16), say("\n");
    hvc(PSCI_SYSTEM_OFF, (u64[6]){ 0 });
    return pc;
}

void guest_main(u64 work)
{
    (void)work; /* what it does is given by its period */
    say("started; period 1 ms\n");
    GPIO_DIRECTION = 7;
    WRITE_(ICC_PMR, 0xff);
    WRITE_(ICC_IGRPEN1, 1);
    due = READ(cntvct_el0) + PERIOD;
    WRITE(cntv_cval_el0, due);
    WRITE(cntv_ctl_el0, 1);
    ISB();
    while (done < PERIODS) {
        asm volatile("wfi"); /* masked: an interrupt between the test and here still ends it */
        irq_unmask();
        ISB();
        irq_mask();
    }
    say_number(done, 10), say(" periods done, sum of samples "), say_number((u32)sum, 16), say("\n");
    say("output pins: "), say_number(pin_errors, 10), say(" errors\n");
    say("late by "), say_number(earliest, 10), say(" to "), say_number(latest, 10), say(" ticks; jitter ");
    say_number(latest - earliest, 10), say("; deadlines missed "), say_number(missed, 10), say("\n");
    hvc(PSCI_CPU_OFF, (u64[6]){ 0 });
}
