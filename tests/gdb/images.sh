#!/bin/bash
# The debugger on the real images: sessions of gdb on Linux, KVM and Xen, snapshots of Linux, how far back and for how much,
# what the exits trace costs. B: folder of the build.
#
#   tests/gdb/images.sh ELMU [NAME...]       NAME: sessions (default: all, and the rest). Ends with "N passed, N failed".
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
elmu=${1:?elmu}
shift
IMAGE=$("$here/../images/prepare.sh") || exit 1
export IMAGE
if SYMS=$("$here/../images/xen-syms.sh"); then export SYMS; fi
passed=0 failed=0
work=$(mktemp)
trap 'rm -f "$work"' EXIT
part() # COMMAND...
{
    "$@" | tee "$work"
    read -r p f < <(tail -n 1 "$work" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p')
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}
part "$here/run.py" "$elmu" "$@"
if [ $# = 0 ]; then
    part "$here/snapshot.py" "$elmu" linux
    part "$here/distance.py" "$elmu"
    part "$here/../trace/cost.py" "$elmu"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
