# shellcheck shell=bash disable=SC2154,SC2034 # read by run.sh, which sets elmu and what these use
# Part of tests/cli/run.sh: QEMU's options. Each is known; files of options; what is accepted is looked at all the same.

# No option of QEMU's is "no such option": it works, is accepted, or is refused with the reason.
while read -r option; do
    case $option in '#'*) continue ;; esac
    timeout 20 "$elmu" "-$option" >out 2>err </dev/null
    if grep -qF 'no such option' err; then fail "-$option" 'is not known'; else pass; fi
done <"$here/../qemu.options"
sed -nE 's/^REFUSED\("([^"]+)", *"(.*)"\)$/\1 \2/p' "$here/../../frontend/refused.def" >refused
while read -r option why; do bad "-$option" "-$option: elmu has no $why" "-$option" x; done <refused
[ "$(wc -l <refused)" -ge 20 ] && pass || fail 'options that are refused' 'no table'
bad 'an option that nobody has' "-snpshot: no such option (did you mean 'snapshot'?)" -snpshot

# -readconfig: sections are options.
cat >machine.cfg <<'CFG'
# a machine
[machine]
  type = "virt"
  gic-version = "3"
  dumpdtb = "config.dtb"
[memory]
  size = "300M"

[smp-opts]
  cpus = "3"
[global]
  driver = "virtio-mmio"
  property = "force-legacy"
  value = "false"
[device "d"]
  drive = "disk"
	driver = "virtio-blk-pci"
[chardev "c"]
  backend = "file"
  path = "a,b"
[msg]
CFG
options=(-M 'virt,gic-version=3' -m 300M -smp 3 -global virtio-mmio.force-legacy=false -device 'virtio-blk-pci,drive=disk,id=d')
common=(-M dtb-randomness=off -drive 'if=none,id=disk,file=disk.img,format=raw')
run '-readconfig' 0 -readconfig machine.cfg "${common[@]}"
run 'the same by options' 0 "${options[@]}" "${common[@]}" -M dumpdtb=options.dtb
cmp -s config.dtb options.dtb && pass || fail '-readconfig' 'another device tree than that of the same options'
run '-readconfig: a file of a console' 0 -readconfig machine.cfg "${common[@]}" -M dumpdtb= -serial chardev:c -kernel hello.elf
[ -s a,b ] && pass || fail '-readconfig' 'a comma in a value is lost'
# config TEXT PATTERN
config() { printf '%b' "$1" >bad.cfg; bad "-readconfig $2" "$2" -readconfig bad.cfg -kernel hello.elf; }
config '[colour]\n' "bad.cfg:1: there is no option group 'colour'"
config '\nkey = "value"\n' 'bad.cfg:2: no group defined'
config '[machine]\n key = value\n' 'bad.cfg:2: parse error'
config '[machine] x\n' 'bad.cfg:1: parse error'
config '[machine\n' 'parse error'
config '[machine]\n secure = "maybe"\n' 'expected on or off'
config '[global]\n driver = "x"\n' 'expected driver, property and value'
config '[device "d"]\n driver = "nothing"\n' '-device nothing: no such device'
config '[spice]\n' "no option group 'spice'"
config "[machine]\n x = \"$(head -c 1500 /dev/zero | tr '\0' y)\"\n" 'parse error'
config "[machine]\n$(for n in 1 2 3 4 5; do echo " k$n = \"$(head -c 1000 /dev/zero | tr '\0' y)\"\n"; done)" 'a section is too long'
config "$(head -c 3000 /dev/zero | tr '\0' y)" 'the line is too long'
bad '-readconfig of nothing' "Could not open 'nowhere'" -readconfig nowhere

