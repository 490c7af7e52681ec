#!/bin/bash
# The full matrix, hours long: every image with each compiler and engine and under the sanitizers, every vector set that
# passes, long fuzzing with new seeds.        tests/soak.sh [SEED]      LOGS=folder (default build/soak)
# Ends with "N passed, N failed". One run after the other, with what each counted.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
seed=${1:-$(date +%Y%m%d)}
out=build/soak
logs=${LOGS:-$out}
mkdir -p "$logs"
passed=0 failed=0

part() # NAME COMMAND...
{
    local name=$1 start=$SECONDS p f
    shift
    "$@" >"$logs/$name.log" 2>&1 </dev/null
    read -r p f < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$logs/$name.log" | tail -n 1)
    echo "$name: ${p:-0} passed, ${f:-1} failed ($((SECONDS - start)) s)$([ "${f:-1}" = 0 ] || echo ", see $logs/$name.log")"
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}
built() # FOLDER VARIABLES...
{
    make -j"$(nproc)" B="$out/$1" all "$out/$1/unit" "$out/$1/vectors" "$out/$1/sweep" guests "${@:2}" >"$logs/build-$1.log" 2>&1 && return
    echo "build-$1: failed, see $logs/build-$1.log"
    failed=$((failed + 1))
    return 1
}
suites() { B="$out/$1" ELMU="$PWD/$out/$1/elmu" tests/check.sh "${@:2}"; }

tests/install.sh run check images lint debian || exit 1
echo "seed $seed"
for cc in gcc clang; do
    built $cc CC=$cc || continue
    part check-$cc env FUZZ=1000 PEER="$PWD/$out/gcc/elmu" make --no-print-directory check CC=$cc B=$out/$cc
    part images-$cc tests/images/check.sh --twice -j 2 "$PWD/$out/$cc/elmu" full
    part images-$cc-threaded tests/images/check.sh -j 2 "$PWD/$out/$cc/elmu --engine=threaded" full
    part images-$cc-hot tests/images/check.sh -j 2 "$PWD/$out/$cc/elmu --engine=tier2,hot=1" full
    part images-$cc-stepping tests/images/check.sh -j 2 "$PWD/$out/$cc/elmu --engine=step" full
    part debug-images-$cc tests/gdb/images.sh "$PWD/$out/$cc/elmu"
    part fuzz-$cc env B=$out/$cc tests/fuzz.sh "$PWD/$out/$cc/elmu" 3000 "$seed"
    built $cc-o0 CC=$cc OPT=-O0 && part check-$cc-o0 suites $cc-o0 vectors guests-stepping guests-threaded unit
    if built $cc-san CC=$cc SAN=1 OPT=-O1; then
        export CK_TIMEOUT_MULTIPLIER=20 TIMEOUT=3600 ASAN_OPTIONS=abort_on_error=1:detect_leaks=0
        part check-$cc-san suites $cc-san unit vectors guests-threaded cli
        part smmu-$cc-san env SMMU_STEPS=10000000 CK_RUN_SUITE=smmu "$out/$cc-san/unit"
        part sweep-$cc-san tests/conformance/sweep.py "$out/$cc-san/sweep" --samples 1000 --seed "$seed"
        part fuzz-$cc-san env B=$out/$cc-san tests/fuzz.sh "$PWD/$out/$cc-san/elmu" 500 "$((seed + 1))"
        # ten million accesses of each row, and of each kind of program for devices
        part devices-$cc-san env B=$out/$cc-san tests/fuzz.sh "$PWD/$out/$cc-san/elmu" 0 "$seed" device --accesses 10000000
        part scripts-$cc-san env B=$out/$cc-san tests/fuzz.sh "$PWD/$out/$cc-san/elmu" 500 "$seed" script --accesses 400000
        part images-$cc-san tests/images/check.sh -j 2 "$PWD/$out/$cc-san/elmu" full
    fi
done
part lessons-fresh tests/lessons/fresh.sh
part sweep tests/conformance/sweep.py "$out/gcc/sweep" --all
part sweep-models tests/conformance/sweep.py "$out/gcc/sweep" --samples 5000 --seed "$seed" \
    --cpu cortex-a35 cortex-a53 cortex-a55 cortex-a57 cortex-a72 cortex-a76 cortex-a77 cortex-a78 cortex-a78ae cortex-x1 cortex-a710 neoverse-n1 neoverse-v1 neoverse-n2 neoverse-v2
part lockstep env B=$out/gcc tests/lockstep.sh "$PWD/$out/gcc/elmu" 50000000 "$seed"
part lockstep-hot env B=$out/gcc tests/lockstep.sh "$PWD/$out/gcc/elmu --engine=tier2,hot=1" 50000000 "$((seed + 1))"
part lockstep-stepping env B=$out/gcc tests/lockstep.sh "$PWD/$out/gcc/elmu --engine=step" 5000000 "$seed"
part lint env DEEP=1 tests/lint.sh
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
