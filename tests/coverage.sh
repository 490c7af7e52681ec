#!/bin/bash
# Line coverage of cpu/ and mmu/ by the tests: two builds with counters run the suites, and what neither reached is printed.
#   tests/coverage.sh [SUITE...]      B=folder of the builds (default build/coverage)
#
# stepping: gcc, -O0; without optimization there are no tail calls, so that the stepping engine runs everything.
# threaded: clang, -O2; its counters come before the calls at functions' ends, which so stay jumps (gcc's come behind them:
# no tail calls, and the stack would grow with each instruction). tests/calls.sh says whether that is still so.
# A line counts once, whichever engine ran it. The last line is "N of M lines, P %"; status 0 from 95 % on, while
# tests/coverage.reasons is true of what is left.
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
B=${B:-build/coverage}
export LOCKSTEP=250000 TIMEOUT=1200 CK_TIMEOUT_MULTIPLIER=10 COST=no
stepping=${*:-unit vectors guests-stepping lockstep fuzz cli trace gdb}
threaded=${*:-unit guests-threaded bench fuzz lockstep}

build() # FOLDER MAKE-ARGUMENTS...
{
    make -j"$(nproc)" B="$1" all guests "${@:2}" >"$1.log" 2>&1 && find "$1" -name '*.gcda' -delete && return
    tail -n 20 "$1.log"
    exit 1
}
run() # FOLDER SUITES
{
    # shellcheck disable=SC2086
    B=$1 ELMU=$PWD/$1/elmu tests/check.sh -j 2 $2 | sed -n '/^==== total/,$p'
}
mkdir -p "$B"
build "$B/stepping" "$B/stepping/unit" "$B/stepping/vectors" OPT=-O0 EXTRA="--coverage -DSANITIZED"
build "$B/threaded" "$B/threaded/unit" CC=clang OPT=-O2 EXTRA=--coverage
run "$B/stepping" "$stepping"
run "$B/threaded" "$threaded"
B=$B/threaded tests/calls.sh | grep 'calls$' && echo "handlers that call: what they ran may have overflowed the stack"
objects() { find "$B/$1/cpu" "$B/$1/mmu" -name '*.gcno' -print0; }
objects stepping | xargs -0 gcov -t -r -s "$PWD" >"$B/stepping.gcov" 2>/dev/null
objects threaded | xargs -0 llvm-cov gcov -t >"$B/threaded.gcov" 2>/dev/null
tests/coverage.py "$B/stepping.gcov" "$B/threaded.gcov" tests/coverage.reasons
