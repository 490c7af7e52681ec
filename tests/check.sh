#!/bin/bash
# Runs the test suites, two at a time (and one beside them), and adds up what each one counted in its own last line, "N passed, N failed".
#
#   tests/check.sh [-j N] [SUITE...]          tests/check.sh --list
#
#   B        folder of the build (default build)        ELMU    the program (default ./elmu)
#   VECTORS  folders of vector sets (default ../shared/vectors ../shared/more-vectors)
#   QEMU     a second emulator for the guests
#   PEER     an elmu of another compiler that must compute the same (determinism)
#   FUZZ     programs and files that the fuzz suite makes (default 40)
#   RUN      what starts the programs of B that are for another kind of host (tests/arm64.sh)
#   UNIT     suites of tests/unit (default all)
#   LOCKSTEP instructions that run beside QEMU (default 1000000), and SEED of their programs (default 1)
#
# The last line is the total; status 0 only when nothing failed. A suite that ends without its line has failed.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
export B=${B:-build}
export ELMU=${ELMU:-./elmu} VECTORS=${VECTORS:-../shared/vectors ../shared/more-vectors} QEMU=${QEMU:-qemu-system-aarch64} PEER=${PEER-} FUZZ=${FUZZ:-40} RUN=${RUN-} UNIT=${UNIT-}

# One function for each suite; the longest first, so that the two lanes end together.
# shellcheck disable=SC2086 # a list of folders
suite_vectors() { $RUN "$B/vectors" $VECTORS; }
# shellcheck disable=SC2086
suite_vectors-tier2() { $RUN "$B/vectors" --tier2 $VECTORS; }
# shellcheck disable=SC2086
suite_vectors-part() { set -- $VECTORS; $RUN "$B/vectors" "$1/v80" "${@:2}"; }
suite_guests-stepping() { tests/guest/run.sh "$ELMU" --engine=step --max-insns 200000000; }
suite_guests-threaded() { tests/guest/run.sh "$ELMU" --engine=threaded --max-insns 200000000; }
# Everything is hot: the second tier from the first time on.
suite_guests-tier2() { tests/guest/run.sh "$ELMU" --engine=tier2,hot=1 --max-insns 200000000; }
# Under -icount QEMU's time is instructions too, so that this does not depend on the host's load.
suite_guests-qemu() { tests/guest/run.sh "$QEMU" -icount shift=0,sleep=off; }
suite_determinism() { tests/determinism.sh "$ELMU" ${PEER:+"$PEER"}; }
suite_fuzz() { tests/fuzz.sh "$ELMU" "$FUZZ"; }
# shellcheck disable=SC2086 # a list of suites
suite_unit() { $RUN "$B/unit" $UNIT; }
suite_gdb() { tests/gdb/all.sh "$ELMU"; }
suite_report() { tests/report/run.py "$ELMU" "$B"; }
suite_trace() { tests/trace/run.py "$ELMU" "$B"; }
# The lessons of docs/lessons: skeletons, solutions, mistakes, and what their pages show.
suite_lessons() { tests/lessons/run.py "$ELMU"; }
suite_views() { tests/view/run.py "$ELMU" "$B"; }
suite_cli() { tests/cli/run.sh "$ELMU"; }
suite_window() { tests/window/run.sh "$ELMU"; }
# The command lines are beside the vectors.
suite_cmdlines() { tests/cmdlines.sh "$ELMU" "${VECTORS%% *}/../cmdlines.txt"; }
suite_bench() { tests/bench.sh "$ELMU" "${VECTORS%% *}/../bench"; }
suite_acpi() { tests/acpi.py "$ELMU" "$QEMU" "$B/guest/fw_items.elf"; }
suite_calls() { tests/calls.sh; }
suite_core() { tests/core.sh; }
suite_includes() { tests/includes.sh; }
suite_lists() { tests/lists.sh; }
# The same vectors: is what each exception names as its cause true?
# shellcheck disable=SC2086 # a list of folders
suite_causes() { $RUN "$B/vectors" --causes $VECTORS; }
# A million instructions beside QEMU, always the same ones; tests/soak.sh has others.
suite_lockstep() { tests/lockstep.sh "$ELMU --engine=tier2,hot=1" "${LOCKSTEP:-1000000}" "${SEED:-1}"; }
suite_sweep()
{
    tests/conformance/sweep.py "$B/sweep" --samples 200 --jobs 1 --cpu max cortex-a35 cortex-a53 cortex-a55 cortex-a57 cortex-a72 cortex-a76 cortex-a77 cortex-a78 cortex-a78ae cortex-x1 cortex-a710 \
        neoverse-n1 neoverse-v1 neoverse-n2 neoverse-v2
}
# A suite that waits more than it computes, for sockets, pauses and time-outs: it runs beside the lanes.
beside="cli"
# Suites that run only when they are named: parts of others, for slow builds.
extra="vectors-part"
all="vectors lockstep causes unit bench vectors-tier2 guests-stepping guests-threaded guests-tier2 guests-qemu determinism fuzz gdb trace views report lessons cli window acpi cmdlines calls core includes lists sweep"

jobs=2
case ${1-} in
--list) echo "$all"; exit 0 ;;
-j) jobs=$2; shift 2 ;;
esac
chosen=${*:-$all}
for name in $chosen; do
    case " $all $extra " in *" $name "*) ;; *) echo "check.sh: $name: no such suite ($all $extra)" >&2; exit 1 ;; esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_suite() # NAME
{
    local start=$SECONDS status counts
    "suite_$1" >"$work/$1.out" 2>&1 </dev/null
    status=$?
    counts=$(tail -n 1 "$work/$1.out" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p')
    if [ -z "$counts" ]; then
        counts='0 1'
        echo "the suite ended with status $status and without its count" >>"$work/$1.out"
    elif [ $status != 0 ] && [ "${counts#* }" = 0 ]; then
        counts="${counts% *} 1"
        echo "the suite ended with status $status" >>"$work/$1.out"
    fi
    echo "$counts" >"$work/$1.count"
    { echo "==== $1 ($((SECONDS - start)) s)"; tail -n 200 "$work/$1.out"; } >"$work/$1.text"
    cat "$work/$1.text"
}

lanes=()
lane_is_free()
{
    local pid busy=0
    for pid in "${lanes[@]}"; do ! kill -0 "$pid" 2>/dev/null || busy=$((busy + 1)); done
    [ $busy -lt "$jobs" ]
}
for name in $chosen; do
    case " $beside " in *" $name "*) run_suite "$name" & ;; esac
done
for name in $chosen; do
    case " $beside " in *" $name "*) continue ;; esac
    until lane_is_free; do wait -n; done
    run_suite "$name" &
    lanes+=($!)
done
wait
passed=0 failed=0
echo "==== total"
for name in $chosen; do
    read -r p f <"$work/$name.count"
    printf '%-16s %d passed, %d failed\n' "$name" "$p" "$f"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
