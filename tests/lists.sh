#!/bin/sh
# What is listed by hand is listed whole. Ends with "N passed, N failed".
#   - every unit test file has its row in tests/unit/suites.def
#   - every skip rule of the vector runner (tests/conformance/rules.c) is explained in docs/choices.md
#   - every command-line option of elmu (frontend/options.def) is in docs/options.md
#   - every option of QEMU's (tests/qemu.options, and what an installed QEMU's -help lists) is elmu's, or is refused with
#     the reason (frontend/refused.def), one of them
#   - the links of the README and of docs/ lead somewhere, and the files that they name exist
#   - every check that QEMU fails (tests/guest/qemu-differences) has its verdict in docs/differences.md
#   - every table of rows (.def) is included by somebody
#   - the lines up of the picture of the house (docs/structure.svg) are those that there are
#   - the words of exception classes and interrupts (cpu/ec.def, interrupt.def) are written nowhere else
#   - a table that a .c or .h includes gives each macro of its rows a default (#ifndef, #define, #endif) and undefines it
#     at its end, as its helpers; one that only tables include does so with its helpers alone; users undefine none
#   - the files and functions that comments name exist, but for those of other documents (tests/lists.names), and no
#     comment refers to a document that is not here, or has its end pushed to a line of its own
# shellcheck disable=SC2013,SC2016,SC2086 # names without blanks, programs of awk
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
work=$(mktemp) && names=$(mktemp) || exit 1
trap 'rm -f "$work" "$names"' EXIT
folders=$(ls -d lib cpu mmu gic timer board debug view frontend 2>/dev/null)

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
qemu_options() { "${QEMU:-qemu-system-aarch64}" -help 2>/dev/null | sed -nE 's/^(--?[^ ]+).*/\1/p' | tr '/' '\n' | sed -E 's/^--?//'; }
{ grep -v '^#' tests/qemu.options; qemu_options; } | sort -u | while read -r option; do
    in=$(grep -cE "^(OWN_)?OPTION\(\"$option\"," frontend/options.def)
    out=$(grep -cE "^REFUSED\(\"$option\"," frontend/refused.def)
    [ "$in$out" = 10 ] || [ "$in$out" = 01 ] ||
        echo "FAIL option $option of QEMU: $in rows in frontend/options.def, $out in frontend/refused.def, expected one in all"
    echo "option"
done >"$names"
grep FAIL "$names"
failed=$((failed + $(grep -c FAIL "$names"))) passed=$((passed + $(grep -c '^option$' "$names") - $(grep -c FAIL "$names")))
sed -nE 's/^REFUSED\("([^"]+)".*/\1/p' frontend/refused.def | while read -r option; do
    grep -qxF -- "$option" tests/qemu.options || echo "FAIL option $option: refused, and not in tests/qemu.options"
done >"$names"
cat "$names"
failed=$((failed + $(grep -c FAIL "$names")))
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
for page in docs/lessons/README.md docs/lessons/*/README.md; do
    for link in $(grep -ohE '\]\([a-zA-Z.][^):]*\)' "$page" | sed 's/^](//; s/[)#].*//' | sort -u); do
        if [ -e "$(dirname "$page")/$link" ]; then passed=$((passed + 1)); else
            echo "FAIL link $link of $page leads nowhere"
            failed=$((failed + 1))
        fi
    done
