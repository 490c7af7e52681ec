#!/bin/bash
# Builds the test VMM, statically, for arm64:   tests/images/vmm/build.sh OUT      (CROSS: default aarch64-linux-gnu-)
set -euo pipefail
[ $# = 1 ] || { echo "usage: build.sh OUT" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
cross=${CROSS:-aarch64-linux-gnu-}
command -v "${cross}gcc" >/dev/null || { echo "build.sh: needs ${cross}gcc (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross)" >&2; exit 1; }
work=$(mktemp -d "$1.XXXXXX")
trap 'rm -rf "$work"' EXIT

# What 100000 rounds of the guest's xorshift must give, computed on the host.
x=1
for ((i = 0; i < 100000; i++)); do
    ((x ^= x << 13, x ^= (x >> 7) & 0x1ffffffffffffff, x ^= x << 17, 1))
done
want=$(printf '0x%x' "$x")

"${cross}gcc" -DXORSHIFT_100000="$want" -I"$here" -c "$here/guest.S" -o "$work/guest.o"
"${cross}ld" -Ttext 0x40000000 -e _start -o "$work/guest.elf" "$work/guest.o"
"${cross}objcopy" -O binary "$work/guest.elf" "$work/guest.bin"
"${cross}gcc" -std=gnu11 -Os -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -static \
    -I"$here" -Wa,-I"$work" -Wl,--build-id=none -s -o "$work/vmm" "$here/vmm.c" "$here/image.S"
mv "$work/vmm" "$1"
