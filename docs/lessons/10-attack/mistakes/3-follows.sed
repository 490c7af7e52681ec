# guard.c
s/        u64 entry = \*entry_of(guest_memory.root, ipa + done);/        u64 entry = *entry_of(guest_memory.root, ipa);/
s/FIELD(ipa + done, 11, 0)/FIELD(ipa, 11, 0) + done/
