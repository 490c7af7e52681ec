# vgic.c
s/LR_PENDING | LR_GROUP1 | /LR_PENDING | /
