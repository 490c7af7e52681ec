# mmio.c
s/return is_x ? value : (u32)value;/(void)is_x;\n    return value;/
