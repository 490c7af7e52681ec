#!/bin/bash
# Line coverage of cpu/ and mmu/ by the tests: builds with gcov's counters, runs the suites, prints each file's share and the
# lines that nothing reached.       tests/coverage.sh [SUITE...]      B=folder of that build (default build/coverage)
# A file's lines count once, whichever engine ran them. The last line is "N of M lines, P %"; status 0 from 95 % on.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
export B=${B:-build/coverage}
export ELMU=$PWD/$B/elmu LOCKSTEP=250000 TIMEOUT=1200 CK_TIMEOUT_MULTIPLIER=10
suites=${*:-unit vectors guests-stepping lockstep fuzz cli trace}
make -j"$(nproc)" B="$B" OPT=-O0 EXTRA="--coverage -DSANITIZED" all "$B/unit" "$B/vectors" guests >"$B.log" 2>&1 || { tail -n 20 "$B.log"; exit 1; }
find "$B" -name '*.gcda' -delete
# Without optimization there are no tail calls: the stepping engine runs everything, as under the sanitizers.
# shellcheck disable=SC2086
tests/check.sh -j 2 $suites | tail -n $((${#suites} / 3 + 6))
find "$B/cpu" "$B/mmu" -name '*.gcno' -print0 | xargs -0 gcov -t -r -s "$PWD" 2>/dev/null | tests/coverage.py
