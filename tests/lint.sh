#!/bin/bash
# Looks at the sources: layout (tests/format.sh), clang-tidy (.clang-tidy), cppcheck, shellcheck, and words that say that
# something is unfinished.      tests/lint.sh [format|tidy|cppcheck|shell|words]...      Ends with "N passed, N failed".
set -uo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
flags=(-std=gnu11 -I. -DENGINE=1)
# With DEEP=1 the analyzer looks deep into calls (make soak): six times the time.
[ -n "${DEEP-}" ] || flags+=(-Xclang -analyzer-config -Xclang mode=shallow)
jobs=${JOBS:-2}

count() { passed=$((passed + $1)) failed=$((failed + $2)); }
verdict() # NAME STATUS FILE: one check, with its messages when it failed
{
    if [ "$2" = 0 ]; then count 1 0; else echo "FAIL $1"; head -n 60 "$3"; count 0 1; fi
}

lint_format()
{
    tests/format.sh --check >"$work/format"
    grep '^FAIL' "$work/format"
    read -r p f < <(tail -n 1 "$work/format" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p')
    count "${p:-0}" "${f:-1}"
}
lint_tidy()
{
    local file
    git ls-files 'lib/*.c' 'cpu/*.c' 'mmu/*.c' 'gic/*.c' 'timer/*.c' 'board/*.c' 'debug/*.c' 'view/*.c' 'frontend/*.c' \
        'tests/unit/*.c' 'tests/conformance/*.c' >"$work/files"
    # shellcheck disable=SC2016
    xargs -a "$work/files" -P "$jobs" -I '{}' sh -c \
        'out=$1/$(echo "$2" | tr / _).tidy; shift 2; clang-tidy --quiet "$0" -- "$@" >"$out" 2>"$out.err" || mv "$out" "$out.bad"' \
        '{}' "$work" '{}' "${flags[@]}"
    while read -r file; do
        local out=$work/${file//\//_}.tidy
        if [ -f "$out" ]; then count 1 0; else verdict "clang-tidy $file" 1 "$out.bad"; fi
    done <"$work/files"
}
lint_cppcheck()
{
    # shellcheck disable=SC2046
    cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,portability --inline-suppr --suppressions-list=tests/cppcheck.txt --library=tests/cppcheck.cfg \
        -I. -DENGINE=1 --error-exitcode=1 $(ls -d lib cpu mmu gic timer board debug view frontend 2>/dev/null) >"$work/cppcheck" 2>&1
    verdict cppcheck $? "$work/cppcheck"
}
lint_shell()
{
    local file
    while read -r file; do
        shellcheck -S warning -e SC1007 "$file" >"$work/shell" 2>&1
        verdict "shellcheck $file" $? "$work/shell"
    done < <(git ls-files '*.sh' .ci/run)
}
# A note of something undone belongs in an issue or the docs; this file names the words, so it is not looked at. In the lessons
# they are what a student has to do.
lint_words()
{
    ! git grep -nwE 'TODO|FIXME|XXX|HACK' -- '*.c' '*.h' '*.def' '*.S' '*.sh' '*.py' '*.md' Makefile .ci ':!tests/lint.sh' ':!docs/lessons' ':!tests/lessons' >"$work/words"
    verdict 'unfinished words' $? "$work/words"
}

for what in "${@:-format tidy cppcheck shell words}"; do
    for one in $what; do "lint_$one" || exit 1; done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
