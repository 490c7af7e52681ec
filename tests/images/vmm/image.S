/* The guest's bytes (guest.bin, linked to run at RAM_BASE), carried inside the VMM. */
        .section .rodata
        .balign 8
        .globl  guest_image, guest_image_end
guest_image:
        .incbin "guest.bin"
guest_image_end:
        .section .note.GNU-stack, "", %progbits
