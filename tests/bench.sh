#!/bin/bash
# The benchmark guests of ../shared/bench and of bench/guests run to their ends and get their checksums right.
#   B=folder tests/bench.sh ELMU [FOLDER]           Ends with "N passed, N failed": one check for each guest.
set -uo pipefail
elmu=${1:?usage: bench.sh ELMU [FOLDER]}
source=${2:-$(dirname "$0")/../../shared/bench}
out=${B:-build}/bench
passed=0 failed=0
[ -f "$source/Makefile" ] || { echo "FAIL $source: no guests there"; echo "0 passed, 1 failed"; exit 1; }
mkdir -p "$out" && cp "$source"/*.* "$source/Makefile" "$out/" || exit 1
env -u B -u MAKEFLAGS -u MFLAGS make -s -C "$out" all >"$out/make.log" 2>&1 || { tail -n 5 "$out/make.log"; echo "0 passed, 1 failed"; exit 1; }
# ends ELF PROPERTIES OPTION...
ends()
{
    local elf=$1 machine=$2 name status good bad
    name=$(basename "$elf" .elf)
    shift 2
    "$elmu" -M "virt,$machine" -cpu cortex-a57 -smp 1 -m 256M -nographic --max-insns 5000000000 "$@" \
        -kernel "$elf" >"$out/$name.out" 2>"$out/$name.err" </dev/null
    status=$?
    good=$(grep -cE '^BENCH .* OK.?$' "$out/$name.out") bad=$(grep -vE '^BEGIN|^BENCH .* OK.?$|^1\.\.0' "$out/$name.out" | head -n 1)
    if [ $status = 0 ] && [ "$good" -gt 0 ] && [ -z "$bad" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $name: status $status, $good phases right${bad:+; $bad}"
        head -n 3 "$out/$name.err"
        failed=$((failed + 1))
    fi
}
for elf in "$out"/*.elf; do ends "$elf" virtualization=on,gic-version=3; done
while read -r name machine options; do
    # shellcheck disable=SC2086 # a list of options
    case $name in ''|\#*) ;; *) ends "${B:-build}/guest/bench/$name.elf" "$machine" -semihosting $options ;; esac
done <"$(dirname "$0")/../bench/guests/guests.list"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
