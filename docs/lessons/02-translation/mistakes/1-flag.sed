# translation.c
s/PTE_SH | PTE_AF;/PTE_SH;/
