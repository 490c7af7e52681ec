/* Lesson 2: EL2 translates its own addresses, and finds out what it may not do. */
#include "probe.h"
#include "translation.h"

extern char probe_code[];

static const char *fault(u64 esr)
{
    static const char *const names[] = { "address size", "translation", "access flag", "permission" };
    u64 status = FIELD(esr, 5, 0); /* of an abort's ISS: what failed, and at which level */
    return !esr ? "no" : status == 0x21 ? "alignment" : status < 16 ? names[status >> 2] : "another";
}

static void tell(const char *what, u64 esr)
{
    print("%s: %s fault", what, fault(esr));
    if (esr && FIELD(esr, 5, 0) < 16)
        print(", level %lu", FIELD(esr, 1, 0));
    print("\n");
}

void main(void);
void main(void)
{
    probing = true;
    tell("MMU off, 4 bytes at an odd address", probe_read(ADDRESS(_image) + 1));
    translation_on();
    print("translation is on\n");
    tell("4 bytes at an odd address", probe_read(ADDRESS(_image) + 1));
    tell("write to the code", probe_write(ADDRESS(_image)));
    tell("write to constants", probe_write(ADDRESS(_text_end)));
    tell("execute data", probe_execute(ADDRESS(probe_code)));
    tell("read address 0", probe_read(0));
    tell("read below the stack", probe_read(ADDRESS(_guard)));
    tell("read the end of RAM", probe_read(RAM_END - 4));
    probing = false;
}
