# queue.c
s/ || !(entry \& S2_WRITE))/)/
