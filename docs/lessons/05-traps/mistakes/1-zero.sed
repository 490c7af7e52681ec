# sysreg.c
s/^        if (rt != 31)$/        if (true)/
