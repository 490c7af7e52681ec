/* The queue of a virtio device: what a driver put there, read with the suspicion of lesson 10. */
#include "virtio.h"
#include "vm.h"

bool guest_write(u64 ipa, u64 size, const void *from)
{
    (void)ipa, (void)size, (void)from;
    TODO(4, "as guest_read; and only where the guest itself may write: S2_WRITE");
}

/* A buffer: descriptors that lead to each other, as many as there are at most. */
static bool buffer_send(const struct queue *q, u16 head)
{
    (void)q, (void)head;
    TODO(2, "from descriptor `head` on, while DESC_NEXT: read it (is there one of that number?), "
            "read its bytes, 64 at most, console_text. One with DESC_WRITE is nonsense here. How "
            "many can there be?");
    return false; /* a circle */
}

bool queue_work(struct queue *q)
{
    u16 index, head;
    if (!guest_read(q->avail + offsetof(struct virtq_avail, index), sizeof(index), &index))
        return false;
    TODO(1, "how many are new is (u16)(index - q->seen): both count on beyond the size, and wrap "
            "at 65536. More than q->size is nonsense");
    while (q->seen != index) {
        u64 slot = q->seen % q->size;
        if (!guest_read(q->avail + offsetof(struct virtq_avail, ring) + slot * sizeof(head), sizeof(head), &head) ||
            !buffer_send(q, head))
            return false;
        TODO(3, "seen + 1; used.ring[slot] is { head, 0 }; DSB; used.index is seen");
    }
    return true;
}
