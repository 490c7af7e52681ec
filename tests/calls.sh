#!/bin/sh
# The threaded engine's hot handlers do their work and jump to the next: no call, no stack frame (docs/design.md,
# "Execution"). A local whose address escapes would end that silently, so the object code is looked at.
#   B=folder tests/calls.sh           Ends with "N passed, N failed": one check for each handler.
# Exempt are the slow_* ends of loads and stores, and handlers whose work is a call by design: CRC32, exclusive pairs,
# the soft-float that hot floating point falls back to (_f, _g), and the vector forms that go row by row
# through a lane function (their names end in _s, _v, _x; and the matrix multiplications). Integer vector handlers and BFM
# may spill registers: they need many.
set -u
B=${B:-build}
passed=0 failed=0

check() # FILE EXEMPT FRAMES: patterns of handlers that may call, and that may have a stack frame
{
    object=$B/cpu/insn/$1.thr.o
    [ "$1" = fuse ] && object=$B/cpu/engine/fuse.o # compiled once, for the threaded engine only
    [ -f "$object" ] || { echo "FAIL $object: not built"; failed=$((failed + 1)); return; }
    "$objdump" -dr --no-show-raw-insn "$object" | awk -v exempt="$2" -v file="$1" -v frames="$3" -v call="$call" -v frame="$frame" '
        function finish() {
            if (name ~ /^(thr|near|fused)_/ && name !~ exempt) {
                if (bad != "") { print "FAIL " file ": " name ": " bad; failed++ } else passed++
            }
            bad = ""
        }
        /^[0-9a-f]+ <.*>:$/ { finish(); name = $2; gsub(/[<>:]/, "", name); next }
        $0 ~ call { bad = "calls" }
        name !~ frames && $0 ~ frame { if (bad == "") bad = "has a stack frame" }
        END { finish(); print "COUNT " passed + 0, failed + 0 }' >"$out"
    grep '^FAIL' "$out"
    set -- "$(sed -n 's/^COUNT //p' "$out")"
    passed=$((passed + ${1% *}))
    failed=$((failed + ${1#* }))
}

# What a call and the making of a stack frame look like, on the machine that the objects are for.
machine=$(readelf -h "$B/cpu/insn/dpimm.thr.o" | sed -n 's/^ *Machine: *//p')
objdump=objdump
case $machine in
*X86-64) call='\tcall' frame='\t(push|enter) |\tsub +[$]0x[0-9a-f]+,%rsp' ;;
AArch64)
    call='\tblr?\t' frame='\tstp?\t.*[[]sp, #-[0-9]+[]]!|\tsub\tsp, sp, '
    [ "$(uname -m)" = aarch64 ] || objdump=${CROSS:-aarch64-linux-gnu-}objdump
    ;;
*) echo "object code for ${machine:-nothing}, of which calls are not known here"; echo "0 passed, 1 failed"; exit 1 ;;
esac
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
check dpimm '^$' '^thr_BFM'
check dpreg '^thr_CRC32' '^$'
check branch '^$' '^$'
check fuse '^$' '^$'
check ldst '^thr_(slow_|sp_misaligned|LDXP|STXP)' '^$'
check atomic '^thr_(slow_|sp_misaligned|CASP)' '^$'
check simd_int '(_(s|v|x|xs)|MMLA)$' .
check fp_scalar '_(f|h|g|gh|x|xh)$|^thr_(FCVT(_[sdh]+)?|BFCVT|FJCVTZS)$' '^$'
check simd_fp '_([vsx]|xs|c[vs])h?$|^thr_BFMMLA$' '^$'
check simd_fp_host '^$' '^thr_FCVT'
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
