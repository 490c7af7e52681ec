# vgic.c
s/ | HCR_IMO);/);/
