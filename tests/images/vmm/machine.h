/* The virtual machine that vmm.c makes and guest.S runs in: guest physical addresses, for C and for the assembler. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#define GICD_BASE 0x08000000
#define ITS_BASE  0x08080000
#define GICR_BASE 0x080a0000
#define GICC_BASE 0x08010000 /* of a vGICv2 */
#define DEVICE_BASE 0x09000000 /* nothing is mapped here at stage 2: each access is an exit to the VMM */
#define RAM_BASE 0x40000000
#define RAM_SIZE 0x200000

#define DEVICE_TX 0x0     /* write: a character for the VMM to print */
#define DEVICE_ID 0x4     /* read: DEVICE_ID_VALUE */
#define DEVICE_RESULT 0x8 /* write: 0 when all went well, else the number of the check that failed */
#define DEVICE_SIZE 0x1000
#define DEVICE_ID_VALUE 0xc54c8d55

/* Bits of x0 at the guest's entry: there is a vGIC, it is a vGICv2. */
#define GUEST_HAS_GIC 1
#define GUEST_HAS_GICV2 2

#endif
