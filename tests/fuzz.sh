#!/bin/sh
# Hostile input (tests/fuzz/fuzz.py):   B=folder tests/fuzz.sh ELMU COUNT [SEED [KIND...]]     Ends with "N passed, N failed"
set -eu
elmu=${1:?usage: fuzz.sh ELMU COUNT [SEED [KIND...]]}
count=${2:?}
seed=${3:-1}
[ $# -gt 3 ] && shift 3 || shift $#
here=$(dirname "$0")/fuzz
B=${B:-build}
mkdir -p "$B/fuzz"
"${CROSS:-aarch64-linux-gnu-}gcc" -nostdlib -static -Wl,--build-id=none,--no-warn-rwx-segments -T "$here/guest.ld" \
    -o "$B/fuzz/frame.elf" "$here/guest.S"
exec python3 "$here/fuzz.py" --elmu "$elmu" --frame "$B/fuzz/frame.elf" --count "$count" --seed "$seed" --keep "$B/fuzz/failed" "$@"
