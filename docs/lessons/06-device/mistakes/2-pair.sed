# mmio.c
s/ || !(v->esr & ISS_ISV))/)/
