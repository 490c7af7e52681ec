#!/bin/bash
# The same image and options give the same run: each guest of tests/guest runs twice threaded and once stepping on each
# ELMU given, and all must print the same console bytes, the same instruction count and the same state hash.
#
#   tests/determinism.sh ELMU...        B=folder of the build. Ends with "N passed, N failed": one check a guest.
set -uo pipefail
export LC_ALL=C
[ $# -ge 1 ] || { echo "usage: determinism.sh ELMU..." >&2; exit 1; }
here=$(dirname "$0")
elfs=${B:-build}/guest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# facts LABEL ELMU ENGINE NAME MACHINE CPU SMP [OPTION...]: runs one, leaves what must agree in $work/LABEL.
facts()
{
    local label=$1 elmu=$2 engine=$3 name=$4 machine=virt cpu=$6 smp=$7 status
    case $5 in *gic-version=*) ;; *) machine=virt,gic-version=3 ;; esac
    [ "$5" = - ] || machine+=,$5
    shift 7
    "$elmu" ${engine:+"$engine"} --stats --max-insns 200000000 -M "$machine" -cpu "$cpu" -smp "$smp" -m 256M -nodefaults \
        -display none -monitor none -serial stdio -semihosting-config enable=on,target=native -kernel "$elfs/$name.elf" "$@" \
        >"$work/console" 2>"$work/messages" </dev/null
    status=$?
    { echo "status $status"; grep -aE '^(insns|hash) ' "$work/messages"; echo "console $(md5sum <"$work/console")"; } >"$work/$label"
    [ "$(grep -cE '^(insns|hash) ' "$work/$label")" -ge 2 ] || { echo "FAIL $name: --stats of $elmu says no insns and hash"; return 1; }
}

check() # NAME MACHINE CPU SMP [OPTION...]
{
    local elmu n=0 run runs
    facts first "${elmus[0]}" "" "$@" || return 1
    for elmu in "${elmus[@]}"; do
        # Every engine of the first; the others as they come, and with all code hot.
        if [ "$elmu" = "${elmus[0]}" ]; then runs=("" --engine=step --engine=threaded "--engine=tier2,hot=1"); else runs=("" "--engine=tier2,hot=1"); fi
        for run in "${runs[@]}"; do
            n=$((n + 1))
            facts other "$elmu" "$run" "$@" || return 1
            if ! cmp -s "$work/first" "$work/other"; then
                echo "FAIL $1: run $n ($elmu $run) differs from the first"
                diff "$work/first" "$work/other" | sed 's/^/    /'
                return 1
            fi
        done
    done
    echo "PASS $1: $((n + 1)) runs agree, $(sed -n 's/^insns *//p' "$work/first" | head -n 1) instructions"
}

elmus=("$@")
while read -r name machine cpu smp options; do
    case $name in '' | \#*) continue ;; esac
    # shellcheck disable=SC2086 # a list of options
    if check "$name" "$machine" "$cpu" "$smp" ${options//@B@/${B:-build}}; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done <"$here/guest/guests.list"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
