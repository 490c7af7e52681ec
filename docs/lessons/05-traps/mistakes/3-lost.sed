# sysreg.c
s/write_sysreg(hcr_el2, read_sysreg(hcr_el2) | HCR_TID3/write_sysreg(hcr_el2, HCR_RW | HCR_TID3/
