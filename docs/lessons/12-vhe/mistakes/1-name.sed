# vhe.c
s/write_sysreg(SCTLR_EL12, /write_sysreg(sctlr_el1, /
