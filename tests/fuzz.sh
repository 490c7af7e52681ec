#!/bin/sh
# Hostile input (tests/fuzz/fuzz.py):   B=folder tests/fuzz.sh ELMU COUNT [SEED [KIND...]]     Ends with "N passed, N failed"
set -eu
elmu=${1:?usage: fuzz.sh ELMU COUNT [SEED [KIND...]]}
count=${2:?}
seed=${3:-1}
[ $# -gt 3 ] && shift 3 || shift $#
here=$(dirname "$0")/fuzz
lockstep=$(dirname "$0")/lockstep
B=${B:-build}
mkdir -p "$B/fuzz"
frame() # NAME SOURCE MAP
{
    "${CROSS:-aarch64-linux-gnu-}gcc" -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments -T "$3" -o "$B/fuzz/$1.elf" "$2"
}
frame guest "$here/guest.S" "$here/guest.ld"
frame device "$here/device.S" "$here/guest.ld"
frame script "$lockstep/device.S" "$lockstep/frame.ld"
exec python3 "$here/fuzz.py" --elmu "$elmu" --frame "$B/fuzz/guest.elf" \
    --device-frame "$B/fuzz/device.elf" --script-frame "$B/fuzz/script.elf" --count "$count" --seed "$seed" --keep "$B/fuzz/failed" "$@"
