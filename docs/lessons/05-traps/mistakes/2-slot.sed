# sysreg.c
s/ : v->pstate \& 1 ? 0x200 : 0;/ : 0x400;/
