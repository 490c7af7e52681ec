# shellcheck shell=bash disable=SC2154,SC2034 # read by run.sh, which sets cross, elmu and what these use
# Part of tests/cli/run.sh: what registers hold at reset, -reset, mmu-off-align, HCR_EL2.RW.
el2="-M virt,gic-version=3,virtualization=on"
registers() # CASE: registers-CASE.elf
{
    "${cross}gcc" -nostdlib -static -DCASE="$1" -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments \
        -o "registers-$1.elf" "$here/registers.S" 2>err || fail "registers $1" 'does not assemble'
}
for case in 1 2 3 4 5 6 7; do registers $case; done

for cpu in cortex-a57 max; do
    run "registers at reset, $cpu" 0 -cpu $cpu -kernel registers-1.elf
    says "registers at reset, $cpu" out 0
    run "registers at reset, EL2, $cpu" 0 $el2 -cpu $cpu -kernel registers-1.elf
    says "registers at reset, EL2, $cpu" out 0
    run "-reset zero, $cpu" 0 $el2 -cpu $cpu -kernel registers-1.elf --reset zero
    says "-reset zero, $cpu" out 0
    run "-reset loud, $cpu" 0 $el2 -cpu $cpu -kernel registers-1.elf --reset=loud
    says "-reset loud, $cpu" out L
done
bad '-reset, another word' 'expected zero or loud' --reset quiet -kernel registers-1.elf

for engine in threaded step; do
    run "unaligned, MMU off, $engine" 1 -kernel registers-2.elf -engine $engine
    says "unaligned, MMU off, $engine" err 'mmu-off-align=off'
    for cpu in cortex-a57 max; do
        run "unaligned, MMU off, allowed, $cpu, $engine" 0 -cpu $cpu,mmu-off-align=off -kernel registers-2.elf -engine $engine
        says "unaligned, MMU off, allowed, $cpu, $engine" out G
    done
    run "unaligned, MMU off, a device, $engine" 1 -cpu cortex-a57,mmu-off-align=off -kernel registers-3.elf -engine $engine
    says "unaligned, MMU off, a device, $engine" err 'FAR_EL1 0x9000fe1'
    run "unaligned, MMU off, SCTLR_EL1.A, $engine" 1 -cpu cortex-a57,mmu-off-align=off -kernel registers-4.elf -engine $engine
    run "unaligned, MMU off, exclusive, $engine" 1 -cpu cortex-a57,mmu-off-align=off -kernel registers-5.elf -engine $engine
done
run 'mmu-off-align=on' 1 -cpu cortex-a57,mmu-off-align=on -kernel registers-2.elf
run '-d int of an unaligned access' 1 -kernel registers-2.elf -d int
says '-d int of an unaligned access' err 'stage 1 is off: all data is Device memory'

for case in 6 7; do
    run "HCR_EL2.RW clear, $case" 0 $el2 -kernel registers-$case.elf -d guest_errors
    says "HCR_EL2.RW clear, $case" err 'with HCR_EL2.RW clear'
    [ "$(grep -c 'RW clear' err)" = 1 ] && pass || fail "HCR_EL2.RW clear, $case" 'not said once'
    run "HCR_EL2.RW clear, $case, no AArch32" 0 $el2 -cpu max -kernel registers-$case.elf -d guest_errors
    ! grep -q 'RW clear' err && pass || fail "HCR_EL2.RW clear, $case, no AArch32" 'said'
done
"${cross}gcc" -nostdlib -static -DCASE=30 -Wl,--build-id=none,-Ttext=0x40200000 -o loops-30.elf "$here/loops.S"
run 'HCR_EL2.RW set' 1 $el2 -kernel loops-30.elf -d guest_errors
! grep -q 'RW clear' err && pass || fail 'HCR_EL2.RW set' 'said'
