#!/bin/bash
# The program's edges: bad input gives one clear line on standard error and status 1; ways to end give their status; the
# device tree is QEMU's, node for node; input and output go where the options say.
#   tests/cli/run.sh [ELMU]          Ends with "N passed, N failed"
set -u
elmu=$(realpath "${1:-./elmu}")
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${B:-build}")
cross=${CROSS:-aarch64-linux-gnu-}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() # NAME REASON
{
    failed=$((failed + 1))
    echo "FAIL $1: $2"
    sed 's/^/    /' err | head -5
}

unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER # no window opens here: tests/window has them

# bad NAME PATTERN ARGUMENT...: status 1, exactly one line on stderr that has PATTERN, nothing on stdout.
bad()
{
    local name=$1 pattern=$2 status
    shift 2
    timeout 20 "$elmu" "$@" >out 2>err </dev/null
    status=$?
    if [ $status != 1 ]; then fail "$name" "status $status, expected 1"
    elif [ "$(wc -l <err)" != 1 ]; then fail "$name" "$(wc -l <err) lines on standard error, expected 1"
    elif ! grep -qF -- "$pattern" err; then fail "$name" "the message does not say: $pattern"
    elif [ -s out ]; then fail "$name" "something on standard output"
    else pass; fi
}

# run NAME STATUS ARGUMENT...: ends with STATUS; out and err hold what was said. Input: $input (a file, default none).
input=/dev/null
run()
{
    local name=$1 want=$2 status
    shift 2
    timeout 60 "$elmu" "$@" >out 2>err <"$input"
    status=$?
    if [ $status = "$want" ]; then pass; else fail "$name" "status $status, expected $want"; fi
}
says() { if grep -qaF -- "$3" "$2"; then pass; else fail "$1" "$2 does not say: $3"; fi; }

# program NAME FILE: a bare-metal ELF at 0x40200000, from assembly or C.
program()
{
    "${cross}gcc" -g -O1 -ffreestanding -mgeneral-regs-only -mstrict-align -fno-pic -fno-pie -fno-stack-protector -nostdlib -static \
        -Wl,--build-id=none,-Ttext=0x40200000,--no-warn-rwx-segments -o "$1.elf" "$2" 2>err ||
        fail "$1" "does not assemble"
}

# ---- inputs ----
program echo "$here/echo.S"
program stuck "$here/stuck.S"
program sleep "$here/sleep.S"
program semi "$here/semi.S"
program semihost "$here/semihost.c"
program hello "$here/hello.S"
program travel "$here/travel.S"
program disk "$here/disk.c"
program reset "$here/reset.S"
"${cross}objcopy" -O binary hello.elf hello.bin
head -c 200 hello.elf >short.elf
head -c 40 hello.elf >header.elf
gcc -o foreign.elf -x c - <<<'int main(void) { return 0; }'
: >empty
mkdir folder
head -c 3000 /dev/urandom >noise
printf '\xd0\x0d\xfe\xed\x00\x00\x01\x00' >bad.dtb
gzip -c hello.bin | head -c 60 >short.gz
head -c 1048576 /dev/zero >disk.img
# an Image header that asks for 64 MiB
{ printf '\x10\x00\x00\x14'; head -c 4 /dev/zero; printf '\0\0\0\0\0\0\0\0'; printf '\0\0\0\x04\0\0\0\0'; head -c 32 /dev/zero
  printf 'ARM\x64'; head -c 4096 /dev/zero; } >big.Image

# ---- bad input ----
bad 'truncated ELF' 'truncated' -kernel short.elf
bad 'ELF without headers' 'truncated' -kernel header.elf
bad 'foreign ELF' 'not an ELF file for AArch64' -kernel foreign.elf
bad 'empty kernel' 'empty' -kernel empty
bad 'missing kernel' 'nowhere: No such file' -kernel nowhere
bad 'missing kernel, as scripts look for it' "could not load kernel 'nowhere'" -kernel nowhere
bad 'missing initrd, as scripts look for it' "could not load initrd 'nowhere'" -kernel hello.bin -initrd nowhere
bad 'damaged kernel, as scripts look for it' "could not load kernel 'short.elf'" -kernel short.elf
bad 'kernel is a directory' 'is a directory' -kernel folder
bad 'truncated gzip' 'damaged gzip' -kernel short.gz
bad 'missing initrd' 'nowhere: No such file' -kernel hello.bin -initrd nowhere
bad 'empty initrd' 'empty' -kernel hello.bin -initrd empty
bad 'initrd is a directory' 'is a directory' -kernel hello.bin -initrd folder
bad 'initrd without kernel' 'needs -kernel' -initrd noise
bad 'device tree that is none' 'not a device tree' -kernel hello.bin -dtb noise
bad 'truncated device tree' 'not a device tree' -kernel hello.bin -dtb bad.dtb
bad 'empty device tree' 'not a device tree' -kernel hello.bin -dtb empty
bad 'RAM too small for the Image' 'does not fit' -m 32M -kernel big.Image
bad 'RAM too small for the ELF' 'does not fit' -m 1M -kernel hello.elf
bad 'RAM too small for the initrd' 'does not fit' -m 4M -kernel hello.bin -initrd disk.img -initrd foreign.elf -m 1M
bad 'nothing to run' 'nothing to run' -M virt
bad 'unknown option' '-nonsense: no such option' -nonsense
bad 'an argument that is no option' 'not an option' hello.elf
bad 'option without its argument' 'needs an argument' -kernel
bad 'unknown machine' 'no such machine' -M raspi3b
bad 'unknown version of the machine' 'no such machine' -M virt-99
bad '-mon of another mode' "Parameter 'mode' does not accept value 'graphical'" -mon chardev=c,mode=graphical
bad 'unknown machine property' "no property 'colour'" -M virt,colour=blue
bad 'property neither on nor off' 'expected on or off' -M virt,secure=maybe
bad 'gic-version=4 without EL2' 'gic-version=4 requires virtualization enabled' -M virt,gic-version=4 -kernel hello.elf
bad 'acpi neither on nor off' 'expected on or off' -M virt,acpi=maybe
run 'acpi=auto' 0 -M virt,acpi=auto -kernel hello.elf
bad 'gic-version=host' 'gic-version=host requires KVM' -M virt,gic-version=host
bad 'gic-version=5' 'Invalid gic-version value' -M virt,gic-version=5
bad 'unknown IOMMU' 'expected none or smmuv3' -M virt,iommu=virtio
bad 'unknown stage of the SMMU' 'expected 1, 2 or nested' -M virt,iommu=smmuv3 -global arm-smmuv3.stage=3
bad 'global without a value' 'expected DRIVER.PROPERTY=VALUE' -M virt -global virtio-pci.disable-legacy -kernel hello.elf
bad 'global property that is not there' "no property 'colour'" -global virtio-rng-pci.colour=blue -device virtio-rng-pci -kernel hello.elf
bad 'global property of the board that is not there' "no property 'virtio-mmio.colour'" -global virtio-mmio.colour=blue -kernel hello.elf
run 'global of a device that is not there' 0 -global pxa2xx.colour=blue -kernel hello.elf
says 'global of a device that is not there' err 'pxa2xx.colour=blue: there is no such device; without effect'
# globals NAME ARGUMENT...: the hash of a machine with these
globals()
{
    run "globals: $1" 3 -kernel stuck.elf -max-insns 1000 -stats "${@:2}"
    grep '^hash' err
}
plain=$(globals plain -device virtio-rng-pci)
modern=$(globals inline -device virtio-rng-pci,disable-legacy=on)
before=$(globals before -global virtio-rng-pci.disable-legacy=on -device virtio-rng-pci)
after=$(globals after -device virtio-rng-pci -global virtio-pci.disable-legacy=on)
if [ "$modern" != "$plain" ] && [ "$modern" = "$before" ] && [ "$modern" = "$after" ]; then pass
else fail 'globals' "plain $plain, inline $modern, before $before, after $after"; fi
bad 'unknown CPU' 'cortex-z99' -cpu cortex-z99 -kernel hello.elf
bad 'unknown CPU feature' 'warp' -cpu max,warp=on -kernel hello.elf
bad 'no CPU' '1 to 512' -smp 0
bad 'too many CPUs' '1 to 512' -smp 513
bad 'too many CPUs, as scripts look for it' "Invalid SMP CPUs 513. The max CPUs supported by machine 'virt' is 512" -smp 513
bad 'too many CPUs by their product' 'Invalid SMP CPUs 1024.' -smp cores=256,threads=4
bad 'AArch64 off' 'AArch32 is not implemented' -cpu max,aarch64=off -kernel hello.elf
run 'SVE on' 0 -cpu max,sve=on -kernel hello.elf
says 'SVE on' err 'not implemented; the guest finds none'
run 'SVE of some length on' 0 -cpu max,sve256=on -kernel hello.elf
says 'SVE of some length on' err 'not implemented; the guest finds none'
run 'SME on' 0 -cpu max,sme=true -kernel hello.elf
says 'SME on' err 'not implemented; the guest finds none'
bad 'SVE neither on nor off' 'must be on or off' -cpu max,sve=4 -kernel hello.elf
bad 'gic_version=4' 'requires virtualization enabled' -M virt,gic_version=4 -kernel hello.elf
bad 'dtb-randomness neither on nor off' 'expected on or off' -M virt,dtb-randomness=2
bad 'pidfile that cannot be' 'folder/none' -kernel hello.elf -pidfile folder/none/pid
bad 'unknown log item' '-d cpu_resets: no such item' -kernel hello.elf -d cpu_resets
bad 'no log item' 'no item is named' -kernel hello.elf -d ''
run '-d help' 0 -d help
says '-d help' out 'cpu_reset '
run '-d trace:help' 0 -d trace:help
says '-d trace:help' out 'virtio_mmio_setting_irq'
run '-d trace' 0 -kernel hello.elf -d 'nochain,trace:pl011_w*,trace:virtio_net*'
says '-d trace' err 'pl011_write uart0 addr 0x0 value 0x68 size 4 cpu0 pc 0x402000'
says '-d trace' err 'trace:virtio_net*: fits no event'
if ! grep -q pl011_read err; then pass; else fail '-d trace' 'says what was not asked for'; fi
run '-d trace, of a PCI function' 0 -M virt,gic-version=3 -semihosting -nographic -device pci-testdev,addr=1 \
    -device virtio-rng-pci,addr=2 -device pcie-root-port,id=rp,chassis=1,slot=1,addr=3 -device virtio-rng-pci,bus=rp \
    -device pci-testdev,addr=4,multifunction=on -device edu,addr=4.1,dma_mask=0xffffffff \
    -kernel "$here/../../${B:-build}/guest/pci.elf" -d 'trace:edu_*,trace:dma_*,trace:pcie_setting_irq' -D events
