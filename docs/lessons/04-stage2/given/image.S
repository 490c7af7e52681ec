// The guest, as whole pages of bytes.
    .section .rodata
    .balign 4096
    .global guest_image, guest_image_end
guest_image:
    .incbin "build/guest.bin"
    .balign 4096
guest_image_end:
