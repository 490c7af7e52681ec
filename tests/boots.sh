#!/bin/bash
# The same boot on several builds and engines: each must pass, with the same console bytes, instruction count and state hash.
#
#   tests/boots.sh ROWS ELMU...       ROWS: of tests/images/check.sh, "linux-max-4 xen-1"; ELMU: a command and its options
#
# Ends with "N passed, N failed": one check for each row and command.
set -uo pipefail
export LC_ALL=C
[ $# -ge 2 ] || { echo "usage: boots.sh ROWS ELMU..." >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
rows=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# What must agree: the facts of --stats, and the console.
facts() { grep -aE '^(insns|hash) ' "$1/messages"; md5sum <"$1/console"; }

n=0
for elmu in "$@"; do
    # shellcheck disable=SC2086
    "$here/images/check.sh" --keep "$work/$n" "$elmu" $rows >"$work/$n.log" 2>&1
    for row in $rows; do
        result=$work/$n/$row.result
        if ! grep -q '^PASS' "$result" 2>/dev/null; then
            echo "FAIL $row on $elmu"
            if [ -f "$result" ]; then sed 's/^/    /' "$result"; else sed 's/^/    /' "$work/$n.log" | tail -n 10; fi
            failed=$((failed + 1))
        elif [ $n != 0 ] && ! diff <(facts "$work/0/$row") <(facts "$work/$n/$row") >"$work/why"; then
            echo "FAIL $row: $elmu differs from $1"
            sed 's/^/    /' "$work/why"
            failed=$((failed + 1))
        else
            echo "PASS $row on $elmu: $(facts "$work/$n/$row" | tr '\n' ' ')"
            passed=$((passed + 1))
        fi
    done
    n=$((n + 1))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
