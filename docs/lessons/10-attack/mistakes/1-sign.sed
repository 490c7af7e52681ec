# guard.c
s/if (intid < VIRQ_FIRST || intid > 47)/if ((int)intid > 47)/
