# stage2.c
s/return FIELD(v->hpfar, 39, 4) << 12;/return v->far \& ~0xffful;/
