/* The queue of a virtio device: what a driver put there, read with the suspicion of lesson 10. */
#include "virtio.h"
#include "vm.h"

bool guest_write(u64 ipa, u64 size, const void *from)
{
    u64 offset = ipa - GUEST_RAM_IPA;
    if (offset >= GUEST_RAM_SIZE || size > GUEST_RAM_SIZE - offset)
        return false;
    for (u64 done = 0; done < size; done++) {
        u64 entry = *entry_of(guest_memory.root, ipa + done);
        if (!(entry & PTE_VALID) || !(entry & S2_WRITE)) /* a page of the image, which the other guest reads, too */
            return false;
        *(u8 *)((entry & PTE_ADDRESS) + FIELD(ipa + done, 11, 0)) = ((const u8 *)from)[done];
    }
    return true;
}

/* A buffer: descriptors that lead to each other, as many as there are at most. */
static bool buffer_send(const struct queue *q, u16 head)
{
    for (u32 n = 0; n < q->size; n++) {
        struct virtq_desc d;
        char text[64];
        if (head >= q->size || !guest_read(q->desc + head * sizeof(d), sizeof(d), &d))
            return false;
        if (d.flags & DESC_WRITE || d.length > sizeof(text) || !guest_read(d.address, d.length, text))
            return false;
        console_text(text, d.length);
        if (!(d.flags & DESC_NEXT))
            return true;
        head = d.next;
    }
    return false; /* a circle */
}

bool queue_work(struct queue *q)
{
    u16 index, head;
    if (!guest_read(q->avail + offsetof(struct virtq_avail, index), sizeof(index), &index))
        return false;
    if ((u16)(index - q->seen) > q->size) /* more than fit */
        return false;
    while (q->seen != index) {
        u64 slot = q->seen % q->size;
        if (!guest_read(q->avail + offsetof(struct virtq_avail, ring) + slot * sizeof(head), sizeof(head), &head) ||
            !buffer_send(q, head))
            return false;
        struct {
            u32 id, length;
        } done = { head, 0 };
        q->seen++;
        if (!guest_write(q->used + offsetof(struct virtq_used, ring) + slot * sizeof(done), sizeof(done), &done))
            return false;
        dsb(); /* the entry before the index that makes it the driver's */
        if (!guest_write(q->used + offsetof(struct virtq_used, index), sizeof(q->seen), &q->seen))
            return false;
    }
    return true;
}
