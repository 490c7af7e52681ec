// The guest, as bytes.
    .section .rodata
    .balign 16
    .global guest_image, guest_image_end
guest_image:
    .incbin "build/guest.bin"
guest_image_end:
