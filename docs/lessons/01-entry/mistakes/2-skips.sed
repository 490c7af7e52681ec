# exception.c
s/    f->x\[0\] = ++calls;/&\n    f->elr += 4; \/* behind the HVC *\//
