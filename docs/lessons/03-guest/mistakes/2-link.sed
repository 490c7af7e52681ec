# enter.S
s/^    b       guest_left/    bl      guest_left/
