# smp.c
/write_sysreg(vttbr_el2, vttbr);/d
