/* The guest's console: a hypercall for each character. */
#include "guest.h"

void put_char(char c) { hvc(CALL_PUT, (u8)c); }
