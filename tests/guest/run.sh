#!/bin/sh
# Runs the bare-metal programs of guests.list under an emulator and checks their TAP output and exit status.
#   tests/guest/run.sh EMULATOR [extra arguments]      B=folder of the build (default build), ONLY="names" for some
# Ends with "N passed, N failed" and status 0 when nothing failed. Under QEMU, checks listed in qemu-differences are
# expected to fail (each says what the manual asks for); a listed check that passes is reported.
set -u
emulator=${1:?usage: run.sh EMULATOR [extra arguments]}
shift
here=$(dirname "$0")
elfs=${B:-build}/guest
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
differences=/dev/null
"$emulator" --version 2>/dev/null | grep -q QEMU && differences=$here/qemu-differences

fail()
{
    echo "FAIL $name: $1"
    sed 's/^/    /' "$work/err" | head -5
    failed=$((failed + 1))
}

# The demo and nest are no TAP programs: every line of their expectation must be in the output, in order.
check_lines()
{
    awk 'NR == FNR { want[++n] = $0; next } { sub(/\r$/, "") } $0 == want[i + 1] { i++ }
         END { if (i < n) { print "missing line: " want[i + 1]; exit 1 } }
        ' "$here/$name/expect.txt" "$work/out" > "$work/why"
}

# TAP: a plan that fits, no check failing but those listed for this program.
check_tap()
{
    awk -v name="$name" '
        FILENAME == ARGV[1] { if ($0 ~ "^" name ": ") { sub(/^[^:]*: /, ""); listed[$0] = 1 } next }
        { sub(/\r$/, "") }
        /^Bail out!/ { print; bad = 1; exit 1 }
        /^(not )?ok / {
            seen++
            what = $0; sub(/^(not )?ok [0-9]+ - /, "", what)
            number = $1 == "not" ? $3 : $2
            if (number != seen) { print "check " seen " has number " number; bad = 1; exit 1 }
            if ($1 == "ok") { if (what in listed) print "note: listed difference passes: " what; next }
            if (!(what in listed)) { print what; bad = 1 }
        }
        /^# got|^# exceptions/ && !(what in listed) { print "  " $0 }
        /^1\.\./ { plan = substr($0, 4) + 0 }
        END { if (!bad && (plan != seen || !seen)) { print "plan " plan ", checks " seen + 0; bad = 1 } exit bad }
        ' "$differences" "$work/out" > "$work/why"
}

# Where secure/NAME.txt says what the second serial port, the Secure one, prints: these lines and no others.
check_serial()
{
    [ ! -f "$here/secure/$name.txt" ] || diff "$here/secure/$name.txt" "$work/serial" > "$work/why"
}

run_one()
{
    machine=virt
    case $2 in *gic-version=*) ;; *) machine=virt,gic-version=3 ;; esac
    [ "$2" = - ] || machine=$machine,$2
    cpu=$3 smp=$4
    shift 4
    timeout "${TIMEOUT:-120}" "$emulator" -M "$machine" -cpu "$cpu" -smp "$smp" -m 256M -nodefaults -display none \
        -monitor none -serial stdio -serial "file:$work/serial" -semihosting-config enable=on,target=native \
        -kernel "$elfs/$name.elf" "$@" \
        > "$work/out" 2> "$work/err" < /dev/null
    status=$?
    if [ -f "$here/$name/expect.txt" ]; then check=check_lines; else check=check_tap; fi
    if ! $check; then
        fail "$(cat "$work/why")"
    elif ! check_serial; then
        fail "second serial port: $(cat "$work/why")"
    elif [ $status -gt 1 ] || { [ $status = 1 ] && ! grep -q '^not ok' "$work/out"; }; then
        fail "exit status $status"
    elif [ $status = 0 ] && grep -q '^not ok' "$work/out"; then
        fail "exit status 0 although checks failed"
    else
        passed=$((passed + 1))
        echo "PASS $name ($(grep -Ec '^ok ' "$work/out") ok, $(grep -c '^not ok' "$work/out") listed differences)"
        grep '^note' "$work/why"
    fi
}

while read -r name machine cpu smp options; do
    case $name in ''|\#*) continue ;; esac
    case " ${ONLY:-$name} " in *" $name "*) ;; *) continue ;; esac
    if grep -qx "$name: \*" "$differences"; then
        echo "SKIP $name: listed in qemu-differences"
        continue
    fi
    # shellcheck disable=SC2046,SC2086 # a list of options
    run_one "$name" "$machine" "$cpu" "$smp" $(echo "$options" | sed "s|@B@|${B:-build}|g") "$@"
done < "$here/guests.list"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
