# The machine that this lesson's hypervisor runs on.
MACHINE = -M virt,virtualization=on,gic-version=3 -cpu cortex-a57 -m 512M -nographic
