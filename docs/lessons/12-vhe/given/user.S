// The host's program, at EL0: what QEMU is to KVM. It runs the guest, and does what the guest may not do itself.
#define SYS_EXIT  0
#define SYS_WRITE 1
#define SYS_RUN   2
#define RUN_PUT   1

    .section .rodata
    .balign 4096
    .global user_program
user_program:
    svc     #SYS_RUN
    cmp     x0, #RUN_PUT
    b.ne    1f
    mov     x0, x1
    svc     #SYS_WRITE
    b       user_program
1:  svc     #SYS_EXIT
    .balign 4096
