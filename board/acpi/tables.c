/*
 * ACPI tables of a few fields: FADT (ACPI 6.4, 5.2.9), GTDT (5.2.24), MCFG (PCI Firmware Specification 3.0, 4.1.2),
 * SPCR and DBG2 (Microsoft's tables of these names).
 */
#include "board/acpi/acpi.h"
#include "board/machine.h"

/* A generic address structure (5.2.3.2) of a register of bytes in memory. */
static void byte_register(struct writer *w, u64 address) { PUT(w, BYTE(0), BYTE(8), BYTE(0), BYTE(1), QWORD(address)); }

/* Hardware-reduced: nothing of the fixed hardware is there, what it would do PSCI and devices of the DSDT do. */
void acpi_fadt(struct writer *w)
{
    enum { BOOT = 109, FLAGS = 112, ARM_BOOT = 129, HYPERVISOR = 268 };
    enum { NO_MSI = 8, HW_REDUCED = 1 << 20, PSCI = 1, BY_HVC = 2 };
    static const u8 conduit[] = { [CONDUIT_NONE] = 0, [CONDUIT_HVC] = PSCI | BY_HVC, [CONDUIT_SMC] = PSCI };
    bool messages = row_there(w->m, row_get(ROW_its)) || row_there(w->m, row_get(ROW_gicv2m));
    put_zeros(w, BOOT - ACPI_HEADER);
    put(w, messages ? 0 : NO_MSI, 2);
    put_zeros(w, FLAGS - BOOT - 2);
    put(w, HW_REDUCED, 4);
    put_zeros(w, ARM_BOOT - FLAGS - 4);
    put(w, conduit[w->m->conduit], 2);
    put_zeros(w, HYPERVISOR - ARM_BOOT - 2); /* the DSDT's offset among them */
    put_text(w, "QEMU", 8, 0);
}

/* Level-sensitive, active high; the one of EL1 goes on while PEs sleep. */
void acpi_gtdt(struct writer *w)
{
    enum { NONE = -1, ALWAYS_ON = 4 };
    PUT(w, QWORD((u64)NONE), DWORD(0));
    PUT(w, DWORD(TIMER_PPI_CNTPS), DWORD(0), DWORD(TIMER_PPI_CNTP), DWORD(ALWAYS_ON));
    PUT(w, DWORD(TIMER_PPI_CNTV), DWORD(0), DWORD(TIMER_PPI_CNTHP), DWORD(0));
    PUT(w, QWORD((u64)NONE), DWORD(0), DWORD(0));
}

/* The host bridge's configuration space: segment 0, a bus for each MiB. */
void acpi_mcfg(struct writer *w)
{
    unsigned ecam = row_ecam(w->m);
    put_zeros(w, 8);
    PUT(w, QWORD(row_address(w->m, ecam)), WORD(0), BYTE(0), BYTE((row_get(ecam)->size >> 20) - 1), DWORD(0));
}

enum { UART_PL011 = 3 }; /* type of a port, in both tables */
static const struct place console = { ROW_uart0, 0 };

void acpi_spcr(struct writer *w)
{
    enum { BY_GIC = 8, BAUD_9600 = 3, STOP_1 = 1, FLOW_HARDWARE = 2, NO_PCI = 0xffff };
    PUT(w, BYTE(UART_PL011), BYTE(0), WORD(0));
    byte_register(w, place_base(w->m, console));
    PUT(w, BYTE(BY_GIC), BYTE(0), DWORD(place_intid(console)), BYTE(BAUD_9600), BYTE(0), BYTE(STOP_1),
        BYTE(FLOW_HARDWARE), BYTE(0), BYTE(0), WORD(NO_PCI), WORD(NO_PCI));
    put_zeros(w, 12);
}

void acpi_dbg2(struct writer *w)
{
    enum { INFO = ACPI_HEADER + 8, ADDRESS = 22, SIZE = ADDRESS + 12, PATH = SIZE + 4, SERIAL = 0x8000 };
    static const char path[] = "COM0";
    PUT(w, DWORD(INFO), DWORD(1), BYTE(0), WORD(PATH + sizeof(path)), BYTE(1), WORD(sizeof(path)), WORD(PATH), WORD(0),
        WORD(0), WORD(SERIAL), WORD(UART_PL011), WORD(0), WORD(ADDRESS), WORD(SIZE));
    byte_register(w, place_base(w->m, console));
    put(w, row_get(console.row)->size, 4);
    put_string(w, path);
}