says '-d trace, of a PCI function' events 'edu_write pci_edu addr 0x90 value 0x8 size 8 cpu0 pc 0x402'
says '-d trace, of a PCI function' events 'dma_write addr 0x'
says '-d trace, of a PCI function' events 'pcie_setting_irq pcie wire '
run '-d trace, of outputs that are edges' 0 -M virt,gic-version=3,iommu=smmuv3 -semihosting -nographic \
    -kernel "$here/../../${B:-build}/guest/smmu.elf" -d 'trace:smmu*irq' -D events
says '-d trace, of outputs that are edges' events 'smmu_v3_setting_irq smmu wire 2 level 1'
says '-d trace, of outputs that are edges' events 'smmu_v3_setting_irq smmu wire 2 level 0'
bad 'CPUs that are no number' 'not a number' -smp many
bad 'topology, another product' 'product of the hierarchy must match maxcpus: sockets (1) * clusters (1) * cores (3) * threads (1) != maxcpus (4)' -smp 4,cores=3
bad 'topology, fewer than there are' 'maxcpus must be equal to or greater than smp' -smp 2,maxcpus=1
bad 'topology, dies' "dies not supported by this machine's CPU topology" -smp 8,dies=2
bad 'topology, none' 'threads=0: Invalid CPU topology' -smp 4,threads=0
bad 'more CPUs than redistributors' "Number of SMP CPUs requested (124) exceeds max CPUs supported by machine 'mach-virt' (123)" \
    -M virt,gic-version=3,highmem=off -smp 124 -kernel echo.elf
bad 'more CPUs than redistributors of GICv4' "Number of SMP CPUs requested (318) exceeds max CPUs supported by machine 'mach-virt' (317)" \
    -M virt,gic-version=4,virtualization=on -smp 318 -kernel echo.elf
bad 'more CPUs than redistributors below' 'exceeds max CPUs supported by machine '"'mach-virt'"' (123): highmem-redists=on has more' \
    -M virt,gic-version=3,highmem-redists=off -smp 124 -kernel echo.elf
bad 'more RAM than addresses' 'Addressing limited to 40 bits, but memory exceeds it by 1073741824 bytes' -m 1T -cpu cortex-a53 -kernel echo.elf
bad 'more RAM to be plugged in than addresses' 'Addressing limited to 40 bits, but memory exceeds it by 1103806595072 bytes' \
    -m 1G,maxmem=2T,slots=3 -cpu cortex-a53 -kernel echo.elf
bad 'more CPUs than redistributors, by RAM' 'max CPUs supported by machine '"'mach-virt'"' (123)' -M virt,gic-version=3 -m 1023G -cpu cortex-a53 \
    -smp 124 -kernel echo.elf
bad 'more RAM than below 4 GiB' 'Addressing limited to 32 bits, but memory exceeds it by 1073741824 bytes' -M virt,highmem=off -m 4G -kernel echo.elf
bad 'maxmem below size' 'must be at least the initial memory size' -m 2G,maxmem=1G
bad 'memory backend, another size' 'Size specified by -m option must match' -m 1G -M virt,memory-backend=m -kernel echo.elf \
    -object memory-backend-ram,id=m,size=512M
bad 'memory backend, none of that name' "Memory backend 'm' not found" -M virt,memory-backend=m -kernel echo.elf
bad 'memory backend without a size' 'size= is missing' -object memory-backend-ram,id=m
bad 'memory of a node, another size' 'total memory for NUMA nodes (0x20000000) should equal RAM size (0x40000000)' -m 1G -kernel echo.elf \
    -object memory-backend-memfd,id=m,size=512M -numa node,memdev=m
bad 'memory of two nodes, another size' 'total memory for NUMA nodes (0x30000000) should equal RAM size (0x40000000)' -m 1G -kernel echo.elf \
    -numa node,memdev=m -numa node,memdev=n -object memory-backend-ram,id=m,size=512M -object memory-backend-ram,id=n,size=256M
