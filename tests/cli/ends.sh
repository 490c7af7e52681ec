# shellcheck shell=bash disable=SC2154,SC2034 # read by run.sh, which sets cross, elmu and what these use
# Part of tests/cli/run.sh: how runs end, what is said then, snapshots at a text, options from a snapshot.
for case in 1 2 3; do
    "${cross}gcc" -nostdlib -static -DCASE=$case -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments \
        -o ends-$case.elf "$here/ends.S" 2>err || fail "ends $case" 'does not assemble'
done
typing='--after one --send x'

# One table: the program prints it, the page has it.
run 'statuses' 0 -help
sed 's/ *$//' out | tr -s ' \n' ' ' >flat # lines that were broken are one again
sed -n 's/^STATUS(\([0-9]*\), [A-Z]*, "\(.*\)")$/\1 \2/p' "$here/../../frontend/status.def" >rows
while read -r number why; do
    grep -qE "^ +$number  " out && grep -qF -- "$why" flat && pass || fail "status $number" '-help does not print it'
    grep -qF "| $number | $why |" "$here/../../docs/options.md" && pass || fail "status $number" 'docs/options.md does not say it'
done <rows
[ "$(wc -l <rows)" -ge 6 ] && pass || fail 'statuses' 'no table'

run 'power off' 0 -kernel ends-1.elf $typing
run 'power off, --until came' 0 -kernel ends-1.elf $typing --until two
run 'power off, --until never came' 4 -kernel ends-1.elf $typing --until three
says 'power off, --until never came' err 'before that text'
run 'power off, snapshot text never came' 4 -kernel ends-1.elf $typing --snapshot-save f.snap@three
[ ! -e f.snap ] && pass || fail 'snapshot text never came' 'a file is there'
run 'power off, snapshot count never came' 4 -kernel ends-1.elf $typing --snapshot-save f.snap@100000000
run 'reset, -no-reboot' 5 -no-reboot -kernel ends-2.elf $typing
says 'reset, -no-reboot' err 'asked for a reset'
run 'reset, -no-reboot, --until never came' 5 -no-reboot -kernel ends-2.elf $typing --until three

# A host that gives no file of 64 MiB has no second tier, and one line says so to who asks for it.
(ulimit -f 1000 && "$elmu" -M virt -nographic -kernel ends-1.elf $typing -engine tier2 >out 2>err </dev/null)
status=$?
[ $status = 0 ] && grep -q '^elmu: no second tier (-engine tier2): this host gives no memory that can be executed; the threaded engine runs$' err && pass ||
    fail 'no second tier' "status $status: $(head -n 3 err)"
(ulimit -f 1000 && "$elmu" -M virt -nographic -kernel ends-1.elf $typing >out 2>err </dev/null) && ! grep -q tier err && pass || fail 'no second tier, not asked for' "$(head -n 3 err)"

# Where the CPUs are
run '--max-insns says where' 3 -smp 2 -kernel ends-1.elf --max-insns 5000
says '--max-insns says where' err 'cpu0: EL1, pc 0x402000'
says '--max-insns says where' err '(_start+0x'
says '--max-insns says where' err 'cpu1: off'
run 'asleep says where' 1 -kernel ends-3.elf $typing
says 'asleep says where' err 'waits in WFI for an interrupt; no timer is set'
says 'asleep says where' err '(idle+0x'
says 'asleep says where' err 'all CPUs sleep'
run 'names of -sym' 3 -kernel ends-1.elf --sym ends-3.elf,offset=0x1000 --max-insns 5000
! grep -q '_start' err && pass || fail 'names of -sym' 'of another file'
run '-sym without a use' 0 -kernel ends-1.elf $typing --sym ends-1.elf
says '-sym without a use' err '-sym: no trace shows names'
run '-sym with a use' 0 -kernel ends-1.elf $typing --sym ends-1.elf -d int
! grep -q 'no trace shows' err && pass || fail '-sym with a use' 'said'
timeout 2 "$elmu" -kernel ends-1.elf >out 2>err </dev/null
says 'interrupted says where' err 'cpu0: EL1'
"$elmu" -kernel ends-1.elf --stats >out 2>err </dev/null & # twice at once, as timeout does: no hurry
sleep 1
kill -STOP $!; kill -TERM $!; kill -HUP $!; kill -CONT $! # both before it can do anything about either
wait $!
says 'signalled twice says where' err 'cpu0: EL1'
says 'signalled twice says where' err 'insns'

