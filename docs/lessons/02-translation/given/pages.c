/* Pages for tables and guests: the RAM behind the hypervisor's image, one after the other. */
#include "translation.h"

static u64 next;

void *page_new(void)
{
    next = next ? next : ADDRESS(_image_end);
    if (next >= RAM_END)
        panic("no page is left");
    void *page = memset((void *)next, 0, PAGE_SIZE);
    next += PAGE_SIZE;
    return page;
}