bad 'memory of a node by its size' 'is not supported by this machine type: use memdev=ID' -m 1G -numa node,mem=1G
bad 'no such object' 'tls-creds-x509,id=t: not supported' -object tls-creds-x509,id=t
bad 'no RAM' 'RAM must be' -m 0
bad 'RAM that is no number' 'not a number' -m lots
bad 'unknown device' 'no such device (' -device flux-capacitor
bad 'nearly a device' "did you mean 'virtio-blk-device'?" -device virtio-blok-device,drive=d
bad 'nearly an option' "did you mean 'nographic'?" -nograhpic
bad 'like no option' 'no such option (' -zzzzzzzz
bad 'nearly a property' "did you mean 'virtualization'?" -M virt,virtualisation=on
bad 'a CPU of 32 bits' "'cortex-a15', which is a core of 32 bits" -cpu cortex-a15 -kernel hello.elf
bad 'a CPU that is like another' "'cortex-a73', which is a core like cortex-a72" -cpu cortex-a73 -kernel hello.elf
bad '-cpu host' 'needs KVM' -cpu host -kernel hello.elf
bad 'nearly a CPU' "did you mean 'cortex-a57'?" -cpu crotex_A57 -kernel hello.elf
bad 'nearly a feature' "did you mean 'pauth'?" -cpu max,puath=on -kernel hello.elf
bad 'PCI disk with an unknown drive' 'id=nope' -kernel hello.elf -device virtio-blk-pci,drive=nope
bad 'PCI slot that is taken' 'slot 2 function 0 not available for edu, in use by pci-testdev' -kernel hello.elf -device pci-testdev,addr=2 -device edu,addr=2
bad 'PCI bus that is not there' "Bus 'rp9' not found" -kernel hello.elf -device virtio-rng-pci,bus=rp9
bad 'PCI device as a bus' 'no such bus' -kernel hello.elf -device pci-testdev,id=a -device edu,bus=a
bad 'PCI address that is none' 'expected DEVICE' -device pci-testdev,addr=20
bad 'PCI slot 1 behind a port' 'slot 1 is not valid' -kernel hello.elf -device pcie-root-port,id=p -device edu,bus=p,addr=1
bad 'bridge without a chassis' 'chassis_nr=' -kernel hello.elf -device pci-bridge
bad 'bridge with a chassis too large' 'at most 255' -device pci-bridge,chassis_nr=256
bad 'slot 0 behind a bridge' 'slot 0 is not valid for edu, its bus has slots 1 to 31' -kernel hello.elf -device pci-bridge,id=b,chassis_nr=1 -device edu,bus=b,addr=0
bad 'property of another PCI function' "no property 'dma_mask'" -device pcie-pci-bridge,dma_mask=1
bad 'PCI function 1 without multifunction' 'multifunction=on' -kernel hello.elf -device pci-testdev,addr=3 -device edu,addr=3.1
bad 'virtio-pci without an interface' 'neither modern nor legacy' -device virtio-rng-pci,disable-legacy=on,disable-modern=on
bad 'iommu_platform on a transitional device' 'VIRTIO_F_IOMMU_PLATFORM' -kernel hello.elf -device virtio-rng-pci,iommu_platform=on
bad 'network device' "can't find value 'n'" -kernel echo.elf -device virtio-net-device,netdev=n
bad 'network for two devices' 'given to two devices' -kernel echo.elf -netdev user,id=n -device virtio-net-pci,netdev=n -device virtio-net-pci,netdev=n
bad 'MAC address' 'expected six bytes' -device virtio-net-pci,mac=52:54:00:12:34
bad 'MAC address' 'multicast' -device virtio-net-pci,mac=53:54:00:12:34:56
bad 'unknown device property' "no property 'colour'" -device virtio-rng-device,colour=blue
bad 'virtconsole without its bus' 'virtio-serial-device' -device virtconsole
bad 'disk without drive' 'drive= is missing' -device virtio-blk-device
bad 'disk with an unknown drive' 'id=nope' -kernel hello.elf -device virtio-blk-device,drive=nope
bad 'missing disk image' 'nowhere: No such file' -kernel hello.elf -drive file=nowhere,format=raw
bad 'disk image is a directory' 'is a directory' -kernel hello.elf -drive file=folder,readonly=on
bad 'empty disk image' 'empty' -kernel hello.elf -drive file=empty
bad 'an unknown format' 'only raw qcow2' -drive file=disk.img,format=qcow3
head -c $((64 * 1048576 + 512)) /dev/zero >large.fd
bad 'flash too large' 'larger than the bank' -kernel hello.elf -drive if=pflash,format=raw,file=large.fd,index=1
bad 'third bank of flash' 'there are 2' -kernel hello.elf -drive if=pflash,format=raw,file=disk.img,index=2
bad 'bank of flash twice' 'is taken' -kernel hello.elf -drive if=pflash,format=raw,file=disk.img,unit=1 -drive if=pflash,format=raw,file=hello.bin,unit=1
bad 'firmware twice' 'both options' -bios hello.bin -pflash disk.img
bad 'firmware too large' 'larger than the bank' -bios large.fd
bad 'firmware that is not there' 'nowhere: No such file' -bios nowhere
bad 'network' 'not supported' -nic l2tpv3
bad 'network' 'id= is missing' -netdev user
bad 'network' 'exactly one of' -kernel echo.elf -nic socket
bad 'network' 'localaddr= is mandatory' -kernel echo.elf -nic socket,udp=127.0.0.1:9
bad 'network' 'expected HOST:PORT' -kernel echo.elf -nic socket,listen=9
bad 'network' 'cannot connect' -kernel echo.elf -nic stream,addr.type=unix,addr.path=/none/there
bad 'network' 'is no IPv4 multicast address' -kernel echo.elf -nic socket,mcast=10.0.0.1:9
bad 'network' 'addr.type= is missing' -kernel echo.elf -nic stream
bad 'network' 'local.type= is missing' -kernel echo.elf -nic dgram
bad 'network interface' '/dev/net/tun' -kernel echo.elf -nic tap,ifname=lo
bad 'network interface' 'not yet supported' -nic tap,script=/etc/qemu-ifup
bad 'network' 'Duplicate ID' -netdev user,id=n -netdev user,id=n
bad 'network adapter' 'not supported' -nic user,model=e1000
bad 'network dump' 'no -netdev has id=n' -kernel echo.elf -object filter-dump,id=f,netdev=n,file=dump
bad 'two balloons' 'Only one balloon device is supported' -kernel echo.elf -device virtio-balloon-pci -device virtio-balloon-device
bad 'a virtio socket without an address' 'guest-cid property must be greater than 2' -kernel echo.elf -device vhost-vsock-pci,socket=v
bad 'a virtio socket with that of the host' 'guest-cid property must be greater than 2' -kernel echo.elf -device vhost-vsock-device,guest-cid=2
bad 'a virtio socket that cannot be made' 'socket=/nonexistent/v: No such file' -kernel echo.elf -device vhost-vsock-pci,guest-cid=3,socket=/nonexistent/v
bad 'a virtio socket with a legacy interface' 'modern-only, use disable-legacy=on' -kernel echo.elf -device vhost-vsock-pci,guest-cid=3,disable-legacy=off
bad 'a transitional virtio socket' 'no such device' -kernel echo.elf -device vhost-vsock-pci-transitional,guest-cid=3
run 'a virtio socket with nobody there' 0 -kernel hello.elf -device vhost-vsock-pci,guest-cid=3
says 'a virtio socket with nobody there' err 'without socket=PATH'
run 'a virtio socket' 0 -kernel hello.elf -device vhost-vsock-device,guest-cid=3,socket=v -device virtio-balloon-pci,deflate-on-oom=on
if [ -e v ]; then fail 'a virtio socket' 'it is left'; else pass; fi
bad 'forwarded port' 'Invalid host forwarding rule' -kernel echo.elf -nic user,hostfwd=tcp::x-:22
bad 'forwarded port' 'Invalid guest forwarding rule' -kernel echo.elf -nic user,guestfwd=tcp:10.0.2.9:22
bad 'network address' 'expected an IPv4 address' -kernel echo.elf -nic user,net=here
bad 'network address' '4 to 30 bits' -kernel echo.elf -nic user,net=10.0.0.0/31
bad 'network address' 'is not in the network' -kernel echo.elf -nic user,net=10.1.0.0/16,dns=10.2.0.3
for words in '-nic none' '-net none' '-nic user' '-net nic -net user' '-net user -net nic,model=virtio' '-netdev user,id=n -net nic,netdev=n' \
    '-netdev type=user,id=n,ipv6=off -device virtio-net-device,netdev=n' '-nic user,net=192.168.76.0/24,dhcpstart=192.168.76.9,restrict=on'; do
    # shellcheck disable=SC2086 # words of a command line
    run "network: $words" 3 -kernel echo.elf --max-insns 1000 $words
