#!/bin/bash
# Everything about the debugger: sessions of gdb, snapshots and replay, hostile clients.
#
#   tests/gdb/all.sh ELMU [ROUNDS]       B: folder of the build. Ends with "N passed, N failed".
set -uo pipefail
export LC_ALL=C
here=$(dirname "$0")
passed=0 failed=0
work=$(mktemp)
trap 'rm -f "$work"' EXIT
part() # COMMAND...
{
    "$@" | tee "$work"
    read -r p f < <(tail -n 1 "$work" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p')
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}
part "$here/run.py" "$1"
part "$here/snapshot.py" "$1"
part "$here/wire.py" "$1"
part "$here/points.py" "$1"
part "$here/mi.py" "$1"
part "$here/fuzz.py" "$1" "${2:-40}"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
