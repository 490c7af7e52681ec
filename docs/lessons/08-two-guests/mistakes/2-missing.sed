# switch.c
s/ROW(tpidr_el1) //