done
bad 'display' "did you mean 'sdl'?" -display sld
bad 'display of another kind' '-nographic has the serial port there' -display curses
bad 'accelerator' 'only tcg' -accel kvm
bad 'unknown serial port' 'not supported' -serial carrier-pigeon
# shellcheck disable=SC2046 # words
bad 'serial ports without end' 'more than 16' $(printf -- '-serial null %.0s' {1..17})
bad 'unknown chardev' 'no such back end' -chardev pigeon,id=c
bad 'chardev of no such id' 'id=c9' -serial chardev:c9
bad 'serial file that cannot be' 'folder: Is a directory' -kernel hello.elf -serial file:folder
run 'TFTP folder that is not there' 0 -kernel hello.elf -netdev user,id=n,tftp=nowhere
says 'TFTP folder that is not there' err 'tftp=nowhere: No such file or directory: no file is served'
bad 'loader without file' 'loader' -device loader,force-raw=on
bad 'loader past RAM' 'does not fit' -kernel hello.elf -device loader,file=noise,addr=0x0a800000
bad 'loader for a CPU that is not' 'cpu-num=3' -device loader,file=hello.elf,cpu-num=3
bad 'guest without address' 'address of guest blob' -kernel hello.elf -device guest-loader,kernel=hello.elf
bad 'guest without file' 'kernel or initrd' -kernel hello.elf -device guest-loader,addr=0x48000000
bad 'guest with both' 'give two' -kernel hello.elf -device guest-loader,addr=0x48000000,kernel=hello.elf,initrd=noise
bad 'words for an initrd' 'kernel blobs' -kernel hello.elf -device guest-loader,addr=0x48000000,initrd=noise,bootargs=x
bad 'guest past RAM' 'does not fit' -kernel hello.elf -device guest-loader,addr=0x0a800000,initrd=noise
bad 'loader data too long' 'data-len' -device loader,data=1,data-len=9,addr=0x40000000
bad '--after without --send' '--send is missing' -kernel hello.elf --after x
bad '--until of nothing' 'empty' -kernel hello.elf --until ''
bad 'unknown engine' 'step, threaded or tier2' --engine=jit
bad 'a threshold that is none' 'expected 1 to 255' --engine=tier2,hot=256
bad 'Xen domain without kernel' 'kernel= is missing' -kernel hello.bin -xen-dom0 append=x
bad 'Xen domain with a bare-metal ELF' 'Image of Xen' -kernel hello.elf -xen-dom0 kernel=hello.bin
bad 'dumpdtb to nowhere' 'folder/none' -M virt,dumpdtb=folder/none/x.dtb
if [ -e folder/none ]; then fail 'dumpdtb to nowhere' 'something was written'; else pass; fi

# ---- how a run ends ----
run 'power off' 0 -kernel hello.elf
says 'power off' out 'hello'
run 'the same as raw binary' 0 -kernel hello.bin
says 'the same as raw binary' out 'hello'
run 'the same by the loader' 0 -device loader,file=hello.elf,cpu-num=0
says 'the same by the loader' out 'hello'
run 'the same as bytes at an address' 0 -device loader,file=hello.bin,addr=0x40200000,cpu-num=0,force-raw=on
says 'the same as bytes at an address' out 'hello'
run '--max-insns' 3 -kernel stuck.elf -semihosting --max-insns 777 --stats -cpu cortex-a57
says '--max-insns' err '777'
if [ "$(grep -c '^insns 777$' err)" = 1 ]; then pass; else fail '--max-insns' 'not exactly 777 instructions'; fi
run '--until' 0 -kernel echo.elf --until 'ready'
run '-at-end' 0 -kernel echo.elf --until 'ready' -at-end 'where; nonsense;;cpu 7'
says '-at-end: what it asks' out '> where'
says '-at-end: the answer' out 'cpu0: EL1'
says '-at-end: no such command' out "unknown command: 'nonsense'"
says '-at-end: a command of the program' out 'invalid CPU index'
run '-at-end when the limit is reached' 3 -kernel stuck.elf --max-insns 1000 -at-end where
says '-at-end when the limit is reached' out '1000 instructions, 1000 ns'
run 'exception loop' 1 -kernel stuck.elf
says 'exception loop' err 'exception loop'
says 'exception loop' err 'undefined instruction'
run 'asleep for ever' 1 -kernel sleep.elf
says 'asleep for ever' err 'all CPUs sleep'
says 'asleep for ever' err 'cpu0 in WFI'
run 'asleep for ever, four CPUs in WFE' 1 -M virt,secure=on -smp 4 -kernel "sleep.elf"
says 'asleep for ever, four CPUs' err 'all CPUs sleep'
run 'semihosting exit' 42 -semihosting -kernel semi.elf -append 'a b'
says 'semihosting write' out 'said by semihosting: semi.elf a b'
run 'semihosting, each call' 0 -semihosting -kernel semihost.elf -append calls
says 'semihosting, each call' out 'all passed'
grep -a '^not ok' out
# told NAME WORDS ARGUMENT...: SYS_GET_CMDLINE
told() { local name=$1 words=$2; shift 2; run "command line $name" 0 -semihosting "$@"; says "command line $name" out "<$words>"; }
told 'of -append' 'semihost.elf words a b' -kernel semihost.elf -append ' words  a b '
told 'of arg=' 'x words a b' -kernel semihost.elf -semihosting-config arg=x,arg=words -semihosting-config 'enable=on,arg=a b' -append no
told 'of the loader' 'semihost.elf words' -device loader,file=semihost.elf,cpu-num=0 -semihosting-config arg=semihost.elf,arg=words
bad 'semihosting by gdb' 'only native auto' -kernel hello.elf -semihosting-config target=gdb
for s in 0:0 1:1 42:42 255:255 256:1 257:1 512:1 4294967296:1 -1:255 -256:1; do
    run "semihosting exit ${s%:*}" "${s#*:}" -semihosting -kernel semihost.elf -append "exit ${s%:*}"
