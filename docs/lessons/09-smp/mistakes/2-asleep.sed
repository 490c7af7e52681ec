# sgi.c
/^    else$/d
/cpu_kick(cpu);/d
