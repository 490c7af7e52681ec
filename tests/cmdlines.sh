#!/bin/bash
# Real command lines of hypervisor projects (../shared/cmdlines.txt: id|project|options) with stand-ins for their files:
# which of them elmu takes. A line is refused when elmu ends with status 1 and says why; taken when the guest was run.
#
#   tests/cmdlines.sh [ELMU] [FILE]          FILE: default ../shared/cmdlines.txt; ONLY=id: that line alone
#
# Prints "N of M accepted, refused: ..." and ends with "N passed, N failed": tests/cmdlines.refused lists the refusals
# that are known (id|the words of the message), and any other answer has failed.
set -u
export LC_ALL=C
elmu=$(realpath "${1:-./elmu}")
here=$(cd "$(dirname "$0")" && pwd)
lines=$(realpath "${2:-$here/../../shared/cmdlines.txt}")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# ---- stand-ins: K kernel, B firmware, L what a loader loads, D disk, I initrd, T device tree, O a folder; x a word ----
cross=${CROSS:-aarch64-linux-gnu-}
"${cross}gcc" -nostdlib -static -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments -o K "$here/cli/echo.S" || exit 1
"${cross}objcopy" -O binary K L
head -c 65536 /dev/zero >B
head -c 1048576 /dev/zero >D
head -c 4096 /dev/zero >I
"$elmu" -M virt,dumpdtb=T >/dev/null || exit 1
mkdir O

passed=0 failed=0 taken=0 count=0 refused=
while IFS='|' read -r id _ options; do
    case $id in '' | '#'* | ' '*) continue ;; esac
    [ -z "${ONLY-}" ] || [ "$id" = "$ONLY" ] || continue
    count=$((count + 1))
    options=${options//fat:rw:\/tmp/fat:rw:O} # who knows what is in there
    # A guest that waits for a debugger or a console is running: it was taken.
    # shellcheck disable=SC2086 # words of a command line
    timeout 10 "$elmu" $options --max-insns 20000 >out 2>err </dev/null
    status=$?
    said=
    if [ $status = 1 ]; then said=$(head -n 1 err); else taken=$((taken + 1)); fi
    [ -z "$said" ] || refused="$refused"$'\n'"    $id: $said"
    known=$(sed -n "s/^$id|//p" "$here/cmdlines.refused")
    if [ $status -ge 126 ] && [ $status != 143 ] || { [ -n "$known" ] && [[ $said != *"$known"* ]]; } || { [ -z "$known" ] && [ -n "$said" ]; }; then
        failed=$((failed + 1))
        echo "FAIL $id: status $status: ${said:-taken}; expected: ${known:-taken}"
    else
        passed=$((passed + 1))
    fi
done <"$lines"
echo "$taken of $count accepted, refused:$refused"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
