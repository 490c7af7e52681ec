# queue.c
s/for (u32 n = 0; n < q->size; n++)/for (;;)/