# -set: as if it stood in the option.
bad '-set' 'no -drive has id=none-such' -device virtio-blk-pci,id=d -set device.d.drive=none-such -kernel hello.elf
bad '-set, =' 'no -drive has id=none-such' -device virtio-blk-pci,id=d --set=device.d.drive=none-such -kernel hello.elf
bad '-set of what is not there' 'there is no device "e" defined' -device virtio-blk-pci,id=d -set device.e.drive=x
bad '-set of what comes later' 'there is no device "d" defined' -set device.d.drive=x -device virtio-blk-pci,id=d
bad '-set without a value' 'expected GROUP.ID.PROPERTY=VALUE' -set device.d
run '-set: a file with a comma' 0 -chardev file,id=c,path=x -set chardev.c.path=d,e -serial chardev:c -kernel hello.elf
[ -s d,e ] && pass || fail '-set' 'a comma in a value is lost'

# -echr: another key than Ctrl-A.
printf 'ab\002x' >keys
input=keys
run '-echr' 0 -echr 2 -chardev stdio,mux=on,id=c -serial chardev:c -kernel echo.elf -max-insns 100000000
run '-echr, a letter' 0 -echr b -chardev stdio,mux=on,id=c -serial chardev:c -kernel echo.elf -max-insns 100000000
printf '\002h\002x' >keys
run '-echr: help' 0 -echr b -chardev stdio,mux=on,id=c -serial chardev:c -kernel echo.elf -max-insns 100000000
says '-echr: help' out 'Ctrl-B x  quit'
input=/dev/null
bad '-echr of no key' 'expected a letter' -echr 40
bad '-echr of a word' 'expected a letter' -echr abc

# -L: where firmware is looked for.
mkdir -p firmware
cp hello.bin firmware/fw.bin
run '-L' 3 -L nowhere -L firmware -bios fw.bin -max-insns 10
bad '-L that has it not' '-bios fw.bin: No such file' -L folder -bios fw.bin
run '-L ?' 0 -L firmware -L '?'
says '-L ?' out 'firmware'

# What changes nothing is looked at.
run 'accepted' 0 -name guest=a,process=b,debug-threads=on -msg timestamp=on -overcommit mem-lock=off,cpu-pm=on -icount shift=auto,sleep=off \
    -rtc base=localtime,clock=vm,driftfix=slew -usb -vnc none -full-screen -watchdog-action reset -compat deprecated-input=accept \
    -no-user-config -only-migratable -mem-prealloc -k de -audiodev none,id=a -parallel null -no-acpi -kernel hello.elf
run '-vga' 0 -vga std -kernel hello.elf
says '-vga' err 'No VGA device has been created'
bad '-vga of nothing' 'unknown vga type' -vga paper
bad '-name' "no property 'colour'" -name a,colour=blue
bad '-overcommit' "no property 'colour'" -overcommit colour=blue
bad '-icount' 'Invalid shift value' -icount shift=11
bad '-icount rr' 'expected rr=record,rrfile=FILE' -icount rr=record
bad '-rtc' 'only host rt vm' -rtc clock=sun
input=keys
run '-icount rr=record' 3 -icount shift=auto,rr=record,rrfile=keys.journal -serial stdio -kernel echo.elf -max-insns 100000
input=/dev/null
run '-icount rr=replay' 3 -icount shift=auto,rr=replay,rrfile=keys.journal -serial stdio -kernel echo.elf -max-insns 100000
printf 'ready\n\002h\002x' | cmp -s - out && pass || fail '-icount rr=replay' 'other input than was recorded'

# -trace as QEMU has it: events.
run '-trace of events' 0 -trace pl011_write,file=events.log -kernel hello.elf
says '-trace of events' events.log pl011_write
run '-trace enable=' 0 -trace enable=pl011_write -D events2.log -kernel hello.elf
cmp -s events.log events2.log && pass || fail '-trace enable=' 'other events'
run '-trace help' 0 -trace help
says '-trace help' out pl011_write
bad '-trace events=' 'name events' -trace events=folder