done
run 'semihosting at EL0 is UNDEFINED' 7 -semihosting -kernel semihost.elf -append el0
run 'semihosting at EL0 by userspace=on' 0 -semihosting-config userspace=on -kernel semihost.elf -append el0
says 'semihosting at EL0 by userspace=on' out 'from EL0'
run 'semihosting at EL0 by userspace=off' 7 -semihosting-config enable=on,userspace=off -kernel semihost.elf -append el0
run 'semihosting by enable=off' 1 -semihosting -semihosting-config enable=off -kernel semi.elf
run 'semihosting files' 0 -semihosting -kernel semihost.elf -append many -stats
insns=$(sed -n 's/^insns //p' err)
run 'semihosting files of two machines in one process' 0 diff '-append many' '-append many' -semihosting -kernel semihost.elf -max-insns 1000000
says 'semihosting files of two machines: as of one' out "the same: $insns instructions"
timeout 200 python3 "$here/semihost.py" "$elmu" semihost.elf >out 2>err
read -r p f < <(tail -n 1 out | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
grep '^FAIL' out
run 'semihosting off' 1 -kernel semi.elf
says 'semihosting off' err 'exception loop'
run 'reset with -no-reboot' 5 -no-reboot -kernel reset.elf
run 'reset' 3 -kernel reset.elf --max-insns 20000
if [ "$(grep -ac boot out)" -gt 1 ]; then pass; else fail 'reset' 'the machine did not start again'; fi

run 'reset, seen' 3 -kernel reset.elf --max-insns 20000 -d cpu_reset
if [ "$(grep -c 'CPU Reset (CPU 0)' err)" -gt 2 ]; then pass; else fail 'reset, seen' 'not each one'; fi
for cpu in max,sve=off max,sme=off,sve128=off cortex-a57,aarch64=on max,pauth-impdef=on max,pauth_impdef=true max,pauth_qarma3=no max,sve-max-vq=4 max,sme_fa64=off; do
    run "-cpu $cpu" 0 -cpu $cpu -kernel hello.elf
done
run 'gic_version' 0 -M virt,gic_version=3 -kernel hello.elf
run '-machine kernel=' 0 -M virt,kernel=hello.elf
for properties in '-machine virt,?' '-M virt,help' '-cpu max,?' '-device virtio-blk-device,help' '-drive ?' '-smp help'; do
    # shellcheck disable=SC2086 # two words
    run "$properties" 0 $properties
    if [ "$(wc -l <out)" -ge 3 ]; then pass; else fail "$properties" 'is empty'; fi
done
run '-mon' 0 -chardev stdio,id=con,mux=on -serial chardev:con -mon chardev=con,mode=readline -kernel hello.elf
run 'an older machine' 0 -M virt-6.2 -kernel hello.elf
if [ -s err ]; then fail 'an older machine' 'is warned of'; else pass; fi
for version in 2.6 2.12 5.2 8.0 10.1; do
    run "version $version" 0 -M "virt-$version" -kernel hello.elf
    says "version $version: which board" err "-machine virt-$version: the board is that of virt-7.2"
done
for version in 2.5 2.13 3.2 11.0 8.00x 8; do bad "no version $version" 'no such machine' -M "virt-$version" -kernel hello.elf; done
run '-machine virt,?' 0 -machine virt,?
says '-machine virt,?' out 'gic-version'
run 'device tree without randomness' 0 -M virt,secure=on,dtb-randomness=off,dumpdtb=plain.dtb
if dtc -q -I dtb -O dts plain.dtb | grep -q seed; then fail 'device tree without randomness' 'it has a seed'; else pass; fi
run '-pidfile' 0 -kernel hello.elf -pidfile pid
if [ -e pid ]; then fail '-pidfile' 'is left'; else pass; fi
rm -f out # what the run before printed is not to be taken for this one's
"$elmu" -kernel hello.elf -no-shutdown -pidfile pid >out 2>err </dev/null &
for _ in $(seq 200); do grep -q hello out 2>/dev/null && break; sleep 0.05; done
if [ "$(cat pid)" = $! ] && sleep 0.3 && kill -0 $! 2>/dev/null; then pass; else fail '-no-shutdown' 'elmu did not stay'; fi
kill $!
wait $!
status=$?
if [ $status = 0 ]; then pass; else fail '-no-shutdown' "status $status, expected 0"; fi

# ---- input ----
head -c 3000 /dev/urandom | base64 -w 60 >typed
echo 'end!' >>typed
input=typed
run 'piped input' 0 -kernel echo.elf --until 'end!' --stats
sed -n '/ready/,$p' out | sed 1d | tr -d '\r' >got
if cmp -s <(head -c -2 typed) <(head -c $(($(stat -c %s typed) - 2)) got); then pass; else fail 'piped input' 'what came back is not what was typed'; fi
grep -E '^(insns|hash)' err >facts
input=/dev/null
"$elmu" -kernel echo.elf --until 'end!' --stats >out 2>err < <(sleep 0.3; cat typed)
if grep -E '^(insns|hash)' err | cmp -s - facts; then pass; else fail 'slowly piped input' 'another run than with a file'; fi
run '--after and --send' 0 -kernel echo.elf --after ready --send 'one\n' --after one --send 'two\x21' --until 'two!'
run 'end of input does not end the run' 3 -kernel echo.elf --max-insns 3000000
run 'virtio slot taken twice' 1 -kernel hello.elf -device virtio-rng-device,bus=virtio-mmio-bus.3 -device virtio-rng-device,bus=virtio-mmio-bus.3
run 'serial to a file' 0 -kernel hello.elf -serial file:serial.txt
says 'serial to a file' serial.txt 'hello'
run 'serial to nobody' 0 -kernel hello.elf -serial null
if [ -s out ]; then fail 'serial to nobody' 'something on standard output'; else pass; fi
timeout 20 "$elmu" -kernel echo.elf -serial unix:sock,server --until 'end!' >out 2>err </dev/null &
for _ in $(seq 100); do [ -S sock ] && break; sleep 0.05; done
python3 - <<'PY' >got 2>&1
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('sock')
data = b''
while b'ready' not in data:
    data += s.recv(100)
s.sendall(b'over the socket end!')
while b'end!' not in data:
    data += s.recv(100)
print(data.decode())
PY
if wait $! && grep -q 'over the socket end!' got; then pass; else fail 'serial to a socket' "$(cat got)"; fi

# ---- the terminal ----
cat >terminal.py <<'PY'
# A person at a terminal: types, asks for help, quits by Ctrl-A x. The exit status of elmu is this program's.
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], '-nographic', '-kernel', 'echo.elf'])
seen = b''
def until(text):
    global seen
    while text not in seen:
        seen += os.read(fd, 1000)
    seen = seen[seen.index(text) + len(text):]
until(b'ready')
os.write(fd, b'typed\x03')
until(b'typed\x03')          # Ctrl-C is the guest's
os.write(fd, b'\x01h')
until(b'Ctrl-A x')
os.write(fd, b'\x01\x01')
until(b'\x01')
os.write(fd, b'\x01x')
print('all seen')
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
timeout 60 python3 terminal.py "$elmu" >out 2>err
status=$?
if [ $status = 0 ] && grep -q 'all seen' out; then pass; else fail 'terminal' "status $status"; fi
"$elmu" -kernel echo.elf --until ready <&- >out 2>err
status=$?
if [ $status = 0 ]; then pass; else fail 'closed standard input' "status $status"; fi

