#!/bin/bash
# Lays out C sources as .clang-format says:   tests/format.sh [--check] [FILE...]     Default: every .c and .h of the project
#
# What is laid out by hand, since clang-format has no setting for it, is hidden from it as comments: tables (initializers
# and enumerations of several lines), macros, and bodies of instructions that fit a line, up to 132 columns. Tables in
# .def files likewise.
# --check changes nothing, names the files that differ, and ends with "N passed, N failed".
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.." || exit 1
check=
[ "${1-}" = --check ] && { check=1; shift; }
if [ $# = 0 ]; then mapfile -t files < <(git ls-files '*.c' '*.h'); else files=("$@"); fi
passed=0 failed=0
new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT

hide()
{
    awk '
    { keep = 0 }
    table { keep = 1; if (/^}/) table = 0 }
    macro { keep = 1; macro = /\\$/ }
    !keep && /^#[[:space:]]*define/ { keep = 1; macro = /\\$/ }
    !keep && /^(static |const |extern |enum).*(= \{|^enum[a-z_ ]*\{)/ && !/};$/ { keep = table = 1 }
    !keep && /^enum[a-z_ ]*\{/ { keep = 1; table = !/};$/ }
    !keep && /^[a-z].*\] = \{/ && !/};$/ { keep = table = 1 }
    !keep && /^(OP|static OP)[A-Z_]*\(.*\{.*\}$/ { keep = 1 }
    { print (keep ? "//@" : "") $0 }' "$1"
}
for file in "${files[@]}"; do
    hide "$file" | clang-format --assume-filename="$file" | sed 's|^ *//@||' >"$new" || exit 1
    long=$(awk 'length > 132 { print NR; exit }' "$new")
    if [ -n "$check" ] && [ -n "$long" ]; then
        echo "FAIL $file: line $long is longer than 132 columns"
        failed=$((failed + 1))
    elif cmp -s "$file" "$new"; then
        passed=$((passed + 1))
    elif [ -n "$check" ]; then
        echo "FAIL $file: not laid out as .clang-format says, first at line $(cmp "$file" "$new" | sed 's/.*line //'); make format mends it"
        failed=$((failed + 1))
    else
        echo "formatted $file"
        cat "$new" >"$file"
    fi
done
[ -n "$check" ] && echo "$passed passed, $failed failed"
[ $failed = 0 ]
