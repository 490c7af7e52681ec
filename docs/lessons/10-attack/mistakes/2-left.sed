# guard.c
s/^    fp_load(to->fp);/    (void)to;/