# ---- nobody types, the guest sleeps ----
timeout 120 python3 "$here/idle.py" "$elmu" >out 2>err
read -r p f < <(tail -n 1 out | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
grep '^FAIL' out

# ---- files and streams of the host ----
program svc "$here/svc.S"
for script in files disks; do
    timeout 400 python3 "$here/$script.py" "$elmu" "$work" >out 2>err
    read -r p f < <(tail -n 1 out | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
    grep '^FAIL' out
done

program flood "$here/flood.S"
for part in chardev monitor qmp input daemon sandbox; do
    B=$build timeout 400 python3 "$here/$part.py" "$elmu" "$work" >out 2>err
    read -r p f < <(tail -n 1 out | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
    grep '^FAIL' out
done

# ---- networks between two programs, shared folders, screens ----
for part in net shares screens vnc; do
    B=$build timeout 400 python3 "$here/$part.py" "$elmu" >out 2>err
    read -r p f < <(tail -n 1 out | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
    grep '^FAIL' out
done

# ---- devices that elmu has not ----
bad 'another adapter' '-device e1000e: elmu has no such adapter: virtio-net-pci is one' -device e1000e,netdev=n -netdev user,id=n -kernel hello.elf
bad 'a port' '-device virtserialport: elmu has no ports beside consoles' -device virtio-serial-pci -device virtserialport,name=x -kernel hello.elf
bad 'a controller of disks' '-device nvme: elmu has no NVMe' -device nvme,serial=1 -kernel hello.elf
bad 'one that nobody has' "no such device (did you mean 'virtio-blk-pci'?)" -device virtio-blk-pcj -kernel hello.elf
# No row stands for what is there.
"$elmu" -device '?' | sed -n 's/^name "\([^"]*\)".*/\1/p' >models
while read -r model; do
    if "$elmu" -kernel hello.elf -device "$model" 2>&1 </dev/null | grep -q 'elmu has no'; then fail "-device $model" 'is refused'; else pass; fi
done <models

# ---- accepted, with a word ----
run 'two nodes' 0 -m 1G -smp 2 -numa node,memdev=m,cpus=0 -numa node,memdev=n,cpus=1 -numa dist,src=0,dst=1,val=20 -kernel hello.elf \
    -object memory-backend-ram,id=m,size=512M -object memory-backend-ram,id=n,size=512M
says 'two nodes: one' err '-numa: to the guest all CPUs and all RAM are one node'
run 'ras=on' 0 -M virt,ras=on -kernel hello.elf
says 'ras=on: no HEST' err 'ras=on: ACPI has no tables of error sources'
run 'ras=off' 0 -M virt,ras=off -kernel hello.elf
if [ -s err ]; then fail 'ras=off' 'says something'; else pass; fi

# ---- lists and probes ----
run '--version' 0 --version
run '--help' 0 --help
says '--help' out '-kernel'
run '-machine ?' 0 -machine '?'
says '-machine ?' out 'ARM Virtual Machine'
run '-version' 0 -version
says '-version' out 'elmu version 0.1.0 ('
says '-version' out 'with zlib '
ln -s "$elmu" qemu-system-aarch64
if ./qemu-system-aarch64 --version | grep -qE '^QEMU emulator version [0-9]+\.[0-9]+\.[0-9]+ \(elmu '; then pass
else fail '-version' 'called as qemu-system-aarch64, it does not say so'; fi
run '-help' 0 -help
if ! awk 'length > 100' out | grep -q .; then pass; else fail '-help' 'has lines of more than 100 columns'; fi
says '-help' out 'Looking in, going back:'
# What make install leaves: a manual page of all options, completion that knows them.
make -s -C "$here/../.." install-files DESTDIR="$PWD/tree" PREFIX=/usr ELMU="$elmu" >out 2>err && pass || fail 'make install' 'failed'
zcat tree/usr/share/man/man1/elmu.1.gz >page || fail 'the manual page' 'is not there'
"$elmu" -list-options | cut -f 2 | sed 's/-/\\-/g' | while read -r option; do grep -qF -- "fB$option" page || echo "$option"; done >err
[ ! -s err ] && [ "$(grep -c '^\.TP' page)" -ge 80 ] && pass || fail 'the manual page' 'leaves options out'
# shellcheck disable=SC2016 # of the shell that completes
PATH=$PWD/tree/usr/bin:$PATH bash -c '. tree/usr/share/bash-completion/completions/elmu
    try() { COMP_WORDS=(elmu "$@") COMP_CWORD=$#; _elmu 2>/dev/null; echo "${COMPREPLY[*]}"; }
    try -nogr; try -cpu cortex-a5; try -device edu; try -M virt,gic' >out
printf '%s\n' '-nographic' 'cortex-a53 cortex-a55 cortex-a57' 'edu' 'virt,gic-version=' >want
cmp -s out want && pass || fail 'completion' "$(cat out)"
"$here/../../packaging/deb.sh" "$elmu" deb >out 2>err && dpkg-deb -c "$(cat out)" | grep -q '/usr/bin/elmu$' &&
    dpkg-deb -I "$(cat out)" | grep -q '^ Depends: .*libc6' && pass || fail 'a package' "$(head -n 1 out)"
run '-device ?' 0 -device '?'
says '-device ?' out 'virtconsole'
run '-chardev ?' 0 -chardev '?'
says '-chardev ?' out 'testdev'
run '-cpu ?' 0 -cpu '?'
says '-cpu ?' out 'cortex-a57'
for list in cpus insns sysregs traps devices; do
    run "--list-$list" 0 --list-$list
    if [ "$(wc -l <out)" -ge 5 ]; then pass; else fail "--list-$list" 'is empty'; fi
done

# ---- flash ----
items=(-M 'virt,gic-version=3' -semihosting -nographic)
fw_cfg=$here/../../${B:-build}/guest/fw_cfg.elf
printf 'hello\nworld\n' >words
(head -c 514 /dev/zero; printf HdrS; head -c 100 /dev/zero) >bzImage
(printf MZ; head -c 100 /dev/zero) >other.efi
(printf 'QFI\373'; head -c 100 /dev/zero) >disk.qcow2
bad 'a text as -kernel' 'words: is a text file; expected an ELF file' -kernel words
bad 'a kernel for x86' 'is a Linux kernel for x86' -kernel bzImage
bad 'an EFI program' 'needs firmware (-bios)' -kernel other.efi
bad 'a disk as -kernel' 'disks are given by -drive' -kernel disk.qcow2
bad 'more transports than there are' 'at most 32' -M virt,virtio-mmio-transports=33 -kernel hello.elf
bad 'no transport for it' 'virtio slot -1 is taken or does not exist (there are 0)' -M virt,virtio-mmio-transports=0 -device virtio-rng-device -kernel hello.elf
run 'two transports' 0 -M virt,virtio-mmio-transports=2,dumpdtb=two.dtb
if [ "$(dtc -q -I dtb -O dts two.dtb | grep -c 'virtio_mmio@')" = 2 ]; then pass; else fail 'two transports' 'the device tree has others'; fi
run 'two transports, a device' 0 -M virt,virtio-mmio-transports=2 -device virtio-rng-device -kernel hello.elf
bad '-accel kvm' 'not supported (only tcg' -kernel hello.elf -accel kvm
bad '-enable-kvm' '-enable-kvm: not supported (only tcg' -kernel hello.elf -enable-kvm
run '-accel, the second will do' 0 -kernel hello.elf -accel kvm -accel tcg,thread=single
run '-machine accel=, the second will do' 0 -M virt,accel=kvm:tcg -kernel hello.elf
run 'accepted, since there is nothing to do' 0 -kernel hello.elf -audio driver=none,model=virtio,id=a -audiodev none,id=b -k de \
    -msg timestamp=on -overcommit mem-lock=off -mem-path /dev/shm -mem-prealloc -L . -only-migratable -singlestep
bad '-action of another kind' 'expected reset or shutdown' -kernel hello.elf -action reboot=stop
run '-action reboot=shutdown' 5 -action reboot=shutdown -kernel reset.elf
bad '-uuid' 'expected 32 digits' -kernel hello.elf -uuid 1234
bad '-boot' "no property 'meny' (did you mean 'menu'?)" -kernel hello.elf -boot meny=on
run '-cpu sme=on' 0 -kernel hello.elf -cpu max,sve=off,sme=on,core-count=4
says '-cpu sme=on' err 'sme=on: not implemented; the guest finds none'
run '-M mpam=on' 0 -kernel hello.elf -M virt,nvdimm=on,mpam=on,mpam_min_msc=on
says '-M mpam=on' err 'mpam=on: not implemented'
run '-boot, -uuid' 0 "${items[@]}" -smp 2 -kernel "$fw_cfg" -fw_cfg opt/org.elmu/greeting,string=Hello:-hypervisor -boot order=c,menu=on,splash-time=5 \
    -uuid 00112233-4455-6677-8899-AaBbCcDdEeFf
says '-boot, -uuid' out '# file etc/boot-menu-wait key '
says '-boot, -uuid' out '# key 2: 0xffeeddccbbaa9988 0x7766554433221100'
bad '-fw_cfg without a name' 'name= is missing' -kernel hello.elf -fw_cfg string=x
bad '-fw_cfg without contents' 'file= or string=' -kernel hello.elf -fw_cfg name=opt/x
bad '-fw_cfg with both' 'one of them' -kernel hello.elf -fw_cfg name=opt/x,string=y,file=hello.elf
bad '-fw_cfg, a file that is not there' 'nowhere: No such file' -kernel hello.elf -fw_cfg opt/x,file=nowhere
bad '-fw_cfg, a name that is too long' 'name too long (max. 55 char)' -kernel hello.elf \
    -fw_cfg "name=opt/$(printf 'x%.0s' {1..52}),string=y"
bad '-fw_cfg twice' 'two files have the same name' -kernel hello.elf -fw_cfg opt/x,string=y -fw_cfg opt/x,string=z
run '-fw_cfg, a name of the board' 0 -kernel hello.elf -fw_cfg etc/x,string=y
says '-fw_cfg, a name of the board' err 'should be prefixed with "opt/"'
# The same items after a snapshot, whose kernel and files nobody gives again.
run '-fw_cfg, to a snapshot' 3 "${items[@]}" -smp 2 -kernel "$fw_cfg" -fw_cfg opt/org.elmu/greeting,string=Hello:-hypervisor \
    --snapshot-save items.snap@2000 --max-insns 3000
run '-fw_cfg, from a snapshot' 0 "${items[@]}" --restore items.snap
says '-fw_cfg, from a snapshot' out 'opt/org.elmu/greeting'

run 'firmware, to a snapshot' 0 -M virt -bios hello.bin -nographic --snapshot-save firmware.snap@2
bad 'firmware, from a snapshot, without ACPI' 'made with -M acpi=on' --restore firmware.snap -M virt,acpi=off
bad 'firmware, from a snapshot of none' 'another -bios' --restore items.snap -M virt,gic-version=3 -bios hello.bin
run 'firmware, from a snapshot' 0 --restore firmware.snap -nographic
says 'firmware, from a snapshot' out hello
run 'firmware is entered at 0' 0 -M virt -bios hello.bin -nographic
says 'firmware is entered at 0' out hello
run 'firmware in a drive' 0 -M virt -drive if=pflash,format=raw,readonly=on,file=hello.bin -nographic
says 'firmware in a drive' out hello
flash=$here/../../${B:-build}/guest/flash.elf
truncate -s 1M bank.fd
run 'flash is its file' 0 -M virt,gic-version=3 -semihosting -nographic -kernel "$flash" -drive if=pflash,format=raw,index=1,file=bank.fd
if [ "$(od -An -tx4 -j $((0x40000 + 0x44)) -N 4 bank.fd)" = ' 01010101' ]; then pass; else fail 'flash is its file' 'what was programmed is not in it'; fi
cp bank.fd before.fd
run 'protected flash' 1 -M virt,gic-version=3 -semihosting -nographic -kernel "$flash" -drive if=pflash,format=raw,index=1,file=bank.fd,readonly=on
says 'protected flash' out 'not ok 9 - erase: ready, no error'
if cmp -s bank.fd before.fd; then pass; else fail 'protected flash' 'its file has changed'; fi

# ---- the device tree ----
# tree FILE OUT: sorted lines "path property = value" of a tree, less what elmu's board does not have yet, what is random, and
# the interrupt of EL2's virtual timer, which QEMU names from version 9 on. QEMU 7.2 tells of an initrd in 32 bits.
tree()
{
    dtc -q -s -I dtb -O dts "$1" 2>/dev/null | awk '
        /\{$/ { name = $1; path[++depth] = name; next }
        /^\t*\};$/ { depth--; next }
        NF { p = ""; for (i = 1; i <= depth; i++) p = p "/" path[i]; sub(/^[ \t]*/, ""); print p " " $0 }' |
        grep -vE 'fw-cfg@|(rng|kaslr)-seed' |
        sed '/timer interrupts/s/ 0x01 0x0c 0x[0-9a-f]*04>/>/
             /linux,initrd-/s/<0x00 /</' | sort >"$2"
}
# same NAME PROPERTIES CPU SMP RAM [ARGUMENT...]
same()
{
    local gic=virt more=("${@:6}")
    case $2 in *gic-version=*) ;; *) gic=virt,gic-version=3 ;; esac
    if ! "$elmu" -M "$gic,dumpdtb=a.dtb$2" -cpu "$3" -smp "$4" -m "$5" "${more[@]}" >out 2>err </dev/null; then
        fail "device tree $1" 'elmu does not write it'
    elif ! qemu-system-aarch64 -M "$gic,dumpdtb=b.dtb$2" -cpu "$3" -smp "$4" -m "$5" "${more[@]}" -display none -nic none >out 2>err </dev/null; then
        fail "device tree $1" 'QEMU does not write it'
    else
        tree a.dtb a.txt
        tree b.dtb b.txt
        if [ "$(wc -l <b.txt)" -lt 100 ]; then fail "device tree $1" 'QEMU'"'"'s has hardly a line'
        elif diff a.txt b.txt >err; then pass
        else fail "device tree $1" 'differs from QEMU'"'"'s'; fi
    fi
}
same 'EL1' '' cortex-a57 1 128M
same 'EL1, 4 CPUs' '' cortex-a57 4 1G
same 'EL2' ',virtualization=on' cortex-a57 1 512M
same 'EL2, max, 8 CPUs' ',virtualization=on' max 8 2G
same 'EL3' ',secure=on' cortex-a57 1 1G
same 'EL3, EL2, 2 CPUs' ',secure=on,virtualization=on' cortex-a57 2 1G
same 'sockets, clusters, threads' '' cortex-a57 8,sockets=2,clusters=2,cores=1,threads=2 128M
same 'sockets that are not full' '' cortex-a57 7,cores=2,maxcpus=8 128M
same 'all memory below 4 GiB' ',highmem=off' cortex-a57 1 3G
# much NAME PROPERTIES CPU SMP GIGABYTES: RAM that moves what lies above it. QEMU does not ask the host for all of it.
much() { same "$1" "$2,memory-backend=m" "$3" "$4" "$5" -object "memory-backend-ram,id=m,size=$5,reserve=off"; }
much 'RAM of 255 GiB' '' cortex-a53 130 255G
much 'RAM of 300 GiB' '' cortex-a53 130 300G
much 'RAM of 511 GiB' '' cortex-a53 1 511G
much 'RAM that leaves no room for a window of PCIe' '' cortex-a53 130 600G
much 'RAM that leaves no room for ECAM' '' cortex-a53 1 1023G
much 'the same with more addresses' '' cortex-a57 130 1023G
same 'two clusters' '' cortex-a57 20 128M
same 'two regions of redistributors' '' cortex-a57 140 1G
same 'GICv4' ',gic-version=4,virtualization=on' cortex-a57 61 128M
same 'GICv4, two regions of redistributors' ',gic-version=max,virtualization=on' cortex-a57 62 128M
same 'the most that there is, without EL2' ',gic-version=max' cortex-a57 62 128M
same "a hypervisor's guest" ',virtualization=on' cortex-a57 1 1G -kernel hello.bin -append 'a b' \
    -device guest-loader,addr=0x60000000,kernel=hello.bin,bootargs='c d' -device guest-loader,addr=0x100000,initrd=noise
cat noise noise >Image # an arm64 Image by its header, which says text_offset 0 and 64 KiB
printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0' | dd of=Image conv=notrunc status=none
printf 'ARM\144' | dd of=Image bs=1 seek=56 conv=notrunc status=none
same 'Linux: initrd' '' cortex-a57 1 128M -kernel Image -initrd noise -append 'a b'
same 'Linux: initrd, EL2, 1 GiB' ',virtualization=on' cortex-a57 1 1G -kernel Image -initrd noise
same 'Linux at EL2, EL3 is there: PSCI' ',secure=on,virtualization=on' cortex-a57 2 1G -kernel Image -initrd noise
same 'Linux at EL1, EL3 is there: PSCI' ',secure=on' cortex-a57 2 1G -kernel hello.bin
same 'an ELF file' ',virtualization=on' cortex-a57 1 1G -kernel hello.elf -append 'a b'
run 'tree of its own' 0 -M virt,dumpdtb=own.dtb -cpu cortex-a72 -smp 3
same 'a tree that was given' ',virtualization=on' cortex-a57 1 1G -dtb own.dtb -kernel Image -initrd noise -append 'a b'
bad 'dumpdtb, no kernel there' "could not load kernel 'nowhere'" -M virt,dumpdtb=n.dtb -kernel nowhere
same 'firmware: no GPIO' '' cortex-a57 1 128M -bios hello.bin
same 'firmware without ACPI' ',acpi=off' cortex-a57 1 128M -bios hello.bin
same 'GICv2' ',gic-version=2' cortex-a57 1 128M
same 'GICv2, EL2, max, 8 CPUs' ',gic-version=2,virtualization=on' max 8 1G
same 'GICv2, EL3, EL2, 2 CPUs' ',gic-version=2,secure=on,virtualization=on' cortex-a57 2 1G
run 'GICv2 is the default' 0 -M virt,dtb-randomness=off,dumpdtb=default.dtb
run 'GICv2' 0 -M virt,gic-version=2,dtb-randomness=off,dumpdtb=two.dtb
if cmp -s default.dtb two.dtb; then pass; else fail 'GICv2 is the default' 'the trees differ'; fi

# ---- what lies above RAM (QEMU has these options from 8.0 on) ----
# above NAME PROPERTIES WORDS...: the device tree has each of WORDS
above()
{
    run "$1" 0 -M "virt,gic-version=3,dumpdtb=above.dtb,$2" -cpu cortex-a57 -smp "$3"
    dtc -q -I dtb -O dts above.dtb | tr -d '\n\t' >above.txt
    local name=$1 words
    shift 3
    for words; do says "$name" above.txt "$words"; done
}
low_window='0x2000000 0x00 0x10000000 0x00 0x10000000 0x00 0x2eff0000'
above 'ECAM below RAM' highmem-ecam=off 1 'bus-range = <0x00 0x0f>' 'reg = <0x00 0x3f000000 0x00 0x1000000>' \
    "$low_window 0x3000000 0x80 0x00 0x80 0x00 0x80 0x00>"
above 'no window of PCIe above RAM' highmem-mmio=off 1 'bus-range = <0x00 0xff>' 'reg = <0x40 0x10000000 0x00 0x10000000>' "$low_window>"
above 'redistributors below RAM' highmem-redists=off 123 '#redistributor-regions = <0x01>' 'reg = <0x40 0x10000000 0x00 0x10000000>'
above 'a compact layout' compact-highmem=on,highmem-redists=off 1 'reg = <0x40 0x00 0x00 0x10000000>'
above 'a compact layout with all' compact-highmem=on 130 '0x40 0x00 0x00 0x4000000' 'reg = <0x40 0x10000000 0x00 0x10000000>'
above 'nothing above RAM' highmem-ecam=off,highmem-mmio=off,highmem-redists=off 1 'reg = <0x00 0x3f000000 0x00 0x1000000>' "$low_window>"
run 'the same as highmem=off' 0 -M virt,gic-version=3,highmem=off,dumpdtb=off.dtb,dtb-randomness=off
run 'nothing above RAM' 0 -M virt,gic-version=3,highmem-ecam=off,highmem-mmio=off,highmem-redists=off,dumpdtb=none.dtb,dtb-randomness=off
if cmp -s off.dtb none.dtb; then pass; else fail 'nothing above RAM' 'not the tree of highmem=off'; fi

# ---- much memory: what is not touched costs nothing ----
run 'a backend gives the size' 0 -M virt,memory-backend=m,dumpdtb=m.dtb -object memory-backend-file,id=m,size=255G,mem-path=/nowhere,share=on \
    -numa node,memdev=m,cpus=0-3 -smp 4 -object iothread,id=i
if dtc -q -I dtb -O dts m.dtb | grep -qF 'reg = <0x00 0x40000000 0x3f 0xc0000000>'; then pass; else fail 'a backend gives the size' 'not 255 GiB'; fi
run 'a snapshot of 255 GiB' 3 -M virt,gic-version=3 -m 255G,slots=2,maxmem=512G -smp 64 -kernel stuck.elf -max-insns 2000 -snapshot-save big.snap@1000
if [ "$(stat -c %s big.snap)" -lt 100000000 ]; then pass; else fail 'a snapshot of 255 GiB' "$(stat -c %s big.snap) bytes"; fi
run '  goes on' 3 -restore big.snap -max-insns 2000

# ---- parts ----
for part in "$here"/{stuck,registers,ends,options}.sh; do
    # shellcheck disable=SC1090 # the parts beside it
    . "$part"
done

echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
