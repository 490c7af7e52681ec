# exits.c
s/case EC_WFX: v->pc += 4; /case EC_WFX: /
