# stage2.c
/tlbi ipas2e1is/d
/tlbi vmalle1is/d
