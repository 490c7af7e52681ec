# stage2.c
s/ipas2e1is/ipas2e1/
s/vmalle1is/vmalle1/
