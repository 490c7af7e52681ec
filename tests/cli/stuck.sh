# shellcheck shell=bash disable=SC2154,SC2034 # read by run.sh, which sets cross, elmu and what these use
# Part of tests/cli/run.sh: exception handlers that take exceptions. Stuck is a machine in which nothing can change
# anything any more; all else goes on.
loops() # CASE: loops-CASE.elf
{
    "${cross}gcc" -nostdlib -static -DCASE="$1" -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments -o "loops-$1.elf" \
        "$here/loops.S" 2>err || fail "loops $1" 'does not assemble'
}
el2='-M virt,gic-version=3,virtualization=on'

# goes NAME CASE ARGUMENT...: gets out of its loop, on both engines, with the same state hash.
goes()
{
    local name=$1 case=$2 engine hash=
    shift 2
    loops "$case"
    for engine in threaded step; do
        run "$name, $engine" 0 "$@" -kernel "loops-$case.elf" --engine $engine --stats
        says "$name, $engine" out G
        [ -z "$hash" ] || says "$name: engines agree" err "$hash"
        hash=$(grep '^hash' err)
    done
}
# ends NAME CASE PATTERN ARGUMENT...: is stuck, on both engines at the same instruction, and says so.
ends()
{
    local name=$1 case=$2 pattern=$3 engine hash=
    shift 3
    loops "$case"
    for engine in threaded step; do
        run "$name, $engine" 1 "$@" -kernel "loops-$case.elf" --engine $engine --stats
        says "$name, $engine" err "$pattern"
        [ -z "$hash" ] || says "$name: engines agree" err "$hash"
        hash=$(grep '^hash' err)
    done
}

goes 'a loop at EL1 until the timer of EL2 is due' 1 $el2
says 'a loop that goes on is told of' err 'the machine goes on'
goes 'a loop at EL1 until a counter of EL2 overflows' 5 $el2 -cpu max
ends 'a loop at EL1, a timer whose interrupt is not enabled' 2 'It began at EL1, pc 0x40200' $el2
ends 'a loop at EL1, an interrupt that EL1 masks' 3 'VBAR_EL1 was never written since reset, it is 0x0' $el2
loops 4
printf x >key
input=key
run 'a loop at EL1 until a key is typed' 0 $el2 -kernel loops-4.elf
says 'a loop at EL1 until a key is typed' out G
input=/dev/null
run 'a loop at EL1, nobody types' 1 $el2 -kernel loops-4.elf
goes 'another PE loops, this one goes on' 10 -smp 2
says 'another PE loops' err 'cpu1 is in an exception loop. It began at EL1, pc 0x47000000'
goes 'another PE loops, this one waits for its timer' 11 -smp 2 -M virt,gic-version=3
ends 'another PE loops, this one waits for it' 12 'cpu1 is in an exception loop' -smp 2
ends 'both loop, one after the other' 13 'cpu0 is in an exception loop. It began at EL1' -smp 2
goes 'a handler that counts in memory' 20
goes 'a handler that counts in a system register' 21
goes 'a handler that counts in a general register' 22
ends 'a stack that runs away' 23 'It began at EL1, pc 0x4020001' -cpu cortex-a53
says 'a stack that runs away' err 'FAR_EL1 0xd000000'
ends 'a handler that fails after another returned' 24 'It began at EL0, pc 0x4020'
ends 'a call to where no vectors are' 30 'EC 0x16 (HVC)' $el2
says 'a call to where no vectors are' err 'VBAR_EL2 was never written'
ends 'data that is not aligned while the MMU is off' 31 'the MMU is off (SCTLR_ELx.M is 0)'
ends 'SMC for PSCI where it is HVC' 32 'PSCI is called by HVC here'
ends 'FP before it is allowed' 33 'CPACR_EL1 was never written since reset'
ends 'an interrupt to where no vectors are' 34 ', IRQ; since then the handler itself takes the same exception for ever: at EL1, pc 0x200, EC 0x00' $el2
run 'semihosting that is off' 1 -kernel semi.elf
says 'semihosting that is off' err 'semihosting is off (-semihosting)'

# Said once, not a hundred thousand times, and the same end from a snapshot of the middle of it.
run '-d int of a loop' 1 -kernel loops-32.elf -d int,mmu,unimp,guest_errors
[ "$(wc -l <err)" -lt 50 ] && pass || fail '-d int of a loop' "$(wc -l <err) lines"
says '-d int of a loop' err '...and the same again on CPU 0'
run '-d int of a stack that runs away' 1 -kernel loops-23.elf -d int
[ "$(wc -l <err)" -lt 50 ] && pass || fail '-d int of a stack that runs away' "$(wc -l <err) lines"
run 'a loop, whole' 1 -kernel loops-32.elf --stats --snapshot-save middle.snap@50001
grep -E '^(insns|hash)' err >whole
run 'a loop, from its middle' 1 -kernel loops-32.elf --stats --restore middle.snap
grep -E '^(insns|hash)' err | cmp -s - whole && pass || fail 'a loop, from its middle' 'ends otherwise'

# Programs entered at another EL than they expect.
for case in 1 2 3; do
    "${cross}gcc" -nostdlib -static -DCASE=$case -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments -o el-$case.elf \
        -x assembler-with-cpp "$here/el.S" 2>err || fail "el $case" 'does not assemble'
done
run 'EL2 for granted, at EL1' 1 -M virt -kernel el-1.elf
says 'EL2 for granted, at EL1' err 'of EL2, which this machine does not have (-M virtualization=on)'
run 'EL2 for granted, with it' 3 -M virt,virtualization=on -kernel el-1.elf --max-insns 1000000
for case in 2 3; do
    run "at EL2, case $case" 0 -M virt,virtualization=on -kernel el-$case.elf
    run "at EL1, case $case" $((case == 2 ? 1 : 3)) -M virt -kernel el-$case.elf --max-insns 1000000
    says "at EL1, case $case" err 'it was entered at EL1 (-M virtualization=on enters at EL2, secure=on at EL3)'
    run "at EL3, case $case" $((case == 2 ? 1 : 3)) -M virt,virtualization=on,secure=on -kernel el-$case.elf --max-insns 1000000
    says "at EL3, case $case" err 'it was entered at EL3 (without -M secure=on it is EL2 or EL1)'
done
says 'in a circle at EL3' err 'cpu0 goes in a circle at EL3, pc 0x4020001'
