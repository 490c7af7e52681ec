# vgic.c
s/ | (left ? ICH_HCR_UIE : 0))/)/
s/    bool left = false;/    bool left __attribute__((unused)) = false;/