# -semihosting-config chardev=: a console of its own, apart from the serial port.
program readc "$here/readc.S"
run 'semihosting to a file' 42 -semihosting-config enable=on,target=native,chardev=c -chardev file,id=c,path=semi.out -serial file:uart.out -kernel semi.elf
says 'semihosting to a file' semi.out 'said by semihosting: semi.elf'
[ ! -s uart.out ] && pass || fail 'semihosting to a file' 'the serial port has some of it'
printf 'abc.' >keys
input=keys
run 'semihosting from a back end' 7 -semihosting-config enable=on,chardev=c -chardev stdio,id=c -serial file:uart.out -record semi.journal -kernel readc.elf
cmp -s keys out && [ "$(cat uart.out)" = u ] && pass || fail 'semihosting from a back end' 'other bytes than were written'
input=/dev/null
run 'semihosting from a back end, again' 7 -semihosting-config enable=on,chardev=c -chardev stdio,id=c -serial file:uart.out -replay semi.journal \
    -kernel readc.elf
cmp -s keys out && pass || fail 'semihosting from a back end, again' 'other bytes than were recorded'
input=keys
run 'semihosting from a back end, saved' 7 -semihosting-config enable=on,chardev=c -chardev stdio,id=c -serial file:uart.out -kernel readc.elf -snapshot-save semi.snap@10
run 'semihosting from a back end, restored' 7 -restore semi.snap -semihosting-config enable=on,chardev=c -chardev stdio,id=c -serial file:uart.out
cmp -s keys out && pass || fail 'semihosting from a back end, restored' 'other bytes than were written'
run 'a machine without' 7 -semihosting -kernel readc.elf -snapshot-save plain.snap@10
input=/dev/null
bad '-restore, semihosting elsewhere' 'semihosting on the first serial port' -restore plain.snap -semihosting-config chardev=c -chardev null,id=c
bad 'semihosting to nowhere' '-semihosting-config chardev: no -chardev has id=d' -semihosting-config chardev=d -kernel hello.elf
bad 'semihosting by gdb' 'only native auto' -semihosting-config target=gdb -kernel hello.elf

# -smbios: what it says is in the tables (tests/acpi.py compares them with QEMU's).
printf '\003\005\0\0\007chassis\0\0' >chassis.bin
printf '\003\005\0\0\007chassis' >open.bin
printf 'a\0b' >zero.txt
printf 'told by a file' >oem.txt
head -c 10000 /dev/zero | tr '\0' z >long.txt
items=$build/guest/fw_items.elf
hex() { od -An -v -tx1 | tr -d ' \n'; }
run '-smbios' 0 -M virt,gic-version=3 -semihosting -nographic -kernel "$items" -smbios type=1,serial=of-mine -smbios file=chassis.bin \
    -smbios type=11,value=word,path=oem.txt
says '-smbios: a field' out "$(printf of-mine | hex)"
says '-smbios: a file' out "$(hex <chassis.bin)"
says '-smbios: strings' out "$(printf 'word\0told by a file\0\0' | hex)"
run '-smbios ?' 0 -smbios '?'
says '-smbios ?' out 'processor-id=<NUMBER>'
bad '-smbios, no such type' 'type=9: not supported' -smbios type=9
bad '-smbios, a type that is far away' 'not supported' -smbios type=99999999
bad '-smbios, no such field' "no property 'colour'" -smbios type=1,colour=blue
bad '-smbios without a type' 'expected file=FILE or type=N' -smbios serial=x
bad '-smbios release' 'Invalid release' -smbios type=0,release=1
bad '-smbios speed' 'a speed is too large' -smbios type=4,max-speed=65536
bad '-smbios uuid' 'expected 32 digits' -smbios type=1,uuid=1
bad '-smbios, both ways' 'expected one of them' -smbios type=3,sku=x -smbios file=chassis.bin
bad '-smbios, both ways round' 'expected one of them' -smbios file=chassis.bin -smbios type=3,sku=x
bad '-smbios, no structure' 'expected a structure' -smbios file=oem.txt
bad '-smbios, an open structure' 'expected a structure' -smbios file=open.bin
bad '-smbios, an empty file' 'expected a structure' -smbios file=empty
bad '-smbios, no file' 'nowhere: No such file' -smbios file=nowhere
bad '-smbios, a string with a zero' 'a byte that is 0' -smbios type=11,path=zero.txt
bad '-smbios, more than there is room for' 'have no room' -kernel hello.elf \
    -smbios type=11,path=long.txt,path=long.txt,path=long.txt,path=long.txt,path=long.txt,path=long.txt,path=long.txt,path=long.txt

