# translation.c
s/0xfful << 8 \* NORMAL | 0x00ul << 8 \* DEVICE/0x00ff/
