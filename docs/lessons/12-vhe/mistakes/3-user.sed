# translation.h
/define MEM_USER/s/PTE_PXN/PTE_UXN/
