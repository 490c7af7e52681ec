#!/bin/bash
# elmu built for arm64 hosts (make ARCH=arm64), run on this one by qemu-user: unit tests, vectors, what object code shows, and the
# guests; guests on both engines, a boot, and a snapshot that changes hosts must have the console, count and hash that they have here.
#
#   tests/arm64.sh [-j N] ELMU         ELMU: this host's own build; -j: suites at a time (default 2)
#   B=folder                           of the arm64 build (default build/arm64), which is made when it is not there
#
# Ends with "N passed, N failed".
#
# Left out:
#   unit suite sandbox                 qemu-user has no seccomp: prctl refuses each filter
#   vectors but of v80 and v94         these are a seventh of all, of every kind: the oldest PE and the newest
#   three of four rounds               of unit tests with random input (UNIT_PART): they would take four minutes
#   trace, gdb, cli, acpi, fuzz        programs around elmu, files and sockets of a kernel that is this host's
set -uo pipefail
export LC_ALL=C TIMEOUT=600 CK_TIMEOUT_MULTIPLIER=20 UNIT_PART=4
cd "$(dirname "$0")/.." || exit 1
left_out=sandbox
jobs=2
[ "${1-}" = -j ] && { jobs=$2; shift 2; }
[ $# = 1 ] || { echo "usage: arm64.sh [-j N] ELMU" >&2; exit 1; }
own=$1
export B=${B:-build/arm64}
root=$(tests/arm64-root.sh) || { echo "0 passed, 1 failed"; exit 1; }
make --no-print-directory "-j$jobs" ARCH=arm64 CC=gcc B="$B" ROOT="$root" all "$B/unit" "$B/vectors" guests || { echo "0 passed, 1 failed"; exit 1; }

export RUN="qemu-aarch64-static -L $root"
ELMU=$(realpath "$B")/elmu.run
printf '#!/bin/sh\nexec %s %s/elmu "$@"\n' "$RUN" "$(realpath "$B")" >"$ELMU"
chmod 755 "$ELMU"
UNIT=$(sed -nE 's/^SUITE\((.*)\)$/\1/p' tests/unit/suites.def | grep -vxF "$left_out" | tr '\n' ' ')
export ELMU UNIT VECTORS=${VECTORS:-../shared/vectors ../shared/vectors/v94}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# part COMMAND...: its last line is its count.
part()
{
    local count
    "$@" >"$work/part" 2>&1 </dev/null
    cat "$work/part"
    count=$(tail -n 1 "$work/part" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p')
    count=${count:-0 1}
    passed=$((passed + ${count% *})) failed=$((failed + ${count#* }))
}

# The facts of a run that goes on from a snapshot, or makes it.
facts() { "$1" -stats -M virt,gic-version=3,virtualization=on -cpu max -m 256M -nographic "${@:2}" 2>&1 </dev/null | grep -aE '^(insns|hash) |^elmu'; }

# Saved on one host, ended on the other, which a run without a stop must equal.
snapshots()
{
    local whole from to first passed_here=0 failed_here=0
    whole=$(facts "$own" -kernel "$B/guest/demo.elf" -snapshot-save "$work/own.snap@200000")
    facts "$ELMU" -kernel "$B/guest/demo.elf" -snapshot-save "$work/arm64.snap@200000" >"$work/arm64.facts"
    for from in own arm64; do
        for to in "$own" "$ELMU"; do
            first=$(facts "$to" -restore "$work/$from.snap")
            if [ "$first" = "$whole" ] && [ -n "$whole" ]; then passed_here=$((passed_here + 1)); else
                echo "FAIL a snapshot of $from goes on at $to: $first, expected $whole"
                failed_here=$((failed_here + 1))
            fi
        done
    done
    if cmp -s "$work/own.snap" "$work/arm64.snap"; then passed_here=$((passed_here + 1)); else
        echo "FAIL the snapshots of both hosts differ"
        failed_here=$((failed_here + 1))
    fi
    echo "snapshots: $(echo "$whole" | tr '\n' ' ')"
    echo "$passed_here passed, $failed_here failed"
}

part tests/check.sh -j "$jobs" unit vectors-part guests-threaded calls core includes
VECTORS="${VECTORS%% *}/v80 ${VECTORS#* }" part tests/check.sh -j 1 vectors-tier2
part tests/determinism.sh "$own" "$ELMU"
part tests/boots.sh linux-cortex-a57-1 "$own" "$ELMU"
part snapshots
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
