# irq.c
/CNT_IMASK);/d
