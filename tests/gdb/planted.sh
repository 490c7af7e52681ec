#!/bin/bash
# Builds the demo hypervisor with a bug in it, for docs/debugging.md and planted.session: the mailbox "page" is hidden from the
# closed guest after its fourth call, but the level 3 index is used in the level 2 table.
#
#   tests/gdb/planted.sh FOLDER        leaves FOLDER/guest/demo.elf
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
rm -rf "$folder/demo" && cp -r "$here/../guest/demo" "$folder/demo" && cp "$here/../guest/regs.S" "$folder/"
cat >>"$folder/demo/stage2.c" <<'C'

/* Takes one page away from the guest, so that its next access is seen. */
void s2_hide(struct guest *g, u64 ipa)
{
    u64 *l2 = table_next(g->s2_root, BITS(ipa, 38, 30));
    l2[BITS(ipa, 20, 12)] = 0;
    DSB();
    asm volatile("tlbi vmalls12e1; dsb sy; isb" : : : "memory");
}
C
sed -i 's/^static void exit_hvc(struct guest \*g)$/void s2_hide(struct guest *g, u64 ipa);\n\n&/
        s/^    stat_count(g, "HVC", cause, 0);$/&\n    static u32 calls;\n    if (g == \&guests[CLOSED] \&\& ++calls == 4)\n        s2_hide(g, 0x40000000);/' \
    "$folder/demo/exits.c"
make -s -C "$here/../.." B="$folder" DEMO_DIR="$folder/demo" "$folder/guest/demo.elf"
