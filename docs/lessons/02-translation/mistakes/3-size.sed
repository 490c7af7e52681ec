# translation.c
s/(64 - 39)/(64 - 48)/