done
places=$(echo $folders tests bench docs | tr ' ' '|')
for path in $(grep -ohE "\\b($places)/[A-Za-z0-9_./-]+\.(c|h|S|def|sh|py|md|list)\\b" README.md docs/*.md |
    grep -v NAME | sort -u); do
    if [ -e "$path" ]; then passed=$((passed + 1)); else
        echo "FAIL $path is named by $(grep -l -- "$path" README.md docs/*.md | tr '\n' ' ')and does not exist"
        failed=$((failed + 1))
    fi
done
tables=$(git ls-files '*.def' 2>/dev/null || find $folders tests -name '*.def')
for table in $tables; do
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
# whole TABLE: its text with that of the tables that it includes.
whole() { awk '/^#include "/ { file = $2; gsub(/"/, "", file); while ((getline line <file) > 0) print line; close(file); next } 1' "$1"; }
for table in $tables; do
    part=1
    grep -qrF --include='*.[ch]' "include \"$table\"" $folders tests && part=0
    if whole "$table" | awk -v table="$table" -v part=$part '
    function name(text) { sub(/\(.*/, "", text); return text }
    /^#ifndef / { asked[$2] = 1; last = $2; next }
    /^#define / { n = name($2); if (n != last) helper[n] = 1; defined[n] = NR; last = ""; next }
    /^#undef / { gone[$2] = NR; next }
    /^[A-Z][A-Z0-9_]*\(/ { n = name($1); rows[n] = NR }
    END {
        for (n in defined)
            if (gone[n] < defined[n] || gone[n] < rows[n]) bad = bad " " n " is not undefined at its end;"
        for (n in gone)
            if (!(n in defined)) bad = bad " " n " is undefined and not its own;"
        for (n in asked)
            if (part) bad = bad " " n " has a default in a part of a table;"
        for (n in rows)
            if (!part && !(n in asked) && !(n in helper)) bad = bad " " n " has no default;"
        if (bad != "") { print "FAIL " table ":" bad; exit 1 }
    }'; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
for user in $(grep -rlE --include='*.[ch]' '^#include "[^"]*\.def"' $folders tests); do
    its=$(sed -nE 's/^#include "([^"]*\.def)"/\1/p' "$user" | sort -u)
    own=$(sed -nE 's/^#ifndef ([A-Z0-9_]+)$/\1/p' $its | sort -u | tr '\n' '|')
    if found=$(grep -nE "^[[:space:]]*#[[:space:]]*undef (${own%|})\$" "$user"); then
        echo "FAIL $user undefines what its table does: $found"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
done
# A name is xxx_yyy in small letters, xxx() or FILE.c, .h, .def... (with * for a part). It exists when code or a string has
# it, or tests/lists.names; a file when git has it, with its folder or by its last part alone. NAME and id_ stand for others.
{ git ls-files 2>/dev/null || find . -type f | sed 's|^\./||'; } >"$work"
for folder in $folders tests/unit; do
    find "$folder" -name '*.[ch]' -o -name '*.def'
done | sort | xargs awk -v paths="$work" '
BEGIN {
    while ((getline line <paths) > 0) { path[line] = 1; sub(/.*\//, "", line); path[line] = 1 }
    while ((getline line <"tests/lists.names") > 0) if (line !~ /^#/) { sub(/ .*/, "", line); known[line] = 1 }
}
function code(text) {
    while (match(text, /[A-Za-z_][A-Za-z0-9_]*/)) {
        known[substr(text, RSTART, RLENGTH)] = 1
        text = substr(text, RSTART + RLENGTH)
    }
}
function take(text, name) { said[++count] = name; at[count] = FILENAME ":" FNR }
function comment(text,   name) {
    if (text ~ /DESIGN/) take(text, "DESIGN")
    gsub(/"[^"]*"/, " ", text)
    while (match(text, /[A-Za-z0-9_][A-Za-z0-9_\/.*-]*(\(\))?/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        sub(/[.\/-]+$/, "", name)
        if (name ~ /NAME|^id_/) continue
        if (name ~ /^[A-Za-z0-9_\/*-]+\.(c|h|S|def|sh|py|md)$/ || name ~ /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/) take(text, name)
        else if (name ~ /^[a-z][a-z0-9_]*\(\)$/) take(text, substr(name, 1, length(name) - 2))
    }
}
FNR == 1 { inside = 0 }
{
    line = $0
    if (inside && text && line ~ /^ *\*\/$/) print "FAIL " FILENAME ":" FNR ": a comment that begins with words ends on a line of its own"
    while (line != "")
        if (inside) {
            end = index(line, "*/")
            comment(end ? substr(line, 1, end - 1) : line)
            line = end ? substr(line, end + 2) : ""
            inside = !end
        } else if (match(line, /"([^"\\]|\\.)*"|\/\*|\/\//)) {
            before = substr(line, 1, RSTART - 1); what = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
            code(before)
            if (what == "/*") { inside = 1; text = line != "" }
            else if (what == "//") { comment(line); line = "" }
            else code(what)
        } else { code(line); line = "" }
}
function exists(name,   p, like) {
    if (name in path || name in known) return 1
    if (name !~ /\*/) return 0
    like = name; gsub(/\./, "[.]", like); gsub(/\*/, "[^/]*", like)
    for (p in path) if (p ~ "^" like "$") return 1
    return 0
}
END {
    for (n = 1; n <= count; n++)
        if (exists(said[n])) good++
        else print "FAIL " at[n] ": a comment names " said[n] ", which does not exist"
    print "names", good + 0
}' >"$names"
grep FAIL "$names"
passed=$((passed + $(sed -n 's/^names //p' "$names"))) failed=$((failed + $(grep -c FAIL "$names")))
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
