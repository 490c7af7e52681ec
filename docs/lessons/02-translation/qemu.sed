# QEMU 7.2 lets accesses to Device memory be at any address; the manual has them fault (B2.7.2).
s/^\(MMU off, 4 bytes at an odd address\): no fault/\1: alignment fault/
