# main.c
s/    v->memory.vmid = number;/    v->memory.vmid = 1;/
