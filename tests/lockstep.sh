#!/bin/sh
# Lock-step with QEMU (tests/lockstep/lockstep.py):  B=folder QEMU=command tests/lockstep.sh ELMU INSNS [SEED [OPTION...]]
# Ends with "N passed, N failed".
set -eu
elmu=${1:?usage: lockstep.sh ELMU INSNS [SEED [OPTION...]]}
insns=${2:?}
seed=${3:-1}
[ $# -gt 3 ] && shift 3 || shift $#
here=$(dirname "$0")/lockstep
B=${B:-build}
mkdir -p "$B/lockstep"
for name in frame device; do
    "${CROSS:-aarch64-linux-gnu-}gcc" -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments -T "$here/frame.ld" \
        -o "$B/lockstep/$name.elf" "$here/$name.S"
done
exec python3 "$here/lockstep.py" --elmu "$elmu" --qemu "${QEMU:-qemu-system-aarch64}" --frame "$B/lockstep/frame.elf" \
    --device-frame "$B/lockstep/device.elf" --insns "$insns" --seed "$seed" "$@"