# Boot to a text, save, quit: in one line; what is typed on the text is not in it.
run 'boot, save, quit' 0 -kernel ends-1.elf --snapshot-save one.snap@one --until one
[ -s one.snap ] && pass || fail 'boot, save, quit' 'no snapshot'
run 'saved before it was typed' 0 -kernel ends-1.elf --snapshot-save typed.snap@one $typing
says 'saved before it was typed' out 'xtwo'
printf z >key
input=key
for file in one typed; do
    run "restored $file.snap" 0 --restore $file.snap
    says "restored $file.snap" out 'ztwo'
done
input=/dev/null

# The machine is the file's.
run 'a machine to save' 3 -M virt,virtualization=on -cpu cortex-a53,lse=on -smp 3 -m 64M -semihosting --reset loud \
    -device virtio-rng-device -kernel ends-1.elf --snapshot-save m.snap@1000 --max-insns 3000 --stats
grep '^hash' err >./hash
run 'its options come from the file' 3 --restore m.snap --max-insns 3000 --stats
grep '^hash' err | cmp -s - hash && pass || fail 'its options come from the file' 'another hash'
run 'the same options given' 3 --restore m.snap -M virt,virtualization=on -cpu cortex-a53,lse=on -smp 3 -m 64 -semihosting \
    -device virtio-rng-device --max-insns 3000
bad '-restore, another -m' 'made with -m 64M, but -m 128M was given' --restore m.snap -m 128M
bad '-restore, another -smp' 'made with -smp 3, but -smp 2 was given' --restore m.snap -smp 2
bad '-restore, another -cpu' 'made with -cpu cortex-a53,lse=on, but -cpu cortex-a57 was given' --restore m.snap -cpu cortex-a57
bad '-restore, another feature' 'but -cpu cortex-a53 was given' --restore m.snap -cpu cortex-a53
bad '-restore, another machine' 'made with -M virtualization=on, but -M virtualization=off' --restore m.snap -M virt,virtualization=off
bad '-restore, highmem-ecam' 'made with -M highmem-redists=, -ecam=, -mmio=, off as a set 0, but' --restore m.snap -M virt,highmem-ecam=off
bad '-restore, compact-highmem' 'made with -M compact-highmem=off, but -M compact-highmem=on was given' --restore m.snap -M virt,compact-highmem=on
bad '-restore, highmem' 'made with -M highmem=on, but -M highmem=off was given' --restore m.snap -M virt,highmem=off
bad '-restore, GIC' 'made with -M gic-version 2, but -M gic-version 3' --restore m.snap -M virt,gic-version=3
run 'a GICv4 to save' 3 -M virt,virtualization=on,gic-version=max -smp 2 -m 64M -kernel ends-1.elf --snapshot-save v4.snap@1000 \
    --max-insns 3000 --stats
grep '^hash' err >./hash
run 'GICv4 comes from the file, which has the most that there is' 3 --restore v4.snap -M gic-version=max --max-insns 3000 --stats
grep '^hash' err | cmp -s - hash && pass || fail 'GICv4 from the file' 'another hash'
bad '-restore, GICv4' 'made with -M gic-version 4, but -M gic-version 3' --restore v4.snap -M gic-version=3
bad '-restore, secure' 'made with -M secure=off, but -M secure=on' --restore m.snap -M virt,secure=on
bad '-restore, another -reset' 'made with -reset loud, but -reset zero' --restore m.snap --reset zero
bad '-restore, no semihosting' 'enable=on' --restore m.snap -semihosting-config enable=off
bad '-restore, no file' 'expected a snapshot' --restore ends-1.elf
