# queue.c
/if ((u16)(index - q->seen) > q->size)/,+1d