# -d exec, cpu: where runs of instructions begin, and with which registers; -dfilter, -D with %d.
cat >blocks.S <<'ASM'
    .globl _start
_start:
    mov x0, #3
1:  sub x0, x0, #1
    cbnz x0, 1b
    b 2f
    nop
2:  movz w0, #0x8400, lsl #16
    movk w0, #8
    hvc #0
ASM
program blocks blocks.S
run '-d exec' 0 -d exec -D exec.log -kernel blocks.elf
cut -d ' ' -f 1-4 exec.log >exec.txt
printf 'Trace 0: 0x00000000402000%s EL1\n' 00 04 04 14 | cmp -s - exec.txt && pass || fail '-d exec' "$(cat exec.log)"
run '-d exec -singlestep' 0 -singlestep -d exec -D each.log -kernel blocks.elf
[ "$(wc -l <each.log)" = 11 ] && pass || fail '-d exec -singlestep' "$(wc -l <each.log) lines"
run '-d cpu' 0 -d cpu,nochain -D cpu.log -kernel blocks.elf
[ "$(grep -o 'X00=[0-9a-f]*' cpu.log | tr '\n' ' ')" = 'X00=0000000000000000 X00=0000000000000002 X00=0000000000000001 X00=0000000000000000 ' ] && pass ||
    fail '-d cpu' "$(head -n 3 cpu.log)"
says '-d cpu' cpu.log 'PSTATE=000003c5 ---- EL1h'
run '-dfilter' 0 -d exec,in_asm -dfilter 0x40200014..0x40200017,0x40200004+4 -D filter.log -kernel blocks.elf
grep -oE '^(Trace 0: 0x[0-9a-f]* |0x[0-9a-f]*)' filter.log | tr '\n' ' ' >filter.txt
[ "$(cat filter.txt)" = 'Trace 0: 0x0000000040200004  0x40200004 Trace 0: 0x0000000040200004  Trace 0: 0x0000000040200004  Trace 0: 0x0000000040200014  0x40200014 ' ] &&
    pass || fail '-dfilter' "$(cat filter.txt)"
run '-dfilter, a size before' 0 -d exec -dfilter 0x4020001c-8 -D before.log -kernel blocks.elf
[ "$(wc -l <before.log)" = 1 ] && pass || fail '-dfilter, a size before' "$(wc -l <before.log) lines"
for range in 1 5..1 1+0 x 2.3 1..2z; do bad "-dfilter $range" 'Invalid range' -dfilter "$range" -kernel blocks.elf; done
run '-D with the number of the process' 0 -d exec -D 'number.%d.log' -kernel blocks.elf
ls number.[0-9]*.log >out 2>&1 && pass || fail '-D with the number of the process' 'no such file'
bad '-D with two' 'Bad logfile template' -d exec -D 'a%d%d' -kernel blocks.elf
bad '-D with something else' 'Bad logfile template' -d exec -D 'a%s' -kernel blocks.elf
bad '-D twice' 'given twice' -d exec -D a -D b -kernel blocks.elf

# CPUs are too many before any file is missing, as scripts probe it.
bad 'too many CPUs for a GICv2' 'SMP CPUs requested (9) exceeds max CPUs' -kernel nowhere -smp 9
