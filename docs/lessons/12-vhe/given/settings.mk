# The machine that this lesson's hypervisor runs on.
MACHINE = -M virt,virtualization=on,gic-version=3 -cpu cortex-a76 -m 512M -nographic
# Where the guest is linked to: where it finds itself in what it takes for physical memory.
GUEST_BASE = 0x40000000
