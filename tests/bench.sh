#!/bin/bash
# The benchmark guests of ../shared/bench run to their ends and get their checksums right.
#   B=folder tests/bench.sh ELMU [FOLDER]           Ends with "N passed, N failed": one check for each guest.
set -uo pipefail
elmu=${1:?usage: bench.sh ELMU [FOLDER]}
source=${2:-$(dirname "$0")/../../shared/bench}
out=${B:-build}/bench
passed=0 failed=0
[ -f "$source/Makefile" ] || { echo "FAIL $source: no guests there"; echo "0 passed, 1 failed"; exit 1; }
mkdir -p "$out" && cp "$source"/*.* "$source/Makefile" "$out/" || exit 1
env -u B -u MAKEFLAGS -u MFLAGS make -s -C "$out" all >"$out/make.log" 2>&1 || { tail -n 5 "$out/make.log"; echo "0 passed, 1 failed"; exit 1; }
for elf in "$out"/*.elf; do
    name=$(basename "$elf" .elf)
    "$elmu" -M virt,virtualization=on,gic-version=3 -cpu cortex-a57 -smp 1 -m 256M -nographic --max-insns 5000000000 \
        -kernel "$elf" >"$out/$name.out" 2>"$out/$name.err" </dev/null
    status=$?
    good=$(grep -cE '^BENCH .* OK.?$' "$out/$name.out") bad=$(grep -vE '^BEGIN|^BENCH .* OK.?$' "$out/$name.out" | head -n 1)
    if [ $status = 0 ] && [ "$good" -gt 0 ] && [ -z "$bad" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $name: status $status, $good phases right${bad:+; $bad}"
        head -n 3 "$out/$name.err"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
