#!/bin/sh
# What is listed by hand is listed whole. Ends with "N passed, N failed".
#   - every unit test file has its row in tests/unit/suites.def
#   - every skip rule of the vector runner (tests/conformance/rules.c) is explained in docs/choices.md
#   - every command-line option of elmu (frontend/options.def) is in docs/options.md
#   - the links of the README and of docs/ lead somewhere, and the files that they name exist
#   - every check that QEMU fails (tests/guest/qemu-differences) has its verdict in docs/differences.md
#   - every table of rows (.def) is included by somebody
#   - the lines up of the picture of the house (docs/structure.svg) are those that there are
#   - the words of exception classes and interrupts (cpu/ec.def, interrupt.def) are written nowhere else
# shellcheck disable=SC2013,SC2086 # names without blanks
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
work=$(mktemp) || exit 1
trap 'rm -f "$work"' EXIT
folders=$(ls -d lib cpu mmu gic timer board debug frontend 2>/dev/null)

# has FILE WHAT PATTERN: PATTERN (fixed text) is in FILE.
has()
{
    if grep -qF -- "$3" "$1" 2>/dev/null; then
        passed=$((passed + 1))
    else
        echo "FAIL $2: $1 does not name it"
        failed=$((failed + 1))
    fi
}

for file in tests/unit/test_*.c; do
    name=${file#tests/unit/test_}
    has tests/unit/suites.def "$file" "SUITE(${name%.c})"
done
for rule in $(sed -nE 's/^[[:space:]]*\{ *"([^"]+)",.*/\1/p' tests/conformance/rules.c); do
    has docs/choices.md "rule $rule" "\`$rule\`"
done
# Those whose row says "not yet", and no others, are in the section of that name.
not_yet=$(sed -n '/^## Not yet/,/^## /p' docs/options.md)
sed -nE 's/^(OWN_)?OPTION\("([^"]+)", *"[^"]*", *([A-Z_]+).*/\2 \3/p' frontend/options.def >"$work"
while read -r option how; do
    has docs/options.md "option $option" "-$option\`"
    case $how/$not_yet in
    NOT_YET/*"-$option\`"*) passed=$((passed + 1)) ;;
    NOT_YET/* | */*"-$option\`"*) echo "FAIL option $option: docs/options.md and frontend/options.def disagree whether it is there yet"; failed=$((failed + 1)) ;;
    esac
done <"$work"
while read -r program what; do
    case $program in
    *:) [ "$what" = '*' ] && what=${program%:}; has docs/differences.md "guest $program $what" "$what" ;;
    esac
done <tests/guest/qemu-differences
for link in $(grep -ohE '\]\([a-zA-Z][^):]*\)' README.md docs/*.md | sed 's/^](//; s/[)#].*//' | sort -u); do
    if [ -e "$link" ] || [ -e "docs/$link" ]; then passed=$((passed + 1)); else
        echo "FAIL link $link leads nowhere"
        failed=$((failed + 1))
    fi
done
places=$(echo $folders tests bench docs | tr ' ' '|')
for path in $(grep -ohE "\\b($places)/[A-Za-z0-9_./-]+\.(c|h|S|def|sh|py|md|list)\\b" README.md docs/*.md |
    grep -v NAME | sort -u); do
    if [ -e "$path" ]; then passed=$((passed + 1)); else
        echo "FAIL $path is named by $(grep -l -- "$path" README.md docs/*.md | tr '\n' ' ')and does not exist"
        failed=$((failed + 1))
    fi
done
for table in $(git ls-files '*.def' 2>/dev/null || find . -name "*.def"); do
    if grep -qrF --include='*.[ch]' --include='*.def' "include \"$table\"" $folders tests; then
        passed=$((passed + 1))
    else
        echo "FAIL $table: nobody includes it"
        failed=$((failed + 1))
    fi
done
tests/includes.sh --edges | sed -nE 's/^[^ ]+ ([^ ]+) [^ ]+ ([^ ]+) lent$/\1 \2/p' | sort >"$work"
if sed -nE 's/.*class="lent" data-from="([^"]*)" data-to="([^"]*)".*/\1 \2/p' docs/structure.svg | sort | cmp -s - "$work" && [ -s "$work" ]; then passed=$((passed + 1)); else
    echo "FAIL docs/structure.svg shows other lines up than there are: tests/structure.py draws it"
    failed=$((failed + 1))
fi
find $folders '(' -name ec.def -o -name interrupt.def ')' -exec \
    sed -nE 's/^(EC|INTERRUPT)\([A-Z0-9_]+, *(0x[0-9a-f]+, *)?"([^"]+)".*/\3/p' {} + >"$work"
[ -s "$work" ] || { echo "FAIL cpu/ec.def, interrupt.def: no words are found there"; failed=$((failed + 1)); }
while read -r words; do
    if grep -rnE --include='*.c' "\"v?$words\"" $folders; then
        echo "FAIL \"$words\" is written there, and by a row of cpu/ec.def or interrupt.def"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
done <"$work"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
